/* SPDX-License-Identifier: MIT */
/*
 * Disk, programs, sockets, network and log: what else the daemon takes from the
 * system, through the code that takes it.
 */
#include "cmd/selftest_probes.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/machine.h"
#include "base/platform.h"
#include "base/fd.h"
#include "base/number.h"
#include "cmd/trial.h"
#include "cmd/trial_run.h"
#include "serve/control.h"
#include "state/store.h"
#include "trust/trust.h"
#include "trust/cmdline.h"

static void
state_is_durable(struct trial *t)
{
	const struct trust trust = { .root = t->dir, .owner = geteuid() };
	char *dir = xasprintf("%s/state", t->dir), why[512] = "";
	struct store *s = store_new(dir, &trust);

	trial_did(t, mkdir("state", 0700), "mkdir");
	if (store_open(s, why, sizeof(why)))
		trial_check(t, store_begin(s) && store_end(s, true),
		    "a state can be written to the disk");
	else
		trial_fail(t, "%s", why);
	if (store_problem(s) != NULL)
		trial_fail(t, "%s", store_problem(s));
	store_free(s);
	free(dir);
}

static void
second_daemon_is_refused(struct trial *t)
{
	const struct trust trust = { .root = t->dir, .owner = geteuid() };
	char *dir = xasprintf("%s/state", t->dir), why[512] = "";
	struct store *a = store_new(dir, &trust), *b = store_new(dir, &trust);

	trial_did(t, mkdir("state", 0700), "mkdir");
	trial_check(t, store_open(a, why, sizeof(why)), "a state can be opened");
	trial_check(
	    t, !store_open(b, why, sizeof(why)), "a second daemon on it is refused");
	store_free(b);
	store_free(a);
	free(dir);
}

static void
own_program_is_known(struct trial *t)
{
	char path[4096] = "", head[8];
	int fd;

	trial_check(t, platform_self_path(path, sizeof(path)), "our own path is known");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	trial_did(t, fd, path);
	trial_check(t,
	    read(fd, head, sizeof(head)) == (ssize_t)sizeof(head) &&
		platform_is_program(head, sizeof(head)),
	    "what is there is a program");
	close(fd);
}

static void
system_programs_are_trusted(struct trial *t)
{
	static char sh[] = "/bin/sh", ls[] = "/bin/ls";
	char *const programs[][2] = { { sh, NULL }, { ls, NULL } };
	struct trust judge = { .owner = 0 };
	struct trust_verdict v = { .paths = NULL };
	size_t i;

	for (i = 0; i < NELEM(programs); i++)
		if (!trial_check(t,
			trust_command(&judge,
			    &(struct cmdline){ .argv = programs[i], .as_root = true },
			    &v),
			"it is trusted"))
			trial_note(t, "%s", v.why);
}

/* Sockets */

static void
answer(void *arg, const struct cJSON *request, struct control_reply *reply)
{
	unsigned *asked = arg;

	(void)request;
	(*asked)++;
	control_reply_text(reply, xstrdup("{}\n"));
}

/* Connects to a path; -1 with errno. */
static int
connect_to(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	if (fd != -1 && fd_prepare(fd, true) == 0 &&
	    connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	fd_close(&fd);
	return -1;
}

static void
socket_answers(struct trial *t)
{
	struct control *c;
	struct stat st = { 0 };
	unsigned asked = 0;
	char why[512] = "";
	int fd;

	c = control_new(t->loop, "socket", answer, &asked, why, sizeof(why));
	if (c == NULL) {
		trial_fail(t, "%s", why);
		return;
	}
	trial_did(t, stat("socket", &st), "stat");
	trial_check(t, (st.st_mode & 077) == 0, "only its owner may use it");
	fd = connect_to("socket");
	trial_did(t, fd, "connect");
	trial_did(t, write(fd, "{}\n", 3), "write");
	trial_check(t, trial_until(t, &asked, 1), "a request of this user is heard");
	close(fd);
	control_free(c);
	trial_check(t, stat("socket", &st) == -1, "it goes with its owner");
}

static void
long_socket_path(struct trial *t)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 8], why[512] = "";
	unsigned asked = 0, len;
	struct control *c;

	/* 103 bytes are what macOS takes. */
	for (len = 0; len < 103; len++)
		path[len] = 's';
	path[103] = '\0';
	c = control_new(t->loop, path, answer, &asked, why, sizeof(why));
	trial_check(t, c != NULL, "a path of 103 bytes is taken");
	if (c != NULL)
		control_free(c);
	trial_note(t, "there is room for %zu bytes",
	    sizeof(((struct sockaddr_un *)0)->sun_path));
}

static void
full_queue_refuses(struct trial *t)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), i;

	strlcpy(sun.sun_path, "socket", sizeof(sun.sun_path));
	trial_did(t, bind(fd, (const struct sockaddr *)&sun, sizeof(sun)), "bind");
	trial_did(t, listen(fd, 2), "listen");
	for (i = 0; i < 200; i++)
		if (connect_to("socket") == -1)
			break;
	trial_check(t, i < 200 && errno == ECONNREFUSED,
	    "a full queue of clients says ECONNREFUSED");
	close(fd);
}

static void
network_can_be_watched(struct trial *t)
{
	int fds[PLATFORM_NETWORK_FDS];
	size_t n = platform_network_open(fds), i;

	trial_check(
	    t, n > 0, "there is a descriptor that reports changes of the network");
	for (i = 0; i < n; i++) {
		trial_check(t, (fcntl(fds[i], F_GETFD) & FD_CLOEXEC) != 0,
		    "it is closed in children");
		trial_check(
		    t, (fcntl(fds[i], F_GETFL) & O_NONBLOCK) != 0, "it does not block");
		platform_network_changed(fds[i]);
	}
}

static void
notification_arrives(struct trial *t)
{
	int reached = machine_notifies();

	if (reached == -1)
		trial_skip(t, "this system has no notifications");
	else
		trial_check(t, reached == 1, "one that is posted can be read");
}

/* What a daemon may see of the cloud, and of others' data */

static void
downloading_is_noted(struct trial *t)
{
	int downloads = machine_downloads();

	if (downloads == -1)
		trial_skip(t, "this system has no files that are not there");
	else
		trial_note(t, "looking for a name %s what is in the cloud only",
		    downloads == 1 ? "downloads" : "does not download");
}

#define PROTECTED "/Library/Application Support/com.apple.TCC/TCC.db"

static void
privacy_is_noted(struct trial *t)
{
	int fd = open(PROTECTED, O_EVTONLY | O_CLOEXEC);

	if (fd == -1 && errno == ENOENT)
		trial_skip(t, "privacy protection has no files here");
	else
		trial_note(t, "what only Full Disk Access shows: %s",
		    fd == -1 ? strerror(errno) : "can be watched from here");
	if (fd != -1)
		close(fd);
}

/* Homebrew for Intel gives it to a user. */
static void
usr_local_is_noted(struct trial *t)
{
	struct stat st;

	if (stat("/usr/local/bin", &st) == -1)
		trial_note(t, "there is no /usr/local/bin");
	else
		trial_note(t, "/usr/local/bin belongs to %s",
		    st.st_uid == 0 ? "root" : "a user");
}

/* The unified log */

/* The log may need a moment until it can be read. */
static bool
is_logged(struct trial *t, const char *style, const char *word)
{
	char *command = xasprintf("/usr/bin/log show --style %s --last 2m --predicate "
				  "'subsystem == \"org.watchpathd\"' | grep %s",
	    style, word);
	bool found = false;
	int i;

	for (i = 0; i < 3 && !found; i++)
		found = trial_succeeds(t, command);
	free(command);
	return found;
}

static bool
has_log(struct trial *t)
{
	if (platform_log_sink == NULL)
		trial_skip(t, "this system has no unified log");
	return platform_log_sink != NULL;
}

static void
log_is_found(struct trial *t)
{
	char *word;

	if (!has_log(t))
		return;
	word = xasprintf("selftest-%" PRId64, realtime_ns());
	platform_log_sink(LOG_LEVEL_INFO, word);
	trial_say(t, "reading the unified log, which can take minutes");
	trial_check(t, is_logged(t, "syslog", word), "what was logged is found there");
	trial_check(t, is_logged(t, "compact", word), "also in the compact style");
	trial_check(t, is_logged(t, "ndjson", word), "also as JSON");
	free(word);
}

/* Does it find this program's lines as it finds those of mdmclient? */
static bool
is_read(struct trial *t, const char *reader, const char *style)
{
	char *command = xasprintf("/usr/bin/log show --style %s --last 2m --predicate "
				  "'processImagePath == \"%s\"' | '%s' report --client "
				  "'%s' - | grep 'key saved'",
	    style, t->self, reader, t->self);
	bool found = trial_succeeds(t, command);

	free(command);
	return found;
}

static void
columns_are_known(struct trial *t)
{
	static const char *const styles[] = { "syslog", "default", "compact", "ndjson" };
	char reader[4096];
	size_t i;

	snprintf(reader, sizeof(reader), "%.*s/filevault-escrow",
	    (int)(strrchr(t->self, '/') - t->self), t->self);
	if (!has_log(t))
		return;
	if (access(reader, X_OK) == -1) {
		trial_skip(t, "filevault-escrow is not beside this program");
		return;
	}
	trial_say(t, "reading the unified log once more");
	platform_log_sink(LOG_LEVEL_INFO, "Saved PRK escrow file: YES, of a test");
	for (i = 0; i < NELEM(styles); i++)
		if (!trial_check(t, is_read(t, reader, styles[i]), "its lines are known"))
			trial_note(t, "in the style %s", styles[i]);
}

static void
reading_a_day_is_noted(struct trial *t)
{
	mono_t begin = mono_now();

	if (!has_log(t))
		return;
	trial_say(t, "reading a day of the unified log, which can take minutes");
	trial_check(t,
	    trial_succeeds(t, "/usr/bin/log show --style ndjson --last 1d --predicate "
			      "'processImagePath == \"/usr/libexec/mdmclient\"'"),
	    "a day of it can be read");
	trial_note(t, "a day of it is read in %" PRId64 " s",
	    mono_sub(mono_now(), begin) / MONO_SEC);
}

const struct probe selftest_system[] = {
	{ "durable", "8.16", REQUIRED, "a state can be made durable",
	    .run = state_is_durable },
	{ "lock", "2.11", REQUIRED, "a second daemon on a state is refused",
	    .run = second_daemon_is_refused },
	{ "self", "4.2", REQUIRED, "this program finds itself",
	    .run = own_program_is_known },
	{ "system-programs", "4.1", REQUIRED, "the programs of the system are trusted",
	    .run = system_programs_are_trusted },
	{ "socket", "8.6", REQUIRED, "the socket answers its owner, and nobody else",
	    .run = socket_answers },
	{ "socket-path", "8.17", REQUIRED, "a socket's path may have 103 bytes",
	    .run = long_socket_path },
	{ "socket-full", "8.6", EXPECTED, "a full queue of clients refuses the next one",
	    .run = full_queue_refuses },
	{ "network", "6.1 6.2 6.4", REQUIRED, "changes of the network can be watched",
	    .run = network_can_be_watched },
	{ "notify", "6.1 6.2", EXPECTED, "a notification reaches its descriptor",
	    .run = notification_arrives },
	{ "cloud", "8.8", RECORD, "whether names are looked for in the cloud",
	    .run = downloading_is_noted },
	{ "privacy", "4.2 8.9", RECORD, "what privacy protection shows to this process",
	    .run = privacy_is_noted },
	{ "usr-local", "8.12", RECORD, "whose /usr/local/bin is",
	    .run = usr_local_is_noted },
	{ "log", "6.7 8.10", EXPECTED, "what is logged is found in the unified log",
	    .run = log_is_found },
	{ "log-columns", "8.10", EXPECTED,
	    "filevault-escrow reads its lines in each style", .run = columns_are_known },
	{ "log-day", "8.10", RECORD, "how long a day of it takes to read",
	    .run = reading_a_day_is_noted },
	{ .id = NULL },
};
