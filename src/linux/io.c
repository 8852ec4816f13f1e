/*
 * SPDX-License-Identifier: MIT
 *
 * EVFILT_READ and EVFILT_WRITE. epoll is used edge-triggered and only decides when
 * to look. At delivery poll() and ioctl() decide whether a knote is ready, and with
 * how much, so that level-triggered knotes repeat, two knotes share a descriptor,
 * and a hang-up never spins. Regular files, which epoll does not take, are EINVAL
 * (macOS takes them, but it is useless for watching).
 */
#include "filters.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "knote.h"

static bool
has(const struct kq *q, int fd, int filter)
{
	return kq_knote(q, (uintptr_t)fd, filter) != NULL;
}

/* Set what epoll watches for the knotes of fd; known: it watches it already. */
static int
interest(struct kq *q, int fd, bool in, bool out, bool known)
{
	struct epoll_event ev = { .data.u64 = KQ_DATA(KQ_READ, fd) };

	ev.events = (in ? EPOLLIN | EPOLLRDHUP : 0) | (out ? EPOLLOUT : 0) | EPOLLET;
	if (!in && !out)
		return epoll_ctl(q->epoll, EPOLL_CTL_DEL, fd, &ev);
	if (epoll_ctl(q->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev) == 0)
		return 0;
	/* It may have been closed behind our back, and opened again. */
	if (errno != (known ? ENOENT : EEXIST))
		return -1;
	return epoll_ctl(q->epoll, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &ev);
}

static int
attach(struct kq *q, struct knote *kn)
{
	bool in = has(q, kn->ident, EVFILT_READ), out = has(q, kn->ident, EVFILT_WRITE);
	struct stat st;

	if (fstat(kn->ident, &st) != 0)
		return errno;
	kn->dev = st.st_dev;
	kn->ino = st.st_ino;
	if (interest(q, kn->ident, in || kn->filter == EVFILT_READ,
		out || kn->filter == EVFILT_WRITE, in || out) == 0)
		return 0;
	/* EPERM: nothing to poll. EBADF: O_PATH, the descriptor itself is fine. */
	return errno == EPERM || errno == EBADF ? EINVAL : errno;
}

static void
detach(struct kq *q, struct knote *kn)
{
	/* On failure the descriptor is gone, and epoll's interest with it. */
	if (q->epoll >= 0)
		interest(q, kn->ident, has(q, kn->ident, EVFILT_READ),
		    has(q, kn->ident, EVFILT_WRITE), true);
}

static void
touched(struct kq *q, struct knote *kn)
{
	(void)q;
	kn->maybe_ready |= !kn->disabled;
}

static void
mark(struct kq *q, int fd, int filter)
{
	struct knote *kn = kq_knote(q, (uintptr_t)fd, filter);

	if (kn != NULL) {
		kn->maybe_ready = true;
		kq_activate(q, kn);
	}
}

/* One epoll event is for both filters. */
static void
drain(struct kq *q, int fd, uint32_t events)
{
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		mark(q, fd, EVFILT_READ);
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		mark(q, fd, EVFILT_WRITE);
}

/* Bytes to read; 1 where only the kernel knows, as for a listening socket. */
static intptr_t
readable(int fd, int revents)
{
	int n = 0;

	if (ioctl(fd, FIONREAD, &n) == 0 && n > 0)
		return n;
	return (revents & POLLIN) && !(revents & (POLLHUP | POLLRDHUP)) ? 1 : 0;
}

/* Room to write: the buffer's size less what is in it, at least 1. */
static intptr_t
writable(int fd)
{
	int size, used = 0;
	socklen_t len = sizeof(size);

	if ((size = fcntl(fd, F_GETPIPE_SZ)) >= 0)
		(void)ioctl(fd, FIONREAD, &used);
	else if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len) == 0)
		(void)ioctl(fd, SIOCOUTQ, &used);
	return size > used ? size - used : 1;
}

static bool
fire(struct kq *q, struct knote *kn, struct kevent *out)
{
	bool in = kn->filter == EVFILT_READ;
	struct pollfd p = { .fd = kn->ident,
		.events = in ? POLLIN | POLLRDHUP : POLLOUT };

	(void)q;
	kn->maybe_ready = false;
	if (poll(&p, 1, 0) <= 0 || p.revents == 0 || (p.revents & POLLNVAL))
		return false;
	if (p.revents & (POLLHUP | POLLERR | (in ? POLLRDHUP : 0)))
		out->flags |= EV_EOF;
	out->data = in ? readable(kn->ident, p.revents) : writable(kn->ident);
	/* Without EV_CLEAR it repeats until a look finds it no longer ready. */
	kn->maybe_ready = !(kn->flags & EV_CLEAR);
	return true;
}

const struct filter kq_read = { true, attach, detach, fire, touched, drain };
const struct filter kq_write = { true, attach, detach, fire, touched, NULL };
