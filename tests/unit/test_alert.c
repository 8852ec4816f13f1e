/* SPDX-License-Identifier: MIT */
/*
 * When somebody hears of a rule. Time is an argument, so that hours pass at once.
 */
#include "schedule/alert.h"
#include "test.h"

#define MINUTE (60 * MONO_SEC)
#define HOUR (60 * MINUTE)

static const struct alert_facts failing = { .failing = true };
static const struct alert_facts stuck = { .stuck = true };
static const struct alert_facts well = { .well = true };
static const struct alert_facts neither = { .well = false };

static struct alert a;
static mono_t now;

SET_UP
{
	alert_init(&a, false);
	now = (mono_t){ 1000 * MONO_SEC };
}

static void
pass(int64_t time)
{
	now = mono_add(now, time);
}

/* Is this, and at once, what is to be said? Then it is, or cannot be. */
static void
says(enum alert_word word, bool ok, const struct alert_facts *then)
{
	assert_int_equal(alert_next(&a, now), word);
	assert_false(mono_before(now, alert_deadline(&a)));
	alert_start(&a);
	assert_int_equal(alert_next(&a, now), ALERT_NOTHING);
	assert_true(mono_is_never(alert_deadline(&a)));
	alert_end(&a, ok, now);
	alert_note(&a, then, now);
}

static void
is_quiet(void)
{
	assert_int_equal(alert_next(&a, now), ALERT_NOTHING);
	assert_true(mono_is_never(alert_deadline(&a)));
}

TEST(a_rule_that_fails_and_recovers_is_reported_once_each)
{
	is_quiet();
	alert_note(&a, &neither, now);
	is_quiet();
	alert_note(&a, &failing, now);
	says(ALERT_FAILING, true, &failing);
	assert_true(a.raised);
	pass(HOUR);
	alert_run_failed(&a, now);
	alert_note(&a, &failing, now);
	is_quiet();
	alert_note(&a, &neither, now);
	is_quiet();
	alert_note(&a, &well, now);
	says(ALERT_RECOVERED, true, &well);
	assert_false(a.raised);
	alert_note(&a, &well, now);
	is_quiet();
	alert_note(&a, &failing, now);
	says(ALERT_FAILING, true, &failing);
}

TEST(what_nobody_knows_of_needs_no_recovery)
{
	alert_note(&a, &failing, now);
	alert_note(&a, &well, now);
	is_quiet();
}

TEST(an_alert_that_fails_is_tried_again_after_an_hour)
{
	alert_note(&a, &failing, now);
	says(ALERT_FAILING, false, &failing);
	assert_false(a.raised);
	pass(HOUR - 1);
	alert_note(&a, &failing, now);
	assert_int_equal(alert_next(&a, now), ALERT_NOTHING);
	pass(1);
	says(ALERT_FAILING, false, &failing);
	pass(HOUR);
	says(ALERT_FAILING, true, &failing);
	is_quiet();
}

TEST(an_alert_that_fails_is_tried_again_after_the_next_failure)
{
	alert_note(&a, &failing, now);
	says(ALERT_FAILING, false, &failing);
	pass(MINUTE);
	alert_run_failed(&a, now);
	says(ALERT_FAILING, true, &failing);
}

TEST(an_alert_that_failed_is_tried_again_until_the_rule_is_well)
{
	alert_note(&a, &failing, now);
	says(ALERT_FAILING, false, &failing);
	/* A new change has given the rule its full budget again. */
	alert_note(&a, &neither, now);
	pass(HOUR);
	says(ALERT_FAILING, false, &neither);
	alert_note(&a, &well, now);
	is_quiet();
}

TEST(a_recovery_that_could_not_be_said_is_tried_again)
{
	alert_init(&a, true);
	alert_note(&a, &well, now);
	says(ALERT_RECOVERED, false, &well);
	pass(HOUR);
	says(ALERT_RECOVERED, true, &well);
	is_quiet();
}

TEST(a_recovery_that_became_untrue_is_not_said)
{
	alert_init(&a, true);
	alert_note(&a, &well, now);
	says(ALERT_RECOVERED, false, &well);
	alert_note(&a, &failing, now);
	is_quiet();
	assert_true(a.raised);
}

TEST(a_rule_that_recovers_during_the_alert_is_reported_afterwards)
{
	alert_note(&a, &failing, now);
	alert_start(&a);
	alert_note(&a, &well, now);
	alert_end(&a, true, now);
	alert_note(&a, &well, now);
	says(ALERT_RECOVERED, true, &well);
	/* If the alert fails there is nothing left to say. */
	alert_note(&a, &failing, now);
	alert_start(&a);
	alert_note(&a, &well, now);
	alert_end(&a, false, now);
	alert_note(&a, &well, now);
	is_quiet();
}

TEST(a_rule_that_fails_during_the_alert_of_its_recovery_is_reported_again)
{
	alert_init(&a, true);
	alert_note(&a, &well, now);
	alert_start(&a);
	alert_note(&a, &failing, now);
	alert_end(&a, true, now);
	alert_note(&a, &failing, now);
	says(ALERT_FAILING, true, &failing);
}

TEST(a_rule_that_is_stuck_for_ten_minutes_counts_as_failing)
{
	alert_note(&a, &stuck, now);
	assert_int_equal(mono_sub(alert_deadline(&a), now), 10 * MINUTE);
	pass(10 * MINUTE - 1);
	alert_note(&a, &stuck, now);
	assert_int_equal(alert_next(&a, now), ALERT_NOTHING);
	pass(1);
	alert_note(&a, &stuck, now);
	says(ALERT_FAILING, true, &stuck);
	is_quiet();
	/* It is blocked no longer; but it has not run yet. */
	alert_note(&a, &neither, now);
	is_quiet();
	alert_note(&a, &well, now);
	says(ALERT_RECOVERED, true, &well);
}

TEST(a_rule_that_is_stuck_again_has_its_ten_minutes_again)
{
	alert_note(&a, &stuck, now);
	pass(9 * MINUTE);
	alert_note(&a, &neither, now);
	is_quiet();
	alert_note(&a, &stuck, now);
	pass(9 * MINUTE);
	alert_note(&a, &stuck, now);
	assert_int_equal(alert_next(&a, now), ALERT_NOTHING);
	pass(MINUTE);
	alert_note(&a, &stuck, now);
	assert_int_equal(alert_next(&a, now), ALERT_FAILING);
}

TEST(what_was_said_in_an_earlier_life_is_not_said_again)
{
	alert_init(&a, true);
	alert_note(&a, &failing, now);
	is_quiet();
	alert_note(&a, &well, now);
	says(ALERT_RECOVERED, true, &well);
}

TEST(an_alert_waits_for_room)
{
	alert_note(&a, &failing, now);
	alert_put_off(&a, mono_add(now, MONO_SEC));
	assert_int_equal(alert_next(&a, now), ALERT_NOTHING);
	assert_int_equal(mono_sub(alert_deadline(&a), now), MONO_SEC);
	pass(MONO_SEC);
	says(ALERT_FAILING, true, &failing);
}

TEST(words_have_names)
{
	assert_string_equal(alert_name(ALERT_NOTHING), "nothing");
	assert_string_equal(alert_name(ALERT_FAILING), "failing");
	assert_string_equal(alert_name(ALERT_RECOVERED), "recovered");
}
