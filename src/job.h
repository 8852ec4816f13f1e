/* SPDX-License-Identifier: MIT */
#ifndef JOB_H
#define JOB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "dispatch.h"
#include "heap.h"
#include "mono.h"
#include "trust.h"
#include "util.h"

struct history;
struct job;
struct record;
struct rule;
struct spawner;
struct store;
struct watch;
TAILQ_HEAD(job_list, job);

/* What all rules in force share. Owned by the daemon. */
struct job_world {
	struct dispatch dispatch;
	struct watch *watch;
	struct spawner *spawner;
	struct store *store;
	struct trust trust;
	const char *root;         /* "" without --root */
	struct strv user;         /* HOME USER LOGNAME SHELL of the daemon's user */
	uint64_t run_base, nruns; /* run ids */
	char boot[64];            /* "" if it cannot be told */
	struct heap saves;        /* jobs whose state is to be saved, by when */
	struct strv history;      /* lines of finished runs that are to be written */
	struct job_list left_over;
};

/*
 * One rule in force: its paths, its state and its run. new takes rule over and
 * puts it in force: its paths are armed, then looked at, and at-start decides
 * what is owed, with what a former life left in known (NULL: nothing).
 */
struct job *job_new(struct job_world *world, struct rule *rule,
    struct dispatch_lock *lock, const struct record *known);

/* Takes it out of force. A run in progress is left alone and forgotten. */
void job_free(struct job *j);

/* The job whose state this is. */
struct job *job_of(struct dispatch_rule *state);

/* Carries a step of the dispatcher out. */
void job_step(struct job *j, enum dispatch_step step, mono_t now);

/* Judges the programs of a blocked rule again. */
void job_recheck(struct job *j);

/* The network changed: a cause, for a rule that asked for it. */
void job_network(struct job *j);

/* Looks whether runs that outlived their daemon still go on. */
void job_check_left_over(struct job_world *world, mono_t now);

/* Puts the state of the rule into the store: now, or as soon as there is time. */
void job_save(struct job *j);
void job_save_later(struct job *j);

/* Saves the first of world->saves. */
void job_save_next(struct job_world *world);

/* How many paths it watches. */
size_t job_paths(const struct job *j);

#endif
