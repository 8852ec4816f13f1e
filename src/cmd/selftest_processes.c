/* SPDX-License-Identifier: MIT */
/*
 * Starting, reaping and ending processes, through the spawner of the daemon and
 * its exec mode. What a child is given is asked of the child: it writes it to
 * files of the probe's directory.
 */
#include "cmd/selftest_probes.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/platform.h"
#include "base/fd.h"
#include "base/number.h"
#include "cmd/trial.h"
#include "cmd/trial_run.h"
#include "run/console.h"
#include "run/spawn.h"

#define BURST 64
#define HIGH_FD 10300 /* more than OPEN_MAX of macOS */
#define PARENTS_FDS 10

/* Waits until a child has made the file. */
static bool
wait_file(struct trial *t, const char *path)
{
	mono_t end = mono_add(mono_now(), TRIAL_PATIENCE_NS);
	struct stat st;

	while (stat(path, &st) == -1 && mono_before(mono_now(), end))
		loop_wait(t->loop, mono_add(mono_now(), 10 * MONO_MS));
	return trial_check(t, stat(path, &st) == 0, "the child gets that far");
}

/* A FIFO that children wait at, or hold; it is open until the probe ends. */
static int
make_fifo(struct trial *t, const char *path, int flags)
{
	int fd;

	trial_did(t, mkfifo(path, 0600), "mkfifo");
	fd = open(path, flags | O_CLOEXEC);
	trial_did(t, fd, path);
	return fd;
}

static void
exit_status_is_reported(struct trial *t)
{
	struct trial_run run;

	if (trial_run_shell(t, "exit 7", &run))
		trial_check(t, run.exit_status == 7 && run.signal == 0,
		    "its status is the one that it ended with");
}

static void
signal_is_reported(struct trial *t)
{
	struct trial_run run;

	if (trial_run_shell(t, "kill -KILL $$", &run))
		trial_check(
		    t, run.signal == SIGKILL, "the signal that ended it is known");
}

static void
burst_is_reaped(struct trial *t)
{
	char *argv[4];
	struct spawn_request req = trial_shell(argv, "read x <gate; exit 3");
	struct spawner *s = trial_spawner(t);
	struct trial_run runs[BURST];
	unsigned i, right = 0;
	siginfo_t info;
	int gate;

	gate = make_fifo(t, "gate", O_RDWR);
	for (i = 0; i < BURST; i++)
		if (!trial_start(t, s, &req, &runs[i]))
			return;
	for (i = 0; i < BURST; i++)
		trial_did(t, write(gate, "\n", 1), "write");
	/* All are dead before anybody looks: there may be one signal for them. */
	for (i = 0; i < BURST; i++)
		waitid(P_PID, (id_t)spawn_pid(runs[i].child), &info, WEXITED | WNOWAIT);
	for (i = 0; i < BURST; i++)
		right += trial_until(t, &runs[i].done, 1) && runs[i].exit_status == 3;
	trial_check(
	    t, right == BURST, "each of 64 children that end together is reported");
	trial_check(t, spawn_running(s) == 0, "and none is left");
}

/* A child that others have taken out of the loop's sight: SIGCHLD came before. */
static void
end_before_the_watch(struct trial *t)
{
	struct spawner *s = trial_spawner(t);
	char *argv[4];
	struct spawn_request req = trial_shell(argv, "exit 0");
	struct trial_run run;
	siginfo_t info;

	if (!trial_start(t, s, &req, &run))
		return;
	trial_did(t, waitid(P_PID, (id_t)spawn_pid(run.child), &info, WEXITED | WNOWAIT),
	    "waitid");
	trial_check(t, trial_until(t, &run.done, 1),
	    "an end is reported although nobody waited when it came");
}

static void
session_is_own(struct trial *t)
{
	struct spawner *s = trial_spawner(t);
	char *argv[4];
	struct spawn_request req = trial_shell(argv, "echo >there; read x <gate");
	struct trial_run run;
	pid_t pid;
	int gate;

	gate = make_fifo(t, "gate", O_RDWR);
	if (!trial_start(t, s, &req, &run) || !wait_file(t, "there"))
		return;
	pid = spawn_pid(run.child);
	trial_check(t, getpgid(pid) == pid, "a child leads its process group");
	trial_check(t, getsid(pid) == pid, "and its session");
	trial_did(t, write(gate, "\n", 1), "write");
	trial_check(t, trial_until(t, &run.done, 1), "it ends");
}

static void
descriptors_are_not_inherited(struct trial *t)
{
	struct trial_run run;
	int i;

	/* Without close-on-exec, as a library may have left them. */
	for (i = 0; i < PARENTS_FDS; i++)
		trial_did(t, dup(STDERR_FILENO), "dup");
	/* The list's own descriptor is made last: >&N is tried in a subshell. */
	if (trial_run_shell(t,
		"{ for fd in 3 4 5 6 7 8 9; do "
		"(eval \": >&$fd\") 2>/dev/null && printf %s $fd; done; echo .; } >open",
		&run))
		trial_expect_text(t, "open", ".");
}

static void
standard_descriptors(struct trial *t)
{
	struct trial_run run;

	if (trial_run_shell(t,
		"if read x; then echo text; else echo end; fi >stdin; "
		"echo ignored; echo ignored >&2; echo $? >stdout",
		&run)) {
		trial_expect_text(t, "stdin", "end");
		trial_expect_text(t, "stdout", "0");
	}
}

static uint64_t
soft_limit(void)
{
	struct rlimit limit = { 0, 0 };

	getrlimit(RLIMIT_NOFILE, &limit);
	return (uint64_t)limit.rlim_cur;
}

static void
limit_is_the_first(struct trial *t)
{
	struct trial_run run;
	char want[32];

	snprintf(want, sizeof(want), "%llu", (unsigned long long)soft_limit());
	if (!fdlimit_raise()) {
		trial_skip(t, "the limit of descriptors cannot be raised here");
		return;
	}
	if (trial_run_shell(t, "ulimit -n >limit", &run))
		trial_expect_text(t, "limit", want);
}

/* All numbers from 64 on, as the watcher takes them. */
static bool
fill_descriptors(struct trial *t)
{
	int fd = 0;

	while (soft_limit() <= HIGH_FD + 64 && fdlimit_raise())
		continue;
	while (fd != -1 && fd < HIGH_FD)
		fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 64);
	if (fd == -1)
		trial_skip(t, "the limit of descriptors is too low here");
	return fd != -1;
}

static void
many_descriptors(struct trial *t)
{
	struct trial_run run;

	if (fill_descriptors(t) && trial_run_shell(t, "exit 0", &run))
		trial_check(t, run.exit_status == 0, "a child can be started");
}

static void
high_descriptor_is_refused(struct trial *t)
{
	posix_spawn_file_actions_t fa;

	posix_spawn_file_actions_init(&fa);
	trial_check(t, posix_spawn_file_actions_adddup2(&fa, HIGH_FD, 1) == EBADF,
	    "posix_spawn says EBADF to descriptor 10300");
	posix_spawn_file_actions_destroy(&fa);
}

static void
signals_are_default(struct trial *t)
{
	struct trial_run run;
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (trial_run_shell(t, "kill -HUP $$; exit 0", &run))
		trial_check(t, run.signal == SIGHUP,
		    "a child dies of what its parent ignores and blocks");
}

static void
missing_program_is_reported(struct trial *t)
{
	char *argv[4], why[512] = "";
	struct spawn_request req = trial_shell(argv, "exit 0");
	struct spawner *s = trial_spawner(t);
	struct child *child = NULL;

	req.program = "/nonexistent/program";
	if (s != NULL)
		child = spawn_start(s, &req, NULL, NULL, why, sizeof(why));
	trial_check(t, child == NULL && strstr(why, "/nonexistent/program: ") != NULL,
	    "a program that is not there is refused by name");
}

static void
output_does_not_delay(struct trial *t)
{
	char *argv[4];
	struct spawn_request req =
	    trial_shell(argv, "(sleep 20; echo >late) & echo $! >child; exit 4");
	struct trial_run run;
	uint64_t child;
	char pid[32];

	req.log_output = true;
	if (trial_run(t, &req, &run))
		trial_check(t, run.exit_status == 4,
		    "a run ends with its leader, although another holds its output");
	trial_read("child", pid, sizeof(pid));
	if (trial_check(
		t, parse_number(pid, INT32_MAX, &child) && child > 1, "it is known"))
		kill((pid_t)child, SIGKILL);
}

/* The last of the group holds a FIFO open, which ends with it. */
static void
group_is_ended(struct trial *t)
{
	struct spawner *s = trial_spawner(t);
	char *argv[4];
	struct spawn_request req = trial_shell(argv,
	    "trap '' TERM; sh -c 'trap \"\" TERM; exec 3>held; echo >there; "
	    "read x <gate' & wait");
	struct trial_run run;
	int gate = make_fifo(t, "gate", O_RDWR), held;
	char c;

	if (gate == -1)
		return;
	held = make_fifo(t, "held", O_RDONLY | O_NONBLOCK);
	if (!trial_start(t, s, &req, &run) || !wait_file(t, "there"))
		return;
	spawn_terminate(run.child);
	spawn_kill(run.child);
	trial_check(t, trial_until(t, &run.done, 1) && run.signal == SIGKILL,
	    "a leader that ignores SIGTERM dies of SIGKILL");
	fcntl(held, F_SETFL, 0);
	trial_check(t, read(held, &c, 1) == 0, "and so does all of its group");
}

static void
become_oneself(struct trial *t)
{
	char *argv[4];
	struct spawn_request req = trial_shell(argv, "umask >umask; pwd -P >dir; ");
	struct trial_run run;
	char want[512];

	trial_did(t, mkdir("below", 0755), "mkdir");
	snprintf(want, sizeof(want), "%s/below", t->dir);
	req.directory = want;
	req.umask = 027;
	if (trial_run(t, &req, &run)) {
		trial_expect_text(t, "below/umask", "0027");
		trial_expect_text(t, "below/dir", want);
	}
}

static void
become_says_why_not(struct trial *t)
{
	char *argv[4];
	struct spawn_request req = trial_shell(argv, "exit 0");
	struct trial_run run;

	req.directory = "/nonexistent/directory";
	if (trial_start(t, trial_spawner(t), &req, &run) && trial_until(t, &run.done, 1))
		trial_check(t, strstr(run.error, "/nonexistent/directory: ") != NULL,
		    "what the exec mode cannot do is reported");
}

/* The user's groups, as id says, in the order of numbers. */
#define SORTED_GROUPS " | tr ' ' '\\n' | sort -n | tr '\\n' ' '"

static void
become_user(struct trial *t, const struct passwd *pw)
{
	char *argv[4], want[1024], uid[32];
	struct spawn_request req =
	    trial_shell(argv, "id -u >uid && id -G" SORTED_GROUPS
			      ">have && id -G \"$(id -un)\"" SORTED_GROUPS ">want");
	struct trial_run run;

	trial_did(t, chmod(".", 0777), "chmod");
	req.user = pw->pw_name;
	if (!trial_run(t, &req, &run))
		return;
	trial_read("want", want, sizeof(want));
	trial_expect_text(t, "have", want);
	snprintf(uid, sizeof(uid), "%u", (unsigned)pw->pw_uid);
	trial_expect_text(t, "uid", uid);
}

static void
become_nobody(struct trial *t)
{
	const struct passwd *pw = getpwnam("nobody");

	if (geteuid() != 0 || pw == NULL)
		trial_skip(t, "only root can become somebody else");
	else
		become_user(t, pw);
}

/* Admins are in more groups than the kernel has room for. */
static void
become_console_user(struct trial *t)
{
	const struct passwd *pw = NULL;
	uid_t uid;

	if (platform_has_console && console_user("", &uid))
		pw = getpwuid(uid);
	if (geteuid() != 0 || pw == NULL)
		trial_skip(t, pw == NULL ? "nobody is logged in at the screen"
					 : "only root can become somebody else");
	else
		become_user(t, pw);
}

/* Who watches a file cares who else can give it names. */
static void
hard_links_are_noted(struct trial *t)
{
	char *argv[4];
	struct spawn_request req = trial_shell(argv, "ln file other 2>/dev/null");
	struct trial_run run;

	if (geteuid() != 0 || getpwnam("nobody") == NULL) {
		trial_skip(t, "only root can become somebody else");
		return;
	}
	trial_make(t, "file", "text");
	trial_did(t, chmod(".", 0777), "chmod");
	req.user = "nobody";
	if (trial_run(t, &req, &run))
		trial_note(t, "another user %s link a file of root that he can read",
		    run.exit_status == 0 ? "can" : "cannot");
}

static void
become_nice(struct trial *t)
{
	char *argv[4];
	struct spawn_request req =
	    trial_shell(argv, "ps -o nice= -p $$ | tr -d ' ' >nice");
	struct trial_run run;
	char want[8];

	/* Only root may ask for more than it has. */
	req.nice = getpriority(PRIO_PROCESS, 0) < 7 ? 7 : 19;
	req.nice_set = true;
	snprintf(want, sizeof(want), "%d", req.nice);
	if (trial_run(t, &req, &run))
		trial_expect_text(t, "nice", want);
}

static void
identity_outlives_exec(struct trial *t)
{
	struct spawner *s = trial_spawner(t);
	char *argv[4], before[PLATFORM_ID_SIZE], after[PLATFORM_ID_SIZE];
	struct spawn_request req = trial_shell(argv, "echo >there; read x <gate");
	struct trial_run run;
	int gate;

	gate = make_fifo(t, "gate", O_RDWR);
	req.directory = t->dir;
	req.keep_awake = true;
	if (!trial_start(t, s, &req, &run))
		return;
	trial_check(t, platform_process_id(spawn_pid(run.child), before),
	    "a process has an identity as soon as it is started");
	if (!wait_file(t, "there"))
		return;
	trial_check(t,
	    platform_process_id(spawn_pid(run.child), after) &&
		strcmp(before, after) == 0,
	    "and the same after the exec mode, and what keeps the machine awake");
	trial_did(t, write(gate, "\n", 1), "write");
	trial_check(t, trial_until(t, &run.done, 1) && run.exit_status == 0,
	    "its status is that of the command");
}

static void
zombie_has_no_identity(struct trial *t)
{
	char id[PLATFORM_ID_SIZE];
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	trial_did(t, waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), "waitid");
	trial_check(t, !platform_process_id(pid, id),
	    "a process that is dead has no identity, although it is not reaped");
	waitpid(pid, NULL, 0);
	trial_check(t, !platform_process_id(pid, id), "nor has one that is gone");
	trial_check(t, platform_process_id(getpid(), id), "this one has");
}

static void
boot_has_an_identity(struct trial *t)
{
	char a[PLATFORM_ID_SIZE] = "", b[PLATFORM_ID_SIZE] = "";

	trial_check(t, platform_boot_id(a) && platform_boot_id(b) && a[0] != '\0',
	    "the boot can be distinguished from others");
	trial_check(t, strcmp(a, b) == 0, "it is the same when asked again");
}

const struct probe selftest_processes[] = {
	{ "exit", "5.4", REQUIRED, "the exit status of a child is reported",
	    .run = exit_status_is_reported },
	{ "killed", "5.4", REQUIRED, "so is the signal that ended one",
	    .run = signal_is_reported },
	{ "burst", "5.2 5.4", REQUIRED, "64 children that end together are all reported",
	    .run = burst_is_reaped },
	{ "early-end", "5.4", REQUIRED, "so is one that ended before anybody waited",
	    .run = end_before_the_watch },
	{ "session", "3.8", REQUIRED, "a child leads a session and a group",
	    .run = session_is_own },
	{ "inherit", "3.8", REQUIRED, "it has no descriptor but the standard ones",
	    .run = descriptors_are_not_inherited },
	{ "standard", "3.8", REQUIRED, "these are no terminal and nothing to read",
	    .run = standard_descriptors },
	{ "limit", "4.5", REQUIRED,
	    "it has the descriptor limit that this process began with",
	    .run = limit_is_the_first },
	{ "many-open", "8.2 8.3", REQUIRED,
	    "a child can be started with 10,000 descriptors open",
	    .run = many_descriptors },
	{ "high", "8.2", EXPECTED, "posix_spawn takes no descriptor above 10,240",
	    .run = high_descriptor_is_refused },
	{ "signals", "5.7", REQUIRED, "a child has all signals by default",
	    .run = signals_are_default },
	{ "missing", "5.2", REQUIRED, "a program that is not there is reported",
	    .run = missing_program_is_reported },
	{ "left-behind", "5.4", REQUIRED,
	    "a run ends with its leader, whoever holds its output",
	    .run = output_does_not_delay },
	{ "group", "5.4", REQUIRED, "a run that does not stop is ended with its group",
	    .run = group_is_ended },
	{ "exec-mode", "8.4", REQUIRED, "the exec mode sets umask and directory",
	    .run = become_oneself },
	{ "exec-error", "8.4", REQUIRED, "it says what it cannot do",
	    .run = become_says_why_not },
	{ "exec-nice", "8.4", REQUIRED, "it sets the priority", .run = become_nice },
	{ "exec-user", "8.4", REQUIRED, "as nobody it has the groups of nobody",
	    .run = become_nobody,
	    .root = "that actions can run as another user, with all his groups" },
	{ "exec-console", "8.4", REQUIRED,
	    "as the user at the screen it has all of his groups",
	    .run = become_console_user },
	{ "hard-link", "8.11", RECORD, "who may give a file of root another name",
	    .run = hard_links_are_noted, .root = "who else may give its files names" },
	{ "identity", "5.1 6.6", REQUIRED, "a process keeps its identity over exec",
	    .run = identity_outlives_exec },
	{ "zombie", "5.1", REQUIRED, "what is dead has none",
	    .run = zombie_has_no_identity },
	{ "boot", "5.10", REQUIRED, "a boot has one", .run = boot_has_an_identity },
	{ .id = NULL },
};
