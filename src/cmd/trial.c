/* SPDX-License-Identifier: MIT */
/*
 * What probes have in common. The one idea is the fence: the kernel posts an
 * event before the call that causes it returns, so when a write to a file of our
 * own is seen, all that was done before has been seen, or never will be. No probe
 * waits for time to pass to learn that nothing happens.
 */
#include "cmd/trial.h"

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/json.h"

#define FENCE "../fence"
#define SLOW_SEC 600
/* For what should have come with the fence. */
#define LATE_NS (TRIAL_PATIENCE_NS / 6)
#define EVENTS_MAX 100000

static void
worsen(struct trial *t, enum outcome to)
{
	if (to > t->outcome)
		t->outcome = to;
}

static void
add_note(struct trial *t, const char *fmt, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	if (t->notes.len > 0)
		buf_adds(&t->notes, "; ");
	buf_adds(&t->notes, text);
}

void
trial_fail(struct trial *t, const char *fmt, ...)
{
	va_list ap;

	worsen(t, OUTCOME_FAILED);
	va_start(ap, fmt);
	add_note(t, fmt, ap);
	va_end(ap);
}

void
trial_note(struct trial *t, const char *fmt, ...)
{
	va_list ap;

	t->findings++;
	va_start(ap, fmt);
	add_note(t, fmt, ap);
	va_end(ap);
}

void
trial_odd(struct trial *t, const char *what)
{
	worsen(t, OUTCOME_ODD);
	trial_note(t, "%s", what);
}

void
trial_skip(struct trial *t, const char *why)
{
	worsen(t, OUTCOME_SKIPPED);
	trial_note(t, "%s", why);
}

bool
trial_check(struct trial *t, bool so, const char *expected)
{
	t->findings++;
	if (!so)
		trial_fail(t, "not so: %s", expected);
	return so;
}

bool
trial_did(struct trial *t, long result, const char *call)
{
	if (result == -1)
		trial_fail(t, "%s: %s", call, strerror(errno));
	return result != -1;
}

void
trial_say(struct trial *t, const char *what)
{
	dprintf(t->say_fd, "# %s\n", what);
	alarm(SLOW_SEC);
}

static void
on_event(void *arg, const struct loop_event *ev)
{
	struct knote *k = arg;

	k->seen |= ev->fflags;
	k->eof |= ev->eof;
	k->times++;
}

struct knote *
trial_watch(struct trial *t, const char *path)
{
	struct knote *k = xcalloc(1, sizeof(*k));

	k->name = path;
	k->fd = open(path, O_EVTONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	k->src = (struct loop_src){ on_event, k };
	trial_did(t, k->fd, path);
	trial_did(t, loop_watch_vnode(t->loop, k->fd, &k->src), "EV_ADD");
	return k;
}

struct knote *
trial_watch_new(struct trial *t)
{
	trial_make(t, "file", "text");
	return trial_watch(t, "file");
}

bool
trial_until(struct trial *t, const unsigned *counter, unsigned n)
{
	mono_t end = mono_add(mono_now(), TRIAL_PATIENCE_NS);

	while (*counter < n && mono_before(mono_now(), end))
		if (loop_wait(t->loop, end) == -1)
			break;
	return *counter >= n;
}

void
trial_settle(struct trial *t)
{
	unsigned times, n;

	if (t->fence == NULL) {
		trial_make(t, FENCE, "");
		t->fence = trial_watch(t, FENCE);
	}
	times = t->fence->times;
	trial_append(t, FENCE, ".");
	if (!trial_until(t, &t->fence->times, times + 1))
		trial_fail(t, "an event of %s never came", FENCE);
	/* A native kqueue may deliver in any order; what is there is there at once. */
	for (n = 0; loop_wait(t->loop, (mono_t){ INT64_MIN }) == 1; n++)
		if (n == EVENTS_MAX) {
			trial_fail(t, "events never end");
			break;
		}
}

static const struct {
	unsigned bit;
	const char *name;
} bits[] = { { NOTE_DELETE, "DELETE" }, { NOTE_WRITE, "WRITE" },
	{ NOTE_EXTEND, "EXTEND" }, { NOTE_ATTRIB, "ATTRIB" }, { NOTE_LINK, "LINK" },
	{ NOTE_RENAME, "RENAME" }, { NOTE_REVOKE, "REVOKE" } };

unsigned
trial_bit(const char *name)
{
	size_t i;

	for (i = 0; i < NELEM(bits); i++)
		if (strcmp(bits[i].name, name) == 0)
			return bits[i].bit;
	return UINT_MAX;
}

/* "WRITE LINK", or "nothing". */
static void
name_bits(unsigned set, struct buf *out)
{
	size_t i;

	for (i = 0; i < NELEM(bits); i++)
		if ((set & bits[i].bit) != 0)
			buf_addf(out, "%s%s", out->len > 0 ? " " : "", bits[i].name);
	if (out->len == 0)
		buf_adds(out, "nothing");
}

/* Adds what k saw to what it saw before, and begins again; the bits. */
static unsigned
take_seen(struct trial *t, struct knote *k)
{
	const char *before = json_get_string(t->events, k->name);
	struct buf names = { NULL, 0, 0 };
	unsigned seen = k->seen;
	char *all;

	name_bits(seen, &names);
	if (k->eof)
		buf_adds(&names, " EOF");
	all = xasprintf(
	    "%s%s%s", before != NULL ? before : "", before != NULL ? ", " : "", names.p);
	cJSON_DeleteItemFromObjectCaseSensitive(t->events, k->name);
	cJSON_AddStringToObject(t->events, k->name, all);
	free(all);
	buf_clear(&names);
	k->seen = 0;
	return seen;
}

/* Something else than these bits: says which were wanted. */
static void
complain(struct trial *t, const struct knote *k, enum outcome worst, unsigned seen,
    unsigned wanted)
{
	struct buf got = { NULL, 0, 0 }, want = { NULL, 0, 0 };

	name_bits(seen, &got);
	name_bits(wanted, &want);
	worsen(t, worst);
	trial_note(t, "%s: %s, not %s", k->name, got.p, want.p);
	buf_clear(&got);
	buf_clear(&want);
}

/* What should have been there with the fence may still come, and be too late. */
static void
wait_late(struct trial *t, const struct knote *k, unsigned wanted, bool all)
{
	mono_t end = mono_add(mono_now(), LATE_NS);

	while ((all ? (k->seen & wanted) != wanted : (k->seen & wanted) == 0) &&
	       mono_before(mono_now(), end))
		if (loop_wait(t->loop, end) == -1)
			return;
}

void
trial_expect(struct trial *t, struct knote *k, unsigned must, unsigned may)
{
	unsigned seen;

	t->findings++;
	trial_settle(t);
	wait_late(t, k, must, true);
	seen = take_seen(t, k);
	if ((seen & must) != must)
		complain(t, k, OUTCOME_FAILED, seen, must);
	else if ((seen & ~(must | may)) != 0)
		complain(t, k, OUTCOME_ODD, seen, must);
}

void
trial_expect_any(struct trial *t, struct knote *k, unsigned any)
{
	unsigned seen;

	t->findings++;
	trial_settle(t);
	wait_late(t, k, any, false);
	seen = take_seen(t, k);
	if ((seen & any) == 0)
		complain(t, k, OUTCOME_FAILED, seen, any);
}

static void
write_to(struct trial *t, const char *path, int flags, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0644);
	size_t len = strlen(text);

	if (!trial_did(t, fd, path))
		return;
	if (len > 0)
		trial_did(t, write(fd, text, len), path);
	close(fd);
}

void
trial_make(struct trial *t, const char *path, const char *text)
{
	write_to(t, path, O_CREAT | O_TRUNC, text);
}

void
trial_poke(struct trial *t, const char *path, const char *text)
{
	write_to(t, path, 0, text);
}

void
trial_append(struct trial *t, const char *path, const char *text)
{
	write_to(t, path, O_APPEND, text);
}

void
trial_replace(struct trial *t, const char *path, const char *text)
{
	char *new = xasprintf("%s.new", path);

	trial_make(t, new, text);
	trial_did(t, rename(new, path), "rename");
	free(new);
}
