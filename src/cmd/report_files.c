/* SPDX-License-Identifier: MIT */
/*
 * The rule files and the end of the log in a page of `report`. A file is shown only
 * if it is one that the daemon would obey: what others may write could be another
 * name of a file that only root may read. Of the log, what actions have printed is
 * left out, since it may hold secrets.
 */
#include "cmd/report.h"

#include <cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/paths.h"
#include "base/fd.h"
#include "cmd/helper.h"
#include "cmd/html.h"

/* With more, each is closed at first. */
#define FILES_OPEN 6
#define LOG_LINES 100
#define LOG_BYTES 65536

/* Adds a line with its newline, if it has one. */
typedef void line_fn(struct buf *out, const char *line, size_t len);

static void
each_line(struct buf *out, const char *text, size_t n, line_fn *fn)
{
	const char *end;
	size_t len;

	while (n > 0) {
		end = memchr(text, '\n', n);
		len = end != NULL ? (size_t)(end - text) + 1 : n;
		fn(out, text, len);
		text += len;
		n -= len;
	}
}

static void
add_in(struct buf *out, const char *element, const char *line, size_t len)
{
	buf_addf(out, "<%s>", element);
	html_add_bytes(out, line, len);
	buf_addf(out, "</%.*s>", (int)strcspn(element, " "), element);
}

/* A comment stands back, and the name of a rule out. */
static void
add_file_line(struct buf *out, const char *line, size_t len)
{
	size_t at = 0;

	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	if (at < len && (line[at] == ';' || line[at] == '#'))
		add_in(out, "i", line, len);
	else if (line[0] == '[')
		add_in(out, "b", line, len);
	else
		html_add_bytes(out, line, len);
}

/* False: it is not to be shown, and why says so. */
static bool
read_trusted(
    const struct setup *s, const char *path, struct buf *text, char why[TRUST_WHY_SIZE])
{
	int fd = trust_open_file(&s->trust, path, why);
	bool ok = fd != -1;

	if (ok && fd_read_all(fd, text, HELPER_LIMIT) == -1) {
		snprintf(why, TRUST_WHY_SIZE, "%s: %s", path, strerror(errno));
		ok = false;
	}
	if (fd != -1)
		close(fd);
	return ok;
}

static void
add_why(struct buf *out, const struct setup *s, const char *why)
{
	char *shown = diagnosis_shown(&s->diagnosis, why);

	html_add(out, "<p class=\"problem\">Not shown: %s</p>", shown);
	free(shown);
}

static void
add_file(struct buf *out, const struct setup *s, const char *name)
{
	char *path = xasprintf("%s/%s", s->opt->config, name), why[TRUST_WHY_SIZE];
	struct buf text = { NULL, 0, 0 };

	html_add(out,
	    s->conf.files.n <= FILES_OPEN
		? "<details class=\"card\" open><summary><code>%s</code></summary>"
		: "<details class=\"card\"><summary><code>%s</code></summary>",
	    name);
	if (read_trusted(s, path, &text, why)) {
		buf_adds(out, "<pre>");
		each_line(out, text.p, text.len, add_file_line);
		buf_adds(out, "</pre>");
	} else {
		add_why(out, s, why);
	}
	buf_adds(out, "</details>\n");
	buf_clear(&text);
	free(path);
}

void
report_add_files(struct buf *out, const struct report *r)
{
	const struct setup *s = &r->setup;
	char *dir = diagnosis_shown(&s->diagnosis, s->opt->config);
	size_t i;

	html_add(out,
	    "<h2>Rule files</h2>\n<p class=\"soft\">In <code>%s</code>, as they "
	    "are now.</p>\n",
	    dir);
	if (s->conf.files.n == 0)
		buf_adds(out, "<p class=\"card soft\">There are none.</p>\n");
	for (i = 0; i < s->conf.files.n; i++)
		add_file(out, s, s->conf.files.v[i]);
	free(dir);
}

/* TIME, a space and the word after it. */
static bool
has_level(const char *line, size_t len, const char *level)
{
	const char *space = memchr(line, ' ', len);
	size_t n = strlen(level), left;

	if (space == NULL)
		return false;
	left = len - (size_t)(space + 1 - line);
	return left > n && memcmp(space + 1, level, n) == 0 && space[1 + n] == ':';
}

static void
add_log_line(struct buf *out, const char *line, size_t len)
{
	if (has_level(line, len, "error"))
		add_in(out, "span class=\"error\"", line, len);
	else if (has_level(line, len, "warning"))
		add_in(out, "span class=\"warning\"", line, len);
	else
		html_add_bytes(out, line, len);
}

/* Takes what actions printed out of text; how many lines that were. */
static size_t
drop_output(struct buf *text)
{
	size_t from = 0, to = 0, len, dropped = 0;
	const char *end;

	while (from < text->len) {
		end = memchr(text->p + from, '\n', text->len - from);
		len = end != NULL ? (size_t)(end - text->p) - from + 1 : text->len - from;
		if (has_level(text->p + from, len, "output")) {
			dropped++;
		} else {
			memmove(text->p + to, text->p + from, len);
			to += len;
		}
		from += len;
	}
	text->len = to;
	return dropped;
}

/* Where the last n lines begin. */
static size_t
last_lines(const struct buf *text, size_t n)
{
	size_t at = text->len;

	while (at > 0 && (text->p[at - 1] != '\n' || at == text->len || --n > 0))
		at--;
	return at;
}

/* The last bytes of it, from the beginning of a line. */
static bool
read_log(
    const struct setup *s, const char *path, struct buf *text, char why[TRUST_WHY_SIZE])
{
	int fd = trust_open_file(&s->trust, path, why);
	struct stat st;
	char *begin;
	size_t cut;

	if (fd == -1)
		return false;
	if (fstat(fd, &st) == 0 && st.st_size > LOG_BYTES)
		(void)lseek(fd, -LOG_BYTES, SEEK_END);
	else
		st.st_size = 0;
	(void)fd_read_all(fd, text, HELPER_LIMIT);
	buf_adds(text, "");
	close(fd);
	begin = st.st_size > 0 ? memchr(text->p, '\n', text->len) : NULL;
	cut = begin != NULL ? (size_t)(begin - text->p) + 1 : 0;
	memmove(text->p, text->p + cut, text->len - cut);
	text->len -= cut;
	return true;
}

void
report_add_log(struct buf *out, const struct report *r)
{
	const struct setup *s = &r->setup;
	char *path = s->opt->log != NULL ? xstrdup(s->opt->log)
					 : xasprintf("%s%s", s->opt->root, PATH_LOG);
	char *shown = diagnosis_shown(&s->diagnosis, path), why[TRUST_WHY_SIZE];
	struct buf text = { NULL, 0, 0 };
	size_t dropped, begin;

	html_add(out,
	    "<h2>End of the log</h2>\n<div class=\"card\">"
	    "<p class=\"soft\"><code>%s</code>",
	    shown);
	if (read_log(s, path, &text, why)) {
		dropped = drop_output(&text);
		begin = last_lines(&text, LOG_LINES);
		if (dropped > 0)
			html_add(out,
			    "; left out is what actions have printed, lines: %zu",
			    dropped);
		buf_adds(out, "</p><pre>");
		each_line(out, text.p + begin, text.len - begin, add_log_line);
		buf_adds(out, "</pre>");
	} else {
		buf_adds(out, "</p>");
		add_why(out, s, why);
	}
	buf_adds(out, "</div>\n");
	buf_clear(&text);
	free(shown);
	free(path);
}
