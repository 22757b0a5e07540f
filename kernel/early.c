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
#include "wait.h"

/* Take @m out of its queue, dtls_sock.early or dtls_sock.pending. */
static void unlink_kept(struct dtls_sock *ds, struct dtls_msg *m)
{
	lockdep_assert_held(&ds->lock);
	list_del(&m->list);
	ds->early_bytes -= m->early;
}

/*
 * Take the oldest message out of dtls_sock.pending, which is not empty. The
 * caller holds the socket's spin lock. Return the message, whose skb the caller
 * takes over.
 */
struct dtls_msg *dtls_early_take(struct dtls_sock *ds)
{
	struct dtls_msg *m = list_first_entry(&ds->pending, struct dtls_msg,
					      list);

	unlink_kept(ds, m);
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

/* Drop early record @m, for which there is no room. */
static void drop_early(struct dtls_sock *ds, struct dtls_msg *m)
{
	unlink_kept(ds, m);
	dtls_msg_put(ds, m);
	dtls_stats_count(ds, DTLS_COUNT_RX_NO_BUDGET);
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
 * Make room for @bytes in the budget by dropping the oldest records whose key
 * has not come. One record always fits. Return: false if there is no room:
 * records whose key has come use it, and are not dropped.
 */
static bool make_room(struct dtls_sock *ds, unsigned int bytes)
{
	lockdep_assert_held(&ds->lock);
	drop_aged(ds);
	while (ds->early_bytes + bytes > early_budget(ds) &&
	       !list_empty(&ds->early))
		drop_early(ds, list_first_entry(&ds->early, struct dtls_msg,
						list));
	return !ds->early_bytes ||
	       ds->early_bytes + bytes <= early_budget(ds);
}

/* Do the same as make_room(), and take the lock for it. */
static bool make_room_early(struct dtls_sock *ds, unsigned int bytes)
{
	bool room;

	spin_lock(&ds->lock);
	room = make_room(ds, bytes);
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
	newest = dtls_assoc_newest_rx(dtls_sock_assoc(ds));
	kept = make_room(ds, m->skb->truesize) &&
	       dtls_msg_hold(ds, m->skb, DTLS_CHARGE_ASIDE);
	if (kept) {
		m->early = m->skb->truesize;
		ds->early_bytes += m->early;
		list_add_tail(&m->list, newest >= epoch ? &ds->pending :
							  &ds->early);
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

	if (make_room_early(ds, SKB_TRUESIZE(sizeof(*m) + len)))
		m = dtls_msg_new(rx->skb, len);
	if (!m || skb_copy_bits(rx->skb, rx->offset, m->data, len))
		goto drop;
	m->has_cid = rx->has_cid;
	m->since = jiffies;
	if (queue_early(ds, m, rx->rec.epoch))
		return;
drop:
	dtls_msg_put(ds, m);
	dtls_stats_count(ds, DTLS_COUNT_RX_NO_BUDGET);
}

/*
 * Let all early records try again, as a read key has come; have UDP coalesce
 * datagrams, unless a socket filter would see that; and wake every waiter.
 * Called when a socket filter came, too. Sleeps.
 */
void dtls_early_new_key(struct dtls_sock *ds)
{
	struct sock *sk = ds->sk;
	int gro = !rcu_access_pointer(sk->sk_filter);

	if (gro != ds->gro &&
	    !ds->base->setsockopt(sk, SOL_UDP, UDP_GRO, KERNEL_SOCKPTR(&gro),
				  sizeof(gro)))
		ds->gro = gro;

	spin_lock(&ds->lock);
	drop_aged(ds);
	list_splice_tail_init(&ds->early, &ds->pending);
	spin_unlock(&ds->lock);
	dtls_wait_wake(sk);
}

/*
 * Write IP and UDP headers to @skb, which is empty, as the datagram had them
 * that DTLS_FEED gives back: recvmsg() reads the peer's address from them.
 */
static void feed_headers(struct sock *sk, struct sk_buff *skb)
{
	const struct inet_sock *inet = inet_sk(sk);
	struct udphdr *uh;

	skb_reset_network_header(skb);
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		struct ipv6hdr *ip6 = skb_put_zero(skb, sizeof(*ip6));

		ip6->version = 6;
		ip6->saddr = sk->sk_v6_daddr;
		ip6->daddr = inet6_sk(sk)->saddr;
		skb->protocol = htons(ETH_P_IPV6);
	}
#endif
	if (sk->sk_family == AF_INET) {
		struct iphdr *ip = skb_put_zero(skb, sizeof(*ip));

		ip->version = 4;
		ip->ihl = sizeof(*ip) / 4;
		ip->saddr = inet->inet_daddr;
		ip->daddr = inet->inet_saddr;
		skb->protocol = htons(ETH_P_IP);
	}
	skb_set_transport_header(skb, skb->len);
	uh = skb_put_zero(skb, sizeof(*uh));
	uh->source = inet->inet_dport;
	uh->dest = inet->inet_sport;
	skb_pull(skb, skb->len);
}

/**
 * dtls_early_feed() - take a datagram back that was read before the attach
 * @ds:		socket
 * @data:	the user's option
 * @offset:	where in @data the datagram begins
 * @len:	bytes of the datagram
 *
 * The datagram is charged to the receive buffer. Sleeps.
 *
 * Return: 0, -ENOTCONN, -EINVAL (@len is 0), -EMSGSIZE, -ENOMEM, -EFAULT, or
 * -ENOBUFS (the receive buffer is full).
 */
int dtls_early_feed(struct dtls_sock *ds, sockptr_t data, size_t offset,
		    unsigned int len)
{
	unsigned int head = sizeof(struct ipv6hdr) + sizeof(struct udphdr);
	struct sock *sk = ds->sk;
	struct dtls_msg *m;
	int err;

	if (READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		return -ENOTCONN;
	if (!len)
		return -EINVAL;
	if (len > USHRT_MAX)
		return -EMSGSIZE;

	m = dtls_msg_alloc(0, head + len);
	if (!m)
		return -ENOMEM;
	feed_headers(sk, m->skb);
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
	list_add_tail(&m->list, &ds->pending);
	spin_unlock(&ds->lock);
	dtls_wait_wake(sk);
	return 0;
out:
	dtls_msg_put(ds, m);
	return err;
}
