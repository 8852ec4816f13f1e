/* SPDX-License-Identifier: MIT */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;
struct strv;

/*
 * cJSON without its traps: nothing after the value, keys by exact case, only
 * text that is UTF-8, and 64-bit numbers as strings, because it keeps numbers as
 * doubles. Text from outside is written with \ooo for what is no UTF-8.
 */

/* Makes running out of memory within cJSON fatal, as everywhere. Call once. */
void json_init(void);

/* The object that is all of text, or NULL. cJSON_Delete it. */
struct cJSON *json_parse(const char *text, size_t len);

/* Makes the names and text of what others wrote harmless: as json_add_text does. */
void json_make_safe(struct cJSON *o);

/* Adds a member to an object, s NULL: null; or an element to an array. */
void json_add_text(struct cJSON *o, const char *key, const char *s);
void json_push_text(struct cJSON *array, const char *s);
void json_add_list(struct cJSON *o, const char *key, const struct strv *list);
void json_add_int(struct cJSON *o, const char *key, int64_t n);
void json_add_time(struct cJSON *o, const char *key, int64_t realtime_ns); /* 0: null */

/* The member of that name, or NULL. */
struct cJSON *json_get(const struct cJSON *o, const char *key);
bool json_is_true(const struct cJSON *o, const char *key);

/* The member as text, decoded into a fresh string; NULL: none, or no string. */
char *json_get_text(const struct cJSON *o, const char *key);

/* The member's string, borrowed and as it stands; NULL: none, or no string. */
const char *json_get_string(const struct cJSON *o, const char *key);

/* The same, "" where that is NULL. */
const char *json_string_of(const struct cJSON *o, const char *key);

/* A number that json_add_int wrote. False, and *n untouched, if there is none. */
bool json_get_int(const struct cJSON *o, const char *key, int64_t *n);

/* The object as one line with a newline; free(3) it. */
char *json_line(const struct cJSON *o);

#endif
