/* SPDX-License-Identifier: MIT */
/*
 * From `watch` values to looks. A path is one target of the tree. A pattern is
 * a list of names to match in a directory, which is a target too: whenever that
 * directory may have changed it is listed again, and each match is a path, or
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
#include "base/number.h"

/* Of one directory at a time: names that are read, and work on what is new. */
#define NAMES_SLICE 256
#define WORK_SLICE 256
/* What adding an entry does at once: more names than any but a hostile directory. */
#define WORK_ADD 65536

struct leaf {
	struct watch_path pub;
	struct tree_target target;
	struct watch_entry *entry;
	TAILQ_ENTRY(leaf) link;
	char path[];
};

/* One match of a list: either a path or, where the pattern goes on, a list. */
struct match {
	char *name;
	struct leaf *leaf;
	struct list *list;
	uint64_t listing; /* the last one that had it */
	TAILQ_ENTRY(match) link;
};

struct list {
	struct tree_target target;
	struct watch_entry *entry;
	char *path;
	size_t part; /* the wildcard component that its names are matched with */
	int error;   /* errno: the names cannot be read, and what is known stays */
	struct map by_name;
	TAILQ_HEAD(, match) matches;
	TAILQ_ENTRY(list) link;
	struct watch_others others;

	/* The listing under way, in slices, and what it has found. */
	DIR *dir;
	uint64_t listing;
	mono_t noticed;
	struct watch_others found;
	bool visit; /* the next one looks at the others, too */
	bool visiting, again;
	bool known; /* there has been one, or nothing to list */
};

/* What an entry has that is no single path. */
struct pattern {
	/*
	 * Runs of literal components, each a path with a slash in front, and
	 * between them single wildcard components, which have none.
	 */
	struct strv parts;
	struct list *list; /* the first, which all others are below */
	TAILQ_HEAD(, list) lists;
	size_t nlists, nunknown;          /* lists that are not known yet */
	struct watch_others others, said; /* of all lists together */
	bool was_said;
};

struct watch_entry {
	struct watch *watch;
	const struct watch_ops *ops;
	void *arg;
	struct tree_account account;
	struct pattern *pattern; /* NULL: it is a path, of one leaf */
	TAILQ_HEAD(, leaf) leaves;
	size_t nleaves;
	bool looking; /* watch_look is between two pieces */
	struct leaf *look_at;
	TAILQ_ENTRY(watch_entry) link;
};

struct watch_way {
	struct tree_target target;
	struct tree_account account;
	char *path;
	void (*fn)(void *arg);
	void *arg;
};

struct watch {
	struct tree *tree;
	TAILQ_HEAD(, watch_entry) entries;
};

static struct list *list_new(struct watch_entry *e, char *path, size_t part);
static void list_free(struct list *l, mono_t noticed);

static const char *
explain(int error)
{
	if (error == EMFILE || error == ENFILE)
		return "out of file descriptors";
	if (error == ENOBUFS)
		return "more links and directories than a pattern may have watched";
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
	/* The kernel goes the same way. */
	tree_add_work(e->watch->tree, 1 + f->target.components / 8);
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

static struct leaf *
leaf_new(struct watch_entry *e, const char *path)
{
	size_t size = strlen(path) + 1;
	struct leaf *f = xcalloc(1, sizeof(*f) + size);

	f->entry = e;
	memcpy(f->path, path, size);
	f->pub.path = f->path;
	f->pub.match = e->pattern != NULL;
	f->target.path = f->path;
	f->target.fn = leaf_look;
	f->target.arg = f;
	f->target.account = &e->account;
	TAILQ_INSERT_TAIL(&e->leaves, f, link);
	e->nleaves++;
	tree_add(e->watch->tree, &f->target);
	leaf_look(f, 0, mono_now());
	return f;
}

static void
leaf_free(struct leaf *f)
{
	struct watch_entry *e = f->entry;

	tree_remove(e->watch->tree, &f->target);
	if (e->look_at == f)
		e->look_at = TAILQ_NEXT(f, link);
	TAILQ_REMOVE(&e->leaves, f, link);
	e->nleaves--;
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

/* Where one match is, or the pattern goes on from there: then *part is its next. */
static char *
match_path(const struct list *l, const char *name, size_t *part)
{
	const struct strv *parts = &l->entry->pattern->parts;
	char *path, *longer;

	path = xasprintf("%s/%s", strcmp(l->path, "/") == 0 ? "" : l->path, name);
	*part = l->part + 1;
	if (*part < parts->n && parts->v[*part][0] == '/') {
		longer = xasprintf("%s%s", path, parts->v[*part]);
		free(path);
		path = longer;
		++*part;
	}
	return path;
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
	if (l->part + 1 < l->entry->pattern->parts.n && d->d_type != DT_DIR &&
	    d->d_type != DT_LNK && d->d_type != DT_UNKNOWN)
		return false;
	return fnmatch(l->entry->pattern->parts.v[l->part], d->d_name,
		   FNM_PERIOD | FNM_NOESCAPE) == 0;
}

/* May another match be followed, which is a list or a path? */
static bool
has_room(const struct watch_entry *e, bool list)
{
	return (list ? e->pattern->nlists : e->nleaves) < WATCH_MATCHES_MAX &&
	       tree_has_room(e->watch->tree, &e->account);
}

/* FNV-1a, further from h. */
static uint64_t
hash(uint64_t h, const void *p, size_t n)
{
	const unsigned char *c = p;

	for (; n > 0; n--)
		h = (h ^ *c++) * UINT64_C(1099511628211);
	return h;
}

/* Looks at a path that is not followed; its way is armed for that moment only. */
static void
visit(struct list *l, const char *path, uint64_t name)
{
	struct tree *t = l->entry->watch->tree;
	struct tree_target target = {
		.path = path,
		.account = &l->entry->account,
		.visit = true,
	};
	struct stamp s = { .present = false };
	uint64_t of[4];

	tree_add(t, &target);
	tree_add_work(t, 1 + target.components / 8);
	if ((target.end == TREE_HERE || target.end == TREE_ERROR) &&
	    stamp_take(&s, path) == 0 && s.present) {
		of[0] = s.ino;
		of[1] = s.size;
		of[2] = (uint64_t)s.mtime_ns;
		of[3] = s.mode & S_IFMT;
		l->found.contents += hash(name, of, sizeof(of));
		of[0] = s.mode & ~(mode_t)S_IFMT;
		of[1] = s.uid;
		of[2] = s.gid;
		l->found.attributes += hash(name, of, 3 * sizeof(of[0]));
	}
	tree_remove(t, &target);
}

/* A match that is not followed. */
static void
note_other(struct list *l, const char *path)
{
	uint64_t name = hash(UINT64_C(14695981039346656037), path, strlen(path));

	l->found.n++;
	l->found.names += name;
	if (l->visiting)
		visit(l, path, name);
}

static void
list_note(struct list *l, const char *name)
{
	struct watch_entry *e = l->entry;
	struct match *m = map_get(&l->by_name, name);
	size_t part, parts = e->pattern->parts.n;
	char *path;

	if (m != NULL) {
		m->listing = l->listing;
		return;
	}
	path = match_path(l, name, &part);
	if (!has_room(e, part < parts)) {
		note_other(l, path);
		free(path);
		return;
	}
	m = xcalloc(1, sizeof(*m));
	m->name = xstrdup(name);
	m->listing = l->listing;
	TAILQ_INSERT_TAIL(&l->matches, m, link);
	map_put(&l->by_name, m->name, m);
	if (part < parts) {
		m->list = list_new(e, path, part);
		return;
	}
	m->leaf = leaf_new(e, path);
	free(path);
}

/* Where matches have gone there is room for others. */
static void
fill(struct watch_entry *e)
{
	struct list *l;

	TAILQ_FOREACH(l, &e->pattern->lists, link)
		if (l->others.n > 0)
			tree_call(e->watch->tree, &l->target);
}

static void
list_forget_unseen(struct list *l)
{
	struct match *m, *next;
	bool some = false;

	for (m = TAILQ_FIRST(&l->matches); m != NULL; m = next) {
		next = TAILQ_NEXT(m, link);
		if (m->listing == l->listing)
			continue;
		match_free(l, m, l->noticed);
		some = true;
	}
	if (some)
		fill(l->entry);
}

/* Replaces what was known of the others in l's directory. */
static void
set_others(struct list *l, const struct watch_others *now)
{
	struct watch_others *all = &l->entry->pattern->others, *old = &l->others;

	all->n += now->n - old->n;
	all->names += now->names - old->names;
	all->contents += now->contents - old->contents;
	all->attributes += now->attributes - old->attributes;
	*old = *now;
}

/* Sums of some lists only would differ from those of all. */
static void
tell_others(struct watch_entry *e)
{
	struct pattern *p = e->pattern;

	if (e->ops == NULL || e->ops->others == NULL || p->nunknown > 0)
		return;
	if (p->was_said && memcmp(&p->others, &p->said, sizeof(p->said)) == 0)
		return;
	p->was_said = true;
	p->said = p->others;
	e->ops->others(e->arg, &p->said);
}

static void
list_known(struct list *l)
{
	l->entry->pattern->nunknown -= !l->known;
	l->known = true;
	tell_others(l->entry);
}

/* A listing is complete: what it did not have is gone. */
static void
list_end(struct list *l)
{
	if (!l->visiting && l->found.n > 0) {
		l->found.contents = l->others.contents;
		l->found.attributes = l->others.attributes;
	}
	l->visiting = false;
	set_others(l, &l->found);
	list_forget_unseen(l);
	list_known(l);
}

/* False: it cannot be listed, with l->error, or there is none. */
static bool
list_open(struct list *l)
{
	struct stat st;

	tree_add_work(l->entry->watch->tree, 2);
	l->dir = opendir(l->path);
	if (l->dir == NULL && errno != ENOENT && errno != ENOTDIR)
		l->error = errno;
	if (l->dir == NULL)
		tree_found(&l->target, l->error != 0 ? TREE_ERROR : TREE_ABSENT, 0, 0);
	else if (fstat(dirfd(l->dir), &st) == 0)
		tree_found(
		    &l->target, TREE_HERE, (uint64_t)st.st_dev, (uint64_t)st.st_ino);
	return l->dir != NULL;
}

/*
 * Begins a listing. What is known stays where names may not be read; where there is
 * no directory, none of them is there.
 */
static void
list_begin(struct list *l, mono_t noticed)
{
	bool none = l->target.end == TREE_ABSENT;

	l->listing++;
	l->found = (struct watch_others){ 0 };
	l->noticed = noticed;
	l->error = l->target.error;
	if (l->target.end == TREE_HERE)
		none = !list_open(l) && l->error == 0;
	l->visiting = l->visit && l->dir != NULL;
	if (l->dir != NULL)
		l->visit = false;
	else if (none)
		list_end(l);
	else
		list_known(l);
}

static void
list_close(struct list *l)
{
	if (l->dir != NULL)
		closedir(l->dir);
	l->dir = NULL;
}

/* There are no more names; error: or they cannot be read. */
static void
list_last(struct list *l, int error)
{
	list_close(l);
	if (error == 0) {
		list_end(l);
		return;
	}
	l->error = error;
	list_known(l);
}

/* Reads the next names of a listing. */
static void
list_names(struct list *l)
{
	struct tree *t = l->entry->watch->tree;
	uint64_t end = tree_work(t) + WORK_SLICE;
	struct dirent *ent;
	int i;

	for (i = 0; i < NAMES_SLICE && tree_work(t) < end; i++) {
		errno = 0;
		ent = readdir(l->dir);
		tree_add_work(t, 1);
		if (ent == NULL) {
			list_last(l, errno);
			return;
		}
		if (is_candidate(l, ent))
			list_note(l, ent->d_name);
	}
}

/* Is the directory that is being listed no longer the one at its path? */
static bool
is_other_directory(const struct list *l)
{
	struct stat open, there;

	return l->target.end != TREE_HERE || fstat(dirfd(l->dir), &open) == -1 ||
	       stat(l->path, &there) == -1 || open.st_dev != there.st_dev ||
	       open.st_ino != there.st_ino;
}

/*
 * A change during a listing asks for another one, after it: else one that takes
 * long would never end where something always changes.
 */
static void
list_read(void *arg, unsigned hints, mono_t noticed)
{
	struct list *l = arg;

	(void)hints;
	if (l->dir != NULL && l->target.changed) {
		l->again = true;
		if (is_other_directory(l))
			list_close(l);
	}
	if (l->dir == NULL) {
		l->again = false;
		list_begin(l, noticed);
	}
	if (l->dir != NULL)
		list_names(l);
	if (l->dir != NULL || l->again)
		tree_more(l->entry->watch->tree, &l->target);
}

static struct list *
list_new(struct watch_entry *e, char *path, size_t part)
{
	struct list *l = xcalloc(1, sizeof(*l));

	l->entry = e;
	l->path = path;
	l->part = part;
	l->visit = true;
	TAILQ_INIT(&l->matches);
	TAILQ_INSERT_TAIL(&e->pattern->lists, l, link);
	e->pattern->nlists++;
	e->pattern->nunknown++;
	l->target.path = path;
	l->target.fn = list_read;
	l->target.arg = l;
	l->target.account = &e->account;
	tree_add(e->watch->tree, &l->target);
	tree_call(e->watch->tree, &l->target);
	return l;
}

/* Frees a list; its paths are gone for good unless the entry itself goes. */
static void
list_free(struct list *l, mono_t noticed)
{
	struct watch_entry *e = l->entry;
	struct match *m;

	list_close(l);
	tree_remove(e->watch->tree, &l->target);
	while ((m = TAILQ_FIRST(&l->matches)) != NULL)
		match_free(l, m, noticed);
	set_others(l, &(struct watch_others){ 0 });
	TAILQ_REMOVE(&e->pattern->lists, l, link);
	e->pattern->nlists--;
	e->pattern->nunknown -= !l->known;
	tell_others(e);
	map_clear(&l->by_name);
	free(l->path);
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
			buf_adds(&run, "/");
			buf_adds(&run, name);
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

/* The first part of a pattern is no wildcard. */
static void
pattern_new(struct watch_entry *e, const struct strv *parts)
{
	struct pattern *p = e->pattern = xcalloc(1, sizeof(*p));

	p->parts = *parts;
	TAILQ_INIT(&p->lists);
	p->list = list_new(e, xstrdup(parts->v[0]), 1);
}

static void
pattern_free(struct pattern *p)
{
	list_free(p->list, mono_now());
	strv_clear(&p->parts);
	free(p);
}

struct watch_entry *
watch_add(struct watch *w, const char *text, const struct watch_ops *ops, void *arg)
{
	struct watch_entry *e = xcalloc(1, sizeof(*e));
	struct strv parts = { NULL, 0 };

	e->watch = w;
	e->ops = ops;
	e->arg = arg;
	TAILQ_INIT(&e->leaves);
	TAILQ_INSERT_TAIL(&w->entries, e, link);
	split(text, &parts);
	tree_open_account(w->tree, &e->account, parts.n > 1);
	tree_read_mounts(w->tree);
	if (parts.n == 1) {
		leaf_new(e, parts.v[0]);
		strv_clear(&parts);
	} else {
		pattern_new(e, &parts);
	}
	tree_settle(w->tree, &e->account, WORK_ADD);
	return e;
}

void
watch_remove(struct watch *w, struct watch_entry *e)
{
	e->ops = NULL;
	if (e->pattern != NULL)
		pattern_free(e->pattern);
	else
		leaf_free(TAILQ_FIRST(&e->leaves));
	tree_close_account(w->tree, &e->account);
	TAILQ_REMOVE(&w->entries, e, link);
	free(e);
}

bool
watch_look(struct watch_entry *e)
{
	struct tree *t = e->watch->tree;
	uint64_t end = tree_work(t) + TREE_TURN;
	struct leaf *f;

	if (!e->looking)
		e->look_at = TAILQ_FIRST(&e->leaves);
	e->looking = true;
	while ((f = e->look_at) != NULL && tree_work(t) < end) {
		e->look_at = TAILQ_NEXT(f, link);
		leaf_look(f, 0, mono_now());
	}
	e->looking = e->look_at != NULL;
	return !e->looking;
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
	return e->pattern != NULL ? (size_t)e->pattern->others.n : 0;
}

bool
watch_is_short(const struct watch_entry *e)
{
	return e->nleaves < WATCH_MATCHES_MAX && e->pattern->nlists < WATCH_MATCHES_MAX;
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
	return e->pattern != NULL ? list_why(e->pattern->list) : NULL;
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
	way->target.account = &way->account;
	way->target.whole_way = true;
	tree_open_account(w->tree, &way->account, false);
	tree_add(w->tree, &way->target);
	return way;
}

void
watch_way_remove(struct watch *w, struct watch_way *way)
{
	tree_remove(w->tree, &way->target);
	tree_close_account(w->tree, &way->account);
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
	struct list *l;

	tree_recheck(w->tree);
	TAILQ_FOREACH(e, &w->entries, link) {
		if (e->pattern == NULL)
			continue;
		TAILQ_FOREACH(l, &e->pattern->lists, link) {
			if (l->others.n == 0)
				continue;
			l->visit = true;
			tree_call(w->tree, &l->target);
		}
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

uint64_t
watch_work(const struct watch *w)
{
	return tree_work(w->tree);
}
