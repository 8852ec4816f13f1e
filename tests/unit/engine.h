/* SPDX-License-Identifier: MIT */
#ifndef TEST_ENGINE_H
#define TEST_ENGINE_H

/*
 * Rules in force as the daemon has them, in a sandbox: what its turns do, without its
 * socket, its own rule files and its clock.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "engine/job.h"
#include "engine/ruleset.h"
#include "rules/conf.h"
#include "run/spawn.h"
#include "state/history.h"
#include "state/store.h"
#include "test.h"
#include "watch/watch.h"

static struct engine {
	char root[SANDBOX_SIZE];
	char state[SANDBOX_SIZE + 8];
	struct loop *loop;
	struct job_world world;
	struct ruleset rules;
} engine;

/* path below the root. */
static inline const char *
at(const char *path)
{
	return path_in(engine.root, path);
}

static inline void
put_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(at(path), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	must(fd);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	must(fchmod(fd, mode));
	close(fd);
}

/* A daemon starts; begin_engine makes its sandbox first. */
static inline void
start_engine(void)
{
	struct job_world *w = &engine.world;
	char why[512];

	engine.loop = loop_new();
	*w = (struct job_world){ .runner.root = engine.root, .starting = true };
	w->runner.config = engine.root;
	w->trust = (struct trust){ .root = engine.root, .owner = geteuid() };
	TAILQ_INIT(&w->left_over);
	w->runner.spawner = spawner_new(engine.loop, "/bin/false");
	w->watch = watch_new(engine.loop);
	dispatch_init(&w->dispatch, 16, 1);
	w->history = history_new(engine.state, &w->trust);
	w->store = store_new(engine.state, &w->trust);
	w->alerters.dispatch = &w->dispatch;
	w->alerters.history = w->history;
	assert_true(store_open(w->store, why, sizeof(why)));
	ruleset_init(&engine.rules, w);
}

static inline void
begin_engine(void)
{
	json_init();
	log_set_level(LOG_LEVEL_ERROR);
	make_sandbox(engine.root);
	must(chmod(engine.root, 0755));
	snprintf(engine.state, sizeof(engine.state), "%s/state", engine.root);
	start_engine();
}

static inline void
stop_engine(void)
{
	spawner_free(engine.world.runner.spawner);
	ruleset_clear(&engine.rules);
	alerters_clear(&engine.world.alerters);
	watch_free(engine.world.watch);
	store_free(engine.world.store);
	history_free(engine.world.history);
	loop_free(engine.loop);
}

static inline void
end_engine(void)
{
	stop_engine();
	remove_tree(engine.root);
}

/* Puts the rules of a text in force, as a file of that name. */
static inline void
load_rules(const char *file, const char *text)
{
	struct conf c = { .nrules = 0 };
	size_t i;

	conf_read_text(&c, file, text, strlen(text));
	ruleset_adopt(&engine.rules, &c);
	conf_clear(&c);
	assert_true(store_begin(engine.world.store));
	for (i = 0; i < engine.rules.n; i++)
		job_save(engine.rules.jobs[i]);
	assert_true(store_end(engine.world.store, true));
	engine.world.starting = false;
}

/* One turn of the daemon: at most one event, then every step that is due. */
static inline void
turn_engine(void)
{
	struct dispatch *d = &engine.world.dispatch;
	struct dispatch_rule *r;
	enum dispatch_step step;
	mono_t now,
	    until = mono_min(dispatch_deadline(d), watch_deadline(engine.world.watch));

	(void)loop_wait(engine.loop, mono_min(until, mono_add(mono_now(), 20 * MONO_MS)));
	now = mono_now();
	alerters_due(&engine.world.alerters, now);
	watch_due(engine.world.watch, now);
	while ((step = dispatch_next(d, now, &r)) != STEP_NONE)
		job_step(job_of(r), step, now);
}

static inline struct job_info
info_of(const char *rule)
{
	struct job *j = ruleset_find(&engine.rules, rule);
	struct job_info info;

	assert_non_null(j);
	job_inform(j, &info);
	return info;
}

/* Turns until the rule has had so many runs, and is in no run. */
static inline void
wait_runs(const char *rule, uint64_t n)
{
	mono_t end = mono_add(mono_now(), 60 * MONO_SEC);

	while (info_of(rule).runs < n || info_of(rule).run != NULL) {
		assert_true(mono_before(mono_now(), end));
		turn_engine();
	}
	assert_int_equal(info_of(rule).runs, n);
}

#endif
