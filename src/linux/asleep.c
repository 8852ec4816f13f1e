/* SPDX-License-Identifier: MIT */
/*
 * No command that every Linux has; in a file of its own so that a test can have one.
 */
#include "base/machine.h"

const char *const machine_sleep_command = NULL;
