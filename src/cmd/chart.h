/* SPDX-License-Identifier: MIT */
#ifndef CHART_H
#define CHART_H

struct buf;
struct tally;

/*
 * Runs as drawings that need neither a script nor another file. What is drawn is
 * stretched to the room there is: lines keep their width, and text stands in HTML
 * beside it.
 */

/* How many of the last runs a chart has. */
#define CHART_RUNS 500

/* A line for each run, from start to end, over when its change was noticed. */
void chart_add_runs(struct buf *out, const struct tally *tally);

/* The last few, as bars in a line of text. */
void chart_add_bars(struct buf *out, const struct tally *tally);

#endif
