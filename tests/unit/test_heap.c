/* SPDX-License-Identifier: MIT */
/*
 * The heap against the simplest thing that can do the same: an array
 * that is searched from end to end.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/heap.h"
#include "test.h"

#define NODES 64
#define DEFAULT_SEED UINT64_C(20261124)

/* What the test knows by itself: who is in, at what time, since which turn. */
struct entry {
	bool in;
	int64_t key;
	unsigned turn;
};

static struct heap heap;
static struct heap_node node[NODES];
static struct entry entry[NODES];

static uint64_t
dice(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

static uint64_t
seed(void)
{
	const char *text = getenv("WATCHPATHD_SEED");

	return text != NULL ? strtoull(text, NULL, 0) : DEFAULT_SEED;
}

SET_UP
{
	size_t i;

	heap_clear(&heap);
	for (i = 0; i < NODES; i++) {
		node[i] = (struct heap_node){ 0 };
		entry[i] = (struct entry){ 0 };
	}
}

static void
put(size_t i, int64_t key, unsigned turn)
{
	heap_put(&heap, &node[i], (mono_t){ key });
	entry[i] = (struct entry){ .in = true, .key = key, .turn = turn };
}

static void
take_out(size_t i)
{
	heap_remove(&heap, &node[i]);
	entry[i].in = false;
}

/* The first by time, then by turn; NODES if there is none. */
static size_t
expected_first(void)
{
	size_t i, best = NODES;

	for (i = 0; i < NODES; i++) {
		if (!entry[i].in)
			continue;
		if (best == NODES || entry[i].key < entry[best].key ||
		    (entry[i].key == entry[best].key && entry[i].turn < entry[best].turn))
			best = i;
	}
	return best;
}

static bool
first_is_right(void)
{
	size_t want = expected_first();

	if (want == NODES)
		return heap_first(&heap) == NULL && mono_is_never(heap_next(&heap));
	return heap_first(&heap) == &node[want] && heap_next(&heap).ns == entry[want].key;
}

TEST(an_empty_heap_has_no_first_and_is_never_due)
{
	assert_null(heap_first(&heap));
	assert_true(mono_is_never(heap_next(&heap)));
}

TEST(the_earliest_comes_out_first)
{
	static const int64_t keys[] = { 5, 3, 9, 1, 7 };
	int64_t last = INT64_MIN;
	size_t i;

	for (i = 0; i < 5; i++)
		put(i, keys[i], (unsigned)i);
	for (i = 0; i < 5; i++) {
		assert_true(heap_next(&heap).ns > last);
		last = heap_next(&heap).ns;
		heap_remove(&heap, heap_first(&heap));
	}
	assert_null(heap_first(&heap));
}

TEST(equal_times_come_out_in_the_order_they_went_in)
{
	size_t i;

	for (i = 0; i < NODES; i++)
		put(i, 42, (unsigned)i);
	for (i = 0; i < NODES; i++) {
		assert_ptr_equal(heap_first(&heap), &node[i]);
		take_out(i);
	}
}

TEST(a_node_that_is_put_in_again_moves_behind_its_equals)
{
	put(0, 1, 0);
	put(1, 1, 1);
	put(0, 1, 2);
	assert_ptr_equal(heap_first(&heap), &node[1]);
	put(1, 2, 3);
	assert_ptr_equal(heap_first(&heap), &node[0]);
}

TEST(any_node_can_be_taken_out)
{
	size_t gone, i;

	for (gone = 0; gone < 9; gone++) {
		for (i = 0; i < 9; i++)
			put(i, (int64_t)(i * 7 % 9), (unsigned)i);
		heap_remove(&heap, heap_first(&heap));
		entry[0].in = false;
		take_out(gone);
		while (expected_first() != NODES) {
			assert_true(first_is_right());
			take_out(expected_first());
		}
		assert_null(heap_first(&heap));
	}
}

TEST(taking_out_what_is_not_in_does_nothing)
{
	heap_remove(&heap, &node[0]);
	put(1, 5, 0);
	heap_remove(&heap, &node[0]);
	assert_true(first_is_right());
	take_out(1);
	take_out(1);
	assert_null(heap_first(&heap));
}

TEST(an_empty_heap_holds_no_memory)
{
	size_t i;

	for (i = 0; i < 20; i++)
		put(i, (int64_t)i, (unsigned)i);
	for (i = 0; i < 20; i++)
		take_out(i);
	assert_null(heap.places);
	put(3, 4, 0);
	heap_clear(&heap);
	assert_null(heap.places);
	assert_false(heap_has(&node[3]));
}

TEST(never_and_the_earliest_time_are_ordinary_keys)
{
	put(0, INT64_MAX, 0);
	put(1, INT64_MIN, 1);
	put(2, 0, 2);
	assert_ptr_equal(heap_first(&heap), &node[1]);
	take_out(1);
	assert_ptr_equal(heap_first(&heap), &node[2]);
	take_out(2);
	assert_ptr_equal(heap_first(&heap), &node[0]);
	assert_true(mono_is_never(heap_next(&heap)));
}

TEST(random_operations_agree_with_a_searched_array)
{
	uint64_t s = seed();
	unsigned turn;
	size_t i;

	for (turn = 0; turn < 200000; turn++) {
		i = dice(&s) % NODES;
		switch (dice(&s) % 4) {
		case 0:
		case 1:
			put(i, (int64_t)(dice(&s) % 20) - 10, turn);
			break;
		case 2:
			take_out(i);
			break;
		default:
			if (expected_first() != NODES)
				take_out(expected_first());
		}
		if (!first_is_right())
			fail_msg("turn %u, WATCHPATHD_SEED=%llu", turn,
			    (unsigned long long)seed());
	}
}
