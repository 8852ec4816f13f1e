/* SPDX-License-Identifier: MIT */
#ifndef RULEDATA_H
#define RULEDATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy.h"
#include "util.h"

/*
 * What rule files say: made by rule.c, filled in by value.c, and read by whoever
 * includes rule.h.
 */

/* A command line split into words; argv.v is NULL-terminated for execve(2). */
struct command {
	struct strv argv;
	struct strv text; /* as it was written, a line each: what is printed */
	int line;         /* where in the file */
};

enum rule_trust { TRUST_STRICT, TRUST_ADMIN };

#define RULE_KEYS_MAX 40

/* One rule. Strings that were not given are NULL. */
struct rule {
	char *name; /* of the section */
	char *file; /* name within conf.d */
	int line;   /* of the section */
	char *description;
	struct strv watch;      /* canonical texts, see pattern.h */
	struct strv watch_text; /* as they were written: what is printed */
	int *watch_lines;       /* where in the file each of them stands */
	struct command *actions;
	size_t nactions;
	struct command verify; /* argv.n is 0 if there is none */
	struct policy policy;
	uint32_t *success; /* exit statuses */
	size_t nsuccess;
	char *lock;
	char *user, *group, *directory;
	int32_t umask; /* -1: the daemon's */
	int32_t nice;
	bool nice_set;
	struct strv environment; /* NAME=value */
	enum rule_trust trust;
	bool keep_awake, log_output;
	/* Keys that were set, a bit each in the order of the table, some in vain. */
	uint64_t given, refused;
	int lines[RULE_KEYS_MAX]; /* where each of them was set first */
};

/* [daemon] */
struct settings {
	uint32_t max_running;
	int64_t recheck_ms; /* 0: never */
	uint32_t log_level; /* enum log_level of log.h */
	uint64_t given;
};

/* Room for a sentence about what is wrong with a value or a rule. */
#define RULE_WHY_SIZE 512

#endif
