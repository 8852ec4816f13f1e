/* SPDX-License-Identifier: MIT */
/*
 * The newest result of `selftest`, beside the state of the daemon. Root writes
 * there, so the directory is judged as the daemon judges it.
 */
#include "cmd/selftest_kept.h"

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/fd.h"
#include "state/place.h"

#define RESULT_MAX ((size_t)1024 * 1024)

static char *
name_in(const char *state, const char *suffix)
{
	return xasprintf("%s/selftest.json%s", state, suffix);
}

/* Whole or not at all. False with errno. */
static bool
replace(const struct trust *t, const char *path, const char *next, const char *text)
{
	int fd = place_open(t, next, O_WRONLY | O_CREAT | O_TRUNC, 0600), error;
	bool ok;

	if (fd == -1)
		return false;
	ok = fd_append(fd, text, strlen(text), 0) && rename(next, path) == 0;
	error = errno;
	close(fd);
	if (!ok)
		unlink(next);
	errno = error;
	return ok;
}

bool
selftest_keep(
    const struct trust *t, const char *state, const char *text, char why[TRUST_WHY_SIZE])
{
	char *path, *next;
	bool ok;

	switch (place_judge(t, state, why)) {
	case PLACE_GOOD:
		break;
	case PLACE_ABSENT:
		snprintf(why, TRUST_WHY_SIZE, "%s: there is none", state);
		return false;
	case PLACE_LOOSE:
		snprintf(why, TRUST_WHY_SIZE, "%s: its mode is not 0700", state);
		return false;
	default:
		return false;
	}
	path = name_in(state, "");
	next = name_in(state, ".next");
	ok = replace(t, path, next, text);
	if (!ok)
		snprintf(why, TRUST_WHY_SIZE, "%s: %s", path, strerror(errno));
	free(next);
	free(path);
	return ok;
}

static cJSON *
read_result(const char *state, bool *hidden)
{
	char *path = name_in(state, "");
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct buf text = { NULL, 0, 0 };
	cJSON *o = NULL;

	*hidden = fd == -1 && errno != ENOENT;
	if (fd != -1 && fd_read_all(fd, &text, RESULT_MAX) == 0 && text.len > 0)
		o = json_parse(text.p, text.len);
	fd_close(&fd);
	buf_clear(&text);
	free(path);
	return o;
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
	cJSON_ArrayForEach(p, json_get(o, "probes")) {
		char *id = json_get_text(p, "id");

		if (id != NULL && strcmp(json_string_of(p, "level"), "required") == 0 &&
		    strcmp(json_string_of(p, "result"), "failed") == 0)
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
