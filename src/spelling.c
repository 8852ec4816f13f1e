/* SPDX-License-Identifier: MIT */
/*
 * Names that people misspell. A hint that is wrong is worse than none, so this is
 * strict: the beginning must be right, and of short words nearly all.
 */
#include "spelling.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#define LETTERS_MAX 24 /* of a name, its end included */

/* The letters of a name without what does not count; false: it has too many. */
static bool
take_letters(char out[LETTERS_MAX], const char *name)
{
	size_t n = 0;
	char c;

	for (; (c = *name) != '\0'; name++) {
		if (strchr("-_ ", c) != NULL)
			continue;
		if (n == LETTERS_MAX - 1)
			return false;
		out[n++] = (char)tolower((unsigned char)c);
	}
	out[n] = '\0';
	return true;
}

static size_t
min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters to add, drop, swap with their neighbour, or change at that price. */
static size_t
distance(const char *a, const char *b, size_t price)
{
	size_t d[LETTERS_MAX][LETTERS_MAX], i, j, la = strlen(a), lb = strlen(b);

	for (i = 0; i <= la; i++)
		d[i][0] = i;
	for (j = 0; j <= lb; j++)
		d[0][j] = j;
	for (i = 1; i <= la; i++) {
		for (j = 1; j <= lb; j++) {
			d[i][j] = min(d[i - 1][j], d[i][j - 1]) + 1;
			d[i][j] = min(d[i][j],
			    d[i - 1][j - 1] + (a[i - 1] != b[j - 1] ? price : 0));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[la][lb];
}

bool
spelling_same(const char *a, const char *b)
{
	char x[LETTERS_MAX], y[LETTERS_MAX];

	return take_letters(x, a) && take_letters(y, b) && strcmp(x, y) == 0;
}

bool
spelling_near(const char *name, const char *slip)
{
	char a[LETTERS_MAX] = "", b[LETTERS_MAX] = "";
	size_t n;

	if (!take_letters(a, name) || !take_letters(b, slip))
		return false;
	n = strlen(a);
	if (n < 4 || strlen(b) < 4)
		return strcmp(a, b) == 0;
	if (a[0] != b[0] && (a[0] != b[1] || a[1] != b[0]))
		return false;
	return distance(a, b, n == 4 ? 2 : 1) <= (n < 8 ? 1 : 2);
}
