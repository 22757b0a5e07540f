// SPDX-License-Identifier: GPL-2.0
/* A port without a kernel; see port.h. */
#include <errno.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "port.h"

#define HOSTS		0x0a000001	/* 10.0.0.1 */
#define FIRST_PORT	1024
#define MERGED_MAX	8

struct port port;

/* The socket's buffer: @left datagrams from @first on, in a ring. */
static struct {
	unsigned int first, left;
	struct {
		unsigned int from;
		size_t len;
		u8 data[PORT_SIZE];
	} ring[PORT_ROOM];
} buffer;

int port_open(struct kdtls_endpoint *ep,
	      const struct kdtls_server_options *options,
	      struct kdtls_server **server)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a))) {
		perror("socket");
		exit(1);
	}
	err = kdtls_server_new(ep, fd, options, server);
	if (err)
		close(fd);
	return err;
}

bool port_put(unsigned int from, const u8 *data, size_t len)
{
	unsigned int i = (buffer.first + buffer.left) % PORT_ROOM;

	if (buffer.left == PORT_ROOM || len > PORT_SIZE)
		return false;
	buffer.left++;
	buffer.ring[i].from = from;
	buffer.ring[i].len = len;
	memcpy(buffer.ring[i].data, data, len);
	return true;
}

unsigned int port_left(void)
{
	return buffer.left;
}

void port_clear(void)
{
	buffer.left = 0;
}

static unsigned int sharers(void)
{
	return port.sharers ? port.sharers : 1;
}

unsigned int port_number(const struct sockaddr_in *address)
{
	return (ntohl(address->sin_addr.s_addr) - HOSTS) * sharers() +
	       (ntohs(address->sin_port) - FIRST_PORT) % sharers();
}

static void write_address(struct sockaddr_in *address, unsigned int number)
{
	memset(address, 0, sizeof(*address));
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(HOSTS + number / sharers());
	address->sin_port = htons((uint16_t)(FIRST_PORT + number % sharers()));
}

/* ---- the system calls of the library ---- */

int __real_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	if (clock != CLOCK_MONOTONIC)
		return __real_clock_gettime(clock, t);
	t->tv_sec = (time_t)(port.now / 1000000);
	t->tv_nsec = (long)(port.now % 1000000 * 1000);
	return 0;
}

/* Return true if the next datagram can be merged with one from @from. */
static bool can_merge(unsigned int from, size_t segment, size_t last)
{
	return port.merges && buffer.left && last == segment &&
	       buffer.ring[buffer.first].from == from &&
	       buffer.ring[buffer.first].len <= segment;
}

/* Move the first datagram of the buffer to @to. Return its bytes. */
static size_t take(u8 *to)
{
	size_t len = buffer.ring[buffer.first].len;

	memcpy(to, buffer.ring[buffer.first].data, len);
	buffer.first = (buffer.first + 1) % PORT_ROOM;
	buffer.left--;
	return len;
}

/* Receive one datagram, or several as one. */
static void receive(struct mmsghdr *m)
{
	struct msghdr *msg = &m->msg_hdr;
	unsigned int from = buffer.ring[buffer.first].from, count = 1;
	size_t segment, last;
	u8 *to = msg->msg_iov->iov_base;
	struct cmsghdr *c;
	int size;

	write_address(msg->msg_name, from);
	msg->msg_namelen = sizeof(struct sockaddr_in);
	segment = take(to);
	m->msg_len = (unsigned int)segment;
	last = segment;
	for (; count < MERGED_MAX && can_merge(from, segment, last); count++) {
		last = take(to + m->msg_len);
		m->msg_len += (unsigned int)last;
	}
	msg->msg_flags = 0;
	c = CMSG_FIRSTHDR(msg);
	msg->msg_controllen = 0;
	if (count == 1)
		return;
	size = (int)segment;
	c->cmsg_level = SOL_UDP;
	c->cmsg_type = UDP_GRO;
	c->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(c), &size, sizeof(size));
	msg->msg_controllen = CMSG_SPACE(sizeof(size));
}

int __wrap_recvmmsg(int fd, struct mmsghdr *m, unsigned int count, int flags,
		    struct timespec *timeout);
int __wrap_recvmmsg(int fd, struct mmsghdr *m, unsigned int count, int flags,
		    struct timespec *timeout)
{
	unsigned int i;

	(void)fd;
	(void)flags;
	(void)timeout;
	for (i = 0; i < count && buffer.left; i++)
		receive(&m[i]);
	if (i)
		return (int)i;
	errno = EAGAIN;
	return -1;
}

/* Return how many bytes each datagram of a message has. */
static size_t segment_of(const struct msghdr *msg, size_t len)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	uint16_t size;

	if (!c || c->cmsg_level != SOL_UDP || c->cmsg_type != UDP_SEGMENT)
		return len;
	memcpy(&size, CMSG_DATA(c), sizeof(size));
	return size;
}

static ssize_t send_message(const struct msghdr *msg)
{
	static u8 data[65536];
	size_t len = 0, segment, at, n;
	unsigned int i;

	if (port.full) {
		port.full--;
		errno = EAGAIN;
		return -1;
	}
	for (i = 0; i < msg->msg_iovlen; i++) {
		memcpy(data + len, msg->msg_iov[i].iov_base,
		       msg->msg_iov[i].iov_len);
		len += msg->msg_iov[i].iov_len;
	}
	segment = segment_of(msg, len);
	for (at = 0; at < len; at += n) {
		n = len - at < segment ? len - at : segment;
		port.sent(port_number(msg->msg_name), data + at, n);
	}
	return (ssize_t)len;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	(void)fd;
	(void)flags;
	return send_message(msg);
}

int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned int count, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned int count, int flags)
{
	unsigned int i;
	ssize_t n;

	(void)fd;
	(void)flags;
	for (i = 0; i < count; i++) {
		n = send_message(&m[i].msg_hdr);
		if (n < 0)
			return i ? (int)i : -1;
		m[i].msg_len = (unsigned int)n;
	}
	return (int)i;
}
