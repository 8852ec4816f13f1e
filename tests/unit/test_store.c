/* SPDX-License-Identifier: MIT */
/*
 * The store as the daemon uses it, in a sandbox; what it has kept is asked of a
 * second store that opens the same directory. Times that it waits for are handed
 * to it.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "state/record.h"
#include "state/store.h"
#include "base/sync.h"
#include "trust/trust.h"
#include "base/util.h"
#include "base/number.h"
#include "test.h"

#define DAY (INT64_C(86400) * MONO_SEC)

static char sandbox[PATH_MAX], dir[PATH_MAX + 8];
static struct trust trust;

/* In place of base/sync.c's and libc's: they hang while there is such a file, or fail. */
static char hang[PATH_MAX + 16];
static bool broken, childless;
static int syncs;

int
fd_sync(int fd)
{
	struct stat st;

	syncs++;
	while (hang[0] != '\0' && stat(hang, &st) == 0)
		usleep(1000);
	errno = EIO;
	return broken || fd == -1 ? -1 : 0;
}

static unsigned writes;

ssize_t
write(int fd, const void *p, size_t n)
{
	writes++;
	return LIBC(write)(fd, p, n);
}

int
fsync(int fd)
{
	return fd_sync(fd);
}

/* In place of libc's, too: it fails where no process is left. */
pid_t
fork(void)
{
	errno = EAGAIN;
	return childless ? -1 : LIBC(fork)();
}

SET_UP
{
	trust = (struct trust){ .owner = geteuid() };
	make_sandbox(sandbox);
	snprintf(dir, sizeof(dir), "%s/state", sandbox);
	hang[0] = '\0';
	broken = childless = false;
	/* A store that blocks is a failure, not a hang. */
	alarm(60);
}

TEAR_DOWN
{
	alarm(0);
	remove_tree(sandbox);
}

static const char *
at(const char *name)
{
	return path_in(dir, name);
}

static struct store *
open_store(void)
{
	struct store *s = store_new(dir, &trust);
	char why[256];

	if (!store_open(s, why, sizeof(why)))
		fail_msg("%s", why);
	return s;
}

static void
put(struct store *s, const char *rule, uint64_t runs)
{
	struct record r = { .rule = xstrdup(rule), .runs = runs };

	store_put(s, &r);
	record_clear(&r);
}

/* What a later life finds: the number of runs, -1 for none. */
static int
taken(struct store *s, const char *rule)
{
	struct record r;
	int runs = -1;

	if (store_take(s, rule, &r)) {
		runs = (int)r.runs;
		record_clear(&r);
	}
	return runs;
}

/* A first life, with rules a and b. */
static struct store *
first_life(void)
{
	struct store *s = open_store();

	assert_true(store_begin(s));
	put(s, "a", 1);
	put(s, "b", 1);
	assert_true(store_end(s, true));
	assert_null(store_problem(s));
	return s;
}

static void
write_file(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
}

static off_t
size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : -1;
}

static mono_t
later(int64_t sec)
{
	return mono_add(mono_now(), sec * MONO_SEC);
}

/* Lets a rewrite that a child syncs come to its end. */
static void
finish_rewrite(struct store *s)
{
	int i;

	for (i = 0; i < 2000 && !mono_is_never(store_deadline(s)); i++) {
		assert_false(store_due(s, store_deadline(s)));
		usleep(5000);
	}
	assert_true(mono_is_never(store_deadline(s)));
}

TEST(the_newest_line_of_a_rule_counts)
{
	struct store *s = first_life();

	put(s, "a", 2);
	put(s, "b", 5);
	put(s, "a", 3);
	store_free(s);
	s = open_store();
	assert_false(store_is_damaged(s));
	assert_int_equal(taken(s, "a"), 3);
	assert_int_equal(taken(s, "b"), 5);
	assert_int_equal(taken(s, "a"), -1);
	assert_int_equal(taken(s, "c"), -1);
	store_free(s);
}

TEST(what_is_appended_is_there_without_an_end)
{
	struct store *s = first_life(), *other = store_new(dir, &trust);
	char why[256];

	put(s, "a", 7);
	/* As a SIGKILL leaves it: read while the first still has it. */
	assert_false(store_open(other, why, sizeof(why)));
	store_free(other);
	assert_true(size_of(at("state.jsonl")) > 0);
	store_free(s);
	s = open_store();
	assert_int_equal(taken(s, "a"), 7);
	store_free(s);
}

TEST(directory_and_files_are_for_nobody_else)
{
	struct stat st;

	store_free(first_life());
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(at("state.jsonl"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(at("lock"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

TEST(a_directory_that_a_daemon_has_used_is_known)
{
	assert_false(store_exists(sandbox));
	assert_false(store_exists(dir));
	assert_false(store_exists("/dev/null"));
	store_free(first_life());
	assert_true(store_exists(dir));
}

TEST(what_is_missing_above_the_directory_is_made)
{
	struct stat st;

	snprintf(dir, sizeof(dir), "%s/x/y", sandbox);
	store_free(first_life());
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

TEST(a_line_torn_at_any_byte_is_skipped_and_nothing_else)
{
	struct store *s = first_life();
	off_t before = size_of(at("state.jsonl")), n, whole;
	char path[PATH_MAX + 64];

	put(s, "a", 2);
	store_free(s);
	snprintf(path, sizeof(path), "%s", at("state.jsonl"));
	whole = size_of(path);
	for (n = whole; n >= before; n--) {
		assert_int_equal(truncate(path, n), 0);
		s = open_store();
		assert_false(store_is_damaged(s));
		assert_int_equal(taken(s, "a"), n == whole ? 2 : 1);
		assert_int_equal(taken(s, "b"), 1);
		store_free(s);
	}
	assert_int_equal(size_of(at("state.jsonl.bad")), -1);
}

TEST(a_damaged_line_is_kept_for_people_and_the_others_count)
{
	struct store *s = first_life();
	char text[4096];
	ssize_t n;
	int fd;

	store_free(s);
	fd = open(at("state.jsonl"), O_RDWR | O_APPEND);
	assert_int_equal(write(fd, "{\"rule\":\"a\",\n", 13), 13);
	n = pread(fd, text, sizeof(text), 0);
	assert_int_equal(pwrite(fd, text, (size_t)n, 0), n);
	close(fd);
	n = size_of(at("state.jsonl"));
	s = open_store();
	assert_true(store_is_damaged(s));
	assert_int_equal(taken(s, "a"), 1);
	assert_int_equal(taken(s, "b"), 1);
	assert_int_equal(size_of(at("state.jsonl.bad")), n);
	store_free(s);
}

TEST(an_odd_line_of_any_kind_is_damage)
{
	static const char *const odd[] = { "\n", "x\n", "{}\n", "[]\n", "\xff\xfe\n",
		"null\n" };
	struct store *s;
	size_t i;

	store_free(first_life());
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		write_file(at("state.jsonl"), odd[i], strlen(odd[i]));
		s = open_store();
		assert_true(store_is_damaged(s));
		store_free(s);
	}
	write_file(at("state.jsonl"), "\0\0\n", 3);
	s = open_store();
	assert_true(store_is_damaged(s));
	store_free(s);
}

TEST(an_empty_or_missing_file_is_no_damage)
{
	struct store *s = open_store();

	assert_false(store_is_damaged(s));
	store_free(s);
	write_file(at("state.jsonl"), "", 0);
	s = open_store();
	assert_false(store_is_damaged(s));
	store_free(s);
}

TEST(a_second_daemon_on_the_same_state_is_refused)
{
	struct store *s = first_life(), *other = store_new(dir, &trust);
	char why[256] = "";

	assert_false(store_open(other, why, sizeof(why)));
	assert_non_null(strstr(why, "another watchpathd is running"));
	store_free(other);
	store_free(s);
	store_free(open_store());
}

TEST(the_lock_of_a_dead_daemon_is_taken)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		store_begin(open_store());
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	store_free(first_life());
}

static void
begin_hanging(void)
{
	snprintf(hang, sizeof(hang), "%s/hang", sandbox);
	write_file(hang, "", 0);
}

static void
end_hanging(void)
{
	assert_int_equal(unlink(hang), 0);
	while (wait(NULL) > 0)
		;
}

TEST(the_child_that_waits_for_the_disk_does_not_have_the_lock)
{
	struct store *s = first_life();

	begin_hanging();
	assert_true(store_begin(s));
	put(s, "a", 2);
	put(s, "b", 2);
	assert_true(store_end(s, false));
	store_free(s);
	s = open_store();
	assert_int_equal(taken(s, "b"), 2);
	store_free(s);
	end_hanging();
}

TEST(without_a_child_it_waits_for_the_disk_itself)
{
	struct store *s = first_life();

	assert_true(store_begin(s));
	put(s, "a", 2);
	put(s, "b", 2);
	syncs = 0;
	childless = true;
	assert_true(store_end(s, false));
	childless = false;
	assert_true(syncs > 0);
	assert_true(mono_is_never(store_deadline(s)));
	assert_null(store_problem(s));
	put(s, "a", 3);
	store_free(s);
	s = open_store();
	assert_int_equal(taken(s, "a"), 3);
	assert_int_equal(taken(s, "b"), 2);
	store_free(s);
}

TEST(a_disk_that_hangs_keeps_nobody_waiting)
{
	struct store *s = first_life();

	/* Whoever waited for it would wait until the alarm. */
	begin_hanging();
	assert_true(store_begin(s));
	put(s, "a", 2);
	put(s, "b", 2);
	assert_true(store_end(s, false));
	put(s, "a", 3);
	assert_false(store_due(s, later(60)));
	assert_int_equal(unlink(hang), 0);
	syncs = 0;
	finish_rewrite(s);
	assert_int_equal(syncs, 0);
	store_free(s);
	s = open_store();
	assert_int_equal(taken(s, "a"), 3);
	assert_int_equal(taken(s, "b"), 2);
	store_free(s);
}

static void recover(struct store *s);

TEST(a_disk_that_does_not_take_the_new_file_leaves_the_old_one)
{
	struct store *s = first_life();

	broken = true;
	assert_true(store_begin(s));
	put(s, "a", 2);
	assert_true(store_end(s, false));
	while (store_problem(s) == NULL) {
		assert_false(store_due(s, later(1)));
		usleep(1000);
	}
	put(s, "a", 3);
	assert_true(store_due(s, later(11)));
	put(s, "a", 4);
	assert_false(store_end(s, true));
	put(s, "a", 5);
	broken = false;
	recover(s);
}

/* Puts a until the file is due to be written anew. */
static bool
fill(struct store *s, size_t lines)
{
	uint64_t i;

	for (i = 1; i <= lines; i++) {
		if (store_due(s, mono_now()))
			return true;
		put(s, "a", i);
	}
	return false;
}

TEST(a_stale_file_is_written_anew_and_what_comes_meanwhile_is_kept)
{
	struct store *s = first_life();

	assert_true(fill(s, 1000000));
	assert_true(size_of(at("state.jsonl")) > 1024 * 1024);
	assert_true(size_of(at("state.jsonl")) < 1100 * 1024);
	put(s, "a", 11);
	put(s, "b", 12);
	assert_true(store_end(s, false));
	put(s, "b", 13);
	put(s, "c", 14);
	finish_rewrite(s);
	assert_null(store_problem(s));
	assert_true(size_of(at("state.jsonl")) < 4096);
	put(s, "c", 15);
	store_free(s);
	s = open_store();
	assert_int_equal(taken(s, "a"), 11);
	assert_int_equal(taken(s, "b"), 13);
	assert_int_equal(taken(s, "c"), 15);
	store_free(s);
}

TEST(a_load_of_many_rules_is_few_writes_and_one_wait_for_the_disk)
{
	struct store *s = open_store();
	char rule[16];
	int i;

	assert_true(store_begin(s));
	writes = syncs = 0;
	for (i = 0; i < 10000; i++) {
		snprintf(rule, sizeof(rule), "rule-%d", i);
		put(s, rule, (uint64_t)i);
	}
	assert_true(store_end(s, true));
	/* The file and its directory; and 64 KiB at a time. */
	assert_int_equal(syncs, 2);
	assert_true(size_of(at("state.jsonl")) > 400000);
	assert_true(writes <= size_of(at("state.jsonl")) / 65536 + 1);
	store_free(s);
	s = open_store();
	assert_int_equal(taken(s, "rule-0"), 0);
	assert_int_equal(taken(s, "rule-9999"), 9999);
	store_free(s);
}

TEST(a_crash_while_the_new_file_is_written_costs_nothing)
{
	struct store *s = first_life();

	assert_true(store_begin(s));
	put(s, "a", 20);
	store_free(s);
	s = open_store();
	assert_false(store_is_damaged(s));
	assert_int_equal(taken(s, "a"), 20);
	assert_int_equal(taken(s, "b"), 1);
	store_free(s);
}

TEST(a_load_in_the_middle_of_a_rewrite_leaves_no_child_behind)
{
	struct store *s = first_life();

	assert_true(store_begin(s));
	put(s, "a", 2);
	assert_true(store_end(s, false));
	assert_true(store_begin(s));
	put(s, "a", 3);
	put(s, "b", 3);
	assert_true(store_end(s, true));
	assert_true(mono_is_never(store_deadline(s)));
	errno = 0;
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	store_free(s);
	s = open_store();
	assert_int_equal(taken(s, "a"), 3);
	assert_int_equal(taken(s, "b"), 3);
	store_free(s);
}

/* A later life in which only a is in force. */
static void
live_with_a(void)
{
	struct store *s = open_store();
	struct record known;

	assert_true(store_begin(s));
	put(s, "a", 9);
	if (store_take(s, "a", &known))
		record_clear(&known);
	assert_true(store_end(s, true));
	store_free(s);
}

static void
leave(int64_t days_ago)
{
	struct store *s = open_store();
	struct record r = { .rule = xstrdup("b"), .runs = 4 };
	char *line;

	assert_true(store_begin(s));
	store_leave(s, &r);
	assert_null(r.rule);
	assert_true(store_end(s, true));
	store_free(s);
	r = (struct record){ .rule = xstrdup("b"), .runs = 4 };
	r.left = realtime_ns() - days_ago * DAY;
	line = record_print(&r);
	write_file(at("state.jsonl"), line, strlen(line));
	free(line);
	record_clear(&r);
}

TEST(a_rule_that_is_not_in_force_is_kept_for_90_days)
{
	struct store *s;
	int i;

	leave(89);
	for (i = 0; i < 3; i++)
		live_with_a();
	s = open_store();
	assert_int_equal(taken(s, "b"), 4);
	store_free(s);
	leave(91);
	live_with_a();
	s = open_store();
	assert_int_equal(taken(s, "b"), -1);
	assert_int_equal(taken(s, "a"), 9);
	store_free(s);
}

TEST(a_clock_that_was_ahead_keeps_a_record_no_longer)
{
	struct store *s;
	struct record r;

	leave(-365);
	live_with_a();
	s = open_store();
	assert_true(store_take(s, "b", &r));
	assert_true(r.left > 0 && r.left <= realtime_ns());
	record_clear(&r);
	store_free(s);
}

TEST(a_rule_that_just_left_is_found_again)
{
	struct store *s = first_life();
	struct record r = { .rule = xstrdup("b"), .runs = 6 };

	store_leave(s, &r);
	assert_int_equal(taken(s, "b"), 6);
	store_free(s);
	s = open_store();
	assert_int_equal(taken(s, "b"), 6);
	store_free(s);
}

/* Saving has failed: after a while all are asked for, and put again. */
static void
recover(struct store *s)
{
	assert_non_null(store_problem(s));
	assert_false(store_due(s, mono_now()));
	assert_false(mono_is_never(store_deadline(s)));
	assert_true(store_due(s, later(11)));
	put(s, "a", 30);
	put(s, "b", 31);
	assert_true(store_end(s, true));
	assert_null(store_problem(s));
	store_free(s);
	s = open_store();
	assert_int_equal(taken(s, "a"), 30);
	assert_int_equal(taken(s, "b"), 31);
	store_free(s);
}

TEST(a_directory_that_is_removed_is_made_again)
{
	struct store *s = first_life();

	remove_tree(dir);
	put(s, "a", 2);
	recover(s);
}

TEST(a_directory_that_is_renamed_is_left_and_made_again)
{
	struct store *s = first_life();
	char away[PATH_MAX + 16];

	snprintf(away, sizeof(away), "%s/away", sandbox);
	assert_int_equal(rename(dir, away), 0);
	put(s, "a", 2);
	recover(s);
}

TEST(a_directory_that_is_replaced_is_locked_anew)
{
	struct store *s = first_life(), *other = store_new(dir, &trust);
	char away[PATH_MAX + 16], why[256];

	snprintf(away, sizeof(away), "%s/away", sandbox);
	assert_int_equal(rename(dir, away), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	write_file(at("lock"), "", 0);
	put(s, "a", 2);
	assert_non_null(store_problem(s));
	assert_true(store_due(s, later(11)));
	put(s, "a", 3);
	assert_true(store_end(s, true));
	assert_false(store_open(other, why, sizeof(why)));
	store_free(other);
	store_free(s);
}

TEST(a_removed_file_is_written_again)
{
	struct store *s = first_life();

	assert_int_equal(unlink(at("state.jsonl")), 0);
	put(s, "a", 2);
	recover(s);
}

TEST(a_replaced_file_is_noticed)
{
	struct store *s = first_life();

	assert_int_equal(unlink(at("state.jsonl")), 0);
	write_file(at("state.jsonl"), "", 0);
	put(s, "a", 2);
	recover(s);
}

TEST(what_another_daemon_has_locked_is_not_written)
{
	struct store *s = first_life(), *other;

	assert_int_equal(unlink(at("lock")), 0);
	other = first_life();
	put(s, "a", 99);
	assert_false(store_due(s, later(11)));
	assert_non_null(store_problem(s));
	put(other, "a", 5);
	store_free(s);
	store_free(other);
	s = open_store();
	assert_int_equal(taken(s, "a"), 5);
	store_free(s);
}

TEST(a_file_in_the_place_of_the_directory_is_a_problem_that_can_end)
{
	struct store *s;

	write_file(dir, "", 0);
	s = open_store();
	assert_non_null(store_problem(s));
	assert_false(store_begin(s));
	put(s, "a", 1);
	assert_int_equal(unlink(dir), 0);
	recover(s);
}

/* A line that fits only in part, as on a full disk: RLIMIT_FSIZE cuts it. */
static void
limit_size(off_t size)
{
	struct rlimit l;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = size != 0 ? (rlim_t)size : l.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

TEST(a_full_disk_leaves_whole_lines_and_is_a_problem_that_can_end)
{
	struct store *s = first_life();
	off_t size = size_of(at("state.jsonl"));

	signal(SIGXFSZ, SIG_IGN);
	limit_size(size + 10);
	put(s, "a", 2);
	put(s, "a", 3);
	assert_int_equal(size_of(at("state.jsonl")), size);
	assert_true(store_due(s, later(11)));
	put(s, "a", 2);
	put(s, "b", 2);
	put(s, "c", 2);
	assert_false(store_end(s, true));
	assert_int_equal(size_of(at("state.jsonl")), size);
	limit_size(0);
	recover(s);
}

/* Something else stands where a file should be. */
static void
meet_odd_files(const char *name, bool damaged)
{
	char target[PATH_MAX + 16];
	struct store *s;

	snprintf(target, sizeof(target), "%s/target", sandbox);
	write_file(target, "keep", 4);
	unlink(at(name));
	assert_int_equal(symlink(target, at(name)), 0);
	s = open_store();
	assert_int_equal(store_is_damaged(s), damaged);
	taken(s, "a");
	taken(s, "b");
	store_begin(s);
	put(s, "a", 1);
	store_end(s, true);
	store_free(s);
	assert_int_equal(size_of(target), 4);

	unlink(at(name));
	assert_int_equal(mkfifo(at(name), 0600), 0);
	s = open_store();
	assert_int_equal(store_is_damaged(s), damaged);
	taken(s, "a");
	taken(s, "b");
	store_begin(s);
	put(s, "a", 1);
	store_end(s, true);
	store_free(s);

	unlink(at(name));
	assert_int_equal(mkdir(at(name), 0700), 0);
	s = open_store();
	assert_int_equal(store_is_damaged(s), damaged);
	taken(s, "a");
	taken(s, "b");
	store_begin(s);
	put(s, "a", 1);
	assert_true(store_end(s, true));
	assert_null(store_problem(s));
	store_free(s);
}

TEST(a_link_fifo_or_directory_for_the_state_is_never_followed)
{
	store_free(first_life());
	meet_odd_files("state.jsonl", true);
}

TEST(a_link_fifo_or_directory_for_the_new_state_is_never_followed)
{
	store_free(first_life());
	meet_odd_files("state.jsonl.new", false);
}

TEST(a_fifo_for_the_lock_does_not_block)
{
	struct store *s;

	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(mkfifo(at("lock"), 0600), 0);
	s = open_store();
	store_begin(s);
	store_free(s);
}

TEST(a_link_for_the_lock_is_not_followed)
{
	char target[PATH_MAX + 16];
	struct store *s;

	snprintf(target, sizeof(target), "%s/target", sandbox);
	write_file(target, "keep", 4);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(symlink(target, at("lock")), 0);
	s = open_store();
	assert_null(store_problem(s));
	assert_int_equal(size_of(target), 4);
	assert_int_equal(access(at("lock.bad"), F_OK), 0);
	store_free(s);
}

/* Truncated and written to, it would be whatever file root has. */
TEST(a_hard_link_for_the_lock_is_left_as_it_is)
{
	char target[PATH_MAX + 16];
	struct store *s;

	snprintf(target, sizeof(target), "%s/target", sandbox);
	write_file(target, "keep", 4);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(link(target, at("lock")), 0);
	s = open_store();
	assert_null(store_problem(s));
	assert_int_equal(size_of(target), 4);
	assert_true(store_begin(s) && store_end(s, true));
	store_free(s);
}

TEST(what_others_could_write_is_set_aside_and_not_believed)
{
	static const char *const names[] = { "state.jsonl", "state.jsonl.new",
		"history.jsonl", "history.jsonl.1", "watchpathd.sock" };
	struct store *s = first_life();
	char aside[32];
	size_t i;

	store_free(s);
	for (i = 1; i < 5; i++)
		write_file(at(names[i]), "x", 1);
	assert_int_equal(chmod(dir, 0777), 0);
	s = open_store();
	assert_null(store_problem(s));
	assert_non_null(strstr(
	    store_note(s), "writable by group and others (mode 0777) until now: "));
	assert_non_null(strstr(store_note(s), "every rule counts as changed"));
	assert_true(store_is_damaged(s));
	assert_int_equal(taken(s, "a"), -1);
	for (i = 0; i < 5; i++) {
		snprintf(aside, sizeof(aside), "%.15s.bad", names[i]);
		assert_int_equal(size_of(at(names[i])), -1);
		assert_true(size_of(at(aside)) > 0);
	}
	assert_true(store_begin(s));
	put(s, "a", 5);
	assert_true(store_end(s, true));
	store_free(s);
	s = open_store();
	assert_null(store_note(s));
	assert_false(store_is_damaged(s));
	assert_int_equal(taken(s, "a"), 5);
	store_free(s);
}

TEST(a_state_that_others_could_write_is_set_aside_alone)
{
	struct store *s = first_life();

	store_free(s);
	assert_int_equal(chmod(at("state.jsonl"), 0666), 0);
	s = open_store();
	assert_true(store_is_damaged(s));
	assert_int_equal(taken(s, "a"), -1);
	assert_int_equal(size_of(at("state.jsonl")), -1);
	assert_true(size_of(at("state.jsonl.bad")) > 0);
	store_free(s);
}

TEST(nothing_is_used_below_what_others_may_write_until_that_is_repaired)
{
	struct store *s = first_life();

	store_free(s);
	assert_int_equal(chmod(sandbox, 0777), 0);
	s = open_store();
	assert_non_null(strstr(store_problem(s),
	    "the state cannot be saved, and nothing in its directory is used: "));
	assert_true(store_is_damaged(s));
	assert_int_equal(taken(s, "a"), -1);
	assert_false(store_begin(s));
	assert_non_null(strstr(store_problem(s), "nothing in its directory is used"));
	assert_int_equal(chmod(sandbox, 0700), 0);
	assert_true(store_due(s, store_deadline(s)));
	put(s, "a", 7);
	assert_true(store_end(s, true));
	assert_null(store_problem(s));
	store_free(s);
	s = open_store();
	assert_int_equal(taken(s, "a"), 7);
	store_free(s);
}

TEST(a_fifo_for_the_damaged_copy_does_not_block)
{
	struct store *s;
	struct stat st;

	store_free(first_life());
	write_file(at("state.jsonl"), "x\n", 2);
	assert_int_equal(mkfifo(at("state.jsonl.bad"), 0600), 0);
	s = open_store();
	assert_true(store_is_damaged(s));
	store_free(s);
	assert_int_equal(lstat(at("state.jsonl.bad"), &st), 0);
	assert_true(S_ISREG(st.st_mode));
}
