/* SPDX-License-Identifier: MIT */
#ifndef ASK_H
#define ASK_H

#include <stdbool.h>

struct cJSON;
struct spelling;

/* Why there is no answer: a sentence, and the exit status that it means. */
struct ask_error {
	int status;   /* 69 no daemon, 77 it may not be asked, 1 anything else */
	bool refused; /* the daemon said so, and understood what it was asked */
	char why[2048];
};

/*
 * Asks the daemon that listens on a socket; request is taken over. The reply, or
 * NULL with *error filled, also where the daemon said no. What either says is
 * harmless, whoever answered. SIGPIPE must be ignored.
 */
struct cJSON *
ask(const char *socket_path, struct cJSON *request, struct ask_error *error);

/* The same, but it waits no longer than that for the daemon to go on. */
struct cJSON *ask_within(const char *socket_path, struct cJSON *request, unsigned seconds,
    struct ask_error *error);

/* The request for a command, of a rule if rule is not NULL. */
struct cJSON *ask_request(const char *command, const char *rule);

/* Tries the names of all rules in force. False: there is no answer. */
bool ask_rules(const char *socket_path, struct spelling *meant);

#endif
