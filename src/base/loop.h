/* SPDX-License-Identifier: MIT */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mono.h"

/*
 * One kqueue. One event is fetched per turn, so that no callback can meet an
 * event whose owner an earlier one freed: closing a descriptor drops what it
 * had pending.
 */
struct loop;

struct loop_event {
	unsigned fflags; /* NOTE_ bits of a vnode */
	intptr_t data;   /* bytes to read; deliveries of a signal */
	bool eof;        /* EV_EOF */
};

typedef void loop_fn(void *arg, const struct loop_event *ev);

/* Embedded in its owner; must stay where it is while registered. */
struct loop_src {
	loop_fn *fn;
	void *arg;
};

/* A new loop, or NULL with errno. Free closes the kqueue and nothing else. */
struct loop *loop_new(void);
void loop_free(struct loop *l);

/*
 * Calls src on every change of fd's file or directory (edge: EV_CLEAR), until
 * fd is closed. Registering again replaces src. 0, or -1 with errno; ENOENT if
 * the file is already dead.
 */
int loop_watch_vnode(struct loop *l, int fd, struct loop_src *src);

/*
 * Holds a vnode's events back; what happens meanwhile is delivered as one event
 * after unmuting (EV_DISABLE keeps the filter running).
 */
void loop_mute_vnode(struct loop *l, int fd, struct loop_src *src);
void loop_unmute_vnode(struct loop *l, int fd, struct loop_src *src);

/* Calls src while fd can be read, until ignored or closed; or written, until closed. */
int loop_watch_read(struct loop *l, int fd, struct loop_src *src);
int loop_watch_write(struct loop *l, int fd, struct loop_src *src);
void loop_ignore_read(struct loop *l, int fd);

/*
 * Calls src when signo arrives. Its disposition is the caller's: kqueue sees
 * ignored signals too (SIGCHLD must stay SIG_DFL).
 */
int loop_watch_signal(struct loop *l, int signo, struct loop_src *src);

/*
 * Waits until an event comes or deadline is past, and calls the event's
 * callback. Returns 1 if one was called, 0 at the deadline or after a signal
 * handler, -1 with errno if the kqueue is broken. A deadline in the past polls.
 */
int loop_wait(struct loop *l, mono_t deadline);

#endif
