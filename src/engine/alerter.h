/* SPDX-License-Identifier: MIT */
#ifndef ALERTER_H
#define ALERTER_H

#include <stdbool.h>
#include <sys/queue.h>

#include "base/heap.h"
#include "schedule/alert.h"

struct cJSON;
struct dispatch;
struct history;
struct run;
struct alerter;

/* The alerts of all rules. All zero but the pointers is none. */
struct alerters {
	struct dispatch *dispatch;
	struct history *history;
	struct heap due;
	LIST_HEAD(, alerter) all;
};

/* Does what is due; and when that will be. Clear comes after the last alerter_free. */
void alerters_due(struct alerters *all, mono_t now);
mono_t alerters_deadline(const struct alerters *all);
void alerters_clear(struct alerters *all);

/* What a rule is asked for. */
struct alerter_ops {
	/* How things are. succeeded: a run has just ended well. */
	void (*facts)(void *arg, bool succeeded, struct alert_facts *out);
	/* What is wrong, as a sentence to free(3). */
	char *(*problem)(void *arg);
	/* It was raised or cleared: that is to be saved. */
	void (*changed)(void *arg);
};

/*
 * The alert of one rule: carries out what alert.h says, with the command, the
 * environment and the accounts that run has.
 * What it is given must outlive it; free leaves a command that runs to its end. Below,
 * NULL is that of a rule that names no command: nothing is said, and nobody knows.
 */
struct alerter *alerter_new(struct alerters *all, struct run *run, const char *name,
    const struct alerter_ops *ops, void *arg);
void alerter_free(struct alerter *t);

/* Whether it was raised in an earlier life. */
void alerter_restore(struct alerter *t, bool raised);

/* The facts may be others now; a run ended, and how; the rule is out of force. */
void alerter_note(struct alerter *t);
void alerter_run_ended(struct alerter *t, bool ok);
void alerter_stop(struct alerter *t);

/* Does somebody know that the rule fails? */
bool alerter_is_raised(const struct alerter *t);

/* Why the last alert could not be delivered; NULL: it could, or there was none. */
const char *alerter_error(const struct alerter *t);

#endif
