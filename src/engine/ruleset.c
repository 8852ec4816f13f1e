/* SPDX-License-Identifier: MIT */
/*
 * From one set of rules to the next. The old set is matched with the new one by
 * name; only what really differs is touched, so that a reload misses nothing and
 * forgets nothing.
 */
#include "engine/ruleset.h"

#include <stdlib.h>
#include <string.h>

#include "rules/conf.h"
#include "schedule/dispatch.h"
#include "engine/job.h"
#include "engine/paths.h"
#include "state/record.h"
#include "state/store.h"
#include "base/util.h"
#include "rules/keys.h"

struct named_lock {
	struct dispatch_lock lock;
	char name[];
};

/* A rule in force, or one that has left and still runs. */
struct member {
	struct job *job;
	bool in_force, stays;
	char name[];
};

void
ruleset_init(struct ruleset *rs, struct job_world *world)
{
	*rs = (struct ruleset){ .world = world };
	settings_init(&rs->settings);
}

static void
clear_diags(struct ruleset *rs)
{
	size_t i;

	for (i = 0; i < rs->ndiags; i++) {
		free(rs->diags[i].file);
		free(rs->diags[i].message);
	}
	free(rs->diags);
	rs->diags = NULL;
	rs->ndiags = 0;
}

void
ruleset_clear(struct ruleset *rs)
{
	struct member *m;
	size_t i;

	for (i = 0; i < rs->by_name.cap; i++) {
		m = rs->by_name.slots[i].value;
		if (m != NULL)
			job_free(m->job);
		free(m);
	}
	map_clear(&rs->by_name);
	for (i = 0; i < rs->locks.cap; i++)
		free(rs->locks.slots[i].value);
	map_clear(&rs->locks);
	free(rs->jobs);
	clear_diags(rs);
}

static struct dispatch_lock *
lock_for(struct ruleset *rs, const char *name)
{
	struct named_lock *l;

	if (name == NULL)
		return NULL;
	l = map_get(&rs->locks, name);
	if (l == NULL) {
		l = xcalloc(1, sizeof(*l) + strlen(name) + 1);
		memcpy(l->name, name, strlen(name) + 1);
		map_put(&rs->locks, l->name, l);
	}
	return &l->lock;
}

static void
member_free(struct ruleset *rs, struct member *m)
{
	map_remove(&rs->by_name, m->name);
	job_free(m->job);
	free(m);
}

/* The last run of a rule that has left is over. */
static void
gone(void *arg, struct job *j)
{
	struct ruleset *rs = arg;

	member_free(rs, map_get(&rs->by_name, job_rule(j)->name));
}

static void
add(struct ruleset *rs, struct rule *rule)
{
	struct member *m = xcalloc(1, sizeof(*m) + strlen(rule->name) + 1);
	struct record known;
	bool found =
	    rule->policy.enabled && store_take(rs->world->store, rule->name, &known);

	memcpy(m->name, rule->name, strlen(rule->name) + 1);
	m->in_force = m->stays = true;
	m->job =
	    job_new(rs->world, rule, lock_for(rs, rule->lock), found ? &known : NULL);
	if (found)
		record_clear(&known);
	map_put(&rs->by_name, m->name, m);
}

static void
leave(struct ruleset *rs, struct member *m)
{
	m->in_force = false;
	if (!job_leave(m->job, gone, rs))
		member_free(rs, m);
}

/*
 * Puts one rule in force. Switching a rule on or off is a leaving and a coming:
 * a disabled rule has no state of its own.
 */
static void
adopt_rule(struct ruleset *rs, struct rule *rule)
{
	struct member *m = map_get(&rs->by_name, rule->name);
	struct record kept;

	if (m == NULL || !m->in_force)
		rs->added++;
	else if (!rule_equal(job_rule(m->job), rule))
		rs->changed++;
	if (m != NULL && job_rule(m->job)->policy.enabled != rule->policy.enabled) {
		leave(rs, m);
		m = map_get(&rs->by_name, rule->name);
	}
	if (m == NULL) {
		add(rs, rule);
		return;
	}
	if (!m->in_force && store_take(rs->world->store, m->name, &kept))
		record_clear(&kept); /* the job itself knows better */
	job_change(m->job, rule, lock_for(rs, rule->lock));
	m->in_force = m->stays = true;
}

/* Is the file that the rule came from there, and refused? Then the rule stays. */
static bool
is_refused(const struct conf *c, const char *file)
{
	size_t i;

	for (i = 0; i < c->ndiags; i++)
		if (c->diags[i].severity == DIAG_ERROR &&
		    strcmp(c->diags[i].file, file) == 0)
			return true;
	return false;
}

static int
by_place(const void *a, const void *b)
{
	const struct rule *x = job_rule(*(struct job *const *)a);
	const struct rule *y = job_rule(*(struct job *const *)b);
	int order = strcmp(x->file, y->file);

	return order != 0 ? order : x->line - y->line;
}

/* Lets go what no file names any more, and lists what is in force. */
static void
settle_members(struct ruleset *rs, const struct conf *c)
{
	struct member **all = xcalloc(rs->by_name.n, sizeof(struct member *));
	size_t n = 0, i;

	for (i = 0; i < rs->by_name.cap; i++)
		if (rs->by_name.slots[i].value != NULL)
			all[n++] = rs->by_name.slots[i].value;
	free(rs->jobs);
	rs->jobs = xcalloc(n, sizeof(struct job *));
	rs->n = 0;
	for (i = 0; i < n; i++) {
		if (!all[i]->in_force)
			continue;
		if (all[i]->stays || is_refused(c, job_rule(all[i]->job)->file)) {
			rs->jobs[rs->n++] = all[i]->job;
		} else {
			leave(rs, all[i]);
			rs->removed++;
		}
	}
	qsort(rs->jobs, rs->n, sizeof(struct job *), by_place);
	free(all);
}

void
ruleset_keep(struct ruleset *rs, struct conf *c)
{
	clear_diags(rs);
	rs->diags = c->diags;
	rs->ndiags = c->ndiags;
	c->diags = NULL;
	c->ndiags = 0;
}

void
ruleset_adopt(struct ruleset *rs, struct conf *c)
{
	struct member *m;
	size_t i;

	rs->added = rs->changed = rs->removed = 0;
	for (i = 0; i < rs->by_name.cap; i++)
		if ((m = rs->by_name.slots[i].value) != NULL)
			m->stays = false;
	for (i = 0; i < c->nrules; i++) {
		adopt_rule(rs, c->rules[i]);
		c->rules[i] = NULL;
	}
	settle_members(rs, c);
	if (c->settings_file == NULL || !is_refused(c, c->settings_file))
		rs->settings = c->settings;
	ruleset_keep(rs, c);
}

struct job *
ruleset_find(const struct ruleset *rs, const char *name)
{
	struct member *m = map_get(&rs->by_name, name);

	return m != NULL && m->in_force ? m->job : NULL;
}

char *
ruleset_changes(const struct ruleset *rs)
{
	const struct {
		size_t n;
		const char *what;
	} changes[] = { { rs->added, "added" }, { rs->changed, "changed" },
		{ rs->removed, "removed" } };
	struct buf out = { NULL, 0, 0 };
	size_t i;

	for (i = 0; i < NELEM(changes); i++)
		if (changes[i].n > 0)
			buf_addf(&out, "%s%zu %s", out.len > 0 ? ", " : "", changes[i].n,
			    changes[i].what);
	if (out.len == 0)
		buf_adds(&out, "nothing changed");
	return out.p;
}

size_t
ruleset_paths(const struct ruleset *rs)
{
	size_t n = 0, i;

	for (i = 0; i < rs->n; i++)
		n += jobpaths_count(job_paths(rs->jobs[i]));
	return n;
}
