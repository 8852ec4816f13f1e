/* SPDX-License-Identifier: MIT */
#ifndef EXAMINE_H
#define EXAMINE_H

struct setup;

/* Asks the daemon, reads the rule files and adds every finding. */
void doctor_examine(struct setup *s);

#endif
