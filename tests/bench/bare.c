/* SPDX-License-Identifier: MIT */
/*
 * bare ACTION RECORD DESCRIPTORS <PATHS: the least that can be done on Linux: a
 * blocking read of inotify, and a posix_spawn of the action for each event. It holds as
 * many descriptors as it is told, which the kernel copies and closes for each spawn.
 */
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int
hold(int descriptors)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return -1;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		return -1;
	while (descriptors-- > 0)
		if (open("/dev/null", O_RDONLY | O_CLOEXEC) == -1)
			return -1;
	return 0;
}

static int
watch(int fd)
{
	char path[PATH_MAX];

	while (fgets(path, sizeof(path), stdin) != NULL) {
		path[strcspn(path, "\n")] = '\0';
		if (inotify_add_watch(fd, path, IN_MODIFY | IN_CREATE | IN_DELETE) == -1)
			return -1;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	char buf[4096] __attribute__((aligned(8)));
	char *command[] = { NULL, NULL, NULL }, *env[] = { NULL };
	int fd = inotify_init1(IN_CLOEXEC);
	const struct inotify_event *event;
	pid_t pid;
	ssize_t n, i;

	if (argc != 4 || fd == -1 || hold(atoi(argv[3])) == -1 || watch(fd) == -1)
		return 1;
	command[0] = argv[1];
	command[1] = argv[2];
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (i = 0; i < n; i += (ssize_t)(sizeof(*event) + event->len)) {
			event = (const struct inotify_event *)(buf + i);
			if (posix_spawn(&pid, command[0], NULL, NULL, command, env) != 0)
				return 1;
			waitpid(pid, NULL, 0);
		}
	return 1;
}
