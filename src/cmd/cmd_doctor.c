/* SPDX-License-Identifier: MIT */
/*
 * `doctor`: what would keep rules from working on this machine. Each check is in
 * a file of its own and only adds findings; here they are called and printed.
 */
#include "cmd/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cmd/doctor_daemon.h"
#include "cmd/doctor_files.h"
#include "cmd/doctor_jobs.h"
#include "cmd/doctor_paths.h"
#include "cmd/doctor_rules.h"
#include "cmd/doctor_state.h"
#include "base/json.h"
#include "cmd/patient.h"

/* There was something that only the daemon's user, or root, may see. */
static void
add_silenced(struct patient *p)
{
	char *command = patient_command(p, "doctor", NULL);

	patient_add(p, AILMENT_DAEMON, NULL,
	    xstrdup("this user may not see everything, nor ask the daemon"),
	    "what follows may not be all", repair_command("%s", command));
	free(command);
}

static void
examine(struct patient *p)
{
	static void (*const checks[])(struct patient *) = {
		doctordaemon_check,
		doctorfiles_check,
		doctorpaths_check,
		doctorrules_check,
		doctorstate_check,
		doctorjobs_check,
	};
	size_t i;

	patient_examine(p);
	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i](p);
	if (p->diagnosis.silenced)
		add_silenced(p);
}

int
doctor_main(struct options *o, char **operands)
{
	struct patient p = { .opt = o };
	int status;

	(void)operands;
	examine(&p);
	if (o->json)
		diagnosis_print_json(&p.diagnosis, stdout);
	else
		diagnosis_print(&p.diagnosis, stdout);
	status = p.diagnosis.n == 0 ? EX_OK : EXIT_FAILURE;
	patient_clear(&p);
	return status;
}
