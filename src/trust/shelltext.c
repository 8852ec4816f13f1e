/* SPDX-License-Identifier: MIT */
/*
 * The words of a shell's code that are run, as far as that is known without being
 * a shell. The one idea: a false find would refuse what is harmless, so whatever is
 * not plain is passed over.
 */
#include "trust/shelltext.h"

#include <string.h>

#include "base/util.h"

#define BLANKS " \t"
#define ENDS " \t\n;&|()<>`"

/* What the next word is as much a command behind as at the beginning, or a script. */
static const char *const leads[] = { "!", "{", "if", "then", "else", "elif", "while",
	"until", "do", "time", "exec", "eval", ".", "source", "nohup", "nice", "env",
	"setsid", "timeout", "caffeinate", "sudo", "xargs", "sh", "bash", "dash", "ksh",
	"zsh", "python", "python3", "perl", "ruby", "php", "node", "osascript" };

void
shelltext_begin(struct shelltext *s, const char *code)
{
	s->at = code;
	s->depth = 0;
	s->command = true;
	s->pattern = s->target = false;
	s->word[0] = '\0';
}

/* Do a word's end and a parenthesis make a list of bash, such as a=(b c)? */
static bool
ends_in_equals(const char *word)
{
	size_t n = strlen(word);

	return n > 0 && word[n - 1] == '=';
}

static void
take_parenthesis(struct shelltext *s, char c)
{
	if (c == '(') {
		s->depth++;
		s->pattern = s->pattern || ends_in_equals(s->word);
		return;
	}
	if (s->depth > 0)
		s->depth--;
	s->pattern = false;
}

/* Takes what separates words. False: a word begins here, or the code ends. */
static bool
take_separator(struct shelltext *s)
{
	char c = *s->at;
	bool redirects = c == '<' || c == '>' || (c == '&' && s->target);

	if (c == '#' || strncmp(s->at, "<<", 2) == 0) {
		s->at += c == '#' ? strcspn(s->at, "\n") : strlen(s->at);
		return true;
	}
	if (c == '\0' || strchr(ENDS, c) == NULL)
		return false;
	if (c == '(' || c == ')')
		take_parenthesis(s, c);
	else if (strncmp(s->at, ";;", 2) == 0)
		s->pattern = true;
	if (strchr(BLANKS, c) == NULL) {
		s->target = redirects;
		s->command = s->command || !redirects;
	}
	s->word[0] = '\0';
	s->at++;
	return true;
}

/* The length of the quoted text that begins here, quotes included. */
static size_t
quoted_length(const char *at)
{
	char end[3] = { *at, *at == '"' ? '\\' : '\0', '\0' };
	size_t n = 1;

	for (n += strcspn(at + n, end); at[n] == '\\' && at[n + 1] != '\0';)
		n += 2 + strcspn(at + n + 2, end);
	return at[n] != '\0' ? n + 1 : n;
}

/* Copies one word without its quotes. False: it is too long to be a path. */
static bool
read_word(struct shelltext *s)
{
	size_t n, quote, len = 0;

	while (*s->at != '\0' && strchr(ENDS, *s->at) == NULL) {
		if (*s->at == '\\' && s->at[1] != '\0')
			s->at++;
		quote = *s->at == '\'' || *s->at == '"';
		n = quote ? quoted_length(s->at) : 1;
		if (len + n < sizeof(s->word) && n > 2 * quote) {
			memcpy(s->word + len, s->at + quote, n - 2 * quote);
			len += n - 2 * quote;
		}
		s->at += n;
	}
	s->word[len] = '\0';
	return len + 1 < sizeof(s->word);
}

/* As -n 5 of nice and 5s of timeout; a descriptor before < and > is one, too. */
static bool
is_number(const char *word)
{
	size_t n = strspn(word, "0123456789.");

	return word[0] == '\0' || (n > 0 && word[n + strspn(word + n, "smhd")] == '\0');
}

/* Does the word leave open what is run, so that the next one says it? */
static bool
leads_on(const char *word)
{
	const char *slash = strrchr(word, '/'), *name = slash != NULL ? slash + 1 : word;
	size_t i;

	for (i = 0; i < NELEM(leads); i++)
		if (strcmp(name, leads[i]) == 0)
			return true;
	return word[0] == '-' || is_number(word) || word[strcspn(word, "=/")] == '=';
}

/* The word has been read: is it run? */
static bool
is_run(struct shelltext *s)
{
	bool command = s->command, opened = s->target, pattern = s->pattern;

	s->target = false;
	if (strcmp(s->word, "esac") == 0)
		s->pattern = false;
	if (opened || pattern || (*s->at == ')' && s->depth == 0))
		return false;
	s->command = command && leads_on(s->word);
	return command && s->word[0] == '/';
}

bool
shelltext_next(struct shelltext *s)
{
	while (*s->at != '\0') {
		if (take_separator(s))
			continue;
		if (!read_word(s))
			s->at += strlen(s->at);
		else if (is_run(s))
			return true;
	}
	return false;
}
