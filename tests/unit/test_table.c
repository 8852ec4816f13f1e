/* SPDX-License-Identifier: MIT */
/*
 * What people read of the status and of the history, for one status and one
 * time, in three widths. What is expected stands here as it is read.
 */

#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/columns.h"
#include "base/json.h"
#include "cmd/table.h"
#include "base/util.h"
#include "test.h"

static char said[16384];

/* 2026-11-24T12:00:00.000Z */
#define NOON INT64_C(1795521600000000000)

/* A run whose times are these, all at ten o'clock. */
#define RUN(reason, detected, started, ended, outcome)                                   \
	"{\"run\":\"1a2-7\",\"reason\":\"" reason "\",\"attempt\":1,"                    \
	"\"path\":\"/box/etc/hosts\",\"change\":\"modify\","                             \
	"\"detected\":\"2026-11-24T10:" detected "Z\",\"started\":"                      \
	"\"2026-11-24T10:" started "Z\",\"ended\":\"2026-11-24T10:" ended "Z\"," outcome \
	"}"
#define OK "\"exit\":0,\"signal\":null,\"verify\":null,\"error\":null,\"ok\":true"
#define LATE                                                     \
	"\"exit\":null,\"signal\":15,\"verify\":null,\"error\":" \
	"\"took longer than its timeout\",\"ok\":false"

#define ABSENT \
	"\"waits_for\":null,\"next_every\":null,\"every\":null,\"current_run\":null,"

static const char status_json[] =
    "{\"version\":\"1.0.0\",\"pid\":7,\"started\":\"2026-11-24T08:30:00.000Z\","
    "\"config\":\"/box/etc/watchpathd/conf.d\",\"root\":\"/box\",\"rules\":["
    "{\"name\":\"hosts\",\"file\":\"hosts.ini\",\"line\":1,\"description\":"
    "\"Tell the MDM of new hosts\",\"state\":\"retrying\",\"pending\":true,"
    "\"attempt\":2,\"due\":\"2026-11-24T14:59:30.000Z\",\"problem\":null,"
    "\"action\":[\"/usr/bin/send\",\"--all\"],\"watch\":["
    "{\"entry\":\"/etc/hosts\",\"matches\":[\"/box/etc/hosts\"],\"problem\":null},"
    "{\"entry\":\"/d/*\",\"matches\":[\"/box/d/a\",\"/box/d/b\"],\"problem\":null},"
    "{\"entry\":\"/e/*\",\"matches\":[],\"problem\":null},"
    "{\"entry\":\"/g/*\",\"matches\":[\"/box/d/a\"],\"problem\":"
    "\"7 matches more than 1024\"}],"
    "\"paths\":[{\"path\":\"/box/etc/hosts\",\"state\":\"present\",\"error\":null},"
    "{\"path\":\"/box/d/a\",\"state\":\"absent\",\"error\":null},"
    "{\"path\":\"/box/d/b\",\"state\":\"error\",\"error\":\"Permission denied\"}]," ABSENT
    "\"settle\":\"1s\",\"cooldown\":\"10m\",\"runs\":12,\"failures\":1,"
    "\"last_run\":" RUN("change", "54:42.597", "54:44.100", "55:04.200",
	LATE) "},"
	      "{\"name\":\"a-rule-whose-name-has-the-most-bytes-there-can-b\",\"file\":"
	      "\"x.ini\","
	      "\"line\":3,\"description\":null,\"state\":\"idle\",\"pending\":false,"
	      "\"attempt\":0,\"due\":null,\"problem\":null,\"action\":[\"/usr/bin/"
	      "send\"],"
	      "\"watch\":[],\"paths\":[]," ABSENT
	      "\"settle\":\"1s\",\"cooldown\":\"10s\","
	      "\"runs\":1,\"failures\":0,\"last_run\":" RUN("start", "00:00.000",
		  "00:01.000", "00:02.000",
		  OK) "},"
		      "{\"name\":\"words\",\"file\":\"x.ini\",\"line\":9,\"description\":"
		      "\"\u65e5\u672c\u8a9e\",\"state\":\"blocked\",\"pending\":true,"
		      "\"attempt\":1,"
		      "\"due\":null,\"problem\":\"/box/Library/Application "
		      "Support/\u65e5\u672c\u8a9e/"
		      "bin/send: writable by group and others (mode "
		      "0777)\",\"action\":[\"/bin/send\"],"
		      "\"watch\":[],\"paths\":[]," ABSENT
		      "\"settle\":\"1s\",\"cooldown\":\"10s\","
		      "\"runs\":0,\"failures\":0,\"last_run\":null},"
		      "{\"name\":\"busy\",\"file\":\"y.ini\",\"line\":1,\"description\":"
		      "null,"
		      "\"state\":\"running\",\"pending\":false,\"attempt\":1,\"due\":"
		      "null,"
		      "\"waits_for\":null,\"problem\":null,\"action\":[\"/bin/"
		      "act\"],\"watch\":[],"
		      "\"paths\":[],\"settle\":\"1s\",\"cooldown\":\"0\",\"every\":"
		      "\"3h\","
		      "\"next_every\":null,\"current_run\":{\"run\":\"1a2-8\",\"reason\":"
		      "null,"
		      "\"path\":null,\"change\":null,\"started\":\"2026-11-24T11:59:48."
		      "000Z\","
		      "\"pid\":123,\"left_over\":true},\"runs\":0,\"failures\":0,\"last_"
		      "run\":null},"
		      "{\"name\":\"next\",\"file\":\"y.ini\",\"line\":5,\"description\":"
		      "null,"
		      "\"state\":\"queued\",\"pending\":true,\"attempt\":1,\"due\":null,"
		      "\"waits_for\":\"the lock mdm, held by busy\",\"problem\":null,"
		      "\"action\":[\"/bin/"
		      "act\"],\"watch\":[],\"paths\":[],\"settle\":\"0\","
		      "\"cooldown\":\"0\",\"every\":\"3h\",\"next_every\":\"2026-11-"
		      "24T12:05:00.500Z\","
		      "\"current_run\":null,\"runs\":0,\"failures\":0,\"last_run\":null}]"
		      ","
		      "\"refused\":[{\"file\":\"y.ini\",\"line\":0,\"message\":"
		      "\"writable by group\"},"
		      "{\"file\":\"z.ini\",\"line\":7,\"message\":\"unknown key `wacth`: "
		      "did you mean "
		      "`watch`?\"}],"
		      "\"warnings\":[\"x.ini:5: /box/bin/none is not installed yet\"]}";

static cJSON *status;

SET_UP
{
	setenv("LC_ALL", "C.UTF-8", 1);
	columns_init();
	status = json_parse(status_json, strlen(status_json));
	assert_non_null(status);
}

TEAR_DOWN
{
	cJSON_Delete(status);
}

static struct table
begin(size_t width)
{
	FILE *f = tmpfile();

	assert_non_null(f);
	return (struct table){ .out = f, .width = width, .now = NOON };
}

/* What was printed; no line of it is wider than the table. */
static const char *
end(const struct table *t)
{
	char line[1024];
	size_t n;

	rewind(t->out);
	while (fgets(line, sizeof(line), t->out) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		assert_true(t->colours || columns_width(line) <= t->width);
	}
	rewind(t->out);
	n = fread(said, 1, sizeof(said) - 1, t->out);
	said[n] = '\0';
	fclose(t->out);
	return said;
}

static const char *
status_in(size_t width)
{
	struct table t = begin(width);

	table_hide_root(status, "/box");
	table_status(&t, status);
	return end(&t);
}

static const char *
rule_in(int index, size_t width)
{
	struct table t = begin(width);

	table_hide_root(status, "/box");
	table_rule(&t,
	    cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(status, "rules"), index));
	return end(&t);
}

static const char status_80[] =
    "watchpathd 1.0.0, up since 08:30Z  Rules 5  Failed 0  Blocked 1  Running 1\n"
    "RULE   STATE                         LAST RUN     RESULT\n"
    "hosts  retrying 2 h 59 min           64 min ago   took longer than its timeout\n"
    "a-rule-whose-name-has-the-most-bytes-there-can-b\n"
    "       idle                          119 min ago  ok\n"
    "words  blocked                       never\n"
    "    /Library/Application Support/日本語/bin/send: writable by group and others\n"
    "    (mode 0777)\n"
    "busy   running (left over) for 12 s  never\n"
    "next   queued                        never\n"
    "    waits for the lock mdm, held by busy\n"
    "refused: y.ini: writable by group\n"
    "refused: z.ini:7: unknown key `wacth`: did you mean `watch`?\n"
    "warning: x.ini:5: /bin/none is not installed yet\n";

static const char status_200[] =
    "watchpathd 1.0.0, up since 08:30Z  Rules 5  Failed 0  Blocked 1  Running 1\n"
    "RULE   STATE                         LAST RUN     RESULT\n"
    "hosts  retrying 2 h 59 min           64 min ago   /usr/local/bin/send: cannot be "
    "started, as its interpreter is not installed: No such file or directory\n"
    "a-rule-whose-name-has-the-most-bytes-there-can-b\n"
    "       idle                          119 min ago  ok\n"
    "words  blocked                       never\n"
    "    /Library/Application Support/日本語/bin/send: writable by group and others "
    "(mode 0777)\n"
    "busy   running (left over) for 12 s  never\n"
    "next   queued                        never\n"
    "    waits for the lock mdm, held by busy\n"
    "refused: y.ini: writable by group\n"
    "refused: z.ini:7: unknown key `wacth`: did you mean `watch`?\n"
    "warning: x.ini:5: /bin/none is not installed yet\n";

static const char status_40[] = "watchpathd 1.0.0, up since 08:30Z\n"
				"Rules 5  Failed 0  Blocked 1  Running 1\n"
				"RULE  STATE        LAST RUN    RESULT\n"
				"hosts retrying 2…  64 min ago  took…\n"
				"a-rule-whose-name-has-the-most-bytes-the\n"
				"re-can-b\n"
				"      idle         119 min ago ok\n"
				"words blocked      never\n"
				"    /Library/Application\n"
				"    Support/日本語/bin/send: writable by\n"
				"    group and others (mode 0777)\n"
				"busy  running…     never\n"
				"next  queued       never\n"
				"    waits for the lock mdm, held by busy\n"
				"refused: y.ini: writable by group\n"
				"refused: z.ini:7: unknown key `wacth`:\n"
				"    did you mean `watch`?\n"
				"warning: x.ini:5: /bin/none is not\n"
				"    installed yet\n";

static const char rule_80[] =
    "rule         hosts\n"
    "description  Tell the MDM of new hosts\n"
    "file         hosts.ini:1\n"
    "state        retrying 2 h 59 min, a change is pending\n"
    "attempt      2\n"
    "action       /usr/bin/send --all\n"
    "watch        /etc/hosts: present\n"
    "watch        /d/*\n"
    "               /d/a: absent\n"
    "               /d/b: Permission denied\n"
    "watch        /e/*: no match\n"
    "watch        /g/*: 7 matches more than 1024\n"
    "               /d/a: absent\n"
    "settle       1s\n"
    "cooldown     10m\n"
    "runs         12, 1 failed\n"
    "last run     2026-11-24T10:54:44.100Z, change, attempt 1, took 20 s: took longer\n"
    "             than its timeout\n"
    "             modify of /etc/hosts, noticed 2026-11-24T10:54:42.597Z\n";

static const char rule_40[] = "rule         hosts\n"
			      "description  Tell the MDM of new hosts\n"
			      "file         hosts.ini:1\n"
			      "state        retrying 2 h 59 min, a\n"
			      "             change is pending\n"
			      "attempt      2\n"
			      "action       /usr/bin/send --all\n"
			      "watch        /etc/hosts: present\n"
			      "watch        /d/*\n"
			      "               /d/a: absent\n"
			      "               /d/b: Permission denied\n"
			      "watch        /e/*: no match\n"
			      "watch        /g/*: 7 matches more than\n"
			      "             1024\n"
			      "               /d/a: absent\n"
			      "settle       1s\n"
			      "cooldown     10m\n"
			      "runs         12, 1 failed\n"
			      "last run     2026-11-24T10:54:44.100Z,\n"
			      "             change, attempt 1, took 20\n"
			      "             s: took longer than its\n"
			      "             timeout\n"
			      "             modify of /etc/hosts,\n"
			      "             noticed\n"
			      "             2026-11-24T10:54:42.597Z\n";

static const char blocked[] =
    "rule         words\n"
    "description  日本語\n"
    "file         x.ini:9\n"
    "state        blocked, a change is pending\n"
    "problem      /Library/Application Support/日本語/bin/send: writable by group and "
    "others (mode 0777)\n"
    "attempt      1\n"
    "action       /bin/send\n"
    "settle       1s\n"
    "cooldown     10s\n"
    "runs         0, 0 failed\n"
    "last run     never\n";

static const char running[] =
    "rule         busy\n"
    "file         y.ini:1\n"
    "state        running (left over) for 12 s, since 2026-11-24T11:59:48.000Z, pid\n"
    "             123, run 1a2-8\n"
    "attempt      1\n"
    "action       /bin/act\n"
    "settle       1s\n"
    "cooldown     0\n"
    "every        3h\n"
    "runs         0, 0 failed\n"
    "last run     never\n";

static const char queued[] = "rule         next\n"
			     "file         y.ini:5\n"
			     "state        queued, a change is pending\n"
			     "waits for    the lock mdm, held by busy\n"
			     "attempt      1\n"
			     "action       /bin/act\n"
			     "settle       0\n"
			     "cooldown     0\n"
			     "every        3h, next in 5 min\n"
			     "runs         0, 0 failed\n"
			     "last run     never\n";

TEST(a_status_has_the_width_there_is)
{
	assert_string_equal(status_in(80), status_80);
	assert_string_equal(status_in(40), status_40);
}

TEST(what_a_column_has_beyond_its_least_width_goes_first)
{
	static const struct {
		size_t width;
		const char *row;
	} rows[] = {
		{ 70, "hosts  retrying 2 h 59 min           64 min ago   took longer "
		      "than…\n" },
		{ 60, "hosts  retrying 2 h 59 min        64 min ago   took longer…\n" },
		{ 50, "hosts retrying 2 h 59 min 64 min ago  took longer…\n" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_non_null(strstr(status_in(rows[i].width), rows[i].row));
}

TEST(a_long_result_is_whole_where_there_is_room)
{
	cJSON *rules = cJSON_GetObjectItemCaseSensitive(status, "rules"), *last;

	last = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(rules, 0), "last_run");
	cJSON_ReplaceItemInObjectCaseSensitive(last, "error",
	    cJSON_CreateString(
		"/box/usr/local/bin/send: cannot be started, as its "
		"interpreter is not installed: No such file or directory"));
	assert_string_equal(status_in(200), status_200);
	assert_non_null(strstr(status_in(80), " /usr/local/bin/send: cannot\u2026\n"));
}

TEST(a_rule_has_the_width_there_is)
{
	assert_string_equal(rule_in(0, 80), rule_80);
	assert_string_equal(rule_in(0, 40), rule_40);
	assert_string_equal(rule_in(2, 200), blocked);
}

TEST(what_is_running_or_queued_says_since_when_and_for_what)
{
	assert_string_equal(rule_in(3, 80), running);
	assert_string_equal(rule_in(4, 80), queued);
}

TEST(a_run_that_is_being_ended_says_how_long_it_took_until_now)
{
	cJSON *rules = cJSON_GetObjectItemCaseSensitive(status, "rules");

	cJSON_ReplaceItemInObjectCaseSensitive(
	    cJSON_GetArrayItem(rules, 3), "state", cJSON_CreateString("stopping"));
	assert_non_null(strstr(rule_in(3, 80), " stopping (left over) after 12 s,"));
}

/* Three runs, as the history has them, in that width. */
static const char *
history_in(size_t width)
{
	static const char *const lines[] = {
		RUN("change", "54:42.597", "54:44.100", "55:04.200", LATE),
		RUN("manual", "55:30.000", "55:30.000", "55:30.250", OK),
		RUN("timer", "56:00.000", "56:00.000", "59:00.000", OK),
	};
	static const char *const rules[] = { "hosts", "words",
		"a-rule-whose-name-has-the-most-bytes-there-can-b" };
	struct table t = begin(width);
	cJSON *runs[3];
	size_t i;

	for (i = 0; i < 3; i++) {
		runs[i] = json_parse(lines[i], strlen(lines[i]));
		assert_non_null(runs[i]);
		json_add_text(runs[i], "rule", rules[i]);
		table_hide_root(runs[i], "/box");
	}
	cJSON_DeleteItemFromObjectCaseSensitive(runs[1], "path");
	table_history(&t, runs, 3);
	for (i = 0; i < 3; i++)
		cJSON_Delete(runs[i]);
	return end(&t);
}

TEST(a_history_in_three_widths)
{
	static const char wide[] =
	    "ENDED       REASON  DELAY  TOOK   RESULT                        RULE\n"
	    "64 min ago  change  1.5 s  20 s   took longer than its timeout  hosts\n"
	    "    modify /etc/hosts\n"
	    "64 min ago  manual  0.0 s  0.2 s  ok                            words\n"
	    "61 min ago  timer   0.0 s  3 min  ok\n"
	    "    a-rule-whose-name-has-the-most-bytes-there-can-b\n"
	    "    modify /etc/hosts\n";

	assert_string_equal(history_in(80), wide);
	assert_string_equal(history_in(200), wide);
	assert_string_equal(history_in(40), "ENDED     REASON DELAY TOOK  RESU… RULE\n"
					    "64 min…   change 1.5 s 20 s  took… hosts\n"
					    "    modify /etc/hosts\n"
					    "64 min…   manual 0.0 s 0.2 s ok    words\n"
					    "61 min…   timer  0.0 s 3 min ok\n"
					    "    a-rule-whose-name-has-the-most-bytes\n"
					    "    -there-can-b\n"
					    "    modify /etc/hosts\n");
}

TEST(only_paths_below_the_root_lose_it)
{
	static const struct {
		const char *root, *text, *shown;
	} texts[] = {
		{ "/box", "/box/a and /box/b, `/box/c`, x=/box/d",
		    "/a and /b, `/c`, x=/d" },
		{ "/box", "/box: no", "/: no" },
		{ "/box", "/box", "/" },
		{ "/box", "/box2/a /tmp/box/a //box/a", "/box2/a /tmp/box/a //box/a" },
		{ "/my box", "/my box/a", "/a" },
		{ "", "/box/a", "/box/a" },
		{ NULL, "/box/a", "/box/a" },
	};
	cJSON *o;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		o = cJSON_CreateObject();
		cJSON_AddItemToArray(
		    cJSON_AddArrayToObject(o, "list"), cJSON_CreateString(texts[i].text));
		table_hide_root(o, texts[i].root);
		assert_string_equal(
		    cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(o, "list"), 0)
			->valuestring,
		    texts[i].shown);
		cJSON_Delete(o);
	}
}

TEST(without_rules_it_says_where_they_would_be)
{
	cJSON_ReplaceItemInObjectCaseSensitive(status, "rules", cJSON_CreateArray());
	cJSON_ReplaceItemInObjectCaseSensitive(
	    status, "started", cJSON_CreateString("2026-11-22T08:30:00.000Z"));
	assert_non_null(strstr(status_in(80),
	    "watchpathd 1.0.0, up since 2026-11-22  Rules 0  Failed 0  Blocked 0  "
	    "Running 0\nno rules in /etc/watchpathd/conf.d\nrefused: y.ini"));
}

TEST(colours_are_around_what_they_mark)
{
	struct table t = begin(80);

	t.colours = true;
	table_rule(
	    &t, cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(status, "rules"), 2));
	assert_non_null(strstr(
	    end(&t), "\033[31mstate        blocked, a change is pending\n\033[0m"));
	t = begin(80);
	t.colours = true;
	table_status(&t, status);
	assert_non_null(strstr(
	    end(&t), "words  \033[31mblocked\033[0m                       never\n"));
}

TEST(lengths_are_as_people_say_them)
{
	static const struct {
		int64_t ms;
		const char *text;
	} lengths[] = { { -1, "0 s" }, { 0, "0.0 s" }, { 9940, "9.9 s" },
		{ 12999, "12 s" }, { 119999, "119 s" }, { 120000, "2 min" },
		{ 7199999, "119 min" }, { 7200000, "2 h 0 min" },
		{ 172799999, "47 h 59 min" }, { 172800000, "2 d 0 h" } };
	char text[TABLE_LENGTH_SIZE];
	size_t i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		table_length(text, lengths[i].ms * 1000000);
		assert_string_equal(text, lengths[i].text);
	}
}

SET_UP_ALL
{
	json_init();
}
