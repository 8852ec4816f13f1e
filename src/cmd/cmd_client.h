/* SPDX-License-Identifier: MIT */
#ifndef CMD_CLIENT_H
#define CMD_CLIENT_H

/*
 * The subcommands that ask the daemon: `status [RULE] [--json]`, `trigger RULE
 * [--wait]` and `reload`. Each returns an exit status of sysexits(3): 69 if no
 * daemon answers, 77 if it may not be asked, 65 if reload refused a file.
 */
int status_main(int argc, char **argv);
int trigger_main(int argc, char **argv);
int reload_main(int argc, char **argv);

#endif
