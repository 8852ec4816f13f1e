/* SPDX-License-Identifier: MIT */
/*
 * Everything that the checks of `doctor` look at, got once and before any of
 * them. What the daemon says of itself goes before what can be guessed.
 */
#include "cmd/patient.h"

#include <cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
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
adopt_options(struct patient *p)
{
	char *usual = xasprintf("%s%s", p->opt->root, PATH_CONFIG);
	char *root = json_get_text(p->status, "root");
	char *config = json_get_text(p->status, "config");

	if (config != NULL && strcmp(p->opt->config, usual) == 0)
		set_option(&p->opt->config, config);
	if (root != NULL && p->opt->root[0] == '\0')
		set_option(&p->opt->root, root);
	free(config);
	free(root);
	free(usual);
}

static void
ask_daemon(struct patient *p)
{
	cJSON *request = cJSON_CreateObject(), *rule;
	const char *name;

	json_add_text(request, "command", "status");
	p->status = ask_whom(p->opt, request, ASK_ANYBODY, PATIENCE_SEC, &p->error);
	if (p->status == NULL)
		return;
	adopt_options(p);
	cJSON_ArrayForEach(rule, cJSON_GetObjectItemCaseSensitive(p->status, "rules")) {
		name = json_get_string(rule, "name");
		if (name != NULL && map_get(&p->states, name) == NULL)
			map_put(&p->states, name, rule);
	}
}

/* As whom does the daemon run, or would it? */
static uid_t
daemon_user(const struct patient *p)
{
	struct stat st;

	if (p->status != NULL && lstat(p->opt->socket, &st) == 0)
		return st.st_uid;
	if (p->status == NULL && p->error.status == EX_NOPERM)
		return 0;
	if (p->opt->root[0] == '\0' && strcmp(p->opt->state, PATH_STATE) == 0)
		return 0;
	return geteuid();
}

static void
read_rules(struct patient *p)
{
	struct rule *r;
	size_t i;

	/* What keeps it from being read is among the findings. */
	(void)conf_read_dir(&p->conf, p->opt->config, &p->trust);
	for (i = 0; i < p->conf.nrules; i++) {
		r = p->conf.rules[i];
		map_put(&p->rules, r->name, r);
	}
}

void
patient_examine(struct patient *p)
{
	platform_remote_mounts(&p->remote);
	ask_daemon(p);
	p->trust = (struct trust){ .root = p->opt->root, .owner = daemon_user(p) };
	p->diagnosis.root = p->opt->root;
	/* What another user may not see says nothing about the daemon. */
	if (geteuid() != 0 && geteuid() != p->trust.owner)
		p->diagnosis.unspoken = "Permission denied";
	read_rules(p);
	p->check = (struct findings){
		.trust = &p->trust,
		.root = p->opt->root,
		.remote = &p->remote,
	};
}

void
patient_clear(struct patient *p)
{
	diagnosis_clear(&p->diagnosis);
	findings_clear(&p->check);
	map_clear(&p->rules);
	map_clear(&p->states);
	cJSON_Delete(p->status);
	conf_clear(&p->conf);
	strv_clear(&p->remote);
}

void
patient_add(struct patient *p, enum ailment ailment, const char *rule, char *cause,
    const char *why, struct repair repair)
{
	struct finding f = {
		.ailment = ailment,
		.rule = rule,
		.cause = cause,
		.why = why,
		.repair = repair,
	};

	diagnosis_add(&p->diagnosis, f);
}

const struct rule *
patient_rule(const struct patient *p, const char *name)
{
	return map_get(&p->rules, name);
}

char *
patient_place(const struct patient *p, const char *file, int line)
{
	char *path = xasprintf("%s/%s", p->opt->config, file);
	char *shown = diagnosis_shown(&p->diagnosis, path), *place;

	place = line != 0 ? xasprintf("%s:%d", shown, line) : xstrdup(shown);
	free(shown);
	free(path);
	return place;
}

char *
patient_otherwise(
    const struct patient *p, const char *what, const struct rule *rule, int line)
{
	char *place, *text;

	if (rule == NULL)
		return xasprintf("name another %s in its rule file", what);
	place = patient_place(p, rule->file, line);
	text = xasprintf("name another %s in %s", what, place);
	free(place);
	return text;
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
patient_command(const struct patient *p, const char *command, const char *operand)
{
	char *config = xasprintf("%s%s", p->opt->root, PATH_CONFIG);
	char *state = xasprintf("%s%s", p->opt->root, PATH_STATE);
	char *sock = xasprintf("%s/watchpathd.sock", p->opt->state);
	struct buf out = { NULL, 0, 0 };
	bool files = strcmp(command, "managed --write") == 0;

	buf_addf(&out, "%swatchpathd %s", repair_sudo(&p->trust), command);
	add_option(&out, "--root", p->opt->root, "");
	if (files || strcmp(command, "run") == 0 || strcmp(command, "doctor") == 0)
		add_option(&out, "--config", p->opt->config, config);
	if (!files) {
		add_option(&out, "--state", p->opt->state, state);
		add_option(&out, "--socket", p->opt->socket, sock);
	}
	if (operand != NULL)
		buf_addf(&out, " %s", operand);
	free(config);
	free(state);
	free(sock);
	return out.p;
}
