/* SPDX-License-Identifier: MIT */
/* Which words of a command line are judged, and what is said of them. */
#include "trust/cmdline.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
#include "trust_box.h"

/* The PATH that the rule gives. */
static void
set_path(const char *path)
{
	static char variable[4 * SANDBOX_SIZE], *environment[] = { variable, NULL };

	snprintf(variable, sizeof(variable), "PATH=%s", at(path));
	line.environment = environment;
}

/* A directory for PATH with an env and a python of its own. */
static void
make_path(void)
{
	make_dir("@/path", 0755);
	make_file("@/path/env", 0755, "\177ELF");
	make_file("@/path/python3.11", 0755, "\177ELF");
	set_path("/nonexistent:@/path");
}

TEST(what_env_would_start_is_judged)
{
	make_path();
	make_file("@/bin/script", 0755, "#!@/path/env python3.11\n");
	accepts("@/bin/script");
	make_file("@/bin/script", 0755, "#!@/path/env -S A=b python3.11 -u\n");
	accepts("@/bin/script");
	chmod(at("@/path/python3.11"), 0775);
	refuses("@/bin/script",
	    "@/path/python3.11: writable by group (mode 0775) (for `python3.11` of "
	    "@/path/env) (for the #! line of @/bin/script)");
	refuses("@/path/env python3.11",
	    "@/path/python3.11: writable by group (mode 0775)"
	    " (for `python3.11` of @/path/env)");
	refuses("@/path/env @/path/python3.11",
	    "@/path/python3.11: writable by group (mode 0775)");
	chmod(at("@/path/python3.11"), 0755);
	chmod(at("@/bin/script"), 0664);
	refuses("@/path/env A=b python3.11 @/bin/script",
	    "@/bin/script: writable by group (mode 0664)");
	misses("@/path/env nothing",
	    "nothing: not installed yet: @/path/env finds it nowhere in its PATH");
	accepts("@/path/env");
	/* This one would start itself for ever. */
	make_file("@/bin/script", 0755, "#!@/path/env\n");
	assert_false(judge("@/bin/script", false));
	assert_non_null(
	    strstr(verdict.why, ": more than 8 programs, each started by another"));
	accepts("@/path/env A=b");
}

TEST(env_looks_in_the_clean_path)
{
	make_path();
	line.environment = NULL;
	accepts("@/path/env sh -c true");
	misses("@/path/env python3.11.0.1",
	    "python3.11.0.1: not installed yet: @/path/env finds it nowhere in its PATH");
}

TEST(env_with_options_that_hide_what_it_starts_is_refused)
{
	make_path();
	refuses("@/path/env -i python3.11",
	    "python3.11: where @/path/env would find it is not known");
	refuses("@/path/env - python3.11",
	    "python3.11: where @/path/env would find it is not known");
	refuses("@/path/env -u PATH python3.11",
	    "python3.11: where @/path/env would find it is not known");
	refuses("@/path/env -S 'python3.11",
	    "@/path/env: what it would start is not known (for `'python3.11` of "
	    "@/path/env)");
	refuses("@/path/env --split=python3.11",
	    "@/path/env: what it would start is not known (for `--split=python3.11` "
	    "of @/path/env)");
	refuses("@/path/env -iS python3.11 @/x",
	    "@/path/env: what it would start is not known (for `-iS` of @/path/env)");
	accepts("@/path/env --chdir=/ python3.11");
	misses("@/path/env no/tool", "/no/tool: not installed yet: there is no /no (for "
				     "`no/tool` of @/path/env)");
	accepts("@/path/env -i -u HOME @/bin/tool");
	chmod(at("@/bin/tool"), 0775);
	refuses("@/path/env -i @/bin/tool", "@/bin/tool: writable by group (mode 0775)");
}

TEST(env_with_a_path_that_others_may_fill_is_refused)
{
	make_path();
	make_dir("@/open", 0777);
	make_dir("@/sticky", 01777);
	set_path("@/open:@/path");
	refuses("@/path/env python3.11",
	    "@/open: writable by group and others (mode 0777)"
	    " (for `python3.11` of @/path/env)");
	set_path("@/sticky:@/path");
	refuses("@/path/env python3.11",
	    "@/sticky: writable by group and others (mode 1777) (for `python3.11` of "
	    "@/path/env)");
	set_path("@/sticky/new:@/path");
	refuses("@/path/env python3.11",
	    "@/sticky: writable by group and others (mode 1777) (for `python3.11` of "
	    "@/path/env)");
	set_path("bin:@/path");
	refuses("@/path/env python3.11",
	    "python3.11: @/path/env would look for it in a relative PATH");
	set_path("@/bin:@/path");
	accepts("@/path/env python3.11");
	refuses("@/path/env PATH=.:@/path python3.11",
	    "python3.11: @/path/env would look for it in a relative PATH");
	accepts("@/path/env PATH=@/path python3.11");
}

TEST(an_interpreters_script_is_judged)
{
	static const char *const names[] = { "sh", "bash", "zsh", "zsh-5.9", "python",
		"python3", "python3.11", "python3.11-intel64", "PYTHON3", "perl",
		"perl5.30", "ruby", "osascript", "lua5.4", "node", "tcsh", "ksh93" };
	char command[256], path[64];
	size_t i;

	make_file("@/data", 0664, "");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "@/bin/%s", names[i]);
		make_file(path, 0755, PROGRAM);
		snprintf(command, sizeof(command), "%s @/data @/bin/none", path);
		refuses(command, "@/data: writable by group (mode 0664)");
		snprintf(command, sizeof(command), "%s @/bin/none", path);
		misses(command, "@/bin/none: not installed yet");
		snprintf(command, sizeof(command), "%s @/bin/tool @/data", path);
		accepts(command);
	}
	make_link("perl", "@/bin/anything");
	refuses("@/bin/anything @/data", "@/data: writable by group (mode 0664)");
	make_programs("shell python3x python-config");
	accepts("@/bin/shell @/data");
	accepts("@/bin/python3x @/data");
	accepts("@/bin/python-config @/data");
}

TEST(code_on_the_command_line_is_no_script)
{
	static const char *const code[] = { "@/bin/sh -c /x", "@/bin/sh -lc /x",
		"@/bin/sh -o errexit -ec /x", "@/bin/python3 -c /x",
		"@/bin/python3 -Im x /x", "@/bin/perl -e /x", "@/bin/perl -0777ne /x",
		"@/bin/perl -lane /x", "@/bin/osascript -e /x" };
	static const char *const scripts[] = { "@/bin/sh -e /x", "@/bin/sh --norc /x",
		"@/bin/python3 -Wc /x", "@/bin/perl -MFile::Temp /x", "@/bin/perl -- /x",
		"@/bin/osascript -sehe /x" };
	size_t i;

	make_programs("sh python3 perl osascript");
	for (i = 0; i < sizeof(code) / sizeof(code[0]); i++)
		accepts(code[i]);
	for (i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		misses(scripts[i], "/x: not installed yet");
}

TEST(a_directory_or_device_in_a_scripts_place)
{
	make_file("@/bin/perl", 0755, PROGRAM);
	make_dir("@/lib", 0755);
	make_file("@/plain", 0644, "");
	accepts("@/bin/perl -I @/lib @/plain");
	misses("@/bin/perl -I @/lib @/gone", "@/gone: not installed yet");
	chmod(at("@/lib"), 0777);
	refuses("@/bin/perl -I @/lib @/plain",
	    "@/lib: writable by group and others (mode 0777)");
	refuses("@/bin/perl /dev/null", "/dev/null: not a regular file");
}

TEST(scripts_that_interpreters_read_are_judged)
{
	/* What a #! line gives its interpreter to read is judged as well. */
	make_file("@/bin/sh", 0755, "\177ELF");
	make_file("@/helper", 0664, "");
	make_file("@/bin/script", 0755, "#!@/bin/sh @/helper\n");
	refuses("@/bin/script",
	    "@/helper: writable by group (mode 0664) (for the #! line of @/bin/script)");
	make_file("@/bin/script", 0755, "#!@/bin/sh\n");
	accepts("@/bin/script");
	/* A python that is a script itself still reads one. */
	make_file("@/bin/python3", 0755, "#!@/bin/sh\n");
	refuses("@/bin/python3 @/helper", "@/helper: writable by group (mode 0664)");
}

#define OPEN "@/open: writable by group and others (mode 0777)"

/* Programs, a script and a library of root's, and @/open, where everybody may write. */
static void
make_everything(void)
{
	make_programs(
	    "sh bash dash zsh tcsh fish python3 perl ruby php node lua tclsh "
	    "expect osascript awk sed env nice nohup timeout setsid xargs "
	    "stdbuf flock find sudo su doas launchctl caffeinate time script "
	    "chroot arch open busybox java swift make installer ionice gtimeout "
	    "jamf curl cp logger filevault-escrow unshare run-parts sandbox-exec git "
	    "tar rsync ssh scp wget nc sort split man sqlite3 openssl socat tini "
	    "bash-static nu pip ssh-agent");
	make_file("@/script", 0644, "");
	make_dir("@/lib", 0755);
	make_dir("@/open", 0777);
	set_path("@/bin");
}

static const char *const harmless[] = {
	/* What rules say. */
	"sh @/script",
	"sh -c true",
	"sh -c @/bin/tool~recon;~exit~0",
	"open -b x",
	"jamf policy -event x",
	"curl -o @/open/x URL",
	"env A=b @/bin/tool",
	"cp @/script @/lib/",
	"python3 @/script @/open/data.txt",
	"nice -n 5 @/bin/tool @/open/x",
	"launchctl asuser 501 @/bin/tool",
	"filevault-escrow sent",
	"logger -t x text",
	/* Words behind a script, a program or code are not read by what runs it.
	 */
	"sh -x @/script @/open/x",
	"bash --norc -eu -o pipefail @/script --rcfile @/open/x",
	"bash -euo pipefail -c true @/open/x",
	"sh -lc @/bin/tool~@/open/x",
	"python3 -c pass @/open/x",
	"python3 -m http.server --directory @/open",
	"python3 -W ignore -u @/script @/open/x",
	"perl -I @/lib -MFile::Temp -we 1 @/open/x",
	"perl -I@/lib @/script @/open/x",
	"ruby -rjson -ne 1 @/open/x",
	"node --no-warnings @/script @/open/x",
	"php -r 1; @/open/x",
	"awk -F : {print} @/open/x",
	"awk -f @/script @/open/x",
	"sed -n -e p @/open/x",
	"sed s/a/b/ @/open/x",
	"sed -e @/open/d @/open/x",
	"sed -f @/script @/open/x",
	"osascript -l JavaScript @/script @/open/x",
	"osascript -e 1 -e 2 @/open/x",
	"bash --rcfile /dev/null @/script",
	"sh - @/script",
	/* Wrappers. */
	"timeout -k 5 --signal=TERM 30 sh @/script @/open/x",
	"nohup nice -n 5 env -u HOME A=b timeout 5 sh -c true",
	"setsid -w @/bin/tool @/open/x",
	"xargs -0 -n 1 @/bin/tool @/open/x",
	"stdbuf -oL @/bin/tool @/open/x",
	"flock -n @/open/lock @/bin/tool @/open/x",
	"flock @/open/lock -c true",
	"find @/open -name x -exec @/bin/tool {} ; -delete",
	"find @/open -exec sh -c true {} +",
	"find @/open -execdir @/bin/tool {} +",
	"sudo -n -u nobody A=b @/bin/tool @/open/x",
	"su - nobody -c true",
	"su nobody @/script @/open/x",
	"caffeinate -i -t 60 @/bin/tool @/open/x",
	"time -l @/bin/tool @/open/x",
	"script -q @/open/typescript @/bin/tool",
	"arch -arch x86_64 @/bin/tool @/open/x",
	"arch -x86_64 @/bin/tool @/open/x",
	"env -C @/lib -S tool @/open/x",
	"env FOO=@/open/x @/bin/tool",
	"busybox sh @/script @/open/x",
	"busybox cat @/open/x",
	"java -jar @/script",
	"make -C @/lib all",
	/* What shells only read, write or compare. */
	"sh -c cat~@/open/x~>@/open/y",
	"sh -c test~-x~@/open/x~&&~@/bin/tool~@/open/x",
	"sh -c case~$1~in~a)~true;;~@/open/*)~true;;~esac",
	"sh -c echo~'a;~@/open/x'~2>&1~@/open/x",
	"fish -c echo~@/open/x",
	"perl -e /a/;~@/open/x/",
	/* Programs of which only some options are code. */
	"tar -czf @/open/x.tgz -C @/open x",
	"tar -I @/bin/tool -xf @/open/x",
	"rsync -a --delete @/open/x @/lib",
	"rsync -e ssh @/open/x host:",
	"rsync -ae ssh~-i~@/open/key @/open/x host:",
	"scp -i @/open/key @/open/x host:",
	"ssh -i @/open/key host @/bin/tool @/open/x",
	"curl -sS -o @/open/x --data-binary @@/open/y URL",
	"wget -O @/open/x URL",
	"sort -T @/open @/open/x",
	"sqlite3 @/open/x .dump",
	"python3 -m json.tool @/open/x",
	"git -C @/lib status",
};

TEST(what_is_harmless_passes)
{
	char command[256];
	size_t i;

	make_everything();
	for (i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		snprintf(command, sizeof(command), "@/bin/%s", harmless[i]);
		accepts(command);
	}
}

/* Each word that holds @/open is code, or leads to code. */
static const struct {
	const char *command, *word;
} refused[] = {
	/* Shells, and options that name files. */
	{ "sh @/open/x", "@/open/x" },
	{ "sh -x @/open/x", "@/open/x" },
	{ "sh -- @/open/x", "@/open/x" },
	{ "sh - @/open/x", "@/open/x" },
	{ "sh +x @/open/x", "@/open/x" },
	{ "sh -o errexit @/open/x", "@/open/x" },
	{ "sh +o errexit @/open/x", "@/open/x" },
	{ "sh -lc @/open/x", "@/open/x" },
	{ "sh -c @/open/x", "@/open/x" },
	{ "bash -norc @/open/x", "@/open/x" },
	{ "bash --norc @/open/x", "@/open/x" },
	{ "bash -restricted @/open/x", "@/open/x" },
	{ "bash --rcfile @/open/x @/script", "@/open/x" },
	{ "bash --rcfile=@/open/x @/script", "--rcfile=@/open/x" },
	{ "bash -rcfile @/open/x -i", "@/open/x" },
	{ "bash --init-file @/open/x -i -c true", "@/open/x" },
	{ "bash --rcf @/open/x -i", "@/open/x" },
	{ "bash --unknown @/script @/open/x", "@/open/x" },
	{ "bash --norc=1 @/open/x", "@/open/x" },
	{ "node --no-warnings=1 @/open/x", "@/open/x" },
	{ "bash --unknown @/open/x @/script", "@/open/x" },
	{ "bash -eZ @/open/x", "@/open/x" },
	{ "dash -e @/open/x", "@/open/x" },
	{ "zsh -f @/open/x", "@/open/x" },
	{ "tcsh -f @/open/x", "@/open/x" },
	{ "fish --no-config @/open/x", "@/open/x" },
	/* Interpreters. */
	{ "python3 @/open", "@/open" },
	{ "python3 @/open/x.zip", "@/open/x.zip" },
	{ "python3 -I -W ignore @/open/x", "@/open/x" },
	{ "python3 -Wc @/open/x", "@/open/x" },
	{ "python3 -X importtime -u @/open/x", "@/open/x" },
	{ "perl @/open/x", "@/open/x" },
	{ "perl -w @/open/x", "@/open/x" },
	{ "perl -I @/open @/script", "@/open" },
	{ "perl -I@/open @/script", "-I@/open" },
	{ "perl -Mlib=@/open -e 1", "-Mlib=@/open" },
	{ "perl -x@/open @/script", "-x@/open" },
	{ "perl -pi.bak @/open/x", "@/open/x" },
	{ "perl -e 1 -I @/open", "@/open" },
	{ "ruby -r @/open/x @/script", "@/open/x" },
	{ "ruby -r@/open/x -e 1", "-r@/open/x" },
	{ "ruby -C @/open x.rb", "@/open" },
	{ "php -f @/open/x", "@/open/x" },
	{ "php -d auto_prepend_file=@/open/x @/script", "auto_prepend_file=@/open/x" },
	{ "node -r @/open/x @/script", "@/open/x" },
	{ "node --require=@/open/x @/script", "--require=@/open/x" },
	{ "node --import @/open/x -e 1", "@/open/x" },
	{ "lua -l @/open/x @/script", "@/open/x" },
	{ "lua @/open/x", "@/open/x" },
	{ "lua -e 1 @/open/x", "@/open/x" },
	{ "tclsh -encoding utf-8 @/open/x", "@/open/x" },
	{ "expect -f @/open/x", "@/open/x" },
	{ "expect -c 1 @/open/x", "@/open/x" },
	{ "fish -C true @/open/x", "@/open/x" },
	{ "osascript @/open/x", "@/open/x" },
	{ "awk -f @/open/x @/script", "@/open/x" },
	{ "awk -v a=b -f @/open/x", "@/open/x" },
	{ "awk -f@/open/x", "-f@/open/x" },
	{ "sed -f @/open/x @/script", "@/open/x" },
	{ "sed --file=@/open/x @/script", "--file=@/open/x" },
	{ "sed p @/script -f @/open/x", "@/open/x" },
	/* Wrappers. */
	{ "nice @/open/x", "@/open/x" },
	{ "nice -n 5 @/open/x", "@/open/x" },
	{ "nice -5 @/open/x", "@/open/x" },
	{ "nice --adjustment=5 @/open/x", "@/open/x" },
	{ "nice --unknown @/open/x", "@/open/x" },
	{ "nice --unknown 5 @/open/x", "@/open/x" },
	{ "nice --unknown sh @/open/x", "@/open/x" },
	{ "nohup sh @/open/x", "@/open/x" },
	{ "nohup nice env timeout 5 sh -e @/open/x", "@/open/x" },
	{ "timeout 5 @/open/x", "@/open/x" },
	{ "timeout -k 5 5 @/open/x", "@/open/x" },
	{ "timeout --unknown 5 @/open/x", "@/open/x" },
	{ "gtimeout 5 @/open/x", "@/open/x" },
	{ "setsid -w @/open/x", "@/open/x" },
	{ "xargs @/open/x", "@/open/x" },
	{ "xargs -a @/open/list @/bin/tool", "@/open/list" },
	{ "xargs -I % sh @/open/x %", "@/open/x" },
	{ "stdbuf -oL @/open/x", "@/open/x" },
	{ "flock @/lib/lock @/open/x", "@/open/x" },
	{ "flock --unknown @/lib/lock @/open/x", "@/open/x" },
	{ "find @/lib -maxdepth 0 -exec @/open/x {} ;", "@/open/x" },
	{ "find @/lib -exec @/bin/tool ; -ok sh @/open/x ;", "@/open/x" },
	{ "find @/lib -exec @/bin/tool {} + -exec @/open/x ;", "@/open/x" },
	{ "sudo @/open/x", "@/open/x" },
	{ "sudo -u root -n A=b @/open/x", "@/open/x" },
	{ "sudo LD_PRELOAD=@/open/x @/bin/tool", "LD_PRELOAD=@/open/x" },
	{ "doas -u root @/open/x", "@/open/x" },
	{ "su nobody @/open/x", "@/open/x" },
	{ "su -s @/open/x nobody", "@/open/x" },
	{ "su nobody -c @/open/x", "@/open/x" },
	{ "script -q -c @/open/x @/lib/typescript", "@/open/x" },
	{ "flock @/lib/lock -c @/open/x", "@/open/x" },
	{ "fish -c @/open/x", "@/open/x" },
	{ "launchctl asuser 501 @/open/x", "@/open/x" },
	{ "launchctl bootstrap system @/open/x.plist", "@/open/x.plist" },
	{ "caffeinate -i -t 60 @/open/x", "@/open/x" },
	{ "time -l @/open/x", "@/open/x" },
	{ "script -q @/lib/typescript @/open/x", "@/open/x" },
	{ "arch -arm64 @/open/x", "@/open/x" },
	{ "arch -e DYLD_INSERT_LIBRARIES=@/open/x @/bin/tool",
	    "DYLD_INSERT_LIBRARIES=@/open/x" },
	{ "ionice -c 3 @/open/x", "@/open/x" },
	{ "env @/open/x", "@/open/x" },
	{ "env -i @/open/x", "@/open/x" },
	{ "env -u PATH -- @/open/x", "@/open/x" },
	{ "env -C @/open sh x", "@/open" },
	{ "env --chdir=@/open sh x", "--chdir=@/open" },
	{ "env --chd=@/open sh x", "--chd=@/open" },
	{ "env -P @/open tool", "tool" },
	{ "env PATH=@/open tool", "tool" },
	{ "env PATH=@/lib:@/open tool", "tool" },
	{ "env LD_PRELOAD=@/open/x @/bin/tool", "LD_PRELOAD=@/open/x" },
	{ "env BASH_ENV=@/open/x bash @/script", "BASH_ENV=@/open/x" },
	{ "env PYTHONPATH=@/lib:@/open python3 @/script", "PYTHONPATH=@/lib:@/open" },
	{ "env NODE_OPTIONS=--require=@/open/x node @/script",
	    "NODE_OPTIONS=--require=@/open/x" },
	{ "env RUBYOPT=-r@/open/x ruby @/script", "RUBYOPT=-r@/open/x" },
	{ "env PERL5OPT=-Mlib~-I@/open perl @/script", "PERL5OPT=-Mlib -I@/open" },
	{ "busybox sh @/open/x", "@/open/x" },
	{ "busybox env nice sh @/open/x", "@/open/x" },
	/* Programs of which only that is known that they run what they are given.
	 */
	{ "java -jar @/open/x", "@/open/x" },
	{ "java -cp @/lib:@/open x", "@/lib:@/open" },
	{ "java -javaagent:@/open/x -jar @/script", "-javaagent:@/open/x" },
	{ "make -f @/open/x", "@/open/x" },
	{ "installer -pkg @/open/x.pkg -target /", "@/open/x.pkg" },
	{ "open -a @/open/x.app", "@/open/x.app" },
	{ "swift @/open/x", "@/open/x" },
	{ "unshare -m sh @/open/x", "@/open/x" },
	{ "run-parts @/open/x", "@/open/x" },
	{ "sandbox-exec -f @/script @/open/x", "@/open/x" },
	{ "git -C @/open pull", "@/open" },
	{ "git -c core.pager=@/open/x log", "core.pager=@/open/x" },
	{ "git -c alias.x=!@/open/x x", "alias.x=!@/open/x" },
	{ "socat - EXEC:@/open/x", "EXEC:@/open/x" },
	{ "tini -- @/open/x", "@/open/x" },
	{ "pip install @/open/x", "@/open/x" },
	{ "busybox run-parts @/open/x", "@/open/x" },
	{ "busybox nc -e @/open/x", "@/open/x" },
	{ "python3 -m pdb @/open/x", "@/open/x" },
	{ "python3 -Imrunpy @/open/x", "@/open/x" },
	{ "bash-static @/open/x", "@/open/x" },
	{ "nu @/open/x", "@/open/x" },
	{ "ssh-agent @/open/x", "@/open/x" },
	/* Programs of which only some options are code. */
	{ "tar -I @/open/x -cf a b", "@/open/x" },
	{ "tar --use-compress-program=sh~@/open/x -cf a b",
	    "--use-compress-program=sh @/open/x" },
	{ "tar --checkpoint=1 --checkpoint-action=exec=@/open/x -cf a b",
	    "--checkpoint-action=exec=@/open/x" },
	{ "tar -xf a --to-command @/open/x", "@/open/x" },
	{ "rsync -ae @/open/x a b", "@/open/x" },
	{ "rsync a b --rsh=sh~@/open/x", "--rsh=sh @/open/x" },
	{ "nc -l -c nice~@/open/x", "nice @/open/x" },
	{ "ssh -F @/open/x h", "@/open/x" },
	{ "ssh h -oProxyCommand=@/open/x", "-oProxyCommand=@/open/x" },
	{ "scp -S @/open/x a b", "@/open/x" },
	{ "curl -sK @/open/x", "@/open/x" },
	{ "curl --config @/open/x URL", "@/open/x" },
	{ "wget -e use_askpass=@/open/x URL", "use_askpass=@/open/x" },
	{ "nc -l -e @/open/x", "@/open/x" },
	{ "sort --compress-program=@/open/x a", "--compress-program=@/open/x" },
	{ "split --filter=sh~@/open/x a", "--filter=sh @/open/x" },
	{ "man -P @/open/x a", "@/open/x" },
	{ "sqlite3 -init @/open/x a", "@/open/x" },
	{ "openssl req -engine @/open/x", "@/open/x" },
	/* What stands in a shell's code where a command does. */
	{ "sh -c .~@/open/x", ". @/open/x" },
	{ "bash -c source~@/open/x", "source @/open/x" },
	{ "sh -ec true;~@/open/x~a", "true; @/open/x a" },
	{ "sh -c cat~a|exec~nice~-n~5~'@/open/x'", "cat a|exec nice -n 5 '@/open/x'" },
	{ "su nobody -c sh~-e~@/open/x", "sh -e @/open/x" },
	{ "flock @/lib/lock -c @/open/x~a", "@/open/x a" },
	{ "script -q -c sh~@/open/x @/lib/t", "sh @/open/x" },
	{ "fish -C source~@/open/x @/script", "source @/open/x" },
	{ "nice sh -c (@/open/x)", "(@/open/x)" },
	{ "sh -c @/open/sh~-e~a", "@/open/sh -e a" },
	{ "sh -c python3~@/open/x~a", "python3 @/open/x a" },
	{ "find @/lib -exec sh -c true&&@/open/x~$0 {} ;", "true&&@/open/x $0" },
};

TEST(no_word_that_is_code_may_be_where_others_write)
{
	char command[256], sentence[512];
	size_t i;

	make_everything();
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		snprintf(command, sizeof(command), "@/bin/%s", refused[i].command);
		/* The word is named, where it is not the very path at fault. */
		snprintf(
		    sentence, sizeof(sentence), " (for `%s` of @/bin/", refused[i].word);
		if (judge(command, false))
			fail_msg("%s was accepted", command);
		if (strncmp(verdict.why, at(OPEN), strlen(at(OPEN))) != 0 ||
		    (strstr(verdict.why, at(sentence)) == NULL &&
			strcmp(refused[i].word, "@/open") != 0))
			fail_msg("%s: %s", command, verdict.why);
	}
}

/* Everything that a user can do in a directory of his, before each judgement. */
static void
make_in_turn(const char *path, size_t turn)
{
	char command[512];

	snprintf(command, sizeof(command), "rm -rf '%s'", at(path));
	assert_int_equal(system(command), 0);
	switch (turn) {
	case 1:
		make_file(path, 0755, PROGRAM);
		break;
	case 2:
		make_file(path, 0644, "");
		break;
	case 3:
		make_dir(path, 0777);
		break;
	case 4:
		make_link("@/bin/tool", path);
		break;
	case 5:
		make_link("x", path);
		break;
	case 6:
		make_link("/nonexistent", path);
		break;
	case 7:
		assert_int_equal(mkfifo(at(path), 0666), 0);
		break;
	default: /* Nothing is there. */
		break;
	}
}

TEST(a_verdict_does_not_depend_on_what_others_make_or_remove)
{
	static const char *const commands[] = { "@/open/x", "@/sticky/x", "@/lib/link",
		"@/bin/sh @/open/x", "@/bin/sh @/sticky/x", "@/bin/sh @/lib/link",
		"@/bin/sh --rcfile @/sticky/x @/script", "@/bin/sh --what @/sticky/x y",
		"@/bin/nice @/sticky/x", "@/bin/nice @/lib/link",
		"@/bin/env PATH=@/sticky x", "@/bin/nice --what @/sticky/x",
		"@/bin/env LD_PRELOAD=@/sticky/x @/bin/tool",
		"@/bin/find @/lib -exec @/sticky/x ;",
		"@/bin/python3 -W @/sticky/x @/script", "@/bin/make -f @/sticky/x",
		"@/bin/jamf @/sticky/x", "@/bin/curl @/lib/link" };
	char why[TRUST_WHY_SIZE];
	size_t i, turn;
	bool ok;

	make_everything();
	make_dir("@/sticky", 01777);
	make_link("@/sticky/x", "@/lib/link");
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		make_in_turn("@/sticky/x", 0);
		make_in_turn("@/open/x", 0);
		ok = judge(commands[i], false);
		strcpy(why, verdict.why);
		for (turn = 1; turn <= 7; turn++) {
			make_in_turn("@/sticky/x", turn);
			make_in_turn("@/open/x", turn);
			assert_int_equal(judge(commands[i], false), ok);
			/* Only of a directory of theirs it says that it is theirs. */
			if (turn != 3)
				assert_string_equal(verdict.why, why);
		}
	}
}

static void
set_environment(const char *assignment)
{
	static char text[2 * SANDBOX_SIZE], *environment[] = { text, NULL };

	snprintf(text, sizeof(text), "%s", at(assignment));
	line.environment = environment;
}

TEST(variables_that_loaders_obey_are_judged_for_root)
{
	static const char *const loaded[] = { "DYLD_INSERT_LIBRARIES=@/open/x",
		"DYLD_LIBRARY_PATH=@/lib:@/open", "LD_PRELOAD=@/open/x",
		"LD_PRELOAD=@/lib/x~@/open/x", "LD_AUDIT=@/open/x", "BASH_ENV=@/open/x",
		"ENV=@/open/x", "ZDOTDIR=@/open", "PYTHONPATH=@/open",
		"PYTHONSTARTUP=@/open/x", "PERL5LIB=@/lib:@/open", "PERL5OPT=-I@/open",
		"PERLLIB=@/open", "RUBYLIB=@/open", "RUBYOPT=-r@/open/x",
		"GEM_PATH=@/open", "NODE_OPTIONS=--require~@/open/x", "NODE_PATH=@/open",
		"LUA_PATH=@/lib/?.lua;@/open/?.lua", "CLASSPATH=@/open/x.jar",
		"JAVA_TOOL_OPTIONS=-javaagent:@/open/x", "AWKPATH=@/open",
		"GIT_EXEC_PATH=@/open", "GCONV_PATH=@/open", "LESSOPEN=|@/open/x~%s",
		"RSYNC_RSH=sh~@/open/x", "SUDO_ASKPASS=@/open/x", "R_PROFILE=@/open/x",
		"TAR_OPTIONS=--checkpoint-action=exec=@/open/x", "CURL_HOME=@/open",
		"npm_config_userconfig=@/open/x" };
	static const char *const good[] = { "PYTHONUNBUFFERED=1", "LANG=@/open",
		"LD_PRELOAD=@/lib/x", "ENVIRONMENT=@/open", "PATH=@/lib",
		"LD_BIND_NOW=1" };
	char text[256];
	size_t i, n;

	make_everything();
	for (i = 0; i < sizeof(loaded) / sizeof(loaded[0]); i++) {
		snprintf(text, sizeof(text), "%s", loaded[i]);
		for (n = 0; text[n] != '\0'; n++)
			text[n] = text[n] == '~' ? ' ' : text[n];
		set_environment(text);
		line.as_root = true;
		if (judge("@/bin/tool", false))
			fail_msg("%s was accepted", text);
		assert_memory_equal(verdict.why, at(OPEN), strlen(at(OPEN)));
		assert_non_null(strstr(verdict.why, " of environment)"));
		/* It leads another user only to what others may do to him anyway. */
		line.as_root = false;
		accepts("@/bin/tool");
	}
	line.as_root = true;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		set_environment(good[i]);
		accepts("@/bin/tool");
	}
	line.directory = at("@/open");
	set_environment("LD_LIBRARY_PATH=lib/x");
	refuses("@/bin/tool", OPEN " (for `LD_LIBRARY_PATH=lib/x` of environment)");
	set_environment("LD_LIBRARY_PATH=@/lib:");
	refuses("@/bin/tool", OPEN " (for `LD_LIBRARY_PATH=@/lib:` of environment)");
}

TEST(a_home_of_others_is_judged_where_it_is_obeyed)
{
	make_everything();
	set_environment("HOME=@/open");
	refuses("@/bin/zsh -c true", OPEN " (for `HOME=@/open` of @/bin/zsh)");
	refuses("@/bin/nice @/bin/python3 @/script",
	    OPEN " (for `HOME=@/open` of @/bin/python3)");
	make_file("@/bin/program", 0755, "#!@/bin/zsh\n");
	refuses("@/bin/program",
	    OPEN " (for `HOME=@/open` of @/bin/zsh) (for the #! line "
		 "of @/bin/program)");
	accepts("@/bin/sh @/script");
	accepts("@/bin/nice @/bin/tool");
	line.as_root = false;
	accepts("@/bin/zsh -c true");
	line.as_root = true;
	set_environment("XDG_CONFIG_HOME=@/open");
	refuses(
	    "@/bin/fish -c true", OPEN " (for `XDG_CONFIG_HOME=@/open` of @/bin/fish)");
	set_environment("HOME=@/lib");
	accepts("@/bin/zsh -c true");
	refuses("@/bin/env HOME=@/open @/bin/git status",
	    OPEN " (for `HOME=@/open` of @/bin/git)");
	accepts("@/bin/env HOME=@/open @/bin/tool");
}

TEST(relative_words_are_of_the_directory)
{
	static const char *const relative[] = { "sh x.sh", "sh -x x.sh", "nice ./x",
		"python3 -m x", "python3 -c import~x", "env ./x", "sh -c ./x" };
	char command[256];
	size_t i;

	make_everything();
	make_dir("@/lib/theirs", 0777);
	line.directory = at("@/open");
	for (i = 0; i < sizeof(relative) / sizeof(relative[0]); i++) {
		snprintf(command, sizeof(command), "@/bin/%s", relative[i]);
		line.as_root = true;
		if (judge(command, false))
			fail_msg("%s was accepted", command);
		assert_memory_equal(verdict.why, at(OPEN), strlen(at(OPEN)));
		assert_non_null(strstr(verdict.why, at(" (for `directory` of @/bin/")));
	}
	accepts("@/bin/tool x.sh");
	line.as_root = false;
	refuses("@/bin/sh x.sh", OPEN " (for `x.sh` of @/bin/sh)");
	accepts("@/bin/sh -c true");
	line.as_root = true;
	line.directory = at("@/lib");
	make_file("@/lib/x.sh", 0644, "");
	accepts("@/bin/sh x.sh");
	misses("@/bin/sh y.sh", "@/lib/y.sh: not installed yet (for `y.sh` of @/bin/sh)");
	refuses("@/bin/sh theirs/x.sh",
	    "@/lib/theirs: writable by group and others (mode "
	    "0777) (for `theirs/x.sh` of @/bin/sh)");
	refuses("@/bin/perl -I theirs x.sh",
	    "@/lib/theirs: writable by group and others (mode 0777) (for `theirs` of "
	    "@/bin/perl)");
	refuses("@/bin/env -C theirs sh x.sh",
	    "@/lib/theirs: writable by group and others (mode 0777) (for `theirs` of "
	    "@/bin/env)");
	/* The interpreter of a #! line reads the script that it belongs to. */
	make_file("@/bin/program", 0755, "#!@/bin/sh\n");
	line.directory = at("@/open");
	accepts("@/bin/program");
}

TEST(what_cannot_be_told_is_refused)
{
	make_everything();
	refuses("@/bin/chroot @/lib @/bin/tool",
	    "@/bin/chroot: what it would start is not known (for `@/lib` of "
	    "@/bin/chroot)");
	refuses("@/bin/sudo -R @/lib @/bin/tool",
	    "@/bin/sudo: what it would start is not known (for `@/lib` of @/bin/sudo)");
	refuses("@/bin/find @/lib -exec {} ;",
	    "@/bin/find: what it would start is not known (for `{}` of @/bin/find)");
	refuses("@/bin/find @/lib -exec sh {} ;",
	    "@/bin/sh: what it would start is not known (for `{}` of @/bin/sh)");
	refuses("@/bin/find @/lib -execdir ./x ;",
	    "@/bin/find: what it would start is not known (for `-execdir` of "
	    "@/bin/find)");
	refuses("@/bin/find @/lib -execdir sh x ;",
	    "@/bin/find: what it would start is not known (for `-execdir` of "
	    "@/bin/find)");
	assert_false(
	    judge("@/bin/nice nice nice nice nice nice nice nice nice nice nice", false));
	assert_string_equal(verdict.why,
	    at("@/bin/nice: more than 8 programs, each started by another (for `nice` of "
	       "@/bin/nice)"));
}

/* The only sentence about the last command that may run. */
static void
exposes(const char *command, const char *sentence)
{
	accepts(command);
	assert_int_equal(exposed.n, sentence != NULL ? 1 : 0);
	if (sentence != NULL)
		assert_string_equal(exposed.v[0], at(sentence));
}

#define CHOOSE ": others choose what @/bin/"
#define THERE " finds there, and where a link in its place leads"

TEST(places_of_others_are_named_where_root_works)
{
	make_everything();
	exposes("@/bin/cp @/script @/lib/x", NULL);
	exposes("@/bin/cp @/open/x @/lib/x", "`@/open/x`: " OPEN CHOOSE "cp" THERE);
	exposes("@/bin/curl --output=@/open/x URL",
	    "`--output=@/open/x`: " OPEN CHOOSE "curl" THERE);
	exposes("@/bin/sh @/script @/open/x", "`@/open/x`: " OPEN CHOOSE "sh" THERE);
	exposes("@/bin/nice cp @/open/x @/lib", "`@/open/x`: " OPEN CHOOSE "cp" THERE);
	exposes("@/bin/sh -c cat~@/open/x~>@/lib/x",
	    "`cat @/open/x >@/lib/x`: " OPEN CHOOSE "sh" THERE);
	exposes(
	    "@/bin/sh -c true~2>@/open/x", "`true 2>@/open/x`: " OPEN CHOOSE "sh" THERE);
	exposes("@/bin/busybox cat @/open/x", "`@/open/x`: " OPEN CHOOSE "busybox" THERE);
	exposes(
	    "@/bin/tar -xf @/open/x -C @/lib", "`@/open/x`: " OPEN CHOOSE "tar" THERE);
	exposes("@/bin/find @/open -name x", "`@/open`: " OPEN CHOOSE "find" THERE);
	line.directory = at("@/open");
	exposes("@/bin/tool", "`directory`: " OPEN CHOOSE "tool" THERE);
	line.directory = NULL;
	set_environment("PATH=@/lib:@/open");
	exposes("@/bin/tool", "`PATH=@/lib:@/open`: " OPEN CHOOSE "tool" THERE);
	line.as_root = false;
	exposes("@/bin/cp @/open/x @/lib/x", NULL);
}

TEST(network_volumes_are_not_touched)
{
	struct strv remote = { NULL, 0 };

	make_everything();
	make_dir("@/net", 0755);
	make_file("@/net/x", 0755, PROGRAM);
	make_link("@/net", "@/lib/link");
	strv_push(&remote, xstrdup(at("@/net")));
	trust.remote = &remote;
	refuses("@/net/x", "@/net: on a network volume");
	refuses("@/lib/link/x", "@/net: on a network volume");
	/* Nor for the question whether it is there. */
	refuses("@/lib/link/gone", "@/net: on a network volume");
	refuses(
	    "@/bin/sh @/net/x", "@/net: on a network volume (for `@/net/x` of @/bin/sh)");
	exposes("@/bin/cp @/net/x @/lib/x", NULL);
	exposes("@/bin/cp @/lib/link/x @/lib/x",
	    "`@/lib/link/x`: @/net: on a network volume" CHOOSE "cp" THERE);
	set_environment("PATH=@/net:@/open");
	exposes("@/bin/tool", "`PATH=@/net:@/open`: " OPEN CHOOSE "tool" THERE);
	/* Root's own sandbox may lie on one. */
	trust.root = at("@/net");
	accepts("@/net/x");
	trust.remote = NULL;
	strv_clear(&remote);
}

TEST(the_daemons_own_program_is_judged_where_it_starts_the_action)
{
	make_everything();
	trust.self = at("@/lib/watchpathd");
	make_file("@/lib/watchpathd", 0775, PROGRAM);
	accepts("@/bin/tool");
	line.by_self = true;
	refuses("@/bin/tool", "@/lib/watchpathd: writable by group (mode 0775)");
	chmod(at("@/lib/watchpathd"), 0755);
	accepts("@/bin/tool");
	chmod(at("@/lib"), 0777);
	refuses("@/bin/tool", "@/lib: writable by group and others (mode 0777) (for "
			      "`@/lib/watchpathd` of watchpathd itself)");
	chmod(at("@/lib"), 0755);
	unlink(at("@/lib/watchpathd"));
	misses("@/bin/tool", "@/lib/watchpathd: not installed yet");
	trust.self = NULL;
	accepts("@/bin/tool");
}

TEST(what_passes_by_itself_is_told_from_a_verdict)
{
	struct rlimit old, none;
	int fd = dup(0);

	must(getrlimit(RLIMIT_NOFILE, &old));
	none = (struct rlimit){ (rlim_t)fd, old.rlim_max };
	must(close(fd));
	assert_false(judge("@/bin/gone", false));
	assert_false(verdict.passing);
	must(setrlimit(RLIMIT_NOFILE, &none));
	assert_false(judge("@/bin/tool", false));
	must(setrlimit(RLIMIT_NOFILE, &old));
	assert_non_null(strstr(verdict.why, ": Too many open files"));
	assert_true(verdict.passing);
	assert_false(verdict.missing);
	accepts("@/bin/tool");
	assert_false(verdict.passing);
}
