/*
 * SPDX-License-Identifier: MIT
 *
 * libc functions that macOS has and glibc lacks, and the close() that the
 * unistd.h beside this file puts in place of the system's.
 */
#define KQUEUE_PLAIN_CLOSE
#include "compat.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <unistd.h>

void (*kqueue_close_hook)(int fd);

#if !defined(__GLIBC__) || !__GLIBC_PREREQ(2, 38)
size_t
strlcpy(char *restrict dst, const char *restrict src, size_t size)
{
	size_t len = strlen(src);

	if (size > 0) {
		size_t n = len < size ? len : size - 1;

		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return len;
}

size_t
strlcat(char *restrict dst, const char *restrict src, size_t size)
{
	size_t used = strnlen(dst, size);

	return used + strlcpy(dst + used, src, size - used);
}
#endif

int
getpeereid(int fd, uid_t *uid, gid_t *gid)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return -1;
	*uid = peer.uid;
	*gid = peer.gid;
	return 0;
}

int
issetugid(void)
{
	return getauxval(AT_SECURE) != 0;
}

int
kqueue_close(int fd)
{
	if (kqueue_close_hook != NULL)
		kqueue_close_hook(fd);
	return close(fd);
}
