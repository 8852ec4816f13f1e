/* SPDX-License-Identifier: MIT */
#ifndef SYNC_H
#define SYNC_H

/* Waits until what was written is on the disk. 0, or -1 with errno. */
int fd_sync(int fd);

#endif
