/* SPDX-License-Identifier: MIT */
#ifndef RUN_H
#define RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/mono.h"
#include "base/platform.h"
#include "base/util.h"
#include "run/spawn.h"
#include "schedule/dispatch.h"
#include "trust/trust.h"

struct cJSON;
struct child;
struct command;
struct log_rule;
struct programs;
struct spawner;

#define RUN_ID_SIZE 40

/* WATCHPATHD_PATHS holds at most this many bytes. */
#define RUN_PATHS_MAX (32 * 1024)

/* What all runs share. */
struct runner {
	struct spawner *spawner;
	const char *root;     /* in front of `directory`; "" for none */
	const char *config;   /* where the rule files are */
	struct strv user;     /* HOME USER LOGNAME SHELL of the daemon's user */
	char boot[64];        /* which boot this is; "" if that is not known */
	uint64_t base, count; /* of run ids */
};

/* An id that no other run has. */
void run_next_id(struct runner *runner, char id[RUN_ID_SIZE]);

/*
 * What `last_run` of the status and a line of the history say of a run. Times are
 * of CLOCK_REALTIME in nanoseconds, 0: not yet.
 */
struct run_report {
	char id[RUN_ID_SIZE];
	const char *reason; /* of dispatch_reason_name */
	uint32_t attempt;
	char *path;         /* the first changed path; NULL: none */
	const char *change; /* of rule_change_name; "": none */
	int64_t detected, started, ended;
	int exit;    /* -1: it did not exit */
	int signal;  /* 0: none ended it */
	int verify;  /* exit status of `verify`; -1: it did not exit, or was not run */
	char *error; /* a sentence, or NULL */
	bool ok;
};

/* As JSON; rule NULL: without the rule's name. The caller deletes it. */
struct cJSON *run_report_json(const struct run_report *r, const char *rule);

struct run_ops {
	/* A command has been spawned, or is about to be reported as not started. */
	void (*started)(void *arg, const char *program);
	/* The run is over. outcome: how, in words. From a callback of the loop, or
	 * from within run_start. */
	void (*ended)(void *arg, bool ok, const char *outcome);
	/* The path that the schedule's path stands for, and its change. */
	const char *(*path_of)(const struct dispatch_path *p);
	unsigned (*change_of)(const struct dispatch_path *p);
	/* Where path_of has none: the changes it stands for, whose names are not kept. */
	unsigned (*others_of)(const struct dispatch_path *p);
};

enum run_phase {
	RUN_NONE,      /* there is none in progress */
	RUN_ACTION,    /* the action runs */
	RUN_VERIFY,    /* `verify` does */
	RUN_LEFT_OVER, /* a process that an earlier daemon started */
};

/* One run of a rule at a time: the one in progress, or the last one. */
struct run {
	struct run_report report;
	enum run_phase phase;
	bool verify_first; /* the action went well, only `verify` did not */

	struct runner *runner;
	struct programs *programs;
	const struct dispatch_rule *schedule; /* its taken paths are what it answers */
	struct log_rule *log;
	const struct run_ops *ops;
	void *arg;
	struct child *child;            /* of the action or of `verify` */
	pid_t left_over;                /* its process */
	char process[PLATFORM_ID_SIZE]; /* no later process has the same */
	uid_t console;                  /* who was at the screen when it started */
	bool timed_out;
	mono_t began;
};

/* What it is given must outlive it. A run in progress is left alone by free. */
struct run *run_new(struct runner *runner, struct programs *programs,
    const struct dispatch_rule *schedule, struct log_rule *log, const struct run_ops *ops,
    void *arg);
void run_free(struct run *r);

/*
 * Starts the run that the schedule has just started, of the action c and its
 * resolved program; or of `verify` alone, where a retry need not repeat the action.
 * console: who is at the screen, where the rule's user is that.
 * id: of the run, or NULL for the next one. detected: when the change was.
 */
void run_start(struct run *r, const struct command *c, const char *program, uid_t console,
    const char *id, enum dispatch_reason reason, int64_t detected);

/*
 * Spawns another command of the rule, in the environment of the run in progress or
 * the last one, and more. done(arg) gets its end. NULL, with a sentence in why.
 */
struct child *run_spawn_beside(struct run *r, const struct command *c,
    const char *program, uid_t console, const struct strv *more, struct log_rule *log,
    spawn_done_fn *done, void *arg, char why[TRUST_WHY_SIZE]);

/* It took too long: SIGTERM, or five seconds later SIGKILL, to its group. */
void run_stop(struct run *r, enum dispatch_step step);

/* How long it took, or has taken so far, in seconds. */
double run_seconds(const struct run *r);

/* The process of a run in progress, and what no later one has in common with it. */
pid_t run_pid(const struct run *r);
const char *run_process(struct run *r);

/*
 * Takes up a run of an earlier daemon. False: its process is gone, or may be
 * another one. run_is_gone: it is over, and nobody knows how.
 */
bool run_adopt(struct run *r, pid_t pid, const char *process, const char *boot,
    const char *id, int64_t started);
bool run_is_gone(struct run *r);

#endif
