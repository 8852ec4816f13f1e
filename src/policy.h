/* SPDX-License-Identifier: MIT */
#ifndef POLICY_H
#define POLICY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What of a rule its state machine needs: filled in by the key table of rule.c,
 * read by dispatch.c. Lengths in milliseconds.
 */

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

#endif
