/* SPDX-License-Identifier: MIT */
#ifndef VALUE_H
#define VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct command;
struct key;
struct rule;
struct strv;

/* Values and the room for an answer, as parse functions get them. */
struct input {
	const char *value;
	int line;
	char *why;  /* of RULE_WHY_SIZE */
	bool first; /* replaces the default */
};

/* Flags of the table besides RULE_KEY_. */
#define KEY_ZERO 0x100u      /* 0 is good although it is below min */
#define KEY_BY_SETTLE 0x200u /* three times `settle` if that is more than initial */

/*
 * How values of a kind are read into the object, and printed from it: a string
 * for each line, nothing if there is no value, a further line that must be
 * indented with a tab in front. parse copies what it keeps, and returns 0, or -1
 * with a sentence in why. The lines are the caller's, the object owns the rest.
 * warn, if it is not NULL, adds a sentence for each thing in a value, which has
 * been taken, that is hardly meant.
 */
struct type {
	const char *what;
	int (*parse)(const struct key *k, void *object, const struct input *in);
	void (*print)(const struct key *k, const void *object, struct strv *lines);
	void (*warn)(const char *value, struct strv *out);
};

/* A list of them ends with a name of NULL. */
struct choice {
	const char *name;
	unsigned value;
};

struct key {
	const char *name;
	const struct type *type;
	size_t offset;
	int64_t min, max; /* of a value, or max values of a list */
	const struct choice *choices;
	const char *initial; /* NULL: none */
	unsigned flags;      /* RULE_KEY_, KEY_ */
	const char *text;    /* one sentence */
	const char *others;  /* what other programs call it, or NULL */
};

/* The keys of a rule, and of [daemon]; the tables are in keys.c. */
struct key_table {
	const struct key *keys;
	size_t n;
};
extern const struct key_table value_rule_keys, value_daemon_keys;

/* The types, and what the field of a value is. */
extern const struct type value_environment; /* struct strv */
extern const struct type value_command;     /* struct command *, NULL: none */
extern const struct type value_changes;     /* unsigned, bits */
extern const struct type value_choice;      /* unsigned */
extern const struct type value_bool;
extern const struct type value_size;               /* uint64_t */
extern const struct type value_duration;           /* int64_t, milliseconds */
extern const struct type value_count, value_retry; /* uint32_t */
extern const struct type value_after;              /* uint32_t, 0: none */
extern const struct type value_umask;              /* int32_t, -1: none */
extern const struct type value_name, value_account, value_path, value_text; /* char * */

/* Those that know struct rule, where they have more than one field. */
extern const struct type value_watch, value_action, value_codes, value_nice;

/* What inih takes for a comment: the first `;` behind white space, or NULL. */
const char *value_find_comment(const char *s);

/* Writes a sentence into why; -1, always. */
int value_refuse(const struct input *in, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The field of object that k is of. */
void *value_field(const struct key *k, void *object);

#define VALUE_NAME_LEN 48

/* 1 to 48 of a-z 0-9 - _ . */
bool value_name_valid(const char *name);

/* Such a name, made of a text: what cannot stand in it becomes a dash. */
char *value_name_make(const char *text);

/* The names of k's choices, cut to size: "a, b or c"; "a b c" for several. */
void value_choice_list(char *out, size_t size, const struct key *k);

/* Is the canonical text one of what the rule watches? */
bool value_is_watched(const struct rule *r, const char *canonical);

/* Adds the words of a line to c, and the line, as copies; or none of them and -1. */
int value_split_words(const struct key *k, struct command *c, const struct input *in);

#endif
