/* SPDX-License-Identifier: MIT */
/*
 * counts ROOT RULES EVENTS BURST: the daemon below ROOT, whose rules it finds there, by
 * fixed schedules for callgrind, which counts what is done below counted(): a start;
 * EVENTS single writes, each to a file of its own, from its event to the clone of its
 * action; and a burst of BURST writes, until all of their runs are over. The files are
 * ROOT/watched/0 and so on.
 *
 * The daemon is daemon.c itself, whose turns are taken one by one here: nothing that a
 * clock decides is counted but the end of a burst.
 */
#include <fcntl.h>

#include "daemon.c" /* for start and turn */

/* For that long nothing may be due before something is counted. */
#define QUIET_NS (100 * MONO_MS)

typedef void counted_fn(struct daemon *d);

/* What callgrind looks for; not static, so that it keeps its name. */
void counted(counted_fn *what, struct daemon *d);

__attribute__((noinline)) void
counted(counted_fn *what, struct daemon *d)
{
	what(d);
}

static void
die(const char *what)
{
	fprintf(stderr, "counts: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static size_t
running(const struct daemon *d)
{
	return spawn_running(d->world.runner.spawner);
}

/* Until no run is left, and nothing is due for longer than a counted event takes. */
static void
settle(struct daemon *d)
{
	do {
		do_due(d);
		if (loop_wait(d->loop, mono_add(mono_now(), MONO_MS)) == 0)
			write_down(d);
	} while (running(d) > 0 ||
		 mono_before(next_deadline(d), mono_add(mono_now(), QUIET_NS)));
}

static void
begin(struct daemon *d)
{
	if (start(d) == -1)
		die("start");
}

/* The second half of a turn and the first of the next: an event, then its action. */
static void
dispatch(struct daemon *d)
{
	while (running(d) == 0) {
		if (loop_wait(d->loop, mono_now()) == -1)
			die("kevent");
		do_due(d);
		if (!mono_is_never(d->stop_at))
			exit(EXIT_FAILURE); /* a daemon that stops starts nothing */
	}
}

static void
write_file(const struct daemon *d, unsigned number)
{
	char *path = xasprintf("%s/watched/%u", d->opt->root, number);
	int fd = open(path, O_WRONLY | O_APPEND);

	if (fd == -1 || write(fd, "x", 1) != 1)
		die(path);
	close(fd);
	free(path);
}

static unsigned
number_of(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

int
main(int argc, char **argv)
{
	char run[] = "run", root[] = "--root";
	char *args[] = { run, root, argv[1], NULL };
	struct options o;
	struct daemon d = { .opt = &o };
	unsigned rules, events, burst, i;

	if (argc != 5 || options_parse(&o, OPTION_ROOT, "", 3, args) == -1)
		return EX_USAGE;
	rules = number_of(argv[2]);
	events = number_of(argv[3]);
	burst = number_of(argv[4]);
	counted(begin, &d);
	if (d.rules.n != rules)
		die("not all of the rules");
	settle(&d);
	for (i = 0; i < events; i++) {
		write_file(&d, i);
		counted(dispatch, &d);
		settle(&d);
	}
	for (i = 0; i < burst; i++)
		write_file(&d, events + i);
	if (burst > 0)
		counted(settle, &d);
	finish(&d);
	options_clear(&o);
	return EXIT_SUCCESS;
}
