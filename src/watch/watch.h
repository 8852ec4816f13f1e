/* SPDX-License-Identifier: MIT */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mono.h"
#include "watch/stamp.h"

struct loop;
struct strv;

/*
 * Watched paths and patterns. A pattern is followed as its matches come and go,
 * in directories that come and go. Everything is armed first and looked at then,
 * so a change is either in the look or in an event that causes another one.
 */
struct watch;
struct watch_entry;

/* A concrete path: of an entry without wildcards, or one match of a pattern. */
struct watch_path {
	const char *path;
	void *owner;     /* the caller's; NULL at first */
	int error;       /* errno: it cannot be looked at, or not be armed */
	bool match;      /* of a pattern, not a path that was asked for by name */
	bool unwatched;  /* it is on a network volume, or the daemon's own */
	const char *why; /* a phrase for error or unwatched, else NULL */
};

/*
 * Matches that are not followed, as one: how many there are, and sums that say
 * whether any came or went, was modified, or has other attributes than before.
 */
struct watch_others {
	uint64_t n, names, contents, attributes;
};

/*
 * look: p was looked at; now is NULL when that was not possible and the last
 * stamp stands; noticed is when the first event came that asked for it. gone: p is no
 * longer a match and about to be freed; unless it was unwatched, a look just before has
 * reported it absent. others (or NULL): what is known of the matches that are not
 * followed, of a pattern that was listed wholly, and when it differs. None may remove
 * the entry.
 */
struct watch_ops {
	void (*look)(void *arg, struct watch_path *p, const struct stamp *now,
	    unsigned hints, mono_t noticed);
	void (*gone)(void *arg, struct watch_path *p);
	void (*others)(void *arg, const struct watch_others *now);
};

/*
 * How many matches of a pattern are followed, and directories in its middle. What is
 * beyond, or has no room (tree_has_room), is looked at on rechecks, as `others`; of a
 * directory then only itself.
 */
#define WATCH_MATCHES_MAX 1024

struct watch *watch_new(struct loop *l);
void watch_free(struct watch *w);

/*
 * Watches what text stands for, which is an absolute path or pattern as in
 * pattern.h. Every path of it is looked at before this returns, but for those in
 * directories of very many names. ops must outlive it.
 */
struct watch_entry *
watch_add(struct watch *w, const char *text, const struct watch_ops *ops, void *arg);
void watch_remove(struct watch *w, struct watch_entry *e);

/* Looks at the next paths of an entry, a turn's share. True: at all of them by now. */
bool watch_look(struct watch_entry *e);

/* Calls fn with every path that an entry stands for. */
void watch_each(
    const struct watch_entry *e, void (*fn)(void *arg, struct watch_path *p), void *arg);

/* Matches that are not followed; where there are some, have others the room? */
size_t watch_overflow(const struct watch_entry *e);
bool watch_is_short(const struct watch_entry *e);

/* Why names cannot be read that a pattern needs: a phrase, else NULL. */
const char *watch_why(const struct watch_entry *e);

/* Calls fn whenever anything on the way to path may have changed. */
struct watch_way;
struct watch_way *
watch_way_add(struct watch *w, const char *path, void (*fn)(void *arg), void *arg);
void watch_way_remove(struct watch *w, struct watch_way *way);
const char *watch_way_path(const struct watch_way *way);

/* The mount points of network volumes, as they were read last. Borrowed. */
const struct strv *watch_remote(const struct watch *w);

/* The real path, and all below it, is the daemon's own: never a change. */
void watch_disown(struct watch *w, const char *path);

/* Looks at everything, in slices, from watch_due. */
void watch_recheck(struct watch *w);

/* Does a bounded part of what is due; when it next has something to do. */
void watch_due(struct watch *w, mono_t now);
mono_t watch_deadline(const struct watch *w);

/* How much was done so far, in system calls, names and nodes: never in time. */
uint64_t watch_work(const struct watch *w);

#endif
