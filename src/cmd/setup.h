/* SPDX-License-Identifier: MIT */
#ifndef SETUP_H
#define SETUP_H

#include "cmd/ask.h"
#include "rules/conf.h"
#include "cmd/diagnosis.h"
#include "run/findings.h"
#include "base/map.h"
#include "base/options.h"
#include "trust/trust.h"
#include "base/util.h"

struct cJSON;

/*
 * What `doctor` looks at, and what it has found. Where the daemon answers, it and
 * its rule files are what is looked at, even if the command line says nothing of
 * where they are.
 */
struct setup {
	struct options *opt;   /* set before setup_read */
	struct trust trust;    /* as the daemon judges */
	struct conf conf;      /* the rule files as they are now */
	struct map rules;      /* of conf, by name */
	struct strv remote;    /* mount points */
	struct findings check; /* programs and directories */
	struct cJSON *status;  /* the daemon's, or NULL: */
	struct ask_error error;
	struct map states; /* elements of its "rules", by name */
	struct diagnosis diagnosis;
};

/* Asks the daemon and reads the rule files. */
void setup_read(struct setup *s);
void setup_clear(struct setup *s);

/* A finding of a rule, or NULL; takes over as diagnosis_add does. */
void setup_add(struct setup *s, enum finding_kind kind, const char *rule, char *cause,
    const char *why, struct repair repair);

/* The rule of that name as it is in the files now, or NULL. */
const struct rule *setup_rule(const struct setup *s, const char *name);

/* "DIR/FILE:LINE", as it is shown; line 0: without it. The caller frees these. */
char *setup_place(const struct setup *s, const char *file, int line);

/* Likewise "name another WHAT in DIR/FILE:LINE"; rule NULL: "in its rule file". */
char *setup_otherwise(
    const struct setup *s, const char *what, const struct rule *rule, int line);

/* The first action of the rule that may run; or NULL, and *refused is the one to repair.
 */
const struct command *
setup_choose(struct setup *s, const struct rule *rule, const struct command **refused);

/* A command line of this program, with the options of this call that it takes. */
char *setup_command(const struct setup *s, const char *command, const char *operand);

/* The same as what repairs. */
struct repair setup_repair(const struct setup *s, const char *command);

#endif
