/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_H
#define DAEMON_H

/*
 * `watchpathd run [--config DIR] [--log FILE] [--root DIR]`: the daemon, in the
 * foreground. Returns an exit status of sysexits(3); only a usage error keeps
 * it from starting.
 */
int daemon_main(int argc, char **argv);

#endif
