/* SPDX-License-Identifier: MIT */
#ifndef DISPATCH_H
#define DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/heap.h"
#include "base/mono.h"
#include "rules/rule.h"

/*
 * When does a rule run? A pure machine: time is an argument, and it does no
 * I/O and logs nothing. The caller reports what it saw and carries out the steps
 * that it asks for. Every call costs O(log rules).
 */

enum dispatch_reason {
	REASON_CHANGE,
	REASON_START,
	REASON_TIMER,
	REASON_RETRY,
	REASON_MANUAL
};

enum dispatch_state {
	STATE_IDLE,
	STATE_SETTLING,
	STATE_COOLDOWN,
	STATE_QUEUED,
	STATE_RUNNING,
	STATE_STOPPING,
	STATE_RETRYING,
	STATE_BLOCKED,
	STATE_FAILED,
	STATE_DISABLED
};

/* A watched path of a rule. Embedded in its owner; all zero owes nothing. */
struct dispatch_path {
	TAILQ_ENTRY(dispatch_path) owed_link, taken_link;
	unsigned owed;  /* CHANGE_ bits that no run has started after */
	unsigned taken; /* CHANGE_ bits that the run in progress answers */
	bool changed;   /* it differs from what was there at the start */
};
TAILQ_HEAD(dispatch_paths, dispatch_path);

struct dispatch_rule;

/* Rules with the same lock never run at the same time. All zero is a free lock. */
struct dispatch_lock {
	struct heap waiting;        /* due rules, by due time */
	struct dispatch_rule *next; /* the first of them, while it is in the queue */
	/* More than one only where runs outlived their rules' files. */
	LIST_HEAD(, dispatch_rule) held_by;
};

/* What a pending rule waits for, besides that its paths settle. */
enum dispatch_wait {
	WAIT_COOLDOWN, /* the cooldown: nothing has failed */
	WAIT_BACKOFF,  /* the backoff, which a new cause cuts short */
	WAIT_EITHER,   /* it was: for the cooldown or the backoff, what ends first */
	WAIT_CAUSE,    /* the budget is spent: for a new cause */
	WAIT_BOTH,     /* after one: for the cooldown and the backoff */
	WAIT_NONE,     /* the outcome of a run is unknown: for nothing */
	WAIT_UNCUT,    /* the backoff in full, because the last one was cut short */
};

/* What is owed besides paths; a start counts more than the timer. */
enum dispatch_cause { CAUSE_NONE, CAUSE_START, CAUSE_TIMER };

enum dispatch_phase {
	PHASE_IDLE,
	PHASE_WAITING,
	PHASE_QUEUED,
	PHASE_BLOCKED,
	PHASE_RUNNING,
	PHASE_STOPPING
};

/* One rule's state. Callers read it and never write it. */
struct dispatch_rule {
	const struct policy *policy;
	struct dispatch_lock *lock, *next_lock; /* now, and after the run; NULL: none */
	LIST_ENTRY(dispatch_rule) held_link;
	enum dispatch_phase phase;
	enum dispatch_wait wait;
	struct dispatch_paths owed, taken; /* in the order of noticing */
	enum dispatch_cause cause;         /* in a run: that it has taken */
	bool gone;                         /* it was removed */
	bool manual;                       /* somebody asked for a run */
	bool cause_in_run;                 /* the run in progress met a new cause */
	bool outside;   /* some of what is owed is not the last run's own doing */
	bool unsettled; /* it left the queue to settle: its burst goes on */
	mono_t burst;   /* the present burst of differences began, or the owing did */
	mono_t last;    /* the last difference was noticed */
	mono_t ended;   /* the last run; the least time: there was none */
	mono_t retry_at;
	mono_t queued;       /* while it is: the due time that it stands there for */
	mono_t held_until;   /* while it is queued, but not in the queue */
	mono_t ignore_until; /* MONO_NEVER: while it runs; the least time: not at all */
	mono_t every_from;   /* the last success, or when the rule was new */
	int64_t splay_ns;    /* -1: not drawn in this pending period */
	int64_t retry_length;
	uint32_t attempt;   /* of the run in progress, or else of the next one */
	uint32_t failures;  /* in a row */
	uint32_t self_made; /* runs in a row that only their own changes caused */
	struct heap_node timer;
	struct heap_node place; /* among those that wait for its lock */
	struct heap_node turn;  /* in the queue */
};

struct dispatch {
	struct heap timers, queue; /* the queue: of each lock the first */
	unsigned running, max_running;
	bool stopped;
	uint64_t random;
};

/* max_running runs at a time; seed is for splay and jitter. */
void dispatch_init(struct dispatch *d, unsigned max_running, uint64_t seed);

/*
 * Takes up a rule. It must stay where it is, policy and lock (NULL: none) too,
 * until dispatch_remove. starting: the daemon is; at-start = always makes it due.
 */
void dispatch_add(struct dispatch *d, struct dispatch_rule *r,
    const struct policy *policy, struct dispatch_lock *lock, bool starting, mono_t now);

/*
 * The rule was changed: what it owes stays, its failures are forgotten, and it
 * waits by its new policy and lock; a run in progress keeps the old ones. Also
 * takes up again a rule that was removed and still runs.
 */
void dispatch_change(struct dispatch *d, struct dispatch_rule *r,
    const struct policy *policy, struct dispatch_lock *lock, mono_t now);

/* The policy in force stands elsewhere from now on. */
void dispatch_move_policy(struct dispatch_rule *r, const struct policy *policy);

/*
 * Takes a rule out. If it is running its end is still to be reported, and true is
 * returned: it must live until then. What it owes can be read as long.
 */
bool dispatch_remove(struct dispatch *d, struct dispatch_rule *r);

/*
 * The first look at a path that no record is kept of has found it: at-start
 * decides whether that is owed.
 */
void dispatch_found(
    struct dispatch *d, struct dispatch_rule *r, struct dispatch_path *p, mono_t now);

/*
 * What of a rule outlives the daemon, beside its paths. Times are of the wall
 * clock in nanoseconds, because the other clock ends with the boot; 0 is never.
 */
struct dispatch_saved {
	unsigned cause; /* enum dispatch_cause; that of a run in progress included */
	unsigned wait;  /* enum dispatch_wait */
	uint32_t attempt, failures;
	int64_t ended;     /* the last run */
	int64_t succeeded; /* the last success, or when the rule was new */
	int64_t retry_at, retry_length;
};

/*
 * Now and real are one moment on both clocks. Restore comes first after
 * dispatch_add. The wall clock may have been set meanwhile, and the disk may lie:
 * every wait is at most its own length from now.
 */
void dispatch_save(
    const struct dispatch_rule *r, struct dispatch_saved *out, mono_t now, int64_t real);
void dispatch_restore(struct dispatch *d, struct dispatch_rule *r,
    const struct dispatch_saved *saved, mono_t now, int64_t real);

/* What a path owed then. */
void dispatch_restore_path(struct dispatch *d, struct dispatch_rule *r,
    struct dispatch_path *p, unsigned owed, mono_t now);

/* All paths are known and looked at: a rule that owes nothing waits for nothing. */
void dispatch_restored(struct dispatch_rule *r);

/*
 * A run of an earlier life still goes on: it holds the rule's lock and a slot and
 * has taken what is owed. Lost: it is gone, or was found to be, and nobody knows
 * how it ended; what it took is due at once.
 */
void dispatch_adopt(
    struct dispatch *d, struct dispatch_rule *r, int64_t since_start, mono_t now);
void dispatch_lost(struct dispatch *d, struct dispatch_rule *r, mono_t now);

/*
 * Any later look has found differences: CHANGE_ bits, asked for or not. noticed is
 * when the first event came that asked for the look; before now if the look was put
 * off. What is in the rule's `on` is owed.
 */
void dispatch_note(struct dispatch *d, struct dispatch_rule *r, struct dispatch_path *p,
    unsigned diff, mono_t noticed, mono_t now);

/* Whether p may be forgotten: nothing owed, nothing taken. */
bool dispatch_path_settled(const struct dispatch_path *p);

/* Forgets p and what it owes: it is no longer watched. */
void dispatch_forget(
    struct dispatch *d, struct dispatch_rule *r, struct dispatch_path *p, mono_t now);

/* Runs r as soon as lock and slots allow. False: it is disabled or blocked. */
bool dispatch_trigger(struct dispatch *d, struct dispatch_rule *r, mono_t now);

/* A cause that changes nothing by itself: shortens a retry's wait, ends `failed`. */
void dispatch_nudge(struct dispatch *d, struct dispatch_rule *r, mono_t now);

/* What the caller is to do. */
enum dispatch_step {
	STEP_NONE,
	STEP_LOOK,          /* look at all paths of the rule, then call dispatch_ready */
	STEP_STOP_IGNORING, /* look at all paths, then call dispatch_stop_ignoring */
	STEP_TERM,          /* the run took too long: SIGTERM to its group */
	STEP_KILL,          /* five seconds later: SIGKILL to its group */
};

/* The next step that is due, and the rule it concerns. Call until STEP_NONE. */
enum dispatch_step
dispatch_next(struct dispatch *d, mono_t now, struct dispatch_rule **r);

/* What changes from now on is not the last run's own doing. */
void dispatch_stop_ignoring(struct dispatch *d, struct dispatch_rule *r, mono_t now);

/*
 * After STEP_LOOK: is r to run now? Then call dispatch_start, dispatch_block or
 * dispatch_hold.
 */
bool dispatch_ready(struct dispatch *d, struct dispatch_rule *r, mono_t now);

/*
 * The action is about to be spawned: what is owed is taken. Returns why. A spawn
 * that fails is a run that ends at once and not well.
 */
enum dispatch_reason
dispatch_start(struct dispatch *d, struct dispatch_rule *r, mono_t now);

/* No program of r's action is installed and trusted; and one is there again. */
void dispatch_block(struct dispatch *d, struct dispatch_rule *r);
void dispatch_unblock(struct dispatch *d, struct dispatch_rule *r, mono_t now);

/* Something that r needs is not to be had: it is looked for again then. */
void dispatch_hold(struct dispatch *d, struct dispatch_rule *r, mono_t until);

/* The run ended. */
void dispatch_end(struct dispatch *d, struct dispatch_rule *r, bool ok, mono_t now);

/*
 * A slot for a command that is no run, to be given back. False: there is none, or
 * the daemon is stopping.
 */
bool dispatch_take_slot(struct dispatch *d);
void dispatch_give_slot(struct dispatch *d);

/* No new runs from now on. */
void dispatch_stop(struct dispatch *d);

/* When dispatch_next has something to say again; MONO_NEVER if by no clock. */
mono_t dispatch_deadline(const struct dispatch *d);

bool dispatch_pending(const struct dispatch_rule *r);

/*
 * What r waits for, and when its wait is over: MONO_NEVER where nothing is owed
 * or no clock decides. Of no meaning while it is queued, blocked or running.
 */
enum dispatch_state dispatch_state(const struct dispatch_rule *r, mono_t now);
mono_t dispatch_due(const struct dispatch_rule *r);

/* When `every` runs r if nothing else does before; MONO_NEVER: never. */
mono_t dispatch_every_at(const struct dispatch_rule *r);

/* What a rule waits for that is due. */
enum dispatch_queued {
	QUEUED_LOCK, /* those in held_by of its lock */
	QUEUED_SLOT, /* one of max_running */
	QUEUED_STOP, /* the daemon is stopping */
	QUEUED_HELD, /* what dispatch_hold was called for */
	QUEUED_TURN, /* nothing but those before it */
};
enum dispatch_queued
dispatch_queued_for(const struct dispatch *d, const struct dispatch_rule *r);

/* Is r held back because it seems to trigger itself? */
bool dispatch_is_guarded(const struct dispatch_rule *r);

/*
 * The most telling change that the run in progress answers on p, which is present
 * now or not: a CHANGE_ bit.
 */
unsigned dispatch_telling_change(const struct dispatch_path *p, bool present);

const char *dispatch_state_name(enum dispatch_state s);
const char *dispatch_reason_name(enum dispatch_reason r);

#endif
