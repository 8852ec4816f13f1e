/* SPDX-License-Identifier: MIT */
/* Descriptors, and how many there may be. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/util.h"
#include "test.h"

TEST(a_descriptor_is_prepared_as_asked)
{
	int p[2];

	assert_int_equal(pipe(p), 0);
	assert_int_equal(fd_prepare(p[0], false), 0);
	assert_true((fcntl(p[0], F_GETFD) & FD_CLOEXEC) != 0);
	assert_true((fcntl(p[0], F_GETFL) & O_NONBLOCK) == 0);
	assert_int_equal(fd_prepare(p[1], true), 0);
	assert_true((fcntl(p[1], F_GETFD) & FD_CLOEXEC) != 0);
	assert_true((fcntl(p[1], F_GETFL) & O_NONBLOCK) != 0);
	close(p[0]);
	close(p[1]);
	assert_int_equal(fd_prepare(p[0], true), -1);
}

static uint64_t
soft_limit(void)
{
	struct rlimit l;

	getrlimit(RLIMIT_NOFILE, &l);
	return l.rlim_cur;
}

TEST(the_descriptor_limit_is_doubled_and_put_back_for_children)
{
	struct rlimit old, l;

	getrlimit(RLIMIT_NOFILE, &old);
	if (old.rlim_max < 256)
		skip();
	l = (struct rlimit){ .rlim_cur = 64, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &l), 0);
	fdlimit_init();
	assert_true(fdlimit_raise());
	assert_int_equal(soft_limit(), 128);
	assert_true(fdlimit_raise());
	assert_int_equal(soft_limit(), 256);
	fdlimit_lower();
	assert_int_equal(soft_limit(), 64);
	fdlimit_restore();
	assert_int_equal(soft_limit(), 256);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

TEST(the_descriptor_limit_ends_at_the_hard_one_or_at_what_the_kernel_has)
{
	struct rlimit l = { .rlim_cur = 100, .rlim_max = 300 };
	const char *preload = getenv("LD_PRELOAD");
	int status;
	pid_t pid;

	/* valgrind has its own idea of this limit. */
	if (preload != NULL && strstr(preload, "vgpreload") != NULL)
		skip();
	pid = fork();
	if (pid == 0) {
		if (setrlimit(RLIMIT_NOFILE, &l) != 0)
			_exit(1);
		fdlimit_init();
		if (!fdlimit_raise() || soft_limit() != 200)
			_exit(2);
		if (!fdlimit_raise() || soft_limit() != 300)
			_exit(3);
		if (fdlimit_raise() || soft_limit() != 300)
			_exit(4);
		/* macOS takes any limit, and lets a process have fewer. */
		fdlimit_init();
		fdlimit_cap(UINT64_MAX);
		if (setrlimit(RLIMIT_NOFILE, &l) != 0 || fdlimit_raise())
			_exit(5);
		fdlimit_init();
		fdlimit_cap(150);
		if (!fdlimit_raise() || soft_limit() != 150)
			_exit(6);
		if (fdlimit_raise() || soft_limit() != 150)
			_exit(7);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

TEST(closing_a_descriptor_leaves_errno_alone)
{
	int fd = dup(STDERR_FILENO), none = -1;

	errno = ENOSPC;
	fd_close(&none);
	fd_close(&fd);
	assert_int_equal(fd, -1);
	assert_int_equal(errno, ENOSPC);
	fd = 1 << 20;
	fd_close(&fd);
	assert_int_equal(errno, ENOSPC);
}
