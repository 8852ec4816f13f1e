/*
 * SPDX-License-Identifier: MIT
 *
 * <spawn.h>, whose file actions take no descriptor of macOS's OPEN_MAX or more
 * (libsyscall's posix_spawn.c).
 */
#ifndef LINUX_SPAWN_H
#define LINUX_SPAWN_H

#include_next <spawn.h>

#ifndef KQUEUE_PLAIN
extern int posix_spawn_file_actions_adddup2(
    posix_spawn_file_actions_t *fa, int fd, int to) __asm__("kqueue_spawn_adddup2");
#endif

#endif
