/* SPDX-License-Identifier: MIT */
/*
 * A rule in force: a change becomes a run, what is reported of it, waiting for a
 * program, and what outlives the daemon. When runs are due is in test_dispatch.c.
 */
#include "engine.h"

#include <cJSON.h>
#include <signal.h>
#include <sys/stat.h>

#define RULE "[r]\nwatch = /f\nsettle = 0\ncooldown = 0\nlog-output = no\n"

SET_UP
{
	begin_engine();
	must(mkdir(at("/bin"), 0755));
	put_file("/bin/good", "#!/bin/sh\nexit 0\n", 0755);
	put_file("/bin/bad", "#!/bin/sh\nexit 3\n", 0755);
}

TEAR_DOWN
{
	end_engine();
}

static const cJSON *
last_run(const char *member)
{
	const cJSON *item =
	    cJSON_GetObjectItemCaseSensitive(info_of("r").last_run, member);

	assert_non_null(item);
	return item;
}

static char logged[1024];

static void
on_line(enum log_level level, const char *line)
{
	(void)level;
	strncat(logged, line, sizeof(logged) - strlen(logged) - 1);
	strncat(logged, "\n", sizeof(logged) - strlen(logged) - 1);
}

TEST(a_new_rule_logs_the_words_of_its_actions)
{
	log_set_level(LOG_LEVEL_INFO);
	log_set_sink(on_line);
	load_rules("x.ini", RULE "action = /bin/good --to \"a b\"\naction = /bin/bad\n");
	log_set_sink(NULL);
	assert_string_equal(logged, "r: action: /bin/good --to 'a b'\n"
				    "r: action: /bin/bad\n");
}

TEST(a_change_becomes_a_run_that_says_what_it_answers)
{
	load_rules("x.ini", RULE "action = /bin/good\n");
	put_file("/f", "1", 0600);
	wait_runs("r", 1);
	assert_string_equal(last_run("reason")->valuestring, "change");
	assert_string_equal(last_run("path")->valuestring, at("/f"));
	assert_string_equal(last_run("change")->valuestring, "create");
	assert_int_equal(last_run("exit")->valueint, 0);
	assert_true(cJSON_IsTrue(last_run("ok")));
	assert_int_equal(info_of("r").state, STATE_IDLE);
	put_file("/f", "12", 0600);
	wait_runs("r", 2);
	assert_string_equal(last_run("change")->valuestring, "modify");
	assert_int_equal(info_of("r").failures, 0);
}

TEST(a_failed_run_is_counted_and_tried_again)
{
	load_rules("x.ini", RULE "action = /bin/bad\nretry = 1\nretry-delay = 10ms\n");
	put_file("/f", "1", 0600);
	wait_runs("r", 2);
	assert_string_equal(last_run("reason")->valuestring, "retry");
	assert_int_equal(last_run("attempt")->valueint, 2);
	assert_int_equal(last_run("exit")->valueint, 3);
	assert_int_equal(info_of("r").failures, 2);
	assert_int_equal(info_of("r").state, STATE_FAILED);
}

TEST(a_retry_after_verify_alone_failed_does_not_repeat_the_action)
{
	put_file("/bin/count", "#!/bin/sh\necho >>\"$WATCHPATHD_PATH.count\"\n", 0755);
	put_file("/bin/there", "#!/bin/sh\ntest -e \"$WATCHPATHD_PATH.there\"\n", 0755);
	load_rules("x.ini",
	    RULE "action = /bin/count\nverify = /bin/there\nretry-delay = 10ms\n");
	put_file("/f", "1", 0600);
	wait_runs("r", 1);
	put_file("/f.there", "", 0600);
	while (info_of("r").state != STATE_IDLE)
		turn_engine();
	assert_true(cJSON_IsTrue(last_run("ok")));
	/* verify alone went well in the last run: the action was not run in it. */
	assert_true(cJSON_IsNull(last_run("exit")));
	assert_int_equal(last_run("verify")->valueint, 0);
}

TEST(a_rule_that_lost_its_verify_runs_its_action_again)
{
	load_rules(
	    "x.ini", RULE "action = /bin/good\nverify = /bin/bad\nretry-delay = 1h\n");
	put_file("/f", "1", 0600);
	wait_runs("r", 1);
	job_save(ruleset_find(&engine.rules, "r"));
	stop_engine();
	start_engine();
	load_rules("x.ini", RULE "action = /bin/good\nretry-delay = 10ms\n");
	wait_runs("r", 2);
	assert_string_equal(last_run("reason")->valuestring, "retry");
	assert_int_equal(last_run("exit")->valueint, 0);
	assert_true(cJSON_IsTrue(last_run("ok")));
}

TEST(a_rule_without_a_program_waits_until_one_is_there)
{
	struct job *j;
	char *problem;

	load_rules("x.ini", RULE "action = /bin/later\n");
	put_file("/f", "1", 0600);
	while (info_of("r").state != STATE_BLOCKED)
		turn_engine();
	j = ruleset_find(&engine.rules, "r");
	problem = job_problem(j);
	assert_non_null(strstr(problem, "/bin/later"));
	free(problem);
	assert_true(info_of("r").pending);
	put_file("/bin/later", "#!/bin/sh\nexit 0\n", 0755);
	job_judge(j);
	wait_runs("r", 1);
	assert_false(info_of("r").pending);
}

TEST(who_asks_for_a_run_gets_the_id_of_that_run)
{
	struct job *j;
	const char *why, *id;
	char kept[RUN_ID_SIZE];

	load_rules("x.ini", RULE "action = /bin/good\n");
	j = ruleset_find(&engine.rules, "r");
	id = job_trigger(j, &why);
	assert_non_null(id);
	snprintf(kept, sizeof(kept), "%s", id);
	/* Who asks before it has started is promised the same one. */
	assert_string_equal(job_trigger(j, &why), kept);
	assert_int_equal(job_promise(j, kept), PROMISE_WAITING);
	wait_runs("r", 1);
	assert_string_equal(last_run("run")->valuestring, kept);
	assert_string_equal(last_run("reason")->valuestring, "manual");
	assert_int_equal(job_promise(j, kept), PROMISE_ENDED);
	assert_int_equal(job_promise(j, "1-1-1"), PROMISE_UNKNOWN);
}

TEST(a_disabled_rule_is_not_run_for_who_asks)
{
	const char *why;

	load_rules("x.ini", RULE "action = /bin/good\nenabled = no\n");
	assert_null(job_trigger(ruleset_find(&engine.rules, "r"), &why));
	assert_string_equal(why, "it is disabled");
}

TEST(counts_and_what_is_owed_outlive_the_daemon)
{
	struct job *j;

	load_rules("x.ini", RULE "action = /bin/good\n");
	put_file("/f", "1", 0600);
	wait_runs("r", 1);
	j = ruleset_find(&engine.rules, "r");
	job_save(j);
	stop_engine();
	put_file("/f", "12", 0600);
	start_engine();
	load_rules("x.ini", RULE "action = /bin/good\n");
	assert_int_equal(info_of("r").runs, 1);
	assert_true(info_of("r").pending);
	wait_runs("r", 2);
	assert_string_equal(last_run("reason")->valuestring, "change");
}

/* Names of bytes that are no text make the longest lines. */
TEST(a_long_record_is_not_saved_again_soon)
{
	char name[224] = "/d/", file[128];
	struct job *j;
	struct stat st;
	mono_t before;
	int i;

	memset(name + 3, '\377', sizeof(name) - 4);
	must(mkdir(at("/d"), 0755));
	for (i = 0; i < 100; i++) {
		name[3] = (char)('0' + i / 10);
		name[4] = (char)('0' + i % 10);
		put_file(name, "", 0600);
	}
	load_rules("x.ini", "[r]\nwatch = /d/*\naction = /bin/good\n");
	snprintf(file, sizeof(file), "%s/state.jsonl", engine.state);
	must(stat(file, &st));
	j = ruleset_find(&engine.rules, "r");
	before = mono_now();
	job_save(j);
	job_save_later(j);
	/* A microsecond a byte. */
	assert_true(st.st_size > 20000);
	assert_true(mono_sub(heap_next(&engine.world.saves), before) >=
		    (int64_t)st.st_size * 1000);
}

static void
fail_once_more(const char *text)
{
	uint64_t runs = info_of("r").runs;

	put_file("/f", text, 0600);
	wait_runs("r", runs + 1);
}

static void
wait_alerted(void)
{
	while (!info_of("r").alerted)
		turn_engine();
}

TEST(an_alert_that_a_rule_gets_later_tells_of_it)
{
	load_rules("x.ini", RULE "action = /bin/bad\nretry = 0\n");
	fail_once_more("1");
	load_rules("x.ini", RULE "action = /bin/bad\nretry = 0\nalert = /bin/good\n");
	assert_false(info_of("r").alerted);
	fail_once_more("12");
	wait_alerted();
}

TEST(what_was_told_stays_known_when_the_rule_names_no_alert)
{
	load_rules("x.ini", RULE "action = /bin/bad\nretry = 0\nalert = /bin/good\n");
	fail_once_more("1");
	wait_alerted();
	load_rules("x.ini", RULE "action = /bin/bad\nretry = 0\n");
	assert_true(info_of("r").alerted);
	stop_engine();
	start_engine();
	load_rules("x.ini", RULE "action = /bin/bad\nretry = 0\n");
	assert_true(info_of("r").alerted);
}

TEST(the_environment_of_an_action_says_what_it_is_about)
{
	char text[4096];
	ssize_t n;
	int fd;

	put_file("/bin/env", "#!/bin/sh\nenv | sort >\"$WATCHPATHD_ROOT/out\"\n", 0755);
	setenv("LEAKED", "yes", 1);
	load_rules("x.ini", RULE "action = /bin/env\nenvironment = A=b\n");
	put_file("/f", "1", 0600);
	wait_runs("r", 1);
	fd = open(at("/out"), O_RDONLY);
	must(fd);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "A=b\n"));
	assert_non_null(strstr(text, "WATCHPATHD_ATTEMPT=1\n"));
	assert_non_null(strstr(text, "WATCHPATHD_CHANGE=create\n"));
	assert_non_null(strstr(text, "WATCHPATHD_REASON=change\n"));
	assert_non_null(strstr(text, "WATCHPATHD_RULE=r\n"));
	assert_null(strstr(text, "LEAKED"));
}
