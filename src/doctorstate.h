/* SPDX-License-Identifier: MIT */
#ifndef DOCTORSTATE_H
#define DOCTORSTATE_H

struct patient;

/* The state directory and those above it. */
void doctorstate_check(struct patient *p);

#endif
