/* SPDX-License-Identifier: MIT */
/*
 * The socket against all kinds of clients, which live in this process too: the
 * loop is turned until what is expected has come. Times that it waits for are
 * handed to it.
 */

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve/control.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/util.h"
#include "base/fd.h"
#include "test.h"

#define BIG 400 /* pieces of 4 KiB: more than a socket's buffers hold */
#define REQUEST "{\"command\":\"echo\"}\n"

static char sandbox[SANDBOX_SIZE], path[96];
static struct loop *loop;
static struct control *control;
static int nanswered, npieces, nfreed, nopen;

/* A long reply: BIG pieces. */
static bool
more(void *state, struct buf *out)
{
	char piece[4096];
	int *left = state;

	npieces++;
	memset(piece, 'x', sizeof(piece));
	buf_add(out, piece, sizeof(piece));
	return --*left > 0;
}

static void
release(void *state)
{
	nfreed++;
	free(state);
}

static void
answer(void *arg, const cJSON *request, struct control_reply *reply)
{
	const char *command = json_get_string(request, "command");
	int *left;

	(void)arg;
	nanswered++;
	if (command == NULL || strcmp(command, "nothing") == 0)
		return;
	if (strcmp(command, "big") == 0) {
		left = xcalloc(1, sizeof(*left));
		*left = BIG;
		*reply = (struct control_reply){ more, release, left };
	} else {
		control_reply_text(reply, xasprintf("<%s>", command));
	}
}

/* Of descriptors that are open, as many as a test can have. */
static int
count_descriptors(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

SET_UP
{
	char why[256];

	nopen = count_descriptors();
	make_sandbox(sandbox);
	snprintf(path, sizeof(path), "%s/socket", sandbox);
	alarm(60);
	nanswered = npieces = nfreed = 0;
	loop = loop_new();
	control = control_new(loop, path, answer, NULL, why, sizeof(why));
	assert_non_null(loop);
	assert_non_null(control);
}

TEAR_DOWN
{
	alarm(0);
	control_free(control);
	control = NULL;
	loop_free(loop);
	assert_int_equal(count_descriptors(), nopen);
	remove_tree(sandbox);
}

static void
set_address(struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(a->sun_path, path, strlen(path) + 1);
}

static int
connect_client(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un a;

	set_address(&a);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fd_prepare(fd, true), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* Turns the loop until no event is left. */
static void
settle(void)
{
	while (loop_wait(loop, (mono_t){ INT64_MIN }) == 1)
		;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* All that is said to a client until its end; its length. Closes it. */
static size_t
hear(int fd, char *out, size_t size)
{
	static char rest[65536];
	size_t len = 0, room;
	ssize_t n;

	for (;;) {
		room = size - 1 - len;
		n = read(fd, room > 0 && len < size ? out + len : rest,
		    room > 0 ? room : sizeof(rest));
		if (n > 0)
			len = len + (size_t)n < size ? len + (size_t)n : size - 1;
		else if (n == 0 || errno == ECONNRESET)
			break;
		else
			loop_wait(loop, mono_add(mono_now(), 10 * MONO_MS));
	}
	out[len] = '\0';
	close(fd);
	return len;
}

static void
assert_reply(int fd, const char *expected)
{
	char text[256];

	hear(fd, text, sizeof(text));
	assert_string_equal(text, expected);
}

/* The reply is an error that holds these words. */
static void
assert_error(int fd, const char *words)
{
	char text[4096];

	hear(fd, text, sizeof(text));
	if (strncmp(text, "{\"error\":\"", 10) != 0 || strstr(text, words) == NULL)
		fail_msg("%s", text);
}

/* Can a fresh client have an answer? */
static void
assert_served(void)
{
	int fd = connect_client();

	say(fd, REQUEST);
	assert_reply(fd, "<echo>");
}

TEST(a_request_gets_its_reply_and_the_end)
{
	int fd = connect_client();

	say(fd, "{\"command\":\"hello\"}\n");
	assert_reply(fd, "<hello>");
	fd = connect_client();
	say(fd, "{\"command\":\"nothing\"}\n");
	assert_reply(fd, "");
	assert_served();
	assert_int_equal(nanswered, 3);
}

TEST(a_request_may_come_byte_by_byte)
{
	int fd = connect_client();
	size_t i;

	for (i = 0; i < strlen(REQUEST); i++) {
		assert_int_equal(nanswered, 0);
		assert_int_equal(write(fd, &REQUEST[i], 1), 1);
		settle();
	}
	assert_reply(fd, "<echo>");
	assert_int_equal(nanswered, 1);
}

TEST(only_the_first_line_counts)
{
	int fd = connect_client();

	say(fd, REQUEST "{\"command\":\"second\"}\n");
	assert_reply(fd, "<echo>");
	assert_int_equal(nanswered, 1);
}

TEST(a_client_that_has_said_all_is_answered)
{
	int fd = connect_client();

	say(fd, REQUEST);
	shutdown(fd, SHUT_WR);
	assert_reply(fd, "<echo>");
	fd = connect_client();
	say(fd, "{\"command\":");
	shutdown(fd, SHUT_WR);
	assert_reply(fd, "");
	assert_int_equal(nanswered, 1);
	assert_served();
}

TEST(a_line_has_4096_bytes_at_most)
{
	char line[CONTROL_REQUEST_MAX + 2];
	int fd;

	memset(line, ' ', sizeof(line));
	memcpy(line, REQUEST, strlen(REQUEST) - 1);
	line[CONTROL_REQUEST_MAX - 1] = '\n';
	line[CONTROL_REQUEST_MAX] = '\0';
	fd = connect_client();
	say(fd, line);
	assert_reply(fd, "<echo>");
	line[CONTROL_REQUEST_MAX - 1] = ' ';
	line[CONTROL_REQUEST_MAX] = '\n';
	line[CONTROL_REQUEST_MAX + 1] = '\0';
	fd = connect_client();
	say(fd, line);
	assert_error(fd, "4096 bytes");
	assert_int_equal(nanswered, 1);
}

TEST(a_line_without_an_end_is_refused)
{
	char junk[8192];
	int fd = connect_client();

	memset(junk, 'x', sizeof(junk));
	/* Until nobody takes more. */
	while (write(fd, junk, sizeof(junk)) > 0)
		;
	assert_error(fd, "4096 bytes");
	assert_served();
}

TEST(what_is_no_object_is_refused)
{
	static const char *const bad[] = { "\n", "x\n", "[]\n", "1\n", "{\n", "{} {}\n",
		"\xff\xfe\n", "\x01\x02\x7f\n" };
	char nested[CONTROL_REQUEST_MAX + 1] = "";
	size_t i;
	int fd;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fd = connect_client();
		say(fd, bad[i]);
		assert_error(fd, "one JSON object");
	}
	fd = connect_client();
	assert_int_equal(write(fd, "{}\0\n", 4), 4);
	assert_error(fd, "one JSON object");
	memset(nested, '[', CONTROL_REQUEST_MAX - 1);
	memcpy(nested, "{\"a\":", 5);
	nested[CONTROL_REQUEST_MAX - 1] = '\n';
	fd = connect_client();
	say(fd, nested);
	assert_error(fd, "one JSON object");
	assert_int_equal(nanswered, 0);
}

TEST(a_client_that_leaves_is_forgotten)
{
	int fd, i;

	for (i = 0; i < 3 * CONTROL_CLIENTS; i++) {
		fd = connect_client();
		if (i % 3 > 0)
			say(fd, i % 3 == 1 ? "{\"comm" : "{\"command\":\"big\"}\n");
		if (i % 2 == 0)
			settle();
		close(fd);
		settle();
	}
	assert_int_equal(nfreed, CONTROL_CLIENTS);
	assert_served();
}

TEST(eight_are_heard_at_a_time_and_the_rest_later)
{
	int fds[CONTROL_CLIENTS + 4], i;
	const int n = CONTROL_CLIENTS;

	for (i = 0; i < n + 4; i++) {
		fds[i] = connect_client();
		settle();
	}
	for (i = n; i < n + 4; i++)
		say(fds[i], REQUEST);
	settle();
	assert_int_equal(nanswered, 0);
	close(fds[0]);
	settle();
	assert_int_equal(nanswered, 4);
	for (i = n; i < n + 4; i++)
		assert_reply(fds[i], "<echo>");
	for (i = 1; i < n; i++) {
		say(fds[i], REQUEST);
		assert_reply(fds[i], "<echo>");
	}
}

TEST(who_makes_no_progress_for_five_seconds_must_go)
{
	int silent = connect_client(), slow = connect_client();
	mono_t start = mono_now();
	char byte;

	assert_true(mono_is_never(control_deadline(control)));
	settle();
	assert_true(mono_before(
	    control_deadline(control), mono_add(mono_now(), 5 * MONO_SEC + 1)));
	control_due(control, mono_add(start, 4 * MONO_SEC));
	assert_int_equal(read(silent, &byte, 1), -1);
	/* The slow one got on: its time begins anew. */
	usleep(20000);
	say(slow, "{");
	settle();
	control_due(control, control_deadline(control));
	assert_int_equal(read(silent, &byte, 1), 0);
	assert_int_equal(read(slow, &byte, 1), -1);
	control_due(control, control_deadline(control));
	assert_int_equal(read(slow, &byte, 1), 0);
	assert_true(mono_is_never(control_deadline(control)));
	close(silent);
	close(slow);
}

TEST(a_client_that_does_not_read_its_reply_must_go)
{
	int fd = connect_client();

	say(fd, "{\"command\":\"big\"}\n");
	settle();
	assert_int_equal(nfreed, 0);
	control_due(control, mono_add(mono_now(), 6 * MONO_SEC));
	assert_int_equal(nfreed, 1);
	close(fd);
	assert_served();
}

TEST(a_reply_is_made_as_it_is_read)
{
	static char text[BIG * 4096 + 1];
	int fd = connect_client(), before, turns;

	say(fd, "{\"command\":\"big\"}\n");
	for (turns = 0; loop_wait(loop, (mono_t){ INT64_MIN }) == 1; turns++) {
		/* No more than a piece, of 16 KiB, in one turn. */
		assert_true(npieces <= 4 * (turns + 1));
	}
	before = npieces;
	assert_true(before > 0 && before < BIG);
	/* A slow reader keeps nobody else waiting. */
	assert_served();
	assert_int_equal(npieces, before);
	assert_int_equal(hear(fd, text, sizeof(text)), BIG * 4096);
	assert_int_equal(npieces, BIG);
	assert_int_equal(nfreed, 1);
}

/* The most memory that this process has had so far, in KiB. */
static long
peak_kib(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
#ifdef __APPLE__
	return usage.ru_maxrss / 1024;
#else
	return usage.ru_maxrss;
#endif
}

/* Each has its own buffers, of 16 KiB and more. */
TEST(clients_that_are_gone_need_no_memory)
{
	static char text[BIG * 4096 + 1];
	long before = 0;
	int fd, i;

	for (i = 0; i < 1100; i++) {
		if (i == 100)
			before = peak_kib();
		fd = connect_client();
		say(fd, "{\"command\":\"big\"}\n");
		if (i % 100 == 0) {
			hear(fd, text, sizeof(text));
			continue;
		}
		settle();
		close(fd);
		settle();
	}
#ifdef __SANITIZE_ADDRESS__
	before = peak_kib(); /* it keeps what was freed, and finds leaks by itself */
#endif
	assert_in_range(peak_kib() - before, 0, 4096);
	assert_served();
}

/* Descriptors from now on: that many more than there are. */
static void
limit_descriptors(int spare)
{
	struct rlimit l;
	int fd = dup(0);

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &l), 0);
	l.rlim_cur = spare >= 0 ? (rlim_t)(fd + spare) : 1024;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &l), 0);
	close(fd);
}

TEST(without_descriptors_it_waits_and_goes_on)
{
	int fd = connect_client(), turns = 0;
	mono_t start = mono_now();

	say(fd, REQUEST);
	limit_descriptors(0);
	while (loop_wait(loop, (mono_t){ INT64_MIN }) == 1)
		assert_true(++turns < 10);
	assert_int_equal(nanswered, 0);
	assert_false(mono_is_never(control_deadline(control)));
	assert_false(mono_before(control_deadline(control), mono_add(start, MONO_SEC)));
	limit_descriptors(-1);
	settle();
	assert_int_equal(nanswered, 0);
	control_due(control, control_deadline(control));
	assert_reply(fd, "<echo>");
	assert_served();
}

static struct control *
try_again(char why[256])
{
	struct loop *l = loop_new();
	struct control *c = control_new(l, path, answer, NULL, why, 256);

	if (c == NULL)
		loop_free(l);
	return c;
}

/* Is it "PATH: PHRASE"? */
static void
assert_why(const char *why, const char *phrase)
{
	char want[256];

	snprintf(want, sizeof(want), "%s: %s", path, phrase);
	assert_string_equal(why, want);
}

TEST(a_socket_that_a_dead_daemon_left_is_replaced)
{
	struct stat st;
	struct sockaddr_un a;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char why[256];

	control_free(control);
	assert_int_equal(stat(path, &st), -1);
	set_address(&a);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	close(fd);
	control = control_new(loop, path, answer, NULL, why, sizeof(why));
	assert_non_null(control);
	assert_served();
}

TEST(a_socket_that_is_listened_on_is_left_alone)
{
	char why[256] = "";

	assert_null(try_again(why));
	assert_why(why, "another process listens there (see --socket)");
	settle();
	assert_true(control_in_place(control));
	assert_served();
}

TEST(without_descriptors_nobody_is_taken_for_dead)
{
	struct control *other;
	char why[256] = "";

	/* One for the new socket, none to ask who listens on the old one. */
	limit_descriptors(1);
	other = control_new(loop, path, answer, NULL, why, sizeof(why));
	limit_descriptors(-1);
	assert_null(other);
	assert_true(control_in_place(control));
	assert_served();
}

/* With its queue full it cannot be told from one that is dead. */
TEST(one_that_hangs_does_not_keep_us_waiting)
{
	struct sockaddr_un a;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), clients[8], refused = 0;
	size_t i;
	char why[256] = "";

	control_free(control);
	set_address(&a);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 0), 0);
	for (i = 0; i < 8; i++) {
		clients[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(clients[i], (const struct sockaddr *)&a, sizeof(a)) == -1)
			refused = errno;
	}
	assert_int_equal(refused, ECONNREFUSED);
	control = control_new(loop, path, answer, NULL, why, sizeof(why));
	assert_non_null(control);
	assert_served();
	for (i = 0; i < 8; i++)
		close(clients[i]);
	close(fd);
}

TEST(what_is_no_socket_is_not_removed)
{
	struct stat st;
	char why[256] = "";
	int fd;

	control_free(control);
	control = NULL;
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "keep", 4), 4);
	close(fd);
	assert_null(try_again(why));
	assert_why(why, "is in the way, and no socket: move it elsewhere");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("target", path), 0);
	assert_null(try_again(why));
	assert_int_equal(lstat(path, &st), 0);
}

TEST(a_directory_that_is_missing_is_the_reason)
{
	char why[256] = "";

	control_free(control);
	control = NULL;
	snprintf(path, sizeof(path), "%s/none/socket", sandbox);
	assert_null(try_again(why));
	assert_why(why, strerror(ENOENT));
}

/* Nobody else's socket is taken for a dead one because it may not be asked. */
TEST(a_socket_that_may_not_be_asked_is_the_reason)
{
	char why[256] = "";
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip(); /* only root can be another user */
	assert_int_equal(chmod(sandbox, 0777), 0);
	assert_int_equal(chmod(path, 0600), 0);
	pid = fork();
	if (pid == 0) {
		if (setgid(65534) == -1 || setuid(65534) == -1)
			_exit(2);
		_exit(try_again(why) == NULL && strstr(why, strerror(EACCES)) != NULL
			  ? 0
			  : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(control_in_place(control));
}

TEST(a_path_that_is_too_long_is_an_error_that_says_so)
{
	char longer[256], why[512] = "";

	memset(longer, 'x', sizeof(longer));
	longer[0] = '/';
	longer[sizeof(((struct sockaddr_un *)0)->sun_path)] = '\0';
	assert_null(control_new(loop, longer, answer, NULL, why, sizeof(why)));
	assert_non_null(strstr(why, "--socket"));
}

TEST(the_socket_is_for_its_owner_and_goes_with_it)
{
	mode_t mask = umask(0);
	struct stat st;
	char why[256];

	control_free(control);
	control = control_new(loop, path, answer, NULL, why, sizeof(why));
	assert_int_equal(umask(mask), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777 & ~0700, 0);
	assert_true(control_in_place(control));
	control_free(control);
	control = NULL;
	assert_int_equal(stat(path, &st), -1);
}

TEST(a_socket_of_somebody_else_is_not_removed)
{
	struct control *other;
	struct stat st;
	char why[256];

	assert_int_equal(unlink(path), 0);
	assert_false(control_in_place(control));
	other = control_new(loop, path, answer, NULL, why, sizeof(why));
	assert_non_null(other);
	assert_false(control_in_place(control));
	control_free(control);
	assert_int_equal(stat(path, &st), 0);
	control = other;
	assert_served();
}

/* What another user hears: 0 nothing, 1 a reply. */
static int
ask_as_nobody(void)
{
	char byte;
	int fd;

	if (setgid(65534) == -1 || setuid(65534) == -1)
		return 2;
	fd = connect_client();
	fcntl(fd, F_SETFL, 0);
	/* It may be turned away before it has said anything. */
	if (write(fd, REQUEST, strlen(REQUEST)) == -1)
		return 0;
	return read(fd, &byte, 1) == 1 ? 1 : 0;
}

TEST(another_user_is_not_heard)
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip(); /* only root can be another user */
	assert_int_equal(chmod(sandbox, 0755), 0);
	assert_int_equal(chmod(path, 0666), 0);
	pid = fork();
	if (pid == 0)
		_exit(ask_as_nobody());
	while (waitpid(pid, &status, WNOHANG) == 0)
		loop_wait(loop, mono_add(mono_now(), 10 * MONO_MS));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(nanswered, 0);
	assert_served();
}

SET_UP_ALL
{
	signal(SIGPIPE, SIG_IGN);
	json_init();
}
