/* SPDX-License-Identifier: MIT */
/*
 * What ran, when and why, for people. Nothing depends on it, so it is never made
 * durable. Lines wait in memory until the daemon has nothing more urgent to do, and
 * while a disk is full.
 */
#include "state/history.h"

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "state/place.h"
#include "base/util.h"
#include "base/fd.h"

#define RETRY_NS (10 * MONO_SEC)

struct history {
	const struct trust *trust;
	char *dir, *path, *old_path;
	struct strv waiting;
	size_t lost; /* lines that did not fit into waiting */
	mono_t retry_at;
	char why[TRUST_WHY_SIZE]; /* the directory may not be used */
	char problem[TRUST_WHY_SIZE + 128];
};

static char *
path_in(const char *dir, bool old)
{
	return xasprintf("%s/history.jsonl%s", dir, old ? ".1" : "");
}

struct history *
history_new(const char *dir, const struct trust *trust)
{
	struct history *h = xcalloc(1, sizeof(*h));

	h->trust = trust;
	h->dir = xstrdup(dir);
	h->path = path_in(dir, false);
	h->old_path = path_in(dir, true);
	h->retry_at = MONO_NEVER;
	return h;
}

void
history_free(struct history *h)
{
	if (h == NULL)
		return;
	strv_clear(&h->waiting);
	free(h->dir);
	free(h->path);
	free(h->old_path);
	free(h);
}

/* A crash may have torn the last line: the next must not be appended to it. */
static bool
end_torn_line(int fd, off_t *size)
{
	char last = '\n';

	if (*size > 0 && pread(fd, &last, 1, *size - 1) == -1)
		return false;
	if (last == '\n')
		return true;
	(*size)++;
	return fd_append(fd, "\n", 1, *size - 1);
}

/*
 * The file, ready for the next line, and its size; -1 with errno, or with why. A file
 * that others may have made is moved away.
 */
static int
open_history(struct history *h, off_t *size)
{
	const int flags = O_RDWR | O_APPEND | O_CREAT;
	struct stat st;
	int fd;

	h->why[0] = '\0';
	if (place_judge(h->trust, h->dir, h->why) == PLACE_BAD)
		return -1;
	h->why[0] = '\0';
	fd = place_open(h->trust, h->path, flags, 0600);
	if (fd == -1 && errno == EPERM) {
		place_set_aside(h->path);
		fd = place_open(h->trust, h->path, flags | O_EXCL, 0600);
	}
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && end_torn_line(fd, &st.st_size)) {
		*size = st.st_size;
		return fd;
	}
	fd_close(&fd);
	return -1;
}

/* Renames the file to .1. A directory of that name is moved away. */
static bool
rotate(const struct history *h)
{
	if (rename(h->path, h->old_path) == 0)
		return true;
	place_set_aside(h->old_path);
	return rename(h->path, h->old_path) == 0;
}

/*
 * Appends the lines that wait, and returns how many could be. The file is opened each
 * time: it may be gone.
 */
static size_t
write_waiting(struct history *h)
{
	off_t size, len;
	size_t done;
	int fd = open_history(h, &size);

	for (done = 0; fd != -1 && done < h->waiting.n; done++) {
		len = (off_t)strlen(h->waiting.v[done]);
		if (size + len > HISTORY_MAX && size > 0 && rotate(h)) {
			close(fd);
			fd = open_history(h, &size);
		}
		if (fd == -1 || !fd_append(fd, h->waiting.v[done], (size_t)len, size))
			break;
		size += len;
	}
	fd_close(&fd);
	return done;
}

/* Frees the first n of the lines that wait. */
static void
drop(struct history *h, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(h->waiting.v[i]);
	h->waiting.n -= n;
	/* With the NULL at their end. */
	if (n > 0)
		memmove(h->waiting.v, h->waiting.v + n,
		    (h->waiting.n + 1) * sizeof(*h->waiting.v));
}

void
history_add(struct history *h, char *line)
{
	if (h->waiting.n == HISTORY_WAITING) {
		drop(h, 1);
		h->lost++;
	}
	strv_push(&h->waiting, line);
}

static void
report_lost(struct history *h)
{
	if (h->lost > 0)
		log_warning(
		    "the history lacks %zu run%s: it could not be written in time",
		    h->lost, h->lost == 1 ? "" : "s");
	h->lost = 0;
}

void
history_write(struct history *h, bool must, mono_t now)
{
	size_t done;

	if (!must && h->problem[0] != '\0' && mono_before(now, h->retry_at))
		return;
	done = h->waiting.n > 0 ? write_waiting(h) : 0;
	h->problem[0] = '\0';
	if (done < h->waiting.n && h->why[0] != '\0')
		snprintf(h->problem, sizeof(h->problem),
		    "the history cannot be written, and nothing in its directory is "
		    "used: %s",
		    h->why);
	else if (done < h->waiting.n)
		snprintf(h->problem, sizeof(h->problem),
		    "the history cannot be written: %s: %s", h->path, strerror(errno));
	else
		report_lost(h);
	h->retry_at = done < h->waiting.n ? mono_add(now, RETRY_NS) : MONO_NEVER;
	drop(h, done);
}

mono_t
history_deadline(const struct history *h)
{
	return h->retry_at;
}

const char *
history_problem(const struct history *h)
{
	return h->problem[0] != '\0' ? h->problem : NULL;
}

static void
read_line(const char *line, size_t len, const char *rule, history_fn *fn, void *arg)
{
	cJSON *o = json_parse(line, len);
	const char *name;

	if (o == NULL)
		return;
	json_make_safe(o);
	name = json_get_string(o, "rule");
	if (name != NULL && (rule == NULL || strcmp(rule, name) == 0))
		fn(arg, o);
	cJSON_Delete(o);
}

static int
read_file(const char *path, const char *rule, history_fn *fn, void *arg)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	FILE *f;
	int fd, status;

	/* A FIFO would keep an open waiting. */
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	f = fdopen(fd, "r");
	if (f == NULL) {
		close(fd);
		return -1;
	}
	while ((len = getline(&line, &size, f)) > 0)
		if (line[len - 1] == '\n')
			read_line(line, (size_t)len - 1, rule, fn, arg);
	status = ferror(f) ? -1 : 0;
	free(line);
	fclose(f);
	return status;
}

int
history_read(const char *dir, const char *rule, history_fn *fn, void *arg)
{
	char *old_path = path_in(dir, true), *path = path_in(dir, false);
	int status = read_file(old_path, rule, fn, arg);

	if (status == 0)
		status = read_file(path, rule, fn, arg);
	free(old_path);
	free(path);
	return status;
}

int
history_read_state(const char *dir, history_fn *fn, void *arg)
{
	char *path = xasprintf("%s/state.jsonl", dir);
	int status = read_file(path, NULL, fn, arg);

	free(path);
	return status;
}
