/* SPDX-License-Identifier: MIT */
/*
 * When to reload. The rule files are watched like any other path: the directory
 * for files that come and go, each file for being rewritten in place. Only while
 * it is refused the way there is watched too: a chmod above may repair it.
 */
#include "engine/confwatch.h"

#include <stdlib.h>

#include "watch/stamp.h"
#include "base/util.h"
#include "watch/watch.h"

#define QUIET_NS MONO_SEC
#define PATIENCE_NS (10 * MONO_SEC)

struct confwatch {
	struct watch *watch;
	struct watch_entry *dir, *files;
	char *path;
	struct watch_way *way;
	mono_t first, last;
};

static void
note(struct confwatch *c)
{
	c->last = mono_now();
	if (mono_is_never(c->first))
		c->first = c->last;
}

/* The last stamp of each path is its owner. */
static void
looked(void *arg, struct watch_path *p, const struct stamp *now, unsigned hints,
    mono_t noticed)
{
	struct confwatch *c = arg;
	struct stamp *seen = p->owner;

	(void)noticed;
	if (now == NULL)
		return;
	if (seen == NULL)
		seen = p->owner = xcalloc(1, sizeof(*seen));
	if (stamp_diff(seen, now, hints) != 0)
		note(c);
	*seen = *now;
}

static void
gone(void *arg, struct watch_path *p)
{
	note(arg);
	free(p->owner);
}

static void
others_looked(void *arg, const struct watch_others *others)
{
	(void)others;
	note(arg);
}

static const struct watch_ops ops = { looked, gone, others_looked };

static void
way_changed(void *arg)
{
	note(arg);
}

struct confwatch *
confwatch_new(struct watch *w, const char *dir)
{
	struct confwatch *c = xcalloc(1, sizeof(*c));
	char *files = xasprintf("%s/*.ini", dir);

	c->watch = w;
	c->dir = watch_add(w, dir, &ops, c);
	c->files = watch_add(w, files, &ops, c);
	c->path = xstrdup(dir);
	free(files);
	confwatch_reset(c);
	return c;
}

static void
forget(void *arg, struct watch_path *p)
{
	(void)arg;
	free(p->owner);
}

void
confwatch_free(struct confwatch *c)
{
	if (c == NULL)
		return;
	confwatch_set_refused(c, false);
	watch_each(c->files, forget, NULL);
	watch_each(c->dir, forget, NULL);
	watch_remove(c->watch, c->files);
	watch_remove(c->watch, c->dir);
	free(c->path);
	free(c);
}

mono_t
confwatch_due(const struct confwatch *c)
{
	return mono_min(mono_add(c->last, QUIET_NS), mono_add(c->first, PATIENCE_NS));
}

void
confwatch_reset(struct confwatch *c)
{
	c->first = c->last = MONO_NEVER;
}

void
confwatch_set_refused(struct confwatch *c, bool refused)
{
	if (refused && c->way == NULL)
		c->way = watch_way_add(c->watch, c->path, way_changed, c);
	if (!refused && c->way != NULL) {
		watch_way_remove(c->watch, c->way);
		c->way = NULL;
	}
}
