/* SPDX-License-Identifier: MIT */
/*
 * action RECORD: appends CLOCK_MONOTONIC, in nanoseconds, as early as it can.
 */
#include <fcntl.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct timespec ts;
	int64_t now;
	int fd;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	if (argc != 2 || (fd = open(argv[1], O_WRONLY | O_APPEND | O_CREAT, 0600)) == -1)
		return 1;
	return write(fd, &now, sizeof(now)) == (ssize_t)sizeof(now) ? 0 : 1;
}
