/* SPDX-License-Identifier: MIT */
/* What is accepted and refused of files, programs and the interpreters of scripts. */
#include "trust/trust.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/platform.h"
#include "test.h"
#include "trust_box.h"

TEST(what_a_refusal_finds_wrong_is_known_by_it)
{
	chmod(at("@/bin/tool"), 0775);
	refuses("@/bin/tool", "@/bin/tool: writable by group (mode 0775)");
	assert_int_equal(trust_fault_of(verdict.why), FAULT_OWNER);
	chmod(at("@/bin/tool"), 0644);
	refuses("@/bin/tool", "@/bin/tool: not executable (mode 0644)");
	assert_int_equal(trust_fault_of(verdict.why), FAULT_MODE);
	misses("@/bin/gone", "@/bin/gone: not installed yet");
	assert_int_equal(trust_fault_of(verdict.why), FAULT_MISSING);
	refuses("@/bin", "@/bin: a directory, not a program");
	assert_int_equal(trust_fault_of(verdict.why), FAULT_OTHER);
}

TEST(a_program_that_only_root_can_change_is_trusted)
{
	accepts("@/bin/tool recon");
	assert_string_equal(verdict.resolved, at("@/bin/tool"));
	accepts("@//bin/./../bin///tool");
	assert_string_equal(verdict.resolved, at("@/bin/tool"));
}

TEST(a_program_that_others_may_write_is_refused)
{
	chmod(at("@/bin/tool"), 0775);
	refuses("@/bin/tool", "@/bin/tool: writable by group (mode 0775)");
	chmod(at("@/bin/tool"), 0757);
	refuses("@/bin/tool", "@/bin/tool: writable by others (mode 0757)");
	chmod(at("@/bin/tool"), 0777);
	refuses("@/bin/tool", "@/bin/tool: writable by group and others (mode 0777)");
}

TEST(a_directory_above_that_others_may_write_is_refused)
{
	make_dir("@/a", 0755);
	make_dir("@/a/b", 0755);
	make_dir("@/a/b/c", 0755);
	make_file("@/a/b/c/x", 0755, PROGRAM);
	accepts("@/a/b/c/x");
	chmod(at("@/a/b/c"), 0775);
	refuses("@/a/b/c/x", "@/a/b/c: writable by group (mode 0775)");
	chmod(at("@/a/b/c"), 0755);
	chmod(at("@/a"), 0757);
	refuses("@/a/b/c/x", "@/a: writable by others (mode 0757)");
}

TEST(a_sticky_directory_is_good_above_but_not_for_the_file_itself)
{
	make_dir("@/sticky", 01777);
	make_dir("@/sticky/own", 0755);
	make_file("@/sticky/own/x", 0755, PROGRAM);
	make_file("@/sticky/y", 0755, PROGRAM);
	accepts("@/sticky/own/x");
	refuses("@/sticky/y", "@/sticky: writable by group and others (mode 1777)");
	chmod(at("@/sticky"), 01775);
	accepts("@/sticky/own/x");
	refuses("@/sticky/y", "@/sticky: writable by group (mode 1775)");
	/* Also on the way back. */
	make_file("@/z", 0755, PROGRAM);
	accepts("@/sticky/../z");
	refuses("@/sticky/own/../y", "@/sticky: writable by group (mode 1775)");
}

TEST(a_link_in_a_sticky_directory_is_refused)
{
	make_dir("@/sticky", 01777);
	make_link("@/bin/tool", "@/sticky/link");
	make_link("@/bin", "@/sticky/dir");
	refuses("@/sticky/link", "@/sticky: writable by group and others (mode 1777)");
	refuses(
	    "@/sticky/dir/tool", "@/sticky: writable by group and others (mode 1777)");
}

TEST(programs_and_directories_of_strangers_are_refused)
{
	need_root();
	make_dir("@/a", 0755);
	make_file("@/a/x", 0755, PROGRAM);
	give_away("@/a/x");
	refuses("@/a/x", "@/a/x: owned by uid 12345, not by root");
	trust.owner = STRANGER;
	accepts("@/a/x");
	trust.owner = 99;
	refuses("@/a/x", "@/a/x: owned by uid 12345, not by root or uid 99");
	trust.owner = 0;
	must(chown(at("@/a/x"), 0, 0));
	accepts("@/a/x");
	give_away("@/a");
	refuses("@/a/x", "@/a: owned by uid 12345, not by root");
	/* The owner of a sticky directory may rename what lies in it. */
	chmod(at("@/a"), 01755);
	refuses("@/a/x", "@/a: owned by uid 12345, not by root");
}

TEST(a_program_that_is_not_there_is_missing)
{
	misses("@/bin/gone", "@/bin/gone: not installed yet");
	misses("@/gone/x", "@/gone/x: not installed yet: there is no @/gone");
	misses("@/bin/tool/x",
	    "@/bin/tool/x: not installed yet: @/bin/tool is not a directory");
	misses("@/bin/tool/",
	    "@/bin/tool/: not installed yet: @/bin/tool is not a directory");
	make_link("@/bin/nowhere", "@/bin/dangling");
	misses("@/bin/dangling",
	    "@/bin/dangling: not installed yet: there is no @/bin/nowhere");
	/* Where others may put it, nothing that is installed will ever be good. */
	make_dir("@/open", 0777);
	misses("@/open/x", "@/open: writable by group and others (mode 0777)");
}

/* Nothing executes these, so no rule can: they are not missing either. */
TEST(what_cannot_be_executed_is_no_program)
{
	char command[PATH_MAX], *argv[] = { command, NULL };

	refuses("@/bin", "@/bin: a directory, not a program");
	make_file("@/bin/empty", 0755, "");
	refuses("@/bin/empty", "@/bin/empty: an empty file");
	make_file("@/bin/text", 0755, "echo hello\n");
	refuses("@/bin/text",
	    "@/bin/text: neither a program for this machine nor a script with a #! line");
	make_file("@/bin/dos", 0755, "#!@/bin/tool\r\necho\r\n");
	refuses("@/bin/dos",
	    "@/bin/dos: its #! line ends in a carriage return, which would be part of the"
	    " interpreter's name: save it with Unix line ends");
	make_file("@/bin/mode", 0644, PROGRAM);
	refuses("@/bin/mode", "@/bin/mode: not executable (mode 0644)");
	line.argv = argv;
	snprintf(command, sizeof(command), "%s hello", at("@/bin/tool"));
	assert_false(trust_command(&trust, &line, &verdict));
	assert_true(verdict.missing);
	assert_string_equal(verdict.why,
	    at("@/bin/tool hello: not installed yet: the quotes make this one word, the "
	       "name of a program"));
}

/* The verdict depends on just these paths, in this order. */
static void
depends(const char *const *expected)
{
	size_t i;

	for (i = 0; expected[i] != NULL; i++) {
		if (i == paths.n)
			fail_msg("does not depend on %s", expected[i]);
		assert_string_equal(paths.v[i], at(expected[i]));
	}
	if (i < paths.n)
		fail_msg("depends on %s", paths.v[i]);
}

#define DEPENDS(...) depends((const char *const[]){ __VA_ARGS__, NULL })

TEST(a_verdict_says_what_it_depends_on)
{
	misses("@/bin/gone @/x", "@/bin/gone: not installed yet");
	DEPENDS("@/bin/gone");
	make_file("@/bin/sh", 0755, PROGRAM);
	misses("@/bin/sh @/gone.sh", "@/gone.sh: not installed yet");
	DEPENDS("@/bin/sh", "@/gone.sh");
	make_file("@/bin/script", 0755, "#!@/gone/lua\n");
	misses("@/bin/script", "@/gone/lua: not installed yet: there is no @/gone"
			       " (for the #! line of @/bin/script)");
	DEPENDS("@/bin/script", "@/gone/lua");
	make_file("@/bin/env", 0755, PROGRAM);
	misses("@/bin/env PATH=@/one:@/two tool",
	    "tool: not installed yet: @/bin/env finds it nowhere in its PATH");
	DEPENDS("@/bin/env", "@/one/tool", "@/two/tool");
	make_link("@/gone", "@/bin/link");
	misses("@/bin/link", "@/bin/link: not installed yet: there is no @/gone");
	DEPENDS("@/bin/link");
	accepts("@/bin/sh -c true");
	DEPENDS("@/bin/sh");
}

TEST(links_are_followed_as_the_kernel_does)
{
	make_dir("@/opt", 0755);
	make_link("../bin/tool", "@/opt/relative");
	make_link("@/bin/tool", "@/opt/absolute");
	make_link("relative", "@/opt/chain");
	make_link("../bin", "@/opt/dir");
	make_link("../bin/", "@/opt/slash");
	accepts("@/opt/relative");
	assert_string_equal(verdict.resolved, at("@/bin/tool"));
	accepts("@/opt/absolute");
	assert_string_equal(verdict.resolved, at("@/bin/tool"));
	accepts("@/opt/chain");
	assert_string_equal(verdict.resolved, at("@/bin/tool"));
	accepts("@/opt/dir/tool");
	assert_string_equal(verdict.resolved, at("@/bin/tool"));
	accepts("@/opt/slash/../opt/dir/tool");
	misses("@/opt/absolute/",
	    "@/opt/absolute/: not installed yet: @/bin/tool is not a directory");
}

TEST(the_directory_of_each_link_is_judged)
{
	make_dir("@/one", 0755);
	make_dir("@/two", 0755);
	make_link("@/two/link", "@/one/link");
	make_link("@/bin/tool", "@/two/link");
	accepts("@/one/link");
	chmod(at("@/two"), 0777);
	refuses("@/one/link", "@/two: writable by group and others (mode 0777)");
	chmod(at("@/two"), 0755);
	chmod(at("@/one"), 0775);
	refuses("@/one/link", "@/one: writable by group (mode 0775)");
	chmod(at("@/one"), 0755);
	chmod(at("@/bin"), 0775);
	refuses("@/one/link", "@/bin: writable by group (mode 0775)");
}

TEST(link_loops_and_too_many_links_are_refused)
{
	char from[64], to[64];
	int i;

	make_link("@/b", "@/a");
	make_link("@/a", "@/b");
	assert_false(judge("@/a", false));
	assert_non_null(strstr(verdict.why, ": Too many levels of symbolic links"));
	for (i = 0; i < 32; i++) {
		snprintf(from, sizeof(from), "@/chain%d", i);
		snprintf(to, sizeof(to), "chain%d", i + 1);
		make_link(to, from);
	}
	make_file("@/chain32", 0755, PROGRAM);
	accepts("@/chain0");
	make_link("chain0", "@/chain");
	refuses("@/chain", "@/chain31: Too many levels of symbolic links");
}

TEST(what_is_no_program_is_refused_without_opening_it)
{
	refuses("@/bin", "@/bin: a directory, not a program");
	refuses("/", "/: a directory, not a program");
	refuses("/dev/null", "/dev/null: not a regular file");
	assert_int_equal(mkfifo(at("@/bin/fifo"), 0755), 0);
	refuses("@/bin/fifo", "@/bin/fifo: not a regular file");
	chmod(at("@/bin/tool"), 0644);
	refuses("@/bin/tool", "@/bin/tool: not executable (mode 0644)");
	refuses("tool", "tool: not an absolute path");
	refuses("bin/tool", "bin/tool: not an absolute path");
}

TEST(a_long_path_is_refused_and_cut_visibly)
{
	char path[PATH_MAX + 64] = "/";
	char *argv[] = { path, NULL };
	size_t i;

	line.argv = argv;
	for (i = 1; i < sizeof(path) - 1; i++)
		path[i] = i % 200 == 0 ? '/' : 'x';
	assert_false(trust_command(&trust, &line, &verdict));
	assert_non_null(strstr(verdict.why, "...: File name too long"));
	for (i = 1; i < PATH_MAX - 2; i++)
		path[i] = i % 2 == 0 ? '/' : '.';
	path[i] = '\0';
	assert_false(trust_command(&trust, &line, &verdict));
	assert_string_equal(verdict.why, "/: a directory, not a program");
}

TEST(the_interpreter_of_a_script_is_judged)
{
	make_dir("@/i", 0755);
	make_file("@/i/lua", 0755, PROGRAM);
	make_file("@/bin/script", 0755, "#! \t@/i/lua -x\necho\n");
	accepts("@/bin/script");
	assert_string_equal(verdict.resolved, at("@/bin/script"));
	chmod(at("@/i/lua"), 0775);
	refuses("@/bin/script",
	    "@/i/lua: writable by group (mode 0775) (for the #! line of @/bin/script)");
	chmod(at("@/i/lua"), 0755);
	chmod(at("@/i"), 0777);
	refuses("@/bin/script", "@/i: writable by group and others (mode 0777)"
				" (for the #! line of @/bin/script)");
	unlink(at("@/i/lua"));
	chmod(at("@/i"), 0755);
	misses("@/bin/script", "@/i/lua: not installed yet"
			       " (for the #! line of @/bin/script)");
	make_file("@/bin/script", 0755, "#!bin/sh\n");
	refuses("@/bin/script", "@/bin/script: its #! line names no absolute path");
	make_file("@/bin/script", 0755, "#!\n@/i/lua\n");
	refuses("@/bin/script", "@/bin/script: its #! line names no absolute path");
	make_file("@/bin/script", 0755, "#!@/bin/tool");
	accepts("@/bin/script");
	make_file("@/bin/script", 0755, "#");
	refuses("@/bin/script", "@/bin/script: neither a program for this machine nor a "
				"script with a #! line");
}

TEST(a_long_hashbang_line_is_refused)
{
	char text[512];

	memset(text, ' ', sizeof(text));
	memcpy(text, "#!", 2);
	strcpy(text + 300, "@/bin/tool\n");
	make_file("@/bin/script", 0755, text);
	refuses("@/bin/script", "@/bin/script: its #! line is too long");
	make_file("@/bin/script", 0755, "#!@/bin/tool 1 2 3 4 5 6 7 8 9 a b c d e f g\n");
	refuses("@/bin/script", "@/bin/script: its #! line is too long");
}

TEST(interpreters_of_interpreters_are_judged_not_for_ever)
{
	make_file("@/bin/one", 0755, "#!@/bin/tool\n");
	make_file("@/bin/two", 0755, "#!@/bin/one\n");
	accepts("@/bin/two");
	chmod(at("@/bin/tool"), 0757);
	refuses("@/bin/two",
	    "@/bin/tool: writable by others (mode 0757)"
	    " (for the #! line of @/bin/one) (for the #! line of @/bin/two)");
	make_file("@/bin/self", 0755, "#!@/bin/self\n");
	assert_false(judge("@/bin/self", false));
	assert_non_null(
	    strstr(verdict.why, ": more than 8 programs, each started by another"));
}

TEST(trust_admin_accepts_roots_directories_of_group_admin)
{
	need_root();
	make_dir("@/apps", 0775);
	make_file("@/apps/x", 0755, PROGRAM);
	assert_int_equal(chown(at("@/apps"), 0, platform_admin_gid()), 0);
	refuses("@/apps/x", "@/apps: writable by group (mode 0775)");
	assert_true(judge("@/apps/x", true));
	chmod(at("@/apps"), 0777);
	assert_false(judge("@/apps/x", true));
	assert_string_equal(
	    verdict.why, at("@/apps: writable by group and others (mode 0777)"));
	chmod(at("@/apps"), 0775);
	assert_int_equal(chown(at("@/apps"), 0, STRANGER), 0);
	assert_false(judge("@/apps/x", true));
	assert_string_equal(verdict.why, at("@/apps: writable by group (mode 0775)"));
	assert_int_equal(chown(at("@/apps"), STRANGER, platform_admin_gid()), 0);
	assert_false(judge("@/apps/x", true));
	assert_string_equal(verdict.why, at("@/apps: owned by uid 12345, not by root"));
	/* Directories only. */
	assert_int_equal(chown(at("@/bin/tool"), 0, platform_admin_gid()), 0);
	chmod(at("@/bin/tool"), 0775);
	assert_false(judge("@/bin/tool", true));
	assert_string_equal(verdict.why, at("@/bin/tool: writable by group (mode 0775)"));
}

/* A --root in a directory that nobody should trust. */
static void
make_root(void)
{
	static char root[PATH_MAX + 16];

	make_dir("@/home", 0777);
	make_dir("@/home/root", 0777);
	make_dir("@/home/root/bin", 0755);
	make_file("@/home/root/bin/x", 0755, PROGRAM);
	snprintf(root, sizeof(root), "%s/home/root", sandbox);
	trust.root = root;
}

TEST(root_judging_stops_there)
{
	char conf[PATH_MAX];

	make_root();
	accepts("@/home/root/bin/x");
	assert_string_equal(verdict.resolved, at("@/home/root/bin/x"));
	make_file("@/home/root/y", 0755, PROGRAM);
	accepts("@/home/root/y");
	strcpy(conf, trust.root);
	assert_true(trust_directory(&trust, conf, verdict.why));
	chmod(at("@/home/root/bin"), 0775);
	refuses("@/home/root/bin/x", "@/home/root/bin: writable by group (mode 0775)");
	trust.root = at("@/home/root//");
	refuses("@/home/root/bin/x", "@/home/root/bin: writable by group (mode 0775)");
	chmod(at("@/home/root/bin"), 0755);
	accepts("@/home/root/bin/x");
	trust.root = "";
	refuses("@/home/root/bin/x", "@/home: writable by group and others (mode 0777)");
	trust.root = "/";
	refuses("@/home/root/bin/x", "@/home: writable by group and others (mode 0777)");
}

TEST(root_what_lies_outside_is_judged_in_full)
{
	make_root();
	accepts("@/bin/tool");
	/* A name that only begins like what is above root. */
	make_file("@/hom", 0755, PROGRAM);
	accepts("@/hom");
	make_file("@/home/z", 0755, PROGRAM);
	refuses("@/home/z", "@/home: writable by group and others (mode 0777)");
	make_dir("@/home/roots", 0755);
	make_file("@/home/roots/x", 0755, PROGRAM);
	refuses("@/home/roots/x", "@/home: writable by group and others (mode 0777)");
	refuses(
	    "@/home/root/../roots/x", "@/home: writable by group and others (mode 0777)");
	make_dir("@/home/roo", 0755);
	make_file("@/home/roo/x", 0755, PROGRAM);
	refuses("@/home/roo/x", "@/home: writable by group and others (mode 0777)");
}

TEST(root_links_that_leave_it_and_come_back)
{
	make_root();
	make_link("@/bin/tool", "@/home/root/bin/out");
	accepts("@/home/root/bin/out");
	make_file("@/home/z", 0755, PROGRAM);
	make_link("@/home/z", "@/home/root/bin/bad");
	refuses(
	    "@/home/root/bin/bad", "@/home: writable by group and others (mode 0777)");
	make_link("../../z", "@/home/root/bin/up");
	refuses("@/home/root/bin/up", "@/home: writable by group and others (mode 0777)");
	make_link("@/home/root/bin/x", "@/home/root/bin/back");
	accepts("@/home/root/bin/back");
	/* A root that is named through a link is where the link leads. */
	make_link("home/root", "@/door");
	trust.root = at("@/door");
	accepts("@/door/bin/x");
	assert_string_equal(verdict.resolved, at("@/home/root/bin/x"));
	accepts("@/home/root/bin/x");
	/* A link from outside lies where others may exchange it. */
	make_link("root/bin/x", "@/home/in");
	refuses("@/home/in", "@/home: writable by group and others (mode 0777)");
}

TEST(root_interpreters_are_taken_as_written)
{
	make_root();
	make_file("@/home/root/bin.x", 0755, PROGRAM);
	make_file("@/home/root/bin/script", 0755, "#!/usr/bin/env sh\n");
	accepts("@/home/root/bin/script");
	/* As written: not looked for below root. */
	make_file("@/home/root/bin/script", 0755, "#!/bin.x\n");
	misses("@/home/root/bin/script", "/bin.x: not installed yet"
					 " (for the #! line of @/home/root/bin/script)");
}

/* A rule file's refusal, or NULL. */
static const char *
open_rule(const struct trust *t, const char *path)
{
	int fd = trust_open_file(t, at(path), verdict.why);
	char c;

	if (fd == -1)
		return verdict.why;
	assert_int_equal(read(fd, &c, 1), 1);
	assert_int_not_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	close(fd);
	return NULL;
}

TEST(rule_files_are_regular_and_only_roots_to_write)
{
	make_dir("@/conf.d", 0755);
	make_file("@/conf.d/x.ini", 0644, "x");
	assert_null(open_rule(&trust, "@/conf.d/x.ini"));
	chmod(at("@/conf.d/x.ini"), 0664);
	assert_string_equal(open_rule(&trust, "@/conf.d/x.ini"),
	    at("@/conf.d/x.ini: writable by group (mode 0664)"));
	chmod(at("@/conf.d/x.ini"), 0644);
	must(link(at("@/conf.d/x.ini"), at("@/y")));
	assert_null(open_rule(&trust, "@/conf.d/x.ini"));
	chmod(at("@/conf.d"), 01777);
	assert_string_equal(open_rule(&trust, "@/conf.d/x.ini"),
	    at("@/conf.d: writable by group and others (mode 1777)"));
	assert_null(open_rule(NULL, "@/conf.d/x.ini"));
	chmod(at("@/conf.d"), 0755);
	chmod(sandbox, 0775);
	assert_string_equal(
	    open_rule(&trust, "@/conf.d/x.ini"), at("@: writable by group (mode 0775)"));
}

TEST(rule_files_of_strangers_are_refused)
{
	need_root();
	make_file("@/x.ini", 0644, "x");
	give_away("@/x.ini");
	assert_string_equal(
	    open_rule(&trust, "@/x.ini"), at("@/x.ini: owned by uid 12345, not by root"));
	assert_null(open_rule(NULL, "@/x.ini"));
}

TEST(a_link_fifo_or_device_is_no_rule_file)
{
	make_link("bin/tool", "@/link.ini");
	assert_int_equal(mkfifo(at("@/fifo.ini"), 0644), 0);
	assert_string_equal(
	    open_rule(&trust, "@/link.ini"), at("@/link.ini: a symbolic link"));
	assert_string_equal(
	    open_rule(NULL, "@/link.ini"), at("@/link.ini: a symbolic link"));
	assert_string_equal(
	    open_rule(NULL, "@/fifo.ini"), at("@/fifo.ini: not a regular file"));
	assert_string_equal(
	    open_rule(NULL, "/dev/null"), "/dev/null: not a regular file");
	assert_string_equal(open_rule(NULL, "@/bin"), at("@/bin: not a regular file"));
	assert_string_equal(
	    open_rule(&trust, "@/gone.ini"), at("@/gone.ini: No such file or directory"));
}

TEST(a_relative_rule_file_is_judged_where_it_is)
{
	make_file("@/bin/x.ini", 0644, "x");
	assert_int_equal(chdir(at("@/bin")), 0);
	assert_null(open_rule(&trust, "x.ini"));
	assert_null(open_rule(&trust, "../bin/x.ini"));
	chmod(at("@/bin"), 0775);
	assert_string_equal(
	    open_rule(&trust, "x.ini"), at("@/bin: writable by group (mode 0775)"));
	assert_int_equal(chdir("/"), 0);
}

TEST(directories_are_judged_strictly)
{
	assert_true(trust_directory(&trust, at("@/bin"), verdict.why));
	assert_true(trust_directory(&trust, "/", verdict.why));
	make_link("bin", "@/link");
	assert_true(trust_directory(&trust, at("@/link"), verdict.why));
	chmod(at("@/bin"), 01777);
	assert_false(trust_directory(&trust, at("@/bin"), verdict.why));
	assert_string_equal(
	    verdict.why, at("@/bin: writable by group and others (mode 1777)"));
	assert_false(trust_directory(&trust, at("@/link"), verdict.why));
	assert_false(trust_directory(&trust, at("@/gone"), verdict.why));
	assert_string_equal(verdict.why, at("@/gone: No such file or directory"));
	make_file("@/file", 0644, "");
	assert_false(trust_directory(&trust, at("@/file"), verdict.why));
	assert_string_equal(verdict.why, at("@/file: not a directory"));
}

TEST(no_descriptor_is_left_open)
{
	int before = dup(0), after;

	close(before);
	judge("@/bin/tool", false);
	chmod(at("@/bin/tool"), 0777);
	judge("@/bin/tool", false);
	open_rule(&trust, "@/bin/tool");
	open_rule(NULL, "@/bin/tool");
	trust_directory(&trust, at("@/bin"), verdict.why);
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
}
