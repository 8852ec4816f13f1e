/* SPDX-License-Identifier: MIT */
#ifndef DOCTOR_DAEMON_H
#define DOCTOR_DAEMON_H

struct setup;

/* The daemon as a whole: does it run, is it this one, what does it say? */
void doctordaemon_check(struct setup *s);

#endif
