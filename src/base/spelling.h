/* SPDX-License-Identifier: MIT */
#ifndef SPELLING_H
#define SPELLING_H

#include <stdbool.h>
#include <stddef.h>

#define SPELLING_MAX 50 /* bytes of a name that can be meant, its end included */

/*
 * Are two names the same but for case, hyphens, underscores and spaces? Is one
 * a slip of the other: so few letters wrong that it cannot be another word?
 */
bool spelling_same(const char *a, const char *b);
bool spelling_near(const char *name, const char *slip);

/* The nearest of several names: of equals the first. */
struct spelling {
	const char *slip;
	char best[SPELLING_MAX]; /* "" while none is near */
	size_t least;            /* letters that are wrong in that */
	bool known;              /* the slip is one of the names */
};

void spelling_init(struct spelling *s, const char *slip);
void spelling_try(struct spelling *s, const char *name);

#endif
