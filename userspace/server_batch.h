/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A batch is what one system call receives: many datagrams, or many records that
 * the kernel has opened. These functions receive a batch and go through it.
 */
#ifndef _KDTLS_SERVER_BATCH_H
#define _KDTLS_SERVER_BATCH_H

#include "server_object.h"

#define BATCH_MAX	32	/* messages that one system call receives */

/*
 * UDP charges the receive buffer for all memory of the sk_buff of a datagram: struct
 * sk_buff, struct skb_shared_info, the headers, and the content, all rounded up. The two
 * structures have 420 bytes at least on a machine of 32 bits (176 and 244: i386, Linux
 * 6.12 with as few options as there can be), and 528 on one of 64 bits (208 and 320). So
 * each datagram is charged more than BATCH_DATAGRAM bytes beside its content. Datagrams
 * that UDP_GRO has put together are charged that once, at least.
 */
#define BATCH_DATAGRAM	384

/*
 * Any number of records that the kernel has opened may have come in one datagram. Each has
 * had BATCH_RECORD bytes there beside its content, at least: two of header, the type, and
 * a tag of 8 (RFC 9147 4).
 */
#define BATCH_RECORD	11

/*
 * BATCH_CONTROL is the room for the control messages of one message: the local
 * address, UDP_GRO, DTLS_ASSOC and DTLS_RECORD_INFO.
 */
#define BATCH_CONTROL							\
	(ADDRESS_CONTROL + CMSG_SPACE(sizeof(int)) +			\
	 CMSG_SPACE(sizeof(uint64_t)) +					\
	 CMSG_SPACE(sizeof(struct dtls_record_info)))

/**
 * struct incoming - a message of recvmmsg(): a datagram or a record, or several
 *	from one sender that the kernel has put together (UDP_GRO)
 * @from:	the sender's address, and the local address that was written to, of a
 *		datagram or a raw record; else without a key
 * @info:	what the kernel tells about a record; @info.id is 0 for a datagram
 * @segment:	bytes of each datagram or record but the last, which may be shorter
 * @offset:	bytes of the message that were read
 * @iov:	the memory that the message lies in
 * @control:	control messages of the message
 */
struct incoming {
	struct stranger from;
	struct dtls_record_info info;
	size_t segment;
	size_t offset;
	struct iovec iov;
	union {
		char space[BATCH_CONTROL];
		struct cmsghdr align;
	} control;
};

/**
 * struct batch - the messages that one system call has received
 * @header:	the header of each message, for recvmmsg()
 * @incoming:	the messages
 * @count:	number of messages
 * @at:		index of the message that is being read
 * @data:	DATAGRAM_MAX bytes for each message. The system provides pages only
 *		for the part that a datagram was long enough to use
 */
struct batch {
	struct mmsghdr header[BATCH_MAX];
	struct incoming incoming[BATCH_MAX];
	unsigned int count;
	unsigned int at;
	uint8_t *data;
};

/* Make an empty batch. Return NULL if there is no memory. */
struct batch *batch_new(void);

/* Free a batch. @b may be NULL. */
void batch_free(struct batch *b);

/*
 * Return true if @error is one that the kernel makes of ICMP errors. With IP_RECVERR, which a
 * program may set, the next call on the socket fails with it, whatever that call is about.
 * Anybody can send ICMP errors, so they end nothing.
 */
bool batch_is_icmp(int error);

/*
 * Receive a batch, with @flags of recvmsg(2), without waiting. Return 0, also if
 * the socket only had an error that ICMP reported; -EAGAIN if there is nothing; or
 * another -errno.
 */
int batch_receive(struct batch *b, struct kdtls_server *server, int flags);

/*
 * Return what the messages of @b, read or not, were charged in the socket's queue at least.
 */
size_t batch_charge(const struct batch *b);

/* Return true if batch_next() will return another datagram or record. */
bool batch_left(const struct batch *b);

/*
 * Set @piece to the next datagram or record of @b, and return the message that it
 * is part of, or NULL if all were read. @piece is empty for an event of the kernel.
 */
const struct incoming *batch_next(struct batch *b, struct dtls_bytes *piece);

/*
 * Set @piece to the next datagram or record of @b that came from the address of @c or, if
 * the kernel makes the records, is of the association of @c; and return the message that
 * it is part of, or NULL if there is none. batch_next() does not return it any more.
 */
const struct incoming *batch_next_of(struct batch *b, struct dtls_bytes *piece,
				     const struct kdtls_client *c);

#endif /* _KDTLS_SERVER_BATCH_H */
