/* SPDX-License-Identifier: MIT */
#ifndef JOB_H
#define JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatch.h"
#include "mono.h"
#include "trust.h"
#include "util.h"

struct rule;
struct spawner;
struct watch;

/* What all rules in force share. Owned by the daemon. */
struct job_world {
	struct dispatch dispatch;
	struct watch *watch;
	struct spawner *spawner;
	struct trust trust;
	const char *root;         /* "" without --root */
	struct strv user;         /* HOME USER LOGNAME SHELL of the daemon's user */
	uint64_t run_base, nruns; /* run ids */
};

/* One rule in force: its paths, its state and its run. */
struct job;

/*
 * Takes rule over and puts it in force: its paths are armed, then looked at, and
 * at-start decides what is owed. lock may be NULL.
 */
struct job *
job_new(struct job_world *world, struct rule *rule, struct dispatch_lock *lock);

/* Takes it out of force. A run in progress is left alone and forgotten. */
void job_free(struct job *j);

/* The job whose state this is. */
struct job *job_of(struct dispatch_rule *state);

/* Carries a step of the dispatcher out. */
void job_step(struct job *j, enum dispatch_step step, mono_t now);

/* Judges the programs of a blocked rule again. */
void job_recheck(struct job *j);

/* How many paths it watches. */
size_t job_paths(const struct job *j);

#endif
