/* SPDX-License-Identifier: MIT */
#ifndef PLISTFILE_H
#define PLISTFILE_H

#include "cmd/plist.h"

/*
 * Reads a property list from a regular file of at most 1 MiB; plist_free it.
 * What is not XML (binary lists above all) is converted by the system's plutil or
 * plistutil, whichever is there. NULL with a sentence in why, and in *status the
 * exit status: 65 no property list, 77 permission, 1 anything else.
 */
struct plist *plistfile_read(const char *path, int *status, char why[PLIST_WHY_SIZE]);

/* Likewise what is left to read of an open one, which stays open. */
struct plist *plistfile_read_fd(int fd, int *status, char why[PLIST_WHY_SIZE]);

#endif
