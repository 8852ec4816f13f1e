/* SPDX-License-Identifier: MIT */
/*
 * The delivery promise against a model that is the file system itself: random
 * schedules of changes, crashes, failures and other rules, with the real watch,
 * dispatch, spawn and store code and real children. After each schedule every
 * path is asked: did a run start after its last change, and did one succeed, by
 * the actions' own record? A change counts if it differs, in what the rule asks
 * for, from everything that the daemon may have seen last. Many workers do this
 * at once, as most of the time is waiting. WATCHPATHD_SEED repeats a worker's
 * schedules, as far as time lets it; WATCHPATHD_SCHEDULES is how many there are.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rules/conf.h"
#include "state/history.h"
#include "engine/job.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/platform.h"
#include "rules/keys.h"
#include "engine/ruleset.h"
#include "run/run.h"
#include "run/spawn.h"
#include "state/store.h"
#include "base/sync.h"
#include "base/util.h"
#include "base/fd.h"
#include "base/number.h"
#include "watch/watch.h"
#include "test.h"

#define WORKERS 16
#define SCHEDULES 2000
#define SECONDS 20 /* and no more schedules after that */
#define HISTORY 24
#define PATIENCE (30 * MONO_SEC)
#define QUIET (7 * MONO_MS) /* longer than the shim holds an event back */
#define QUIET_TURNS 3

static const char *const faults[] = { "", "shuffle", "split", "merge", "extend,echo",
	"shuffle,split,merge,extend" };

/* What a path looked like. */
struct look {
	bool exists;
	uint64_t ino, size;
	int64_t mtime;
	unsigned mode;
};

/* A path of a rule, and what may have been seen of it since all was quiet. */
struct place {
	const char *path;
	struct look seen[HISTORY];
	size_t n; /* HISTORY: too many to tell */
	int tick; /* of the last change */
};

#define PLACES 4

static struct model {
	const char *name, *lines; /* of the rule, separated by | */
	unsigned on;
	uint64_t min_size;
	const char *const paths[PLACES];
	bool spends; /* it has a budget */
	bool extras; /* its place EXTRA is only watched now and then */
	/* How it stands in the rule files. */
	bool absent, refused, disabled, moved, extra, changed;
	bool had_extra; /* place EXTRA was watched when it was last in force */
	char noted[48]; /* id of its newest run */
	struct place places[PLACES];
} models[] = {
	{ "plain", "watch=/p|lock=l|cooldown=0|settle=2ms", 7, 0, { "p" },
	    .spends = true },
	{ "bits", "watch=/q|on=create modify delete attributes|settle=0|cooldown=5ms", 15,
	    0, { "q" }, .spends = true },
	{ "link", "watch=/l|settle=3ms|cooldown=0|retry=forever", 7, 0, { "l" },
	    .spends = false },
	{ "glob", "watch=/g/*.x|lock=l|settle=2ms|cooldown=0", 7, 0,
	    { "g/0.x", "g/1.x", "g/2.x" }, .spends = true },
	{ "deep", "watch=/d/e/f|settle=1ms|cooldown=0", 7, 0, { "d/e/f" },
	    .spends = true },
	{ "made", "watch=/c|on=create|settle=1ms|cooldown=0|retry=forever", 1, 0, { "c" },
	    .spends = false },
	{ "big", "watch=/b|min-size=500|settle=1ms|cooldown=2ms|at-start=new", 7, 500,
	    { "b" }, .spends = true },
	{ "two", "watch=/p|watch=/b|settle=2ms|cooldown=0|retry=0", 7, 0,
	    { "p", "b", "q" }, .spends = true, .extras = true },
};

#define MODELS (sizeof(models) / sizeof(models[0]))
#define EXTRA 2

struct model_run {
	char id[48];
	const struct model *rule;
	int tick;   /* it started after the changes of it */
	int status; /* -1: it has not ended */
};

static struct {
	char box[PATH_MAX], state[PATH_MAX + 8];
	struct loop *loop;
	struct job_world world;
	struct ruleset rules;
	bool alive, rewriting;
	struct model_run *runs;
	size_t nruns, checked;
	long record_at;
	off_t kept_size; /* of the state file: what a crash must leave of it */
	int tick, lives, schedule;
	unsigned size;
	uint64_t random;
	unsigned long seed;
	const char *faults;
	struct buf story;
} w;

static void die(const char *what, const char *more);

static uint32_t
below(uint32_t n)
{
	w.random ^= w.random >> 12;
	w.random ^= w.random << 25;
	w.random ^= w.random >> 27;
	return (uint32_t)((w.random * UINT64_C(2685821657736338717)) >> 33) % n;
}

/* Nothing is lost by this: the machine goes on. */
int
fd_sync(int fd)
{
	(void)fd;
	return 0;
}

int
fsync(int fd)
{
	return fd_sync(fd);
}

__attribute__((format(printf, 1, 2))) static const char *
at(const char *format, ...)
{
	static char paths[8][PATH_MAX];
	static unsigned next;
	char *p = paths[next++ % 8];
	int n = snprintf(p, PATH_MAX, "%s/", w.box);
	va_list ap;

	va_start(ap, format);
	vsnprintf(p + n, (size_t)(PATH_MAX - n), format, ap);
	va_end(ap);
	return p;
}

__attribute__((format(printf, 1, 2))) static void
tell(const char *format, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	buf_addf(&w.story, "%d: %s\n", w.tick, line);
}

/* Tells all there is to know, and ends this worker. */
static void
die(const char *what, const char *more)
{
	size_t i;

	fprintf(stderr, "WATCHPATHD_SEED=%lu, faults '%s', schedule %d: %s %s\n%s\n",
	    w.seed, w.faults, w.schedule, what, more, w.story.p != NULL ? w.story.p : "");
	for (i = w.nruns > 30 ? w.nruns - 30 : 0; i < w.nruns; i++)
		fprintf(stderr, "run %s of %s, after change %d: %d\n", w.runs[i].id,
		    w.runs[i].rule->name, w.runs[i].tick, w.runs[i].status);
	_exit(1);
}

/* The action: it records its run, and does what it finds in the rule's file. */

static void
record(const char *format, ...)
{
	char line[256], path[PATH_MAX];
	va_list ap;
	int fd, n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "%s/record", getenv("DIR"));
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1 || write(fd, line, (size_t)n) != n)
		_exit(99);
	close(fd);
}

static int
act(void)
{
	const char *rule = getenv("WATCHPATHD_RULE"), *run = getenv("WATCHPATHD_RUN");
	char path[PATH_MAX], text[4] = "00";
	int fd;

	snprintf(path, sizeof(path), "%s/do.%s", getenv("DIR"), rule);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1 && read(fd, text, 2) != 2)
		text[0] = '0';
	record("S %s %s 0\n", rule, run);
	if (text[1] > '0')
		nanosleep(&(struct timespec){ 0, (text[1] - '0') * 5 * MONO_MS }, NULL);
	record("E %s %s %d\n", rule, run, text[0] - '0');
	return text[0] - '0';
}

static void
write_file(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd == -1 || write(fd, text, len) != (ssize_t)len)
		die(path, strerror(errno));
	close(fd);
}

/* What runs of m that start from now on do. */
static void
set_action(const struct model *m, bool fails, unsigned slow)
{
	char text[3];

	snprintf(text, sizeof(text), "%d%u", fails, slow);
	write_file(at("new.do"), text, 2);
	rename(at("new.do"), at("do.%s", m->name));
	tell("%s: fails %d, slow %u", m->name, fails, slow);
}

/* The model */

static void
look_at(struct look *l, const char *path, uint64_t min_size)
{
	struct stat st;

	*l = (struct look){ .exists = false };
	if (stat(at("%s", path), &st) == -1 ||
	    (S_ISREG(st.st_mode) && (uint64_t)st.st_size < min_size))
		return;
	*l = (struct look){
		.exists = true,
		.ino = st.st_ino,
		.size = (uint64_t)st.st_size,
		.mtime = (int64_t)st.MTIM.tv_sec * MONO_SEC + st.MTIM.tv_nsec,
		.mode = st.st_mode,
	};
}

static unsigned
difference(const struct look *a, const struct look *b)
{
	unsigned diff = 0;

	if (a->exists != b->exists)
		return b->exists ? CHANGE_CREATE : CHANGE_DELETE;
	if (!b->exists)
		return 0;
	if (a->ino != b->ino)
		diff |= CHANGE_CREATE | CHANGE_MODIFY;
	if (a->size != b->size || a->mtime != b->mtime)
		diff |= CHANGE_MODIFY;
	if (a->mode != b->mode)
		diff |= CHANGE_ATTRIBUTES;
	return diff;
}

/* What is known of p ends here: this is what will be compared with. */
static void
begin_place(const struct model *m, struct place *p)
{
	p->n = 1;
	p->tick = 0;
	look_at(&p->seen[0], p->path, m->min_size);
}

static bool
is_watched(const struct model *m, size_t i)
{
	return i != EXTRA || !m->extras || m->had_extra;
}

/* Sees what the last change did to every path. */
static void
observe(void)
{
	struct model *m;
	struct place *p;
	struct look l;
	size_t i;

	for (m = models; m < models + MODELS; m++)
		for (i = 0; i < PLACES && m->paths[i] != NULL; i++) {
			p = &m->places[i];
			look_at(&l, p->path, m->min_size);
			if (!is_watched(m, i)) {
				begin_place(m, p);
				continue;
			}
			if (memcmp(&l, &p->seen[p->n - 1], sizeof(l)) == 0)
				continue;
			if (p->n < HISTORY)
				p->n++;
			p->seen[p->n - 1] = l;
			p->tick = w.tick;
		}
}

/* Must a run have started after p's last change? */
static bool
is_owed(const struct model *m, const struct place *p)
{
	size_t i;

	for (i = 0; i + 1 < p->n; i++)
		if ((difference(&p->seen[i], &p->seen[p->n - 1]) & m->on) == 0)
			return false;
	return p->n > 1 && p->n < HISTORY;
}

static void
note_run(struct model *m, const char *id)
{
	size_t i;

	if (strcmp(m->noted, id) == 0)
		return;
	for (i = w.nruns; i > 0; i--)
		if (strcmp(w.runs[i - 1].id, id) == 0)
			return;
	snprintf(m->noted, sizeof(m->noted), "%s", id);
	if ((w.nruns & (w.nruns - 1)) == 0)
		w.runs = xreallocarray(w.runs, 2 * w.nruns + 1, sizeof(w.runs[0]));
	w.runs[w.nruns] = (struct model_run){ .rule = m, .tick = w.tick, .status = -1 };
	snprintf(w.runs[w.nruns++].id, sizeof(w.runs[0].id), "%s", id);
}

/* Changes happen between turns, so a run that is new started after the last one. */
static void
note_runs(void)
{
	struct job_info info;
	struct model *m;
	struct job *j;
	char *last;

	for (m = models; m < models + MODELS; m++) {
		/* Also one that has left and still runs. */
		j = ruleset_find(&w.rules, m->name);
		if (j == NULL)
			continue;
		job_inform(j, &info);
		if (info.run != NULL)
			note_run(m, info.run->id);
		last = info.last_run != NULL ? json_get_text(info.last_run, "run") : NULL;
		if (last != NULL)
			note_run(m, last);
		free(last);
	}
}

static void
read_record(void)
{
	char line[256], what, name[32], id[48];
	int status;
	size_t i;
	FILE *f = fopen(at("record"), "re");

	if (f == NULL)
		return;
	fseek(f, w.record_at, SEEK_SET);
	while (fgets(line, sizeof(line), f) != NULL && strchr(line, '\n') != NULL) {
		w.record_at += (long)strlen(line);
		if (sscanf(line, "%c %31s %47s %d", &what, name, id, &status) != 4 ||
		    what != 'E')
			continue;
		for (i = w.nruns; i > 0; i--)
			if (strcmp(w.runs[i - 1].id, id) == 0) {
				w.runs[i - 1].status = status;
				break;
			}
	}
	fclose(f);
}

/* The promise, for one path. */
static void
check_place(const struct model *m, const struct place *p)
{
	bool started = false, succeeded = false;
	struct job_info info;
	struct job *j = ruleset_find(&w.rules, m->name);
	char what[128];
	size_t i;

	if (j == NULL)
		die("not in force:", m->name);
	for (i = 0; i < w.nruns; i++) {
		if (w.runs[i].rule != m || w.runs[i].tick < p->tick)
			continue;
		started = true;
		succeeded |= w.runs[i].status == 0;
	}
	snprintf(what, sizeof(what), "%s of %s, change %d", p->path, m->name, p->tick);
	if (!started)
		die("LOST: no run has started after the last change of", what);
	job_inform(j, &info);
	if (!succeeded && (info.state != STATE_FAILED || !m->spends))
		die("LOST: no run has succeeded after the last change of", what);
}

/* The daemon, without what is around it */

static void
save_load(void)
{
	size_t i;
	struct stat st;

	if (!store_begin(w.world.store))
		die("store_begin", "");
	for (i = 0; i < w.rules.n; i++)
		job_save(w.rules.jobs[i]);
	if (!store_end(w.world.store, true))
		die("store_end", "");
	w.kept_size = stat(at("state/state.jsonl"), &st) == 0 ? st.st_size : 0;
}

static void
write_down(void)
{
	size_t i;

	if (store_due(w.world.store, mono_now())) {
		w.rewriting = true;
		for (i = 0; i < w.rules.n; i++)
			job_save_later(w.rules.jobs[i]);
	}
	while (!mono_before(mono_now(), heap_next(&w.world.saves)))
		job_save_next(&w.world);
	if (w.rewriting) {
		w.rewriting = false;
		store_end(w.world.store, false);
	}
	history_write(w.world.history, false, mono_now());
}

/* One turn, until limit at the latest; whether anything happened. */
static bool
turn(mono_t limit)
{
	struct dispatch_rule *r;
	enum dispatch_step step;
	mono_t now = mono_now(), due;
	bool busy = false;
	int n;

	job_check_left_over(&w.world, now);
	if (!mono_before(now, heap_next(&w.world.judgements)))
		job_judge_next(&w.world);
	watch_due(w.world.watch, now);
	while ((step = dispatch_next(&w.world.dispatch, now, &r)) != STEP_NONE) {
		job_step(job_of(r), step, now);
		busy = true;
	}
	n = loop_wait(w.loop, (mono_t){ INT64_MIN });
	if (n == 0) {
		write_down();
		due = mono_min(
		    watch_deadline(w.world.watch), dispatch_deadline(&w.world.dispatch));
		due = mono_min(due, heap_next(&w.world.judgements));
		if (!TAILQ_EMPTY(&w.world.left_over))
			due = mono_min(due, mono_add(now, 2 * MONO_MS));
		n = loop_wait(w.loop, mono_min(due, limit));
	}
	note_runs();
	return busy || n != 0;
}

static void
drive(int64_t ns)
{
	mono_t end = mono_add(mono_now(), ns);

	while (mono_before(mono_now(), end))
		turn(end);
}

static bool
is_idle(void)
{
	struct job_info info;
	size_t i;

	if (spawn_running(w.world.runner.spawner) > 0 || !TAILQ_EMPTY(&w.world.left_over))
		return false;
	for (i = 0; i < w.rules.n; i++) {
		job_inform(w.rules.jobs[i], &info);
		if (info.state != STATE_IDLE && info.state != STATE_FAILED)
			return false;
	}
	/* A look that was put off may come late: on a busy machine one takes long. */
	return mono_is_never(watch_deadline(w.world.watch));
}

/* Many failures in a row make a backoff that nobody can wait for: it is cut short. */
static void
hurry(void)
{
	struct job_info info;
	const char *why;
	size_t i;

	for (i = 0; i < w.rules.n; i++) {
		job_inform(w.rules.jobs[i], &info);
		if (info.state == STATE_RETRYING && info.due > realtime_ns() + MONO_SEC)
			(void)job_trigger(w.rules.jobs[i], &why);
	}
}

/*
 * Until nothing has happened for some turns, and nothing is going to. Turns count,
 * not time: on a busy machine time passes while events are held back.
 */
static void
settle(void)
{
	mono_t start = mono_now(), limit;
	unsigned quiet = 0;
	struct stat st;

	while (quiet < QUIET_TURNS) {
		limit = mono_add(mono_now(), QUIET);
		hurry();
		if (turn(limit) || !is_idle())
			quiet = 0;
		else if (!mono_before(mono_now(), limit))
			quiet++;
		if (mono_sub(mono_now(), start) > PATIENCE)
			die("it never gets quiet", "");
	}
	while (heap_first(&w.world.saves) != NULL)
		job_save_next(&w.world);
	w.kept_size = stat(at("state/state.jsonl"), &st) == 0 ? st.st_size : 0;
}

static void
set_lines(struct rule *r, const char *lines)
{
	char *copy = xstrdup(lines), *line, *value, *save = NULL, why[RULE_WHY_SIZE];

	for (line = strtok_r(copy, "|", &save); line != NULL;
	     line = strtok_r(NULL, "|", &save)) {
		value = strchr(line, '=');
		*value++ = '\0';
		if (rule_set(r, line, value, 1, why) == -1)
			die(lines, why);
	}
	free(copy);
}

static const char *
file_of(const struct model *m)
{
	return m->moved ? "z.ini" : "a.ini";
}

static struct rule *
make_rule(const struct model *m)
{
	struct rule *r = rule_new(m->name, file_of(m), 1);
	char line[PATH_MAX + 16];

	set_lines(r, m->lines);
	set_lines(r, "action=/act|log-output=no");
	r->policy.retry_delay_ms = 2;
	if (strstr(m->lines, "retry=") == NULL)
		set_lines(r, "retry=2");
	snprintf(line, sizeof(line), "environment=DIR=%s", w.box);
	set_lines(r, line);
	if (m->extra)
		set_lines(r, "watch=/q");
	if (m->disabled)
		set_lines(r, "enabled=no");
	if (m->changed)
		set_lines(r, "timeout=5m");
	return r;
}

static void
refuse(struct conf *c, const char *file)
{
	c->diags = xreallocarray(c->diags, c->ndiags + 1, sizeof(*c->diags));
	c->diags[c->ndiags++] =
	    (struct diag){ DIAG_ERROR, xstrdup(file), 1, xstrdup("refused") };
}

/* Puts the rules in force as they stand now. */
static void
load(void)
{
	struct conf c = { .nrules = 0 };
	struct model *m;

	settings_init(&c.settings);
	c.rules = xcalloc(MODELS, sizeof(struct rule *));
	for (m = models; m < models + MODELS; m++) {
		if (m->refused) {
			refuse(&c, "a.ini");
			refuse(&c, "z.ini");
		}
	}
	for (m = models; m < models + MODELS; m++) {
		if (m->absent || m->refused)
			continue;
		c.rules[c.nrules++] = make_rule(m);
		if (m->disabled)
			continue;
		if (m->extra && !m->had_extra)
			begin_place(m, &m->places[EXTRA]);
		m->had_extra = m->extra;
	}
	ruleset_adopt(&w.rules, &c);
	conf_clear(&c);
	save_load();
	note_runs();
}

static void
start(void)
{
	char fault[96], why[512];

	w.faults = faults[below(sizeof(faults) / sizeof(faults[0]))];
	snprintf(fault, sizeof(fault), "%s,seed=%u", w.faults, below(1000000));
	setenv("KQUEUE_FAULTS", fault, 1);
	w.world = (struct job_world){ .runner.root = w.box, .starting = true };
	w.world.runner.config = w.box;
	w.world.runner.base = (uint64_t)++w.lives;
	w.world.trust = (struct trust){ .root = w.box, .owner = geteuid() };
	if (!platform_boot_id(w.world.runner.boot))
		die("boot id", "");
	TAILQ_INIT(&w.world.left_over);
	w.loop = loop_new();
	w.world.runner.spawner = spawner_new(w.loop, at("act"));
	w.world.watch = watch_new(w.loop);
	dispatch_init(&w.world.dispatch, 3, w.random);
	w.world.history = history_new(w.state, &w.world.trust);
	w.world.store = store_new(w.state, &w.world.trust);
	if (!store_open(w.world.store, why, sizeof(why)))
		die("store_open", why);
	ruleset_init(&w.rules, &w.world);
	tell("starts, faults %s", fault);
	load();
	w.world.starting = false;
	w.alive = true;
}

/* The last line of the state may be torn, if it came since the last settling. */
static void
tear(void)
{
	struct stat st;
	off_t cut;

	if (stat(at("state/state.jsonl"), &st) == -1 || st.st_size <= w.kept_size)
		return;
	cut = 1 + (off_t)below(40);
	if (cut > st.st_size - w.kept_size)
		cut = st.st_size - w.kept_size;
	if (truncate(at("state/state.jsonl"), st.st_size - cut) == -1)
		die("truncate", strerror(errno));
	tell("the state is torn");
}

/* All is forgotten, and nothing saved; children go on. */
static void
crash(void)
{
	tell("crash");
	spawner_free(w.world.runner.spawner);
	ruleset_clear(&w.rules);
	watch_free(w.world.watch);
	loop_free(w.loop);
	store_free(w.world.store);
	history_free(w.world.history);
	w.alive = false;
	if (below(4) == 0)
		tear();
}

/* The schedule */

static const char *const files[] = { "p", "q", "t0", "t1", "g/0.x", "g/1.x", "g/2.x",
	"d/e/f", "c", "b" };

static void
change_file(const char *name)
{
	char what[64], text[1600];
	const char *path = at("%s", name), *new = at("new");
	unsigned op = below(6);
	int fd;

	memset(text, 'x', sizeof(text));
	snprintf(what, sizeof(what), "op %u on", op);
	w.size = (w.size + 1 + below(3)) % 1500;
	if (op == 0) {
		unlink(path);
	} else if (op == 1) {
		chmod(path, 0600 | below(64));
	} else if (op == 2 && (fd = open(path, O_WRONLY | O_CLOEXEC)) != -1) {
		if (write(fd, text, w.size) == -1 || ftruncate(fd, w.size) == -1)
			die(path, strerror(errno));
		close(fd);
	} else {
		write_file(new, text, w.size);
		/* Nowhere to put it, while the directory is away. */
		if (rename(new, path) == -1)
			unlink(new);
	}
	tell("%s %s", what, name);
}

static void
change_directory(void)
{
	switch (below(4)) {
	case 0:
		rename(at("d"), at("d.away"));
		break;
	case 1:
		rename(at("d.away"), at("d"));
		break;
	case 2:
		rename(at("d/e"), at("d/e.away"));
		break;
	default:
		mkdir(at("d"), 0755);
		mkdir(at("d/e"), 0755);
		break;
	}
	tell("directories");
}

static void
point_link(void)
{
	unlink(at("new.l"));
	if (below(6) == 0) {
		unlink(at("l"));
	} else {
		if (symlink(below(2) == 0 ? "t0" : "t1", at("new.l")) == -1 ||
		    rename(at("new.l"), at("l")) == -1)
			die("link", strerror(errno));
	}
	tell("link");
}

static void
change(void)
{
	unsigned what = below(12);

	w.tick++;
	if (what == 0)
		change_directory();
	else if (what == 1)
		point_link();
	else
		change_file(files[below(sizeof(files) / sizeof(files[0]))]);
	observe();
}

static void
change_rules(void)
{
	struct model *m = &models[below(MODELS)];

	switch (below(6)) {
	case 0:
		m->absent = !m->absent;
		break;
	case 1:
		m->disabled = !m->disabled;
		break;
	case 2:
		m->moved = !m->moved;
		break;
	case 3:
		m->changed = !m->changed;
		break;
	case 4:
		m->refused = !m->refused;
		break;
	default:
		m->extra = m->extras && !m->extra;
		break;
	}
	tell("%s: absent %d, disabled %d, moved %d, changed %d, refused %d, extra %d",
	    m->name, m->absent, m->disabled, m->moved, m->changed, m->refused, m->extra);
}

/* One step of a schedule. */
static void
step(void)
{
	struct model *m = &models[below(MODELS)];
	unsigned what = below(100);

	if (what < 55) {
		change();
	} else if (what < 80) {
		drive(below(12) * MONO_MS);
	} else if (what < 86) {
		set_action(m, below(2) == 0, below(4));
	} else if (what < 92) {
		change_rules();
		if (below(3) > 0)
			load();
	} else if (what < 94) {
		rename(at("act"), at("act.away"));
		drive(below(10) * MONO_MS);
		rename(at("act.away"), at("act"));
	} else if (what < 96) {
		watch_recheck(w.world.watch);
	} else {
		crash();
		while (below(3) > 0)
			change();
		if (below(4) == 0)
			change_rules();
		start();
	}
}

/* A crash while actions run that are not going to do well: nobody will know. */
static void
crash_in_runs(void)
{
	struct model *m;
	unsigned n;

	for (m = models; m < models + MODELS; m++)
		set_action(m, true, 3);
	for (n = below(4); n > 0; n--)
		change();
	drive((5 + below(10)) * MONO_MS);
	crash();
	start();
}

/* All rules are there in the end, and most actions do well then. */
static void
mend(void)
{
	struct model *m;

	for (m = models; m < models + MODELS; m++) {
		m->absent = m->disabled = m->refused = false;
		set_action(m, m->spends && below(8) == 0, 0);
	}
	load();
}

static void
schedule(void)
{
	struct model *m;
	unsigned n = 4 + below(16);
	size_t i;

	w.story.len = 0;
	while (n-- > 0)
		step();
	if (below(6) == 0)
		crash_in_runs();
	mend();
	settle();
	read_record();
	for (m = models; m < models + MODELS; m++)
		for (i = 0; i < PLACES && m->paths[i] != NULL; i++) {
			if (!is_watched(m, i))
				continue;
			if (is_owed(m, &m->places[i])) {
				check_place(m, &m->places[i]);
				w.checked++;
			}
			begin_place(m, &m->places[i]);
		}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void
copy_self(void)
{
	char self[PATH_MAX], chunk[65536];
	int in = -1, out;
	ssize_t n;

	if (!platform_self_path(self, sizeof(self)) ||
	    (in = open(self, O_RDONLY | O_CLOEXEC)) == -1)
		die("self", strerror(errno));
	out = open(at("act"), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	while ((n = read(in, chunk, sizeof(chunk))) > 0)
		if (write(out, chunk, (size_t)n) != n)
			die("copy", strerror(errno));
	close(in);
	close(out);
}

static int
work(const char *top, int nr, unsigned long seed, int schedules, mono_t end)
{
	struct model *m;
	size_t i;

	snprintf(w.box, sizeof(w.box), "%s/%d", top, nr);
	snprintf(w.state, sizeof(w.state), "%s/state", w.box);
	w.seed = seed;
	w.random = seed * 2 + 1;
	w.faults = "";
	if (mkdir(w.box, 0755) == -1 || mkdir(at("g"), 0755) == -1)
		die("mkdir", strerror(errno));
	copy_self();
	log_set_level(LOG_LEVEL_ERROR);
	for (m = models; m < models + MODELS; m++)
		for (i = 0; i < PLACES && m->paths[i] != NULL; i++) {
			m->places[i].path = m->paths[i];
			begin_place(m, &m->places[i]);
		}
	start();
	for (; w.schedule < schedules && mono_before(mono_now(), end); w.schedule++)
		schedule();
	crash();
	printf("# worker %d: %d schedules, %d changes, %zu runs, %d lives, "
	       "%zu claims checked\n",
	    nr, w.schedule, w.tick, w.nruns, w.lives, w.checked);
	fflush(stdout);
	return 0;
}

TEST(after_the_last_change_a_run_starts_and_one_succeeds)
{
	const char *n = getenv("WATCHPATHD_SCHEDULES"), *s = getenv("WATCHPATHD_SEED");
	int schedules = n != NULL ? atoi(n) : SCHEDULES;
	int workers = s != NULL ? 1 : WORKERS, i, status, failed = 0;
	unsigned long seed = s != NULL ? strtoul(s, NULL, 10)
				       : (unsigned long)realtime_ns() / 1000 % 10000000;
	mono_t end = n != NULL ? MONO_NEVER : mono_add(mono_now(), SECONDS * MONO_SEC);
	char top[] = "/tmp/promise.XXXXXX";
	pid_t pids[WORKERS];

	assert_non_null(mkdtemp(top));
	chmod(top, 0755);
	for (i = 0; i < workers; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(work(top, i, seed + (unsigned long)i,
			    (schedules + workers - 1) / workers, end));
		assert_true(pids[i] > 0);
	}
	for (i = 0; i < workers; i++)
		if (waitpid(pids[i], &status, 0) != pids[i] || status != 0)
			failed++;
	remove_tree(top);
	assert_int_equal(failed, 0);
}

BEFORE_TESTS(argc, argv)
{
	(void)argc;
	(void)argv;
	if (getenv("WATCHPATHD_RUN") != NULL)
		return act();
	signal(SIGPIPE, SIG_IGN);
	fdlimit_init();
	json_init();
	return RUN_TESTS;
}
