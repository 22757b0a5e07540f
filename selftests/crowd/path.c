// SPDX-License-Identifier: GPL-2.0
/*
 * A path that loses datagrams, as a process between clients and a server; see path.h.
 * So the clients have sockets of their own, as their libraries make them, and neither
 * the kernel nor its administrator has to do anything.
 */
#include "path.h"
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENTS		64
#define PORTS		65536
#define DATAGRAM	65536
#define BUFFER		(32 << 20)	/* bytes, so that no datagram is lost by chance */

enum direction { TO_SERVER, TO_CLIENT };

/**
 * struct carrier - the state of the process
 * @loss:	of a hundred datagrams
 * @server:	the server's address
 * @fd:		the socket that clients write to
 * @epoll:	waits for @fd, which is 0 there, and for the files of @upstream
 * @upstream:	for each port of a client the socket that is connected to the server
 * @counts:	what was carried and lost
 */
struct carrier {
	unsigned int loss;
	struct sockaddr_in server;
	int fd;
	int epoll;
	int upstream[PORTS];
	struct path_counts *counts;
};

/* Return true if the next datagram is lost. */
static bool lose(struct carrier *c, enum direction way)
{
	static uint32_t state = 1;

	state = state * 1664525 + 1013904223;
	if ((state >> 16) % 100 >= c->loss) {
		c->counts->carried[way]++;
		return false;
	}
	c->counts->lost[way]++;
	return true;
}

/* Make a large buffer, of any size as root, else of the size that is allowed. */
static void widen(int fd)
{
	int size = BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

/* Return the socket to the server for a client's port, or -1. */
static int upstream_of(struct carrier *c, uint16_t port)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = port };
	int fd = c->upstream[port];

	if (fd)
		return fd;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	widen(fd);
	if (connect(fd, (struct sockaddr *)&c->server, sizeof(c->server)) ||
	    epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &e)) {
		close(fd);
		return -1;
	}
	c->counts->clients++;
	c->upstream[port] = fd;
	return fd;
}

static void carry_to_server(struct carrier *c)
{
	static uint8_t buf[DATAGRAM];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t n;
	int fd;

	while ((n = recvfrom(c->fd, buf, sizeof(buf), MSG_DONTWAIT,
			     (struct sockaddr *)&from, &len)) > 0) {
		fd = upstream_of(c, ntohs(from.sin_port));
		if (fd >= 0 && !lose(c, TO_SERVER))
			send(fd, buf, (size_t)n, 0);
	}
}

static void carry_to_client(struct carrier *c, uint16_t port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	static uint8_t buf[DATAGRAM];
	ssize_t n;

	while ((n = recv(c->upstream[port], buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		if (!lose(c, TO_CLIENT))
			sendto(c->fd, buf, (size_t)n, 0, (struct sockaddr *)&to,
			       sizeof(to));
}

__attribute__((noreturn))
static void carry(struct carrier *c)
{
	struct epoll_event events[EVENTS];
	int i, n;

	for (;;) {
		n = epoll_wait(c->epoll, events, EVENTS, -1);
		if (n < 0 && errno != EINTR)
			_exit(1);
		for (i = 0; i < n; i++) {
			if (events[i].data.u32)
				carry_to_client(c, (uint16_t)events[i].data.u32);
			else
				carry_to_server(c);
		}
	}
}

/* Make the socket for clients. Return 0 or -1. */
static int listen_for_clients(struct carrier *c, struct path *p)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct epoll_event e = { .events = EPOLLIN };
	socklen_t len = sizeof(at);

	c->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&at, len) ||
	    getsockname(c->fd, (struct sockaddr *)&at, &len) ||
	    epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->fd, &e))
		return -1;
	widen(c->fd);
	p->port = ntohs(at.sin_port);
	return 0;
}

int path_start(struct path *p, const struct sockaddr_in *server, unsigned int loss)
{
	static struct carrier c;

	c = (struct carrier){ .loss = loss, .server = *server };
	p->counts = mmap(NULL, sizeof(*p->counts), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->counts == MAP_FAILED || listen_for_clients(&c, p))
		return -1;
	c.counts = p->counts;
	p->pid = fork();
	if (!p->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		carry(&c);
	}
	close(c.fd);
	close(c.epoll);
	return p->pid < 0 ? -1 : 0;
}

void path_stop(struct path *p)
{
	if (p->pid <= 0)
		return;
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
	p->pid = 0;
}
