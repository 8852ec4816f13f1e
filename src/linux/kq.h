/*
 * SPDX-License-Identifier: MIT
 *
 * Private to the shim. A kqueue is an epoll descriptor that holds everything
 * that can wake it; knotes hang below their descriptor and, for EVFILT_VNODE,
 * below the inode record (node) of their inotify watch. A knote that has
 * something to tell stands in exactly one list, ready or held.
 */
#ifndef LINUX_KQ_H
#define LINUX_KQ_H

#define KQUEUE_PLAIN_CLOSE /* the shim's own descriptors have no knotes */

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/event.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Tags in epoll's data, above all descriptor numbers. */
enum {
	KQ_INOTIFY = 1,
	KQ_SIGNAL,
	KQ_MOUNTS,
	KQ_WAKE,
	KQ_TIMER,
};
#define KQ_TAG(kind) ((uint64_t)(kind) << 32)

enum kn_queue { KN_IDLE, KN_READY, KN_AGAIN, KN_HELD };

struct knote {
	TAILQ_ENTRY(knote) queue; /* ready or held */
	TAILQ_ENTRY(knote) echo;
	LIST_ENTRY(knote) peers; /* the node's */
	struct node *node;       /* EVFILT_VNODE only; NULL once revoked */
	void *udata;
	int64_t data; /* EVFILT_SIGNAL: how many */
	int64_t held_until;
	int64_t echo_at; /* 0 = not in the list */
	dev_t dev;
	ino_t ino;
	int ident;
	uint32_t asked;
	uint32_t pending;
	uint32_t later; /* becomes pending once what is pending is delivered */
	int16_t filter;
	uint16_t flags;
	enum kn_queue where;
	bool disabled;
	bool revoked;
	bool isdir;
	bool hot;         /* READ, WRITE: epoll saw it ready, poll will tell */
	bool was_blocked; /* EVFILT_SIGNAL: before us */
};

TAILQ_HEAD(knote_queue, knote);
LIST_HEAD(knote_peers, knote);
LIST_HEAD(node_list, node);

struct slot {
	struct knote *vnode, *read, *write;
};

struct faults {
	bool shuffle, split, merge, echo, extend;
	uint64_t random;
	int timer; /* timerfd, or -1 */
	struct knote_queue held, echoes;
};

struct kq {
	LIST_ENTRY(kq) all;
	pid_t pid;
	int epoll, inotify, signal, mounts, wake;
	bool awake; /* the wake eventfd is readable */
	struct slot *slots;
	size_t nslots;
	size_t nknotes;
	struct knote *signals[NSIG];
	sigset_t sigset;
	struct knote_queue ready;
	struct knote_queue again; /* empty but while collecting */
	size_t nready;

	struct node_list *by_wd, *by_name; /* hash tables of nbuckets */
	size_t nbuckets, nnodes;
	struct node_list dirty;
	struct mount_table *mounted;

	struct faults faults;
};

/* kqueue.c; kq_add and the attach functions below return 0 or an errno */
struct kq *kq_find(int fd);
struct slot *kq_slot(struct kq *q, int fd);
/* Where the knote of a key is kept; NULL if there can be none yet. */
struct knote **kq_place(struct kq *q, uintptr_t ident, int filter);
int kq_add(struct kq *q, const struct kevent *kev);
void kq_drop(struct kq *q, struct knote *kn);
void kq_drop_fd(struct kq *q, int fd);
int kq_poll_add(struct kq *q, int fd, uint32_t events, int kind);

/* kevent.c */
int64_t kq_now(void);
void kq_activate(struct kq *q, struct knote *kn);
void kq_ready(struct kq *q, struct knote *kn);
void kq_idle(struct kq *q, struct knote *kn);
/* What waits in our own list makes the epoll descriptor readable for others. */
void kq_wake(struct kq *q);

/* vnode.c, node.c */
int kq_vnode_attach(struct kq *q, struct knote *kn);
void kq_vnode_detach(struct kq *q, struct knote *kn);
bool kq_vnode_valid(const struct knote *kn, struct stat *st);
bool kq_vnode_fire(struct kq *q, struct knote *kn, struct kevent *out);
void kq_vnode_post(struct kq *q, struct knote *kn, uint32_t notes);
void kq_vnode_drain(struct kq *q);
void kq_vnode_overflow(struct kq *q);
void kq_vnode_mounted_at(struct kq *q, const char *dir);
void kq_vnode_free(struct kq *q);

/* io.c */
int kq_io_attach(struct kq *q, struct knote *kn);
void kq_io_detach(struct kq *q, struct knote *kn);
void kq_io_event(struct kq *q, int fd, uint32_t events);
bool kq_io_fire(struct kq *q, struct knote *kn, struct kevent *out);

/* signal.c */
int kq_signal_attach(struct kq *q, struct knote *kn);
void kq_signal_detach(struct kq *q, struct knote *kn);
void kq_signal_drain(struct kq *q);

/* mounts.c */
void kq_mounts_watch(struct kq *q);
void kq_mounts_changed(struct kq *q);
void kq_mounts_free(struct kq *q);

/* faults.c */
int kq_faults_init(struct kq *q);
uint32_t kq_faults_random(struct kq *q, uint32_t below);
void kq_faults_hold(struct kq *q, struct knote *kn);
void kq_faults_echo(struct kq *q, struct knote *kn);
uint32_t kq_faults_split(struct kq *q, uint32_t bits);
void kq_faults_timer(struct kq *q);

#endif
