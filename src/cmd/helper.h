/* SPDX-License-Identifier: MIT */
#ifndef HELPER_H
#define HELPER_H

#include "base/util.h"

/* More than this of what a program prints, or of a file for it, is not wanted. */
#define HELPER_LIMIT ((size_t)1 << 20)

/*
 * Runs a program of the system's or our own, with nothing of the caller's
 * environment and in as its input, and adds what it prints; its errors are
 * dropped. argv has at most 7 words and then NULL. After so many seconds (0:
 * never) it is killed. 0, or -1 with errno: ECHILD if it ran and failed,
 * ETIMEDOUT, EFBIG, or what kept it from starting.
 */
int helper_run(const char *path, const char *const argv[], int in, unsigned seconds,
    struct buf *out);

#endif
