/* SPDX-License-Identifier: MIT */
/*
 * Where the daemon keeps what outlives it. Others must not write there, nor hear
 * it through the socket that lies in it.
 */
#include "cmd/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/setup.h"

#define FORGETS "what rules owe and wait for does not survive a restart"

/* It is a directory: whose, and who may enter? */
static void
check_directory(
    struct setup *s, const struct stat *st, const char *word, const char *aside)
{
	const char *dir = s->opt->state, *sudo = repair_sudo(&s->trust);
	unsigned mode = st->st_mode & 07777u, owner = (unsigned)s->trust.owner;
	char user[32] = "root";

	if (owner != 0)
		snprintf(user, sizeof(user), "%u", owner);
	/* What that user has put there must not become ours: it would be obeyed. */
	if (st->st_uid != s->trust.owner)
		setup_add(s, KIND_STATE, NULL,
		    xasprintf("%s: owned by uid %u, not by %s%s", dir,
			(unsigned)st->st_uid, owner != 0 ? "uid " : "", user),
		    "that user can change what rules owe, and can stand in for the "
		    "daemon",
		    repair_command("sudo mv %s %s && sudo install -d -m 0700 -o %s %s",
			word, aside, user, word));
	else if ((mode & 0777) != 0700)
		setup_add(s, KIND_STATE, NULL,
		    xasprintf("%s: mode %04o, not 0700", dir, mode),
		    (mode & 077) != 0
			? "it is the daemon's own, and its socket obeys who can reach it"
			: FORGETS,
		    repair_command("%schmod 0700 %s", sudo, word));
}

/* Whoever may write above it can put another one in its place. */
static void
check_above(struct setup *s)
{
	char *above = path_parent(s->opt->state);
	char why[TRUST_WHY_SIZE];

	if (!trust_directory(&s->trust, above, why))
		setup_add(s, KIND_STATE, NULL, xstrdup(why),
		    "whoever may write there can put another state in place of the "
		    "daemon's",
		    repair_trust(
			&s->trust, why, "give the daemon another one with --state"));
	free(above);
}

void
doctor_check_state(struct setup *s)
{
	const char *dir = s->opt->state, *sudo = repair_sudo(&s->trust);
	char *word = repair_quote(dir, ""), *aside = repair_quote(dir, ".old");
	struct stat st;

	/* One that is missing is made at the start. */
	if (lstat(dir, &st) == -1 && errno != ENOENT)
		setup_add(s, KIND_STATE, NULL, xasprintf("%s: %s", dir, strerror(errno)),
		    FORGETS, repair_by_hand("give the daemon another one with --state"));
	else if (lstat(dir, &st) == 0 && !S_ISDIR(st.st_mode))
		setup_add(s, KIND_STATE, NULL,
		    xasprintf("%s: %snot a directory", dir,
			S_ISLNK(st.st_mode) ? "a symbolic link, " : ""),
		    FORGETS,
		    repair_command("%smv %s %s && %sinstall -d -m 0700 %s", sudo, word,
			aside, sudo, word));
	else if (lstat(dir, &st) == 0) {
		check_directory(s, &st, word, aside);
		check_above(s);
	}
	free(aside);
	free(word);
}
