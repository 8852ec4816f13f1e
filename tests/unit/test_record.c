/* SPDX-License-Identifier: MIT */
/*
 * A line of the state and back: what is printed is read as it was, and whatever
 * is not exactly such a line is refused as a whole.
 */

#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "state/record.h"
#include "test.h"

static uint64_t state;

static uint64_t
draw(uint64_t below)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (state >> 20) % below;
}

/* Any bytes but NUL: control bytes, quotes, backslashes, no UTF-8. */
static char *
draw_text(const char *prefix)
{
	size_t len = (size_t)draw(24), i, at = strlen(prefix);
	char *s = calloc(at + len + 1, 1);

	assert_non_null(s);
	memcpy(s, prefix, at);
	for (i = 0; i < len; i++)
		s[at + i] = (char)(1 + draw(255));
	return s;
}

static int64_t
draw_time(void)
{
	return draw(3) == 0 ? 0 : (int64_t)(draw(INT64_MAX / 2) * 2 + draw(2));
}

static void
draw_paths(struct record *r)
{
	struct record_path *p;

	r->npaths = (size_t)draw(4);
	r->paths = calloc(r->npaths + 1, sizeof(*r->paths));
	assert_non_null(r->paths);
	for (p = r->paths; p < r->paths + r->npaths; p++) {
		p->path = draw_text("/");
		p->owed = (unsigned)draw(16);
		if (draw(3) == 0)
			continue;
		p->seen.present = true;
		p->seen.mode = S_IFREG | (mode_t)draw(010000);
		p->seen.uid = (uid_t)draw(UINT32_MAX);
		p->seen.gid = (gid_t)draw(UINT32_MAX);
		p->seen.ino = draw(UINT64_MAX) * 3;
		p->seen.size = draw(2) == 0 ? UINT64_MAX : draw(1 << 20);
		p->seen.mtime_ns =
		    (int64_t)draw(INT64_MAX) - (draw(2) == 0 ? 0 : INT64_MAX);
	}
}

static void
draw_others(struct record *r)
{
	size_t i;

	r->others = calloc(r->watch.n, sizeof(*r->others));
	assert_non_null(r->others);
	for (i = 0; i < r->watch.n && draw(2) == 0; i++)
		r->others[i] = (struct watch_others){
			.n = 1 + draw(1 << 20),
			.names = draw(UINT64_MAX) * 3,
			.contents = UINT64_MAX - draw(2),
			.attributes = draw(UINT64_MAX),
		};
	r->others_owed = (unsigned)draw(16);
	r->others_notices = (unsigned)draw(UINT32_MAX);
}

static void
draw_record(struct record *r)
{
	size_t n = 1 + (size_t)draw(3);

	*r = (struct record){
		.rule = draw_text("r"),
		.state.cause = (unsigned)draw(4),
		.state.attempt = (uint32_t)draw(UINT32_MAX),
		.state.failures = draw(2) == 0 ? UINT32_MAX : 0,
		.state.wait = (unsigned)draw(6),
		.verify_first = draw(2) == 0,
		.detected = draw_time(),
		.state.ended = draw_time(),
		.state.succeeded = INT64_MAX,
		.state.retry_at = draw_time(),
		.state.retry_length = draw_time(),
		.runs = draw(INT64_MAX),
		.failed = draw(3),
		.left = draw_time(),
	};
	while (n-- > 0)
		strv_push(&r->watch, draw_text("/"));
	draw_others(r);
	draw_paths(r);
	if (draw(2) == 0) {
		r->pid = (pid_t)(2 + draw(INT32_MAX - 2));
		r->started = draw_time();
		r->process = draw_text("");
		r->boot = draw_text("");
		r->run = draw_text("1-");
	}
	if (draw(2) == 0) {
		r->last_run = cJSON_CreateObject();
		cJSON_AddNumberToObject(r->last_run, "attempt", (double)draw(100));
	}
}

static void
assert_text(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a != NULL && b != NULL)
		assert_string_equal(a, b);
}

static void
assert_seen(const struct stamp *a, const struct stamp *b)
{
	assert_int_equal(a->present, b->present);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->gid, b->gid);
	assert_true(a->ino == b->ino && a->size == b->size);
	assert_true(a->mtime_ns == b->mtime_ns);
}

static void
assert_numbers(const struct record *a, const struct record *b)
{
	assert_int_equal(a->state.cause, b->state.cause);
	assert_int_equal(a->state.attempt, b->state.attempt);
	assert_int_equal(a->state.failures, b->state.failures);
	assert_int_equal(a->state.wait, b->state.wait);
	assert_int_equal(a->verify_first, b->verify_first);
	assert_true(a->detected == b->detected && a->state.ended == b->state.ended);
	assert_true(a->state.succeeded == b->state.succeeded &&
		    a->state.retry_at == b->state.retry_at);
	assert_true(
	    a->state.retry_length == b->state.retry_length && a->started == b->started);
	assert_true(a->runs == b->runs && a->failed == b->failed && a->left == b->left);
	assert_int_equal(a->pid, b->pid);
}

static void
assert_same(const struct record *a, const struct record *b)
{
	size_t i;

	assert_numbers(a, b);
	assert_text(a->rule, b->rule);
	assert_text(a->process, b->process);
	assert_text(a->boot, b->boot);
	assert_text(a->run, b->run);
	assert_true(strv_equal(&a->watch, &b->watch));
	assert_memory_equal(a->others, b->others, a->watch.n * sizeof(*a->others));
	assert_int_equal(a->others_owed, b->others_owed);
	assert_true(a->others_notices == b->others_notices);
	assert_int_equal(a->npaths, b->npaths);
	for (i = 0; i < a->npaths; i++) {
		assert_text(a->paths[i].path, b->paths[i].path);
		assert_int_equal(a->paths[i].owed, b->paths[i].owed);
		assert_seen(&a->paths[i].seen, &b->paths[i].seen);
	}
	assert_int_equal(a->last_run == NULL, b->last_run == NULL);
	if (a->last_run != NULL)
		assert_true(cJSON_Compare(a->last_run, b->last_run, true));
}

TEST(any_record_comes_back_as_it_was)
{
	struct record r, back;
	uint64_t seed;
	char *line;

	for (seed = 1; seed <= 2000; seed++) {
		state = seed;
		draw_record(&r);
		line = record_print(&r);
		if (!record_parse(&back, line, strlen(line) - 1))
			fail_msg("seed %u: %s", (unsigned)seed, line);
		assert_same(&r, &back);
		/* Nothing but printable ASCII and UTF-8, and one newline at its end. */
		assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
		free(line);
		record_clear(&r);
		record_clear(&back);
	}
}

static bool
is_taken(const char *line, size_t len)
{
	struct record r;
	bool taken = record_parse(&r, line, len);
	const struct record zero = { .rule = NULL };

	if (taken)
		record_clear(&r);
	assert_memory_equal(&r, &zero, sizeof(r));
	return taken;
}

#define STAMP "100644 0 0 12 34 -56"
#define PATHS "\"watch\":[\"/f\"],\"paths\":[{\"path\":\"/f\",\"seen\":\"" STAMP "\"}]"

/* All but the last digit of what is kept of an entry's others. */
#define ZEROS "000000000000000000000000000000000000000000000000000000000000000"

/* A line with more after what every line has. */
static bool
is_taken_with(const char *more)
{
	char line[512];

	snprintf(line, sizeof(line), "{\"rule\":\"r\"," PATHS "%s}", more);
	return is_taken(line, strlen(line));
}

TEST(a_line_cut_at_any_byte_is_refused)
{
	struct record r;
	uint64_t seed;
	size_t len;
	char *line;

	for (seed = 1; seed <= 40; seed++) {
		state = seed;
		draw_record(&r);
		line = record_print(&r);
		for (len = 0; len + 1 < strlen(line); len++)
			if (is_taken(line, len))
				fail_msg("seed %u, %zu bytes of %s", (unsigned)seed, len,
				    line);
		free(line);
		record_clear(&r);
	}
}

TEST(damage_never_does_more_than_be_refused)
{
	struct record r;
	uint64_t seed;
	size_t len;
	char *line;

	for (seed = 1; seed <= 3000; seed++) {
		state = seed;
		draw_record(&r);
		line = record_print(&r);
		len = strlen(line);
		line[draw(len)] = (char)draw(256);
		is_taken(line, len);
		free(line);
		record_clear(&r);
	}
}

TEST(a_member_of_another_type_is_refused)
{
	static const char *const bad[] = {
		",\"causes\":1",
		",\"causes\":true",
		",\"causes\":null",
		",\"causes\":\"\"",
		",\"causes\":\" 1\"",
		",\"causes\":\"1 \"",
		",\"causes\":\"+1\"",
		",\"causes\":\"0x1\"",
		",\"causes\":\"1.0\"",
		",\"verify_first\":\"yes\"",
		",\"verify_first\":false",
		",\"others\":{}",
		",\"others\":[1]",
		",\"others\":[\"0\"]",
		",\"others\":[\"" ZEROS "x\"]",
		",\"others\":[\"" ZEROS "0\",\"" ZEROS "0\"]",
		",\"others_owed\":\"16\"",
		",\"last_run\":[]",
		",\"last_run\":null",
		",\"last_run\":\"\"",
	};
	size_t i;

	assert_true(is_taken_with(""));
	assert_true(is_taken_with(",\"others\":[\"" ZEROS "f\"]"));
	assert_true(is_taken_with(",\"causes\":\"1\",\"full\":true,\"last_run\":{}"));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (is_taken_with(bad[i]))
			fail_msg("%s", bad[i]);
}

TEST(a_number_that_is_negative_or_does_not_fit_is_refused)
{
	static const char *const bad[] = { "causes\":\"-1", "next_attempt\":\"4294967296",
		"failures\":\"4294967296", "wait\":\"99999999999999999999",
		"detected\":\"-1", "ended\":\"9223372036854775808", "succeeded\":\"-5",
		"retry_at\":\"99999999999999999999", "retry_length\":\"-1", "runs\":\"-1",
		"left\":\"-9223372036854775808" };
	char more[128];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(more, sizeof(more), ",\"%s\"", bad[i]);
		if (is_taken_with(more))
			fail_msg("%s", more);
	}
}

TEST(a_running_process_is_told_wholly_or_the_line_is_refused)
{
	assert_true(is_taken_with(",\"pid\":\"2\",\"process\":\"p\",\"boot\":\"b\","
				  "\"run\":\"1-1\""));
	assert_false(is_taken_with(",\"pid\":\"2\",\"process\":\"p\",\"boot\":\"b\""));
	assert_false(is_taken_with(",\"pid\":\"2\",\"process\":\"p\",\"run\":\"1-1\""));
	assert_false(is_taken_with(",\"pid\":\"2\",\"boot\":\"b\",\"run\":\"1-1\""));
	/* A signal to the group of one of these would be one to everybody. */
	assert_false(is_taken_with(",\"pid\":\"1\",\"process\":\"p\",\"boot\":\"b\","
				   "\"run\":\"1-1\""));
	assert_false(is_taken_with(",\"pid\":\"-1\",\"process\":\"p\",\"boot\":\"b\","
				   "\"run\":\"1-1\""));
	assert_false(is_taken_with(",\"pid\":\"2147483648\",\"process\":\"p\","
				   "\"boot\":\"b\",\"run\":\"1-1\""));
}

TEST(a_path_that_is_not_wholly_told_is_refused)
{
	static const char *const bad[] = {
		"{}",
		"5",
		"null",
		"[]",
		"{\"path\":\"/f\"}",
		"{\"seen\":\"absent\"}",
		"{\"path\":7,\"seen\":\"absent\"}",
		"{\"path\":\"/f\",\"seen\":\"\"}",
		"{\"path\":\"/f\",\"seen\":\"Absent\"}",
		"{\"path\":\"/f\",\"seen\":\"absent \"}",
		"{\"path\":\"/f\",\"seen\":\"100644 0 0 12 34\"}",
		"{\"path\":\"/f\",\"seen\":\"" STAMP " 1\"}",
		"{\"path\":\"/f\",\"seen\":\" " STAMP "\"}",
		"{\"path\":\"/f\",\"seen\":\"100644 -1 0 12 34 56\"}",
		"{\"path\":\"/f\",\"seen\":\"100644 0 0 -12 34 56\"}",
		"{\"path\":\"/f\",\"seen\":\"100644  0 0 12 34 56\"}",
		"{\"path\":\"/f\",\"seen\":\"100644 4294967296 0 12 34 56\"}",
		"{\"path\":\"/f\",\"seen\":\"100644 0 0 99999999999999999999 34 56\"}",
		"{\"path\":\"/f\",\"seen\":\"100648 0 0 12 34 56\"}",
		"{\"path\":\"/f\",\"seen\":\"absent\",\"owed\":1}",
		"{\"path\":\"/f\",\"seen\":\"absent\",\"owed\":\"16\"}",
		"{\"path\":\"/f\",\"seen\":\"absent\",\"owed\":\"-1\"}",
		"{\"Path\":\"/f\",\"seen\":\"absent\"}",
		"{\"path\":\"/f\",\"SEEN\":\"absent\"}",
	};
	char line[512];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line),
		    "{\"rule\":\"r\",\"watch\":[],\"paths\":[%s]}", bad[i]);
		if (is_taken(line, strlen(line)))
			fail_msg("%s", line);
	}
}

TEST(what_is_no_such_object_is_refused)
{
	static const char *const bad[] = { "", " ", "{}", "[]", "null", "1", "\"r\"",
		"{\"rule\":\"r\"}", "{\"rule\":\"r\",\"watch\":[]}",
		"{\"rule\":\"r\",\"paths\":[]}", "{\"watch\":[],\"paths\":[]}",
		"{\"rule\":1,\"watch\":[],\"paths\":[]}",
		"{\"rule\":\"r\",\"watch\":{},\"paths\":[]}",
		"{\"rule\":\"r\",\"watch\":[1],\"paths\":[]}",
		"{\"rule\":\"r\",\"watch\":[],\"paths\":{}}",
		"{\"Rule\":\"r\",\"watch\":[],\"paths\":[]}",
		"{\"rule\":\"r\",\"WATCH\":[],\"paths\":[]}",
		"{\"rule\":\"r\",\"watch\":[],\"Paths\":[]}",
		"{\"rule\":\"r\",\"watch\":[],\"paths\":[]}x",
		"{\"rule\":\"r\",\"watch\":[],\"paths\":[]}{}",
		"{\"rule\":\"r\\u0000x\",\"watch\":[],\"paths\":[]}" };
	static const char nul[] = "{\"rule\":\"r\",\"watch\":[],\"paths\":[]}\0";
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (is_taken(bad[i], strlen(bad[i])))
			fail_msg("%s", bad[i]);
	assert_true(is_taken(nul, sizeof(nul) - 2));
	assert_false(is_taken(nul, sizeof(nul) - 1));
}
