/*
 * SPDX-License-Identifier: MIT
 *
 * Nodes: one per watched inode, found by inotify's watch number. Linux reports the
 * rmdir of a directory that is held open to its parent only, so the parent of each
 * watched directory is watched too (DELETE only). Its records find the directory by
 * (parent, hash of the name): no other child costs anything. Not seen: mount roots
 * removed elsewhere, and directories whose parent may not be read.
 */
#include "node.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define MASK_SELF (IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF)
#define MASK_FILE (MASK_SELF | IN_MODIFY)
#define MASK_DIR (MASK_SELF | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
#define MASK_PARENT (IN_DELETE | IN_ONLYDIR | IN_MASK_ADD)
/* What is no more than a NOTE_WRITE, but that IN_DELETE is of children, too. */
#define MASK_WRITE (IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)

static void
fd_path(char *buf, size_t size, int fd, const char *tail)
{
	snprintf(buf, size, "/proc/self/fd/%d%s", fd, tail);
}

uint32_t
node_hash(const char *s, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619u;
	return h == UNNAMED ? 1 : h;
}

uint32_t
node_name(int fd, bool deleted)
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
	return node_hash(base, n);
}

static struct node_list *
wd_bucket(const struct kq *q, int wd)
{
	return &q->by_wd[(uint32_t)wd * 2654435761u & (q->nbuckets - 1)];
}

static struct node_list *
name_bucket(const struct kq *q, const struct node *parent, uint32_t name)
{
	return &q->by_name[((uint32_t)parent->wd * 2654435761u ^ name) &
			   (q->nbuckets - 1)];
}

struct node *
node_find(const struct kq *q, int wd)
{
	struct node *n;

	if (q->nbuckets == 0)
		return NULL;
	LIST_FOREACH(n, wd_bucket(q, wd), wd_link) {
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
			LIST_INSERT_HEAD(
			    name_bucket(q, n->parent, n->name), n, name_link);
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

void
node_reset(struct node *n)
{
	n->raw = n->note = n->over = 0;
	n->modified = n->changed = n->moved = 0;
}

void
node_mark(struct kq *q, struct node *n, uint32_t raw)
{
	n->raw |= raw;
	if (!n->dirty) {
		n->dirty = true;
		LIST_INSERT_HEAD(&q->dirty, n, dirty_link);
	}
}

static void node_leave(struct kq *q, struct node *n);

void
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
 * First the parent's watch, then the name, and the caller's stat last: so a rename
 * or rmdir in between is either queued or seen.
 */
void
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
	n->name = node_name(fd, false);
	LIST_INSERT_HEAD(name_bucket(q, parent, n->name), n, name_link);
}

void
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

struct node *
node_for(struct kq *q, const struct stat *st, int fd)
{
	uint32_t mask = S_ISDIR(st->st_mode) ? MASK_DIR : MASK_FILE;
	char path[32];
	struct node *n;
	int wd;

	fd_path(path, sizeof(path), fd, "");
	wd = inotify_add_watch(q->inotify, path, mask);
	if (wd < 0)
		return NULL;
	if ((n = node_find(q, wd)) == NULL && (n = node_new(q, wd)) == NULL) {
		inotify_rm_watch(q->inotify, wd);
		errno = ENOMEM;
		return NULL;
	}
	if ((mask & ~n->mask) != 0 && !LIST_EMPTY(&n->knotes))
		node_mark(q, n, MISSED);
	n->mask = mask;
	return n;
}

enum hear
node_hear(struct kq *q, struct node *n, int fd, uint32_t known)
{
	uint32_t mask = n->isdir ? MASK_DIR : MASK_FILE, old = n->mask;
	char path[32];
	int wd;

	if (known & NOTE_WRITE)
		mask &=
		    ~(uint32_t)(n->children > 0 ? MASK_WRITE & ~IN_DELETE : MASK_WRITE);
	if (known & NOTE_ATTRIB)
		mask &= ~(uint32_t)IN_ATTRIB;
	if (mask == old)
		return HEAR_SAME;
	fd_path(path, sizeof(path), fd, "");
	wd = inotify_add_watch(q->inotify, path, mask);
	if (wd != n->wd) {
		/* The kernel has removed the watch, which a record is about to say. */
		if (wd >= 0 && node_find(q, wd) == NULL)
			inotify_rm_watch(q->inotify, wd);
		return mask & ~old ? HEAR_NOTHING : HEAR_SAME;
	}
	n->mask = mask;
	return mask & ~old ? HEAR_MORE : HEAR_SAME;
}

struct node *
node_at(struct kq *q, const char *dir)
{
	/* The kernel's own index of watched inodes finds the node. */
	int wd = inotify_add_watch(q->inotify, dir, MASK_PARENT);
	struct node *n = wd >= 0 ? node_find(q, wd) : NULL;

	if (wd >= 0 && n == NULL)
		inotify_rm_watch(q->inotify, wd);
	return n;
}

void
node_child_gone(struct kq *q, struct node *parent, const char *name)
{
	uint32_t keys[] = { node_hash(name, strlen(name)), UNNAMED };
	struct node *n;

	for (int i = 0; i < 2; i++)
		LIST_FOREACH(n, name_bucket(q, parent, keys[i]), name_link) {
			if (n->parent == parent && n->name == keys[i])
				node_mark(q, n, CHECK_LINKS);
		}
}

void
node_free_tables(struct kq *q)
{
	free(q->by_wd);
	q->by_wd = q->by_name = NULL;
	q->nbuckets = 0;
}
