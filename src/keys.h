/* SPDX-License-Identifier: MIT */
#ifndef KEYS_H
#define KEYS_H

struct buf;

/* The list of keys, as text for `help keys` and as mdoc for the manual. */
void rule_print_keys(struct buf *out);
void rule_print_keys_mdoc(struct buf *out);

#endif
