/* SPDX-License-Identifier: MIT */
/*
 * Text from outside made harmless: what a terminal would obey, or what shows another
 * name than there is, is seen as what it is.
 */
#include "base/visible.h"

#include <string.h>

#include "base/util.h"

/*
 * The length of the UTF-8 character at s, which has n > 0 bytes; 0 if it is not
 * one: overlong forms, surrogates and what lies beyond U+10FFFF are not.
 */
static size_t
utf8_length(const unsigned char *s, size_t n)
{
	static const struct {
		unsigned char first, last, low, high, len;
	} forms[] = {
		{ 0x00, 0x7f, 0x00, 0x00, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	size_t i, k;

	for (i = 0; i < NELEM(forms); i++) {
		if (s[0] < forms[i].first || s[0] > forms[i].last)
			continue;
		if (forms[i].len > n)
			return 0;
		if (forms[i].len > 1 && (s[1] < forms[i].low || s[1] > forms[i].high))
			return 0;
		for (k = 2; k < forms[i].len; k++)
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].len;
	}
	return 0;
}

/* How many bytes at s are letters and signs of ASCII, but no backslash. */
static size_t
plain_length(const unsigned char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] >= ' ' && s[i] < 0x7f && s[i] != '\\')
		i++;
	return i;
}

/* C1 controls (U+0080 to U+009F) drive terminals too. */
static bool
is_control(const unsigned char *s, size_t len)
{
	if (len == 1)
		return s[0] < 0x20 || s[0] == 0x7f;
	return len == 2 && s[0] == 0xc2 && s[1] < 0xa0;
}

/* What turns the direction of writing, or begins a line, shows another name. */
static bool
deceives(const unsigned char *s, size_t len)
{
	static const struct {
		unsigned char second, first, last;
	} turns[] = {
		{ 0x80, 0x8e, 0x8f }, /* U+200E to U+200F */
		{ 0x80, 0xa8, 0xae }, /* U+2028 to U+202E */
		{ 0x81, 0xa6, 0xa9 }, /* U+2066 to U+2069 */
	};
	size_t i;

	for (i = 0; i < NELEM(turns) && len == 3; i++)
		if (s[0] == 0xe2 && s[1] == turns[i].second && s[2] >= turns[i].first &&
		    s[2] <= turns[i].last)
			return true;
	return false;
}

bool
text_is_valid(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t n = strlen(s), len;

	for (; n > 0; u += len, n -= len) {
		len = plain_length(u, n);
		if (len > 0)
			continue;
		len = utf8_length(u, n);
		if (len == 0 || (is_control(u, len) && *u != '\t'))
			return false;
	}
	return true;
}

/* By hand: a name may be nothing but such bytes, and 4,096 of them are in a record. */
static void
add_octal(struct buf *b, unsigned char c)
{
	char text[4] = { '\\', (char)('0' + (c >> 6)), (char)('0' + (c >> 3 & 7)),
		(char)('0' + (c & 7)) };

	buf_add(b, text, sizeof(text));
}

static void
add_visible(struct buf *b, const char *s, size_t n, bool backslash)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t i = 0, k, len;

	buf_reserve(b, n);
	while (i < n) {
		len = plain_length(u + i, n - i);
		buf_add(b, u + i, len);
		i += len;
		if (i == n)
			break;
		len = utf8_length(u + i, n - i);
		if (len != 0 && !is_control(u + i, len) && !deceives(u + i, len) &&
		    (u[i] != '\\' || backslash)) {
			buf_add(b, u + i, len);
			i += len;
			continue;
		}
		for (k = len != 0 ? len : 1; k > 0; k--)
			add_octal(b, u[i++]);
	}
}

void
buf_addvis(struct buf *b, const char *s, size_t n)
{
	add_visible(b, s, n, false);
}

static char *
visible_dup(const char *s, bool backslash)
{
	struct buf b = { NULL, 0, 0 };

	add_visible(&b, s, strlen(s), backslash);
	buf_adds(&b, "");
	return b.p;
}

char *
vis_dup(const char *s)
{
	return visible_dup(s, false);
}

char *
safe_dup(const char *s)
{
	return visible_dup(s, true);
}

static bool
is_octal(const char *s)
{
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' &&
	       s[2] <= '7';
}

char *
unvis_dup(const char *s)
{
	char *out = xcalloc(strlen(s) + 1, 1), *o = out;

	while (*s != '\0') {
		if (s[0] == '\\' && is_octal(s + 1)) {
			*o++ =
			    (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 4;
		} else {
			*o++ = *s++;
		}
	}
	return out;
}
