/* SPDX-License-Identifier: MIT */
#ifndef ASK_H
#define ASK_H

#include <stdbool.h>

struct cJSON;
struct options;
struct spelling;

/* Why there is no answer: a sentence, and the exit status that it means. */
struct ask_error {
	int status;     /* 69 no daemon, 77 it may not be asked, 1 anything else */
	bool refused;   /* the daemon said so, and understood what it was asked */
	bool misplaced; /* others control where it would listen: it does not */
	char why[2048];
};

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
