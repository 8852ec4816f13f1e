/* SPDX-License-Identifier: MIT */
#ifndef JUDGED_H
#define JUDGED_H

#include <stdbool.h>

struct stat;

/*
 * Directories that were judged and found good: their device, inode, mode, owner and
 * ctime. It holds so many and no more. What may be concluded of it stands in trust.c.
 */
struct judged_set;

struct judged_set *judged_new(void);
void judged_free(struct judged_set *j);

/* Is st that of a directory in it, with nothing changed since? */
bool judged_has(const struct judged_set *j, const struct stat *st);

/*
 * Adds the directory that st was taken of before it was judged; it may put another
 * one out. Not while its ctime is so young that a change could leave it as it is.
 */
void judged_add(struct judged_set *j, const struct stat *st);

#endif
