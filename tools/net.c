// SPDX-License-Identifier: BSD-3-Clause
/* See net.h. */
#include "net.h"
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void net_prepare(int fd)
{
	int size = RECEIVE_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

const char *net_peer(const struct kdtls_socket *s, char buf[ADDRESS_MAX])
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char host[48], port[8];

	if (kdtls_peer_address(s, (struct sockaddr *)&addr, &len) ||
	    getnameinfo((struct sockaddr *)&addr, len, host, sizeof(host),
			port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV))
		return "?";
	snprintf(buf, ADDRESS_MAX, strchr(host, ':') ? "[%s]:%s" : "%s:%s",
		 host, port);
	return buf;
}

uint64_t net_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}
