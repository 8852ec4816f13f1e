/*
 * SPDX-License-Identifier: MIT
 *
 * libc functions that macOS has and glibc lacks, and those that the headers beside
 * this file put in place of glibc's because macOS's behave otherwise.
 */
#define KQUEUE_PLAIN
#include "compat.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <unistd.h>

#define DARWIN_OPEN_MAX 10240

int kqueue_close(int fd);
int kqueue_spawn_adddup2(posix_spawn_file_actions_t *fa, int fd, int to);

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

/* A BSD kernel drops the knotes of a descriptor that is closed. */
int
kqueue_close(int fd)
{
	if (kqueue_close_hook != NULL)
		kqueue_close_hook(fd);
	return close(fd);
}

/*
 * In macOS's libsyscall OPEN_MAX is a constant, whatever the limit of the process
 * is, and EBADF comes when the action is added, not when it is done.
 */
int
kqueue_spawn_adddup2(posix_spawn_file_actions_t *fa, int fd, int to)
{
	if (fd < 0 || fd >= DARWIN_OPEN_MAX || to < 0 || to >= DARWIN_OPEN_MAX)
		return EBADF;
	return posix_spawn_file_actions_adddup2(fa, fd, to);
}
