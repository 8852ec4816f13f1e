/* SPDX-License-Identifier: MIT */
/*
 * `doctor`: what would keep rules from working on this machine.
 */
#include "cmd/columns.h"
#include "cmd/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cmd/command.h"
#include "cmd/setup.h"

/* There was something that only the daemon's user, or root, may see. */
static void
add_silenced(struct setup *s)
{
	setup_add(s, KIND_DAEMON, NULL,
	    xstrdup("this user may not see everything, nor ask the daemon"),
	    "what follows may not be all", setup_repair(s, "doctor"));
}

void
doctor_diagnose(struct setup *s)
{
	setup_read(s);
	doctor_check_daemon(s);
	doctor_check_files(s);
	doctor_check_paths(s);
	doctor_check_rules(s);
	doctor_check_state(s);
	doctor_check_jobs(s);
	doctor_check_selftest(s);
	if (s->diagnosis.hid_any)
		add_silenced(s);
}

int
doctor_main(struct options *o, char **operands)
{
	struct setup s = { .opt = o };
	int status;

	(void)operands;
	doctor_diagnose(&s);
	columns_init();
	if (options_has(o, OPTION_JSON))
		diagnosis_print_json(&s.diagnosis, stdout);
	else
		diagnosis_print(&s.diagnosis, stdout);
	status = s.diagnosis.n == 0 ? EX_OK : EXIT_FAILURE;
	setup_clear(&s);
	return status;
}
