/* SPDX-License-Identifier: MIT */
/*
 * The key table: defaults, what each key takes and refuses, hints, words of a
 * command. That rules print to what parses back is in test_conf.c.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/keylist.h"
#include "rules/keys.h"
#include "base/spelling.h"
#include "base/util.h"
#include "rules/value.h"
#include "test.h"

static char why[RULE_WHY_SIZE];

/* Sets one key of a fresh rule or of fresh settings; its line of print, or NULL. */
static char *
set_and_print(bool daemon, const char *key, const char *value)
{
	struct rule *r = rule_new("x", "x.ini", 1);
	struct buf b = { NULL, 0, 0 };
	struct settings s;
	char *line = NULL, *found, *start = xasprintf("\n%-16s = ", key);
	int ret;

	settings_init(&s);
	ret =
	    daemon ? settings_set(&s, key, value, why) : rule_set(r, key, value, 2, why);
	if (daemon)
		settings_print(&s, &b);
	else
		rule_print(r, &b);
	found = ret == 0 ? strstr(b.p, start) : NULL;
	if (found != NULL)
		line =
		    xstrndup(found + strlen(start), strcspn(found + strlen(start), "\n"));
	else if (ret == 0)
		line = xstrdup("(nothing)");
	free(start);
	buf_clear(&b);
	rule_free(r);
	return line;
}

struct value {
	const char *key, *value;
	const char *printed; /* NULL: refused */
};

static const struct value rule_values[] = {
	{ "description", "a b  'c' #1", "a b  'c' #1" },
	{ "description", "", NULL },
	{ "description", " a", NULL },
	{ "description", "a\t", NULL },
	{ "description", "a ;b", NULL },
	{ "description", "a\t;b", NULL },
	{ "description", ";b", NULL },
	{ "description", "a;b", "a;b" },
	{ "description", "a\nb", NULL },
	{ "description", "a\x7f", NULL },
	{ "description", "a\x01", NULL },
	{ "description", "a\tb", "a\tb" },
	{ "description", "\xff", NULL },
	{ "description", "Schl\xc3\xbcssel", "Schl\xc3\xbcssel" },
	{ "watch", "/", "/" },
	{ "watch", "/a b/*.[ch]", "/a b/*.[ch]" },
	{ "watch", "/a/[[]x", "/a/[[]x" },
	{ "watch", "/a/[]x]", "/a/[]x]" },
	{ "watch", "/a/[!]x]", NULL },
	{ "watch", "/a/[!]x", "/a/[!]x" },
	{ "watch", "/a/[^]x", "/a/[^]x" },
	{ "watch", "/a//[$]b/", "/a//[$]b/" },
	{ "watch", "/a/[.][.]", NULL },
	{ "watch", "/a/$b", NULL },
	{ "watch", "/a/[$]b", "/a/[$]b" },
	{ "watch", "/a/[]", NULL },
	{ "watch", "/a/[x/y]", NULL },
	{ "watch", "/a..b/...", "/a..b/..." },
	{ "watch", "/a/../b", NULL },
	{ "watch", "/a/..", NULL },
	{ "watch", "/./a", NULL },
	{ "watch", "a", NULL },
	{ "watch", "~/a", NULL },
	{ "watch", "\"/a b\"", NULL },
	{ "on", "create", "create" },
	{ "on", "attributes  create", "create attributes" },
	{ "on", "modify\tdelete", "modify delete" },
	{ "on", "create, modify", NULL },
	{ "on", "Create", NULL },
	{ "min-size", "1", "1" },
	{ "min-size", "4096", "4k" },
	{ "min-size", "2M", "2M" },
	{ "min-size", "-1", NULL },
	{ "min-size", "1kb", NULL },
	{ "min-size", "9223372036854775808", NULL },
	{ "at-start", "never", "never" },
	{ "at-start", "changed", "changed" },
	{ "at-start", "new", "new" },
	{ "at-start", "always", "always" },
	{ "at-start", "sometimes", NULL },
	{ "at-start", "new always", NULL },
	{ "action", "/bin/a", "/bin/a" },
	{ "action", "/bin/a 'b  c' \"d\\\"\" e\\ f ''",
	    "/bin/a 'b  c' \"d\\\"\" e\\ f ''" },
	{ "action", "'/bin/a b'", "'/bin/a b'" },
	{ "action", "a", NULL },
	{ "action", "''", NULL },
	{ "action", "'' /bin/a", NULL },
	{ "action", "/bin/a 'b", NULL },
	{ "action", "/bin/a \"b", NULL },
	{ "action", "/bin/a \"b\\\"", NULL },
	{ "action", "/bin/a b\\", NULL },
	{ "action",
	    "/bin/a \xe2\x80\x9c"
	    "b c\xe2\x80\x9d",
	    NULL },
	{ "action", "/bin/a '\xe2\x80\x99'", "/bin/a '\xe2\x80\x99'" },
	{ "verify", "/bin/a b", "/bin/a b" },
	{ "verify", "b", NULL },
	{ "alert", "/bin/a b", "/bin/a b" },
	{ "alert", "b", NULL },
	{ "alert-after", "3", "3" },
	{ "alert-after", "0", NULL },
	{ "success", "0 75 255", "0 75 255" },
	{ "success", "1", "1" },
	{ "success", "256", NULL },
	{ "success", "0,1", NULL },
	{ "success", "-1", NULL },
	{ "settle", "0", "0" },
	{ "settle", "250ms", "250ms" },
	{ "settle", "90", "90s" },
	{ "settle", "120", "2m" },
	{ "settle", "1d", "1d" },
	{ "settle", "25h", NULL },
	{ "settle", "1.5s", NULL },
	{ "settle", "1 s", NULL },
	{ "settle", "1w", NULL },
	{ "settle-max", "7d", "7d" },
	{ "settle-max", "8d", NULL },
	{ "cooldown", "0", "0" },
	{ "cooldown", "365d", "365d" },
	{ "cooldown", "366d", NULL },
	{ "splay", "5m", "5m" },
	{ "splay", "x", NULL },
	{ "timeout", "0", "0" },
	{ "timeout", "never", NULL },
	{ "retry", "0", "0" },
	{ "retry", "forever", "forever" },
	{ "retry", "1000000", "1000000" },
	{ "retry", "1000001", NULL },
	{ "retry", "4294967295", NULL },
	{ "retry", "ever", NULL },
	{ "retry-delay", "10ms", "10ms" },
	{ "retry-delay", "9ms", NULL },
	{ "retry-delay", "0", NULL },
	{ "retry-on-network", "yes", "yes" },
	{ "retry-on-network", "true", NULL },
	{ "every", "0", "0" },
	{ "every", "1s", "1s" },
	{ "every", "999ms", NULL },
	{ "while-running", "ignore", "ignore" },
	{ "while-running", "rerun", "rerun" },
	{ "while-running", "stop", NULL },
	{ "lock", "mdm", "mdm" },
	{ "lock", "a-z_0.9", "a-z_0.9" },
	{ "lock", "MDM", NULL },
	{ "lock", "a b", NULL },
	{ "user", "_spotlight", "_spotlight" },
	{ "user", "EX\\jane", "EX\\jane" },
	{ "user", "a b", NULL },
	{ "user", "a:b", NULL },
	{ "user", "\"a\"", NULL },
	{ "group", "staff", "staff" },
	{ "group", "a/b", NULL },
	{ "umask", "022", "022" },
	{ "umask", "0", "000" },
	{ "umask", "777", "777" },
	{ "umask", "1000", NULL },
	{ "umask", "8", NULL },
	{ "umask", "99999999999999999999", NULL },
	{ "umask", "77777777777777777777", NULL },
	{ "directory", "/a b", "/a b" },
	{ "directory", "a", NULL },
	{ "directory", "/a/..", NULL },
	{ "nice", "-20", "-20" },
	{ "nice", "20", "20" },
	{ "nice", "0", "0" },
	{ "nice", "-0", "0" },
	{ "nice", "21", NULL },
	{ "nice", "-21", NULL },
	{ "nice", "-", NULL },
	{ "nice", "--1", NULL },
	{ "nice", "+1", NULL },
	{ "environment", "A=", "A=" },
	{ "environment", "_a9=b c=d", "_a9=b c=d" },
	{ "environment", "A", NULL },
	{ "environment", "=a", NULL },
	{ "environment", "9A=b", NULL },
	{ "environment", "A B=c", NULL },
	{ "environment", "WATCHPATHD_RULE=x", NULL },
	{ "trust", "strict", "strict" },
	{ "trust", "admin", "admin" },
	{ "trust", "none", NULL },
	{ "keep-awake", "yes", "yes" },
	{ "keep-awake", "no", "no" },
	{ "keep-awake", "YES", NULL },
	{ "log-output", "no", "no" },
	{ "log-output", "0", NULL },
	{ "enabled", "no", "no" },
	{ "enabled", "off", NULL },
};

static const struct value daemon_values[] = {
	{ "max-running", "1", "1" },
	{ "max-running", "1000", "1000" },
	{ "max-running", "0", NULL },
	{ "max-running", "1001", NULL },
	{ "max-running", "4294967297", NULL },
	{ "recheck", "0", "0" },
	{ "recheck", "100ms", "100ms" },
	{ "recheck", "99ms", NULL },
	{ "recheck", "5x", NULL },
	{ "log-level", "error", "error" },
	{ "log-level", "warning", "warning" },
	{ "log-level", "info", "info" },
	{ "log-level", "debug", "debug" },
	{ "log-level", "trace", NULL },
};

static void
check_values(bool daemon, const struct value *v, size_t n)
{
	size_t i;
	char *line;

	for (i = 0; i < n; i++) {
		strcpy(why, "");
		line = set_and_print(daemon, v[i].key, v[i].value);
		if ((line == NULL) != (v[i].printed == NULL) ||
		    (line != NULL && strcmp(line, v[i].printed) != 0))
			fail_msg("%s = %s: got %s (%s)", v[i].key, v[i].value,
			    line != NULL ? line : "(refused)", why);
		if (line == NULL && strlen(why) < 10)
			fail_msg("%s = %s: no reason", v[i].key, v[i].value);
		free(line);
	}
}

TEST(each_key_takes_good_values_and_refuses_bad_ones)
{
	check_values(false, rule_values, NELEM(rule_values));
	check_values(true, daemon_values, NELEM(daemon_values));
}

static void
check_tried(const struct key_table *t, const struct value *values, size_t n)
{
	bool good, bad;
	size_t i, k;

	for (i = 0; i < t->n; i++) {
		good = bad = false;
		for (k = 0; k < n; k++) {
			if (strcmp(values[k].key, t->keys[i].name) != 0)
				continue;
			good = good || values[k].printed != NULL;
			bad = bad || values[k].printed == NULL;
		}
		if (!good || !bad)
			fail_msg("%s lacks a good or a bad value", t->keys[i].name);
	}
}

TEST(no_key_of_the_tables_is_left_out_of_this_test)
{
	check_tried(&value_rule_keys, rule_values, NELEM(rule_values));
	check_tried(&value_daemon_keys, daemon_values, NELEM(daemon_values));
}

TEST(a_new_rule_has_the_defaults_of_the_manual)
{
	struct rule *r = rule_new("x", "f.ini", 7);
	const struct policy *p = &r->policy;

	assert_string_equal(r->name, "x");
	assert_string_equal(r->file, "f.ini");
	assert_int_equal(r->line, 7);
	assert_int_equal(p->on, CHANGE_CREATE | CHANGE_MODIFY | CHANGE_DELETE);
	assert_int_equal(p->min_size, 0);
	assert_int_equal(p->settle_ms, 1000);
	assert_int_equal(p->settle_max_ms, 30000);
	assert_int_equal(p->cooldown_ms, 10000);
	assert_int_equal(p->splay_ms, 0);
	assert_int_equal(p->timeout_ms, 600000);
	assert_int_equal(p->every_ms, 0);
	assert_int_equal(p->retry, 3);
	assert_int_equal(p->retry_delay_ms, 30000);
	assert_false(p->retry_on_network);
	assert_true(p->enabled);
	assert_int_equal(p->at_start, START_CHANGED);
	assert_int_equal(p->while_running, RUNNING_RERUN);
	assert_int_equal(r->nsuccess, 1);
	assert_int_equal(r->success[0], 0);
	assert_int_equal(r->umask, -1);
	assert_false(r->nice_set);
	assert_false(r->keep_awake);
	assert_true(r->log_output);
	assert_int_equal(r->trust, TRUST_STRICT);
	assert_null(r->description);
	assert_null(r->lock);
	assert_null(r->user);
	assert_null(r->group);
	assert_null(r->directory);
	assert_int_equal(r->nwatch + r->nactions + r->environment.n, 0);
	assert_null(r->verify);
	assert_null(r->alert);
	rule_free(r);
	rule_free(NULL);
}

TEST(settings_have_the_defaults_of_the_manual)
{
	struct settings s;

	settings_init(&s);
	assert_int_equal(s.max_running, 16);
	assert_int_equal(s.recheck_ms, 15 * 60 * 1000);
	assert_int_equal(s.log_level, 2);
}

TEST(values_go_to_the_fields_they_name)
{
	struct rule *r = rule_new("x", "f.ini", 1);
	static const char *const set[][2] = { { "settle", "1ms" },
		{ "settle-max", "2ms" }, { "cooldown", "3ms" }, { "splay", "4ms" },
		{ "timeout", "5ms" }, { "every", "6s" }, { "retry-delay", "70ms" },
		{ "retry", "8" }, { "min-size", "9" }, { "umask", "017" },
		{ "nice", "-3" }, { "user", "u" }, { "group", "g" },
		{ "directory", "/d" }, { "lock", "l" }, { "description", "t" },
		{ "retry-on-network", "yes" }, { "enabled", "no" },
		{ "keep-awake", "yes" }, { "log-output", "no" }, { "trust", "admin" },
		{ "at-start", "new" }, { "while-running", "ignore" } };
	size_t i;

	for (i = 0; i < NELEM(set); i++)
		assert_int_equal(rule_set(r, set[i][0], set[i][1], 1, why), 0);
	assert_int_equal(r->policy.settle_ms, 1);
	assert_int_equal(r->policy.settle_max_ms, 2);
	assert_int_equal(r->policy.cooldown_ms, 3);
	assert_int_equal(r->policy.splay_ms, 4);
	assert_int_equal(r->policy.timeout_ms, 5);
	assert_int_equal(r->policy.every_ms, 6000);
	assert_int_equal(r->policy.retry_delay_ms, 70);
	assert_int_equal(r->policy.retry, 8);
	assert_int_equal(r->policy.min_size, 9);
	assert_int_equal(r->umask, 017);
	assert_int_equal(r->nice, -3);
	assert_true(r->nice_set);
	assert_string_equal(r->user, "u");
	assert_string_equal(r->group, "g");
	assert_string_equal(r->directory, "/d");
	assert_string_equal(r->lock, "l");
	assert_string_equal(r->description, "t");
	assert_true(r->policy.retry_on_network);
	assert_false(r->policy.enabled);
	assert_true(r->keep_awake);
	assert_false(r->log_output);
	assert_int_equal(r->trust, TRUST_ADMIN);
	assert_int_equal(r->policy.at_start, START_NEW);
	assert_int_equal(r->policy.while_running, RUNNING_IGNORE);
	rule_free(r);
}

TEST(a_list_is_added_to_and_its_default_replaced)
{
	struct rule *r = rule_new("x", "f.ini", 1);

	assert_int_equal(rule_set(r, "success", "3 4", 1, why), 0);
	assert_int_equal(rule_set(r, "success", "5", 2, why), 0);
	assert_int_equal(rule_continue(r, "success", "6", 3, why), 0);
	assert_int_equal(r->nsuccess, 4);
	assert_int_equal(r->success[0], 3);
	assert_int_equal(r->success[3], 6);
	assert_int_equal(rule_set(r, "on", "attributes", 1, why), 0);
	assert_int_equal(rule_set(r, "on", "create", 2, why), 0);
	assert_int_equal(r->policy.on, CHANGE_ATTRIBUTES | CHANGE_CREATE);
	assert_int_equal(rule_set(r, "watch", "/a", 1, why), 0);
	assert_int_equal(rule_continue(r, "watch", "/b", 2, why), 0);
	assert_int_equal(rule_set(r, "watch", "/ab", 3, why), 0);
	assert_int_equal(r->nwatch, 3);
	assert_int_equal(rule_set(r, "watch", "/a", 3, why), -1);
	assert_non_null(strstr(why, "twice"));
	assert_int_equal(rule_set(r, "watch", "//[a]", 3, why), -1);
	assert_non_null(strstr(why, "`//[a]` is given twice"));
	assert_int_equal(rule_set(r, "watch", "/a/", 3, why), 0);
	assert_int_equal(rule_set(r, "environment", "A=1", 1, why), 0);
	assert_int_equal(rule_continue(r, "environment", "AB=1", 1, why), 0);
	assert_int_equal(rule_set(r, "environment", "A=2", 1, why), -1);
	assert_non_null(strstr(why, "`A` is given twice"));
	rule_free(r);
}

TEST(a_key_of_one_value_is_taken_once)
{
	struct rule *r = rule_new("x", "f.ini", 1);
	struct settings s;

	settings_init(&s);
	assert_int_equal(rule_set(r, "settle", "x", 1, why), -1);
	assert_int_equal(rule_set(r, "settle", "2s", 1, why), -1);
	assert_non_null(strstr(why, "twice"));
	assert_int_equal(rule_continue(r, "settle", "2s", 1, why), -1);
	assert_non_null(strstr(why, "takes one value"));
	assert_int_equal(settings_set(&s, "recheck", "1m", why), 0);
	assert_int_equal(settings_set(&s, "recheck", "1m", why), -1);
	assert_non_null(strstr(why, "twice"));
	rule_free(r);
}

TEST(lists_are_not_endless)
{
	struct rule *r = rule_new("x", "f.ini", 1);
	char value[32];
	int i, refused = 0;

	for (i = 0; i < 1025; i++) {
		snprintf(value, sizeof(value), "/%d", i);
		refused += rule_set(r, "watch", value, 1, why) == -1;
		snprintf(value, sizeof(value), "A%d=x", i);
		rule_set(r, "environment", value, 1, why);
		rule_set(r, "action", "/a", 1, why);
		rule_set(r, "success", "7", 1, why);
	}
	assert_int_equal(refused, 1);
	assert_int_equal(r->nwatch, 1024);
	assert_int_equal(r->environment.n, 256);
	assert_int_equal(r->nactions, 64);
	assert_int_equal(r->nsuccess, 256);
	rule_free(r);
}

static const struct {
	const char *wrong, *said; /* NULL: no key was meant */
} unknown[] = {
	{ "wacth", "did you mean `watch`?" },
	{ "Watch", "did you mean `watch`?" },
	{ "acton", "did you mean `action`?" },
	{ "Action", "did you mean `action`?" },
	{ "action s", "did you mean `action`?" },
	{ "min_size", "did you mean `min-size`?" },
	{ "retry-dealy", "did you mean `retry-delay`?" },
	{ "environement", "did you mean `environment`?" },
	{ "ON", "did you mean `on`?" },
	{ "settle-mx", "did you mean `settle-max`?" },
	{ "whilerunning", "did you mean `while-running`?" },
	{ "usre", "did you mean `user`?" },
	{ "users", "did you mean `user`?" },
	{ "lokc", "did you mean `lock`?" },
	{ "evry", "did you mean `every`?" },
	{ "enable", "did you mean `enabled`?" },
	{ "command", "did you mean `action`?" },
	{ "program", "did you mean `action`?" },
	{ "exec", "did you mean `action`?" },
	{ "run", "did you mean `action`?" },
	{ "comand", "did you mean `action`?" },
	{ "path", "did you mean `watch`?" },
	{ "paths", "did you mean `watch`?" },
	{ "file", "did you mean `watch`?" },
	{ "files", "did you mean `watch`?" },
	{ "directories", "did you mean `watch`?" },
	{ "interval", "did you mean `every`?" },
	{ "debounce", "did you mean `settle`?" },
	{ "delay", "did you mean `settle`?" },
	{ "throttle", "did you mean `cooldown`?" },
	{ "env", "did you mean `environment`?" },
	{ "cwd", "did you mean `directory`?" },
	{ "working-directory", "did you mean `directory`?" },
	{ "run-as", "did you mean `user`?" },
	{ "retries", "did you mean `retry`?" },
	{ "events", "did you mean `on`?" },
	{ "WatchPaths", "did you mean `watch`?" },
	{ "QueueDirectories", "did you mean `watch`?" },
	{ "ProgramArguments", "did you mean `action`?" },
	{ "ThrottleInterval", "did you mean `cooldown`?" },
	{ "StartInterval", "did you mean `every`?" },
	{ "UserName", "did you mean `user`?" },
	{ "GroupName", "did you mean `group`?" },
	{ "WorkingDirectory", "did you mean `directory`?" },
	{ "EnvironmentVariables", "did you mean `environment`?" },
	{ "Umask", "did you mean `umask`?" },
	{ "Nice", "did you mean `nice`?" },
	{ "RunAtLoad", "did you mean `at-start`?" },
	{ "StandardOutPath", "did you mean `log-output`?" },
	{ "KeepAlive", "an action runs when something has changed" },
	{ "Label", "a rule is called as its section is" },
	{ "Disabled", "write `enabled = no`" },
	{ "StartCalendarInterval", "no time of day" },
	{ "StartOnMount", "watch a path on the volume" },
	{ "ExitTimeOut", "5 seconds after SIGTERM" },
	{ "recursive", "no recursion" },
	{ "schedule", "no time of day" },
	{ "watches", "did you mean `watch`?" },
	{ "monitor", "did you mean `watch`?" },
	{ "execute", "did you mean `action`?" },
	{ "logfile", "did you mean `log-output`?" },
	{ "on-error", "did you mean `alert`?" },
	{ "success-codes", "did you mean `success`?" },
	{ "verify-command", "did you mean `verify`?" },
	{ "max-running", "`max-running` is a key of the section [daemon]" },
	{ "concurrency", "did you mean `max-running`, a key of the section [daemon]?" },
	{ "once", NULL },
	{ "price", NULL },
	{ "notice", NULL },
	{ "no", NULL },
	{ "one", NULL },
	{ "in", NULL },
	{ "look", NULL },
	{ "log-in", NULL },
	{ "block", NULL },
	{ "clock", NULL },
	{ "used", NULL },
	{ "catch", NULL },
	{ "batch", NULL },
	{ "patch", NULL },
	{ "display", NULL },
	{ "play", NULL },
	{ "section", NULL },
	{ "reaction", NULL },
	{ "qqqq", NULL },
	{ "xy", NULL },
	{ "", NULL },
	{ "a-key-that-is-longer-than-every-key-there-is", NULL },
};

TEST(an_unknown_key_is_answered_with_the_one_that_was_meant)
{
	struct rule *r = rule_new("x", "f.ini", 1);
	struct settings s;
	size_t i;

	for (i = 0; i < NELEM(unknown); i++) {
		assert_int_equal(rule_set(r, unknown[i].wrong, "1", 1, why), -1);
		if (strstr(why,
			unknown[i].said != NULL ? unknown[i].said : "help keys") == NULL)
			fail_msg("%s: %s", unknown[i].wrong, why);
	}
	settings_init(&s);
	assert_int_equal(settings_set(&s, "settle", "1s", why), -1);
	assert_non_null(strstr(why, "of rules"));
	assert_int_equal(settings_set(&s, "debounce", "1s", why), -1);
	assert_non_null(strstr(why, "`settle`, a key of rules, not of [daemon]?"));
	assert_int_equal(settings_set(&s, "max-runing", "1", why), -1);
	assert_non_null(strstr(why, "did you mean `max-running`?"));
	assert_int_equal(settings_set(&s, "verbosity", "1", why), -1);
	assert_non_null(strstr(why, "did you mean `log-level`?"));
	rule_free(r);
}

static bool
is_word_of(const char *words, const char *word)
{
	size_t n = strlen(word);
	const char *at;

	for (at = strstr(words, word); at != NULL; at = strstr(at + 1, word))
		if ((at == words || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

/* Fails where other names of two keys, or a name and a key, are the same. */
static void
check_names(const struct key *k, const struct key_table *t)
{
	const char *s;
	char name[32];
	size_t i, n;

	for (s = k->others; s != NULL && *s != '\0'; s += n + (s[n] == ' ')) {
		n = strcspn(s, " ");
		assert_in_range(n, 2, sizeof(name) - 1);
		snprintf(name, sizeof(name), "%.*s", (int)n, s);
		for (i = 0; i < t->n; i++) {
			if (spelling_same(t->keys[i].name, name))
				fail_msg("%s is a key", name);
			if (&t->keys[i] != k && t->keys[i].others != NULL &&
			    is_word_of(t->keys[i].others, name))
				fail_msg("%s is also %s", name, t->keys[i].name);
		}
	}
}

TEST(no_other_name_of_a_key_is_that_of_two)
{
	const struct key_table *tables[] = { &value_rule_keys, &value_daemon_keys };
	size_t i, j;

	for (i = 0; i < 2; i++)
		for (j = 0; j < tables[i]->n; j++) {
			check_names(&tables[i]->keys[j], tables[0]);
			check_names(&tables[i]->keys[j], tables[1]);
		}
}

/* The words of one line, with a | after each; or NULL. */
static char *
split(const char *line)
{
	struct rule *r = rule_new("x", "f.ini", 1);
	struct buf b = { NULL, 0, 0 };
	size_t i;

	if (rule_set(r, "action", line, 1, why) == 0)
		for (i = 1; i < r->actions[0].argv.n; i++)
			buf_addf(&b, "%s|", r->actions[0].argv.v[i]);
	rule_free(r);
	return b.p;
}

TEST(a_command_is_split_as_a_shell_would)
{
	static const char *const cases[][2] = { { "/p a  b\tc", "a|b|c|" },
		{ "/p 'a b' c", "a b|c|" }, { "/p \"a b\" c", "a b|c|" },
		{ "/p a'b c'd", "ab cd|" }, { "/p ''", "|" }, { "/p \"\" ''x", "|x|" },
		{ "/p a\\ b", "a b|" }, { "/p \\'a", "'a|" }, { "/p \\\\", "\\|" },
		{ "/p 'a\\b'", "a\\b|" }, { "/p '\\'", "\\|" },
		{ "/p \"a\\\"b\"", "a\"b|" }, { "/p \"a\\\\\"", "a\\|" },
		{ "/p \"a\\n\"", "a\\n|" }, { "/p \"\\$x\\`\"", "$x`|" },
		{ "/p \"it's\"", "it's|" }, { "/p '\"'", "\"|" }, { "/p \\a", "a|" },
		{ "/p '$x|y&'", "$x|y&|" }, { "/p \\$x\\|y\\&", "$x|y&|" },
		{ "/p \"a;b\"", "a;b|" }, { "/p '#' a#b a~b", "#|a#b|a~b|" },
		{ "/p \"~\" '~/x'", "~|~/x|" },
		{ "/p a$ $ $. \"a$\" $/", "a$|$|$.|a$|$/|" },
		{ "/p \"<|>&;()*?#~\"", "<|>&;()*?#~|" },
		{ "/p -name '*.x' {} \\;", "-name|*.x|{}|;|" } };
	size_t i;
	char *got;

	for (i = 0; i < NELEM(cases); i++) {
		got = split(cases[i][0]);
		if (got == NULL || strcmp(got, cases[i][1]) != 0)
			fail_msg("%s: got %s, not %s", cases[i][0],
			    got != NULL ? got : "nothing", cases[i][1]);
		free(got);
	}
}

TEST(a_comment_behind_a_command_is_named_as_one)
{
	assert_null(split("/p # why"));
	assert_non_null(strstr(why, "`#`: no comment behind a command"));
	assert_null(split("/p #why"));
	assert_non_null(strstr(why, "`#`: no comment behind a command"));
}

TEST(what_a_shell_would_read_in_a_command_is_refused)
{
	static const char *const cases[][2] = { { "a | b", "`|`" }, { "a&", "`&`" },
		{ "a && b", "`&&`" }, { "a; b", "`;`" }, { "a;b", "`;b`" },
		{ "a >/tmp/x", "`>/tmp/x`" }, { "a<b", "`<b`" }, { "a 2>&1", "`>&1`" },
		{ "(a)", "`(a)`" }, { "a)", "`)`" }, { "`date`", "``date``" },
		{ "\"`date`\"", "``date`\"`" }, { "$HOME/x", "`$HOME/x`" },
		{ "\"a $HOME\"", "`$HOME\"`" }, { "${x}", "`${x}`" },
		{ "$(date)", "`$(date)`" }, { "$1", "`$1`" }, { "$_x", "`$_x`" },
		{ "\"$@\"", "`$@\"`" }, { "$*", "`$*`" }, { "$?", "`$?`" },
		{ "$$", "`$$`" }, { "$'a'", "`$'a'`" }, { "$\"a\"", "`$\"a\"`" },
		{ "~", "`~`" }, { "~/x", "`~/x`" }, { "~jane", "`~jane`" },
		{ "'a'|b", "`|b`" }, { "\"a\";", "`;`" } };
	struct rule *r = rule_new("x", "f.ini", 1);
	char *line, *said;
	size_t i;

	assert_int_equal(rule_set(r, "action", "/p", 1, why), 0);
	for (i = 0; i < NELEM(cases); i++) {
		line = xasprintf("/p %s", cases[i][0]);
		said = xasprintf("%s: no shell here: quote it, or write /bin/sh -c '...'",
		    cases[i][1]);
		if (split(line) != NULL || strcmp(why, said) != 0)
			fail_msg("%s: %s", line, why);
		if (rule_continue(r, "action", cases[i][0], 2, why) != -1)
			fail_msg("continued by %s", cases[i][0]);
		free(line);
		free(said);
	}
	assert_int_equal(r->actions[0].argv.n, 1);
	assert_int_equal(rule_set(r, "verify", "/p | q", 1, why), -1);
	assert_non_null(strstr(why, "no shell here"));
	assert_null(split("/p \xe2\x80\x94quiet"));
	assert_string_equal(why, "a typographic dash begins no option: write - or --");
	assert_null(split("A=b /p"));
	assert_non_null(strstr(why, "variables stand under `environment`"));
	rule_free(r);
}

TEST(what_a_shell_might_expand_is_warned_of)
{
	static const char *const cases[][2] = { { "*.txt", "`*.txt`" }, { "a?", "`a?`" },
		{ "[ab]", "`[ab]`" }, { "x{a,b}", "`x{a,b}`" }, { "{1..3}", "`{1..3}`" },
		{ "--to=~/x", "`--to=~/x`" }, { "'*.txt'", NULL }, { "\"*\"", NULL },
		{ "\\*", NULL }, { "'['a]", NULL }, { "[a", NULL }, { "a]", NULL },
		{ "{}", NULL }, { "{a'.'.b}", NULL }, { "{a}", NULL }, { "a,b", NULL },
		{ "host:~/x", NULL }, { "a~b", NULL } };
	struct strv said = { NULL, 0 };
	char *line;
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		line = xasprintf("/p %s x", cases[i][0]);
		rule_warn("verify", line, &said);
		if (said.n != (cases[i][1] != NULL) ||
		    (said.n == 1 &&
			strncmp(said.v[0], cases[i][1], strlen(cases[i][1])) != 0))
			fail_msg("%s: %s", line, said.n != 0 ? said.v[0] : "-");
		strv_clear(&said);
		free(line);
	}
}

TEST(indented_lines_add_words_to_the_command_above)
{
	struct rule *r = rule_new("x", "f.ini", 1);

	assert_int_equal(rule_set(r, "action", "/a", 3, why), 0);
	assert_int_equal(rule_set(r, "action", "/b 1", 4, why), 0);
	assert_int_equal(rule_continue(r, "action", "'2 3' 4", 5, why), 0);
	assert_int_equal(rule_set(r, "verify", "/v", 6, why), 0);
	assert_int_equal(rule_continue(r, "verify", "w", 7, why), 0);
	assert_int_equal(r->nactions, 2);
	assert_int_equal(r->actions[0].argv.n, 1);
	assert_int_equal(r->actions[1].argv.n, 4);
	assert_int_equal(r->actions[1].line, 4);
	assert_string_equal(r->actions[1].argv.v[2], "2 3");
	assert_null(r->actions[1].argv.v[4]);
	assert_int_equal(r->verify->argv.n, 2);
	assert_int_equal(r->verify->line, 6);
	assert_int_equal(rule_continue(r, "action", "user = x", 8, why), -1);
	assert_int_equal(rule_continue(r, "action", "user=x", 8, why), -1);
	assert_int_equal(rule_continue(r, "action", "'user=x'", 8, why), 0);
	assert_int_equal(rule_continue(r, "action", "users=x", 8, why), 0);
	assert_int_equal(rule_continue(r, "action", "recheck = x", 8, why), -1);
	assert_int_equal(rule_continue(r, "action", "interval = 5", 8, why), -1);
	assert_int_equal(rule_continue(r, "action", "Settle\t= 5", 8, why), -1);
	assert_int_equal(rule_continue(r, "action", "interval=5", 8, why), 0);
	assert_int_equal(rule_continue(r, "action", "--file = 5", 8, why), 0);
	assert_int_equal(rule_continue(r, "action", "bs = 5", 8, why), 0);
	assert_int_equal(rule_continue(r, "action", "[x]", 8, why), -1);
	assert_int_equal(rule_continue(r, "action", "[x", 8, why), 0);
	assert_int_equal(rule_continue(r, "action", "# x", 8, why), -1);
	assert_int_equal(rule_continue(r, "action", "; x", 8, why), -1);
	rule_free(r);
}

TEST(a_value_that_no_line_can_hold_is_refused)
{
	struct rule *r = rule_new("x", "f.ini", 1);
	char value[RULE_LINE_MAX + 2];

	memset(value, 'a', sizeof(value));
	value[0] = '/';
	value[RULE_LINE_MAX - strlen("watch=")] = '\0';
	assert_int_equal(rule_set(r, "watch", value, 1, why), 0);
	value[RULE_LINE_MAX - strlen("watch=")] = 'a';
	value[RULE_LINE_MAX - strlen("watch=") + 1] = '\0';
	assert_int_equal(rule_set(r, "watch", value, 1, why), -1);
	assert_non_null(strstr(why, "longer than a line"));
	value[RULE_LINE_MAX - strlen("watch=") + 1] = 'a';
	value[RULE_LINE_MAX - 1] = '\0';
	assert_int_equal(rule_continue(r, "watch", value, 1, why), 0);
	value[RULE_LINE_MAX - 1] = 'b';
	value[RULE_LINE_MAX] = '\0';
	assert_int_equal(rule_continue(r, "watch", value, 1, why), -1);
	rule_free(r);
}

TEST(no_printed_line_is_longer_than_a_line)
{
	struct rule *r;
	struct buf b = { NULL, 0, 0 };
	char value[RULE_LINE_MAX];
	const char *s;
	size_t n;

	memset(value, 'a', sizeof(value));
	value[0] = '/';
	for (n = 170; n <= RULE_LINE_MAX - strlen("watch="); n++) {
		value[n] = '\0';
		r = rule_new("x", "f.ini", 1);
		assert_int_equal(rule_set(r, "watch", value, 1, why), 0);
		rule_print(r, &b);
		for (s = b.p; *s != '\0'; s += strcspn(s, "\n") + 1)
			assert_true(strcspn(s, "\n") <= RULE_LINE_MAX);
		assert_non_null(strstr(b.p, value));
		value[n] = 'a';
		buf_clear(&b);
		rule_free(r);
	}
}

TEST(a_quoted_word_is_read_back_as_it_was)
{
	static const char *const words[] = { "", "a", "a b", "it's", "a ;b", "a\t;b", ";",
		"\"", "\\", "$x", "#", "user=x", "[x]", "'", "''", "\xe2\x80\x9c", "a=b",
		" ", "a;b", " ; ;", "~", "~/x", "$(a)", "`a`", "*", "a|b&<>()",
		"\xe2\x80\x94x", "$", "{a,b}", "[a]", "\"$x\"", "#x" };
	struct rule *r;
	struct buf b = { NULL, 0, 0 };
	size_t i;

	for (i = 0; i < NELEM(words); i++) {
		r = rule_new("x", "f.ini", 1);
		assert_int_equal(rule_set(r, "action", "/p", 1, why), 0);
		rule_quote_word(&b, words[i]);
		if (rule_continue(r, "action", b.p, 1, why) == -1)
			fail_msg("%s: %s", b.p, why);
		assert_int_equal(r->actions[0].argv.n, 2);
		assert_string_equal(r->actions[0].argv.v[1], words[i]);
		buf_clear(&b);
		rule_free(r);
	}
}

TEST(validation_names_all_that_is_missing)
{
	struct rule *r = rule_new("x", "f.ini", 1);
	int line;

	assert_int_equal(rule_validate(r, 0, &line, why), -1);
	assert_string_equal(why, "missing `watch`");
	assert_int_equal(line, 1);
	assert_int_equal(rule_validate(r, 1, &line, why), -1);
	assert_string_equal(why, "missing `action`");
	assert_int_equal(rule_validate(r, 2, &line, why), 0);
	assert_int_equal(rule_set(r, "settle-max", "31s", 7, why), 0);
	assert_int_equal(rule_set(r, "settle", "32s", 8, why), 0);
	assert_int_equal(rule_set(r, "watch", "/a", 9, why), 0);
	assert_int_equal(rule_validate(r, 0, &line, why), -1);
	assert_int_equal(line, 1);
	assert_int_equal(rule_validate(r, 1, &line, why), -1);
	assert_string_equal(why, "`settle-max` (31s) is shorter than `settle` (32s)");
	assert_int_equal(line, 7);
	assert_int_equal(rule_set(r, "action", "/a", 1, why), 0);
	assert_int_equal(rule_validate(r, 1, &line, why), 0);
	rule_free(r);
}

/* What settle-max is with a settle, and with one of its own or NULL. */
static int64_t
settle_max(const char *settle, const char *own, bool own_first)
{
	struct rule *r = rule_new("x", "f.ini", 1);
	int64_t ms;

	if (own != NULL && own_first)
		assert_int_equal(rule_set(r, "settle-max", own, 1, why), 0);
	assert_int_equal(rule_set(r, "settle", settle, 2, why), 0);
	if (own != NULL && !own_first)
		assert_int_equal(rule_set(r, "settle-max", own, 3, why), 0);
	ms = r->policy.settle_max_ms;
	rule_free(r);
	return ms;
}

TEST(settle_max_is_three_times_settle_or_more_unless_it_is_given)
{
	assert_int_equal(settle_max("0", NULL, false), 30000);
	assert_int_equal(settle_max("10s", NULL, false), 30000);
	assert_int_equal(settle_max("10001ms", NULL, false), 30003);
	assert_int_equal(settle_max("1m", NULL, false), 180000);
	assert_int_equal(settle_max("1d", NULL, false), INT64_C(259200000));
	assert_int_equal(settle_max("1m", "2m", false), 120000);
	assert_int_equal(settle_max("1m", "2m", true), 120000);
	assert_int_equal(settle_max("1s", "30s", true), 30000);
}

TEST(names_of_rules_are_1_to_48_of_their_letters)
{
	char name[50];

	memset(name, 'a', sizeof(name));
	name[48] = '\0';
	assert_true(value_name_valid(name));
	name[48] = 'a';
	name[49] = '\0';
	assert_false(value_name_valid(name));
	assert_false(value_name_valid(""));
	assert_true(value_name_valid("az09-_."));
	assert_false(value_name_valid("A"));
	assert_false(value_name_valid("a b"));
	assert_false(value_name_valid("a/b"));
	assert_false(value_name_valid("a\n"));
}

/* Two rules that differ in one key, given here, or in nothing. */
static bool
equal_but_for(const char *key, const char *value)
{
	struct rule *a = rule_new("x", "a.ini", 1), *b = rule_new("x", "b.ini", 2);
	bool equal;

	assert_int_equal(rule_set(a, "watch", "/a", 1, why), 0);
	assert_int_equal(rule_set(b, "watch", "/a", 2, why), 0);
	assert_int_equal(rule_set(a, "action", "/a 'b'", 1, why), 0);
	assert_int_equal(rule_set(b, "action", "/a b", 2, why), 0);
	if (key != NULL)
		assert_int_equal(rule_set(b, key, value, 3, why), 0);
	equal = rule_equal(a, b);
	assert_int_equal(rule_equal(b, a), equal);
	rule_free(a);
	rule_free(b);
	return equal;
}

TEST(rules_are_equal_only_if_every_key_is)
{
	static const char *const same[] = { "create modify delete", "changed", "rerun",
		"strict", "0", "no", "yes" };
	struct rule *a = rule_new("a", "f", 1), *b = rule_new("b", "f", 1);
	size_t i, j;
	bool is_default;

	assert_true(equal_but_for(NULL, NULL));
	assert_true(equal_but_for("on", "delete modify create"));
	assert_true(equal_but_for("success", "0"));
	assert_false(equal_but_for("success", "0 1"));
	assert_false(equal_but_for("action", "/b"));
	assert_false(equal_but_for("verify", "/b"));
	assert_false(equal_but_for("alert", "/b"));
	assert_false(equal_but_for("alert-after", "2"));
	assert_false(equal_but_for("watch", "/b"));
	assert_false(rule_equal(a, b));
	for (i = 0; i < NELEM(rule_values); i++) {
		is_default = false;
		for (j = 0; j < NELEM(same); j++)
			is_default = is_default ||
				     (rule_values[i].printed != NULL &&
					 strcmp(same[j], rule_values[i].printed) == 0);
		if (rule_values[i].printed != NULL && !is_default)
			assert_false(
			    equal_but_for(rule_values[i].key, rule_values[i].value));
	}
	rule_free(a);
	rule_free(b);
}

TEST(help_fits_80_columns)
{
	struct buf b = { NULL, 0, 0 };
	const char *s;

	keys_print(&b);
	for (s = b.p; *s != '\0'; s += strcspn(s, "\n") + 1)
		if (strcspn(s, "\n") > 80)
			fail_msg("%.90s", s);
	buf_clear(&b);
}

TEST(every_change_has_the_name_that_on_gives_it)
{
	assert_string_equal(rule_change_name(CHANGE_CREATE), "create");
	assert_string_equal(rule_change_name(CHANGE_MODIFY), "modify");
	assert_string_equal(rule_change_name(CHANGE_DELETE), "delete");
	assert_string_equal(rule_change_name(CHANGE_ATTRIBUTES), "attributes");
	assert_string_equal(rule_change_name(0), "");
}
