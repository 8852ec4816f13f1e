/* SPDX-License-Identifier: MIT */
/*
 * `doctor`: what would keep rules from working on this machine.
 */
#include "cmd/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cmd/examine.h"
#include "cmd/setup.h"

int
doctor_main(struct options *o, char **operands)
{
	struct setup s = { .opt = o };
	int status;

	(void)operands;
	doctor_examine(&s);
	if (options_has(o, OPTION_JSON))
		diagnosis_print_json(&s.diagnosis, stdout);
	else
		diagnosis_print(&s.diagnosis, stdout);
	status = s.diagnosis.n == 0 ? EX_OK : EXIT_FAILURE;
	setup_clear(&s);
	return status;
}
