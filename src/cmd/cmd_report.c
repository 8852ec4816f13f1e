/* SPDX-License-Identifier: MIT */
/*
 * `report`: what status, history and doctor say, as one page to look at. It has no
 * script and refers to nothing, and the page forbids a browser both, in case
 * something in it were more than text after all.
 */
#include "cmd/command.h"

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json.h"
#include "base/options.h"
#include "base/fd.h"
#include "base/number.h"
#include "cmd/doctor.h"
#include "cmd/html.h"
#include "cmd/report.h"
#include "cmd/help.h"
#include "state/history.h"

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<meta name=\"referrer\" content=\"no-referrer\">\n"
    "<link rel=\"icon\" href=\"data:,\">\n";

void
report_add_time(struct buf *out, int64_t ns)
{
	char text[TIME_TEXT_SIZE];

	if (ns == 0) {
		buf_adds(out, "never");
		return;
	}
	format_time(text, ns);
	text[10] = text[19] = '\0';
	html_add(out, "%s %s UTC", text, text + 11);
}

static void
collect(struct report *r)
{
	const struct setup *s = &r->setup;
	cJSON *all;

	doctor_diagnose(&r->setup);
	all = diagnosis_json(&r->setup.diagnosis);
	r->findings = cJSON_DetachItemFromObjectCaseSensitive(all, "findings");
	cJSON_Delete(all);
	report_collect_rules(r);
	r->past.keep_lines = true;
	if (history_read(s->opt->state, NULL, tallies_add, &r->past) == -1)
		r->history_why = strerror(errno);
	tallies_finish(&r->past);
	r->now = realtime_ns();
}

/* A state's rules, or all of them for NULL. */
static size_t
count_rules(const struct report *r, const char *state)
{
	const cJSON *rule;
	size_t n = 0;

	cJSON_ArrayForEach(rule, r->rules)
		n += state == NULL || strcmp(json_string_of(rule, "state"), state) == 0;
	return n;
}

static void
add_tile(struct buf *out, const char *name, size_t n, bool bad)
{
	html_add(out, "<div class=\"%s\"><dt>%s</dt><dd>%zu</dd></div>",
	    bad && n > 0 ? "bad" : "", name, n);
}

static void
add_tiles(struct buf *out, const struct report *r)
{
	size_t runs = 0, failed = 0, i;

	for (i = 0; i < r->past.n; i++) {
		runs += r->past.all[i]->n;
		failed += r->past.all[i]->failures;
	}
	buf_adds(out, "<dl class=\"tiles\">");
	add_tile(out, "rules", count_rules(r, NULL), false);
	add_tile(out, "failed", count_rules(r, "failed"), true);
	add_tile(out, "blocked", count_rules(r, "blocked"), true);
	add_tile(out, "runs on record", runs, false);
	add_tile(out, "of them failed", failed, false);
	buf_adds(out, "</dl>");
}

/* Findings that are but notes are nothing that is wrong. */
static size_t
count_faults(const struct report *r)
{
	const cJSON *finding;
	size_t n = 0;

	cJSON_ArrayForEach(finding, r->findings)
		n += strcmp(json_string_of(finding, "kind"), "notes") != 0;
	return n;
}

static void
add_verdict(struct buf *out, const struct report *r)
{
	size_t faults = count_faults(r), all = (size_t)cJSON_GetArraySize(r->findings);

	if (all == 0)
		buf_adds(out,
		    "<div class=\"card edge verdict good\"><h2>Nothing is wrong</h2>");
	else if (faults == 0)
		buf_adds(out,
		    "<div class=\"card edge verdict care\"><h2>Nothing is wrong, but "
		    "there is something to know</h2>");
	else if (faults == 1)
		buf_adds(out,
		    "<div class=\"card edge verdict bad\"><h2>One thing is wrong</h2>");
	else
		html_add(out,
		    "<div class=\"card edge verdict bad\"><h2>%zu things are wrong</h2>",
		    faults);
	add_tiles(out, r);
	buf_adds(out, "</div>\n");
}

static void
add_finding(struct buf *out, const cJSON *finding)
{
	const char *kind = json_get_string(finding, "kind");
	bool command = json_is_true(finding, "command");

	html_add(out,
	    "<article class=\"card edge finding %s\"><p class=\"kind\">%s</p>\n"
	    "<p><strong>%s</strong></p>\n<p class=\"soft\">%s</p>\n",
	    kind, kind, json_get_string(finding, "what"),
	    json_get_string(finding, "why"));
	html_add(out,
	    command
		? "<p class=\"repair soft\">To repair it:</p><pre class=\"do\">%s</pre>\n"
		: "<p class=\"repair\"><span class=\"soft\">To repair it, by "
		  "hand:</span> %s</p>\n",
	    json_get_string(finding, "repair"));
	buf_adds(out, "</article>\n");
}

static void
add_findings(struct buf *out, const struct report *r)
{
	const cJSON *finding;

	if (cJSON_GetArraySize(r->findings) > 0)
		buf_adds(out, "<h2>What doctor finds</h2>\n");
	cJSON_ArrayForEach(finding, r->findings)
		add_finding(out, finding);
}

static void
add_daemon(struct buf *out, const cJSON *status)
{
	int64_t since = 0;

	if (status == NULL) {
		buf_adds(out, "does not answer");
		return;
	}
	html_add(out, "watchpathd %s, up since ", json_string_of(status, "version"));
	(void)parse_time(json_string_of(status, "started"), &since);
	report_add_time(out, since);
}

static void
add_versions(struct buf *out, const struct report *r)
{
	char *libraries = help_libraries();
	struct utsname u;

	buf_adds(out, "<h2>Versions</h2>\n<div class=\"card\"><dl class=\"facts\">"
		      "<dt>daemon</dt><dd>");
	add_daemon(out, r->setup.status);
	html_add(out, "</dd><dt>this report by</dt><dd>watchpathd %s, with %s</dd>",
	    VERSION, libraries);
	if (uname(&u) != -1)
		html_add(out, "<dt>system</dt><dd>%s %s, %s</dd>", u.sysname, u.release,
		    u.machine);
	buf_adds(out, "</dl></div>\n");
	free(libraries);
}

static void
add_page(struct buf *out, const struct report *r)
{
	char host[256] = "";

	(void)gethostname(host, sizeof(host) - 1);
	buf_adds(out, head);
	html_add(out, "<title>watchpathd on %s</title>\n", host);
	buf_addf(out, "<style>\n%s</style>\n</head>\n<body>\n<main>\n", report_style);
	html_add(
	    out, "<header><h1>watchpathd on %s</h1><p class=\"soft\">A report of ", host);
	report_add_time(out, r->now);
	buf_adds(out, "</p></header>\n");
	add_verdict(out, r);
	add_findings(out, r);
	report_add_rules(out, r);
	report_add_keys(out, r);
	add_versions(out, r);
	report_add_files(out, r);
	report_add_log(out, r);
	buf_adds(out,
	    "<footer>This page holds rule files as they are, and names of files. "
	    "It holds nothing of the content of a watched file, and of actions "
	    "nothing that they have printed. It needs no network.</footer>\n"
	    "</main>\n</body>\n</html>\n");
}

/* Who calls this through sudo is to be able to read it. */
static void
give_to_caller(int fd)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	uint64_t u, g;

	if (geteuid() == 0 && uid != NULL && gid != NULL &&
	    parse_number(uid, UINT32_MAX - 1, &u) &&
	    parse_number(gid, UINT32_MAX - 1, &g) && fchown(fd, (uid_t)u, (gid_t)g) == -1)
		errno = 0;
}

/*
 * What is there instead of a file, or NULL. A link may be one that somebody else has
 * put in root's way.
 */
static const char *
find_obstacle(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ? NULL : strerror(errno);
	errno = 0;
	if (S_ISREG(st.st_mode))
		return NULL;
	if (S_ISLNK(st.st_mode))
		return "a symbolic link, which is not followed: name another file";
	if (S_ISDIR(st.st_mode))
		return "a directory: name a file in it";
	return "no regular file: name another one";
}

/*
 * A new file that takes the name over when it is whole: nothing is followed, and a
 * file that was there stays what it was until then. 0, or -1 with errno.
 */
static int
write_file(const char *path, const struct buf *page)
{
	char *temporary = xasprintf("%s.XXXXXX", path);
	int fd, code = 0;

	if ((fd = mkstemp(temporary)) == -1)
		code = errno;
	else
		give_to_caller(fd);
	if (fd != -1 && (fd_write_all(fd, page->p, page->len) < page->len ||
			    close(fd) == -1 || rename(temporary, path) == -1)) {
		code = errno;
		(void)unlink(temporary);
	}
	free(temporary);
	errno = code;
	return code == 0 ? 0 : -1;
}

static int
write_page(const struct options *o, const struct buf *page)
{
	const char *name = o->output != NULL ? o->output : "standard output";
	const char *why = o->output != NULL ? find_obstacle(o->output) : NULL;
	bool ok;
	int error;

	if (why != NULL)
		ok = false;
	else if (o->output != NULL)
		ok = write_file(o->output, page) == 0;
	else
		ok = fd_write_all(STDOUT_FILENO, page->p, page->len) == page->len;
	if (ok)
		return EX_OK;
	error = errno;
	command_complain(name, why != NULL ? why : strerror(error));
	return command_status(error);
}

int
report_main(struct options *o, char **operands)
{
	struct report r = { .setup = { .opt = o } };
	struct buf page = { NULL, 0, 0 };
	int status;

	(void)operands;
	collect(&r);
	add_page(&page, &r);
	status = write_page(o, &page);
	buf_clear(&page);
	cJSON_Delete(r.findings);
	cJSON_Delete(r.rules);
	tallies_clear(&r.past);
	setup_clear(&r.setup);
	return status;
}
