/* SPDX-License-Identifier: MIT */
/*
 * The loop: what is registered is called, once per turn, until a deadline.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/event.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/loop.h"
#include "test.h"

/* What one source was called with. */
struct calls {
	struct loop_src src;
	int n;
	unsigned fflags;
	intptr_t data;
	bool eof;
};

static struct loop *loop;
static char file[PATH_MAX];

static void
on_event(void *arg, const struct loop_event *ev)
{
	struct calls *c = arg;

	c->n++;
	c->fflags |= ev->fflags;
	c->data = ev->data;
	c->eof = ev->eof;
}

static void
calls_init(struct calls *c)
{
	*c = (struct calls){ .src = { on_event, c } };
}

static mono_t
in_ms(int64_t ms)
{
	return mono_add(mono_now(), ms * MONO_MS);
}

/* Everything that is ready; how many were called. */
static int
drain(void)
{
	int n = 0;

	while (loop_wait(loop, mono_now()) == 1)
		n++;
	return n;
}

SET_UP
{
	const char *tmp = getenv("TMPDIR");
	int fd;

	snprintf(file, sizeof(file), "%s/test_loop.XXXXXX", tmp != NULL ? tmp : "/tmp");
	fd = mkstemp(file);
	assert_int_not_equal(fd, -1);
	close(fd);
	loop = loop_new();
	assert_non_null(loop);
}

TEAR_DOWN
{
	loop_free(loop);
	unlink(file);
}

static void
write_file(void)
{
	int fd = open(file, O_WRONLY | O_APPEND);

	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

static int
watch_file(struct calls *c)
{
	int fd = open(file, O_EVTONLY | O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	calls_init(c);
	assert_int_equal(loop_watch_vnode(loop, fd, &c->src), 0);
	return fd;
}

TEST(a_change_of_a_file_is_told_once)
{
	struct calls c;
	int fd = watch_file(&c);

	assert_int_equal(drain(), 0);
	write_file();
	assert_int_equal(loop_wait(loop, in_ms(5000)), 1);
	assert_true((c.fflags & NOTE_WRITE) != 0);
	assert_false(c.eof);
	drain();
	c.n = 0;
	assert_int_equal(loop_wait(loop, in_ms(1)), 0);
	assert_int_equal(c.n, 0);
	c.fflags = 0;
	assert_int_equal(chmod(file, 0600), 0);
	assert_int_equal(loop_wait(loop, in_ms(5000)), 1);
	assert_int_equal(c.fflags, NOTE_ATTRIB);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(loop_wait(loop, in_ms(5000)), 1);
	assert_true((c.fflags & NOTE_DELETE) != 0);
	close(fd);
}

TEST(a_muted_file_tells_in_one_event_what_happened_meanwhile)
{
	struct calls c;
	int fd = watch_file(&c);

	loop_mute_vnode(loop, fd, &c.src);
	write_file();
	assert_int_equal(chmod(file, 0600), 0);
	assert_int_equal(drain(), 0);
	write_file();
	assert_int_equal(drain(), 0);
	loop_unmute_vnode(loop, fd, &c.src);
	assert_int_equal(loop_wait(loop, in_ms(5000)), 1);
	assert_int_equal(c.n, 1);
	assert_int_equal(c.fflags & (NOTE_WRITE | NOTE_ATTRIB), NOTE_WRITE | NOTE_ATTRIB);
	assert_int_equal(drain(), 0);
	write_file();
	assert_int_equal(loop_wait(loop, in_ms(5000)), 1);
	close(fd);
}

TEST(what_is_muted_after_it_happened_is_told_after_unmuting)
{
	struct calls c;
	int fd = watch_file(&c);

	write_file();
	loop_mute_vnode(loop, fd, &c.src);
	assert_int_equal(drain(), 0);
	loop_unmute_vnode(loop, fd, &c.src);
	assert_int_equal(drain(), 1);
	assert_int_equal(c.n, 1);
	close(fd);
}

TEST(registering_again_replaces_the_source)
{
	struct calls a, b;
	int fd = watch_file(&a);

	calls_init(&b);
	assert_int_equal(loop_watch_vnode(loop, fd, &b.src), 0);
	write_file();
	assert_int_equal(drain(), 1);
	assert_int_equal(a.n, 0);
	assert_int_equal(b.n, 1);
	close(fd);
}

TEST(closing_a_descriptor_drops_what_it_had_to_tell)
{
	struct calls c;
	int fd = watch_file(&c);

	write_file();
	close(fd);
	assert_int_equal(drain(), 0);
	assert_int_equal(c.n, 0);
}

TEST(what_cannot_be_watched_is_an_error)
{
	struct calls c;
	int p[2];

	calls_init(&c);
	assert_int_equal(loop_watch_vnode(loop, 999, &c.src), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(loop_watch_read(loop, 999, &c.src), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(pipe(p), 0);
	assert_int_equal(loop_watch_vnode(loop, p[0], &c.src), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(loop_watch_signal(loop, 9999, &c.src), -1);
	close(p[0]);
	close(p[1]);
	/* And taking away what is not there is none. */
	loop_ignore_read(loop, 999);
	loop_mute_vnode(loop, 999, &c.src);
	assert_int_equal(drain(), 0);
}

TEST(a_descriptor_is_told_as_long_as_it_can_be_read)
{
	struct calls c;
	char buf[8];
	int p[2];

	calls_init(&c);
	assert_int_equal(pipe(p), 0);
	assert_int_equal(loop_watch_read(loop, p[0], &c.src), 0);
	assert_int_equal(loop_wait(loop, in_ms(1)), 0);
	assert_int_equal(write(p[1], "abc", 3), 3);
	assert_int_equal(loop_wait(loop, in_ms(5000)), 1);
	assert_int_equal(c.data, 3);
	assert_int_equal(loop_wait(loop, in_ms(5000)), 1);
	assert_int_equal(read(p[0], buf, sizeof(buf)), 3);
	assert_int_equal(drain(), 0);
	close(p[1]);
	assert_int_equal(loop_wait(loop, in_ms(5000)), 1);
	assert_true(c.eof);
	loop_ignore_read(loop, p[0]);
	assert_int_equal(drain(), 0);
	close(p[0]);
}

TEST(a_descriptor_is_told_as_long_as_it_can_be_written)
{
	static const char text[4096];
	struct calls r, w;
	int s[2];

	calls_init(&r);
	calls_init(&w);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	assert_int_equal(loop_watch_read(loop, s[0], &r.src), 0);
	assert_int_equal(loop_watch_write(loop, s[0], &w.src), 0);
	assert_int_equal(loop_wait(loop, in_ms(5000)), 1);
	assert_int_equal(loop_wait(loop, in_ms(5000)), 1);
	assert_int_equal(w.n, 2);
	assert_int_equal(r.n, 0);
	while (send(s[0], text, sizeof(text), MSG_DONTWAIT) > 0)
		continue;
	assert_int_equal(drain(), 0);
	assert_int_equal(write(s[1], "x", 1), 1);
	assert_int_equal(loop_wait(loop, in_ms(5000)), 1);
	assert_int_equal(r.n, 1);
	assert_int_equal(w.n, 2);
	close(s[0]);
	close(s[1]);
	assert_int_equal(drain(), 0);
}

TEST(an_ignored_signal_is_told)
{
	struct calls c;

	calls_init(&c);
	signal(SIGUSR1, SIG_IGN);
	assert_int_equal(loop_watch_signal(loop, SIGUSR1, &c.src), 0);
	assert_int_equal(drain(), 0);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	assert_int_equal(loop_wait(loop, in_ms(5000)), 1);
	assert_true(c.data >= 1);
	assert_int_equal(drain(), 0);
	assert_int_equal(c.n, 1);
}

TEST(a_wait_ends_at_its_deadline_and_not_before)
{
	mono_t deadline;
	int i;

	assert_int_equal(loop_wait(loop, mono_now()), 0);
	assert_int_equal(loop_wait(loop, (mono_t){ INT64_MIN }), 0);
	assert_int_equal(loop_wait(loop, (mono_t){ 0 }), 0);
	for (i = 0; i < 5; i++) {
		deadline = mono_add(in_ms(10), 300000);
		while (loop_wait(loop, deadline) == 1)
			;
		assert_false(mono_before(mono_now(), deadline));
	}
}

static void
on_alarm(int signo)
{
	(void)signo;
}

/* A signal after each period, in microseconds, until it is 0. */
static void
interrupt(suseconds_t period)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval often = { .it_value = { .tv_usec = period },
		.it_interval = { .tv_usec = period } };

	assert_int_equal(sigaction(SIGALRM, &sa, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
}

TEST(a_signal_handler_ends_a_wait_without_end)
{
	interrupt(20000);
	assert_int_equal(loop_wait(loop, MONO_NEVER), 0);
	interrupt(0);
}

/* kevent takes no more seconds than 32 bits hold, and -1 would end the daemon. */
TEST(a_deadline_in_a_hundred_years_is_waited_for)
{
	interrupt(20000);
	assert_int_equal(loop_wait(loop, in_ms(INT64_C(100) * 366 * 86400 * 1000)), 0);
	interrupt(0);
}

TEST(one_event_is_told_per_turn)
{
	struct calls c[3];
	int p[3][2], i;

	for (i = 0; i < 3; i++) {
		calls_init(&c[i]);
		assert_int_equal(pipe(p[i]), 0);
		assert_int_equal(loop_watch_read(loop, p[i][0], &c[i].src), 0);
		assert_int_equal(write(p[i][1], "x", 1), 1);
	}
	for (i = 1; i <= 3; i++) {
		assert_int_equal(loop_wait(loop, in_ms(5000)), 1);
		assert_int_equal(c[0].n + c[1].n + c[2].n, i);
	}
	/* All in turn, though all of them go on being ready. */
	for (i = 0; i < 3; i++) {
		assert_int_equal(c[i].n, 1);
		close(p[i][0]);
		close(p[i][1]);
	}
}

static struct {
	int own, other;
	int n;
} closing;

static void
on_event_close_both(void *arg, const struct loop_event *ev)
{
	(void)arg;
	(void)ev;
	closing.n++;
	close(closing.own);
	close(closing.other);
}

TEST(a_callback_may_close_its_own_and_other_descriptors)
{
	struct loop_src src = { on_event_close_both, NULL };
	int a[2], b[2];

	closing.n = 0;
	assert_int_equal(pipe(a), 0);
	assert_int_equal(pipe(b), 0);
	closing.own = a[0];
	closing.other = b[0];
	assert_int_equal(loop_watch_read(loop, a[0], &src), 0);
	assert_int_equal(loop_watch_read(loop, b[0], &src), 0);
	assert_int_equal(write(a[1], "x", 1), 1);
	assert_int_equal(write(b[1], "x", 1), 1);
	assert_int_equal(loop_wait(loop, in_ms(5000)), 1);
	assert_int_equal(drain(), 0);
	assert_int_equal(closing.n, 1);
	close(a[1]);
	close(b[1]);
}

/* macOS sends one now and then. */
TEST(an_event_without_a_source_is_nothing)
{
	int p[2];

	assert_int_equal(pipe(p), 0);
	assert_int_equal(loop_watch_read(loop, p[0], NULL), 0);
	assert_int_equal(write(p[1], "x", 1), 1);
	assert_int_equal(loop_wait(loop, in_ms(5000)), 0);
	close(p[0]);
	close(p[1]);
}

TEST(a_loop_that_cannot_be_made_is_null)
{
	struct rlimit old, none;

	getrlimit(RLIMIT_NOFILE, &old);
	none = (struct rlimit){ .rlim_cur = 3, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_null(loop_new());
	assert_int_equal(errno, EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	loop_free(NULL);
}

SET_UP_ALL
{
	unsetenv("KQUEUE_FAULTS");
}
