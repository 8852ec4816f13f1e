/* SPDX-License-Identifier: MIT */
/* What words are said to be, without a file in sight. */
#include "trust/codewords.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "test.h"

/* One letter for each role, in the order of codewords.h. */
static const char letters[] = "dvamspthaDSCu";

/* The roles of a command's words, which are separated by one space. */
static const char *
roles_of(const char *command)
{
	static char roles[64];
	char text[256], *argv[32], *word, *save = NULL;
	struct codewords c;
	struct codeword w;
	size_t n = 0, at = 0;

	snprintf(text, sizeof(text), "%s", command);
	for (word = strtok_r(text, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save))
		argv[n++] = word;
	argv[n] = NULL;
	if (!codewords_begin(&c, argv[0], argv + 1))
		return "none";
	while (codewords_next(&c, &w) && at + 1 < sizeof(roles))
		roles[at++] = letters[w.role];
	roles[at] = '\0';
	return roles;
}

static const struct {
	const char *command, *roles;
} known[] = {
	{ "/usr/bin/jamf recon", "none" },
	{ "sh", "" },
	{ "sh script data data", "sdd" },
	{ "sh -x -e script", "s" },
	{ "sh -o errexit script", "vs" },
	{ "sh -c code name data", "hdd" },
	{ "fish -C code script", "hs" },
	{ "fish -c code data", "hd" },
	{ "lua -e code script", "ts" },
	{ "expect -c code script", "ts" },
	{ "su - user -c code", "dh" },
	{ "sh -c /program data", "vd" },
	{ "su user -c /program", "dv" },
	{ "sed -e /text/ data", "td" },
	{ "sh --what either script", "ms" },
	{ "sh --what=value script", "vs" },
	{ "sh --rcfile value -- -script", "vs" },
	{ "python3.11 -W value -c code data", "vtd" },
	{ "perl -we code data", "td" },
	{ "perl -Ivalue -Mvalue script", "vvs" },
	{ "awk code data", "td" },
	{ "awk -f value data", "vd" },
	{ "sed -e code -f value data -f value", "tvdv" },
	{ "env A=b -u HOME -i program data", "adCp" },
	{ "env -C dir program", "Dp" },
	{ "env -P path program", "Sp" },
	{ "env -S two", "p" },
	{ "nice -n 5 program -n data", "vp" },
	{ "timeout -k 5 10 program", "vdp" },
	{ "find data -exec program {} ; -print", "dpdd" },
	{ "find data -execdir sh script ;", "duddd" },
	{ "chroot dir program", "ud" },
	{ "busybox sh script data", "sd" },
	{ "busybox", "" },
	{ "busybox cat data -x", "dd" },
	{ "busybox busybox nice -n 5 program", "vp" },
	{ "python3 -m module data -x", "tdd" },
	{ "python3 -mmodule data", "td" },
	{ "python3 -Im pdb any", "ta" },
	{ "python3 -mrunpy any", "ta" },
	{ "tar -czf data data -C data", "ddd" },
	{ "tar -I /value -cf data data", "vdd" },
	{ "tar -I code -cf data data", "hdd" },
	{ "tar --use-comp=code -cf data", "hd" },
	{ "ssh -i data -oValue host data", "dvdd" },
	{ "rsync -ae code data", "hd" },
	{ "curl -o data --what -sK value", "ddv" },
	{ "curl -- -K data", "dd" },
	{ "ssh-agent -t 5 program data", "vp" },
	{ "launchctl asuser 501 program data", "dp" },
	{ "launchctl load any", "aa" },
	{ "java -jar any any", "aa" },
	{ "su - user script data", "dsd" },
};

TEST(each_word_has_its_role)
{
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(roles_of(known[i].command), known[i].roles) != 0)
			fail_msg("%s: %s", known[i].command, roles_of(known[i].command));
}

TEST(some_obey_what_lies_in_home)
{
	static const char *const obey[] = { "zsh", "python3", "git", "curl" };
	static const char *const none[] = { "sh", "perl", "nice", "tar" };
	char *const args[] = { NULL };
	struct codewords c;
	size_t i;

	for (i = 0; i < 4; i++) {
		assert_true(codewords_begin(&c, obey[i], args));
		assert_true(codewords_obeys_home(&c));
		assert_true(codewords_begin(&c, none[i], args));
		assert_false(codewords_obeys_home(&c));
	}
}

TEST(variables_that_loaders_obey_are_known)
{
	assert_true(codewords_loads("LD_PRELOAD=/x"));
	assert_true(codewords_loads("DYLD_ANYTHING=/x"));
	assert_true(codewords_loads("ENV=/x"));
	assert_false(codewords_loads("ENVIRONMENT=/x"));
	assert_false(codewords_loads("LD=/x"));
	assert_false(codewords_loads("=/x"));
}

/* Words that mean something, in any order. */
static const char *
random_word(void)
{
	static const char *const words[] = { "sh", "env", "find", "busybox", "sed", "su",
		"timeout", "perl", "nice", "-", "--", "-c", "-e", "-i", "-S", "-x", "+o",
		"-o", "-n", "--what", "--chdir", "--rcfile=/x", "-I/x", "-exec",
		"-execdir", ";", "+", "{}", "/x", "x", "A=b", "", "-pe", "-0777ne",
		"--split-string", "tar", "curl", "-K", "python3", "-m", "-mpdb" };

	return words[(size_t)rand() % (sizeof(words) / sizeof(words[0]))];
}

/* Every word counts once, in order, and a program's words are its own. */
TEST(any_words_come_to_an_end)
{
	char *argv[16];
	struct codewords c;
	struct codeword w;
	char *const *at;
	size_t n, i, round, given;

	srand((unsigned)test_seed());
	for (round = 0; round < 100000; round++) {
		n = (size_t)rand() % 15;
		for (i = 0; i < n; i++)
			argv[i] = xstrdup(random_word());
		argv[n] = NULL;
		given = 0;
		at = argv;
		if (n > 0 && codewords_begin(&c, argv[0], argv + 1))
			while (codewords_next(&c, &w)) {
				assert_true(w.word >= at && w.word < argv + n);
				assert_true(w.word + w.n <= argv + n);
				assert_non_null(w.text);
				at = w.word + 1;
				assert_true(++given < n);
			}
		for (i = 0; i < n; i++)
			free(argv[i]);
	}
}
