/*
 * SPDX-License-Identifier: MIT
 *
 * kqueue(2): which kqueues there are, which knotes they have, and how both end.
 * A kqueue is known by its descriptor's number; it dies with close(), or when
 * kqueue() is given the same number again. In a forked child it is gone, as on
 * macOS, and nothing that the child does touches the parent's.
 */
#include "kq.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "kqueue_test.h"

#define FLAGS_KEPT (EV_ADD | EV_ONESHOT | EV_CLEAR | EV_RECEIPT | EV_DISPATCH)

static struct kq **table; /* by descriptor */
static size_t ntable;
static LIST_HEAD(, kq) live = LIST_HEAD_INITIALIZER(live);

struct kq *
kq_find(int fd)
{
	struct kq *q = fd >= 0 && (size_t)fd < ntable ? table[fd] : NULL;

	return q != NULL && q->pid == getpid() ? q : NULL;
}

/* Room for index fd in an array that grows by doubling, zero-filled. */
static void *
grown(void *array, size_t *len, size_t size, int fd)
{
	size_t want = *len ? *len : 64;
	char *more;

	while (want <= (size_t)fd)
		want *= 2;
	if (want == *len)
		return array;
	if ((more = realloc(array, want * size)) == NULL)
		return NULL;
	memset(more + *len * size, 0, (want - *len) * size);
	*len = want;
	return more;
}

struct slot *
kq_slot(struct kq *q, int fd)
{
	return fd >= 0 && (size_t)fd < q->nslots ? &q->slots[fd] : NULL;
}

int
kq_poll_add(struct kq *q, int fd, uint32_t events, int kind)
{
	struct epoll_event ev = { .events = events, .data.u64 = KQ_TAG(kind) };

	return epoll_ctl(q->epoll, EPOLL_CTL_ADD, fd, &ev);
}

struct knote **
kq_place(struct kq *q, uintptr_t ident, int filter)
{
	struct slot *s = ident < q->nslots ? &q->slots[ident] : NULL;

	switch (filter) {
	case EVFILT_VNODE:
		return s != NULL ? &s->vnode : NULL;
	case EVFILT_READ:
		return s != NULL ? &s->read : NULL;
	case EVFILT_WRITE:
		return s != NULL ? &s->write : NULL;
	case EVFILT_SIGNAL:
		return ident < NSIG ? &q->signals[ident] : NULL;
	}
	return NULL;
}

static int
attach(struct kq *q, struct knote *kn)
{
	switch (kn->filter) {
	case EVFILT_VNODE:
		return kq_vnode_attach(q, kn);
	case EVFILT_SIGNAL:
		return kq_signal_attach(q, kn);
	default:
		return kq_io_attach(q, kn);
	}
}

int
kq_add(struct kq *q, const struct kevent *kev)
{
	struct slot *more;
	struct knote *kn;
	int error;

	if (kev->filter != EVFILT_SIGNAL) {
		if (kev->ident > INT32_MAX || fcntl((int)kev->ident, F_GETFD) < 0)
			return EBADF;
		more = grown(q->slots, &q->nslots, sizeof(*more), (int)kev->ident);
		if (more == NULL)
			return ENOMEM;
		q->slots = more;
	} else if (kev->ident == 0 || kev->ident >= NSIG) {
		return EINVAL;
	}
	if ((kn = calloc(1, sizeof(*kn))) == NULL)
		return ENOMEM;
	kn->ident = (int)kev->ident;
	kn->filter = kev->filter;
	kn->flags = kev->flags & FLAGS_KEPT;
	kn->asked = kev->fflags;
	kn->udata = kev->udata;
	kn->disabled = kev->flags & EV_DISABLE;
	if ((error = attach(q, kn)) != 0) {
		free(kn);
		return error;
	}
	*kq_place(q, kev->ident, kev->filter) = kn;
	q->nknotes++;
	kq_activate(q, kn);
	return 0;
}

void
kq_drop(struct kq *q, struct knote *kn)
{
	kq_idle(q, kn);
	if (kn->echo_at != 0)
		TAILQ_REMOVE(&q->faults.echoes, kn, echo);
	*kq_place(q, (uintptr_t)kn->ident, kn->filter) = NULL;
	switch (kn->filter) {
	case EVFILT_VNODE:
		kq_vnode_detach(q, kn);
		break;
	case EVFILT_SIGNAL:
		kq_signal_detach(q, kn);
		break;
	default:
		kq_io_detach(q, kn);
	}
	q->nknotes--;
	free(kn);
}

void
kq_drop_fd(struct kq *q, int fd)
{
	struct slot *s = kq_slot(q, fd);

	if (s == NULL)
		return;
	if (s->vnode != NULL)
		kq_drop(q, s->vnode);
	if (s->read != NULL)
		kq_drop(q, s->read);
	if (s->write != NULL)
		kq_drop(q, s->write);
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
 * Forget a kqueue whose descriptor is closed or about to be. The inner ones go
 * first, so that dropping the knotes is cheap. In a child they are the parent's
 * or, by now, someone else's: they are left alone.
 */
static void
discard(struct kq *q)
{
	bool ours = q->pid == getpid();

	LIST_REMOVE(q, all);
	if (ours)
		close_all(q);
	q->inotify = q->epoll = -1;
	for (size_t fd = 0; fd < q->nslots; fd++)
		kq_drop_fd(q, (int)fd);
	for (int sig = 0; sig < NSIG; sig++)
		if (q->signals[sig] != NULL)
			kq_drop(q, q->signals[sig]);
	kq_vnode_free(q);
	kq_mounts_free(q);
	free(q->slots);
	free(q);
}

/* A descriptor is about to be closed: it may be a kqueue, and have knotes. */
static void
closing(int fd)
{
	struct kq *q = kq_find(fd);

	if (q != NULL) {
		table[fd] = NULL;
		discard(q);
	}
	LIST_FOREACH(q, &live, all) {
		struct slot *s = kq_slot(q, fd);

		if (s != NULL &&
		    (s->vnode != NULL || s->read != NULL || s->write != NULL) &&
		    q->pid == getpid()) {
			kq_drop_fd(q, fd);
			kq_wake(q);
		}
	}
}

static int
open_all(struct kq *q)
{
	q->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	q->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (q->inotify < 0 || q->wake < 0)
		return -1;
	if (kq_poll_add(q, q->inotify, EPOLLIN, KQ_INOTIFY) != 0 ||
	    kq_poll_add(q, q->wake, EPOLLIN, KQ_WAKE) != 0)
		return -1;
	return kq_faults_init(q);
}

static int
enter(struct kq *q, int fd)
{
	struct kq **more = grown(table, &ntable, sizeof(*table), fd);

	if (more == NULL)
		return -1;
	table = more;
	if (table[fd] != NULL)
		discard(table[fd]);
	table[fd] = q;
	LIST_INSERT_HEAD(&live, q, all);
	return 0;
}

int
kqueue(void)
{
	struct kq *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return -1;
	q->pid = getpid();
	q->inotify = q->signal = q->mounts = q->wake = q->faults.timer = -1;
	TAILQ_INIT(&q->ready);
	TAILQ_INIT(&q->again);
	TAILQ_INIT(&q->faults.held);
	TAILQ_INIT(&q->faults.echoes);
	sigemptyset(&q->sigset);
	q->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (q->epoll < 0 || open_all(q) != 0 || enter(q, q->epoll) != 0) {
		int saved = errno;

		close_all(q);
		if (q->epoll >= 0)
			close(q->epoll);
		free(q);
		errno = saved;
		return -1;
	}
	kqueue_close_hook = closing;
	return q->epoll;
}

int
kqueue_inject(int kq, int fd, unsigned fflags, unsigned flags)
{
	struct kq *q = kq_find(kq);
	struct slot *s = q != NULL ? kq_slot(q, fd) : NULL;

	if (s == NULL || s->vnode == NULL) {
		errno = ENOENT;
		return -1;
	}
	if (flags & EV_EOF)
		s->vnode->revoked = true;
	kq_vnode_post(q, s->vnode, fflags);
	kq_activate(q, s->vnode);
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
