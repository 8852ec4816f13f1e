/* SPDX-License-Identifier: MIT */
/*
 * `status --brief`: the worst that there is to say, and how much else. A directory
 * of rules that is refused comes before what the daemon has trouble with, that
 * before files that are refused, and these before rules, because each can be the
 * cause of what comes after it.
 */
#include "cmd/brief.h"

#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/json.h"
#include "base/util.h"
#include "cmd/ask.h"
#include "cmd/table.h"

/* The first problem, and how many there are. */
struct worst {
	char *what; /* NULL: none */
	int n;
};

/* Takes what over. */
static void
add(struct worst *w, char *what)
{
	if (w->n++ == 0)
		w->what = what;
	else
		free(what);
}

/* Files that are refused; or the directory itself, which is why none can be read. */
static void
find_refused(struct worst *w, const cJSON *status, bool directory)
{
	const char *config = json_get_string(status, "config"), *file;
	const cJSON *item;
	char *place;

	cJSON_ArrayForEach(item, json_get(status, "refused")) {
		file = json_get_string(item, "file");
		if ((config != NULL && file != NULL && strcmp(file, config) == 0) !=
		    directory)
			continue;
		place = table_place(item);
		add(w, xasprintf(
			   "%s is refused: %s", place, json_string_of(item, "message")));
		free(place);
	}
}

static void
find_problems(struct worst *w, const cJSON *status)
{
	const char *problem;
	const cJSON *item;

	find_refused(w, status, true);
	cJSON_ArrayForEach(item, json_get(status, "problems"))
		if (cJSON_IsString(item))
			add(w, xstrdup(item->valuestring));
	find_refused(w, status, false);
	cJSON_ArrayForEach(item, json_get(status, "rules")) {
		problem = json_get_string(item, "problem");
		if (problem != NULL)
			add(w,
			    xasprintf("%s: %s", json_get_string(item, "name"), problem));
	}
}

int
brief_status(const cJSON *status)
{
	int rules = cJSON_GetArraySize(json_get(status, "rules"));
	struct worst w = { NULL, 0 };

	find_problems(&w, status);
	if (w.n == 0)
		printf("ok: %d %s\n", rules, rules == 1 ? "rule" : "rules");
	else if (w.n == 1)
		printf("problem: %s\n", w.what);
	else
		printf("problem: %s; and %d more\n", w.what, w.n - 1);
	free(w.what);
	return w.n == 0 ? EX_OK : EXIT_FAILURE;
}

int
brief_error(const struct ask_error *error)
{
	printf("%s: %s\n", error->status == EX_UNAVAILABLE ? "not running" : "unknown",
	    error->why);
	return error->status;
}
