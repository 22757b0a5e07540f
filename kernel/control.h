/* SPDX-License-Identifier: GPL-2.0 */
/* The control queue keeps records for readers with MSG_OOB. See control.c. */
#ifndef _DTLS_CONTROL_H
#define _DTLS_CONTROL_H

#include <linux/list.h>
#include <linux/types.h>

struct dtls_assoc;
struct dtls_epoch;
struct dtls_msg;
struct dtls_sock;
struct sk_buff;

struct dtls_msg *dtls_control_new(struct dtls_sock *ds, struct dtls_assoc *assoc,
				  struct sk_buff *from, unsigned int len,
				  bool raw);
void dtls_control_forget(struct dtls_sock *ds, struct dtls_assoc *assoc,
			 struct list_head *gone);
bool dtls_control_queue(struct dtls_sock *ds, struct dtls_msg *m);
bool dtls_control_tell(struct dtls_sock *ds, struct dtls_assoc *assoc, u64 epoch,
		       u16 event);
void dtls_control_event(struct dtls_sock *ds, struct dtls_assoc *assoc,
			struct dtls_epoch *epoch, u16 event);
void dtls_control_forgeries(struct dtls_sock *ds, struct dtls_assoc *assoc,
			    struct dtls_epoch *epoch);
struct dtls_msg *dtls_control_take(struct dtls_sock *ds, bool peek);
void dtls_control_move(struct dtls_sock *from, struct dtls_sock *to,
		       struct dtls_assoc *assoc);
void dtls_control_put_back(struct dtls_sock *ds, struct dtls_msg *m);

#endif /* _DTLS_CONTROL_H */
