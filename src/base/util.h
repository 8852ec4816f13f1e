/* SPDX-License-Identifier: MIT */
#ifndef UTIL_H
#define UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* Makes room for n bytes more. */
void buf_reserve(struct buf *b, size_t n);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_clear(struct buf *b);

/* "FILE:LINE", or FILE where line is 0: the file as a whole. free(3) it. */
char *place_dup(const char *file, int line);

#endif
