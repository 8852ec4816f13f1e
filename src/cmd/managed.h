/* SPDX-License-Identifier: MIT */
#ifndef MANAGED_H
#define MANAGED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"

struct trust;

/* The rule that delivers the rules of a profile, and must not come by one. */
#define MANAGED_RULE "managed-rules"

/* What a configuration profile says about rules, as a rule file. */
struct managed {
	struct strv errors, warnings; /* "[RULE]: SENTENCE", which names the key */
	struct buf text;              /* empty: no rule, or an error */
	size_t nrules;
	bool absent; /* there is no such file, which is no error */
	int status;  /* as an exit status: 65 refused, 77 permission, 1 anything else */
};

/*
 * Reads a property list: a dictionary with the member `Rules`, or a profile with a
 * payload that is one. It is judged if t is not NULL. With any error there is no
 * text, and otherwise the text is what the daemon reads as these very rules.
 */
void managed_read(struct managed *m, const char *path, const struct trust *t);
void managed_clear(struct managed *m);

/* Does the file, which is judged, hold the text already? */
bool managed_is_in(const struct managed *m, const char *file, const struct trust *t);

#endif
