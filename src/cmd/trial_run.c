/* SPDX-License-Identifier: MIT */
/*
 * Children of probes. They write what they have to say to files, as the daemon's
 * own say it to a log.
 */
#include "cmd/trial_run.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/trial.h"

static void
on_done(void *arg, const struct spawn_result *r)
{
	struct trial_run *run = arg;

	run->done++;
	run->exit_status = r->exit_status;
	run->signal = r->signal;
	strlcpy(run->error, r->error != NULL ? r->error : "", sizeof(run->error));
}

struct spawner *
trial_spawner(struct trial *t)
{
	struct spawner *s = spawner_new(t->loop, t->self);

	trial_check(t, s != NULL, "there can be a spawner");
	return s;
}

/* A request for a shell script, whose words stay where they are. */
struct spawn_request
trial_shell(char *argv[4], const char *script)
{
	static char path[] = "PATH=/usr/bin:/bin:/usr/sbin:/sbin", sh[] = "/bin/sh",
		    c[] = "-c";
	static char *env[] = { path, NULL };
	static struct log_rule log;

	log_rule_init(&log, "selftest");
	argv[0] = sh;
	argv[1] = c;
	argv[2] = xstrdup(script);
	argv[3] = NULL;
	return (struct spawn_request){
		.program = sh,
		.argv = argv,
		.envp = env,
		.umask = -1,
		.log = &log,
	};
}

bool
trial_start(struct trial *t, struct spawner *s, const struct spawn_request *req,
    struct trial_run *run)
{
	char why[512] = "";

	*run = (struct trial_run){ .done = 0 };
	run->child =
	    s != NULL ? spawn_start(s, req, on_done, run, why, sizeof(why)) : NULL;
	if (run->child == NULL)
		trial_fail(t, "%s", why);
	return run->child != NULL;
}

/* Runs a script to its end. */
bool
trial_run(struct trial *t, const struct spawn_request *req, struct trial_run *run)
{
	if (!trial_start(t, trial_spawner(t), req, run) ||
	    !trial_check(
		t, trial_until(t, &run->done, 1), "the end of a child is reported"))
		return false;
	if (run->error[0] != '\0')
		trial_fail(t, "%s", run->error);
	return run->error[0] == '\0';
}

bool
trial_run_shell(struct trial *t, const char *script, struct trial_run *run)
{
	char *argv[4];
	struct spawn_request req = trial_shell(argv, script);

	return trial_run(t, &req, run);
}

/* A small file's text without the newline at its end; "" if there is none. */
void
trial_read(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd != -1 ? read(fd, out, size - 1) : 0;

	if (fd != -1)
		close(fd);
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

void
trial_expect_text(struct trial *t, const char *path, const char *want)
{
	char text[256];

	t->findings++;
	trial_read(path, text, sizeof(text));
	if (strcmp(text, want) != 0)
		trial_fail(t, "%s: %s, not %s", path, text, want);
}

bool
trial_succeeds(struct trial *t, const char *command)
{
	struct trial_run run;
	char *script = xasprintf("%s >out 2>&1", command);
	bool ok = trial_run_shell(t, script, &run) && run.exit_status == 0;

	free(script);
	return ok;
}
