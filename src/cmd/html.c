/* SPDX-License-Identifier: MIT */
/*
 * Text to HTML. There is one way to add text from outside, and it escapes, so that
 * to forget it is not possible.
 */
#include "cmd/html.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "base/visible.h"

/* What stands for a character of HTML itself, or NULL. */
static const char *
entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* Adds text that has been made visible. */
static void
add_visible(struct buf *out, const char *s)
{
	const char *name;

	for (; *s != '\0'; s++) {
		name = entity(*s);
		if (name != NULL)
			buf_adds(out, name);
		else
			buf_add(out, s, 1);
	}
}

/* Adds what has no newline and no tab in it. */
static void
add_plain(struct buf *out, const char *s, size_t n)
{
	char *piece, *visible;
	size_t len;

	while (n > 0) {
		len = strnlen(s, n);
		piece = xstrndup(s, len);
		visible = safe_dup(piece);
		add_visible(out, visible);
		free(visible);
		free(piece);
		if (len < n) {
			buf_adds(out, "\\000");
			len++;
		}
		s += len;
		n -= len;
	}
}

void
html_add_bytes(struct buf *out, const char *s, size_t n)
{
	size_t len;

	while (n > 0) {
		for (len = 0; len < n && s[len] != '\n' && s[len] != '\t'; len++)
			continue;
		add_plain(out, s, len);
		if (len < n)
			buf_add(out, s + len++, 1);
		s += len;
		n -= len;
	}
}

static void
add_text(struct buf *out, const char *s)
{
	html_add_bytes(out, s, strlen(s));
}

void
html_add(struct buf *out, const char *fmt, ...)
{
	const char *at;
	va_list args;

	va_start(args, fmt);
	while ((at = strchr(fmt, '%')) != NULL) {
		buf_add(out, fmt, (size_t)(at - fmt));
		fmt = at + 2;
		if (at[1] == 's') {
			add_text(out, va_arg(args, const char *));
		} else {
			buf_addf(out, "%zu", va_arg(args, size_t));
			fmt = at + 3;
		}
	}
	va_end(args);
	buf_adds(out, fmt);
}
