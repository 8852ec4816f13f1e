/* SPDX-License-Identifier: MIT */
/*
 * A state directory as others may have left it. What needs two owners is in
 * tests/system.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/place.h"
#include "test.h"

static char sandbox[SANDBOX_SIZE], dir[96], why[TRUST_WHY_SIZE];
static struct trust trust;

SET_UP
{
	make_sandbox(sandbox);
	snprintf(dir, sizeof(dir), "%s/state", sandbox);
	trust = (struct trust){ .owner = geteuid() };
	umask(022);
	why[0] = '\0';
}

TEAR_DOWN
{
	remove_tree(sandbox);
}

static const char *
at(const char *name)
{
	return path_in(dir, name);
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	must(lstat(path, &st));
	return st.st_mode & 07777;
}

static void
touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	must(fd);
	close(fd);
}

static void
refused(enum place found, const char *sentence)
{
	assert_int_equal(found, PLACE_BAD);
	if (strstr(why, sentence) == NULL)
		fail_msg("%s", why);
}

TEST(a_directory_that_is_missing_is_made_for_the_user_alone)
{
	snprintf(dir, sizeof(dir), "%s/a/b/state", sandbox);
	assert_int_equal(place_judge(&trust, dir, why), PLACE_ABSENT);
	assert_int_equal(place_take(&trust, dir, why), PLACE_ABSENT);
	assert_int_equal(mode_of(dir), 0700);
	assert_int_equal(place_judge(&trust, dir, why), PLACE_GOOD);
	assert_int_equal(place_take(&trust, dir, why), PLACE_GOOD);
}

TEST(a_mode_that_lets_nobody_write_is_only_repaired)
{
	must(mkdir(dir, 0755));
	assert_int_equal(place_judge(&trust, dir, why), PLACE_LOOSE);
	assert_int_equal(mode_of(dir), 0755);
	assert_int_equal(place_take(&trust, dir, why), PLACE_LOOSE);
	assert_int_equal(mode_of(dir), 0700);
}

TEST(that_others_could_write_is_said_once_it_is_repaired)
{
	static const mode_t modes[] = { 0777, 0770, 01777, 0702, 0720 };
	size_t i;

	must(mkdir(dir, 0700));
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		must(chmod(dir, modes[i]));
		assert_int_equal(place_take(&trust, dir, why), PLACE_OPEN);
		assert_non_null(strstr(why, "state: writable by "));
		assert_int_equal(mode_of(dir), 0700);
		assert_int_equal(place_take(&trust, dir, why), PLACE_GOOD);
	}
}

TEST(above_it_nobody_else_may_write)
{
	must(mkdir(dir, 0700));
	must(chmod(sandbox, 0777));
	refused(place_take(&trust, dir, why), "writable by group and others");
	/* Where entries are their owner's there is no way in. */
	must(chmod(sandbox, 01777));
	assert_int_equal(place_judge(&trust, dir, why), PLACE_GOOD);
	assert_string_equal(why, "");
	must(rmdir(dir));
	assert_int_equal(place_take(&trust, dir, why), PLACE_ABSENT);
}

TEST(nothing_is_made_below_what_others_may_write)
{
	struct stat st;

	must(chmod(sandbox, 0777));
	snprintf(dir, sizeof(dir), "%s/a/b", sandbox);
	refused(place_take(&trust, dir, why), "writable by group and others");
	snprintf(dir, sizeof(dir), "%s/a", sandbox);
	assert_int_equal(lstat(dir, &st), -1);
}

TEST(a_sticky_way_does_not_excuse_what_is_above_it)
{
	char open_path[128];

	snprintf(open_path, sizeof(open_path), "%s/sticky", sandbox);
	must(mkdir(open_path, 0700));
	must(chmod(open_path, 01777));
	snprintf(dir, sizeof(dir), "%s/sticky/state", sandbox);
	must(mkdir(dir, 0700));
	assert_int_equal(place_judge(&trust, dir, why), PLACE_GOOD);
	must(chmod(sandbox, 0777));
	refused(place_judge(&trust, dir, why), "writable by group and others");
}

TEST(what_is_no_directory_is_not_used)
{
	touch(dir);
	refused(place_take(&trust, dir, why), "state: not a directory");
	must(unlink(dir));
	must(symlink(sandbox, dir));
	refused(place_take(&trust, dir, why), "a symbolic link, not a directory");
}

TEST(why_a_directory_cannot_be_opened_is_said)
{
	char path[SANDBOX_SIZE + 512];

	snprintf(path, sizeof(path), "%s/%0300d", sandbox, 0);
	refused(place_judge(&trust, path, why), strerror(ENAMETOOLONG));
}

TEST(a_file_that_others_may_have_written_is_not_opened)
{
	struct stat st;
	int fd;

	must(mkdir(dir, 0700));
	touch(at("f"));
	fd = place_open(&trust, at("f"), O_RDWR, 0);
	must(fd);
	close(fd);
	must(link(at("f"), at("g")));
	assert_int_equal(place_open(&trust, at("f"), O_RDWR | O_CREAT, 0600), -1);
	assert_int_equal(errno, EPERM);
	must(unlink(at("g")));
	must(chmod(at("f"), 0620));
	assert_int_equal(place_open(&trust, at("f"), O_RDWR | O_CREAT, 0600), -1);
	assert_int_equal(errno, EPERM);
	must(symlink(at("none"), at("l")));
	assert_int_equal(place_open(&trust, at("l"), O_RDWR | O_CREAT, 0600), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(lstat(at("none"), &st), -1);
	must(mkfifo(at("p"), 0600));
	assert_int_equal(place_open(&trust, at("p"), O_RDONLY, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(place_open(&trust, at("none"), O_RDONLY, 0), -1);
	assert_int_equal(errno, ENOENT);
	trust.owner++;
	must(chmod(at("f"), 0600));
	assert_int_equal(place_open(&trust, at("f"), O_RDONLY, 0), -1);
	assert_int_equal(errno, EPERM);
}

TEST(what_is_in_the_way_of_setting_aside_is_gone_around)
{
	struct stat st;

	must(mkdir(dir, 0700));
	touch(at("f"));
	must(mkdir(at("f.bad"), 0700));
	touch(at("f.bad/x"));
	place_set_aside(at("f"));
	assert_int_equal(lstat(at("f"), &st), -1);
	assert_int_equal(lstat(at("f.bad.1"), &st), 0);
	place_set_aside(at("f"));
	/* Two names of one file: rename(2) does nothing and says 0. */
	touch(at("g"));
	must(link(at("g"), at("g.bad")));
	place_set_aside(at("g"));
	assert_int_equal(lstat(at("g"), &st), -1);
	assert_int_equal(lstat(at("g.bad"), &st), 0);
}
