/* SPDX-License-Identifier: MIT */
#ifndef SHELL_H
#define SHELL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What a shell would read where none does. A rule file is read without one, so
 * that whoever writes `$HOME` must hear that it stays five letters.
 */

/* A space or a tab? */
bool shell_is_space(char c);

/* Does a variable or a command substitution begin at s? */
bool shell_expands(const char *s);

/* The first thing of its kind in a text without quotes, or NULL. */
const char *shell_find_expansion(const char *s);
const char *shell_find_comment(const char *s); /* a # after white space */

/* How much of s a message shows: some of it, and whole characters. */
size_t shell_shown(const char *s);

#endif
