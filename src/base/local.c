/* SPDX-License-Identifier: MIT */
/*
 * Sockets that are files: their addresses, and getting through to one. Nothing
 * here knows what is sent over them.
 */
#include "base/local.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "base/fd.h"

#define PAUSE_MS 20

bool
local_address(struct sockaddr_un *a, const char *path, char *why, size_t size)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) < sizeof(a->sun_path)) {
		memcpy(a->sun_path, path, strlen(path) + 1);
		return true;
	}
	snprintf(why, size,
	    "%s: a socket's path may have %zu bytes at most (see --socket)", path,
	    sizeof(a->sun_path) - 1);
	return false;
}

static int
try_connect(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd != -1 && (fd_prepare(fd, false) == -1 ||
			    connect(fd, (const struct sockaddr *)a, sizeof(*a)) == -1))
		fd_close(&fd);
	return fd;
}

int
local_connect(const struct sockaddr_un *a, unsigned patience_ms)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	unsigned waited;
	int fd = try_connect(a);

	for (waited = 0; fd == -1 && errno == ECONNREFUSED && waited < patience_ms;
	     waited += PAUSE_MS) {
		nanosleep(&pause, NULL);
		fd = try_connect(a);
	}
	return fd;
}
