/* SPDX-License-Identifier: MIT */
#ifndef STAMP_H
#define STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What a path looked like. All zero is absent. dev, ctime and taken are for
 * this process only: macOS renumbers volumes between boots. Never atime.
 */
struct stamp {
	bool present;
	bool stored; /* read back: dev and ctime are not known */
	mode_t mode; /* type and permission bits */
	uid_t uid;
	gid_t gid;
	uint64_t ino, size;
	int64_t mtime_ns;
	uint64_t dev;
	int64_t ctime_ns;
	int64_t taken_ns; /* CLOCK_REALTIME of the look */
};

/*
 * Stats path, links followed, without opening it. 0, with *out filled; ENOENT
 * and ENOTDIR count as absent. Any other errno leaves *out alone.
 */
int stamp_take(struct stamp *out, const char *path);

/* Makes a regular file below min_size absent. */
void stamp_apply_min_size(struct stamp *s, uint64_t min_size);

/* What the events that caused a look said about the path's object. */
enum {
	HINT_WRITE = 1,    /* NOTE_WRITE or NOTE_EXTEND */
	HINT_REPLACED = 2, /* NOTE_RENAME, NOTE_REVOKE, EV_EOF, or NOTE_DELETE of it */
};

/*
 * The CHANGE_ bits by which now differs from before. A path that holds another
 * file than before (by inode, or by HINT_REPLACED) is created and modified.
 * HINT_WRITE with equal stamps is a modification if the ctime moved, or if
 * before was taken less than a tick of the file system's clock after its ctime:
 * two writes in one tick. A tick is 20 ms, or 2 s where neither mtime nor ctime
 * has a fraction of a second (hfs_vnops.c: tv_nsec = 0; FAT keeps even seconds).
 * Else it is the late echo of a write already seen.
 */
unsigned stamp_diff(const struct stamp *before, const struct stamp *now, unsigned hints);

/*
 * The part of a stamp that is kept between lives, as text: "absent", or type and
 * mode, uid, gid, inode, size and mtime. Parse returns false for anything else.
 */
#define STAMP_TEXT_SIZE 128
void stamp_print(char out[STAMP_TEXT_SIZE], const struct stamp *s);
bool stamp_parse(struct stamp *out, const char *text);

#endif
