/* SPDX-License-Identifier: MIT */
/*
 * Names to numbers. Whoever asks gets the same sentence, whether a run has
 * failed for it or a command has looked before.
 */
#include "run/accounts.h"

#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/places.h"
#include "rules/rule.h"
#include "run/console.h"
#include "base/util.h"
#include "base/number.h"

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
		snprintf(why, ACCOUNTS_WHY_SIZE, "user %s: no such user%s", name,
		    strcasecmp(name, CONSOLE_NAME) == 0
			? " (whoever is at the screen is `" CONSOLE_NAME "`)"
			: "");
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

static int
directory_error(const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return errno;
	return S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
}

static void
check_directory(const char *directory, const char *root, const struct strv *remote,
    accounts_fn *fn, void *arg)
{
	char *path = xasprintf("%s%s", root, directory), *text;
	int error = places_find_above(remote, path) == NULL ? directory_error(path) : 0;

	free(path);
	if (error == 0)
		return;
	text = xasprintf("directory %s: %s", directory, strerror(error));
	fn(arg, "directory", text);
	free(text);
}

void
accounts_check(const struct rule *rule, const char *root, const struct strv *remote,
    accounts_fn *fn, void *arg)
{
	char why[ACCOUNTS_WHY_SIZE];
	gid_t gid;

	if (rule->user != NULL && !console_is_for(rule) &&
	    accounts_user(rule->user, why) == NULL)
		fn(arg, "user", why);
	if (rule->group != NULL && !accounts_group(rule->group, &gid, why))
		fn(arg, "group", why);
	if (rule->directory != NULL && remote != NULL)
		check_directory(rule->directory, root, remote, fn, arg);
}
