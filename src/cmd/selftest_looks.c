/* SPDX-License-Identifier: MIT */
/*
 * What a watched path comes to, through the watcher of the daemon: whatever is
 * done to it, to a link or to a directory on the way, the last look shows the
 * path as it is, and says what changed.
 */
#include "cmd/selftest_probes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/machine.h"
#include "cmd/trial.h"
#include "rules/rule.h"
#include "watch/watch.h"

/* One watched path or pattern, and what its looks have found. */
struct scene {
	struct trial *t;
	struct watch *watch;
	char *path;
	struct stamp last;
	unsigned changes; /* CHANGE_ bits since they were asked for */
	unsigned looks;
	const char *name; /* of a pattern's match that is waited for */
	bool named;       /* it was there */
};

static void
on_look(void *arg, struct watch_path *p, const struct stamp *now, unsigned hints,
    mono_t noticed)
{
	struct scene *s = arg;

	(void)noticed;
	s->looks++;
	if (now == NULL) {
		trial_note(s->t, "%s: cannot be looked at", p->path);
		return;
	}
	if (s->looks > 1)
		s->changes |= stamp_diff(&s->last, now, hints);
	if (s->name != NULL && strcmp(strrchr(p->path, '/') + 1, s->name) == 0)
		s->named |= now->present;
	s->last = *now;
}

static void
on_gone(void *arg, struct watch_path *p)
{
	(void)arg;
	(void)p;
}

static const struct watch_ops ops = { on_look, on_gone, NULL };

/* Watches a path below the trial's directory. */
static void
scene_init(struct scene *s, struct trial *t, const char *path)
{
	*s = (struct scene){ .t = t, .watch = watch_new(t->loop) };
	s->path = xasprintf("%s/%s", t->dir, path);
	watch_add(s->watch, s->path, &ops, s);
}

/* Watches a new file. */
static void
scene_of_file(struct scene *s, struct trial *t)
{
	trial_make(t, "file", "text");
	scene_init(s, t, "file");
}

static bool
is_all(const struct scene *s, unsigned bits, bool present)
{
	return (s->changes & bits) == bits && s->last.present == present;
}

/* Runs the daemon's turn until these changes were seen and the path is there, or not. */
static void
scene_expect(struct scene *s, unsigned bits, bool present, const char *what)
{
	mono_t end = mono_add(mono_now(), TRIAL_PATIENCE_NS), now;

	trial_settle(s->t);
	for (;;) {
		now = mono_now();
		watch_due(s->watch, now);
		if (is_all(s, bits, present) || mono_before(end, now))
			break;
		loop_wait(s->t->loop, mono_min(watch_deadline(s->watch), end));
	}
	trial_check(s->t, is_all(s, bits, present), what);
	s->changes = 0;
}

/* Makes all looks that were put off. */
static void
scene_finish(struct scene *s)
{
	mono_t due;

	while (!mono_is_never(due = watch_deadline(s->watch))) {
		loop_wait(s->t->loop, due);
		watch_due(s->watch, mono_now());
	}
}

/* Nothing of what was done is a change. */
static void
scene_expect_nothing(struct scene *s, const char *what)
{
	trial_settle(s->t);
	scene_finish(s);
	trial_check(s->t, s->changes == 0, what);
}

static void
write_is_seen(struct trial *t)
{
	struct scene s;

	scene_of_file(&s, t);
	trial_append(t, "file", "more");
	scene_expect(&s, CHANGE_MODIFY, true, "a write is seen");
}

void
selftest_equal_writes(struct trial *t)
{
	struct scene s;
	struct stamp before;

	trial_make(t, "file", "1");
	scene_init(&s, t, "file");
	trial_poke(t, "file", "2");
	scene_expect(&s, CHANGE_MODIFY, true, "a first write of one byte is seen");
	before = s.last;
	trial_poke(t, "file", "3");
	scene_expect(&s, CHANGE_MODIFY, true, "a second one of the same size is seen");
	trial_note(t, "their times are %s",
	    before.mtime_ns == s.last.mtime_ns ? "the same" : "different");
	watch_free(s.watch);
}

static void
emptying_is_seen(struct trial *t)
{
	struct scene s;

	scene_of_file(&s, t);
	trial_make(t, "file", "");
	scene_expect(&s, CHANGE_MODIFY, true, "a file that is emptied is seen");
}

static void
mode_is_seen(struct trial *t)
{
	struct scene s;

	scene_of_file(&s, t);
	trial_did(t, chmod("file", 0600), "chmod");
	scene_expect(&s, CHANGE_ATTRIBUTES, true, "a change of mode is seen");
}

static void
replacement_is_seen(struct trial *t)
{
	struct scene s;
	int i;

	scene_of_file(&s, t);
	for (i = 0; i < 5; i++) {
		trial_replace(t, "file", "text");
		scene_expect(&s, CHANGE_CREATE | CHANGE_MODIFY, true,
		    "each of five replacements is seen");
	}
	trial_append(t, "file", "more");
	scene_expect(&s, CHANGE_MODIFY, true, "and a write to the last one");
}

static void
removal_is_seen(struct trial *t)
{
	struct scene s;

	scene_of_file(&s, t);
	trial_did(t, unlink("file"), "unlink");
	scene_expect(&s, CHANGE_DELETE, false, "a removal is seen");
	trial_make(t, "file", "text");
	scene_expect(&s, CHANGE_CREATE, true, "and that it is there again");
}

static void
way_appears(struct trial *t)
{
	struct scene s;

	scene_init(&s, t, "a/b/c/file");
	trial_did(t, mkdir("a", 0755), "mkdir");
	trial_did(t, mkdir("a/b", 0755), "mkdir");
	trial_did(t, mkdir("a/b/c", 0755), "mkdir");
	trial_make(t, "a/b/c/file", "text");
	scene_expect(&s, CHANGE_CREATE, true,
	    "a file is seen whose directories came after the watch");
}

static void
way_is_swapped(struct trial *t)
{
	struct scene s;

	trial_did(t, mkdir("a", 0755), "mkdir");
	trial_make(t, "a/file", "text");
	trial_did(t, mkdir("b", 0755), "mkdir");
	trial_make(t, "b/file", "other text");
	scene_init(&s, t, "a/file");
	trial_did(t, rename("a", "old"), "rename");
	trial_did(t, rename("b", "a"), "rename");
	scene_expect(&s, CHANGE_CREATE | CHANGE_MODIFY, true,
	    "another directory in the place of the file's is seen");
	trial_append(t, "a/file", "more");
	scene_expect(&s, CHANGE_MODIFY, true, "and a write there");
}

static void
link_is_followed(struct trial *t)
{
	struct scene s;

	trial_make(t, "one", "text");
	trial_make(t, "two", "other text");
	trial_did(t, symlink("one", "link"), "symlink");
	scene_init(&s, t, "link");
	trial_append(t, "one", "more");
	scene_expect(&s, CHANGE_MODIFY, true, "a write to a link's target is seen");
	trial_did(t, symlink("two", "new"), "symlink");
	trial_did(t, rename("new", "link"), "rename");
	scene_expect(
	    &s, CHANGE_CREATE | CHANGE_MODIFY, true, "a link that is replaced is seen");
	trial_append(t, "two", "more");
	scene_expect(&s, CHANGE_MODIFY, true, "and a write to its new target");
}

static void
other_name_is_no_change(struct trial *t)
{
	struct scene s;

	scene_of_file(&s, t);
	trial_did(t, link("file", "second"), "link");
	scene_expect_nothing(&s, "another name is no change");
	trial_did(t, unlink("second"), "unlink");
	scene_expect_nothing(&s, "nor is that it goes");
	trial_append(t, "file", "more");
	scene_expect(&s, CHANGE_MODIFY, true, "and a write after it is seen");
}

static void
pattern_is_followed(struct trial *t)
{
	struct scene s;

	scene_init(&s, t, "*.log");
	trial_make(t, "a.log", "text");
	scene_expect(&s, 0, true, "a file that a pattern matches is seen");
	trial_append(t, "a.log", "more");
	scene_expect(&s, CHANGE_MODIFY, true, "and a write to it");
	trial_did(t, unlink("a.log"), "unlink");
	scene_expect(&s, CHANGE_DELETE, false, "and that it goes");
}

static void
fifo_does_not_block(struct trial *t)
{
	struct scene s;

	trial_did(t, mkfifo("fifo", 0600), "mkfifo");
	scene_init(&s, t, "fifo");
	trial_check(t, s.last.present, "a FIFO is there, and nobody waits for it");
	trial_did(t, unlink("fifo"), "unlink");
	scene_expect(&s, CHANGE_DELETE, false, "that it goes is seen");
}

/* On a volume without case the old name goes on to be found, by another spelling. */
static void
case_of_a_match_is_seen(struct trial *t)
{
	struct scene s;
	bool absent;

	trial_make(t, "key.log", "text");
	scene_init(&s, t, "*.log");
	s.name = "Key.log";
	trial_did(t, rename("key.log", s.name), "rename");
	absent = stat("key.log", &(struct stat){ 0 }) == -1;
	trial_settle(t);
	scene_finish(&s);
	trial_check(t, (s.changes & CHANGE_DELETE) != 0 && s.named,
	    "a match that gets its name in other letters goes, and another one comes");
	trial_note(t, "stat of the old name %s", absent ? "fails" : "succeeds");
}

/* On a volume without case, stat of the old name goes on to succeed. */
static void
case_is_noted(struct trial *t)
{
	struct stat st;

	trial_make(t, "Key", "text");
	trial_note(
	    t, "names are compared %s case", stat("key", &st) == 0 ? "without" : "with");
	trial_did(t, rename("Key", "key"), "rename");
	trial_note(t, "after mv Key key, Key is %s",
	    stat("Key", &st) == 0 ? "there" : "not there");
}

static void
normalisation_is_noted(struct trial *t)
{
	struct stat st;

	trial_make(t, "\303\251", "text");
	trial_note(t, "a composed name is %s by its decomposed form",
	    stat("e\314\201", &st) == 0 ? "found" : "not found");
}

static void
clock_of_files_is_noted(struct trial *t)
{
	struct stamp s = { 0 };
	int i;
	bool fraction = false;
	char name[16];

	for (i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		trial_make(t, name, "text");
		stamp_take(&s, name);
		fraction |= s.mtime_ns % MONO_SEC != 0;
	}
	trial_note(t, "times of files have %s",
	    fraction ? "fractions of a second" : "whole seconds only");
}

/* posix_spawn of macOS refuses descriptors from 10,240 on for its children. */
static void
low_descriptors_are_left(struct trial *t)
{
	struct scene first, second;
	int before, after;

	trial_make(t, "file", "text");
	scene_init(&first, t, "missing");
	before = dup(STDERR_FILENO);
	close(before);
	scene_init(&second, t, "file");
	after = dup(STDERR_FILENO);
	close(after);
	trial_check(t, before == after, "watching takes no low number of a descriptor");
}

const struct probe selftest_looks[] = {
	{ "look-write", "2.1", REQUIRED, "a write is seen", .run = write_is_seen },
	{ "look-equal", "8.5", REQUIRED,
	    "two writes of the same size, one right after the other, are both seen",
	    .run = selftest_equal_writes },
	{ "look-empty", "2.2", REQUIRED, "that a file is emptied is seen",
	    .run = emptying_is_seen },
	{ "look-mode", "2.3", REQUIRED, "a change of mode is seen", .run = mode_is_seen },
	{ "look-replace", "2.6", REQUIRED, "each replacement of a file is seen",
	    .run = replacement_is_seen },
	{ "look-remove", "2.5", REQUIRED, "a removal is seen, and the return",
	    .run = removal_is_seen },
	{ "look-missing", "1.2", REQUIRED,
	    "a file is seen whose directories were not there yet", .run = way_appears },
	{ "look-swapped", "4.4", REQUIRED,
	    "a directory on the way that is replaced is seen", .run = way_is_swapped },
	{ "look-link", "1.21 4.4", REQUIRED, "links are followed, old and new",
	    .run = link_is_followed },
	{ "look-other-name", "8.13", REQUIRED,
	    "the removal of a file's other name is no change of it",
	    .run = other_name_is_no_change },
	{ "look-pattern", "2.9", REQUIRED, "what a pattern matches is followed",
	    .run = pattern_is_followed },
	{ "look-case", "8.14", REQUIRED,
	    "a match that gets its name in other letters is followed",
	    .run = case_of_a_match_is_seen },
	{ "look-fifo", "4.3", REQUIRED, "a FIFO does not block",
	    .run = fifo_does_not_block },
	{ "case", "8.14", RECORD, "how this volume compares names",
	    .run = case_is_noted },
	{ "normalisation", "8.14", RECORD, "how it compares accents",
	    .run = normalisation_is_noted },
	{ "file-clock", "8.5", RECORD, "what the times of its files are worth",
	    .run = clock_of_files_is_noted },
	{ "low-numbers", "8.2", REQUIRED,
	    "watching leaves the low numbers of descriptors to others",
	    .run = low_descriptors_are_left },
	{ .id = NULL },
};
