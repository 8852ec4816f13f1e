/* SPDX-License-Identifier: MIT */
/*
 * Children: each with one pipe for its output, known by its pid until it is
 * reaped. The one idea: SIGCHLD only says "look", then every running child is
 * asked by waitpid, so that no signal is lost and nobody else's child is
 * reaped. It refuses to signal a group whose leader it has reaped.
 */
#include "run/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/platform.h"
#include "base/util.h"
#include "base/fd.h"

#define LINE_BYTES ((size_t)4096) /* of a line of output that are logged */
#define CHUNK_BYTES ((size_t)64 * 1024)
/* One read in this time, over all whose output is not logged any more. */
#define REST_NS (10 * MONO_MS)
#define MAX_DRAINED 64
#define STATUS_FD 3

/* The read end of an output pipe; without a child it is only drained. */
struct outlet {
	TAILQ_ENTRY(outlet) entry; /* in drained */
	TAILQ_ENTRY(outlet) rest;  /* in resting */
	struct spawner *s;
	struct child *child;
	struct loop_src src;
	int fd;
	bool rests; /* it is not read, and the writer blocks */
	mono_t until;
};

enum phase { RUNNING, STOPPING, REAPED };

struct child {
	TAILQ_ENTRY(child) entry; /* in running or reaped */
	struct spawner *s;
	enum phase phase;
	pid_t pid;
	int status;    /* of waitpid */
	int status_fd; /* from the exec mode, or -1 */
	struct outlet *outlet;
	spawn_done_fn *done;
	void *arg;
	struct log_rule *log;
	uint64_t taken, dropped; /* bytes of output: read, and not logged */
	bool full;               /* no more of them are logged */
	size_t line_len;
	char line[LINE_BYTES];
};

TAILQ_HEAD(child_list, child);

/* What the last child got. The next one mostly gets the same numbers. */
struct files {
	bool known;
	int out, status;
	posix_spawn_file_actions_t actions;
};

struct spawner {
	struct loop *loop;
	char *self;
	int null_fd;
	struct files files;
	struct loop_src sigchld;
	size_t nrunning, ndrained;
	struct child_list running, reaped;
	TAILQ_HEAD(, outlet) drained; /* oldest first */
	TAILQ_HEAD(, outlet) resting; /* the first to be read first */
	mono_t last_rest;
	char chunk[CHUNK_BYTES];
};

/*
 * Moves a descriptor away from 0 to STATUS_FD, where the child's own are put
 * one after the other. Close-on-exec. Closes fd in any case; -1 with errno.
 */
static int
move_up(int fd)
{
	int up;

	if (fd > STATUS_FD)
		return fd_prepare(fd, false) == 0 ? fd : -1;
	up = fcntl(fd, F_DUPFD_CLOEXEC, STATUS_FD + 1);
	fd_close(&fd);
	return up;
}

/* Capturing */

static void
end_line(struct child *c)
{
	c->full = !log_output(c->log, c->line, c->line_len);
	if (c->full)
		c->dropped += c->line_len + 1;
	c->line_len = 0;
}

static void
add_to_line(struct child *c, const char *p, size_t n)
{
	size_t room = LINE_BYTES - c->line_len;

	if (n > room) {
		c->dropped += n - room;
		n = room;
	}
	memcpy(c->line + c->line_len, p, n);
	c->line_len += n;
}

static void
capture(struct child *c, const char *p, size_t n)
{
	const char *nl;
	size_t len;

	c->taken += n;
	while (n > 0 && !c->full) {
		nl = memchr(p, '\n', n);
		len = nl != NULL ? (size_t)(nl - p) : n;
		add_to_line(c, p, len);
		if (nl != NULL) {
			end_line(c);
			len++;
		}
		p += len;
		n -= len;
	}
	c->dropped += n;
}

static void
end_capture(struct child *c)
{
	if (c->line_len > 0)
		end_line(c);
	if (c->dropped > 0)
		log_output_missing(c->log, c->dropped);
}

static void
end_rest(struct outlet *o)
{
	if (o->rests)
		TAILQ_REMOVE(&o->s->resting, o, rest);
	o->rests = false;
}

/*
 * Who writes what nobody will read must not cost more than he likes: his pipe
 * fills up and he waits, which unlike SIGPIPE does him no harm.
 */
static void
rest(struct outlet *o)
{
	struct spawner *s = o->s;
	mono_t now = mono_now();

	if (o->rests)
		return;
	s->last_rest = mono_max(mono_add(s->last_rest, REST_NS), mono_add(now, REST_NS));
	o->until = s->last_rest;
	o->rests = true;
	loop_ignore_read(s->loop, o->fd);
	TAILQ_INSERT_TAIL(&s->resting, o, rest);
}

static void
free_outlet(struct outlet *o)
{
	end_rest(o);
	close(o->fd);
	free(o);
}

static void
drop_oldest(struct spawner *s)
{
	struct outlet *o = TAILQ_FIRST(&s->drained);

	TAILQ_REMOVE(&s->drained, o, entry);
	s->ndrained--;
	free_outlet(o);
}

/* Nobody is left who could write. */
static void
end_outlet(struct outlet *o)
{
	if (o->child != NULL) {
		o->child->outlet = NULL;
	} else {
		TAILQ_REMOVE(&o->s->drained, o, entry);
		o->s->ndrained--;
	}
	free_outlet(o);
}

/* One read a turn: a child that floods its pipe must not delay the others. */
static void
on_output(void *arg, const struct loop_event *ev)
{
	struct outlet *o = arg;
	ssize_t n = read(o->fd, o->s->chunk, CHUNK_BYTES);

	(void)ev;
	if (n > 0) {
		if (o->child != NULL)
			capture(o->child, o->s->chunk, (size_t)n);
		if (o->child == NULL || o->child->taken > LOG_RUN_MAX)
			rest(o);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		end_outlet(o);
	}
}

/*
 * The child is dead. What its pipe holds now is its output; what is written
 * later comes from a process that it left behind, which must not die of
 * SIGPIPE: so the pipe is drained until its end.
 */
static void
release_outlet(struct outlet *o)
{
	struct spawner *s = o->s;
	int held = 0;
	ssize_t n = 1;

	if (ioctl(o->fd, FIONREAD, &held) == -1)
		held = 0;
	while (held > 0 && n > 0) {
		n = read(o->fd, s->chunk,
		    (size_t)held < CHUNK_BYTES ? (size_t)held : CHUNK_BYTES);
		if (n > 0) {
			capture(o->child, s->chunk, (size_t)n);
			held -= (int)n;
		}
	}
	o->child->outlet = NULL;
	o->child = NULL;
	TAILQ_INSERT_TAIL(&s->drained, o, entry);
	s->ndrained++;
	/* Usually nobody is left; then it does not cost one of the others. */
	on_output(o, NULL);
	if (s->ndrained > MAX_DRAINED)
		drop_oldest(s);
}

/* Reaping */

/* What the exec mode has to say, if it did not get as far as the action. */
static bool
read_status(struct child *c, char *text, size_t size)
{
	ssize_t n = -1;

	if (c->status_fd != -1)
		n = read(c->status_fd, text, size - 1);
	fd_close(&c->status_fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static void
deliver(struct child *c)
{
	struct spawn_result r = { .exit_status = -1 };
	struct spawner *s = c->s;
	char text[2048];

	s->nrunning--;
	if (c->outlet != NULL)
		release_outlet(c->outlet);
	end_capture(c);
	if (read_status(c, text, sizeof(text)))
		r.error = text;
	else if (WIFEXITED(c->status))
		r.exit_status = WEXITSTATUS(c->status);
	else
		r.signal = WTERMSIG(c->status);
	c->done(c->arg, &r);
	free(c);
}

void
spawn_describe(const struct spawn_result *r, bool timed_out, char *out, size_t size)
{
	if (r->error != NULL)
		snprintf(out, size, "%s", r->error);
	else if (timed_out)
		snprintf(out, size, "took longer than its timeout");
	else if (r->signal != 0)
		snprintf(out, size, "ended by signal %d (%s)", r->signal,
		    strsignal(r->signal));
	else
		snprintf(out, size, "exit status %d", r->exit_status);
}

static bool
reap(struct child *c)
{
	pid_t pid;

	do
		pid = waitpid(c->pid, &c->status, WNOHANG);
	while (pid == -1 && errno == EINTR);
	return pid == c->pid;
}

/*
 * Reaps first and reports afterwards: the callbacks may start and kill others.
 * While stopping a leader is not reaped, see spawn_terminate.
 */
static void
on_sigchld(void *arg, const struct loop_event *ev)
{
	struct spawner *s = arg;
	struct child *c, *next;

	(void)ev;
	for (c = TAILQ_FIRST(&s->running); c != NULL; c = next) {
		next = TAILQ_NEXT(c, entry);
		if (c->phase == STOPPING || !reap(c))
			continue;
		c->phase = REAPED;
		TAILQ_REMOVE(&s->running, c, entry);
		TAILQ_INSERT_TAIL(&s->reaped, c, entry);
	}
	while ((c = TAILQ_FIRST(&s->reaped)) != NULL) {
		TAILQ_REMOVE(&s->reaped, c, entry);
		deliver(c);
	}
}

/* Starting */

/* The command line that is really executed. */
struct plan {
	const char *program;
	char *const *argv, *const *envp;
	struct strv args, env; /* what of it is ours */
	bool becomes;          /* through the exec mode */
};

static void
plan_clear(struct plan *p)
{
	strv_clear(&p->args);
	strv_clear(&p->env);
}

static void
push_option(struct strv *l, const char *name, const char *value)
{
	if (value == NULL)
		return;
	strv_push(l, xstrdup(name));
	strv_push(l, xstrdup(value));
}

/* The exec mode's command line, up to the program; see become.h. */
static void
push_become(struct strv *l, const char *self, const struct spawn_request *req)
{
	char text[16];

	strv_push(l, xstrdup(self));
	strv_push(l, xstrdup("exec"));
	snprintf(text, sizeof(text), "%d", STATUS_FD);
	push_option(l, "--status-fd", text);
	push_option(l, "--user", req->user);
	push_option(l, "--group", req->group);
	push_option(l, "--directory", req->directory);
	snprintf(text, sizeof(text), "%03o", (unsigned)req->umask);
	push_option(l, "--umask", req->umask != -1 ? text : NULL);
	snprintf(text, sizeof(text), "%" PRId32, req->nice);
	push_option(l, "--nice", req->nice_set ? text : NULL);
	strv_push(l, xstrdup("--"));
}

/* The action's own words, with those that keep the machine awake before them. */
static void
push_command(struct strv *l, const struct spawn_request *req, const char *const *awake)
{
	size_t i;

	for (i = 0; awake != NULL && awake[i] != NULL; i++)
		strv_push(l, xstrdup(awake[i]));
	strv_push(l, xstrdup(awake != NULL ? req->program : req->argv[0]));
	for (i = 1; req->argv[i] != NULL; i++)
		strv_push(l, xstrdup(req->argv[i]));
}

static void
plan_init(struct plan *p, const struct spawner *s, const struct spawn_request *req)
{
	const char *const *awake = req->keep_awake ? platform_keep_awake : NULL;
	bool becomes = req->user != NULL || req->group != NULL ||
		       req->directory != NULL || req->umask != -1 || req->nice_set;
	size_t i;

	*p = (struct plan){
		.program = awake != NULL ? awake[0] : req->program,
		.argv = req->argv,
		.envp = req->envp,
		.becomes = becomes,
	};
	if (req->session != NULL) {
		strv_push(&p->args, xstrdup(req->session));
		push_option(&p->args, "asuser", req->user);
	}
	if (becomes) {
		push_become(&p->args, s->self, req);
		strv_push(&p->args, xstrdup(p->program));
		/* Root must not load what LD_PRELOAD of another user's action names. */
		for (i = 0; req->envp[i] != NULL; i++)
			strv_push(&p->env, xasprintf("@%s", req->envp[i]));
		strv_push(&p->env, xstrdup("@")); /* v is NULL while it is empty */
		p->program = req->session != NULL ? req->session : s->self;
		p->envp = p->env.v;
	}
	if (becomes || awake != NULL) {
		push_command(&p->args, req, awake);
		p->argv = p->args.v;
	}
}

/* The descriptors that the child gets; see mark_files for all others. */
static int
add_files(posix_spawn_file_actions_t *fa, int in, int out, int status)
{
	int error;

	error = posix_spawn_file_actions_adddup2(fa, in, 0);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(fa, out, 1);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(fa, out, 2);
	if (error == 0 && status != -1)
		error = posix_spawn_file_actions_adddup2(fa, status, STATUS_FD);
	return error;
}

static void
forget_files(struct files *f)
{
	if (f->known)
		posix_spawn_file_actions_destroy(&f->actions);
	f->known = false;
}

/* glibc asks for the limit twice with every descriptor that is added. */
static int
set_files(struct spawner *s, int out, int status)
{
	struct files *f = &s->files;
	int error;

	if (f->known && f->out == out && f->status == status)
		return 0;
	forget_files(f);
	error = posix_spawn_file_actions_init(&f->actions);
	if (error != 0)
		return error;
	f->known = true;
	f->out = out;
	f->status = status;
	error = add_files(&f->actions, s->null_fd, out, status);
	if (error != 0)
		forget_files(f);
	return error;
}

static int
set_attributes(posix_spawnattr_t *at)
{
	short flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
	sigset_t all, none;
	int error;

#ifdef POSIX_SPAWN_CLOEXEC_DEFAULT
	flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
	sigfillset(&all);
	sigdelset(&all, SIGKILL);
	sigdelset(&all, SIGSTOP);
	sigemptyset(&none);
	error = posix_spawnattr_setflags(at, flags);
	if (error == 0)
		error = posix_spawnattr_setsigdefault(at, &all);
	if (error == 0)
		error = posix_spawnattr_setsigmask(at, &none);
	return error;
}

/*
 * Where the kernel cannot do it for a child: all descriptors are close-on-exec, also
 * what our parent left open for us. We wait for a child that closes ten thousand of
 * them before it executes, but not for the kernel to do so afterwards. 0, or an errno.
 */
static int
mark_files(void)
{
#ifndef POSIX_SPAWN_CLOEXEC_DEFAULT
	if (close_range(STATUS_FD, ~0U, CLOSE_RANGE_CLOEXEC) == -1)
		return errno;
#endif
	return 0;
}

/* 0 and the pid, or an error number. */
static int
run(struct spawner *s, const struct plan *p, int out, int status, pid_t *pid)
{
	posix_spawnattr_t at;
	int error;

	error = set_files(s, out, status);
	if (error == 0)
		error = posix_spawnattr_init(&at);
	if (error != 0)
		return error;
	error = set_attributes(&at);
	if (error == 0)
		error = mark_files();
	if (error == 0) {
		fdlimit_lower();
		error = posix_spawn(
		    pid, p->program, &s->files.actions, &at, p->argv, p->envp);
		fdlimit_restore();
	}
	posix_spawnattr_destroy(&at);
	return error;
}

/*
 * A pipe; its read end does not block. Out of descriptors the limit is raised,
 * or a pipe that is only drained has to go. 0, or -1 with errno and both -1.
 */
static int
open_pipe(struct spawner *s, int fds[2])
{
	while (pipe(fds) == -1) {
		fds[0] = fds[1] = -1;
		if (errno != EMFILE)
			return -1;
		if (fdlimit_raise())
			continue;
		if (TAILQ_EMPTY(&s->drained)) {
			errno = EMFILE;
			return -1;
		}
		drop_oldest(s);
	}
	fds[0] = move_up(fds[0]);
	fds[1] = move_up(fds[1]);
	/* A new pipe has no other flags, which would have to be kept. */
	if (fds[0] != -1 && fds[1] != -1 && fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0)
		return 0;
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	return -1;
}

static void
free_child(struct child *c)
{
	fd_close(&c->status_fd);
	if (c->outlet != NULL)
		free_outlet(c->outlet);
	free(c);
}

/* The pipes of c; out and status are the ends for the process. 0, or -1. */
static int
open_pipes(struct child *c, bool output, bool becomes, int *out, int *status)
{
	int fds[2];

	if (becomes) {
		if (open_pipe(c->s, fds) == -1)
			return -1;
		c->status_fd = fds[0];
		*status = fds[1];
	}
	if (!output)
		return 0;
	if (open_pipe(c->s, fds) == -1)
		return -1;
	*out = fds[1];
	c->outlet = xcalloc(1, sizeof(*c->outlet));
	*c->outlet = (struct outlet){ .s = c->s, .child = c, .fd = fds[0] };
	c->outlet->src = (struct loop_src){ on_output, c->outlet };
	return loop_watch_read(c->s->loop, fds[0], &c->outlet->src);
}

static void
explain(char *why, size_t size, const char *program, int error)
{
	const char *what = strerror(error);

	if (error == ENOEXEC)
		what = "neither a program for this machine nor a script with a #! line";
	else if (error == ENOENT && access(program, F_OK) == 0)
		what = "what its #! line names is not there";
	snprintf(why, size, "%s: %s", program, what);
}

struct child *
spawn_start(struct spawner *s, const struct spawn_request *req, spawn_done_fn *done,
    void *arg, char *why, size_t size)
{
	struct child *c = xcalloc(1, sizeof(*c));
	struct plan p;
	int out = -1, status = -1, error;

	plan_init(&p, s, req);
	c->s = s;
	c->status_fd = -1;
	c->done = done;
	c->arg = arg;
	c->log = req->log;
	if (open_pipes(c, req->log_output, p.becomes, &out, &status) == -1) {
		error = errno;
		snprintf(
		    why, size, "%s: no pipe to it: %s", req->program, strerror(error));
	} else {
		error = run(s, &p, out != -1 ? out : s->null_fd, status, &c->pid);
		if (error != 0)
			explain(why, size, p.program, error);
	}
	fd_close(&out);
	fd_close(&status);
	plan_clear(&p);
	if (error != 0) {
		free_child(c);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&s->running, c, entry);
	s->nrunning++;
	return c;
}

pid_t
spawn_pid(const struct child *c)
{
	return c->pid;
}

void
spawn_terminate(struct child *c)
{
	if (c->phase == REAPED)
		return;
	kill(-c->pid, SIGTERM);
	c->phase = STOPPING;
}

void
spawn_kill(struct child *c)
{
	if (c->phase == REAPED)
		return;
	kill(-c->pid, SIGKILL);
	c->phase = RUNNING;
	/* The leader may be dead for long, and its SIGCHLD forgotten. */
	kill(getpid(), SIGCHLD);
}

void
spawner_due(struct spawner *s, mono_t now)
{
	struct outlet *o;

	while ((o = TAILQ_FIRST(&s->resting)) != NULL && !mono_before(now, o->until)) {
		end_rest(o);
		if (loop_watch_read(s->loop, o->fd, &o->src) == -1)
			rest(o);
	}
}

mono_t
spawner_deadline(const struct spawner *s)
{
	const struct outlet *o = TAILQ_FIRST(&s->resting);

	return o != NULL ? o->until : MONO_NEVER;
}

size_t
spawn_running(const struct spawner *s)
{
	return s->nrunning;
}

struct spawner *
spawner_new(struct loop *l, const char *self)
{
	struct spawner *s = xcalloc(1, sizeof(*s));
	int error;

	s->loop = l;
	s->self = xstrdup(self);
	s->sigchld = (struct loop_src){ on_sigchld, s };
	TAILQ_INIT(&s->running);
	TAILQ_INIT(&s->reaped);
	TAILQ_INIT(&s->drained);
	TAILQ_INIT(&s->resting);
	s->last_rest = (mono_t){ INT64_MIN };
	/* Opened once: with many descriptors open, a lowered limit lets none open. */
	s->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (s->null_fd != -1)
		s->null_fd = move_up(s->null_fd);
	/* Ignored, as a parent may have left it, it would lose every exit status. */
	signal(SIGCHLD, SIG_DFL);
	if (s->null_fd != -1 && loop_watch_signal(l, SIGCHLD, &s->sigchld) == 0)
		return s;
	error = errno;
	spawner_free(s);
	errno = error;
	return NULL;
}

void
spawner_free(struct spawner *s)
{
	struct child *c;

	if (s == NULL)
		return;
	while ((c = TAILQ_FIRST(&s->running)) != NULL) {
		TAILQ_REMOVE(&s->running, c, entry);
		free_child(c);
	}
	while (!TAILQ_EMPTY(&s->drained))
		drop_oldest(s);
	forget_files(&s->files);
	fd_close(&s->null_fd);
	free(s->self);
	free(s);
}
