/* SPDX-License-Identifier: MIT */
/*
 * JSON to text. All text from the daemon has been made harmless there; here it
 * is only laid out.
 */
#include "table.h"

#include <cJSON.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "mono.h"
#include "util.h"

#define WIDTH 80
#define NAME_WIDTH 24

enum colour { PLAIN, GREEN, YELLOW, RED };

static const char *
colour(FILE *out, enum colour c)
{
	static const char *const codes[] = {
		[PLAIN] = "\033[0m",
		[GREEN] = "\033[32m",
		[YELLOW] = "\033[33m",
		[RED] = "\033[31m",
	};
	const char *no = getenv("NO_COLOR");

	if (!isatty(fileno(out)) || (no != NULL && no[0] != '\0'))
		return "";
	return codes[c];
}

void
table_length(char out[TABLE_LENGTH_SIZE], int64_t ns)
{
	int64_t s = ns / MONO_SEC;

	if (ns < 0)
		snprintf(out, TABLE_LENGTH_SIZE, "0 s");
	else if (ns < 10 * MONO_SEC)
		snprintf(out, TABLE_LENGTH_SIZE, "%.1f s", (double)ns / (double)MONO_SEC);
	else if (s < 120)
		snprintf(out, TABLE_LENGTH_SIZE, "%" PRId64 " s", s);
	else if (s < 7200)
		snprintf(out, TABLE_LENGTH_SIZE, "%" PRId64 " min", s / 60);
	else if (s < 48 * 3600)
		snprintf(out, TABLE_LENGTH_SIZE, "%" PRId64 " h %" PRId64 " min",
		    s / 3600, s / 60 % 60);
	else
		snprintf(out, TABLE_LENGTH_SIZE, "%" PRId64 " d %" PRId64 " h", s / 86400,
		    s / 3600 % 24);
}

static const char *
text_of(const cJSON *o, const char *key)
{
	const char *s = json_get_string(o, key);

	return s != NULL ? s : "";
}

static double
number_of(const cJSON *o, const char *key)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsNumber(n) ? n->valuedouble : 0;
}

static bool
has_number(const cJSON *o, const char *key)
{
	return cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(o, key));
}

static bool
is_true(const cJSON *o, const char *key)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, key));
}

/* The time of a member; 0 if there is none. */
static int64_t
time_of(const cJSON *o, const char *key)
{
	int64_t ns;

	return parse_time(text_of(o, key), &ns) ? ns : 0;
}

char *
table_place(const cJSON *o)
{
	return place_dup(text_of(o, "file"), (int)number_of(o, "line"));
}

char *
table_result(const cJSON *run)
{
	if (is_true(run, "ok"))
		return xstrdup("ok");
	if (text_of(run, "error")[0] != '\0')
		return xstrdup(text_of(run, "error"));
	if (has_number(run, "signal"))
		return xasprintf("signal %d", (int)number_of(run, "signal"));
	if (has_number(run, "verify") && number_of(run, "verify") != 0)
		return xasprintf("verify: exit %d", (int)number_of(run, "verify"));
	if (has_number(run, "exit"))
		return xasprintf("exit %d", (int)number_of(run, "exit"));
	return xstrdup("failed");
}

/* The state, with what is left of the wait. */
static void
state_text(char *out, size_t size, const cJSON *rule)
{
	int64_t due = time_of(rule, "due");
	char left[TABLE_LENGTH_SIZE];

	if (due == 0) {
		snprintf(out, size, "%s", text_of(rule, "state"));
		return;
	}
	table_length(left, due - realtime_ns());
	snprintf(out, size, "%s %s", text_of(rule, "state"), left);
}

static enum colour
state_colour(const cJSON *rule)
{
	const char *state = text_of(rule, "state");

	if (strcmp(state, "failed") == 0 || strcmp(state, "blocked") == 0)
		return RED;
	if (strcmp(state, "running") == 0)
		return GREEN;
	if (strcmp(state, "retrying") == 0 || strcmp(state, "stopping") == 0 ||
	    text_of(rule, "problem")[0] != '\0')
		return YELLOW;
	return PLAIN;
}

/* Prints text in lines of at most WIDTH columns, each after an indent. */
static void
print_folded(FILE *out, const char *indent, const char *text)
{
	size_t room = WIDTH - strlen(indent), len;

	while (*text != '\0') {
		len = strlen(text);
		if (len > room) {
			len = room;
			while (len > 0 && text[len] != ' ')
				len--;
			if (len == 0)
				len = strcspn(text, " ");
		}
		fprintf(out, "%s%.*s\n", indent, (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
}

static void
print_rule_line(FILE *out, const cJSON *rule)
{
	const cJSON *last = cJSON_GetObjectItemCaseSensitive(rule, "last_run");
	char state[64], ago[TABLE_LENGTH_SIZE + 8] = "never", length[TABLE_LENGTH_SIZE];
	char *result = xstrdup("");

	state_text(state, sizeof(state), rule);
	if (cJSON_IsObject(last)) {
		table_length(length, realtime_ns() - time_of(last, "ended"));
		snprintf(ago, sizeof(ago), "%s ago", length);
		free(result);
		result = table_result(last);
	}
	if (strlen(text_of(rule, "name")) > NAME_WIDTH)
		fprintf(out, "%s\n%*s", text_of(rule, "name"), NAME_WIDTH, "");
	else
		fprintf(out, "%-*s", NAME_WIDTH, text_of(rule, "name"));
	fprintf(out, " %s%-20s%s %-18s %.15s\n", colour(out, state_colour(rule)), state,
	    colour(out, PLAIN), ago, result);
	if (text_of(rule, "problem")[0] != '\0')
		print_folded(out, "    ", text_of(rule, "problem"));
	free(result);
}

static void
print_list(FILE *out, const cJSON *list, const char *what)
{
	const cJSON *item;
	char *place, *text;

	cJSON_ArrayForEach(item, list) {
		place = table_place(item);
		if (cJSON_IsString(item))
			text = xasprintf("%s: %s", what, item->valuestring);
		else
			text = xasprintf(
			    "%s: %s: %s", what, place, text_of(item, "message"));
		print_folded(out, "", text);
		free(text);
		free(place);
	}
}

void
table_status(FILE *out, const cJSON *status)
{
	const cJSON *rules = cJSON_GetObjectItemCaseSensitive(status, "rules"), *rule;

	fprintf(out, "%-*s %-20s %-18s %s\n", NAME_WIDTH, "RULE", "STATE", "LAST RUN",
	    "RESULT");
	cJSON_ArrayForEach(rule, rules)
		print_rule_line(out, rule);
	if (cJSON_GetArraySize(rules) == 0)
		fprintf(out, "no rules in %s\n", text_of(status, "config"));
	print_list(out, cJSON_GetObjectItemCaseSensitive(status, "refused"), "refused");
	print_list(out, cJSON_GetObjectItemCaseSensitive(status, "warnings"), "warning");
}

static void
print_field(FILE *out, const char *name, const char *value)
{
	if (value[0] != '\0')
		fprintf(out, "%-12s %s\n", name, value);
}

static void
print_words(FILE *out, const char *name, const cJSON *list)
{
	struct buf line = { NULL, 0, 0 };
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
		buf_addf(&line, "%s%s", line.len > 0 ? " " : "", item->valuestring);
	print_field(out, name, line.p != NULL ? line.p : "");
	buf_clear(&line);
}

static void
print_paths(FILE *out, const cJSON *list)
{
	const char *name = "paths";
	const cJSON *p;

	cJSON_ArrayForEach(p, list) {
		fprintf(out, "%-12s %s: %s\n", name, text_of(p, "path"),
		    text_of(p, "error")[0] != '\0' ? text_of(p, "error")
						   : text_of(p, "state"));
		name = "";
	}
}

static void
print_last_run(FILE *out, const cJSON *run)
{
	char took[TABLE_LENGTH_SIZE], *result;

	if (!cJSON_IsObject(run)) {
		print_field(out, "last run", "never");
		return;
	}
	table_length(took, time_of(run, "ended") - time_of(run, "started"));
	result = table_result(run);
	fprintf(out, "%-12s %s, %s, attempt %d, took %s: %s\n", "last run",
	    text_of(run, "started"), text_of(run, "reason"),
	    (int)number_of(run, "attempt"), took, result);
	if (text_of(run, "path")[0] != '\0')
		fprintf(out, "%-12s %s of %s, noticed %s\n", "", text_of(run, "change"),
		    text_of(run, "path"), text_of(run, "detected"));
	free(result);
}

void
table_rule(FILE *out, const cJSON *rule)
{
	char state[64], *place = table_place(rule);

	state_text(state, sizeof(state), rule);
	print_field(out, "rule", text_of(rule, "name"));
	print_field(out, "description", text_of(rule, "description"));
	print_field(out, "file", place);
	free(place);
	fprintf(out, "%-12s %s%s%s%s\n", "state", colour(out, state_colour(rule)), state,
	    colour(out, PLAIN), is_true(rule, "pending") ? ", a change is pending" : "");
	print_field(out, "problem", text_of(rule, "problem"));
	if (number_of(rule, "attempt") > 0)
		fprintf(out, "%-12s %d\n", "attempt", (int)number_of(rule, "attempt"));
	print_words(out, "action", cJSON_GetObjectItemCaseSensitive(rule, "action"));
	print_paths(out, cJSON_GetObjectItemCaseSensitive(rule, "paths"));
	fprintf(out, "%-12s %.0f, %.0f failed\n", "runs", number_of(rule, "runs"),
	    number_of(rule, "failures"));
	print_last_run(out, cJSON_GetObjectItemCaseSensitive(rule, "last_run"));
}

void
table_history_heading(FILE *out)
{
	fprintf(out, "%-16s %-7s %-9s %-9s %-14s %s\n", "ENDED", "REASON", "DELAY",
	    "TOOK", "RESULT", "RULE");
}

void
table_history(FILE *out, const cJSON *run)
{
	char ago[TABLE_LENGTH_SIZE], when[TABLE_LENGTH_SIZE + 8],
	    delay[TABLE_LENGTH_SIZE];
	char took[TABLE_LENGTH_SIZE], *result = table_result(run);

	table_length(ago, realtime_ns() - time_of(run, "ended"));
	snprintf(when, sizeof(when), "%s ago", ago);
	table_length(delay, time_of(run, "started") - time_of(run, "detected"));
	table_length(took, time_of(run, "ended") - time_of(run, "started"));
	fprintf(out, "%-16s %-7s %-9s %-9s %s%-14.14s%s %s\n", when,
	    text_of(run, "reason"), delay, took,
	    colour(out, is_true(run, "ok") ? PLAIN : RED), result, colour(out, PLAIN),
	    text_of(run, "rule"));
	if (text_of(run, "path")[0] != '\0')
		fprintf(out, "    %s %s\n", text_of(run, "change"), text_of(run, "path"));
	free(result);
}
