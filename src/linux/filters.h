/*
 * SPDX-License-Identifier: MIT
 *
 * Private to the shim: the filters that there are (io.c, vnode.c, signal.c), and what
 * only drains: the mount table and the timer of the faults (vnode.c).
 */
#ifndef LINUX_FILTERS_H
#define LINUX_FILTERS_H

#include "kq.h"

extern const struct filter kq_read, kq_write, kq_vnode, kq_signal;
extern const struct filter kq_mounts, kq_timer;

#endif
