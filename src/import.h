/* SPDX-License-Identifier: MIT */
#ifndef IMPORT_H
#define IMPORT_H

/* The subcommand `import`: launchd plists become one rule file on stdout. */
int import_main(int argc, char **argv);

#endif
