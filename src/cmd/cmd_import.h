/* SPDX-License-Identifier: MIT */
#ifndef CMD_IMPORT_H
#define CMD_IMPORT_H

/* The subcommand `import`: launchd plists become one rule file on stdout. */
int import_main(int argc, char **argv);

#endif
