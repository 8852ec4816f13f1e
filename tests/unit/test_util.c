/* SPDX-License-Identifier: MIT */
/*
 * The ground floor: memory, strings, numbers, times, limits, and the table of
 * strings that map.c is.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mono.h"
#include "base/util.h"
#include "base/fd.h"
#include "base/number.h"
#include "base/visible.h"
#include "test.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ------------------------------------------------------------------ memory */

TEST(the_parent_of_a_path_is_all_before_its_last_slash)
{
	static const char *const paths[][2] = { { "/a", "/" }, { "/a/b", "/a" },
		{ "/a/b/", "/a/b" }, { "/", "/" } };
	char *parent;
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		parent = path_parent(paths[i][0]);
		assert_string_equal(parent, paths[i][1]);
		free(parent);
	}
}

TEST(memory_is_cleared_and_never_null)
{
	char *p = xcalloc(100, 3);
	size_t i;

	for (i = 0; i < 300; i++)
		assert_int_equal(p[i], 0);
	free(p);
	p = xcalloc(0, 5);
	assert_non_null(p);
	p = xreallocarray(p, 0, 0);
	assert_non_null(p);
	free(p);
	p = xasprintf("%d-%s", 5, "x");
	assert_string_equal(p, "5-x");
	free(p);
	p = xstrndup("abcdef", 3);
	assert_string_equal(p, "abc");
	free(p);
}

TEST(out_of_memory_ends_the_process_for_launchd_to_start_it_anew)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		fclose(stderr);
		xreallocarray(NULL, SIZE_MAX / 2, 3);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EX_OSERR);
}

/* ----------------------------------------------------------------- strings */

TEST(a_list_of_strings_grows_and_ends_with_null)
{
	struct strv a = { NULL, 0 }, b = { NULL, 0 };
	size_t i;

	assert_true(strv_equal(&a, &b));
	for (i = 0; i < 1000; i++) {
		strv_push(&a, xasprintf("%zu", i));
		assert_int_equal(a.n, i + 1);
		assert_null(a.v[a.n]);
		assert_false(strv_equal(&a, &b));
		strv_push(&b, xasprintf("%zu", i));
		assert_true(strv_equal(&a, &b));
	}
	assert_string_equal(a.v[777], "777");
	b.v[500][0] = 'x';
	assert_false(strv_equal(&a, &b));
	strv_clear(&a);
	assert_int_equal(a.n, 0);
	assert_null(a.v);
	strv_clear(&a);
	strv_clear(&b);
}

TEST(a_buffer_grows_and_is_always_terminated)
{
	struct buf b = { NULL, 0, 0 };
	char big[5000];
	int i;

	buf_add(&b, NULL, 0);
	assert_string_equal(b.p, "");
	buf_addf(&b, "%s", "");
	assert_string_equal(b.p, "");
	for (i = 0; i < 1000; i++) {
		buf_adds(&b, "ab");
		buf_addf(&b, "%d", i % 10);
		assert_int_equal(b.len, strlen(b.p));
		assert_true(b.cap > b.len);
	}
	assert_memory_equal(b.p + 3 * 998, "ab8ab9", 7);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	buf_addf(&b, "%s", big);
	assert_int_equal(b.len, 3000 + 4999);
	buf_add(&b, "a\0b", 3);
	assert_int_equal(b.len, 3000 + 4999 + 3);
	buf_clear(&b);
	assert_null(b.p);
}

TEST(nothing_made_visible_is_an_empty_string)
{
	struct buf b = { NULL, 0, 0 };
	char *s = vis_dup("");

	buf_addvis(&b, "", 0);
	assert_non_null(b.p);
	assert_string_equal(b.p, "");
	assert_string_equal(s, "");
	buf_clear(&b);
	free(s);
}

static const struct {
	const char *raw, *visible;
} shown[] = {
	{ "plain text, with 'quotes' and %s", "plain text, with 'quotes' and %s" },
	{ "tab\tnewline\nreturn\r", "tab\\011newline\\012return\\015" },
	{ "\033[31mred\033[0m", "\\033[31mred\\033[0m" },
	{ "back\\slash", "back\\134slash" },
	{ "del\177", "del\\177" },
	/* The first and last that turn the direction, and their neighbours. */
	{ "\xe2\x80\x8e \xe2\x80\x8f", "\\342\\200\\216 \\342\\200\\217" },
	{ "\xe2\x80\xa8 \xe2\x80\xae", "\\342\\200\\250 \\342\\200\\256" },
	{ "\xe2\x81\xa6 \xe2\x81\xa9", "\\342\\201\\246 \\342\\201\\251" },
	{ "\xe2\x80\x8d \xe2\x80\x90 \xe2\x80\xaf",
	    "\xe2\x80\x8d \xe2\x80\x90 \xe2\x80\xaf" },
	{ "\xe2\x81\xa5 \xe2\x81\xaa \xe3\x80\xae",
	    "\xe2\x81\xa5 \xe2\x81\xaa \xe3\x80\xae" },
	/* Two, three and four bytes; the largest character. */
	{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
	{ "\xe2\x82\xac", "\xe2\x82\xac" },
	{ "\xf0\x9f\x94\x91", "\xf0\x9f\x94\x91" },
	{ "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
	{ "\xee\x80\x80", "\xee\x80\x80" },
	/* C1 controls as characters, and the first that is none. */
	{ "\xc2\x9b", "\\302\\233" },
	{ "\xc2\xa0", "\xc2\xa0" },
	/* Alone, cut short, overlong, a surrogate, too large. */
	{ "\x80", "\\200" },
	{ "\xc3", "\\303" },
	{ "\xc3(", "\\303(" },
	{ "\xe2\x82", "\\342\\202" },
	{ "\xe2\x82x", "\\342\\202x" },
	{ "\xc0\xaf", "\\300\\257" },
	{ "\xc1\xbf", "\\301\\277" },
	{ "\xe0\x9f\xbf", "\\340\\237\\277" },
	{ "\xf0\x8f\xbf\xbf", "\\360\\217\\277\\277" },
	{ "\xed\xa0\x80", "\\355\\240\\200" },
	{ "\xf4\x90\x80\x80", "\\364\\220\\200\\200" },
	{ "\xf5\x80\x80\x80", "\\365\\200\\200\\200" },
	{ "\xff\xfe", "\\377\\376" },
};

TEST(what_could_do_harm_becomes_octal_and_can_be_undone)
{
	char *visible, *raw;
	size_t i;

	for (i = 0; i < COUNT(shown); i++) {
		visible = vis_dup(shown[i].raw);
		assert_string_equal(visible, shown[i].visible);
		raw = unvis_dup(visible);
		assert_string_equal(raw, shown[i].raw);
		free(visible);
		free(raw);
	}
}

TEST(every_byte_survives_being_made_visible)
{
	char all[256], *visible, *raw;
	struct buf b = { NULL, 0, 0 };
	int i;

	for (i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	all[255] = '\0';
	visible = vis_dup(all);
	for (i = 0; visible[i] != '\0'; i++)
		assert_in_range((unsigned char)visible[i], 0x20, 0x7e);
	raw = unvis_dup(visible);
	assert_string_equal(raw, all);
	free(visible);
	free(raw);
	buf_addvis(&b, "a\0b", 3);
	assert_string_equal(b.p, "a\\000b");
	buf_clear(&b);
}

TEST(a_backslash_that_begins_no_octal_stays)
{
	static const char *const texts[] = { "\\", "a\\", "\\0", "\\01", "\\018", "\\400",
		"\\n", "\\x41" };
	char *raw;
	size_t i;

	for (i = 0; i < COUNT(texts); i++) {
		raw = unvis_dup(texts[i]);
		assert_string_equal(raw, texts[i]);
		free(raw);
	}
}

/* ----------------------------------------------------------------- numbers */

TEST(numbers_are_whole_decimal_and_within_their_limit)
{
	static const char *const bad[] = { "", " ", "1 ", " 1", "+1", "-1", "1.0", "0x10",
		"1e3", "a", "18446744073709551616", "99999999999999999999999" };
	uint64_t n = 7;
	size_t i;

	for (i = 0; i < COUNT(bad); i++)
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

	for (i = 0; i < COUNT(good); i++) {
		if (!parse_duration(good[i].text, &ms))
			fail_msg("'%s' was refused", good[i].text);
		assert_int_equal(ms, good[i].ms);
	}
	ms = 7;
	for (i = 0; i < COUNT(bad); i++)
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

	for (i = 0; i < COUNT(bad); i++)
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

	for (i = 0; i < COUNT(durations); i++) {
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

/* ------------------------------------------------------------------- times */

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

	for (i = 0; i < COUNT(bad); i++)
		if (parse_time(bad[i], &ns))
			fail_msg("'%s' was taken", bad[i]);
	assert_int_equal(ns, 7);
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

/* ------------------------------------------------------------- descriptors */

TEST(a_descriptor_is_prepared_as_asked)
{
	int p[2];

	assert_int_equal(pipe(p), 0);
	assert_int_equal(fd_prepare(p[0], false), 0);
	assert_true((fcntl(p[0], F_GETFD) & FD_CLOEXEC) != 0);
	assert_true((fcntl(p[0], F_GETFL) & O_NONBLOCK) == 0);
	assert_int_equal(fd_prepare(p[1], true), 0);
	assert_true((fcntl(p[1], F_GETFD) & FD_CLOEXEC) != 0);
	assert_true((fcntl(p[1], F_GETFL) & O_NONBLOCK) != 0);
	close(p[0]);
	close(p[1]);
	assert_int_equal(fd_prepare(p[0], true), -1);
}

static uint64_t
soft_limit(void)
{
	struct rlimit l;

	getrlimit(RLIMIT_NOFILE, &l);
	return l.rlim_cur;
}

TEST(the_descriptor_limit_is_doubled_and_put_back_for_children)
{
	struct rlimit old, l;

	getrlimit(RLIMIT_NOFILE, &old);
	if (old.rlim_max < 256)
		skip();
	l = (struct rlimit){ .rlim_cur = 64, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &l), 0);
	fdlimit_init();
	assert_true(fdlimit_raise());
	assert_int_equal(soft_limit(), 128);
	assert_true(fdlimit_raise());
	assert_int_equal(soft_limit(), 256);
	fdlimit_lower();
	assert_int_equal(soft_limit(), 64);
	fdlimit_restore();
	assert_int_equal(soft_limit(), 256);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

TEST(the_descriptor_limit_ends_at_the_hard_one_or_at_what_the_kernel_has)
{
	struct rlimit l = { .rlim_cur = 100, .rlim_max = 300 };
	const char *preload = getenv("LD_PRELOAD");
	int status;
	pid_t pid;

	/* valgrind has its own idea of this limit. */
	if (preload != NULL && strstr(preload, "vgpreload") != NULL)
		skip();
	pid = fork();
	if (pid == 0) {
		if (setrlimit(RLIMIT_NOFILE, &l) != 0)
			_exit(1);
		fdlimit_init();
		if (!fdlimit_raise() || soft_limit() != 200)
			_exit(2);
		if (!fdlimit_raise() || soft_limit() != 300)
			_exit(3);
		if (fdlimit_raise() || soft_limit() != 300)
			_exit(4);
		/* macOS takes any limit, and lets a process have fewer. */
		fdlimit_init();
		fdlimit_cap(UINT64_MAX);
		if (setrlimit(RLIMIT_NOFILE, &l) != 0 || fdlimit_raise())
			_exit(5);
		fdlimit_init();
		fdlimit_cap(150);
		if (!fdlimit_raise() || soft_limit() != 150)
			_exit(6);
		if (fdlimit_raise() || soft_limit() != 150)
			_exit(7);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* --------------------------------------------------------------------- map */

TEST(a_table_finds_what_was_put_in)
{
	struct map m = { NULL, 0, 0 };
	char keys[3][8] = { "a", "b", "" };

	assert_null(map_get(&m, "a"));
	map_remove(&m, "a");
	map_put(&m, keys[0], keys[0]);
	map_put(&m, keys[1], keys[1]);
	map_put(&m, keys[2], keys[2]);
	assert_ptr_equal(map_get(&m, "a"), keys[0]);
	assert_ptr_equal(map_get(&m, "b"), keys[1]);
	assert_ptr_equal(map_get(&m, ""), keys[2]);
	assert_null(map_get(&m, "c"));
	assert_int_equal(m.n, 3);
	map_remove(&m, "a");
	map_remove(&m, "a");
	assert_null(map_get(&m, "a"));
	assert_ptr_equal(map_get(&m, "b"), keys[1]);
	assert_int_equal(m.n, 2);
	map_clear(&m);
	assert_null(map_get(&m, "b"));
}

#define KEYS 3000

/* Random puts and removes, with a plain array as the model. */
TEST(a_table_is_what_its_model_is)
{
	static char keys[KEYS][12];
	static bool in[KEYS];
	struct map m = { NULL, 0, 0 };
	size_t i, n = 0;
	unsigned seed = 12345;
	int step;

	for (i = 0; i < KEYS; i++)
		snprintf(keys[i], sizeof(keys[i]), "k%zu", i * 7919);
	for (step = 0; step < 200000; step++) {
		seed = seed * 1664525 + 1013904223;
		/* First more and more of them, then fewer and fewer. */
		i = (seed >> 8) % (step < 100000 ? KEYS : 1 + KEYS / 10);
		if (!in[i])
			map_put(&m, keys[i], keys[i]);
		else
			map_remove(&m, keys[i]);
		n += in[i] ? (size_t)-1 : 1;
		in[i] = !in[i];
		assert_int_equal(m.n, n);
		assert_true(2 * m.n <= m.cap);
		assert_ptr_equal(map_get(&m, keys[i]), in[i] ? keys[i] : NULL);
		if (step % 5000 != 0)
			continue;
		for (i = 0; i < KEYS; i++)
			assert_ptr_equal(map_get(&m, keys[i]), in[i] ? keys[i] : NULL);
	}
	for (i = 0; i < KEYS; i++)
		if (in[i])
			map_remove(&m, keys[i]);
	assert_int_equal(m.n, 0);
	for (i = 0; i < m.cap; i++)
		assert_null(m.slots[i].key);
	map_clear(&m);
}

TEST(text_is_utf8_without_control_bytes_but_tabs)
{
	assert_true(text_is_valid(""));
	assert_true(text_is_valid("a\tb gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\x91"));
	/* It is shown as \ooo, and is text all the same. */
	assert_true(text_is_valid("\xe2\x80\xae"));
	assert_false(text_is_valid("a\nb"));
	assert_false(text_is_valid("\x7f"));
	assert_false(text_is_valid("\xc2\x9b"));
	assert_false(text_is_valid("\xff"));
	assert_false(text_is_valid("\xc3"));
}

TEST(closing_a_descriptor_leaves_errno_alone)
{
	int fd = dup(STDERR_FILENO), none = -1;

	errno = ENOSPC;
	fd_close(&none);
	fd_close(&fd);
	assert_int_equal(fd, -1);
	assert_int_equal(errno, ENOSPC);
	fd = 1 << 20;
	fd_close(&fd);
	assert_int_equal(errno, ENOSPC);
}

TEST(a_text_ends_in_another)
{
	assert_true(text_ends_in("a.ini", ".ini"));
	assert_true(text_ends_in(".ini", ".ini"));
	assert_false(text_ends_in("ini", ".ini"));
	assert_false(text_ends_in("a.init", ".ini"));
}

TEST(a_path_is_cut_before_its_last_component)
{
	char path[] = "/a/b", none[] = "a";

	path_cut(path);
	assert_string_equal(path, "/a");
	path_cut(path);
	assert_string_equal(path, "");
	path_cut(none);
	assert_string_equal(none, "a");
}
