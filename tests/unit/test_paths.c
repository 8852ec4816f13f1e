/* SPDX-License-Identifier: MIT */
/*
 * The paths of one rule: which of them owe a run, what is known of each, and what of
 * that outlives a change of the rule and the daemon. How changes are seen is in
 * test_watch.c.
 */
#include "engine/paths.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/loop.h"
#include "schedule/dispatch.h"
#include "state/record.h"
#include "test.h"
#include "watch/watch.h"

static char root[SANDBOX_SIZE];
static struct loop *loop;
static struct watch *watch;
static struct dispatch dispatch;
static struct dispatch_rule schedule;
static struct policy policy;
static struct jobpaths *paths;

/* path below the root. */
static const char *
at(const char *path)
{
	return path_in(root, path);
}

static void
put(const char *path, const char *text)
{
	int fd = open(at(path), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	must(fd);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void
changed(void *arg, const char *path, unsigned diff)
{
	(void)arg;
	(void)path;
	(void)diff;
}

static void
trouble(void *arg, const char *path, const char *why)
{
	(void)arg;
	(void)path;
	(void)why;
}

static const struct jobpaths_ops ops = { changed, trouble };

/* The rule comes, watching these entries, with what is known of it. */
static void
load(const char *a, const char *b, const struct record *known)
{
	struct strv entries = { NULL, 0 };

	strv_push(&entries, xstrdup(at(a)));
	if (b != NULL)
		strv_push(&entries, xstrdup(at(b)));
	dispatch_init(&dispatch, 16, 1);
	dispatch_add(&dispatch, &schedule, &policy, NULL, false, mono_now());
	paths = jobpaths_new(watch, &dispatch, &schedule, &ops, NULL);
	jobpaths_load(paths, &entries, known);
	strv_clear(&entries);
}

static void
leave(void)
{
	if (paths == NULL)
		return;
	dispatch_remove(&dispatch, &schedule);
	jobpaths_free(paths);
	paths = NULL;
}

SET_UP
{
	alarm(60);
	make_sandbox(root);
	loop = loop_new();
	watch = watch_new(loop);
	policy = (struct policy){
		.on = CHANGE_CREATE | CHANGE_MODIFY | CHANGE_DELETE,
		.enabled = true,
	};
}

TEAR_DOWN
{
	leave();
	watch_free(watch);
	loop_free(loop);
	remove_tree(root);
}

static void
look(void)
{
	while (!jobpaths_look(paths))
		continue;
}

/* The first path that owes a run; NULL: none. */
static const char *
owed(void)
{
	const struct dispatch_path *p = TAILQ_FIRST(&schedule.owed);

	return p != NULL ? jobpaths_name(p) : NULL;
}

TEST(what_is_there_first_owes_nothing_unless_it_is_asked_for)
{
	put("/f", "1");
	load("/f", NULL, NULL);
	assert_null(owed());
	leave();
	policy.at_start = START_NEW;
	load("/f", NULL, NULL);
	assert_string_equal(owed(), at("/f"));
}

TEST(a_look_that_finds_a_difference_makes_the_path_owe)
{
	put("/f", "1");
	load("/f", "/g", NULL);
	put("/f", "12");
	look();
	assert_string_equal(owed(), at("/f"));
	assert_int_equal(TAILQ_FIRST(&schedule.owed)->owed, CHANGE_MODIFY);
}

TEST(a_file_below_the_least_size_is_absent)
{
	policy.min_size = 3;
	load("/f", NULL, NULL);
	put("/f", "12");
	look();
	assert_null(owed());
	put("/f", "123");
	look();
	assert_int_equal(TAILQ_FIRST(&schedule.owed)->owed, CHANGE_CREATE);
}

struct list {
	char text[256];
};

static void
add(void *arg, const char *path, const char *state, const char *error)
{
	struct list *l = arg;
	size_t n = strlen(l->text);

	assert_null(error);
	snprintf(l->text + n, sizeof(l->text) - n, "%s%s %s", n > 0 ? ", " : "",
	    path + strlen(root), state);
}

TEST(a_path_or_pattern_says_what_it_stands_for)
{
	struct list path = { "" }, pattern = { "" };

	must(mkdir(at("/d"), 0700));
	put("/d/one", "1");
	load("/d/*", "/f", NULL);
	assert_null(jobpaths_entry(paths, at("/d/*"), add, &pattern));
	assert_string_equal(pattern.text, "/d/one present");
	assert_null(jobpaths_entry(paths, at("/f"), add, &path));
	assert_string_equal(path.text, "/f absent");
	assert_int_equal(jobpaths_count(paths), 2);
	assert_null(jobpaths_problem(paths));
	assert_false(jobpaths_has_error(paths));
}

TEST(what_two_versions_of_a_rule_watch_keeps_what_it_owes)
{
	struct strv entries = { NULL, 0 };

	load("/f", "/g", NULL);
	put("/f", "1");
	put("/g", "1");
	look();
	strv_push(&entries, xstrdup(at("/g")));
	jobpaths_change(paths, &entries);
	strv_clear(&entries);
	assert_int_equal(jobpaths_count(paths), 1);
	assert_string_equal(owed(), at("/g"));
	assert_null(TAILQ_NEXT(TAILQ_FIRST(&schedule.owed), owed_link));
}

TEST(a_match_that_is_gone_is_forgotten_when_it_owes_nothing)
{
	struct dispatch_rule *due;

	must(mkdir(at("/d"), 0700));
	put("/d/one", "1");
	load("/d/*", NULL, NULL);
	assert_int_equal(jobpaths_count(paths), 1);
	must(unlink(at("/d/one")));
	look();
	assert_string_equal(owed(), at("/d/one"));
	jobpaths_sweep(paths);
	assert_string_equal(owed(), at("/d/one"));
	assert_int_equal(dispatch_next(&dispatch, mono_now(), &due), STEP_LOOK);
	assert_true(dispatch_ready(&dispatch, &schedule, mono_now()));
	dispatch_start(&dispatch, &schedule, mono_now());
	dispatch_end(&dispatch, &schedule, true, mono_now());
	/* Its directory is listed again when its event has come. */
	while (jobpaths_count(paths) > 0) {
		(void)loop_wait(loop, mono_add(mono_now(), 10 * MONO_MS));
		watch_due(watch, mono_now());
		jobpaths_sweep(paths);
	}
}

TEST(a_record_tells_a_later_life_what_was_seen)
{
	struct record known = { .rule = xstrdup("r") };

	put("/f", "1");
	load("/f", NULL, NULL);
	jobpaths_record(paths, &known);
	assert_int_equal(known.npaths, 1);
	assert_true(known.paths[0].seen.present);
	leave();
	load("/f", NULL, &known);
	assert_null(owed());
	leave();
	put("/f", "12");
	load("/f", NULL, &known);
	assert_string_equal(owed(), at("/f"));
	record_clear(&known);
}
