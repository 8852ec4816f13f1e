/* SPDX-License-Identifier: MIT */
#ifndef DOCTORSTATE_H
#define DOCTORSTATE_H

struct patient;

/* The state directory. */
void doctorstate_check(struct patient *p);

#endif
