/* SPDX-License-Identifier: MIT */
/*
 * From a new FileVault key to the MDM, in a page of `report`: what filevault-escrow,
 * which is installed beside this program, knows from the log of macOS. Where it is
 * not installed the page has no such part.
 */
#include "cmd/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/paths.h"
#include "cmd/helper.h"
#include "cmd/html.h"
#include "trust/cmdline.h"

/* To read a week of the log takes a Mac a minute or two. */
#define PATIENCE_SEC 300

/* "STAMP: key saved; sent to MDM at STAMP, LENGTH later": the length stands out. */
static void
add_key(struct buf *out, const char *line)
{
	static const char sent[] = "sent to MDM at ", later[] = " later";
	const char *at = strstr(line, sent), *length, *end;

	length = at != NULL ? strstr(at, ", ") : NULL;
	end = length != NULL ? strstr(length, later) : NULL;
	buf_adds(out, "<li><b>");
	if (end != NULL)
		html_add_bytes(out, length + 2, (size_t)(end - length) - 2);
	else
		buf_adds(out, "&ndash;");
	html_add(out, "</b><span>%s</span></li>\n", line);
}

static void
add_keys(struct buf *out, char *text)
{
	char *line;

	buf_adds(out, "<ul class=\"keys\">\n");
	while ((line = strsep(&text, "\n")) != NULL)
		if (line[0] != '\0')
			add_key(out, line);
	buf_adds(out,
	    "</ul>\n<p class=\"soft\">Sent is all that this Mac can know: whether "
	    "the key is stored, and unlocks the disk, the server knows.</p>\n");
}

static void
ask_log(struct buf *out, const char *path)
{
	static const char *const argv[] = { "filevault-escrow", "report", NULL };
	struct buf text = { NULL, 0, 0 };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (helper_run(path, argv, null, PATIENCE_SEC, &text) == 0)
		add_keys(out, text.p);
	else
		html_add(out,
		    "<p class=\"soft\">Not known: filevault-escrow %s; it says why "
		    "when it is run by hand.</p>\n",
		    errno == ECHILD ? "cannot tell" : strerror(errno));
	close(null);
	buf_clear(&text);
}

void
report_add_keys(struct buf *out, const struct report *r)
{
	const struct setup *s = &r->setup;
	struct trust_verdict verdict = { .paths = NULL };
	char *path = xasprintf("%s%s", s->opt->root, PATH_ESCROW), *shown;
	char *argv[] = { path, NULL };
	struct cmdline line = { .argv = argv, .as_root = true };
	bool good = trust_command(&s->trust, &line, &verdict);

	if (!good && verdict.missing) {
		free(path);
		return;
	}
	buf_adds(out, "<h2>From a new FileVault key to the MDM</h2>\n"
		      "<div class=\"card\">\n");
	if (good) {
		ask_log(out, verdict.resolved);
	} else {
		shown = diagnosis_shown(&s->diagnosis, verdict.why);
		html_add(out, "<p class=\"problem\">Not asked: %s</p>\n", shown);
		free(shown);
	}
	buf_adds(out, "</div>\n");
	free(path);
}
