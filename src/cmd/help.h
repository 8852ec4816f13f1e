/* SPDX-License-Identifier: MIT */
#ifndef HELP_H
#define HELP_H

#include <stdio.h>

struct subcommand;

/* The list of subcommands, as `help` prints it. */
void help_list(const struct subcommand *table, FILE *out);

/* Says that there is no such subcommand, and which was meant. EX_USAGE. */
int help_unknown(const struct subcommand *table, const char *name);

/*
 * The `help` subcommand: no argument, the name of a subcommand, that of a key of
 * rules, or `keys`. argv[0] is its own name. Returns an exit status.
 */
int help_print(const struct subcommand *table, int argc, char **argv);

#endif
