/* SPDX-License-Identifier: MIT */
#ifndef KEYLIST_H
#define KEYLIST_H

#include <stdbool.h>

struct buf;
struct spelling;

/* What there is to say of a default that depends on `settle`. */
#define KEYLIST_BY_SETTLE ", or three times settle if that is more"

/* Explains one key of rules or of [daemon]. False: there is none of that name. */
bool keys_print_one(const char *name, struct buf *out);

/* Tries all names of keys. */
void keys_meant(struct spelling *meant);

/* The list of keys, as text for `help keys` and as mdoc for the manual. */
void keys_print(struct buf *out);
void keys_print_mdoc(struct buf *out);

#endif
