/* SPDX-License-Identifier: MIT */
/*
 * Rule files: from bytes to rules, or to findings with file and line. inih cuts
 * what it cannot hold, in silence and not the same way in every version, so this
 * module reads the file itself, refuses every line that inih might bend, and
 * hands it only the headers, keys and indented lines that are left, one at a
 * time. Hence it also knows the line that a value came from.
 */
#include "conf.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <ini.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform.h"
#include "trust.h"

#define FILE_MAX ((size_t)1 << 20)
#define KEY_LEN 50

/* Where the directory is, and how it is to be judged. */
struct source {
	struct conf *conf;
	const struct trust *trust;
	const char *root;
	struct strv remote; /* mount points that must not be touched */
};

/* A section, kept until its file is known to be good. */
struct section {
	struct rule *rule; /* NULL: [daemon] */
	int line;
	size_t nkeys;
	size_t nerrors;
	int *watch_lines;  /* the lines of rule->watch */
	size_t nwatch;
};

struct parser {
	const struct source *src;
	struct conf *conf;
	const char *file; /* as findings name it */
	char *next, *end; /* what is left of the text */
	char *text;	  /* the line at hand */
	int line;
	struct section *sections;
	size_t nsections;
	bool lost;	   /* text before the first section was reported */
	bool daemon;	   /* [daemon] is in this file, */
	struct settings settings; /* and says this */
	char key[KEY_LEN]; /* that an indented line would continue, or "" */
	bool skip;	   /* the line above was refused, so its continuations are */
	bool owed;	   /* inih has a line whose value it did not hand over */
	size_t first;	   /* of this file's findings */
	size_t nerrors;
};

static void add_diag(struct parser *p, enum diag_severity severity, int line,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void error(struct parser *p, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
