/* SPDX-License-Identifier: MIT */
#ifndef TRUST_H
#define TRUST_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

struct judged_set;
struct strv;

/*
 * May this file be obeyed, and if not, why? Everything that decides over what
 * runs as root is judged here and in cmdline.h: owners, modes, links and every
 * directory above. A refusal is a sentence that begins with the path at fault,
 * such as "/Library/x.ini: writable by group (mode 0664)".
 */
#define TRUST_WHY_SIZE 2048

struct trust {
	const char *root;  /* --root: judging stops there. NULL or "": no root */
	bool root_is_real; /* it has no links, so it need not be followed */
	uid_t owner;       /* besides 0: the daemon's own user */
	const char *self;  /* the daemon's own program; NULL: it is not judged */
	/*
	 * Network volumes, which are refused untouched: a stat on a dead one takes for
	 * ever, and who may write there another machine decides. NULL: not known.
	 */
	const struct strv *remote;
	/* Directories that need not be judged in full again. NULL: all are, always. */
	struct judged_set *judged;
};

/*
 * Opens a rule file for reading: O_NOFOLLOW, never blocking, judged by fstat on
 * the descriptor, a regular file, and every directory above it. How many links it
 * has does not count: macOS lets everybody make one to a file that he can reach.
 * A descriptor, or -1 with the sentence in why, and errno where the system gave
 * it (else 0). With t NULL only what the open itself finds is refused (not there, a
 * link, not a regular file).
 */
int trust_open_file(const struct trust *t, const char *path, char why[TRUST_WHY_SIZE]);

/* A refusal without path at its beginning, where it is about path itself. */
const char *trust_without_path(const char *why, const char *path);

/* Judges a directory (conf.d, the log's) and all above it; errno likewise. */
bool trust_directory(const struct trust *t, const char *path, char why[TRUST_WHY_SIZE]);

/* Where a path leads, links followed as the kernel does. */
struct trust_place {
	char real[PATH_MAX]; /* the real path, or what of it is not there */
	mode_t type;         /* S_IFMT of what is there; 0: nothing */
	mode_t mode;         /* of what trust_open has opened */
	int error;           /* why nothing is: ENOENT or ENOTDIR; else 0 */
	bool passing;        /* refused for what passes by itself: see trust_passes */
	bool remote;         /* refused for the network volume it is on, untouched */
};

/*
 * Does root alone decide what is at path, be it there or not? The directory of
 * each link and all above are judged, and so is what is there. So the answer never
 * depends on what somebody else makes or removes. admin accepts directories that
 * root owns and only the admin group may write. False: why says who else decides.
 */
bool trust_place(const struct trust *t, const char *path, bool admin,
    struct trust_place *p, char why[TRUST_WHY_SIZE]);

/*
 * The same; and if the answer is yes and a regular file is there, *fd is open on it
 * for reading, and what is open was judged. Else *fd is -1.
 */
bool trust_open(const struct trust *t, const char *path, bool admin,
    struct trust_place *p, int *fd, char why[TRUST_WHY_SIZE]);

/*
 * Is this errno of one who could not look, as everybody can bring about who opens
 * all the files that the system has room for? Then it is worth looking again.
 */
bool trust_passes(int error);

/* Judges what is open, by its owner, mode, ACL and volume; path names it in why. */
bool trust_descriptor(const struct trust *t, int fd, const char *path,
    const struct stat *st, char why[TRUST_WHY_SIZE]);

/*
 * What a refusal finds wrong. It is known by the sentence, which is all of it that
 * the daemon hands on.
 */
enum trust_fault {
	FAULT_OTHER,
	FAULT_OWNER,    /* somebody else owns it or may write to it */
	FAULT_ACL,      /* may, by an ACL */
	FAULT_LINK,     /* a rule file is a symbolic link */
	FAULT_TYPE,     /* it is a directory, a FIFO or the like */
	FAULT_MODE,     /* nobody may execute it */
	FAULT_LINE_END, /* a script's first line ends in a carriage return */
	FAULT_FORMAT,   /* no program, and no script with a #! line */
	FAULT_MISSING,  /* not installed yet */
	FAULT_QUOTES,   /* nor will it be: quotes made one word of a command line */
};
enum trust_fault trust_fault_of(const char *why);

/* Makes the sentence "PATH: …" of a refusal; always false. */
bool trust_refuse(char why[TRUST_WHY_SIZE], const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
