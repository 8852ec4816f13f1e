/* SPDX-License-Identifier: MIT */
#ifndef HISTORYCMD_H
#define HISTORYCMD_H

/*
 * `history [RULE] [-n N] [--json] [--summary]`: finished runs from the state
 * directory, newest last; no daemon is needed. Returns an exit status.
 */
int history_main(int argc, char **argv);

#endif
