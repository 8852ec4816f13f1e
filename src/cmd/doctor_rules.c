/* SPDX-License-Identifier: MIT */
/*
 * Rules that do not run, or would not. What is found here in the file system and
 * what the daemon says of a run are often the same: the sentence shows it.
 */
#include "cmd/doctor.h"

#include <cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "run/accounts.h"
#include "base/json.h"
#include "cmd/setup.h"
#include "rules/keys.h"
#include "cmd/table.h"

/* Programs. */

static bool
is_blocked(const struct setup *s, const char *name)
{
	return strcmp(json_string_of(map_get(&s->states, name), "state"), "blocked") == 0;
}

static const char *
why_none(const struct setup *s, const char *name)
{
	return is_blocked(s, name)
		   ? "no action can run: the rule is blocked until one can"
		   : "no action can run: the rule is blocked as soon as it should run";
}

/* A command may not run, or is not there; line is where the rule names it. */
static void
add_program(
    struct setup *s, const char *name, int line, const char *refusal, const char *why)
{
	enum trust_fault fault = trust_fault_of(refusal);
	bool missing = fault == FAULT_MISSING || fault == FAULT_QUOTES;
	char *otherwise = setup_otherwise(s, "program", setup_rule(s, name), line);
	char *all = xasprintf("%s%s", why, repair_caution(refusal));

	setup_add(s, missing ? KIND_RULES : KIND_TRUST, name, xstrdup(refusal), all,
	    repair_trust(&s->trust, refusal, otherwise));
	free(all);
	free(otherwise);
}

/* Several actions for whatever is there, and nothing is: one finding, with all. */
static void
add_uninstalled(struct setup *s, const struct rule *r)
{
	char *otherwise = setup_otherwise(s, "program", r, r->actions[0].line);
	struct buf cause = { NULL, 0, 0 };
	size_t i;

	buf_adds(&cause, "none of these is installed: ");
	for (i = 0; i < r->nactions; i++)
		buf_addf(&cause, "%s%s", i > 0 ? ", " : "", r->actions[i].argv.v[0]);
	setup_add(s, KIND_RULES, r->name, cause.p, why_none(s, r->name),
	    repair_by_hand("install one of them, or %s", otherwise));
	free(otherwise);
}

/* A missing action is as it should be while another runs; a refused one is not. */
static void
check_actions(struct setup *s, const struct rule *r)
{
	const struct command *refused;
	const struct judgement *j;
	size_t i;

	if (setup_choose(s, r, &refused) == NULL) {
		j = findings_judge(&s->check, r, refused);
		if (j->missing && r->nactions > 1)
			add_uninstalled(s, r);
		else
			add_program(
			    s, r->name, refused->line, j->why, why_none(s, r->name));
		return;
	}
	for (i = 0; i < r->nactions; i++) {
		j = findings_judge(&s->check, r, &r->actions[i]);
		if (!j->good && !j->missing)
			add_program(s, r->name, r->actions[i].line, j->why,
			    "another action of the rule runs in its place");
	}
}

/* A command beside the action; why: what follows if it cannot run. */
static void
check_command(
    struct setup *s, const struct rule *r, const struct command *c, const char *why)
{
	const struct judgement *j;

	if (c == NULL)
		return;
	j = findings_judge(&s->check, r, c);
	if (!j->good)
		add_program(s, r->name, c->line, j->why, why);
}

/* Accounts and directories. */

struct inquiry {
	struct setup *setup;
	const struct rule *rule;
};

static struct repair
repair_account(const struct inquiry *q, const char *key)
{
	struct setup *s = q->setup;
	char *otherwise = setup_otherwise(s, key, q->rule, rule_line(q->rule, key)),
	     *path, *word;
	struct repair r;
	struct stat st;

	path = xasprintf(
	    "%s%s", s->opt->root, q->rule->directory != NULL ? q->rule->directory : "");
	word = repair_quote(path, "");
	if (strcmp(key, "directory") == 0 && lstat(path, &st) == -1 && errno == ENOENT)
		r = repair_command(
		    "%sinstall -d -m 0755 %s", repair_sudo(&s->trust), word);
	else
		r = repair_by_hand("make the %s, or %s", key, otherwise);
	free(word);
	free(path);
	free(otherwise);
	return r;
}

static void
add_account(void *arg, const char *key, const char *text)
{
	const struct inquiry *q = arg;

	setup_add(q->setup, KIND_RULES, q->rule->name, xstrdup(text),
	    "every run of the rule fails", repair_account(q, key));
}

static void
check_open(struct setup *s, const struct rule *r, size_t nth)
{
	char *dir = findings_open_directory(&s->check, r, nth), *path, *word, *otherwise;
	struct finding f = { .kind = KIND_NOTES, .rule = r->name };
	struct stat st;

	if (dir == NULL)
		return;
	path = xasprintf("%s%s", s->opt->root, dir);
	word = repair_quote(path, "");
	otherwise = setup_otherwise(s, "path", r, r->watch[nth].line);
	f.subject = r->watch[nth].path;
	f.cause = xasprintf("everyone may write to %s/", path);
	f.why = "anybody can make the rule run, whenever they want";
	if (stat(path, &st) == 0 && (st.st_mode & S_ISVTX) == 0)
		f.repair = repair_command("%schmod o-w %s", repair_sudo(&s->trust), word);
	else
		f.repair = repair_by_hand(
		    "see that the action does no harm however often it runs, or %s",
		    otherwise);
	diagnosis_add(&s->diagnosis, f);
	free(otherwise);
	free(word);
	free(path);
	free(dir);
}

/* What the rule's file names, as it is now. */
static void
check_names(struct setup *s, const struct rule *r)
{
	struct inquiry q = { s, r };
	size_t i;

	check_actions(s, r);
	check_command(s, r, r->verify, "verify cannot run: every run of the rule fails");
	check_command(s, r, r->alert,
	    "the alert cannot run: nobody is alerted when the rule fails");
	accounts_check(r, s->opt->root, &s->remote, add_account, &q);
	for (i = 0; i < r->nwatch; i++)
		check_open(s, r, i);
}

/* What the daemon says. */

static const char *
why_failed(const cJSON *rule, const char *state)
{
	if (strcmp(state, "failed") == 0)
		return "no retry is left: only the next change or `trigger` runs it "
		       "again";
	if (json_is_true(rule, "pending"))
		return "it is tried again, and fails again until that is repaired";
	return "the next run may fail as well";
}

static struct repair
repair_failure(const struct setup *s, const char *name, const char *result)
{
	char *trigger = setup_command(s, "trigger --wait", name);
	const char *what = strstr(result, "longer than its timeout") != NULL
			       ? "let it wait for less, or take a longer `timeout`"
			       : "see in the log what it printed, and repair that";
	struct repair r = repair_by_hand("%s; to run it again: %s", what, trigger);

	free(trigger);
	return r;
}

/* The last run has failed, and no other finding says why. */
static void
add_failure(struct setup *s, const char *name, const char *state, const cJSON *rule,
    const cJSON *run)
{
	char *error = json_get_text(run, "error"), *result = table_result(run);
	const cJSON *argv = json_get(rule, "action");
	const char *program = cJSON_GetStringValue(cJSON_GetArrayItem(argv, 0));
	const char *which = "";

	if (program == NULL)
		program = "the action";
	if (strncmp(result, "verify: ", 8) == 0)
		which = "verify after ";
	if (error == NULL || !diagnosis_explains(&s->diagnosis, name, error))
		setup_add(s, KIND_RULES, name,
		    xasprintf("%s%s has failed: %s", which, program,
			which[0] != '\0' ? result + 8 : result),
		    why_failed(rule, state), repair_failure(s, name, result));
	free(result);
	free(error);
}

static void
add_loop(struct setup *s, const char *name, const char *problem)
{
	const struct rule *r = setup_rule(s, name);
	char *place =
	    r != NULL ? setup_place(s, r->file, r->line) : xstrdup("its rule file");

	setup_add(s, KIND_RULES, name, xstrdup(problem),
	    "it is run at ever longer intervals, and changes wait for that",
	    repair_by_hand("write `while-running = ignore` below %s, or do "
			   "not watch what the action writes",
		place));
	free(place);
}

/* It is found above why, unless its file or a program is another one by now. */
static void
add_blocked(struct setup *s, const char *name, const char *problem)
{
	const struct rule *r = setup_rule(s, name);
	const struct command *refused;

	if (r == NULL || setup_choose(s, r, &refused) != NULL)
		add_program(s, name, r != NULL ? r->line : 0, problem, why_none(s, name));
}

/* The alert ran, and failed: then nobody knows what it is there to say. */
static void
check_alert(struct setup *s, const char *name, const cJSON *rule)
{
	const cJSON *alert = cJSON_GetObjectItemCaseSensitive(rule, "alert");
	char *error = json_get_text(alert, "error");

	if (error != NULL && !diagnosis_explains(&s->diagnosis, name, error))
		setup_add(s, KIND_RULES, name,
		    xasprintf("its alert could not be delivered: %s", error),
		    cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(alert, "told"))
			? "nobody knows that the rule works again"
			: "nobody knows that the rule fails",
		    repair_by_hand("see in the log what it printed, and repair that: it "
				   "is run again after the next failure, or in an hour"));
	free(error);
}

static void
check_state(struct setup *s, const cJSON *rule)
{
	const char *name = json_get_string(rule, "name");
	const char *state = json_get_string(rule, "state");
	const cJSON *run = json_get(rule, "last_run");
	char *problem = json_get_text(rule, "problem");

	if (name == NULL || state == NULL || strcmp(state, "disabled") == 0) {
		free(problem);
		return;
	}
	if (is_blocked(s, name) && problem != NULL)
		add_blocked(s, name, problem);
	else if (cJSON_IsFalse(json_get(run, "ok")))
		add_failure(s, name, state, rule, run);
	if (problem != NULL && strncmp(problem, "seems to trigger itself", 23) == 0)
		add_loop(s, name, problem);
	check_alert(s, name, rule);
	free(problem);
}

void
doctor_check_rules(struct setup *s)
{
	const cJSON *rule;
	size_t i;

	for (i = 0; i < s->conf.nrules; i++)
		if (s->conf.rules[i]->policy.enabled)
			check_names(s, s->conf.rules[i]);
	cJSON_ArrayForEach(rule, json_get(s->status, "rules"))
		check_state(s, rule);
}
