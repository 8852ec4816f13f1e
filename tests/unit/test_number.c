/* SPDX-License-Identifier: MIT */
/* Numbers, lengths, sizes and times as text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/util.h"
#include "test.h"

TEST(numbers_are_whole_decimal_and_within_their_limit)
{
	static const char *const bad[] = { "", " ", "1 ", " 1", "+1", "-1", "1.0", "0x10",
		"1e3", "a", "18446744073709551616", "99999999999999999999999" };
	uint64_t n = 7;
	size_t i;

	for (i = 0; i < NELEM(bad); i++)
		if (parse_number(bad[i], UINT64_MAX, &n))
			fail_msg("'%s' was taken", bad[i]);
	assert_int_equal(n, 7);
	assert_true(parse_number("18446744073709551615", UINT64_MAX, &n));
	assert_true(n == UINT64_MAX);
	assert_true(parse_number("0", 0, &n));
	assert_int_equal(n, 0);
	assert_true(parse_number("0010", 10, &n));
	assert_int_equal(n, 10);
	assert_false(parse_number("11", 10, &n));
	assert_false(parse_number("5", 4, &n));
	assert_true(parse_number("255", 255, &n));
	assert_false(parse_number("256", 255, &n));
	assert_int_equal(n, 255);
}

TEST(integers_may_be_negative)
{
	int64_t n = 5;

	assert_true(parse_int("-12", &n) && n == -12);
	assert_true(parse_int("9223372036854775807", &n) && n == INT64_MAX);
	n = 5;
	assert_false(parse_int("9223372036854775808", &n));
	assert_false(parse_int("--1", &n));
	assert_false(parse_int("-", &n));
	assert_false(parse_int("", &n));
	assert_false(parse_int("- 1", &n));
	assert_int_equal(n, 5);
}

TEST(durations_have_one_unit)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = { { "250ms", 250 }, { "10s", 10000 }, { "10", 10000 },
		{ "5m", 300000 }, { "2h", 7200000 }, { "1d", 86400000 }, { "0", 0 },
		{ "0ms", 0 }, { "106751d", INT64_C(9223286400000) } };
	static const char *const bad[] = { "", "s", "1 s", "1s ", "-1s", "1.5s", "1M",
		"1S", "1sec", "1h30m", "1ms2", "106752d", "9223372036855",
		"18446744073709551615d" };
	int64_t ms;
	size_t i;

	for (i = 0; i < NELEM(good); i++) {
		if (!parse_duration(good[i].text, &ms))
			fail_msg("'%s' was refused", good[i].text);
		assert_int_equal(ms, good[i].ms);
	}
	ms = 7;
	for (i = 0; i < NELEM(bad); i++)
		if (parse_duration(bad[i], &ms))
			fail_msg("'%s' was taken", bad[i]);
	assert_int_equal(ms, 7);
}

TEST(sizes_are_powers_of_1024)
{
	static const char *const bad[] = { "", "k", "1K", "1kB", "1 k", "-1", "1m", "1g",
		"9223372036854775808", "8589934592G" };
	uint64_t n = 7;
	size_t i;

	for (i = 0; i < NELEM(bad); i++)
		if (parse_size(bad[i], &n))
			fail_msg("'%s' was taken", bad[i]);
	assert_int_equal(n, 7);
	assert_true(parse_size("5", &n) && n == 5);
	assert_true(parse_size("4k", &n) && n == 4096);
	assert_true(parse_size("1M", &n) && n == 1048576);
	assert_true(parse_size("2G", &n) && n == 2147483648);
	assert_true(parse_size("9223372036854775807", &n) && n == INT64_MAX);
}

TEST(what_is_formatted_is_the_shortest_that_reads_back)
{
	static const struct {
		int64_t ms;
		const char *text;
	} durations[] = { { 0, "0" }, { 1, "1ms" }, { 999, "999ms" }, { 1000, "1s" },
		{ 1500, "1500ms" }, { 60000, "1m" }, { 90000, "90s" }, { 3600000, "1h" },
		{ 86400000, "1d" }, { 172800000, "2d" }, { 90000000, "25h" } };
	char text[32];
	uint64_t size, back;
	int64_t ms;
	size_t i;

	for (i = 0; i < NELEM(durations); i++) {
		format_duration(text, sizeof(text), durations[i].ms);
		assert_string_equal(text, durations[i].text);
		assert_true(parse_duration(text, &ms));
		assert_int_equal(ms, durations[i].ms);
	}
	for (size = 1; size < UINT64_C(1) << 61; size = size * 3 + size % 2) {
		format_size(text, sizeof(text), size);
		assert_true(parse_size(text, &back));
		assert_true(back == size);
	}
	format_size(text, sizeof(text), 4096);
	assert_string_equal(text, "4k");
	format_size(text, sizeof(text), 0);
	assert_string_equal(text, "0");
	format_size(text, sizeof(text), UINT64_C(3) << 30);
	assert_string_equal(text, "3G");
}

TEST(a_time_is_utc_with_milliseconds)
{
	char text[TIME_TEXT_SIZE];
	int64_t ns, now = realtime_ns();

	format_time(text, INT64_C(1795517682597123456));
	assert_string_equal(text, "2026-11-24T10:54:42.597Z");
	assert_true(parse_time(text, &ns));
	assert_int_equal(ns, INT64_C(1795517682597000000));
	format_time(text, 0);
	assert_string_equal(text, "1970-01-01T00:00:00.000Z");
	format_time(text, INT64_MAX);
	assert_true(parse_time(text, &ns));
	format_time(text, now);
	assert_true(parse_time(text, &ns));
	assert_int_equal(ns, now / 1000000 * 1000000);
}

TEST(anything_else_is_no_time)
{
	static const char *const bad[] = { "", "2026-11-24", "2026-11-24T10:54:42Z",
		"2026-11-24T10:54:42.597", "2026-11-24T10:54:42.59Z",
		"2026-11-24T10:54:42.5970Z", "2026-11-24T10:54:42.597Z ",
		" 2026-11-24T10:54:42.597Z", "2026-1-4T1:2:3.597Z",
		"2026-02-30T10:54:42.597Z", "2026-13-24T10:54:42.597Z",
		"2026-11-24 10:54:42.597Z", "2026-11-24T10:54:42.5x7Z",
		"4052-11-24T10:54:42.597Z", "2262-04-11T23:47:16.855Z",
		"1969-12-31T23:59:59.999Z", "0001-01-01T00:00:00.000Z" };
	int64_t ns = 7;
	size_t i;

	for (i = 0; i < NELEM(bad); i++)
		if (parse_time(bad[i], &ns))
			fail_msg("'%s' was taken", bad[i]);
	assert_int_equal(ns, 7);
}
