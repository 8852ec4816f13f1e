/* SPDX-License-Identifier: MIT */
#ifndef CMD_HISTORY_H
#define CMD_HISTORY_H

/*
 * `history [RULE] [-n N] [--json] [--summary]`: finished runs from the state
 * directory, newest last; no daemon is needed. Returns an exit status.
 */
int history_main(int argc, char **argv);

#endif
