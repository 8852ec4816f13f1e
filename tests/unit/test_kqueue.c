/*
 * SPDX-License-Identifier: MIT
 *
 * The contract of kqueue(2) as macOS keeps it and as the daemon relies on it.
 * Everything here is written to macOS's semantics, and would run against a
 * native kqueue; what cannot hold there is skipped with the reason. "Nothing
 * came" is said only after a later event, on a fence file, has arrived.
 */
#include <limits.h>
#include <stdlib.h>

#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/event.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"
#if __has_include("kqueue_test.h")
#include "kqueue_test.h"
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#define EMULATED 1

/* Where it is open, this file is written to before each wait of the shim. */
static int disturbed = -1;
/* The waits so far; before which one something is written to a pipe. */
static int nwaits, written_at, written_to;

static void
disturb(void)
{
	if (++nwaits == written_at)
		must((int)write(written_to, "x", 1));
	if (disturbed != -1)
		must((int)write(disturbed, "x", 1));
}

/* The shim's. */
static int rests;

int
nanosleep(const struct timespec *ts, struct timespec *left)
{
	rests++;
	return LIBC(nanosleep)(ts, left);
}

int
epoll_wait(int fd, struct epoll_event *evs, int n, int ms)
{
	disturb();
	return LIBC(epoll_wait)(fd, evs, n, ms);
}

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 35)
int
epoll_pwait2(int fd, struct epoll_event *evs, int n, const struct timespec *timeout,
    const sigset_t *mask)
{
	disturb();
	return LIBC(epoll_pwait2)(fd, evs, n, timeout, mask);
}
#endif
#else
#define EMULATED 0
static int
kqueue_inject(int kq, int fd, unsigned fflags, unsigned flags)
{
	return kq < 0 || fd < 0 || fflags + flags == 0 ? -1 : 0;
}
static int
kqueue_inject_overflow(int kq)
{
	return kq < 0 ? -1 : 0;
}
static int
kqueue_count_knotes(int kq)
{
	return kq < 0 ? -1 : 0;
}
static int
kqueue_count_watches(int kq)
{
	return kq < 0 ? -1 : 0;
}
#endif

#define ALL                                                                 \
	(NOTE_DELETE | NOTE_WRITE | NOTE_EXTEND | NOTE_ATTRIB | NOTE_LINK | \
	    NOTE_RENAME | NOTE_REVOKE)
#define MAX_FD 4096

static const struct timespec at_once = { 0, 0 };
static const struct timespec patience = { 10, 0 };

static char home[SANDBOX_SIZE], fence[80];
static int kq;
static bool faulty;
static int fence_watched, fence_written;

/* What gather() saw, by descriptor. */
static uint32_t seen_notes[MAX_FD];
static uint16_t seen_flags[MAX_FD];
static int seen_count[MAX_FD];
static void *seen_udata[MAX_FD];

#define skip_native(reason)                                     \
	do {                                                    \
		if (!EMULATED) {                                \
			print_message("skipped: %s\n", reason); \
			skip();                                 \
		}                                               \
	} while (0)

/* ---- helpers ---- */

static void
create(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	must(fd);
	must((int)write(fd, text, strlen(text)));
	must(close(fd));
}

/* Write at the end, without O_TRUNC. */
static void
append(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_APPEND | O_CLOEXEC);

	must(fd);
	must((int)write(fd, text, strlen(text)));
	must(close(fd));
}

static void
reopen_truncated(const char *name)
{
	int fd = open(name, O_WRONLY | O_TRUNC | O_CLOEXEC);

	must(fd);
	must(close(fd));
}

static int
change(int fd, int filter, unsigned flags, unsigned fflags, void *udata)
{
	struct kevent ev;

	EV_SET(&ev, (uintptr_t)fd, (int16_t)filter, (uint16_t)flags, fflags, 0, udata);
	return kevent(kq, &ev, 1, NULL, 0, NULL);
}

static void
add(int fd, unsigned flags, unsigned fflags, void *udata)
{
	must(change(fd, EVFILT_VNODE, EV_ADD | flags, fflags, udata));
}

static int
open_watched(const char *name)
{
	int fd = open(name, O_EVTONLY | O_NONBLOCK | O_CLOEXEC);

	must(fd);
	assert_in_range(fd, 0, MAX_FD - 1);
	return fd;
}

static int
watch(const char *name)
{
	int fd = open_watched(name);

	add(fd, EV_CLEAR, ALL, NULL);
	return fd;
}

static int
watch_link(const char *name)
{
	int fd = open(name, O_EVTONLY | O_SYMLINK | O_CLOEXEC);

	must(fd);
	add(fd, EV_CLEAR, ALL, NULL);
	return fd;
}

static void
note_event(const struct kevent *ev)
{
	assert_in_range(ev->ident, 0, MAX_FD - 1);
	seen_notes[ev->ident] |= ev->fflags;
	seen_flags[ev->ident] |= ev->flags;
	seen_count[ev->ident]++;
	seen_udata[ev->ident] = ev->udata;
}

static void
forget_seen(void)
{
	memset(seen_notes, 0, sizeof(seen_notes));
	memset(seen_flags, 0, sizeof(seen_flags));
	memset(seen_count, 0, sizeof(seen_count));
	memset(seen_udata, 0, sizeof(seen_udata));
}

/* Everything up to now: until the fence's own event has come, and after. */
static void
gather(void)
{
	struct kevent evs[8];
	int n;

	forget_seen();
	must((int)write(fence_written, "x", 1));
	while (seen_count[fence_watched] == 0) {
		n = kevent(kq, NULL, 0, evs, 8, &patience);
		must(n);
		if (n == 0)
			fail_msg("the fence event did not come");
		for (int i = 0; i < n; i++)
			note_event(&evs[i]);
	}
	while ((n = kevent(kq, NULL, 0, evs, 8, &at_once)) > 0)
		for (int i = 0; i < n; i++)
			note_event(&evs[i]);
	must(n);
}

/* EXTEND may come with any growth, and says nothing that WRITE does not. */
static uint32_t
notes(int fd)
{
	gather();
	return seen_notes[fd] & ~(uint32_t)NOTE_EXTEND;
}

static void
expect_nothing(int fd)
{
	gather();
	assert_int_equal(seen_count[fd], 0);
}

static bool
next(struct kevent *ev)
{
	int n = kevent(kq, NULL, 0, ev, 1, &patience);

	must(n);
	return n == 1;
}

static int
poll_events(struct kevent *evs, int room)
{
	int n = kevent(kq, NULL, 0, evs, room, &at_once);

	must(n);
	return n;
}

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int
count_fds(void)
{
	DIR *d = opendir("/dev/fd");
	int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* Runs fn in a child; its exit status. */
static int
in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	must(pid);
	if (pid == 0)
		_exit(fn());
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
open_kqueue(void)
{
	kq = kqueue();
	must(kq);
	fence_watched = watch(fence);
}

static void
reopen_with_faults(const char *faults)
{
	must(close(fence_watched));
	must(close(kq));
	if (faults != NULL)
		setenv("KQUEUE_FAULTS", faults, 1);
	else
		unsetenv("KQUEUE_FAULTS");
	faulty = faults != NULL;
	open_kqueue();
}

/* One kqueue serves all tests: closing one takes Linux tens of milliseconds. */
SET_UP_ALL
{
	unsetenv("KQUEUE_FAULTS");
	make_sandbox(home);
	snprintf(fence, sizeof(fence), "%s/fence", home);
	fence_written = open(fence, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	must(fence_written);
	open_kqueue();
}

TEAR_DOWN_ALL
{
	close(fence_watched);
	close(fence_written);
	close(kq);
	remove_tree(home);
}

/* A directory for each test, below one that stays quiet. */
SET_UP
{
	struct kevent ev;

	must(chdir(home));
	must(mkdir("work", 0755));
	must(chdir("work"));
	must(mkdir("d", 0755));
	create("f", "0123456789");
	while (kevent(kq, NULL, 0, &ev, 1, &at_once) > 0)
		;
}

TEAR_DOWN
{
	must(chdir(home));
	if (faulty)
		reopen_with_faults(NULL);
	remove_tree("work");
}

/* ---- EVFILT_VNODE: files ---- */

TEST(append_is_write)
{
	int fd = watch("f");

	append("f", "more");
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(overwrite_in_place_is_write)
{
	int fd = watch("f"), w = open("f", O_WRONLY);

	must((int)pwrite(w, "abc", 3, 0));
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(w);
	close(fd);
}

TEST(writes_in_two_rounds_are_told_twice)
{
	int fd = watch("f");

	append("f", "1");
	assert_int_equal(notes(fd), NOTE_WRITE);
	append("f", "2");
	assert_int_equal(notes(fd), NOTE_WRITE);
	expect_nothing(fd);
	close(fd);
}

TEST(ftruncate_to_nothing_is_attrib_only)
{
	int fd = watch("f"), w = open("f", O_WRONLY);

	must(ftruncate(w, 0));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	close(w);
	close(fd);
}

TEST(truncate_to_a_shorter_length_is_attrib_only)
{
	int fd = watch("f");

	must(truncate("f", 4));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	must(truncate("f", 2));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	close(fd);
}

TEST(open_with_trunc_is_attrib_only)
{
	int fd = watch("f");

	reopen_truncated("f");
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	close(fd);
}

TEST(open_with_trunc_of_an_empty_file_is_attrib_too)
{
	int fd;

	create("empty", "");
	fd = watch("empty");
	reopen_truncated("empty");
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	close(fd);
}

TEST(a_write_after_a_truncation_is_write)
{
	int fd = watch("f");

	reopen_truncated("f");
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	append("f", "abc");
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(a_write_and_a_truncation_together_are_both)
{
	int fd = watch("f");

	add(fd, EV_DISABLE, ALL, NULL);
	append("f", "more");
	expect_nothing(fd);
	must(truncate("f", 3));
	expect_nothing(fd);
	add(fd, EV_ENABLE, ALL, NULL);
	assert_int_equal(notes(fd), NOTE_WRITE | NOTE_ATTRIB);
	assert_int_equal(seen_count[fd], 1);
	close(fd);
}

TEST(chmod_is_attrib)
{
	int fd = watch("f");

	must(chmod("f", 0600));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	close(fd);
}

TEST(chmod_to_the_same_mode_is_attrib_too)
{
	int fd = watch("f");

	must(chmod("f", 0644));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	close(fd);
}

TEST(chown_is_attrib)
{
	int fd = watch("f");

	must(chown("f", getuid(), getgid()));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	close(fd);
}

TEST(touch_is_attrib)
{
	int fd = watch("f");

	must(utimes("f", NULL));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	close(fd);
}

TEST(a_new_hard_link_is_link)
{
	int fd = watch("f");

	must(link("f", "g"));
	assert_int_equal(notes(fd), NOTE_LINK);
	close(fd);
}

TEST(unlink_of_one_of_two_names_is_delete_and_link)
{
	int fd;

	must(link("f", "g"));
	fd = watch("f");
	must(unlink("g"));
	assert_int_equal(notes(fd), NOTE_DELETE | NOTE_LINK);
	append("f", "still here");
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(unlink_of_the_last_name_is_told_at_once)
{
	int fd = watch("f");

	must(unlink("f"));
	assert_int_equal(notes(fd), NOTE_DELETE | NOTE_LINK);
	expect_nothing(fd);
	close(fd);
}

TEST(chmod_and_unlink_together_are_all_told)
{
	int fd = watch("f");

	must(chmod("f", 0600));
	must(unlink("f"));
	assert_int_equal(notes(fd), NOTE_ATTRIB | NOTE_DELETE | NOTE_LINK);
	assert_int_equal(seen_count[fd], 1);
	close(fd);
}

TEST(an_unlinked_file_is_still_watched)
{
	int fd, w = open("f", O_WRONLY);

	must(unlink("f"));
	/* Attaching to it works while it is open, and tells no past. */
	must(fd = dup(w));
	add(fd, EV_CLEAR, ALL, NULL);
	expect_nothing(fd);
	must((int)write(w, "x", 1));
	assert_int_equal(notes(fd), NOTE_WRITE);
	must(fchmod(w, 0600));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	close(w);
	close(fd);
}

TEST(rename_over_a_watched_file_is_delete)
{
	int fd = watch("f");

	create("new", "new");
	must(rename("new", "f"));
	/* macOS posts no LINK here; the shim knows only if it sees the directory. */
	assert_int_equal(notes(fd) & ~(uint32_t)NOTE_LINK, NOTE_DELETE);
	close(fd);
}

TEST(rename_over_in_a_watched_directory_has_no_link)
{
	int dir = watch("."), fd = watch("f");

	create("new", "new");
	gather();
	must(rename("new", "f"));
	assert_int_equal(notes(fd), NOTE_DELETE);
	assert_int_equal(seen_notes[dir], NOTE_WRITE);
	close(fd);
	close(dir);
}

TEST(unlink_in_a_watched_directory_has_link)
{
	int dir = watch("."), fd = watch("f");

	create("g", "");
	must(rename("g", "h"));
	must(unlink("f"));
	assert_int_equal(notes(fd), NOTE_DELETE | NOTE_LINK);
	assert_int_equal(seen_notes[dir], NOTE_WRITE);
	close(fd);
	close(dir);
}

TEST(the_file_that_took_the_place_raises_nothing)
{
	int fd = watch("f");

	create("new", "new");
	must(rename("new", "f"));
	gather();
	append("f", "x");
	must(chmod("f", 0600));
	must(unlink("f"));
	expect_nothing(fd);
	close(fd);
}

TEST(rename_away_is_rename)
{
	int fd = watch("f");

	must(rename("f", "g"));
	assert_int_equal(notes(fd), NOTE_RENAME);
	append("g", "x");
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(rename_to_another_directory_is_rename)
{
	int fd = watch("f");

	must(rename("f", "d/f"));
	assert_int_equal(notes(fd), NOTE_RENAME);
	close(fd);
}

TEST(reading_is_nothing)
{
	int fd = watch("f"), r = open("f", O_RDONLY);
	struct stat st;
	char buf[4];

	must((int)read(r, buf, sizeof(buf)));
	must(stat("f", &st));
	must(fstat(fd, &st));
	must(access("f", R_OK));
	close(r);
	expect_nothing(fd);
	close(fd);
}

TEST(a_writer_that_closes_is_nothing)
{
	int w = open("f", O_WRONLY), fd = watch("f");

	must((int)write(w, "x", 1));
	assert_int_equal(notes(fd), NOTE_WRITE);
	must(close(w));
	expect_nothing(fd);
	close(fd);
}

TEST(changes_of_another_process_are_seen)
{
	int fd = watch("f");

	assert_int_equal(system("echo x >> f"), 0);
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(a_symbolic_link_itself_can_be_watched)
{
	int fd, target;

	must(symlink("f", "l"));
	fd = watch_link("l");
	target = watch("l");
	append("l", "x");
	gather();
	assert_int_equal(seen_count[fd], 0);
	assert_true(seen_notes[target] & NOTE_WRITE);
	must(unlink("l"));
	gather();
	assert_int_equal(seen_notes[fd], NOTE_DELETE | NOTE_LINK);
	assert_int_equal(seen_count[target], 0);
	close(fd);
	close(target);
}

TEST(replacing_a_symbolic_link_is_delete)
{
	int fd;

	must(symlink("f", "l"));
	fd = watch_link("l");
	must(symlink("d", "m"));
	must(rename("m", "l"));
	assert_int_equal(notes(fd) & ~(uint32_t)NOTE_LINK, NOTE_DELETE);
	close(fd);
}

TEST(a_fifo_can_be_watched_as_a_file)
{
	int fd;

	must(mkfifo("p", 0600));
	fd = watch("p");
	must(chmod("p", 0644));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	close(fd);
}

/* ---- EVFILT_VNODE: directories ---- */

TEST(a_new_entry_is_write)
{
	int fd = watch("d");

	create("d/a", "");
	assert_int_equal(notes(fd), NOTE_WRITE);
	must(symlink("x", "d/l"));
	assert_int_equal(notes(fd), NOTE_WRITE);
	must(mkfifo("d/p", 0600));
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(a_removed_entry_is_write)
{
	int fd;

	create("d/a", "");
	fd = watch("d");
	must(unlink("d/a"));
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(a_renamed_entry_is_write)
{
	int fd;

	create("d/a", "");
	create("d/c", "");
	fd = watch("d");
	must(rename("d/a", "d/b"));
	assert_int_equal(notes(fd), NOTE_WRITE);
	must(rename("d/b", "d/c"));
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(an_entry_moved_in_or_out_is_write)
{
	int fd = watch("d"), top = watch(".");

	must(rename("f", "d/f"));
	assert_int_equal(notes(fd), NOTE_WRITE);
	assert_int_equal(seen_notes[top], NOTE_WRITE);
	must(rename("d/f", "f"));
	assert_int_equal(notes(fd), NOTE_WRITE);
	assert_int_equal(seen_notes[top], NOTE_WRITE);
	close(fd);
	close(top);
}

TEST(a_hard_link_is_write_of_the_directory_and_link_of_the_file)
{
	int dir = watch("d"), fd = watch("f");

	must(link("f", "d/f"));
	gather();
	assert_int_equal(seen_notes[dir], NOTE_WRITE);
	assert_int_equal(seen_notes[fd], NOTE_LINK);
	close(fd);
	close(dir);
}

TEST(mkdir_and_rmdir_of_a_child_are_write_and_link)
{
	int fd = watch("d");

	must(mkdir("d/sub", 0755));
	assert_int_equal(notes(fd), NOTE_WRITE | NOTE_LINK);
	must(rmdir("d/sub"));
	assert_int_equal(notes(fd), NOTE_WRITE | NOTE_LINK);
	close(fd);
}

TEST(a_moved_directory_is_write_of_both_parents)
{
	int d, e;

	must(mkdir("e", 0755));
	must(mkdir("d/sub", 0755));
	d = watch("d");
	e = watch("e");
	must(rename("d/sub", "e/sub"));
	gather();
	/* LINK too where the file system counts subdirectories. */
	assert_int_equal(seen_notes[d] & ~(uint32_t)NOTE_LINK, NOTE_WRITE);
	assert_int_equal(seen_notes[e] & ~(uint32_t)NOTE_LINK, NOTE_WRITE);
	close(d);
	close(e);
}

TEST(a_directory_renamed_in_place_is_write_without_link)
{
	int fd;

	must(mkdir("d/sub", 0755));
	fd = watch("d");
	must(rename("d/sub", "d/sub2"));
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(content_of_a_child_is_nothing_to_its_directory)
{
	int fd;

	create("d/a", "0123456789");
	fd = watch("d");
	append("d/a", "x");
	must(truncate("d/a", 2));
	reopen_truncated("d/a");
	expect_nothing(fd);
	close(fd);
}

TEST(attributes_of_a_child_are_nothing_to_its_directory)
{
	int fd;

	create("d/a", "");
	must(mkdir("d/sub", 0755));
	fd = watch("d");
	must(chmod("d/a", 0600));
	must(chmod("d/sub", 0700));
	must(utimes("d/a", NULL));
	expect_nothing(fd);
	close(fd);
}

TEST(a_watched_child_and_its_watched_directory_keep_apart)
{
	int dir, fd;

	create("d/a", "");
	dir = watch("d");
	fd = watch("d/a");
	append("d/a", "x");
	must(chmod("d/a", 0600));
	gather();
	assert_int_equal(
	    seen_notes[fd] & ~(uint32_t)NOTE_EXTEND, NOTE_WRITE | NOTE_ATTRIB);
	assert_int_equal(seen_count[dir], 0);
	must(chmod("d", 0700));
	gather();
	assert_int_equal(seen_count[fd], 0);
	assert_int_equal(seen_notes[dir], NOTE_ATTRIB);
	close(fd);
	close(dir);
}

TEST(changes_in_a_subdirectory_are_nothing)
{
	int fd;

	must(mkdir("d/sub", 0755));
	fd = watch("d");
	create("d/sub/a", "x");
	must(mkdir("d/sub/b", 0755));
	must(rmdir("d/sub/b"));
	must(unlink("d/sub/a"));
	expect_nothing(fd);
	close(fd);
}

TEST(chmod_of_the_directory_is_attrib)
{
	int fd = watch("d");

	must(chmod("d", 0700));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	close(fd);
}

TEST(rename_of_the_directory_is_rename)
{
	int fd = watch("d");

	must(rename("d", "e"));
	assert_int_equal(notes(fd), NOTE_RENAME);
	create("e/a", "");
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(rmdir_of_the_directory_is_told_while_it_is_open)
{
	int fd = watch("d");

	must(rmdir("d"));
	assert_int_equal(notes(fd), NOTE_DELETE | NOTE_LINK);
	must(mkdir("d", 0755));
	must(rmdir("d"));
	expect_nothing(fd);
	close(fd);
}

TEST(rmdir_is_told_after_a_rename_in_place)
{
	int fd = watch("d");

	must(rename("d", "e"));
	assert_int_equal(notes(fd), NOTE_RENAME);
	must(rmdir("e"));
	assert_int_equal(notes(fd), NOTE_DELETE | NOTE_LINK);
	close(fd);
}

TEST(rmdir_is_told_after_a_move_elsewhere)
{
	int fd;

	must(mkdir("e", 0755));
	fd = watch("d");
	must(rename("d", "e/d"));
	assert_int_equal(notes(fd), NOTE_RENAME);
	must(mkdir("d", 0755));
	must(rmdir("d"));
	expect_nothing(fd);
	must(rmdir("e/d"));
	assert_int_equal(notes(fd), NOTE_DELETE | NOTE_LINK);
	close(fd);
}

TEST(move_and_rmdir_in_one_go_are_both_told)
{
	int fd;

	must(mkdir("e", 0755));
	fd = watch("d");
	must(rename("d", "e/d"));
	must(rmdir("e/d"));
	assert_int_equal(notes(fd), NOTE_RENAME | NOTE_DELETE | NOTE_LINK);
	close(fd);
}

TEST(rmdir_is_told_when_the_parent_moved)
{
	int fd;

	must(mkdir("d/sub", 0755));
	fd = watch("d/sub");
	must(rename("d", "e"));
	expect_nothing(fd);
	must(rmdir("e/sub"));
	assert_int_equal(notes(fd), NOTE_DELETE | NOTE_LINK);
	close(fd);
}

TEST(rmdir_of_a_watched_child_of_a_watched_directory)
{
	int dir, fd;

	must(mkdir("d/sub", 0755));
	fd = watch("d/sub");
	dir = watch("d");
	must(rmdir("d/sub"));
	gather();
	assert_int_equal(seen_notes[fd], NOTE_DELETE | NOTE_LINK);
	assert_int_equal(seen_notes[dir], NOTE_WRITE | NOTE_LINK);
	close(fd);
	must(rmdir("d"));
	assert_int_equal(notes(dir), NOTE_DELETE | NOTE_LINK);
	close(dir);
}

TEST(rmdir_is_told_after_the_parent_knote_is_gone)
{
	int dir, fd;

	must(mkdir("d/sub", 0755));
	dir = watch("d");
	fd = watch("d/sub");
	must(change(dir, EVFILT_VNODE, EV_DELETE, 0, NULL));
	must(close(dir));
	must(rmdir("d/sub"));
	assert_int_equal(notes(fd), NOTE_DELETE | NOTE_LINK);
	close(fd);
}

TEST(a_directory_watched_before_its_child_goes_on_hearing)
{
	int dir, fd;

	must(mkdir("d/sub", 0755));
	dir = watch("d");
	fd = watch("d/sub");
	create("d/a", "");
	assert_int_equal(notes(dir), NOTE_WRITE);
	must(chmod("d", 0700));
	assert_int_equal(notes(dir), NOTE_ATTRIB);
	must(close(fd));
	must(unlink("d/a"));
	assert_int_equal(notes(dir), NOTE_WRITE);
	close(dir);
}

TEST(rmdir_of_a_sibling_is_nothing)
{
	int fd;

	must(mkdir("e", 0755));
	fd = watch("d");
	must(rmdir("e"));
	expect_nothing(fd);
	close(fd);
}

TEST(rename_over_a_watched_directory_is_delete)
{
	int fd;

	must(mkdir("e", 0755));
	fd = watch("d");
	must(rename("e", "d"));
	assert_int_equal(notes(fd) & ~(uint32_t)NOTE_LINK, NOTE_DELETE);
	close(fd);
}

TEST(the_parent_of_a_watched_directory_is_not_reported)
{
	int fd = watch("d");
	struct kevent ev;

	create("g", "");
	must(unlink("g"));
	must(mkdir("e", 0755));
	gather();
	assert_int_equal(seen_count[fd], 0);
	assert_int_equal(poll_events(&ev, 1), 0);
	close(fd);
}

#if EMULATED
/* 0 = as on macOS, 77 = not allowed here, else which step failed. */
static int
mount_and_unmount(void)
{
	struct kevent ev;
	int fd;

	if (unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0)
		return 77;
	if (mkdir("d/m", 0755) != 0 || (kq = kqueue()) < 0)
		return 1;
	fd = open("d", O_EVTONLY);
	if (change(fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, ALL, NULL) != 0)
		return 2;
	if (mount("none", "d/m", "tmpfs", 0, NULL) != 0)
		return 77;
	if (kevent(kq, NULL, 0, &ev, 1, &patience) != 1 || ev.fflags != NOTE_WRITE)
		return 3;
	if (umount("d/m") != 0)
		return 4;
	if (kevent(kq, NULL, 0, &ev, 1, &patience) != 1 || ev.fflags != NOTE_WRITE)
		return 5;
	/* Elsewhere is not here. */
	if (mkdir("n", 0755) != 0 || mount("none", "n", "tmpfs", 0, NULL) != 0)
		return 6;
	return kevent(kq, NULL, 0, &ev, 1, &at_once) == 0 ? 0 : 7;
}

/* The same for the watched directory's end: the volume goes. */
static int
lazy_unmount(void)
{
	struct kevent ev;
	int fd, other;

	if (unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0)
		return 77;
	if (mount("none", "d", "tmpfs", 0, NULL) != 0)
		return 77;
	if ((kq = kqueue()) < 0)
		return 1;
	create("d/a", "x");
	fd = open("d/a", O_EVTONLY);
	if (change(fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, ALL, NULL) != 0)
		return 2;
	/* The inode goes with the last descriptor, and with it the knote. */
	if (umount2("d", MNT_DETACH) != 0 || close(fd) != 0)
		return 3;
	other = open("f", O_EVTONLY);
	if (other != fd || change(other, EVFILT_VNODE, EV_ADD | EV_CLEAR, ALL, NULL) != 0)
		return 4;
	if (chmod("f", 0600) != 0 || kevent(kq, NULL, 0, &ev, 1, &patience) != 1)
		return 5;
	return ev.fflags == NOTE_ATTRIB && kqueue_count_knotes(kq) == 1 ? 0 : 6;
}
#else
static int
mount_and_unmount(void)
{
	return 77;
}

static int
lazy_unmount(void)
{
	return 77;
}
#endif

TEST(a_mount_is_write_of_the_parent_directory)
{
	int result;

	skip_native("mounting in a test needs a disk image and root");
	if ((result = in_child(mount_and_unmount)) == 77) {
		print_message("skipped: may not mount in a namespace of its own\n");
		skip();
	}
	assert_int_equal(result, 0);
}

TEST(an_unmounted_volume_takes_its_knotes_along)
{
	int result;

	skip_native("mounting in a test needs a disk image and root");
	if ((result = in_child(lazy_unmount)) == 77) {
		print_message("skipped: may not mount in a namespace of its own\n");
		skip();
	}
	assert_int_equal(result, 0);
}

/* ---- knotes ---- */

TEST(adding_reports_no_past)
{
	int fd;

	append("f", "x");
	must(chmod("f", 0600));
	fd = watch("f");
	expect_nothing(fd);
	close(fd);
}

TEST(a_second_knote_does_not_hear_the_past_of_the_first)
{
	int a = watch("f"), b;

	append("f", "x");
	b = watch("f");
	gather();
	assert_true(seen_notes[a] & NOTE_WRITE);
	assert_int_equal(seen_count[b], 0);
	close(a);
	close(b);
}

TEST(two_descriptors_of_one_file_both_hear)
{
	int a = watch("f"), b = watch("f");

	append("f", "x");
	gather();
	assert_int_equal(seen_count[a], 1);
	assert_int_equal(seen_count[b], 1);
	assert_true(seen_notes[a] & NOTE_WRITE);
	assert_true(seen_notes[b] & NOTE_WRITE);
	close(a);
	close(b);
}

TEST(two_hard_links_both_hear)
{
	int a, b;

	must(link("f", "d/g"));
	a = watch("f");
	b = watch("d/g");
	must(chmod("f", 0600));
	gather();
	assert_int_equal(seen_notes[a], NOTE_ATTRIB);
	assert_int_equal(seen_notes[b], NOTE_ATTRIB);
	close(a);
	close(b);
}

TEST(two_knotes_of_one_file_each_have_their_mask)
{
	int a = open_watched("f"), b = open_watched("f");

	add(a, EV_CLEAR, NOTE_ATTRIB, NULL);
	add(b, EV_CLEAR, NOTE_WRITE, NULL);
	append("f", "x");
	gather();
	assert_int_equal(seen_count[a], 0);
	assert_true(seen_notes[b] & NOTE_WRITE);
	must(chmod("f", 0600));
	gather();
	assert_int_equal(seen_notes[a], NOTE_ATTRIB);
	assert_int_equal(seen_count[b], 0);
	close(a);
	close(b);
}

TEST(what_was_not_asked_for_is_not_told)
{
	int fd = open_watched("f");

	add(fd, EV_CLEAR, NOTE_RENAME, NULL);
	append("f", "x");
	must(chmod("f", 0600));
	must(unlink("f"));
	expect_nothing(fd);
	close(fd);
}

TEST(deleting_one_knote_does_not_silence_the_other)
{
	int a = watch("f"), b = watch("f");

	must(change(a, EVFILT_VNODE, EV_DELETE, 0, NULL));
	append("f", "x");
	gather();
	assert_int_equal(seen_count[a], 0);
	assert_true(seen_notes[b] & NOTE_WRITE);
	close(a);
	close(b);
}

TEST(closing_one_descriptor_does_not_silence_the_other)
{
	int a = watch("f"), b = watch("f");

	must(close(a));
	append("f", "x");
	gather();
	assert_int_equal(seen_count[a], 0);
	assert_true(seen_notes[b] & NOTE_WRITE);
	close(b);
}

TEST(a_knote_added_again_after_delete_hears_again)
{
	int fd = watch("f");

	append("f", "x");
	must(change(fd, EVFILT_VNODE, EV_DELETE, 0, NULL));
	expect_nothing(fd);
	append("f", "x");
	add(fd, EV_CLEAR, ALL, NULL);
	expect_nothing(fd);
	must(chmod("f", 0600));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	close(fd);
}

TEST(bits_add_up_to_one_event)
{
	int fd = watch("f");

	append("f", "x");
	must(chmod("f", 0600));
	must(rename("f", "g"));
	must(link("g", "h"));
	append("g", "x");
	assert_int_equal(notes(fd), NOTE_WRITE | NOTE_ATTRIB | NOTE_RENAME | NOTE_LINK);
	assert_int_equal(seen_count[fd], 1);
	close(fd);
}

TEST(udata_comes_back)
{
	int fd = open_watched("f"), mine;
	struct kevent ev;

	add(fd, EV_CLEAR, ALL, &mine);
	append("f", "x");
	assert_true(next(&ev));
	assert_int_equal(ev.ident, fd);
	assert_int_equal(ev.filter, EVFILT_VNODE);
	assert_ptr_equal(ev.udata, &mine);
	assert_int_equal(ev.flags & (EV_ERROR | EV_EOF), 0);
	close(fd);
}

TEST(with_clear_an_event_comes_once)
{
	int fd = watch("f");
	struct kevent ev;

	append("f", "x");
	assert_true(next(&ev));
	assert_int_equal(poll_events(&ev, 1), 0);
	must(chmod("f", 0600));
	assert_true(next(&ev));
	assert_int_equal(ev.fflags, NOTE_ATTRIB);
	close(fd);
}

TEST(without_clear_it_comes_for_ever)
{
	int fd = open_watched("f");
	struct kevent ev;

	add(fd, 0, ALL, NULL);
	append("f", "x");
	for (int i = 0; i < 5; i++) {
		assert_true(next(&ev));
		assert_int_equal(ev.ident, fd);
		assert_true(ev.fflags & NOTE_WRITE);
	}
	must(chmod("f", 0600));
	assert_true(next(&ev));
	assert_true(ev.fflags & NOTE_WRITE);
	assert_true(ev.fflags & NOTE_ATTRIB);
	close(fd);
}

TEST(while_disabled_bits_add_up)
{
	int fd = watch("f");

	must(change(fd, EVFILT_VNODE, EV_DISABLE, ALL, NULL));
	append("f", "x");
	must(chmod("f", 0600));
	expect_nothing(fd);
	must(change(fd, EVFILT_VNODE, EV_ENABLE, ALL, NULL));
	assert_int_equal(notes(fd), NOTE_WRITE | NOTE_ATTRIB);
	expect_nothing(fd);
	close(fd);
}

TEST(disabling_holds_back_what_is_pending)
{
	int fd = watch("f");

	append("f", "x");
	must(change(fd, EVFILT_VNODE, EV_DISABLE, ALL, NULL));
	expect_nothing(fd);
	must(change(fd, EVFILT_VNODE, EV_ENABLE, ALL, NULL));
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

/* Two pending events, one of them fetched: the descriptor of the other. */
static int
leave_one_pending(int a, int b)
{
	struct kevent ev;

	append("f", "x");
	create("d/a", "");
	assert_true(next(&ev));
	return (int)ev.ident == a ? b : a;
}

/* Does somebody who waits for the kqueue wake up? */
static bool
wakes(void)
{
	struct pollfd p = { .fd = kq, .events = POLLIN };
	int n = poll(&p, 1, 0);

	must(n);
	return n == 1;
}

/* A disabled knote that has a write pending, after which events are taken. */
static int
watch_disabled(const char *name)
{
	int fd = watch(name);

	must(change(fd, EVFILT_VNODE, EV_DISABLE, ALL, NULL));
	if (strcmp(name, "d") == 0)
		create("d/first", "");
	else
		append(name, "first");
	expect_nothing(fd);
	return fd;
}

static uint32_t
notes_enabled(int fd)
{
	must(change(fd, EVFILT_VNODE, EV_ENABLE, ALL, NULL));
	return notes(fd);
}

TEST(writes_wake_nobody_where_one_is_pending_and_disabled)
{
	int fd = watch_disabled("f");

	append("f", "x");
	append("f", "x");
	assert_false(wakes());
	assert_int_equal(notes_enabled(fd), NOTE_WRITE);
	append("f", "x");
	assert_true(wakes());
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(entries_wake_nobody_where_a_write_is_pending_and_disabled)
{
	int fd = watch_disabled("d");

	create("d/a", "");
	must(rename("d/a", "d/b"));
	must(rename("d/b", "a"));
	must(rename("a", "d/a"));
	must(unlink("d/a"));
	assert_false(wakes());
	assert_int_equal(notes_enabled(fd), NOTE_WRITE);
	create("d/a", "");
	assert_true(wakes());
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(attributes_wake_nobody_where_a_change_is_pending_and_disabled)
{
	int fd = watch_disabled("f");

	must(chmod("f", 0600));
	assert_true(wakes());
	expect_nothing(fd);
	must(chmod("f", 0640));
	must(chmod("f", 0600));
	assert_false(wakes());
	assert_int_equal(notes_enabled(fd), NOTE_WRITE | NOTE_ATTRIB);
	must(chmod("f", 0640));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	close(fd);
}

TEST(what_is_pending_when_it_is_disabled_wakes_nobody_either)
{
	int a = watch("f"), b = watch("d"), fd = leave_one_pending(a, b);

	must(change(fd, EVFILT_VNODE, EV_DISABLE, ALL, NULL));
	if (fd == a)
		append("f", "x");
	else
		create("d/x", "");
	assert_false(wakes());
	assert_int_equal(notes_enabled(fd), NOTE_WRITE);
	close(a);
	close(b);
}

TEST(a_truncation_while_disabled_is_told_after_a_write)
{
	int fd = watch_disabled("f");

	must(truncate("f", 3));
	assert_int_equal(notes_enabled(fd), NOTE_WRITE | NOTE_ATTRIB);
	close(fd);
}

TEST(links_while_disabled_are_told_after_all_else)
{
	int fd = watch_disabled("f");

	must(chmod("f", 0600));
	expect_nothing(fd);
	must(link("f", "g"));
	assert_false(wakes());
	assert_int_equal(notes_enabled(fd), NOTE_WRITE | NOTE_ATTRIB | NOTE_LINK);
	must(change(fd, EVFILT_VNODE, EV_DISABLE, ALL, NULL));
	must(chmod("f", 0640));
	expect_nothing(fd);
	must(unlink("g"));
	must(unlink("f"));
	assert_int_equal(notes_enabled(fd), NOTE_ATTRIB | NOTE_DELETE | NOTE_LINK);
	close(fd);
}

TEST(directories_while_disabled_are_told_after_a_write)
{
	int fd = watch_disabled("d");

	must(mkdir("d/sub", 0755));
	assert_int_equal(notes_enabled(fd), NOTE_WRITE | NOTE_LINK);
	close(fd);
}

TEST(a_rename_while_disabled_is_told_after_a_write)
{
	int fd = watch_disabled("f");

	must(rename("f", "g"));
	assert_int_equal(notes_enabled(fd), NOTE_WRITE | NOTE_RENAME);
	close(fd);
}

TEST(a_disabled_knote_keeps_nothing_from_another_of_its_file)
{
	int fd = watch_disabled("f"), other;

	append("f", "x");
	must(truncate("f", 3));
	other = watch("f");
	append("f", "x");
	assert_true(wakes());
	assert_int_equal(notes(other), NOTE_WRITE);
	must(change(other, EVFILT_VNODE, EV_DISABLE, ALL, NULL));
	append("f", "x");
	expect_nothing(fd);
	append("f", "x");
	assert_false(wakes());
	assert_int_equal(notes_enabled(other), NOTE_WRITE);
	assert_int_equal(notes_enabled(fd), NOTE_WRITE | NOTE_ATTRIB);
	close(other);
	close(fd);
}

TEST(what_is_asked_for_while_disabled_is_told)
{
	int fd = open_watched("f");

	add(fd, EV_CLEAR | EV_DISABLE, NOTE_WRITE, NULL);
	append("f", "x");
	must(chmod("f", 0600));
	expect_nothing(fd);
	must(chmod("f", 0640));
	assert_false(wakes());
	must(change(fd, EVFILT_VNODE, EV_DISABLE, NOTE_WRITE | NOTE_ATTRIB, NULL));
	must(chmod("f", 0600));
	assert_int_equal(notes_enabled(fd), NOTE_WRITE | NOTE_ATTRIB);
	close(fd);
}

/* Before and after that, a directory in it is watched. */
TEST(a_disabled_directory_keeps_nothing_from_those_in_it)
{
	int d, early, late;

	must(mkdir("d/early", 0755));
	must(mkdir("d/late", 0755));
	early = watch("d/early");
	d = watch_disabled("d");
	create("d/a", "");
	assert_false(wakes());
	must(rmdir("d/early"));
	assert_int_equal(notes(early), NOTE_DELETE | NOTE_LINK);
	must(close(early));
	late = watch("d/late");
	must(rmdir("d/late"));
	assert_int_equal(notes(late), NOTE_DELETE | NOTE_LINK);
	assert_int_equal(notes_enabled(d), NOTE_WRITE | NOTE_LINK);
	close(late);
	close(d);
}

/* To report more, the watch has to be asked for again. */
TEST(a_file_that_may_not_be_read_any_more_is_revoked_for_linux)
{
	int fd;

	skip_native("a native kqueue asks for no permission again");
	fd = watch_disabled("f");
	must(chmod("f", 0200));
	expect_nothing(fd);
	if (geteuid() == 0)
		must(seteuid(65534));
	must(change(fd, EVFILT_VNODE, EV_ENABLE, ALL, NULL));
	if (getuid() == 0)
		must(seteuid(0));
	gather();
	assert_true(seen_flags[fd] & EV_EOF);
	assert_true(seen_notes[fd] & NOTE_REVOKE);
	assert_int_equal(change(fd, EVFILT_VNODE, EV_ENABLE, ALL, NULL), -1);
	close(fd);
}

TEST(disabling_holds_back_what_could_be_fetched)
{
	int a = watch("f"), b = watch("d"), fd = leave_one_pending(a, b);

	must(change(fd, EVFILT_VNODE, EV_DISABLE, ALL, NULL));
	expect_nothing(fd);
	must(change(fd, EVFILT_VNODE, EV_ENABLE, ALL, NULL));
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(a);
	close(b);
}

TEST(what_could_be_fetched_dies_with_its_descriptor)
{
	int a = watch("f"), b = watch("d"), fd = leave_one_pending(a, b), other;

	must(other = dup(fence_written));
	must(dup2(other, fd));
	expect_nothing(fd);
	close(other);
	close(a);
	close(b);
}

TEST(a_knote_can_be_added_disabled)
{
	int fd = open_watched("f");

	add(fd, EV_CLEAR | EV_DISABLE, ALL, NULL);
	append("f", "x");
	expect_nothing(fd);
	must(change(fd, EVFILT_VNODE, EV_ENABLE, ALL, NULL));
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(dispatch_disables_at_delivery)
{
	int fd = open_watched("f");

	add(fd, EV_CLEAR | EV_DISPATCH, ALL, NULL);
	append("f", "x");
	assert_int_equal(notes(fd), NOTE_WRITE);
	must(chmod("f", 0600));
	expect_nothing(fd);
	must(change(fd, EVFILT_VNODE, EV_ENABLE, ALL, NULL));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	close(fd);
}

TEST(oneshot_comes_once_and_is_gone)
{
	int fd = open_watched("f");

	add(fd, EV_ONESHOT, ALL, NULL);
	append("f", "x");
	assert_int_equal(notes(fd), NOTE_WRITE);
	append("f", "x");
	expect_nothing(fd);
	assert_int_equal(change(fd, EVFILT_VNODE, EV_DELETE, 0, NULL), -1);
	assert_int_equal(errno, ENOENT);
	close(fd);
}

TEST(adding_again_replaces_mask_and_udata)
{
	int fd = open_watched("f"), old, new;

	add(fd, EV_CLEAR, NOTE_WRITE, &old);
	add(fd, EV_CLEAR, NOTE_ATTRIB, &new);
	append("f", "x");
	expect_nothing(fd);
	must(chmod("f", 0600));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	assert_ptr_equal(seen_udata[fd], &new);
	close(fd);
}

TEST(adding_again_keeps_what_is_pending)
{
	int fd = watch("f"), new;

	append("f", "x");
	add(fd, EV_CLEAR, ALL, &new);
	assert_int_equal(notes(fd), NOTE_WRITE);
	assert_ptr_equal(seen_udata[fd], &new);
	close(fd);
}

TEST(adding_again_enables)
{
	int fd = watch("f");

	must(change(fd, EVFILT_VNODE, EV_DISABLE, ALL, NULL));
	append("f", "x");
	expect_nothing(fd);
	add(fd, EV_ENABLE | EV_CLEAR, ALL, NULL);
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(enable_and_disable_replace_mask_and_udata_too)
{
	int fd = watch("f"), new;

	/* XNU touches the knote: who passes no mask has none from then on. */
	must(change(fd, EVFILT_VNODE, EV_ENABLE, 0, &new));
	append("f", "x");
	expect_nothing(fd);
	must(change(fd, EVFILT_VNODE, EV_DISABLE, NOTE_ATTRIB, &new));
	must(chmod("f", 0600));
	expect_nothing(fd);
	must(change(fd, EVFILT_VNODE, EV_ENABLE, NOTE_ATTRIB, &new));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	assert_ptr_equal(seen_udata[fd], &new);
	close(fd);
}

TEST(delete_wins_over_add_and_disable_over_enable)
{
	int fd = watch("f");

	must(change(fd, EVFILT_VNODE, EV_ENABLE | EV_DISABLE, ALL, NULL));
	append("f", "x");
	expect_nothing(fd);
	must(change(fd, EVFILT_VNODE, EV_ADD | EV_DELETE, ALL, NULL));
	assert_int_equal(change(fd, EVFILT_VNODE, EV_ENABLE, ALL, NULL), -1);
	assert_int_equal(errno, ENOENT);
	close(fd);
}

TEST(delete_drops_what_is_pending)
{
	int fd = watch("f");

	append("f", "x");
	must(change(fd, EVFILT_VNODE, EV_DELETE, 0, NULL));
	expect_nothing(fd);
	close(fd);
}

TEST(close_drops_the_knote_and_what_is_pending)
{
	int fd = watch("f");

	append("f", "x");
	must(close(fd));
	append("f", "x");
	expect_nothing(fd);
	assert_int_equal(change(fd, EVFILT_VNODE, EV_DELETE, 0, NULL), -1);
	assert_true(errno == ENOENT || errno == EBADF);
}

TEST(a_reused_number_hears_nothing_of_the_old_file)
{
	int fd = watch("f");

	create("g", "");
	append("f", "x");
	must(close(fd));
	assert_int_equal(open_watched("g"), fd);
	append("f", "x");
	append("g", "x");
	expect_nothing(fd);
	close(fd);
}

TEST(a_reused_number_has_only_the_new_knote)
{
	int fd = open_watched("f"), old, new;

	create("g", "");
	add(fd, EV_CLEAR, ALL, &old);
	append("f", "x");
	must(close(fd));
	assert_int_equal(open_watched("g"), fd);
	add(fd, EV_CLEAR, NOTE_ATTRIB, &new);
	append("f", "x");
	append("g", "x");
	expect_nothing(fd);
	must(chmod("g", 0600));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	assert_ptr_equal(seen_udata[fd], &new);
	close(fd);
}

TEST(the_same_file_opened_anew_starts_without_a_past)
{
	int fd = watch("f"), new;

	append("f", "x");
	must(close(fd));
	assert_int_equal(open_watched("f"), fd);
	append("f", "x");
	expect_nothing(fd);
	add(fd, EV_CLEAR, ALL, &new);
	expect_nothing(fd);
	must(chmod("f", 0600));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	assert_ptr_equal(seen_udata[fd], &new);
	close(fd);
}

TEST(a_number_taken_over_by_dup2_loses_its_knote)
{
	int fd = watch("f"), g, new;

	create("g", "");
	g = open_watched("g");
	append("f", "x");
	must(dup2(g, fd));
	append("f", "x");
	expect_nothing(fd);
	add(fd, EV_CLEAR, ALL, &new);
	append("f", "x");
	expect_nothing(fd);
	must(chmod("g", 0600));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	assert_ptr_equal(seen_udata[fd], &new);
	close(g);
	close(fd);
}

TEST(close_of_a_duplicate_leaves_the_knote)
{
	int fd = watch("f"), other;

	must(other = dup(fd));
	must(close(other));
	append("f", "x");
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(knotes_and_watches_do_not_leak)
{
	int knotes, watches;

	skip_native("looks inside the shim");
	knotes = kqueue_count_knotes(kq);
	watches = kqueue_count_watches(kq);
	for (int i = 0; i < 50; i++) {
		int a = watch("f"), b = watch("d"), c = watch("f"), d = watch("d");

		append("f", "x");
		must(change(c, EVFILT_VNODE, EV_DELETE, 0, NULL));
		if (i % 2 == 0)
			gather();
		must(dup2(fence_written, a)); /* closes a behind the shim's back */
		append("f", "y");
		must(rename("d", "e"));
		must(rename("e", "d"));
		gather();
		close(a);
		close(b);
		close(c);
		close(d);
	}
	assert_int_equal(kqueue_count_knotes(kq), knotes);
	assert_int_equal(kqueue_count_watches(kq), watches);
}

/* ---- kevent ---- */

TEST(receipts_answer_each_change_and_fetch_nothing)
{
	int a = watch("f"), b = open_watched("d");
	struct kevent chg[2], out[4];

	append("f", "x");
	EV_SET(&chg[0], (uintptr_t)a, EVFILT_VNODE, EV_ADD | EV_CLEAR | EV_RECEIPT, ALL,
	    0, NULL);
	EV_SET(&chg[1], (uintptr_t)b, EVFILT_VNODE, EV_ADD | EV_CLEAR | EV_RECEIPT, ALL,
	    0, NULL);
	assert_int_equal(kevent(kq, chg, 2, out, 4, &patience), 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(out[i].ident, chg[i].ident);
		assert_true(out[i].flags & EV_ERROR);
		assert_int_equal(out[i].data, 0);
	}
	assert_int_equal(notes(a), NOTE_WRITE);
	close(a);
	close(b);
}

TEST(receipts_may_overwrite_their_changes)
{
	int fd = open_watched("f");
	struct kevent ev[2];

	EV_SET(&ev[0], (uintptr_t)fd, EVFILT_VNODE, EV_ADD | EV_CLEAR | EV_RECEIPT, ALL,
	    0, NULL);
	EV_SET(&ev[1], (uintptr_t)fd, EVFILT_READ, EV_DELETE | EV_RECEIPT, 0, 0, NULL);
	assert_int_equal(kevent(kq, ev, 2, ev, 2, NULL), 2);
	assert_int_equal(ev[0].data, 0);
	assert_int_equal(ev[1].data, ENOENT);
	append("f", "x");
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(an_error_with_room_is_an_entry_and_the_rest_goes_on)
{
	int fd = open_watched("f");
	struct kevent chg[2], out[4];

	EV_SET(&chg[0], 4000, EVFILT_VNODE, EV_ADD, ALL, 0, NULL);
	EV_SET(&chg[1], (uintptr_t)fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, ALL, 0, NULL);
	assert_int_equal(kevent(kq, chg, 2, out, 4, NULL), 1);
	assert_int_equal(out[0].ident, 4000);
	assert_true(out[0].flags & EV_ERROR);
	assert_int_equal(out[0].data, EBADF);
	append("f", "x");
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(an_error_without_room_abandons_the_rest)
{
	int fd = open_watched("f");
	struct kevent chg[2];

	EV_SET(&chg[0], 4000, EVFILT_VNODE, EV_ADD, ALL, 0, NULL);
	EV_SET(&chg[1], (uintptr_t)fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, ALL, 0, NULL);
	assert_int_equal(kevent(kq, chg, 2, NULL, 0, NULL), -1);
	assert_int_equal(errno, EBADF);
	append("f", "x");
	expect_nothing(fd);
	assert_int_equal(change(fd, EVFILT_VNODE, EV_DELETE, 0, NULL), -1);
	assert_int_equal(errno, ENOENT);
	close(fd);
}

TEST(an_error_beyond_the_room_abandons_the_rest)
{
	int fd = open_watched("f");
	struct kevent chg[3], out[1];

	EV_SET(&chg[0], 4000, EVFILT_VNODE, EV_ADD, ALL, 0, NULL);
	EV_SET(&chg[1], 4001, EVFILT_VNODE, EV_ADD, ALL, 0, NULL);
	EV_SET(&chg[2], (uintptr_t)fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, ALL, 0, NULL);
	assert_int_equal(kevent(kq, chg, 3, out, 1, NULL), -1);
	assert_int_equal(errno, EBADF);
	append("f", "x");
	expect_nothing(fd);
	close(fd);
}

TEST(a_receipt_without_room_is_no_error)
{
	int fd = open_watched("f");

	must(change(fd, EVFILT_VNODE, EV_ADD | EV_CLEAR | EV_RECEIPT, ALL, NULL));
	append("f", "x");
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

static void
expect_error(int fd, int filter, unsigned flags, int error)
{
	assert_int_equal(change(fd, filter, flags, ALL, NULL), -1);
	assert_int_equal(errno, error);
}

TEST(a_change_of_an_unknown_knote_is_enoent)
{
	int fd = open_watched("f");

	expect_error(fd, EVFILT_VNODE, EV_DELETE, ENOENT);
	expect_error(fd, EVFILT_VNODE, EV_ENABLE, ENOENT);
	expect_error(fd, EVFILT_VNODE, EV_DISABLE, ENOENT);
	expect_error(fd, EVFILT_READ, EV_DELETE, ENOENT);
	expect_error(SIGUSR1, EVFILT_SIGNAL, EV_DELETE, ENOENT);
	close(fd);
}

TEST(a_bad_descriptor_is_ebadf)
{
	expect_error(4000, EVFILT_VNODE, EV_ADD, EBADF);
	expect_error(4000, EVFILT_READ, EV_ADD, EBADF);
	expect_error(4000, EVFILT_WRITE, EV_ADD, EBADF);
	expect_error(-1, EVFILT_VNODE, EV_ADD, EBADF);
}

TEST(pipes_and_sockets_are_no_vnodes)
{
	int p[2], s[2];

	must(pipe(p));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	expect_error(p[0], EVFILT_VNODE, EV_ADD, EINVAL);
	expect_error(p[1], EVFILT_VNODE, EV_ADD, EINVAL);
	expect_error(s[0], EVFILT_VNODE, EV_ADD, EINVAL);
	expect_error(kq, EVFILT_VNODE, EV_ADD, EINVAL);
	close(p[0]);
	close(p[1]);
	close(s[0]);
	close(s[1]);
}

TEST(an_unknown_filter_is_einval)
{
	int fd = open_watched("f");

	expect_error(fd, 0, EV_ADD, EINVAL);
	expect_error(fd, 3, EV_ADD, EINVAL);
	expect_error(fd, -100, EV_ADD, EINVAL);
	close(fd);
}

TEST(what_is_no_kqueue_is_ebadf)
{
	int other = kqueue();
	struct kevent ev;

	must(other);
	must(close(other));
	assert_int_equal(kevent(other, NULL, 0, &ev, 1, &at_once), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(kevent(-1, NULL, 0, &ev, 1, &at_once), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(kevent(fence_written, NULL, 0, &ev, 1, &at_once), -1);
	assert_int_equal(errno, EBADF);
}

TEST(without_room_for_events_it_returns_at_once)
{
	int fd = watch("f");

	append("f", "x");
	assert_int_equal(kevent(kq, NULL, 0, NULL, 0, NULL), 0);
	assert_int_equal(kevent(kq, NULL, 0, NULL, 0, &patience), 0);
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(one_call_changes_and_fetches)
{
	int fd = watch("f"), d = open_watched("d");
	struct kevent chg, ev;

	append("f", "x");
	EV_SET(&chg, (uintptr_t)d, EVFILT_VNODE, EV_ADD | EV_CLEAR, ALL, 0, NULL);
	assert_int_equal(kevent(kq, &chg, 1, &ev, 1, &patience), 1);
	assert_int_equal(ev.ident, fd);
	create("d/a", "");
	assert_int_equal(notes(d), NOTE_WRITE);
	close(fd);
	close(d);
}

TEST(a_list_of_one_starves_nobody)
{
	int busy = open_watched("d"), calm = open_watched("f"), pipes[2];
	int count[3] = { 0 };
	struct kevent ev;

	/* Three that are always ready, two of them for different reasons. */
	must(pipe(pipes));
	must((int)write(pipes[1], "x", 1));
	must(change(pipes[0], EVFILT_READ, EV_ADD, 0, NULL));
	add(busy, 0, ALL, NULL);
	add(calm, 0, ALL, NULL);
	create("d/a", "");
	append("f", "x");
	for (int i = 0; i < 300; i++) {
		assert_true(next(&ev));
		count[0] += (int)ev.ident == busy;
		count[1] += (int)ev.ident == calm;
		count[2] += (int)ev.ident == pipes[0];
	}
	for (int i = 0; i < 3; i++)
		assert_in_range(count[i], 60, 140);
	close(busy);
	close(calm);
	close(pipes[0]);
	close(pipes[1]);
}

TEST(one_call_has_one_event_of_a_knote)
{
	int a = open_watched("f"), b = open_watched("d");
	struct kevent evs[8];

	add(a, 0, ALL, NULL);
	add(b, 0, ALL, NULL);
	append("f", "x");
	create("d/a", "");
	assert_true(next(&evs[0]));
	for (int i = 0; i < 3; i++) {
		int n = poll_events(evs, 8);

		assert_in_range(n, 1, 2);
		assert_true(n == 1 || evs[0].ident != evs[1].ident);
	}
	close(a);
	close(b);
}

TEST(a_thousand_knotes_each_tell_once)
{
	enum { N = 1000 };
	static int fds[N];
	static char hits[MAX_FD];
	struct kevent ev;
	char name[16];
	struct rlimit lim;

	must(getrlimit(RLIMIT_NOFILE, &lim));
	if (lim.rlim_cur < N + 100) {
		lim.rlim_cur = N + 100;
		must(setrlimit(RLIMIT_NOFILE, &lim));
	}
	memset(hits, 0, sizeof(hits));
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "d/%d", i);
		create(name, "");
		fds[i] = watch(name);
	}
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "d/%d", i);
		must(chmod(name, 0600));
	}
	for (int i = 0; i < N; i++) {
		assert_true(next(&ev));
		assert_int_equal(ev.fflags, NOTE_ATTRIB);
		assert_int_equal(hits[ev.ident]++, 0);
	}
	assert_int_equal(poll_events(&ev, 1), 0);
	for (int i = 0; i < N; i++)
		close(fds[i]);
}

TEST(the_descriptor_is_close_on_exec)
{
	assert_true(fcntl(kq, F_GETFD) & FD_CLOEXEC);
}

static bool
kq_readable(void)
{
	struct pollfd p = { .fd = kq, .events = POLLIN };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

TEST(the_descriptor_can_be_polled)
{
	int a = watch("f"), b = watch("d");
	struct kevent ev;

	assert_false(kq_readable());
	append("f", "x");
	create("d/a", "");
	assert_true(kq_readable());
	assert_true(next(&ev));
	assert_true(kq_readable());
	assert_true(next(&ev));
	assert_false(kq_readable());
	close(a);
	close(b);
}

TEST(a_pending_event_that_is_dropped_is_not_polled)
{
	int a = watch("f"), b = watch("d");
	struct kevent ev;

	append("f", "x");
	create("d/a", "");
	assert_true(next(&ev));
	must(close(a));
	must(close(b));
	assert_int_equal(poll_events(&ev, 1), 0);
	assert_false(kq_readable());
}

static int childs_fd;

static int
use_parents_kqueue(void)
{
	struct kevent ev;

	if (kevent(kq, NULL, 0, &ev, 1, &at_once) != -1 || errno != EBADF)
		return 1;
	/* What the child closes must not touch the parent's knotes. */
	close(childs_fd);
	for (int fd = 3; fd < 64; fd++)
		close(fd);
	return kevent(kq, NULL, 0, &ev, 1, &at_once) == -1 && errno == EBADF ? 0 : 1;
}

TEST(a_forked_child_has_no_kqueue_and_harms_none)
{
	int fd = watch("f");

	childs_fd = fd;
	append("f", "x");
	assert_int_equal(in_child(use_parents_kqueue), 0);
	assert_int_equal(notes(fd), NOTE_WRITE);
	must(chmod("f", 0600));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	close(fd);
}

static int
open_kqueue_in_child(void)
{
	struct kevent ev;
	int fd;

	for (int i = 3; i < 64; i++)
		close(i);
	if ((kq = kqueue()) < 0 || (fd = open("d", O_EVTONLY)) < 0)
		return 1;
	if (change(fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, ALL, NULL) != 0)
		return 2;
	create("d/child", "");
	return kevent(kq, NULL, 0, &ev, 1, &patience) == 1 && ev.fflags == NOTE_WRITE ? 0
										      : 3;
}

TEST(a_forked_child_can_have_its_own)
{
	int fd = watch("f");

	assert_int_equal(in_child(open_kqueue_in_child), 0);
	append("f", "x");
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(two_kqueues_both_hear)
{
	int fd = watch("f"), first = kq, second = kqueue();
	struct kevent ev;

	must(second);
	kq = second;
	add(fd, EV_CLEAR, ALL, NULL);
	append("f", "x");
	assert_true(next(&ev));
	kq = first;
	assert_int_equal(notes(fd), NOTE_WRITE);
	must(close(second));
	append("f", "x");
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

TEST(closing_a_kqueue_frees_what_it_had)
{
	int fd = open_watched("d"), before = count_fds(), first = kq;

	for (int i = 0; i < 20; i++) {
		must(kq = kqueue());
		add(fd, EV_CLEAR, ALL, NULL);
		must(change(SIGUSR2, EVFILT_SIGNAL, EV_ADD, 0, NULL));
		create("d/a", "");
		must(close(kq));
	}
	kq = first;
	assert_int_equal(count_fds(), before);
	close(fd);
}

TEST(a_kqueue_with_the_number_of_another_starts_empty)
{
	int fd = open_watched("f"), before = count_fds(), first = kq, second = kqueue();
	struct kevent ev;

	must(kq = second);
	add(fd, 0, ALL, NULL);
	append("f", "x");
	assert_true(next(&ev));
	/* Closed twice without close(): by dup2, and by stdio. */
	must(dup2(fence_written, second));
	assert_int_equal(fclose(fdopen(second, "w")), 0);
	must(kq = kqueue());
	assert_int_equal(kq, second);
	append("f", "x");
	assert_int_equal(poll_events(&ev, 1), 0);
	assert_int_equal(change(fd, EVFILT_VNODE, EV_DELETE, 0, NULL), -1);
	assert_int_equal(errno, ENOENT);
	must(close(kq));
	kq = first;
	assert_int_equal(count_fds(), before);
	close(fd);
}

/* ---- timeouts ---- */

/* How often this process has given up the processor by itself. */
static long
times_waited(void)
{
	struct rusage usage;

	must(getrusage(RUSAGE_SELF, &usage));
	return usage.ru_nvcsw;
}

TEST(a_zero_timeout_polls)
{
	struct kevent ev;
	long waits = times_waited();

	for (int i = 0; i < 100; i++)
		assert_int_equal(poll_events(&ev, 1), 0);
	/* Now and then the kernel itself has to wait for something. */
	assert_true(times_waited() - waits < 100);
}

TEST(a_timeout_is_never_early)
{
	const long ns[] = { 1, 999, 1000001, 20000001 };
	struct kevent ev;

	for (size_t i = 0; i < sizeof(ns) / sizeof(ns[0]); i++) {
		struct timespec ts = { 0, ns[i] };
		struct timespec from, to;

		clock_gettime(CLOCK_MONOTONIC, &from);
		assert_int_equal(kevent(kq, NULL, 0, &ev, 1, &ts), 0);
		clock_gettime(CLOCK_MONOTONIC, &to);
		assert_true(
		    (to.tv_sec - from.tv_sec) * 1000000000L + to.tv_nsec - from.tv_nsec >=
		    ns[i]);
	}
}

TEST(a_timeout_is_not_cut_short_by_what_is_nobodys_business)
{
	int fd = open_watched("f");
	struct timespec ts = { 0, 100000000 };
	struct kevent ev;
	int64_t start = now_us();
	pid_t pid;

	add(fd, EV_CLEAR, NOTE_RENAME, NULL);
	must(pid = fork());
	if (pid == 0) {
		for (int i = 0; i < 50; i++) {
			append("f", "x");
			usleep(1000);
		}
		_exit(0);
	}
	assert_int_equal(kevent(kq, NULL, 0, &ev, 1, &ts), 0);
	assert_true(now_us() - start >= 100000);
	must(waitpid(pid, NULL, 0));
	close(fd);
}

#if EMULATED
TEST(records_without_end_that_nobody_asked_for_keep_nobody_waiting)
{
	const struct timespec soon = { 0, 10000000 };
	struct kevent ev;
	int fd;

	create("f", "");
	fd = open_watched("f");
	add(fd, EV_CLEAR, NOTE_DELETE, NULL);
	must(disturbed = open("f", O_WRONLY | O_APPEND | O_CLOEXEC));
	alarm(60);
	nwaits = 0;
	assert_int_equal(kevent(kq, NULL, 0, &ev, 1, &at_once), 0);
	assert_in_range(nwaits, 1, 2);
	assert_int_equal(kevent(kq, NULL, 0, &ev, 1, &soon), 0);
	alarm(0);
	close(disturbed);
	disturbed = -1;
	close(fd);
}

/* 16 wakeups, and one every 2 ms; 16 more where others had the processor for 10 ms. */
TEST(records_without_end_that_nobody_asked_for_are_left_together)
{
	const struct timespec while_away = { 0, 100000000 };
	struct kevent ev;
	int fd;

	create("f", "");
	fd = open_watched("f");
	add(fd, EV_CLEAR, NOTE_DELETE, NULL);
	must(disturbed = open("f", O_WRONLY | O_APPEND | O_CLOEXEC));
	nwaits = 0;
	assert_int_equal(kevent(kq, NULL, 0, &ev, 1, &while_away), 0);
	close(disturbed);
	disturbed = -1;
	assert_in_range(nwaits, 2, 16 + 100 / 2 + 10 * 16);
	/* Then inotify wakes as before. */
	must(unlink("f"));
	assert_int_equal(notes(fd), NOTE_DELETE);
	close(fd);
}

TEST(a_record_that_nobody_asked_for_is_not_waited_after)
{
	const struct timespec quiet = { 0, 20000000 };
	struct kevent ev;
	int fd = open_watched("f");

	add(fd, EV_CLEAR, NOTE_DELETE, NULL);
	assert_int_equal(kevent(kq, NULL, 0, &ev, 1, &quiet), 0);
	rests = nwaits = 0;
	append("f", "x");
	assert_int_equal(kevent(kq, NULL, 0, &ev, 1, &quiet), 0);
	assert_in_range(nwaits, 2, 3);
	assert_int_equal(rests, 0);
	close(fd);
}

TEST(records_without_end_hide_no_other_event)
{
	const struct timespec while_away = { 10, 0 };
	struct kevent ev;
	int fd, pair[2];

	create("f", "");
	fd = open_watched("f");
	add(fd, EV_CLEAR, NOTE_DELETE, NULL);
	must(pipe(pair));
	must(change(pair[0], EVFILT_READ, EV_ADD, 0, NULL));
	must(disturbed = open("f", O_WRONLY | O_APPEND | O_CLOEXEC));
	nwaits = 0;
	written_at = 50;
	written_to = pair[1];
	assert_int_equal(kevent(kq, NULL, 0, &ev, 1, &while_away), 1);
	assert_int_equal(ev.ident, pair[0]);
	assert_in_range(nwaits, 50, 51);
	close(disturbed);
	disturbed = -1;
	close(pair[0]);
	close(pair[1]);
	close(fd);
}
#endif

TEST(an_invalid_timeout_is_einval)
{
	static const struct timespec bad[] = { { 0, 1000000000 }, { 0, -1 }, { -1, 0 },
		{ (time_t)INT32_MAX + 1, 0 } };
	struct kevent ev;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		errno = 0;
		assert_int_equal(kevent(kq, NULL, 0, &ev, 1, &bad[i]), -1);
		assert_int_equal(errno, EINVAL);
	}
}

TEST(without_a_timeout_it_waits_for_an_event)
{
	int fd = watch("f");
	struct kevent ev;
	pid_t pid;

	must(pid = fork());
	if (pid == 0) {
		usleep(30000);
		append("f", "x");
		_exit(0);
	}
	assert_int_equal(kevent(kq, NULL, 0, &ev, 1, NULL), 1);
	assert_int_equal(ev.ident, fd);
	must(waitpid(pid, NULL, 0));
	close(fd);
}

static volatile sig_atomic_t handled;

static void
handler(int sig)
{
	handled = sig;
}

TEST(a_handler_that_ran_is_eintr)
{
	struct sigaction act = { .sa_handler = handler, .sa_flags = SA_RESTART }, old;
	struct itimerval soon = { .it_value = { 0, 20000 } };
	struct kevent ev;

	handled = 0;
	must(sigaction(SIGALRM, &act, &old));
	must(setitimer(ITIMER_REAL, &soon, NULL));
	assert_int_equal(kevent(kq, NULL, 0, &ev, 1, &patience), -1);
	assert_int_equal(errno, EINTR);
	assert_int_equal(handled, SIGALRM);
	must(sigaction(SIGALRM, &old, NULL));
}

/* ---- EVFILT_READ and EVFILT_WRITE ---- */

static int pair[2];

static void
open_pipe(void)
{
	must(pipe(pair));
}

static void
open_sockets(void)
{
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
}

static void
close_pair(void)
{
	close(pair[0]);
	close(pair[1]);
}

static void
put(int fd, const char *text)
{
	must((int)write(fd, text, strlen(text)));
}

static void
take(int fd, size_t n)
{
	char buf[64];

	assert_int_equal(read(fd, buf, n), n);
}

/* The one event there is now, of this descriptor and filter. */
static struct kevent
only(int fd, int filter)
{
	struct kevent evs[4];
	int n = kevent(kq, NULL, 0, evs, 4, &patience);

	assert_int_equal(n, 1);
	assert_int_equal(evs[0].ident, fd);
	assert_int_equal(evs[0].filter, filter);
	return evs[0];
}

static void
fill(int fd)
{
	char block[4096] = { 0 };

	must(fcntl(fd, F_SETFL, O_NONBLOCK));
	while (write(fd, block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, EAGAIN);
}

static void
drain(int fd)
{
	char block[4096];

	must(fcntl(fd, F_SETFL, O_NONBLOCK));
	while (read(fd, block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, EAGAIN);
}

TEST(read_tells_how_many_bytes)
{
	struct kevent ev;

	open_pipe();
	must(change(pair[0], EVFILT_READ, EV_ADD, 0, &ev));
	assert_int_equal(poll_events(&ev, 1), 0);
	put(pair[1], "hello");
	ev = only(pair[0], EVFILT_READ);
	assert_int_equal(ev.data, 5);
	assert_int_equal(ev.flags & EV_EOF, 0);
	put(pair[1], "!");
	assert_int_equal(only(pair[0], EVFILT_READ).data, 6);
	close_pair();
}

TEST(read_repeats_until_all_is_read)
{
	struct kevent ev;

	open_sockets();
	must(change(pair[0], EVFILT_READ, EV_ADD, 0, NULL));
	put(pair[1], "hello");
	for (int i = 0; i < 3; i++)
		assert_int_equal(only(pair[0], EVFILT_READ).data, 5);
	take(pair[0], 2);
	assert_int_equal(only(pair[0], EVFILT_READ).data, 3);
	take(pair[0], 3);
	assert_int_equal(poll_events(&ev, 1), 0);
	put(pair[1], "again");
	assert_int_equal(only(pair[0], EVFILT_READ).data, 5);
	close_pair();
}

TEST(read_with_clear_comes_with_new_data_only)
{
	struct kevent ev;

	open_pipe();
	must(change(pair[0], EVFILT_READ, EV_ADD | EV_CLEAR, 0, NULL));
	put(pair[1], "abc");
	assert_int_equal(only(pair[0], EVFILT_READ).data, 3);
	assert_int_equal(poll_events(&ev, 1), 0);
	put(pair[1], "d");
	assert_int_equal(only(pair[0], EVFILT_READ).data, 4);
	assert_int_equal(poll_events(&ev, 1), 0);
	close_pair();
}

TEST(read_of_what_was_there_before_is_told)
{
	open_pipe();
	put(pair[1], "abc");
	must(change(pair[0], EVFILT_READ, EV_ADD | EV_CLEAR, 0, NULL));
	assert_int_equal(only(pair[0], EVFILT_READ).data, 3);
	close_pair();
}

TEST(read_that_was_taken_meanwhile_is_not_told)
{
	struct kevent ev;

	open_pipe();
	must(change(pair[0], EVFILT_READ, EV_ADD, 0, NULL));
	put(pair[1], "abc");
	take(pair[0], 3);
	assert_int_equal(poll_events(&ev, 1), 0);
	close_pair();
}

TEST(read_at_the_end_tells_the_rest_first)
{
	struct kevent ev;

	open_pipe();
	must(change(pair[0], EVFILT_READ, EV_ADD, 0, NULL));
	put(pair[1], "rest");
	must(close(pair[1]));
	ev = only(pair[0], EVFILT_READ);
	assert_true(ev.flags & EV_EOF);
	assert_int_equal(ev.data, 4);
	take(pair[0], 4);
	ev = only(pair[0], EVFILT_READ);
	assert_true(ev.flags & EV_EOF);
	assert_int_equal(ev.data, 0);
	close(pair[0]);
}

TEST(read_sees_a_socket_peer_close)
{
	struct kevent ev;

	open_sockets();
	must(change(pair[0], EVFILT_READ, EV_ADD, 0, NULL));
	put(pair[1], "rest");
	must(close(pair[1]));
	ev = only(pair[0], EVFILT_READ);
	assert_true(ev.flags & EV_EOF);
	assert_int_equal(ev.data, 4);
	take(pair[0], 4);
	ev = only(pair[0], EVFILT_READ);
	assert_true(ev.flags & EV_EOF);
	assert_int_equal(ev.data, 0);
	close(pair[0]);
}

TEST(read_sees_a_half_closed_socket)
{
	struct kevent ev;

	open_sockets();
	must(change(pair[0], EVFILT_READ, EV_ADD, 0, NULL));
	must(shutdown(pair[1], SHUT_WR));
	ev = only(pair[0], EVFILT_READ);
	assert_true(ev.flags & EV_EOF);
	close_pair();
}

TEST(read_of_a_listening_socket_is_a_connection)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct kevent ev;
	int s = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(sa.sun_path, "sock", 5);
	must(bind(s, (struct sockaddr *)&sa, sizeof(sa)));
	must(listen(s, 4));
	must(change(s, EVFILT_READ, EV_ADD, 0, NULL));
	assert_int_equal(poll_events(&ev, 1), 0);
	must(connect(c, (struct sockaddr *)&sa, sizeof(sa)));
	ev = only(s, EVFILT_READ);
	assert_int_equal(ev.data, 1);
	assert_int_equal(ev.flags & EV_EOF, 0);
	close(accept(s, NULL, NULL));
	assert_int_equal(poll_events(&ev, 1), 0);
	close(s);
	close(c);
}

TEST(write_is_ready_while_there_is_room)
{
	struct kevent ev;

	open_pipe();
	must(change(pair[1], EVFILT_WRITE, EV_ADD, 0, NULL));
	for (int i = 0; i < 3; i++)
		assert_true(only(pair[1], EVFILT_WRITE).data > 0);
	fill(pair[1]);
	assert_int_equal(poll_events(&ev, 1), 0);
	drain(pair[0]);
	assert_true(only(pair[1], EVFILT_WRITE).data > 0);
	close_pair();
}

TEST(write_sees_the_reader_close)
{
	open_pipe();
	fill(pair[1]);
	must(change(pair[1], EVFILT_WRITE, EV_ADD, 0, NULL));
	must(close(pair[0]));
	assert_true(only(pair[1], EVFILT_WRITE).flags & EV_EOF);
	close(pair[1]);
}

TEST(read_and_write_share_a_descriptor)
{
	struct kevent evs[4];
	int r, w;

	open_sockets();
	must(change(pair[0], EVFILT_READ, EV_ADD, 0, &r));
	must(change(pair[0], EVFILT_WRITE, EV_ADD | EV_CLEAR, 0, &w));
	assert_ptr_equal(only(pair[0], EVFILT_WRITE).udata, &w);
	assert_int_equal(poll_events(evs, 4), 0);
	put(pair[1], "x");
	assert_true(next(&evs[0]));
	assert_int_equal(evs[0].filter, EVFILT_READ);
	assert_ptr_equal(evs[0].udata, &r);
	must(change(pair[0], EVFILT_WRITE, EV_DELETE, 0, NULL));
	assert_int_equal(only(pair[0], EVFILT_READ).data, 1);
	must(change(pair[0], EVFILT_READ, EV_DELETE, 0, NULL));
	put(pair[1], "x");
	assert_int_equal(poll_events(evs, 4), 0);
	close_pair();
}

TEST(read_can_be_disabled)
{
	struct kevent ev;

	open_pipe();
	must(change(pair[0], EVFILT_READ, EV_ADD, 0, NULL));
	put(pair[1], "x");
	must(change(pair[0], EVFILT_READ, EV_DISABLE, 0, NULL));
	assert_int_equal(poll_events(&ev, 1), 0);
	must(close(pair[1]));
	assert_int_equal(poll_events(&ev, 1), 0);
	must(change(pair[0], EVFILT_READ, EV_ENABLE, 0, NULL));
	ev = only(pair[0], EVFILT_READ);
	assert_int_equal(ev.data, 1);
	assert_true(ev.flags & EV_EOF);
	close(pair[0]);
}

TEST(a_disabled_hangup_does_not_spin)
{
	struct timespec ts = { 0, 50000000 };
	struct kevent ev;
	long waits;

	open_pipe();
	must(change(pair[0], EVFILT_READ, EV_ADD | EV_DISABLE, 0, NULL));
	must(close(pair[1]));
	waits = times_waited();
	assert_int_equal(kevent(kq, NULL, 0, &ev, 1, &ts), 0);
	assert_true(times_waited() > waits);
	close(pair[0]);
}

TEST(read_oneshot_comes_once)
{
	struct kevent ev;

	open_pipe();
	must(change(pair[0], EVFILT_READ, EV_ADD | EV_ONESHOT, 0, NULL));
	put(pair[1], "x");
	only(pair[0], EVFILT_READ);
	assert_int_equal(poll_events(&ev, 1), 0);
	expect_error(pair[0], EVFILT_READ, EV_DELETE, ENOENT);
	close_pair();
}

TEST(a_closed_pipe_is_forgotten)
{
	struct kevent ev;
	int old, keep;

	open_pipe();
	must(keep = dup(pair[0])); /* epoll would go on reporting it */
	must(change(pair[0], EVFILT_READ, EV_ADD, 0, &old));
	put(pair[1], "x");
	must(close(pair[0]));
	assert_int_equal(poll_events(&ev, 1), 0);
	/* Same number, other pipe. */
	must(close(pair[1]));
	open_pipe();
	must(change(pair[0], EVFILT_READ, EV_ADD, 0, NULL));
	assert_int_equal(poll_events(&ev, 1), 0);
	put(pair[1], "ab");
	ev = only(pair[0], EVFILT_READ);
	assert_int_equal(ev.data, 2);
	assert_null(ev.udata);
	close_pair();
	close(keep);
}

TEST(a_pipe_replaced_by_dup2_is_forgotten)
{
	struct kevent ev;
	int old, other[2];

	open_pipe();
	must(pipe(other));
	must(change(pair[0], EVFILT_READ, EV_ADD, 0, &old));
	must(dup2(other[0], pair[0]));
	put(other[1], "x");
	assert_int_equal(poll_events(&ev, 1), 0);
	must(change(pair[0], EVFILT_READ, EV_ADD, 0, NULL));
	ev = only(pair[0], EVFILT_READ);
	assert_null(ev.udata);
	close_pair();
	close(other[0]);
	close(other[1]);
}

TEST(a_regular_file_cannot_be_read_watched)
{
	int fd = open("f", O_RDONLY);

	skip_native("macOS reports a regular file as ready unless at its end");
	must(fd);
	expect_error(fd, EVFILT_READ, EV_ADD, EINVAL);
	expect_error(fence_watched, EVFILT_READ, EV_ADD, EINVAL);
	close(fd);
}

TEST(a_kqueue_can_be_watched_by_another)
{
	int fd = watch("f"), inner = kq;
	struct kevent ev;

	must(kq = kqueue());
	must(change(inner, EVFILT_READ, EV_ADD, 0, NULL));
	assert_int_equal(poll_events(&ev, 1), 0);
	append("f", "x");
	only(inner, EVFILT_READ);
	must(close(kq));
	kq = inner;
	assert_int_equal(notes(fd), NOTE_WRITE);
	close(fd);
}

/* ---- EVFILT_SIGNAL ---- */

static void
ignore_signal(int sig, void (*how)(int))
{
	struct sigaction act = { .sa_handler = how };

	must(sigaction(sig, &act, NULL));
}

TEST(an_ignored_signal_is_told)
{
	struct kevent ev;

	ignore_signal(SIGUSR1, SIG_IGN);
	must(change(SIGUSR1, EVFILT_SIGNAL, EV_ADD, 0, &ev));
	must(kill(getpid(), SIGUSR1));
	ev = only(SIGUSR1, EVFILT_SIGNAL);
	assert_true(ev.data >= 1);
	must(change(SIGUSR1, EVFILT_SIGNAL, EV_DELETE, 0, NULL));
	ignore_signal(SIGUSR1, SIG_DFL);
}

TEST(a_signal_is_told_once)
{
	struct kevent ev;

	ignore_signal(SIGUSR1, SIG_IGN);
	must(change(SIGUSR1, EVFILT_SIGNAL, EV_ADD, 0, NULL));
	must(kill(getpid(), SIGUSR1));
	must(kill(getpid(), SIGUSR1));
	only(SIGUSR1, EVFILT_SIGNAL);
	assert_int_equal(poll_events(&ev, 1), 0);
	must(kill(getpid(), SIGUSR1));
	only(SIGUSR1, EVFILT_SIGNAL);
	must(change(SIGUSR1, EVFILT_SIGNAL, EV_DELETE, 0, NULL));
	ignore_signal(SIGUSR1, SIG_DFL);
}

TEST(several_signals_keep_apart)
{
	struct kevent ev;

	ignore_signal(SIGUSR1, SIG_IGN);
	ignore_signal(SIGUSR2, SIG_IGN);
	must(change(SIGUSR1, EVFILT_SIGNAL, EV_ADD, 0, NULL));
	must(change(SIGUSR2, EVFILT_SIGNAL, EV_ADD, 0, NULL));
	must(kill(getpid(), SIGUSR2));
	only(SIGUSR2, EVFILT_SIGNAL);
	must(change(SIGUSR2, EVFILT_SIGNAL, EV_DELETE, 0, NULL));
	must(kill(getpid(), SIGUSR2));
	must(kill(getpid(), SIGUSR1));
	only(SIGUSR1, EVFILT_SIGNAL);
	assert_int_equal(poll_events(&ev, 1), 0);
	must(change(SIGUSR1, EVFILT_SIGNAL, EV_DELETE, 0, NULL));
	ignore_signal(SIGUSR1, SIG_DFL);
	ignore_signal(SIGUSR2, SIG_DFL);
}

TEST(a_disabled_signal_is_counted)
{
	struct kevent ev;

	ignore_signal(SIGUSR1, SIG_IGN);
	must(change(SIGUSR1, EVFILT_SIGNAL, EV_ADD | EV_DISABLE, 0, NULL));
	must(kill(getpid(), SIGUSR1));
	assert_int_equal(poll_events(&ev, 1), 0);
	must(change(SIGUSR1, EVFILT_SIGNAL, EV_ENABLE, 0, NULL));
	only(SIGUSR1, EVFILT_SIGNAL);
	must(change(SIGUSR1, EVFILT_SIGNAL, EV_DELETE, 0, NULL));
	ignore_signal(SIGUSR1, SIG_DFL);
}

TEST(the_end_of_a_child_is_a_signal_with_its_status)
{
	struct kevent ev;
	int status;
	pid_t pid;

	must(change(SIGCHLD, EVFILT_SIGNAL, EV_ADD, 0, NULL));
	must(pid = fork());
	if (pid == 0)
		_exit(7);
	assert_true(next(&ev));
	assert_int_equal(ev.filter, EVFILT_SIGNAL);
	assert_int_equal(waitpid(pid, &status, WNOHANG), pid);
	assert_int_equal(WEXITSTATUS(status), 7);
	must(change(SIGCHLD, EVFILT_SIGNAL, EV_DELETE, 0, NULL));
}

static bool
is_blocked(int sig)
{
	sigset_t set;

	must(sigprocmask(SIG_SETMASK, NULL, &set));
	return sigismember(&set, sig) == 1;
}

TEST(the_signal_mask_is_restored)
{
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, SIGUSR2);
	must(sigprocmask(SIG_BLOCK, &one, NULL));
	must(change(SIGUSR1, EVFILT_SIGNAL, EV_ADD, 0, NULL));
	must(change(SIGUSR1, EVFILT_SIGNAL, EV_ADD, 0, NULL));
	must(change(SIGUSR2, EVFILT_SIGNAL, EV_ADD, 0, NULL));
	must(change(SIGUSR1, EVFILT_SIGNAL, EV_DELETE, 0, NULL));
	must(change(SIGUSR2, EVFILT_SIGNAL, EV_DELETE, 0, NULL));
	assert_false(is_blocked(SIGUSR1));
	assert_true(is_blocked(SIGUSR2));
	must(sigprocmask(SIG_UNBLOCK, &one, NULL));
}

TEST(a_bad_signal_number_is_einval)
{
	expect_error(100000, EVFILT_SIGNAL, EV_ADD, EINVAL);
}

/* ---- what only injection shows here ---- */

TEST(mmap_is_attrib_and_pageout_is_write)
{
	int fd = watch("f");

	skip_native("injected");
	must(kqueue_inject(kq, fd, NOTE_ATTRIB, 0));
	assert_int_equal(notes(fd), NOTE_ATTRIB);
	must(kqueue_inject(kq, fd, NOTE_WRITE, 0));
	assert_int_equal(notes(fd), NOTE_WRITE);
	must(kqueue_inject(kq, fd, NOTE_WRITE, 0));
	must(chmod("f", 0600));
	assert_int_equal(notes(fd), NOTE_WRITE | NOTE_ATTRIB);
	assert_int_equal(kqueue_inject(kq, 4000, NOTE_WRITE, 0), -1);
	close(fd);
}

TEST(an_injected_event_is_masked_and_wakes)
{
	int fd = open_watched("f");
	struct kevent ev;

	skip_native("injected");
	add(fd, EV_CLEAR, NOTE_WRITE, NULL);
	must(kqueue_inject(kq, fd, NOTE_ATTRIB, 0));
	assert_false(kq_readable());
	expect_nothing(fd);
	must(kqueue_inject(kq, fd, NOTE_WRITE, 0));
	assert_true(kq_readable());
	assert_true(next(&ev));
	assert_int_equal(ev.fflags, NOTE_WRITE);
	close(fd);
}

TEST(the_end_of_a_volume_is_eof_and_takes_the_knote)
{
	int a = watch("f"), b = open_watched("d");

	skip_native("injected");
	add(b, EV_CLEAR, NOTE_WRITE, NULL);
	must(kqueue_inject(kq, a, NOTE_REVOKE, EV_EOF | EV_ONESHOT));
	must(kqueue_inject(kq, b, NOTE_REVOKE, EV_EOF | EV_ONESHOT));
	gather();
	assert_int_equal(seen_notes[a], NOTE_REVOKE);
	assert_int_equal(seen_flags[a] & (EV_EOF | EV_ONESHOT), EV_EOF | EV_ONESHOT);
	/* Told although it was not asked for, with no bits. */
	assert_int_equal(seen_count[b], 1);
	assert_int_equal(seen_notes[b], 0);
	assert_int_equal(seen_flags[b] & (EV_EOF | EV_ONESHOT), EV_EOF | EV_ONESHOT);
	expect_error(a, EVFILT_VNODE, EV_DELETE, ENOENT);
	expect_error(b, EVFILT_VNODE, EV_DELETE, ENOENT);
	close(a);
	close(b);
}

TEST(an_overflow_is_told_to_everyone)
{
	int a = watch("f"), b = watch("d"), c = open_watched("f");

	skip_native("a native kqueue has no queue that could overflow");
	add(c, EV_CLEAR, NOTE_ATTRIB, NULL);
	must(kqueue_inject_overflow(kq));
	gather();
	assert_int_equal(seen_notes[a], NOTE_WRITE | NOTE_ATTRIB | NOTE_DELETE);
	assert_int_equal(seen_notes[b], NOTE_WRITE | NOTE_ATTRIB | NOTE_DELETE);
	assert_int_equal(seen_notes[c], NOTE_ATTRIB);
	expect_nothing(a);
	must(rmdir("d"));
	assert_int_equal(notes(b), NOTE_DELETE | NOTE_LINK);
	close(a);
	close(b);
	close(c);
}

static int
queue_length(void)
{
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
	int n = 0;

	if (f != NULL && fscanf(f, "%d", &n) != 1)
		n = 0;
	if (f != NULL)
		fclose(f);
	return n;
}

TEST(a_real_overflow_loses_nothing)
{
	int a = watch("f"), b, quiet, max = queue_length();

	skip_native("a native kqueue has no queue that could overflow");
	if (max <= 0 || max > 65536) {
		print_message("skipped: the queue is too long to fill\n");
		skip();
	}
	must(mkdir("e", 0755));
	create("g", "");
	b = watch("g");
	quiet = watch("d");
	/* Alternating, or the kernel merges them. */
	for (int i = 0; i <= max / 2; i++) {
		must(chmod("f", 0600));
		must(chmod("g", 0600));
	}
	must(rename("d", "e/d")); /* lost */
	gather();
	assert_true(seen_notes[a] & NOTE_ATTRIB);
	assert_true(seen_notes[b] & NOTE_ATTRIB);
	assert_int_equal(seen_notes[quiet], NOTE_WRITE | NOTE_ATTRIB | NOTE_DELETE);
	/* The directory's new parent was found again. */
	must(rmdir("e/d"));
	assert_int_equal(notes(quiet), NOTE_DELETE | NOTE_LINK);
	close(a);
	close(b);
	close(quiet);
}

/* ---- fault modes ---- */

TEST(shuffle_changes_the_order_and_loses_nothing)
{
	enum { N = 20 };
	int fds[N], differs = 0, total = 0;
	struct kevent evs[N];
	char name[16];

	skip_native("fault modes are the shim's");
	reopen_with_faults("shuffle,seed=7");
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "d/%d", i);
		create(name, "");
		fds[i] = watch(name);
	}
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "d/%d", i);
		must(chmod(name, 0600));
	}
	while (total < N) {
		int n = kevent(kq, NULL, 0, evs, N, &patience);

		must(n);
		assert_int_not_equal(n, 0);
		for (int i = 0; i < n; i++, total++)
			differs += (int)evs[i].ident != fds[total];
	}
	assert_true(differs > 0);
	assert_int_equal(poll_events(evs, N), 0);
	for (int i = 0; i < N; i++)
		close(fds[i]);
}

TEST(shuffle_with_one_seed_is_repeatable)
{
	uintptr_t order[2][8];
	int fds[8];
	struct kevent ev;
	char name[16];

	skip_native("fault modes are the shim's");
	for (int round = 0; round < 2; round++) {
		reopen_with_faults("seed=42,shuffle");
		for (int i = 0; i < 8; i++) {
			snprintf(name, sizeof(name), "d/%d", i);
			create(name, "");
			fds[i] = watch(name);
		}
		for (int i = 0; i < 8; i++)
			must(fchmodat(AT_FDCWD,
			    (snprintf(name, sizeof(name), "d/%d", i), name), 0600, 0));
		for (int i = 0; i < 8; i++) {
			assert_true(next(&ev));
			order[round][i] = ev.ident;
		}
		for (int i = 7; i >= 0; i--)
			close(fds[i]);
	}
	assert_memory_equal(order[0], order[1], sizeof(order[0]));
}

TEST(split_delivers_the_bits_in_several_calls)
{
	int fd, most = 0;

	skip_native("fault modes are the shim's");
	reopen_with_faults("split,seed=3");
	fd = watch("f");
	for (int i = 0; i < 10; i++) {
		append("f", "x");
		must(chmod("f", 0600));
		must(rename("f", "g"));
		must(rename("g", "f"));
		assert_int_equal(notes(fd), NOTE_WRITE | NOTE_ATTRIB | NOTE_RENAME);
		most = seen_count[fd] > most ? seen_count[fd] : most;
	}
	assert_true(most > 1);
	close(fd);
}

/* Two changes, the first of them seen by a call; in how many events they come. */
static int
events_of_two_changes(int fd)
{
	uint32_t got = 0;
	struct kevent ev;
	int count = 0;

	append("f", "x");
	if (poll_events(&ev, 1) == 1) {
		got |= ev.fflags;
		count++;
	}
	must(chmod("f", 0600));
	while ((got & (NOTE_WRITE | NOTE_ATTRIB)) != (NOTE_WRITE | NOTE_ATTRIB)) {
		assert_true(next(&ev));
		assert_int_equal(ev.ident, fd);
		got |= ev.fflags;
		count++;
	}
	return count;
}

TEST(merge_makes_one_event_of_many_calls)
{
	int fd, least = 2;

	skip_native("fault modes are the shim's");
	fd = watch("f");
	assert_int_equal(events_of_two_changes(fd), 2);
	must(close(fd));
	reopen_with_faults("merge");
	fd = watch("f");
	/* A slow machine may need longer than the bits are held back. */
	for (int i = 0; i < 20 && least > 1; i++)
		least = events_of_two_changes(fd);
	assert_int_equal(least, 1);
	close(fd);
}

TEST(merge_wakes_who_polls_the_descriptor)
{
	struct pollfd p;
	struct kevent ev;
	int fd;

	skip_native("fault modes are the shim's");
	reopen_with_faults("merge");
	fd = watch("f");
	append("f", "x");
	if (poll_events(&ev, 1) == 0) {
		p = (struct pollfd){ .fd = kq, .events = POLLIN };
		assert_int_equal(poll(&p, 1, 10000), 1);
		assert_true(next(&ev));
	}
	close(fd);
}

TEST(an_echo_comes_a_second_later_unless_its_descriptor_was_closed)
{
	struct kevent ev;
	int64_t start = now_us();
	uint32_t got[2] = { 0 };
	int fd, dir, gone;

	skip_native("fault modes are the shim's");
	reopen_with_faults("echo");
	must(change(fence_watched, EVFILT_VNODE, EV_DELETE, 0, NULL));
	fd = watch("f");
	dir = watch("d");
	must(chmod("f", 0600));
	create("d/a", "");
	create("g", "");
	gone = watch("g");
	must(chmod("g", 0600));
	for (int i = 0; i < 3; i++)
		assert_true(next(&ev));
	must(close(gone));
	assert_int_equal(watch("f"), gone);
	for (int i = 0; i < 2; i++) {
		assert_true(next(&ev)); /* woken from sleep */
		got[(int)ev.ident == dir] |= ev.fflags;
	}
	assert_true(now_us() - start >= 500000);
	assert_int_equal(got[0], NOTE_ATTRIB | NOTE_WRITE);
	assert_int_equal(got[1], NOTE_ATTRIB);
	assert_int_equal(poll_events(&ev, 1), 0);
	close(fd);
	close(dir);
	close(gone);
}

TEST(extend_comes_before_the_write)
{
	struct kevent ev;
	int fd;

	skip_native("fault modes are the shim's");
	reopen_with_faults("extend");
	fd = watch("f");
	append("f", "x");
	assert_true(next(&ev));
	assert_int_equal(ev.fflags, NOTE_EXTEND);
	assert_true(next(&ev));
	assert_int_equal(ev.fflags, NOTE_WRITE);
	assert_int_equal(poll_events(&ev, 1), 0);
	close(fd);
}

TEST(all_faults_together_lose_nothing)
{
	uint32_t got;
	struct kevent ev;
	int fd;

	skip_native("fault modes are the shim's");
	reopen_with_faults("shuffle,split,merge,echo,extend,seed=99");
	fd = watch("f");
	for (int i = 0; i < 20; i++) {
		got = 0;
		append("f", "x");
		must(rename("f", "g"));
		must(rename("g", "f"));
		while ((got & (NOTE_WRITE | NOTE_RENAME)) != (NOTE_WRITE | NOTE_RENAME)) {
			assert_true(next(&ev));
			if ((int)ev.ident == fd)
				got |= ev.fflags;
		}
	}
	close(fd);
}

/* ---- what the wrapper headers add ---- */

TEST(strlcpy_and_strlcat_tell_what_did_not_fit)
{
	char buf[6];

	assert_int_equal(strlcpy(buf, "abc", sizeof(buf)), 3);
	assert_string_equal(buf, "abc");
	assert_int_equal(strlcat(buf, "def", sizeof(buf)), 6);
	assert_string_equal(buf, "abcde");
	assert_int_equal(strlcpy(buf, "0123456789", sizeof(buf)), 10);
	assert_string_equal(buf, "01234");
	assert_int_equal(strlcpy(buf, "x", 0), 1);
	assert_string_equal(buf, "01234");
	assert_int_equal(strlcat(buf, "xyz", 3), 6);
	assert_string_equal(buf, "01234");
}

TEST(getpeereid_tells_who_is_at_the_other_end)
{
	uid_t uid = (uid_t)-1;
	gid_t gid = (gid_t)-1;

	open_sockets();
	must(getpeereid(pair[0], &uid, &gid));
	assert_int_equal(uid, geteuid());
	assert_int_equal(gid, getegid());
	close_pair();
	assert_int_equal(getpeereid(fence_written, &uid, &gid), -1);
}
