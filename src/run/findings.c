/* SPDX-License-Identifier: MIT */
/*
 * Warnings that no rule file shows. Nothing here is remembered longer than the
 * caller's struct, so that a finding is never older than the question.
 */
#include "run/findings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/places.h"
#include "rules/pattern.h"
#include "run/programs.h"
#include "rules/rule.h"
#include "trust/cmdline.h"
#include "base/util.h"

/* One question: about which rule, and who is to know. */
struct inquiry {
	struct findings *f;
	const struct rule *rule;
	findings_fn *fn;
	void *arg;
	size_t n;
};

static void
warn(struct inquiry *q, int line, const char *text)
{
	q->n++;
	q->fn(q->arg, q->rule, line, text);
}

/* Directories. */

/* May everyone write to path, root in front, or to the deepest that exists above? */
static bool
is_open(const struct findings *f, char *path)
{
	struct stat st;
	char *full;
	int ret;

	for (;;) {
		full = xasprintf("%s%s/", f->root, path);
		ret = stat(full, &st);
		free(full);
		if (ret == 0)
			return (st.st_mode & S_IWOTH) != 0;
		if (path[0] == '\0' || (errno != ENOENT && errno != ENOTDIR))
			return false;
		path_cut(path);
	}
}

static bool
is_remote(const struct findings *f, const char *path)
{
	char *full = xasprintf("%s%s", f->root, path);
	bool found = places_find_above(f->remote, full) != NULL;

	free(full);
	return found;
}

/* Is path itself a directory that everyone may write? */
static bool
is_open_directory(const struct findings *f, const char *path)
{
	char *deepest = xstrdup(path);
	bool open = is_open(f, deepest) && strcmp(deepest, path) == 0;

	free(deepest);
	return open;
}

/* The watched path, or what of a pattern has no wildcard: to free(3). */
static char *
literal_part(const char *watch, bool *pattern)
{
	char *part = xstrdup(watch), *path;
	size_t n;

	for (*pattern = false; (path = pattern_path(part)) == NULL; *pattern = true)
		path_cut(part);
	free(part);
	n = strlen(path);
	if (n > 0 && path[n - 1] == '/')
		path[n - 1] = '\0';
	return path;
}

char *
findings_open_directory(const struct findings *f, const struct rule *rule, size_t nth)
{
	bool pattern, open = false;
	char *path = literal_part(rule->watch[nth].path, &pattern);

	if (!is_remote(f, path)) {
		if (!pattern)
			open = is_open_directory(f, path);
		if (!open && !pattern)
			path_cut(path);
		open = open || is_open(f, path);
	}
	if (open)
		return path;
	free(path);
	return NULL;
}

static void
find_open_directory(struct inquiry *q, size_t nth)
{
	char *dir = findings_open_directory(q->f, q->rule, nth), *text;

	if (dir == NULL)
		return;
	text =
	    xasprintf("`%s`: everyone may write to %s/", q->rule->watch[nth].text, dir);
	warn(q, q->rule->watch[nth].line, text);
	free(text);
	free(dir);
}

/* A path with a slash at its end is that of a directory, and of nothing else. */
static void
find_no_directory(struct inquiry *q, size_t nth)
{
	const struct rule *r = q->rule;
	char *path = pattern_path(r->watch[nth].path), *full, *text;
	size_t n = path != NULL ? strlen(path) : 0;
	struct stat st;

	if (n > 1 && path[n - 1] == '/' && !is_remote(q->f, path)) {
		full = xasprintf("%s%.*s", q->f->root, (int)n - 1, path);
		text =
		    xasprintf("`%s`: not a directory, which the `/` at its end asks for",
			r->watch[nth].text);
		if (stat(full, &st) == 0 && !S_ISDIR(st.st_mode))
			warn(q, r->watch[nth].line, text);
		free(text);
		free(full);
	}
	free(path);
}

/* Does a command of the rule take the path that has changed, as root? */
static bool
takes_path_as_root(const struct rule *r)
{
	size_t i, k;

	if (r->user != NULL && strcmp(r->user, "root") != 0)
		return false;
	for (i = 0; i < r->nactions; i++)
		for (k = 0; k < r->actions[i].argv.n; k++)
			if (strstr(r->actions[i].argv.v[k], "WATCHPATHD_PATH") != NULL)
				return true;
	return false;
}

/* What users have below their homes is theirs, whoever owns the directory of homes. */
static bool
is_theirs(const struct inquiry *q, const char *path, bool pattern)
{
	char *full = xasprintf("%s%s", q->f->root, path), why[TRUST_WHY_SIZE];
	struct trust_place place;
	bool theirs =
	    pattern && (path_is_below(path, "/Users") || path_is_below(path, "/home"));

	theirs = theirs || !trust_place(q->f->trust, full, false, &place, why);
	free(full);
	return theirs;
}

/* A link that somebody puts there leads root elsewhere. */
static void
find_followed(struct inquiry *q, size_t nth)
{
	bool pattern;
	char *path, *text;

	if (!takes_path_as_root(q->rule))
		return;
	path = literal_part(q->rule->watch[nth].path, &pattern);
	if (!is_remote(q->f, path) && is_theirs(q, path, pattern)) {
		text =
		    xasprintf("`%s`: others choose what is there, and root is given it "
			      "as $WATCHPATHD_PATH: let it follow no link, or say "
			      "`user`",
			q->rule->watch[nth].text);
		warn(q, q->rule->watch[nth].line, text);
		free(text);
	}
	free(path);
}

/* Programs. */

/* What was found out about a command, by all that it depends on. */
struct judged {
	struct judgement found;
	char key[];
};

/* No formats here: of many rules it is done for every one. */
static void
add_word(struct buf *key, const char *word)
{
	buf_adds(key, "\n");
	buf_adds(key, word);
}

/* Everything that a judgement depends on, as one string; free(3) it. */
static char *
judgement_key(const struct rule *r, const struct command *c)
{
	struct buf key = { NULL, 0, 0 };
	size_t i;

	buf_addf(&key, "%d%d", (int)r->trust, programs_by_self(r));
	add_word(&key, r->user != NULL ? r->user : "");
	add_word(&key, r->directory != NULL ? r->directory : "");
	for (i = 0; i < r->environment.n; i++)
		add_word(&key, r->environment.v[i]);
	buf_adds(&key, "\n");
	for (i = 0; i < c->argv.n; i++)
		add_word(&key, c->argv.v[i]);
	return key.p;
}

const struct judgement *
findings_judge(struct findings *f, const struct rule *rule, const struct command *c)
{
	char *key = judgement_key(rule, c);
	struct judged *j = map_get(&f->judged, key);
	struct trust_verdict v = { .paths = NULL };
	struct programs p;

	if (j == NULL) {
		programs_init(&p, NULL, f->trust, f->root, rule);
		p.remote = f->remote;
		j = xcalloc(1, sizeof(*j) + strlen(key) + 1);
		v.exposed = f->remote != NULL ? &j->found.exposed : NULL;
		memcpy(j->key, key, strlen(key) + 1);
		j->found.good = programs_judge(&p, c, &v);
		j->found.missing = v.missing;
		j->found.why = xstrdup(j->found.good ? "" : v.why);
		map_put(&f->judged, j->key, j);
	}
	free(key);
	return &j->found;
}

/*
 * Of several actions only one needs to be there: those that are not installed
 * are worth a word only if none can run. One that is there and may not run is
 * never what was meant.
 */
static void
tell_judgement(struct inquiry *q, int line, const struct judgement *j)
{
	size_t i;

	if (!j->good)
		warn(q, line, j->why);
	for (i = 0; j->good && i < j->exposed.n; i++)
		warn(q, line, j->exposed.v[i]);
}

static void
find_programs(struct inquiry *q)
{
	const struct rule *r = q->rule;
	const struct judgement **j = xcalloc(r->nactions, sizeof(*j));
	bool runs = false;
	size_t i;

	for (i = 0; i < r->nactions; i++) {
		j[i] = findings_judge(q->f, r, &r->actions[i]);
		runs = runs || j[i]->good;
	}
	for (i = 0; i < r->nactions; i++)
		if (!(j[i]->missing && runs))
			tell_judgement(q, r->actions[i].line, j[i]);
	free(j);
	if (r->verify != NULL)
		tell_judgement(q, r->verify->line, findings_judge(q->f, r, r->verify));
	if (r->alert != NULL)
		tell_judgement(q, r->alert->line, findings_judge(q->f, r, r->alert));
}

size_t
findings_each(struct findings *f, const struct rule *rule, findings_fn *fn, void *arg)
{
	struct inquiry q = { .f = f, .rule = rule, .fn = fn, .arg = arg };
	size_t i;

	for (i = 0; i < rule->nwatch && f->remote != NULL; i++) {
		find_open_directory(&q, i);
		find_no_directory(&q, i);
		find_followed(&q, i);
	}
	find_programs(&q);
	return q.n;
}

void
findings_clear(struct findings *f)
{
	struct judged *j;
	size_t i;

	for (i = 0; i < f->judged.cap; i++)
		if ((j = f->judged.slots[i].value) != NULL) {
			free(j->found.why);
			strv_clear(&j->found.exposed);
			free(j);
		}
	map_clear(&f->judged);
}
