// SPDX-License-Identifier: GPL-2.0
/*
 * What waits for a key: records that came before their key, and datagrams that
 * were read before the attach and are given back with DTLS_FEED. Both go to
 * dtls_sock.pending when their key has come, from where the intake takes them
 * before it looks into UDP's queue.
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

/* Take the memory of @m, which leaves its queue, out of the budget. */
static void uncount_early(struct dtls_sock *ds, struct dtls_msg *m)
{
	lockdep_assert_held(&ds->lock);
	m->assoc->early_bytes -= m->early;
	ds->early_bytes -= m->early;
}

/*
 * Take the oldest message out of dtls_sock.pending, which is not empty. The
 * caller holds the socket's spin lock. Return the message, whose skb and whose
 * reference to the association the caller takes over.
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
 * Return the budget of early records, which does not count against the receive
 * buffer. At a key change as many records come early as the peer sends before
 * the key is here. Half of the usual receive buffer holds about 80 short
 * records.
 */
static unsigned int early_budget(const struct dtls_sock *ds)
{
	return (unsigned int)READ_ONCE(ds->sk->sk_rcvbuf) / 2;
}

/*
 * Return how many bytes of early records @assoc may have. A socket with many
 * associations gives each as much as is still free: one that fills its share
 * leaves as much for the others, and a second one that does so half of that.
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

/* Drop early record @m, for which there is no room. */
static void drop_early(struct dtls_sock *ds, struct dtls_msg *m)
{
	list_del(&m->list);
	list_del(&m->own);
	uncount_early(ds, m);
	dtls_stats_count(ds, m->assoc, DTLS_COUNT_RX_NO_BUDGET);
	dtls_msg_put(ds, m);
}

/*
 * A record waits for its key as long as this. A peer sends the flight that
 * brings the key again after a minute at most (RFC 6347 4.2.4.1, RFC 9147
 * 5.8.2), so a key that has not come by then will not come.
 */
#define EARLY_AGE_MAX	(60 * HZ)

/* Drop the early records whose time is over. */
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
 * Make room for a record of @assoc of @bytes by dropping the oldest records whose
 * key has not come: those of @assoc itself until it keeps to its share, then those
 * of all. One record always fits. Return: false if there is no room: records whose
 * key has come use it, and are not dropped.
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

/* Do the same as make_room(), and take the lock for it. */
static bool make_room_early(struct dtls_sock *ds, struct dtls_assoc *assoc,
			    unsigned int bytes)
{
	bool room;

	spin_lock(&ds->lock);
	room = make_room(ds, assoc, bytes);
	spin_unlock(&ds->lock);
	return room;
}

/*
 * Charge @m and let it wait for the key of @epoch. If that key came meanwhile,
 * the record need not wait. Return: false if there is no room.
 */
static bool queue_early(struct dtls_sock *ds, struct dtls_msg *m, u64 epoch)
{
	u64 newest;
	bool kept;

	spin_lock(&ds->lock);
	newest = dtls_assoc_newest_rx(m->assoc);
	kept = !m->assoc->dead && make_room(ds, m->assoc, m->skb->truesize) &&
	       dtls_msg_hold(ds, m->skb, DTLS_CHARGE_ASIDE);
	if (kept) {
		m->early = m->skb->truesize;
		m->assoc->early_bytes += m->early;
		ds->early_bytes += m->early;
		if (newest >= epoch) {
			list_add_tail(&m->list, &ds->pending);
		} else {
			list_add_tail(&m->list, &ds->early);
			list_add_tail(&m->own, &m->assoc->early);
		}
	}
	spin_unlock(&ds->lock);
	return kept;
}

/*
 * Keep the record of @rx, whose key is still to come, or drop it if the budget
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
 * Have UDP coalesce datagrams, unless a socket filter would see that. Called when
 * a key came, and when a socket filter came. Sleeps.
 */
void dtls_early_set_gro(struct dtls_sock *ds)
{
	struct sock *sk = ds->sk;
	int gro = !rcu_access_pointer(sk->sk_filter);

	if (gro != ds->gro &&
	    !ds->base->setsockopt(sk, SOL_UDP, UDP_GRO, KERNEL_SOCKPTR(&gro),
				  sizeof(gro)))
		ds->gro = gro;
}

/*
 * Let the early records of @assoc try again, as a read key has come, and wake
 * every waiter. Sleeps.
 */
void dtls_early_new_key(struct dtls_sock *ds, struct dtls_assoc *assoc)
{
	struct dtls_msg *m, *next;

	dtls_early_set_gro(ds);
	spin_lock(&ds->lock);
	drop_aged(ds);
	list_for_each_entry_safe(m, next, &assoc->early, own) {
		list_del(&m->own);
		list_move_tail(&m->list, &ds->pending);
	}
	spin_unlock(&ds->lock);
	dtls_wait_wake(ds->sk);
}

/*
 * Move what waits of @assoc, which is dead, to @gone. The caller holds the socket's
 * spin lock, and purges @gone without it.
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
 * Write IP and UDP headers to @skb, which is empty, as the datagram had them
 * that DTLS_FEED gives back: recvmsg() reads the peer's address from them.
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

/* Write the addresses of @assoc to @flow. Return false if it has no peer. */
static bool find_flow(const struct dtls_sock *ds, const struct dtls_assoc *assoc,
		      struct dtls_flow *flow)
{
	const struct sock *sk = ds->sk;

	if (assoc->id)
		return dtls_table_get_flow(assoc, flow);
	if (READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		return false;
	flow->port = inet_sk(sk)->inet_dport;
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		flow->peer = sk->sk_v6_daddr;
		flow->local = inet6_sk(sk)->saddr;
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
 * Return: 0, -ENOTCONN, -ENOENT (@assoc was just deleted), -EINVAL (@len is 0),
 * -EMSGSIZE, -ENOMEM, -EFAULT, or -ENOBUFS (the receive buffer is full).
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
	 * A datagram without a connection ID had it in a record that the
	 * library took.
	 */
	m->has_cid = true;
	err = -EFAULT;
	if (copy_from_sockptr_offset(skb_put(m->skb, len), data, offset,
				     len))
		goto out;
	err = -ENOBUFS;
	if (atomic_read(&sk->sk_rmem_alloc) + m->skb->truesize >
	    READ_ONCE(sk->sk_rcvbuf) ||
	    !dtls_msg_hold(ds, m->skb, DTLS_CHARGE_RECEIVED))
		goto out;

	spin_lock(&ds->lock);
	err = assoc->dead ? -ENOENT : 0;
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
