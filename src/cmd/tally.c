/* SPDX-License-Identifier: MIT */
/*
 * The history by rule: when each run was, how long it took, and what is to be
 * expected of the next. It decides nothing about how that is shown.
 */
#include "cmd/tally.h"

#include <cJSON.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/util.h"
#include "base/number.h"

int64_t
tally_delay(const struct tally_run *run)
{
	return run->ended > run->detected ? run->ended - run->detected : 0;
}

static struct tally *
tally_for(struct tallies *t, const char *rule)
{
	struct tally *tally = map_get(&t->by_rule, rule);

	if (tally != NULL)
		return tally;
	tally = xcalloc(1, sizeof(*tally));
	tally->rule = xstrdup(rule);
	map_put(&t->by_rule, tally->rule, tally);
	t->all = xreallocarray(t->all, t->n + 1, sizeof(struct tally *));
	t->all[t->n++] = tally;
	return tally;
}

static bool
get_time(const cJSON *line, const char *key, int64_t *ns)
{
	return parse_time(json_string_of(line, key), ns);
}

void
tallies_add(void *arg, const cJSON *line)
{
	struct tallies *t = arg;
	struct tally_run run = { .line = NULL };
	struct tally *tally;

	if (json_get_string(line, "alert") != NULL)
		return;
	tally = tally_for(t, json_get_string(line, "rule"));
	if (!get_time(line, "detected", &run.detected) ||
	    !get_time(line, "ended", &run.ended))
		return;
	if (!get_time(line, "started", &run.started))
		run.started = run.detected;
	run.ok = json_is_true(line, "ok");
	if (t->keep_lines)
		run.line = cJSON_Duplicate(line, true);
	tally->failures += !run.ok;
	tally->runs = xreallocarray(tally->runs, tally->n + 1, sizeof(*tally->runs));
	tally->runs[tally->n++] = run;
}

static int
by_length(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void
finish(struct tally *tally)
{
	int64_t *delays = xcalloc(tally->n, sizeof(*delays));
	size_t n = 0, i;

	for (i = 0; i < tally->n; i++)
		if (tally->runs[i].ok)
			delays[n++] = tally_delay(&tally->runs[i]);
	if (n > 0)
		qsort(delays, n, sizeof(*delays), by_length);
	tally->median = n > 0 ? delays[n / 2] : -1;
	tally->worst = n > 0 ? delays[n - 1] : -1;
	free(delays);
}

void
tallies_finish(struct tallies *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		finish(t->all[i]);
}

const struct tally *
tallies_get(const struct tallies *t, const char *rule)
{
	return map_get(&t->by_rule, rule);
}

void
tallies_clear(struct tallies *t)
{
	size_t i, k;

	for (i = 0; i < t->n; i++) {
		for (k = 0; k < t->all[i]->n; k++)
			cJSON_Delete(t->all[i]->runs[k].line);
		free(t->all[i]->runs);
		free(t->all[i]->rule);
		free(t->all[i]);
	}
	free(t->all);
	map_clear(&t->by_rule);
}
