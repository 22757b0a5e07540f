// SPDX-License-Identifier: BSD-3-Clause
/* This file has functions for sockets and addresses; see net.h. */
#include "net.h"
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
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

static void write_address(const struct sockaddr_storage *addr, socklen_t len,
			  char buf[ADDRESS_MAX])
{
	char host[48], port[8];

	if (getnameinfo((const struct sockaddr *)addr, len, host, sizeof(host),
			port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV))
		strcpy(buf, "?");
	else
		snprintf(buf, ADDRESS_MAX,
			 strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

const char *net_peer(const struct kdtls_socket *s, char buf[ADDRESS_MAX])
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	if (kdtls_peer_address(s, (struct sockaddr *)&addr, &len))
		return "?";
	write_address(&addr, len, buf);
	return buf;
}

const char *net_client(const struct kdtls_client *c, char buf[ADDRESS_MAX])
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	kdtls_client_address(c, (struct sockaddr *)&addr, &len);
	write_address(&addr, len, buf);
	return buf;
}

void net_association(const struct dtls_addr *addr, char buf[ADDRESS_MAX])
{
	struct sockaddr_storage s = { .ss_family = addr->family };
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&s;
	struct sockaddr_in *in = (struct sockaddr_in *)&s;

	if (addr->family == AF_INET6) {
		in6->sin6_port = addr->port;
		in6->sin6_scope_id = addr->scope_id;
		memcpy(&in6->sin6_addr, addr->addr, sizeof(in6->sin6_addr));
		write_address(&s, sizeof(*in6), buf);
	} else {
		in->sin_port = addr->port;
		memcpy(&in->sin_addr, addr->addr, sizeof(in->sin_addr));
		write_address(&s, sizeof(*in), buf);
	}
}

void net_socket(int fd, char local[ADDRESS_MAX], char peer[ADDRESS_MAX])
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	strcpy(local, "?");
	strcpy(peer, "?");
	if (!getsockname(fd, (struct sockaddr *)&addr, &len))
		write_address(&addr, len, local);
	len = sizeof(addr);
	if (!getpeername(fd, (struct sockaddr *)&addr, &len))
		write_address(&addr, len, peer);
}

uint64_t net_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}
