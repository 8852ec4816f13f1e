/* SPDX-License-Identifier: MIT */
/*
 * May what is in the state directory be used? It judges owners, modes and links, not
 * content.
 */
#include "state/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/platform.h"
#include "base/util.h"

#define OTHERS_WRITE (S_IWGRP | S_IWOTH)
#define MAX_ASIDE 1000

static bool judge_above(const struct trust *t, const char *dir, char *why);

/* In a sticky directory only its owner and we can replace our directory. */
static bool
is_sticky(const struct trust *t, const char *dir, char *why)
{
	char real[PATH_MAX];
	struct stat st;

	return realpath(dir, real) != NULL && lstat(real, &st) == 0 &&
	       (st.st_mode & S_ISVTX) != 0 && (st.st_uid == 0 || st.st_uid == t->owner) &&
	       judge_above(t, real, why);
}

/* Judges what is above dir, as far as it exists. */
static bool
judge_above(const struct trust *t, const char *dir, char *why)
{
	char *parent = path_parent(dir), ignored[TRUST_WHY_SIZE];
	bool top = strcmp(parent, "/") == 0, ok;
	struct stat st;

	if (!top && lstat(parent, &st) == -1 && errno == ENOENT)
		ok = judge_above(t, parent, why);
	else
		ok = trust_directory(t, parent, why) ||
		     (!top && is_sticky(t, parent, ignored));
	if (ok)
		why[0] = '\0';
	free(parent);
	return ok;
}

/* What is wrong with a directory that was opened. */
static enum place
judge_opened(const struct trust *t, const char *dir, int fd, char why[TRUST_WHY_SIZE])
{
	struct stat st;
	char user[32];
	unsigned mode;
	bool sandbox;

	if (fstat(fd, &st) == -1) {
		snprintf(why, TRUST_WHY_SIZE, "%s: %s", dir, strerror(errno));
		return PLACE_BAD;
	}
	mode = st.st_mode & 07777u;
	if (st.st_uid != 0 && st.st_uid != t->owner) {
		snprintf(user, sizeof(user), "uid %u", (unsigned)t->owner);
		snprintf(why, TRUST_WHY_SIZE, "%s: owned by uid %u, not by %s", dir,
		    (unsigned)st.st_uid, t->owner == 0 ? "root" : user);
		return PLACE_BAD;
	}
	sandbox = t->root != NULL && t->root[0] != '\0' && path_is_below(dir, t->root);
	if (platform_trust_objection(fd, dir, t->owner, sandbox, why, TRUST_WHY_SIZE))
		return PLACE_BAD;
	if ((mode & OTHERS_WRITE) != 0) {
		snprintf(why, TRUST_WHY_SIZE, "%s: writable by %s (mode %04o)", dir,
		    (mode & OTHERS_WRITE) == OTHERS_WRITE ? "group and others"
		    : (mode & S_IWOTH) != 0               ? "others"
							  : "group",
		    mode);
		return PLACE_OPEN;
	}
	return (mode & 0777) == 0700 ? PLACE_GOOD : PLACE_LOOSE;
}

static int
open_directory(const char *dir, char why[TRUST_WHY_SIZE])
{
	struct stat st;
	int fd = open(dir, O_EVTONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd != -1 || errno == ENOENT)
		return fd;
	if (lstat(dir, &st) == 0 && !S_ISDIR(st.st_mode))
		snprintf(why, TRUST_WHY_SIZE, "%s: %snot a directory", dir,
		    S_ISLNK(st.st_mode) ? "a symbolic link, " : "");
	else
		snprintf(why, TRUST_WHY_SIZE, "%s: %s", dir, strerror(errno));
	errno = EPERM;
	return -1;
}

enum place
place_judge(const struct trust *t, const char *dir, char why[TRUST_WHY_SIZE])
{
	enum place found;
	int fd;

	if (!judge_above(t, dir, why))
		return PLACE_BAD;
	fd = open_directory(dir, why);
	if (fd == -1)
		return errno == ENOENT ? PLACE_ABSENT : PLACE_BAD;
	found = judge_opened(t, dir, fd, why);
	close(fd);
	return found;
}

/* Makes path, and what is missing above it, with mode 0755. */
static int
make_directory(const char *path, mode_t mode)
{
	char *parent;
	int status;

	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT || strrchr(path, '/') == path)
		return -1;
	parent = path_parent(path);
	status = make_directory(parent, 0755);
	free(parent);
	return status == 0 ? mkdir(path, mode) : -1;
}

enum place
place_take(const struct trust *t, const char *dir, char why[TRUST_WHY_SIZE])
{
	enum place found = place_judge(t, dir, why);
	int status = 0;

	if (found == PLACE_ABSENT) {
		status = make_directory(dir, 0700);
		/* In a sticky directory somebody may have been faster. */
		if (status == 0 && place_judge(t, dir, why) != PLACE_GOOD)
			return PLACE_BAD;
	} else if (found == PLACE_LOOSE || found == PLACE_OPEN) {
		status = chmod(dir, 0700);
	}
	if (status == 0)
		return found;
	snprintf(why, TRUST_WHY_SIZE, "%s: %s", dir, strerror(errno));
	return PLACE_BAD;
}

int
place_open(const struct trust *t, const char *path, int flags, mode_t mode)
{
	struct stat st;
	int fd;

	/* To open a device can have effects: look before. */
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		errno = EPERM;
		return -1;
	}
	fd = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == t->owner &&
	    st.st_nlink == 1 && (st.st_mode & OTHERS_WRITE) == 0)
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

void
place_set_aside(const char *path)
{
	char *aside = xasprintf("%s.bad", path);
	struct stat st;
	int i;

	/* A directory that is not empty cannot be replaced. */
	for (i = 1; rename(path, aside) == -1 && errno != ENOENT && i < MAX_ASIDE; i++) {
		free(aside);
		aside = xasprintf("%s.bad.%d", path, i);
	}
	/* rename(2) leaves two names of one file as they are. */
	if (lstat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		unlink(path);
	free(aside);
}
