/* SPDX-License-Identifier: MIT */
/*
 * writer COUNT FIRST FILES WHAT...: writes to a file in WHAT/watched, waits for
 * the action that follows in WHAT.record, and appends how long it took to start,
 * in nanoseconds, to WHAT.series: one write for each WHAT by turns, COUNT times.
 * The files are numbered from 100 on and taken in turn, from the FIRST on. There
 * are at least 31 ms between two writes for the same WHAT.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_NS 31000000
#define POLL_NS 1000000
#define GIVE_UP_NS 5000000000

struct target {
	const char *what;
	int record;
	FILE *series;
	int64_t last;
};

static int64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void
rest(int64_t ns)
{
	struct timespec ts = { 0, (long)ns };

	if (ns > 0)
		nanosleep(&ts, NULL);
}

static int
target_init(struct target *t, const char *what)
{
	char path[PATH_MAX];

	t->what = what;
	t->last = 0;
	snprintf(path, sizeof(path), "%s.record", what);
	t->record = open(path, O_RDONLY | O_CREAT, 0600);
	snprintf(path, sizeof(path), "%s.series", what);
	t->series = fopen(path, "w");
	if (t->record == -1 || t->series == NULL)
		return -1;
	return lseek(t->record, 0, SEEK_END) == -1 ? -1 : 0;
}

/* When the action started that the record gets next, or -1. */
static int64_t
next_start(int record, int64_t since)
{
	int64_t start;

	while (read(record, &start, sizeof(start)) != (ssize_t)sizeof(start)) {
		if (now() - since > GIVE_UP_NS)
			return -1;
		rest(POLL_NS);
	}
	return start;
}

static int
measure(struct target *t, int number)
{
	char path[PATH_MAX];
	int64_t start;
	int file;

	snprintf(path, sizeof(path), "%s/watched/%d", t->what, number);
	file = open(path, O_WRONLY | O_APPEND);
	rest(t->last + PAUSE_NS - now());
	t->last = now();
	if (file == -1 || write(file, "x", 1) != 1)
		return -1;
	close(file);
	start = next_start(t->record, t->last);
	if (start == -1) {
		fprintf(stderr, "writer: no action after a write to %s\n", path);
		return -1;
	}
	fprintf(t->series, "%lld\n", (long long)(start - t->last));
	/* What the run still has to do must not be in the next one's time. */
	rest(10 * POLL_NS);
	return 0;
}

int
main(int argc, char **argv)
{
	int i, k, count, first, files, n = argc - 4;
	struct target targets[8];

	if (n < 1 || n > 8)
		return 1;
	count = atoi(argv[1]);
	first = atoi(argv[2]);
	files = atoi(argv[3]);
	for (k = 0; k < n; k++)
		if (target_init(&targets[k], argv[4 + k]) == -1)
			return 1;
	for (i = 0; i < count; i++)
		for (k = 0; k < n; k++)
			if (measure(&targets[k], 100 + (first + i) % files) == -1)
				return 1;
	for (k = 0; k < n; k++)
		if (fclose(targets[k].series) != 0)
			return 1;
	return 0;
}
