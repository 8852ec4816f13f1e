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
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json.h"
#include "base/local.h"
#include "base/spelling.h"
#include "base/util.h"

#define PATIENCE_MS 1000 /* with a daemon that has as many clients as can wait */

static void fail(struct ask_error *e, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
fail(struct ask_error *e, int status, const char *fmt, ...)
{
	va_list ap;

	e->status = status;
	e->refused = false;
	va_start(ap, fmt);
	vsnprintf(e->why, sizeof(e->why), fmt, ap);
	va_end(ap);
}

static void
no_connection(struct ask_error *e, const char *path, int error)
{
	if (error == EACCES || error == EPERM)
		fail(e, EX_NOPERM, "%s: %s (try sudo)", path, strerror(error));
	else if (error == EAGAIN)
		fail(e, EXIT_FAILURE, "%s: the daemon does not answer", path);
	else if (error == ENOENT || error == ECONNREFUSED)
		fail(e, EX_UNAVAILABLE, "the daemon is not running (%s: %s)", path,
		    strerror(error));
	else
		fail(e, EXIT_FAILURE, "%s: %s", path, strerror(error));
}

/* Every call on it gives up after so many seconds, with EAGAIN; 0: never. */
static int
connect_to(const char *path, unsigned seconds, struct ask_error *e)
{
	const struct timeval t = { .tv_sec = (time_t)seconds };
	struct sockaddr_un a;
	char why[sizeof(e->why)];
	int fd;

	if (!local_address(&a, path, why, sizeof(why))) {
		fail(e, EXIT_FAILURE, "%s", why);
		return -1;
	}
	fd = local_connect(&a, PATIENCE_MS);
	if (fd == -1) {
		no_connection(e, path, errno);
	} else if (seconds != 0) {
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	}
	return fd;
}

/* 0, or the errno of what kept it from the end of the reply. */
static int
receive_all(int fd, struct buf *reply)
{
	char piece[65536];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0 || (n == -1 && errno == EINTR))
		if (n > 0)
			buf_add(reply, piece, (size_t)n);
	return n == -1 ? errno : 0;
}

static char *
ask_text(const char *path, cJSON *request, unsigned seconds, struct ask_error *e)
{
	struct buf reply = { NULL, 0, 0 };
	char *line = json_line(request);
	int fd = connect_to(path, seconds, e), error = 0;

	cJSON_Delete(request);
	if (fd != -1) {
		if (fd_write_all(fd, line, strlen(line)) == strlen(line))
			error = receive_all(fd, &reply);
		close(fd);
		if (error == EAGAIN) {
			no_connection(e, path, error);
			buf_clear(&reply);
		} else if (reply.len == 0) {
			fail(e, EXIT_FAILURE, "%s: the daemon gave no answer", path);
		}
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
		fail(e, EXIT_FAILURE, "the daemon's answer was cut off");
		return NULL;
	}
	json_make_safe(o);
	error = json_get_string(o, "error");
	if (error == NULL)
		return o;
	fail(e, EXIT_FAILURE, "%s", error);
	e->refused = true;
	cJSON_Delete(o);
	return NULL;
}

cJSON *
ask_within(const char *path, cJSON *request, unsigned seconds, struct ask_error *e)
{
	char *text = ask_text(path, request, seconds, e);
	cJSON *reply = text != NULL ? parse(text, e) : NULL;

	free(text);
	return reply;
}

cJSON *
ask(const char *path, cJSON *request, struct ask_error *e)
{
	return ask_within(path, request, 0, e);
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
ask_rules(const char *path, struct spelling *meant)
{
	struct ask_error error;
	cJSON *status = ask(path, ask_request("status", NULL), &error);
	const cJSON *rule;
	const char *name;

	if (status == NULL)
		return false;
	cJSON_ArrayForEach(rule, cJSON_GetObjectItemCaseSensitive(status, "rules")) {
		name = json_get_string(rule, "name");
		if (name != NULL)
			spelling_try(meant, name);
	}
	cJSON_Delete(status);
	return true;
}
