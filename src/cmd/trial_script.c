/* SPDX-License-Identifier: MIT */
/*
 * Probes that are a line of text: most facts about files are one call and the event
 * that it posts, and stand in the table as just that. An unknown word fails.
 */
#include "cmd/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define WORDS 8
#define KNOTES 2

struct play {
	struct trial *t;
	struct knote *knotes[KNOTES];
	size_t nknotes;
};

/* The system call of that name; b is "" where it takes no second word. */
static int
call(const char *name, const char *a, const char *b)
{
	static const struct timeval then[2] = { { .tv_sec = 1000000000 },
		{ .tv_sec = 1000000000 } };

	if (strcmp(name, "chmod") == 0)
		return chmod(a, (mode_t)strtoul(b, NULL, 8));
	if (strcmp(name, "chown") == 0)
		return chown(a, geteuid(), getegid());
	if (strcmp(name, "link") == 0)
		return link(a, b);
	if (strcmp(name, "mkdir") == 0)
		return mkdir(a, 0755);
	if (strcmp(name, "mkfifo") == 0)
		return mkfifo(a, 0600);
	if (strcmp(name, "rename") == 0)
		return rename(a, b);
	if (strcmp(name, "rmdir") == 0)
		return rmdir(a);
	if (strcmp(name, "symlink") == 0)
		return symlink(a, b);
	if (strcmp(name, "truncate") == 0)
		return truncate(a, strtol(b, NULL, 10));
	if (strcmp(name, "unlink") == 0)
		return unlink(a);
	if (strcmp(name, "utimes") == 0)
		return utimes(a, then);
	errno = EINVAL;
	return -1;
}

/* name has seen each BIT, and may have seen each ?BIT. */
static void
expect(const struct play *p, const char *name, char *const *bits)
{
	bool any = strcmp(bits[0], "any") == 0;
	unsigned must = 0, may = 0;
	size_t i = 0;

	for (bits += any; **bits != '\0'; bits++)
		if (**bits == '?')
			may |= trial_bit(*bits + 1);
		else
			must |= trial_bit(*bits);
	while (i < p->nknotes && strcmp(p->knotes[i]->name, name) != 0)
		i++;
	if (i == p->nknotes)
		trial_fail(p->t, "%s: not watched", name);
	else if (any)
		trial_expect_any(p->t, p->knotes[i], must);
	else
		trial_expect(p->t, p->knotes[i], must, may);
}

/* The steps that write to a file. */
static bool
play_file(struct trial *t, const char *name, const char *path)
{
	static const struct {
		const char *name;
		void (*fn)(struct trial *t, const char *path, const char *text);
		const char *text;
	} steps[] = { { "make", trial_make, "text" }, { "empty", trial_make, "" },
		{ "rewrite", trial_make, "longer text" }, { "poke", trial_poke, "TEXT" },
		{ "append", trial_append, "more" }, { "replace", trial_replace, "new" } };
	size_t i;

	for (i = 0; i < NELEM(steps); i++)
		if (strcmp(steps[i].name, name) == 0) {
			steps[i].fn(t, path, steps[i].text);
			return true;
		}
	return false;
}

static void
play_step(struct play *p, char *step)
{
	static char none[] = "";
	char *words[WORDS], *word, *colon;
	const char *name, *a;
	size_t n = 0;

	while ((word = strsep(&step, " ")) != NULL)
		if (*word != '\0' && n < WORDS - 1)
			words[n++] = word;
	while (n < WORDS)
		words[n++] = none;
	name = words[0];
	a = words[1];
	colon = strchr(name, ':');
	if (colon != NULL) {
		*colon = '\0';
		expect(p, name, words + 1);
	} else if (strcmp(name, "watch") == 0 && p->nknotes < KNOTES) {
		p->knotes[p->nknotes++] = trial_watch(p->t, a);
	} else if (!play_file(p->t, name, a)) {
		trial_did(p->t, call(name, a, words[2]), name);
	}
}

void
trial_play(struct trial *t, const char *script)
{
	struct play p = { .t = t };
	char *copy = xstrdup(script), *rest = copy, *step;

	while ((step = strsep(&rest, ";")) != NULL)
		play_step(&p, step);
	free(copy);
}
