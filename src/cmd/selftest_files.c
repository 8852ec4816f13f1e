/* SPDX-License-Identifier: MIT */
/*
 * What the kernel reports of a file that is open: which call posts which event.
 * That something comes is what the promise rests on; which bits, for most calls,
 * only that the shim agrees.
 */
#include "cmd/selftest_probes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/event.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/machine.h"
#include "cmd/trial.h"
#include "rules/rule.h"
#include "watch/stamp.h"

/* A log that is never closed. */
static void
open_writer_is_reported(struct trial *t)
{
	struct knote *file = trial_watch_new(t);
	int fd = open("file", O_WRONLY | O_APPEND | O_CLOEXEC);

	trial_did(t, write(fd, "1", 1), "write");
	trial_expect(t, file, NOTE_WRITE, NOTE_EXTEND);
	trial_did(t, write(fd, "2", 1), "write");
	trial_expect(t, file, NOTE_WRITE, NOTE_EXTEND);
	close(fd);
	trial_expect(t, file, 0, 0);
}

/* An event must come with the change in place, not before it. */
static void
event_comes_after_the_change(struct trial *t)
{
	struct knote *file = trial_watch_new(t);
	struct stamp before = { 0 }, now = { 0 };

	stamp_take(&before, "file");
	trial_append(t, "file", "more");
	trial_check(t, trial_until(t, &file->times, 1), "an event comes");
	stamp_take(&now, "file");
	trial_check(t, stamp_diff(&before, &now, 0) == CHANGE_MODIFY,
	    "the file is seen to be modified when the event comes");
}

static void
swap_is_reported(struct trial *t)
{
	struct knote *file = trial_watch_new(t), *other;

	trial_make(t, "other", "text");
	other = trial_watch(t, "other");
	if (machine_swap("file", "other") == -1) {
		trial_skip(t, "this volume cannot exchange two names");
		return;
	}
	trial_expect_any(t, file, NOTE_RENAME | NOTE_DELETE);
	trial_expect_any(t, other, NOTE_RENAME | NOTE_DELETE);
}

static void
clone_is_reported(struct trial *t)
{
	struct knote *file = trial_watch_new(t), *dir = trial_watch(t, ".");

	if (machine_clone("file", "clone") == -1) {
		trial_skip(t, "this volume cannot clone files");
		return;
	}
	trial_expect(t, dir, NOTE_WRITE, 0);
	trial_expect(t, file, 0, 0);
}

static void
reading_is_nothing(struct trial *t)
{
	struct knote *file = trial_watch_new(t);
	int fd = open("file", O_RDONLY | O_CLOEXEC);
	struct stat st;
	char text[8];

	trial_did(t, read(fd, text, sizeof(text)), "read");
	trial_did(t, stat("file", &st), "stat");
	close(fd);
	trial_expect(t, file, 0, 0);
}

static void
unlock_is_nothing(struct trial *t)
{
	struct knote *file = trial_watch_new(t);
	int fd = open("file", O_RDONLY | O_CLOEXEC);

	trial_did(t, flock(fd, LOCK_EX), "flock");
	trial_did(t, flock(fd, LOCK_UN), "flock");
	close(fd);
	trial_expect(t, file, 0, 0);
}

static void
mapping_is_noted(struct trial *t)
{
	struct knote *file = trial_watch_new(t);
	int fd = open("file", O_RDWR | O_CLOEXEC);
	char *p = mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	close(fd);
	if (p == MAP_FAILED) {
		trial_fail(t, "mmap: %s", strerror(errno));
		return;
	}
	trial_expect(t, file, 0, NOTE_ATTRIB);
	p[0] = 'T';
	trial_did(t, msync(p, 4, MS_SYNC), "msync");
	file->name = "file, after msync";
	trial_expect(t, file, 0, NOTE_WRITE | NOTE_ATTRIB);
	munmap(p, 4);
}

static void
descriptor_can_be_asked(struct trial *t)
{
	struct knote *file = trial_watch_new(t);
	struct stat a, b;

	trial_append(t, "file", "more");
	trial_did(t, fstat(file->fd, &a), "fstat");
	trial_did(t, stat("file", &b), "stat");
	trial_check(t, a.st_ino == b.st_ino && a.st_size == 8,
	    "fstat of a descriptor with O_EVTONLY is that of the path");
}

static void
open_of_a_link_is_noted(struct trial *t)
{
	int fd;

	trial_make(t, "file", "text");
	trial_did(t, symlink("file", "link"), "symlink");
	fd = open("link", O_EVTONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	trial_note(t, "open with O_NOFOLLOW %s", fd == -1 ? "refuses" : "opens the link");
	if (fd != -1)
		close(fd);
}

/* A new file that is watched. */
#define NEW_FILE "make file; watch file; "

const struct probe selftest_files[] = {
	{ "write", "2.1", REQUIRED, "a write over a file's content is an event",
	    .script = NEW_FILE "poke file; file: WRITE ?EXTEND" },
	{ "append", "2.1", REQUIRED, "a write at a file's end is an event",
	    .script = NEW_FILE "append file; file: WRITE ?EXTEND" },
	{ "open-writer", "1.20", REQUIRED,
	    "each write of a file that stays open is an event, closing it is none",
	    .run = open_writer_is_reported },
	{ "event-after", "2", REQUIRED,
	    "when an event comes, the path shows what it is about",
	    .run = event_comes_after_the_change },
	{ "truncate", "2.2", REQUIRED, "cutting a file short is an event",
	    .script = NEW_FILE "truncate file 1; file: ATTRIB ?EXTEND" },
	{ "truncate-up", "2.2", REQUIRED, "making a file longer is an event",
	    .script = NEW_FILE "truncate file 4096; file: any ATTRIB WRITE EXTEND" },
	{ "open-trunc", "2.2", REQUIRED, "emptying a file as it is opened is an event",
	    .script = NEW_FILE "empty file; file: ATTRIB ?EXTEND" },
	{ "rewrite", "2.2", REQUIRED, "emptying a file and writing it is an event",
	    .script = NEW_FILE "rewrite file; file: WRITE ?ATTRIB ?EXTEND" },
	{ "chmod", "2.3", REQUIRED, "a change of mode is an event",
	    .script = NEW_FILE "chmod file 0600; file: ATTRIB" },
	{ "chmod-same", "2.3", EXPECTED, "chmod to the same mode is an event",
	    .script = NEW_FILE "chmod file 0644; file: ATTRIB" },
	{ "chown", "2.3", EXPECTED, "chown to the same owner is an event",
	    .script = NEW_FILE "chown file; file: ATTRIB" },
	{ "utimes", "2.3", REQUIRED, "a change of the time is an event",
	    .script = NEW_FILE "utimes file; file: ATTRIB" },
	{ "link", "2.4", EXPECTED, "a second name is LINK, and WRITE of its directory",
	    .script = NEW_FILE "watch .; link file second; file: LINK; .: WRITE" },
	{ "unlink", "2.5", REQUIRED, "the removal of a file is DELETE",
	    .script = NEW_FILE "unlink file; file: DELETE ?LINK" },
	{ "unlink-link", "8.15", EXPECTED, "DELETE comes with LINK",
	    .script = NEW_FILE "unlink file; file: DELETE LINK" },
	{ "unlink-other", "8.13", EXPECTED,
	    "the removal of a file's other name is DELETE, too",
	    .script = NEW_FILE
	    "link file second; file: LINK; unlink second; file: DELETE LINK" },
	{ "rename-over", "2.6", REQUIRED,
	    "a file whose name is taken over gets DELETE, and nothing later",
	    .script = NEW_FILE "replace file; file: DELETE ?LINK; append file; file:" },
	{ "rename-over-linked", "8.15", EXPECTED, "so does one that has another name",
	    .script = NEW_FILE
	    "link file second; file: LINK; replace file; file: DELETE ?LINK" },
	{ "rename", "2.6", REQUIRED,
	    "a file that is moved gets RENAME, and is still watched",
	    .script = NEW_FILE
	    "rename file away; file: RENAME ?LINK; append away; file: WRITE ?EXTEND" },
	{ "rename-same", "2.6", EXPECTED, "a rename to itself is nothing",
	    .script = NEW_FILE "watch .; rename file file; file:; .:" },
	{ "swap", "2.7", EXPECTED, "an exchange of two names is an event on both",
	    .run = swap_is_reported },
	{ "clone", "2.8", EXPECTED, "a clone is WRITE of its directory",
	    .run = clone_is_reported },
	{ "read", "2.12", EXPECTED, "reading is nothing", .run = reading_is_nothing },
	{ "unlock", "2.11", EXPECTED, "locking and unlocking is nothing",
	    .run = unlock_is_nothing },
	{ "mmap", "2.10 2.12", RECORD, "what mapping a file and writing there reports",
	    .run = mapping_is_noted },
	{ "evtonly-fstat", "4.1", EXPECTED, "a descriptor to watch with can be asked",
	    .run = descriptor_can_be_asked },
	{ "evtonly-link", "4.3", RECORD, "what opening a link itself does",
	    .run = open_of_a_link_is_noted },
	{ .id = NULL },
};
