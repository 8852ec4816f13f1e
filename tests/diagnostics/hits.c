/* SPDX-License-Identifier: MIT */

/*
 * Keeps which format strings a program uses, in HITS_FILE, which every program
 * of the tests shares: linked in with the formatting functions wrapped. It takes
 * no descriptor and leaves errno alone, so that the program does not notice.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORD_SIZE (1U << 20)
#define RECENT_SIZE 4096U

struct record {
	_Atomic unsigned used;
	char text[]; /* strings, each with its NUL */
};

static struct record *shared;
static const char *recent[RECENT_SIZE]; /* by this process, some of them */

__attribute__((constructor)) static void
open_record(void)
{
	mode_t old = umask(0);
	int fd = open(HITS_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	umask(old);
	if (fd == -1)
		return;
	if (ftruncate(fd, RECORD_SIZE) == 0) {
		shared =
		    mmap(NULL, RECORD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (shared == MAP_FAILED)
			shared = NULL;
	}
	close(fd);
}

/* Thousands of processes use the same few hundred strings: each is kept once. */
static int
is_kept(const char *fmt)
{
	const char *s = shared->text, *end = s + atomic_load(&shared->used);

	for (; s < end; s += strlen(s) + 1)
		if (strcmp(s, fmt) == 0)
			return 1;
	return 0;
}

static void
record(const char *fmt)
{
	size_t slot = ((size_t)fmt >> 2) % RECENT_SIZE, len = strlen(fmt) + 1;
	unsigned at;

	if (shared == NULL || recent[slot] == fmt)
		return;
	recent[slot] = fmt;
	if (is_kept(fmt))
		return;
	at = atomic_fetch_add(&shared->used, (unsigned)len);
	if (at + len + sizeof(*shared) > RECORD_SIZE)
		abort();
	memcpy(shared->text + at, fmt, len);
}

int __real_vsnprintf(char *s, size_t n, const char *fmt, va_list ap);
int __real_vasprintf(char **s, const char *fmt, va_list ap);
int __wrap_vsnprintf(char *s, size_t n, const char *fmt, va_list ap);
int __wrap_vasprintf(char **s, const char *fmt, va_list ap);
int __wrap_snprintf(char *s, size_t n, const char *fmt, ...);
int __wrap_fprintf(FILE *f, const char *fmt, ...);

int
__wrap_vsnprintf(char *s, size_t n, const char *fmt, va_list ap)
{
	record(fmt);
	return __real_vsnprintf(s, n, fmt, ap);
}

int
__wrap_vasprintf(char **s, const char *fmt, va_list ap)
{
	record(fmt);
	return __real_vasprintf(s, fmt, ap);
}

int
__wrap_snprintf(char *s, size_t n, const char *fmt, ...)
{
	va_list ap;
	int len;

	record(fmt);
	va_start(ap, fmt);
	len = __real_vsnprintf(s, n, fmt, ap);
	va_end(ap);
	return len;
}

int
__wrap_fprintf(FILE *f, const char *fmt, ...)
{
	va_list ap;
	int len;

	record(fmt);
	va_start(ap, fmt);
	len = vfprintf(f, fmt, ap);
	va_end(ap);
	return len;
}
