/* SPDX-License-Identifier: MIT */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/heap.h"
#include "base/mono.h"

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

/* The same, with the level as an argument; flushes only a full buffer. */
void
log_at(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * What one rule has logged lately. Whoever may write what it watches decides how
 * often it logs, and must not push everything else out of the log. Name is borrowed.
 */
#define LOG_RULE_LINES 20U /* in LOG_RULE_NS */
#define LOG_RULE_NS (10 * MONO_SEC)
#define LOG_LINE_MAX 2048 /* bytes of such a line; what is more is counted */
#define LOG_RUN_MAX ((size_t)64 * 1024)    /* bytes of a run's output */
#define LOG_HOUR_MAX ((size_t)1024 * 1024) /* and of a rule's in an hour */
struct log_rule {
	const char *name;
	mono_t until; /* end of the time that lines are counted for */
	unsigned lines, missing;
	struct heap_node noisy;     /* while lines are missing */
	size_t run_room, hour_room; /* bytes of output, as they stand in the log */
	mono_t hour_ends;
};
void log_rule_init(struct log_rule *r, const char *name);
void log_rule_clear(struct log_rule *r);

/* As log_at, up to LOG_RULE_LINES; later it is logged how many more there were. */
void log_rule_at(struct log_rule *r, enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Logs how many lines are missing, when that is due; and when it is due next. */
void log_due(mono_t now);
mono_t log_deadline(void);

/* A run of the rule begins: its output has LOG_RUN_MAX. */
void log_rule_run(struct log_rule *r);

/*
 * A line of an action's output: to the log, never to the sink. False: there was
 * no room for it, and there is none for the rest of the run.
 */
bool log_output(struct log_rule *r, const char *line, size_t len);

/* Logs how many bytes of output there was no room for. */
void log_output_missing(struct log_rule *r, uint64_t bytes);

void log_set_level(enum log_level max);

/* Also called with every line but output: macOS's unified log. NULL: none. */
typedef void log_sink_fn(enum log_level level, const char *line);
void log_set_sink(log_sink_fn *fn);

/*
 * Logs to path from now on: O_APPEND, O_NOFOLLOW, mode 0640; past 5 MiB it is
 * renamed to path.1, .1 to .2, .2 to .3. 0, or -1 with errno, and the log stays
 * where it was. A file that vanishes or cannot be written is opened again at
 * later flushes; meanwhile lines go to stderr, and the latest are kept until
 * they can be written: whole, and with the number of those that are missing.
 */
int log_open(const char *path);

/* How many rotated files are kept beside the log. */
#define LOG_KEEP 3

/* Writes the lines that wait; those that cannot be written wait on. */
void log_flush(void);

/* errno, while lines wait that cannot be written; else 0. */
int log_failing(void);

/* Flushes and closes the file. */
void log_close(void);

#endif
