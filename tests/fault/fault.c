/* SPDX-License-Identifier: MIT */
/*
 * Calls that fail, for a daemon linked with --wrap of them. Of files and directories
 * (open read write pwrite fsync rename ftruncate opendir readdir) only what is below
 * FAULT_DIR counts, of the rest (pipe socket accept posix_spawn) everything.
 * FAULT=op:N:kind makes the N-th call of op fail with the error that kind names, do
 * half of a write (short), or kill the process: before the call, or for a write in
 * the middle of it (kill), or after it (after). With FAULT_WHILE=path every call of
 * op fails, but only while that file is there. With slow
 * in place of N:kind each takes 100 ms. FAULT_LOG gets a line for each call.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

int __real_open(const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __real_pwrite(int fd, const void *p, size_t n, off_t at);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __real_ftruncate(int fd, off_t size);

ssize_t __real_read(int fd, void *p, size_t n);
DIR *__real_opendir(const char *path);
struct dirent *__real_readdir(DIR *d);
int __real_pipe(int fds[2]);
int __real_socket(int domain, int type, int protocol);
int __real_accept(int fd, struct sockaddr *addr, socklen_t *len);
int __real_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *fa,
    const posix_spawnattr_t *at, char *const argv[], char *const envp[]);

int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_ftruncate(int fd, off_t size);
ssize_t __wrap_read(int fd, void *p, size_t n);
ssize_t __wrap___read_chk(int fd, void *p, size_t n, size_t size);
DIR *__wrap_opendir(const char *path);
struct dirent *__wrap_readdir(DIR *d);
int __wrap_pipe(int fds[2]);
int __wrap_socket(int domain, int type, int protocol);
int __wrap_accept(int fd, struct sockaddr *addr, socklen_t *len);
int __wrap_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *fa,
    const posix_spawnattr_t *at, char *const argv[], char *const envp[]);

enum kind { NONE, FAIL, SHORT, KILL, AFTER };

static bool
concerns(const char *path)
{
	const char *dir = getenv("FAULT_DIR");

	return dir != NULL && strncmp(path, dir, strlen(dir)) == 0;
}

/* Which file a descriptor is of; numbers are used again, so the kernel is asked. */
static bool
fd_concerns(int fd)
{
	char link[64], path[PATH_MAX];
	int saved = errno;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	errno = saved;
	path[n > 0 ? n : 0] = '\0';
	return concerns(path);
}

static void
note(const char *op)
{
	const char *log = getenv("FAULT_LOG");
	char line[64];
	int fd, saved = errno, n;

	if (log == NULL)
		return;
	fd = __real_open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	n = snprintf(line, sizeof(line), "%s\n", op);
	if (fd != -1 && __real_write(fd, line, (size_t)n) == -1)
		abort();
	close(fd);
	errno = saved;
}

static int
error_named(const char *name)
{
	static const struct {
		const char *name;
		int error;
	} known[] = {
		{ "ENOSPC", ENOSPC },
		{ "EIO", EIO },
		{ "EMFILE", EMFILE },
		{ "EAGAIN", EAGAIN },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(name, known[i].name) == 0)
			return known[i].error;
	return 0;
}

/* Is it this call's turn? */
static bool
is_due(unsigned long nth)
{
	static unsigned long count;
	const char *shortage = getenv("FAULT_WHILE");

	return shortage != NULL ? access(shortage, F_OK) == 0 : ++count == nth;
}

/* What is to become of this call; errno is set for one that fails. */
static enum kind
judge(const char *op)
{
	static const struct timespec slow = { .tv_nsec = 100 * 1000 * 1000 };
	const char *fault = getenv("FAULT"), *what;
	size_t len = strlen(op);
	unsigned long nth;
	char *end;

	note(op);
	if (fault == NULL || strncmp(fault, op, len) != 0 || fault[len] != ':')
		return NONE;
	if (strcmp(fault + len, ":slow") == 0)
		nanosleep(&slow, NULL);
	nth = strtoul(fault + len + 1, &end, 10);
	if (*end != ':' || !is_due(nth))
		return NONE;
	what = end + 1;
	errno = error_named(what);
	if (strcmp(what, "short") == 0)
		return SHORT;
	if (strcmp(what, "kill") == 0)
		return KILL;
	if (strcmp(what, "after") == 0)
		return AFTER;
	if (errno == 0)
		abort();
	return FAIL;
}

static void
finish(enum kind kind)
{
	if (kind == AFTER)
		raise(SIGKILL);
}

static bool
begin(enum kind kind)
{
	if (kind == KILL)
		raise(SIGKILL);
	return kind == FAIL || kind == SHORT;
}

int
__wrap_open(const char *path, int flags, ...)
{
	enum kind kind = concerns(path) ? judge("open") : NONE;
	mode_t mode = 0;
	va_list ap;
	int fd;

	va_start(ap, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	if (begin(kind))
		return -1;
	fd = __real_open(path, flags, mode);
	finish(kind);
	return fd;
}

ssize_t
__wrap_write(int fd, const void *p, size_t n)
{
	enum kind kind = fd_concerns(fd) ? judge("write") : NONE;
	ssize_t done;

	if (kind == FAIL)
		return -1;
	if (kind == SHORT || kind == KILL)
		n /= 2;
	done = __real_write(fd, p, n);
	if (kind == KILL || kind == AFTER)
		raise(SIGKILL);
	return done;
}

ssize_t
__wrap_pwrite(int fd, const void *p, size_t n, off_t at)
{
	enum kind kind = fd_concerns(fd) ? judge("pwrite") : NONE;
	ssize_t done;

	if (begin(kind))
		return -1;
	done = __real_pwrite(fd, p, n, at);
	finish(kind);
	return done;
}

int
__wrap_fsync(int fd)
{
	enum kind kind = fd_concerns(fd) ? judge("fsync") : NONE;
	int status;

	if (begin(kind))
		return -1;
	status = __real_fsync(fd);
	finish(kind);
	return status;
}

int
__wrap_rename(const char *from, const char *to)
{
	enum kind kind = concerns(to) ? judge("rename") : NONE;
	int status;

	if (begin(kind))
		return -1;
	status = __real_rename(from, to);
	finish(kind);
	return status;
}

int
__wrap_ftruncate(int fd, off_t size)
{
	enum kind kind = fd_concerns(fd) ? judge("ftruncate") : NONE;
	int status;

	if (begin(kind))
		return -1;
	status = __real_ftruncate(fd, size);
	finish(kind);
	return status;
}

ssize_t
__wrap_read(int fd, void *p, size_t n)
{
	return begin(fd_concerns(fd) ? judge("read") : NONE) ? -1 : __real_read(fd, p, n);
}

/* What read(2) is called where the compiler knows the buffer's size. */
ssize_t
__wrap___read_chk(int fd, void *p, size_t n, size_t size)
{
	if (n > size)
		abort();
	return __wrap_read(fd, p, n);
}

DIR *
__wrap_opendir(const char *path)
{
	return begin(concerns(path) ? judge("opendir") : NONE) ? NULL
							       : __real_opendir(path);
}

struct dirent *
__wrap_readdir(DIR *d)
{
	return begin(fd_concerns(dirfd(d)) ? judge("readdir") : NONE) ? NULL
								      : __real_readdir(d);
}

int
__wrap_pipe(int fds[2])
{
	return begin(judge("pipe")) ? -1 : __real_pipe(fds);
}

int
__wrap_socket(int domain, int type, int protocol)
{
	return begin(judge("socket")) ? -1 : __real_socket(domain, type, protocol);
}

int
__wrap_accept(int fd, struct sockaddr *addr, socklen_t *len)
{
	return begin(judge("accept")) ? -1 : __real_accept(fd, addr, len);
}

int
__wrap_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *fa,
    const posix_spawnattr_t *at, char *const argv[], char *const envp[])
{
	return begin(judge("posix_spawn"))
		   ? errno
		   : __real_posix_spawn(pid, path, fa, at, argv, envp);
}
