// SPDX-License-Identifier: GPL-2.0
/*
 * This file keeps records that came before their key, called early records, and
 * datagrams that were read before the attach and are given back with DTLS_FEED. An
 * early record moves from dtls_sock.early to dtls_sock.pending when its key comes; a
 * datagram given back goes to dtls_sock.pending at once. The intake takes what is
 * there before it looks into UDP's queue.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/udp.h>

#include "assoc.h"
#include "early.h"
#include "msg.h"
#include "record.h"
#include "run.h"
#include "sock.h"
#include "stats.h"
#include "table.h"
#include "wait.h"

/* Add @bytes of memory of @m to the budget. The caller holds dtls_sock.lock. */
static void count_early(struct dtls_sock *ds, struct dtls_msg *m,
			unsigned int bytes)
{
	lockdep_assert_held(&ds->lock);
	m->early = bytes;
	m->assoc->early_bytes += bytes;
	ds->early_bytes += bytes;
}

/*
 * Take the memory of @m, which leaves its queue, out of the budget. The caller holds
 * dtls_sock.lock.
 */
static void uncount_early(struct dtls_sock *ds, struct dtls_msg *m)
{
	lockdep_assert_held(&ds->lock);
	m->assoc->early_bytes -= m->early;
	ds->early_bytes -= m->early;
}

/*
 * Take the oldest message out of dtls_sock.pending, which is not empty. The caller
 * holds dtls_sock.lock, and takes over the skb of the message and its reference to
 * the association.
 */
struct dtls_msg *dtls_early_take(struct dtls_sock *ds)
{
	struct dtls_msg *m = list_first_entry(&ds->pending, struct dtls_msg,
					      list);

	list_del(&m->list);
	uncount_early(ds, m);
	atomic_dec(&m->assoc->held);
	return m;
}

/*
 * Return the budget of early records in bytes. Their memory does not count against
 * the receive buffer. At a key change the peer may send many records before its key
 * is installed here. Half of a receive buffer of the default size holds about 80 short
 * records.
 */
static unsigned int early_budget(const struct dtls_sock *ds)
{
	return (unsigned int)READ_ONCE(ds->sk->sk_rcvbuf) / 2;
}

/*
 * Return how many bytes of early records @assoc may have. On a socket with a table,
 * each association may have as much as all of them leave free. So one association can
 * use half of the budget, a second one then a quarter of it, and none can use it up.
 * The caller holds dtls_sock.lock.
 */
static unsigned int early_share(const struct dtls_sock *ds,
				const struct dtls_assoc *assoc)
{
	unsigned int budget = early_budget(ds), used = ds->early_bytes;

	lockdep_assert_held(&ds->lock);
	if (!dtls_sock_table(ds))
		used -= assoc->early_bytes;
	return budget > used ? budget - used : 0;
}

/*
 * Drop the early record @m, which is too old or for which there is no room, and count
 * it. The caller holds dtls_sock.lock.
 */
static void drop_early(struct dtls_sock *ds, struct dtls_msg *m)
{
	list_del(&m->list);
	list_del(&m->own);
	uncount_early(ds, m);
	dtls_stats_count(ds, m->assoc, DTLS_COUNT_RX_NO_BUDGET);
	dtls_msg_put(ds, m);
}

/*
 * A record waits at most so many jiffies for its key. A peer sends the flight that
 * brings the key again after a minute at most (RFC 6347 4.2.4.1, RFC 9147 5.8.2), so
 * a key that has not come by then will not come.
 */
#define EARLY_AGE_MAX	(60 * HZ)

/*
 * Drop the records that have waited for EARLY_AGE_MAX. The caller holds
 * dtls_sock.lock.
 */
static void drop_aged(struct dtls_sock *ds)
{
	struct dtls_msg *m, *next;

	lockdep_assert_held(&ds->lock);
	list_for_each_entry_safe(m, next, &ds->early, list) {
		if (time_before(jiffies, m->since + EARLY_AGE_MAX))
			break;
		drop_early(ds, m);
	}
}

/*
 * Make room for an early record of @assoc of @bytes bytes. To this end drop the oldest
 * records whose key has not come: first those of @assoc, until it keeps to its share,
 * then those of all associations. Records whose key has come stay. A record always
 * fits into a budget that nothing uses. The caller holds dtls_sock.lock. Return false
 * if there is no room.
 */
static bool make_room(struct dtls_sock *ds, struct dtls_assoc *assoc,
		      unsigned int bytes)
{
	lockdep_assert_held(&ds->lock);
	drop_aged(ds);
	while (assoc->early_bytes + bytes > early_share(ds, assoc) &&
	       !list_empty(&assoc->early))
		drop_early(ds, list_first_entry(&assoc->early, struct dtls_msg,
						own));
	while (ds->early_bytes + bytes > early_budget(ds) &&
	       !list_empty(&ds->early))
		drop_early(ds, list_first_entry(&ds->early, struct dtls_msg,
						list));
	return !ds->early_bytes ||
	       ds->early_bytes + bytes <= early_budget(ds);
}

/*
 * Call make_room() for the socket that has @assoc, under that socket's lock: another
 * socket may have peeled @assoc off meanwhile, and has its early records then. There is no
 * room if no socket has @assoc.
 */
static bool make_room_early(struct dtls_sock *ds, struct dtls_assoc *assoc,
			    unsigned int bytes)
{
	struct dtls_sock *home = dtls_sock_lock_home(ds, assoc);
	bool room = dtls_sock_has(home, assoc) && make_room(home, assoc, bytes);

	dtls_wait_unlock_home(ds, home);
	return room;
}

/*
 * Charge @m and put it into the queue of records that wait for the key of @epoch. If
 * that key came meanwhile, put it into dtls_sock.pending. Takes dtls_sock.lock.
 * Return false if there is no room.
 */
static bool queue_early(struct dtls_sock *ds, struct dtls_msg *m, u64 epoch)
{
	struct dtls_sock *home = dtls_sock_lock_home(ds, m->assoc);
	bool kept;

	if (unlikely(m->assoc == home->former))
		dtls_msg_set_assoc(m, home->assoc);
	kept = dtls_sock_has(home, m->assoc) &&
	       make_room(home, m->assoc, m->skb->truesize) &&
	       dtls_msg_hold(home, m->skb, DTLS_CHARGE_ASIDE);
	if (kept) {
		count_early(home, m, m->skb->truesize);
		if (dtls_assoc_newest_rx(m->assoc) >= epoch) {
			list_add_tail(&m->list, &home->pending);
		} else {
			list_add_tail(&m->list, &home->early);
			list_add_tail(&m->own, &m->assoc->early);
		}
	}
	dtls_wait_unlock_home(ds, home);
	return kept;
}

/*
 * Keep the record of @rx until its key comes; or drop it and count it, if the budget
 * has no room. Sleeps.
 */
void dtls_early_keep(struct dtls_sock *ds, struct dtls_run *rx)
{
	unsigned int len = dtls_run_size(rx);
	struct dtls_msg *m = NULL;

	if (make_room_early(ds, rx->assoc, SKB_TRUESIZE(sizeof(*m) + len)))
		m = dtls_msg_new(rx->assoc, rx->skb, len);
	if (!m || skb_copy_bits(rx->skb, rx->offset, m->data, len))
		goto drop;
	m->has_cid = rx->has_cid;
	m->since = jiffies;
	if (queue_early(ds, m, rx->rec.epoch))
		return;
drop:
	dtls_msg_put(ds, m);
	dtls_stats_count(ds, rx->assoc, DTLS_COUNT_RX_NO_BUDGET);
}

/*
 * Let UDP coalesce datagrams, unless the socket has a filter: the filter would see
 * coalesced datagrams where it saw single ones before. The callers are those that install
 * a read key, make a table, peel an association off, or find that the user set a filter.
 * Sleeps.
 */
void dtls_early_set_gro(struct dtls_sock *ds)
{
	struct sock *sk = ds->sk;
	int gro = !rcu_access_pointer(sk->sk_filter);

	/* A second caller sets the same, as all see the same filter. */
	if (gro != READ_ONCE(ds->gro) &&
	    !ds->base->setsockopt(sk, SOL_UDP, UDP_GRO, KERNEL_SOCKPTR(&gro),
				  sizeof(gro)))
		WRITE_ONCE(ds->gro, gro);
}

/*
 * Move the early records of @assoc to dtls_sock.pending. The caller holds dtls_sock.lock of
 * the socket that has @assoc.
 */
static void move_to_pending(struct dtls_sock *ds, struct dtls_assoc *assoc)
{
	struct dtls_msg *m, *next;

	lockdep_assert_held(&ds->lock);
	drop_aged(ds);
	list_for_each_entry_safe(m, next, &assoc->early, own) {
		list_del(&m->own);
		list_move_tail(&m->list, &ds->pending);
	}
}

/*
 * Let the early records of @assoc be looked at, as a read key has come, and wake every
 * waiter. Records of a later epoch come back by dtls_early_keep(). Sleeps.
 */
void dtls_early_new_key(struct dtls_sock *ds, struct dtls_assoc *assoc)
{
	struct dtls_sock *home;

	dtls_early_set_gro(ds);
	home = dtls_sock_lock_home(ds, assoc);
	/* The records of an association without a home are being freed. */
	if (dtls_sock_has(home, assoc))
		move_to_pending(home, assoc);
	dtls_wait_unlock_home(ds, home);
	dtls_wait_wake(ds->sk);
}

/*
 * Move all messages of @assoc, which was deleted or peeled off, from the two queues to
 * @gone. The caller holds dtls_sock.lock, and purges @gone without it.
 */
void dtls_early_forget(struct dtls_sock *ds, struct dtls_assoc *assoc,
		       struct list_head *gone)
{
	struct dtls_msg *m, *next;

	lockdep_assert_held(&ds->lock);
	list_for_each_entry_safe(m, next, &assoc->early, own) {
		list_del(&m->own);
		uncount_early(ds, m);
		list_move_tail(&m->list, gone);
	}
	list_for_each_entry_safe(m, next, &ds->pending, list) {
		if (m->assoc != assoc)
			continue;
		uncount_early(ds, m);
		list_move_tail(&m->list, gone);
	}
}

/*
 * Move all messages of @assoc from both queues of @from to dtls_sock.pending of @to,
 * which has peeled the association off. Records whose key has not come go back to
 * dtls_sock.early from there. The caller holds dtls_sock.lock of both sockets.
 */
void dtls_early_move(struct dtls_sock *from, struct dtls_sock *to,
		     struct dtls_assoc *assoc)
{
	struct dtls_msg *m, *next;
	LIST_HEAD(moved);

	dtls_early_forget(from, assoc, &moved);
	list_for_each_entry_safe(m, next, &moved, list) {
		if (dtls_msg_move(to, m)) {
			count_early(to, m, m->early);
			list_add_tail(&m->list, &to->pending);
		} else {
			dtls_msg_put(to, m);
		}
	}
}

/* Make @ds->assoc the association of @m, which lies in a queue of @ds. */
static void adopt_msg(struct dtls_sock *ds, struct dtls_msg *m)
{
	uncount_early(ds, m);
	dtls_msg_set_assoc(m, ds->assoc);
	count_early(ds, m, m->early);
}

/*
 * Make @ds->assoc, which was peeled off, the association of all messages that came
 * before, when the socket had no key. The caller holds dtls_sock.lock.
 */
void dtls_early_adopt(struct dtls_sock *ds)
{
	struct dtls_msg *m, *next;

	lockdep_assert_held(&ds->lock);
	list_for_each_entry_safe(m, next, &ds->early, list) {
		list_del(&m->own);
		list_move_tail(&m->list, &ds->pending);
	}
	list_for_each_entry(m, &ds->pending, list)
		if (m->assoc == ds->former)
			adopt_msg(ds, m);
}

/* Return true if @m fits the receive buffer. One datagram always does, as in UDP. */
static bool has_room(const struct dtls_sock *ds, const struct dtls_msg *m)
{
	const struct sock *sk = ds->sk;
	int used = atomic_read(&sk->sk_rmem_alloc);

	return !used || used + m->skb->truesize <= READ_ONCE(sk->sk_rcvbuf);
}

/*
 * Give the socket that has peeled off the association of @rx the datagram of @rx, whose
 * checksum was verified, as if that socket had received it. The datagram counts against
 * the receive buffer there, and is dropped if that is full, unless dtls_peel() is moving what
 * was received before. Sleeps.
 */
void dtls_early_pass_on(struct dtls_sock *ds, const struct dtls_run *rx)
{
	unsigned int len = dtls_run_size(rx);
	struct dtls_msg *m = dtls_msg_new(rx->assoc, rx->skb, len);
	struct dtls_sock *home;
	bool kept = false;

	if (m && !skb_copy_bits(rx->skb, rx->offset, m->data, len)) {
		m->has_cid = rx->has_cid;
		home = dtls_sock_lock_home(ds, rx->assoc);
		kept = dtls_sock_has(home, m->assoc) &&
		       (home->adopts || has_room(home, m)) &&
		       dtls_msg_hold(home, m->skb, DTLS_CHARGE_RECEIVED);
		if (kept)
			list_add_tail(&m->list, &home->pending);
		dtls_wait_unlock_home(ds, home);
	}
	if (kept)
		return;
	dtls_msg_put(ds, m);
	dtls_stats_count(ds, rx->assoc, DTLS_COUNT_RX_NO_BUDGET);
}

/*
 * Write IP and UDP headers with the addresses of @flow to @skb, which is empty. The
 * datagram that DTLS_FEED gives back had such headers when it was received, and
 * recvmsg() reads the peer's address from them. The link of a link-local address is in
 * the control block, as IPv6 writes it there.
 */
static void feed_headers(struct sock *sk, const struct dtls_flow *flow,
			 struct sk_buff *skb)
{
	struct udphdr *uh;

	skb_reset_network_header(skb);
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		struct ipv6hdr *ip6 = skb_put_zero(skb, sizeof(*ip6));

		ip6->version = 6;
		ip6->saddr = flow->peer;
		ip6->daddr = flow->local;
		IP6CB(skb)->iif = flow->scope;
		skb->protocol = htons(ETH_P_IPV6);
	}
#endif
	if (sk->sk_family == AF_INET) {
		struct iphdr *ip = skb_put_zero(skb, sizeof(*ip));

		ip->version = 4;
		ip->ihl = sizeof(*ip) / 4;
		ip->saddr = flow->peer.s6_addr32[3];
		ip->daddr = flow->local.s6_addr32[3];
		skb->protocol = htons(ETH_P_IP);
	}
	skb_set_transport_header(skb, skb->len);
	uh = skb_put_zero(skb, sizeof(*uh));
	uh->source = flow->port;
	uh->dest = inet_sk(sk)->inet_sport;
	skb_pull(skb, skb->len);
}

/* Write the addresses of @assoc to @flow. Return false if @assoc has no peer. */
static bool find_flow(const struct dtls_sock *ds, const struct dtls_assoc *assoc,
		      struct dtls_flow *flow)
{
	const struct sock *sk = ds->sk;

	if (dtls_sock_number(ds, assoc))
		return dtls_table_get_flow(assoc, flow);
	if (READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		return false;
	flow->port = inet_sk(sk)->inet_dport;
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		flow->peer = sk->sk_v6_daddr;
		flow->local = inet6_sk(sk)->saddr;
		flow->scope = READ_ONCE(sk->sk_bound_dev_if);
		return true;
	}
#endif
	ipv6_addr_set_v4mapped(inet_sk(sk)->inet_daddr, &flow->peer);
	ipv6_addr_set_v4mapped(inet_sk(sk)->inet_saddr, &flow->local);
	return true;
}

/**
 * dtls_early_feed() - take a datagram back that was read before the attach
 * @ds:		socket
 * @assoc:	the association that the datagram belongs to
 * @data:	the user's option
 * @offset:	where in @data the datagram begins
 * @len:	bytes of the datagram
 *
 * The datagram is charged to the receive buffer. Sleeps.
 *
 * Return: 0; -ENOTCONN if @assoc has no peer; -ENOENT if @assoc was just deleted;
 * -EINVAL if @len is 0; -EMSGSIZE if the datagram is longer than UDP's can be;
 * -ENOMEM; -EFAULT; or -ENOBUFS if the receive buffer is full.
 */
int dtls_early_feed(struct dtls_sock *ds, struct dtls_assoc *assoc,
		    sockptr_t data, size_t offset, unsigned int len)
{
	unsigned int head = sizeof(struct ipv6hdr) + sizeof(struct udphdr);
	struct sock *sk = ds->sk;
	struct dtls_flow flow;
	struct dtls_msg *m;
	int err;

	if (!find_flow(ds, assoc, &flow))
		return -ENOTCONN;
	if (!len)
		return -EINVAL;
	if (len > USHRT_MAX)
		return -EMSGSIZE;

	m = dtls_msg_alloc(assoc, 0, head + len);
	if (!m)
		return -ENOMEM;
	feed_headers(sk, &flow, m->skb);
	m->skb->ip_summed = CHECKSUM_UNNECESSARY;
	/*
	 * The connection ID may have been in the datagram's first record,
	 * which the library has taken. It counts for the other records, too
	 * (RFC 9147 4).
	 */
	m->has_cid = true;
	err = -EFAULT;
	if (copy_from_sockptr_offset(skb_put(m->skb, len), data, offset,
				     len))
		goto out;
	err = -ENOBUFS;
	if (!has_room(ds, m) ||
	    !dtls_msg_hold(ds, m->skb, DTLS_CHARGE_RECEIVED))
		goto out;

	spin_lock(&ds->lock);
	err = rcu_access_pointer(assoc->home) == ds ? 0 : -ENOENT;
	if (!err)
		list_add_tail(&m->list, &ds->pending);
	spin_unlock(&ds->lock);
	if (err)
		goto out;
	dtls_wait_wake(sk);
	return 0;
out:
	dtls_msg_put(ds, m);
	return err;
}
