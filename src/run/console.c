/* SPDX-License-Identifier: MIT */
/*
 * Who is logged in at the screen. loginwindow gives him /dev/console, also when
 * users are switched; so one stat is enough, and no directory service is asked.
 */
#include "run/console.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/platform.h"
#include "base/util.h"
#include "rules/rule.h"

#define FIRST_USER 500

bool
console_is_for(const struct rule *rule)
{
	return rule->user != NULL && strcmp(rule->user, CONSOLE_NAME) == 0;
}

bool
console_is_there(const char *root)
{
	return platform_has_console || root[0] != '\0';
}

bool
console_user(const char *root, uid_t *uid)
{
	char *path = xasprintf("%s/dev/console", root);
	struct stat st;
	bool found = stat(path, &st) == 0 && st.st_uid >= FIRST_USER;

	free(path);
	if (found)
		*uid = st.st_uid;
	return found;
}
