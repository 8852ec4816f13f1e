/* SPDX-License-Identifier: MIT */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "trust.h"

struct command;
struct rule;
struct strv;
struct watch;
struct watch_way;

/*
 * The programs of one rule: which may run, and waiting for one that may. What
 * init is given must outlive it.
 */
struct programs {
	struct watch *watch;
	const struct trust *trust;
	const char *root; /* stands in front of every program */
	const struct rule *rule;
	size_t current; /* action chosen last; all of them: none */
	struct watch_way **ways;
	size_t nways;
};

void programs_init(struct programs *p, struct watch *w, const struct trust *t,
    const char *root, const struct rule *rule);

/* From now on those of another version of the rule; actions may have moved. */
void programs_set(struct programs *p, const struct rule *rule);

/*
 * The first action whose program is installed and trusted, with the path that is
 * to be executed (PATH_MAX); or NULL with a sentence: of a program that is there
 * and may not run rather than of one that is missing.
 */
const struct command *
programs_choose(struct programs *p, char *resolved, char why[TRUST_WHY_SIZE]);

/* Judges one command of the rule, as trust_program does. */
bool programs_judge(const struct programs *p, const struct command *c, char *resolved,
    bool *missing, char why[TRUST_WHY_SIZE]);

/* The words of the action that was chosen last, of the first before; or NULL. */
const struct strv *programs_current(const struct programs *p);

/* Calls fn whenever anything on the way to one of the actions may have changed. */
void programs_watch(struct programs *p, void (*fn)(void *arg), void *arg);
void programs_unwatch(struct programs *p);

#endif
