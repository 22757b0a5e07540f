/* SPDX-License-Identifier: GPL-2.0 */
/*
 * These functions write the address and the control messages that recvmsg()
 * returns with a record.
 */
#ifndef _DTLS_ANCILLARY_H
#define _DTLS_ANCILLARY_H

#include <linux/socket.h>

#include "record.h"

struct sk_buff;
struct sock;

void dtls_ancillary_put(struct sock *sk, struct msghdr *msg,
			struct sk_buff *skb);
void dtls_ancillary_put_number(struct msghdr *msg, u64 id);

/*
 * Give the user the number of the record's association in the control message
 * DTLS_ASSOC. The association of a connected socket has no number, and none is given.
 */
static inline void dtls_ancillary_put_assoc(struct msghdr *msg, u64 id)
{
	if (unlikely(id))
		dtls_ancillary_put_number(msg, id);
}

/* Give the user @info, which describes the record, in DTLS_RECORD_INFO. */
static inline void dtls_ancillary_put_info(struct msghdr *msg,
					   struct dtls_record_info *info)
{
	put_cmsg(msg, SOL_DTLS, DTLS_RECORD_INFO, sizeof(*info), info);
}

#endif /* _DTLS_ANCILLARY_H */
