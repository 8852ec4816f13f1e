/* SPDX-License-Identifier: MIT */
/*
 * writer RECORD COUNT FIRST FILE...: writes to one file after the other, from
 * number FIRST on, waits for the action that follows, and prints how long it
 * took to start, in nanoseconds. There are at least 31 ms between two writes.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_NS 31000000
#define POLL_NS 1000000
#define GIVE_UP_NS 5000000000

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

int
main(int argc, char **argv)
{
	int record, file, i, count, first, files = argc - 4;
	int64_t before, start;

	if (files < 1 || (record = open(argv[1], O_RDONLY | O_CREAT, 0600)) == -1)
		return 1;
	lseek(record, 0, SEEK_END);
	count = atoi(argv[2]);
	first = atoi(argv[3]);
	for (i = 0; i < count; i++) {
		file = open(argv[4 + (first + i) % files], O_WRONLY | O_APPEND);
		before = now();
		if (file == -1 || write(file, "x", 1) != 1)
			return 1;
		close(file);
		start = next_start(record, before);
		if (start == -1) {
			fprintf(stderr, "writer: no action after write %d\n", i);
			return 1;
		}
		printf("%lld\n", (long long)(start - before));
		rest(before + PAUSE_NS - now());
	}
	return 0;
}
