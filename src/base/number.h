/* SPDX-License-Identifier: MIT */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A whole decimal number, no sign, no space, at most max. A duration: a whole
 * number and one of ms s m h d, or none for seconds; result in milliseconds. A
 * size: a whole number and k, M, G (powers of 1024) or none; result in bytes.
 * All return false, and leave *out alone, for anything else or too large.
 */
bool parse_number(const char *s, uint64_t max, uint64_t *out);
bool parse_int(const char *s, int64_t *out); /* may have a minus */
bool parse_duration(const char *s, int64_t *out_ms);
bool parse_size(const char *s, uint64_t *out);

/* The shortest text that parse_duration reads back as ms: "250ms", "2m". */
void format_duration(char *out, size_t size, int64_t ms);

/* Likewise for parse_size. */
void format_size(char *out, size_t size, uint64_t bytes);

/* CLOCK_REALTIME in nanoseconds since 1970. For stamps, logs and ids only. */
int64_t realtime_ns(void);

/* "2026-11-24T10:54:42.597Z". */
#define TIME_TEXT_SIZE 32
void format_time(char out[TIME_TEXT_SIZE], int64_t realtime_ns);

/* Reads that form back, from 1970 to 2262; false if it is anything else. */
bool parse_time(const char *s, int64_t *realtime_ns);

#endif
