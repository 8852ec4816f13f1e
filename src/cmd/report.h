/* SPDX-License-Identifier: MIT */
#ifndef REPORT_H
#define REPORT_H

#include <stdint.h>

#include "cmd/setup.h"
#include "cmd/tally.h"

struct buf;
struct cJSON;

/*
 * What the page of `report` is made of. Each part adds itself to the page; the
 * style of all of them is in report_style.c.
 */
struct report {
	struct setup setup;      /* after doctor_diagnose */
	struct cJSON *findings;  /* an array, as in `doctor --json` */
	struct cJSON *rules;     /* an array, as in `status --json`, without the root */
	struct tallies past;     /* with their lines */
	const char *history_why; /* why the history cannot be read, or NULL */
	int64_t now;
};

extern const char report_style[];

/* Sets rules: what the daemon says, or else what the rule files do. */
void report_collect_rules(struct report *r);

void report_add_rules(struct buf *out, const struct report *r);
void report_add_keys(struct buf *out, const struct report *r);
void report_add_files(struct buf *out, const struct report *r);
void report_add_log(struct buf *out, const struct report *r);

/* A time for people: "2026-11-24 10:54:42 UTC", or "never" for 0. */
void report_add_time(struct buf *out, int64_t ns);

#endif
