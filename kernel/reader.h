/* SPDX-License-Identifier: GPL-2.0 */
/* A reader is a system call that reads from an attached socket. */
#ifndef _DTLS_READER_H
#define _DTLS_READER_H

#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/socket.h>
#include <linux/types.h>
#include <linux/uio.h>

#include "compat.h"
#include "scratch.h"

struct dtls_sock;

/**
 * struct dtls_reader - a system call that reads, or asks whether it could read
 * @ds:		the socket
 * @msg:	the user's message; NULL for poll() and FIONREAD, which copy nothing
 * @len:	bytes of room in @msg
 * @flags:	MSG_*
 * @budget:	datagrams that the call may still take in before it looks for
 *		signals and the deadline, or DTLS_BUDGET_UNSET
 * @all:	the call takes everything in, also if the ready queue has no room
 */
struct dtls_reader {
	struct dtls_sock *ds;
	struct msghdr *msg;
	size_t len;
	int flags;
	unsigned int budget;
	bool all;
};

/* Return true if @r takes application data out of the socket. */
static inline bool dtls_reader_takes(const struct dtls_reader *r)
{
	return !(r->flags & (MSG_OOB | MSG_PEEK));
}

/*
 * Return how many of @have bytes fit into the user's buffer, and set MSG_TRUNC if not
 * all do.
 */
static inline unsigned int dtls_reader_fit(struct dtls_reader *r,
					   unsigned int have)
{
	if (have <= r->len)
		return have;
	r->msg->msg_flags |= MSG_TRUNC;
	return r->len;
}

/* Copy @len bytes to the user. Return false if the buffer cannot be written. */
static inline bool __must_check dtls_reader_copy(struct dtls_reader *r,
						 const u8 *from, size_t len)
{
	return copy_to_iter(from, len, &r->msg->msg_iter) == len;
}

/*
 * Copy the @len bytes at @from, opened content in @scratch, to the user. Return false if
 * the buffer cannot be written. The memory of a scratch is whole pages, so the checks of
 * copy_to_iter() for stack and slab memory are not needed. The page that the content
 * begins in is known from its scatterlist entry.
 */
static inline bool __must_check
dtls_reader_copy_opened(struct dtls_reader *r, struct dtls_scratch *scratch,
			const u8 *from, size_t len)
{
	size_t offset = offset_in_page(scratch->content) +
			(from - scratch->content);

	return dtls_copy_page_to_iter(sg_page(&scratch->dst[1]), offset, len,
				      &r->msg->msg_iter) == len;
}

/* Return what recv() returns for @copied bytes of a record of @len. */
static inline int dtls_reader_result(const struct dtls_reader *r,
				     unsigned int len, unsigned int copied)
{
	return r->flags & MSG_TRUNC ? len : copied;
}

#endif /* _DTLS_READER_H */
