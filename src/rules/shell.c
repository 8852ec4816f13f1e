/* SPDX-License-Identifier: MIT */
/*
 * The few things of sh(1) that people write without thinking. Quotes are not
 * looked at here: who knows of some does that.
 */
#include "rules/shell.h"

#include <string.h>

#define SHOWN_MAX 30 /* bytes */

bool
shell_is_space(char c)
{
	return c == ' ' || c == '\t';
}

static bool
begins_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_';
}

bool
shell_expands(const char *s)
{
	if (s[0] == '`')
		return true;
	return s[0] == '$' && (begins_name(s[1]) || s[1] == '{' || s[1] == '(');
}

const char *
shell_find_expansion(const char *s)
{
	for (; *s != '\0'; s++)
		if (shell_expands(s))
			return s;
	return NULL;
}

const char *
shell_find_comment(const char *s)
{
	for (; *s != '\0'; s++)
		if (shell_is_space(s[0]) && s[1] == '#')
			return s + 1;
	return NULL;
}

size_t
shell_shown(const char *s)
{
	size_t n = strlen(s);

	if (n <= SHOWN_MAX)
		return n;
	for (n = SHOWN_MAX; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80;)
		n--;
	return n;
}
