/* SPDX-License-Identifier: MIT */
/*
 * What clients may ask, and the answers. The status is made in pieces, so that ten
 * thousand rules do not hold up a dispatch; between two pieces anything may change,
 * so nothing is remembered but names.
 */
#include "serve/answer.h"

#include <cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rules/conf.h"
#include "serve/control.h"
#include "schedule/dispatch.h"
#include "engine/job.h"
#include "engine/paths.h"
#include "base/json.h"
#include "rules/rule.h"
#include "engine/ruleset.h"
#include "run/run.h"
#include "base/util.h"
#include "base/number.h"
#include "watch/watch.h"

struct status {
	const struct answers *a;
	struct strv names;
	cJSON *warnings; /* found so far */
	char *done;      /* NULL: nothing */
	size_t next;
	bool any;
};

static void
add_path(void *arg, const char *path, const char *state, const char *error)
{
	cJSON *o = cJSON_CreateObject();

	json_add_text(o, "path", path);
	json_add_text(o, "state", state);
	json_add_text(o, "error", error);
	cJSON_AddItemToArray(arg, o);
}

/* The run in progress; the reason of one left over is unknown. */
static void
add_current_run(cJSON *o, const struct job_info *info)
{
	const struct run_report *run = info->run;
	cJSON *r;

	if (run == NULL) {
		cJSON_AddNullToObject(o, "current_run");
		return;
	}
	r = cJSON_AddObjectToObject(o, "current_run");
	json_add_text(r, "run", run->id);
	json_add_text(r, "reason", run->reason);
	json_add_text(r, "path", run->path);
	json_add_text(r, "change", run->path != NULL ? run->change : NULL);
	json_add_time(r, "started", run->started);
	cJSON_AddNumberToObject(r, "pid", info->pid);
	cJSON_AddBoolToObject(r, "left_over", info->left_over);
}

static void
add_match(void *arg, const char *path, const char *state, const char *error)
{
	(void)state;
	(void)error;
	json_push_text(arg, path);
}

/* The watch lines as they are written, each with the paths that it stands for. */
static void
add_watch(cJSON *o, const struct job *j, const char *root)
{
	const struct rule *rule = job_rule(j);
	cJSON *list = cJSON_AddArrayToObject(o, "watch"), *e;
	char *entry, *problem;
	size_t i;

	for (i = 0; i < rule->nwatch; i++) {
		e = cJSON_CreateObject();
		json_add_text(e, "entry", rule->watch[i].path);
		entry = xasprintf("%s%s", root != NULL ? root : "", rule->watch[i].path);
		problem = jobpaths_entry(
		    job_paths(j), entry, add_match, cJSON_AddArrayToObject(e, "matches"));
		json_add_text(e, "problem", problem);
		cJSON_AddItemToArray(list, e);
		free(problem);
		free(entry);
	}
}

/* As rule files have it; 0 is null unless zero is a value. */
static void
add_duration(cJSON *o, const char *key, int64_t ms, bool zero)
{
	char text[32];

	format_duration(text, sizeof(text), ms);
	json_add_text(o, key, ms != 0 || zero ? text : NULL);
}

static void
add_alert(cJSON *o, const struct job_info *info)
{
	cJSON *alert;

	if (info->rule->alert == NULL) {
		cJSON_AddNullToObject(o, "alert");
		return;
	}
	alert = cJSON_AddObjectToObject(o, "alert");
	cJSON_AddBoolToObject(alert, "told", info->alerted);
	json_add_text(alert, "error", info->alert_error);
}

static cJSON *
rule_json(const struct job *j, const char *root)
{
	cJSON *o = cJSON_CreateObject();
	char *problem = job_problem(j), *waits_for = job_waits_for(j);
	struct job_info info;

	job_inform(j, &info);
	json_add_text(o, "name", info.rule->name);
	json_add_text(o, "file", info.rule->file);
	cJSON_AddNumberToObject(o, "line", info.rule->line);
	json_add_text(o, "description", info.rule->description);
	json_add_text(o, "state", dispatch_state_name(info.state));
	cJSON_AddBoolToObject(o, "pending", info.pending);
	cJSON_AddNumberToObject(o, "attempt", info.attempt);
	json_add_time(o, "due", info.due);
	json_add_text(o, "waits_for", waits_for);
	json_add_text(o, "problem", problem);
	json_add_list(o, "action", info.argv);
	add_watch(o, j, root);
	jobpaths_each(job_paths(j), add_path, cJSON_AddArrayToObject(o, "paths"));
	add_duration(o, "settle", info.rule->policy.settle_ms, true);
	add_duration(o, "cooldown", info.rule->policy.cooldown_ms, true);
	add_duration(o, "every", info.rule->policy.every_ms, false);
	json_add_time(o, "next_every", info.every);
	add_current_run(o, &info);
	add_alert(o, &info);
	cJSON_AddNumberToObject(o, "runs", (double)info.runs);
	cJSON_AddNumberToObject(o, "failures", (double)info.failures);
	cJSON_AddItemToObject(o, "last_run",
	    info.last_run != NULL ? cJSON_Duplicate(info.last_run, true)
				  : cJSON_CreateNull());
	free(waits_for);
	free(problem);
	return o;
}

static void
add_json(struct buf *out, cJSON *o)
{
	char *text = cJSON_PrintUnformatted(o);

	buf_adds(out, text);
	free(text);
	cJSON_Delete(o);
}

/* Begins the object: all members before the rules. */
static void
add_head(const struct status *s, struct buf *out)
{
	cJSON *o = cJSON_CreateObject();

	json_add_text(o, "version", VERSION);
	cJSON_AddNumberToObject(o, "pid", getpid());
	json_add_time(o, "started", s->a->started);
	json_add_text(o, "config", s->a->config);
	json_add_text(o, "root", s->a->root);
	if (s->done != NULL)
		json_add_text(o, "done", s->done);
	add_json(out, o);
	/* The brace at its end is written after the rules. */
	out->len--;
	buf_adds(out, ",\"rules\":[");
}

static void
add_warning(cJSON *warnings, const char *file, int line, const char *what)
{
	char *place = place_dup(file, line), *text;

	text = xasprintf("%s: %s", place, what);
	json_push_text(warnings, text);
	free(text);
	free(place);
}

/* The warnings of a rule whose problem is shown already. */
struct found {
	cJSON *warnings;
	const char *problem; /* or NULL */
};

static void
add_finding(void *arg, const struct rule *rule, int line, const char *text)
{
	struct found *f = arg;

	if (f->problem == NULL || strcmp(f->problem, text) != 0)
		add_warning(f->warnings, rule->file, line, text);
}

/* Judged now: what was true at the load may not be true any more. */
static void
add_findings(struct status *s, struct job *j)
{
	char *problem = job_problem(j);
	struct found found = { s->warnings, problem };
	const struct job_world *world = s->a->rules->world;
	struct findings f = {
		.trust = &world->trust,
		.root = world->runner.root,
		.remote = watch_remote(world->watch),
	};

	job_findings(j, &f, true, add_finding, &found);
	findings_clear(&f);
	free(problem);
}

/* Ends the object: what was refused, problems and warnings. */
static void
add_tail(struct status *s, struct buf *out)
{
	cJSON *refused = cJSON_CreateArray(), *problems = cJSON_CreateArray();
	cJSON *warnings = s->warnings, *o;
	const struct ruleset *rs = s->a->rules;
	const char *const *problem;
	size_t i;

	for (problem = s->a->problems; *problem != NULL; problem++) {
		cJSON_AddItemToArray(problems, cJSON_CreateString(*problem));
		cJSON_AddItemToArray(warnings, cJSON_CreateString(*problem));
	}
	for (i = 0; i < rs->ndiags; i++) {
		if (rs->diags[i].severity == DIAG_ERROR) {
			o = cJSON_CreateObject();
			json_add_text(o, "file", rs->diags[i].file);
			cJSON_AddNumberToObject(o, "line", rs->diags[i].line);
			json_add_text(o, "message", rs->diags[i].message);
			cJSON_AddItemToArray(refused, o);
			continue;
		}
		add_warning(
		    warnings, rs->diags[i].file, rs->diags[i].line, rs->diags[i].message);
	}
	buf_adds(out, "],\"refused\":");
	add_json(out, refused);
	buf_adds(out, ",\"problems\":");
	add_json(out, problems);
	buf_adds(out, ",\"warnings\":");
	add_json(out, warnings);
	s->warnings = NULL;
	buf_adds(out, "}\n");
}

static bool
status_more(void *state, struct buf *out)
{
	struct status *s = state;
	struct job *j;

	if (s->next == 0)
		add_head(s, out);
	if (s->next < s->names.n) {
		j = ruleset_find(s->a->rules, s->names.v[s->next++]);
		if (j != NULL) {
			buf_adds(out, s->any ? "," : "");
			add_json(out, rule_json(j, s->a->root));
			add_findings(s, j);
			s->any = true;
		}
		if (s->next < s->names.n)
			return true;
	}
	add_tail(s, out);
	return false;
}

static void
status_free(void *state)
{
	struct status *s = state;

	strv_clear(&s->names);
	cJSON_Delete(s->warnings);
	free(s->done);
	free(s);
}

static struct status *
begin(struct control_reply *reply, const struct answers *a)
{
	struct status *s = xcalloc(1, sizeof(*s));

	s->a = a;
	s->warnings = cJSON_CreateArray();
	*reply = (struct control_reply){ status_more, status_free, s };
	return s;
}

static struct job *
asked_rule(const struct answers *a, const cJSON *request, struct control_reply *reply)
{
	char *name = json_get_text(request, "rule");
	struct job *j = name != NULL ? ruleset_find(a->rules, name) : NULL;

	if (name == NULL)
		control_reply_error(reply, "the request names no rule");
	else if (j == NULL)
		control_reply_error(reply, "there is no rule %s", name);
	free(name);
	return j;
}

static void
reply_object(struct control_reply *reply, cJSON *o)
{
	control_reply_text(reply, json_line(o));
	cJSON_Delete(o);
}

/* Of one rule, or of all. */
static void
answer_status(const struct answers *a, const cJSON *request, struct control_reply *reply)
{
	char *name = json_get_text(request, "rule");
	struct status *s;
	size_t i;

	if (name == NULL) {
		s = begin(reply, a);
		for (i = 0; i < a->rules->n; i++)
			strv_push(&s->names, xstrdup(job_rule(a->rules->jobs[i])->name));
	} else if (asked_rule(a, request, reply) != NULL) {
		strv_push(&begin(reply, a)->names, xstrdup(name));
	}
	free(name);
}

static void
answer_trigger(const struct answers *a, const cJSON *request, struct control_reply *reply)
{
	struct job *j = asked_rule(a, request, reply);
	const char *why, *run;
	cJSON *o;

	if (j == NULL)
		return;
	if (a->stopping) {
		control_reply_error(reply, "the daemon is stopping");
		return;
	}
	run = job_trigger(j, &why);
	if (run == NULL) {
		control_reply_error(reply, "%s cannot run: %s", job_rule(j)->name, why);
		return;
	}
	o = cJSON_CreateObject();
	json_add_text(o, "run", run);
	reply_object(reply, o);
}

/* What became of a run that was asked for. */
static void
answer_run(const struct answers *a, const cJSON *request, struct control_reply *reply)
{
	static const char *const names[] = {
		[PROMISE_WAITING] = "waiting",
		[PROMISE_RUNNING] = "running",
		[PROMISE_ENDED] = "ended",
		[PROMISE_UNKNOWN] = "unknown",
	};
	struct job *j = asked_rule(a, request, reply);
	const char *run = json_get_string(request, "run");
	enum job_promise promise;
	struct job_info info;
	char *problem, *waits_for;
	cJSON *o;

	if (j == NULL)
		return;
	if (run == NULL) {
		control_reply_error(reply, "the request names no run");
		return;
	}
	job_inform(j, &info);
	promise = job_promise(j, run);
	problem = job_problem(j);
	waits_for = job_waits_for(j);
	if (promise == PROMISE_WAITING && waits_for == NULL)
		waits_for = xstrdup("the run before it to end");
	o = cJSON_CreateObject();
	json_add_text(o, "state", names[promise]);
	json_add_text(o, "waits_for", promise == PROMISE_WAITING ? waits_for : NULL);
	json_add_text(o, "problem", problem);
	if (info.last_run != NULL)
		cJSON_AddItemToObject(
		    o, "last_run", cJSON_Duplicate(info.last_run, true));
	reply_object(reply, o);
	free(waits_for);
	free(problem);
}

/* The status without any rule, and with a sentence on what was done. */
static void
answer_reload(const struct answers *a, const cJSON *request, struct control_reply *reply)
{
	char *changes = a->reload(a->daemon);

	(void)request;
	begin(reply, a)->done = xasprintf(
	    "%zu rule%s in force: %s", a->rules->n, a->rules->n == 1 ? "" : "s", changes);
	free(changes);
}

void
answer(void *arg, const cJSON *request, struct control_reply *reply)
{
	static const struct {
		const char *name;
		void (*fn)(const struct answers *, const cJSON *, struct control_reply *);
	} commands[] = {
		{ "status", answer_status },
		{ "trigger", answer_trigger },
		{ "run", answer_run },
		{ "reload", answer_reload },
	};
	const char *name = json_get_string(request, "command");
	size_t i;

	for (i = 0; i < NELEM(commands); i++)
		if (name != NULL && strcmp(name, commands[i].name) == 0) {
			commands[i].fn(arg, request, reply);
			return;
		}
	control_reply_error(
	    reply, "there is no command %s", name != NULL ? name : "named");
}
