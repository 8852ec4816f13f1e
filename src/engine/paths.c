/* SPDX-License-Identifier: MIT */
/*
 * Between the watcher and a rule's state. It knows which paths there are, which
 * of them a former life of the daemon knew, and nothing of runs.
 */
#include "engine/paths.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "schedule/dispatch.h"
#include "base/map.h"
#include "base/mono.h"
#include "rules/rule.h"
#include "state/record.h"
#include "watch/watch.h"

/*
 * What a rule may owe by name. What is more is owed as others: who makes names come
 * and go while no run succeeds would fill memory and the disk.
 */
#define OWED_NAMES_MAX 4096
#define OWED_BYTES_MAX (256 * 1024)

/* A piece of the look before a run, in watch_work: see jobpaths_look. */
#define LOOK_WORK 512

struct path {
	struct dispatch_path state; /* first: see path_of */
	char *name;                 /* behind it */
	struct stamp seen;
	unsigned nwatched; /* 0: no match any more */
	bool known;        /* seen is of a real look */
	bool unwatched;    /* on a network volume, or the daemon's own */
	const char *why;   /* what was last said to be wrong with it */
	TAILQ_ENTRY(path) link;
};

/* In the place of many paths. */
struct others {
	struct path path; /* first: see jobpaths_others. It has no name */
	unsigned notices; /* since it began to owe */
};

struct entry {
	struct jobpaths *paths;
	struct watch_entry *watch;
	bool recorded; /* a former life watched it */
	bool others_known;
	struct watch_others others; /* its matches that are not followed */
	char text[];
};

struct jobpaths {
	struct watch *watch;
	struct dispatch *dispatch;
	struct dispatch_rule *state;
	const struct jobpaths_ops *ops;
	void *arg;
	struct entry **entries;
	size_t nentries, n;
	size_t nlooked;      /* entries, in the look that is between two pieces */
	struct strv stopped; /* entries that were watched until jobpaths_stop */
	struct watch_others *stopped_others;
	struct map by_name;
	TAILQ_HEAD(, path) all;
	size_t nowed, owed_bytes;   /* paths in all that owe something, at most */
	struct others *others;      /* NULL: it never owed anything */
	const struct map *recorded; /* by path, while loading, else NULL */
};

static const struct path *
path_of(const struct dispatch_path *p)
{
	return (const void *)p;
}

const char *
jobpaths_name(const struct dispatch_path *p)
{
	return path_of(p)->name;
}

unsigned
jobpaths_change_of(const struct dispatch_path *p)
{
	return dispatch_telling_change(p, path_of(p)->seen.present);
}

struct jobpaths *
jobpaths_new(struct watch *w, struct dispatch *d, struct dispatch_rule *state,
    const struct jobpaths_ops *ops, void *arg)
{
	struct jobpaths *p = xcalloc(1, sizeof(*p));

	p->watch = w;
	p->dispatch = d;
	p->state = state;
	p->ops = ops;
	p->arg = arg;
	TAILQ_INIT(&p->all);
	return p;
}

static struct path *
path_new(struct jobpaths *paths, const char *name)
{
	size_t size = strlen(name) + 1;
	struct path *p = xcalloc(1, sizeof(*p) + size);

	p->name = memcpy(p + 1, name, size);
	map_put(&paths->by_name, p->name, p);
	TAILQ_INSERT_TAIL(&paths->all, p, link);
	paths->n++;
	return p;
}

static void
path_free(struct jobpaths *paths, struct path *p)
{
	map_remove(&paths->by_name, p->name);
	TAILQ_REMOVE(&paths->all, p, link);
	paths->n--;
	free(p);
}

static struct others *
others_of(struct jobpaths *paths)
{
	if (paths->others == NULL)
		paths->others = xcalloc(1, sizeof(*paths->others));
	return paths->others;
}

/* Where it is kept that p owes something. */
static struct path *
debtor(struct jobpaths *paths, struct path *p)
{
	if (!dispatch_path_settled(&p->state) ||
	    (paths->nowed < OWED_NAMES_MAX &&
		paths->owed_bytes + strlen(p->name) <= OWED_BYTES_MAX))
		return p;
	return &others_of(paths)->path;
}

static void
count_owing(struct jobpaths *paths, const struct path *p)
{
	if (dispatch_path_settled(&p->state))
		return;
	paths->nowed++;
	paths->owed_bytes += strlen(p->name);
}

/* Something was noted on a debtor, which owed nothing before or did. */
static void
noted(struct jobpaths *paths, const struct path *p, bool owed)
{
	struct others *others = paths->others;

	/* The others have no name. */
	if (p->name != NULL) {
		if (!owed)
			count_owing(paths, p);
		return;
	}
	if (!owed)
		others->notices = 0;
	if (!dispatch_path_settled(&p->state) && others->notices < UINT_MAX)
		others->notices++;
}

static void
recount_owing(struct jobpaths *paths)
{
	struct path *p;

	paths->nowed = paths->owed_bytes = 0;
	TAILQ_FOREACH(p, &paths->all, link)
		count_owing(paths, p);
}

static void
note(struct jobpaths *paths, struct path *p, unsigned diff, mono_t noticed, mono_t now)
{
	struct path *d = debtor(paths, p);
	bool owed = !dispatch_path_settled(&d->state);

	dispatch_note(paths->dispatch, paths->state, &d->state, diff, noticed, now);
	noted(paths, d, owed);
}

/* Gives a path back what a former life knew of it. */
static void
restore(struct jobpaths *paths, struct path *p, const struct record_path *r)
{
	struct path *d = debtor(paths, p);
	bool owed = !dispatch_path_settled(&d->state);

	p->seen = r->seen;
	p->known = true;
	dispatch_restore_path(
	    paths->dispatch, paths->state, &d->state, r->owed, mono_now());
	noted(paths, d, owed);
}

/*
 * A path that was not known here. If its entry was known before, to this life or
 * a former one, a match of it is there since then, and its absence is known.
 */
static struct path *
path_discover(struct entry *e, struct watch_path *watched)
{
	struct jobpaths *paths = e->paths;
	struct path *p = path_new(paths, watched->path);
	const struct record_path *r;

	if (paths->recorded == NULL)
		p->known = watched->match;
	else if (e->recorded && (r = map_get(paths->recorded, p->name)) != NULL)
		restore(paths, p, r);
	else
		p->known = e->recorded && watched->match;
	return p;
}

static struct path *
path_for(struct entry *e, struct watch_path *watched, const struct stamp *stamp)
{
	struct path *p = watched->owner;

	if (p != NULL)
		return p;
	p = map_get(&e->paths->by_name, watched->path);
	/* A match that is not there yet is nothing to keep a record of. */
	if (p == NULL && watched->match && (stamp == NULL || !stamp->present))
		return NULL;
	if (p == NULL)
		p = path_discover(e, watched);
	watched->owner = p;
	p->nwatched++;
	return p;
}

static void
say_trouble(struct jobpaths *paths, struct path *p, const char *why)
{
	if (why == p->why || (why != NULL && p->why != NULL && strcmp(why, p->why) == 0))
		return;
	paths->ops->trouble(paths->arg, p->name, why);
	p->why = why;
}

/* The first look at a path that nothing was known of. The bits that it now owes. */
static unsigned
meet(struct jobpaths *paths, struct path *p, const struct stamp *now_stamp, mono_t now)
{
	struct path *d = debtor(paths, p);
	bool owed = !dispatch_path_settled(&d->state);

	p->known = true;
	p->seen = *now_stamp;
	if (p->seen.present)
		dispatch_found(paths->dispatch, paths->state, &d->state, now);
	noted(paths, d, owed);
	return d->state.owed;
}

/* Any other look. The bits by which the path differs. */
static unsigned
compare(struct jobpaths *paths, struct path *p, const struct stamp *now_stamp,
    unsigned hints, mono_t noticed, mono_t now)
{
	unsigned diff = stamp_diff(&p->seen, now_stamp, hints);

	p->seen = *now_stamp;
	if (diff != 0)
		note(paths, p, diff, noticed, now);
	return diff;
}

static void
looked(void *arg, struct watch_path *watched, const struct stamp *stamp, unsigned hints,
    mono_t noticed)
{
	struct entry *e = arg;
	struct jobpaths *paths = e->paths;
	struct path *p = path_for(e, watched, stamp);
	mono_t now = mono_now();
	struct stamp s;
	unsigned diff;

	if (p == NULL)
		return;
	p->unwatched = watched->unwatched;
	say_trouble(paths, p, watched->why);
	if (stamp == NULL)
		return;
	s = *stamp;
	stamp_apply_min_size(&s, paths->state->policy->min_size);
	diff = p->known ? compare(paths, p, &s, hints, noticed, now)
			: meet(paths, p, &s, now);
	if (diff != 0)
		paths->ops->changed(paths->arg, p->name, diff);
}

static void
gone(void *arg, struct watch_path *watched)
{
	struct entry *e = arg;
	struct path *p = watched->owner;

	if (p == NULL)
		return;
	p->nwatched--;
	if (p->nwatched == 0 && dispatch_path_settled(&p->state))
		path_free(e->paths, p);
}

static unsigned
others_diff(const struct watch_others *old, const struct watch_others *now)
{
	unsigned diff = 0;

	if (old->names != now->names || old->n != now->n)
		diff |= CHANGE_CREATE | CHANGE_DELETE;
	if (old->contents != now->contents)
		diff |= CHANGE_MODIFY;
	if (old->attributes != now->attributes)
		diff |= CHANGE_ATTRIBUTES;
	return diff;
}

static void
others_looked(void *arg, const struct watch_others *others)
{
	struct entry *e = arg;
	struct jobpaths *paths = e->paths;
	struct path *all = &others_of(paths)->path;
	mono_t now = mono_now();
	bool owed = !dispatch_path_settled(&all->state);
	unsigned diff = e->others_known ? others_diff(&e->others, others) : 0;

	if (!e->others_known && !e->recorded && others->n > 0) {
		dispatch_found(paths->dispatch, paths->state, &all->state, now);
		diff = all->state.owed;
	} else if (diff != 0) {
		dispatch_note(paths->dispatch, paths->state, &all->state, diff, now, now);
	}
	e->others_known = true;
	e->others = *others;
	noted(paths, all, owed);
	if (diff != 0)
		paths->ops->changed(paths->arg, e->text, diff);
}

static const struct watch_ops watch_ops = { looked, gone, others_looked };

/* The recorded pattern of this rule that stands for name, or NULL. */
static const struct entry *
pattern_of(const struct jobpaths *paths, const char *name)
{
	const int flags = FNM_PATHNAME | FNM_PERIOD | FNM_NOESCAPE;
	size_t i;

	for (i = 0; i < paths->nentries; i++)
		if (paths->entries[i]->recorded &&
		    fnmatch(paths->entries[i]->text, name, flags) == 0)
			return paths->entries[i];
	return NULL;
}

static void
look_absent(struct jobpaths *paths, struct path *p)
{
	const struct stamp absent = { .present = false };
	mono_t now = mono_now();
	unsigned diff = compare(paths, p, &absent, 0, now, now);

	if (diff != 0)
		paths->ops->changed(paths->arg, p->name, diff);
}

/*
 * Matches that went while nobody watched: their absence is the difference. Where not
 * all are followed it may be one of the others now, which differ then.
 */
static void
notice_missing(struct jobpaths *paths, const struct record *known)
{
	const struct entry *e;
	struct path *p;
	size_t i;

	for (i = 0; i < known->npaths; i++) {
		e = pattern_of(paths, known->paths[i].path);
		if (e == NULL || map_get(&paths->by_name, known->paths[i].path) != NULL)
			continue;
		p = path_new(paths, known->paths[i].path);
		restore(paths, p, &known->paths[i]);
		if (watch_overflow(e->watch) == 0)
			look_absent(paths, p);
	}
	jobpaths_sweep(paths);
}

/* others: the recorded ones of an entry that was; NULL of a new one. */
static struct entry *
entry_new(struct jobpaths *paths, const char *text, const struct watch_others *others)
{
	size_t size = strlen(text) + 1;
	struct entry *e = xcalloc(1, sizeof(*e) + size);
	const char *why;

	e->paths = paths;
	memcpy(e->text, text, size);
	e->recorded = e->others_known = others != NULL;
	if (others != NULL)
		e->others = *others;
	e->watch = watch_add(paths->watch, text, &watch_ops, e);
	if ((why = watch_why(e->watch)) != NULL)
		paths->ops->trouble(paths->arg, text, why);
	return e;
}

static void
lost_watcher(void *arg, struct watch_path *watched)
{
	struct path *p = watched->owner;

	(void)arg;
	if (p != NULL)
		p->nwatched--;
}

static void
entry_free(struct entry *e)
{
	watch_each(e->watch, lost_watcher, NULL);
	watch_remove(e->paths->watch, e->watch);
	free(e);
}

/* The others recorded for the entry of that text; NULL: it was not watched. */
static const struct watch_others *
find_others(const struct strv *watch, const struct watch_others *others, const char *text)
{
	size_t i;

	for (i = 0; i < watch->n; i++)
		if (strcmp(watch->v[i], text) == 0)
			return &others[i];
	return NULL;
}

/* Watches the entries that a record has, or those that it has not. */
static void
load_entries(struct jobpaths *paths, const struct strv *entries,
    const struct record *known, bool recorded)
{
	const struct watch_others *others;
	size_t i;

	for (i = 0; i < entries->n; i++) {
		others = known != NULL
			     ? find_others(&known->watch, known->others, entries->v[i])
			     : NULL;
		if ((others != NULL) == recorded)
			paths->entries[paths->nentries++] =
			    entry_new(paths, entries->v[i], others);
	}
}

/* What was owed without a name. */
static void
restore_others(struct jobpaths *paths, const struct record *known)
{
	struct others *others;

	if (known->others_owed == 0)
		return;
	others = others_of(paths);
	others->notices = known->others_notices;
	dispatch_restore_path(paths->dispatch, paths->state, &others->path.state,
	    known->others_owed, mono_now());
}

void
jobpaths_load(
    struct jobpaths *paths, const struct strv *entries, const struct record *known)
{
	struct map recorded = { NULL, 0, 0 };
	size_t i;

	if (paths->state->policy->at_start == START_NEVER)
		known = NULL;
	for (i = 0; known != NULL && i < known->npaths; i++)
		if (map_get(&recorded, known->paths[i].path) == NULL)
			map_put(&recorded, known->paths[i].path, &known->paths[i]);
	paths->entries = xcalloc(entries->n, sizeof(*paths->entries));
	if (known != NULL)
		restore_others(paths, known);
	paths->recorded = &recorded;
	/* A path that several entries stand for is first met by one that is known. */
	load_entries(paths, entries, known, true);
	load_entries(paths, entries, known, false);
	paths->recorded = NULL;
	if (known != NULL)
		notice_missing(paths, known);
	map_clear(&recorded);
	for (i = 0; i < paths->nentries; i++)
		paths->entries[i]->recorded = true;
}

/* The entry of that text, taken out of the list. */
static struct entry *
take_entry(struct entry **list, size_t n, const char *text)
{
	struct entry *e;
	size_t i;

	for (i = 0; i < n; i++)
		if (list[i] != NULL && strcmp(list[i]->text, text) == 0) {
			e = list[i];
			list[i] = NULL;
			return e;
		}
	return NULL;
}

/* Forgets paths that only entries of before stood for, and what they owe. */
static void
forget_strays(struct jobpaths *paths)
{
	struct path *p, *next;

	for (p = TAILQ_FIRST(&paths->all); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->nwatched > 0)
			continue;
		if (pattern_of(paths, p->name) != NULL) {
			/* It may have gone while the rule was not in force. */
			look_absent(paths, p);
			continue;
		}
		dispatch_forget(paths->dispatch, paths->state, &p->state, mono_now());
		path_free(paths, p);
	}
	recount_owing(paths);
}

static void
clear_stopped(struct jobpaths *paths)
{
	strv_clear(&paths->stopped);
	free(paths->stopped_others);
	paths->stopped_others = NULL;
}

void
jobpaths_change(struct jobpaths *paths, const struct strv *entries)
{
	const struct map nothing = { NULL, 0, 0 };
	struct entry **old = paths->entries, *e;
	size_t nold = paths->nentries, i;

	paths->entries = xcalloc(entries->n, sizeof(*paths->entries));
	paths->nentries = paths->nlooked = 0;
	paths->recorded = &nothing;
	for (i = 0; i < entries->n; i++) {
		e = take_entry(old, nold, entries->v[i]);
		if (e == NULL)
			e = entry_new(paths, entries->v[i],
			    find_others(
				&paths->stopped, paths->stopped_others, entries->v[i]));
		paths->entries[paths->nentries++] = e;
	}
	paths->recorded = NULL;
	for (i = 0; i < paths->nentries; i++)
		paths->entries[i]->recorded = true;
	for (i = 0; i < nold; i++)
		if (old[i] != NULL)
			entry_free(old[i]);
	free(old);
	clear_stopped(paths);
	forget_strays(paths);
}

void
jobpaths_stop(struct jobpaths *paths)
{
	size_t i;

	if (paths->nentries == 0)
		return;
	clear_stopped(paths);
	paths->stopped_others = xcalloc(paths->nentries, sizeof(struct watch_others));
	for (i = 0; i < paths->nentries; i++) {
		strv_push(&paths->stopped, xstrdup(paths->entries[i]->text));
		paths->stopped_others[i] = paths->entries[i]->others;
		entry_free(paths->entries[i]);
	}
	paths->nentries = paths->nlooked = 0;
}

void
jobpaths_free(struct jobpaths *paths)
{
	if (paths == NULL)
		return;
	jobpaths_stop(paths);
	clear_stopped(paths);
	free(paths->entries);
	while (!TAILQ_EMPTY(&paths->all))
		path_free(paths, TAILQ_FIRST(&paths->all));
	map_clear(&paths->by_name);
	free(paths->others);
	free(paths);
}

bool
jobpaths_look(struct jobpaths *paths)
{
	uint64_t end = watch_work(paths->watch) + LOOK_WORK;

	while (paths->nlooked < paths->nentries) {
		if (watch_work(paths->watch) >= end ||
		    !watch_look(paths->entries[paths->nlooked]->watch))
			return false;
		paths->nlooked++;
	}
	paths->nlooked = 0;
	return true;
}

void
jobpaths_sweep(struct jobpaths *paths)
{
	struct path *p, *next;

	/* What was watched until a stop is known all the same. */
	if (paths->stopped.n > 0)
		return;
	for (p = TAILQ_FIRST(&paths->all); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->nwatched == 0 && dispatch_path_settled(&p->state))
			path_free(paths, p);
	}
	recount_owing(paths);
}

void
jobpaths_record(const struct jobpaths *paths, struct record *out)
{
	const struct path *p;
	struct record_path *r;
	size_t i;

	out->others =
	    xcalloc(paths->nentries + paths->stopped.n, sizeof(struct watch_others));
	for (i = 0; i < paths->nentries; i++) {
		out->others[out->watch.n] = paths->entries[i]->others;
		strv_push(&out->watch, xstrdup(paths->entries[i]->text));
	}
	for (i = 0; i < paths->stopped.n; i++) {
		out->others[out->watch.n] = paths->stopped_others[i];
		strv_push(&out->watch, xstrdup(paths->stopped.v[i]));
	}
	if (paths->others != NULL) {
		out->others_owed =
		    paths->others->path.state.owed | paths->others->path.state.taken;
		out->others_notices = out->others_owed != 0 ? paths->others->notices : 0;
	}
	out->paths = xcalloc(paths->n, sizeof(*out->paths));
	TAILQ_FOREACH(p, &paths->all, link) {
		if (!p->known)
			continue;
		r = &out->paths[out->npaths++];
		r->path = xstrdup(p->name);
		r->seen = p->seen;
		r->owed = p->state.owed | p->state.taken;
	}
}

static const char *
state_of(const struct path *p)
{
	if (p->unwatched)
		return "not-watched";
	if (p->why != NULL)
		return "error";
	return p->seen.present ? "present" : "absent";
}

bool
jobpaths_has_error(const struct jobpaths *paths)
{
	const struct path *p;

	TAILQ_FOREACH(p, &paths->all, link)
		if (p->nwatched > 0 && p->why != NULL && !p->unwatched)
			return true;
	return false;
}

void
jobpaths_each(const struct jobpaths *paths, jobpaths_fn *fn, void *arg)
{
	const struct path *p;

	TAILQ_FOREACH(p, &paths->all, link)
		if (p->nwatched > 0)
			fn(arg, p->name, state_of(p), p->why);
}

static char *
entry_problem(const struct entry *e)
{
	const char *why = watch_why(e->watch);
	size_t over = watch_overflow(e->watch);

	if (why != NULL)
		return xstrdup(why);
	if (over == 0)
		return NULL;
	if (watch_is_short(e->watch))
		return xasprintf("%zu matches more than there are descriptors for: they "
				 "are only looked at every `recheck`",
		    over);
	return xasprintf(
	    "%zu matches more than %d: they are only looked at every `recheck`", over,
	    WATCH_MATCHES_MAX);
}

char *
jobpaths_problem(const struct jobpaths *paths)
{
	const struct path *p;
	char *why, *out;
	size_t i;

	TAILQ_FOREACH(p, &paths->all, link)
		if (p->why != NULL && p->nwatched > 0)
			return xasprintf("%s: %s", p->name, p->why);
	for (i = 0; i < paths->nentries; i++) {
		why = entry_problem(paths->entries[i]);
		if (why == NULL)
			continue;
		out = xasprintf("%s: %s", paths->entries[i]->text, why);
		free(why);
		return out;
	}
	return NULL;
}

struct each {
	jobpaths_fn *fn;
	void *arg;
};

static void
each_of_entry(void *arg, struct watch_path *watched)
{
	const struct each *each = arg;
	const struct path *p = watched->owner;

	if (p != NULL)
		each->fn(each->arg, p->name, state_of(p), p->why);
}

char *
jobpaths_entry(
    const struct jobpaths *paths, const char *entry, jobpaths_fn *fn, void *arg)
{
	struct each each = { fn, arg };
	size_t i;

	for (i = 0; i < paths->nentries; i++) {
		if (strcmp(paths->entries[i]->text, entry) != 0)
			continue;
		watch_each(paths->entries[i]->watch, each_of_entry, &each);
		return entry_problem(paths->entries[i]);
	}
	return NULL;
}

size_t
jobpaths_count(const struct jobpaths *paths)
{
	return paths->n;
}

unsigned
jobpaths_others(const struct dispatch_path *p)
{
	const struct path *path = path_of(p);

	return path->name == NULL ? ((const struct others *)(const void *)path)->notices
				  : 0;
}
