/* SPDX-License-Identifier: MIT */
/*
 * Jobs of launchd that do what a rule does, of before it came mostly.
 */
#include "doctorjobs.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "patient.h"
#include "pattern.h"
#include "plistfile.h"
#include "rule.h"

/* What ends the job for good: at the next boot it would be back. */
static struct repair
repair_job(const char *file)
{
	char *word = repair_quote(file, ""), *aside = repair_quote(file, ".off");
	struct repair r;

	r = repair_command(
	    "sudo launchctl bootout system %s; sudo mv %s %s", word, word, aside);
	free(aside);
	free(word);
	return r;
}

static bool
is_same_path(const char *watch, const char *path)
{
	char *literal = pattern_path(watch);
	bool same = literal != NULL && strcmp(literal, path) == 0;

	free(literal);
	return same;
}

/* Do a rule and the job of that plist watch the same path? */
static void
compare(struct patient *p, const char *file, const char *path)
{
	const struct rule *r;
	size_t i, k;

	for (i = 0; i < p->conf.nrules; i++) {
		r = p->conf.rules[i];
		for (k = 0; k < r->watch.n; k++)
			if (r->policy.enabled && is_same_path(r->watch.v[k], path))
				patient_add(p, AILMENT_JOBS, r->name,
				    xasprintf("%s acts on %s, too", file, path),
				    "both act on every change", repair_job(file));
	}
}

static void
read_job(struct patient *p, const char *file)
{
	char why[PLIST_WHY_SIZE];
	const struct plist *list, *path;
	struct plist *job;
	int status;

	job = plistfile_read(file, &status, why);
	/* What is no plist is launchd's to complain about. */
	list = job != NULL ? plist_get(job, "WatchPaths") : NULL;
	for (path = list != NULL ? list->child : NULL; path != NULL; path = path->next)
		if (path->type == PLIST_STRING)
			compare(p, file, path->text);
	plist_free(job);
}

void
doctorjobs_check(struct patient *p)
{
	char *dir = xasprintf("%s/Library/LaunchDaemons", p->opt.root), *file;
	DIR *jobs = opendir(dir);
	const struct dirent *e;
	size_t len;

	while (jobs != NULL && (e = readdir(jobs)) != NULL) {
		len = strlen(e->d_name);
		if (len < 6 || strcmp(e->d_name + len - 6, ".plist") != 0)
			continue;
		file = xasprintf("%s/%s", dir, e->d_name);
		read_job(p, file);
		free(file);
	}
	if (jobs != NULL)
		closedir(jobs);
	free(dir);
}
