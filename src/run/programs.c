/* SPDX-License-Identifier: MIT */
/*
 * Which of a rule's actions can run. Trust decides; here it is only asked, for
 * every action in turn, with the root in front and the PATH that the action gets.
 */
#include "run/programs.h"

#include <stdlib.h>
#include <string.h>

#include "rules/rule.h"
#include "base/util.h"
#include "watch/watch.h"

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

/* By name or number; the directory service is not asked. NULL: the daemon's own. */
static bool
is_root(const char *user)
{
	return user == NULL || strcmp(user, "root") == 0 ||
	       user[strspn(user, "0")] == '\0';
}

bool
programs_by_self(const struct rule *r)
{
	return r->user != NULL || r->group != NULL || r->directory != NULL ||
	       r->umask != -1 || r->nice_set;
}

bool
programs_judge(const struct programs *p, const struct command *c, struct trust_verdict *v)
{
	const struct rule *r = p->rule;
	struct trust t = *p->trust;
	char **argv = rooted(p, c), *directory = NULL;
	bool ok;

	if (r->directory != NULL)
		directory = xasprintf("%s%s", p->root, r->directory);
	t.remote = p->watch != NULL ? watch_remote(p->watch) : p->remote;
	ok = trust_command(&t,
	    &(struct cmdline){
		.argv = argv,
		.directory = directory,
		.environment = r->environment.v,
		.admin = r->trust == TRUST_ADMIN,
		.as_root = is_root(r->user),
		.by_self = programs_by_self(r),
	    },
	    v);
	free(directory);
	free(argv[0]);
	free(argv);
	return ok;
}

const struct command *
programs_choose(struct programs *p, struct trust_verdict *v)
{
	char why[TRUST_WHY_SIZE] = "";
	bool distrusted = false, passing = false;
	size_t i;

	for (i = 0; i < p->rule->nactions; i++) {
		p->current = i;
		if (programs_judge(p, &p->rule->actions[i], v))
			return &p->rule->actions[i];
		passing = passing || v->passing;
		if (distrusted || (v->missing && why[0] != '\0'))
			continue;
		distrusted = !v->missing;
		memcpy(why, v->why, sizeof(why));
	}
	p->current = i;
	v->missing = !distrusted;
	v->passing = passing;
	memcpy(v->why, why, sizeof(why));
	return NULL;
}

const struct strv *
programs_current(const struct programs *p)
{
	return &p->rule->actions[p->current < p->rule->nactions ? p->current : 0].argv;
}

static bool
is_awaited(const struct programs *p, const struct strv *paths)
{
	size_t i;

	for (i = 0; i < p->nways && i < paths->n; i++)
		if (strcmp(watch_way_path(p->ways[i]), paths->v[i]) != 0)
			return false;
	return p->nways == paths->n;
}

bool
programs_await(
    struct programs *p, const struct strv *paths, void (*fn)(void *arg), void *arg)
{
	struct programs old = *p;

	if (is_awaited(p, paths))
		return false;
	/* What both have in common stays armed. */
	p->ways = xcalloc(paths->n, sizeof(struct watch_way *));
	for (p->nways = 0; p->nways < paths->n; p->nways++)
		p->ways[p->nways] = watch_way_add(p->watch, paths->v[p->nways], fn, arg);
	programs_clear(&old);
	return true;
}

void
programs_clear(struct programs *p)
{
	while (p->nways > 0)
		watch_way_remove(p->watch, p->ways[--p->nways]);
	free(p->ways);
	p->ways = NULL;
}
