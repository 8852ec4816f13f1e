/* SPDX-License-Identifier: MIT */
/* What a rule costs while it is in force, by the allocator's own count. */
#ifdef __APPLE__
#include <malloc/malloc.h>
#else
#include <malloc.h>
#endif

#include "base/util.h"
#include "engine.h"
#include "engine/paths.h"

/*
 * Of one path that is there: structs, texts, and what the allocator adds; with the
 * knote that stands for what the kernel of macOS holds. Each byte is 10 KB with 10,000
 * rules: it may be lowered, not raised.
 */
#define BYTES_A_RULE 3056

#define FEW 200
#define MANY 600

SET_UP
{
	begin_engine();
}

TEAR_DOWN
{
	end_engine();
}

static size_t
bytes_in_use(void)
{
#ifdef __APPLE__
	malloc_statistics_t s;

	malloc_zone_statistics(NULL, &s);
	return s.size_in_use;
#else
	return mallinfo2().uordblks;
#endif
}

static void
must_be_present(void *arg, const char *path, const char *state, const char *error)
{
	(void)arg;
	(void)path;
	assert_string_equal(state, "present");
	assert_null(error);
}

/* The bytes in use with so many rules in force. */
static size_t
used_by(unsigned rules)
{
	struct buf text = { NULL, 0, 0 };
	char path[32];
	unsigned i;

	for (i = 0; i < rules; i++) {
		snprintf(path, sizeof(path), "/%06u", i);
		put_file(path, "x", 0600);
		buf_addf(&text, "[rule-%06u]\nwatch = %s\naction = /bin/true\n", i, path);
	}
	load_rules("many.ini", text.p);
	buf_clear(&text);
	assert_int_equal(engine.rules.n, rules);
	for (i = 0; i < rules; i++)
		jobpaths_each(job_paths(engine.rules.jobs[i]), must_be_present, NULL);
	return bytes_in_use();
}

TEST(a_rule_with_one_path_takes_no_more_memory_than_it_did)
{
	size_t few = used_by(FEW), each;

	if (few == 0) {
		print_message("# not measured: this allocator does not count\n");
		return;
	}
	each = (used_by(MANY) - few) / (MANY - FEW);
	print_message("%zu bytes\n", each);
	assert_true(each <= BYTES_A_RULE);
}
