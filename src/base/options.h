/* SPDX-License-Identifier: MIT */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

struct buf;

/*
 * Options that several subcommands share. All paths are absolute; root is "" if
 * there is none, and the others are their defaults, below root, where they were
 * not given.
 */
struct options {
	char *config, *state, *socket, *log, *root;
	char *output;    /* -o; NULL: it was not given */
	unsigned number; /* -n; 0: not given */
	unsigned given;  /* OPTION_ bits of those that were */
	const char *synopsis;
};

/* Which of them a subcommand takes. */
enum {
	OPTION_CONFIG = 1,
	OPTION_STATE = 2,
	OPTION_SOCKET = 4,
	OPTION_LOG = 8,
	OPTION_ROOT = 16,
	OPTION_JSON = 32,
	OPTION_WAIT = 64,
	OPTION_SUMMARY = 128,
	OPTION_NUMBER = 256,
	OPTION_VERBOSE = 512,
	OPTION_TRUST = 1024,
	OPTION_BRIEF = 2048,
	OPTION_WRITE = 4096,
	OPTION_OUTPUT = 8192,
	OPTION_SLEEP = 16384,
	OPTION_CLOCK = 32768,
};

/*
 * Reads the options of a subcommand; synopsis, which must outlive o, is shown where
 * they are wrong. Returns the index of the first operand, or -1 after it reported
 * on stderr what is wrong.
 */
int options_parse(
    struct options *o, unsigned allowed, const char *synopsis, int argc, char **argv);
void options_clear(struct options *o);

static inline bool
options_has(const struct options *o, unsigned bit)
{
	return (o->given & bit) != 0;
}

/* Prints what is wrong, and the usage of the subcommand, on stderr. EX_USAGE. */
int options_refuse(const struct options *o, const char *what);

/* Adds " [--option ARGUMENT]" for each of them. */
void options_synopsis(unsigned allowed, struct buf *out);

#endif
