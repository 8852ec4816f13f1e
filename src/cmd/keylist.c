/* SPDX-License-Identifier: MIT */
/*
 * The lists of keys, as people read them; all that they say is in the tables of
 * keys.c.
 */
#include "cmd/keylist.h"

#include <stddef.h>
#include <string.h>

#include "rules/keys.h"
#include "base/spelling.h"
#include "base/util.h"
#include "rules/value.h"

static const struct {
	const struct key_table *keys;
	const char *of;
} tables[] = { { &value_rule_keys, "a rule" },
	{ &value_daemon_keys, "the section [daemon]" } };

/* "word, list" */
static void
add_values(const struct key *k, struct buf *out)
{
	char list[128];

	if (k->choices != NULL)
		value_choice_list(list, sizeof(list), k);
	buf_addf(out, "%s%s%s", k->type == &value_changes ? "any of " : "",
	    k->choices != NULL ? list : k->type->what,
	    (k->flags & RULE_KEY_LIST) != 0 ? ", list" : "");
}

/* "default 1s", or nothing */
static void
add_details(const struct key *k, struct buf *out)
{
	if ((k->flags & RULE_KEY_REQUIRED) != 0)
		buf_adds(out, "required");
	if (k->initial != NULL)
		buf_addf(out, "default %s%s", k->initial,
		    (k->flags & KEY_BY_SETTLE) != 0 ? KEYLIST_BY_SETTLE : "");
}

/* Within 80 columns. */
static void
print_keys(const struct key *table, size_t n, struct buf *out)
{
	struct buf details = { NULL, 0, 0 };
	size_t i, start;

	for (i = 0; i < n; i++) {
		buf_clear(&details);
		add_details(&table[i], &details);
		start = out->len;
		buf_addf(out, "%-16s  ", table[i].name);
		add_values(&table[i], out);
		if (details.len != 0)
			buf_addf(out, "%s%s",
			    out->len - start + details.len < 78 ? "; " : ";\n    ",
			    details.p);
		buf_addf(out, "\n    %s\n", table[i].text);
	}
	buf_clear(&details);
}

void
keys_print(struct buf *out)
{
	size_t i;

	for (i = 0; i < NELEM(tables); i++) {
		buf_addf(out, "%sKeys of %s:\n\n", i > 0 ? "\n" : "", tables[i].of);
		print_keys(tables[i].keys->keys, tables[i].keys->n, out);
	}
}

bool
keys_print_one(const char *name, struct buf *out)
{
	const struct key_table *t;
	size_t i, k;

	for (i = 0; i < NELEM(tables); i++) {
		t = tables[i].keys;
		for (k = 0; k < t->n && strcmp(t->keys[k].name, name) != 0; k++)
			continue;
		if (k == t->n)
			continue;
		buf_addf(out, "Key of %s:\n\n", tables[i].of);
		print_keys(&t->keys[k], 1, out);
		return true;
	}
	return false;
}

void
keys_meant(struct spelling *meant)
{
	size_t i, k;

	for (i = 0; i < NELEM(tables); i++)
		for (k = 0; k < tables[i].keys->n; k++)
			spelling_try(meant, tables[i].keys->keys[k].name);
}

/* A sentence a line, as manuals have it. */
static void
print_keys_mdoc(const struct key *table, size_t n, struct buf *out)
{
	const struct choice *c;
	const struct key *k;

	buf_adds(out, ".Bl -tag -width Ds\n");
	for (k = table; k < table + n; k++) {
		buf_addf(
		    out, ".It Ic %s No = %s", k->name, k->choices != NULL ? "Cm" : "Ar ");
		if (k->choices == NULL)
			buf_adds(out, k->type->what);
		for (c = k->choices; c != NULL && c->name != NULL; c++)
			buf_addf(out, "%s %s",
			    c != k->choices && k->type != &value_changes ? " |" : "",
			    c->name);
		buf_addf(out, "\n%s\n", k->text);
		if ((k->flags & RULE_KEY_REQUIRED) != 0)
			buf_adds(out, "Every rule must have it.\n");
		if ((k->flags & RULE_KEY_LIST) != 0)
			buf_adds(out, "It is a list.\n");
		if (k->initial != NULL)
			buf_addf(out, "The default is %s%s.\n", k->initial,
			    (k->flags & KEY_BY_SETTLE) != 0 ? KEYLIST_BY_SETTLE : "");
	}
	buf_adds(out, ".El\n");
}

void
keys_print_mdoc(struct buf *out)
{
	buf_adds(out, "The keys of a rule are:\n");
	print_keys_mdoc(value_rule_keys.keys, value_rule_keys.n, out);
	buf_adds(out, ".Pp\nThe keys of the section\n.Ic [daemon]\nare:\n");
	print_keys_mdoc(value_daemon_keys.keys, value_daemon_keys.n, out);
}
