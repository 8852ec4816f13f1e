/*
 * SPDX-License-Identifier: MIT
 *
 * kevent(2): the table of filters, changes, delivery and waiting. What the filters
 * see arrives by one epoll.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "faults.h"
#include "filters.h"
#include "knote.h"
#include "kqueue.h"

#define BATCH 64
#define SEC 1000000000LL
/* Wakeups for nothing: so many, each so soon after the one before, and then a rest. */
#define VAIN_MANY 16
#define VAIN_SOON_NS 10000000
#define REST_NS 2000000
#define FLAGS_KEPT (EV_ADD | EV_ONESHOT | EV_CLEAR | EV_RECEIPT | EV_DISPATCH)

/* The wake descriptor only has to make epoll readable. */
static const struct filter *const sources[KQ_SOURCES] = {
	[KQ_READ] = &kq_read,
	[KQ_WRITE] = &kq_write,
	[KQ_VNODE] = &kq_vnode,
	[KQ_SIGNAL] = &kq_signal,
	[KQ_MOUNTS] = &kq_mounts,
	[KQ_TIMER] = &kq_timer,
};

/*
 * Is the file behind the knote's descriptor still the one it was added for? While a
 * call is under way nobody closes it.
 */
static bool
same_file(const struct kq *q, const struct knote *kn)
{
	struct stat st;

	return !kn->ops->isfd || kn->same_in == q->calls || kq_is_same_file(kn, &st);
}

/*
 * xnu's knote_touch: every change but EV_DELETE, also EV_ENABLE and EV_DISABLE,
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
	} else if (kev->flags & (EV_ADD | EV_ENABLE)) {
		kn->disabled = false;
	}
	if (kn->ops->touched != NULL)
		kn->ops->touched(q, kn);
	kq_activate(q, kn);
}

/* Returns 0 or an errno. */
static int
add(struct kq *q, const struct filter *ops, const struct kevent *kev)
{
	struct knote *kn;
	int error;

	if (kev->ident > INT32_MAX)
		return ops->isfd ? EBADF : EINVAL;
	if ((kn = calloc(1, sizeof(*kn))) == NULL)
		return ENOMEM;
	kn->ident = (int)kev->ident;
	kn->filter = kev->filter;
	kn->ops = ops;
	kn->flags = kev->flags & FLAGS_KEPT;
	kn->asked = kev->fflags;
	kn->udata = kev->udata;
	kn->disabled = kev->flags & EV_DISABLE;
	if ((error = ops->attach(q, kn)) == 0 && (error = kq_insert(q, kn)) != 0)
		ops->detach(q, kn);
	if (error != 0)
		free(kn);
	return error;
}

/* One change. Returns 0 or an errno. */
static int
change(struct kq *q, const struct kevent *kev)
{
	int i = ~kev->filter;
	struct knote *kn;

	if (i < 0 || i >= KQ_FILTERS || sources[i] == NULL)
		return EINVAL;
	kn = kq_knote(q, kev->ident, kev->filter);
	if (kn != NULL && !same_file(q, kn)) {
		kq_drop_fd(q, kn->ident);
		kn = NULL;
	}
	if (kn == NULL) {
		if ((kev->flags & EV_DELETE) || !(kev->flags & EV_ADD))
			return ENOENT;
		return add(q, sources[i], kev);
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
	return kn->ops->fire(q, kn, out);
}

/* Delivers one ready knote, and puts it into the list where it belongs then. */
static bool
deliver(struct kq *q, struct knote *kn, struct kevent *out)
{
	kq_idle(q, kn);
	if (!same_file(q, kn)) {
		kq_drop_fd(q, kn->ident);
		return false;
	}
	if (!fire(q, kn, out))
		return false;
	if (out->flags & EV_ONESHOT) {
		kq_drop(q, kn);
		return true;
	}
	if (kn->flags & EV_DISPATCH) {
		kn->disabled = true;
	} else if (kq_is_active(kn)) {
		TAILQ_INSERT_TAIL(&q->again, kn, queue);
		kn->list = KN_AGAIN;
	}
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

/* A knote that stays ready goes to the end, and is not delivered twice in a call. */
static int
collect(struct kq *q, struct kevent *out, int room)
{
	struct knote *kn;
	int n = 0;

	while (n < room && q->nready > 0)
		if (deliver(q, pick(q), &out[n]))
			n++;
	while ((kn = TAILQ_FIRST(&q->again)) != NULL) {
		kq_idle(q, kn);
		kq_ready(q, kn);
	}
	return n;
}

static void
dispatch(struct kq *q, const struct epoll_event *ev)
{
	const struct filter *source = sources[ev->data.u64 >> 32];

	if (source != NULL)
		source->drain(q, (int)ev->data.u64, ev->events);
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
 * Woken for nothing. If that has happened again and again, somebody makes records
 * without end that no knote is for (a kernel would wake nobody): they are left for a
 * moment, to be read together.
 */
static void
woken_in_vain(struct kq *q, int64_t until)
{
	int64_t now = kq_now();
	struct timespec ts = { .tv_nsec = REST_NS };

	q->vain = now - q->vain_at < VAIN_SOON_NS ? q->vain + 1 : 0;
	if (until >= 0 && until - now < REST_NS)
		ts.tv_nsec = until > now ? (long)(until - now) : 0;
	if (q->vain >= VAIN_MANY)
		nanosleep(&ts, NULL);
	q->vain_at = kq_now();
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

		kq_wake(q);
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
		if (left != 0 && seen > 0)
			woken_in_vain(q, until);
		/* Records that nobody asked for must not keep us here. */
		if (left == 0 && q->nready == 0 && until >= 0 && (seen == 0 || idle > 0))
			if (until == 0 || kq_now() >= until)
				break;
	}
	kq_wake(q);
	return n;
}

/* xnu's timespec_is_valid: not more seconds than 32 bits hold. */
static bool
is_valid(const struct timespec *t)
{
	return t->tv_sec >= 0 && t->tv_sec <= INT32_MAX && t->tv_nsec >= 0 &&
	       t->tv_nsec < SEC;
}

/* 0 = do not wait, -1 = for ever, else a point of the monotonic clock. */
static int64_t
deadline(const struct timespec *timeout)
{
	if (timeout == NULL)
		return -1;
	if (timeout->tv_sec == 0 && timeout->tv_nsec == 0)
		return 0;
	return kq_now() + timeout->tv_sec * SEC + timeout->tv_nsec;
}

int
kevent(int kq, const struct kevent *changelist, int nchanges, struct kevent *eventlist,
    int nevents, const struct timespec *timeout)
{
	struct kq *q = kq_find(kq);
	int n;

	if (q == NULL) {
		errno = EBADF;
		return -1;
	}
	if (nchanges < 0 || nevents < 0 || (timeout != NULL && !is_valid(timeout))) {
		errno = EINVAL;
		return -1;
	}
	q->calls++;
	n = change_all(q, changelist, nchanges, eventlist, nevents);
	if (n == 0 && nevents > 0)
		return wait_events(q, eventlist, nevents, deadline(timeout));
	kq_wake(q);
	return n;
}
