/* SPDX-License-Identifier: MIT */
#ifndef CODEWORDS_H
#define CODEWORDS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Which words of a command line are code, or lead to code? A table of facts about
 * interpreters, and programs that start others. Nothing here looks at a file.
 */
enum codeword_role {
	CODEWORD_DATA,       /* the program's own affair */
	CODEWORD_VALUE,      /* of an option: a path in it may be code */
	CODEWORD_ANY,        /* likewise; what this program does with it is not known */
	CODEWORD_MAYBE,      /* an option's value, or else the script or program */
	CODEWORD_SCRIPT,     /* the file that is run */
	CODEWORD_PROGRAM,    /* a command begins here, of n words */
	CODEWORD_TEXT,       /* code itself */
	CODEWORD_SHELL,      /* likewise, and a shell's */
	CODEWORD_ASSIGNMENT, /* NAME=value for the environment of what is started */
	CODEWORD_DIRECTORY,  /* what is started works there */
	CODEWORD_SEARCH,     /* the PATH in which programs are looked for */
	CODEWORD_CLEAR,      /* the environment is left out */
	CODEWORD_UNKNOWN,    /* the words do not say what is started */
};

struct codeword {
	enum codeword_role role;
	const char *text;  /* the word, or what of it counts */
	char *const *word; /* where it stands */
	size_t n;          /* of PROGRAM */
};

struct codewords {
	const struct obeyer *o;
	char *const *next;
	const char *pending; /* the mark of an option that waits for its value */
	unsigned skip;
	bool plain, doubt, doubted, text, coded, over;
};

/* Does a program of that name obey its words? Then c begins with the first of args. */
bool codewords_begin(struct codewords *c, const char *program, char *const *args);

/* The next word that is anything but a plain option. False: there is none. */
bool codewords_next(struct codewords *c, struct codeword *w);

/* Does a program started with a variable of that name load or run what it names? */
bool codewords_loads(const char *variable);

/* May what is started start another program, found by its name in PATH? */
bool codewords_starts(const struct codewords *c);

/* Does it obey files that it looks for in HOME? */
bool codewords_obeys_home(const struct codewords *c);

#endif
