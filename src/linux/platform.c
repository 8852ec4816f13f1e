/* SPDX-License-Identifier: MIT */
/*
 * platform.h for Linux, which is for developing and testing: the mount table
 * is read from /proc, nothing here touches a mount. The mount table belongs to
 * the process, and so do the statics that remember what was read of it.
 */
#include "base/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "mountinfo.h"

log_sink_fn *const platform_log_sink = NULL;
const bool platform_has_tcc = false;
const bool platform_has_console = false;

/*
 * Filesystems where another machine, or a program of its own, must answer before
 * a stat returns. fuse and everything fuse.* hangs as long as its program does,
 * wherever the data are (sshfs, davfs2, rclone); fuseblk is a local disk.
 */
static const char *const remote_types[] = { "9p", "acfs", "afs", "autofs", "beegfs",
	"ceph", "cifs", "coda", "davfs", "fuse", "glusterfs", "gpfs", "lustre", "ncp",
	"ncpfs", "nfs", "nfs4", "orangefs", "pvfs2", "smb3", "smbfs" };

static int mountinfo = -1;
static bool mounts_stale = true; /* changed since platform_remote_mounts */

static int
open_mountinfo(void)
{
	if (mountinfo == -1)
		mountinfo = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	return mountinfo;
}

/*
 * The kernel reports a change only to the first poll after it, so it is remembered.
 */
bool
platform_mounts_changed(void)
{
	struct pollfd p = { .fd = open_mountinfo(), .events = POLLPRI };

	if (p.fd == -1 || poll(&p, 1, 0) == -1 || (p.revents & (POLLPRI | POLLERR)) != 0)
		mounts_stale = true;
	return mounts_stale;
}

static bool
is_remote(const char *type)
{
	size_t i;

	if (strncmp(type, "fuse.", 5) == 0)
		return true;
	for (i = 0; i < sizeof(remote_types) / sizeof(remote_types[0]); i++) {
		if (strcmp(type, remote_types[i]) == 0)
			return true;
	}
	return false;
}

static void
forget(struct strv *l, const char *point)
{
	size_t i, kept = 0;

	for (i = 0; i < l->n; i++) {
		if (strcmp(l->v[i], point) == 0)
			free(l->v[i]);
		else
			l->v[kept++] = l->v[i];
	}
	l->n = kept;
	if (l->v != NULL)
		l->v[kept] = NULL;
}

/*
 * What is mounted later on the same point hides what was there. The root is left
 * out: a machine that runs from a network disk cannot avoid it.
 */
static void
take_line(struct strv *out, char *line)
{
	struct mountinfo m;

	if (!mountinfo_parse(line, &m))
		return;
	forget(out, m.point);
	if (is_remote(m.type) && strcmp(m.point, "/") != 0)
		strv_push(out, xstrdup(m.point));
}

int
platform_remote_mounts(struct strv *out)
{
	char *text = NULL, *line, *save = NULL;
	int fd;

	strv_clear(out);
	/* Before reading, so that a change while it is read counts as one. */
	platform_mounts_changed();
	fd = open_mountinfo();
	if (fd != -1)
		text = mountinfo_read(fd);
	mounts_stale = text == NULL;
	if (text == NULL)
		return -1;
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		take_line(out, line);
	free(text);
	return 0;
}

/* Filesystems whose owners and modes the mount or a program makes up. */
static const struct {
	long magic;
	const char *name;
} ownerless[] = {
	{ 0x4d44, "vfat" },
	{ 0x2011bab0, "exfat" },
	{ 0x4244, "hfs" },
	{ 0x65735546, "fuse" },
};

/*
 * A POSIX ACL need not be read: its mask stands in the mode's group bits, so a file
 * that it lets others write is one "writable by group".
 */
bool
platform_trust_objection(
    int fd, const char *path, uid_t owner, bool sandbox, char *why, size_t size)
{
	struct statfs fs;
	size_t i;

	(void)owner;
	(void)sandbox;
	if (fstatfs(fd, &fs) == -1) {
		snprintf(why, size, "%s: %s", path, strerror(errno));
		return true;
	}
	for (i = 0; i < sizeof(ownerless) / sizeof(ownerless[0]); i++) {
		if ((long)fs.f_type == ownerless[i].magic) {
			snprintf(why, size,
			    "%s: on a filesystem that knows no owners (%s)", path,
			    ownerless[i].name);
			return true;
		}
	}
	return false;
}

bool
platform_is_program(const char *head, size_t len)
{
	return len >= 4 && memcmp(head, "\177ELF", 4) == 0;
}

/* No group of Linux has one number everywhere, so only root's own is trusted. */
unsigned
platform_admin_gid(void)
{
	return 0;
}

uint64_t
platform_descriptors_max(void)
{
	return UINT64_MAX;
}

bool
platform_self_path(char *out, size_t size)
{
	static const char gone[] = " (deleted)";
	ssize_t n = readlink("/proc/self/exe", out, size);
	size_t len;

	if (n <= 0 || (size_t)n >= size)
		return false;
	out[n] = '\0';
	/* After an upgrade the new program has the path of ours. */
	len = (size_t)n;
	if (len >= sizeof(gone) && strcmp(out + len - (sizeof(gone) - 1), gone) == 0)
		out[len - (sizeof(gone) - 1)] = '\0';
	return true;
}
