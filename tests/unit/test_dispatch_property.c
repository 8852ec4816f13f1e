/* SPDX-License-Identifier: MIT */
/*
 * The dispatcher against a model, over random schedules. The test keeps its own
 * record of what was noticed and what ran. The model computes everything from
 * that record anew, the way the design says it: it has no phases, no heap and no
 * timers. The daemon is restarted and rules are changed now and then, and the record
 * goes on through all its lives. Only the two dice that the machine throws, splay and
 * jitter, are read from it, checked for their range, and held to be thrown once.
 *
 * WATCHPATHD_SEED=n sets the seed of the first schedule; a failure prints the
 * seed that makes the failing schedule the first one.
 * WATCHPATHD_SCHEDULES=n sets how many there are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "schedule/dispatch.h"
#include "watch/stamp.h"
#include "test.h"

#define RULES 4
#define PATHS 2
#define LOCKS 2
#define RECORD 500
#define EVENTS 40
#define DRAIN_TURNS 5000
#define DEFAULT_SEED UINT64_C(20261124)
#define DEFAULT_SCHEDULES 20000
#define POLLED_SCHEDULES 1500

#define MS MONO_MS
#define SEC MONO_SEC
#define NEVER INT64_MAX
#define LONG_AGO (INT64_MIN / 4)

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- the test's own record ---- */

enum kind {
	DIFF,
	BASELINE,
	AT_START,
	TIMER,
	NUDGE,
	START,
	END,
	FORGET,
	CLOSE,
	UNSETTLED, /* it left the queue to settle */
	CHANGED,   /* the rule */
	RESTORED,  /* it is back in force, in another life of the daemon */
	ADOPTED,   /* its run was found alive */
	LOST       /* ... or gone */
};

struct event {
	enum kind kind;
	int64_t at;
	size_t path;
	unsigned asked; /* DIFF, BASELINE: what of it counts */
	bool echo;      /* noticed in a run or within 200 ms after one */
	bool nothing;   /* afterwards nothing is owed but what a run has taken */
	bool boundary;  /* ... and no run has taken anything that may come back */
	/* START */
	bool manual, took, ended, ok;
	uint32_t attempt;
	unsigned self_made; /* how many self-made runs in a row this one ends */
	size_t first;       /* the oldest event that it answers */
	bool spent;         /* ... of a rule that had failed; RESTORED: that is a cause */
	bool lost;          /* nobody knows how it ended */
	int64_t burst;      /* DIFF, BASELINE: when its burst began */
	bool outside;   /* END, LOST, RESTORED: what it left counts as from elsewhere */
	bool fresh;     /* RESTORED: without a record */
	bool path_owed; /* RESTORED */
	bool adopted;   /* LOST */
	int64_t over_at,
	    base; /* RESTORED: the last run's end, what `every` counts from */
	int64_t retry_at, length; /* END, RESTORED */
};

struct file {
	bool present, replaced;
	unsigned ino, content, mode, size;
};

/* What the model says of a rule that does not run. */
struct outlook {
	bool pending, spent, backing_off;
	uint32_t attempt;
	int64_t settled, free, due, retry_at, splay;
};

struct subject {
	struct dispatch_rule rule;
	struct policy policy;
	struct dispatch_path path[PATHS];
	struct file file[PATHS], seen[PATHS];
	bool watched[PATHS];
	unsigned owed[PATHS], taken[PATHS];
	bool cause_owed, cause_taken;
	size_t lock, next_lock; /* LOCKS: none */

	bool installed, blocked, gone, manual, queued, running, stopping, killed, rested;
	bool left_over, orphan; /* its run: of another life; nobody's */
	bool ignoring;
	int64_t key, added, started, ends_at, stop_at, close_at;
	int64_t offset; /* of the wall clock, when the state was saved */
	unsigned fail_percent, write_percent;
	int64_t splay; /* the die, and the period that it was thrown in */
	size_t splay_period;

	struct event record[RECORD];
	size_t n;
	bool fresh; /* outlook belongs to this n */
	struct outlook outlook;
};

struct world {
	struct dispatch d;
	struct dispatch_lock lock[LOCKS];
	struct subject subject[RULES];
	size_t rules;
	unsigned running, max_running;
	mono_t now;
	int64_t offset;                 /* of the wall clock */
	uint64_t seed, outside, inside; /* random streams */
	int64_t grain;                  /* wake-ups are rounded up to it */
	bool poll, full, draining;
	uint64_t trace;
	unsigned runs;
};

static struct world world;

/* How often the schedules came to what is worth trying. */
enum sight {
	SAW_CHANGE,
	SAW_START,
	SAW_TIMER,
	SAW_RETRY,
	SAW_MANUAL,
	SAW_TERM,
	SAW_KILL,
	SAW_CLOSE,
	SAW_BLOCKED,
	SAW_GUARD,
	SAW_CUT_SHORT,
	SAW_SPENT,
	SAW_LOCK_WAIT,
	SAW_RESETTLED,
	SAW_NEW_BURST,
	SAW_IN_SPLAY,
	SAW_CHANGED_RULE,
	SAW_RESTART,
	SAW_ADOPTED,
	SAW_LOST,
	SAW_AT_ONCE,
	SAW_TAKEN_UP,
	SIGHTS
};
static unsigned long seen[SIGHTS];

static const char *const kind_name[] = { "diff", "baseline", "at-start", "timer", "nudge",
	"start", "end", "forget", "close", "unsettled", "changed", "restored", "adopted",
	"lost" };

static void
print_subject(const struct world *w, const struct subject *s)
{
	const struct policy *p = &s->policy;
	size_t i;

	print_error(
	    "rule %d: on=%u settle=%lld/%lld cooldown=%lld splay=%lld timeout=%lld "
	    "every=%lld retry=%u delay=%lld at-start=%d ignore=%d lock=%zu\n",
	    (int)(s - w->subject), p->on, (long long)p->settle_ms,
	    (long long)p->settle_max_ms, (long long)p->cooldown_ms,
	    (long long)p->splay_ms, (long long)p->timeout_ms, (long long)p->every_ms,
	    p->retry, (long long)p->retry_delay_ms, (int)p->at_start,
	    (int)p->while_running, s->lock);
	for (i = s->n > 30 ? s->n - 30 : 0; i < s->n; i++)
		print_error("  %zu: %.6f ms %s path %zu asked %u attempt %u%s%s%s\n", i,
		    (double)s->record[i].at / MS, kind_name[s->record[i].kind],
		    s->record[i].path, s->record[i].asked, s->record[i].attempt,
		    s->record[i].manual ? " manual" : "",
		    s->record[i].took ? " took" : "", s->record[i].ok ? " ok" : "");
}

static void
check(const struct world *w, const struct subject *s, bool ok, const char *what)
{
	if (ok)
		return;
	print_error("at %.6f ms: %s\n", (double)w->now.ns / MS, what);
	if (s != NULL)
		print_subject(w, s);
	fail_msg("%s: WATCHPATHD_SEED=%llu", what, (unsigned long long)w->seed);
}

static uint64_t
roll(uint64_t *stream)
{
	uint64_t z = *stream += UINT64_C(0xa0761d6478bd642f);

	z = (z ^ (z >> 32)) * UINT64_C(0xe7037ed1a0b428db);
	return z ^ (z >> 29);
}

static bool
chance(uint64_t *stream, unsigned percent)
{
	return roll(stream) % 100 < percent;
}

#define PICK(stream, table) ((table)[roll(stream) % COUNT(table)])

static bool
pending(const struct subject *s)
{
	size_t p;

	for (p = 0; p < PATHS; p++)
		if (s->owed[p] != 0)
			return true;
	return s->cause_owed;
}

static struct event *
note(struct world *w, struct subject *s, enum kind kind)
{
	struct event *e = &s->record[s->n++];

	*e = (struct event){ .kind = kind, .at = w->now.ns };
	e->nothing = !pending(s);
	e->boundary = e->nothing && !s->running;
	s->fresh = false;
	if (s->n > RECORD - 20)
		w->full = true;
	return e;
}

/* ---- the model: section 4 of the design, read off the record ---- */

static const struct event *
latest(const struct subject *s, enum kind kind)
{
	size_t i;

	for (i = s->n; i > 0; i--)
		if (s->record[i - 1].kind == kind)
			return &s->record[i - 1];
	return NULL;
}

/* The pending period: all since a run that succeeded, or since nothing was owed. */
static size_t
period(const struct subject *s)
{
	size_t i;

	for (i = s->n; i > 0; i--)
		if (s->record[i - 1].boundary)
			return i;
	return 0;
}

/* The latest run of the pending period; what it took is owed again. Or s->n. */
static size_t
last_run(const struct subject *s, size_t from)
{
	size_t i;

	for (i = s->n; i > from; i--)
		if (s->record[i - 1].kind == START ||
		    (s->record[i - 1].kind == ADOPTED && s->record[i - 1].took))
			return i - 1;
	return s->n;
}

static bool
is_cause(const struct event *e)
{
	switch (e->kind) {
	case DIFF:
		return e->asked != 0;
	case BASELINE:
	case AT_START:
	case TIMER:
	case NUDGE:
	case CHANGED:
		return true;
	case RESTORED:
		return e->spent;
	default:
		return false;
	}
}

static bool
is_debt(const struct event *e)
{
	return is_cause(e) && e->kind != NUDGE && e->kind != CHANGED &&
	       e->kind != RESTORED;
}

/* The run whose failure the rule has to wait for, unless it was changed since. */
static size_t
last_failed(const struct subject *s, size_t from)
{
	bool over = false;
	size_t i;

	for (i = s->n; i > from && s->record[i - 1].kind != START; i--) {
		over |= s->record[i - 1].kind == END || s->record[i - 1].kind == LOST;
		if (s->record[i - 1].kind == CHANGED && !over)
			return s->n;
	}
	return i > from ? i - 1 : s->n;
}

/* Is the outcome of a run unknown, and no other has started since? */
static bool
at_once(const struct subject *s, size_t from)
{
	size_t i;

	for (i = s->n; i > from; i--) {
		if (s->record[i - 1].kind == LOST)
			return true;
		if (s->record[i - 1].kind == START || s->record[i - 1].kind == CHANGED)
			return false;
	}
	return false;
}

/* Is there a cause after event i, before the next event of that kind? */
static bool
cause_until(const struct subject *s, size_t i, enum kind kind)
{
	for (i++; i < s->n && s->record[i].kind != kind; i++)
		if (is_cause(&s->record[i]))
			return true;
	return false;
}

static bool
budget_spent(const struct subject *s, size_t run)
{
	return s->policy.retry != RETRY_FOREVER && !cause_until(s, run, END) &&
	       s->record[run].attempt > s->policy.retry;
}

static bool
changed_in_run(const struct subject *s, size_t run)
{
	size_t i;

	for (i = run + 1; i < s->n && s->record[i].kind != END &&
			  s->record[i].kind != LOST && s->record[i].kind != START;
	     i++)
		if (s->record[i].kind == CHANGED)
			return true;
	return false;
}

/* Was the wait after run i cut short? before: the one before that was. */
static bool
cut_after(const struct subject *s, size_t i, bool before)
{
	if (s->record[i].lost)
		return false;
	if (changed_in_run(s, i))
		before = false;
	return !before && s->policy.retry != 0 && !budget_spent(s, i) &&
	       cause_until(s, i, START);
}

/* Was the wait after this failed run cut short? Not if the one before it was. */
static bool
cut_short(const struct subject *s, size_t from, size_t run)
{
	bool cut = false, running = false;
	size_t i;

	for (i = from; i <= run; i++) {
		if (s->record[i].kind == START)
			cut = cut_after(s, i, cut);
		if (s->record[i].kind == START)
			running = true;
		if (s->record[i].kind == END || s->record[i].kind == LOST)
			running = false;
		if (s->record[i].kind == CHANGED && !running)
			cut = false;
	}
	return cut;
}

/* Where the part of the record begins that no run has answered in any way. */
static size_t
unanswered(const struct subject *s, size_t from)
{
	size_t i;

	for (i = s->n; i > from; i--)
		if (s->record[i - 1].nothing)
			return i;
	return from;
}

static size_t
oldest_owed(const struct subject *s, size_t from)
{
	size_t run = last_run(s, from), i;

	if (run < s->n)
		return s->record[run].first;
	for (i = unanswered(s, from); i < s->n; i++)
		if (is_debt(&s->record[i]))
			return i;
	return 0;
}

/* The latest difference of this life; what is owed still counts as one at its start. */
static int64_t
last_difference(const struct subject *s)
{
	const struct event *e;

	for (e = s->record + s->n; e-- > s->record;) {
		if (e->kind == DIFF || e->kind == BASELINE)
			return e->at;
		if (e->kind == RESTORED)
			return e->path_owed ? e->at : LONG_AGO;
	}
	return LONG_AGO;
}

/* The first difference of the burst that the latest one belongs to. */
static int64_t
burst(const struct subject *s)
{
	const struct event *e;

	for (e = s->record + s->n; e-- > s->record;) {
		if (e->kind == DIFF || e->kind == BASELINE)
			return e->burst;
		if (e->kind == RESTORED)
			return e->path_owed ? e->at : LONG_AGO;
	}
	return LONG_AGO;
}

static bool
has_left_the_queue(const struct subject *s)
{
	const struct event *e;

	for (e = s->record + s->n; e-- > s->record;)
		if (e->kind == UNSETTLED || e->kind == START || e->kind == RESTORED)
			return e->kind == UNSETTLED;
	return false;
}

/* Was all that is owed noticed during the last run or within 2 s after it? */
static bool
all_self_made(const struct subject *s)
{
	const struct event *e;

	for (e = s->record + s->n; e-- > s->record;) {
		if (e->outside || (is_debt(e) && !e->echo))
			return false;
		if (e->nothing || e->kind == ADOPTED || e->kind == RESTORED)
			return true;
	}
	return true;
}

/* How many self-made runs there were in a row, in this life and of this rule. */
static unsigned
self_made(const struct subject *s)
{
	const struct event *e;

	for (e = s->record + s->n; e-- > s->record;)
		if (e->kind == START || e->kind == CHANGED || e->kind == RESTORED)
			return e->self_made;
	return 0;
}

/* When the last run ended. */
static int64_t
end_of_run(const struct subject *s)
{
	const struct event *e;

	for (e = s->record + s->n; e-- > s->record;) {
		if (e->kind == END || (e->kind == LOST && e->adopted))
			return e->at;
		if (e->kind == RESTORED)
			return e->over_at;
	}
	return LONG_AGO;
}

/* The event that says when the retry is due, or NULL. */
static const struct event *
retry(const struct subject *s)
{
	const struct event *e;

	for (e = s->record + s->n; e-- > s->record;)
		if ((e->kind == END && e->took && !e->ok) || e->kind == RESTORED)
			return e;
	return NULL;
}

/* What `every` counts from, before event i. */
static int64_t
base_of_every(const struct subject *s, size_t i)
{
	for (; i > 0; i--) {
		if (s->record[i - 1].kind == END && s->record[i - 1].ok)
			return s->record[i - 1].at;
		if (s->record[i - 1].kind == RESTORED)
			return s->record[i - 1].base;
	}
	return s->added;
}

static int64_t
doubled(int64_t t, unsigned times, int64_t limit)
{
	while (times-- > 0 && t < limit)
		t = 2 * t < limit ? 2 * t : limit;
	return t;
}

static int64_t
end_of_cooldown(const struct subject *s)
{
	int64_t cooldown = s->policy.cooldown_ms * MS, guard = 0, end = end_of_run(s);

	if (end == LONG_AGO)
		return LONG_AGO;
	if (self_made(s) >= 10 && all_self_made(s))
		guard = doubled(SEC, self_made(s) - 10, 600 * SEC);
	seen[SAW_GUARD] += guard > cooldown;
	return end + (guard > cooldown ? guard : cooldown);
}

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
settled(const struct subject *s, int64_t first, int64_t base)
{
	return sooner(last_difference(s) + s->policy.settle_ms * MS,
	    later(later(first, burst(s)), base) + s->policy.settle_max_ms * MS);
}

/* When the rule began to owe; what another life knew it owes since its own start. */
static int64_t
first_debt(const struct subject *s, size_t from)
{
	const struct event *e = latest(s, RESTORED);

	return later(s->record[oldest_owed(s, from)].at, e != NULL ? e->at : LONG_AGO);
}

static bool
is_idle(const struct subject *s)
{
	return s->policy.enabled && !s->gone && !s->running && !s->blocked && !s->queued;
}

/* The splay is for this period, unless the rule was changed or restored in it. */
static size_t
splay_period(const struct subject *s, size_t from)
{
	size_t i;

	for (i = s->n; i > from; i--)
		if (s->record[i - 1].kind == CHANGED || s->record[i - 1].kind == RESTORED)
			return i;
	return from;
}

/* The splay: within its limit, and the same all through the period. */
static int64_t
splay(const struct world *w, struct subject *s, size_t from)
{
	int64_t ns = s->rule.splay_ns;

	if (ns < 0 && (s->record[s->n - 1].kind == TIMER || !is_idle(s)))
		return s->policy.splay_ms > 0 ? 3600 * SEC : 0; /* not thrown yet */
	from = splay_period(s, from);
	check(w, s, ns >= 0 && ns <= s->policy.splay_ms * MS, "splay within its limit");
	if (s->splay_period == from)
		check(w, s, s->splay == ns, "splay is drawn once per pending period");
	s->splay_period = from;
	s->splay = ns;
	return ns;
}

static void
outlook_after_failure(
    const struct world *w, struct subject *s, struct outlook *o, size_t from, size_t run)
{
	int64_t first = first_debt(s, from), base, plain;
	bool again = cause_until(s, run, START);

	o->retry_at = retry(s)->retry_at;
	o->spent = budget_spent(s, run) && !again;
	o->attempt = again ? 1 : s->record[run].attempt + (o->spent ? 0 : 1);
	plain = later(settled(s, first, o->free), o->free);
	base = o->retry_at;
	if (o->spent) {
		o->due = NEVER;
		seen[SAW_SPENT]++;
	} else if (s->policy.retry == 0) {
		o->splay = splay(w, s, from);
		o->due = later(plain, first) + o->splay;
	} else if (budget_spent(s, run)) {
		base = later(o->free, o->retry_at);
		o->splay = splay(w, s, from);
		o->due = later(later(settled(s, first, base), base), first) + o->splay;
		o->backing_off = w->now.ns < o->retry_at;
	} else {
		o->due = later(later(settled(s, first, base), base), first);
		o->backing_off = !cut_short(s, from, run);
		if (!o->backing_off)
			o->due = sooner(o->due, later(plain, first));
		seen[SAW_CUT_SHORT] += !o->backing_off;
	}
}

/* The number of the last run, which does not count. */
static uint32_t
same_attempt(const struct subject *s, size_t from)
{
	size_t run = last_run(s, from);

	if (run == s->n || cause_until(s, run, START))
		return 1;
	return s->record[run].attempt;
}

static void
compute_outlook(const struct world *w, struct subject *s, struct outlook *o)
{
	size_t from = period(s), run = last_failed(s, from);
	int64_t first;

	*o = (struct outlook){ .pending = pending(s), .attempt = 1, .due = NEVER };
	if (!o->pending)
		return;
	o->free = end_of_cooldown(s);
	first = first_debt(s, from);
	o->settled = settled(s, first, o->free);
	if (at_once(s, from)) {
		o->attempt = same_attempt(s, from);
		o->due = INT64_MIN;
		seen[SAW_AT_ONCE]++;
	} else if (run < s->n) {
		outlook_after_failure(w, s, o, from, run);
	} else {
		o->splay = splay(w, s, from);
		o->due = later(later(o->settled, o->free), first) + o->splay;
	}
}

static const struct outlook *
outlook(const struct world *w, struct subject *s)
{
	if (!s->fresh)
		compute_outlook(w, s, &s->outlook);
	s->fresh = true;
	return &s->outlook;
}

/* When a rule with while-running = ignore stops ignoring. */
static int64_t
close_time(const struct subject *s)
{
	return s->ignoring && !s->running && !s->gone ? s->close_at : NEVER;
}

/* When `every` asks for a run: only if the rule has nothing else to wait for. */
static int64_t
every_time(const struct world *w, struct subject *s)
{
	int64_t every = s->policy.every_ms * MS, at = base_of_every(s, s->n) + every;

	if (every == 0 || outlook(w, s)->due != NEVER)
		return NEVER;
	/* Those that came before the last run of a rule that has given up count not. */
	while (pending(s) && at <= end_of_run(s))
		at += every;
	return at;
}

/* Does nothing hold the rule any more but the splay? */
static bool
in_splay(const struct world *w, struct subject *s)
{
	const struct outlook *o;

	if (!is_idle(s) || !pending(s))
		return false;
	o = outlook(w, s);
	return o->due != NEVER && w->now.ns < o->due && o->due - o->splay <= w->now.ns;
}

/* The burst that a difference belongs to that is noticed now. */
static int64_t
burst_now(const struct world *w, struct subject *s)
{
	if (w->now.ns <= last_difference(s) + s->policy.settle_ms * MS ||
	    has_left_the_queue(s))
		return burst(s);
	if (in_splay(w, s)) {
		seen[SAW_IN_SPLAY]++;
		return burst(s);
	}
	seen[SAW_NEW_BURST] += pending(s);
	return w->now.ns;
}

/* When the machine has to do something about s by the clock. */
static int64_t
next_time(const struct world *w, struct subject *s)
{
	int64_t t;

	if (s->running)
		return s->killed ? NEVER : s->stop_at;
	if (s->gone || !s->policy.enabled)
		return NEVER;
	t = close_time(s);
	if (is_idle(s))
		t = sooner(t, sooner(outlook(w, s)->due, every_time(w, s)));
	return t;
}

static enum dispatch_state
expected_state(const struct world *w, struct subject *s)
{
	const struct outlook *o;

	if (!s->policy.enabled)
		return STATE_DISABLED;
	if (s->running)
		return s->stopping ? STATE_STOPPING : STATE_RUNNING;
	if (s->blocked || s->queued)
		return s->blocked ? STATE_BLOCKED : STATE_QUEUED;
	s->fresh = false; /* backing_off may depend on the time */
	o = outlook(w, s);
	if (!o->pending || o->spent)
		return o->pending ? STATE_FAILED : STATE_IDLE;
	if (o->backing_off)
		return STATE_RETRYING;
	return o->settled <= w->now.ns && w->now.ns < o->free ? STATE_COOLDOWN
							      : STATE_SETTLING;
}

static bool
lock_is_held(const struct world *w, const struct subject *s)
{
	size_t i;

	for (i = 0; s->lock < LOCKS && i < w->rules; i++)
		if (w->subject[i].running && w->subject[i].lock == s->lock)
			return true;
	return false;
}

static bool
may_start(const struct world *w, const struct subject *s)
{
	return s->queued && w->running < w->max_running && !lock_is_held(w, s);
}

/* ---- what the daemon does ---- */

static struct file
visible(const struct subject *s, size_t p)
{
	struct file f = s->file[p];

	return f.present && f.size >= s->policy.min_size ? f : (struct file){ 0 };
}

static unsigned
difference(const struct file *a, const struct file *b, bool replaced)
{
	unsigned bits = 0;

	if (!a->present || !b->present) {
		if (a->present == b->present)
			return 0;
		return b->present ? CHANGE_CREATE : CHANGE_DELETE;
	}
	if (a->ino != b->ino || replaced)
		bits |= CHANGE_CREATE | CHANGE_MODIFY;
	if (a->content != b->content || a->size != b->size)
		bits |= CHANGE_MODIFY;
	if (a->mode != b->mode)
		bits |= CHANGE_ATTRIBUTES;
	return bits;
}

static void
note_difference(struct world *w, struct subject *s, size_t p, unsigned bits,
    int64_t since, mono_t noticed)
{
	bool echo = s->running || noticed.ns <= end_of_run(s) + 200 * MS;
	unsigned asked = s->ignoring ? 0 : bits & s->policy.on;
	struct event *e;

	s->owed[p] |= asked;
	e = note(w, s, DIFF);
	e->path = p;
	e->asked = asked;
	e->echo = echo;
	e->burst = since;
}

static void
look(struct world *w, struct subject *s, size_t p, bool by_event)
{
	struct file f = visible(s, p);
	bool replaced = by_event && s->file[p].replaced;
	unsigned bits = difference(&s->seen[p], &f, replaced);
	mono_t noticed = w->now;
	int64_t since;

	if (!s->watched[p] || s->gone)
		return;
	s->seen[p] = f;
	s->file[p].replaced = false;
	since = bits != 0 ? burst_now(w, s) : 0;
	/* A look that was put off, for as long as a slow one makes it. */
	if (by_event && chance(&w->inside, 30))
		noticed.ns -= (int64_t)(roll(&w->inside) % 3000) * MS;
	if (bits == 0)
		return;
	dispatch_note(&w->d, &s->rule, &s->path[p], bits, noticed, w->now);
	note_difference(w, s, p, bits, since, noticed);
}

static void
look_at_all(struct world *w, struct subject *s)
{
	size_t start = roll(&w->inside) % PATHS, i;

	for (i = 0; i < PATHS; i++)
		look(w, s, (start + i) % PATHS, false);
}

static void
baseline(struct world *w, struct subject *s, size_t p)
{
	struct event *e;
	int64_t since;

	s->path[p] = (struct dispatch_path){ 0 };
	s->watched[p] = true;
	s->seen[p] = visible(s, p);
	s->file[p].replaced = false;
	since = burst_now(w, s);
	if (s->seen[p].present)
		dispatch_found(&w->d, &s->rule, &s->path[p], w->now);
	if (!s->seen[p].present ||
	    (s->policy.at_start != START_NEW && s->policy.at_start != START_ALWAYS))
		return;
	s->owed[p] = CHANGE_CREATE;
	e = note(w, s, BASELINE);
	e->asked = CHANGE_CREATE;
	e->burst = since;
}

static void
forget(struct world *w, struct subject *s, size_t p)
{
	s->watched[p] = false;
	dispatch_forget(&w->d, &s->rule, &s->path[p], w->now);
	s->owed[p] = s->taken[p] = 0;
	note(w, s, FORGET)->path = p;
	if (!pending(s) && !s->manual)
		s->queued = false;
}

static void
enter_queue(struct subject *s, int64_t key)
{
	if (!s->queued)
		s->key = key;
	s->queued = true;
}

static void
trigger(struct world *w, struct subject *s)
{
	bool can = s->policy.enabled && !s->gone && !s->blocked;

	check(w, s, dispatch_trigger(&w->d, &s->rule, w->now) == can,
	    "who may be triggered");
	if (!can)
		return;
	s->manual = true;
	if (!s->running)
		enter_queue(s, w->now.ns);
}

/* The promise's limits, from the record alone and without the model. */
static void
check_start(const struct world *w, const struct subject *s)
{
	size_t from = period(s);
	int64_t free = LONG_AGO;

	check(w, s, !s->running, "one run per rule at most");
	check(w, s, !lock_is_held(w, s), "one run per lock at most");
	check(w, s, w->running < w->max_running, "max-running runs at most");
	check(w, s, s->policy.enabled && !s->gone, "only rules in force run");
	if (s->manual)
		return;
	check(w, s, pending(s), "a run has a cause");
	if (at_once(s, from))
		return;
	if (end_of_run(s) != LONG_AGO)
		free = end_of_run(s) + s->policy.cooldown_ms * MS;
	if (last_failed(s, from) < s->n)
		free = sooner(free, retry(s)->retry_at);
	check(w, s, w->now.ns >= free, "no run during the cooldown");
	check(w, s, w->now.ns >= settled(s, first_debt(s, from), free),
	    "no run before it has settled");
}

static bool
owes(const struct subject *s, enum kind kind)
{
	size_t i;

	for (i = oldest_owed(s, period(s)); i < s->n; i++)
		if (s->record[i].kind == kind &&
		    (kind != DIFF || s->record[i].asked != 0) &&
		    (kind != RESTORED || s->record[i].path_owed))
			return true;
	return false;
}

/* The reason; with something forgotten it is not worth the telling. */
static void
check_reason(const struct world *w, const struct subject *s, uint32_t attempt,
    enum dispatch_reason reason)
{
	enum dispatch_reason want = REASON_TIMER;

	if (s->manual)
		want = REASON_MANUAL;
	else if (attempt > 1)
		want = REASON_RETRY;
	else if (owes(s, FORGET))
		return;
	else if (owes(s, DIFF) || owes(s, RESTORED))
		want = REASON_CHANGE;
	else if (owes(s, AT_START) || owes(s, BASELINE))
		want = REASON_START;
	check(w, s, reason == want, "the reason");
	seen[SAW_CHANGE + want]++;
}

static void
trace(struct world *w, const struct subject *s, unsigned what)
{
	w->trace = (w->trace ^ (uint64_t)w->now.ns) * UINT64_C(0x100000001b3);
	w->trace = (w->trace ^ (uint64_t)(s - w->subject)) * UINT64_C(0x100000001b3);
	w->trace = (w->trace ^ what) * UINT64_C(0x100000001b3);
}

static void
take_owed(struct subject *s)
{
	size_t p;

	for (p = 0; p < PATHS; p++) {
		s->taken[p] = s->owed[p];
		s->owed[p] = 0;
	}
	s->cause_taken = s->cause_owed;
	s->cause_owed = false;
}

static void
note_start(struct world *w, struct subject *s, uint32_t attempt)
{
	bool took = pending(s), spent = took && outlook(w, s)->spent;
	size_t from = period(s), first = took ? oldest_owed(s, from) : 0;
	unsigned in_a_row = 0;
	struct event *e;

	if (!s->manual && all_self_made(s))
		in_a_row = self_made(s) + 1;
	take_owed(s);
	e = note(w, s, START);
	e->manual = s->manual;
	e->attempt = attempt;
	e->took = took;
	e->first = first;
	e->self_made = in_a_row;
	e->spent = spent;
	e->nothing = true;
	e->boundary = !took;
}

static void
start(struct world *w, struct subject *s)
{
	static const int64_t lengths[] = { 0, 0, 5, 60, 60, 800, 7000 };
	uint32_t attempt = pending(s) ? outlook(w, s)->attempt : 1;
	enum dispatch_reason reason;

	check_start(w, s);
	reason = dispatch_start(&w->d, &s->rule, w->now);
	s->started = w->now.ns;
	check(w, s, s->rule.attempt == attempt, "the attempt number");
	check_reason(w, s, attempt, reason);
	note_start(w, s, attempt);
	s->ignoring = s->policy.while_running == RUNNING_IGNORE;
	trace(w, s, attempt);
	s->manual = s->queued = s->stopping = s->killed = false;
	s->running = true;
	s->ends_at = w->now.ns + (w->draining ? 0 : PICK(&w->inside, lengths) * MS);
	s->stop_at =
	    s->policy.timeout_ms > 0 ? w->now.ns + s->policy.timeout_ms * MS : NEVER;
	w->running++;
	w->runs++;
}

static void
step_look(struct world *w, struct subject *s)
{
	size_t i;
	bool ready;

	check(w, s, may_start(w, s), "only what may start is asked for");
	for (i = 0; i < w->rules; i++)
		check(w, s, !may_start(w, &w->subject[i]) || w->subject[i].key >= s->key,
		    "the oldest due time comes first");
	look_at_all(w, s);
	if (!w->draining && chance(&w->inside, 3) && s->watched[0])
		forget(w, s, 0);
	ready = s->queued && (s->manual || outlook(w, s)->due <= w->now.ns);
	check(w, s, dispatch_ready(&w->d, &s->rule, w->now) == ready,
	    "a rule that has not settled does not start");
	if (!ready) {
		if (s->queued)
			note(w, s, UNSETTLED);
		s->queued = false;
		seen[SAW_RESETTLED]++;
	} else if (s->installed) {
		start(w, s);
	} else {
		dispatch_block(&w->d, &s->rule);
		trace(w, s, 0xb10c);
		seen[SAW_BLOCKED]++;
		s->queued = s->manual = false;
		s->blocked = true;
	}
}

static void
step_stop(struct world *w, struct subject *s, bool kill)
{
	check(w, s, s->running && s->stopping == kill && !s->killed,
	    "TERM once, then KILL once");
	check(w, s, w->grain != 0 ? w->now.ns >= s->stop_at : w->now.ns == s->stop_at,
	    "the moment of TERM or KILL");
	trace(w, s, kill ? 9 : 15);
	seen[kill ? SAW_KILL : SAW_TERM]++;
	if (kill || chance(&w->inside, 50))
		s->ends_at = w->now.ns;
	s->killed = kill;
	s->stopping = true;
	s->stop_at = w->now.ns + 5 * SEC;
}

static void
step_close(struct world *w, struct subject *s)
{
	int64_t at = close_time(s);

	check(w, s, w->grain != 0 ? w->now.ns >= at : w->now.ns == at,
	    "one settle after a success the paths are looked at");
	look_at_all(w, s);
	dispatch_stop_ignoring(&w->d, &s->rule, w->now);
	s->ignoring = false;
	note(w, s, CLOSE);
	seen[SAW_CLOSE]++;
}

/* What the clock does to the rules, in the model. */
static void
ripen(struct world *w)
{
	struct subject *s;

	for (s = w->subject; s < w->subject + w->rules; s++) {
		if (!is_idle(s) || close_time(s) <= w->now.ns)
			continue;
		if (every_time(w, s) <= w->now.ns) {
			s->cause_owed = true;
			note(w, s, TIMER);
		}
		if (outlook(w, s)->due <= w->now.ns)
			enter_queue(s, s->outlook.due);
	}
}

static void
check_rest(struct world *w)
{
	int64_t next = NEVER;
	struct subject *s;
	size_t p;

	for (s = w->subject; s < w->subject + w->rules; s++) {
		for (p = 0; p < PATHS; p++)
			check(w, s,
			    s->path[p].owed == s->owed[p] &&
				s->path[p].taken == s->taken[p],
			    "what is owed and taken");
		check(w, s, !may_start(w, s), "what may start is asked for at once");
		seen[SAW_LOCK_WAIT] += s->queued && lock_is_held(w, s);
		check(w, s,
		    s->gone || dispatch_state(&s->rule, w->now) == expected_state(w, s),
		    "the state shown");
		check(w, s,
		    s->gone || s->running || dispatch_pending(&s->rule) == pending(s),
		    "pending");
		next = sooner(next, next_time(w, s));
	}
	check(
	    w, NULL, dispatch_deadline(&w->d).ns == next, "the deadline is the model's");
}

static void
steps(struct world *w)
{
	struct dispatch_rule *r;
	enum dispatch_step step;
	struct subject *s;
	size_t i;

	while (!w->full) {
		ripen(w);
		step = dispatch_next(&w->d, w->now, &r);
		if (step == STEP_NONE)
			break;
		s = (struct subject *)(void *)((char *)r -
					       offsetof(struct subject, rule));
		if (step == STEP_LOOK)
			step_look(w, s);
		else if (step == STEP_STOP_IGNORING)
			step_close(w, s);
		else
			step_stop(w, s, step == STEP_KILL);
	}
	for (i = 0; i < w->rules; i++)
		w->subject[i].fresh = false;
	ripen(w);
	if (!w->full)
		check_rest(w);
}

/* ---- what happens outside ---- */

static void
change_file(uint64_t *stream, struct file *f)
{
	switch (roll(stream) % 8) {
	case 0:
		f->present = false;
		break;
	case 1:
		f->present = true;
		f->ino = 1 + (unsigned)(roll(stream) % 3);
		break;
	case 2:
		f->mode ^= 0100;
		break;
	case 3:
		f->replaced = f->present;
		break;
	default:
		f->present = true;
		f->content = (unsigned)(roll(stream) % 4); /* there and back again */
		f->size = (unsigned)(roll(stream) % 4);
	}
}

static int64_t
jittered_wait(const struct world *w, const struct subject *s)
{
	int64_t t = later(s->policy.retry_delay_ms, 1) * MS, wait;
	unsigned failures = 0;
	size_t i;

	for (i = s->n; i > 0; i--) {
		if ((s->record[i - 1].kind == END && s->record[i - 1].ok) ||
		    s->record[i - 1].kind == CHANGED || s->record[i - 1].fresh)
			break;
		if (s->record[i - 1].kind == END && s->record[i - 1].took)
			failures++;
	}
	t = doubled(t, failures, later(3600 * SEC, t));
	wait = s->rule.retry_at.ns - w->now.ns;
	check(w, s, wait >= t - t / 10 && wait <= t + t / 10, "the backoff");
	return s->rule.retry_at.ns;
}

static void
put_back(struct subject *s)
{
	size_t p;

	for (p = 0; p < PATHS; p++)
		s->owed[p] |= s->taken[p];
	s->cause_owed |= s->cause_taken;
}

/* A run is over, and what it took is not taken any more. */
static void
run_over(struct world *w, struct subject *s)
{
	s->running = s->left_over = s->cause_taken = false;
	memset(s->taken, 0, sizeof(s->taken));
	s->lock = s->next_lock;
	w->running--;
}

/* How the last run ended is not known. found: that it went on was known. */
static void
lost(struct world *w, struct subject *s, bool found)
{
	struct event *e;

	trace(w, s, 0x1057);
	seen[SAW_LOST]++;
	dispatch_lost(&w->d, &s->rule, w->now);
	s->record[latest(s, START) - s->record].lost = true;
	if (found) {
		put_back(s);
		run_over(w, s);
	}
	e = note(w, s, LOST);
	e->adopted = found;
	e->outside = found && s->policy.retry > 0;
	if (s->manual && s->policy.enabled)
		enter_queue(s, w->now.ns);
}

static void
note_end(struct world *w, struct subject *s, bool ok, bool took)
{
	struct event *e = note(w, s, END);

	e->ok = ok;
	e->took = took;
	e->outside = !ok && took && s->policy.retry > 0;
	if (ok || !took)
		return;
	s->n--;
	e->retry_at = jittered_wait(w, s);
	e->length = e->retry_at - w->now.ns;
	s->n++;
}

static bool
has_taken(const struct subject *s)
{
	size_t p;

	for (p = 0; p < PATHS; p++)
		if (s->taken[p] != 0)
			return true;
	return s->cause_taken;
}

static void
end(struct world *w, struct subject *s)
{
	bool ok = !s->stopping && !chance(&w->inside, s->fail_percent), took;
	size_t run = (size_t)(latest(s, START) - s->record);

	if (chance(&w->inside, s->write_percent)) {
		change_file(&w->inside, &s->file[0]);
		look(w, s, 0, true);
	}
	if (s->left_over) {
		lost(w, s, true);
		return;
	}
	trace(w, s, ok ? 0xe4d : 0xbad);
	/* If all that it took was forgotten meanwhile, it is as if asked for only. */
	took = has_taken(s);
	s->record[run].took = took;
	s->record[run].boundary |= !took;
	dispatch_end(&w->d, &s->rule, ok, w->now);
	s->record[run].ended = true;
	s->record[run].ok = ok;
	if (ok)
		s->record[run].boundary = true;
	else
		put_back(s);
	run_over(w, s);
	s->ignoring = s->ignoring && ok;
	s->close_at = w->now.ns + s->policy.settle_ms * MS;
	note_end(w, s, ok, took);
	if (s->manual && s->policy.enabled)
		enter_queue(s, w->now.ns);
}

static void
install(struct world *w, struct subject *s, bool there)
{
	s->installed = there;
	if (!there || s->gone)
		return;
	dispatch_unblock(&w->d, &s->rule, w->now);
	s->blocked = s->blocked && !s->policy.enabled;
	s->fresh = false;
}

static void
take_away(struct world *w, struct subject *s)
{
	check(w, s, dispatch_remove(&w->d, &s->rule) == s->running,
	    "a removed rule that runs has to live on");
	s->gone = true;
	s->offset = w->offset;
	s->queued = s->manual = s->blocked = false;
}

static void
touch(struct world *w, struct subject *s, size_t p)
{
	change_file(&w->outside, &s->file[p]);
	if (chance(&w->outside, 75))
		look(w, s, p, true);
}

static void
nudge(struct world *w, struct subject *s)
{
	dispatch_nudge(&w->d, &s->rule, w->now);
	note(w, s, NUDGE);
}

static void
watch_or_forget(struct world *w, struct subject *s, size_t p)
{
	if (s->watched[p])
		forget(w, s, p);
	else
		baseline(w, s, p);
}

static void
random_policy(uint64_t *u, struct policy *p)
{
	static const int64_t settle[] = { 0, 5, 40, 40, 1000 };
	static const int64_t settle_max[] = { 0, 20, 100, 100, 3000 };
	static const int64_t cooldown[] = { 0, 10, 200, 200, 5000 };
	static const int64_t splays[] = { 0, 0, 0, 30, 500 };
	static const int64_t timeout[] = { 0, 0, 50, 1000 };
	static const int64_t every[] = { 0, 0, 0, 300, 5000 };
	static const int64_t delay[] = { 0, 10, 300, 2000, 100000 };
	static const uint32_t retry[] = { 0, 1, 3, RETRY_FOREVER };

	*p = (struct policy){
		.on = chance(u, 50) ? CHANGE_CREATE | CHANGE_MODIFY | CHANGE_DELETE
				    : 1 + (unsigned)(roll(u) % 15),
		.min_size = roll(u) % 3,
		.settle_ms = PICK(u, settle),
		.settle_max_ms = PICK(u, settle_max),
		.cooldown_ms = PICK(u, cooldown),
		.splay_ms = PICK(u, splays),
		.timeout_ms = PICK(u, timeout),
		.every_ms = PICK(u, every),
		.retry = PICK(u, retry),
		.retry_delay_ms = PICK(u, delay),
		.enabled = !chance(u, 4),
		.at_start = (enum policy_start)(roll(u) % 4),
		.while_running = chance(u, 25) ? RUNNING_IGNORE : RUNNING_RERUN,
	};
}

/* ---- rules that change, and other lives of the daemon ---- */

static struct dispatch_lock *
lock_of(struct world *w, size_t lock)
{
	return lock < LOCKS ? &w->lock[lock] : NULL;
}

static void
change_rule(struct world *w, struct subject *s)
{
	random_policy(&w->outside, &s->policy);
	s->next_lock = roll(&w->outside) % (LOCKS + 1);
	dispatch_change(&w->d, &s->rule, &s->policy, lock_of(w, s->next_lock), w->now);
	if (!s->running)
		s->lock = s->next_lock;
	s->queued = false;
	s->close_at = later(s->close_at, w->now.ns);
	note(w, s, CHANGED);
	seen[SAW_CHANGED_RULE]++;
	if (s->manual && s->policy.enabled && !s->running && !s->blocked)
		enter_queue(s, w->now.ns);
	if (chance(&w->outside, 50))
		install(w, s, true);
}

/* A wall clock that is ahead of the other one by offset. */
static int64_t
real_time(const struct world *w, int64_t offset)
{
	return INT64_C(1700000000) * SEC + w->now.ns + offset;
}

/* Nothing of before counts: the rule is disabled, or at-start = never. */
static void
write_off(struct world *w, struct subject *s)
{
	size_t p;

	s->cause_owed = false;
	for (p = 0; p < PATHS; p++) {
		s->owed[p] = 0;
		note(w, s, FORGET)->path = p;
	}
}

/* Every wait at most its own length from now, whatever the clock did. */
static void
note_restored(struct world *w, struct subject *s, bool spent)
{
	int64_t now = w->now.ns, jump = w->offset - s->offset, left;
	int64_t ended = end_of_run(s), base = base_of_every(s, s->n);
	const struct event *before = retry(s);
	struct event e = { .kind = RESTORED, .base = now, .over_at = LONG_AGO };
	size_t p;

	e.fresh = !s->policy.enabled;
	e.retry_at = now;
	if (!e.fresh) {
		e.base = sooner(now, base - jump);
		e.over_at = ended == LONG_AGO ? LONG_AGO : sooner(now, ended - jump);
	}
	if (!e.fresh && before != NULL) {
		left = later(0, before->retry_at - jump - now);
		e.length = before->length;
		e.retry_at = now + sooner(left, e.length);
	}
	for (p = 0; p < PATHS; p++)
		e.path_owed |= s->owed[p] != 0;
	e.spent = spent;
	e.outside = pending(s);
	e.at = now;
	e.nothing = e.boundary = !pending(s);
	*note(w, s, RESTORED) = e;
}

static void
come_back_to(struct world *w, struct subject *s, size_t p)
{
	s->path[p] = (struct dispatch_path){ 0 };
	if (!s->policy.enabled)
		s->watched[p] = false;
	if (!s->watched[p])
		return;
	if (s->policy.at_start == START_NEVER) {
		baseline(w, s, p);
		return;
	}
	dispatch_restore_path(&w->d, &s->rule, &s->path[p], s->owed[p], w->now);
	look(w, s, p, false);
}

static void
adopt(struct world *w, struct subject *s, int64_t started)
{
	int64_t jump = w->offset - s->offset, timeout = s->policy.timeout_ms * MS;
	bool took = pending(s);
	size_t from = period(s), first = took ? oldest_owed(s, from) : 0;
	uint32_t attempt = same_attempt(s, from);
	struct event *e;

	trace(w, s, 0xad0);
	seen[SAW_ADOPTED]++;
	dispatch_adopt(&w->d, &s->rule, w->now.ns + jump - started, w->now);
	take_owed(s);
	s->running = s->left_over = true;
	s->stopping = s->killed = false;
	w->running++;
	started = sooner(w->now.ns, started - jump);
	s->stop_at = timeout > 0 ? later(started + timeout, w->now.ns) : NEVER;
	e = note(w, s, ADOPTED);
	e->nothing = e->boundary = !took;
	e->took = took;
	e->first = first;
	e->attempt = attempt;
}

/* Had it failed for good when it was last heard of? */
static bool
had_failed(const struct world *w, struct subject *s, bool ran)
{
	size_t run, i;

	if (!ran)
		return pending(s) && outlook(w, s)->spent;
	run = (size_t)(latest(s, START) - s->record);
	for (i = run; i < s->n; i++)
		if (s->record[i].kind == CHANGED)
			return false;
	return s->record[run].spent;
}

/* A rule is in force again. alive: the run that it had goes on. */
static void
come_back(struct world *w, struct subject *s, bool starting, bool alive)
{
	bool ran = s->running || s->orphan, spent = had_failed(w, s, ran);
	bool counts = s->policy.enabled && s->policy.at_start != START_NEVER;
	struct dispatch_saved known;
	int64_t started = s->started;
	size_t p;

	dispatch_save(&s->rule, &known, w->now, real_time(w, s->offset));
	put_back(s);
	s->running = s->orphan = s->left_over = s->cause_taken = s->gone = false;
	s->blocked = s->queued = s->manual = s->ignoring = false;
	memset(s->taken, 0, sizeof(s->taken));
	s->lock = s->next_lock;
	if (!counts)
		write_off(w, s);
	dispatch_add(&w->d, &s->rule, &s->policy, lock_of(w, s->lock), starting, w->now);
	if (s->policy.enabled)
		dispatch_restore(
		    &w->d, &s->rule, &known, w->now, real_time(w, w->offset));
	note_restored(w, s, spent && counts && pending(s));
	if (starting && s->policy.enabled && s->policy.at_start == START_ALWAYS) {
		s->cause_owed = true;
		note(w, s, AT_START);
	}
	for (p = 0; p < PATHS; p++)
		come_back_to(w, s, p);
	if (s->policy.enabled)
		dispatch_restored(&s->rule);
	if (ran && s->policy.enabled && alive)
		adopt(w, s, started);
	else if (ran && s->policy.enabled)
		lost(w, s, false);
}

/* What a daemon had in its heaps ends with it. */
static void
forget_all(struct world *w)
{
	size_t i;

	heap_clear(&w->d.timers);
	heap_clear(&w->d.queue);
	for (i = 0; i < LOCKS; i++)
		heap_clear(&w->lock[i].waiting);
	memset(w->lock, 0, sizeof(w->lock));
}

static void
restart(struct world *w)
{
	static const int64_t away[] = { 0, 0, 5, 200, 3000, 100000 };
	static const int64_t jumps[] = { 0, 0, 0, -1, 1, -500, 700, -90000, 90000 };
	struct subject *s;
	size_t p;

	trace(w, w->subject, 0x57a7);
	seen[SAW_RESTART]++;
	for (s = w->subject; s < w->subject + w->rules; s++) {
		s->orphan |= s->gone && s->running;
		s->running = s->running && !s->gone;
		s->offset = s->gone ? s->offset : w->offset;
	}
	w->now.ns += PICK(&w->outside, away) * MS;
	w->offset += PICK(&w->outside, jumps) * MS;
	w->running = 0;
	forget_all(w);
	dispatch_init(&w->d, w->max_running, roll(&w->outside));
	for (s = w->subject; s < w->subject + w->rules; s++) {
		for (p = 0; p < PATHS; p++)
			if (chance(&w->outside, 30))
				change_file(&w->outside, &s->file[p]);
		if (!s->gone)
			come_back(w, s, true,
			    chance(&w->outside, 70) && s->ends_at > w->now.ns);
	}
}

/* A rule that was removed is there again. */
static void
take_up(struct world *w, struct subject *s)
{
	seen[SAW_TAKEN_UP]++;
	if (s->running) {
		s->gone = false;
		change_rule(w, s);
		look_at_all(w, s);
	} else {
		come_back(w, s, false, false);
	}
}

static void
outside_event(struct world *w)
{
	struct subject *s = &w->subject[roll(&w->outside) % w->rules];
	size_t p = roll(&w->outside) % PATHS;
	unsigned what = (unsigned)(roll(&w->outside) % 100);

	if (s->gone && chance(&w->outside, 30))
		take_up(w, s);
	else if (s->gone || what < 55)
		touch(w, s, p);
	else if (what < 61)
		look(w, s, p, true);
	else if (what < 71)
		trigger(w, s);
	else if (what < 80)
		nudge(w, s);
	else if (what < 85)
		install(w, s, false);
	else if (what < 90)
		install(w, s, true);
	else if (what < 94)
		watch_or_forget(w, s, p);
	else if (what < 96)
		change_rule(w, s);
	else if (what < 98)
		restart(w);
	else
		take_away(w, s);
}

/* ---- schedules ---- */

static void
add_subject(struct world *w, struct subject *s)
{
	static const unsigned percent[] = { 0, 0, 30, 100 };
	uint64_t *u = &w->outside;
	size_t p;

	memset(s, 0, offsetof(struct subject, record));
	s->n = 0;
	s->fresh = false;
	random_policy(u, &s->policy);
	s->lock = s->next_lock = roll(u) % (LOCKS + 1);
	s->fail_percent = PICK(u, percent);
	s->write_percent = chance(u, 20) ? 100 : 0;
	s->installed = true;
	s->added = w->now.ns;
	s->splay_period = RECORD;
	dispatch_add(&w->d, &s->rule, &s->policy, lock_of(w, s->lock), true, w->now);
	if (s->policy.enabled && s->policy.at_start == START_ALWAYS) {
		s->cause_owed = true;
		note(w, s, AT_START);
	}
	for (p = 0; p < PATHS; p++) {
		change_file(u, &s->file[p]);
		baseline(w, s, p);
	}
}

static void
begin_world(struct world *w, uint64_t seed, int64_t grain, bool poll)
{
	size_t i;

	forget_all(w);
	memset(w, 0, offsetof(struct world, subject));
	w->running = w->runs = 0;
	w->offset = 0;
	w->full = w->draining = false;
	w->trace = 0;
	w->seed = w->outside = w->inside = seed;
	roll(&w->outside);
	w->inside ^= roll(&w->inside);
	w->grain = grain;
	w->poll = poll;
	w->now.ns = 1000 * SEC;
	w->rules = 1 + roll(&w->outside) % RULES;
	w->max_running = 1 + (unsigned)(roll(&w->outside) % 3);
	dispatch_init(&w->d, w->max_running, roll(&w->outside));
	for (i = 0; i < w->rules; i++)
		add_subject(w, &w->subject[i]);
	steps(w);
}

/* When something happens at the latest: by the clock, or a run that ends. */
static int64_t
next_wake(struct world *w)
{
	int64_t t = w->poll ? w->now.ns + w->grain : dispatch_deadline(&w->d).ns;
	struct subject *s;

	for (s = w->subject; s < w->subject + w->rules; s++)
		if (s->running)
			t = sooner(t, s->ends_at);
	if (w->grain != 0 && t != NEVER)
		t = (t + w->grain - 1) / w->grain * w->grain;
	return t;
}

static void
end_runs(struct world *w)
{
	struct subject *s;

	for (s = w->subject; s < w->subject + w->rules; s++)
		if (s->running && s->ends_at <= w->now.ns)
			end(w, s);
}

static void
run_until(struct world *w, int64_t until)
{
	int64_t t;

	while (!w->full) {
		end_runs(w);
		steps(w);
		t = next_wake(w);
		if (t >= until)
			break;
		w->now.ns = later(t, w->now.ns);
	}
	w->now.ns = until;
}

static void
play(struct world *w, bool fast)
{
	static const int64_t gaps[] = { 0, 0, 1, 5, 37, 200, 1500, 4000 };
	unsigned i;

	for (i = 0; i < EVENTS && !w->full; i++) {
		run_until(w, w->now.ns + gaps[roll(&w->outside) % (fast ? 6 : 8)] * MS);
		end_runs(w);
		steps(w);
		outside_event(w);
	}
}

static bool
at_rest(struct world *w, struct subject *s)
{
	if (s->gone || !s->policy.enabled)
		return true;
	return !s->running && !s->queued && (!pending(s) || outlook(w, s)->spent);
}

/*
 * The change in event i: has a run started after it, and with success, or is its
 * path not watched any more?
 */
static bool
was_answered(const struct subject *s, size_t i, bool well)
{
	size_t path = s->record[i].path;

	for (i++; i < s->n; i++)
		if ((s->record[i].kind == START && (s->record[i].ok || !well)) ||
		    (s->record[i].kind == FORGET && s->record[i].path == path))
			return true;
	return false;
}

/* Given up after as many attempts as the budget allows, none of them a success? */
static bool
has_failed_honestly(const struct subject *s)
{
	uint32_t attempts = 0;
	size_t i;

	for (i = s->n; i > 0 && !is_cause(&s->record[i - 1]); i--)
		if (s->record[i - 1].kind == START && s->record[i - 1].took &&
		    !s->record[i - 1].lost)
			attempts++;
	return attempts > s->policy.retry && s->policy.retry != RETRY_FOREVER;
}

static void
check_promise(const struct world *w, const struct subject *s)
{
	bool owes_still = pending(s);
	size_t i;

	if (s->gone || !s->policy.enabled)
		return;
	if (owes_still) {
		check(w, s, dispatch_state(&s->rule, w->now) == STATE_FAILED,
		    "what is owed at the end has visibly failed");
		check(w, s, has_failed_honestly(s), "the budget was used up");
	}
	for (i = 0; i < s->n; i++)
		if (s->record[i].kind == DIFF && s->record[i].asked != 0)
			check(w, s, was_answered(s, i, !owes_still),
			    "after every change a run starts, till one succeeds");
}

/* Checks each rule at its first rest; how many have not come to it yet. */
static size_t
check_who_rests(struct world *w)
{
	size_t i, restless = 0;

	for (i = 0; i < w->rules; i++) {
		if (w->subject[i].rested)
			continue;
		w->subject[i].rested = at_rest(w, &w->subject[i]);
		if (w->subject[i].rested)
			check_promise(w, &w->subject[i]);
		else
			restless++;
	}
	return restless;
}

/* From here on all goes well: what is owed has to be paid. */
static void
drain(struct world *w)
{
	unsigned turns;
	size_t i;

	w->draining = true;
	for (i = 0; i < w->rules; i++) {
		w->subject[i].fail_percent = w->subject[i].write_percent = 0;
		install(w, &w->subject[i], true);
	}
	for (turns = 0; turns < DRAIN_TURNS && !w->full; turns++) {
		if (check_who_rests(w) == 0)
			return;
		run_until(w, later(next_wake(w), w->now.ns) + 1);
	}
	for (i = 0; i < w->rules; i++)
		check(w, &w->subject[i], w->full || w->subject[i].rested,
		    "in the end all is paid or has failed");
}

static uint64_t
number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

TEST(every_schedule_keeps_the_promise_and_agrees_with_the_model)
{
	uint64_t seed = number_from("WATCHPATHD_SEED", DEFAULT_SEED);
	uint64_t n = number_from("WATCHPATHD_SCHEDULES", DEFAULT_SCHEDULES), i;
	unsigned long runs = 0, cut = 0;

	for (i = 0; i < n; i++) {
		begin_world(&world, seed + i, 0, false);
		play(&world, false);
		drain(&world);
		runs += world.runs;
		cut += world.full;
	}
	print_message(
	    "%llu schedules, %lu runs, %lu cut off\n", (unsigned long long)n, runs, cut);
	if (n < 1000)
		return;
	assert_true(runs > n && cut < n / 10);
	for (i = 0; i < SIGHTS; i++)
		if (seen[i] < n / 50)
			fail_msg("sight %u came only %lu times", (unsigned)i, seen[i]);
}

TEST(waking_only_at_the_deadline_is_as_good_as_polling)
{
	uint64_t seed = number_from("WATCHPATHD_SEED", DEFAULT_SEED), lazy, i;
	unsigned runs;

	for (i = 0; i < POLLED_SCHEDULES; i++) {
		begin_world(&world, seed + i, MS, false);
		play(&world, true);
		lazy = world.trace;
		runs = world.runs;
		begin_world(&world, seed + i, MS, true);
		play(&world, true);
		check(&world, NULL, world.runs == runs && world.trace == lazy,
		    "polling gives another schedule");
	}
}
