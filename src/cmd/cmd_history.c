/* SPDX-License-Identifier: MIT */
/*
 * What ran, as a table, as JSON lines, or summed up by rule: how long it took
 * from noticing a change to a finished run.
 */
#include "cmd/command.h"

#include <cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cmd/ask.h"
#include "cmd/columns.h"
#include "rules/conf.h"
#include "state/history.h"
#include "base/json.h"
#include "base/options.h"
#include "base/paths.h"
#include "base/spelling.h"
#include "state/place.h"
#include "state/store.h"
#include "cmd/table.h"
#include "cmd/tally.h"
#include "base/util.h"
#include "base/visible.h"

#define RUNS_SHOWN 20
#define BARS 24

/* The lines that are to be printed: the newest N, in a ring. */
struct recent {
	cJSON **lines;
	size_t size, n;
};

static void
recent_add(void *arg, const cJSON *line)
{
	struct recent *r = arg;
	cJSON **slot = &r->lines[r->n++ % r->size];

	cJSON_Delete(*slot);
	*slot = cJSON_Duplicate(line, true);
}

/* The lines in the order of time, for the caller to free; the ring keeps them. */
static cJSON **
in_order(const struct recent *r, size_t *n)
{
	size_t first = r->n > r->size ? r->n - r->size : 0, i;
	cJSON **lines = xcalloc(r->size, sizeof(cJSON *));

	*n = r->n - first;
	for (i = 0; i < *n; i++)
		lines[i] = r->lines[(first + i) % r->size];
	return lines;
}

static void
print_json(cJSON *const *lines, size_t n)
{
	char *line;
	size_t i;

	for (i = 0; i < n; i++) {
		line = json_line(lines[i]);
		fputs(line, stdout);
		free(line);
	}
}

static void
print_recent(const struct recent *r, const struct options *o)
{
	char *root = vis_dup(o->root);
	struct table table;
	size_t n, i;
	cJSON **lines = in_order(r, &n);

	if (options_has(o, OPTION_JSON)) {
		print_json(lines, n);
	} else {
		for (i = 0; i < n; i++)
			table_hide_root(lines[i], root);
		table_init(&table, stdout);
		table_history(&table, lines, n);
	}
	free(lines);
	free(root);
}

/* A bar for each of the last n runs, the highest for the worst; x: it failed. */
static char *
bars_of(const struct tally *tally, size_t n)
{
	static const char *const blocks[] = { "\u2581", "\u2582", "\u2583", "\u2584",
		"\u2585", "\u2586", "\u2587", "\u2588" };
	static const char *const ascii[] = { "_", ".", ":", "-", "=", "+", "*", "#" };
	const char *const *bars = columns_are_utf8() ? blocks : ascii;
	const struct tally_run *end = tally->runs + tally->n, *run;
	const struct tally_run *first = tally->n > n ? end - n : tally->runs;
	struct buf out = { NULL, 0, 0 };
	int64_t worst = 1;

	for (run = first; run < end; run++)
		if (run->ok && tally_delay(run) > worst)
			worst = tally_delay(run);
	buf_adds(&out, "");
	for (run = first; run < end; run++)
		buf_adds(&out, run->ok ? bars[tally_delay(run) * 7 / worst] : "x");
	return out.p;
}

enum { RUNS, FAILED, MEDIAN, WORST, LAST, CELLS };

/* What is said of a rule; the bars are cut to what fits when that is known. */
static void
add_cells(struct strv *cells, const struct tally *tally)
{
	char median[TABLE_LENGTH_SIZE] = "-", worst[TABLE_LENGTH_SIZE] = "-";

	if (tally->median >= 0) {
		table_length(median, tally->median);
		table_length(worst, tally->worst);
	}
	strv_push(cells, xasprintf("%zu", tally->n));
	strv_push(cells, xasprintf("%zu", tally->failures));
	strv_push(cells, xstrdup(median));
	strv_push(cells, xstrdup(worst));
	strv_push(cells, bars_of(tally, BARS));
}

/* Rows below the names of their rules. */
static void
print_sums(const struct tallies *s)
{
	struct column columns[CELLS] = {
		[RUNS] = { "RUNS", 4, 4, .right = true, .gap = 2 },
		[FAILED] = { "FAILED", 6, 6, .right = true },
		[MEDIAN] = { "MEDIAN", 11, 5, .right = true },
		[WORST] = { "WORST", 11, 5, .right = true },
		[LAST] = { .title = "LAST RUNS", .enough = 5, .least = 5 },
	};
	struct strv cells = { NULL, 0 };
	char **row;
	size_t i;

	for (i = 0; i < s->n; i++)
		add_cells(&cells, s->all[i]);
	puts("RULE");
	columns_begin(stdout, columns, CELLS, &cells, columns_of(stdout));
	for (i = 0; i < s->n; i++) {
		row = cells.v + i * CELLS;
		free(row[LAST]);
		row[LAST] = bars_of(s->all[i], columns[LAST].width);
		puts(s->all[i]->rule);
		columns_row(
		    stdout, columns, CELLS, (const char *const *)row, CELLS, "", "");
	}
	strv_clear(&cells);
}

static void
try_line(void *arg, const cJSON *line)
{
	spelling_try(arg, json_get_string(line, "rule"));
}

/* Sections of rule files that are refused, too: a version of them may have run. */
static void
try_files(struct spelling *meant, const struct options *o)
{
	struct conf c = { .rules = NULL };
	size_t i;

	(void)conf_read_dir(&c, o->config, NULL);
	for (i = 0; i < c.sections.cap; i++)
		if (c.sections.slots[i].key != NULL)
			spelling_try(meant, c.sections.slots[i].key);
	conf_clear(&c);
}

/* Looks for it among all that have run, have a state, are in force or in a file. */
static int
find_rule(const struct options *o, const char *rule)
{
	struct spelling meant;
	char *visible;

	spelling_init(&meant, rule);
	(void)history_read(o->state, NULL, try_line, &meant);
	(void)history_read_state(o->state, try_line, &meant);
	if (!meant.known && !ask_rules(o, &meant))
		try_files(&meant, o);
	if (meant.known)
		return EX_OK;
	visible = vis_dup(rule);
	if (meant.best[0] != '\0')
		fprintf(stderr,
		    "watchpathd: no rule %s is known, nor a run of it: did you mean "
		    "`%s`?\n",
		    visible, meant.best);
	else
		fprintf(stderr, "watchpathd: no rule %s is known, nor a run of it\n",
		    visible);
	free(visible);
	return EXIT_FAILURE;
}

/* There is no run to show: a word on why, or an error. */
static int
explain_nothing(const struct options *o, const char *rule)
{
	char *usual = xasprintf("%s%s", o->root, PATH_STATE);
	bool given = strcmp(o->state, usual) != 0;
	int status = EX_OK;

	free(usual);
	if (given && !store_exists(o->state)) {
		fprintf(stderr, "watchpathd: %s: no daemon has kept its state there\n",
		    o->state);
		return EXIT_FAILURE;
	}
	if (rule != NULL)
		status = find_rule(o, rule);
	if (status == EX_OK && !options_has(o, OPTION_JSON))
		puts("no runs yet");
	return status;
}

static int
complain(const struct options *o)
{
	fprintf(stderr, "watchpathd: %s/history.jsonl: %s%s\n", o->state, strerror(errno),
	    errno == EACCES ? " (try sudo)" : "");
	return errno == EACCES ? EX_NOPERM : EXIT_FAILURE;
}

/* Where others can write, what is said to have run can be anything. */
static bool
may_be_read(const struct options *o)
{
	const struct trust trust = { .root = o->root, .owner = geteuid() };
	char why[TRUST_WHY_SIZE];
	enum place place = place_judge(&trust, o->state, why);

	if (place != PLACE_BAD && place != PLACE_OPEN)
		return true;
	/* Then there is another sentence for it. */
	if (access(o->state, X_OK) == -1 && errno == EACCES)
		return true;
	fprintf(stderr, "watchpathd: no place for a history: %s\n", why);
	return false;
}

static int
show_summary(const struct options *o, const char *rule)
{
	struct tallies sums = { .n = 0 };
	int status = EX_OK;

	if (history_read(o->state, rule, tallies_add, &sums) == -1) {
		status = complain(o);
	} else if (sums.n == 0) {
		status = explain_nothing(o, rule);
	} else {
		tallies_finish(&sums);
		print_sums(&sums);
	}
	tallies_clear(&sums);
	return status;
}

static int
show_recent(const struct options *o, const char *rule)
{
	size_t size = o->number != 0 ? o->number : RUNS_SHOWN, i;
	struct recent recent = { .lines = xcalloc(size, sizeof(cJSON *)), .size = size };
	int status = EX_OK;

	if (history_read(o->state, rule, recent_add, &recent) == -1)
		status = complain(o);
	else if (recent.n == 0)
		status = explain_nothing(o, rule);
	else
		print_recent(&recent, o);
	for (i = 0; i < size; i++)
		cJSON_Delete(recent.lines[i]);
	free(recent.lines);
	return status;
}

int
history_main(struct options *o, char **operands)
{
	if (options_has(o, OPTION_JSON) && options_has(o, OPTION_SUMMARY))
		return options_refuse(o, "--json and --summary exclude each other");
	if (!may_be_read(o))
		return EXIT_FAILURE;
	columns_init();
	return options_has(o, OPTION_SUMMARY) ? show_summary(o, operands[0])
					      : show_recent(o, operands[0]);
}
