/* SPDX-License-Identifier: MIT */
/*
 * Watching against a model that is the file system itself: random bursts of
 * changes, faster than the watcher, to paths, links and patterns, while the
 * kqueue below misbehaves as a native one may. After each burst the last stamp
 * of every path must be what is there, every difference must have been told,
 * and the matches known must be those that exist. Many processes do this at
 * once, as most of the time is waiting. In half of the bursts another process
 * makes the changes while this one is looking. WATCHPATHD_SEED repeats a burst,
 * and WATCHPATHD_WORKERS says how many workers there are of each mode.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/map.h"
#include "base/platform.h"
#include "rules/rule.h"
#include "watch/stamp.h"
#include "base/util.h"
#include "base/fd.h"
#include "base/number.h"
#include "watch/watch.h"

#include "test.h"
#if __has_include("kqueue_test.h")
#include "kqueue_test.h"
#define ON_SHIM 1
#else
#define ON_SHIM 0
#endif

#define WORKERS 4 /* per mode */
#define WORKERS_MAX 1000
#define BURSTS 70 /* per worker */
/* A lack of them is made by taking most; without, there are enough for all there is. */
#define DESCRIPTORS 256
#define FDS_RESERVED 64 /* those for paths are moved to this one and up */

enum failure { FAIL_NEVER, FAIL_NO_ROOM, FAIL_OPEN };

static const struct mode {
	const char *faults;
	enum failure failure;
} modes[] = {
	{ "", FAIL_NEVER },
	{ "shuffle", FAIL_NEVER },
	{ "split", FAIL_NEVER },
	{ "merge", FAIL_NEVER },
	{ "echo,extend", FAIL_NEVER },
	{ "shuffle,split,merge,echo,extend", FAIL_NEVER },
	{ "shuffle,split", FAIL_NO_ROOM },
	{ "shuffle", FAIL_OPEN },
};

#define MODES (sizeof(modes) / sizeof(modes[0]))

/* What is watched: every kind of way that a path can take. */
static const char *const watched[] = { "f", "a/f", "a/b/f", "a/b/c/g", "b/a/x.log", "l",
	"a/l", "l/f", "a/l/b/f", "a/../b/g", "a/l/../f", "a/b/../../m/f", "m/l", "a",
	"a/b", "a/b/c", "b/.h.log", "*/f", "*/*/*.log", "a/[fg]*", "a/.*", "l*/[!.]*",
	"*/b/*/g", "*/l/x.log", "*/*/../f", "?/m", "*" };

#define WATCHED (sizeof(watched) / sizeof(watched[0]))

/* One path of one entry. */
struct rec {
	char *key; /* entry, space, path */
	const char *path;
	size_t entry;
	struct stamp last, before;
	unsigned diff;
	int looks, gone, error;
	bool known, was_known, expected;
	struct rec *next;
};

static struct {
	char top[PATH_MAX], root[PATH_MAX + 64];
	struct loop *loop;
	struct watch *watch;
	struct watch_entry *entries[WATCHED];
	struct map recs;
	struct rec *all;
	int fence;
	uint64_t random;
	unsigned long seed;
	const struct mode *mode;
	int burst;
	struct buf story; /* what was done since the last check */
	int files[4];     /* descriptors that stay open */
	int hogs[DESCRIPTORS], nhogs;
	bool failing;
	bool apart, contended; /* the other process; this one while there is one */
	int descriptors;
} w;

/* Tells all there is to know, and ends this worker. */
static void
die(const char *what, const char *more)
{
	fprintf(stderr, "WATCHPATHD_SEED=%lu, faults '%s', burst %d: %s %s\n%s\n", w.seed,
	    w.mode->faults, w.burst, what, more, w.story.p != NULL ? w.story.p : "");
	_exit(1);
}

/* xorshift64* */
static uint32_t
below(uint32_t n)
{
	w.random ^= w.random >> 12;
	w.random ^= w.random << 25;
	w.random ^= w.random >> 27;
	return (uint32_t)((w.random * UINT64_C(2685821657736338717)) >> 33) % n;
}

#define one_of(list) list[below(sizeof(list) / sizeof((list)[0]))]

/* Definitions that the linker prefers to the archive's and libc's. */

const bool platform_has_tcc = false;

char *
platform_alias(const char *path)
{
	(void)path;
	return NULL;
}

bool
platform_folds_names(void)
{
	return false;
}

bool
platform_mounts_changed(void)
{
	return false;
}

int
platform_remote_mounts(struct strv *out)
{
	strv_clear(out);
	return 0;
}

static bool
fails(void)
{
	static const int errors[] = { EMFILE, ENFILE, EINTR, EACCES };

	if (!w.failing || below(5) != 0)
		return false;
	errno = one_of(errors);
	return true;
}

int
open(const char *path, int flags, ...)
{
	return fails() ? -1 : openat(AT_FDCWD, path, flags, 0666);
}

DIR *
opendir(const char *path)
{
	int fd;
	DIR *d;

	if (fails())
		return NULL;
	fd = openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return NULL;
	d = fdopendir(fd);
	if (d == NULL)
		close(fd);
	return d;
}

/* Waits for some tens of microseconds, as long as a look takes, or not at all. */
static void
hesitate(void)
{
	struct timespec pause = { .tv_nsec = (long)below(200) * 1000 };

	if (below(2) == 0)
		nanosleep(&pause, NULL);
}

#if ON_SHIM && defined(__LP64__)
/* A change is most harmful between a listing's last name and what it is for. */
struct dirent *
readdir(DIR *d)
{
	struct dirent64 *e = readdir64(d); /* on 64 bits both are one */

	if (e == NULL && w.contended)
		hesitate();
	return (struct dirent *)(void *)e;
}
#endif

static int
look_at(struct stamp *s, const char *path)
{
	struct stat st;

	*s = (struct stamp){ .present = false };
	if (fstatat(AT_FDCWD, path, &st, 0) == -1)
		return errno == ENOENT || errno == ENOTDIR ? 0 : errno;
	s->present = true;
	s->mode = st.st_mode;
	s->uid = st.st_uid;
	s->gid = st.st_gid;
	s->ino = st.st_ino;
	s->size = (uint64_t)st.st_size;
#if ON_SHIM
	s->mtime_ns = (int64_t)st.st_mtim.tv_sec * MONO_SEC + st.st_mtim.tv_nsec;
#else
	s->mtime_ns =
	    (int64_t)st.st_mtimespec.tv_sec * MONO_SEC + st.st_mtimespec.tv_nsec;
#endif
	return 0;
}

/* A FIFO is never opened: nobody tells of its mode. */
static bool
is_equal(const struct stamp *a, const struct stamp *b)
{
	bool fifos = S_ISFIFO(a->mode) && S_ISFIFO(b->mode);

	return a->present == b->present && (a->mode == b->mode || fifos) &&
	       a->uid == b->uid && a->gid == b->gid && a->ino == b->ino &&
	       a->size == b->size && a->mtime_ns == b->mtime_ns;
}

static struct rec *
rec_of(size_t entry, const char *path)
{
	char *key = xasprintf("%zu %s", entry, path);
	struct rec *r = map_get(&w.recs, key);

	if (r != NULL) {
		free(key);
		return r;
	}
	r = xcalloc(1, sizeof(*r));
	r->key = key;
	r->path = strchr(key, ' ') + 1;
	r->entry = entry;
	r->next = w.all;
	w.all = r;
	map_put(&w.recs, key, r);
	return r;
}

static void
on_look(void *arg, struct watch_path *p, const struct stamp *now, unsigned hints,
    mono_t noticed)
{
	size_t entry = (size_t)((struct watch_entry **)arg - w.entries);
	struct rec *r = p->owner;

	if (mono_before(mono_now(), noticed))
		die("noticed in the future:", p->path);
	if (r == NULL)
		r = p->owner = rec_of(entry, p->path);
	r->known = true;
	r->looks++;
	r->error = p->error;
	if (now == NULL)
		return;
	r->diff |= stamp_diff(&r->last, now, hints);
	r->last = *now;
}

static void
on_gone(void *arg, struct watch_path *p)
{
	struct rec *r = p->owner;

	(void)arg;
	if (r == NULL || !r->known)
		die("gone, but never known:", p->path);
	if (r->last.present && !p->unwatched)
		die("gone without a last look:", r->path);
	r->known = false;
	r->gone++;
}

static const struct watch_ops ops = { on_look, on_gone, NULL };

static void
on_fence(void *arg, struct watch_path *p, const struct stamp *now, unsigned hints,
    mono_t noticed)
{
	(void)arg;
	(void)p;
	(void)now;
	(void)hints;
	(void)noticed;
	w.fence++;
}

static const struct watch_ops fence_ops = { on_fence, NULL, NULL };

static int
turn(mono_t deadline)
{
	int n = loop_wait(w.loop, mono_min(deadline, watch_deadline(w.watch)));

	if (n == -1)
		die("loop_wait", strerror(errno));
	watch_due(w.watch, mono_now());
	return n;
}

/* All that was done has been told; see test_watch.c. */
static void
quiet(void)
{
	mono_t next;
	int round, before, idle = 0, fd = openat(AT_FDCWD, w.top, O_RDONLY | O_DIRECTORY);
	int fence = openat(fd, "fence", O_WRONLY | O_APPEND);

	for (round = 0; round < 2; round++) {
		before = w.fence;
		if (write(fence, "x", 1) != 1)
			die("fence", strerror(errno));
		while (w.fence == before) {
			/* Waits are counted, as a busy machine may stand still. */
			if (idle > 200)
				die("no word of the fence", "");
			idle += turn(mono_add(mono_now(), 100 * MONO_MS)) == 0;
		}
		do
			next = watch_deadline(w.watch);
		while (turn(mono_is_never(next) ? mono_now() : next) > 0 ||
		       !mono_is_never(next));
	}
	close(fence);
	close(fd);
}

/* ------------------------------------------------------------------ bursts */

static const char *const dirs[] = { "", "", "a", "a", "b", "a/b", "a/b", "a/c", "b/a",
	"a/b/c", "b/b", "c", "l", "m" };
static const char *const leaves[] = { "f", "f", "g", "x.log", "y.log", ".h.log", "l", "m",
	"a", "b", "c" };
static const char *const texts[] = { "a", "b", "c", "../a", "../b", "f", "a/f", "b/l",
	"l", "../m", "nothing", ".", "..", "a/../b", "/a", "/b/a", "/f" };

struct path {
	char s[2 * PATH_MAX];
};

static struct path
random_path(void)
{
	const char *dir = one_of(dirs), *leaf = one_of(leaves);
	struct path p;

	snprintf(
	    p.s, sizeof(p.s), "%s/%s%s%s", w.root, dir, *dir != '\0' ? "/" : "", leaf);
	return p;
}

static struct path
random_dir(void)
{
	const char *dir;
	struct path p;

	do
		dir = one_of(dirs);
	while (*dir == '\0');
	snprintf(p.s, sizeof(p.s), "%s/%s", w.root, dir);
	return p;
}

static bool
is_below(const char *real)
{
	size_t len = strlen(w.root);

	return strncmp(real, w.root, len) == 0 && (real[len] == '/' || real[len] == '\0');
}

/*
 * Links lead out of the sandbox, too, and out there nothing may be changed. If
 * follow, the last component is followed as well, to where a file may be made.
 */
static bool
is_inside(const char *path, bool follow)
{
	char dir[2 * PATH_MAX], real[PATH_MAX], text[PATH_MAX];
	char *slash;
	ssize_t len;
	int links;

	snprintf(dir, sizeof(dir), "%s", path);
	for (links = 0; links < 40; links++) {
		slash = strrchr(dir, '/');
		len = readlink(dir, text, sizeof(text) - 1);
		*slash = '\0';
		if (realpath(dir, real) == NULL || !is_below(real))
			return false;
		if (!follow || len == -1)
			return strcmp(slash + 1, "..") != 0;
		text[len] = '\0';
		if (text[0] == '/')
			snprintf(dir, sizeof(dir), "%s", text);
		else
			snprintf(dir, sizeof(dir), "%s/%s", real, text);
	}
	return false;
}

/* May an operation change what is at p? If not, it is told. */
static bool
may(const struct path *p, bool follow)
{
	if (is_inside(p->s, follow))
		return true;
	buf_addf(&w.story, "  (not outside: %s)\n", p->s);
	return false;
}

static void
tell(const char *what, const char *a, const char *b)
{
	size_t skip = strlen(w.root) + 1;

	buf_addf(&w.story, "  %s %s %s\n", what,
	    strncmp(a, w.root, skip - 1) == 0 ? a + skip : a,
	    strncmp(b, w.root, skip - 1) == 0 ? b + skip : b);
}

static void
do_write(int flags)
{
	static const char bytes[] = "0123456789";
	struct path p = random_path();
	int fd;

	if (!may(&p, true))
		return;
	fd = openat(AT_FDCWD, p.s, O_WRONLY | O_CREAT | O_NONBLOCK | flags, 0644);
	tell(flags & O_APPEND ? "append" : "write", p.s, "");
	if (fd == -1)
		return;
	if (write(fd, bytes, 1 + below(9)) == -1)
		tell("(write failed)", "", "");
	close(fd);
}

static void
do_keep_open(void)
{
	struct path p = random_path();
	int *fd = &w.files[below(4)];

	if (!may(&p, true))
		return;
	tell("keep open", p.s, "");
	if (*fd != -1)
		close(*fd);
	*fd = openat(AT_FDCWD, p.s, O_WRONLY | O_APPEND | O_NONBLOCK);
}

static void
do_use_open(void)
{
	int fd = w.files[below(4)];

	tell("through an open descriptor", "", "");
	if (below(4) == 0 ? ftruncate(fd, 3) : write(fd, "more", 4) == -1)
		tell("(failed)", "", "");
}

static void
do_truncate(void)
{
	struct path p = random_path();
	off_t size = below(6);
	int r = may(&p, true) ? truncate(p.s, size) : -1;

	tell(r == 0 ? "truncate" : "truncate (failed)", p.s, "");
}

static void
do_rename(void)
{
	struct path from = below(2) == 0 ? random_dir() : random_path();
	struct path to = below(2) == 0 ? random_dir() : random_path();
	int r = may(&from, false) && may(&to, false) ? rename(from.s, to.s) : -1;

	tell(r == 0 ? "rename" : "rename (failed)", from.s, to.s);
}

static void
do_remove_tree(void)
{
	struct path p = random_dir();

	if (!may(&p, false))
		return;
	tell("rm -r", p.s, "");
	remove_tree(p.s);
}

static void
do_unlink(void)
{
	struct path p = random_path();
	int r = may(&p, false) ? unlink(p.s) : -1;

	tell(r == 0 ? "unlink" : "unlink (failed)", p.s, "");
}

static void
do_make_dirs(void)
{
	struct path p = random_dir();
	char *s;

	tell("mkdir -p", p.s, "");
	for (s = p.s + strlen(w.root) + 1; (s = strchr(s, '/')) != NULL; s++) {
		*s = '\0';
		if (may(&p, false))
			mkdir(p.s, 0755);
		*s = '/';
	}
	if (may(&p, false))
		mkdir(p.s, 0755);
}

/* A link where there was none, or in place of what was there. */
static void
do_link(void)
{
	struct path p = random_path(), tmp;
	const char *text = one_of(texts);
	struct path full;
	bool in_place;

	snprintf(full.s, sizeof(full.s), "%s%s", text[0] == '/' ? w.root : "", text);
	tell("ln -s", full.s, p.s);
	in_place = below(2) == 0;
	if (!may(&p, false))
		return;
	if (in_place) {
		if (symlink(full.s, p.s) == -1)
			tell("(failed)", "", "");
		return;
	}
	snprintf(tmp.s, sizeof(tmp.s), "%s/link", w.top);
	if (symlink(full.s, tmp.s) == 0 && rename(tmp.s, p.s) != 0)
		unlink(tmp.s);
}

static void
do_replace(void)
{
	struct path p = random_path(), tmp;
	int fd;

	tell("replace", p.s, "");
	snprintf(tmp.s, sizeof(tmp.s), "%s/new", w.top);
	fd = openat(AT_FDCWD, tmp.s, O_WRONLY | O_CREAT, 0644);
	if (fd == -1 || write(fd, "replaced", 1 + below(8)) == -1)
		die("replace", strerror(errno));
	close(fd);
	if (!may(&p, false) || rename(tmp.s, p.s) != 0)
		unlink(tmp.s);
}

static void
do_hard_link(void)
{
	struct path from = random_path(), to = random_path();
	int r = may(&from, false) && may(&to, false) ? link(from.s, to.s) : -1;

	tell(r == 0 ? "ln" : "ln (failed)", from.s, to.s);
}

static void
do_chmod(void)
{
	struct path p = random_path();
	mode_t mode = 0700 | below(8);
	int r = may(&p, true) ? fchmodat(AT_FDCWD, p.s, mode, 0) : -1;

	tell(r == 0 ? "chmod" : "chmod (failed)", p.s, "");
}

static void
do_fifo(void)
{
	struct path p = random_path();
	int r = may(&p, false) ? mkfifo(p.s, 0600) : -1;

	tell(r == 0 ? "mkfifo" : "mkfifo (failed)", p.s, "");
}

static void do_something(void);

static void
do_move_away_and_back(void)
{
	struct path p = below(3) == 0 ? random_path() : random_dir(), aside;
	uint32_t n = below(4);

	snprintf(aside.s, sizeof(aside.s), "%s/aside", w.top);
	tell("move away", p.s, "");
	if (!may(&p, false) || rename(p.s, aside.s) != 0)
		return;
	while (n-- > 0)
		do_something();
	if (!may(&p, false) || rename(aside.s, p.s) != 0)
		remove_tree(aside.s);
	tell("move back", p.s, "");
}

/* Away and back, faster than a look, and in the end either. */
static void
do_flicker(void)
{
	struct path p = random_path(), aside;
	uint32_t n = 1 + below(6);

	snprintf(aside.s, sizeof(aside.s), "%s/flicker", w.top);
	tell("flicker", p.s, n % 2 == 0 ? "back" : "away");
	for (; n > 0 && may(&p, false); n--)
		if (rename(p.s, aside.s) != 0)
			rename(aside.s, p.s);
	remove_tree(aside.s);
}

static void
do_something(void)
{
	switch (below(20)) {
	case 0:
	case 1:
	case 2:
		do_write(below(2) == 0 ? O_TRUNC : 0);
		break;
	case 3:
		do_write(O_APPEND);
		break;
	case 4:
		do_truncate();
		break;
	case 5:
		do_keep_open();
		break;
	case 6:
		do_use_open();
		break;
	case 7:
	case 8:
		do_rename();
		break;
	case 9:
		do_remove_tree();
		break;
	case 10:
		do_unlink();
		break;
	case 11:
	case 12:
	case 13:
		do_make_dirs();
		break;
	case 14:
	case 15:
		do_link();
		break;
	case 16:
		do_replace();
		break;
	case 17:
		do_hard_link();
		break;
	case 18:
		below(4) == 0 ? do_fifo() : do_chmod();
		break;
	default:
		if (faccessat(AT_FDCWD, w.top, F_OK, 0) == 0 && below(2) == 0)
			do_chmod();
		else
			do_move_away_and_back();
	}
	if (!w.apart && below(3) == 0)
		tell(turn(mono_now()) > 0 ? "(an event)" : "(no event)", "", "");
}

/* ------------------------------------------------------------------ checks */

/*
 * Marks the paths that a pattern stands for, found without the watcher: dir is
 * what of it is known, rest what is left.
 */
static void
mark_expected(size_t entry, const char *dir, const char *rest)
{
	size_t len = strcspn(rest, "/");
	char *part = xstrndup(rest, len), *path;
	const char *more = rest + len + strspn(rest + len, "/");
	struct dirent *ent;
	struct rec *r;
	DIR *d;

	if (*rest == '\0') {
		r = rec_of(entry, dir);
		r->expected = true;
	} else if (strpbrk(part, "*?[") == NULL) {
		path = xasprintf("%s/%s", dir, part);
		mark_expected(entry, path, more);
		free(path);
	} else if ((d = opendir(dir)) != NULL) {
		while ((ent = readdir(d)) != NULL) {
			if (strcmp(ent->d_name, ".") == 0 ||
			    strcmp(ent->d_name, "..") == 0 ||
			    fnmatch(part, ent->d_name, FNM_PERIOD) != 0)
				continue;
			if (*more != '\0' && ent->d_type != DT_DIR &&
			    ent->d_type != DT_LNK)
				continue;
			path = xasprintf("%s/%s", dir, ent->d_name);
			mark_expected(entry, path, more);
			free(path);
		}
		closedir(d);
	}
	free(part);
}

/* A directory that cannot be read keeps the matches it had. */
static bool
has_unreadable_part(const char *path)
{
	struct stat st;
	char *copy = xstrdup(path), *s;
	bool found = false;

	for (s = copy + strlen(w.root); !found && *s != '\0'; s++) {
		s += strcspn(s, "/");
		if (*s == '\0')
			break;
		*s = '\0';
		found = fstatat(AT_FDCWD, copy, &st, 0) == -1 && errno == ELOOP;
		*s = '/';
	}
	free(copy);
	return found;
}

static void
check_matches(void)
{
	struct rec *r;
	size_t i;

	for (r = w.all; r != NULL; r = r->next)
		r->expected = false;
	for (i = 0; i < WATCHED; i++)
		mark_expected(i, w.root, watched[i]);
	for (r = w.all; r != NULL; r = r->next) {
		if (r->expected && !r->known)
			die("a match that is not known:", r->key);
		if (r->known && !r->expected && !has_unreadable_part(r->path))
			die("known, and no match:", r->key);
	}
}

static void
tell_stamp(const char *what, int error, const struct stamp *s)
{
	buf_addf(&w.story,
	    "%s: error %d, present %d, mode %o, ino %d, size %d, mtime %lld\n", what,
	    error, s->present, (unsigned)s->mode, (int)s->ino, (int)s->size,
	    (long long)s->mtime_ns);
}

/* What is wrong with what was told of a path, or NULL. */
static const char *
fault(const struct rec *r, const struct stamp *now, int error)
{
	bool differs = error == 0 && !is_equal(now, &r->before);

	/* A circle of links that leads over many names has two reasons to end. */
	if (error == ELOOP && r->error == ENAMETOOLONG)
		error = ENAMETOOLONG;
	if (r->known && r->error != error)
		return "the wrong error:";
	if (r->known && error == 0 && !is_equal(now, &r->last))
		return "the last stamp is old:";
	if (r->known && r->was_known && differs && r->diff == 0)
		return "a change that was not told:";
	if (!r->known && r->was_known && r->gone == 0)
		return "gone without a word:";
	if (!r->known && r->was_known && differs && !now->present &&
	    (r->diff & CHANGE_DELETE) == 0)
		return "a deletion that was not told:";
	return NULL;
}

static bool
check_path(struct rec *r)
{
	struct stamp now;
	int error = look_at(&now, r->path);
	const char *what = fault(r, &now, error);

	if (what != NULL) {
		buf_addf(&w.story, "%s %s, looks %d\n", what, r->key, r->looks);
		tell_stamp("was", 0, &r->before);
		tell_stamp("told", r->error, &r->last);
		tell_stamp("is", error, &now);
	}
	/* After an error what was last told stands. */
	r->before = error == 0 ? now : r->last;
	r->was_known = r->known;
	r->diff = 0;
	r->gone = r->looks = 0;
	return what == NULL;
}

static void
check_all(void)
{
	struct rec *r;
	bool good = true;

	check_matches();
	for (r = w.all; r != NULL; r = r->next)
		good &= check_path(r);
	if (!good)
		die("what was told is not what is there", "");
}

/* ----------------------------------------------------------------- workers */

static void
watch_one(size_t i)
{
	char *path = xasprintf("%s/%s", w.root, watched[i]);

	w.entries[i] = watch_add(w.watch, path, &ops, &w.entries[i]);
	free(path);
}

static void
forget_entry(size_t i)
{
	struct rec *r;

	watch_remove(w.watch, w.entries[i]);
	for (r = w.all; r != NULL; r = r->next)
		if (r->entry == i) {
			r->known = r->was_known = false;
			r->last = (struct stamp){ .present = false };
		}
}

static int
open_descriptors(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static void
let_fail(void)
{
	int fd, end;

	w.failing = w.mode->failure == FAIL_OPEN;
	if (w.mode->failure != FAIL_NO_ROOM)
		return;
	/* All but a few of those for paths; what is below is ours. */
	end = DESCRIPTORS - (int)below(16);
	while ((fd = fcntl(0, F_DUPFD_CLOEXEC, FDS_RESERVED)) != -1) {
		w.hogs[w.nhogs++] = fd;
		if (fd >= end)
			break;
	}
}

static void
let_succeed(void)
{
	bool failed = w.failing || w.nhogs > 0;

	w.failing = false;
	while (w.nhogs > 0)
		close(w.hogs[--w.nhogs]);
	if (failed) {
		quiet();
		watch_recheck(w.watch);
	}
}

/* What the other process did, which it has written into the pipe. */
static void
read_story(int fd)
{
	char part[4096];
	ssize_t n;

	tell("another process, meanwhile:", "", "");
	while ((n = read(fd, part, sizeof(part))) > 0)
		buf_add(&w.story, part, (size_t)n);
	close(fd);
}

/* Another process does n things while this one turns its loop. */
static void
do_apart(uint32_t n)
{
	int status, fds[2];
	pid_t pid = -1;

	if (pipe(fds) == -1 || (pid = fork()) == -1)
		die("fork", strerror(errno));
	if (pid == 0) {
		w.apart = true;
		w.failing = false;
		w.story.len = 0;
		for (; n > 0; n--) {
			below(2) == 0 ? do_flicker() : do_something();
			hesitate();
		}
		_exit(w.story.len > 0 && write(fds[1], w.story.p, w.story.len) == -1);
	}
	close(fds[1]);
	w.random ^= (uint64_t)n << 32 | 1;
	w.contended = true;
	while (waitpid(pid, &status, WNOHANG) == 0)
		turn(mono_now());
	w.contended = false;
	if (status != 0)
		die("the other process", "");
	read_story(fds[0]);
}

static void
burst(void)
{
	uint32_t n = 1 + below(below(4) == 0 ? 30 : 8);
	size_t i;

	if (below(2) == 0)
		let_fail();
	if (w.nhogs == 0 && below(2) == 0) {
		do_apart(3 * n);
		n = 0;
	}
	while (n-- > 0)
		do_something();
	if (below(20) == 0) {
		i = below(WATCHED);
		tell("watched anew:", watched[i], "");
		forget_entry(i);
		watch_one(i);
	}
	if (below(20) == 0)
		watch_recheck(w.watch);
	let_succeed();
	quiet();
	check_all();
	w.story.len = 0;
}

static void
start_worker(void)
{
	const char *tmp = getenv("TMPDIR");
	char template[PATH_MAX], *fence;
	struct rlimit l = { .rlim_cur = DESCRIPTORS, .rlim_max = DESCRIPTORS };
	size_t i;
	int fd;

	snprintf(template, sizeof(template), "%s/test_model.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(template) == NULL || realpath(template, w.top) == NULL)
		die("mkdtemp", strerror(errno));
	/* So deep that no way of two dots leads to what others use. */
	snprintf(w.root, sizeof(w.root), "%s", w.top);
	for (i = 0; i < 8; i++) {
		snprintf(
		    w.root + strlen(w.root), sizeof(w.root) - strlen(w.root), "/deep");
		mkdir(w.root, 0755);
	}
	fence = xasprintf("%s/fence", w.top);
	fd = openat(AT_FDCWD, fence, O_WRONLY | O_CREAT, 0644);
	close(fd);
	for (i = 0; i < 4; i++)
		w.files[i] = -1;
	if (w.mode->failure == FAIL_NO_ROOM)
		setrlimit(RLIMIT_NOFILE, &l);
	fdlimit_init();
	setenv("KQUEUE_FAULTS", w.mode->faults, 1);
	w.loop = loop_new();
	if (w.loop == NULL)
		die("loop_new", strerror(errno));
	w.watch = watch_new(w.loop);
	w.descriptors = open_descriptors();
	watch_add(w.watch, fence, &fence_ops, NULL);
	free(fence);
	for (i = 0; i < WATCHED; i++)
		watch_one(i);
}

/* With nothing watched but the fence, nothing else may be left open. */
static void
end_worker(void)
{
	struct rec *r;
	size_t i;

	for (i = 0; i < WATCHED; i++)
		watch_remove(w.watch, w.entries[i]);
	for (i = 0; i < 4; i++)
		if (w.files[i] != -1)
			close(w.files[i]);
#if ON_SHIM
	int fd, knotes = -1;

	for (fd = 0; fd < DESCRIPTORS && knotes < 0; fd++)
		knotes = kqueue_count_knotes(fd);
	/* One for each directory of the way to the fence, and the root. */
	if (open_descriptors() - w.descriptors != knotes - 1)
		die("descriptors without a knote", "");
#endif
	watch_free(w.watch);
	if (open_descriptors() != w.descriptors - 1)
		die("descriptors are left", "");
	loop_free(w.loop);
	while ((r = w.all) != NULL) {
		w.all = r->next;
		free(r->key);
		free(r);
	}
	map_clear(&w.recs);
	buf_clear(&w.story);
	remove_tree(w.top);
}

static void
work(const struct mode *mode, unsigned long seed)
{
	alarm(300);
	w.mode = mode;
	w.seed = seed;
	w.random = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	start_worker();
	for (w.burst = 0; w.burst < BURSTS; w.burst++)
		burst();
	end_worker();
	exit(0);
}

static pid_t workers[MODES][WORKERS_MAX];
static size_t nworkers = WORKERS; /* per mode */

SET_UP_ALL
{
	const char *given = getenv("WATCHPATHD_SEED"), *n = getenv("WATCHPATHD_WORKERS");
	unsigned long seed;
	size_t i, k;

	if (n != NULL && strtoul(n, NULL, 10) - 1 < WORKERS_MAX)
		nworkers = strtoul(n, NULL, 10);
	seed = given != NULL ? strtoul(given, NULL, 10) : (unsigned long)realtime_ns();
	for (k = 0; k < nworkers; k++)
		for (i = 0; i < MODES; i++) {
			workers[i][k] = fork();
			must(workers[i][k]);
			if (workers[i][k] == 0)
				work(&modes[i],
				    given != NULL ? seed : seed + i * nworkers + k);
		}
}

static void
expect_success(size_t mode)
{
	int status, failures = 0;
	size_t k;

	for (k = 0; k < nworkers; k++)
		failures += waitpid(workers[mode][k], &status, 0) == -1 || status != 0;
	assert_int_equal(failures, 0);
}

#define MODE_TEST(name, mode)         \
	TEST(name)                    \
	{                             \
		expect_success(mode); \
	}

MODE_TEST(every_burst_is_told, 0)
MODE_TEST(every_burst_is_told_when_events_come_in_any_order, 1)
MODE_TEST(every_burst_is_told_when_bits_come_one_by_one, 2)
MODE_TEST(every_burst_is_told_when_events_are_merged, 3)
MODE_TEST(every_burst_is_told_among_echoes, 4)
MODE_TEST(every_burst_is_told_when_all_goes_wrong_at_once, 5)
MODE_TEST(a_recheck_mends_what_a_lack_of_descriptors_hid, 6)
MODE_TEST(a_recheck_mends_what_errors_of_open_hid, 7)
