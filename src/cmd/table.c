/* SPDX-License-Identifier: MIT */
/*
 * JSON to text. What it says is the daemon's; where it stands is decided by
 * columns.c, and here is only what is said of it and in which order.
 */
#include "cmd/table.h"

#include <cJSON.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/columns.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mono.h"
#include "base/util.h"
#include "base/number.h"

/* Longer names have a line of their own. */
#define NAME_WIDTH 24
/* Where the values of one rule begin, and what goes on below another line. */
#define FIELD_INDENT 13
#define INDENT 4
#define DAY_NS (86400 * MONO_SEC)

enum colour { PLAIN, GREEN, YELLOW, RED };

void
table_init(struct table *t, FILE *out)
{
	const char *no = getenv("NO_COLOR");

	columns_init();
	*t = (struct table){
		.out = out,
		.width = columns_of(out),
		.now = realtime_ns(),
		.colours = isatty(fileno(out)) && (no == NULL || no[0] == '\0'),
	};
}

static const char *
colour(const struct table *t, enum colour c)
{
	static const char *const codes[] = {
		[PLAIN] = "\033[0m",
		[GREEN] = "\033[32m",
		[YELLOW] = "\033[33m",
		[RED] = "\033[31m",
	};

	return t->colours ? codes[c] : "";
}

/* Can a path go on with c, or end before it? */
static bool
is_of_path(char c)
{
	return c != '\0' && strchr(" :;,'\"`()=", c) == NULL;
}

char *
table_without_root(const char *text, const char *root)
{
	struct buf out = { NULL, 0, 0 };
	size_t len = strlen(root), i = 0;

	buf_adds(&out, "");
	while (text[i] != '\0') {
		if (len > 0 && (i == 0 || !is_of_path(text[i - 1])) &&
		    strncmp(text + i, root, len) == 0 &&
		    (text[i + len] == '/' || !is_of_path(text[i + len]))) {
			i += len;
			buf_adds(&out, text[i] == '/' ? "" : "/");
		} else {
			buf_add(&out, text + i++, 1);
		}
	}
	return out.p;
}

void
table_hide_root(cJSON *o, const char *root)
{
	char *text;
	cJSON *item;

	if (root == NULL || root[0] == '\0')
		return;
	if (cJSON_IsString(o)) {
		text = table_without_root(o->valuestring, root);
		cJSON_free(o->valuestring);
		o->valuestring = text;
	}
	cJSON_ArrayForEach(item, o)
		table_hide_root(item, root);
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

static double
number_of(const cJSON *o, const char *key)
{
	const cJSON *n = json_get(o, key);

	return cJSON_IsNumber(n) ? n->valuedouble : 0;
}

/* The nearest one there is, as cJSON has it: the daemon may say anything. */
static int
int_of(const cJSON *o, const char *key)
{
	const cJSON *n = json_get(o, key);

	return cJSON_IsNumber(n) ? n->valueint : 0;
}

static bool
has_number(const cJSON *o, const char *key)
{
	return cJSON_IsNumber(json_get(o, key));
}

/* The time of a member; 0 if there is none. */
static int64_t
time_of(const cJSON *o, const char *key)
{
	int64_t ns;

	return parse_time(json_string_of(o, key), &ns) ? ns : 0;
}

char *
table_place(const cJSON *o)
{
	return place_dup(json_string_of(o, "file"), int_of(o, "line"));
}

char *
table_result(const cJSON *run)
{
	if (json_is_true(run, "ok"))
		return xstrdup("ok");
	if (json_string_of(run, "error")[0] != '\0')
		return xstrdup(json_string_of(run, "error"));
	if (has_number(run, "signal"))
		return xasprintf("signal %d", int_of(run, "signal"));
	if (has_number(run, "verify") && number_of(run, "verify") != 0)
		return xasprintf("verify: exit %d", int_of(run, "verify"));
	if (has_number(run, "exit"))
		return xasprintf("exit %d", int_of(run, "exit"));
	return xstrdup("failed");
}

/* How long ago that was. */
static char *
ago(const struct table *t, int64_t then)
{
	char length[TABLE_LENGTH_SIZE];

	table_length(length, t->now - then);
	return xasprintf("%s ago", length);
}

/* The state: with what is left of a wait, and how long the run has taken. */
static char *
state_text(const struct table *t, const cJSON *rule)
{
	const cJSON *run = json_get(rule, "current_run");
	const char *state = json_string_of(rule, "state");
	int64_t due = time_of(rule, "due");
	char length[TABLE_LENGTH_SIZE];

	if (cJSON_IsObject(run)) {
		table_length(length, t->now - time_of(run, "started"));
		return xasprintf("%s%s %s %s", state,
		    json_is_true(run, "left_over") ? " (left over)" : "",
		    strcmp(state, "stopping") == 0 ? "after" : "for", length);
	}
	if (due == 0)
		return xstrdup(state);
	table_length(length, due - t->now);
	return xasprintf("%s %s", state, length);
}

static enum colour
state_colour(const cJSON *rule)
{
	const char *state = json_string_of(rule, "state");

	if (strcmp(state, "failed") == 0 || strcmp(state, "blocked") == 0)
		return RED;
	if (strcmp(state, "running") == 0)
		return GREEN;
	if (strcmp(state, "retrying") == 0 || strcmp(state, "stopping") == 0 ||
	    json_string_of(rule, "problem")[0] != '\0')
		return YELLOW;
	return PLAIN;
}

/* The cells of a rule's line. */
enum { RULE, STATE, LAST, RESULT, CELLS };

static void
add_cells(const struct table *t, struct strv *cells, const cJSON *rule)
{
	const cJSON *last = json_get(rule, "last_run");
	bool ran = cJSON_IsObject(last);

	strv_push(cells, xstrdup(json_string_of(rule, "name")));
	strv_push(cells, state_text(t, rule));
	strv_push(cells, ran ? ago(t, time_of(last, "ended")) : xstrdup("never"));
	strv_push(cells, ran ? table_result(last) : xstrdup(""));
}

/* What there is to say of the line above. */
static void
print_below(const struct table *t, const char *lead, const char *text)
{
	char *whole;

	if (text[0] == '\0')
		return;
	whole = xasprintf("%s%s", lead, text);
	columns_fold(t->out, "", INDENT, whole, t->width);
	free(whole);
}

/* A name that is too long for its column stands above the rest. */
static void
print_line(const struct table *t, const struct column *columns, char *const *filled,
    const cJSON *rule)
{
	const char *cells[CELLS];

	memcpy(cells, filled, sizeof(cells));
	if (columns_width(cells[RULE]) > columns[RULE].width) {
		columns_fold(t->out, "", 0, cells[RULE], t->width);
		cells[RULE] = "";
	}
	columns_row(t->out, columns, CELLS, cells, STATE, colour(t, state_colour(rule)),
	    colour(t, PLAIN));
	print_below(t, "waits for ", json_string_of(rule, "waits_for"));
	print_below(t, "", json_string_of(rule, "problem"));
}

static void
print_rules(const struct table *t, const cJSON *rules)
{
	struct column columns[CELLS] = {
		[RULE] = { "RULE", NAME_WIDTH, 8, .most = NAME_WIDTH },
		[STATE] = { .title = "STATE", .enough = 24, .least = 9 },
		[LAST] = { .title = "LAST RUN", .enough = 18, .least = 8 },
		[RESULT] = { .title = "RESULT", .enough = 12, .least = 6 },
	};
	struct strv cells = { NULL, 0 };
	const cJSON *rule;
	size_t at = 0;

	cJSON_ArrayForEach(rule, rules)
		add_cells(t, &cells, rule);
	columns_begin(t->out, columns, CELLS, &cells, t->width);
	cJSON_ArrayForEach(rule, rules) {
		print_line(t, columns, cells.v + at, rule);
		at += CELLS;
	}
	strv_clear(&cells);
}

static void
print_list(const struct table *t, const cJSON *list, const char *what)
{
	const cJSON *item;
	char *place, *text;

	cJSON_ArrayForEach(item, list) {
		place = table_place(item);
		text = cJSON_IsString(item)
			   ? xstrdup(item->valuestring)
			   : xasprintf("%s: %s", place, json_string_of(item, "message"));
		columns_fold(t->out, what, INDENT, text, t->width);
		free(text);
		free(place);
	}
}

static size_t
count_state(const cJSON *rules, const char *state)
{
	const cJSON *rule;
	size_t n = 0;

	cJSON_ArrayForEach(rule, rules)
		n += strcmp(json_string_of(rule, "state"), state) == 0;
	return n;
}

/* When that was: by the clock, or the day where it is longer ago. */
static void
since_text(const struct table *t, char out[TIME_TEXT_SIZE], int64_t then)
{
	char text[TIME_TEXT_SIZE];

	format_time(text, then);
	if (t->now - then < DAY_NS)
		snprintf(out, TIME_TEXT_SIZE, "%.5sZ", text + 11);
	else
		snprintf(out, TIME_TEXT_SIZE, "%.10s", text);
}

/*
 * The line on top; where it does not fit, the rules are counted on the next one.
 * Capitals, so that grep(1) finds a state in the lines of rules alone.
 */
static void
print_summary(const struct table *t, const cJSON *status, const cJSON *rules)
{
	char since[TIME_TEXT_SIZE], *daemon, *counts, *line;

	since_text(t, since, time_of(status, "started"));
	daemon = xasprintf(
	    "watchpathd %s, up since %s", json_string_of(status, "version"), since);
	counts = xasprintf("Rules %d  Failed %zu  Blocked %zu  Running %zu",
	    cJSON_GetArraySize(rules), count_state(rules, "failed"),
	    count_state(rules, "blocked"), count_state(rules, "running"));
	line = xasprintf("%s  %s", daemon, counts);
	if (columns_width(line) <= t->width) {
		fprintf(t->out, "%s\n", line);
	} else {
		columns_fold(t->out, "", 0, daemon, t->width);
		columns_fold(t->out, "", 0, counts, t->width);
	}
	free(line);
	free(counts);
	free(daemon);
}

void
table_status(const struct table *t, const cJSON *status)
{
	const cJSON *rules = json_get(status, "rules");
	char *none;

	print_summary(t, status, rules);
	if (cJSON_GetArraySize(rules) == 0) {
		none = xasprintf("no rules in %s", json_string_of(status, "config"));
		columns_fold(t->out, "", 0, none, t->width);
		free(none);
	} else {
		print_rules(t, rules);
	}
	print_list(t, json_get(status, "refused"), "refused: ");
	print_list(t, json_get(status, "warnings"), "warning: ");
}

__attribute__((format(printf, 3, 4))) static void
print_field(const struct table *t, const char *name, const char *fmt, ...)
{
	va_list ap;
	char *value;

	va_start(ap, fmt);
	value = xvasprintf(fmt, ap);
	va_end(ap);
	if (value[0] != '\0')
		columns_fold(t->out, name, FIELD_INDENT, value, t->width);
	free(value);
}

/* A member as it is, if it is there. */
static void
print_text(const struct table *t, const char *name, const cJSON *rule, const char *key)
{
	print_field(t, name, "%s", json_string_of(rule, key));
}

static void
print_words(const struct table *t, const char *name, const cJSON *list)
{
	struct buf line = { NULL, 0, 0 };
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
		buf_addf(&line, "%s%s", line.len > 0 ? " " : "", item->valuestring);
	print_field(t, name, "%s", line.p != NULL ? line.p : "");
	buf_clear(&line);
}

const char *
table_path_state(const cJSON *path)
{
	const char *error = json_string_of(path, "error");

	return error[0] != '\0' ? error : json_string_of(path, "state");
}

/* A watch line, and below it what it stands for, unless that is the line itself. */
static void
print_entry(
    const struct table *t, const cJSON *entry, const struct map *paths, bool watched)
{
	const cJSON *matches = json_get(entry, "matches"), *m;
	const char *written = json_string_of(entry, "entry"),
		   *problem = json_string_of(entry, "problem");
	const cJSON *path = map_get(paths, written);
	char *text;

	if (problem[0] == '\0' && cJSON_GetArraySize(matches) == 1 && path != NULL)
		problem = table_path_state(path);
	else if (problem[0] == '\0' && cJSON_GetArraySize(matches) == 0 && watched)
		problem = "no match";
	print_field(
	    t, "watch", "%s%s%s", written, problem[0] != '\0' ? ": " : "", problem);
	cJSON_ArrayForEach(m, matches) {
		path = cJSON_IsString(m) ? map_get(paths, m->valuestring) : NULL;
		if (path == NULL || strcmp(m->valuestring, written) == 0)
			continue;
		text = xasprintf("%s: %s", m->valuestring, table_path_state(path));
		columns_fold(t->out, "", FIELD_INDENT + 2, text, t->width);
		free(text);
	}
}

static void
print_watch(const struct table *t, const cJSON *rule)
{
	bool watched = strcmp(json_string_of(rule, "state"), "disabled") != 0;
	struct map paths = { NULL, 0, 0 };
	const char *path;
	cJSON *item;

	cJSON_ArrayForEach(item, json_get(rule, "paths")) {
		path = json_string_of(item, "path");
		if (map_get(&paths, path) == NULL)
			map_put(&paths, path, item);
	}
	cJSON_ArrayForEach(item, json_get(rule, "watch"))
		print_entry(t, item, &paths, watched);
	map_clear(&paths);
}

/* settle, cooldown and every, as in the rule file, and when that is next. */
static void
print_times(const struct table *t, const cJSON *rule)
{
	int64_t next = time_of(rule, "next_every");
	char left[TABLE_LENGTH_SIZE];

	print_text(t, "settle", rule, "settle");
	print_text(t, "cooldown", rule, "cooldown");
	table_length(left, next - t->now);
	print_field(t, "every", "%s%s%s", json_string_of(rule, "every"),
	    next != 0 ? ", next in " : "", next != 0 ? left : "");
}

static void
print_last_run(const struct table *t, const cJSON *run)
{
	char took[TABLE_LENGTH_SIZE], *result;

	if (!cJSON_IsObject(run)) {
		print_field(t, "last run", "never");
		return;
	}
	table_length(took, time_of(run, "ended") - time_of(run, "started"));
	result = table_result(run);
	print_field(t, "last run", "%s, %s, attempt %d, took %s: %s",
	    json_string_of(run, "started"), json_string_of(run, "reason"),
	    int_of(run, "attempt"), took, result);
	free(result);
	if (json_string_of(run, "path")[0] != '\0')
		print_field(t, "", "%s of %s, noticed %s", json_string_of(run, "change"),
		    json_string_of(run, "path"), json_string_of(run, "detected"));
}

static void
print_state(const struct table *t, const cJSON *rule)
{
	const cJSON *run = json_get(rule, "current_run");
	struct buf text = { NULL, 0, 0 };
	char *state = state_text(t, rule);

	buf_adds(&text, state);
	if (cJSON_IsObject(run))
		buf_addf(&text, ", since %s, pid %d, run %s",
		    json_string_of(run, "started"), int_of(run, "pid"),
		    json_string_of(run, "run"));
	if (json_is_true(rule, "pending"))
		buf_adds(&text, ", a change is pending");
	fputs(colour(t, state_colour(rule)), t->out);
	print_field(t, "state", "%s", text.p);
	fputs(colour(t, PLAIN), t->out);
	buf_clear(&text);
	free(state);
}

static void
print_alert(const struct table *t, const cJSON *alert)
{
	const char *error = json_string_of(alert, "error");

	if (json_is_true(alert, "told"))
		print_field(t, "alert", "somebody was alerted that it fails");
	if (error[0] != '\0')
		print_field(t, "alert", "could not be delivered: %s", error);
}

void
table_rule(const struct table *t, const cJSON *rule)
{
	char *place = table_place(rule);

	print_text(t, "rule", rule, "name");
	print_text(t, "description", rule, "description");
	print_field(t, "file", "%s", place);
	print_state(t, rule);
	print_text(t, "waits for", rule, "waits_for");
	print_text(t, "problem", rule, "problem");
	if (number_of(rule, "attempt") > 0)
		print_field(t, "attempt", "%.0f", number_of(rule, "attempt"));
	print_words(t, "action", json_get(rule, "action"));
	print_watch(t, rule);
	print_times(t, rule);
	print_field(t, "runs", "%.0f, %.0f failed", number_of(rule, "runs"),
	    number_of(rule, "failures"));
	print_last_run(t, json_get(rule, "last_run"));
	print_alert(t, json_get(rule, "alert"));
	free(place);
}

/* The cells of a run's line. */
enum { ENDED, REASON, DELAY, TOOK, OUTCOME, OF, RUN_CELLS };

static void
add_run(const struct table *t, struct strv *cells, const cJSON *run)
{
	char delay[TABLE_LENGTH_SIZE], took[TABLE_LENGTH_SIZE];
	bool alert = json_string_of(run, "alert")[0] != '\0';

	table_length(delay, time_of(run, "started") - time_of(run, "detected"));
	table_length(took, time_of(run, "ended") - time_of(run, "started"));
	strv_push(cells, ago(t, time_of(run, "ended")));
	strv_push(cells, xstrdup(alert ? "alert" : json_string_of(run, "reason")));
	strv_push(cells, xstrdup(alert ? "-" : delay));
	strv_push(cells, xstrdup(took));
	strv_push(cells, table_result(run));
	strv_push(cells, xstrdup(json_string_of(run, "rule")));
}

/* A name that is too long for its column stands below, before the change. */
static void
print_run(const struct table *t, const struct column *columns, char *const *filled,
    const cJSON *run)
{
	const char *cells[RUN_CELLS], *below = "";
	char *change;

	memcpy(cells, filled, sizeof(cells));
	if (columns_width(cells[OF]) > columns[OF].width) {
		below = cells[OF];
		cells[OF] = "";
	}
	columns_row(t->out, columns, RUN_CELLS, cells, OUTCOME,
	    colour(t, json_is_true(run, "ok") ? PLAIN : RED), colour(t, PLAIN));
	print_below(t, "", below);
	change = xasprintf("%s ", json_string_of(run, "change"));
	print_below(t, change, json_string_of(run, "path"));
	print_below(t, "that it is ", json_string_of(run, "alert"));
	free(change);
}

void
table_history(const struct table *t, cJSON *const *runs, size_t n)
{
	struct column columns[RUN_CELLS] = {
		[ENDED] = { .title = "ENDED", .enough = 18, .least = 9 },
		[REASON] = { .title = "REASON", .enough = 7, .least = 6 },
		[DELAY] = { .title = "DELAY", .enough = 10, .least = 5 },
		[TOOK] = { .title = "TOOK", .enough = 10, .least = 5 },
		[OUTCOME] = { .title = "RESULT", .enough = 12, .least = 5 },
		[OF] = { "RULE", NAME_WIDTH, 4, .most = NAME_WIDTH },
	};
	struct strv cells = { NULL, 0 };
	size_t i;

	for (i = 0; i < n; i++)
		add_run(t, &cells, runs[i]);
	columns_begin(t->out, columns, RUN_CELLS, &cells, t->width);
	for (i = 0; i < n; i++)
		print_run(t, columns, cells.v + i * RUN_CELLS, runs[i]);
	strv_clear(&cells);
}
