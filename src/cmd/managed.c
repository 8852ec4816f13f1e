/* SPDX-License-Identifier: MIT */
/*
 * From the values of a configuration profile to a rule file. The key table judges
 * them, as it judges lines; here a value only becomes the text that a line would
 * have, and what has two meanings is refused.
 */
#include "cmd/managed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/paths.h"
#include "base/fd.h"
#include "base/visible.h"
#include "cmd/plistfile.h"
#include "rules/conf.h"
#include "rules/keys.h"
#include "rules/value.h"
#include "rules/words.h"
#include "trust/trust.h"

#define HEADER                                                                      \
	"; From the configuration profile for " PATH_DOMAIN                         \
	". `watchpathd managed --write`\n"                                          \
	"; writes this file when the profile comes or changes, and removes it when" \
	" the profile\n"                                                            \
	"; goes: change the profile, not this.\n"

/* The rules of one profile. */
struct profile {
	struct managed *m;
	struct rule **rules;
	size_t n;
};

/* Findings. Bytes of the profile are made harmless here. */

static void
add_error(struct managed *m, const char *text)
{
	strv_push(&m->errors, safe_dup(text));
}

static void
say(struct strv *to, const char *rule, const char *text)
{
	char *name = safe_dup(rule), *what = safe_dup(text);

	strv_push(to, xasprintf("[%s]: %s", name, what));
	free(name);
	free(what);
}

/* Values. */

static const struct type *
type_of(const char *key)
{
	const struct key_table *t = &value_rule_keys;
	size_t i;

	for (i = 0; i < t->n; i++)
		if (strcmp(t->keys[i].name, key) == 0)
			return t->keys[i].type;
	return NULL;
}

/* 5.0 is a whole number, too: some consoles know no other numbers. */
static char *
whole_number(const struct plist *p)
{
	size_t n = strspn(p->text, "0123456789");
	const char *rest = p->text + n;
	int64_t number;

	if (plist_integer(p, &number))
		return xasprintf("%lld", (long long)number);
	if (p->type != PLIST_REAL || n == 0 ||
	    rest[*rest == '.' ? 1 + strspn(rest + 1, "0") : 0] != '\0')
		return NULL;
	return xstrndup(p->text, n);
}

/* In words, what is no string or number. */
static const char *
kind_of(const struct plist *p)
{
	switch (p->type) {
	case PLIST_DICT:
		return "a dictionary";
	case PLIST_ARRAY:
		return "an array";
	case PLIST_DATE:
	case PLIST_DATA:
		return "a date or data";
	default:
		return "true or false";
	}
}

/* What a line would say; NULL, with a sentence in why, where none could. */
static char *
as_text(const struct plist *p, const char *key, char why[RULE_WHY_SIZE])
{
	const struct type *type = type_of(key);
	char *text = NULL;

	if (p->type == PLIST_STRING)
		return xstrdup(p->text);
	if ((p->type == PLIST_TRUE || p->type == PLIST_FALSE) && type == &value_bool)
		return xstrdup(p->type == PLIST_TRUE ? "yes" : "no");
	if (p->type == PLIST_INTEGER || p->type == PLIST_REAL) {
		/* 22 could be meant as decimal, which launchd takes. */
		if (type != &value_umask)
			text = whole_number(p);
		if (text == NULL)
			snprintf(why, RULE_WHY_SIZE, "`%s`: %s", key,
			    type == &value_umask ? "write the octal number as a string"
						 : "not a whole number");
		return text;
	}
	snprintf(why, RULE_WHY_SIZE, "`%s`: not a string or a number, but %s%s", key,
	    kind_of(p),
	    p->type == PLIST_DICT && type == &value_environment
		? ": write an array of strings NAME=value"
		: "");
	return NULL;
}

/* May be longer than a line: then its words go on further lines. */
static int
set_command(struct rule *r, const char *key, const char *text, char why[RULE_WHY_SIZE])
{
	struct strv words = { NULL, 0 };
	int ret = -1;

	if (strlen(key) + 1 + strlen(text) <= RULE_LINE_MAX || !text_is_valid(text))
		return rule_set(r, key, text, 0, why);
	if (words_split(text, &words, why, RULE_WHY_SIZE))
		ret = rule_set_words(r, key, &words, why);
	strv_clear(&words);
	return ret;
}

/* Sentences about words of a command do not name its key. */
static void
refuse_value(struct profile *f, struct rule *r, const char *key, const char *why)
{
	size_t n = strlen(key);
	char *text;

	if (why[0] == '`' && strncmp(why + 1, key, n) == 0 && why[n + 1] == '`')
		text = xstrdup(why);
	else
		text = xasprintf("`%s`: %s", key, why);
	say(&f->m->errors, r->name, text);
	rule_note_refused(r, key);
	free(text);
}

static void
set_value(struct profile *f, struct rule *r, const char *key, const struct plist *p)
{
	char why[RULE_WHY_SIZE] = "", *text = as_text(p, key, why);
	bool ok = text != NULL;

	if (ok && (rule_key_flags(key) & RULE_KEY_WORDS) != 0)
		ok = set_command(r, key, text, why) == 0;
	else if (ok)
		ok = rule_set(r, key, text, 0, why) == 0;
	if (!ok)
		refuse_value(f, r, key, why);
	free(text);
}

static void
set_key(struct profile *f, struct rule *r, const struct plist *p)
{
	unsigned flags = rule_key_flags(p->key);
	const struct plist *member;
	char why[RULE_WHY_SIZE];

	/* What is no key of a rule is refused by its name, whatever its value. */
	if (flags == 0 || (flags & RULE_KEY_DAEMON) != 0) {
		(void)rule_set(r, p->key, "", 0, why);
		say(&f->m->errors, r->name, why);
		return;
	}
	if (p->type != PLIST_ARRAY || (flags & RULE_KEY_LIST) == 0) {
		set_value(f, r, p->key, p);
		return;
	}
	for (member = p->child; member != NULL; member = member->next)
		set_value(f, r, p->key, member);
	if (p->child == NULL)
		refuse_value(f, r, p->key, "an empty array");
}

/* Rules. */

/* Why a profile cannot have a rule of that name, or NULL. */
static const char *
name_objection(const struct plist *p)
{
	if (!value_name_valid(p->key))
		return "a rule's name is 1 to 48 of a-z 0-9 - _ .";
	if (strcmp(p->key, "daemon") == 0)
		return "the daemon's settings stand in a rule file, not in a profile";
	if (strcmp(p->key, MANAGED_RULE) == 0)
		return "the rule of that name delivers profiles: take another name";
	if (p->type != PLIST_DICT)
		return "not a dictionary of keys and their values";
	return NULL;
}

static void
add_rule(struct profile *f, const struct plist *dict)
{
	const char *objection = name_objection(dict);
	char why[RULE_WHY_SIZE];
	const struct plist *p;
	struct rule *r;
	unsigned nth;
	int line;

	if (objection != NULL)
		say(&f->m->errors, dict->key, objection);
	/* Under a wrong name it is a rule all the same, with mistakes of its own. */
	if (dict->type != PLIST_DICT || strcmp(dict->key, "daemon") == 0)
		return;
	r = rule_new(dict->key, CONF_MANAGED, 0);
	for (p = dict->child; p != NULL; p = p->next)
		set_key(f, r, p);
	for (nth = 0; rule_validate(r, nth, &line, why) == -1; nth++)
		say(&f->m->errors, r->name, why);
	f->rules = xreallocarray(f->rules, f->n + 1, sizeof(struct rule *));
	f->rules[f->n++] = r;
}

/* The dictionary that a Mac would get of a profile; or the list itself. */
static const struct plist *
find_payload(const struct plist *list)
{
	const struct plist *content = plist_get(list, "PayloadContent"), *p, *type;

	for (p = content != NULL ? content->child : NULL; p != NULL; p = p->next) {
		type = plist_get(p, "PayloadType");
		if (type != NULL && strcmp(type->text, PATH_DOMAIN) == 0)
			return p;
	}
	return list;
}

/* Tools that make profiles leave members of their own in them. */
static bool
is_foreign(const char *key)
{
	return strncmp(key, "Payload", 7) == 0 || strncmp(key, "PFC_", 4) == 0;
}

static void
add_rules(struct profile *f, const struct plist *list)
{
	const struct plist *payload = find_payload(list), *p;
	const struct plist *rules = plist_get(payload, "Rules");
	char *key, *text;

	for (p = payload->child; p != NULL; p = p->next) {
		if (p->key == NULL || p == rules || is_foreign(p->key))
			continue;
		key = safe_dup(p->key);
		text = xasprintf("`%s` means nothing here: only `Rules` does", key);
		strv_push(&f->m->warnings, text);
		free(key);
	}
	if (rules == NULL || rules->type != PLIST_DICT) {
		add_error(
		    f->m, rules != NULL ? "`Rules` is not a dictionary of rules"
			  : payload == list && plist_get(list, "PayloadContent") != NULL
			      ? "no payload is of the type " PATH_DOMAIN
			      : "`Rules` is missing, a dictionary of rules");
		return;
	}
	for (p = rules->child; p != NULL; p = p->next)
		add_rule(f, p);
}

/* The text. */

static int
by_name(const void *a, const void *b)
{
	return strcmp((*(struct rule *const *)a)->name, (*(struct rule *const *)b)->name);
}

/* Whose section the line is in. */
static const char *
rule_at(const struct conf *c, int line)
{
	const char *name = "";
	size_t i;

	for (i = 0; i < c->nrules && c->rules[i]->line <= line; i++)
		name = c->rules[i]->name;
	return name;
}

/* A dictionary has no order: names give one that is the same each time. */
static void
write_text(struct profile *f)
{
	struct managed *m = f->m;
	struct conf c = { .nrules = 0 };
	size_t i;

	qsort(f->rules, f->n, sizeof(struct rule *), by_name);
	buf_adds(&m->text, HEADER);
	for (i = 0; i < f->n; i++) {
		buf_adds(&m->text, "\n");
		rule_print_given(f->rules[i], &m->text);
	}
	conf_read_text(&c, CONF_MANAGED, m->text.p, m->text.len);
	if (!conf_holds(&c, f->rules, f->n))
		add_error(m, "one rule file cannot hold all of this");
	for (i = 0; i < c.ndiags; i++)
		if (c.diags[i].severity == DIAG_ERROR)
			add_error(m, c.diags[i].message);
		else
			say(&m->warnings, rule_at(&c, c.diags[i].line),
			    c.diags[i].message);
	conf_clear(&c);
	m->nrules = f->n;
}

static void
translate(struct managed *m, const struct plist *list)
{
	struct profile f = { .m = m };
	size_t i;

	add_rules(&f, list);
	if (m->errors.n == 0 && f.n > 0)
		write_text(&f);
	if (m->errors.n > 0)
		buf_clear(&m->text);
	for (i = 0; i < f.n; i++)
		rule_free(f.rules[i]);
	free(f.rules);
}

static void
note_unopened(struct managed *m, const char *path, const char *why)
{
	struct stat st;

	if (lstat(path, &st) == -1 && (errno == ENOENT || errno == ENOTDIR)) {
		m->absent = true;
		return;
	}
	m->status = EX_DATAERR;
	if (access(path, R_OK) == -1 && (errno == EACCES || errno == EPERM))
		m->status = EX_NOPERM;
	add_error(m, trust_without_path(why, path));
}

void
managed_read(struct managed *m, const char *path, const struct trust *t)
{
	char why[TRUST_WHY_SIZE];
	struct plist *list;
	int fd;

	*m = (struct managed){ .status = EX_OK };
	fd = trust_open_file(t, path, why);
	if (fd == -1) {
		note_unopened(m, path, why);
		return;
	}
	list = plistfile_read_fd(fd, &m->status, why);
	close(fd);
	if (list == NULL) {
		add_error(m, why);
		return;
	}
	translate(m, list);
	plist_free(list);
	m->status = m->errors.n > 0 ? EX_DATAERR : EX_OK;
}

void
managed_clear(struct managed *m)
{
	strv_clear(&m->errors);
	strv_clear(&m->warnings);
	buf_clear(&m->text);
}

bool
managed_is_in(const struct managed *m, const char *file, const struct trust *t)
{
	char why[TRUST_WHY_SIZE];
	struct buf found = { NULL, 0, 0 };
	int fd = trust_open_file(t, file, why);
	bool same;

	if (fd == -1)
		return false;
	same = fd_read_all(fd, &found, m->text.len) == 0 && found.len == m->text.len &&
	       memcmp(found.p, m->text.p, found.len) == 0;
	close(fd);
	buf_clear(&found);
	return same;
}
