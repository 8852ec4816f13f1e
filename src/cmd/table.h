/* SPDX-License-Identifier: MIT */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct cJSON;

/*
 * What the daemon says, for people: as wide as there is room, and what is cut is
 * seen to be. What is printed must be harmless already.
 */
struct table {
	FILE *out;
	size_t width;
	int64_t now; /* CLOCK_REALTIME */
	bool colours;
};

/* For out as it is: colours only on a terminal, and not with NO_COLOR. */
void table_init(struct table *t, FILE *out);

/* text with all paths below root as rules have them: without it. free(3) it. */
char *table_without_root(const char *text, const char *root);

/* Does that to all text in o; root may be NULL. */
void table_hide_root(struct cJSON *o, const char *root);

/* The status of all rules, from its JSON. */
void table_status(const struct table *t, const struct cJSON *status);

/* Everything about one rule: an element of its "rules". */
void table_rule(const struct table *t, const struct cJSON *rule);

/* Runs, the newest last. */
void table_history(const struct table *t, struct cJSON *const *runs, size_t n);

/* "12 s", "5 min", "3 h 20 min", "2 d 4 h": a length of time for people. */
#define TABLE_LENGTH_SIZE 32
void table_length(char out[TABLE_LENGTH_SIZE], int64_t ns);

/* Where a rule or finding stands: "FILE:LINE", or FILE. The caller frees it. */
char *table_place(const struct cJSON *o);

/* What is known of a path, an element of "paths": its error, or its state. */
const char *table_path_state(const struct cJSON *path);

/* How a run ended, in a few words. The caller frees it. */
char *table_result(const struct cJSON *run);

#endif
