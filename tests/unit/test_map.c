/* SPDX-License-Identifier: MIT */
/* The table of strings against a plain array. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/util.h"
#include "test.h"

TEST(a_table_finds_what_was_put_in)
{
	struct map m = { NULL, 0, 0 };
	char keys[3][8] = { "a", "b", "" };

	assert_null(map_get(&m, "a"));
	map_remove(&m, "a");
	map_put(&m, keys[0], keys[0]);
	map_put(&m, keys[1], keys[1]);
	map_put(&m, keys[2], keys[2]);
	assert_ptr_equal(map_get(&m, "a"), keys[0]);
	assert_ptr_equal(map_get(&m, "b"), keys[1]);
	assert_ptr_equal(map_get(&m, ""), keys[2]);
	assert_null(map_get(&m, "c"));
	assert_int_equal(m.n, 3);
	map_remove(&m, "a");
	map_remove(&m, "a");
	assert_null(map_get(&m, "a"));
	assert_ptr_equal(map_get(&m, "b"), keys[1]);
	assert_int_equal(m.n, 2);
	map_clear(&m);
	assert_null(map_get(&m, "b"));
}

#define KEYS 3000

/* Random puts and removes, with a plain array as the model. */
TEST(a_table_is_what_its_model_is)
{
	static char keys[KEYS][12];
	static bool in[KEYS];
	struct map m = { NULL, 0, 0 };
	size_t i, n = 0;
	unsigned seed = 12345;
	int step;

	for (i = 0; i < KEYS; i++)
		snprintf(keys[i], sizeof(keys[i]), "k%zu", i * 7919);
	for (step = 0; step < 200000; step++) {
		seed = seed * 1664525 + 1013904223;
		/* First more and more of them, then fewer and fewer. */
		i = (seed >> 8) % (step < 100000 ? KEYS : 1 + KEYS / 10);
		if (!in[i])
			map_put(&m, keys[i], keys[i]);
		else
			map_remove(&m, keys[i]);
		n += in[i] ? (size_t)-1 : 1;
		in[i] = !in[i];
		assert_int_equal(m.n, n);
		assert_true(2 * m.n <= m.cap);
		assert_ptr_equal(map_get(&m, keys[i]), in[i] ? keys[i] : NULL);
		if (step % 5000 != 0)
			continue;
		for (i = 0; i < KEYS; i++)
			assert_ptr_equal(map_get(&m, keys[i]), in[i] ? keys[i] : NULL);
	}
	for (i = 0; i < KEYS; i++)
		if (in[i])
			map_remove(&m, keys[i]);
	assert_int_equal(m.n, 0);
	for (i = 0; i < m.cap; i++)
		assert_null(m.slots[i].key);
	map_clear(&m);
}
