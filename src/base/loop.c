/* SPDX-License-Identifier: MIT */
/*
 * kqueue(2), thin. It knows descriptors, signals and one deadline; no timers
 * (deadlines stand in their owners' heaps) and no queues of its own.
 */
#include "base/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"

#define VNODE_NOTES                                                         \
	(NOTE_DELETE | NOTE_WRITE | NOTE_EXTEND | NOTE_ATTRIB | NOTE_LINK | \
	    NOTE_RENAME | NOTE_REVOKE)

/* xnu refuses more than INT32_MAX seconds with EINVAL (timespec_is_valid). */
#define TIMEOUT_MAX_NS (24 * 60 * 60 * MONO_SEC)

struct loop {
	int kq;
};

struct loop *
loop_new(void)
{
	struct loop *l;
	int kq = kqueue();

	if (kq == -1)
		return NULL;
	l = xcalloc(1, sizeof(*l));
	l->kq = kq;
	return l;
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	close(l->kq);
	free(l);
}

/* One change, answered by a receipt, so that no event is fetched with it. */
static int
change(struct loop *l, uintptr_t ident, int16_t filter, unsigned flags, unsigned fflags,
    struct loop_src *src)
{
	struct kevent ev;
	int n;

	EV_SET(&ev, ident, filter, (uint16_t)(flags | EV_RECEIPT), fflags, 0, src);
	do
		n = kevent(l->kq, &ev, 1, &ev, 1, NULL);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	if (n == 1 && (ev.flags & EV_ERROR) != 0 && ev.data != 0) {
		errno = (int)ev.data;
		return -1;
	}
	return 0;
}

int
loop_watch_vnode(struct loop *l, int fd, struct loop_src *src)
{
	return change(
	    l, (uintptr_t)fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, VNODE_NOTES, src);
}

void
loop_mute_vnode(struct loop *l, int fd, struct loop_src *src)
{
	change(l, (uintptr_t)fd, EVFILT_VNODE, EV_DISABLE, VNODE_NOTES, src);
}

void
loop_unmute_vnode(struct loop *l, int fd, struct loop_src *src)
{
	change(l, (uintptr_t)fd, EVFILT_VNODE, EV_ENABLE, VNODE_NOTES, src);
}

int
loop_watch_read(struct loop *l, int fd, struct loop_src *src)
{
	return change(l, (uintptr_t)fd, EVFILT_READ, EV_ADD, 0, src);
}

int
loop_watch_write(struct loop *l, int fd, struct loop_src *src)
{
	return change(l, (uintptr_t)fd, EVFILT_WRITE, EV_ADD, 0, src);
}

void
loop_ignore_read(struct loop *l, int fd)
{
	change(l, (uintptr_t)fd, EVFILT_READ, EV_DELETE, 0, NULL);
}

int
loop_watch_signal(struct loop *l, int signo, struct loop_src *src)
{
	return change(l, (uintptr_t)signo, EVFILT_SIGNAL, EV_ADD | EV_CLEAR, 0, src);
}

/* The timeout to deadline, or a part of it; NULL for ever. */
static const struct timespec *
timeout(struct timespec *ts, mono_t deadline)
{
	int64_t ns;

	if (mono_is_never(deadline))
		return NULL;
	ns = mono_sub(deadline, mono_now());
	if (ns < 0)
		ns = 0;
	if (ns > TIMEOUT_MAX_NS)
		ns = TIMEOUT_MAX_NS;
	ts->tv_sec = (time_t)(ns / MONO_SEC);
	ts->tv_nsec = (long)(ns % MONO_SEC);
	return ts;
}

int
loop_wait(struct loop *l, mono_t deadline)
{
	struct timespec ts;
	struct kevent ev;
	struct loop_event out;
	struct loop_src *src;
	int n;

	n = kevent(l->kq, NULL, 0, &ev, 1, timeout(&ts, deadline));
	if (n == -1)
		return errno == EINTR ? 0 : -1;
	/* macOS sends a stray event without udata now and then (fsnotify#717). */
	if (n == 0 || ev.udata == NULL || (ev.flags & EV_ERROR) != 0)
		return 0;
	src = ev.udata;
	out = (struct loop_event){
		.fflags = ev.fflags,
		.data = ev.data,
		.eof = (ev.flags & EV_EOF) != 0,
	};
	src->fn(src->arg, &out);
	return 1;
}
