/* SPDX-License-Identifier: MIT */
/*
 * The traps of cJSON, each of them closed.
 */

#include <cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "test.h"

static bool
is_taken(const char *text, size_t len)
{
	cJSON *o = json_parse(text, len);
	bool taken = o != NULL;

	cJSON_Delete(o);
	return taken;
}

TEST(only_a_whole_object_and_nothing_else_is_taken)
{
	static const char *const bad[] = { "", " ", "{", "}", "[]", "1", "\"\"", "true",
		"null", "{}x", "{}{}", "{} ,", "{\"a\"}", "{\"a\":}", "{\"a\":1",
		"{\"a\":\"\\u0000\"}", "{a:1}" };
	size_t i;

	assert_true(is_taken("{}", 2));
	assert_true(is_taken(" {\"a\":[1,{}]} ", 14));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (is_taken(bad[i], strlen(bad[i])))
			fail_msg("%s", bad[i]);
	assert_false(is_taken("{}\0", 3));
	assert_false(is_taken("{\"a\":\"\0\"}", 9));
	assert_true(is_taken("{}x", 2));
}

TEST(deep_nesting_is_refused_and_not_followed)
{
	char *text = malloc(200000);

	assert_non_null(text);
	memset(text, '[', 200000);
	memcpy(text, "{\"a\":", 5);
	assert_false(is_taken(text, 200000));
	free(text);
}

TEST(keys_are_found_by_their_exact_case)
{
	static const char text[] = "{\"Rule\":\"a\",\"rule\":\"b\",\"N\":\"1\"}";
	cJSON *o = json_parse(text, strlen(text));
	int64_t n = 7;

	assert_string_equal(json_get_string(o, "rule"), "b");
	assert_null(json_get_string(o, "RULE"));
	assert_null(json_get_text(o, "x"));
	assert_false(json_get_int(o, "n", &n));
	assert_int_equal(n, 7);
	cJSON_Delete(o);
}

TEST(any_bytes_come_back_through_a_line)
{
	static const char *const texts[] = { "", "plain", "tab\there", "line\nend",
		"quote\"back\\slash", "\\134", "\\1", "\xff\xfe\x80", "caf\xc3\xa9",
		"\xed\xa0\x80", "\xc2\x85", "\x01\x1f\x7f" };
	char *line, *back;
	size_t i;
	cJSON *o;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		o = cJSON_CreateObject();
		json_add_text(o, "t", texts[i]);
		line = json_line(o);
		cJSON_Delete(o);
		assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
		o = json_parse(line, strlen(line));
		assert_non_null(o);
		back = json_get_text(o, "t");
		assert_string_equal(back, texts[i]);
		free(back);
		free(line);
		cJSON_Delete(o);
	}
}

TEST(what_others_wrote_is_made_harmless)
{
	static const char text[] = "{\"a\033\":\"b\033\",\"c\":[\"d\xff\",1,null,"
				   "{\"e\":\"f\\\\033\\u001b\"}]}";
	cJSON *o = json_parse(text, strlen(text));
	char *line;

	assert_non_null(o);
	json_make_safe(o);
	line = json_line(o);
	/* What is visible already stays as it is. */
	assert_string_equal(line, "{\"a\\\\033\":\"b\\\\033\",\"c\":[\"d\\\\377\",1,null,"
				  "{\"e\":\"f\\\\033\\\\033\"}]}\n");
	free(line);
	cJSON_Delete(o);
}

TEST(numbers_of_64_bits_come_back)
{
	static const int64_t numbers[] = { 0, 1, -1, INT64_MAX, INT64_MAX - 1,
		(INT64_C(1) << 53) + 1, -INT64_MAX };
	size_t i;
	int64_t n;
	cJSON *o;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		o = cJSON_CreateObject();
		json_add_int(o, "n", numbers[i]);
		assert_true(json_get_int(o, "n", &n));
		assert_true(n == numbers[i]);
		cJSON_Delete(o);
	}
}

TEST(what_is_not_there_is_null)
{
	cJSON *o = cJSON_CreateObject();
	char *line;

	json_add_text(o, "t", NULL);
	json_add_time(o, "never", 0);
	json_add_time(o, "at", INT64_C(1795517682597000000));
	line = json_line(o);
	assert_string_equal(line, "{\"t\":null,\"never\":null,"
				  "\"at\":\"2026-11-24T10:54:42.597Z\"}\n");
	assert_null(json_get_text(o, "t"));
	free(line);
	cJSON_Delete(o);
}
