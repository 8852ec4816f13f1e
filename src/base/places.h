/* SPDX-License-Identifier: MIT */
#ifndef PLACES_H
#define PLACES_H

#include <stdbool.h>

#include "base/map.h"
#include "base/util.h"

/*
 * Paths that nobody is to touch, such as network volumes, which a system that folds
 * names (platform.h) also finds by other spellings. Being found wrongly only means
 * that a path is not watched. All zero is none.
 */
struct places {
	struct strv paths; /* as they were given */
	struct strv keys;
	struct map by_key;
};

/*
 * What all spellings of a path have in common: letters of ASCII are small, and any
 * others in a row are one, as é may be one character or e and an accent. The path
 * itself where names are not folded. free(3) it.
 */
char *places_key(const char *path);

/* Takes path over. */
void places_add(struct places *p, char *path);
void places_clear(struct places *p);

/* Is there one with that key, which may be another path? */
bool places_may_have(const struct places *p, const char *key);

/*
 * Is path one of them? key is its places_key. May list path's directory, never path
 * itself: a name that stands there, and is not that of a place, is another file.
 */
bool places_have(const struct places *p, const char *path, const char *key);

/* The one of paths that path is or lies below, by their keys; NULL: there is none. */
const char *places_find_above(const struct strv *paths, const char *path);

#endif
