/* SPDX-License-Identifier: MIT */
/*
 * `selftest`: runs the table of probes and prints what they found, as TAP for
 * people and prove(1), or as JSON, which is what tests/evidence holds.
 */
#include <cJSON.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json.h"
#include "base/machine.h"
#include "base/options.h"
#include "base/util.h"
#include "base/visible.h"
#include "cmd/command.h"
#include "cmd/selftest.h"
#include "cmd/selftest_kept.h"
#include "cmd/selftest_probes.h"

static const struct probe *const table[] = { selftest_files, selftest_directories,
	selftest_kqueue, selftest_looks, selftest_processes, selftest_clock,
	selftest_volumes, selftest_system };

static const char *const levels[] = {
	[REQUIRED] = "required",
	[EXPECTED] = "expected",
	[RECORD] = "record",
};
static const char *const outcomes[] = {
	[OUTCOME_OK] = "ok",
	[OUTCOME_SKIPPED] = "skipped",
	[OUTCOME_ODD] = "odd",
	[OUTCOME_FAILED] = "failed",
};

struct session {
	struct selftest *place;
	bool json;
	size_t n, held, skipped, odd, failed; /* failed: what is required */
	struct buf lines;                     /* of JSON, one a probe */
	struct buf root;                      /* what only root would learn */
};

static size_t
count_probes(void)
{
	const struct probe *p;
	size_t i, n = 0;

	for (i = 0; i < NELEM(table); i++)
		for (p = table[i]; p->id != NULL; p++)
			n++;
	return n;
}

/* One line, with the one that says where it differs. */
static void
print_tap(const struct session *s, const struct probe *p, const struct selftest_result *r)
{
	bool bad = r->outcome == OUTCOME_FAILED && p->level == REQUIRED;

	printf("%sok %zu - %s: %s (fact %s)", bad ? "not " : "", s->n, p->id, p->what,
	    p->fact);
	if (r->outcome == OUTCOME_SKIPPED)
		printf(" # skip %s", r->note);
	else if (r->note[0] != '\0')
		printf("\n# %s%s", r->outcome != OUTCOME_OK && !bad ? "differs: " : "",
		    r->note);
	printf("\n");
	fflush(stdout);
}

/* Takes the events over. */
static void
add_json(struct session *s, const struct probe *p, struct selftest_result *r)
{
	cJSON *o = cJSON_CreateObject();
	char *line;

	json_add_text(o, "id", p->id);
	json_add_text(o, "fact", p->fact);
	json_add_text(o, "level", levels[p->level]);
	json_add_text(o, "what", p->what);
	json_add_text(o, "result", outcomes[r->outcome]);
	json_add_text(o, "note", r->note);
	if (r->events != NULL)
		cJSON_AddItemToObject(o, "events", r->events);
	r->events = NULL;
	line = json_line(o);
	line[strlen(line) - 1] = '\0';
	buf_addf(&s->lines, "%s%s", s->lines.len > 0 ? ",\n" : "", line);
	free(line);
	cJSON_Delete(o);
}

static void
take_result(struct session *s, const struct probe *p, struct selftest_result *r)
{
	s->n++;
	if (r->outcome == OUTCOME_SKIPPED)
		s->skipped++;
	else if (r->outcome == OUTCOME_FAILED && p->level == REQUIRED)
		s->failed++;
	else if (r->outcome != OUTCOME_OK && p->level != RECORD)
		s->odd++;
	else
		s->held++;
	if (p->root != NULL && geteuid() != 0)
		buf_addf(&s->root, "%s%s", s->root.len > 0 ? "; " : "", p->root);
	if (!s->json)
		print_tap(s, p, r);
	add_json(s, p, r);
}

static void
run_table(struct session *s)
{
	struct selftest_result r;
	const struct probe *p;
	size_t i;

	for (i = 0; i < NELEM(table); i++)
		for (p = table[i]; p->id != NULL && !selftest_interrupted(); p++) {
			fflush(stdout);
			r = selftest_try(s->place, p);
			take_result(s, p, &r);
			selftest_result_clear(&r);
		}
}

/* The result as one object, a probe a line, so that two can be compared. */
static char *
result_text(const struct session *s)
{
	char system[MACHINE_TEXT_SIZE], arch[MACHINE_TEXT_SIZE],
	    volume[MACHINE_TEXT_SIZE];
	cJSON *o = cJSON_CreateObject();
	char *head;
	struct buf b = { NULL, 0, 0 };

	machine_system(system);
	machine_arch(arch);
	machine_volume(selftest_dir(s->place), volume);
	json_add_text(o, "version", VERSION);
	json_add_text(o, "system", system);
	json_add_text(o, "kqueue", machine_has_kqueue ? "native" : "shim");
	json_add_text(o, "arch", arch);
	json_add_text(o, "volume", volume);
	cJSON_AddBoolToObject(o, "root", geteuid() == 0);
	cJSON_AddNumberToObject(o, "held", (double)s->held);
	cJSON_AddNumberToObject(o, "skipped", (double)s->skipped);
	cJSON_AddNumberToObject(o, "odd", (double)s->odd);
	cJSON_AddNumberToObject(o, "failed", (double)s->failed);
	head = json_line(o);
	head[strlen(head) - 2] = '\0';
	buf_addf(&b, "%s,\"probes\":[\n%s\n]}\n", head, s->lines.p);
	free(head);
	cJSON_Delete(o);
	return b.p;
}

static void
print_summary(const struct session *s)
{
	char system[MACHINE_TEXT_SIZE], volume[MACHINE_TEXT_SIZE];

	machine_system(system);
	machine_volume(selftest_dir(s->place), volume);
	printf("# %s, %s: of %zu probes %zu held, %zu were skipped, %zu differ from what "
	       "is expected, %zu that rules rely on failed\n",
	    system, volume, s->n, s->held, s->skipped, s->odd, s->failed);
	if (s->root.len > 0)
		printf("# root would learn: %s\n", s->root.p);
}

static void
keep(const struct session *s, const struct options *o, const char *text)
{
	const struct trust trust = { .root = o->root, .owner = geteuid() };
	FILE *to = s->json ? stderr : stdout;
	char why[TRUST_WHY_SIZE], *visible;

	if (selftest_keep(&trust, o->state, text, why)) {
		fprintf(to, "# the result is kept in the state directory\n");
		return;
	}
	visible = safe_dup(why);
	fprintf(to, "# the result is not kept for doctor: %s\n", visible);
	free(visible);
}

static void
on_signal(int signo)
{
	(void)signo;
	selftest_interrupt();
}

/* Whoever ends it has what it made removed. */
static void
catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	int signals[] = { SIGHUP, SIGINT, SIGTERM };
	size_t i;

	sigemptyset(&sa.sa_mask);
	for (i = 0; i < NELEM(signals); i++)
		sigaction(signals[i], &sa, NULL);
}

/* Another volume's result says nothing of this system in general. */
static int
run_in(const char *dir, const struct options *opt)
{
	struct session s = { .json = options_has(opt, OPTION_JSON) };
	char *text;

	s.place = selftest_new(dir != NULL ? dir : "/tmp",
	    options_has(opt, OPTION_JSON) ? STDERR_FILENO : STDOUT_FILENO);
	if (s.place == NULL) {
		fprintf(stderr, "watchpathd: %s: %s\n", dir != NULL ? dir : "/tmp",
		    strerror(errno));
		return EXIT_FAILURE;
	}
	selftest_allow(
	    s.place, options_has(opt, OPTION_SLEEP), options_has(opt, OPTION_CLOCK));
	if (!options_has(opt, OPTION_JSON))
		printf("1..%zu\n", count_probes());
	run_table(&s);
	if (!selftest_interrupted()) {
		text = result_text(&s);
		if (options_has(opt, OPTION_JSON))
			fputs(text, stdout);
		else
			print_summary(&s);
		if (dir == NULL)
			keep(&s, opt, text);
		free(text);
	}
	selftest_free(s.place);
	buf_clear(&s.lines);
	buf_clear(&s.root);
	return s.failed > 0 || selftest_interrupted() ? EXIT_FAILURE : EX_OK;
}

int
selftest_main(struct options *o, char **operands)
{
	catch_signals();
	return run_in(operands[0], o);
}
