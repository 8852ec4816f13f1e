/* SPDX-License-Identifier: MIT */
/*
 * Linked in for `make coverage`: what a process has counted is written when it ends,
 * but not by _exit(2) and execve(2).
 */
#include <unistd.h>

void __gcov_dump(void);
void __gcov_reset(void);

void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));
int __real_execve(const char *path, char *const argv[], char *const env[]);
int __wrap_execve(const char *path, char *const argv[], char *const env[]);

void
__wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}

int
__wrap_execve(const char *path, char *const argv[], char *const env[])
{
	int error;

	__gcov_dump();
	error = __real_execve(path, argv, env);
	__gcov_reset();
	return error;
}
