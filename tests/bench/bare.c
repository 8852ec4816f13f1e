/* SPDX-License-Identifier: MIT */
/*
 * bare ACTION RECORD FILE...: the least that can be done on Linux: a blocking
 * read of inotify, and a posix_spawn of the action for each write.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	char buf[4096] __attribute__((aligned(8)));
	char *command[] = { NULL, NULL, NULL }, *env[] = { NULL };
	int fd = inotify_init1(IN_CLOEXEC), i;
	pid_t pid;

	if (argc < 4 || fd == -1)
		return 1;
	command[0] = argv[1];
	command[1] = argv[2];
	for (i = 3; i < argc; i++)
		if (inotify_add_watch(fd, argv[i], IN_MODIFY) == -1)
			return 1;
	puts("ready");
	fflush(stdout);
	while (read(fd, buf, sizeof(buf)) > 0) {
		if (posix_spawn(&pid, command[0], NULL, NULL, command, env) != 0)
			return 1;
		waitpid(pid, NULL, 0);
	}
	return 1;
}
