/* SPDX-License-Identifier: MIT */
/*
 * The clock that everything is timed by: it never goes back, counts on in sleep, and
 * nobody sets it. Two probes do something to the machine, and only when asked to.
 */
#include "cmd/selftest_probes.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/machine.h"
#include "base/mono.h"
#include "cmd/trial.h"
#include "cmd/trial_run.h"

#define HOUR (3600 * MONO_SEC)
/* Less is what a time service sets right, and a slow machine between two readings. */
#define STEP (HOUR / 2)
/* Sleep is at least that long, and at most that long in coming. */
#define SLEEP_NS (10 * MONO_SEC)
#ifndef SLEEP_PATIENCE_NS
#define SLEEP_PATIENCE_NS (300 * MONO_SEC)
#endif

static void
clock_goes_on(struct trial *t)
{
	mono_t last = mono_now(), now;
	int i;

	for (i = 0; i < 100000; i++) {
		now = mono_now();
		if (mono_before(now, last))
			break;
		last = now;
	}
	trial_check(t, i == 100000, "the clock never goes back");
}

static int64_t
read_clock(clockid_t id)
{
	struct timespec ts = { 0 };

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * MONO_SEC + ts.tv_nsec;
}

/* How far the calendar's side of the clock is from the hardware's. */
static void
clocks_are_noted(struct trial *t)
{
	int64_t apart = read_clock(CLOCK_MONOTONIC) - read_clock(CLOCK_MONOTONIC_RAW);
	int64_t ours = mono_now().ns - read_clock(CLOCK_MONOTONIC_RAW);

	trial_note(t,
	    "CLOCK_MONOTONIC is %" PRId64 " ms, our clock %" PRId64
	    " ms ahead of CLOCK_MONOTONIC_RAW",
	    apart / MONO_MS, ours / MONO_MS);
}

static int
set_calendar(int64_t ns)
{
	struct timespec ts = { .tv_sec = (time_t)(ns / MONO_SEC),
		.tv_nsec = (long)(ns % MONO_SEC) };

	return clock_settime(CLOCK_REALTIME, &ts);
}

/* In a child that no signal ends in between: for a second, then back. Never returns. */
static void
set_clock_ahead(void)
{
	int64_t real = read_clock(CLOCK_REALTIME), begin = machine_uptime();
	struct timespec second = { .tv_sec = 1 };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if (set_calendar(real + HOUR) == -1)
		_exit(errno == EPERM ? EPERM : EINVAL);
	nanosleep(&second, NULL);
	_exit(set_calendar(real + machine_uptime() - begin) == -1 ? EINVAL : 0);
}

/* How far our clock and CLOCK_MONOTONIC are ahead of one that nobody sets. */
struct lead {
	int64_t ours, theirs;
};

static struct lead
read_leads(void)
{
	int64_t up = machine_uptime();

	return (struct lead){ mono_now().ns - up, read_clock(CLOCK_MONOTONIC) - up };
}

/* Reads them until the child ends; how far each moved at most from the first. */
static struct lead
watch_leads(pid_t pid, struct lead first, int *status)
{
	struct lead now, worst = { 0, 0 };

	while (waitpid(pid, status, WNOHANG) == 0) {
		now = read_leads();
		if (llabs(now.ours - first.ours) > worst.ours)
			worst.ours = llabs(now.ours - first.ours);
		if (llabs(now.theirs - first.theirs) > worst.theirs)
			worst.theirs = llabs(now.theirs - first.theirs);
	}
	return worst;
}

static void
set_clock_moves_nothing(struct trial *t)
{
	struct lead first, worst;
	int status = 0;
	pid_t pid;

	if (!t->may_set_clock) {
		trial_skip(t, "only with --clock, which sets the clock for a second");
		return;
	}
	/* The child may set the clock before we are back. */
	first = read_leads();
	pid = fork();
	if (pid == 0)
		set_clock_ahead();
	worst = watch_leads(pid, first, &status);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EPERM) {
		trial_skip(t, "only root may set the clock");
		return;
	}
	trial_check(t, pid != -1 && status == 0, "the clock can be set, and back");
	trial_check(t, worst.ours < STEP, "our clock does not move with the calendar");
	trial_note(t, "CLOCK_MONOTONIC was off by %" PRId64 " ms at most",
	    worst.theirs / MONO_MS);
}

/* For how long the machine has slept since both clocks were this far apart. */
static int64_t
slept(int64_t apart)
{
	return read_clock(CLOCK_REALTIME) - machine_uptime() - apart;
}

static bool
wait_for_sleep(struct trial *t, int64_t apart)
{
	int64_t end = machine_uptime() + SLEEP_PATIENCE_NS;

	while (slept(apart) < SLEEP_NS && machine_uptime() < end)
		loop_wait(t->loop, mono_add(mono_now(), MONO_SEC));
	return trial_check(t, slept(apart) >= SLEEP_NS, "the machine sleeps");
}

static void
sleep_is_counted(struct trial *t)
{
	int64_t up = machine_uptime(), apart = read_clock(CLOCK_REALTIME) - up,
		ours = mono_now().ns - up;
	struct knote *file;

	if (!t->may_sleep || machine_sleep_command == NULL) {
		trial_skip(t,
		    t->may_sleep ? "how this system is sent to sleep is not known"
				 : "only with --sleep, which sends the machine to sleep");
		return;
	}
	file = trial_watch_new(t);
	trial_say(t, "the machine goes to sleep: wake it after a minute");
	trial_check(
	    t, trial_succeeds(t, machine_sleep_command), "it can be sent to sleep");
	if (!wait_for_sleep(t, apart))
		return;
	trial_check(t, mono_now().ns - machine_uptime() - ours >= SLEEP_NS / 2,
	    "our clock counts through sleep");
	trial_append(t, "file", "more");
	trial_expect(t, file, NOTE_WRITE, NOTE_EXTEND);
	trial_note(
	    t, "it slept for %" PRId64 " s", (slept(apart) + MONO_SEC / 2) / MONO_SEC);
}

const struct probe selftest_clock[] = {
	{ "clock", "5.10 8.1", REQUIRED, "the clock never goes back",
	    .run = clock_goes_on },
	{ "clocks", "8.1", RECORD, "how far the clocks are apart",
	    .run = clocks_are_noted },
	{ "clock-set", "8.1", REQUIRED, "setting the clock does not move ours",
	    .run = set_clock_moves_nothing },
	{ "sleep", "3.10 5.10", REQUIRED,
	    "the clock counts through sleep, and what is watched stays so",
	    .run = sleep_is_counted },
	{ .id = NULL },
};
