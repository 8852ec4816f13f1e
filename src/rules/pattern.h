/* SPDX-License-Identifier: MIT */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct strv;

/*
 * What the text of a `watch` line stands for: a path, or a pattern with * ? and
 * [ ] in any component. A bracket of one character, such as [*], [$] or [!], is
 * that character and no wildcard. Slashes in a row are one, and a slash at the
 * end stays, since it asks for a directory.
 */

/* The one spelling of all texts that mean the same; free(3) it. */
char *pattern_canonical(const char *text);

/* The path that a text without wildcards stands for, to free(3); else NULL. */
char *pattern_path(const char *text);

/* Does the text stand for path? Names that begin with a dot need one. */
bool pattern_matches(const char *text, const char *path);

/* Adds a text that stands for path and nothing else. */
void pattern_quote(struct buf *out, const char *path);

/*
 * False where the text is hardly what was meant: a bracket without end, or what
 * a shell or another program would read in it; why says so.
 */
bool pattern_check(const char *text, char *why, size_t size);

/* Adds a sentence for each thing that may stand and seldom is meant. */
void pattern_warn(const char *text, struct strv *out);

#endif
