/* SPDX-License-Identifier: MIT */
/*
 * How macOS finds names: APFS folds case and normalisation unless it was made not
 * to, and what lies below a firmlink has two paths, of which the mount table has one.
 */
#include <string.h>

#include "base/platform.h"

/* By firmlinks /X and this followed by /X are the same file. */
#define DATA_VOLUME "/System/Volumes/Data"

char *
platform_alias(const char *path)
{
	size_t len = strlen(DATA_VOLUME);

	if (strncmp(path, DATA_VOLUME "/", len + 1) == 0)
		return xstrdup(path + len);
	return xasprintf(DATA_VOLUME "%s", path);
}

bool
platform_folds_names(void)
{
	return true;
}
