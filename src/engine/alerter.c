/* SPDX-License-Identifier: MIT */
/*
 * Running the `alert` of a rule. It is no run: it has no lock, takes nothing that is
 * owed and is not repeated by `retry`; but it holds one of the daemon's slots, and
 * its outcome stands in the log and in the history.
 */
#include "engine/alerter.h"

#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/util.h"
#include "base/number.h"
#include "base/visible.h"
#include "rules/rule.h"
#include "run/console.h"
#include "run/programs.h"
#include "run/run.h"
#include "run/spawn.h"
#include "schedule/dispatch.h"
#include "state/history.h"
#include "trust/trust.h"

#define ROOM_PAUSE_NS MONO_SEC
#define KILL_AFTER_NS (5 * MONO_SEC)

struct alerter {
	LIST_ENTRY(alerter) link;
	struct alerters *all;
	struct run *run; /* NULL: the rule is gone, and its command still runs */
	const struct alerter_ops *ops;
	void *arg;
	char *name;
	struct log_rule log; /* the child's output counts here */
	struct alert alert;
	struct heap_node due;
	char *error;

	/* The command that runs, or ran. */
	struct child *child;
	mono_t began, limit; /* limit: it gets SIGTERM, then SIGKILL */
	bool timed_out;
	int64_t started;
	uint32_t failures;
};

static const struct rule *
rule_of(const struct alerter *t)
{
	return t->run->programs->rule;
}

static void
rearm(struct alerter *t)
{
	mono_t at = MONO_NEVER;

	if (t->child != NULL)
		at = t->limit;
	else if (t->run != NULL && rule_of(t)->alert != NULL)
		at = alert_deadline(&t->alert);
	if (mono_is_never(at))
		heap_remove(&t->all->due, &t->due);
	else
		heap_put(&t->all->due, &t->due, at);
}

static void
note(struct alerter *t, bool succeeded)
{
	struct alert_facts facts;

	if (t->run != NULL && rule_of(t)->alert != NULL && rule_of(t)->policy.enabled) {
		t->ops->facts(t->arg, succeeded, &facts);
		alert_note(&t->alert, &facts, mono_now());
	}
	rearm(t);
}

static void
destroy(struct alerter *t)
{
	heap_remove(&t->all->due, &t->due);
	LIST_REMOVE(t, link);
	log_rule_clear(&t->log);
	free(t->error);
	free(t->name);
	free(t);
}

/* The books. */

static void
add_history(const struct alerter *t, bool ok, const struct spawn_result *result,
    const char *error)
{
	cJSON *o = cJSON_CreateObject();

	json_add_text(o, "rule", t->name);
	json_add_text(o, "alert", alert_name(t->alert.running));
	cJSON_AddNumberToObject(o, "failures", t->failures);
	json_add_time(o, "started", t->started);
	json_add_time(o, "ended", realtime_ns());
	if (result->exit_status >= 0)
		cJSON_AddNumberToObject(o, "exit", result->exit_status);
	else
		cJSON_AddNullToObject(o, "exit");
	json_add_text(o, "error", error);
	cJSON_AddBoolToObject(o, "ok", ok);
	history_add(t->all->history, json_line(o));
	cJSON_Delete(o);
}

/* The command is over, or could not be started. */
static void
finish(struct alerter *t, const struct spawn_result *result)
{
	bool ok = !t->timed_out && result->exit_status == 0;
	char outcome[TRUST_WHY_SIZE + 16];
	double sec = (double)mono_sub(mono_now(), t->began) / (double)MONO_SEC;

	spawn_describe(result, t->timed_out, outcome, sizeof(outcome));
	log_at(ok ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
	    "%s: alert: %s, %s after %.2f s: %s", t->name, alert_name(t->alert.running),
	    ok ? "delivered" : "not delivered", sec, outcome);
	add_history(t, ok, result, ok || result->exit_status >= 0 ? NULL : outcome);
	t->child = NULL;
	dispatch_give_slot(t->all->dispatch);
	free(t->error);
	t->error = ok ? NULL : xstrdup(outcome);
	alert_end(&t->alert, ok, mono_now());
	if (t->run == NULL) {
		destroy(t);
		return;
	}
	note(t, false);
	t->ops->changed(t->arg);
}

static void
child_done(void *arg, const struct spawn_result *result)
{
	finish(arg, result);
}

static void
fail(struct alerter *t, const char *why)
{
	finish(t, &(struct spawn_result){ .exit_status = -1, .error = why });
}

/* Starting it. */

/* What it gets besides the environment of a run. */
static void
describe(struct alerter *t, struct strv *env)
{
	bool failing = t->alert.running == ALERT_FAILING;
	char *problem = failing ? t->ops->problem(t->arg) : xstrdup(""), *vis;

	vis = vis_dup(problem);
	strv_push(env, xasprintf("WATCHPATHD_STATE=%s", alert_name(t->alert.running)));
	strv_push(env, xasprintf("WATCHPATHD_FAILURES=%u", (unsigned)t->failures));
	strv_push(env, xasprintf("WATCHPATHD_ERROR=%s", vis));
	free(vis);
	free(problem);
}

static void
spawn(struct alerter *t, const char *program, uid_t console, char why[TRUST_WHY_SIZE])
{
	const struct rule *rule = rule_of(t);
	int64_t timeout = rule->policy.timeout_ms * MONO_MS;
	struct strv env = { NULL, 0 };

	describe(t, &env);
	log_rule_run(&t->log);
	t->child = run_spawn_beside(
	    t->run, rule->alert, program, console, &env, &t->log, child_done, t, why);
	t->limit = timeout > 0 ? mono_add(t->began, timeout) : MONO_NEVER;
	strv_clear(&env);
	if (t->child != NULL)
		log_info("%s: alert: %s, pid %d, %s", t->name,
		    alert_name(t->alert.running), (int)spawn_pid(t->child), program);
}

static void
start(struct alerter *t, mono_t now)
{
	struct trust_verdict v = { .paths = NULL };
	uid_t console = 0;

	if ((console_is_for(rule_of(t)) &&
		!console_user(t->run->runner->root, &console)) ||
	    !dispatch_take_slot(t->all->dispatch)) {
		alert_put_off(&t->alert, mono_add(now, ROOM_PAUSE_NS));
		rearm(t);
		return;
	}
	alert_start(&t->alert);
	t->began = now;
	t->started = realtime_ns();
	t->timed_out = false;
	t->failures = t->run->schedule->failures;
	if (programs_judge(t->run->programs, rule_of(t)->alert, &v))
		spawn(t, v.resolved, console, v.why);
	if (t->child == NULL)
		fail(t, v.why);
	else
		rearm(t);
}

/* It takes too long. */
static void
end_command(struct alerter *t, mono_t now)
{
	if (t->timed_out) {
		t->limit = MONO_NEVER;
		spawn_kill(t->child);
	} else {
		t->timed_out = true;
		t->limit = mono_add(now, KILL_AFTER_NS);
		spawn_terminate(t->child);
	}
	rearm(t);
}

static void
do_due(struct alerter *t, mono_t now)
{
	if (t->child != NULL) {
		end_command(t, now);
		return;
	}
	note(t, false);
	if (alert_next(&t->alert, now) != ALERT_NOTHING)
		start(t, now);
}

void
alerters_due(struct alerters *all, mono_t now)
{
	struct heap_node *n;

	while (!mono_before(now, heap_next(&all->due))) {
		n = heap_first(&all->due);
		do_due(CONTAINER_OF(n, struct alerter, due), now);
	}
}

mono_t
alerters_deadline(const struct alerters *all)
{
	return heap_next(&all->due);
}

void
alerters_clear(struct alerters *all)
{
	struct alerter *t, *next;

	for (t = LIST_FIRST(&all->all); t != NULL; t = next) {
		next = LIST_NEXT(t, link);
		destroy(t);
	}
}

struct alerter *
alerter_new(struct alerters *all, struct run *run, const char *name,
    const struct alerter_ops *ops, void *arg)
{
	struct alerter *t = xcalloc(1, sizeof(*t));

	t->all = all;
	t->run = run;
	t->ops = ops;
	t->arg = arg;
	t->name = xstrdup(name);
	log_rule_init(&t->log, t->name);
	alert_init(&t->alert, false);
	LIST_INSERT_HEAD(&all->all, t, link);
	return t;
}

void
alerter_free(struct alerter *t)
{
	if (t == NULL)
		return;
	t->run = NULL;
	if (t->child == NULL)
		destroy(t);
}

void
alerter_restore(struct alerter *t, bool raised)
{
	alert_init(&t->alert, raised);
}

void
alerter_note(struct alerter *t)
{
	if (t != NULL)
		note(t, false);
}

void
alerter_run_ended(struct alerter *t, bool ok)
{
	if (t == NULL)
		return;
	if (!ok)
		alert_run_failed(&t->alert, mono_now());
	note(t, ok);
}

void
alerter_stop(struct alerter *t)
{
	if (t != NULL && t->child == NULL)
		heap_remove(&t->all->due, &t->due);
}

bool
alerter_is_raised(const struct alerter *t)
{
	return t != NULL && t->alert.raised;
}

const char *
alerter_error(const struct alerter *t)
{
	return t != NULL ? t->error : NULL;
}
