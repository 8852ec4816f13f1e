/* SPDX-License-Identifier: MIT */
#ifndef FINDINGS_H
#define FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "base/util.h"

struct command;
struct rule;
struct trust;

/*
 * What the file system has against a rule, at the moment of asking: programs that
 * may not run, directories around watched paths that everyone may write. A rule
 * file that was good may get such findings later, and lose them again.
 */
struct findings {
	const struct trust *trust;
	const char *root; /* in front of programs and watched paths; "" for none */
	/*
	 * Mount points that must not be touched. NULL: they are not known, and
	 * nothing on the way to a watched path is looked at.
	 */
	const struct strv *remote;
	struct map judged; /* many rules run the same command: {} at first */
};

/* text is a sentence; line is the one of the rule's file that it is about. */
typedef void findings_fn(void *arg, const struct rule *rule, int line, const char *text);

/* Calls fn with each finding about the rule, in no order; how many there are. */
size_t
findings_each(struct findings *f, const struct rule *rule, findings_fn *fn, void *arg);

/* Of one command of the rule; good until findings_clear. */
struct judgement {
	bool good, missing;  /* it may run; it is not installed */
	char *why;           /* it may not run: the refusal; else "" */
	struct strv exposed; /* sentences about places of others that it names */
};
const struct judgement *
findings_judge(struct findings *f, const struct rule *rule, const struct command *c);

/*
 * The nth watched path, if it is a directory that everyone may write, else the
 * one it is in, if everyone may write to that; without root, and with no slash
 * at its end. NULL: neither. The caller frees it.
 */
char *
findings_open_directory(const struct findings *f, const struct rule *rule, size_t nth);

/* Frees what was found out so far. */
void findings_clear(struct findings *f);

#endif
