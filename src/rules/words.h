/* SPDX-License-Identifier: MIT */
#ifndef WORDS_H
#define WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct strv;

/*
 * Command lines, split into words as sh would: '...', "..." and \ are known. No
 * shell reads them, so whatever else sh would act on is a mistake.
 */

/* Adds the words of a line; or none, false, and a sentence in why. */
bool words_split(const char *line, struct strv *words, char *why, size_t size);

/* Adds a sentence for each word that sh might have made other words of. */
void words_warn(const char *line, struct strv *out);

/* The same for a whole command: where its words are hardly the right ones. */
void words_warn_command(const struct strv *argv, struct strv *out);

#endif
