/* SPDX-License-Identifier: MIT */
/*
 * The key table: everything that is known about a key of a rule file stands in
 * one line of keys[] or daemon_keys[]. Defaults, parsing, limits, hints,
 * printing, `help keys` and the manual's list all come from there. A value that
 * a line of a rule file could not hold is refused when it is set, so whatever
 * is in a rule can be printed unbent.
 */
#include "rule.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "util.h"

#define SEC INT64_C(1000)
#define DAY (24 * 3600 * SEC)
#define YEAR (365 * DAY)
#define NAME_LEN 48
#define NELEM(a) (sizeof(a) / sizeof((a)[0]))

/* Values and the room for an answer, as parse functions get them. */
struct input {
	const char *value;
	int line;
	char *why;
	bool first; /* replaces the default */
};

/* A flag of the table besides RULE_KEY_: 0 is good although it is below min. */
#define KEY_ZERO 0x100u

struct key;

/*
 * How values of a kind are read into the object, and printed from it: a string
 * for each line, nothing if there is no value, a further line that must be
 * indented with a tab in front.
 */
struct type {
	const char *what;
	int (*parse)(const struct key *k, void *object, const struct input *in);
	void (*print)(const struct key *k, const void *object, struct strv *lines);
};

struct choice {
	const char *name;
	unsigned value;
};

struct key {
	const char *name;
	const struct type *type;
	size_t offset;
	int64_t min, max; /* of a value, or max values of a list */
	const struct choice *choices;
	const char *initial; /* NULL: none */
	unsigned flags;      /* RULE_KEY_, KEY_ZERO */
	const char *text;    /* one sentence */
};

static int refuse(const struct input *in, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int
refuse(const struct input *in, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(in->why, RULE_WHY_SIZE, fmt, ap);
	va_end(ap);
	return -1;
}

static void *
field(const struct key *k, void *object)
{
	return (char *)object + k->offset;
}

static const void *
const_field(const struct key *k, const void *object)
{
	return (const char *)object + k->offset;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
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
		return refuse(in,
		    "`%s`: `%s` is not a duration such as 250ms, 10s, 5m, 2h, 1d",
		    k->name, in->value);
	if ((ms < k->min && !(ms == 0 && (k->flags & KEY_ZERO) != 0)) || ms > k->max) {
		format_duration(min, sizeof(min), k->min);
		format_duration(max, sizeof(max), k->max);
		return refuse(in, "`%s`: `%s` is not between %s and %s", k->name,
		    in->value, min, max);
	}
	*(int64_t *)field(k, object) = ms;
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
		return refuse(in, "`%s`: `%s` is not a size such as 512, 4k, 1M", k->name,
		    in->value);
	*(uint64_t *)field(k, object) = bytes;
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
		return refuse(in, "`%s`: `%s` is not a number from %lld to %lld", k->name,
		    in->value, (long long)k->min, (long long)k->max);
	*(uint32_t *)field(k, object) = (uint32_t)n;
	return 0;
}

static void
print_count(const struct key *k, const void *object, struct strv *lines)
{
	strv_push(lines, xasprintf("%u", *(const uint32_t *)const_field(k, object)));
}

static int
parse_retry(const struct key *k, void *object, const struct input *in)
{
	uint64_t n;

	if (strcmp(in->value, "forever") == 0)
		n = RETRY_FOREVER;
	else if (!parse_number(in->value, (uint64_t)k->max, &n))
		return refuse(in,
		    "`%s`: `%s` is neither `forever` nor a number up to %lld", k->name,
		    in->value, (long long)k->max);
	*(uint32_t *)field(k, object) = (uint32_t)n;
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
		return refuse(in, "`%s`: `%s` is not an octal number from 0 to 777",
		    k->name, in->value);
	*(int32_t *)field(k, object) = mode;
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
		return refuse(
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

static const struct type t_changes;

/* "a, b or c", or "a b c" where several can be given. */
static void
choice_list(char *out, size_t size, const struct key *k)
{
	const struct choice *c;
	const char *comma = k->type == &t_changes ? " " : ", ";
	const char * or = k->type == &t_changes ? " " : " or ";
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
		choice_list(list, sizeof(list), k);
		refuse(in, "`%s`: unknown value `%s`: write %s%s", k->name, name,
		    k->type == &t_changes ? "any of " : "", list);
	}
	return c;
}

static int
parse_bool(const struct key *k, void *object, const struct input *in)
{
	const struct choice *c = choice_get(k, in, in->value);

	if (c == NULL)
		return -1;
	*(bool *)field(k, object) = c->value != 0;
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
	memcpy(field(k, object), &c->value, sizeof(c->value));
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
	unsigned bits = in->first ? 0 : *(unsigned *)field(k, object);
	char *word;

	while ((word = next_word(&s)) != NULL) {
		c = choice_get(k, in, word);
		free(word);
		if (c == NULL)
			return -1;
		bits |= c->value;
	}
	*(unsigned *)field(k, object) = bits;
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
			refuse(in, "`%s`: `%s` is not an exit status from 0 to 255",
			    k->name, word);
		free(word);
		if (!ok)
			return -1;
		if (n == (size_t)k->max)
			return refuse(in, "`%s`: more than %lld values", k->name,
			    (long long)k->max);
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

/* Text, names and paths. */

static int
parse_text(const struct key *k, void *object, const struct input *in)
{
	put_string(field(k, object), in->value);
	return 0;
}

static void
print_text(const struct key *k, const void *object, struct strv *lines)
{
	print_string(lines, *(char *const *)const_field(k, object));
}

static int
parse_name(const struct key *k, void *object, const struct input *in)
{
	if (!rule_name_valid(in->value))
		return refuse(in, "`%s`: `%s` is not a name of 1 to %d of a-z 0-9 - _ .",
		    k->name, in->value, NAME_LEN);
	return parse_text(k, object, in);
}

static int
parse_account(const struct key *k, void *object, const struct input *in)
{
	if (strpbrk(in->value, " \t:/") != NULL)
		return refuse(in, "`%s`: `%s` is not the name of a %s", k->name,
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

static int
check_path(const struct key *k, const char *path, const struct input *in)
{
	if (path[0] == '"' || path[0] == '\'')
		return refuse(
		    in, "`%s`: a path is written without quotes, spaces too", k->name);
	if (path[0] != '/')
		return refuse(in, "`%s`: `%s` is not an absolute path", k->name, path);
	if (has_dots(path))
		return refuse(
		    in, "`%s`: `%s` has a component `.` or `..`", k->name, path);
	return 0;
}

static int
parse_path(const struct key *k, void *object, const struct input *in)
{
	if (check_path(k, in->value, in) == -1)
		return -1;
	return parse_text(k, object, in);
}

/* Is every [ of a pattern closed within its component, as fnmatch(3) reads it? */
static bool
brackets_closed(const char *s)
{
	while ((s = strchr(s, '[')) != NULL) {
		s++;
		if (*s == '!' || *s == '^')
			s++;
		if (*s == ']')
			s++;
		s += strcspn(s, "]/");
		if (*s != ']')
			return false;
	}
	return true;
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

static int
parse_watch(const struct key *k, void *object, const struct input *in)
{
	struct strv *l = field(k, object);

	if (check_path(k, in->value, in) == -1)
		return -1;
	if (!brackets_closed(in->value))
		return refuse(in, "`%s`: unfinished [ in `%s`: a literal one is [[]",
		    k->name, in->value);
	if (strv_has(l, in->value, strlen(in->value) + 1))
		return refuse(in, "`%s`: `%s` is given twice", k->name, in->value);
	if (l->n == (size_t)k->max)
		return refuse(
		    in, "`%s`: more than %lld values", k->name, (long long)k->max);
	strv_push(l, xstrdup(in->value));
	return 0;
}

static void
print_strings(const struct key *k, const void *object, struct strv *lines)
{
	const struct strv *l = const_field(k, object);
	size_t i;

	for (i = 0; i < l->n; i++)
		print_string(lines, l->v[i]);
}

/* The length of NAME in NAME=value, or 0. */
static size_t
variable_length(const char *s)
{
	size_t n =
	    strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	return s[n] == '=' && (s[0] < '0' || s[0] > '9') ? n : 0;
}

static int
parse_environment(const struct key *k, void *object, const struct input *in)
{
	struct strv *l = field(k, object);
	size_t n = variable_length(in->value);

	if (n == 0)
		return refuse(in, "`%s`: `%s` is not NAME=value", k->name, in->value);
	if (strncmp(in->value, "WATCHPATHD_", 11) == 0)
		return refuse(
		    in, "`%s`: the daemon itself sets the names WATCHPATHD_…", k->name);
	if (strv_has(l, in->value, n + 1))
		return refuse(
		    in, "`%s`: `%.*s` is given twice", k->name, (int)n, in->value);
	if (l->n == (size_t)k->max)
		return refuse(
		    in, "`%s`: more than %lld values", k->name, (long long)k->max);
	strv_push(l, xstrdup(in->value));
	return 0;
}

/* Commands. */

/* The bytes that a backslash keeps from being special within "…", as in sh. */
#define DOUBLE_SPECIAL "\"\\$`"

static bool
is_typographic_quote(const char *s)
{
	return strncmp(s, "\xe2\x80\x98", 3) == 0 || strncmp(s, "\xe2\x80\x99", 3) == 0 ||
	       strncmp(s, "\xe2\x80\x9c", 3) == 0 || strncmp(s, "\xe2\x80\x9d", 3) == 0;
}

/* Takes one word off *s into out; 0, or -1. */
static int
split_word(const char **sp, struct buf *out, const struct input *in)
{
	const char *s;
	char quote = '\0';

	for (s = *sp; *s != '\0' && (quote != '\0' || !is_space(*s)); s++) {
		if (*s == quote)
			quote = '\0';
		else if (quote == '\0' && (*s == '\'' || *s == '"'))
			quote = *s;
		else if (quote == '\0' && is_typographic_quote(s))
			return refuse(
			    in, "a typographic quote does not quote: write ' or \"");
		else if (*s == '\\' && quote == '\0' && s[1] == '\0')
			return refuse(in, "unfinished \\ at the end of the line");
		else if (*s == '\\' && quote != '\'' &&
			 (quote == '\0' ||
			     (s[1] != '\0' && strchr(DOUBLE_SPECIAL, s[1]) != NULL)))
			buf_add(out, ++s, 1);
		else
			buf_add(out, s, 1);
	}
	if (quote != '\0')
		return refuse(in, "unfinished quote %c", quote);
	*sp = s;
	return 0;
}

/* Adds the words of one line to a command, or none of them. */
static int
split_words(const struct key *k, struct command *c, const struct input *in)
{
	struct strv words = { NULL, 0 };
	const char *s = in->value;
	struct buf word;
	size_t i;
	int ret = 0;

	for (s += strspn(s, " \t"); *s != '\0' && ret == 0; s += strspn(s, " \t")) {
		word = (struct buf){ NULL, 0, 0 };
		buf_adds(&word, "");
		ret = split_word(&s, &word, in);
		strv_push(&words, word.p);
	}
	if (ret == 0 && c->argv.n == 0 && words.v[0][0] != '/')
		ret = refuse(in, "`%s`: the program `%s` is not an absolute path",
		    k->name, words.v[0]);
	for (i = 0; i < words.n && ret == 0; i++)
		strv_push(&c->argv, xstrdup(words.v[i]));
	if (ret == 0)
		strv_push(&c->text, xstrdup(in->value));
	strv_clear(&words);
	return ret;
}

static void
clear_command(struct command *c)
{
	strv_clear(&c->argv);
	strv_clear(&c->text);
}

static int
parse_command(const struct key *k, void *object, const struct input *in)
{
	struct command *c = field(k, object);

	c->line = in->line;
	return split_words(k, c, in);
}

static void
print_command(const struct key *k, const void *object, struct strv *lines)
{
	const struct command *c = const_field(k, object);
	size_t i;

	for (i = 0; i < c->text.n; i++)
		strv_push(lines, xasprintf("%s%s", i == 0 ? "" : "\t", c->text.v[i]));
}

static int
parse_action(const struct key *k, void *object, const struct input *in)
{
	struct rule *r = object;
	struct command c = { .line = in->line };

	if (r->nactions == (size_t)k->max)
		return refuse(
		    in, "`%s`: more than %lld values", k->name, (long long)k->max);
	if (split_words(k, &c, in) == -1)
		return -1;
	r->actions = xreallocarray(r->actions, r->nactions + 1, sizeof(*r->actions));
	r->actions[r->nactions++] = c;
	return 0;
}

static void
print_action(const struct key *k, const void *object, struct strv *lines)
{
	const struct rule *r = object;
	struct key one = *k;
	size_t i;

	for (i = 0; i < r->nactions; i++) {
		one.offset = 0;
		print_command(&one, &r->actions[i], lines);
	}
}

/* The tables. */

static const struct type t_watch = { "path or pattern", parse_watch, print_strings };
static const struct type t_action = { "command", parse_action, print_action };
static const struct type t_command = { "command", parse_command, print_command };
static const struct type t_changes = { "words", parse_changes, print_changes };
static const struct type t_size = { "size", parse_bytes, print_bytes };
static const struct type t_duration = { "duration", parse_ms, print_ms };
static const struct type t_count = { "number", parse_count, print_count };
static const struct type t_retry = { "number or forever", parse_retry, print_retry };
static const struct type t_bool = { "word", parse_bool, print_bool };
static const struct type t_choice = { "word", parse_choice, print_choice };
static const struct type t_codes = { "exit statuses", parse_codes, print_codes };
static const struct type t_name = { "name", parse_name, print_text };
static const struct type t_account = { "name", parse_account, print_text };
static const struct type t_umask = { "octal number", parse_umask, print_umask };
static const struct type t_path = { "path", parse_path, print_text };
static const struct type t_nice = { "number", parse_nice, print_nice };
static const struct type t_environment = { "NAME=value", parse_environment,
	print_strings };
static const struct type t_text = { "text", parse_text, print_text };

static const struct choice bool_choices[] = { { "yes", 1 }, { "no", 0 }, { NULL, 0 } };
static const struct choice change_choices[] = { { "create", CHANGE_CREATE },
	{ "modify", CHANGE_MODIFY }, { "delete", CHANGE_DELETE },
	{ "attributes", CHANGE_ATTRIBUTES }, { NULL, 0 } };
static const struct choice start_choices[] = { { "never", START_NEVER },
	{ "changed", START_CHANGED }, { "new", START_NEW }, { "always", START_ALWAYS },
	{ NULL, 0 } };
static const struct choice running_choices[] = { { "rerun", RUNNING_RERUN },
	{ "ignore", RUNNING_IGNORE }, { NULL, 0 } };
static const struct choice trust_choices[] = { { "strict", TRUST_STRICT },
	{ "admin", TRUST_ADMIN }, { NULL, 0 } };
static const struct choice level_choices[] = { { "error", LOG_LEVEL_ERROR },
	{ "warning", LOG_LEVEL_WARNING }, { "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG }, { NULL, 0 } };

#define LIST RULE_KEY_LIST
#define NEED RULE_KEY_REQUIRED
#define TEXT RULE_KEY_TEXT
#define AT(member) offsetof(struct rule, member)
#define POLICY(member) offsetof(struct rule, policy.member)
#define SETTING(member) offsetof(struct settings, member)

/* clang-format off */
static const struct key keys[] = {
	{ "description", &t_text, AT(description), 0, 0, NULL, NULL, TEXT,
	    "What the rule is for, in words for people." },
	{ "watch", &t_watch, AT(watch), 0, 1024, NULL, NULL, LIST | NEED | TEXT,
	    "The absolute path of a file or directory, or a pattern with * ? [ ]." },
	{ "on", &t_changes, POLICY(on), 0, 0, change_choices, "create modify delete", LIST,
	    "Which changes of a watched path count." },
	{ "min-size", &t_size, POLICY(min_size), 0, 0, NULL, "0", 0,
	    "A file that is smaller than this counts as absent." },
	{ "at-start", &t_choice, POLICY(at_start), 0, 0, start_choices, "changed", 0,
	    "What is due when the daemon starts or the rule is new." },
	{ "action", &t_action, AT(actions), 0, 64, NULL, NULL, LIST | NEED | TEXT,
	    "The command to run; the first whose program is installed and trusted." },
	{ "verify", &t_command, AT(verify), 0, 0, NULL, NULL, TEXT,
	    "A command that must succeed after the action for the run to succeed." },
	{ "success", &t_codes, AT(success), 0, 256, NULL, "0", LIST,
	    "The exit statuses of the action that count as success." },
	{ "settle", &t_duration, POLICY(settle_ms), 0, DAY, NULL, "1s", 0,
	    "Wait until nothing has changed for this long, so that the file is whole." },
	{ "settle-max", &t_duration, POLICY(settle_max_ms), 0, 7 * DAY, NULL, "30s", 0,
	    "Settle no longer than this after the first change." },
	{ "cooldown", &t_duration, POLICY(cooldown_ms), 0, YEAR, NULL, "10s", 0,
	    "Quiet time after a run ends, which delays the next run and drops nothing." },
	{ "splay", &t_duration, POLICY(splay_ms), 0, 7 * DAY, NULL, "0", 0,
	    "A random extra delay up to this, so that a fleet spreads out." },
	{ "timeout", &t_duration, POLICY(timeout_ms), 0, YEAR, NULL, "10m", 0,
	    "End a run that takes longer than this, or never if it is 0." },
	{ "retry", &t_retry, POLICY(retry), 0, 1000000, NULL, "3", 0,
	    "How many further attempts follow a failed run." },
	{ "retry-delay", &t_duration, POLICY(retry_delay_ms), 10, DAY, NULL, "30s", 0,
	    "The wait before the first retry, doubled with every failure up to 1h." },
	{ "retry-on-network", &t_bool, POLICY(retry_on_network), 0, 0, bool_choices, "no",
	    0, "Whether a change of the network makes a waiting retry due at once." },
	{ "every", &t_duration, POLICY(every_ms), SEC, YEAR, NULL, "0", KEY_ZERO,
	    "Also run when no run has succeeded for this long, or never if it is 0." },
	{ "while-running", &t_choice, POLICY(while_running), 0, 0, running_choices, "rerun",
	    0, "Whether changes during a run cause another, or are the action's own." },
	{ "lock", &t_name, AT(lock), 0, 0, NULL, NULL, 0,
	    "Rules that name the same lock never run at the same time." },
	{ "user", &t_account, AT(user), 0, 0, NULL, NULL, 0,
	    "The user that the action runs as, instead of the daemon's." },
	{ "group", &t_account, AT(group), 0, 0, NULL, NULL, 0,
	    "The group that the action runs as, instead of the user's groups." },
	{ "umask", &t_umask, AT(umask), 0, 0, NULL, NULL, 0,
	    "The file mode creation mask of the action, instead of the daemon's." },
	{ "directory", &t_path, AT(directory), 0, 0, NULL, NULL, 0,
	    "The directory that the action starts in, instead of the root directory." },
	{ "nice", &t_nice, AT(nice), 0, 0, NULL, NULL, 0,
	    "The scheduling priority of the action, from -20 to 20." },
	{ "environment", &t_environment, AT(environment), 0, 256, NULL, NULL, LIST | TEXT,
	    "A variable that is added to the action's clean environment." },
	{ "trust", &t_choice, AT(trust), 0, 0, trust_choices, "strict", 0,
	    "Whether only root may be able to write the programs, or group admin too." },
	{ "keep-awake", &t_bool, AT(keep_awake), 0, 0, bool_choices, "no", 0,
	    "Whether the machine is kept from idle sleep during the action." },
	{ "log-output", &t_bool, AT(log_output), 0, 0, bool_choices, "yes", 0,
	    "Whether what the action prints is logged." },
	{ "enabled", &t_bool, POLICY(enabled), 0, 0, bool_choices, "yes", 0,
	    "A rule that is not enabled is checked and shown, and does nothing." },
};

static const struct key daemon_keys[] = {
	{ "max-running", &t_count, SETTING(max_running), 1, 1000, NULL, "16", 0,
	    "How many runs there are at a time, over all rules." },
	{ "recheck", &t_duration, SETTING(recheck_ms), 100, YEAR, NULL, "15m", KEY_ZERO,
	    "Look at every path this often in case an event was lost, or never if 0." },
	{ "log-level", &t_choice, SETTING(log_level), 0, 0, level_choices, "info", 0,
	    "How much is logged." },
};
/* clang-format on */

_Static_assert(NELEM(keys) <= 64, "a bit of `given` for every key");

#define TABLE(t) t, NELEM(t)

/* Finding a key, and the one that was meant. */

static const struct key *
find_key(const struct key *table, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

unsigned
rule_key_flags(const char *name)
{
	const struct key *k = find_key(TABLE(keys), name);

	if (k == NULL)
		k = find_key(TABLE(daemon_keys), name);
	return k != NULL ? k->flags | RULE_KEY_KNOWN : 0;
}

#define DISTANCE_MAX 24

static bool
same_letter(char a, char b)
{
	if (a == '_')
		a = '-';
	if (b == '_')
		b = '-';
	return strncasecmp(&a, &b, 1) == 0;
}

static size_t
min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Letters to add, drop, change or swap; both shorter than DISTANCE_MAX. */
static size_t
distance(const char *a, const char *b)
{
	size_t d[DISTANCE_MAX][DISTANCE_MAX], i, j, la = strlen(a), lb = strlen(b);

	for (i = 0; i <= la; i++)
		d[i][0] = i;
	for (j = 0; j <= lb; j++)
		d[0][j] = j;
	for (i = 1; i <= la; i++) {
		for (j = 1; j <= lb; j++) {
			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1,
			    d[i - 1][j - 1] + !same_letter(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
			    same_letter(a[i - 2], b[j - 1]) &&
			    d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[la][lb];
}

/* The key that name was meant to be, or NULL if none is near. */
static const struct key *
nearest_key(const struct key *table, size_t n, const char *name)
{
	const struct key *best = NULL;
	size_t i, d, len, least = SIZE_MAX, have = strlen(name);

	for (i = 0; i < n; i++) {
		len = strlen(table[i].name);
		d = len / 4 + 1;
		if (have >= DISTANCE_MAX || have > len + d || len > have + d)
			continue;
		if (distance(table[i].name, name) > d)
			continue;
		d = distance(table[i].name, name);
		if (d < least) {
			least = d;
			best = &table[i];
		}
	}
	return best;
}

static int
refuse_unknown(
    const struct key *table, size_t n, const char *name, const struct input *in)
{
	const struct key *near = nearest_key(table, n, name);

	if (rule_key_flags(name) != 0)
		return refuse(in, "`%s` is a key of %s", name,
		    table == keys ? "the section [daemon]" : "rules, not of [daemon]");
	if (near != NULL)
		return refuse(
		    in, "unknown key `%s`: did you mean `%s`?", name, near->name);
	return refuse(in, "unknown key `%s` (`watchpathd help keys` lists them)", name);
}

/* Setting values. */

bool
rule_text_valid(const char *s)
{
	size_t n = 0, grown = 0;
	char *vis = vis_dup(s);

	for (; s[n] != '\0'; n++)
		if (s[n] == '\\' || s[n] == '\t')
			grown += 3;
	grown = strlen(vis) - grown;
	free(vis);
	return grown == n;
}

/* inih cuts a value where white space is followed by a semicolon. */
static bool
has_comment(const char *s)
{
	for (; *s != '\0'; s++)
		if (is_space(s[0]) && s[1] == ';')
			return true;
	return false;
}

/* Could a line hold this, used bytes of it being taken? */
static int
check_value(const char *key, const char *value, size_t used, const struct input *in)
{
	size_t n = strlen(value);

	if (n == 0)
		return refuse(in, "`%s` needs a value", key);
	if (n + used > RULE_LINE_MAX)
		return refuse(
		    in, "`%s`: longer than a line of %d bytes", key, RULE_LINE_MAX);
	if (!rule_text_valid(value))
		return refuse(in, "`%s`: control bytes, or not UTF-8", key);
	if (is_space(value[0]) || is_space(value[n - 1]))
		return refuse(in, "`%s`: white space at the beginning or end", key);
	if (value[0] == ';' || has_comment(value))
		return refuse(in, "`%s`: a `;` that would begin a comment", key);
	return 0;
}

static int
set_value(const struct key *table, size_t n, void *object, uint64_t *given,
    const char *key, struct input *in)
{
	const struct key *k = find_key(table, n, key);
	uint64_t bit;

	if (k == NULL)
		return refuse_unknown(table, n, key, in);
	bit = UINT64_C(1) << (k - table);
	in->first = (*given & bit) == 0;
	if (!in->first && (k->flags & RULE_KEY_LIST) == 0)
		return refuse(in, "`%s` is given twice, and takes one value", key);
	*given |= bit;
	if (check_value(key, in->value, strlen(key) + 1, in) == -1)
		return -1;
	return k->type->parse(k, object, in);
}

int
rule_set(
    struct rule *r, const char *key, const char *value, int line, char why[RULE_WHY_SIZE])
{
	struct input in = { value, line, why, false };

	return set_value(TABLE(keys), r, &r->given, key, &in);
}

int
settings_set(
    struct settings *s, const char *key, const char *value, char why[RULE_WHY_SIZE])
{
	struct input in = { value, 0, why, false };

	return set_value(TABLE(daemon_keys), s, &s->given, key, &in);
}

int
rule_check_indented(const char *text, char why[RULE_WHY_SIZE])
{
	struct input in = { text, 0, why, false };
	size_t n = strcspn(text, "= \t"), end = strlen(text);
	char key[DISTANCE_MAX];

	if (text[0] == ';' || text[0] == '#')
		return refuse(&in, "a line that begins with `%c` is a comment", text[0]);
	if (text[0] == '[' && text[end - 1] == ']')
		return refuse(&in, "an indented section header continues the line above:"
				   " begin it at the start of the line");
	if (n >= sizeof(key) || text[n + strspn(text + n, " \t")] != '=')
		return 0;
	memcpy(key, text, n);
	key[n] = '\0';
	if (rule_key_flags(key) == 0)
		return 0;
	return refuse(&in,
	    "indented `%s =` continues the line above: begin it at the"
	    " start of the line",
	    key);
}

/* The command that words on an indented line go to, or NULL. */
static struct command *
open_command(const struct key *k, struct rule *r)
{
	if (k->type == &t_command)
		return field(k, r);
	if (k->type == &t_action && r->nactions != 0)
		return &r->actions[r->nactions - 1];
	return NULL;
}

int
rule_continue(
    struct rule *r, const char *key, const char *value, int line, char why[RULE_WHY_SIZE])
{
	const struct key *k = find_key(TABLE(keys), key);
	struct input in = { value, line, why, false };
	struct command *c;

	if (k == NULL)
		return refuse_unknown(TABLE(keys), key, &in);
	if (check_value(key, value, 1, &in) == -1 ||
	    rule_check_indented(value, why) == -1)
		return -1;
	c = open_command(k, r);
	if (c != NULL && c->argv.n != 0)
		return split_words(k, c, &in);
	if ((k->flags & RULE_KEY_LIST) == 0)
		return refuse(
		    &in, "an indented line continues `%s`, which takes one value", key);
	return k->type->parse(k, r, &in);
}

int
rule_validate(const struct rule *r, unsigned nth, char why[RULE_WHY_SIZE])
{
	struct input in = { NULL, 0, why, false };
	char settle[32], max[32];
	size_t i;

	for (i = 0; i < NELEM(keys); i++) {
		if ((keys[i].flags & RULE_KEY_REQUIRED) == 0 || (r->given >> i & 1) != 0)
			continue;
		if (nth-- == 0)
			return refuse(&in, "missing `%s`", keys[i].name);
	}
	if (r->policy.settle_ms > r->policy.settle_max_ms && nth-- == 0) {
		format_duration(settle, sizeof(settle), r->policy.settle_ms);
		format_duration(max, sizeof(max), r->policy.settle_max_ms);
		return refuse(
		    &in, "`settle` (%s) is longer than `settle-max` (%s)", settle, max);
	}
	return 0;
}

/* A rule's life. */

bool
rule_name_valid(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.");

	return n >= 1 && n <= NAME_LEN && name[n] == '\0';
}

static void
set_defaults(const struct key *table, size_t n, void *object)
{
	char why[RULE_WHY_SIZE];
	struct input in = { NULL, 0, why, false };
	size_t i;

	for (i = 0; i < n; i++) {
		in.value = table[i].initial;
		if (in.value != NULL)
			(void)table[i].type->parse(&table[i], object, &in);
	}
}

struct rule *
rule_new(const char *name, const char *file, int line)
{
	struct rule *r = xcalloc(1, sizeof(*r));

	r->name = xstrdup(name);
	r->file = xstrdup(file);
	r->line = line;
	r->umask = -1;
	set_defaults(TABLE(keys), r);
	return r;
}

void
settings_init(struct settings *s)
{
	*s = (struct settings){ .given = 0 };
	set_defaults(TABLE(daemon_keys), s);
}

void
rule_free(struct rule *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->nactions; i++)
		clear_command(&r->actions[i]);
	clear_command(&r->verify);
	strv_clear(&r->watch);
	strv_clear(&r->environment);
	free(r->actions);
	free(r->success);
	free(r->name);
	free(r->file);
	free(r->description);
	free(r->lock);
	free(r->user);
	free(r->group);
	free(r->directory);
	free(r);
}

static bool
commands_equal(const struct rule *a, const struct rule *b)
{
	size_t i;

	if (a->nactions != b->nactions || !strv_equal(&a->verify.argv, &b->verify.argv))
		return false;
	for (i = 0; i < a->nactions; i++)
		if (!strv_equal(&a->actions[i].argv, &b->actions[i].argv))
			return false;
	return true;
}

/* Commands are the same if their words are; all else if it prints the same. */
bool
rule_equal(const struct rule *a, const struct rule *b)
{
	struct strv la = { NULL, 0 }, lb = { NULL, 0 };
	size_t i;
	bool same;

	for (i = 0; i < NELEM(keys); i++) {
		if (keys[i].type == &t_action || keys[i].type == &t_command)
			continue;
		keys[i].type->print(&keys[i], a, &la);
		keys[i].type->print(&keys[i], b, &lb);
	}
	same =
	    strcmp(a->name, b->name) == 0 && strv_equal(&la, &lb) && commands_equal(a, b);
	strv_clear(&la);
	strv_clear(&lb);
	return same;
}

/* Printing. */

void
rule_quote_word(struct buf *out, const char *word)
{
	const char *s;

	if (word[0] != '\0' &&
	    word[strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			      "0123456789_@%+:,./-")] == '\0') {
		buf_adds(out, word);
		return;
	}
	buf_adds(out, "'");
	for (s = word; *s != '\0'; s++) {
		if (*s == '\'' || (*s == ';' && s > word && is_space(s[-1])))
			buf_addf(out, "'\\%c'", *s);
		else
			buf_add(out, s, 1);
	}
	buf_adds(out, "'");
}

/* In a column if the line can hold that, else as short as it was written. */
static void
print_line(const char *key, const char *value, struct buf *out)
{
	size_t n = strlen(value);

	if (value[0] == '\t')
		buf_addf(out, "%s\n", value);
	else if (sizeof("retry-on-network = ") - 1 + n <= RULE_LINE_MAX)
		buf_addf(out, "%-16s = %s\n", key, value);
	else if (strlen(key) + 1 + n <= RULE_LINE_MAX)
		buf_addf(out, "%s=%s\n", key, value);
	else
		buf_addf(out, "\t%s\n", value);
}

static void
print_table(const struct key *table, size_t n, const void *object, struct buf *out)
{
	struct strv lines = { NULL, 0 };
	size_t i, j;

	for (i = 0; i < n; i++) {
		table[i].type->print(&table[i], object, &lines);
		for (j = 0; j < lines.n; j++)
			print_line(table[i].name, lines.v[j], out);
		strv_clear(&lines);
	}
}

void
rule_print(const struct rule *r, struct buf *out)
{
	buf_addf(out, "[%s]\n", r->name);
	print_table(TABLE(keys), r, out);
}

void
settings_print(const struct settings *s, struct buf *out)
{
	buf_adds(out, "[daemon]\n");
	print_table(TABLE(daemon_keys), s, out);
}

/* The lists of keys. */

/* "word, list" */
static void
add_values(const struct key *k, struct buf *out)
{
	char list[128];

	if (k->choices != NULL)
		choice_list(list, sizeof(list), k);
	buf_addf(out, "%s%s%s", k->type == &t_changes ? "any of " : "",
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
		buf_addf(out, "default %s", k->initial);
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
rule_print_keys(struct buf *out)
{
	buf_adds(out, "Keys of a rule:\n\n");
	print_keys(TABLE(keys), out);
	buf_adds(out, "\nKeys of the section [daemon]:\n\n");
	print_keys(TABLE(daemon_keys), out);
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
			    c != k->choices && k->type != &t_changes ? " |" : "",
			    c->name);
		buf_addf(out, "\n%s\n", k->text);
		if ((k->flags & RULE_KEY_REQUIRED) != 0)
			buf_adds(out, "Every rule must have it.\n");
		if ((k->flags & RULE_KEY_LIST) != 0)
			buf_adds(out, "It is a list.\n");
		if (k->initial != NULL)
			buf_addf(out, "The default is %s.\n", k->initial);
	}
	buf_adds(out, ".El\n");
}

void
rule_print_keys_mdoc(struct buf *out)
{
	buf_adds(out, "The keys of a rule are:\n");
	print_keys_mdoc(TABLE(keys), out);
	buf_adds(out, ".Pp\nThe keys of the section\n.Ic [daemon]\nare:\n");
	print_keys_mdoc(TABLE(daemon_keys), out);
}
