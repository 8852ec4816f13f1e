/* SPDX-License-Identifier: MIT */
#ifndef ASK_H
#define ASK_H

struct cJSON;

/*
 * Asks the daemon that listens on a socket. request is taken over. The reply, or
 * NULL: stderr says why, and *status is the exit status that it means: 69 no
 * daemon, 77 it may not be asked, 1 it said no or anything else. SIGPIPE must be
 * ignored.
 */
struct cJSON *ask(const char *socket_path, struct cJSON *request, int *status);

/* The same in two steps, where the text itself is wanted; free(3) it. */
char *ask_text(const char *socket_path, struct cJSON *request, int *status);
struct cJSON *ask_parse(const char *text, int *status);

#endif
