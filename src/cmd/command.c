/* SPDX-License-Identifier: MIT */
/* How a command is called: all of it is read from its line in the table. */
#include "cmd/command.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/options.h"
#include "base/util.h"
#include "base/visible.h"

char *
command_synopsis(const struct subcommand *c)
{
	struct buf out = { NULL, 0, 0 };

	buf_adds(&out, c->name);
	options_synopsis(c->options, &out);
	if (c->operands[0] != '\0')
		buf_addf(&out, " %s", c->operands);
	return out.p;
}

/* Are n operands too few (-1) or too many (1)? */
static int
compare_number(const struct subcommand *c, int n)
{
	int least = c->operands[0] != '\0' && c->operands[0] != '[';
	int most = strstr(c->operands, "...") != NULL ? INT_MAX : c->operands[0] != '\0';

	return n < least ? -1 : n > most;
}

int
command_run(const struct subcommand *c, int argc, char **argv)
{
	struct options o;
	char *synopsis = command_synopsis(c);
	int first = options_parse(&o, c->options, synopsis, argc, argv);
	int status = EX_USAGE, wrong;

	if (first != -1) {
		wrong = compare_number(c, argc - first);
		if (wrong > 0 && c->operands[0] == '\0')
			fprintf(stderr, "watchpathd: %s takes no argument: %s\n", c->name,
			    argv[first]);
		else if (wrong > 0)
			fputs("watchpathd: too many arguments\n", stderr);
		if (wrong != 0)
			fprintf(stderr, "usage: watchpathd %s\n", synopsis);
		else
			status = c->main(&o, argv + first);
		options_clear(&o);
	}
	free(synopsis);
	return status;
}

void
command_complain(const char *name, const char *text)
{
	char *vis = vis_dup(name);

	fprintf(stderr, "watchpathd: %s: %s\n", vis, text);
	free(vis);
}

int
command_status(int error)
{
	return error == EACCES || error == EPERM ? EX_NOPERM : EXIT_FAILURE;
}

int
command_worse(int status, int other)
{
	if (status == EX_NOPERM || other == EX_NOPERM)
		return EX_NOPERM;
	if (status == EX_DATAERR || other == EX_DATAERR)
		return EX_DATAERR;
	return status != EX_OK ? status : other;
}

int
command_conclude(int status)
{
	if (status == EX_NOPERM)
		fputs("watchpathd: some of it may not be read: try sudo\n", stderr);
	return status;
}
