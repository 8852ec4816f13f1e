/* SPDX-License-Identifier: MIT */
/*
 * What the program says about itself. It owns no text but its frame: subcommands
 * come from the table in main.c, keys from the one in keys.c, so that what is
 * printed here cannot be behind what the program does.
 */
#include "cmd/help.h"

#include <cJSON.h>
#include <expat.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cmd/keyforms.h"
#include "cmd/keylist.h"
#include "base/spelling.h"
#include "cmd/command.h"
#include "base/util.h"
#include "base/visible.h"

/* inih cannot say which one it is. */
char *
help_libraries(void)
{
	XML_Expat_Version expat = XML_ExpatVersionInfo();

	return xasprintf("cJSON %s, expat %d.%d.%d", cJSON_Version(), expat.major,
	    expat.minor, expat.micro);
}

void
help_list(const struct subcommand *table, FILE *out)
{
	const struct subcommand *s;

	fputs("usage: watchpathd COMMAND [ARGUMENT ...]\n\n", out);
	for (s = table; s->name != NULL; s++)
		fprintf(out, "  %-8s  %s\n", s->name, s->summary);
	fputs("\nSee `watchpathd help COMMAND` for one of them, `watchpathd help keys` "
	      "for\n"
	      "what a rule file may say, and `watchpathd help KEY` for one key.\n",
	    out);
}

static int
print_buf(struct buf *b)
{
	fwrite(b->p, 1, b->len, stdout);
	buf_clear(b);
	return fflush(stdout) == 0 ? EX_OK : EXIT_FAILURE;
}

static void
try_commands(struct spelling *meant, const struct subcommand *table)
{
	for (; table->name != NULL; table++)
		spelling_try(meant, table->name);
}

/* "PLACE no WHAT `NAME`: did you mean `name`?", or where all of them are listed. */
static int
unknown(
    const char *place, const char *what, const struct spelling *meant, const char *list)
{
	char *vis = vis_dup(meant->slip);

	if (meant->best[0] != '\0')
		fprintf(stderr, "watchpathd: %sno %s `%s`: did you mean `%s`?\n", place,
		    what, vis, meant->best);
	else
		fprintf(
		    stderr, "watchpathd: %sno %s `%s` (%s)\n", place, what, vis, list);
	free(vis);
	return EX_USAGE;
}

/* Names that other programs have for what there is. */
static void
try_others(struct spelling *meant)
{
	static const char *const others[][2] = { { "start", "run" }, { "list", "status" },
		{ "ls", "status" }, { "ps", "status" }, { "show", "status" },
		{ "log", "history" }, { "logs", "history" }, { "lint", "check" },
		{ "validate", "check" }, { "verify", "check" }, { "test", "check" },
		{ "fire", "trigger" }, { "kickstart", "trigger" }, { "kick", "trigger" },
		{ "diagnose", "doctor" }, { "why", "explain" }, { "which", "explain" },
		{ "convert", "import" }, { "migrate", "import" },
		{ "profile", "managed" }, { "profiles", "managed" } };
	size_t i;

	for (i = 0; i < NELEM(others); i++)
		if (spelling_same(others[i][0], meant->slip))
			snprintf(meant->best, sizeof(meant->best), "%s", others[i][1]);
}

int
help_unknown(const struct subcommand *table, const char *name)
{
	struct spelling meant;

	spelling_init(&meant, name);
	try_commands(&meant, table);
	try_others(&meant);
	return unknown("", "command", &meant, "`watchpathd help` lists them");
}

static int
print_one(const struct subcommand *table, const char *name)
{
	const struct subcommand *s;
	char *synopsis;
	struct buf b = { NULL, 0, 0 };
	struct spelling meant;

	for (s = table; s->name != NULL; s++)
		if (strcmp(s->name, name) == 0)
			break;
	if (s->name == NULL && keys_print_one(name, &b))
		return print_buf(&b);
	if (s->name == NULL) {
		spelling_init(&meant, name);
		try_commands(&meant, table);
		keys_meant(&meant);
		return unknown("help: ", "command or key", &meant,
		    "`watchpathd help` lists commands, `watchpathd help keys` keys");
	}
	synopsis = command_synopsis(s);
	printf("usage: watchpathd %s\n\n%s: %s\n", synopsis, s->name, s->summary);
	free(synopsis);
	if (s->text != NULL)
		printf("\n%s\n", s->text);
	return fflush(stdout) == 0 ? EX_OK : EXIT_FAILURE;
}

int
help_print(const struct subcommand *table, const char *name)
{
	/* For people, and what make man and make profiles write into the tree. */
	static const struct {
		const char *name;
		void (*print)(struct buf *out);
	} lists[] = {
		{ "keys", keys_print },
		{ "mdoc-keys", keys_print_mdoc },
		{ "schema-keys", keyforms_print_schema },
		{ "manifest-keys", keyforms_print_manifest },
	};
	struct buf b = { NULL, 0, 0 };
	size_t i;

	if (name == NULL) {
		help_list(table, stdout);
		return fflush(stdout) == 0 ? EX_OK : EXIT_FAILURE;
	}
	for (i = 0; i < NELEM(lists); i++)
		if (strcmp(name, lists[i].name) == 0) {
			lists[i].print(&b);
			return print_buf(&b);
		}
	return print_one(table, name);
}
