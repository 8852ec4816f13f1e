/* SPDX-License-Identifier: MIT */
/*
 * The subcommands, and the dispatch to them; nothing else.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "become.h"
#include "check.h"
#include "daemon.h"
#include "help.h"
#include "subcommand.h"

static int help_main(int argc, char **argv);
static int version_main(int argc, char **argv);

static const struct subcommand commands[] = {
	{ "run", "[--config DIR] [--state DIR] [--log FILE] [--root DIR]",
	    "watch and run actions, in the foreground",
	    "Loads the rule files of conf.d and runs until SIGTERM or SIGINT. Logs to "
	    "stderr,\n"
	    "or to FILE. --root puts DIR in front of every watched path, program and "
	    "default\n"
	    "location, to try rules in a sandbox.",
	    daemon_main, false },
	{ "check", "[-v] [--trust] [--config DIR] [--root DIR] [PATH ...]",
	    "parse rule files as the daemon would",
	    "Without PATH the daemon's own conf.d is checked, trust included; with PATH, "
	    "a\n"
	    "file or a directory, trust is judged only with --trust. -v prints each rule "
	    "as\n"
	    "the daemon understands it. Exit status 65: a file was refused.",
	    check_main, false },
	{ "help", "[COMMAND | keys]", "explain a command, or every key of a rule", NULL,
	    help_main, false },
	{ "version", "", "print the version", NULL, version_main, false },
	{ "exec", "", "", NULL, become_main, true },
	{ NULL, NULL, NULL, NULL, NULL, false },
};

static int
help_main(int argc, char **argv)
{
	return help_print(commands, argc, argv);
}

static int
version_main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		fputs("watchpathd: version takes no argument\n", stderr);
		return EX_USAGE;
	}
	puts("watchpathd " VERSION);
	return EX_OK;
}

/* A descriptor opened later must not become stdin, stdout or stderr. */
static void
open_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int
main(int argc, char **argv)
{
	const struct subcommand *c;
	const char *name;

	if (issetugid()) {
		fputs("watchpathd: refuses to run set-user-ID or set-group-ID\n", stderr);
		return EX_NOPERM;
	}
	open_standard_fds();
	if (argc < 2) {
		help_list(commands, stderr);
		return EX_USAGE;
	}
	name = argv[1];
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	if (strcmp(name, "--version") == 0)
		name = "version";
	for (c = commands; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			return c->main(argc - 1, argv + 1);
	fprintf(stderr, "watchpathd: no such command: %s (see watchpathd help)\n", name);
	return EX_USAGE;
}
