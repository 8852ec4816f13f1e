/*
 * SPDX-License-Identifier: MIT
 *
 * Private to the shim: one inode with one inotify watch and any number of knotes. A
 * node without knotes lives on as the parent of others.
 */
#ifndef LINUX_NODE_H
#define LINUX_NODE_H

#include "kq.h"

#define UNNAMED 0u
#define CHECK_LINKS 0x01000000u /* in raw: the parent lost this name */
#define MISSED 0x02000000u      /* in raw: the watch did not report all */

/* What an event may be the difference of. */
struct look {
	off_t size;
	nlink_t nlink;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

struct node {
	LIST_ENTRY(node) wd_link, name_link, dirty_link;
	struct knote_peers knotes;
	struct node *parent; /* directories with knotes only */
	struct look was;     /* the last one */
	int wd;
	uint32_t mask;     /* what the watch was last told to report of itself */
	unsigned children; /* nodes that have this one as parent */
	uint32_t name;     /* hash of the name in parent */
	bool isdir, dirty;
	bool dead; /* the last name is gone, and that was reported */

	/* Since the last look: */
	uint32_t raw;  /* inotify's bits */
	uint32_t note; /* what directory records mean */
	uint32_t over; /* hash of the name that a rename just replaced */
	unsigned modified, changed, moved;
};

/* The node of an open file, with its watch; NULL and errno. */
struct node *node_for(struct kq *q, const struct stat *st, int fd);
struct node *node_find(const struct kq *q, int wd);
/* The node of a directory by its path; NULL if it has no watch. */
struct node *node_at(struct kq *q, const char *dir);
/* Frees the node, unless it has knotes or children. */
void node_release(struct kq *q, struct node *n);
/* Watches the parent of directory fd; again, after a rename. The caller then stats fd. */
void node_join(struct kq *q, struct node *n, int fd);
void node_rejoin(struct kq *q, struct node *n, int fd);
void node_mark(struct kq *q, struct node *n, uint32_t raw);
/*
 * The watch of the node, which fd has open, is to report all but what means no more
 * than these notes. MORE: it does, and what came before is not known. NOTHING: it
 * would have to report more and cannot.
 */
enum hear { HEAR_SAME, HEAR_MORE, HEAR_NOTHING };
enum hear node_hear(struct kq *q, struct node *n, int fd, uint32_t known);
void node_reset(struct node *n);
/* A directory of this name was removed: marks the nodes that it may have been. */
void node_child_gone(struct kq *q, struct node *parent, const char *name);
/* Hash of a name; of the name that /proc has for fd, or UNNAMED. */
uint32_t node_hash(const char *s, size_t len);
uint32_t node_name(int fd, bool deleted);
/* The memory that finds nodes, once there are none. */
void node_free_tables(struct kq *q);

#endif
