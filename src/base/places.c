/* SPDX-License-Identifier: MIT */
/*
 * One stat of a dead network volume would stop every rule, so such a path must be
 * recognised before. Unicode's tables are not needed for that: paths are compared by
 * what no spelling can change, and in doubt the directory is listed.
 */
#include "base/places.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/platform.h"

#define OTHERS '\001' /* stands for any letters beyond ASCII */

static bool
is_ascii(char c)
{
	return (unsigned char)c < 0x80;
}

/* U+0300 to U+036F: what an accented letter of ASCII is taken apart into. */
static bool
is_accent(const char *s)
{
	unsigned char a = (unsigned char)s[0], b = (unsigned char)s[1];

	return (a == 0xcc && b >= 0x80) || (a == 0xcd && b >= 0x80 && b <= 0xaf);
}

char *
places_key(const char *path)
{
	char *key = xstrdup(path), *to = key;
	const char *s;

	for (s = path; platform_folds_names() && *s != '\0'; s++) {
		if (!is_ascii(*s) || (*s != '/' && !is_ascii(s[1]) && is_accent(s + 1))) {
			if (to == key || to[-1] != OTHERS)
				*to++ = OTHERS;
		} else {
			*to++ = (char)(*s >= 'A' && *s <= 'Z' ? *s - 'A' + 'a' : *s);
		}
	}
	if (to != key)
		*to = '\0';
	return key;
}

void
places_add(struct places *p, char *path)
{
	char *key = places_key(path);

	strv_push(&p->paths, path);
	strv_push(&p->keys, key);
	if (map_get(&p->by_key, key) == NULL)
		map_put(&p->by_key, key, path);
}

void
places_clear(struct places *p)
{
	map_clear(&p->by_key);
	strv_clear(&p->keys);
	strv_clear(&p->paths);
}

bool
places_may_have(const struct places *p, const char *key)
{
	return map_get(&p->by_key, key) != NULL;
}

static const char *
last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* Does path's directory have its name, byte for byte? */
static bool
is_listed(const char *path)
{
	const char *name = last_name(path);
	char *dir = xasprintf("%.*s", (int)(name - path), path);
	struct dirent *ent;
	bool found = false;
	DIR *d = opendir(dir);

	free(dir);
	while (d != NULL && !found && (ent = readdir(d)) != NULL)
		found = strcmp(ent->d_name, name) == 0;
	if (d != NULL)
		closedir(d);
	return found;
}

bool
places_have(const struct places *p, const char *path, const char *key)
{
	size_t i;

	if (!places_may_have(p, key))
		return false;
	for (i = 0; i < p->paths.n; i++)
		if (strcmp(p->keys.v[i], key) == 0 &&
		    strcmp(last_name(p->paths.v[i]), last_name(path)) == 0)
			return true;
	return !is_listed(path);
}

const char *
places_find_above(const struct strv *paths, const char *path)
{
	char *key = places_key(path), *above;
	const char *found = NULL;
	size_t i;

	for (i = 0; i < paths->n && found == NULL; i++) {
		above = places_key(paths->v[i]);
		if (path_is_below(key, above))
			found = paths->v[i];
		free(above);
	}
	free(key);
	return found;
}
