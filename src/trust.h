/* SPDX-License-Identifier: MIT */
#ifndef TRUST_H
#define TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * May this file be obeyed, and if not, why? Everything that decides over what
 * runs as root is judged here: DESIGN's rules on owners, modes, links and every
 * directory above. A refusal is a sentence that begins with the path at fault,
 * such as "/Library/x.ini: writable by group (mode 0664)".
 */
#define TRUST_WHY_SIZE 2048

struct trust {
	const char *root; /* --root: judging stops there. NULL or "": no root */
	uid_t owner;      /* besides 0: the daemon's own user */
	const char *path; /* PATH of the action, if not TRUST_CLEAN_PATH */
};

/* The PATH of every action that does not bring its own. */
#define TRUST_CLEAN_PATH "/usr/bin:/bin:/usr/sbin:/sbin"

/*
 * Opens a rule file for reading: O_NOFOLLOW, never blocking, judged by fstat on
 * the descriptor, a regular file with one link, and every directory above it.
 * A descriptor, or -1 with the sentence in why. With t NULL only what the open
 * itself finds is refused (not there, a link, not a regular file).
 */
int trust_open_file(const struct trust *t, const char *path, char why[TRUST_WHY_SIZE]);

/* Judges a directory (conf.d, the log's) and all above it. */
bool trust_directory(const struct trust *t, const char *path, char why[TRUST_WHY_SIZE]);

/*
 * Judges a program: links are followed and each link's directory is judged, the
 * target must be an executable regular file; the interpreter that its #! line
 * names (and what `env` would start) likewise, and if argv[0] is itself an
 * interpreter (sh bash zsh python perl ruby osascript env, with a version) its
 * first absolute argument, unless code comes with -c or -e before it. argv is
 * the whole command, argv[0] as it is to be executed (with root in front);
 * nothing else of it gets root. admin accepts directories that root owns and
 * only the admin group may write. The real path that is to be executed goes to
 * resolved (PATH_MAX). *missing tells "not installed" from "not trusted": a
 * program that is not there is missing whoever may write its directory.
 */
bool trust_program(const struct trust *t, char *const argv[], bool admin, char *resolved,
    bool *missing, char why[TRUST_WHY_SIZE]);

#endif
