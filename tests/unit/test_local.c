/* SPDX-License-Identifier: MIT */
/*
 * Getting through to a socket that refuses: connect(2) is the test's own, and
 * says what it is told to say.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/local.h"
#include "test.h"

static struct sockaddr_un address;
static int refusals, refusal, tries;

int
connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_ptr_equal(addr, &address);
	assert_int_equal(len, sizeof(address));
	errno = refusal;
	return ++tries > refusals ? 0 : -1;
}

/* Connects where the first so many tries fail with an error. */
static int
refused(int times, int error, unsigned patience_ms)
{
	refusals = times;
	refusal = error;
	tries = 0;
	return local_connect(&address, patience_ms);
}

SET_UP
{
	char why[256];

	assert_true(local_address(&address, "/tmp/sock", why, sizeof(why)));
	assert_int_equal(address.sun_family, AF_UNIX);
	assert_string_equal(address.sun_path, "/tmp/sock");
}

/* Which is what macOS says of a full queue, too. */
TEST(a_refusal_is_tried_again)
{
	int fd = refused(10, ECONNREFUSED, 1000);

	assert_int_not_equal(fd, -1);
	assert_int_equal(tries, 11);
	close(fd);
}

TEST(a_refusal_that_stays_is_believed)
{
	assert_int_equal(refused(1000, ECONNREFUSED, 100), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_true(tries > 2);
	assert_true(tries < 100);
}

TEST(other_errors_are_believed_at_once)
{
	assert_int_equal(refused(1, ENOENT, 1000), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(refused(1, EACCES, 1000), -1);
	assert_int_equal(errno, EACCES);
	assert_int_equal(tries, 1);
}

TEST(a_path_that_is_too_long_is_no_address)
{
	char path[sizeof(address.sun_path) + 1], why[256];

	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_false(local_address(&address, path, why, sizeof(why)));
	assert_non_null(strstr(why, "a: a socket's path may have 10"));
	path[sizeof(path) - 2] = '\0';
	assert_true(local_address(&address, path, why, sizeof(why)));
}
