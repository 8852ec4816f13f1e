/*
 * SPDX-License-Identifier: MIT
 *
 * setlogin(2), in a file of its own so that a test can have another. On a BSD a
 * session has a name, which root may set and which its processes inherit. Linux's
 * sessions have none: this refuses what macOS refuses, and else does nothing.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define DARWIN_MAXLOGNAME 255 /* with the NUL */

int
setlogin(const char *name)
{
	if (geteuid() == 0 && strlen(name) < DARWIN_MAXLOGNAME)
		return 0;
	errno = geteuid() != 0 ? EPERM : EINVAL;
	return -1;
}
