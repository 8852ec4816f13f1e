/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as what a daemon answers: each command ends with a status, and prints
 * nothing that could drive a terminal. The daemon is a thread, as a command waits
 * for its answer.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/json.h"
#include "base/options.h"
#include "base/util.h"
#include "cmd/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64], out_path[64];
static int listener;
static const uint8_t *answer;
static size_t answer_size;
static int out_fd, real_out, real_err;

static void *
serve(void *arg)
{
	char piece[4096];
	ssize_t n;
	int fd;

	(void)arg;
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd == -1)
			continue;
		while ((n = read(fd, piece, sizeof(piece))) > 0 && piece[n - 1] != '\n')
			continue;
		if (n > 0 && answer_size > 0 && write(fd, answer, answer_size) == -1)
			n = 0;
		close(fd);
	}
	return NULL;
}

static void
clean_up(void)
{
	unlink(path);
	unlink(out_path);
}

static void
set_up(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	pthread_t thread;

	json_init();
	signal(SIGPIPE, SIG_IGN);
	snprintf(path, sizeof(path), "/tmp/fuzz_answer.%ld", (long)getpid());
	snprintf(out_path, sizeof(out_path), "%s.out", path);
	memcpy(a.sun_path, path, sizeof(path));
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	out_fd = open(out_path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	real_out = dup(1);
	real_err = dup(2);
	if (bind(listener, (struct sockaddr *)&a, sizeof(a)) == -1 ||
	    listen(listener, 8) == -1 || out_fd == -1 ||
	    pthread_create(&thread, NULL, serve, NULL) != 0)
		abort();
	atexit(clean_up);
}

/* Output and errors go to the file, or back to where they belong. */
static void
redirect(int out, int err)
{
	fflush(stdout);
	fflush(stderr);
	dup2(out, 1);
	dup2(err, 2);
}

static void
check_output(void)
{
	char piece[65536];
	ssize_t n, i;

	lseek(out_fd, 0, SEEK_SET);
	while ((n = read(out_fd, piece, sizeof(piece))) > 0)
		for (i = 0; i < n; i++)
			if (((unsigned char)piece[i] < 0x20 && piece[i] != '\n') ||
			    piece[i] == 0x7f)
				abort();
	if (ftruncate(out_fd, 0) == -1)
		abort();
}

static void
run(command_main *command, char *operand, bool json)
{
	static char none[] = "/nonexistent", root[] = "";
	char *operands[] = { operand, NULL };
	struct options o = { .socket = path,
		.state = none,
		.config = none,
		.root = root,
		.given = json ? OPTION_JSON : 0 };
	int status;

	redirect(out_fd, out_fd);
	status = command(&o, operands);
	redirect(real_out, real_err);
	if (status < 0 || status > 127)
		abort();
	check_output();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char rule[] = "r";

	if (path[0] == '\0')
		set_up();
	answer = data;
	answer_size = size;
	run(status_main, NULL, false);
	run(status_main, rule, false);
	run(status_main, NULL, true);
	run(trigger_main, rule, false);
	run(reload_main, NULL, false);
	return 0;
}
