/* SPDX-License-Identifier: MIT */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "map.h"
#include "rule.h"
#include "util.h"

struct trust;

enum diag_severity { DIAG_ERROR, DIAG_WARNING };

/* One finding. line is 0 where it concerns the file or directory as a whole. */
struct diag {
	enum diag_severity severity;
	char *file; /* as it was given: path, or name within conf.d */
	int line;
	char *message;
};

/*
 * What was read: rules in the order of files and lines, and all findings.
 * settings_file is the file that holds [daemon], or NULL; if that file is
 * refused, settings are the defaults.
 */
struct conf {
	struct rule **rules;
	size_t nrules;
	struct settings settings;
	char *settings_file;
	struct diag *diags;
	size_t ndiags;
	struct strv files;   /* every rule file that was seen, refused ones too */
	bool denied;         /* something could not be read for want of permission */
	struct map verdicts; /* on commands that were judged */
	struct map sections; /* name of a section -> where it stands */
	/*
	 * Set by the caller: mount points that must not be touched. NULL: nothing
	 * on the way to a watched path is looked at, and so not warned of.
	 */
	const struct strv *remote;
};

/*
 * Reads every rule file of a directory, in byte order of names, or one file,
 * and adds it to c, which was all zero at first; sections must be unique over
 * all of it. A file with any error gives no rule, but keeps the names of its
 * sections, since an earlier version of it may be in force. Judges files and
 * programs if t is not NULL. root is put in front of paths that are looked at
 * (warnings), never into the rules. 0, or -1 if the directory or file could not
 * be read at all, which is also in diags.
 */
int
conf_read_dir(struct conf *c, const char *dir, const struct trust *t, const char *root);
int
conf_read_file(struct conf *c, const char *path, const struct trust *t, const char *root);

/* How many errors are among the findings. */
size_t conf_errors(const struct conf *c);

/* Frees everything; a rule that was taken over is NULL in rules. */
void conf_clear(struct conf *c);

#endif
