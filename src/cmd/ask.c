/* SPDX-License-Identifier: MIT */
/*
 * The other end of the socket: one request, one reply. Nothing is printed here;
 * what cannot be had is a sentence for the caller.
 */
#include "cmd/ask.h"

#include <cJSON.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json.h"
#include "base/local.h"
#include "base/options.h"
#include "base/spelling.h"
#include "base/util.h"
#include "base/fd.h"
#include "trust/trust.h"

/* A daemon that says nothing for so long does not answer. */
#define PATIENCE_SEC 60
/* Ten times what 10,000 rules have to say. */
#define REPLY_MAX ((size_t)128 * 1024 * 1024)

#define PATIENCE_MS 1000 /* with a daemon that has as many clients as can wait */

static void fail(struct ask_error *e, enum ask_failure failure, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
fail(struct ask_error *e, enum ask_failure failure, const char *fmt, ...)
{
	va_list ap;

	e->failure = failure;
	va_start(ap, fmt);
	vsnprintf(e->why, sizeof(e->why), fmt, ap);
	va_end(ap);
}

int
ask_status(const struct ask_error *e)
{
	if (e->failure == ASK_DENIED)
		return EX_NOPERM;
	return e->failure >= ASK_ABSENT ? EX_UNAVAILABLE : EXIT_FAILURE;
}

/*
 * Nobody listens: because the daemon keeps away from a place where others could
 * stand in for it?
 */
static bool
is_misplaced(const struct options *o, char why[TRUST_WHY_SIZE])
{
	const struct trust trust = { .root = o->root, .owner = geteuid() };
	char *dir = path_parent(o->socket);
	struct stat st;
	bool bad;

	bad = stat(dir, &st) == 0 && !trust_directory(&trust, dir, why);
	free(dir);
	return bad;
}

static void
no_connection(struct ask_error *e, const struct options *o, int error)
{
	const char *path = o->socket;
	char why[TRUST_WHY_SIZE];

	if (error == EACCES || error == EPERM)
		fail(e, ASK_DENIED, "%s: %s (try sudo)", path, strerror(error));
	else if (error == EAGAIN)
		fail(e, ASK_BROKEN, "%s: the daemon does not answer", path);
	else if (error != ENOENT && error != ECONNREFUSED)
		fail(e, ASK_BROKEN, "%s: %s", path, strerror(error));
	else if (!is_misplaced(o, why))
		fail(e, ASK_ABSENT, "the daemon is not running (%s: %s)", path,
		    strerror(error));
	else
		fail(e, ASK_MISPLACED,
		    "the daemon listens in no directory that others control: %s", why);
}

/* Is the directory of the socket that user's own? */
static bool
is_at_home(const char *path, uid_t uid)
{
	char *dir = path_parent(path);
	struct stat st;
	bool own;

	own = lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == uid &&
	      (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
	free(dir);
	return own;
}

/* Whoever listens there can have the command say anything. */
static bool
is_believed(int fd, const char *path, enum ask_whom whom, struct ask_error *e)
{
	uid_t uid;
	gid_t gid;

	if (getpeereid(fd, &uid, &gid) == -1)
		fail(e, ASK_BROKEN, "%s: %s", path, strerror(errno));
	else if (uid == 0 || uid == geteuid() ||
		 (whom == ASK_ANYBODY && is_at_home(path, uid)))
		return true;
	else
		fail(e, ASK_BROKEN,
		    "%s: a process of uid %u listens there, not of root: what it says is "
		    "not shown",
		    path, (unsigned)uid);
	return false;
}

/* Every call on it gives up after so many seconds, with EAGAIN. */
static int
connect_to(
    const struct options *o, enum ask_whom whom, unsigned seconds, struct ask_error *e)
{
	const struct timeval t = { .tv_sec = (time_t)seconds };
	struct sockaddr_un a;
	char why[sizeof(e->why)];
	int fd;

	if (!local_address(&a, o->socket, why, sizeof(why))) {
		fail(e, ASK_BROKEN, "%s", why);
		return -1;
	}
	fd = local_connect(&a, PATIENCE_MS);
	if (fd == -1) {
		no_connection(e, o, errno);
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	if (is_believed(fd, o->socket, whom, e))
		return fd;
	close(fd);
	return -1;
}

/* 0, or the errno of what kept it from the end of the reply. EFBIG: it has none. */
static int
receive_all(int fd, struct buf *reply)
{
	char piece[65536];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0 || (n == -1 && errno == EINTR))
		if (n > 0) {
			buf_add(reply, piece, (size_t)n);
			if (reply->len > REPLY_MAX)
				return EFBIG;
		}
	return n == -1 ? errno : 0;
}

static char *
ask_text(const struct options *o, cJSON *request, enum ask_whom whom, unsigned seconds,
    struct ask_error *e)
{
	struct buf reply = { NULL, 0, 0 };
	char *line = json_line(request);
	int fd = connect_to(o, whom, seconds, e), error = 0;

	cJSON_Delete(request);
	if (fd != -1) {
		if (fd_write_all(fd, line, strlen(line)) == strlen(line))
			error = receive_all(fd, &reply);
		close(fd);
		if (error == EAGAIN)
			no_connection(e, o, error);
		else if (error == EFBIG)
			fail(e, ASK_BROKEN, "%s: the answer has no end", o->socket);
		else if (reply.len == 0)
			fail(e, ASK_BROKEN, "%s: the daemon gave no answer", o->socket);
		if (error == EAGAIN || error == EFBIG)
			buf_clear(&reply);
	}
	free(line);
	return reply.p;
}

static cJSON *
parse(const char *text, struct ask_error *e)
{
	cJSON *o = json_parse(text, strlen(text));
	const char *error;

	if (o == NULL) {
		fail(e, ASK_BROKEN, "the daemon's answer was cut off");
		return NULL;
	}
	json_make_safe(o);
	error = json_get_string(o, "error");
	if (error == NULL)
		return o;
	fail(e, ASK_REFUSED, "%s", error);
	cJSON_Delete(o);
	return NULL;
}

cJSON *
ask_whom(const struct options *o, cJSON *request, enum ask_whom whom, unsigned seconds,
    struct ask_error *e)
{
	char *text = ask_text(o, request, whom, seconds, e);
	cJSON *reply = text != NULL ? parse(text, e) : NULL;

	free(text);
	return reply;
}

cJSON *
ask(const struct options *o, cJSON *request, struct ask_error *e)
{
	return ask_whom(o, request, ASK_ROOT, PATIENCE_SEC, e);
}

cJSON *
ask_request(const char *command, const char *rule)
{
	cJSON *o = cJSON_CreateObject();

	json_add_text(o, "command", command);
	if (rule != NULL)
		json_add_text(o, "rule", rule);
	return o;
}

bool
ask_rules(const struct options *o, struct spelling *meant)
{
	struct ask_error error;
	cJSON *status = ask(o, ask_request("status", NULL), &error);
	const cJSON *rule;
	const char *name;

	if (status == NULL)
		return false;
	cJSON_ArrayForEach(rule, json_get(status, "rules")) {
		name = json_get_string(rule, "name");
		if (name != NULL)
			spelling_try(meant, name);
	}
	cJSON_Delete(status);
	return true;
}
