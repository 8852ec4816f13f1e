/* SPDX-License-Identifier: MIT */
#ifndef TRUST_BOX_H
#define TRUST_BOX_H

/*
 * What the tests of trust share: a sandbox of real files. In every text `@` stands
 * for it, so that a test reads like the tree it makes.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "test.h"
#include "trust/cmdline.h"

#define STRANGER 12345 /* a uid that is neither root nor ours */

static char sandbox[PATH_MAX];
static struct trust trust;
/* What begins every program of this system. */
#if defined(__APPLE__)
#define PROGRAM "\xcf\xfa\xed\xfe"
#else
#define PROGRAM "\177ELF"
#endif

static struct trust_verdict verdict;
static struct cmdline line;        /* its argv and admin are judge's */
static struct strv paths, exposed; /* of the last verdict */

/* text with the sandbox for each @; good for 32 calls. */
static inline const char *
at(const char *text)
{
	static char ring[32][8192];
	static unsigned next;
	char *out = ring[next++ % 32];
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (*text == '@')
			n += (size_t)snprintf(out + n, 8192 - n, "%s", sandbox);
		else
			out[n++] = *text;
		assert_true(n < 8192);
	}
	out[n] = '\0';
	return out;
}

static inline void
make_dir(const char *path, mode_t mode)
{
	assert_int_equal(mkdir(at(path), 0700), 0);
	assert_int_equal(chmod(at(path), mode), 0);
}

static inline void
make_file(const char *path, mode_t mode, const char *content)
{
	FILE *f = fopen(at(path), "w");

	assert_non_null(f);
	fputs(at(content), f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(at(path), mode), 0);
}

static inline void
make_link(const char *target, const char *path)
{
	assert_int_equal(symlink(at(target), at(path)), 0);
}

static inline void
give_away(const char *path)
{
	assert_int_equal(lchown(at(path), STRANGER, STRANGER), 0);
}

static inline void
need_root(void)
{
	if (geteuid() != 0) {
		print_message("skipped: only root can give files away\n");
		skip();
	}
}

/* Programs of these names, separated by spaces, in @/bin. */
static inline void
make_programs(const char *names)
{
	char list[1024], path[64], *name, *save = NULL;

	snprintf(list, sizeof(list), "%s", names);
	for (name = strtok_r(list, " ", &save); name != NULL;
	     name = strtok_r(NULL, " ", &save)) {
		snprintf(path, sizeof(path), "@/bin/%s", name);
		make_file(path, 0755, PROGRAM);
	}
}

/* Judges a command; its words are separated by a space, and ~ is a space in one. */
static inline bool
judge(const char *command, bool admin)
{
	char text[8192], *argv[64], *save = NULL, *word;
	size_t n = 0;

	snprintf(text, sizeof(text), "%s", at(command));
	for (word = strtok_r(text, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save)) {
		argv[n++] = word;
		for (; *word != '\0'; word++)
			*word = *word == '~' ? ' ' : *word;
	}
	argv[n] = NULL;
	strcpy(verdict.why, "nothing was said");
	strcpy(verdict.resolved, "nothing was resolved");
	strv_clear(&paths);
	strv_clear(&exposed);
	verdict.paths = &paths;
	verdict.exposed = &exposed;
	line.argv = argv;
	line.admin = admin;
	return trust_command(&trust, &line, &verdict);
}

static inline void
accepts(const char *command)
{
	if (!judge(command, false))
		fail_msg("%s refused: %s", command, verdict.why);
	assert_false(verdict.missing);
}

static inline void
refuses(const char *command, const char *sentence)
{
	if (judge(command, false))
		fail_msg("%s was accepted", command);
	assert_string_equal(verdict.why, at(sentence));
	assert_false(verdict.missing);
}

static inline void
misses(const char *command, const char *sentence)
{
	if (judge(command, false))
		fail_msg("%s was accepted", command);
	assert_string_equal(verdict.why, at(sentence));
	assert_true(verdict.missing);
}

SET_UP
{
	make_sandbox(sandbox);
	chmod(sandbox, 0755);
	umask(022);
	trust = (struct trust){ .owner = geteuid() };
	line = (struct cmdline){ .as_root = true };
	make_dir("@/bin", 0755);
	make_file("@/bin/tool", 0755, "\177ELF");
	/* Nothing here may block: a test that does is killed. */
	alarm(60);
}

TEAR_DOWN
{
	remove_tree(sandbox);
}

#endif
