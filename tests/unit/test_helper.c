/* SPDX-License-Identifier: MIT */
/*
 * Programs that a command starts and reads: what they print, how they fail, and
 * those that do not come to an end.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cmd/helper.h"
#include "test.h"

static struct buf out;
static int null;

SET_UP
{
	must(null = open("/dev/null", O_RDONLY));
}

TEAR_DOWN
{
	buf_clear(&out);
	close(null);
}

static int
shell(const char *command, unsigned seconds)
{
	const char *const argv[] = { "sh", "-c", command, NULL };

	return helper_run("/bin/sh", argv, null, seconds, &out);
}

TEST(what_it_prints_is_read)
{
	assert_int_equal(shell("echo a; echo b >&2; echo c", 0), 0);
	assert_string_equal(out.p, "a\nc\n");
}

TEST(it_has_nothing_of_the_environment)
{
	must(setenv("TEST_HELPER", "x", 1));
	assert_int_equal(shell("echo \"<$TEST_HELPER>\"", 0), 0);
	assert_string_equal(out.p, "<>\n");
}

TEST(its_failure_is_told)
{
	assert_int_equal(shell("exit 3", 0), -1);
	assert_int_equal(errno, ECHILD);
}

TEST(one_that_is_not_there_is_told)
{
	const char *const argv[] = { "none", NULL };

	assert_int_equal(helper_run("/none/none", argv, null, 0, &out), -1);
	assert_int_equal(errno, ENOENT);
}

TEST(one_that_hangs_is_ended_with_what_it_has_started)
{
	assert_int_equal(shell("sleep 600; echo too late", 1), -1);
	assert_int_equal(errno, ETIMEDOUT);
}

TEST(one_that_is_in_time_is_not_ended)
{
	assert_int_equal(shell("echo a", 600), 0);
	assert_string_equal(out.p, "a\n");
}

TEST(one_that_prints_without_end_is_ended)
{
	assert_int_equal(
	    shell("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxx; done", 0), -1);
	assert_int_equal(errno, EFBIG);
}
