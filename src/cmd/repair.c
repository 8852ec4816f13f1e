/* SPDX-License-Identifier: MIT */
/*
 * Commands that repair. They name the very path at fault, and never change what
 * others need as it is: a shared directory, or one in the places of users.
 */
#include "cmd/repair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "trust/trust.h"

static void
add_quoted(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		if (*text == '\'')
			buf_adds(out, "'\\''");
		else
			buf_add(out, text, 1);
}

char *
repair_quote(const char *text, const char *more)
{
	struct buf out = { NULL, 0, 0 };

	buf_adds(&out, "'");
	add_quoted(&out, text);
	add_quoted(&out, more);
	buf_adds(&out, "'");
	return out.p;
}

const char *
repair_sudo(const struct trust *t)
{
	return t->owner == 0 ? "sudo " : "";
}

/* The path that a refusal is about, if something is there; the caller frees it. */
static char *
find_fault(const char *refusal, struct stat *st)
{
	const char *start = refusal, *end;
	char *path;

	if (start[0] != '/') {
		start = strstr(refusal, ": /");
		if (start == NULL)
			return NULL;
		start += 2;
	}
	for (end = strstr(start, ": "); end != NULL; end = strstr(end + 1, ": ")) {
		path = xstrndup(start, (size_t)(end - start));
		if (lstat(path, st) == 0)
			return path;
		free(path);
	}
	return NULL;
}

/* Directories that others use as they are, and what root owns is not among them. */
static bool
is_shared(const char *path, const struct stat *st)
{
	static const char *const theirs[] = { "/usr/local", "/opt/homebrew", "/Users",
		"/home" };
	size_t i;

	if (!S_ISDIR(st->st_mode))
		return false;
	for (i = 0; i < NELEM(theirs); i++)
		if (path_is_below(path, theirs[i]))
			return true;
	return (st->st_mode & S_ISVTX) != 0;
}

/* Commands for what owner and mode have against it, or NULL. */
static char *
owner_and_mode(
    const struct trust *t, bool executable, const char *word, const struct stat *st)
{
	struct buf out = { NULL, 0, 0 };
	char owner[32] = "root";

	if (S_ISLNK(st->st_mode))
		return NULL;
	if (t->owner != 0)
		snprintf(owner, sizeof(owner), "%u", (unsigned)t->owner);
	if (st->st_uid != 0 && st->st_uid != t->owner)
		buf_addf(&out, "sudo chown %s %s", owner, word);
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		buf_addf(&out, "%s%schmod go-w %s", out.len > 0 ? " && " : "",
		    repair_sudo(t), word);
	if (executable)
		buf_addf(&out, "%s%schmod a+x %s", out.len > 0 ? " && " : "",
		    repair_sudo(t), word);
	return out.p;
}

struct repair
repair_copy(const struct trust *t, const char *path)
{
	const char *sudo = repair_sudo(t);
	char *word = repair_quote(path, ""), *copy = repair_quote(path, ".new");
	struct repair r = repair_command(
	    "%scp %s %s && %smv %s %s", sudo, word, copy, sudo, copy, word);

	free(copy);
	free(word);
	return r;
}

static struct repair
put_aside(const struct trust *t, const char *path, const char *word)
{
	char *aside = repair_quote(path, ".off");
	struct repair r = repair_command("%smv %s %s", repair_sudo(t), word, aside);

	free(aside);
	return r;
}

/* For what is there: a command, or no text. */
static struct repair
repair_fault(const struct trust *t, enum trust_fault fault, const char *path,
    const struct stat *st, const char *otherwise)
{
	const char *sudo = repair_sudo(t);
	char *word = repair_quote(path, "");
	char *commands = owner_and_mode(t, fault == FAULT_MODE, word, st);
	struct repair r = { .text = NULL };

	if (fault == FAULT_LINE_END)
		r = repair_command("%sperl -pi -e 's/\\r$//' %s", sudo, word);
	else if (fault == FAULT_LINK)
		r = repair_copy(t, path);
	else if (fault == FAULT_TYPE)
		r = put_aside(t, path, word);
	else if (fault == FAULT_ACL)
		r = repair_command("%schmod -N %s", sudo, word);
	else if (is_shared(path, st))
		r = repair_by_hand(
		    "others need that directory as it is: move what lies in "
		    "it to one that only root may write, and %s",
		    otherwise);
	else if (commands != NULL)
		r = repair_command("%s", commands);
	free(commands);
	free(word);
	return r;
}

struct repair
repair_trust(const struct trust *t, const char *refusal, const char *otherwise)
{
	enum trust_fault fault = trust_fault_of(refusal);
	struct repair r = { .text = NULL };
	struct stat st;
	char *path = find_fault(refusal, &st);

	if (path != NULL)
		r = repair_fault(t, fault, path, &st, otherwise);
	free(path);
	if (r.text != NULL)
		return r;
	if (fault == FAULT_QUOTES)
		return repair_by_hand("take away the quotes, or %s", otherwise);
	if (fault == FAULT_MISSING)
		return repair_by_hand("install it, or %s", otherwise);
	if (fault == FAULT_FORMAT)
		return repair_by_hand(
		    "if it is a script, give it a first line such as #!/bin/sh, or %s",
		    otherwise);
	return repair_by_hand("put that right, or %s", otherwise);
}

const char *
repair_caution(const char *refusal)
{
	return trust_fault_of(refusal) == FAULT_OWNER
		   ? "; others could change it so far: look at it first"
		   : "";
}
