/* SPDX-License-Identifier: MIT */
/* Which paths in a shell's code are said to be run, and which are not. */
#include "trust/shelltext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

/* What code runs, separated by a space. */
static const char *
runs(const char *code)
{
	static char found[512];
	struct shelltext s;

	found[0] = '\0';
	shelltext_begin(&s, code);
	while (shelltext_next(&s))
		snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%.500s",
		    found[0] != '\0' ? " " : "", s.word);
	return found;
}

TEST(what_stands_where_a_command_does_is_run)
{
	static const char *const codes[][2] = {
		{ "/x", "/x" },
		{ "/x a /b; /y", "/x /y" },
		{ "a && /x || /y & /z\n/w", "/x /y /z /w" },
		{ "a|/x", "/x" },
		{ "A=b C='d e' /x", "/x" },
		{ "'/x' a", "/x" },
		{ "/\"x y\"/z a", "/x y/z" },
		{ "/x\\ y", "/x y" },
		{ "exec nice -n 5 /x", "/x" },
		{ ". /x", "/x" },
		{ "source /x", "/x" },
		{ "/bin/sh -e /x /a", "/bin/sh /x" },
		{ "/usr/bin/env python3 -u /x /a", "/usr/bin/env /x" },
		{ "perl -w /x /a", "/x" },
		{ "xargs -0 -n 1 /x /a", "/x" },
		{ "timeout 5s /x", "/x" },
		{ "if /x; then /y; else /z; fi", "/x /y /z" },
		{ "while ! /x; do { /y; }; done", "/x /y" },
		{ "(cd a; /x); a=$(/y b) `/z`", "/x /y /z" },
		{ "case $1 in /a) /x;; /b|/c) /y;; esac; /z", "/x /y /z" },
		{ "a=(/b /c); /x", "/x" },
		{ ">/a 2>&1 /x", "/x" },
		{ "a # ; /b\n/x", "/x" },
	};
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(runs(codes[i][0]), codes[i][1]) != 0)
			fail_msg("%s: %s", codes[i][0], runs(codes[i][0]));
}

TEST(what_is_read_written_or_compared_is_not_run)
{
	static const char *const codes[] = { "", "a /b", "a >/b", "a </b >>/c",
		"a 2>&1 /b", "echo 'a; /b'", "echo \"a; /b \\\" ; /c\"", "test -x /b",
		"for f in /b; do a; done", "case $1 in /b) a;; /c|/d) a;; esac", "a=/b",
		"a=(/b /c)", "a <<E\n/b\nE", "$a /b", "a # /b", "\"$a\"/b", "a \\; /b",
		"x/y", "python3 -m a /b", "perl -e 'a' /b", "command -v /b",
		"ssh -i /b a", "dd /b", "'", "\"\\", "a\\", ";;/b" };
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (runs(codes[i])[0] != '\0')
			fail_msg("%s: %s", codes[i], runs(codes[i]));
}

TEST(a_word_too_long_for_a_path_ends_the_search)
{
	char code[PATH_MAX + 64];

	memset(code, 'x', sizeof(code));
	code[0] = '/';
	snprintf(code + PATH_MAX + 8, 16, "; /y");
	assert_string_equal(runs(code), "");
}

TEST(any_code_comes_to_an_end)
{
	static const char some[] = " /a;&|()<>`'\"\\#={}\n.-2";
	char code[64];
	size_t round, i, n;

	srand((unsigned)test_seed());
	for (round = 0; round < 100000; round++) {
		n = (size_t)rand() % (sizeof(code) - 1);
		for (i = 0; i < n; i++)
			code[i] = some[(size_t)rand() % (sizeof(some) - 1)];
		code[n] = '\0';
		assert_true(strlen(runs(code)) < 256);
	}
}
