/*
 * SPDX-License-Identifier: MIT
 *
 * EVFILT_VNODE over one inotify instance. A node is one inode with one watch
 * and any number of knotes; records only mark nodes dirty, then each dirty node
 * is stat'ed once and compared with what it was, because inotify does not say
 * which of macOS's events a MODIFY or an ATTRIB is. Names end here.
 *
 * Linux tells nobody of the rmdir of a directory that is held open, except its
 * parent: so each watched directory's parent is watched too, and its DELETE
 * records find the directory by (parent, hash of the name), at no cost for
 * other children. What cannot be seen: mount roots removed elsewhere, parents
 * that may not be read, mmap, and what inotify merges: a truncation followed at
 * once by a write is one record, told by the size alone.
 */
#include "kq.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#define MASK_SELF (IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF)
#define MASK_FILE (MASK_SELF | IN_MODIFY)
#define MASK_DIR (MASK_SELF | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
#define MASK_PARENT (IN_DELETE | IN_ONLYDIR | IN_MASK_ADD)
#define CHECK_LINKS IN_IGNORED /* in raw: the parent lost this name */
#define UNNAMED 0u

struct node {
	LIST_ENTRY(node) wd_link, name_link, dirty_link;
	struct knote_peers knotes;
	struct node *parent; /* directories with knotes only */
	int wd;
	unsigned children; /* nodes that have this one as parent */
	uint32_t name;     /* hash of the name in parent */
	bool isdir, dirty;
	bool dead;     /* the last name is gone, and that was told */
	uint32_t raw;  /* since the last settling: inotify bits, */
	uint32_t note; /* what directory records mean, */
	uint32_t over; /* hash of the name a rename just replaced, */
	unsigned modified, changed, moved;
	struct stat was;
};

static void
fd_path(char *buf, size_t size, int fd, const char *tail)
{
	snprintf(buf, size, "/proc/self/fd/%d%s", fd, tail);
}

static uint32_t
hash_name(const char *s, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619u;
	return h == UNNAMED ? 1 : h;
}

/* Hash of the name by which fd was reached, or UNNAMED. */
static uint32_t
fd_name(int fd, bool deleted)
{
	static const char suffix[] = " (deleted)";
	size_t tail = sizeof(suffix) - 1;
	char path[32], buf[PATH_MAX + 16];
	const char *base;
	ssize_t len;
	size_t n;

	fd_path(path, sizeof(path), fd, "");
	len = readlink(path, buf, sizeof(buf) - 1);
	if (len <= 0 || (size_t)len == sizeof(buf) - 1)
		return UNNAMED;
	buf[len] = '\0';
	base = strrchr(buf, '/');
	base = base != NULL ? base + 1 : buf;
	n = (size_t)(buf + len - base);
	if (deleted && n > tail && strcmp(base + n - tail, suffix) == 0)
		n -= tail;
	return hash_name(base, n);
}

static struct node_list *
wd_bucket(const struct kq *q, int wd)
{
	return &q->by_wd[(uint32_t)wd * 2654435761u & (q->nbuckets - 1)];
}

static struct node_list *
name_bucket(const struct kq *q, const struct node *parent, uint32_t name)
{
	return &q->by_name[((uint32_t)parent->wd * 2654435761u ^ name) & (q->nbuckets - 1)];
}

static struct node *
node_find(const struct kq *q, int wd)
{
	struct node *n;

	if (q->nbuckets == 0)
		return NULL;
	LIST_FOREACH(n, wd_bucket(q, wd), wd_link)
	{
		if (n->wd == wd)
			return n;
	}
	return NULL;
}

static int
rehash(struct kq *q)
{
	struct node_list *wds = q->by_wd, *names = q->by_name;
	size_t old = q->nbuckets, want = old ? old * 2 : 64;
	struct node_list *more = calloc(want * 2, sizeof(*more));
	struct node *n;

	if (more == NULL)
		return -1;
	q->by_wd = more;
	q->by_name = more + want;
	q->nbuckets = want;
	for (size_t i = 0; i < old; i++) {
		while ((n = LIST_FIRST(&wds[i])) != NULL) {
			LIST_REMOVE(n, wd_link);
			LIST_INSERT_HEAD(wd_bucket(q, n->wd), n, wd_link);
		}
		while ((n = LIST_FIRST(&names[i])) != NULL) {
			LIST_REMOVE(n, name_link);
			LIST_INSERT_HEAD(name_bucket(q, n->parent, n->name), n, name_link);
		}
	}
	free(wds);
	return 0;
}

static struct node *
node_new(struct kq *q, int wd)
{
	struct node *n;

	if (q->nnodes >= q->nbuckets && rehash(q) != 0)
		return NULL;
	if ((n = calloc(1, sizeof(*n))) == NULL)
		return NULL;
	n->wd = wd;
	LIST_INIT(&n->knotes);
	LIST_INSERT_HEAD(wd_bucket(q, wd), n, wd_link);
	q->nnodes++;
	return n;
}

static void node_leave(struct kq *q, struct node *n);

/* Drop a node that nobody needs any more. */
static void
node_release(struct kq *q, struct node *n)
{
	if (!LIST_EMPTY(&n->knotes))
		return;
	node_leave(q, n);
	if (n->children > 0)
		return;
	if (n->dirty)
		LIST_REMOVE(n, dirty_link);
	LIST_REMOVE(n, wd_link);
	q->nnodes--;
	/* Records of this watch that are still queued meet an unknown wd. */
	if (q->inotify >= 0)
		inotify_rm_watch(q->inotify, n->wd);
	free(n);
}

static void
node_leave(struct kq *q, struct node *n)
{
	struct node *parent = n->parent;

	if (parent == NULL)
		return;
	LIST_REMOVE(n, name_link);
	n->parent = NULL;
	parent->children--;
	node_release(q, parent);
}

/*
 * Watch the parent of directory fd. The order counts: first the parent, then
 * the name, and the caller's stat last, so that a rename or rmdir in between
 * is either queued or seen.
 */
static void
node_join(struct kq *q, struct node *n, int fd)
{
	struct node *parent;
	char path[40];
	int wd;

	fd_path(path, sizeof(path), fd, "/..");
	wd = inotify_add_watch(q->inotify, path, MASK_PARENT);
	if (wd < 0 || wd == n->wd) /* not allowed, or the root */
		return;
	if ((parent = node_find(q, wd)) == NULL) {
		if ((parent = node_new(q, wd)) == NULL)
			return;
		parent->isdir = true;
	}
	parent->children++;
	n->parent = parent;
	n->name = fd_name(fd, false);
	LIST_INSERT_HEAD(name_bucket(q, parent, n->name), n, name_link);
}

static void
node_rejoin(struct kq *q, struct node *n, int fd)
{
	struct node *old = n->parent;

	/* The new parent is often the old one: keep its watch meanwhile. */
	if (old != NULL)
		old->children++;
	node_leave(q, n);
	node_join(q, n, fd);
	if (old != NULL) {
		old->children--;
		node_release(q, old);
	}
}

static void
node_mark(struct kq *q, struct node *n, uint32_t raw)
{
	n->raw |= raw;
	if (!n->dirty) {
		n->dirty = true;
		LIST_INSERT_HEAD(&q->dirty, n, dirty_link);
	}
}

/*
 * Does the knote's descriptor still name the file that it was added for? It
 * may have been closed behind our back and its number used again. The same
 * file opened again under the same number cannot be told from the old one.
 */
bool
kq_vnode_valid(const struct knote *kn, struct stat *st)
{
	return fstat(kn->ident, st) == 0 && st->st_dev == kn->dev && st->st_ino == kn->ino;
}

/* Stat through any knote's descriptor; the last stale one takes n with it. */
static int
node_stat(struct kq *q, struct node *n, struct stat *st)
{
	struct knote *kn, *next;

	for (kn = LIST_FIRST(&n->knotes); kn != NULL; kn = next) {
		next = LIST_NEXT(kn, peers);
		if (kq_vnode_valid(kn, st))
			return kn->ident;
		kq_drop(q, kn);
	}
	return -1;
}

/* Pipes and sockets are no vnodes, but a FIFO in a directory is one. */
static bool
is_vnode(int fd, const struct stat *st)
{
	struct statfs fs;

	if ((st->st_mode & S_IFMT) == 0 || S_ISSOCK(st->st_mode))
		return false;
	return !S_ISFIFO(st->st_mode) || fstatfs(fd, &fs) != 0 || fs.f_type != PIPEFS_MAGIC;
}

static struct node *
node_for(struct kq *q, const struct stat *st, int fd)
{
	char path[32];
	struct node *n;
	int wd;

	fd_path(path, sizeof(path), fd, "");
	wd = inotify_add_watch(q->inotify, path, S_ISDIR(st->st_mode) ? MASK_DIR : MASK_FILE);
	if (wd < 0)
		return NULL;
	if ((n = node_find(q, wd)) == NULL && (n = node_new(q, wd)) == NULL) {
		inotify_rm_watch(q->inotify, wd);
		errno = ENOMEM;
	}
	return n;
}

int
kq_vnode_attach(struct kq *q, struct knote *kn)
{
	struct stat st;
	struct node *n;
	bool first;

	if (fstat(kn->ident, &st) != 0)
		return errno;
	if (!is_vnode(kn->ident, &st))
		return EINVAL;
	/* What other knotes of this inode are still to hear is not for this one. */
	kq_vnode_drain(q);
	if ((n = node_for(q, &st, kn->ident)) == NULL)
		return errno;
	kn->dev = st.st_dev;
	kn->ino = st.st_ino;
	kn->isdir = S_ISDIR(st.st_mode);
	kn->node = n;
	first = LIST_EMPTY(&n->knotes);
	LIST_INSERT_HEAD(&n->knotes, kn, peers);
	if (!first)
		return 0;
	n->isdir = kn->isdir;
	n->was = st;
	n->dead = st.st_nlink == 0;
	if (n->isdir) {
		node_join(q, n, kn->ident);
		kq_mounts_watch(q);
	}
	/* A size from before the watch would turn a write into a truncation. */
	if (fstat(kn->ident, &st) == 0)
		n->was.st_size = st.st_size;
	if (n->isdir && st.st_nlink == 0 && !n->dead)
		node_mark(q, n, CHECK_LINKS);
	return 0;
}

void
kq_vnode_detach(struct kq *q, struct knote *kn)
{
	struct node *n = kn->node;

	if (n == NULL)
		return;
	LIST_REMOVE(kn, peers);
	kn->node = NULL;
	node_release(q, n);
}

void
kq_vnode_post(struct kq *q, struct knote *kn, uint32_t notes)
{
	uint32_t bits = notes & kn->asked;

	if (bits == 0)
		return;
	/* EXTEND, where a file system tells it, is an event of its own. */
	if ((bits & NOTE_EXTEND) && (bits & NOTE_WRITE) && !(kn->pending & NOTE_WRITE)) {
		kn->later |= NOTE_WRITE;
		bits &= ~(uint32_t)NOTE_WRITE;
	}
	kn->pending |= bits;
	kq_activate(q, kn);
}

bool
kq_vnode_fire(struct kq *q, struct knote *kn, struct kevent *out)
{
	if (kn->revoked)
		out->flags |= EV_EOF | EV_ONESHOT;
	out->fflags = kn->pending;
	if (kn->flags & EV_CLEAR) {
		if (q->faults.split && !(out->flags & EV_ONESHOT))
			out->fflags = kq_faults_split(q, kn->pending);
		kn->pending &= ~out->fflags;
	}
	kn->pending |= kn->later;
	kn->later = 0;
	return true;
}

static void
revoke(struct kq *q, struct node *n)
{
	struct knote *kn;

	while ((kn = LIST_FIRST(&n->knotes)) != NULL) {
		LIST_REMOVE(kn, peers);
		kn->node = NULL;
		kn->revoked = true;
		kq_vnode_post(q, kn, NOTE_REVOKE);
		kq_activate(q, kn);
	}
}

/* A MODIFY is a write or a truncation: only the size can tell. */
static uint32_t
modify_notes(const struct kq *q, const struct node *n, const struct stat *st)
{
	if (st->st_size == 0 || st->st_size < n->was.st_size)
		return n->modified > 1 ? NOTE_ATTRIB | NOTE_WRITE : NOTE_ATTRIB;
	if (st->st_size > n->was.st_size && q->faults.extend)
		return NOTE_WRITE | NOTE_EXTEND;
	return NOTE_WRITE;
}

/* An ATTRIB is what it says, or a change of the link count. */
static uint32_t
attrib_notes(const struct node *n, const struct stat *st, int fd)
{
	unsigned long now = st->st_nlink, was = n->was.st_nlink;
	unsigned delta = (unsigned)(now > was ? now - was : was - now);
	uint32_t notes = 0;

	if (n->isdir)
		delta = now == 0 && !n->dead;
	if (now == 0 ? !n->dead : !n->isdir && now < was) {
		notes = NOTE_DELETE | NOTE_LINK;
		if (n->over != UNNAMED && n->over == fd_name(fd, true))
			notes = NOTE_DELETE;
	} else if (!n->isdir && now > was) {
		notes = NOTE_LINK;
	}
	if (n->changed > delta || st->st_mode != n->was.st_mode ||
	    st->st_uid != n->was.st_uid || st->st_gid != n->was.st_gid)
		notes |= NOTE_ATTRIB;
	return notes;
}

static uint32_t
self_notes(struct kq *q, struct node *n, struct stat *st, int fd)
{
	uint32_t notes = n->note;

	if (n->raw & IN_MOVE_SELF) {
		notes |= NOTE_RENAME;
		if (n->isdir) {
			node_rejoin(q, n, fd);
			fstat(fd, st);
			n->raw |= CHECK_LINKS;
		}
	}
	if (n->raw & IN_MODIFY)
		notes |= modify_notes(q, n, st);
	if (n->raw & (IN_ATTRIB | CHECK_LINKS))
		notes |= attrib_notes(n, st, fd);
	if ((n->raw & IN_DELETE_SELF) && !n->dead)
		notes |= NOTE_DELETE | NOTE_LINK;
	/* A directory that moved between two directories changes their counts. */
	if (n->moved > 0 && st->st_nlink != n->was.st_nlink)
		notes |= NOTE_LINK;
	return notes;
}

static void
node_settle(struct kq *q, struct node *n)
{
	struct knote *kn;
	struct stat st;
	uint32_t notes, raw;
	int fd = node_stat(q, n, &st);

	if (fd < 0)
		return;
	notes = self_notes(q, n, &st, fd);
	raw = n->raw;
	n->dead = st.st_nlink == 0 || (raw & IN_DELETE_SELF);
	n->was = st;
	n->raw = n->note = n->over = 0;
	n->modified = n->changed = n->moved = 0;
	LIST_FOREACH(kn, &n->knotes, peers)
	{
		if (notes & kn->asked) {
			kq_vnode_post(q, kn, notes);
			kq_faults_echo(q, kn);
		}
	}
	if (raw & IN_UNMOUNT) {
		revoke(q, n);
		node_release(q, n);
	}
}

static void
settle_all(struct kq *q)
{
	struct node *n;

	while ((n = LIST_FIRST(&q->dirty)) != NULL) {
		LIST_REMOVE(n, dirty_link);
		n->dirty = false;
		node_settle(q, n);
	}
}

/* The directory of this name may be gone: look at those that fit. */
static void
child_gone(struct kq *q, struct node *parent, const char *name)
{
	uint32_t keys[] = { hash_name(name, strlen(name)), UNNAMED };
	struct node *n;

	for (int i = 0; i < 2; i++)
		LIST_FOREACH(n, name_bucket(q, parent, keys[i]), name_link)
		{
			if (n->parent == parent && n->name == keys[i])
				node_mark(q, n, CHECK_LINKS);
		}
}

/* A record with a name: something in the directory n. */
static void
entry_record(struct kq *q, struct node *n, const struct inotify_event *ev)
{
	bool dir = ev->mask & IN_ISDIR;

	if (dir && (ev->mask & IN_DELETE) && n->children > 0)
		child_gone(q, n, ev->name);
	/* MODIFY and ATTRIB of a child are nothing to its directory. */
	if (!(ev->mask & (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)) ||
	    LIST_EMPTY(&n->knotes))
		return;
	n->note |= NOTE_WRITE;
	if (dir && (ev->mask & (IN_CREATE | IN_DELETE)))
		n->note |= NOTE_LINK;
	if (dir && (ev->mask & (IN_MOVED_FROM | IN_MOVED_TO)))
		n->moved++;
	node_mark(q, n, 0);
}

/* over is the name that the record before this one renamed something to. */
static void
self_record(struct kq *q, struct node *n, const struct inotify_event *ev, uint32_t over)
{
	if (ev->mask & IN_IGNORED) {
		/* The kernel took the watch away; no knote here can be alive. */
		while (!LIST_EMPTY(&n->knotes)) {
			struct knote *kn = LIST_FIRST(&n->knotes);
			bool last = LIST_NEXT(kn, peers) == NULL && n->children == 0;

			kq_drop(q, kn);
			if (last)
				return;
		}
		return;
	}
	if (LIST_EMPTY(&n->knotes))
		return;
	n->modified += (ev->mask & IN_MODIFY) != 0;
	n->changed += (ev->mask & IN_ATTRIB) != 0;
	if ((ev->mask & IN_ATTRIB) && over != UNNAMED)
		n->over = over;
	node_mark(q, n,
	    ev->mask & (IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF | IN_UNMOUNT));
}

static void
record(struct kq *q, const struct inotify_event *ev, uint32_t *over)
{
	struct node *n;
	uint32_t before = *over;

	*over = ev->len > 0 && (ev->mask & IN_MOVED_TO) ?
	    hash_name(ev->name, strlen(ev->name)) :
	    UNNAMED;
	if (ev->mask & IN_Q_OVERFLOW) {
		kq_vnode_overflow(q);
		return;
	}
	if ((n = node_find(q, ev->wd)) == NULL)
		return;
	if (ev->len > 0)
		entry_record(q, n, ev);
	else
		self_record(q, n, ev, before);
}

void
kq_vnode_drain(struct kq *q)
{
	static char buf[65536] __attribute__((aligned(__alignof__(struct inotify_event))));
	uint32_t over = UNNAMED;
	ssize_t len = read(q->inotify, buf, sizeof(buf));

	for (const char *p = buf; len > 0 && p < buf + len;) {
		const struct inotify_event *ev = (const void *)p;

		record(q, ev, &over);
		p += sizeof(*ev) + ev->len;
	}
	settle_all(q);
}

/* Anything may have been lost: tell everyone, and look at everything anew. */
void
kq_vnode_overflow(struct kq *q)
{
	const uint32_t usual = NOTE_WRITE | NOTE_ATTRIB | NOTE_DELETE;

	for (size_t fd = 0; fd < q->nslots; fd++) {
		struct knote *kn = q->slots[fd].vnode;
		struct stat st;

		if (kn == NULL || kn->node == NULL)
			continue;
		if (!kq_vnode_valid(kn, &st)) {
			kq_drop(q, kn);
			continue;
		}
		if (kn->isdir)
			node_rejoin(q, kn->node, kn->ident);
		node_mark(q, kn->node, CHECK_LINKS);
		kq_vnode_post(q, kn, kn->asked & usual ? usual : kn->asked & ~NOTE_REVOKE);
	}
}

/* Something was mounted on, or unmounted from, an entry of this directory. */
void
kq_vnode_mounted_at(struct kq *q, const char *dir)
{
	struct knote *kn;
	struct node *n;
	/* The kernel's own index of watched inodes finds the node. */
	int wd = inotify_add_watch(q->inotify, dir, MASK_PARENT);

	if (wd < 0)
		return;
	if ((n = node_find(q, wd)) == NULL) {
		inotify_rm_watch(q->inotify, wd);
		return;
	}
	LIST_FOREACH(kn, &n->knotes, peers)
	kq_vnode_post(q, kn, NOTE_WRITE);
}

void
kq_vnode_free(struct kq *q)
{
	free(q->by_wd);
	q->by_wd = q->by_name = NULL;
	q->nbuckets = 0;
}
