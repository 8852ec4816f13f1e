/* SPDX-License-Identifier: MIT */
/*
 * One run: the action and then `verify`, or `verify` first where only that failed
 * before; its environment, stopping it, and what is reported of it. A run that an
 * earlier daemon started is known by its process alone.
 */
#include "run/run.h"

#include <cJSON.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/number.h"
#include "base/visible.h"
#include "rules/keys.h"
#include "run/console.h"
#include "run/programs.h"
#include "run/spawn.h"
#include "trust/cmdline.h"

static void start_action(struct run *r);
static void start_verify(struct run *r);

void
run_next_id(struct runner *runner, char id[RUN_ID_SIZE])
{
	snprintf(id, RUN_ID_SIZE, "%" PRIx64 "-%" PRIu64, runner->base, ++runner->count);
}

/* The environment: built from nothing, so that none of the daemon's gets in. */

/* Sets NAME=value; one that is there already is replaced. */
static void
put(struct strv *env, char *owned)
{
	size_t i, len = strcspn(owned, "=") + 1;

	for (i = 0; i < env->n; i++) {
		if (strncmp(env->v[i], owned, len) != 0)
			continue;
		free(env->v[i]);
		env->v[i] = owned;
		return;
	}
	strv_push(env, owned);
}

/*
 * The changed paths, one per line, as far as they fit: those that the run answers;
 * between runs those that are owed.
 */
static void
put_paths(struct strv *env, const struct run *r)
{
	struct buf all = { NULL, 0, 0 }, one = { NULL, 0, 0 };
	const struct dispatch_path *p;
	bool in_run = r->phase != RUN_NONE;
	const char *path;
	unsigned omitted = 0;

	buf_adds(&all, "");
	for (p = in_run ? TAILQ_FIRST(&r->schedule->taken)
			: TAILQ_FIRST(&r->schedule->owed);
	     p != NULL;
	     p = in_run ? TAILQ_NEXT(p, taken_link) : TAILQ_NEXT(p, owed_link)) {
		path = r->ops->path_of(p);
		if (path == NULL) {
			omitted += r->ops->others_of(p);
			continue;
		}
		one.len = 0;
		buf_addvis(&one, path, strlen(path));
		if (all.len + one.len + 1 > RUN_PATHS_MAX) {
			omitted++;
			continue;
		}
		if (all.len > 0)
			buf_adds(&all, "\n");
		buf_add(&all, one.p, one.len);
	}
	put(env, xasprintf("WATCHPATHD_PATHS=%s", all.p));
	put(env, xasprintf("WATCHPATHD_PATHS_OMITTED=%u", omitted));
	buf_clear(&all);
	buf_clear(&one);
}

/* With `user` those of the user are added where the user is looked up. */
static void
build_environment(struct strv *out, const struct run *r, const struct rule *rule)
{
	const struct run_report *is = &r->report;
	size_t i;

	*out = (struct strv){ NULL, 0 };
	put(out, xstrdup("PATH=" TRUST_CLEAN_PATH));
	for (i = 0; rule->user == NULL && i < r->runner->user.n; i++)
		put(out, xstrdup(r->runner->user.v[i]));
	for (i = 0; i < rule->environment.n; i++)
		put(out, xstrdup(rule->environment.v[i]));
	put(out, xasprintf("WATCHPATHD_CONFIG=%s", r->runner->config));
	put(out, xasprintf("WATCHPATHD_ROOT=%s", r->runner->root));
	put(out, xasprintf("WATCHPATHD_RULE=%s", rule->name));
	put(out, xasprintf("WATCHPATHD_RUN=%s", is->id));
	put(out, xasprintf("WATCHPATHD_REASON=%s", is->reason != NULL ? is->reason : ""));
	put(out, xasprintf("WATCHPATHD_ATTEMPT=%u", (unsigned)is->attempt));
	put(out, xasprintf("WATCHPATHD_PATH=%s", is->path != NULL ? is->path : ""));
	put(out, xasprintf("WATCHPATHD_CHANGE=%s", is->change != NULL ? is->change : ""));
	put_paths(out, r);
}

/* Its commands. */

static void
ended(struct run *r, bool ok, const char *outcome, const char *error)
{
	r->phase = RUN_NONE;
	r->child = NULL;
	r->report.ended = realtime_ns();
	r->report.ok = ok;
	r->report.error = error != NULL ? xstrdup(error) : NULL;
	r->ops->ended(r->arg, ok, outcome);
}

/* A command cannot be started, and so the run has failed. */
static void
not_started(struct run *r, const char *why)
{
	bool verifying = r->phase == RUN_VERIFY;
	char error[TRUST_WHY_SIZE + 16];

	/* The action has gone well: a retry need not repeat it. */
	r->verify_first = verifying;
	snprintf(error, sizeof(error), "%s%s", verifying ? "verify: " : "", why);
	ended(r, false, error, error);
}

/* What became of a child, in words. */
static void
describe(const struct run *r, const struct spawn_result *result, char *out, size_t size)
{
	const char *what = r->phase == RUN_VERIFY ? "verify: " : "";
	size_t n = strlen(what);

	snprintf(out, size, "%s", what);
	spawn_describe(result, r->timed_out, out + n, size - n);
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

/* Where `verify` went first, a failure of it is the action's turn. */
static void
verified(struct run *r, bool ok, const struct spawn_result *result, const char *outcome)
{
	bool first = r->verify_first;

	r->report.verify = result->exit_status;
	r->verify_first = false;
	if (!ok && first && !r->timed_out && result->error == NULL) {
		start_action(r);
		return;
	}
	/* The action has gone well in this run or an earlier one. */
	r->verify_first = !ok;
	ended(r, ok, outcome, ok || result->exit_status >= 0 ? NULL : outcome);
}

static void
child_done(void *arg, const struct spawn_result *result)
{
	struct run *r = arg;
	const struct rule *rule = r->programs->rule;
	bool ok = result->error == NULL && !r->timed_out;
	char outcome[TRUST_WHY_SIZE + 16];

	describe(r, result, outcome, sizeof(outcome));
	if (r->phase == RUN_VERIFY) {
		verified(r, ok && result->exit_status == 0, result, outcome);
		return;
	}
	ok = ok && is_success(rule, result->exit_status);
	r->report.exit = result->exit_status;
	r->report.signal = result->signal;
	if (ok && rule->verify != NULL)
		start_verify(r);
	else
		ended(r, ok, outcome,
		    result->error != NULL || r->timed_out ? outcome : NULL);
}

struct child *
run_spawn_beside(struct run *r, const struct command *c, const char *program,
    uid_t console, const struct strv *more, struct log_rule *log, spawn_done_fn *done,
    void *arg, char why[TRUST_WHY_SIZE])
{
	const struct rule *rule = r->programs->rule;
	char *directory = NULL, *session = NULL, *user = NULL;
	struct strv env;
	struct child *child;
	size_t i;

	if (rule->directory != NULL)
		directory = xasprintf("%s%s", r->runner->root, rule->directory);
	if (console_is_for(rule)) {
		session = xasprintf("%s" CONSOLE_LAUNCHCTL, r->runner->root);
		user = xasprintf("%u", (unsigned)console);
	}
	build_environment(&env, r, rule);
	for (i = 0; i < more->n; i++)
		put(&env, xstrdup(more->v[i]));
	child = spawn_start(r->runner->spawner,
	    &(struct spawn_request){
		.program = program,
		.argv = c->argv.v,
		.envp = env.v,
		.user = user != NULL ? user : rule->user,
		.session = session,
		.group = rule->group,
		.directory = directory,
		.umask = rule->umask,
		.nice = rule->nice,
		.nice_set = rule->nice_set,
		.keep_awake = rule->keep_awake,
		.log_output = rule->log_output,
		.log = log,
	    },
	    done, arg, why, TRUST_WHY_SIZE);
	strv_clear(&env);
	free(session);
	free(user);
	free(directory);
	return child;
}

/* Spawns a command of the run. If that fails the run has ended. */
static void
run_command(
    struct run *r, enum run_phase phase, const struct command *c, const char *program)
{
	const struct strv nothing = { NULL, 0 };
	char why[TRUST_WHY_SIZE];

	r->phase = phase;
	r->process[0] = '\0';
	r->child = run_spawn_beside(
	    r, c, program, r->console, &nothing, r->log, child_done, r, why);
	r->ops->started(r->arg, program);
	if (r->child == NULL)
		not_started(r, why);
}

static void
start_verify(struct run *r)
{
	const struct command *c = r->programs->rule->verify;
	struct trust_verdict v = { .paths = NULL };

	r->phase = RUN_VERIFY;
	if (programs_judge(r->programs, c, &v))
		run_command(r, RUN_VERIFY, c, v.resolved);
	else
		not_started(r, v.why);
}

/* Runs the action after `verify`, which had gone first, has failed. */
static void
start_action(struct run *r)
{
	struct trust_verdict v = { .paths = NULL };
	const struct command *c = programs_choose(r->programs, &v);

	r->phase = RUN_ACTION;
	if (c != NULL)
		run_command(r, RUN_ACTION, c, v.resolved);
	else
		not_started(r, v.why);
}

static void
clear_report(struct run_report *is)
{
	free(is->path);
	free(is->error);
	*is = (struct run_report){ .exit = -1, .verify = -1 };
}

static void
begin_report(struct run *r, const char *id, enum dispatch_reason reason, int64_t detected)
{
	const struct dispatch_path *p = TAILQ_FIRST(&r->schedule->taken);
	struct run_report *is = &r->report;

	while (p != NULL && r->ops->path_of(p) == NULL)
		p = TAILQ_NEXT(p, taken_link);
	clear_report(is);
	if (id != NULL)
		snprintf(is->id, sizeof(is->id), "%s", id);
	else
		run_next_id(r->runner, is->id);
	is->reason = dispatch_reason_name(reason);
	is->attempt = r->schedule->attempt;
	is->path = p != NULL ? xstrdup(r->ops->path_of(p)) : NULL;
	is->change = p != NULL ? rule_change_name(r->ops->change_of(p)) : "";
	is->started = realtime_ns();
	is->detected = detected != 0 ? detected : is->started;
}

void
run_start(struct run *r, const struct command *c, const char *program, uid_t console,
    const char *id, enum dispatch_reason reason, int64_t detected)
{
	r->console = console;
	begin_report(r, id, reason, detected);
	r->began = mono_now();
	r->timed_out = false;
	/* The rule may name none any more: it was changed while no daemon was there. */
	r->verify_first = r->verify_first && reason == REASON_RETRY &&
			  r->programs->rule->verify != NULL;
	if (r->verify_first)
		start_verify(r);
	else
		run_command(r, RUN_ACTION, c, program);
}

/* Is the process of a run left over still that one? */
static bool
is_alive(const char *process, pid_t pid)
{
	char id[PLATFORM_ID_SIZE];

	return platform_process_id(pid, id) && strcmp(id, process) == 0;
}

void
run_stop(struct run *r, enum dispatch_step step)
{
	r->timed_out = true;
	if (r->phase != RUN_LEFT_OVER && step == STEP_TERM)
		spawn_terminate(r->child);
	else if (r->phase != RUN_LEFT_OVER)
		spawn_kill(r->child);
	else if (is_alive(r->process, r->left_over))
		kill(-r->left_over, step == STEP_TERM ? SIGTERM : SIGKILL);
}

double
run_seconds(const struct run *r)
{
	return (double)mono_sub(mono_now(), r->began) / (double)MONO_SEC;
}

pid_t
run_pid(const struct run *r)
{
	if (r->phase == RUN_LEFT_OVER)
		return r->left_over;
	return r->child != NULL ? spawn_pid(r->child) : 0;
}

const char *
run_process(struct run *r)
{
	if (r->process[0] == '\0' && r->child != NULL)
		platform_process_id(spawn_pid(r->child), r->process);
	return r->process;
}

bool
run_adopt(struct run *r, pid_t pid, const char *process, const char *boot, const char *id,
    int64_t started)
{
	if (r->runner->boot[0] == '\0' || strcmp(boot, r->runner->boot) != 0 ||
	    !is_alive(process, pid))
		return false;
	r->phase = RUN_LEFT_OVER;
	r->left_over = pid;
	snprintf(r->process, sizeof(r->process), "%s", process);
	snprintf(r->report.id, sizeof(r->report.id), "%s", id);
	r->report.started = started;
	return true;
}

bool
run_is_gone(struct run *r)
{
	if (is_alive(r->process, r->left_over))
		return false;
	r->phase = RUN_NONE;
	return true;
}

struct run *
run_new(struct runner *runner, struct programs *programs,
    const struct dispatch_rule *schedule, struct log_rule *log, const struct run_ops *ops,
    void *arg)
{
	struct run *r = xmalloc(sizeof(*r));

	*r = (struct run){
		.report = { .exit = -1, .verify = -1 },
		.runner = runner,
		.programs = programs,
		.schedule = schedule,
		.log = log,
		.ops = ops,
		.arg = arg,
	};
	return r;
}

void
run_free(struct run *r)
{
	if (r == NULL)
		return;
	clear_report(&r->report);
	free(r);
}

/* What is reported. */

static void
add_number(cJSON *o, const char *key, int n, int none)
{
	if (n == none)
		cJSON_AddNullToObject(o, key);
	else
		cJSON_AddNumberToObject(o, key, n);
}

cJSON *
run_report_json(const struct run_report *r, const char *rule)
{
	cJSON *o = cJSON_CreateObject();

	if (rule != NULL)
		json_add_text(o, "rule", rule);
	json_add_text(o, "run", r->id);
	json_add_text(o, "reason", r->reason);
	cJSON_AddNumberToObject(o, "attempt", r->attempt);
	json_add_text(o, "path", r->path);
	json_add_text(o, "change", r->path != NULL ? r->change : NULL);
	json_add_time(o, "detected", r->detected);
	json_add_time(o, "started", r->started);
	json_add_time(o, "ended", r->ended);
	add_number(o, "exit", r->exit, -1);
	add_number(o, "signal", r->signal, 0);
	add_number(o, "verify", r->verify, -1);
	json_add_text(o, "error", r->error);
	cJSON_AddBoolToObject(o, "ok", r->ok);
	return o;
}
