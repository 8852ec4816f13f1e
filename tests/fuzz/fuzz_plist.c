/* SPDX-License-Identifier: MIT */
/* Any bytes as a property list: it is read, or refused with a sentence. */
#include <stdlib.h>

#include "cmd/plist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
visit(const struct plist *p)
{
	int64_t n;

	for (; p != NULL; p = p->next) {
		if (p->text == NULL)
			abort();
		plist_integer(p, &n);
		plist_get(p, "WatchPaths");
		visit(p->child);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[PLIST_WHY_SIZE];
	struct plist *p = plist_parse((const char *)data, size, why);

	if ((p == NULL) == (why[0] == '\0'))
		abort();
	visit(p);
	plist_free(p);
	return 0;
}
