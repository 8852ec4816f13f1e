/* SPDX-License-Identifier: MIT */
#ifndef HELP_H
#define HELP_H

#include <stdio.h>

struct subcommand;

/* The libraries in this program: "cJSON 1.7.15, expat 2.5.0". free(3) it. */
char *help_libraries(void);

/* The list of subcommands, as `help` prints it. */
void help_list(const struct subcommand *table, FILE *out);

/* Says that there is no such subcommand, and which was meant. EX_USAGE. */
int help_unknown(const struct subcommand *table, const char *name);

/*
 * What `help` prints: of a command, of a key of rules, of all `keys`; name NULL: the
 * list of commands. `mdoc-keys` is for the manual. Returns an exit status.
 */
int help_print(const struct subcommand *table, const char *name);

#endif
