/* SPDX-License-Identifier: MIT */
#ifndef DEBT_H
#define DEBT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/heap.h"
#include "base/mono.h"

/*
 * Whose work is done next, so that nobody who makes much of it keeps others
 * waiting. Work is counted (in system calls and the like, never in time, which other
 * processes take, too) and charged to an account. All debts together are paid off at
 * one piece of work in DEBT_PAY_NS, in equal shares. An account with work is served
 * in the order of asking; one that owes more than DEBT_CREDIT waits until it owes
 * nothing. Pure: time is an argument.
 */
#define DEBT_PAY_NS (40 * INT64_C(1000)) /* ten times what a system call takes */
#define DEBT_CREDIT 256                  /* a few looks are nothing to wait for */

struct debt {
	struct heap_node due; /* settled when every debtor has paid so much */
	bool queued;          /* it is going to be served */
	bool held;            /* it asked, and has to pay first */
	TAILQ_ENTRY(debt) link;
};

struct debts {
	TAILQ_HEAD(, debt) queue;
	struct heap debtors;
	size_t ndebtors, nheld;
	int64_t paid; /* in ns, by each that has been a debtor from the beginning */
	mono_t at;    /* until when that is reckoned */
};

void debts_init(struct debts *all);

/* d, all zero at first, has work. It may have asked before. */
void debt_ask(struct debts *all, struct debt *d, mono_t now);

/* The account that is served next, which has to ask again for more; or NULL. */
struct debt *debts_next(struct debts *all, mono_t now);

/* So much was done for d. */
void debt_charge(struct debts *all, struct debt *d, uint64_t work, mono_t now);

/* Forgets d and what it owes. */
void debt_close(struct debts *all, struct debt *d);

/* When debts_next may have one; MONO_NEVER if nobody asked. */
mono_t debts_deadline(const struct debts *all);

#endif
