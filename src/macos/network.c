/* SPDX-License-Identifier: MIT */
/*
 * Network changes on macOS. configd posts a notification when an interface, DNS
 * or a proxy changed; notifyd writes it to a pipe. In a process without threads
 * a restart of notifyd loses the registration without a word, so a routing
 * socket backs it up (Libnotify-327).
 */
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/machine.h"
#include "base/platform.h"
#include "base/util.h"
#include "base/fd.h"

#if __has_include(<notify.h>)
#include <notify.h>
#else
extern uint32_t notify_register_file_descriptor(
    const char *name, int *notify_fd, int flags, int *out_token);
extern uint32_t notify_post(const char *name);
extern uint32_t notify_cancel(int token);
#endif

#define NETWORK_CHANGE "com.apple.system.config.network_change"

static bool
open_notify(const char *name, int *fd)
{
	int token;

	if (notify_register_file_descriptor(name, fd, 0, &token) != 0)
		return false;
	/* notifyd's pipe is blocking and not close-on-exec. */
	if (fd_prepare(*fd, true) == 0)
		return true;
	notify_cancel(token);
	return false;
}

static bool
open_route(int *fd)
{
	*fd = socket(PF_ROUTE, SOCK_RAW, AF_UNSPEC);
	if (*fd == -1)
		return false;
	if (fd_prepare(*fd, true) == 0)
		return true;
	close(*fd);
	return false;
}

size_t
platform_network_open(int fds[PLATFORM_NETWORK_FDS])
{
	size_t n = 0;

	if (open_notify(NETWORK_CHANGE, &fds[n]))
		n++;
	if (open_route(&fds[n]))
		n++;
	return n;
}

/* Routes and neighbours come and go all the time; links and addresses do not. */
static bool
is_change(const char *message, ssize_t len)
{
	struct rt_msghdr header;

	if (len < (ssize_t)sizeof(header.rtm_msglen) + 2)
		return false;
	switch (message[3]) {
	case RTM_IFINFO:
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return true;
	default:
		return false;
	}
}

static bool
is_socket(int fd)
{
	int type;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

/* The pipe must be emptied each time: when it is full, notifyd drops us for ever. */
bool
platform_network_changed(int fd)
{
	char message[2048];
	bool route = is_socket(fd), changed = false;
	ssize_t n;

	while ((n = read(fd, message, sizeof(message))) > 0 ||
	       (n == -1 && (errno == EINTR || errno == ENOBUFS)))
		if (n == -1 || !route || is_change(message, n))
			changed = true;
	return changed;
}

/* machine.h: a notification that nobody else knows, and a generous time for it. */
int
machine_notifies(void)
{
	static const char name[] = "org.watchpathd.selftest";
	struct pollfd waiting = { .events = POLLIN };

	return open_notify(name, &waiting.fd) && notify_post(name) == 0 &&
	       poll(&waiting, 1, 20 * 1000) == 1 && platform_network_changed(waiting.fd);
}
