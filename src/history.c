/* SPDX-License-Identifier: MIT */
/*
 * What ran, when and why: for people, and nothing depends on it. So it is never
 * made durable, and a line that cannot be written is a line less.
 */
#include "history.h"

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"
#include "util.h"

struct history {
	char *path, *old_path;
};

static char *
path_in(const char *dir, bool old)
{
	return xasprintf("%s/history.jsonl%s", dir, old ? ".1" : "");
}

struct history *
history_new(const char *dir)
{
	struct history *h = xcalloc(1, sizeof(*h));

	h->path = path_in(dir, false);
	h->old_path = path_in(dir, true);
	return h;
}

void
history_free(struct history *h)
{
	if (h == NULL)
		return;
	free(h->path);
	free(h->old_path);
	free(h);
}

/* -1 with errno; what is no file is not written to, as that could block. */
static int
open_history(const char *path, struct stat *st)
{
	int fd = open(path,
	    O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd == -1)
		return -1;
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

static bool
append(int fd, const char *line, size_t len)
{
	ssize_t n = write(fd, line, len);

	if (n >= 0 && n < (ssize_t)len)
		errno = ENOSPC;
	return n == (ssize_t)len;
}

/* A crash may have torn the last line: it must not take the next one with it. */
static bool
end_torn_line(int fd, off_t size)
{
	char last = '\n';

	if (size > 0 && pread(fd, &last, 1, size - 1) == -1)
		return false;
	return last == '\n' || append(fd, "\n", 1);
}

/* Opened anew for every line: runs are rare, and the file may be gone. */
bool
history_add(struct history *h, const char *line)
{
	size_t len = strlen(line);
	struct stat st;
	bool ok;
	int fd = open_history(h->path, &st), saved;

	if (fd == -1)
		return false;
	if (st.st_size + (off_t)len > HISTORY_MAX && st.st_size > 0 &&
	    rename(h->path, h->old_path) == 0) {
		close(fd);
		return history_add(h, line);
	}
	ok = end_torn_line(fd, st.st_size) && append(fd, line, len);
	saved = errno;
	close(fd);
	errno = saved;
	return ok;
}

static void
read_line(const char *line, size_t len, const char *rule, history_fn *fn, void *arg)
{
	cJSON *o = json_parse(line, len);
	const char *name;

	if (o == NULL)
		return;
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
	FILE *f = NULL;
	int fd, status;

	/* A FIFO would keep an open waiting. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1 || (f = fdopen(fd, "r")) == NULL)
		return errno == ENOENT ? 0 : -1;
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
