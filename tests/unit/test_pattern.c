/* SPDX-License-Identifier: MIT */
/*
 * The texts of `watch` lines: what each stands for, and that a quoted path is
 * that path again.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rules/pattern.h"
#include "base/util.h"
#include "test.h"

static char why[512];

static const struct {
	const char *text;
	const char *canonical;
	const char *path; /* NULL: a pattern */
} texts[] = {
	{ "/", "/", "/" },
	{ "/a/b", "/a/b", "/a/b" },
	{ "/a/b/", "/a/b/", "/a/b/" },
	{ "//a///b//", "/a/b/", "/a/b/" },
	{ "/a b", "/a b", "/a b" },
	{ "/a/*", "/a/*", NULL },
	{ "/a//?/", "/a/?/", NULL },
	{ "/[ab]", "/[ab]", NULL },
	{ "/[!a]", "/[!a]", NULL },
	{ "/[^a]", "/[^a]", NULL },
	{ "/[]a]", "/[]a]", NULL },
	{ "/[a-c]//x", "/[a-c]/x", NULL },
	{ "/[[:alpha:]x]*", "/[[:alpha:]x]*", NULL },
	{ "/[[:x]", "/[[:x]", NULL },
	{ "/[[.a.]/]", "/[[][.a.]/]", NULL },
	{ "/[a]", "/a", "/a" },
	{ "/[$][~][{][ ][#]", "/$~{ #", "/$~{ #" },
	{ "/[!]", "/!", "/!" },
	{ "/[^]", "/^", "/^" },
	{ "/[]]", "/]", "/]" },
	{ "/[-]", "/-", "/-" },
	{ "/[\\]", "/\\", "/\\" },
	{ "/[\xc3\xbc]", "/\xc3\xbc", "/\xc3\xbc" },
	{ "/[*]", "/[*]", "/*" },
	{ "/[?]", "/[?]", "/?" },
	{ "/[[]", "/[[]", "/[" },
	{ "/[[]]", "/[[]]", "/[]" },
	{ "/[[]x]", "/[[]x]", "/[x]" },
	{ "/[!][]]", "/!]", "/!]" },
	{ "/[!]*", "/!*", NULL },
	{ "/[*]*", "/[*]*", NULL },
};

TEST(each_text_has_one_spelling_and_a_path_or_is_a_pattern)
{
	char *canonical, *again, *path;
	size_t i;

	for (i = 0; i < NELEM(texts); i++) {
		canonical = pattern_canonical(texts[i].text);
		again = pattern_canonical(canonical);
		path = pattern_path(texts[i].text);
		assert_string_equal(canonical, texts[i].canonical);
		assert_string_equal(again, canonical);
		if ((path == NULL) != (texts[i].path == NULL))
			fail_msg("%s: %s", texts[i].text, path != NULL ? path : "none");
		if (path != NULL)
			assert_string_equal(path, texts[i].path);
		free(canonical);
		free(again);
		free(path);
	}
}

TEST(a_pattern_matches_what_it_stands_for)
{
	static const struct {
		const char *text, *path;
		bool matches;
	} cases[] = { { "/a/*", "/a/b", true }, { "/a/*", "/a/b/c", false },
		{ "/a/*", "/a/.b", false }, { "/a/.*", "/a/.b", true },
		{ "//a/[!]*", "/a/!b", true }, { "//a/[!]*", "/a/b", false },
		{ "/[$]a?", "/$ab", true }, { "/[*]?", "/*a", true },
		{ "/[*]?", "/ba", false }, { "/[!a]", "/b", true },
		{ "/[!a]", "/a", false }, { "/*\\*", "/a\\b", true },
		{ "/[[:digit:]]", "/1", true }, { "/[[:digit:]]", "/a", false } };
	size_t i;

	for (i = 0; i < NELEM(cases); i++)
		if (pattern_matches(cases[i].text, cases[i].path) != cases[i].matches)
			fail_msg("%s, %s", cases[i].text, cases[i].path);
}

TEST(brackets_without_an_end_or_with_two_meanings_are_refused)
{
	static const char *const good[] = { "/a", "/[ab]", "/[!]", "/[!][]]", "/[!]/]",
		"/[^]x[ab]", "/]", "/[]]", "/[[:alpha:]]", "/[!x]]" };
	static const char *const bad[][2] = { { "/[", "unfinished [" },
		{ "/[a/b]", "unfinished [" }, { "/[]", "unfinished [" },
		{ "/[/]", "unfinished [" }, { "/a[[:alpha:]", "unfinished [" },
		{ "/[!]x]", "`[!]x]` can be read in two ways" },
		{ "/[^]]/x", "`[^]]` can be read in two ways" },
		{ "/[\xc3\xa4\xc3\xb6]", "matches single bytes" } };
	size_t i;

	for (i = 0; i < NELEM(good); i++)
		if (!pattern_check(good[i], why, sizeof(why)))
			fail_msg("%s: %s", good[i], why);
	for (i = 0; i < NELEM(bad); i++)
		if (pattern_check(bad[i][0], why, sizeof(why)) ||
		    strstr(why, bad[i][1]) == NULL)
			fail_msg("%s: %s", bad[i][0], why);
}

/* What stands before the remedy, and the character that it names. */
static const struct {
	const char *text, *shown, *bracket;
} mistakes[] = {
	{ "/Users/$USER/x", "`$USER/x`: no shell here", "[$]" },
	{ "/a/${HOME}", "`${HOME}`: no shell here", "[$]" },
	{ "/a/$(id -u)", "`$(id -u)`: no shell here", "[$]" },
	{ "/a/x$_", "`$_`", "[$]" },
	{ "/a/$1", "`$1`", "[$]" },
	{ "/a/`id`", "``id``: no shell here", "[`]" },
	{ "/x/~/y", "`~/y`: no shell here", "[~]" },
	{ "/x/~jane", "`~jane`", "[~]" },
	{ "/x, ~/y", "`~/y`", "[~]" },
	{ "/a/**/b", "`**/b`: no recursion here", "[*]" },
	{ "/a/x**", "`**`", "[*]" },
	{ "/a/{b,c}", "`{b,c}`: no shell here", "[{]" },
	{ "/a/x{1..9}", "`{1..9}`", "[{]" },
	{ "/a/{b/{c,d}}", "`{b/{c,d}}`", "[{]" },
	{ "/a/(b|c)", "`(b|c)`: no shell here", "[(]" },
	{ "/a # b", "`# b`: no comment here", "[#]" },
	{ "/a\t#", "`#`", "[#]" },
	{ "/a, /b", "` /b`: part of the name here", "[ ]" },
	{ "/a,/b", "`,/b`", "[,]" },
	{ "/a /b", "` /b`", "[ ]" },
	{ "/a:/b", "`:/b`", "[:]" },
	{ "/a;/b", "`;/b`", "[;]" },
	{ "/a|/b", "`|/b`", "[|]" },
	{ "/a,", "`,`", "[,]" },
	{ "/a;", "`;`", "[;]" },
};

TEST(what_other_programs_would_read_is_refused_with_a_remedy)
{
	char *remedy;
	size_t i;

	for (i = 0; i < NELEM(mistakes); i++) {
		remedy = xasprintf("one path a line; for that very character write `%s`",
		    mistakes[i].bracket);
		if (pattern_check(mistakes[i].text, why, sizeof(why)) ||
		    strncmp(why, mistakes[i].shown, strlen(mistakes[i].shown)) != 0 ||
		    strstr(why, remedy) == NULL)
			fail_msg("%s: %s", mistakes[i].text, why);
		free(remedy);
	}
}

TEST(what_no_program_would_read_is_a_name)
{
	static const char *const good[] = { "/a/$", "/a/$-x", "/a/x~", "/a/x~y",
		"/a/[~]$*", "/a/[$]HOME", "/a/[*]*", "/a/*x*", "/a/{GUID}", "/a/{b",
		"/a/b,c}", "/a/[{]b,c}", "/a/b (1)", "/a/b|c", "/a/b#c", "/a/#b",
		"/a/b [#]1", "/a[,] b", "/a[ ]/b", "/a[,]/b", "/a, b", "/a:b", "/a;b",
		"/a[,]", "/a/[!a*]*", "/a/[$~]", "/a ~ b" };
	size_t i;

	for (i = 0; i < NELEM(good); i++)
		if (!pattern_check(good[i], why, sizeof(why)))
			fail_msg("%s: %s", good[i], why);
}

TEST(a_message_shows_whole_characters)
{
	assert_false(
	    pattern_check("/$a123456789012345678901234567\xc3\xbc", why, sizeof(why)));
	assert_string_equal(why, "`$a123456789012345678901234567`: no shell here,"
				 " one path a line; for that very character write"
				 " `[$]`");
}

TEST(what_is_seldom_meant_is_warned_of)
{
	static const struct {
		const char *text, *said; /* NULL: nothing */
	} cases[] = { { "/a\\ b", "`\\` is part of the name" }, { "/a[\\]b", NULL },
		{ "/a/\"b c\"/d", "the quotes are part of the name" },
		{ "/a/'b c'/d", "the quotes are part of the name" },
		{ "/a/'b c'", "the quotes are part of the name" },
		{ "/Ann's and Bob's", NULL }, { "/5\" disk", NULL }, { "/a/'b c", NULL },
		{ "/a%20b", "`%` is part of the name" }, { "/a%b", NULL },
		{ "/100%", NULL }, { "/a[%]20b", NULL } };
	struct strv said = { NULL, 0 };
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		pattern_warn(cases[i].text, &said);
		if (said.n != (cases[i].said != NULL) ||
		    (said.n == 1 &&
			strncmp(said.v[0], cases[i].said, strlen(cases[i].said)) != 0))
			fail_msg("%s: %s", cases[i].text, said.n > 0 ? said.v[0] : "-");
		strv_clear(&said);
	}
}

/* A path of bytes that mean something somewhere, in any order. */
static char *
random_path(void)
{
	static const char *const bits[] = { "a", "/", " ", "$", "HOME", "~", "*", "**",
		"?", "[", "]", "!", "^", "{", "}", ",", ";", "#", "|", ":", "(", ")", "`",
		"\\", "'", "\"", ".", "..", "-", "%20", "\t", "\xc3\xbc", "=" };
	struct buf b = { NULL, 0, 0 };
	int n = 1 + rand() % 12;

	buf_adds(&b, "/");
	while (n-- > 0)
		buf_adds(&b, bits[(size_t)rand() % NELEM(bits)]);
	return b.p;
}

TEST(a_quoted_path_stands_for_that_path_and_nothing_else)
{
	struct buf quoted = { NULL, 0, 0 };
	struct buf bare = { NULL, 0, 0 };
	char *path, *got;
	const char *s;
	int i;

	for (i = 0; i < 20000; i++) {
		path = random_path();
		buf_adds(&bare, "");
		for (s = path; *s != '\0'; s++)
			if (*s != '/' || bare.len == 0 || bare.p[bare.len - 1] != '/')
				buf_add(&bare, s, 1);
		pattern_quote(&quoted, path);
		if (!pattern_check(quoted.p, why, sizeof(why)))
			fail_msg("%s: %s", path, why);
		got = pattern_path(quoted.p);
		assert_non_null(got);
		assert_string_equal(got, bare.p);
		free(got);
		free(path);
		buf_clear(&quoted);
		buf_clear(&bare);
	}
}

SET_UP_ALL
{
	srand((unsigned)test_seed());
}
