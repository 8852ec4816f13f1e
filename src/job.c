/* SPDX-License-Identifier: MIT */
/*
 * One rule in force. It turns looks into what the dispatcher is told, and the
 * dispatcher's steps into looks and runs. Which paths there are, what they owe
 * and when to run is others' knowledge; what was said in the log is kept here.
 */
#include "job.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "log.h"
#include "map.h"
#include "rule.h"
#include "runenv.h"
#include "spawn.h"
#include "watch.h"

/* A path that is or was watched. It lives as long as it is a match or owes. */
struct job_path {
	struct dispatch_path state;
	char *path;
	unsigned nwatched; /* 0: no match any more */
	bool known;        /* state.seen is of a real look */
	const char *why;   /* what was last said to be wrong with it */
	TAILQ_ENTRY(job_path) link;
};

struct job {
	struct job_world *world;
	struct rule *rule;
	struct dispatch_rule state;
	struct watch_entry **entries;
	size_t nentries;
	struct map by_path;
	TAILQ_HEAD(, job_path) paths;
	size_t npaths;
	bool loading;
	struct watch_way **ways; /* of the programs, while none is there */
	size_t nways;
	struct child *child;
	char run[40];
	bool timed_out;
	enum dispatch_state said;
	bool said_guarded;
};

/* The rule that holds this state: it is the member of a job. */
struct job *
job_of(struct dispatch_rule *state)
{
	return (struct job *)(void *)((char *)state - offsetof(struct job, state));
}

static const char *
path_of(const struct dispatch_path *p)
{
	/* state is the first member. */
	return ((const struct job_path *)(const void *)p)->path;
}

/* One line whenever the rule's state is another one than was last said. */
static void
say_state(struct job *j, mono_t now, const char *detail)
{
	enum dispatch_state s = dispatch_state(&j->state, now);

	if (s == j->said)
		return;
	log_info("%s: %s -> %s%s%s", j->rule->name, dispatch_state_name(j->said),
	    dispatch_state_name(s), detail[0] != '\0' ? ", " : "", detail);
	j->said = s;
}

static struct job_path *
path_new(struct job *j, struct watch_path *watched)
{
	struct job_path *p = xcalloc(1, sizeof(*p));

	p->path = xstrdup(watched->path);
	/* A match that a pattern did not have before is there since just now. */
	p->known = watched->match && !j->loading;
	map_put(&j->by_path, p->path, p);
	TAILQ_INSERT_TAIL(&j->paths, p, link);
	j->npaths++;
	return p;
}

static void
path_free(struct job *j, struct job_path *p)
{
	dispatch_forget(&j->world->dispatch, &j->state, &p->state, mono_now());
	map_remove(&j->by_path, p->path);
	TAILQ_REMOVE(&j->paths, p, link);
	j->npaths--;
	free(p->path);
	free(p);
}

static void
say_trouble(struct job *j, struct job_path *p, const char *why)
{
	if (why == p->why || (why != NULL && p->why != NULL && strcmp(why, p->why) == 0))
		return;
	if (why != NULL)
		log_warning("%s: %s: %s", j->rule->name, p->path, why);
	else
		log_info("%s: %s: is watched again", j->rule->name, p->path);
	p->why = why;
}

/* The first change that is owed, for the log. */
static void
say_noticed(struct job *j, const struct job_path *p, unsigned diff, mono_t now)
{
	unsigned asked = diff & j->rule->policy.on, change;
	char detail[PATH_MAX + 32];

	for (change = CHANGE_CREATE; change < CHANGE_ATTRIBUTES; change <<= 1)
		if ((asked & change) != 0)
			break;
	snprintf(detail, sizeof(detail), "%s %s", p->path,
	    asked != 0 ? dispatch_change_name(change) : "");
	say_state(j, now, detail);
}

static struct job_path *
path_for(struct job *j, struct watch_path *watched, const struct stamp *stamp)
{
	struct job_path *p = watched->owner;

	if (p != NULL)
		return p;
	p = map_get(&j->by_path, watched->path);
	/* A match that is not there yet is nothing to keep a record of. */
	if (p == NULL && watched->match && (stamp == NULL || !stamp->present))
		return NULL;
	if (p == NULL)
		p = path_new(j, watched);
	watched->owner = p;
	p->nwatched++;
	return p;
}

static void
looked(void *arg, struct watch_path *watched, const struct stamp *stamp, unsigned hints)
{
	struct job *j = arg;
	struct job_path *p = path_for(j, watched, stamp);
	mono_t now = mono_now();
	unsigned diff;

	if (p == NULL)
		return;
	say_trouble(j, p, watched->why);
	if (stamp == NULL)
		return;
	if (!p->known) {
		p->known = true;
		dispatch_baseline(&j->world->dispatch, &j->state, &p->state, stamp, now);
		diff = p->state.owed;
	} else {
		diff = dispatch_look(
		    &j->world->dispatch, &j->state, &p->state, stamp, hints, now);
	}
	if (diff != 0)
		say_noticed(j, p, diff, now);
}

static void
gone(void *arg, struct watch_path *watched)
{
	struct job *j = arg;
	struct job_path *p = watched->owner;

	if (p == NULL)
		return;
	p->nwatched--;
	if (p->nwatched == 0 && dispatch_path_settled(&p->state))
		path_free(j, p);
}

static const struct watch_ops ops = { looked, gone };

/* Forgets paths that are no match any more and owe nothing. */
static void
sweep(struct job *j)
{
	struct job_path *p, *next;

	for (p = TAILQ_FIRST(&j->paths); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->nwatched == 0 && dispatch_path_settled(&p->state))
			path_free(j, p);
	}
}

static void
look_at_all(struct job *j)
{
	size_t i;

	for (i = 0; i < j->nentries; i++)
		watch_look(j->entries[i]);
}

/* The command as it is executed: root stands in front of the program. */
static char **
rooted(const struct job *j, const struct command *c)
{
	char **argv = xcalloc(c->argv.n + 1, sizeof(*argv));
	size_t i;

	argv[0] = xasprintf("%s%s", j->world->root, c->argv.v[0]);
	for (i = 1; i < c->argv.n; i++)
		argv[i] = c->argv.v[i];
	return argv;
}

static bool
judge(struct job *j, const struct command *c, char *resolved, bool *missing, char *why)
{
	struct trust t = j->world->trust;
	char **argv = rooted(j, c);
	bool ok;
	size_t i;

	for (i = 0; i < j->rule->environment.n; i++)
		if (strncmp(j->rule->environment.v[i], "PATH=", 5) == 0)
			t.path = j->rule->environment.v[i] + 5;
	ok = trust_program(
	    &t, argv, j->rule->trust == TRUST_ADMIN, resolved, missing, why);
	free(argv[0]);
	free(argv);
	return ok;
}

/*
 * The first action whose program is installed and trusted, or NULL with a
 * sentence: a program that is there and may not run says more than a missing one.
 */
static const struct command *
choose(struct job *j, char *resolved, char why[TRUST_WHY_SIZE])
{
	char reason[TRUST_WHY_SIZE];
	bool missing, distrusted = false;
	size_t i;

	why[0] = '\0';
	for (i = 0; i < j->rule->nactions; i++) {
		if (judge(j, &j->rule->actions[i], resolved, &missing, reason))
			return &j->rule->actions[i];
		if (distrusted || (missing && why[0] != '\0'))
			continue;
		distrusted = !missing;
		snprintf(why, TRUST_WHY_SIZE, "%s", reason);
	}
	return NULL;
}

static void
drop_ways(struct job *j)
{
	size_t i;

	for (i = 0; i < j->nways; i++)
		watch_way_remove(j->world->watch, j->ways[i]);
	free(j->ways);
	j->ways = NULL;
	j->nways = 0;
}

/* Something moved on the way to a program of a blocked rule. */
static void
program_changed(void *arg)
{
	job_recheck(arg);
}

/* Waits for a program: armed first, then judged once more. */
static void
block(struct job *j, const char *why, mono_t now)
{
	size_t i;
	char *path;

	dispatch_block(&j->world->dispatch, &j->state);
	say_state(j, now, why);
	j->ways = xcalloc(j->rule->nactions, sizeof(*j->ways));
	for (i = 0; i < j->rule->nactions; i++) {
		path = xasprintf("%s%s", j->world->root, j->rule->actions[i].argv.v[0]);
		j->ways[i] = watch_way_add(j->world->watch, path, program_changed, j);
		free(path);
	}
	j->nways = j->rule->nactions;
	job_recheck(j);
}

void
job_recheck(struct job *j)
{
	char resolved[PATH_MAX], why[TRUST_WHY_SIZE];
	mono_t now = mono_now();

	if (j->state.phase != PHASE_BLOCKED || choose(j, resolved, why) == NULL)
		return;
	drop_ways(j);
	dispatch_unblock(&j->world->dispatch, &j->state, now);
	say_state(j, now, "a program is there");
}

static bool
is_success(const struct rule *rule, int status)
{
	size_t i;

	for (i = 0; i < rule->nsuccess; i++)
		if (status >= 0 && rule->success[i] == (uint32_t)status)
			return true;
	return false;
}

/* Tells the guard's turning on and off. */
static void
say_guard(struct job *j)
{
	const struct dispatch_path *p = TAILQ_FIRST(&j->state.taken);
	bool guarded = dispatch_is_guarded(&j->state);

	if (guarded == j->said_guarded)
		return;
	j->said_guarded = guarded;
	if (guarded)
		log_warning("%s: seems to trigger itself: %s changes in every run, see "
			    "while-running",
		    j->rule->name, p != NULL ? path_of(p) : "a path");
	else
		log_info("%s: does not seem to trigger itself any more", j->rule->name);
}

static void
run_ended(struct job *j, bool ok, const char *outcome)
{
	mono_t now = mono_now();
	double sec = (double)mono_sub(now, j->state.started) / (double)MONO_SEC;
	char detail[TRUST_WHY_SIZE + 128];

	j->child = NULL;
	dispatch_end(&j->world->dispatch, &j->state, ok, now);
	snprintf(detail, sizeof(detail), "run %s %s after %.2f s: %s", j->run,
	    ok ? "succeeded" : "failed", sec, outcome);
	say_state(j, now, detail);
	sweep(j);
}

static void
child_done(void *arg, const struct spawn_result *result)
{
	struct job *j = arg;
	bool ok = result->error == NULL && !j->timed_out &&
		  is_success(j->rule, result->exit_status);
	char outcome[TRUST_WHY_SIZE];

	if (result->error != NULL)
		snprintf(outcome, sizeof(outcome), "%s", result->error);
	else if (j->timed_out)
		snprintf(outcome, sizeof(outcome), "took longer than its timeout");
	else if (result->signal != 0)
		snprintf(outcome, sizeof(outcome), "ended by signal %d (%s)",
		    result->signal, strsignal(result->signal));
	else
		snprintf(outcome, sizeof(outcome), "exit status %d", result->exit_status);
	run_ended(j, ok, outcome);
}

static struct child *
spawn(struct job *j, const struct command *c, const char *program, char *why, size_t size)
{
	const struct rule *rule = j->rule;
	struct strv env;
	struct child *child;
	char *directory = NULL;

	if (rule->directory != NULL)
		directory = xasprintf("%s%s", j->world->root, rule->directory);
	runenv_build(&env, rule, &j->state, path_of, j->run,
	    rule->user == NULL ? &j->world->user : NULL);
	child = spawn_start(j->world->spawner,
	    &(struct spawn_request){
		.program = program,
		.argv = c->argv.v,
		.envp = env.v,
		.user = rule->user,
		.group = rule->group,
		.directory = directory,
		.umask = rule->umask,
		.nice = rule->nice,
		.nice_set = rule->nice_set,
		.keep_awake = rule->keep_awake,
		.log_output = rule->log_output,
		.name = rule->name,
	    },
	    child_done, j, why, size);
	strv_clear(&env);
	free(directory);
	return child;
}

static void
start(struct job *j, mono_t now)
{
	char program[PATH_MAX], why[TRUST_WHY_SIZE], detail[2 * PATH_MAX];
	const struct command *c = choose(j, program, why);
	const struct dispatch_path *p;

	if (c == NULL) {
		block(j, why, now);
		return;
	}
	dispatch_start(&j->world->dispatch, &j->state, now);
	snprintf(j->run, sizeof(j->run), "%" PRIx64 "-%" PRIu64, j->world->run_base,
	    ++j->world->nruns);
	j->timed_out = false;
	j->child = spawn(j, c, program, why, sizeof(why));
	p = TAILQ_FIRST(&j->state.taken);
	snprintf(detail, sizeof(detail), "run %s, pid %d, %s%s%s, attempt %u, %s", j->run,
	    j->child != NULL ? (int)spawn_pid(j->child) : 0,
	    dispatch_reason_name(j->state.reason), p != NULL ? " of " : "",
	    p != NULL ? path_of(p) : "", (unsigned)j->state.attempt, program);
	say_state(j, now, detail);
	say_guard(j);
	if (j->child == NULL)
		run_ended(j, false, why);
}

void
job_step(struct job *j, enum dispatch_step step, mono_t now)
{
	switch (step) {
	case STEP_LOOK:
		look_at_all(j);
		if (dispatch_ready(&j->world->dispatch, &j->state, now))
			start(j, now);
		break;
	case STEP_CLOSE:
		look_at_all(j);
		dispatch_close(&j->world->dispatch, &j->state, now);
		break;
	case STEP_TERM:
		j->timed_out = true;
		spawn_terminate(j->child);
		break;
	case STEP_KILL:
		spawn_kill(j->child);
		break;
	case STEP_NONE:
		break;
	}
	say_state(j, now, "");
}

/* argv is logged once, here: it may hold what is not for every line. */
static void
say_loaded(const struct job *j)
{
	struct buf line = { NULL, 0, 0 };
	size_t i, k;

	for (i = 0; i < j->rule->nactions; i++) {
		line.len = 0;
		for (k = 0; k < j->rule->actions[i].argv.n; k++) {
			buf_adds(&line, k > 0 ? " " : "");
			rule_quote_word(&line, j->rule->actions[i].argv.v[k]);
		}
		log_info("%s: action: %s", j->rule->name, line.p);
	}
	buf_clear(&line);
}

struct job *
job_new(struct job_world *world, struct rule *rule, struct dispatch_lock *lock)
{
	struct job *j = xcalloc(1, sizeof(*j));
	const char *why;
	char *path;
	size_t i;

	j->world = world;
	j->rule = rule;
	TAILQ_INIT(&j->paths);
	dispatch_add(&world->dispatch, &j->state, &rule->policy, lock, mono_now());
	j->said = dispatch_state(&j->state, mono_now());
	say_loaded(j);
	if (!rule->policy.enabled)
		return j;
	j->loading = true;
	j->entries = xcalloc(rule->watch.n, sizeof(*j->entries));
	for (i = 0; i < rule->watch.n; i++) {
		path = xasprintf("%s%s", world->root, rule->watch.v[i]);
		j->entries[i] = watch_add(world->watch, path, &ops, j);
		j->nentries++;
		if ((why = watch_why(j->entries[i])) != NULL)
			log_warning("%s: %s: %s", rule->name, path, why);
		free(path);
	}
	j->loading = false;
	return j;
}

void
job_free(struct job *j)
{
	size_t i;

	if (j == NULL)
		return;
	dispatch_remove(&j->world->dispatch, &j->state);
	drop_ways(j);
	for (i = 0; i < j->nentries; i++)
		watch_remove(j->world->watch, j->entries[i]);
	free(j->entries);
	while (!TAILQ_EMPTY(&j->paths))
		path_free(j, TAILQ_FIRST(&j->paths));
	map_clear(&j->by_path);
	rule_free(j->rule);
	free(j);
}

size_t
job_paths(const struct job *j)
{
	return j->npaths;
}
