// SPDX-License-Identifier: GPL-2.0
/* Sockets in the namespaces of the path; see bench.h. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "bench.h"

#define FILES_MAX	(20000 + 100)	/* 10,000 pairs of sockets, and others */

static const struct place {
	const char *netns;	/* NULL: where we are */
	const char *address;
} places[][2] = {
	[LOOPBACK] = { { NULL, "127.0.0.1" }, { NULL, "127.0.0.1" } },
	[VETH] = { { "/run/netns/kdtls-a", "10.66.0.1" },
		   { "/run/netns/kdtls-b", "10.66.0.2" } },
	[TUNNEL] = { { "/run/netns/kdtls-a", "10.67.0.1" },
		     { "/run/netns/kdtls-b", "10.67.0.2" } },
};

static bool enter(const char *netns)
{
	int fd = open(netns, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && !setns(fd, CLONE_NEWNET);

	close(fd);
	return ok;
}

static int open_socket(const struct place *place, int type)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct timeval patience = { .tv_sec = 10 };
	int fd, on = 1, deep = 16 << 20;

	if (place->netns && !enter(place->netns))
		return -1;
	fd = socket(AF_INET, type, 0);
	if (place->netns && !enter("/proc/1/ns/net"))
		return -1;
	inet_pton(AF_INET, place->address, &in.sin_addr);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) ||
	    bind(fd, (struct sockaddr *)&in, sizeof(in)))
		return -1;
	if (type == SOCK_STREAM)
		return setsockopt(fd, SOL_TCP, TCP_NODELAY, &on, sizeof(on)) ?
			       -1 : fd;
	return setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &deep,
			  sizeof(deep)) ? -1 : fd;
}

static bool connect_to(int fd, int to)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);

	return !getsockname(to, (struct sockaddr *)&in, &len) &&
	       !connect(fd, (struct sockaddr *)&in, len);
}

bool open_pair(struct ends *e, int type)
{
	const struct place *place = places[e->row->tunnel ? TUNNEL : e->path];
	int listener;

	e->tx = open_socket(&place[0], type);
	e->rx = open_socket(&place[1], type);
	if (e->tx < 0 || e->rx < 0)
		return false;
	if (type == SOCK_DGRAM)
		return connect_to(e->tx, e->rx) && connect_to(e->rx, e->tx);
	listener = e->rx;
	if (listen(listener, 1) || !connect_to(e->tx, listener))
		return false;
	e->rx = accept(listener, NULL, NULL);
	close(listener);
	return e->rx >= 0;
}

void close_pair(struct ends *e)
{
	close(e->tx);
	close(e->rx);
}

bool many_files(void)
{
	struct rlimit limit = { FILES_MAX, FILES_MAX };

	return !setrlimit(RLIMIT_NOFILE, &limit);
}
