/* SPDX-License-Identifier: MIT */
#ifndef TELLING_H
#define TELLING_H

#include <stdbool.h>
#include <sys/queue.h>

#include "base/heap.h"
#include "schedule/alert.h"

struct cJSON;
struct dispatch;
struct history;
struct run;
struct telling;

/* The alerts of all rules. All zero but the pointers is none. */
struct tellings {
	struct dispatch *dispatch;
	struct history *history;
	struct heap due;
	LIST_HEAD(, telling) all;
};

/* Does what is due; and when that will be. Clear comes after the last telling_free. */
void tellings_due(struct tellings *all, mono_t now);
mono_t tellings_deadline(const struct tellings *all);
void tellings_clear(struct tellings *all);

/* What a rule is asked for. */
struct telling_ops {
	/* How things are. succeeded: a run has just ended well. */
	void (*facts)(void *arg, bool succeeded, struct alert_facts *out);
	/* What is wrong, as a sentence to free(3). */
	char *(*problem)(void *arg);
	/* Somebody was told: that is to be saved. */
	void (*told)(void *arg);
};

/*
 * The alert of one rule: carries out what alert.h says, with the command, the
 * environment and the accounts that run has. told: as it was in an earlier life.
 * What it is given must outlive it; free leaves a command that runs to its end. Below,
 * NULL is that of a rule that names no command: nothing is told, and nobody was.
 */
struct telling *telling_new(struct tellings *all, struct run *run, const char *name,
    const struct telling_ops *ops, void *arg);
void telling_free(struct telling *t);

/* What was told in an earlier life. */
void telling_restore(struct telling *t, bool told);

/* The facts may be others now; a run ended, and how; the rule is out of force. */
void telling_note(struct telling *t);
void telling_run_ended(struct telling *t, bool ok);
void telling_stop(struct telling *t);

/* Has somebody been told that the rule fails? */
bool telling_told(const struct telling *t);

/* Why the last alert could not be delivered; NULL: it could, or there was none. */
const char *telling_error(const struct telling *t);

#endif
