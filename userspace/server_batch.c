// SPDX-License-Identifier: BSD-3-Clause
/* This file receives many messages in one system call; see server_batch.h. */
#include "server_batch.h"
#include <errno.h>
#include <netinet/udp.h>

struct batch *batch_new(void)
{
	struct batch *b = OPENSSL_zalloc(sizeof(*b));

	if (!b)
		return NULL;
	b->data = OPENSSL_malloc(BATCH_MAX * (size_t)DATAGRAM_MAX);
	if (b->data)
		return b;
	OPENSSL_free(b);
	return NULL;
}

void batch_free(struct batch *b)
{
	if (!b)
		return;
	/* Messages that were not read may be plaintext. */
	for (; batch_left(b); b->at++)
		OPENSSL_cleanse(b->incoming[b->at].iov.iov_base,
				b->header[b->at].msg_len);
	OPENSSL_free(b->data);
	OPENSSL_free(b);
}

/* Empty @b, and point the headers of recvmmsg() to its memory. */
static void prepare(struct batch *b)
{
	unsigned int i;

	b->at = 0;
	b->count = 0;
	for (i = 0; i < BATCH_MAX; i++) {
		struct incoming *one = &b->incoming[i];

		one->iov.iov_base = b->data + i * (size_t)DATAGRAM_MAX;
		one->iov.iov_len = DATAGRAM_MAX;
		b->header[i].msg_hdr = (struct msghdr){
			.msg_name = &one->from.peer,
			.msg_namelen = sizeof(one->from.peer),
			.msg_iov = &one->iov,
			.msg_iovlen = 1,
			.msg_control = one->control.space,
			.msg_controllen = sizeof(one->control.space),
		};
	}
}

/*
 * Read the control messages of UDP_GRO and of the module. Application data comes
 * with DTLS_ASSOC alone, the number of its association, and any other record with
 * DTLS_RECORD_INFO.
 */
static void read_control(struct incoming *one, struct msghdr *msg)
{
	struct cmsghdr *c;
	size_t len;
	int size;

	memset(&one->info, 0, sizeof(one->info));
	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		len = c->cmsg_len - CMSG_LEN(0);
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
			memcpy(&size, CMSG_DATA(c), sizeof(size));
			if (size > 0)
				one->segment = size;
		} else if (c->cmsg_level != SOL_DTLS) {
			continue;
		} else if (c->cmsg_type == DTLS_ASSOC) {
			memcpy(&one->info.id, CMSG_DATA(c),
			       sizeof(one->info.id));
			one->info.type = DTLS_CT_APPLICATION_DATA;
		} else if (c->cmsg_type == DTLS_RECORD_INFO) {
			memcpy(&one->info, CMSG_DATA(c),
			       len < sizeof(one->info) ? len :
							 sizeof(one->info));
		}
	}
}

/*
 * Read where a datagram came from, and which local address it was sent to. Return
 * false if one of the two is missing: the datagram cannot be answered and is dropped.
 */
static bool read_address(struct incoming *one, struct msghdr *msg,
			 const struct kdtls_server *server)
{
	one->from.local = server->local;
	one->from.len = msg->msg_namelen;
	if ((server->any && !address_told(msg, &one->from.local)) ||
	    one->from.peer.ss_family != server->local.ss_family)
		return false;
	address_key(&one->from);
	return true;
}

/* Read the control messages and addresses of all messages that were received. */
static void read_messages(struct batch *b, struct kdtls_server *server)
{
	unsigned int i;

	for (i = 0; i < b->count; i++) {
		struct incoming *one = &b->incoming[i];
		struct msghdr *msg = &b->header[i].msg_hdr;

		one->segment = b->header[i].msg_len;
		one->offset = 0;
		read_control(one, msg);
		one->from.key_len = 0;
		/* The kernel has told whom the other records belong to. */
		if (one->info.id && !(one->info.flags & DTLS_RECORD_RAW))
			continue;
		if (!read_address(one, msg, server) && !one->info.id) {
			b->header[i].msg_len = 0;
			server->info.dropped++;
		}
	}
}

bool batch_is_icmp(int error)
{
	switch (error) {
	case EACCES:
	case ECONNREFUSED:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case EMSGSIZE:
	case ENETUNREACH:
	case ENONET:
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case EPROTO:
		return true;
	default:
		return false;
	}
}

int batch_receive(struct batch *b, struct kdtls_server *server, int flags)
{
	int n;

	prepare(b);
	/*
	 * Older modules end recvmmsg() behind each control record, so more
	 * calls fill the batch.
	 */
	do {
		n = recvmmsg(server->fd, b->header + b->count,
			     BATCH_MAX - b->count, MSG_DONTWAIT | flags, NULL);
		b->count += n > 0 ? n : 0;
	} while (n > 0 && flags & MSG_OOB && b->count < BATCH_MAX);
	if (b->count) {
		read_messages(b, server);
		return 0;
	}
	if (batch_is_icmp(errno))
		return 0;
	switch (errno) {
	case EINTR:
		return 0;
	case ENOBUFS:		/* Data must be read before more control records. */
	case EWOULDBLOCK:
		return -EAGAIN;
	default:
		return -errno;
	}
}

size_t batch_charge(const struct batch *b)
{
	size_t charge = 0, len, segment;
	unsigned int i;

	for (i = 0; i < b->count; i++) {
		len = b->header[i].msg_len;
		segment = b->incoming[i].segment;
		charge += len;
		if (b->incoming[i].info.id && len)
			charge += (len + segment - 1) / segment * BATCH_RECORD;
		else
			charge += BATCH_DATAGRAM;
	}
	return charge;
}

bool batch_left(const struct batch *b)
{
	return b->at < b->count;
}

/* Set @piece to the next datagram or record of @one, which has @len bytes. */
static void take_piece(struct incoming *one, size_t len, struct dtls_bytes *piece)
{
	size_t left = len - one->offset;

	piece->p = (const uint8_t *)one->iov.iov_base + one->offset;
	piece->len = left < one->segment ? left : one->segment;
	one->offset += piece->len;
}

const struct incoming *batch_next(struct batch *b, struct dtls_bytes *piece)
{
	struct incoming *one;

	if (!batch_left(b))
		return NULL;
	one = &b->incoming[b->at];
	take_piece(one, b->header[b->at].msg_len, piece);
	if (one->offset == b->header[b->at].msg_len)
		b->at++;
	return one;
}

/* Return true if the message @one, which has @left unread bytes, is of @c. */
static bool is_of(const struct incoming *one, size_t left,
		  const struct kdtls_client *c)
{
	if (one->info.id || c->id)
		return one->info.id == c->id;
	return left && one->from.key_len == c->key_len &&
	       !memcmp(one->from.key, c->key, c->key_len);
}

const struct incoming *batch_next_of(struct batch *b, struct dtls_bytes *piece,
				     const struct kdtls_client *c)
{
	unsigned int i;

	for (i = b->at; i < b->count; i++) {
		struct incoming *one = &b->incoming[i];
		size_t len = b->header[i].msg_len;

		if (!is_of(one, len - one->offset, c))
			continue;
		take_piece(one, len, piece);
		/* An event has no bytes, so let batch_next() find an empty datagram. */
		if (one->offset == len)
			one->info.id = 0;
		return one;
	}
	return NULL;
}
