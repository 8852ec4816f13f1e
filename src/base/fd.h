/* SPDX-License-Identifier: MIT */
#ifndef FD_H
#define FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;

/*
 * Appends to a file of size bytes. False with errno: what was written of it is
 * cut off, so that the file ends as before.
 */
bool fd_append(int fd, const char *p, size_t len, off_t size);

/* How much of it could be written; less than len, with errno. */
size_t fd_write_all(int fd, const char *p, size_t len);

/* Closes *fd unless it is -1, which it is afterwards. errno stays. */
void fd_close(int *fd);

/* Is the open file the one at path, links not followed? False with errno ENOENT. */
bool fd_is_at(int fd, const char *path);

/*
 * Adds all that is left to read of fd. 0, or -1 with errno: EFBIG where out would
 * come to hold more than max bytes.
 */
int fd_read_all(int fd, struct buf *out, size_t max);

/* Sets close-on-exec and, if asked, O_NONBLOCK. 0, or -1 with errno. */
int fd_prepare(int fd, bool nonblock);

/*
 * The descriptor limit. Init remembers what this process was started with; raise
 * doubles the soft limit up to the hard one, or to the cap if that is less, and
 * returns false at its end. Lower puts the first value back, for a child to
 * inherit, and restore undoes it. Most is how far it can be raised.
 */
void fdlimit_init(void);
void fdlimit_cap(uint64_t most);
bool fdlimit_raise(void);
void fdlimit_lower(void);
void fdlimit_restore(void);
uint64_t fdlimit_most(void);

#endif
