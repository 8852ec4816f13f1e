/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as state.jsonl: a line that is taken must print as one that says the
 * same, and a store must open on the file, whatever it holds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "state/record.h"
#include "state/store.h"
#include "trust/trust.h"
#include "base/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_line(const char *line, size_t len)
{
	struct record r, again;
	char *text, *text_again;

	if (!record_parse(&r, line, len))
		return;
	text = record_print(&r);
	if (!record_parse(&again, text, strlen(text) - 1))
		abort();
	text_again = record_print(&again);
	if (strcmp(text, text_again) != 0)
		abort();
	free(text);
	free(text_again);
	record_clear(&r);
	record_clear(&again);
}

static char dir[64];

static void
clean_up(void)
{
	static const char *const names[] = { "state.jsonl", "state.jsonl.bad",
		"state.jsonl.new", "lock" };
	char path[96];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

static void
check_file(const void *data, size_t size)
{
	char *path = xasprintf("%s/state.jsonl", dir), why[512];
	const struct trust trust = { .root = dir, .owner = geteuid() };
	struct store *s = store_new(dir, &trust);
	struct record r;
	FILE *f = fopen(path, "w");

	if (f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0)
		abort();
	if (!store_open(s, why, sizeof(why)))
		abort();
	if (store_take(s, "r", &r))
		record_clear(&r);
	store_free(s);
	free(path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned n;
	const char *text = (const char *)data, *end;
	size_t left = size;

	if (dir[0] == '\0') {
		json_init();
		log_set_level(LOG_LEVEL_ERROR);
		snprintf(dir, sizeof(dir), "/tmp/fuzz_state.%ld", (long)getpid());
		mkdir(dir, 0700);
		atexit(clean_up);
	}
	for (; left > 0;
	     text = end + 1, left = size - (size_t)(text - (const char *)data)) {
		end = memchr(text, '\n', left);
		check_line(text, end != NULL ? (size_t)(end - text) : left);
		if (end == NULL)
			break;
	}
	/* Files are slow. */
	if (n++ % 32 == 0)
		check_file(data, size);
	return 0;
}
