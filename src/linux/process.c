/* SPDX-License-Identifier: MIT */
/*
 * Processes on Linux. By the ids of boot and process the daemon finds out whether a
 * process that an earlier daemon started is still there.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/platform.h"

const char *const *const platform_keep_awake = NULL;

/* The start of a small file, as a string. */
static bool
read_text(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return false;
	n = read(fd, out, size - 1);
	close(fd);
	if (n <= 0)
		return false;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return true;
}

bool
platform_boot_id(char out[PLATFORM_ID_SIZE])
{
	return read_text("/proc/sys/kernel/random/boot_id", out, PLATFORM_ID_SIZE);
}

bool
platform_process_id(pid_t pid, char out[PLATFORM_ID_SIZE])
{
	char path[64], stat[1024], state, *rest;
	unsigned long long start;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	/* The name stands in parentheses and may hold anything; 22 is the start. */
	if (!read_text(path, stat, sizeof(stat)) || (rest = strrchr(stat, ')')) == NULL ||
	    sscanf(rest + 1,
		" %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
		"%*d %llu",
		&state, &start) != 2)
		return false;
	if (state == 'Z' || state == 'X')
		return false;
	snprintf(out, PLATFORM_ID_SIZE, "%llu", start);
	return true;
}
