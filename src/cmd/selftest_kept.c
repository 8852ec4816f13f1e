/* SPDX-License-Identifier: MIT */
/*
 * The newest result of `selftest`, beside the state of the daemon. Root writes
 * there, so the directory must be its own.
 */
#include "cmd/selftest_kept.h"

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"

#define RESULT_MAX ((size_t)1024 * 1024)

static char *
name_in(const char *state, const char *suffix)
{
	return xasprintf("%s/selftest.json%s", state, suffix);
}

/* Is it this user's directory, where nobody else writes? */
static bool
is_own(const char *state, char **why)
{
	struct stat st;

	if (lstat(state, &st) == -1) {
		*why = xasprintf("%s: %s", state, strerror(errno));
		return false;
	}
	if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 022) == 0)
		return true;
	*why = xasprintf("%s: not a directory of this user alone", state);
	return false;
}

bool
selftest_keep(const char *state, const char *text, char **why)
{
	char *path, *next;
	bool ok = false;
	int fd;

	if (!is_own(state, why))
		return false;
	path = name_in(state, "");
	next = name_in(state, ".next");
	unlink(next);
	fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd != -1) {
		ok = fd_append(fd, text, strlen(text), 0) && rename(next, path) == 0;
		close(fd);
	}
	if (!ok) {
		*why = xasprintf("%s: %s", path, strerror(errno));
		unlink(next);
	}
	free(next);
	free(path);
	return ok;
}

static cJSON *
read_result(const char *state, bool *hidden)
{
	char *path = name_in(state, ""), *text = xmalloc(RESULT_MAX);
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;
	cJSON *o;

	*hidden = fd == -1 && errno != ENOENT;
	n = fd != -1 ? read(fd, text, RESULT_MAX) : -1;
	o = n > 0 ? json_parse(text, (size_t)n) : NULL;

	if (fd != -1)
		close(fd);
	free(text);
	free(path);
	return o;
}

static bool
is_text(const cJSON *o, const char *key, const char *text)
{
	const char *s = json_get_string(o, key);

	return s != NULL && strcmp(s, text) == 0;
}

bool
selftest_read_kept(const char *state, struct selftest_kept *out)
{
	bool hidden;
	cJSON *o = read_result(state, &hidden);
	const cJSON *p;

	*out = (struct selftest_kept){ .system = NULL };
	if (o == NULL)
		return !hidden;
	out->system = json_get_text(o, "system");
	cJSON_ArrayForEach(p, cJSON_GetObjectItemCaseSensitive(o, "probes")) {
		char *id = json_get_text(p, "id");

		if (id != NULL && is_text(p, "level", "required") &&
		    is_text(p, "result", "failed"))
			strv_push(&out->failed, id);
		else
			free(id);
	}
	cJSON_Delete(o);
	return true;
}

void
selftest_kept_clear(struct selftest_kept *k)
{
	free(k->system);
	strv_clear(&k->failed);
}
