// SPDX-License-Identifier: GPL-2.0
/*
 * Servers with all associations on one attached socket; see servers.h. The number of
 * an association is its client's, plus 1. The server learns it with each record, and
 * sends by it, as programs do that have something to keep for each client.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "servers.h"

/* Room for the control messages of a call: number and segments */
union control {
	char buf[CMSG_SPACE(sizeof(__u64)) + CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static char out[BATCH * SIZE_MAX_RECORD], in[BATCH * DATAGRAM_ROOM];

bool server_table_add(struct service *s, unsigned int client)
{
	struct sockaddr_in address = wire_client(client);
	struct dtls_assoc_peer peer = { .id = client + 1 };
	struct dtls_key_info info;
	struct peer_key k;

	peer.peer.family = AF_INET;
	peer.peer.port = address.sin_port;
	memcpy(peer.peer.addr, &address.sin_addr, sizeof(address.sin_addr));
	if (setsockopt(s->fd, SOL_DTLS, DTLS_ASSOC_ADD, &peer, sizeof(peer)))
		return false;
	server_ours_key(s, client, &k);
	key_info(&k, &info);
	info.id = peer.id;
	if (setsockopt(s->fd, SOL_DTLS, DTLS_RX, &info, sizeof(info)))
		return false;
	server_ours_back_key(s, client, &k);
	key_info(&k, &info);
	info.id = peer.id;
	return !setsockopt(s->fd, SOL_DTLS, DTLS_TX, &info, sizeof(info));
}

bool server_table_open(struct service *s)
{
	struct dtls_assoc_table table = { .max = 0 };
	unsigned int i;

	if (!server_udp_open(s) || dtls_attach(s->fd) ||
	    setsockopt(s->fd, SOL_DTLS, DTLS_ASSOC_TABLE, &table,
		       sizeof(table)))
		return false;
	for (i = 0; i < s->clients; i++)
		if (!server_table_add(s, i))
			return false;
	return true;
}

/* Return the number of the association that a message came from, or 0. */
static __u64 number_of(struct msghdr *msg)
{
	struct cmsghdr *c;
	__u64 id = 0;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_DTLS && c->cmsg_type == DTLS_ASSOC)
			memcpy(&id, CMSG_DATA(c), sizeof(id));
	return id;
}

static void prepare_recv(struct msghdr *msg, struct iovec *iov, void *buf,
			 size_t room, union control *control)
{
	*iov = (struct iovec){ buf, room };
	*msg = (struct msghdr){
		.msg_iov = iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(*control),
	};
}

/* Receive up to BATCH records of several clients with one call. */
static int recv_many(struct service *s, const unsigned int *clients)
{
	static union control control[BATCH];
	static struct mmsghdr msg[BATCH];
	static struct iovec iov[BATCH];
	int got, i;

	for (i = 0; i < BATCH; i++)
		prepare_recv(&msg[i].msg_hdr, &iov[i], in + i * DATAGRAM_ROOM,
			     DATAGRAM_ROOM, &control[i]);
	got = recvmmsg(s->fd, msg, BATCH, 0, NULL);
	for (i = 0; i < got; i++)
		if (msg[i].msg_len != s->size ||
		    number_of(&msg[i].msg_hdr) != clients[i] + 1)
			return -1;
	return got;
}

/* Receive one record, or some of one client where the socket has UDP_GRO. */
static int recv_one(struct service *s, const unsigned int *clients)
{
	union control control;
	struct msghdr msg;
	struct iovec iov;
	ssize_t len;

	prepare_recv(&msg, &iov, in, sizeof(in), &control);
	len = recvmsg(s->fd, &msg, 0);
	if (len <= 0 || len % s->size || number_of(&msg) != clients[0] + 1)
		return -1;
	return len / s->size;
}

bool server_table_recv(struct service *s, const unsigned int *clients)
{
	int left, got;

	for (left = BATCH; left > 0; left -= got) {
		got = s->server->batch == MMSG ?
		      recv_many(s, clients + BATCH - left) :
		      recv_one(s, clients + BATCH - left);
		if (got <= 0)
			return false;
	}
	return !left;
}

static struct cmsghdr *put(struct cmsghdr *c, int level, int type,
			   const void *data, size_t len)
{
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	return (struct cmsghdr *)((char *)c + CMSG_SPACE(len));
}

/* Make a message of @len bytes to a client, cut into records of @segment unless 0. */
static void prepare_send(struct msghdr *msg, struct iovec *iov, size_t len,
			 union control *control, unsigned int client,
			 __u16 segment)
{
	struct cmsghdr *c = &control->align;
	__u64 id = client + 1;

	*iov = (struct iovec){ out, len };
	c = put(c, SOL_DTLS, DTLS_ASSOC, &id, sizeof(id));
	if (segment)
		c = put(c, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	*msg = (struct msghdr){
		.msg_iov = iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = (size_t)((char *)c - control->buf),
	};
}

static bool send_many(struct service *s, const unsigned int *clients)
{
	static union control control[BATCH];
	static struct mmsghdr msg[BATCH];
	static struct iovec iov[BATCH];
	int i;

	for (i = 0; i < BATCH; i++)
		prepare_send(&msg[i].msg_hdr, &iov[i], s->size, &control[i],
			     clients[i], 0);
	return sendmmsg(s->fd, msg, BATCH, 0) == BATCH;
}

bool server_table_send(struct service *s, const unsigned int *clients)
{
	union control control;
	struct msghdr msg;
	struct iovec iov;
	unsigned int i;

	if (s->server->batch == MMSG)
		return send_many(s, clients);
	if (s->server->batch == GSO_GRO) {
		prepare_send(&msg, &iov, BATCH * s->size, &control, clients[0],
			     s->size);
		return sendmsg(s->fd, &msg, 0) == (ssize_t)(BATCH * s->size);
	}
	for (i = 0; i < BATCH; i++) {
		prepare_send(&msg, &iov, s->size, &control, clients[i], 0);
		if (sendmsg(s->fd, &msg, 0) != (ssize_t)s->size)
			return false;
	}
	return true;
}
