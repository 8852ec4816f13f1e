/* SPDX-License-Identifier: MIT */
#ifndef EXAMINE_H
#define EXAMINE_H

struct patient;

/* Asks the daemon, reads the rule files and adds every finding. */
void doctor_examine(struct patient *p);

#endif
