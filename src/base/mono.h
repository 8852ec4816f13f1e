/* SPDX-License-Identifier: MIT */
#ifndef MONO_H
#define MONO_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A point on the clock that runs on through sleep and that nobody can set:
 * CLOCK_MONOTONIC_RAW on macOS, CLOCK_BOOTTIME on Linux. A struct, so that a
 * time and a length cannot be mixed up. Lengths are int64_t, in nanoseconds
 * where the name does not say otherwise.
 */
typedef struct {
	int64_t ns;
} mono_t;

#define MONO_MS INT64_C(1000000)
#define MONO_SEC INT64_C(1000000000)

/* Later than every other time: nothing is due. */
#define MONO_NEVER ((mono_t){ INT64_MAX })

/* The time now: never before what it was at an earlier call. */
mono_t mono_now(void);

/* t + ns, at most MONO_NEVER, which stays what it is. ns may be negative. */
mono_t mono_add(mono_t t, int64_t ns);

/* a - b in nanoseconds, or the nearest int64_t. */
int64_t mono_sub(mono_t a, mono_t b);

/*
 * t on the wall clock, in nanoseconds since 1970 and at least 1; now and real are
 * one moment on both clocks.
 */
int64_t mono_as_real(mono_t t, mono_t now, int64_t real);

bool mono_before(mono_t a, mono_t b);
bool mono_is_never(mono_t t);
mono_t mono_min(mono_t a, mono_t b);
mono_t mono_max(mono_t a, mono_t b);

#endif
