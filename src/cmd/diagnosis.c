/* SPDX-License-Identifier: MIT */
/*
 * Findings, each cause once and in order, and how they are printed. It knows nothing
 * of how they are found.
 */
#include "cmd/diagnosis.h"

#include <cJSON.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/util.h"
#include "base/visible.h"
#include "cmd/columns.h"
#include "cmd/table.h"

/* How many rules and paths a line names. */
#define NAMES_MAX 5
#define ROOM_LEAST 16

static const char *const names[] = {
	[KIND_DAEMON] = "daemon",
	[KIND_FILES] = "files",
	[KIND_TRUST] = "trust",
	[KIND_RULES] = "rules",
	[KIND_PATHS] = "paths",
	[KIND_STATE] = "state",
	[KIND_JOBS] = "jobs",
	[KIND_NOTES] = "notes",
};

struct found {
	enum finding_kind kind;
	size_t order; /* in which they came */
	char *cause, *why;
	struct strv rules, subjects;
	struct repair repair;
};

static void
add_name(struct strv *list, const char *name)
{
	if (name != NULL && !strv_contains(list, name))
		strv_push(list, xstrdup(name));
}

static struct found *
find_cause(const struct diagnosis *d, const char *cause)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		if (strcmp(d->found[i].cause, cause) == 0)
			return &d->found[i];
	return NULL;
}

/* The same cause once more: it may matter for one more reason, and more. */
static void
merge(struct found *have, const struct finding *f)
{
	char *both;

	if (f->kind < have->kind)
		have->kind = f->kind;
	if (strstr(have->why, f->why) != NULL)
		return;
	both = xasprintf("%s; %s", have->why, f->why);
	free(have->why);
	have->why = both;
}

void
diagnosis_add(struct diagnosis *d, struct finding f)
{
	struct found *have = find_cause(d, f.cause);
	bool hidden = d->hidden_end != NULL && text_ends_in(f.cause, d->hidden_end);

	d->hid_any = d->hid_any || hidden;
	if (have == NULL && !hidden) {
		d->found = xreallocarray(d->found, d->n + 1, sizeof(*d->found));
		have = &d->found[d->n];
		*have = (struct found){
			.kind = f.kind,
			.order = d->n++,
			.cause = f.cause,
			.why = xstrdup(f.why),
			.repair = f.repair,
		};
	} else {
		if (have != NULL)
			merge(have, &f);
		free(f.cause);
		free(f.repair.text);
	}
	if (have != NULL) {
		add_name(&have->rules, f.rule);
		add_name(&have->subjects, f.subject);
	}
}

void
diagnosis_note(struct diagnosis *d, char *text)
{
	strv_push(&d->notes, text);
}

bool
diagnosis_explains(const struct diagnosis *d, const char *rule, const char *sentence)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		if (strstr(sentence, d->found[i].cause) != NULL &&
		    strv_contains(&d->found[i].rules, rule))
			return true;
	return false;
}

char *
diagnosis_shown(const struct diagnosis *d, const char *text)
{
	return table_without_root(text, d->root);
}

static int
worse_first(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->kind != y->kind)
		return (int)x->kind - (int)y->kind;
	return x->order < y->order ? -1 : 1;
}

static void
sort(struct diagnosis *d)
{
	if (d->n > 1)
		qsort(d->found, d->n, sizeof(*d->found), worse_first);
}

/* "a, b and 7 more: " */
static void
add_names(struct buf *out, const struct strv *list)
{
	size_t i, shown = list->n > NAMES_MAX + 1 ? NAMES_MAX : list->n;

	for (i = 0; i < shown; i++) {
		if (i > 0)
			buf_adds(out, i + 1 == list->n ? " and " : ", ");
		buf_adds(out, list->v[i]);
	}
	if (list->n > shown)
		buf_addf(out, " and %zu more", list->n - shown);
	if (list->n > 0)
		buf_adds(out, ": ");
}

/* What is wrong, and with whom; the caller frees it. */
static char *
describe(const struct diagnosis *d, const struct found *f)
{
	struct buf text = { NULL, 0, 0 };
	char *shown;

	add_names(&text, &f->rules);
	add_names(&text, &f->subjects);
	buf_adds(&text, f->cause);
	shown = diagnosis_shown(d, text.p);
	buf_clear(&text);
	return shown;
}

/* A terminal that is hardly wider than the indent has longer lines than it holds. */
static void
print_folded(FILE *out, const char *lead, size_t indent, const char *text, size_t width)
{
	size_t least = indent + ROOM_LEAST;
	char *visible = vis_dup(text);

	columns_fold(out, lead, indent, visible, width > least ? width : least);
	free(visible);
}

/* A command as it is to be given, if that is text; the caller frees it. */
static char *
visible_command(const char *s)
{
	struct buf out = { NULL, 0, 0 };
	size_t n;

	for (; *s != '\0'; s += n) {
		n = strcspn(s, "\\");
		buf_addvis(&out, s, n);
		if (s[n] == '\\') {
			buf_adds(&out, "\\");
			n++;
		}
	}
	return out.p;
}

/* A command stays on one line, to be copied. */
static void
print_repair(FILE *out, const struct repair *r, size_t width)
{
	char *command;

	if (!r->is_command) {
		print_folded(out, "    to repair it:   by hand: ", 20, r->text, width);
		return;
	}
	command = visible_command(r->text);
	fprintf(out, "    to repair it:   %s\n", command);
	free(command);
}

void
diagnosis_print(struct diagnosis *d, FILE *out)
{
	size_t width = columns_of(out), i;
	char *what;

	sort(d);
	for (i = 0; i < d->n; i++) {
		what = describe(d, &d->found[i]);
		print_folded(out, "", 0, what, width);
		free(what);
		print_folded(out, "    why it matters: ", 20, d->found[i].why, width);
		print_repair(out, &d->found[i].repair, width);
		fputs("\n", out);
	}
	if (d->n == 0)
		fputs("nothing is wrong\n", out);
	else
		fprintf(out, "%zu finding%s\n", d->n, d->n == 1 ? "" : "s");
	for (i = 0; i < d->notes.n; i++)
		print_folded(out, "note: ", 6, d->notes.v[i], width);
}

static cJSON *
found_json(const struct diagnosis *d, const struct found *f)
{
	cJSON *o = cJSON_CreateObject(), *rules;
	char *text = describe(d, f);
	size_t i;

	json_add_text(o, "kind", names[f->kind]);
	rules = cJSON_AddArrayToObject(o, "rules");
	for (i = 0; i < f->rules.n; i++)
		cJSON_AddItemToArray(rules, cJSON_CreateString(f->rules.v[i]));
	json_add_text(o, "what", text);
	json_add_text(o, "why", f->why);
	free(text);
	if (f->repair.is_command) {
		text = visible_command(f->repair.text);
		cJSON_AddStringToObject(o, "repair", text);
		free(text);
	} else {
		json_add_text(o, "repair", f->repair.text);
	}
	cJSON_AddBoolToObject(o, "command", f->repair.is_command);
	return o;
}

cJSON *
diagnosis_json(struct diagnosis *d)
{
	cJSON *all = cJSON_CreateObject(),
	      *list = cJSON_AddArrayToObject(all, "findings");
	size_t i;

	sort(d);
	for (i = 0; i < d->n; i++)
		cJSON_AddItemToArray(list, found_json(d, &d->found[i]));
	list = cJSON_AddArrayToObject(all, "notes");
	for (i = 0; i < d->notes.n; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(d->notes.v[i]));
	return all;
}

void
diagnosis_print_json(struct diagnosis *d, FILE *out)
{
	cJSON *all = diagnosis_json(d);
	char *text = json_line(all);

	fputs(text, out);
	free(text);
	cJSON_Delete(all);
}

void
diagnosis_clear(struct diagnosis *d)
{
	size_t i;

	for (i = 0; i < d->n; i++) {
		free(d->found[i].cause);
		free(d->found[i].why);
		free(d->found[i].repair.text);
		strv_clear(&d->found[i].rules);
		strv_clear(&d->found[i].subjects);
	}
	free(d->found);
	strv_clear(&d->notes);
	d->found = NULL;
	d->n = 0;
}
