/*
 * SPDX-License-Identifier: MIT
 *
 * Private to the shim: which kqueues there are.
 */
#ifndef LINUX_KQUEUE_H
#define LINUX_KQUEUE_H

#include "kq.h"

/* NULL: fd is no kqueue, or one of the parent of this process. */
struct kq *kq_find(int fd);
/* Not the parent's, in a forked child. */
bool kq_is_ours(const struct kq *q);

#endif
