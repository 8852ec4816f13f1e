/* SPDX-License-Identifier: MIT */
/*
 * Real children on a real loop. The children are mostly this program itself,
 * which then tells what it found, or does what no shell can. What tells that a
 * process lives is a FIFO that it holds open: its end comes with the last one.
 */
#include "run/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/become.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mono.h"
#include "base/platform.h"
#include "base/util.h"
#include "base/fd.h"
#include "test.h"

#define PATIENCE (30 * MONO_SEC)

extern char **environ;

/* A platform that keeps awake, in place of the real one. */
static const char *const awake[] = { "/usr/bin/env", "AWAKE=yes", NULL };
const char *const *const platform_keep_awake = awake;

static char self[PATH_MAX], sandbox[PATH_MAX];
static struct loop *loop;
static struct spawner *spawner;
static bool inside; /* one of spawn's functions */
static struct rlimit first_limit;

/* A sanitizer must not catch signals in a child that says who catches which. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_abort=0";
}

const char *__lsan_default_options(void);
const char *
__lsan_default_options(void)
{
	return __asan_default_options();
}

/* The children's side */

static void
say_signals(void)
{
	struct sigaction sa;
	sigset_t mask;
	int i;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (i = 1; i < NSIG; i++) {
		if (sigaction(i, NULL, &sa) == 0 && sa.sa_handler != SIG_DFL)
			printf("caught or ignored %d\n", i);
		if (sigismember(&mask, i) == 1)
			printf("blocked %d\n", i);
	}
}

static int
child_report(void)
{
	struct stat st, null, err;
	struct rlimit rl;
	char cwd[PATH_MAX];
	int i;

	printf("leader %d %d\n", getpgrp() == getpid(), getsid(0) == getpid());
	say_signals();
	stat("/dev/null", &null);
	printf("stdin %d\n", fstat(0, &st) == 0 && st.st_rdev == null.st_rdev);
	fstat(1, &st);
	fstat(2, &err);
	printf("pipe %d %d\n", S_ISFIFO(st.st_mode), st.st_ino == err.st_ino);
	for (i = 3; i < 4096; i++) {
		if (fcntl(i, F_GETFD) != -1)
			printf("fd %d\n", i);
	}
	getrlimit(RLIMIT_NOFILE, &rl);
	printf("limit %llu\n", (unsigned long long)rl.rlim_cur);
	printf("cwd %s\n", getcwd(cwd, sizeof(cwd)) != NULL ? cwd : "?");
	printf("uid %d\nnice %d\n", (int)getuid(), getpriority(PRIO_PROCESS, 0));
	for (i = 0; environ[i] != NULL; i++)
		printf("env %s\n", environ[i]);
	return 0;
}

/*
 * Leaves a process behind that holds the FIFO alive; when somebody opens the
 * FIFO go for writing, it writes 1 MiB and a line to its output, and makes the
 * file done.
 */
static int
child_leave_behind(const char *fifo, const char *go, const char *done)
{
	char block[4096];
	int i;

	if (fork() != 0) {
		printf("left\n");
		return 3;
	}
	alarm(300);
	open(fifo, O_WRONLY);
	open(go, O_RDONLY);
	memset(block, 'x', sizeof(block));
	for (i = 0; i < 256; i++) {
		if (write(1, block, sizeof(block)) != (ssize_t)sizeof(block))
			return 1;
	}
	if (write(1, "\nlate\n", 6) != 6)
		return 1;
	close(open(done, O_WRONLY | O_CREAT, 0600));
	return 0;
}

static volatile sig_atomic_t terminated;

static void
on_term(int signo)
{
	(void)signo;
	terminated = 1;
}

/*
 * A group of two that hold the FIFO: one that does not mind SIGTERM, and the
 * leader, which dies of it, or exits with status (not "-").
 */
static int
child_stubborn(const char *fifo, const char *status)
{
	int ready[2];
	char c;

	open(fifo, O_WRONLY);
	if (pipe(ready) == -1)
		return 1;
	if (fork() == 0) {
		alarm(300);
		signal(SIGTERM, SIG_IGN);
		close(ready[0]);
		close(ready[1]);
		for (;;)
			pause();
	}
	if (*status != '-')
		signal(SIGTERM, on_term);
	close(ready[1]);
	if (read(ready[0], &c, 1) != 0)
		return 1;
	printf("ready\n");
	fflush(stdout);
	while (!terminated)
		usleep(1000);
	return atoi(status);
}

/* Fills stdout with lines of 64 bytes; how many bytes it took. */
static size_t
fill_stdout(void)
{
	static const char line[65] =
	    "a line of 64 bytes goes into a pipe as a whole or not at all...\n";
	size_t n = 0;

	while (write(1, line, 64) == 64)
		n += 64;
	return n;
}

/*
 * Fills its output to the brim and makes the file full; when the gate is open
 * it fills up what was read meanwhile, and tells in done how much that was, and
 * how much in all.
 */
static int
child_brim(const char *full, const char *go, const char *done)
{
	size_t first, second;
	char part[PATH_MAX];
	FILE *f;

#ifdef F_SETPIPE_SZ
	fcntl(1, F_SETPIPE_SZ, 1024 * 1024);
#endif
	fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK);
	first = fill_stdout();
	close(open(full, O_WRONLY | O_CREAT, 0600));
	open(go, O_RDONLY);
	second = fill_stdout();
	snprintf(part, sizeof(part), "%s.part", done);
	f = fopen(part, "w");
	fprintf(f, "%zu %zu\n", second, first + second);
	fclose(f);
	return rename(part, done) == 0 ? 12 : 1;
}

static int
child_main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int i;

	if (strcmp(what, "report") == 0)
		return child_report();
	if (strcmp(what, "leave") == 0 && argc == 5)
		return child_leave_behind(argv[2], argv[3], argv[4]);
	if (strcmp(what, "brim") == 0 && argc == 5)
		return child_brim(argv[2], argv[3], argv[4]);
	if (strcmp(what, "stubborn") == 0 && argc == 4)
		return child_stubborn(argv[2], argv[3]);
	if (strcmp(what, "fill") == 0 && argc == 4) {
		for (i = 0; i < atoi(argv[2]); i++)
			fputs(argv[3], stdout);
		return 0;
	}
	if (strcmp(what, "flood") == 0) {
		if (argc == 3) {
			if (fork() != 0)
				return 0;
			alarm(300);
			open(argv[2], O_WRONLY);
		}
		while (fputs("all work and no play\n", stdout) >= 0)
			continue;
		return 1;
	}
	for (i = 1; i < argc; i++)
		printf("arg %s\n", argv[i]);
	return 0;
}

/* The daemon's side */

struct run {
	struct child *child;
	struct log_rule log;
	int calls, exit_status, signal;
	char error[1024];
	void (*then)(struct run *r);
};

static void
on_done(void *arg, const struct spawn_result *result)
{
	struct run *r = arg;

	assert_false(inside);
	r->calls++;
	r->child = NULL;
	r->exit_status = result->exit_status;
	r->signal = result->signal;
	snprintf(
	    r->error, sizeof(r->error), "%s", result->error != NULL ? result->error : "");
	if (r->then != NULL)
		r->then(r);
}

static char *const clean[] = { (char[]){ "PATH=/usr/bin:/bin" }, NULL };

/* A request as the daemon would make it for words. */
static struct spawn_request
request(char *const words[])
{
	return (struct spawn_request){ .program = words[0],
		.argv = words,
		.envp = clean,
		.umask = -1,
		.log_output = true };
}

static char why[1024];

static bool
begin(struct run *r, const struct spawn_request *req)
{
	struct spawn_request own = *req;

	strcpy(why, "nothing was said");
	log_rule_init(&r->log, "rule");
	log_rule_run(&r->log);
	own.log = &r->log;
	inside = true;
	r->child = spawn_start(spawner, &own, on_done, r, why, sizeof(why));
	inside = false;
	return r->child != NULL;
}

#define WORDS(...)                \
	(char *[])                \
	{                         \
		__VA_ARGS__, NULL \
	}
#define W(text) ((char[]){ text })

static void
start(struct run *r, char *const words[])
{
	struct spawn_request req = request(words);

	if (!begin(r, &req))
		fail_msg("%s", why);
}

static void
start_shell(struct run *r, const char *script)
{
	char *copy = xstrdup(script);

	start(r, WORDS(W("/bin/sh"), W("-c"), copy));
	free(copy);
}

/* One turn as the daemon's. */
static int
wait_once(mono_t deadline)
{
	spawner_due(spawner, mono_now());
	return loop_wait(loop, mono_min(deadline, spawner_deadline(spawner)));
}

static void
turn(mono_t deadline)
{
	assert_int_not_equal(wait_once(deadline), -1);
	if (!mono_before(mono_now(), deadline))
		fail_msg("nothing more comes");
}

static void
finish(struct run *r)
{
	mono_t deadline = mono_add(mono_now(), PATIENCE);

	while (r->calls == 0)
		turn(deadline);
	assert_int_equal(r->calls, 1);
}

static void
terminate(struct run *r)
{
	inside = true;
	spawn_terminate(r->child);
	inside = false;
}

static void
kill_run(struct run *r)
{
	inside = true;
	spawn_kill(r->child);
	inside = false;
}

static const char *
in_sandbox(const char *name)
{
	static char ring[8][PATH_MAX + 32];
	static unsigned next;
	char *path = ring[next++ % 8];

	snprintf(path, sizeof(ring[0]), "%s/%s", sandbox, name);
	return path;
}

/* A FIFO and its read end. */
static int
make_fifo(const char *name)
{
	int fd;

	assert_int_equal(mkfifo(in_sandbox(name), 0622), 0);
	chmod(in_sandbox(name), 0622);
	fd = open(in_sandbox(name), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	return fd;
}

/* A FIFO that no reader gets past before the gate is opened. */
static int gate = -1;

static void
open_gate(void)
{
	gate = open(in_sandbox("go"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_int_not_equal(gate, -1);
}

static void
close_gate(void)
{
	close(gate);
	gate = -1;
}

/* Does somebody hold the FIFO open? */
static bool
is_held(int fifo)
{
	char c;

	return read(fifo, &c, 1) == -1 && errno == EAGAIN;
}

/* Turns the loop until fn is as wanted; its clock is only for giving up. */
static void
turn_until(bool (*fn)(void *), void *arg, bool wanted)
{
	mono_t deadline = mono_add(mono_now(), PATIENCE);

	while (fn(arg) != wanted) {
		wait_once(mono_add(mono_now(), MONO_MS));
		if (!mono_before(mono_now(), deadline))
			fail_msg("nothing more comes");
	}
}

static bool
fifo_held(void *arg)
{
	return is_held(*(int *)arg);
}

static bool
file_exists(void *arg)
{
	return access(arg, F_OK) == 0;
}

static bool
is_zombie(void *arg)
{
	siginfo_t si = { 0 };

	return waitid(P_PID, (id_t) * (pid_t *)arg, &si, WEXITED | WNOWAIT | WNOHANG) ==
		   0 &&
	       si.si_pid == *(pid_t *)arg;
}

/* What was logged so far, without times, "output: rule: " as "> ". */
static const char *
logged(void)
{
	static char *text;
	char line[32768];
	struct buf b = { NULL, 0, 0 };
	const char *p;
	FILE *f;

	log_flush();
	f = fopen(in_sandbox("log"), "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		p = strstr(line, " output: rule: ");
		assert_non_null(p);
		buf_adds(&b, p + strlen(" output: rule: "));
	}
	fclose(f);
	free(text);
	text = b.p != NULL ? b.p : xstrdup("");
	return text;
}

static bool
has_logged_line(void *line)
{
	const char *text = logged(), *p = strstr(text, line);
	size_t len = strlen(line);

	for (; p != NULL; p = strstr(p + 1, line)) {
		if ((p == text || p[-1] == '\n') && p[len] == '\n')
			return true;
	}
	return false;
}

static void
has_line(const char *line)
{
	char *copy = xstrdup(line);

	if (!has_logged_line(copy))
		fail_msg("no line \"%s\" in:\n%s", line, logged());
	free(copy);
}

static size_t
count(const char *what)
{
	const char *p = logged();
	size_t n = 0;

	for (p = strstr(p, what); p != NULL; p = strstr(p + 1, what))
		n++;
	return n;
}

static size_t
count_descriptors(void)
{
	size_t n = 0;
	int fd;

	for (fd = 0; fd < 4096; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static bool
has_descriptors(void *n)
{
	return count_descriptors() == *(size_t *)n;
}

static size_t nopen; /* before a test */

SET_UP
{
	nopen = count_descriptors();
	make_sandbox(sandbox);
	chmod(sandbox, 0711);
	must(mkfifo(in_sandbox("go"), 0600));
	alarm(120);
	umask(022);
	loop = loop_new();
	spawner = spawner_new(loop, self);
	assert_true(loop != NULL && spawner != NULL);
	must(log_open(in_sandbox("log")));
}

TEAR_DOWN
{
	int zombies = 0;

	/* Nobody who waits is to stay, whatever failed. */
	if (gate == -1)
		open_gate();
	spawner_free(spawner);
	loop_free(loop);
	logged();
	log_close();
	while (waitpid(-1, NULL, WNOHANG) > 0)
		zombies++;
	remove_tree(sandbox);
	close_gate();
	assert_int_equal(count_descriptors(), nopen);
	assert_int_equal(zombies, 0);
}

static void
not_under_valgrind(const char *reason)
{
	const char *preload = getenv("LD_PRELOAD");

	if (preload == NULL || strstr(preload, "vgpreload") == NULL)
		return;
	print_message("skipped under valgrind: %s\n", reason);
	skip();
}

/* How a child ends */

TEST(exit_statuses_and_signals_are_told_exactly)
{
	static const int statuses[] = { 0, 1, 42, 127, 255 };
	static const int signals[] = { SIGTERM, SIGKILL, SIGHUP, SIGSEGV };
	char script[64];
	size_t i;

	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct run r = { 0 };

		snprintf(script, sizeof(script), "exit %d", statuses[i]);
		start_shell(&r, script);
		assert_int_equal(spawn_running(spawner), 1);
		finish(&r);
		assert_int_equal(r.exit_status, statuses[i]);
		assert_int_equal(r.signal, 0);
		assert_string_equal(r.error, "");
	}
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct run r = { 0 };

		snprintf(script, sizeof(script), "ulimit -c 0; kill -%d $$", signals[i]);
		start_shell(&r, script);
		finish(&r);
		assert_int_equal(r.exit_status, -1);
		assert_int_equal(r.signal, signals[i]);
	}
	assert_int_equal(spawn_running(spawner), 0);
}

#define MANY 100

TEST(a_hundred_at_a_time_keep_their_own_results)
{
	static struct run runs[MANY];
	mono_t deadline;
	char script[64];
	int i, round;

	for (round = 0; round < 3; round++) {
		memset(runs, 0, sizeof(runs));
		for (i = 0; i < MANY; i++) {
			snprintf(script, sizeof(script),
			    i % 3 == 0 ? "kill -%d $$" : "exit %d",
			    i % 3 == 0 ? (i % 2 ? SIGTERM : SIGKILL) : i);
			start_shell(&runs[i], script);
		}
		assert_int_equal(spawn_running(spawner), MANY);
		deadline = mono_add(mono_now(), PATIENCE);
		while (spawn_running(spawner) > 0)
			turn(deadline);
		for (i = 0; i < MANY; i++) {
			assert_int_equal(runs[i].calls, 1);
			assert_int_equal(runs[i].exit_status, i % 3 == 0 ? -1 : i);
			assert_int_equal(
			    runs[i].signal, i % 3 != 0 ? 0 : (i % 2 ? SIGTERM : SIGKILL));
		}
	}
}

TEST(a_sigchld_that_was_ignored_before_costs_no_result)
{
	struct run r = { 0 };

	spawner_free(spawner);
	signal(SIGCHLD, SIG_IGN);
	spawner = spawner_new(loop, self);
	start_shell(&r, "exit 9");
	finish(&r);
	assert_int_equal(r.exit_status, 9);
}

static void
start_next(struct run *r)
{
	static struct run next;

	next = (struct run){ 0 };
	start_shell(&next, "exit 5");
	r->then = NULL;
	r->child = next.child;
	finish(&next);
	assert_int_equal(next.exit_status, 5);
}

static struct run victims[3];

static void
kill_others(struct run *r)
{
	size_t i;

	for (i = 0; i < 3; i++) {
		if (&victims[i] != r && victims[i].child != NULL) {
			spawn_terminate(victims[i].child);
			spawn_kill(victims[i].child);
		}
	}
}

TEST(results_may_start_and_kill_others)
{
	struct run r = { .then = start_next };
	mono_t deadline = mono_add(mono_now(), PATIENCE);
	pid_t pid;
	size_t i;

	start_shell(&r, "exit 0");
	finish(&r);
	/* All are dead when the first tells: killing a dead one is nothing. */
	for (i = 0; i < 3; i++) {
		victims[i] = (struct run){ .then = kill_others };
		start_shell(&victims[i], "exit 6");
	}
	for (i = 0; i < 3; i++) {
		pid = spawn_pid(victims[i].child);
		while (!is_zombie(&pid))
			usleep(1000);
	}
	while (spawn_running(spawner) > 0)
		turn(deadline);
	for (i = 0; i < 3; i++) {
		assert_int_equal(victims[i].calls, 1);
		assert_int_equal(victims[i].exit_status, 6);
	}
}

/* What a child is given */

TEST(a_child_is_as_fresh_as_can_be)
{
	struct run r = { 0 };
	sigset_t all, before;
	int i, fds[20];

	sigfillset(&all);
	sigdelset(&all, SIGALRM);
	sigprocmask(SIG_BLOCK, &all, &before);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	for (i = 0; i < 20; i++)
		fds[i] = open("/", O_RDONLY);
	start(&r, WORDS(self, W("report")));
	finish(&r);
	for (i = 0; i < 20; i++)
		close(fds[i]);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(r.exit_status, 0);
	has_line("leader 1 1");
	has_line("stdin 1");
	has_line("pipe 1 1");
	has_line("cwd /");
	has_line("env PATH=/usr/bin:/bin");
	assert_int_equal(count("env "), 1);
	assert_int_equal(count("blocked"), 0);
	assert_int_equal(count("caught"), 0);
	assert_int_equal(count("fd "), 0);
}

/* Through the exec mode it is as fresh. */
TEST(a_child_of_the_exec_mode_is_as_fresh)
{
	struct run r = { 0 };
	struct spawn_request req = request(WORDS(self, W("report")));
	int fd = open("/", O_RDONLY);

	signal(SIGPIPE, SIG_IGN);
	req.nice_set = true;
	req.nice = 3;
	req.directory = "/usr";
	assert_true(begin(&r, &req));
	finish(&r);
	close(fd);
	signal(SIGPIPE, SIG_DFL);
	assert_string_equal(r.error, "");
	assert_int_equal(r.exit_status, 0);
	has_line("leader 1 1");
	has_line("stdin 1");
	has_line("pipe 1 1");
	has_line("cwd /usr");
	has_line("nice 3");
	has_line("env PATH=/usr/bin:/bin");
	assert_int_equal(count("env "), 1);
	assert_int_equal(count("blocked"), 0);
	assert_int_equal(count("caught"), 0);
	assert_int_equal(count("fd "), 0);
}

TEST(the_descriptor_limit_is_the_first_one_for_the_child_only)
{
	struct rlimit rl = { .rlim_cur = 64, .rlim_max = first_limit.rlim_max }, now;
	struct run r = { 0 };
	int i, n = 0, fds[300];

	not_under_valgrind("it keeps the real limit to itself");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
	fdlimit_init();
	for (i = 0; i < 3; i++)
		assert_true(fdlimit_raise());
	for (n = 0; n < 300; n++) {
		fds[n] = open("/", O_RDONLY | O_CLOEXEC);
		assert_int_not_equal(fds[n], -1);
	}
	start(&r, WORDS(self, W("report")));
	getrlimit(RLIMIT_NOFILE, &now);
	assert_int_equal(now.rlim_cur, 512);
	finish(&r);
	while (n > 0)
		close(fds[--n]);
	assert_int_equal(r.exit_status, 0);
	has_line("limit 64");
	has_line("stdin 1");
	/* Also where it could not be started. */
	assert_false(begin(&r,
	    &(struct spawn_request){
		.program = "/nonexistent", .argv = clean, .envp = clean, .umask = -1 }));
	getrlimit(RLIMIT_NOFILE, &now);
	assert_int_equal(now.rlim_cur, 512);
	setrlimit(RLIMIT_NOFILE, &first_limit);
	fdlimit_init();
}

TEST(out_of_descriptors_the_limit_is_raised)
{
	struct rlimit rl = { .rlim_cur = 64, .rlim_max = first_limit.rlim_max }, now;
	struct run r = { 0 };
	int n = 0, fds[64];

	not_under_valgrind("it keeps the real limit to itself");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
	fdlimit_init();
	while ((fds[n] = open("/", O_RDONLY | O_CLOEXEC)) != -1)
		n++;
	start(&r, WORDS(self, W("report")));
	finish(&r);
	getrlimit(RLIMIT_NOFILE, &now);
	while (n > 0)
		close(fds[--n]);
	setrlimit(RLIMIT_NOFILE, &first_limit);
	fdlimit_init();
	assert_int_equal(now.rlim_cur, 128);
	assert_int_equal(r.exit_status, 0);
	has_line("limit 64");
}

TEST(a_daemon_without_0_1_and_2_starts_children_with_them)
{
	struct run r = { 0 }, became = { 0 };
	struct spawn_request req = request(WORDS(self, W("report")));
	int saved[3], i;
	bool began;

	/* A daemon that was started without 0, 1 and 2. */
	spawner_free(spawner);
	for (i = 0; i < 3; i++) {
		saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
		close(i);
	}
	spawner = spawner_new(loop, self);
	start(&r, WORDS(self, W("report")));
	finish(&r);
	req.user = "no-such-user";
	began = begin(&became, &req);
	while (began && became.calls == 0)
		loop_wait(loop, mono_add(mono_now(), PATIENCE));
	for (i = 0; i < 3; i++) {
		dup2(saved[i], i);
		close(saved[i]);
	}
	assert_true(began);
	assert_string_equal(became.error, "user no-such-user: no such user");
	assert_int_equal(r.exit_status, 0);
	has_line("stdin 1");
	has_line("pipe 1 1");
	assert_int_equal(count("fd "), 0);
}

TEST(keep_awake_puts_its_command_in_front)
{
	struct run r = { 0 };
	struct spawn_request req = request(WORDS(self, W("report")));

	req.keep_awake = true;
	assert_true(begin(&r, &req));
	finish(&r);
	has_line("env AWAKE=yes");
	assert_int_equal(count("env AWAKE=yes"), 1);
	req.nice_set = true;
	req.nice = 1;
	r = (struct run){ 0 };
	assert_true(begin(&r, &req));
	finish(&r);
	assert_int_equal(count("env AWAKE=yes"), 2);
	has_line("nice 1");
}

/* Output */

TEST(output_is_logged_line_by_line_made_harmless)
{
	struct run r = { 0 };

	start_shell(&r,
	    "printf 'one\\ntwo\\n\\nthr'; printf 'ee\\n' >&2;"
	    "printf 'bell\\007 back\\\\ \\377 \\303\\244\\n'; printf 'no end'");
	finish(&r);
	assert_string_equal(logged(), "one\ntwo\n\nthree\nbell\\007 back\\134 \\377 "
				      "\xc3\xa4\nno end\n");
}

TEST(without_log_output_nothing_is_logged)
{
	struct run r = { 0 };
	struct spawn_request req = request(WORDS(W("/bin/sh"), W("-c"),
	    W("echo lost; echo lost >&2; test -c /dev/stdout && exit 4")));

	req.log_output = false;
	assert_true(begin(&r, &req));
	finish(&r);
	assert_int_equal(r.exit_status, 4);
	assert_string_equal(logged(), "");
}

TEST(the_first_64_kib_of_a_run_are_logged_the_rest_is_counted)
{
	struct run r = { 0 };

	/* 49 bytes a line, with "2026-11-24T10:54:42.597Z output: rule: ". */
	start(&r, WORDS(self, W("fill"), W("10000"), W("ninebytes\n")));
	finish(&r);
	assert_int_equal(r.exit_status, 0);
	assert_int_equal(count("ninebytes\n"), 65536 / 49);
	has_line("… 86630 bytes of output not logged");
	assert_int_equal(count("\n"), 65536 / 49 + 1);
}

TEST(empty_lines_count_as_well)
{
	struct run r = { 0 };

	start(&r, WORDS(self, W("fill"), W("70000"), W("\n")));
	finish(&r);
	has_line("… 68362 bytes of output not logged");
	assert_int_equal(count("\n"), 65536 / 40 + 1);
}

/* What is escaped takes four times its room. */
TEST(bytes_that_are_escaped_count_as_written)
{
	struct run r = { 0 };

	start(&r, WORDS(self, W("fill"), W("3000"), W("\1\2\3\4\5\6\7\n")));
	finish(&r);
	assert_int_equal(
	    count("\\001\\002\\003\\004\\005\\006\\007\n"), 65536 / (40 + 28));
}

TEST(the_first_4_kib_of_a_line_are_logged_the_rest_is_counted)
{
	struct run r = { 0 };
	char expected[8192];

	start_shell(&r, "head -c 4096 /dev/zero | tr '\\0' a; echo;"
			"head -c 5000 /dev/zero | tr '\\0' b; echo; echo short;"
			"head -c 4100 /dev/zero | tr '\\0' c");
	finish(&r);
	memset(expected, 'a', 4096);
	expected[4096] = '\0';
	has_line(expected);
	memset(expected, 'b', 4096);
	has_line(expected);
	has_line("short");
	memset(expected, 'c', 4096);
	has_line(expected);
	has_line("… 908 bytes of output not logged");
}

/*
 * Adds the events that come in a while. False: more than may come, where all
 * that are put off may be due at the beginning.
 */
static bool
is_bounded(int *events)
{
	mono_t begin = mono_now(), now = begin;
	int before = *events;

	while (mono_sub(now, begin) < 200 * MONO_MS) {
		*events += wait_once(mono_add(begin, 200 * MONO_MS)) == 1;
		now = mono_now();
	}
	return *events - before <= mono_sub(now, begin) / (10 * MONO_MS) + 6;
}

TEST(a_flood_delays_nobody)
{
	struct run flood = { 0 }, quick = { 0 };
	int events = 0;
	mono_t deadline = mono_add(mono_now(), PATIENCE);

	start(&flood, WORDS(self, W("flood")));
	while (count("all work") < 100)
		turn(deadline);
	start_shell(&quick, "echo quick; exit 2");
	finish(&quick);
	assert_int_equal(quick.exit_status, 2);
	assert_int_equal(flood.calls, 0);
	while (mono_is_never(spawner_deadline(spawner)))
		turn(deadline);
	assert_true(is_bounded(&events));
	kill_run(&flood);
	finish(&flood);
	assert_int_equal(flood.signal, SIGKILL);
	assert_int_equal(count("bytes of output not logged"), 1);
	assert_true(strlen(logged()) < 70 * 1024);
	has_line("quick");
}

/* One read a turn while it runs, and all that is left when it has ended. */
TEST(a_full_pipe_is_read_piece_by_piece_and_to_its_end)
{
	struct run r = { 0 };
	char *full = xstrdup(in_sandbox("full")), *go = xstrdup(in_sandbox("go"));
	char *done = xstrdup(in_sandbox("done")), line[80];
	size_t second, all;
	pid_t pid;
	FILE *f;

	start(&r, WORDS(self, W("brim"), full, go, done));
	pid = spawn_pid(r.child);
	while (access(full, F_OK) != 0)
		usleep(1000);
	turn(mono_add(mono_now(), PATIENCE));
	open_gate();
	while (!is_zombie(&pid))
		usleep(1000);
	f = fopen(done, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%zu %zu", &second, &all), 2);
	fclose(f);
	assert_in_range(second, 4096, 64 * 1024);
	finish(&r);
	assert_int_equal(r.exit_status, 12);
	/* With the time and the rule's name it has 103. */
	assert_int_equal(count("a line of 64 bytes"), 65536 / 103);
	snprintf(line, sizeof(line), "… %zu bytes of output not logged",
	    all - 65536 / 103 * 64);
	has_line(line);
	free(full);
	free(go);
	free(done);
}

TEST(a_child_that_closes_its_output_runs_on)
{
	struct run r = { 0 };
	size_t before = count_descriptors();
	int fifo = make_fifo("fifo");
	char script[PATH_MAX + 128];

	snprintf(script, sizeof(script),
	    "echo out; exec >/dev/null 2>&1 4>%s; "
	    ": <%s; exit 8",
	    in_sandbox("fifo"), in_sandbox("go"));
	start_shell(&r, script);
	turn_until(fifo_held, &fifo, true);
	turn_until(has_logged_line, W("out"), true);
	assert_int_equal(r.calls, 0);
	open_gate();
	finish(&r);
	close_gate();
	close(fifo);
	assert_int_equal(r.exit_status, 8);
	assert_int_equal(count_descriptors(), before);
}

/* What a child leaves behind */

TEST(who_is_left_behind_gets_no_sigpipe_and_is_not_logged)
{
	struct run r = { 0 };
	size_t before = count_descriptors();
	int fifo = make_fifo("fifo");
	char *go = xstrdup(in_sandbox("go")), *done = xstrdup(in_sandbox("done"));
	char *name = xstrdup(in_sandbox("fifo"));

	start(&r, WORDS(self, W("leave"), name, go, done));
	turn_until(fifo_held, &fifo, true);
	finish(&r);
	assert_int_equal(r.exit_status, 3);
	assert_true(is_held(fifo));
	has_line("left");
	open_gate();
	turn_until(file_exists, done, true);
	turn_until(fifo_held, &fifo, false);
	assert_string_equal(logged(), "left\n");
	close_gate();
	close(fifo);
	/* Its pipe goes when its end is read. */
	turn_until(has_descriptors, &before, true);
	free(go);
	free(done);
	free(name);
}

/* Together they cost no more than one, and none of them ends. */
TEST(floods_left_behind_are_read_at_one_bounded_rate)
{
	enum { LEFT = 4 };
	mono_t deadline = mono_add(mono_now(), PATIENCE);
	struct run runs[LEFT], quick = { 0 };
	int fifos[LEFT], i, events = 0;
	pid_t pids[LEFT];
	char name[32], *fifo;

	memset(runs, 0, sizeof(runs));
	for (i = 0; i < LEFT; i++) {
		snprintf(name, sizeof(name), "fifo%d", i);
		fifos[i] = make_fifo(name);
		fifo = xstrdup(in_sandbox(name));
		start(&runs[i], WORDS(self, W("flood"), fifo));
		pids[i] = spawn_pid(runs[i].child);
		turn_until(fifo_held, &fifos[i], true);
		finish(&runs[i]);
		free(fifo);
	}
	do
		assert_true(is_bounded(&events));
	while (events < 3 * LEFT && mono_before(mono_now(), deadline));
	assert_true(events >= 3 * LEFT);
	start_shell(&quick, "echo quick; exit 2");
	finish(&quick);
	assert_int_equal(quick.exit_status, 2);
	has_line("quick");
	for (i = 0; i < LEFT; i++) {
		assert_true(is_held(fifos[i]));
		kill(-pids[i], SIGKILL);
		turn_until(fifo_held, &fifos[i], false);
		close(fifos[i]);
	}
}

/* Of 66 that are left behind the two oldest lose their pipe. */
TEST(at_most_64_that_are_left_behind_are_drained)
{
	enum { LEFT = 66 };
	size_t before = count_descriptors();
	char name[32], *fifo, *go, *done;
	int fifos[LEFT], i;

	for (i = 0; i < LEFT; i++) {
		struct run r = { 0 };

		snprintf(name, sizeof(name), "fifo%d", i);
		fifos[i] = make_fifo(name);
		fifo = xstrdup(in_sandbox(name));
		snprintf(name, sizeof(name), "done%d", i);
		done = xstrdup(in_sandbox(name));
		go = xstrdup(in_sandbox("go"));
		start(&r, WORDS(self, W("leave"), fifo, go, done));
		turn_until(fifo_held, &fifos[i], true);
		finish(&r);
		free(fifo);
		free(go);
		free(done);
	}
	assert_int_equal(count_descriptors(), before + LEFT + 64);
	open_gate();
	for (i = 0; i < LEFT; i++) {
		turn_until(fifo_held, &fifos[i], false);
		snprintf(name, sizeof(name), "done%d", i);
		assert_int_equal(access(in_sandbox(name), F_OK), i < 2 ? -1 : 0);
		close(fifos[i]);
	}
}

/* Many that leave nobody cost nobody the pipe, even if all end at once. */
TEST(short_runs_displace_nobody_who_was_left_behind)
{
	static struct run runs[MANY];
	struct run r = { 0 };
	mono_t deadline = mono_add(mono_now(), PATIENCE);
	int fifo = make_fifo("fifo"), i;
	char *go = xstrdup(in_sandbox("go")), *done = xstrdup(in_sandbox("done"));
	char *name = xstrdup(in_sandbox("fifo"));
	pid_t pid;

	start(&r, WORDS(self, W("leave"), name, go, done));
	turn_until(fifo_held, &fifo, true);
	finish(&r);
	memset(runs, 0, sizeof(runs));
	for (i = 0; i < MANY; i++)
		start_shell(&runs[i], "exit 0");
	for (i = 0; i < MANY; i++) {
		pid = spawn_pid(runs[i].child);
		while (!is_zombie(&pid))
			usleep(1000);
	}
	while (spawn_running(spawner) > 0)
		turn(deadline);
	open_gate();
	turn_until(file_exists, done, true);
	close(fifo);
	free(go);
	free(done);
	free(name);
}

TEST(spawner_free_leaves_children_alone)
{
	struct run r = { 0 };
	int fifo = make_fifo("fifo");
	char script[2 * PATH_MAX + 128];

	snprintf(script, sizeof(script), "exec 4>%s; : <%s", in_sandbox("fifo"),
	    in_sandbox("go"));
	start_shell(&r, script);
	turn_until(fifo_held, &fifo, true);
	spawner_free(spawner);
	spawner = NULL;
	assert_true(is_held(fifo));
	open_gate();
	assert_true(waitpid(-1, NULL, 0) > 0);
	assert_false(is_held(fifo));
	assert_int_equal(r.calls, 0);
	close(fifo);
}

/* Stopping */

static void
start_stubborn(struct run *r, int *fifo, const char *status)
{
	char *name, *word = xstrdup(status);

	*fifo = make_fifo("fifo");
	name = xstrdup(in_sandbox("fifo"));
	start(r, WORDS(self, W("stubborn"), name, word));
	turn_until(has_logged_line, W("ready"), true);
	free(name);
	free(word);
}

TEST(stopping_a_leader_stays_until_the_group_is_killed)
{
	struct run r = { 0 };
	int fifo, i;
	pid_t pid;

	start_stubborn(&r, &fifo, "-");
	pid = spawn_pid(r.child);
	terminate(&r);
	turn_until(is_zombie, &pid, true);
	/* The leader stays a zombie, whatever the loop is told, and is not told. */
	for (i = 0; i < 20; i++) {
		kill(getpid(), SIGCHLD);
		loop_wait(loop, mono_add(mono_now(), MONO_MS));
	}
	assert_int_equal(r.calls, 0);
	assert_int_equal(spawn_running(spawner), 1);
	assert_true(is_zombie(&pid));
	assert_true(is_held(fifo));
	kill_run(&r);
	finish(&r);
	assert_int_equal(r.signal, SIGTERM);
	assert_int_equal(r.exit_status, -1);
	/* Reaped, and the one that ignores SIGTERM is gone as well. */
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	turn_until(fifo_held, &fifo, false);
	close(fifo);
}

TEST(stopping_its_own_exit_status_is_told)
{
	struct run r = { 0 };
	int fifo;
	pid_t pid;

	start_stubborn(&r, &fifo, "7");
	pid = spawn_pid(r.child);
	terminate(&r);
	turn_until(is_zombie, &pid, true);
	kill_run(&r);
	finish(&r);
	assert_int_equal(r.exit_status, 7);
	assert_int_equal(r.signal, 0);
	turn_until(fifo_held, &fifo, false);
	close(fifo);
}

TEST(killing_takes_the_whole_group)
{
	struct run r = { 0 };
	int fifo;

	start_stubborn(&r, &fifo, "0");
	kill_run(&r);
	finish(&r);
	assert_int_equal(r.signal, SIGKILL);
	turn_until(fifo_held, &fifo, false);
	close(fifo);
}

TEST(stopping_one_that_is_dead_already)
{
	struct run r = { 0 };
	pid_t pid;

	start_shell(&r, "exit 3");
	pid = spawn_pid(r.child);
	while (!is_zombie(&pid))
		usleep(1000);
	terminate(&r);
	while (loop_wait(loop, mono_now()) > 0)
		continue;
	assert_int_equal(r.calls, 0);
	kill_run(&r);
	assert_int_equal(r.calls, 0);
	finish(&r);
	assert_int_equal(r.exit_status, 3);
}

/* What cannot be started */

static void
cannot(const char *program, const char *sentence)
{
	char *words[] = { xstrdup(program), NULL };
	struct spawn_request req = request(words);
	struct run r = { 0 };

	assert_false(begin(&r, &req));
	assert_string_equal(why, sentence);
	assert_int_equal(spawn_running(spawner), 0);
	free(words[0]);
}

static void
make_script(const char *name, const char *text, mode_t mode)
{
	FILE *f = fopen(in_sandbox(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(in_sandbox(name), mode);
}

TEST(what_cannot_be_started_is_told_in_a_sentence)
{
	size_t before = count_descriptors();
	char text[PATH_MAX + 128];

	not_under_valgrind("its vfork loses what the child has to say");
	cannot("/nonexistent/x", "/nonexistent/x: No such file or directory");
	make_script("plain", "touch ran\n", 0755);
	snprintf(text, sizeof(text),
	    "%s: neither a program for this machine nor a script "
	    "with a #! line",
	    in_sandbox("plain"));
	cannot(in_sandbox("plain"), text);
	make_script("orphan", "#!/nonexistent/sh\n", 0755);
	snprintf(text, sizeof(text), "%s: what its #! line names is not there",
	    in_sandbox("orphan"));
	cannot(in_sandbox("orphan"), text);
	make_script("data", "#!/bin/sh\n", 0644);
	snprintf(text, sizeof(text), "%s: Permission denied", in_sandbox("data"));
	cannot(in_sandbox("data"), text);
	assert_int_equal(count_descriptors(), before);
}

TEST(too_long_a_command_line_is_told_in_a_sentence)
{
	const size_t size = 4 * 1024 * 1024;
	struct spawn_request req;
	struct run r = { 0 };
	char *big;

	not_under_valgrind("its vfork loses what the child has to say");
	big = xcalloc(1, size);
	req = request(WORDS(W("/bin/sh"), big));
	memset(big, 'x', size - 1);
	assert_false(begin(&r, &req));
	assert_string_equal(why, "/bin/sh: Argument list too long");
	free(big);
}

TEST(what_the_exec_mode_cannot_do_is_no_exit_status)
{
	struct spawn_request req = request(WORDS(self, W("report")));
	struct run r = { 0 };
	size_t before = count_descriptors();

	req.user = "no-such-user";
	assert_true(begin(&r, &req));
	finish(&r);
	assert_string_equal(r.error, "user no-such-user: no such user");
	assert_int_equal(r.exit_status, -1);
	assert_int_equal(r.signal, 0);
	assert_string_equal(logged(), "");
	req = request(WORDS(self, W("report")));
	req.directory = "/nonexistent";
	r = (struct run){ 0 };
	assert_true(begin(&r, &req));
	finish(&r);
	assert_string_equal(r.error, "/nonexistent: No such file or directory");
	req = request(WORDS(W("/nonexistent/x")));
	req.umask = 077;
	r = (struct run){ 0 };
	assert_true(begin(&r, &req));
	finish(&r);
	assert_string_equal(r.error, "/nonexistent/x: No such file or directory");
	/* The action's own failure is its own. */
	req =
	    request(WORDS(W("/bin/sh"), W("-c"), W("exec /bin/sh -c 'umask; exit 71'")));
	req.umask = 027;
	r = (struct run){ 0 };
	assert_true(begin(&r, &req));
	finish(&r);
	assert_string_equal(r.error, "");
	assert_int_equal(r.exit_status, 71);
	has_line("0027");
	assert_int_equal(count_descriptors(), before);
}

TEST(an_action_runs_as_another_user)
{
	struct spawn_request req = request(WORDS(W("/usr/bin/id"), W("-u")));
	struct passwd *pw = getpwnam("nobody");
	struct run r = { 0 };
	char line[32];

	if (geteuid() != 0) {
		print_message("skipped: only root can become somebody else\n");
		skip();
	}
	req.user = "nobody";
	assert_true(begin(&r, &req));
	finish(&r);
	assert_string_equal(r.error, "");
	assert_int_equal(r.exit_status, 0);
	snprintf(line, sizeof(line), "%d", (int)pw->pw_uid);
	has_line(line);
}

/*
 * A daemon in a process of its own, because a hard limit cannot be raised
 * again. 0, or which step went wrong.
 */
static int
child_starve(char *fifo, char *go, char *done)
{
	struct rlimit rl = { 40, 40 };
	struct run left = { 0 }, r = { 0 };
	struct spawn_request req;
	int fd = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	loop = loop_new();
	spawner = spawner_new(loop, self);
	if (spawner == NULL || setrlimit(RLIMIT_NOFILE, &rl) == -1)
		return 1;
	fdlimit_init();
	req = request(WORDS(self, W("leave"), fifo, go, done));
	if (!begin(&left, &req))
		return 2;
	while (left.calls == 0 || !is_held(fd))
		loop_wait(loop, mono_add(mono_now(), MONO_MS));
	while (open("/", O_RDONLY | O_CLOEXEC) != -1)
		continue;
	close(39);
	/* One is free and one is drained: it has to go for the pipe. */
	req = request(WORDS(W("/bin/sh"), W("-c"), W("exit 6")));
	if (!begin(&r, &req))
		return 3;
	while (r.calls == 0)
		loop_wait(loop, mono_add(mono_now(), MONO_MS));
	if (r.exit_status != 6)
		return 4;
	while (open("/", O_RDONLY | O_CLOEXEC) != -1)
		continue;
	if (begin(&r, &req) ||
	    strcmp(why, "/bin/sh: no pipe to it: Too many open files") != 0)
		return 5;
	return 0;
}

TEST(out_of_descriptors_the_oldest_drained_pipe_goes)
{
	char *fifo, *go, *done;
	int fd = make_fifo("fifo"), code;
	pid_t pid;

	fifo = xstrdup(in_sandbox("fifo"));
	go = xstrdup(in_sandbox("go"));
	done = xstrdup(in_sandbox("done"));
	pid = fork();
	if (pid == 0) {
		alarm(30);
		execl(self, self, "starve", fifo, go, done, (char *)NULL);
		_exit(126);
	}
	assert_int_equal(waitpid(pid, &code, 0), pid);
	assert_true(WIFEXITED(code));
	assert_int_equal(WEXITSTATUS(code), 0);
	open_gate();
	turn_until(fifo_held, &fd, false);
	assert_int_equal(access(done, F_OK), -1);
	close(fd);
	free(fifo);
	free(go);
	free(done);
}

BEFORE_TESTS(argc, argv)
{
	if (realpath(argv[0], self) == NULL)
		return 1;
	if (argc > 1 && strcmp(argv[1], "exec") == 0)
		return become_main(argc, argv);
	if (argc == 5 && strcmp(argv[1], "starve") == 0)
		_exit(child_starve(argv[2], argv[3], argv[4]));
	if (argc > 1)
		return child_main(argc, argv);
	if (chdir("/") == -1 || getrlimit(RLIMIT_NOFILE, &first_limit) == -1)
		return 1;
	return RUN_TESTS;
}
