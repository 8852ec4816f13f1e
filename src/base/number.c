/* SPDX-License-Identifier: MIT */
/*
 * Numbers, lengths, sizes and times as text. The one idea: what is read is all of the
 * text or nothing, and what is written is read back as the same.
 */
#include "base/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The number at the start of s; its end, or NULL if there is none or it is over max. */
static const char *
number(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (n > (max - (uint64_t)(*p - '0')) / 10 || (uint64_t)(*p - '0') > max)
			return NULL;
		n = n * 10 + (uint64_t)(*p - '0');
	}
	*out = n;
	return p != s ? p : NULL;
}

bool
parse_number(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t n;
	const char *end = number(s, max, &n);

	if (end == NULL || *end != '\0')
		return false;
	*out = n;
	return true;
}

bool
parse_int(const char *s, int64_t *out)
{
	bool minus = s[0] == '-';
	uint64_t n;

	if (!parse_number(s + minus, INT64_MAX, &n))
		return false;
	*out = minus ? -(int64_t)n : (int64_t)n;
	return true;
}

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first; the empty name is what a bare number means. */
static const struct unit duration_units[] = { { "d", 86400000 }, { "h", 3600000 },
	{ "m", 60000 }, { "s", 1000 }, { "", 1000 }, { "ms", 1 }, { NULL, 0 } };
static const struct unit size_units[] = { { "G", 1 << 30 }, { "M", 1 << 20 },
	{ "k", 1 << 10 }, { "", 1 }, { NULL, 0 } };

static bool
parse_with_unit(const struct unit *units, const char *s, uint64_t max, uint64_t *out)
{
	uint64_t n;
	const char *end = number(s, UINT64_MAX, &n);

	if (end == NULL)
		return false;
	for (; units->name != NULL; units++) {
		if (strcmp(end, units->name) != 0)
			continue;
		if (n > max / units->factor)
			return false;
		*out = n * units->factor;
		return true;
	}
	return false;
}

bool
parse_duration(const char *s, int64_t *out_ms)
{
	uint64_t ms;

	/* In nanoseconds it must still fit into an int64_t. */
	if (!parse_with_unit(duration_units, s, INT64_MAX / 1000000, &ms))
		return false;
	*out_ms = (int64_t)ms;
	return true;
}

bool
parse_size(const char *s, uint64_t *out)
{
	return parse_with_unit(size_units, s, INT64_MAX, out);
}

static void
format_with_unit(const struct unit *units, char *out, size_t size, uint64_t n)
{
	while (units[1].name != NULL && n % units->factor != 0)
		units++;
	snprintf(
	    out, size, "%" PRIu64 "%s", n / units->factor, n != 0 ? units->name : "");
}

void
format_duration(char *out, size_t size, int64_t ms)
{
	format_with_unit(duration_units, out, size, (uint64_t)ms);
}

void
format_size(char *out, size_t size, uint64_t bytes)
{
	format_with_unit(size_units, out, size, bytes);
}

int64_t
realtime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void
format_time(char out[TIME_TEXT_SIZE], int64_t ns)
{
	int64_t ms = ns / 1000000;
	time_t sec = (time_t)(ms / 1000);
	struct tm tm;
	size_t n;

	if (gmtime_r(&sec, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	n = strftime(out, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, TIME_TEXT_SIZE - n, ".%03dZ", (int)(ms % 1000));
}

bool
parse_time(const char *s, int64_t *ns)
{
	struct tm tm = { .tm_isdst = 0 };
	const char *end = strptime(s, "%Y-%m-%dT%H:%M:%S.", &tm);
	uint64_t ms;
	int64_t t;
	char digits[4], again[TIME_TEXT_SIZE];

	if (end == NULL || strlen(end) != 4 || end[3] != 'Z')
		return false;
	memcpy(digits, end, 3);
	digits[3] = '\0';
	if (!parse_number(digits, 999, &ms))
		return false;
	/* What is outside the range could not be subtracted either. */
	t = (int64_t)timegm(&tm) * 1000 + (int64_t)ms;
	if (t < 0 || t > INT64_MAX / 1000000)
		return false;
	t *= 1000000;
	/* strptime takes spaces, single digits and the 30th of February. */
	format_time(again, t);
	if (strcmp(again, s) != 0)
		return false;
	*ns = t;
	return true;
}
