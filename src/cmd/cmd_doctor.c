/* SPDX-License-Identifier: MIT */
/*
 * `doctor`: what would keep rules from working on this machine. Each check is in
 * a file of its own and only adds findings; here they are called and printed.
 */
#include "cmd/cmd_doctor.h"

#include <signal.h>
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
doctor_main(int argc, char **argv)
{
	static const char usage[] =
	    "doctor [--json] [--config DIR] [--state DIR] [--socket PATH] [--root DIR]";
	struct patient p = { .status = NULL };
	int first, status;

	json_init();
	signal(SIGPIPE, SIG_IGN);
	first = options_parse(&p.opt,
	    OPTION_JSON | OPTION_CONFIG | OPTION_STATE | OPTION_SOCKET | OPTION_ROOT,
	    usage, argc, argv);
	if (first == -1)
		return EX_USAGE;
	if (first < argc) {
		fprintf(
		    stderr, "watchpathd: doctor takes no argument: %s\n", argv[first]);
		options_clear(&p.opt);
		return EX_USAGE;
	}
	examine(&p);
	if (p.opt.json)
		diagnosis_print_json(&p.diagnosis, stdout);
	else
		diagnosis_print(&p.diagnosis, stdout);
	status = p.diagnosis.n == 0 ? EX_OK : EXIT_FAILURE;
	patient_clear(&p);
	return status;
}
