/* SPDX-License-Identifier: MIT */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stddef.h>

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

/* What was read: rules in the order of files and lines, and all findings. */
struct conf {
	struct rule **rules;
	size_t nrules;
	struct settings settings;
	struct diag *diags;
	size_t ndiags;
	struct strv files; /* every rule file that was seen, refused ones too */
};

/*
 * Reads every rule file of a directory, in byte order of names, into c, which
 * must be all zero, or one file (read as the only one). A file with any error
 * gives no rule. Judges files and programs if trust is not NULL. root is put in
 * front of paths that are looked at (warnings), never into the rules. 0, or -1
 * if the directory or file could not be read at all, which is also in diags.
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
