/* SPDX-License-Identifier: MIT */
/*
 * Any text as a command of a rule: what is split must be split the same way when
 * it is written down, and the judgement of any words of an interpreter or wrapper
 * ends with a verdict or a sentence. The first byte chooses the program.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "rules/keys.h"
#include "rules/words.h"
#include "trust/cmdline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const programs[] = { "/bin/sh", "/usr/bin/env", "/usr/bin/perl",
	"/usr/bin/find", "/usr/bin/xargs", "/usr/bin/nice", "/usr/bin/timeout",
	"/usr/bin/setsid", "/usr/bin/flock", "/usr/bin/stdbuf", "/bin/cp", "/bin/bash" };

static void
split_again(const struct strv *words)
{
	struct strv again = { NULL, 0 };
	struct buf line = { NULL, 0, 0 };
	char why[1024];
	size_t i;

	for (i = 0; i < words->n; i++) {
		buf_adds(&line, i > 0 ? " " : "");
		rule_quote_word(&line, words->v[i]);
	}
	if (words->n > 0 && (!words_split(line.p, &again, why, sizeof(why)) ||
				!strv_equal(words, &again)))
		abort();
	strv_clear(&again);
	buf_clear(&line);
}

static void
judge(const char *program, const struct strv *words, const char *directory)
{
	const struct trust trust = { .owner = geteuid() };
	struct strv argv = { NULL, 0 }, paths = { NULL, 0 }, exposed = { NULL, 0 };
	struct trust_verdict v = { .paths = &paths, .exposed = &exposed };
	struct cmdline line = { .directory = directory, .as_root = true };
	size_t i;

	strv_push(&argv, xstrdup(program));
	for (i = 0; i < words->n; i++)
		strv_push(&argv, xstrdup(words->v[i]));
	line.argv = argv.v;
	if (!trust_command(&trust, &line, &v) && v.why[0] == '\0')
		abort();
	strv_clear(&exposed);
	strv_clear(&paths);
	strv_clear(&argv);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strv words = { NULL, 0 }, warnings = { NULL, 0 };
	char *line, why[1024] = "";
	const char *program;

	if (size == 0)
		return 0;
	program = programs[data[0] % (sizeof(programs) / sizeof(programs[0]))];
	line = xstrndup((const char *)data + 1, size - 1);
	words_warn(line, &warnings);
	if (words_split(line, &words, why, sizeof(why))) {
		words_warn_command(&words, &warnings);
		split_again(&words);
		judge(program, &words, (data[0] & 0x80) != 0 ? "/tmp" : NULL);
	} else if (why[0] == '\0' || words.n != 0) {
		abort();
	}
	strv_clear(&warnings);
	strv_clear(&words);
	free(line);
	return 0;
}
