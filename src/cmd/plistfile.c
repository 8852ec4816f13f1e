/* SPDX-License-Identifier: MIT */
/*
 * Property lists from files, of whatever kind. The file is opened once, here; a
 * program that converts it gets it as its standard input, so no name of a file
 * is ever an argument, and no shell is asked.
 */
#include "cmd/plistfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/util.h"

#define SIZE_LIMIT ((size_t)1 << 20)

/*
 * Both write XML of any list that they read. Not JSON: it has no dates and no
 * data, and plistutil writes it only since libplist 2.3. They are the system's
 * own, and get nothing of the caller's environment: sudo keeps PATH on macOS, and
 * the first directory in it may be a user's.
 */
static const struct converter {
	const char *path;
	const char *argv[8];
} converters[] = {
	{ "/usr/bin/plutil", { "plutil", "-convert", "xml1", "-o", "-", "-", NULL } },
	{ "/usr/bin/plistutil",
	    { "plistutil", "-f", "xml", "-i", "-", "-o", "-", NULL } },
};
#define NCONVERTERS (sizeof(converters) / sizeof(converters[0]))

/* Adds all that fd has. 0, or -1 with errno: EFBIG if it is more than the limit. */
static int
read_all(int fd, struct buf *out)
{
	char part[4096];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		buf_add(out, part, (size_t)n);
		if (out->len > SIZE_LIMIT) {
			errno = EFBIG;
			return -1;
		}
	}
	buf_adds(out, "");
	return 0;
}

/* Starts c between two descriptors. 0, or what kept it from starting. */
static int
start(const struct converter *c, int in, int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t signals;
	char *argv[8], *none[] = { NULL };
	size_t i;
	int code;

	/* execve(2) changes no argument, but its prototype is older than const. */
	for (i = 0; i < sizeof(argv) / sizeof(argv[0]); i++)
		argv[i] = c->argv[i] != NULL ? xstrdup(c->argv[i]) : NULL;
	sigemptyset(&signals);
	sigaddset(&signals, SIGPIPE);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &signals);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(
	    &actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	code = posix_spawn(pid, c->path, &actions, &attr, argv, none);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	for (i = 0; i < sizeof(argv) / sizeof(argv[0]); i++)
		free(argv[i]);
	return code;
}

/* Reads what pid writes to fd, and waits for it. 0, or -1 with errno. */
static int
finish(pid_t pid, int fd, struct buf *out)
{
	int code = read_all(fd, out) == 0 ? 0 : errno, status;

	if (code != 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	if (code == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		code = ECHILD;
	errno = code;
	return code == 0 ? 0 : -1;
}

/* 0, or -1 with errno: ECHILD if the program ran and failed. */
static int
convert(const struct converter *c, int fd, struct buf *out)
{
	int ends[2], code;
	pid_t pid;

	if (lseek(fd, 0, SEEK_SET) == -1 || pipe(ends) == -1)
		return -1;
	fd_prepare(ends[0], false);
	fd_prepare(ends[1], false);
	code = start(c, fd, ends[1], &pid);
	close(ends[1]);
	if (code == 0 && finish(pid, ends[0], out) == -1)
		code = errno;
	close(ends[0]);
	errno = code;
	return code == 0 ? 0 : -1;
}

#define INSTALL_HINT                                                           \
	"not XML, and to convert it neither /usr/bin/plutil (which macOS has)" \
	" nor /usr/bin/plistutil is there: install libplist-utils"

static int
refuse(int code, int *status, char *why)
{
	*status = code == EACCES || code == EPERM ? EX_NOPERM : EXIT_FAILURE;
	if (code == EFBIG) {
		*status = EX_DATAERR;
		snprintf(why, PLIST_WHY_SIZE, "larger than 1 MiB");
	} else {
		snprintf(why, PLIST_WHY_SIZE, "%s", strerror(code));
	}
	return -1;
}

/* Makes xml of what fd has; the first program that can do it does. */
static int
make_xml(int fd, struct buf *xml, int *status, char *why)
{
	bool ran = false;
	size_t i;
	int code;

	for (i = 0; i < NCONVERTERS; i++) {
		buf_clear(xml);
		code = convert(&converters[i], fd, xml) == 0 ? 0 : errno;
		/* plistutil copies what is neither binary nor XML. */
		if (code == 0 && plist_is_xml(xml->p, xml->len))
			return 0;
		if (code == EFBIG)
			return refuse(code, status, why);
		ran = ran || (code != ENOENT && code != EACCES);
	}
	*status = ran ? EX_DATAERR : EXIT_FAILURE;
	snprintf(why, PLIST_WHY_SIZE, "%s", ran ? "not a property list" : INSTALL_HINT);
	return -1;
}

/* Never waits, as the opening of a FIFO would. */
static int
open_regular(const char *path, int *status, char *why)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd == -1)
		return refuse(errno, status, why);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	*status = EXIT_FAILURE;
	snprintf(why, PLIST_WHY_SIZE, "not a regular file");
	return -1;
}

struct plist *
plistfile_read(const char *path, int *status, char why[PLIST_WHY_SIZE])
{
	struct buf text = { NULL, 0, 0 };
	struct plist *p = NULL;
	int fd = open_regular(path, status, why);

	if (fd == -1)
		return NULL;
	if (read_all(fd, &text) == -1) {
		refuse(errno, status, why);
	} else if (plist_is_xml(text.p, text.len) ||
		   make_xml(fd, &text, status, why) == 0) {
		*status = EX_DATAERR;
		p = plist_parse(text.p, text.len, why);
	}
	close(fd);
	buf_clear(&text);
	return p;
}
