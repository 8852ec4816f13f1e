/* SPDX-License-Identifier: MIT */
#ifndef HEAP_H
#define HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mono.h"

/*
 * A pairing heap of what is due, the earliest first; of equal times the one
 * that was put in first. The nodes are embedded in their owners, so nothing is
 * allocated and any node can be taken out: O(1) to put in and to read the
 * first, O(log n) amortised to take out. All zero is an empty heap, and a node
 * that is in none.
 */
struct heap_node {
	struct heap_node *child, *next, *prev; /* prev: left sibling or parent */
	mono_t key;
	uint64_t order;
	bool in;
};

struct heap {
	struct heap_node *root;
	uint64_t order;
};

/* Puts n in at key; a node that is already in is moved. */
void heap_put(struct heap *h, struct heap_node *n, mono_t key);

/* Takes n out; nothing happens if it is not in. */
void heap_remove(struct heap *h, struct heap_node *n);

/* The earliest node, or NULL. */
struct heap_node *heap_first(const struct heap *h);

/* The earliest time, or MONO_NEVER. */
mono_t heap_next(const struct heap *h);

#endif
