/* SPDX-License-Identifier: MIT */
/*
 * Stamps: what is taken of a path, and in what two of them differ.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mono.h"
#include "rules/rule.h"
#include "watch/stamp.h"
#include "base/util.h"
#include "base/number.h"
#include "test.h"

#define CREATE CHANGE_CREATE
#define MODIFY CHANGE_MODIFY
#define DELETE CHANGE_DELETE
#define ATTRIBUTES CHANGE_ATTRIBUTES

static char root[PATH_MAX];
static int64_t asked_ns; /* when stat(2) was called last */

/* The linker prefers it to libc's. */
int
stat(const char *restrict path, struct stat *restrict st)
{
	asked_ns = realtime_ns();
	return fstatat(AT_FDCWD, path, st, 0);
}

static const char *
at(const char *name)
{
	return path_in(root, name);
}

SET_UP_ALL
{
	int fd;

	make_sandbox(root);
	fd = openat(AT_FDCWD, at("file"), O_WRONLY | O_CREAT, 0640);
	assert_int_equal(write(fd, "12345", 5), 5);
	close(fd);
	assert_int_equal(symlink("file", at("link")), 0);
	assert_int_equal(symlink("nothing", at("dangling")), 0);
	assert_int_equal(symlink("loop", at("loop")), 0);
	assert_int_equal(mkfifo(at("fifo"), 0600), 0);
}

TEAR_DOWN_ALL
{
	remove_tree(root);
}

TEST(a_stamp_says_what_stat_says)
{
	struct timespec times[2] = { { .tv_sec = 7, .tv_nsec = 8 },
		{ .tv_sec = 1234567890, .tv_nsec = 123456789 } };
	struct stamp s, through_link;
	struct stat st;

	assert_int_equal(utimensat(AT_FDCWD, at("file"), times, 0), 0);
	assert_int_equal(fstatat(AT_FDCWD, at("file"), &st, 0), 0);
	assert_int_equal(stamp_take(&s, at("file")), 0);
	assert_true(s.present && !s.stored);
	assert_int_equal(s.mode, st.st_mode);
	assert_int_equal(s.uid, st.st_uid);
	assert_int_equal(s.gid, st.st_gid);
	assert_int_equal(s.ino, st.st_ino);
	assert_int_equal(s.dev, st.st_dev);
	assert_int_equal(s.size, 5);
	assert_int_equal(s.mtime_ns, INT64_C(1234567890123456789));
	assert_in_range(s.ctime_ns, s.taken_ns - 60 * MONO_SEC, s.taken_ns + MONO_SEC);
	assert_int_equal(stamp_take(&through_link, at("link")), 0);
	assert_int_equal(through_link.ino, s.ino);
	assert_int_equal(stamp_diff(&s, &through_link, 0), 0);
}

/* What is written after the stat must not seem to be long after the look. */
TEST(the_time_of_a_look_is_from_before_it)
{
	int64_t start = realtime_ns();
	struct stamp s;

	assert_int_equal(stamp_take(&s, at("file")), 0);
	assert_in_range(s.taken_ns, start, asked_ns);
	assert_int_equal(stamp_take(&s, at("nothing")), 0);
	assert_in_range(s.taken_ns, start, asked_ns);
}

TEST(only_what_does_not_exist_is_absent)
{
	struct stamp s = { .present = true, .ino = 42 };

	assert_int_equal(stamp_take(&s, at("loop")), ELOOP);
	assert_true(s.present && s.ino == 42);
	assert_int_equal(stamp_take(&s, at("nothing")), 0);
	assert_false(s.present);
	s.present = true;
	assert_int_equal(stamp_take(&s, at("file/below")), 0);
	assert_false(s.present);
	s.present = true;
	assert_int_equal(stamp_take(&s, at("dangling")), 0);
	assert_false(s.present);
	assert_int_equal(s.ino, 0);
	assert_int_equal(stamp_take(&s, at("fifo")), 0);
	assert_true(S_ISFIFO(s.mode));
}

TEST(a_file_below_the_least_size_is_absent)
{
	struct stamp file, dir = { .present = true, .mode = S_IFDIR | 0755, .size = 1 },
			   s;

	assert_int_equal(stamp_take(&file, at("file")), 0);
	s = file;
	stamp_apply_min_size(&s, 5);
	assert_true(s.present);
	stamp_apply_min_size(&s, 6);
	assert_false(s.present);
	assert_int_equal(s.size, 0);
	assert_int_equal(s.taken_ns, file.taken_ns);
	stamp_apply_min_size(&dir, 6);
	assert_true(dir.present);
	s = (struct stamp){ .taken_ns = 3 };
	stamp_apply_min_size(&s, 1);
	assert_false(s.present);
}

/* Taken long after its last change. */
static const struct stamp plain = { .present = true,
	.mode = S_IFREG | 0644,
	.uid = 1,
	.gid = 2,
	.ino = 3,
	.size = 4,
	.mtime_ns = 5 * MONO_SEC,
	.dev = 6,
	.ctime_ns = 5 * MONO_SEC,
	.taken_ns = 9 * MONO_SEC };

TEST(each_difference_is_what_it_is_called)
{
	const struct stamp absent = { .present = false };
	struct stamp s;

	assert_int_equal(stamp_diff(&absent, &absent, 3), 0);
	assert_int_equal(stamp_diff(&absent, &plain, 0), CREATE);
	assert_int_equal(stamp_diff(&plain, &absent, 0), DELETE);
	assert_int_equal(stamp_diff(&plain, &absent, HINT_REPLACED), DELETE);
	assert_int_equal(stamp_diff(&plain, &plain, 0), 0);
	s = plain;
	s.size++;
	assert_int_equal(stamp_diff(&plain, &s, 0), MODIFY);
	s = plain;
	s.mtime_ns--;
	assert_int_equal(stamp_diff(&plain, &s, 0), MODIFY);
	s = plain;
	s.mode = S_IFIFO | 0644;
	assert_int_equal(stamp_diff(&plain, &s, 0), MODIFY);
	s = plain;
	s.mode = S_IFREG | 04644;
	assert_int_equal(stamp_diff(&plain, &s, 0), ATTRIBUTES);
	s = plain;
	s.uid++;
	assert_int_equal(stamp_diff(&plain, &s, 0), ATTRIBUTES);
	s = plain;
	s.gid++;
	s.size++;
	assert_int_equal(stamp_diff(&plain, &s, 0), MODIFY | ATTRIBUTES);
	s = plain;
	s.ctime_ns++;
	s.taken_ns++;
	assert_int_equal(stamp_diff(&plain, &s, 0), 0);
}

TEST(another_file_is_created_and_modified)
{
	struct stamp s = plain;

	s.ino++;
	assert_int_equal(stamp_diff(&plain, &s, 0), CREATE | MODIFY);
	s = plain;
	s.dev++;
	assert_int_equal(stamp_diff(&plain, &s, 0), CREATE | MODIFY);
	assert_int_equal(stamp_diff(&plain, &plain, HINT_REPLACED), CREATE | MODIFY);
}

TEST(a_write_with_an_equal_stamp_counts_unless_it_is_an_echo)
{
	struct stamp before = plain, now;

	before.mtime_ns++; /* its volume keeps fractions of a second */
	now = before;
	assert_int_equal(stamp_diff(&before, &now, HINT_WRITE), 0);
	now.ctime_ns++;
	assert_int_equal(stamp_diff(&before, &now, HINT_WRITE), MODIFY);
	assert_int_equal(stamp_diff(&before, &now, 0), 0);
	/* Looked at in the tick of the clock in which it was written. */
	before.ctime_ns = now.ctime_ns = before.taken_ns - 19 * MONO_MS;
	assert_int_equal(stamp_diff(&before, &now, HINT_WRITE), MODIFY);
	before.ctime_ns = now.ctime_ns = before.taken_ns - 20 * MONO_MS;
	assert_int_equal(stamp_diff(&before, &now, HINT_WRITE), 0);
	/* A file server's clock may be a little ahead, or far. */
	before.ctime_ns = now.ctime_ns = before.taken_ns + 19 * MONO_MS;
	assert_int_equal(stamp_diff(&before, &now, HINT_WRITE), MODIFY);
	before.ctime_ns = now.ctime_ns = before.taken_ns + MONO_SEC;
	assert_int_equal(stamp_diff(&before, &now, HINT_WRITE), 0);
}

/* HFS+ keeps whole seconds and FAT even ones: two writes in a tick look alike. */
TEST(where_times_are_whole_seconds_a_tick_is_two)
{
	struct stamp before = plain;

	before.mtime_ns = before.ctime_ns = 1700000000 * MONO_SEC;
	/* The clock that is cut to two seconds is itself up to a tick behind. */
	before.taken_ns = before.ctime_ns + 2 * MONO_SEC + 20 * MONO_MS - 1;
	assert_int_equal(stamp_diff(&before, &before, HINT_WRITE), MODIFY);
	assert_int_equal(stamp_diff(&before, &before, 0), 0);
	before.taken_ns++;
	assert_int_equal(stamp_diff(&before, &before, HINT_WRITE), 0);
	/* utimes(2) sets whole seconds anywhere, but nobody sets the ctime. */
	before.taken_ns = before.ctime_ns + MONO_SEC;
	before.ctime_ns++;
	assert_int_equal(stamp_diff(&before, &before, HINT_WRITE), 0);
	before.ctime_ns--;
	before.mtime_ns++;
	assert_int_equal(stamp_diff(&before, &before, HINT_WRITE), 0);
}

TEST(what_is_kept_is_read_back_without_the_device)
{
	char text[STAMP_TEXT_SIZE];
	struct stamp s, large = { .present = true,
		.mode = (mode_t)0177777,
		.uid = UINT32_MAX,
		.gid = UINT32_MAX,
		.ino = UINT64_MAX,
		.size = UINT64_MAX,
		.mtime_ns = INT64_MIN };

	stamp_print(text, &plain);
	assert_string_equal(text, "100644 1 2 3 4 5000000000");
	assert_true(stamp_parse(&s, text));
	assert_true(s.stored);
	assert_int_equal(stamp_diff(&s, &plain, 0), 0);
	stamp_print(text, &large);
	assert_true(stamp_parse(&s, text));
	assert_int_equal(s.ino, large.ino);
	assert_int_equal(s.size, large.size);
	assert_int_equal(s.mtime_ns, large.mtime_ns);
	s = plain;
	stamp_print(text, &(struct stamp){ .present = false });
	assert_string_equal(text, "absent");
	assert_true(stamp_parse(&s, text));
	assert_false(s.present);
}

TEST(anything_else_is_no_stamp)
{
	static const char *const texts[] = { "", " ", "Absent", "absent ", "100644",
		"100644 1 2 3 4", "100644 1 2 3 4 5 ", "100644 1 2 3 4 5 6",
		" 100644 1 2 3 4 5", "100644  1 2 3 4 5", "100644 -1 2 3 4 5",
		"100644 1 2 +3 4 5", "100648 1 2 3 4 5", "100644 1 2 3 4 5x",
		"100644 1 2 99999999999999999999999 4 5", "100644 4294967296 2 3 4 5" };
	struct stamp s = plain;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (stamp_parse(&s, texts[i]))
			fail_msg("'%s' was taken", texts[i]);
	assert_memory_equal(&s, &plain, sizeof(s));
}
