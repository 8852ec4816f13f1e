/* SPDX-License-Identifier: MIT */
/*
 * Watched paths as they are written. A text is read token by token, here and
 * nowhere else; what others get is a plain path, or a pattern in the spelling
 * that fnmatch(3) takes the same way on every system.
 */
#include "pattern.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

enum kind {
	PLAIN,      /* a byte that stands for itself */
	BRACKETED,  /* a character that does so in a bracket of its own */
	WILDCARD,   /* * or ? */
	SET,        /* [abc] */
	UNFINISHED, /* a [ without its end */
	END
};

struct token {
	enum kind kind;
	const char *text; /* without the bracket, if it is BRACKETED */
	size_t len;
	const char *next;
};

/* The bytes of the character at s. */
static size_t
character_length(const char *s)
{
	size_t n = 1;

	while (((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* The end of a [:class:] and its like at s, or NULL. */
static const char *
skip_class(const char *s)
{
	char end[] = { s[1], ']', '\0' };
	const char *found;

	if (s[1] == '\0' || strchr(":.=", s[1]) == NULL)
		return NULL;
	found = strstr(s + 2, end);
	return found != NULL ? found + 2 : NULL;
}

/* Behind the ] of the set that begins at s, within its component; or NULL. */
static const char *
skip_set(const char *s)
{
	const char *class;

	s++;
	if (*s == '!' || *s == '^')
		s++;
	if (*s == ']')
		s++;
	while (*s != '\0' && *s != '/' && *s != ']') {
		class = *s == '[' ? skip_class(s) : NULL;
		s = class != NULL ? class : s + 1;
	}
	return *s == ']' ? s + 1 : NULL;
}

static struct token
bracket(const char *s)
{
	const char *end = skip_set(s);
	size_t n;

	if (s[1] != '\0' && s[1] != '/') {
		n = character_length(s + 1);
		if (s[1 + n] == ']')
			return (struct token){ BRACKETED, s + 1, n, s + n + 2 };
	}
	if (end == NULL)
		return (struct token){ UNFINISHED, s, 1, s + 1 };
	return (struct token){ SET, s, (size_t)(end - s), end };
}

static struct token
token_at(const char *s)
{
	if (*s == '[')
		return bracket(s);
	return (struct token){ *s == '\0'               ? END
			       : *s == '*' || *s == '?' ? WILDCARD
							: PLAIN,
		s, 1, s + 1 };
}

static bool
is_wild(char c)
{
	return c == '*' || c == '?' || c == '[';
}

char *
pattern_canonical(const char *text)
{
	struct buf out = { NULL, 0, 0 };
	struct token t;

	buf_adds(&out, "");
	for (t = token_at(text); t.kind != END; t = token_at(t.next)) {
		if (t.kind == PLAIN && *t.text == '/' && out.len > 0 &&
		    out.p[out.len - 1] == '/')
			continue;
		if (t.kind == UNFINISHED || (t.kind == BRACKETED && is_wild(*t.text)))
			buf_addf(&out, "[%c]", *t.text);
		else
			buf_add(&out, t.text, t.len);
	}
	return out.p;
}

char *
pattern_path(const char *text)
{
	char *canonical = pattern_canonical(text);
	struct buf out = { NULL, 0, 0 };
	struct token t;

	buf_adds(&out, "");
	for (t = token_at(canonical); t.kind == PLAIN || t.kind == BRACKETED;
	     t = token_at(t.next))
		buf_add(&out, t.text, t.len);
	free(canonical);
	if (t.kind == END)
		return out.p;
	buf_clear(&out);
	return NULL;
}

bool
pattern_matches(const char *text, const char *path)
{
	char *canonical = pattern_canonical(text);
	bool found =
	    fnmatch(canonical, path, FNM_PATHNAME | FNM_PERIOD | FNM_NOESCAPE) == 0;

	free(canonical);
	return found;
}

/*
 * fnmatch(3) would read [!]a] as any character but ] and a. Whoever knows that
 * must not get a name with an exclamation mark, and neither must the other.
 */
static const char *
find_ambiguity(const char *text)
{
	struct token t;
	const char *next;

	for (t = token_at(text); t.kind != END; t = token_at(t.next)) {
		if (t.kind != BRACKETED || (*t.text != '!' && *t.text != '^'))
			continue;
		next = strpbrk(t.next, "[]/");
		if (next != NULL && *next == ']')
			return t.text - 1;
	}
	return NULL;
}

static bool
is_ascii(const char *s, size_t n)
{
	for (; n > 0; n--)
		if ((unsigned char)*s++ > 0x7f)
			return false;
	return true;
}

/* What fnmatch(3) would not take as it looks. */
static bool
check_brackets(const char *text, char *why, size_t size)
{
	const char *odd = find_ambiguity(text);
	struct token t;

	if (odd != NULL) {
		snprintf(why, size,
		    "`%.*s` can be read in two ways: `%c` needs no bracket",
		    (int)strcspn(odd, "/"), odd, odd[1]);
		return false;
	}
	for (t = token_at(text); t.kind != END; t = token_at(t.next)) {
		if (t.kind == UNFINISHED) {
			snprintf(why, size, "unfinished [ in `%s`: a literal one is [[]",
			    text);
			return false;
		}
		if (t.kind == SET && !is_ascii(t.text, t.len)) {
			snprintf(why, size,
			    "`%.*s` matches single bytes, and not all characters are"
			    " one: give each name a line",
			    (int)t.len, t.text);
			return false;
		}
	}
	return true;
}

bool
pattern_check(const char *text, char *why, size_t size)
{
	return check_brackets(text, why, size);
}

/* Is the byte at s one that a line could not hold or would read differently? */
static bool
is_special(const char *s, const char *begin)
{
	if (is_wild(*s))
		return true;
	if (*s == ';' && s > begin && (s[-1] == ' ' || s[-1] == '\t'))
		return true;
	return (*s == ' ' || *s == '\t') && s[1] == '\0';
}

void
pattern_quote(struct buf *out, const char *path)
{
	const char *s;

	buf_adds(out, "");
	for (s = path; *s != '\0'; s++)
		buf_addf(out, is_special(s, path) ? "[%c]" : "%c", *s);
}
