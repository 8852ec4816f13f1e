/* SPDX-License-Identifier: MIT */
/*
 * What launchd knows and a rule file has to say: where programs are. Plists are
 * also translated on other systems, so what is certain of a Mac comes first.
 */
#include "cmd/launchd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

/* Where launchd looks for a program that is named without a slash. */
static const char *const search_path[] = { "/usr/bin", "/bin", "/usr/sbin", "/sbin" };

/* What of them is not below /usr on a Mac; on Linux both may be one directory. */
static const struct place {
	const char *dir, *names;
} places[] = {
	{ "/bin", " bash cat chmod cp csh dash date dd df echo ed expr hostname kill ksh"
		  " launchctl ln ls mkdir mv ps pwd rm rmdir sh sleep stty sync tcsh test"
		  " wait4path zsh " },
	{ "/sbin", " dmesg ifconfig md5 mount nologin pfctl ping ping6 reboot route"
		   " shutdown umount " },
};

static char *
find_on_mac(const char *name)
{
	char *word = xasprintf(" %s ", name), *path = NULL;
	size_t i;

	for (i = 0; i < NELEM(places) && path == NULL; i++)
		if (strchr(name, ' ') == NULL && strstr(places[i].names, word) != NULL)
			path = xasprintf("%s/%s", places[i].dir, name);
	free(word);
	return path;
}

static char *
find_here(const char *name)
{
	struct stat st;
	char *path;
	size_t i;

	for (i = 0; i < NELEM(search_path); i++) {
		path = xasprintf("%s/%s", search_path[i], name);
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
		    access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

char *
launchd_find_program(const char *name)
{
	char *path;

	if (name[0] == '\0' || strchr(name, '/') != NULL)
		return NULL;
	path = find_on_mac(name);
	return path != NULL ? path : find_here(name);
}
