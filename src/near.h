/* SPDX-License-Identifier: MIT */
#ifndef NEAR_H
#define NEAR_H

#include <stdbool.h>
#include <stddef.h>

/* Longer names are near to nothing. */
#define NEAR_MAX 50

/*
 * Finds the name that was meant: of those that are tried the one that takes the
 * fewest letters to add, drop, change or swap, if these are few. Case does not
 * count, and `_` is `-`.
 */
struct near {
	char best[NEAR_MAX]; /* "" while none is near */
	const char *name;
	size_t least;
	bool known; /* one of them is the name itself */
};

void near_init(struct near *n, const char *name);
void near_try(struct near *n, const char *candidate);

#endif
