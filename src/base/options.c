/* SPDX-License-Identifier: MIT */
/*
 * The options of the subcommands, from one table: where things are, and how to
 * answer. What a subcommand does not take is refused with its usage.
 */
#include "base/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/paths.h"
#include "base/util.h"

static const struct known {
	struct option option;
	unsigned bit;
} known[] = {
	{ { "config", required_argument, NULL, 'c' }, OPTION_CONFIG },
	{ { "state", required_argument, NULL, 's' }, OPTION_STATE },
	{ { "socket", required_argument, NULL, 'S' }, OPTION_SOCKET },
	{ { "log", required_argument, NULL, 'l' }, OPTION_LOG },
	{ { "root", required_argument, NULL, 'r' }, OPTION_ROOT },
	{ { "json", no_argument, NULL, 'j' }, OPTION_JSON },
	{ { "wait", no_argument, NULL, 'w' }, OPTION_WAIT },
	{ { "summary", no_argument, NULL, 'u' }, OPTION_SUMMARY },
	{ { "verbose", no_argument, NULL, 'v' }, OPTION_VERBOSE },
	{ { "trust", no_argument, NULL, 't' }, OPTION_TRUST },
};
#define NKNOWN (sizeof(known) / sizeof(known[0]))

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
	/* Rules are written below it, and a pattern there would be followed. */
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

static int
set_option(struct options *o, int c)
{
	switch (c) {
	case 'c':
		return set_path(&o->config, optarg, false);
	case 's':
		return set_path(&o->state, optarg, false);
	case 'S':
		return set_path(&o->socket, optarg, false);
	case 'l':
		return set_path(&o->log, optarg, false);
	case 'r':
		return set_path(&o->root, optarg, true);
	case 'n':
		return set_number(o, optarg);
	case 'j':
		o->json = true;
		return 0;
	case 'w':
		o->wait = true;
		return 0;
	case 'u':
		o->summary = true;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	case 't':
		o->trust = true;
		return 0;
	default:
		return -1;
	}
}

static void
set_defaults(struct options *o)
{
	o->config_given = o->config != NULL;
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

int
options_parse(
    struct options *o, unsigned allowed, const char *usage, int argc, char **argv)
{
	struct option list[NKNOWN + 1] = { { NULL, 0, NULL, 0 } };
	static char name[] = "watchpathd";
	const char *letters = (allowed & OPTION_NUMBER) != 0    ? "n:"
			      : (allowed & OPTION_VERBOSE) != 0 ? "v"
								: "";
	size_t n = 0, i;
	int c;

	*o = (struct options){ .config = NULL };
	argv[0] = name; /* what getopt_long's messages begin with */
	for (i = 0; i < NKNOWN; i++)
		if ((known[i].bit & allowed) != 0)
			list[n++] = known[i].option;
	while ((c = getopt_long(argc, argv, letters, list, NULL)) != -1)
		if (set_option(o, c) == -1) {
			if (c == '?')
				fprintf(stderr, "usage: watchpathd %s\n", usage);
			options_clear(o);
			return -1;
		}
	set_defaults(o);
	return optind;
}

void
options_clear(struct options *o)
{
	free(o->config);
	free(o->state);
	free(o->socket);
	free(o->log);
	free(o->root);
	*o = (struct options){ .config = NULL };
}
