/* SPDX-License-Identifier: MIT */
/*
 * What the kernel reports of a directory that is open. It never says which entry
 * changed, so the tree compares all that it knows; but every coming, going and
 * replacing of an entry has to be an event.
 */
#include "cmd/selftest_probes.h"

#define NEW_DIR "mkdir dir; make dir/old; watch dir; "

const struct probe selftest_directories[] = {
	{ "dir-create", "2.9", REQUIRED, "a new file is an event of its directory",
	    .script = NEW_DIR "empty dir/new; dir: WRITE" },
	{ "dir-unlink", "2.9", REQUIRED, "the removal of a file is one",
	    .script = NEW_DIR "unlink dir/old; dir: WRITE" },
	{ "dir-rename-in", "2.6", REQUIRED, "a file that is moved in is one",
	    .script = NEW_DIR "make file; rename file dir/new; dir: WRITE ?EXTEND" },
	{ "dir-rename-out", "2.6", REQUIRED, "a file that is moved out is one",
	    .script = NEW_DIR "rename dir/old file; dir: WRITE" },
	{ "dir-rename", "2.6", REQUIRED, "a file that gets another name is one",
	    .script = NEW_DIR "rename dir/old dir/new; dir: WRITE ?EXTEND" },
	{ "dir-replace", "2.6", REQUIRED, "a file that is replaced is one",
	    .script = NEW_DIR "make file; rename file dir/old; dir: WRITE ?EXTEND" },
	{ "dir-symlink", "2.9", REQUIRED, "a new symbolic link is one",
	    .script = NEW_DIR "symlink old dir/new; dir: WRITE" },
	{ "dir-link", "2.4", REQUIRED, "a second name of a file elsewhere is one",
	    .script = NEW_DIR "make file; link file dir/new; dir: WRITE" },
	{ "dir-mkfifo", "2.9", EXPECTED, "a new FIFO is one",
	    .script = NEW_DIR "mkfifo dir/new; dir: WRITE" },
	{ "dir-mkdir", "2.9", REQUIRED, "a new directory is one",
	    .script = NEW_DIR "mkdir dir/new; dir: WRITE ?LINK" },
	{ "dir-rmdir", "2.9", REQUIRED, "the removal of a directory is one",
	    .script = NEW_DIR
	    "mkdir dir/new; dir: WRITE ?LINK; rmdir dir/new; dir: WRITE ?LINK" },
	{ "dir-links", "2.9", EXPECTED, "a new directory is WRITE with LINK",
	    .script = NEW_DIR "mkdir dir/new; dir: WRITE LINK" },
	{ "dir-removed", "2.9", REQUIRED,
	    "the removal of the watched directory itself is DELETE",
	    .script = "mkdir empty; watch empty; rmdir empty; empty: DELETE ?LINK" },
	{ "dir-renamed", "2.6", REQUIRED,
	    "a watched directory that is moved gets RENAME, and is still watched",
	    .script = NEW_DIR
	    "rename dir away; dir: RENAME ?LINK ?WRITE; empty away/new; dir: WRITE" },
	{ "dir-moved", "2.6", REQUIRED,
	    "a directory that moves is an event of both that held it",
	    .script = NEW_DIR
	    "mkdir from; mkdir from/sub; watch from; rename from/sub dir/sub; "
	    "from: WRITE ?LINK; dir: WRITE ?LINK ?EXTEND" },
	{ "dir-content", "2.9", EXPECTED,
	    "what happens to an entry's content or mode is nothing",
	    .script = NEW_DIR "append dir/old; dir:; chmod dir/old 0600; dir:" },
	{ "dir-chmod", "2.3", EXPECTED, "its own change of mode is ATTRIB",
	    .script = NEW_DIR "chmod dir 0700; dir: ATTRIB" },
	{ "dir-below", "1.19", EXPECTED, "what happens two levels below is nothing",
	    .script =
		NEW_DIR "mkdir dir/sub; dir: WRITE ?LINK; empty dir/sub/new; dir:" },
	{ .id = NULL },
};
