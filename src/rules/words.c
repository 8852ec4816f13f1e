/* SPDX-License-Identifier: MIT */
/*
 * From a line to words. The line is read byte by byte in one place, which says
 * of each how sh would take it; what is a word, a mistake or a doubt is decided
 * on top of that.
 */
#include "rules/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/shell.h"
#include "base/util.h"

/* The bytes that a backslash keeps from being special within "...", as in sh. */
#define DOUBLE_SPECIAL "\"\\$`"

/* How sh takes a byte. */
enum how {
	BARE,    /* it may act on it */
	DOUBLE,  /* within "...": it acts on $ and ` only */
	LITERAL, /* within '...', or after a backslash */
	MARK,    /* a quote, or the backslash itself: no part of a word */
	SPACE,
	END
};

struct scan {
	const char *next;
	const char *byte; /* the one that step() was about */
	char quote;       /* that is open */
	bool escaped, in_word;
	bool first; /* byte begins a word */
};

static enum how
step(struct scan *s)
{
	char c = *s->next;

	s->byte = s->next;
	if (c == '\0')
		return END;
	s->next++;
	if (s->quote == '\0' && !s->escaped && shell_is_space(c)) {
		s->in_word = false;
		return SPACE;
	}
	s->first = !s->in_word;
	s->in_word = true;
	if (s->escaped) {
		s->escaped = false;
		return LITERAL;
	}
	if (c == s->quote) {
		s->quote = '\0';
		return MARK;
	}
	if (s->quote == '\0' && (c == '\'' || c == '"')) {
		s->quote = c;
		return MARK;
	}
	if (c == '\\' && (s->quote == '\0' || (s->quote == '"' && *s->next != '\0' &&
						  strchr(DOUBLE_SPECIAL, *s->next)))) {
		s->escaped = true;
		return MARK;
	}
	return s->quote == '\'' ? LITERAL : s->quote == '"' ? DOUBLE : BARE;
}

/* How much of the word at s a message shows. */
static int
shown(const char *s)
{
	size_t word = strcspn(s, " \t"), most = shell_shown(s);

	return (int)(word < most ? word : most);
}

static bool
is_typographic_quote(const char *s)
{
	return strncmp(s, "\xe2\x80\x98", 3) == 0 || strncmp(s, "\xe2\x80\x99", 3) == 0 ||
	       strncmp(s, "\xe2\x80\x9c", 3) == 0 || strncmp(s, "\xe2\x80\x9d", 3) == 0;
}

/* Figure, en and em dash, and the sign of minus: what editors make of -- and -. */
static bool
is_typographic_dash(const char *s)
{
	return strncmp(s, "\xe2\x80\x92", 3) == 0 || strncmp(s, "\xe2\x80\x93", 3) == 0 ||
	       strncmp(s, "\xe2\x80\x94", 3) == 0 || strncmp(s, "\xe2\x88\x92", 3) == 0;
}

/* A variable, a command, or one of the shell's own: $@, $?, $'...' */
static bool
is_expanded(const char *s, enum how how)
{
	if (how != BARE && how != DOUBLE)
		return false;
	if (shell_expands(s))
		return true;
	return s[0] == '$' && s[1] != '\0' &&
	       strchr(how == BARE ? "@*#?$!'\"" : "@*#?$!", s[1]) != NULL;
}

static bool
is_syntax(const struct scan *s, enum how how)
{
	if (is_expanded(s->byte, how))
		return true;
	if (how != BARE)
		return false;
	return strchr("|&;<>()", *s->byte) != NULL || (s->first && *s->byte == '~');
}

/* False, with a sentence, where the byte is no letter of a word. */
static bool
check_byte(const struct scan *s, enum how how, char *why, size_t size)
{
	if (how == BARE && is_typographic_quote(s->byte))
		snprintf(why, size, "a typographic quote does not quote: write ' or \"");
	else if (how == BARE && s->first && is_typographic_dash(s->byte))
		snprintf(why, size, "a typographic dash begins no option: write - or --");
	else if (how == BARE && s->first && *s->byte == '#')
		snprintf(why, size,
		    "`#`: no comment behind a command: write it on a line of its own,"
		    " or quote the word");
	else if (is_syntax(s, how))
		snprintf(why, size,
		    "`%.*s`: no shell here: quote it, or write /bin/sh -c '...'",
		    shown(s->byte), s->byte);
	else
		return true;
	return false;
}

static bool
check_end(const struct scan *s, char *why, size_t size)
{
	if (s->escaped)
		snprintf(why, size, "unfinished \\ at the end of the line");
	else if (s->quote != '\0')
		snprintf(why, size, "unfinished quote %c", s->quote);
	else
		return true;
	return false;
}

/* Moves the word that is complete, if there is one, to the list. */
static void
end_word(struct buf *word, struct strv *words)
{
	if (word->p != NULL)
		strv_push(words, word->p);
	*word = (struct buf){ NULL, 0, 0 };
}

bool
words_split(const char *line, struct strv *words, char *why, size_t size)
{
	struct scan s = { .next = line };
	struct strv found = { NULL, 0 };
	struct buf word = { NULL, 0, 0 };
	bool good = true;
	enum how how;
	size_t i;

	while (good && (how = step(&s)) != END) {
		if (how == SPACE) {
			end_word(&word, &found);
			continue;
		}
		/* A pair of quotes alone is an empty word. */
		buf_add(&word, s.byte, how == MARK ? 0 : 1);
		good = how == MARK || check_byte(&s, how, why, size);
	}
	good = good && check_end(&s, why, size);
	end_word(&word, &found);
	for (i = 0; good && i < found.n; i++)
		strv_push(words, xstrdup(found.v[i]));
	strv_clear(&found);
	return good;
}

/* What was seen of a word that sh would expand if it found something. */
struct signs {
	bool bracket, brace, list; /* [, {, and , or .. in the braces */
	bool expands;
	char last; /* a bare byte */
};

static void
note_sign(struct signs *g, const char *s)
{
	if (*s == '[')
		g->bracket = true;
	if (*s == '{')
		g->brace = true;
	if (g->brace && (*s == ',' || (*s == '.' && g->last == '.')))
		g->list = true;
	if (strchr("*?", *s) != NULL || (*s == ']' && g->bracket) ||
	    (*s == '}' && g->list))
		g->expands = true;
	if (*s == '~' && g->last == '=') /* zsh can do that: --file=~/x */
		g->expands = true;
	g->last = *s;
}

void
words_warn(const char *line, struct strv *out)
{
	struct scan s = { .next = line };
	struct signs g = { .last = '\0' };
	const char *word = line;
	enum how how;

	do {
		how = step(&s);
		if (how == SPACE || how == END) {
			if (g.expands)
				strv_push(
				    out, xasprintf("`%.*s` goes to the program as it is:"
						   " no shell here",
					     shown(word), word));
			g = (struct signs){ .last = '\0' };
			word = s.next;
		} else if (how == BARE) {
			note_sign(&g, s.byte);
		} else {
			g.last = '\0';
		}
	} while (how != END);
}

static bool
is_shell(const char *program)
{
	static const char *const names[] = { "sh", "bash", "dash", "ksh", "zsh" };
	const char *slash = strrchr(program, '/');
	size_t i;

	for (i = 0; slash != NULL && i < NELEM(names); i++)
		if (strcmp(slash + 1, names[i]) == 0)
			return true;
	return false;
}

/* sh -c echo hello: the shell runs `echo`, and calls it hello. */
static bool
is_cut_script(const struct strv *argv)
{
	size_t i;

	if (argv->n == 0 || !is_shell(argv->v[0]))
		return false;
	for (i = 1; i + 2 < argv->n && argv->v[i][0] == '-'; i++)
		if (argv->v[i][1] != '-' && strchr(argv->v[i], 'c') != NULL)
			return argv->v[i + 1][strcspn(argv->v[i + 1], " \t$;|&<>(")] ==
			       '\0';
	return false;
}

/* Which word is a shell's script, also where another program starts the shell? */
static const char *
find_script(const struct strv *argv)
{
	size_t i, k;

	for (i = 0; i < argv->n; i++) {
		if (!is_shell(argv->v[i]))
			continue;
		for (k = i + 1; k + 1 < argv->n && argv->v[k][0] == '-'; k++)
			if (argv->v[k][1] != '-' && strchr(argv->v[k], 'c') != NULL)
				return argv->v[k + 1];
	}
	return NULL;
}

/* Does the variable whose name others choose the value of begin at s? */
static bool
is_path_variable(const char *s)
{
	static const char name[] = "WATCHPATHD_PATH";

	return s[0] == '$' && strncmp(s + 1 + (s[1] == '{'), name, sizeof(name) - 1) == 0;
}

/* Is it the whole value of NAME=, where a shell splits nothing? */
static bool
is_assigned(const char *script, const char *s)
{
	return s > script && s[-1] == '=';
}

/*
 * Is a path among what the shell splits into words and takes for patterns? What
 * stands in "$(...)" is left to whoever reads it.
 */
static bool
is_path_bare(const char *script)
{
	const char *s;
	char quote = '\0';

	for (s = script; *s != '\0'; s++) {
		if (*s == '\\' && quote != '\'' && s[1] != '\0')
			s++;
		else if (quote != '\0' && *s == quote)
			quote = '\0';
		else if (quote == '\0' && (*s == '\'' || *s == '"'))
			quote = *s;
		else if (quote == '\0' && is_path_variable(s) && !is_assigned(script, s))
			return true;
	}
	return false;
}

/* Folders of macOS whose names have a space, and what stands behind it. */
static const struct {
	const char *before, *after;
} spaced[] = {
	{ "/Library/Application", "Support" },
	{ "/Library/Application", "Scripts" },
	{ "/Library/Group", "Containers" },
	{ "/Library/Managed", "Preferences" },
	{ "/Library/Mobile", "Documents" },
};

/* Are two words one path, which lacks its quotes? */
static bool
is_cut_path(const char *word, const char *next)
{
	const char *app = strstr(next, ".app");
	size_t i, n;

	if (word[0] != '/')
		return false;
	for (i = 0; i < NELEM(spaced); i++) {
		n = strlen(spaced[i].after);
		if (text_ends_in(word, spaced[i].before) &&
		    strncmp(next, spaced[i].after, n) == 0 &&
		    (next[n] == '/' || next[n] == '\0'))
			return true;
	}
	/* /Applications/Google Chrome.app/... */
	return strncmp(word, "/Applications/", 14) == 0 && strstr(word, ".app") == NULL &&
	       next[0] != '/' && app != NULL && (app[4] == '/' || app[4] == '\0');
}

static void
warn_cut_path(const struct strv *argv, struct strv *out)
{
	size_t i;

	for (i = 0; i + 1 < argv->n; i++)
		if (is_cut_path(argv->v[i], argv->v[i + 1])) {
			strv_push(
			    out, xasprintf(
				     "`%s %s` is two words here: put a path with a space "
				     "in quotes",
				     argv->v[i], argv->v[i + 1]));
			return;
		}
}

void
words_warn_command(const struct strv *argv, struct strv *out)
{
	const char *program = argv->n > 0 ? argv->v[0] : "", *script = find_script(argv);

	if (strstr(program, " -") != NULL || strstr(program, " /") != NULL)
		strv_push(out,
		    xasprintf("the quotes make one word of `%s`, which is then the name"
			      " of the program",
			program));
	warn_cut_path(argv, out);
	if (is_cut_script(argv))
		strv_push(out,
		    xstrdup("only the word after -c is the script: quote all of it"));
	if (script != NULL && is_path_bare(script))
		strv_push(
		    out, xstrdup("who names the file chooses words of this script: write "
				 "\"$WATCHPATHD_PATH\", in quotes"));
}
