/* SPDX-License-Identifier: MIT */
/*
 * The name that was meant.
 */

#include <string.h>

#include "base/spelling.h"
#include "test.h"

/* The nearest of a few names. */
static const char *
nearest(const char *name)
{
	static const char *const names[] = { "status", "trigger", "reload", "sudoers",
		"filevault-escrow", "a", "ab",
		"a-rule-whose-name-has-the-most-bytes-there-can-b" };
	static struct spelling n;
	size_t i;

	spelling_init(&n, name);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		spelling_try(&n, names[i]);
	return n.best;
}

TEST(a_slip_is_found)
{
	assert_string_equal(nearest("sudoer"), "sudoers");
	assert_string_equal(nearest("statsu"), "status");
	assert_string_equal(nearest("Status"), "status");
	assert_string_equal(nearest("triger"), "trigger");
	assert_string_equal(nearest("filevault_escorw"), "filevault-escrow");
	assert_string_equal(nearest("a-rule-whose-name-has-the-most-bytes-there-can-be"),
	    "a-rule-whose-name-has-the-most-bytes-there-can-b");
	assert_string_equal(nearest("reload"), "reload");
}

TEST(what_has_little_in_common_is_near_to_none)
{
	char longer[SPELLING_MAX + 1];

	assert_string_equal(nearest("doctor"), "");
	assert_string_equal(nearest("x"), "");
	assert_string_equal(nearest("xy"), "");
	assert_string_equal(nearest(""), "");
	memset(longer, 'a', SPELLING_MAX);
	longer[SPELLING_MAX] = '\0';
	assert_string_equal(nearest(longer), "");
}

TEST(the_name_itself_is_known)
{
	char longer[SPELLING_MAX + 1];
	struct spelling n;

	spelling_init(&n, "backup");
	spelling_try(&n, "backups");
	spelling_try(&n, "Backup");
	assert_false(n.known);
	spelling_try(&n, "backup");
	spelling_try(&n, "other");
	assert_true(n.known);
	memset(longer, 'a', SPELLING_MAX);
	longer[SPELLING_MAX] = '\0';
	spelling_init(&n, longer);
	spelling_try(&n, longer);
	assert_true(n.known);
}

TEST(the_nearest_counts_and_of_equals_the_first)
{
	struct spelling n;

	spelling_init(&n, "backup-aa");
	spelling_try(&n, "backup");
	spelling_try(&n, "backup-ab");
	spelling_try(&n, "backup-ac");
	assert_string_equal(n.best, "backup-ab");
}
