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
#include "base/places.h"
#include "base/util.h"
#include "base/fd.h"
#include "trust/judged.h"

#define MAX_LINKS 32 /* MAXSYMLINKS of macOS; Linux has 40 */

/* A volume that has been looked at since the walk began. */
struct volume {
	bool known;
	bool below_root; /* judged as what root tries out below --root */
	dev_t dev;
};

struct walk {
	const struct trust *t;
	bool admin;
	int error;        /* what the system said: ENOENT, for one */
	mode_t shared;    /* mode of cur, if it is sticky and others may write it */
	mode_t type;      /* of the last component */
	struct stat last; /* the same, where type is no directory */
	struct volume volume;
	int links;
	size_t len, root_len; /* of cur and root */
	char *why;
	char root[PATH_MAX]; /* real path of t->root */
	char cur[PATH_MAX];  /* real path so far, "" for / */
	char rest[PATH_MAX]; /* what is still to be walked */
};

bool
trust_refuse(char why[TRUST_WHY_SIZE], const char *path, const char *fmt, ...)
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
	return trust_refuse(w->why, path, "%s", strerror(error));
}

static bool
refuse_owner(struct walk *w, const char *path, uid_t uid)
{
	unsigned is = uid, may = w->t->owner;

	if (may == 0)
		return trust_refuse(w->why, path, "owned by uid %u, not by root", is);
	return trust_refuse(
	    w->why, path, "owned by uid %u, not by root or uid %u", is, may);
}

static bool
refuse_mode(char *why, const char *path, mode_t mode)
{
	const char *who = "group and others";

	if ((mode & S_IWOTH) == 0)
		who = "group";
	else if ((mode & S_IWGRP) == 0)
		who = "others";
	return trust_refuse(why, path, "writable by %s (mode %04o)", who, mode & 07777u);
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

/* The same, with what mode bits do not say. */
static bool
judge_fd(struct walk *w, const char *path, const struct stat *st, int fd)
{
	return judge_stat(w, path, st) &&
	       !platform_trust_objection(
		   fd, path, w->t->owner, is_below_root(w, path), w->why, TRUST_WHY_SIZE);
}

/*
 * What need not be asked again of a directory. Owner and mode are always judged, as
 * they are now. The rest takes an open, the volume, an ACL and a close: of a
 * directory that was good, and is as it was in all that is in judged.h, the ACL is,
 * too, since the kernel moves the ctime whenever it is changed.
 *
 * Not so the volume. Whether owners count there, and who brought it, can change with
 * nothing in the directory; and who brings another volume chooses all of its numbers
 * himself, the ctimes too, while that of its device is used again as soon as it is
 * free. So each walk asks for the first directory of each volume, and only what
 * follows on the same device is spared.
 *
 * Nothing is remembered of programs and scripts. They are executed and read, so what
 * counts is the file that is open now; their content changes without a word in the
 * ctime where the volume keeps no fraction of a second; and it is one file a spawn.
 * No refusal is remembered: what has been repaired must run at once.
 */
static bool
is_spared_asking(struct walk *w, const char *path, const struct stat *st)
{
	bool below = is_below_root(w, path);

	if (w->t->judged == NULL || !S_ISDIR(st->st_mode))
		return false;
	if (w->volume.known && w->volume.dev == st->st_dev &&
	    w->volume.below_root == below)
		return judged_has(w->t->judged, st);
	w->volume = (struct volume){ true, below, st->st_dev };
	return false;
}

/* And for what lstat has just found to be a file or directory. */
static bool
judge_found(struct walk *w, const char *path, const struct stat *st)
{
	int fd;
	bool ok;

	if (is_spared_asking(w, path, st))
		return judge_stat(w, path, st);
	fd = open(path, O_EVTONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return refuse_errno(w, path, errno);
	ok = judge_fd(w, path, st, fd);
	close(fd);
	if (ok && w->t->judged != NULL && S_ISDIR(st->st_mode))
		judged_add(w->t->judged, st);
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
		return trust_refuse(w->why, w->cur, "%s", strerror(ELOOP));
	n = readlink(w->cur, target, sizeof(target) - 1);
	if (n == -1)
		return refuse_errno(w, w->cur, errno);
	target[n] = '\0';
	len = snprintf(rest, sizeof(rest), "%s%s", target, w->rest);
	if (len < 0 || (size_t)len >= sizeof(rest))
		return trust_refuse(w->why, w->cur, "%s", strerror(ENAMETOOLONG));
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
	w->type = 0;
	if (w->t->remote != NULL && !is_below_root(w, w->cur) &&
	    places_find_above(w->t->remote, w->cur) != NULL) {
		w->error = EREMOTE;
		return trust_refuse(w->why, w->cur, "on a network volume");
	}
	if (lstat(w->cur, &st) == -1)
		return refuse_errno(w, w->cur, errno);
	if (S_ISDIR(st.st_mode)) {
		w->type = S_IFDIR;
		return judge_found(w, w->cur, &st);
	}
	w->type = st.st_mode & S_IFMT;
	w->last = st;
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
			return trust_refuse(w->why, w->cur, "%s", strerror(ENAMETOOLONG));
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

	if (n > 0 && w->t->root_is_real) {
		memcpy(w->root, w->t->root, n);
		w->root[n] = '\0';
	} else if (n > 0 && realpath(w->t->root, w->root) == NULL) {
		return refuse_errno(w, w->t->root, errno);
	}
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
		return trust_refuse(w->why, path, "%s", strerror(ENAMETOOLONG));
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
	w->volume.known = false;
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

enum trust_fault
trust_fault_of(const char *why)
{
	static const struct {
		const char *begin;
		enum trust_fault fault;
	} faults[] = {
		{ ": owned by ", FAULT_OWNER },
		{ ": writable by ", FAULT_OWNER },
		{ ": an ACL ", FAULT_ACL },
		{ ": a symbolic link", FAULT_LINK },
		{ ".ini: not a regular file", FAULT_TYPE },
		{ ": not executable", FAULT_MODE },
		{ ": its #! line ends in a carriage return", FAULT_LINE_END },
		{ ": neither a program for this machine nor a script", FAULT_FORMAT },
		{ ": not installed yet: the quotes ", FAULT_QUOTES },
		{ ": not installed yet", FAULT_MISSING },
	};
	size_t i;

	for (i = 0; i < NELEM(faults); i++)
		if (strstr(why, faults[i].begin) != NULL)
			return faults[i].fault;
	return FAULT_OTHER;
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
	bool ok = walk(&w, t, path, false, why);

	errno = w.error;
	if (!ok)
		return false;
	if (!S_ISDIR(w.type))
		return trust_refuse(why, path, "not a directory");
	return judge_entry(&w, w.len);
}

/* A device does what its driver does, whoever may write to it. */
static bool
judge_special(struct walk *w)
{
	struct stat st = w->last;

	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		st.st_mode &= ~(mode_t)(S_IWGRP | S_IWOTH);
	return judge_stat(w, w->cur, &st);
}

bool
trust_passes(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN ||
	       error == EINTR || error == EIO;
}

static bool
is_absent(int error)
{
	return error == ENOENT || error == ENOTDIR;
}

static size_t
parent_length(const struct walk *w)
{
	const char *slash = strrchr(w->cur, '/');

	return slash != NULL ? (size_t)(slash - w->cur) : 0;
}

/* A file that is to be read is judged by what was opened; *fd is -1 until then. */
static bool
judge_opened(struct walk *w, int *fd)
{
	if (!judge_stat(w, w->cur, &w->last))
		return false;
	*fd = open(w->cur, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*fd == -1 || fstat(*fd, &w->last) == -1)
		return refuse_errno(w, w->cur, errno);
	if (S_ISREG(w->last.st_mode))
		return judge_fd(w, w->cur, &w->last, *fd);
	return trust_refuse(w->why, w->cur, "not a regular file");
}

/* What the walk has led to, be it there or not; with fd a regular file is opened. */
static bool
judge_end(struct walk *w, int *fd)
{
	if (w->error != 0)
		return judge_entry(w, parent_length(w));
	if (S_ISDIR(w->type))
		return judge_entry(w, w->len);
	if (!S_ISREG(w->type))
		return judge_special(w);
	return fd != NULL ? judge_opened(w, fd) : judge_found(w, w->cur, &w->last);
}

static bool
judge_place(const struct trust *t, const char *path, bool admin, struct trust_place *p,
    char why[TRUST_WHY_SIZE], int *fd)
{
	struct walk w;
	bool ok = walk(&w, t, path, admin, why);

	if (ok || is_absent(w.error))
		ok = judge_end(&w, fd);
	if (!ok && fd != NULL)
		fd_close(fd);
	p->mode = fd != NULL && *fd != -1 ? w.last.st_mode : 0;
	p->error = is_absent(w.error) ? w.error : 0;
	p->passing = trust_passes(w.error);
	p->remote = w.error == EREMOTE;
	p->type = w.error == 0 ? w.type : 0;
	memcpy(p->real, current(&w), strlen(current(&w)) + 1);
	return ok;
}

bool
trust_place(const struct trust *t, const char *path, bool admin, struct trust_place *p,
    char why[TRUST_WHY_SIZE])
{
	return judge_place(t, path, admin, p, why, NULL);
}

bool
trust_open(const struct trust *t, const char *path, bool admin, struct trust_place *p,
    int *fd, char why[TRUST_WHY_SIZE])
{
	*fd = -1;
	return judge_place(t, path, admin, p, why, fd);
}

/* The directory of path, as far as the text goes. */
static bool
judge_parent(const struct trust *t, const char *path, char *why)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX] = ".";
	size_t n = slash != NULL ? (size_t)(slash - path) + 1 : 0;

	if (n >= sizeof(dir))
		return trust_refuse(why, path, "%s", strerror(ENAMETOOLONG));
	if (n > 0) {
		memcpy(dir, path, n);
		dir[n] = '\0';
	}
	return trust_directory(t, dir, why);
}

bool
trust_descriptor(const struct trust *t, int fd, const char *path, const struct stat *st,
    char why[TRUST_WHY_SIZE])
{
	struct walk w = { .t = t, .why = why };

	if (!find_root(&w))
		return false;
	return judge_fd(&w, path, st, fd);
}

/* What a rule file must be, whoever owns it. */
static bool
check_regular(const char *path, const struct stat *st, char *why)
{
	if (S_ISLNK(st->st_mode))
		return trust_refuse(why, path, "a symbolic link");
	if (!S_ISREG(st->st_mode))
		return trust_refuse(why, path, "not a regular file");
	return true;
}

static bool
judge_rule_file(const struct trust *t, int fd, const char *path, char *why)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return trust_refuse(why, path, "%s", strerror(errno));
	errno = 0;
	if (!check_regular(path, &st, why))
		return false;
	return t == NULL ||
	       (trust_descriptor(t, fd, path, &st, why) && judge_parent(t, path, why));
}

int
trust_open_file(const struct trust *t, const char *path, char why[TRUST_WHY_SIZE])
{
	struct stat st;
	int fd;

	/* Opening a device can do something: look before. */
	if (lstat(path, &st) == -1) {
		trust_refuse(why, path, "%s", strerror(errno));
		return -1;
	}
	errno = 0;
	if (!check_regular(path, &st, why))
		return -1;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1) {
		trust_refuse(why, path, "%s", strerror(errno));
		return -1;
	}
	if (!judge_rule_file(t, fd, path, why))
		fd_close(&fd);
	return fd;
}
