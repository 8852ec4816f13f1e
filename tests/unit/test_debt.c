/* SPDX-License-Identifier: MIT */
/*
 * Whose work is next, with a clock of the test's own: many accounts that always
 * have work, and few that seldom do.
 */
#include "test.h"

#include <string.h>

#include "base/mono.h"
#include "watch/debt.h"

#define NOISY 50

static struct debts all;
static struct debt a, b, c, noisy[NOISY];
static mono_t now;

SET_UP
{
	debts_init(&all);
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	memset(&c, 0, sizeof(c));
	memset(noisy, 0, sizeof(noisy));
	now = (mono_t){ 1000 * MONO_SEC };
}

TEAR_DOWN
{
	heap_clear(&all.debtors);
}

static void
pass(int64_t ns)
{
	now = mono_add(now, ns);
}

static void
work(struct debt *d, uint64_t n)
{
	debt_charge(&all, d, n, now);
}

static void
ask(struct debt *d)
{
	debt_ask(&all, d, now);
}

#define assert_next(d) assert_ptr_equal(debts_next(&all, now), d)

TEST(who_owes_nothing_is_served_in_the_order_of_asking)
{
	assert_next(NULL);
	ask(&b);
	ask(&a);
	ask(&b);
	ask(&c);
	assert_int_equal(debts_deadline(&all).ns, INT64_MIN);
	assert_next(&b);
	assert_next(&a);
	ask(&a);
	assert_next(&c);
	assert_next(&a);
	assert_next(NULL);
	assert_true(mono_is_never(debts_deadline(&all)));
}

TEST(a_few_looks_are_nothing_to_wait_for)
{
	int i;

	for (i = 0; i < 8; i++) {
		ask(&a);
		assert_next(&a);
		work(&a, DEBT_CREDIT / 8 + 1);
	}
	ask(&a);
	assert_next(NULL);
}

TEST(much_work_is_paid_off_before_there_is_more)
{
	work(&a, 1000);
	ask(&a);
	assert_next(NULL);
	assert_int_equal(mono_sub(debts_deadline(&all), now), 1000 * DEBT_PAY_NS);
	pass(1000 * DEBT_PAY_NS - 1);
	assert_next(NULL);
	pass(1);
	assert_next(&a);
}

TEST(debtors_pay_in_equal_shares)
{
	work(&a, 1000);
	work(&b, 5000);
	ask(&b);
	ask(&a);
	/* Half of the time is a's. */
	pass(2 * 1000 * DEBT_PAY_NS - 2);
	assert_next(NULL);
	pass(2);
	assert_next(&a);
	assert_next(NULL);
	pass(4000 * DEBT_PAY_NS - 1);
	assert_next(NULL);
	pass(1);
	assert_next(&b);
}

/* Serves everybody who may be served until a is; who is before it owes nothing. */
static int
served_before_a(void)
{
	struct debt *d;
	int n = 0;

	ask(&a);
	while ((d = debts_next(&all, now)) != &a) {
		assert_non_null(d);
		assert_false(heap_has(&d->due));
		work(d, 1000);
		ask(d);
		n++;
	}
	return n;
}

TEST(who_is_quiet_never_comes_behind_who_is_in_debt)
{
	int i, before = 0;

	for (i = 0; i < NOISY; i++)
		ask(&noisy[i]);
	/* Nobody owes anything at first. */
	assert_int_equal(served_before_a(), NOISY);
	for (i = 0; i < 500; i++) {
		work(&a, 5);
		pass(500 * DEBT_PAY_NS);
		before += served_before_a();
	}
	/* What is paid off in that time, but for what they owed at first. */
	assert_true(before > 150 && before <= 250);
}

TEST(all_together_get_no_more_than_is_paid_off)
{
	uint64_t seed = test_seed(), worked = 0, n, paid = 1000 * 1000;
	mono_t end = mono_add(now, (int64_t)paid * DEBT_PAY_NS);
	struct debt *d;
	int i;

	for (i = 0; i < NOISY; i++)
		ask(&noisy[i]);
	while (mono_before(now, end)) {
		d = debts_next(&all, now);
		if (d == NULL) {
			now = debts_deadline(&all);
			continue;
		}
		seed = seed * UINT64_C(6364136223846793005) + 1;
		n = (seed >> 33) % 2000;
		work(d, n);
		worked += n;
		ask(d);
	}
	/* And what each may owe, and has then got at once. */
	assert_true(worked <= paid + NOISY * (DEBT_CREDIT + 2000));
	assert_true(worked >= paid - paid / 10);
}

TEST(who_goes_is_forgotten_with_what_it_owed)
{
	ask(&a);
	work(&b, 10000);
	ask(&b);
	debt_close(&all, &a);
	assert_next(NULL);
	debt_close(&all, &b);
	assert_true(mono_is_never(debts_deadline(&all)));
	ask(&b);
	assert_next(&b);
	work(&c, 1000);
	ask(&c);
	assert_int_equal(mono_sub(debts_deadline(&all), now), 1000 * DEBT_PAY_NS);
}
