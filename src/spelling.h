/* SPDX-License-Identifier: MIT */
#ifndef SPELLING_H
#define SPELLING_H

#include <stdbool.h>

/*
 * Are two names the same but for case, hyphens, underscores and spaces? Is one
 * a slip of the other: so few letters wrong that it cannot be another word?
 */
bool spelling_same(const char *a, const char *b);
bool spelling_near(const char *name, const char *slip);

#endif
