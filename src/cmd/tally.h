/* SPDX-License-Identifier: MIT */
#ifndef TALLY_H
#define TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"

struct cJSON;

/* One run, in nanoseconds since 1970. */
struct tally_run {
	int64_t detected, started, ended;
	bool ok;
	struct cJSON *line; /* of the history, or NULL */
};

/* The runs of one rule, oldest first, and what they come to. */
struct tally {
	char *rule;
	struct tally_run *runs;
	size_t n, failures;
	int64_t median, worst; /* delays of those that went well; -1: there are none */
};

/* Those of all rules, in the order in which they first ran. */
struct tallies {
	bool keep_lines; /* set before the first tallies_add */
	struct map by_rule;
	struct tally **all;
	size_t n;
};

/* From noticing the change to the end of the run; no less than 0. */
int64_t tally_delay(const struct tally_run *run);

/* A history_fn of which arg is a struct tallies. */
void tallies_add(void *arg, const struct cJSON *line);

/* Sets medians and worsts, when all lines are in. */
void tallies_finish(struct tallies *t);

/* The runs of that rule, or NULL. */
const struct tally *tallies_get(const struct tallies *t, const char *rule);

void tallies_clear(struct tallies *t);

#endif
