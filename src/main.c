/* SPDX-License-Identifier: MIT */
/*
 * The subcommands, and the dispatch to them; nothing else.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json.h"
#include "base/options.h"
#include "base/paths.h"
#include "cmd/command.h"
#include "cmd/help.h"
#include "daemon.h"
#include "run/become.h"

static command_main help_main, version_main;

/* Where the daemon is asked. */
#define ASKING (OPTION_STATE | OPTION_SOCKET | OPTION_ROOT)

static const struct subcommand commands[] = {
	{ "run", OPTION_CONFIG | OPTION_STATE | OPTION_SOCKET | OPTION_LOG | OPTION_ROOT,
	    "", "watch and run actions, in the foreground",
	    "Loads the rule files of conf.d and runs until SIGTERM or SIGINT; SIGHUP "
	    "reloads.\n"
	    "Logs to stderr, or to FILE. --root puts DIR in front of every watched "
	    "path,\n"
	    "program and default location, to try rules in a sandbox. These are:\n"
	    "\n"
	    "  rules  " PATH_CONFIG "\n"
	    "  state  " PATH_STATE "\n"
	    "  socket " PATH_STATE "/watchpathd.sock",
	    daemon_main },
	{ "check", OPTION_VERBOSE | OPTION_TRUST | OPTION_CONFIG | OPTION_ROOT,
	    "[PATH ...]", "parse rule files as the daemon would",
	    "Without PATH the daemon's own conf.d is checked, trust included; with PATH, "
	    "a\n"
	    "file or a directory, trust is judged only with --trust. -v prints each rule "
	    "as\n"
	    "the daemon understands it. Exit status 65: a file was refused.",
	    check_main },
	{ "status", OPTION_JSON | OPTION_BRIEF | ASKING, "[RULE]",
	    "show what every rule is doing and why",
	    "With RULE, everything about one rule. --json: as the daemon says it. "
	    "--brief:\n"
	    "one line, and exit status 0 all is well, 1 there is a problem, 69 the "
	    "daemon\n"
	    "is not running.",
	    status_main },
	{ "trigger", OPTION_WAIT | ASKING, "RULE", "run a rule now",
	    "Prints the id of the run that this causes. --wait waits for its end, and "
	    "exits\n"
	    "with 1 if it failed. Waits for lock and slots, not for settle or cooldown.",
	    trigger_main },
	{ "reload", ASKING, "", "read the rule files again",
	    "Prints what was refused, and then exits with 65, and what has changed. "
	    "Files\n"
	    "that are dropped in, changed or removed are read after a second by\n"
	    "themselves.",
	    reload_main },
	{ "history",
	    OPTION_NUMBER | OPTION_JSON | OPTION_SUMMARY | OPTION_STATE | OPTION_ROOT,
	    "[RULE]", "show finished runs, newest last",
	    "The last 20, or N. --summary: runs, failures, and the time from noticing a\n"
	    "change to a finished run, by rule. Works without a running daemon.",
	    history_main },
	{ "explain", OPTION_CONFIG | ASKING, "PATH",
	    "show which rules watch a path, and what would run",
	    "Names the rule, its `watch` line, what counts as a change, and the action "
	    "or why\n"
	    "there is none; with a running daemon also what the rule is doing. Exit "
	    "status 1:\n"
	    "no rule watches PATH.",
	    explain_main },
	{ "import", 0, "PLIST ...", "turn launchd plists with WatchPaths into rules",
	    "Prints one rule file on stdout. What a rule has no counterpart for becomes "
	    "a\n"
	    "comment that says what to do instead; nothing is dropped. Exit status 65: "
	    "a\n"
	    "plist cannot be translated; the others are printed all the same.",
	    import_main },
	{ "managed", OPTION_WRITE | OPTION_CONFIG | OPTION_ROOT, "[FILE]",
	    "show or deliver rules of a configuration profile",
	    "Prints the rules of the installed profile for org.watchpathd, or of FILE, "
	    "as a\n"
	    "rule file, and names every error. --write puts them in force, whole or "
	    "not at\n"
	    "all, and takes them away when the profile goes: the rule managed-rules "
	    "runs it.\n"
	    "Exit status 65: the profile is refused.",
	    managed_main },
	{ "doctor", OPTION_JSON | OPTION_CONFIG | ASKING, "",
	    "look for what keeps rules from working",
	    "Each finding says what is wrong, why it matters, and how to repair it, the\n"
	    "worst first. Where the daemon answers, it is asked. Exit status 0: nothing\n"
	    "is wrong. --json: for programs.",
	    doctor_main },
	{ "report", OPTION_OUTPUT | OPTION_CONFIG | OPTION_LOG | ASKING, "",
	    "show everything on one page, for a ticket",
	    "A page of HTML with what doctor finds, every rule with a chart of its "
	    "runs,\n"
	    "the rule files and the end of the log, to FILE or standard output. Nothing\n"
	    "of the content of a watched file is in it, nor of what actions print.",
	    report_main },
	{ "selftest",
	    OPTION_JSON | OPTION_SLEEP | OPTION_CLOCK | OPTION_STATE | OPTION_ROOT,
	    "[DIR]", "try whether this system behaves as rules need",
	    "Each line is a fact about the system. It fails only where changes could be\n"
	    "missed, and then exits with 1; other differences are named. DIR: a "
	    "directory\n"
	    "on another volume. As root it keeps its result for doctor. --json: for "
	    "programs.\n"
	    "--sleep: also sends the machine to sleep, and you wake it. --clock: also "
	    "sets its\n"
	    "clock an hour ahead for a second; for a machine that nobody needs.",
	    selftest_main },
	{ "help", 0, "[COMMAND | KEY | keys]",
	    "explain a command, a key of rules, or all keys", NULL, help_main },
	{ "version", 0, "", "print the version, and those of the libraries", NULL,
	    version_main },
	{ NULL, 0, NULL, NULL, NULL, NULL },
};

static int
help_main(struct options *o, char **operands)
{
	(void)o;
	return help_print(commands, operands[0]);
}

static int
version_main(struct options *o, char **operands)
{
	char *libraries = help_libraries();

	(void)o;
	(void)operands;
	printf("watchpathd " VERSION "\nwith %s\n", libraries);
	free(libraries);
	return EX_OK;
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
	/* For the daemon itself, which starts programs by way of it. */
	if (strcmp(argv[1], "exec") == 0)
		return become_main(argc, argv);
	json_init();
	signal(SIGPIPE, SIG_IGN);
	name = is_help(argv[1]) ? "help" : argv[1];
	if (strcmp(name, "--version") == 0)
		name = "version";
	for (c = commands; c->name != NULL && strcmp(c->name, name) != 0; c++)
		continue;
	if (c->name == NULL)
		return help_unknown(commands, name);
	if (argc == 3 && is_help(argv[2]))
		return help_print(commands, name);
	return command_run(c, argc - 1, argv + 1);
}
