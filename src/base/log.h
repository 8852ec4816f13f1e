/* SPDX-License-Identifier: MIT */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/*
 * One line each, with time and level: to stderr, or to the file of log_open.
 * Lines are kept in memory until log_flush, so that nothing between an event
 * and its spawn writes to a disk; an error level line and a full buffer flush
 * by themselves. What is not printable becomes \ooo. No newline at the end.
 */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same, with a level that depends; never flushes but a full buffer. */
void
log_at(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A line of an action's output: to the log, never to the sink. */
void log_output(const char *rule, const char *line, size_t len);

void log_set_level(enum log_level max);

/* Also called with every line but output: macOS's unified log. NULL: none. */
typedef void log_sink_fn(enum log_level level, const char *line);
void log_set_sink(log_sink_fn *fn);

/*
 * Logs to path from now on: O_APPEND, O_NOFOLLOW, mode 0640; past 5 MiB it is
 * renamed to path.1, .1 to .2, .2 to .3. 0, or -1 with errno, and the log stays
 * where it was. A file that vanishes or cannot be written is opened anew at
 * later flushes; meanwhile lines go to stderr, and the latest are kept until
 * they can be written: whole, and with the number of those that are missing.
 */
int log_open(const char *path);

/* How many rotated files are kept beside the log. */
#define LOG_KEEP 3

/* Writes what is held back, and says nothing of what cannot be written. */
void log_flush(void);

/* errno, while lines wait that cannot be written; else 0. */
int log_failing(void);

/* Flushes and closes the file. */
void log_close(void);

#endif
