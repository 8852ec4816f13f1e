/* SPDX-License-Identifier: MIT */
#ifndef DOCTOR_JOBS_H
#define DOCTOR_JOBS_H

struct patient;

/* Other launchd jobs that act on a path that a rule watches. */
void doctorjobs_check(struct patient *p);

#endif
