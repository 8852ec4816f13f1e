/* SPDX-License-Identifier: MIT */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "rules/rule.h"
#include "base/util.h"

struct trust;

/*
 * Rules that came by a configuration profile: this file of a directory is read
 * first, and a rule in it goes before one of the same name in any other, which is
 * a warning there and no rule.
 */
#define CONF_MANAGED "00-managed.ini"
#define CONF_REPLACED "replaced by " CONF_MANAGED

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
	bool passing;        /* or of what comes again: reading is worth another try */
	struct map sections; /* name of a section -> where it stands */
};

/*
 * Reads every rule file of a directory, CONF_MANAGED first and then in byte order of
 * names, or one file, and adds it to c, which was all zero at first; sections must be
 * unique over all of it. Other files of a directory are a warning each, but for those
 * that people set aside. A file with any error gives no rule, but keeps the names of
 * its sections, since an earlier version of it may be in force. Judges the files if t
 * is not NULL, and never what they name: see findings.h. 0, or -1 if the directory or
 * file could not be read at all, which is also in diags.
 */
int conf_read_dir(struct conf *c, const char *dir, const struct trust *t);
int conf_read_file(struct conf *c, const char *path, const struct trust *t);

/* Likewise a text, as if it were the file of that name. */
void conf_read_text(struct conf *c, const char *name, const char *text, size_t len);

/* Is a file of that name read where it is in a directory of rules? */
bool conf_is_read(const char *name);

/* Adds a warning; sorts diags from the index first on, by file and line. */
void conf_warn(struct conf *c, const char *file, int line, const char *text);
void conf_sort(struct conf *c, size_t first);

/* How many errors are among the findings. */
size_t conf_errors(const struct conf *c);

/* Are these n rules, without an error, what was read? */
bool conf_holds(const struct conf *c, struct rule *const *rules, size_t n);

/* Frees everything; a rule that was taken over is NULL in rules. */
void conf_clear(struct conf *c);

#endif
