/* SPDX-License-Identifier: MIT */
#ifndef CMD_DOCTOR_H
#define CMD_DOCTOR_H

/*
 * `doctor [--json] [--config DIR] [--state DIR] [--socket PATH] [--root DIR]`:
 * looks for what would keep rules from working, and says how to repair it. Returns
 * 0 when nothing is wrong, 1 when something is, 64 for a usage error.
 */
int doctor_main(int argc, char **argv);

#endif
