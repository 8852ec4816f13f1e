/* SPDX-License-Identifier: MIT */
/*
 * Which directories were good when they were last judged. One inode has one place,
 * found by its number, so that neither a look nor an addition costs more with more.
 */
#include "trust/judged.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/filetime.h"
#include "base/mono.h"
#include "base/util.h"
#include "base/number.h"

#define PLACES 64 /* a power of two */
/* The longest tick of a volume's clock: FAT's. HFS+ counts whole seconds. */
#define TICK_NS (2 * MONO_SEC)

struct judged_set {
	struct entry {
		bool used;
		dev_t dev;
		ino_t ino;
		mode_t mode;
		uid_t uid;
		gid_t gid;
		int64_t ctime;
	} entries[PLACES];
};

struct judged_set *
judged_new(void)
{
	return xcalloc(1, sizeof(struct judged_set));
}

void
judged_free(struct judged_set *j)
{
	free(j);
}

static size_t
place_of(const struct stat *st)
{
	uint64_t key = (uint64_t)st->st_ino * 31 + (uint64_t)st->st_dev;

	return (size_t)((key * 0x9e3779b97f4a7c15) >> 32) & (PLACES - 1);
}

bool
judged_has(const struct judged_set *j, const struct stat *st)
{
	const struct entry *e = &j->entries[place_of(st)];

	return e->used && e->dev == st->st_dev && e->ino == st->st_ino &&
	       e->mode == st->st_mode && e->uid == st->st_uid && e->gid == st->st_gid &&
	       e->ctime == filetime_ctime(st);
}

void
judged_add(struct judged_set *j, const struct stat *st)
{
	int64_t changed = filetime_ctime(st);

	if (realtime_ns() - changed < TICK_NS)
		return;
	j->entries[place_of(st)] = (struct entry){
		.used = true,
		.dev = st->st_dev,
		.ino = st->st_ino,
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.ctime = changed,
	};
}
