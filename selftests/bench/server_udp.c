// SPDX-License-Identifier: GPL-2.0
/* Servers whose records, if any, the kernel makes; see servers.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>
#include <arpa/inet.h>

#include "servers.h"

static char out[BATCH * DATAGRAM_ROOM], in[BATCH * DATAGRAM_ROOM];

/* Return a socket bound to @s->address, which gets a port if it has none. */
static int server_socket(struct service *s)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1, deep = 16 << 20;
	struct timeval patience = { .tv_sec = 10 };
	socklen_t len = sizeof(s->address);

	if (fd < 0)
		return -1;
	s->address.sin_family = AF_INET;
	s->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &deep, sizeof(deep)) ||
	    (s->server->batch == GSO_GRO &&
	     setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on))) ||
	    bind(fd, (struct sockaddr *)&s->address, sizeof(s->address)) ||
	    getsockname(fd, (struct sockaddr *)&s->address, &len)) {
		close(fd);
		return -1;
	}
	return fd;
}

bool server_udp_open(struct service *s)
{
	s->fd = server_socket(s);
	return s->fd >= 0;
}

bool server_udp_open_each(struct service *s)
{
	struct sockaddr_in to;
	unsigned int i;

	s->fds = malloc(s->clients * sizeof(*s->fds));
	if (!s->fds)
		return false;
	memset(s->fds, 0xff, s->clients * sizeof(*s->fds));
	if (!many_files())
		return false;
	for (i = 0; i < s->clients; i++) {
		s->fds[i] = server_socket(s);
		to = wire_client(i);
		if (s->fds[i] < 0 ||
		    connect(s->fds[i], (struct sockaddr *)&to, sizeof(to)))
			return false;
	}
	return true;
}

void server_ours_key(struct service *s, unsigned int client,
		     struct peer_key *k)
{
	__u16 cipher = DTLS_CIPHER_AES_GCM_128;

	if (s->server->v13)
		cipher = V13(cipher);
	peer_key_init(k, cipher, nth_epoch(cipher, 1), 0, 2 * client);
}

void server_ours_back_key(struct service *s, unsigned int client,
			  struct peer_key *k)
{
	server_ours_key(s, client, k);
	peer_key_init(k, k->cipher, k->epoch, 0, 2 * client + 1);
}

/* Give the association with a client its keys. */
static bool set_keys(struct service *s, int fd, unsigned int client)
{
	struct peer_key rx, tx;

	server_ours_key(s, client, &rx);
	server_ours_back_key(s, client, &tx);
	return !dtls_set_key(fd, DTLS_RX, &rx) &&
	       !dtls_set_key(fd, DTLS_TX, &tx);
}

bool server_ours_open_each(struct service *s)
{
	unsigned int i;

	if (!server_udp_open_each(s))
		return false;
	for (i = 0; i < s->clients; i++)
		if (dtls_attach(s->fds[i]) || !set_keys(s, s->fds[i], i))
			return false;
	return true;
}

static int socket_of(const struct service *s, unsigned int client)
{
	return s->fds ? s->fds[client] : s->fd;
}

/* Receive up to BATCH records of several clients with one call. */
static int recv_many(struct service *s)
{
	static struct sockaddr_in from[BATCH];
	static struct iovec iov[BATCH];
	static struct mmsghdr msg[BATCH];
	int got, i;

	for (i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ in + i * DATAGRAM_ROOM,
					 DATAGRAM_ROOM };
		msg[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i],
			.msg_namelen = sizeof(from[i]),
			.msg_iov = &iov[i],
			.msg_iovlen = 1,
		};
	}
	got = recvmmsg(s->fd, msg, BATCH, 0, NULL);
	for (i = 0; i < got; i++)
		if (msg[i].msg_len != s->size)
			return -1;
	return got;
}

ssize_t server_udp_recv_segments(int fd, struct sockaddr_in *from, void *buf,
				 size_t room, int *segment)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { buf, room };
	struct msghdr msg = {
		.msg_name = from,
		.msg_namelen = from ? sizeof(*from) : 0,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = segment ? control : NULL,
		.msg_controllen = segment ? sizeof(control) : 0,
	};
	ssize_t len = recvmsg(fd, &msg, 0);
	struct cmsghdr *cmsg = len > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	if (segment)
		*segment = 0;
	if (cmsg && cmsg->cmsg_level == SOL_UDP && cmsg->cmsg_type == UDP_GRO)
		memcpy(segment, CMSG_DATA(cmsg), sizeof(*segment));
	return len;
}

/* Receive some records of one client with one call. */
static int recv_coalesced(struct service *s, int fd)
{
	struct sockaddr_in from;
	int segment;
	ssize_t len = server_udp_recv_segments(fd, s->fds ? NULL : &from, in,
					       sizeof(in), &segment);

	return len > 0 && !(len % s->size) ? len / s->size : -1;
}

bool server_udp_recv(struct service *s, const unsigned int *clients)
{
	struct sockaddr_in from;
	int left, got = 1;

	for (left = BATCH; left > 0; left -= got) {
		int fd = socket_of(s, clients[BATCH - left]);
		socklen_t len = sizeof(from);

		switch (s->server->batch) {
		case ONE:
			if (recvfrom(fd, in, DATAGRAM_ROOM, 0,
				     s->fds ? NULL : (void *)&from,
				     s->fds ? NULL : &len) != (ssize_t)s->size)
				return false;
			break;
		case MMSG:
			got = recv_many(s);
			break;
		default:
			got = recv_coalesced(s, fd);
		}
		if (got <= 0)
			return false;
	}
	return !left;
}

/* Return @to, with the address of a client in it if the socket needs one. */
static struct sockaddr *name_of(const struct service *s, unsigned int client,
				struct sockaddr_in *to)
{
	if (s->fds)
		return NULL;
	*to = wire_client(client);
	return (struct sockaddr *)to;
}

static bool send_many(struct service *s, const unsigned int *clients)
{
	static struct sockaddr_in to[BATCH];
	static struct iovec iov[BATCH];
	static struct mmsghdr msg[BATCH];
	int i;

	for (i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ out + i * s->size, s->size };
		msg[i].msg_hdr = (struct msghdr){
			.msg_name = name_of(s, clients[i], &to[i]),
			.msg_namelen = sizeof(to[i]),
			.msg_iov = &iov[i],
			.msg_iovlen = 1,
		};
	}
	return sendmmsg(s->fd, msg, BATCH, 0) == BATCH;
}

bool server_udp_send_segments(int fd, const struct sockaddr_in *to,
			      const void *data, size_t len, uint16_t segment)
{
	char control[CMSG_SPACE(sizeof(segment))] = { 0 };
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = {
		.msg_name = (void *)to,
		.msg_namelen = to ? sizeof(*to) : 0,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_UDP;
	cmsg->cmsg_type = UDP_SEGMENT;
	cmsg->cmsg_len = CMSG_LEN(sizeof(segment));
	memcpy(CMSG_DATA(cmsg), &segment, sizeof(segment));
	return sendmsg(fd, &msg, 0) == (ssize_t)len;
}

bool server_udp_send(struct service *s, const unsigned int *clients)
{
	struct sockaddr_in to;
	struct sockaddr *name;
	unsigned int i;

	if (s->server->batch == MMSG)
		return send_many(s, clients);
	if (s->server->batch == GSO_GRO) {
		to = wire_client(clients[0]);
		return server_udp_send_segments(socket_of(s, clients[0]),
						s->fds ? NULL : &to, out,
						BATCH * s->size, s->size);
	}
	for (i = 0; i < BATCH; i++) {
		name = name_of(s, clients[i], &to);
		if (sendto(socket_of(s, clients[i]), out, s->size, 0, name,
			   name ? sizeof(to) : 0) != (ssize_t)s->size)
			return false;
	}
	return true;
}

void server_udp_close(struct service *s)
{
	unsigned int i;

	for (i = 0; s->fds && i < s->clients; i++)
		if (s->fds[i] >= 0)
			close(s->fds[i]);
	free(s->fds);
	s->fds = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}
