/*
 * SPDX-License-Identifier: MIT
 *
 * <unistd.h> and getpeereid. Also gives close() another symbol: a BSD kernel
 * drops a descriptor's knotes when it is closed, and Linux tells nobody. What
 * closes without it (fclose, dup2, close_range, other libraries) is noticed
 * later, by the inode behind the descriptor: see kq_vnode_valid. And setlogin(),
 * which libc only has by name.
 */
#ifndef LINUX_UNISTD_H
#define LINUX_UNISTD_H

#include_next <unistd.h>
#include "compat.h"

#ifndef KQUEUE_PLAIN_CLOSE
extern int close(int fd) __asm__("kqueue_close");
#endif
extern int setlogin(const char *name) __asm__("kqueue_setlogin");

#endif
