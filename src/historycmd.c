/* SPDX-License-Identifier: MIT */
/*
 * What ran, as a table, as JSON lines, or summed up by rule: how long it took
 * from noticing a change to a finished run.
 */
#include "historycmd.h"

#include <cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "history.h"
#include "json.h"
#include "map.h"
#include "options.h"
#include "table.h"
#include "util.h"

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

static void
print_recent(const struct recent *r, bool json)
{
	size_t first = r->n > r->size ? r->n - r->size : 0, i;
	char *line;

	if (r->n == 0 && !json)
		puts("no runs yet");
	if (r->n > 0 && !json)
		table_history_heading(stdout);
	for (i = first; i < r->n; i++) {
		if (!json) {
			table_history(stdout, r->lines[i % r->size]);
			continue;
		}
		line = json_line(r->lines[i % r->size]);
		fputs(line, stdout);
		free(line);
	}
}

/* The runs of one rule, summed up. */
struct sum {
	char *rule;
	size_t runs, failures;
	int64_t *delays; /* from noticing to the end of a run that went well */
	size_t n;
	int64_t last[BARS]; /* likewise, of the last runs; -1: it failed */
};

struct sums {
	struct map by_rule;
	struct sum **all;
	size_t n;
};

static struct sum *
sum_for(struct sums *s, const char *rule)
{
	struct sum *sum = map_get(&s->by_rule, rule);

	if (sum != NULL)
		return sum;
	sum = xcalloc(1, sizeof(*sum));
	sum->rule = xstrdup(rule);
	map_put(&s->by_rule, sum->rule, sum);
	s->all = xreallocarray(s->all, s->n + 1, sizeof(struct sum *));
	s->all[s->n++] = sum;
	return sum;
}

static void
sum_add(void *arg, const cJSON *line)
{
	struct sum *sum = sum_for(arg, json_get_string(line, "rule"));
	const char *from = json_get_string(line, "detected"),
		   *to = json_get_string(line, "ended");
	bool ok = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(line, "ok"));
	int64_t detected, ended, delay = -1;

	if (from == NULL || to == NULL || !parse_time(from, &detected) ||
	    !parse_time(to, &ended))
		return;
	if (ok) {
		delay = ended > detected ? ended - detected : 0;
		sum->delays =
		    xreallocarray(sum->delays, sum->n + 1, sizeof(*sum->delays));
		sum->delays[sum->n++] = delay;
	} else {
		sum->failures++;
	}
	sum->last[sum->runs++ % BARS] = delay;
}

static int
by_length(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static bool
is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *value;
	size_t i;

	for (i = 0; i < 3; i++) {
		value = getenv(names[i]);
		if (value != NULL && value[0] != '\0')
			return strstr(value, "UTF-8") != NULL ||
			       strstr(value, "utf8") != NULL;
	}
	return false;
}

/* A bar for each of the last runs, the highest for the worst; x: it failed. */
static void
print_bars(const struct sum *sum)
{
	static const char *const blocks[] = { "\u2581", "\u2582", "\u2583", "\u2584",
		"\u2585", "\u2586", "\u2587", "\u2588" };
	static const char *const ascii[] = { "_", ".", ":", "-", "=", "+", "*", "#" };
	const char *const *bars = is_utf8() ? blocks : ascii;
	size_t first = sum->runs > BARS ? sum->runs - BARS : 0, i;
	int64_t worst = 1, delay;

	for (i = first; i < sum->runs; i++)
		if (sum->last[i % BARS] > worst)
			worst = sum->last[i % BARS];
	for (i = first; i < sum->runs; i++) {
		delay = sum->last[i % BARS];
		fputs(delay < 0 ? "x" : bars[delay * 7 / worst], stdout);
	}
	putchar('\n');
}

static void
print_sum(struct sum *sum)
{
	char median[TABLE_LENGTH_SIZE] = "-", worst[TABLE_LENGTH_SIZE] = "-";

	if (sum->n > 0) {
		qsort(sum->delays, sum->n, sizeof(*sum->delays), by_length);
		table_length(median, sum->delays[sum->n / 2]);
		table_length(worst, sum->delays[sum->n - 1]);
	}
	printf("%s\n  %6zu %8zu %11s %11s  ", sum->rule, sum->runs, sum->failures, median,
	    worst);
	print_bars(sum);
}

static void
print_sums(struct sums *s)
{
	size_t i;

	if (s->n == 0)
		puts("no runs yet");
	else
		printf("RULE\n  %6s %8s %11s %11s  %s\n", "RUNS", "FAILED", "MEDIAN",
		    "WORST", "LAST RUNS");
	for (i = 0; i < s->n; i++) {
		print_sum(s->all[i]);
		free(s->all[i]->rule);
		free(s->all[i]->delays);
		free(s->all[i]);
	}
	free(s->all);
	map_clear(&s->by_rule);
}

static int
show(const struct options *o, const char *rule)
{
	size_t size = o->number != 0 ? o->number : RUNS_SHOWN;
	struct recent recent = { .size = size };
	struct sums sums = { .n = 0 };
	size_t i;
	int status;

	if (o->summary)
		status = history_read(o->state, rule, sum_add, &sums);
	else {
		recent.lines = xcalloc(size, sizeof(cJSON *));
		status = history_read(o->state, rule, recent_add, &recent);
	}
	if (status == -1) {
		fprintf(stderr, "watchpathd: %s/history.jsonl: %s%s\n", o->state,
		    strerror(errno), errno == EACCES ? " (try sudo)" : "");
		status = errno == EACCES ? EX_NOPERM : EXIT_FAILURE;
	} else if (o->summary) {
		print_sums(&sums);
	} else {
		print_recent(&recent, o->json);
	}
	for (i = 0; recent.lines != NULL && i < size; i++)
		cJSON_Delete(recent.lines[i]);
	free(recent.lines);
	return status;
}

int
history_main(int argc, char **argv)
{
	static const char usage[] =
	    "history [-n N] [--json] [--summary] [--state DIR] [--root DIR] [RULE]";
	struct options o;
	int first, status;

	json_init();
	first = options_parse(&o,
	    OPTION_NUMBER | OPTION_JSON | OPTION_SUMMARY | OPTION_STATE | OPTION_ROOT,
	    usage, argc, argv);
	if (first == -1)
		return EX_USAGE;
	if (argc - first > 1 || (o.json && o.summary)) {
		fprintf(stderr, "watchpathd: %s\nusage: watchpathd %s\n",
		    argc - first > 1 ? "too many arguments"
				     : "--json and --summary exclude each other",
		    usage);
		options_clear(&o);
		return EX_USAGE;
	}
	status = show(&o, first < argc ? argv[first] : NULL);
	options_clear(&o);
	return status;
}
