/* SPDX-License-Identifier: MIT */
/*
 * The daemon: it owns everything, loads the rules, and turns events and due
 * times into steps. After start-up nothing that comes from outside ends it, and
 * what cannot be had (a conf.d, a log, a state directory, a socket) is tried
 * again.
 */
#include "daemon.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "rules/conf.h"
#include "engine/confwatch.h"
#include "serve/control.h"
#include "schedule/dispatch.h"
#include "state/history.h"
#include "engine/job.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mono.h"
#include "base/options.h"
#include "base/platform.h"
#include "serve/answer.h"
#include "rules/rule.h"
#include "engine/ruleset.h"
#include "run/spawn.h"
#include "state/statedir.h"
#include "state/store.h"
#include "trust/judged.h"
#include "trust/trust.h"
#include "base/util.h"
#include "base/fd.h"
#include "base/number.h"
#include "base/visible.h"
#include "watch/watch.h"

/* The longest wait while anything is due: on macOS a wait stands still in sleep. */
#define WAIT_MAX_NS (30 * MONO_SEC)
/* How long a stopping daemon waits for its runs. */
#define STOP_NS (10 * MONO_SEC)
/* How long saving may keep an event waiting, and events a save. */
#define SAVE_SLICE_NS (2 * MONO_MS)
#define SAVE_LATE_NS (500 * MONO_MS)
/* Between tries to bind the socket or to open the log. */
#define REPAIR_NS (10 * MONO_SEC)
#define REPAIR_SOON_NS MONO_SEC

/* What is wrong with the daemon as a whole; also the order in the status. */
enum {
	PROBLEM_CONFIG,
	PROBLEM_STATE,
	PROBLEM_ASIDE, /* until the next start */
	PROBLEM_HISTORY,
	PROBLEM_LOG,
	PROBLEM_SOCKET,
	PROBLEM_SELF,
	PROBLEMS
};

struct daemon {
	const struct options *opt;
	struct loop *loop;
	struct job_world world;
	struct ruleset rules;
	struct confwatch *confwatch;
	struct statedir *statedir;
	struct control *control;
	struct answers answers;
	char *problem[PROBLEMS]; /* NULL: none */
	const char *problem_list[PROBLEMS + 1];
	char self[PATH_MAX]; /* the program that we are */
	bool unread;         /* a rule file, for a reason that may pass by itself */
	bool loaded, rewriting;
	bool logging; /* to where --log says */
	mono_t recheck_at, stop_at, left_over_at, repair_at;
	int network[PLATFORM_NETWORK_FDS];
	size_t nnetwork;
	struct loop_src on_stop, on_reload, on_network;
};

/* Logs a problem when it begins, and when it is over; the status shows it. */
static void
set_problem(struct daemon *d, int which, const char *what)
{
	static const char *const over[PROBLEMS] = {
		[PROBLEM_CONFIG] = "the rule files can be read again",
		[PROBLEM_STATE] = "the state is saved again",
		[PROBLEM_HISTORY] = "the history is written again",
		[PROBLEM_LOG] = "the log is written again",
		[PROBLEM_SOCKET] = "the socket can be bound again",
		[PROBLEM_SELF] = "the daemon's own program can be trusted",
	};
	size_t i, n = 0;

	if (what != NULL && d->problem[which] == NULL)
		log_warning("%s", what);
	if (what == NULL && d->problem[which] != NULL)
		log_info("%s", over[which]);
	free(d->problem[which]);
	d->problem[which] = what != NULL ? vis_dup(what) : NULL;
	for (i = 0; i < PROBLEMS; i++)
		if (d->problem[i] != NULL)
			d->problem_list[n++] = d->problem[i];
	d->problem_list[n] = NULL;
}

/*
 * Whoever may change our own program is root at the next start, and whenever we start
 * it to run an action as another user. In a sandbox it is not judged.
 */
static void
judge_self(struct daemon *d)
{
	char why[TRUST_WHY_SIZE], what[TRUST_WHY_SIZE + 64];
	struct trust_place p;
	bool ok = d->world.trust.self == NULL ||
		  trust_place(&d->world.trust, d->self, false, &p, why);

	snprintf(what, sizeof(what), "the daemon's own program is not trusted: %s",
	    ok ? "" : why);
	set_problem(d, PROBLEM_SELF, ok ? NULL : what);
}

/*
 * The directory of a file decides who may put another one in its place. False
 * with why, and errno ENOENT where there is none.
 */
static bool
is_place_trusted(const struct daemon *d, const char *path, char why[TRUST_WHY_SIZE])
{
	char *dir = path_parent(path);
	bool ok;

	ok = trust_directory(&d->world.trust, dir, why);
	if (access(dir, F_OK) == 0)
		errno = EPERM;
	free(dir);
	return ok;
}

static void
open_log(struct daemon *d)
{
	char why[TRUST_WHY_SIZE], what[TRUST_WHY_SIZE + 32];
	bool ok;

	d->logging = d->opt->log == NULL;
	if (d->logging)
		return;
	ok = is_place_trusted(d, d->opt->log, why);
	if (ok && log_open(d->opt->log) == -1) {
		snprintf(why, sizeof(why), "%s: %s", d->opt->log, strerror(errno));
		ok = false;
	}
	snprintf(what, sizeof(what), "cannot log to a file: %s", ok ? "" : why);
	set_problem(d, PROBLEM_LOG, ok ? NULL : what);
	d->logging = ok;
}

/* log.c meets a full disk when it writes, and tries again with each line. */
static void
say_log(struct daemon *d)
{
	const char *path = d->opt->log != NULL ? d->opt->log : "standard error";
	char what[PATH_MAX + 128];
	int error = log_failing();

	if (!d->logging || (error != 0) == (d->problem[PROBLEM_LOG] != NULL))
		return;
	snprintf(what, sizeof(what), "the log cannot be written: %s: %s", path,
	    strerror(error));
	set_problem(d, PROBLEM_LOG, error != 0 ? what : NULL);
	if (error != 0)
		d->repair_at = mono_min(d->repair_at, mono_add(mono_now(), REPAIR_NS));
	log_flush();
}

/* By the real path of a file that need not exist, in a directory that does. */
static void
disown_file(struct daemon *d, const char *path)
{
	char *dir = path_parent(path), *real = realpath(dir, NULL), *whole;

	if (real != NULL) {
		whole = xasprintf(
		    "%s%s", strcmp(real, "/") == 0 ? "" : real, strrchr(path, '/'));
		watch_disown(d->world.watch, whole);
		free(whole);
	}
	free(real);
	free(dir);
}

/* The daemon's own files are never a change of a rule. */
static void
disown_files(struct daemon *d)
{
	char *old;
	int i;

	disown_file(d, d->opt->state);
	disown_file(d, d->opt->socket);
	if (d->opt->log == NULL)
		return;
	disown_file(d, d->opt->log);
	for (i = 1; i <= LOG_KEEP; i++) {
		old = xasprintf("%s.%d", d->opt->log, i);
		disown_file(d, old);
		free(old);
	}
}

/* HOME and the like, looked up once: a directory service can take minutes. */
static void
find_user(struct strv *env)
{
	struct passwd *pw = getpwuid(geteuid());
	const char *name = pw != NULL ? pw->pw_name : "root";
	bool shell = pw != NULL && pw->pw_shell[0] != '\0';

	strv_push(env, xasprintf("HOME=%s", pw != NULL ? pw->pw_dir : "/"));
	strv_push(env, xasprintf("USER=%s", name));
	strv_push(env, xasprintf("LOGNAME=%s", name));
	strv_push(env, xasprintf("SHELL=%s", shell ? pw->pw_shell : "/bin/sh"));
}

static void
say_finding(void *arg, const struct rule *rule, int line, const char *text)
{
	const struct daemon *d = arg;

	log_warning("%s/%s:%d: %s", d->opt->config, rule->file, line, text);
}

/* What was found in the rule files, with their whole paths, and about the rules. */
static void
say_findings(struct daemon *d)
{
	struct findings findings = {
		.trust = &d->world.trust,
		.root = d->opt->root,
		.remote = watch_remote(d->world.watch),
	};
	const struct diag *g;
	char *path, *place;
	size_t i;

	for (i = 0; i < d->rules.n; i++)
		job_findings(d->rules.jobs[i], &findings, false, say_finding, d);
	findings_clear(&findings);
	for (i = 0; i < d->rules.ndiags; i++) {
		g = &d->rules.diags[i];
		path = g->file[0] == '/' ? xstrdup(g->file)
					 : xasprintf("%s/%s", d->opt->config, g->file);
		place = place_dup(path, g->line);
		if (g->severity == DIAG_ERROR)
			log_error("%s: %s", place, g->message);
		else
			log_warning("%s: %s", place, g->message);
		free(place);
		free(path);
	}
}

static void
apply_settings(struct daemon *d)
{
	const struct settings *s = &d->rules.settings;

	log_set_level((enum log_level)s->log_level);
	d->world.dispatch.max_running = s->max_running;
	d->recheck_at = s->recheck_ms > 0 ? mono_add(mono_now(), s->recheck_ms * MONO_MS)
					  : MONO_NEVER;
}

static void
say_disk(struct daemon *d)
{
	set_problem(d, PROBLEM_STATE, store_problem(d->world.store));
	if (d->problem[PROBLEM_ASIDE] == NULL)
		set_problem(d, PROBLEM_ASIDE, store_note(d->world.store));
	set_problem(d, PROBLEM_HISTORY, history_problem(d->world.history));
}

static void
save_all(struct daemon *d)
{
	size_t i;

	for (i = 0; i < d->rules.n; i++)
		job_save(d->rules.jobs[i]);
}

/* Makes the first state of a load durable: from here on a crash loses no change. */
static void
save_load(struct daemon *d)
{
	if (store_begin(d->world.store)) {
		save_all(d);
		store_end(d->world.store, true);
	}
	say_disk(d);
}

/*
 * Reads the rule files and puts them in force; what is refused stays as it was.
 * False: they could not be read at all.
 */
static bool
load(struct daemon *d)
{
	struct conf c = { .rules = NULL };
	bool ok;

	confwatch_reset(d->confwatch);
	judge_self(d);
	ok = conf_read_dir(&c, d->opt->config, &d->world.trust) == 0;
	if (ok)
		ruleset_adopt(&d->rules, &c);
	else
		ruleset_keep(&d->rules, &c);
	d->unread = c.passing;
	if (d->unread)
		d->repair_at = mono_min(d->repair_at, mono_add(mono_now(), REPAIR_NS));
	conf_clear(&c);
	confwatch_set_refused(d->confwatch, !ok);
	say_findings(d);
	set_problem(d, PROBLEM_CONFIG,
	    ok ? NULL : "the rule files cannot be read: waiting until they can be");
	apply_settings(d);
	if (ok)
		save_load(d);
	return ok;
}

static void
say_ready(const struct daemon *d, const char *what, const char *detail)
{
	size_t paths = ruleset_paths(&d->rules);

	log_info("%s: %zu rule%s, %zu path%s%s", what, d->rules.n,
	    d->rules.n == 1 ? "" : "s", paths, paths == 1 ? "" : "s", detail);
}

/* Returns what changed, in a few words. */
static char *
reload(void *arg)
{
	struct daemon *d = arg;
	char *changes = load(d) ? ruleset_changes(&d->rules)
				: xstrdup("the rule files cannot be read"),
	     *detail;

	detail = xasprintf(": %s", changes);
	say_ready(d, "reloaded", detail);
	free(detail);
	return changes;
}

static void
on_stop(void *arg, const struct loop_event *ev)
{
	struct daemon *d = arg;

	(void)ev;
	if (!mono_is_never(d->stop_at))
		return;
	log_info("stopping: %zu running", spawn_running(d->world.runner.spawner));
	dispatch_stop(&d->world.dispatch);
	d->stop_at = mono_add(mono_now(), STOP_NS);
	d->answers.stopping = true;
}

static void
on_reload(void *arg, const struct loop_event *ev)
{
	(void)ev;
	free(reload(arg));
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
	for (i = 0; changed && i < d->rules.n; i++)
		job_network(d->rules.jobs[i]);
}

static void
watch_network(struct daemon *d)
{
	size_t i;

	d->on_network = (struct loop_src){ on_network, d };
	d->nnetwork = platform_network_open(d->network);
	if (d->nnetwork == 0)
		log_warning("network changes cannot be noticed: %s", strerror(errno));
	for (i = 0; i < d->nnetwork; i++)
		loop_watch_read(d->loop, d->network[i], &d->on_network);
}

/* Ignored signals reach a kqueue all the same. */
static void
watch_signals(struct daemon *d)
{
	d->on_stop = (struct loop_src){ on_stop, d };
	d->on_reload = (struct loop_src){ on_reload, d };
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	/* A limit on the length of files is an error of write(2), not an end. */
	signal(SIGXFSZ, SIG_IGN);
	loop_watch_signal(d->loop, SIGTERM, &d->on_stop);
	loop_watch_signal(d->loop, SIGINT, &d->on_stop);
	loop_watch_signal(d->loop, SIGHUP, &d->on_reload);
}

static void
open_socket(struct daemon *d)
{
	char why[TRUST_WHY_SIZE], what[TRUST_WHY_SIZE + 48];

	/* Where there is no directory that is the better reason. */
	if (is_place_trusted(d, d->opt->socket, why) || errno == ENOENT)
		d->control = control_new(
		    d->loop, d->opt->socket, answer, &d->answers, why, sizeof(why));
	snprintf(what, sizeof(what), "no command can reach the daemon: %s",
	    d->control == NULL ? why : "");
	set_problem(d, PROBLEM_SOCKET, d->control != NULL ? NULL : what);
}

/* Tries again what has failed, and looks whether files are still in their places. */
static void
repair(struct daemon *d, mono_t now)
{
	bool followed;

	if (!d->logging)
		open_log(d);
	store_check(d->world.store, now);
	followed = statedir_follow(d->statedir);
	if (d->control != NULL && !control_in_place(d->control)) {
		control_free(d->control);
		d->control = NULL;
	}
	if (d->control == NULL)
		open_socket(d);
	d->repair_at = MONO_NEVER;
	if (d->problem[PROBLEM_SELF] != NULL)
		judge_self(d);
	if (d->problem[PROBLEM_LOG] != NULL || d->problem[PROBLEM_SELF] != NULL ||
	    d->control == NULL || !followed)
		d->repair_at = mono_add(now, REPAIR_NS);
	if (d->unread)
		free(reload(d));
}

/* Something may have been removed; whoever does that may not be done yet. */
static void
on_statedir(void *arg)
{
	struct daemon *d = arg;

	d->repair_at = mono_min(d->repair_at, mono_add(mono_now(), REPAIR_SOON_NS));
}

static void
recheck(struct daemon *d, mono_t now)
{
	size_t i;

	d->recheck_at = mono_add(now, d->rules.settings.recheck_ms * MONO_MS);
	log_debug("looking at every path");
	watch_recheck(d->world.watch);
	for (i = 0; i < d->rules.n; i++)
		job_judge(d->rules.jobs[i]);
	repair(d, now);
}

/* Saves what is due, for as long as events can wait. */
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

/* Writes whatever goes to a disk; called when no event waits. */
static void
write_down(struct daemon *d)
{
	size_t i;

	/* One of these a turn: with many rules each takes milliseconds. */
	if (store_due(d->world.store, mono_now())) {
		d->rewriting = true;
		for (i = 0; i < d->rules.n; i++)
			job_save_later(d->rules.jobs[i]);
	} else if (!mono_before(mono_now(), heap_next(&d->world.saves))) {
		save_due(d);
	} else if (d->rewriting) {
		d->rewriting = false;
		store_end(d->world.store, false);
	}
	history_write(d->world.history, false, mono_now());
	say_disk(d);
	log_flush();
	say_log(d);
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
	if (!mono_before(now, d->repair_at))
		repair(d, now);
	if (!mono_before(now, confwatch_due(d->confwatch)))
		free(reload(d));
	if (!mono_before(now, d->left_over_at)) {
		job_check_left_over(&d->world, now);
		d->left_over_at = mono_add(now, MONO_SEC);
	}
	if (d->control != NULL)
		control_due(d->control, now);
	if (!mono_before(now, heap_next(&d->world.judgements)))
		job_judge_next(&d->world);
	spawner_due(d->world.runner.spawner, now);
	log_due(now);
	alerters_due(&d->world.alerters, now);
	watch_due(d->world.watch, now);
	/* What a look has just noted is due now, not after a save and another turn. */
	now = mono_now();
	while ((step = dispatch_next(&d->world.dispatch, now, &r)) != STEP_NONE &&
	       job_step(job_of(r), step, now))
		;
}

static mono_t
next_deadline(const struct daemon *d)
{
	mono_t due = mono_min(
	    watch_deadline(d->world.watch), dispatch_deadline(&d->world.dispatch));

	due = mono_min(due, spawner_deadline(d->world.runner.spawner));
	due = mono_min(due, log_deadline());
	due = mono_min(due, d->stop_at);
	due = mono_min(due, d->repair_at);
	due = mono_min(due, confwatch_due(d->confwatch));
	due = mono_min(due, heap_next(&d->world.saves));
	due = mono_min(due, heap_next(&d->world.judgements));
	due = mono_min(due, alerters_deadline(&d->world.alerters));
	due = mono_min(due, store_deadline(d->world.store));
	due = mono_min(due, history_deadline(d->world.history));
	if (d->rewriting)
		due = mono_now();
	if (d->control != NULL)
		due = mono_min(due, control_deadline(d->control));
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
	return spawn_running(d->world.runner.spawner) == 0 ||
	       !mono_before(mono_now(), d->stop_at);
}

/* What must be there, and without which there is no daemon. */
static int
start_core(struct daemon *d)
{
	if (chdir("/") == -1 || !platform_self_path(d->self, sizeof(d->self)) ||
	    (d->loop = loop_new()) == NULL ||
	    (d->world.runner.spawner = spawner_new(d->loop, d->self)) == NULL) {
		log_error("cannot start: %s", strerror(errno));
		return -1;
	}
	if (d->opt->root[0] == '\0')
		d->world.trust.self = d->self;
	d->world.watch = watch_new(d->loop);
	dispatch_init(
	    &d->world.dispatch, 1, (uint64_t)realtime_ns() ^ (uint64_t)getpid());
	return 0;
}

static void
init(struct daemon *d)
{
	fdlimit_init();
	fdlimit_cap(platform_descriptors_max());
	d->recheck_at = d->stop_at = d->repair_at = MONO_NEVER;
	d->left_over_at = mono_now();
	d->answers = (struct answers){
		.rules = &d->rules,
		.config = d->opt->config,
		.root = d->opt->root[0] != '\0' ? d->opt->root : NULL,
		.problems = d->problem_list,
		.started = realtime_ns(),
		.reload = reload,
		.daemon = d,
	};
	d->world.runner.root = d->opt->root;
	d->world.runner.config = d->opt->config;
	d->world.trust = (struct trust){
		.root = d->opt->root,
		.root_is_real = true,
		.owner = geteuid(),
		.judged = judged_new(),
	};
	d->world.runner.base = (uint64_t)(realtime_ns() / MONO_MS);
	TAILQ_INIT(&d->world.left_over);
	if (!platform_boot_id(d->world.runner.boot))
		d->world.runner.boot[0] = '\0';
	ruleset_init(&d->rules, &d->world);
	log_set_sink(platform_log_sink);
}

/* Only a live daemon on the same state keeps this one from starting. */
static int
open_state(struct daemon *d)
{
	char why[PATH_MAX + 64];

	d->world.history = history_new(d->opt->state, &d->world.trust);
	d->world.alerters.history = d->world.history;
	d->world.alerters.dispatch = &d->world.dispatch;
	d->world.store = store_new(d->opt->state, &d->world.trust);
	if (!store_open(d->world.store, why, sizeof(why))) {
		log_error("%s", why);
		return -1;
	}
	if (store_is_damaged(d->world.store) && store_problem(d->world.store) == NULL &&
	    store_note(d->world.store) == NULL)
		log_warning("not all of the state could be read: rules that are missing "
			    "in it count as changed");
	say_disk(d);
	return 0;
}

static int
start(struct daemon *d)
{
	init(d);
	open_log(d);
	log_info("watchpathd %s starting, pid %d", VERSION, (int)getpid());
	find_user(&d->world.runner.user);
	if (start_core(d) == -1 || open_state(d) == -1)
		return -1;
	disown_files(d);
	watch_signals(d);
	watch_network(d);
	d->confwatch = confwatch_new(d->world.watch, d->opt->config);
	d->statedir = statedir_new(d->loop, d->opt->state, on_statedir, d);
	d->world.starting = true;
	(void)load(d);
	d->world.starting = false;
	d->loaded = true;
	open_socket(d);
	say_ready(d, "ready", "");
	repair(d, mono_now());
	return 0;
}

/* At stop; where saving has failed it is tried once more. */
static void
save_last(struct daemon *d)
{
	save_all(d);
	if (store_problem(d->world.store) != NULL)
		save_load(d);
}

static void
finish(struct daemon *d)
{
	size_t i;

	control_free(d->control);
	if (d->loaded) {
		save_last(d);
		history_write(d->world.history, true, mono_now());
	}
	if (d->world.runner.spawner != NULL && spawn_running(d->world.runner.spawner) > 0)
		log_warning("%zu still running: left alone",
		    spawn_running(d->world.runner.spawner));
	spawner_free(d->world.runner.spawner);
	ruleset_clear(&d->rules);
	alerters_clear(&d->world.alerters);
	confwatch_free(d->confwatch);
	statedir_free(d->statedir);
	watch_free(d->world.watch);
	for (i = 0; i < d->nnetwork; i++)
		close(d->network[i]);
	loop_free(d->loop);
	store_free(d->world.store);
	history_free(d->world.history);
	judged_free(d->world.trust.judged);
	strv_clear(&d->world.runner.user);
	for (i = 0; i < PROBLEMS; i++)
		free(d->problem[i]);
	log_info("stopped");
	log_close();
}

int
daemon_main(struct options *o, char **operands)
{
	struct daemon d = { .opt = o };
	int status = EX_OK;

	(void)operands;
	if (start(&d) == -1)
		status = EXIT_FAILURE;
	while (status == EX_OK && !is_over(&d))
		if (turn(&d) == -1) {
			log_error("kevent: %s", strerror(errno));
			status = EXIT_FAILURE;
		}
	finish(&d);
	return status;
}
