/* SPDX-License-Identifier: MIT */
#ifndef SHELLTEXT_H
#define SHELLTEXT_H

#include <limits.h>
#include <stdbool.h>

/*
 * Which paths of a shell's code stand where a command does? Only plain ones are
 * found, so what it says is code is code; what it does not find is the code's own
 * affair. It knows quotes, comments, redirections and the patterns of case, and no
 * substitution within quotes. Nothing here looks at a file.
 */
struct shelltext {
	const char *at;
	unsigned depth; /* of parentheses */
	bool command;   /* the next word is one, or is code to the one before */
	bool pattern;   /* up to the next closing parenthesis */
	bool target;    /* the next word is a file that < or > opens */
	char word[PATH_MAX];
};

void shelltext_begin(struct shelltext *s, const char *code);

/* The next absolute path that the code runs or reads as code, in word. */
bool shelltext_next(struct shelltext *s);

#endif
