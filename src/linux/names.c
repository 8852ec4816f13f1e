/* SPDX-License-Identifier: MIT */
/*
 * How Linux finds names: as they are written. (Directories that fold them exist,
 * but not above mount points.)
 */
#include <stddef.h>

#include "base/platform.h"

char *
platform_alias(const char *path)
{
	(void)path;
	return NULL;
}

bool
platform_folds_names(void)
{
	return false;
}
