/* SPDX-License-Identifier: MIT */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>

/* One line of the table in main.c, which ends with a name of NULL. */
struct subcommand {
	const char *name;
	const char *synopsis; /* options and arguments, "" if there are none */
	const char *summary;  /* a few words */
	const char *text;     /* what `help NAME` adds, no newline at the end; or NULL */
	int (*main)(int argc, char **argv); /* argv[0] is the name */
	bool hidden;
};

#endif
