/* SPDX-License-Identifier: MIT */
/*
 * The other end of the socket: one request, one reply, and what that means for
 * whoever asked.
 */
#include "cmd/cmd_client.h"

#include <cJSON.h>
#include <signal.h>
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
	if (strlen(rule) >= SPELLING_MAX || !ask_rules(o->socket, &meant) || meant.known)
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
	cJSON *reply = ask(o->socket, request, &error);

	if (reply != NULL)
		return reply;
	*status = error.status;
	if (error.refused && rule != NULL)
		complain_of_rule(o, rule, error.why);
	else
		fprintf(stderr, "watchpathd: %s\n", error.why);
	if (error.status == EX_UNAVAILABLE)
		fputs("watchpathd: to start it: " HINT_START "; if it runs with another "
		      "socket, name it with --socket, --state or --root\n",
		    stderr);
	return NULL;
}

static void
begin(void)
{
	json_init();
	signal(SIGPIPE, SIG_IGN);
}

/* 0 where nothing is left over after the arguments; else it has said so. */
static int
count_arguments(int argc, int first, int min, int max, const char *usage)
{
	if (argc - first >= min && argc - first <= max)
		return 0;
	if (argc - first > max)
		fputs("watchpathd: too many arguments\n", stderr);
	fprintf(stderr, "usage: watchpathd %s\n", usage);
	return -1;
}

static void
print_status(cJSON *status, const char *rule)
{
	const char *root = json_get_string(status, "root");
	char *copy = root != NULL ? xstrdup(root) : NULL;
	struct table table;
	cJSON *rules;

	table_init(&table, stdout);
	table_hide_root(status, copy);
	free(copy);
	rules = cJSON_GetObjectItemCaseSensitive(status, "rules");
	if (rule != NULL)
		table_rule(&table, cJSON_GetArrayItem(rules, 0));
	else
		table_status(&table, status);
}

int
status_main(int argc, char **argv)
{
	static const char usage[] =
	    "status [--json] [--socket PATH] [--state DIR] [--root DIR] [RULE]";
	struct options o;
	const char *rule;
	cJSON *reply;
	char *line;
	int status = EX_OK, first;

	begin();
	first = options_parse(&o,
	    OPTION_JSON | OPTION_SOCKET | OPTION_STATE | OPTION_ROOT, usage, argc, argv);
	if (first == -1)
		return EX_USAGE;
	if (count_arguments(argc, first, 0, 1, usage) == -1) {
		options_clear(&o);
		return EX_USAGE;
	}
	rule = first < argc ? argv[first] : NULL;
	reply = ask_or_complain(&o, ask_request("status", rule), rule, &status);
	if (reply != NULL && o.json) {
		line = json_line(reply);
		fputs(line, stdout);
		free(line);
	} else if (reply != NULL) {
		print_status(reply, rule);
	}
	cJSON_Delete(reply);
	options_clear(&o);
	return status;
}

/* The run that was asked for, in the history: it ended a while ago. */
static void
find_run(void *arg, const cJSON *line)
{
	cJSON **wanted = arg;

	if (strcmp(
		json_get_string(line, "run") != NULL ? json_get_string(line, "run") : "",
		json_get_string(*wanted, "run")) == 0) {
		cJSON_Delete(*wanted);
		*wanted = cJSON_Duplicate(line, true);
	}
}

/* Says how the run went. */
static int
run_status(const char *rule, const cJSON *run)
{
	char *result;
	bool ok = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(run, "ok"));

	if (ok)
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
			status = run_status(
			    rule, cJSON_GetObjectItemCaseSensitive(reply, "last_run"));
		} else {
			status = look_up(o, rule, run, reply);
		}
		cJSON_Delete(reply);
	}
	free(said);
	return status;
}

int
trigger_main(int argc, char **argv)
{
	static const char usage[] =
	    "trigger [--wait] [--socket PATH] [--state DIR] [--root DIR] RULE";
	struct options o;
	const char *run;
	cJSON *reply;
	int status = EX_OK, first;

	begin();
	first = options_parse(&o,
	    OPTION_WAIT | OPTION_SOCKET | OPTION_STATE | OPTION_ROOT, usage, argc, argv);
	if (first == -1)
		return EX_USAGE;
	if (count_arguments(argc, first, 1, 1, usage) == -1) {
		options_clear(&o);
		return EX_USAGE;
	}
	reply = ask_or_complain(
	    &o, ask_request("trigger", argv[first]), argv[first], &status);
	run = reply != NULL ? json_get_string(reply, "run") : NULL;
	if (run != NULL) {
		puts(run);
		fflush(stdout);
		if (o.wait)
			status = wait_for(&o, argv[first], run);
	}
	cJSON_Delete(reply);
	options_clear(&o);
	return status;
}

/* What was refused, and what came of the rest. True: something was refused. */
static bool
print_reload(const cJSON *reply)
{
	const char *message, *done = json_get_string(reply, "done");
	const cJSON *refused = cJSON_GetObjectItemCaseSensitive(reply, "refused"), *item;
	char *place;

	cJSON_ArrayForEach(item, refused) {
		place = table_place(item);
		message = json_get_string(item, "message");
		fprintf(stderr, "%s: error: %s\n", place, message != NULL ? message : "");
		free(place);
	}
	if (done != NULL)
		puts(done);
	return cJSON_GetArraySize(refused) > 0;
}

int
reload_main(int argc, char **argv)
{
	static const char usage[] = "reload [--socket PATH] [--state DIR] [--root DIR]";
	struct options o;
	cJSON *reply;
	int status = EX_OK, first;

	begin();
	first = options_parse(
	    &o, OPTION_SOCKET | OPTION_STATE | OPTION_ROOT, usage, argc, argv);
	if (first == -1)
		return EX_USAGE;
	if (count_arguments(argc, first, 0, 0, usage) == -1) {
		options_clear(&o);
		return EX_USAGE;
	}
	reply = ask_or_complain(&o, ask_request("reload", NULL), NULL, &status);
	if (reply != NULL && print_reload(reply))
		status = EX_DATAERR;
	cJSON_Delete(reply);
	options_clear(&o);
	return status;
}
