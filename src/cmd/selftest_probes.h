/* SPDX-License-Identifier: MIT */
#ifndef SELFTEST_PROBES_H
#define SELFTEST_PROBES_H

#include "cmd/trial.h"

/* The table of probes, in parts that end with an id of NULL. */
extern const struct probe selftest_files[];       /* events of a file */
extern const struct probe selftest_directories[]; /* events of a directory */
extern const struct probe selftest_kqueue[];      /* knotes, signals, waiting */
extern const struct probe selftest_looks[];       /* what a watched path comes to */
extern const struct probe selftest_processes[];   /* starting and reaping */
extern const struct probe selftest_clock[];       /* time */
extern const struct probe selftest_volumes[];     /* volumes and who may write there */
extern const struct probe selftest_system[];      /* disk, sockets, network, log */

/* Are two writes of one size, one right after the other, seen below t's directory? */
void selftest_equal_writes(struct trial *t);

#endif
