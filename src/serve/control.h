/* SPDX-License-Identifier: MIT */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mono.h"

struct buf;
struct cJSON;
struct loop;

/*
 * The socket: one request line of JSON, one reply, close. A client costs nothing
 * while it sends nothing, at most CONTROL_CLIENTS are served at a time, and a reply
 * is made piece by piece, as the client reads it.
 */
struct control;

#define CONTROL_CLIENTS 8
#define CONTROL_REQUEST_MAX 4096

/* A reply in the making. All zero: an empty one. */
struct control_reply {
	/* Adds the next piece to out; false: it was the last one. */
	bool (*more)(void *state, struct buf *out);
	void (*free)(void *state);
	void *state;
};

/* Answers a request, which is an object, with a reply that control takes over. */
typedef void
control_fn(void *arg, const struct cJSON *request, struct control_reply *reply);

/* A reply that is all of text, which it takes over. */
void control_reply_text(struct control_reply *reply, char *text);

/* {"error":"…"}. */
void control_reply_error(struct control_reply *reply, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Binds path (0600 under umask 077) and listens. A socket that a dead daemon has
 * left is replaced. NULL with a sentence in why.
 */
struct control *control_new(
    struct loop *l, const char *path, control_fn *fn, void *arg, char *why, size_t size);

/* Closes all and removes the socket, if it is still this one. */
void control_free(struct control *c);

/* Is the socket still where clients look for it? */
bool control_in_place(const struct control *c);

/* Closes clients that make no progress; and when something is due next. */
void control_due(struct control *c, mono_t now);
mono_t control_deadline(const struct control *c);

#endif
