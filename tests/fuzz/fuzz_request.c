/* SPDX-License-Identifier: MIT */
/*
 * Any bytes from a client of the socket: it gets one line of JSON or nothing, is
 * let go, and the next one is served.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cJSON.h>

#include "serve/control.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct loop *loop;
static struct control *control;
static char path[64];

static void
answer(void *arg, const cJSON *request, struct control_reply *reply)
{
	(void)arg;
	control_reply_text(reply, json_line(request));
}

static void
clean_up(void)
{
	control_free(control);
	loop_free(loop);
}

static void
set_up(void)
{
	char why[256];

	json_init();
	signal(SIGPIPE, SIG_IGN);
	snprintf(path, sizeof(path), "/tmp/fuzz_request.%ld", (long)getpid());
	loop = loop_new();
	control = control_new(loop, path, answer, NULL, why, sizeof(why));
	if (loop == NULL || control == NULL)
		abort();
	atexit(clean_up);
}

static int
connect_client(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(a.sun_path, path, sizeof(path));
	if (fd == -1 || connect(fd, (struct sockaddr *)&a, sizeof(a)) == -1)
		abort();
	return fd;
}

/* Turns the loop until the client is let go; its reply, which may be empty. */
static void
receive(int fd, struct buf *reply)
{
	char piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n > 0)
			buf_add(reply, piece, (size_t)n);
		else if (errno == ECONNRESET)
			break;
		else if (loop_wait(loop, MONO_NEVER) == -1)
			abort();
	}
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf reply = { NULL, 0, 0 };
	cJSON *o;
	int fd;

	if (control == NULL)
		set_up();
	fd = connect_client();
	/* More than the socket holds is more than a request may be. */
	if (size > 0 && write(fd, data, size) == -1 && errno != EAGAIN)
		abort();
	shutdown(fd, SHUT_WR);
	receive(fd, &reply);
	if (reply.len > 0) {
		o = json_parse(reply.p, reply.len - 1);
		if (reply.p[reply.len - 1] != '\n' || !cJSON_IsObject(o))
			abort();
		cJSON_Delete(o);
	}
	buf_clear(&reply);
	return 0;
}
