/* SPDX-License-Identifier: MIT */
/*
 * `check`: reads rule files with the daemon's own knotes and says what it finds.
 * A directory is one conf.d; files that are named one by one are another one
 * together. It changes nothing, and never asks a running daemon.
 */
#include "cmd/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "run/accounts.h"
#include "rules/conf.h"
#include "run/findings.h"
#include "base/options.h"
#include "base/platform.h"
#include "trust/trust.h"
#include "base/util.h"
#include "base/visible.h"
#include "rules/keys.h"

struct check {
	const struct options *opt;
	bool judge;
	struct trust trust;
	struct strv remote;
	struct findings findings;
	struct conf files; /* those that were named one by one */
	size_t nfiles, nrules, nwarnings;
	int status; /* so far */
};

static void
print_diag(const struct diag *d, const char *dir)
{
	struct buf b = { NULL, 0, 0 };
	char *place = place_dup(d->file, d->line);

	if (dir != NULL) {
		buf_addvis(&b, dir, strlen(dir));
		buf_adds(&b, dir[strlen(dir) - 1] == '/' ? "" : "/");
	}
	buf_addvis(&b, place, strlen(place));
	free(place);
	buf_addf(&b, ": %s: ", d->severity == DIAG_ERROR ? "error" : "warning");
	buf_adds(&b, d->message);
	fprintf(stderr, "%s\n", b.p);
	buf_clear(&b);
}

static void
print_rules(const struct conf *c, size_t from, bool settings)
{
	struct buf b = { NULL, 0, 0 };
	size_t i;

	if (settings) {
		settings_print(&c->settings, &b);
		buf_adds(&b, "\n");
	}
	for (i = from; i < c->nrules; i++) {
		rule_print(c->rules[i], &b);
		buf_adds(&b, "\n");
	}
	if (b.len != 0)
		fwrite(b.p, 1, b.len, stdout);
	buf_clear(&b);
}

static void
add_finding(void *arg, const struct rule *rule, int line, const char *text)
{
	conf_warn(arg, rule->file, line, text);
}

struct inquiry {
	struct conf *conf;
	const struct rule *rule;
};

static void
add_missing(void *arg, const char *key, const char *text)
{
	const struct inquiry *q = arg;

	conf_warn(q->conf, q->rule->file, rule_line(q->rule, key), text);
}

/* What is wrong with what the rule names, on this machine. */
static void
find(struct check *k, struct conf *c, const struct rule *rule)
{
	struct inquiry q = { c, rule };

	findings_each(&k->findings, rule, add_finding, c);
	accounts_check(rule, k->opt->root, k->findings.remote, add_missing, &q);
}

/* What a conf holds now and did not when it was before. */
static void
report(struct check *k, const struct conf *before, struct conf *c, const char *dir)
{
	size_t i;

	for (i = before->nrules; i < c->nrules; i++)
		find(k, c, c->rules[i]);
	conf_sort(c, before->ndiags);
	for (i = before->ndiags; i < c->ndiags; i++) {
		print_diag(&c->diags[i], dir);
		if (c->diags[i].severity == DIAG_ERROR)
			k->status = command_worse(k->status, EX_DATAERR);
		else
			k->nwarnings++;
	}
	if (options_has(k->opt, OPTION_VERBOSE))
		print_rules(c, before->nrules,
		    before->settings_file == NULL && c->settings.given != 0);
	k->nfiles += c->files.n - before->files.n;
	k->nrules += c->nrules - before->nrules;
	if (c->denied)
		k->status = EX_NOPERM;
}

static void
fail(struct check *k, const char *path, int code)
{
	command_complain(path, strerror(code));
	k->status = command_worse(k->status, command_status(code));
}

/* Under another name a file may be as good as it likes. */
static void
check_name(struct conf *c, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!conf_is_read(slash != NULL ? slash + 1 : path))
		conf_warn(c, path, 0,
		    "not read under this name, which is to end in .ini and not to begin "
		    "with a dot");
}

static void
check_path(struct check *k, const char *path)
{
	const struct trust *t = k->judge ? &k->trust : NULL;
	struct conf dir = { .rules = NULL }, before = { .rules = NULL };
	struct stat st;
	int ret;

	if (stat(path, &st) == -1) {
		fail(k, path, errno);
		return;
	}
	if (S_ISDIR(st.st_mode)) {
		ret = conf_read_dir(&dir, path, t);
		report(k, &before, &dir, ret == 0 ? path : NULL);
		conf_clear(&dir);
		return;
	}
	before = k->files;
	(void)conf_read_file(&k->files, path, t);
	check_name(&k->files, path);
	report(k, &before, &k->files, NULL);
}

static void
print_count(size_t n, const char *what)
{
	printf("%zu %s%s", n, what, n == 1 ? "" : "s");
}

/* With -v stdout is a rule file, and so this is a comment. */
static void
print_summary(const struct check *k)
{
	fputs(options_has(k->opt, OPTION_VERBOSE) ? "; " : "", stdout);
	print_count(k->nfiles, "file");
	fputs(", ", stdout);
	print_count(k->nrules, "rule");
	fputs(": ok", stdout);
	if (k->nwarnings != 0) {
		fputs(", ", stdout);
		print_count(k->nwarnings, "warning");
	}
	fputs("\n", stdout);
}

static int
conclude(const struct check *k)
{
	if (k->status != EX_OK)
		return command_conclude(k->status);
	print_summary(k);
	return fflush(stdout) == 0 ? EX_OK : EXIT_FAILURE;
}

/* Without any paths the daemon's own files. */
static void
check_operands(struct check *k, char **paths)
{
	k->trust = (struct trust){ .root = k->opt->root, .owner = geteuid() };
	k->judge = options_has(k->opt, OPTION_TRUST) || paths[0] == NULL;
	k->findings = (struct findings){ .trust = &k->trust, .root = k->opt->root };
	if (platform_remote_mounts(&k->remote) == 0)
		k->findings.remote = &k->remote;
	if (paths[0] == NULL)
		check_path(k, k->opt->config);
	for (; *paths != NULL; paths++)
		check_path(k, *paths);
}

int
check_main(struct options *o, char **operands)
{
	struct check k = { .opt = o };
	int status;

	if (options_has(o, OPTION_CONFIG) && operands[0] != NULL)
		return options_refuse(o, "check: --config is for a check without PATH");
	check_operands(&k, operands);
	status = conclude(&k);
	conf_clear(&k.files);
	findings_clear(&k.findings);
	strv_clear(&k.remote);
	return status;
}
