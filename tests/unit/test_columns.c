/* SPDX-License-Identifier: MIT */
/*
 * Text in columns: widths, what is cut and where, lines and tables.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/columns.h"
#include "base/util.h"
#include "test.h"

static char said[4096];

SET_UP
{
	setenv("LC_ALL", "C.UTF-8", 1);
	unsetenv("COLUMNS");
	columns_init();
}

static FILE *
begin(void)
{
	FILE *f = tmpfile();

	assert_non_null(f);
	return f;
}

static const char *
end(FILE *f)
{
	size_t n;

	rewind(f);
	n = fread(said, 1, sizeof(said) - 1, f);
	said[n] = '\0';
	fclose(f);
	return said;
}

static const char *
cut(const char *text, size_t width)
{
	static struct buf b;

	buf_clear(&b);
	columns_cut(&b, text, width);
	assert_true(columns_width(b.p) <= width);
	return b.p;
}

static const char *
fold(const char *lead, size_t indent, const char *text, size_t width)
{
	FILE *f = begin();

	columns_fold(f, lead, indent, text, width);
	return end(f);
}

TEST(a_character_has_the_width_that_it_takes)
{
	assert_int_equal(columns_width(""), 0);
	assert_int_equal(columns_width("abc"), 3);
	assert_int_equal(columns_width("Gr\u00fc\u00dfe"), 5);
	assert_int_equal(columns_width("\u65e5\u672c"), 4);
	assert_int_equal(columns_width("e\u0301"), 1);
	assert_int_equal(columns_width("\U0001f600"), 2);
	/* A sequence that is cut off ends with the text. */
	assert_int_equal(columns_width("\xf0\x9f"), 1);
}

TEST(what_is_too_wide_is_cut_after_a_word_and_marked)
{
	assert_string_equal(cut("took longer", 11), "took longer");
	assert_string_equal(
	    cut("took longer than its timeout", 17), "took longer than\u2026");
	assert_string_equal(cut("took longer than its timeout", 16), "took longer\u2026");
	assert_string_equal(
	    cut("a very-long-word-that-goes-on", 12), "a very-long\u2026");
	assert_string_equal(cut("\u65e5\u672c\u8a9e", 6), "\u65e5\u672c\u8a9e");
	assert_string_equal(cut("\u65e5\u672c\u8a9e", 5), "\u65e5\u672c\u2026");
	assert_string_equal(cut("\u65e5\u672c\u8a9e", 4), "\u65e5\u2026");
	assert_string_equal(cut("words", 1), "\u2026");
	assert_string_equal(cut("words", 0), "");
}

TEST(the_sign_is_ascii_where_the_reader_is)
{
	static const char *const others[] = { "C", "POSIX", "de_DE.ISO8859-1" };
	size_t i;

	for (i = 0; i < 3; i++) {
		setenv("LC_ALL", others[i], 1);
		assert_false(columns_are_utf8());
		assert_string_equal(
		    cut("took longer than its timeout", 15), "took longer...");
		assert_string_equal(cut("words", 2), "..");
	}
	setenv("LC_ALL", "", 1);
	setenv("LC_CTYPE", "en_US.utf8", 1);
	assert_true(columns_are_utf8());
	unsetenv("LC_CTYPE");
	setenv("LANG", "de_DE.UTF-8", 1);
	assert_true(columns_are_utf8());
	unsetenv("LANG");
	assert_false(columns_are_utf8());
}

TEST(lines_are_broken_between_words)
{
	assert_string_equal(fold("", 0, "one two three", 80), "one two three\n");
	assert_string_equal(fold("", 4, "one two three", 11), "    one two\n    three\n");
	assert_string_equal(fold("", 4, "one  two", 8), "    one\n    two\n");
	assert_string_equal(
	    fold("name", 6, "one two three", 13), "name  one two\n      three\n");
	assert_string_equal(
	    fold("warning: ", 4, "one two three", 16), "warning: one two\n    three\n");
	assert_string_equal(fold("", 0, "", 80), "\n");
	assert_string_equal(fold("a lead of any length", 4, "one", 10),
	    "a lead of any length\n    one\n");
}

TEST(a_word_that_no_line_holds_is_broken_after_a_slash)
{
	assert_string_equal(fold("", 2, "/Library/Managed/file: no", 16),
	    "  /Library/\n  Managed/file:\n  no\n");
	assert_string_equal(fold("", 2, "abcdefghijkl", 8), "  abcdef\n  ghijkl\n");
	assert_string_equal(
	    fold("", 2, "\u65e5\u672c\u8a9e", 7), "  \u65e5\u672c\n  \u8a9e\n");
	/* One that is wider than the room goes on all the same. */
	assert_string_equal(fold("", 2, "\u65e5\u672c", 3), "  \u65e5\n  \u672c\n");
}

/* A row of two cells in that width, with the heading. */
static const char *
table(struct column *c, const char *a, const char *b, size_t width)
{
	const char *row[] = { a, b };
	struct strv cells = { NULL, 0 };
	FILE *f = begin();

	strv_push(&cells, xstrdup(a));
	strv_push(&cells, xstrdup(b));
	c[0].width = c[1].width = 0;
	columns_begin(f, c, 2, &cells, width);
	columns_row(f, c, 2, row, 1, "<", ">");
	strv_clear(&cells);
	return end(f);
}

TEST(columns_get_what_they_need_or_less)
{
	struct column c[] = { { .title = "NAME", .enough = 12, .least = 6 },
		{ .title = "RESULT", .enough = 8, .least = 4 } };

	assert_string_equal(table(c, "x", "ok", 80), "NAME  RESULT\nx     <ok>\n");
	assert_string_equal(table(c, "a name for me", "exit status 3", 28),
	    "NAME           RESULT\na name for me  <exit status 3>\n");
	assert_string_equal(table(c, "a name for me", "exit status 3", 24),
	    "NAME           RESULT\na name for me  <exit\u2026>\n");
	assert_string_equal(table(c, "a name for me", "exit status 3", 22),
	    "NAME          RESULT\na name for\u2026   <exit\u2026>\n");
	assert_string_equal(table(c, "a name for me", "exit status 3", 12),
	    "NAME   RESU\u2026\na nam\u2026 <exit\u2026>\n");
	assert_string_equal(table(c, "a", "", 80), "NAME  RESULT\na     <>\n");
}

TEST(numbers_stand_at_the_right)
{
	struct column c[] = { { "RUNS", 4, 4, .right = true },
		{ .title = "X", .enough = 1, .least = 1 } };

	assert_string_equal(table(c, "7", "y", 80), "RUNS  X\n   7  <y>\n");
}

TEST(a_cell_that_stands_elsewhere_makes_no_column_wider)
{
	struct column c[] = { { "NAME", 12, 6, .most = 12, .gap = 2 },
		{ .title = "RESULT", .enough = 8, .least = 4 } };

	assert_string_equal(
	    table(c, "a name too long", "ok", 80), "  NAME  RESULT\n  a\u2026    <ok>\n");
}

TEST(the_width_is_the_terminals_or_that_of_columns)
{
	struct winsize size = { .ws_row = 24, .ws_col = 132 };
	FILE *f = begin(), *terminal;
	int fd = posix_openpt(O_RDWR | O_NOCTTY), pty;

	assert_int_equal(columns_of(f), 80);
	setenv("COLUMNS", "200", 1);
	assert_int_equal(columns_of(f), 200);
	setenv("COLUMNS", "3", 1);
	assert_int_equal(columns_of(f), 20);
	setenv("COLUMNS", "wide", 1);
	assert_int_equal(columns_of(f), 80);
	setenv("COLUMNS", "200", 1);
	assert_int_not_equal(fd, -1);
	assert_int_equal(grantpt(fd), 0);
	assert_int_equal(unlockpt(fd), 0);
	pty = open(ptsname(fd), O_RDWR | O_NOCTTY);
	terminal = fdopen(pty, "w");
	assert_non_null(terminal);
	assert_int_equal(ioctl(pty, TIOCSWINSZ, &size), 0);
	assert_int_equal(columns_of(terminal), 132);
	fclose(terminal);
	fclose(f);
	close(fd);
}
