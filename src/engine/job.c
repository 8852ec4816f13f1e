/* SPDX-License-Identifier: MIT */
/*
 * One rule in force. It carries the dispatcher's steps out: looks, choosing a
 * program, running it and then `verify`, and it keeps the books on that: what is
 * in the log, in the store and in the history. When to do what is decided
 * elsewhere.
 */
#include "engine/job.h"

#include <cJSON.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/history.h"
#include "engine/paths.h"
#include "base/json.h"
#include "base/log.h"
#include "base/number.h"
#include "run/console.h"
#include "run/programs.h"
#include "state/record.h"
#include "rules/keys.h"
#include "state/store.h"

/*
 * Changes that nobody waits for are saved no more often than this, and none within
 * so many times what the last save took: who makes many names makes long lines. A
 * byte takes at least so long, so that on no machine a rule writes more than 1 MB/s.
 */
#define SAVE_PAUSE_NS MONO_SEC
#define SAVE_FACTOR 10
#define SAVE_BYTE_NS 100
/* Whoever may write on a program's way drives no more judgements than this. */
#define JUDGE_PAUSE_NS MONO_SEC
/* So often it is looked whether somebody has logged in. */
#define CONSOLE_PAUSE_NS (5 * MONO_SEC)

struct job {
	struct job_world *world;
	char *name; /* outlives the rule, as what is logged of a run does */
	struct rule *rule;
	struct dispatch_rule state;
	struct jobpaths *paths;
	struct programs programs;

	struct run *run;                 /* NULL: there was none in this life */
	struct alerter *alerter;         /* NULL: there never was an alert */
	char *outcome;                   /* of the last run that failed, or NULL */
	char *promised;                  /* to who asked, an id; NULL: to nobody */
	TAILQ_ENTRY(job) left_over_link; /* while its run is one left over */

	/* The books. */
	cJSON *last_run;
	uint64_t runs, failed;
	bool has_state;   /* it is enabled, or was when its run started */
	int64_t detected; /* what is pending, CLOCK_REALTIME; 0: nothing */
	struct heap_node save;
	mono_t saved_at;
	int64_t save_ns; /* what that took, or its length makes it take */
	enum dispatch_state said;
	bool said_guarded;
	struct log_rule *log; /* NULL: it has logged nothing since it is in force */
	size_t nfindings;     /* when they were asked for last */
	char *blocked_by;     /* why no program can run */
	struct heap_node judgement;
	mono_t judged_at;
	void (*gone)(void *arg, struct job *j); /* not in force, but running */
	void *gone_arg;
};

static void finish_leaving(struct job *j);
static void judge_later(struct job *j);

struct job *
job_of(struct dispatch_rule *state)
{
	return CONTAINER_OF(state, struct job, state);
}

static bool
is_running(const struct job *j)
{
	return j->run != NULL && j->run->phase != RUN_NONE;
}

static bool
is_left_over(const struct job *j)
{
	return j->run != NULL && j->run->phase == RUN_LEFT_OVER;
}

static struct log_rule *
log_of(struct job *j)
{
	if (j->log == NULL) {
		j->log = xmalloc(sizeof(*j->log));
		log_rule_init(j->log, j->name);
	}
	return j->log;
}

static void
forget_promise(struct job *j)
{
	free(j->promised);
	j->promised = NULL;
}

/* Has the state saved: soon, or at once if that is worth it. */
static void
save_later(struct job *j, bool at_once)
{
	int64_t pause = SAVE_FACTOR * j->save_ns;
	mono_t at;

	if (!at_once && pause < SAVE_PAUSE_NS)
		pause = SAVE_PAUSE_NS;
	at = mono_add(j->saved_at, pause);
	if (at_once)
		at = mono_max(at, mono_now());
	if (!heap_has(&j->save) || mono_before(at, heap_key(&j->world->saves, &j->save)))
		heap_put(&j->world->saves, &j->save, at);
}

/* One line whenever the rule's state is another one than was last said. */
static void
say_state_at(struct job *j, enum log_level level, mono_t now, const char *detail)
{
	enum dispatch_state s = dispatch_state(&j->state, now);

	if (s == j->said)
		return;
	log_rule_at(log_of(j), level, "%s: %s -> %s%s%s", j->name,
	    dispatch_state_name(j->said), dispatch_state_name(s),
	    detail[0] != '\0' ? ", " : "", detail);
	j->said = s;
}

static void
say_state(struct job *j, mono_t now, const char *detail)
{
	say_state_at(j, LOG_LEVEL_INFO, now, detail);
}

/* A failed run is worth a warning, and a rule that has given up is an error. */
static enum log_level
outcome_level(enum dispatch_state s, bool ok)
{
	if (ok)
		return LOG_LEVEL_INFO;
	return s == STATE_FAILED ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING;
}

/* The first change that is owed, for the log. */
static void
path_changed(void *arg, const char *path, unsigned diff)
{
	struct job *j = arg;
	unsigned asked = diff & j->rule->policy.on, change;
	bool pending = dispatch_pending(&j->state);
	char detail[PATH_MAX + 32];

	for (change = CHANGE_CREATE; change < CHANGE_ATTRIBUTES; change <<= 1)
		if ((asked & change) != 0)
			break;
	snprintf(detail, sizeof(detail), "%s %s", path,
	    asked != 0 ? rule_change_name(change) : "");
	save_later(j, pending && j->detected == 0);
	if (pending && j->detected == 0)
		j->detected = realtime_ns();
	if (j->state.phase == PHASE_BLOCKED)
		judge_later(j);
	say_state(j, mono_now(), detail);
}

static void
path_trouble(void *arg, const char *path, const char *why)
{
	struct job *j = arg;

	if (why != NULL)
		log_rule_at(
		    log_of(j), LOG_LEVEL_WARNING, "%s: %s: %s", j->name, path, why);
	else
		log_rule_at(
		    log_of(j), LOG_LEVEL_INFO, "%s: %s: is watched again", j->name, path);
	alerter_note(j->alerter);
}

static const struct jobpaths_ops paths_ops = { path_changed, path_trouble };

static void
judge_later(struct job *j)
{
	if (!heap_has(&j->judgement))
		heap_put(&j->world->judgements, &j->judgement,
		    mono_add(j->judged_at, JUDGE_PAUSE_NS));
}

/* What a judgement looked at has changed. */
static void
program_changed(void *arg)
{
	judge_later(arg);
}

static void
end_block(struct job *j)
{
	programs_clear(&j->programs);
	heap_remove(&j->world->judgements, &j->judgement);
	free(j->blocked_by);
	j->blocked_by = NULL;
}

static void
unblock(struct job *j, const char *why)
{
	mono_t now = mono_now();

	end_block(j);
	dispatch_unblock(&j->world->dispatch, &j->state, now);
	say_state(j, now, why);
}

/* The reason why no program can run, when it is another one than before. */
static void
say_blocked(struct job *j, const char *why)
{
	if (j->blocked_by != NULL && strcmp(j->blocked_by, why) == 0)
		return;
	if (j->blocked_by != NULL)
		log_rule_at(
		    log_of(j), LOG_LEVEL_INFO, "%s: still blocked: %s", j->name, why);
	free(j->blocked_by);
	j->blocked_by = xstrdup(why);
	say_state_at(j, LOG_LEVEL_WARNING, mono_now(), why);
}

/* May what starts a program in the session of whoever is at the screen be run? */
static bool
judge_launchctl(struct job *j, struct trust_verdict *v)
{
	struct command c = { .line = 0 };
	bool ok;

	if (!console_is_there(j->world->runner.root)) {
		snprintf(v->why, sizeof(v->why),
		    "user = %s: nobody can log in at a screen of this system",
		    CONSOLE_NAME);
		return false;
	}
	strv_push(&c.argv, xstrdup(CONSOLE_LAUNCHCTL));
	ok = programs_judge(&j->programs, &c, v);
	strv_clear(&c.argv);
	return ok;
}

/* The command that is to run; NULL: none may, with why in the verdict. */
static const struct command *
choose(struct job *j, struct trust_verdict *v)
{
	if (console_is_for(j->rule) && !judge_launchctl(j, v))
		return NULL;
	return programs_choose(&j->programs, v);
}

void
job_judge(struct job *j)
{
	struct strv paths = { NULL, 0 };
	struct trust_verdict v = { .paths = &paths };

	if (j->state.phase != PHASE_BLOCKED)
		return;
	heap_remove(&j->world->judgements, &j->judgement);
	j->judged_at = mono_now();
	log_rule_at(
	    log_of(j), LOG_LEVEL_DEBUG, "%s: looking for a program again", j->name);
	if (choose(j, &v) != NULL) {
		unblock(j, "a program is there");
	} else {
		say_blocked(j, v.why);
		/*
		 * What is armed only now may have changed since it was judged. And
		 * no event is going to say that there are descriptors again.
		 */
		if (programs_await(&j->programs, &paths, program_changed, j) || v.passing)
			judge_later(j);
	}
	alerter_note(j->alerter);
	strv_clear(&paths);
}

void
job_judge_next(struct job_world *world)
{
	struct heap_node *n = heap_first(&world->judgements);

	if (n != NULL)
		job_judge(CONTAINER_OF(n, struct job, judgement));
}

/* Waits for a program: it is judged, armed, and judged once more. */
static void
block(struct job *j)
{
	dispatch_block(&j->world->dispatch, &j->state);
	forget_promise(j);
	job_judge(j);
	job_judge(j);
}

void
job_network(struct job *j)
{
	mono_t now = mono_now();

	if (!j->rule->policy.retry_on_network)
		return;
	dispatch_nudge(&j->world->dispatch, &j->state, now);
	say_state(j, now, "the network changed");
}

/* The first path of those that a run has taken whose name is known, or NULL. */
static const struct dispatch_path *
first_taken(const struct job *j)
{
	const struct dispatch_path *p;

	TAILQ_FOREACH(p, &j->state.taken, taken_link)
		if (jobpaths_name(p) != NULL)
			break;
	return p;
}

/* Says when the guard holds the rule back, and when it does so no more. */
static void
say_guard(struct job *j)
{
	const struct dispatch_path *p = first_taken(j);
	bool guarded = dispatch_is_guarded(&j->state);

	if (guarded == j->said_guarded)
		return;
	j->said_guarded = guarded;
	if (guarded)
		log_warning("%s: seems to trigger itself: %s changes in every run, see "
			    "while-running",
		    j->name, p != NULL ? jobpaths_name(p) : "a path");
	else
		log_info("%s: does not seem to trigger itself any more", j->name);
}

/* Enters a finished run into the books. */
static void
book_run(struct job *j, bool ok)
{
	cJSON *line;

	j->runs++;
	if (!ok)
		j->failed++;
	cJSON_Delete(j->last_run);
	j->last_run = run_report_json(&j->run->report, NULL);
	line = run_report_json(&j->run->report, j->name);
	history_add(j->world->history, json_line(line));
	cJSON_Delete(line);
}

static void
run_ended(void *arg, bool ok, const char *outcome)
{
	struct job *j = arg;
	mono_t now = mono_now();
	enum dispatch_state s;

	book_run(j, ok);
	dispatch_end(&j->world->dispatch, &j->state, ok, now);
	if (!dispatch_pending(&j->state))
		j->detected = 0;
	else if (ok)
		j->detected = j->run->report.ended;
	/* What came of a run is never left out. */
	s = dispatch_state(&j->state, now);
	log_at(outcome_level(s, ok), "%s: %s -> %s, run %s %s after %.2f s: %s", j->name,
	    dispatch_state_name(j->said), dispatch_state_name(s), j->run->report.id,
	    ok ? "succeeded" : "failed", run_seconds(j->run), outcome);
	j->said = s;
	free(j->outcome);
	j->outcome = ok ? NULL : xstrdup(outcome);
	alerter_run_ended(j->alerter, ok);
	jobpaths_sweep(j->paths);
	save_later(j, true);
	if (j->gone != NULL)
		finish_leaving(j);
}

static void
run_started(void *arg, const char *program)
{
	struct job *j = arg;
	const struct run_report *is = &j->run->report;
	char detail[2 * PATH_MAX];

	snprintf(detail, sizeof(detail), "run %s, pid %d, %s%s%s, attempt %u, %s", is->id,
	    (int)run_pid(j->run), is->reason, is->path != NULL ? " of " : "",
	    is->path != NULL ? is->path : "", (unsigned)is->attempt, program);
	say_state(j, mono_now(), detail);
	save_later(j, true);
}

/* Alerts. */

#define FAILURES_OF_FOREVER 5

/* Has it failed so often that somebody should know? */
static bool
is_failing(const struct job *j)
{
	uint32_t after = j->rule->alert_after;

	if (after == 0 && j->rule->policy.retry == RETRY_FOREVER)
		after = FAILURES_OF_FOREVER;
	if (after == 0)
		return dispatch_state(&j->state, mono_now()) == STATE_FAILED;
	return j->state.failures >= after;
}

static void
alert_facts_of(void *arg, bool succeeded, struct alert_facts *out)
{
	const struct job *j = arg;
	bool at_rest =
	    j->state.failures == 0 && !is_running(j) && !dispatch_pending(&j->state);

	out->failing = is_failing(j);
	out->stuck = (j->state.phase == PHASE_BLOCKED && dispatch_pending(&j->state)) ||
		     jobpaths_has_error(j->paths);
	out->well = !out->failing && !out->stuck && (succeeded || at_rest);
}

static char *
alert_problem(void *arg)
{
	const struct job *j = arg;
	char *problem = NULL;

	if (!is_failing(j))
		problem = j->blocked_by != NULL ? xstrdup(j->blocked_by)
						: jobpaths_problem(j->paths);
	if (problem != NULL)
		return problem;
	return xasprintf("failed %u times in a row%s%s", (unsigned)j->state.failures,
	    j->outcome != NULL ? ", the last time: " : "",
	    j->outcome != NULL ? j->outcome : "");
}

static void
alert_changed(void *arg)
{
	save_later(arg, true);
}

static const struct alerter_ops alerter_ops = { alert_facts_of, alert_problem,
	alert_changed };

static const struct run_ops run_ops = {
	run_started,
	run_ended,
	jobpaths_name,
	jobpaths_change_of,
	jobpaths_others,
};

/* Its run, which is made when there is to be one. */
static struct run *
run_of(struct job *j)
{
	if (j->run == NULL)
		j->run = run_new(
		    &j->world->runner, &j->programs, &j->state, log_of(j), &run_ops, j);
	return j->run;
}

/* Once there is one it stays, as it knows whether its alert is raised. */
static void
want_alerter(struct job *j, bool raised)
{
	if (j->alerter == NULL && (raised || j->rule->alert != NULL))
		j->alerter =
		    alerter_new(&j->world->alerters, run_of(j), j->name, &alerter_ops, j);
	if (raised)
		alerter_restore(j->alerter, true);
}

static void
start(struct job *j, mono_t now)
{
	struct trust_verdict v = { .paths = NULL };
	const struct command *c = choose(j, &v);
	enum dispatch_reason reason;
	char *promised = NULL;
	uid_t console = 0;

	if (c == NULL) {
		block(j);
		return;
	}
	if (console_is_for(j->rule) && !console_user(j->world->runner.root, &console)) {
		dispatch_hold(
		    &j->world->dispatch, &j->state, mono_add(now, CONSOLE_PAUSE_NS));
		say_state(j, now, "nobody is logged in at the screen");
		return;
	}
	reason = dispatch_start(&j->world->dispatch, &j->state, now);
	if (reason == REASON_MANUAL) {
		promised = j->promised;
		j->promised = NULL;
	}
	log_rule_run(log_of(j));
	run_start(run_of(j), c, v.resolved, console, promised, reason, j->detected);
	free(promised);
	say_guard(j);
}

bool
job_step(struct job *j, enum dispatch_step step, mono_t now)
{
	switch (step) {
	case STEP_LOOK:
		/* It keeps its place in the queue until all of it is looked at. */
		if (!jobpaths_look(j->paths))
			return false;
		if (dispatch_ready(&j->world->dispatch, &j->state, now))
			start(j, now);
		break;
	case STEP_STOP_IGNORING:
		while (!jobpaths_look(j->paths))
			;
		dispatch_stop_ignoring(&j->world->dispatch, &j->state, now);
		break;
	case STEP_TERM:
	case STEP_KILL:
		run_stop(j->run, step);
		break;
	case STEP_NONE:
		break;
	}
	say_state(j, now, step == STEP_TERM ? "took longer than its timeout" : "");
	return true;
}

static void
left_over_gone(struct job *j, mono_t now)
{
	TAILQ_REMOVE(&j->world->left_over, j, left_over_link);
	dispatch_lost(&j->world->dispatch, &j->state, now);
	say_state(j, now, "the run of an earlier daemon is over, and how is not known");
	save_later(j, true);
	if (j->gone != NULL)
		finish_leaving(j);
}

void
job_check_left_over(struct job_world *world, mono_t now)
{
	struct job *j, *next;

	for (j = TAILQ_FIRST(&world->left_over); j != NULL; j = next) {
		next = TAILQ_NEXT(j, left_over_link);
		if (run_is_gone(j->run))
			left_over_gone(j, now);
	}
}

/* The run that a former life of the daemon has started, if any. */
static void
adopt(struct job *j, const struct record *known, mono_t now)
{
	if (known->pid == 0)
		return;
	if (!run_adopt(run_of(j), known->pid, known->process, known->boot, known->run,
		known->started)) {
		dispatch_lost(&j->world->dispatch, &j->state, now);
		return;
	}
	dispatch_adopt(
	    &j->world->dispatch, &j->state, realtime_ns() - known->started, now);
	TAILQ_INSERT_TAIL(&j->world->left_over, j, left_over_link);
	say_state(j, now, "left over from an earlier daemon");
}

/* What a former life left of waits and counts. */
static void
restore(struct job *j, const struct record *known, mono_t now)
{
	j->runs = known->runs;
	j->failed = known->failed;
	j->detected = known->detected;
	if (known->verify_first)
		run_of(j)->verify_first = true;
	j->last_run = cJSON_Duplicate(known->last_run, true);
	want_alerter(j, known->alerted);
	dispatch_restore(
	    &j->world->dispatch, &j->state, &known->state, now, realtime_ns());
}

static void
record_run(struct job *j, struct record *out)
{
	if (!is_running(j))
		return;
	out->pid = run_pid(j->run);
	out->started = j->run->report.started;
	out->process = xstrdup(run_process(j->run));
	out->boot = xstrdup(j->world->runner.boot);
	out->run = xstrdup(j->run->report.id);
}

/* What is to be kept of the job. The caller clears it. */
static void
make_record(struct job *j, struct record *out)
{
	*out = (struct record){
		.rule = xstrdup(j->name),
		.verify_first = j->run != NULL && j->run->verify_first,
		.alerted = alerter_is_raised(j->alerter),
		.detected = j->detected,
		.runs = j->runs,
		.failed = j->failed,
		.last_run = cJSON_Duplicate(j->last_run, true),
	};
	dispatch_save(&j->state, &out->state, mono_now(), realtime_ns());
	record_run(j, out);
	jobpaths_record(j->paths, out);
}

void
job_save(struct job *j)
{
	struct record r;
	int64_t least;

	heap_remove(&j->world->saves, &j->save);
	j->saved_at = mono_now();
	/* A disabled rule has no state: what was recorded of it stays as it is. */
	if (!j->has_state)
		return;
	make_record(j, &r);
	least = (int64_t)store_put(j->world->store, &r) * SAVE_BYTE_NS;
	record_clear(&r);
	j->save_ns = mono_sub(mono_now(), j->saved_at);
	if (j->save_ns < least)
		j->save_ns = least;
	j->saved_at = mono_now();
}

void
job_save_later(struct job *j)
{
	save_later(j, true);
}

void
job_save_next(struct job_world *world)
{
	struct heap_node *n = heap_first(&world->saves);

	if (n != NULL)
		job_save(CONTAINER_OF(n, struct job, save));
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
		log_info("%s: action: %s", j->name, line.p);
	}
	buf_clear(&line);
}

/* What is watched: root stands in front of the paths of the rule. */
static void
watched(const struct job *j, struct strv *entries)
{
	size_t i;

	*entries = (struct strv){ NULL, 0 };
	for (i = 0; i < j->rule->nwatch; i++)
		strv_push(entries,
		    xasprintf("%s%s", j->world->runner.root, j->rule->watch[i].path));
}

static void
arm(struct job *j, const struct record *known)
{
	struct strv entries;

	watched(j, &entries);
	jobpaths_load(j->paths, &entries, known);
	strv_clear(&entries);
}

/* No record, where one may have been lost: the rule counts as changed. */
static void
assume_changed(struct job *j, mono_t now)
{
	if (j->rule->policy.at_start != START_NEVER)
		dispatch_restore(&j->world->dispatch, &j->state,
		    &(struct dispatch_saved){ .cause = CAUSE_START }, now, realtime_ns());
}

struct job *
job_new(struct job_world *world, struct rule *rule, struct dispatch_lock *lock,
    const struct record *known)
{
	struct job *j = xcalloc(1, sizeof(*j));
	mono_t now = mono_now();

	j->world = world;
	j->name = xstrdup(rule->name);
	j->rule = rule;
	programs_init(
	    &j->programs, world->watch, &world->trust, world->runner.root, rule);
	want_alerter(j, false);
	j->saved_at = mono_add(now, -SAVE_PAUSE_NS);
	dispatch_add(
	    &world->dispatch, &j->state, &rule->policy, lock, world->starting, now);
	j->paths = jobpaths_new(world->watch, &world->dispatch, &j->state, &paths_ops, j);
	say_loaded(j);
	j->said = rule->policy.enabled ? STATE_IDLE : STATE_DISABLED;
	j->has_state = rule->policy.enabled;
	if (!j->has_state)
		return j;
	if (known != NULL)
		restore(j, known, now);
	else if (store_is_damaged(world->store))
		assume_changed(j, now);
	arm(j, known);
	if (known != NULL) {
		dispatch_restored(&j->state);
		adopt(j, known, mono_now());
	}
	alerter_note(j->alerter);
	return j;
}

void
job_free(struct job *j)
{
	if (j == NULL)
		return;
	/* Nobody is going to report the end of a run that is left alone. */
	if (dispatch_remove(&j->world->dispatch, &j->state))
		dispatch_end(&j->world->dispatch, &j->state, true, mono_now());
	heap_remove(&j->world->saves, &j->save);
	if (is_left_over(j))
		TAILQ_REMOVE(&j->world->left_over, j, left_over_link);
	end_block(j);
	alerter_free(j->alerter);
	free(j->outcome);
	free(j->promised);
	jobpaths_free(j->paths);
	if (j->log != NULL)
		log_rule_clear(j->log);
	free(j->log);
	free(j->name);
	cJSON_Delete(j->last_run);
	run_free(j->run);
	rule_free(j->rule);
	free(j);
}

void
job_change(struct job *j, struct rule *rule, struct dispatch_lock *lock)
{
	struct rule *old = j->rule;
	bool same = j->gone == NULL && rule_equal(old, rule);
	struct strv entries;
	mono_t now = mono_now();

	j->rule = rule;
	j->gone = NULL;
	if (same) {
		/* Only file and line may differ: the state goes on as it is. */
		dispatch_move_policy(&j->state, &rule->policy);
		programs_set(&j->programs, rule);
		rule_free(old);
		job_judge(j);
		return;
	}
	say_loaded(j);
	dispatch_change(&j->world->dispatch, &j->state, &rule->policy, lock, now);
	if (rule->policy.enabled) {
		watched(j, &entries);
		jobpaths_change(j->paths, &entries);
		strv_clear(&entries);
	}
	programs_set(&j->programs, rule);
	if (j->state.phase == PHASE_BLOCKED)
		unblock(j, "the rule was changed");
	if (j->run != NULL)
		j->run->verify_first = false;
	want_alerter(j, false);
	rule_free(old);
	say_state(j, now, "the rule was changed");
	alerter_note(j->alerter);
	save_later(j, true);
}

static void
finish_leaving(struct job *j)
{
	struct record r;

	make_record(j, &r);
	store_leave(j->world->store, &r);
	j->gone(j->gone_arg, j);
}

bool
job_leave(struct job *j, void (*gone)(void *arg, struct job *j), void *arg)
{
	struct record r;
	bool running = dispatch_remove(&j->world->dispatch, &j->state);

	end_block(j);
	alerter_stop(j->alerter);
	jobpaths_stop(j->paths);
	heap_remove(&j->world->saves, &j->save);
	if (j->has_state) {
		make_record(j, &r);
		store_leave(j->world->store, &r);
	}
	if (!running)
		return false;
	j->gone = gone;
	j->gone_arg = arg;
	return true;
}

/* Is a run still to come that somebody asked for? */
static bool
is_promised(const struct job *j)
{
	return j->promised != NULL && j->state.manual;
}

const char *
job_trigger(struct job *j, const char **why)
{
	mono_t now = mono_now();
	char id[RUN_ID_SIZE];
	bool promised;

	*why = "it is disabled";
	if (!j->rule->policy.enabled)
		return NULL;
	job_judge(j);
	promised = is_promised(j);
	*why = j->blocked_by;
	if (!dispatch_trigger(&j->world->dispatch, &j->state, now))
		return NULL;
	if (!promised) {
		forget_promise(j);
		run_next_id(&j->world->runner, id);
		j->promised = xstrdup(id);
	}
	say_state(j, now, "asked for");
	return j->promised;
}

enum job_promise
job_promise(const struct job *j, const char *run)
{
	if (is_promised(j) && strcmp(run, j->promised) == 0)
		return PROMISE_WAITING;
	if (j->run == NULL || strcmp(run, j->run->report.id) != 0)
		return PROMISE_UNKNOWN;
	return is_running(j) ? PROMISE_RUNNING : PROMISE_ENDED;
}

void
job_inform(const struct job *j, struct job_info *out)
{
	mono_t now = mono_now(), due = dispatch_due(&j->state);
	mono_t every = dispatch_every_at(&j->state);
	bool running = is_running(j);

	*out = (struct job_info){
		.rule = j->rule,
		.state = dispatch_state(&j->state, now),
		.pending = dispatch_pending(&j->state),
		.attempt = running || dispatch_pending(&j->state) ? j->state.attempt : 0,
		.argv = programs_current(&j->programs),
		.runs = j->runs,
		.failures = j->failed,
		.alerted = alerter_is_raised(j->alerter),
		.alert_error = alerter_error(j->alerter),
		.last_run = j->last_run,
		.run = running ? &j->run->report : NULL,
		.pid = running ? run_pid(j->run) : 0,
		.left_over = is_left_over(j),
	};
	if (j->state.phase == PHASE_WAITING && !mono_is_never(due))
		out->due = mono_as_real(due, now, realtime_ns());
	if (j->state.phase == PHASE_IDLE && !mono_is_never(every))
		out->every = mono_as_real(every, now, realtime_ns());
}

/* "a", "a and b", "a, b and c" */
static void
add_holders(struct buf *out, const struct dispatch_lock *lock)
{
	struct dispatch_rule *r, *next;

	for (r = LIST_FIRST(&lock->held_by); r != NULL; r = next) {
		next = LIST_NEXT(r, held_link);
		buf_adds(out, job_of(r)->name);
		if (next != NULL)
			buf_adds(
			    out, LIST_NEXT(next, held_link) != NULL ? ", " : " and ");
	}
}

char *
job_waits_for(const struct job *j)
{
	const struct dispatch *d = &j->world->dispatch;
	struct buf out = { NULL, 0, 0 };

	if (dispatch_state(&j->state, mono_now()) != STATE_QUEUED)
		return NULL;
	switch (dispatch_queued_for(d, &j->state)) {
	case QUEUED_LOCK:
		buf_addf(&out, "the lock %s, held by ", j->rule->lock);
		add_holders(&out, j->state.lock);
		break;
	case QUEUED_SLOT:
		buf_addf(&out, "a run to end: max-running = %u", d->max_running);
		break;
	case QUEUED_HELD:
		buf_adds(&out, "somebody to log in at the screen: user = " CONSOLE_NAME);
		break;
	case QUEUED_STOP:
		buf_adds(&out, "the next start of the daemon, which is stopping");
		break;
	case QUEUED_TURN:
		buf_adds(&out, "its turn");
		break;
	}
	return out.p;
}

char *
job_problem(const struct job *j)
{
	const struct dispatch_path *p = first_taken(j);
	char timeout[32];

	if (p == NULL)
		p = TAILQ_FIRST(&j->state.owed);
	if (p != NULL && jobpaths_name(p) == NULL)
		p = TAILQ_NEXT(p, owed_link);
	switch (dispatch_state(&j->state, mono_now())) {
	case STATE_BLOCKED:
		return xstrdup(j->blocked_by);
	case STATE_FAILED:
		return xasprintf("gave up after attempt %u: the next change, a changed "
				 "rule or `watchpathd trigger` tries again",
		    (unsigned)j->state.attempt);
	case STATE_STOPPING:
		format_duration(timeout, sizeof(timeout), j->rule->policy.timeout_ms);
		return xasprintf(
		    "runs longer than its timeout of %s and is being ended", timeout);
	case STATE_DISABLED:
		return NULL;
	default:
		break;
	}
	if (dispatch_is_guarded(&j->state))
		return xasprintf("seems to trigger itself: %s changes in every run, see "
				 "while-running",
		    p != NULL ? jobpaths_name(p) : "a path");
	return jobpaths_problem(j->paths);
}

void
job_findings(struct job *j, struct findings *f, bool again, findings_fn *fn, void *arg)
{
	if (!again || j->nfindings > 0)
		j->nfindings = findings_each(f, j->rule, fn, arg);
}

const struct rule *
job_rule(const struct job *j)
{
	return j->rule;
}

const struct jobpaths *
job_paths(const struct job *j)
{
	return j->paths;
}
