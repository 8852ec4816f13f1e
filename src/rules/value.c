/* SPDX-License-Identifier: MIT */
/*
 * What a value can be: how values of each type are read from a rule file and
 * printed. Which key takes which type, within what limits, stands in keys.c.
 */
#include "rules/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/pattern.h"
#include "rules/rule.h"
#include "rules/shell.h"
#include "base/util.h"
#include "base/number.h"
#include "rules/words.h"

const char *
value_find_comment(const char *s)
{
	for (; *s != '\0'; s++)
		if (shell_is_space(s[0]) && s[1] == ';')
			return s + 1;
	return NULL;
}

int
value_refuse(const struct input *in, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(in->why, RULE_WHY_SIZE, fmt, ap);
	va_end(ap);
	return -1;
}

static int
refuse_more(const struct key *k, const struct input *in)
{
	return value_refuse(
	    in, "`%s`: more than %lld values", k->name, (long long)k->max);
}

void *
value_field(const struct key *k, void *object)
{
	return (char *)object + k->offset;
}

static const void *
const_field(const struct key *k, const void *object)
{
	return (const char *)object + k->offset;
}

/* The next word of *s on white space, as a fresh string, or NULL. */
static char *
next_word(const char **s)
{
	size_t n;
	char *word;

	*s += strspn(*s, " \t");
	n = strcspn(*s, " \t");
	if (n == 0)
		return NULL;
	word = xstrndup(*s, n);
	*s += n;
	return word;
}

static void
print_string(struct strv *lines, const char *s)
{
	if (s != NULL)
		strv_push(lines, xstrdup(s));
}

static void
put_string(void *to, const char *value)
{
	char **s = to;

	free(*s);
	*s = xstrdup(value);
}

/* Lengths, sizes and numbers. */

static int
parse_ms(const struct key *k, void *object, const struct input *in)
{
	int64_t ms;
	char min[32], max[32];

	if (!parse_duration(in->value, &ms))
		return value_refuse(in,
		    "`%s`: `%s` is not a duration such as 250ms, 10s, 5m, 2h, 1d",
		    k->name, in->value);
	if ((ms < k->min && !(ms == 0 && (k->flags & KEY_ZERO) != 0)) || ms > k->max) {
		format_duration(min, sizeof(min), k->min);
		format_duration(max, sizeof(max), k->max);
		return value_refuse(in, "`%s`: `%s` is not between %s and %s", k->name,
		    in->value, min, max);
	}
	*(int64_t *)value_field(k, object) = ms;
	return 0;
}

static void
print_ms(const struct key *k, const void *object, struct strv *lines)
{
	char text[32];

	format_duration(text, sizeof(text), *(const int64_t *)const_field(k, object));
	print_string(lines, text);
}

static int
parse_bytes(const struct key *k, void *object, const struct input *in)
{
	uint64_t bytes;

	if (!parse_size(in->value, &bytes))
		return value_refuse(in, "`%s`: `%s` is not a size such as 512, 4k, 1M",
		    k->name, in->value);
	*(uint64_t *)value_field(k, object) = bytes;
	return 0;
}

static void
print_bytes(const struct key *k, const void *object, struct strv *lines)
{
	char text[32];

	format_size(text, sizeof(text), *(const uint64_t *)const_field(k, object));
	print_string(lines, text);
}

static int
parse_count(const struct key *k, void *object, const struct input *in)
{
	uint64_t n;

	if (!parse_number(in->value, (uint64_t)k->max, &n) || n < (uint64_t)k->min)
		return value_refuse(in, "`%s`: `%s` is not a number from %lld to %lld",
		    k->name, in->value, (long long)k->min, (long long)k->max);
	*(uint32_t *)value_field(k, object) = (uint32_t)n;
	return 0;
}

static void
print_count(const struct key *k, const void *object, struct strv *lines)
{
	strv_push(lines, xasprintf("%u", *(const uint32_t *)const_field(k, object)));
}

static void
print_after(const struct key *k, const void *object, struct strv *lines)
{
	if (*(const uint32_t *)const_field(k, object) != 0)
		print_count(k, object, lines);
}

static int
parse_retry(const struct key *k, void *object, const struct input *in)
{
	uint64_t n;

	if (strcmp(in->value, "forever") == 0)
		n = RETRY_FOREVER;
	else if (!parse_number(in->value, (uint64_t)k->max, &n))
		return value_refuse(in,
		    "`%s`: `%s` is neither `forever` nor a number up to %lld", k->name,
		    in->value, (long long)k->max);
	*(uint32_t *)value_field(k, object) = (uint32_t)n;
	return 0;
}

static void
print_retry(const struct key *k, const void *object, struct strv *lines)
{
	if (*(const uint32_t *)const_field(k, object) == RETRY_FOREVER)
		print_string(lines, "forever");
	else
		print_count(k, object, lines);
}

static int
parse_umask(const struct key *k, void *object, const struct input *in)
{
	int32_t mode = 0;
	const char *s;

	for (s = in->value; *s >= '0' && *s <= '7' && mode <= 0777; s++)
		mode = mode * 8 + (*s - '0');
	if (*s != '\0' || mode > 0777)
		return value_refuse(in, "`%s`: `%s` is not an octal number from 0 to 777",
		    k->name, in->value);
	*(int32_t *)value_field(k, object) = mode;
	return 0;
}

static void
print_umask(const struct key *k, const void *object, struct strv *lines)
{
	int32_t mode = *(const int32_t *)const_field(k, object);

	if (mode >= 0)
		strv_push(lines, xasprintf("%03o", (unsigned)mode));
}

static int
parse_nice(const struct key *k, void *object, const struct input *in)
{
	struct rule *r = object;
	bool minus = in->value[0] == '-';
	uint64_t n;

	if (!parse_number(in->value + minus, 20, &n))
		return value_refuse(
		    in, "`%s`: `%s` is not a number from -20 to 20", k->name, in->value);
	r->nice = minus ? -(int32_t)n : (int32_t)n;
	r->nice_set = true;
	return 0;
}

static void
print_nice(const struct key *k, const void *object, struct strv *lines)
{
	const struct rule *r = object;

	(void)k;
	if (r->nice_set)
		strv_push(lines, xasprintf("%d", (int)r->nice));
}

/* Choices. */

static const struct choice *
choice_find(const struct choice *c, const char *name)
{
	for (; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

/* "a, b or c", or "a b c" where several can be given. */
void
value_choice_list(char *out, size_t size, const struct key *k)
{
	const struct choice *c;
	const char *comma = k->type == &value_changes ? " " : ", ";
	const char * or = k->type == &value_changes ? " " : " or ";
	size_t n = 0;

	for (c = k->choices; c->name != NULL && n < size; c++)
		n += (size_t)snprintf(out + n, size - n, "%s%s", c->name,
		    c[1].name == NULL   ? ""
		    : c[2].name == NULL ? or
					: comma);
}

static const struct choice *
choice_get(const struct key *k, const struct input *in, const char *name)
{
	const struct choice *c = choice_find(k->choices, name);
	char list[128];

	if (c == NULL) {
		value_choice_list(list, sizeof(list), k);
		value_refuse(in, "`%s`: unknown value `%s`: write %s%s", k->name, name,
		    k->type == &value_changes ? "any of " : "", list);
	}
	return c;
}

static int
parse_bool(const struct key *k, void *object, const struct input *in)
{
	const struct choice *c = choice_get(k, in, in->value);

	if (c == NULL)
		return -1;
	*(bool *)value_field(k, object) = c->value != 0;
	return 0;
}

static void
print_bool(const struct key *k, const void *object, struct strv *lines)
{
	print_string(lines, *(const bool *)const_field(k, object) ? "yes" : "no");
}

_Static_assert(sizeof(enum policy_start) == sizeof(unsigned) &&
		   sizeof(enum policy_running) == sizeof(unsigned) &&
		   sizeof(enum rule_trust) == sizeof(unsigned),
    "choices are stored as unsigned");

static int
parse_choice(const struct key *k, void *object, const struct input *in)
{
	const struct choice *c = choice_get(k, in, in->value);

	if (c == NULL)
		return -1;
	memcpy(value_field(k, object), &c->value, sizeof(c->value));
	return 0;
}

static void
print_choice(const struct key *k, const void *object, struct strv *lines)
{
	const struct choice *c = k->choices;
	unsigned value;

	memcpy(&value, const_field(k, object), sizeof(value));
	while (c->value != value)
		c++;
	print_string(lines, c->name);
}

static int
parse_changes(const struct key *k, void *object, const struct input *in)
{
	const struct choice *c = NULL;
	const char *s = in->value;
	unsigned bits = in->first ? 0 : *(unsigned *)value_field(k, object);
	char *word;

	while ((word = next_word(&s)) != NULL) {
		c = choice_get(k, in, word);
		free(word);
		if (c == NULL)
			return -1;
		bits |= c->value;
	}
	*(unsigned *)value_field(k, object) = bits;
	return 0;
}

static void
print_changes(const struct key *k, const void *object, struct strv *lines)
{
	unsigned bits = *(const unsigned *)const_field(k, object);
	const struct choice *c;
	struct buf b = { NULL, 0, 0 };

	for (c = k->choices; c->name != NULL; c++)
		if ((bits & c->value) != 0)
			buf_addf(&b, "%s%s", b.len != 0 ? " " : "", c->name);
	print_string(lines, b.p);
	buf_clear(&b);
}

static int
parse_codes(const struct key *k, void *object, const struct input *in)
{
	struct rule *r = object;
	const char *s = in->value;
	size_t n = in->first ? 0 : r->nsuccess;
	uint64_t code;
	char *word;
	bool ok;

	while ((word = next_word(&s)) != NULL) {
		ok = parse_number(word, 255, &code);
		if (!ok)
			value_refuse(in, "`%s`: `%s` is not an exit status from 0 to 255",
			    k->name, word);
		free(word);
		if (!ok)
			return -1;
		if (n == (size_t)k->max)
			return refuse_more(k, in);
		r->success = xreallocarray(r->success, n + 1, sizeof(*r->success));
		r->success[n++] = (uint32_t)code;
	}
	r->nsuccess = n;
	return 0;
}

static void
print_codes(const struct key *k, const void *object, struct strv *lines)
{
	const struct rule *r = object;
	struct buf b = { NULL, 0, 0 };
	size_t i;

	(void)k;
	for (i = 0; i < r->nsuccess; i++) {
		buf_addf(&b, "%s%u", b.len != 0 ? " " : "", (unsigned)r->success[i]);
		if (b.len < 60 && i + 1 < r->nsuccess)
			continue;
		strv_push(lines, b.p);
		b = (struct buf){ NULL, 0, 0 };
	}
}

/* What people write who know such values from a shell. */

/* The length of NAME in NAME=value, or 0. */
static size_t
variable_length(const char *s)
{
	size_t n =
	    strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	return s[n] == '=' && (s[0] < '0' || s[0] > '9') ? n : 0;
}

/* Another variable behind the first one of a value, or NULL. */
static const char *
find_variable(const char *s)
{
	for (; *s != '\0'; s++)
		if ((shell_is_space(*s) || *s == ';') && variable_length(s + 1) != 0)
			return s + 1;
	return NULL;
}

static void
add_doubt(struct strv *out, const char *at, const char *text)
{
	if (at != NULL)
		strv_push(out, xasprintf("`%.*s`%s", (int)shell_shown(at), at, text));
}

#define STAYS " stays as it is: no shell here"

static void
warn_shell(const char *value, struct strv *out)
{
	add_doubt(out, strpbrk(value, "$`"), STAYS);
	add_doubt(out, shell_find_comment(value),
	    " is part of the value: a comment is a line of its own");
	add_doubt(out, find_variable(value),
	    " is part of the value: variables stand under `environment`, a line each");
}

/* Text, names and paths. */

static int
parse_text(const struct key *k, void *object, const struct input *in)
{
	put_string(value_field(k, object), in->value);
	return 0;
}

static void
print_text(const struct key *k, const void *object, struct strv *lines)
{
	print_string(lines, *(char *const *)const_field(k, object));
}

bool
value_name_valid(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.");

	return n >= 1 && n <= VALUE_NAME_LEN && name[n] == '\0';
}

char *
value_name_make(const char *text)
{
	struct buf b = { NULL, 0, 0 };
	const char *s;
	char c;

	for (s = text; *s != '\0' && b.len < VALUE_NAME_LEN; s++) {
		c = *s;
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (((unsigned char)c & 0xc0) == 0x80)
			continue;
		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') &&
		    strchr("-_.", c) == NULL)
			c = '-';
		buf_add(&b, &c, 1);
	}
	if (b.len == 0)
		buf_adds(&b, "rule");
	return b.p;
}

static int
parse_name(const struct key *k, void *object, const struct input *in)
{
	if (!value_name_valid(in->value))
		return value_refuse(in,
		    "`%s`: `%s` is not a name of 1 to %d of a-z 0-9 - _ .", k->name,
		    in->value, VALUE_NAME_LEN);
	return parse_text(k, object, in);
}

static int
parse_account(const struct key *k, void *object, const struct input *in)
{
	if (strpbrk(in->value, " \t:/\"'`") != NULL)
		return value_refuse(in, "`%s`: `%s` is not the name of a %s", k->name,
		    in->value, k->name);
	return parse_text(k, object, in);
}

/* The last component that is `.` or `..` would lead astray under --root. */
static bool
has_dots(const char *path)
{
	const char *s = path;
	size_t n;

	while (*s != '\0') {
		s += strspn(s, "/");
		n = strcspn(s, "/");
		if ((n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
			return true;
		s += n;
	}
	return false;
}

/* What stands behind a user's home as a shell writes it, or NULL. */
static const char *
behind_home(const char *path)
{
	static const char *const homes[] = { "~/", "$HOME/", "${HOME}/" };
	size_t i, n;

	for (i = 0; i < NELEM(homes); i++) {
		n = strlen(homes[i]);
		if (strncmp(path, homes[i], n) == 0)
			return path + n;
	}
	return NULL;
}

static int
check_path(const struct key *k, const char *path, const struct input *in)
{
	const char *rest = behind_home(path);

	if (path[0] == '"' || path[0] == '\'')
		return value_refuse(
		    in, "`%s`: a path is written without quotes, spaces too", k->name);
	if (rest != NULL && k->type == &value_watch)
		return value_refuse(in,
		    "`%s`: `%s` is not an absolute path: for each user write /Users/*/%s",
		    k->name, path, rest);
	if (path[0] != '/')
		return value_refuse(
		    in, "`%s`: `%s` is not an absolute path", k->name, path);
	if (has_dots(path))
		return value_refuse(
		    in, "`%s`: `%s` has a component `.` or `..`", k->name, path);
	return 0;
}

static void
warn_path(const char *value, struct strv *out)
{
	const char *home = strstr(value, "/~");

	pattern_warn(value, out);
	warn_shell(value, out);
	add_doubt(out, home != NULL ? home + 1 : NULL, STAYS);
	add_doubt(out, strpbrk(value, "*?"), " is part of the name: no pattern here");
	if (strstr(value, " /") != NULL || strstr(value, ",/") != NULL)
		strv_push(out, xstrdup("taken as one path: it cannot have several"));
}

static int
parse_path(const struct key *k, void *object, const struct input *in)
{
	if (check_path(k, in->value, in) == -1)
		return -1;
	return parse_text(k, object, in);
}

static bool
strv_has(const struct strv *l, const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strncmp(l->v[i], s, n) == 0)
			return true;
	return false;
}

bool
value_is_watched(const struct rule *r, const char *canonical)
{
	size_t i;

	for (i = 0; i < r->nwatch; i++)
		if (strcmp(r->watch[i].path, canonical) == 0)
			return true;
	return false;
}

/* Keeps the text that was written besides the canonical one. */
static int
add_watch(
    struct rule *r, const struct key *k, const char *canonical, const struct input *in)
{
	struct rule_watch *w;
	char why[RULE_WHY_SIZE];

	if (check_path(k, canonical, in) == -1)
		return -1;
	if (!pattern_check(in->value, why, sizeof(why)))
		return value_refuse(in, "`%s`: %s", k->name, why);
	if (value_is_watched(r, canonical))
		return value_refuse(in, "`%s`: `%s` is given twice", k->name, in->value);
	if (r->nwatch == (size_t)k->max)
		return refuse_more(k, in);
	r->watch = xreallocarray(r->watch, r->nwatch + 1, sizeof(*r->watch));
	w = &r->watch[r->nwatch++];
	w->path = w->text = xstrdup(canonical);
	if (strcmp(canonical, in->value) != 0)
		w->text = xstrdup(in->value);
	w->line = in->line;
	return 0;
}

static int
parse_watch(const struct key *k, void *object, const struct input *in)
{
	char *canonical = pattern_canonical(in->value);
	int ret = add_watch(object, k, canonical, in);

	free(canonical);
	return ret;
}

static void
print_watch(const struct key *k, const void *object, struct strv *lines)
{
	const struct rule *r = object;
	size_t i;

	(void)k;
	for (i = 0; i < r->nwatch; i++)
		print_string(lines, r->watch[i].text);
}

static void
print_strings(const struct key *k, const void *object, struct strv *lines)
{
	const struct strv *l = const_field(k, object);
	size_t i;

	for (i = 0; i < l->n; i++)
		print_string(lines, l->v[i]);
}

static int
parse_environment(const struct key *k, void *object, const struct input *in)
{
	struct strv *l = value_field(k, object);
	size_t n = variable_length(in->value);

	if (n == 0)
		return value_refuse(
		    in, "`%s`: `%s` is not NAME=value", k->name, in->value);
	if (strncmp(in->value, "WATCHPATHD_", 11) == 0)
		return value_refuse(
		    in, "`%s`: the daemon itself sets the names WATCHPATHD_…", k->name);
	if (strv_has(l, in->value, n + 1))
		return value_refuse(
		    in, "`%s`: `%.*s` is given twice", k->name, (int)n, in->value);
	if (l->n == (size_t)k->max)
		return refuse_more(k, in);
	strv_push(l, xstrdup(in->value));
	return 0;
}

/* sh would take a ~ for a directory here, and in each part of a PATH. */
static const char *
find_home(const char *value)
{
	const char *colon = strstr(value, ":~");

	if (value[0] == '~')
		return value;
	return colon != NULL ? colon + 1 : NULL;
}

static void
warn_environment(const char *variable, struct strv *out)
{
	const char *value = strchr(variable, '=') + 1;
	size_t n = strlen(value);

	if (n > 1 && (value[0] == '"' || value[0] == '\'') && value[n - 1] == value[0])
		strv_push(out, xstrdup("the quotes are part of the value"));
	warn_shell(value, out);
	add_doubt(out, find_home(value), STAYS);
}

/* Commands. */

/* Is there a program in front, as execve(2) wants it? */
static int
check_program(const struct key *k, const char *program, const struct input *in)
{
	if (program[0] == '/')
		return 0;
	if (variable_length(program) != 0)
		return value_refuse(in,
		    "`%s`: `%s` is no program: variables stand under `environment`",
		    k->name, program);
	return value_refuse(
	    in, "`%s`: the program `%s` is not an absolute path", k->name, program);
}

/* Adds the words of one line to a command, or none of them. */
int
value_split_words(const struct key *k, struct command *c, const struct input *in)
{
	struct strv words = { NULL, 0 };
	size_t i;
	int ret = words_split(in->value, &words, in->why, RULE_WHY_SIZE) ? 0 : -1;

	if (ret == 0 && c->argv.n == 0 && words.n != 0)
		ret = check_program(k, words.v[0], in);
	for (i = 0; i < words.n && ret == 0; i++)
		strv_push(&c->argv, xstrdup(words.v[i]));
	if (ret == 0)
		strv_push(&c->text, xstrdup(in->value));
	strv_clear(&words);
	return ret;
}

static int
parse_command(const struct key *k, void *object, const struct input *in)
{
	struct command **c = value_field(k, object), read = { .line = in->line };

	if (value_split_words(k, &read, in) == -1)
		return -1;
	*c = xmalloc(sizeof(**c));
	**c = read;
	return 0;
}

static void
print_words(const struct command *c, struct strv *lines)
{
	size_t i;

	for (i = 0; i < c->text.n; i++)
		strv_push(lines, xasprintf("%s%s", i == 0 ? "" : "\t", c->text.v[i]));
}

static void
print_command(const struct key *k, const void *object, struct strv *lines)
{
	struct command *const *c = const_field(k, object);

	if (*c != NULL)
		print_words(*c, lines);
}

static int
parse_action(const struct key *k, void *object, const struct input *in)
{
	struct rule *r = object;
	struct command c = { .line = in->line };

	if (r->nactions == (size_t)k->max)
		return refuse_more(k, in);
	if (value_split_words(k, &c, in) == -1)
		return -1;
	r->actions = xreallocarray(r->actions, r->nactions + 1, sizeof(*r->actions));
	r->actions[r->nactions++] = c;
	return 0;
}

static void
print_action(const struct key *k, const void *object, struct strv *lines)
{
	const struct rule *r = object;
	size_t i;

	(void)k;
	for (i = 0; i < r->nactions; i++)
		print_words(&r->actions[i], lines);
}

/* The types. */

const struct type value_watch = { "path or pattern", parse_watch, print_watch,
	pattern_warn };
const struct type value_action = { "command", parse_action, print_action, words_warn };
const struct type value_command = { "command", parse_command, print_command, words_warn };
const struct type value_changes = { "words", parse_changes, print_changes, NULL };
const struct type value_size = { "size", parse_bytes, print_bytes, NULL };
const struct type value_duration = { "duration", parse_ms, print_ms, NULL };
const struct type value_count = { "number", parse_count, print_count, NULL };
const struct type value_after = { "number", parse_count, print_after, NULL };
const struct type value_retry = { "number or forever", parse_retry, print_retry, NULL };
const struct type value_bool = { "word", parse_bool, print_bool, NULL };
const struct type value_choice = { "word", parse_choice, print_choice, NULL };
const struct type value_codes = { "exit statuses", parse_codes, print_codes, NULL };
const struct type value_name = { "name", parse_name, print_text, NULL };
const struct type value_account = { "name", parse_account, print_text, NULL };
const struct type value_umask = { "octal number", parse_umask, print_umask, NULL };
const struct type value_path = { "path", parse_path, print_text, warn_path };
const struct type value_nice = { "number", parse_nice, print_nice, NULL };
const struct type value_environment = { "NAME=value", parse_environment, print_strings,
	warn_environment };
const struct type value_text = { "text", parse_text, print_text, NULL };
