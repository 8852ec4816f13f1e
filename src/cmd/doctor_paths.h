/* SPDX-License-Identifier: MIT */
#ifndef DOCTOR_PATHS_H
#define DOCTOR_PATHS_H

struct patient;

/* Watched paths: as the daemon sees them; where none answers, as this process does. */
void doctorpaths_check(struct patient *p);

#endif
