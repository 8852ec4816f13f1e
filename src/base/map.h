/* SPDX-License-Identifier: MIT */
#ifndef MAP_H
#define MAP_H

#include <stddef.h>

/*
 * A hash table from strings to pointers. The key is not copied: it belongs to
 * the value and must live as long as the entry. All zero is an empty table.
 */
struct map_slot {
	const char *key;
	void *value;
};

struct map {
	struct map_slot *slots;
	size_t cap, n;
};

/* The value of key, or NULL. O(1). */
void *map_get(const struct map *m, const char *key);

/* Puts value in at key, which must not be there. value is not NULL. */
void map_put(struct map *m, const char *key, void *value);

/* Takes key out, if it is there. */
void map_remove(struct map *m, const char *key);

/* Frees the table, not the values. */
void map_clear(struct map *m);

#endif
