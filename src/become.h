/* SPDX-License-Identifier: MIT */
#ifndef BECOME_H
#define BECOME_H

/*
 * The hidden `exec` mode, which the daemon starts itself in where a rule asks
 * for user, group, umask, directory or nice, or where HOME, USER, LOGNAME and
 * SHELL must be looked up: names are resolved here, in the child, because a
 * directory service can take minutes. Sets them, verifies that root cannot be
 * regained, and executes the action. A failure goes as a sentence to a
 * descriptor that the daemon reads, never as an exit status of the action.
 * Only returns on failure, with an exit status.
 */
int become_main(int argc, char **argv);

#endif
