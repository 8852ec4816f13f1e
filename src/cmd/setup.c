/* SPDX-License-Identifier: MIT */
/*
 * Everything that the checks of `doctor` look at, got once and before any of
 * them. What the daemon says of itself goes before what can be guessed.
 */
#include "cmd/setup.h"

#include <cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/paths.h"
#include "base/platform.h"
#include "rules/rule.h"

/* A daemon that is stopped or hangs is to be found, not waited for. */
#define PATIENCE_SEC 20

static void
set_option(char **option, const char *value)
{
	free(*option);
	*option = xstrdup(value);
}

/* What was not said on the command line is as the daemon has it. */
static void
adopt_options(struct setup *s)
{
	char *usual = xasprintf("%s%s", s->opt->root, PATH_CONFIG);
	char *root = json_get_text(s->status, "root");
	char *config = json_get_text(s->status, "config");

	if (config != NULL && strcmp(s->opt->config, usual) == 0)
		set_option(&s->opt->config, config);
	if (root != NULL && s->opt->root[0] == '\0')
		set_option(&s->opt->root, root);
	free(config);
	free(root);
	free(usual);
}

static void
ask_daemon(struct setup *s)
{
	cJSON *request = cJSON_CreateObject(), *rule;
	const char *name;

	json_add_text(request, "command", "status");
	s->status = ask_whom(s->opt, request, ASK_ANYBODY, PATIENCE_SEC, &s->error);
	if (s->status == NULL)
		return;
	adopt_options(s);
	cJSON_ArrayForEach(rule, json_get(s->status, "rules")) {
		name = json_get_string(rule, "name");
		if (name != NULL && map_get(&s->states, name) == NULL)
			map_put(&s->states, name, rule);
	}
}

/* As whom does the daemon run, or would it? */
static uid_t
daemon_user(const struct setup *s)
{
	struct stat st;

	if (s->status != NULL && lstat(s->opt->socket, &st) == 0)
		return st.st_uid;
	if (s->status == NULL && s->error.failure == ASK_DENIED)
		return 0;
	if (s->opt->root[0] == '\0' && strcmp(s->opt->state, PATH_STATE) == 0)
		return 0;
	return geteuid();
}

static void
read_rules(struct setup *s)
{
	struct rule *r;
	size_t i;

	/* What keeps it from being read is among the findings. */
	(void)conf_read_dir(&s->conf, s->opt->config, &s->trust);
	for (i = 0; i < s->conf.nrules; i++) {
		r = s->conf.rules[i];
		map_put(&s->rules, r->name, r);
	}
}

void
setup_read(struct setup *s)
{
	platform_remote_mounts(&s->remote);
	ask_daemon(s);
	s->trust = (struct trust){ .root = s->opt->root, .owner = daemon_user(s) };
	s->diagnosis.root = s->opt->root;
	/* What another user may not see says nothing about the daemon. */
	if (geteuid() != 0 && geteuid() != s->trust.owner)
		s->diagnosis.hidden_end = "Permission denied";
	read_rules(s);
	s->check = (struct findings){
		.trust = &s->trust,
		.root = s->opt->root,
		.remote = &s->remote,
	};
}

void
setup_clear(struct setup *s)
{
	diagnosis_clear(&s->diagnosis);
	findings_clear(&s->check);
	map_clear(&s->rules);
	map_clear(&s->states);
	cJSON_Delete(s->status);
	conf_clear(&s->conf);
	strv_clear(&s->remote);
}

void
setup_add(struct setup *s, enum finding_kind kind, const char *rule, char *cause,
    const char *why, struct repair repair)
{
	struct finding f = {
		.kind = kind,
		.rule = rule,
		.cause = cause,
		.why = why,
		.repair = repair,
	};

	diagnosis_add(&s->diagnosis, f);
}

const struct rule *
setup_rule(const struct setup *s, const char *name)
{
	return map_get(&s->rules, name);
}

char *
setup_place(const struct setup *s, const char *file, int line)
{
	char *path = xasprintf("%s/%s", s->opt->config, file);
	char *shown = diagnosis_shown(&s->diagnosis, path), *place;

	place = line != 0 ? xasprintf("%s:%d", shown, line) : xstrdup(shown);
	free(shown);
	free(path);
	return place;
}

char *
setup_otherwise(
    const struct setup *s, const char *what, const struct rule *rule, int line)
{
	char *place, *text;

	if (rule == NULL)
		return xasprintf("name another %s in its rule file", what);
	place = setup_place(s, rule->file, line);
	text = xasprintf("name another %s in %s", what, place);
	free(place);
	return text;
}

/* One that is there and may not run rather than one that is missing. */
const struct command *
setup_choose(struct setup *s, const struct rule *rule, const struct command **refused)
{
	const struct judgement *j;
	bool missing = true;
	size_t i;

	*refused = &rule->actions[0];
	for (i = 0; i < rule->nactions; i++) {
		j = findings_judge(&s->check, rule, &rule->actions[i]);
		if (j->good)
			return &rule->actions[i];
		if (missing && !j->missing)
			*refused = &rule->actions[i];
		missing = missing && j->missing;
	}
	return NULL;
}

/* Adds an option where it was given, or must be because of one that was. */
static void
add_option(struct buf *out, const char *name, const char *value, const char *usual)
{
	char *word;

	if (strcmp(value, usual) == 0)
		return;
	word = repair_quote(value, "");
	buf_addf(out, " %s %s", name, word);
	free(word);
}

char *
setup_command(const struct setup *s, const char *command, const char *operand)
{
	char *config = xasprintf("%s%s", s->opt->root, PATH_CONFIG);
	char *state = xasprintf("%s%s", s->opt->root, PATH_STATE);
	char *sock = xasprintf("%s/watchpathd.sock", s->opt->state);
	struct buf out = { NULL, 0, 0 };
	bool files = strcmp(command, "managed --write") == 0;

	buf_addf(&out, "%swatchpathd %s", repair_sudo(&s->trust), command);
	add_option(&out, "--root", s->opt->root, "");
	if (files || strcmp(command, "run") == 0 || strcmp(command, "doctor") == 0)
		add_option(&out, "--config", s->opt->config, config);
	if (!files) {
		add_option(&out, "--state", s->opt->state, state);
		add_option(&out, "--socket", s->opt->socket, sock);
	}
	if (operand != NULL)
		buf_addf(&out, " %s", operand);
	free(config);
	free(state);
	free(sock);
	return out.p;
}

struct repair
setup_repair(const struct setup *s, const char *command)
{
	return (struct repair){ setup_command(s, command, NULL), true };
}
