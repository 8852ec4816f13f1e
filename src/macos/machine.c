/* SPDX-License-Identifier: MIT */
/*
 * machine.h for macOS, whose kernel has kqueue and changes with every version.
 */
#include "base/machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/param.h>
#include <sys/resource.h>
#include <sys/sysctl.h>
#include <time.h>

#if __has_include(<sys/clonefile.h>)
#include <sys/clonefile.h>
#else
extern int clonefile(const char *from, const char *to, unsigned flags);
#endif

const bool machine_has_kqueue = true;

static void
read_sysctl(const char *name, char *out, size_t size)
{
	if (sysctlbyname(name, out, &size, NULL, 0) != 0)
		strlcpy(out, "unknown", size);
}

void
machine_system(char out[MACHINE_TEXT_SIZE])
{
	char version[40], build[40];

	read_sysctl("kern.osproductversion", version, sizeof(version));
	read_sysctl("kern.osversion", build, sizeof(build));
	snprintf(out, MACHINE_TEXT_SIZE, "macOS %s (%s)", version, build);
}

void
machine_arch(char out[MACHINE_TEXT_SIZE])
{
	read_sysctl("hw.machine", out, MACHINE_TEXT_SIZE);
}

void
machine_volume(const char *path, char out[MACHINE_TEXT_SIZE])
{
	struct statfs fs;

	strlcpy(out, "unknown", MACHINE_TEXT_SIZE);
	if (statfs(path, &fs) == 0)
		strlcpy(out, fs.f_fstypename, MACHINE_TEXT_SIZE);
}

int64_t
machine_uptime(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_UPTIME_RAW, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int
machine_downloads(void)
{
	return getiopolicy_np(IOPOL_TYPE_VFS_MATERIALIZE_DATALESS_FILES,
		   IOPOL_SCOPE_PROCESS) == IOPOL_MATERIALIZE_DATALESS_FILES_ON;
}

int
machine_swap(const char *a, const char *b)
{
	return renamex_np(a, b, RENAME_SWAP);
}

int
machine_clone(const char *from, const char *to)
{
	return clonefile(from, to, 0);
}
