/* SPDX-License-Identifier: MIT */
#ifndef KEYS_H
#define KEYS_H

#include <stdbool.h>

#include "base/util.h"
#include "rules/rule.h"

/* A line of a rule file holds this many bytes, its end not counted. */
#define RULE_LINE_MAX 198

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
int rule_set(struct rule *r, const char *key, const char *value, int line,
    char why[RULE_WHY_SIZE]);
int rule_continue(struct rule *r, const char *key, const char *value, int line,
    char why[RULE_WHY_SIZE]);
int settings_set(
    struct settings *s, const char *key, const char *value, char why[RULE_WHY_SIZE]);

/* Could an indented line add these words to a command? -1, with a sentence. */
int rule_check_words(const char *key, const char *value, char why[RULE_WHY_SIZE]);

/*
 * A line was refused that would have set key, or the key that this is a slip of:
 * it is not missing. Was any, as far as it is known?
 */
void rule_note_refused(struct rule *r, const char *key);
bool rule_is_refused(const struct rule *r, const char *key);

/* The line on which key was set first; 0: it was not. */
int rule_line(const struct rule *r, const char *key);

/* Adds a sentence for each thing in a value, which was taken, that is hardly meant. */
void rule_warn(const char *key, const char *value, struct strv *out);

/* May an indented line be this, or does it only look like a continuation? */
int rule_check_indented(const char *text, char why[RULE_WHY_SIZE]);

/*
 * The nth thing, from 0, that keeps a complete rule from working: -1, a sentence
 * in why, and the line that it belongs to. 0: no more.
 */
int rule_validate(const struct rule *r, unsigned nth, int *line, char why[RULE_WHY_SIZE]);

/* What is true of a key of a rule or of [daemon]; 0 for an unknown one. */
enum {
	RULE_KEY_KNOWN = 1,
	RULE_KEY_LIST = 2,     /* may be given more than once */
	RULE_KEY_REQUIRED = 4, /* a rule must have it */
	RULE_KEY_TEXT = 8,     /* ` ;` in its value is an error, not a comment */
	RULE_KEY_WORDS = 16,   /* indented lines add words to it */
	RULE_KEY_DAEMON = 32   /* of [daemon] */
};
unsigned rule_key_flags(const char *key);

/* What `on` calls one CHANGE_ bit; "" for none. */
const char *rule_change_name(unsigned change);

/* Adds word to a command line so that it is read back as one word. */
void rule_quote_word(struct buf *out, const char *word);

/*
 * Sets key, which is a command, to these words, on as many lines as that takes. -1,
 * with a sentence, where a rule file cannot hold one of them.
 */
int rule_set_words(
    struct rule *r, const char *key, const struct strv *words, char why[RULE_WHY_SIZE]);

/*
 * The rule as INI that parses back to the same rule (check -v); or only the keys
 * that were set, which does so too.
 */
void rule_print(const struct rule *r, struct buf *out);
void rule_print_given(const struct rule *r, struct buf *out);
void settings_print(const struct settings *s, struct buf *out);

/* Are two rules the same in everything but file and line? */
bool rule_equal(const struct rule *a, const struct rule *b);

#endif
