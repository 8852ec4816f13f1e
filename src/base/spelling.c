/* SPDX-License-Identifier: MIT */
/*
 * Names that people misspell. A hint that is wrong is worse than none, so this is
 * strict: the beginning must be right, and of short words nearly all.
 */
#include "base/spelling.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

/* The letters of a name without what does not count; false: it has too many. */
static bool
take_letters(char out[SPELLING_MAX], const char *name)
{
	size_t n = 0;
	char c;

	for (; (c = *name) != '\0'; name++) {
		if (strchr("-_ ", c) != NULL)
			continue;
		if (n == SPELLING_MAX - 1)
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
	size_t d[SPELLING_MAX][SPELLING_MAX], i, j, la = strlen(a), lb = strlen(b);

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
	char x[SPELLING_MAX], y[SPELLING_MAX];

	return take_letters(x, a) && take_letters(y, b) && strcmp(x, y) == 0;
}

/* How many letters are wrong; SIZE_MAX: so many that it is another word. */
static size_t
wrong_letters(const char *name, const char *slip)
{
	char a[SPELLING_MAX] = "", b[SPELLING_MAX] = "";
	size_t n, d;

	if (!take_letters(a, name) || !take_letters(b, slip))
		return SIZE_MAX;
	n = strlen(a);
	if (n < 4 || strlen(b) < 4)
		return strcmp(a, b) == 0 ? 0 : SIZE_MAX;
	if (a[0] != b[0] && (a[0] != b[1] || a[1] != b[0]))
		return SIZE_MAX;
	d = distance(a, b, n == 4 ? 2 : 1);
	return d <= (n < 8 ? 1 : 2) ? d : SIZE_MAX;
}

bool
spelling_near(const char *name, const char *slip)
{
	return wrong_letters(name, slip) != SIZE_MAX;
}

void
spelling_init(struct spelling *s, const char *slip)
{
	*s = (struct spelling){ .slip = slip, .least = SIZE_MAX };
}

void
spelling_try(struct spelling *s, const char *name)
{
	size_t d = wrong_letters(name, s->slip), n = strlen(name);

	s->known = s->known || strcmp(name, s->slip) == 0;
	if (d >= s->least || n >= sizeof(s->best))
		return;
	s->least = d;
	memcpy(s->best, name, n + 1);
}
