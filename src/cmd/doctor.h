/* SPDX-License-Identifier: MIT */
#ifndef DOCTOR_H
#define DOCTOR_H

struct setup;

/* Reads the setup and makes all checks. */
void doctor_diagnose(struct setup *s);

/*
 * The checks, each in a file of its own. They only add findings, and come in this
 * order: the findings of the earlier ones explain failures of rules.
 */
void doctor_check_daemon(struct setup *s);   /* is it there, and the one meant? */
void doctor_check_files(struct setup *s);    /* rule files, and the profile */
void doctor_check_paths(struct setup *s);    /* watched paths */
void doctor_check_rules(struct setup *s);    /* what they name; how runs ended */
void doctor_check_state(struct setup *s);    /* the state directory */
void doctor_check_jobs(struct setup *s);     /* launchd jobs that do the same */
void doctor_check_selftest(struct setup *s); /* what `selftest` has found */

#endif
