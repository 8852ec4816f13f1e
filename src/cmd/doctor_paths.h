/* SPDX-License-Identifier: MIT */
#ifndef DOCTOR_PATHS_H
#define DOCTOR_PATHS_H

struct setup;

/* Watched paths: as the daemon sees them; where none answers, as this process does. */
void doctorpaths_check(struct setup *s);

#endif
