/* SPDX-License-Identifier: GPL-2.0 */
/* This header has the structure of one call of sendmsg(), which several files share. */
#ifndef _DTLS_SEND_H
#define _DTLS_SEND_H

#include <linux/atomic.h>
#include <linux/socket.h>
#include <linux/types.h>

#include "assoc.h"
#include "dest.h"
#include "record.h"
#include "stats.h"

struct dtls_epoch;
struct dtls_sock;

/*
 * DTLS_BASE_FLAGS are the flags of the caller that are passed on to the base.
 */
#define DTLS_BASE_FLAGS	(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CONFIRM | \
			 MSG_DONTROUTE)

/*
 * DTLS_CONTROL_ROOM is the bytes of the control messages that this module adds to
 * the caller's: the source address of dtls_dest_put_source() and UDP_SEGMENT.
 */
#define DTLS_CONTROL_ROOM	(DTLS_DEST_SOURCE_MAX + CMSG_SPACE(sizeof(u16)))

/**
 * struct dtls_send - one call of sendmsg()
 * @ds:		the socket
 * @assoc:	the association that the message goes to
 * @dest:	destination of the message on a socket with a table; NULL on a
 *		connected socket
 * @id:		number of the association from the control message DTLS_ASSOC,
 *		or 0
 * @epoch:	the write epoch, with a reference
 * @msg:	the caller's message
 * @flags:	MSG_* for the base
 * @segment:	bytes of plaintext of each record but the last; 0: the message
 *		is one record
 * @cut:	the call has a control message UDP_SEGMENT
 * @dontfrag:	value of the control message IPV6_DONTFRAG; negative: there is
 *		none
 * @type:	content type of the records
 * @info:	the control message DTLS_RECORD_INFO, if @has_info; else zero
 * @has_info:	the call has a control message DTLS_RECORD_INFO
 * @control:	control messages for the base, or NULL
 * @control_len: bytes of control messages at @control
 *
 * The structure lies on the stack of the call.
 */
struct dtls_send {
	struct dtls_sock *ds;
	struct dtls_assoc *assoc;
	struct dtls_dest *dest;
	u64 id;
	struct dtls_epoch *epoch;
	struct msghdr *msg;
	unsigned int flags;
	unsigned int segment;
	bool cut;
	int dontfrag;
	u8 type;
	struct dtls_record_info info;
	bool has_info;
	void *control;
	size_t control_len;
};

/* dtls_send_count() counts @records that were sent, with @bytes of content. */
static inline void dtls_send_count(struct dtls_send *s, unsigned int records,
				   size_t bytes)
{
	struct dtls_assoc *assoc = s->assoc;

	atomic64_add(records, &assoc->count[DTLS_COUNT_TX_RECORDS]);
	atomic64_add(bytes, &assoc->count[DTLS_COUNT_TX_BYTES]);
	dtls_stats_add(s->ds, DTLS_STAT_TX_RECORDS, records);
	dtls_stats_add(s->ds, DTLS_STAT_TX_BYTES, bytes);
}

#endif /* _DTLS_SEND_H */
