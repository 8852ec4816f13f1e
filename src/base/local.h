/* SPDX-License-Identifier: MIT */
#ifndef LOCAL_H
#define LOCAL_H

#include <stdbool.h>
#include <stddef.h>

struct sockaddr_un;

/* Puts path into a. False, with a sentence in why: it is too long for that. */
bool local_address(struct sockaddr_un *a, const char *path, char *why, size_t size);

/*
 * A connection to whoever listens at a, close-on-exec; never waits for it to be
 * accepted. A refusal may only say that the queue of those who wait is full: it is
 * believed when it was tried for patience_ms. -1 with errno.
 */
int local_connect(const struct sockaddr_un *a, unsigned patience_ms);

#endif
