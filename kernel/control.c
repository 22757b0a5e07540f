// SPDX-License-Identifier: GPL-2.0
/*
 * Records that are not application data: bounded queue, read with MSG_OOB.
 * And what is common to all that a socket holds on to: memory and its charge.
 */
#include <linux/slab.h>

#include "compat.h"
#include "dtls.h"

/*
 * Enough for a handshake's flights. Anybody who can send us a datagram can
 * fill the first; the second takes the peer's keys.
 */
#define RAW_BUDGET	(64 * 1024)
#define CONTROL_BUDGET	(64 * 1024)

/*
 * UDP forgot a datagram's memory when it gave it to us. What we hold on to is
 * charged again; not by skb_set_owner_r(), which wants the receive queue's
 * lock.
 */
unsigned int dtls_charge(struct dtls_sock *ds, unsigned int bytes)
{
	atomic_add(bytes, &ds->sk->sk_rmem_alloc);
	return bytes;
}

void dtls_uncharge(struct dtls_sock *ds, unsigned int charge)
{
	atomic_sub(charge, &ds->sk->sk_rmem_alloc);
}

/**
 * dtls_cut() - copy a part of a datagram that shall be kept
 * @skb:	as it came from UDP
 * @offset:	of the part
 * @len:	bytes of it; 0: address and ancillary data are all that is wanted
 *
 * A record of a few bytes would else hold all that it came in, up to 64 KiB.
 * The checksum, if anybody wants it, must have been looked at before. Sleeps.
 *
 * Return: linear, with all headers of @skb; or NULL.
 */
struct sk_buff *dtls_cut(const struct sk_buff *skb, unsigned int offset,
			 unsigned int len)
{
	unsigned int headroom = skb_headroom(skb);
	unsigned int headers = -skb_network_offset(skb);
	struct sk_buff *cut = alloc_skb(headroom + len, GFP_KERNEL);

	if (!cut)
		return NULL;
	skb_reserve(cut, headroom);
	memcpy(cut->data - headers, skb->data - headers, headers);
	if (skb_copy_bits(skb, offset, skb_put(cut, len), len)) {
		kfree_skb(cut);
		return NULL;
	}
	skb_copy_header(cut, skb);
	*skb_hwtstamps(cut) = *skb_hwtstamps((struct sk_buff *)skb);
	skb_gso_reset(cut);
	cut->ip_summed = CHECKSUM_UNNECESSARY;
	return cut;
}

/**
 * dtls_msg_new() - room for an opened record
 * @ds:		socket
 * @skb:	what it comes in (the reference is taken over), or NULL
 * @len:	bytes
 *
 * Sleeps. Return: a message with one reference and @len set, or NULL and @skb
 * is freed.
 */
struct dtls_msg *dtls_msg_new(struct dtls_sock *ds, struct sk_buff *skb,
			      size_t len)
{
	struct dtls_msg *m = kmalloc(struct_size(m, data, len), GFP_KERNEL);
	unsigned int held = 0;

	if (!m) {
		consume_skb(skb);
		return NULL;
	}
	/* Of a super-packet, its own datagram's share */
	if (skb && skb_is_gso(skb))
		held = skb->truesize /
		       DIV_ROUND_UP(skb->len, skb_shinfo(skb)->gso_size);
	else if (skb)
		held = skb->truesize;
	memset(m, 0, sizeof(*m));
	refcount_set(&m->refs, 1);
	m->len = len;
	m->skb = skb;
	m->charge = dtls_charge(ds, held + sizeof(*m) + len);
	return m;
}

void dtls_msg_put(struct dtls_sock *ds, struct dtls_msg *m)
{
	if (!m || !refcount_dec_and_test(&m->refs))
		return;
	dtls_uncharge(ds, m->charge);
	consume_skb(m->skb);
	kfree(m);
}

/* From close(): nobody else is there. */
void dtls_msg_purge(struct dtls_sock *ds, struct list_head *queue)
{
	struct dtls_msg *m, *next;

	list_for_each_entry_safe(m, next, queue, list)
		dtls_msg_put(ds, m);
	INIT_LIST_HEAD(queue);
}

static unsigned int *budget_of(struct dtls_sock *ds, const struct dtls_msg *m)
{
	return m->info.flags & DTLS_RECORD_RAW ? &ds->raw_bytes :
						 &ds->control_bytes;
}

/* Queue @m, or drop it for its kind's budget. Takes over the reference. */
void dtls_control_queue(struct dtls_sock *ds, struct dtls_msg *m)
{
	unsigned int limit = m->info.flags & DTLS_RECORD_RAW ? RAW_BUDGET :
							       CONTROL_BUDGET;
	unsigned int *used = budget_of(ds, m);

	spin_lock(&ds->lock);
	if (*used + m->charge > limit) {
		spin_unlock(&ds->lock);
		dtls_count(ds, DTLS_COUNT_RX_NO_BUDGET);
		dtls_msg_put(ds, m);
		return;
	}
	*used += m->charge;
	list_add_tail(&m->list, &ds->control);
	spin_unlock(&ds->lock);

	dtls_count(ds, DTLS_COUNT_RX_CONTROL);
	dtls_rx_wake(ds->sk);
}

/* Tell the library something. Without memory it is not told. */
void dtls_control_event(struct dtls_sock *ds, u64 epoch, u16 event)
{
	struct dtls_msg *m = dtls_msg_new(ds, NULL, 0);

	if (!m)
		return;
	m->info.epoch = epoch;
	m->info.flags = DTLS_RECORD_EVENT;
	m->info.event = event;
	dtls_control_queue(ds, m);
}

/* The oldest control record with a reference, or NULL. */
struct dtls_msg *dtls_control_take(struct dtls_sock *ds, bool peek)
{
	struct dtls_msg *m;

	if (list_empty(&ds->control))
		return NULL;
	spin_lock(&ds->lock);
	m = list_first_entry_or_null(&ds->control, struct dtls_msg, list);
	if (m && peek) {
		refcount_inc(&m->refs);
	} else if (m) {
		list_del(&m->list);
		*budget_of(ds, m) -= m->charge;
	}
	spin_unlock(&ds->lock);
	return m;
}
