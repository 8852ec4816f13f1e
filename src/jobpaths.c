/* SPDX-License-Identifier: MIT */
/*
 * Between the watcher and a rule's state. It knows which paths there are, which
 * of them a former life of the daemon knew, and nothing of runs.
 */
#include "jobpaths.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "dispatch.h"
#include "map.h"
#include "mono.h"
#include "policy.h"
#include "record.h"
#include "watch.h"

struct path {
	struct dispatch_path state; /* first: see jobpaths_name */
	char *name;
	unsigned nwatched; /* 0: no match any more */
	bool known;        /* state.seen is of a real look */
	const char *why;   /* what was last said to be wrong with it */
	TAILQ_ENTRY(path) link;
};

struct entry {
	struct jobpaths *paths;
	struct watch_entry *watch;
	char *text;
	bool recorded; /* a former life watched it */
};

struct jobpaths {
	struct watch *watch;
	struct dispatch *dispatch;
	struct dispatch_rule *state;
	const struct jobpaths_ops *ops;
	void *arg;
	struct entry *entries;
	size_t nentries, n;
	struct map by_name;
	TAILQ_HEAD(, path) all;
	bool loading;
	struct map recorded; /* by path, while loading */
};

const char *
jobpaths_name(const struct dispatch_path *p)
{
	return ((const struct path *)(const void *)p)->name;
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
	struct path *p = xcalloc(1, sizeof(*p));

	p->name = xstrdup(name);
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
	free(p->name);
	free(p);
}

/* Gives a path back what a former life knew of it. */
static void
restore(struct jobpaths *paths, struct path *p, const struct record_path *r)
{
	dispatch_restore_path(
	    paths->dispatch, paths->state, &p->state, &r->seen, r->owed, mono_now());
	p->known = true;
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

	if (!paths->loading)
		p->known = watched->match;
	else if (e->recorded && (r = map_get(&paths->recorded, p->name)) != NULL)
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

static void
looked(void *arg, struct watch_path *watched, const struct stamp *stamp, unsigned hints)
{
	struct entry *e = arg;
	struct jobpaths *paths = e->paths;
	struct path *p = path_for(e, watched, stamp);
	mono_t now = mono_now();
	unsigned diff;

	if (p == NULL)
		return;
	say_trouble(paths, p, watched->why);
	if (stamp == NULL)
		return;
	if (p->known) {
		diff = dispatch_look(
		    paths->dispatch, paths->state, &p->state, stamp, hints, now);
	} else {
		p->known = true;
		dispatch_baseline(paths->dispatch, paths->state, &p->state, stamp, now);
		diff = p->state.owed;
	}
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

static const struct watch_ops watch_ops = { looked, gone };

static bool
has_entry(const struct record *known, const char *entry)
{
	size_t i;

	for (i = 0; i < known->watch.n; i++)
		if (strcmp(known->watch.v[i], entry) == 0)
			return true;
	return false;
}

/* Is name one that a recorded pattern of this rule stands for? */
static bool
is_match(const struct jobpaths *paths, const char *name)
{
	const int flags = FNM_PATHNAME | FNM_PERIOD | FNM_NOESCAPE;
	size_t i;

	for (i = 0; i < paths->nentries; i++)
		if (paths->entries[i].recorded &&
		    fnmatch(paths->entries[i].text, name, flags) == 0)
			return true;
	return false;
}

/* Matches that went while nobody watched: their absence is the difference. */
static void
notice_missing(struct jobpaths *paths, const struct record *known)
{
	const struct stamp absent = { .present = false };
	struct path *p;
	unsigned diff;
	size_t i;

	for (i = 0; i < known->npaths; i++) {
		if (map_get(&paths->by_name, known->paths[i].path) != NULL ||
		    !is_match(paths, known->paths[i].path))
			continue;
		p = path_new(paths, known->paths[i].path);
		restore(paths, p, &known->paths[i]);
		diff = dispatch_look(
		    paths->dispatch, paths->state, &p->state, &absent, 0, mono_now());
		if (diff != 0)
			paths->ops->changed(paths->arg, p->name, diff);
	}
	jobpaths_sweep(paths);
}

static void
load_entry(struct jobpaths *paths, const char *text, const struct record *known)
{
	struct entry *e = &paths->entries[paths->nentries++];
	const char *why;

	e->paths = paths;
	e->text = xstrdup(text);
	e->recorded = known != NULL && has_entry(known, text);
	e->watch = watch_add(paths->watch, text, &watch_ops, e);
	if ((why = watch_why(e->watch)) != NULL)
		paths->ops->trouble(paths->arg, text, why);
}

void
jobpaths_load(
    struct jobpaths *paths, const struct strv *entries, const struct record *known)
{
	size_t i;

	if (paths->state->policy->at_start == START_NEVER)
		known = NULL;
	for (i = 0; known != NULL && i < known->npaths; i++)
		if (map_get(&paths->recorded, known->paths[i].path) == NULL)
			map_put(&paths->recorded, known->paths[i].path, &known->paths[i]);
	paths->entries = xcalloc(entries->n, sizeof(*paths->entries));
	paths->loading = true;
	for (i = 0; i < entries->n; i++)
		load_entry(paths, entries->v[i], known);
	paths->loading = false;
	if (known != NULL)
		notice_missing(paths, known);
	map_clear(&paths->recorded);
}

void
jobpaths_free(struct jobpaths *paths)
{
	size_t i;

	if (paths == NULL)
		return;
	for (i = 0; i < paths->nentries; i++) {
		watch_remove(paths->watch, paths->entries[i].watch);
		free(paths->entries[i].text);
	}
	free(paths->entries);
	while (!TAILQ_EMPTY(&paths->all))
		path_free(paths, TAILQ_FIRST(&paths->all));
	map_clear(&paths->by_name);
	free(paths);
}

void
jobpaths_look(struct jobpaths *paths)
{
	size_t i;

	for (i = 0; i < paths->nentries; i++)
		watch_look(paths->entries[i].watch);
}

void
jobpaths_sweep(struct jobpaths *paths)
{
	struct path *p, *next;

	for (p = TAILQ_FIRST(&paths->all); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->nwatched == 0 && dispatch_path_settled(&p->state))
			path_free(paths, p);
	}
}

void
jobpaths_record(const struct jobpaths *paths, struct record *out)
{
	const struct path *p;
	struct record_path *r;
	size_t i;

	for (i = 0; i < paths->nentries; i++)
		strv_push(&out->watch, xstrdup(paths->entries[i].text));
	out->paths = xcalloc(paths->n, sizeof(*out->paths));
	TAILQ_FOREACH(p, &paths->all, link) {
		if (!p->known)
			continue;
		r = &out->paths[out->npaths++];
		r->path = xstrdup(p->name);
		r->seen = p->state.seen;
		r->owed = p->state.owed | p->state.taken;
	}
}

size_t
jobpaths_count(const struct jobpaths *paths)
{
	return paths->n;
}
