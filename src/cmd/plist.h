/* SPDX-License-Identifier: MIT */
#ifndef PLIST_H
#define PLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum plist_type {
	PLIST_DICT,
	PLIST_ARRAY,
	PLIST_STRING,
	PLIST_INTEGER,
	PLIST_REAL,
	PLIST_TRUE,
	PLIST_FALSE,
	PLIST_DATE,
	PLIST_DATA
};

/* One value; the members of a dictionary or array are a list in their order. */
struct plist {
	enum plist_type type;
	char *key;  /* its name within a dictionary, or NULL */
	char *text; /* what stands between the tags; "" where there are members */
	struct plist *child, *next;
};

#define PLIST_WHY_SIZE 512

/* Is this meant to be XML, in whatever encoding, and not a list of another form? */
bool plist_is_xml(const char *text, size_t len);

/*
 * Reads an XML property list of at most INT_MAX bytes; plist_free it. NULL if it
 * is anything else or has an error, with a sentence in why that names the line.
 * All text is in UTF-8. Nothing is loaded, whatever the list refers to.
 */
struct plist *plist_parse(const char *text, size_t len, char why[PLIST_WHY_SIZE]);
void plist_free(struct plist *p);

/* The member of a dictionary; NULL if there is none, as of any other value. */
const struct plist *plist_get(const struct plist *dict, const char *key);

/* The value of an integer; false for any other type and what 64 bits cannot hold. */
bool plist_integer(const struct plist *p, int64_t *out);

#endif
