/* SPDX-License-Identifier: MIT */
/*
 * Any text as a `watch` line, and a path behind the first newline: one spelling is
 * found for it, that stands for the same, and a path that is written as a line
 * stands for itself.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "rules/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_spelling(const char *text, const char *path)
{
	char *canonical = pattern_canonical(text), *again = pattern_canonical(canonical);
	char *literal = pattern_path(text), *same = pattern_path(canonical);

	if (strcmp(canonical, again) != 0 || (literal == NULL) != (same == NULL) ||
	    (literal != NULL && strcmp(literal, same) != 0))
		abort();
	if (pattern_matches(text, path) != pattern_matches(canonical, path))
		abort();
	free(same);
	free(literal);
	free(again);
	free(canonical);
}

static void
check_quoted(const char *path)
{
	struct buf line = { NULL, 0, 0 };
	char *back;

	pattern_quote(&line, path);
	back = pattern_path(line.p != NULL ? line.p : "");
	if (back == NULL || strcmp(back, path) != 0 || !pattern_matches(line.p, path))
		abort();
	free(back);
	buf_clear(&line);
}

/* A path as the system has them: absolute, no empty component, no slash at its end. */
static bool
is_plain(const char *path)
{
	size_t n = strlen(path);

	return n > 1 && path[0] == '/' && strstr(path, "//") == NULL &&
	       path[n - 1] != '/';
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strv warnings = { NULL, 0 };
	char *text = xstrndup((const char *)data, size), *path, why[1024];

	path = text + strcspn(text, "\n");
	if (*path != '\0')
		*path++ = '\0';
	if (text[0] == '/') {
		pattern_warn(text, &warnings);
		if (pattern_check(text, why, sizeof(why)))
			check_spelling(text, path);
	}
	if (is_plain(path))
		check_quoted(path);
	strv_clear(&warnings);
	free(text);
	return 0;
}
