/* SPDX-License-Identifier: MIT */
/*
 * The other end of the socket: one request, one reply, and what that means for
 * whoever asked.
 */
#include "client.h"

#include <cJSON.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "history.h"
#include "json.h"
#include "options.h"
#include "table.h"
#include "util.h"

/* Between two questions of `trigger --wait`. */
#define ASK_AGAIN_NS 100000000

/* Why the socket cannot be connected to, and the exit status that says so. */
static int
no_daemon(const char *path, int error)
{
	if (error == EACCES || error == EPERM) {
		fprintf(stderr, "watchpathd: %s: %s (try sudo)\n", path, strerror(error));
		return EX_NOPERM;
	}
	if (error == ENOENT || error == ECONNREFUSED) {
		fprintf(stderr, "watchpathd: the daemon is not running (%s: %s)\n", path,
		    strerror(error));
		return EX_UNAVAILABLE;
	}
	fprintf(stderr, "watchpathd: %s: %s\n", path, strerror(error));
	return EXIT_FAILURE;
}

/* A connection, or -1 with the exit status in *status. */
static int
connect_to(const char *path, int *status)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(a.sun_path)) {
		fprintf(stderr,
		    "watchpathd: %s: a socket's path may have %zu bytes at most (see "
		    "--socket)\n",
		    path, sizeof(a.sun_path) - 1);
		*status = EXIT_FAILURE;
		return -1;
	}
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd != -1 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	*status = no_daemon(path, errno);
	if (fd != -1)
		close(fd);
	return -1;
}

static bool
send_all(int fd, const char *p, size_t len)
{
	ssize_t n;

	for (; len > 0; p += n, len -= (size_t)n) {
		n = write(fd, p, len);
		if (n == -1 && errno == EINTR)
			n = 0;
		if (n == -1)
			return false;
	}
	return true;
}

static void
receive_all(int fd, struct buf *reply)
{
	char piece[65536];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0 || (n == -1 && errno == EINTR))
		if (n > 0)
			buf_add(reply, piece, (size_t)n);
}

/* The text of the reply as it came, or NULL with the exit status. */
static char *
ask_text(const struct options *o, cJSON *request, int *status)
{
	struct buf reply = { NULL, 0, 0 };
	int fd = connect_to(o->socket, status);
	char *line;

	line = json_line(request);
	cJSON_Delete(request);
	if (fd != -1) {
		if (send_all(fd, line, strlen(line)))
			receive_all(fd, &reply);
		close(fd);
		if (reply.len == 0) {
			fprintf(stderr, "watchpathd: %s: the daemon gave no answer\n",
			    o->socket);
			*status = EXIT_FAILURE;
		}
	}
	free(line);
	return reply.p;
}

/* The reply as an object, or NULL with the exit status: the daemon said no. */
static cJSON *
parse_reply(const char *text, int *status)
{
	cJSON *o = json_parse(text, strlen(text));
	const char *error;

	if (o == NULL) {
		fprintf(stderr, "watchpathd: the daemon's answer was cut off\n");
		*status = EXIT_FAILURE;
		return NULL;
	}
	error = json_get_string(o, "error");
	if (error == NULL)
		return o;
	fprintf(stderr, "watchpathd: %s\n", error);
	cJSON_Delete(o);
	*status = EXIT_FAILURE;
	return NULL;
}

static cJSON *
request_of(const char *command, const char *rule)
{
	cJSON *o = cJSON_CreateObject();

	json_add_text(o, "command", command);
	if (rule != NULL)
		json_add_text(o, "rule", rule);
	return o;
}

static cJSON *
ask(const struct options *o, cJSON *request, int *status)
{
	char *text = ask_text(o, request, status);
	cJSON *reply = text != NULL ? parse_reply(text, status) : NULL;

	free(text);
	return reply;
}

static void
begin(void)
{
	json_init();
	signal(SIGPIPE, SIG_IGN);
}

/* 0 where nothing is left over after the arguments; else it has said so. */
static int
count_arguments(int argc, int first, int min, int max, const char *usage)
{
	if (argc - first >= min && argc - first <= max)
		return 0;
	if (argc - first > max)
		fputs("watchpathd: too many arguments\n", stderr);
	fprintf(stderr, "usage: watchpathd %s\n", usage);
	return -1;
}

int
status_main(int argc, char **argv)
{
	static const char usage[] =
	    "status [--json] [--socket PATH] [--state DIR] [--root DIR] [RULE]";
	struct options o;
	const char *rule;
	cJSON *reply;
	char *text;
	int status = EX_OK, first;

	begin();
	first = options_parse(&o,
	    OPTION_JSON | OPTION_SOCKET | OPTION_STATE | OPTION_ROOT, usage, argc, argv);
	if (first == -1)
		return EX_USAGE;
	if (count_arguments(argc, first, 0, 1, usage) == -1) {
		options_clear(&o);
		return EX_USAGE;
	}
	rule = first < argc ? argv[first] : NULL;
	text = ask_text(&o, request_of("status", rule), &status);
	reply = text != NULL ? parse_reply(text, &status) : NULL;
	if (reply != NULL && o.json)
		fputs(text, stdout);
	else if (reply != NULL && rule != NULL)
		table_rule(
		    stdout, cJSON_GetArrayItem(
				cJSON_GetObjectItemCaseSensitive(reply, "rules"), 0));
	else if (reply != NULL)
		table_status(stdout, reply);
	cJSON_Delete(reply);
	free(text);
	options_clear(&o);
	return status;
}

/* The run that was asked for, in the history: it ended a while ago. */
static void
find_run(void *arg, const cJSON *line)
{
	cJSON **wanted = arg;

	if (strcmp(
		json_get_string(line, "run") != NULL ? json_get_string(line, "run") : "",
		json_get_string(*wanted, "run")) == 0) {
		cJSON_Delete(*wanted);
		*wanted = cJSON_Duplicate(line, true);
	}
}

/* Says how the run went. */
static int
run_status(const char *rule, const cJSON *run)
{
	char *result;
	bool ok = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(run, "ok"));

	if (ok)
		return EX_OK;
	result = table_result(run);
	fprintf(stderr, "watchpathd: %s: the run failed: %s\n", rule, result);
	free(result);
	return EXIT_FAILURE;
}

/* The daemon does not know the run any more: the history may. */
static int
look_up(const struct options *o, const char *rule, const char *run, const cJSON *reply)
{
	const char *problem = json_get_string(reply, "problem");
	cJSON *wanted = cJSON_CreateObject();
	int status = EXIT_FAILURE;

	json_add_text(wanted, "run", run);
	history_read(o->state, rule, find_run, &wanted);
	if (cJSON_HasObjectItem(wanted, "ok"))
		status = run_status(rule, wanted);
	else
		fprintf(stderr, "watchpathd: %s: the run will not come%s%s\n", rule,
		    problem != NULL ? ": " : "", problem != NULL ? problem : "");
	cJSON_Delete(wanted);
	return status;
}

/* Asks until the run has ended. */
static int
wait_for(const struct options *o, const char *rule, const char *run)
{
	const struct timespec pause = { 0, ASK_AGAIN_NS };
	const char *state;
	cJSON *request, *reply;
	int status = EX_OK;
	bool again = true;

	while (again) {
		request = request_of("run", rule);
		json_add_text(request, "run", run);
		reply = ask(o, request, &status);
		if (reply == NULL)
			return status;
		state = json_get_string(reply, "state");
		again = state != NULL &&
			(strcmp(state, "waiting") == 0 || strcmp(state, "running") == 0);
		if (again)
			nanosleep(&pause, NULL);
		else if (state != NULL && strcmp(state, "ended") == 0)
			status = run_status(
			    rule, cJSON_GetObjectItemCaseSensitive(reply, "last_run"));
		else
			status = look_up(o, rule, run, reply);
		cJSON_Delete(reply);
	}
	return status;
}

int
trigger_main(int argc, char **argv)
{
	static const char usage[] =
	    "trigger [--wait] [--socket PATH] [--state DIR] [--root DIR] RULE";
	struct options o;
	const char *run;
	cJSON *reply;
	int status = EX_OK, first;

	begin();
	first = options_parse(&o,
	    OPTION_WAIT | OPTION_SOCKET | OPTION_STATE | OPTION_ROOT, usage, argc, argv);
	if (first == -1)
		return EX_USAGE;
	if (count_arguments(argc, first, 1, 1, usage) == -1) {
		options_clear(&o);
		return EX_USAGE;
	}
	reply = ask(&o, request_of("trigger", argv[first]), &status);
	run = reply != NULL ? json_get_string(reply, "run") : NULL;
	if (run != NULL) {
		puts(run);
		fflush(stdout);
		if (o.wait)
			status = wait_for(&o, argv[first], run);
	}
	cJSON_Delete(reply);
	options_clear(&o);
	return status;
}

int
reload_main(int argc, char **argv)
{
	static const char usage[] = "reload [--socket PATH] [--state DIR] [--root DIR]";
	const cJSON *list, *item;
	struct options o;
	cJSON *reply;
	int status = EX_OK, first;

	begin();
	first = options_parse(
	    &o, OPTION_SOCKET | OPTION_STATE | OPTION_ROOT, usage, argc, argv);
	if (first == -1)
		return EX_USAGE;
	if (count_arguments(argc, first, 0, 0, usage) == -1) {
		options_clear(&o);
		return EX_USAGE;
	}
	reply = ask(&o, request_of("reload", NULL), &status);
	list = cJSON_GetObjectItemCaseSensitive(reply, "refused");
	cJSON_ArrayForEach(item, list) {
		fprintf(stderr, "%s:%d: error: %s\n", json_get_string(item, "file"),
		    cJSON_GetObjectItemCaseSensitive(item, "line")->valueint,
		    json_get_string(item, "message"));
		status = EX_DATAERR;
	}
	cJSON_Delete(reply);
	options_clear(&o);
	return status;
}
