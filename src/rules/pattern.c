/* SPDX-License-Identifier: MIT */
/*
 * Watched paths as they are written. A text is read token by token, here and
 * nowhere else; what others get is a plain path, or a pattern in the spelling
 * that fnmatch(3) takes the same way on every system.
 */
#include "rules/pattern.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/shell.h"
#include "base/util.h"

/* What plain() puts where a byte is no plain one; no text has it. */
#define HIDDEN '\001'

enum kind {
	PLAIN,      /* bytes that stand for themselves; a slash is alone */
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
	size_t n = strcspn(s, "/*?[");

	if (*s == '[')
		return bracket(s);
	if (n == 0)
		n = 1;
	return (struct token){ *s == '\0'               ? END
			       : *s == '*' || *s == '?' ? WILDCARD
							: PLAIN,
		s, n, s + n };
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

/* The text, with HIDDEN in place of every byte that is not a plain one. */
static char *
plain(const char *text)
{
	char *copy = xstrdup(text);
	struct token t;
	const char *s = text;

	for (t = token_at(s); t.kind != END; t = token_at(s)) {
		if (t.kind == BRACKETED || t.kind == SET)
			memset(copy + (s - text), HIDDEN, (size_t)(t.next - s));
		s = t.next;
	}
	return copy;
}

/* What is no letter of a path to other programs. Each gets a plain() text. */

static const char *
find_home(const char *s)
{
	const char *tilde;

	for (tilde = strchr(s, '~'); tilde != NULL; tilde = strchr(tilde + 1, '~'))
		if (tilde == s || tilde[-1] == '/' ||
		    (strchr(" \t,;:|", tilde[-1]) != NULL && tilde[1] == '/'))
			return tilde;
	return NULL;
}

static const char *
find_recursion(const char *s)
{
	return strstr(s, "**");
}

/* {a,b} and {1..9} */
static const char *
find_braces(const char *s)
{
	const char *end, *comma, *dots;

	for (s = strchr(s, '{'); s != NULL; s = strchr(s + 1, '{')) {
		end = strchr(s, '}');
		comma = strchr(s, ',');
		dots = strstr(s, "..");
		if (end != NULL &&
		    ((comma != NULL && comma < end) || (dots != NULL && dots < end)))
			return s;
	}
	return NULL;
}

/* (a|b) */
static const char *
find_alternatives(const char *s)
{
	const char *bar = strchr(s, '|'), *open = strchr(s, '(');

	if (bar == NULL || open == NULL || open > bar || strchr(bar, ')') == NULL)
		return NULL;
	return open;
}

/* Between two paths on a line, or after the last of several. */
static const char *
find_separator(const char *s)
{
	const char *slash, *end = s + strlen(s);

	for (slash = strchr(s, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
		if (slash > s && strchr(" \t,;:|", slash[-1]) != NULL)
			return slash - 1;
	return end > s && (end[-1] == ',' || end[-1] == ';') ? end - 1 : NULL;
}

#define NO_SHELL "no shell here"

static const struct mistake {
	const char *(*find)(const char *s);
	const char *what;
} mistakes[] = {
	{ shell_find_expansion, NO_SHELL },
	{ find_home, NO_SHELL },
	{ find_recursion, "no recursion here" },
	{ find_braces, NO_SHELL },
	{ find_alternatives, NO_SHELL },
	{ shell_find_comment, "no comment here" },
	{ find_separator, "part of the name here" },
};

/* The first mistake of a kind, as an offset into the text; -1: there is none. */
static ptrdiff_t
find_mistake(const char *text, const struct mistake **kind)
{
	char *copy = plain(text);
	const char *at = NULL;
	ptrdiff_t offset;
	size_t i;

	for (i = 0; i < NELEM(mistakes) && at == NULL; i++) {
		at = mistakes[i].find(copy);
		*kind = &mistakes[i];
	}
	offset = at != NULL ? at - copy : -1;
	free(copy);
	return offset;
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
	const struct mistake *kind;
	ptrdiff_t at;

	if (!check_brackets(text, why, size))
		return false;
	at = find_mistake(text, &kind);
	if (at == -1)
		return true;
	snprintf(why, size,
	    "`%.*s`: %s, one path a line; for that very character write `[%c]`",
	    (int)shell_shown(text + at), text + at, kind->what, text[at]);
	return false;
}

/* A pair of quotes around a name, as a shell wants it where there are spaces. */
static bool
has_quotes(const char *s)
{
	const char *open, *close;

	open = strchr(s, '"');
	if (open != NULL && strchr(open + 1, '"') != NULL)
		return true;
	open = strstr(s, "/'");
	close = open != NULL ? strchr(open + 2, '\'') : NULL;
	return close != NULL && (close[1] == '/' || close[1] == '\0');
}

/* %20 and the like, of a URL. */
static bool
has_percent(const char *s)
{
	static const char hex[] = "0123456789abcdefABCDEF";

	for (s = strchr(s, '%'); s != NULL; s = strchr(s + 1, '%'))
		if (s[1] >= '2' && s[1] <= '7' && s[2] != '\0' &&
		    strchr(hex, s[2]) != NULL)
			return true;
	return false;
}

void
pattern_warn(const char *text, struct strv *out)
{
	char *copy = plain(text);

	if (strchr(copy, '\\') != NULL)
		strv_push(out,
		    xstrdup("`\\` is part of the name: paths are written as they are,"
			    " spaces too"));
	if (has_quotes(copy))
		strv_push(out, xstrdup("the quotes are part of the name"));
	if (has_percent(copy))
		strv_push(out, xstrdup("`%` is part of the name: this is no URL"));
	free(copy);
}

/* Puts the character at s, which is one byte, into a bracket of its own. */
static char *
enclose(char *text, ptrdiff_t at)
{
	char *longer = xasprintf("%.*s[%c]%s", (int)at, text, text[at], text + at + 1);

	free(text);
	return longer;
}

/* Is the byte at s one that a line could not hold or would read differently? */
static bool
is_special(const char *s, const char *begin)
{
	if (is_wild(*s) || *s == '\\')
		return true;
	if (*s == ';' && s > begin && shell_is_space(s[-1]))
		return true;
	return shell_is_space(*s) && s[1] == '\0';
}

void
pattern_quote(struct buf *out, const char *path)
{
	struct buf text = { NULL, 0, 0 };
	const struct mistake *kind;
	const char *s;
	char *quoted;
	ptrdiff_t at;

	buf_adds(&text, "");
	for (s = path; *s != '\0'; s++)
		buf_addf(&text, is_special(s, path) ? "[%c]" : "%c", *s);
	quoted = text.p;
	while ((at = find_mistake(quoted, &kind)) != -1)
		quoted = enclose(quoted, at);
	buf_adds(out, quoted);
	free(quoted);
}
