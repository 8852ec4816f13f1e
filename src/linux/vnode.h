/*
 * SPDX-License-Identifier: MIT
 *
 * Private to the shim: EVFILT_VNODE, for who injects events.
 */
#ifndef LINUX_VNODE_H
#define LINUX_VNODE_H

#include "kq.h"

/* Something happened to the knote's file: those of the notes that were asked for. */
void kq_vnode_post(struct kq *q, struct knote *kn, uint32_t notes);

/* inotify's queue was full: anything may have been lost. */
void kq_vnode_overflow(struct kq *q);

#endif
