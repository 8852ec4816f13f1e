/* SPDX-License-Identifier: MIT */
/*
 * Debts that are paid off together. Of k debtors each pays a k-th of the time, so
 * one that owes little is soon free, however much others owe, and all together
 * never get more than their part. What each has paid since the beginning is one
 * number, `paid`; a debt is the value of it at which it is settled.
 */
#include "watch/debt.h"

#include "base/util.h"

void
debts_init(struct debts *all)
{
	*all = (struct debts){ .at = { INT64_MIN } };
	TAILQ_INIT(&all->queue);
}

static void
enqueue(struct debts *all, struct debt *d)
{
	d->queued = true;
	TAILQ_INSERT_TAIL(&all->queue, d, link);
}

static void
release(struct debts *all, struct debt *d)
{
	all->nheld -= d->held;
	d->held = false;
}

static void
settle(struct debts *all, struct debt *d)
{
	heap_remove(&all->debtors, &d->due);
	all->ndebtors--;
	if (d->held) {
		release(all, d);
		enqueue(all, d);
	}
}

/* Reckons what was paid until now. */
static void
pay(struct debts *all, mono_t now)
{
	struct heap_node *first;
	int64_t left, each;

	while ((first = heap_first(&all->debtors)) != NULL) {
		each = mono_sub(now, all->at) / (int64_t)all->ndebtors;
		left = heap_next(&all->debtors).ns - all->paid;
		if (each < left)
			break;
		all->paid += left;
		all->at = mono_add(all->at, left * (int64_t)all->ndebtors);
		settle(all, CONTAINER_OF(first, struct debt, due));
	}
	if (first == NULL) {
		all->at = now;
		return;
	}
	all->paid += each;
	all->at = mono_add(all->at, each * (int64_t)all->ndebtors);
}

void
debt_ask(struct debts *all, struct debt *d, mono_t now)
{
	if (d->queued || d->held)
		return;
	pay(all, now);
	if (!heap_has(&d->due) || heap_key(&all->debtors, &d->due).ns - all->paid <=
				      DEBT_CREDIT * DEBT_PAY_NS) {
		enqueue(all, d);
		return;
	}
	d->held = true;
	all->nheld++;
}

struct debt *
debts_next(struct debts *all, mono_t now)
{
	struct debt *d;

	pay(all, now);
	d = TAILQ_FIRST(&all->queue);
	if (d != NULL) {
		TAILQ_REMOVE(&all->queue, d, link);
		d->queued = false;
	}
	return d;
}

void
debt_charge(struct debts *all, struct debt *d, uint64_t work, mono_t now)
{
	mono_t from;

	if (work == 0)
		return;
	pay(all, now);
	from = (mono_t){ all->paid };
	if (heap_has(&d->due))
		from = heap_key(&all->debtors, &d->due);
	else
		all->ndebtors++;
	heap_put(&all->debtors, &d->due, mono_add(from, (int64_t)work * DEBT_PAY_NS));
}

void
debt_close(struct debts *all, struct debt *d)
{
	if (d->queued)
		TAILQ_REMOVE(&all->queue, d, link);
	d->queued = false;
	release(all, d);
	all->ndebtors -= heap_has(&d->due);
	heap_remove(&all->debtors, &d->due);
}

mono_t
debts_deadline(const struct debts *all)
{
	if (!TAILQ_EMPTY(&all->queue))
		return (mono_t){ INT64_MIN };
	if (all->nheld == 0)
		return MONO_NEVER;
	return mono_add(
	    all->at, (heap_next(&all->debtors).ns - all->paid) * (int64_t)all->ndebtors);
}
