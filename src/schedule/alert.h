/* SPDX-License-Identifier: MIT */
#ifndef ALERT_H
#define ALERT_H

#include <stdbool.h>

#include "base/mono.h"

/*
 * When does somebody have to know of a rule? A pure machine, as the dispatcher is: once
 * when the rule fails, and once more when it is well again.
 */

/* A rule that cannot run for this long counts as one that fails. */
#define ALERT_PATIENCE_NS (600 * MONO_SEC)
/* What could not be said is tried again this much later. */
#define ALERT_AGAIN_NS (3600 * MONO_SEC)

enum alert_word { ALERT_NOTHING, ALERT_FAILING, ALERT_RECOVERED };

/* What is so with the rule now. */
struct alert_facts {
	bool failing; /* it has failed as often as somebody should know of */
	bool stuck;   /* it owes something and is blocked, or cannot see a path */
	bool well;    /* it has just succeeded, or nothing is owed or has failed */
};

/* Callers read it and never write it. */
struct alert {
	bool raised;             /* somebody knows that it fails */
	enum alert_word wanted;  /* what is to be said */
	enum alert_word running; /* what is being said */
	mono_t stuck_since;      /* MONO_NEVER: it is not */
	mono_t due;
};

/* raised: as it was in an earlier life. */
void alert_init(struct alert *a, bool raised);

/* The facts may have changed, or alert_deadline has come. */
void alert_note(struct alert *a, const struct alert_facts *facts, mono_t now);

/* A run has failed: what could not be said is tried again now. */
void alert_run_failed(struct alert *a, mono_t now);

/* When alert_note or alert_next has something to do; MONO_NEVER: by no clock. */
mono_t alert_deadline(const struct alert *a);

/* What is to be said now; then alert_start, or alert_put_off where that cannot be. */
enum alert_word alert_next(const struct alert *a, mono_t now);
void alert_start(struct alert *a);
void alert_put_off(struct alert *a, mono_t until);

/* It has been said, or could not be; then call alert_note. */
void alert_end(struct alert *a, bool ok, mono_t now);

const char *alert_name(enum alert_word w);

#endif
