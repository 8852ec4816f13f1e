/*
 * SPDX-License-Identifier: MIT
 *
 * connect(2) as a BSD has it for local sockets, in a file of its own so that a test
 * can have another. Where the listener's queue is full, Linux waits, or fails with
 * EAGAIN; xnu's unp_connect fails with ECONNREFUSED at once, as where nobody listens.
 */
#define KQUEUE_PLAIN
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

int kqueue_connect(int fd, const struct sockaddr *addr, socklen_t len);

int
kqueue_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	int flags = fcntl(fd, F_GETFL), result, error;

	if (flags == -1 || addr->sa_family != AF_UNIX)
		return connect(fd, addr, len);
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	result = connect(fd, addr, len);
	error = errno == EAGAIN ? ECONNREFUSED : errno;
	fcntl(fd, F_SETFL, flags);
	errno = error;
	return result;
}
