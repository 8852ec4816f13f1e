/* SPDX-License-Identifier: MIT */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Which system this is, and calls that the two systems spell differently; for
 * `selftest`, which the daemon never is. macos/machine.c and linux/machine.c
 * implement it.
 */

/* "macOS 15.6.1 (24G90)" or "Linux 6.18.1"; and "arm64". */
#define MACHINE_TEXT_SIZE 128
void machine_system(char out[MACHINE_TEXT_SIZE]);
void machine_arch(char out[MACHINE_TEXT_SIZE]);

/* The type of the volume that path is on, such as "apfs". */
void machine_volume(const char *path, char out[MACHINE_TEXT_SIZE]);

/* Is kqueue(2) the kernel's own, so that a version of it can be better or worse? */
extern const bool machine_has_kqueue;

/* Nanoseconds on a clock that stands still while the machine sleeps. */
int64_t machine_uptime(void);

/* A shell command that sends the machine to sleep; NULL: it is not known here. */
extern const char *const machine_sleep_command;

/*
 * Does looking for a name download what is in the cloud only? 1 yes, 0 no, -1: this
 * system has no such files.
 */
int machine_downloads(void);

/* Does a notification of our own reach a descriptor? -1: this system has none. */
int machine_notifies(void);

/* Two names change places; a second file with one's content. 0, or -1 with errno. */
int machine_swap(const char *a, const char *b);
int machine_clone(const char *from, const char *to);

#endif
