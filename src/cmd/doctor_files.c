/* SPDX-License-Identifier: MIT */
/*
 * Rule files, read as the daemon reads them. What it said when it did so is reported
 * as well, where that is not the same.
 */
#include "cmd/doctor.h"

#include <cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/paths.h"
#include "cmd/managed.h"
#include "cmd/setup.h"
#include "rules/rule.h"

/* Is a rule of the file in force? */
static bool
is_in_force(const struct setup *s, const char *file)
{
	const cJSON *rule;

	cJSON_ArrayForEach(rule, json_get(s->status, "rules"))
		if (strcmp(json_string_of(rule, "file"), file) == 0)
			return true;
	return false;
}

/* The caller frees it. */
static char *
why_refused(const struct setup *s, const char *file, const char *message)
{
	const char *then = "";

	if (is_in_force(s, file))
		then = ": the version before it is in force";
	else if (s->status != NULL)
		then = ": none of its rules is in force";
	return xasprintf(
	    "the file is refused as a whole%s%s", then, repair_caution(message));
}

/* The directory of the rule files cannot be read. */
static void
add_directory(struct setup *s, const char *message)
{
	const char *dir = s->opt->config, *sudo = repair_sudo(&s->trust);
	char *word = repair_quote(dir, ""), *aside = repair_quote(dir, ".old"), *cause;
	struct repair repair;
	struct stat st;

	/* Something above it may be at fault: then that begins the message. */
	cause = message[0] == '/' ? xstrdup(message) : xasprintf("%s: %s", dir, message);
	if (stat(dir, &st) == -1 && errno == ENOENT)
		repair = repair_command("%sinstall -d -m 0755 %s", sudo, word);
	else if (!S_ISDIR(st.st_mode))
		repair = repair_command("%smv %s %s && %sinstall -d -m 0755 %s", sudo,
		    word, aside, sudo, word);
	else
		repair = repair_trust(
		    &s->trust, cause, "give the daemon another one with --config");
	setup_add(s, KIND_FILES, NULL, cause,
	    "rule files cannot be read: only rules that were in force before are",
	    repair);
	free(aside);
	free(word);
}

static void
add_error(struct setup *s, const char *file, int line, const char *message)
{
	char *place = setup_place(s, file, line), *shown = setup_place(s, file, 0);
	char *cause, *why;
	struct repair repair;

	if (line != 0) {
		cause = xasprintf("%s: %s", place, message);
		repair = repair_by_hand(
		    "correct line %d of %s: it is read again by itself", line, shown);
	} else {
		/* The file itself, or what is above it. */
		cause = message[0] == '/'
			    ? xstrdup(message)
			    : xasprintf("%s/%s: %s", s->opt->config, file, message);
		repair =
		    repair_trust(&s->trust, cause, "take the file out of the directory");
	}
	why = why_refused(s, file, cause);
	setup_add(s, KIND_FILES, NULL, cause, why, repair);
	free(why);
	free(shown);
	free(place);
}

static void
add_any_error(struct setup *s, const char *file, int line, const char *message)
{
	if (file[0] == '/')
		add_directory(s, message);
	else
		add_error(s, file, line, message);
}

/*
 * Said of a rule that asks for it by its own key, and whose manual advises it; or of
 * one that a profile is there to replace.
 */
static bool
is_wanted(const char *warning)
{
	return strncmp(warning, "`while-running = ignore`", 24) == 0 ||
	       strstr(warning, CONF_REPLACED) != NULL;
}

/* A warning about a whole file: it is not read. */
static void
add_unread(struct setup *s, const struct diag *g, const char *place)
{
	setup_add(s, KIND_NOTES, NULL, xasprintf("%s: %s", place, g->message),
	    "no rule in it is in force",
	    repair_by_hand("rename it if it is a rule file, or move it elsewhere"));
}

/* The warning about a file as a whole that is read: it has a second name. */
static void
add_linked(struct setup *s, const struct diag *g)
{
	char *path = xasprintf("%s/%s", s->opt->config, g->file);

	setup_add(s, KIND_NOTES, NULL, xasprintf("%s: %s", path, g->message),
	    "the file is in force as it is", repair_copy(&s->trust, path));
	free(path);
}

static void
add_warning(struct setup *s, const struct diag *g)
{
	char *place = setup_place(s, g->file, g->line);

	if (g->line == 0 && strv_contains(&s->conf.files, g->file))
		add_linked(s, g);
	else if (g->line == 0)
		add_unread(s, g, place);
	else if (!is_wanted(g->message))
		setup_add(s, KIND_NOTES, NULL, xasprintf("%s: %s", place, g->message),
		    "the file is in force, and may not say what is meant",
		    repair_by_hand("write it in another way in %s", place));
	free(place);
}

/* Was that refused in the files as they are now, too? */
static bool
is_known(const struct setup *s, const char *file, int line)
{
	size_t i;

	for (i = 0; i < s->conf.ndiags; i++)
		if (s->conf.diags[i].severity == DIAG_ERROR &&
		    s->conf.diags[i].line == line &&
		    strcmp(s->conf.diags[i].file, file) == 0)
			return true;
	return false;
}

/* What the daemon refused when it read the files, and would not be seen here. */
static void
add_refused(struct setup *s, const cJSON *refused)
{
	const cJSON *number = json_get(refused, "line");
	int line = cJSON_IsNumber(number) ? number->valueint : 0;
	char *file = json_get_text(refused, "file"), *place;
	char *message = json_get_text(refused, "message");

	if (file != NULL && message != NULL && !is_known(s, file, line)) {
		place = file[0] == '/' ? xstrdup(file) : setup_place(s, file, line);
		setup_add(s, KIND_FILES, NULL,
		    xasprintf("%s: the daemon has refused this: %s", place, message),
		    "it looks good to this command, but the daemon has not "
		    "read it again",
		    setup_repair(s, "reload"));
		free(place);
	}
	free(file);
	free(message);
}

static void
add_profile_error(struct setup *s, const char *path, const char *message)
{
	char *cause = xasprintf("%s: %s", path, message);
	const char *by_hand = "correct the profile in the MDM: it is taken by itself";

	setup_add(s, KIND_FILES, NULL, cause,
	    is_in_force(s, CONF_MANAGED)
		? "the profile is refused as a whole: the version before it is in force"
		: "the profile is refused as a whole: none of its rules is in force",
	    message[0] == '[' || message[0] == '`'
		? repair_by_hand("%s", by_hand)
		: repair_trust(&s->trust, cause, by_hand));
}

/* What a configuration profile says, and whether that was taken. */
static void
check_profile(struct setup *s)
{
	char *path = xasprintf("%s" PATH_PROFILE, s->opt->root);
	char *file = xasprintf("%s/" CONF_MANAGED, s->opt->config);
	struct managed m;
	size_t i;

	managed_read(&m, path, &s->trust);
	for (i = 0; i < m.errors.n; i++)
		add_profile_error(s, path, m.errors.v[i]);
	if (m.text.len > 0 && !managed_is_in(&m, file, &s->trust)) {
		setup_add(s, KIND_FILES, NULL,
		    xasprintf("%s: does not have the rules of %s", file, path),
		    "they are not in force, which the rule " MANAGED_RULE " is there for",
		    setup_repair(s, "managed --write"));
	}
	managed_clear(&m);
	free(file);
	free(path);
}

void
doctor_check_files(struct setup *s)
{
	const struct diag *g;
	const cJSON *refused;
	size_t i;

	for (i = 0; i < s->conf.ndiags; i++) {
		g = &s->conf.diags[i];
		if (g->severity == DIAG_ERROR)
			add_any_error(s, g->file, g->line, g->message);
		else
			add_warning(s, g);
	}
	cJSON_ArrayForEach(refused, json_get(s->status, "refused"))
		add_refused(s, refused);
	check_profile(s);
}
