/* SPDX-License-Identifier: MIT */
#ifndef BRIEF_H
#define BRIEF_H

struct ask_error;
struct cJSON;

/*
 * The health of the daemon in one line on stdout, for an inventory or a monitor:
 * "ok: ...", "problem: ...", "not running: ..." or "unknown: ...". The exit status
 * is 0, 1, or that of the error.
 */
int brief_status(const struct cJSON *status);
int brief_error(const struct ask_error *error);

#endif
