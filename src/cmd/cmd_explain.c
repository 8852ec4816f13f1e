/* SPDX-License-Identifier: MIT */
/*
 * `explain`: which rules watch a path, by which of their lines, and what would run,
 * or why nothing would. Rule files say it, and where the daemon answers what it has
 * in force. A watched file is looked at as the daemon looks, and never opened.
 */
#include <cJSON.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json.h"
#include "base/options.h"
#include "base/number.h"
#include "base/places.h"
#include "base/visible.h"
#include "cmd/columns.h"
#include "cmd/command.h"
#include "cmd/setup.h"
#include "rules/keys.h"
#include "rules/pattern.h"
#include "rules/rule.h"
#include "run/console.h"

#define INDENT 17

/* What a watch line has to do with the path. */
enum tie {
	TIE_NONE,
	TIE_ITSELF,
	TIE_LINK,  /* links lead from one to the other */
	TIE_ENTRY, /* it is a directory, the path an entry */
	/* These only seem to watch it. */
	TIE_DEEPER, /* it is a directory, the path somewhere below: not watched */
	TIE_DOT,    /* a pattern, but for a dot at a name's beginning: not watched */
	TIE_BELOW,  /* it is somewhere below the path: not watched */
};

struct question {
	struct setup setup;
	/* Absolute, as rules have it, so without the root. */
	char *path, *parent;
	char *real; /* where its links lead; NULL: that is not known, or nowhere */
	size_t rules, width;
	bool near; /* there are rules that only seem to watch it */
};

/* Paths. */

/* Without `.`, double slashes and one at the end; NULL if it has a `..`. */
static char *
tidy(const char *path)
{
	struct buf out = { NULL, 0, 0 };
	size_t n;

	buf_adds(&out, "");
	for (; *path != '\0'; path += n) {
		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 2 && memcmp(path, "..", 2) == 0) {
			buf_clear(&out);
			return NULL;
		}
		if (n == 0 || (n == 1 && path[0] == '.'))
			continue;
		buf_adds(&out, "/");
		buf_add(&out, path, n);
	}
	if (out.len == 0)
		buf_adds(&out, "/");
	return out.p;
}

/* The path without the root in front, if that is there. */
static char *
without_root(const struct question *q, const char *path)
{
	const char *root = q->setup.opt->root;
	size_t n = strlen(root);

	if (n == 0 || !path_is_below(path, root))
		return xstrdup(path);
	return xstrdup(path[n] != '\0' ? path + n : "/");
}

static bool
is_remote(const struct question *q, const char *path)
{
	char *whole = xasprintf("%s%s", q->setup.opt->root, path);
	bool remote = places_find_above(&q->setup.remote, whole) != NULL;

	free(whole);
	return remote;
}

/* Where its links lead; NULL: nowhere, or that must not be looked at. */
static char *
follow(const struct question *q, const char *path)
{
	char *whole, *real, *out = NULL;

	if (is_remote(q, path))
		return NULL;
	whole = xasprintf("%s%s", q->setup.opt->root, path);
	real = realpath(whole, NULL);
	if (real != NULL && path_is_below(real, q->setup.opt->root))
		out = without_root(q, real);
	free(real);
	free(whole);
	return out;
}

static bool
read_path(struct question *q, const char *operand)
{
	char cwd[PATH_MAX] = "", *whole, *path;

	if (operand[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL)
		cwd[0] = '\0';
	whole = xasprintf("%s/%s", cwd, operand);
	path = tidy(whole);
	free(whole);
	if (path == NULL)
		return false;
	q->path = without_root(q, path);
	free(path);
	q->real = follow(q, q->path);
	q->parent = path_parent(q->path);
	return true;
}

/* Ties. */

/* Does the text match the path if its names begin with no dots? */
static bool
matches_undotted(const char *watch, const char *path)
{
	char *copy = xstrdup(path), *s;
	bool found;

	for (s = copy; *s != '\0'; s++)
		if (s[0] == '/' && s[1] == '.')
			s[1] = 'x';
	found = strcmp(copy, path) != 0 && pattern_matches(watch, copy);
	free(copy);
	return found;
}

/* By the links on the way to either. */
static bool
is_linked(const struct question *q, const char *watch, const char *literal)
{
	char *real;
	bool same;

	if (q->real == NULL)
		return false;
	if (strcmp(q->real, q->path) != 0 && pattern_matches(watch, q->real))
		return true;
	real = literal != NULL ? follow(q, literal) : NULL;
	same = real != NULL && strcmp(real, q->real) == 0;
	free(real);
	return same;
}

/* Does the text match what is somewhere below the path? */
static bool
matches_below(const char *watch, const char *path)
{
	char *above = xstrdup(watch), *slash;
	bool found = false;

	while (!found && (slash = strrchr(above, '/')) != NULL && slash != above) {
		*slash = '\0';
		found = pattern_matches(above, path);
	}
	free(above);
	return found;
}

static enum tie
find_tie(const struct question *q, const char *watch)
{
	char *bare = xstrdup(watch), *literal;
	size_t n = strlen(bare);
	enum tie tie = TIE_NONE;

	/* A slash at the end asks for a directory, which the path may be. */
	if (n > 1 && bare[n - 1] == '/')
		bare[n - 1] = '\0';
	literal = pattern_path(bare);
	if (pattern_matches(bare, q->path))
		tie = TIE_ITSELF;
	else if (is_linked(q, bare, literal))
		tie = TIE_LINK;
	else if (pattern_matches(bare, q->parent))
		tie = TIE_ENTRY;
	else if (literal != NULL && path_is_below(q->path, literal))
		tie = TIE_DEEPER;
	else if (literal == NULL && matches_undotted(bare, q->path))
		tie = TIE_DOT;
	else if (matches_below(bare, q->path) ||
		 (q->real != NULL && matches_below(bare, q->real)))
		tie = TIE_BELOW;
	free(literal);
	free(bare);
	return tie;
}

/* What is printed. */

/* Paths in it are shown as rules have them. */
static void
field(const struct question *q, const char *name, const char *text)
{
	char *shown = diagnosis_shown(&q->setup.diagnosis, text);

	columns_fold(stdout, name, INDENT, shown, q->width);
	free(shown);
}

/* What of the path counts as a change, in words. */
static char *
what_counts(const struct question *q, const struct rule *r, enum tie tie)
{
	struct buf out = { NULL, 0, 0 };
	char *whole, size[32];
	struct stat st;
	unsigned change;

	if (tie == TIE_ENTRY)
		return xstrdup("that it comes, goes or is replaced, not what is written "
			       "to it: a pattern DIRECTORY/* counts that");
	for (change = CHANGE_CREATE; change <= CHANGE_ATTRIBUTES; change <<= 1)
		if ((r->policy.on & change) != 0)
			buf_addf(&out, "%s%s", out.len > 0 ? " " : "",
			    rule_change_name(change));
	whole = xasprintf("%s%s", q->setup.opt->root, q->path);
	if (r->policy.min_size > 0 && !is_remote(q, q->path) && stat(whole, &st) == 0 &&
	    S_ISREG(st.st_mode) && (uint64_t)st.st_size < r->policy.min_size) {
		format_size(size, sizeof(size), r->policy.min_size);
		buf_addf(&out,
		    ", but it is smaller than `min-size = %s`: it counts as absent",
		    size);
	}
	free(whole);
	return out.p;
}

static bool
is_own(const struct question *q)
{
	const struct options *o = q->setup.opt;
	char *whole = xasprintf("%s%s", o->root, q->path);
	bool own = path_is_below(whole, o->state) || strcmp(whole, o->socket) == 0;

	free(whole);
	return own;
}

static void
add_command(struct buf *out, const struct command *c)
{
	size_t i;

	for (i = 0; i < c->text.n; i++)
		buf_addf(out, "%s%s", i > 0 ? " " : "", c->text.v[i]);
}

/* What a change starts, or why nothing. */
static char *
what_runs(struct question *q, const struct rule *r, enum tie tie)
{
	struct buf out = { NULL, 0, 0 };
	const struct command *c = NULL, *refused;
	const char *why = NULL;

	if (!r->policy.enabled)
		why = "the rule is switched off, by `enabled = no`";
	else if (is_remote(q, q->path))
		why = "not watched: network volume";
	else if (is_own(q))
		why = "what watchpathd writes itself is never a change";
	else if (tie == TIE_ENTRY && (r->policy.on & CHANGE_MODIFY) == 0)
		why = "a change of its entries is a directory's `modify`, which `on` "
		      "does not have";
	else if ((c = setup_choose(&q->setup, r, &refused)) == NULL)
		why = findings_judge(&q->setup.check, r, refused)->why;
	if (c == NULL)
		return xasprintf("nothing: %s", why);
	add_command(&out, c);
	if (r->user != NULL)
		buf_addf(&out, ", as %s",
		    console_is_for(r) ? "whoever is logged in at the screen" : r->user);
	if (r->verify != NULL) {
		buf_adds(&out, ", then ");
		add_command(&out, r->verify);
	}
	return out.p;
}

/* What the daemon says of the rule, and of the path in it. */
static void
print_state(const struct question *q, const char *name)
{
	const cJSON *rule = map_get(&q->setup.states, name), *p;
	const char *waits = json_get_string(rule, "waits_for"), *problem, *error;
	char *whole, *path;
	struct buf out = { NULL, 0, 0 };

	if (q->setup.status == NULL)
		return;
	if (rule == NULL) {
		field(q, "    now:", "not in force: the daemon has not taken it");
		return;
	}
	problem = json_get_string(rule, "problem");
	buf_addf(&out, "%s%s%s%s%s", json_get_string(rule, "state"),
	    waits != NULL ? ", waits for " : "", waits != NULL ? waits : "",
	    problem != NULL ? ": " : "", problem != NULL ? problem : "");
	whole = xasprintf("%s%s", q->setup.opt->root, q->path);
	cJSON_ArrayForEach(p, json_get(rule, "paths")) {
		path = json_get_text(p, "path");
		error = json_get_string(p, "error");
		if (error != NULL && path != NULL && strcmp(path, whole) == 0 &&
		    (problem == NULL || strstr(problem, error) == NULL))
			buf_addf(&out, "; the path: %s", error);
		free(path);
	}
	field(q, "    now:", out.p);
	buf_clear(&out);
	free(whole);
}

static void
print_tie(struct question *q, const struct rule *r, size_t nth, enum tie tie)
{
	char *counts = what_counts(q, r, tie), *runs = what_runs(q, r, tie);
	char *place = setup_place(&q->setup, r->file, r->watch[nth].line);
	char *line = xasprintf("watch = %s%s", r->watch[nth].text,
	    tie == TIE_LINK    ? ", by a link"
	    : tie == TIE_ENTRY ? ", the directory that it is in"
			       : "");

	printf("%s%s, %s\n", q->rules++ > 0 ? "\n" : "", r->name, place);
	field(q, "    watched by:", line);
	field(q, "    counts:", counts);
	field(q, "    would run:", runs);
	print_state(q, r->name);
	free(counts);
	free(runs);
	free(place);
	free(line);
}

/* In lines that fit, below what is above. */
static void
paragraph(const struct question *q, const char *lead, char *text)
{
	columns_fold(stdout, lead, strlen(lead) > 0 ? 4 : 0, text, q->width);
	free(text);
}

/* Why a rule that seems to watch the path does not. */
static void
print_near(struct question *q, const struct rule *r, size_t nth, enum tie tie)
{
	static const char *const why[] = {
		[TIE_DEEPER] = "is a directory: what is deeper in it is not watched",
		[TIE_DOT] = "does not match names that begin with a dot",
		[TIE_BELOW] = "watches what is below it, and not the path itself",
	};
	char *place = setup_place(&q->setup, r->file, r->watch[nth].line);
	char *lead = xasprintf("%s, ", r->name);

	printf("%s", q->near ? "" : "\n");
	q->near = true;
	paragraph(q, lead,
	    xasprintf("%s: `watch = %s` %s", place, r->watch[nth].text, why[tie]));
	free(lead);
	free(place);
}

/* Those of its lines that watch the path, or those that only seem to. */
static void
explain_rule(struct question *q, const struct rule *r, bool seeming)
{
	enum tie tie;
	size_t i;

	for (i = 0; i < r->nwatch; i++) {
		tie = find_tie(q, r->watch[i].path);
		if (tie == TIE_NONE || seeming != (tie >= TIE_DEEPER))
			continue;
		if (seeming)
			print_near(q, r, i, tie);
		else
			print_tie(q, r, i, tie);
	}
}

static void
explain_rules(struct question *q, bool seeming)
{
	size_t i;

	for (i = 0; i < q->setup.conf.nrules; i++)
		explain_rule(q, q->setup.conf.rules[i], seeming);
}

/* A rule whose file is refused, in force as it was before. */
static void
explain_old(struct question *q, const cJSON *rule)
{
	const cJSON *e;
	char *entry, *name = json_get_text(rule, "name"),
		     *file = json_get_text(rule, "file");
	enum tie tie;

	cJSON_ArrayForEach(e, json_get(rule, "watch")) {
		entry = json_get_text(e, "entry");
		tie = entry != NULL ? find_tie(q, entry) : TIE_NONE;
		if (tie == TIE_ITSELF || tie == TIE_LINK || tie == TIE_ENTRY) {
			printf("%s%s, %s as it was before\n", q->rules++ > 0 ? "\n" : "",
			    name, file);
			field(q, "    watched by:", entry);
			print_state(q, name);
		}
		free(entry);
	}
	free(file);
	free(name);
}

/* A file that is refused, or the directory of rules that cannot be read. */
static void
print_error(const struct question *q, const struct diag *d)
{
	char *place =
	    d->file[0] == '/' ? xstrdup(d->file) : setup_place(&q->setup, d->file, 0);

	printf("\n");
	paragraph(q, "",
	    strcmp(d->file, q->setup.opt->config) == 0
		? xasprintf("No rule file is read: %s: %s", place, d->message)
		: xasprintf("%s is refused, and what it says does not count: "
			    "`watchpathd check` says why",
		      place));
	free(place);
}

/* What is not read may have rules for it. */
static void
print_errors(const struct question *q)
{
	const struct conf *c = &q->setup.conf;
	const char *last = NULL;
	size_t i;

	for (i = 0; i < c->ndiags; i++) {
		if (c->diags[i].severity != DIAG_ERROR ||
		    (last != NULL && strcmp(last, c->diags[i].file) == 0))
			continue;
		last = c->diags[i].file;
		print_error(q, &c->diags[i]);
	}
}

static void
explain(struct question *q)
{
	char *shown = vis_dup(q->path);
	const cJSON *rule;
	const char *name;

	explain_rules(q, false);
	cJSON_ArrayForEach(rule, json_get(q->setup.status, "rules")) {
		name = json_get_string(rule, "name");
		if (name != NULL && setup_rule(&q->setup, name) == NULL)
			explain_old(q, rule);
	}
	if (q->rules == 0)
		printf("no rule watches %s\n", shown);
	explain_rules(q, true);
	print_errors(q);
	if (q->setup.status == NULL) {
		printf("\n");
		paragraph(q, "",
		    xasprintf(
			"What the daemon does is not known: %s", q->setup.error.why));
	}
	free(shown);
}

int
explain_main(struct options *o, char **operands)
{
	struct question q = { .setup = { .opt = o }, .width = columns_of(stdout) };
	int status;

	columns_init();
	setup_read(&q.setup);
	if (!read_path(&q, operands[0])) {
		fputs("watchpathd: explain: write the path without `..`\n", stderr);
		setup_clear(&q.setup);
		return EX_USAGE;
	}
	explain(&q);
	status = q.rules > 0 ? EX_OK : EXIT_FAILURE;
	free(q.path);
	free(q.parent);
	free(q.real);
	setup_clear(&q.setup);
	return fflush(stdout) == 0 ? status : EXIT_FAILURE;
}
