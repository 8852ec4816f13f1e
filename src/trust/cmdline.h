/* SPDX-License-Identifier: MIT */
#ifndef CMDLINE_H
#define CMDLINE_H

#include <limits.h>
#include <stdbool.h>

#include "trust/trust.h"

/* The PATH of every action that does not bring its own. */
#define TRUST_CLEAN_PATH "/usr/bin:/bin:/usr/sbin:/sbin"

/* A command, and what it is started with. */
struct cmdline {
	char *const *argv;        /* argv[0] as it is to be executed, root in front */
	const char *directory;    /* likewise; NULL: it starts in / */
	char *const *environment; /* NAME=value of the rule; NULL: none */
	bool admin;               /* trust = admin */
	bool as_root;             /* it runs as the daemon's own user */
	bool by_self;             /* the daemon's own program starts it */
};

/* What the judgement of a command came to. */
struct trust_verdict {
	char resolved[PATH_MAX];  /* the real path that is to be executed */
	char why[TRUST_WHY_SIZE]; /* the refusal */
	bool missing;             /* it is not installed, rather than not trusted */
	bool passing;             /* for what passes by itself: see trust_passes */
	/*
	 * Set by the caller: gets every path that the verdict depends on, so that
	 * nothing but a change on the way to one of them can change it; or NULL.
	 */
	struct strv *paths;
	/*
	 * Likewise: gets a sentence for each word that is no code, but names a place
	 * where others decide what is there; only of what runs as root.
	 */
	struct strv *exposed;
};

/*
 * Judges a command: the program's links, the directory of each, and the target,
 * which must be an executable regular file that the system can execute; the
 * interpreter that its #! line names likewise. Of an interpreter, or a program that
 * starts another, the words that are code are judged (see codewords.h): a script
 * must be there, a program is judged like this one, and other paths only need to be
 * where nobody else decides what is there. No word but argv[0] gets root in front.
 * A sentence about a word names it. What runs as root must not get variables that
 * lead loaders to places of others, nor work in one where its words are code.
 * True: it may run.
 */
bool
trust_command(const struct trust *t, const struct cmdline *line, struct trust_verdict *v);

#endif
