/* SPDX-License-Identifier: MIT */
#ifndef RULESET_H
#define RULESET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "rules/rule.h"

struct conf;
struct diag;
struct job;
struct job_world;

/*
 * The rules in force. A rule is its name: when a set is adopted, what has not
 * changed goes on undisturbed, and a file that is refused leaves its rules as
 * they were. All zero but world is an empty set.
 */
struct ruleset {
	struct job_world *world;
	struct job **jobs; /* in the order of files and lines */
	size_t n;
	struct map by_name; /* those that left but still run, too */
	struct map locks;
	struct settings settings;
	/* What was found in the rule files, to be shown. */
	struct diag *diags;
	size_t ndiags;
	/* What the last adoption did. */
	size_t added, changed, removed;
};

void ruleset_init(struct ruleset *rs, struct job_world *world);

/* Forgets all rules; runs in progress are left alone. */
void ruleset_clear(struct ruleset *rs);

/*
 * Puts what was read in force: takes rules and findings over from c. Every rule
 * is armed when this returns, and new ones before old ones are let go.
 */
void ruleset_adopt(struct ruleset *rs, struct conf *c);

/* Takes over only the findings: conf.d could not be read, and all stays. */
void ruleset_keep(struct ruleset *rs, struct conf *c);

/* The rule in force of that name, or NULL. */
struct job *ruleset_find(const struct ruleset *rs, const char *name);

/* "1 added, 2 changed" or "nothing changed": by the last adoption. free(3) it. */
char *ruleset_changes(const struct ruleset *rs);

/* How many paths are watched. */
size_t ruleset_paths(const struct ruleset *rs);

#endif
