/*
 * SPDX-License-Identifier: MIT
 *
 * kqueue(2): which kqueues there are, and how they end. A kqueue is found by the
 * number of its descriptor. It ends with close(), or when kqueue() gets the same
 * number again. In a forked child it is gone, as on macOS, and nothing that the
 * child does touches the parent's.
 */
#include "kqueue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "faults.h"
#include "knote.h"
#include "kqueue_test.h"
#include "mounts.h"
#include "node.h"
#include "vnode.h"

static LIST_HEAD(, kq) live = LIST_HEAD_INITIALIZER(live);

/* glibc's getpid asks the kernel each time, and so would each call and each close. */
static pid_t self;

static void
on_fork(void)
{
	self = getpid();
}

/* 0 or an errno. */
static int
know_self(void)
{
	if (self != 0)
		return 0;
	self = getpid();
	return pthread_atfork(NULL, NULL, on_fork);
}

bool
kq_is_ours(const struct kq *q)
{
	return q->pid == self;
}

/* In a forked child that may be one of the parent's. */
static struct kq *
lookup(int fd)
{
	struct kq *q;

	LIST_FOREACH(q, &live, all) {
		if (q->epoll == fd)
			break;
	}
	return q;
}

struct kq *
kq_find(int fd)
{
	struct kq *q = lookup(fd);

	return q != NULL && kq_is_ours(q) ? q : NULL;
}

static void
close_all(struct kq *q)
{
	int fds[] = { q->inotify, q->signal, q->mounts, q->wake, q->faults.timer };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/*
 * Frees a kqueue whose descriptor is closed or about to be. The inner descriptors
 * are closed first, so that dropping the knotes is cheap. In a child they are the
 * parent's or, by now, someone else's: they stay open.
 */
static void
discard(struct kq *q)
{
	bool ours = kq_is_ours(q);
	struct knote *kn;

	LIST_REMOVE(q, all);
	if (ours)
		close_all(q);
	q->inotify = q->epoll = -1;
	for (size_t fd = 0; fd < q->nidents; fd++)
		kq_drop_fd(q, (int)fd);
	for (uintptr_t sig = 0; sig < NSIG; sig++)
		if ((kn = kq_knote(q, sig, EVFILT_SIGNAL)) != NULL)
			kq_drop(q, kn);
	node_free_tables(q);
	kq_mounts_free(q);
	free(q->knotes);
	free(q);
}

/* The descriptor may be a kqueue, and have knotes in others. */
static void
on_close(int fd)
{
	struct kq *q = kq_find(fd);

	if (q != NULL)
		discard(q);
	LIST_FOREACH(q, &live, all) {
		if (kq_is_ours(q) && kq_drop_fd(q, fd))
			kq_wake(q);
	}
}

static int
open_all(struct kq *q)
{
	q->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	q->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (q->inotify < 0 || q->wake < 0 || kq_faults_init(q) != 0 ||
	    kq_poll_add(q, q->inotify, EPOLLIN, KQ_VNODE) != 0 ||
	    kq_poll_add(q, q->wake, EPOLLIN, KQ_WAKE) != 0)
		return -1;
	return q->faults.timer < 0 ? 0
				   : kq_poll_add(q, q->faults.timer, EPOLLIN, KQ_TIMER);
}

static void
enlist(struct kq *q)
{
	struct kq *old = lookup(q->epoll);

	if (old != NULL)
		discard(old);
	LIST_INSERT_HEAD(&live, q, all);
}

int
kqueue(void)
{
	struct kq *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return -1;
	if ((errno = know_self()) != 0) {
		free(q);
		return -1;
	}
	q->pid = self;
	q->inotify = q->signal = q->mounts = q->wake = q->faults.timer = -1;
	TAILQ_INIT(&q->ready);
	TAILQ_INIT(&q->again);
	TAILQ_INIT(&q->faults.held);
	TAILQ_INIT(&q->faults.echoes);
	sigemptyset(&q->sigset);
	q->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (q->epoll < 0 || open_all(q) != 0) {
		int saved = errno;

		close_all(q);
		if (q->epoll >= 0)
			close(q->epoll);
		free(q);
		errno = saved;
		return -1;
	}
	enlist(q);
	kqueue_close_hook = on_close;
	return q->epoll;
}

int
kqueue_inject(int kq, int fd, unsigned fflags, unsigned flags)
{
	struct kq *q = kq_find(kq);
	struct knote *kn = q != NULL ? kq_knote(q, (uintptr_t)fd, EVFILT_VNODE) : NULL;

	if (kn == NULL) {
		errno = ENOENT;
		return -1;
	}
	if (flags & EV_EOF)
		kn->revoked = true;
	kq_vnode_post(q, kn, fflags);
	kq_activate(q, kn);
	kq_wake(q);
	return 0;
}

int
kqueue_inject_overflow(int kq)
{
	struct kq *q = kq_find(kq);

	if (q == NULL) {
		errno = EBADF;
		return -1;
	}
	kq_vnode_overflow(q);
	kq_wake(q);
	return 0;
}

int
kqueue_count_knotes(int kq)
{
	struct kq *q = kq_find(kq);

	return q != NULL ? (int)q->nknotes : -1;
}

int
kqueue_count_watches(int kq)
{
	struct kq *q = kq_find(kq);

	return q != NULL ? (int)q->nnodes : -1;
}
