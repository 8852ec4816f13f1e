/* SPDX-License-Identifier: MIT */
#ifndef HTML_H
#define HTML_H

#include <stddef.h>

struct buf;

/*
 * HTML in which nothing from outside can be more than text: tags stand only in
 * formats of our own, and all that is put into them is escaped. Control bytes and
 * what is not UTF-8 are shown as \ooo, and so is what would change the direction of
 * what follows.
 */

/* Adds a format in which %s is escaped and %zu a number; nothing else is known. */
void
html_add(struct buf *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Adds n bytes as text; newlines and tabs stay. */
void html_add_bytes(struct buf *out, const char *s, size_t n);

#endif
