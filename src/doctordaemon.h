/* SPDX-License-Identifier: MIT */
#ifndef DOCTORDAEMON_H
#define DOCTORDAEMON_H

struct patient;

/* The daemon as a whole: does it run, is it this one, what does it say? */
void doctordaemon_check(struct patient *p);

#endif
