/* SPDX-License-Identifier: MIT */
#ifndef HISTORY_H
#define HISTORY_H

#include <stdbool.h>

struct cJSON;

/*
 * history.jsonl in the state directory: a line for every finished run; past
 * HISTORY_MAX bytes it becomes history.jsonl.1, in the place of an older one.
 */
struct history;

#define HISTORY_MAX (1024 * 1024)

struct history *history_new(const char *dir);
void history_free(struct history *h);

/* Appends a line with its newline. False: it was dropped; errno says why. */
bool history_add(struct history *h, const char *line);

/*
 * Calls fn with every line of both files, oldest first; of one rule if rule is
 * not NULL. Lines that are no JSON (a torn one, after a crash) are passed over.
 * 0, or -1 with errno where there is a history that cannot be read.
 */
typedef void history_fn(void *arg, const struct cJSON *line);
int history_read(const char *dir, const char *rule, history_fn *fn, void *arg);

#endif
