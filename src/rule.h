/* SPDX-License-Identifier: MIT */
#ifndef RULE_H
#define RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "policy.h"
#include "util.h"

/* A command line split into words; argv.v is NULL-terminated for execve(2). */
struct command {
	struct strv argv;
	struct strv text; /* as it was written, a line each: what is printed */
	int line;         /* where in the file */
};

enum rule_trust { TRUST_STRICT, TRUST_ADMIN };

/* One rule. Strings that were not given are NULL. */
struct rule {
	char *name; /* of the section */
	char *file; /* name within conf.d */
	int line;   /* of the section */
	char *description;
	struct strv watch;
	struct command *actions;
	size_t nactions;
	struct command verify; /* argv.n is 0 if there is none */
	struct policy policy;
	uint32_t *success; /* exit statuses */
	size_t nsuccess;
	char *lock;
	char *user, *group, *directory;
	int32_t umask; /* -1: the daemon's */
	int32_t nice;
	bool nice_set;
	struct strv environment; /* NAME=value */
	enum rule_trust trust;
	bool keep_awake, log_output;
	uint64_t given; /* keys that were set, a bit each */
};

/* [daemon] */
struct settings {
	uint32_t max_running;
	int64_t recheck_ms; /* 0: never */
	uint32_t log_level; /* enum log_level of log.h */
	uint64_t given;
};

/* A line of a rule file holds this many bytes, its end not counted. */
#define RULE_LINE_MAX 198

/* Neither control bytes, tab excepted, nor what is not UTF-8. */
bool rule_text_valid(const char *s);

/* 1 to 48 of a-z 0-9 - _ . */
bool rule_name_valid(const char *name);

/* A rule with every default set and nothing else. rule_free(NULL) is nothing. */
struct rule *rule_new(const char *name, const char *file, int line);
void rule_free(struct rule *r);
void settings_init(struct settings *s);

/*
 * Takes one value of key: one call per value of a list. 0, or -1 with a
 * sentence in why (unknown key with the nearest known one, bad value with what
 * would be good, a value that a line cannot hold). rule_continue takes an
 * indented line below key: a further value, or further words of a command.
 * Daemon keys go to settings_set.
 */
#define RULE_WHY_SIZE 512
int rule_set(struct rule *r, const char *key, const char *value, int line,
    char why[RULE_WHY_SIZE]);
int rule_continue(struct rule *r, const char *key, const char *value, int line,
    char why[RULE_WHY_SIZE]);
int settings_set(
    struct settings *s, const char *key, const char *value, char why[RULE_WHY_SIZE]);

/* May an indented line be this, or does it only look like a continuation? */
int rule_check_indented(const char *text, char why[RULE_WHY_SIZE]);

/* The nth thing, from 0, that keeps a complete rule from working; 0: no more. */
int rule_validate(const struct rule *r, unsigned nth, char why[RULE_WHY_SIZE]);

/* What is true of a key of a rule or of [daemon]; 0 for an unknown one. */
enum {
	RULE_KEY_KNOWN = 1,
	RULE_KEY_LIST = 2,     /* may be given more than once */
	RULE_KEY_REQUIRED = 4, /* a rule must have it */
	RULE_KEY_TEXT = 8      /* ` ;` in its value is an error, not a comment */
};
unsigned rule_key_flags(const char *key);

/* Adds word to a command line so that it is read back as one word. */
void rule_quote_word(struct buf *out, const char *word);

/* The rule as INI that parses back to the same rule (check -v). */
void rule_print(const struct rule *r, struct buf *out);
void settings_print(const struct settings *s, struct buf *out);

/* The list of keys, as text for `help keys` and as mdoc for the manual. */
void rule_print_keys(struct buf *out);
void rule_print_keys_mdoc(struct buf *out);

/* Are two rules the same in everything but file and line? */
bool rule_equal(const struct rule *a, const struct rule *b);

#endif
