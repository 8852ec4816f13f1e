/*
 * SPDX-License-Identifier: MIT
 *
 * What macOS's libc has and glibc lacks. Nobody includes this file by name: the
 * wrappers string.h and unistd.h beside it add it to the system's headers.
 */
#ifndef LINUX_COMPAT_H
#define LINUX_COMPAT_H

#include <features.h>
#include <stddef.h>
#include <sys/types.h>

#if !defined(__GLIBC__) || !__GLIBC_PREREQ(2, 38)
size_t strlcpy(char *restrict dst, const char *restrict src, size_t size);
size_t strlcat(char *restrict dst, const char *restrict src, size_t size);
#endif

int getpeereid(int fd, uid_t *uid, gid_t *gid);
int issetugid(void);

/* What close() calls first; set by the first kqueue(). */
extern void (*kqueue_close_hook)(int fd);

#endif
