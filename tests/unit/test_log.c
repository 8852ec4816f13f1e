/* SPDX-License-Identifier: MIT */
/*
 * The log: what is written, when, where to, and that nothing it meets ends it.
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
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "base/number.h"
#include "test.h"

#define FULL (5 * 1024 * 1024)

static char root[PATH_MAX];
static int real_stderr;

static const char *
at(const char *name)
{
	return path_in(root, name);
}

/* The whole file, or NULL; good until the next call. */
static const char *
content(const char *name)
{
	static char *text;
	struct stat st;
	int fd = open(at(name), O_RDONLY);

	if (fd == -1)
		return NULL;
	assert_int_equal(fstat(fd, &st), 0);
	free(text);
	text = xcalloc((size_t)st.st_size + 1, 1);
	assert_int_equal(read(fd, text, (size_t)st.st_size), st.st_size);
	close(fd);
	return text;
}

static size_t
lines(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

/* What stands on a line behind the time. */
static void
expect_line(const char *name, const char *line)
{
	const char *text = content(name);

	assert_non_null(text);
	assert_int_equal(lines(text), 1);
	assert_int_equal(text[24], ' ');
	assert_int_equal(strlen(text), 25 + strlen(line) + 1);
	assert_memory_equal(text + 25, line, strlen(line));
}

static struct log_rule rule;

/* stderr goes to a file of that name in the sandbox. */
SET_UP
{
	int fd;

	make_sandbox(root);
	real_stderr = dup(STDERR_FILENO);
	fd = open(at("stderr"), O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, STDERR_FILENO);
	close(fd);
	log_set_level(LOG_LEVEL_INFO);
	log_rule_init(&rule, "rule");
	log_rule_run(&rule);
}

TEAR_DOWN
{
	log_set_sink(NULL);
	log_close();
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	remove_tree(root);
}

TEST(a_line_has_time_level_and_text)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ ";
	const char *text;
	int64_t ns;
	char time[25];
	size_t i;

	log_info("%s is %d", "x", 5);
	log_flush();
	expect_line("stderr", "info: x is 5");
	text = content("stderr");
	for (i = 0; i < sizeof(form) - 1; i++)
		if (form[i] != 'd')
			assert_int_equal(text[i], form[i]);
	memcpy(time, text, 24);
	time[24] = '\0';
	assert_true(parse_time(time, &ns));
	assert_true(ns <= realtime_ns() && ns > realtime_ns() - INT64_C(60000000000));
}

TEST(lines_wait_until_the_flush_and_errors_do_not)
{
	log_info("one");
	log_warning("two");
	log_output(&rule, "three", 5);
	log_at(LOG_LEVEL_ERROR, "%s", "one of a rule");
	log_at(LOG_LEVEL_DEBUG, "%s", "nothing");
	assert_string_equal(content("stderr"), "");
	log_flush();
	assert_int_equal(lines(content("stderr")), 4);
	assert_non_null(strstr(content("stderr"), "error: one of a rule\n"));
	log_info("four");
	assert_int_equal(lines(content("stderr")), 4);
	log_error("five");
	assert_int_equal(lines(content("stderr")), 6);
	assert_non_null(strstr(content("stderr"), "error: five\n"));
	log_flush();
	assert_int_equal(lines(content("stderr")), 6);
}

TEST(a_full_buffer_is_written)
{
	char line[1025];
	int i;

	memset(line, 'x', 1024);
	line[1024] = '\0';
	for (i = 0; i < 60; i++)
		log_info("%s", line);
	assert_string_equal(content("stderr"), "");
	for (i = 0; i < 10; i++)
		log_info("%s", line);
	assert_true(lines(content("stderr")) >= 60);
	log_flush();
	assert_int_equal(lines(content("stderr")), 70);
}

TEST(a_line_stays_one_line)
{
	log_info("a\nb\r\033[2J\x80 \xc3\xbc");
	log_flush();
	expect_line("stderr", "info: a\\012b\\015\\033[2J\\200 \xc3\xbc");
}

TEST(output_is_cut_nowhere_and_named)
{
	rule.name = "rule-of-48-characters-which-is-the-longest-name-";
	log_output(&rule, "a\0b\n", 4);
	log_flush();
	expect_line("stderr",
	    "output: rule-of-48-characters-which-is-the-longest-name-: a\\000b\\012");
}

TEST(lines_above_the_level_are_dropped)
{
	log_debug("no");
	log_set_level(LOG_LEVEL_WARNING);
	log_info("no");
	log_output(&rule, "no", 2);
	log_warning("yes");
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("no");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("yes");
	log_flush();
	assert_int_equal(lines(content("stderr")), 2);
	assert_null(strstr(content("stderr"), "no"));
	assert_non_null(strstr(content("stderr"), "warning: yes\n"));
	assert_non_null(strstr(content("stderr"), "debug: yes\n"));
}

TEST(a_rule_has_room_for_some_lines_in_a_while)
{
	const char *text;
	unsigned i;

	for (i = 0; i < LOG_RULE_LINES + 3; i++)
		log_rule_at(&rule, LOG_LEVEL_INFO, "line %u", i);
	log_rule_at(&rule, LOG_LEVEL_DEBUG, "not asked for, and not missing");
	log_at(LOG_LEVEL_INFO, "an outcome");
	log_due(mono_now());
	log_flush();
	text = content("stderr");
	assert_int_equal(lines(text), LOG_RULE_LINES + 1);
	assert_non_null(strstr(text, ": line 19\n"));
	assert_null(strstr(text, ": line 20\n"));
	assert_non_null(strstr(text, ": an outcome\n"));
	/* It says so when the time is over, also if nothing more comes. */
	assert_int_equal(mono_sub(log_deadline(), rule.until), 0);
	log_due(rule.until);
	assert_true(mono_is_never(log_deadline()));
	log_flush();
	assert_non_null(strstr(content("stderr"),
	    "info: rule: 3 more lines were not logged: in 10 s there is room for 20\n"));
	rule.until = mono_now();
	log_rule_at(&rule, LOG_LEVEL_INFO, "as before");
	log_flush();
	assert_non_null(strstr(content("stderr"), "info: as before\n"));
	assert_int_equal(lines(content("stderr")), LOG_RULE_LINES + 3);
}

TEST(what_is_missing_is_said_before_the_next_line_and_at_the_end)
{
	const char *text;
	unsigned i;

	for (i = 0; i < LOG_RULE_LINES + 1; i++)
		log_rule_at(&rule, LOG_LEVEL_INFO, "line");
	rule.until = mono_now();
	for (i = 0; i < LOG_RULE_LINES + 2; i++)
		log_rule_at(&rule, LOG_LEVEL_INFO, "next");
	log_rule_clear(&rule);
	assert_true(mono_is_never(log_deadline()));
	log_flush();
	text = content("stderr");
	assert_non_null(strstr(text, "rule: 1 more line was not logged"));
	assert_true(strstr(text, "1 more line was") < strstr(text, "info: next"));
	assert_non_null(strstr(text, "rule: 2 more lines were not logged"));
}

TEST(a_rules_line_has_a_longest_length)
{
	char path[5000];
	const char *text;

	memset(path, 'p', sizeof(path));
	path[LOG_LINE_MAX] = '\0';
	log_rule_at(&rule, LOG_LEVEL_INFO, "%s", path);
	log_flush();
	assert_int_equal(strlen(content("stderr")), 25 + 6 + LOG_LINE_MAX + 1);
	path[LOG_LINE_MAX] = 'p';
	path[4999] = '\0';
	log_rule_at(&rule, LOG_LEVEL_INFO, "%s", path);
	log_flush();
	text = content("stderr");
	assert_non_null(strstr(text, "p… and 2951 bytes more\n"));
	assert_true(strlen(text) < 2 * (LOG_LINE_MAX + 80));
}

TEST(a_runs_output_has_its_room_as_it_stands_in_the_log)
{
	char line[1000];
	size_t n = 0, all;

	memset(line, '\1', sizeof(line));
	while (log_output(&rule, line, sizeof(line)))
		n++;
	assert_false(log_output(&rule, "x", 1));
	log_output_missing(&rule, 1001);
	log_flush();
	all = strlen(content("stderr"));
	assert_int_equal(n, LOG_RUN_MAX / (40 + 4000));
	assert_in_range(all, n * 4040, LOG_RUN_MAX + 100);
	assert_non_null(strstr(
	    content("stderr"), " output: rule: … 1001 bytes of output not logged\n"));
	log_rule_run(&rule);
	assert_true(log_output(&rule, "x", 1));
}

TEST(a_rules_output_has_its_room_in_an_hour)
{
	char line[4000];
	size_t sum = 0;
	int runs;

	memset(line, 'x', sizeof(line));
	for (runs = 0; runs < 40; runs++) {
		log_rule_run(&rule);
		while (log_output(&rule, line, sizeof(line)))
			sum += sizeof(line) + 40;
	}
	assert_in_range(sum, LOG_HOUR_MAX - 17 * 4040, LOG_HOUR_MAX);
	rule.hour_ends = mono_now();
	log_rule_run(&rule);
	assert_true(log_output(&rule, line, sizeof(line)));
}

TEST(errno_is_left_alone)
{
	assert_int_equal(log_open(at("log")), 0);
	unlink(at("log"));
	errno = EXDEV;
	log_error("x");
	log_output(&rule, "x", 1);
	log_flush();
	assert_int_equal(errno, EXDEV);
}

static struct {
	int n;
	enum log_level level;
	char line[100];
} sunk;

static void
on_line(enum log_level level, const char *line)
{
	sunk.n++;
	sunk.level = level;
	snprintf(sunk.line, sizeof(sunk.line), "%s", line);
}

TEST(the_sink_gets_every_line_but_output)
{
	memset(&sunk, 0, sizeof(sunk));
	log_set_sink(on_line);
	log_warning("a\tb");
	assert_int_equal(sunk.n, 1);
	assert_int_equal(sunk.level, LOG_LEVEL_WARNING);
	assert_string_equal(sunk.line, "a\\011b");
	log_output(&rule, "secret", 6);
	log_debug("no");
	assert_int_equal(sunk.n, 1);
	log_info("%s", "");
	assert_int_equal(sunk.n, 2);
	assert_string_equal(sunk.line, "");
	log_set_sink(NULL);
	log_info("x");
	assert_int_equal(sunk.n, 2);
}

TEST(a_file_takes_the_lines_from_stderr)
{
	struct stat st;

	log_info("before");
	assert_int_equal(log_open(at("log")), 0);
	assert_int_equal(lines(content("stderr")), 1);
	log_info("after");
	log_flush();
	expect_line("log", "info: after");
	assert_int_equal(lines(content("stderr")), 1);
	assert_int_equal(stat(at("log"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	log_close();
	assert_int_equal(log_open(at("log")), 0);
	log_info("more");
	assert_int_equal(log_open(at("other")), 0);
	assert_int_equal(lines(content("log")), 2);
	log_info("elsewhere");
	log_close();
	expect_line("other", "info: elsewhere");
	log_info("at last");
	log_flush();
	assert_non_null(strstr(content("stderr"), "at last"));
}

TEST(only_a_regular_file_will_do_and_else_the_log_stays)
{
	int fifo;

	assert_int_equal(log_open(at("log")), 0);
	assert_int_equal(symlink("target", at("link")), 0);
	assert_int_equal(log_open(at("link")), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(access(at("target"), F_OK), -1);
	assert_int_equal(log_open(at("no/such/directory")), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(log_open(root), -1);
	assert_int_equal(mkfifo(at("fifo"), 0600), 0);
	assert_int_equal(log_open(at("fifo")), -1);
	fifo = open(at("fifo"), O_RDONLY | O_NONBLOCK);
	assert_int_equal(log_open(at("fifo")), -1);
	assert_int_equal(errno, EINVAL);
	close(fifo);
	assert_int_equal(log_open("/dev/null"), -1);
	log_info("still here");
	log_flush();
	expect_line("log", "info: still here");
}

TEST(a_file_that_was_renamed_removed_or_replaced_is_followed)
{
	int fd;

	assert_int_equal(log_open(at("log")), 0);
	log_error("one");
	assert_int_equal(rename(at("log"), at("moved")), 0);
	log_error("two");
	expect_line("moved", "error: one");
	expect_line("log", "error: two");
	assert_int_equal(unlink(at("log")), 0);
	log_error("three");
	expect_line("log", "error: three");
	fd = open(at("new"), O_WRONLY | O_CREAT, 0600);
	close(fd);
	assert_int_equal(rename(at("new"), at("log")), 0);
	log_error("four");
	expect_line("log", "error: four");
	fd = open(at("log"), O_WRONLY | O_TRUNC);
	close(fd);
	log_error("five");
	expect_line("log", "error: five");
	assert_string_equal(content("stderr"), "");
}

TEST(what_cannot_be_written_goes_to_stderr_and_waits)
{
	assert_int_equal(mkdir(at("d"), 0755), 0);
	assert_int_equal(log_open(at("d/log")), 0);
	log_error("one");
	assert_int_equal(rename(at("d"), at("e")), 0);
	log_error("two");
	expect_line("stderr", "error: two");
	/* Someone put a link there meanwhile. */
	assert_int_equal(mkdir(at("d"), 0755), 0);
	assert_int_equal(symlink("../target", at("d/log")), 0);
	log_error("three");
	assert_int_equal(lines(content("stderr")), 2);
	assert_int_equal(access(at("target"), F_OK), -1);
	assert_int_equal(unlink(at("d/log")), 0);
	log_error("four");
	assert_int_equal(lines(content("d/log")), 3);
	assert_non_null(strstr(content("d/log"), "error: two\n"));
	assert_non_null(strstr(content("d/log"), "error: three\n"));
	assert_non_null(strstr(content("d/log"), "error: four\n"));
	expect_line("e/log", "error: one");
	assert_int_equal(lines(content("stderr")), 2);
}

/* No file may be longer than that, as on a full disk; -1: it may. */
static void
limit_files(long bytes)
{
	static struct rlimit old;
	struct rlimit l;

	if (bytes == -1) {
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		signal(SIGXFSZ, SIG_DFL);
		return;
	}
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	l = (struct rlimit){ .rlim_cur = (rlim_t)bytes, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

/* Logs a line of n bytes in all. */
static void
say(size_t n, int number)
{
	char text[2048];

	snprintf(text, sizeof(text), "%05d %0*d", number, (int)n - 25 - 6 - 6 - 1, 0);
	log_info("%s", text);
}

TEST(a_full_disk_tears_no_line_and_loses_none)
{
	char *full;

	assert_int_equal(log_open(at("log")), 0);
	assert_int_equal(log_failing(), 0);
	say(78, 1);
	say(78, 2);
	limit_files(100);
	log_flush();
	limit_files(-1);
	assert_int_equal(log_failing(), EFBIG);
	assert_int_equal(strlen(content("log")), 78);
	assert_int_equal(strlen(content("stderr")), 78);
	assert_non_null(strstr(content("stderr"), " 00002 "));
	log_info("room again");
	log_flush();
	assert_int_equal(log_failing(), 0);
	full = xstrdup(content("log"));
	assert_int_equal(lines(full), 3);
	assert_non_null(strstr(full, " 00001 "));
	assert_true(strstr(full, " 00002 ") < strstr(full, "room again"));
	free(full);
	/* What stderr has got already it does not get again. */
	assert_int_equal(lines(content("stderr")), 1);
}

TEST(on_a_disk_that_stays_full_the_latest_lines_are_kept)
{
	const char *text;
	unsigned missing;
	int i;

	assert_int_equal(log_open(at("log")), 0);
	say(1024, 0);
	log_flush();
	limit_files(1030);
	for (i = 1; i < 200; i++)
		say(1024, i);
	log_flush();
	assert_int_equal(strlen(content("log")), 1024);
	limit_files(-1);
	log_flush();
	text = content("log");
	assert_non_null(strstr(text, " 00199 "));
	assert_int_equal(
	    sscanf(text + 1024 + 24, " warning: %u lines are missing here", &missing), 1);
	assert_int_equal(missing + lines(text) - 1, 200);
	/* All of the others, in their order. */
	text = strchr(text + 1024, '\n') + 1;
	for (i = 200 - (int)lines(text); i < 200; i++) {
		assert_int_equal(atoi(text + 31), i);
		text = strchr(text, '\n') + 1;
	}
	assert_string_equal(text, "");
	say(1024, 200);
	log_flush();
	assert_int_equal(log_failing(), 0);
}

TEST(one_line_that_is_missing_is_one)
{
	static char line[40 * 1024];

	assert_int_equal(log_open(at("log")), 0);
	memset(line, 'x', sizeof(line) - 1);
	limit_files(100);
	log_info("%s", line);
	log_flush();
	limit_files(-1);
	log_flush();
	expect_line("log", "warning: 1 line is missing here");
}

/* Nothing can be taken back there; the rest of the line comes later. */
TEST(standard_error_that_is_full_is_gone_on_with)
{
	say(78, 1);
	say(78, 2);
	limit_files(100);
	log_flush();
	assert_int_equal(log_failing(), EFBIG);
	limit_files(-1);
	log_flush();
	assert_int_equal(log_failing(), 0);
	assert_int_equal(lines(content("stderr")), 2);
	assert_int_equal(strlen(content("stderr")), 2 * 78);
}

TEST(on_standard_error_a_gap_begins_a_line)
{
	int i;

	limit_files(100);
	for (i = 0; i < 100; i++)
		say(1024, i);
	log_flush();
	limit_files(-1);
	log_flush();
	assert_int_equal(content("stderr")[100], '\n');
	assert_non_null(strstr(content("stderr") + 101, " lines are missing here\n"));
	assert_non_null(strstr(content("stderr"), " 00099 "));
}

static void
fill(void)
{
	assert_int_equal(truncate(at("log"), FULL - 10), 0);
}

TEST(a_full_file_is_renamed_and_three_are_kept)
{
	static const char *const old[] = { "log.1", "log.2", "log.3" };
	char text[32];
	struct stat st;
	int i;

	assert_int_equal(log_open(at("log")), 0);
	for (i = 0; i < 6; i++) {
		snprintf(text, sizeof(text), "error: n%d", i);
		log_error("n%d", i);
		expect_line("log", text);
		fill();
	}
	for (i = 0; i < 3; i++) {
		assert_int_equal(stat(at(old[i]), &st), 0);
		assert_int_equal(st.st_size, FULL - 10);
		snprintf(text, sizeof(text), "error: n%d\n", 4 - i);
		assert_non_null(strstr(content(old[i]), text));
	}
	assert_int_equal(stat(at("log.4"), &st), -1);
	assert_int_equal(stat(at("log"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

TEST(a_file_that_was_full_before_is_renamed_first)
{
	struct stat st;
	int fd;

	fd = open(at("log"), O_WRONLY | O_CREAT, 0600);
	close(fd);
	fill();
	assert_int_equal(log_open(at("log")), 0);
	log_error("x");
	expect_line("log", "error: x");
	assert_int_equal(stat(at("log.1"), &st), 0);
	assert_int_equal(st.st_size, FULL - 10);
}

/* The directory belongs to no one who may rename in it, or something is odd. */
TEST(a_file_that_cannot_be_renamed_goes_on)
{
	struct stat st;

	assert_int_equal(mkdir(at("log.1"), 0755), 0);
	assert_int_equal(mkdir(at("log.1/in_the_way"), 0755), 0);
	assert_int_equal(mkdir(at("log.2"), 0755), 0);
	assert_int_equal(mkdir(at("log.2/in_the_way"), 0755), 0);
	assert_int_equal(mkdir(at("log.3"), 0755), 0);
	assert_int_equal(mkdir(at("log.3/in_the_way"), 0755), 0);
	assert_int_equal(log_open(at("log")), 0);
	log_error("one");
	fill();
	log_error("two");
	log_error("three");
	assert_int_equal(stat(at("log"), &st), 0);
	assert_true(st.st_size > FULL - 10);
	assert_string_equal(content("stderr"), "");
}

SET_UP_ALL
{
	umask(022);
}
