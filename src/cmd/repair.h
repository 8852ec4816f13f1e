/* SPDX-License-Identifier: MIT */
#ifndef REPAIR_H
#define REPAIR_H

#include <stdbool.h>

#include "base/util.h"

struct trust;

/*
 * What to do about a finding: a command, to be given to a shell as it stands, or
 * where none can do it a sentence. text is on the heap.
 */
struct repair {
	char *text;
	bool is_command;
};

#define repair_command(...) ((struct repair){ xasprintf(__VA_ARGS__), true })
#define repair_by_hand(...) ((struct repair){ xasprintf(__VA_ARGS__), false })

/* One word of a shell, made of two texts. The caller frees it. */
char *repair_quote(const char *text, const char *more);

/*
 * What makes good what a refusal of trust.h says, by what is at the path that it
 * names. Where that must be left as it is, something else is to be done, which
 * `otherwise` says: "name another program in x.ini:3".
 */
struct repair
repair_trust(const struct trust *t, const char *refusal, const char *otherwise);

/* A copy of its own in the place of a link, or of a file with other names. */
struct repair repair_copy(const struct trust *t, const char *path);

/* What to add to why a refusal matters: something of others may be in it; or "". */
const char *repair_caution(const char *refusal);

/* What begins a command that needs the rights of the daemon: "sudo " or "". */
const char *repair_sudo(const struct trust *t);

#endif
