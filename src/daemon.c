/* SPDX-License-Identifier: MIT */
/*
 * The daemon: it owns everything, loads the rules, and turns events and due
 * times into steps. After start-up nothing that comes from outside ends it, and
 * what cannot be had at start (a conf.d, a log) is tried again.
 */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf.h"
#include "dispatch.h"
#include "history.h"
#include "job.h"
#include "json.h"
#include "log.h"
#include "loop.h"
#include "map.h"
#include "mono.h"
#include "paths.h"
#include "platform.h"
#include "record.h"
#include "rule.h"
#include "spawn.h"
#include "store.h"
#include "trust.h"
#include "util.h"
#include "watch.h"

/* While anything is due: macOS does not count a wait on through sleep. */
#define WAIT_MAX_NS (30 * MONO_SEC)
/* How long a stopping daemon waits for its runs. */
#define STOP_NS (10 * MONO_SEC)
/* How long saving may keep an event waiting, and events a save. */
#define SAVE_SLICE_NS (2 * MONO_MS)
#define SAVE_LATE_NS (500 * MONO_MS)

struct options {
	char *config, *state, *log, *root;
};

struct named_lock {
	struct dispatch_lock lock;
	char name[];
};

struct daemon {
	struct options opt;
	struct loop *loop;
	struct job_world world;
	struct conf conf;
	struct job **jobs;
	size_t njobs;
	struct map locks;
	struct watch_way *config_way; /* while conf.d cannot be read */
	struct history *history;
	bool loaded, log_failed, history_failed;
	bool rewriting, store_failed;
	mono_t recheck_at, stop_at, left_over_at;
	int network[PLATFORM_NETWORK_FDS];
	size_t nnetwork;
	struct loop_src on_stop, on_reload, on_network[PLATFORM_NETWORK_FDS];
};

static void
usage(void)
{
	fputs("usage: watchpathd run [--config DIR] [--state DIR] [--log FILE] [--root "
	      "DIR]\n",
	    stderr);
}

/* An absolute path without links above its last component; NULL if that fails. */
static char *
absolute(const char *path)
{
	char cwd[PATH_MAX];

	if (path[0] == '/')
		return xstrdup(path);
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return NULL;
	return xasprintf("%s/%s", strcmp(cwd, "/") == 0 ? "" : cwd, path);
}

static char **
option_of(struct options *o, int c)
{
	switch (c) {
	case 'c':
		return &o->config;
	case 's':
		return &o->state;
	case 'l':
		return &o->log;
	case 'r':
		return &o->root;
	default:
		return NULL;
	}
}

static int
set_option(struct options *o, int c)
{
	char **to = option_of(o, c);

	if (to == NULL)
		return -1;
	free(*to);
	*to = c == 'r' ? realpath(optarg, NULL) : absolute(optarg);
	if (*to != NULL)
		return 0;
	fprintf(stderr, "watchpathd: %s: %s\n", optarg, strerror(errno));
	return -1;
}

/* 0, or -1 when the usage is wrong, which has been said. */
static int
parse_options(struct options *o, int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "state", required_argument, NULL, 's' },
		{ "log", required_argument, NULL, 'l' },
		{ "root", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longopts, NULL)) != -1)
		if (set_option(o, c) == -1) {
			usage();
			return -1;
		}
	if (optind < argc) {
		fprintf(stderr, "watchpathd: run takes no argument: %s\n", argv[optind]);
		usage();
		return -1;
	}
	if (o->root == NULL || strcmp(o->root, "/") == 0) {
		free(o->root);
		o->root = xstrdup("");
	}
	if (o->config == NULL)
		o->config = xasprintf("%s%s", o->root, PATH_CONFIG);
	if (o->state == NULL)
		o->state = xasprintf("%s%s", o->root, PATH_STATE);
	return 0;
}

/* The log's directory decides who may write to it; then it is opened. */
static bool
try_log(const struct daemon *d, char why[TRUST_WHY_SIZE])
{
	char *dir = xstrdup(d->opt.log), *slash = strrchr(dir, '/');
	bool ok;

	*(slash != dir ? slash : slash + 1) = '\0';
	ok = trust_directory(&d->world.trust, dir, why);
	if (ok && log_open(d->opt.log) == -1) {
		snprintf(why, TRUST_WHY_SIZE, "%s: %s", d->opt.log, strerror(errno));
		ok = false;
	}
	free(dir);
	return ok;
}

static void
open_log(struct daemon *d)
{
	char why[TRUST_WHY_SIZE];

	if (d->opt.log == NULL)
		return;
	if (try_log(d, why)) {
		if (d->log_failed)
			log_info("logging to %s again", d->opt.log);
		d->log_failed = false;
		return;
	}
	if (!d->log_failed)
		log_error("cannot log to a file: %s", why);
	d->log_failed = true;
}

/* The log and its older files are never a change of a rule. */
static void
disown_log(struct daemon *d)
{
	char *slash, *dir, real[PATH_MAX], *path;
	int i;

	if (d->opt.log == NULL)
		return;
	dir = xstrdup(d->opt.log);
	slash = strrchr(dir, '/');
	*slash = '\0';
	if (realpath(dir[0] != '\0' ? dir : "/", real) != NULL) {
		for (i = 0; i <= LOG_KEEP; i++) {
			path = xasprintf(
			    "%s/%s", strcmp(real, "/") == 0 ? "" : real, slash + 1);
			if (i > 0) {
				char *numbered = xasprintf("%s.%d", path, i);

				free(path);
				path = numbered;
			}
			watch_disown(d->world.watch, path);
			free(path);
		}
	}
	free(dir);
}

/* HOME and the like, looked up once: a directory service can take minutes. */
static void
find_user(struct strv *env)
{
	struct passwd *pw = getpwuid(geteuid());
	const char *name = pw != NULL ? pw->pw_name : "root";

	strv_push(env, xasprintf("HOME=%s", pw != NULL ? pw->pw_dir : "/"));
	strv_push(env, xasprintf("USER=%s", name));
	strv_push(env, xasprintf("LOGNAME=%s", name));
	strv_push(
	    env, xasprintf("SHELL=%s",
		     pw != NULL && pw->pw_shell[0] != '\0' ? pw->pw_shell : "/bin/sh"));
}

static void
on_stop(void *arg, const struct loop_event *ev)
{
	struct daemon *d = arg;

	(void)ev;
	if (!mono_is_never(d->stop_at))
		return;
	log_info("stopping: %zu running", spawn_running(d->world.spawner));
	dispatch_stop(&d->world.dispatch);
	d->stop_at = mono_add(mono_now(), STOP_NS);
}

static void
on_reload(void *arg, const struct loop_event *ev)
{
	(void)arg;
	(void)ev;
	log_warning("a reload without a restart is not supported yet: the rules stay as "
		    "they are");
}

static void
on_network(void *arg, const struct loop_event *ev)
{
	struct daemon *d = arg;
	bool changed = false;
	size_t i;

	(void)ev;
	for (i = 0; i < d->nnetwork; i++)
		changed |= platform_network_changed(d->network[i]);
	for (i = 0; changed && i < d->njobs; i++)
		job_network(d->jobs[i]);
}

static void
watch_network(struct daemon *d)
{
	size_t i;

	d->nnetwork = platform_network_open(d->network);
	if (d->nnetwork == 0)
		log_warning("network changes cannot be noticed: %s", strerror(errno));
	for (i = 0; i < d->nnetwork; i++) {
		d->on_network[i] = (struct loop_src){ on_network, d };
		loop_watch_read(d->loop, d->network[i], &d->on_network[i]);
	}
}

static void
watch_signals(struct daemon *d)
{
	static const int stops[] = { SIGTERM, SIGINT };
	size_t i;

	d->on_stop = (struct loop_src){ on_stop, d };
	d->on_reload = (struct loop_src){ on_reload, d };
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
		signal(stops[i], SIG_IGN);
		loop_watch_signal(d->loop, stops[i], &d->on_stop);
	}
	signal(SIGHUP, SIG_IGN);
	loop_watch_signal(d->loop, SIGHUP, &d->on_reload);
}

static struct dispatch_lock *
lock_for(struct daemon *d, const char *name)
{
	struct named_lock *l;

	if (name == NULL)
		return NULL;
	l = map_get(&d->locks, name);
	if (l == NULL) {
		l = xcalloc(1, sizeof(*l) + strlen(name) + 1);
		memcpy(l->name, name, strlen(name) + 1);
		map_put(&d->locks, l->name, l);
	}
	return &l->lock;
}

static void
say_findings(const struct conf *c)
{
	const struct diag *g;
	size_t i;

	for (i = 0; i < c->ndiags; i++) {
		g = &c->diags[i];
		if (g->severity == DIAG_ERROR)
			log_error("%s:%d: error: %s", g->file, g->line, g->message);
		else
			log_warning("%s:%d: warning: %s", g->file, g->line, g->message);
	}
}

/* Reads conf.d. False if it could not be read at all; why has been logged. */
static bool
read_conf(struct daemon *d)
{
	struct strv remote = { NULL, 0 };
	bool ok;

	conf_clear(&d->conf);
	platform_remote_mounts(&remote);
	d->conf.remote = &remote;
	ok = conf_read_dir(&d->conf, d->opt.config, &d->world.trust, d->opt.root) == 0;
	d->conf.remote = NULL;
	strv_clear(&remote);
	say_findings(&d->conf);
	return ok;
}

static void
put_in_force(struct daemon *d, struct rule *rule)
{
	struct record known;
	bool found =
	    rule->policy.enabled && store_take(d->world.store, rule->name, &known);

	d->jobs[d->njobs++] =
	    job_new(&d->world, rule, lock_for(d, rule->lock), found ? &known : NULL);
	if (found)
		record_clear(&known);
}

/* Once when saving begins to fail, and once when it works again. */
static void
say_store(struct daemon *d)
{
	const char *problem = store_problem(d->world.store);

	if (problem != NULL && !d->store_failed)
		log_warning("%s", problem);
	if (problem == NULL && d->store_failed)
		log_info("the state is saved again");
	d->store_failed = problem != NULL;
}

static void
save_all(struct daemon *d)
{
	size_t i;

	for (i = 0; i < d->njobs; i++)
		job_save(d->jobs[i]);
}

static void
write_history(struct daemon *d)
{
	struct strv *lines = &d->world.history;
	bool ok = true;
	size_t i;

	if (lines->n == 0)
		return;
	for (i = 0; i < lines->n; i++)
		ok = history_add(d->history, lines->v[i]) && ok;
	if (!ok && !d->history_failed)
		log_warning("the history cannot be written: %s", strerror(errno));
	d->history_failed = !ok;
	strv_clear(lines);
}

/* Saves what is to be saved by now, for as long as events can wait. */
static void
save_due(struct daemon *d)
{
	mono_t start = mono_now(), now = start;

	while (!mono_before(now, heap_next(&d->world.saves)) &&
	       mono_sub(now, start) < SAVE_SLICE_NS) {
		job_save_next(&d->world);
		now = mono_now();
	}
}

/* Everything that goes to a disk, done when no event waits. */
static void
write_down(struct daemon *d)
{
	size_t i;

	if (store_due(d->world.store, mono_now())) {
		d->rewriting = true;
		for (i = 0; i < d->njobs; i++)
			job_save_later(d->jobs[i]);
	}
	save_due(d);
	if (d->rewriting && mono_before(mono_now(), heap_next(&d->world.saves))) {
		d->rewriting = false;
		store_end(d->world.store, false);
	}
	write_history(d);
	say_store(d);
	log_flush();
}

/* Puts every rule in force: from then on no change is missed. */
static void
load(struct daemon *d)
{
	const struct settings *s = &d->conf.settings;
	size_t i, paths = 0;

	log_set_level((enum log_level)s->log_level);
	d->world.dispatch.max_running = s->max_running;
	if (s->recheck_ms > 0)
		d->recheck_at = mono_add(mono_now(), s->recheck_ms * MONO_MS);
	d->jobs = xcalloc(d->conf.nrules, sizeof(struct job *));
	for (i = 0; i < d->conf.nrules; i++) {
		put_in_force(d, d->conf.rules[i]);
		d->conf.rules[i] = NULL;
		paths += job_paths(d->jobs[i]);
	}
	if (store_begin(d->world.store)) {
		save_all(d);
		store_end(d->world.store, true);
	}
	say_store(d);
	d->loaded = true;
	log_info("ready: %zu rule%s, %zu path%s", d->njobs, d->njobs == 1 ? "" : "s",
	    paths, paths == 1 ? "" : "s");
}

static void
config_changed(void *arg)
{
	struct daemon *d = arg;
	char why[TRUST_WHY_SIZE];

	if (d->loaded || !trust_directory(&d->world.trust, d->opt.config, why) ||
	    !read_conf(d))
		return;
	watch_way_remove(d->world.watch, d->config_way);
	d->config_way = NULL;
	load(d);
}

/* A conf.d that is not there or refused is waited for: armed, then tried again. */
static void
first_load(struct daemon *d)
{
	if (read_conf(d)) {
		load(d);
		return;
	}
	log_warning("%s: waiting for it to be mended", d->opt.config);
	d->config_way = watch_way_add(d->world.watch, d->opt.config, config_changed, d);
	config_changed(d);
}

static void
recheck(struct daemon *d, mono_t now)
{
	int64_t ms = d->conf.settings.recheck_ms;
	size_t i;

	d->recheck_at = ms > 0 ? mono_add(now, ms * MONO_MS) : MONO_NEVER;
	log_debug("looking at every path");
	watch_recheck(d->world.watch);
	for (i = 0; i < d->njobs; i++)
		job_recheck(d->jobs[i]);
	if (d->log_failed)
		open_log(d);
}

/* Does everything that is due by the clock. */
static void
do_due(struct daemon *d)
{
	struct dispatch_rule *r;
	enum dispatch_step step;
	mono_t now = mono_now();

	if (!mono_before(now, d->recheck_at))
		recheck(d, now);
	if (!mono_before(now, d->left_over_at)) {
		job_check_left_over(&d->world, now);
		d->left_over_at = mono_add(now, MONO_SEC);
	}
	watch_due(d->world.watch, now);
	while ((step = dispatch_next(&d->world.dispatch, now, &r)) != STEP_NONE)
		job_step(job_of(r), step, now);
}

static mono_t
next_deadline(const struct daemon *d)
{
	mono_t due = mono_min(
	    watch_deadline(d->world.watch), dispatch_deadline(&d->world.dispatch));

	due = mono_min(due, d->stop_at);
	due = mono_min(due, heap_next(&d->world.saves));
	due = mono_min(due, store_deadline(d->world.store));
	if (!TAILQ_EMPTY(&d->world.left_over))
		due = mono_min(due, d->left_over_at);
	if (!mono_is_never(due))
		due = mono_min(due, mono_add(mono_now(), WAIT_MAX_NS));
	return mono_min(due, d->recheck_at);
}

/* Have events kept something from being saved for long? */
static bool
is_save_late(const struct daemon *d)
{
	return !mono_before(
	    mono_now(), mono_add(heap_next(&d->world.saves), SAVE_LATE_NS));
}

/* One turn: what is due, then an event; what a disk is to hold, if none waits. */
static int
turn(struct daemon *d)
{
	int n;

	do_due(d);
	n = loop_wait(d->loop, (mono_t){ INT64_MIN });
	if (n != 0 && !is_save_late(d))
		return n;
	write_down(d);
	return n != 0 ? n : loop_wait(d->loop, next_deadline(d));
}

static bool
is_over(const struct daemon *d)
{
	if (mono_is_never(d->stop_at))
		return false;
	return spawn_running(d->world.spawner) == 0 ||
	       !mono_before(mono_now(), d->stop_at);
}

/* Only a live daemon on the same state keeps this one from starting. */
static int
open_store(struct daemon *d)
{
	char why[512], real[PATH_MAX];

	if (!platform_boot_id(d->world.boot))
		d->world.boot[0] = '\0';
	d->world.store = store_new(d->opt.state);
	d->history = history_new(d->opt.state);
	if (!store_open(d->world.store, why, sizeof(why))) {
		log_error("%s", why);
		return -1;
	}
	say_store(d);
	if (realpath(d->opt.state, real) != NULL)
		watch_disown(d->world.watch, real);
	return 0;
}

static int
start(struct daemon *d)
{
	char self[PATH_MAX];

	fdlimit_init();
	d->recheck_at = d->stop_at = MONO_NEVER;
	d->left_over_at = mono_now();
	TAILQ_INIT(&d->world.left_over);
	json_init();
	d->world.root = d->opt.root;
	d->world.trust = (struct trust){ .root = d->opt.root, .owner = geteuid() };
	d->world.run_base = (uint64_t)(realtime_ns() / MONO_MS);
	log_set_sink(platform_log_sink);
	open_log(d);
	log_info("watchpathd %s starting, pid %d", VERSION, (int)getpid());
	find_user(&d->world.user);
	if (chdir("/") == -1 || !platform_self_path(self, sizeof(self)) ||
	    (d->loop = loop_new()) == NULL ||
	    (d->world.spawner = spawner_new(d->loop, self)) == NULL) {
		log_error("cannot start: %s", strerror(errno));
		return -1;
	}
	d->world.watch = watch_new(d->loop);
	dispatch_init(
	    &d->world.dispatch, 1, (uint64_t)realtime_ns() ^ (uint64_t)getpid());
	disown_log(d);
	watch_signals(d);
	watch_network(d);
	return open_store(d);
}

static void
finish(struct daemon *d)
{
	size_t i;

	if (d->world.spawner != NULL && spawn_running(d->world.spawner) > 0)
		log_warning(
		    "%zu still running: left alone", spawn_running(d->world.spawner));
	if (d->loaded) {
		save_all(d);
		write_history(d);
	}
	spawner_free(d->world.spawner);
	for (i = 0; i < d->njobs; i++)
		job_free(d->jobs[i]);
	free(d->jobs);
	for (i = 0; i < d->locks.cap; i++)
		free(d->locks.slots[i].value);
	map_clear(&d->locks);
	if (d->config_way != NULL)
		watch_way_remove(d->world.watch, d->config_way);
	watch_free(d->world.watch);
	loop_free(d->loop);
	conf_clear(&d->conf);
	store_free(d->world.store);
	history_free(d->history);
	for (i = 0; i < d->nnetwork; i++)
		close(d->network[i]);
	strv_clear(&d->world.history);
	strv_clear(&d->world.user);
	free(d->opt.config);
	free(d->opt.state);
	free(d->opt.log);
	free(d->opt.root);
	log_info("stopped");
	log_close();
}

int
daemon_main(int argc, char **argv)
{
	struct daemon d = { .loaded = false };
	int status = EX_OK;

	if (parse_options(&d.opt, argc, argv) == -1)
		return EX_USAGE;
	if (start(&d) == -1) {
		status = EXIT_FAILURE;
	} else {
		first_load(&d);
		while (!is_over(&d))
			if (turn(&d) == -1) {
				log_error("kevent: %s", strerror(errno));
				status = EXIT_FAILURE;
				break;
			}
	}
	finish(&d);
	return status;
}
