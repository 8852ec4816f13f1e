/*
 * SPDX-License-Identifier: MIT
 *
 * What a native kqueue may do and the shim by itself does not: any order (shuffle),
 * bits of one knote over two calls (split) or many changes in one (merge), late
 * echoes from indexers and pageout (echo), an EXTEND before the WRITE (extend).
 * kqueue() reads them from KQUEUE_FAULTS, a comma-separated list; seed=N makes them
 * repeatable.
 */
#include "faults.h"

#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>

#define MS 1000000LL
#define HOLD (5 * MS)
#define ECHO (1000 * MS)

static void
parse(struct faults *f, const char *list)
{
	struct {
		const char *name;
		bool *flag;
	} known[] = {
		{ "shuffle", &f->shuffle },
		{ "split", &f->split },
		{ "merge", &f->merge },
		{ "echo", &f->echo },
		{ "extend", &f->extend },
	};

	while (*list != '\0') {
		size_t len = strcspn(list, ",");

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (strlen(known[i].name) == len &&
			    strncmp(list, known[i].name, len) == 0)
				*known[i].flag = true;
		if (strncmp(list, "seed=", 5) == 0)
			f->random = strtoull(list + 5, NULL, 10);
		list += len + (list[len] == ',');
	}
}

int
kq_faults_init(struct kq *q)
{
	const char *list = getenv("KQUEUE_FAULTS");
	struct faults *f = &q->faults;

	f->random = 1;
	if (list == NULL)
		return 0;
	parse(f, list);
	f->random = f->random * 2 + 1; /* xorshift must not begin at 0 */
	if (!f->merge && !f->echo)
		return 0;
	f->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	return f->timer < 0 ? -1 : 0;
}

uint32_t
kq_faults_random(struct kq *q, uint32_t below)
{
	uint64_t x = q->faults.random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	q->faults.random = x;
	return (uint32_t)(x >> 32) % below;
}

/* Both lists have one delay each, so their heads are due first. */
void
kq_faults_arm(struct kq *q)
{
	struct knote *held = TAILQ_FIRST(&q->faults.held);
	struct delay *echo = TAILQ_FIRST(&q->faults.echoes);
	struct itimerspec its = { 0 };
	int64_t at = held != NULL ? held->delay->held_until : 0;

	if (echo != NULL && (at == 0 || echo->echo_at < at))
		at = echo->echo_at;
	its.it_value.tv_sec = at / (1000 * MS);
	its.it_value.tv_nsec = at % (1000 * MS);
	timerfd_settime(q->faults.timer, TFD_TIMER_ABSTIME, &its, NULL);
}

/* False: there is no memory for it. */
static bool
have_delay(struct knote *kn)
{
	if (kn->delay == NULL && (kn->delay = calloc(1, sizeof(*kn->delay))) != NULL)
		kn->delay->kn = kn;
	return kn->delay != NULL;
}

void
kq_faults_forget(struct kq *q, struct knote *kn)
{
	if (kn->delay != NULL && kn->delay->echo_at != 0)
		TAILQ_REMOVE(&q->faults.echoes, kn->delay, link);
	free(kn->delay);
	kn->delay = NULL;
}

bool
kq_faults_hold(struct kq *q, struct knote *kn)
{
	if (!q->faults.merge || kn->filter != EVFILT_VNODE || !have_delay(kn))
		return false;
	kn->delay->held_until = kq_now() + HOLD;
	kn->list = KN_HELD;
	TAILQ_INSERT_TAIL(&q->faults.held, kn, queue);
	kq_faults_arm(q);
	return true;
}

void
kq_faults_echo(struct kq *q, struct knote *kn)
{
	if (!q->faults.echo || !have_delay(kn) || kn->delay->echo_at != 0)
		return;
	kn->delay->echo_at = kq_now() + ECHO;
	TAILQ_INSERT_TAIL(&q->faults.echoes, kn->delay, link);
	kq_faults_arm(q);
}

uint32_t
kq_faults_split(struct kq *q, uint32_t bits)
{
	uint32_t some = bits & kq_faults_random(q, UINT32_MAX);

	return some != 0 ? some : bits & (~bits + 1);
}
