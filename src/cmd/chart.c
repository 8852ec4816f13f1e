/* SPDX-License-Identifier: MIT */
/*
 * When runs were and how long they took, as SVG. Lengths differ by six orders of
 * magnitude, so the scale has a table of steps, each about twice the one before,
 * and all as high. A dot is a line without length and with round ends: such a line
 * is not stretched with the drawing.
 */
#include "cmd/chart.h"

#include <cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mono.h"
#include "base/util.h"
#include "base/number.h"
#include "cmd/html.h"
#include "cmd/table.h"
#include "cmd/tally.h"

#define WIDTH 1000
#define HEIGHT 300
/* Between the ends of the axis and the first and last run. */
#define MARGIN 14
#define BARS 24
#define LABELS 6
#define STEPS_LEAST 3

static const struct step {
	int64_t ns;
	const char *label;
} steps[] = {
	{ 10 * MONO_MS, "10 ms" },
	{ 20 * MONO_MS, "20 ms" },
	{ 50 * MONO_MS, "50 ms" },
	{ 100 * MONO_MS, "0.1 s" },
	{ 200 * MONO_MS, "0.2 s" },
	{ 500 * MONO_MS, "0.5 s" },
	{ MONO_SEC, "1 s" },
	{ 2 * MONO_SEC, "2 s" },
	{ 5 * MONO_SEC, "5 s" },
	{ 10 * MONO_SEC, "10 s" },
	{ 30 * MONO_SEC, "30 s" },
	{ 60 * MONO_SEC, "1 min" },
	{ 120 * MONO_SEC, "2 min" },
	{ 300 * MONO_SEC, "5 min" },
	{ 600 * MONO_SEC, "10 min" },
	{ 1800 * MONO_SEC, "30 min" },
	{ 3600 * MONO_SEC, "1 h" },
	{ 3 * 3600 * MONO_SEC, "3 h" },
	{ 6 * 3600 * MONO_SEC, "6 h" },
	{ 12 * 3600 * MONO_SEC, "12 h" },
	{ 86400 * MONO_SEC, "1 d" },
	{ 3 * 86400 * MONO_SEC, "3 d" },
	{ 10 * 86400 * MONO_SEC, "10 d" },
	{ 30 * 86400 * MONO_SEC, "30 d" },
	{ 100 * 86400 * MONO_SEC, "100 d" },
};

/* Between two times on the axis, in seconds. */
static const int64_t intervals[] = { 1, 5, 15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600,
	12 * 3600, 86400, 2 * 86400, 7 * 86400, 30 * 86400, 90 * 86400, 365 * 86400 };

struct chart {
	const struct tally_run *runs;
	size_t n;
	int64_t from, to;       /* times at the ends of the axis */
	size_t lowest, highest; /* steps */
};

/* How high that stands, counted in steps. */
static double
height_of(int64_t ns)
{
	size_t i = 0;

	if (ns <= steps[0].ns)
		return 0;
	while (i + 1 < NELEM(steps) && steps[i + 1].ns < ns)
		i++;
	if (i + 1 == NELEM(steps))
		return (double)i;
	return (double)i +
	       (double)(ns - steps[i].ns) / (double)(steps[i + 1].ns - steps[i].ns);
}

static double
y_of(const struct chart *c, int64_t ns)
{
	double whole = (double)(c->highest - c->lowest);

	return HEIGHT - (height_of(ns) - (double)c->lowest) / whole * HEIGHT;
}

static double
x_of(const struct chart *c, int64_t time)
{
	return MARGIN + (double)(time - c->from) / (double)(c->to - c->from) *
			    (WIDTH - 2 * MARGIN);
}

/* From noticing the change to the start. */
static int64_t
wait_of(const struct tally_run *run)
{
	return run->started > run->detected ? run->started - run->detected : 0;
}

static void
measure(struct chart *c)
{
	double low = height_of(INT64_MAX), high = 0, h;
	size_t i;

	c->from = c->to = c->runs[0].detected;
	for (i = 0; i < c->n; i++) {
		h = height_of(wait_of(&c->runs[i]));
		low = h < low ? h : low;
		h = height_of(tally_delay(&c->runs[i]));
		high = h > high ? h : high;
		if (c->runs[i].detected < c->from)
			c->from = c->runs[i].detected;
		if (c->runs[i].detected > c->to)
			c->to = c->runs[i].detected;
	}
	c->lowest = (size_t)low;
	c->highest = (double)(size_t)high < high ? (size_t)high + 1 : (size_t)high;
	while (c->highest - c->lowest < STEPS_LEAST)
		if (c->highest + 1 < NELEM(steps))
			c->highest++;
		else
			c->lowest--;
	/* A single moment has no axis. */
	if (c->to - c->from < 10 * MONO_SEC) {
		c->from -= 30 * MONO_SEC;
		c->to += 30 * MONO_SEC;
	}
}

/* The time as it is read on the axis, whose times are so many seconds apart. */
static void
add_time(struct buf *out, int64_t ns, int64_t interval)
{
	char text[TIME_TEXT_SIZE];

	format_time(text, ns);
	if (interval < 60)
		buf_addf(out, "%.8s", text + 11);
	else if (interval < 86400)
		buf_addf(out, "%.5s", text + 11);
	else if (interval < 30 * 86400)
		buf_addf(out, "%.5s", text + 5);
	else
		buf_addf(out, "%.7s", text);
}

static void
add_times(struct buf *out, const struct chart *c)
{
	int64_t interval = intervals[NELEM(intervals) - 1], t;
	size_t i;

	for (i = NELEM(intervals); i-- > 0;)
		if ((c->to - c->from) / (intervals[i] * MONO_SEC) < LABELS - 1)
			interval = intervals[i];
	t = (c->from / (interval * MONO_SEC) + 1) * interval * MONO_SEC;
	for (; t <= c->to; t += interval * MONO_SEC) {
		buf_addf(out, "<span class=\"x\" style=\"left:%.2f%%\">",
		    x_of(c, t) * 100 / WIDTH);
		add_time(out, t, interval);
		buf_adds(out, "</span>");
	}
}

static void
add_lengths(struct buf *out, const struct chart *c)
{
	size_t every = (c->highest - c->lowest) / LABELS + 1, i;

	for (i = c->lowest; i <= c->highest; i += every)
		buf_addf(out, "<span class=\"y\" style=\"top:%.2f%%\">%s</span>",
		    y_of(c, steps[i].ns) * 100 / HEIGHT, steps[i].label);
}

static void
add_grid(struct buf *out, const struct chart *c)
{
	size_t every = (c->highest - c->lowest) / LABELS + 1, i;

	buf_adds(out, "<path class=\"grid\" d=\"");
	for (i = c->lowest; i <= c->highest; i += every)
		buf_addf(out, "M0 %.1fH%d", y_of(c, steps[i].ns), WIDTH);
	buf_adds(out, "\"/>\n");
}

/* What is read of a run where a pointer rests on it. */
static void
add_title(struct buf *out, const struct tally_run *run)
{
	char when[TIME_TEXT_SIZE], wait[TABLE_LENGTH_SIZE], delay[TABLE_LENGTH_SIZE];
	char *result = table_result(run->line);

	format_time(when, run->detected);
	table_length(wait, wait_of(run));
	table_length(delay, tally_delay(run));
	html_add(out, "<title>%s, %s: started after %s, done after %s: %s</title>", when,
	    json_string_of(run->line, "reason"), wait, delay, result);
	free(result);
}

static void
add_run(struct buf *out, const struct chart *c, const struct tally_run *run)
{
	double x = x_of(c, run->detected), y = y_of(c, tally_delay(run));

	buf_addf(out, "<g%s>", run->ok ? "" : " class=\"failed\"");
	add_title(out, run);
	buf_addf(out,
	    "<path class=\"took\" d=\"M%.1f %.1fV%.1f\"/>"
	    "<path class=\"done\" d=\"M%.1f %.1fh.01\"/></g>\n",
	    x, y_of(c, wait_of(run)), y, x, y);
}

static void
add_caption(struct buf *out, const struct chart *c, const struct tally *tally)
{
	char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];

	format_time(from, c->runs[0].detected);
	format_time(to, c->runs[c->n - 1].detected);
	from[10] = to[10] = '\0';
	buf_adds(out, "<figcaption><span class=\"key\">Each run where its change was "
		      "noticed: from start to <b class=\"dot\"></b> done, or <b "
		      "class=\"square\"></b> failed.</span> ");
	html_add(
	    out, strcmp(from, to) != 0 ? "%s to %s, in UTC" : "%s, in UTC", from, to);
	if (c->n < tally->n)
		html_add(out, "; the last %zu of %zu runs", c->n, tally->n);
	buf_adds(out, "</figcaption>");
}

void
chart_add_runs(struct buf *out, const struct tally *tally)
{
	size_t first = tally->n > CHART_RUNS ? tally->n - CHART_RUNS : 0, i;
	struct chart c = { .runs = tally->runs + first, .n = tally->n - first };

	if (c.n == 0)
		return;
	measure(&c);
	buf_addf(out,
	    "<figure class=\"runs\"><div class=\"plot\">"
	    "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" "
	    "aria-label=\"%zu runs, %zu of them failed\">\n",
	    WIDTH, HEIGHT, c.n, tally->failures);
	add_grid(out, &c);
	/* Those that failed lie on top, so that none is hidden. */
	for (i = 0; i < c.n; i++)
		if (c.runs[i].ok)
			add_run(out, &c, &c.runs[i]);
	for (i = 0; i < c.n; i++)
		if (!c.runs[i].ok)
			add_run(out, &c, &c.runs[i]);
	buf_adds(out, "</svg>");
	add_lengths(out, &c);
	add_times(out, &c);
	buf_adds(out, "</div>");
	add_caption(out, &c, tally);
	buf_adds(out, "</figure>\n");
}

void
chart_add_bars(struct buf *out, const struct tally *tally)
{
	size_t first = tally->n > BARS ? tally->n - BARS : 0, i;
	const struct tally_run *run;
	double high = 0, low = height_of(INT64_MAX), h;

	for (i = first; i < tally->n; i++) {
		h = height_of(tally_delay(&tally->runs[i]));
		high = h > high ? h : high;
		low = h < low ? h : low;
	}
	buf_addf(out, "<svg class=\"bars\" viewBox=\"0 0 %d 20\" aria-hidden=\"true\">",
	    BARS * 5);
	for (i = first; i < tally->n; i++) {
		run = &tally->runs[i];
		h = height_of(tally_delay(run)) - low;
		buf_addf(out, "<path%s d=\"M%zu 20v-%.1f\"/>",
		    run->ok ? "" : " class=\"failed\"", (i - first) * 5 + 2,
		    6 + h / (high - low + 1) * 14);
	}
	buf_adds(out, "</svg>");
}
