/* SPDX-License-Identifier: MIT */
/*
 * Network changes on Linux: links and addresses, as rtnetlink reports them.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/platform.h"

size_t
platform_network_open(int fds[PLATFORM_NETWORK_FDS])
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	int fd =
	    socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd == -1)
		return 0;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1) {
		close(fd);
		return 0;
	}
	fds[0] = fd;
	return 1;
}

bool
platform_network_changed(int fd)
{
	char messages[16384];
	bool changed = false;
	ssize_t n;

	/* ENOBUFS: some were lost, so something did change. */
	while ((n = recv(fd, messages, sizeof(messages), 0)) > 0 ||
	       (n == -1 && (errno == ENOBUFS || errno == EINTR)))
		changed = true;
	return changed;
}
