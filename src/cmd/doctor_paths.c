/* SPDX-License-Identifier: MIT */
/*
 * Watched paths that are not watched. Privacy protection judges each process by
 * itself, and limits are each process's own: so what the daemon says of a path
 * counts, and only where none answers the path is looked at from here.
 */
#include "cmd/doctor.h"

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/places.h"
#include "base/json.h"
#include "cmd/setup.h"
#include "rules/pattern.h"
#include "base/paths.h"
#include "rules/rule.h"

#define REMOTE "not watched: network volume"
#define LATE "changes there are not noticed, or late"

/* An error that paths have in common: one repair is good for all of them. */
static const struct common {
	const char *error, *why, *by_hand;
	bool elsewhere; /* and name another path */
} common[] = {
	{ REMOTE, "network volumes are not watched: a dead server would stop every rule",
	    "watch something on a local volume", true },
	{ "not watched: belongs to watchpathd itself",
	    "what the daemon writes itself is never a change", "watch something else",
	    true },
	{ "needs Full Disk Access",
	    "privacy protection hides it from the daemon, whatever a Terminal may see",
	    "allow Full Disk Access to " PATH_PROGRAM
	    ", by a PPPC profile or in System Settings",
	    false },
	{ "not downloaded (iCloud)",
	    "the daemon downloads nothing, so it cannot look at what is only in iCloud",
	    "have the Finder keep it downloaded, or watch something else", true },
	{ "out of file descriptors",
	    "what has none is only looked at every `recheck`: changes are noticed late",
	    HINT_FILES, false },
};

static const struct common *
find_common(const char *error)
{
	size_t i;

	for (i = 0; i < NELEM(common); i++)
		if (strcmp(error, common[i].error) == 0)
			return &common[i];
	return NULL;
}

/* Where the rule watches the path; 0: that is not known. */
static int
find_line(const struct setup *s, const struct rule *rule, const char *path)
{
	size_t n = strlen(s->opt->root), i;

	for (i = 0; rule != NULL && i < rule->nwatch; i++)
		if (strncmp(path, s->opt->root, n) == 0 &&
		    strcmp(path + n, rule->watch[i].path) == 0)
			return rule->watch[i].line;
	return rule != NULL ? rule->line : 0;
}

static struct repair
repair_path(const char *error, const char *otherwise)
{
	if (strcmp(error, strerror(ELOOP)) == 0)
		return repair_by_hand("let its links lead somewhere, or %s", otherwise);
	if (strstr(error, " matches more than ") != NULL)
		return repair_by_hand("let it match less: %s", otherwise);
	return repair_by_hand("let the daemon get at it, or %s", otherwise);
}

static void
add(struct setup *s, const char *name, const char *path, const char *error,
    const char *why)
{
	const struct rule *rule = setup_rule(s, name);
	const struct common *c = find_common(error);
	char *otherwise = setup_otherwise(s, "path", rule, find_line(s, rule, path));
	struct finding f = { .kind = KIND_PATHS, .rule = name, .why = why };

	if (c == NULL) {
		f.cause = xasprintf("%s: %s", path, error);
		f.repair = repair_path(error, otherwise);
	} else {
		f.subject = path;
		f.cause = xstrdup(c->error);
		f.why = c->why;
		f.repair = c->elsewhere ? repair_by_hand("%s: %s", c->by_hand, otherwise)
					: repair_by_hand("%s", c->by_hand);
	}
	diagnosis_add(&s->diagnosis, f);
	free(otherwise);
}

/* As the daemon sees them. */

/* Adds all paths that have an error. Is the problem of the rule one of these? */
static bool
check_paths(struct setup *s, const char *name, const cJSON *rule, const char *problem)
{
	const cJSON *item;
	const char *error;
	char *path, *both;
	bool found = false;

	cJSON_ArrayForEach(item, json_get(rule, "paths")) {
		error = json_get_string(item, "error");
		path = json_get_text(item, "path");
		if (error != NULL && path != NULL) {
			add(s, name, path, error, "changes of it cannot be noticed");
			both = xasprintf("%s: %s", path, error);
			found = found || strcmp(both, problem) == 0;
			free(both);
		}
		free(path);
	}
	return found;
}

/* A problem with a whole `watch` entry, as "ENTRY: ERROR". */
static void
add_entry(struct setup *s, const char *name, const char *problem)
{
	const struct rule *rule = setup_rule(s, name);
	char *entry, *error = NULL;
	size_t i, n;

	for (i = 0; rule != NULL && i < rule->nwatch && error == NULL; i++) {
		entry = xasprintf("%s%s", s->opt->root, rule->watch[i].path);
		n = strlen(entry);
		if (strncmp(problem, entry, n) == 0 && problem[n] == ':') {
			error = xstrdup(problem + n + 2);
			add(s, name, entry, error, LATE);
		}
		free(entry);
	}
	if (error == NULL)
		setup_add(s, KIND_PATHS, name, xstrdup(problem), LATE,
		    repair_path(problem, "watch something else"));
	free(error);
}

static void
check_status(struct setup *s, const cJSON *rule)
{
	const char *name = json_get_string(rule, "name");
	const char *state = json_get_string(rule, "state");
	char *problem = json_get_text(rule, "problem");
	bool of_path = problem != NULL && problem[0] == '/' && state != NULL &&
		       strcmp(state, "blocked") != 0;

	if (name != NULL && !check_paths(s, name, rule, problem != NULL ? problem : "") &&
	    of_path)
		add_entry(s, name, problem);
	free(problem);
}

/* As they look from here. */

/* Can it be looked at and be opened, in the daemon's way? */
static int
try_path(const char *path)
{
	struct stat st;
	int fd, error = 0;

	if (stat(path, &st) == -1)
		return errno == ENOENT || errno == ENOTDIR ? 0 : errno;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	fd = open(path, O_EVTONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		error = errno == ENOENT ? 0 : errno;
	else
		close(fd);
	return error;
}

static void
check_path(struct setup *s, const struct rule *rule, const char *watch)
{
	char *literal = pattern_path(watch);
	char *path = xasprintf("%s%s", s->opt->root, literal != NULL ? literal : watch);
	int error = 0;

	if (places_find_above(&s->remote, path) != NULL)
		add(s, rule->name, path, REMOTE, "");
	else if (literal != NULL && (error = try_path(path)) != 0)
		add(s, rule->name, path, strerror(error),
		    "this command cannot open it; the daemon, which is judged by itself, "
		    "does not answer");
	free(path);
	free(literal);
}

static void
check_rule(struct setup *s, const struct rule *rule)
{
	size_t i;

	for (i = 0; rule->policy.enabled && i < rule->nwatch; i++)
		check_path(s, rule, rule->watch[i].path);
}

void
doctor_check_paths(struct setup *s)
{
	const cJSON *rule;
	size_t i;

	cJSON_ArrayForEach(rule, json_get(s->status, "rules"))
		check_status(s, rule);
	for (i = 0; s->status == NULL && i < s->conf.nrules; i++)
		check_rule(s, s->conf.rules[i]);
}
