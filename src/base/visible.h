/* SPDX-License-Identifier: MIT */
#ifndef VISIBLE_H
#define VISIBLE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/*
 * Adds n bytes that came from outside so that they cannot harm a terminal, a
 * log or JSON: control bytes, DEL, `\`, what turns the direction of writing and
 * bytes that are not UTF-8 become \ooo.
 */
void buf_addvis(struct buf *b, const char *s, size_t n);

/* The same as a fresh string; the caller frees it. */
char *vis_dup(const char *s);

/* Likewise for text that should have been made visible already: `\` stays. */
char *safe_dup(const char *s);

/* Is it UTF-8 without control bytes, tab excepted? */
bool text_is_valid(const char *s);

/* Undoes buf_addvis; a \ that begins no \ooo stays. The caller frees it. */
char *unvis_dup(const char *s);

#endif
