/* SPDX-License-Identifier: MIT */
/* What comes from outside does no harm, and can be read back. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "base/visible.h"
#include "test.h"

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

	for (i = 0; i < NELEM(shown); i++) {
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

	for (i = 0; i < NELEM(texts); i++) {
		raw = unvis_dup(texts[i]);
		assert_string_equal(raw, texts[i]);
		free(raw);
	}
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
