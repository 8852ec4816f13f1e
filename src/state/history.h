/* SPDX-License-Identifier: MIT */
#ifndef HISTORY_H
#define HISTORY_H

#include <stdbool.h>

#include "base/mono.h"

struct cJSON;
struct trust;

/*
 * history.jsonl in the state directory: a line for every finished run; past
 * HISTORY_MAX bytes it becomes history.jsonl.1, in the place of an older one.
 */
struct history;

#define HISTORY_MAX (1024 * 1024)

/* dir is absolute, and judged by trust, which is borrowed (place.h). */
struct history *history_new(const char *dir, const struct trust *trust);
void history_free(struct history *h);

/*
 * Takes over a line with its newline, to be written by history_write. While that
 * fails HISTORY_WAITING lines wait at most, and the oldest are dropped.
 */
#define HISTORY_WAITING 1000
void history_add(struct history *h, char *line);

/* Appends what waits; after a failure not before history_deadline, unless must. */
void history_write(struct history *h, bool must, mono_t now);
mono_t history_deadline(const struct history *h);

/* A sentence while lines cannot be written, else NULL. */
const char *history_problem(const struct history *h);

/*
 * Calls fn with every line of both files, oldest first; of one rule if rule is
 * not NULL. Lines that are no JSON (a torn one, after a crash) are skipped.
 * 0, or -1 with errno where there is a history that cannot be read.
 */
typedef void history_fn(void *arg, const struct cJSON *line);
int history_read(const char *dir, const char *rule, history_fn *fn, void *arg);

/* The same with state.jsonl: one line or more of each rule whose state is kept. */
int history_read_state(const char *dir, history_fn *fn, void *arg);

#endif
