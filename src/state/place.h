/* SPDX-License-Identifier: MIT */
#ifndef PLACE_H
#define PLACE_H

#include <stdbool.h>
#include <sys/types.h>

#include "trust/trust.h"

/*
 * The state names processes that the daemon ends, and commands trust the socket
 * beside it. So the directory is judged before anything in it is used: it belongs to
 * the daemon's user, only that user may write in it, and every directory above is
 * trusted.
 */
enum place {
	PLACE_GOOD,
	PLACE_ABSENT, /* and whatever is above it is trusted */
	PLACE_LOOSE,  /* the user's own, but its mode is not 0700 */
	PLACE_OPEN,   /* likewise, and others could write in it: why names them */
	PLACE_BAD     /* nothing in it may be used: why */
};
enum place place_judge(const struct trust *t, const char *dir, char why[TRUST_WHY_SIZE]);

/*
 * Makes it, or gives it mode 0700. Returns what it was before: with PLACE_OPEN the
 * caller sets aside what is in it. PLACE_BAD: it cannot be used, with why.
 */
enum place place_take(const struct trust *t, const char *dir, char why[TRUST_WHY_SIZE]);

/*
 * Opens a file of the daemon's own in it, O_NOFOLLOW and never blocking, that
 * nobody else could have written to: a regular file of the user's, with one link.
 * -1 with errno; EPERM: it is anything else, and was left untouched.
 */
int place_open(const struct trust *t, const char *path, int flags, mode_t mode);

/* Moves a file away to path.bad, or path.bad.N where that is in the way. */
void place_set_aside(const char *path);

#endif
