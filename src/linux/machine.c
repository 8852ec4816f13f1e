/* SPDX-License-Identifier: MIT */
/*
 * machine.h for Linux, whose kqueue is the shim of this folder.
 */
#include "base/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>

const bool machine_has_kqueue = false;

static const struct {
	unsigned long magic;
	const char *name;
} filesystems[] = { { 0xef53, "ext4" }, { 0x01021994, "tmpfs" },
	{ 0x794c7630, "overlay" }, { 0x9123683e, "btrfs" }, { 0x58465342, "xfs" },
	{ 0x4d44, "vfat" } };

void
machine_system(char out[MACHINE_TEXT_SIZE])
{
	struct utsname u;

	out[0] = '\0';
	if (uname(&u) == 0)
		snprintf(out, MACHINE_TEXT_SIZE, "%.30s %.60s", u.sysname, u.release);
}

void
machine_arch(char out[MACHINE_TEXT_SIZE])
{
	struct utsname u;

	out[0] = '\0';
	if (uname(&u) == 0)
		strlcpy(out, u.machine, MACHINE_TEXT_SIZE);
}

void
machine_volume(const char *path, char out[MACHINE_TEXT_SIZE])
{
	struct statfs fs;
	size_t i;

	strlcpy(out, "unknown", MACHINE_TEXT_SIZE);
	if (statfs(path, &fs) != 0)
		return;
	for (i = 0; i < sizeof(filesystems) / sizeof(filesystems[0]); i++)
		if ((unsigned long)fs.f_type == filesystems[i].magic)
			strlcpy(out, filesystems[i].name, MACHINE_TEXT_SIZE);
}

int64_t
machine_uptime(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int
machine_downloads(void)
{
	return -1;
}

int
machine_notifies(void)
{
	return -1;
}

int
machine_swap(const char *a, const char *b)
{
	return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

int
machine_clone(const char *from, const char *to)
{
	(void)from;
	(void)to;
	errno = ENOTSUP;
	return -1;
}
