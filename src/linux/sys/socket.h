/*
 * SPDX-License-Identifier: MIT
 *
 * <sys/socket.h>, whose connect() does not wait at a local socket: see connect.c.
 */
#ifndef LINUX_SYS_SOCKET_H
#define LINUX_SYS_SOCKET_H

#include_next <sys/socket.h>

#ifndef KQUEUE_PLAIN_CONNECT
extern int
connect(int fd, const struct sockaddr *addr, socklen_t len) __asm__("kqueue_connect");
#endif

#endif
