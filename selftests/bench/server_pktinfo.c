// SPDX-License-Identifier: GPL-2.0
/*
 * A server of plain UDP with a control message for each datagram, IP_PKTINFO; see
 * servers.h. One call makes one datagram, or BATCH of them.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "servers.h"

union control {
	char buf[CMSG_SPACE(sizeof(struct in_pktinfo))];
	struct cmsghdr align;
};

static char out[DATAGRAM_ROOM], in[BATCH * DATAGRAM_ROOM];

bool server_pktinfo_open(struct service *s)
{
	int on = 1;

	return server_udp_open(s) &&
	       !setsockopt(s->fd, SOL_IP, IP_PKTINFO, &on, sizeof(on));
}

/* Make a message with the datagram at @iov, from or to @peer. */
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

/* Return true if the message tells to which address it was sent. */
static bool has_info(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	return c && c->cmsg_level == SOL_IP && c->cmsg_type == IP_PKTINFO;
}

/* Receive BATCH datagrams with as few calls as they take. */
static bool recv_many(struct service *s)
{
	static union control control[BATCH];
	static struct sockaddr_in from[BATCH];
	static struct mmsghdr msg[BATCH];
	static struct iovec iov[BATCH];
	int left, got, i;

	for (left = BATCH; left > 0; left -= got) {
		for (i = 0; i < left; i++) {
			iov[i] = (struct iovec){ in + i * DATAGRAM_ROOM,
						 DATAGRAM_ROOM };
			msg[i].msg_hdr = message(&from[i], &iov[i],
						 &control[i]);
		}
		got = recvmmsg(s->fd, msg, left, 0, NULL);
		for (i = 0; i < got; i++)
			if (msg[i].msg_len != s->size ||
			    !has_info(&msg[i].msg_hdr))
				return false;
		if (got <= 0)
			return false;
	}
	return true;
}

bool server_pktinfo_recv(struct service *s, const unsigned int *clients)
{
	struct iovec iov = { in, DATAGRAM_ROOM };
	struct sockaddr_in from;
	union control control;
	struct msghdr msg;
	unsigned int i;

	(void)clients;
	if (s->server->batch == MMSG)
		return recv_many(s);
	for (i = 0; i < BATCH; i++) {
		msg = message(&from, &iov, &control);
		if (recvmsg(s->fd, &msg, 0) != (ssize_t)s->size ||
		    !has_info(&msg))
			return false;
	}
	return true;
}

/* Make a control message for a datagram that leaves from the server's address. */
static union control source_of(const struct service *s)
{
	struct in_pktinfo info = { .ipi_spec_dst = s->address.sin_addr };
	union control control = { 0 };

	control.align.cmsg_level = SOL_IP;
	control.align.cmsg_type = IP_PKTINFO;
	control.align.cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(&control.align), &info, sizeof(info));
	return control;
}

/* Send BATCH datagrams with one call. */
static bool send_many(struct service *s, const unsigned int *clients)
{
	static union control control[BATCH];
	static struct sockaddr_in to[BATCH];
	static struct mmsghdr msg[BATCH];
	struct iovec iov = { out, s->size };
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		control[i] = source_of(s);
		to[i] = wire_client(clients[i]);
		msg[i].msg_hdr = message(&to[i], &iov, &control[i]);
	}
	return sendmmsg(s->fd, msg, BATCH, 0) == BATCH;
}

bool server_pktinfo_send(struct service *s, const unsigned int *clients)
{
	union control control = source_of(s);
	struct iovec iov = { out, s->size };
	struct sockaddr_in to;
	struct msghdr msg;
	unsigned int i;

	if (s->server->batch == MMSG)
		return send_many(s, clients);
	for (i = 0; i < BATCH; i++) {
		to = wire_client(clients[i]);
		msg = message(&to, &iov, &control);
		if (sendmsg(s->fd, &msg, 0) != (ssize_t)s->size)
			return false;
	}
	return true;
}
