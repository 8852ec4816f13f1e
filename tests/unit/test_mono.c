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

TEST(points_of_time_saturate)
{
	const mono_t t = { 1000 }, early = { INT64_MIN }, late = { INT64_MAX - 1 };

	assert_int_equal(mono_add(t, 5).ns, 1005);
	assert_int_equal(mono_add(t, -5).ns, 995);
	assert_true(mono_is_never(mono_add(t, INT64_MAX)));
	assert_int_equal(mono_as_real(t, (mono_t){ 1500 }, 90000), 89500);
	assert_int_equal(mono_as_real(t, (mono_t){ 500 }, 90000), 90500);
	assert_int_equal(mono_as_real(early, t, 90000), 1);
	assert_int_equal(mono_as_real(late, t, INT64_MAX - 1), INT64_MAX);
	assert_true(mono_is_never(mono_add(late, 2)));
	assert_false(mono_is_never(late));
	assert_true(mono_is_never(mono_add(MONO_NEVER, -5)));
	assert_true(mono_is_never(mono_add(MONO_NEVER, INT64_MIN)));
	assert_int_equal(mono_add(early, -1).ns, INT64_MIN);
	assert_int_equal(mono_add((mono_t){ -5 }, INT64_MIN + 5).ns, INT64_MIN);
	assert_int_equal(mono_sub(t, (mono_t){ 400 }), 600);
	assert_true(mono_sub(MONO_NEVER, early) == INT64_MAX);
	assert_true(mono_sub(early, t) == INT64_MIN);
	assert_true(mono_sub(early, MONO_NEVER) == INT64_MIN);
	assert_true(mono_sub(MONO_NEVER, (mono_t){ 0 }) == INT64_MAX);
}

TEST(points_of_time_are_ordered)
{
	const mono_t a = { 1 }, b = { 2 };
	mono_t now = mono_now();

	assert_true(mono_before(a, b));
	assert_false(mono_before(b, a));
	assert_false(mono_before(a, a));
	assert_int_equal(mono_min(a, b).ns, 1);
	assert_int_equal(mono_min(b, a).ns, 1);
	assert_int_equal(mono_max(a, b).ns, 2);
	assert_int_equal(mono_max(b, a).ns, 2);
	assert_int_equal(mono_min(MONO_NEVER, b).ns, 2);
	assert_true(now.ns > 0);
	assert_false(mono_before(mono_now(), now));
}
