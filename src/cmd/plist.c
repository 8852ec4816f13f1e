/* SPDX-License-Identifier: MIT */
/*
 * Property lists in XML. expat knows XML: encodings, references, what may stand
 * where. What a property list may hold is judged here, and what is not clear is
 * an error, never a guess; whoever reads further can rely on every string.
 */
#include "cmd/plist.h"

#include <expat.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/util.h"
#include "base/number.h"
#include "base/visible.h"

#define DEPTH_MAX 64
#define SPACE " \t\r\n"

/* An element that has begun. */
struct level {
	const char *tag;
	struct plist *value; /* NULL: <plist> or <key> */
	struct plist **tail; /* where its next member goes; NULL: it has text */
	struct map keys;     /* of its members */
	char *key;           /* of the next one */
};

struct reader {
	XML_Parser xml;
	struct level levels[DEPTH_MAX + 2]; /* <plist>, values, <key> */
	size_t n;                           /* so many have begun */
	struct plist *root;
	struct buf text; /* of the innermost */
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

static void
fail(struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The first error counts, and ends the reading. */
static void
fail(struct reader *r, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (r->why[0] != '\0')
		return;
	n = snprintf(r->why, PLIST_WHY_SIZE,
	    "line %lu: ", (unsigned long)XML_GetCurrentLineNumber(r->xml));
	va_start(ap, fmt);
	vsnprintf(r->why + n, PLIST_WHY_SIZE - (size_t)n, fmt, ap);
	va_end(ap);
	XML_StopParser(r->xml, XML_FALSE);
}

static struct level *
innermost(struct reader *r)
{
	return &r->levels[r->n - 1];
}

static bool
is_type(const struct level *l, enum plist_type type)
{
	return l->value != NULL && l->value->type == type;
}

static void
begin(struct reader *r, const char *tag, struct plist *value, struct plist **tail)
{
	r->levels[r->n++] = (struct level){ .tag = tag, .value = value, .tail = tail };
}

static void
begin_value(struct reader *r, struct level *parent, const char *name)
{
	struct plist *p;
	size_t i;

	for (i = 0; i < NELEM(types) && strcmp(types[i].tag, name) != 0; i++)
		;
	if (i == NELEM(types)) {
		fail(r, "<%.100s> is no value", name);
		return;
	}
	if (r->n > DEPTH_MAX) {
		fail(r, "nested deeper than %d levels", DEPTH_MAX);
		return;
	}
	p = xcalloc(1, sizeof(*p));
	p->type = types[i].type;
	p->text = xstrdup("");
	p->key = parent->key;
	parent->key = NULL;
	*parent->tail = p;
	parent->tail = &p->next;
	begin(r, types[i].tag, p,
	    p->type == PLIST_DICT || p->type == PLIST_ARRAY ? &p->child : NULL);
}

static void
begin_member(struct reader *r, const char *name)
{
	struct level *l = innermost(r);
	bool wants_key = is_type(l, PLIST_DICT) && l->key == NULL;

	if (l->tail == NULL || (l->value == NULL && r->root != NULL))
		fail(r, "<%.100s> instead of </%s>", name, l->tag);
	else if (!wants_key)
		begin_value(r, l, name);
	else if (strcmp(name, "key") == 0)
		begin(r, "key", NULL, NULL);
	else
		fail(r, "<%.100s> instead of <key>", name);
}

static void XMLCALL
start_element(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *r = arg;
	bool is_list = strcmp(name, "plist") == 0;

	if (r->why[0] != '\0')
		return;
	if (r->n > 0)
		begin_member(r, name);
	else if (is_list)
		begin(r, "plist", NULL, &r->root);
	else
		fail(r, "<%.100s> instead of <plist>", name);
	for (; *attributes != NULL; attributes += 2)
		if (!is_list || strcmp(*attributes, "version") != 0)
			fail(r, "<%.100s> has the attribute %.100s, unlike any list",
			    name, *attributes);
}

/* The text that the innermost element has; the caller frees it. */
static char *
take_text(struct reader *r)
{
	char *text;

	buf_adds(&r->text, "");
	text = r->text.p;
	r->text = (struct buf){ NULL, 0, 0 };
	return text;
}

static void
end_key(struct reader *r, struct level *dict)
{
	char *key = take_text(r), *vis;

	dict->key = key;
	if (map_get(&dict->keys, key) == NULL) {
		map_put(&dict->keys, key, dict);
		return;
	}
	vis = vis_dup(key);
	fail(r, "the key %.100s is there twice", vis);
	free(vis);
}

/* Strings are kept; around everything else white space means nothing. */
static void
trim(char *s)
{
	size_t n, start = strspn(s, SPACE);

	memmove(s, s + start, strlen(s + start) + 1);
	for (n = strlen(s); n > 0 && strchr(SPACE, s[n - 1]) != NULL;)
		s[--n] = '\0';
}

static void
end_text(struct reader *r, struct plist *p)
{
	free(p->text);
	p->text = take_text(r);
	if (p->type != PLIST_STRING)
		trim(p->text);
}

static void XMLCALL
end_element(void *arg, const XML_Char *name)
{
	struct reader *r = arg;
	struct level *l;

	if (r->why[0] != '\0')
		return;
	l = innermost(r);
	if (l->key != NULL || (l->value == NULL && r->root == NULL))
		fail(r, "</%s> is no value", name);
	else if (l->tail != NULL)
		map_clear(&l->keys);
	else if (l->value != NULL)
		end_text(r, l->value);
	else
		end_key(r, l - 1);
	if (r->why[0] == '\0')
		r->n--;
}

static void XMLCALL
add_text(void *arg, const XML_Char *s, int len)
{
	struct reader *r = arg;
	const struct level *l;
	int i;

	if (r->why[0] != '\0')
		return;
	l = innermost(r);
	if (l->tail == NULL && !is_type(l, PLIST_TRUE) && !is_type(l, PLIST_FALSE)) {
		buf_add(&r->text, s, (size_t)len);
		return;
	}
	for (i = 0; i < len; i++)
		if (strchr(SPACE, s[i]) == NULL)
			fail(r, "text between tags");
}

/* Where nothing can be declared, no entity can grow without end. */
static void XMLCALL
start_doctype(void *arg, const XML_Char *name, const XML_Char *system_id,
    const XML_Char *public_id, int has_subset)
{
	(void)name;
	(void)system_id;
	(void)public_id;
	if (has_subset)
		fail(arg, "a document type of its own");
}

static void
refuse_entity(struct reader *r)
{
	fail(r, "an unknown entity, or `&` instead of `&amp;`");
}

/* It might be declared where the document type says, which is never read. */
static void XMLCALL
skip_entity(void *arg, const XML_Char *name, int is_parameter)
{
	(void)name;
	(void)is_parameter;
	refuse_entity(arg);
}

/* Says in our words what expat has found. */
static void
refuse(struct reader *r)
{
	enum XML_Error code = XML_GetErrorCode(r->xml);

	switch (code) {
	case XML_ERROR_NO_ELEMENTS:
		fail(r, "it ends too early");
		break;
	case XML_ERROR_UNCLOSED_TOKEN:
		fail(r, "a tag, comment or the like has no end");
		break;
	case XML_ERROR_UNCLOSED_CDATA_SECTION:
		fail(r, "`]]>` is missing");
		break;
	case XML_ERROR_INVALID_TOKEN:
		fail(r,
		    "not well-formed at column %lu: `&` for `&amp;`, `<` for `&lt;`, "
		    "or a byte that is no text in this encoding, such as a NUL byte?",
		    (unsigned long)XML_GetCurrentColumnNumber(r->xml) + 1);
		break;
	case XML_ERROR_TAG_MISMATCH:
		fail(r, "another end instead of </%s>", innermost(r)->tag);
		break;
	case XML_ERROR_BAD_CHAR_REF:
		fail(r, "a reference to a character that there is not");
		break;
	case XML_ERROR_UNDEFINED_ENTITY:
		refuse_entity(r);
		break;
	case XML_ERROR_JUNK_AFTER_DOC_ELEMENT:
		fail(r, "text after the property list");
		break;
	case XML_ERROR_UNKNOWN_ENCODING:
		fail(r, "in an encoding that is not known here: save it as UTF-8");
		break;
	default:
		fail(r, "%s", XML_ErrorString(code));
	}
}

static void *
reallocate(void *p, size_t size)
{
	return xreallocarray(p, size, 1);
}

static XML_Parser
new_parser(struct reader *r)
{
	static const XML_Memory_Handling_Suite memory = { xmalloc, reallocate, free };
	XML_Parser xml = XML_ParserCreate_MM(NULL, &memory, NULL);

	XML_SetUserData(xml, r);
	XML_SetElementHandler(xml, start_element, end_element);
	XML_SetCharacterDataHandler(xml, add_text);
	XML_SetStartDoctypeDeclHandler(xml, start_doctype);
	XML_SetSkippedEntityHandler(xml, skip_entity);
	return xml;
}

struct plist *
plist_parse(const char *text, size_t len, char why[PLIST_WHY_SIZE])
{
	struct reader r = { .why = why };

	why[0] = '\0';
	r.xml = new_parser(&r);
	if (XML_Parse(r.xml, text, (int)len, XML_TRUE) != XML_STATUS_OK)
		refuse(&r);
	XML_ParserFree(r.xml);
	for (; r.n > 0; r.n--) {
		free(innermost(&r)->key);
		map_clear(&innermost(&r)->keys);
	}
	buf_clear(&r.text);
	if (why[0] == '\0')
		return r.root;
	plist_free(r.root);
	return NULL;
}

bool
plist_is_xml(const char *text, size_t len)
{
	/* White space, the marks of UTF-8 and UTF-16, and its bytes of zero. */
	static const char before[] = SPACE "\0\xef\xbb\xbf\xfe\xff";
	size_t n;

	for (n = 0; n < len && memchr(before, text[n], sizeof(before) - 1) != NULL; n++)
		;
	return n < len && text[n] == '<';
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
