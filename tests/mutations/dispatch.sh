#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Breaks src/schedule/dispatch.c on purpose, one statement of the design at a time, and
# expects the tests to notice. TAP on stdout; run it alone or with prove(1).
# In the list at the end each mutation is a sentence and two lines, the code as it is
# and as it becomes. White space in them does not matter, so that the formatter
# cannot break them, but the code must be there exactly once.

set -u
cd "$(dirname "$0")/../.." || exit 1

if [ "$(uname)" = Darwin ]; then
	platform=-D_DARWIN_C_SOURCE
else
	platform='-D_GNU_SOURCE -I src/linux'
fi
flags="-std=c11 -O1 -g -iquote src $platform $(pkg-config --cflags cmocka 2>/dev/null)"
libs=$(pkg-config --libs cmocka 2>/dev/null || echo -lcmocka)
dir=$(mktemp -d "${TMPDIR:-/tmp}/mutations.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM

compile()
{
	# shellcheck disable=SC2086
	${CC:-cc} $flags -c -o "$dir/$1.o" "$2"
}

# replace FROM TO: rewrites src/schedule/dispatch.c on stdout; fails unless FROM is there once.
replace()
{
	FROM=$1 TO=$2 perl -0777 -ne '
		my $re = join "\\s*", map { quotemeta } $ENV{FROM} =~ /\w+|[^\w\s]/g;
		my $n = s/(?<!\w)$re(?!\w)/$ENV{TO}/g;
		die "found ", $n || 0, " times: $ENV{FROM}\n" if $n != 1;
		print;' src/schedule/dispatch.c
}

# Runs both tests on the dispatcher in $dir/dispatch.o; a hang is a failure.
tests_pass()
{
	for test in test_dispatch test_dispatch_property; do
		# shellcheck disable=SC2086
		${CC:-cc} -o "$dir/$test" "$dir/$test.o" "$dir/test.o" "$dir/dispatch.o" \
			"${BUILD:-build}/libwatchpathd.a" $libs || exit 1
		# shellcheck disable=SC3045
		(ulimit -t 3; WATCHPATHD_SCHEDULES=4000 exec "$dir/$test") \
			>"$dir/log" 2>&1 || return 1
	done
}

n=0
status=0
report()
{
	n=$((n + 1))
	if [ "$1" = ok ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		status=1
	fi
}

mutate()
{
	if ! replace "$2" "$3" >"$dir/dispatch.c"; then
		report failed "mutation \"$1\" can be applied"
	elif ! compile dispatch "$dir/dispatch.c"; then
		report failed "mutation \"$1\" compiles"
	elif tests_pass 2>/dev/null; then
		report failed "mutation \"$1\" is caught"
	else
		report ok "mutation \"$1\" is caught"
	fi
}

compile dispatch src/schedule/dispatch.c || exit 1
for test in test test_dispatch test_dispatch_property; do
	compile $test tests/unit/$test.c || exit 1
done
if tests_pass; then
	report ok 'the code as it is passes'
else
	sed 's/^/# /' "$dir/log"
	echo 'Bail out! The code as it is does not pass.'
	exit 1
fi

sed '1,/^# THE LIST$/d' "$0" >"$dir/list"
while read -r sentence; do
	[ -n "$sentence" ] || continue
	read -r from && read -r to || exit 1
	mutate "${sentence#\# }" "${from#\# - }" "${to#\# + }"
done <"$dir/list"
echo "1..$n"
exit $status

# THE LIST

# settle does not wait
# - mono_t quiet = mono_add(r->last, ns(r->policy->settle_ms));
# + mono_t quiet = r->last;

# settle-max is ignored
# - return mono_min(quiet, mono_add(from, ns(r->policy->settle_max_ms)));
# + (void)from; return quiet;

# settle-max counts from the change although the cooldown goes on
# - mono_t from = mono_max(r->burst, floor);
# + mono_t from = r->burst; (void)floor;

# settle-max counts from the first change even where a burst began much later
# - r->burst = now; r->last = now;
# + ; r->last = now;

# every change begins a burst
# - if (!r->unsettled && !in_splay(r, now) && mono_before(mono_add(r->last, ns(r->policy->settle_ms)), now)) r->burst = now;
# + r->burst = now;

# leaving the queue can put a run off again and again
# - leave_queue(d, r); r->unsettled = true;
# + leave_queue(d, r);

# what left the queue once never begins a burst again
# - r->manual = r->cause_in_run = r->outside = r->unsettled = false;
# + r->manual = r->cause_in_run = r->outside = false;

# a change in the splay begins a burst
# - !r->unsettled && !in_splay(r, now) &&
# + !r->unsettled &&

# settle-max counts from the last change
# - if (!dispatch_pending(r)) { r->burst = now; r->outside = false; }
# + r->burst = now; if (!dispatch_pending(r)) r->outside = false;

# cooldown is ignored
# - return mono_add(r->ended, cooldown);
# + return r->ended;

# a cause that is no change has no due time of its own
# - due = mono_max(mono_max(settled_at(r, floor), floor), r->burst);
# + due = mono_max(settled_at(r, floor), floor);

# splay is left out
# - return splayed && r->splay_ns > 0 ? r->splay_ns : 0;
# + (void)splayed; return 0;

# splay is drawn at every cause
# - if (dispatch_pending(r) && r->splay_ns < 0)
# + if (dispatch_pending(r))

# splay is drawn once for all time
# - r->wait = WAIT_COOLDOWN; r->attempt = 1; r->splay_ns = -1;
# + r->wait = WAIT_COOLDOWN; r->attempt = 1;

# the splay of what was noticed in a run is zero
# - r->splay_ns = random_upto(d, ns(r->policy->splay_ms));
# + r->splay_ns = r->ended.ns == now.ns ? 0 : random_upto(d, ns(r->policy->splay_ms));

# a change during a run is not owed
# - if (!is_ignoring(r) && (diff & r->policy->on) != 0) {
# + if (!in_run(r) && !is_ignoring(r) && (diff & r->policy->on) != 0) {

# a change during the cooldown is dropped
# - if (!is_ignoring(r) && (diff & r->policy->on) != 0) {
# + if (!mono_before(now, free_at(r)) && !is_ignoring(r) && (diff & r->policy->on) != 0) {

# what is not asked for is owed
# - if (!is_ignoring(r) && (diff & r->policy->on) != 0) {
# + if (!is_ignoring(r) && (diff |= r->policy->on) != 0) {

# what is not asked for does not unsettle
# - note_difference(r, now); if (!is_ignoring(r)
# + if ((diff & r->policy->on) != 0) note_difference(r, now); if (!is_ignoring(r)

# what is not asked for does not move the due time
# - } else if (r->phase == PHASE_WAITING) { rearm(d, r, now); } }
# + } }

# the paths are not judged again on leaving the queue
# - if (r->manual || !mono_before(now, dispatch_due(r))) return true;
# + return true;

# a rule that unsettled in the queue stays in it
# - return true; leave_queue(d, r); r->unsettled = true; rearm(d, r, now); return false;
# + return true; return false;

# what is taken stays owed
# - p->taken = p->owed; p->owed = 0;
# + p->taken = p->owed;

# a failed run drops what it took
# - p->owed |= p->taken; p->taken = 0;
# + p->taken = 0; if (p->owed == 0) TAILQ_REMOVE(&r->owed, p, owed_link);

# a failed run drops the start or the timer that it answered
# - put_back(r); r->failures++;
# + put_back(r); r->cause = CAUSE_NONE; r->failures++;

# a failed run forgets that it was a change
# - p->owed |= p->taken; p->taken = 0;
# + p->owed |= p->taken; p->taken = 0; p->changed = false;

# what a failed run took comes last
# - TAILQ_INSERT_HEAD(&r->owed, p, owed_link);
# + TAILQ_INSERT_TAIL(&r->owed, p, owed_link);

# a success forgets what was noticed meanwhile
# - clear_taken(r); forget_failures(r);
# + clear_taken(r); while (!TAILQ_EMPTY(&r->owed)) { TAILQ_FIRST(&r->owed)->owed = 0; TAILQ_REMOVE(&r->owed, TAILQ_FIRST(&r->owed), owed_link); } forget_failures(r);

# the backoff does not double
# - backoff(r, r->failures);
# + backoff(r, 0);

# the backoff doubles too early
# - put_back(r); r->failures++;
# + put_back(r); r->failures += 2;

# the backoff has no limit
# - return t < limit ? t : limit;
# + return t;

# the jitter is missing
# - r->retry_length = wait - wait / 10 + random_upto(d, wait / 5);
# + r->retry_length = wait;

# the jitter only ever adds
# - r->retry_length = wait - wait / 10 + random_upto(d, wait / 5);
# + r->retry_length = wait + random_upto(d, wait / 5);

# a success does not reset the backoff
# - r->failures = 0; r->every_from = now;
# + r->every_from = now;

# the cooldown applies to a retry
# - case WAIT_UNCUT: return r->retry_at;
# + case WAIT_UNCUT: return mono_max(free_at(r), r->retry_at);

# settle does not apply to a retry
# - if (r->wait == WAIT_NONE) return MINIMUM;
# + if (r->wait == WAIT_BACKOFF) return r->retry_at; if (r->wait == WAIT_NONE) return MINIMUM;

# a change can make a wait longer
# - return mono_min(free_at(r), r->retry_at);
# + return free_at(r);

# a new cause does not restore the budget
# - r->attempt = 1; if (r->wait == WAIT_BACKOFF)
# + if (r->wait == WAIT_BACKOFF)

# a new cause does not shorten the wait
# - r->wait = WAIT_EITHER; if (r->wait == WAIT_CAUSE)
# + ; if (r->wait == WAIT_CAUSE)

# every wait may be shortened
# - r->wait == WAIT_EITHER ? WAIT_UNCUT : WAIT_BACKOFF;
# + WAIT_BACKOFF;

# only one wait in a row of failures may be shortened
# - r->wait == WAIT_EITHER ? WAIT_UNCUT : WAIT_BACKOFF;
# + r->wait == WAIT_EITHER || r->wait == WAIT_UNCUT ? WAIT_UNCUT : WAIT_BACKOFF;

# a cause during a failing run does not shorten the wait
# - r->wait = in_full == WAIT_BACKOFF ? WAIT_EITHER : WAIT_UNCUT;
# + r->wait = in_full;

# a cause during a failing run does not restore the budget
# - r->attempt = 1; r->wait = in_full == WAIT_BACKOFF
# + r->wait = in_full == WAIT_BACKOFF

# one attempt too many
# - r->attempt <= retry
# + r->attempt <= retry + 1

# one attempt too few
# - r->attempt <= retry
# + r->attempt < retry

# forever ends
# - retry == RETRY_FOREVER || r->attempt <= retry
# + r->attempt <= retry && r->attempt < 8

# failed is for ever
# - if (r->wait == WAIT_CAUSE) r->wait = r->policy->retry == 0
# + if (0) r->wait = r->policy->retry == 0

# after failing a cause is served at once
# - r->policy->retry == 0 ? WAIT_COOLDOWN : WAIT_BOTH;
# + WAIT_COOLDOWN;

# after failing a cause has no cooldown
# - case WAIT_BOTH: return mono_max(free_at(r), r->retry_at);
# + case WAIT_BOTH: return r->retry_at;

# without retries a change waits for one
# - r->policy->retry == 0 ? WAIT_COOLDOWN : WAIT_BOTH;
# + WAIT_BOTH;

# without retries a change during the run waits for one
# - if (retry == 0) r->wait = WAIT_COOLDOWN;
# + ;

# a failed manual run with nothing owed counts as a failure
# - else if (asked_only) forget_failures(r); else failed(d, r, now);
# + else { (void)asked_only; failed(d, r, now); }

# a manual run with nothing owed takes the number of a retry
# - if (took_nothing(r)) r->attempt = 1;
# + if (took_nothing(r)) r->attempt = 2;

# a trigger waits for settle
# - if (r->manual || !mono_before(now, dispatch_due(r)))
# + if (!mono_before(now, dispatch_due(r)))

# a trigger during a run is forgotten at its end
# - vacate(d, r); r->ended = now; if (!ok)
# + vacate(d, r); r->ended = now; r->manual = false; if (!ok)

# without retries a failed rule that triggers itself is not guarded
# - r->outside |= r->policy->retry > 0;
# + r->outside = true;

# a retry counts as self-made
# - r->outside |= r->policy->retry > 0;
# + ;

# a trigger is never used up
# - r->manual = r->cause_in_run = r->outside
# + r->cause_in_run = r->outside

# a blocked rule may be triggered
# - if (!r->policy->enabled || r->gone || r->phase == PHASE_BLOCKED)
# + if (!r->policy->enabled || r->gone)

# a disabled rule may be triggered
# - if (!r->policy->enabled || r->gone || r->phase == PHASE_BLOCKED)
# + if (r->gone || r->phase == PHASE_BLOCKED)

# a disabled rule runs
# - if (r->gone || !r->policy->enabled) {
# + if (r->gone) {

# a nudge does nothing during a run
# - if (dispatch_pending(r) || in_run(r))
# + if (dispatch_pending(r) && !in_run(r))

# blocking keeps the lock's queue
# - leave_queue(d, r); r->manual = false; r->phase = PHASE_BLOCKED;
# + r->manual = false; r->phase = PHASE_BLOCKED;

# a blocked rule stays so
# - if (r->phase == PHASE_BLOCKED) rearm(d, r, now);
# + ;

# at-start = always does not run
# - if (starting && policy->at_start == START_ALWAYS)
# + if (0)

# at-start = always runs whenever a rule comes
# - if (starting && policy->at_start == START_ALWAYS)
# + if (policy->at_start == START_ALWAYS)

# at-start = new does not run
# - if (r->policy->at_start != START_NEW && r->policy->at_start != START_ALWAYS)
# + if (r->policy->at_start != START_ALWAYS)

# the lock is not held
# - if (!LIST_EMPTY(&lock->held_by) || first == NULL)
# + if (first == NULL)

# the lock is never given back
# - LIST_REMOVE(r, held_link);
# + ;

# the first of two holders gives the lock back
# - LIST_REMOVE(r, held_link);
# + LIST_INIT(&r->lock->held_by);

# one run too many at a time
# - d->running >= d->max_running || heap_first(&d->queue) == NULL
# + d->running > d->max_running || heap_first(&d->queue) == NULL

# ended runs keep their slot
# - d->running--; if (r->lock != NULL) {
# + if (r->lock != NULL) {

# the deadline forgets who waits for a slot
# - d->running < d->max_running && heap_first(&d->queue) != NULL) return MINIMUM;
# + 0) return MINIMUM;

# the queue is in the order of coming
# - enqueue(d, r, dispatch_due(r)); return STEP_NONE;
# + enqueue(d, r, (mono_t){ 0 }); return STEP_NONE;

# a lock stands in the queue with the place of its last waiter
# - heap_put(&d->queue, &lock->next->turn, heap_next(&lock->waiting));
# + heap_put(&d->queue, &lock->next->turn, lock->waiting.places[lock->waiting.n - 1].key);

# who waits for a lock stands in the queue again without leaving it
# - heap_remove(&d->queue, &lock->next->turn);
# + ;

# no TERM
# - timeout > 0 ? mono_add(then, timeout) : MONO_NEVER
# + MONO_NEVER

# KILL comes with TERM
# - set_timer(d, r, mono_add(now, KILL_AFTER_NS));
# + set_timer(d, r, now);

# no KILL
# - set_timer(d, r, mono_add(now, KILL_AFTER_NS));
# + set_timer(d, r, MONO_NEVER);

# the guard never engages
# - return r->self_made >= GUARD_FROM;
# + return false && r;

# the guard engages one run late
# - return r->self_made >= GUARD_FROM;
# + return r->self_made > GUARD_FROM;

# the guard does not double
# - doubled(MONO_SEC, r->self_made - GUARD_FROM, GUARD_MAX_NS);
# + MONO_SEC;

# the guard holds a change for an hour
# - doubled(MONO_SEC, r->self_made - GUARD_FROM, GUARD_MAX_NS);
# + doubled(MONO_SEC, r->self_made - GUARD_FROM, BACKOFF_MAX_NS);

# a look that was put off counts from the look
# - !is_echo(r, noticed), now);
# + !is_echo(r, now), now);

# the guard holds changes from outside too
# - if (dispatch_is_guarded(r) && !r->outside) {
# + if (dispatch_is_guarded(r)) {

# the guard takes away from the cooldown
# - cooldown = guard > cooldown ? guard : cooldown;
# + cooldown = guard;

# only what comes during a run is its own doing
# - return in_run(r) || !mono_before(mono_add(r->ended, ECHO_NS), then);
# + return in_run(r);

# what comes a second after a run is its own doing
# - #define ECHO_NS (200 * MONO_MS)
# + #define ECHO_NS (1200 * MONO_MS)

# a change from outside does not end the row of self-made runs
# - r->self_made = r->manual || r->outside ? 0 : r->self_made + 1;
# + r->self_made = r->manual ? 0 : r->self_made + 1;

# ignore does not ignore
# - r->policy->while_running == RUNNING_IGNORE ? MONO_NEVER : MINIMUM;
# + MINIMUM;

# rerun ignores
# - r->policy->while_running == RUNNING_IGNORE ? MONO_NEVER : MINIMUM;
# + MONO_NEVER;

# ignore goes on after a failed run
# - if (!ok) r->ignore_until = MINIMUM;
# + ;

# ignore ends with the run
# - if (!ok) r->ignore_until = MINIMUM;
# + r->ignore_until = MINIMUM;

# ignore never ends
# - r->ignore_until = MINIMUM; if (r->phase == PHASE_IDLE
# + if (r->phase == PHASE_IDLE

# every does not run
# - if (every == 0) return MONO_NEVER;
# + if (every >= 0) return MONO_NEVER;

# a success does not put every off
# - r->failures = 0; r->every_from = now;
# + r->failures = 0;

# a failed rule is not asked again by every
# - if (r->phase == PHASE_IDLE) due = dispatch_every_at(r);
# + if (r->phase == PHASE_IDLE && !dispatch_pending(r)) due = dispatch_every_at(r);

# a removed rule stays in the queue
# - if (r->phase == PHASE_QUEUED) leave_queue(d, r); heap_remove
# + heap_remove

# a removed rule that runs may be freed
# - if (in_run(r)) return true;
# + if (in_run(r)) return false;

# what is forgotten is still waited for
# - r->phase = PHASE_WAITING; } } if (r->phase == PHASE_IDLE || r->phase == PHASE_WAITING) rearm(d, r, now);
# + r->phase = PHASE_WAITING; } }

# the failures of what is forgotten are remembered
# - if (!in_run(r) && !dispatch_pending(r)) { forget_failures(r);
# + if (!in_run(r) && !dispatch_pending(r)) {

# a rule that owes nothing any more stays in the queue
# - if (r->phase == PHASE_QUEUED && !r->manual) {
# + if (0) {

# the daemon starts runs while it stops
# - d->stopped = true;
# + (void)d;

# the splay is shown as cooldown
# - if (!mono_before(now, settled_at(r, free)) && mono_before(now, free)) return STATE_COOLDOWN;
# + if (!mono_before(now, settled_at(r, free))) return STATE_COOLDOWN;

# failed is shown as idle
# - return dispatch_pending(r) ? STATE_FAILED : STATE_IDLE;
# + return STATE_IDLE;

# a restart forgets how often it was tried
# - r->attempt = saved->attempt > 0 ? saved->attempt : 1;
# + r->attempt = 1;

# a restart resets the backoff
# - r->failures = saved->failures;
# + ;

# a restart ends a retry's wait
# - r->wait = saved->wait <= WAIT_UNCUT ? (enum dispatch_wait)saved->wait : WAIT_COOLDOWN;
# + ;

# a restart forgets that a wait was shortened
# - r->wait = saved->wait <= WAIT_UNCUT ? (enum dispatch_wait)saved->wait : WAIT_COOLDOWN;
# + r->wait = saved->wait == WAIT_EITHER ? WAIT_BACKOFF : saved->wait <= WAIT_UNCUT ? (enum dispatch_wait)saved->wait : WAIT_COOLDOWN;

# a restart lets a full wait be shortened
# - r->wait = saved->wait <= WAIT_UNCUT ? (enum dispatch_wait)saved->wait : WAIT_COOLDOWN;
# + r->wait = saved->wait == WAIT_UNCUT ? WAIT_BACKOFF : saved->wait <= WAIT_UNCUT ? (enum dispatch_wait)saved->wait : WAIT_COOLDOWN;

# a damaged wait is as long as it says
# - clamp(saved->retry_length, longest + longest / 10)
# + saved->retry_length

# a rule that comes back owing nothing waits for what it owed
# - dispatch_restored(struct dispatch_rule *r) { if (!in_run(r) && !dispatch_pending(r)) forget_failures(r); }
# + dispatch_restored(struct dispatch_rule *r) { (void)r; }

# a clock that was set back makes a retry's wait longer
# - clamp(saved->retry_at - real, r->retry_length)
# + saved->retry_at - real

# a retry's wait begins anew with every life
# - clamp(saved->retry_at - real, r->retry_length)
# + r->retry_length

# a clock that was set back makes a cooldown longer
# - mono_add(now, -clamp(real - saved->ended, INT64_MAX))
# + mono_add(now, saved->ended - real)

# a restart ends a cooldown
# - if (saved->ended != 0)
# + if (0)

# every counts from the restart
# - r->every_from = mono_add(now, -clamp(real - saved->succeeded, INT64_MAX));
# + ;

# every makes up for what was missed
# - missed = mono_sub(r->ended, r->every_from) / every;
# + missed = 0;

# the end of the last run is not saved
# - .ended = r->ended.ns != MINIMUM.ns ? mono_as_real(r->ended, now, real) : 0,
# + .ended = 0,

# the last success is not saved
# - .succeeded = mono_as_real(r->every_from, now, real),
# + .succeeded = 0,

# the time of a retry is not saved
# - .retry_at = r->failures > 0 ? mono_as_real(r->retry_at, now, real) : 0,
# + .retry_at = 0,

# what a run in progress has taken is not saved
# - .cause = r->cause,
# + .cause = in_run(r) ? CAUSE_NONE : r->cause,

# a wait that may not be cut short is not saved
# - .wait = r->wait,
# + .wait = r->wait == WAIT_UNCUT ? WAIT_BACKOFF : r->wait,

# at-start = never owes what the timer asked for
# - if (saved->cause != CAUSE_NONE && r->policy->at_start != START_NEVER) {
# + if (saved->cause != CAUSE_NONE) {

# what the timer asked for is not owed after a restart
# - saved->cause == CAUSE_TIMER ? CAUSE_TIMER : CAUSE_START;
# + saved->cause == CAUSE_TIMER ? CAUSE_NONE : CAUSE_START;

# a restart does not end failed
# - if (started || r->wait == WAIT_CAUSE)
# + if (started)

# at-start = always is no cause for what waits
# - if (started || r->wait == WAIT_CAUSE)
# + (void)started; if (r->wait == WAIT_CAUSE)

# every restart is a cause
# - if (started || r->wait == WAIT_CAUSE)
# + (void)started;

# what was owed is not after a restart
# - if (owed == 0) return;
# + if (owed != 0) return;

# what was owed does not settle after a restart
# - note_difference(r, now); rearm(d, r, now); }
# + rearm(d, r, now); }

# a restart forgets that it was a change
# - p->owed = owed; p->changed = true;
# + p->owed = owed;

# a run left over has taken nothing
# - take_owed(r); r->cause_in_run
# + r->cause_in_run

# a run left over gets its whole timeout again
# - mono_add(now, -clamp(since_start, INT64_MAX))
# + now

# a clock that was set back makes a timeout longer
# - mono_add(now, -clamp(since_start, INT64_MAX))
# + mono_add(now, -since_start)

# a lost run is waited for like a failed one
# - if (dispatch_pending(r)) r->wait = WAIT_NONE;
# + if (dispatch_pending(r)) r->wait = WAIT_BACKOFF;

# what a lost run took waits for the cooldown
# - if (r->wait == WAIT_NONE) return MINIMUM;
# + if (r->wait == WAIT_NONE) return free_at(r);

# a lost run drops what it took
# - r->ended = now; put_back(r);
# + r->ended = now; clear_taken(r);

# a lost run counts in the backoff
# - r->ended = now; put_back(r);
# + r->ended = now; put_back(r); r->failures++;

# a lost run counts as an attempt
# - r->ended = now; put_back(r);
# + r->ended = now; put_back(r); r->attempt++;

# a lost run that owes nothing any more leaves its wait behind
# - r->wait = WAIT_NONE; else forget_failures(r);
# + r->wait = WAIT_NONE;

# a changed rule stays failed
# - return; } forget_failures(r); if (r->phase == PHASE_QUEUED)
# + return; } if (r->phase == PHASE_QUEUED)

# a changed rule keeps its backoff
# - r->failures = 0; r->self_made = 0;
# + r->self_made = 0;

# a changed rule is still guarded
# - r->failures = 0; r->self_made = 0;
# + r->failures = 0;

# a changed rule keeps its policy
# - r->policy = policy; r->next_lock
# + r->next_lock

# every of a changed rule counts from the change
# - r->policy = policy; r->next_lock = lock
# + r->policy = policy; r->every_from = now; r->next_lock = lock

# a changed rule keeps its lock
# - r->lock = r->next_lock; if (r->phase != PHASE_BLOCKED
# + if (r->phase != PHASE_BLOCKED

# a changed rule keeps its lock after the run in progress
# - r->lock = r->next_lock; r->phase = PHASE_IDLE;
# + r->phase = PHASE_IDLE;

# a change to a rule takes it out of blocked
# - if (r->phase != PHASE_BLOCKED || !policy->enabled) rearm(d, r, now);
# + rearm(d, r, now);

# a changed rule stands in the queue of its old lock
# - leave_queue(d, r); r->lock = r->next_lock;
# + r->lock = r->next_lock;

# a change to a rule during its run brings no new budget
# - r->cause_in_run = true; return; } forget_failures(r);
# + return; } forget_failures(r);

# a removed rule that still runs stays removed
# - r->gone = false;
# + ;

# a removed rule forgets what its run answers
# - r->manual = false; r->gone = true;
# + r->manual = false; r->gone = true; clear_taken(r);

# what a removed rule failed to deliver is not owed
# - else failed(d, r, now); rearm
# + else if (!r->gone) failed(d, r, now); rearm

# a retry is splayed
# - return splayed && r->splay_ns > 0 ? r->splay_ns : 0;
# + (void)splayed; return r->splay_ns > 0 ? r->splay_ns : 0;

# a cause during a failing run shortens a wait in full
# - r->wait = in_full == WAIT_BACKOFF ? WAIT_EITHER : WAIT_UNCUT;
# + r->wait = WAIT_EITHER;

# a blocked rule that is disabled keeps its timer
# - if (r->phase != PHASE_BLOCKED || !policy->enabled) rearm
# + if (r->phase != PHASE_BLOCKED) rearm

# a timer counts more than a start
# - if (r->cause != CAUSE_START) r->cause = what;
# + r->cause = what;

# a lost run that met a new cause has no new budget
# - if (r->cause_in_run) r->attempt = 1;
# + ;
