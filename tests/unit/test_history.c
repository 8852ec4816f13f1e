/* SPDX-License-Identifier: MIT */
/*
 * What ran, as it is added and read: both files, oldest first, and whatever a
 * crash or a person has left in them.
 */

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/history.h"
#include "trust/trust.h"
#include "base/util.h"
#include "test.h"

static char dir[SANDBOX_SIZE], path[96], old_path[96];
static struct trust trust;
static int order[64];
static size_t nread;
static int opens;

int
open(const char *name, int flags, ...)
{
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(ap, int) : 0;
	va_end(ap);
	opens++;
	return LIBC(open)(name, flags, mode);
}

SET_UP
{
	trust = (struct trust){ .owner = geteuid() };
	make_sandbox(dir);
	snprintf(path, sizeof(path), "%s/history.jsonl", dir);
	snprintf(old_path, sizeof(old_path), "%s/history.jsonl.1", dir);
	alarm(60);
}

TEAR_DOWN
{
	alarm(0);
	remove_tree(dir);
}

static const mono_t now = { 1000 * MONO_SEC };

static char *
line_of(const char *rule, int n)
{
	return xasprintf("{\"rule\":\"%s\",\"n\":%d}\n", rule, n);
}

static bool
add_line(char *line)
{
	struct history *h = history_new(dir, &trust);
	bool ok;

	history_add(h, line);
	history_write(h, false, now);
	ok = history_problem(h) == NULL;
	history_free(h);
	return ok;
}

static bool
add(const char *rule, int n)
{
	return add_line(line_of(rule, n));
}

static void
note(void *arg, const cJSON *line)
{
	(void)arg;
	if (nread < sizeof(order) / sizeof(order[0]))
		order[nread] = cJSON_GetObjectItemCaseSensitive(line, "n")->valueint;
	nread++;
}

static int
read_all(const char *rule)
{
	nread = 0;
	return history_read(dir, rule, note, NULL);
}

static void
append(const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static off_t
size_of(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 ? st.st_size : -1;
}

TEST(lines_come_back_in_their_order)
{
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(nread, 0);
	assert_true(add("a", 1) && add("b", 2) && add("a", 3));
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(nread, 3);
	assert_int_equal(order[0] * 100 + order[1] * 10 + order[2], 123);
	assert_int_equal(read_all("a"), 0);
	assert_int_equal(nread, 2);
	assert_int_equal(order[0] * 10 + order[1], 13);
	assert_int_equal(read_all("none"), 0);
	assert_int_equal(nread, 0);
}

/* How often something is opened for so many lines that wait. */
static int
opens_for(int lines)
{
	struct history *h = history_new(dir, &trust);
	int i;

	for (i = 0; i < lines; i++)
		history_add(h, line_of("a", i));
	opens = 0;
	history_write(h, false, now);
	i = opens;
	assert_null(history_problem(h));
	history_free(h);
	return i;
}

TEST(lines_that_wait_together_cost_no_more_opens_than_one)
{
	int one = opens_for(1);

	assert_true(one > 0);
	assert_int_equal(opens_for(16), one);
	assert_int_equal(opens_for(0), 0);
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(nread, 17);
	assert_int_equal(order[16], 15);
}

TEST(rules_of_a_state_are_read_too)
{
	char state[96];

	nread = 0;
	assert_int_equal(history_read_state(dir, note, NULL), 0);
	assert_int_equal(nread, 0);
	snprintf(state, sizeof(state), "%s/state.jsonl", dir);
	assert_int_equal(rename(path, state), -1);
	append("{\"rule\":\"a\",\"n\":7}\n{\"rule\":\"b\",\"n\":8}\n{\"rule\":\"c");
	assert_int_equal(rename(path, state), 0);
	assert_int_equal(history_read_state(dir, note, NULL), 0);
	assert_int_equal(nread, 2);
	assert_int_equal(order[0] * 10 + order[1], 78);
}

static const size_t line_length = sizeof("{\"rule\":\"a\",\"n\":1}\n") - 1;

/* A history with line 1, that has room for one more. */
static void
fill(void)
{
	char *pad = malloc(HISTORY_MAX);

	assert_non_null(pad);
	memset(pad, ' ', HISTORY_MAX);
	pad[HISTORY_MAX - 2 * line_length - 1] = '\n';
	pad[HISTORY_MAX - 2 * line_length] = '\0';
	append("{\"rule\":\"a\",\"n\":1}\n");
	append(pad);
	free(pad);
	assert_int_equal(size_of(path), HISTORY_MAX - line_length);
}

/* Lines 2 and 3 were added. */
static void
expect_new_file(void)
{
	assert_int_equal(size_of(old_path), HISTORY_MAX);
	assert_int_equal(size_of(path), line_length);
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(nread, 3);
	assert_int_equal(order[0] * 100 + order[1] * 10 + order[2], 123);
}

TEST(past_one_megabyte_it_begins_a_new_file_and_both_are_read)
{
	fill();
	assert_true(add("a", 2));
	assert_int_equal(size_of(path), HISTORY_MAX);
	assert_int_equal(size_of(old_path), -1);
	assert_true(add("a", 3));
	expect_new_file();
}

TEST(a_new_file_may_begin_between_lines_that_wait)
{
	struct history *h = history_new(dir, &trust);

	fill();
	history_add(h, line_of("a", 2));
	history_add(h, line_of("a", 3));
	history_write(h, false, now);
	assert_null(history_problem(h));
	history_free(h);
	expect_new_file();
}

TEST(a_line_longer_than_the_limit_is_written_all_the_same)
{
	char *line = malloc(HISTORY_MAX + 64);

	assert_non_null(line);
	memset(line, ' ', HISTORY_MAX + 64);
	memcpy(line, "{\"rule\":\"a\",\"n\":1}", 18);
	memcpy(line + HISTORY_MAX + 62, "\n", 2);
	assert_true(add_line(line));
	assert_true(add("a", 2));
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(nread, 2);
}

TEST(a_torn_last_line_does_not_take_the_next_one_with_it)
{
	assert_true(add("a", 1));
	append("{\"rule\":\"a\",\"n\":");
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(nread, 1);
	assert_true(add("a", 2));
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(nread, 2);
	/* A torn line that would be whole, had it its newline, is not counted. */
	append("{\"rule\":\"a\",\"n\":3}");
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(nread, 2);
}

TEST(odd_lines_are_passed_over)
{
	append("\n\n[]\n{}\nnull\n{\"rule\":1,\"n\":9}\n{\"Rule\":\"a\",\"n\":9}\n");
	append("{\"rule\":\"a\",\"n\":9} x\n\xff\xfe\n");
	assert_true(add("a", 1));
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(nread, 1);
	assert_int_equal(order[0], 1);
}

/* Adds a line while the file may only grow by so much, which is too little. */
static void
add_without_room(off_t room, int n)
{
	struct rlimit l;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = (rlim_t)(size_of(path) + room);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
	assert_false(add("a", n));
	l.rlim_cur = l.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

TEST(a_torn_line_stays_as_it_is_where_it_cannot_be_ended)
{
	append("{\"rule\"");
	add_without_room(0, 1);
	assert_int_equal(size_of(path), strlen("{\"rule\""));
}

TEST(a_line_that_fits_only_in_part_is_cut_off_again)
{
	assert_true(add("a", 1));
	add_without_room(5, 2);
	assert_int_equal(size_of(path), strlen("{\"rule\":\"a\",\"n\":1}\n"));
	assert_true(add("a", 3));
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(nread, 2);
	assert_int_equal(order[1], 3);
}

/* Whoever put them there; and they are in nobody's way. */
TEST(a_fifo_link_or_directory_is_neither_followed_nor_waited_for)
{
	char target[96];

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_true(add("a", 1));
	assert_int_equal(unlink(path), 0);
	snprintf(target, sizeof(target), "%.64s/target", dir);
	assert_int_equal(symlink(target, path), 0);
	assert_true(add("a", 2));
	assert_int_equal(size_of(target), -1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(read_all(NULL), -1);
	assert_int_equal(errno, EISDIR);
	assert_true(add("a", 3));
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(order[0] * 10 + (int)nread, 31);
}

/* What root reads elsewhere must not get a line of ours at its end. */
TEST(a_hard_link_is_not_written_to)
{
	char target[96];

	snprintf(target, sizeof(target), "%.64s/target", dir);
	append("");
	must(rename(path, target));
	must(link(target, path));
	assert_true(add("a", 1));
	assert_int_equal(size_of(target), 0);
	must(chmod(path, 0666));
	assert_true(add("a", 2));
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(order[0] * 10 + (int)nread, 21);
}

TEST(a_history_in_a_place_of_others_is_not_written)
{
	struct history *h;
	char real[96], link_path[96];

	snprintf(real, sizeof(real), "%.64s/real", dir);
	snprintf(link_path, sizeof(link_path), "%.64s/link", dir);
	must(mkdir(real, 0700));
	must(symlink(real, link_path));
	h = history_new(link_path, &trust);
	history_add(h, line_of("a", 1));
	history_write(h, false, now);
	assert_non_null(strstr(history_problem(h), "nothing in its directory is used"));
	assert_non_null(strstr(history_problem(h), "a symbolic link, not a directory"));
	history_free(h);
}

TEST(a_directory_in_the_way_of_the_old_file_is_set_aside)
{
	char aside[128];

	assert_int_equal(mkdir(old_path, 0700), 0);
	append("{\"rule\":\"a\",\"n\":1}\n");
	assert_int_equal(truncate(path, HISTORY_MAX), 0);
	assert_true(add("a", 2));
	assert_true(size_of(path) < HISTORY_MAX);
	snprintf(aside, sizeof(aside), "%s.bad", old_path);
	assert_int_equal(rmdir(aside), 0);
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(order[0] * 10 + order[1], 12);
}

static char away[96];

/* As on a full disk: the directory is not there. */
static struct history *
new_that_fails(int lines)
{
	struct history *h = history_new(dir, &trust);
	int i;

	snprintf(away, sizeof(away), "%.64s.away", dir);
	must(rename(dir, away));
	for (i = 1; i <= lines; i++)
		history_add(h, line_of("a", i));
	history_write(h, false, now);
	assert_non_null(history_problem(h));
	return h;
}

TEST(lines_wait_until_they_can_be_written)
{
	struct history *h = new_that_fails(2);
	const mono_t later = mono_add(now, 10 * MONO_SEC);

	assert_non_null(strstr(history_problem(h), path));
	assert_int_equal(history_deadline(h).ns, later.ns);
	must(rename(away, dir));
	history_add(h, line_of("a", 3));
	history_write(h, false, mono_add(later, -1));
	assert_non_null(history_problem(h));
	assert_int_equal(size_of(path), -1);
	history_write(h, false, later);
	assert_null(history_problem(h));
	assert_true(mono_is_never(history_deadline(h)));
	history_free(h);
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(nread, 3);
	assert_int_equal(order[0] * 100 + order[1] * 10 + order[2], 123);
}

TEST(the_last_write_of_all_does_not_wait)
{
	struct history *h = new_that_fails(1);

	must(rename(away, dir));
	history_write(h, true, now);
	assert_null(history_problem(h));
	history_free(h);
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(nread, 1);
}

TEST(of_more_than_a_thousand_that_wait_the_oldest_go)
{
	struct history *h = new_that_fails(HISTORY_WAITING + 3);

	must(rename(away, dir));
	history_write(h, true, now);
	history_free(h);
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(nread, HISTORY_WAITING);
	assert_int_equal(order[0], 4);
}
