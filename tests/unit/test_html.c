/* SPDX-License-Identifier: MIT */
/*
 * Text in a page: whatever it is, it is read as it stands and does nothing.
 */

#include <string.h>

#include "base/util.h"
#include "cmd/html.h"
#include "test.h"

static struct buf out;

TEAR_DOWN
{
	buf_clear(&out);
}

static const char *
text(const char *s)
{
	buf_clear(&out);
	html_add(&out, "%s", s);
	return out.p;
}

TEST(text_is_no_element)
{
	assert_string_equal(text("<script>alert('1')</script> & \"x\""),
	    "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x&quot;");
}

TEST(a_format_keeps_its_own_elements)
{
	html_add(&out, "<b class=\"%s\">%s</b> %zu<br>", "\"onclick=x", "a<b", (size_t)7);
	assert_string_equal(out.p, "<b class=\"&quot;onclick=x\">a&lt;b</b> 7<br>");
}

TEST(an_empty_text_is_no_mistake)
{
	assert_string_equal(text(""), "");
}

TEST(control_bytes_are_shown)
{
	assert_string_equal(text("a\033[2J\x7f\r"), "a\\033[2J\\177\\015");
	assert_string_equal(text("\xc2\x9b"), "\\302\\233");
}

TEST(newlines_and_tabs_stay)
{
	assert_string_equal(text("a\tb\n\nc\n"), "a\tb\n\nc\n");
}

TEST(a_backslash_stays_as_it_is)
{
	assert_string_equal(text("\\042"), "\\042");
}

TEST(what_is_no_utf8_is_shown)
{
	assert_string_equal(text("\xff<\xc3"), "\\377&lt;\\303");
	assert_string_equal(text("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
}

TEST(what_turns_text_around_is_shown)
{
	assert_string_equal(text("a\xe2\x80\xae."), "a\\342\\200\\256.");
	assert_string_equal(text("\xe2\x81\xa6<"), "\\342\\201\\246&lt;");
}

TEST(what_is_beside_it_is_not)
{
	assert_string_equal(
	    text("\xe2\x80\x90\xe2\x82\xac\xd8\xa7"), "\xe2\x80\x90\xe2\x82\xac\xd8\xa7");
}

TEST(a_zero_byte_hides_nothing)
{
	html_add_bytes(&out, "a\0<b\0", 5);
	assert_string_equal(out.p, "a\\000&lt;b\\000");
}
