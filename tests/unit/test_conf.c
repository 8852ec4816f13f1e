/* SPDX-License-Identifier: MIT */
/*
 * Rule files as the daemon gets them: what a good one becomes, what remains of a
 * refused one, and that a printed rule is read back as the same rule. The
 * wording of findings is in tests/conf.
 */

#include <dlfcn.h>
#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rules/conf.h"
#include "rules/value.h"
#include "run/findings.h"
#include "rules/keys.h"
#include "trust/trust.h"
#include "base/util.h"
#include "test.h"

#define GOOD "watch=/a\naction=/b\n"

static char dir[SANDBOX_SIZE];
static uint64_t seed;
static bool inih_fails; /* when it has read everything */

/* What is needed of the library, lest the linker leave it out. */
int (*const needs_inih)(const char *, ini_handler, void *) = ini_parse_string;

/* inih, by a definition that the linker prefers to the library's. */
int
ini_parse_stream(ini_reader reader, void *stream, ini_handler handler, void *user)
{
	int (*real)(ini_reader, void *, ini_handler, void *);
	int status;

	*(void **)&real = dlsym(RTLD_NEXT, "ini_parse_stream");
	status = real(reader, stream, handler, user);
	return inih_fails ? -2 : status;
}

static char *
write_file(const char *name, const char *text, size_t n)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *f;

	/* ext4 waits for the disk when a file is emptied and written anew. */
	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	return path;
}

static void
read_text(struct conf *c, const char *text, size_t n)
{
	char *path = write_file("one.ini", text, n);

	assert_int_equal(conf_read_file(c, path, NULL), 0);
	free(path);
}

/* Puts one file into the directory conf.d, which read_dir reads. */
static void
put(const char *name, const char *text)
{
	char *path = xasprintf("conf.d/%s", name);

	free(write_file(path, text, strlen(text)));
	free(path);
}

static int
read_dir(struct conf *c)
{
	char *path = xasprintf("%s/conf.d", dir);
	int ret = conf_read_dir(c, path, NULL);

	free(path);
	return ret;
}

SET_UP
{
	char *path;

	alarm(300);
	make_sandbox(dir);
	path = xasprintf("%s/conf.d", dir);
	must(mkdir(path, 0700));
	free(path);
}

TEAR_DOWN
{
	alarm(0);
	remove_tree(dir);
}

static void
fail_with_diags(const struct conf *c, const char *text)
{
	size_t i;

	for (i = 0; i < c->ndiags; i++)
		print_error("%s:%d: %s\n", c->diags[i].file, c->diags[i].line,
		    c->diags[i].message);
	fail_msg("%s", text);
}

TEST(one_file_may_hold_many_rules)
{
	static const char text[] = "[a]\n" GOOD "[b]\n" GOOD "settle=2s\n";
	struct conf c = { .nrules = 0 };

	read_text(&c, text, strlen(text));
	assert_int_equal(conf_errors(&c), 0);
	assert_int_equal(c.nrules, 2);
	assert_string_equal(c.rules[0]->name, "a");
	assert_int_equal(c.rules[0]->line, 1);
	assert_string_equal(c.rules[1]->name, "b");
	assert_int_equal(c.rules[1]->line, 4);
	assert_int_equal(c.rules[1]->policy.settle_ms, 2000);
	assert_int_equal(c.rules[1]->actions[0].line, 6);
	conf_clear(&c);
}

TEST(a_file_with_an_error_gives_no_rule_and_no_setting)
{
	static const char text[] =
	    "[daemon]\nmax-running=3\n[a]\n" GOOD "[b]\nwatch=/a\n";
	struct conf c = { .nrules = 0 };

	read_text(&c, text, strlen(text));
	assert_int_equal(conf_errors(&c), 1);
	assert_int_equal(c.nrules, 0);
	assert_int_equal(c.settings.max_running, 16);
	assert_non_null(c.settings_file);
	conf_clear(&c);
}

TEST(a_good_file_beside_a_refused_one_counts)
{
	struct conf c = { .nrules = 0 };

	put("b.ini", "[daemon]\nmax-running = 3\n[b]\n" GOOD);
	put("a.ini", "[a]\nwatch=/a\n");
	put("c.ini", "[c]\n" GOOD);
	put("c.ini.off", "[off]\nrubbish\n");
	put(".d.ini", "[hidden]\nrubbish\n");
	put(".ini", "[hidden]\nrubbish\n");
	assert_int_equal(read_dir(&c), 0);
	assert_int_equal(conf_errors(&c), 1);
	assert_string_equal(c.diags[0].file, "a.ini");
	assert_int_equal(c.nrules, 2);
	assert_string_equal(c.rules[0]->file, "b.ini");
	assert_string_equal(c.rules[1]->file, "c.ini");
	assert_int_equal(c.settings.max_running, 3);
	assert_string_equal(c.settings_file, "b.ini");
	assert_int_equal(c.files.n, 3);
	conf_clear(&c);
}

TEST(files_that_are_not_read_are_named_and_not_without_end)
{
	struct conf c = { .nrules = 0 };
	char name[16];
	int i;

	put("a.ini.off", "");
	put("a.ini~", "");
	put("#a.ini#", "");
	put("a.ini.bak", "");
	put("a.ini.orig", "");
	put(".a.conf", "");
	for (i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "%02d.conf", i);
		put(name, "");
	}
	assert_int_equal(read_dir(&c), 0);
	assert_int_equal(conf_errors(&c), 0);
	assert_int_equal(c.files.n, 0);
	assert_int_equal(c.ndiags, 21);
	assert_string_equal(c.diags[0].file, "00.conf");
	assert_int_equal(c.diags[0].line, 0);
	assert_string_equal(
	    c.diags[0].message, "not read: the name of a rule file ends in .ini");
	assert_string_equal(c.diags[20].file, "20.conf");
	assert_string_equal(c.diags[20].message, "not read either, nor are 9 more files");
	conf_clear(&c);
}

TEST(a_name_in_a_refused_file_is_taken_all_the_same)
{
	struct conf c = { .nrules = 0 };

	put("a.ini", "[x]\nwatch=/a\n");
	put("b.ini", "[x]\n" GOOD);
	assert_int_equal(read_dir(&c), 0);
	assert_int_equal(c.nrules, 0);
	assert_int_equal(conf_errors(&c), 2);
	assert_string_equal(c.diags[1].file, "b.ini");
	assert_string_equal(c.diags[1].message, "section [x] is already in a.ini:1");
	conf_clear(&c);
}

TEST(a_missing_file_or_directory_is_a_finding)
{
	struct conf c = { .nrules = 0 };

	assert_int_equal(conf_read_file(&c, "/nonexistent/a.ini", NULL), -1);
	assert_int_equal(conf_read_dir(&c, "/nonexistent", NULL), -1);
	assert_int_equal(conf_errors(&c), 2);
	assert_int_equal(c.diags[0].line, 0);
	assert_int_equal(c.settings.max_running, 16);
	conf_clear(&c);
}

TEST(a_directory_or_a_link_is_not_a_rule_file)
{
	struct conf c = { .nrules = 0 };
	char *path = xasprintf("%s/conf.d/d.ini", dir);
	char *link = xasprintf("%s/conf.d/l.ini", dir);
	char *fifo = xasprintf("%s/conf.d/f.ini", dir);

	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(symlink("/dev/null", link), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(read_dir(&c), 0);
	assert_int_equal(conf_errors(&c), 3);
	free(path);
	free(link);
	free(fifo);
	conf_clear(&c);
}

TEST(a_file_that_inih_fails_on_is_refused)
{
	struct conf c = { .nrules = 0 };

	inih_fails = true;
	read_text(&c, "[a]\n" GOOD, strlen("[a]\n" GOOD));
	inih_fails = false;
	assert_int_equal(conf_errors(&c), 1);
	assert_string_equal(c.diags[0].message, "this file cannot be read");
	assert_int_equal(c.nrules, 0);
	conf_clear(&c);
}

static void
count_open(void *arg, const struct rule *rule, int line, const char *text)
{
	size_t *n = arg;

	(void)rule;
	(void)line;
	*n += strstr(text, "everyone may write to /open/") != NULL;
}

/* How often that is found of a rule that watches this path below the directory. */
static size_t
warnings_of(const char *watch, const char *root)
{
	struct strv remote = { NULL, 0 };
	struct trust trust = { .root = root, .owner = geteuid() };
	struct findings f = { .trust = &trust, .root = root, .remote = &remote };
	struct conf c = { .rules = NULL };
	char *text = xasprintf("[a]\nwatch=%s\naction=/b\n", watch);
	char *path = write_file("one.ini", text, strlen(text));
	size_t n = 0;

	assert_int_equal(conf_read_file(&c, path, NULL), 0);
	findings_each(&f, c.rules[0], count_open, &n);
	findings_clear(&f);
	conf_clear(&c);
	free(path);
	free(text);
	return n;
}

TEST(where_everyone_may_write_is_asked_of_what_exists)
{
	char *open = xasprintf("%s/open", dir), *loop = xasprintf("%s/loop", open),
	     *file = xasprintf("%s/file", open);

	assert_int_equal(mkdir(open, 0700), 0);
	assert_int_equal(chmod(open, 01777), 0);
	assert_int_equal(symlink("loop", loop), 0);
	free(write_file("open/file", "", 0));
	assert_int_equal(warnings_of("/open/f", dir), 1);
	assert_int_equal(warnings_of("/open/a/b/c", dir), 1);
	assert_int_equal(warnings_of("/open/file/f", dir), 1);
	/* Nobody can tell where that leads. */
	assert_int_equal(warnings_of("/open/loop/f", dir), 0);
	assert_int_equal(warnings_of("/a/b", "/nonexistent"), 0);
	free(open);
	free(loop);
	free(file);
}

/* Does fn, which returns 0, as a user for whom modes count, and who owns dir. */
static void
as_ordinary_user(int (*fn)(void))
{
	char *conf_d = xasprintf("%s/conf.d", dir);
	int status;
	pid_t pid;

	assert_int_equal(chown(dir, geteuid() == 0 ? 65534 : (uid_t)-1, (gid_t)-1), 0);
	assert_int_equal(chown(conf_d, geteuid() == 0 ? 65534 : (uid_t)-1, (gid_t)-1), 0);
	free(conf_d);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(geteuid() == 0 && (setgid(65534) == -1 || setuid(65534) == -1)
			  ? 125
			  : fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Does conf.d with this mode say that it is the rights that are missing? */
static bool
is_denied(mode_t mode)
{
	struct trust trust = { .owner = geteuid() };
	struct conf c = { .nrules = 0 };
	char *path = xasprintf("%s/conf.d", dir);
	bool denied = chmod(path, mode) == 0 && conf_read_dir(&c, path, &trust) == -1 &&
		      conf_errors(&c) == 1 && c.denied;

	conf_clear(&c);
	free(path);
	return denied;
}

static int
deny_directories(void)
{
	int bad = 0;

	/* Not to be read, and one of them not to be trusted either. */
	bad |= is_denied(0300) ? 0 : 1;
	bad |= is_denied(0333) ? 0 : 2;
	bad |= is_denied(0733) ? 4 : 0;
	return bad;
}

TEST(a_directory_that_may_not_be_read_says_so)
{
	as_ordinary_user(deny_directories);
}

TEST(more_than_a_mebibyte_is_refused)
{
	const size_t max = (size_t)1 << 20;
	char *text = xcalloc(1, max + 1);
	struct conf c = { .nrules = 0 };

	memset(text, '\n', max + 1);
	memcpy(text, "[a]\n" GOOD, strlen("[a]\n" GOOD));
	read_text(&c, text, max);
	assert_int_equal(conf_errors(&c), 0);
	assert_int_equal(c.nrules, 1);
	conf_clear(&c);
	read_text(&c, text, max + 1);
	assert_int_equal(conf_errors(&c), 1);
	assert_int_equal(c.nrules, 0);
	conf_clear(&c);
	free(text);
}

TEST(no_byte_breaks_the_reader)
{
	char text[] = "[a]\nwatch=/a?-b\naction=/b\n";
	struct conf c = { .nrules = 0 };
	char *at = strchr(text, '?');
	int byte, good;

	for (byte = 0; byte < 256; byte++) {
		*at = (char)byte;
		read_text(&c, text, sizeof(text) - 1);
		good = byte == '\t' || (byte >= ' ' && byte < 0x7f && byte != '[');
		if (byte == '\n' || byte == '`')
			good = 0;
		if ((c.nrules == 1) != good)
			fail_msg("byte %#x", byte);
		if (good && c.rules[0]->watch[0].path[2] != byte)
			fail_msg("byte %#x: %s", byte, c.rules[0]->watch[0].path);
		conf_clear(&c);
	}
}

TEST(a_line_of_198_bytes_is_the_longest)
{
	char text[512];
	struct conf c = { .nrules = 0 };
	size_t n;

	for (n = 190; n < 210; n++) {
		snprintf(text, sizeof(text), "[a]\r\naction=/b\r\nwatch=/%0*d\r\n",
		    (int)n - 7, 1);
		read_text(&c, text, strlen(text));
		assert_int_equal(c.nrules, n <= 198);
		if (n <= 198)
			assert_int_equal(strlen(c.rules[0]->watch[0].path), n - 6);
		conf_clear(&c);
	}
}

TEST(warnings_without_end_refuse_nothing)
{
	struct buf b = { NULL, 0, 0 };
	struct conf c = { .nrules = 0 };
	int i;

	for (i = 0; i < 1500; i++)
		buf_addf(&b, "[r%d]\nwhile-running=ignore\n" GOOD, i);
	read_text(&c, b.p, b.len);
	assert_int_equal(conf_errors(&c), 0);
	assert_int_equal(c.ndiags, 1001);
	assert_int_equal(c.nrules, 1500);
	conf_clear(&c);
	buf_clear(&b);
}

TEST(endless_mistakes_give_a_thousand_findings)
{
	struct buf b = { NULL, 0, 0 };
	struct conf c = { .nrules = 0 };
	int i;

	for (i = 0; i < 5000; i++)
		buf_adds(&b, "[x]\n");
	read_text(&c, b.p, b.len);
	assert_int_equal(c.ndiags, 1001);
	conf_clear(&c);
	buf_clear(&b);
}

/* Random rules. */

static uint64_t
draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % below;
}

static const char *
pick(const char *const *from, size_t n)
{
	return from[draw(n)];
}

/* Bytes that mean something somewhere, in any order. */
static void
add_noise(struct buf *b, size_t max)
{
	static const char *const bits[] = { "a", "b", "/", " ", "  ", "\t", "'", "\"",
		"\\", ";", " ;", "#", " #", "=", ":", "[", "]", "*", "?", "$", "\xc3\xbc",
		"user", "settle=", ".", "-", "|", "\xc2\xa0", "\xe2\x80\x9d", "'a b'",
		"\"c d\"" };
	size_t n = draw(max) + 1;

	while (b->len < n)
		buf_adds(b, pick(bits, NELEM(bits)));
}

static void
add_value(struct buf *b, const char *key)
{
	static const char *const words[] = { "yes", "no", "0", "1", "7", "019", "022",
		"250ms", "90", "60s", "1h", "36h", "4k", "1023", "forever", "create",
		"delete modify", "attributes  create", "never", "new", "always",
		"changed", "ignore", "rerun", "admin", "strict", "-3", "root", "mdm",
		"3 4  5" };
	static const char *const starts[] = { "/", "/a", "/Library/", "", "A=", "'/b c'",
		"/p '", "/p \"" };

	if (draw(3) != 0 && strcmp(key, "watch") != 0 && strcmp(key, "action") != 0) {
		buf_adds(b, pick(words, NELEM(words)));
		return;
	}
	buf_adds(b, pick(starts, NELEM(starts)));
	add_noise(b, draw(4) == 0 ? 210 : 20);
}

/* Any key of the table; settle-max only as random_rule gives it: it must be enough. */
static const char *
random_key(void)
{
	static const char *const lists[] = { "watch", "action", "environment" };
	const char *key = value_rule_keys.keys[draw(value_rule_keys.n)].name;

	return draw(8) == 0 || strcmp(key, "settle-max") == 0 ? pick(lists, NELEM(lists))
							      : key;
}

static struct rule *
random_rule(void)
{
	struct rule *r = rule_new("random", "one.ini", 1);
	struct buf b = { NULL, 0, 0 };
	char why[RULE_WHY_SIZE];
	const char *key;
	int i, ok;

	rule_set(r, "watch", "/w", 1, why);
	rule_set(r, "action", "/p", 1, why);
	if (draw(2) == 0)
		rule_set(r, "settle-max", "7d", 1, why);
	for (i = 0; i < 60; i++) {
		key = random_key();
		add_value(&b, key);
		ok = rule_set(r, key, b.p, 1, why);
		buf_clear(&b);
		while (ok == 0 && draw(3) == 0) {
			add_noise(&b, draw(8) == 0 ? 210 : 12);
			ok = rule_continue(r, key, b.p, 1, why);
			buf_clear(&b);
		}
	}
	return r;
}

TEST(a_printed_rule_is_read_back_as_the_same_rule)
{
	struct buf out = { NULL, 0, 0 }, again = { NULL, 0, 0 };
	struct conf c = { .nrules = 0 };
	struct rule *r;
	const char *line;
	int i;

	for (i = 0; i < 2000; i++) {
		r = random_rule();
		rule_print(r, &out);
		for (line = out.p; *line != '\0'; line += strcspn(line, "\n") + 1)
			assert_true(strcspn(line, "\n") <= RULE_LINE_MAX);
		read_text(&c, out.p, out.len);
		if (c.nrules != 1 || !rule_equal(c.rules[0], r))
			fail_with_diags(&c, out.p);
		rule_print(c.rules[0], &again);
		assert_string_equal(out.p, again.p);
		buf_clear(&out);
		buf_clear(&again);
		conf_clear(&c);
		rule_free(r);
	}
}

TEST(printed_settings_are_read_back_the_same)
{
	static const char text[] =
	    "[daemon]\nmax-running=7\nrecheck=0\nlog-level=debug\n";
	struct buf out = { NULL, 0, 0 };
	struct conf c = { .nrules = 0 };
	struct settings s;

	read_text(&c, text, strlen(text));
	s = c.settings;
	settings_print(&s, &out);
	conf_clear(&c);
	read_text(&c, out.p, out.len);
	assert_int_equal(conf_errors(&c), 0);
	assert_int_equal(c.settings.max_running, 7);
	assert_int_equal(c.settings.recheck_ms, 0);
	assert_int_equal(c.settings.log_level, 3);
	buf_clear(&out);
	conf_clear(&c);
}

/* Lines in any order: whatever is taken can be printed and taken again. */
TEST(whatever_is_taken_can_be_printed_and_taken_again)
{
	static const char *const lines[] = { "[a]\n", "[b]\n", "[daemon]\n", "watch=/a\n",
		"watch = /b*\n", "action=/b 'c'\n", "  d\n", "  /e\n", "\n", "; c\n",
		" # c\n", "settle=2\n", "on = create ; c\n", "  modify\n", "retry=1\n",
		"max-running=2\n", "environment=A=b\n", "\tB=c\n", "success=1 2\r\n",
		"lock=x\n", "nice=-1\n", "umask=7\n", "directory=/x ; y\n", "  [x]\n",
		"[c] ; d\n", "verify='/x' \"y\"\n", "description=a #b\n" };
	struct buf text = { NULL, 0, 0 }, out = { NULL, 0, 0 };
	struct conf c = { .nrules = 0 }, again = { .nrules = 0 };
	size_t i, taken = 0;
	int round;

	for (round = 0; round < 5000; round++) {
		buf_adds(&text, "[z]\n" GOOD);
		for (i = draw(6); i > 0; i--)
			buf_adds(&text, pick(lines, NELEM(lines)));
		read_text(&c, text.p, text.len);
		for (i = 0; i < c.nrules; i++)
			rule_print(c.rules[i], &out);
		if (out.len != 0)
			read_text(&again, out.p, out.len);
		if (again.nrules != c.nrules)
			fail_with_diags(&again, text.p);
		for (i = 0; i < c.nrules; i++)
			assert_true(rule_equal(c.rules[i], again.rules[i]));
		taken += c.nrules;
		conf_clear(&c);
		conf_clear(&again);
		buf_clear(&text);
		buf_clear(&out);
	}
	assert_true(taken > 1000);
}

/* Errors are found independently of each other. */

static const struct {
	const char *text, *key; /* what the line is about, with its section */
	bool head;              /* indented lines below belong to it */
} sound[] = {
	{ "[alpha]", "alpha", false },
	{ "description = first rule", "alpha description", false },
	{ "watch = /Volumes/a", "alpha watch", true },
	{ "  /b", "alpha watch", false },
	{ "; a comment", "", false },
	{ "  /c", "alpha watch", false },
	{ "on = create delete", "alpha on", false },
	{ "action = /usr/bin/act one", "alpha action", true },
	{ "  two 'and three'", "alpha action", false },
	{ "  four", "alpha action", false },
	{ "success = 0 1", "alpha success", true },
	{ "  2", "alpha success", false },
	{ "settle = 2s", "alpha settle", false },
	{ "settle-max = 1m", "alpha settle", false },
	{ "environment = A=1", "alpha environment", true },
	{ "  B=2", "alpha environment", false },
	{ "user = nobody", "alpha user", false },
	{ "[beta]", "beta", false },
	{ "verify = /usr/bin/v x", "beta verify", false },
	{ "watch = /d", "beta watch", false },
	{ "action = /usr/bin/act", "beta action", false },
	{ "lock = mdm", "beta lock", false },
	{ "directory = /tmp", "beta directory", false },
	{ "[daemon]", "daemon", false },
	{ "max-running = 3", "daemon max-running", false },
	{ "recheck = 1h", "daemon recheck", false },
};

/* The line, damaged in one of several ways; or as it is, where that would move
 * other lines to another key or section. */
static char *
damage(size_t i, uint64_t how)
{
	const char *text = sound[i].text, *sep = strchr(text, '=');
	bool header = text[0] == '[';

	switch (how) {
	case 0:
		return xasprintf("%s \001", text);
	case 1:
		return xasprintf("%s %0*d", text, 250, 1);
	case 2:
		return xasprintf("%s ;x", text);
	case 3:
		return xasprintf("%s \xff", text);
	case 4:
		return xasprintf("%s'", text);
	case 5:
		return xasprintf("%s | x", text);
	case 6:
		return xasprintf("  %s", text);
	case 7:
		return xstrdup(header ? "[alpha" : "foo");
	case 8:
		return xasprintf(header ? "%s x" : "x%s", text);
	case 9:
		if (sep != NULL)
			return xasprintf("%.*s:%s", (int)(sep - text), text, sep + 1);
		break;
	case 10:
		if (sep != NULL)
			return xasprintf("%.*s= ?", (int)(sep - text), text);
		break;
	case 11:
		if (!header && !sound[i].head)
			return xstrdup("");
		break;
	default:
		if (sep != NULL)
			return xasprintf("%.*s%s", (int)(sep - text), text, sep + 1);
	}
	return xstrdup(text);
}
#define DAMAGES 13

/* Reads the text with the lines a and b in place of what they were, or NULL. */
static void
read_damaged(struct conf *c, size_t i, const char *a, size_t j, const char *b)
{
	struct buf text = { NULL, 0, 0 };
	size_t k;

	for (k = 0; k < NELEM(sound); k++)
		buf_addf(&text, "%s\n",
		    k == i && a != NULL   ? a
		    : k == j && b != NULL ? b
					  : sound[k].text);
	read_text(c, text.p, text.len);
	buf_clear(&text);
}

static bool
has_diag(const struct conf *c, const struct diag *d)
{
	size_t i;

	for (i = 0; i < c->ndiags; i++)
		if (c->diags[i].line == d->line && c->diags[i].severity == d->severity &&
		    strcmp(c->diags[i].message, d->message) == 0)
			return true;
	return false;
}

/* Has c all that was found in one, but for what is found without damage? */
static void
check_found(const struct conf *c, const struct conf *one, const struct conf *none,
    const char *a, const char *b)
{
	size_t i;

	for (i = 0; i < one->ndiags; i++)
		if (!has_diag(none, &one->diags[i]) && !has_diag(c, &one->diags[i])) {
			print_error(
			    "lost: %d: %s\n", one->diags[i].line, one->diags[i].message);
			print_error("with: %s\nand:  %s\n", a, b);
			fail_with_diags(c, "a finding hides another one");
		}
}

/* Are two lines about one key, about [daemon], or a watched volume and `on`? */
static bool
are_related(size_t i, size_t j)
{
	const char *a = sound[i].key, *b = sound[j].key;
	bool daemon = strncmp(a, "daemon", 6) == 0 && strncmp(b, "daemon", 6) == 0;
	bool volume = strncmp(a, "alpha", 5) == 0 && strncmp(b, "alpha", 5) == 0 &&
		      (strstr(a, " on") != NULL || strstr(b, " on") != NULL) &&
		      (strstr(a, " watch") != NULL || strstr(b, " watch") != NULL);

	return strcmp(a, b) == 0 || daemon || volume;
}

TEST(what_is_found_in_one_line_is_found_whatever_another_has)
{
	struct conf none = { .nrules = 0 }, c = { .nrules = 0 };
	struct conf one = { .nrules = 0 }, other = { .nrules = 0 };
	size_t i, j, tried = 0;
	char *a, *b;
	int round;

	read_damaged(&none, 0, NULL, 0, NULL);
	assert_int_equal(conf_errors(&none), 0);
	for (round = 0; round < 4000; round++) {
		i = draw(NELEM(sound));
		j = draw(NELEM(sound));
		if (i == j || are_related(i, j))
			continue;
		a = damage(i, draw(DAMAGES));
		b = damage(j, draw(DAMAGES));
		read_damaged(&one, i, a, j, NULL);
		read_damaged(&other, i, NULL, j, b);
		read_damaged(&c, i, a, j, b);
		check_found(&c, &one, &none, a, b);
		check_found(&c, &other, &none, a, b);
		tried += conf_errors(&one) != 0 && conf_errors(&other) != 0;
		conf_clear(&c);
		conf_clear(&one);
		conf_clear(&other);
		free(a);
		free(b);
	}
	assert_true(tried > 500);
	conf_clear(&none);
}

SET_UP_ALL
{
	seed = test_seed() * 2654435769u + 1;
}
