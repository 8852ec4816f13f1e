/* SPDX-License-Identifier: MIT */
#ifndef LOCAL_H
#define LOCAL_H

#include <stdbool.h>
#include <stddef.h>

struct sockaddr_un;

/* Puts path into a. False, with a sentence in why: it is too long for that. */
bool local_address(struct sockaddr_un *a, const char *path, char *why, size_t size);

/*
 * Connects to whoever listens at a, close-on-exec; never waits to be accepted.
 * ECONNREFUSED may only mean that the listener's queue is full, so it is returned
 * after patience_ms of trying. -1 with errno.
 */
int local_connect(const struct sockaddr_un *a, unsigned patience_ms);

#endif
