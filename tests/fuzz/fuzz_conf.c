/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a rule file: reading them must neither crash nor leak, and what
 * is accepted must print as a rule file that says the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rules/conf.h"
#include "rules/keys.h"
#include "base/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fail(const char *what, const struct conf *c)
{
	size_t i;

	fprintf(stderr, "%s\n", what);
	for (i = 0; i < c->ndiags; i++)
		fprintf(stderr, "%d: %s\n", c->diags[i].line, c->diags[i].message);
	abort();
}

static void
read_bytes(struct conf *c, const void *data, size_t size)
{
	static char path[64];
	FILE *f;

	if (path[0] == '\0')
		snprintf(path, sizeof(path), "/tmp/fuzz_conf.%ld.ini", (long)getpid());
	f = fopen(path, "w");
	if (f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0)
		abort();
	if (conf_read_file(c, path, NULL) == -1)
		abort();
	unlink(path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf c = { .nrules = 0 }, again = { .nrules = 0 };
	struct buf b = { NULL, 0, 0 };
	size_t i;

	read_bytes(&c, data, size);
	if (conf_errors(&c) != 0 && c.nrules != 0)
		fail("a refused file gave rules", &c);
	for (i = 0; i < c.nrules; i++) {
		buf_clear(&b);
		rule_print(c.rules[i], &b);
		read_bytes(&again, b.p, b.len);
		if (again.nrules != 1 || !rule_equal(c.rules[i], again.rules[0]))
			fail(b.p, &again);
		conf_clear(&again);
	}
	buf_clear(&b);
	conf_clear(&c);
	return 0;
}
