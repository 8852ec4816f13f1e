/*
 * SPDX-License-Identifier: MIT
 *
 * EVFILT_VNODE over one inotify instance. Records only mark nodes dirty. Then each
 * dirty node is looked at once, by a stat that is compared with the last one,
 * because a MODIFY or an ATTRIB of inotify can be several of macOS's events. Not
 * seen: mmap; what inotify merges (a truncation followed at once by a write is one
 * record, of which only the size is known); and, while a knote is disabled, what
 * happens after a first write or change of attributes and is undone.
 */
#include "vnode.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "faults.h"
#include "filters.h"
#include "knote.h"
#include "mounts.h"
#include "node.h"

void
kq_vnode_post(struct kq *q, struct knote *kn, uint32_t notes)
{
	uint32_t bits = notes & kn->asked;

	if (bits == 0)
		return;
	/* EXTEND, where a filesystem posts it, is an event of its own. */
	if ((bits & NOTE_EXTEND) && (bits & NOTE_WRITE) && !(kn->pending & NOTE_WRITE)) {
		kn->later |= NOTE_WRITE;
		bits &= ~(uint32_t)NOTE_WRITE;
	}
	kn->pending |= bits;
	kq_activate(q, kn);
}

/* Stats through the descriptor of any knote; with the last stale knote n goes too. */
static int
stat_any(struct kq *q, struct node *n, struct stat *st)
{
	struct knote *kn, *next;

	for (kn = LIST_FIRST(&n->knotes); kn != NULL; kn = next) {
		next = LIST_NEXT(kn, peers);
		if (kq_is_same_file(kn, st)) {
			kn->same_in = q->calls;
			return kn->ident;
		}
		kq_drop(q, kn);
	}
	return -1;
}

/* A MODIFY is a write or a truncation: the size decides. */
static uint32_t
modify_notes(const struct kq *q, const struct node *n, const struct stat *st)
{
	if (st->st_size == 0 || st->st_size < n->was.size)
		return n->modified > 1 ? NOTE_ATTRIB | NOTE_WRITE : NOTE_ATTRIB;
	if (st->st_size > n->was.size && q->faults.extend)
		return NOTE_WRITE | NOTE_EXTEND;
	return NOTE_WRITE;
}

/* An ATTRIB is a change of attributes, or of the link count. */
static uint32_t
attrib_notes(const struct node *n, const struct stat *st, int fd)
{
	nlink_t now = st->st_nlink, was = n->was.nlink;
	unsigned delta = (unsigned)(now > was ? now - was : was - now);
	uint32_t notes = 0;

	if (n->isdir)
		delta = now == 0 && !n->dead;
	if (now == 0 ? !n->dead : !n->isdir && now < was) {
		notes = NOTE_DELETE | NOTE_LINK;
		if (n->over != UNNAMED && n->over == node_name(fd, true))
			notes = NOTE_DELETE;
	} else if (!n->isdir && now > was) {
		notes = NOTE_LINK;
	}
	if (n->changed > delta || st->st_mode != n->was.mode ||
	    st->st_uid != n->was.uid || st->st_gid != n->was.gid)
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
	if (n->raw & (IN_ATTRIB | CHECK_LINKS | MISSED))
		notes |= attrib_notes(n, st, fd);
	if ((n->raw & MISSED) && !n->isdir && st->st_size < n->was.size)
		notes |= NOTE_ATTRIB;
	if ((n->raw & IN_DELETE_SELF) && !n->dead)
		notes |= NOTE_DELETE | NOTE_LINK;
	/* A directory that moved between two directories changes their counts. */
	if ((n->moved > 0 || (n->raw & MISSED)) && st->st_nlink != n->was.nlink)
		notes |= NOTE_LINK;
	return notes;
}

/*
 * What n has to report and nobody needs: its knotes are disabled, and they have it
 * pending, or did not ask for it.
 */
static uint32_t
notes_known(const struct node *n)
{
	uint32_t notes = NOTE_WRITE | NOTE_ATTRIB;
	const struct knote *kn;

	LIST_FOREACH(kn, &n->knotes, peers)
		notes &= kn->disabled ? kn->pending | ~kn->asked : 0;
	return notes;
}

static void orphan(struct kq *q, struct node *n, bool revoked);
static void look(struct kq *q, struct node *n);

/*
 * xnu's knote of a file that is written to again and again wakes nobody while it is
 * disabled; with inotify each write would. So the watch is told not to report what
 * is known. When it is to report more, a look finds what came of the rest.
 */
static void
hear(struct kq *q, struct node *n, int fd)
{
	switch (node_hear(q, n, fd, notes_known(n))) {
	case HEAR_MORE:
		n->raw |= MISSED;
		look(q, n);
		break;
	case HEAR_NOTHING:
		orphan(q, n, true);
		break;
	case HEAR_SAME:
		break;
	}
}

static void
remember(struct node *n, const struct stat *st)
{
	n->was = (struct look){
		.size = st->st_size,
		.nlink = st->st_nlink,
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
	};
}

static void
look(struct kq *q, struct node *n)
{
	struct knote *kn;
	struct stat st;
	uint32_t notes;
	int fd = stat_any(q, n, &st);

	if (fd < 0)
		return;
	notes = self_notes(q, n, &st, fd);
	n->dead = st.st_nlink == 0 || (n->raw & IN_DELETE_SELF);
	remember(n, &st);
	node_reset(n);
	LIST_FOREACH(kn, &n->knotes, peers) {
		if (notes & kn->asked) {
			kq_vnode_post(q, kn, notes);
			kq_faults_echo(q, kn);
		}
	}
	hear(q, n, fd);
}

static void
look_at_dirty(struct kq *q)
{
	struct node *n;

	while ((n = LIST_FIRST(&q->dirty)) != NULL) {
		LIST_REMOVE(n, dirty_link);
		n->dirty = false;
		look(q, n);
	}
}

/*
 * There is no watch any more: the volume is gone, or the inode, or we may not read it.
 * Knotes of descriptors that were closed without close() go; others get their last
 * event.
 */
static void
orphan(struct kq *q, struct node *n, bool revoked)
{
	struct knote *kn;
	struct stat st;

	while ((kn = LIST_FIRST(&n->knotes)) != NULL) {
		LIST_REMOVE(kn, peers);
		kn->node = NULL;
		if (!kq_is_same_file(kn, &st)) {
			kq_drop(q, kn);
			continue;
		}
		kn->revoked = revoked;
		kq_vnode_post(q, kn, revoked ? NOTE_REVOKE : NOTE_DELETE | NOTE_LINK);
		kq_activate(q, kn);
	}
	node_release(q, n);
}

/* A record with a name is about an entry of the directory n. */
static void
entry_record(struct kq *q, struct node *n, const struct inotify_event *ev)
{
	bool dir = ev->mask & IN_ISDIR;

	if (dir && (ev->mask & IN_DELETE) && n->children > 0)
		node_child_gone(q, n, ev->name);
	/* MODIFY and ATTRIB of a child are no event of its directory. */
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
	if (ev->mask & (IN_IGNORED | IN_UNMOUNT)) {
		orphan(q, n, ev->mask & IN_UNMOUNT);
		return;
	}
	if (LIST_EMPTY(&n->knotes))
		return;
	n->modified += (ev->mask & IN_MODIFY) != 0;
	n->changed += (ev->mask & IN_ATTRIB) != 0;
	if ((ev->mask & IN_ATTRIB) && over != UNNAMED)
		n->over = over;
	node_mark(
	    q, n, ev->mask & (IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF));
}

static void
record(struct kq *q, const struct inotify_event *ev, uint32_t *over)
{
	struct node *n;
	uint32_t before = *over;

	*over = ev->len > 0 && (ev->mask & IN_MOVED_TO)
		    ? node_hash(ev->name, strlen(ev->name))
		    : UNNAMED;
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

static void
take_records(struct kq *q)
{
	static char buf[65536]
	    __attribute__((aligned(__alignof__(struct inotify_event))));
	uint32_t over = UNNAMED;
	ssize_t len = read(q->inotify, buf, sizeof(buf));

	for (const char *p = buf; len > 0 && p < buf + len;) {
		const struct inotify_event *ev = (const void *)p;

		record(q, ev, &over);
		p += sizeof(*ev) + ev->len;
	}
	look_at_dirty(q);
}

/* Records were lost: post to every knote, and look at every node again. */
void
kq_vnode_overflow(struct kq *q)
{
	const uint32_t usual = NOTE_WRITE | NOTE_ATTRIB | NOTE_DELETE;

	for (size_t fd = 0; fd < q->nidents; fd++) {
		struct knote *kn = kq_knote(q, fd, EVFILT_VNODE);
		struct stat st;

		if (kn == NULL || kn->node == NULL)
			continue;
		if (!kq_is_same_file(kn, &st)) {
			kq_drop(q, kn);
			continue;
		}
		if (kn->isdir)
			node_rejoin(q, kn->node, kn->ident);
		node_mark(q, kn->node, CHECK_LINKS);
		kq_vnode_post(
		    q, kn, kn->asked & usual ? usual : kn->asked & ~NOTE_REVOKE);
	}
}

/* Pipes and sockets are no vnodes, but a FIFO in a directory is one. */
static bool
is_vnode(int fd, const struct stat *st)
{
	struct statfs fs;

	if ((st->st_mode & S_IFMT) == 0 || S_ISSOCK(st->st_mode))
		return false;
	return !S_ISFIFO(st->st_mode) || fstatfs(fd, &fs) != 0 ||
	       fs.f_type != PIPEFS_MAGIC;
}

static int
attach(struct kq *q, struct knote *kn)
{
	struct stat st;
	struct node *n;
	bool first;

	if (fstat(kn->ident, &st) != 0)
		return errno;
	if (!is_vnode(kn->ident, &st))
		return EINVAL;
	if ((n = node_for(q, &st, kn->ident)) == NULL)
		return errno;
	/* Records from before this knote, which only a node that was there has. */
	if (!LIST_EMPTY(&n->knotes) || n->children > 0) {
		take_records(q);
		/* The last of its knotes may be gone, and the node with it. */
		if ((n = node_for(q, &st, kn->ident)) == NULL)
			return errno;
	}
	kn->dev = st.st_dev;
	kn->ino = st.st_ino;
	kn->isdir = S_ISDIR(st.st_mode);
	kn->node = n;
	first = LIST_EMPTY(&n->knotes);
	LIST_INSERT_HEAD(&n->knotes, kn, peers);
	if (!first)
		return 0;
	node_reset(n);
	n->isdir = kn->isdir;
	remember(n, &st);
	n->dead = st.st_nlink == 0;
	if (n->isdir) {
		node_join(q, n, kn->ident);
		kq_mounts_watch(q);
	}
	/* A size from before the watch would turn a write into a truncation. */
	if (fstat(kn->ident, &st) == 0)
		n->was.size = st.st_size;
	if (n->isdir && st.st_nlink == 0 && !n->dead)
		node_mark(q, n, CHECK_LINKS);
	return 0;
}

static void
detach(struct kq *q, struct knote *kn)
{
	struct node *n = kn->node;

	if (n == NULL)
		return;
	LIST_REMOVE(kn, peers);
	kn->node = NULL;
	node_release(q, n);
}

static void
touched(struct kq *q, struct knote *kn)
{
	if (kn->node != NULL)
		hear(q, kn->node, kn->ident);
}

static bool
fire(struct kq *q, struct knote *kn, struct kevent *out)
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
drain(struct kq *q, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	take_records(q);
}

const struct filter kq_vnode = { true, attach, detach, fire, touched, drain };

/* Something was mounted on, or unmounted from, an entry of this directory. */
static void
mounted_in(struct kq *q, const char *dir)
{
	struct node *n = node_at(q, dir);
	struct knote *kn;

	if (n == NULL)
		return;
	LIST_FOREACH(kn, &n->knotes, peers)
		kq_vnode_post(q, kn, NOTE_WRITE);
}

static void
drain_mounts(struct kq *q, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	kq_mounts_compare(q, mounted_in);
}

const struct filter kq_mounts = { .drain = drain_mounts };

/* Knotes that were held back, and echoes, are due. */
static void
drain_timer(struct kq *q, int fd, uint32_t events)
{
	int64_t now = kq_now();
	struct delay *echo;
	struct knote *kn;
	uint64_t count;

	(void)events;
	if (read(fd, &count, sizeof(count)) < 0)
		return;
	while (
	    (kn = TAILQ_FIRST(&q->faults.held)) != NULL && kn->delay->held_until <= now) {
		kq_idle(q, kn);
		kq_ready(q, kn);
	}
	while ((echo = TAILQ_FIRST(&q->faults.echoes)) != NULL && echo->echo_at <= now) {
		TAILQ_REMOVE(&q->faults.echoes, echo, link);
		echo->echo_at = 0;
		kn = echo->kn;
		kq_vnode_post(q, kn, kn->isdir ? NOTE_ATTRIB : NOTE_ATTRIB | NOTE_WRITE);
	}
	kq_faults_arm(q);
}

const struct filter kq_timer = { .drain = drain_timer };
