/* SPDX-License-Identifier: MIT */
#ifndef KEYFORMS_H
#define KEYFORMS_H

struct buf;

/*
 * The keys of a rule for consoles that make a form of them: the JSON schema that
 * Jamf's custom settings take, and the manifest that ProfileCreator and others do.
 */
void keyforms_print_schema(struct buf *out);
void keyforms_print_manifest(struct buf *out);

#endif
