/* SPDX-License-Identifier: MIT */
/*
 * Property lists in XML, as far as such lists go: no entities but XML's own five
 * and numbers, no nesting without end, no key twice. What is not clear is an
 * error, never a guess; whoever reads further can rely on every string.
 */
#include "plist.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "map.h"
#include "util.h"

#define DEPTH_MAX 64
#define TAG_MAX 16

struct reader {
	const char *begin, *s; /* NUL-terminated, and no other NUL in it */
	char tag[TAG_MAX];     /* the name of the tag that was read last */
	bool closing, empty;   /* it was </tag>, or <tag/> */
	unsigned depth;
	char *why;
};

static const struct {
	const char *tag;
	enum plist_type type;
} types[] = {
	{ "dict", PLIST_DICT },
	{ "array", PLIST_ARRAY },
	{ "string", PLIST_STRING },
	{ "integer", PLIST_INTEGER },
	{ "real", PLIST_REAL },
	{ "true", PLIST_TRUE },
	{ "false", PLIST_FALSE },
	{ "date", PLIST_DATE },
	{ "data", PLIST_DATA },
};
#define NTYPES (sizeof(types) / sizeof(types[0]))

static struct plist *read_value(struct reader *r);

static int
fail(struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The first error counts. */
static int
fail(struct reader *r, const char *fmt, ...)
{
	unsigned line = 1;
	const char *s;
	va_list ap;
	int n;

	if (r->why[0] != '\0')
		return -1;
	for (s = r->begin; s < r->s; s++)
		line += *s == '\n';
	n = snprintf(r->why, PLIST_WHY_SIZE, "line %u: ", line);
	va_start(ap, fmt);
	vsnprintf(r->why + n, PLIST_WHY_SIZE - (size_t)n, fmt, ap);
	va_end(ap);
	return -1;
}

static bool
starts_with(const char *s, const char *start)
{
	return strncmp(s, start, strlen(start)) == 0;
}

static void
skip_space(struct reader *r)
{
	r->s += strspn(r->s, " \t\r\n");
}

/* Goes on behind the end of what has begun here. */
static int
skip_past(struct reader *r, const char *begin, const char *end)
{
	const char *at = strstr(r->s + strlen(begin), end);

	if (at == NULL)
		return fail(r, "`%s` is missing", end);
	r->s = at + strlen(end);
	return 0;
}

/* White space, comments, and what may stand before the list itself. */
static int
skip_misc(struct reader *r)
{
	size_t n;

	for (;;) {
		skip_space(r);
		if (starts_with(r->s, "<!--")) {
			if (skip_past(r, "<!--", "-->") == -1)
				return -1;
		} else if (starts_with(r->s, "<?")) {
			if (skip_past(r, "<?", "?>") == -1)
				return -1;
		} else if (starts_with(r->s, "<!DOCTYPE")) {
			n = strcspn(r->s, "[>");
			if (r->s[n] == '\0')
				return fail(r, "`>` is missing");
			if (r->s[n] != '>')
				return fail(r, "a document type of its own");
			r->s += n + 1;
		} else {
			return 0;
		}
	}
}

/* Reads <tag>, </tag> or <tag/>; attributes are passed over. */
static int
read_tag(struct reader *r)
{
	size_t n;

	if (*r->s != '<')
		return fail(r, *r->s == '\0' ? "it ends too early" : "text between tags");
	r->s++;
	r->closing = *r->s == '/';
	r->s += r->closing;
	n = strspn(r->s, "abcdefghijklmnopqrstuvwxyz");
	if (n == 0 || n >= sizeof(r->tag))
		return fail(r, "not a tag of a property list");
	memcpy(r->tag, r->s, n);
	r->tag[n] = '\0';
	r->s += n;
	n = strcspn(r->s, "<>");
	if (r->s[n] != '>' || (n != 0 && strchr(" \t\r\n/", r->s[0]) == NULL))
		return fail(r, "the tag <%s is not finished", r->tag);
	r->empty = n != 0 && r->s[n - 1] == '/';
	r->s += n + 1;
	return 0;
}

static int
expect_end(struct reader *r, const char *tag)
{
	if (read_tag(r) == -1)
		return -1;
	if (!r->closing || strcmp(r->tag, tag) != 0)
		return fail(
		    r, "<%s%s> instead of </%s>", r->closing ? "/" : "", r->tag, tag);
	return 0;
}

static int
add_character(struct reader *r, struct buf *out, unsigned long c)
{
	char utf8[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return fail(r, "a reference to a character that there is not");
	for (i = n - 1; i > 0; i--, c >>= 6)
		utf8[i] = (char)(0x80 | (c & 0x3f));
	utf8[0] = (char)(first[n] | c);
	buf_add(out, utf8, n);
	return 0;
}

/* &#38; or &#x26; */
static int
read_reference(struct reader *r, struct buf *out)
{
	bool hex = r->s[2] == 'x';
	const char *digits = r->s + (hex ? 3 : 2);
	size_t n = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");

	if (n == 0 || n > 8 || digits[n] != ';')
		return fail(r, "`&#` without a number and `;`");
	if (add_character(r, out, strtoul(digits, NULL, hex ? 16 : 10)) == -1)
		return -1;
	r->s = digits + n + 1;
	return 0;
}

static int
read_entity(struct reader *r, struct buf *out)
{
	static const struct {
		const char *name, *value;
	} entities[] = { { "&lt;", "<" }, { "&gt;", ">" }, { "&amp;", "&" },
		{ "&apos;", "'" }, { "&quot;", "\"" } };
	size_t i;

	if (r->s[1] == '#')
		return read_reference(r, out);
	for (i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
		if (starts_with(r->s, entities[i].name)) {
			buf_adds(out, entities[i].value);
			r->s += strlen(entities[i].name);
			return 0;
		}
	return fail(r, "an unknown entity, or `&` instead of `&amp;`");
}

#define CDATA "<![CDATA["

/* What stands before the next tag. */
static int
read_text(struct reader *r, struct buf *out)
{
	const char *from;
	size_t n;

	for (;;) {
		n = strcspn(r->s, "<&");
		buf_add(out, r->s, n);
		r->s += n;
		if (*r->s == '&') {
			if (read_entity(r, out) == -1)
				return -1;
		} else if (starts_with(r->s, CDATA)) {
			from = r->s + sizeof(CDATA) - 1;
			if (skip_past(r, CDATA, "]]>") == -1)
				return -1;
			buf_add(out, from, (size_t)(r->s - 3 - from));
		} else if (starts_with(r->s, "<!--")) {
			if (skip_past(r, "<!--", "-->") == -1)
				return -1;
		} else {
			return 0;
		}
	}
}

/* The text of the element whose tag was just read, and its end; NULL: an error. */
static char *
read_content(struct reader *r)
{
	struct buf b = { NULL, 0, 0 };
	char tag[TAG_MAX];

	buf_adds(&b, "");
	if (r->empty)
		return b.p;
	memcpy(tag, r->tag, sizeof(tag));
	if (read_text(r, &b) == -1 || expect_end(r, tag) == -1)
		buf_clear(&b);
	return b.p;
}

/* The name of the next member, or NULL: the end, or an error. */
static char *
read_key(struct reader *r)
{
	if (skip_misc(r) == -1 || read_tag(r) == -1)
		return NULL;
	if (r->closing && strcmp(r->tag, "dict") == 0)
		return NULL;
	if (r->closing || strcmp(r->tag, "key") != 0) {
		fail(r, "<%s%s> instead of <key>", r->closing ? "/" : "", r->tag);
		return NULL;
	}
	return read_content(r);
}

static void
read_members(struct reader *r, struct plist *dict)
{
	struct plist **tail = &dict->child, *value;
	struct map seen = { NULL, 0, 0 };
	char *key, *vis;

	while ((key = read_key(r)) != NULL) {
		value = skip_misc(r) == 0 && read_tag(r) == 0 ? read_value(r) : NULL;
		if (value == NULL) {
			free(key);
			break;
		}
		value->key = key;
		*tail = value;
		tail = &value->next;
		if (map_get(&seen, key) != NULL) {
			vis = vis_dup(key);
			fail(r, "the key %.100s is there twice", vis);
			free(vis);
			break;
		}
		map_put(&seen, key, value);
	}
	map_clear(&seen);
}

static void
read_items(struct reader *r, struct plist *array)
{
	struct plist **tail = &array->child;

	while (skip_misc(r) == 0 && read_tag(r) == 0) {
		if (r->closing && strcmp(r->tag, "array") == 0)
			return;
		*tail = read_value(r);
		if (*tail == NULL)
			return;
		tail = &(*tail)->next;
	}
}

/* Strings are kept; around everything else white space means nothing. */
static void
trim(char *s)
{
	size_t n, start = strspn(s, " \t\r\n");

	memmove(s, s + start, strlen(s + start) + 1);
	for (n = strlen(s); n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL;)
		s[--n] = '\0';
}

static void
read_body(struct reader *r, struct plist *p)
{
	if (p->type == PLIST_DICT && !r->empty) {
		read_members(r, p);
	} else if (p->type == PLIST_ARRAY && !r->empty) {
		read_items(r, p);
	} else {
		free(p->text);
		p->text = read_content(r);
		if (p->text != NULL && p->type != PLIST_STRING)
			trim(p->text);
	}
}

/* The value whose tag was just read, or NULL. */
static struct plist *
read_value(struct reader *r)
{
	struct plist *p;
	size_t i;

	for (i = 0; i < NTYPES && strcmp(types[i].tag, r->tag) != 0; i++)
		;
	if (r->closing || i == NTYPES) {
		fail(r, "<%s%s> is no value", r->closing ? "/" : "", r->tag);
		return NULL;
	}
	if (r->depth == DEPTH_MAX) {
		fail(r, "nested deeper than %d levels", DEPTH_MAX);
		return NULL;
	}
	p = xcalloc(1, sizeof(*p));
	p->type = types[i].type;
	p->text = xstrdup("");
	r->depth++;
	read_body(r, p);
	r->depth--;
	if (r->why[0] == '\0')
		return p;
	plist_free(p);
	return NULL;
}

static struct plist *
read_document(struct reader *r)
{
	struct plist *p = NULL;

	if (starts_with(r->s, "\xef\xbb\xbf"))
		r->s += 3;
	if (skip_misc(r) == -1 || read_tag(r) == -1)
		return NULL;
	if (strcmp(r->tag, "plist") != 0 || r->closing || r->empty)
		fail(r, "<%s%s%s> instead of <plist>", r->closing ? "/" : "", r->tag,
		    r->empty ? "/" : "");
	else if (skip_misc(r) == 0 && read_tag(r) == 0)
		p = read_value(r);
	if (p == NULL || skip_misc(r) == -1 || expect_end(r, "plist") == -1 ||
	    skip_misc(r) == -1)
		return p;
	if (*r->s != '\0')
		fail(r, "text after the property list");
	return p;
}

struct plist *
plist_parse(const char *text, size_t len, char why[PLIST_WHY_SIZE])
{
	struct reader r = { .why = why };
	struct plist *p = NULL;
	char *copy;

	why[0] = '\0';
	copy = xstrndup(text, len);
	r.begin = r.s = copy;
	if (strlen(copy) != len)
		fail(&r, "a NUL byte");
	else if (!plist_is_xml(text, len))
		fail(&r, "not a property list in XML and UTF-8");
	else
		p = read_document(&r);
	free(copy);
	if (why[0] == '\0')
		return p;
	plist_free(p);
	return NULL;
}

/* The encoding that <?xml … encoding="…"?> declares is one that we read. */
static bool
is_utf8(const char *declaration)
{
	const char *end = strstr(declaration, "?>");
	const char *name = strstr(declaration, "encoding");

	if (end == NULL || name == NULL || name > end)
		return end != NULL;
	name += strlen("encoding");
	name += strspn(name, " \t\r\n=\"'");
	return strncasecmp(name, "utf-8", 5) == 0 || strncasecmp(name, "utf8", 4) == 0 ||
	       strncasecmp(name, "us-ascii", 8) == 0;
}

bool
plist_is_xml(const char *text, size_t len)
{
	char *copy = xstrndup(text, len), *s = copy;
	bool good;

	if (starts_with(s, "\xef\xbb\xbf"))
		s += 3;
	s += strspn(s, " \t\r\n");
	good = starts_with(s, "<?xml") ? is_utf8(s)
				       : starts_with(s, "<!") || starts_with(s, "<plist");
	free(copy);
	return good;
}

void
plist_free(struct plist *p)
{
	struct plist *next;

	for (; p != NULL; p = next) {
		next = p->next;
		plist_free(p->child);
		free(p->key);
		free(p->text);
		free(p);
	}
}

const struct plist *
plist_get(const struct plist *dict, const char *key)
{
	const struct plist *p;

	for (p = dict->child; p != NULL; p = p->next)
		if (p->key != NULL && strcmp(p->key, key) == 0)
			return p;
	return NULL;
}

bool
plist_integer(const struct plist *p, int64_t *out)
{
	const char *s = p->text;
	bool minus = *s == '-';
	uint64_t n = 0;

	if (p->type != PLIST_INTEGER)
		return false;
	s += minus || *s == '+';
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		s += 2;
		if (*s == '\0' || strlen(s) > 15 ||
		    s[strspn(s, "0123456789abcdefABCDEF")] != '\0')
			return false;
		n = strtoull(s, NULL, 16);
	} else if (!parse_number(s, INT64_MAX, &n)) {
		return false;
	}
	*out = minus ? -(int64_t)n : (int64_t)n;
	return true;
}
