/* SPDX-License-Identifier: MIT */
/*
 * platform.h on the machine it runs on. What needs mounts is tried in a mount
 * namespace of its own, where there is one: a FUSE mount that nobody serves is
 * as dead as a network volume can be.
 */
#include "base/platform.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#if __has_include(<sched.h>) && __has_include(<sys/mount.h>)
#include <sched.h>
#include <sys/mount.h>
#endif
#if __has_include(<linux/fuse.h>)
#include <linux/fuse.h>
#endif
#if __has_include("kqueue_test.h")
#include <sys/xattr.h>
#define ON_LINUX 1
#else
#define ON_LINUX 0
#endif

static char self[PATH_MAX];

#define SKIPPED 77

/* Runs fn in a process of its own; it returns 0, a line number, or SKIPPED. */
static void
apart(int (*fn)(void))
{
	int code;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		alarm(30);
		_exit(fn() & 0xff);
	}
	assert_int_equal(waitpid(pid, &code, 0), pid);
	assert_true(WIFEXITED(code));
	if (WEXITSTATUS(code) == SKIPPED) {
		print_message("skipped: needs root, mount namespaces and FUSE\n");
		skip();
	}
	if (WEXITSTATUS(code) != 0)
		fail_msg("failed in line %d (modulo 256)", WEXITSTATUS(code));
}

#if defined(CLONE_NEWNS) && defined(FUSE_ROOT_ID)
#define CHECK(what)                      \
	do {                             \
		if (!(what))             \
			return __LINE__; \
	} while (0)

/* /tmp becomes one of our own, which others do not see. */
static bool
own_mounts(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", "none", MS_REC | MS_PRIVATE, "") == 0 &&
	       mount("none", "/tmp", "tmpfs", 0, NULL) == 0;
}

/* The descriptor of whoever is to serve it, or -1. */
static int
mount_fuse(const char *where, const char *type)
{
	char options[128];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	snprintf(
	    options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	mkdir(where, 0755);
	if (fd != -1 && mount("nobody", where, type, 0, options) == -1) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Serves as much of FUSE as an open and a statfs need. */
static void
serve_fuse(int fd)
{
	static union {
		struct fuse_in_header header;
		char room[256 * 1024];
	} in;
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096
	};
	struct fuse_attr_out attr = {
		.attr = { .ino = FUSE_ROOT_ID, .mode = S_IFDIR | 0755, .nlink = 2 }
	};
	struct fuse_statfs_out fs = { .st = { .bsize = 512 } };
	char reply[sizeof(struct fuse_out_header) + sizeof(init) + sizeof(attr)];
	struct fuse_out_header out;
	const void *body;

	while (read(fd, &in, sizeof(in)) > 0) {
		out = (struct fuse_out_header){ .unique = in.header.unique };
		body = NULL;
		if (in.header.opcode == FUSE_INIT) {
			body = &init;
			out.len = sizeof(init);
		} else if (in.header.opcode == FUSE_GETATTR) {
			body = &attr;
			out.len = sizeof(attr);
		} else if (in.header.opcode == FUSE_STATFS) {
			body = &fs;
			out.len = sizeof(fs);
		} else {
			out.error = -ENOSYS;
		}
		if (body != NULL)
			memcpy(reply + sizeof(out), body, out.len);
		out.len += sizeof(out);
		memcpy(reply, &out, sizeof(out));
		if (write(fd, reply, out.len) == -1)
			break;
	}
}

static bool
has(const struct strv *l, const char *s)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (strcmp(l->v[i], s) == 0)
			return true;
	}
	return false;
}

static int
look_at_remote_mounts(void)
{
	struct strv out = { NULL, 0 };

	if (geteuid() != 0 || !own_mounts() ||
	    mount_fuse("/tmp/dead", "fuse.sshfs") == -1 ||
	    mount_fuse("/tmp/a b\\c", "fuse") == -1)
		return SKIPPED;
	mkdir("/tmp/local", 0755);
	CHECK(mount("none", "/tmp/local", "tmpfs", 0, NULL) == 0);
	CHECK(platform_remote_mounts(&out) == 0);
	CHECK(has(&out, "/tmp/dead"));
	CHECK(has(&out, "/tmp/a b\\c"));
	CHECK(!has(&out, "/tmp/local"));
	CHECK(!has(&out, "/tmp"));
	CHECK(!has(&out, "/"));
	/* Filled anew, not added to. */
	CHECK(umount2("/tmp/dead", MNT_DETACH) == 0);
	CHECK(platform_remote_mounts(&out) == 0);
	CHECK(!has(&out, "/tmp/dead"));
	CHECK(has(&out, "/tmp/a b\\c"));
	strv_clear(&out);
	return 0;
}

static int
hide_remote_mount(void)
{
	struct strv out = { NULL, 0 };

	if (geteuid() != 0 || !own_mounts() || mount_fuse("/tmp/both", "fuse.x") == -1)
		return SKIPPED;
	CHECK(platform_remote_mounts(&out) == 0 && has(&out, "/tmp/both"));
	CHECK(mount("none", "/tmp/both", "tmpfs", 0, NULL) == 0);
	CHECK(platform_remote_mounts(&out) == 0 && !has(&out, "/tmp/both"));
	CHECK(umount("/tmp/both") == 0);
	CHECK(platform_remote_mounts(&out) == 0 && has(&out, "/tmp/both"));
	strv_clear(&out);
	return 0;
}

static int
notice_mounts(void)
{
	struct strv out = { NULL, 0 };

	if (geteuid() != 0 || !own_mounts())
		return SKIPPED;
	CHECK(platform_mounts_changed());
	CHECK(platform_remote_mounts(&out) == 0);
	CHECK(!platform_mounts_changed());
	mkdir("/tmp/new", 0755);
	CHECK(mount("none", "/tmp/new", "tmpfs", 0, NULL) == 0);
	/* For as long as nobody has read the table. */
	CHECK(platform_mounts_changed());
	CHECK(platform_mounts_changed());
	CHECK(platform_remote_mounts(&out) == 0);
	CHECK(!platform_mounts_changed());
	CHECK(umount("/tmp/new") == 0);
	CHECK(platform_mounts_changed());
	CHECK(platform_remote_mounts(&out) == 0);
	CHECK(!platform_mounts_changed());
	strv_clear(&out);
	return 0;
}

static int
object_to_fuse(void)
{
	char why[256] = "";
	int fuse, fd;

	if (geteuid() != 0 || !own_mounts() ||
	    (fuse = mount_fuse("/tmp/x", "fuse")) == -1)
		return SKIPPED;
	if (fork() == 0) {
		alarm(20);
		serve_fuse(fuse);
		_exit(0);
	}
	fd = open("/tmp/x", O_EVTONLY | O_CLOEXEC);
	CHECK(fd != -1);
	CHECK(platform_trust_objection(fd, "/tmp/x", 0, false, why, sizeof(why)));
	CHECK(strcmp(why, "/tmp/x: on a filesystem that knows no owners (fuse)") == 0);
	close(fd);
	/* The end of the mount is the end of its program. */
	CHECK(umount2("/tmp/x", MNT_DETACH) == 0);
	return 0;
}
#else
static int
not_here(void)
{
	return SKIPPED;
}
#define look_at_remote_mounts not_here
#define hide_remote_mount not_here
#define notice_mounts not_here
#define object_to_fuse not_here
#endif

TEST(network_mounts_are_listed_local_ones_are_not)
{
	apart(look_at_remote_mounts);
}

TEST(a_local_mount_over_a_network_mount_hides_it)
{
	apart(hide_remote_mount);
}

TEST(a_mount_change_is_told_until_the_table_is_read)
{
	apart(notice_mounts);
}

TEST(a_filesystem_without_owners_is_objected_to)
{
	apart(object_to_fuse);
}

TEST(ordinary_files_are_not_objected_to)
{
	static const char *const paths[] = { "/", "/tmp", "/usr/bin", "/bin/sh" };
	char why[256];
	size_t i;
	int fd;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		fd = open(paths[i], O_EVTONLY | O_CLOEXEC);
		assert_int_not_equal(fd, -1);
		assert_false(
		    platform_trust_objection(fd, paths[i], 0, false, why, sizeof(why)));
		close(fd);
	}
	/* What cannot be found out is an objection. */
	assert_true(platform_trust_objection(-1, "/x", 0, true, why, sizeof(why)));
	assert_string_equal(why,
	    ON_LINUX ? "/x: Bad file descriptor" : "/x: its volume cannot be found out");
}

/* Why Linux needs no look at ACLs: their mask is what the mode shows. */
TEST(an_acl_that_grants_writing_shows_in_the_mode)
{
#if ON_LINUX
	static const unsigned char acl[] = { 2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255,
		2, 0, 6, 0, 57, 48, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255, 16, 0, 6, 0,
		255, 255, 255, 255, 32, 0, 4, 0, 255, 255, 255, 255 };
	char name[] = "/tmp/platform.XXXXXX";
	struct stat st;
	int fd = mkstemp(name);

	assert_int_not_equal(fd, -1);
	assert_int_equal(fchmod(fd, 0644), 0);
	unlink(name);
	if (fsetxattr(fd, "system.posix_acl_access", acl, sizeof(acl), 0) == -1) {
		close(fd);
		print_message("skipped: no POSIX ACLs here\n");
		skip();
	}
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0664);
	close(fd);
#else
	print_message("skipped: no POSIX ACLs here\n");
	skip();
#endif
}

TEST(the_program_knows_its_path)
{
	char path[PATH_MAX], small[4];

	assert_true(platform_self_path(path, sizeof(path)));
	assert_string_equal(path, self);
	assert_false(platform_self_path(small, sizeof(small)));
}

/* Started from a copy that is removed: the path is the one to start anew. */
TEST(the_program_knows_its_path_when_it_was_replaced)
{
	char name[] = "/tmp/platform.XXXXXX", command[3 * PATH_MAX];

	if (!ON_LINUX) {
		print_message("skipped: macOS knows only a path that is there\n");
		skip();
	}
	assert_non_null(mkdtemp(name));
	snprintf(command, sizeof(command),
	    "cp '%s' %s/copy && %s/copy gone %s/copy; s=$?;"
	    "rmdir %s; exit $s",
	    self, name, name, name, name);
	assert_int_equal(system(command), 0);
}

/* The copy's side. */
static int
check_gone(const char *expected)
{
	char path[PATH_MAX];

	return unlink(expected) == -1 || !platform_self_path(path, sizeof(path)) ||
	       strcmp(path, expected) != 0;
}

BEFORE_TESTS(argc, argv)
{
	if (argc == 3 && strcmp(argv[1], "gone") == 0)
		return check_gone(argv[2]);
	if (realpath(argv[0], self) == NULL)
		return 1;
	return RUN_TESTS;
}
