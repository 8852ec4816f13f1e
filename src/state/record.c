/* SPDX-License-Identifier: MIT */
/*
 * A record as a line of JSON, and back. It knows the form, not the use of the values;
 * a line that is not wholly of the form is refused.
 */
#include "state/record.h"

#include <cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/visible.h"
#include "rules/rule.h"

void
record_clear(struct record *r)
{
	size_t i;

	free(r->rule);
	strv_clear(&r->watch);
	free(r->others);
	for (i = 0; i < r->npaths; i++)
		free(r->paths[i].path);
	free(r->paths);
	free(r->process);
	free(r->boot);
	free(r->run);
	cJSON_Delete(r->last_run);
	*r = (struct record){ .rule = NULL };
}

/* The members that are numbers: one table for both directions. */
enum width { W_UNSIGNED, W_PID, W_I64, W_U64 };
static const struct member {
	const char *key;
	enum width width;
	size_t offset;
} members[] = {
	{ "causes", W_UNSIGNED, offsetof(struct record, state.cause) },
	{ "next_attempt", W_UNSIGNED, offsetof(struct record, state.attempt) },
	{ "failures", W_UNSIGNED, offsetof(struct record, state.failures) },
	{ "wait", W_UNSIGNED, offsetof(struct record, state.wait) },
	{ "others_owed", W_UNSIGNED, offsetof(struct record, others_owed) },
	{ "others_notices", W_UNSIGNED, offsetof(struct record, others_notices) },
	{ "detected", W_I64, offsetof(struct record, detected) },
	{ "ended", W_I64, offsetof(struct record, state.ended) },
	{ "succeeded", W_I64, offsetof(struct record, state.succeeded) },
	{ "retry_at", W_I64, offsetof(struct record, state.retry_at) },
	{ "retry_length", W_I64, offsetof(struct record, state.retry_length) },
	{ "pid", W_PID, offsetof(struct record, pid) },
	{ "started", W_I64, offsetof(struct record, started) },
	{ "runs", W_U64, offsetof(struct record, runs) },
	{ "failed", W_U64, offsetof(struct record, failed) },
	{ "left", W_I64, offsetof(struct record, left) },
};
_Static_assert(sizeof(unsigned) == sizeof(uint32_t) && sizeof(pid_t) == sizeof(int32_t),
    "members are read and written by width");

static int64_t
member_get(const struct record *r, const struct member *m)
{
	const void *at = (const char *)r + m->offset;

	switch (m->width) {
	case W_UNSIGNED:
		return *(const uint32_t *)at;
	case W_PID:
		return *(const pid_t *)at;
	case W_U64:
		return (int64_t) * (const uint64_t *)at;
	case W_I64:
		break;
	}
	return *(const int64_t *)at;
}

/* False: the value does not fit, or is no run: 1 is init, and kill(-1) is for all. */
static bool
member_set(struct record *r, const struct member *m, int64_t n)
{
	void *at = (char *)r + m->offset;

	if (n < 0 || (m->width == W_UNSIGNED && n > UINT32_MAX) ||
	    (m->width == W_PID && (n > INT32_MAX || n == 1)))
		return false;
	switch (m->width) {
	case W_UNSIGNED:
		*(uint32_t *)at = (uint32_t)n;
		break;
	case W_PID:
		*(pid_t *)at = (pid_t)n;
		break;
	case W_U64:
		*(uint64_t *)at = (uint64_t)n;
		break;
	case W_I64:
		*(int64_t *)at = n;
		break;
	}
	return true;
}

static bool
parse_numbers(struct record *r, const cJSON *o)
{
	size_t i;
	int64_t n;

	/* What is 0 is not written. */
	for (i = 0; i < NELEM(members); i++) {
		if (json_get(o, members[i].key) == NULL)
			continue;
		if (!json_get_int(o, members[i].key, &n) ||
		    !member_set(r, &members[i], n))
			return false;
	}
	return true;
}

static bool
parse_watch(struct record *r, const cJSON *list)
{
	const cJSON *item;

	if (!cJSON_IsArray(list))
		return false;
	cJSON_ArrayForEach(item, list) {
		if (!cJSON_IsString(item))
			return false;
		strv_push(&r->watch, unvis_dup(item->valuestring));
	}
	return true;
}

/* Four numbers of 16 hexadecimal digits. */
#define OTHERS_DIGITS 16
#define OTHERS_TEXT_SIZE (4 * OTHERS_DIGITS + 1)

static void
others_print(char out[OTHERS_TEXT_SIZE], const struct watch_others *o)
{
	snprintf(out, OTHERS_TEXT_SIZE,
	    "%016" PRIx64 "%016" PRIx64 "%016" PRIx64 "%016" PRIx64, o->n, o->names,
	    o->contents, o->attributes);
}

static bool
others_parse(struct watch_others *out, const char *text)
{
	uint64_t *const to[] = { &out->n, &out->names, &out->contents, &out->attributes };
	char digits[OTHERS_DIGITS + 1];
	size_t i;

	if (strlen(text) != OTHERS_TEXT_SIZE - 1 ||
	    strspn(text, "0123456789abcdef") != OTHERS_TEXT_SIZE - 1)
		return false;
	for (i = 0; i < 4; i++) {
		memcpy(digits, text + i * OTHERS_DIGITS, OTHERS_DIGITS);
		digits[OTHERS_DIGITS] = '\0';
		*to[i] = strtoull(digits, NULL, 16);
	}
	return true;
}

/* One text for each entry; of a daemon that knew none, there is no list. */
static bool
parse_others(struct record *r, const cJSON *list)
{
	const cJSON *item;
	size_t i = 0;

	r->others = xcalloc(r->watch.n, sizeof(*r->others));
	if (list == NULL)
		return true;
	if (!cJSON_IsArray(list) || (size_t)cJSON_GetArraySize(list) != r->watch.n)
		return false;
	cJSON_ArrayForEach(item, list) {
		if (!cJSON_IsString(item) ||
		    !others_parse(&r->others[i++], item->valuestring))
			return false;
	}
	return true;
}

#define OWED_MAX (CHANGE_CREATE | CHANGE_MODIFY | CHANGE_DELETE | CHANGE_ATTRIBUTES)

static bool
parse_path(struct record_path *p, const cJSON *item)
{
	const char *seen = json_get_string(item, "seen");
	int64_t owed = 0;

	p->path = json_get_text(item, "path");
	if (p->path == NULL || seen == NULL || !stamp_parse(&p->seen, seen))
		return false;
	if (json_get(item, "owed") != NULL &&
	    (!json_get_int(item, "owed", &owed) || owed < 0 || owed > OWED_MAX))
		return false;
	p->owed = (unsigned)owed;
	return true;
}

static bool
parse_paths(struct record *r, const cJSON *list)
{
	const cJSON *item;

	if (!cJSON_IsArray(list))
		return false;
	r->paths = xcalloc((size_t)cJSON_GetArraySize(list), sizeof(*r->paths));
	cJSON_ArrayForEach(item, list) {
		if (!parse_path(&r->paths[r->npaths++], item))
			return false;
	}
	return true;
}

/* The members that are true or absent. */
static const struct flag {
	const char *key;
	size_t offset;
} flags[] = {
	{ "verify_first", offsetof(struct record, verify_first) },
	{ "alerted", offsetof(struct record, alerted) },
};

static bool
parse_object(struct record *r, cJSON *o)
{
	const cJSON *flag;
	size_t i;

	r->rule = json_get_text(o, "rule");
	r->process = json_get_text(o, "process");
	r->boot = json_get_text(o, "boot");
	r->run = json_get_text(o, "run");
	for (i = 0; i < NELEM(flags); i++) {
		flag = json_get(o, flags[i].key);
		if (flag != NULL && !cJSON_IsTrue(flag))
			return false;
		*(bool *)((char *)r + flags[i].offset) = flag != NULL;
	}
	if (r->rule == NULL || !parse_numbers(r, o) ||
	    !parse_watch(r, json_get(o, "watch")) ||
	    !parse_others(r, json_get(o, "others")) ||
	    !parse_paths(r, json_get(o, "paths")) || r->others_owed > OWED_MAX)
		return false;
	if (r->pid != 0 && (r->process == NULL || r->boot == NULL || r->run == NULL))
		return false;
	r->last_run = cJSON_DetachItemFromObjectCaseSensitive(o, "last_run");
	if (r->last_run != NULL && !cJSON_IsObject(r->last_run))
		return false;
	return true;
}

bool
record_parse(struct record *r, const char *line, size_t len)
{
	cJSON *o = json_parse(line, len);
	bool ok;

	*r = (struct record){ .rule = NULL };
	if (o == NULL)
		return false;
	ok = parse_object(r, o);
	cJSON_Delete(o);
	if (!ok)
		record_clear(r);
	return ok;
}

static void
add_paths(cJSON *o, const struct record *r)
{
	cJSON *list = cJSON_AddArrayToObject(o, "paths"), *item;
	char text[STAMP_TEXT_SIZE];
	size_t i;

	for (i = 0; i < r->npaths; i++) {
		item = cJSON_CreateObject();
		json_add_text(item, "path", r->paths[i].path);
		stamp_print(text, &r->paths[i].seen);
		cJSON_AddStringToObject(item, "seen", text);
		if (r->paths[i].owed != 0)
			json_add_int(item, "owed", r->paths[i].owed);
		cJSON_AddItemToArray(list, item);
	}
}

/* Few rules have any. */
static void
add_others(cJSON *o, const struct record *r)
{
	char text[OTHERS_TEXT_SIZE];
	cJSON *list;
	bool any = false;
	size_t i;

	for (i = 0; r->others != NULL && i < r->watch.n; i++)
		any |= r->others[i].n > 0;
	if (!any)
		return;
	list = cJSON_AddArrayToObject(o, "others");
	for (i = 0; i < r->watch.n; i++) {
		others_print(text, &r->others[i]);
		cJSON_AddItemToArray(list, cJSON_CreateString(text));
	}
}

char *
record_print(const struct record *r)
{
	cJSON *o = cJSON_CreateObject();
	size_t i;
	char *line;

	json_add_text(o, "rule", r->rule);
	json_add_list(o, "watch", &r->watch);
	add_others(o, r);
	add_paths(o, r);
	for (i = 0; i < NELEM(members); i++)
		if (member_get(r, &members[i]) != 0)
			json_add_int(o, members[i].key, member_get(r, &members[i]));
	for (i = 0; i < NELEM(flags); i++)
		if (*(const bool *)((const char *)r + flags[i].offset))
			cJSON_AddTrueToObject(o, flags[i].key);
	if (r->pid != 0) {
		json_add_text(o, "process", r->process);
		json_add_text(o, "boot", r->boot);
		json_add_text(o, "run", r->run);
	}
	if (r->last_run != NULL)
		cJSON_AddItemReferenceToObject(o, "last_run", r->last_run);
	line = json_line(o);
	cJSON_Delete(o);
	return line;
}
