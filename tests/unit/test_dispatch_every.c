/* SPDX-License-Identifier: MIT */
/*
 * Every schedule. Two rules with one lock and two paths each meet everything that
 * can happen to them, in every order, as deep as the time allows: breadth first,
 * and a state that was met before is not met again, whatever way led there. Time
 * only goes to the next deadline or to a millisecond before it. In each state the
 * promise, the lock and the cooldown are asserted, and that what is owed gets its
 * run if from then on nothing goes wrong.
 *
 * A state is reached by doing its events again, so a failure prints a story.
 * WATCHPATHD_STATES=n sets how many states there are of each pair of policies.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schedule/dispatch.h"
#include "test.h"

#define RULES 2
#define PATHS 2
#define MS MONO_MS
#define EPOCH (1000 * MONO_SEC)
#define REAL (INT64_C(1700000000) * MONO_SEC)
#define DEFAULT_STATES 1000000
#define DEPTH_MAX 40

/* What can happen; the first part to either rule. */
enum what {
	CHANGE_A, /* of the first path, with an event */
	CHANGE_B, /* of the second */
	UNASKED,  /* a difference that `on` leaves out */
	PUT_OFF,  /* a change in the last run, whose look comes only now */
	HIDDEN,   /* a change that the next look finds */
	END_GOOD,
	END_BAD,
	TRIGGER,
	NUDGE,
	INSTALL, /* the program comes or goes */
	EDIT,    /* the rule's file changes, there and back */
	REMOVE,  /* the rule's file goes, or is there again */
	FORGET,  /* a path is not watched any more, or is again */
	PER_RULE,

	TIME_DUE = 2 * PER_RULE,
	TIME_BEFORE,
	CRASH,      /* and a new life; runs go on */
	CRASH_LOST, /* and a new life after a while; runs are over, nobody knows how */
	EVENTS
};

static const char *const names[] = { "change", "change of the other path",
	"unasked change", "put-off change", "hidden change", "good end", "bad end",
	"trigger", "nudge", "install", "edit", "remove", "forget" };

struct subject {
	struct policy policy;
	struct dispatch_rule rule;
	struct dispatch_path path[PATHS];
	bool watched[PATHS], hidden[PATHS];
	bool edited, missing, gone, running, left_over, manual;
	mono_t started, ended;
	/* The model: what no good run has started after, and what this run answers. */
	unsigned owed[PATHS], taken[PATHS];
	/* What the store keeps of it. */
	struct dispatch_saved known;
	unsigned known_owed[PATHS];
};

/* It is copied as bytes: of its pointers only those of its heaps lead out. */
static struct world {
	struct dispatch d;
	struct dispatch_lock lock;
	struct subject s[RULES];
	mono_t now;
	int64_t offset; /* of the wall clock */
} w;

static void
free_heap(struct heap *h)
{
	free(h->places);
}

static void
copy_heap(struct heap *h)
{
	const struct heap_place *places = h->places;

	if (h->n == 0)
		return;
	h->places = calloc(h->room, sizeof(*places));
	assert_non_null(h->places);
	memcpy(h->places, places, h->n * sizeof(*places));
}

static void
each_heap(struct world *of, void (*fn)(struct heap *h))
{
	fn(&of->d.timers);
	fn(&of->d.queue);
	fn(&of->lock.waiting);
}

static void
copy_world(struct world *to, const struct world *from)
{
	each_heap(to, free_heap);
	*to = *from;
	each_heap(to, copy_heap);
}

/* A way to a state. */
struct node {
	uint32_t parent;
	uint8_t event;
	uint8_t depth;
};

static struct {
	struct node *nodes;
	uint64_t *seen; /* a hash table of hashes */
	size_t n, max, mask;
	const struct policy *policies; /* two of each rule */
	uint32_t at;                   /* the node that is left */
	int event;                     /* by this one */
	bool one_slot;                 /* instead of the lock */
} all;

/* ---- telling ---- */

static void
tell_event(int event)
{
	static const char *const global[] = { "time: due", "time: just before",
		"crash, runs go on", "crash, runs are lost" };

	if (event >= TIME_DUE)
		fprintf(stderr, "  %s\n", global[event - TIME_DUE]);
	else
		fprintf(
		    stderr, "  rule %d: %s\n", event / PER_RULE, names[event % PER_RULE]);
}

static void
tell_way(uint32_t node)
{
	if (node == 0)
		return;
	tell_way(all.nodes[node].parent);
	tell_event(all.nodes[node].event);
}

static void
tell_policy(const struct policy *p)
{
	fprintf(stderr,
	    "on %u, settle %d/%d, cooldown %d, splay %d, timeout %d, every %d, retry %d"
	    " %d, at-start %d, %s%s\n",
	    p->on, (int)p->settle_ms, (int)p->settle_max_ms, (int)p->cooldown_ms,
	    (int)p->splay_ms, (int)p->timeout_ms, (int)p->every_ms, (int)p->retry,
	    (int)p->retry_delay_ms, (int)p->at_start,
	    p->while_running == RUNNING_IGNORE ? "ignore" : "rerun",
	    p->enabled ? "" : ", disabled");
}

static void
check(bool ok, const char *what)
{
	int i;

	if (ok)
		return;
	for (i = 0; i < 4; i++)
		tell_policy(&all.policies[i]);
	tell_way(all.at);
	tell_event(all.event);
	fail_msg("%s", what);
}

/* ---- the world ---- */

static struct subject *
subject_of(struct dispatch_rule *r)
{
	return (struct subject *)(void *)((char *)r - offsetof(struct subject, rule));
}

static bool
is_in_force(const struct subject *s)
{
	return !s->gone && s->policy.enabled;
}

static bool
is_ignoring(const struct subject *s)
{
	return s->rule.ignore_until.ns != INT64_MIN;
}

static void
note(struct subject *s, size_t p, unsigned diff, mono_t noticed)
{
	if (!s->watched[p] || !is_in_force(s))
		return;
	if (!is_ignoring(s))
		s->owed[p] |= diff & s->policy.on;
	dispatch_note(&w.d, &s->rule, &s->path[p], diff, noticed, w.now);
}

static void
look(struct subject *s)
{
	size_t p;

	for (p = 0; p < PATHS; p++)
		if (s->hidden[p]) {
			s->hidden[p] = false;
			note(s, p, CHANGE_MODIFY, w.now);
		}
}

/* The cooldown binds what neither somebody asked for nor a failure. */
static void
check_start(const struct subject *s, enum dispatch_reason reason)
{
	const struct subject *o;
	mono_t free = mono_add(s->ended, s->policy.cooldown_ms * MS);

	for (o = w.s; o < w.s + RULES; o++)
		check(!o->running, "one run at a time holds the lock");
	if (reason != REASON_MANUAL && reason != REASON_RETRY && !s->left_over)
		check(s->rule.wait != WAIT_COOLDOWN || !mono_before(w.now, free),
		    "the cooldown is over");
}

static void
start(struct subject *s)
{
	enum dispatch_reason reason;
	size_t p;

	reason = dispatch_start(&w.d, &s->rule, w.now);
	check_start(s, reason);
	for (p = 0; p < PATHS; p++) {
		s->taken[p] = s->owed[p];
		s->owed[p] = 0;
	}
	s->running = true;
	s->left_over = s->manual = false;
	s->started = w.now;
}

static void
over(struct subject *s, bool ok)
{
	size_t p;

	for (p = 0; p < PATHS; p++) {
		if (!ok)
			s->owed[p] |= s->taken[p];
		s->taken[p] = 0;
	}
	s->running = false;
}

static int64_t
real_now(void)
{
	return REAL + w.now.ns + w.offset;
}

static void
save(struct subject *s)
{
	size_t p;

	dispatch_save(&s->rule, &s->known, w.now, real_now());
	for (p = 0; p < PATHS; p++)
		s->known_owed[p] = s->path[p].owed | s->path[p].taken;
}

static void
end(struct subject *s, bool ok)
{
	if (s->left_over)
		dispatch_lost(&w.d, &s->rule, w.now);
	else
		dispatch_end(&w.d, &s->rule, ok, w.now);
	over(s, ok && !s->left_over);
	s->ended = w.now;
	s->left_over = false;
	if (!is_in_force(s))
		save(s);
}

static void
step(struct subject *s, enum dispatch_step what)
{
	switch (what) {
	case STEP_NONE:
		break;
	case STEP_LOOK:
		look(s);
		if (!dispatch_ready(&w.d, &s->rule, w.now))
			break;
		if (!s->missing) {
			start(s);
			break;
		}
		/* Whoever asked is told that it cannot run. */
		dispatch_block(&w.d, &s->rule);
		s->manual = false;
		break;
	case STEP_STOP_IGNORING:
		look(s);
		dispatch_stop_ignoring(&w.d, &s->rule, w.now);
		break;
	case STEP_TERM:
		check(s->running, "only a run is stopped");
		break;
	case STEP_KILL:
		end(s, false);
		break;
	}
}

static void
steps(void)
{
	struct dispatch_rule *r;
	enum dispatch_step what;
	int n = 0;

	while ((what = dispatch_next(&w.d, w.now, &r)) != STEP_NONE) {
		step(subject_of(r), what);
		check(++n < 20, "the steps of a moment come to an end");
	}
}

static struct dispatch_lock *
the_lock(void)
{
	return all.one_slot ? NULL : &w.lock;
}

/* ---- events ---- */

static void
come_back(struct subject *s, bool starting)
{
	size_t p;

	dispatch_add(&w.d, &s->rule, &s->policy, the_lock(), starting, w.now);
	dispatch_restore(&w.d, &s->rule, &s->known, w.now, real_now());
	for (p = 0; p < PATHS; p++) {
		s->path[p] = (struct dispatch_path){ .owed = 0 };
		if (!s->watched[p] || s->policy.at_start == START_NEVER)
			s->owed[p] = 0;
		else
			dispatch_restore_path(
			    &w.d, &s->rule, &s->path[p], s->known_owed[p], w.now);
	}
	look(s);
	dispatch_restored(&s->rule);
}

/* A run that another life of the daemon has started: it goes on, or is over. */
static void
find_run(struct subject *s, bool goes_on)
{
	if (!goes_on) {
		dispatch_lost(&w.d, &s->rule, w.now);
		return;
	}
	dispatch_adopt(&w.d, &s->rule, mono_sub(w.now, s->started), w.now);
	memcpy(s->taken, s->owed, sizeof(s->taken));
	memset(s->owed, 0, sizeof(s->owed));
	s->running = s->left_over = true;
}

/* Another life of the daemon. kept: runs go on, where their rules are in force. */
static void
crash(bool kept)
{
	struct subject *s;
	bool ran[RULES];
	int i;

	for (i = 0; i < RULES; i++) {
		s = &w.s[i];
		ran[i] = s->running;
		if (ran[i] || is_in_force(s))
			save(s);
		if (ran[i])
			over(s, false);
		s->left_over = s->manual = false;
	}
	if (!kept)
		w.now = mono_add(w.now, 7 * MS);
	each_heap(&w, heap_clear);
	dispatch_init(&w.d, w.d.max_running, 1);
	w.lock = (struct dispatch_lock){ .held_by = { NULL } };
	for (s = w.s; s < w.s + RULES; s++) {
		if (!is_in_force(s))
			continue;
		come_back(s, true);
		if (ran[s - w.s])
			find_run(s, kept);
	}
}

/* Takes a rule out of force; its run goes on. */
static void
leave(struct subject *s)
{
	check(dispatch_remove(&w.d, &s->rule) == s->running,
	    "a removed rule that runs has to live on");
	s->manual = false;
	save(s);
}

/* Puts it in force again, while it still runs or not any more. */
static void
enter(struct subject *s)
{
	if (s->running) {
		dispatch_change(&w.d, &s->rule, &s->policy, the_lock(), w.now);
		look(s);
	} else if (s->policy.enabled) {
		come_back(s, false);
	}
}

/* Switching a rule on or off is a leaving and a coming; see ruleset.c. */
static void
edit(struct subject *s)
{
	bool was_enabled = s->policy.enabled;

	s->edited = !s->edited;
	if (was_enabled != all.policies[2 * (s - w.s) + s->edited].enabled &&
	    (was_enabled || s->running))
		leave(s);
	s->policy = all.policies[2 * (s - w.s) + s->edited];
	if (was_enabled != s->policy.enabled) {
		enter(s);
	} else {
		dispatch_change(&w.d, &s->rule, &s->policy, the_lock(), w.now);
		if (s->rule.phase == PHASE_BLOCKED)
			dispatch_unblock(&w.d, &s->rule, w.now);
	}
}

static void
remove_or_return(struct subject *s)
{
	if (!s->gone && (s->policy.enabled || s->running))
		leave(s);
	s->gone = !s->gone;
	if (!s->gone)
		enter(s);
}

static void
forget(struct subject *s)
{
	s->watched[1] = !s->watched[1];
	if (s->watched[1])
		return;
	dispatch_forget(&w.d, &s->rule, &s->path[1], w.now);
	s->owed[1] = s->taken[1] = 0;
}

static void
to_rule(struct subject *s, enum what what)
{
	switch (what) {
	case CHANGE_A:
	case CHANGE_B:
		note(s, what == CHANGE_B, CHANGE_MODIFY, w.now);
		break;
	case UNASKED:
		note(s, 0, CHANGE_ATTRIBUTES, w.now);
		break;
	case PUT_OFF:
		note(s, 0, CHANGE_MODIFY, s->ended);
		break;
	case HIDDEN:
		s->hidden[1] = true;
		break;
	case END_GOOD:
	case END_BAD:
		end(s, what == END_GOOD);
		break;
	case TRIGGER:
		s->manual |= dispatch_trigger(&w.d, &s->rule, w.now);
		break;
	case NUDGE:
		dispatch_nudge(&w.d, &s->rule, w.now);
		break;
	case INSTALL:
		s->missing = !s->missing;
		if (!s->missing)
			dispatch_unblock(&w.d, &s->rule, w.now);
		break;
	case EDIT:
		edit(s);
		break;
	case REMOVE:
		remove_or_return(s);
		break;
	default:
		forget(s);
	}
}

/* Would it be something else than nothing? */
static bool
can_happen(int event)
{
	const struct subject *s = &w.s[event / PER_RULE % RULES];
	mono_t due = dispatch_deadline(&w.d);

	switch (event < TIME_DUE ? event % PER_RULE : event) {
	case CHANGE_A:
	case UNASKED:
		return is_in_force(s);
	case CHANGE_B:
		return is_in_force(s) && s->watched[1];
	case PUT_OFF:
		return is_in_force(s) && !s->running && s->ended.ns > EPOCH;
	case HIDDEN:
		return is_in_force(s) && s->watched[1] && !s->hidden[1];
	case END_GOOD:
	case END_BAD:
		return s->running;
	case TRIGGER:
	case NUDGE:
	case EDIT:
		return !s->gone;
	case FORGET:
		return is_in_force(s) && !s->hidden[1];
	case TIME_DUE:
		return !mono_is_never(due);
	case TIME_BEFORE:
		return !mono_is_never(due) && mono_sub(due, w.now) > MS;
	default:
		return true;
	}
}

static void
do_event(int event)
{
	mono_t due = dispatch_deadline(&w.d);

	/* Whatever is drawn at random is the same in every state. */
	w.d.random = 1;
	if (event < TIME_DUE)
		to_rule(&w.s[event / PER_RULE], event % PER_RULE);
	else if (event == TIME_DUE)
		w.now = mono_max(w.now, due);
	else if (event == TIME_BEFORE)
		w.now = mono_add(due, -MS);
	else
		crash(event == CRASH);
	steps();
}

/* ---- what must be true ---- */

static void
check_rule(struct subject *s)
{
	bool owes = false;
	size_t p;

	for (p = 0; p < PATHS; p++) {
		if (!is_in_force(s) && !s->running)
			continue;
		check(s->path[p].owed == s->owed[p], "what is owed");
		check(s->path[p].taken == s->taken[p], "what the run has taken");
		owes |= s->owed[p] != 0;
	}
	if (!is_in_force(s))
		return;
	check(!owes || dispatch_pending(&s->rule), "a rule that owes is pending");
	check((s->rule.phase == PHASE_RUNNING || s->rule.phase == PHASE_STOPPING) ==
		  s->running,
	    "a run is a run");
	check(s->rule.phase != PHASE_IDLE || !dispatch_pending(&s->rule) ||
		  s->rule.wait == WAIT_CAUSE,
	    "only a rule that has given up owes without waiting");
	check(!s->manual || s->rule.manual || s->rule.phase == PHASE_BLOCKED,
	    "who has asked is not forgotten");
}

static bool
is_at_rest(const struct subject *s)
{
	return !s->running && (!is_in_force(s) || !dispatch_pending(&s->rule));
}

/* From now on all goes well: everything that is owed has its run. */
static void
check_reached(void)
{
	static struct world before;
	struct subject *s;
	bool rest = false;
	int i;

	copy_world(&before, &w);
	for (s = w.s; s < w.s + RULES; s++)
		if (s->missing && !s->gone)
			to_rule(s, INSTALL);
	for (i = 0; i < 60 && !rest; i++) {
		steps();
		rest = true;
		for (s = w.s; s < w.s + RULES; s++) {
			if (s->running)
				end(s, true);
			else if (!s->gone && s->rule.wait == WAIT_CAUSE)
				dispatch_nudge(&w.d, &s->rule, w.now);
			rest &= is_at_rest(s);
		}
		if (!rest && !mono_is_never(dispatch_deadline(&w.d)))
			w.now = mono_max(w.now, dispatch_deadline(&w.d));
	}
	check(rest, "what is owed gets its run");
	copy_world(&w, &before);
}

static void
check_state(void)
{
	struct subject *s;

	check(mono_before(w.now, dispatch_deadline(&w.d)),
	    "nothing is due when all steps are done");
	for (s = w.s; s < w.s + RULES; s++)
		check_rule(s);
	check_reached();
}

/* ---- states ---- */

static uint64_t
mix(uint64_t h, uint64_t x)
{
	h ^= x + UINT64_C(0x9e3779b97f4a7c15) + (h << 6) + (h >> 2);
	h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
	return h ^ (h >> 31);
}

/* A time as it is seen from now; what is further away than anything lasts is far. */
static uint64_t
relative(mono_t t)
{
	const int64_t far = 3 * MONO_SEC;
	int64_t ns;

	if (mono_is_never(t) || t.ns == INT64_MIN)
		return (uint64_t)t.ns;
	ns = mono_sub(t, w.now);
	return (uint64_t)(ns < -far ? -far : ns > far ? far : ns);
}

static uint64_t
mix_paths(uint64_t h, const struct subject *s)
{
	const struct dispatch_path *p;

	TAILQ_FOREACH(p, &s->rule.owed, owed_link)
		h = mix(h, (uint64_t)(p - s->path) + 1);
	TAILQ_FOREACH(p, &s->rule.taken, taken_link)
		h = mix(h, (uint64_t)(p - s->path) + 17);
	for (p = s->path; p < s->path + PATHS; p++)
		h = mix(h, p->owed | p->taken << 8 | (unsigned)p->changed << 16);
	return h;
}

static uint64_t
mix_rule(uint64_t h, const struct subject *s)
{
	const struct dispatch_rule *r = &s->rule;
	const bool flags[] = { r->manual, r->cause_in_run, r->outside, r->unsettled,
		heap_has(&r->timer), heap_has(&r->turn), heap_has(&r->place), r->gone,
		s->edited, s->missing, s->gone, s->running, s->left_over, s->manual,
		s->watched[1], s->hidden[1] };
	const mono_t times[] = { r->burst, r->last, r->ended, r->ignore_until,
		r->failures > 0 ? r->retry_at : MONO_NEVER,
		heap_has(&r->timer) ? heap_key(&w.d.timers, &r->timer) : MONO_NEVER,
		r->phase == PHASE_QUEUED ? r->queued : MONO_NEVER,
		s->policy.every_ms > 0 ? r->every_from : MONO_NEVER,
		s->running ? s->started : MONO_NEVER };
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		h = mix(h, flags[i]);
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		h = mix(h, relative(times[i]));
	h = mix(h, r->phase | (unsigned)r->wait << 4 | (unsigned)r->cause << 8);
	h = mix(h, r->attempt | (uint64_t)r->failures << 32);
	return mix(mix(h, r->self_made), (uint64_t)r->splay_ns);
}

/* Who comes first of two rules that are due at the same time. */
static uint64_t
state_hash(void)
{
	const struct heap_node *first = heap_first(&w.lock.waiting);
	uint64_t h = mix(first == NULL                 ? 0
			 : first == &w.s[0].rule.place ? 1
						       : 2,
	    heap_first(&w.d.queue) == &w.s[0].rule.turn);
	size_t i;

	for (i = 0; i < RULES; i++) {
		h = mix_rule(h, &w.s[i]);
		h = mix_paths(h, &w.s[i]);
	}
	return h != 0 ? h : 1;
}

/* Enters a state. False: it was met before. */
static bool
is_new(uint64_t hash)
{
	size_t i = hash & all.mask;

	for (; all.seen[i] != 0; i = (i + 1) & all.mask)
		if (all.seen[i] == hash)
			return false;
	all.seen[i] = hash;
	return true;
}

static void
begin(void)
{
	struct subject *s;
	size_t i, p;

	each_heap(&w, heap_clear);
	memset(&w, 0, sizeof(w));
	w.now.ns = EPOCH;
	dispatch_init(&w.d, all.one_slot ? 1 : RULES, 1);
	for (i = 0; i < RULES; i++) {
		s = &w.s[i];
		s->policy = all.policies[2 * i];
		s->ended = (mono_t){ INT64_MIN };
		dispatch_add(&w.d, &s->rule, &s->policy, the_lock(), true, w.now);
		for (p = 0; p < PATHS; p++) {
			s->watched[p] = true;
			if (!s->policy.enabled)
				continue;
			dispatch_found(&w.d, &s->rule, &s->path[p], w.now);
			s->owed[p] = s->path[p].owed;
		}
	}
	steps();
}

/* Makes the state of a node again. */
static void
reach(uint32_t node)
{
	if (node == 0) {
		begin();
		return;
	}
	reach(all.nodes[node].parent);
	all.at = all.nodes[node].parent;
	all.event = all.nodes[node].event;
	do_event(all.event);
}

/* Goes from one state everywhere. */
static void
expand(uint32_t node)
{
	static struct world here;
	int event;

	reach(node);
	copy_world(&here, &w);
	all.at = node;
	for (event = 0; event < EVENTS && all.n < all.max; event++) {
		if (!can_happen(event))
			continue;
		all.event = event;
		do_event(event);
		if (is_new(state_hash())) {
			check_state();
			all.nodes[all.n++] = (struct node){ node, (uint8_t)event,
				(uint8_t)(all.nodes[node].depth + 1) };
		}
		copy_world(&w, &here);
	}
}

static void
explore(const char *what, const struct policy policies[4])
{
	const char *given = getenv("WATCHPATHD_STATES");
	size_t next;

	all.max = given != NULL ? strtoul(given, NULL, 10) : DEFAULT_STATES;
	all.policies = policies;
	for (all.mask = 1; all.mask < 2 * all.max; all.mask *= 2)
		;
	all.mask--;
	all.nodes = calloc(all.max + 1, sizeof(*all.nodes));
	all.seen = calloc(all.mask + 1, sizeof(*all.seen));
	assert_true(all.nodes != NULL && all.seen != NULL);
	all.n = 1;
	begin();
	is_new(state_hash());
	for (next = 0; next < all.n && all.n < all.max; next++)
		expand((uint32_t)next);
	fprintf(stderr, "# %s: %zu states, all to depth %d\n", what, all.n,
	    all.n < all.max ? 99 : all.nodes[next].depth);
	free(all.nodes);
	free(all.seen);
}

/* ---- policies ---- */

/* Of each rule two, which EDIT goes to and fro between; durations in ms. */
#define WAITS                                                                           \
	.settle_ms = 20, .settle_max_ms = 50, .cooldown_ms = 30, .retry_delay_ms = 100, \
	.enabled = true
#define CONTENT .on = CHANGE_CREATE | CHANGE_MODIFY | CHANGE_DELETE
#define USUAL WAITS, CONTENT, .retry = 1
#define AT_ONCE .on = CHANGE_MODIFY, .retry_delay_ms = 10, .enabled = true

TEST(usual_rules_that_become_hasty)
{
	static const struct policy p[4] = { { USUAL }, { AT_ONCE }, { USUAL },
		{ AT_ONCE, .retry = RETRY_FOREVER } };

	explore("the usual rules, and hasty ones", p);
}

TEST(rules_that_ignore_their_own_changes_or_run_by_the_clock)
{
	static const struct policy p[4] = {
		{ USUAL, .while_running = RUNNING_IGNORE, .timeout_ms = 60 },
		{ USUAL, .while_running = RUNNING_IGNORE, .every_ms = 150 },
		{ USUAL, .every_ms = 200, .timeout_ms = 40 },
		{ AT_ONCE, .every_ms = 70 },
	};

	explore("ignore, timeout and every", p);
}

TEST(rules_that_owe_at_start)
{
	static const struct policy p[4] = {
		{ USUAL, .at_start = START_NEW, .splay_ms = 25 },
		{ USUAL, .at_start = START_NEVER },
		{ WAITS, CONTENT, .retry = 2, .at_start = START_ALWAYS },
		{ AT_ONCE, .at_start = START_ALWAYS, .splay_ms = 40 },
	};

	explore("at-start and splay", p);
}

TEST(rules_that_are_switched_off_and_on)
{
	static const struct policy p[4] = { { USUAL }, { .on = CHANGE_MODIFY },
		{ USUAL, .while_running = RUNNING_IGNORE }, { .every_ms = 100 } };

	explore("enabled and disabled", p);
}

TEST(rules_that_share_one_slot_and_no_lock)
{
	static const struct policy p[4] = { { WAITS, CONTENT }, { AT_ONCE },
		{ WAITS, .on = CHANGE_ATTRIBUTES, .retry = 1 },
		{ WAITS, CONTENT, .retry = RETRY_FOREVER } };

	all.one_slot = true;
	explore("one slot, no lock", p);
	all.one_slot = false;
}
