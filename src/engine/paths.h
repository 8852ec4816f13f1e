/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_PATHS_H
#define ENGINE_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"

struct dispatch;
struct dispatch_path;
struct dispatch_rule;
struct record;
struct watch;

/*
 * The paths of one rule: what watch sees of them goes to the rule's state, and a
 * record of each lives as long as it is a match or owes something.
 */
struct jobpaths;

/* What the rule hears besides its state. */
struct jobpaths_ops {
	/* A look found differences: CHANGE_ bits, asked for or not. */
	void (*changed)(void *arg, const char *path, unsigned diff);
	/* What keeps a path from being watched: a phrase; NULL: no longer. */
	void (*trouble)(void *arg, const char *path, const char *why);
};

struct jobpaths *jobpaths_new(struct watch *w, struct dispatch *d,
    struct dispatch_rule *state, const struct jobpaths_ops *ops, void *arg);

/* Stops watching; what the state holds of the paths must be gone before. */
void jobpaths_free(struct jobpaths *p);

/*
 * Watches entries, paths or patterns with any root in front, and looks at all of
 * them: at-start decides, for entries that known (or NULL) has a record of by
 * comparison.
 */
void
jobpaths_load(struct jobpaths *p, const struct strv *entries, const struct record *known);

/*
 * Watches other entries from now on: what both have is kept and misses nothing,
 * new ones are armed before old ones go, and what only those owed is forgotten.
 */
void jobpaths_change(struct jobpaths *p, const struct strv *entries);

/* Watches nothing any more, but keeps what is known and owed. */
void jobpaths_stop(struct jobpaths *p);

/* What is wrong with the entries or paths: a sentence to free(3), or NULL. */
char *jobpaths_problem(const struct jobpaths *p);

/* Is there a path that cannot be looked at? */
bool jobpaths_has_error(const struct jobpaths *p);

/* Calls fn with every path there is. state: present absent error not-watched. */
typedef void
jobpaths_fn(void *arg, const char *path, const char *state, const char *error);
void jobpaths_each(const struct jobpaths *p, jobpaths_fn *fn, void *arg);

/*
 * Calls fn with the paths that one of the entries stands for now; none where it is
 * not watched. What is wrong with the entry: a sentence to free(3), or NULL.
 */
char *
jobpaths_entry(const struct jobpaths *p, const char *entry, jobpaths_fn *fn, void *arg);

/* Looks at the next paths, a turn's share. True: at all of them by now. */
bool jobpaths_look(struct jobpaths *p);

/* Forgets paths that are no match any more and owe nothing. */
void jobpaths_sweep(struct jobpaths *p);

/* Adds entries and paths to a record. */
void jobpaths_record(const struct jobpaths *p, struct record *out);

size_t jobpaths_count(const struct jobpaths *p);

/*
 * The path that a state's dispatch_path is of (NULL: it stands for others, whose
 * names are not kept), and what a run answers of it most.
 */
const char *jobpaths_name(const struct dispatch_path *p);
unsigned jobpaths_change_of(const struct dispatch_path *p);

/* How many changes it stands for whose names are not kept; 0 if it is a path. */
unsigned jobpaths_others(const struct dispatch_path *p);

#endif
