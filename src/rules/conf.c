/* SPDX-License-Identifier: MIT */
/*
 * Rule files: from bytes to rules, or to findings with file and line. inih cuts
 * what it cannot hold, in silence and not the same way in every version, so this
 * module reads the file itself, refuses every line that inih might bend, and
 * hands it only the headers, keys and indented lines that are left, one at a
 * time. Hence it also knows the line that a value came from.
 */
#include "rules/conf.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/pattern.h"
#include "rules/shell.h"
#include "base/spelling.h"
#include "base/fd.h"
#include "base/visible.h"
#include "trust/trust.h"
#include "rules/value.h"
#include "rules/words.h"
#include "rules/keys.h"

#define FILE_SIZE_MAX ((size_t)1 << 20)
#define FOUND_MAX 1000 /* errors in a file, and warnings */
#define OTHERS_MAX 20  /* files that are named because they are not read */

/* A section, kept until its file is known to be good. */
struct section {
	struct rule *rule; /* NULL: [daemon] */
	int line;
	bool vague;    /* a line was refused that may have set any key */
	bool keys;     /* has any */
	bool replaced; /* there is one of that name in CONF_MANAGED */
};

/* Where a section name was first seen. */
struct claim {
	char *name, *file;
	int line;
};

/* What an indented line would continue. */
enum above {
	ABOVE_NOTHING,
	ABOVE_TAKEN,   /* a value */
	ABOVE_REFUSED, /* a key whose value or line was refused */
	ABOVE_UNKNOWN  /* a line that is no key of this section */
};

struct parser {
	struct conf *conf;
	const char *file; /* as findings name it */
	char *next, *end; /* the text that is left */
	char *text;       /* the line at hand */
	int line;
	struct section *sections;
	size_t nsections, at;     /* the one at hand */
	struct settings settings; /* what [daemon] in this file says */
	enum above above;
	char key[RULE_LINE_MAX + 1]; /* that is above, if it is known */
	bool indented;               /* the line at hand is */
	bool lost;                   /* text before the first section was reported */
	bool owed;       /* inih has a line and has not handed over its value */
	size_t found[2]; /* findings, by severity */
};

/* Findings. */

static void
push_diag(struct conf *c, enum diag_severity severity, const char *file, int line,
    char *message)
{
	if ((c->ndiags & (c->ndiags - 1)) == 0)
		c->diags = xreallocarray(
		    c->diags, c->ndiags != 0 ? 2 * c->ndiags : 1, sizeof(*c->diags));
	c->diags[c->ndiags++] = (struct diag){ severity, xstrdup(file), line, message };
}

static struct section *
this_section(struct parser *p)
{
	return p->nsections != 0 ? &p->sections[p->at] : NULL;
}

static void
add_diag(struct parser *p, enum diag_severity severity, int line, char *message)
{
	size_t n = p->found[severity]++;

	if (n == FOUND_MAX) {
		free(message);
		line = p->line;
		message = xstrdup("too many of these: the rest is not shown");
	}
	if (n <= FOUND_MAX)
		push_diag(p->conf, severity, p->file, line, message);
	else
		free(message);
}

#define error(p, line, ...) add_diag(p, DIAG_ERROR, line, xasprintf(__VA_ARGS__))
#define warning(p, line, ...) add_diag(p, DIAG_WARNING, line, xasprintf(__VA_ARGS__))

/* What is found out at the end of a section belongs to lines before it. */
static int
compare_diags(const void *va, const void *vb)
{
	const struct diag *a = va, *b = vb;
	int file = strcmp(a->file, b->file);

	if (file != 0)
		return file;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->severity != b->severity)
		return a->severity < b->severity ? -1 : 1;
	return strcmp(a->message, b->message);
}

void
conf_sort(struct conf *c, size_t first)
{
	if (c->ndiags > first)
		qsort(c->diags + first, c->ndiags - first, sizeof(*c->diags),
		    compare_diags);
}

void
conf_warn(struct conf *c, const char *file, int line, const char *text)
{
	push_diag(c, DIAG_WARNING, file, line, xstrdup(text));
}

/* Sections. */

static bool
is_managed(const char *file)
{
	return strcmp(file, CONF_MANAGED) == 0;
}

static void
claim_name(struct parser *p, const char *name)
{
	struct claim *c = map_get(&p->conf->sections, name);
	struct section *s = this_section(p);

	if (c != NULL && is_managed(c->file) && !is_managed(p->file) && s->rule != NULL) {
		s->replaced = true;
		warning(p, p->line, "[%s] is " CONF_REPLACED, name);
		return;
	}
	if (c != NULL) {
		error(p, p->line, "section [%s] is already in %s:%d", name, c->file,
		    c->line);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->name = xstrdup(name);
	c->file = xstrdup(p->file);
	c->line = p->line;
	map_put(&p->conf->sections, c->name, c);
}

/* A section whose name is no good is read all the same, for its other errors. */
static void
open_section(struct parser *p, const char *name)
{
	struct section *s;

	p->sections = xreallocarray(p->sections, p->nsections + 1, sizeof(*s));
	p->at = p->nsections;
	s = &p->sections[p->nsections++];
	*s = (struct section){ .line = p->line };
	if (strcmp(name, "daemon") != 0)
		s->rule = rule_new(name, p->file, p->line);
}

/* A header that cannot be taken begins a section all the same. */
static void
open_unnamed(struct parser *p, const char *header)
{
	static const char daemon[] = "[daemon";
	size_t n = sizeof(daemon) - 1;
	bool same = strncmp(header, daemon, n) == 0 && strchr("] \t", header[n]) != NULL;

	open_section(p, same ? "daemon" : "?");
}

/* Says what a section could be called whose name is no good. */
static void
refuse_name(struct parser *p, const char *name)
{
	const char *s = name + strspn(name, " \t");
	size_t n = strlen(s);
	char *text, *good;

	while (n > 0 && shell_is_space(s[n - 1]))
		n--;
	text = xstrndup(s, n);
	good = value_name_make(text);
	if (n > 0)
		error(p, p->line,
		    "`%s` is not a rule name of 1 to %d of a-z 0-9 - _ . (write [%s])",
		    name, VALUE_NAME_LEN, good);
	else
		error(p, p->line, "a section without a name: write [NAME]");
	free(good);
	free(text);
}

/* The line at hand begins with [. */
static bool
accept_header(struct parser *p)
{
	char *end = strchr(p->text, ']');
	const char *name = p->text + 1, *after;
	size_t before = p->found[DIAG_ERROR];

	if (end == NULL) {
		open_unnamed(p, p->text);
		error(p, p->line, "section header without `]`");
		return false;
	}
	*end = '\0';
	after = end + 1 + strspn(end + 1, " \t");
	open_section(p, spelling_same(name, "daemon") ? "daemon" : name);
	if (!value_name_valid(name))
		refuse_name(p, name);
	else
		claim_name(p, name);
	if (*after != '\0' && *after != ';')
		error(p, p->line, "text after the section header: `%s`", after);
	*end = ']';
	return p->found[DIAG_ERROR] == before;
}

/* Lines. */

static const char *
skip_space(const char *s)
{
	return s + strspn(s, " \t");
}

/* Has the section for a line, or else reports it, once for all such lines. */
static bool
has_section(struct parser *p)
{
	if (p->nsections == 0 && !p->lost) {
		error(p, p->line, "text before the first section header [NAME]");
		p->lost = true;
	}
	return p->nsections != 0;
}

/*
 * The key that the line at hand is about, as far as it can be read: what stands
 * before = or :, or else the first word. "" if there is none.
 */
static void
read_name(const struct parser *p, char name[RULE_LINE_MAX + 1])
{
	const char *s = skip_space(p->text), *comment = value_find_comment(s);
	size_t n = strcspn(s, "=:");

	if (s[n] == '\0')
		n = strcspn(s, " \t");
	if (comment != NULL && n > (size_t)(comment - s))
		n = (size_t)(comment - s);
	while (n > 0 && shell_is_space(s[n - 1]))
		n--;
	snprintf(name, RULE_LINE_MAX + 1, "%.*s", (int)n, s);
}

/* Refuses the line at hand, whatever it would have set. */
#define refuse_line(p, ...) note_refused(p, xasprintf(__VA_ARGS__))

static void
note_refused(struct parser *p, char *message)
{
	struct section *s = this_section(p);
	char name[RULE_LINE_MAX + 1];

	add_diag(p, DIAG_ERROR, p->line, message);
	if (s == NULL)
		return;
	read_name(p, name);
	s->keys = true;
	s->vague = s->vague || name[0] == '\0';
	if (s->rule != NULL)
		rule_note_refused(s->rule, name);
}

/* Is it a key of the section at hand? */
static bool
is_key_here(struct parser *p, const char *name)
{
	unsigned flags = rule_key_flags(name);
	bool daemon = this_section(p)->rule == NULL;

	return flags != 0 && ((flags & RULE_KEY_DAEMON) != 0) == daemon;
}

/* From here on indented lines belong to a key that was refused, or to nothing. */
static void
note_above(struct parser *p, const char *name)
{
	snprintf(p->key, sizeof(p->key), "%s", name);
	p->above =
	    p->nsections != 0 && is_key_here(p, name) ? ABOVE_REFUSED : ABOVE_UNKNOWN;
}

/* Is ` ;` an error in values of the key, and no comment? */
static bool
is_text(const char *key)
{
	return (rule_key_flags(key) & RULE_KEY_TEXT) != 0;
}

#define CUT_SHORT                                                                  \
	"white space before `;` would begin a comment, even in quotes: write `;` " \
	"without the space before it, or put the comment on a line of its own"

/* A key: read as inih will, which takes the first of = : and a comment. */
static bool
accept_key(struct parser *p)
{
	const char *sep = strpbrk(p->text, "=:"), *comment = value_find_comment(p->text);
	char name[RULE_LINE_MAX + 1];

	read_name(p, name);
	note_above(p, name);
	if (!has_section(p))
		return false;
	this_section(p)->keys = true;
	if (sep == NULL || (comment != NULL && comment < sep))
		refuse_line(p, "neither a section header nor `key = value`");
	else if (*sep == ':')
		refuse_line(p, "write `=` instead of `:` after `%s`", name);
	else if (name[0] == '\0')
		refuse_line(p, "`=` without a key before it");
	else if (comment != NULL && is_text(name))
		refuse_line(p, "%s", CUT_SHORT);
	else
		return true;
	return false;
}

/* Values. */

static void
warn_value(struct parser *p, const char *key, const char *value)
{
	struct strv said = { NULL, 0 };
	size_t i;

	rule_warn(key, value, &said);
	for (i = 0; i < said.n; i++)
		warning(p, p->line, "`%s`: %s", key, said.v[i]);
	strv_clear(&said);
	if (strcmp(key, "while-running") == 0 && strcmp(value, "ignore") == 0)
		warning(p, p->line,
		    "`%s = ignore`: what others change during a run is lost", key);
}

static int
store_value(struct parser *p, struct section *s, const char *key, const char *value,
    char why[RULE_WHY_SIZE])
{
	if (s->rule == NULL && p->indented) {
		snprintf(why, RULE_WHY_SIZE,
		    "an indented line continues `%s`, which takes one value", key);
		return -1;
	}
	if (s->rule == NULL)
		return settings_set(&p->settings, key, value, why);
	if (p->indented)
		return rule_continue(s->rule, key, value, p->line, why);
	return rule_set(s->rule, key, value, p->line, why);
}

/* What continues a value that was refused is judged all the same. */
static void
judge_continuation(struct parser *p, const char *text)
{
	char why[RULE_WHY_SIZE], *value = xstrdup(text);
	size_t n = strlen(value);
	int ret;

	while (n > 0 && shell_is_space(value[n - 1]))
		value[--n] = '\0';
	if ((rule_key_flags(p->key) & RULE_KEY_WORDS) != 0)
		ret = rule_check_words(p->key, value, why);
	else
		ret = store_value(p, this_section(p), p->key, value, why);
	if (ret == -1)
		error(p, p->line, "%s", why);
	else
		warn_value(p, p->key, value);
	free(value);
}

/* A further value, or further words, that the key above lacks now. */
static void
refuse_continuation(struct parser *p, char *message)
{
	struct section *s = this_section(p);

	add_diag(p, DIAG_ERROR, p->line, message);
	if (s != NULL && s->rule != NULL && p->above == ABOVE_TAKEN)
		rule_note_refused(s->rule, p->key);
}

/* A key or a header, indented by mistake: what follows is meant to belong to it. */
static void
refuse_indented(struct parser *p, const char *text, const char *why)
{
	char name[RULE_LINE_MAX + 1];

	if (text[0] == '[') {
		open_unnamed(p, text);
		p->above = ABOVE_NOTHING;
		error(p, p->line, "%s", why);
		return;
	}
	read_name(p, name);
	note_above(p, name);
	refuse_line(p, "%s", why);
}

static bool
accept_indented(struct parser *p, const char *text)
{
	char why[RULE_WHY_SIZE];

	if (rule_check_indented(text, why) == -1) {
		refuse_indented(p, text, why);
	} else if (!has_section(p)) {
		return false;
	} else if (p->above == ABOVE_NOTHING) {
		error(p, p->line, "indented, but no key above that it could continue");
	} else if (value_find_comment(text) != NULL) {
		refuse_continuation(p, xstrdup(CUT_SHORT));
	} else if (p->above == ABOVE_REFUSED) {
		judge_continuation(p, text);
	} else {
		return p->above == ABOVE_TAKEN;
	}
	return false;
}

/* The first byte that a line of text must not have, or NULL. */
static const char *
find_control(const char *s, size_t n)
{
	const char *end = s + n;

	for (; s < end; s++)
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
			return s;
	return NULL;
}

/* Why inih cannot hold this line of n bytes, or it is no text; NULL: it can. */
static char *
find_fault(const struct parser *p, size_t n, size_t max)
{
	const char *bad = find_control(p->text, n);

	if (bad != NULL && *bad == '\0')
		return xstrdup("NUL byte: this is no text");
	if (bad != NULL && *bad == '\r')
		return xstrdup("bare CR: lines must end in LF or CR LF");
	if (bad != NULL)
		return xasprintf("control byte \\%03o", (unsigned char)*bad);
	if (n > max)
		return xasprintf("line of %zu bytes: at most %zu are possible", n, max);
	if (!text_is_valid(p->text))
		return xstrdup("not valid UTF-8");
	return NULL;
}

/* A line that is refused for its bytes still is what it is otherwise. */
static void
refuse_bytes(struct parser *p, const char *s, char *fault)
{
	char name[RULE_LINE_MAX + 1];

	if (*s == ';' || *s == '#') {
		add_diag(p, DIAG_ERROR, p->line, fault);
	} else if (p->indented) {
		refuse_continuation(p, fault);
	} else if (*s == '[') {
		open_unnamed(p, s);
		/* Where CR ends lines, this one is the whole file. */
		this_section(p)->vague = strchr(s, '\r') != NULL;
		p->above = ABOVE_NOTHING;
		add_diag(p, DIAG_ERROR, p->line, fault);
	} else {
		read_name(p, name);
		note_above(p, name);
		note_refused(p, fault);
	}
}

/*
 * Pages and chats put these into what is copied from them: spaces that are none
 * here, and characters without width. 0, or the number of the first.
 */
static unsigned
find_unseen(const char *text)
{
	static const struct {
		unsigned first, last;
	} unseen[] = { { 0xa0, 0xa0 }, { 0xad, 0xad }, { 0x1680, 0x1680 },
		{ 0x2000, 0x200f }, { 0x2028, 0x202f }, { 0x205f, 0x206f },
		{ 0x3000, 0x3000 }, { 0xfeff, 0xfeff } };
	const unsigned char *s = (const unsigned char *)text;
	unsigned code;
	size_t i;

	for (; *s != '\0'; s++) {
		if ((*s & 0xe0) == 0xc0)
			code = (*s & 0x1fu) << 6 | (s[1] & 0x3fu);
		else if ((*s & 0xf0) == 0xe0)
			code = (*s & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
		else
			continue;
		for (i = 0; i < NELEM(unseen); i++)
			if (code >= unseen[i].first && code <= unseen[i].last)
				return code;
	}
	return 0;
}

static void
warn_unseen(struct parser *p, const char *text)
{
	unsigned code = find_unseen(text);

	if (code == 0xa0)
		warning(p, p->line,
		    "a no-break space (Option-Space) is not taken for a space");
	else if (code != 0)
		warning(p, p->line,
		    "a character that cannot be seen (U+%04X) is part of the line", code);
}

/* Is the line at hand, of n bytes, one for inih? max is what it can hold. */
static bool
accept_line(struct parser *p, size_t n, size_t max)
{
	const char *s = skip_space(p->text);
	char *fault = find_fault(p, n, max);

	p->indented = s != p->text;
	if (fault != NULL) {
		refuse_bytes(p, s, fault);
		return false;
	}
	if (*s == '\0' || *s == ';' || *s == '#')
		return false;
	warn_unseen(p, s);
	if (p->indented)
		return accept_indented(p, s);
	p->above = ABOVE_NOTHING;
	return *s == '[' ? accept_header(p) : accept_key(p);
}

/* Makes the next line of the file the one at hand; its length, or -1. */
static ssize_t
next_line(struct parser *p)
{
	char *newline;
	size_t n;

	if (p->next == p->end || p->found[DIAG_ERROR] > FOUND_MAX)
		return -1;
	p->text = p->next;
	newline = memchr(p->text, '\n', (size_t)(p->end - p->text));
	p->next = newline != NULL ? newline + 1 : p->end;
	n = (size_t)((newline != NULL ? newline : p->end) - p->text);
	if (n > 0 && p->text[n - 1] == '\r')
		n--;
	p->text[n] = '\0';
	if (p->line++ == 0 && n >= 3 && memcmp(p->text, "\xef\xbb\xbf", 3) == 0) {
		p->text += 3;
		n -= 3;
	}
	return (ssize_t)n;
}

static void
check_owed(struct parser *p)
{
	if (p->owed)
		error(p, p->line, "this line cannot be read");
	p->owed = false;
}

/* inih's ini_reader. */
static char *
read_line(char *out, int size, void *arg)
{
	struct parser *p = arg;
	size_t max = size > RULE_LINE_MAX + 2 ? RULE_LINE_MAX : (size_t)size - 2;
	ssize_t n;

	check_owed(p);
	while ((n = next_line(p)) != -1) {
		if (!accept_line(p, (size_t)n, max))
			continue;
		snprintf(out, (size_t)size, "%s\n", p->text);
		p->owed = p->text[0] != '[';
		return out;
	}
	return NULL;
}

/* inih's ini_handler: one value of the line at hand. */
static int
take_value(void *arg, const char *section, const char *name, const char *value)
{
	struct parser *p = arg;
	struct section *s = this_section(p);
	char why[RULE_WHY_SIZE];

	(void)section;
	(void)name;
	p->owed = false;
	if (store_value(p, s, p->key, value, why) == -1) {
		error(p, p->line, "%s%s", why,
		    strstr(value, " #") != NULL && !is_text(p->key)
			? " (a comment after a value begins with `;`)"
			: "");
		return 1;
	}
	p->above = ABOVE_TAKEN;
	warn_value(p, p->key, value);
	return 1;
}

/* Rules as a whole. */

/* What is good, but hardly what was meant. */
static void
warn_command(struct parser *p, const struct command *c)
{
	struct strv said = { NULL, 0 };
	size_t i;

	words_warn_command(&c->argv, &said);
	for (i = 0; i < said.n; i++)
		warning(p, c->line, "%s", said.v[i]);
	strv_clear(&said);
}

static void
warn_commands(struct parser *p, const struct rule *r)
{
	size_t i;

	for (i = 0; i < r->nactions && !rule_is_refused(r, "action"); i++)
		warn_command(p, &r->actions[i]);
	if (r->verify != NULL && !rule_is_refused(r, "verify"))
		warn_command(p, r->verify);
	if (r->alert != NULL && !rule_is_refused(r, "alert"))
		warn_command(p, r->alert);
}

static void
warn_alert(struct parser *p, const struct rule *r)
{
	if (r->alert_after != 0 && r->alert == NULL && !rule_is_refused(r, "alert"))
		warning(p, rule_line(r, "alert-after"),
		    "`alert-after` says when to run `alert`, and there is none");
}

static void
cut_slash(char *path)
{
	size_t n = strlen(path);

	if (n > 0 && path[n - 1] == '/')
		path[n - 1] = '\0';
}

/* Does pattern match path, or a directory above it? */
static bool
matches_above(const char *pattern, const char *path)
{
	char *bare = xstrdup(pattern), *part = xstrdup(path);
	bool found = false;

	cut_slash(bare);
	while (!found && part[0] != '\0') {
		found = pattern_matches(bare, part);
		path_cut(part);
	}
	free(bare);
	free(part);
	return found;
}

/* Does a watched path or pattern name path, or a directory above it? */
static bool
covers(const char *watch, const char *path)
{
	char *literal = pattern_path(watch);
	bool found =
	    literal != NULL ? path_is_below(path, literal) : matches_above(watch, path);

	free(literal);
	return found;
}

static void
warn_loops(struct parser *p, const struct section *s)
{
	const struct rule *r = s->rule;
	size_t i, j;

	for (i = 0; i < r->nactions; i++)
		for (j = 0; j < r->nwatch; j++)
			if (covers(r->watch[j].path, r->actions[i].argv.v[0]))
				warning(p, r->actions[i].line,
				    "the action is below its own watched path `%s`",
				    r->watch[j].text);
}

static void
warn_watches(struct parser *p, const struct section *s)
{
	const struct rule *r = s->rule;
	size_t i;

	for (i = 0; i < r->nwatch; i++)
		if ((r->policy.on & CHANGE_DELETE) != 0 && !rule_is_refused(r, "on") &&
		    strncmp(r->watch[i].path, "/Volumes/", 9) == 0)
			warning(p, r->watch[i].line,
			    "`%s`: the volume going away counts as a deletion",
			    r->watch[i].text);
}

static void
finish_section(struct parser *p, struct section *s)
{
	char why[RULE_WHY_SIZE];
	unsigned nth;
	int line;

	if (!s->keys && !s->vague)
		error(p, s->line, "section without keys");
	else if (!s->vague && s->rule != NULL)
		for (nth = 0; rule_validate(s->rule, nth, &line, why) == -1; nth++)
			error(p, line, "%s", why);
	if (s->rule == NULL || s->replaced)
		return;
	warn_commands(p, s->rule);
	warn_alert(p, s->rule);
	warn_loops(p, s);
	warn_watches(p, s);
}

/* Files. */

/* Takes the rules of a good file over into conf, or throws them away. */
static void
finish_file(struct parser *p)
{
	struct conf *c = p->conf;
	size_t i;

	for (i = 0; i < p->nsections; i++) {
		if (p->sections[i].rule == NULL) {
			if (c->settings_file == NULL)
				c->settings_file = xstrdup(p->file);
			if (p->found[DIAG_ERROR] == 0)
				c->settings = p->settings;
		} else if (p->found[DIAG_ERROR] != 0 || p->sections[i].replaced) {
			rule_free(p->sections[i].rule);
		} else {
			c->rules =
			    xreallocarray(c->rules, c->nrules + 1, sizeof(*c->rules));
			c->rules[c->nrules++] = p->sections[i].rule;
		}
	}
	free(p->sections);
}

static void
refuse_size(struct parser *p)
{
	error(p, 0, "larger than 1 MiB");
}

/* Which UTF-16 text begins like this, as iconv(1) calls it; NULL: none. */
static const char *
find_utf16(const char *text, size_t n)
{
	if (n < 4)
		return NULL;
	if (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)
		return "UTF-16";
	if (text[0] != '\0' && text[1] == '\0' && text[2] != '\0' && text[3] == '\0')
		return "UTF-16LE";
	if (text[0] == '\0' && text[1] != '\0' && text[2] == '\0' && text[3] != '\0')
		return "UTF-16BE";
	return NULL;
}

/* Editors on Windows write it. Each line of it would be an error that misses the point.
 */
static void
refuse_utf16(struct parser *p, struct buf *text)
{
	const char *encoding = find_utf16(text->p, text->len);

	if (encoding == NULL)
		return;
	error(p, 0,
	    "UTF-16, and not UTF-8: `iconv -f %s -t UTF-8` makes the one the other",
	    encoding);
	text->len = 0;
}

static void
parse_text(struct parser *p, struct buf *text)
{
	size_t first = p->conf->ndiags;

	refuse_utf16(p, text);
	buf_adds(text, "");
	p->next = text->p;
	p->end = text->p + text->len;
	settings_init(&p->settings);
	if (ini_parse_stream(read_line, p, take_value, p) != 0 &&
	    p->found[DIAG_ERROR] == 0)
		error(p, 0, "this file cannot be read");
	check_owed(p);
	for (p->at = 0; p->at < p->nsections; p->at++)
		finish_section(p, this_section(p));
	conf_sort(p->conf, first);
	finish_file(p);
}

/* Why path could not be read: errno, or for want of permission? */
static void
note_error(struct conf *c, const char *path)
{
	c->passing = c->passing || trust_passes(errno);
	if (access(path, R_OK) == -1 && (errno == EACCES || errno == EPERM))
		c->denied = true;
}

/*
 * A second name gives nobody a right that he had not. But who edits the file by
 * that name, perhaps for another purpose, changes a rule.
 */
static void
warn_links(struct conf *c, int fd, const char *name)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_nlink > 1)
		push_diag(c, DIAG_WARNING, name, 0,
		    xasprintf("has %u links, not one: it can be changed under another "
			      "name",
			(unsigned)st.st_nlink));
}

static int
read_file(struct conf *c, const char *path, const char *name, const struct trust *t)
{
	struct parser p = { .conf = c, .file = name };
	struct buf text = { NULL, 0, 0 };
	char why[TRUST_WHY_SIZE];
	int fd, ret;

	strv_push(&c->files, xstrdup(name));
	fd = trust_open_file(t, path, why);
	if (fd == -1) {
		note_error(c, path);
		error(&p, 0, "%s", trust_without_path(why, path));
		return -1;
	}
	if (t != NULL)
		warn_links(c, fd, name);
	ret = fd_read_all(fd, &text, FILE_SIZE_MAX);
	if (ret == 0) {
		parse_text(&p, &text);
	} else if (errno == EFBIG) {
		refuse_size(&p);
		ret = 0;
	} else {
		error(&p, 0, "%s", strerror(errno));
		note_error(c, path);
	}
	close(fd);
	buf_clear(&text);
	return ret;
}

/* Only a conf that was never used has no run at all allowed. */
static void
begin(struct conf *c)
{
	if (c->settings.max_running == 0)
		settings_init(&c->settings);
}

int
conf_read_file(struct conf *c, const char *path, const struct trust *t)
{
	begin(c);
	return read_file(c, path, path, t);
}

void
conf_read_text(struct conf *c, const char *name, const char *text, size_t len)
{
	struct parser p = { .conf = c, .file = name };
	struct buf copy = { NULL, 0, 0 };

	begin(c);
	strv_push(&c->files, xstrdup(name));
	buf_add(&copy, text, len);
	if (len > FILE_SIZE_MAX)
		refuse_size(&p);
	else
		parse_text(&p, &copy);
	buf_clear(&copy);
}

bool
conf_is_read(const char *name)
{
	return name[0] != '.' && text_ends_in(name, ".ini");
}

/* Switched off, hidden, or what an editor leaves behind: nobody expects it read. */
static bool
is_set_aside(const char *name)
{
	static const char *const ends[] = { ".off", "~", "#", ".bak", ".old", ".orig",
		".save", ".swp", ".tmp" };
	size_t i;

	if (name[0] == '.')
		return true;
	for (i = 0; i < NELEM(ends); i++)
		if (text_ends_in(name, ends[i]))
			return true;
	return false;
}

static bool
is_directory(const char *dir, const struct dirent *e)
{
	struct stat st;
	char *path;
	bool found;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	path = xasprintf("%s/%s", dir, e->d_name);
	found = lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
	free(path);
	return found;
}

static int
compare_names(const void *va, const void *vb)
{
	const char *a = *(char *const *)va, *b = *(char *const *)vb;

	if (is_managed(a) != is_managed(b))
		return is_managed(a) ? -1 : 1;
	return strcmp(a, b);
}

static void
sort_names(struct strv *names)
{
	if (names->n > 1)
		qsort(names->v, names->n, sizeof(*names->v), compare_names);
}

/* The names of rule files in dir, and of others, sorted; 0, or -1 with errno. */
static int
list_files(const char *dir, struct strv *names, struct strv *others)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int saved;

	if (d == NULL)
		return -1;
	while (errno = 0, (e = readdir(d)) != NULL)
		if (conf_is_read(e->d_name))
			strv_push(names, xstrdup(e->d_name));
		else if (!is_set_aside(e->d_name) && !is_directory(dir, e))
			strv_push(others, xstrdup(e->d_name));
	saved = errno;
	closedir(d);
	sort_names(names);
	sort_names(others);
	errno = saved;
	return saved == 0 ? 0 : -1;
}

/* A rule under a name that nobody reads is one that silently does nothing. */
static void
warn_others(struct conf *c, const struct strv *others)
{
	size_t i, more = others->n > OTHERS_MAX ? others->n - OTHERS_MAX : 0;

	for (i = 0; i < others->n - more; i++)
		push_diag(c, DIAG_WARNING, others->v[i], 0,
		    xstrdup("not read: the name of a rule file ends in .ini"));
	if (more > 0)
		push_diag(c, DIAG_WARNING, others->v[i], 0,
		    xasprintf("not read either, nor are %zu more files", more - 1));
}

int
conf_read_dir(struct conf *c, const char *dir, const struct trust *t)
{
	struct strv names = { NULL, 0 }, others = { NULL, 0 };
	char why[TRUST_WHY_SIZE], *path;
	size_t i;
	int ret = -1;

	begin(c);
	if (t != NULL && !trust_directory(t, dir, why)) {
		push_diag(c, DIAG_ERROR, dir, 0, xstrdup(trust_without_path(why, dir)));
		note_error(c, dir);
	} else if (list_files(dir, &names, &others) == -1) {
		push_diag(c, DIAG_ERROR, dir, 0, xstrdup(strerror(errno)));
		note_error(c, dir);
	} else {
		ret = 0;
	}
	for (i = 0; i < names.n && ret == 0; i++) {
		path = xasprintf("%s/%s", dir, names.v[i]);
		(void)read_file(c, path, names.v[i], t);
		free(path);
	}
	if (ret == 0)
		warn_others(c, &others);
	strv_clear(&names);
	strv_clear(&others);
	return ret;
}

size_t
conf_errors(const struct conf *c)
{
	size_t i, n = 0;

	for (i = 0; i < c->ndiags; i++)
		n += c->diags[i].severity == DIAG_ERROR;
	return n;
}

bool
conf_holds(const struct conf *c, struct rule *const *rules, size_t n)
{
	bool same = conf_errors(c) == 0 && c->nrules == n;
	size_t i;

	for (i = 0; same && i < n; i++)
		same = rule_equal(c->rules[i], rules[i]);
	return same;
}

static void
free_claims(struct map *sections)
{
	struct claim *c;
	size_t i;

	for (i = 0; i < sections->cap; i++) {
		c = sections->slots[i].value;
		if (sections->slots[i].key == NULL)
			continue;
		free(c->name);
		free(c->file);
		free(c);
	}
	map_clear(sections);
}

void
conf_clear(struct conf *c)
{
	size_t i;

	for (i = 0; i < c->nrules; i++)
		rule_free(c->rules[i]);
	for (i = 0; i < c->ndiags; i++) {
		free(c->diags[i].file);
		free(c->diags[i].message);
	}
	free(c->rules);
	free(c->diags);
	free(c->settings_file);
	strv_clear(&c->files);
	free_claims(&c->sections);
	*c = (struct conf){ .nrules = 0 };
}
