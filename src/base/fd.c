/* SPDX-License-Identifier: MIT */
/*
 * Descriptors: all of a read or a write, and how many there may be. What fails leaves
 * a file as it was, where that can be done.
 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

bool
fd_append(int fd, const char *p, size_t len, off_t size)
{
	ssize_t n;

	do
		n = write(fd, p, len);
	while (n == -1 && errno == EINTR);
	if (n == (ssize_t)len)
		return true;
	if (n >= 0)
		errno = ENOSPC;
	if (n > 0 && ftruncate(fd, size) == -1)
		errno = EIO;
	return false;
}

size_t
fd_write_all(int fd, const char *p, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = write(fd, p + done, len - done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0)
			errno = ENOSPC;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

void
fd_close(int *fd)
{
	int saved = errno;

	if (*fd != -1)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int
fd_read_all(int fd, struct buf *out, size_t max)
{
	char part[8192];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (out->len + (size_t)n > max) {
			errno = EFBIG;
			return -1;
		}
		buf_add(out, part, (size_t)n);
	}
	return 0;
}

bool
fd_is_at(int fd, const char *path)
{
	struct stat a, b;

	errno = ENOENT;
	return fd != -1 && fstat(fd, &a) == 0 && lstat(path, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int
fd_prepare(int fd, bool nonblock)
{
	int flags;

	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
		return -1;
	if (!nonblock)
		return 0;
	flags = fcntl(fd, F_GETFL);
	return flags == -1 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* Process-wide by nature, so it stands here and not in a struct. */
static struct rlimit limit_at_start, limit_now;
static rlim_t limit_cap;

void
fdlimit_init(void)
{
	getrlimit(RLIMIT_NOFILE, &limit_at_start);
	limit_now = limit_at_start;
	limit_cap = limit_at_start.rlim_max;
}

void
fdlimit_cap(uint64_t most)
{
	if (most < limit_cap)
		limit_cap = most;
}

bool
fdlimit_raise(void)
{
	struct rlimit next = limit_now;

	if (limit_now.rlim_cur >= limit_cap)
		return false;
	next.rlim_cur =
	    limit_now.rlim_cur > limit_cap / 2 ? limit_cap : 2 * limit_now.rlim_cur;
	if (setrlimit(RLIMIT_NOFILE, &next) == -1)
		return false;
	limit_now = next;
	return true;
}

void
fdlimit_lower(void)
{
	struct rlimit l = { .rlim_cur = limit_at_start.rlim_cur,
		.rlim_max = limit_now.rlim_max };

	if (l.rlim_cur != limit_now.rlim_cur)
		setrlimit(RLIMIT_NOFILE, &l);
}

void
fdlimit_restore(void)
{
	if (limit_at_start.rlim_cur != limit_now.rlim_cur)
		setrlimit(RLIMIT_NOFILE, &limit_now);
}

uint64_t
fdlimit_most(void)
{
	return limit_cap;
}
