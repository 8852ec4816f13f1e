/* SPDX-License-Identifier: MIT */
/*
 * `help` prints what the table of subcommands and the key table say.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cmd/help.h"
#include "cmd/keylist.h"
#include "cmd/command.h"
#include "base/util.h"
#include "test.h"

static const struct subcommand table[] = {
	{ "check", "[-v] [PATH ...]", "parse rule files", "More of it.", NULL, false },
	{ "exec", "", "not for people", NULL, NULL, true },
	{ "version", "", "print the version", NULL, NULL, false },
	{ NULL, NULL, NULL, NULL, NULL, false },
};

static char said[65536];
static int status;

/* What `help` says to a on stdout and stderr; a may be NULL, and so may b. */
static const char *
help(const char *a, const char *b)
{
	char *argv[] = { xstrdup("help"), a != NULL ? xstrdup(a) : NULL,
		b != NULL ? xstrdup(b) : NULL, NULL };
	int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	FILE *f = tmpfile();
	size_t n;

	assert_non_null(f);
	fflush(stdout);
	dup2(fileno(f), STDOUT_FILENO);
	dup2(fileno(f), STDERR_FILENO);
	status = help_print(table, a == NULL ? 1 : b == NULL ? 2 : 3, argv);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	rewind(f);
	n = fread(said, 1, sizeof(said) - 1, f);
	said[n] = '\0';
	fclose(f);
	free(argv[0]);
	free(argv[1]);
	free(argv[2]);
	return said;
}

TEST(without_argument_the_commands_are_listed_but_hidden_ones)
{
	help(NULL, NULL);
	assert_int_equal(status, EX_OK);
	assert_non_null(strstr(said, "\n  check     parse rule files\n"));
	assert_non_null(strstr(said, "\n  version   print the version\n"));
	assert_null(strstr(said, "not for people"));
}

TEST(a_command_is_explained)
{
	assert_string_equal(help("check", NULL),
	    "usage: watchpathd check [-v] [PATH ...]\n\n"
	    "check: parse rule files\n\nMore of it.\n");
	assert_int_equal(status, EX_OK);
	assert_string_equal(help("version", NULL),
	    "usage: watchpathd version\n\nversion: print the version\n");
}

TEST(a_command_that_is_not_there_is_a_usage_error)
{
	assert_string_equal(help("wrong\033", NULL),
	    "watchpathd: help: no command or key `wrong\\033` (`watchpathd help` lists "
	    "commands, `watchpathd help keys` keys)\n");
	assert_int_equal(status, EX_USAGE);
	assert_non_null(strstr(help("exec", NULL), "no command or key `exec` ("));
	assert_int_equal(status, EX_USAGE);
	help("check", "version");
	assert_int_equal(status, EX_USAGE);
}

TEST(one_key_is_explained)
{
	assert_string_equal(help("settle", NULL),
	    "Key of a rule:\n\nsettle            duration; default 1s\n    Wait until "
	    "nothing has changed for this long, so that the file is whole.\n");
	assert_int_equal(status, EX_OK);
	assert_non_null(strstr(help("max-running", NULL),
	    "Key of the section [daemon]:\n\nmax-running       "));
	assert_int_equal(status, EX_OK);
}

TEST(the_name_that_was_meant_is_offered)
{
	assert_string_equal(help("chekc", NULL),
	    "watchpathd: help: no command or key `chekc`: did you mean `check`?\n");
	assert_int_equal(status, EX_USAGE);
	assert_non_null(strstr(help("setle", NULL), ": did you mean `settle`?\n"));
	assert_non_null(strstr(help("log_level", NULL), ": did you mean `log-level`?\n"));
	/* A hidden command is none. */
	assert_null(strstr(help("exce", NULL), "exec`?"));
}

TEST(keys_are_those_of_the_key_table)
{
	struct buf b = { NULL, 0, 0 };

	keys_print(&b);
	assert_string_equal(help("keys", NULL), b.p);
	assert_int_equal(status, EX_OK);
	assert_non_null(strstr(said, "\nsettle            duration; default 1s\n"));
	buf_clear(&b);
	keys_print_mdoc(&b);
	assert_string_equal(help("--mdoc-keys", NULL), b.p);
	buf_clear(&b);
}
