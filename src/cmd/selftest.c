/* SPDX-License-Identifier: MIT */
/*
 * Runs one probe: in a child, so that it may hang or die, in an empty directory
 * that is removed afterwards. What it found comes back as one line of JSON.
 */
#include "cmd/selftest.h"

#include <cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/platform.h"
#include "base/util.h"
#include "base/fd.h"

#define TRIES 3
#define PROBE "probe"
/* A probe that takes longer hangs, unless it has said that it takes long. */
#ifndef PROBE_SEC
#define PROBE_SEC 60
#endif

/* The place is known by its descriptor: who owns dir can put another in its place. */
struct selftest {
	char *dir, *probe_dir;
	int fd;
	char self[PATH_MAX];
	int say_fd;
	bool may_sleep, may_set_clock;
};

static volatile sig_atomic_t interrupted;

void
selftest_interrupt(void)
{
	interrupted = 1;
}

bool
selftest_interrupted(void)
{
	return interrupted != 0;
}

/* Opens what has just been made, unless it is somebody else's by now; or -1. */
static int
open_place(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd == -1 || (fstat(fd, &st) == 0 && st.st_uid == geteuid()))
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

struct selftest *
selftest_new(const char *dir, int say_fd)
{
	struct selftest *s;
	char *template = xasprintf("%s/wpd-selftest.XXXXXX", dir);
	int fd = mkdtemp(template) != NULL ? open_place(template) : -1;

	if (fd == -1) {
		free(template);
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	s->fd = fd;
	s->dir = realpath(template, NULL);
	if (s->dir == NULL)
		s->dir = xstrdup(template);
	free(template);
	s->probe_dir = xasprintf("%s/" PROBE, s->dir);
	s->say_fd = say_fd;
	platform_self_path(s->self, sizeof(s->self));
	return s;
}

void
selftest_allow(struct selftest *s, bool may_sleep, bool may_set_clock)
{
	s->may_sleep = may_sleep;
	s->may_set_clock = may_set_clock;
}

const char *
selftest_dir(const struct selftest *s)
{
	return s->dir;
}

static void empty_tree(int at, const char *name);

static void
remove_entries(DIR *d)
{
	const struct dirent *e;

	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    unlinkat(dirfd(d), e->d_name, 0) == 0)
			continue;
		empty_tree(dirfd(d), e->d_name);
		unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	}
}

/* No path is followed: only what is in the directory at goes. */
static void
empty_tree(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd != -1 ? fdopendir(fd) : NULL;

	if (d == NULL) {
		fd_close(&fd);
		return;
	}
	remove_entries(d);
	closedir(d);
}

void
selftest_free(struct selftest *s)
{
	empty_tree(s->fd, ".");
	close(s->fd);
	rmdir(s->dir);
	free(s->probe_dir);
	free(s->dir);
	free(s);
}

static cJSON *
report_of(struct trial *t)
{
	cJSON *o = cJSON_CreateObject();

	json_add_int(o, "outcome", (int64_t)t->outcome);
	json_add_text(o, "note", t->notes.p != NULL ? t->notes.p : "");
	cJSON_AddItemToObject(o, "events", t->events);
	return o;
}

/* In the child. */
static void
run_probe(const struct selftest *s, const struct probe *p, int report_fd)
{
	struct trial t = { .self = s->self,
		.dir = s->probe_dir,
		.say_fd = s->say_fd,
		.may_sleep = s->may_sleep,
		.may_set_clock = s->may_set_clock };
	cJSON *o;
	char *line;

	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	alarm(PROBE_SEC);
	fdlimit_init();
	fdlimit_cap(platform_descriptors_max());
	t.events = cJSON_CreateObject();
	t.loop = loop_new();
	if (t.loop == NULL || fchdir(s->fd) == -1 || chdir(PROBE) == -1)
		trial_fail(&t, "%s: %s", s->probe_dir, strerror(errno));
	else if (p->script != NULL)
		trial_play(&t, p->script);
	else
		p->run(&t);
	if (t.findings == 0 && t.outcome == OUTCOME_OK)
		trial_fail(&t, "nothing was tried");
	o = report_of(&t);
	line = json_line(o);
	if (write(report_fd, line, strlen(line)) == -1)
		_exit(EXIT_FAILURE);
	_exit(EXIT_SUCCESS);
}

/* All that the child writes; it is asked to end where a signal asked us. */
static void
read_report(int fd, pid_t pid, struct buf *out)
{
	char chunk[4096];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n > 0)
			buf_add(out, chunk, (size_t)n);
		else if (errno != EINTR)
			break;
		else if (interrupted)
			kill(pid, SIGTERM);
	}
}

static struct selftest_result
parse_report(const struct buf *report, int status)
{
	struct selftest_result r = { .outcome = OUTCOME_FAILED };
	cJSON *o = report->len > 0 ? json_parse(report->p, report->len) : NULL;
	int64_t outcome;

	if (o == NULL) {
		r.note = WIFSIGNALED(status)
			     ? xasprintf("ended by signal %d", WTERMSIG(status))
			     : xstrdup("ended without a word");
		return r;
	}
	if (json_get_int(o, "outcome", &outcome))
		r.outcome = (enum outcome)outcome;
	r.note = json_get_text(o, "note");
	r.events = cJSON_DetachItemFromObjectCaseSensitive(o, "events");
	cJSON_Delete(o);
	return r;
}

static struct selftest_result
failure(const char *what)
{
	return (struct selftest_result){ .outcome = OUTCOME_FAILED,
		.note = xasprintf("%s: %s", what, strerror(errno)) };
}

static struct selftest_result
try_once(struct selftest *s, const struct probe *p)
{
	struct selftest_result r;
	struct buf report = { NULL, 0, 0 };
	int fds[2], status = 0;
	pid_t pid;

	if (mkdirat(s->fd, PROBE, 0700) == -1)
		return failure(s->probe_dir);
	if (pipe(fds) == -1)
		return failure("pipe");
	fd_prepare(fds[0], false);
	fd_prepare(fds[1], false);
	pid = fork();
	if (pid == 0)
		run_probe(s, p, fds[1]);
	close(fds[1]);
	if (pid == -1) {
		close(fds[0]);
		return failure("fork");
	}
	read_report(fds[0], pid, &report);
	close(fds[0]);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	r = parse_report(&report, status);
	buf_clear(&report);
	empty_tree(s->fd, PROBE);
	unlinkat(s->fd, PROBE, AT_REMOVEDIR);
	return r;
}

struct selftest_result
selftest_try(struct selftest *s, const struct probe *p)
{
	struct selftest_result r = { .outcome = OUTCOME_SKIPPED };
	int i;

	for (i = 0; i < TRIES && !interrupted; i++) {
		selftest_result_clear(&r);
		r = try_once(s, p);
		if (r.outcome < OUTCOME_ODD ||
		    (r.outcome == OUTCOME_FAILED && p->level == REQUIRED))
			break;
	}
	if (r.note == NULL)
		r.note = xstrdup("interrupted");
	return r;
}

void
selftest_result_clear(struct selftest_result *r)
{
	free(r->note);
	cJSON_Delete(r->events);
	*r = (struct selftest_result){ .outcome = OUTCOME_SKIPPED };
}
