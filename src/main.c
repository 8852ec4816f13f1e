/* SPDX-License-Identifier: MIT */
/*
 * The subcommands, and the dispatch to them; nothing else.
 */
#include <cJSON.h>
#include <expat.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "run/become.h"
#include "cmd/cmd_check.h"
#include "cmd/cmd_client.h"
#include "daemon.h"
#include "cmd/cmd_doctor.h"
#include "cmd/help.h"
#include "cmd/cmd_history.h"
#include "cmd/cmd_import.h"
#include "cmd/command.h"

static int help_main(int argc, char **argv);
static int version_main(int argc, char **argv);
static int exec_main(int argc, char **argv);

static const struct subcommand commands[] = {
	{ "run", "[--config DIR] [--state DIR] [--socket PATH] [--log FILE] [--root DIR]",
	    "watch and run actions, in the foreground",
	    "Loads the rule files of conf.d and runs until SIGTERM or SIGINT; SIGHUP "
	    "reloads.\n"
	    "Logs to stderr, or to FILE. --root puts DIR in front of every watched "
	    "path,\n"
	    "program and default location, to try rules in a sandbox.",
	    daemon_main, false },
	{ "check", "[-v] [--trust] [--config DIR] [--root DIR] [PATH ...]",
	    "parse rule files as the daemon would",
	    "Without PATH the daemon's own conf.d is checked, trust included; with PATH, "
	    "a\n"
	    "file or a directory, trust is judged only with --trust. -v prints each rule "
	    "as\n"
	    "the daemon understands it. Exit status 65: a file was refused.",
	    check_main, false },
	{ "status", "[--json] [--socket PATH] [--state DIR] [--root DIR] [RULE]",
	    "show what every rule is doing and why",
	    "With RULE, everything about one rule. --json: as the daemon says it.",
	    status_main, false },
	{ "trigger", "[--wait] [--socket PATH] [--state DIR] [--root DIR] RULE",
	    "run a rule now",
	    "Prints the id of the run that this causes. --wait waits for its end, and "
	    "exits\n"
	    "with 1 if it failed. Waits for lock and slots, not for settle or cooldown.",
	    trigger_main, false },
	{ "reload", "[--socket PATH] [--state DIR] [--root DIR]",
	    "read the rule files again",
	    "Prints what was refused, and then exits with 65, and what has changed. "
	    "Files\n"
	    "that are dropped in, changed or removed are read after a second by\n"
	    "themselves.",
	    reload_main, false },
	{ "history", "[-n N] [--json] [--summary] [--state DIR] [--root DIR] [RULE]",
	    "show finished runs, newest last",
	    "The last 20, or N. --summary: runs, failures, and the time from noticing a\n"
	    "change to a finished run, by rule. Works without a running daemon.",
	    history_main, false },
	{ "import", "PLIST ...", "turn launchd plists with WatchPaths into rules",
	    "Prints one rule file on stdout. What a rule has no counterpart for becomes "
	    "a\n"
	    "comment that says what to do instead; nothing is dropped. Exit status 65: "
	    "a\n"
	    "plist cannot be translated; the others are printed all the same.",
	    import_main, false },
	{ "doctor", "[--json] [--config DIR] [--state DIR] [--socket PATH] [--root DIR]",
	    "look for what keeps rules from working",
	    "Each finding says what is wrong, why it matters, and how to repair it, the\n"
	    "worst first. Where the daemon answers, it is asked. Exit status 0: nothing\n"
	    "is wrong. --json: for programs.",
	    doctor_main, false },
	{ "help", "[COMMAND | KEY | keys]",
	    "explain a command, a key of rules, or all keys", NULL, help_main, false },
	{ "version", "", "print the version, and those of the libraries", NULL,
	    version_main, false },
	{ "exec", "", "", NULL, exec_main, true },
	{ NULL, NULL, NULL, NULL, NULL, false },
};

static int
help_main(int argc, char **argv)
{
	return help_print(commands, argc, argv);
}

/* inih cannot tell which one it is. */
static int
version_main(int argc, char **argv)
{
	XML_Expat_Version expat = XML_ExpatVersionInfo();

	(void)argv;
	if (argc > 1) {
		fputs("watchpathd: version takes no argument\n", stderr);
		return EX_USAGE;
	}
	printf("watchpathd " VERSION "\nwith cJSON %s, expat %d.%d.%d\n", cJSON_Version(),
	    expat.major, expat.minor, expat.micro);
	return EX_OK;
}

/* become_main's argv is that of main. */
static int
exec_main(int argc, char **argv)
{
	return become_main(argc + 1, argv - 1);
}

static bool
is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* A descriptor opened later must not become stdin, stdout or stderr. */
static void
open_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int
main(int argc, char **argv)
{
	const struct subcommand *c;
	const char *name;

	if (issetugid()) {
		fputs("watchpathd: refuses to run set-user-ID or set-group-ID\n", stderr);
		return EX_NOPERM;
	}
	open_standard_fds();
	if (argc < 2) {
		help_list(commands, stderr);
		return EX_USAGE;
	}
	name = argv[1];
	if (is_help(name))
		name = "help";
	if (strcmp(name, "--version") == 0)
		name = "version";
	for (c = commands; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			break;
	if (c->name != NULL && !c->hidden && argc == 3 && is_help(argv[2]))
		return help_print(commands, 2, argv);
	if (c->name != NULL)
		return c->main(argc - 1, argv + 1);
	return help_unknown(commands, name);
}
