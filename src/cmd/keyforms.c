/* SPDX-License-Identifier: MIT */
/*
 * What a console must know to show a form for the rules of a configuration profile.
 * Names, texts, choices and limits are those of the key table; added here is only
 * what a value of each type looks like in a profile. A default is a placeholder: a
 * console writes real defaults into each profile.
 */
#include "cmd/keyforms.h"

#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/paths.h"
#include "base/util.h"
#include "cmd/keylist.h"
#include "rules/keys.h"
#include "rules/value.h"

#define TITLE "watchpathd (" PATH_DOMAIN ")"
#define ABOUT                                                                 \
	"Rules that watch files and run a command after they have changed. "  \
	"See watchpathd.rules(5). On a Mac, `watchpathd managed FILE` tries " \
	"a profile."
#define RULES_TEXT \
	"A dictionary for each rule, named as the rule: 1 to 48 of a-z 0-9 - _ ."
#define NAME_FORM "^[a-z0-9_.-]{1,48}$"

/* How a value of a type stands in a profile. */
static const struct form {
	const struct type *type;
	const char *name; /* of that, in JSON schema and in manifests */
	const char *form; /* a string has; or NULL */
	int min, max;     /* of an integer, where the key has no limits */
	const char *hint; /* for people, or NULL */
} forms[] = {
	{ &value_watch, "string", "^/", 0, 0, NULL },
	{ &value_action, "string", "^/", 0, 0, NULL },
	{ &value_command, "string", "^/", 0, 0, NULL },
	{ &value_changes, "string", NULL, 0, 0, NULL },
	{ &value_choice, "string", NULL, 0, 0, NULL },
	{ &value_bool, "boolean", NULL, 0, 0, NULL },
	{ &value_size, "string", "^[0-9]+[kMG]?$", 0, 0,
	    "A size such as 512, 4k or 1M." },
	{ &value_duration, "string", "^[0-9]+(ms|s|m|h|d)?$", 0, 0,
	    "A duration such as 250ms, 10s, 5m, 2h or 1d." },
	{ &value_count, "integer", NULL, 0, 0, NULL },
	{ &value_after, "integer", NULL, 0, 0, NULL },
	{ &value_retry, "string", "^(forever|[0-9]+)$", 0, 0, "A number, or forever." },
	{ &value_nice, "integer", NULL, -20, 20, NULL },
	{ &value_codes, "integer", NULL, 0, 255, NULL },
	{ &value_umask, "string", "^0*[0-7]{1,3}$", 0, 0, "An octal number." },
	{ &value_name, "string", NAME_FORM, 0, 0, NULL },
	{ &value_account, "string", "^[^ \t:/\"'`]+$", 0, 0, NULL },
	{ &value_path, "string", "^/", 0, 0, NULL },
	{ &value_environment, "string", "^[A-Za-z_][A-Za-z0-9_]*=", 0, 0, "NAME=value" },
	{ &value_text, "string", NULL, 0, 0, NULL },
};

static const struct form *
form_of(const struct key *k)
{
	const struct form *f = forms;

	while (f->type != k->type)
		f++;
	return f;
}

static bool
is_list(const struct key *k)
{
	return (k->flags & RULE_KEY_LIST) != 0;
}

static bool
has_choices(const struct key *k)
{
	return k->choices != NULL && k->type != &value_bool;
}

static int
limit(const struct form *f, int64_t of_key, int of_type)
{
	return f->min == f->max ? (int)of_key : of_type;
}

/* The caller frees it. */
static char *
describe(const struct key *k)
{
	const struct form *f = form_of(k);
	struct buf b = { NULL, 0, 0 };

	buf_adds(&b, k->text);
	if (f->hint != NULL)
		buf_addf(&b, " %s", f->hint);
	if (k->initial != NULL)
		buf_addf(&b, " The default is %s%s.", k->initial,
		    (k->flags & KEY_BY_SETTLE) != 0 ? KEYLIST_BY_SETTLE : "");
	return b.p;
}

static void
add_word(cJSON *list, const char *word)
{
	cJSON_AddItemToArray(list, cJSON_CreateString(word));
}

static void
add_choices(cJSON *o, const char *name, const struct key *k)
{
	cJSON *list = cJSON_AddArrayToObject(o, name);
	const struct choice *c;

	for (c = k->choices; c->name != NULL; c++)
		add_word(list, c->name);
}

/* The JSON schema. */

static void
add_value(cJSON *o, const struct key *k)
{
	const struct form *f = form_of(k);

	cJSON_AddStringToObject(o, "type", f->name);
	if (has_choices(k))
		add_choices(o, "enum", k);
	if (f->form != NULL)
		cJSON_AddStringToObject(o, "pattern", f->form);
	if (strcmp(f->name, "integer") == 0) {
		cJSON_AddNumberToObject(o, "minimum", limit(f, k->min, f->min));
		cJSON_AddNumberToObject(o, "maximum", limit(f, k->max, f->max));
	}
}

static void
add_placeholder(cJSON *o, const struct key *k)
{
	cJSON *options, *attributes;

	if (k->initial == NULL || is_list(k) || k->choices != NULL)
		return;
	options = cJSON_AddObjectToObject(o, "options");
	attributes = cJSON_AddObjectToObject(options, "inputAttributes");
	cJSON_AddStringToObject(attributes, "placeholder", k->initial);
}

static void
add_key(cJSON *properties, const struct key *k, int order)
{
	cJSON *o = cJSON_AddObjectToObject(properties, k->name), *items;
	char *text = describe(k);

	cJSON_AddStringToObject(o, "title", k->name);
	cJSON_AddStringToObject(o, "description", text);
	cJSON_AddNumberToObject(o, "property_order", order);
	if (is_list(k)) {
		cJSON_AddStringToObject(o, "type", "array");
		items = cJSON_AddObjectToObject(o, "items");
		cJSON_AddStringToObject(items, "title", k->type->what);
		add_value(items, k);
	} else {
		add_value(o, k);
	}
	add_placeholder(o, k);
	free(text);
}

static void
add_keys(cJSON *rule)
{
	const struct key_table *t = &value_rule_keys;
	cJSON *properties, *required;
	size_t i;

	cJSON_AddStringToObject(rule, "type", "object");
	cJSON_AddStringToObject(rule, "title", "Rule");
	properties = cJSON_AddObjectToObject(rule, "properties");
	required = cJSON_AddArrayToObject(rule, "required");
	for (i = 0; i < t->n; i++) {
		add_key(properties, &t->keys[i], 5 * (int)(i + 1));
		if ((t->keys[i].flags & RULE_KEY_REQUIRED) != 0)
			add_word(required, t->keys[i].name);
	}
	cJSON_AddFalseToObject(rule, "additionalProperties");
}

void
keyforms_print_schema(struct buf *out)
{
	cJSON *o = cJSON_CreateObject(), *rules;
	char *text;

	cJSON_AddStringToObject(o, "title", TITLE);
	cJSON_AddStringToObject(o, "description", ABOUT);
	cJSON_AddStringToObject(o, "__preferencedomain", PATH_DOMAIN);
	cJSON_AddStringToObject(o, "type", "object");
	rules =
	    cJSON_AddObjectToObject(cJSON_AddObjectToObject(o, "properties"), "Rules");
	cJSON_AddStringToObject(rules, "title", "Rules");
	cJSON_AddStringToObject(rules, "description", RULES_TEXT);
	cJSON_AddStringToObject(rules, "type", "object");
	cJSON_AddStringToObject(
	    cJSON_AddObjectToObject(rules, "propertyNames"), "pattern", NAME_FORM);
	add_keys(cJSON_AddObjectToObject(rules, "additionalProperties"));
	add_word(cJSON_AddArrayToObject(o, "required"), "Rules");
	text = cJSON_Print(o);
	buf_addf(out, "%s\n", text);
	free(text);
	cJSON_Delete(o);
}

/* The manifest: made as JSON is, and printed as a property list. */

/* Any of the texts may be NULL. */
static cJSON *
add_item(cJSON *list, const char *name, const char *title, const char *description,
    const char *require, const char *type)
{
	const struct {
		const char *key, *text;
	} members[] = { { "pfm_name", name }, { "pfm_title", title },
		{ "pfm_description", description }, { "pfm_require", require },
		{ "pfm_type", type } };
	cJSON *o = cJSON_CreateObject();
	size_t i;

	for (i = 0; i < NELEM(members); i++)
		if (members[i].text != NULL)
			cJSON_AddStringToObject(o, members[i].key, members[i].text);
	cJSON_AddItemToArray(list, o);
	return o;
}

/* What a value must be, of whatever name it is. */
static void
add_limits(cJSON *o, const struct key *k)
{
	const struct form *f = form_of(k);

	cJSON_AddStringToObject(o, "pfm_type", f->name);
	if (f->form != NULL)
		cJSON_AddStringToObject(o, "pfm_format", f->form);
	if (strcmp(f->name, "integer") == 0) {
		cJSON_AddNumberToObject(o, "pfm_range_min", limit(f, k->min, f->min));
		cJSON_AddNumberToObject(o, "pfm_range_max", limit(f, k->max, f->max));
	}
	if (has_choices(k))
		add_choices(o, "pfm_range_list", k);
}

static void
add_key_item(cJSON *list, const struct key *k)
{
	const char *require =
	    (k->flags & RULE_KEY_REQUIRED) != 0 ? "always-nested" : NULL;
	char *text = describe(k);
	cJSON *o =
	    add_item(list, k->name, k->name, text, require, is_list(k) ? "array" : NULL);

	if (is_list(k))
		add_limits(add_item(cJSON_AddArrayToObject(o, "pfm_subkeys"), NULL, NULL,
			       NULL, NULL, NULL),
		    k);
	else
		add_limits(o, k);
	if (k->initial != NULL && strcmp(form_of(k)->name, "string") == 0 && !is_list(k))
		cJSON_AddStringToObject(o, "pfm_value_placeholder", k->initial);
	free(text);
}

/* Any name, which is the rule's, and what it stands for. */
static void
add_rule_items(cJSON *list)
{
	const struct key_table *t = &value_rule_keys;
	cJSON *o;
	size_t i;

	o = add_item(list, "{{key}}", "Name", NULL, NULL, "string");
	cJSON_AddStringToObject(o, "pfm_format", NAME_FORM);
	o = add_item(list, "{{value}}", "Rule", NULL, NULL, "dictionary");
	list = cJSON_AddArrayToObject(o, "pfm_subkeys");
	for (i = 0; i < t->n; i++)
		add_key_item(list, &t->keys[i]);
}

/* What every payload has. */
static void
add_payload_items(cJSON *list)
{
	static const struct {
		const char *name, *title, *value;
	} texts[] = {
		{ "PayloadDescription", "Description", "Rules of watchpathd" },
		{ "PayloadDisplayName", "Name", "watchpathd rules" },
		{ "PayloadIdentifier", "Identifier", PATH_DOMAIN },
		{ "PayloadOrganization", "Organization", NULL },
		{ "PayloadType", "Type", PATH_DOMAIN },
		{ "PayloadUUID", "UUID", NULL },
	};
	cJSON *o;
	size_t i;

	for (i = 0; i < NELEM(texts); i++) {
		o = add_item(list, texts[i].name, texts[i].title, NULL, NULL, "string");
		if (texts[i].value != NULL)
			cJSON_AddStringToObject(o, "pfm_default", texts[i].value);
	}
	o = add_item(list, "PayloadVersion", "Version", NULL, NULL, "integer");
	cJSON_AddNumberToObject(o, "pfm_default", 1);
}

static void
add_escaped(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		if (*text == '&' || *text == '<')
			buf_adds(out, *text == '&' ? "&amp;" : "&lt;");
		else
			buf_add(out, text, 1);
}

/* A value of a property list, indented by so many tabs. */
static void
print_value(struct buf *out, const cJSON *value, int depth)
{
	static const char tabs[] = "\t\t\t\t\t\t\t\t\t\t\t\t";
	const char *tag = cJSON_IsArray(value) ? "array" : "dict";
	const cJSON *member;

	if (value->string != NULL)
		buf_addf(out, "%.*s<key>%s</key>\n", depth, tabs, value->string);
	buf_addf(out, "%.*s", depth, tabs);
	if (cJSON_IsNumber(value)) {
		buf_addf(out, "<integer>%d</integer>\n", value->valueint);
	} else if (cJSON_IsString(value)) {
		buf_adds(out, "<string>");
		add_escaped(out, value->valuestring);
		buf_adds(out, "</string>\n");
	} else {
		buf_addf(out, "<%s>\n", tag);
		cJSON_ArrayForEach(member, value)
			print_value(out, member, depth + 1);
		buf_addf(out, "%.*s</%s>\n", depth, tabs, tag);
	}
}

void
keyforms_print_manifest(struct buf *out)
{
	cJSON *o = cJSON_CreateObject(), *list, *rules;

	cJSON_AddStringToObject(o, "pfm_title", TITLE);
	cJSON_AddStringToObject(o, "pfm_description", ABOUT);
	cJSON_AddStringToObject(o, "pfm_domain", PATH_DOMAIN);
	cJSON_AddNumberToObject(o, "pfm_format_version", 1);
	cJSON_AddNumberToObject(o, "pfm_version", 1);
	cJSON_AddStringToObject(o, "pfm_interaction", "combined");
	add_word(cJSON_AddArrayToObject(o, "pfm_platforms"), "macOS");
	add_word(cJSON_AddArrayToObject(o, "pfm_targets"), "system-managed");
	list = cJSON_AddArrayToObject(o, "pfm_subkeys");
	add_payload_items(list);
	rules = add_item(list, "Rules", "Rules", RULES_TEXT, "always", "dictionary");
	add_rule_items(cJSON_AddArrayToObject(rules, "pfm_subkeys"));
	buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		      "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\""
		      " \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
		      "<plist version=\"1.0\">\n");
	print_value(out, o, 0);
	buf_adds(out, "</plist>\n");
	cJSON_Delete(o);
}
