/* SPDX-License-Identifier: MIT */
#ifndef DOCTOR_RULES_H
#define DOCTOR_RULES_H

struct setup;

/*
 * What the rules name (programs, accounts, directories), and what the daemon says
 * of each: comes after the other checks, whose findings explain failures.
 */
void doctorrules_check(struct setup *s);

#endif
