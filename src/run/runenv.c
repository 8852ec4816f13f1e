/* SPDX-License-Identifier: MIT */
/*
 * What an action finds in its environment: built from nothing for every run, so
 * that no variable of the daemon's own ever reaches a program.
 */
#include "run/runenv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schedule/dispatch.h"
#include "rules/rule.h"
#include "run/run.h"
#include "trust/trust.h"

/* Sets NAME=value; one that is there already is replaced. */
static void
put(struct strv *env, char *owned)
{
	size_t i, len = strcspn(owned, "=") + 1;

	for (i = 0; i < env->n; i++) {
		if (strncmp(env->v[i], owned, len) != 0)
			continue;
		free(env->v[i]);
		env->v[i] = owned;
		return;
	}
	strv_push(env, owned);
}

/* The changed paths, one per line, as far as they fit. */
static void
put_paths(struct strv *env, const struct dispatch_rule *state, runenv_path_fn *path_of)
{
	struct buf all = { NULL, 0, 0 }, one = { NULL, 0, 0 };
	const struct dispatch_path *p;
	const char *path;
	unsigned omitted = 0;

	buf_adds(&all, "");
	TAILQ_FOREACH(p, &state->taken, taken_link) {
		path = path_of(p);
		one.len = 0;
		buf_addvis(&one, path, strlen(path));
		if (all.len + one.len + 1 > RUNENV_PATHS_MAX) {
			omitted++;
			continue;
		}
		if (all.len > 0)
			buf_adds(&all, "\n");
		buf_add(&all, one.p, one.len);
	}
	put(env, xasprintf("WATCHPATHD_PATHS=%s", all.p));
	put(env, xasprintf("WATCHPATHD_PATHS_OMITTED=%u", omitted));
	buf_clear(&all);
	buf_clear(&one);
}

void
runenv_build(struct strv *out, const struct rule *rule, const struct run *run,
    const struct dispatch_rule *state, runenv_path_fn *path_of, const struct strv *user)
{
	size_t i;

	*out = (struct strv){ NULL, 0 };
	put(out, xstrdup("PATH=" TRUST_CLEAN_PATH));
	for (i = 0; user != NULL && i < user->n; i++)
		put(out, xstrdup(user->v[i]));
	for (i = 0; i < rule->environment.n; i++)
		put(out, xstrdup(rule->environment.v[i]));
	put(out, xasprintf("WATCHPATHD_RULE=%s", rule->name));
	put(out, xasprintf("WATCHPATHD_RUN=%s", run->id));
	put(out, xasprintf("WATCHPATHD_REASON=%s", run->reason));
	put(out, xasprintf("WATCHPATHD_ATTEMPT=%u", (unsigned)run->attempt));
	put(out, xasprintf("WATCHPATHD_PATH=%s", run->path != NULL ? run->path : ""));
	put(out, xasprintf("WATCHPATHD_CHANGE=%s", run->change));
	put_paths(out, state, path_of);
}
