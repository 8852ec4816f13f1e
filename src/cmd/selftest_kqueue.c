/* SPDX-License-Identifier: MIT */
/*
 * How knotes, signals and waiting behave, through the loop of the daemon: muting
 * keeps what happens, closing forgets it, nothing comes twice.
 */
#include "cmd/selftest_probes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/types.h>
#include <sys/event.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "cmd/trial.h"

#define MANY 200

/* Counts calls, and what they brought. */
struct counter {
	struct loop_src src;
	unsigned times;
	intptr_t data;
	bool eof;
};

static void
count(void *arg, const struct loop_event *ev)
{
	struct counter *c = arg;

	c->times++;
	c->data = ev->data;
	c->eof |= ev->eof;
}

static void
counter_init(struct counter *c)
{
	*c = (struct counter){ .times = 0 };
	c->src = (struct loop_src){ count, c };
}

/* A pipe, and a counter for either end. */
static void
make_pipe(struct trial *t, int fds[2], struct counter *c)
{
	counter_init(c);
	trial_did(t, pipe(fds), "pipe");
}

static void
two_descriptors_of_a_file(struct trial *t)
{
	struct knote *a = trial_watch_new(t), *b = trial_watch(t, "file");

	b->name = "file, again";
	trial_append(t, "file", "more");
	trial_expect(t, a, NOTE_WRITE, NOTE_EXTEND);
	trial_expect(t, b, NOTE_WRITE, NOTE_EXTEND);
	close(a->fd);
	trial_append(t, "file", "more");
	trial_expect(t, b, NOTE_WRITE, NOTE_EXTEND);
}

static void
nothing_comes_twice(struct trial *t)
{
	struct knote *file = trial_watch_new(t);
	unsigned times;

	trial_append(t, "file", "more");
	trial_expect(t, file, NOTE_WRITE, NOTE_EXTEND);
	times = file->times;
	trial_settle(t);
	trial_check(t, file->times == times, "an event is delivered once");
}

static void
nothing_overflows(struct trial *t)
{
	struct knote *files[MANY];
	unsigned i, seen = 0, round;
	char name[16];

	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		trial_make(t, name, "");
		files[i] = trial_watch(t, name);
	}
	/* What is written last counts as well: the fence, which has to be there. */
	trial_settle(t);
	for (round = 0; round < 100; round++)
		for (i = 0; i < MANY; i++) {
			snprintf(name, sizeof(name), "f%u", i);
			trial_append(t, name, "x");
		}
	trial_settle(t);
	for (i = 0; i < MANY; i++)
		seen += (files[i]->seen & NOTE_WRITE) != 0;
	trial_check(t, seen == MANY, "each of 200 files that were written reports it");
}

static void
muting_keeps(struct trial *t)
{
	struct knote *file = trial_watch_new(t);

	loop_mute_vnode(t->loop, file->fd, &file->src);
	trial_append(t, "file", "more");
	trial_settle(t);
	trial_check(t, file->times == 0, "nothing comes while it is muted");
	loop_unmute_vnode(t->loop, file->fd, &file->src);
	trial_expect(t, file, NOTE_WRITE, NOTE_EXTEND);
}

static void
muting_twice_keeps(struct trial *t)
{
	struct knote *file = trial_watch_new(t);

	loop_mute_vnode(t->loop, file->fd, &file->src);
	loop_unmute_vnode(t->loop, file->fd, &file->src);
	trial_expect(t, file, 0, 0);
	trial_did(t, rename("file", "away"), "rename");
	trial_did(t, chmod("away", 0600), "chmod");
	trial_expect(t, file, NOTE_RENAME | NOTE_ATTRIB, 0);
}

static void
pending_stays_when_muted(struct trial *t)
{
	struct knote *file = trial_watch_new(t);

	trial_append(t, "file", "more");
	loop_mute_vnode(t->loop, file->fd, &file->src);
	trial_settle(t);
	trial_check(t, file->times == 0, "nothing comes while it is muted");
	loop_unmute_vnode(t->loop, file->fd, &file->src);
	trial_expect(t, file, NOTE_WRITE, NOTE_EXTEND);
}

static void
registering_again_replaces(struct trial *t)
{
	struct knote *file = trial_watch_new(t);
	struct knote other = { .times = 0 };

	trial_append(t, "file", "more");
	other = *file;
	other.name = "file, registered again";
	other.src.arg = &other;
	trial_did(t, loop_watch_vnode(t->loop, file->fd, &other.src), "EV_ADD");
	trial_expect(t, &other, NOTE_WRITE, NOTE_EXTEND);
	trial_check(t, file->times == 0, "what was registered first is not called");
}

static void
closing_forgets(struct trial *t)
{
	struct knote *file = trial_watch_new(t);

	/* Its own file must not get the number that becomes free. */
	trial_settle(t);
	trial_append(t, "file", "more");
	close(file->fd);
	trial_settle(t);
	trial_check(t, file->times == 0, "nothing comes for what is closed");
}

static void
number_is_used_again(struct trial *t)
{
	struct knote *file = trial_watch_new(t), *other;

	trial_make(t, "other", "text");
	trial_append(t, "file", "more");
	close(file->fd);
	other = trial_watch(t, "other");
	trial_check(t, other->fd == file->fd, "the lowest free number is used again");
	trial_append(t, "file", "more");
	trial_expect(t, other, 0, 0);
	trial_append(t, "other", "more");
	trial_expect(t, other, NOTE_WRITE, NOTE_EXTEND);
	trial_check(t, file->times == 0, "nothing comes for what is closed");
}

static void
dead_file_is_watched_in_vain(struct trial *t)
{
	struct counter c;
	int fd;

	counter_init(&c);
	trial_make(t, "file", "text");
	fd = open("file", O_EVTONLY | O_CLOEXEC);
	trial_did(t, unlink("file"), "unlink");
	if (loop_watch_vnode(t->loop, fd, &c.src) == 0)
		trial_note(t, "EV_ADD of a file without a name succeeds");
	else
		trial_check(
		    t, errno == ENOENT, "EV_ADD of a file without a name says ENOENT");
	trial_settle(t);
	trial_check(t, c.times == 0, "and nothing comes");
}

static void
bad_descriptor_is_refused(struct trial *t)
{
	struct counter c;

	counter_init(&c);
	trial_check(t, loop_watch_vnode(t->loop, 200, &c.src) == -1 && errno == EBADF,
	    "EV_ADD of a closed descriptor says EBADF");
}

static void
pipe_is_no_file(struct trial *t)
{
	struct counter c;
	int fds[2];

	make_pipe(t, fds, &c);
	trial_check(t, loop_watch_vnode(t->loop, fds[0], &c.src) == -1 && errno == EINVAL,
	    "EVFILT_VNODE of a pipe says EINVAL");
}

static void
readable_pipe(struct trial *t)
{
	struct counter c;
	int fds[2];

	make_pipe(t, fds, &c);
	trial_did(t, loop_watch_read(t->loop, fds[0], &c.src), "EV_ADD");
	trial_settle(t);
	trial_check(t, c.times == 0, "an empty pipe is silent");
	trial_did(t, write(fds[1], "text", 4), "write");
	trial_check(t, trial_until(t, &c.times, 2) && c.data == 4,
	    "a pipe that holds 4 bytes says so, again and again");
	loop_ignore_read(t->loop, fds[0]);
	c.times = 0;
	trial_settle(t);
	trial_check(t, c.times == 0, "not when it is ignored");
}

static void
end_of_a_pipe(struct trial *t)
{
	struct counter c;
	int fds[2];

	make_pipe(t, fds, &c);
	trial_did(t, loop_watch_read(t->loop, fds[0], &c.src), "EV_ADD");
	close(fds[1]);
	trial_check(t, trial_until(t, &c.times, 1) && c.eof,
	    "a pipe that nobody can write says EOF");
}

static void
writable_pipe(struct trial *t)
{
	struct counter c;
	int fds[2];

	make_pipe(t, fds, &c);
	trial_did(t, loop_watch_write(t->loop, fds[1], &c.src), "EV_ADD");
	trial_check(t, trial_until(t, &c.times, 1), "a pipe with room can be written");
}

static void
ignored_signal(struct trial *t)
{
	struct counter c;

	counter_init(&c);
	signal(SIGHUP, SIG_IGN);
	trial_did(t, loop_watch_signal(t->loop, SIGHUP, &c.src), "EV_ADD");
	trial_did(t, kill(getpid(), SIGHUP), "kill");
	trial_check(t, trial_until(t, &c.times, 1) && c.data > 0,
	    "a signal that is ignored is reported");
	c.times = 0;
	trial_settle(t);
	trial_check(t, c.times == 0, "once");
}

static void
own_sigchld(struct trial *t)
{
	struct counter c;

	counter_init(&c);
	signal(SIGCHLD, SIG_DFL);
	trial_did(t, loop_watch_signal(t->loop, SIGCHLD, &c.src), "EV_ADD");
	trial_did(t, kill(getpid(), SIGCHLD), "kill");
	trial_check(t, trial_until(t, &c.times, 1), "a SIGCHLD to oneself is reported");
}

static void
polling_does_not_wait(struct trial *t)
{
	mono_t begin = mono_now();

	trial_check(t, loop_wait(t->loop, begin) == 0, "polling finds nothing");
	trial_check(t, loop_wait(t->loop, (mono_t){ INT64_MIN }) == 0,
	    "nor with a deadline long past");
}

static void
waiting_is_never_short(struct trial *t)
{
	mono_t end = mono_add(mono_now(), 30 * MONO_MS);
	unsigned turns = 0;

	while (mono_before(mono_now(), end) && turns < 100) {
		trial_check(t, loop_wait(t->loop, end) == 0, "nothing comes");
		turns++;
	}
	trial_check(t, turns <= 3, "a wait of 30 ms is one wait");
}

/* 68 years and more are EINVAL on xnu. */
static void
far_deadline(struct trial *t)
{
	const int64_t century = INT64_C(100) * 365 * 24 * 3600 * MONO_SEC;
	struct counter c;
	int fds[2];

	make_pipe(t, fds, &c);
	trial_did(t, loop_watch_write(t->loop, fds[1], &c.src), "EV_ADD");
	trial_check(t, loop_wait(t->loop, mono_add(mono_now(), century)) == 1,
	    "one can wait for a century");
	trial_check(t, loop_wait(t->loop, MONO_NEVER) == 1, "or for ever");
}

static void
kqueue_is_not_inherited(struct trial *t)
{
	struct knote *file = trial_watch_new(t);
	char status = 'x';
	int fds[2];
	pid_t pid;

	trial_did(t, pipe(fds), "pipe");
	pid = fork();
	if (pid == 0) {
		status = loop_wait(t->loop, mono_now()) == -1 ? 'y' : 'n';
		_exit(write(fds[1], &status, 1) == 1 ? 0 : 1);
	}
	close(fds[1]);
	trial_did(t, pid, "fork");
	trial_did(t, read(fds[0], &status, 1), "read");
	trial_check(t, status == 'y', "a forked child has no kqueue");
	trial_append(t, "file", "more");
	trial_expect(t, file, NOTE_WRITE, NOTE_EXTEND);
}

const struct probe selftest_kqueue[] = {
	{ "no-past", "3.1", EXPECTED, "what was before EV_ADD is not reported",
	    .script = "make file; append file; watch file; file:" },
	{ "two-descriptors", "3.2", REQUIRED,
	    "two descriptors of a file both report, and one goes on when the other is "
	    "closed",
	    .run = two_descriptors_of_a_file },
	{ "bits", "3.2", REQUIRED, "what happens before it is asked adds up",
	    .script =
		"make file; watch file; append file; chmod file 0600; rename file away; "
		"file: WRITE ATTRIB RENAME ?EXTEND" },
	{ "once", "3.3", REQUIRED, "with EV_CLEAR an event comes once",
	    .run = nothing_comes_twice },
	{ "overflow", "3.2", REQUIRED, "20,000 writes to 200 files lose none",
	    .run = nothing_overflows },
	{ "mute", "3.4", REQUIRED, "what happens while a knote is disabled is kept",
	    .run = muting_keeps },
	{ "mute-pending", "3.4", REQUIRED, "so is what happened before",
	    .run = pending_stays_when_muted },
	{ "mute-mask", "3.5", REQUIRED, "what is enabled again reports all that it did",
	    .run = muting_twice_keeps },
	{ "again", "3.5", REQUIRED,
	    "EV_ADD once more keeps what is pending, for whoever was named last",
	    .run = registering_again_replaces },
	{ "close", "3.6", REQUIRED, "closing a descriptor drops what was pending",
	    .run = closing_forgets },
	{ "reuse", "3.6", REQUIRED, "a number that is used again is another file's",
	    .run = number_is_used_again },
	{ "dead", "1.4 3.1", REQUIRED,
	    "EV_ADD of a file that was removed is refused, or silent",
	    .run = dead_file_is_watched_in_vain },
	{ "bad-descriptor", "3.7", REQUIRED, "errors come with the receipt",
	    .run = bad_descriptor_is_refused },
	{ "pipe-vnode", "7.7", EXPECTED, "a pipe is no file", .run = pipe_is_no_file },
	{ "pipe-read", "5.12", REQUIRED, "a pipe that can be read says so until ignored",
	    .run = readable_pipe },
	{ "pipe-end", "5.12", REQUIRED, "so does one at its end", .run = end_of_a_pipe },
	{ "pipe-write", "5.12", REQUIRED, "so does one that can be written",
	    .run = writable_pipe },
	{ "signal-ignored", "5.6", REQUIRED,
	    "a signal is reported although it is ignored", .run = ignored_signal },
	{ "signal-self", "5.7", REQUIRED, "a signal to oneself is reported",
	    .run = own_sigchld },
	{ "wait-poll", "3.10", REQUIRED, "a deadline that is past does not wait",
	    .run = polling_does_not_wait },
	{ "wait-short", "3.10", REQUIRED, "a wait ends at its deadline, not before",
	    .run = waiting_is_never_short },
	{ "wait-far", "8.7", REQUIRED, "a deadline may be a century ahead",
	    .run = far_deadline },
	{ "fork", "3.8", REQUIRED, "a forked child has no kqueue, and ours goes on",
	    .run = kqueue_is_not_inherited },
	{ .id = NULL },
};
