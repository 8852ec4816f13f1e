/* SPDX-License-Identifier: MIT */
/*
 * Which action of a rule is chosen, and that waiting for one ends when something on
 * its way changes. What makes a program trusted is in test_trust.c.
 */
#include "run/programs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mono.h"
#include "rules/keys.h"
#include "test.h"
#include "watch/watch.h"

static char root[SANDBOX_SIZE];
static struct loop *loop;
static struct watch *watch;
static struct trust trust;
static struct rule *rule;
static struct programs programs;
static unsigned nchanges;

/* path below the root. */
static const char *
at(const char *path)
{
	return path_in(root, path);
}

static void
install(const char *path, mode_t mode)
{
	int fd = open(at(path), O_WRONLY | O_CREAT | O_TRUNC, 0700);

	must(fd);
	assert_int_equal(write(fd, "#!/bin/sh\n", 10), 10);
	must(fchmod(fd, mode));
	close(fd);
}

static void
set(const char *key, const char *value)
{
	char why[RULE_WHY_SIZE] = "";

	assert_int_equal(rule_set(rule, key, value, 1, why), 0);
	assert_string_equal(why, "");
}

SET_UP
{
	make_sandbox(root);
	must(chmod(root, 0755));
	must(mkdir(at("/bin"), 0755));
	loop = loop_new();
	watch = watch_new(loop);
	trust = (struct trust){ .root = root, .owner = geteuid() };
	rule = rule_new("r", "r.ini", 1);
	set("action", "/bin/first --one");
	set("action", "/bin/second --two");
	programs_init(&programs, watch, &trust, root, rule);
	nchanges = 0;
}

TEAR_DOWN
{
	programs_clear(&programs);
	rule_free(rule);
	watch_free(watch);
	loop_free(loop);
	remove_tree(root);
}

/* The word after the program that is chosen; or NULL, with why in v. */
static const char *
choose(struct trust_verdict *v)
{
	const struct command *c = programs_choose(&programs, v);

	return c != NULL ? c->argv.v[1] : NULL;
}

TEST(the_first_action_that_may_run_is_chosen)
{
	struct trust_verdict v = { .paths = NULL };

	install("/bin/second", 0755);
	assert_string_equal(choose(&v), "--two");
	assert_string_equal(v.resolved, at("/bin/second"));
	assert_string_equal(programs_current(&programs)->v[0], "/bin/second");
	install("/bin/first", 0755);
	assert_string_equal(choose(&v), "--one");
	assert_string_equal(programs_current(&programs)->v[0], "/bin/first");
}

TEST(an_action_that_is_not_trusted_is_passed_over)
{
	struct trust_verdict v = { .paths = NULL };

	install("/bin/first", 0777);
	install("/bin/second", 0755);
	assert_string_equal(choose(&v), "--two");
}

TEST(without_one_that_may_run_the_reason_is_of_one_that_is_there)
{
	struct trust_verdict v = { .paths = NULL };

	assert_null(choose(&v));
	assert_true(v.missing);
	assert_non_null(strstr(v.why, "/bin/first"));
	install("/bin/second", 0777);
	assert_null(choose(&v));
	assert_false(v.missing);
	assert_non_null(strstr(v.why, "/bin/second"));
	assert_non_null(strstr(v.why, "writable by"));
	/* The status shows the first where none could be chosen. */
	assert_string_equal(programs_current(&programs)->v[0], "/bin/first");
}

TEST(a_changed_rule_has_its_own_actions)
{
	struct rule *old = rule;
	struct trust_verdict v = { .paths = NULL };

	assert_null(choose(&v));
	rule = rule_new("r", "r.ini", 1);
	set("action", "/bin/other --new");
	install("/bin/other", 0755);
	programs_set(&programs, rule);
	rule_free(old);
	assert_string_equal(choose(&v), "--new");
}

TEST(only_keys_that_need_the_exec_mode_make_the_daemon_start_itself)
{
	assert_false(programs_by_self(rule));
	set("umask", "027");
	assert_true(programs_by_self(rule));
}

static void
changed(void *arg)
{
	assert_ptr_equal(arg, &nchanges);
	nchanges++;
}

static void
settle(void)
{
	while (loop_wait(loop, (mono_t){ INT64_MIN }) == 1)
		watch_due(watch, mono_now());
}

/* Arms the way again and says how often that alone called. */
static unsigned
calls_of_arming(const struct strv *paths)
{
	programs_clear(&programs);
	nchanges = 0;
	assert_true(programs_await(&programs, paths, changed, &nchanges));
	/* What is awaited already has missed nothing. */
	assert_false(programs_await(&programs, paths, changed, &nchanges));
	settle();
	return nchanges;
}

TEST(waiting_ends_when_anything_on_the_way_changes)
{
	unsigned tries = 0;
	struct strv paths = { NULL, 0 };
	struct trust_verdict v = { .paths = &paths };

	assert_null(choose(&v));
	assert_true(paths.n >= 2);
	/* The sandbox's own parent is on the way, and others make directories in it. */
	while (calls_of_arming(&paths) != 0)
		assert_true(++tries < 100);
	install("/bin/second", 0755);
	settle();
	assert_true(nchanges > 0);
	programs_clear(&programs);
	nchanges = 0;
	must(chmod(at("/bin/second"), 0700));
	settle();
	assert_int_equal(nchanges, 0);
	strv_clear(&paths);
}
