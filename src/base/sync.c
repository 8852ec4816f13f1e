/* SPDX-License-Identifier: MIT */
/*
 * The disk, and no more: a file of its own, so that tests can have a disk that
 * hangs, fails or is fast, on every system.
 */
#include "base/sync.h"

#include <fcntl.h>
#include <unistd.h>

int
fd_sync(int fd)
{
#ifdef F_FULLFSYNC
	/* Darwin's fsync leaves the data in the drive's cache (fsync(2)). */
	if (fcntl(fd, F_FULLFSYNC) == 0)
		return 0;
#endif
	return fsync(fd);
}
