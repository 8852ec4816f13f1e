/*
 * SPDX-License-Identifier: MIT
 *
 * Knotes: where they are kept, and which of them are ready. They stand in a
 * round-robin list, so a call costs what it reports, and no more with more knotes.
 */
#include "knote.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "faults.h"

int
kq_poll_add(struct kq *q, int fd, uint32_t events, int source)
{
	struct epoll_event ev = { .events = events, .data.u64 = KQ_DATA(source, fd) };

	return epoll_ctl(q->epoll, EPOLL_CTL_ADD, fd, &ev);
}

/* Where the knote is kept; NULL if there can be none yet. */
static struct knote **
place(const struct kq *q, uintptr_t ident, int filter)
{
	return ident < q->nslots ? &q->slots[ident].knotes[~filter] : NULL;
}

struct knote *
kq_knote(const struct kq *q, uintptr_t ident, int filter)
{
	struct knote **p = place(q, ident, filter);

	return p != NULL ? *p : NULL;
}

/* Makes room for the slot of an ident: the number of slots doubles. */
static int
grow(struct kq *q, size_t ident)
{
	size_t want = q->nslots ? q->nslots : 64;
	struct slot *more;

	while (want <= ident)
		want *= 2;
	if (want == q->nslots)
		return 0;
	if ((more = realloc(q->slots, want * sizeof(*more))) == NULL)
		return ENOMEM;
	memset(more + q->nslots, 0, (want - q->nslots) * sizeof(*more));
	q->slots = more;
	q->nslots = want;
	return 0;
}

int
kq_insert(struct kq *q, struct knote *kn)
{
	int error = grow(q, (size_t)kn->ident);

	if (error == 0) {
		*place(q, (uintptr_t)kn->ident, kn->filter) = kn;
		q->nknotes++;
	}
	return error;
}

void
kq_drop(struct kq *q, struct knote *kn)
{
	kq_idle(q, kn);
	if (kn->echo_at != 0)
		TAILQ_REMOVE(&q->faults.echoes, kn, echo);
	*place(q, (uintptr_t)kn->ident, kn->filter) = NULL;
	kn->ops->detach(q, kn);
	q->nknotes--;
	free(kn);
}

bool
kq_drop_fd(struct kq *q, int fd)
{
	bool any = false;

	for (int i = 0; i < KQ_FILTERS; i++) {
		struct knote *kn = kq_knote(q, (uintptr_t)fd, ~i);

		if (kn == NULL || !kn->ops->isfd)
			continue;
		kq_drop(q, kn);
		any = true;
	}
	return any;
}

bool
kq_is_same_file(const struct knote *kn, struct stat *st)
{
	return fstat(kn->ident, st) == 0 && st->st_dev == kn->dev &&
	       st->st_ino == kn->ino;
}

void
kq_ready(struct kq *q, struct knote *kn)
{
	TAILQ_INSERT_TAIL(&q->ready, kn, queue);
	kn->list = KN_READY;
	q->nready++;
}

void
kq_idle(struct kq *q, struct knote *kn)
{
	if (kn->list == KN_READY) {
		TAILQ_REMOVE(&q->ready, kn, queue);
		q->nready--;
	} else if (kn->list == KN_AGAIN) {
		TAILQ_REMOVE(&q->again, kn, queue);
	} else if (kn->list == KN_HELD) {
		TAILQ_REMOVE(&q->faults.held, kn, queue);
	}
	kn->list = KN_IDLE;
}

bool
kq_is_active(const struct knote *kn)
{
	return kn->pending != 0 || kn->revoked || kn->maybe_ready || kn->data > 0;
}

void
kq_activate(struct kq *q, struct knote *kn)
{
	if (kn->disabled || kn->list != KN_IDLE || !kq_is_active(kn))
		return;
	if (q->faults.merge && kn->filter == EVFILT_VNODE)
		kq_faults_hold(q, kn);
	else
		kq_ready(q, kn);
}

void
kq_wake(struct kq *q)
{
	uint64_t one = 1;
	bool want = q->nready > 0;

	if (want == q->awake)
		return;
	if (want ? write(q->wake, &one, sizeof(one)) > 0
		 : read(q->wake, &one, sizeof(one)) > 0)
		q->awake = want;
}
