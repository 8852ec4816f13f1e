/* SPDX-License-Identifier: MIT */
/*
 * Changes to the files of several rules, at random moments, and a record of what
 * the rules' actions did about them. A rule is changed a few times and then left
 * alone until a run that started after the last change has succeeded, so a
 * change that is lost is never made up for by the next one: its rule is still
 * waiting at the end. The daemon is killed meanwhile (`kill`, `locks`), or its
 * rule files are changed by somebody else (`write`). TAP on stdout.
 *
 *	crash kill|locks WATCHPATHD DIR ROUNDS SEED
 *	crash write DIR SEED	from when DIR/go is there until DIR/stop is
 *	crash act [MIN MAX [FAIL]]	an action: milliseconds, failures in percent
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/paths.h"

#define MS INT64_C(1000000)
#define LINE 256
#define TARGETS 3
#define RULES_MAX 20
#define PATIENCE (60000 * MS) /* before giving up */

/* What is watched, and so what can happen to it. */
enum kind { PLAIN, DEEP, GLOB, LINK };

struct rule {
	char name[16];
	enum kind kind;
	int lock;          /* rules with the same one never run at once; 0: none */
	const char *lines; /* of its rule file */
	unsigned gen;      /* also the size of its file, so no two are alike */
	unsigned target, oldest;
	bool exists;
	int to_do;    /* changes until it is left alone */
	bool alone;   /* there is only one */
	bool waiting; /* for a run after changed */
	unsigned bursts;
	int64_t rest; /* until then, lest it seems to trigger itself */
	int64_t changed;
	int64_t *changes;
	size_t nchanges;
};

struct run {
	char id[64];
	struct rule *rule;
	long pid;
	int64_t start, end;
	int status;
	bool unrecorded; /* the daemon was killed before it could save this one */
};

static struct {
	char dir[PATH_MAX], daemon[PATH_MAX];
	struct rule rules[RULES_MAX];
	size_t nrules;
	struct run *runs;
	size_t nruns, ncampaigns;
	size_t unsaved; /* lives in which no start was saved while its action ran */
	long record_at, log_at;
	int64_t rest, killed_at;
	char *killed_state; /* what the last one that was killed had saved */
	uint64_t random;
	unsigned long seed;
	pid_t pid;
	int failed;
} w;

static int64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 * MS + ts.tv_nsec;
}

static void
pause_ns(int64_t ns)
{
	struct timespec ts = { ns / (1000 * MS), ns % (1000 * MS) };

	nanosleep(&ts, NULL);
}

static void
die(const char *what)
{
	printf("not ok - %s: %s\n# seed %lu\n", what, strerror(errno), w.seed);
	fflush(stdout);
	if (w.pid > 0)
		kill(w.pid, SIGKILL);
	_exit(1);
}

/* xorshift64* */
static uint32_t
below(uint32_t n)
{
	w.random ^= w.random >> 12;
	w.random ^= w.random << 25;
	w.random ^= w.random >> 27;
	return (uint32_t)((w.random * UINT64_C(2685821657736338717)) >> 33) % n;
}

static void
ok(bool good, const char *what)
{
	printf("%sok - %s\n", good ? "" : "not ", what);
	if (!good)
		printf("# seed %lu\n", w.seed);
	w.failed |= !good;
}

/* A path in the sandbox; the last ones are good. */
__attribute__((format(printf, 1, 2))) static const char *
in_box(const char *format, ...)
{
	static char paths[16][PATH_MAX];
	static unsigned next;
	char *p = paths[next++ % 16];
	va_list ap;
	int n = snprintf(p, PATH_MAX, "%s/root/", w.dir);

	va_start(ap, format);
	vsnprintf(p + n, (size_t)(PATH_MAX - n), format, ap);
	va_end(ap);
	return p;
}

/* The action. */

static void
record(const char *format, ...)
{
	const char *dir = getenv("DIR");
	char line[LINE], path[PATH_MAX];
	va_list ap;
	int fd, n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "%s/record", dir != NULL ? dir : "");
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1 || write(fd, line, (size_t)n) != n)
		_exit(99);
	close(fd);
}

static int
act(int argc, char **argv)
{
	const char *rule = getenv("WATCHPATHD_RULE"), *run = getenv("WATCHPATHD_RUN");
	int min = argc > 0 ? atoi(argv[0]) : 0, max = argc > 1 ? atoi(argv[1]) : min;
	int status, percent = argc > 2 ? atoi(argv[2]) : 0;

	if (rule == NULL || run == NULL)
		return 98;
	record("S %s %s %ld %" PRId64 "\n", rule, run, (long)getpid(), now());
	w.random = (uint64_t)now() ^ ((uint64_t)getpid() << 20);
	below(2);
	status = below(100) < (unsigned)percent ? 1 : 0;
	pause_ns((min + below((unsigned)(max - min + 1))) * MS);
	record("E %s %s %d %" PRId64 "\n", rule, run, status, now());
	return status;
}

/* Changes. Each is one step, and its time is the one before it. */

static void
put(const char *path, unsigned size)
{
	static char bytes[1 << 16];
	const char *new = in_box(".new");
	int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd == -1 || write(fd, bytes, size % sizeof(bytes)) == -1)
		die("write");
	close(fd);
	if (rename(new, path) == -1)
		die(path);
}

static void
append(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd == -1 || write(fd, "x", 1) == -1)
		die(path);
	close(fd);
}

static void
point_link(const struct rule *r)
{
	char text[32];
	const char *new = in_box(".link");

	snprintf(text, sizeof(text), "%s.t%u", r->name, r->target);
	unlink(new);
	if (symlink(text, new) == -1 || rename(new, in_box("%s", r->name)) == -1)
		die("symlink");
}

static const char *
file_of(const struct rule *r)
{
	switch (r->kind) {
	case PLAIN:
		return in_box("%s", r->name);
	case DEEP:
		return in_box("%s/e/f", r->name);
	case LINK:
		return in_box("%s.t%u", r->name, r->target);
	case GLOB:
		break;
	}
	return in_box("%s/%u.x", r->name, r->gen);
}

static void
change_glob(struct rule *r, bool last)
{
	if (!last && below(3) == 0 && r->oldest < r->gen) {
		r->oldest++;
		unlink(in_box("%s/%u.x", r->name, r->oldest));
		return;
	}
	if (r->oldest < r->gen && below(2) == 0) {
		append(in_box("%s/%u.x", r->name, r->gen));
		return;
	}
	if (r->oldest + 3 < r->gen) {
		r->oldest++;
		unlink(in_box("%s/%u.x", r->name, r->oldest));
		r->changed = now();
	}
	r->gen++;
	put(file_of(r), 1);
}

static void
change_deep(struct rule *r)
{
	const char *dir = in_box("%s", r->name), *away = in_box("%s.away", r->name);

	r->gen++;
	if (below(2) == 0) {
		put(file_of(r), r->gen);
		return;
	}
	/* Another directory in place of it, in one step where there is none. */
	unlink(in_box("%s.away/e/f", r->name));
	rmdir(in_box("%s.away/e", r->name));
	rmdir(away);
	if (rename(dir, away) == -1 || mkdir(in_box("%s.n", r->name), 0755) == -1 ||
	    mkdir(in_box("%s.n/e", r->name), 0755) == -1)
		die("mkdir");
	put(in_box("%s.n/e/f", r->name), r->gen);
	r->changed = now();
	if (rename(in_box("%s.n", r->name), dir) == -1)
		die("rename");
}

static void
change_link(struct rule *r)
{
	r->gen++;
	if (below(2) == 0) {
		put(file_of(r), r->gen);
		return;
	}
	r->target = (r->target + 1) % TARGETS;
	put(file_of(r), r->gen);
	r->changed = now();
	point_link(r);
}

/* A last change that only undoes an earlier one cannot be seen after a start. */
static void
change_plain(struct rule *r, bool last)
{
	if (r->exists && below(4) == 0 && (!last || r->alone)) {
		unlink(file_of(r));
		r->exists = false;
		return;
	}
	r->gen++;
	if (r->exists && below(2) == 0)
		append(file_of(r));
	else
		put(file_of(r), r->gen);
	r->exists = true;
}

static void
change(struct rule *r)
{
	bool last;

	if (r->to_do == 0) {
		r->to_do = 1 + (int)below(4);
		r->alone = r->to_do == 1;
	}
	last = --r->to_do == 0;
	r->changed = now();
	switch (r->kind) {
	case PLAIN:
		change_plain(r, last);
		break;
	case DEEP:
		change_deep(r);
		break;
	case GLOB:
		change_glob(r, last);
		break;
	case LINK:
		change_link(r);
		break;
	}
	if ((r->nchanges & (r->nchanges - 1)) == 0)
		r->changes =
		    realloc(r->changes, (2 * r->nchanges + 1) * sizeof(r->changes[0]));
	r->changes[r->nchanges++] = r->changed;
	r->waiting = last;
}

/* A change of some rule that waits for nothing. False: all of them wait. */
static bool
change_one(void)
{
	size_t i, first = below((uint32_t)w.nrules);
	struct rule *r;

	for (i = 0; i < w.nrules; i++) {
		r = &w.rules[(first + i) % w.nrules];
		if (r->waiting || r->rest > now())
			continue;
		change(r);
		return true;
	}
	return false;
}

/* What the actions recorded. */

static struct rule *
rule_named(const char *name)
{
	size_t i;

	for (i = 0; i < w.nrules; i++)
		if (strcmp(w.rules[i].name, name) == 0)
			return &w.rules[i];
	return NULL;
}

static struct run *
run_of(const char *id)
{
	size_t i;

	for (i = w.nruns; i > 0; i--)
		if (strcmp(w.runs[i - 1].id, id) == 0)
			return &w.runs[i - 1];
	return NULL;
}

static void
run_ended(struct run *r, int status, int64_t at)
{
	r->end = at;
	r->status = status;
	if (status != 0 || !r->rule->waiting || r->start < r->rule->changed)
		return;
	r->rule->waiting = false;
	w.ncampaigns++;
	if (++r->rule->bursts % 2 == 0)
		r->rule->rest = now() + w.rest;
}

static bool
has_run(const char *state, const struct run *r)
{
	char text[96];

	snprintf(text, sizeof(text), "\"run\":\"%s\"", r->id);
	return strstr(state, text) != NULL;
}

static void
take_line(const char *line)
{
	char what, name[32], id[64];
	struct rule *rule;
	struct run *r;
	long n;
	int64_t at;

	if (sscanf(line, "%c %31s %63s %ld %" SCNd64, &what, name, id, &n, &at) != 5 ||
	    (rule = rule_named(name)) == NULL)
		return;
	if (what == 'E') {
		if ((r = run_of(id)) != NULL)
			run_ended(r, (int)n, at);
		return;
	}
	if ((w.nruns & (w.nruns - 1)) == 0)
		w.runs = realloc(w.runs, (2 * w.nruns + 1) * sizeof(w.runs[0]));
	r = &w.runs[w.nruns++];
	*r = (struct run){ .rule = rule, .pid = n, .start = at };
	snprintf(r->id, sizeof(r->id), "%s", id);
	/* It may be read when its daemon, whose start is in the id, is dead. */
	if ((int64_t)strtoull(id, NULL, 16) * MS < w.killed_at)
		r->unrecorded = !has_run(w.killed_state, r);
}

static void
read_record(void)
{
	char path[PATH_MAX + 16], line[LINE];
	FILE *f;

	snprintf(path, sizeof(path), "%s/record", w.dir);
	if ((f = fopen(path, "re")) == NULL)
		return;
	fseek(f, w.record_at, SEEK_SET);
	while (fgets(line, sizeof(line), f) != NULL && strchr(line, '\n') != NULL) {
		take_line(line);
		w.record_at += (long)strlen(line);
	}
	fclose(f);
}

static size_t
waiting(void)
{
	size_t i, n = 0;

	read_record();
	for (i = 0; i < w.nrules; i++)
		n += w.rules[i].waiting;
	return n;
}

/* The whole state file, or "". */
static char *
read_state(void)
{
	const char *path = in_box(PATH_STATE "/state.jsonl");
	struct stat st;
	char *text;
	ssize_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1 || fstat(fd, &st) == -1)
		return strdup("");
	text = malloc((size_t)st.st_size + 1);
	n = read(fd, text, (size_t)st.st_size);
	text[n > 0 ? n : 0] = '\0';
	close(fd);
	return text;
}

/* Runs that go on: how many, and how many the state does not know of. */
static size_t
running(size_t *unknown, bool mark)
{
	char *state = read_state();
	size_t i, n = 0;

	*unknown = 0;
	read_record();
	for (i = 0; i < w.nruns; i++) {
		if (w.runs[i].end != 0)
			continue;
		n++;
		if (has_run(state, &w.runs[i]))
			continue;
		++*unknown;
		w.runs[i].unrecorded |= mark;
	}
	free(state);
	return n;
}

/* The daemon. */

static void
start_daemon(void)
{
	char log[PATH_MAX + 16];
	int fd;

	snprintf(log, sizeof(log), "%s/log", w.dir);
	w.pid = fork();
	if (w.pid == -1)
		die("fork");
	if (w.pid != 0)
		return;
	fd = open(log, O_WRONLY | O_APPEND | O_CREAT, 0600);
	dup2(fd, 1);
	dup2(fd, 2);
	execl(w.daemon, "watchpathd", "run", "--root", in_box("."), (char *)NULL);
	_exit(127);
}

static void
kill_daemon(void)
{
	size_t unknown;

	kill(w.pid, SIGKILL);
	waitpid(w.pid, NULL, 0);
	w.pid = 0;
	running(&unknown, true);
	w.killed_at = now();
	free(w.killed_state);
	w.killed_state = read_state();
}

/* Does the log say it is ready, since the last one did? */
static bool
is_ready(void)
{
	char path[PATH_MAX + 16], line[1024];
	bool ready = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/log", w.dir);
	if ((f = fopen(path, "re")) == NULL)
		return false;
	fseek(f, w.log_at, SEEK_SET);
	while (!ready && fgets(line, sizeof(line), f) != NULL) {
		ready = strstr(line, "info: ready: ") != NULL;
		w.log_at = ftell(f);
	}
	fclose(f);
	return ready;
}

static void
wait_ready(void)
{
	int64_t end = now() + PATIENCE;

	while (!is_ready()) {
		if (now() > end || waitpid(w.pid, NULL, WNOHANG) != 0) {
			w.pid = 0;
			die("the daemon gets ready");
		}
		pause_ns(2 * MS);
	}
}

static void
make_rule(const char *name, enum kind kind, int lock, const char *lines)
{
	struct rule *r = &w.rules[w.nrules++];

	*r = (struct rule){ .kind = kind, .lock = lock, .lines = lines, .exists = true };
	snprintf(r->name, sizeof(r->name), "%s", name);
	r->gen = 1;
	if (kind == GLOB || kind == DEEP)
		mkdir(in_box("%s", name), 0755);
	if (kind == DEEP)
		mkdir(in_box("%s/e", name), 0755);
	put(file_of(r), 1);
	if (kind == LINK)
		point_link(r);
}

static void
write_rule(const struct rule *r)
{
	static const char *const what[] = { "", "/e/f", "/*.x", "" };
	FILE *f = fopen(in_box(PATH_CONFIG "/%s.ini", r->name), "we");

	if (f == NULL)
		die("rule file");
	fprintf(f,
	    "[%s]\nwatch = /%s%s\nenvironment = DIR=%s\nretry = forever\n"
	    "retry-delay = 20ms\n%s\n",
	    r->name, r->name, what[r->kind], w.dir, r->lines);
	if (r->lock != 0)
		fprintf(f, "lock = l%d\n", r->lock);
	fclose(f);
}

#define QUICK "action = /act act\ncooldown = 0\nsettle = 10ms"
#define FAILS "action = /act act 0 5 40\ncooldown = 0\nsettle = 10ms"
#define SLOW "action = /act act 100 300\ncooldown = 0\nsettle = 10ms"

static void
make_rules(bool locks)
{
	char name[16];
	size_t i;

	for (i = 0; locks && i < 12; i++) {
		snprintf(name, sizeof(name), "lock%zu", i);
		make_rule(name, PLAIN, 1 + (int)i / 2, SLOW);
	}
	if (!locks) {
		make_rule("plain", PLAIN, 0, QUICK);
		make_rule("cool", PLAIN, 0,
		    "action = /act act\ncooldown = 50ms\nsettle = 20ms");
		make_rule("deep", DEEP, 0, QUICK);
		make_rule("glob", GLOB, 0, QUICK);
		make_rule("link", LINK, 0, QUICK);
		make_rule("fails", PLAIN, 0, FAILS);
		make_rule("lock1", PLAIN, 1,
		    "action = /act act 0 30\ncooldown = 0\n"
		    "settle = 10ms");
		make_rule("lock2", GLOB, 1, FAILS);
		make_rule("slow", LINK, 0,
		    "action = /act act 20 80 20\ncooldown = 0\n"
		    "settle = 0");
	}
	for (i = 0; i < w.nrules; i++)
		write_rule(&w.rules[i]);
}

static void
change_some(int64_t ns)
{
	int64_t end = now() + ns;

	do {
		change_one();
		read_record();
		pause_ns(below(8) * MS);
	} while (now() < end);
}

/* A life of the daemon that ends at any moment, also before it is ready. */
static void
live(void)
{
	start_daemon();
	if (below(4) == 0) {
		change_some(below(20) * MS);
	} else {
		wait_ready();
		change_some(below(120) * MS);
	}
	kill_daemon();
	while (below(2) == 0)
		change_one();
}

/* Do actions run, all of which have been saved as running? */
static bool
running_saved(void)
{
	size_t unknown;

	return running(&unknown, false) > 0 && unknown == 0;
}

/*
 * One that ends while actions run that it had the time to save. That they are
 * short says that a start is saved at once, however slow the machine is.
 */
static void
live_with_locks(void)
{
	int64_t end = now() + PATIENCE;

	start_daemon();
	wait_ready();
	for (; !running_saved() && now() < end; pause_ns(3 * MS))
		while (change_one())
			;
	w.unsaved += now() >= end;
	pause_ns(below(100) * MS);
	for (end = now() + 200 * MS; !running_saved() && now() < end;)
		pause_ns(3 * MS);
	kill_daemon();
}

/* Did a success before this run answer all that there was to answer? */
static bool
is_needless(const struct run *r)
{
	int64_t last = 0;
	size_t i;

	for (i = 0; i < w.nruns; i++)
		if (w.runs[i].rule == r->rule && w.runs[i].status == 0 &&
		    w.runs[i].start < r->start && w.runs[i].start > last)
			last = w.runs[i].start;
	for (i = 0; i < r->rule->nchanges; i++)
		if (r->rule->changes[i] > last && r->rule->changes[i] <= r->start)
			return false;
	return true;
}

/* May not run at the same time, and did. */
static bool
overlap(const struct run *a, const struct run *b)
{
	if (a->rule != b->rule && (a->rule->lock == 0 || a->rule->lock != b->rule->lock))
		return false;
	return a->start < b->end && b->start < a->end;
}

static void
count_overlaps(size_t *bad, size_t *excused)
{
	size_t i, k;

	*bad = *excused = 0;
	for (i = 0; i < w.nruns; i++)
		for (k = i + 1; k < w.nruns; k++) {
			if (!overlap(&w.runs[i], &w.runs[k]))
				continue;
			if (w.runs[i].unrecorded || w.runs[k].unrecorded) {
				++*excused;
				continue;
			}
			++*bad;
			printf("# %s %s and %s %s overlap\n", w.runs[i].rule->name,
			    w.runs[i].id, w.runs[k].rule->name, w.runs[k].id);
		}
}

/* Waits for all that is owed, and tells what is still missing then. */
static size_t
wait_all(void)
{
	int64_t end = now() + PATIENCE;
	size_t i, lost, unknown;

	for (i = 0; i < w.nrules; i++)
		while (!w.rules[i].waiting && w.rules[i].to_do > 0)
			change(&w.rules[i]);
	while ((waiting() > 0 || running(&unknown, false) > 0) && now() < end)
		pause_ns(20 * MS);
	lost = waiting();
	for (i = 0; i < w.nrules; i++)
		if (w.rules[i].waiting)
			printf("# lost: %s, %s at %" PRId64 "\n", w.rules[i].name,
			    w.rules[i].exists ? "changed" : "deleted",
			    w.rules[i].changed);
	return lost;
}

static size_t
count_unrecorded(void)
{
	size_t i, n = 0;

	for (i = 0; i < w.nruns; i++)
		n += w.runs[i].unrecorded;
	return n;
}

static void
tell_figures(int rounds, int64_t began)
{
	size_t i, needless = 0, changes = 0;

	for (i = 0; i < w.nrules; i++)
		changes += w.rules[i].nchanges;
	for (i = 0; i < w.nruns; i++)
		needless += is_needless(&w.runs[i]);
	printf("# %d rounds in %.1f s, %zu changes in %zu bursts, %zu runs, "
	       "%zu more than needed, %zu killed before their start was saved\n",
	    rounds, (double)(now() - began) / 1e9, changes, w.ncampaigns, w.nruns,
	    needless, count_unrecorded());
}

static int
crash(bool locks, int rounds)
{
	int64_t began = now();
	size_t bad, excused;
	int i, status;

	make_rules(locks);
	start_daemon();
	wait_ready();
	kill_daemon();
	for (i = 0; i < rounds; i++)
		if (locks)
			live_with_locks();
		else
			live();
	start_daemon();
	wait_ready();
	ok(wait_all() == 0, "no change is lost when the daemon is killed");
	kill(w.pid, SIGTERM);
	waitpid(w.pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the last daemon ends well");
	count_overlaps(&bad, &excused);
	ok(bad == 0, "no action starts while one goes on that excludes it");
	if (locks)
		ok(w.unsaved == 0, "a start is saved while its action runs");
	printf("# overlaps with runs whose start was not saved: %zu\n", excused);
	tell_figures(rounds, began);
	return w.failed;
}

/* Changes until there is a file `stop`. The rules are somebody else's. */
static int
change_on(void)
{
	static const enum kind kinds[] = { PLAIN, GLOB, LINK, DEEP };
	char stop[PATH_MAX + 16], go[PATH_MAX + 16], name[16];
	const char *pace = getenv("PACE");
	unsigned rest = pace != NULL && strcmp(pace, "slow") == 0 ? 160 : 20;
	int64_t began = now();
	size_t lost;
	int i;

	/* What changes within 2 s of a run may be its own doing. */
	w.rest = 3000 * MS;
	snprintf(stop, sizeof(stop), "%s/stop", w.dir);
	for (i = 0; i < RULES_MAX; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		make_rule(name, kinds[i % 4], 0, "");
	}
	printf("# files are there\n");
	fflush(stdout);
	snprintf(go, sizeof(go), "%s/go", w.dir);
	while (access(go, F_OK) == -1 && access(stop, F_OK) == -1)
		pause_ns(20 * MS);
	while (access(stop, F_OK) == -1) {
		change_one();
		read_record();
		pause_ns(below(rest) * MS);
	}
	lost = wait_all();
	ok(lost == 0, "no change is lost while the rules change");
	tell_figures(0, began);
	return w.failed;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "act") == 0)
		return act(argc - 2, argv + 2);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 4 && strcmp(what, "write") == 0) {
		snprintf(w.dir, sizeof(w.dir), "%s", argv[2]);
		w.seed = strtoul(argv[3], NULL, 10);
		w.random = w.seed * 2 + 1;
		return change_on();
	}
	if (argc != 6)
		return 64;
	snprintf(w.daemon, sizeof(w.daemon), "%s", argv[2]);
	snprintf(w.dir, sizeof(w.dir), "%s", argv[3]);
	w.seed = strtoul(argv[5], NULL, 10);
	w.random = w.seed * 2 + 1;
	return crash(strcmp(what, "locks") == 0, atoi(argv[4]));
}
