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
#include "base/options.h"
#include "base/util.h"
#include "test.h"

static const struct subcommand table[] = {
	{ "check", OPTION_VERBOSE | OPTION_ROOT, "[PATH ...]", "parse rule files",
	    "More of it.", NULL },
	{ "version", 0, "", "print the version", NULL, NULL },
	{ NULL, 0, NULL, NULL, NULL, NULL },
};

static char said[65536];
static int status;

/* What `help` says to name, or NULL, on stdout and stderr. */
static const char *
help(const char *name)
{
	int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	FILE *f = tmpfile();
	size_t n;

	assert_non_null(f);
	fflush(stdout);
	dup2(fileno(f), STDOUT_FILENO);
	dup2(fileno(f), STDERR_FILENO);
	status = help_print(table, name);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	rewind(f);
	n = fread(said, 1, sizeof(said) - 1, f);
	said[n] = '\0';
	fclose(f);
	return said;
}

TEST(without_argument_the_commands_are_listed)
{
	help(NULL);
	assert_int_equal(status, EX_OK);
	assert_non_null(strstr(said, "\n  check     parse rule files\n"));
	assert_non_null(strstr(said, "\n  version   print the version\n"));
}

TEST(a_command_is_explained)
{
	assert_string_equal(help("check"),
	    "usage: watchpathd check [-v] [--root DIR] [PATH ...]\n\n"
	    "check: parse rule files\n\nMore of it.\n");
	assert_int_equal(status, EX_OK);
	assert_string_equal(
	    help("version"), "usage: watchpathd version\n\nversion: print the version\n");
}

TEST(a_command_that_is_not_there_is_a_usage_error)
{
	assert_string_equal(help("wrong\033"),
	    "watchpathd: help: no command or key `wrong\\033` (`watchpathd help` lists "
	    "commands, `watchpathd help keys` keys)\n");
	assert_int_equal(status, EX_USAGE);
}

TEST(one_key_is_explained)
{
	assert_string_equal(help("settle"),
	    "Key of a rule:\n\nsettle            duration; default 1s\n    Wait until "
	    "nothing has changed for this long, so that the file is whole.\n");
	assert_int_equal(status, EX_OK);
	assert_non_null(strstr(
	    help("max-running"), "Key of the section [daemon]:\n\nmax-running       "));
	assert_int_equal(status, EX_OK);
}

TEST(the_name_that_was_meant_is_offered)
{
	assert_string_equal(help("chekc"),
	    "watchpathd: help: no command or key `chekc`: did you mean `check`?\n");
	assert_int_equal(status, EX_USAGE);
	assert_non_null(strstr(help("setle"), ": did you mean `settle`?\n"));
	assert_non_null(strstr(help("log_level"), ": did you mean `log-level`?\n"));
}

TEST(keys_are_those_of_the_key_table)
{
	struct buf b = { NULL, 0, 0 };

	keys_print(&b);
	assert_string_equal(help("keys"), b.p);
	assert_int_equal(status, EX_OK);
	assert_non_null(strstr(said, "\nsettle            duration; default 1s\n"));
	buf_clear(&b);
	keys_print_mdoc(&b);
	assert_string_equal(help("mdoc-keys"), b.p);
	buf_clear(&b);
}
