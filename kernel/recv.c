// SPDX-License-Identifier: GPL-2.0
/*
 * Readers: recvmsg for data, for peeking and for control records, and the wait
 * they share. What a record is and whether it may be read, rx.c decides.
 */
#include <linux/udp.h>
#include <net/ip.h>
#include <net/transp_v6.h>
#include <net/udp.h>

#include "compat.h"
#include "dtls.h"

static struct dtls_msg *take_ready(struct dtls_sock *ds)
{
	struct dtls_msg *m;

	if (list_empty(&ds->ready))
		return NULL;
	spin_lock(&ds->lock);
	m = list_first_entry_or_null(&ds->ready, struct dtls_msg, list);
	if (m)
		list_del(&m->list);
	spin_unlock(&ds->lock);
	return m;
}

/* The ready record at @off bytes, with a reference; @off becomes one into it */
static struct dtls_msg *peek_ready(struct dtls_sock *ds, int *off)
{
	struct dtls_msg *m;
	int skip = *off;

	spin_lock(&ds->lock);
	list_for_each_entry(m, &ds->ready, list) {
		if (skip < m->len) {
			refcount_inc(&m->refs);
			spin_unlock(&ds->lock);
			*off = skip;
			return m;
		}
		skip -= m->len;
	}
	spin_unlock(&ds->lock);
	return NULL;
}

#if IS_ENABLED(CONFIG_IPV6)
/*
 * An IPv6 socket that is not connected yet is sent raw records by IPv4, too.
 * Addresses are mapped ones then, IPV6_PKTINFO's as well.
 */
static void put_mapped(struct sock *sk, struct msghdr *msg, struct sk_buff *skb)
{
	DECLARE_SOCKADDR(struct sockaddr_in6 *, sin6, msg->msg_name);
	struct in6_pktinfo info = {};

	if (sin6) {
		*sin6 = (struct sockaddr_in6) {
			.sin6_family = AF_INET6,
			.sin6_port = udp_hdr(skb)->source,
		};
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &sin6->sin6_addr);
		msg->msg_namelen = sizeof(*sin6);
	}
	if (inet6_sk(sk)->rxopt.bits.rxinfo) {
		info.ipi6_ifindex = PKTINFO_SKB_CB(skb)->ipi_ifindex;
		ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, &info.ipi6_addr);
		put_cmsg(msg, SOL_IPV6, IPV6_PKTINFO, sizeof(info), &info);
	}
}
#endif

/* Peer's address and ancillary data, as plain UDP gives them */
static void put_ancillary(struct sock *sk, struct msghdr *msg,
			  struct sk_buff *skb)
{
	sock_recv_cmsgs(msg, sk, skb);

	if (skb->protocol == htons(ETH_P_IP)) {
		DECLARE_SOCKADDR(struct sockaddr_in *, sin, msg->msg_name);

#if IS_ENABLED(CONFIG_IPV6)
		if (sk->sk_family == AF_INET6)
			put_mapped(sk, msg, skb);
#endif
		if (sin && sk->sk_family == AF_INET) {
			sin->sin_family = AF_INET;
			sin->sin_port = udp_hdr(skb)->source;
			sin->sin_addr.s_addr = ip_hdr(skb)->saddr;
			memset(sin->sin_zero, 0, sizeof(sin->sin_zero));
			msg->msg_namelen = sizeof(*sin);
			dtls_cgroup_recvmsg(sk, (struct sockaddr *)sin,
					    &msg->msg_namelen);
		}
		if (dtls_inet_cmsg_flags(sk))
			ip_cmsg_recv_offset(msg, sk, skb,
					    sizeof(struct udphdr), 0);
		return;
	}

#if IS_ENABLED(CONFIG_IPV6)
	if (msg->msg_name) {
		DECLARE_SOCKADDR(struct sockaddr_in6 *, sin6, msg->msg_name);

		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = udp_hdr(skb)->source;
		sin6->sin6_flowinfo = 0;
		sin6->sin6_addr = ipv6_hdr(skb)->saddr;
		sin6->sin6_scope_id = ipv6_iface_scope_id(&sin6->sin6_addr,
							  inet6_iif(skb));
		msg->msg_namelen = sizeof(*sin6);
		dtls_cgroup_recvmsg(sk, (struct sockaddr *)sin6,
				    &msg->msg_namelen);
	}
	if (inet6_sk(sk)->rxopt.all)
		ip6_datagram_recv_ctl(sk, msg, skb);
#endif
}

/* RFC 8446 8: who reads early data must be able to tell that it is. */
static void put_replayable(struct msghdr *msg, struct dtls_record_info *info)
{
	if (info->flags & DTLS_RECORD_REPLAYABLE)
		put_cmsg(msg, SOL_DTLS, DTLS_RECORD_INFO, sizeof(*info), info);
}

/* How many of @have bytes the user's @len take */
static unsigned int fit(struct msghdr *msg, size_t len, unsigned int have)
{
	if (have <= len)
		return have;
	msg->msg_flags |= MSG_TRUNC;
	return len;
}

/*
 * To the user from a scratch, which is whole pages: copy_to_iter() would first
 * look for a stack or a slab.
 */
static bool copy_out(struct msghdr *msg, const u8 *from, size_t len)
{
	return dtls_copy_page_to_iter(virt_to_page(from), offset_in_page(from),
				      len, &msg->msg_iter) == len;
}

/* Copy the record just opened to the user. Returns what recv returns. */
static int deliver(struct sock *sk, struct msghdr *msg, size_t len, int flags,
		   const struct dtls_opened *o)
{
	unsigned int copied = fit(msg, len, o->len);

	if (!copy_out(msg, o->content, copied))
		return -EFAULT;
	sk_peek_offset_bwd(sk, o->len);
	return flags & MSG_TRUNC ? o->len : copied;
}

/* Likewise one that was opened before, from @off on */
static int deliver_msg(struct sock *sk, struct msghdr *msg, size_t len,
		       int flags, const struct dtls_msg *m, int off)
{
	unsigned int copied = fit(msg, len, m->len - off);

	if (copy_to_iter(m->data + off, copied, &msg->msg_iter) != copied)
		return -EFAULT;
	if (flags & MSG_PEEK)
		sk_peek_offset_fwd(sk, copied);
	else
		sk_peek_offset_bwd(sk, m->len);
	return flags & MSG_TRUNC ? m->len : copied;
}

/*
 * Give the user what of @rx may follow a record of @size bytes, in as few
 * copies as it lies in pieces. Returns records delivered, or -EFAULT; @last is
 * set if no more may follow.
 */
static int deliver_run(struct dtls_sock *ds, struct msghdr *msg,
		       const struct dtls_rx *rx, int size, int *copied,
		       bool *last)
{
	const struct dtls_opened *o = rx->opened, *end = o + rx->n, *next;
	int more = 0, piece;

	for (; o < end; o = next) {
		next = o + 1;
		if (o->verdict == DTLS_RX_CONTROL)
			dtls_rx_control(ds, rx, o - rx->opened);
		else if (o->verdict < 0)
			*last = true;
		if (o->verdict != DTLS_RX_DATA)
			continue;
		if (*last || o->len > size) {
			/* Less padding inside: it starts a new one. */
			dtls_rx_ready(ds, rx, o - rx->opened);
			*last = true;
			continue;
		}
		*last = o->len < size;
		piece = o->len;
		while (next < end && piece >= size &&
		       next->verdict == DTLS_RX_DATA && next->len == size &&
		       next->content == o->content + piece) {
			piece += size;
			next++;
		}
		if (!copy_out(msg, o->content, piece))
			return -EFAULT;
		sk_peek_offset_bwd(ds->sk, piece);
		*copied += piece;
		more += next - o;
	}
	return more;
}

/*
 * After a record with header @first, of @size bytes, was delivered out of
 * datagram @dgram: more of its kind behind it. Returns bytes.
 */
static int deliver_coalesced(struct dtls_sock *ds, struct msghdr *msg,
			     size_t room, u64 dgram,
			     const struct dtls_record *first, int size,
			     struct dtls_scratch *scratch)
{
	struct dtls_rx *rx = &scratch->rx[1];
	int copied = 0, more = 0, ret;
	bool last = false;

	while (!last) {
		unsigned int max = min_t(size_t, (room - copied) / size,
					 UDP_MAX_SEGMENTS - 1 - more);

		if (!max || !dtls_rx_coalesced(ds, dgram, first, rx,
					       min(max, DTLS_RUN_MAX)))
			break;
		dtls_rx_open(ds, rx, scratch);
		ret = deliver_run(ds, msg, rx, size, &copied, &last);
		dtls_rx_put(ds, rx);
		if (ret < 0)
			break;
		more += ret;
	}
	if (copied)
		put_cmsg(msg, SOL_UDP, UDP_GRO, sizeof(size), &size);
	return copied;
}

/* Open the next application record straight for the user. */
static int recv_next(struct dtls_sock *ds, struct msghdr *msg, size_t len,
		     int flags, unsigned int *budget)
{
	struct dtls_scratch *scratch = dtls_scratch_get(true);
	struct dtls_record_info info;
	struct dtls_opened *o;
	struct dtls_rx *rx;
	int ret, verdict;

	if (!scratch)
		return -ENOMEM;
	rx = scratch->rx;
	o = rx->opened;
	for (;;) {
		ret = dtls_rx_next(ds, rx, budget);
		if (ret == -ERESTART) {
			cond_resched();
			ret = -EAGAIN;
			if (signal_pending(current))
				break;
			continue;
		}
		if (ret)
			break;
		dtls_rx_open(ds, rx, scratch);
		verdict = o->verdict;
		if (verdict == DTLS_RX_DATA) {
			ret = deliver(ds->sk, msg, len, flags, o);
			if (ret >= 0) {
				if (dtls_rx_replayable(rx)) {
					dtls_rx_info(rx, 0, &info);
					put_replayable(msg, &info);
				}
				put_ancillary(ds->sk, msg, rx->skb);
			}
			if (ret == o->len && o->len <= len &&
			    READ_ONCE(ds->user_gro))
				ret += deliver_coalesced(ds, msg, len - ret,
							 rx->dgram, &rx->rec,
							 o->len, scratch);
		} else if (verdict == DTLS_RX_CONTROL) {
			dtls_rx_control(ds, rx, 0);
		}
		dtls_rx_put(ds, rx);
		if (verdict < 0)
			ret = verdict;
		if (verdict < 0 || verdict == DTLS_RX_DATA)
			break;
		cond_resched();
		if (signal_pending(current)) {
			ret = -EAGAIN;	/* wait_for_more() says which */
			break;
		}
	}
	dtls_scratch_put(scratch);
	return ret;
}

static bool peer_closed(struct dtls_sock *ds)
{
	struct dtls_assoc *assoc = dtls_sock_assoc(ds);

	return assoc && READ_ONCE(assoc->eof);
}

static bool shut_down(struct dtls_sock *ds)
{
	return READ_ONCE(ds->sk->sk_shutdown) & RCV_SHUTDOWN;
}

/*
 * Having found nothing: wait until a look is worth while, by the @awaited queue
 * (if any) or what may put something there. Not UDP's wait: keys, leftovers,
 * records found by poll and the end of file must end it too. Exclusive, so that
 * a datagram wakes one reader; see dtls_rx_wake_next().
 */
static int wait_for_more(struct dtls_sock *ds, int flags, long *timeo,
			 const struct list_head *awaited)
{
	struct sock *sk = ds->sk;
	DEFINE_WAIT(wait);
	int err = 0;

	if (flags & MSG_DONTWAIT)
		return -EAGAIN;

	atomic_inc(&ds->waiting);
	prepare_to_wait_exclusive(sk_sleep(sk), &wait, TASK_INTERRUPTIBLE);
	if (signal_pending(current))
		err = sock_intr_errno(*timeo);
	else if (dtls_rx_unread(ds) || (awaited && !list_empty(awaited)) ||
		 READ_ONCE(sk->sk_err) || shut_down(ds) ||
		 (awaited != &ds->control && peer_closed(ds)))
		;
	else if (!*timeo)
		err = -EAGAIN;
	else
		*timeo = schedule_timeout(*timeo);
	finish_wait(sk_sleep(sk), &wait);
	atomic_dec(&ds->waiting);
	return err;
}

static int recv_control(struct dtls_sock *ds, struct msghdr *msg, size_t len,
			int flags, long timeo)
{
	struct sock *sk = ds->sk;
	struct dtls_msg *m;
	unsigned int copied;
	int err;

	for (;;) {
		m = dtls_control_take(ds, flags & MSG_PEEK);
		if (m)
			break;
		err = sock_error(sk);
		if (!err && dtls_rx_unread(ds))
			err = dtls_rx_fill(ds, true);
		if (!list_empty(&ds->control))
			continue;
		if (err && err != -EAGAIN)
			return err;
		if (shut_down(ds))
			return 0;
		err = wait_for_more(ds, flags, &timeo, &ds->control);
		if (err)
			return err;
	}

	copied = fit(msg, len, m->len);
	msg->msg_flags |= MSG_OOB;
	if (copy_to_iter(m->data, copied, &msg->msg_iter) != copied) {
		err = -EFAULT;
	} else {
		err = flags & MSG_TRUNC ? m->len : copied;
		put_cmsg(msg, SOL_DTLS, DTLS_RECORD_INFO, sizeof(m->info),
			 &m->info);
		if (!(m->info.flags & DTLS_RECORD_EVENT))
			put_ancillary(sk, msg, m->skb);
	}
	dtls_msg_put(ds, m);
	return err;
}

static int recv_peek(struct dtls_sock *ds, struct msghdr *msg, size_t len,
		     int flags, long timeo)
{
	struct sock *sk = ds->sk;
	struct dtls_msg *m;
	int err, off;

	for (;;) {
		err = sock_error(sk);
		if (err)
			return err;
		off = max(sk_peek_offset(sk, flags), 0);	/* -1: not asked for */
		m = peek_ready(ds, &off);
		if (m)
			break;
		if (peer_closed(ds))
			return 0;
		err = dtls_rx_fill(ds, false);
		if (!err)
			continue;
		if (err != -EAGAIN)
			return err;
		if (shut_down(ds))
			return 0;
		err = wait_for_more(ds, flags, &timeo, off ? NULL : &ds->ready);
		if (err)
			return err;
	}
	err = deliver_msg(sk, msg, len, flags, m, off);
	if (err >= 0) {
		put_replayable(msg, &m->info);
		put_ancillary(sk, msg, m->skb);
	}
	dtls_msg_put(ds, m);
	return err;
}

/* A record that poll or a peek had opened, and what may come with it */
static int recv_ready(struct dtls_sock *ds, struct msghdr *msg, size_t len,
		      int flags, struct dtls_msg *m)
{
	struct dtls_scratch *scratch;
	int ret;

	ret = deliver_msg(ds->sk, msg, len, flags, m, 0);
	if (ret < 0)
		return ret;
	put_replayable(msg, &m->info);
	put_ancillary(ds->sk, msg, m->skb);
	if (m->len > len || !READ_ONCE(ds->user_gro) ||
	    !list_empty(&ds->ready))
		return ret;
	scratch = dtls_scratch_get(true);
	if (scratch) {
		ret += deliver_coalesced(ds, msg, len - ret, m->dgram, &m->rec,
					 m->len, scratch);
		dtls_scratch_put(scratch);
	}
	return ret;
}

static int recv_data(struct dtls_sock *ds, struct msghdr *msg, size_t len,
		     int flags, long timeo)
{
	struct sock *sk = ds->sk;
	unsigned int budget;
	struct dtls_msg *m;
	int ret;

	for (;;) {
		ret = sock_error(sk);
		if (ret)
			return ret;

		m = take_ready(ds);
		if (m) {
			ret = recv_ready(ds, msg, len, flags, m);
			dtls_msg_put(ds, m);
			return ret;
		}
		if (peer_closed(ds))
			return 0;

		ret = -EAGAIN;
		if (dtls_rx_unread(ds)) {
			budget = flags & MSG_DONTWAIT ? dtls_rx_queued(ds) :
							UINT_MAX;
			ret = recv_next(ds, msg, len, flags, &budget);
		}
		if (ret != -EAGAIN)
			return ret;
		/* The last record looked at may have been the peer's goodbye. */
		if (list_empty(&ds->ready) && (peer_closed(ds) || shut_down(ds)))
			return 0;
		ret = wait_for_more(ds, flags, &timeo, &ds->ready);
		if (ret)
			return ret;
	}
}

/*
 * struct proto's recvmsg. Application records; with MSG_OOB control records;
 * with MSG_ERRQUEUE what plain UDP has there. Never anything that was not
 * verified, except raw control records, which say so.
 */
int dtls_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	struct dtls_sock *ds = dtls_sk(sk);
	long timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	int ret;

	if (flags & MSG_ERRQUEUE)
		return dtls_base_recvmsg(ds->base, sk, msg, len, flags);

	if (unlikely(ds->gro && rcu_access_pointer(sk->sk_filter)))
		dtls_rx_key(ds);

	if (flags & MSG_OOB)
		ret = recv_control(ds, msg, len, flags, timeo);
	else if (flags & MSG_PEEK)
		ret = recv_peek(ds, msg, len, flags, timeo);
	else
		ret = recv_data(ds, msg, len, flags, timeo);

	dtls_rx_wake_next(ds);
	return ret;
}

/* FIONREAD: bytes of the next application record. Sleeps. */
int dtls_rx_inq(struct sock *sk, int *bytes)
{
	struct dtls_sock *ds = dtls_sk(sk);
	struct dtls_msg *m;
	int off = 0;

	*bytes = 0;
	if (dtls_rx_poll(ds)) {
		m = peek_ready(ds, &off);
		if (m)
			*bytes = m->len;
		dtls_msg_put(ds, m);
	}
	return 0;
}
