/* SPDX-License-Identifier: MIT */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdbool.h>
#include <stdint.h>

struct cJSON;
struct control_reply;
struct ruleset;

/* What the daemon lends for its answers; it must outlive each reply. */
struct answers {
	const struct ruleset *rules;
	const char *config;
	const char *root;            /* NULL: none */
	const char *const *problems; /* of the daemon as a whole; ends with NULL */
	int64_t started;             /* CLOCK_REALTIME */
	bool stopping;               /* starts no run any more */
	/* Reads the rule files again; what changed, in a few words, to be freed. */
	char *(*reload)(void *daemon);
	void *daemon;
};

/*
 * A control_fn with struct answers. The commands: "status", with "rule" of that rule
 * only; "reload", with the status without rules and what was done as "done";
 * "trigger", with the id of the "run"; "run", with what became of that. A rule that
 * goes while a status is read is left out.
 */
void answer(void *arg, const struct cJSON *request, struct control_reply *reply);

#endif
