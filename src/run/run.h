/* SPDX-License-Identifier: MIT */
#ifndef RUN_H
#define RUN_H

#include <stdbool.h>
#include <stdint.h>

struct cJSON;

#define RUN_ID_SIZE 40

/*
 * One attempt to execute an action: what `last_run` of the status and a line of
 * the history say. Times are of CLOCK_REALTIME in nanoseconds, 0: not yet.
 */
struct run {
	char id[RUN_ID_SIZE];
	const char *reason; /* of dispatch_reason_name */
	uint32_t attempt;
	char *path;         /* the first changed path; NULL: none */
	const char *change; /* of dispatch_change_name; "": none */
	int64_t detected, started, ended;
	int exit;    /* -1: it did not exit */
	int signal;  /* 0: none ended it */
	int verify;  /* exit status of `verify`; -1: it did not exit, or was not run */
	char *error; /* a sentence, or NULL */
	bool ok;
};

/* Frees what it holds. */
void run_clear(struct run *r);

/* As JSON; rule NULL: without the rule's name. The caller deletes it. */
struct cJSON *run_to_json(const struct run *r, const char *rule);

#endif
