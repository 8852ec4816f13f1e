/* SPDX-License-Identifier: MIT */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef void test_function(void);

/* A test, TEST(a_sentence) { ... }. It registers itself; they run in file order. */
#define TEST(name)                                                \
	static test_function name;                                \
	static __attribute__((constructor)) void add_##name(void) \
	{                                                         \
		test_add(#name, name, __LINE__);                  \
	}                                                         \
	static void name(void)

/* What every test of the file begins and ends with: SET_UP { ... } */
#define SET_UP TEST_HOOK(set_up)
#define TEAR_DOWN TEST_HOOK(tear_down)

/* What comes once, before all of them and after. */
#define SET_UP_ALL TEST_HOOK(set_up_all)
#define TEAR_DOWN_ALL TEST_HOOK(tear_down_all)

/*
 * The program has another life, BEFORE_TESTS(argc, argv) { ... }: returns the exit
 * status of that, or RUN_TESTS.
 */
#define BEFORE_TESTS(argc, argv) TEST_MAIN_HOOK(argc, argv)
#define RUN_TESTS (-1)

/* libc's own function of that name, for one that stands in its place. */
#define LIBC(call) ((__typeof__(&(call)))test_libc(#call))

/* Darwin has its own names for the times of a file. */
#ifdef __APPLE__
#define MTIM st_mtimespec
#define CTIM st_ctimespec
#else
#define MTIM st_mtim
#define CTIM st_ctim
#endif

/* The call must not fail with -1. */
#define must(call) test_must((call) != -1, #call, __FILE__, __LINE__)

/* The seed in SEED, or one from the clock. It is printed. */
uint64_t test_seed(void);

/* A new directory below /tmp, as a path without links. */
#define SANDBOX_SIZE 64
void make_sandbox(char path[SANDBOX_SIZE]);

/*
 * dir/name, or dir alone for "". A slash that name begins with counts once. Good for
 * eight calls.
 */
const char *path_in(const char *dir, const char *name);

/* Removes path and all below it that can be removed. */
void remove_tree(const char *path);

/* For the macros above. */
extern struct test_hooks {
	test_function *set_up, *tear_down, *set_up_all, *tear_down_all;
	int (*before)(int argc, char **argv);
} test_hooks;
void test_add(const char *name, test_function *function, int line);
void *test_libc(const char *name);
void test_must(bool good, const char *call, const char *file, int line);

#define TEST_HOOK(hook)                                                  \
	static test_function hook##_hook;                                \
	static __attribute__((constructor)) void add_##hook##_hook(void) \
	{                                                                \
		test_hooks.hook = hook##_hook;                           \
	}                                                                \
	static void hook##_hook(void)

#define TEST_MAIN_HOOK(argc, argv)                                      \
	static int before_tests(int argc, char **argv);                 \
	static __attribute__((constructor)) void add_before_tests(void) \
	{                                                               \
		test_hooks.before = before_tests;                       \
	}                                                               \
	static int before_tests(int argc, char **argv)

#endif
