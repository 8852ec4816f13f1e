/* SPDX-License-Identifier: MIT */
#ifndef DIAGNOSIS_H
#define DIAGNOSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/util.h"
#include "cmd/repair.h"

struct cJSON;

/*
 * What is about the same, the worst first: the earlier may be why the later is
 * so, or hide more of it.
 */
enum finding_kind {
	KIND_DAEMON, /* it is not running, cannot be asked, is another one */
	KIND_FILES,  /* rule files that are refused */
	KIND_TRUST,  /* programs that may not run */
	KIND_RULES,  /* blocked, failed, or bound to fail */
	KIND_PATHS,  /* that are not watched */
	KIND_STATE,  /* what the daemon writes */
	KIND_JOBS,   /* others that do the same */
	KIND_NOTES,  /* what works, and may not be what is wanted */
};

/* One finding. diagnosis_add takes cause and the repair's text over. */
struct finding {
	enum finding_kind kind;
	const char *rule;    /* whose it is, or NULL */
	const char *subject; /* what of several has this cause, or NULL */
	char *cause;         /* what is wrong */
	const char *why;     /* why it matters */
	struct repair repair;
};

/* All findings. root and hidden_end are the caller's to set. */
struct diagnosis {
	const char *root;       /* is not shown in front of paths */
	const char *hidden_end; /* causes that end so are left out; NULL: none */
	bool hid_any;           /* there was one */
	struct found *found;
	size_t n;
	struct strv notes;
};

/* What is worth knowing and wrong in no way: no finding. Takes text over. */
void diagnosis_note(struct diagnosis *d, char *text);

/* What has the cause of an earlier finding is added to that. */
void diagnosis_add(struct diagnosis *d, struct finding f);

/* Does a sentence about a rule say the cause of a finding about it? */
bool
diagnosis_explains(const struct diagnosis *d, const char *rule, const char *sentence);

/* Text without the root in front of paths; the caller frees it. */
char *diagnosis_shown(const struct diagnosis *d, const char *text);

/* All, the worst first, as an object that the caller frees: see `doctor --json`. */
struct cJSON *diagnosis_json(struct diagnosis *d);

/* Prints all, the worst first. */
void diagnosis_print(struct diagnosis *d, FILE *out);
void diagnosis_print_json(struct diagnosis *d, FILE *out);

void diagnosis_clear(struct diagnosis *d);

#endif
