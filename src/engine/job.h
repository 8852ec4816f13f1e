/* SPDX-License-Identifier: MIT */
#ifndef JOB_H
#define JOB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "schedule/dispatch.h"
#include "run/findings.h"
#include "run/run.h"
#include "base/heap.h"
#include "engine/alerter.h"
#include "base/mono.h"
#include "trust/trust.h"
#include "base/util.h"

struct history;
struct job;
struct jobpaths;
struct record;
struct rule;
struct store;
struct watch;
TAILQ_HEAD(job_list, job);

/* What all rules in force share. Owned by the daemon. */
struct job_world {
	struct dispatch dispatch;
	struct watch *watch;
	struct runner runner;
	struct store *store;
	struct trust trust;
	struct heap saves;      /* jobs whose state is to be saved, by when */
	struct heap judgements; /* blocked jobs that are to be judged again */
	struct history *history;
	struct job_list left_over;
	struct alerters alerters;
	bool starting; /* the daemon is loading its first rules */
};

/*
 * One rule in force: its paths, its state and its run. new takes rule over and
 * puts it in force: its paths are armed, then looked at, and at-start decides
 * what is owed, with what a former life left in known (NULL: nothing).
 */
struct job *job_new(struct job_world *world, struct rule *rule,
    struct dispatch_lock *lock, const struct record *known);

/* Forgets it. A run in progress is left alone. */
void job_free(struct job *j);

/*
 * Takes rule over in place of the one in force, of the same name: what is owed
 * on paths that both watch stays. A rule that is the same keeps everything.
 */
void job_change(struct job *j, struct rule *rule, struct dispatch_lock *lock);

/*
 * Takes it out of force and hands its record to the store. True: it is running,
 * and gone(arg) is called when that run has ended; until then job_change can put
 * it in force again.
 */
bool job_leave(struct job *j, void (*gone)(void *arg, struct job *j), void *arg);

/*
 * Runs it as soon as lock and slots allow: the id of the run that this causes,
 * borrowed; or NULL, with a sentence in *why.
 */
const char *job_trigger(struct job *j, const char **why);

/* What became of a run that job_trigger promised. */
enum job_promise { PROMISE_WAITING, PROMISE_RUNNING, PROMISE_ENDED, PROMISE_UNKNOWN };
enum job_promise job_promise(const struct job *j, const char *run);

/* The job whose state this is. */
struct job *job_of(struct dispatch_rule *state);

/* Carries a step of the dispatcher out. False: a part of it; others may have a turn. */
bool job_step(struct job *j, enum dispatch_step step, mono_t now);

/* Judges the programs of a rule again, if it is blocked. */
void job_judge(struct job *j);

/* Judges the first of world->judgements. */
void job_judge_next(struct job_world *world);

/* The network changed: a cause, for a rule that asked for it. */
void job_network(struct job *j);

/* Looks whether runs that outlived their daemon still go on. */
void job_check_left_over(struct job_world *world, mono_t now);

/* Puts the state of the rule into the store: now, or as soon as there is time. */
void job_save(struct job *j);
void job_save_later(struct job *j);

/* Saves the first of world->saves. */
void job_save_next(struct job_world *world);

/* What can be said of a job; borrowed, good until the job is touched. */
struct job_info {
	const struct rule *rule;
	enum dispatch_state state;
	bool pending;
	uint32_t attempt;
	int64_t due;             /* CLOCK_REALTIME; 0: no clock decides */
	int64_t every;           /* likewise: when `every` runs it next */
	const struct strv *argv; /* of the action that runs or would */
	uint64_t runs, failures;
	bool alerted;                 /* somebody knows that it fails */
	const char *alert_error;      /* why nobody could be, or NULL */
	const struct cJSON *last_run; /* NULL: none */
	const struct run_report *run; /* the one in progress, or NULL */
	pid_t pid;                    /* its process */
	bool left_over; /* by an earlier daemon: only id and start are known */
};
void job_inform(const struct job *j, struct job_info *out);

/*
 * What the file system has against the rule, as it is now; see findings.h. again:
 * only if there was something when it was asked last.
 */
void
job_findings(struct job *j, struct findings *f, bool again, findings_fn *fn, void *arg);

/*
 * Why it is blocked, failed or being stopped, cannot watch, or is slowed down; or
 * NULL. And what it is queued for, as in "waits for ...", or NULL. free(3) them.
 */
char *job_problem(const struct job *j);
char *job_waits_for(const struct job *j);

const struct rule *job_rule(const struct job *j);
const struct jobpaths *job_paths(const struct job *j);

#endif
