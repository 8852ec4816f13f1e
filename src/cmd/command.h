/* SPDX-License-Identifier: MIT */
#ifndef COMMAND_H
#define COMMAND_H

struct options;

/* What operands allows ends with NULL. Returns an exit status of sysexits(3). */
typedef int command_main(struct options *o, char **operands);

/* One line of the table in main.c, which ends with a name of NULL. */
struct subcommand {
	const char *name;
	unsigned options;     /* OPTION_ bits that it takes */
	const char *operands; /* "", "RULE", "[RULE]", "PLIST ..." or "[PATH ...]" */
	const char *summary;  /* a few words */
	const char *text;     /* what `help NAME` adds, no newline at the end; or NULL */
	command_main *main;
};

/* "NAME [OPTION] ... OPERANDS"; free(3) it. */
char *command_synopsis(const struct subcommand *c);

/* Reads options and operands, argv[0] being the name, and runs c. An exit status. */
int command_run(const struct subcommand *c, int argc, char **argv);

/* Prints "watchpathd: NAME: TEXT" on stderr, with NAME made harmless. */
void command_complain(const char *name, const char *text);

/* The exit status that an errno means. */
int command_status(int error);

/* The exit status of both: EX_NOPERM before EX_DATAERR before any other. */
int command_worse(int status, int other);

/* How a command ends that has named all it could not read: it hints at sudo. */
int command_conclude(int status);

/* The commands, each in the file of its name. */
command_main check_main, doctor_main, history_main, import_main, managed_main;
command_main explain_main, report_main, selftest_main;
command_main status_main, trigger_main, reload_main; /* of cmd_client.c */

#endif
