/*
 * SPDX-License-Identifier: MIT
 *
 * <sys/event.h> as macOS has it, for Linux: kqueue(2) and kevent(2) over epoll,
 * inotify and signalfd. Filters VNODE, SIGNAL, READ and WRITE only; the names
 * and values are those of macOS. Single-threaded use.
 */
#ifndef LINUX_SYS_EVENT_H
#define LINUX_SYS_EVENT_H

#include <stdint.h>
#include <time.h>

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EVFILT_VNODE (-4)
#define EVFILT_SIGNAL (-6)

#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ENABLE 0x0004
#define EV_DISABLE 0x0008
#define EV_ONESHOT 0x0010
#define EV_CLEAR 0x0020
#define EV_RECEIPT 0x0040
#define EV_DISPATCH 0x0080
#define EV_ERROR 0x4000
#define EV_EOF 0x8000

#define NOTE_DELETE 0x00000001
#define NOTE_WRITE 0x00000002
#define NOTE_EXTEND 0x00000004
#define NOTE_ATTRIB 0x00000008
#define NOTE_LINK 0x00000010
#define NOTE_RENAME 0x00000020
#define NOTE_REVOKE 0x00000040
#define NOTE_FUNLOCK 0x00000100

struct kevent {
	uintptr_t ident;
	int16_t filter;
	uint16_t flags;
	uint32_t fflags;
	intptr_t data;
	void *udata;
};

#define EV_SET(kevp, a, b, c, d, e, f)          \
	do {                                    \
		struct kevent *kevp__ = (kevp); \
		kevp__->ident = (uintptr_t)(a); \
		kevp__->filter = (b);           \
		kevp__->flags = (c);            \
		kevp__->fflags = (d);           \
		kevp__->data = (e);             \
		kevp__->udata = (f);            \
	} while (0)

int kqueue(void);
int kevent(int kq, const struct kevent *changelist, int nchanges,
    struct kevent *eventlist, int nevents, const struct timespec *timeout);

#endif
