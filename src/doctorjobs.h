/* SPDX-License-Identifier: MIT */
#ifndef DOCTORJOBS_H
#define DOCTORJOBS_H

struct patient;

/* Other launchd jobs that act on a path that a rule watches. */
void doctorjobs_check(struct patient *p);

#endif
