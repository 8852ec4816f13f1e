/* SPDX-License-Identifier: MIT */
/*
 * What would keep rules from working on this machine. Every check is a function
 * in one table and only adds findings; a finding says what is wrong, why that
 * matters, and the command that mends it.
 */
#include "doctor.h"

#include <cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "ask.h"
#include "conf.h"
#include "findings.h"
#include "json.h"
#include "options.h"
#include "paths.h"
#include "pattern.h"
#include "platform.h"
#include "plistfile.h"
#include "programs.h"
#include "rule.h"
#include "trust.h"
#include "util.h"

/* Descriptors that the daemon needs besides those of paths. */
#define FDS_SPARE 128

struct finding {
	char *what, *why, *mend;
};

struct doctor {
	struct options opt;
	struct trust trust;
	struct conf conf;
	struct strv remote; /* mount points */
	struct finding *findings;
	size_t n;
};

/* Takes what and mend over; mend may be NULL. */
static void
find(struct doctor *d, char *what, const char *why, char *mend)
{
	d->findings = xreallocarray(d->findings, d->n + 1, sizeof(*d->findings));
	d->findings[d->n++] = (struct finding){ what, xstrdup(why), mend };
}

/* A path as a shell takes it for one word. */
static char *
quoted(const char *path)
{
	struct buf out = { NULL, 0, 0 };

	buf_adds(&out, "'");
	for (; *path != '\0'; path++)
		if (*path == '\'')
			buf_adds(&out, "'\\''");
		else
			buf_add(&out, path, 1);
	buf_adds(&out, "'");
	return out.p;
}

/* The command with a path at its end. */
static char *
command(const char *words, const char *path)
{
	char *q = quoted(path), *out = xasprintf("%s %s", words, q);

	free(q);
	return out;
}

static void
add_finding(void *arg, const struct rule *rule, int line, const char *text)
{
	conf_warn(arg, rule->file, line, text);
}

static void
check_rule_files(struct doctor *d)
{
	struct findings findings = {
		.trust = &d->trust,
		.root = d->opt.root,
		.remote = &d->remote,
	};
	const struct diag *g;
	char *what, *place;
	size_t i;

	if (conf_read_dir(&d->conf, d->opt.config, &d->trust) == -1)
		find(d, xasprintf("%s cannot be read", d->opt.config),
		    "no rule is in force until it can",
		    command("sudo install -d -m 0755", d->opt.config));
	for (i = 0; i < d->conf.nrules; i++)
		findings_each(&findings, d->conf.rules[i], add_finding, &d->conf);
	findings_clear(&findings);
	conf_sort(&d->conf, 0);
	for (i = 0; i < d->conf.ndiags; i++) {
		g = &d->conf.diags[i];
		place = place_dup(g->file, g->line);
		what = xasprintf("%s: %s", place, g->message);
		free(place);
		if (g->severity == DIAG_ERROR)
			find(d, what,
			    "the file is refused as a whole; the version before it "
			    "stays in force, if there is one",
			    xstrdup("watchpathd check"));
		else
			find(d, what,
			    "the rule is in force, and may not do what is wanted", NULL);
	}
}

/* A rule none of whose programs may run, and `verify`, which must. */
static void
check_programs(struct doctor *d, const struct rule *rule)
{
	struct programs p;
	struct trust_verdict v = { .paths = NULL };

	programs_init(&p, NULL, &d->trust, d->opt.root, rule);
	if (programs_choose(&p, &v) == NULL)
		find(d, xasprintf("%s: no action can run: %s", rule->name, v.why),
		    "the rule stays blocked until one can",
		    command(HINT_LIST, rule->actions[0].argv.v[0]));
	if (rule->verify.argv.n > 0 && !programs_judge(&p, &rule->verify, &v))
		find(d, xasprintf("%s: verify cannot run: %s", rule->name, v.why),
		    "every run of the rule fails",
		    command(HINT_LIST, rule->verify.argv.v[0]));
}

/* Can the path be looked at and be opened, as the daemon opens it? */
static int
try_path(const char *path)
{
	struct stat st;
	int fd, error = 0;

	if (stat(path, &st) == -1)
		return errno == ENOENT || errno == ENOTDIR ? 0 : errno;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	fd = open(path, O_EVTONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		error = errno == ENOENT ? 0 : errno;
	else
		close(fd);
	return error;
}

static void
check_path(struct doctor *d, const struct rule *rule, const char *watch)
{
	char *literal = pattern_path(watch);
	char *path = xasprintf("%s%s", d->opt.root, literal != NULL ? literal : watch);
	const char *mount = path_find_above(&d->remote, path);
	int error;

	if (mount != NULL) {
		find(d,
		    xasprintf(
			"%s: %s is on the network volume %s", rule->name, path, mount),
		    "network volumes are not watched: a dead server would stop every "
		    "rule",
		    NULL);
	} else if (literal != NULL && (error = try_path(path)) != 0) {
		if (error == EPERM && platform_has_tcc)
			find(d,
			    xasprintf("%s: %s: needs Full Disk Access", rule->name, path),
			    "privacy protection hides the path from every program "
			    "without it",
			    xstrdup("grant Full Disk Access to " PATH_PROGRAM
				    " by a PPPC profile, or in System Settings"));
		else
			find(d,
			    xasprintf("%s: %s: %s", rule->name, path, strerror(error)),
			    "changes of the path cannot be noticed",
			    command(HINT_LIST, path));
	}
	free(path);
	free(literal);
}

static void
check_rules(struct doctor *d)
{
	const struct rule *rule;
	size_t i, k;

	for (i = 0; i < d->conf.nrules; i++) {
		rule = d->conf.rules[i];
		if (!rule->policy.enabled)
			continue;
		check_programs(d, rule);
		for (k = 0; k < rule->watch.n; k++)
			check_path(d, rule, rule->watch.v[k]);
	}
}

/* About one descriptor for every watched path, and one for its directory. */
static void
check_descriptors(struct doctor *d)
{
	struct rlimit l;
	unsigned long long need = FDS_SPARE;
	size_t i;

	for (i = 0; i < d->conf.nrules; i++)
		need += 2 * d->conf.rules[i]->watch.n;
	if (getrlimit(RLIMIT_NOFILE, &l) == -1 || l.rlim_max == RLIM_INFINITY ||
	    l.rlim_max >= need)
		return;
	find(d,
	    xasprintf("the rules may need %llu descriptors, and a process may open %llu",
		need, (unsigned long long)l.rlim_max),
	    "paths that no descriptor is left for are looked at only on every `recheck`",
	    xstrdup("ulimit -Hn unlimited"));
}

static void
check_state(struct doctor *d)
{
	struct stat st;
	const char *why = "what rules owe and wait for does not survive a restart";

	if (lstat(d->opt.state, &st) == -1) {
		if (errno != ENOENT)
			find(d, xasprintf("%s: %s", d->opt.state, strerror(errno)), why,
			    xstrdup("sudo watchpathd doctor"));
		return;
	}
	if (!S_ISDIR(st.st_mode))
		find(d, xasprintf("%s is no directory", d->opt.state), why,
		    command("sudo rm", d->opt.state));
	else if ((st.st_mode & 077) != 0)
		find(d,
		    xasprintf("%s can be entered by others (mode %04o)", d->opt.state,
			(unsigned)st.st_mode & 07777),
		    "it is the daemon's own, and its socket obeys who can reach it",
		    command("sudo chmod 0700", d->opt.state));
	else if (access(d->opt.state, R_OK | W_OK | X_OK) == -1)
		find(d, xasprintf("%s: %s", d->opt.state, strerror(errno)), why,
		    errno == EACCES ? xstrdup("sudo watchpathd doctor")
				    : command(HINT_LIST, d->opt.state));
}

static void
check_daemon(struct doctor *d)
{
	struct ask_error error;
	cJSON *reply;
	const cJSON *warning;
	const char *version;

	reply = ask(d->opt.socket, ask_request("status", NULL), &error);
	if (reply == NULL) {
		if (error.status == EX_UNAVAILABLE)
			find(d, xstrdup(error.why), "no rule does anything",
			    xstrdup(HINT_START));
		else
			find(d, xstrdup(error.why), "nothing can be said of the daemon",
			    error.status == EX_NOPERM ? xstrdup("sudo watchpathd doctor")
						      : NULL);
		return;
	}
	version = json_get_string(reply, "version");
	if (version == NULL || strcmp(version, VERSION) != 0)
		find(d,
		    xasprintf("the daemon is version %s, and this is %s",
			version != NULL ? version : "unknown", VERSION),
		    "what is installed takes effect when the daemon is started anew",
		    xstrdup(HINT_RESTART));
	cJSON_ArrayForEach(warning, cJSON_GetObjectItemCaseSensitive(reply, "warnings"))
		if (cJSON_IsString(warning) &&
		    strstr(warning->valuestring, ".ini:") == NULL)
			find(d, xasprintf("the daemon says: %s", warning->valuestring),
			    "it tries again by itself", NULL);
	cJSON_Delete(reply);
}

static bool
is_same_path(const char *watch, const char *path)
{
	char *literal = pattern_path(watch);
	bool same = literal != NULL && strcmp(literal, path) == 0;

	free(literal);
	return same;
}

/* Do a rule of ours and the job of that plist watch the same path? */
static void
compare_job(struct doctor *d, const char *file, const char *path)
{
	const struct rule *rule;
	size_t i, k;

	for (i = 0; i < d->conf.nrules; i++) {
		rule = d->conf.rules[i];
		for (k = 0; k < rule->watch.n; k++)
			if (rule->policy.enabled && is_same_path(rule->watch.v[k], path))
				find(d,
				    xasprintf(
					"%s: %s watches %s too", rule->name, file, path),
				    "both act on every change",
				    command("sudo launchctl bootout system", file));
	}
}

static void
read_job(struct doctor *d, const char *file)
{
	char why[PLIST_WHY_SIZE];
	const struct plist *list, *path;
	struct plist *p;
	int status;

	p = plistfile_read(file, &status, why);
	/* What is no plist is launchd's to complain about. */
	list = p != NULL ? plist_get(p, "WatchPaths") : NULL;
	for (path = list != NULL ? list->child : NULL; path != NULL; path = path->next)
		if (path->type == PLIST_STRING)
			compare_job(d, file, path->text);
	plist_free(p);
}

static void
check_launchd(struct doctor *d)
{
	char *dir = xasprintf("%s%s", d->opt.root, "/Library/LaunchDaemons"), *file;
	DIR *jobs = opendir(dir);
	const struct dirent *e;
	size_t len;

	while (jobs != NULL && (e = readdir(jobs)) != NULL) {
		len = strlen(e->d_name);
		if (len < 6 || strcmp(e->d_name + len - 6, ".plist") != 0)
			continue;
		file = xasprintf("%s/%s", dir, e->d_name);
		read_job(d, file);
		free(file);
	}
	if (jobs != NULL)
		closedir(jobs);
	free(dir);
}

static void
print_json(const struct doctor *d)
{
	cJSON *o = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(o, "findings"),
	      *f;
	char *text;
	size_t i;

	for (i = 0; i < d->n; i++) {
		f = cJSON_CreateObject();
		json_add_text(f, "what", d->findings[i].what);
		json_add_text(f, "why", d->findings[i].why);
		json_add_text(f, "mend", d->findings[i].mend);
		cJSON_AddItemToArray(list, f);
	}
	text = json_line(o);
	fputs(text, stdout);
	free(text);
	cJSON_Delete(o);
}

static void
print_line(const char *indent, const char *name, const char *text)
{
	char *visible = vis_dup(text);

	printf("%s%s%s\n", indent, name, visible);
	free(visible);
}

static void
print_text(const struct doctor *d)
{
	size_t i;

	for (i = 0; i < d->n; i++) {
		print_line("", "", d->findings[i].what);
		print_line("    ", "why it matters: ", d->findings[i].why);
		if (d->findings[i].mend != NULL)
			print_line("    ", "to mend it:     ", d->findings[i].mend);
	}
	if (d->n == 0)
		puts("nothing is wrong");
	else
		printf("%zu finding%s\n", d->n, d->n == 1 ? "" : "s");
}

static void
doctor_clear(struct doctor *d)
{
	size_t i;

	for (i = 0; i < d->n; i++) {
		free(d->findings[i].what);
		free(d->findings[i].why);
		free(d->findings[i].mend);
	}
	free(d->findings);
	conf_clear(&d->conf);
	strv_clear(&d->remote);
	options_clear(&d->opt);
}

int
doctor_main(int argc, char **argv)
{
	static const char usage[] =
	    "doctor [--json] [--config DIR] [--state DIR] [--socket PATH] [--root DIR]";
	static void (*const checks[])(struct doctor *) = { check_rule_files, check_rules,
		check_descriptors, check_state, check_daemon, check_launchd };
	struct doctor d = { .n = 0 };
	size_t i;
	int first, status;

	json_init();
	signal(SIGPIPE, SIG_IGN);
	first = options_parse(&d.opt,
	    OPTION_JSON | OPTION_CONFIG | OPTION_STATE | OPTION_SOCKET | OPTION_ROOT,
	    usage, argc, argv);
	if (first == -1)
		return EX_USAGE;
	if (first < argc) {
		fprintf(
		    stderr, "watchpathd: doctor takes no argument: %s\n", argv[first]);
		options_clear(&d.opt);
		return EX_USAGE;
	}
	d.trust = (struct trust){ .root = d.opt.root, .owner = geteuid() };
	platform_remote_mounts(&d.remote);
	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i](&d);
	if (d.opt.json)
		print_json(&d);
	else
		print_text(&d);
	status = d.n == 0 ? EX_OK : EXIT_FAILURE;
	doctor_clear(&d);
	return status;
}
