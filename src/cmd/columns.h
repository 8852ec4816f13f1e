/* SPDX-License-Identifier: MIT */
#ifndef COLUMNS_H
#define COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct buf;
struct strv;

/*
 * Text in the columns of a terminal. It is UTF-8 and harmless already; a wide
 * character takes two columns, a combining one none.
 */

/* Makes the widths of characters known to this process; without it all are 1. */
void columns_init(void);

/* How wide out is: its terminal, else what COLUMNS says, else 80; at least 20. */
size_t columns_of(FILE *out);

/* Does who reads this see more than ASCII? By LC_ALL, LC_CTYPE, LANG. */
bool columns_are_utf8(void);

size_t columns_width(const char *text);

/* Adds text in at most width columns; what is cut, at a word, ends with a sign. */
void columns_cut(struct buf *out, const char *text, size_t width);

/*
 * Prints text in lines of at most width columns, broken between words, and in a
 * longer word after a `/`. The first line begins with lead, and where that ends
 * before indent with spaces up to there; the others with indent spaces. width is
 * more than indent.
 */
void
columns_fold(FILE *out, const char *lead, size_t indent, const char *text, size_t width);

/* A column of a table. gap of the first one is the caller's. */
struct column {
	const char *title;
	size_t enough, least; /* it is cut to that first, and at worst to this */
	size_t most;          /* wider cells stand elsewhere; 0: there are none */
	bool right;           /* numbers stand at its right end */
	size_t width, gap;    /* and the spaces before it: columns_begin sets them */
};

/* Divides width among n columns, by their cells row after row, and prints the titles. */
void columns_begin(
    FILE *out, struct column *c, size_t n, const struct strv *cells, size_t width);

/* Prints a row; the cell at marked stands between the texts on and off. */
void columns_row(FILE *out, const struct column *c, size_t n, const char *const *cells,
    size_t marked, const char *on, const char *off);

#endif
