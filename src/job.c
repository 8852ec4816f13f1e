/* SPDX-License-Identifier: MIT */
/*
 * One rule in force. It carries the dispatcher's steps out: looks, choosing a
 * program, running it and then `verify`, and it keeps the books on that: what is
 * in the log, in the store and in the history. When to do what is decided
 * elsewhere.
 */
#include "job.h"

#include <cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobpaths.h"
#include "json.h"
#include "log.h"
#include "platform.h"
#include "record.h"
#include "rule.h"
#include "run.h"
#include "runenv.h"
#include "spawn.h"
#include "store.h"
#include "watch.h"

/* Changes that nobody waits for are saved no more often than this. */
#define SAVE_PAUSE_NS MONO_SEC

struct job {
	struct job_world *world;
	struct rule *rule;
	struct dispatch_rule state;
	struct jobpaths *paths;
	struct watch_way **ways; /* of the programs, while none is there */
	size_t nways;

	/* The run in progress, or the last one. */
	struct child *child;
	struct run run;
	bool timed_out, verifying;
	bool verify_first; /* the action went well, only `verify` did not */

	/* A run that a former life of the daemon has started: pid, else 0. */
	pid_t left_over;
	TAILQ_ENTRY(job) left_over_link;
	char process[PLATFORM_ID_SIZE]; /* of the child or the run left over */

	/* The books. */
	cJSON *last_run;
	uint64_t runs, failed;
	int64_t detected; /* what is pending, CLOCK_REALTIME; 0: nothing */
	struct heap_node save;
	mono_t saved_at;
	enum dispatch_state said;
	bool said_guarded;
};

static void run_command(struct job *j, const struct command *c, const char *program);

struct job *
job_of(struct dispatch_rule *state)
{
	return (struct job *)(void *)((char *)state - offsetof(struct job, state));
}

/* Has the state saved: soon, or at once if that is worth it. */
static void
save_later(struct job *j, bool at_once)
{
	mono_t at = at_once ? mono_now() : mono_add(j->saved_at, SAVE_PAUSE_NS);

	if (!j->save.in || mono_before(at, j->save.key))
		heap_put(&j->world->saves, &j->save, at);
}

/* One line whenever the rule's state is another one than was last said. */
static void
say_state(struct job *j, mono_t now, const char *detail)
{
	enum dispatch_state s = dispatch_state(&j->state, now);

	if (s == j->said)
		return;
	log_info("%s: %s -> %s%s%s", j->rule->name, dispatch_state_name(j->said),
	    dispatch_state_name(s), detail[0] != '\0' ? ", " : "", detail);
	j->said = s;
}

/* The first change that is owed, for the log. */
static void
path_changed(void *arg, const char *path, unsigned diff)
{
	struct job *j = arg;
	unsigned asked = diff & j->rule->policy.on, change;
	bool pending = dispatch_pending(&j->state);
	char detail[PATH_MAX + 32];

	for (change = CHANGE_CREATE; change < CHANGE_ATTRIBUTES; change <<= 1)
		if ((asked & change) != 0)
			break;
	snprintf(detail, sizeof(detail), "%s %s", path,
	    asked != 0 ? dispatch_change_name(change) : "");
	save_later(j, pending && j->detected == 0);
	if (pending && j->detected == 0)
		j->detected = realtime_ns();
	say_state(j, mono_now(), detail);
}

static void
path_trouble(void *arg, const char *path, const char *why)
{
	const struct job *j = arg;

	if (why != NULL)
		log_warning("%s: %s: %s", j->rule->name, path, why);
	else
		log_info("%s: %s: is watched again", j->rule->name, path);
}

static const struct jobpaths_ops paths_ops = { path_changed, path_trouble };

/* The command as it is executed: root stands in front of the program. */
static char **
rooted(const struct job *j, const struct command *c)
{
	char **argv = xcalloc(c->argv.n + 1, sizeof(*argv));
	size_t i;

	argv[0] = xasprintf("%s%s", j->world->root, c->argv.v[0]);
	for (i = 1; i < c->argv.n; i++)
		argv[i] = c->argv.v[i];
	return argv;
}

static bool
judge(struct job *j, const struct command *c, char *resolved, bool *missing, char *why)
{
	struct trust t = j->world->trust;
	char **argv = rooted(j, c);
	bool ok;
	size_t i;

	for (i = 0; i < j->rule->environment.n; i++)
		if (strncmp(j->rule->environment.v[i], "PATH=", 5) == 0)
			t.path = j->rule->environment.v[i] + 5;
	ok = trust_program(
	    &t, argv, j->rule->trust == TRUST_ADMIN, resolved, missing, why);
	free(argv[0]);
	free(argv);
	return ok;
}

/*
 * The first action whose program is installed and trusted, or NULL with a
 * sentence: a program that is there and may not run says more than a missing one.
 */
static const struct command *
choose(struct job *j, char *resolved, char why[TRUST_WHY_SIZE])
{
	char reason[TRUST_WHY_SIZE];
	bool missing, distrusted = false;
	size_t i;

	why[0] = '\0';
	for (i = 0; i < j->rule->nactions; i++) {
		if (judge(j, &j->rule->actions[i], resolved, &missing, reason))
			return &j->rule->actions[i];
		if (distrusted || (missing && why[0] != '\0'))
			continue;
		distrusted = !missing;
		snprintf(why, TRUST_WHY_SIZE, "%s", reason);
	}
	return NULL;
}

static void
drop_ways(struct job *j)
{
	size_t i;

	for (i = 0; i < j->nways; i++)
		watch_way_remove(j->world->watch, j->ways[i]);
	free(j->ways);
	j->ways = NULL;
	j->nways = 0;
}

/* Something moved on the way to a program of a blocked rule. */
static void
program_changed(void *arg)
{
	job_recheck(arg);
}

/* Waits for a program: armed first, then judged once more. */
static void
block(struct job *j, const char *why, mono_t now)
{
	size_t i;
	char *path;

	dispatch_block(&j->world->dispatch, &j->state);
	say_state(j, now, why);
	j->ways = xcalloc(j->rule->nactions, sizeof(*j->ways));
	for (i = 0; i < j->rule->nactions; i++) {
		path = xasprintf("%s%s", j->world->root, j->rule->actions[i].argv.v[0]);
		j->ways[i] = watch_way_add(j->world->watch, path, program_changed, j);
		free(path);
	}
	j->nways = j->rule->nactions;
	job_recheck(j);
}

void
job_recheck(struct job *j)
{
	char resolved[PATH_MAX], why[TRUST_WHY_SIZE];
	mono_t now = mono_now();

	if (j->state.phase != PHASE_BLOCKED || choose(j, resolved, why) == NULL)
		return;
	drop_ways(j);
	dispatch_unblock(&j->world->dispatch, &j->state, now);
	say_state(j, now, "a program is there");
}

void
job_network(struct job *j)
{
	mono_t now = mono_now();

	if (!j->rule->policy.retry_on_network)
		return;
	dispatch_nudge(&j->world->dispatch, &j->state, now);
	say_state(j, now, "the network changed");
}

static bool
is_success(const struct rule *rule, int status)
{
	size_t i;

	for (i = 0; i < rule->nsuccess; i++)
		if (status >= 0 && rule->success[i] == (uint32_t)status)
			return true;
	return false;
}

/* Tells the guard's turning on and off. */
static void
say_guard(struct job *j)
{
	const struct dispatch_path *p = TAILQ_FIRST(&j->state.taken);
	bool guarded = dispatch_is_guarded(&j->state);

	if (guarded == j->said_guarded)
		return;
	j->said_guarded = guarded;
	if (guarded)
		log_warning("%s: seems to trigger itself: %s changes in every run, see "
			    "while-running",
		    j->rule->name, p != NULL ? jobpaths_name(p) : "a path");
	else
		log_info("%s: does not seem to trigger itself any more", j->rule->name);
}

/* Enters a finished run into the books. */
static void
book_run(struct job *j, bool ok, const char *error)
{
	cJSON *line;

	j->run.ended = realtime_ns();
	j->run.ok = ok;
	j->run.error = error != NULL ? xstrdup(error) : NULL;
	j->runs++;
	if (!ok)
		j->failed++;
	cJSON_Delete(j->last_run);
	j->last_run = run_to_json(&j->run, NULL);
	line = run_to_json(&j->run, j->rule->name);
	strv_push(&j->world->history, json_line(line));
	cJSON_Delete(line);
}

static void
run_ended(struct job *j, bool ok, const char *outcome, const char *error)
{
	mono_t now = mono_now();
	double sec = (double)mono_sub(now, j->state.started) / (double)MONO_SEC;
	char detail[TRUST_WHY_SIZE + 128];

	j->child = NULL;
	book_run(j, ok, error);
	dispatch_end(&j->world->dispatch, &j->state, ok, now);
	if (!dispatch_pending(&j->state))
		j->detected = 0;
	else if (ok)
		j->detected = j->run.ended;
	snprintf(detail, sizeof(detail), "run %s %s after %.2f s: %s", j->run.id,
	    ok ? "succeeded" : "failed", sec, outcome);
	say_state(j, now, detail);
	jobpaths_sweep(j->paths);
	save_later(j, true);
}

/* What came of a child, in words. */
static void
describe(const struct job *j, const struct spawn_result *result, char *out, size_t size)
{
	const char *what = j->verifying ? "verify: " : "";

	if (result->error != NULL)
		snprintf(out, size, "%s%s", what, result->error);
	else if (j->timed_out)
		snprintf(out, size, "%stook longer than its timeout", what);
	else if (result->signal != 0)
		snprintf(out, size, "%sended by signal %d (%s)", what, result->signal,
		    strsignal(result->signal));
	else
		snprintf(out, size, "%sexit status %d", what, result->exit_status);
}

/* Runs `verify`, which is part of the run that j->run is of. */
static void
start_verify(struct job *j)
{
	char program[PATH_MAX], why[TRUST_WHY_SIZE], error[TRUST_WHY_SIZE + 16];
	bool missing;

	j->verifying = true;
	if (judge(j, &j->rule->verify, program, &missing, why)) {
		run_command(j, &j->rule->verify, program);
		return;
	}
	snprintf(error, sizeof(error), "verify: %s", why);
	run_ended(j, false, error, error);
}

/* Runs the action. False: none can run. */
static bool
start_action(struct job *j, char why[TRUST_WHY_SIZE])
{
	char program[PATH_MAX];
	const struct command *c = choose(j, program, why);

	j->verifying = false;
	if (c == NULL)
		return false;
	run_command(j, c, program);
	return true;
}

/* `verify` is done: well, or the action's turn if it had gone first. */
static void
verified(struct job *j, bool ok, const struct spawn_result *result, const char *outcome)
{
	bool first = j->verify_first;
	char why[TRUST_WHY_SIZE];

	j->run.verify = result->exit_status;
	j->verify_first = false;
	if (!ok && first && !j->timed_out && result->error == NULL) {
		j->child = NULL;
		if (!start_action(j, why))
			run_ended(j, false, why, why);
		return;
	}
	/* The action has gone well in this run or an earlier one. */
	j->verify_first = !ok;
	run_ended(j, ok, outcome, ok || result->exit_status >= 0 ? NULL : outcome);
}

static void
child_done(void *arg, const struct spawn_result *result)
{
	struct job *j = arg;
	bool ok = result->error == NULL && !j->timed_out;
	char outcome[TRUST_WHY_SIZE + 16];

	describe(j, result, outcome, sizeof(outcome));
	if (j->verifying) {
		verified(j, ok && result->exit_status == 0, result, outcome);
		return;
	}
	ok = ok && is_success(j->rule, result->exit_status);
	j->run.exit = result->exit_status;
	j->run.signal = result->signal;
	if (ok && j->rule->verify.argv.n > 0)
		start_verify(j);
	else
		run_ended(j, ok, outcome,
		    result->error != NULL || j->timed_out ? outcome : NULL);
}

static struct child *
spawn(struct job *j, const struct command *c, const char *program, char *why, size_t size)
{
	const struct rule *rule = j->rule;
	struct strv env;
	struct child *child;
	char *directory = NULL;

	if (rule->directory != NULL)
		directory = xasprintf("%s%s", j->world->root, rule->directory);
	runenv_build(&env, rule, &j->state, jobpaths_name, j->run.id,
	    rule->user == NULL ? &j->world->user : NULL);
	child = spawn_start(j->world->spawner,
	    &(struct spawn_request){
		.program = program,
		.argv = c->argv.v,
		.envp = env.v,
		.user = rule->user,
		.group = rule->group,
		.directory = directory,
		.umask = rule->umask,
		.nice = rule->nice,
		.nice_set = rule->nice_set,
		.keep_awake = rule->keep_awake,
		.log_output = rule->log_output,
		.name = rule->name,
	    },
	    child_done, j, why, size);
	strv_clear(&env);
	free(directory);
	return child;
}

/* Spawns a command of the run. If that fails the run has ended. */
static void
run_command(struct job *j, const struct command *c, const char *program)
{
	char why[TRUST_WHY_SIZE], detail[2 * PATH_MAX];

	j->process[0] = '\0';
	j->child = spawn(j, c, program, why, sizeof(why));
	snprintf(detail, sizeof(detail), "run %s, pid %d, %s%s%s, attempt %u, %s",
	    j->run.id, j->child != NULL ? (int)spawn_pid(j->child) : 0, j->run.reason,
	    j->run.path != NULL ? " of " : "", j->run.path != NULL ? j->run.path : "",
	    (unsigned)j->run.attempt, program);
	say_state(j, mono_now(), detail);
	if (j->child == NULL)
		run_ended(j, false, why, why);
	else
		save_later(j, true);
}

/* Begins the record of the run that the state has just started. */
static void
begin_run(struct job *j)
{
	const struct dispatch_path *p = TAILQ_FIRST(&j->state.taken);

	run_clear(&j->run);
	snprintf(j->run.id, sizeof(j->run.id), "%" PRIx64 "-%" PRIu64, j->world->run_base,
	    ++j->world->nruns);
	j->run.reason = dispatch_reason_name(j->state.reason);
	j->run.attempt = j->state.attempt;
	j->run.path = p != NULL ? xstrdup(jobpaths_name(p)) : NULL;
	j->run.change = p != NULL ? dispatch_change_name(dispatch_telling_change(p)) : "";
	j->run.exit = j->run.verify = -1;
	j->run.started = realtime_ns();
	j->run.detected = j->detected != 0 ? j->detected : j->run.started;
	j->timed_out = false;
}

static void
start(struct job *j, mono_t now)
{
	char program[PATH_MAX], why[TRUST_WHY_SIZE];
	const struct command *c = choose(j, program, why);

	if (c == NULL) {
		block(j, why, now);
		return;
	}
	dispatch_start(&j->world->dispatch, &j->state, now);
	begin_run(j);
	say_guard(j);
	j->verify_first = j->verify_first && j->state.reason == REASON_RETRY;
	if (j->verify_first)
		start_verify(j);
	else
		run_command(j, c, program);
}

/* The group of a run left over gets a signal, if it is still that run's. */
static void
signal_left_over(struct job *j, int signo)
{
	char id[PLATFORM_ID_SIZE];

	if (platform_process_id(j->left_over, id) && strcmp(id, j->process) == 0)
		kill(-j->left_over, signo);
}

static void
stop_run(struct job *j, enum dispatch_step step)
{
	j->timed_out = true;
	if (j->left_over != 0)
		signal_left_over(j, step == STEP_TERM ? SIGTERM : SIGKILL);
	else if (step == STEP_TERM)
		spawn_terminate(j->child);
	else
		spawn_kill(j->child);
}

void
job_step(struct job *j, enum dispatch_step step, mono_t now)
{
	switch (step) {
	case STEP_LOOK:
		jobpaths_look(j->paths);
		if (dispatch_ready(&j->world->dispatch, &j->state, now))
			start(j, now);
		break;
	case STEP_CLOSE:
		jobpaths_look(j->paths);
		dispatch_close(&j->world->dispatch, &j->state, now);
		break;
	case STEP_TERM:
	case STEP_KILL:
		stop_run(j, step);
		break;
	case STEP_NONE:
		break;
	}
	say_state(j, now, "");
}

static void
left_over_gone(struct job *j, mono_t now)
{
	TAILQ_REMOVE(&j->world->left_over, j, left_over_link);
	j->left_over = 0;
	dispatch_lost(&j->world->dispatch, &j->state, now);
	say_state(j, now, "the run of an earlier daemon is over, and how is not known");
	save_later(j, true);
}

void
job_check_left_over(struct job_world *world, mono_t now)
{
	struct job *j, *next;
	char id[PLATFORM_ID_SIZE];

	for (j = TAILQ_FIRST(&world->left_over); j != NULL; j = next) {
		next = TAILQ_NEXT(j, left_over_link);
		if (!platform_process_id(j->left_over, id) || strcmp(id, j->process) != 0)
			left_over_gone(j, now);
	}
}

/* The run that a former life of the daemon has started, if any. */
static void
adopt(struct job *j, const struct record *known, mono_t now)
{
	char id[PLATFORM_ID_SIZE];

	if (known->pid == 0)
		return;
	if (j->world->boot[0] == '\0' || strcmp(known->boot, j->world->boot) != 0 ||
	    !platform_process_id(known->pid, id) || strcmp(id, known->process) != 0) {
		dispatch_lost(&j->world->dispatch, &j->state, now);
		return;
	}
	dispatch_adopt(
	    &j->world->dispatch, &j->state, realtime_ns() - known->started, now);
	j->left_over = known->pid;
	snprintf(j->process, sizeof(j->process), "%s", id);
	snprintf(j->run.id, sizeof(j->run.id), "%s", known->run);
	j->run.started = known->started;
	TAILQ_INSERT_TAIL(&j->world->left_over, j, left_over_link);
	say_state(j, now, "left over from an earlier daemon");
}

/* What a former life left of waits and counts. */
static void
restore(struct job *j, const struct record *known, mono_t now)
{
	int64_t real = realtime_ns();

	j->runs = known->runs;
	j->failed = known->failed;
	j->detected = known->detected;
	j->verify_first = known->verify_first;
	j->last_run = cJSON_Duplicate(known->last_run, true);
	dispatch_restore(&j->world->dispatch, &j->state,
	    &(struct dispatch_saved){
		.causes = j->rule->policy.at_start != START_NEVER ? known->causes : 0,
		.next_attempt = known->next_attempt,
		.failures = known->failures,
		.wait = known->wait <= WAIT_NOT ? (enum dispatch_wait)known->wait
						: WAIT_NORMAL,
		.shortened = known->shortened,
		.full = known->full,
		.has_ended = known->ended != 0,
		.has_base = known->succeeded != 0,
		.since_end = real - known->ended,
		.since_base = real - known->succeeded,
		.until_retry = known->retry_at - real,
		.retry_length = known->retry_length,
	    },
	    now);
}

/* A time of the other clock, as CLOCK_REALTIME. */
static int64_t
as_realtime(mono_t t, mono_t now)
{
	return realtime_ns() - mono_sub(now, t);
}

static void
record_run(const struct job *j, struct record *out)
{
	if (j->child == NULL && j->left_over == 0)
		return;
	out->pid = j->left_over != 0 ? j->left_over : spawn_pid(j->child);
	out->started = j->run.started;
	out->process = xstrdup(j->process);
	out->boot = xstrdup(j->world->boot);
	out->run = xstrdup(j->run.id);
}

void
job_save(struct job *j)
{
	const struct dispatch_rule *s = &j->state;
	mono_t now = mono_now();
	struct record r;

	heap_remove(&j->world->saves, &j->save);
	if (!j->rule->policy.enabled)
		return;
	r = (struct record){
		.rule = xstrdup(j->rule->name),
		.causes = s->causes | s->taken_causes,
		.next_attempt = s->next_attempt,
		.failures = s->failures,
		.wait = s->wait,
		.shortened = s->shortened,
		.full = !s->may_shorten,
		.verify_first = j->verify_first,
		.detected = j->detected,
		.ended = s->ended.ns != INT64_MIN ? as_realtime(s->ended, now) : 0,
		.succeeded = as_realtime(s->base, now),
		.retry_at = s->failures > 0 ? as_realtime(s->retry_at, now) : 0,
		.retry_length = s->retry_length,
		.runs = j->runs,
		.failed = j->failed,
		.last_run = j->last_run,
	};

	j->saved_at = now;
	if (j->child != NULL && j->process[0] == '\0')
		platform_process_id(spawn_pid(j->child), j->process);
	record_run(j, &r);
	jobpaths_record(j->paths, &r);
	store_put(j->world->store, &r);
	r.last_run = NULL;
	record_clear(&r);
}

void
job_save_later(struct job *j)
{
	save_later(j, true);
}

void
job_save_next(struct job_world *world)
{
	struct heap_node *n = heap_first(&world->saves);

	if (n != NULL)
		job_save((struct job *)(void *)((char *)n - offsetof(struct job, save)));
}

/* argv is logged once, here: it may hold what is not for every line. */
static void
say_loaded(const struct job *j)
{
	struct buf line = { NULL, 0, 0 };
	size_t i, k;

	for (i = 0; i < j->rule->nactions; i++) {
		line.len = 0;
		for (k = 0; k < j->rule->actions[i].argv.n; k++) {
			buf_adds(&line, k > 0 ? " " : "");
			rule_quote_word(&line, j->rule->actions[i].argv.v[k]);
		}
		log_info("%s: action: %s", j->rule->name, line.p);
	}
	buf_clear(&line);
}

static void
arm(struct job *j, const struct record *known)
{
	struct strv entries = { NULL, 0 };
	size_t i;

	for (i = 0; i < j->rule->watch.n; i++)
		strv_push(
		    &entries, xasprintf("%s%s", j->world->root, j->rule->watch.v[i]));
	jobpaths_load(j->paths, &entries, known);
	strv_clear(&entries);
}

/* No record, where one may have been lost: the rule counts as changed. */
static void
assume_changed(struct job *j, mono_t now)
{
	if (j->rule->policy.at_start != START_NEVER)
		dispatch_restore(&j->world->dispatch, &j->state,
		    &(struct dispatch_saved){ .causes = CAUSE_START }, now);
}

struct job *
job_new(struct job_world *world, struct rule *rule, struct dispatch_lock *lock,
    const struct record *known)
{
	struct job *j = xcalloc(1, sizeof(*j));
	mono_t now = mono_now();

	j->world = world;
	j->rule = rule;
	j->saved_at = mono_add(now, -SAVE_PAUSE_NS);
	dispatch_add(&world->dispatch, &j->state, &rule->policy, lock, now);
	j->paths = jobpaths_new(world->watch, &world->dispatch, &j->state, &paths_ops, j);
	say_loaded(j);
	j->said = rule->policy.enabled ? STATE_IDLE : STATE_DISABLED;
	if (!rule->policy.enabled)
		return j;
	if (known != NULL)
		restore(j, known, now);
	else if (store_is_damaged(world->store))
		assume_changed(j, now);
	arm(j, known);
	if (known != NULL)
		adopt(j, known, mono_now());
	return j;
}

void
job_free(struct job *j)
{
	if (j == NULL)
		return;
	dispatch_remove(&j->world->dispatch, &j->state);
	heap_remove(&j->world->saves, &j->save);
	if (j->left_over != 0)
		TAILQ_REMOVE(&j->world->left_over, j, left_over_link);
	drop_ways(j);
	jobpaths_free(j->paths);
	cJSON_Delete(j->last_run);
	run_clear(&j->run);
	rule_free(j->rule);
	free(j);
}

size_t
job_paths(const struct job *j)
{
	return jobpaths_count(j->paths);
}
