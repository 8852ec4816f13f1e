/* SPDX-License-Identifier: MIT */
/*
 * The dispatcher, statement by statement of section 4 of the design. A small
 * daemon with a clock of its own drives it: files are stamps, actions are
 * lengths and outcomes, and what ran is in the test's own list. Times are in
 * milliseconds since the world began.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "schedule/dispatch.h"
#include "watch/stamp.h"
#include "test.h"

#define PATHS 2
#define RUNS 5000
#define SUBJECTS 1000
#define FOREVER UINT32_MAX
#define MINUTE 60000
#define HOUR 3600000

struct subject {
	struct dispatch_rule rule;
	struct policy policy;
	struct dispatch_path path[PATHS];
	struct stamp file[PATHS], seen[PATHS];
	bool watched[PATHS];
	struct dispatch_lock *lock;
	bool missing, gone;      /* its program; the rule */
	bool lacks;              /* something else that it needs, looked for again */
	bool writes;             /* the action writes its own file */
	bool stubborn;           /* ... and ignores SIGTERM */
	int64_t length_ms;       /* of a run */
	uint32_t fail;           /* how many runs from now on fail */
	bool running, left_over; /* ... by a daemon that is gone */
	int64_t ends_ms, term_ms, kill_ms;
	int64_t put_off; /* ms from an event to its look */
	mono_t started;
	unsigned looks;
};

struct run {
	struct subject *s;
	int64_t start, end; /* end: -1 while it runs */
	enum dispatch_reason reason;
	uint32_t attempt;
};

static struct {
	struct dispatch d;
	mono_t now;
	struct subject subject[SUBJECTS];
	size_t subjects;
	struct run run[RUNS];
	size_t runs;
	unsigned running, most_running;
} world;

#define EPOCH (1000 * MONO_SEC)

static int64_t
now_ms(void)
{
	return (world.now.ns - EPOCH) / MONO_MS;
}

static void
forget_all(void)
{
	heap_clear(&world.d.timers);
	heap_clear(&world.d.queue);
}

static void
begin(unsigned max_running)
{
	forget_all();
	memset(&world, 0, sizeof(world));
	world.now.ns = EPOCH;
	dispatch_init(&world.d, max_running, 7);
}

SET_UP
{
	begin(16);
}

/* The defaults of a rule, and those with what matters to a test in their place. */
#define USUAL                                                                           \
	.on = CHANGE_CREATE | CHANGE_MODIFY | CHANGE_DELETE, .settle_ms = 1000,         \
	.settle_max_ms = 30000, .cooldown_ms = 10000, .timeout_ms = 600000, .retry = 3, \
	.retry_delay_ms = 30000, .enabled = true
#define usual_but(...) ((struct policy){ USUAL, __VA_ARGS__ })
#pragma GCC diagnostic ignored "-Woverride-init"

static struct policy
usual(void)
{
	return (struct policy){ USUAL };
}

static struct subject *
add_while(bool starting, struct policy p, struct dispatch_lock *lock)
{
	struct subject *s = &world.subject[world.subjects++];
	size_t i;

	s->policy = p;
	s->lock = lock;
	s->length_ms = 100;
	s->term_ms = s->kill_ms = -1;
	for (i = 0; i < PATHS; i++)
		s->file[i] = (struct stamp){
			.present = true,
			.mode = S_IFREG | 0600,
			.ino = 10 + i,
			.size = 100,
			.taken_ns = EPOCH,
		};
	dispatch_add(&world.d, &s->rule, &s->policy, lock, starting, world.now);
	return s;
}

static struct subject *
add_bare(struct policy p, struct dispatch_lock *lock)
{
	return add_while(true, p, lock);
}

/* What a look at a path finds. */
static struct stamp
visible(const struct subject *s, size_t p)
{
	struct stamp stamp = s->file[p];

	stamp_apply_min_size(&stamp, s->policy.min_size);
	return stamp;
}

static void
watch(struct subject *s, size_t p)
{
	s->watched[p] = true;
	s->seen[p] = visible(s, p);
	if (s->seen[p].present)
		dispatch_found(&world.d, &s->rule, &s->path[p], world.now);
}

static struct subject *
add_locked(struct policy p, struct dispatch_lock *lock)
{
	struct subject *s = add_bare(p, lock);
	size_t i;

	for (i = 0; i < PATHS; i++)
		watch(s, i);
	return s;
}

static struct subject *
add(struct policy p)
{
	return add_locked(p, NULL);
}

static struct subject *
add_usual(void)
{
	return add(usual());
}

static unsigned
look(struct subject *s, size_t p, unsigned hints)
{
	struct stamp stamp = visible(s, p);
	unsigned diff = stamp_diff(&s->seen[p], &stamp, hints);

	s->looks++;
	s->seen[p] = stamp;
	if (diff != 0)
		dispatch_note(&world.d, &s->rule, &s->path[p], diff,
		    mono_add(world.now, -s->put_off * MONO_MS), world.now);
	return diff;
}

static void
write_unnoticed(struct subject *s, size_t p)
{
	s->file[p].present = true;
	s->file[p].mode = S_IFREG | 0600;
	s->file[p].mtime_ns++;
}

static void
write_file(struct subject *s, size_t p)
{
	write_unnoticed(s, p);
	look(s, p, HINT_WRITE);
}

static void
delete_file(struct subject *s, size_t p)
{
	s->file[p] = (struct stamp){ .taken_ns = EPOCH };
	look(s, p, HINT_REPLACED);
}

static void
chmod_file(struct subject *s, size_t p)
{
	s->file[p].mode ^= 0044;
	look(s, p, 0);
}

static void
look_at_all(struct subject *s)
{
	size_t i;

	for (i = 0; i < PATHS; i++)
		if (s->watched[i] && !s->gone)
			look(s, i, 0);
}

static void
start(struct subject *s)
{
	enum dispatch_reason reason = dispatch_start(&world.d, &s->rule, world.now);

	assert_false(s->running);
	assert_true(world.runs < RUNS);
	world.run[world.runs++] = (struct run){
		.s = s,
		.start = now_ms(),
		.end = -1,
		.reason = reason,
		.attempt = s->rule.attempt,
	};
	s->running = true;
	s->started = world.now;
	s->ends_ms = now_ms() + s->length_ms;
	if (++world.running > world.most_running)
		world.most_running = world.running;
}

static void
end(struct subject *s)
{
	bool ok = s->fail == 0 && s->term_ms < 0;
	size_t i;

	if (s->writes)
		write_file(s, 0);
	if (s->fail > 0 && s->fail != FOREVER)
		s->fail--;
	for (i = world.runs; world.run[i - 1].s != s; i--)
		;
	world.run[i - 1].end = now_ms();
	s->running = false;
	world.running--;
	if (s->left_over)
		dispatch_lost(&world.d, &s->rule, world.now);
	else
		dispatch_end(&world.d, &s->rule, ok, world.now);
	s->left_over = false;
}

static void
step(enum dispatch_step what, struct subject *s)
{
	switch (what) {
	case STEP_NONE:
		break;
	case STEP_LOOK:
		look_at_all(s);
		if (!dispatch_ready(&world.d, &s->rule, world.now))
			break;
		if (s->missing)
			dispatch_block(&world.d, &s->rule);
		else if (s->lacks)
			dispatch_hold(
			    &world.d, &s->rule, mono_add(world.now, 5 * MONO_SEC));
		else
			start(s);
		break;
	case STEP_STOP_IGNORING:
		look_at_all(s);
		dispatch_stop_ignoring(&world.d, &s->rule, world.now);
		break;
	case STEP_TERM:
		s->term_ms = now_ms();
		if (!s->stubborn)
			s->ends_ms = now_ms();
		break;
	case STEP_KILL:
		s->kill_ms = s->ends_ms = now_ms();
		break;
	}
}

static void
steps(void)
{
	struct dispatch_rule *r;
	enum dispatch_step what;

	while ((what = dispatch_next(&world.d, world.now, &r)) != STEP_NONE)
		step(what, (struct subject *)(void *)((char *)r -
						      offsetof(struct subject, rule)));
}

static int64_t
end_due_runs(void)
{
	int64_t next = INT64_MAX;
	size_t i;

	for (i = 0; i < world.subjects; i++) {
		if (world.subject[i].running && world.subject[i].ends_ms <= now_ms())
			end(&world.subject[i]);
		if (world.subject[i].running && world.subject[i].ends_ms < next)
			next = world.subject[i].ends_ms;
	}
	return next;
}

/* Lives through ms milliseconds; what is due at the end is done too. */
static void
advance(int64_t ms)
{
	int64_t until = now_ms() + ms, next;
	mono_t t;

	for (;;) {
		end_due_runs();
		steps();
		next = end_due_runs();
		t = dispatch_deadline(&world.d);
		if (next != INT64_MAX)
			t = mono_min(t, (mono_t){ EPOCH + next * MONO_MS });
		if (t.ns > EPOCH + until * MONO_MS)
			break;
		world.now = mono_max(world.now, t);
	}
	world.now.ns = EPOCH + until * MONO_MS;
}

static unsigned
runs_of(const struct subject *s)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < world.runs; i++)
		n += world.run[i].s == s;
	return n;
}

/* The n-th run of all, from 0. */
static const struct run *
run(size_t n)
{
	assert_true(n < world.runs);
	return &world.run[n];
}

static const struct run *
last_run(void)
{
	return run(world.runs - 1);
}

static bool
trigger(struct subject *s)
{
	return dispatch_trigger(&world.d, &s->rule, world.now);
}

static void
nudge(struct subject *s)
{
	dispatch_nudge(&world.d, &s->rule, world.now);
}

/* The wall clock when a state is saved. */
#define REAL (INT64_C(1700000000) * MONO_SEC)

static struct dispatch_saved
saved(const struct dispatch_rule *r, mono_t stopped)
{
	struct dispatch_saved s;

	dispatch_save(r, &s, stopped, REAL);
	return s;
}

static void
come_back_to(struct subject *s, size_t p)
{
	struct dispatch_path was = s->path[p];

	s->path[p] = (struct dispatch_path){ 0 };
	if (!s->watched[p])
		return;
	if (s->policy.at_start == START_NEVER) {
		watch(s, p);
		return;
	}
	dispatch_restore_path(
	    &world.d, &s->rule, &s->path[p], was.owed | was.taken, world.now);
	look(s, p, 0);
}

static void
come_back(struct subject *s, mono_t stopped, int64_t away)
{
	struct dispatch_saved known = saved(&s->rule, stopped);
	size_t i;

	dispatch_add(&world.d, &s->rule, &s->policy, s->lock, true, world.now);
	dispatch_restore(&world.d, &s->rule, &known, world.now, REAL + away);
	for (i = 0; i < PATHS; i++)
		come_back_to(s, i);
	dispatch_restored(&s->rule);
	if (!s->running)
		return;
	s->left_over = s->ends_ms > now_ms();
	if (s->left_over) {
		dispatch_adopt(
		    &world.d, &s->rule, mono_sub(stopped, s->started) + away, world.now);
		return;
	}
	s->running = false;
	world.running--;
	dispatch_lost(&world.d, &s->rule, world.now);
}

/*
 * The daemon is gone for ms milliseconds, and the wall clock is set by jump_ms
 * meanwhile. Runs that last longer than that are found again, others are not.
 */
static void
restart(int64_t ms, int64_t jump_ms)
{
	mono_t stopped = world.now;
	size_t i;

	world.now = mono_add(stopped, ms * MONO_MS);
	forget_all();
	dispatch_init(&world.d, world.d.max_running, 8);
	for (i = 0; i < world.subjects; i++)
		if (world.subject[i].lock != NULL)
			heap_clear(&world.subject[i].lock->waiting);
	for (i = 0; i < world.subjects; i++)
		if (world.subject[i].lock != NULL)
			*world.subject[i].lock =
			    (struct dispatch_lock){ .held_by = { NULL } };
	for (i = 0; i < world.subjects; i++)
		come_back(&world.subject[i], stopped, (ms + jump_ms) * MONO_MS);
}

/* The run in progress does not outlive the daemon. */
static void
crash(struct subject *s)
{
	s->ends_ms = now_ms();
	restart(0, 0);
}

static void
change(struct subject *s, struct policy p, struct dispatch_lock *lock)
{
	s->policy = p;
	s->lock = lock;
	dispatch_change(&world.d, &s->rule, &s->policy, lock, world.now);
}

static void
unblock(struct subject *s)
{
	s->missing = false;
	dispatch_unblock(&world.d, &s->rule, world.now);
}

/* Writes every gap milliseconds until there are n runs. */
static void
keep_writing(struct subject *s, int64_t gap, size_t n)
{
	while (world.runs < n) {
		write_file(s, 0);
		advance(gap);
		assert_true(now_ms() < 10 * HOUR);
	}
}

#define assert_state(s, want) \
	assert_string_equal(  \
	    dispatch_state_name(dispatch_state(&(s)->rule, world.now)), want)

static void
assert_between(int64_t low, int64_t t, int64_t high)
{
	if (t < low || t > high)
		fail_msg("%lld is not between %lld and %lld", (long long)t,
		    (long long)low, (long long)high);
}

/* ---- times ---- */

TEST(a_change_runs_the_action_one_settle_later)
{
	struct subject *s = add_usual();

	advance(5000);
	assert_int_equal(world.runs, 0);
	write_file(s, 0);
	advance(60 * MINUTE);
	assert_int_equal(world.runs, 1);
	assert_int_equal(run(0)->start, 6000);
	assert_int_equal(run(0)->reason, REASON_CHANGE);
	assert_int_equal(run(0)->attempt, 1);
	assert_state(s, "idle");
}

TEST(two_thousand_writes_within_settle_cause_one_run)
{
	struct subject *s = add_usual();
	int i;

	for (i = 0; i < 2000; i++) {
		write_file(s, 0);
		advance(i % 2);
	}
	advance(60 * MINUTE);
	assert_int_equal(world.runs, 1);
	assert_int_equal(run(0)->start, 999 + 1000);
}

TEST(constant_writing_does_not_put_a_run_off_beyond_settle_max)
{
	struct subject *s = add_usual();
	int i;

	for (i = 0; i < 100; i++) {
		write_file(s, 0);
		advance(500);
	}
	assert_int_equal(run(0)->start, 30000);
	assert_int_equal(world.runs, 1);
}

TEST(a_difference_that_is_not_asked_for_causes_no_run)
{
	struct subject *s = add_usual();

	chmod_file(s, 0);
	advance(60 * MINUTE);
	assert_int_equal(world.runs, 0);
	assert_false(dispatch_pending(&s->rule));
}

TEST(a_difference_that_is_not_asked_for_still_unsettles)
{
	struct subject *s = add_usual();

	write_file(s, 0);
	advance(900);
	chmod_file(s, 1);
	advance(MINUTE);
	assert_int_equal(world.runs, 1);
	assert_int_equal(run(0)->start, 1900);
}

TEST(attributes_count_when_they_are_asked_for)
{
	struct subject *s = add(usual_but(.on = CHANGE_ATTRIBUTES));

	write_file(s, 0);
	advance(MINUTE);
	assert_int_equal(world.runs, 0);
	chmod_file(s, 0);
	advance(MINUTE);
	assert_int_equal(world.runs, 1);
}

TEST(a_change_during_the_cooldown_runs_at_its_end)
{
	struct subject *s = add_usual();

	write_file(s, 0);
	advance(3000);
	assert_int_equal(run(0)->end, 1100);
	write_file(s, 0);
	advance(60 * MINUTE);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start, 11100);
}

TEST(a_change_just_before_the_cooldown_ends_settles_first)
{
	struct subject *s = add_usual();

	write_file(s, 0);
	advance(11000);
	write_file(s, 0);
	advance(MINUTE);
	assert_int_equal(run(1)->start, 12000);
}

TEST(a_slow_writer_during_the_cooldown_gets_settle_max_from_its_end)
{
	struct subject *s = add_usual();
	int64_t written = 0;

	write_file(s, 0);
	advance(2000);
	while (world.runs == 1) {
		write_file(s, 0);
		written = now_ms();
		advance(700);
	}
	assert_true(run(1)->start - written < 1000);
	assert_int_equal(run(1)->start, 11100 + 30000);
}

TEST(a_slow_writer_that_stops_in_time_is_waited_for)
{
	struct subject *s = add_usual();
	int64_t written = 0;

	write_file(s, 0);
	advance(2000);
	while (now_ms() < 25000) {
		write_file(s, 0);
		written = now_ms();
		advance(700);
	}
	advance(MINUTE);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start, written + 1000);
}

/* A key is written in two halves, 600 ms apart. */
static int64_t
write_in_halves(struct subject *s)
{
	write_file(s, 0);
	advance(600);
	write_file(s, 0);
	return now_ms();
}

TEST(what_is_written_late_in_a_retry_wait_settles)
{
	int64_t t;
	struct subject *s = add(usual_but(.retry_delay_ms = HOUR));

	s->fail = 1;
	write_file(s, 0);
	advance(20 * MINUTE);
	t = write_in_halves(s);
	advance(MINUTE);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start, t + 1000);
}

TEST(what_is_written_long_after_a_rule_has_failed_settles)
{
	int64_t t;
	struct subject *s = add(usual_but(.retry = 1));

	s->fail = 2;
	write_file(s, 0);
	advance(HOUR);
	assert_state(s, "failed");
	t = write_in_halves(s);
	advance(MINUTE);
	assert_int_equal(world.runs, 3);
	assert_int_equal(run(2)->start, t + 1000);
}

TEST(what_is_written_long_after_a_rule_was_blocked_settles)
{
	struct subject *s = add_usual();
	int64_t t;

	s->missing = true;
	write_file(s, 0);
	advance(HOUR);
	t = write_in_halves(s);
	unblock(s);
	advance(MINUTE);
	assert_int_equal(run(0)->start, t + 1000);
}

TEST(what_is_written_long_into_the_wait_for_a_lock_settles)
{
	static struct dispatch_lock lock;
	struct subject *a, *b;
	int64_t t;

	a = add_locked(usual(), &lock);
	b = add_locked(usual(), &lock);
	a->length_ms = HOUR;
	a->policy.timeout_ms = 0;
	trigger(a);
	advance(10);
	write_file(b, 0);
	advance(HOUR - 610);
	t = write_in_halves(b);
	advance(MINUTE);
	assert_int_equal(t, HOUR);
	assert_int_equal(run(1)->start, t + 1000);
}

TEST(constant_writing_long_after_a_rule_has_failed_is_run_by_settle_max)
{
	int64_t t;
	struct subject *s = add(usual_but(.retry = 1));

	s->fail = 2;
	write_file(s, 0);
	advance(HOUR);
	t = now_ms();
	keep_writing(s, 500, 3);
	assert_int_equal(run(2)->start, t + 30000);
}

TEST(constant_writing_long_after_a_rule_was_blocked_is_run_by_settle_max)
{
	struct subject *s = add_usual();
	int64_t t;
	int i;

	s->missing = true;
	write_file(s, 0);
	advance(HOUR);
	t = now_ms();
	for (i = 0; i < 20; i++) {
		write_file(s, 0);
		advance(500);
	}
	unblock(s);
	keep_writing(s, 500, 1);
	assert_int_equal(run(0)->start, t + 30000);
}

/* One rule holds the lock for an hour, another is written every 2 s all the time. */
static struct subject *
add_unsettled_in_the_queue(struct dispatch_lock *lock)
{
	struct policy p = usual();
	struct subject *a, *b;

	p.timeout_ms = 0;
	a = add_locked(p, lock);
	b = add_locked(p, lock);
	a->length_ms = HOUR;
	trigger(a);
	advance(10);
	while (now_ms() < HOUR) {
		write_file(b, 0);
		advance(2000);
		if (now_ms() > HOUR - 3000)
			advance(HOUR - 500 - now_ms());
		if (now_ms() == HOUR - 500)
			break;
	}
	write_file(b, 0);
	return b;
}

TEST(leaving_the_queue_puts_a_run_off_by_settle_max_at_most)
{
	static struct dispatch_lock lock;
	struct subject *b = add_unsettled_in_the_queue(&lock);

	keep_writing(b, 900, 2);
	assert_int_equal(run(1)->start, HOUR - 500 + 30000);
}

TEST(leaving_the_queue_puts_a_run_off_only_once)
{
	static struct dispatch_lock lock;
	struct subject *b = add_unsettled_in_the_queue(&lock), *c;

	c = add_locked(usual(), &lock);
	c->length_ms = 10 * MINUTE - 1;
	trigger(c);
	while (runs_of(b) == 0) {
		write_file(b, 0);
		advance(2000);
	}
	assert_int_equal(world.runs, 3);
	assert_int_equal(last_run()->start, run(1)->end);
}

TEST(a_file_below_min_size_is_absent)
{
	struct subject *s =
	    add(usual_but(.min_size = 1, .on = CHANGE_CREATE | CHANGE_MODIFY));

	s->file[0].size = 0;
	write_file(s, 0);
	advance(MINUTE);
	assert_int_equal(world.runs, 0);
	s->file[0].size = 1;
	write_file(s, 0);
	advance(MINUTE);
	assert_int_equal(world.runs, 1);
}

/* ---- splay ---- */

static struct subject *
add_splayed(void)
{
	struct policy p = usual();

	p.splay_ms = 100000;
	return add(p);
}

TEST(splay_delays_a_run_by_a_random_time_up_to_it)
{
	int64_t sum = 0, least = HOUR, most = 0, t;
	size_t i;

	for (i = 0; i < 200; i++)
		write_file(add_splayed(), 0);
	advance(HOUR);
	assert_int_equal(world.runs, 200);
	for (i = 0; i < 200; i++) {
		t = run(i)->start - 1000;
		assert_between(0, t, 100000);
		sum += t;
		least = t < least ? t : least;
		most = t > most ? t : most;
	}
	assert_between(40000, sum / 200, 60000);
	assert_true(least < 5000 && most > 95000);
}

TEST(splay_is_drawn_once_per_pending_period)
{
	struct subject *s = add_splayed();
	mono_t due;
	int i;

	write_file(s, 0);
	due = dispatch_due(&s->rule);
	for (i = 1; i < 20; i++) {
		advance(1);
		write_file(s, 0);
		assert_int_equal(mono_sub(dispatch_due(&s->rule), due), i * MONO_MS);
	}
}

TEST(splay_is_drawn_anew_for_the_next_period)
{
	struct subject *s = add_splayed();
	int64_t first;

	write_file(s, 0);
	advance(200000);
	first = run(0)->start;
	write_file(s, 0);
	advance(200000);
	assert_int_not_equal(run(1)->start - 200000, first);
}

TEST(splay_spreads_runs_at_start_and_by_the_timer_too)
{
	struct policy p = usual();
	size_t i, late = 0;

	p.splay_ms = 100000;
	p.at_start = START_ALWAYS;
	for (i = 0; i < 50; i++)
		add_bare(p, NULL);
	p.at_start = START_CHANGED;
	p.every_ms = HOUR;
	for (i = 0; i < 50; i++)
		add_bare(p, NULL);
	advance(HOUR + 101000);
	assert_int_equal(world.runs, 100);
	for (i = 0; i < 100; i++)
		late += run(i)->start % HOUR > 20000;
	assert_between(60, (int64_t)late, 100);
}

TEST(splay_applies_to_what_was_noticed_during_a_run)
{
	int64_t sum = 0;
	size_t i;

	begin(100);
	for (i = 0; i < 100; i++)
		trigger(add_splayed());
	advance(50);
	for (i = 0; i < 100; i++)
		write_file(&world.subject[i], 0);
	advance(HOUR);
	assert_int_equal(world.runs, 200);
	for (i = 100; i < 200; i++) {
		assert_between(10100, run(i)->start, 110100);
		sum += run(i)->start - 10100;
	}
	assert_between(30000, sum / 100, 70000);
}

TEST(writing_now_and_then_does_not_put_a_splayed_run_off_for_ever)
{
	size_t i;

	for (i = 0; i < 16; i++)
		add_splayed();
	while (now_ms() < 130000) {
		for (i = 0; i < 16; i++)
			write_file(&world.subject[i], 0);
		advance(2000);
	}
	for (i = 0; i < 16; i++)
		assert_true(runs_of(&world.subject[i]) > 0);
}

TEST(splay_does_not_apply_to_a_retry)
{
	struct subject *s = add_splayed();

	s->fail = 1;
	write_file(s, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 2);
	assert_between(27000, run(1)->start - run(0)->end, 33000);
}

/* ---- delivery ---- */

TEST(a_change_during_a_run_causes_one_more_run)
{
	struct subject *s = add_usual();

	s->length_ms = 5000;
	write_file(s, 0);
	advance(3000);
	assert_true(s->running);
	write_file(s, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start, run(0)->end + 10000);
	assert_int_equal(run(1)->reason, REASON_CHANGE);
}

TEST(many_changes_during_a_run_cause_one_more_run)
{
	struct subject *s = add_usual();
	int i;

	s->length_ms = 5000;
	write_file(s, 0);
	advance(1000);
	for (i = 0; i < 50; i++) {
		advance(100);
		write_file(s, (size_t)i % PATHS);
	}
	advance(HOUR);
	assert_int_equal(world.runs, 2);
}

TEST(there_and_back_again_while_a_run_waits_is_still_owed)
{
	struct subject *s = add_usual();
	struct stamp a = s->file[0];

	write_file(s, 0);
	advance(500);
	s->file[0] = a;
	look(s, 0, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 1);
}

TEST(there_and_back_again_while_runs_fail_is_still_owed)
{
	struct subject *s = add_usual();
	struct stamp a = s->file[0];

	s->fail = 2;
	write_file(s, 0);
	advance(1050);
	assert_true(s->running);
	s->file[0] = a;
	look(s, 0, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 3);
	assert_state(s, "idle");
}

TEST(create_delete_create_with_on_create_causes_two_runs)
{
	struct subject *s = add(usual_but(.on = CHANGE_CREATE));

	delete_file(s, 0);
	advance(MINUTE);
	assert_int_equal(world.runs, 0);
	write_file(s, 0);
	advance(MINUTE);
	assert_int_equal(world.runs, 1);
	delete_file(s, 0);
	advance(MINUTE);
	assert_int_equal(world.runs, 1);
	write_file(s, 0);
	advance(MINUTE);
	assert_int_equal(world.runs, 2);
}

TEST(another_file_in_the_place_is_created_and_modified)
{
	struct subject *s = add_usual();

	s->file[0].ino++;
	assert_int_equal(look(s, 0, 0), CHANGE_CREATE | CHANGE_MODIFY);
	assert_int_equal(look(s, 0, HINT_REPLACED), CHANGE_CREATE | CHANGE_MODIFY);
	assert_int_equal(look(s, 0, 0), 0);
}

TEST(a_change_without_an_event_is_found_on_leaving_the_queue)
{
	struct subject *s = add_usual();

	write_file(s, 0);
	advance(500);
	write_unnoticed(s, 1);
	advance(HOUR);
	assert_int_equal(world.runs, 1);
	assert_int_equal(run(0)->start, 2000);
}

TEST(what_moves_at_every_look_is_run_by_settle_max)
{
	struct subject *s = add_usual();
	int i;

	write_file(s, 0);
	for (i = 0; i < 31000 && world.runs == 0; i++) {
		write_unnoticed(s, 1);
		advance(1);
	}
	assert_int_equal(run(0)->start, 30000);
}

TEST(one_run_answers_the_changes_of_all_paths)
{
	struct subject *s = add_usual();

	write_file(s, 1);
	write_file(s, 0);
	advance(1050);
	assert_true(s->running);
	assert_ptr_equal(TAILQ_FIRST(&s->rule.taken), &s->path[1]);
	assert_false(dispatch_path_settled(&s->path[0]));
	advance(HOUR);
	assert_int_equal(world.runs, 1);
	assert_true(dispatch_path_settled(&s->path[0]));
	assert_true(dispatch_path_settled(&s->path[1]));
}

TEST(what_a_failed_run_took_comes_before_what_was_noticed_meanwhile)
{
	struct subject *s = add_usual();

	s->fail = 1;
	write_file(s, 1);
	advance(1050);
	write_file(s, 0);
	advance(100);
	assert_false(s->running);
	assert_ptr_equal(TAILQ_FIRST(&s->rule.owed), &s->path[1]);
	assert_ptr_equal(TAILQ_NEXT(&s->path[1], owed_link), &s->path[0]);
}

TEST(the_most_telling_change_is_told)
{
	struct dispatch_path p = { .owed = 0 };

	p.taken = CHANGE_ATTRIBUTES | CHANGE_MODIFY | CHANGE_CREATE | CHANGE_DELETE;
	assert_int_equal(dispatch_telling_change(&p, true), CHANGE_CREATE);
	p.taken = CHANGE_ATTRIBUTES | CHANGE_MODIFY | CHANGE_DELETE;
	assert_int_equal(dispatch_telling_change(&p, true), CHANGE_MODIFY);
	p.taken = CHANGE_ATTRIBUTES | CHANGE_DELETE;
	assert_int_equal(dispatch_telling_change(&p, true), CHANGE_ATTRIBUTES);
	p.taken = CHANGE_DELETE;
	assert_int_equal(dispatch_telling_change(&p, true), CHANGE_DELETE);
	p.taken = CHANGE_CREATE;
	assert_int_equal(dispatch_telling_change(&p, false), CHANGE_DELETE);
}

/* ---- retry ---- */

TEST(a_failed_run_is_tried_again_after_the_delay)
{
	struct subject *s = add_usual();

	s->fail = 1;
	write_file(s, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 2);
	assert_between(27000, run(1)->start - run(0)->end, 33000);
	assert_int_equal(run(1)->attempt, 2);
	assert_int_equal(run(1)->reason, REASON_RETRY);
	assert_state(s, "idle");
}

static struct subject *
add_stubborn(int64_t delay_ms, int64_t cooldown_ms)
{
	struct subject *s = add(usual_but(.retry = RETRY_FOREVER,
	    .retry_delay_ms = delay_ms, .cooldown_ms = cooldown_ms));

	s->fail = FOREVER;
	return s;
}

TEST(the_backoff_doubles_up_to_an_hour_with_jitter)
{
	struct subject *s = add_stubborn(30000, 0);
	int64_t want = 30000, wait;
	unsigned exact = 0;
	size_t i;

	write_file(s, 0);
	advance(48 * (int64_t)HOUR);
	assert_true(world.runs > 40);
	for (i = 1; i < world.runs; i++) {
		wait = run(i)->start - run(i - 1)->end;
		assert_between(want * 9 / 10 - 1, wait, want * 11 / 10 + 1);
		exact += wait > want * 98 / 100 && wait < want * 102 / 100;
		assert_int_equal(run(i)->attempt, i + 1);
		want = want * 2 < HOUR ? want * 2 : HOUR;
	}
	assert_true(exact < world.runs / 2);
}

TEST(a_delay_of_more_than_an_hour_is_its_own_limit)
{
	struct subject *s = add_stubborn(2 * HOUR, 0);

	write_file(s, 0);
	advance(12 * (int64_t)HOUR);
	assert_between(
	    2 * 9 * HOUR / 10, run(1)->start - run(0)->end, 2 * 11 * HOUR / 10);
	assert_between(
	    2 * 9 * HOUR / 10, run(2)->start - run(1)->end, 2 * 11 * HOUR / 10);
}

TEST(a_delay_of_nothing_does_not_spin)
{
	struct subject *s = add_stubborn(0, 0);

	s->length_ms = 0;
	write_file(s, 0);
	advance(MINUTE);
	assert_between(10, (int64_t)world.runs, 20);
}

TEST(a_success_resets_the_backoff)
{
	struct subject *s = add_usual();

	s->fail = 3;
	write_file(s, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 4);
	s->fail = 1;
	write_file(s, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 6);
	assert_int_equal(run(4)->attempt, 1);
	assert_between(27000, run(5)->start - run(4)->end, 33000);
}

TEST(the_cooldown_does_not_apply_to_a_retry)
{
	struct subject *s = add_stubborn(1000, HOUR);

	write_file(s, 0);
	advance(MINUTE);
	assert_true(world.runs > 3);
	assert_between(900, run(1)->start - run(0)->end, 1100);
}

TEST(settle_applies_to_a_retry)
{
	struct subject *s = add_stubborn(5000, HOUR);

	write_file(s, 0);
	advance(1000);
	while (world.runs < 2) {
		write_file(s, 0);
		advance(900);
	}
	assert_between(4500 + 30000, run(1)->start - run(0)->end, 5500 + 30000);
}

TEST(a_change_during_a_failing_run_shortens_the_wait)
{
	struct subject *s = add_stubborn(HOUR, 10000);

	write_file(s, 0);
	advance(1050);
	write_file(s, 0);
	advance(MINUTE);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start, run(0)->end + 10000);
	assert_int_equal(run(1)->attempt, 1);
	assert_int_equal(run(1)->reason, REASON_CHANGE);
}

TEST(a_change_during_the_wait_shortens_it)
{
	struct subject *s = add_stubborn(HOUR, 10000);

	write_file(s, 0);
	advance(5000);
	assert_state(s, "retrying");
	write_file(s, 0);
	assert_state(s, "settling");
	advance(MINUTE);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start, run(0)->end + 10000);
	assert_int_equal(run(1)->attempt, 1);
}

TEST(a_change_never_makes_the_wait_longer)
{
	struct subject *s = add_stubborn(5000, HOUR);

	write_file(s, 0);
	advance(2000);
	write_file(s, 0);
	advance(MINUTE);
	assert_between(4500, run(1)->start - run(0)->end, 5500);
	assert_int_equal(run(1)->attempt, 1);
}

TEST(the_wait_after_a_shortened_one_runs_its_full_length)
{
	struct subject *s = add_stubborn(MINUTE, 0);

	write_file(s, 0);
	advance(10000);
	write_file(s, 0);
	advance(10000);
	assert_int_equal(world.runs, 2);
	write_file(s, 0);
	advance(80000);
	assert_int_equal(world.runs, 2);
	advance(MINUTE);
	assert_int_equal(world.runs, 3);
	assert_between(2 * 54000, run(2)->start - run(1)->end, 2 * 66000);
	assert_int_equal(run(2)->attempt, 1);
}

TEST(a_failing_action_whose_file_changes_often_does_not_run_as_often)
{
	struct subject *s = add_stubborn(30000, 0);
	size_t i, close = 0;

	while (now_ms() < HOUR) {
		write_file(s, 0);
		advance(5000);
	}
	assert_between(8, (int64_t)world.runs, 20);
	for (i = 1; i < world.runs; i++) {
		close += run(i)->start - run(i - 1)->end < 6000;
		assert_int_equal(run(i)->attempt, 1);
	}
	assert_true(close <= world.runs / 2);
}

TEST(a_spent_budget_is_failed_and_still_owed)
{
	struct subject *s = add_usual();

	s->fail = FOREVER;
	write_file(s, 0);
	advance(24 * (int64_t)HOUR);
	assert_int_equal(world.runs, 4);
	assert_int_equal(last_run()->attempt, 4);
	assert_state(s, "failed");
	assert_true(dispatch_pending(&s->rule));
	assert_true(mono_is_never(dispatch_due(&s->rule)));
	assert_true(mono_is_never(dispatch_deadline(&world.d)));
}

/* Up to the moment when it has failed for good. */
static struct subject *
add_failed(uint32_t retry, int64_t delay_ms)
{
	struct subject *s = add(usual_but(.retry = retry, .retry_delay_ms = delay_ms));

	s->fail = FOREVER;
	write_file(s, 0);
	while (dispatch_state(&s->rule, world.now) != STATE_FAILED)
		advance(1000);
	assert_int_equal(world.runs, retry + 1);
	return s;
}

TEST(the_next_cause_after_failing_is_served_no_sooner_than_the_retry)
{
	struct subject *s = add_failed(2, MINUTE);
	int64_t ended = last_run()->end;

	s->fail = 0;
	write_file(s, 0);
	assert_state(s, "retrying");
	advance(HOUR);
	assert_int_equal(world.runs, 4);
	assert_between(4 * 54000, run(3)->start - ended, 4 * 66000);
	assert_int_equal(run(3)->attempt, 1);
	assert_int_equal(run(3)->reason, REASON_CHANGE);
	assert_state(s, "idle");
}

TEST(a_cause_after_failing_brings_the_full_budget)
{
	struct subject *s = add_failed(2, MINUTE);

	advance(HOUR);
	write_file(s, 0);
	advance(24 * (int64_t)HOUR);
	assert_int_equal(world.runs, 6);
	assert_int_equal(run(3)->attempt, 1);
	assert_int_equal(run(5)->attempt, 3);
	assert_state(s, "failed");
}

TEST(a_change_in_the_last_attempt_keeps_the_rule_going)
{
	struct subject *s = add(usual_but(.retry = 1));

	s->fail = 2;
	write_file(s, 0);
	while (world.runs < 2)
		advance(10);
	write_file(s, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 3);
	assert_int_equal(run(2)->attempt, 1);
	assert_state(s, "idle");
}

TEST(without_retries_one_failure_is_enough)
{
	struct subject *s = add_failed(0, HOUR);

	advance(24 * (int64_t)HOUR);
	assert_int_equal(world.runs, 1);
	assert_state(s, "failed");
}

TEST(without_retries_a_change_is_served_as_usual)
{
	struct subject *s = add_failed(0, HOUR);

	write_file(s, 0);
	advance(MINUTE);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start, run(0)->end + 10000);
	assert_int_equal(run(1)->attempt, 1);
}

TEST(without_retries_a_change_during_the_run_is_served_as_usual)
{
	struct subject *s = add(usual_but(.retry = 0, .retry_delay_ms = HOUR));

	s->fail = FOREVER;
	write_file(s, 0);
	advance(1050);
	write_file(s, 0);
	advance(MINUTE);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start, run(0)->end + 10000);
	assert_state(s, "failed");
}

/* ---- a nudge from the network ---- */

TEST(a_nudge_makes_a_waiting_retry_due_at_once)
{
	struct subject *s = add_stubborn(HOUR, 10000);

	write_file(s, 0);
	advance(MINUTE);
	nudge(s);
	advance(0);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start, MINUTE);
	assert_int_equal(run(1)->attempt, 1);
	assert_int_equal(run(1)->reason, REASON_CHANGE);
}

TEST(a_nudge_does_not_shorten_the_wait_after_a_shortened_one)
{
	struct subject *s = add_stubborn(HOUR, 10000);

	write_file(s, 0);
	advance(MINUTE);
	nudge(s);
	advance(MINUTE);
	assert_int_equal(world.runs, 2);
	nudge(s);
	advance(30 * MINUTE);
	assert_int_equal(world.runs, 2);
}

TEST(a_nudge_respects_the_cooldown)
{
	struct subject *s = add_stubborn(HOUR, 10000);

	write_file(s, 0);
	advance(2000);
	nudge(s);
	advance(MINUTE);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start, run(0)->end + 10000);
}

TEST(a_nudge_during_a_failing_run_counts)
{
	struct subject *s = add_stubborn(HOUR, 10000);

	write_file(s, 0);
	advance(1050);
	nudge(s);
	advance(MINUTE);
	assert_int_equal(world.runs, 2);
}

TEST(a_nudge_ends_failed)
{
	struct subject *s = add_failed(1, 1000);

	advance(HOUR);
	s->fail = 0;
	nudge(s);
	advance(0);
	assert_int_equal(world.runs, 3);
	assert_int_equal(run(2)->reason, REASON_CHANGE);
	advance(1000);
	assert_state(s, "idle");
}

TEST(a_nudge_is_no_reason_to_run_by_itself)
{
	struct subject *s = add_usual();

	nudge(s);
	advance(HOUR);
	assert_int_equal(world.runs, 0);
	write_file(s, 0);
	advance(1050);
	nudge(s);
	advance(HOUR);
	assert_int_equal(world.runs, 1);
}

/* ---- held ---- */

TEST(a_rule_that_lacks_something_is_queued_and_looks_again_every_five_seconds)
{
	struct subject *s = add_usual();
	unsigned looks;

	s->lacks = true;
	write_file(s, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 0);
	assert_state(s, "queued");
	assert_int_equal(dispatch_queued_for(&world.d, &s->rule), QUEUED_HELD);
	looks = s->looks;
	advance(MINUTE);
	assert_int_equal(s->looks, looks + 12 * PATHS);
	s->lacks = false;
	advance(5000);
	assert_int_equal(world.runs, 1);
	assert_state(s, "idle");
}

TEST(a_rule_that_lacks_something_holds_no_other_up_and_keeps_its_place)
{
	static struct dispatch_lock lock;
	struct subject *a = add_locked(usual(), &lock), *b = add_locked(usual(), &lock);

	a->lacks = true;
	trigger(a);
	advance(10);
	trigger(b);
	advance(10);
	assert_int_equal(world.runs, 1);
	assert_ptr_equal(run(0)->s, b);
	b->length_ms = MINUTE;
	trigger(b);
	advance(1000);
	a->lacks = false;
	trigger(b);
	advance(10 * MINUTE);
	assert_int_equal(world.runs, 4);
	assert_ptr_equal(run(2)->s, a);
	assert_ptr_equal(run(3)->s, b);
}

TEST(a_rule_that_lacks_something_can_be_changed_asked_for_and_removed)
{
	struct subject *s = add_usual();

	s->lacks = true;
	write_file(s, 0);
	advance(MINUTE);
	trigger(s);
	advance(0);
	assert_state(s, "queued");
	dispatch_forget(&world.d, &s->rule, &s->path[0], world.now);
	advance(0);
	assert_state(s, "queued");
	dispatch_change(&world.d, &s->rule, &s->policy, NULL, world.now);
	advance(0);
	assert_state(s, "queued");
	assert_false(dispatch_remove(&world.d, &s->rule));
	assert_true(mono_is_never(dispatch_deadline(&world.d)));
}

TEST(a_rule_that_lacks_something_stops_ignoring_in_time)
{
	struct subject *s = add(usual_but(.while_running = RUNNING_IGNORE,
	    .settle_ms = 7000, .cooldown_ms = 0));

	trigger(s);
	advance(100);
	s->lacks = true;
	trigger(s);
	advance(6000);
	write_file(s, 0);
	advance(2000);
	assert_false(dispatch_pending(&s->rule));
	write_file(s, 0);
	advance(1000);
	assert_true(dispatch_pending(&s->rule));
	s->lacks = false;
	advance(5000);
	assert_int_equal(world.runs, 2);
}

TEST(a_slot_for_what_is_no_run_is_one_of_all)
{
	struct subject *s;

	begin(1);
	s = add_usual();
	assert_true(dispatch_take_slot(&world.d));
	assert_false(dispatch_take_slot(&world.d));
	trigger(s);
	advance(MINUTE);
	assert_int_equal(dispatch_queued_for(&world.d, &s->rule), QUEUED_SLOT);
	dispatch_give_slot(&world.d);
	advance(0);
	assert_int_equal(world.runs, 1);
	advance(MINUTE);
	dispatch_stop(&world.d);
	assert_false(dispatch_take_slot(&world.d));
}

/* ---- blocked ---- */

TEST(a_rule_without_a_program_is_blocked_and_still_owes)
{
	struct subject *s = add_usual();

	s->missing = true;
	write_file(s, 0);
	advance(24 * (int64_t)HOUR);
	assert_int_equal(world.runs, 0);
	assert_state(s, "blocked");
	assert_true(dispatch_pending(&s->rule));
	assert_true(mono_is_never(dispatch_deadline(&world.d)));
}

TEST(a_blocked_rule_runs_when_its_program_is_there)
{
	struct subject *s = add_usual();

	s->missing = true;
	write_file(s, 0);
	advance(HOUR);
	write_file(s, 1);
	advance(HOUR);
	s->missing = false;
	dispatch_unblock(&world.d, &s->rule, world.now);
	advance(0);
	assert_int_equal(world.runs, 1);
	assert_int_equal(run(0)->start, 2 * HOUR);
	advance(HOUR);
	assert_int_equal(world.runs, 1);
	assert_state(s, "idle");
}

TEST(a_rule_may_be_blocked_again_and_again)
{
	struct subject *s = add_usual();
	int i;

	s->missing = true;
	write_file(s, 0);
	for (i = 0; i < 3; i++) {
		advance(MINUTE);
		dispatch_unblock(&world.d, &s->rule, world.now);
		advance(0);
		assert_state(s, "blocked");
	}
	assert_int_equal(world.runs, 0);
}

TEST(a_blocked_rule_holds_neither_lock_nor_slot)
{
	static struct dispatch_lock lock;
	struct subject *a, *b;

	begin(1);
	a = add_locked(usual(), &lock);
	b = add_locked(usual(), &lock);
	a->missing = true;
	write_file(a, 0);
	write_file(b, 0);
	advance(MINUTE);
	assert_state(a, "blocked");
	assert_int_equal(runs_of(b), 1);
}

TEST(unblocking_what_is_not_blocked_does_nothing)
{
	struct subject *s = add_usual();

	dispatch_unblock(&world.d, &s->rule, world.now);
	write_file(s, 0);
	dispatch_unblock(&world.d, &s->rule, world.now);
	advance(1050);
	dispatch_unblock(&world.d, &s->rule, world.now);
	advance(HOUR);
	assert_int_equal(world.runs, 1);
	assert_int_equal(run(0)->start, 1000);
}

/* ---- at-start ---- */

TEST(at_start_always_runs_once)
{
	struct policy p = usual();
	struct subject *s;

	p.at_start = START_ALWAYS;
	s = add_bare(p, NULL);
	advance(24 * (int64_t)HOUR);
	assert_int_equal(world.runs, 1);
	assert_int_equal(run(0)->start, 0);
	assert_int_equal(run(0)->reason, REASON_START);
	assert_state(s, "idle");
}

TEST(at_start_new_owes_what_exists_whatever_on_says)
{
	struct policy p = usual();

	p.at_start = START_NEW;
	p.on = CHANGE_DELETE;
	add(p);
	advance(HOUR);
	assert_int_equal(world.runs, 1);
	assert_int_equal(run(0)->reason, REASON_START);
}

TEST(at_start_new_owes_nothing_for_what_does_not_exist)
{
	struct policy p = usual();
	struct subject *s;
	size_t i;

	p.at_start = START_NEW;
	s = add_bare(p, NULL);
	for (i = 0; i < PATHS; i++) {
		s->file[i] = (struct stamp){ .taken_ns = EPOCH };
		watch(s, i);
	}
	advance(HOUR);
	assert_int_equal(world.runs, 0);
}

TEST(at_start_changed_and_never_record_what_is_there)
{
	struct policy p = usual();

	p.at_start = START_CHANGED;
	add(p);
	p.at_start = START_NEVER;
	add(p);
	advance(HOUR);
	assert_int_equal(world.runs, 0);
}

TEST(at_start_always_runs_only_when_the_daemon_starts)
{
	struct policy p = usual();

	p.at_start = START_ALWAYS;
	add_while(false, p, NULL);
	advance(HOUR);
	assert_int_equal(world.runs, 0);
}

TEST(forgetting_what_at_start_new_owes_forgets_the_run)
{
	struct policy p = usual();
	struct subject *s;

	p.at_start = START_NEW;
	s = add_bare(p, NULL);
	watch(s, 0);
	assert_true(dispatch_pending(&s->rule));
	dispatch_forget(&world.d, &s->rule, &s->path[0], world.now);
	assert_state(s, "idle");
	advance(HOUR);
	assert_int_equal(world.runs, 0);
}

TEST(a_change_after_the_start_gives_reason_change)
{
	struct subject *s = add(usual_but(.at_start = START_NEW));

	advance(500);
	write_file(s, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 1);
	assert_int_equal(run(0)->reason, REASON_CHANGE);
}

/* ---- trigger ---- */

TEST(a_trigger_goes_past_settle_cooldown_and_splay)
{
	struct subject *s = add_splayed();

	assert_true(trigger(s));
	advance(200);
	write_file(s, 0);
	assert_true(trigger(s));
	advance(200);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(0)->start, 0);
	assert_int_equal(run(1)->start, 200);
	assert_int_equal(run(1)->reason, REASON_MANUAL);
	advance(HOUR);
	assert_int_equal(world.runs, 2);
}

TEST(a_trigger_goes_past_the_retry_wait)
{
	struct subject *s = add_stubborn(HOUR, 0);

	write_file(s, 0);
	advance(5000);
	s->fail = 0;
	assert_true(trigger(s));
	advance(HOUR * 3);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start, 5000);
	assert_int_equal(run(1)->attempt, 2);
}

TEST(a_trigger_does_not_go_past_the_lock)
{
	static struct dispatch_lock lock;
	struct subject *a = add_locked(usual(), &lock), *b = add_locked(usual(), &lock);

	a->length_ms = 5000;
	trigger(a);
	advance(100);
	trigger(b);
	advance(100);
	assert_int_equal(runs_of(b), 0);
	assert_state(b, "queued");
	advance(MINUTE);
	assert_int_equal(last_run()->start, 5000);
	assert_int_equal(runs_of(b), 1);
}

TEST(a_trigger_does_not_go_past_max_running)
{
	struct subject *a, *b;

	begin(1);
	a = add_usual();
	b = add_usual();
	a->length_ms = 5000;
	trigger(a);
	advance(100);
	trigger(b);
	advance(100);
	assert_state(b, "queued");
	advance(MINUTE);
	assert_int_equal(last_run()->start, 5000);
}

TEST(a_trigger_of_a_disabled_or_blocked_or_removed_rule_is_refused)
{
	struct policy p = usual();
	struct subject *disabled, *blocked, *removed;

	p.enabled = false;
	disabled = add(p);
	blocked = add_usual();
	removed = add_usual();
	blocked->missing = true;
	write_file(blocked, 0);
	advance(MINUTE);
	dispatch_remove(&world.d, &removed->rule);
	assert_false(trigger(disabled));
	assert_false(trigger(blocked));
	assert_false(trigger(removed));
	advance(HOUR);
	assert_int_equal(world.runs, 0);
}

TEST(triggers_during_a_run_share_one_more)
{
	struct subject *s = add_usual();
	int i;

	trigger(s);
	advance(50);
	for (i = 0; i < 5; i++)
		assert_true(trigger(s));
	advance(HOUR);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start, run(0)->end);
	assert_int_equal(run(1)->reason, REASON_MANUAL);
}

TEST(a_triggered_run_takes_what_is_owed)
{
	struct subject *s = add_usual();

	write_file(s, 0);
	trigger(s);
	advance(HOUR);
	assert_int_equal(world.runs, 1);
	assert_int_equal(run(0)->start, 0);
	assert_false(dispatch_pending(&s->rule));
}

TEST(a_failed_triggered_run_puts_back_what_was_owed)
{
	struct subject *s = add_usual();

	s->fail = 1;
	write_file(s, 0);
	trigger(s);
	advance(HOUR);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->attempt, 2);
	assert_int_equal(run(1)->reason, REASON_RETRY);
}

TEST(a_failed_triggered_run_with_nothing_owed_changes_nothing)
{
	struct subject *s = add_usual();
	int i;

	s->fail = 5;
	for (i = 0; i < 5; i++) {
		trigger(s);
		advance(MINUTE);
		assert_int_equal(last_run()->attempt, 1);
		assert_state(s, "idle");
	}
	assert_int_equal(world.runs, 5);
	s->fail = 1;
	write_file(s, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 7);
	assert_int_equal(run(5)->attempt, 1);
	assert_between(27000, run(6)->start - run(5)->end, 33000);
}

TEST(a_change_during_a_failed_triggered_run_is_owed)
{
	struct subject *s = add_usual();

	s->fail = 1;
	trigger(s);
	advance(50);
	write_file(s, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->attempt, 1);
	assert_int_equal(run(1)->reason, REASON_CHANGE);
}

TEST(a_trigger_runs_what_has_failed)
{
	struct subject *s = add_failed(1, 1000);

	s->fail = 0;
	assert_true(trigger(s));
	advance(1000);
	assert_int_equal(world.runs, 3);
	assert_state(s, "idle");
}

/* ---- self-triggering ---- */

static struct subject *
add_self_triggering_with(uint32_t retry)
{
	struct subject *s =
	    add(usual_but(.cooldown_ms = 0, .settle_ms = 0, .retry = retry));

	s->writes = true;
	write_file(s, 0);
	return s;
}

static struct subject *
add_self_triggering(void)
{
	return add_self_triggering_with(3);
}

TEST(a_rule_that_triggers_itself_runs_less_than_20_times_a_minute)
{
	struct subject *s = add_self_triggering();
	unsigned before;

	while (!dispatch_is_guarded(&s->rule))
		advance(10);
	assert_int_equal(world.runs, 11);
	before = runs_of(s);
	advance(MINUTE);
	assert_between(1, runs_of(s) - before, 19);
	advance(10 * (int64_t)HOUR);
	before = runs_of(s);
	advance(10 * (int64_t)HOUR);
	assert_between(58, runs_of(s) - before, 60);
}

TEST(the_guard_doubles_from_one_second)
{
	struct subject *s = add_self_triggering();
	int64_t want = 1000;
	size_t i;

	advance(24 * (int64_t)HOUR);
	assert_true(world.runs > 24);
	for (i = 11; i < world.runs; i++) {
		assert_int_equal(run(i)->start - run(i - 1)->end, want);
		want = want * 2 < 10 * MINUTE ? want * 2 : 10 * MINUTE;
	}
	assert_state(s, "cooldown");
}

TEST(the_guard_never_makes_the_cooldown_shorter)
{
	struct subject *s = add_self_triggering();

	s->policy.cooldown_ms = 5000;
	advance(5 * MINUTE);
	assert_true(dispatch_is_guarded(&s->rule));
	assert_int_equal(run(11)->start - run(10)->end, 5000);
	assert_int_equal(run(12)->start - run(11)->end, 5000);
}

/* Ten hours on, when the guard holds its own changes for ten minutes. */
static void
assert_a_change_from_outside_runs(struct subject *s)
{
	int64_t t;
	size_t n;

	advance(10 * (int64_t)HOUR);
	t = last_run()->end + MINUTE;
	if (t <= now_ms())
		advance(10 * MINUTE);
	t = last_run()->end + MINUTE;
	advance(t - now_ms());
	n = world.runs;
	write_file(s, 1);
	advance(0);
	assert_int_equal(world.runs, n + 1);
	assert_int_equal(last_run()->start, t);
	assert_false(dispatch_is_guarded(&s->rule));
}

TEST(a_change_from_outside_runs_in_spite_of_the_guard)
{
	assert_a_change_from_outside_runs(add_self_triggering());
}

TEST(without_retries_a_failing_rule_that_triggers_itself_is_guarded)
{
	struct subject *s = add_self_triggering_with(0);
	unsigned before;

	s->fail = FOREVER;
	while (!dispatch_is_guarded(&s->rule))
		advance(10);
	assert_int_equal(world.runs, 11);
	before = runs_of(s);
	advance(MINUTE);
	assert_between(1, runs_of(s) - before, 19);
	assert_a_change_from_outside_runs(s);
}

TEST(a_change_more_than_200_ms_after_a_run_is_not_its_own)
{
	int i;
	struct subject *s = add(usual_but(.cooldown_ms = 0, .settle_ms = 0));

	for (i = 0; i < 30; i++) {
		write_file(s, 0);
		advance(301);
	}
	assert_int_equal(world.runs, 30);
	assert_false(dispatch_is_guarded(&s->rule));
	for (i = 0; i < 12; i++) {
		write_file(s, 0);
		advance(300);
	}
	assert_true(dispatch_is_guarded(&s->rule));
}

/* Its event came in the run, and its look long after it. */
TEST(a_look_that_was_put_off_counts_from_its_event)
{
	int i;
	struct subject *s = add(usual_but(.cooldown_ms = 0, .settle_ms = 0));

	for (i = 0; i < 12; i++) {
		s->put_off = 2000 - 200;
		write_file(s, 0);
		s->put_off = 0;
		advance(2100);
	}
	assert_true(dispatch_is_guarded(&s->rule));
	advance(HOUR);
	s->put_off = now_ms() - last_run()->end - 200;
	write_file(s, 0);
	advance(MINUTE);
	assert_true(dispatch_is_guarded(&s->rule));
	s->put_off = now_ms() - last_run()->end - 201;
	write_file(s, 0);
	advance(0);
	assert_false(dispatch_is_guarded(&s->rule));
}

/* ---- while-running = ignore ---- */

static struct subject *
add_ignoring(void)
{
	struct policy p = usual();

	p.while_running = RUNNING_IGNORE;
	return add(p);
}

TEST(ignore_takes_a_change_during_a_run_as_its_own_doing)
{
	struct subject *s = add_ignoring();

	s->writes = true;
	write_file(s, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 1);
	assert_false(dispatch_pending(&s->rule));
}

TEST(ignore_lasts_one_settle_after_a_success)
{
	struct subject *s = add_ignoring();
	unsigned looks;

	write_file(s, 0);
	advance(2050);
	assert_int_equal(run(0)->end, 1100);
	write_file(s, 0);
	write_unnoticed(s, 1);
	looks = s->looks;
	advance(50);
	assert_int_equal(s->looks, looks + PATHS);
	advance(HOUR);
	assert_int_equal(world.runs, 1);
	write_file(s, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 2);
}

TEST(a_blocked_rule_that_is_disabled_waits_for_nothing)
{
	struct subject *s = add_ignoring();
	struct policy p = s->policy;

	write_file(s, 0);
	advance(1200);
	assert_int_equal(run(0)->end, 1100);
	s->missing = true;
	trigger(s);
	advance(0);
	assert_state(s, "blocked");
	assert_false(mono_is_never(dispatch_deadline(&world.d)));
	p.enabled = false;
	change(s, p, NULL);
	assert_true(mono_is_never(dispatch_deadline(&world.d)));
	advance(HOUR);
	s->missing = false;
	p.enabled = true;
	change(s, p, NULL);
	unblock(s);
	advance(HOUR);
	write_file(s, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 2);
}

TEST(ignore_ends_with_a_failed_run)
{
	struct subject *s = add_ignoring();

	s->fail = 1;
	write_file(s, 0);
	advance(1110);
	write_file(s, 1);
	assert_true(s->path[1].owed != 0);
	advance(HOUR);
	assert_int_equal(world.runs, 2);
}

TEST(rerun_takes_no_looks_after_a_run)
{
	struct subject *s = add_usual();
	unsigned looks;

	write_file(s, 0);
	advance(1000);
	looks = s->looks;
	advance(HOUR);
	assert_int_equal(s->looks, looks);
}

/* ---- every ---- */

static struct subject *
add_every(int64_t ms)
{
	struct policy p = usual();

	p.every_ms = ms;
	return add(p);
}

TEST(every_runs_when_no_run_has_succeeded_for_that_long)
{
	struct subject *s = add_every(HOUR);

	advance(HOUR - 1);
	assert_int_equal(world.runs, 0);
	advance(2 * HOUR);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(0)->start, HOUR);
	assert_int_equal(run(1)->start, run(0)->end + HOUR);
	assert_int_equal(run(0)->reason, REASON_TIMER);
	assert_state(s, "idle");
}

TEST(any_success_puts_every_off)
{
	struct subject *s = add_every(HOUR);

	advance(HOUR / 2);
	write_file(s, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 1);
	advance(HOUR);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start, run(0)->end + HOUR);
	trigger(s);
	advance(HOUR);
	assert_int_equal(world.runs, 3);
	advance(MINUTE);
	assert_int_equal(world.runs, 4);
}

TEST(every_is_retried_like_any_run)
{
	struct subject *s = add_every(HOUR);

	s->fail = 1;
	advance(HOUR + MINUTE);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->reason, REASON_RETRY);
	assert_int_equal(run(1)->attempt, 2);
}

TEST(every_asks_again_when_the_budget_is_spent)
{
	struct subject *s = add_every(HOUR);

	s->fail = 4;
	advance(2 * HOUR - MINUTE);
	assert_int_equal(world.runs, 4);
	assert_state(s, "failed");
	advance(2 * MINUTE);
	assert_int_equal(world.runs, 5);
	assert_int_equal(run(4)->attempt, 1);
	assert_state(s, "idle");
}

/* ---- lock, max-running and the queue ---- */

/* In which order they started, as letters by subject. */
static void
assert_order(const char *want)
{
	char got[64] = "";
	size_t i;

	for (i = 0; i < world.runs && i < sizeof(got) - 1; i++)
		got[i] = (char)('a' + (world.run[i].s - world.subject));
	assert_string_equal(got, want);
}

TEST(the_oldest_due_time_is_served_first)
{
	struct subject *s[4];
	size_t i;

	begin(1);
	for (i = 0; i < 4; i++)
		s[i] = add_usual();
	s[0]->length_ms = 10000;
	trigger(s[0]);
	advance(10);
	write_file(s[3], 0);
	advance(10);
	write_file(s[1], 0);
	advance(10);
	write_file(s[2], 0);
	advance(HOUR);
	assert_order("adbc");
}

TEST(a_rule_whose_lock_is_held_is_passed_over_and_keeps_its_place)
{
	static struct dispatch_lock lock;
	struct subject *a, *b, *c, *d;

	begin(2);
	a = add_locked(usual(), &lock);
	b = add_locked(usual(), &lock);
	c = add_usual();
	d = add_locked(usual(), &lock);
	a->length_ms = c->length_ms = 20000;
	trigger(a);
	advance(10);
	write_file(b, 0);
	advance(10);
	write_file(c, 0);
	advance(10);
	write_file(d, 0);
	advance(MINUTE);
	assert_order("acbd");
	assert_int_equal(run(1)->start, 1020);
	assert_int_equal(run(2)->start, 20000);
	assert_int_equal(run(3)->start, 20100);
}

/* The rules that hold a lock, the last to take it first, as "ab". */
static const char *
holders(const struct dispatch_lock *lock)
{
	static char names[8];
	const struct dispatch_rule *r;
	size_t n = 0, i;

	LIST_FOREACH(r, &lock->held_by, held_link)
		for (i = 0; i < world.subjects; i++)
			if (r == &world.subject[i].rule)
				names[n++] = (char)('a' + i);
	names[n] = '\0';
	return names;
}

TEST(a_rule_that_is_due_says_what_it_waits_for)
{
	static struct dispatch_lock lock;
	struct subject *a, *b, *c;

	begin(2);
	a = add_locked(usual(), &lock);
	b = add_locked(usual(), &lock);
	c = add_usual();
	a->length_ms = 20000;
	assert_string_equal(holders(&lock), "");
	trigger(a);
	advance(10);
	trigger(b);
	assert_string_equal(holders(&lock), "a");
	assert_int_equal(dispatch_queued_for(&world.d, &b->rule), QUEUED_LOCK);
	trigger(c);
	assert_int_equal(dispatch_queued_for(&world.d, &c->rule), QUEUED_TURN);
	world.d.max_running = 1;
	assert_int_equal(dispatch_queued_for(&world.d, &c->rule), QUEUED_SLOT);
	/* The lock counts as long as it is held, whatever else is missing. */
	assert_int_equal(dispatch_queued_for(&world.d, &b->rule), QUEUED_LOCK);
	advance(30000);
	assert_string_equal(holders(&lock), "");
	dispatch_stop(&world.d);
	trigger(b);
	assert_int_equal(dispatch_queued_for(&world.d, &b->rule), QUEUED_STOP);
}

TEST(rules_with_different_locks_run_side_by_side)
{
	static struct dispatch_lock one, two;

	trigger(add_locked(usual(), &one));
	trigger(add_locked(usual(), &two));
	trigger(add_usual());
	advance(50);
	assert_int_equal(world.running, 3);
}

/* No run began before the one before it had ended. */
static void
assert_no_overlap(void)
{
	size_t i;

	for (i = 1; i < world.runs; i++)
		assert_true(world.run[i - 1].end <= world.run[i].start);
}

TEST(two_busy_rules_with_one_lock_take_turns_and_never_overlap)
{
	static struct dispatch_lock lock;
	struct policy p = usual();
	struct subject *a, *b;
	size_t i;

	p.settle_ms = p.cooldown_ms = 0;
	a = add_locked(p, &lock);
	b = add_locked(p, &lock);
	for (i = 0; world.runs < 1000; i++) {
		trigger(a);
		trigger(b);
		advance((int64_t)(i * 37 % 90));
	}
	assert_int_equal(world.most_running, 1);
	assert_no_overlap();
	for (i = 1; i < 1000; i++)
		assert_ptr_not_equal(run(i)->s, run(i - 1)->s);
}

TEST(a_busy_rule_passes_over_a_waiting_one_once_at_most)
{
	static struct dispatch_lock lock;
	struct policy p = usual();
	struct subject *a, *b;

	p.settle_ms = p.cooldown_ms = 0;
	a = add_locked(p, &lock);
	b = add_locked(p, &lock);
	write_file(a, 0);
	advance(50);
	write_file(b, 0);
	while (world.runs < 4) {
		write_file(a, 0);
		advance(10);
	}
	assert_order("abaa");
}

TEST(a_thousand_rules_due_within_a_second_all_run)
{
	size_t i;

	begin(16);
	for (i = 0; i < 1000; i++)
		add_usual();
	for (i = 0; i < 1000; i++) {
		write_file(&world.subject[i * 7 % 1000], 0);
		advance(i % 2);
	}
	advance(HOUR);
	assert_int_equal(world.runs, 1000);
	assert_int_equal(world.most_running, 16);
	for (i = 0; i < 1000; i++)
		assert_ptr_equal(run(i)->s, &world.subject[i * 7 % 1000]);
	assert_between(1000 * 100 / 16, last_run()->end, 1000 * 100 / 16 + 1200);
}

TEST(a_rule_that_unsettles_in_the_queue_lets_others_go_first)
{
	struct subject *a, *b, *c;

	begin(1);
	a = add_usual();
	b = add_usual();
	c = add_usual();
	a->length_ms = 5000;
	trigger(a);
	advance(10);
	write_file(b, 0);
	advance(10);
	write_file(c, 0);
	advance(4900);
	write_file(b, 0);
	advance(MINUTE);
	assert_order("acb");
	assert_int_equal(last_run()->start, 5920);
}

/* ---- timeout ---- */

static struct subject *
add_slow(bool stubborn)
{
	struct subject *s = add(usual_but(.timeout_ms = 3000, .retry = 0));

	s->stubborn = stubborn;
	s->length_ms = HOUR;
	trigger(s);
	return s;
}

TEST(a_run_that_takes_too_long_gets_term)
{
	struct subject *s = add_slow(false);

	advance(2999);
	assert_int_equal(s->term_ms, -1);
	advance(MINUTE);
	assert_int_equal(s->term_ms, 3000);
	assert_int_equal(run(0)->end, 3000);
	assert_int_equal(s->kill_ms, -1);
}

TEST(a_run_that_ignores_term_gets_kill_five_seconds_later)
{
	struct subject *s = add_slow(true);

	advance(3000);
	assert_state(s, "stopping");
	advance(4999);
	assert_int_equal(s->kill_ms, -1);
	advance(MINUTE);
	assert_int_equal(s->kill_ms, 8000);
	assert_int_equal(run(0)->end, 8000);
}

TEST(a_timeout_of_zero_is_none)
{
	struct subject *s = add(usual_but(.timeout_ms = 0));

	s->length_ms = 100 * HOUR;
	trigger(s);
	advance(99 * (int64_t)HOUR);
	assert_true(s->running);
	assert_int_equal(s->term_ms, -1);
}

TEST(a_run_in_time_gets_no_signal)
{
	struct subject *s = add_slow(true);

	s->length_ms = 2900;
	advance(50);
	s->ends_ms = 2900;
	advance(HOUR);
	assert_int_equal(run(0)->end, 2900);
	assert_int_equal(s->term_ms, -1);
	assert_int_equal(s->kill_ms, -1);
}

/* ---- remove, forget, disabled, stop ---- */

TEST(a_removed_rule_does_not_run)
{
	struct subject *waiting = add_usual(), *queued, *idle = add_usual();

	begin(1);
	trigger(add_usual());
	waiting = add_usual();
	queued = add_usual();
	idle = add_usual();
	advance(10);
	trigger(queued);
	write_file(waiting, 0);
	assert_false(dispatch_remove(&world.d, &waiting->rule));
	assert_false(dispatch_remove(&world.d, &queued->rule));
	assert_false(dispatch_remove(&world.d, &idle->rule));
	advance(HOUR);
	assert_int_equal(world.runs, 1);
	assert_true(mono_is_never(dispatch_deadline(&world.d)));
}

TEST(a_removed_rule_that_runs_keeps_lock_and_timeout_to_the_end)
{
	static struct dispatch_lock lock;
	struct policy p = usual();
	struct subject *a, *b;

	p.timeout_ms = 3000;
	a = add_locked(p, &lock);
	b = add_locked(p, &lock);
	a->stubborn = true;
	a->length_ms = HOUR;
	trigger(a);
	advance(10);
	write_file(a, 0);
	trigger(a);
	trigger(b);
	assert_true(dispatch_remove(&world.d, &a->rule));
	a->gone = true;
	advance(HOUR);
	assert_int_equal(a->term_ms, 3000);
	assert_int_equal(a->kill_ms, 8000);
	assert_int_equal(runs_of(a), 1);
	assert_int_equal(runs_of(b), 1);
	assert_int_equal(run(1)->start, 8000);
}

TEST(what_is_forgotten_is_not_owed)
{
	struct subject *s = add_usual();

	write_file(s, 0);
	dispatch_forget(&world.d, &s->rule, &s->path[0], world.now);
	assert_true(dispatch_path_settled(&s->path[0]));
	assert_state(s, "idle");
	assert_true(mono_is_never(dispatch_deadline(&world.d)));
}

TEST(the_other_paths_of_a_rule_are_owed_still)
{
	struct subject *s = add_usual();

	write_file(s, 0);
	write_file(s, 1);
	dispatch_forget(&world.d, &s->rule, &s->path[0], world.now);
	advance(HOUR);
	assert_int_equal(world.runs, 1);
}

TEST(a_rule_that_owes_nothing_any_more_leaves_the_queue)
{
	struct subject *s, *busy;

	begin(1);
	busy = add_usual();
	s = add_every(3 * HOUR);
	busy->length_ms = 2 * MINUTE;
	trigger(busy);
	write_file(s, 0);
	advance(MINUTE);
	assert_state(s, "queued");
	dispatch_forget(&world.d, &s->rule, &s->path[0], world.now);
	assert_state(s, "idle");
	advance(HOUR);
	assert_int_equal(world.runs, 1);
	advance(2 * HOUR);
	assert_int_equal(runs_of(s), 1);
}

TEST(a_change_after_all_that_failed_is_forgotten_is_served)
{
	struct subject *s = add_failed(0, 1000);

	dispatch_forget(&world.d, &s->rule, &s->path[0], world.now);
	assert_state(s, "idle");
	trigger(s);
	advance(50);
	assert_true(s->running);
	write_file(s, 1);
	s->fail = 1;
	advance(HOUR);
	assert_int_equal(world.runs, 3);
	assert_int_equal(run(2)->attempt, 1);
	assert_state(s, "idle");
}

TEST(a_disabled_rule_does_nothing)
{
	struct subject *s = add(
	    usual_but(.enabled = false, .at_start = START_ALWAYS, .every_ms = MINUTE));

	write_file(s, 0);
	nudge(s);
	advance(HOUR);
	assert_int_equal(world.runs, 0);
	assert_state(s, "disabled");
}

TEST(after_a_stop_nothing_new_runs_but_timeouts_go_on)
{
	struct subject *slow = add_slow(true), *s = add_usual();

	advance(10);
	trigger(s);
	dispatch_stop(&world.d);
	write_file(s, 0);
	advance(HOUR);
	assert_int_equal(runs_of(s), 0);
	assert_int_equal(slow->kill_ms, 8000);
	assert_true(mono_is_never(dispatch_deadline(&world.d)));
}

/* ---- another life of the daemon ---- */

TEST(what_is_owed_is_served_in_the_next_life)
{
	struct subject *s = add_usual();

	write_file(s, 0);
	advance(500);
	restart(HOUR, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 1);
	assert_int_equal(run(0)->start, 500 + HOUR + 1000);
	assert_int_equal(run(0)->reason, REASON_CHANGE);
	assert_int_equal(run(0)->attempt, 1);
	assert_state(s, "idle");
}

TEST(a_rule_that_owed_nothing_owes_nothing_in_the_next_life)
{
	struct subject *s = add_usual();

	write_file(s, 0);
	advance(MINUTE);
	restart(HOUR, 0);
	assert_state(s, "idle");
	advance(HOUR);
	assert_int_equal(world.runs, 1);
}

TEST(what_changes_between_two_lives_is_owed)
{
	struct subject *s = add_usual();

	write_unnoticed(s, 1);
	restart(HOUR, 0);
	assert_int_equal(s->path[1].owed, CHANGE_MODIFY);
	advance(HOUR);
	assert_int_equal(world.runs, 1);
	assert_int_equal(run(0)->start, HOUR + 1000);
}

TEST(what_runs_failed_to_deliver_is_owed_in_life_after_life)
{
	struct subject *s = add_stubborn(MINUTE, 0);
	int i;

	write_file(s, 0);
	for (i = 0; i < 20; i++) {
		advance(10 * MINUTE);
		restart(10 * MINUTE, 0);
		assert_true(dispatch_pending(&s->rule));
	}
	s->fail = 0;
	advance(2 * HOUR);
	assert_state(s, "idle");
	assert_true(last_run()->end > 20 * 20 * MINUTE);
	assert_int_equal(last_run()->attempt, world.runs);
}

/* Its cooldown goes on for another minute when the daemon comes back. */
static struct subject *
restart_in_cooldown(int64_t jump_ms)
{
	struct subject *s = add(usual_but(.cooldown_ms = 10 * MINUTE));

	write_file(s, 0);
	advance(5000);
	write_file(s, 0);
	advance(5 * MINUTE - 5000);
	restart(4 * MINUTE + 1100, jump_ms);
	return s;
}

TEST(a_cooldown_survives_a_restart)
{
	restart_in_cooldown(0);

	advance(HOUR);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start - run(0)->end, 10 * MINUTE);
}

TEST(a_clock_that_was_set_back_makes_a_cooldown_no_longer_than_it_is)
{
	int64_t back;

	restart_in_cooldown(-24 * (int64_t)HOUR);
	back = now_ms();
	advance(HOUR);
	assert_int_equal(run(1)->start, back + 10 * MINUTE);
}

TEST(a_clock_that_was_set_forward_ends_a_cooldown)
{
	int64_t back;

	restart_in_cooldown(24 * (int64_t)HOUR);
	back = now_ms();
	advance(HOUR);
	assert_int_equal(run(1)->start, back + 1000);
}

/* It has failed twice and waits for its third attempt, about an hour. */
static struct subject *
add_waiting_for_a_retry(void)
{
	struct subject *s = add_stubborn(HOUR / 2, 0);

	write_file(s, 0);
	while (world.runs < 2)
		advance(1000);
	advance(1000);
	assert_state(s, "retrying");
	return s;
}

TEST(a_retry_wait_survives_a_restart_with_its_attempt)
{
	struct subject *s = add_waiting_for_a_retry();
	mono_t due = dispatch_due(&s->rule);

	restart(10 * MINUTE, 0);
	assert_state(s, "retrying");
	assert_int_equal(dispatch_due(&s->rule).ns, due.ns);
	advance(HOUR);
	assert_int_equal(world.runs, 3);
	assert_between(54 * MINUTE, run(2)->start - run(1)->end, 66 * MINUTE);
	assert_int_equal(run(2)->attempt, 3);
	assert_int_equal(run(2)->reason, REASON_RETRY);
}

TEST(a_backoff_goes_on_doubling_after_a_restart)
{
	struct subject *s = add_stubborn(MINUTE, 0);

	write_file(s, 0);
	while (world.runs < 2)
		advance(1000);
	restart(0, 0);
	while (world.runs < 4)
		advance(1000);
	assert_between(4 * 54000, run(3)->start - run(2)->end, 4 * 66000);
}

TEST(a_clock_that_was_set_back_makes_a_retry_wait_no_longer_than_it_is)
{
	struct subject *s = add_waiting_for_a_retry();
	int64_t length = mono_sub(dispatch_due(&s->rule), world.now) +
			 (now_ms() - run(1)->end) * MONO_MS;

	advance(HOUR / 2);
	restart(0, -24 * (int64_t)HOUR);
	assert_int_equal(mono_sub(dispatch_due(&s->rule), world.now), length);
}

TEST(a_clock_that_was_set_forward_ends_a_retry_wait)
{
	int64_t t;

	add_waiting_for_a_retry();
	restart(0, 24 * (int64_t)HOUR);
	t = now_ms();
	advance(MINUTE);
	assert_int_equal(run(2)->start, t + 1000);
	assert_int_equal(run(2)->attempt, 3);
}

TEST(a_spent_budget_is_served_again_but_no_sooner_than_the_retry)
{
	struct subject *s = add_failed(2, MINUTE);
	int64_t ended = last_run()->end;

	restart(10000, 0);
	assert_state(s, "retrying");
	advance(24 * (int64_t)HOUR);
	assert_int_equal(world.runs, 6);
	assert_between(4 * 54000, run(3)->start - ended, 4 * 66000);
	assert_int_equal(run(3)->attempt, 1);
	assert_int_equal(run(5)->attempt, 3);
	assert_state(s, "failed");
}

TEST(without_retries_a_spent_budget_is_served_as_usual_after_a_restart)
{
	struct subject *s = add_failed(0, HOUR);

	s->fail = 0;
	restart(1000, 0);
	advance(MINUTE);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start, run(0)->end + 10000);
}

TEST(a_difference_found_after_a_restart_is_a_cause)
{
	struct subject *s = add_waiting_for_a_retry();
	int64_t t;

	write_unnoticed(s, 0);
	restart(MINUTE, 0);
	t = now_ms();
	assert_state(s, "settling");
	advance(MINUTE);
	assert_int_equal(world.runs, 3);
	assert_int_equal(run(2)->start, t + 1000);
	assert_int_equal(run(2)->attempt, 1);
}

TEST(a_wait_that_must_not_be_shortened_must_not_after_a_restart)
{
	struct subject *s = add_stubborn(10 * MINUTE, 0);

	write_file(s, 0);
	advance(MINUTE);
	write_file(s, 0);
	advance(MINUTE);
	assert_int_equal(world.runs, 2);
	restart(1000, 0);
	write_file(s, 0);
	advance(HOUR);
	assert_int_equal(run(2)->attempt, 1);
	assert_between(2 * 9 * MINUTE, run(2)->start - run(1)->end, 2 * 11 * MINUTE);
}

TEST(a_wait_that_was_shortened_is_known_to_be_after_a_restart)
{
	struct subject *s = add_stubborn(10 * MINUTE, 2 * MINUTE);

	write_file(s, 0);
	advance(MINUTE);
	write_file(s, 0);
	restart(1000, 0);
	advance(5 * MINUTE);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start - run(0)->end, 2 * MINUTE);
	write_file(s, 0);
	advance(HOUR);
	assert_between(2 * 9 * MINUTE, run(2)->start - run(1)->end, 2 * 11 * MINUTE);
}

TEST(every_counts_from_the_last_success_across_a_restart)
{
	struct subject *s = add_every(HOUR);

	write_file(s, 0);
	advance(10 * MINUTE);
	restart(20 * MINUTE, 0);
	advance(3 * HOUR);
	assert_int_equal(run(1)->start, run(0)->end + HOUR);
	assert_int_equal(run(1)->reason, REASON_TIMER);
	assert_state(s, "idle");
}

TEST(every_counts_from_when_the_rule_was_new_across_restarts)
{
	int i;

	add_every(HOUR);
	for (i = 0; i < 5; i++) {
		advance(5 * MINUTE);
		restart(5 * MINUTE, 0);
	}
	advance(HOUR / 2);
	assert_int_equal(world.runs, 1);
	assert_int_equal(run(0)->start, HOUR);
}

TEST(every_does_not_make_up_for_what_it_missed)
{
	add_every(HOUR);
	restart(24 * (int64_t)HOUR, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 1);
	assert_int_equal(run(0)->start, 24 * HOUR);
}

TEST(a_clock_that_was_set_back_puts_every_off_by_one_length_at_most)
{
	add_every(HOUR);
	advance(HOUR / 2);
	restart(0, -24 * (int64_t)HOUR);
	advance(2 * HOUR);
	assert_int_equal(run(0)->start, HOUR / 2 + HOUR);
}

TEST(what_the_timer_asked_for_is_owed_in_the_next_life)
{
	struct subject *s = add_every(HOUR);

	s->fail = 1;
	advance(HOUR + 1000);
	assert_int_equal(world.runs, 1);
	restart(0, 0);
	advance(MINUTE);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->attempt, 2);
	assert_state(s, "idle");
}

TEST(at_start_always_runs_at_every_start)
{
	struct policy p = usual();
	int i;

	p.at_start = START_ALWAYS;
	add_bare(p, NULL);
	for (i = 1; i < 4; i++) {
		advance(MINUTE);
		assert_int_equal(world.runs, i);
		assert_int_equal(last_run()->reason, REASON_START);
		restart(0, 0);
	}
}

TEST(at_start_always_does_not_wait_for_a_retry)
{
	struct policy p = usual();
	struct subject *s;
	int64_t t;

	p.at_start = START_ALWAYS;
	p.retry_delay_ms = HOUR;
	s = add_bare(p, NULL);
	s->fail = 1;
	advance(MINUTE);
	restart(0, 0);
	t = now_ms();
	advance(0);
	assert_int_equal(run(1)->start, t);
	assert_int_equal(run(1)->attempt, 1);
}

TEST(at_start_never_comes_back_without_debts_and_waits)
{
	int64_t t;
	struct subject *s =
	    add(usual_but(.at_start = START_NEVER, .retry_delay_ms = HOUR));

	s->fail = 2;
	write_file(s, 0);
	advance(MINUTE);
	write_file(s, 0);
	advance(MINUTE);
	assert_int_equal(world.runs, 2);
	write_unnoticed(s, 1);
	restart(MINUTE, 0);
	assert_state(s, "idle");
	advance(MINUTE);
	t = now_ms();
	write_file(s, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 3);
	assert_int_equal(run(2)->start, t + 1000);
	assert_int_equal(run(2)->attempt, 1);
}

/* A rule that was removed is back, with what was known of it. */
static void
add_again(struct subject *s, const struct dispatch_saved *known, int64_t away)
{
	size_t i;

	dispatch_add(&world.d, &s->rule, &s->policy, NULL, false, world.now);
	dispatch_restore(&world.d, &s->rule, known, world.now, REAL + away);
	for (i = 0; i < PATHS; i++)
		come_back_to(s, i);
	dispatch_restored(&s->rule);
}

TEST(a_rule_that_comes_back_while_the_daemon_runs_owes_what_it_owed)
{
	struct subject *s = add_waiting_for_a_retry();
	struct dispatch_saved known = saved(&s->rule, world.now);

	assert_false(dispatch_remove(&world.d, &s->rule));
	advance(HOUR / 2);
	add_again(s, &known, HOUR / 2 * MONO_MS);
	assert_state(s, "retrying");
	advance(HOUR * 2 / 3);
	assert_int_equal(world.runs, 3);
	assert_int_equal(run(2)->attempt, 3);
}

TEST(a_damaged_wait_is_no_longer_than_a_backoff_can_be)
{
	struct subject *s = add_waiting_for_a_retry();
	struct dispatch_saved known = saved(&s->rule, world.now);

	assert_false(dispatch_remove(&world.d, &s->rule));
	known.retry_length = known.retry_at = INT64_MAX / 2;
	add_again(s, &known, 0);
	assert_state(s, "retrying");
	advance(HOUR * 12 / 10);
	assert_int_equal(world.runs, 3);
}

/* What was owed was on a path that the rule does not watch any more. */
TEST(a_rule_that_comes_back_owing_nothing_waits_for_nothing)
{
	struct subject *s = add_waiting_for_a_retry();
	struct dispatch_saved known = saved(&s->rule, world.now);

	assert_false(dispatch_remove(&world.d, &s->rule));
	known.wait = WAIT_UNCUT;
	dispatch_add(&world.d, &s->rule, &s->policy, NULL, true, world.now);
	dispatch_restore(&world.d, &s->rule, &known, world.now, REAL);
	s->path[0] = (struct dispatch_path){ 0 };
	watch(s, 0);
	dispatch_restored(&s->rule);
	assert_state(s, "idle");
	write_file(s, 0);
	advance(2000);
	assert_int_equal(world.runs, 3);
	assert_int_equal(last_run()->attempt, 1);
}

/* ---- runs left over ---- */

/* A run of half an hour, five minutes old when the daemon comes back. */
static struct subject *
add_left_over(struct policy p, struct dispatch_lock *lock)
{
	struct subject *s = add_locked(p, lock);

	s->length_ms = HOUR / 2;
	write_file(s, 0);
	advance(4 * MINUTE);
	assert_true(s->running);
	return s;
}

static struct policy
patient(void)
{
	struct policy p = usual();

	p.timeout_ms = 0;
	return p;
}

TEST(a_run_left_over_is_running_and_has_taken_what_is_owed)
{
	struct subject *s = add_left_over(patient(), NULL);

	restart(MINUTE, 0);
	assert_state(s, "running");
	assert_false(dispatch_pending(&s->rule));
	assert_ptr_equal(TAILQ_FIRST(&s->rule.taken), &s->path[0]);
	advance(MINUTE);
	assert_int_equal(world.runs, 1);
}

TEST(a_run_left_over_holds_its_lock)
{
	static struct dispatch_lock lock;
	struct subject *b;

	add_left_over(patient(), &lock);
	b = add_locked(usual(), &lock);
	restart(MINUTE, 0);
	trigger(b);
	advance(20 * MINUTE);
	assert_state(b, "queued");
	advance(HOUR);
	assert_int_equal(runs_of(b), 1);
	assert_true(last_run()->start >= run(0)->end);
}

TEST(a_run_left_over_holds_a_slot)
{
	struct subject *b;

	begin(1);
	add_left_over(patient(), NULL);
	b = add_usual();
	restart(MINUTE, 0);
	trigger(b);
	advance(20 * MINUTE);
	assert_state(b, "queued");
	advance(HOUR);
	assert_int_equal(runs_of(b), 1);
}

TEST(two_runs_left_over_with_one_lock_both_hold_it)
{
	static struct dispatch_lock other, lock;
	struct subject *a, *b, *c;

	a = add_left_over(patient(), &lock);
	b = add_left_over(patient(), &other);
	c = add_locked(usual(), &lock);
	b->lock = &lock;
	restart(MINUTE, 0);
	assert_true(a->running && b->running);
	trigger(c);
	b->fail = a->fail = 1;
	while (world.run[0].end < 0)
		advance(1000);
	assert_true(b->running);
	assert_state(c, "queued");
	while (world.run[1].end < 0)
		advance(1000);
	advance(3 * HOUR);
	assert_int_equal(runs_of(c), 1);
	assert_int_equal(world.running, 0);
}

TEST(a_run_left_over_gets_its_remaining_timeout_then_term_then_kill)
{
	struct policy p = usual();
	struct subject *s;

	p.timeout_ms = 10 * MINUTE;
	s = add_left_over(p, NULL);
	s->stubborn = true;
	restart(MINUTE, 0);
	advance(10 * MINUTE);
	assert_int_equal(s->term_ms, 1000 + 10 * MINUTE);
	assert_int_equal(s->kill_ms, 1000 + 10 * MINUTE + 5000);
}

TEST(a_timeout_that_is_over_when_the_daemon_comes_back_is_told_at_once)
{
	struct policy p = usual();
	struct subject *s;
	int64_t t;

	p.timeout_ms = 10 * MINUTE;
	s = add_left_over(p, NULL);
	restart(10 * MINUTE, 0);
	t = now_ms();
	advance(0);
	assert_int_equal(s->term_ms, t);
}

TEST(a_clock_that_was_set_back_makes_a_timeout_no_longer_than_it_is)
{
	struct policy p = usual();
	struct subject *s;
	int64_t t;

	p.timeout_ms = 10 * MINUTE;
	s = add_left_over(p, NULL);
	restart(MINUTE, -24 * (int64_t)HOUR);
	t = now_ms();
	advance(11 * MINUTE);
	assert_int_equal(s->term_ms, t + 10 * MINUTE);
}

TEST(what_a_lost_run_took_is_due_at_once)
{
	struct policy p = patient();
	struct subject *s;

	p.cooldown_ms = HOUR;
	s = add_left_over(p, NULL);
	restart(MINUTE, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start, run(0)->end);
	assert_int_equal(run(1)->attempt, 1);
	assert_int_equal(run(1)->reason, REASON_CHANGE);
	advance(HOUR);
	assert_int_equal(world.runs, 2);
	assert_state(s, "idle");
}

TEST(what_a_run_took_that_is_gone_after_a_restart_is_due_at_once)
{
	struct subject *s = add_left_over(patient(), NULL);
	int64_t t = now_ms();

	crash(s);
	advance(0);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start, t);
	assert_int_equal(run(1)->attempt, 1);
}

TEST(a_lost_run_counts_neither_in_the_backoff_nor_in_the_budget)
{
	struct subject *s = add_stubborn(MINUTE, 0);

	write_file(s, 0);
	while (world.runs < 3)
		advance(10);
	assert_true(s->running);
	crash(s);
	advance(10);
	assert_int_equal(world.runs, 4);
	assert_int_equal(run(3)->attempt, 3);
	advance(HOUR);
	assert_between(4 * 54000, run(4)->start - run(3)->end, 4 * 66000);
	assert_int_equal(run(4)->attempt, 4);
}

TEST(a_change_can_shorten_the_wait_after_a_lost_run)
{
	struct subject *s = add_stubborn(10 * MINUTE, 0);
	int64_t t;

	write_file(s, 0);
	while (world.runs < 2)
		advance(10);
	write_unnoticed(s, 0);
	crash(s);
	advance(MINUTE);
	assert_int_equal(world.runs, 3);
	assert_int_equal(run(2)->attempt, 1);
	assert_state(s, "retrying");
	t = now_ms();
	write_file(s, 0);
	advance(MINUTE);
	assert_int_equal(run(3)->start, t + 1000);
}

TEST(a_lost_run_whose_path_is_forgotten_leaves_no_wait_behind)
{
	struct subject *s = add_stubborn(MINUTE, HOUR);

	write_file(s, 0);
	while (world.runs < 2)
		advance(10);
	s->ends_ms = now_ms() + 1000;
	restart(10, 0);
	dispatch_forget(&world.d, &s->rule, &s->path[0], world.now);
	s->watched[0] = false;
	advance(MINUTE);
	assert_state(s, "idle");
	write_file(s, 1);
	advance(2 * HOUR);
	assert_int_equal(run(2)->start, run(1)->end + HOUR);
}

TEST(a_lost_run_that_took_nothing_is_not_repeated)
{
	struct policy p = patient();
	struct subject *a = add(p), *b = add(p);

	a->length_ms = b->length_ms = 10 * MINUTE;
	trigger(a);
	trigger(b);
	advance(MINUTE);
	a->ends_ms = now_ms();
	restart(0, 0);
	assert_state(a, "idle");
	assert_state(b, "running");
	advance(24 * (int64_t)HOUR);
	assert_int_equal(world.runs, 2);
	assert_state(b, "idle");
}

TEST(a_change_during_a_run_left_over_is_served_once_after_it)
{
	struct subject *s = add_left_over(patient(), NULL);

	restart(MINUTE, 0);
	advance(MINUTE);
	write_file(s, 1);
	assert_true(dispatch_pending(&s->rule));
	advance(20 * MINUTE);
	assert_int_equal(world.runs, 1);
	advance(20 * MINUTE);
	assert_int_equal(world.runs, 2);
	advance(24 * (int64_t)HOUR);
	assert_int_equal(world.runs, 2);
}

/* In its last attempt, and the daemon is about to die. */
static struct subject *
add_in_last_attempt(void)
{
	struct subject *s = add(usual_but(.retry = 1));

	s->fail = FOREVER;
	write_file(s, 0);
	while (world.runs < 2)
		advance(10);
	assert_int_equal(run(1)->attempt, 2);
	return s;
}

TEST(a_change_in_the_last_attempt_keeps_its_budget_over_a_restart)
{
	struct subject *s = add_in_last_attempt();

	write_file(s, 0);
	crash(s);
	advance(HOUR);
	assert_int_equal(world.runs, 4);
	assert_int_equal(run(2)->attempt, 1);
	assert_int_equal(run(3)->attempt, 2);
}

TEST(a_change_during_a_left_over_last_attempt_brings_the_full_budget)
{
	struct subject *s = add_in_last_attempt();

	s->ends_ms = now_ms() + 1000;
	restart(10, 0);
	assert_state(s, "running");
	write_file(s, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 4);
	assert_int_equal(run(2)->attempt, 1);
	assert_int_equal(run(3)->attempt, 2);
}

TEST(a_trigger_during_a_run_left_over_runs_after_it)
{
	struct policy p = patient();
	struct subject *s = add(p);

	s->length_ms = 10 * MINUTE;
	trigger(s);
	advance(MINUTE);
	restart(0, 0);
	assert_true(trigger(s));
	advance(15 * MINUTE);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start, run(0)->end);
	assert_int_equal(run(1)->reason, REASON_MANUAL);
}

/* ---- a rule that is changed ---- */

TEST(a_changed_rule_keeps_what_it_owes_and_waits_by_its_new_policy)
{
	struct policy p = usual();
	struct subject *s;

	p.settle_ms = HOUR;
	p.settle_max_ms = 2 * HOUR;
	s = add(p);
	write_file(s, 0);
	advance(MINUTE);
	p.settle_ms = 2 * MINUTE;
	dispatch_change(&world.d, &s->rule, &p, NULL, world.now);
	advance(HOUR);
	assert_int_equal(world.runs, 1);
	assert_int_equal(run(0)->start, 2 * MINUTE);
	assert_int_equal(run(0)->reason, REASON_CHANGE);
}

TEST(attempt_and_backoff_of_a_changed_rule_start_anew)
{
	struct subject *s = add_waiting_for_a_retry();
	struct policy p = s->policy;
	int64_t t;

	p.retry_delay_ms = MINUTE;
	change(s, p, NULL);
	t = now_ms();
	advance(3 * MINUTE);
	assert_int_equal(run(2)->start, t);
	assert_int_equal(run(2)->attempt, 1);
	assert_int_equal(run(2)->reason, REASON_CHANGE);
	assert_between(54000, run(3)->start - run(2)->end, 66000);
}

TEST(a_changed_rule_that_had_failed_runs_again)
{
	struct subject *s = add_failed(1, MINUTE);
	struct policy p = s->policy;

	change(s, p, NULL);
	advance(24 * (int64_t)HOUR);
	assert_int_equal(world.runs, 4);
	assert_int_equal(run(2)->attempt, 1);
	assert_int_equal(run(3)->attempt, 2);
}

TEST(a_changed_rule_whose_last_attempt_runs_gets_a_new_budget)
{
	struct subject *s = add_in_last_attempt();

	change(s, s->policy, NULL);
	assert_state(s, "running");
	advance(24 * (int64_t)HOUR);
	assert_int_equal(world.runs, 4);
	assert_int_equal(run(2)->start, run(1)->end + 10000);
	assert_int_equal(run(2)->attempt, 1);
	assert_int_equal(run(3)->attempt, 2);
	assert_between(27000, run(3)->start - run(2)->end, 66000);
}

TEST(a_changed_rule_that_waits_has_its_new_lock_at_once)
{
	static struct dispatch_lock one, two;
	struct subject *a = add_left_over(patient(), &one);
	struct subject *b = add_locked(usual(), &one), *c = add_locked(usual(), &two);

	write_file(b, 0);
	write_file(c, 0);
	advance(MINUTE);
	assert_state(b, "queued");
	change(b, usual(), &two);
	advance(0);
	assert_int_equal(runs_of(b), 1);
	change(c, usual(), &one);
	trigger(c);
	advance(MINUTE);
	assert_state(c, "queued");
	assert_true(a->running);
	advance(HOUR);
	assert_int_equal(runs_of(c), 2);
}

TEST(a_changed_rule_that_runs_has_its_new_lock_afterwards)
{
	static struct dispatch_lock one, two;
	struct subject *a = add_left_over(patient(), &one);
	struct subject *b = add_locked(usual(), &one), *c = add_locked(usual(), &two);

	change(a, patient(), &two);
	trigger(b);
	trigger(c);
	advance(MINUTE);
	assert_state(b, "queued");
	assert_int_equal(runs_of(c), 1);
	trigger(a);
	advance(HOUR / 2);
	assert_int_equal(runs_of(b), 1);
	assert_int_equal(runs_of(a), 2);
	trigger(b);
	trigger(c);
	advance(MINUTE);
	assert_int_equal(runs_of(b), 2);
	assert_state(c, "queued");
}

TEST(the_run_of_a_changed_rule_keeps_its_timeout)
{
	struct subject *s = add_slow(true);
	struct policy p = s->policy;

	advance(10);
	p.timeout_ms = HOUR;
	change(s, p, NULL);
	advance(MINUTE);
	assert_int_equal(s->term_ms, 3000);
}

TEST(a_changed_rule_that_is_blocked_stays_so_until_it_is_unblocked)
{
	struct subject *s = add_usual();

	s->missing = true;
	write_file(s, 0);
	advance(MINUTE);
	change(s, usual(), NULL);
	s->missing = false;
	advance(HOUR);
	assert_state(s, "blocked");
	unblock(s);
	advance(0);
	assert_int_equal(world.runs, 1);
}

TEST(every_of_a_changed_rule_counts_from_the_last_success)
{
	struct subject *s = add_usual();
	struct policy p = usual();

	write_file(s, 0);
	advance(10 * MINUTE);
	p.every_ms = HOUR;
	change(s, p, NULL);
	advance(HOUR);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start, run(0)->end + HOUR);
	advance(10 * MINUTE);
	p.every_ms = 5 * MINUTE;
	change(s, p, NULL);
	advance(0);
	assert_int_equal(world.runs, 3);
	p.every_ms = 0;
	advance(1000);
	change(s, p, NULL);
	advance(24 * (int64_t)HOUR);
	assert_int_equal(world.runs, 3);
}

TEST(a_changed_rule_that_triggers_itself_gets_another_chance)
{
	struct subject *s = add_self_triggering();

	advance(HOUR);
	assert_true(dispatch_is_guarded(&s->rule));
	change(s, s->policy, NULL);
	assert_false(dispatch_is_guarded(&s->rule));
}

TEST(a_rule_that_is_switched_off_waits_till_it_is_switched_on)
{
	struct subject *s = add_usual();
	struct policy p = usual();

	write_file(s, 0);
	p.enabled = false;
	change(s, p, NULL);
	advance(HOUR);
	assert_state(s, "disabled");
	assert_int_equal(world.runs, 0);
	change(s, usual(), NULL);
	advance(0);
	assert_int_equal(world.runs, 1);
}

TEST(a_removed_rule_that_still_runs_can_be_taken_up_again)
{
	struct subject *s = add_left_over(patient(), NULL);

	s->fail = 1;
	write_file(s, 1);
	assert_true(dispatch_remove(&world.d, &s->rule));
	advance(MINUTE);
	assert_false(trigger(s));
	change(s, usual(), NULL);
	assert_state(s, "running");
	s->length_ms = 100;
	write_file(s, 0);
	advance(HOUR);
	assert_int_equal(world.runs, 2);
	assert_int_equal(run(1)->start, run(0)->end + 10000);
	assert_state(s, "idle");
}

/* ---- what a removed rule owes ---- */

TEST(what_a_removed_rule_owes_can_be_read)
{
	struct subject *s = add_usual();

	write_file(s, 0);
	assert_false(dispatch_remove(&world.d, &s->rule));
	assert_int_equal(s->path[0].owed, CHANGE_MODIFY);
	assert_true(dispatch_pending(&s->rule));
}

TEST(what_a_removed_rule_runs_for_can_be_read_until_the_end)
{
	struct subject *s = add_left_over(patient(), NULL);

	write_file(s, 1);
	assert_true(dispatch_remove(&world.d, &s->rule));
	assert_int_equal(s->path[0].taken, CHANGE_MODIFY);
	assert_int_equal(s->path[1].owed, CHANGE_MODIFY);
	advance(HOUR);
	assert_true(dispatch_path_settled(&s->path[0]));
	assert_int_equal(s->path[1].owed, CHANGE_MODIFY);
	assert_int_equal(world.runs, 1);
}

TEST(what_a_removed_rule_failed_to_deliver_is_owed_after_its_end)
{
	struct subject *s = add_left_over(patient(), NULL);

	s->fail = 1;
	assert_true(dispatch_remove(&world.d, &s->rule));
	advance(HOUR);
	assert_int_equal(s->path[0].owed, CHANGE_MODIFY);
	assert_int_equal(s->rule.attempt, 2);
	assert_int_equal(world.runs, 1);
	assert_true(mono_is_never(dispatch_deadline(&world.d)));
}

/* ---- what is shown ---- */

TEST(settling_then_splay_is_shown_as_settling)
{
	struct subject *s = add_splayed();

	assert_state(s, "idle");
	write_file(s, 0);
	assert_state(s, "settling");
	advance(1001);
	assert_int_equal(world.runs, 0);
	assert_state(s, "settling");
}

TEST(cooldown_is_shown_once_it_has_settled)
{
	struct subject *s = add_usual();

	write_file(s, 0);
	advance(2000);
	assert_state(s, "idle");
	write_file(s, 0);
	assert_state(s, "settling");
	advance(1000);
	assert_state(s, "cooldown");
	assert_int_equal(dispatch_due(&s->rule).ns, EPOCH + 11100 * MONO_MS);
	advance(8100);
	assert_state(s, "running");
}

TEST(every_state_and_reason_has_its_name)
{
	static const char *const states[] = { "idle", "settling", "cooldown", "queued",
		"running", "stopping", "retrying", "blocked", "failed", "disabled" };
	static const char *const reasons[] = { "change", "start", "timer", "retry",
		"manual" };
	unsigned i;

	for (i = 0; i < 10; i++)
		assert_string_equal(
		    dispatch_state_name((enum dispatch_state)i), states[i]);
	for (i = 0; i < 5; i++)
		assert_string_equal(
		    dispatch_reason_name((enum dispatch_reason)i), reasons[i]);
}
