/* SPDX-License-Identifier: MIT */
/*
 * Who could change what root is about to obey? A path is walked by hand, one
 * component at a time, as the kernel would: every directory passed is judged
 * where it really is, and a link counts as an entry of its own directory. The
 * one idea: a directory that others may write is fit to pass through if it is
 * sticky, but nothing that lies in it is fit to be obeyed.
 */
#include "trust/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/platform.h"
#include "base/util.h"

#define MAX_LINKS 32  /* MAXSYMLINKS of macOS; Linux has 40 */
#define MAX_DEPTH 4   /* interpreters of interpreters: Linux stops there too */
#define MAX_WORDS 16  /* on a #! line */
#define HEAD_SIZE 256 /* Linux looks no further for the end of a #! line */

struct walk {
	const struct trust *t;
	bool admin;
	int error;     /* what the system said: ENOENT, for one */
	mode_t shared; /* mode of cur, if it is sticky and others may write it */
	mode_t type;   /* of the last component */
	int links;
	size_t len, root_len; /* of cur and root */
	char *why;
	char root[PATH_MAX]; /* real path of t->root */
	char cur[PATH_MAX];  /* real path so far, "" for / */
	char rest[PATH_MAX]; /* what is still to be walked */
};

static bool refuse(char *why, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The path at fault, and why; too long a path is cut where one sees it. */
static bool
refuse(char *why, const char *path, const char *fmt, ...)
{
	char reason[256];
	size_t len = strlen(path), room = TRUST_WHY_SIZE - sizeof(reason) - 8;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	snprintf(why, TRUST_WHY_SIZE, "%.*s%s: %s", (int)(len < room ? len : room), path,
	    len < room ? "" : "...", reason);
	return false;
}

static bool
refuse_errno(struct walk *w, const char *path, int error)
{
	w->error = error;
	return refuse(w->why, path, "%s", strerror(error));
}

static bool
is_missing(const struct walk *w)
{
	return w->error == ENOENT || w->error == ENOTDIR;
}

/* Is there a file of that name up to its first space? */
static bool
has_arguments(const char *asked)
{
	size_t n = strcspn(asked, " ");
	struct stat st;
	char path[PATH_MAX];

	if (asked[n] == '\0' || n >= sizeof(path))
		return false;
	memcpy(path, asked, n);
	path[n] = '\0';
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* Of a command's words: the one that is not there, and how far its way goes. */
static bool
refuse_missing(const struct walk *w, const char *asked)
{
	if (has_arguments(asked))
		return refuse(w->why, asked,
		    "not installed yet: the quotes make this one word, the name of a "
		    "program");
	if (w->error == ENOENT && strcmp(w->cur, asked) == 0)
		return refuse(w->why, asked, "not installed yet");
	if (w->error == ENOENT)
		return refuse(w->why, asked, "not installed yet: there is no %s", w->cur);
	return refuse(w->why, asked, "not installed yet: %s is not a directory", w->cur);
}

static bool
refuse_owner(struct walk *w, const char *path, uid_t uid)
{
	unsigned is = uid, may = w->t->owner;

	if (may == 0)
		return refuse(w->why, path, "owned by uid %u, not by root", is);
	return refuse(w->why, path, "owned by uid %u, not by root or uid %u", is, may);
}

static bool
refuse_mode(char *why, const char *path, mode_t mode)
{
	const char *who = "group and others";

	if ((mode & S_IWOTH) == 0)
		who = "group";
	else if ((mode & S_IWGRP) == 0)
		who = "others";
	return refuse(why, path, "writable by %s (mode %04o)", who, mode & 07777u);
}

static const char *
current(const struct walk *w)
{
	return w->len == 0 ? "/" : w->cur;
}

/* May what has this owner and mode be obeyed, or passed through? */
static bool
judge_stat(struct walk *w, const char *path, const struct stat *st)
{
	mode_t open_to = st->st_mode & (S_IWGRP | S_IWOTH);

	if (st->st_uid != 0 && st->st_uid != w->t->owner)
		return refuse_owner(w, path, st->st_uid);
	if (S_ISDIR(st->st_mode)) {
		if (open_to == S_IWGRP && w->admin && st->st_uid == 0 &&
		    st->st_gid == platform_admin_gid())
			open_to = 0;
		w->shared = 0;
		if (open_to != 0 && (st->st_mode & S_ISVTX) != 0) {
			w->shared = st->st_mode;
			open_to = 0;
		}
	}
	return open_to == 0 || refuse_mode(w->why, path, st->st_mode);
}

/* What root tries out below --root may lie on any volume of his. */
static bool
is_below_root(const struct walk *w, const char *path)
{
	return w->root_len != 0 &&
	       (path_is_below(path, w->root) || path_is_below(path, w->t->root));
}

/* The same, with what mode bits do not tell. */
static bool
judge_fd(struct walk *w, const char *path, const struct stat *st, int fd)
{
	return judge_stat(w, path, st) &&
	       !platform_trust_objection(
		   fd, path, w->t->owner, is_below_root(w, path), w->why, TRUST_WHY_SIZE);
}

/* And for what lstat has just found to be a file or directory. */
static bool
judge_found(struct walk *w, const char *path, const struct stat *st)
{
	int fd;
	bool ok;

	fd = open(path, O_EVTONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return refuse_errno(w, path, errno);
	ok = judge_fd(w, path, st, fd);
	close(fd);
	return ok;
}

static bool
judge_path(struct walk *w, const char *path)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		return refuse_errno(w, path, errno);
	return judge_found(w, path, &st);
}

/* Is the first len bytes' directory --root itself or above it? */
static bool
is_spared(const struct walk *w, size_t len)
{
	return w->root_len != 0 && len <= w->root_len &&
	       memcmp(w->cur, w->root, len) == 0 &&
	       (w->root[len] == '/' || w->root[len] == '\0');
}

/* The walk turned off the way to root: what was passed unjudged counts now. */
static bool
judge_passed(struct walk *w, size_t len)
{
	char path[PATH_MAX];
	size_t i;

	if (!judge_path(w, "/"))
		return false;
	for (i = 1; i <= len; i++) {
		if (i < len && w->cur[i] != '/')
			continue;
		memcpy(path, w->cur, i);
		path[i] = '\0';
		if (!judge_path(w, path))
			return false;
	}
	return true;
}

static bool
judge_current(struct walk *w)
{
	if (!is_spared(w, w->len))
		return judge_path(w, current(w));
	w->shared = 0;
	return true;
}

/* To the top: at the start, and at an absolute link. */
static bool
restart(struct walk *w)
{
	w->len = 0;
	w->cur[0] = '\0';
	w->type = S_IFDIR;
	return judge_current(w);
}

static void
leave(struct walk *w)
{
	while (w->len > 0 && w->cur[--w->len] != '/')
		continue;
	w->cur[w->len] = '\0';
}

/* An entry of a directory that others may write is theirs, sticky or not. */
static bool
judge_entry(struct walk *w, size_t dir_len)
{
	char dir[PATH_MAX] = "/";

	if (w->shared == 0)
		return true;
	memcpy(dir, w->cur, dir_len);
	return refuse_mode(w->why, dir, w->shared);
}

/* cur is a link: it becomes where it points to, in front of the rest. */
static bool
follow(struct walk *w)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t n;
	int len;

	if (++w->links > MAX_LINKS)
		return refuse(w->why, w->cur, "%s", strerror(ELOOP));
	n = readlink(w->cur, target, sizeof(target) - 1);
	if (n == -1)
		return refuse_errno(w, w->cur, errno);
	target[n] = '\0';
	len = snprintf(rest, sizeof(rest), "%s%s", target, w->rest);
	if (len < 0 || (size_t)len >= sizeof(rest))
		return refuse(w->why, w->cur, "%s", strerror(ENAMETOOLONG));
	memcpy(w->rest, rest, (size_t)len + 1);
	leave(w);
	return target[0] != '/' || restart(w);
}

/* cur has just got one component more, which begins after dir_len bytes. */
static bool
enter(struct walk *w, size_t dir_len)
{
	struct stat st;

	w->type = S_IFDIR;
	if (is_spared(w, w->len))
		return judge_current(w);
	if (is_spared(w, dir_len) && dir_len < w->root_len && !judge_passed(w, dir_len))
		return false;
	if (lstat(w->cur, &st) == -1)
		return refuse_errno(w, w->cur, errno);
	if (S_ISDIR(st.st_mode))
		return judge_found(w, w->cur, &st);
	w->type = st.st_mode & S_IFMT;
	if (!judge_entry(w, dir_len))
		return false;
	if (S_ISLNK(st.st_mode))
		return follow(w);
	/* "FILE/" is not a way to name a file. */
	return w->rest[0] == '\0' || refuse_errno(w, w->cur, ENOTDIR);
}

/* Takes the next component of rest. */
static bool
step(struct walk *w)
{
	size_t dir_len = w->len, n;
	const char *name = w->rest + strspn(w->rest, "/");

	n = strcspn(name, "/");
	if (n == 2 && memcmp(name, "..", 2) == 0) {
		memmove(w->rest, name + n, strlen(name + n) + 1);
		leave(w);
		return judge_current(w);
	}
	if (n != 0 && !(n == 1 && *name == '.')) {
		if (w->len + 1 + n >= sizeof(w->cur))
			return refuse(w->why, w->cur, "%s", strerror(ENAMETOOLONG));
		w->cur[w->len] = '/';
		memcpy(w->cur + w->len + 1, name, n);
		w->len += 1 + n;
		w->cur[w->len] = '\0';
	}
	memmove(w->rest, name + n, strlen(name + n) + 1);
	return w->len == dir_len || enter(w, dir_len);
}

/* The length of --root without slashes at its end. */
static size_t
root_text(const struct walk *w)
{
	size_t n = w->t->root != NULL ? strlen(w->t->root) : 0;

	while (n > 0 && w->t->root[n - 1] == '/')
		n--;
	return n;
}

static bool
find_root(struct walk *w)
{
	size_t n = root_text(w);

	if (n > 0 && realpath(w->t->root, w->root) == NULL)
		return refuse_errno(w, w->t->root, errno);
	w->root_len = n > 0 && strcmp(w->root, "/") != 0 ? strlen(w->root) : 0;
	return true;
}

/* Puts path into rest, and cur where it begins. */
static bool
begin(struct walk *w, const char *path)
{
	const char *root = w->t->root;
	char cwd[PATH_MAX] = "";
	size_t n = root_text(w);
	int len;

	if (!find_root(w))
		return false;
	if (w->root_len != 0 && strncmp(path, root, n) == 0 &&
	    (path[n] == '/' || path[n] == '\0')) {
		memcpy(w->cur, w->root, w->root_len + 1);
		w->len = w->root_len;
		path += n;
	} else if (path[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL) {
		return refuse_errno(w, path, errno);
	}
	len = snprintf(w->rest, sizeof(w->rest), "%s%s%s", cwd, *cwd ? "/" : "", path);
	if (len < 0 || (size_t)len >= sizeof(w->rest))
		return refuse(w->why, path, "%s", strerror(ENAMETOOLONG));
	w->type = S_IFDIR;
	return w->len != 0 || restart(w);
}

/*
 * Walks path and judges every directory on the way. Afterwards cur is the real
 * path and type what is there; if it is no directory it is still to be judged.
 */
static bool
walk(struct walk *w, const struct trust *t, const char *path, bool admin, char *why)
{
	/* Not zeroed as a whole: that is most of a walk's time. */
	w->t = t;
	w->admin = admin;
	w->error = 0;
	w->shared = 0;
	w->links = 0;
	w->len = 0;
	w->cur[0] = '\0';
	w->why = why;
	if (!begin(w, path))
		return false;
	while (w->rest[0] != '\0') {
		if (!step(w))
			return false;
	}
	return true;
}

const char *
trust_without_path(const char *why, const char *path)
{
	size_t n = strlen(path);

	return strncmp(why, path, n) == 0 && strncmp(why + n, ": ", 2) == 0 ? why + n + 2
									    : why;
}

bool
trust_directory(const struct trust *t, const char *path, char why[TRUST_WHY_SIZE])
{
	struct walk w;

	if (!walk(&w, t, path, false, why))
		return false;
	if (!S_ISDIR(w.type))
		return refuse(why, path, "not a directory");
	return judge_entry(&w, w.len);
}

/* The directory of path, as far as the text goes. */
static bool
judge_parent(const struct trust *t, const char *path, char *why)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX] = ".";
	size_t n = slash != NULL ? (size_t)(slash - path) + 1 : 0;

	if (n >= sizeof(dir))
		return refuse(why, path, "%s", strerror(ENAMETOOLONG));
	if (n > 0) {
		memcpy(dir, path, n);
		dir[n] = '\0';
	}
	return trust_directory(t, dir, why);
}

/* What a rule file must be, whoever owns it. */
static bool
check_regular(const char *path, const struct stat *st, char *why)
{
	if (S_ISLNK(st->st_mode))
		return refuse(why, path, "a symbolic link");
	if (!S_ISREG(st->st_mode))
		return refuse(why, path, "not a regular file");
	return true;
}

static bool
judge_rule_file(const struct trust *t, int fd, const char *path, char *why)
{
	struct walk w = { .t = t, .why = why };
	struct stat st;

	if (fstat(fd, &st) == -1)
		return refuse(why, path, "%s", strerror(errno));
	if (!check_regular(path, &st, why))
		return false;
	if (t == NULL)
		return true;
	return find_root(&w) && judge_fd(&w, path, &st, fd) && judge_parent(t, path, why);
}

int
trust_open_file(const struct trust *t, const char *path, char why[TRUST_WHY_SIZE])
{
	struct stat st;
	int fd;

	/* Opening a device can do something: look before. */
	if (lstat(path, &st) == -1) {
		refuse(why, path, "%s", strerror(errno));
		return -1;
	}
	if (!check_regular(path, &st, why))
		return -1;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1) {
		refuse(why, path, "%s", strerror(errno));
		return -1;
	}
	if (judge_rule_file(t, fd, path, why))
		return fd;
	close(fd);
	return -1;
}

/* One judgement of a command. */
struct verdict {
	const struct trust *t;
	bool admin, missing;
	char *why;
	struct strv *paths;
};

static bool judge_command(
    struct verdict *v, const char *path, char *const *args, char *resolved, int depth);

/* The verdict depends on what is at path, and on the way there. */
static void
depend(struct verdict *v, const char *path)
{
	if (v->paths != NULL && !strv_contains(v->paths, path))
		strv_push(v->paths, xstrdup(path));
}

/* Walks to one of a command's words. */
static bool
walk_to(struct verdict *v, struct walk *w, const char *path)
{
	depend(v, path);
	if (walk(w, v->t, path, v->admin, v->why))
		return true;
	v->missing = is_missing(w);
	return v->missing && refuse_missing(w, path);
}

/* Says for whom the program at fault is needed, where there is room. */
static void
add_reason(struct verdict *v, const char *what, const char *path)
{
	size_t len = strlen(v->why), n = strlen(path);

	if (len + strlen(what) + n + sizeof(" ( )") <= TRUST_WHY_SIZE)
		snprintf(
		    v->why + len, TRUST_WHY_SIZE - len, " (%s %.*s)", what, (int)n, path);
}

/*
 * An interpreter and the letters that say, in a bundle of options, that code
 * is on the command line and no script; a letter of takes ends the bundle.
 */
struct interpreter {
	const char *name, *code, *takes;
};

static const struct interpreter interpreters[] = {
	{ "sh", "c", "" },
	{ "bash", "c", "" },
	{ "zsh", "c", "" },
	{ "python", "cm", "WX" },
	{ "perl", "eE", "CDFIMVdimx" },
	{ "ruby", "e", "CEFIKTWrx" },
	{ "osascript", "e", "ls" },
	{ "env", "", "" },
};

static const struct interpreter *
find_interpreter(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash != NULL ? slash + 1 : path;
	size_t i, n;

	for (i = 0; i < sizeof(interpreters) / sizeof(interpreters[0]); i++) {
		n = strlen(interpreters[i].name);
		if (strncmp(base, interpreters[i].name, n) == 0 &&
		    base[n + strspn(base + n, "0123456789.-")] == '\0')
			return &interpreters[i];
	}
	return NULL;
}

/* Is arg an option after which no script is read from a file? */
static bool
brings_code(const struct interpreter *in, const char *arg)
{
	if (arg[0] != '-' || arg[1] == '-')
		return false;
	for (arg++; *arg != '\0' && strchr(in->takes, *arg) == NULL; arg++) {
		if (strchr(in->code, *arg) != NULL)
			return true;
	}
	return false;
}

/* A script that an interpreter gets to read need not be executable. */
static bool
judge_script(struct verdict *v, const char *path, bool *is_dir)
{
	struct walk w;
	bool ok;

	ok = walk_to(v, &w, path);
	*is_dir = ok && S_ISDIR(w.type);
	if (ok && !S_ISDIR(w.type))
		ok = S_ISREG(w.type) ? judge_path(&w, w.cur)
				     : refuse(v->why, path, "not a regular file");
	return ok;
}

/* A directory before the script, as in `perl -I DIR`, is judged as well. */
static bool
judge_first_absolute(struct verdict *v, const struct interpreter *in, char *const *args)
{
	bool is_dir;

	for (; *args != NULL; args++) {
		if (brings_code(in, *args))
			break;
		if (**args != '/')
			continue;
		if (!judge_script(v, *args, &is_dir))
			return false;
		if (!is_dir)
			break;
	}
	return true;
}

/*
 * Which of env's arguments is the program, and with which PATH (NULL: unknown)?
 * NULL if that cannot be told; a pointer to NULL if there is none.
 */
static char *const *
find_env_program(char *const *args, const char **path)
{
	for (; *args != NULL; args++) {
		if (strcmp(*args, "-") == 0 || strcmp(*args, "-i") == 0) {
			*path = NULL;
		} else if (strcmp(*args, "-u") == 0 && args[1] != NULL) {
			if (strcmp(*++args, "PATH") == 0)
				*path = NULL;
		} else if (strcmp(*args, "-S") == 0 && args[1] != NULL) {
			/* What follows would be split once more. */
			if (strpbrk(args[1], " \t\"'\\$#") != NULL)
				return NULL;
		} else if (strncmp(*args, "PATH=", 5) == 0) {
			*path = *args + 5;
		} else if (**args == '-') {
			return NULL;
		} else if (strchr(*args, '=') == NULL) {
			break;
		}
	}
	return args;
}

/* The first file that execvp(3) would run. Directories before it are judged. */
static bool
search_path(struct verdict *v, const char *path, const char *name, char *out)
{
	struct walk w;
	struct stat st;
	size_t n;
	int len;

	for (; *path != '\0'; path += n + (path[n] == ':')) {
		n = strcspn(path, ":");
		if (n == 0 || *path != '/')
			return refuse(
			    v->why, name, "env would look for it in a relative PATH");
		len = snprintf(out, PATH_MAX, "%.*s/%s", (int)n, path, name);
		if (len < 0 || len >= PATH_MAX)
			return refuse(v->why, name, "%s", strerror(ENAMETOOLONG));
		depend(v, out);
		if (stat(out, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111))
			return true;
		out[n] = '\0';
		if (!walk(&w, v->t, out, v->admin, v->why) && !is_missing(&w))
			return false;
		if (w.shared != 0)
			return refuse(
			    v->why, out, "in env's PATH, and others may write there");
	}
	v->missing = true;
	return refuse(
	    v->why, name, "not installed yet: env finds it nowhere in its PATH");
}

static bool
judge_env(struct verdict *v, const char *env, char *const *args, int depth)
{
	const char *path = v->t->path != NULL ? v->t->path : TRUST_CLEAN_PATH;
	char found[PATH_MAX];

	args = find_env_program(args, &path);
	if (args != NULL && *args == NULL)
		return true;
	if (args != NULL && **args == '/')
		return judge_command(v, *args, args + 1, NULL, depth);
	if (args == NULL || path == NULL || strchr(*args, '/') != NULL)
		return refuse(v->why, env, "what it would start cannot be told");
	return search_path(v, path, *args, found) &&
	       judge_command(v, found, args + 1, NULL, depth);
}

/* Splits a #! line in place. The number of words, or -1 if they are too many. */
static int
split_line(char *line, char *words[MAX_WORDS])
{
	int n = 0;

	for (line += strspn(line, " \t"); *line != '\0'; line += strspn(line, " \t")) {
		if (n == MAX_WORDS)
			return -1;
		words[n++] = line;
		line += strcspn(line, " \t");
		if (*line != '\0')
			*line++ = '\0';
	}
	return n;
}

/*
 * The interpreter of script, whose first bytes are head. The kernel starts it
 * with the words of the line and the script's path, and nothing that matters
 * here comes after that. (Linux makes all words after the first one argument,
 * macOS does not; taken apart they cover both.)
 */
static bool
judge_interpreter(struct verdict *v, char *script, char *head, size_t len, int depth)
{
	char *words[MAX_WORDS + 2], *end = memchr(head, '\n', len);
	int n;

	if (end == NULL && len == HEAD_SIZE)
		return refuse(v->why, script, "its #! line is too long");
	if (end != NULL && end[-1] == '\r')
		return refuse(v->why, script,
		    "its #! line ends in a carriage return, which would be part of the "
		    "interpreter's name: save it with Unix line ends");
	*(end != NULL ? end : head + len) = '\0';
	n = split_line(head + 2, words);
	if (n == -1)
		return refuse(v->why, script, "its #! line is too long");
	if (n == 0 || words[0][0] != '/')
		return refuse(v->why, script, "its #! line names no absolute path");
	words[n] = script;
	words[n + 1] = NULL;
	if (judge_command(v, words[0], words + 1, NULL, depth + 1))
		return true;
	add_reason(v, "for the #! line of", script);
	return false;
}

/* Walks to a program and opens it to read how it begins; the length, or -1. */
static ssize_t
open_program(
    struct verdict *v, struct walk *w, const char *path, char head[HEAD_SIZE + 1])
{
	struct stat st;
	ssize_t n = -1;
	int fd;

	if (!walk_to(v, w, path))
		return -1;
	if (!S_ISREG(w->type)) {
		refuse(v->why, current(w),
		    S_ISDIR(w->type) ? "a directory, not a program"
				     : "not a regular file");
		return -1;
	}
	fd = open(w->cur, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1) {
		refuse_errno(w, w->cur, errno);
		return -1;
	}
	if (fstat(fd, &st) == -1)
		refuse_errno(w, w->cur, errno);
	else if (!judge_fd(w, w->cur, &st, fd))
		n = -1;
	else if ((st.st_mode & 0111) == 0)
		refuse(v->why, w->cur, "not executable (mode %04o)", st.st_mode & 07777u);
	else if ((n = pread(fd, head, HEAD_SIZE, 0)) == -1)
		refuse_errno(w, w->cur, errno);
	close(fd);
	return n;
}

/* A program, its interpreters, and what it is given to interpret. */
static bool
judge_command(
    struct verdict *v, const char *path, char *const *args, char *resolved, int depth)
{
	const struct interpreter *in;
	struct walk w;
	char head[HEAD_SIZE + 1];
	ssize_t n;

	if (depth > MAX_DEPTH)
		return refuse(v->why, path, "too many interpreters of interpreters");
	n = open_program(v, &w, path, head);
	if (n == -1)
		return false;
	if (resolved != NULL)
		memcpy(resolved, w.cur, w.len + 1);
	if (n >= 2 && head[0] == '#' && head[1] == '!') {
		if (!judge_interpreter(v, w.cur, head, (size_t)n, depth))
			return false;
	} else if (!platform_is_program(head, (size_t)n)) {
		return refuse(v->why, w.cur, "%s",
		    n == 0 ? "an empty file"
			   : "neither a program for this machine nor a script with a #! "
			     "line");
	}
	in = find_interpreter(path);
	if (in == NULL)
		in = find_interpreter(w.cur);
	if (in == NULL)
		return true;
	if (strcmp(in->name, "env") == 0)
		return judge_env(v, w.cur, args, depth + 1);
	return judge_first_absolute(v, in, args);
}

bool
trust_command(
    const struct trust *t, char *const argv[], bool admin, struct trust_verdict *out)
{
	struct verdict v = {
		.t = t,
		.admin = admin,
		.why = out->why,
		.paths = out->paths,
	};
	struct stat st;
	bool ok;

	out->missing = false;
	if (argv[0][0] != '/')
		return refuse(out->why, argv[0], "not an absolute path");
	ok = judge_command(&v, argv[0], argv + 1, out->resolved, 0);
	if (!ok && !v.missing && stat(argv[0], &st) == -1 &&
	    (errno == ENOENT || errno == ENOTDIR)) {
		refuse(out->why, argv[0], "not installed yet");
		v.missing = true;
	}
	out->missing = v.missing;
	return ok;
}
