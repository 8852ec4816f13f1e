/* SPDX-License-Identifier: MIT */
#ifndef TRIAL_RUN_H
#define TRIAL_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "run/spawn.h"

struct trial;

/* Children of a probe, started by the spawner of the daemon. */
struct trial_run {
	struct child *child;
	unsigned done; /* 1 when it has ended */
	int exit_status, signal;
	char error[512];
};

/* A spawner on the trial's loop, or NULL and a failure. */
struct spawner *trial_spawner(struct trial *t);

/* A request for a shell script; argv is filled in, and has to outlive it. */
struct spawn_request trial_shell(char *argv[4], const char *script);

/* Starts a child; false, and a failure, if that cannot be. */
bool trial_start(struct trial *t, struct spawner *s, const struct spawn_request *req,
    struct trial_run *run);

/* Runs one, or a script, to its end; false, and a failure, where it has no status. */
bool trial_run(struct trial *t, const struct spawn_request *req, struct trial_run *run);
bool trial_run_shell(struct trial *t, const char *script, struct trial_run *run);

/* Can this command line be run, with success? Its output stands in the file out. */
bool trial_succeeds(struct trial *t, const char *command);

/* The first line of a small file; "" if there is none. */
void trial_read(const char *path, char *out, size_t size);

/* Fails unless that is want. */
void trial_expect_text(struct trial *t, const char *path, const char *want);

#endif
