/* SPDX-License-Identifier: MIT */
#ifndef TABLE_H
#define TABLE_H

#include <stdint.h>
#include <stdio.h>

struct cJSON;

/*
 * What the daemon says, for people. Tables fit 80 columns; colours only where out
 * is a terminal and NO_COLOR is not set.
 */

/* The status of all rules, from its JSON. */
void table_status(FILE *out, const struct cJSON *status);

/* Everything about one rule: an element of its "rules". */
void table_rule(FILE *out, const struct cJSON *rule);

/* A line of the history; the heading before the first one. */
void table_history_heading(FILE *out);
void table_history(FILE *out, const struct cJSON *run);

/* "12 s", "5 min", "3 h 20 min", "2 d 4 h": a length of time for people. */
#define TABLE_LENGTH_SIZE 32
void table_length(char out[TABLE_LENGTH_SIZE], int64_t ns);

/* Where a rule or finding stands: "FILE:LINE", or FILE. The caller frees it. */
char *table_place(const struct cJSON *o);

/* How a run ended, in a few words. The caller frees it. */
char *table_result(const struct cJSON *run);

#endif
