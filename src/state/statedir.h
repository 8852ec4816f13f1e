/* SPDX-License-Identifier: MIT */
#ifndef STATEDIR_H
#define STATEDIR_H

#include <stdbool.h>

struct loop;

/*
 * Notices when something is removed from the state directory, or it itself: the
 * watcher leaves the daemon's own files alone, so it would be missed.
 */
struct statedir;

/* Calls changed whenever names in the directory at path may have come or gone. */
struct statedir *
statedir_new(struct loop *l, const char *path, void (*changed)(void *arg), void *arg);
void statedir_free(struct statedir *s);

/*
 * Watches the directory that is at the path now, if it is another one. False:
 * there is none that can be watched.
 */
bool statedir_follow(struct statedir *s);

#endif
