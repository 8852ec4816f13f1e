/* SPDX-License-Identifier: MIT */
/* Memory, lists of strings, bytes that grow, and paths as text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/util.h"
#include "test.h"

TEST(the_parent_of_a_path_is_all_before_its_last_slash)
{
	static const char *const paths[][2] = { { "/a", "/" }, { "/a/b", "/a" },
		{ "/a/b/", "/a/b" }, { "/", "/" } };
	char *parent;
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		parent = path_parent(paths[i][0]);
		assert_string_equal(parent, paths[i][1]);
		free(parent);
	}
}

TEST(memory_is_cleared_and_never_null)
{
	char *p = xcalloc(100, 3);
	size_t i;

	for (i = 0; i < 300; i++)
		assert_int_equal(p[i], 0);
	free(p);
	p = xcalloc(0, 5);
	assert_non_null(p);
	p = xreallocarray(p, 0, 0);
	assert_non_null(p);
	free(p);
	p = xasprintf("%d-%s", 5, "x");
	assert_string_equal(p, "5-x");
	free(p);
	p = xstrndup("abcdef", 3);
	assert_string_equal(p, "abc");
	free(p);
}

TEST(out_of_memory_ends_the_process_for_launchd_to_start_it_anew)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		fclose(stderr);
		xreallocarray(NULL, SIZE_MAX / 2, 3);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EX_OSERR);
}

TEST(a_list_of_strings_grows_and_ends_with_null)
{
	struct strv a = { NULL, 0 }, b = { NULL, 0 };
	size_t i;

	assert_true(strv_equal(&a, &b));
	for (i = 0; i < 1000; i++) {
		strv_push(&a, xasprintf("%zu", i));
		assert_int_equal(a.n, i + 1);
		assert_null(a.v[a.n]);
		assert_false(strv_equal(&a, &b));
		strv_push(&b, xasprintf("%zu", i));
		assert_true(strv_equal(&a, &b));
	}
	assert_string_equal(a.v[777], "777");
	b.v[500][0] = 'x';
	assert_false(strv_equal(&a, &b));
	strv_clear(&a);
	assert_int_equal(a.n, 0);
	assert_null(a.v);
	strv_clear(&a);
	strv_clear(&b);
}

TEST(a_buffer_grows_and_is_always_terminated)
{
	struct buf b = { NULL, 0, 0 };
	char big[5000];
	int i;

	buf_add(&b, NULL, 0);
	assert_string_equal(b.p, "");
	buf_addf(&b, "%s", "");
	assert_string_equal(b.p, "");
	for (i = 0; i < 1000; i++) {
		buf_adds(&b, "ab");
		buf_addf(&b, "%d", i % 10);
		assert_int_equal(b.len, strlen(b.p));
		assert_true(b.cap > b.len);
	}
	assert_memory_equal(b.p + 3 * 998, "ab8ab9", 7);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	buf_addf(&b, "%s", big);
	assert_int_equal(b.len, 3000 + 4999);
	buf_add(&b, "a\0b", 3);
	assert_int_equal(b.len, 3000 + 4999 + 3);
	buf_clear(&b);
	assert_null(b.p);
}

TEST(a_text_ends_in_another)
{
	assert_true(text_ends_in("a.ini", ".ini"));
	assert_true(text_ends_in(".ini", ".ini"));
	assert_false(text_ends_in("ini", ".ini"));
	assert_false(text_ends_in("a.init", ".ini"));
}

TEST(a_path_is_cut_before_its_last_component)
{
	char path[] = "/a/b", none[] = "a";

	path_cut(path);
	assert_string_equal(path, "/a");
	path_cut(path);
	assert_string_equal(path, "");
	path_cut(none);
	assert_string_equal(none, "a");
}
