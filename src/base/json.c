/* SPDX-License-Identifier: MIT */
/*
 * What every user of cJSON here needs, once. It knows nothing of what the JSON
 * is about.
 */
#include "base/json.h"

#include <cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "base/number.h"
#include "base/visible.h"

void
json_init(void)
{
	cJSON_Hooks hooks = { .malloc_fn = xmalloc, .free_fn = free };

	cJSON_InitHooks(&hooks);
}

cJSON *
json_parse(const char *text, size_t len)
{
	char *copy;
	cJSON *o = NULL;

	/* cJSON stops at a NUL, and cuts a string at \u0000. */
	if (memchr(text, '\0', len) != NULL)
		return NULL;
	copy = xstrndup(text, len);
	if (strstr(copy, "\\u0000") == NULL)
		o = cJSON_ParseWithOpts(copy, NULL, 1);
	free(copy);
	if (o != NULL && !cJSON_IsObject(o)) {
		cJSON_Delete(o);
		o = NULL;
	}
	return o;
}

static void
make_safe(char **text)
{
	char *safe = safe_dup(*text);

	cJSON_free(*text);
	*text = safe;
}

void
json_make_safe(cJSON *o)
{
	cJSON *item;

	if (o->string != NULL)
		make_safe(&o->string);
	if (o->valuestring != NULL)
		make_safe(&o->valuestring);
	cJSON_ArrayForEach(item, o)
		json_make_safe(item);
}

void
json_add_text(cJSON *o, const char *key, const char *s)
{
	char *visible;

	if (s == NULL) {
		cJSON_AddNullToObject(o, key);
		return;
	}
	visible = vis_dup(s);
	cJSON_AddStringToObject(o, key, visible);
	free(visible);
}

void
json_push_text(cJSON *array, const char *s)
{
	char *visible = vis_dup(s);

	cJSON_AddItemToArray(array, cJSON_CreateString(visible));
	free(visible);
}

void
json_add_list(cJSON *o, const char *key, const struct strv *list)
{
	cJSON *array = cJSON_AddArrayToObject(o, key);
	size_t i;

	for (i = 0; i < list->n; i++)
		json_push_text(array, list->v[i]);
}

void
json_add_int(cJSON *o, const char *key, int64_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, n);
	cJSON_AddStringToObject(o, key, text);
}

void
json_add_time(cJSON *o, const char *key, int64_t ns)
{
	char text[TIME_TEXT_SIZE];

	if (ns == 0) {
		cJSON_AddNullToObject(o, key);
		return;
	}
	format_time(text, ns);
	cJSON_AddStringToObject(o, key, text);
}

cJSON *
json_get(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

bool
json_is_true(const cJSON *o, const char *key)
{
	return cJSON_IsTrue(json_get(o, key));
}

const char *
json_get_string(const cJSON *o, const char *key)
{
	return cJSON_GetStringValue(json_get(o, key));
}

const char *
json_string_of(const cJSON *o, const char *key)
{
	const char *s = json_get_string(o, key);

	return s != NULL ? s : "";
}

char *
json_get_text(const cJSON *o, const char *key)
{
	const char *s = json_get_string(o, key);

	return s != NULL ? unvis_dup(s) : NULL;
}

bool
json_get_int(const cJSON *o, const char *key, int64_t *n)
{
	const char *s = json_get_string(o, key);

	return s != NULL && parse_int(s, n);
}

char *
json_line(const cJSON *o)
{
	char *text = cJSON_PrintUnformatted(o);
	size_t len = strlen(text);

	text = xreallocarray(text, len + 2, 1);
	memcpy(text + len, "\n", 2);
	return text;
}
