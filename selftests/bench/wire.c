// SPDX-License-Identifier: GPL-2.0
/* All the clients of a server; see servers.h. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <arpa/inet.h>

#include "servers.h"

#define FIRST_CLIENT	0x7f010000	/* 127.1.0.0 */

static int wire = -1;
static in_port_t port;

bool wire_open(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	struct timeval patience = { .tv_sec = 10 };
	socklen_t len = sizeof(any);
	int on = 1, deep = 16 << 20;

	wire = socket(AF_INET, SOCK_DGRAM, 0);
	if (wire < 0 || bind(wire, (struct sockaddr *)&any, sizeof(any)) ||
	    getsockname(wire, (struct sockaddr *)&any, &len))
		return false;
	port = any.sin_port;
	return !setsockopt(wire, SOL_SOCKET, SO_RCVTIMEO, &patience,
			   sizeof(patience)) &&
	       !setsockopt(wire, SOL_SOCKET, SO_RCVBUFFORCE, &deep,
			   sizeof(deep)) &&
	       !setsockopt(wire, SOL_UDP, UDP_GRO, &on, sizeof(on));
}

struct sockaddr_in wire_client(unsigned int client)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(FIRST_CLIENT + client),
		.sin_port = port,
	};
}

/* Send @len bytes from a client's address, as datagrams of @segment if it is not 0. */
static bool send_from(const struct service *s, unsigned int client,
		      const void *data, size_t len, uint16_t segment)
{
	char control[CMSG_SPACE(sizeof(struct in_pktinfo)) +
		     CMSG_SPACE(sizeof(segment))] = { 0 };
	struct in_pktinfo info = {
		.ipi_spec_dst.s_addr = htonl(FIRST_CLIENT + client),
	};
	struct sockaddr_in to = s->address;
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = {
		.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_IP;
	cmsg->cmsg_type = IP_PKTINFO;
	cmsg->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(cmsg), &info, sizeof(info));
	cmsg = CMSG_NXTHDR(&msg, cmsg);
	cmsg->cmsg_level = SOL_UDP;
	cmsg->cmsg_type = UDP_SEGMENT;
	cmsg->cmsg_len = CMSG_LEN(sizeof(segment));
	memcpy(CMSG_DATA(cmsg), &segment, sizeof(segment));
	if (!segment)
		msg.msg_controllen = CMSG_SPACE(sizeof(info));
	return sendmsg(wire, &msg, 0) == (ssize_t)len;
}

bool wire_send(const struct service *s, const unsigned int *clients,
	       const unsigned char *datagrams, size_t len, bool one_client)
{
	unsigned int i;

	if (one_client)
		return send_from(s, clients[0], datagrams, BATCH * len, len);
	for (i = 0; i < BATCH; i++)
		if (!send_from(s, clients[i], datagrams + i * len, len, 0))
			return false;
	return true;
}

bool wire_take(size_t len)
{
	static char in[BATCH * DATAGRAM_ROOM];
	size_t left = BATCH * len;
	ssize_t got;

	for (; left; left -= got) {
		got = recv(wire, in, sizeof(in), 0);
		if (got <= 0)
			return false;
		if ((size_t)got > left || got % len) {
			fprintf(stderr, "a client received %zd bytes, not %zu\n",
				got, len);
			return false;
		}
	}
	return true;
}
