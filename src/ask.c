/* SPDX-License-Identifier: MIT */
/*
 * The other end of the socket: one request, one reply. What cannot be had is said
 * on stderr, with the exit status that it means.
 */
#include "ask.h"

#include <cJSON.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "json.h"
#include "util.h"

/* Why the socket cannot be connected to, and the exit status that says so. */
static int
no_daemon(const char *path, int error)
{
	if (error == EACCES || error == EPERM) {
		fprintf(stderr, "watchpathd: %s: %s (try sudo)\n", path, strerror(error));
		return EX_NOPERM;
	}
	if (error == ENOENT || error == ECONNREFUSED) {
		fprintf(stderr, "watchpathd: the daemon is not running (%s: %s)\n", path,
		    strerror(error));
		return EX_UNAVAILABLE;
	}
	fprintf(stderr, "watchpathd: %s: %s\n", path, strerror(error));
	return EXIT_FAILURE;
}

/* A connection, or -1 with the exit status in *status. */
static int
connect_to(const char *path, int *status)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(a.sun_path)) {
		fprintf(stderr,
		    "watchpathd: %s: a socket's path may have %zu bytes at most (see "
		    "--socket)\n",
		    path, sizeof(a.sun_path) - 1);
		*status = EXIT_FAILURE;
		return -1;
	}
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd != -1 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	*status = no_daemon(path, errno);
	if (fd != -1)
		close(fd);
	return -1;
}

static bool
send_all(int fd, const char *p, size_t len)
{
	ssize_t n;

	for (; len > 0; p += n, len -= (size_t)n) {
		n = write(fd, p, len);
		if (n == -1 && errno == EINTR)
			n = 0;
		if (n == -1)
			return false;
	}
	return true;
}

static void
receive_all(int fd, struct buf *reply)
{
	char piece[65536];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0 || (n == -1 && errno == EINTR))
		if (n > 0)
			buf_add(reply, piece, (size_t)n);
}

char *
ask_text(const char *socket_path, cJSON *request, int *status)
{
	struct buf reply = { NULL, 0, 0 };
	int fd = connect_to(socket_path, status);
	char *line;

	line = json_line(request);
	cJSON_Delete(request);
	if (fd != -1) {
		if (send_all(fd, line, strlen(line)))
			receive_all(fd, &reply);
		close(fd);
		if (reply.len == 0) {
			fprintf(stderr, "watchpathd: %s: the daemon gave no answer\n",
			    socket_path);
			*status = EXIT_FAILURE;
		}
	}
	free(line);
	return reply.p;
}

cJSON *
ask_parse(const char *text, int *status)
{
	cJSON *o = json_parse(text, strlen(text));
	const char *error;

	if (o == NULL) {
		fprintf(stderr, "watchpathd: the daemon's answer was cut off\n");
		*status = EXIT_FAILURE;
		return NULL;
	}
	error = json_get_string(o, "error");
	if (error == NULL)
		return o;
	fprintf(stderr, "watchpathd: %s\n", error);
	cJSON_Delete(o);
	*status = EXIT_FAILURE;
	return NULL;
}

cJSON *
ask(const char *socket_path, cJSON *request, int *status)
{
	char *text = ask_text(socket_path, request, status);
	cJSON *reply = text != NULL ? ask_parse(text, status) : NULL;

	free(text);
	return reply;
}
