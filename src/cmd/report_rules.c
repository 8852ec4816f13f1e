/* SPDX-License-Identifier: MIT */
/*
 * The rules in a page of `report`: what each is doing, what it watches, and a
 * chart of its runs. Rules that have gone and have run are there too.
 */
#include "cmd/report.h"

#include <cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cmd/chart.h"
#include "cmd/html.h"
#include "cmd/table.h"

#define RUNS_LISTED 12
/* A pattern may stand for a thousand paths. */
#define PATHS_LISTED 20

static void
add_watch(cJSON *o, const struct rule *rule)
{
	cJSON *array = cJSON_AddArrayToObject(o, "watch"), *entry;
	size_t i;

	for (i = 0; i < rule->nwatch; i++) {
		entry = cJSON_CreateObject();
		json_add_text(entry, "entry", rule->watch[i].text);
		cJSON_AddItemToArray(array, entry);
	}
}

/* What a rule file says, in the words of a daemon that does not answer. */
static cJSON *
from_file(const struct rule *rule)
{
	cJSON *o = cJSON_CreateObject();

	json_add_text(o, "name", rule->name);
	json_add_text(o, "file", rule->file);
	cJSON_AddNumberToObject(o, "line", rule->line);
	json_add_text(o, "description", rule->description);
	json_add_text(o, "state", rule->policy.enabled ? "not known" : "disabled");
	if (rule->nactions > 0)
		json_add_list(o, "action", &rule->actions[0].argv);
	add_watch(o, rule);
	return o;
}

void
report_collect_rules(struct report *r)
{
	const struct setup *s = &r->setup;
	const cJSON *rules = json_get(s->status, "rules");
	size_t i;

	r->rules = rules != NULL ? cJSON_Duplicate(rules, true) : cJSON_CreateArray();
	for (i = 0; s->status == NULL && i < s->conf.nrules; i++)
		cJSON_AddItemToArray(r->rules, from_file(s->conf.rules[i]));
	table_hide_root(r->rules, s->opt->root);
}

/* Its class is the state, if that is one word. */
static void
add_state(struct buf *out, const cJSON *rule)
{
	const char *state = json_string_of(rule, "state");

	html_add(out, "<span class=\"state %s\">%s</span>", state, state);
}

static void
add_words(struct buf *out, const cJSON *words)
{
	const cJSON *word;
	bool first = true;

	cJSON_ArrayForEach(word, words) {
		if (cJSON_IsString(word))
			html_add(out, first ? "%s" : " %s", word->valuestring);
		first = false;
	}
}

static const cJSON *
find_named(const cJSON *list, const char *key, const char *name)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
		if (strcmp(json_string_of(item, key), name) == 0)
			return item;
	return NULL;
}

static void
add_line(struct buf *out, size_t n, const char *path, const char *state)
{
	html_add(out, n > 0 ? "<br><code>%s</code>" : "<code>%s</code>", path);
	html_add(out, " <span class=\"soft\">%s</span>", state);
}

/* The lines as they are written, and the paths that patterns among them stand for. */
static void
add_watched(struct buf *out, const cJSON *rule)
{
	const cJSON *watch = json_get(rule, "watch"), *paths = json_get(rule, "paths"),
		    *item;
	size_t n = 0;

	buf_adds(out, "<dt>watches</dt><dd>");
	cJSON_ArrayForEach(item, watch)
		add_line(out, n++, json_string_of(item, "entry"),
		    table_path_state(
			find_named(paths, "path", json_string_of(item, "entry"))));
	n = 0;
	cJSON_ArrayForEach(item, paths) {
		if (find_named(watch, "entry", json_string_of(item, "path")) != NULL)
			continue;
		if (n == 0)
			buf_adds(out, "</dd><dt>which are</dt><dd>");
		if (n++ < PATHS_LISTED)
			add_line(out, n - 1, json_string_of(item, "path"),
			    table_path_state(item));
	}
	if (n > PATHS_LISTED)
		html_add(out, "<br>and %zu more", n - PATHS_LISTED);
	buf_adds(out, "</dd>");
}

static void
add_facts(struct buf *out, const cJSON *rule)
{
	const char *waits_for = json_string_of(rule, "waits_for");
	char *place = table_place(rule);

	buf_adds(out, "<dl class=\"facts\">");
	if (waits_for[0] != '\0')
		html_add(out, "<dt>waits for</dt><dd>%s</dd>", waits_for);
	add_watched(out, rule);
	buf_adds(out, "<dt>runs</dt><dd><code>");
	add_words(out, json_get(rule, "action"));
	html_add(out, "</code></dd><dt>file</dt><dd><code>%s</code></dd></dl>\n", place);
	free(place);
}

static void
add_figure(struct buf *out, const char *name, int64_t ns)
{
	char text[TABLE_LENGTH_SIZE];

	table_length(text, ns);
	html_add(out, "<div><dt>%s</dt><dd>%s</dd></div>", name, text);
}

static void
add_figures(struct buf *out, const struct tally *tally)
{
	html_add(out,
	    "<dl class=\"figures\"><div><dt>runs</dt><dd>%zu</dd></div>"
	    "<div><dt>failed</dt><dd>%zu</dd></div>",
	    tally->n, tally->failures);
	if (tally->median >= 0) {
		add_figure(out, "from change to done, median", tally->median);
		add_figure(out, "worst", tally->worst);
	}
	buf_adds(out, "</dl>\n");
}

static void
add_run(struct buf *out, const struct report *r, const struct tally_run *run)
{
	char wait[TABLE_LENGTH_SIZE], delay[TABLE_LENGTH_SIZE];
	cJSON *line = cJSON_Duplicate(run->line, true);
	char *result;

	table_hide_root(line, r->setup.opt->root);
	result = table_result(line);
	table_length(wait, run->started - run->detected);
	table_length(delay, tally_delay(run));
	buf_adds(out, "<tr><td class=\"time\">");
	report_add_time(out, run->detected);
	html_add(out,
	    "</td><td class=\"time\">%s</td><td class=\"time\" data-of=\"start\">%s</td>"
	    "<td class=\"time\" data-of=\"done\">%s</td><td class=\"%s\">%s</td>"
	    "<td class=\"whole\"><code>%s</code></td></tr>\n",
	    json_string_of(line, "reason"), wait, delay, run->ok ? "ok" : "failed",
	    result, json_string_of(line, "path"));
	free(result);
	cJSON_Delete(line);
}

/* The newest on top. */
static void
add_last_runs(struct buf *out, const struct report *r, const struct tally *tally)
{
	size_t shown = tally->n > RUNS_LISTED ? RUNS_LISTED : tally->n, i;

	if (shown == 0)
		return;
	html_add(out,
	    "<details><summary>The last %zu</summary><table><thead><tr><th>Noticed</th>"
	    "<th>Why</th><th>Start after</th><th>Done after</th><th>Result</th>"
	    "<th>Path</th></tr></thead><tbody>\n",
	    shown);
	for (i = 0; i < shown; i++)
		add_run(out, r, &tally->runs[tally->n - 1 - i]);
	buf_adds(out, "</tbody></table></details>\n");
}

static void
add_past(struct buf *out, const struct report *r, const struct tally *tally)
{
	if (tally == NULL || tally->n == 0) {
		buf_adds(out, "<p class=\"soft\">It has not run so far.</p>\n");
		return;
	}
	add_figures(out, tally);
	chart_add_runs(out, tally);
	add_last_runs(out, r, tally);
}

static void
add_rule(struct buf *out, const struct report *r, const cJSON *rule)
{
	const char *name = json_string_of(rule, "name"),
		   *description = json_string_of(rule, "description"),
		   *problem = json_string_of(rule, "problem");

	html_add(out,
	    "<section class=\"card\" id=\"rule-%s\"><div class=\"head\">"
	    "<h3>%s</h3>",
	    name, name);
	add_state(out, rule);
	buf_adds(out, "</div>\n");
	if (description[0] != '\0')
		html_add(out, "<p class=\"soft\">%s</p>\n", description);
	if (problem[0] != '\0')
		html_add(out, "<p class=\"problem\">%s</p>\n", problem);
	add_facts(out, rule);
	add_past(out, r, tallies_get(&r->past, name));
	buf_adds(out, "</section>\n");
}

/* The newest run, as the history has it. */
static void
add_last_run(struct buf *out, const struct tally *tally)
{
	const struct tally_run *last = &tally->runs[tally->n - 1];
	char *result = table_result(last->line);

	report_add_time(out, last->ended);
	html_add(
	    out, "</td><td class=\"%s\">%s</td><td>", last->ok ? "ok" : "failed", result);
	chart_add_bars(out, tally);
	free(result);
}

static void
add_row(struct buf *out, const struct report *r, const cJSON *rule)
{
	const char *name = json_string_of(rule, "name");
	const struct tally *tally = tallies_get(&r->past, name);

	html_add(out, "<tr><td class=\"whole\"><a href=\"#rule-%s\">%s</a></td><td>",
	    name, name);
	add_state(out, rule);
	buf_adds(out, "</td><td class=\"time\">");
	if (tally != NULL && tally->n > 0)
		add_last_run(out, tally);
	else
		buf_adds(out, "never</td><td></td><td>");
	buf_adds(out, "</td></tr>\n");
}

/* All rules at a glance; one alone needs no list. */
static void
add_list(struct buf *out, const struct report *r)
{
	const cJSON *rule;

	if (cJSON_GetArraySize(r->rules) < 2)
		return;
	buf_adds(out, "<div class=\"card\"><table><thead><tr><th>Rule</th><th>State</th>"
		      "<th>Last run</th><th>Result</th><th>Last runs</th></tr></thead>"
		      "<tbody>\n");
	cJSON_ArrayForEach(rule, r->rules)
		add_row(out, r, rule);
	buf_adds(out, "</tbody></table></div>\n");
}

void
report_add_rules(struct buf *out, const struct report *r)
{
	const cJSON *rule;
	size_t i;

	buf_adds(out, "<h2>Rules</h2>\n");
	if (r->history_why != NULL)
		html_add(out,
		    "<p class=\"card problem\">The history cannot be read: %s</p>\n",
		    r->history_why);
	if (cJSON_GetArraySize(r->rules) == 0)
		buf_adds(out, "<p class=\"card soft\">No rule is in force.</p>\n");
	add_list(out, r);
	cJSON_ArrayForEach(rule, r->rules)
		add_rule(out, r, rule);
	for (i = 0; i < r->past.n; i++) {
		if (find_named(r->rules, "name", r->past.all[i]->rule) != NULL)
			continue;
		html_add(out,
		    "<section class=\"card\"><div class=\"head\"><h3>%s</h3>"
		    "<span class=\"state\">no longer in force</span></div>\n",
		    r->past.all[i]->rule);
		add_past(out, r, r->past.all[i]);
		buf_adds(out, "</section>\n");
	}
}
