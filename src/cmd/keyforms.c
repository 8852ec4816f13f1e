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

/* The JSON schema. */

static void
add_value(cJSON *o, const struct key *k)
{
	const struct form *f = form_of(k);
	const struct choice *c;
	cJSON *list;

	cJSON_AddStringToObject(o, "type", f->name);
	if (has_choices(k)) {
		list = cJSON_AddArrayToObject(o, "enum");
		for (c = k->choices; c->name != NULL; c++)
			cJSON_AddItemToArray(list, cJSON_CreateString(c->name));
	}
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
			cJSON_AddItemToArray(
			    required, cJSON_CreateString(t->keys[i].name));
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
	cJSON_AddItemToArray(
	    cJSON_AddArrayToObject(o, "required"), cJSON_CreateString("Rules"));
	text = cJSON_Print(o);
	buf_addf(out, "%s\n", text);
	free(text);
	cJSON_Delete(o);
}

/* The manifest, which is a property list. */

struct xml {
	struct buf *out;
	int depth;
};

static void
indent(const struct xml *x)
{
	int i;

	for (i = 0; i < x->depth; i++)
		buf_adds(x->out, "\t");
}

/* key NULL: of an array. */
static void
name(const struct xml *x, const char *key)
{
	if (key == NULL)
		return;
	indent(x);
	buf_addf(x->out, "<key>%s</key>\n", key);
}

static void
begin(struct xml *x, const char *key, const char *tag)
{
	name(x, key);
	indent(x);
	buf_addf(x->out, "<%s>\n", tag);
	x->depth++;
}

static void
end(struct xml *x, const char *tag)
{
	x->depth--;
	indent(x);
	buf_addf(x->out, "</%s>\n", tag);
}

static void
put(const struct xml *x, const char *key, const char *tag, const char *text)
{
	name(x, key);
	indent(x);
	buf_addf(x->out, "<%s>", tag);
	for (; *text != '\0'; text++)
		if (*text == '&' || *text == '<')
			buf_adds(x->out, *text == '&' ? "&amp;" : "&lt;");
		else
			buf_add(x->out, text, 1);
	buf_addf(x->out, "</%s>\n", tag);
}

static void
put_string(const struct xml *x, const char *key, const char *text)
{
	put(x, key, "string", text);
}

static void
put_integer(const struct xml *x, const char *key, int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", n);
	put(x, key, "integer", text);
}

/* What a value must be, of whatever name it is. */
static void
put_limits(struct xml *x, const struct key *k)
{
	const struct form *f = form_of(k);
	const struct choice *c;

	put_string(x, "pfm_type", f->name);
	if (f->form != NULL)
		put_string(x, "pfm_format", f->form);
	if (strcmp(f->name, "integer") == 0) {
		put_integer(x, "pfm_range_min", limit(f, k->min, f->min));
		put_integer(x, "pfm_range_max", limit(f, k->max, f->max));
	}
	if (!has_choices(k))
		return;
	begin(x, "pfm_range_list", "array");
	for (c = k->choices; c->name != NULL; c++)
		put_string(x, NULL, c->name);
	end(x, "array");
}

static void
put_key(struct xml *x, const struct key *k)
{
	char *text = describe(k);

	begin(x, NULL, "dict");
	put_string(x, "pfm_name", k->name);
	put_string(x, "pfm_title", k->name);
	put_string(x, "pfm_description", text);
	if ((k->flags & RULE_KEY_REQUIRED) != 0)
		put_string(x, "pfm_require", "always-nested");
	if (is_list(k)) {
		put_string(x, "pfm_type", "array");
		begin(x, "pfm_subkeys", "array");
		begin(x, NULL, "dict");
		put_limits(x, k);
		end(x, "dict");
		end(x, "array");
	} else {
		put_limits(x, k);
	}
	if (k->initial != NULL && strcmp(form_of(k)->name, "string") == 0 && !is_list(k))
		put_string(x, "pfm_value_placeholder", k->initial);
	end(x, "dict");
	free(text);
}

/* Any name, which is the rule's, and what it stands for. */
static void
put_rule(struct xml *x)
{
	const struct key_table *t = &value_rule_keys;
	size_t i;

	begin(x, "pfm_subkeys", "array");
	begin(x, NULL, "dict");
	put_string(x, "pfm_name", "{{key}}");
	put_string(x, "pfm_title", "Name");
	put_string(x, "pfm_type", "string");
	put_string(x, "pfm_format", NAME_FORM);
	end(x, "dict");
	begin(x, NULL, "dict");
	put_string(x, "pfm_name", "{{value}}");
	put_string(x, "pfm_title", "Rule");
	put_string(x, "pfm_type", "dictionary");
	begin(x, "pfm_subkeys", "array");
	for (i = 0; i < t->n; i++)
		put_key(x, &t->keys[i]);
	end(x, "array");
	end(x, "dict");
	end(x, "array");
}

/* What every payload has. */
static void
put_payload(struct xml *x)
{
	static const struct {
		const char *name, *title, *type, *value;
	} members[] = {
		{ "PayloadDescription", "Description", "string", "Rules of watchpathd" },
		{ "PayloadDisplayName", "Name", "string", "watchpathd rules" },
		{ "PayloadIdentifier", "Identifier", "string", PATH_DOMAIN },
		{ "PayloadOrganization", "Organization", "string", NULL },
		{ "PayloadType", "Type", "string", PATH_DOMAIN },
		{ "PayloadUUID", "UUID", "string", NULL },
		{ "PayloadVersion", "Version", "integer", "1" },
	};
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		begin(x, NULL, "dict");
		put_string(x, "pfm_name", members[i].name);
		put_string(x, "pfm_title", members[i].title);
		put_string(x, "pfm_type", members[i].type);
		if (members[i].value != NULL)
			put(x, "pfm_default", members[i].type, members[i].value);
		end(x, "dict");
	}
}

static void
put_words(struct xml *x, const char *key, const char *word)
{
	begin(x, key, "array");
	put_string(x, NULL, word);
	end(x, "array");
}

void
keyforms_print_manifest(struct buf *out)
{
	struct xml x = { out, 0 };

	buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		      "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\""
		      " \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
		      "<plist version=\"1.0\">\n");
	begin(&x, NULL, "dict");
	put_string(&x, "pfm_title", TITLE);
	put_string(&x, "pfm_description", ABOUT);
	put_string(&x, "pfm_domain", PATH_DOMAIN);
	put_integer(&x, "pfm_format_version", 1);
	put_integer(&x, "pfm_version", 1);
	put_string(&x, "pfm_interaction", "combined");
	put_words(&x, "pfm_platforms", "macOS");
	put_words(&x, "pfm_targets", "system-managed");
	begin(&x, "pfm_subkeys", "array");
	put_payload(&x);
	begin(&x, NULL, "dict");
	put_string(&x, "pfm_name", "Rules");
	put_string(&x, "pfm_title", "Rules");
	put_string(&x, "pfm_description", RULES_TEXT);
	put_string(&x, "pfm_require", "always");
	put_string(&x, "pfm_type", "dictionary");
	put_rule(&x);
	end(&x, "dict");
	end(&x, "array");
	end(&x, "dict");
	buf_adds(out, "</plist>\n");
}
