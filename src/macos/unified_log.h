/* SPDX-License-Identifier: MIT */
#ifndef UNIFIED_LOG_H
#define UNIFIED_LOG_H

#include "base/log.h"

/*
 * A log_sink_fn: sends line to the unified log, subsystem org.watchpathd. Only debug
 * lines are of a type that is kept in memory and not on disk.
 */
void unified_log_line(enum log_level level, const char *line);

#endif
