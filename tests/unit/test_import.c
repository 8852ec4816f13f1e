/* SPDX-License-Identifier: MIT */
/*
 * Plists with hostile bytes in paths and arguments: what import prints of them is
 * a rule file without an error, and says the same paths and words. What it says
 * of particular plists is in tests/plist.
 */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rules/conf.h"
#include "base/options.h"
#include "cmd/command.h"
#include "rules/pattern.h"
#include "rules/rule.h"
#include "base/util.h"
#include "test.h"

#define PLISTS 40

static char dir[SANDBOX_SIZE];

/* What one plist is made of. */
static struct job {
	char *file, *path;
	struct strv words;
} jobs[PLISTS];

SET_UP
{
	make_sandbox(dir);
}

TEAR_DOWN
{
	remove_tree(dir);
}

/* Bytes that mean something to a shell, to INI files or to fnmatch(3). */
static char *
hostile(const char *start, int most)
{
	static const char *const bits[] = { "a", "b", " ", "  ", "\t", "$", "$HOME",
		"${x}", "$(x)", "`", "~", "*", "**", "?", "[", "]", "[a]", "!", "^", "{",
		"}", "{a,b}", ",", ";", " ;", "#", " #", "|", "&", "<", ">", "(", ")",
		":", "/", "/~", " /", "\\", "'", "\"", "%20", "=", "-", "+", "\xc3\xbc",
		"\xe2\x80\x94", "\xe2\x80\x9c", "\xc2\xa0", "user = root", "." };
	struct buf b = { NULL, 0, 0 };
	int n = rand() % most;

	buf_adds(&b, start);
	while (n-- > 0)
		buf_adds(&b, bits[(size_t)rand() % NELEM(bits)]);
	return b.p;
}

/* A path as launchd and the kernel take it: slashes are one, and none at the end. */
static char *
bare_path(const char *path)
{
	struct buf b = { NULL, 0, 0 };

	for (; *path != '\0'; path++)
		if (*path != '/' || b.len == 0 || b.p[b.len - 1] != '/')
			buf_add(&b, path, 1);
	while (b.len > 1 && b.p[b.len - 1] == '/')
		b.p[--b.len] = '\0';
	return b.p;
}

static void
put_string(FILE *f, const char *s)
{
	fputs("<string>", f);
	for (; *s != '\0'; s++)
		switch (*s) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>': /* "]]>" is an error in XML */
			fputs("&gt;", f);
			break;
		case '\t':
			fputs("&#9;", f);
			break;
		default:
			putc(*s, f);
		}
	fputs("</string>", f);
}

static void
write_plist(struct job *j, size_t nth)
{
	FILE *f;
	size_t i;

	j->file = xasprintf("%s/%zu.plist", dir, nth);
	f = fopen(j->file, "w");
	assert_non_null(f);
	fprintf(f,
	    "<plist version=\"1.0\"><dict><key>Label</key><string>job%02zu</string>"
	    "<key>WatchPaths</key><array>",
	    nth);
	put_string(f, j->path);
	fputs("</array><key>ProgramArguments</key><array>", f);
	for (i = 0; i < j->words.n; i++)
		put_string(f, j->words.v[i]);
	fputs("</array></dict></plist>", f);
	assert_int_equal(fclose(f), 0);
}

/* Is a component of it . or .., which no rule takes? */
static bool
has_dots(const char *path)
{
	return strstr(path, "/./") != NULL || strstr(path, "/../") != NULL ||
	       strcmp(strrchr(path, '/'), "/.") == 0 ||
	       strcmp(strrchr(path, '/'), "/..") == 0;
}

static void
make_job(struct job *j, size_t nth)
{
	char *path;
	int n;

	*j = (struct job){ .path = NULL };
	do {
		free(j->path);
		j->path = hostile("/", 12);
		path = bare_path(j->path);
		n = has_dots(path);
		free(path);
	} while (n);
	strv_push(&j->words, hostile("/bin/p", 3));
	for (n = rand() % 5; n > 0; n--)
		strv_push(&j->words, hostile("", 8));
	write_plist(j, nth);
}

/* Calls import with all of them; its output is in a file. */
static char *
import_all(void)
{
	char *out = xasprintf("%s/out.ini", dir), *plists[PLISTS + 1] = { NULL };
	struct options none = { .root = NULL };
	int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600), status;
	size_t i;
	pid_t pid;

	assert_true(fd != -1);
	for (i = 0; i < PLISTS; i++)
		plists[i] = jobs[i].file;
	pid = fork();
	assert_true(pid != -1);
	if (pid == 0) {
		dup2(fd, STDOUT_FILENO);
		status = import_main(&none, plists);
		fflush(stdout);
		_exit(status);
	}
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return out;
}

static void
check_rule(const struct rule *r, const struct job *j)
{
	char *path = pattern_path(r->watch[0].path), *bare = bare_path(j->path);
	size_t i;

	assert_int_equal(r->nwatch, 1);
	if (path == NULL || strcmp(path, bare) != 0)
		fail_msg("%s: watch = %s", j->path, r->watch[0].text);
	assert_int_equal(r->nactions, 1);
	assert_int_equal(r->actions[0].argv.n, j->words.n);
	for (i = 0; i < j->words.n; i++)
		assert_string_equal(r->actions[0].argv.v[i], j->words.v[i]);
	free(path);
	free(bare);
}

TEST(hostile_paths_and_words_come_through)
{
	struct conf c;
	char *out;
	size_t i;
	int round;

	for (round = 0; round < 50; round++) {
		for (i = 0; i < PLISTS; i++)
			make_job(&jobs[i], i);
		out = import_all();
		c = (struct conf){ .nrules = 0 };
		assert_int_equal(conf_read_file(&c, out, NULL), 0);
		for (i = 0; i < c.ndiags; i++)
			if (c.diags[i].severity == DIAG_ERROR)
				fail_msg("%d: %s", c.diags[i].line, c.diags[i].message);
		assert_int_equal(c.nrules, PLISTS);
		for (i = 0; i < PLISTS; i++) {
			check_rule(c.rules[i], &jobs[i]);
			free(jobs[i].file);
			free(jobs[i].path);
			strv_clear(&jobs[i].words);
		}
		conf_clear(&c);
		free(out);
	}
}

SET_UP_ALL
{
	srand((unsigned)test_seed());
}
