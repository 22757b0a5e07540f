// SPDX-License-Identifier: GPL-2.0
/*
 * This file makes and frees messages, and charges the skbs that a socket keeps between
 * two system calls: messages, and datagrams that are not used up.
 *
 * UDP uncharges the memory of a datagram when it hands the datagram out. If the socket
 * keeps the datagram, the memory is charged again as UDP charges its receive queue: to
 * the memory of the protocol (udp_mem) and of the cgroup, by the truesize of the skb,
 * once however many records share the skb, until the last reference is put.
 */
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <net/sock.h>

#include "assoc.h"
#include "msg.h"
#include "sock.h"
#include "stats.h"

/*
 * release_aside() is the destructor of an skb with DTLS_CHARGE_ASIDE. UDP guards
 * sk_forward_alloc with the lock of the receive queue. The charge has a reference to the
 * socket, as a message may outlive its socket: if an association was peeled off while a
 * task peeked at a message, the task may put the message after the new socket was closed.
 */
static void release_aside(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;

	spin_lock_bh(&sk->sk_receive_queue.lock);
	sk_mem_uncharge(sk, skb->truesize);
	spin_unlock_bh(&sk->sk_receive_queue.lock);
	sock_put(sk);
}

static void release_received(struct sk_buff *skb)
{
	atomic_sub(skb->truesize, &skb->sk->sk_rmem_alloc);
	release_aside(skb);
}

/**
 * dtls_msg_hold() - charge an skb to the socket for as long as it lives
 * @ds:		socket
 * @skb:	the skb; no other task may call this function for it meanwhile
 * @where:	what the charge counts against
 *
 * Application data counts against the receive buffer, as in UDP's queue. Memory with
 * DTLS_CHARGE_ASIDE does not, so that UDP takes in as many datagrams as before however
 * much junk is kept. The first call for an skb decides what its memory counts against;
 * later calls change nothing. Takes the lock of UDP's receive queue.
 *
 * Return: false if memory is short: @skb is to be dropped.
 */
bool dtls_msg_hold(struct dtls_sock *ds, struct sk_buff *skb,
		   enum dtls_charge where)
{
	struct sock *sk = ds->sk;
	bool charged;

	if (skb->destructor == release_received ||
	    skb->destructor == release_aside)
		return true;

	spin_lock_bh(&sk->sk_receive_queue.lock);
	charged = sk_rmem_schedule(sk, skb, skb->truesize);
	if (charged)
		sk_mem_charge(sk, skb->truesize);
	spin_unlock_bh(&sk->sk_receive_queue.lock);
	if (!charged)
		return false;

	skb_orphan(skb);
	sock_hold(sk);
	skb->sk = sk;
	skb->destructor = release_aside;
	if (where == DTLS_CHARGE_RECEIVED) {
		skb->destructor = release_received;
		atomic_add(skb->truesize, &sk->sk_rmem_alloc);
	}
	return true;
}

/*
 * Charge @m to @to, which has peeled off the association of @m, and no longer to the
 * socket that has queued @m. The caller holds dtls_sock.lock of @to. Return false if
 * memory is short; the loss is counted then, and the caller drops @m.
 */
bool dtls_msg_move(struct dtls_sock *to, struct dtls_msg *m)
{
	enum dtls_charge where = m->skb->destructor == release_received ?
				 DTLS_CHARGE_RECEIVED : DTLS_CHARGE_ASIDE;

	lockdep_assert_held(&to->lock);
	skb_orphan(m->skb);
	if (dtls_msg_hold(to, m->skb, where))
		return true;
	dtls_stats_count(to, m->assoc, DTLS_COUNT_RX_NO_BUDGET);
	return false;
}

/**
 * dtls_msg_alloc() - make a message without content
 * @assoc:	the association that the message belongs to
 * @headers:	bytes to reserve before the content
 * @len:	bytes of room for the content
 *
 * A message is one linear skb, so that it has one charge: struct dtls_msg lies at the
 * start of the skb's memory, and the content is the skb's data. Sleeps.
 *
 * Return: a message with one reference, not charged yet; or NULL.
 */
struct dtls_msg *dtls_msg_alloc(struct dtls_assoc *assoc, unsigned int headers,
				unsigned int len)
{
	unsigned int room = sizeof(struct dtls_msg) + headers;
	struct sk_buff *skb = alloc_skb(room + len, GFP_KERNEL);
	struct dtls_msg *m;

	if (!skb)
		return NULL;
	skb_reserve(skb, room);
	m = (struct dtls_msg *)skb->head;
	memset(m, 0, sizeof(*m));
	refcount_set(&m->refs, 1);
	m->assoc = dtls_assoc_get(assoc);
	atomic_inc(&assoc->held);
	m->skb = skb;
	return m;
}

/*
 * copy_headers() copies what recvmsg() needs of @from beside the payload: headers,
 * their places, times, marks and the control block. A driver's own time stamp is
 * left out, as it is a pointer into the memory of @from (SKBTX_HW_TSTAMP_NETDEV).
 * UDP has removed the route and connection tracking, and the intake the device.
 */
static void copy_headers(struct sk_buff *to, struct sk_buff *from,
			 unsigned int headers)
{
	skb_copy_header(to, from);
	skb_headers_offset_update(to, skb_headroom(to) - skb_headroom(from));
	memcpy(to->data - headers, from->data - headers, headers);
	/* The link layer's header is not copied, and drop_monitor would show what is there. */
	to->mac_header = (typeof(to->mac_header))~0U;
	skb_gso_reset(to);
	if (!(skb_shinfo(from)->tx_flags & SKBTX_HW_TSTAMP_NETDEV))
		*skb_hwtstamps(to) = *skb_hwtstamps(from);
	to->ip_summed = CHECKSUM_UNNECESSARY;
}

/**
 * dtls_msg_new() - make a message for a record that is to be kept
 * @assoc:	the association that the record belongs to
 * @from:	the datagram of the record, of which headers and ancillary data are
 *		copied; its checksum must have been verified if that matters
 * @len:	bytes of content
 *
 * Sleeps. Return: a message with one reference, @len set and its content to be
 * filled in, not charged yet; or NULL.
 */
struct dtls_msg *dtls_msg_new(struct dtls_assoc *assoc, struct sk_buff *from,
			      unsigned int len)
{
	unsigned int headers = -skb_network_offset(from);
	struct dtls_msg *m = dtls_msg_alloc(assoc, headers, len);

	if (!m)
		return NULL;
	copy_headers(m->skb, from, headers);
	m->data = skb_put(m->skb, len);
	m->len = len;
	return m;
}

/*
 * Put the reference of @m to its association. The last reference frees keys, which
 * sleeps. A caller that holds dtls_sock.lock has just taken @m out of a queue, so the
 * association is not deleted, and its table or the socket that has peeled it off has a
 * reference, too: this one is not the last.
 */
static void leave_assoc(struct dtls_msg *m)
{
	atomic_dec(&m->assoc->held);
	dtls_assoc_put(m->assoc);
}

/* Make @assoc the association of @m, which lies in a queue. Under dtls_sock.lock. */
void dtls_msg_set_assoc(struct dtls_msg *m, struct dtls_assoc *assoc)
{
	leave_assoc(m);
	m->assoc = dtls_assoc_get(assoc);
	atomic_inc(&assoc->held);
}

/*
 * Put a reference to @m, which may be NULL. The last reference frees the message and
 * wipes its content, which is plaintext unless the record is raw or early.
 */
void dtls_msg_put(struct dtls_sock *ds, struct dtls_msg *m)
{
	if (!m || !refcount_dec_and_test(&m->refs))
		return;
	memzero_explicit(m->data, m->len);
	leave_assoc(m);
	consume_skb(m->skb);
}

/*
 * Put all messages of @queue, which no other task can reach any more, and make it
 * empty. Sleeps.
 */
void dtls_msg_purge(struct dtls_sock *ds, struct list_head *queue)
{
	struct dtls_msg *m, *next;

	list_for_each_entry_safe(m, next, queue, list)
		dtls_msg_put(ds, m);
	INIT_LIST_HEAD(queue);
}
