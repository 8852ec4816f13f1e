/* SPDX-License-Identifier: MIT */
#ifndef TREE_H
#define TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/mono.h"
#include "watch/debt.h"

struct loop;
struct node;
struct ref;
struct strv;

/*
 * The part of the file system that anything depends on: a node for every
 * directory, link, file or missing name on the way to a target, shared by all
 * targets that pass there, with one descriptor per directory and file. A change
 * on the way, at the end, or of a link calls the target.
 */
struct tree;

TAILQ_HEAD(tree_nodes, node);

/*
 * Who asked for some targets, and so for the work on them. Looks at what only they
 * depend on are charged to it; what several accounts depend on has one of its own.
 */
struct tree_account {
	struct debt debt;                  /* first: see account_of */
	struct tree_nodes nodes;           /* to be looked at */
	TAILQ_HEAD(, tree_target) targets; /* to be called */
	size_t nnodes;                     /* that it alone depends on */
	bool limited; /* others decide how many there are: see tree_has_room */
};

/* What a target's way came to. */
enum tree_end {
	TREE_HERE,   /* there is something at its end */
	TREE_ABSENT, /* a name on the way is missing, or not a directory */
	TREE_ERROR,  /* `error` says what the system said */
	TREE_REMOTE, /* it is on a network or automount volume: never stat it */
	TREE_BEYOND, /* it leads further than a walk goes: never stat it */
	TREE_OWN,    /* it is one of the daemon's own files */
};

/*
 * Something may have changed: look. hints: HINT_ bits of stamp.h. noticed: when
 * the first event came that asks for this look, which may have been put off. May
 * add and remove targets.
 */
typedef void tree_fn(void *arg, unsigned hints, mono_t noticed);

/* Embedded in its owner, which sets the first members. */
struct tree_target {
	const char *path; /* absolute; links in it are followed */
	tree_fn *fn;
	void *arg;
	struct tree_account *account;
	bool whole_way; /* also call for any change of a directory on the way */
	bool visit;     /* it is added for a moment only: no room is needed */

	bool queued, stale, asked;
	bool changed; /* in fn: it was asked for by more than tree_more */
	unsigned hints;
	mono_t noticed;
	TAILQ_ENTRY(tree_target) link;
	struct ref *refs;
	struct node *at; /* where the way ends */
	enum tree_end end;
	int error; /* errno of what could not be opened or armed, 0 if all is well */
	unsigned components; /* on the way */
};

struct tree *tree_new(struct loop *l);

/* All targets must have been removed. */
void tree_free(struct tree *t);

/*
 * Reads the mount table, if it has changed: before targets that are new, because
 * nobody may have watched where something was mounted. Calls come from tree_due.
 */
void tree_read_mounts(struct tree *t);

/* The mount points that are never touched, as they were read last. Borrowed. */
const struct strv *tree_remote(const struct tree *t);

/* limited: what is found, and not what was asked for, decides how much it needs. */
void tree_open_account(struct tree *t, struct tree_account *a, bool limited);
/* Its targets must have been removed. */
void tree_close_account(struct tree *t, struct tree_account *a);

/*
 * Whether a limited account may have more nodes. Those together have half of the
 * descriptors, in equal shares, and each at most TREE_NODES_MAX.
 */
#define TREE_NODES_MAX 4096
bool tree_has_room(const struct tree *t, const struct tree_account *a);

/*
 * Arms everything on the way to a target. Whoever stats it afterwards misses
 * nothing: what changes later calls fn. Does not call fn itself.
 */
void tree_add(struct tree *t, struct tree_target *target);
void tree_remove(struct tree *t, struct tree_target *target);

/* Has the target called, from tree_due: as if for a change, or to go on. */
void tree_call(struct tree *t, struct tree_target *target);
void tree_more(struct tree *t, struct tree_target *target);

/* Does what is to be done for an account now, but no more than about `work`. */
void tree_settle(struct tree *t, struct tree_account *a, uint64_t work);

/* How much was done so far, in system calls and nodes; adds what others did. */
uint64_t tree_work(const struct tree *t);
void tree_add_work(struct tree *t, uint64_t n);

/*
 * What a look at the path found: something, nothing or an error. If it is not
 * what the way was armed for, a call is under way, and comes even if everything
 * is as before by then: else the look would be the last one, at what is gone.
 */
void
tree_found(struct tree_target *target, enum tree_end end, uint64_t dev, uint64_t ino);

/* The real path `path`, and all below it, belongs to the daemon: never a change. */
void tree_disown(struct tree *t, const char *path);

/* Looks at everything again, in slices, from tree_due. */
void tree_recheck(struct tree *t);

/*
 * Does a turn's share of what is due, which is about TREE_TURN whatever there is
 * to do: of looks, first those of accounts that are not in debt, and of a recheck.
 */
#define TREE_TURN 512
void tree_due(struct tree *t, mono_t now);

/* When tree_due has something to do. */
mono_t tree_deadline(const struct tree *t);

#endif
