/*
 * SPDX-License-Identifier: MIT
 *
 * <string.h> and what macOS declares there beyond glibc: strlcpy, strlcat.
 */
#ifndef LINUX_STRING_H
#define LINUX_STRING_H

#include_next <string.h>
#include "compat.h"

#endif
