/* SPDX-License-Identifier: MIT */
/*
 * Times and the arithmetic on them, saturating, so that a "forever" that is
 * added to never wraps into the past. Nothing here knows the calendar.
 */
#include "base/mono.h"

#include <time.h>

/*
 * Darwin's CLOCK_MONOTONIC is the wall clock less the time of the boot. While the
 * wall clock is set, the kernel moves the one before the other
 * (clock_set_calendar_microtime), and that clock is off by the whole step.
 * CLOCK_MONOTONIC_RAW counts ticks there, in sleep too; Linux's stops in sleep.
 */
#ifdef CLOCK_UPTIME_RAW
#define CLOCK_THROUGH_SLEEP CLOCK_MONOTONIC_RAW
#else
#define CLOCK_THROUGH_SLEEP CLOCK_BOOTTIME
#endif

/* The system has one clock, so this is no struct: its last reading, as it was and as
 * given. */
static int64_t last_read, last_ns;

mono_t
mono_now(void)
{
	struct timespec ts;
	int64_t ns;

	clock_gettime(CLOCK_THROUGH_SLEEP, &ts);
	ns = (int64_t)ts.tv_sec * MONO_SEC + ts.tv_nsec;
	/* When the clock steps back, time goes on from the last reading. */
	if (ns > last_read)
		last_ns += ns - last_read;
	last_read = ns;
	return (mono_t){ last_ns };
}

mono_t
mono_add(mono_t t, int64_t ns)
{
	if (mono_is_never(t))
		return t;
	if (ns > 0 && t.ns > INT64_MAX - ns)
		return MONO_NEVER;
	if (ns < 0 && t.ns < INT64_MIN - ns)
		return (mono_t){ INT64_MIN };
	return (mono_t){ t.ns + ns };
}

int64_t
mono_sub(mono_t a, mono_t b)
{
	if (b.ns < 0 && a.ns > INT64_MAX + b.ns)
		return INT64_MAX;
	if (b.ns > 0 && a.ns < INT64_MIN + b.ns)
		return INT64_MIN;
	return a.ns - b.ns;
}

int64_t
mono_as_real(mono_t t, mono_t now, int64_t real)
{
	int64_t ns = mono_add((mono_t){ real }, mono_sub(t, now)).ns;

	return ns > 0 ? ns : 1;
}

bool
mono_before(mono_t a, mono_t b)
{
	return a.ns < b.ns;
}

bool
mono_is_never(mono_t t)
{
	return t.ns == INT64_MAX;
}

mono_t
mono_min(mono_t a, mono_t b)
{
	return mono_before(b, a) ? b : a;
}

mono_t
mono_max(mono_t a, mono_t b)
{
	return mono_before(a, b) ? b : a;
}
