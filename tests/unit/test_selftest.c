/* SPDX-License-Identifier: MIT */
/*
 * Probes that find something, on purpose: what `selftest` makes of them, and that
 * nothing is left of any.
 */
#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/event.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/machine.h"
#include "cmd/selftest.h"
#include "cmd/selftest_kept.h"
#include "cmd/selftest_probes.h"
#include "test.h"

/*
 * The calendar, which the probes of the clock set: shared with them. follows: our own
 * clock moves with it, as CLOCK_MONOTONIC of macOS does while it is being set.
 */
static struct {
	int64_t step_ns, asleep_ns;
	bool follows, stops, denied;
	int set; /* so many times */
} * calendar;

#ifdef __APPLE__
#define OUR_CLOCK CLOCK_MONOTONIC_RAW
#else
#define OUR_CLOCK CLOCK_BOOTTIME
#endif

static __typeof__(&clock_gettime) libc_clock;

/* A sanitizer's allocator asks for the time while it is locked: dlsym needs it. */
static __attribute__((constructor)) void
find_clock(void)
{
	libc_clock = LIBC(clock_gettime);
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int64_t ns = 0;

	*ts = (struct timespec){ 0, 0 };
	if (libc_clock == NULL || libc_clock(id, ts) == -1)
		return 0;
	if (calendar == NULL)
		return 0;
	if (id == CLOCK_REALTIME || (id == OUR_CLOCK && calendar->follows))
		ns += calendar->step_ns;
	if (id == CLOCK_REALTIME || (id == OUR_CLOCK && !calendar->stops))
		ns += access("asleep", F_OK) == 0 ? calendar->asleep_ns : 0;
	ts->tv_sec += ns / MONO_SEC;
	return 0;
}

int
clock_settime(clockid_t id, const struct timespec *ts)
{
	struct timespec now;

	if (calendar->denied) {
		errno = EPERM;
		return -1;
	}
	libc_clock(id, &now);
	calendar->step_ns = (ts->tv_sec - now.tv_sec) * MONO_SEC;
	calendar->set++;
	return 0;
}

/* What the probe is told to send the machine to sleep with: the clock finds the file. */
const char *const machine_sleep_command = ": >asleep";

static char sandbox[SANDBOX_SIZE];
static struct selftest *place;
static struct selftest_result result;

static void
try_probe(enum level level, void (*run)(struct trial *t))
{
	const struct probe p = { "id", "1.1", level, "a sentence", .run = run };

	selftest_result_clear(&result);
	result = selftest_try(place, &p);
}

static void
try_script(const char *script)
{
	const struct probe p = { "id", "1.1", REQUIRED, "a sentence", .script = script };

	selftest_result_clear(&result);
	result = selftest_try(place, &p);
}

static bool
is_result(enum outcome outcome, const char *note)
{
	if (result.outcome == outcome && strcmp(result.note, note) == 0)
		return true;
	printf("# outcome %d: %s\n", (int)result.outcome, result.note);
	return false;
}

SET_UP_ALL
{
	calendar = mmap(NULL, sizeof(*calendar), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(calendar != MAP_FAILED);
}

SET_UP
{
	memset(calendar, 0, sizeof(*calendar));
	json_init();
	make_sandbox(sandbox);
	place = selftest_new(sandbox, STDERR_FILENO);
	assert_non_null(place);
}

TEAR_DOWN
{
	selftest_result_clear(&result);
	selftest_free(place);
	/* Nothing is left in it. */
	assert_int_equal(rmdir(sandbox), 0);
}

static void
leave_all(struct trial *t)
{
	trial_note(t, "left");
	trial_did(t, mkdir("a", 0700), "mkdir");
	trial_did(t, mkdir("a/b", 0700), "mkdir");
	trial_make(t, "a/b/file", "text");
	trial_did(t, symlink("/", "a/link"), "symlink");
	trial_did(t, mkfifo("a/fifo", 0000), "mkfifo");
}

TEST(what_a_probe_leaves_is_removed)
{
	try_probe(REQUIRED, leave_all);
	assert_true(is_result(OUTCOME_OK, "left"));
	try_probe(REQUIRED, leave_all);
	assert_true(is_result(OUTCOME_OK, "left"));
}

/* Whoever owns the directory above can move the place away, and put a link there. */
static void
write_where_it_is(struct trial *t)
{
	trial_make(t, "file", "of a probe");
	trial_did(t, chmod(".", 0777), "chmod");
	trial_check(t, access("file", F_OK) == 0, "the file is where the probe is");
}

TEST(what_is_put_in_the_places_place_is_left_alone)
{
	char moved[SANDBOX_SIZE + 16], theirs[SANDBOX_SIZE + 16], file[SANDBOX_SIZE + 32];
	struct stat st;
	FILE *f;

	snprintf(moved, sizeof(moved), "%s/moved", sandbox);
	snprintf(theirs, sizeof(theirs), "%s/theirs", sandbox);
	snprintf(file, sizeof(file), "%s/probe/file", theirs);
	assert_int_equal(mkdir(theirs, 0700), 0);
	file[strlen(file) - strlen("/file")] = '\0';
	assert_int_equal(mkdir(file, 0700), 0);
	strcat(file, "/file");
	f = fopen(file, "w");
	assert_non_null(f);
	fputs("theirs", f);
	fclose(f);
	assert_int_equal(rename(selftest_dir(place), moved), 0);
	assert_int_equal(symlink(theirs, selftest_dir(place)), 0);
	try_probe(REQUIRED, write_where_it_is);
	assert_true(is_result(OUTCOME_OK, ""));
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_size, strlen("theirs"));
	unlink(file);
	file[strlen(file) - strlen("/file")] = '\0';
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	rmdir(file);
	rmdir(theirs);
	unlink(selftest_dir(place));
	assert_int_equal(rename(moved, selftest_dir(place)), 0);
}

static void
want_write(struct trial *t)
{
	struct knote *file;

	trial_make(t, "file", "text");
	file = trial_watch(t, "file");
	trial_did(t, chmod("file", 0600), "chmod");
	trial_expect(t, file, NOTE_WRITE, NOTE_ATTRIB);
}

static void
return_early(struct trial *t)
{
	trial_make(t, "file", "text");
}

TEST(a_probe_that_finds_nothing_out_has_failed)
{
	try_probe(RECORD, return_early);
	assert_true(is_result(OUTCOME_FAILED, "nothing was tried"));
	try_script("make file; watch file");
	assert_true(is_result(OUTCOME_FAILED, "nothing was tried"));
}

TEST(an_event_that_does_not_come_is_a_failure)
{
	try_probe(REQUIRED, want_write);
	assert_true(is_result(OUTCOME_FAILED, "file: ATTRIB, not WRITE"));
	assert_string_equal(json_get_string(result.events, "file"), "ATTRIB");
}

TEST(a_script_does_its_steps_one_after_the_other)
{
	try_script("make file; watch file; chmod file 0600; file: ATTRIB; file:");
	assert_true(is_result(OUTCOME_OK, ""));
	assert_string_equal(json_get_string(result.events, "file"), "ATTRIB, nothing");
	try_script("make file; watch file; append file; file: ATTRIB ?WRITE");
	assert_true(is_result(OUTCOME_FAILED, "file: WRITE, not ATTRIB"));
	try_script("make file; watch file; append file; file: any ATTRIB WRITE");
	assert_true(is_result(OUTCOME_OK, ""));
	try_script("rmdir missing");
	assert_true(is_result(OUTCOME_FAILED, "rmdir: No such file or directory"));
}

TEST(a_script_with_an_unknown_word_fails)
{
	try_script("open file");
	assert_true(is_result(OUTCOME_FAILED, "open: Invalid argument"));
	try_script("make file; file: WRITE");
	assert_true(is_result(OUTCOME_FAILED, "file: not watched"));
	try_script("make file; watch file; append file; file: WROTE");
	assert_int_equal(result.outcome, OUTCOME_FAILED);
}

static void
want_nothing(struct trial *t)
{
	struct knote *file;

	trial_make(t, "file", "text");
	file = trial_watch(t, "file");
	trial_did(t, chmod("file", 0600), "chmod");
	trial_expect(t, file, 0, 0);
}

TEST(one_that_comes_and_need_not_is_odd)
{
	try_probe(REQUIRED, want_nothing);
	assert_true(is_result(OUTCOME_ODD, "file: ATTRIB, not nothing"));
}

static void
want_any(struct trial *t)
{
	struct knote *file;

	trial_make(t, "file", "text");
	file = trial_watch(t, "file");
	trial_expect_any(t, file, NOTE_WRITE | NOTE_LINK);
}

TEST(one_of_several_events_has_to_come)
{
	try_probe(REQUIRED, want_any);
	assert_true(is_result(OUTCOME_FAILED, "file: nothing, not WRITE LINK"));
}

/* Finds it only the first time: somebody else may have had the file. */
static void
odd_once(struct trial *t)
{
	int fd = open("../tried", O_CREAT | O_EXCL | O_WRONLY, 0600);

	trial_check(t, true, "it is tried");
	if (fd != -1)
		trial_odd(t, "somebody was there");
}

TEST(what_is_odd_is_tried_again)
{
	try_probe(EXPECTED, odd_once);
	assert_true(is_result(OUTCOME_OK, ""));
}

static void
fail_once(struct trial *t)
{
	int fd = open("../tried", O_CREAT | O_EXCL | O_WRONLY, 0600);

	trial_check(t, fd == -1, "it was tried before");
}

TEST(what_is_required_has_to_hold_at_once)
{
	try_probe(REQUIRED, fail_once);
	assert_true(is_result(OUTCOME_FAILED, "not so: it was tried before"));
}

static void
fail_a_call(struct trial *t)
{
	trial_did(t, chdir("missing"), "chdir");
	trial_skip(t, "there is more");
}

TEST(a_failed_call_says_why_and_counts_more_than_a_skip)
{
	try_probe(REQUIRED, fail_a_call);
	assert_true(
	    is_result(OUTCOME_FAILED, "chdir: No such file or directory; there is more"));
}

static void
hang(struct trial *t)
{
	(void)t;
	alarm(1);
	for (;;)
		pause();
}

TEST(a_probe_that_hangs_is_ended)
{
	try_probe(REQUIRED, hang);
	assert_true(is_result(OUTCOME_FAILED, "ended by signal 14"));
}

static void
leave_early(struct trial *t)
{
	(void)t;
	_exit(0);
}

TEST(a_probe_that_says_nothing_has_failed)
{
	try_probe(REQUIRED, leave_early);
	assert_true(is_result(OUTCOME_FAILED, "ended without a word"));
}

static void
stop_the_loop(struct trial *t)
{
	struct knote *file;

	trial_make(t, "file", "text");
	file = trial_watch(t, "file");
	/* Nobody is left who could tell. */
	loop_free(t->loop);
	t->loop = loop_new();
	trial_append(t, "file", "more");
	trial_expect(t, file, NOTE_WRITE, 0);
}

TEST(a_loop_that_forgets_is_noticed)
{
	try_probe(REQUIRED, stop_the_loop);
	assert_true(is_result(OUTCOME_FAILED, "file: nothing, not WRITE"));
}

TEST(a_place_that_cannot_be_made_is_an_error)
{
	assert_null(selftest_new("/nonexistent", STDERR_FILENO));
}

TEST(a_result_is_kept_where_nobody_else_writes)
{
	const struct trust trust = { .owner = geteuid() };
	struct selftest_kept kept;
	char why[TRUST_WHY_SIZE], file[SANDBOX_SIZE + 32];

	assert_true(selftest_keep(&trust, sandbox,
	    "{\"system\":\"Plan 9\",\"probes\":[{\"id\":\"a\",\"level\":\"required\","
	    "\"result\":\"failed\"},{\"id\":\"b\",\"level\":\"expected\",\"result\":"
	    "\"failed\"},{\"id\":\"c\",\"level\":\"required\",\"result\":\"ok\"}]}",
	    why));
	assert_true(selftest_read_kept(sandbox, &kept));
	assert_string_equal(kept.system, "Plan 9");
	assert_int_equal(kept.failed.n, 1);
	assert_string_equal(kept.failed.v[0], "a");
	selftest_kept_clear(&kept);
	snprintf(file, sizeof(file), "%s/selftest.json", sandbox);
	must(unlink(file));
	assert_true(selftest_read_kept(sandbox, &kept));
	assert_null(kept.system);
}

TEST(elsewhere_it_is_not_kept)
{
	const struct trust trust = { .owner = geteuid() };
	char why[TRUST_WHY_SIZE], file[SANDBOX_SIZE + 32];

	must(chmod(sandbox, 0770));
	assert_false(selftest_keep(&trust, sandbox, "{}", why));
	assert_non_null(strstr(why, "writable by group"));
	must(chmod(sandbox, 0755));
	assert_false(selftest_keep(&trust, sandbox, "{}", why));
	assert_non_null(strstr(why, ": its mode is not 0700"));
	must(chmod(sandbox, 0700));
	snprintf(file, sizeof(file), "%s/missing", sandbox);
	assert_false(selftest_keep(&trust, file, "{}", why));
	assert_non_null(strstr(why, "/missing: there is none"));
	snprintf(file, sizeof(file), "%s/selftest.json", sandbox);
	must(mkdir(file, 0700));
	assert_false(selftest_keep(&trust, sandbox, "{}", why));
	assert_non_null(strstr(why, "selftest.json: "));
	must(rmdir(file));
}

/* Tries the probe of that name. */
static void
try_clock(const char *id)
{
	const struct probe *p = selftest_clock;

	while (strcmp(p->id, id) != 0)
		p++;
	selftest_result_clear(&result);
	result = selftest_try(place, p);
}

TEST(the_clock_is_set_only_when_asked_to)
{
	try_clock("clock-set");
	assert_int_equal(result.outcome, OUTCOME_SKIPPED);
	assert_non_null(strstr(result.note, "--clock"));
	try_clock("sleep");
	assert_int_equal(result.outcome, OUTCOME_SKIPPED);
	assert_non_null(strstr(result.note, "--sleep"));
	assert_int_equal(calendar->set, 0);
}

TEST(a_clock_that_moves_with_the_calendar_is_noticed)
{
	selftest_allow(place, false, true);
	try_clock("clock-set");
	assert_int_equal(result.outcome, OUTCOME_OK);
	assert_int_equal(calendar->set, 2);
	assert_true(calendar->step_ns / MONO_SEC <= 1);
	calendar->follows = true;
	try_clock("clock-set");
	assert_int_equal(result.outcome, OUTCOME_FAILED);
	assert_non_null(strstr(result.note, "our clock does not move"));
	assert_int_equal(calendar->set, 4);
	calendar->denied = true;
	try_clock("clock-set");
	assert_true(is_result(OUTCOME_SKIPPED, "only root may set the clock"));
}

TEST(a_clock_that_stops_in_sleep_is_noticed)
{
	selftest_allow(place, true, false);
	calendar->asleep_ns = 60 * MONO_SEC;
	try_clock("sleep");
	assert_true(is_result(OUTCOME_OK, "it slept for 60 s"));
	calendar->stops = true;
	try_clock("sleep");
	assert_int_equal(result.outcome, OUTCOME_FAILED);
	assert_non_null(strstr(result.note, "our clock counts through sleep"));
}
