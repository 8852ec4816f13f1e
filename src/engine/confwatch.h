/* SPDX-License-Identifier: MIT */
#ifndef CONFWATCH_H
#define CONFWATCH_H

#include <stdbool.h>

#include "base/mono.h"

struct watch;

/*
 * Watches a rule directory and its rule files: after a second of quiet (or ten
 * seconds of changes) they are to be read again.
 */
struct confwatch;

struct confwatch *confwatch_new(struct watch *w, const char *dir);
void confwatch_free(struct confwatch *c);

/* When the files are to be read again; MONO_NEVER while nothing changed. */
mono_t confwatch_due(const struct confwatch *c);

/* They are about to be read: what changes from now on counts again. */
void confwatch_reset(struct confwatch *c);

/*
 * The directory could not be read, or could: while it cannot, any change of a
 * directory above it may have repaired it.
 */
void confwatch_set_refused(struct confwatch *c, bool refused);

#endif
