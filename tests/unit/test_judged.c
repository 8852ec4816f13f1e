/* SPDX-License-Identifier: MIT */
/*
 * What is not asked again of a directory that is as it was, and what always is: the
 * system calls are counted, and some of them answer otherwise.
 */
#include "trust/judged.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifdef __APPLE__
#include <sys/mount.h>
#else
#include <sys/vfs.h>
#endif

#include "test.h"
#include "trust_box.h"

static struct calls {
	unsigned lstat, open, fstatfs;
} calls;

static enum { NOTHING, DIRECTORIES, FILES } ownerless;
static time_t later;  /* by so many seconds the clock is ahead of the files' */
static time_t frozen; /* the clock says so; 0: it goes */

static __typeof__(&clock_gettime) libc_clock;

/* A sanitizer's allocator asks for the time while it is locked: dlsym needs it. */
static __attribute__((constructor)) void
find_clock(void)
{
	libc_clock = LIBC(clock_gettime);
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int status;

	*ts = (struct timespec){ 0, 0 };
	if (libc_clock == NULL)
		return 0;
	status = libc_clock(id, ts);
	ts->tv_sec = frozen != 0 ? frozen : ts->tv_sec + later;
	return status;
}

int
lstat(const char *path, struct stat *st)
{
	calls.lstat++;
	return LIBC(lstat)(path, st);
}

int
open(const char *path, int flags, ...)
{
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(ap, int) : 0;
	va_end(ap);
	calls.open++;
	return LIBC(open)(path, flags, mode);
}

int
fstatfs(int fd, struct statfs *fs)
{
	int status = LIBC(fstatfs)(fd, fs);
	struct stat st;

	calls.fstatfs++;
	must(fstat(fd, &st));
	if (ownerless == (S_ISDIR(st.st_mode) ? DIRECTORIES : FILES)) {
#ifdef __APPLE__
		fs->f_flags |= MNT_IGNORE_OWNERSHIP;
#else
		fs->f_type = 0x4d44; /* vfat */
#endif
	}
	return status;
}

/* A tree whose directories have been as they are for long, with some memory of it. */
static void
plant(void)
{
	make_dir("@/a", 0755);
	make_dir("@/a/b", 0755);
	make_dir("@/a/b/c", 0755);
	make_file("@/a/b/c/x", 0755, PROGRAM);
	/* Below --root, so that nothing counts but what is planted here. */
	trust.root = sandbox;
	trust.root_is_real = true;
	trust.judged = judged_new();
	ownerless = NOTHING;
	later = 60;
}

static void
uproot(void)
{
	judged_free(trust.judged);
	later = 0;
	ownerless = NOTHING;
}

static void
assert_calls(unsigned lstats, unsigned opens, unsigned volumes)
{
	calls = (struct calls){ 0, 0, 0 };
	accepts("@/a/b/c/x");
	assert_int_equal(calls.lstat, lstats);
	assert_int_equal(calls.open, opens);
	assert_int_equal(calls.fstatfs, volumes);
}

TEST(a_directory_that_is_as_it_was_costs_one_call)
{
	plant();
	assert_calls(4, 4, 4);
	/* Of three the first is asked for the volume of all. */
	assert_calls(4, 2, 2);
	assert_calls(4, 2, 2);
	uproot();
}

TEST(without_a_memory_every_directory_is_asked_each_time)
{
	plant();
	judged_free(trust.judged);
	trust.judged = NULL;
	assert_calls(4, 4, 4);
	assert_calls(4, 4, 4);
}

TEST(a_directory_whose_ctime_has_moved_is_asked_again)
{
	plant();
	assert_calls(4, 4, 4);
	/* The kernel moves it for what leaves the mode as it was, too: an ACL, say. */
	chmod(at("@/a/b/c"), 0755);
	assert_calls(4, 3, 3);
	assert_calls(4, 2, 2);
	uproot();
}

/* A second change in one tick of a clock that counts seconds leaves no trace. */
TEST(a_directory_that_changed_just_now_is_not_remembered)
{
	struct judged_set *j = judged_new();
	struct stat st;

	must(stat(sandbox, &st));
	st.CTIM.tv_nsec = 0;
	frozen = st.CTIM.tv_sec + 1;
	judged_add(j, &st);
	assert_false(judged_has(j, &st));
	frozen = st.CTIM.tv_sec - 60;
	judged_add(j, &st);
	assert_false(judged_has(j, &st));
	frozen = st.CTIM.tv_sec + 2;
	judged_add(j, &st);
	assert_true(judged_has(j, &st));
	frozen = 0;
	judged_free(j);
}

TEST(a_remembered_directory_that_others_may_write_now_is_refused)
{
	plant();
	assert_calls(4, 4, 4);
	chmod(at("@/a/b"), 0775);
	refuses("@/a/b/c/x", "@/a/b: writable by group (mode 0775)");
	chmod(at("@/a/b"), 0755);
	accepts("@/a/b/c/x");
	chmod(at("@/a/b/c"), 01777);
	refuses("@/a/b/c/x", "@/a/b/c: writable by group and others (mode 1777)");
	uproot();
}

TEST(a_remembered_directory_of_a_stranger_is_refused)
{
	need_root();
	plant();
	assert_calls(4, 4, 4);
	give_away("@/a/b");
	refuses("@/a/b/c/x", "@/a/b: owned by uid 12345, not by root");
	uproot();
}

TEST(a_volume_is_asked_for_anew_each_time)
{
	plant();
	assert_calls(4, 4, 4);
	ownerless = DIRECTORIES;
	assert_false(judge("@/a/b/c/x", false));
	assert_non_null(strstr(verdict.why, at("@/a: on a ")));
	ownerless = NOTHING;
	accepts("@/a/b/c/x");
	uproot();
}

TEST(a_program_is_judged_in_full_each_time)
{
	plant();
	assert_calls(4, 4, 4);
	ownerless = FILES;
	assert_false(judge("@/a/b/c/x", false));
	assert_non_null(strstr(verdict.why, at("@/a/b/c/x: on a ")));
	uproot();
}

TEST(a_refusal_is_not_remembered)
{
	plant();
	chmod(at("@/a/b"), 0775);
	refuses("@/a/b/c/x", "@/a/b: writable by group (mode 0775)");
	chmod(at("@/a/b"), 0755);
	accepts("@/a/b/c/x");
	uproot();
}

/* In what a directory may differ, and the ctime may not: whoever gave it its name. */
TEST(another_directory_of_the_same_ctime_is_not_taken_for_it)
{
	struct judged_set *j = judged_new();
	struct stat st, other;

	later = 60;
	must(stat(sandbox, &st));
	assert_false(judged_has(j, &st));
	judged_add(j, &st);
	assert_true(judged_has(j, &st));
	other = st;
	other.st_dev++;
	assert_false(judged_has(j, &other));
	other = st;
	other.st_ino++;
	assert_false(judged_has(j, &other));
	other = st;
	other.st_mode ^= S_IWOTH;
	assert_false(judged_has(j, &other));
	other = st;
	other.st_uid++;
	assert_false(judged_has(j, &other));
	other = st;
	other.st_gid++;
	assert_false(judged_has(j, &other));
	other = st;
	other.CTIM.tv_nsec ^= 1;
	assert_false(judged_has(j, &other));
	judged_free(j);
	later = 0;
}
