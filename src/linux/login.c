/*
 * SPDX-License-Identifier: MIT
 *
 * setlogin(2): on a BSD a session has a name, which root may set and which its
 * processes inherit. Linux's sessions have none, so it refuses what macOS refuses,
 * and else does nothing.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define NAME_SIZE 255 /* macOS's MAXLOGNAME, with the NUL */

int
setlogin(const char *name)
{
	if (geteuid() == 0 && strlen(name) < NAME_SIZE)
		return 0;
	errno = geteuid() != 0 ? EPERM : EINVAL;
	return -1;
}
