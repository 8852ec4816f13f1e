/*
 * SPDX-License-Identifier: MIT
 *
 * Private to the shim: what it is made of. A kqueue is an epoll descriptor that
 * holds everything that can wake it. Knotes hang below their ident and, for
 * EVFILT_VNODE, below the inode (node) of their inotify watch. A knote that has
 * something to report stands in exactly one list: ready, again or held.
 */
#ifndef LINUX_KQ_H
#define LINUX_KQ_H

#define KQUEUE_PLAIN /* the shim's own descriptors have no knotes */

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/event.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/types.h>

/*
 * What can wake a kqueue. A filter has the number of its place in xnu's sysfilt_ops,
 * so that ~ of its id finds it; what comes after them is no filter.
 */
enum {
	KQ_READ = ~EVFILT_READ,
	KQ_WRITE = ~EVFILT_WRITE,
	KQ_VNODE = ~EVFILT_VNODE,
	KQ_SIGNAL = ~EVFILT_SIGNAL,
	KQ_FILTERS,
	KQ_MOUNTS = KQ_FILTERS,
	KQ_TIMER,
	KQ_WAKE,
	KQ_SOURCES,
};

struct kq;
struct knote;

struct filter {
	bool isfd; /* the ident is a descriptor */
	/* Begins to watch for kn; 0 or an errno. */
	int (*attach)(struct kq *q, struct knote *kn);
	void (*detach)(struct kq *q, struct knote *kn);
	/* Fills in what is to be reported; false: nothing, after all. */
	bool (*fire)(struct kq *q, struct knote *kn, struct kevent *out);
	/* kn was enabled, disabled or asks for other notes; optional. */
	void (*touched)(struct kq *q, struct knote *kn);
	/* Takes what fd has, now that epoll has these events for it. */
	void (*drain)(struct kq *q, int fd, uint32_t events);
};

enum kn_queue { KN_IDLE, KN_READY, KN_AGAIN, KN_HELD };

struct knote {
	struct knote *next;       /* of the same ident */
	TAILQ_ENTRY(knote) queue; /* ready or held */
	LIST_ENTRY(knote) peers;  /* the node's */
	struct node *node;        /* EVFILT_VNODE only; NULL once revoked */
	void *udata;
	int64_t data;        /* EVFILT_SIGNAL: how many */
	struct delay *delay; /* of the faults; NULL: it never had one */
	dev_t dev;
	ino_t ino;
	uint64_t same_in; /* the call in which it was last seen to be the same file */
	const struct filter *ops;
	int ident;
	uint32_t asked;
	uint32_t pending;
	uint32_t later; /* becomes pending once what is pending is delivered */
	int16_t filter;
	uint16_t flags;
	enum kn_queue list;
	bool disabled;
	bool revoked;
	bool isdir;
	bool maybe_ready; /* READ, WRITE: epoll saw it ready; poll decides */
	bool was_blocked; /* EVFILT_SIGNAL: before us */
};

/* What a fault puts off. */
struct delay {
	TAILQ_ENTRY(delay) link; /* of echoes */
	struct knote *kn;
	int64_t held_until;
	int64_t echo_at; /* 0 = not in the list */
};

TAILQ_HEAD(knote_queue, knote);
TAILQ_HEAD(delay_queue, delay);
LIST_HEAD(knote_peers, knote);
LIST_HEAD(node_list, node);

struct faults {
	bool shuffle, split, merge, echo, extend;
	uint64_t random;
	int timer; /* timerfd, or -1 */
	struct knote_queue held;
	struct delay_queue echoes;
};

struct kq {
	LIST_ENTRY(kq) all;
	pid_t pid;
	uint64_t calls; /* of kevent(2) */
	int epoll, inotify, signal, mounts, wake;
	bool awake;            /* the wake eventfd is readable */
	struct knote **knotes; /* by ident, the first of each */
	size_t nidents;
	size_t nknotes;
	sigset_t sigset;
	struct knote_queue ready;
	struct knote_queue again; /* empty but while collecting */
	size_t nready;
	unsigned vain; /* wakeups in a row for which there was no event */
	int64_t vain_at;

	struct node_list *by_wd, *by_name; /* hash tables of nbuckets */
	size_t nbuckets, nnodes;
	struct node_list dirty;
	struct mount_table *mounted;

	struct faults faults;
};

/* The monotonic clock, in nanoseconds. */
static inline int64_t
kq_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

#endif
