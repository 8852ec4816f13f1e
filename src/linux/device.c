/*
 * SPDX-License-Identifier: MIT
 *
 * macOS gives a volume another device number after a reboot. With
 * KQUEUE_FAULT_DEVICE=N in the environment, a program linked with
 * -Wl,--wrap=stat,--wrap=lstat,--wrap=fstat,--wrap=fstatat sees st_dev ^ N.
 * Without these flags nothing refers to this file.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Weak: a program with only some of these flags lacks the others. */
#define WEAK __attribute__((weak))

int __real_stat(const char *path, struct stat *st) WEAK;
int __real_lstat(const char *path, struct stat *st) WEAK;
int __real_fstat(int fd, struct stat *st) WEAK;
int __real_fstatat(int dir, const char *path, struct stat *st, int flags) WEAK;

int __wrap_stat(const char *path, struct stat *st);
int __wrap_lstat(const char *path, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_fstatat(int dir, const char *path, struct stat *st, int flags);

static int
altered(int result, struct stat *st)
{
	static dev_t number;
	static bool known;

	if (!known) {
		const char *s = getenv("KQUEUE_FAULT_DEVICE");

		number = s != NULL ? (dev_t)strtoull(s, NULL, 0) : 0;
		known = true;
	}
	if (result == 0)
		st->st_dev ^= number;
	return result;
}

int
__wrap_stat(const char *path, struct stat *st)
{
	return altered(__real_stat(path, st), st);
}

int
__wrap_lstat(const char *path, struct stat *st)
{
	return altered(__real_lstat(path, st), st);
}

int
__wrap_fstat(int fd, struct stat *st)
{
	return altered(__real_fstat(fd, st), st);
}

int
__wrap_fstatat(int dir, const char *path, struct stat *st, int flags)
{
	return altered(__real_fstatat(dir, path, st, flags), st);
}
