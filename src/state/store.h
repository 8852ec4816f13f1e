/* SPDX-License-Identifier: MIT */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mono.h"

struct record;
struct trust;

/*
 * The state directory: a lock that one daemon holds, and state.jsonl, to which a
 * line is appended for every rule that changed; the newest line of a rule
 * counts. store_problem reports whatever goes wrong with the disk; it is tried
 * again, and never blocks or ends anything.
 */
struct store;

/*
 * dir is absolute; trust, borrowed, judges who may write there. Nothing is touched
 * before store_open.
 */
struct store *store_new(const char *dir, const struct trust *trust);
void store_free(struct store *s);

/* Has a daemon kept its state in dir? Also true where that cannot be seen. */
bool store_exists(const char *dir);

/*
 * Makes the directory (0700) if need be, takes the lock, and reads what is
 * there: nothing, where others may have written it (place.h). False, with a
 * sentence in why: a live daemon has the lock.
 */
bool store_open(struct store *s, char *why, size_t size);

/* Moves the record of a rule out of the store. False: there is none. */
bool store_take(struct store *s, const char *rule, struct record *out);

/* Could not everything be read? Then a rule without a record counts as changed. */
bool store_is_damaged(const struct store *s);

/*
 * Appends a record; how many bytes it is. If that fails, store_due will ask for
 * every record.
 */
size_t store_put(struct store *s, const struct record *r);

/* The rule is no longer in force: its record is kept. Moves r into the store. */
void store_leave(struct store *s, struct record *r);

/*
 * Writes a new file: after begin all rules in force are put, as they are or as
 * they change; end adds those that are not in force (for 90 days) and puts the
 * file in place. durable: end waits for the disk (a load's first baselines);
 * else a child does, and store_due finishes. False: it failed, and will be tried
 * again.
 */
bool store_begin(struct store *s);
bool store_end(struct store *s, bool durable);

/*
 * Looks whether the directory and the files are still there. If not, store_due will
 * make them again and ask for every record.
 */
void store_check(struct store *s, mono_t now);

/* A sentence while the state cannot be saved, else NULL. */
const char *store_problem(const struct store *s);

/* A sentence if what was there has been set aside since store_open, else NULL. */
const char *store_note(const struct store *s);

/*
 * Does what is due. True: a new file is to be written, begin has been done, and
 * the caller is to put all rules and to call end.
 */
bool store_due(struct store *s, mono_t now);
mono_t store_deadline(const struct store *s);

#endif
