/* SPDX-License-Identifier: MIT */
#ifndef SELFTEST_KEPT_H
#define SELFTEST_KEPT_H

#include <stdbool.h>

#include "base/util.h"
#include "trust/trust.h"

/* The result of `selftest` that the state directory holds, for `doctor`. */
struct selftest_kept {
	char *system;       /* which it was made on, as machine_system says; or NULL */
	struct strv failed; /* the required probes that failed */
};

/* Puts text there, unless somebody else could; false with a sentence in why. */
bool selftest_keep(
    const struct trust *t, const char *state, const char *text, char why[TRUST_WHY_SIZE]);

/* What is kept there, or all NULL. False: this user may not know. */
bool selftest_read_kept(const char *state, struct selftest_kept *out);
void selftest_kept_clear(struct selftest_kept *k);

#endif
