/* SPDX-License-Identifier: MIT */
#ifndef RUNENV_H
#define RUNENV_H

#include "base/util.h"

struct dispatch_rule;
struct rule;
struct run;

/* The path that a dispatch_path stands for. */
struct dispatch_path;
typedef const char *runenv_path_fn(const struct dispatch_path *p);

/* WATCHPATHD_PATHS holds at most this many bytes. */
#define RUNENV_PATHS_MAX (32 * 1024)

/*
 * Builds the environment of a run that state has just started: the clean one,
 * the rule's, and what the run is about. user holds HOME USER LOGNAME SHELL of
 * the user it runs as; NULL where they are found out later. The caller clears
 * out with strv_clear.
 */
void runenv_build(struct strv *out, const struct rule *rule, const struct run *run,
    const struct dispatch_rule *state, runenv_path_fn *path_of, const struct strv *user);

#endif
