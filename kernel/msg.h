/* SPDX-License-Identifier: GPL-2.0 */
/* A message is what a socket keeps of a record between two system calls. See msg.c. */
#ifndef _DTLS_MSG_H
#define _DTLS_MSG_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "record.h"

struct dtls_assoc;
struct dtls_sock;
struct sk_buff;

/**
 * struct dtls_msg - a record that waits for a reader or for its key
 * @list:	node in dtls_sock.ready, .control, .early or .pending
 * @raw:	node in dtls_sock.raw, if the record is in .control and not
 *		authenticated
 * @own:	node in dtls_assoc.early, if the record is in .early
 * @assoc:	the association that the record belongs to: one reference
 * @refs:	one reference held by the queue, and one by each reader that
 *		peeks
 * @skb:	the skb whose memory has the whole message, this structure included;
 *		see dtls_msg_alloc(). Its headers and ancillary data are those of
 *		the datagram that the record came in; an event has none
 * @info:	type, epoch and number of the record, as DTLS_RECORD_INFO gives them
 *		to the user, but for the number of the association
 * @rec:	header of the record without the connection ID, to compare the
 *		header of the next record with
 * @dgram:	serial of the datagram that the record came in
 * @since:	when the record began to wait for its key, in jiffies
 * @early:	bytes of memory by which this record counts in
 *		dtls_sock.early_bytes and dtls_assoc.early_bytes
 * @has_cid:	a connection ID that this end asked for stood before the record in
 *		its datagram
 * @len:	bytes of @data
 * @data:	content; for a raw record its header and fragment
 */
struct dtls_msg {
	struct list_head list;
	union {
		struct list_head raw;
		struct list_head own;
	};
	struct dtls_assoc *assoc;
	refcount_t refs;
	struct sk_buff *skb;
	struct dtls_record_info info;
	struct dtls_record rec;
	u64 dgram;
	unsigned long since;
	unsigned int early;
	bool has_cid;
	unsigned int len;
	u8 *data;
};

/*
 * enum dtls_charge tells what limits the memory of an skb that a socket keeps, besides
 * udp_mem and the cgroup. DTLS_CHARGE_RECEIVED counts the memory against the receive
 * buffer. DTLS_CHARGE_ASIDE does not: a budget of early.c or control.c limits it.
 */
enum dtls_charge {
	DTLS_CHARGE_RECEIVED,
	DTLS_CHARGE_ASIDE,
};

bool __must_check dtls_msg_hold(struct dtls_sock *ds, struct sk_buff *skb,
				enum dtls_charge where);
void dtls_msg_set_assoc(struct dtls_msg *m, struct dtls_assoc *assoc);
bool __must_check dtls_msg_move(struct dtls_sock *to, struct dtls_msg *m);
struct dtls_msg *dtls_msg_alloc(struct dtls_assoc *assoc, unsigned int headers,
				unsigned int len);
struct dtls_msg *dtls_msg_new(struct dtls_assoc *assoc, struct sk_buff *from,
			      unsigned int len);
void dtls_msg_put(struct dtls_sock *ds, struct dtls_msg *m);
void dtls_msg_purge(struct dtls_sock *ds, struct list_head *queue);

#endif /* _DTLS_MSG_H */
