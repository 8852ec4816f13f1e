/* SPDX-License-Identifier: MIT */
#ifndef KEYS_H
#define KEYS_H

struct buf;

/* The list of keys, as text for `help keys` and as mdoc for the manual. */
void keys_print(struct buf *out);
void keys_print_mdoc(struct buf *out);

#endif
