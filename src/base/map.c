/* SPDX-License-Identifier: MIT */
/*
 * Open addressing with linear probing, at most half full. Removal moves later
 * entries of the run back, so there are no tombstones to clean up.
 */
#include "base/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* FNV-1a. */
static size_t
hash(const char *s)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
	return (size_t)(h ^ (h >> 32));
}

/* The slot that holds key, or the free one where it belongs. */
static struct map_slot *
find(const struct map *m, const char *key)
{
	size_t i = hash(key) & (m->cap - 1);

	while (m->slots[i].key != NULL && strcmp(m->slots[i].key, key) != 0)
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

static void
grow(struct map *m)
{
	struct map old = *m;
	size_t i;

	m->cap = old.cap != 0 ? 2 * old.cap : 2;
	m->slots = xcalloc(m->cap, sizeof(*m->slots));
	for (i = 0; i < old.cap; i++)
		if (old.slots[i].key != NULL)
			*find(m, old.slots[i].key) = old.slots[i];
	free(old.slots);
}

void *
map_get(const struct map *m, const char *key)
{
	return m->cap != 0 ? find(m, key)->value : NULL;
}

void
map_put(struct map *m, const char *key, void *value)
{
	if (2 * (m->n + 1) > m->cap)
		grow(m);
	*find(m, key) = (struct map_slot){ key, value };
	m->n++;
}

void
map_remove(struct map *m, const char *key)
{
	size_t hole, i, home, mask = m->cap - 1;

	if (map_get(m, key) == NULL)
		return;
	hole = (size_t)(find(m, key) - m->slots);
	for (i = (hole + 1) & mask; m->slots[i].key != NULL; i = (i + 1) & mask) {
		home = hash(m->slots[i].key) & mask;
		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		m->slots[hole] = m->slots[i];
		hole = i;
	}
	m->slots[hole] = (struct map_slot){ NULL, NULL };
	m->n--;
}

void
map_clear(struct map *m)
{
	free(m->slots);
	*m = (struct map){ NULL, 0, 0 };
}
