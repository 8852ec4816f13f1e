/* SPDX-License-Identifier: MIT */
#ifndef TRUST_H
#define TRUST_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct strv;

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
 * the descriptor, a regular file, and every directory above it. How many links it
 * has does not count: macOS lets everybody make one to a file that he can reach.
 * A descriptor, or -1 with the sentence in why. With t NULL only what the open
 * itself finds is refused (not there, a link, not a regular file).
 */
int trust_open_file(const struct trust *t, const char *path, char why[TRUST_WHY_SIZE]);

/* A refusal without path at its beginning, where it is about path itself. */
const char *trust_without_path(const char *why, const char *path);

/* Judges a directory (conf.d, the log's) and all above it. */
bool trust_directory(const struct trust *t, const char *path, char why[TRUST_WHY_SIZE]);

/* What the judgement of a command came to. */
struct trust_verdict {
	char resolved[PATH_MAX];  /* the real path that is to be executed */
	char why[TRUST_WHY_SIZE]; /* the refusal */
	bool missing;             /* it is not installed, rather than not trusted */
	/*
	 * Set by the caller: gets every path that the verdict depends on, so that
	 * nothing but a change on the way to one of them can change it; or NULL.
	 */
	struct strv *paths;
};

/*
 * Judges a command: links are followed and each link's directory is judged, the
 * target must be an executable regular file that the system can execute; the
 * interpreter that its #! line names (and what `env` would start) likewise, and
 * if argv[0] is itself an interpreter (sh bash zsh python perl ruby osascript
 * env, with a version) its first absolute argument, unless code comes with -c or
 * -e before it. argv is the whole command, argv[0] as it is to be executed (with
 * root in front); nothing else of it gets root. admin accepts directories that
 * root owns and only the admin group may write. A program that is not there is
 * missing, whoever may write its directory. True: it may run.
 */
bool trust_command(
    const struct trust *t, char *const argv[], bool admin, struct trust_verdict *v);

#endif
