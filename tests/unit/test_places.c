/* SPDX-License-Identifier: MIT */
/*
 * Places by their spellings, on a system that folds names, which the test is told
 * to be.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/places.h"
#include "base/platform.h"
#include "test.h"

/* é in one piece, and as a letter and its accent. */
#define WHOLE "\303\251"
#define APART "e\314\201"

static bool folds;

bool
platform_folds_names(void)
{
	return folds;
}

static bool
are_alike(const char *a, const char *b)
{
	char *ka = places_key(a), *kb = places_key(b);
	bool alike = strcmp(ka, kb) == 0;

	free(ka);
	free(kb);
	return alike;
}

SET_UP
{
	folds = true;
}

TEST(spellings_of_a_name_have_one_key)
{
	assert_true(are_alike("/Volumes/Server", "/volumes/SERVER"));
	assert_true(
	    are_alike("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"));
	assert_false(are_alike("@", "`"));
	assert_false(are_alike("[", "{"));
	assert_true(are_alike("/" WHOLE, "/" APART));
	assert_true(are_alike("/x" WHOLE WHOLE "y", "/x" APART WHOLE "y"));
	assert_true(are_alike("/" WHOLE "e", "/" APART "e"));
	/* The small and the large one, in Cyrillic. */
	assert_true(are_alike("/\320\271", "/\320\230\314\206"));
	assert_false(are_alike("/e", "/" WHOLE));
	assert_false(are_alike("/a/b", "/ab"));
	assert_false(are_alike("/" WHOLE "/b", "/" WHOLE "b"));
	assert_true(are_alike("", ""));
}

TEST(where_names_are_not_folded_a_path_is_its_own_key)
{
	folds = false;
	assert_false(are_alike("/Volumes", "/volumes"));
	assert_false(are_alike("/" WHOLE, "/" APART));
	assert_true(are_alike("/" WHOLE, "/" WHOLE));
}

static bool
has(const struct places *p, const char *path)
{
	char *key = places_key(path);
	bool found = places_have(p, path, key);

	assert_true(places_may_have(p, key) || !found);
	free(key);
	return found;
}

TEST(a_place_is_found_by_other_spellings_but_not_another_file)
{
	struct places p = { .paths = { NULL, 0 } };
	char box[SANDBOX_SIZE], other[128];

	make_sandbox(box);
	snprintf(other, sizeof(other), "%s/" WHOLE "X", box);
	close(open(other, O_WRONLY | O_CREAT, 0600));
	places_add(&p, xasprintf("%s/\303\274x", box));
	places_add(&p, xasprintf("%s/Net", box));
	assert_true(has(&p, p.paths.v[0]));
	assert_false(has(&p, other));
	snprintf(other, sizeof(other), "%s/" APART "x", box);
	assert_true(has(&p, other));
	snprintf(other, sizeof(other), "%s/nEt", box);
	assert_true(has(&p, other));
	snprintf(other, sizeof(other), "%s/Nets", box);
	assert_false(has(&p, other));
	places_clear(&p);
	assert_false(has(&p, other));
	remove_tree(box);
}

TEST(a_path_is_found_below_places)
{
	char one[] = "/net", two[] = "/Volumes/share/", *both[] = { one, two, NULL };
	const struct strv dirs = { both, 2 }, none = { NULL, 0 };

	assert_string_equal(places_find_above(&dirs, "/net"), "/net");
	assert_string_equal(places_find_above(&dirs, "/net/host/f"), "/net");
	assert_string_equal(
	    places_find_above(&dirs, "/volumes/Share/f"), "/Volumes/share/");
	assert_null(places_find_above(&dirs, "/network/f"));
	assert_null(places_find_above(&dirs, "/Volumes"));
	assert_null(places_find_above(&none, "/net"));
	folds = false;
	assert_null(places_find_above(&dirs, "/volumes/Share/f"));
}
