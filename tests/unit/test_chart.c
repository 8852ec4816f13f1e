/* SPDX-License-Identifier: MIT */
/*
 * Runs summed up and drawn: where a run stands, and what is written beside it.
 */

#include <cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mono.h"
#include "base/util.h"
#include "cmd/chart.h"
#include "cmd/tally.h"
#include "test.h"

/* 2026-11-24T12:00:00.000Z */
#define NOON INT64_C(1795521600000000000)

static struct tallies all;
static struct buf out;

SET_UP
{
	json_init();
	all.keep_lines = true;
}

TEAR_DOWN
{
	tallies_clear(&all);
	all = (struct tallies){ .n = 0 };
	buf_clear(&out);
}

/* A run of r: noticed so many seconds after noon, and how long after that. */
static void
ran(int64_t seconds, int64_t start_ms, int64_t end_ms, bool ok)
{
	int64_t detected = NOON + seconds * MONO_SEC;
	cJSON *line = cJSON_CreateObject();

	json_add_text(line, "rule", "r");
	json_add_text(line, "reason", "change");
	json_add_time(line, "detected", detected);
	json_add_time(line, "started", detected + start_ms * MONO_MS);
	json_add_time(line, "ended", detected + end_ms * MONO_MS);
	json_add_text(line, "error", ok ? NULL : "a < b");
	cJSON_AddBoolToObject(line, "ok", ok);
	tallies_add(&all, line);
	cJSON_Delete(line);
}

static const char *
draw(void)
{
	tallies_finish(&all);
	chart_add_runs(&out, tallies_get(&all, "r"));
	return out.p != NULL ? out.p : "";
}

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what)) != NULL) {
		text += strlen(what);
		n++;
	}
	return n;
}

static void
has(const char *what)
{
	if (strstr(out.p, what) == NULL)
		fail_msg("there is no %s in %s", what, out.p);
}

TEST(a_tally_has_median_and_worst_of_what_went_well)
{
	ran(0, 0, 3000, true);
	ran(10, 0, 1000, true);
	ran(20, 0, 9000, false);
	ran(30, 0, 2000, true);
	tallies_finish(&all);
	assert_int_equal(all.all[0]->median, 2 * MONO_SEC);
	assert_int_equal(all.all[0]->worst, 3 * MONO_SEC);
	assert_int_equal(all.all[0]->failures, 1);
	assert_int_equal(all.all[0]->n, 4);
}

TEST(without_a_good_run_there_is_no_median)
{
	ran(0, 0, 3000, false);
	tallies_finish(&all);
	assert_int_equal(all.all[0]->median, -1);
}

TEST(a_line_without_times_is_no_run)
{
	cJSON *line = cJSON_CreateObject();

	json_add_text(line, "rule", "r");
	tallies_add(&all, line);
	cJSON_Delete(line);
	assert_string_equal(draw(), "");
}

TEST(a_run_is_a_line_from_start_to_end)
{
	ran(0, 1000, 10000, true);
	ran(3600, 2000, 5000, true);
	draw();
	/* From 1 s to 10 s in three steps; the axis ends 14 from the edges. */
	has("<path class=\"took\" d=\"M14.0 300.0V0.0\"/>");
	has("<path class=\"took\" d=\"M986.0 200.0V100.0\"/>");
	has("<path class=\"done\" d=\"M986.0 100.0h.01\"/>");
	has(">1 s</span>");
	has(">10 s</span>");
	has(">12:15</span>");
	has("2 runs, 0 of them failed");
	has("2026-11-24T12:00:00.000Z, change: started after 1.0 s, done after 10 s: ok");
	has("2026-11-24, in UTC");
}

TEST(a_failed_run_is_marked_and_lies_on_top)
{
	ran(0, 1000, 10000, false);
	ran(60, 1000, 10000, true);
	draw();
	has("<g class=\"failed\"><title>2026-11-24T12:00:00.000Z, change: started after "
	    "1.0 s, done after 10 s: a &lt; b</title>");
	assert_true(strstr(out.p, "class=\"failed\"") > strstr(out.p, "12:01:00.000Z"));
}

TEST(the_axis_has_days_where_it_is_long)
{
	ran(0, 0, 5, true);
	ran(86400 * INT64_C(5), 0, 40 * INT64_C(86400000) * 10, true);
	draw();
	has(">11-27</span>");
	has("2026-11-24 to 2026-11-29, in UTC");
	has(">10 ms</span>");
}

TEST(the_axis_has_months_where_it_is_longer)
{
	ran(0, 0, 5, true);
	ran(86400 * INT64_C(800), 0, 5, true);
	draw();
	has(">2027-");
}

TEST(one_run_has_an_axis_too)
{
	ran(0, 0, 5, true);
	draw();
	has(">12:00:00</span>");
}

TEST(a_clock_that_was_set_back_does_no_harm)
{
	ran(0, -5000, -1000, true);
	ran(-600, 100, 200, true);
	draw();
	assert_int_equal(count(out.p, "class=\"done\""), 2);
}

TEST(the_last_500_are_drawn)
{
	int64_t i;

	for (i = 0; i < 501; i++)
		ran(i, 10, 20, true);
	draw();
	assert_int_equal(count(out.p, "class=\"done\""), 500);
	has("; the last 500 of 501 runs");
}

TEST(bars_are_of_the_last_24)
{
	int64_t i;

	for (i = 0; i < 30; i++)
		ran(i, 10, 20 + i * 1000, i % 10 != 9);
	tallies_finish(&all);
	chart_add_bars(&out, tallies_get(&all, "r"));
	assert_int_equal(count(out.p, "<path"), 24);
	assert_int_equal(count(out.p, "class=\"failed\""), 3);
}
