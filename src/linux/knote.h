/*
 * SPDX-License-Identifier: MIT
 *
 * Private to the shim: where knotes are kept, and which of them are ready.
 */
#ifndef LINUX_KNOTE_H
#define LINUX_KNOTE_H

#include "kq.h"

/* What epoll returns for the fd of a source. */
#define KQ_DATA(source, fd) ((uint64_t)(source) << 32 | (uint32_t)(fd))
int kq_poll_add(struct kq *q, int fd, uint32_t events, int source);

/* The knote of an ident and the id of a filter, or NULL. */
struct knote *kq_knote(const struct kq *q, uintptr_t ident, int filter);

/* Takes a knote that is attached; 0 or an errno. */
int kq_insert(struct kq *q, struct knote *kn);

/* Detaches and frees it; all that a descriptor has: was there one? */
void kq_drop(struct kq *q, struct knote *kn);
bool kq_drop_fd(struct kq *q, int fd);

/*
 * Does the knote's descriptor still name the file that it was added for? It may have
 * been closed without close(), and its number used again. The same file opened again
 * under the same number looks like the old one.
 */
bool kq_is_same_file(const struct knote *kn, struct stat *st);

/* Into the list of those that are ready, and out of any. */
void kq_ready(struct kq *q, struct knote *kn);
void kq_idle(struct kq *q, struct knote *kn);

/* Has it something to report? Then it becomes ready, unless it is disabled. */
bool kq_is_active(const struct knote *kn);
void kq_activate(struct kq *q, struct knote *kn);

/* Makes the epoll descriptor readable for others as long as a knote is ready. */
void kq_wake(struct kq *q);

#endif
