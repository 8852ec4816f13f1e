/* SPDX-License-Identifier: MIT */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "schedule/dispatch.h"
#include "watch/stamp.h"
#include "base/util.h"
#include "watch/watch.h"

struct cJSON;

/*
 * What is kept of a rule from one daemon to the next. Times are of CLOCK_REALTIME in
 * nanoseconds, 0 for never: the monotonic clock ends with the boot.
 */
struct record_path {
	char *path;
	struct stamp seen;
	unsigned owed; /* CHANGE_ bits, those of a run in progress included */
};

struct record {
	char *rule;
	struct strv watch;           /* the entries that paths are of */
	struct watch_others *others; /* of each, the matches that have no path here */
	struct record_path *paths;
	size_t npaths;
	unsigned others_owed,
	    others_notices; /* CHANGE_ bits owed by no name, and how often */
	struct dispatch_saved state;
	bool verify_first, alerted;
	int64_t detected;
	/* The run in progress; pid 0: none. */
	pid_t pid;
	int64_t started;
	char *process, *boot; /* not those of a later process with that pid */
	char *run;            /* its id */
	uint64_t runs, failed;
	struct cJSON *last_run; /* NULL: none */
	int64_t left;           /* since when it has not been in force; 0: it is */
};

void record_clear(struct record *r);

/*
 * A line of state.jsonl. Parse fills r, or returns false for anything that is
 * not exactly such a line; r is then all zero. Print returns the line with its
 * newline; free(3) it.
 */
bool record_parse(struct record *r, const char *line, size_t len);
char *record_print(const struct record *r);

#endif
