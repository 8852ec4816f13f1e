/* SPDX-License-Identifier: MIT */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdbool.h>
#include <sys/types.h>

struct rule;

/* Who is at the screen, for rules with `user = console`. */
#define CONSOLE_NAME "console"

/* What starts a program in somebody's session; below the root, as all else. */
#define CONSOLE_LAUNCHCTL "/bin/launchctl"

bool console_is_for(const struct rule *rule);

/* Has this system a screen to log in at? With a root it has a stand-in for one. */
bool console_is_there(const char *root);

/*
 * Whoever is logged in at the screen: who owns /dev/console, but for root and what
 * macOS has below uid 500 for itself, as at the login window. False: nobody.
 */
bool console_user(const char *root, uid_t *uid);

#endif
