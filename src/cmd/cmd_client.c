/* SPDX-License-Identifier: MIT */
/*
 * The other end of the socket: one request, one reply, and what that means for
 * whoever asked.
 */
#include "cmd/command.h"

#include <cJSON.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "cmd/ask.h"
#include "state/history.h"
#include "base/json.h"
#include "base/options.h"
#include "base/paths.h"
#include "base/spelling.h"
#include "cmd/table.h"
#include "base/util.h"

/* Between two questions of `trigger --wait`. */
#define ASK_AGAIN_NS 100000000

/* After a refusal: which rule was meant, if there is none of that name. */
static void
complain_of_rule(const struct options *o, const char *rule, const char *why)
{
	struct spelling meant;

	spelling_init(&meant, rule);
	if (strlen(rule) >= SPELLING_MAX || !ask_rules(o, &meant) || meant.known)
		fprintf(stderr, "watchpathd: %s\n", why);
	else if (meant.best[0] != '\0')
		fprintf(stderr, "watchpathd: %s: did you mean `%s`?\n", why, meant.best);
	else
		fprintf(stderr, "watchpathd: %s (`watchpathd status` lists them)\n", why);
}

/* The reply, or NULL: it has been said why, and *status is the exit status. */
static cJSON *
ask_or_complain(const struct options *o, cJSON *request, const char *rule, int *status)
{
	struct ask_error error;
	cJSON *reply = ask(o, request, &error);

	if (reply != NULL)
		return reply;
	*status = ask_status(&error);
	if (error.failure == ASK_REFUSED && rule != NULL)
		complain_of_rule(o, rule, error.why);
	else
		fprintf(stderr, "watchpathd: %s\n", error.why);
	if (error.failure == ASK_ABSENT)
		fputs("watchpathd: to start it: " HINT_START "; if it runs with another "
		      "socket, name it with --socket, --state or --root\n",
		    stderr);
	return NULL;
}

/* Paths as rules have them, where the daemon has a root. */
static void
hide_root(cJSON *status)
{
	char *copy = xstrdup(json_string_of(status, "root"));

	table_hide_root(status, copy);
	free(copy);
}

static void
print_status(cJSON *status, const char *rule)
{
	struct table table;
	cJSON *rules;

	table_init(&table, stdout);
	hide_root(status);
	rules = json_get(status, "rules");
	if (rule != NULL)
		table_rule(&table, cJSON_GetArrayItem(rules, 0));
	else
		table_status(&table, status);
}

/*
 * `status --brief`: the worst that there is to say, and how much else. A directory
 * of rules that is refused comes before what the daemon has trouble with, that
 * before files that are refused, and these before rules, because each can be the
 * cause of what comes after it.
 */

/* The first problem, and how many there are. */
struct worst {
	char *what; /* NULL: none */
	int n;
};

/* Takes what over. */
static void
add(struct worst *w, char *what)
{
	if (w->n++ == 0)
		w->what = what;
	else
		free(what);
}

/* Files that are refused; or the directory itself, which is why none can be read. */
static void
find_refused(struct worst *w, const cJSON *status, bool directory)
{
	const char *config = json_string_of(status, "config");
	const cJSON *item;
	char *place;

	cJSON_ArrayForEach(item, json_get(status, "refused")) {
		if ((strcmp(json_string_of(item, "file"), config) == 0) != directory)
			continue;
		place = table_place(item);
		add(w, xasprintf(
			   "%s is refused: %s", place, json_string_of(item, "message")));
		free(place);
	}
}

static void
find_problems(struct worst *w, const cJSON *status)
{
	const char *problem;
	const cJSON *item;

	find_refused(w, status, true);
	cJSON_ArrayForEach(item, json_get(status, "problems"))
		if (cJSON_IsString(item))
			add(w, xstrdup(item->valuestring));
	find_refused(w, status, false);
	cJSON_ArrayForEach(item, json_get(status, "rules")) {
		problem = json_get_string(item, "problem");
		if (problem != NULL)
			add(w,
			    xasprintf("%s: %s", json_get_string(item, "name"), problem));
	}
}

static int
print_brief(const cJSON *status)
{
	int rules = cJSON_GetArraySize(json_get(status, "rules"));
	struct worst w = { NULL, 0 };

	find_problems(&w, status);
	if (w.n == 0)
		printf("ok: %d %s\n", rules, rules == 1 ? "rule" : "rules");
	else if (w.n == 1)
		printf("problem: %s\n", w.what);
	else
		printf("problem: %s; and %d more\n", w.what, w.n - 1);
	free(w.what);
	return w.n == 0 ? EX_OK : EXIT_FAILURE;
}

/* Whatever there is to say, one line on stdout says it. */
static int
status_in_brief(const struct options *o, const char *rule)
{
	struct ask_error error;
	cJSON *reply = ask(o, ask_request("status", rule), &error);
	int status;

	if (reply == NULL) {
		printf("%s: %s\n",
		    error.failure >= ASK_ABSENT ? "not running" : "unknown", error.why);
		return ask_status(&error);
	}
	hide_root(reply);
	status = print_brief(reply);
	cJSON_Delete(reply);
	return status;
}

int
status_main(struct options *o, char **operands)
{
	const char *rule = operands[0];
	cJSON *reply;
	char *line;
	int status = EX_OK;

	if (options_has(o, OPTION_JSON) && options_has(o, OPTION_BRIEF))
		return options_refuse(o, "--json and --brief exclude each other");
	if (options_has(o, OPTION_BRIEF))
		return status_in_brief(o, rule);
	reply = ask_or_complain(o, ask_request("status", rule), rule, &status);
	if (reply != NULL && options_has(o, OPTION_JSON)) {
		line = json_line(reply);
		fputs(line, stdout);
		free(line);
	} else if (reply != NULL) {
		print_status(reply, rule);
	}
	cJSON_Delete(reply);
	return status;
}

/* The run that was asked for, in the history: it ended a while ago. */
static void
find_run(void *arg, const cJSON *line)
{
	cJSON **wanted = arg;

	if (strcmp(json_string_of(line, "run"), json_string_of(*wanted, "run")) == 0) {
		cJSON_Delete(*wanted);
		*wanted = cJSON_Duplicate(line, true);
	}
}

/* Says how the run went. */
static int
run_status(const char *rule, const cJSON *run)
{
	char *result;

	if (json_is_true(run, "ok"))
		return EX_OK;
	result = table_result(run);
	fprintf(stderr, "watchpathd: %s: the run failed: %s\n", rule, result);
	free(result);
	return EXIT_FAILURE;
}

/* The daemon does not know the run any more: the history may. */
static int
look_up(const struct options *o, const char *rule, const char *run, const cJSON *reply)
{
	const char *problem = json_get_string(reply, "problem");
	cJSON *wanted = cJSON_CreateObject();
	int status = EXIT_FAILURE;

	json_add_text(wanted, "run", run);
	history_read(o->state, rule, find_run, &wanted);
	if (cJSON_HasObjectItem(wanted, "ok"))
		status = run_status(rule, wanted);
	else
		fprintf(stderr, "watchpathd: %s: the run will not come%s%s\n", rule,
		    problem != NULL ? ": " : "", problem != NULL ? problem : "");
	cJSON_Delete(wanted);
	return status;
}

/* Says to who sits at a terminal what is waited for, when that is something new. */
static void
say_wait(const char *rule, const char *run, const cJSON *reply, char **said)
{
	const char *waits_for = json_get_string(reply, "waits_for");
	char *now = waits_for != NULL ? xasprintf("waits for %s", waits_for)
				      : xasprintf("run %s is going on", run);

	if (isatty(STDERR_FILENO) && (*said == NULL || strcmp(now, *said) != 0))
		fprintf(stderr, "watchpathd: %s: %s\n", rule, now);
	free(*said);
	*said = now;
}

/* Asks until the run has ended. */
static int
wait_for(const struct options *o, const char *rule, const char *run)
{
	const struct timespec pause = { 0, ASK_AGAIN_NS };
	const char *state;
	cJSON *request, *reply;
	char *said = NULL;
	int status = EX_OK;
	bool again = true;

	while (again) {
		request = ask_request("run", rule);
		json_add_text(request, "run", run);
		reply = ask_or_complain(o, request, rule, &status);
		if (reply == NULL)
			break;
		state = json_get_string(reply, "state");
		again = state != NULL &&
			(strcmp(state, "waiting") == 0 || strcmp(state, "running") == 0);
		if (again) {
			say_wait(rule, run, reply, &said);
			nanosleep(&pause, NULL);
		} else if (state != NULL && strcmp(state, "ended") == 0) {
			status = run_status(rule, json_get(reply, "last_run"));
		} else {
			status = look_up(o, rule, run, reply);
		}
		cJSON_Delete(reply);
	}
	free(said);
	return status;
}

int
trigger_main(struct options *o, char **operands)
{
	const char *rule = operands[0], *run;
	cJSON *reply;
	int status = EX_OK;

	reply = ask_or_complain(o, ask_request("trigger", rule), rule, &status);
	run = reply != NULL ? json_get_string(reply, "run") : NULL;
	if (run != NULL) {
		puts(run);
		fflush(stdout);
		if (options_has(o, OPTION_WAIT))
			status = wait_for(o, rule, run);
	}
	cJSON_Delete(reply);
	return status;
}

/* What was refused, and what came of the rest. True: something was refused. */
static bool
print_reload(const cJSON *reply)
{
	const char *done = json_get_string(reply, "done");
	const cJSON *refused = json_get(reply, "refused"), *item;
	char *place;

	cJSON_ArrayForEach(item, refused) {
		place = table_place(item);
		fprintf(
		    stderr, "%s: error: %s\n", place, json_string_of(item, "message"));
		free(place);
	}
	if (done != NULL)
		puts(done);
	return cJSON_GetArraySize(refused) > 0;
}

int
reload_main(struct options *o, char **operands)
{
	cJSON *reply;
	int status = EX_OK;

	(void)operands;
	reply = ask_or_complain(o, ask_request("reload", NULL), NULL, &status);
	if (reply != NULL && print_reload(reply))
		status = EX_DATAERR;
	cJSON_Delete(reply);
	return status;
}
