/* SPDX-License-Identifier: MIT */
/*
 * Level-triggered watching: an event only says that a node must be compared
 * with what is there now. A directory's event compares its known entries, so a
 * change is found where it happened and not by looking at every target. The one
 * idea: arm a directory before looking at its entries, and follow links here,
 * so that every step of the way is armed before the next is looked at.
 */
#include "watch/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/event.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/places.h"
#include "base/platform.h"
#include "watch/stamp.h"
#include "base/util.h"
#include "base/fd.h"

/* A node is looked at no sooner than this, or ten times its last look, again. */
#define PAUSE_MIN_NS (20 * MONO_MS)
#define PAUSE_FACTOR 10

/* What a call costs beside its system calls: comparing, noting, a line of a log. */
#define CALL_WORK 4

/* What a limited account has in any case. */
#define NODES_MIN 32

/* Entries of a directory that are compared at a time. */
#define CHILDREN_SLICE 64

/*
 * Below it no path has a descriptor: these are for spawns, the clients and other
 * short needs. Kept back at the end of the limit they would be too high on macOS:
 * posix_spawn hands on none of OPEN_MAX (10,240) and more.
 */
#define FDS_RESERVED 64

/*
 * How far one way may lead. Who may put a link somewhere decides what it says, and
 * the kernels, too, stop at about as many links; they count no components.
 */
#define LINKS_MAX 32
#define COMPONENTS_MAX 256
#define LENGTH_MAX 4096

#define OPEN_TRIES 8        /* a file that is replaced faster than we can open it */
#define SLICE 64            /* nodes of a recheck per turn */
#define STARVED_NS MONO_SEC /* between tries when descriptors ran out */

/* Beside the HINT_ bits: NOTE_DELETE alone, one of the file's names went. */
#define UNLINKED 0x100u

enum node_kind {
	NODE_UNKNOWN,
	NODE_MISSING,
	NODE_DIR,
	NODE_FILE,
	NODE_LINK,
	NODE_OTHER, /* FIFO, socket, device: never opened */
	NODE_ERROR,
	NODE_REMOTE,
	NODE_OWN
};

struct node {
	struct tree *tree;
	struct node *parent;
	struct tree_nodes children;
	TAILQ_ENTRY(node) sibling, pending_link;
	struct tree_account *account;
	struct tree_account *own; /* where several depend on it; NULL: they never did */
	struct ref *refs;

	dev_t dev;
	ino_t ino;
	char *text; /* of a link */
	enum node_kind kind;
	int error; /* why kind is NODE_ERROR, or why fd is not open or armed */
	int fd;
	bool pooled; /* it is one of t->npooled */
	bool lost;   /* fd's file may not be the one at path any more */
	bool stale;  /* something above changed: compare before use */
	bool unsure; /* a look found something else: it counts as changed once */
	bool muted;
	bool pending, looking; /* a look is going to be, and under way */

	struct loop_src src;
	mono_t noticed; /* the first event since the last look began; MONO_NEVER: none */
	mono_t free_at;
	unsigned hints;
	struct heap_node timer;

	/* Of the look, which is in slices. */
	struct node *cursor; /* the child that is compared next */
	mono_t look_noticed;
	int64_t look_ns;
	unsigned look_hints;

	char path[]; /* real, from the root */
};

/* One target's interest in one node. */
struct ref {
	struct node *node;
	struct tree_target *target;
	struct ref *next_of_target;
	struct ref *next_of_node, **prev_of_node;
};

struct tree {
	struct loop *loop;
	loop_fn *on_event;
	struct node *root;
	struct map nodes; /* by path */
	struct buf name;  /* of the node that a walk is looking for */
	struct debts debts;
	struct heap timers;  /* nodes whose look was put off */
	struct node *cursor; /* of the recheck */
	struct tree_account *serving;
	struct node *called;      /* at the end of the target that is called */
	size_t npooled, nlimited; /* nodes that only limited accounts need; and those */
	uint64_t work;
	struct places remote, own;
	bool starved;
	mono_t starved_at;
};

static struct tree_account *
account_of(struct debt *d)
{
	return (struct tree_account *)(void *)d;
}

/* The one after n, in an order where a directory comes before what is in it. */
static struct node *
next_node(const struct node *n)
{
	struct node *next = TAILQ_FIRST(&n->children);

	for (; next == NULL && n != NULL; n = n->parent)
		next = TAILQ_NEXT(n, sibling);
	return next;
}

static bool
has_work(const struct tree_account *a)
{
	return !TAILQ_EMPTY(&a->targets) || !TAILQ_EMPTY(&a->nodes);
}

/* Has the target called; stale: its way may have changed. */
static void
queue_target(struct tree *t, struct tree_target *target, unsigned hints, bool stale,
    mono_t noticed)
{
	t->work++;
	target->hints |= hints;
	target->stale |= stale;
	target->asked = true;
	target->noticed = mono_min(target->noticed, noticed);
	if (target->queued)
		return;
	target->queued = true;
	TAILQ_INSERT_TAIL(&target->account->targets, target, link);
	debt_ask(&t->debts, &target->account->debt, mono_now());
}

/* Does what happens to the node happen to the target? */
static bool
is_end(const struct ref *r)
{
	return r->target->end == TREE_HERE && r->target->at == r->node;
}

static void
queue_refs(struct tree *t, struct node *n, unsigned hints, bool stale, mono_t noticed)
{
	struct ref *r;

	for (r = n->refs; r != NULL; r = r->next_of_node)
		queue_target(t, r->target, is_end(r) ? hints : 0, stale, noticed);
}

/* n is not what it was: everything that passes through it finds its way again. */
static void
queue_subtree(struct tree *t, struct node *n, mono_t noticed)
{
	struct node *c;

	queue_refs(t, n, 0, true, noticed);
	for (c = TAILQ_FIRST(&n->children); c != NULL; c = TAILQ_NEXT(c, sibling)) {
		t->work++;
		c->stale = true;
		queue_subtree(t, c, noticed);
	}
}

static void
node_close(struct tree *t, struct node *n)
{
	if (n->fd != -1) {
		close(n->fd);
		if (t->starved && mono_is_never(t->starved_at))
			t->starved_at = mono_add(mono_now(), STARVED_NS);
	}
	n->fd = -1;
	n->muted = n->lost = false;
}

/* Moves fd out of the reserve, close-on-exec. Closes it in any case; -1 with errno. */
static int
leave_reserve(int fd)
{
	int up, error;

	if (fd >= FDS_RESERVED)
		return fd;
	up = fcntl(fd, F_DUPFD_CLOEXEC, FDS_RESERVED);
	/* That is what the limit is called when the reserve ends at it or beyond. */
	error = errno == EINVAL ? EMFILE : errno;
	close(fd);
	errno = error;
	return up;
}

/* Opens without following, blocking or holding the volume; raises the limit. */
static int
open_for_events(const char *path)
{
	int fd;

	for (;;) {
		fd = open(path, O_EVTONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd != -1)
			fd = leave_reserve(fd);
		if (fd != -1)
			return fd;
		if (errno == EINTR)
			continue;
		if (errno != EMFILE || !fdlimit_raise())
			return -1;
	}
}

/* Opens and arms what st says is at path. False: it is something else already. */
static bool
node_arm(struct tree *t, struct node *n, const struct stat *st)
{
	struct stat now;
	int fd = open_for_events(n->path);

	t->work += 3;
	if (fd == -1) {
		if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
			return false;
		n->error = errno;
		t->starved |= errno == EMFILE || errno == ENFILE;
		return true;
	}
	/* A number may be used again at once, for another type of file (FFS, FAT). */
	if (fstat(fd, &now) == -1 || now.st_dev != st->st_dev ||
	    now.st_ino != st->st_ino || ((now.st_mode ^ st->st_mode) & S_IFMT) != 0) {
		close(fd);
		return false;
	}
	if (loop_watch_vnode(t->loop, fd, &n->src) == -1) {
		n->error = errno;
		close(fd);
		return n->error != ENOENT;
	}
	n->fd = fd;
	return true;
}

static enum node_kind
kind_of(const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFDIR:
		return NODE_DIR;
	case S_IFREG:
		return NODE_FILE;
	case S_IFLNK:
		return NODE_LINK;
	default:
		return NODE_OTHER;
	}
}

/* A link's text, or NULL with errno. The caller frees it. */
static char *
link_text(const char *path)
{
	char text[PATH_MAX];
	ssize_t len = readlink(path, text, sizeof(text));

	if (len == -1)
		return NULL;
	return xstrndup(text, (size_t)len);
}

/* NODE_OWN or NODE_REMOTE, where nobody is to look; else NODE_UNKNOWN. */
static enum node_kind
place_of(const struct tree *t, const char *path)
{
	char *key = places_key(path);
	enum node_kind kind = NODE_UNKNOWN;

	if (places_have(&t->own, path, key))
		kind = NODE_OWN;
	else if (places_have(&t->remote, path, key))
		kind = NODE_REMOTE;
	free(key);
	return kind;
}

/* What is at n's path now, as far as it is known without opening it. */
static enum node_kind
probe(struct tree *t, const struct node *n, struct stat *st, char **text, int *error)
{
	enum node_kind kind = place_of(t, n->path);

	t->work++;
	*text = NULL;
	*error = 0;
	if (kind != NODE_UNKNOWN)
		return kind;
	if (lstat(n->path, st) == -1) {
		if (errno == ENOENT || errno == ENOTDIR)
			return NODE_MISSING;
		*error = errno;
		return NODE_ERROR;
	}
	kind = kind_of(st);
	if (kind == NODE_LINK && (*text = link_text(n->path)) == NULL) {
		*error = errno;
		return errno == ENOENT || errno == EINVAL ? NODE_UNKNOWN : NODE_ERROR;
	}
	return kind;
}

static bool
is_object(enum node_kind kind)
{
	return kind == NODE_DIR || kind == NODE_FILE || kind == NODE_LINK ||
	       kind == NODE_OTHER;
}

/* Is what was found what n already knows, armed and all? */
static bool
is_same(
    const struct node *n, enum node_kind kind, const struct stat *st, const char *text)
{
	if (kind != n->kind || n->lost)
		return false;
	if (is_object(kind) && (st->st_dev != n->dev || st->st_ino != n->ino))
		return false;
	/* Of a link; what is no link has none. */
	if (text != NULL && strcmp(text, n->text) != 0)
		return false;
	/* What is never opened reports nothing, and inodes are used again. */
	if (kind == NODE_OTHER)
		return false;
	return (kind != NODE_DIR && kind != NODE_FILE) || n->fd != -1;
}

static void
node_become(struct tree *t, struct node *n, enum node_kind kind, const struct stat *st,
    char *text, int error)
{
	node_close(t, n);
	free(n->text);
	n->kind = kind;
	n->text = text;
	n->error = error;
	n->dev = is_object(kind) ? st->st_dev : 0;
	n->ino = is_object(kind) ? st->st_ino : 0;
}

/*
 * Brings n up to what is at its path. Returns whether it changed: another kind,
 * another file, or a descriptor where there was none. A file that is replaced
 * again and again is left as it was found; its directory is armed and reports it.
 */
static bool
node_refresh(struct tree *t, struct node *n)
{
	enum node_kind kind;
	struct stat st = { 0 };
	char *text;
	int tries, error;
	bool other = n->unsure;

	n->stale = n->unsure = false;
	for (tries = 0; tries < OPEN_TRIES; tries++) {
		kind = probe(t, n, &st, &text, &error);
		if (kind == NODE_UNKNOWN)
			continue;
		if (is_same(n, kind, &st, text)) {
			free(text);
			other |= error != n->error;
			n->error = error;
			return tries > 0 || other;
		}
		node_become(t, n, kind, &st, text, error);
		if ((kind != NODE_DIR && kind != NODE_FILE) || node_arm(t, n, &st))
			return true;
	}
	if (n->error == 0)
		n->error = EBUSY;
	return true;
}

static void
account_init(struct tree_account *a, bool limited)
{
	*a = (struct tree_account){ .limited = limited };
	TAILQ_INIT(&a->nodes);
	TAILQ_INIT(&a->targets);
}

/* Half of the descriptors for paths, and a share of it for each who is limited. */
bool
tree_has_room(const struct tree *t, const struct tree_account *a)
{
	uint64_t most = fdlimit_most();
	size_t pool = most > FDS_RESERVED ? (size_t)(most - FDS_RESERVED) / 2 : 0;
	size_t share = pool / (t->nlimited > 0 ? t->nlimited : 1);

	if (share > TREE_NODES_MAX)
		share = TREE_NODES_MAX;
	return !a->limited || a->nnodes < NODES_MIN ||
	       (a->nnodes < share && t->npooled < pool);
}

static struct tree_account *
node_own(struct node *n)
{
	if (n->own == NULL) {
		n->own = xmalloc(sizeof(*n->own));
		account_init(n->own, false);
	}
	return n->own;
}

/* Several accounts depend on n: looks at it are nobody's from now on. */
static void
node_share(struct tree *t, struct node *n)
{
	struct tree_account *old = n->account;

	old->nnodes--;
	n->account = node_own(n);
	if (!n->pending)
		return;
	TAILQ_REMOVE(&old->nodes, n, pending_link);
	TAILQ_INSERT_TAIL(&n->own->nodes, n, pending_link);
	debt_ask(&t->debts, &n->own->debt, mono_now());
}

/* A target of a passes through n. */
static void
node_pass(struct tree *t, struct node *n, const struct tree_account *a)
{
	if (n->account != a && n->account != n->own)
		node_share(t, n);
	if (n->pooled && !a->limited) {
		n->pooled = false;
		t->npooled--;
	}
}

static struct node *
node_new(struct tree *t, struct node *parent, const char *path, struct tree_account *a)
{
	size_t size = strlen(path) + 1;
	struct node *n = xcalloc(1, sizeof(*n) + size);

	n->account = a != NULL ? a : node_own(n);
	n->account->nnodes++;
	n->pooled = n->account->limited;
	t->npooled += n->pooled;

	n->tree = t;
	memcpy(n->path, path, size);
	n->parent = parent;
	n->fd = -1;
	n->kind = NODE_UNKNOWN;
	n->src = (struct loop_src){ t->on_event, n };
	n->noticed = MONO_NEVER;
	n->free_at = (mono_t){ INT64_MIN };
	n->stale = true;
	TAILQ_INIT(&n->children);
	if (parent != NULL)
		TAILQ_INSERT_TAIL(&parent->children, n, sibling);
	map_put(&t->nodes, n->path, n);
	return n;
}

static void
node_free(struct tree *t, struct node *n)
{
	node_close(t, n);
	if (t->cursor == n)
		t->cursor = next_node(n);
	if (n->parent != NULL && n->parent->cursor == n)
		n->parent->cursor = TAILQ_NEXT(n, sibling);
	if (t->called == n)
		t->called = NULL;
	if (n->pending)
		TAILQ_REMOVE(&n->account->nodes, n, pending_link);
	n->account->nnodes--;
	t->npooled -= n->pooled;
	if (n->own != NULL)
		tree_close_account(t, n->own);
	map_remove(&t->nodes, n->path);
	if (n->parent != NULL)
		TAILQ_REMOVE(&n->parent->children, n, sibling);
	heap_remove(&t->timers, &n->timer);
	free(n->own);
	free(n->text);
	free(n);
}

/* Frees n and what is above it as far as nothing depends on it any more. */
static void
node_prune(struct tree *t, struct node *n)
{
	struct node *parent;

	while (n != t->root && n->refs == NULL && TAILQ_EMPTY(&n->children)) {
		parent = n->parent;
		node_free(t, n);
		n = parent;
	}
}

/*
 * The node of name in dir for a target, brought up to date if it has to be. NULL:
 * it would be one too many.
 */
static struct node *
node_child(struct tree *t, struct node *dir, const char *name, size_t len,
    const struct tree_target *target)
{
	struct node *n;

	t->name.len = 0;
	buf_adds(&t->name, dir == t->root ? "" : dir->path);
	buf_add(&t->name, "/", 1);
	buf_add(&t->name, name, len);
	n = map_get(&t->nodes, t->name.p);
	t->work++;
	if (n == NULL && (target->visit || tree_has_room(t, target->account)))
		n = node_new(t, dir, t->name.p, target->account);
	if (n == NULL)
		return NULL;
	if (!target->visit)
		node_pass(t, n, target->account);
	if (n->stale)
		node_refresh(t, n);
	return n;
}

static void
ref_add(struct tree_target *target, struct node *n)
{
	struct ref *r;

	for (r = target->refs; r != NULL; r = r->next_of_target)
		if (r->node == n)
			return;
	r = xcalloc(1, sizeof(*r));
	r->node = n;
	r->target = target;
	r->next_of_target = target->refs;
	target->refs = r;
	r->next_of_node = n->refs;
	r->prev_of_node = &n->refs;
	if (n->refs != NULL)
		n->refs->prev_of_node = &r->next_of_node;
	n->refs = r;
}

static void
refs_free(struct tree *t, struct ref *r)
{
	struct ref *next;
	struct node *n;

	for (; r != NULL; r = next) {
		next = r->next_of_target;
		n = r->node;
		*r->prev_of_node = r->next_of_node;
		if (r->next_of_node != NULL)
			r->next_of_node->prev_of_node = r->prev_of_node;
		free(r);
		node_prune(t, n);
	}
}

/* Where a walk is: the directory reached, and what of the path is left. */
struct walk {
	struct node *at;
	char *rest;
	const char *next;
	size_t length;
	int links, components;
	int error; /* why it goes no further, 0 if there is nothing against it */
};

/* The next component of the path; its length, 0 at the end. */
static size_t
walk_component(struct walk *w, const char **name)
{
	size_t len;

	w->next += strspn(w->next, "/");
	*name = w->next;
	len = strcspn(w->next, "/");
	w->next += len;
	return len;
}

/* Goes on where the link n leads. */
static void
walk_link(struct tree *t, struct walk *w, const struct node *n)
{
	char *rest;

	w->length += strlen(n->text);
	if (++w->links > LINKS_MAX)
		w->error = ELOOP;
	else if (w->length > LENGTH_MAX)
		w->error = ENAMETOOLONG;
	if (w->error != 0)
		return;
	rest = xasprintf("%s/%s", n->text, w->next);
	free(w->rest);
	w->rest = rest;
	w->next = rest;
	if (rest[0] == '/')
		w->at = t->root;
}

/* Goes to the directory above. */
static void
walk_up(struct tree *t, struct walk *w, struct tree_target *target)
{
	/* No node below may be left to report that it goes. */
	ref_add(target, w->at);
	w->at = w->at != t->root ? w->at->parent : w->at;
}

/* Goes from the root as far as there are directories and links. */
static void
walk(struct tree *t, struct walk *w, struct tree_target *target)
{
	const char *name;
	struct node *n;
	size_t len;

	if (target->whole_way)
		ref_add(target, w->at);
	while (w->error == 0 && (len = walk_component(w, &name)) != 0) {
		if (++w->components > COMPONENTS_MAX)
			w->error = ENAMETOOLONG;
		if (w->error != 0 || (len == 1 && name[0] == '.'))
			continue;
		if (len == 2 && strncmp(name, "..", 2) == 0) {
			walk_up(t, w, target);
			continue;
		}
		n = node_child(t, w->at, name, len, target);
		if (n == NULL) {
			w->error = ENOBUFS;
			continue;
		}
		if (n->kind == NODE_LINK || target->whole_way)
			ref_add(target, n);
		if (target->error == 0)
			target->error = n->error;
		if (n->kind == NODE_LINK) {
			walk_link(t, w, n);
			continue;
		}
		w->at = n;
		if (n->kind != NODE_DIR)
			return;
	}
}

static enum tree_end
end_at(const struct node *n, const char *rest)
{
	switch (n->kind) {
	case NODE_REMOTE:
		return TREE_REMOTE;
	case NODE_OWN:
		return TREE_OWN;
	case NODE_ERROR:
		return TREE_ERROR;
	case NODE_MISSING:
		return TREE_ABSENT;
	default:
		return rest[strspn(rest, "/")] != '\0' ? TREE_ABSENT : TREE_HERE;
	}
}

/* Finds the target's way again; what it no longer passes is let go afterwards. */
static void
resolve(struct tree *t, struct tree_target *target)
{
	struct ref *old = target->refs;
	struct walk w = { .at = t->root, .rest = xstrdup(target->path) };

	target->refs = NULL;
	target->stale = false;
	target->error = 0;
	w.next = w.rest;
	w.length = strlen(w.rest);
	walk(t, &w, target);
	if (w.error != 0)
		target->error = w.error;
	target->at = w.at;
	target->components = (unsigned)w.components;
	target->end = w.error != 0 ? TREE_BEYOND : end_at(w.at, w.next);
	ref_add(target, w.at);
	free(w.rest);
	refs_free(t, old);
}

/* n is not looked at again before ten times what this look has taken. */
static void
pause_node(struct node *n, int64_t ns, mono_t now)
{
	int64_t pause = PAUSE_FACTOR * ns;

	n->free_at = mono_max(
	    n->free_at, mono_add(now, pause > PAUSE_MIN_NS ? pause : PAUSE_MIN_NS));
}

/* Calls a target, on a way that is armed. That is a part of the look at its end. */
static void
call(struct tree *t, struct tree_target *target)
{
	mono_t start = mono_now(), noticed = mono_min(target->noticed, start);
	unsigned hints = target->hints;

	TAILQ_REMOVE(&target->account->targets, target, link);
	target->queued = false;
	target->hints = 0;
	target->noticed = MONO_NEVER;
	target->changed = target->asked;
	target->asked = false;
	if (target->stale)
		resolve(t, target);
	t->work += CALL_WORK;
	t->called = target->end == TREE_HERE ? target->at : NULL;
	target->fn(target->arg, hints, noticed);
	if (t->called != NULL)
		pause_node(t->called, mono_sub(mono_now(), start), mono_now());
	t->called = NULL;
}

/* Follows what became of the nodes that places with other paths may concern. */
static void
refresh_places(struct tree *t, const struct places *p)
{
	struct node *n;
	char *key;

	for (n = t->root; n != NULL; n = next_node(n)) {
		key = places_key(n->path);
		if (places_may_have(p, key) && node_refresh(t, n))
			queue_subtree(t, n, MONO_NEVER);
		free(key);
	}
}

/* Reads the mount table, if it may have changed, and follows what did. */
static void
refresh_mounts(struct tree *t)
{
	struct strv paths = { NULL, 0 };
	struct places old = t->remote;
	size_t i;

	if (!platform_mounts_changed() || platform_remote_mounts(&paths) == -1)
		return;
	if (strv_equal(&paths, &old.paths)) {
		strv_clear(&paths);
		return;
	}
	t->remote = (struct places){ .paths = { NULL, 0 } };
	for (i = 0; i < paths.n; i++)
		places_add(&t->remote, paths.v[i]);
	free(paths.v);
	refresh_places(t, &t->remote);
	refresh_places(t, &old);
	places_clear(&old);
}

/* Does n's path hold the very file that its descriptor does? */
static bool
holds_own_file(struct tree *t, const struct node *n)
{
	struct stat st = { 0 };
	char *text;
	int error;
	enum node_kind kind = probe(t, n, &st, &text, &error);
	bool same = is_same(n, kind, &st, text);

	free(text);
	return same;
}

/*
 * What an event said of n, for those who look. xnu posts NOTE_DELETE when any
 * name of a file goes (VNOP_REMOVE). If the path still holds the descriptor's own
 * file it was another name: nobody else gets its number while it is open.
 */
static unsigned
take_hints(struct tree *t, struct node *n)
{
	unsigned hints = n->hints & ~UNLINKED;

	if ((n->hints & UNLINKED) != 0 && !holds_own_file(t, n))
		hints |= HINT_REPLACED;
	n->hints = 0;
	return hints;
}

/* From here on an event says that there is another look to be. */
static void
begin_look(struct tree *t, struct node *n)
{
	n->looking = true;
	n->look_noticed = n->noticed;
	n->look_ns = 0;
	n->noticed = MONO_NEVER;
	if (n->muted && n->fd != -1)
		loop_unmute_vnode(t->loop, n->fd, &n->src);
	n->muted = false;
	if (n->kind == NODE_DIR)
		refresh_mounts(t);
	n->look_hints = take_hints(t, n);
	if ((n->look_hints & HINT_REPLACED) != 0) {
		n->lost = true;
		if (node_refresh(t, n))
			queue_subtree(t, n, n->look_noticed);
	} else if (n->kind == NODE_DIR) {
		n->cursor = TAILQ_FIRST(&n->children);
	}
}

static void
compare_entries(struct tree *t, struct node *dir)
{
	struct node *c;
	int i;

	for (i = 0; i < CHILDREN_SLICE && (c = dir->cursor) != NULL; i++) {
		dir->cursor = TAILQ_NEXT(c, sibling);
		if (node_refresh(t, c))
			queue_subtree(t, c, dir->look_noticed);
	}
}

/* Has n looked at: no sooner than free_at, and then when its account may. */
static void
ask_look(struct tree *t, struct node *n, mono_t now)
{
	if (mono_before(now, n->free_at)) {
		heap_put(&t->timers, &n->timer, n->free_at);
		return;
	}
	n->pending = true;
	TAILQ_INSERT_TAIL(&n->account->nodes, n, pending_link);
	debt_ask(&t->debts, &n->account->debt, now);
}

static void
end_look(struct tree *t, struct node *n, mono_t now)
{
	n->pending = n->looking = false;
	TAILQ_REMOVE(&n->account->nodes, n, pending_link);
	queue_refs(t, n, n->look_hints, false, n->look_noticed);
	pause_node(n, n->look_ns, now);
	if (!mono_is_never(n->noticed))
		ask_look(t, n, now);
}

/* Compares the next of n with what is there; whom it may concern is called later. */
static void
node_look(struct tree *t, struct node *n)
{
	mono_t start = mono_now(), now;

	if (!n->looking)
		begin_look(t, n);
	compare_entries(t, n);
	now = mono_now();
	n->look_ns += mono_sub(now, start);
	if (n->cursor == NULL)
		end_look(t, n, now);
}

static unsigned
hints_of(const struct loop_event *ev)
{
	unsigned hints = 0;

	if ((ev->fflags & (NOTE_WRITE | NOTE_EXTEND)) != 0)
		hints |= HINT_WRITE;
	if (ev->eof || (ev->fflags & (NOTE_RENAME | NOTE_REVOKE)) != 0)
		hints |= HINT_REPLACED;
	if ((ev->fflags & NOTE_DELETE) != 0)
		hints |= UNLINKED;
	return hints;
}

static void
mute(struct tree *t, struct node *n)
{
	if (n->fd != -1 && !n->muted)
		loop_mute_vnode(t->loop, n->fd, &n->src);
	n->muted = true;
}

/* The first event before a look asks for it, the second is the last. */
static void
node_event(void *arg, const struct loop_event *ev)
{
	struct node *n = arg;
	mono_t now = mono_now();
	bool asked = n->pending;

	n->tree->work++;
	n->hints |= hints_of(ev);
	n->noticed = mono_min(n->noticed, now);
	if (!n->pending && !heap_has(&n->timer))
		ask_look(n->tree, n, now);
	if (heap_has(&n->timer) || asked)
		mute(n->tree, n);
}

struct tree *
tree_new(struct loop *l)
{
	struct tree *t = xcalloc(1, sizeof(*t));

	t->loop = l;
	t->on_event = node_event;
	t->starved_at = MONO_NEVER;
	debts_init(&t->debts);
	refresh_mounts(t);
	t->root = node_new(t, NULL, "/", NULL);
	node_refresh(t, t->root);
	return t;
}

void
tree_free(struct tree *t)
{
	if (t == NULL)
		return;
	node_free(t, t->root);
	map_clear(&t->nodes);
	buf_clear(&t->name);
	places_clear(&t->remote);
	places_clear(&t->own);
	free(t);
}

void
tree_open_account(struct tree *t, struct tree_account *a, bool limited)
{
	account_init(a, limited);
	t->nlimited += limited;
}

void
tree_close_account(struct tree *t, struct tree_account *a)
{
	t->nlimited -= a->limited;
	debt_close(&t->debts, &a->debt);
	if (t->serving == a)
		t->serving = NULL;
}

void
tree_read_mounts(struct tree *t)
{
	refresh_mounts(t);
}

const struct strv *
tree_remote(const struct tree *t)
{
	return &t->remote.paths;
}

void
tree_add(struct tree *t, struct tree_target *target)
{
	target->refs = NULL;
	target->hints = 0;
	target->noticed = MONO_NEVER;
	target->queued = false;
	resolve(t, target);
}

void
tree_call(struct tree *t, struct tree_target *target)
{
	queue_target(t, target, 0, false, MONO_NEVER);
}

void
tree_more(struct tree *t, struct tree_target *target)
{
	if (target->queued)
		TAILQ_REMOVE(&target->account->targets, target, link);
	target->queued = true;
	TAILQ_INSERT_HEAD(&target->account->targets, target, link);
	debt_ask(&t->debts, &target->account->debt, mono_now());
}

void
tree_found(struct tree_target *target, enum tree_end end, uint64_t dev, uint64_t ino)
{
	struct ref *r;
	bool same = end == target->end;

	for (r = target->refs; r != NULL && end == TREE_HERE; r = r->next_of_target)
		if (is_end(r) && ((uint64_t)r->node->dev != dev || r->node->ino != ino))
			same = false;
	for (r = target->refs; r != NULL && !same; r = r->next_of_target)
		r->node->unsure = true;
}

void
tree_remove(struct tree *t, struct tree_target *target)
{
	if (target->queued)
		TAILQ_REMOVE(&target->account->targets, target, link);
	target->queued = false;
	refs_free(t, target->refs);
	target->refs = NULL;
}

void
tree_disown(struct tree *t, const char *path)
{
	char *alias;

	if (strv_contains(&t->own.paths, path))
		return;
	places_add(&t->own, xstrdup(path));
	alias = platform_alias(path);
	if (alias != NULL)
		places_add(&t->own, alias);
	refresh_places(t, &t->own);
}

void
tree_recheck(struct tree *t)
{
	refresh_mounts(t);
	t->starved = false;
	t->starved_at = MONO_NEVER;
	t->cursor = t->root;
}

/* The next nodes of the recheck; node_free moves the cursor on. */
static void
recheck_slice(struct tree *t)
{
	struct node *n;
	struct ref *r;
	int i;

	for (i = 0; i < SLICE && (n = t->cursor) != NULL; i++) {
		t->cursor = next_node(n);
		if (node_refresh(t, n))
			queue_subtree(t, n, MONO_NEVER);
		/* For what found no room there may be some. */
		for (r = n->refs; r != NULL; r = r->next_of_node)
			queue_target(
			    t, r->target, 0, r->target->error == ENOBUFS, MONO_NEVER);
	}
}

/* The nodes whose pause is over. */
static void
end_pauses(struct tree *t, mono_t now)
{
	struct heap_node *h;
	int i;

	for (i = 0; i < SLICE && !mono_before(now, heap_next(&t->timers)); i++) {
		h = heap_first(&t->timers);
		heap_remove(&t->timers, h);
		ask_look(t, CONTAINER_OF(h, struct node, timer), now);
	}
}

/* One piece of the work for an account; calls first, so that they do not pile up. */
static void
do_piece(struct tree *t, struct tree_account *a)
{
	if (!TAILQ_EMPTY(&a->targets))
		call(t, TAILQ_FIRST(&a->targets));
	else if (!TAILQ_EMPTY(&a->nodes))
		node_look(t, TAILQ_FIRST(&a->nodes));
}

/* The next piece of work for an account, which is charged to it. */
static void
serve(struct tree *t, struct tree_account *a)
{
	uint64_t before = t->work;
	mono_t now;

	t->serving = a;
	do_piece(t, a);
	if (t->serving == NULL)
		return;
	t->serving = NULL;
	now = mono_now();
	debt_charge(&t->debts, &a->debt, t->work - before, now);
	if (has_work(a))
		debt_ask(&t->debts, &a->debt, now);
}

void
tree_settle(struct tree *t, struct tree_account *a, uint64_t work)
{
	uint64_t end = t->work + work;

	while (has_work(a) && t->work < end)
		do_piece(t, a);
}

void
tree_due(struct tree *t, mono_t now)
{
	uint64_t end = t->work + TREE_TURN;
	struct debt *d;

	if (!mono_before(now, t->starved_at))
		tree_recheck(t);
	if (t->cursor != NULL)
		recheck_slice(t);
	end_pauses(t, now);
	while (t->work < end && (d = debts_next(&t->debts, mono_now())) != NULL)
		serve(t, account_of(d));
}

mono_t
tree_deadline(const struct tree *t)
{
	if (t->cursor != NULL)
		return (mono_t){ INT64_MIN };
	return mono_min(
	    mono_min(t->starved_at, debts_deadline(&t->debts)), heap_next(&t->timers));
}

uint64_t
tree_work(const struct tree *t)
{
	return t->work;
}

void
tree_add_work(struct tree *t, uint64_t n)
{
	t->work += n;
}
