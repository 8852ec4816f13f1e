/* SPDX-License-Identifier: MIT */
#ifndef HEAP_H
#define HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mono.h"

/*
 * What is due, the earliest first; of equal times the one that was put in first. A
 * node is embedded in its owner and knows only its place, so that any can be taken
 * out, and one that is in none is small. All zero is an empty heap, which holds no
 * memory, and a node that is in none.
 */
struct heap_node {
	uint32_t at; /* from 1 on; 0: it is in none */
};

struct heap_place {
	mono_t key;
	uint64_t order;
	struct heap_node *node;
};

struct heap {
	struct heap_place *places;
	uint32_t n, room;
	uint64_t order;
};

/* Puts n in at key; a node that is already in is moved. O(log n), as is the next. */
void heap_put(struct heap *h, struct heap_node *n, mono_t key);

/* Takes n out; nothing happens if it is not in. */
void heap_remove(struct heap *h, struct heap_node *n);

/* Takes all out. */
void heap_clear(struct heap *h);

/* Is the node in a heap? If it is in h: when it is due. */
bool heap_has(const struct heap_node *n);
mono_t heap_key(const struct heap *h, const struct heap_node *n);

/* The earliest node, or NULL. */
struct heap_node *heap_first(const struct heap *h);

/* The earliest time, or MONO_NEVER. */
mono_t heap_next(const struct heap *h);

#endif
