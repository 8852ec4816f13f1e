/* SPDX-License-Identifier: MIT */
/*
 * The socket. It knows lines and time limits, not what is asked. A client's request
 * and reply are each bounded, and every step is one event, so no client can keep a
 * dispatch waiting.
 */
#include "serve/control.h"

#include <cJSON.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/json.h"
#include "base/local.h"
#include "base/loop.h"
#include "base/util.h"
#include "base/fd.h"

#define PATIENCE_NS (5 * MONO_SEC)
#define PAUSE_NS MONO_SEC /* before accepting again, without descriptors */
#define PIECE (16 * 1024)
#define TRY_MS 100 /* for a listener at our path to accept a connection */

struct client {
	struct control *control;
	int fd;
	struct loop_src src;
	char request[CONTROL_REQUEST_MAX];
	size_t len;
	struct control_reply reply;
	struct buf out;
	size_t sent;
	bool answering, last_piece;
	mono_t expires;
	TAILQ_ENTRY(client) link;
};

struct control {
	struct loop *loop;
	control_fn *fn;
	void *arg;
	char *path;
	int fd;
	struct loop_src src;
	dev_t dev;
	ino_t ino;
	TAILQ_HEAD(, client) clients; /* the one that expires first, first */
	size_t nclients;
	bool accepting;
	mono_t accept_at;
};

static bool
text_more(void *state, struct buf *out)
{
	buf_adds(out, state);
	return false;
}

void
control_reply_text(struct control_reply *reply, char *text)
{
	*reply = (struct control_reply){ text_more, free, text };
}

void
control_reply_error(struct control_reply *reply, const char *fmt, ...)
{
	cJSON *o = cJSON_CreateObject();
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_add_text(o, "error", text);
	control_reply_text(reply, json_line(o));
	cJSON_Delete(o);
}

static void
set_accepting(struct control *c, bool accepting)
{
	if (accepting == c->accepting)
		return;
	c->accepting = accepting;
	if (accepting)
		loop_watch_read(c->loop, c->fd, &c->src);
	else
		loop_ignore_read(c->loop, c->fd);
}

static void
client_free(struct control *c, struct client *cl)
{
	TAILQ_REMOVE(&c->clients, cl, link);
	c->nclients--;
	if (cl->reply.free != NULL)
		cl->reply.free(cl->reply.state);
	buf_clear(&cl->out);
	close(cl->fd);
	free(cl);
	c->accept_at = MONO_NEVER;
	set_accepting(c, true);
}

/* The client made progress: its five seconds begin again, and it expires last. */
static void
client_touch(struct client *cl)
{
	cl->expires = mono_add(mono_now(), PATIENCE_NS);
	TAILQ_REMOVE(&cl->control->clients, cl, link);
	TAILQ_INSERT_TAIL(&cl->control->clients, cl, link);
}

/* Fills the output up to a piece. */
static void
client_produce(struct client *cl)
{
	cl->out.len = cl->sent = 0;
	while (!cl->last_piece && cl->out.len < PIECE)
		cl->last_piece =
		    cl->reply.more == NULL || !cl->reply.more(cl->reply.state, &cl->out);
}

static void
client_write(struct client *cl)
{
	ssize_t n;

	if (cl->sent == cl->out.len) {
		client_produce(cl);
		if (cl->out.len == 0) {
			client_free(cl->control, cl);
			return;
		}
	}
	n = write(cl->fd, cl->out.p + cl->sent, cl->out.len - cl->sent);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_free(cl->control, cl);
		return;
	}
	cl->sent += (size_t)n;
	client_touch(cl);
	if (cl->sent == cl->out.len && cl->last_piece)
		client_free(cl->control, cl);
}

/* The request is complete, or too long: from now on the client is written to. */
static void
client_answer(struct client *cl, const char *line, size_t len)
{
	struct control *c = cl->control;
	cJSON *request = line != NULL ? json_parse(line, len) : NULL;

	cl->answering = true;
	if (line == NULL)
		control_reply_error(&cl->reply,
		    "a request is one line of at most %d bytes", CONTROL_REQUEST_MAX);
	else if (request == NULL)
		control_reply_error(&cl->reply, "a request is one JSON object");
	else
		c->fn(c->arg, request, &cl->reply);
	cJSON_Delete(request);
	loop_ignore_read(c->loop, cl->fd);
	if (loop_watch_write(c->loop, cl->fd, &cl->src) == -1)
		client_free(c, cl);
}

static void
client_read(struct client *cl)
{
	char *end;
	ssize_t n;

	n = read(cl->fd, cl->request + cl->len, sizeof(cl->request) - cl->len);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_free(cl->control, cl);
		return;
	}
	cl->len += (size_t)n;
	end = memchr(cl->request, '\n', cl->len);
	if (end != NULL)
		client_answer(cl, cl->request, (size_t)(end - cl->request));
	else if (cl->len == sizeof(cl->request))
		client_answer(cl, NULL, 0);
	else
		client_touch(cl);
}

static void
client_event(void *arg, const struct loop_event *ev)
{
	struct client *cl = arg;

	(void)ev;
	if (cl->answering)
		client_write(cl);
	else
		client_read(cl);
}

/* Only root and the daemon's own user are served. */
static bool
may_ask(int fd)
{
	uid_t uid;
	gid_t gid;

	return getpeereid(fd, &uid, &gid) == 0 && (uid == 0 || uid == geteuid());
}

static void
client_new(struct control *c, int fd)
{
	struct client *cl = xcalloc(1, sizeof(*cl));

	cl->control = c;
	cl->fd = fd;
	cl->src = (struct loop_src){ client_event, cl };
	TAILQ_INSERT_TAIL(&c->clients, cl, link);
	c->nclients++;
	client_touch(cl);
	if (fd_prepare(fd, true) == -1 || !may_ask(fd) ||
	    loop_watch_read(c->loop, fd, &cl->src) == -1) {
		client_free(c, cl);
		return;
	}
	if (c->nclients == CONTROL_CLIENTS)
		set_accepting(c, false);
}

static void
accept_event(void *arg, const struct loop_event *ev)
{
	struct control *c = arg;
	int fd = accept(c->fd, NULL, NULL);

	(void)ev;
	if (fd != -1) {
		client_new(c, fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		   errno == ENOBUFS) {
		set_accepting(c, false);
		c->accept_at = mono_add(mono_now(), PAUSE_NS);
	}
}

/* 0 if a process listens there, else the errno of the connection. */
static int
try_connect(const struct sockaddr_un *a)
{
	int fd = local_connect(a, TRY_MS);

	if (fd == -1)
		return errno;
	close(fd);
	return 0;
}

static int
bind_and_listen(int fd, const struct sockaddr_un *a)
{
	mode_t mask = umask(077);
	int status = bind(fd, (const struct sockaddr *)a, sizeof(*a));

	umask(mask);
	return status == 0 ? listen(fd, 64) : -1;
}

/* Why the path is not free for the socket, as a phrase; NULL: it is. */
static const char *
taken_by(const struct sockaddr_un *a)
{
	struct stat st;
	int error;

	if (lstat(a->sun_path, &st) == -1)
		return NULL;
	if (!S_ISSOCK(st.st_mode))
		return "is in the way, and no socket: move it elsewhere";
	error = try_connect(a);
	if (error == ECONNREFUSED || error == ENOENT)
		return NULL;
	if (error == 0)
		return "another process listens there (see --socket)";
	return strerror(error);
}

/* Binds the path. A socket there that nobody listens on is replaced. */
static bool
bind_path(int fd, const struct sockaddr_un *a, struct stat *st, char *why, size_t size)
{
	const char *taken = NULL;
	bool bound = bind_and_listen(fd, a) == 0;

	if (!bound && errno == EADDRINUSE && (taken = taken_by(a)) == NULL)
		bound = (unlink(a->sun_path) == 0 || errno == ENOENT) &&
			bind_and_listen(fd, a) == 0;
	if (bound && lstat(a->sun_path, st) == 0)
		return true;
	snprintf(
	    why, size, "%s: %s", a->sun_path, taken != NULL ? taken : strerror(errno));
	return false;
}

struct control *
control_new(
    struct loop *l, const char *path, control_fn *fn, void *arg, char *why, size_t size)
{
	struct sockaddr_un address;
	struct control *c;
	struct stat st;
	int fd;

	if (!local_address(&address, path, why, size))
		return NULL;
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd == -1 || fd_prepare(fd, true) == -1) {
		snprintf(why, size, "%s: %s", path, strerror(errno));
		if (fd != -1)
			close(fd);
		return NULL;
	}
	if (!bind_path(fd, &address, &st, why, size)) {
		close(fd);
		return NULL;
	}
	c = xcalloc(1, sizeof(*c));
	c->loop = l;
	c->fn = fn;
	c->arg = arg;
	c->path = xstrdup(path);
	c->fd = fd;
	c->dev = st.st_dev;
	c->ino = st.st_ino;
	c->src = (struct loop_src){ accept_event, c };
	c->accept_at = MONO_NEVER;
	TAILQ_INIT(&c->clients);
	set_accepting(c, true);
	return c;
}

bool
control_in_place(const struct control *c)
{
	struct stat st;

	return lstat(c->path, &st) == 0 && st.st_dev == c->dev && st.st_ino == c->ino;
}

void
control_free(struct control *c)
{
	struct client *cl;

	if (c == NULL)
		return;
	while ((cl = TAILQ_FIRST(&c->clients)) != NULL)
		client_free(c, cl);
	if (control_in_place(c))
		unlink(c->path);
	close(c->fd);
	free(c->path);
	free(c);
}

void
control_due(struct control *c, mono_t now)
{
	struct client *cl;

	while ((cl = TAILQ_FIRST(&c->clients)) != NULL && !mono_before(now, cl->expires))
		client_free(c, cl);
	if (!mono_before(now, c->accept_at)) {
		c->accept_at = MONO_NEVER;
		set_accepting(c, true);
	}
}

mono_t
control_deadline(const struct control *c)
{
	const struct client *cl = TAILQ_FIRST(&c->clients);

	return cl != NULL ? mono_min(cl->expires, c->accept_at) : c->accept_at;
}
