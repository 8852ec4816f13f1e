/*
 * SPDX-License-Identifier: MIT
 *
 * Calls for tests: events that macOS's kernel reports and Linux cannot see, such as
 * the ATTRIB of an mmap, the WRITE of a pageout, the end of a volume. Where this
 * file is absent, a test runs on a native kqueue.
 */
#ifndef LINUX_KQUEUE_TEST_H
#define LINUX_KQUEUE_TEST_H

/*
 * Post fflags (filtered by what was asked) to the EVFILT_VNODE knote of fd.
 * With EV_EOF in flags the vnode is revoked: the event is delivered whatever
 * was asked, and the knote goes with it. Returns -1 (ENOENT) without a knote.
 */
int kqueue_inject(int kq, int fd, unsigned fflags, unsigned flags);

/* As if inotify's queue had overflowed. Returns -1 (EBADF) for no kqueue. */
int kqueue_inject_overflow(int kq);

/*
 * For leak tests: how many knotes, and how many inotify watches (parents of
 * watched directories included) the kqueue holds; -1 for no kqueue.
 */
int kqueue_count_knotes(int kq);
int kqueue_count_watches(int kq);

#endif
