/* SPDX-License-Identifier: MIT */
/*
 * What somebody knows of a rule, and what he is to know. He hears of a recovery only
 * if he has heard of the failure, and what has become untrue before it could be said
 * is not said any more.
 */
#include "schedule/alert.h"

void
alert_init(struct alert *a, bool raised)
{
	*a = (struct alert){ .raised = raised };
	a->stuck_since = MONO_NEVER;
	a->due = MONO_NEVER;
}

static void
want(struct alert *a, enum alert_word word, mono_t now)
{
	if (a->wanted == word)
		return;
	a->wanted = word;
	a->due = now;
}

static bool
is_stuck_for_long(const struct alert *a, mono_t now)
{
	return !mono_is_never(a->stuck_since) &&
	       !mono_before(now, mono_add(a->stuck_since, ALERT_PATIENCE_NS));
}

void
alert_note(struct alert *a, const struct alert_facts *facts, mono_t now)
{
	if (!facts->stuck)
		a->stuck_since = MONO_NEVER;
	else if (mono_is_never(a->stuck_since))
		a->stuck_since = now;
	if (facts->failing || is_stuck_for_long(a, now))
		want(a, a->raised ? ALERT_NOTHING : ALERT_FAILING, now);
	else if (facts->well && a->raised)
		want(a, ALERT_RECOVERED, now);
	else if (facts->well && a->running == ALERT_NOTHING)
		want(a, ALERT_NOTHING, now);
}

void
alert_run_failed(struct alert *a, mono_t now)
{
	if (a->wanted == ALERT_FAILING)
		a->due = now;
}

mono_t
alert_deadline(const struct alert *a)
{
	if (a->running != ALERT_NOTHING)
		return MONO_NEVER;
	if (a->wanted != ALERT_NOTHING)
		return a->due;
	if (a->raised || mono_is_never(a->stuck_since))
		return MONO_NEVER;
	return mono_add(a->stuck_since, ALERT_PATIENCE_NS);
}

enum alert_word
alert_next(const struct alert *a, mono_t now)
{
	if (a->running != ALERT_NOTHING || mono_before(now, a->due))
		return ALERT_NOTHING;
	return a->wanted;
}

void
alert_start(struct alert *a)
{
	a->running = a->wanted;
}

void
alert_put_off(struct alert *a, mono_t until)
{
	a->due = until;
}

void
alert_end(struct alert *a, bool ok, mono_t now)
{
	bool same = a->wanted == a->running;

	if (ok) {
		a->raised = a->running == ALERT_FAILING;
		a->wanted = same ? ALERT_NOTHING : a->wanted;
	} else if (same) {
		a->due = mono_add(now, ALERT_AGAIN_NS);
	}
	a->running = ALERT_NOTHING;
}

const char *
alert_name(enum alert_word w)
{
	static const char *const names[] = {
		[ALERT_NOTHING] = "nothing",
		[ALERT_FAILING] = "failing",
		[ALERT_RECOVERED] = "recovered",
	};

	return names[w];
}
