/* SPDX-License-Identifier: MIT */
/*
 * Programs that a command has something done by. They are named by absolute paths
 * and start from an empty environment: sudo keeps PATH on macOS, and the first
 * directory in it may be a user's.
 */
#include "cmd/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mono.h"
#include "base/fd.h"

#define WORDS 8

/* Starts it between two descriptors. 0, or what kept it from starting. */
static int
start(const char *path, const char *const words[], int in, int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t signals;
	char *argv[WORDS] = { NULL }, *none[] = { NULL };
	size_t i;
	int code;

	/* execve(2) changes no argument, but its prototype is older than const. */
	for (i = 0; i < WORDS - 1 && words[i] != NULL; i++)
		argv[i] = xstrdup(words[i]);
	sigemptyset(&signals);
	sigaddset(&signals, SIGPIPE);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &signals);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(
	    &actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	code = posix_spawn(pid, path, &actions, &attr, argv, none);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	for (i = 0; i < WORDS; i++)
		free(argv[i]);
	return code;
}

/* Is there something to read before that time? False with errno. */
static bool
wait_readable(int fd, mono_t end)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left;
	int n = -1;

	errno = EINTR;
	while (n == -1 && errno == EINTR) {
		left = mono_sub(end, mono_now()) / MONO_MS;
		n = poll(&p, 1, mono_is_never(end) ? -1 : left > 0 ? (int)left : 0);
	}
	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0;
}

/* Reads what comes from fd until that time. 0, or -1 with errno. */
static int
read_until(int fd, mono_t end, struct buf *out)
{
	char part[4096];
	ssize_t n = 1;

	while (n != 0) {
		if (!wait_readable(fd, end))
			return -1;
		n = read(fd, part, sizeof(part));
		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0)
			buf_add(out, part, (size_t)n);
		if (out->len > HELPER_LIMIT) {
			errno = EFBIG;
			return -1;
		}
	}
	buf_adds(out, "");
	return 0;
}

/* Reads what pid writes to fd, and waits for it. 0, or -1 with errno. */
static int
finish(pid_t pid, int fd, unsigned seconds, struct buf *out)
{
	mono_t end = seconds > 0 ? mono_add(mono_now(), seconds * MONO_SEC) : MONO_NEVER;
	int code = read_until(fd, end, out) == 0 ? 0 : errno, status;

	/* What it has started goes with it: a script's last program may hang. */
	if (code != 0)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	if (code == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		code = ECHILD;
	errno = code;
	return code == 0 ? 0 : -1;
}

int
helper_run(
    const char *path, const char *const argv[], int in, unsigned seconds, struct buf *out)
{
	int ends[2], code;
	pid_t pid;

	if (pipe(ends) == -1)
		return -1;
	fd_prepare(ends[0], false);
	fd_prepare(ends[1], false);
	code = start(path, argv, in, ends[1], &pid);
	close(ends[1]);
	if (code == 0 && finish(pid, ends[0], seconds, out) == -1)
		code = errno;
	close(ends[0]);
	errno = code;
	return code == 0 ? 0 : -1;
}
