/*
 * SPDX-License-Identifier: MIT
 *
 * <fcntl.h> and macOS's two flags for watching. O_PATH, like O_EVTONLY, never
 * blocks on a FIFO and starts no device; unlike it, it cannot be read from.
 */
#ifndef LINUX_FCNTL_H
#define LINUX_FCNTL_H

#include_next <fcntl.h>

#define O_EVTONLY O_PATH
#define O_SYMLINK (O_PATH | O_NOFOLLOW)

#endif
