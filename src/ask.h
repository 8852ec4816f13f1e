/* SPDX-License-Identifier: MIT */
#ifndef ASK_H
#define ASK_H

struct cJSON;

/* Why there is no answer: a sentence, and the exit status that it means. */
struct ask_error {
	int status; /* 69 no daemon, 77 it may not be asked, 1 anything else */
	char why[2048];
};

/*
 * Asks the daemon that listens on a socket; request is taken over. The reply, or
 * NULL with *error filled, also where the daemon said no. What either says is
 * harmless, whoever answered. SIGPIPE must be ignored.
 */
struct cJSON *
ask(const char *socket_path, struct cJSON *request, struct ask_error *error);

#endif
