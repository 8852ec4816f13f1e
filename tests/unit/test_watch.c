/* SPDX-License-Identifier: MIT */
/*
 * Watching as its caller meets it: a sandbox is changed, and what the looks
 * said is compared with the test's own record. Nothing waits for a time: that
 * something happens is waited for, and that nothing happens is told by a fence,
 * a change of another file whose look comes last.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#if __has_include("kqueue_test.h")
#include <sys/epoll.h>
#endif
#include <sys/event.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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

#define CREATE CHANGE_CREATE
#define MODIFY CHANGE_MODIFY
#define DELETE CHANGE_DELETE
#define ATTRIBUTES CHANGE_ATTRIBUTES

/* What the looks at one path said since the last forget(). */
struct rec {
	char *path;
	struct stamp last;
	unsigned diff;
	int looks, nulls, gone;
	mono_t noticed; /* of the last look */
	int error;
	bool known, unwatched, match, is_fence;
	char why[80];
	struct rec *next;
};

static struct {
	char root[PATH_MAX];
	struct loop *loop;
	struct watch *watch;
	struct map recs;
	struct rec *all;
	int fence;                  /* the next */
	int looks;                  /* at all paths but the fences */
	struct watch_others others; /* as told last */
	int told;                   /* how often they were */
	uint64_t turn_work;         /* of the turn that cost most */
	int turn_calls;
	bool quick; /* baselines only: no fence for each */
} env;

static bool forked; /* a child must not run the parent's other tests */

static void
failed(const char *what, long a, long b, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s: %ld, %ld\n", file, line, what, a, b);
	if (forked)
		_exit(1);
	_fail(file, line);
}

#define check(x)                                              \
	do {                                                  \
		if (!(x))                                     \
			failed(#x, 0, 0, __FILE__, __LINE__); \
	} while (0)
#define check_eq(x, y)                                                              \
	do {                                                                        \
		long check_x = (long)(x), check_y = (long)(y);                      \
		if (check_x != check_y)                                             \
			failed(#x " == " #y, check_x, check_y, __FILE__, __LINE__); \
	} while (0)

/* The absolute path of name in the sandbox. */
static const char *
at(const char *name)
{
	return path_in(env.root, name);
}

/* The next entry of a directory; what readdir(3) is where this one replaces it. */
static struct dirent *
real_readdir(DIR *d)
{
#if ON_SHIM && defined(__LP64__)
	return (struct dirent *)(void *)readdir64(d); /* on 64 bits both are one */
#else
	return LIBC(readdir)(d);
#endif
}

/*
 * The platform and a few calls, by definitions that the linker prefers
 * to the archive's and libc's. What the test itself does goes other ways.
 */
static struct {
	const char *remote[4];
	bool changed, unreadable;
	const char *forbidden; /* this path and all below it: */
	int touched;           /* how often it was asked for */
	const char *denied;    /* nobody may stat this path: */
	int error;
	int interrupts;   /* EINTR for so many opens */
	const char *slow; /* a stat of this path takes 10 ms */
	const char *over; /* who lists this directory lists that one: */
	const char *mounted;
	int opens;            /* below the sandbox */
	void (*act)(void);    /* done once, before or after the call below the */
	int steps;            /* sandbox that brings this to 0 */
	void (*at_end)(void); /* done once, when a listing has no more names */
	int end_error;        /* a listing breaks off with this error */
	ino_t reused;         /* the number that every FIFO has got */
	int tick;             /* times of files are multiples of so many seconds */
	int calls;            /* of those replaced below */
	int wakeups;          /* of the shim */
	bool folds;           /* names below the sandbox are found in any case */
	bool alias;           /* below /alias there is everything once more */
} fake;

const bool platform_has_tcc = true;

bool
platform_mounts_changed(void)
{
	return fake.changed;
}

int
platform_remote_mounts(struct strv *out)
{
	size_t i;

	strv_clear(out);
	if (fake.unreadable)
		return -1;
	for (i = 0; fake.remote[i] != NULL; i++)
		strv_push(out, xstrdup(fake.remote[i]));
	fake.changed = false;
	return 0;
}

char *
platform_alias(const char *path)
{
	return fake.alias ? xasprintf("/alias%s", path) : NULL;
}

bool
platform_folds_names(void)
{
	return fake.folds;
}

static void
touched(const char *path)
{
	size_t len;

	if (fake.forbidden == NULL)
		return;
	len = strlen(fake.forbidden);
	if ((fake.folds ? strncasecmp : strncmp)(path, fake.forbidden, len) == 0 &&
	    (path[len] == '/' || path[len] == '\0'))
		fake.touched++;
}

/* Before and after every call: here someone else may do something. */
static void
step(const char *path)
{
	void (*act)(void) = fake.act;

	if (act == NULL || strncmp(path, env.root, strlen(env.root)) != 0 ||
	    path[strlen(env.root)] != '/' || --fake.steps > 0)
		return;
	fake.act = NULL;
	act();
}

static bool
is_denied(const char *path)
{
	errno = fake.error;
	return fake.denied != NULL && strcmp(path, fake.denied) == 0;
}

/* The name as it is stored, on a volume that does not mind its case. */
static const char *
as_stored(const char *path)
{
	static char stored[2 * PATH_MAX];
	const char *name = strrchr(path, '/');
	struct dirent *e;
	DIR *d;
	int fd;

	if (!fake.folds || strncmp(path, env.root, strlen(env.root)) != 0 ||
	    faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return path;
	snprintf(stored, sizeof(stored), "%.*s", (int)(name - path), path);
	fd = openat(AT_FDCWD, stored, O_RDONLY | O_DIRECTORY);
	d = fd != -1 ? fdopendir(fd) : NULL;
	while (d != NULL && (e = real_readdir(d)) != NULL)
		if (strcasecmp(e->d_name, name + 1) == 0)
			snprintf(stored, sizeof(stored), "%.*s/%s", (int)(name - path),
			    path, e->d_name);
	if (d != NULL)
		closedir(d);
	return stored;
}

/* The times as a volume keeps them that has no fraction of a second. */
static void
coarsen(struct stat *st)
{
	if (fake.tick == 0)
		return;
	st->MTIM = (struct timespec){ .tv_sec = st->MTIM.tv_sec / fake.tick * fake.tick };
	st->CTIM = (struct timespec){ .tv_sec = st->CTIM.tv_sec / fake.tick * fake.tick };
}

int
stat(const char *restrict path, struct stat *restrict st)
{
	const struct timespec while_away = { .tv_nsec = 10 * 1000 * 1000 };

	int r, error;

	fake.calls++;
	touched(path);
	if (fake.slow != NULL && strcmp(path, fake.slow) == 0)
		nanosleep(&while_away, NULL);
	step(path);
	r = is_denied(path) ? -1 : fstatat(AT_FDCWD, as_stored(path), st, 0);
	error = errno;
	coarsen(st);
	step(path);
	errno = error;
	return r;
}

int
lstat(const char *restrict path, struct stat *restrict st)
{
	int r, error;

	fake.calls++;
	touched(path);
	step(path);
	r = is_denied(path) ? -1
			    : fstatat(AT_FDCWD, as_stored(path), st, AT_SYMLINK_NOFOLLOW);
	error = errno;
	step(path);
	errno = error;
	return r;
}

#if ON_SHIM
int
epoll_wait(int fd, struct epoll_event *evs, int n, int ms)
{
	int seen = LIBC(epoll_wait)(fd, evs, n, ms);

	fake.wakeups += seen > 0;
	return seen;
}

int
fstat(int fd, struct stat *st)
{
	int r = fstatat(fd, "", st, AT_EMPTY_PATH);

	if (r == 0 && fake.reused != 0 && S_ISFIFO(st->st_mode))
		st->st_ino = fake.reused;
	return r;
}
#endif

int
open(const char *path, int flags, ...)
{
	int fd, error;

	fake.calls++;
	touched(path);
	if (fake.interrupts > 0) {
		fake.interrupts--;
		errno = EINTR;
		return -1;
	}
	fake.opens += strncmp(path, env.root, strlen(env.root)) == 0;
	step(path);
	fd = openat(AT_FDCWD, as_stored(path), flags, 0666);
	error = errno;
	step(path);
	errno = error;
	return fd;
}

#if ON_SHIM
DIR *
opendir(const char *path)
{
	bool over = fake.over != NULL && strcmp(path, fake.over) == 0;
	int fd = openat(
	    AT_FDCWD, over ? fake.mounted : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd != -1 ? fdopendir(fd) : NULL;
}
#endif

/* The end of a directory is a moment, too. */
struct dirent *
readdir(DIR *d)
{
	struct dirent *e = fake.end_error == 0 ? real_readdir(d) : NULL;
	void (*act)(void) = fake.at_end;

	fake.calls++;
	if (e != NULL)
		return e;
	fake.at_end = NULL;
	if (act != NULL)
		act();
	step(at("end"));
	errno = fake.end_error;
	return NULL;
}

static struct rec *
rec_of(const char *path)
{
	struct rec *r = map_get(&env.recs, path);

	if (r != NULL)
		return r;
	r = xcalloc(1, sizeof(*r));
	r->path = xstrdup(path);
	r->next = env.all;
	env.all = r;
	map_put(&env.recs, r->path, r);
	return r;
}

static void
on_look(void *arg, struct watch_path *p, const struct stamp *now, unsigned hints,
    mono_t noticed)
{
	struct rec *r = p->owner;

	(void)arg;
	check(!mono_before(mono_now(), noticed));
	if (r == NULL)
		r = p->owner = rec_of(p->path);
	r->known = true;
	r->looks++;
	r->noticed = noticed;
	env.looks += !r->is_fence;
	r->error = p->error;
	r->unwatched = p->unwatched;
	r->match = p->match;
	snprintf(r->why, sizeof(r->why), "%s", p->why != NULL ? p->why : "");
	if (now == NULL) {
		r->nulls++;
		return;
	}
	r->diff |= stamp_diff(&r->last, now, hints);
	r->last = *now;
}

static void
on_gone(void *arg, struct watch_path *p)
{
	struct rec *r = p->owner;

	(void)arg;
	r->known = false;
	r->gone++;
}

static void
on_others(void *arg, const struct watch_others *now)
{
	(void)arg;
	env.others = *now;
	env.told++;
}

static const struct watch_ops ops = { on_look, on_gone, on_others };

static struct rec *
rec(const char *name)
{
	return rec_of(at(name));
}

static unsigned
diff(const char *name)
{
	return rec(name)->diff;
}

/* One turn of a daemon's loop that has nothing else to do until deadline. */
static int
turn(mono_t deadline)
{
	int n = loop_wait(env.loop, mono_min(deadline, watch_deadline(env.watch)));
	uint64_t work = watch_work(env.watch);
	int calls = fake.calls;

	check(n != -1);
	watch_due(env.watch, mono_now());
	work = watch_work(env.watch) - work;
	calls = fake.calls - calls;
	if (work > env.turn_work)
		env.turn_work = work;
	if (calls > env.turn_calls)
		env.turn_calls = calls;
	return n;
}

/* Waits are counted and not timed, as a busy machine may stand still. */
#define eventually(x)                                                           \
	do {                                                                    \
		int idle = 0;                                                   \
		while (!(x)) {                                                  \
			if (idle > 100)                                         \
				failed(#x, 0, 0, __FILE__, __LINE__);           \
			idle += turn(mono_add(mono_now(), 100 * MONO_MS)) == 0; \
		}                                                               \
	} while (0)

static void
write_file(const char *name, int flags, const char *text)
{
	int fd = openat(AT_FDCWD, at(name), O_WRONLY | O_CREAT | flags, 0644);

	if (fd == -1 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		failed(name, errno, 0, __FILE__, __LINE__);
	close(fd);
}

static void
put(const char *name, const char *text)
{
	write_file(name, O_TRUNC, text);
}

static void
append(const char *name, const char *text)
{
	write_file(name, O_APPEND, text);
}

/* The file appears whole, under its name or in place of what had it. */
static void
place(const char *name, const char *text)
{
	put("made", text);
	check_eq(rename(at("made"), at(name)), 0);
}

static void
move(const char *from, const char *to)
{
	check_eq(rename(at(from), at(to)), 0);
}

static void
make_link(const char *text, const char *name)
{
	check_eq(symlink(text, at(name)), 0);
}

/* A link in place of another, in one step. */
static void
retarget(const char *text, const char *name)
{
	make_link(text, "made");
	move("made", name);
}

/* mkdir -p */
static void
make_dirs(const char *name)
{
	char path[PATH_MAX];
	char *p;

	snprintf(path, sizeof(path), "%s", at(name));
	for (p = path + strlen(env.root) + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		mkdir(path, 0755);
		*p = '/';
	}
	check(mkdir(path, 0755) == 0 || errno == EEXIST);
}

static int
wipe_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
wipe(const char *name)
{
	check_eq(nftw(at(name), wipe_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void
run_until_idle(void)
{
	mono_t next;

	do
		next = watch_deadline(env.watch);
	while (turn(mono_is_never(next) ? mono_now() : next) > 0 || !mono_is_never(next));
}

/* Several, so that none must wait until it may be looked at again. */
static const char *const fences[] = { "fence0", "fence1", "fence2", "fence3", "fence4",
	"fence5", "fence6", "fence7" };

#define FENCES ((int)(sizeof(fences) / sizeof(fences[0])))

/*
 * Everything that was done before has been told. Two rounds, because what was
 * held back when the first fence came may have been let go behind it.
 */
static void
quiet(void)
{
	const char *fence;
	int round, before;

	for (round = 0; round < 2; round++) {
		fence = fences[env.fence++ % FENCES];
		before = rec(fence)->looks;
		append(fence, "x");
		eventually(rec(fence)->looks > before);
		run_until_idle();
	}
}

static void
forget(void)
{
	struct rec *r;

	quiet();
	for (r = env.all; r != NULL; r = r->next) {
		r->diff = 0;
		r->looks = r->nulls = r->gone = 0;
	}
	env.looks = 0;
}

static struct watch_entry *
watch(const char *name)
{
	struct watch_entry *e = watch_add(env.watch, at(name), &ops, NULL);

	if (!env.quick)
		forget();
	return e;
}

/* Waits until the looks at name have said at least bits, then begins anew. */
#define expect(name, bits)                                   \
	do {                                                 \
		eventually((diff(name) & (bits)) == (bits)); \
		forget();                                    \
	} while (0)

/* After all that happened, the looks at name have said just this. */
#define expect_just(name, bits)             \
	do {                                \
		quiet();                    \
		check_eq(diff(name), bits); \
		forget();                   \
	} while (0)

static void
begin(void)
{
	const char *tmp = getenv("TMPDIR");
	char path[PATH_MAX];
	int i;

	memset(&env, 0, sizeof(env));
	memset(&fake, 0, sizeof(fake));
	snprintf(path, sizeof(path), "%s/test_watch.XXXXXX", tmp != NULL ? tmp : "/tmp");
	check(mkdtemp(path) != NULL);
	check(realpath(path, env.root) != NULL);
	fake.changed = true;
	env.loop = loop_new();
	check(env.loop != NULL);
	env.watch = watch_new(env.loop);
	for (i = 0; i < FENCES; i++) {
		put(fences[i], "");
		rec(fences[i])->is_fence = true;
		watch_add(env.watch, at(fences[i]), &ops, NULL);
	}
}

static void
end(void)
{
	struct rec *r;

	watch_free(env.watch);
	loop_free(env.loop);
	wipe("");
	while ((r = env.all) != NULL) {
		env.all = r->next;
		free(r->path);
		free(r);
	}
	map_clear(&env.recs);
}

SET_UP
{
	begin();
}

TEAR_DOWN
{
	end();
}

/* Runs body in a process of its own: limits and users cannot be put back. */
static void
in_child(void (*body)(void))
{
	int status, fd;
	pid_t pid = fork();

	check(pid != -1);
	if (pid == 0) {
		forked = true;
		alarm(60);
		/* Those of the parent's sandbox would count, too. */
		for (fd = STDERR_FILENO + 1; fd < 1024; fd++)
			close(fd);
		begin();
		body();
		end();
		_exit(0);
	}
	check_eq(waitpid(pid, &status, 0), pid);
	check_eq(status, 0);
}

static int
open_descriptors(void)
{
	struct rlimit l;
	int fd, n = 0;

	getrlimit(RLIMIT_NOFILE, &l);
	for (fd = 0; fd < (int)l.rlim_cur && fd < 65536; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

/* Does any of our descriptors stand on the file at path? */
static bool
is_open(const char *path)
{
	struct stat want, st;
	struct rlimit l;
	int fd;

	getrlimit(RLIMIT_NOFILE, &l);
	check_eq(fstatat(AT_FDCWD, path, &want, AT_SYMLINK_NOFOLLOW), 0);
	for (fd = 0; fd < (int)l.rlim_cur && fd < 65536; fd++)
		if (fstat(fd, &st) == 0 && st.st_dev == want.st_dev &&
		    st.st_ino == want.st_ino)
			return true;
	return false;
}

#if ON_SHIM
/* The kqueue that the loop hides, for the shim's counters and injections. */
static int
kqueue_number(void)
{
	int fd;

	for (fd = 0; fd < 256; fd++)
		if (kqueue_count_knotes(fd) >= 0)
			return fd;
	return -1;
}
#endif

/* Posts events that only a real kqueue has to the watcher's descriptor of name. */
static void
inject(const char *name, unsigned fflags, unsigned flags)
{
#if ON_SHIM
	struct stat want, st;
	int fd, done = 0;

	check_eq(fstatat(AT_FDCWD, at(name), &want, 0), 0);
	for (fd = 0; fd < 256 && !done; fd++)
		if (fstat(fd, &st) == 0 && st.st_dev == want.st_dev &&
		    st.st_ino == want.st_ino)
			done = kqueue_inject(kqueue_number(), fd, fflags, flags) == 0;
	check(done);
#else
	(void)name;
	(void)fflags;
	(void)flags;
#endif
}

/* It slows everything down, and has its own idea of the descriptor limit. */
static bool
on_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload != NULL && strstr(preload, "vgpreload") != NULL;
}

static int64_t
cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * MONO_SEC + ts.tv_nsec;
}

/* ------------------------------------------------- paths that come and go */

TEST(a_path_is_seen_when_its_directories_come_one_by_one)
{
	watch("a/b/c/key");
	make_dirs("a");
	quiet();
	make_dirs("a/b");
	quiet();
	make_dirs("a/b/c");
	expect_just("a/b/c/key", 0);
	place("a/b/c/key", "1");
	expect_just("a/b/c/key", CREATE);
	append("a/b/c/key", "2");
	expect_just("a/b/c/key", MODIFY);
}

TEST(a_path_is_seen_when_all_its_directories_come_at_once)
{
	watch("a/b/c/d/e/f/key");
	make_dirs("a/b/c/d/e/f");
	put("a/b/c/d/e/f/key", "1");
	expect("a/b/c/d/e/f/key", CREATE);
	append("a/b/c/d/e/f/key", "2");
	expect_just("a/b/c/d/e/f/key", MODIFY);
}

TEST(a_path_is_seen_when_its_directory_arrives_full)
{
	watch("a/b/key");
	make_dirs("elsewhere/b");
	put("elsewhere/b/key", "1");
	move("elsewhere", "a");
	expect_just("a/b/key", CREATE);
}

TEST(a_path_survives_that_its_directories_are_removed_and_made_again)
{
	int i;

	watch("a/b/key");
	for (i = 0; i < 5; i++) {
		make_dirs("a/b");
		put("a/b/key", "1");
		expect("a/b/key", CREATE);
		wipe("a");
		expect_just("a/b/key", DELETE);
	}
	make_dirs("a/b");
	put("a/b/key", "1");
	wipe("a");
	make_dirs("a/b");
	place("a/b/key", "1");
	expect("a/b/key", CREATE);
	append("a/b/key", "2");
	expect_just("a/b/key", MODIFY);
}

TEST(an_atomic_replacement_is_create_and_modify)
{
	int i;

	place("key", "1");
	watch("key");
	for (i = 0; i < 5; i++) {
		place("key", "1");
		expect_just("key", CREATE | MODIFY);
		append("key", "2");
		expect_just("key", MODIFY);
	}
}

TEST(a_replacement_that_looks_the_same_is_seen)
{
	struct stat st;
	struct timespec times[2];

	place("key", "1");
	check_eq(fstatat(AT_FDCWD, at("key"), &st, 0), 0);
	times[0] = times[1] = (struct timespec){ .tv_sec = st.st_mtime };
	check_eq(utimensat(AT_FDCWD, at("key"), times, 0), 0);
	watch("key");
	put("made", "2");
	check_eq(utimensat(AT_FDCWD, at("made"), times, 0), 0);
	move("made", "key");
	expect_just("key", CREATE | MODIFY);
}

TEST(a_file_that_is_deleted_and_made_again_is_seen)
{
	place("key", "1");
	watch("key");
	check_eq(unlink(at("key")), 0);
	expect_just("key", DELETE);
	place("key", "1");
	expect_just("key", CREATE);
	check_eq(unlink(at("key")), 0);
	place("key", "1");
	expect_just("key", CREATE | MODIFY);
	append("key", "2");
	expect_just("key", MODIFY);
}

TEST(a_file_that_is_moved_away_and_back_between_two_looks_counts)
{
	place("key", "1");
	watch("key");
	move("key", "aside");
	move("aside", "key");
	expect_just("key", CREATE | MODIFY);
	append("key", "2");
	expect_just("key", MODIFY);
	/* It was opened anew once, and not for every change beside it. */
	fake.opens = 0;
	place("other", "1");
	expect_just("key", 0);
	check_eq(fake.opens, 0);
}

/* The look was no event's, and the event finds things as they were before. */
TEST(what_only_a_look_saw_and_is_undone_is_seen_again)
{
	struct watch_entry *e;

	make_dirs("d");
	e = watch("d/key");
	put("d/key", "1");
	check(watch_look(e));
	check_eq(diff("d/key"), CREATE);
	check_eq(unlink(at("d/key")), 0);
	expect_just("d/key", CREATE | DELETE);
	e = watch("a/b/key");
	make_dirs("a/b");
	put("a/b/key", "1");
	check(watch_look(e));
	check_eq(diff("a/b/key"), CREATE);
	wipe("a");
	expect_just("a/b/key", CREATE | DELETE);
	/* An error is something, too: the link leads to a file, to itself, to nothing. */
	make_link("to/key", "link");
	e = watch("link");
	make_link("to", "to");
	check(watch_look(e));
	check_eq(rec("link")->error, ELOOP);
	check_eq(unlink(at("to")), 0);
	expect_just("link", 0);
	check_eq(rec("link")->error, 0);
}

TEST(an_ancestor_may_move_away_and_back)
{
	make_dirs("a/b/c");
	place("a/b/c/key", "1");
	watch("a/b/c/key");
	move("a/b", "aside");
	expect_just("a/b/c/key", DELETE);
	append("aside/c/key", "2");
	expect_just("a/b/c/key", 0);
	move("aside", "a/b");
	expect_just("a/b/c/key", CREATE);
	append("a/b/c/key", "3");
	expect_just("a/b/c/key", MODIFY);
	move("a", "aside");
	append("aside/b/c/key", "4");
	move("aside", "a");
	expect_just("a/b/c/key", MODIFY);
	place("a/b/c/key", "5");
	expect_just("a/b/c/key", CREATE | MODIFY);
}

TEST(an_ancestor_may_be_replaced_by_another_directory)
{
	make_dirs("a/b");
	place("a/b/key", "1");
	make_dirs("other/b");
	place("other/b/key", "1");
	watch("a/b/key");
	move("a", "aside");
	move("other", "a");
	expect_just("a/b/key", CREATE | MODIFY);
	append("aside/b/key", "2");
	expect_just("a/b/key", 0);
	append("a/b/key", "2");
	expect_just("a/b/key", MODIFY);
}

TEST(an_ancestor_may_turn_into_a_file_and_back)
{
	make_dirs("a");
	place("a/key", "1");
	watch("a/key");
	wipe("a");
	put("a", "a file");
	expect_just("a/key", DELETE);
	append("a", "more");
	expect_just("a/key", 0);
	check_eq(unlink(at("a")), 0);
	make_dirs("a");
	place("a/key", "1");
	expect_just("a/key", CREATE);
	append("a/key", "2");
	expect_just("a/key", MODIFY);
}

TEST(a_directory_that_moves_behind_its_name_is_left_alone)
{
	make_dirs("a");
	place("a/key", "1");
	watch("a/key");
	move("a", "b");
	make_dirs("a");
	expect_just("a/key", DELETE);
	place("b/key", "2");
	expect_just("a/key", 0);
	place("a/key", "3");
	expect_just("a/key", CREATE);
}

/* ------------------------------------------------------------------- races */

static void
race_append(void)
{
	append("one/key", "more");
}

static void
race_replace(void)
{
	place("one/key", "another");
}

static void
race_remove(void)
{
	unlink(at("one/key"));
}

static void
race_retarget(void)
{
	retarget("two", "link");
}

static void
race_replace_directory(void)
{
	move("one", "aside");
	move("two", "one");
}

static void
race_make_anew(void)
{
	wipe("one");
	make_dirs("one");
	place("one/key", "anew");
}

static void
race_turn_into_fifo(void)
{
	unlink(at("one/key"));
	check_eq(mkfifo(at("one/key"), 0600), 0);
}

static void
race_make_missing(void)
{
	make_dirs("a/b");
	put("a/b/key", "1");
}

static void
race_add_match(void)
{
	put("one/new", "1");
}

static void
race_move_back(void)
{
	move("aside", "one/key");
}

/* Another file, but only for the next call, or for two. */
static void
race_swap_for_a_moment(void)
{
	move("one/key", "aside");
	put("one/key", "for a moment");
	fake.act = race_move_back;
	fake.steps = 1;
}

static void
race_swap_for_two_moments(void)
{
	race_swap_for_a_moment();
	fake.steps = 2;
}

static void
race_away_again(void)
{
	renameat(AT_FDCWD, at("one/key"), AT_FDCWD, at("aside"));
}

static void
race_back_until_the_next_stat(void)
{
	renameat(AT_FDCWD, at("aside"), AT_FDCWD, at("one/key"));
	fake.act = race_away_again;
	fake.steps = 3;
}

/* It is back at the end of a listing, and away after the stat that follows. */
static void
race_away_from_a_listing(void)
{
	race_away_again();
	fake.at_end = race_back_until_the_next_stat;
}

static bool
is_current(const char *name)
{
	struct rec *r = rec(name);
	struct stat st;

	if (fstatat(AT_FDCWD, at(name), &st, 0) == -1)
		return !r->last.present;
	return r->last.present && r->last.ino == st.st_ino &&
	       r->last.size == (uint64_t)st.st_size && r->last.mode == st.st_mode;
}

/* Is name what was told last, now and after further changes? */
static void
check_watched(const char *name)
{
	struct stat st;

	check_eq(rec(name)->error, 0);
	eventually(is_current(name));
	if (fstatat(AT_FDCWD, at(name), &st, 0) == 0 && S_ISREG(st.st_mode))
		append(name, "last");
	eventually(is_current(name));
	if (faccessat(AT_FDCWD, at(name), F_OK, 0) == 0)
		check_eq(unlink(at(name)), 0);
	eventually(is_current(name));
}

/*
 * Does act at the given step of what adding path, or a change of it, brings
 * about. False if there are not that many. In a sandbox within the sandbox.
 */
static bool
race(const char *path, const char *name, void (*act)(void), int steps, bool at_event)
{
	size_t outside = strlen(env.root);
	struct watch_entry *e;
	bool acted;

	make_dirs("race");
	snprintf(env.root + outside, sizeof(env.root) - outside, "/race");
	make_dirs("one");
	make_dirs("two");
	place("one/key", "1");
	place("two/key", "22");
	make_link("one", "link");
	if (at_event) {
		e = watch_add(env.watch, at(path), &ops, NULL);
		place("one/key", "333");
	}
	fake.steps = steps;
	fake.act = act;
	if (at_event)
		run_until_idle();
	else
		e = watch_add(env.watch, at(path), &ops, NULL);
	acted = fake.act != act;
	fake.act = fake.at_end = NULL;
	check_watched(name);
	watch_remove(env.watch, e);
	rec(name)->last = (struct stamp){ .present = false };
	wipe("");
	env.root[outside] = '\0';
	return acted;
}

static void
race_all(const char *path, const char *name, bool at_event)
{
	static void (*const acts[])(void) = { race_append, race_replace, race_remove,
		race_retarget, race_replace_directory, race_make_anew,
		race_turn_into_fifo, race_make_missing, race_add_match,
		race_swap_for_a_moment, race_swap_for_two_moments,
		race_away_from_a_listing };
	int steps;
	size_t i;

	for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		for (steps = 1; race(path, name, acts[i], steps, at_event); steps++)
			check(steps < 100);
		check(steps > 1);
	}
}

TEST(a_change_at_any_moment_of_adding_a_path_is_seen)
{
	race_all("link/key", "link/key", false);
	race_all("a/b/key", "a/b/key", false);
}

TEST(a_change_at_any_moment_of_a_look_is_seen)
{
	race_all("link/key", "link/key", true);
}

TEST(a_change_at_any_moment_of_following_a_pattern_is_seen)
{
	race_all("l*/k*", "link/key", false);
	race_all("link/k*", "link/key", true);
	race_all("link/n*", "link/new", false);
}

/* ------------------------------------------------------------------ links */

TEST(a_retargeted_link_is_seen_and_so_is_its_new_target)
{
	place("one", "1");
	place("two", "2");
	make_link("one", "link");
	watch("link");
	append("one", "1");
	expect_just("link", MODIFY);
	retarget("two", "link");
	expect_just("link", CREATE | MODIFY);
	append("one", "1");
	expect_just("link", 0);
	append("two", "2");
	expect_just("link", MODIFY);
	place("two", "3");
	expect_just("link", CREATE | MODIFY);
	/* Not at once, and perhaps with the same inode. */
	check_eq(unlink(at("link")), 0);
	make_link("one", "link");
	expect_just("link", CREATE | MODIFY);
	append("one", "1");
	expect_just("link", MODIFY);
	retarget("two", "link");
	forget();
	check_eq(unlink(at("link")), 0);
	expect_just("link", DELETE);
	append("two", "2");
	expect_just("link", 0);
}

TEST(a_link_in_the_middle_of_a_path_may_be_retargeted)
{
	make_dirs("one/sub");
	make_dirs("two/sub");
	place("one/sub/key", "1");
	make_link("one", "link");
	watch("link/sub/key");
	append("one/sub/key", "1");
	expect_just("link/sub/key", MODIFY);
	retarget("two", "link");
	expect_just("link/sub/key", DELETE);
	place("two/sub/key", "2");
	expect_just("link/sub/key", CREATE);
	place("one/sub/key", "3");
	expect_just("link/sub/key", 0);
	wipe("two");
	expect_just("link/sub/key", DELETE);
	make_dirs("two/sub");
	place("two/sub/key", "2");
	expect_just("link/sub/key", CREATE);
}

/* As /var is private/var on every Mac. */
TEST(a_path_below_a_link_at_the_top_is_followed_where_it_leads)
{
	make_dirs("private/var/db");
	make_link("private/var", "var");
	watch("var/db/FileVaultPRK.dat");
	place("private/var/db/FileVaultPRK.dat", "key");
	expect_just("var/db/FileVaultPRK.dat", CREATE);
	place("var/db/FileVaultPRK.dat", "next");
	expect_just("var/db/FileVaultPRK.dat", CREATE | MODIFY);
	move("private/var/db", "private/var/db.old");
	expect_just("var/db/FileVaultPRK.dat", DELETE);
	move("private/var/db.old", "private/var/db");
	expect_just("var/db/FileVaultPRK.dat", CREATE);
	check_eq(unlink(at("var")), 0);
	make_dirs("var/db");
	place("var/db/FileVaultPRK.dat", "other");
	expect("var/db/FileVaultPRK.dat", CREATE);
	append("private/var/db/FileVaultPRK.dat", "old");
	expect_just("var/db/FileVaultPRK.dat", 0);
}

TEST(a_dangling_link_is_followed_to_what_it_waits_for)
{
	make_link("not/yet/key", "link");
	watch("link");
	make_dirs("not");
	expect_just("link", 0);
	make_dirs("not/yet");
	place("not/yet/key", "1");
	expect_just("link", CREATE);
	append("not/yet/key", "2");
	expect_just("link", MODIFY);
	wipe("not");
	expect_just("link", DELETE);
}

TEST(a_link_to_a_link_is_followed_at_every_step)
{
	make_dirs("x");
	make_dirs("y");
	place("x/key", "1");
	place("y/key", "1");
	make_link("x", "third");
	make_link("third", "second");
	make_link("second/key", "first");
	watch("first");
	append("x/key", "2");
	expect_just("first", MODIFY);
	retarget("y", "third");
	expect_just("first", CREATE | MODIFY);
	append("y/key", "2");
	expect_just("first", MODIFY);
	append("x/key", "3");
	expect_just("first", 0);
	retarget("x", "second");
	expect_just("first", CREATE | MODIFY);
	retarget("y", "third");
	retarget("x/key", "third");
	expect_just("first", 0);
	append("x/key", "4");
	expect_just("first", MODIFY);
}

TEST(links_that_lead_in_a_circle_are_an_error_until_they_do_not)
{
	make_link("b", "a");
	make_link("a", "b");
	watch("a/key");
	check_eq(rec("a/key")->error, ELOOP);
	check(rec("a/key")->why[0] != '\0');
	make_dirs("real");
	place("real/key", "1");
	retarget("real", "b");
	expect("a/key", CREATE);
	check_eq(rec("a/key")->error, 0);
	check_eq(rec("a/key")->why[0], '\0');
	retarget("a", "b");
	eventually(rec("a/key")->error == ELOOP);
	check_eq(diff("a/key"), 0);
	check(rec("a/key")->last.present);
	retarget("real", "b");
	eventually(rec("a/key")->error == 0);
	check_eq(diff("a/key"), 0);
}

TEST(two_dots_after_a_link_lead_to_the_targets_parent)
{
	make_dirs("far/away/dir");
	make_dirs("near");
	make_link("../far/away/dir", "near/link");
	watch("near/link/../key");
	place("near/key", "wrong");
	expect_just("near/link/../key", 0);
	place("far/away/key", "right");
	expect_just("near/link/../key", CREATE);
	append("far/away/key", "more");
	expect_just("near/link/../key", MODIFY);
	make_dirs("far/dir");
	retarget(at("far/dir"), "near/link");
	expect_just("near/link/../key", DELETE);
	place("far/key", "1");
	expect_just("near/link/../key", CREATE);
}

TEST(two_dots_need_the_directory_before_them)
{
	int before = open_descriptors();
	struct watch_entry *e;

	place("key", "1");
	e = watch("dir/../key");
	check(!rec("dir/../key")->last.present);
	make_dirs("dir");
	expect_just("dir/../key", CREATE);
	append("key", "2");
	expect_just("dir/../key", MODIFY);
	move("dir", "aside");
	expect_just("dir/../key", DELETE);
	move("aside", "dir");
	expect_just("dir/../key", CREATE);
	check_eq(rmdir(at("dir")), 0);
	expect_just("dir/../key", DELETE);
	make_dirs("dir");
	expect_just("dir/../key", CREATE);
	place("dir/any", "1");
	append("dir/any", "2");
	expect_just("dir/../key", 0);
	watch_remove(env.watch, e);
	check_eq(open_descriptors(), before);
}

TEST(a_name_may_begin_with_two_dots)
{
	make_dirs("d");
	watch("d/..data/key");
	expect_just("d/..data/key", 0);
	make_dirs("d/..data");
	put("d/..data/key", "1");
	expect("d/..data/key", CREATE);
	make_link("..data/key", "d/link");
	watch("d/link");
	append("d/..data/key", "2");
	expect("d/link", MODIFY);
	check(rec("d/link")->last.present);
}

TEST(the_texts_of_links_may_be_of_any_kind)
{
	make_dirs("d/e/f");
	place("d/key", "1");
	make_link("../../key", "d/e/f/relative");
	make_link(at("d/e/f/relative"), "absolute");
	make_link("./d//e/./f/../f/../../key", "odd");
	make_link("d/e/", "slash");
	watch("absolute");
	watch("odd");
	watch("slash/../key");
	append("d/key", "2");
	quiet();
	check_eq(diff("absolute"), MODIFY);
	check_eq(diff("odd"), MODIFY);
	check_eq(diff("slash/../key"), MODIFY);
	forget();
	place("d/key", "3");
	quiet();
	check_eq(diff("absolute"), CREATE | MODIFY);
	check_eq(diff("odd"), CREATE | MODIFY);
	check_eq(diff("slash/../key"), CREATE | MODIFY);
	forget();
	wipe("d/e/f");
	quiet();
	check_eq(diff("absolute"), DELETE);
	check_eq(diff("odd"), DELETE);
	check_eq(diff("slash/../key"), 0);
}

TEST(as_many_links_as_the_system_allows_are_followed)
{
	char name[16], text[16];
	int i;

	place("link0", "1");
	for (i = 1; i <= 32; i++) {
		snprintf(name, sizeof(name), "link%d", i);
		snprintf(text, sizeof(text), "link%d", i - 1);
		make_link(text, name);
	}
	watch("link32");
	check_eq(rec("link32")->error, 0);
	append("link0", "2");
	expect_just("link32", MODIFY);
}

/* A link that goes in and out of dir so often, and then to end. */
static void
make_winding(const char *dir, int times, const char *end, const char *name)
{
	char text[PATH_MAX];
	size_t len = 0;
	int i;

	for (i = 0; i < times; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s/../", dir);
	snprintf(text + len, sizeof(text) - len, "%s", end);
	make_link(text, name);
}

static void
expect_too_long(const char *name)
{
	check_eq(rec(name)->error, ENAMETOOLONG);
	check(rec(name)->why[0] != '\0');
	check(!rec(name)->last.present);
}

TEST(a_way_of_too_many_components_is_not_gone)
{
	make_dirs("d");
	place("key", "1");
	make_winding("d", 60, "key", "short");
	make_winding("d", 60, "short", "long");
	make_winding("d", 60, "long", "longer");
	watch("short");
	check(rec("short")->last.present);
	env.quick = true;
	watch("longer");
	expect_too_long("longer");
	append("key", "2");
	expect("short", MODIFY);
	expect_too_long("longer");
	retarget("short", "longer");
	expect("longer", CREATE);
	check_eq(rec("longer")->error, 0);
}

TEST(a_way_of_too_much_text_is_not_gone)
{
	char dir[241];

	memset(dir, 'd', sizeof(dir) - 1);
	dir[sizeof(dir) - 1] = '\0';
	make_dirs(dir);
	place("key", "1");
	make_winding(dir, 9, "key", "short");
	make_winding(dir, 9, "short", "long");
	env.quick = true;
	watch("short");
	watch("long");
	check(rec("short")->last.present);
	expect_too_long("long");
	retarget("key", "short");
	expect("long", CREATE);
	check_eq(rec("long")->error, 0);
}

/* --------------------------------------------------------------- patterns */

static bool
known(const char *name)
{
	return rec(name)->known;
}

static bool
is_match(const char *name)
{
	return rec(name)->match;
}

TEST(matches_of_a_pattern_come_and_go)
{
	make_dirs("d");
	place("d/a.log", "1");
	place("d/a.txt", "1");
	watch("d/*.log");
	check(known("d/a.log") && !known("d/a.txt"));
	place("d/b.log", "1");
	expect_just("d/b.log", CREATE);
	append("d/b.log", "2");
	expect_just("d/b.log", MODIFY);
	check_eq(unlink(at("d/a.log")), 0);
	quiet();
	check(!known("d/a.log"));
	check_eq(rec("d/a.log")->gone, 1);
	check_eq(diff("d/a.log"), DELETE);
	move("d/b.log", "d/c.log");
	quiet();
	check(!known("d/b.log") && known("d/c.log"));
	check_eq(diff("d/b.log"), DELETE);
	check_eq(diff("d/c.log"), CREATE);
	check(!known("d/a.txt"));
	forget();
	place("d/c.log", "3");
	expect_just("d/c.log", CREATE | MODIFY);
}

TEST(patterns_may_have_several_wildcard_components)
{
	watch("u*/[ab]/mid/l?/*.x");
	make_dirs("u1/a/mid/l1");
	make_dirs("u1/c/mid/l1");
	make_dirs("v1/a/mid/l1");
	place("u1/a/mid/l1/f.x", "1");
	place("u1/c/mid/l1/f.x", "1");
	place("v1/a/mid/l1/f.x", "1");
	quiet();
	check(known("u1/a/mid/l1/f.x"));
	check(!known("u1/c/mid/l1/f.x") && !known("v1/a/mid/l1/f.x"));
	append("u1/a/mid/l1/f.x", "2");
	expect("u1/a/mid/l1/f.x", MODIFY);
	move("u1/a/mid", "u1/a/away");
	quiet();
	check_eq(diff("u1/a/mid/l1/f.x"), DELETE);
	check(!known("u1/a/mid/l1/f.x"));
	move("u1/a/away", "u1/a/mid");
	quiet();
	check(known("u1/a/mid/l1/f.x"));
	check_eq(diff("u1/a/mid/l1/f.x"), DELETE | CREATE);
	forget();
	move("u1", "u2");
	quiet();
	check_eq(diff("u1/a/mid/l1/f.x"), DELETE);
	check_eq(diff("u2/a/mid/l1/f.x"), CREATE);
	wipe("u2");
	quiet();
	check(!known("u2/a/mid/l1/f.x"));
	check_eq(diff("u2/a/mid/l1/f.x"), CREATE | DELETE);
}

TEST(literal_names_after_a_wildcard_are_watched_before_they_exist)
{
	make_dirs("users/ann");
	place("users/file", "1");
	watch("users/*/Library/key");
	check(known("users/ann/Library/key"));
	check(!known("users/file/Library/key"));
	make_dirs("users/bob/Library");
	place("users/bob/Library/key", "1");
	expect("users/bob/Library/key", CREATE);
	make_dirs("users/ann/Library");
	place("users/ann/Library/key", "1");
	expect_just("users/ann/Library/key", CREATE);
	wipe("users/bob");
	quiet();
	check_eq(diff("users/bob/Library/key"), DELETE);
	check(!known("users/bob/Library/key"));
}

TEST(a_name_that_begins_with_a_dot_needs_a_dot_in_the_pattern)
{
	make_dirs("d/.git");
	place("d/.hidden", "1");
	place("d/shown", "1");
	place("d/.git/x", "1");
	watch("d/*");
	watch("d/?hidden");
	watch("d/[.x]hidden");
	watch("*/*/x");
	check(known("d/shown"));
	check(!known("d/.hidden") && !known("d/.git") && !known("d/.git/x"));
	check(!known("d/.") && !known("d/.."));
	watch("d/.*");
	check(known("d/.hidden") && known("d/.git"));
	check(!known("d/.") && !known("d/.."));
	place("d/.more", "1");
	expect_just("d/.more", CREATE);
}

TEST(special_characters_can_be_named_in_brackets)
{
	place("a[b", "1");
	place("a*b", "1");
	place("axb", "1");
	place("a\\b", "1");
	watch("a[[]b");
	check(known("a[b") && !known("axb") && !known("a*b"));
	watch("a[*]b");
	check(known("a*b") && !known("axb") && !known("a\\b"));
	watch("a[\\]b");
	check(known("a\\b") && !known("axb"));
	watch("a[!x]?");
	check(!known("axb"));
	append("a[b", "2");
	expect_just("a[b", MODIFY);
}

TEST(a_bracket_of_one_character_is_no_pattern)
{
	static const char *const names[][2] = { { "d/[*]", "d/*" },
		{ "d/[[]x]", "d/[x]" }, { "d/[!]a", "d/!a" }, { "d/[^]a", "d/^a" },
		{ "d/[]]", "d/]" }, { "d/[$]HOME", "d/$HOME" }, { "d/[.][.]x", "d/..x" },
		{ "d/[\xc3\xbc]", "d/\xc3\xbc" }, { "d/[a][b]/c", "d/ab/c" } };
	size_t i;

	make_dirs("d/ab");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		place(names[i][1], "1");
		watch(names[i][0]);
		check(known(names[i][1]) && !is_match(names[i][1]));
		append(names[i][1], "2");
		expect_just(names[i][1], MODIFY);
	}
	place("d/other", "1");
	quiet();
	check(!known("d/other") && !known("d/a"));
}

TEST(a_bracket_of_one_character_is_that_character_in_a_pattern)
{
	make_dirs("d/*x/[y");
	make_dirs("d/zx/[y");
	place("d/*x/[y/!k", "1");
	place("d/*x/[y/k", "1");
	place("d/zx/[y/!k", "1");
	watch("d/[*]?/[[]y/[!]*");
	check(known("d/*x/[y/!k") && is_match("d/*x/[y/!k"));
	check(!known("d/*x/[y/k") && !known("d/zx/[y/!k"));
	watch("d/[^z]x/[[]y/k");
	check(known("d/*x/[y/k") && !known("d/zx/[y/k"));
	place("d/*x/[y/!l", "1");
	expect_just("d/*x/[y/!l", CREATE);
}

TEST(slashes_in_a_row_are_one)
{
	make_dirs("d");
	watch("d//key");
	watch("//*///k?");
	place("d/key", "1");
	expect_just("d/key", CREATE);
	place("d/kk", "1");
	expect_just("d/kk", CREATE);
}

TEST(a_slash_at_the_end_asks_for_a_directory)
{
	place("x", "1");
	watch("x/");
	check(!rec("x/")->last.present && !known("x"));
	check_eq(rec("x/")->error, ENOTDIR);
	check(strstr(rec("x/")->why, "not a directory") == rec("x/")->why);
	append("x", "2");
	place("x", "3");
	expect_just("x/", 0);
	check_eq(unlink(at("x")), 0);
	quiet();
	check_eq(rec("x/")->error, 0);
	make_dirs("x");
	expect_just("x/", CREATE);
	place("x/y", "1");
	expect_just("x/", MODIFY);
	check_eq(rec("x/")->error, 0);
	wipe("x");
	place("x", "1");
	expect("x/", DELETE);
	check_eq(rec("x/")->error, ENOTDIR);
}

TEST(a_pattern_with_a_slash_at_its_end_matches_directories_only)
{
	make_dirs("d/dir");
	make_dirs("real");
	place("d/file", "1");
	make_link("../real", "d/link");
	make_link("file", "d/other");
	watch("d/*/");
	check(known("d/dir/") && known("d/link/"));
	check(!known("d/file/") && !known("d/file") && !known("d/dir"));
	check(!rec("d/other/")->last.present);
	check_eq(rec("d/other/")->error, 0);
	place("d/more", "1");
	place("d/dir/x", "1");
	quiet();
	check_eq(diff("d/dir/"), MODIFY);
	check(!known("d/more/"));
	make_dirs("d/new");
	expect_just("d/new/", CREATE);
}

TEST(a_match_may_be_a_link_a_directory_or_dangling)
{
	make_dirs("d");
	make_dirs("real");
	place("real/key", "1");
	make_link("../real", "d/link");
	make_link("nowhere", "d/dangling");
	make_dirs("d/dir");
	watch("d/*");
	watch("d/*/key");
	check(known("d/link") && known("d/dangling") && known("d/dir"));
	check(rec("d/link")->last.present && !rec("d/dangling")->last.present);
	check(rec("d/link/key")->last.present);
	append("real/key", "2");
	expect_just("d/link/key", MODIFY);
	place("d/nowhere", "1");
	quiet();
	check_eq(diff("d/dangling"), CREATE);
	place("d/dir/key", "1");
	quiet();
	check_eq(diff("d/dir/key"), CREATE);
	check_eq(diff("d/dir"), MODIFY);
	check_eq(unlink(at("d/link")), 0);
	quiet();
	check(!known("d/link") && !known("d/link/key"));
	check_eq(diff("d/link/key"), DELETE);
}

TEST(a_name_that_turns_from_file_to_directory_is_followed)
{
	make_dirs("d");
	place("d/x", "file");
	watch("d/*/key*");
	check_eq(unlink(at("d/x")), 0);
	make_dirs("d/x");
	place("d/x/key1", "1");
	expect_just("d/x/key1", CREATE);
	wipe("d/x");
	place("d/x", "file");
	quiet();
	check(!known("d/x/key1"));
	check_eq(diff("d/x/key1"), DELETE);
	check_eq(unlink(at("d/x")), 0);
	make_dirs("other");
	place("other/key2", "1");
	make_link("../other", "d/x");
	expect_just("d/x/key2", CREATE);
}

TEST(a_directory_is_replaced_under_its_pattern)
{
	make_dirs("d");
	place("d/same", "1");
	place("d/old", "1");
	watch("d/*");
	make_dirs("e");
	place("e/same", "1");
	place("e/new", "1");
	move("d", "aside");
	move("e", "d");
	quiet();
	check_eq(diff("d/same"), CREATE | MODIFY);
	check_eq(diff("d/old"), DELETE);
	check_eq(diff("d/new"), CREATE);
	check(!known("d/old") && known("d/new"));
	forget();
	place("aside/late", "1");
	append("d/new", "2");
	quiet();
	check(!known("d/late"));
	check_eq(diff("d/new"), MODIFY);
}

TEST(a_pattern_whose_directory_cannot_be_read_keeps_what_it_knows)
{
	struct watch_entry *e;

	make_dirs("d");
	make_link("d", "l");
	place("d/x", "1");
	e = watch("l/*");
	check(known("l/x"));
	check(watch_why(e) == NULL);
	retarget("l", "l");
	eventually(rec("l/x")->error == ELOOP);
	check(known("l/x"));
	check(watch_why(e) != NULL);
	retarget("d", "l");
	eventually(rec("l/x")->error == 0);
	check_eq(rec("l/x")->gone, 0);
	check(watch_why(e) == NULL);
}

/* Told by the last look, though an error was all that was known before it. */
#if ON_SHIM
/* As with a volume that is mounted over it, and away again, without an event. */
TEST(a_directory_that_was_another_while_it_was_listed_is_listed_again)
{
	char *d = xstrdup(at("d")), *volume = xstrdup(at("volume"));

	make_dirs("d");
	make_dirs("volume");
	put("d/f_here", "1");
	put("volume/f_there", "1");
	fake.over = d;
	fake.mounted = volume;
	watch("d/f*");
	check(!known("d/f_here"));
	fake.over = NULL;
	/* An event of the directory above compares what is in it. */
	put("another", "1");
	expect("d/f_here", CREATE);
	check(!known("d/f_there"));
	free(d);
	free(volume);
}
#endif

TEST(a_match_that_goes_after_an_error_is_deleted)
{
	make_dirs("d");
	make_dirs("real");
	place("real/key", "1");
	make_link("../real", "d/x");
	watch("d/*/k*");
	watch("d/*/key");
	check(rec("d/x/key")->last.present);
	retarget("x", "d/x");
	eventually(rec("d/x/key")->error == ELOOP);
	check_eq(diff("d/x/key"), 0);
	check_eq(unlink(at("d/x")), 0);
	quiet();
	check(!known("d/x/key"));
	check_eq(diff("d/x/key"), DELETE);
}

static void
watch_numbered(const char *dir, int from, int to)
{
	char name[64];

	for (; from < to; from++) {
		snprintf(name, sizeof(name), "%s/f%05d", dir, from);
		watch(name);
	}
}

static void
put_numbered(const char *dir, int from, int to)
{
	char name[64];

	make_dirs(dir);
	for (; from < to; from++) {
		snprintf(name, sizeof(name), "%s/f%05d", dir, from);
		put(name, "1");
	}
}

static int
count(bool (*is)(const struct rec *))
{
	struct rec *r;
	int n = 0;

	for (r = env.all; r != NULL; r = r->next)
		n += is(r);
	return n;
}

static bool
is_known(const struct rec *r)
{
	return r->known && !r->is_fence;
}

static void
key_away_again(void)
{
	move("d/key", "aside");
}

static void
key_back(void)
{
	move("aside", "d/key");
	fake.act = key_away_again;
	fake.steps = 3;
}

/* From the listing, which has no key, to the event of its way back it is there. */
static void
key_away(void)
{
	move("d/key", "aside");
	fake.at_end = key_back;
}

TEST(a_match_that_is_back_for_a_moment_is_reported_gone)
{
	make_dirs("d");
	place("d/key", "1");
	watch("d/k*");
	put("d/other", "1");
	fake.act = key_away;
	fake.steps = 2;
	run_until_idle();
	expect_just("d/key", DELETE);
	check(!known("d/key"));
}

TEST(a_match_that_is_back_for_good_is_deleted_and_created)
{
	make_dirs("d");
	place("d/key", "1");
	watch("d/k*");
	put("d/other", "1");
	fake.act = key_away;
	fake.steps = 2;
	run_until_idle();
	fake.act = NULL;
	if (faccessat(AT_FDCWD, at("d/key"), F_OK, 0) != 0)
		move("aside", "d/key");
	expect_just("d/key", DELETE | CREATE);
	check(known("d/key"));
}

TEST(a_name_that_changes_its_case_only_is_deleted)
{
	fake.folds = true;
	make_dirs("d");
	place("d/Key", "1");
	watch("d/*");
	move("d/Key", "d/key");
	quiet();
	check(diff("d/Key") & DELETE);
	check_eq(diff("d/key"), CREATE);
	check(!known("d/Key") && known("d/key"));
}

/* Names that could not be read are not names that went. */
TEST(a_listing_that_breaks_off_keeps_what_it_knows)
{
	struct watch_entry *e;

	make_dirs("d");
	place("d/key", "1");
	e = watch("d/k*");
	fake.end_error = EIO;
	put("d/kin", "1");
	quiet();
	check(known("d/key") && !known("d/kin"));
	check_eq(diff("d/key"), 0);
	check(strcmp(watch_why(e), strerror(EIO)) == 0);
	/* It is listed again, though the directory has not changed since. */
	fake.end_error = 0;
	watch_recheck(env.watch);
	eventually(known("d/kin"));
	check_eq(unlink(at("d/key")), 0);
	expect("d/key", DELETE);
	check(watch_why(e) == NULL);
}

/* How many of those numbered are not followed; the first of them into name. */
static int
count_others(char name[64], int n)
{
	int i, others = 0;
	char path[64];

	for (i = n - 1; i >= 0; i--) {
		snprintf(path, sizeof(path), "d/f%05d", i);
		if (known(path))
			continue;
		memcpy(name, path, sizeof(path));
		others++;
	}
	return others;
}

TEST(matches_beyond_the_limit_are_looked_at_on_rechecks_as_one)
{
	struct watch_entry *e;
	struct watch_others before;
	char name[64];

	put_numbered("d", 0, WATCH_MATCHES_MAX + 6);
	e = watch("d/f*");
	check_eq(watch_overflow(e), 6);
	check_eq(env.others.n, 6);
	check_eq(count(is_known), WATCH_MATCHES_MAX);
	check_eq(count_others(name, WATCH_MATCHES_MAX + 6), 6);
	before = env.others;
	append(name, "2");
	quiet();
	check(memcmp(&env.others, &before, sizeof(before)) == 0);
	watch_recheck(env.watch);
	quiet();
	check_eq(env.others.names, before.names);
	check_eq(env.others.attributes, before.attributes);
	check(env.others.contents != before.contents);
	before = env.others;
	check_eq(chmod(at(name), 0600), 0);
	watch_recheck(env.watch);
	quiet();
	check_eq(env.others.contents, before.contents);
	check(env.others.attributes != before.attributes);
	/* A recheck that finds nothing else is silent. */
	env.told = 0;
	watch_recheck(env.watch);
	quiet();
	check_eq(env.told, 0);
}

TEST(matches_beyond_the_limit_are_seen_to_come_and_go)
{
	struct watch_entry *e;
	struct watch_others before;

	put_numbered("d", 0, WATCH_MATCHES_MAX + 6);
	e = watch("d/f*");
	before = env.others;
	put_numbered("d", 2000, 2002);
	quiet();
	check_eq(watch_overflow(e), 8);
	check_eq(env.others.n, 8);
	check(env.others.names != before.names);
	check_eq(unlink(at("d/f02000")), 0);
	check_eq(unlink(at("d/f02001")), 0);
	quiet();
	check_eq(env.others.names, before.names);
	check_eq(env.others.n, before.n);
}

TEST(matches_beyond_the_limit_move_up_when_others_go)
{
	char name[64];
	struct watch_entry *e;
	int i, removed = 0;

	put_numbered("d", 0, WATCH_MATCHES_MAX + 5);
	e = watch("d/f*");
	for (i = 0; i < WATCH_MATCHES_MAX + 5 && removed < 4; i++) {
		snprintf(name, sizeof(name), "d/f%05d", i);
		if (known(name)) {
			check_eq(unlink(at(name)), 0);
			removed++;
		}
	}
	quiet();
	check_eq(watch_overflow(e), 1);
	check_eq(count(is_known), WATCH_MATCHES_MAX);
	wipe("d");
	quiet();
	check_eq(watch_overflow(e), 0);
	check_eq(env.others.names, 0);
	check_eq(count(is_known), 0);
}

TEST(directories_beyond_the_limit_are_looked_at_on_rechecks)
{
	struct watch_entry *e;
	struct watch_others before;
	char name[64];
	int i, others = 0, before_fds;

	for (i = 0; i < WATCH_MATCHES_MAX + 5; i++) {
		snprintf(name, sizeof(name), "d/k%05d", i);
		make_dirs(name);
	}
	env.quick = true;
	before_fds = open_descriptors();
	e = watch("d/*/key");
	quiet();
	check_eq(open_descriptors() - before_fds, WATCH_MATCHES_MAX + 1);
	check_eq(watch_overflow(e), 5);
	for (i = 0; i < WATCH_MATCHES_MAX + 5; i++) {
		snprintf(name, sizeof(name), "d/k%05d/key", i);
		others += !known(name);
		if (!known(name))
			place(name, "1");
	}
	check_eq(others, 5);
	before = env.others;
	watch_recheck(env.watch);
	quiet();
	check(env.others.contents != before.contents);
}

/* ---------------------------------------------------- what counts as what */

TEST(a_directory_changes_when_its_entries_come_go_or_are_replaced)
{
	make_dirs("d/sub");
	place("d/x", "1");
	watch("d");
	place("d/y", "1");
	expect_just("d", MODIFY);
	place("d/y", "2");
	expect_just("d", MODIFY);
	check_eq(unlink(at("d/y")), 0);
	expect_just("d", MODIFY);
	move("d/x", "d/z");
	expect_just("d", MODIFY);
	make_dirs("d/sub2");
	expect_just("d", MODIFY);
	append("d/z", "more");
	check_eq(chmod(at("d/z"), 0600), 0);
	place("d/sub/deep", "1");
	expect_just("d", 0);
	check_eq(chmod(at("d"), 0700), 0);
	expect_just("d", ATTRIBUTES);
	wipe("d");
	expect("d", DELETE);
	make_dirs("d");
	expect_just("d", CREATE);
	place("d/x", "1");
	expect_just("d", MODIFY);
}

TEST(the_root_directory_can_be_watched)
{
	struct rec *r;

	watch_add(env.watch, "/", &ops, NULL);
	r = rec_of("/");
	check(r->last.present && S_ISDIR(r->last.mode));
	check_eq(r->error, 0);
	r->looks = 0;
	watch_add(env.watch, "///", &ops, NULL);
	check_eq(r->looks, 1);
}

TEST(a_write_through_another_name_of_the_file_is_seen)
{
	place("one", "1");
	watch("one");
	check_eq(link(at("one"), at("two")), 0);
	expect_just("one", 0);
	append("two", "2");
	expect_just("one", MODIFY);
	watch("two");
	append("two", "3");
	quiet();
	check_eq(diff("one"), MODIFY);
	check_eq(diff("two"), MODIFY);
	check_eq(unlink(at("two")), 0);
	quiet();
	check_eq(diff("two"), MODIFY | DELETE);
	forget();
	append("one", "4");
	expect_just("one", MODIFY);
}

TEST(a_hard_link_may_take_the_place_of_its_own_file)
{
	place("one", "1");
	check_eq(link(at("one"), at("keep")), 0);
	watch("one");
	check_eq(unlink(at("one")), 0);
	expect_just("one", DELETE);
	check_eq(link(at("keep"), at("one")), 0);
	expect_just("one", CREATE);
	check_eq(unlink(at("one")), 0);
	check_eq(link(at("keep"), at("one")), 0);
	quiet();
	forget();
	append("keep", "2");
	expect_just("one", MODIFY);
}

TEST(another_name_of_the_file_may_go)
{
	place("one", "1");
	check_eq(link(at("one"), at("keep")), 0);
	watch("one");
	check_eq(unlink(at("keep")), 0);
	quiet();
	check(rec("one")->looks > 0);
	expect_just("one", 0);
	/* A file that takes the other name's place removes it, too. */
	check_eq(link(at("one"), at("keep")), 0);
	place("keep", "2");
	expect_just("one", 0);
	append("one", "3");
	expect_just("one", MODIFY);
}

/* Both of its names go between two looks, and another file has this one. */
TEST(a_replacement_is_seen_while_other_names_go)
{
	place("one", "1");
	check_eq(link(at("one"), at("keep")), 0);
	watch("one");
	check_eq(unlink(at("keep")), 0);
	place("one", "2");
	expect_just("one", CREATE | MODIFY);
	append("one", "3");
	expect_just("one", MODIFY);
}

static void
turn_into_fifo(void)
{
	struct stat st;

	check_eq(fstatat(AT_FDCWD, at("key"), &st, 0), 0);
	check_eq(unlink(at("key")), 0);
	check_eq(mkfifo(at("key"), 0600), 0);
	fake.reused = st.st_ino;
}

/* FFS and FAT use the number of a file that went at once, for another type too. */
TEST(a_number_that_is_used_again_for_a_fifo_is_not_armed)
{
	if (!ON_SHIM)
		skip();
	place("key", "1");
	fake.steps = 2;
	fake.act = turn_into_fifo;
	env.quick = true;
	watch("key");
	check(fake.reused != 0);
	fake.reused = 0;
	check(!is_open(at("key")));
	check_eq(rec("key")->error, 0);
}

TEST(a_writer_that_keeps_its_descriptor_open_is_seen)
{
	int fd, i, before;

	place("log", "");
	watch("log");
	fd = openat(AT_FDCWD, at("log"), O_WRONLY | O_APPEND);
	check(fd != -1);
	for (i = 0; i < 25; i++) {
		before = rec("log")->looks;
		check_eq(write(fd, "line\n", 5), 5);
		eventually(rec("log")->looks > before &&
			   rec("log")->last.size == (uint64_t)(i + 1) * 5);
	}
	check_eq(diff("log"), MODIFY);
	forget();
	check_eq(unlink(at("log")), 0);
	expect_just("log", DELETE);
	check_eq(write(fd, "line\n", 5), 5);
	expect_just("log", 0);
	close(fd);
}

TEST(a_truncated_file_is_modified)
{
	int fd;

	place("key", "12345");
	watch("key");
	check_eq(truncate(at("key"), 2), 0);
	expect_just("key", MODIFY);
	check_eq(truncate(at("key"), 100), 0);
	expect_just("key", MODIFY);
	fd = openat(AT_FDCWD, at("key"), O_WRONLY | O_TRUNC);
	expect_just("key", MODIFY);
	close(fd);
}

TEST(mode_and_owner_are_attributes)
{
	place("key", "1");
	watch("key");
	check_eq(chmod(at("key"), 0600), 0);
	expect_just("key", ATTRIBUTES);
	check_eq(chmod(at("key"), 0600), 0);
	expect_just("key", 0);
	if (geteuid() == 0) {
		check_eq(chown(at("key"), 1234, (gid_t)-1), 0);
		expect_just("key", ATTRIBUTES);
		check_eq(chown(at("key"), (uid_t)-1, 1234), 0);
		expect_just("key", ATTRIBUTES);
	}
}

TEST(a_new_mtime_is_a_modification)
{
	struct timespec times[2] = { { .tv_sec = 5, .tv_nsec = 1 },
		{ .tv_sec = 5, .tv_nsec = 1 } };

	place("key", "1");
	watch("key");
	check_eq(utimensat(AT_FDCWD, at("key"), times, 0), 0);
	expect_just("key", MODIFY);
	times[1].tv_nsec = 2;
	check_eq(utimensat(AT_FDCWD, at("key"), times, 0), 0);
	expect_just("key", MODIFY);
}

/* Another content, the same size, and the clock stood still. */
TEST(a_write_that_leaves_the_stamp_equal_is_a_modification)
{
	struct timespec times[2] = { { .tv_sec = 5 }, { .tv_sec = 5 } };
	int fd;

	place("key", "1");
	check_eq(utimensat(AT_FDCWD, at("key"), times, 0), 0);
	watch("key");
	fd = openat(AT_FDCWD, at("key"), O_WRONLY);
	check_eq(pwrite(fd, "2", 1, 0), 1);
	check_eq(futimens(fd, times), 0);
	close(fd);
	expect_just("key", MODIFY);
	check_eq(rec("key")->last.mtime_ns, 5 * MONO_SEC);
}

/* The first look comes between two writes of one size in one tick. */
TEST(two_writes_in_a_coarse_tick_are_two)
{
	struct timespec now;
	int64_t second;
	int fd;

	for (fake.tick = 1; fake.tick <= 2; fake.tick++) {
		place("key", "1");
		watch("key");
		fd = openat(AT_FDCWD, at("key"), O_WRONLY);
		do {
			clock_gettime(CLOCK_REALTIME, &now);
			second = now.tv_sec / fake.tick;
			check_eq(pwrite(fd, "2", 1, 0), 1);
			expect("key", MODIFY);
			eventually(
			    realtime_ns() - rec("key")->last.taken_ns > 30 * MONO_MS);
			check_eq(pwrite(fd, "3", 1, 0), 1);
			clock_gettime(CLOCK_REALTIME, &now);
			expect("key", MODIFY);
		} while (now.tv_sec / fake.tick != second);
		close(fd);
	}
}

/* Spotlight and pageout report a write a second later once more. */
TEST(the_late_echo_of_a_write_is_not_counted)
{
	struct watch_entry *e;

	if (!ON_SHIM)
		skip();
	place("key", "1");
	e = watch("key");
	append("key", "2");
	expect_just("key", MODIFY);
	/* The daemon looks again when the rule has settled. */
	eventually(realtime_ns() - rec("key")->last.ctime_ns > 30 * MONO_MS);
	check(watch_look(e));
	forget();
	inject("key", NOTE_WRITE | NOTE_ATTRIB, 0);
	eventually(rec("key")->looks > 0);
	check_eq(diff("key"), 0);
}

TEST(the_shims_own_echo_is_not_counted)
{
	struct watch_entry *e;

	if (!ON_SHIM)
		skip();
	end();
	setenv("KQUEUE_FAULTS", "echo", 1);
	begin();
	unsetenv("KQUEUE_FAULTS");
	place("key", "1");
	e = watch("key");
	append("key", "2");
	expect_just("key", MODIFY);
	eventually(realtime_ns() - rec("key")->last.ctime_ns > 30 * MONO_MS);
	check(watch_look(e));
	forget();
	eventually(rec("key")->looks > 0);
	check_eq(diff("key"), 0);
}

TEST(a_write_through_a_mapping_is_seen_when_the_system_tells)
{
	struct timespec times[2] = { { .tv_sec = 5 }, { .tv_sec = 5 } };
	char *p;
	int fd;

	if (!ON_SHIM)
		skip();
	place("key", "1234");
	check_eq(utimensat(AT_FDCWD, at("key"), times, 0), 0);
	watch("key");
	fd = openat(AT_FDCWD, at("key"), O_RDWR);
	p = mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	check(p != MAP_FAILED);
	inject("key", NOTE_ATTRIB, 0);
	expect_just("key", 0);
	p[0] = 'x';
	check_eq(msync(p, 4, MS_SYNC), 0);
	inject("key", NOTE_WRITE, 0);
	expect_just("key", MODIFY);
	munmap(p, 4);
	close(fd);
}

TEST(a_revoked_descriptor_is_opened_anew)
{
	if (!ON_SHIM)
		skip();
	make_dirs("d");
	place("d/key", "1");
	watch("d/key");
	inject("d/key", 0, EV_EOF);
	expect("d/key", CREATE | MODIFY);
	append("d/key", "2");
	expect_just("d/key", MODIFY);
	inject("d", NOTE_REVOKE, EV_EOF);
	quiet();
	place("d/key", "3");
	expect("d/key", CREATE | MODIFY);
}

TEST(after_lost_events_a_look_at_everything_mends_it)
{
	if (!ON_SHIM)
		skip();
	make_dirs("a/b");
	place("a/b/key", "1");
	watch("a/b/key");
	watch("a/*/*");
#if ON_SHIM
	kqueue_inject_overflow(kqueue_number());
#endif
	quiet();
	append("a/b/key", "2");
	expect("a/b/key", MODIFY);
	place("a/b/other", "2");
	expect("a/b/other", CREATE);
}

/* --------------------------------------------- what must never be opened */

TEST(fifos_sockets_and_devices_are_never_opened)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0), before;

	make_dirs("d");
	check_eq(mkfifo(at("d/fifo"), 0600), 0);
	/* From there: a whole path could be longer than an address holds. */
	check_eq(chdir(at("d")), 0);
	memcpy(sa.sun_path, "socket", sizeof("socket"));
	check_eq(bind(s, (struct sockaddr *)&sa, sizeof(sa)), 0);
	check_eq(chdir("/"), 0);
	fake.forbidden = "/dev/tty";
	before = open_descriptors();
	watch("d/fifo");
	watch("d/socket");
	watch_add(env.watch, "/dev/null", &ops, NULL);
	watch_add(env.watch, "/dev/null/*", &ops, NULL);
	watch("d/fifo/*");
	/* Only the two directories. */
	check_eq(open_descriptors() - before, 2);
	check(!is_open(at("d/fifo")) && !is_open(at("d/socket")));
	check(rec("d/fifo")->last.present && rec("d/socket")->last.present);
	check_eq(rec("d/fifo")->error, 0);
	check(rec_of("/dev/null")->last.present);
	check_eq(chmod(at("d/fifo"), 0644), 0);
	watch_recheck(env.watch);
	expect("d/fifo", ATTRIBUTES);
	place("d/fifo", "a file");
	expect_just("d/fifo", CREATE | MODIFY);
	append("d/fifo", "more");
	expect_just("d/fifo", MODIFY);
	check_eq(unlink(at("d/fifo")), 0);
	check_eq(mkfifo(at("d/fifo"), 0600), 0);
	expect("d/fifo", CREATE | MODIFY);
	check(!is_open(at("d/fifo")));
	/* Any event of its directory is a chance to look at it. */
	check_eq(chmod(at("d/socket"), 0600), 0);
	place("d/any", "1");
	expect_just("d/socket", ATTRIBUTES);
	close(s);
}

TEST(network_volumes_are_never_touched)
{
	char *mount = xstrdup(at("Volumes/nfs"));

	make_dirs("Volumes/nfs/sub");
	put("Volumes/nfs/sub/key", "1");
	make_link("Volumes/nfs/sub/key", "link");
	fake.remote[0] = fake.forbidden = mount;
	fake.changed = true;
	watch("Volumes/nfs");
	watch("Volumes/nfs/sub/key");
	watch("link");
	watch("Volumes/*");
	watch("Volumes/*/sub/*");
	watch("Volumes/nfs/*");
	place("Volumes/any", "1");
	expect("Volumes/any", CREATE);
	watch_recheck(env.watch);
	quiet();
	check_eq(fake.touched, 0);
	check(rec("Volumes/nfs/sub/key")->unwatched && rec("Volumes/nfs")->unwatched);
	check(rec("link")->unwatched);
	check_eq(strcmp(rec("link")->why, "not watched: network volume"), 0);
	check_eq(rec("link")->looks, rec("link")->nulls);
	fake.forbidden = NULL;
	fake.remote[0] = NULL;
	fake.changed = true;
	place("Volumes/any", "2");
	eventually(rec("link")->last.present);
	quiet();
	check(!rec("link")->unwatched && !rec("Volumes/nfs/sub/key")->unwatched);
	check(known("Volumes/nfs/sub") && rec("Volumes/nfs/sub/key")->last.present);
	forget();
	append("Volumes/nfs/sub/key", "2");
	expect_just("link", MODIFY);
	free(mount);
}

/* As any of its names is opened as written, on a volume that folds them. */
TEST(a_network_volume_is_not_touched_by_another_spelling)
{
	char *mount = xstrdup(at("Volumes/nfs"));

	fake.folds = true;
	make_dirs("Volumes/nfs/sub");
	make_dirs("Volumes/caf\303\251");
	put("Volumes/nfs/sub/key", "1");
	watch("Volumes/NFS/sub/key");
	fake.remote[0] = fake.forbidden = mount;
	fake.remote[1] = xstrdup(at("Volumes/caf\303\251"));
	fake.changed = true;
	place("Volumes/any", "1");
	eventually(rec("Volumes/NFS/sub/key")->unwatched);
	watch("volumes/nfs/sub/key");
	watch("Volumes/cafe\314\201/key");
	watch("Volumes/cafe/key");
	watch_recheck(env.watch);
	quiet();
	check_eq(fake.touched, 0);
	check(rec("volumes/nfs/sub/key")->unwatched);
	check(rec("Volumes/cafe\314\201/key")->unwatched);
	check(!rec("Volumes/cafe/key")->unwatched);
	free(mount);
	free((void *)(uintptr_t)fake.remote[1]);
}

/* What is alike for places_key may be something else, and then it is there. */
TEST(a_name_that_is_like_a_network_volumes_is_watched)
{
	char *mount = xstrdup(at("Volumes/\303\251"));

	fake.folds = true;
	make_dirs("Volumes/\303\251");
	fake.remote[0] = mount;
	fake.changed = true;
	watch("Volumes/\303\274");
	check(rec("Volumes/\303\274")->unwatched);
	place("Volumes/\303\274", "1");
	expect("Volumes/\303\274", CREATE);
	check(!rec("Volumes/\303\274")->unwatched);
	free(mount);
}

TEST(a_volume_that_is_mounted_later_is_let_go)
{
	char *mount = xstrdup(at("Volumes/nfs"));
	struct watch_entry *e;

	make_dirs("Volumes/nfs/sub");
	put("Volumes/nfs/sub/key", "1");
	e = watch("Volumes/nfs/sub/key");
	fake.remote[0] = fake.forbidden = mount;
	fake.changed = true;
	/* XNU tells the directory of the mount point. */
	place("Volumes/any", "1");
	eventually(rec("Volumes/nfs/sub/key")->unwatched);
	check_eq(diff("Volumes/nfs/sub/key"), 0);
	check(rec("Volumes/nfs/sub/key")->last.present);
	check(watch_look(e));
	watch_recheck(env.watch);
	quiet();
	check_eq(fake.touched, 0);
	fake.forbidden = NULL;
	check(!is_open(at("Volumes/nfs")));
	check(!is_open(at("Volumes/nfs/sub/key")));
	fake.remote[0] = NULL;
	fake.changed = true;
	watch_recheck(env.watch);
	eventually(!rec("Volumes/nfs/sub/key")->unwatched);
	quiet();
	check_eq(diff("Volumes/nfs/sub/key"), 0);
	append("Volumes/nfs/sub/key", "2");
	expect_just("Volumes/nfs/sub/key", MODIFY);
	free(mount);
}

/* Nobody watched where it was mounted, so no event has told of it. */
TEST(a_path_that_is_added_after_a_mount_is_not_touched)
{
	char *mount = xstrdup(at("Volumes/nfs"));

	make_dirs("Volumes/nfs/sub");
	put("Volumes/nfs/sub/key", "1");
	fake.remote[0] = fake.forbidden = mount;
	fake.changed = true;
	watch_add(env.watch, at("Volumes/nfs/sub/key"), &ops, NULL);
	check_eq(fake.touched, 0);
	check(rec("Volumes/nfs/sub/key")->unwatched);
	run_until_idle();
	fake.remote[0] = fake.forbidden = NULL;
	fake.changed = true;
	watch_add(env.watch, at("other"), &ops, NULL);
	check(mono_before(watch_deadline(env.watch), mono_now()));
	watch_due(env.watch, mono_now());
	check(rec("Volumes/nfs/sub/key")->last.present);
	free(mount);
}

TEST(a_mount_table_that_cannot_be_read_is_read_again)
{
	char *mount = xstrdup(at("Volumes/nfs"));

	make_dirs("Volumes/nfs");
	place("Volumes/nfs/key", "1");
	watch("Volumes/nfs/key");
	fake.remote[0] = mount;
	fake.changed = fake.unreadable = true;
	place("Volumes/any", "1");
	quiet();
	check(!rec("Volumes/nfs/key")->unwatched);
	fake.unreadable = false;
	place("Volumes/any", "2");
	eventually(rec("Volumes/nfs/key")->unwatched);
	free(mount);
}

TEST(the_daemons_own_files_are_never_a_change)
{
	make_dirs("db/own");
	place("db/own/state", "1");
	place("log", "1");
	place("other", "1");
	watch("db/own/state");
	watch("db/*/*");
	watch("*");
	watch_disown(env.watch, at("db/own"));
	watch_disown(env.watch, at("log"));
	watch_disown(env.watch, at("log"));
	watch("db/own/*");
	forget();
	append("db/own/state", "2");
	place("db/own/more", "2");
	append("log", "2");
	append("other", "2");
	quiet();
	check_eq(diff("db/own/state"), 0);
	check_eq(diff("db/own/more"), 0);
	check_eq(diff("log"), 0);
	check_eq(diff("other"), MODIFY);
	check(rec("db/own/state")->unwatched && rec("log")->unwatched);
	check(rec("log")->why[0] != '\0');
	check(!is_open(at("log")) && !is_open(at("db/own")));
}

TEST(the_daemons_own_files_are_known_by_any_name)
{
	char outside[PATH_MAX];

	fake.folds = fake.alias = true;
	make_dirs("db/own");
	place("db/own/state", "1");
	watch_disown(env.watch, at("db/own"));
	watch("db/OWN/state");
	check(rec("db/OWN/state")->unwatched);
	/* The sandbox is seen twice. */
	snprintf(outside, sizeof(outside), "/alias%s", at("db/own/state"));
	watch_add(env.watch, outside, &ops, NULL);
	check(!rec_of(outside)->last.present);
	quiet();
}

/* ------------------------------------------------------- errors and limits */

static void
become_nobody(void)
{
	int i;

	place("first", "1");
	make_dirs("d/e");
	place("d/e/key", "1");
	check_eq(chmod(at(""), 0777), 0);
	for (i = 0; i < FENCES; i++)
		check_eq(chmod(at(fences[i]), 0666), 0);
	watch("d/e/key");
	watch("d/*/k*");
	check_eq(chmod(at("d"), 0), 0);
	check_eq(seteuid(65534), 0);
	eventually(rec("d/e/key")->error == EACCES);
	check(rec("d/e/key")->last.present);
	check(known("d/e/key"));
	check_eq(diff("d/e/key"), 0);
	check_eq(seteuid(0), 0);
	append("d/e/key", "2");
	check_eq(chmod(at("d"), 0755), 0);
	check_eq(seteuid(65534), 0);
	eventually(rec("d/e/key")->error == 0);
	quiet();
	check_eq(diff("d/e/key"), MODIFY);
	check_eq(seteuid(0), 0);
}

TEST(a_path_that_may_not_be_seen_is_an_error_and_heals)
{
	if (geteuid() != 0)
		skip();
	in_child(become_nobody);
}

TEST(what_the_system_denies_is_explained)
{
	char *denied = xstrdup(at("d/key"));

	make_dirs("d");
	place("d/key", "1");
	fake.denied = denied;
	fake.error = EPERM;
	watch("d/key");
	check_eq(rec("d/key")->error, EPERM);
	check_eq(rec("d/key")->looks, 0);
	watch_recheck(env.watch);
	eventually(rec("d/key")->looks > 0);
	check_eq(rec("d/key")->nulls, rec("d/key")->looks);
	check_eq(strcmp(rec("d/key")->why, "needs Full Disk Access"), 0);
	fake.error = EDEADLK;
	watch_recheck(env.watch);
	eventually(rec("d/key")->error == EDEADLK);
	check_eq(strcmp(rec("d/key")->why, "not downloaded (iCloud)"), 0);
	fake.error = EIO;
	watch_recheck(env.watch);
	eventually(rec("d/key")->error == EIO);
	check_eq(strcmp(rec("d/key")->why, strerror(EIO)), 0);
	fake.denied = NULL;
	watch_recheck(env.watch);
	expect("d/key", CREATE);
	check_eq(rec("d/key")->error, 0);
	append("d/key", "2");
	expect_just("d/key", MODIFY);
	free(denied);
}

TEST(the_reason_why_names_cannot_be_read_is_kept_up_to_date)
{
	char *denied = xstrdup(at("d"));
	struct watch_entry *e;

	make_dirs("d");
	fake.denied = denied;
	fake.error = EPERM;
	e = watch("d/*");
	check_eq(strcmp(watch_why(e), "needs Full Disk Access"), 0);
	fake.error = EIO;
	watch_recheck(env.watch);
	quiet();
	check_eq(strcmp(watch_why(e), strerror(EIO)), 0);
	fake.denied = NULL;
	place("d/key", "1");
	watch_recheck(env.watch);
	expect("d/key", CREATE);
	check(watch_why(e) == NULL);
	free(denied);
}

TEST(an_interrupted_open_is_tried_again)
{
	make_dirs("d");
	place("d/key", "1");
	fake.interrupts = 20;
	watch("d/key");
	check_eq(fake.interrupts, 0);
	check_eq(rec("d/key")->error, 0);
	append("d/key", "2");
	expect_just("d/key", MODIFY);
}

TEST(the_limit_is_raised_as_needed)
{
	struct rlimit old, low;

	getrlimit(RLIMIT_NOFILE, &old);
	if (old.rlim_max < 1024)
		skip();
	low = (struct rlimit){ .rlim_cur = 64, .rlim_max = old.rlim_max };
	check_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	fdlimit_init();
	put_numbered("d", 0, 300);
	env.quick = true;
	watch_numbered("d", 0, 300);
	getrlimit(RLIMIT_NOFILE, &low);
	check_eq(low.rlim_cur, 512);
	check_eq(rec("d/f00299")->error, 0);
	append("d/f00299", "2");
	expect("d/f00299", MODIFY);
	end();
	check_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	fdlimit_init();
	begin();
}

static bool
is_starved(const struct rec *r)
{
	return r->error == EMFILE && strcmp(r->why, "out of file descriptors") == 0;
}

/* Nothing that is needed for a moment may be taken by paths. */
static void
check_reserve(void)
{
	int fds[30], i;

	for (i = 0; i < 30; i++) {
		fds[i] = openat(AT_FDCWD, "/dev/null", O_RDONLY);
		check(fds[i] != -1);
	}
	while (i-- > 0)
		close(fds[i]);
}

static void
run_out(void)
{
	struct rlimit l = { .rlim_cur = 160, .rlim_max = 160 };
	struct watch_entry *many[150];
	char name[64];
	int i, starved;

	check_eq(setrlimit(RLIMIT_NOFILE, &l), 0);
	fdlimit_init();
	put_numbered("d", 0, 150);
	for (i = 0; i < 150; i++) {
		snprintf(name, sizeof(name), "d/f%05d", i);
		many[i] = watch_add(env.watch, at(name), &ops, NULL);
	}
	quiet();
	starved = count(is_starved);
	check(starved > 40 && starved < 100);
	check_reserve();
	check(rec("d/f00149")->last.present);
	/* What cannot be armed is still looked at. */
	append("d/f00149", "2");
	watch_recheck(env.watch);
	expect("d/f00149", MODIFY);
	check_eq(count(is_starved), starved);
	for (i = 0; i < 10; i++)
		watch_remove(env.watch, many[i]);
	eventually(count(is_starved) == starved - 10);
	check_eq(unlink(at("d/f00010")), 0);
	eventually(count(is_starved) == starved - 11);
	for (i = 11; i < 11 + starved - 11; i++)
		watch_remove(env.watch, many[i]);
	eventually(count(is_starved) == 0);
	forget();
	append("d/f00148", "2");
	expect_just("d/f00148", MODIFY);
}

TEST(running_out_of_descriptors_is_an_error_that_heals)
{
	if (on_valgrind())
		skip();
	in_child(run_out);
}

static void
watch_many(void)
{
	struct rlimit l = { .rlim_cur = 200, .rlim_max = 200 };
	char name[64];
	int i;

	put_numbered("d", 0, 200);
	put_numbered("e", 0, 40);
	check_eq(setrlimit(RLIMIT_NOFILE, &l), 0);
	fdlimit_init();
	env.quick = true;
	watch("d/*");
	quiet();
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "e/f%05d", i);
		watch(name);
	}
	quiet();
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "e/f%05d", i);
		check_eq(rec(name)->error, 0);
	}
}

TEST(a_pattern_leaves_half_of_the_descriptors_to_others)
{
	if (on_valgrind())
		skip();
	in_child(watch_many);
}

static void
run_out_by_others(void)
{
	struct rlimit l = { .rlim_cur = 160, .rlim_max = 160 };
	int hogs[75], i;

	put_numbered("d", 0, 40);
	check_eq(setrlimit(RLIMIT_NOFILE, &l), 0);
	fdlimit_init();
	for (i = 0; i < 75; i++)
		hogs[i] = fcntl(0, F_DUPFD, 64);
	env.quick = true;
	watch("d/*");
	watch("d/f00000");
	quiet();
	check(count(is_starved) > 10);
	for (i = 0; i < 75; i++)
		close(hogs[i]);
	check_reserve();
	watch_recheck(env.watch);
	eventually(count(is_starved) == 0);
	forget();
	append("d/f00039", "2");
	expect_just("d/f00039", MODIFY);
}

TEST(running_out_of_descriptors_heals_at_a_recheck)
{
	if (on_valgrind())
		skip();
	in_child(run_out_by_others);
}

/* ------------------------------------------------------------ the whole way */

static int ways;

static void
on_way(void *arg)
{
	(void)arg;
	ways++;
}

#define expect_way(x)                 \
	do {                          \
		ways = 0;             \
		x;                    \
		eventually(ways > 0); \
		quiet();              \
	} while (0)

TEST(a_way_is_called_for_any_change_on_it)
{
	struct watch_way *way;
	int before = open_descriptors();

	make_dirs("bin");
	make_dirs("opt/tool");
	way = watch_way_add(env.watch, at("bin/prog"), on_way, NULL);
	expect_way(make_link("../opt/tool/prog", "bin/prog"));
	expect_way(place("opt/tool/prog", "#!"));
	expect_way(check_eq(chmod(at("opt/tool/prog"), 0755), 0));
	expect_way(check_eq(chmod(at("opt/tool"), 0700), 0));
	expect_way(check_eq(chmod(at("opt"), 0700), 0));
	expect_way(check_eq(chmod(at("bin"), 0700), 0));
	expect_way(check_eq(chmod(at(""), 0711), 0));
	expect_way(append("opt/tool/prog", "x"));
	expect_way(move("opt", "aside"));
	expect_way(move("aside", "opt"));
	expect_way(check_eq(unlink(at("bin/prog")), 0));
	watch_way_remove(env.watch, way);
	ways = 0;
	place("bin/prog", "1");
	quiet();
	check_eq(ways, 0);
	check_eq(open_descriptors(), before);
}

TEST(the_root_is_on_every_way)
{
	struct watch_way *way;
	struct stat st;

	check_eq(fstatat(AT_FDCWD, "/", &st, 0), 0);
	/* The same mode again: an event, and no change. */
	if (chmod("/", st.st_mode & 07777) != 0)
		skip();
	way = watch_way_add(env.watch, at("prog"), on_way, NULL);
	quiet();
	expect_way(check_eq(chmod("/", st.st_mode & 07777), 0));
	watch_way_remove(env.watch, way);
}

static struct watch_way *own_way;

static void
on_way_once(void *arg)
{
	ways++;
	watch_add(env.watch, arg, &ops, NULL);
	watch_way_remove(env.watch, own_way);
}

TEST(a_way_may_remove_itself_and_add_others_when_called)
{
	char *path = xstrdup(at("d/late"));

	ways = 0;
	own_way = watch_way_add(env.watch, at("d/prog"), on_way_once, path);
	make_dirs("d");
	place("d/prog", "1");
	place("d/late", "1");
	eventually(ways > 0);
	expect("d/late", CREATE);
	check_eq(ways, 1);
	free(path);
}

/* ------------------------------------------------------------------- costs */

TEST(an_idle_watcher_sleeps)
{
	mono_t until;

	make_dirs("a/b");
	place("a/b/key", "1");
	watch("a/b/key");
	watch("a/*/*");
	watch("not/there");
	forget();
	eventually(mono_is_never(watch_deadline(env.watch)));
	until = mono_add(mono_now(), 60 * MONO_MS);
	/* Others may do something in / or /tmp: that is told, and nothing else. */
	while (loop_wait(env.loop, until) == 1)
		watch_due(env.watch, mono_now());
	check(!mono_before(mono_now(), until));
	check_eq(env.looks, 0);
}

TEST(paths_share_what_they_have_in_common)
{
	int before, i;
	struct watch_entry *e[1000], *pattern;
	char name[64];

	put_numbered("deep/down/here", 0, 1000);
	before = open_descriptors();
#if ON_SHIM
	int knotes = kqueue_count_knotes(kqueue_number());
#endif
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "deep/down/here/f%05d", i);
		e[i] = watch_add(env.watch, at(name), &ops, NULL);
	}
	check_eq(open_descriptors() - before, 1000 + 3);
	pattern = watch_add(env.watch, at("deep/*/here/f*"), &ops, NULL);
	check_eq(open_descriptors() - before, 1000 + 3);
	for (i = 0; i < 1000; i++)
		watch_remove(env.watch, e[i]);
	check_eq(open_descriptors() - before, 1000 + 3);
	watch_remove(env.watch, pattern);
	check_eq(open_descriptors(), before);
#if ON_SHIM
	check_eq(kqueue_count_knotes(kqueue_number()), knotes);
#endif
}

TEST(removing_everything_closes_everything)
{
	struct watch_entry *e[8];
	int before, i;

	make_dirs("a/b");
	make_dirs("c");
	place("a/b/key", "1");
	make_link("../c/../a/b", "c/link");
	before = open_descriptors();
	e[0] = watch("a/b/key");
	e[1] = watch("c/link/key");
	e[2] = watch("c/link/../../a/b/./key");
	e[3] = watch("*/*/*");
	e[4] = watch("gone/by/name");
	e[5] = watch("c/../a/../c/../fence0/../x");
	e[6] = watch("a/b/key");
	e[7] = watch("a/b/..");
	place("a/b/key", "2");
	move("a", "aside");
	quiet();
	move("aside", "a");
	for (i = 0; i < 8; i++)
		watch_remove(env.watch, e[i]);
	check_eq(open_descriptors(), before);
	quiet();
	check_eq(open_descriptors(), before);
}

/* What one event costs in calls for dir and what is below it, and in time. */
struct cost {
	int calls;
	int64_t cpu;
};

static struct cost
cost_of_write(const char *dir)
{
	char name[64];
	struct cost c;

	snprintf(name, sizeof(name), "%s/f00005", dir);
	forget();
	fake.forbidden = at(dir);
	fake.touched = 0;
	append(name, "2");
	c.cpu = cpu_ns();
	eventually(rec(name)->looks > 0);
	c.cpu = cpu_ns() - c.cpu;
	c.calls = fake.touched;
	check_eq(env.looks, 1);
	return c;
}

static struct cost
cost_of_entry(const char *dir)
{
	char name[64];
	struct cost c;

	snprintf(name, sizeof(name), "%s/new", dir);
	forget();
	fake.forbidden = at(dir);
	fake.touched = 0;
	put(name, "");
	c.cpu = cpu_ns();
	eventually(rec(dir)->looks > 0);
	c.cpu = cpu_ns() - c.cpu;
	c.calls = fake.touched;
	check_eq(env.looks, 1);
	return c;
}

/* 10,000 paths in 100 directories, each of which costs the same. */
static int64_t
add_thousands(void)
{
	int64_t cpu = 0, start;
	char dir[16];
	int i, calls = 0;

	for (i = 0; i < 100; i++) {
		snprintf(dir, sizeof(dir), "d%02d", i);
		put_numbered(dir, 0, 100);
		fake.forbidden = env.root;
		fake.touched = 0;
		start = cpu_ns();
		watch_numbered(dir, 0, 100);
		cpu += cpu_ns() - start;
		if (i == 0)
			calls = fake.touched;
		check_eq(fake.touched, calls);
	}
	return cpu;
}

TEST(the_cost_of_an_event_does_not_grow_with_the_paths)
{
	struct cost few[2], many[2];
	int64_t added;
	struct rlimit l;

	getrlimit(RLIMIT_NOFILE, &l);
	if (l.rlim_max < 11000)
		skip();
	put_numbered("few", 0, 100);
	env.quick = true;
	watch("few");
	watch_numbered("few", 0, 10);
	few[0] = cost_of_write("few");
	few[1] = cost_of_entry("few");
	added = add_thousands();
	watch("d50");
	many[0] = cost_of_write("d50");
	many[1] = cost_of_entry("d50");
	print_message("# 10,000 paths added in %d ms; write: %d us with 10, %d us with "
		      "10,000; new entry: %d us, %d us with 100 known\n",
	    (int)(added / MONO_MS), (int)(few[0].cpu / 1000), (int)(many[0].cpu / 1000),
	    (int)(few[1].cpu / 1000), (int)(many[1].cpu / 1000));
	check_eq(rec("d99/f00099")->error, 0);
	check_eq(few[0].calls, 1);
	check_eq(many[0].calls, 1);
	/* A directory's known entries are compared: 10 and 100 of them. */
	check_eq(few[1].calls, 10 + 1);
	check_eq(many[1].calls, 100 + 1);
}

/* No turn costs more than this, whatever others have put where. */
#define TURN_MAX 8192

static void
expect_bounded_turns(void)
{
	print_message("# a turn costs at most %d, and %d calls\n", (int)env.turn_work,
	    env.turn_calls);
	check(env.turn_work > 0 && env.turn_work <= TURN_MAX);
	check(env.turn_calls <= TURN_MAX);
	env.turn_work = 0;
	env.turn_calls = 0;
}

/* A directory full of links that each lead a long way, made beside its place. */
static void
make_maze(const char *name, int n)
{
	char path[64];
	int i;

	make_dirs("chain/d");
	place("chain/key", "1");
	make_winding("d", 20, "key", "chain/link");
	make_dirs("maze");
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "maze/f%05d", i);
		make_link("../chain/link", path);
	}
	move("maze", name);
}

TEST(no_turn_costs_more_with_more_to_do)
{
	struct watch_entry *names, *links;

	make_dirs("g");
	env.quick = true;
	names = watch("g/*/f*");
	links = watch("h/*");
	quiet();
	env.turn_work = 0;
	/* Many names at once, then a directory of before in their place, then none. */
	put_numbered("many", 0, 2 * WATCH_MATCHES_MAX);
	move("many", "g/many");
	quiet();
	check_eq(watch_overflow(names), WATCH_MATCHES_MAX);
	expect_bounded_turns();
	watch_recheck(env.watch);
	quiet();
	expect_bounded_turns();
	move("g", "aside");
	quiet();
	check_eq(watch_overflow(names), 0);
	check_eq(count(is_known), 0);
	expect_bounded_turns();
	make_maze("h", WATCH_MATCHES_MAX + 100);
	quiet();
	check(watch_overflow(links) >= 100);
	expect_bounded_turns();
	/* Each of them has to find its way anew. */
	move("chain", "chained");
	quiet();
	expect_bounded_turns();
	watch_recheck(env.watch);
	quiet();
	expect_bounded_turns();
	check(watch_why(links) == NULL);
}

TEST(a_look_at_many_paths_comes_in_pieces)
{
	struct watch_entry *e;
	uint64_t work;
	int pieces = 1;
	bool all;

	put_numbered("d", 0, 1000);
	env.quick = true;
	e = watch("d/f*");
	quiet();
	env.looks = 0;
	do {
		work = watch_work(env.watch);
		all = watch_look(e);
		check(watch_work(env.watch) - work < TURN_MAX / 8);
		if (all)
			break;
		/* One that is next may go between two pieces. */
		if (++pieces == 2)
			check_eq(unlink(at("d/f00500")), 0);
		turn(mono_now());
	} while (!all);
	check(pieces > 1);
	check(env.looks >= 999);
}

TEST(who_is_quiet_is_not_kept_waiting_by_who_is_not)
{
	int before;

	place("key", "1");
	env.quick = true;
	watch("key");
	watch("h/*");
	quiet();
	make_maze("h", WATCH_MATCHES_MAX);
	while (env.looks < 100)
		turn(mono_add(mono_now(), 100 * MONO_MS));
	before = env.looks;
	rec("key")->looks = 0;
	append("key", "2");
	eventually(rec("key")->looks > 0);
	/* Many hundreds were still to come. */
	check(env.looks - before < 50);
	quiet();
	check(env.looks >= WATCH_MATCHES_MAX);
}

/* Changes name without pause, in another process, until that is killed. */
static pid_t
start_hammer(const char *name, bool entries)
{
	pid_t pid = fork();
	int fd;

	check(pid != -1);
	if (pid != 0)
		return pid;
	alarm(30);
	for (;;) {
		fd = openat(AT_FDCWD, at(name), O_WRONLY | O_CREAT, 0644);
		if (fd == -1 || pwrite(fd, "x", 1, 0) != 1)
			_exit(1);
		close(fd);
		if (entries)
			unlink(at(name));
	}
}

/* Until watched has been looked at so often: no sooner than pauses allow. */
static void
hammer(const char *name, bool entries, const char *watched, int looks, int pause_ms)
{
	mono_t start = mono_now();
	int64_t cpu = cpu_ns(), ms;
	pid_t pid = start_hammer(name, entries);

	eventually(rec(watched)->looks >= looks);
	ms = mono_sub(mono_now(), start) / MONO_MS;
	cpu = cpu_ns() - cpu;
	kill(pid, SIGKILL);
	check_eq(waitpid(pid, NULL, 0), pid);
	print_message("# %d looks in %d ms, %d %% of a core, the shim's work included\n",
	    looks, (int)ms, (int)(cpu / MONO_MS * 100 / ms));
	check(ms >= (looks - 1) * pause_ms);
}

TEST(a_hostile_writer_costs_a_look_in_20_ms)
{
	place("key", "1");
	watch("key");
	hammer("key", false, "key", 20, 20);
	append("key", "the last change");
	eventually(rec("key")->last.size == 16);
	eventually(mono_is_never(watch_deadline(env.watch)));
}

TEST(a_hostile_directory_costs_a_look_in_20_ms)
{
	put_numbered("d", 0, 100);
	watch("d");
	watch("d/f*");
	hammer("d/f_hostile", true, "d", 10, 20);
	unlink(at("d/f_hostile"));
	put("d/f_last", "1");
	expect("d/f_last", CREATE);
	check(!known("d/f_hostile"));
}

static void
append_and_poll(void)
{
	append("key", "x");
	check(loop_wait(env.loop, (mono_t){ INT64_MIN }) != -1);
}

TEST(writes_wake_nobody_before_the_next_look)
{
	int i;

	place("key", "1");
	watch("key");
	/* One asks for a look, at the next no more are wanted, and one is pending. */
	for (i = 0; i < 3; i++)
		append_and_poll();
	fake.wakeups = 0;
	for (i = 0; i < 100; i++)
		append_and_poll();
	check_eq(fake.wakeups, 0);
	quiet();
	check_eq(rec("key")->last.size, 104);
}

TEST(a_slow_look_is_paid_back_tenfold)
{
	char *slow = xstrdup(at("key"));

	place("key", "1");
	watch("key");
	fake.slow = slow;
	hammer("key", false, "key", 4, 100);
	append("key", "the last change");
	eventually(rec("key")->last.size == 16);
	free(slow);
}

/* What came while a look was put off was noticed then, and not at the look. */
TEST(a_look_that_is_put_off_says_since_when)
{
	mono_t second, after_second;
	int looks;

	make_dirs("d");
	place("d/gone", "1");
	place("key", "1");
	watch("key");
	watch("d/*");
	fake.slow = at("key");
	looks = rec("key")->looks;
	append("key", "2");
	eventually(rec("key")->looks > looks);
	fake.slow = NULL;
	/* That took 10 ms, so the next look is put off for 100. */
	looks = rec("key")->looks;
	second = mono_now();
	append("key", "3");
	check(turn(mono_add(mono_now(), 50 * MONO_MS)) > 0);
	after_second = mono_now();
	append("key", "4");
	eventually(rec("key")->looks > looks);
	check(!mono_before(rec("key")->noticed, second));
	check(!mono_before(after_second, rec("key")->noticed));
	check(!mono_before(mono_now(), mono_add(after_second, 20 * MONO_MS)));
	/* The next one is not. */
	forget();
	after_second = mono_now();
	append("key", "5");
	eventually(rec("key")->looks > 0);
	check(!mono_before(rec("key")->noticed, after_second));
	/* A name that goes was noticed with its directory's event. */
	after_second = mono_now();
	check_eq(unlink(at("d/gone")), 0);
	eventually(rec("d/gone")->gone > 0);
	check(!mono_before(rec("d/gone")->noticed, after_second));
}

TEST(a_file_that_is_replaced_without_end_is_seen_at_last)
{
	pid_t pid;

	make_dirs("d");
	place("d/key", "1");
	watch("d/key");
	pid = fork();
	check(pid != -1);
	if (pid == 0) {
		alarm(30);
		for (;;)
			place("d/key", "x");
	}
	eventually(rec("d/key")->looks >= 10);
	kill(pid, SIGKILL);
	check_eq(waitpid(pid, NULL, 0), pid);
	quiet();
	check((diff("d/key") & CREATE) != 0);
	check_eq(rec("d/key")->error, 0);
	forget();
	place("d/key", "the last one");
	expect_just("d/key", CREATE | MODIFY);
	append("d/key", "more");
	expect_just("d/key", MODIFY);
}

TEST(a_recheck_finds_what_no_event_told)
{
	struct stat st;

	put_numbered("d", 0, 200);
	watch("d/*");
	/* Without the shim's knowledge nothing can happen, so only a FIFO can. */
	check_eq(mkfifo(at("d/fifo"), 0600), 0);
	forget();
	check_eq(chmod(at("d/fifo"), 0640), 0);
	expect_just("d/fifo", 0);
	watch_recheck(env.watch);
	check(!mono_is_never(watch_deadline(env.watch)));
	quiet();
	check_eq(diff("d/fifo"), ATTRIBUTES);
	check_eq(fstatat(AT_FDCWD, at("d/fifo"), &st, 0), 0);
	check_eq(rec("d/fifo")->last.mode, st.st_mode);
	check(env.looks >= 201);
	eventually(mono_is_never(watch_deadline(env.watch)));
}

TEST(paths_may_go_while_their_look_is_put_off)
{
	struct watch_entry *e, *p;
	int i;

	make_dirs("d");
	for (i = 0; i < 10; i++) {
		place("d/key", "1");
		e = watch_add(env.watch, at("d/key"), &ops, NULL);
		p = watch_add(env.watch, at("d/*"), &ops, NULL);
		append("d/key", "2");
		turn(mono_add(mono_now(), MONO_MS));
		append("d/key", "3");
		turn(mono_add(mono_now(), MONO_MS));
		watch_recheck(env.watch);
		watch_due(env.watch, mono_now());
		place("d/key", "4");
		watch_remove(env.watch, e);
		turn(mono_add(mono_now(), MONO_MS));
		watch_remove(env.watch, p);
		turn(mono_now());
	}
	quiet();
}

SET_UP_ALL
{
	unsetenv("KQUEUE_FAULTS");
	umask(022);
	fdlimit_init();
}
