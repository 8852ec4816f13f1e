/* SPDX-License-Identifier: MIT */
#ifndef LAUNCHD_H
#define LAUNCHD_H

/*
 * The path of the program that launchd finds by a name without a slash, in its
 * PATH of /usr/bin:/bin:/usr/sbin:/sbin; free(3) it. NULL: there is none.
 */
char *launchd_find_program(const char *name);

#endif
