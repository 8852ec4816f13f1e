/* SPDX-License-Identifier: MIT */
/* What of the rules in force changes when rule files are read again. */
#include "engine.h"

#include <signal.h>

#define A "[a]\nwatch = /a\naction = /bin/true\n"
#define B "[b]\nwatch = /b\naction = /bin/true\n"

SET_UP
{
	begin_engine();
}

TEAR_DOWN
{
	end_engine();
}

static void
assert_changes(const char *want)
{
	char *changes = ruleset_changes(&engine.rules);

	assert_string_equal(changes, want);
	free(changes);
}

TEST(rules_are_added_changed_and_removed_by_their_names)
{
	struct job *a;

	load_rules("x.ini", A B);
	assert_changes("2 added");
	a = ruleset_find(&engine.rules, "a");
	load_rules("x.ini", A B "settle = 5s\n");
	assert_changes("1 changed");
	assert_ptr_equal(ruleset_find(&engine.rules, "a"), a);
	assert_int_equal(info_of("b").rule->policy.settle_ms, 5000);
	load_rules("x.ini", B "settle = 5s\n");
	assert_changes("1 removed");
	assert_null(ruleset_find(&engine.rules, "a"));
	load_rules("x.ini", B "settle = 5s\n");
	assert_changes("nothing changed");
}

TEST(a_rule_that_moved_to_another_line_is_the_same)
{
	struct job *b;

	load_rules("x.ini", A B);
	b = ruleset_find(&engine.rules, "b");
	load_rules("x.ini", "; a comment\n" B A);
	assert_changes("nothing changed");
	assert_ptr_equal(ruleset_find(&engine.rules, "b"), b);
	assert_int_equal(job_rule(b)->line, 2);
	assert_ptr_equal(engine.rules.jobs[0], b);
}

TEST(a_file_with_an_error_leaves_its_rules_as_they_are)
{
	load_rules("x.ini", A B);
	load_rules("x.ini", "[a]\nwatch = nowhere\naction = /bin/true\n");
	assert_changes("nothing changed");
	assert_int_equal(engine.rules.n, 2);
	assert_true(engine.rules.ndiags > 0);
	assert_string_equal(engine.rules.diags[0].file, "x.ini");
	load_rules("x.ini", A B);
	assert_int_equal(engine.rules.ndiags, 0);
}

TEST(an_error_of_another_file_keeps_no_rule)
{
	load_rules("x.ini", A);
	load_rules("y.ini", "[b]\nwatch = nowhere\naction = /bin/true\n");
	assert_changes("1 removed");
}

TEST(settings_stay_while_their_file_is_refused)
{
	load_rules("x.ini", "[daemon]\nmax-running = 3\n");
	assert_int_equal(engine.rules.settings.max_running, 3);
	load_rules("x.ini", "[daemon]\nmax-running = 4\nlog-level = loud\n");
	assert_int_equal(engine.rules.settings.max_running, 3);
	load_rules("x.ini", A);
	assert_int_equal(engine.rules.settings.max_running, 16);
}

TEST(a_rule_that_is_switched_off_watches_nothing)
{
	load_rules("x.ini", A B);
	assert_int_equal(ruleset_paths(&engine.rules), 2);
	load_rules("x.ini", A B "enabled = no\n");
	assert_changes("1 changed");
	assert_int_equal(ruleset_paths(&engine.rules), 1);
	assert_int_equal(info_of("b").state, STATE_DISABLED);
	load_rules("x.ini", A B);
	assert_int_equal(ruleset_paths(&engine.rules), 2);
}

TEST(a_rule_that_left_while_it_runs_comes_back_as_the_one_that_runs)
{
	struct job *a;

	must(mkdir(at("/bin"), 0755));
	put_file("/bin/true", "#!/bin/sh\nexit 0\n", 0755);
	put_file("/bin/hang", "#!/bin/sh\nexec sleep 60\n", 0755);
	load_rules("x.ini", "[a]\nwatch = /a\naction = /bin/hang\nsettle = 0\n");
	a = ruleset_find(&engine.rules, "a");
	put_file("/a", "1", 0600);
	while (info_of("a").run == NULL)
		turn_engine();
	load_rules("x.ini", B);
	assert_changes("1 added, 1 removed");
	assert_null(ruleset_find(&engine.rules, "a"));
	load_rules("x.ini", A B);
	assert_changes("1 added");
	assert_ptr_equal(ruleset_find(&engine.rules, "a"), a);
	assert_non_null(info_of("a").run);
	kill(-info_of("a").pid, SIGKILL);
	wait_runs("a", 1);
}
