/* SPDX-License-Identifier: MIT */
/*
 * The checks of `doctor`, one after the other. Each is in a file of its own and only
 * adds findings.
 */
#include "cmd/examine.h"

#include <stdlib.h>

#include "cmd/doctor_daemon.h"
#include "cmd/doctor_files.h"
#include "cmd/doctor_jobs.h"
#include "cmd/doctor_paths.h"
#include "cmd/doctor_rules.h"
#include "cmd/doctor_selftest.h"
#include "cmd/doctor_state.h"
#include "cmd/setup.h"

/* There was something that only the daemon's user, or root, may see. */
static void
add_silenced(struct setup *s)
{
	char *command = setup_command(s, "doctor", NULL);

	setup_add(s, KIND_DAEMON, NULL,
	    xstrdup("this user may not see everything, nor ask the daemon"),
	    "what follows may not be all", repair_command("%s", command));
	free(command);
}

void
doctor_examine(struct setup *s)
{
	static void (*const checks[])(struct setup *) = {
		doctordaemon_check,
		doctorfiles_check,
		doctorpaths_check,
		doctorrules_check,
		doctorstate_check,
		doctorjobs_check,
		doctorselftest_check,
	};
	size_t i;

	setup_read(s);
	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i](s);
	if (s->diagnosis.silenced)
		add_silenced(s);
}
