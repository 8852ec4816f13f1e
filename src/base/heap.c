/* SPDX-License-Identifier: MIT */
/*
 * A binary heap in an array: each place comes before the two at twice its number,
 * and its node knows wherever it goes. Places are counted from 1.
 */
#include "base/heap.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/util.h"

#define FIRST_ROOM 4

static bool
before(const struct heap_place *a, const struct heap_place *b)
{
	if (a->key.ns != b->key.ns)
		return mono_before(a->key, b->key);
	return a->order < b->order;
}

static void
set(struct heap *h, uint32_t at, struct heap_place p)
{
	h->places[at - 1] = p;
	p.node->at = at;
}

/* The place of the two below that comes first; 0: there is none. */
static uint32_t
first_below(const struct heap *h, uint32_t at)
{
	uint32_t below = 2 * at;

	if (below > h->n)
		return 0;
	if (below < h->n && before(&h->places[below], &h->places[below - 1]))
		below++;
	return below;
}

/* Fills the hole at a place, or the one that it becomes further up or down. */
static void
fill(struct heap *h, uint32_t at, struct heap_place p)
{
	uint32_t below;

	for (; at > 1 && before(&p, &h->places[at / 2 - 1]); at /= 2)
		set(h, at, h->places[at / 2 - 1]);
	for (; (below = first_below(h, at)) != 0; at = below) {
		if (before(&p, &h->places[below - 1]))
			break;
		set(h, at, h->places[below - 1]);
	}
	set(h, at, p);
}

void
heap_put(struct heap *h, struct heap_node *n, mono_t key)
{
	struct heap_place p = { key, h->order++, n };

	if (n->at != 0) {
		fill(h, n->at, p);
		return;
	}
	if (h->n == h->room) {
		h->room = h->room != 0 ? 2 * h->room : FIRST_ROOM;
		h->places = xreallocarray(h->places, h->room, sizeof(*h->places));
	}
	fill(h, ++h->n, p);
}

void
heap_remove(struct heap *h, struct heap_node *n)
{
	uint32_t at = n->at;

	if (at == 0)
		return;
	n->at = 0;
	if (at != h->n--)
		fill(h, at, h->places[h->n]);
	if (h->n > 0)
		return;
	free(h->places);
	h->places = NULL;
	h->room = 0;
}

void
heap_clear(struct heap *h)
{
	while (h->n > 0)
		heap_remove(h, h->places[h->n - 1].node);
}

bool
heap_has(const struct heap_node *n)
{
	return n->at != 0;
}

mono_t
heap_key(const struct heap *h, const struct heap_node *n)
{
	return h->places[n->at - 1].key;
}

struct heap_node *
heap_first(const struct heap *h)
{
	return h->n > 0 ? h->places[0].node : NULL;
}

mono_t
heap_next(const struct heap *h)
{
	return h->n > 0 ? h->places[0].key : MONO_NEVER;
}
