/* SPDX-License-Identifier: MIT */
/*
 * The options of the subcommands, from one table: where things are, and how to
 * answer. What a subcommand does not take is refused with its usage.
 */
#include "base/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/paths.h"
#include "base/util.h"
#include "base/number.h"

/* In the order of a synopsis. name NULL: a letter alone. */
static const struct known {
	unsigned bit;
	char letter;
	const char *name, *argument; /* NULL: it takes none */
	size_t offset;               /* of the path that the argument is */
} known[] = {
	{ OPTION_NUMBER, 'n', NULL, "N", 0 },
	{ OPTION_OUTPUT, 'o', NULL, "FILE", offsetof(struct options, output) },
	{ OPTION_VERBOSE, 'v', NULL, NULL, 0 },
	{ OPTION_JSON, 'j', "json", NULL, 0 },
	{ OPTION_BRIEF, 'b', "brief", NULL, 0 },
	{ OPTION_WAIT, 'w', "wait", NULL, 0 },
	{ OPTION_SUMMARY, 'u', "summary", NULL, 0 },
	{ OPTION_TRUST, 't', "trust", NULL, 0 },
	{ OPTION_WRITE, 'W', "write", NULL, 0 },
	{ OPTION_SLEEP, 'p', "sleep", NULL, 0 },
	{ OPTION_CLOCK, 'k', "clock", NULL, 0 },
	{ OPTION_CONFIG, 'c', "config", "DIR", offsetof(struct options, config) },
	{ OPTION_STATE, 's', "state", "DIR", offsetof(struct options, state) },
	{ OPTION_SOCKET, 'S', "socket", "PATH", offsetof(struct options, socket) },
	{ OPTION_LOG, 'l', "log", "FILE", offsetof(struct options, log) },
	{ OPTION_ROOT, 'r', "root", "DIR", offsetof(struct options, root) },
};

static char *
absolute(const char *path)
{
	char cwd[PATH_MAX];

	if (path[0] == '\0') {
		errno = ENOENT;
		return NULL;
	}
	if (path[0] == '/')
		return xstrdup(path);
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return NULL;
	return xasprintf("%s/%s", strcmp(cwd, "/") == 0 ? "" : cwd, path);
}

static int
set_path(char **to, const char *path, bool real)
{
	free(*to);
	*to = real ? realpath(path, NULL) : absolute(path);
	if (*to == NULL) {
		fprintf(stderr, "watchpathd: %s: %s\n", path, strerror(errno));
		return -1;
	}
	/* Each watch entry begins with the root, which must not make it a pattern. */
	if (real && strpbrk(*to, "*?[") != NULL) {
		fprintf(stderr, "watchpathd: %s: a root may not have * ? [ in its path\n",
		    path);
		return -1;
	}
	return 0;
}

static int
set_number(struct options *o, const char *text)
{
	uint64_t n;

	if (!parse_number(text, 1000000000, &n) || n == 0) {
		fprintf(stderr, "watchpathd: -n takes a number from 1: %s\n", text);
		return -1;
	}
	o->number = (unsigned)n;
	return 0;
}

/* Takes the option of that letter, with its argument in optarg. */
static int
set_option(struct options *o, int letter)
{
	const struct known *k = known;

	if (letter == '?')
		return -1;
	while (k->letter != letter)
		k++;
	o->given |= k->bit;
	if (k->argument == NULL)
		return 0;
	if (k->bit == OPTION_NUMBER)
		return set_number(o, optarg);
	return set_path(
	    (char **)(void *)((char *)o + k->offset), optarg, k->bit == OPTION_ROOT);
}

static void
set_defaults(struct options *o)
{
	if (o->root == NULL || strcmp(o->root, "/") == 0) {
		free(o->root);
		o->root = xstrdup("");
	}
	if (o->config == NULL)
		o->config = xasprintf("%s%s", o->root, PATH_CONFIG);
	if (o->state == NULL)
		o->state = xasprintf("%s%s", o->root, PATH_STATE);
	if (o->socket == NULL)
		o->socket = xasprintf("%s/watchpathd.sock", o->state);
}

void
options_synopsis(unsigned allowed, struct buf *out)
{
	const struct known *k;

	for (k = known; k < known + NELEM(known); k++) {
		if ((k->bit & allowed) == 0)
			continue;
		if (k->name != NULL)
			buf_addf(out, " [--%s", k->name);
		else
			buf_addf(out, " [-%c", k->letter);
		buf_addf(out, "%s%s]", k->argument != NULL ? " " : "",
		    k->argument != NULL ? k->argument : "");
	}
}

/* Describes those that are allowed to getopt_long. */
static void
describe(unsigned allowed, char *letters, struct option *list)
{
	const struct known *k;
	int takes;

	for (k = known; k < known + NELEM(known); k++) {
		if ((k->bit & allowed) == 0)
			continue;
		takes = k->argument != NULL ? required_argument : no_argument;
		if (k->name != NULL) {
			*list++ = (struct option){ k->name, takes, NULL, k->letter };
			continue;
		}
		*letters++ = k->letter;
		if (k->argument != NULL)
			*letters++ = ':';
	}
	*letters = '\0';
	*list = (struct option){ NULL, 0, NULL, 0 };
}

int
options_parse(
    struct options *o, unsigned allowed, const char *synopsis, int argc, char **argv)
{
	static char name[] = "watchpathd";
	struct option list[NELEM(known) + 1];
	char letters[2 * NELEM(known) + 1];
	int c;

	*o = (struct options){ .synopsis = synopsis };
	argv[0] = name; /* what getopt_long's messages begin with */
	describe(allowed, letters, list);
	while ((c = getopt_long(argc, argv, letters, list, NULL)) != -1)
		if (set_option(o, c) == -1) {
			if (c == '?')
				fprintf(stderr, "usage: watchpathd %s\n", synopsis);
			options_clear(o);
			return -1;
		}
	set_defaults(o);
	return optind;
}

int
options_refuse(const struct options *o, const char *what)
{
	fprintf(stderr, "watchpathd: %s\nusage: watchpathd %s\n", what, o->synopsis);
	return EX_USAGE;
}

void
options_clear(struct options *o)
{
	free(o->config);
	free(o->state);
	free(o->socket);
	free(o->log);
	free(o->root);
	free(o->output);
	*o = (struct options){ .config = NULL };
}
