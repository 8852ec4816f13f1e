/* SPDX-License-Identifier: MIT */
#ifndef DOCTOR_JOBS_H
#define DOCTOR_JOBS_H

struct setup;

/* Other launchd jobs that act on a path that a rule watches. */
void doctorjobs_check(struct setup *s);

#endif
