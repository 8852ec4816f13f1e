/*
 * SPDX-License-Identifier: MIT
 *
 * macOS posts NOTE_WRITE on the parent of a mount point when something is
 * mounted there or unmounted. POLLPRI says that the mount table has changed; it is
 * then read again and compared by mount id. Begun with the first directory knote.
 */
#include "mounts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "knote.h"
#include "mountinfo.h"

struct mount_table {
	char *text;
	struct mountinfo *mounts;
	size_t n;
};

static int
by_id(const void *a, const void *b)
{
	const struct mountinfo *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static void
table_free(struct mount_table *t)
{
	if (t == NULL)
		return;
	free(t->text);
	free(t->mounts);
	free(t);
}

static struct mount_table *
table_read(int fd)
{
	struct mount_table *t = calloc(1, sizeof(*t));
	char *line, *save;
	size_t max = 1;

	if (t == NULL || (t->text = mountinfo_read(fd)) == NULL)
		goto fail;
	for (const char *p = t->text; (p = strchr(p, '\n')) != NULL; p++)
		max++;
	if ((t->mounts = calloc(max, sizeof(*t->mounts))) == NULL)
		goto fail;
	for (line = strtok_r(t->text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		if (mountinfo_parse(line, &t->mounts[t->n]))
			t->n++;
	qsort(t->mounts, t->n, sizeof(*t->mounts), by_id);
	return t;
fail:
	table_free(t);
	return NULL;
}

static void
report(struct kq *q, mounts_fn *fn, const char *point)
{
	const char *slash = strrchr(point, '/');
	char *dir;

	if (slash == NULL || slash[1] == '\0')
		return;
	dir = slash == point ? strdup("/") : strndup(point, (size_t)(slash - point));
	if (dir != NULL)
		fn(q, dir);
	free(dir);
}

/* Both are sorted: what stands in only one of them came or went. */
static void
compare(struct kq *q, mounts_fn *fn, const struct mount_table *was,
    const struct mount_table *is)
{
	size_t i = 0, j = 0;

	while (i < was->n || j < is->n) {
		int d = i == was->n  ? 1
			: j == is->n ? -1
				     : by_id(&was->mounts[i], &is->mounts[j]);

		/* A reused id, or a mount that was moved, is both. */
		if (d == 0 && strcmp(was->mounts[i].point, is->mounts[j].point) != 0) {
			report(q, fn, was->mounts[i].point);
			report(q, fn, is->mounts[j].point);
		}
		if (d < 0)
			report(q, fn, was->mounts[i].point);
		if (d > 0)
			report(q, fn, is->mounts[j].point);
		i += d <= 0;
		j += d >= 0;
	}
}

void
kq_mounts_watch(struct kq *q)
{
	if (q->mounts >= 0)
		return;
	q->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (q->mounts < 0)
		return;
	/* First the watch, then the table: what comes between is reported twice. */
	kq_poll_add(q, q->mounts, EPOLLPRI | EPOLLET, KQ_MOUNTS);
	q->mounted = table_read(q->mounts);
}

void
kq_mounts_compare(struct kq *q, mounts_fn *fn)
{
	struct mount_table *is = table_read(q->mounts);

	if (is == NULL)
		return;
	if (q->mounted != NULL)
		compare(q, fn, q->mounted, is);
	table_free(q->mounted);
	q->mounted = is;
}

void
kq_mounts_free(struct kq *q)
{
	table_free(q->mounted);
	q->mounted = NULL;
}
