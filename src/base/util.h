/* SPDX-License-Identifier: MIT */
#ifndef UTIL_H
#define UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NELEM(array) (sizeof(array) / sizeof((array)[0]))

/* The struct of that type whose member is at p. */
#define CONTAINER_OF(p, type, member) \
	((type *)(void *)((char *)(p)-offsetof(type, member)))

/*
 * Memory. Out of memory is fatal: one line on stderr, exit status 71, and
 * launchd starts the daemon again. All results are the caller's to free(3).
 */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* A list of owned strings; v is NULL-terminated, or NULL while n is 0. */
struct strv {
	char **v;
	size_t n;
};

void strv_push(struct strv *l, char *owned);
void strv_clear(struct strv *l);
bool strv_equal(const struct strv *a, const struct strv *b);
bool strv_contains(const struct strv *l, const char *s);

/*
 * Appends to a file of size bytes. False with errno: what was written of it is
 * cut off, so that the file ends as before.
 */
bool fd_append(int fd, const char *p, size_t len, off_t size);

/* How much of it could be written; less than len, with errno. */
size_t fd_write_all(int fd, const char *p, size_t len);

/* Closes *fd unless it is -1, which it is afterwards. errno stays. */
void fd_close(int *fd);

/* Is the open file the one at path, links not followed? False with errno ENOENT. */
bool fd_is_at(int fd, const char *path);

bool text_ends_in(const char *text, const char *end);

/* Is path dir or below it, as text? dir may end in a slash. */
bool path_is_below(const char *path, const char *dir);

/* Cuts the last component off, with the slash before it. */
void path_cut(char *path);

/* The directory that an absolute path is in, as text. free(3) it. */
char *path_parent(const char *path);

/* Bytes that grow; p is always NUL-terminated, or NULL while nothing was added. */
struct buf {
	char *p;
	size_t len, cap;
};

void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_clear(struct buf *b);

/*
 * Adds all that is left to read of fd. 0, or -1 with errno: EFBIG where out would
 * come to hold more than max bytes.
 */
int fd_read_all(int fd, struct buf *out, size_t max);

/*
 * Adds n bytes that came from outside so that they cannot harm a terminal, a
 * log or JSON: control bytes, DEL, `\`, what turns the direction of writing and
 * bytes that are not UTF-8 become \ooo.
 */
void buf_addvis(struct buf *b, const char *s, size_t n);

/* The same as a fresh string; the caller frees it. */
char *vis_dup(const char *s);

/* Likewise for text that should have been made visible already: `\` stays. */
char *safe_dup(const char *s);

/* Is it UTF-8 without control bytes, tab excepted? */
bool text_is_valid(const char *s);

/* Undoes buf_addvis; a \ that begins no \ooo stays. The caller frees it. */
char *unvis_dup(const char *s);

/*
 * A whole decimal number, no sign, no space, at most max. A duration: a whole
 * number and one of ms s m h d, or none for seconds; result in milliseconds. A
 * size: a whole number and k, M, G (powers of 1024) or none; result in bytes.
 * All return false, and leave *out alone, for anything else or too large.
 */
bool parse_number(const char *s, uint64_t max, uint64_t *out);
bool parse_int(const char *s, int64_t *out); /* may have a minus */
bool parse_duration(const char *s, int64_t *out_ms);
bool parse_size(const char *s, uint64_t *out);

/* The shortest text that parse_duration reads back as ms: "250ms", "2m". */
void format_duration(char *out, size_t size, int64_t ms);

/* Likewise for parse_size. */
void format_size(char *out, size_t size, uint64_t bytes);

/* "FILE:LINE", or FILE where line is 0: the file as a whole. free(3) it. */
char *place_dup(const char *file, int line);

/* CLOCK_REALTIME in nanoseconds since 1970. For stamps, logs and ids only. */
int64_t realtime_ns(void);

/* "2026-11-24T10:54:42.597Z". */
#define TIME_TEXT_SIZE 32
void format_time(char out[TIME_TEXT_SIZE], int64_t realtime_ns);

/* Reads that form back, from 1970 to 2262; false if it is anything else. */
bool parse_time(const char *s, int64_t *realtime_ns);

/* Sets close-on-exec and, if asked, O_NONBLOCK. 0, or -1 with errno. */
int fd_prepare(int fd, bool nonblock);

/*
 * The descriptor limit. Init remembers what this process was started with; raise
 * doubles the soft limit up to the hard one, or to the cap if that is less, and
 * returns false at its end. Lower puts the first value back, for a child to
 * inherit, and restore undoes it. Most is how far it can be raised.
 */
void fdlimit_init(void);
void fdlimit_cap(uint64_t most);
bool fdlimit_raise(void);
void fdlimit_lower(void);
void fdlimit_restore(void);
uint64_t fdlimit_most(void);

#endif
