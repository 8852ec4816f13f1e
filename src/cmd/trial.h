/* SPDX-License-Identifier: MIT */
#ifndef TRIAL_H
#define TRIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/loop.h"
#include "base/util.h"

struct cJSON;

/*
 * What a probe of `selftest` is given: an empty directory, which is its working
 * directory, a loop, and ways to say what it found. It runs in a process of its
 * own, so that it may leave descriptors, limits and signals as they come.
 */
enum outcome {
	OUTCOME_OK,
	OUTCOME_SKIPPED,
	OUTCOME_ODD, /* more than expected: nothing is missed by it */
	OUTCOME_FAILED
};

struct knote;

struct trial {
	struct loop *loop;
	const char *self;              /* this program */
	const char *dir;               /* the directory's real path */
	int say_fd;                    /* where trial_say writes */
	bool may_sleep, may_set_clock; /* somebody has asked for it */
	enum outcome outcome;
	unsigned findings; /* checks, and what is noted: with none nothing was tried */
	struct buf notes;
	struct cJSON *events; /* by what was watched, the bits of each step */
	struct knote *fence;
};

/* Something watched, and what was seen of it since it was last asked. */
struct knote {
	const char *name;
	struct loop_src src;
	int fd;
	unsigned seen;  /* NOTE_ bits */
	unsigned times; /* how many events ever came */
	bool eof;
};

/*
 * One fact. fact is its number in the collection of what macOS really does. It is
 * tried by a function or by a script: see trial_play.
 */
enum level { REQUIRED, EXPECTED, RECORD };

struct probe {
	const char *id, *fact;
	enum level level;
	const char *what; /* a sentence */
	const char *script;
	void (*run)(struct trial *t);
	const char *root; /* what root would learn besides, or NULL */
};

/* What was found. The worst outcome counts; notes add up. */
void
trial_fail(struct trial *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void trial_odd(struct trial *t, const char *what);
void trial_skip(struct trial *t, const char *why);
void
trial_note(struct trial *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Fails with what was expected, unless it is so. Returns whether it is. */
bool trial_check(struct trial *t, bool so, const char *expected);

/* Likewise for the result of a system call, which is -1 with errno if it failed. */
bool trial_did(struct trial *t, long result, const char *call);

/* Says at once, to a person, what takes long; it may then take minutes. */
void trial_say(struct trial *t, const char *what);

/* Opens and watches path as the daemon does; name is path. Never NULL. */
struct knote *trial_watch(struct trial *t, const char *path);

/* Makes "file", with some text in it, and watches it. */
struct knote *trial_watch_new(struct trial *t);

/* Waits until all that has happened so far was seen, on every knote. */
void trial_settle(struct trial *t);

/*
 * Settles; then all of must has to be among what k saw, else the trial fails,
 * and nothing that is neither in must nor in may, else it is odd. What was seen
 * is noted down, and forgotten.
 */
void trial_expect(struct trial *t, struct knote *k, unsigned must, unsigned may);

/* Settles; k saw something, if only one of these bits. */
void trial_expect_any(struct trial *t, struct knote *k, unsigned any);

/* The NOTE_ bit of that name, such as "WRITE"; none has all of them. */
unsigned trial_bit(const char *name);

/*
 * Does the steps of a script, which semicolons divide: `make`, `empty`, `rewrite`,
 * `poke`, `append`, `replace` or `watch` PATH; a system call with its paths, its mode or
 * its size; or `PATH: BIT ?BIT`, which is trial_expect for what must and what may be,
 * `PATH: any BIT BIT`, or `PATH:` for nothing.
 */
void trial_play(struct trial *t, const char *script);

/* How long is waited for what is bound to come. The tests of defects wait less. */
#ifndef TRIAL_PATIENCE_NS
#define TRIAL_PATIENCE_NS (20 * MONO_SEC)
#endif

/* Runs the loop until *counter is n or more; false after that. */
bool trial_until(struct trial *t, const unsigned *counter, unsigned n);

/* Files. Make: created or emptied first. Poke: over its beginning; at its end. */
void trial_make(struct trial *t, const char *path, const char *text);
void trial_poke(struct trial *t, const char *path, const char *text);
void trial_append(struct trial *t, const char *path, const char *text);

/* A new file takes the place of path in one step. */
void trial_replace(struct trial *t, const char *path, const char *text);

#endif
