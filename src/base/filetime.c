/* SPDX-License-Identifier: MIT */
/* The times of a file as numbers, under the names that each system has for them. */
#include "base/filetime.h"

#include <time.h>

/* Darwin has its own names, and the feature macro that asks for them. */
#ifdef _DARWIN_C_SOURCE
#define MTIM st_mtimespec
#define CTIM st_ctimespec
#else
#define MTIM st_mtim
#define CTIM st_ctim
#endif

static int64_t
nanoseconds(const struct timespec *ts)
{
	return (int64_t)ts->tv_sec * 1000000000 + ts->tv_nsec;
}

int64_t
filetime_mtime(const struct stat *st)
{
	return nanoseconds(&st->MTIM);
}

int64_t
filetime_ctime(const struct stat *st)
{
	return nanoseconds(&st->CTIM);
}
