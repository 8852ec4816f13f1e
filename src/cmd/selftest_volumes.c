/* SPDX-License-Identifier: MIT */
/*
 * Volumes: which there are, what of them may be trusted, and what becomes of a
 * watched file whose volume goes.
 */
#include "cmd/selftest_probes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/event.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/places.h"
#include "base/platform.h"
#include "cmd/trial.h"
#include "cmd/trial_run.h"

static void
mount_table_is_read(struct trial *t)
{
	struct strv remote = { NULL, 0 };

	trial_check(
	    t, platform_remote_mounts(&remote) == 0, "the mount table can be read");
	trial_check(t, places_find_above(&remote, t->dir) == NULL,
	    "this directory is on no network volume");
	trial_note(t, "%zu places are network volumes", remote.n);
	strv_clear(&remote);
}

static void
mount_table_is_quiet(struct trial *t)
{
	struct strv remote = { NULL, 0 };

	platform_remote_mounts(&remote);
	trial_check(
	    t, !platform_mounts_changed(), "a table that was read has not changed");
	strv_clear(&remote);
}

static void
own_file_is_trusted(struct trial *t)
{
	char why[512] = "";
	int fd;

	trial_make(t, "file", "text");
	fd = open("file", O_EVTONLY | O_CLOEXEC);
	trial_did(t, fd, "open");
	if (!trial_check(t,
		!platform_trust_objection(fd, "file", geteuid(), false, why, sizeof(why)),
		"it is trusted"))
		trial_note(t, "%s", why);
	close(fd);
}

static bool
is_objected_to(const char *path)
{
	int fd = open(path, O_EVTONLY | O_CLOEXEC);
	char why[512];
	bool objected =
	    platform_trust_objection(fd, path, geteuid(), false, why, sizeof(why));

	close(fd);
	return objected;
}

static void
acl_is_objected_to(struct trial *t)
{
	trial_make(t, "file", "text");
	trial_make(t, "denied", "text");
	if (!trial_succeeds(t, "/bin/chmod +a 'everyone allow write' file") ||
	    !trial_succeeds(t, "/bin/chmod +a 'everyone deny write' denied")) {
		trial_skip(t, "chmod knows no such ACL here");
		return;
	}
	trial_check(
	    t, is_objected_to("file"), "an ACL that grants writing is objected to");
	trial_check(t, !is_objected_to("denied"), "one that denies it is not");
}

static void
firmlinks_are_noted(struct trial *t)
{
	struct stat a, b;

	if (stat("/System/Volumes/Data/usr/local", &a) == -1 ||
	    stat("/usr/local", &b) == -1) {
		trial_skip(t, "there is no /System/Volumes/Data here");
		return;
	}
	trial_note(t, "both names of /usr/local are %s",
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino ? "one" : "two");
}

/* Volumes from images, without owners. */
#define HDIUTIL "/usr/bin/hdiutil "

/* Times of files may be whole seconds there, or two. */
static void
look_at_volume(struct trial *t)
{
	const char *dir = t->dir;
	char *below = xasprintf("%s/mnt", dir);

	t->dir = below;
	if (trial_did(t, chdir(below), below))
		selftest_equal_writes(t);
	trial_did(t, chdir(dir), dir);
	t->dir = dir;
}

static void
watch_volume(struct trial *t)
{
	struct knote *file;

	look_at_volume(t);
	trial_make(t, "mnt/file", "text");
	file = trial_watch(t, "mnt/file");
	trial_check(t, is_objected_to("mnt/file"),
	    "a volume that ignores ownership is objected to");
	if (!trial_succeeds(t, HDIUTIL "detach mnt -quiet")) {
		trial_fail(t, "the volume is held by what is watched");
		trial_succeeds(t, HDIUTIL "detach mnt -force -quiet");
	}
	trial_settle(t);
	trial_check(t, file->eof, "what was on it says EOF");
}

static bool
make_image(struct trial *t, const char *type)
{
	char *command = xasprintf(
	    HDIUTIL "create -size 20m -fs '%s' -volname selftest -quiet image", type);
	bool made;

	trial_say(t, "making a volume, which takes some seconds");
	made = trial_did(t, mkdir("mnt", 0755), "mkdir") &&
	       trial_check(t, trial_succeeds(t, command), "an image can be made");
	free(command);
	return made;
}

static void
watch_image(struct trial *t, const char *type)
{
	struct knote *parent;

	if (access("/usr/bin/hdiutil", X_OK) == -1) {
		trial_skip(t, "there is no hdiutil here");
		return;
	}
	if (!make_image(t, type))
		return;
	parent = trial_watch(t, ".");
	parent->name = "parent, mount";
	if (!trial_check(t,
		trial_succeeds(t, HDIUTIL "attach image.dmg -nobrowse -quiet -owners off "
					  "-mountpoint mnt"),
		"it can be attached"))
		return;
	trial_expect(t, parent, NOTE_WRITE, NOTE_LINK | NOTE_ATTRIB | NOTE_EXTEND);
	watch_volume(t);
}

static void
hfs_is_watched(struct trial *t)
{
	watch_image(t, "HFS+");
}

static void
exfat_is_watched(struct trial *t)
{
	watch_image(t, "ExFAT");
}

static void
apfs_is_watched(struct trial *t)
{
	watch_image(t, "Case-sensitive APFS");
}

const struct probe selftest_volumes[] = {
	{ "mounts", "2.16", REQUIRED, "network volumes can be distinguished from others",
	    .run = mount_table_is_read },
	{ "mounts-quiet", "2.13", EXPECTED, "a mount table that was read is not new",
	    .run = mount_table_is_quiet },
	{ "objection", "4.1", EXPECTED, "a file of one's own on this volume is trusted",
	    .run = own_file_is_trusted },
	{ "acl", "2.3", REQUIRED, "an ACL that grants writing is seen",
	    .run = acl_is_objected_to },
	{ "image", "2.13 2.14 4.1 8.5", EXPECTED,
	    "an HFS+ volume is reported when it comes and goes, and is not held",
	    .run = hfs_is_watched },
	{ "image-exfat", "2.13 2.14 4.1 8.5", EXPECTED, "so is one of ExFAT",
	    .run = exfat_is_watched },
	{ "image-case", "2.13 2.14 4.1 8.14", EXPECTED,
	    "so is one of APFS where case counts", .run = apfs_is_watched },
	{ "firmlinks", "1.21", RECORD, "whether the two names of a place are one",
	    .run = firmlinks_are_noted },
	{ .id = NULL },
};
