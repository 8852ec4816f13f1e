/* SPDX-License-Identifier: MIT */
#ifndef DOCTOR_FILES_H
#define DOCTOR_FILES_H

struct setup;

/* Rule files: what is refused, now or by the daemon when it read them, and noted. */
void doctorfiles_check(struct setup *s);

#endif
