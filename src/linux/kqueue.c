/*
 * SPDX-License-Identifier: MIT
 *
 * kqueue(2) and kevent(2): the table of kqueues, changes, the ready list and
 * waiting. What the filters see arrives by one epoll; what they have to tell
 * stands in a round-robin list, so a call costs what it delivers and never
 * more with more knotes. In a forked child a kqueue is gone, as on macOS.
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
#define BATCH 64
#define SEC 1000000000LL

static struct kq **table; /* by descriptor */
static size_t ntable;
static LIST_HEAD(, kq) live = LIST_HEAD_INITIALIZER(live);

int64_t
kq_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SEC + ts.tv_nsec;
}

static struct kq *
find(int fd)
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

void
kq_ready(struct kq *q, struct knote *kn)
{
	TAILQ_INSERT_TAIL(&q->ready, kn, queue);
	kn->where = KN_READY;
	q->nready++;
}

void
kq_idle(struct kq *q, struct knote *kn)
{
	if (kn->where == KN_READY) {
		TAILQ_REMOVE(&q->ready, kn, queue);
		q->nready--;
	} else if (kn->where == KN_HELD) {
		TAILQ_REMOVE(&q->faults.held, kn, queue);
	}
	kn->where = KN_IDLE;
}

static bool
active(const struct knote *kn)
{
	return kn->pending != 0 || kn->revoked || kn->hot || kn->data > 0;
}

void
kq_activate(struct kq *q, struct knote *kn)
{
	if (kn->disabled || kn->where != KN_IDLE || !active(kn))
		return;
	if (q->faults.merge && kn->filter == EVFILT_VNODE)
		kq_faults_hold(q, kn);
	else
		kq_ready(q, kn);
}

/* Where the knote of a key is kept; NULL if there can be none. */
static struct knote **
place(struct kq *q, uintptr_t ident, int filter)
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

void
kq_drop(struct kq *q, struct knote *kn)
{
	kq_idle(q, kn);
	if (kn->echo_at != 0)
		TAILQ_REMOVE(&q->faults.echoes, kn, echo);
	*place(q, (uintptr_t)kn->ident, kn->filter) = NULL;
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

static void
drop_fd(struct kq *q, int fd)
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
		drop_fd(q, (int)fd);
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
	struct kq *q = find(fd);

	if (q != NULL) {
		table[fd] = NULL;
		discard(q);
	}
	LIST_FOREACH(q, &live, all)
	{
		struct slot *s = kq_slot(q, fd);

		if (s != NULL && (s->vnode != NULL || s->read != NULL || s->write != NULL) &&
		    q->pid == getpid())
			drop_fd(q, fd);
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

static int
add(struct kq *q, const struct kevent *kev)
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
	*place(q, kev->ident, kev->filter) = kn;
	q->nknotes++;
	kq_activate(q, kn);
	return 0;
}

/* Is the file behind the knote's descriptor still the one it was added for? */
static bool
same_file(const struct knote *kn)
{
	struct stat st;

	return kn->filter == EVFILT_SIGNAL || kq_vnode_valid(kn, &st);
}

/*
 * XNU's "touch": every change but EV_DELETE, EV_ENABLE and EV_DISABLE too,
 * replaces the mask and udata. What is pending stays.
 */
static void
touch(struct kq *q, struct knote *kn, const struct kevent *kev)
{
	kn->asked = kev->fflags;
	kn->udata = kev->udata;
	if (kev->flags & EV_DISABLE) {
		kn->disabled = true;
		kq_idle(q, kn);
		return;
	}
	if (kev->flags & (EV_ADD | EV_ENABLE)) {
		kn->disabled = false;
		if (kn->filter == EVFILT_READ || kn->filter == EVFILT_WRITE)
			kn->hot = true;
		kq_activate(q, kn);
	}
}

/* One change. Returns 0 or an errno. */
static int
change(struct kq *q, const struct kevent *kev)
{
	struct knote **p, *kn;

	if (kev->filter != EVFILT_VNODE && kev->filter != EVFILT_READ &&
	    kev->filter != EVFILT_WRITE && kev->filter != EVFILT_SIGNAL)
		return EINVAL;
	p = place(q, kev->ident, kev->filter);
	kn = p != NULL ? *p : NULL;
	if (kn != NULL && !same_file(kn)) {
		drop_fd(q, kn->ident);
		kn = NULL;
	}
	if (kn == NULL) {
		if ((kev->flags & EV_DELETE) || !(kev->flags & EV_ADD))
			return ENOENT;
		return add(q, kev);
	}
	if (kev->flags & EV_DELETE)
		kq_drop(q, kn);
	else
		touch(q, kn, kev);
	return 0;
}

/* Returns how many receipts and errors were written, or -1 and errno. */
static int
change_all(struct kq *q, const struct kevent *list, int n, struct kevent *out, int room)
{
	int done = 0;

	for (int i = 0; i < n; i++) {
		struct kevent kev = list[i]; /* the two lists may be one array */
		int error = change(q, &kev);

		if (error == 0 && !(kev.flags & EV_RECEIPT))
			continue;
		if (done < room) {
			kev.flags |= EV_ERROR;
			kev.data = error;
			out[done++] = kev;
		} else if (error != 0) {
			errno = error;
			return -1;
		}
	}
	return done;
}

static bool
fire(struct kq *q, struct knote *kn, struct kevent *out)
{
	memset(out, 0, sizeof(*out));
	out->ident = (uintptr_t)kn->ident;
	out->filter = kn->filter;
	out->flags = kn->flags;
	out->udata = kn->udata;
	switch (kn->filter) {
	case EVFILT_VNODE:
		return kq_vnode_fire(q, kn, out);
	case EVFILT_SIGNAL:
		out->flags |= EV_CLEAR;
		out->data = kn->data;
		kn->data = 0;
		return true;
	default:
		return kq_io_fire(q, kn, out);
	}
}

/* Deliver one ready knote, and decide what becomes of it. */
static bool
deliver(struct kq *q, struct knote *kn, struct kevent *out)
{
	kq_idle(q, kn);
	if (kn->filter != EVFILT_SIGNAL && !same_file(kn) && !kn->revoked) {
		drop_fd(q, kn->ident);
		return false;
	}
	if (!fire(q, kn, out))
		return false;
	if (out->flags & EV_ONESHOT) {
		kq_drop(q, kn);
		return true;
	}
	if (kn->flags & EV_DISPATCH)
		kn->disabled = true;
	else if (active(kn))
		kq_ready(q, kn);
	return true;
}

static struct knote *
pick(struct kq *q)
{
	struct knote *kn;

	if (q->faults.shuffle && q->nready > 1) {
		uint32_t turns = q->nready < 16 ? (uint32_t)q->nready : 16;

		for (turns = kq_faults_random(q, turns); turns > 0; turns--) {
			kn = TAILQ_FIRST(&q->ready);
			TAILQ_REMOVE(&q->ready, kn, queue);
			TAILQ_INSERT_TAIL(&q->ready, kn, queue);
		}
	}
	return TAILQ_FIRST(&q->ready);
}

/* What is ready again goes to the end and is not met twice in one call. */
static int
collect(struct kq *q, struct kevent *out, int room)
{
	size_t todo = q->nready;
	int n = 0;

	while (n < room && todo-- > 0 && q->nready > 0)
		if (deliver(q, pick(q), &out[n]))
			n++;
	return n;
}

/*
 * What waits in our own list must make the epoll descriptor readable, for
 * whoever polls it.
 */
static void
wake(struct kq *q)
{
	uint64_t one = 1;
	bool want = q->nready > 0;

	if (want == q->awake)
		return;
	if (want ? write(q->wake, &one, sizeof(one)) > 0 :
		   read(q->wake, &one, sizeof(one)) > 0)
		q->awake = want;
}

static void
dispatch(struct kq *q, const struct epoll_event *ev)
{
	if (ev->data.u64 < KQ_TAG(1)) {
		kq_io_event(q, (int)ev->data.u64, ev->events);
		return;
	}
	switch (ev->data.u64 >> 32) {
	case KQ_INOTIFY:
		kq_vnode_drain(q);
		break;
	case KQ_SIGNAL:
		kq_signal_drain(q);
		break;
	case KQ_MOUNTS:
		kq_mounts_changed(q);
		break;
	case KQ_TIMER:
		kq_faults_timer(q);
		break;
	}
}

/* epoll_wait for ns nanoseconds, never less; -1 is for ever. */
static int
wait_ns(struct kq *q, struct epoll_event *evs, int64_t ns)
{
	static bool no_pwait2;
	int64_t ms;

	if (ns > 0 && !no_pwait2) {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 35)
		struct timespec ts = { .tv_sec = ns / SEC, .tv_nsec = ns % SEC };
		int n = epoll_pwait2(q->epoll, evs, BATCH, &ts, NULL);

		if (n >= 0 || errno != ENOSYS)
			return n;
#endif
		no_pwait2 = true;
	}
	ms = ns <= 0 ? ns : (ns - 1) / 1000000 + 1;
	if (ms > INT32_MAX)
		ms = INT32_MAX;
	return epoll_wait(q->epoll, evs, BATCH, (int)ms);
}

/*
 * Returns the number of events. One epoll_wait comes before each look at the
 * ready list, so that bits of one knote that belong together stay together.
 */
static int
wait_events(struct kq *q, struct kevent *out, int room, int64_t until)
{
	struct epoll_event evs[BATCH];
	int n = 0;

	for (int idle = 0;; idle++) {
		int64_t left = -1;
		int seen;

		wake(q);
		if (q->nready > 0 || until == 0)
			left = 0;
		else if (until > 0 && (left = until - kq_now()) < 0)
			left = 0;
		if ((seen = wait_ns(q, evs, left)) < 0)
			return -1;
		for (int i = 0; i < seen; i++)
			dispatch(q, &evs[i]);
		if ((n = collect(q, out, room)) > 0)
			break;
		/* Records that tell nobody anything must not keep us here. */
		if (left == 0 && q->nready == 0 && until >= 0 && (seen == 0 || idle > 64))
			if (until == 0 || kq_now() >= until)
				break;
	}
	wake(q);
	return n;
}

/* 0 = do not wait, -1 = for ever, else a point of the monotonic clock. */
static int64_t
deadline(const struct timespec *timeout)
{
	if (timeout == NULL)
		return -1;
	if (timeout->tv_sec == 0 && timeout->tv_nsec == 0)
		return 0;
	if (timeout->tv_sec > INT64_MAX / SEC / 2)
		return -1;
	return kq_now() + timeout->tv_sec * SEC + timeout->tv_nsec;
}

int
kevent(int kq, const struct kevent *changelist, int nchanges, struct kevent *eventlist,
    int nevents, const struct timespec *timeout)
{
	struct kq *q = find(kq);
	int n;

	if (q == NULL) {
		errno = EBADF;
		return -1;
	}
	if (nchanges < 0 || nevents < 0 ||
	    (timeout != NULL &&
	        (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= SEC))) {
		errno = EINVAL;
		return -1;
	}
	n = change_all(q, changelist, nchanges, eventlist, nevents);
	if (n == 0 && nevents > 0)
		return wait_events(q, eventlist, nevents, deadline(timeout));
	wake(q);
	return n;
}

int
kqueue_inject(int kq, int fd, unsigned fflags, unsigned flags)
{
	struct kq *q = find(kq);
	struct slot *s = q != NULL ? kq_slot(q, fd) : NULL;

	if (s == NULL || s->vnode == NULL) {
		errno = ENOENT;
		return -1;
	}
	if (flags & EV_EOF)
		s->vnode->revoked = true;
	kq_vnode_post(q, s->vnode, fflags);
	kq_activate(q, s->vnode);
	wake(q);
	return 0;
}

int
kqueue_inject_overflow(int kq)
{
	struct kq *q = find(kq);

	if (q == NULL) {
		errno = EBADF;
		return -1;
	}
	kq_vnode_overflow(q);
	wake(q);
	return 0;
}

int
kqueue_count_knotes(int kq)
{
	struct kq *q = find(kq);

	return q != NULL ? (int)q->nknotes : -1;
}

int
kqueue_count_watches(int kq)
{
	struct kq *q = find(kq);

	return q != NULL ? (int)q->nnodes : -1;
}
