/* SPDX-License-Identifier: MIT */
/*
 * May a command line run? The program is judged, then each of its words that is
 * code, in the order in which the program would read them; a word that begins
 * another command is judged like the first. It refuses what it cannot find out.
 */
#include "trust/cmdline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/platform.h"
#include "base/places.h"
#include "base/util.h"
#include "trust/codewords.h"
#include "trust/shelltext.h"

#define MAX_DEPTH 8   /* of programs that start programs */
#define MAX_WORDS 16  /* on a #! line */
#define HEAD_SIZE 256 /* Linux looks no further for the end of a #! line */

/* What ends a path in a word that holds several, or something in front of one. */
#define SEPARATORS ":;=,@'\""
#define BEFORE_PATH SEPARATORS " \t\n!|&<>({`"

/* One judgement. */
struct verdict {
	const struct trust *t;
	const struct cmdline *line;
	const char *directory;   /* relative words begin there; NULL: / */
	const char *search_path; /* NULL: it is not known */
	bool missing, passing, remote;
	const char *home, *config; /* HOME=… and XDG_CONFIG_HOME=…, where they are set */
	bool named;                /* why says already of which word */
	bool at_home;              /* the directory was judged, or does not count */
	char *why;
	struct strv *paths, *exposed;
};

static bool judge_command(
    struct verdict *v, const char *path, char *const *args, char *resolved, int depth);

/* The verdict depends on what is at path, and on the way there. */
static void
depend(struct verdict *v, const char *path)
{
	if (v->paths != NULL && !strv_contains(v->paths, path))
		strv_push(v->paths, xstrdup(path));
}

/* With fd a regular file that is good is opened: see trust_open. */
static bool
judge_or_open(struct verdict *v, const char *path, struct trust_place *p, int *fd)
{
	bool admin = v->line->admin, ok;

	depend(v, path);
	ok = fd != NULL ? trust_open(v->t, path, admin, p, fd, v->why)
			: trust_place(v->t, path, admin, p, v->why);
	v->passing = v->passing || p->passing;
	v->remote = v->remote || p->remote;
	return ok;
}

static bool
judge_place(struct verdict *v, const char *path, struct trust_place *p)
{
	return judge_or_open(v, path, p, NULL);
}

/* Says what the path at fault is needed for, where there is room; always false. */
static bool
add_reason(struct verdict *v, char *owned)
{
	size_t len = strlen(v->why), n = strlen(owned);

	if (len + n < TRUST_WHY_SIZE)
		memcpy(v->why + len, owned, n + 1);
	free(owned);
	return false;
}

/* A refusal names the word that it is about; always false. */
static bool
name_word(struct verdict *v, const char *word, const char *program)
{
	size_t n = strlen(word);

	if (v->named)
		return false;
	v->named = true;
	if (strncmp(v->why, word, n) == 0 && v->why[n] == ':')
		return false;
	return add_reason(v, xasprintf(" (for `%s` of %s)", word, program));
}

/* Is there a file of that name up to its first space? */
static bool
has_arguments(const char *asked)
{
	size_t n = strcspn(asked, " ");
	struct stat st;
	char path[PATH_MAX];

	if (asked[n] == '\0' || n >= sizeof(path))
		return false;
	memcpy(path, asked, n);
	path[n] = '\0';
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* Of a command's words: the one that is not there, and how far its way goes. */
static bool
refuse_missing(struct verdict *v, const char *asked, const struct trust_place *p)
{
	v->missing = true;
	if (has_arguments(asked))
		return trust_refuse(v->why, asked,
		    "not installed yet: the quotes make this one word, the name of a "
		    "program");
	if (p->error == ENOENT && strcmp(p->real, asked) == 0)
		return trust_refuse(v->why, asked, "not installed yet");
	if (p->error == ENOENT)
		return trust_refuse(
		    v->why, asked, "not installed yet: there is no %s", p->real);
	return trust_refuse(
	    v->why, asked, "not installed yet: %s is not a directory", p->real);
}

/* Paths in words. */

/* A relative path is one of the directory that the command starts in. */
static bool
complete(struct verdict *v, const char *word, char out[PATH_MAX])
{
	const char *dir = v->directory != NULL ? v->directory : "";
	int n;

	if (word[0] == '/')
		n = snprintf(out, PATH_MAX, "%s", word);
	else
		n = snprintf(out, PATH_MAX, "%s/%s", dir, word);
	return (n > 0 && n < PATH_MAX) ||
	       trust_refuse(v->why, word, "%s", strerror(ENAMETOOLONG));
}

/* Does a path begin here? `-I/lib` and `-Mlib=/lib` hold one, `s/a/b/` none. */
static bool
begins_path(const char *text, const char *at)
{
	const char *start = at;

	if (*at != '/')
		return false;
	if (at == text || strchr(BEFORE_PATH, at[-1]) != NULL)
		return true;
	while (start > text && strchr(SEPARATORS " \t/", start[-1]) == NULL)
		start--;
	return *start == '-' && (start == text || start[-1] != '/');
}

typedef bool path_fn(struct verdict *v, const char *path, void *arg);

/* Calls fn with each absolute path in text, until it says false. */
static bool
each_path(struct verdict *v, const char *text, const char *ends, path_fn *fn, void *arg)
{
	const char *at;
	char *path;
	bool ok = true;

	for (at = text; *at != '\0' && ok; at++) {
		if (!begins_path(text, at))
			continue;
		path = xstrndup(at, strcspn(at, ends));
		ok = fn(v, path, arg);
		free(path);
	}
	return ok;
}

static bool
judge_one(struct verdict *v, const char *path, void *arg)
{
	struct trust_place p;

	(void)arg;
	return judge_place(v, path, &p);
}

/*
 * A value with whatever may be a path in it. As one path it may have separators
 * and spaces in its names, so it is taken both ways.
 */
static bool
judge_value(struct verdict *v, const char *text)
{
	char path[PATH_MAX];

	if (text[0] != '/' && (v->directory == NULL || text[0] == '-'))
		return each_path(v, text, SEPARATORS, judge_one, NULL);
	return complete(v, text, path) && judge_one(v, path, NULL) &&
	       each_path(v, text, SEPARATORS, judge_one, NULL);
}

/* Words that are the program's own affair. */

/* Whose word it is that names the place. */
struct exposure {
	const char *word, *program;
};

/* Only says so. */
static bool
expose_one(struct verdict *v, const char *path, void *arg)
{
	const struct exposure *e = arg;
	struct trust_place p;
	char why[TRUST_WHY_SIZE], *text;

	/* Who writes to another machine is not known here. */
	if (v->t->remote != NULL && places_find_above(v->t->remote, path) != NULL)
		return true;
	if (trust_place(v->t, path, v->line->admin, &p, why))
		return true;
	text = xasprintf("`%s`: %s: others choose what %s finds there, and where a link "
			 "in its place leads",
	    e->word, why, e->program);
	if (strv_contains(v->exposed, text))
		free(text);
	else
		strv_push(v->exposed, text);
	return false;
}

static void
expose(struct verdict *v, const char *word, const char *text, const char *ends,
    const char *program)
{
	struct exposure e = { word, program };

	if (v->exposed != NULL && v->line->as_root)
		each_path(v, text, ends, expose_one, &e);
}

/* Variables */

/* Relative parts of a list are looked for where the command starts. */
static bool
judge_relative(struct verdict *v, const char *list)
{
	struct trust_place p;
	size_t n;

	for (; v->directory != NULL; list += n + 1) {
		n = strcspn(list, ":");
		if (*list != '/' && (n == 0 || memchr(list, '/', n) || *list == '.'))
			return judge_place(v, v->directory, &p);
		if (list[n] == '\0')
			break;
	}
	return true;
}

/* What loaders and interpreters obey, whatever program it is. */
static bool
judge_variable(struct verdict *v, const char *assignment, const char *of)
{
	const char *value = strchr(assignment, '=');

	if (value == NULL || !v->line->as_root || !codewords_loads(assignment)) {
		if (value != NULL)
			expose(v, assignment, value + 1, SEPARATORS, v->line->argv[0]);
		return true;
	}
	value++;
	if (each_path(v, value, SEPARATORS, judge_one, NULL) &&
	    each_path(v, value, SEPARATORS " \t", judge_one, NULL) &&
	    (strstr(assignment, "PATH=") == NULL || judge_relative(v, value)))
		return true;
	return name_word(v, assignment, of);
}

/* A variable of what is started, by the rule or by a word. */
static bool
take_assignment(struct verdict *v, const char *assignment, const char *of)
{
	if (strncmp(assignment, "PATH=", 5) == 0)
		v->search_path = assignment + 5;
	if (strncmp(assignment, "HOME=", 5) == 0)
		v->home = assignment;
	if (strncmp(assignment, "XDG_CONFIG_HOME=", 16) == 0)
		v->config = assignment;
	return judge_variable(v, assignment, of);
}

static bool
judge_environment(struct verdict *v)
{
	char *const *e = v->line->environment;

	for (; e != NULL && *e != NULL; e++)
		if (!take_assignment(v, *e, "environment"))
			return false;
	return true;
}

/* What begins before the script, such as zsh's .zshenv, and what git runs, is there. */
static bool
judge_home(struct verdict *v, const char *assignment, const char *of)
{
	return assignment == NULL ||
	       each_path(v, strchr(assignment, '=') + 1, "", judge_one, NULL) ||
	       name_word(v, assignment, of);
}

/* Programs that are looked for. */

/* The first file that execvp(3) would run. Those that could come before count. */
static bool
search(struct verdict *v, const char *name, const char *of, char out[PATH_MAX])
{
	const char *path = v->search_path;
	struct trust_place p;
	struct stat st;
	size_t n;
	int len;

	if (path == NULL)
		return trust_refuse(
		    v->why, name, "where %s would find it is not known", of);
	for (; *path != '\0'; path += n + (path[n] == ':')) {
		n = strcspn(path, ":");
		if (n == 0 || *path != '/')
			return trust_refuse(
			    v->why, name, "%s would look for it in a relative PATH", of);
		len = snprintf(out, PATH_MAX, "%.*s/%s", (int)n, path, name);
		if (len < 0 || len >= PATH_MAX)
			return trust_refuse(v->why, name, "%s", strerror(ENAMETOOLONG));
		if (!judge_place(v, out, &p))
			return false;
		if (S_ISREG(p.type) && stat(out, &st) == 0 && (st.st_mode & 0111) != 0)
			return true;
	}
	v->missing = true;
	return trust_refuse(
	    v->why, name, "not installed yet: %s finds it nowhere in its PATH", of);
}

/* A command that a word begins; its words end after n. */
static bool
judge_started(struct verdict *v, const struct codeword *w, const char *of, int depth)
{
	char **args = xcalloc(w->n + 1, sizeof(*args)), found[PATH_MAX];
	bool ok;

	memcpy(args, w->word, w->n * sizeof(*args));
	if (strchr(w->text, '/') != NULL)
		ok = complete(v, w->text, found);
	else
		ok = search(v, w->text, of, found);
	ok = ok && judge_command(v, found, args + 1, NULL, depth + 1);
	free(args);
	return ok || name_word(v, w->text, of);
}

/* Words that are code. */

/* A script that an interpreter gets to read need not be executable. */
static bool
judge_script(struct verdict *v, const char *word)
{
	struct trust_place p;
	char path[PATH_MAX], main[PATH_MAX + 16];

	/* Input has been cut off, and what others made is no name of ours. */
	if (strcmp(word, "-") == 0)
		return true;
	if (!complete(v, word, path) || !judge_place(v, path, &p))
		return false;
	if (p.error != 0)
		return refuse_missing(v, path, &p);
	if (!S_ISDIR(p.type))
		return S_ISREG(p.type) ||
		       trust_refuse(v->why, path, "not a regular file");
	/* Python and node run a directory by a file in it. */
	snprintf(main, sizeof(main), "%s/__main__.py", path);
	return judge_one(v, main, NULL);
}

/* What a shell's code runs is judged; the rest of it is its own affair. */
static bool
judge_text(struct verdict *v, const char *code)
{
	struct shelltext s;

	shelltext_begin(&s, code);
	while (shelltext_next(&s))
		if (!judge_one(v, s.word, NULL))
			return false;
	return true;
}

/* Of find: the names of files that it finds, whoever made them. */
static bool
is_found(const char *word)
{
	return strstr(word, "{}") != NULL;
}

/* The value of an option that is not known, or what is run: good as either? */
static bool
judge_either(
    struct verdict *v, const struct codeword *w, bool starts, const char *of, int depth)
{
	struct trust_place p;
	struct stat st;
	char path[PATH_MAX];

	if (!judge_value(v, w->text))
		return false;
	if (!starts || strchr(w->text, '/') == NULL || !complete(v, w->text, path))
		return true;
	if (!judge_place(v, path, &p))
		return false;
	if (!S_ISREG(p.type) || stat(p.real, &st) == -1 || (st.st_mode & 0111) == 0)
		return true;
	return judge_started(v, w, of, depth);
}

static bool
judge_directory(struct verdict *v, const char *word, char keep[PATH_MAX])
{
	struct trust_place p;
	char path[PATH_MAX];

	if (!complete(v, word, path) || !judge_place(v, path, &p))
		return false;
	memcpy(keep, path, sizeof(path));
	v->directory = keep;
	return true;
}

static enum codeword_role
role_of(const struct codeword *w)
{
	bool runs = w->role == CODEWORD_SCRIPT || w->role == CODEWORD_PROGRAM;

	return runs && is_found(w->text) ? CODEWORD_UNKNOWN : w->role;
}

static bool
judge_word(struct verdict *v, const struct codewords *c, const struct codeword *w,
    const char *of, int depth, char keep[PATH_MAX])
{
	switch (role_of(w)) {
	case CODEWORD_DATA:
		expose(v, w->text, w->text, SEPARATORS, of);
		return true;
	case CODEWORD_SHELL:
	case CODEWORD_TEXT:
		if (w->role == CODEWORD_SHELL && !judge_text(v, w->text))
			return false;
		expose(v, w->text, w->text, SEPARATORS " \t\n;&|<>()`", of);
		return true;
	case CODEWORD_ANY:
		return !v->line->as_root || judge_value(v, w->text);
	case CODEWORD_VALUE:
		return judge_value(v, w->text);
	case CODEWORD_MAYBE:
		return judge_either(v, w, codewords_starts(c), of, depth);
	case CODEWORD_SCRIPT:
		return judge_script(v, w->text);
	case CODEWORD_PROGRAM:
		return judge_started(v, w, of, depth);
	case CODEWORD_ASSIGNMENT:
		return take_assignment(v, w->text, of);
	case CODEWORD_DIRECTORY:
		return judge_directory(v, w->text, keep);
	case CODEWORD_SEARCH:
	case CODEWORD_CLEAR:
		v->search_path = w->role == CODEWORD_SEARCH ? w->text : NULL;
		return true;
	case CODEWORD_UNKNOWN:
		break;
	}
	return trust_refuse(v->why, of, "what it would start is not known");
}

/* Where words are code, so may be what lies in the directory they are read in. */
static bool
judge_directory_of_rule(struct verdict *v, const char *program)
{
	struct trust_place p;

	if (v->at_home || v->line->directory == NULL)
		return true;
	v->at_home = true;
	return judge_place(v, v->line->directory, &p) ||
	       name_word(v, "directory", program);
}

static bool
judge_surroundings(struct verdict *v, const char *program, const struct codewords *c)
{
	if (!v->line->as_root)
		return true;
	return judge_directory_of_rule(v, program) &&
	       (!codewords_obeys_home(c) || (judge_home(v, v->home, program) &&
						judge_home(v, v->config, program)));
}

static bool
judge_words(struct verdict *v, const char *program, struct codewords *c, int depth)
{
	const char *directory = v->directory, *search_path = v->search_path;
	char keep[PATH_MAX];
	struct codeword w;
	bool ok = true;

	while (ok && codewords_next(c, &w))
		ok = judge_word(v, c, &w, program, depth, keep) ||
		     name_word(v, *w.word, program);
	v->directory = directory;
	v->search_path = search_path;
	return ok;
}

/* What a program that is not known does with its words is its own affair. */
static void
expose_words(struct verdict *v, const char *program, char *const *args)
{
	for (; *args != NULL; args++)
		expose(v, *args, *args, SEPARATORS, program);
}

/* Splits a #! line in place. The number of words, or -1 if they are too many. */
static int
split_line(char *line, char *words[MAX_WORDS])
{
	int n = 0;

	for (line += strspn(line, " \t"); *line != '\0'; line += strspn(line, " \t")) {
		if (n == MAX_WORDS)
			return -1;
		words[n++] = line;
		line += strcspn(line, " \t");
		if (*line != '\0')
			*line++ = '\0';
	}
	return n;
}

/*
 * The interpreter of script, whose first bytes are head. The kernel starts it
 * with the words of the line and the script's path, and nothing that matters
 * here comes after that. (Linux makes all words after the first one argument,
 * macOS does not; taken apart they cover both.)
 */
static bool
judge_interpreter(struct verdict *v, char *script, char *head, size_t len, int depth)
{
	char *words[MAX_WORDS + 2], *end = memchr(head, '\n', len);
	bool at_home = v->at_home, ok;
	int n;

	if (end == NULL && len == HEAD_SIZE)
		return trust_refuse(v->why, script, "its #! line is too long");
	if (end != NULL && end[-1] == '\r')
		return trust_refuse(v->why, script,
		    "its #! line ends in a carriage return, which would be part of the "
		    "interpreter's name: save it with Unix line ends");
	*(end != NULL ? end : head + len) = '\0';
	n = split_line(head + 2, words);
	if (n == -1)
		return trust_refuse(v->why, script, "its #! line is too long");
	if (n == 0 || words[0][0] != '/')
		return trust_refuse(v->why, script, "its #! line names no absolute path");
	words[n] = script;
	words[n + 1] = NULL;
	/* What a script reads where it starts is its own affair. */
	v->at_home = true;
	ok = judge_command(v, words[0], words + 1, NULL, depth + 1);
	v->at_home = at_home;
	return ok || add_reason(v, xasprintf(" (for the #! line of %s)", script));
}

/* What the system says of what was there just now; always false. */
static bool
refuse_errno(struct verdict *v, const char *path)
{
	v->passing = v->passing || trust_passes(errno);
	return trust_refuse(v->why, path, "%s", strerror(errno));
}

/* Reads how what is open begins; the length, or -1. */
static ssize_t
read_head(
    struct verdict *v, int fd, const struct trust_place *p, char head[HEAD_SIZE + 1])
{
	ssize_t n = -1;

	if ((p->mode & 0111) == 0)
		trust_refuse(
		    v->why, p->real, "not executable (mode %04o)", p->mode & 07777u);
	else if ((n = pread(fd, head, HEAD_SIZE, 0)) == -1)
		refuse_errno(v, p->real);
	return n;
}

/* Goes to a program and reads how it begins; the length, or -1. */
static ssize_t
open_program(
    struct verdict *v, struct trust_place *p, const char *path, char head[HEAD_SIZE + 1])
{
	ssize_t n;
	int fd;

	if (!judge_or_open(v, path, p, &fd)) {
		v->missing = p->error != 0;
		return -1;
	}
	if (p->error != 0) {
		refuse_missing(v, path, p);
		return -1;
	}
	if (fd == -1) {
		trust_refuse(v->why, p->real,
		    S_ISDIR(p->type) ? "a directory, not a program"
				     : "not a regular file");
		return -1;
	}
	n = read_head(v, fd, p, head);
	close(fd);
	return n;
}

/* A program, and what it is given to interpret or to start. */
static bool
judge_command(
    struct verdict *v, const char *path, char *const *args, char *resolved, int depth)
{
	struct codewords c;
	struct trust_place p;
	char head[HEAD_SIZE + 1];
	ssize_t n;

	if (depth > MAX_DEPTH)
		return trust_refuse(v->why, path,
		    "more than %d programs, each started by another", MAX_DEPTH);
	n = open_program(v, &p, path, head);
	if (n == -1)
		return false;
	if (resolved != NULL)
		memcpy(resolved, p.real, strlen(p.real) + 1);
	if (n >= 2 && head[0] == '#' && head[1] == '!') {
		if (!judge_interpreter(v, p.real, head, (size_t)n, depth))
			return false;
	} else if (!platform_is_program(head, (size_t)n)) {
		return trust_refuse(v->why, p.real, "%s",
		    n == 0 ? "an empty file"
			   : "neither a program for this machine nor a script with a #! "
			     "line");
	}
	if (codewords_begin(&c, path, args) || codewords_begin(&c, p.real, args))
		return judge_surroundings(v, path, &c) && judge_words(v, path, &c, depth);
	expose_words(v, path, args);
	return true;
}

/* The program that sets user, directory and the like runs as root until then. */
static bool
judge_self(struct verdict *v)
{
	struct trust_place p;

	if (!v->line->by_self || v->t->self == NULL)
		return true;
	if (!judge_place(v, v->t->self, &p))
		return name_word(v, v->t->self, "watchpathd itself");
	if (p.error != 0)
		return refuse_missing(v, v->t->self, &p);
	return true;
}

static bool
is_absent(const char *path)
{
	struct stat st;

	return stat(path, &st) == -1 && (errno == ENOENT || errno == ENOTDIR);
}

bool
trust_command(
    const struct trust *t, const struct cmdline *line, struct trust_verdict *out)
{
	struct verdict v = {
		.t = t,
		.line = line,
		.directory = line->directory,
		.search_path = TRUST_CLEAN_PATH,
		.why = out->why,
		.paths = out->paths,
		.exposed = out->exposed,
	};
	const char *program = line->argv[0];
	bool ok;

	out->missing = out->passing = false;
	if (program[0] != '/')
		return trust_refuse(out->why, program, "not an absolute path");
	ok = judge_self(&v) && judge_environment(&v) &&
	     judge_command(&v, program, line->argv + 1, out->resolved, 0);
	out->passing = v.passing;
	/* No other verdict, but who waits for it to be installed need not be warned. */
	out->missing = v.missing || (!ok && !v.remote && is_absent(program));
	if (ok && v.exposed != NULL && line->as_root && line->directory != NULL)
		expose(&v, "directory", line->directory, "", program);
	return ok;
}
