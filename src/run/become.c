/* SPDX-License-Identifier: MIT */
/*
 * From root to somebody else, and on to the action: runs in a process of its
 * own, where a slow directory service delays nobody. It trusts no call to have
 * worked: what the process then is is asked of the kernel, and regaining root
 * is tried. It executes nothing when anything failed.
 */
/* With it macOS's getgroups returns what the directory says, not what is set. */
#undef _DARWIN_C_SOURCE

#include "run/become.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "run/accounts.h"
#include "base/util.h"
#include "base/number.h"

extern char **environ;

struct become {
	int status_fd;
	const char *user, *group, *umask, *directory, *nice; /* NULL: not asked for */
	char **command;    /* program, argv[0], arguments */
	struct passwd *pw; /* of user, and ours: later look-ups may reuse libc's */
	gid_t gid;
};

static bool
fail(const struct become *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Reports to the daemon. A pipe takes it in one piece, being shorter than PIPE_BUF. */
static bool
fail(const struct become *b, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(text))
		n = sizeof(text) - 1;
	if (n > 0 && write(b->status_fd, text, (size_t)n) == -1)
		fprintf(stderr, "watchpathd: %s\n", text);
	return false;
}

/* The command line */

static bool
take_option(struct become *b, const char *name, const char *value)
{
	uint64_t number;

	if (strcmp(name, "--status-fd") == 0) {
		if (!parse_number(value, INT_MAX, &number))
			return false;
		b->status_fd = (int)number;
	} else if (strcmp(name, "--user") == 0) {
		b->user = value;
	} else if (strcmp(name, "--group") == 0) {
		b->group = value;
	} else if (strcmp(name, "--umask") == 0) {
		b->umask = value;
	} else if (strcmp(name, "--directory") == 0) {
		b->directory = value;
	} else if (strcmp(name, "--nice") == 0) {
		b->nice = value;
	} else {
		return false;
	}
	return true;
}

static bool
parse(struct become *b, int argc, char **argv)
{
	int i;

	/* argv[0] and the word exec. */
	for (i = 2; i < argc && strcmp(argv[i], "--") != 0; i += 2) {
		if (i + 1 >= argc || !take_option(b, argv[i], argv[i + 1]))
			return false;
	}
	b->command = argv + i + 1;
	return i + 2 < argc && fcntl(b->status_fd, F_SETFD, FD_CLOEXEC) == 0;
}

/* Names */

static struct passwd *
copy_user(const struct passwd *from)
{
	struct passwd *pw = xcalloc(1, sizeof(*pw));

	pw->pw_name = xstrdup(from->pw_name);
	pw->pw_dir = xstrdup(from->pw_dir);
	pw->pw_shell = xstrdup(from->pw_shell[0] != '\0' ? from->pw_shell : "/bin/sh");
	pw->pw_uid = from->pw_uid;
	pw->pw_gid = from->pw_gid;
	return pw;
}

static bool
find_user(struct become *b)
{
	char why[ACCOUNTS_WHY_SIZE];
	const struct passwd *pw;

	if (b->user == NULL)
		return true;
	pw = accounts_user(b->user, why);
	if (pw == NULL)
		return fail(b, "%s", why);
	b->pw = copy_user(pw);
	return true;
}

static bool
find_group(struct become *b)
{
	char why[ACCOUNTS_WHY_SIZE];

	b->gid = b->pw != NULL ? b->pw->pw_gid : getegid();
	return b->group == NULL || accounts_group(b->group, &b->gid, why) ||
	       fail(b, "%s", why);
}

/* What needs no name */

static bool
set_nice(const struct become *b)
{
	bool negative = b->nice != NULL && b->nice[0] == '-';
	uint64_t number;
	int value;

	if (b->nice == NULL)
		return true;
	if (!parse_number(b->nice + (negative ? 1 : 0), 20, &number))
		return fail(b, "nice %s: not from -20 to 20", b->nice);
	value = negative ? -(int)number : (int)number;
	if (setpriority(PRIO_PROCESS, 0, value) == -1)
		return fail(b, "nice %s: %s", b->nice, strerror(errno));
	return true;
}

static bool
set_umask(const struct become *b)
{
	unsigned long value;
	char *end;

	if (b->umask == NULL)
		return true;
	value = strtoul(b->umask, &end, 8);
	if (b->umask[0] < '0' || b->umask[0] > '7' || *end != '\0' || value > 0777)
		return fail(b, "umask %s: not an octal number up to 0777", b->umask);
	umask((mode_t)value);
	return true;
}

static bool
set_directory(const struct become *b)
{
	if (b->directory == NULL || chdir(b->directory) == 0)
		return true;
	return fail(b, "%s: %s", b->directory, strerror(errno));
}

/* Groups and user */

static bool
has_gid(const gid_t *list, int n, gid_t gid)
{
	while (n > 0) {
		if (list[--n] == gid)
			return true;
	}
	return false;
}

/* The groups that the user should have; the caller frees them. */
static gid_t *
list_groups(const struct become *b, int *n)
{
	gid_t *list = NULL;
	int room;

	if (b->group != NULL || b->pw == NULL) {
		list = xcalloc(1, sizeof(*list));
		list[0] = b->gid;
		*n = 1;
		return list;
	}
	for (room = 64; room <= 65536; room *= 2) {
		list = xreallocarray(list, (size_t)room, sizeof(*list));
		*n = room;
		/* The list is of int on macOS and of gid_t on Linux. */
		if (getgrouplist(b->pw->pw_name, b->gid, (void *)list, n) != -1)
			return list;
	}
	free(list);
	return NULL;
}

/*
 * None but the groups that should be there? Fewer are in order: macOS sets the
 * first 16, and its directory service answers for the others (initgroups names
 * the user to the kernel), which getgroups may list as well.
 */
static bool
verify_groups(const struct become *b)
{
	int n = getgroups(0, NULL), nwanted = 0, i;
	gid_t *wanted = list_groups(b, &nwanted), *have;
	bool ok = n >= 0 && wanted != NULL;

	have = xcalloc(n > 0 ? (size_t)n : 1, sizeof(*have));
	n = getgroups(n > 0 ? n : 0, have);
	for (i = 0; i < n && ok; i++)
		ok = has_gid(wanted, nwanted, have[i]);
	free(wanted);
	free(have);
	return (ok && n >= 0) ||
	       fail(b, "user and group: other groups could not be left");
}

/* The session is the daemon's child's own (POSIX_SPAWN_SETSID), with root's name. */
static bool
set_login(const struct become *b)
{
	if (b->pw == NULL || setlogin(b->pw->pw_name) == 0)
		return true;
	return fail(b, "user %s: the name of the session cannot be set: %s", b->user,
	    strerror(errno));
}

/*
 * In launchd's order. A setgid after initgroups makes macOS 12 and 13 forget for
 * whom the groups are (kauth_cred_setresgid), and with that all beyond the first 16.
 */
static bool
set_groups(const struct become *b)
{
	int error;

	if (setgid(b->gid) == -1 || getgid() != b->gid || getegid() != b->gid)
		return fail(b, "group %u: cannot be set", (unsigned)b->gid);
	if (b->group == NULL && b->pw != NULL)
		error = initgroups(b->pw->pw_name, b->gid);
	else
		error = setgroups(1, &b->gid);
	if (error == -1)
		return fail(b, "group %u: %s", (unsigned)b->gid, strerror(errno));
	return verify_groups(b);
}

static bool
set_user(const struct become *b)
{
	uid_t uid = b->pw != NULL ? b->pw->pw_uid : geteuid();
	const char *user = b->user != NULL ? b->user : "root";

	if (setuid(uid) == -1)
		return fail(b, "user %s: %s", user, strerror(errno));
	if (getuid() != uid || geteuid() != uid)
		return fail(b, "user %s: cannot be set", user);
	if (uid != 0 && (setuid(0) == 0 || seteuid(0) == 0))
		return fail(b, "user %s: root could be regained", user);
	return true;
}

/* Who is not root may only ask for what the process is anyway. */
static bool
set_identity(const struct become *b)
{
	if (b->user == NULL && b->group == NULL)
		return true;
	if (geteuid() == 0)
		return set_login(b) && set_groups(b) && set_user(b);
	if (b->pw != NULL && (b->pw->pw_uid != geteuid() || b->pw->pw_uid != getuid()))
		return fail(
		    b, "user %s: only root may run programs as another user", b->user);
	if (b->group != NULL && (b->gid != getegid() || b->gid != getgid()))
		return fail(b, "group %s: only root may change the group", b->group);
	return true;
}

/* The action */

static bool
has_name(const struct strv *env, const char *name)
{
	size_t i, len = strlen(name);

	for (i = 0; i < env->n; i++) {
		if (strncmp(env->v[i], name, len) == 0 && env->v[i][len] == '=')
			return true;
	}
	return false;
}

static void
add_name(struct strv *env, const char *name, const char *value)
{
	if (!has_name(env, name))
		strv_push(env, xasprintf("%s=%s", name, value));
}

static void
fill_environment(const struct become *b, struct strv *env)
{
	size_t i;

	for (i = 0; environ[i] != NULL; i++) {
		if (strchr(environ[i], '=') != NULL)
			strv_push(env, xstrdup(environ[i] + 1));
	}
	if (b->pw == NULL)
		return;
	add_name(env, "HOME", b->pw->pw_dir);
	add_name(env, "USER", b->pw->pw_name);
	add_name(env, "LOGNAME", b->pw->pw_name);
	add_name(env, "SHELL", b->pw->pw_shell);
}

/* Directory modules open sockets, and not all of them close-on-exec. */
static void
seal_descriptors(void)
{
	int fd;

	for (fd = STDERR_FILENO + 1; fd < 1024; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void
free_user(struct passwd *pw)
{
	if (pw == NULL)
		return;
	free(pw->pw_name);
	free(pw->pw_dir);
	free(pw->pw_shell);
	free(pw);
}

int
become_main(int argc, char **argv)
{
	struct become b = { .status_fd = STDERR_FILENO };
	struct strv env = { NULL, 0 };

	if (!parse(&b, argc, argv)) {
		fail(&b, "exec: not a command line that the daemon would give");
		return EX_USAGE;
	}
	if (set_nice(&b) && set_umask(&b) && find_user(&b) && find_group(&b) &&
	    set_identity(&b) && set_directory(&b)) {
		fill_environment(&b, &env);
		seal_descriptors();
		execve(b.command[0], b.command + 1, env.v);
		fail(&b, "%s: %s", b.command[0], strerror(errno));
	}
	strv_clear(&env);
	free_user(b.pw);
	return EX_OSERR;
}
