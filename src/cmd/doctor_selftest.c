/* SPDX-License-Identifier: MIT */
/*
 * A version of macOS may behave as no version before. Whether this one does what
 * rules rely on was found out by `selftest`, or it is not known, which is a note.
 */
#include "cmd/doctor.h"

#include <stdlib.h>
#include <string.h>

#include "base/machine.h"
#include "cmd/setup.h"
#include "cmd/selftest_kept.h"

/* "a, b and 2 more" would hide what has to be reported: all of them. */
static char *
join(const struct strv *names)
{
	struct buf b = { NULL, 0, 0 };
	size_t i;

	for (i = 0; i < names->n; i++)
		buf_addf(&b, "%s%s", i > 0 ? ", " : "", names->v[i]);
	return b.p;
}

static void
add_failures(struct setup *s, const struct selftest_kept *kept)
{
	char *names = join(&kept->failed);

	setup_add(s, KIND_NOTES, NULL,
	    xasprintf("this system does not behave as watchpathd relies on: %s", names),
	    "changes can be missed, or actions started in the wrong way",
	    repair_by_hand("report what `watchpathd selftest --json` prints"));
	free(names);
}

void
doctor_check_selftest(struct setup *s)
{
	char system[MACHINE_TEXT_SIZE];
	struct selftest_kept kept;
	bool known = selftest_read_kept(s->opt->state, &kept);

	machine_system(system);
	if (kept.system != NULL && strcmp(kept.system, system) == 0 && kept.failed.n > 0)
		add_failures(s, &kept);
	else if (kept.system != NULL && strcmp(kept.system, system) != 0)
		diagnosis_note(&s->diagnosis,
		    xasprintf("watchpathd was tried on %s, and this is %s: sudo "
			      "watchpathd selftest",
			kept.system, system));
	else if (kept.system == NULL && known && machine_has_kqueue)
		diagnosis_note(&s->diagnosis,
		    xasprintf("nobody has tried watchpathd on this %s: sudo watchpathd "
			      "selftest",
			system));
	selftest_kept_clear(&kept);
}
