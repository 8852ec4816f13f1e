/* SPDX-License-Identifier: MIT */
/*
 * Names to numbers. Whoever asks gets the same sentence, whether a run has
 * failed for it or a command has looked before.
 */
#include "accounts.h"

#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

/* "Not found" has many numbers in the wild. */
static bool
is_not_found(int error)
{
	return error == 0 || error == ENOENT || error == ESRCH;
}

const struct passwd *
accounts_user(const char *name, char why[ACCOUNTS_WHY_SIZE])
{
	const struct passwd *pw;
	uint64_t number;

	errno = 0;
	pw = getpwnam(name);
	if (pw == NULL && is_not_found(errno) &&
	    parse_number(name, UINT32_MAX - 1, &number)) {
		errno = 0;
		pw = getpwuid((uid_t)number);
	}
	if (pw == NULL && is_not_found(errno))
		snprintf(why, ACCOUNTS_WHY_SIZE, "user %s: no such user", name);
	else if (pw == NULL)
		snprintf(why, ACCOUNTS_WHY_SIZE, "user %s: %s", name, strerror(errno));
	return pw;
}

bool
accounts_group(const char *name, gid_t *gid, char why[ACCOUNTS_WHY_SIZE])
{
	const struct group *gr;
	uint64_t number;

	why[0] = '\0';
	errno = 0;
	gr = getgrnam(name);
	if (gr != NULL)
		*gid = gr->gr_gid;
	else if (parse_number(name, UINT32_MAX - 1, &number))
		*gid = (gid_t)number;
	else if (is_not_found(errno))
		snprintf(why, ACCOUNTS_WHY_SIZE, "group %s: no such group", name);
	else
		snprintf(why, ACCOUNTS_WHY_SIZE, "group %s: %s", name, strerror(errno));
	return why[0] == '\0';
}
