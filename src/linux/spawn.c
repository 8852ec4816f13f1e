/*
 * SPDX-License-Identifier: MIT
 *
 * posix_spawn_file_actions_adddup2 as libsyscall of macOS has it: OPEN_MAX is
 * 10,240 there whatever the limit of the process is, and EBADF comes when the
 * action is added, not when it is done.
 */
#define KQUEUE_PLAIN_SPAWN
#include <errno.h>
#include <spawn.h>

#define DARWIN_OPEN_MAX 10240

int kqueue_spawn_adddup2(posix_spawn_file_actions_t *fa, int fd, int to);

int
kqueue_spawn_adddup2(posix_spawn_file_actions_t *fa, int fd, int to)
{
	if (fd < 0 || fd >= DARWIN_OPEN_MAX || to < 0 || to >= DARWIN_OPEN_MAX)
		return EBADF;
	return posix_spawn_file_actions_adddup2(fa, fd, to);
}
