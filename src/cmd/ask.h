/* SPDX-License-Identifier: MIT */
#ifndef ASK_H
#define ASK_H

#include <stdbool.h>

struct cJSON;
struct options;
struct spelling;

/* Why there is no answer, and the sentence for it. */
enum ask_failure {
	ASK_BROKEN,
	ASK_REFUSED,   /* the daemon said so, and understood what it was asked */
	ASK_DENIED,    /* it may not be asked */
	ASK_ABSENT,    /* no daemon */
	ASK_MISPLACED, /* others control where it would listen: it does not */
};
struct ask_error {
	enum ask_failure failure;
	char why[2048];
};

/* The exit status that it means. */
int ask_status(const struct ask_error *error);

/*
 * Asks the daemon that listens on o->socket; request is taken over. The reply, or
 * NULL with *error filled, also where the daemon said no, says nothing for a
 * minute, or is neither root's nor this user's. What either says is harmless,
 * whoever answered. SIGPIPE must be ignored.
 */
struct cJSON *
ask(const struct options *o, struct cJSON *request, struct ask_error *error);

/*
 * The same, but it waits no longer than that for the daemon to go on; and with
 * ASK_ANYBODY it takes the word of another user's daemon, in a directory of
 * that user's own.
 */
enum ask_whom { ASK_ROOT, ASK_ANYBODY };
struct cJSON *ask_whom(const struct options *o, struct cJSON *request, enum ask_whom whom,
    unsigned seconds, struct ask_error *error);

/* The request for a command, of a rule if rule is not NULL. */
struct cJSON *ask_request(const char *command, const char *rule);

/* Tries the names of all rules in force. False: there is no answer. */
bool ask_rules(const struct options *o, struct spelling *meant);

#endif
