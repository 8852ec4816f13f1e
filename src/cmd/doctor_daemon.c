/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with the daemon as a whole. Its warnings about rule files are not
 * its own: they are found again where these are read.
 */
#include "cmd/doctor.h"

#include <cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "cmd/setup.h"
#include "base/paths.h"
#include "base/visible.h"
#include "rules/rule.h"

/* Does the call say where things are? */
static bool
has_options(const struct setup *s)
{
	char *command = setup_command(s, "run", NULL);
	bool has = strstr(command, " --") != NULL;

	free(command);
	return has;
}

static struct repair
repair_restart(const struct setup *s)
{
	if (has_options(s))
		return repair_by_hand("end it, and start it again as it was started");
	return repair_command("%s", HINT_RESTART);
}

static void
add_silence(struct setup *s)
{
	const char *why = "whether it does its work is not known, and what follows is "
			  "how things look to this command";
	struct repair repair;

	switch (s->error.failure) {
	case ASK_DENIED:
		/* Said at the end, with all else that this user may not see. */
		s->diagnosis.hid_any = true;
		return;
	case ASK_ABSENT:
		why = "no rule does anything";
		repair = has_options(s) ? setup_repair(s, "run")
					: repair_command("%s", HINT_START);
		break;
	case ASK_MISPLACED:
		/* A second daemon would not find the first there, and run all twice. */
		why = "whether one runs is not known, and nothing can be asked of it";
		repair = repair_by_hand(
		    "put that right: a daemon that runs listens there within 10 seconds");
		break;
	default:
		repair = repair_restart(s);
		break;
	}
	setup_add(s, KIND_DAEMON, NULL, xstrdup(s->error.why), why, repair);
}

static void
check_version(struct setup *s)
{
	const char *version = json_get_string(s->status, "version");

	if (version != NULL && strcmp(version, VERSION) == 0)
		return;
	setup_add(s, KIND_DAEMON, NULL,
	    xasprintf("the daemon is version %s, and this is %s",
		version != NULL ? version : "unknown", VERSION),
	    "what is installed takes effect when the daemon is started again",
	    repair_restart(s));
}

static bool
is_same_directory(const char *a, const char *b)
{
	struct stat x, y;

	return strcmp(a, b) == 0 || (stat(a, &x) == 0 && stat(b, &y) == 0 &&
					x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

static void
check_config(struct setup *s)
{
	char *config = json_get_text(s->status, "config"), *word, *given;
	struct repair repair;

	if (config != NULL && !is_same_directory(config, s->opt->config)) {
		given = s->opt->config;
		s->opt->config = config;
		repair = setup_repair(s, "doctor");
		s->opt->config = given;
		word = xasprintf("the daemon reads its rule files from %s, not from %s",
		    config, given);
		setup_add(s, KIND_DAEMON, NULL, word,
		    "rule files that are looked at here are not in force", repair);
	}
	free(config);
}

/* Is the warning one of rule files, or is it found here as well? */
static bool
is_of_file(const struct setup *s, const char *warning)
{
	const char *suffix = strstr(warning, ".ini:");
	const struct diag *g;
	char *place;
	size_t i, n;
	bool found;

	found =
	    suffix != NULL && memchr(warning, '/', (size_t)(suffix - warning)) == NULL;
	for (i = 0; i < s->conf.ndiags && !found; i++) {
		g = &s->conf.diags[i];
		place = place_dup(g->file, g->line);
		n = strlen(place);
		found = strncmp(warning, place, n) == 0 &&
			strncmp(warning + n, ": ", 2) == 0 &&
			strcmp(warning + n + 2, g->message) == 0;
		free(place);
	}
	return found;
}

/* The state and the history lie on one volume, which is at fault for both. */
static bool
is_of_volume(const char *warning)
{
	static const int errors[] = { ENOSPC, EROFS, EDQUOT };
	size_t i;

	if (strncmp(warning, "the state cannot be saved", 25) != 0 &&
	    strncmp(warning, "the history cannot be written", 29) != 0)
		return false;
	for (i = 0; i < NELEM(errors); i++)
		if (text_ends_in(warning, strerror(errors[i])))
			return true;
	return false;
}

static void
add_warning(struct setup *s, const char *warning)
{
	struct repair repair;
	char *cause;

	if (strstr(warning, " until now: what was in it is set aside") != NULL) {
		setup_add(s, KIND_STATE, NULL, xstrdup(warning),
		    "what the rules owed is not known: each of them runs once",
		    repair_by_hand("find out who changed the mode and what is in the "
				   ".bad files; the next start says no more of it"));
		return;
	}
	if (is_of_volume(warning)) {
		cause = xasprintf("%s: the daemon cannot write there:%s", s->opt->state,
		    strrchr(warning, ':') + 1);
		repair =
		    repair_by_hand("make room on that volume, and let it be written");
	} else {
		cause = xasprintf("the daemon says: %s", warning);
		repair = repair_trust(
		    &s->trust, warning, "start the daemon with another place for it");
	}
	setup_add(s, KIND_STATE, NULL, cause,
	    "it goes on without that, and tries again every 10 seconds", repair);
}

/* But for directories of rule files and of the state, which are judged anyway. */
static void
check_warnings(struct setup *s)
{
	const cJSON *w;
	char *text;

	cJSON_ArrayForEach(w, json_get(s->status, "warnings")) {
		if (!cJSON_IsString(w) || is_of_file(s, w->valuestring) ||
		    strncmp(w->valuestring, "the rule files cannot be read", 29) == 0 ||
		    strstr(w->valuestring, " nothing in its directory is used: ") != NULL)
			continue;
		text = unvis_dup(w->valuestring);
		add_warning(s, text);
		free(text);
	}
}

void
doctor_check_daemon(struct setup *s)
{
	if (s->status == NULL) {
		add_silence(s);
		return;
	}
	check_version(s);
	check_config(s);
	check_warnings(s);
}
