/* SPDX-License-Identifier: MIT */
/*
 * What a word that is no known name was meant to be. It only finds slips: a word
 * that has little in common with all names is near to none.
 */
#include "near.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

void
near_init(struct near *n, const char *name)
{
	*n = (struct near){ .name = name, .least = SIZE_MAX };
}

static int
letter(char c)
{
	return c == '_' ? '-' : tolower((unsigned char)c);
}

static size_t
min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Letters to add, drop, change or swap; both shorter than NEAR_MAX. */
static size_t
distance(const char *a, const char *b)
{
	size_t d[NEAR_MAX][NEAR_MAX], i, j, la = strlen(a), lb = strlen(b);

	for (i = 0; i <= la; i++)
		d[i][0] = i;
	for (j = 0; j <= lb; j++)
		d[0][j] = j;
	for (i = 1; i <= la; i++) {
		for (j = 1; j <= lb; j++) {
			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1,
			    d[i - 1][j - 1] + (letter(a[i - 1]) != letter(b[j - 1])));
			if (i > 1 && j > 1 && letter(a[i - 1]) == letter(b[j - 2]) &&
			    letter(a[i - 2]) == letter(b[j - 1]) &&
			    d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[la][lb];
}

void
near_try(struct near *n, const char *candidate)
{
	size_t len = strlen(candidate), have = strlen(n->name);
	size_t most = len / 4 + 1, d;

	n->known = n->known || strcmp(candidate, n->name) == 0;
	if (len >= NEAR_MAX || have >= NEAR_MAX || have > len + most || len > have + most)
		return;
	d = distance(candidate, n->name);
	/* Names of one or two letters are near to all of that length. */
	if (d > most || d >= len || d >= n->least)
		return;
	n->least = d;
	memcpy(n->best, candidate, len + 1);
}
