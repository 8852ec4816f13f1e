/* SPDX-License-Identifier: MIT */
/*
 * Processes on macOS. By the ids of boot and process the daemon finds out whether a
 * process that an earlier daemon started is still there.
 */
#include <libproc.h>
#include <stdio.h>
#include <sys/proc.h>
#include <sys/sysctl.h>

#include "base/platform.h"

static const char *const caffeinate[] = { "/usr/bin/caffeinate", "-i", NULL };
const char *const *const platform_keep_awake = caffeinate;

bool
platform_boot_id(char out[PLATFORM_ID_SIZE])
{
	size_t size = PLATFORM_ID_SIZE;

	return sysctlbyname("kern.bootsessionuuid", out, &size, NULL, 0) == 0;
}

bool
platform_process_id(pid_t pid, char out[PLATFORM_ID_SIZE])
{
	struct proc_bsdinfo info;

	if (proc_pidinfo(pid, PROC_PIDTBSDINFO, 0, &info, sizeof(info)) !=
		(int)sizeof(info) ||
	    info.pbi_status == SZOMB)
		return false;
	snprintf(out, PLATFORM_ID_SIZE, "%llu.%06llu",
	    (unsigned long long)info.pbi_start_tvsec,
	    (unsigned long long)info.pbi_start_tvusec);
	return true;
}
