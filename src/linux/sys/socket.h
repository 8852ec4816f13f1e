/*
 * SPDX-License-Identifier: MIT
 *
 * <sys/socket.h>, whose connect() does not wait at a local socket.
 */
#ifndef LINUX_SYS_SOCKET_H
#define LINUX_SYS_SOCKET_H

#include_next <sys/socket.h>

#ifndef KQUEUE_PLAIN
extern int
connect(int fd, const struct sockaddr *addr, socklen_t len) __asm__("kqueue_connect");
#endif

#endif
