/* SPDX-License-Identifier: MIT */
/*
 * `managed`: the rules of a configuration profile, shown or put in place. They are
 * put in place whole or not at all: a draft under a name that nobody reads becomes
 * the file by rename(2). Who writes holds a lock on the directory, from before the
 * profile is read, so that the last to write has read the latest one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/mono.h"
#include "base/options.h"
#include "base/paths.h"
#include "base/sync.h"
#include "base/util.h"
#include "base/fd.h"
#include "base/visible.h"
#include "cmd/command.h"
#include "cmd/managed.h"
#include "rules/conf.h"
#include "trust/trust.h"

/* A profile that is replaced is gone for a moment. */
#define GONE_NS (10 * MONO_SEC)
#define PAUSE_NS (250 * MONO_MS)

struct delivery {
	struct options *opt;
	struct trust trust;
	char *profile, *file, *draft;
	int dir; /* where they go, locked */
};

static void
complain(const char *path, const char *severity, const char *text)
{
	char *vis = vis_dup(path);

	fprintf(stderr, "%s: %s: %s\n", vis, severity, text);
	free(vis);
}

static void
print_findings(const struct managed *m, const char *path)
{
	size_t i;

	for (i = 0; i < m->errors.n; i++)
		complain(path, "error", m->errors.v[i]);
	for (i = 0; i < m->warnings.n; i++)
		complain(path, "warning", m->warnings.v[i]);
}

static int
fail(const char *path)
{
	int code = errno;

	complain(path, "error", strerror(code));
	return command_status(code);
}

/* Showing. */

static int
show(const char *path, const struct trust *t, bool must_be_there)
{
	struct managed m;
	int status;

	managed_read(&m, path, t);
	print_findings(&m, path);
	status = m.status;
	if (m.absent && must_be_there)
		complain(path, "error", strerror(ENOENT));
	if (m.absent)
		status = must_be_there ? EXIT_FAILURE : EX_OK;
	if (m.absent && !must_be_there)
		printf("; There is no profile: %s\n", path);
	else if (m.text.len > 0)
		fwrite(m.text.p, 1, m.text.len, stdout);
	managed_clear(&m);
	return fflush(stdout) == 0 ? status : EXIT_FAILURE;
}

/* Putting in place. */

static int
lock_directory(struct delivery *d)
{
	char why[TRUST_WHY_SIZE];

	if (!trust_directory(&d->trust, d->opt->config, why)) {
		fprintf(stderr, "watchpathd: managed: %s\n", why);
		return access(d->opt->config, R_OK) == -1 && errno == EACCES
			   ? EX_NOPERM
			   : EXIT_FAILURE;
	}
	d->dir = open(d->opt->config, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->dir == -1)
		return fail(d->opt->config);
	while (flock(d->dir, LOCK_EX) == -1)
		if (errno != EINTR)
			return fail(d->opt->config);
	return EX_OK;
}

static bool
is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Reads the profile; where there is none, and rules of one, until that is sure. */
static void
await_profile(const struct delivery *d, struct managed *m)
{
	const struct timespec pause = { 0, PAUSE_NS };
	mono_t end = mono_add(mono_now(), GONE_NS);

	managed_read(m, d->profile, &d->trust);
	while (m->absent && is_there(d->file) && mono_before(mono_now(), end)) {
		nanosleep(&pause, NULL);
		managed_read(m, d->profile, &d->trust);
	}
}

/* What was killed here before may have left a draft. */
static bool
write_draft(const struct delivery *d, const struct managed *m)
{
	int fd;
	bool ok;

	if (unlink(d->draft) == -1 && errno != ENOENT)
		return false;
	fd = open(d->draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd == -1)
		return false;
	ok = fchmod(fd, 0644) == 0 && fd_append(fd, m->text.p, m->text.len, 0) &&
	     fd_sync(fd) == 0;
	close(fd);
	return ok;
}

static int
put_in_place(const struct delivery *d, const struct managed *m)
{
	if (managed_is_in(m, d->file, &d->trust)) {
		printf("%s: has the %zu rule%s of the profile\n", d->file, m->nrules,
		    m->nrules == 1 ? "" : "s");
		return EX_OK;
	}
	if (!write_draft(d, m)) {
		int status = fail(d->draft);

		unlink(d->draft);
		return status;
	}
	if (rename(d->draft, d->file) == -1)
		return fail(d->file);
	fsync(d->dir);
	printf("%s: now has the %zu rule%s of the profile\n", d->file, m->nrules,
	    m->nrules == 1 ? "" : "s");
	return EX_OK;
}

static int
take_away(const struct delivery *d, const struct managed *m)
{
	const char *why = m->absent ? "there is no profile" : "the profile has no rules";

	if (unlink(d->file) == -1)
		return errno == ENOENT ? EX_OK : fail(d->file);
	fsync(d->dir);
	printf("%s: removed: %s\n", d->file, why);
	return EX_OK;
}

static int
deliver(struct delivery *d)
{
	struct managed m;
	int status = lock_directory(d);

	if (status != EX_OK)
		return status;
	await_profile(d, &m);
	print_findings(&m, d->profile);
	status = m.status;
	if (status == EX_OK)
		status = m.text.len > 0 ? put_in_place(d, &m) : take_away(d, &m);
	managed_clear(&m);
	return fflush(stdout) == 0 ? status : EXIT_FAILURE;
}

/* The command. */

/* As an action it works where its daemon does, unless an option says otherwise. */
static void
adopt_places(struct options *o)
{
	const char *config = getenv("WATCHPATHD_CONFIG");
	const char *root = getenv("WATCHPATHD_ROOT");

	if (options_has(o, OPTION_CONFIG) || o->root[0] != '\0' || config == NULL ||
	    config[0] != '/')
		return;
	free(o->config);
	free(o->root);
	o->config = xstrdup(config);
	o->root = xstrdup(root != NULL ? root : "");
}

static int
run(struct delivery *d, const char *file)
{
	int status;

	adopt_places(d->opt);
	d->trust = (struct trust){ .root = d->opt->root, .owner = geteuid() };
	d->profile = xasprintf("%s" PATH_PROFILE, d->opt->root);
	d->file = xasprintf("%s/" CONF_MANAGED, d->opt->config);
	d->draft = xasprintf("%s/." CONF_MANAGED ".new", d->opt->config);
	status = options_has(d->opt, OPTION_WRITE) ? deliver(d)
		 : file != NULL                    ? show(file, NULL, true)
						   : show(d->profile, &d->trust, false);
	fd_close(&d->dir);
	free(d->profile);
	free(d->file);
	free(d->draft);
	return status;
}

int
managed_main(struct options *o, char **operands)
{
	struct delivery d = { .opt = o, .dir = -1 };

	if (options_has(o, OPTION_WRITE) && operands[0] != NULL)
		return options_refuse(o, "managed: --write takes no FILE");
	return run(&d, operands[0]);
}
