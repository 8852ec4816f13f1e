/* SPDX-License-Identifier: MIT */
/*
 * terminal COLUMNS COMMAND [ARGUMENT...]: runs a command whose standard output and
 * error are a terminal of that width, copies what it prints there to its own
 * output, and exits as it does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void
fail(const char *what)
{
	perror(what);
	_exit(127);
}

/* The terminal's other end, whose width is set and which changes no byte. */
static int
open_terminal(int control, int columns)
{
	struct winsize size = { .ws_row = 24, .ws_col = (unsigned short)columns };
	struct termios t;
	int fd;

	if (grantpt(control) == -1 || unlockpt(control) == -1)
		fail("grantpt");
	fd = open(ptsname(control), O_RDWR | O_NOCTTY);
	if (fd == -1 || tcgetattr(fd, &t) == -1)
		fail("open");
	t.c_oflag &= ~(tcflag_t)OPOST;
	if (tcsetattr(fd, TCSANOW, &t) == -1 || ioctl(fd, TIOCSWINSZ, &size) == -1)
		fail("TIOCSWINSZ");
	return fd;
}

static pid_t
start(int control, int terminal, char **argv)
{
	pid_t pid = fork();

	if (pid == -1)
		fail("fork");
	if (pid != 0)
		return pid;
	close(control);
	dup2(terminal, STDOUT_FILENO);
	dup2(terminal, STDERR_FILENO);
	close(terminal);
	execvp(argv[0], argv);
	fail(argv[0]);
	return -1;
}

int
main(int argc, char **argv)
{
	int control = posix_openpt(O_RDWR | O_NOCTTY), terminal, status;
	char piece[4096];
	ssize_t n;
	pid_t pid;

	if (argc < 3 || control == -1)
		fail("terminal");
	terminal = open_terminal(control, atoi(argv[1]));
	pid = start(control, terminal, argv + 2);
	close(terminal);
	/* Linux says EIO when the last one has closed its end, others say 0. */
	while (
	    (n = read(control, piece, sizeof(piece))) > 0 || (n == -1 && errno == EINTR))
		if (n > 0 && write(STDOUT_FILENO, piece, (size_t)n) != n)
			fail("write");
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}
