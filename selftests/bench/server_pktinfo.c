// SPDX-License-Identifier: GPL-2.0
/*
 * A server of plain UDP with a control message for each datagram, IP_PKTINFO; see
 * servers.h. One call makes one datagram.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "servers.h"

union control {
	char buf[CMSG_SPACE(sizeof(struct in_pktinfo))];
	struct cmsghdr align;
};

static char out[DATAGRAM_ROOM], in[DATAGRAM_ROOM];

bool server_pktinfo_open(struct service *s)
{
	int on = 1;

	return server_udp_open(s) &&
	       !setsockopt(s->fd, SOL_IP, IP_PKTINFO, &on, sizeof(on));
}

static struct msghdr message(struct sockaddr_in *peer, struct iovec *iov,
			     union control *control)
{
	return (struct msghdr){
		.msg_name = peer,
		.msg_namelen = sizeof(*peer),
		.msg_iov = iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(*control),
	};
}

bool server_pktinfo_recv(struct service *s, const unsigned int *clients)
{
	struct iovec iov = { in, sizeof(in) };
	struct sockaddr_in from;
	union control control;
	struct cmsghdr *c;
	struct msghdr msg;
	unsigned int i;

	(void)clients;
	for (i = 0; i < BATCH; i++) {
		msg = message(&from, &iov, &control);
		if (recvmsg(s->fd, &msg, 0) != (ssize_t)s->size)
			return false;
		c = CMSG_FIRSTHDR(&msg);
		if (!c || c->cmsg_level != SOL_IP || c->cmsg_type != IP_PKTINFO)
			return false;
	}
	return true;
}

bool server_pktinfo_send(struct service *s, const unsigned int *clients)
{
	struct in_pktinfo info = { .ipi_spec_dst = s->address.sin_addr };
	struct iovec iov = { out, s->size };
	union control control = { 0 };
	struct sockaddr_in to;
	struct msghdr msg;
	unsigned int i;

	control.align.cmsg_level = SOL_IP;
	control.align.cmsg_type = IP_PKTINFO;
	control.align.cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(&control.align), &info, sizeof(info));
	for (i = 0; i < BATCH; i++) {
		to = wire_client(clients[i]);
		msg = message(&to, &iov, &control);
		if (sendmsg(s->fd, &msg, 0) != (ssize_t)s->size)
			return false;
	}
	return true;
}
