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

struct knote *
kq_knote(const struct kq *q, uintptr_t ident, int filter)
{
	struct knote *kn = ident < q->nidents ? q->knotes[ident] : NULL;

	while (kn != NULL && kn->filter != filter)
		kn = kn->next;
	return kn;
}

/* Makes room for an ident: the table doubles. */
static int
grow(struct kq *q, size_t ident)
{
	size_t want = q->nidents ? q->nidents : 64;
	struct knote **more;

	while (want <= ident)
		want *= 2;
	if (want == q->nidents)
		return 0;
	if ((more = realloc(q->knotes, want * sizeof(struct knote *))) == NULL)
		return ENOMEM;
	memset(more + q->nidents, 0, (want - q->nidents) * sizeof(struct knote *));
	q->knotes = more;
	q->nidents = want;
	return 0;
}

int
kq_insert(struct kq *q, struct knote *kn)
{
	int error = grow(q, (size_t)kn->ident);

	if (error == 0) {
		kn->next = q->knotes[kn->ident];
		q->knotes[kn->ident] = kn;
		q->nknotes++;
	}
	return error;
}

void
kq_drop(struct kq *q, struct knote *kn)
{
	struct knote **at = &q->knotes[kn->ident];

	kq_idle(q, kn);
	kq_faults_forget(q, kn);
	while (*at != kn)
		at = &(*at)->next;
	*at = kn->next;
	kn->ops->detach(q, kn);
	q->nknotes--;
	free(kn);
}

bool
kq_drop_fd(struct kq *q, int fd)
{
	struct knote *kn = (size_t)fd < q->nidents ? q->knotes[fd] : NULL, *next;
	bool any = false;

	for (; kn != NULL; kn = next) {
		next = kn->next;
		if (!kn->ops->isfd)
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
	if (!kq_faults_hold(q, kn))
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
