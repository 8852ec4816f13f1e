/* SPDX-License-Identifier: MIT */

/*
 * Keeps which format strings a program uses, in HITS_FILE, which every program
 * of the tests shares: linked in with the formatting functions wrapped. It takes
 * no descriptor and leaves errno alone, so that the program does not notice.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RECORD_SIZE (4U << 20)
#define SEEN_SIZE 4096U

struct record {
	_Atomic unsigned used;
	char text[]; /* strings, each with its NUL */
};

static struct record *shared;
static const char *seen[SEEN_SIZE]; /* a set of pointers, by their value */

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

/* Has this process used it before? A full set forgets nothing that matters. */
static int
is_new(const char *fmt)
{
	size_t i = ((size_t)fmt >> 2) % SEEN_SIZE;

	if (seen[i] == fmt)
		return 0;
	seen[i] = fmt;
	return 1;
}

static void
record(const char *fmt)
{
	size_t len = strlen(fmt) + 1;
	unsigned at;

	if (shared == NULL || !is_new(fmt))
		return;
	at = atomic_fetch_add(&shared->used, (unsigned)len);
	if (at + len + sizeof(*shared) <= RECORD_SIZE)
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
