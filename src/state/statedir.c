/* SPDX-License-Identifier: MIT */
/*
 * One descriptor on the state directory. It knows nothing of what is in there;
 * whoever has files there looks whether they still are.
 */
#include "state/statedir.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/event.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/util.h"
#include "base/fd.h"

struct statedir {
	struct loop *loop;
	struct loop_src src;
	char *path;
	int fd;
	void (*changed)(void *arg);
	void *arg;
};

static void
on_event(void *arg, const struct loop_event *ev)
{
	struct statedir *s = arg;

	(void)ev;
	s->changed(s->arg);
}

struct statedir *
statedir_new(struct loop *l, const char *path, void (*changed)(void *arg), void *arg)
{
	struct statedir *s = xcalloc(1, sizeof(*s));

	s->loop = l;
	s->src = (struct loop_src){ on_event, s };
	s->path = xstrdup(path);
	s->fd = -1;
	s->changed = changed;
	s->arg = arg;
	return s;
}

void
statedir_free(struct statedir *s)
{
	if (s == NULL)
		return;
	fd_close(&s->fd);
	free(s->path);
	free(s);
}

bool
statedir_follow(struct statedir *s)
{
	if (fd_is_at(s->fd, s->path))
		return true;
	fd_close(&s->fd);
	s->fd =
	    open(s->path, O_EVTONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (s->fd != -1 && loop_watch_vnode(s->loop, s->fd, &s->src) == -1)
		fd_close(&s->fd);
	return s->fd != -1;
}
