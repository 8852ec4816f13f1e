/* SPDX-License-Identifier: MIT */
/*
 * Jobs of launchd that do what a rule does, of before it came mostly. A job's
 * path and a rule's are compared where they lead to, links followed: /var and
 * /private/var are one.
 */
#include "cmd/doctor.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/places.h"
#include "cmd/setup.h"
#include "rules/pattern.h"
#include "cmd/plistfile.h"
#include "rules/rule.h"

/* What a rule watches, links followed. */
struct watched {
	const struct rule *rule;
	char *path;
};

/* The jobs of one directory. */
struct search {
	struct setup *setup;
	struct watched *watched;
	size_t n;
	bool agents;
};

/* Where the first n bytes of path lead to, if they are whole components and there. */
static bool
resolve(const char *path, size_t n, char real[PATH_MAX])
{
	char *part;
	bool found;

	if (path[n] != '/' && path[n] != '\0')
		return false;
	part = n > 0 ? xstrndup(path, n) : xstrdup("/");
	found = realpath(part, real) != NULL;
	free(part);
	return found;
}

/*
 * Where text leads to, root in front, as far as that exists and has no wildcard;
 * no slash at its end. The caller frees it.
 */
static char *
real_path(const struct setup *s, const char *text)
{
	char *path = xasprintf("%s%s", s->opt->root, text), real[PATH_MAX] = "/", *out;
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		path[--n] = '\0';
	if (places_find_above(&s->remote, path) != NULL)
		return path;
	n = strcspn(path, "*?[");
	while (n > 0 && !resolve(path, n, real))
		n--;
	out = xasprintf("%s%s", strcmp(real, "/") == 0 ? "" : real, path + n);
	free(path);
	return out;
}

/* What ends the job for good: at the next boot or login it would be back. */
static struct repair
repair_job(const struct search *s, const char *file)
{
	char *word = repair_quote(file, ""), *aside = repair_quote(file, ".off");
	struct repair r;

	r = repair_command("%slaunchctl bootout %s %s; sudo mv %s %s",
	    s->agents ? "" : "sudo ", s->agents ? "gui/$(id -u)" : "system", word, word,
	    aside);
	free(aside);
	free(word);
	return r;
}

static void
compare(const struct search *s, const char *file, const char *path)
{
	char *real = real_path(s->setup, path);
	size_t i;

	for (i = 0; i < s->n; i++)
		if (pattern_matches(s->watched[i].path, real))
			setup_add(s->setup, KIND_JOBS, s->watched[i].rule->name,
			    xasprintf("%s acts on %s, too", file, path),
			    "both act on every change", repair_job(s, file));
	free(real);
}

static void
compare_list(const struct search *s, const char *file, const struct plist *list)
{
	const struct plist *path = list != NULL ? list->child : NULL;

	for (; path != NULL; path = path->next)
		if (path->type == PLIST_STRING && path->text[0] == '/')
			compare(s, file, path->text);
}

static void
read_job(const struct search *s, const char *file)
{
	char why[PLIST_WHY_SIZE];
	const struct plist *disabled;
	struct plist *job;
	int status;

	job = plistfile_read(file, &status, why);
	/* What is no plist is launchd's to complain about. */
	disabled = job != NULL ? plist_get(job, "Disabled") : NULL;
	if (job != NULL && (disabled == NULL || disabled->type != PLIST_TRUE)) {
		compare_list(s, file, plist_get(job, "WatchPaths"));
		compare_list(s, file, plist_get(job, "QueueDirectories"));
	}
	plist_free(job);
}

static void
search(const struct search *s, const char *path)
{
	char *dir = xasprintf("%s%s", s->setup->opt->root, path), *file;
	DIR *jobs = opendir(dir);
	const struct dirent *e;

	while (jobs != NULL && (e = readdir(jobs)) != NULL) {
		if (!text_ends_in(e->d_name, ".plist"))
			continue;
		file = xasprintf("%s/%s", dir, e->d_name);
		read_job(s, file);
		free(file);
	}
	if (jobs != NULL)
		closedir(jobs);
	free(dir);
}

/* Follows the links of all watched paths, once. */
static void
add_watched(struct search *s, const struct rule *r)
{
	size_t i;

	if (!r->policy.enabled)
		return;
	s->watched = xreallocarray(s->watched, s->n + r->nwatch, sizeof(*s->watched));
	for (i = 0; i < r->nwatch; i++)
		s->watched[s->n++] =
		    (struct watched){ r, real_path(s->setup, r->watch[i].path) };
}

void
doctor_check_jobs(struct setup *setup)
{
	struct search s = { .setup = setup };
	size_t i;

	for (i = 0; i < setup->conf.nrules; i++)
		add_watched(&s, setup->conf.rules[i]);
	search(&s, "/Library/LaunchDaemons");
	s.agents = true;
	search(&s, "/Library/LaunchAgents");
	while (s.n > 0)
		free(s.watched[--s.n].path);
	free(s.watched);
}
