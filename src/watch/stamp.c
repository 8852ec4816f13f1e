/* SPDX-License-Identifier: MIT */
/*
 * Stamps: what a path looked like, and in what two looks differ. Events are
 * only hints, so every change that is ever acted on is decided here.
 */
#include "watch/stamp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mono.h"
#include "rules/rule.h"
#include "base/filetime.h"
#include "base/util.h"
#include "base/number.h"

/* Longer than a tick of any kernel's file clock, shorter than a person. */
#define TICK_NS (20 * MONO_MS)
/* Where a volume keeps no fraction of a second: HFS+ whole seconds, FAT two. */
#define COARSE_TICK_NS (2 * MONO_SEC + TICK_NS)

int
stamp_take(struct stamp *out, const char *path)
{
	/* Before it: what is written after the stat must not look long past. */
	int64_t taken_ns = realtime_ns();
	struct stat st;

	if (stat(path, &st) == -1) {
		if (errno != ENOENT && errno != ENOTDIR)
			return errno;
		*out = (struct stamp){ .taken_ns = taken_ns };
		return 0;
	}
	*out = (struct stamp){
		.present = true,
		.mode = st.st_mode,
		.uid = st.st_uid,
		.gid = st.st_gid,
		.ino = st.st_ino,
		.size = (uint64_t)st.st_size,
		.mtime_ns = filetime_mtime(&st),
		.dev = (uint64_t)st.st_dev,
		.ctime_ns = filetime_ctime(&st),
		.taken_ns = taken_ns,
	};
	return 0;
}

void
stamp_apply_min_size(struct stamp *s, uint64_t min_size)
{
	if (s->present && S_ISREG(s->mode) && s->size < min_size)
		*s = (struct stamp){ .taken_ns = s->taken_ns };
}

static bool
attributes_differ(const struct stamp *a, const struct stamp *b)
{
	return ((a->mode ^ b->mode) & ~(mode_t)S_IFMT) != 0 || a->uid != b->uid ||
	       a->gid != b->gid;
}

/* How long the clock that stamped s may stand still. */
static int64_t
tick_of(const struct stamp *s)
{
	bool coarse = s->mtime_ns % MONO_SEC == 0 && s->ctime_ns % MONO_SEC == 0;

	return coarse ? COARSE_TICK_NS : TICK_NS;
}

static bool
written_in_place(const struct stamp *before, const struct stamp *now)
{
	int64_t age = before->taken_ns - before->ctime_ns, tick = tick_of(before);

	return now->ctime_ns != before->ctime_ns || (age > -tick && age < tick);
}

unsigned
stamp_diff(const struct stamp *before, const struct stamp *now, unsigned hints)
{
	unsigned diff = 0;

	if (!now->present)
		return before->present ? CHANGE_DELETE : 0;
	if (!before->present)
		return CHANGE_CREATE;
	if (now->ino != before->ino || (!before->stored && now->dev != before->dev) ||
	    (hints & HINT_REPLACED) != 0)
		diff |= CHANGE_CREATE | CHANGE_MODIFY;
	if (((now->mode ^ before->mode) & S_IFMT) != 0 || now->size != before->size ||
	    now->mtime_ns != before->mtime_ns)
		diff |= CHANGE_MODIFY;
	if ((hints & HINT_WRITE) != 0 && written_in_place(before, now))
		diff |= CHANGE_MODIFY;
	if (attributes_differ(before, now))
		diff |= CHANGE_ATTRIBUTES;
	return diff;
}

void
stamp_print(char out[STAMP_TEXT_SIZE], const struct stamp *s)
{
	if (!s->present) {
		snprintf(out, STAMP_TEXT_SIZE, "absent");
		return;
	}
	snprintf(out, STAMP_TEXT_SIZE, "%o %u %u %" PRIu64 " %" PRIu64 " %" PRId64,
	    (unsigned)s->mode, (unsigned)s->uid, (unsigned)s->gid, s->ino, s->size,
	    s->mtime_ns);
}

bool
stamp_parse(struct stamp *out, const char *text)
{
	unsigned mode, uid, gid;
	struct stamp s = { .present = true, .stored = true };
	char again[STAMP_TEXT_SIZE];

	if (strcmp(text, "absent") == 0) {
		*out = (struct stamp){ .stored = true };
		return true;
	}
	if (sscanf(text, "%o %u %u %" SCNu64 " %" SCNu64 " %" SCNd64, &mode, &uid, &gid,
		&s.ino, &s.size, &s.mtime_ns) != 6)
		return false;
	s.mode = (mode_t)mode;
	s.uid = (uid_t)uid;
	s.gid = (gid_t)gid;
	/* sscanf takes spaces, signs and what is too large. */
	stamp_print(again, &s);
	if (strcmp(again, text) != 0)
		return false;
	*out = s;
	return true;
}
