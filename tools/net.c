// SPDX-License-Identifier: BSD-3-Clause
/* See net.h. */
#include "net.h"
#include <err.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct addrinfo *resolve(const char *host, const char *port, int flags)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
		.ai_flags = flags,
	};
	struct addrinfo *list;
	int err = getaddrinfo(host, port, &hints, &list);

	if (err)
		errx(1, "%s port %s: %s", host, port, gai_strerror(err));
	return list;
}

static int udp_socket(const struct addrinfo *a)
{
	int fd, one = 1, size = RECEIVE_BUFFER;

	fd = socket(a->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* A burst must find room while we are not running. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	/* One with IPv4 peers could not be attached. */
	if (a->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	return fd;
}

int net_connect(const char *host, const char *port)
{
	struct addrinfo *list = resolve(host, port, 0), *a;
	int fd = -1;

	for (a = list; a; a = a->ai_next) {
		fd = udp_socket(a);
		if (fd >= 0 && !connect(fd, a->ai_addr, a->ai_addrlen))
			break;
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	if (fd < 0)
		err(1, "%s port %s", host, port);
	freeaddrinfo(list);
	return fd;
}

socklen_t net_address(const char *host, const char *port,
		      struct sockaddr_storage *address)
{
	struct addrinfo *a = resolve(host, port, AI_PASSIVE | AI_NUMERICHOST);
	socklen_t len = a->ai_addrlen;

	memcpy(address, a->ai_addr, len);
	freeaddrinfo(a);
	return len;
}

const char *net_peer(int fd, char buf[ADDRESS_MAX])
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char host[48], port[8];

	if (getpeername(fd, (struct sockaddr *)&addr, &len) ||
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
