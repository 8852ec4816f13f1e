/* SPDX-License-Identifier: MIT */
/*
 * An intrusive pairing heap. The one idea: a node's prev is its left sibling,
 * or its parent if it is the first child, so that any node can be cut out
 * without a search.
 */
#include "base/heap.h"

#include <stddef.h>

static bool
before(const struct heap_node *a, const struct heap_node *b)
{
	if (a->key.ns != b->key.ns)
		return mono_before(a->key, b->key);
	return a->order < b->order;
}

/* Makes the later of two roots the first child of the earlier one. */
static struct heap_node *
meld(struct heap_node *a, struct heap_node *b)
{
	struct heap_node *late;

	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	late = before(b, a) ? a : b;
	if (late == a)
		a = b;
	late->next = a->child;
	if (late->next != NULL)
		late->next->prev = late;
	late->prev = a;
	a->child = late;
	a->next = a->prev = NULL;
	return a;
}

/* Melds a list of siblings: in pairs from the left, then all from the right. */
static struct heap_node *
meld_siblings(struct heap_node *n)
{
	struct heap_node *pairs = NULL, *a, *b, *root = NULL;

	while (n != NULL) {
		a = n;
		b = n->next;
		n = b != NULL ? b->next : NULL;
		a->next = a->prev = NULL;
		if (b != NULL)
			b->next = b->prev = NULL;
		a = meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs != NULL) {
		a = pairs;
		pairs = a->next;
		a->next = NULL;
		root = meld(root, a);
	}
	return root;
}

void
heap_put(struct heap *h, struct heap_node *n, mono_t key)
{
	heap_remove(h, n);
	n->key = key;
	n->order = h->order++;
	n->child = n->next = n->prev = NULL;
	n->in = true;
	h->root = meld(h->root, n);
}

void
heap_remove(struct heap *h, struct heap_node *n)
{
	struct heap_node *rest;

	if (!n->in)
		return;
	rest = meld_siblings(n->child);
	if (n == h->root) {
		h->root = rest;
	} else {
		if (n->prev->child == n)
			n->prev->child = n->next;
		else
			n->prev->next = n->next;
		if (n->next != NULL)
			n->next->prev = n->prev;
		h->root = meld(h->root, rest);
	}
	n->child = n->next = n->prev = NULL;
	n->in = false;
}

struct heap_node *
heap_first(const struct heap *h)
{
	return h->root;
}

mono_t
heap_next(const struct heap *h)
{
	return h->root != NULL ? h->root->key : MONO_NEVER;
}
