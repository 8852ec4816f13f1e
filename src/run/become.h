/* SPDX-License-Identifier: MIT */
#ifndef BECOME_H
#define BECOME_H

/*
 * The hidden `exec` mode, which the daemon starts itself in where a rule asks
 * for user, group, umask, directory or nice: names are resolved here, in the
 * child, because a directory service can take minutes.
 *
 *   watchpathd exec --status-fd N [--user U] [--group G] [--umask OCTAL]
 *       [--directory D] [--nice N] -- PROGRAM ARGV0 [ARGUMENT ...]
 *
 * Sets them, verifies that root cannot be regained, adds the user's HOME USER
 * LOGNAME SHELL where the environment lacks them, and executes the action. The
 * action's environment comes with one byte more in front of every name, so that
 * no loader or library obeys it while this process still is root. A failure
 * goes as a sentence to the descriptor N, which an execve closes. argv is that
 * of main. Only returns on failure, with an exit status that means nothing.
 */
int become_main(int argc, char **argv);

#endif
