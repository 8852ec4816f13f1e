/* SPDX-License-Identifier: MIT */
#ifndef CMD_CHECK_H
#define CMD_CHECK_H

/*
 * The `check` subcommand: argv[0] is its name. Findings go to stderr, what was
 * found to stdout; returns an exit status.
 */
int check_main(int argc, char **argv);

#endif
