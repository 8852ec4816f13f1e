/* SPDX-License-Identifier: MIT */
/*
 * The clock that everything is timed by: it never goes back.
 */
#include "cmd/selftest_probes.h"

#include <inttypes.h>
#include <time.h>

#include "base/mono.h"
#include "cmd/trial.h"

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

const struct probe selftest_clock[] = {
	{ "clock", "5.10 8.1", REQUIRED, "the clock never goes back",
	    .run = clock_goes_on },
	{ "clocks", "8.1", RECORD, "how far the clocks are apart",
	    .run = clocks_are_noted },
	{ .id = NULL },
};
