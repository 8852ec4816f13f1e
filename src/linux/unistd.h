/*
 * SPDX-License-Identifier: MIT
 *
 * <unistd.h> and getpeereid. close() gets another symbol, because a BSD kernel drops
 * the knotes of a descriptor that is closed, and Linux reports that to nobody. What
 * closes without it (fclose, dup2, close_range, other libraries) is noticed later, by
 * the inode behind the descriptor: see kq_is_same_file. glibc's own setlogin()
 * only fails.
 */
#ifndef LINUX_UNISTD_H
#define LINUX_UNISTD_H

#include_next <unistd.h>
#include "compat.h"

#ifndef KQUEUE_PLAIN
extern int close(int fd) __asm__("kqueue_close");
#endif
extern int setlogin(const char *name) __asm__("kqueue_setlogin");

#endif
