/* SPDX-License-Identifier: MIT */
#ifndef SPAWN_H
#define SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/mono.h"

struct log_rule;
struct loop;

/*
 * Starts, captures, signals and reaps children. They lead a session and process
 * group of their own, stdin is /dev/null, stdout and stderr one pipe (/dev/null
 * without log_output), signals and the soft descriptor limit are what a fresh
 * process has, no descriptor is inherited, and cwd is the daemon's, which is /.
 */
struct spawner;

struct spawn_request {
	const char *program; /* resolved path to execute */
	char *const *argv;
	/* All of it; with user, HOME USER LOGNAME SHELL are added unless in it. */
	char *const *envp;
	const char *user, *group, *directory; /* NULL: as the daemon */
	/* The launchctl that starts it in user's session, user being a uid; or NULL. */
	const char *session;
	int32_t umask; /* -1: as the daemon */
	int32_t nice;
	bool nice_set;
	bool keep_awake; /* under platform_keep_awake, where there is one */
	bool log_output;
	struct log_rule *log; /* its output counts there; outlives the child */
};

/* How a run's child ended. */
struct spawn_result {
	int exit_status;   /* -1 if it did not exit */
	int signal;        /* 0 if none ended it */
	const char *error; /* sentence: it could not be started; else NULL. Borrowed */
};

/* That in words: what is wrong, or "exit status 0". */
void spawn_describe(const struct spawn_result *r, bool timed_out, char *out, size_t size);

/*
 * Called exactly once per child, from a loop callback and never from within
 * the functions below, after it was reaped and what its pipe then held was
 * logged. It may start, terminate and kill children, but not free the spawner.
 * The child is gone afterwards.
 */
typedef void spawn_done_fn(void *arg, const struct spawn_result *result);

/*
 * A spawner on loop; it takes SIGCHLD and makes it SIG_DFL. self is the daemon's
 * own program, for the hidden exec mode (become.h). NULL with errno. Free leaves
 * running children alone and forgets them; the loop is not to be waited on then.
 */
struct spawner *spawner_new(struct loop *l, const char *self);
void spawner_free(struct spawner *s);

/*
 * Starts one child. NULL with a sentence in why if it cannot be started. What
 * goes wrong later, in the exec mode, comes with the result.
 */
struct child *spawn_start(struct spawner *s, const struct spawn_request *req,
    spawn_done_fn *done, void *arg, char *why, size_t size);

pid_t spawn_pid(const struct child *c);

/*
 * SIGTERM to the child's group. From now on a leader that ends stays a zombie,
 * so that its group id cannot be reused, and gives no result until spawn_kill:
 * it must follow, also where all have ended.
 */
void spawn_terminate(struct child *c);

/* SIGKILL to the group; the result comes when the leader is dead and reaped. */
void spawn_kill(struct child *c);

/*
 * Output that is not logged any more, since a run has written more than the log
 * takes or has ended, is read at a bounded rate over all children and all that
 * they left behind, and whoever writes it waits. When that is due, and does it.
 */
mono_t spawner_deadline(const struct spawner *s);
void spawner_due(struct spawner *s, mono_t now);

/* Children whose result has not been given. */
size_t spawn_running(const struct spawner *s);

#endif
