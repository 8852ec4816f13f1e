/* SPDX-License-Identifier: MIT */
/*
 * From `watch` values to looks. A path is one target of the tree. A pattern is
 * a list of names to match in a directory, which is a target too: whenever that
 * directory may have changed it is listed anew, and each match is a path, or
 * the directory of the next list.
 */
#include "watch/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "base/map.h"
#include "rules/pattern.h"
#include "base/platform.h"
#include "watch/tree.h"
#include "base/util.h"

struct leaf {
	struct watch_path pub;
	struct tree_target target;
	struct watch_entry *entry;
	char *path;
	bool armed;
	TAILQ_ENTRY(leaf) link;
};

/* One match of a list: either a path or, where the pattern goes on, a list. */
struct match {
	char *name;
	struct leaf *leaf;
	struct list *list;
	bool seen;
	TAILQ_ENTRY(match) link;
};

struct list {
	struct tree_target target;
	struct watch_entry *entry;
	char *dir;
	size_t part; /* the wildcard component that its names are matched with */
	int error;   /* errno: the names cannot be read, and what is known stays */
	struct map by_name;
	TAILQ_HEAD(, match) matches;
};

struct watch_entry {
	struct watch *watch;
	const struct watch_ops *ops;
	void *arg;
	/*
	 * Runs of literal components, each a path with a slash in front, and
	 * between them single wildcard components, which have none.
	 */
	struct strv parts;
	struct leaf *leaf;
	struct list *list;
	TAILQ_HEAD(, leaf) leaves;
	size_t armed, overflow;
	TAILQ_ENTRY(watch_entry) link;
};

struct watch_way {
	struct tree_target target;
	char *path;
	void (*fn)(void *arg);
	void *arg;
};

struct watch {
	struct tree *tree;
	TAILQ_HEAD(, watch_entry) entries;
};

static struct list *list_new(struct watch_entry *e, char *dir, size_t part);
static void list_free(struct list *l, mono_t noticed);

static const char *
explain(int error)
{
	if (error == EMFILE || error == ENFILE)
		return "out of file descriptors";
	if (error == EPERM && platform_has_tcc)
		return "needs Full Disk Access";
	/* A daemon is not to download what is only in iCloud: the kernel refuses. */
	if (error == EDEADLK && platform_has_tcc)
		return "not downloaded (iCloud)";
	return strerror(error);
}

/*
 * Whether the path may be stat'ed; if not, says why. An error is no reason: it
 * may be over, and no call has come yet.
 */
static bool
leaf_may_look(struct leaf *f)
{
	f->pub.unwatched = f->target.end == TREE_REMOTE || f->target.end == TREE_OWN;
	f->pub.error = f->target.error;
	if (f->target.end == TREE_REMOTE)
		f->pub.why = "not watched: network volume";
	else if (f->target.end == TREE_OWN)
		f->pub.why = "not watched: belongs to watchpathd itself";
	else
		f->pub.why = f->pub.error != 0 ? explain(f->pub.error) : NULL;
	return !f->pub.unwatched;
}

/*
 * A slash at the end asks for a directory, and stat(2) says ENOTDIR of anything
 * else: nothing that the rule watches, and yet there for the tree.
 */
static bool
is_no_directory(const char *path, struct stamp *there)
{
	size_t n = strlen(path);
	char *bare;
	bool found;

	if (path[n - 1] != '/')
		return false;
	bare = xstrndup(path, n - 1);
	found = stamp_take(there, bare) == 0 && there->present && !S_ISDIR(there->mode);
	free(bare);
	return found;
}

static void
leaf_refuse(struct leaf *f)
{
	if (f->pub.match)
		return;
	f->pub.error = ENOTDIR;
	f->pub.why = "not a directory, which the / at its end asks for";
}

static void
leaf_look(void *arg, unsigned hints, mono_t noticed)
{
	struct leaf *f = arg;
	struct watch_entry *e = f->entry;
	struct stamp s = { .present = false }, other;
	enum tree_end found = TREE_ERROR;
	int error;

	/* The kernel would walk all of a way that was too long for us. */
	if (!leaf_may_look(f) || f->target.end == TREE_BEYOND) {
		e->ops->look(e->arg, &f->pub, NULL, 0, noticed);
		return;
	}
	error = stamp_take(&s, f->path);
	if (error == 0)
		found = s.present ? TREE_HERE : TREE_ABSENT;
	if (found == TREE_ABSENT && is_no_directory(f->path, &other)) {
		leaf_refuse(f);
		tree_found(&f->target, TREE_HERE, other.dev, other.ino);
	} else {
		tree_found(&f->target, found, s.dev, s.ino);
	}
	if (error != 0) {
		f->pub.error = error;
		f->pub.why = explain(error);
	}
	e->ops->look(e->arg, &f->pub, error == 0 ? &s : NULL, hints, noticed);
}

static void
leaf_arm(struct leaf *f)
{
	tree_add(f->entry->watch->tree, &f->target);
	f->armed = true;
	f->entry->armed++;
}

static void
leaf_disarm(struct leaf *f)
{
	tree_remove(f->entry->watch->tree, &f->target);
	f->armed = false;
	f->entry->armed--;
}

/* A look at a path that no descriptor is held for. */
static void
leaf_visit(struct leaf *f)
{
	leaf_arm(f);
	leaf_look(f, 0, mono_now());
	leaf_disarm(f);
}

static struct leaf *
leaf_new(struct watch_entry *e, char *path)
{
	struct leaf *f = xcalloc(1, sizeof(*f));

	f->entry = e;
	f->path = path;
	f->pub.path = path;
	f->pub.match = e->parts.n > 1;
	f->target.path = path;
	f->target.fn = leaf_look;
	f->target.arg = f;
	TAILQ_INSERT_TAIL(&e->leaves, f, link);
	if (e->armed < WATCH_MATCHES_MAX) {
		leaf_arm(f);
		leaf_look(f, 0, mono_now());
	} else {
		e->overflow++;
		leaf_visit(f);
	}
	return f;
}

static void
leaf_free(struct leaf *f)
{
	struct watch_entry *e = f->entry;

	if (f->armed)
		leaf_disarm(f);
	else
		e->overflow--;
	TAILQ_REMOVE(&e->leaves, f, link);
	free(f->path);
	free(f);
}

/*
 * The listing did not have f's name: it was absent then, whatever a stat would
 * say now. It may be back for a moment, or differ from another name in its case
 * only. If it is there after all, the directory's next event finds it again.
 */
static void
leaf_drop(struct leaf *f, mono_t noticed)
{
	struct watch_entry *e = f->entry;
	const struct stamp absent = { .taken_ns = realtime_ns() };

	if (!f->pub.unwatched)
		e->ops->look(e->arg, &f->pub, &absent, 0, noticed);
	e->ops->gone(e->arg, &f->pub);
	leaf_free(f);
}

/* Arms paths that were left out, where others have gone. */
static void
entry_fill(struct watch_entry *e)
{
	struct leaf *f;

	TAILQ_FOREACH(f, &e->leaves, link) {
		if (e->overflow == 0 || e->armed >= WATCH_MATCHES_MAX)
			return;
		if (f->armed)
			continue;
		e->overflow--;
		leaf_arm(f);
		leaf_look(f, 0, mono_now());
	}
}

/* Follows the pattern from dir, where part is the next component. */
static void
expand(struct match *m, struct list *l)
{
	struct watch_entry *e = l->entry;
	size_t next = l->part + 1;
	char *path, *longer;

	path = xasprintf("%s/%s", strcmp(l->dir, "/") == 0 ? "" : l->dir, m->name);
	if (next < e->parts.n && e->parts.v[next][0] == '/') {
		longer = xasprintf("%s%s", path, e->parts.v[next]);
		free(path);
		path = longer;
		next++;
	}
	if (next < e->parts.n)
		m->list = list_new(e, path, next);
	else
		m->leaf = leaf_new(e, path);
}

static void
match_free(struct list *l, struct match *m, mono_t noticed)
{
	if (m->list != NULL)
		list_free(m->list, noticed);
	else if (l->entry->ops != NULL)
		leaf_drop(m->leaf, noticed);
	else
		leaf_free(m->leaf);
	map_remove(&l->by_name, m->name);
	TAILQ_REMOVE(&l->matches, m, link);
	free(m->name);
	free(m);
}

/* Can the directory entry be what the pattern needs: a directory, if it goes on? */
static bool
is_candidate(const struct list *l, const struct dirent *d)
{
	if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
		return false;
	if (l->part + 1 < l->entry->parts.n && d->d_type != DT_DIR &&
	    d->d_type != DT_LNK && d->d_type != DT_UNKNOWN)
		return false;
	return fnmatch(
		   l->entry->parts.v[l->part], d->d_name, FNM_PERIOD | FNM_NOESCAPE) == 0;
}

static void
list_note(struct list *l, const char *name)
{
	struct match *m = map_get(&l->by_name, name);

	if (m == NULL) {
		m = xcalloc(1, sizeof(*m));
		m->name = xstrdup(name);
		TAILQ_INSERT_TAIL(&l->matches, m, link);
		map_put(&l->by_name, m->name, m);
		expand(m, l);
	}
	m->seen = true;
}

static void
list_forget_unseen(struct list *l, mono_t noticed)
{
	struct match *m, *next;

	for (m = TAILQ_FIRST(&l->matches); m != NULL; m = next) {
		next = TAILQ_NEXT(m, link);
		if (!m->seen)
			match_free(l, m, noticed);
	}
}

/* The names in the directory, or NULL: none may be read, and what is known stays. */
static DIR *
list_open(struct list *l, bool *none)
{
	struct stat st;
	DIR *d;

	*none = l->target.end == TREE_ABSENT;
	l->error = l->target.error;
	if (l->target.end != TREE_HERE)
		return NULL;
	d = opendir(l->dir);
	if (d == NULL) {
		*none = errno == ENOENT || errno == ENOTDIR;
		if (!*none)
			l->error = errno;
		tree_found(&l->target, *none ? TREE_ABSENT : TREE_ERROR, 0, 0);
	} else if (fstat(dirfd(d), &st) == 0) {
		tree_found(
		    &l->target, TREE_HERE, (uint64_t)st.st_dev, (uint64_t)st.st_ino);
	}
	return d;
}

/* Notes every match in the directory. False: not all names could be read. */
static bool
list_names(struct list *l, DIR *d)
{
	struct dirent *ent;
	int error;

	while (errno = 0, (ent = readdir(d)) != NULL)
		if (is_candidate(l, ent))
			list_note(l, ent->d_name);
	error = errno;
	closedir(d);
	if (error != 0)
		l->error = error;
	return error == 0;
}

static void
list_read(void *arg, unsigned hints, mono_t noticed)
{
	struct list *l = arg;
	struct match *m;
	bool none;
	DIR *d = list_open(l, &none);

	(void)hints;
	if (d == NULL && !none)
		return;
	TAILQ_FOREACH(m, &l->matches, link)
		m->seen = false;
	if (d == NULL || list_names(l, d))
		list_forget_unseen(l, noticed);
	entry_fill(l->entry);
}

static struct list *
list_new(struct watch_entry *e, char *dir, size_t part)
{
	struct list *l = xcalloc(1, sizeof(*l));

	l->entry = e;
	l->dir = dir;
	l->part = part;
	TAILQ_INIT(&l->matches);
	l->target.path = dir;
	l->target.fn = list_read;
	l->target.arg = l;
	tree_add(e->watch->tree, &l->target);
	list_read(l, 0, mono_now());
	return l;
}

/* Frees a list; its paths are gone for good unless the entry itself goes. */
static void
list_free(struct list *l, mono_t noticed)
{
	struct match *m;

	tree_remove(l->entry->watch->tree, &l->target);
	while ((m = TAILQ_FIRST(&l->matches)) != NULL)
		match_free(l, m, noticed);
	map_clear(&l->by_name);
	free(l->dir);
	free(l);
}

/* Ends the run of literal components; only the first one may be the root. */
static void
end_run(struct buf *run, struct strv *parts)
{
	if (run->len > 0 || parts->n == 0)
		strv_push(parts, xstrdup(run->len > 0 ? run->p : "/"));
	buf_clear(run);
}

/* A slash at the end is an empty component, and stays. */
static void
split(const char *text, struct strv *parts)
{
	char *canonical = pattern_canonical(text), *component, *name;
	struct buf run = { NULL, 0, 0 };
	const char *s = canonical;
	size_t len;

	while (*s == '/') {
		len = strcspn(++s, "/");
		component = xstrndup(s, len);
		s += len;
		name = pattern_path(component);
		if (name != NULL) {
			buf_addf(&run, "/%s", name);
			free(name);
			free(component);
			continue;
		}
		end_run(&run, parts);
		strv_push(parts, component);
	}
	end_run(&run, parts);
	free(canonical);
}

struct watch_entry *
watch_add(struct watch *w, const char *text, const struct watch_ops *ops, void *arg)
{
	struct watch_entry *e = xcalloc(1, sizeof(*e));

	e->watch = w;
	e->ops = ops;
	e->arg = arg;
	TAILQ_INIT(&e->leaves);
	TAILQ_INSERT_TAIL(&w->entries, e, link);
	split(text, &e->parts);
	tree_read_mounts(w->tree);
	if (e->parts.n == 1)
		e->leaf = leaf_new(e, xstrdup(e->parts.v[0]));
	else
		e->list = list_new(e, xstrdup(e->parts.v[0]), 1);
	return e;
}

void
watch_remove(struct watch *w, struct watch_entry *e)
{
	e->ops = NULL;
	if (e->list != NULL)
		list_free(e->list, mono_now());
	else
		leaf_free(e->leaf);
	TAILQ_REMOVE(&w->entries, e, link);
	strv_clear(&e->parts);
	free(e);
}

void
watch_look(struct watch_entry *e)
{
	struct leaf *f;

	TAILQ_FOREACH(f, &e->leaves, link)
		if (f->armed)
			leaf_look(f, 0, mono_now());
}

void
watch_each(
    const struct watch_entry *e, void (*fn)(void *arg, struct watch_path *p), void *arg)
{
	struct leaf *f, *next;

	for (f = TAILQ_FIRST(&e->leaves); f != NULL; f = next) {
		next = TAILQ_NEXT(f, link);
		fn(arg, &f->pub);
	}
}

size_t
watch_overflow(const struct watch_entry *e)
{
	return e->overflow;
}

static const char *
list_why(const struct list *l)
{
	const char *why = NULL;
	struct match *m;

	if (l->target.end == TREE_REMOTE)
		return "not watched: network volume";
	if (l->error != 0)
		return explain(l->error);
	TAILQ_FOREACH(m, &l->matches, link)
		if (m->list != NULL && (why = list_why(m->list)) != NULL)
			break;
	return why;
}

const char *
watch_why(const struct watch_entry *e)
{
	return e->list != NULL ? list_why(e->list) : NULL;
}

static void
way_changed(void *arg, unsigned hints, mono_t noticed)
{
	struct watch_way *way = arg;

	(void)hints;
	(void)noticed;
	way->fn(way->arg);
}

struct watch_way *
watch_way_add(struct watch *w, const char *path, void (*fn)(void *arg), void *arg)
{
	struct watch_way *way = xcalloc(1, sizeof(*way));

	way->path = xstrdup(path);
	way->fn = fn;
	way->arg = arg;
	way->target.path = way->path;
	way->target.fn = way_changed;
	way->target.arg = way;
	way->target.whole_way = true;
	tree_add(w->tree, &way->target);
	return way;
}

void
watch_way_remove(struct watch *w, struct watch_way *way)
{
	tree_remove(w->tree, &way->target);
	free(way->path);
	free(way);
}

const char *
watch_way_path(const struct watch_way *way)
{
	return way->path;
}

struct watch *
watch_new(struct loop *l)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->tree = tree_new(l);
	TAILQ_INIT(&w->entries);
	return w;
}

void
watch_free(struct watch *w)
{
	struct watch_entry *e;

	if (w == NULL)
		return;
	while ((e = TAILQ_FIRST(&w->entries)) != NULL)
		watch_remove(w, e);
	tree_free(w->tree);
	free(w);
}

const struct strv *
watch_remote(const struct watch *w)
{
	return tree_remote(w->tree);
}

void
watch_disown(struct watch *w, const char *path)
{
	tree_disown(w->tree, path);
}

void
watch_recheck(struct watch *w)
{
	struct watch_entry *e;
	struct leaf *f;

	tree_recheck(w->tree);
	TAILQ_FOREACH(e, &w->entries, link) {
		if (e->overflow == 0)
			continue;
		TAILQ_FOREACH(f, &e->leaves, link)
			if (!f->armed)
				leaf_visit(f);
	}
}

void
watch_due(struct watch *w, mono_t now)
{
	tree_due(w->tree, now);
}

mono_t
watch_deadline(const struct watch *w)
{
	return tree_deadline(w->tree);
}
