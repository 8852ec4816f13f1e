/*
 * SPDX-License-Identifier: MIT
 *
 * Private to this folder: /proc/self/mountinfo. To read it asks nothing of the mounts.
 */
#ifndef LINUX_MOUNTINFO_H
#define LINUX_MOUNTINFO_H

#include <stdbool.h>

struct mountinfo {
	int id;
	char *point, *type; /* into the line */
};

/* The whole text, from its start, for the caller to free; NULL and errno. */
char *mountinfo_read(int fd);

/* Takes a line apart, in place; false if it is none. */
bool mountinfo_parse(char *line, struct mountinfo *m);

#endif
