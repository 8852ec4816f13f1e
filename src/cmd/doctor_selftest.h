/* SPDX-License-Identifier: MIT */
#ifndef DOCTOR_SELFTEST_H
#define DOCTOR_SELFTEST_H

struct setup;

/* What `selftest` has found on this version of the system, or that nobody tried. */
void doctorselftest_check(struct setup *s);

#endif
