/* SPDX-License-Identifier: MIT */
/*
 * The key table: everything that is known about a key of a rule file stands in
 * one line of keys[] or daemon_keys[]. Defaults, parsing, limits, hints,
 * printing, `help keys` and the manual's list all come from there. A value that
 * a line of a rule file could not hold is refused when it is set, so whatever
 * is in a rule can be printed unbent.
 */
#include "rules/keys.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "rules/shell.h"
#include "base/spelling.h"
#include "base/util.h"
#include "base/number.h"
#include "base/visible.h"
#include "rules/value.h"
#include "rules/words.h"

#define SEC INT64_C(1000)
#define DAY (24 * 3600 * SEC)
#define YEAR (365 * DAY)

/* The tables. */

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
	{ "description", &value_text, AT(description), 0, 0, NULL, NULL, TEXT,
	    "What the rule is for, in words for people.",
	    "comment comments summary note" },
	{ "watch", &value_watch, 0, 0, 1024, NULL, NULL, LIST | NEED | TEXT,
	    "The absolute path of a file or directory, or a pattern with * ? [ ].",
	    "path paths file files folder folders directories "
	    "watch-paths watch-files path-changed path-modified "
	    "path-exists path-exists-glob directory-not-empty "
	    "queue-directories glob pattern patterns "
	    "watches watched watching monitor target targets" },
	{ "on", &value_changes, POLICY(on), 0, 0, change_choices, "create modify delete",
	    LIST, "Which changes of a watched path count.",
	    "event events change changes change-types mask triggers" },
	{ "min-size", &value_size, POLICY(min_size), 0, 0, NULL, "0", 0,
	    "A file that is smaller than this counts as absent.",
	    "size minimum-size" },
	{ "at-start", &value_choice, POLICY(at_start), 0, 0, start_choices, "changed", 0,
	    "What is due when the daemon starts or the rule is new.",
	    "run-at-load run-at-start start-up on-start on-boot on-load "
	    "at-boot at-load initial-run" },
	{ "action", &value_action, AT(actions), 0, 64, NULL, NULL, LIST | NEED | TEXT,
	    "The command to run; the first whose program is installed and trusted.",
	    "command commands cmd program program-arguments exec "
	    "exec-start run script hook on-change execute run-command" },
	{ "verify", &value_command, AT(verify), 0, 0, NULL, NULL, TEXT,
	    "A command that must succeed after the action for the run to succeed.",
	    "check test validate exec-start-post verify-command" },
	{ "alert", &value_command, AT(alert), 0, 0, NULL, NULL, TEXT,
	    "A command that alerts somebody when the rule fails, and when it recovers.",
	    "on-failure on-error notify notification webhook mail email "
	    "exec-on-failure alert-command" },
	{ "alert-after", &value_after, AT(alert_after), 1, 1000000, NULL, NULL, 0,
	    "Alert after this many failures in a row, instead of when no retry is left.",
	    "alert-threshold failures-before-alert max-failures" },
	{ "success", &value_codes, AT(success), 0, 256, NULL, "0", LIST,
	    "The exit statuses of the action that count as success.",
	    "exit-code exit-codes exit-status success-exit-status "
	    "success-code success-codes" },
	{ "settle", &value_duration, POLICY(settle_ms), 0, DAY, NULL, "1s", 0,
	    "Wait until nothing has changed for this long, so that the file is whole.",
	    "debounce delay wait quiet quiet-time latency settle-time" },
	{ "settle-max", &value_duration, POLICY(settle_max_ms), 0, 7 * DAY, NULL, "30s",
	    KEY_BY_SETTLE, "Settle no longer than this after the first change.",
	    "max-settle debounce-max max-debounce max-delay max-wait" },
	{ "cooldown", &value_duration, POLICY(cooldown_ms), 0, YEAR, NULL, "10s", 0,
	    "Quiet time after a run ends, which delays the next run and drops nothing.",
	    "throttle throttle-interval rate-limit min-interval "
	    "minimum-interval pause" },
	{ "splay", &value_duration, POLICY(splay_ms), 0, 7 * DAY, NULL, "0", 0,
	    "A random extra delay up to this, so that a fleet spreads out.",
	    "jitter random-delay randomized-delay randomized-delay-sec "
	    "splay-time" },
	{ "timeout", &value_duration, POLICY(timeout_ms), 0, YEAR, NULL, "10m", 0,
	    "End a run that takes longer than this, or never if it is 0.",
	    "max-time max-runtime runtime-max-sec timeout-sec "
	    "timeout-start-sec kill-after" },
	{ "retry", &value_retry, POLICY(retry), 0, 1000000, NULL, "3", 0,
	    "How many further attempts follow a failed run.",
	    "retries retry-count max-retries attempts max-attempts "
	    "tries" },
	{ "retry-delay", &value_duration, POLICY(retry_delay_ms), 10, DAY, NULL, "30s", 0,
	    "The wait before the first retry, doubled with every failure up to 1h.",
	    "retry-interval retry-wait backoff restart-sec" },
	{ "retry-on-network", &value_bool, POLICY(retry_on_network), 0, 0, bool_choices,
	    "no", 0,
	    "Whether a change of the network makes a waiting retry due at once.",
	    "on-network network network-state wait-for-network" },
	{ "every", &value_duration, POLICY(every_ms), SEC, YEAR, NULL, "0", KEY_ZERO,
	    "Also run when no run has succeeded for this long, or never if it is 0.",
	    "interval start-interval period repeat frequency" },
	{ "while-running", &value_choice, POLICY(while_running), 0, 0, running_choices,
	    "rerun", 0,
	    "Whether changes during a run cause another, or are the action's own.",
	    "busy on-busy if-running on-busy-update ignore-self" },
	{ "lock", &value_name, AT(lock), 0, 0, NULL, NULL, 0,
	    "Rules that name the same lock never run at the same time.",
	    "mutex lock-file exclusive" },
	{ "user", &value_account, AT(user), 0, 0, NULL, NULL, 0,
	    "The user to run as, or console: whoever is logged in at the screen.",
	    "run-as username account uid" },
	{ "group", &value_account, AT(group), 0, 0, NULL, NULL, 0,
	    "The group that the action runs as, instead of the user's groups.",
	    "groupname gid" },
	{ "umask", &value_umask, AT(umask), 0, 0, NULL, NULL, 0,
	    "The file mode creation mask of the action, instead of the daemon's.",
	    NULL },
	{ "directory", &value_path, AT(directory), 0, 0, NULL, NULL, 0,
	    "The directory that the action starts in, instead of the root directory.",
	    "cwd working-directory working-dir workdir chdir" },
	{ "nice", &value_nice, AT(nice), 0, 0, NULL, NULL, 0,
	    "The scheduling priority of the action, from -20 to 20.",
	    "niceness priority process-type low-priority-io" },
	{ "environment", &value_environment, AT(environment), 0, 256, NULL, NULL,
	    LIST | TEXT, "A variable that is added to the action's clean environment.",
	    "env environment-variables variables vars setenv" },
	{ "trust", &value_choice, AT(trust), 0, 0, trust_choices, "strict", 0,
	    "Whether only root may be able to write the programs, or group admin too.",
	    NULL },
	{ "keep-awake", &value_bool, AT(keep_awake), 0, 0, bool_choices, "no", 0,
	    "Whether the machine is kept from idle sleep during the action.",
	    "caffeinate no-sleep prevent-sleep" },
	{ "log-output", &value_bool, AT(log_output), 0, 0, bool_choices, "yes", 0,
	    "Whether what the action prints is logged.",
	    "output log logging stdout stderr standard-out-path "
	    "standard-error-path log-file log-path" },
	{ "enabled", &value_bool, POLICY(enabled), 0, 0, bool_choices, "yes", 0,
	    "A rule that is not enabled is checked and shown, and does nothing.",
	    "active" },
};

static const struct key daemon_keys[] = {
	{ "max-running", &value_count, SETTING(max_running), 1, 1000, NULL, "16", 0,
	    "How many runs there are at a time, over all rules.",
	    "max-jobs max-parallel concurrency parallel workers" },
	{ "recheck", &value_duration, SETTING(recheck_ms), 100, YEAR, NULL, "15m",
	    KEY_ZERO,
	    "Look at every path this often in case an event was lost, or never if 0.",
	    "rescan poll poll-interval polling" },
	{ "log-level", &value_choice, SETTING(log_level), 0, 0, level_choices, "info", 0,
	    "How much is logged.",
	    "level verbosity verbose" },
};
/* clang-format on */

_Static_assert(NELEM(keys) <= 64, "a bit of `given` for every key");

#define TABLE(t) t, NELEM(t)

const struct key_table value_rule_keys = { TABLE(keys) };
const struct key_table value_daemon_keys = { TABLE(daemon_keys) };

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

static bool
is_command(const struct key *k)
{
	return k->type == &value_command || k->type == &value_action;
}

unsigned
rule_key_flags(const char *name)
{
	const struct key *k = find_key(TABLE(keys), name);

	if (k != NULL)
		return k->flags | RULE_KEY_KNOWN | (is_command(k) ? RULE_KEY_WORDS : 0);
	k = find_key(TABLE(daemon_keys), name);
	return k != NULL ? k->flags | RULE_KEY_KNOWN | RULE_KEY_DAEMON : 0;
}

const char *
rule_change_name(unsigned change)
{
	const struct choice *c;

	for (c = change_choices; c->name != NULL; c++)
		if (c->value == change)
			return c->name;
	return "";
}

/* Names of other programs that are no key by any name. */
static const struct remark {
	const char *names, *text;
} remarks[] = {
	{ "label name title id", "a rule is called as its section is, [NAME]" },
	{ "keep-alive on-demand",
	    "an action runs when something has changed, or `every` so often" },
	{ "disabled disable off", "write `enabled = no`" },
	{ "calendar start-calendar-interval on-calendar cron crontab time schedule",
	    "there is `every`, but no time of day" },
	{ "start-on-mount on-mount mount", "watch a path on the volume" },
	{ "recursive recurse recursion depth max-depth",
	    "there is no recursion: give each directory a line" },
	{ "exclude excludes ignore ignored except",
	    "there are no exceptions: name what is meant" },
	{ "shell", "there is no shell: write /bin/sh -c '...' as the action" },
	{ "arg args argv arguments parameters",
	    "they stand behind the program in `action`" },
	{ "exit-time-out", "an action has 5 seconds after SIGTERM" },
	{ "stdin input standard-in-path", "an action reads from /dev/null" },
	{ "include import", "every file of the directory is read, and no other" },
};

/* Short words have too many neighbours. */
#define SLIP_MIN 6

/* Is name one of the words, or with slips a slip of a long one? */
static bool
is_among(const char *words, const char *name, bool slips)
{
	char word[32];
	size_t n;

	for (; words != NULL && *words != '\0'; words += n + (words[n] == ' ')) {
		n = strcspn(words, " ");
		snprintf(word, sizeof(word), "%.*s", (int)n, words);
		if (spelling_same(word, name) ||
		    (slips && n >= SLIP_MIN && spelling_near(word, name)))
			return true;
	}
	return false;
}

static const struct key *
find_meant_in(const struct key *table, size_t n, const char *name, bool slips)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (spelling_same(table[i].name, name) ||
		    (slips && spelling_near(table[i].name, name)) ||
		    is_among(table[i].others, name, slips))
			return &table[i];
	return NULL;
}

/* The key that name was meant to be: another name first, then a slip; or NULL. */
static const struct key *
find_meant(const char *name)
{
	const struct key *k = NULL;
	int slips;

	for (slips = 0; slips < 2 && k == NULL; slips++) {
		k = find_meant_in(TABLE(keys), name, slips);
		if (k == NULL)
			k = find_meant_in(TABLE(daemon_keys), name, slips);
	}
	return k;
}

static const struct remark *
find_remark(const char *name)
{
	size_t i;

	for (i = 0; i < NELEM(remarks); i++)
		if (is_among(remarks[i].names, name, false))
			return &remarks[i];
	return NULL;
}

static int
refuse_unknown(
    const struct key *table, size_t n, const char *name, const struct input *in)
{
	const char *other =
	    table == keys ? "the section [daemon]" : "rules, not of [daemon]";
	const struct remark *remark = find_remark(name);
	const struct key *meant = find_meant(name);

	if (rule_key_flags(name) != 0)
		return value_refuse(in, "`%s` is a key of %s", name, other);
	if (remark != NULL)
		return value_refuse(in, "unknown key `%s`: %s", name, remark->text);
	if (meant == NULL)
		return value_refuse(
		    in, "unknown key `%s` (`watchpathd help keys` lists them)", name);
	if (find_key(table, n, meant->name) == NULL)
		return value_refuse(in,
		    "unknown key `%s`: did you mean `%s`, a key of %s?", name,
		    meant->name, other);
	return value_refuse(
	    in, "unknown key `%s`: did you mean `%s`?", name, meant->name);
}

/* Setting values. */

/* Could a line hold this, used bytes of it being taken? */
static int
check_value(const char *key, const char *value, size_t used, const struct input *in)
{
	size_t n = strlen(value);

	if (n == 0)
		return value_refuse(in, "`%s` needs a value", key);
	if (!text_is_valid(value))
		return value_refuse(in, "`%s`: control bytes, or not UTF-8", key);
	if (n + used > RULE_LINE_MAX)
		return value_refuse(
		    in, "`%s`: longer than a line of %d bytes", key, RULE_LINE_MAX);
	if (shell_is_space(value[0]) || shell_is_space(value[n - 1]))
		return value_refuse(in, "`%s`: white space at the beginning or end", key);
	if (value[0] == ';' || value_find_comment(value) != NULL)
		return value_refuse(in, "`%s`: a `;` that would begin a comment", key);
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
		return value_refuse(in, "`%s` is given twice, and takes one value", key);
	*given |= bit;
	if (check_value(key, in->value, strlen(key) + 1, in) == -1)
		return -1;
	return k->type->parse(k, object, in);
}

void
rule_note_refused(struct rule *r, const char *key)
{
	const struct key *k = find_key(TABLE(keys), key);

	if (k == NULL)
		k = find_meant(key);
	if (k != NULL && find_key(TABLE(keys), k->name) != NULL)
		r->refused |= UINT64_C(1) << (k - keys);
}

bool
rule_is_refused(const struct rule *r, const char *key)
{
	const struct key *k = find_key(TABLE(keys), key);

	return (r->refused >> (k - keys) & 1) != 0;
}

static bool
is_given(const struct rule *r, const struct key *k)
{
	return (r->given >> (k - keys) & 1) != 0;
}

/* How many of the keys before k in the table are given. */
static size_t
count_given(const struct rule *r, const struct key *k)
{
	size_t n = 0;

	while (k-- > keys)
		n += is_given(r, k);
	return n;
}

int
rule_line(const struct rule *r, const char *key)
{
	const struct key *k = find_key(TABLE(keys), key);

	return is_given(r, k) ? r->lines[count_given(r, k)] : 0;
}

/* k has just been given for the first time. */
static void
note_line(struct rule *r, const struct key *k, int line)
{
	size_t n = count_given(r, keys + NELEM(keys)), at = count_given(r, k);

	r->lines = xreallocarray(r->lines, n, sizeof(*r->lines));
	memmove(r->lines + at + 1, r->lines + at, (n - 1 - at) * sizeof(*r->lines));
	r->lines[at] = line;
}

/* Defaults that depend on other keys. */
static void
derive_defaults(struct rule *r)
{
	size_t i;
	int64_t *ms;

	for (i = 0; i < NELEM(keys); i++) {
		if ((keys[i].flags & KEY_BY_SETTLE) == 0 || is_given(r, &keys[i]))
			continue;
		ms = value_field(&keys[i], r);
		(void)parse_duration(keys[i].initial, ms);
		if (*ms < 3 * r->policy.settle_ms)
			*ms = 3 * r->policy.settle_ms;
	}
}

int
rule_set(
    struct rule *r, const char *key, const char *value, int line, char why[RULE_WHY_SIZE])
{
	struct input in = { value, line, why, false };
	const struct key *k = find_key(TABLE(keys), key);
	bool first = k != NULL && !is_given(r, k);
	int ret = set_value(TABLE(keys), r, &r->given, key, &in);

	if (first)
		note_line(r, k, line);
	if (ret == -1)
		rule_note_refused(r, key);
	derive_defaults(r);
	return ret;
}

int
settings_set(
    struct settings *s, const char *key, const char *value, char why[RULE_WHY_SIZE])
{
	struct input in = { value, 0, why, false };

	return set_value(TABLE(daemon_keys), s, &s->given, key, &in);
}

void
rule_warn(const char *key, const char *value, struct strv *out)
{
	const struct key *k = find_key(TABLE(keys), key);

	if (k != NULL && k->type->warn != NULL)
		k->type->warn(value, out);
}

/*
 * Is an indented line that has n bytes before its `=` a key of its own? With
 * white space before the `=` no word of a command looks like that, so there
 * other names of keys count too.
 */
static bool
is_indented_key(const char *text, size_t n)
{
	char key[32];

	if (n >= sizeof(key) || text[n + strspn(text + n, " \t")] != '=')
		return false;
	memcpy(key, text, n);
	key[n] = '\0';
	if (rule_key_flags(key) != 0)
		return true;
	return text[n] != '=' && strchr("-_", text[0]) == NULL && find_meant(key) != NULL;
}

int
rule_check_indented(const char *text, char why[RULE_WHY_SIZE])
{
	struct input in = { text, 0, why, false };
	size_t n = strcspn(text, "= \t"), end = strlen(text);

	if (text[0] == ';' || text[0] == '#')
		return value_refuse(
		    &in, "a line that begins with `%c` is a comment", text[0]);
	if (text[0] == '[' && text[end - 1] == ']')
		return value_refuse(&in,
		    "an indented section header continues the line above:"
		    " begin it at the start of the line");
	if (!is_indented_key(text, n))
		return 0;
	return value_refuse(&in,
	    "indented `%.*s =` continues the line above: begin it at the"
	    " start of the line",
	    (int)n, text);
}

int
rule_check_words(const char *key, const char *value, char why[RULE_WHY_SIZE])
{
	struct input in = { value, 0, why, false };
	struct strv words = { NULL, 0 };
	int ret = check_value(key, value, 1, &in);

	if (ret == 0 && !words_split(value, &words, why, RULE_WHY_SIZE))
		ret = -1;
	strv_clear(&words);
	return ret;
}

/* The command that words on an indented line go to, or NULL. */
static struct command *
open_command(const struct key *k, struct rule *r)
{
	if (k->type == &value_command)
		return *(struct command **)value_field(k, r);
	if (k->type == &value_action && r->nactions != 0)
		return &r->actions[r->nactions - 1];
	return NULL;
}

/* Takes an indented line, which is no key of its own. */
static int
continue_key(struct rule *r, const struct key *k, const struct input *in)
{
	struct command *c = open_command(k, r);

	if (c != NULL)
		return value_split_words(k, c, in);
	if ((k->flags & RULE_KEY_LIST) == 0)
		return value_refuse(in,
		    "an indented line continues `%s`, which takes one value", k->name);
	return k->type->parse(k, r, in);
}

int
rule_continue(
    struct rule *r, const char *key, const char *value, int line, char why[RULE_WHY_SIZE])
{
	const struct key *k = find_key(TABLE(keys), key);
	struct input in = { value, line, why, false };

	if (k == NULL)
		return refuse_unknown(TABLE(keys), key, &in);
	if (check_value(key, value, 1, &in) == 0 &&
	    rule_check_indented(value, why) == 0 && continue_key(r, k, &in) == 0)
		return 0;
	rule_note_refused(r, key);
	return -1;
}

static bool
is_missing(const struct rule *r, const struct key *k)
{
	return (k->flags & RULE_KEY_REQUIRED) != 0 && !is_given(r, k) &&
	       !rule_is_refused(r, k->name);
}

static int
check_settle_max(const struct rule *r, int *line, const struct input *in)
{
	char settle_text[32], max_text[32];

	if (r->policy.settle_ms <= r->policy.settle_max_ms ||
	    rule_is_refused(r, "settle") || rule_is_refused(r, "settle-max"))
		return 0;
	format_duration(settle_text, sizeof(settle_text), r->policy.settle_ms);
	format_duration(max_text, sizeof(max_text), r->policy.settle_max_ms);
	*line = rule_line(r, "settle-max");
	return value_refuse(
	    in, "`settle-max` (%s) is shorter than `settle` (%s)", max_text, settle_text);
}

int
rule_validate(const struct rule *r, unsigned nth, int *line, char why[RULE_WHY_SIZE])
{
	struct input in = { NULL, 0, why, false };
	size_t i;

	*line = r->line;
	for (i = 0; i < NELEM(keys); i++)
		if (is_missing(r, &keys[i]) && nth-- == 0)
			return value_refuse(&in, "missing `%s`", keys[i].name);
	return nth == 0 ? check_settle_max(r, line, &in) : 0;
}

/* A rule's life. */

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

static void
clear_command(struct command *c)
{
	strv_clear(&c->argv);
	strv_clear(&c->text);
}

static void
free_command(struct command *c)
{
	if (c != NULL)
		clear_command(c);
	free(c);
}

void
rule_free(struct rule *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->nactions; i++)
		clear_command(&r->actions[i]);
	free_command(r->verify);
	free_command(r->alert);
	for (i = 0; i < r->nwatch; i++) {
		if (r->watch[i].text != r->watch[i].path)
			free(r->watch[i].text);
		free(r->watch[i].path);
	}
	free(r->watch);
	free(r->lines);
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
command_equal(const struct command *a, const struct command *b)
{
	return a != NULL && b != NULL ? strv_equal(&a->argv, &b->argv) : a == b;
}

static bool
commands_equal(const struct rule *a, const struct rule *b)
{
	size_t i;

	if (a->nactions != b->nactions || !command_equal(a->verify, b->verify) ||
	    !command_equal(a->alert, b->alert))
		return false;
	for (i = 0; i < a->nactions; i++)
		if (!command_equal(&a->actions[i], &b->actions[i]))
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
		if (keys[i].type == &value_action || keys[i].type == &value_command)
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
		if (*s == '\'' || (*s == ';' && s > word && shell_is_space(s[-1])))
			buf_addf(out, "'\\%c'", *s);
		else
			buf_add(out, s, 1);
	}
	buf_adds(out, "'");
}

/* Where a command is broken, which no line needs to be before RULE_LINE_MAX. */
#define COLUMNS 78

int
rule_set_words(
    struct rule *r, const char *key, const struct strv *words, char why[RULE_WHY_SIZE])
{
	struct buf line = { NULL, 0, 0 }, word = { NULL, 0, 0 };
	size_t i, room = COLUMNS - sizeof("retry-on-network =");
	bool more = false;
	int ret = 0;

	for (i = 0; i <= words->n && ret == 0; i++) {
		buf_clear(&word);
		if (i < words->n)
			rule_quote_word(&word, words->v[i]);
		if (line.len != 0 && (i == words->n || line.len + 1 + word.len > room)) {
			ret = more ? rule_continue(r, key, line.p, 0, why)
				   : rule_set(r, key, line.p, 0, why);
			more = true;
			room = COLUMNS - 8;
			buf_clear(&line);
		}
		buf_addf(&line, "%s%s", line.len != 0 ? " " : "",
		    word.p != NULL ? word.p : "");
	}
	buf_clear(&line);
	buf_clear(&word);
	return ret;
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

/* The keys whose bits are set. */
static void
print_table(const struct key *table, size_t n, const void *object, uint64_t which,
    struct buf *out)
{
	struct strv lines = { NULL, 0 };
	size_t i, j;

	for (i = 0; i < n; i++) {
		if ((which >> i & 1) == 0)
			continue;
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
	print_table(TABLE(keys), r, UINT64_MAX, out);
}

void
rule_print_given(const struct rule *r, struct buf *out)
{
	buf_addf(out, "[%s]\n", r->name);
	print_table(TABLE(keys), r, r->given, out);
}

void
settings_print(const struct settings *s, struct buf *out)
{
	buf_adds(out, "[daemon]\n");
	print_table(TABLE(daemon_keys), s, UINT64_MAX, out);
}
