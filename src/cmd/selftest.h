/* SPDX-License-Identifier: MIT */
#ifndef SELFTEST_H
#define SELFTEST_H

#include <stdbool.h>

#include "cmd/trial.h"

/* What came of a probe. */
struct selftest_result {
	enum outcome outcome;
	char *note;           /* what was found, or "" */
	struct cJSON *events; /* an object, or NULL */
};

/* A place for probes, made below dir; NULL with errno. */
struct selftest;
struct selftest *selftest_new(const char *dir, int say_fd);

/* Probes may send the machine to sleep, or set its clock; else they are skipped. */
void selftest_allow(struct selftest *s, bool may_sleep, bool may_set_clock);

/* Removes all that was made. */
void selftest_free(struct selftest *s);

/* The place's real path. */
const char *selftest_dir(const struct selftest *s);

/*
 * Tries a probe in a process and a directory of its own; one that hangs is ended.
 * One that finds more than expected is tried again: somebody else may have read
 * the file, such as an indexer.
 */
struct selftest_result selftest_try(struct selftest *s, const struct probe *p);
void selftest_result_clear(struct selftest_result *r);

/* A signal asks to end; probes that are tried from now on are skipped. */
void selftest_interrupt(void);
bool selftest_interrupted(void);

#endif
