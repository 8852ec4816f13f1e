/* SPDX-License-Identifier: MIT */
/*
 * Which of a rule's actions can run. Trust decides; here it is only asked, for
 * every action in turn, with the root in front and the PATH that the action gets.
 */
#include "programs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule.h"
#include "util.h"
#include "watch.h"

void
programs_init(struct programs *p, struct watch *w, const struct trust *t,
    const char *root, const struct rule *rule)
{
	*p = (struct programs){
		.watch = w,
		.trust = t,
		.root = root,
		.rule = rule,
	};
}

void
programs_set(struct programs *p, const struct rule *rule)
{
	p->rule = rule;
	if (p->current > rule->nactions)
		p->current = rule->nactions;
}

/* The command as it is executed: root stands in front of the program. */
static char **
rooted(const struct programs *p, const struct command *c)
{
	char **argv = xcalloc(c->argv.n + 1, sizeof(*argv));
	size_t i;

	argv[0] = xasprintf("%s%s", p->root, c->argv.v[0]);
	for (i = 1; i < c->argv.n; i++)
		argv[i] = c->argv.v[i];
	return argv;
}

bool
programs_judge(const struct programs *p, const struct command *c, char *resolved,
    bool *missing, char why[TRUST_WHY_SIZE])
{
	const struct strv *env = &p->rule->environment;
	struct trust t = *p->trust;
	char **argv = rooted(p, c);
	bool ok;
	size_t i;

	for (i = 0; i < env->n; i++)
		if (strncmp(env->v[i], "PATH=", 5) == 0)
			t.path = env->v[i] + 5;
	ok = trust_program(
	    &t, argv, p->rule->trust == TRUST_ADMIN, resolved, missing, why);
	free(argv[0]);
	free(argv);
	return ok;
}

const struct command *
programs_choose(struct programs *p, char *resolved, char why[TRUST_WHY_SIZE])
{
	char reason[TRUST_WHY_SIZE];
	bool missing, distrusted = false;
	size_t i;

	why[0] = '\0';
	for (i = 0; i < p->rule->nactions; i++) {
		p->current = i;
		if (programs_judge(p, &p->rule->actions[i], resolved, &missing, reason))
			return &p->rule->actions[i];
		if (distrusted || (missing && why[0] != '\0'))
			continue;
		distrusted = !missing;
		snprintf(why, TRUST_WHY_SIZE, "%s", reason);
	}
	p->current = i;
	return NULL;
}

const struct strv *
programs_current(const struct programs *p)
{
	return p->current < p->rule->nactions ? &p->rule->actions[p->current].argv : NULL;
}

void
programs_watch(struct programs *p, void (*fn)(void *arg), void *arg)
{
	char *path;

	programs_unwatch(p);
	p->ways = xcalloc(p->rule->nactions, sizeof(*p->ways));
	for (; p->nways < p->rule->nactions; p->nways++) {
		path = xasprintf("%s%s", p->root, p->rule->actions[p->nways].argv.v[0]);
		p->ways[p->nways] = watch_way_add(p->watch, path, fn, arg);
		free(path);
	}
}

void
programs_unwatch(struct programs *p)
{
	while (p->nways > 0)
		watch_way_remove(p->watch, p->ways[--p->nways]);
	free(p->ways);
	p->ways = NULL;
}
