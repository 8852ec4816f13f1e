/* SPDX-License-Identifier: MIT */
/*
 * The daemon's log: levels, one buffer and one file. No error of the file ends or
 * blocks the daemon. The one idea: lines wait in memory until the daemon has nothing
 * more urgent to do.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "base/fd.h"
#include "base/number.h"
#include "base/visible.h"

#define HELD_MAX (64 * 1024)
#define FILE_MAX (5 * 1024 * 1024)

static struct {
	enum log_level max;
	log_sink_fn *sink;
	struct buf held;
	char *path;
	int fd;
	dev_t dev;
	ino_t ino;
	off_t size;
	int failing;       /* errno of what keeps held from being written; 0: nothing */
	size_t shown;      /* bytes of held that stderr has already */
	bool torn;         /* what was written last ends within a line */
	size_t dropped;    /* lines before held that were too many to keep */
	struct heap noisy; /* rules with lines missing, by when that is logged */
} out = { .max = LOG_LEVEL_INFO, .fd = -1 };

static const char *const level_names[] = { "error", "warning", "info", "debug" };

static void
hold(const char *what, const char *text, size_t len)
{
	char now[TIME_TEXT_SIZE];

	format_time(now, realtime_ns());
	buf_addf(&out.held, "%s %s: ", now, what);
	buf_addvis(&out.held, text, len);
	buf_add(&out.held, "\n", 1);
}

static void
flush_if_full(void)
{
	if (out.held.len >= HELD_MAX)
		log_flush();
}

static void
log_line(enum log_level level, const char *fmt, va_list ap)
{
	int saved = errno;
	struct buf visible = { NULL, 0, 0 };
	char *text;

	if (level <= out.max) {
		text = xvasprintf(fmt, ap);
		hold(level_names[level], text, strlen(text));
		flush_if_full();
		if (out.sink != NULL) {
			buf_addvis(&visible, text, strlen(text));
			out.sink(level, visible.p != NULL ? visible.p : "");
			buf_clear(&visible);
		}
		free(text);
	}
	errno = saved;
}

void
log_at(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(level, fmt, ap);
	va_end(ap);
}

#define LOG_FUNCTION(name, level)               \
	void name(const char *fmt, ...)         \
	{                                       \
		va_list ap;                     \
                                                \
		va_start(ap, fmt);              \
		log_line(level, fmt, ap);       \
		va_end(ap);                     \
		if ((level) == LOG_LEVEL_ERROR) \
			log_flush();            \
	}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)

void
log_rule_init(struct log_rule *r, const char *name)
{
	*r = (struct log_rule){ .name = name };
	r->until = r->hour_ends = (mono_t){ INT64_MIN };
}

static void
log_missing(struct log_rule *r)
{
	heap_remove(&out.noisy, &r->noisy);
	if (r->missing > 0)
		log_info("%s: %u more line%s not logged: in %d s there is room for %u",
		    r->name, r->missing, r->missing == 1 ? " was" : "s were",
		    (int)(LOG_RULE_NS / MONO_SEC), LOG_RULE_LINES);
	r->missing = 0;
}

void
log_rule_clear(struct log_rule *r)
{
	log_missing(r);
}

void
log_due(mono_t now)
{
	struct heap_node *n;

	while (!mono_before(now, heap_next(&out.noisy))) {
		n = heap_first(&out.noisy);
		log_missing(CONTAINER_OF(n, struct log_rule, noisy));
	}
}

mono_t
log_deadline(void)
{
	return heap_next(&out.noisy);
}

/* May the rule log one more line? */
static bool
has_room(struct log_rule *r)
{
	mono_t now = mono_now();

	if (!mono_before(now, r->until)) {
		log_missing(r);
		r->until = mono_add(now, LOG_RULE_NS);
		r->lines = 0;
	}
	if (r->lines < LOG_RULE_LINES) {
		r->lines++;
		return true;
	}
	if (r->missing++ == 0)
		heap_put(&out.noisy, &r->noisy, r->until);
	return false;
}

void
log_rule_at(struct log_rule *r, enum log_level level, const char *fmt, ...)
{
	int saved = errno;
	size_t len;
	char *text;
	va_list ap;

	if (level > out.max || !has_room(r))
		return;
	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	len = strlen(text);
	if (len > LOG_LINE_MAX)
		log_at(level, "%.*s… and %zu bytes more", LOG_LINE_MAX, text,
		    len - LOG_LINE_MAX);
	else
		log_at(level, "%s", text);
	free(text);
	errno = saved;
}

void
log_rule_run(struct log_rule *r)
{
	mono_t now = mono_now();

	if (!mono_before(now, r->hour_ends)) {
		r->hour_ends = mono_add(now, 3600 * MONO_SEC);
		r->hour_room = LOG_HOUR_MAX;
	}
	r->run_room = r->hour_room < LOG_RUN_MAX ? r->hour_room : LOG_RUN_MAX;
}

static void
hold_output(const struct log_rule *r, const char *text, size_t len)
{
	char what[80];

	snprintf(what, sizeof(what), "output: %s", r->name);
	hold(what, text, len);
}

bool
log_output(struct log_rule *r, const char *line, size_t len)
{
	int saved = errno;
	size_t before = out.held.len, cost;
	bool fits;

	if (out.max < LOG_LEVEL_INFO)
		return true;
	hold_output(r, line, len);
	cost = out.held.len - before;
	fits = cost <= r->run_room;
	if (!fits) {
		out.held.len = before;
		out.held.p[before] = '\0';
		r->run_room = 0;
	} else {
		r->run_room -= cost;
		r->hour_room -= cost;
		flush_if_full();
	}
	errno = saved;
	return fits;
}

void
log_output_missing(struct log_rule *r, uint64_t bytes)
{
	int saved = errno;
	char text[80];

	snprintf(text, sizeof(text), "… %" PRIu64 " bytes of output not logged", bytes);
	if (out.max >= LOG_LEVEL_INFO)
		hold_output(r, text, strlen(text));
	flush_if_full();
	errno = saved;
}

void
log_set_level(enum log_level max)
{
	out.max = max;
}

void
log_set_sink(log_sink_fn *fn)
{
	out.sink = fn;
}

/* Opens the log for appending and notes which file it is. */
static int
open_file(const char *path)
{
	struct stat st;
	int fd;

	fd = open(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	out.fd = fd;
	out.dev = st.st_dev;
	out.ino = st.st_ino;
	out.size = st.st_size;
	return 0;
}

int
log_open(const char *path)
{
	int old = out.fd;
	char *copy;

	log_flush();
	if (open_file(path) == -1)
		return -1;
	if (old != -1)
		close(old);
	copy = xstrdup(path);
	free(out.path);
	out.path = copy;
	return 0;
}

static void
rotate(void)
{
	char *from, *to;
	int i;

	for (i = LOG_KEEP; i > 0; i--) {
		from = i > 1 ? xasprintf("%s.%d", out.path, i - 1) : xstrdup(out.path);
		to = xasprintf("%s.%d", out.path, i);
		rename(from, to);
		free(from);
		free(to);
	}
}

/* Opens the file again where it was removed or renamed, and rotates a full one. */
static void
refresh_file(size_t coming)
{
	struct stat st;

	if (out.path == NULL)
		return;
	if (out.fd != -1 && lstat(out.path, &st) == 0 && st.st_dev == out.dev &&
	    st.st_ino == out.ino) {
		out.size = st.st_size;
		if (out.size == 0 || out.size + (off_t)coming <= FILE_MAX)
			return;
		rotate();
	}
	if (out.fd != -1)
		close(out.fd);
	out.fd = -1;
	if (open_file(out.path) == -1)
		out.failing = errno;
}

/* Cuts off what was written of a torn line. False: that cannot be done. */
static bool
cut_torn(int fd, size_t len)
{
	struct stat st;

	return out.path != NULL && fstat(fd, &st) == 0 &&
	       ftruncate(fd, st.st_size - (off_t)len) == 0;
}

/* How much was written: whole lines, unless the rest of one could not be cut off. */
static size_t
write_lines(const char *p, size_t len)
{
	int fd = out.path != NULL ? out.fd : STDERR_FILENO;
	size_t done, whole;

	if (fd == -1)
		return 0;
	done = whole = fd_write_all(fd, p, len);
	out.failing = done < len ? errno : 0;
	while (whole > 0 && p[whole - 1] != '\n')
		whole--;
	if (whole < done && cut_torn(fd, done - whole))
		done = whole;
	if (done > 0)
		out.torn = p[done - 1] != '\n';
	return done;
}

/* Reports in their place how many lines were dropped. */
static bool
write_gap(void)
{
	struct buf line = { NULL, 0, 0 };
	char now[TIME_TEXT_SIZE];
	bool ok;

	if (out.dropped == 0)
		return true;
	format_time(now, realtime_ns());
	buf_addf(&line, "%s%s warning: %zu line%s missing here\n", out.torn ? "\n" : "",
	    now, out.dropped, out.dropped == 1 ? " is" : "s are");
	ok = write_lines(line.p, line.len) == line.len;
	buf_clear(&line);
	if (ok)
		out.dropped = 0;
	return ok;
}

static void
forget(size_t len)
{
	out.held.len -= len;
	memmove(out.held.p, out.held.p + len, out.held.len);
	out.shown -= len < out.shown ? len : out.shown;
}

/* The latest lines wait until they can be written; stderr gets them at once. */
static void
keep_for_later(void)
{
	size_t len = 0;

	if (out.path != NULL)
		fd_write_all(
		    STDERR_FILENO, out.held.p + out.shown, out.held.len - out.shown);
	out.shown = out.held.len;
	while (out.held.len - len > HELD_MAX / 2) {
		while (out.held.p[len++] != '\n')
			continue;
		out.dropped++;
	}
	forget(len);
}

void
log_flush(void)
{
	int saved = errno;

	if (out.held.len == 0 && out.dropped == 0)
		return;
	refresh_file(out.held.len);
	if (write_gap())
		forget(write_lines(out.held.p, out.held.len));
	if (out.held.len > 0)
		keep_for_later();
	errno = saved;
}

int
log_failing(void)
{
	return out.failing;
}

void
log_close(void)
{
	log_flush();
	if (out.fd != -1)
		close(out.fd);
	out.fd = -1;
	free(out.path);
	out.path = NULL;
	out.failing = 0;
	out.torn = false;
	out.shown = out.dropped = 0;
	buf_clear(&out.held);
}
