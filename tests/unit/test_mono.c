/* SPDX-License-Identifier: MIT */
/*
 * The clock as macOS has it: its names are there, and clock_gettime answers as its
 * libc does while the wall clock is being set.
 */
#ifndef CLOCK_UPTIME_RAW
#define CLOCK_UPTIME_RAW 8
#endif

#include <time.h>

#include "base/mono.c"
#include "test.h"

#define HOUR (3600 * MONO_SEC)

static int64_t since_boot, calendar_step;

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int64_t ns = since_boot;

	/* All others are made of the wall clock. */
	if (id != CLOCK_MONOTONIC_RAW)
		ns += calendar_step;
	*ts = (struct timespec){ .tv_sec = (time_t)(ns / MONO_SEC),
		.tv_nsec = (long)(ns % MONO_SEC) };
	return 0;
}

/* The time that passed for us while so much did in truth. */
static int64_t
passed(int64_t ns)
{
	mono_t before = mono_now();

	since_boot += ns;
	return mono_sub(mono_now(), before);
}

SET_UP
{
	since_boot = 1000 * HOUR;
	calendar_step = 0;
}

TEST(a_wall_clock_that_is_set_moves_nothing)
{
	mono_t before = mono_now();

	calendar_step = 24 * 365 * HOUR;
	assert_int_equal(mono_sub(mono_now(), before), 0);
	assert_int_equal(passed(MONO_SEC), MONO_SEC);
	calendar_step = -24 * HOUR;
	assert_int_equal(passed(MONO_SEC), MONO_SEC);
	calendar_step = 0;
	assert_int_equal(passed(MONO_SEC), MONO_SEC);
}

TEST(a_clock_that_steps_back_goes_on_from_where_it_was)
{
	assert_int_equal(passed(-HOUR), 0);
	assert_int_equal(passed(MONO_SEC), MONO_SEC);
	assert_int_equal(passed(-1), 0);
	assert_int_equal(passed(HOUR), HOUR);
}
