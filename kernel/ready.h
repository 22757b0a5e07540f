/* SPDX-License-Identifier: GPL-2.0 */
/* The ready queue keeps application records that were opened. See ready.c. */
#ifndef _DTLS_READY_H
#define _DTLS_READY_H

#include <linux/list.h>
#include <linux/types.h>

#include "sock.h"

struct dtls_msg;
struct dtls_record;

void dtls_ready_forget(struct dtls_sock *ds, const struct dtls_assoc *assoc,
		       struct list_head *gone);
void dtls_ready_move(struct dtls_sock *from, struct dtls_sock *to,
		     struct dtls_assoc *assoc);
void dtls_ready_queue(struct dtls_sock *ds, struct dtls_msg *m);
void dtls_ready_put_back(struct dtls_sock *ds, struct dtls_msg *m);
struct dtls_msg *dtls_ready_take(struct dtls_sock *ds);
struct dtls_msg *dtls_ready_coalesced(struct dtls_sock *ds, u64 dgram,
				      const struct dtls_record *first,
				      unsigned int max);
struct dtls_msg *dtls_ready_peek(struct dtls_sock *ds, int *off);
bool dtls_ready_has_room(struct dtls_sock *ds);

#endif /* _DTLS_READY_H */
