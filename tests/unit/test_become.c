/* SPDX-License-Identifier: MIT */
/*
 * The exec mode from outside: this program starts itself in it, lets it execute
 * this program once more, and reads what that found itself to be. The calls that
 * change or tell who a process is are its own: they do what those of libc do, but
 * for the one that FAULT in the environment of the mode names.
 */
/* With it macOS has another getgroups than the one that the mode calls. */
#undef _DARWIN_C_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#if __has_include(<sched.h>) && __has_include(<sys/mount.h>)
#include <sched.h>
#include <sys/mount.h>
#endif

#include "run/become.h"
#include "test.h"

#define MAX_WORDS 32

extern char **environ;

static char self[4096];
static char status[4096], output[65536];
static int exit_status, leak;

/* The type differs between Linux and macOS. */
#ifdef CLONE_NEWNS
typedef size_t group_count;
typedef gid_t base_group;
#else
typedef int group_count;
typedef int base_group;
#endif

static bool
has_fault(const char *fault)
{
	const char *asked = getenv("FAULT");

	return asked != NULL && strcmp(asked, fault) == 0;
}

/* Does this call fail, with that errno? */
static bool
is_failing(const char *fault, int error)
{
	if (!has_fault(fault))
		return false;
	errno = error;
	return true;
}

/* Calls that are told are lines of the action's output. */
static void
tell(const char *call)
{
	if (has_fault("none, calls are told"))
		dprintf(STDOUT_FILENO, "call %s\n", call);
}

/* Never the real one: these tests have no session of their own. */
int
setlogin(const char *name)
{
	(void)name;
	tell("setlogin");
	return is_failing("setlogin fails", EINVAL) ? -1 : 0;
}

struct passwd *
getpwnam(const char *name)
{
	return is_failing("getpwnam fails", EIO) ? NULL : LIBC(getpwnam)(name);
}

struct passwd *
getpwuid(uid_t uid)
{
	return is_failing("getpwuid fails", EIO) ? NULL : LIBC(getpwuid)(uid);
}

struct group *
getgrnam(const char *name)
{
	return is_failing("getgrnam fails", EIO) ? NULL : LIBC(getgrnam)(name);
}

int
getgroups(int size, gid_t list[])
{
	int n;

	if (is_failing("getgroups fails", EPERM) ||
	    (size > 0 && is_failing("getgroups only counts", EPERM)))
		return -1;
	if (!has_fault("getgroups has one more"))
		return LIBC(getgroups)(size, list);
	n = LIBC(getgroups)(size > 0 ? size - 1 : 0, list);
	if (n >= 0 && size > 0)
		list[n] = 4242;
	return n >= 0 ? n + 1 : -1;
}

int
setgroups(group_count n, const gid_t *list)
{
	tell("setgroups");
	return is_failing("setgroups fails", EPERM) ? -1 : LIBC(setgroups)(n, list);
}

int
initgroups(const char *user, base_group gid)
{
	tell("initgroups");
	return is_failing("initgroups fails", EPERM) ? -1 : LIBC(initgroups)(user, gid);
}

int
setgid(gid_t gid)
{
	tell("setgid");
	if (is_failing("setgid fails", EPERM))
		return -1;
	if (has_fault("setgid does nothing"))
		return 0;
	if (has_fault("setgid sets the effective one"))
		return setegid(gid);
	if (has_fault("setgid sets the real one"))
		return setregid(gid, (gid_t)-1);
	return LIBC(setgid)(gid);
}

int
setuid(uid_t uid)
{
	tell(uid != 0 ? "setuid" : "setuid 0");
	if (is_failing("setuid fails", EPERM))
		return -1;
	if (has_fault("setuid does nothing"))
		return 0;
	if (has_fault("setuid sets the effective one"))
		return seteuid(uid);
	if (has_fault("setuid sets the real one"))
		return setreuid(uid, (uid_t)-1);
	if (has_fault("setuid regains root") && uid == 0)
		return 0;
	return LIBC(setuid)(uid);
}

int
seteuid(uid_t uid)
{
	if (has_fault("seteuid regains root") && uid == 0)
		return 0;
	return LIBC(seteuid)(uid);
}

/* What the action sees, a line for each fact. */
static int
report(int argc, char **argv)
{
	gid_t groups[256];
	char cwd[4096];
	struct stat st;
	mode_t mask;
	int i, n;

	for (i = 0; i < argc; i++)
		printf("arg %s\n", argv[i]);
	printf("uid %d %d\ngid %d %d\n", (int)getuid(), (int)geteuid(), (int)getgid(),
	    (int)getegid());
	n = getgroups(256, groups);
	for (i = 0; i < n; i++)
		printf("group %d\n", (int)groups[i]);
	printf("root %s\n", setuid(0) == 0 || seteuid(0) == 0 || setreuid(0, 0) == 0
				? "regained"
				: "lost");
	mask = umask(0);
	printf("umask %03o\nnice %d\n", (unsigned)mask, getpriority(PRIO_PROCESS, 0));
	printf("cwd %s\n", getcwd(cwd, sizeof(cwd)) != NULL ? cwd : "?");
	for (i = 3; i < 1024; i++) {
		if (fstat(i, &st) == 0)
			printf("fd %d\n", i);
	}
	for (i = 0; environ[i] != NULL; i++)
		printf("env %s\n", environ[i]);
	return 42;
}

static void
read_all(int fd, char *out, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && (n = read(fd, out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(fd);
}

/* The environment of the mode, as the daemon gives it, and its own. */
static char *const masked[] = { (char[]){ "@PATH=/usr/bin:/bin" },
	(char[]){ "@CANARY=sings" }, (char[]){ "@EMPTY=" }, (char[]){ "@" }, NULL };
static char *const with_home[] = { (char[]){ "@HOME=/rule's" }, (char[]){ "@SHELL=" },
	NULL };

/*
 * Runs `self exec --status-fd 3 OPTIONS`, words separated by blanks; in a child
 * that prepare, if it is given, has changed.
 */
static void
run(const char *options, char *const env[], void (*prepare)(void))
{
	char text[8192], *argv[MAX_WORDS], *word, *save = NULL;
	int out[2], st[2], code, n = 0;
	pid_t pid;

	snprintf(text, sizeof(text), "%s exec --status-fd 3 %s", self, options);
	for (word = strtok_r(text, " ", &save); word != NULL && n < MAX_WORDS - 1;
	     word = strtok_r(NULL, " ", &save))
		argv[n++] = strcmp(word, "SELF") == 0 ? self : word;
	argv[n] = NULL;
	assert_int_equal(pipe(out), 0);
	assert_int_equal(pipe(st), 0);
	pid = fork();
	if (pid == 0) {
		if (prepare != NULL)
			prepare();
		/* The pipe may be 3 itself already. */
		dup2(out[1], 1);
		st[1] = fcntl(st[1], F_DUPFD, 20);
		for (n = 4; n < 1024; n++) {
			if (n != st[1])
				close(n);
		}
		if (leak != 0)
			dup2(0, leak);
		dup2(st[1], 3);
		close(st[1]);
		execve(self, argv, env);
		_exit(126);
	}
	close(out[1]);
	close(st[1]);
	read_all(out[0], output, sizeof(output));
	read_all(st[0], status, sizeof(status));
	assert_int_equal(waitpid(pid, &code, 0), pid);
	exit_status = WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

static bool
has_line(const char *line)
{
	size_t len = strlen(line);
	const char *p;

	for (p = output; p != NULL && *p != '\0'; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, line, len) == 0 && (p[len] == '\n' || p[len] == '\0'))
			return true;
	}
	return false;
}

static void says(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void
says(const char *fmt, ...)
{
	char line[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (!has_line(line))
		fail_msg("no line \"%s\" in:\n%s%s", line, output, status);
}

static void
starts_with(const char *begin)
{
	if (strncmp(output, begin, strlen(begin)) != 0)
		fail_msg("not first \"%s\" in:\n%s%s", begin, output, status);
}

static int
count_lines(const char *begin)
{
	const char *p = output;
	int n = 0;

	while ((p = strstr(p, begin)) != NULL) {
		if (p == output || p[-1] == '\n')
			n++;
		p++;
	}
	return n;
}

static void
ran(void)
{
	assert_string_equal(status, "");
	assert_int_equal(exit_status, 42);
}

static void
failed(const char *sentence)
{
	assert_string_equal(status, sentence);
	assert_string_equal(output, "");
	assert_int_not_equal(exit_status, 0);
}

static void
need_root(void)
{
	if (geteuid() != 0) {
		print_message("skipped: only root can become somebody else\n");
		skip();
	}
}

TEST(the_arguments_arrive_as_they_are)
{
	run("-- SELF report  --user x --", masked, NULL);
	ran();
	says("arg report");
	says("arg --user");
	says("arg x");
	says("arg --");
	assert_int_equal(count_lines("arg "), 4);
}

TEST(the_environment_is_the_masked_one_without_its_mask)
{
	run("-- SELF report", masked, NULL);
	ran();
	says("env PATH=/usr/bin:/bin");
	says("env CANARY=sings");
	says("env EMPTY=");
	assert_int_equal(count_lines("env "), 3);
}

/* main fails the exec mode where it sees CANARY unmasked. */
TEST(the_environment_of_the_action_has_no_effect_while_root)
{
	char *const bare[] = { (char[]){ "CANARY=dead" }, NULL };

	run("-- SELF report", bare, NULL);
	assert_int_equal(exit_status, 99);
	run("-- SELF report", masked, NULL);
	ran();
	says("env CANARY=sings");
}

TEST(a_user_is_set_for_good_with_home_user_logname_shell)
{
	struct passwd *pw = getpwnam("nobody");
	int uid, gid;

	need_root();
	assert_non_null(pw);
	uid = (int)pw->pw_uid;
	gid = (int)pw->pw_gid;
	run("--user nobody -- SELF report", masked, NULL);
	ran();
	says("uid %d %d", uid, uid);
	says("gid %d %d", gid, gid);
	says("root lost");
	says("env HOME=%s", pw->pw_dir);
	says("env USER=nobody");
	says("env LOGNAME=nobody");
	says("env SHELL=%s", pw->pw_shell);
	run("--user nobody -- SELF report", with_home, NULL);
	ran();
	says("env HOME=/rule's");
	says("env SHELL=");
	says("env USER=nobody");
	assert_int_equal(count_lines("env "), 4);
}

TEST(a_user_may_be_a_number)
{
	struct passwd *pw = getpwnam("nobody");
	char options[128];

	need_root();
	snprintf(options, sizeof(options), "--user %d -- SELF report", (int)pw->pw_uid);
	run(options, masked, NULL);
	ran();
	says("uid %d %d", (int)pw->pw_uid, (int)pw->pw_uid);
	says("env USER=nobody");
}

static void
take_groups(void)
{
	gid_t groups[] = { 0, 4242, 4243 };

	if (setgroups(3, groups) == -1)
		_exit(125);
}

TEST(no_group_of_the_daemon_is_left)
{
	need_root();
	run("-- SELF report", masked, take_groups);
	ran();
	says("group 4242");
	run("--user nobody -- SELF report", masked, take_groups);
	ran();
	assert_int_equal(count_lines("group 0\n"), 0);
	assert_int_equal(count_lines("group 424"), 0);
}

TEST(with_group_there_is_that_group_and_no_other)
{
	need_root();
	run("--group 4711 -- SELF report", masked, take_groups);
	ran();
	says("uid 0 0");
	says("gid 4711 4711");
	says("group 4711");
	assert_int_equal(count_lines("group "), 1);
	run("--user nobody --group 4711 -- SELF report", masked, take_groups);
	ran();
	says("gid 4711 4711");
	says("group 4711");
	assert_int_equal(count_lines("group "), 1);
	says("root lost");
}

#ifdef CLONE_NEWNS
/* nobody is in two more groups, in a view of /etc that only the child has. */
static void
change_etc_group(void)
{
	char name[] = "/tmp/group.XXXXXX";
	int fd = mkstemp(name);
	FILE *f = fdopen(fd, "w");

	fchmod(fd, 0644);
	fprintf(f, "root:x:0:\nnogroup:x:65534:\none:x:4301:nobody\ntwo:x:4302:x,nobody\n"
		   "other:x:4303:x\n");
	fclose(f);
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, "") == -1 ||
	    mount(name, "/etc/group", "none", MS_BIND, "") == -1)
		_exit(124);
	unlink(name);
}
#endif

TEST(a_user_gets_its_supplementary_groups)
{
	need_root();
#ifdef CLONE_NEWNS
	run("--user nobody -- SELF report", masked, change_etc_group);
	if (exit_status == 124) {
		print_message("skipped: no mount namespaces here\n");
		skip();
	}
	ran();
	says("group 4301");
	says("group 4302");
	assert_int_equal(count_lines("group 43"), 2);
	run("--user nobody --group two -- SELF report", masked, change_etc_group);
	ran();
	says("gid 4302 4302");
	assert_int_equal(count_lines("group "), 1);
#else
	print_message("skipped: needs a private /etc/group\n");
	skip();
#endif
}

TEST(umask_nice_and_directory_are_set)
{
	run("--umask 027 --nice 7 --directory /usr -- SELF report", masked, NULL);
	ran();
	says("umask 027");
	says("nice 7");
	says("cwd /usr");
}

TEST(the_directory_is_entered_as_the_user)
{
	char name[] = "/tmp/become.XXXXXX", options[256], sentence[256];

	need_root();
	assert_non_null(mkdtemp(name));
	snprintf(options, sizeof(options), "--directory %s -- SELF report", name);
	run(options, masked, NULL);
	ran();
	snprintf(options, sizeof(options), "--user nobody --directory %s -- SELF report",
	    name);
	snprintf(sentence, sizeof(sentence), "%s: Permission denied", name);
	run(options, masked, NULL);
	failed(sentence);
	rmdir(name);
}

TEST(nice_may_be_negative_for_a_plain_user)
{
	need_root();
	run("--user nobody --nice -5 -- SELF report", masked, NULL);
	ran();
	says("nice -5");
	says("root lost");
}

TEST(no_descriptor_is_left_for_the_action)
{
	/* As if a directory module had left one open. */
	leak = 7;
	run("-- SELF report", masked, NULL);
	leak = 0;
	ran();
	assert_int_equal(count_lines("fd "), 0);
}

TEST(what_fails_is_told_in_a_sentence_and_nothing_is_run)
{
	run("--user no-such-user -- SELF report", masked, NULL);
	failed("user no-such-user: no such user");
	run("--user 3999999999 -- SELF report", masked, NULL);
	failed("user 3999999999: no such user");
	run("--user -1 -- SELF report", masked, NULL);
	failed("user -1: no such user");
	run("--user 4294967295 -- SELF report", masked, NULL);
	failed("user 4294967295: no such user");
	run("--group no-such-group -- SELF report", masked, NULL);
	failed("group no-such-group: no such group");
	run("--group 4294967295 -- SELF report", masked, NULL);
	failed("group 4294967295: no such group");
	run("--directory /nonexistent -- SELF report", masked, NULL);
	failed("/nonexistent: No such file or directory");
	run("--umask 9 -- SELF report", masked, NULL);
	failed("umask 9: not an octal number up to 0777");
	run("--umask 1000 -- SELF report", masked, NULL);
	failed("umask 1000: not an octal number up to 0777");
	run("--nice 21 -- SELF report", masked, NULL);
	failed("nice 21: not from -20 to 20");
	run("--nice --5 -- SELF report", masked, NULL);
	failed("nice --5: not from -20 to 20");
	run("-- /nonexistent/program x", masked, NULL);
	failed("/nonexistent/program: No such file or directory");
	run("-- /etc/passwd x", masked, NULL);
	failed("/etc/passwd: Permission denied");
}

/* A process that is half somebody else cannot search itself for leaks. */
static char no_leaks[] = "ASAN_OPTIONS=detect_leaks=0";

/* Nothing is run where that call has the fault. */
static void
fails_where(const char *fault, const char *options, const char *sentence)
{
	char setting[128], words[256];
	char *const env[] = { setting, no_leaks, NULL };

	snprintf(setting, sizeof(setting), "FAULT=%s", fault);
	snprintf(words, sizeof(words), "%s -- SELF report", options);
	run(words, env, NULL);
	if (strcmp(status, sentence) != 0)
		fail_msg("%s: \"%s\" instead of \"%s\"", fault, status, sentence);
	failed(sentence);
}

TEST(a_directory_that_cannot_be_asked_is_no_empty_one)
{
	fails_where("getpwnam fails", "--user nobody", "user nobody: Input/output error");
	/* It might be somebody's name. */
	fails_where("getpwnam fails", "--user 0", "user 0: Input/output error");
	fails_where("getpwuid fails", "--user 0", "user 0: Input/output error");
	fails_where(
	    "getgrnam fails", "--group nobodies", "group nobodies: Input/output error");
}

/* Any other order loses groups on macOS 12 and 13: see set_groups. */
TEST(the_identity_is_set_in_the_order_that_macos_needs)
{
	char *const env[] = { (char[]){ "FAULT=none, calls are told" }, no_leaks, NULL };

	need_root();
	run("--user nobody -- SELF report", env, NULL);
	ran();
	starts_with("call setlogin\ncall setgid\ncall initgroups\ncall setuid\n");
	run("--user nobody --group 4711 -- SELF report", env, NULL);
	ran();
	starts_with("call setlogin\ncall setgid\ncall setgroups\ncall setuid\n");
	run("--group 4711 -- SELF report", env, NULL);
	ran();
	starts_with("call setgid\ncall setgroups\ncall setuid 0\n");
}

TEST(without_its_group_nothing_is_run)
{
	static const char *const faults[] = { "setgid fails", "setgid does nothing",
		"setgid sets the effective one", "setgid sets the real one" };
	struct passwd *pw = getpwnam("nobody");
	char sentence[128], ours[128];
	size_t i;

	need_root();
	assert_non_null(pw);
	snprintf(sentence, sizeof(sentence), "group %u: Operation not permitted",
	    (unsigned)pw->pw_gid);
	fails_where("setlogin fails", "--user nobody",
	    "user nobody: the name of the session cannot be set: Invalid argument");
	fails_where("initgroups fails", "--user nobody", sentence);
	fails_where(
	    "setgroups fails", "--group 4711", "group 4711: Operation not permitted");
	fails_where("setgroups fails", "--user nobody --group 4711",
	    "group 4711: Operation not permitted");
	snprintf(
	    sentence, sizeof(sentence), "group %u: cannot be set", (unsigned)pw->pw_gid);
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		fails_where(faults[i], "--user nobody", sentence);
		fails_where(faults[i], "--group 4711", "group 4711: cannot be set");
	}
	/* Even where it would change nothing. */
	snprintf(ours, sizeof(ours), "--group %u", (unsigned)getgid());
	snprintf(
	    sentence, sizeof(sentence), "group %u: cannot be set", (unsigned)getgid());
	fails_where("setgid fails", ours, sentence);
}

TEST(with_a_group_too_many_nothing_is_run)
{
	static const char *const faults[] = { "getgroups has one more", "getgroups fails",
		"getgroups only counts" };
	static const char *const options[] = { "--user nobody", "--group 4711",
		"--user nobody --group 4711" };
	size_t i, k;

	need_root();
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		for (k = 0; k < sizeof(options) / sizeof(options[0]); k++)
			fails_where(faults[i], options[k],
			    "user and group: other groups could not be left");
}

TEST(without_its_user_or_with_a_way_back_nothing_is_run)
{
	static const char *const faults[] = { "setuid does nothing",
		"setuid sets the effective one", "setuid sets the real one" };
	size_t i;

	need_root();
	fails_where(
	    "setuid fails", "--user nobody", "user nobody: Operation not permitted");
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		fails_where(faults[i], "--user nobody", "user nobody: cannot be set");
	fails_where("setuid regains root", "--user nobody",
	    "user nobody: root could be regained");
	fails_where("seteuid regains root", "--user nobody --group 4711",
	    "user nobody: root could be regained");
}

TEST(a_bad_command_line_runs_nothing)
{
	static const char *const lines[] = { "", "--", "-- SELF", "--user", "--user x",
		"--color red -- SELF report", "SELF report",
		"--status-fd x -- SELF report", "--status-fd 2147483648 -- SELF report" };
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		run(lines[i], masked, NULL);
		failed("exec: not a command line that the daemon would give");
	}
	/* Nothing either where nobody listens. */
	run("--status-fd 900 -- SELF report", masked, NULL);
	failed("");
}

TEST(a_sentence_that_is_too_long_is_cut)
{
	char options[700];

	snprintf(options, sizeof(options), "--umask %0600d -- SELF report", 9);
	run(options, masked, NULL);
	assert_int_equal(strlen(status), 511);
	status[strlen("umask 00")] = '\0';
	failed("umask 00");
}

static void
become_nobody(void)
{
	struct passwd *pw = getpwnam("nobody");

	if (geteuid() == 0 && (setgroups(0, NULL) == -1 || setgid(pw->pw_gid) == -1 ||
				  setuid(pw->pw_uid) == -1))
		_exit(125);
}

TEST(who_is_not_root_gets_a_sentence)
{
	struct passwd *pw;
	char options[256];

	run("--user root -- SELF report", masked, become_nobody);
	failed("user root: only root may run programs as another user");
	run("--group 0 -- SELF report", masked, become_nobody);
	failed("group 0: only root may change the group");
	pw = geteuid() == 0 ? getpwnam("nobody") : getpwuid(geteuid());
	if (pw == NULL)
		skip();
	snprintf(options, sizeof(options), "--user %s -- SELF report", pw->pw_name);
	run(options, masked, become_nobody);
	ran();
	says("uid %d %d", (int)pw->pw_uid, (int)pw->pw_uid);
	says("env USER=%s", pw->pw_name);
	run("--nice -5 -- SELF report", masked, become_nobody);
	failed("nice -5: Permission denied");
}

/*
 * Goes on with a copy of this program in a place that everyone can enter, which
 * the tree need not be. 0, or -1.
 */
static int
move_out(void)
{
	char dir[] = "/tmp/watchpathd.XXXXXX", bytes[65536];
	int from = open(self, O_RDONLY | O_CLOEXEC), to;
	ssize_t n;

	if (from == -1 || mkdtemp(dir) == NULL || chmod(dir, 0755) == -1)
		return -1;
	snprintf(self, sizeof(self), "%s/test", dir);
	to = open(self, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	while ((n = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, (size_t)n) != n)
			return -1;
	close(from);
	return close(to);
}

BEFORE_TESTS(argc, argv)
{
	/* The action's argv[0] is what follows the program. */
	if (strcmp(argv[0], "report") == 0)
		return report(argc, argv);
	if (realpath(argv[0], self) == NULL)
		return 1;
	if (argc > 1 && strcmp(argv[1], "exec") == 0)
		return getenv("CANARY") != NULL ? 99 : become_main(argc, argv);
	alarm(120);
	return move_out() == -1 ? EXIT_FAILURE : RUN_TESTS;
}

TEAR_DOWN_ALL
{
	unlink(self);
	*strrchr(self, '/') = '\0';
	rmdir(self);
}
