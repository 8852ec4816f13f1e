/*
 * SPDX-License-Identifier: MIT
 *
 * Private to the shim: where something was mounted or unmounted.
 */
#ifndef LINUX_MOUNTS_H
#define LINUX_MOUNTS_H

#include "kq.h"

/* Begins to watch the mount table; harmless when that was begun before. */
void kq_mounts_watch(struct kq *q);

/* The table has changed: calls fn with the directory of each mount point concerned. */
typedef void mounts_fn(struct kq *q, const char *dir);
void kq_mounts_compare(struct kq *q, mounts_fn *fn);

void kq_mounts_free(struct kq *q);

#endif
