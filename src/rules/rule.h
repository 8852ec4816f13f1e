/* SPDX-License-Identifier: MIT */
#ifndef RULE_H
#define RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/util.h"

/* What a rule file says. keys.c makes it and fills it in by its table. */

/* What can be different about a path; also the values of `on`. */
enum {
	CHANGE_CREATE = 1,
	CHANGE_MODIFY = 2,
	CHANGE_DELETE = 4,
	CHANGE_ATTRIBUTES = 8,
};

enum policy_start { START_CHANGED, START_NEVER, START_NEW, START_ALWAYS };
enum policy_running { RUNNING_RERUN, RUNNING_IGNORE };

#define RETRY_FOREVER UINT32_MAX

/* What of a rule decides when it runs. Lengths in milliseconds. */
struct policy {
	unsigned on; /* CHANGE_ bits */
	uint64_t min_size;
	int64_t settle_ms, settle_max_ms, cooldown_ms, splay_ms;
	int64_t timeout_ms; /* 0: none */
	int64_t every_ms;   /* 0: never */
	uint32_t retry;     /* further attempts, or RETRY_FOREVER */
	int64_t retry_delay_ms;
	bool retry_on_network;
	bool enabled;
	enum policy_start at_start;
	enum policy_running while_running;
};

/* A command line split into words; argv.v is NULL-terminated for execve(2). */
struct command {
	struct strv argv;
	struct strv text; /* as it was written, a line each: what is printed */
	int line;         /* where in the file */
};

/* One value of `watch`. */
struct rule_watch {
	char *path; /* canonical, see pattern.h */
	char *text; /* as it was written: what is printed; path itself if that is so */
	int line;   /* where in the file */
};

enum rule_trust { TRUST_STRICT, TRUST_ADMIN };

/* One rule. Strings that were not given are NULL. */
struct rule {
	char *name; /* of the section */
	char *file; /* name within conf.d */
	int line;   /* of the section */
	char *description;
	struct rule_watch *watch;
	size_t nwatch;
	struct command *actions;
	size_t nactions;
	struct command *verify, *alert; /* NULL if there is none */
	uint32_t alert_after;           /* failures in a row; 0: when no retry is left */
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
	int *lines; /* where each of the former was set first */
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
