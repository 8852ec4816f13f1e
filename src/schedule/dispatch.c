/* SPDX-License-Identifier: MIT */
/*
 * The state machine of a rule, and the queue that all rules stand in. It keeps
 * the delivery promise: what is owed is only ever dropped by a run that started
 * after it and succeeded. Everything is derived from a few recorded times, so a
 * wait is a deadline and not a state, and any new fact just computes it again.
 */
#include "schedule/dispatch.h"

#define MINIMUM ((mono_t){ INT64_MIN })
#define BACKOFF_MAX_NS (3600 * MONO_SEC)
#define GUARD_MAX_NS (600 * MONO_SEC)
#define KILL_AFTER_NS (5 * MONO_SEC)

/* A change this soon after a run counts as the run's own doing. */
#define ECHO_NS (200 * MONO_MS)
/* The run in a row from which a rule that triggers itself is slowed down. */
#define GUARD_FROM 10

static int64_t
ns(int64_t ms)
{
	return ms * MONO_MS;
}

/* splitmix64. */
static uint64_t
random_next(struct dispatch *d)
{
	uint64_t z = (d->random += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Evenly in 0 to max. */
static int64_t
random_upto(struct dispatch *d, int64_t max)
{
	return max > 0 ? (int64_t)(random_next(d) % ((uint64_t)max + 1)) : 0;
}

static bool
in_run(const struct dispatch_rule *r)
{
	return r->phase == PHASE_RUNNING || r->phase == PHASE_STOPPING;
}

/* A run in progress has taken the cause. */
bool
dispatch_pending(const struct dispatch_rule *r)
{
	return !TAILQ_EMPTY(&r->owed) || (r->cause != CAUSE_NONE && !in_run(r));
}

/* Was the run in progress only asked for by somebody? */
static bool
took_nothing(const struct dispatch_rule *r)
{
	return TAILQ_EMPTY(&r->taken) && r->cause == CAUSE_NONE;
}

static bool
is_ignoring(const struct dispatch_rule *r)
{
	return r->ignore_until.ns != MINIMUM.ns;
}

/* Queued, but for a while not in the queue: the place in it is kept. */
static bool
is_held(const struct dispatch_rule *r)
{
	return r->phase == PHASE_QUEUED && !heap_has(&r->place) && !heap_has(&r->turn);
}

/* When STEP_STOP_IGNORING is due. */
static mono_t
stop_ignoring_at(const struct dispatch_rule *r)
{
	return is_ignoring(r) ? r->ignore_until : MONO_NEVER;
}

/* A rule that has given up missed those that came before its last run was over. */
mono_t
dispatch_every_at(const struct dispatch_rule *r)
{
	int64_t every = ns(r->policy->every_ms), missed = 0;

	if (every == 0)
		return MONO_NEVER;
	if (r->wait == WAIT_CAUSE)
		missed = mono_sub(r->ended, r->every_from) / every;
	return mono_add(r->every_from, (missed + 1) * every);
}

bool
dispatch_is_guarded(const struct dispatch_rule *r)
{
	return r->self_made >= GUARD_FROM;
}

/* first (or 1 ms), doubled n times, at most max, or first if that is more. */
static int64_t
doubled(int64_t first, uint32_t n, int64_t max)
{
	int64_t t = first > MONO_MS ? first : MONO_MS;
	int64_t limit = first > max ? first : max;

	for (; n > 0 && t < limit; n--)
		t *= 2;
	return t < limit ? t : limit;
}

/* The wait after n failures in a row and one more. */
static int64_t
backoff(const struct dispatch_rule *r, uint32_t n)
{
	return doubled(ns(r->policy->retry_delay_ms), n, BACKOFF_MAX_NS);
}

/* When the cooldown ends; the guard only holds what nothing else asked for. */
static mono_t
free_at(const struct dispatch_rule *r)
{
	int64_t cooldown = ns(r->policy->cooldown_ms), guard;

	if (r->ended.ns == INT64_MIN)
		return MINIMUM;
	if (dispatch_is_guarded(r) && !r->outside) {
		guard = doubled(MONO_SEC, r->self_made - GUARD_FROM, GUARD_MAX_NS);
		cooldown = guard > cooldown ? guard : cooldown;
	}
	return mono_add(r->ended, cooldown);
}

/*
 * When the paths count as quiet, for a rule that is held until floor anyway. A
 * burst of changes may only put a run off by settle-max; one that begins after a
 * long wait for something else has that time again.
 */
static mono_t
settled_at(const struct dispatch_rule *r, mono_t floor)
{
	mono_t quiet = mono_add(r->last, ns(r->policy->settle_ms));
	mono_t from = mono_max(r->burst, floor);

	return mono_min(quiet, mono_add(from, ns(r->policy->settle_max_ms)));
}

/* What r waits for, besides that its paths settle. */
static mono_t
floor_of(const struct dispatch_rule *r)
{
	switch (r->wait) {
	case WAIT_COOLDOWN:
		return free_at(r);
	case WAIT_BACKOFF:
	case WAIT_UNCUT:
		return r->retry_at;
	case WAIT_EITHER:
		return mono_min(free_at(r), r->retry_at);
	case WAIT_BOTH:
		return mono_max(free_at(r), r->retry_at);
	case WAIT_NONE:
		return MINIMUM;
	case WAIT_CAUSE:
		break;
	}
	return MONO_NEVER;
}

/* The delay that is drawn at random: not for a retry. */
static int64_t
splay_of(const struct dispatch_rule *r)
{
	bool splayed = r->wait == WAIT_COOLDOWN || r->wait == WAIT_BOTH;

	return splayed && r->splay_ns > 0 ? r->splay_ns : 0;
}

/* Settled, past the floor, and no sooner than what is owed; then the splay. */
mono_t
dispatch_due(const struct dispatch_rule *r)
{
	mono_t floor = floor_of(r), due;

	if (!dispatch_pending(r) || mono_is_never(floor))
		return MONO_NEVER;
	if (r->wait == WAIT_NONE)
		return MINIMUM;
	due = mono_max(mono_max(settled_at(r, floor), floor), r->burst);
	return mono_add(due, splay_of(r));
}

/* Is it quiet and free, and nothing holds it but the splay? */
static bool
in_splay(const struct dispatch_rule *r, mono_t now)
{
	mono_t due = dispatch_due(r);

	return r->phase == PHASE_WAITING && mono_before(now, due) &&
	       !mono_before(now, mono_add(due, -splay_of(r)));
}

/*
 * In the splay a later change is no new burst: a file written more often than that
 * would put its run off for ever.
 */
static void
note_difference(struct dispatch_rule *r, mono_t now)
{
	if (!r->unsettled && !in_splay(r, now) &&
	    mono_before(mono_add(r->last, ns(r->policy->settle_ms)), now))
		r->burst = now;
	r->last = now;
}

/* The first who waits for a free lock stands in the queue. */
static void
lock_update(struct dispatch *d, struct dispatch_lock *lock)
{
	struct heap_node *first = heap_first(&lock->waiting);

	if (lock->next != NULL)
		heap_remove(&d->queue, &lock->next->turn);
	lock->next = NULL;
	if (!LIST_EMPTY(&lock->held_by) || first == NULL)
		return;
	lock->next = CONTAINER_OF(first, struct dispatch_rule, place);
	heap_put(&d->queue, &lock->next->turn, heap_next(&lock->waiting));
}

static void
set_timer(struct dispatch *d, struct dispatch_rule *r, mono_t at)
{
	if (mono_is_never(at))
		heap_remove(&d->timers, &r->timer);
	else if (!heap_has(&r->timer) || heap_key(&d->timers, &r->timer).ns != at.ns)
		heap_put(&d->timers, &r->timer, at);
}

static void
enqueue(struct dispatch *d, struct dispatch_rule *r, mono_t due)
{
	r->phase = PHASE_QUEUED;
	r->queued = due;
	set_timer(d, r, stop_ignoring_at(r));
	if (r->lock == NULL) {
		heap_put(&d->queue, &r->turn, due);
		return;
	}
	heap_put(&r->lock->waiting, &r->place, due);
	lock_update(d, r->lock);
}

static void
leave_queue(struct dispatch *d, struct dispatch_rule *r)
{
	if (r->lock == NULL) {
		heap_remove(&d->queue, &r->turn);
		return;
	}
	heap_remove(&r->lock->waiting, &r->place);
	lock_update(d, r->lock);
}

/* Puts a rule that is neither queued nor running where its facts say. */
static void
rearm(struct dispatch *d, struct dispatch_rule *r, mono_t now)
{
	mono_t due;

	if (r->gone || !r->policy->enabled) {
		heap_remove(&d->timers, &r->timer);
		return;
	}
	if (r->manual) {
		enqueue(d, r, now);
		return;
	}
	if (dispatch_pending(r) && r->splay_ns < 0)
		r->splay_ns = random_upto(d, ns(r->policy->splay_ms));
	due = dispatch_due(r);
	r->phase = mono_is_never(due) ? PHASE_IDLE : PHASE_WAITING;
	if (r->phase == PHASE_IDLE)
		due = dispatch_every_at(r);
	set_timer(d, r, mono_min(due, stop_ignoring_at(r)));
}

/* Nothing that has failed is owed any more. The backoff waits for a success. */
static void
forget_failures(struct dispatch_rule *r)
{
	r->wait = WAIT_COOLDOWN;
	r->attempt = 1;
	r->splay_ns = -1;
}

/* Something new that asks for a run: it restores the budget of a failing rule. */
static void
note_cause(struct dispatch *d, struct dispatch_rule *r, mono_t now)
{
	if (in_run(r)) {
		r->cause_in_run = true;
		return;
	}
	r->attempt = 1;
	if (r->wait == WAIT_BACKOFF)
		r->wait = WAIT_EITHER;
	if (r->wait == WAIT_CAUSE)
		r->wait = r->policy->retry == 0 ? WAIT_COOLDOWN : WAIT_BOTH;
	if (r->phase == PHASE_IDLE || r->phase == PHASE_WAITING)
		rearm(d, r, now);
}

/* Notes that a rule owes something from now on. */
static void
begin_owing(struct dispatch_rule *r, bool outside, mono_t now)
{
	if (!dispatch_pending(r)) {
		r->burst = now;
		r->outside = false;
	}
	r->outside |= outside;
}

static void
owe_cause(
    struct dispatch *d, struct dispatch_rule *r, enum dispatch_cause what, mono_t now)
{
	begin_owing(r, true, now);
	if (r->cause != CAUSE_START)
		r->cause = what;
	note_cause(d, r, now);
}

static void
owe_path(struct dispatch *d, struct dispatch_rule *r, struct dispatch_path *p,
    unsigned bits, bool outside, mono_t now)
{
	begin_owing(r, outside, now);
	if (p->owed == 0)
		TAILQ_INSERT_TAIL(&r->owed, p, owed_link);
	p->owed |= bits;
	note_cause(d, r, now);
}

void
dispatch_init(struct dispatch *d, unsigned max_running, uint64_t seed)
{
	*d = (struct dispatch){ .max_running = max_running, .random = seed };
}

void
dispatch_add(struct dispatch *d, struct dispatch_rule *r, const struct policy *policy,
    struct dispatch_lock *lock, bool starting, mono_t now)
{
	*r = (struct dispatch_rule){
		.policy = policy,
		.lock = lock,
		.next_lock = lock,
		.attempt = 1,
		.splay_ns = -1,
		.last = MINIMUM,
		.burst = MINIMUM,
		.ended = MINIMUM,
		.retry_at = MINIMUM,
		.ignore_until = MINIMUM,
		.every_from = now,
	};
	TAILQ_INIT(&r->owed);
	TAILQ_INIT(&r->taken);
	if (!policy->enabled)
		return;
	if (starting && policy->at_start == START_ALWAYS)
		owe_cause(d, r, CAUSE_START, now);
	rearm(d, r, now);
}

static void
clear_taken(struct dispatch_rule *r)
{
	struct dispatch_path *p;

	while ((p = TAILQ_FIRST(&r->taken)) != NULL) {
		TAILQ_REMOVE(&r->taken, p, taken_link);
		p->taken = 0;
	}
	r->cause = CAUSE_NONE;
}

static int64_t
clamp(int64_t n, int64_t max)
{
	return n < 0 ? 0 : n > max ? max : n;
}

void
dispatch_save(
    const struct dispatch_rule *r, struct dispatch_saved *out, mono_t now, int64_t real)
{
	*out = (struct dispatch_saved){
		.cause = r->cause,
		.wait = r->wait,
		.attempt = r->cause_in_run ? 1 : r->attempt,
		.failures = r->failures,
		.ended =
		    r->ended.ns != MINIMUM.ns ? mono_as_real(r->ended, now, real) : 0,
		.succeeded = mono_as_real(r->every_from, now, real),
		.retry_at = r->failures > 0 ? mono_as_real(r->retry_at, now, real) : 0,
		.retry_length = r->retry_length,
	};
}

static void
restore_waits(
    struct dispatch_rule *r, const struct dispatch_saved *saved, mono_t now, int64_t real)
{
	int64_t longest = backoff(r, saved->failures);

	r->failures = saved->failures;
	r->attempt = saved->attempt > 0 ? saved->attempt : 1;
	r->wait =
	    saved->wait <= WAIT_UNCUT ? (enum dispatch_wait)saved->wait : WAIT_COOLDOWN;
	r->retry_length = clamp(saved->retry_length, longest + longest / 10);
	r->retry_at = mono_add(now, clamp(saved->retry_at - real, r->retry_length));
	if (saved->ended != 0)
		r->ended = mono_add(now, -clamp(real - saved->ended, INT64_MAX));
	if (saved->succeeded != 0)
		r->every_from = mono_add(now, -clamp(real - saved->succeeded, INT64_MAX));
}

void
dispatch_restore(struct dispatch *d, struct dispatch_rule *r,
    const struct dispatch_saved *saved, mono_t now, int64_t real)
{
	bool started = r->cause != CAUSE_NONE;

	restore_waits(r, saved, now, real);
	if (saved->cause != CAUSE_NONE && r->policy->at_start != START_NEVER) {
		begin_owing(r, true, now);
		if (r->cause != CAUSE_START)
			r->cause =
			    saved->cause == CAUSE_TIMER ? CAUSE_TIMER : CAUSE_START;
	}
	/* A start is a cause for a rule that has given up, or runs at every start. */
	if (started || r->wait == WAIT_CAUSE)
		note_cause(d, r, now);
	rearm(d, r, now);
}

void
dispatch_restore_path(struct dispatch *d, struct dispatch_rule *r,
    struct dispatch_path *p, unsigned owed, mono_t now)
{
	if (owed == 0)
		return;
	begin_owing(r, true, now);
	p->owed = owed;
	p->changed = true;
	TAILQ_INSERT_TAIL(&r->owed, p, owed_link);
	/* Whoever wrote then may be at it still. */
	note_difference(r, now);
	rearm(d, r, now);
}

void
dispatch_restored(struct dispatch_rule *r)
{
	if (!in_run(r) && !dispatch_pending(r))
		forget_failures(r);
}

void
dispatch_change(struct dispatch *d, struct dispatch_rule *r, const struct policy *policy,
    struct dispatch_lock *lock, mono_t now)
{
	r->policy = policy;
	r->next_lock = lock;
	r->gone = false;
	r->failures = 0;
	r->self_made = 0;
	if (in_run(r)) {
		r->wait = WAIT_COOLDOWN;
		r->splay_ns = -1;
		r->cause_in_run = true;
		return;
	}
	forget_failures(r);
	if (r->phase == PHASE_QUEUED)
		leave_queue(d, r);
	r->lock = r->next_lock;
	if (r->phase != PHASE_BLOCKED || !policy->enabled)
		rearm(d, r, now);
}

void
dispatch_move_policy(struct dispatch_rule *r, const struct policy *policy)
{
	r->policy = policy;
}

bool
dispatch_remove(struct dispatch *d, struct dispatch_rule *r)
{
	r->manual = false;
	r->gone = true;
	if (in_run(r))
		return true;
	if (r->phase == PHASE_QUEUED)
		leave_queue(d, r);
	heap_remove(&d->timers, &r->timer);
	r->phase = PHASE_IDLE;
	return false;
}

void
dispatch_found(
    struct dispatch *d, struct dispatch_rule *r, struct dispatch_path *p, mono_t now)
{
	if (r->policy->at_start != START_NEW && r->policy->at_start != START_ALWAYS)
		return;
	note_difference(r, now);
	owe_path(d, r, p, CHANGE_CREATE, true, now);
}

/* Is a change that was noticed then to be taken for the last run's own doing? */
static bool
is_echo(const struct dispatch_rule *r, mono_t then)
{
	return in_run(r) || !mono_before(mono_add(r->ended, ECHO_NS), then);
}

void
dispatch_note(struct dispatch *d, struct dispatch_rule *r, struct dispatch_path *p,
    unsigned diff, mono_t noticed, mono_t now)
{
	note_difference(r, now);
	if (!is_ignoring(r) && (diff & r->policy->on) != 0) {
		owe_path(d, r, p, diff & r->policy->on, !is_echo(r, noticed), now);
		p->changed = true;
	} else if (r->phase == PHASE_WAITING) {
		rearm(d, r, now);
	}
}

bool
dispatch_path_settled(const struct dispatch_path *p)
{
	return p->owed == 0 && p->taken == 0;
}

void
dispatch_forget(
    struct dispatch *d, struct dispatch_rule *r, struct dispatch_path *p, mono_t now)
{
	if (p->owed != 0)
		TAILQ_REMOVE(&r->owed, p, owed_link);
	if (p->taken != 0)
		TAILQ_REMOVE(&r->taken, p, taken_link);
	p->owed = p->taken = 0;
	p->changed = false;
	if (!in_run(r) && !dispatch_pending(r)) {
		forget_failures(r);
		if (r->phase == PHASE_QUEUED && !r->manual) {
			leave_queue(d, r);
			r->phase = PHASE_WAITING;
		}
	}
	if (r->phase == PHASE_IDLE || r->phase == PHASE_WAITING)
		rearm(d, r, now);
}

bool
dispatch_trigger(struct dispatch *d, struct dispatch_rule *r, mono_t now)
{
	if (!r->policy->enabled || r->gone || r->phase == PHASE_BLOCKED)
		return false;
	r->manual = true;
	if (r->phase == PHASE_IDLE || r->phase == PHASE_WAITING)
		rearm(d, r, now);
	return true;
}

void
dispatch_nudge(struct dispatch *d, struct dispatch_rule *r, mono_t now)
{
	if (dispatch_pending(r) || in_run(r))
		note_cause(d, r, now);
}

/* The time of r's timer has come. */
static enum dispatch_step
timer_due(struct dispatch *d, struct dispatch_rule *r, mono_t now)
{
	if (r->phase == PHASE_RUNNING) {
		r->phase = PHASE_STOPPING;
		set_timer(d, r, mono_add(now, KILL_AFTER_NS));
		return STEP_TERM;
	}
	set_timer(d, r, MONO_NEVER);
	if (r->phase == PHASE_STOPPING)
		return STEP_KILL;
	if (!mono_before(now, stop_ignoring_at(r))) {
		if (is_held(r))
			set_timer(d, r, r->held_until);
		return STEP_STOP_IGNORING;
	}
	if (is_held(r)) {
		enqueue(d, r, r->queued);
		return STEP_NONE;
	}
	if (r->phase == PHASE_WAITING) {
		enqueue(d, r, dispatch_due(r));
		return STEP_NONE;
	}
	owe_cause(d, r, CAUSE_TIMER, now);
	return STEP_NONE;
}

enum dispatch_step
dispatch_next(struct dispatch *d, mono_t now, struct dispatch_rule **r)
{
	enum dispatch_step step;

	while (!mono_before(now, heap_next(&d->timers))) {
		*r = CONTAINER_OF(heap_first(&d->timers), struct dispatch_rule, timer);
		step = timer_due(d, *r, now);
		if (step != STEP_NONE)
			return step;
	}
	if (d->stopped || d->running >= d->max_running || heap_first(&d->queue) == NULL)
		return STEP_NONE;
	*r = CONTAINER_OF(heap_first(&d->queue), struct dispatch_rule, turn);
	return STEP_LOOK;
}

void
dispatch_stop_ignoring(struct dispatch *d, struct dispatch_rule *r, mono_t now)
{
	r->ignore_until = MINIMUM;
	if (r->phase == PHASE_IDLE || r->phase == PHASE_WAITING)
		rearm(d, r, now);
}

bool
dispatch_ready(struct dispatch *d, struct dispatch_rule *r, mono_t now)
{
	if (r->phase != PHASE_QUEUED)
		return false;
	if (r->manual || !mono_before(now, dispatch_due(r)))
		return true;
	leave_queue(d, r);
	r->unsettled = true;
	rearm(d, r, now);
	return false;
}

/* Takes what is owed; whether any of it is a change since the start. */
static bool
take_owed(struct dispatch_rule *r)
{
	struct dispatch_path *p;
	bool changed = false;

	while ((p = TAILQ_FIRST(&r->owed)) != NULL) {
		TAILQ_REMOVE(&r->owed, p, owed_link);
		TAILQ_INSERT_TAIL(&r->taken, p, taken_link);
		p->taken = p->owed;
		p->owed = 0;
		changed |= p->changed;
	}
	return changed;
}

static enum dispatch_reason
reason(const struct dispatch_rule *r, bool changed)
{
	if (r->manual)
		return REASON_MANUAL;
	if (r->attempt > 1)
		return REASON_RETRY;
	if (changed)
		return REASON_CHANGE;
	return r->cause == CAUSE_TIMER && TAILQ_EMPTY(&r->taken) ? REASON_TIMER
								 : REASON_START;
}

/* A run that started then holds a slot and the lock from now on. */
static void
occupy(struct dispatch *d, struct dispatch_rule *r, mono_t then)
{
	int64_t timeout = ns(r->policy->timeout_ms);

	r->phase = PHASE_RUNNING;
	if (r->lock != NULL) {
		LIST_INSERT_HEAD(&r->lock->held_by, r, held_link);
		lock_update(d, r->lock);
	}
	d->running++;
	set_timer(d, r, timeout > 0 ? mono_add(then, timeout) : MONO_NEVER);
}

static void
vacate(struct dispatch *d, struct dispatch_rule *r)
{
	d->running--;
	if (r->lock != NULL) {
		LIST_REMOVE(r, held_link);
		lock_update(d, r->lock);
	}
	r->lock = r->next_lock;
	r->phase = PHASE_IDLE;
}

enum dispatch_reason
dispatch_start(struct dispatch *d, struct dispatch_rule *r, mono_t now)
{
	enum dispatch_reason why;

	leave_queue(d, r);
	r->self_made = r->manual || r->outside ? 0 : r->self_made + 1;
	why = reason(r, take_owed(r));
	if (took_nothing(r))
		r->attempt = 1;
	r->manual = r->cause_in_run = r->outside = r->unsettled = false;
	r->ignore_until =
	    r->policy->while_running == RUNNING_IGNORE ? MONO_NEVER : MINIMUM;
	occupy(d, r, now);
	return why;
}

void
dispatch_hold(struct dispatch *d, struct dispatch_rule *r, mono_t until)
{
	leave_queue(d, r);
	r->held_until = until;
	set_timer(d, r, mono_min(until, stop_ignoring_at(r)));
}

void
dispatch_block(struct dispatch *d, struct dispatch_rule *r)
{
	leave_queue(d, r);
	r->manual = false;
	r->phase = PHASE_BLOCKED;
	set_timer(d, r, stop_ignoring_at(r));
}

void
dispatch_unblock(struct dispatch *d, struct dispatch_rule *r, mono_t now)
{
	if (r->phase == PHASE_BLOCKED)
		rearm(d, r, now);
}

/* What the failed run took is owed again, before what was noticed meanwhile. */
static void
put_back(struct dispatch_rule *r)
{
	struct dispatch_path *p;

	while ((p = TAILQ_LAST(&r->taken, dispatch_paths)) != NULL) {
		TAILQ_REMOVE(&r->taken, p, taken_link);
		if (p->owed != 0)
			TAILQ_REMOVE(&r->owed, p, owed_link);
		TAILQ_INSERT_HEAD(&r->owed, p, owed_link);
		p->owed |= p->taken;
		p->taken = 0;
	}
	/* Without retries only what came new runs it again, and that may be its own. */
	r->outside |= r->policy->retry > 0;
}

void
dispatch_adopt(
    struct dispatch *d, struct dispatch_rule *r, int64_t since_start, mono_t now)
{
	heap_remove(&d->timers, &r->timer);
	if (r->phase == PHASE_QUEUED)
		leave_queue(d, r);
	take_owed(r);
	r->cause_in_run = r->outside = false;
	occupy(d, r, mono_add(now, -clamp(since_start, INT64_MAX)));
}

void
dispatch_lost(struct dispatch *d, struct dispatch_rule *r, mono_t now)
{
	if (in_run(r)) {
		vacate(d, r);
		r->ended = now;
		put_back(r);
		if (r->cause_in_run)
			r->attempt = 1;
	}
	if (dispatch_pending(r))
		r->wait = WAIT_NONE;
	else
		forget_failures(r);
	rearm(d, r, now);
}

static void
succeeded(struct dispatch_rule *r, mono_t now)
{
	clear_taken(r);
	forget_failures(r);
	r->failures = 0;
	r->every_from = now;
	if (is_ignoring(r))
		r->ignore_until = mono_add(now, ns(r->policy->settle_ms));
}

/* The wait after a failed run. One that follows a shortened one is in full. */
static void
failed(struct dispatch *d, struct dispatch_rule *r, mono_t now)
{
	enum dispatch_wait in_full = r->wait == WAIT_EITHER ? WAIT_UNCUT : WAIT_BACKOFF;
	int64_t wait = backoff(r, r->failures);
	uint32_t retry = r->policy->retry;

	put_back(r);
	r->failures++;
	r->retry_length = wait - wait / 10 + random_upto(d, wait / 5);
	r->retry_at = mono_add(now, r->retry_length);
	if (!dispatch_pending(r)) {
		forget_failures(r);
	} else if (r->cause_in_run) {
		r->attempt = 1;
		r->wait = in_full == WAIT_BACKOFF ? WAIT_EITHER : WAIT_UNCUT;
		if (retry == 0)
			r->wait = WAIT_COOLDOWN;
	} else if (retry == RETRY_FOREVER || r->attempt <= retry) {
		r->attempt++;
		r->wait = in_full;
	} else {
		r->wait = WAIT_CAUSE;
	}
}

void
dispatch_end(struct dispatch *d, struct dispatch_rule *r, bool ok, mono_t now)
{
	bool asked_only = took_nothing(r);

	vacate(d, r);
	r->ended = now;
	if (!ok)
		r->ignore_until = MINIMUM;
	if (ok)
		succeeded(r, now);
	else if (asked_only)
		forget_failures(r);
	else
		failed(d, r, now);
	rearm(d, r, now);
}

bool
dispatch_take_slot(struct dispatch *d)
{
	if (d->stopped || d->running >= d->max_running)
		return false;
	d->running++;
	return true;
}

void
dispatch_give_slot(struct dispatch *d)
{
	d->running--;
}

void
dispatch_stop(struct dispatch *d)
{
	d->stopped = true;
}

mono_t
dispatch_deadline(const struct dispatch *d)
{
	if (!d->stopped && d->running < d->max_running && heap_first(&d->queue) != NULL)
		return MINIMUM;
	return heap_next(&d->timers);
}

static enum dispatch_state
waiting_state(const struct dispatch_rule *r, mono_t now)
{
	mono_t free = free_at(r);

	if (r->wait == WAIT_BACKOFF || r->wait == WAIT_UNCUT ||
	    (r->wait == WAIT_BOTH && mono_before(now, r->retry_at)))
		return STATE_RETRYING;
	if (!mono_before(now, settled_at(r, free)) && mono_before(now, free))
		return STATE_COOLDOWN;
	return STATE_SETTLING;
}

enum dispatch_state
dispatch_state(const struct dispatch_rule *r, mono_t now)
{
	if (!r->policy->enabled)
		return STATE_DISABLED;
	switch (r->phase) {
	case PHASE_IDLE:
		return dispatch_pending(r) ? STATE_FAILED : STATE_IDLE;
	case PHASE_WAITING:
		return waiting_state(r, now);
	case PHASE_QUEUED:
		return STATE_QUEUED;
	case PHASE_BLOCKED:
		return STATE_BLOCKED;
	case PHASE_RUNNING:
		return STATE_RUNNING;
	case PHASE_STOPPING:
		break;
	}
	return STATE_STOPPING;
}

enum dispatch_queued
dispatch_queued_for(const struct dispatch *d, const struct dispatch_rule *r)
{
	if (d->stopped)
		return QUEUED_STOP;
	if (is_held(r))
		return QUEUED_HELD;
	if (r->lock != NULL && !LIST_EMPTY(&r->lock->held_by))
		return QUEUED_LOCK;
	return d->running < d->max_running ? QUEUED_TURN : QUEUED_SLOT;
}

unsigned
dispatch_telling_change(const struct dispatch_path *p, bool present)
{
	static const unsigned order[] = { CHANGE_CREATE, CHANGE_MODIFY,
		CHANGE_ATTRIBUTES };
	size_t i;

	if (!present)
		return CHANGE_DELETE;
	for (i = 0; i < NELEM(order); i++)
		if ((p->taken & order[i]) != 0)
			return order[i];
	/* It was deleted, and something that `on` leaves out is there again. */
	return CHANGE_DELETE;
}

const char *
dispatch_state_name(enum dispatch_state s)
{
	static const char *const names[] = {
		[STATE_IDLE] = "idle",
		[STATE_SETTLING] = "settling",
		[STATE_COOLDOWN] = "cooldown",
		[STATE_QUEUED] = "queued",
		[STATE_RUNNING] = "running",
		[STATE_STOPPING] = "stopping",
		[STATE_RETRYING] = "retrying",
		[STATE_BLOCKED] = "blocked",
		[STATE_FAILED] = "failed",
		[STATE_DISABLED] = "disabled",
	};

	return names[s];
}

const char *
dispatch_reason_name(enum dispatch_reason r)
{
	static const char *const names[] = {
		[REASON_CHANGE] = "change",
		[REASON_START] = "start",
		[REASON_TIMER] = "timer",
		[REASON_RETRY] = "retry",
		[REASON_MANUAL] = "manual",
	};

	return names[r];
}
