/* SPDX-License-Identifier: MIT */
#ifndef DOCTORFILES_H
#define DOCTORFILES_H

struct patient;

/* Rule files: what is refused, now or by the daemon when it read them, and noted. */
void doctorfiles_check(struct patient *p);

#endif
