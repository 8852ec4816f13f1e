/* SPDX-License-Identifier: MIT */
/*
 * The record of one run, and the only place that knows its form as JSON.
 */
#include "run/run.h"

#include <cJSON.h>
#include <stdlib.h>

#include "base/json.h"

void
run_clear(struct run *r)
{
	free(r->path);
	free(r->error);
	*r = (struct run){ .exit = -1 };
}

static void
add_number(cJSON *o, const char *key, int n, int none)
{
	if (n == none)
		cJSON_AddNullToObject(o, key);
	else
		cJSON_AddNumberToObject(o, key, n);
}

cJSON *
run_to_json(const struct run *r, const char *rule)
{
	cJSON *o = cJSON_CreateObject();

	if (rule != NULL)
		json_add_text(o, "rule", rule);
	json_add_text(o, "run", r->id);
	json_add_text(o, "reason", r->reason);
	cJSON_AddNumberToObject(o, "attempt", r->attempt);
	json_add_text(o, "path", r->path);
	json_add_text(o, "change", r->path != NULL ? r->change : NULL);
	json_add_time(o, "detected", r->detected);
	json_add_time(o, "started", r->started);
	json_add_time(o, "ended", r->ended);
	add_number(o, "exit", r->exit, -1);
	add_number(o, "signal", r->signal, 0);
	add_number(o, "verify", r->verify, -1);
	json_add_text(o, "error", r->error);
	cJSON_AddBoolToObject(o, "ok", r->ok);
	return o;
}
