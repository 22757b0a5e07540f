// SPDX-License-Identifier: GPL-2.0
/*
 * What waits for a key: records that came before their key, and datagrams that
 * were read before the attach and are given back.
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

/* Take @m out of the early records or those whose key has come. */
static void unlink_kept(struct dtls_sock *ds, struct dtls_msg *m)
{
	lockdep_assert_held(&ds->lock);
	list_del(&m->list);
	ds->early_bytes -= m->early;
}

/* The next one of those whose key has come; there is one. */
struct dtls_msg *dtls_early_take(struct dtls_sock *ds)
{
	struct dtls_msg *m = list_first_entry(&ds->pending, struct dtls_msg,
					      list);

	unlink_kept(ds, m);
	return m;
}

/*
 * Memory for records that came before their key, beside the receive buffer: at
 * a key change as many wait as the peer sends before the key is here. Half the
 * usual buffer takes some 80 short records.
 */
static unsigned int early_budget(const struct dtls_sock *ds)
{
	return (unsigned int)READ_ONCE(ds->sk->sk_rcvbuf) / 2;
}

static void drop_early(struct dtls_sock *ds, struct dtls_msg *m)
{
	unlink_kept(ds, m);
	dtls_msg_put(ds, m);
	dtls_stats_count(ds, DTLS_COUNT_RX_NO_BUDGET);
}

/*
 * The flight that brings a key is sent again after a minute at most (RFC 6347
 * 4.2.4.1, RFC 9147 5.8.2). A record that waited for longer waits for a key that
 * will not come.
 */
#define EARLY_AGE_MAX	(60 * HZ)

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
 * Make room for @bytes in the budget of early records by dropping the oldest of
 * those whose key has not come. Return: false if that does not suffice. One
 * record always fits.
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

static bool make_room_early(struct dtls_sock *ds, unsigned int bytes)
{
	bool room;

	spin_lock(&ds->lock);
	room = make_room(ds, bytes);
	spin_unlock(&ds->lock);
	return room;
}

/* Charge @m and let it wait for the key of @epoch, which may be here by now. */
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

/* Keep a record whose key is still to come, within a budget. Sleeps. */
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
 * A read key came, or a socket filter: let the early records try again, and
 * have UDP coalesce datagrams for us unless a filter would see that.
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

/* The headers the datagram had, for those who ask whence it came. */
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

/*
 * A datagram that was read before the attach comes back: the @len bytes at
 * @offset of @data. Sleeps.
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
	m->has_cid = true;	/* if not here, in what the library took off it */
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
