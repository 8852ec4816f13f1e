/* SPDX-License-Identifier: MIT */
/*
 * probes [ID...]: tries these probes of `selftest` alone, below the current
 * directory, and ends with 0 if all of them hold. Without an ID it names those that
 * are required and can be made here. Linked with code that was broken on purpose.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "cmd/selftest.h"
#include "cmd/selftest_probes.h"
#include "run/become.h"

static const struct probe *const table[] = { selftest_files, selftest_directories,
	selftest_kqueue, selftest_looks, selftest_processes, selftest_clock,
	selftest_volumes, selftest_system };

static const struct probe *
find(const char *id)
{
	const struct probe *p;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (p = table[i]; p->id != NULL; p++)
			if (strcmp(p->id, id) == 0)
				return p;
	return NULL;
}

static void
name_required(struct selftest *s)
{
	struct selftest_result r;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (const struct probe *p = table[i]; p->id != NULL; p++) {
			if (p->level != REQUIRED)
				continue;
			r = selftest_try(s, p);
			if (r.outcome != OUTCOME_SKIPPED)
				printf("%s\n", p->id);
			selftest_result_clear(&r);
		}
}

/* Does the probe hold? */
static bool
try_one(struct selftest *s, const char *id)
{
	const struct probe *p = find(id);
	struct selftest_result r;
	bool holds;

	if (p == NULL) {
		printf("%s: there is no such probe\n", id);
		return true;
	}
	r = selftest_try(s, p);
	holds = r.outcome != OUTCOME_FAILED;
	printf("%s: %s %s\n", id, holds ? "holds" : "fails", r.note);
	selftest_result_clear(&r);
	return holds;
}

int
main(int argc, char **argv)
{
	struct selftest *s;
	bool all = true;

	if (argc > 1 && strcmp(argv[1], "exec") == 0)
		return become_main(argc, argv);
	json_init();
	s = selftest_new(".", STDERR_FILENO);
	if (s == NULL)
		return 2;
	if (argc == 1)
		name_required(s);
	for (int i = 1; i < argc; i++)
		all = try_one(s, argv[i]) && all;
	selftest_free(s);
	return all ? 0 : 1;
}
