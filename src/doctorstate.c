/* SPDX-License-Identifier: MIT */
/*
 * Where the daemon keeps what outlives it. Others must not write there, nor hear
 * it through the socket that lies in it.
 */
#include "doctorstate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "patient.h"

#define FORGETS "what rules owe and wait for does not survive a restart"

static void
check_mode(struct patient *p, const struct stat *st, const char *word)
{
	unsigned mode = st->st_mode & 07777u;

	if ((mode & 0777) != 0700)
		patient_add(p, AILMENT_STATE, NULL,
		    xasprintf("%s: mode %04o, not 0700", p->opt.state, mode),
		    (mode & 077) != 0
			? "it is the daemon's own, and its socket obeys who can reach it"
			: FORGETS,
		    repair_command("%schmod 0700 %s", repair_sudo(&p->trust), word));
}

void
doctorstate_check(struct patient *p)
{
	const char *dir = p->opt.state, *sudo = repair_sudo(&p->trust);
	char *word = repair_quote(dir, ""), *aside = repair_quote(dir, ".old");
	struct stat st;

	/* One that is missing is made at the start. */
	if (lstat(dir, &st) == -1 && errno != ENOENT)
		patient_add(p, AILMENT_STATE, NULL,
		    xasprintf("%s: %s", dir, strerror(errno)), FORGETS,
		    repair_by_hand("give the daemon another one with --state"));
	else if (lstat(dir, &st) == 0 && !S_ISDIR(st.st_mode))
		patient_add(p, AILMENT_STATE, NULL, xasprintf("%s: not a directory", dir),
		    FORGETS,
		    repair_command("%smv %s %s && %sinstall -d -m 0700 %s", sudo, word,
			aside, sudo, word));
	else if (lstat(dir, &st) == 0) {
		check_mode(p, &st, word);
	}
	free(aside);
	free(word);
}
