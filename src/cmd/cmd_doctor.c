/* SPDX-License-Identifier: MIT */
/*
 * `doctor`: what would keep rules from working on this machine.
 */
#include "cmd/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cmd/examine.h"
#include "cmd/patient.h"

int
doctor_main(struct options *o, char **operands)
{
	struct patient p = { .opt = o };
	int status;

	(void)operands;
	doctor_examine(&p);
	if (options_has(o, OPTION_JSON))
		diagnosis_print_json(&p.diagnosis, stdout);
	else
		diagnosis_print(&p.diagnosis, stdout);
	status = p.diagnosis.n == 0 ? EX_OK : EXIT_FAILURE;
	patient_clear(&p);
	return status;
}
