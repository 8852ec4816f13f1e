/* SPDX-License-Identifier: MIT */
#ifndef FILETIME_H
#define FILETIME_H

#include <stdint.h>
#include <sys/stat.h>

/* When the content, or anything about the file, was changed last: ns since 1970. */
int64_t filetime_mtime(const struct stat *st);
int64_t filetime_ctime(const struct stat *st);

#endif
