/* SPDX-License-Identifier: MIT */
/*
 * state.jsonl. Lines are appended, each with one write(2), so a crash leaves at most
 * a torn last line. When too many are stale, or one could not be written, a new file
 * is written beside it and renamed into place. Only that is durable: where the last
 * line of a rule is lost, the one before causes a run too many, never one too few.
 */
#include "state/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/map.h"
#include "state/place.h"
#include "state/record.h"
#include "base/sync.h"
#include "base/util.h"
#include "base/fd.h"
#include "base/number.h"

#define RETRY_NS (10 * MONO_SEC)
#define LOCK_TRIES 20
#define LOCK_PAUSE_NS (50 * MONO_MS)
#define SYNC_POLL_NS (20 * MONO_MS)
#define KEEP_NS (INT64_C(90) * 86400 * MONO_SEC)
#define NEXT_BYTES ((size_t)64 * 1024) /* of a new file, written at a time */
#define SLACK (1024 * 1024)            /* a smaller file is not worth rewriting */

struct store {
	const struct trust *trust;
	char *dir, *path, *next_path, *lock_path;
	int lock_fd, fd, next_fd;
	struct buf next;        /* of the new file, not yet written */
	off_t size, fresh_size; /* of the file now, and when it was new */
	struct map kept;        /* records of rules that are not in force, or not yet */
	bool damaged;
	pid_t syncer; /* the child that waits for the disk; 0: none */
	mono_t sync_at, retry_at;
	char why[TRUST_WHY_SIZE]; /* of the directory that is not used, or was open */
	char problem[TRUST_WHY_SIZE + 128];
	char note[TRUST_WHY_SIZE + 128];
};

struct store *
store_new(const char *dir, const struct trust *trust)
{
	struct store *s = xcalloc(1, sizeof(*s));

	s->trust = trust;
	s->dir = xstrdup(dir);
	s->path = xasprintf("%s/state.jsonl", dir);
	s->next_path = xasprintf("%s/state.jsonl.new", dir);
	s->lock_path = xasprintf("%s/lock", dir);
	s->lock_fd = s->fd = s->next_fd = -1;
	s->retry_at = s->sync_at = MONO_NEVER;
	return s;
}

bool
store_exists(const char *dir)
{
	char *lock = xasprintf("%s/lock", dir);
	bool found = access(lock, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);

	free(lock);
	return found;
}

void
store_free(struct store *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->kept.cap; i++)
		if (s->kept.slots[i].key != NULL) {
			record_clear(s->kept.slots[i].value);
			free(s->kept.slots[i].value);
		}
	map_clear(&s->kept);
	buf_clear(&s->next);
	fd_close(&s->next_fd);
	fd_close(&s->fd);
	fd_close(&s->lock_fd);
	free(s->dir);
	free(s->path);
	free(s->next_path);
	free(s->lock_path);
	free(s);
}

/* Something failed: the whole file is written again later. */
static void
fail(struct store *s, const char *what, const char *path)
{
	if (errno == 0)
		errno = EIO;
	snprintf(s->problem, sizeof(s->problem), "the state cannot be saved: %s %s: %s",
	    what, path, strerror(errno));
	fd_close(&s->next_fd);
	s->retry_at = mono_add(mono_now(), RETRY_NS);
}

/*
 * Others could write here until now: what they may have written is not used, and
 * moved away. The lock was judged on its own.
 */
static void
set_aside(struct store *s)
{
	static const char *const names[] = { "state.jsonl", "state.jsonl.new",
		"history.jsonl", "history.jsonl.1", "watchpathd.sock" };
	char *path;
	size_t i;

	for (i = 0; i < NELEM(names); i++) {
		path = xasprintf("%s/%s", s->dir, names[i]);
		place_set_aside(path);
		free(path);
	}
	s->damaged = true;
	snprintf(s->note, sizeof(s->note),
	    "%s until now: what was in it is set aside as .bad, and every rule "
	    "counts as changed",
	    s->why);
}

/* A lock that others may have made is moved away: they could hold it for ever. */
static int
open_lock(const struct store *s)
{
	int fd = place_open(s->trust, s->lock_path, O_RDWR | O_CREAT, 0600);

	if (fd != -1 || errno != EPERM)
		return fd;
	place_set_aside(s->lock_path);
	return place_open(s->trust, s->lock_path, O_RDWR | O_CREAT | O_EXCL, 0600);
}

/* Judges or makes the directory and takes the lock. 0, or -1 with errno. */
static int
take_lock(struct store *s)
{
	enum place place;
	char pid[32];
	int fd;

	s->why[0] = '\0';
	place = place_take(s->trust, s->dir, s->why);
	if (place == PLACE_BAD) {
		errno = EPERM;
		return -1;
	}
	fd = open_lock(s);
	if (fd == -1)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		close(fd);
		return -1;
	}
	fd_close(&s->lock_fd);
	s->lock_fd = fd;
	if (place == PLACE_OPEN)
		set_aside(s);
	/* The pid is for people: only the lock itself counts. */
	snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) == 0 && pwrite(fd, pid, strlen(pid), 0) == -1)
		errno = 0;
	return 0;
}

/* Without the lock nothing is saved for now. */
static void
fail_lock(struct store *s)
{
	fail(s, "lock", s->lock_path);
	if (s->lock_fd == -1 && s->why[0] != '\0')
		snprintf(s->problem, sizeof(s->problem),
		    "the state cannot be saved, and nothing in its directory is used: %s",
		    s->why);
}

/* The whole file, or NULL with errno: ENOENT and ENOTDIR where there is none. */
static char *
read_file(const struct trust *trust, const char *path, size_t *len)
{
	struct buf b = { NULL, 0, 0 };
	int fd = place_open(trust, path, O_RDONLY, 0), status;

	if (fd == -1)
		return NULL;
	status = fd_read_all(fd, &b, SIZE_MAX);
	fd_close(&fd);
	if (status == -1) {
		buf_clear(&b);
		return NULL;
	}
	buf_adds(&b, "");
	*len = b.len;
	return b.p;
}

static void
keep(struct store *s, struct record *r)
{
	struct record *k = map_get(&s->kept, r->rule);

	if (k != NULL) {
		map_remove(&s->kept, r->rule);
		record_clear(k);
	} else {
		k = xcalloc(1, sizeof(*k));
	}
	*k = *r;
	*r = (struct record){ .rule = NULL };
	map_put(&s->kept, k->rule, k);
}

/* Takes every whole line; the newest of a rule stays. False: one is damaged. */
static bool
read_lines(struct store *s, const char *text, size_t len)
{
	const char *line = text, *end = text + len, *nl;
	struct record r;
	bool good = true;

	for (; (nl = memchr(line, '\n', (size_t)(end - line))) != NULL; line = nl + 1) {
		if (record_parse(&r, line, (size_t)(nl - line)))
			keep(s, &r);
		else
			good = false;
	}
	return good;
}

/* A new file in the place of whatever is there, which may be a FIFO or a link. */
static int
create(const char *path)
{
	struct stat st;

	unlink(path);
	if (lstat(path, &st) == 0)
		place_set_aside(path);
	return open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* Keeps the content of a damaged file for people to look at. */
static void
save_damaged(const struct store *s, const char *text, size_t len)
{
	char *path = xasprintf("%s.bad", s->path);
	int fd = create(path);

	if (fd != -1 && write(fd, text, len) == -1)
		unlink(path);
	if (fd != -1)
		close(fd);
	free(path);
}

static void
read_state(struct store *s)
{
	size_t len;
	char *text;

	/* Nothing was lost where there has been nothing. */
	if (s->why[0] != '\0') {
		s->damaged = access(s->dir, F_OK) == 0;
		return;
	}
	text = read_file(s->trust, s->path, &len);
	if (text == NULL) {
		s->damaged = errno != ENOENT && errno != ENOTDIR;
		if (errno == EPERM)
			place_set_aside(s->path);
		return;
	}
	if (!read_lines(s, text, len)) {
		s->damaged = true;
		save_damaged(s, text, len);
	}
	free(text);
}

/* A child of a daemon that was killed may not have closed the lock yet. */
static int
take_lock_soon(struct store *s)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };
	int tries = 0;

	while (take_lock(s) == -1) {
		if (errno != EWOULDBLOCK || ++tries == LOCK_TRIES)
			return -1;
		nanosleep(&pause, NULL);
	}
	return 0;
}

bool
store_open(struct store *s, char *why, size_t size)
{
	if (take_lock_soon(s) == -1) {
		if (errno == EWOULDBLOCK) {
			snprintf(why, size,
			    "%s: another watchpathd is running on this state",
			    s->lock_path);
			return false;
		}
		fail_lock(s);
	}
	read_state(s);
	return true;
}

bool
store_take(struct store *s, const char *rule, struct record *out)
{
	struct record *k = map_get(&s->kept, rule);

	if (k == NULL)
		return false;
	map_remove(&s->kept, rule);
	*out = *k;
	free(k);
	return true;
}

bool
store_is_damaged(const struct store *s)
{
	return s->damaged;
}

/* What the new file is still to get. It counts only once it is whole and in place. */
static bool
flush_next(struct store *s)
{
	size_t len = s->next.len;

	if (s->next_fd == -1)
		return false;
	if (fd_write_all(s->next_fd, s->next.p, len) == len) {
		s->next.len = 0;
		return true;
	}
	fail(s, "write", s->next_path);
	return false;
}

static void
put_next(struct store *s, const char *line, size_t len)
{
	buf_add(&s->next, line, len);
	if (s->next.len >= NEXT_BYTES)
		flush_next(s);
}

static void
put_line(struct store *s, const char *line)
{
	size_t len = strlen(line);

	if (s->next_fd != -1)
		put_next(s, line, len);
	if (s->fd == -1)
		return;
	if (!fd_is_at(s->fd, s->path) || !fd_append(s->fd, line, len, s->size)) {
		fail(s, "write", s->path);
		fd_close(&s->fd);
		return;
	}
	s->size += (off_t)len;
}

size_t
store_put(struct store *s, const struct record *r)
{
	char *line;
	size_t len;

	if (s->fd == -1 && s->next_fd == -1)
		return 0;
	line = record_print(r);
	len = strlen(line);
	put_line(s, line);
	free(line);
	return len;
}

void
store_leave(struct store *s, struct record *r)
{
	r->left = realtime_ns();
	store_put(s, r);
	keep(s, r);
}

/* Waits for the child; its file is obsolete, so the result is ignored. */
static void
abandon_syncer(struct store *s)
{
	while (waitpid(s->syncer, NULL, 0) == -1 && errno == EINTR)
		;
	s->syncer = 0;
	s->sync_at = MONO_NEVER;
}

bool
store_begin(struct store *s)
{
	s->retry_at = MONO_NEVER;
	fd_close(&s->next_fd);
	if (s->syncer != 0)
		abandon_syncer(s);
	if (!fd_is_at(s->lock_fd, s->lock_path) && take_lock(s) == -1) {
		fail_lock(s);
		return false;
	}
	s->next.len = 0;
	s->next_fd = create(s->next_path);
	if (s->next_fd == -1)
		fail(s, "open", s->next_path);
	return s->next_fd != -1;
}

/* Adds the rules that are not in force, but for those that left long ago. */
static void
put_kept(struct store *s)
{
	int64_t now = realtime_ns();
	struct record *k;
	char *line;
	size_t i;

	for (i = 0; i < s->kept.cap && s->next_fd != -1; i++) {
		k = s->kept.slots[i].value;
		if (k == NULL)
			continue;
		if (k->left == 0 || k->left > now)
			k->left = now;
		if (now - k->left > KEEP_NS)
			continue;
		line = record_print(k);
		put_next(s, line, strlen(line));
		free(line);
	}
}

/* Makes the rename durable, if the system can do that. */
static void
sync_directory(const struct store *s)
{
	int dir = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir == -1)
		return;
	fsync(dir);
	close(dir);
}

/* The new file is on the disk: it becomes the file. */
static bool
put_in_place(struct store *s)
{
	/* What came while a child waited for the disk. */
	if (!flush_next(s))
		return false;
	if (rename(s->next_path, s->path) == -1) {
		fail(s, "rename", s->next_path);
		return false;
	}
	fd_close(&s->fd);
	s->fd = s->next_fd;
	s->next_fd = -1;
	s->size = s->fresh_size = lseek(s->fd, 0, SEEK_END);
	s->problem[0] = '\0';
	return true;
}

/* A child that waits for the disk and calls nothing else but _exit. */
static bool
start_syncer(struct store *s, mono_t now)
{
	s->syncer = fork();
	if (s->syncer == 0) {
		close(s->lock_fd);
		_exit(fd_sync(s->next_fd) == 0 ? 0 : 1);
	}
	s->sync_at = mono_add(now, SYNC_POLL_NS);
	return s->syncer > 0;
}

bool
store_end(struct store *s, bool durable)
{
	put_kept(s);
	if (!flush_next(s))
		return false;
	buf_clear(&s->next);
	if (!durable && start_syncer(s, mono_now()))
		return true;
	s->syncer = 0;
	if (fd_sync(s->next_fd) == -1) {
		fail(s, "fsync", s->next_path);
		return false;
	}
	if (!put_in_place(s))
		return false;
	sync_directory(s);
	return true;
}

const char *
store_problem(const struct store *s)
{
	return s->problem[0] != '\0' ? s->problem : NULL;
}

const char *
store_note(const struct store *s)
{
	return s->note[0] != '\0' ? s->note : NULL;
}

static void
check_syncer(struct store *s, mono_t now)
{
	int status;
	pid_t pid = waitpid(s->syncer, &status, WNOHANG);

	if (pid == 0 || (pid == -1 && errno == EINTR)) {
		s->sync_at = mono_add(now, SYNC_POLL_NS);
		return;
	}
	s->syncer = 0;
	s->sync_at = MONO_NEVER;
	if (s->next_fd == -1)
		return;
	if (pid == -1 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		errno = EIO;
		fail(s, "fsync", s->next_path);
		return;
	}
	put_in_place(s);
}

void
store_check(struct store *s, mono_t now)
{
	const char *gone = NULL;

	if (s->fd != -1 && !fd_is_at(s->fd, s->path))
		gone = s->path;
	if (s->lock_fd != -1 && !fd_is_at(s->lock_fd, s->lock_path))
		gone = s->lock_path;
	if (gone == NULL)
		return;
	fail(s, "find", gone);
	fd_close(&s->fd);
	/* Take the lock before another daemon takes the directory. */
	if (fd_is_at(s->lock_fd, s->lock_path) || take_lock(s) == 0)
		s->retry_at = now;
}

bool
store_due(struct store *s, mono_t now)
{
	if (s->syncer != 0) {
		if (!mono_before(now, s->sync_at))
			check_syncer(s, now);
		return false;
	}
	if (s->next_fd != -1)
		return false;
	if (!mono_before(now, s->retry_at) || s->size > 2 * s->fresh_size + SLACK)
		return store_begin(s);
	return false;
}

mono_t
store_deadline(const struct store *s)
{
	return s->syncer != 0 ? s->sync_at : s->retry_at;
}
