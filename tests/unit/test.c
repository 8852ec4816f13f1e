/* SPDX-License-Identifier: MIT */
/* The main of every unit test: what test.h promises. */
#include "test.h"

#include <dlfcn.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TESTS_MAX 256

struct test {
	int line;
	test_function *function;
};

struct test_hooks test_hooks;
static struct test tests[TESTS_MAX];
static struct CMUnitTest list[TESTS_MAX];
static size_t ntests;

void *
test_libc(const char *name)
{
	char darwin[64];
	void *real;

	/* Macs with Intel's processor have the old struct stat under the plain name. */
	snprintf(darwin, sizeof(darwin), "%s$INODE64", name);
	real = dlsym(RTLD_NEXT, darwin);
	return real != NULL ? real : dlsym(RTLD_NEXT, name);
}

static void
call(test_function *function)
{
	if (function != NULL)
		function();
}

static int
set_up_all(void **unused)
{
	(void)unused;
	call(test_hooks.set_up_all);
	return 0;
}

static int
tear_down_all(void **unused)
{
	(void)unused;
	call(test_hooks.tear_down_all);
	return 0;
}

static int
set_up(void **unused)
{
	(void)unused;
	call(test_hooks.set_up);
	return 0;
}

static int
tear_down(void **unused)
{
	(void)unused;
	call(test_hooks.tear_down);
	return 0;
}

static void
run(void **test)
{
	((const struct test *)*test)->function();
}

/* A compiler may call constructors in any order: by line they are sorted in. */
void
test_add(const char *name, test_function *function, int line)
{
	size_t i = ntests++;

	if (ntests > TESTS_MAX)
		abort();
	for (; i > 0 && tests[i - 1].line > line; i--) {
		tests[i] = tests[i - 1];
		list[i] = list[i - 1];
		list[i].initial_state = &tests[i];
	}
	tests[i] = (struct test){ line, function };
	list[i] = (struct CMUnitTest){ name, run, set_up, tear_down, &tests[i] };
}

void
test_must(bool good, const char *text, const char *file, int line)
{
	if (!good) {
		print_error("%s: %s\n", text, strerror(errno));
		_fail(file, line);
	}
}

uint64_t
test_seed(void)
{
	const char *given = getenv("SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	print_message("# SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

void
make_sandbox(char path[SANDBOX_SIZE])
{
	char name[] = "/tmp/wpd.XXXXXX", real[PATH_MAX];

	assert_non_null(mkdtemp(name));
	assert_non_null(realpath(name, real));
	assert_true(strlen(real) < SANDBOX_SIZE);
	strcpy(path, real);
}

const char *
path_in(const char *dir, const char *name)
{
	static char ring[8][2 * PATH_MAX];
	static unsigned next;
	char *out = ring[next++ % 8];
	bool bare = name[0] == '/' || name[0] == '\0';

	snprintf(out, sizeof(ring[0]), "%s%s%s", dir, bare ? "" : "/", name);
	return out;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	(void)remove(path);
	return 0;
}

void
remove_tree(const char *path)
{
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int
main(int argc, char **argv)
{
	int status = RUN_TESTS;

	if (test_hooks.before != NULL)
		status = test_hooks.before(argc, argv);
	if (status != RUN_TESTS)
		return status;
	return _cmocka_run_group_tests(argv[0], list, ntests, set_up_all, tear_down_all);
}
