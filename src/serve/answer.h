/* SPDX-License-Identifier: MIT */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdint.h>

struct control_reply;
struct ruleset;

/* What the status says besides the rules. Borrowed while the reply is made. */
struct report_daemon {
	const struct ruleset *rules;
	const char *config;
	const char *root;            /* NULL: none */
	const char *const *problems; /* of the daemon as a whole; ends with NULL */
	int64_t started;             /* CLOCK_REALTIME */
};

/*
 * The status as JSON, of one rule if name is not NULL: rule by rule, each as it
 * is when its turn comes; one that has gone meanwhile is left out. The daemon
 * must outlive the reply.
 */
void report_status(
    struct control_reply *reply, const struct report_daemon *d, const char *name);

/* The same without any rule, and with a sentence on what was done, as "done". */
void report_reload(
    struct control_reply *reply, const struct report_daemon *d, const char *done);

#endif
