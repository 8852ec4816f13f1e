/* SPDX-License-Identifier: MIT */
/*
 * What the kernel tells of a directory that is open. It never says which entry
 * changed, so the tree compares all that it knows; but every coming, going and
 * replacing of an entry has to be an event.
 */
#include "cmd/selftest_probes.h"

#include <sys/types.h>
#include <sys/event.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <stdio.h>

#include "cmd/trial.h"

static struct eye *
watch_new_dir(struct trial *t)
{
	trial_did(t, mkdir("dir", 0755), "mkdir");
	trial_make(t, "dir/old", "text");
	return trial_watch(t, "dir");
}

static void
create_is_told(struct trial *t)
{
	struct eye *dir = watch_new_dir(t);

	trial_make(t, "dir/new", "");
	trial_expect(t, dir, NOTE_WRITE, 0);
}

static void
unlink_is_told(struct trial *t)
{
	struct eye *dir = watch_new_dir(t);

	trial_did(t, unlink("dir/old"), "unlink");
	trial_expect(t, dir, NOTE_WRITE, 0);
}

static void
rename_in_is_told(struct trial *t)
{
	struct eye *dir = watch_new_dir(t);

	trial_make(t, "file", "text");
	trial_did(t, rename("file", "dir/new"), "rename");
	trial_expect(t, dir, NOTE_WRITE, NOTE_EXTEND);
}

static void
rename_out_is_told(struct trial *t)
{
	struct eye *dir = watch_new_dir(t);

	trial_did(t, rename("dir/old", "file"), "rename");
	trial_expect(t, dir, NOTE_WRITE, 0);
}

static void
rename_within_is_told(struct trial *t)
{
	struct eye *dir = watch_new_dir(t);

	trial_did(t, rename("dir/old", "dir/new"), "rename");
	trial_expect(t, dir, NOTE_WRITE, NOTE_EXTEND);
}

static void
replacement_is_told(struct trial *t)
{
	struct eye *dir = watch_new_dir(t);

	trial_make(t, "file", "text");
	trial_did(t, rename("file", "dir/old"), "rename");
	trial_expect(t, dir, NOTE_WRITE, NOTE_EXTEND);
}

static void
symlink_is_told(struct trial *t)
{
	struct eye *dir = watch_new_dir(t);

	trial_did(t, symlink("old", "dir/new"), "symlink");
	trial_expect(t, dir, NOTE_WRITE, 0);
}

static void
link_is_told(struct trial *t)
{
	struct eye *dir = watch_new_dir(t);

	trial_make(t, "file", "text");
	trial_did(t, link("file", "dir/new"), "link");
	trial_expect(t, dir, NOTE_WRITE, 0);
}

static void
fifo_is_told(struct trial *t)
{
	struct eye *dir = watch_new_dir(t);

	trial_did(t, mkfifo("dir/new", 0600), "mkfifo");
	trial_expect(t, dir, NOTE_WRITE, 0);
}

static void
mkdir_is_told(struct trial *t)
{
	struct eye *dir = watch_new_dir(t);

	trial_did(t, mkdir("dir/new", 0755), "mkdir");
	trial_expect(t, dir, NOTE_WRITE, NOTE_LINK);
}

static void
rmdir_is_told(struct trial *t)
{
	struct eye *dir;

	dir = watch_new_dir(t);
	trial_did(t, mkdir("dir/new", 0755), "mkdir");
	trial_expect(t, dir, NOTE_WRITE, NOTE_LINK);
	trial_did(t, rmdir("dir/new"), "rmdir");
	trial_expect(t, dir, NOTE_WRITE, NOTE_LINK);
}

static void
links_are_told(struct trial *t)
{
	struct eye *dir = watch_new_dir(t);

	trial_did(t, mkdir("dir/new", 0755), "mkdir");
	trial_expect(t, dir, NOTE_WRITE | NOTE_LINK, 0);
}

static void
own_removal_is_told(struct trial *t)
{
	struct eye *dir;

	trial_did(t, mkdir("empty", 0755), "mkdir");
	dir = trial_watch(t, "empty");
	trial_did(t, rmdir("empty"), "rmdir");
	trial_expect(t, dir, NOTE_DELETE, NOTE_LINK);
}

static void
own_rename_is_told(struct trial *t)
{
	struct eye *dir = watch_new_dir(t);

	trial_did(t, rename("dir", "away"), "rename");
	trial_expect(t, dir, NOTE_RENAME, NOTE_LINK | NOTE_WRITE);
	trial_make(t, "away/new", "");
	trial_expect(t, dir, NOTE_WRITE, 0);
}

static void
parent_of_a_moved_directory_is_told(struct trial *t)
{
	struct eye *to = watch_new_dir(t), *from;

	trial_did(t, mkdir("from", 0755), "mkdir");
	trial_did(t, mkdir("from/sub", 0755), "mkdir");
	from = trial_watch(t, "from");
	trial_did(t, rename("from/sub", "dir/sub"), "rename");
	trial_expect(t, from, NOTE_WRITE, NOTE_LINK);
	trial_expect(t, to, NOTE_WRITE, NOTE_LINK | NOTE_EXTEND);
}

static void
content_of_an_entry_is_nothing(struct trial *t)
{
	struct eye *dir = watch_new_dir(t);

	trial_append(t, "dir/old", "more");
	trial_expect(t, dir, 0, 0);
	trial_did(t, chmod("dir/old", 0600), "chmod");
	trial_expect(t, dir, 0, 0);
}

static void
own_mode_is_told(struct trial *t)
{
	struct eye *dir = watch_new_dir(t);

	trial_did(t, chmod("dir", 0700), "chmod");
	trial_expect(t, dir, NOTE_ATTRIB, 0);
}

static void
entries_below_entries_are_nothing(struct trial *t)
{
	struct eye *dir = watch_new_dir(t);

	trial_did(t, mkdir("dir/sub", 0755), "mkdir");
	trial_expect(t, dir, NOTE_WRITE, NOTE_LINK);
	trial_make(t, "dir/sub/new", "");
	trial_expect(t, dir, 0, 0);
}

const struct probe selftest_directories[] = {
	{ "dir-create", "2.9", REQUIRED, "a new file is an event of its directory",
	    create_is_told, NULL },
	{ "dir-unlink", "2.9", REQUIRED, "the removal of a file is one", unlink_is_told,
	    NULL },
	{ "dir-rename-in", "2.6", REQUIRED, "a file that is moved in is one",
	    rename_in_is_told, NULL },
	{ "dir-rename-out", "2.6", REQUIRED, "a file that is moved out is one",
	    rename_out_is_told, NULL },
	{ "dir-rename", "2.6", REQUIRED, "a file that gets another name is one",
	    rename_within_is_told, NULL },
	{ "dir-replace", "2.6", REQUIRED, "a file that is replaced is one",
	    replacement_is_told, NULL },
	{ "dir-symlink", "2.9", REQUIRED, "a new symbolic link is one", symlink_is_told,
	    NULL },
	{ "dir-link", "2.4", REQUIRED, "a second name of a file elsewhere is one",
	    link_is_told, NULL },
	{ "dir-mkfifo", "2.9", EXPECTED, "a new FIFO is one", fifo_is_told, NULL },
	{ "dir-mkdir", "2.9", REQUIRED, "a new directory is one", mkdir_is_told, NULL },
	{ "dir-rmdir", "2.9", REQUIRED, "the removal of a directory is one",
	    rmdir_is_told, NULL },
	{ "dir-links", "2.9", EXPECTED, "a new directory is WRITE with LINK",
	    links_are_told, NULL },
	{ "dir-removed", "2.9", REQUIRED,
	    "the removal of the watched directory itself is DELETE", own_removal_is_told,
	    NULL },
	{ "dir-renamed", "2.6", REQUIRED,
	    "a watched directory that is moved gets RENAME, and is still watched",
	    own_rename_is_told, NULL },
	{ "dir-moved", "2.6", REQUIRED,
	    "a directory that moves is an event of both that held it",
	    parent_of_a_moved_directory_is_told, NULL },
	{ "dir-content", "2.9", EXPECTED,
	    "what happens to an entry's content or mode is nothing",
	    content_of_an_entry_is_nothing, NULL },
	{ "dir-chmod", "2.3", EXPECTED, "its own change of mode is ATTRIB",
	    own_mode_is_told, NULL },
	{ "dir-below", "1.19", EXPECTED, "what happens two levels below is nothing",
	    entries_below_entries_are_nothing, NULL },
	{ NULL, NULL, RECORD, NULL, NULL, NULL },
};
