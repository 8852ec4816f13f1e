/* SPDX-License-Identifier: MIT */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "trust/cmdline.h"
#include "base/util.h"

struct command;
struct rule;
struct watch;
struct watch_way;

/*
 * The programs of one rule: which may run, and waiting for one that may. What
 * init is given must outlive it.
 */
struct programs {
	struct watch *watch;
	const struct trust *trust;
	const struct strv *remote; /* network volumes; without watch the caller's */
	const char *root;          /* stands in front of every program */
	const struct rule *rule;
	size_t current;          /* action chosen last; all of them: none */
	struct watch_way **ways; /* what is awaited */
	size_t nways;
};

void programs_init(struct programs *p, struct watch *w, const struct trust *t,
    const char *root, const struct rule *rule);

/* From now on those of another version of the rule; actions may have moved. */
void programs_set(struct programs *p, const struct rule *rule);

/* Does the daemon's own program set something before the rule's commands run? */
bool programs_by_self(const struct rule *rule);

/* Judges one command of the rule: may it run? See trust_command. */
bool programs_judge(
    const struct programs *p, const struct command *c, struct trust_verdict *v);

/*
 * The first action whose program is installed and trusted; or NULL, with why in
 * the verdict: of a program that is there and may not run rather than of one that
 * is missing. The paths are those of all actions.
 */
const struct command *programs_choose(struct programs *p, struct trust_verdict *v);

/* The words of the action that was chosen last; of the first where none could be. */
const struct strv *programs_current(const struct programs *p);

/*
 * Calls fn whenever anything on the way to one of paths may have changed. False:
 * it did so before, and nothing has been missed since they were judged.
 */
bool programs_await(
    struct programs *p, const struct strv *paths, void (*fn)(void *arg), void *arg);

/* Awaits nothing. */
void programs_clear(struct programs *p);

#endif
