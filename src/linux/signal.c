/*
 * SPDX-License-Identifier: MIT
 *
 * EVFILT_SIGNAL. signalfd reads a signal only while it is blocked, and then even if
 * it is ignored. So it is blocked as long as a knote wants it, and a handler for it
 * does not run. Children inherit the mask, also over exec: who spawns must reset it.
 * Two of one signal may count as one.
 */
#include "filters.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "knote.h"
#include "kqueue.h"

static int
update(struct kq *q)
{
	int fd = signalfd(q->signal, &q->sigset, SFD_NONBLOCK | SFD_CLOEXEC);

	if (fd < 0)
		return errno;
	if (q->signal < 0 && kq_poll_add(q, fd, EPOLLIN, KQ_SIGNAL) != 0) {
		int error = errno;

		close(fd);
		return error;
	}
	q->signal = fd;
	return 0;
}

static int
attach(struct kq *q, struct knote *kn)
{
	sigset_t one, old;
	int error;

	if (kn->ident <= 0 || kn->ident >= NSIG)
		return EINVAL;
	sigaddset(&q->sigset, kn->ident);
	if ((error = update(q)) != 0) {
		sigdelset(&q->sigset, kn->ident);
		return error;
	}
	sigemptyset(&one);
	sigaddset(&one, kn->ident);
	sigprocmask(SIG_BLOCK, &one, &old);
	kn->was_blocked = sigismember(&old, kn->ident) == 1;
	return 0;
}

static void
detach(struct kq *q, struct knote *kn)
{
	sigset_t one;

	sigdelset(&q->sigset, kn->ident);
	if (q->epoll >= 0)
		update(q);
	if (kn->was_blocked || !kq_is_ours(q))
		return;
	sigemptyset(&one);
	sigaddset(&one, kn->ident);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
}

static bool
fire(struct kq *q, struct knote *kn, struct kevent *out)
{
	(void)q;
	out->flags |= EV_CLEAR;
	out->data = kn->data;
	kn->data = 0;
	return true;
}

static void
drain(struct kq *q, int fd, uint32_t events)
{
	struct signalfd_siginfo info[16];
	ssize_t len = read(fd, info, sizeof(info));

	(void)events;
	for (size_t i = 0; len > 0 && i < (size_t)len / sizeof(info[0]); i++) {
		struct knote *kn = kq_knote(q, info[i].ssi_signo, EVFILT_SIGNAL);

		if (kn == NULL)
			continue;
		kn->data++;
		kq_activate(q, kn);
	}
}

const struct filter kq_signal = { false, attach, detach, fire, NULL, drain };
