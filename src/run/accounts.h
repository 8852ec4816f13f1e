/* SPDX-License-Identifier: MIT */
#ifndef ACCOUNTS_H
#define ACCOUNTS_H

#include <pwd.h>
#include <stdbool.h>
#include <sys/types.h>

struct rule;
struct strv;

/*
 * Users and groups as rules name them. A directory service may answer, which can
 * take minutes: this is for commands and for the child that becomes somebody
 * else, never for the daemon's loop.
 */
#define ACCOUNTS_WHY_SIZE 512

/*
 * The user of that name or, where nobody has it, of that number; good until the
 * next call. NULL with a sentence in why, such as "user x: no such user".
 */
const struct passwd *accounts_user(const char *name, char why[ACCOUNTS_WHY_SIZE]);

/* Likewise for a group; a number need not stand in the directory. */
bool accounts_group(const char *name, gid_t *gid, char why[ACCOUNTS_WHY_SIZE]);

/* key is one of user, group and directory; text what a run would fail with. */
typedef void accounts_fn(void *arg, const char *key, const char *text);

/*
 * Calls fn for each of them that the rule names and that is not there. root stands
 * in front of the directory, which is not touched below one of remote, nor where
 * remote is NULL, since it may be anywhere.
 */
void accounts_check(const struct rule *rule, const char *root, const struct strv *remote,
    accounts_fn *fn, void *arg);

#endif
