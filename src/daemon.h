/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_H
#define DAEMON_H

struct options;

/*
 * The command `run`: the daemon, in the foreground. Returns an exit status of
 * sysexits(3). Nothing but a usage error keeps it from starting.
 */
int daemon_main(struct options *o, char **operands);

#endif
