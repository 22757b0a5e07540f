/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many datagrams, or records that the kernel has opened, in one system call: the
 * call, and the walk through what it gave.
 */
#ifndef _KDTLS_SERVER_BATCH_H
#define _KDTLS_SERVER_BATCH_H

#include "server_object.h"

#define BATCH_MAX	32	/* messages of one system call */

#define BATCH_CONTROL							\
	(ADDRESS_CONTROL + CMSG_SPACE(sizeof(int)) +			\
	 CMSG_SPACE(sizeof(uint64_t)) +					\
	 CMSG_SPACE(sizeof(struct dtls_record_info)))

/**
 * struct incoming - one datagram or record, or several of one sender's that the
 *	kernel has put together (UDP_GRO)
 * @from:	whose they are, and what they were sent to
 * @info:	what the kernel says of records; @info.id is 0 for datagrams
 * @segment:	bytes of each of them but the last, which may be shorter
 * @iov:	where they lie
 * @control:	control messages of the system call
 */
struct incoming {
	struct stranger from;
	struct dtls_record_info info;
	size_t segment;
	struct iovec iov;
	union {
		char space[BATCH_CONTROL];
		struct cmsghdr align;
	} control;
};

/**
 * struct batch - what one system call gave
 * @header:	one for each of @incoming
 * @incoming:	the messages
 * @count:	number of these
 * @at:		the one that is being read
 * @offset:	bytes of it that were read
 * @data:	DATAGRAM_MAX bytes for each of @incoming. The system gives memory
 *		to what datagrams were long enough to use
 */
struct batch {
	struct mmsghdr header[BATCH_MAX];
	struct incoming incoming[BATCH_MAX];
	unsigned int count;
	unsigned int at;
	size_t offset;
	uint8_t *data;
};

/* Make an empty batch. Return NULL if there is no memory. */
struct batch *batch_new(void);

/* Free a batch. @b may be NULL. */
void batch_free(struct batch *b);

/*
 * Receive a batch, with @flags of recvmsg(2). Return 0, also if only errors were
 * received that the network told; -EAGAIN if there is nothing; or another -errno.
 */
int batch_receive(struct batch *b, struct kdtls_server *server, int flags);

/* Return the bytes that were received. */
size_t batch_bytes(const struct batch *b);

/* Return true if batch_next() has something left. */
bool batch_left(const struct batch *b);

/*
 * Take the next datagram or record. Return whose it is, or NULL if there is none.
 * @piece may be empty, as events of the kernel are.
 */
const struct incoming *batch_next(struct batch *b, struct dtls_bytes *piece);

#endif /* _KDTLS_SERVER_BATCH_H */
