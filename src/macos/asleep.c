/* SPDX-License-Identifier: MIT */
/*
 * How a Mac is sent to sleep, in a file of its own so that a test can have another.
 */
#include "base/machine.h"

const char *const machine_sleep_command = "/usr/bin/pmset sleepnow";
