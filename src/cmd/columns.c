/* SPDX-License-Identifier: MIT */
/*
 * Laying text out. It knows nothing of what the text is about, and everything
 * that is cut is seen to be.
 */
#include "cmd/columns.h"

#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <wchar.h>

#include "base/util.h"
#include "base/number.h"

#define WIDTH 80
#define NARROWEST 20
#define WIDEST 1000

void
columns_init(void)
{
	static const char *const names[] = { "C.UTF-8", "UTF-8", "en_US.UTF-8" };
	size_t i;

	/* Whatever the user's locale is, what is laid out here is UTF-8. */
	for (i = 0; i < NELEM(names); i++)
		if (setlocale(LC_CTYPE, names[i]) != NULL)
			return;
}

size_t
columns_of(FILE *out)
{
	const char *given = getenv("COLUMNS");
	struct winsize size;
	uint64_t n = 0;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		n = size.ws_col;
	else if (given == NULL || !parse_number(given, WIDEST, &n) || n == 0)
		n = WIDTH;
	return n > NARROWEST ? (size_t)n : NARROWEST;
}

bool
columns_are_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *value;
	size_t i;

	for (i = 0; i < NELEM(names); i++) {
		value = getenv(names[i]);
		if (value != NULL && value[0] != '\0')
			return strstr(value, "UTF-8") != NULL ||
			       strstr(value, "utf8") != NULL;
	}
	return false;
}

/* The bytes and the columns of the character at s. */
static size_t
character(const char *s, size_t *width)
{
	unsigned char first = (unsigned char)s[0];
	size_t len = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4, i;
	wchar_t c = (wchar_t)(len == 1 ? first : first & (0x7f >> len));
	int w;

	for (i = 1; i < len && s[i] != '\0'; i++)
		c = (wchar_t)(c << 6 | ((unsigned char)s[i] & 0x3f));
	w = wcwidth(c);
	*width = w >= 0 ? (size_t)w : 1;
	return i;
}

/* How many bytes of text fit width columns. */
static size_t
prefix(const char *text, size_t width)
{
	size_t n = 0, len, w;

	while (text[n] != '\0') {
		len = character(text + n, &w);
		if (w > width)
			break;
		width -= w;
		n += len;
	}
	return n;
}

size_t
columns_width(const char *text)
{
	size_t n = 0, w;

	while (*text != '\0') {
		text += character(text, &w);
		n += w;
	}
	return n;
}

/* Where the first n bytes of text may end: after a word, else after a slash. */
static size_t
break_before(const char *text, size_t n)
{
	size_t end = n;

	while (end > 0 && text[end] != ' ')
		end--;
	if (end > 0)
		return end;
	for (end = n; end > n / 2; end--)
		if (text[end - 1] == '/')
			return end;
	return n;
}

/* n, less the spaces that the first n bytes of text end with. */
static size_t
without_spaces(const char *text, size_t n)
{
	while (n > 0 && text[n - 1] == ' ')
		n--;
	return n;
}

void
columns_cut(struct buf *out, const char *text, size_t width)
{
	const char *sign = columns_are_utf8() ? "\u2026" : "...";
	size_t signs = columns_width(sign), n, at;

	if (columns_width(text) <= width) {
		buf_adds(out, text);
		return;
	}
	if (width < signs) {
		buf_add(out, sign, prefix(sign, width));
		return;
	}
	n = prefix(text, width - signs);
	at = break_before(text, n);
	/* Of a long word that comes second most would be lost. */
	if (at >= n / 2)
		n = at;
	buf_add(out, text, without_spaces(text, n));
	buf_adds(out, sign);
}

void
columns_fold(FILE *out, const char *lead, size_t indent, const char *text, size_t width)
{
	size_t at = columns_width(lead), n, w;

	fputs(lead, out);
	do {
		fprintf(out, "%*s", at < indent ? (int)(indent - at) : 0, "");
		at = at > indent ? at : indent;
		n = prefix(text, width > at ? width - at : 0);
		if (text[n] != '\0')
			n = break_before(text, n);
		/* A lead that leaves no room is alone on its line. */
		if (n == 0 && at == indent && *text != '\0')
			n = character(text, &w);
		fprintf(out, "%.*s\n", (int)without_spaces(text, n), text);
		text += n;
		text += strspn(text, " ");
		at = 0;
	} while (*text != '\0');
}

/* Makes the column as wide as the text, unless that stands elsewhere. */
static void
measure(struct column *c, const char *text)
{
	size_t width = columns_width(text);

	if (width > c->width && (c->most == 0 || width <= c->most))
		c->width = width;
}

/* Takes from the columns that have most above what they are to keep. */
static size_t
shrink(struct column *c, size_t n, size_t too_much, bool at_worst)
{
	size_t i, over, most, keep;
	struct column *from;

	for (; too_much > 0; too_much--) {
		from = NULL;
		most = 0;
		for (i = 0; i < n; i++) {
			keep = at_worst ? c[i].least : c[i].enough;
			over = c[i].width > keep ? c[i].width - keep : 0;
			if (over > most) {
				most = over;
				from = &c[i];
			}
		}
		if (from == NULL)
			break;
		from->width--;
	}
	return too_much;
}

static void
divide(struct column *c, size_t n, size_t width)
{
	size_t sum = 0, over, i;

	for (i = 0; i < n; i++) {
		if (i > 0)
			c[i].gap = 2;
		sum += c[i].gap + c[i].width;
	}
	over = shrink(c, n, sum > width ? sum - width : 0, false);
	for (i = 1; i < n && over > 0; i++, over--)
		c[i].gap = 1;
	(void)shrink(c, n, over, true);
}

static void
add_spaces(struct buf *b, size_t n)
{
	buf_addf(b, "%*s", (int)n, "");
}

void
columns_row(FILE *out, const struct column *c, size_t n, const char *const *cells,
    size_t marked, const char *on, const char *off)
{
	struct buf row = { NULL, 0, 0 }, cell = { NULL, 0, 0 };
	size_t i, rest;

	for (i = 0; i < n; i++) {
		cell.len = 0;
		buf_adds(&cell, "");
		columns_cut(&cell, cells[i], c[i].width);
		rest = c[i].width - columns_width(cell.p);
		add_spaces(&row, c[i].gap + (c[i].right ? rest : 0));
		buf_addf(&row, "%s%s%s", i == marked ? on : "", cell.p,
		    i == marked ? off : "");
		add_spaces(&row, c[i].right ? 0 : rest);
	}
	fprintf(out, "%.*s\n", (int)without_spaces(row.p, row.len), row.p);
	buf_clear(&row);
	buf_clear(&cell);
}

void
columns_begin(
    FILE *out, struct column *c, size_t n, const struct strv *cells, size_t width)
{
	const char **titles = xcalloc(n, sizeof(*titles));
	size_t i;

	for (i = 0; i < cells->n; i++)
		measure(&c[i % n], cells->v[i]);
	for (i = 0; i < n; i++) {
		titles[i] = c[i].title;
		measure(&c[i], c[i].title);
	}
	divide(c, n, width);
	columns_row(out, c, n, titles, n, "", "");
	free(titles);
}
