/* SPDX-License-Identifier: MIT */
#ifndef DOCTOR_STATE_H
#define DOCTOR_STATE_H

struct setup;

/* The state directory and those above it. */
void doctorstate_check(struct setup *s);

#endif
