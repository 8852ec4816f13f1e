/* SPDX-License-Identifier: MIT */
/*
 * `import`: what a launchd plist says, as a rule. Every key is in one table with
 * what becomes of it: a value of the rule, or a comment that says what to do. A
 * value that a rule file cannot hold is refused, never bent. What is printed was
 * read back as the daemon will read it, and is the same rule.
 */
#include "cmd/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "rules/conf.h"
#include "cmd/launchd.h"
#include "base/options.h"
#include "rules/pattern.h"
#include "cmd/plist.h"
#include "cmd/plistfile.h"
#include "rules/keys.h"
#include "rules/value.h"
#include "base/util.h"
#include "base/visible.h"

#define COLUMNS 78
#define SHOWN_MAX 400 /* bytes of a value in a comment */

/* The whole call. */
struct import {
	struct strv names; /* of sections that are taken */
	struct rule **rules;
	size_t nrules;
	struct buf out;
	int status;
};

/* One plist. */
struct job {
	const char *file;
	struct rule *rule;
	struct buf comments; /* whole lines */
	bool bad;
	bool present; /* a path is watched because it keeps the job alive */
};

/* What becomes of a key of a plist. */
struct item {
	const char *key;
	void (*take)(struct job *j, const struct item *i, const struct plist *value);
	const char *text; /* the rule's key, or what the comment says */
};

/* Problems. */

static void
problem(struct job *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
problem(struct job *j, const char *fmt, ...)
{
	char text[2 * RULE_WHY_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	command_complain(j->file, text);
	j->bad = true;
}

/* Sets a value of the rule; what is wrong with it is said under the plist's key. */
static bool
set(struct job *j, const char *from, const char *key, const char *value)
{
	char why[RULE_WHY_SIZE];

	if (rule_set(j->rule, key, value, 0, why) == 0)
		return true;
	problem(j, "%s: %s", from, why);
	return false;
}

/* Comments. */

/* How much of s goes on a line of max bytes: to a space, never within a character. */
static size_t
line_length(const char *s, size_t max)
{
	size_t i;

	if (strlen(s) <= max)
		return strlen(s);
	for (i = max; i > max / 2; i--)
		if (s[i] == ' ')
			return i;
	while (max > 1 && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

/* Adds text without line ends as lines of a comment. */
static void
add_comment(struct buf *out, const char *text)
{
	const char *start = "; ";
	size_t n;

	while (*text != '\0') {
		n = line_length(text, COLUMNS - strlen(start));
		buf_addf(out, "%s%.*s\n", start, (int)n, text);
		text += n;
		text += strspn(text, " ");
		start = ";   ";
	}
}

/* A value in one line: text, (a, b) or {name: a, name: b}. */
static void
show(struct buf *out, const struct plist *p)
{
	const struct plist *c;

	if (p->type == PLIST_TRUE || p->type == PLIST_FALSE)
		buf_adds(out, p->type == PLIST_TRUE ? "true" : "false");
	else if (p->type != PLIST_DICT && p->type != PLIST_ARRAY)
		buf_addvis(out, p->text, strlen(p->text));
	if (p->type != PLIST_DICT && p->type != PLIST_ARRAY)
		return;
	buf_adds(out, p->type == PLIST_DICT ? "{" : "(");
	for (c = p->child; c != NULL && out->len < 2 * SHOWN_MAX; c = c->next) {
		if (c->key != NULL) {
			buf_addvis(out, c->key, strlen(c->key));
			buf_adds(out, ": ");
		}
		show(out, c);
		buf_adds(out, c->next != NULL ? ", " : "");
	}
	buf_adds(out, p->type == PLIST_DICT ? "}" : ")");
}

/* "KEY VALUE: text", the value cut where it is long; text may be NULL. */
static void
note(struct job *j, const struct plist *value, const char *text)
{
	struct buf shown = { NULL, 0, 0 }, line = { NULL, 0, 0 };
	size_t n;

	buf_addvis(&shown, value->key, strlen(value->key));
	buf_adds(&shown, " ");
	show(&shown, value);
	n = line_length(shown.p, SHOWN_MAX);
	buf_add(&line, shown.p, n);
	buf_addf(&line, "%s%s%s", shown.p[n] != '\0' ? " ..." : "",
	    text != NULL ? ": " : "", text != NULL ? text : "");
	add_comment(&j->comments, line.p);
	buf_clear(&shown);
	buf_clear(&line);
}

/* Values. */

static void
take_nothing(struct job *j, const struct item *i, const struct plist *value)
{
	(void)j;
	(void)i;
	(void)value;
}

static void
take_note(struct job *j, const struct item *i, const struct plist *value)
{
	note(j, value, i->text);
}

/* What would make the action another one if it were left out. */
static void
take_refusal(struct job *j, const struct item *i, const struct plist *value)
{
	(void)value;
	problem(j, "%s: %s", i->key, i->text);
}

static void
take_string(struct job *j, const struct item *i, const struct plist *value)
{
	if (value->type != PLIST_STRING)
		problem(j, "%s: not a string", i->key);
	else
		set(j, i->key, i->text, value->text);
}

static bool
set_integer(struct job *j, const struct item *i, const struct plist *value)
{
	char text[32];
	int64_t n;

	if (!plist_integer(value, &n)) {
		problem(j, "%s: not a whole number", i->key);
		return false;
	}
	snprintf(text, sizeof(text), "%lld", (long long)n);
	return set(j, i->key, i->text, text);
}

static void
take_integer(struct job *j, const struct item *i, const struct plist *value)
{
	set_integer(j, i, value);
}

static void
take_throttle(struct job *j, const struct item *i, const struct plist *value)
{
	if (set_integer(j, i, value))
		note(j, value,
		    "launchd counts it from the start of a run, `cooldown` counts from"
		    " its end");
}

/* False is what a rule does anyway. The text is a key and its value. */
static void
take_true(struct job *j, const struct item *i, const struct plist *value)
{
	const char *space = strchr(i->text, ' ');
	char *key;

	if (value->type != PLIST_TRUE && value->type != PLIST_FALSE)
		problem(j, "%s: neither true nor false", i->key);
	if (value->type != PLIST_TRUE)
		return;
	key = xstrndup(i->text, (size_t)(space - i->text));
	set(j, i->key, key, space + 1);
	free(key);
}

/* As strtoul(3) with base 0 reads a string; false if it is no mask. */
static bool
read_umask(const struct plist *value, int64_t *mask)
{
	char *end;

	if (value->type != PLIST_STRING)
		return plist_integer(value, mask) && *mask >= 0 && *mask <= 0777;
	if (strspn(value->text, "0123456789") == 0)
		return false;
	errno = 0;
	*mask = (int64_t)strtoul(value->text, &end, 0);
	return errno == 0 && *end == '\0' && *mask >= 0 && *mask <= 0777;
}

static void
take_umask(struct job *j, const struct item *i, const struct plist *value)
{
	int64_t mask;
	char text[32];

	if (!read_umask(value, &mask)) {
		problem(j, "%s: not a file mode creation mask", i->key);
		return;
	}
	snprintf(text, sizeof(text), "%03o", (unsigned)mask);
	set(j, i->key, "umask", text);
	if (strcmp(text, value->text) != 0)
		note(j, value, "a rule has it in octal");
}

static void
take_environment(struct job *j, const struct item *i, const struct plist *value)
{
	const struct plist *p;
	char *text;

	if (value->type != PLIST_DICT) {
		problem(j, "%s: not a dictionary", i->key);
		return;
	}
	for (p = value->child; p != NULL; p = p->next) {
		if (p->type != PLIST_STRING || strchr(p->key, '=') != NULL) {
			text = vis_dup(p->key);
			problem(j, "%s: %.100s: %s", i->key, text,
			    p->type != PLIST_STRING ? "not a string" : "not a name");
		} else {
			text = xasprintf("%s=%s", p->key, p->text);
			set(j, i->key, "environment", text);
		}
		free(text);
	}
}

/* The file that the shipped rule is about. */
#define KEY_FILE "/var/db/FileVaultPRK.dat"

static void
note_shipped(struct job *j, const char *path)
{
	if (strncmp(path, "/private/", 9) == 0)
		path += strlen("/private");
	if (strcmp(path, KEY_FILE) == 0)
		add_comment(&j->comments,
		    "The rule filevault-escrow, which comes with watchpathd, sends a new"
		    " FileVault key to the MDM: with it this one may not be needed");
}

/* One path to watch. At its end a slash means nothing. */
static void
watch(struct job *j, const struct item *i, const char *text)
{
	char *path = xstrdup(text), *canonical;
	struct buf quoted = { NULL, 0, 0 };
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		path[--n] = '\0';
	pattern_quote(&quoted, path);
	canonical = pattern_canonical(quoted.p);
	if (path[0] == '\0')
		problem(j, "%s: an empty path", i->key);
	else if (!value_is_watched(j->rule, canonical))
		set(j, i->key, "watch", quoted.p);
	note_shipped(j, path);
	free(path);
	free(canonical);
	buf_clear(&quoted);
}

static void
take_watches(struct job *j, const struct item *i, const struct plist *value)
{
	const struct plist *p;

	if (value->type != PLIST_ARRAY) {
		problem(j, "%s: not an array of strings", i->key);
		return;
	}
	for (p = value->child; p != NULL; p = p->next) {
		if (p->type == PLIST_STRING)
			watch(j, i, p->text);
		else
			problem(j, "%s: not an array of strings", i->key);
	}
	if (i->text != NULL && value->child != NULL)
		note(j, value, i->text);
}

#define ALONE \
	"a rule starts its action only when something has changed, or `every` so often"
#define PRESENT                                                                 \
	"launchd runs the job again and again while the path is there; a rule " \
	"runs its action once when it comes or is written: let it remove the "  \
	"path. One that is there when the daemon starts is no change: "         \
	"`at-start = always` runs the action for it"

/* A path whose presence keeps the job alive is a trigger, as one of WatchPaths is. */
static void
take_keep_alive(struct job *j, const struct item *i, const struct plist *value)
{
	const struct plist *p =
	    value->type == PLIST_DICT ? plist_get(value, "PathState") : NULL;

	for (p = p != NULL && p->type == PLIST_DICT ? p->child : NULL; p != NULL;
	     p = p->next)
		if (p->type == PLIST_TRUE) {
			watch(j, i, p->key);
			j->present = true;
		}
	note(j, value, j->present ? PRESENT : ALONE);
}

/* Where nothing else is watched: that the action removes the path is no change. */
static void
limit_to_presence(struct job *j, const struct plist *dict)
{
	if (j->present && plist_get(dict, "WatchPaths") == NULL &&
	    plist_get(dict, "QueueDirectories") == NULL)
		set(j, "KeepAlive", "on", "create modify");
}

#define STAYS "without counterpart; if the job needs it, leave it to launchd"
#define MOUNTS "watch a path on the volume, such as /Volumes/NAME, instead"
#define OUTPUT "what an action prints goes to watchpathd's log (`log-output`)"
#define SESSION "a rule's action runs as root, outside of every login session"
#define LIMITS "let the action set its limits itself, with ulimit in a script"
#define QUEUE                                                                  \
	"launchd runs the job until the directory is empty; a rule runs its "  \
	"action once for all entries that came or went: let it take them all." \
	" What the directory holds when the daemon starts is no change: "      \
	"`at-start = always` runs the action for it"

static const struct item items[] = {
	{ "Label", take_nothing, NULL },
	{ "Program", take_nothing, NULL },
	{ "ProgramArguments", take_nothing, NULL },
	{ "WatchPaths", take_watches, NULL },
	{ "QueueDirectories", take_watches, QUEUE },
	{ "StartInterval", take_integer, "every" },
	{ "ThrottleInterval", take_throttle, "cooldown" },
	{ "RunAtLoad", take_true, "at-start always" },
	{ "Disabled", take_true, "enabled no" },
	{ "UserName", take_string, "user" },
	{ "GroupName", take_string, "group" },
	{ "WorkingDirectory", take_string, "directory" },
	{ "EnvironmentVariables", take_environment, NULL },
	{ "Umask", take_umask, NULL },
	{ "Nice", take_integer, "nice" },
	{ "RootDirectory", take_refusal, "a rule cannot change the root directory" },
	{ "AbandonProcessGroup", take_note,
	    "what an action leaves running is left alone" },
	{ "BundleProgram", take_note, "a rule takes the program's absolute path" },
	{ "Comment", take_note, NULL },
	{ "EnableGlobbing", take_note, "arguments are passed as they are written" },
	{ "ExitTimeOut", take_note, "a run that `timeout` ends has 5 seconds to exit" },
	{ "HardResourceLimits", take_note, LIMITS },
	{ "InitGroups", take_note, "an action has the groups of its user" },
	{ "KeepAlive", take_keep_alive, NULL },
	{ "LimitLoadToSessionType", take_note, SESSION },
	{ "LowPriorityBackgroundIO", take_note, "use `nice`" },
	{ "LowPriorityIO", take_note, "use `nice`" },
	{ "OnDemand", take_note, ALONE },
	{ "ProcessType", take_note, "use `nice`" },
	{ "SessionCreate", take_note, SESSION },
	{ "SoftResourceLimits", take_note, LIMITS },
	{ "StandardErrorPath", take_note, OUTPUT },
	{ "StandardInPath", take_note, "an action reads from /dev/null" },
	{ "StandardOutPath", take_note, OUTPUT },
	{ "StartCalendarInterval", take_note, "a rule has `every`, but no time of day" },
	{ "StartOnMount", take_note, MOUNTS },
	{ "TimeOut", take_note, "launchd does nothing with it; `timeout` ends a run" },
	{ NULL, take_note, STAYS },
};

static const struct item *
find_item(const char *key)
{
	const struct item *i = items;

	while (i->key != NULL && strcmp(i->key, key) != 0)
		i++;
	return i;
}

/* The action. */

static void
set_action(struct job *j, const struct strv *words)
{
	char why[RULE_WHY_SIZE];

	if (rule_set_words(j->rule, "action", words, why) == -1)
		problem(j, "ProgramArguments: %s: put the command into a script", why);
	else if (!strv_equal(&j->rule->actions[0].argv, words))
		problem(j, "ProgramArguments: a rule file cannot hold them");
}

/* A name in place of a path becomes the path, which is said. */
static void
resolve_program(struct job *j, const struct plist *arguments, struct strv *words)
{
	char *path = launchd_find_program(words->v[0]), *text;

	if (path == NULL)
		return;
	text = xasprintf("launchd finds the first in its PATH: here it is %s", path);
	note(j, arguments, text);
	free(text);
	free(words->v[0]);
	words->v[0] = path;
}

/* launchd executes Program; ProgramArguments is its argv from argv[0] on. */
static void
collect_words(struct job *j, const struct plist *program, const struct plist *arguments,
    struct strv *words)
{
	const struct plist *p = arguments != NULL ? arguments->child : NULL;

	if (program != NULL) {
		strv_push(words, xstrdup(program->text));
		if (p != NULL && p->type == PLIST_STRING &&
		    strcmp(p->text, program->text) != 0)
			note(j, arguments,
			    "the first is argv[0], which is the program's"
			    " path in a rule");
		p = p != NULL ? p->next : NULL;
	}
	for (; p != NULL; p = p->next)
		strv_push(words, xstrdup(p->text));
	if (program == NULL && arguments != NULL && words->n > 0)
		resolve_program(j, arguments, words);
}

static bool
check_words(struct job *j, const struct strv *words)
{
	size_t i;
	char *vis;

	if (words->n == 0)
		problem(j, "neither Program nor ProgramArguments: nothing to run");
	else if (words->v[0][0] != '/') {
		vis = vis_dup(words->v[0]);
		problem(j,
		    "`%.200s` is not an absolute path, and this machine has no such"
		    " program in /usr/bin, /bin, /usr/sbin or /sbin: a rule says where"
		    " its program is",
		    vis);
		free(vis);
	}
	for (i = 0; i < words->n; i++)
		if (!text_is_valid(words->v[i]))
			problem(j,
			    "ProgramArguments: the argument %zu has a line end or"
			    " another control byte, which a rule file cannot hold:"
			    " put the command into a script",
			    i);
	return !j->bad;
}

static void
take_command(struct job *j, const struct plist *dict)
{
	const struct plist *program = plist_get(dict, "Program"), *p;
	const struct plist *arguments = plist_get(dict, "ProgramArguments");
	struct strv words = { NULL, 0 };

	if (program != NULL && program->type != PLIST_STRING) {
		problem(j, "Program: not a string");
		return;
	}
	for (p = arguments != NULL ? arguments->child : NULL; p != NULL; p = p->next)
		if (p->type != PLIST_STRING)
			break;
	if (p != NULL || (arguments != NULL && arguments->type != PLIST_ARRAY)) {
		problem(j, "ProgramArguments: not an array of strings");
		return;
	}
	collect_words(j, program, arguments, &words);
	if (check_words(j, &words))
		set_action(j, &words);
	strv_clear(&words);
}

/* The name. */

/* A name that no section of this call has yet. */
static const char *
claim_name(struct import *m, const char *label)
{
	char *base = value_name_make(label), *name = xstrdup(base), suffix[16];
	unsigned n;

	for (n = 2; strv_contains(&m->names, name); n++) {
		free(name);
		snprintf(suffix, sizeof(suffix), "-%u", n);
		name = xasprintf(
		    "%.*s%s", (int)(VALUE_NAME_LEN - strlen(suffix)), base, suffix);
	}
	free(base);
	strv_push(&m->names, name);
	return name;
}

/* A job without a label is called as its file is. */
static char *
label_of_file(const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *base = slash != NULL ? slash + 1 : file;

	return xstrndup(base, strlen(base) - (text_ends_in(base, ".plist") ? 6 : 0));
}

static void
name_rule(struct import *m, struct job *j, const struct plist *dict)
{
	const struct plist *label = plist_get(dict, "Label");
	bool good = label != NULL && label->type == PLIST_STRING;
	char *text = good ? xstrdup(label->text) : label_of_file(j->file);

	if (label != NULL && !good)
		problem(j, "Label: not a string");
	j->rule = rule_new(claim_name(m, text), j->file, 0);
	if (label == NULL)
		add_comment(&j->comments, "Without a Label: it is called as its file is");
	else if (strcmp(j->rule->name, text) != 0)
		note(j, label, "a section has a name of 1 to 48 of a-z 0-9 - _ .");
	free(text);
}

/* Printing. */

static void
print_job(struct buf *out, const struct job *j)
{
	char *vis = vis_dup(j->file);

	buf_adds(out, "\n");
	add_comment(out, vis);
	if (j->comments.p != NULL)
		buf_adds(out, j->comments.p);
	rule_print_given(j->rule, out);
	free(vis);
}

/* Reading. */

/* Wherever one stands: the name of the file may be all that was given. */
static bool
is_agent(const char *file)
{
	char *real = realpath(file, NULL);
	bool agent = strstr(real != NULL ? real : file, "/LaunchAgents/") != NULL;

	free(real);
	return agent;
}

static void
translate(struct import *m, struct job *j, const struct plist *dict)
{
	const struct item *i;
	const struct plist *p;

	name_rule(m, j, dict);
	if (is_agent(j->file) && plist_get(dict, "UserName") == NULL)
		add_comment(&j->comments, "A LaunchAgent runs as the user who is logged"
					  " in, the action of a rule as root: set `user`,"
					  " or leave it to launchd");
	take_command(j, dict);
	for (p = dict->child; p != NULL; p = p->next) {
		i = find_item(p->key);
		i->take(j, i, p);
	}
	limit_to_presence(j, dict);
	if (!j->bad && j->rule->nwatch == 0)
		problem(j,
		    "no WatchPaths, QueueDirectories or PathState: there is nothing "
		    "to watch: leave it to launchd");
}

static void
import_plist(struct import *m, const char *file, const struct plist *dict)
{
	struct job j = { .file = file };

	if (dict->type != PLIST_DICT)
		problem(&j, "not the property list of a launchd job");
	else if (plist_get(dict, "PayloadContent") != NULL)
		problem(&j, "a configuration profile, and no launchd job: `watchpathd "
			    "managed` shows its rules");
	else
		translate(m, &j, dict);
	if (j.bad) {
		rule_free(j.rule);
		m->status = command_worse(m->status, EX_DATAERR);
	} else {
		print_job(&m->out, &j);
		m->rules = xreallocarray(m->rules, m->nrules + 1, sizeof(*m->rules));
		m->rules[m->nrules++] = j.rule;
	}
	buf_clear(&j.comments);
}

static void
import_file(struct import *m, const char *file)
{
	char why[PLIST_WHY_SIZE];
	int status = EX_DATAERR;
	struct plist *p = plistfile_read(file, &status, why);

	if (p != NULL) {
		import_plist(m, file, p);
		plist_free(p);
		return;
	}
	command_complain(file, why);
	m->status = command_worse(m->status, status);
}

/* Checking. */

/* Only what the daemon reads back as it was meant is ever printed. */
static int
verify(const struct import *m)
{
	struct conf c = { .nrules = 0 };
	bool same;
	size_t i;

	conf_read_text(&c, "import", m->out.p, m->out.len);
	same = conf_holds(&c, m->rules, m->nrules);
	for (i = 0; i < c.ndiags; i++)
		if (c.diags[i].severity == DIAG_ERROR)
			fprintf(stderr, "watchpathd: import: %s\n", c.diags[i].message);
	conf_clear(&c);
	if (same)
		return EX_OK;
	fputs("watchpathd: import: one rule file cannot hold all of this\n", stderr);
	return EX_DATAERR;
}

/* Prints the rules that there are. */
static int
print_all(const struct import *m)
{
	int status = m->nrules > 0 ? verify(m) : EX_OK;

	if (m->nrules == 0 || status != EX_OK)
		return status;
	if (fwrite(m->out.p, 1, m->out.len, stdout) == m->out.len && fflush(stdout) == 0)
		return EX_OK;
	fprintf(stderr, "watchpathd: import: %s\n", strerror(errno));
	return EXIT_FAILURE;
}

#define HEADER                                                                          \
	"; From launchd plists. Unlike launchd, watchpathd repeats a run that failed\n" \
	"; (`retry`), and ends one that takes longer than 10 minutes (`timeout`).\n"    \
	"; Take the plists out of launchd, or their jobs run twice:\n"                  \
	"; sudo launchctl bootout system/LABEL\n"

int
import_main(struct options *o, char **plists)
{
	struct import m = { .nrules = 0 };
	int status;
	size_t k;

	(void)o;
	strv_push(&m.names, xstrdup("daemon"));
	buf_adds(&m.out, HEADER);
	for (; *plists != NULL; plists++)
		import_file(&m, *plists);
	/* A plist that is refused, which has been said, does not keep the others back. */
	status = command_conclude(command_worse(m.status, print_all(&m)));
	for (k = 0; k < m.nrules; k++)
		rule_free(m.rules[k]);
	free(m.rules);
	strv_clear(&m.names);
	buf_clear(&m.out);
	return status;
}
