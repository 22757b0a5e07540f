// SPDX-License-Identifier: GPL-2.0
/*
 * Readers: recvmsg for data, for peeking and for control records, and poll.
 * What a record is and whether it may be read, rx.c decides; wait.c has the
 * wait.
 *
 * A buffer that cannot be written costs the application record that was to go
 * there, as with UDP, and no other record: what was taken in goes to its queue.
 */
#include <linux/sched/signal.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <linux/uio.h>
#include <net/ip.h>
#include <net/transp_v6.h>
#include <net/udp.h>

#include "compat.h"
#include "control.h"
#include "early.h"
#include "intake.h"
#include "msg.h"
#include "recvmsg.h"
#include "run.h"
#include "rx.h"
#include "scratch.h"
#include "sock.h"
#include "wait.h"

/**
 * struct reader - a call of recvmsg
 * @ds:		socket
 * @msg:	what the user passed
 * @len:	bytes of room in @msg
 * @flags:	MSG_*
 * @budget:	datagrams that may still be taken in before signals and the
 *		deadline are looked at
 * @waiter:	for dtls_wait_sleep()
 */
struct reader {
	struct dtls_sock *ds;
	struct msghdr *msg;
	size_t len;
	int flags;
	unsigned int budget;
	struct dtls_waiter waiter;
};

/* What there is now. Of what comes later, its own wake-up tells. */
static unsigned int full_budget(struct dtls_sock *ds)
{
	/* The length may be read while a datagram goes from queue to queue. */
	return max(dtls_wait_queued(ds), 1U);
}

/**
 * struct chain - records of one coalesced datagram on their way
 *	to a user that asked for UDP_GRO
 * @dgram:	serial of the datagram
 * @first:	header of the first
 * @size:	bytes of the first; a shorter one is the last
 * @copied:	bytes of those after the first
 * @n:		how many these are
 * @last:	no more may follow
 */
struct chain {
	u64 dgram;
	const struct dtls_record *first;
	int size;
	int copied;
	unsigned int n;
	bool last;
};

/* ---- the ready queue ---- */

/*
 * Under the lock: the record just taken was the last before the end of file,
 * or it made room for a poller that had none.
 */
static bool taking_matters(struct dtls_sock *ds)
{
	bool matters = ds->turned_away;

	lockdep_assert_held(&ds->lock);
	ds->turned_away = false;
	if (list_empty(&ds->ready))
		matters |= dtls_wait_closed(ds) ||
			   READ_ONCE(ds->sk->sk_shutdown) & RCV_SHUTDOWN;
	return matters;
}

/* Return true if @m may follow the records of @chain. */
static bool may_follow(const struct dtls_msg *m, const struct chain *chain)
{
	return m->dgram == chain->dgram && m->rec.epoch == chain->first->epoch &&
	       m->len <= chain->size;
}

/* Do what take_ready() does; the queue is likely not to be empty. */
static noinline struct dtls_msg *take_oldest(struct dtls_sock *ds,
					     const struct chain *chain)
{
	struct dtls_msg *m;
	bool wake = false;

	spin_lock(&ds->lock);
	m = list_first_entry_or_null(&ds->ready, struct dtls_msg, list);
	if (m && chain && !may_follow(m, chain))
		m = NULL;
	if (m) {
		list_del(&m->list);
		WRITE_ONCE(ds->ready_bytes, ds->ready_bytes - m->skb->truesize);
		wake = taking_matters(ds);
	}
	spin_unlock(&ds->lock);
	if (unlikely(wake))
		dtls_wait_wake(ds->sk);
	return m;
}

/* The oldest ready record; with @chain only if it may follow there */
static struct dtls_msg *take_ready(struct dtls_sock *ds,
				   const struct chain *chain)
{
	return list_empty(&ds->ready) ? NULL : take_oldest(ds, chain);
}

/* @m was taken and could not be given to the user: it is the oldest again. */
static void put_back_ready(struct dtls_sock *ds, struct dtls_msg *m)
{
	dtls_rx_queue_ready(ds, m, true);
	dtls_wait_wake_one(ds->sk);
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

/*
 * Return true if another record may be opened that nobody will read at once,
 * and wake the caller when one may, if not.
 */
static bool has_room(struct dtls_sock *ds)
{
	unsigned int room = READ_ONCE(ds->sk->sk_rcvbuf);
	bool has;

	if (READ_ONCE(ds->ready_bytes) <= room)
		return true;
	spin_lock(&ds->lock);
	has = ds->ready_bytes <= room;
	if (!has)
		ds->turned_away = true;
	spin_unlock(&ds->lock);
	return has;
}

/* ---- to the user ---- */

#if IS_ENABLED(CONFIG_IPV6)
/*
 * An IPv6 socket that is not connected yet is sent raw records by IPv4, too.
 * Addresses are mapped ones then, IPV6_PKTINFO's as well.
 */
static noinline void put_mapped(struct sock *sk, struct msghdr *msg,
				struct sk_buff *skb)
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
		dtls_cgroup_recvmsg(sk, (struct sockaddr *)sin6,
				    &msg->msg_namelen);
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
static unsigned int fit_length(struct msghdr *msg, size_t len,
			       unsigned int have)
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
static int deliver_opened(struct reader *r, const struct dtls_opened *o)
{
	unsigned int copied = fit_length(r->msg, r->len, o->len);

	if (!copy_out(r->msg, o->content, copied))
		return -EFAULT;
	sk_peek_offset_bwd(r->ds->sk, o->len);
	return r->flags & MSG_TRUNC ? o->len : copied;
}

/* Likewise a record that was opened before, from @off on. */
static int deliver_msg(struct reader *r, const struct dtls_msg *m, int off)
{
	unsigned int copied = fit_length(r->msg, r->len, m->len - off);
	struct sock *sk = r->ds->sk;

	if (copy_to_iter(m->data + off, copied, &r->msg->msg_iter) != copied)
		return -EFAULT;
	if (r->flags & MSG_PEEK)
		sk_peek_offset_fwd(sk, copied);
	else
		sk_peek_offset_bwd(sk, m->len);
	return r->flags & MSG_TRUNC ? m->len : copied;
}

/* ---- several records of one coalesced datagram, for UDP_GRO ---- */

/* How many records of its size @chain may still get */
static unsigned int chain_room(const struct reader *r, const struct chain *chain)
{
	if (chain->last)
		return 0;
	return min_t(size_t, (r->len - chain->copied) / chain->size - 1,
		     UDP_MAX_SEGMENTS - 1 - chain->n);
}

/*
 * Give the user what of @rx may follow in @chain, in as few copies as it lies in
 * pieces, and keep the rest.
 */
static void chain_run(struct reader *r, struct chain *chain,
		      const struct dtls_run *rx)
{
	const struct dtls_opened *o = rx->opened, *end = o + rx->n, *next;
	int size = chain->size, piece;

	for (; o < end; o = next) {
		next = o + 1;
		if (o->verdict < 0)
			chain->last = true;
		/*
		 * A record with more content, which has less padding, cannot
		 * extend what UDP_GRO describes.
		 */
		if (o->verdict != DTLS_RX_DATA || chain->last ||
		    o->len > size) {
			dtls_rx_keep(r->ds, rx, o - rx->opened);
			chain->last |= o->verdict == DTLS_RX_DATA;
			continue;
		}
		chain->last = o->len < size;
		piece = o->len;
		while (next < end && piece >= size &&
		       next->verdict == DTLS_RX_DATA && next->len == size &&
		       next->content == o->content + piece) {
			piece += size;
			next++;
		}
		if (!copy_out(r->msg, o->content, piece)) {
			chain->last = true;
			next = o;
			continue;
		}
		sk_peek_offset_bwd(r->ds->sk, piece);
		chain->copied += piece;
		chain->n += next - o;
	}
}

/* What follows in the datagram and was not opened yet */
static void chain_received(struct reader *r, struct chain *chain,
			   struct dtls_scratch *scratch)
{
	struct dtls_run *rx = &scratch->rx[1];
	struct dtls_sock *ds = r->ds;
	unsigned int max;

	while ((max = chain_room(r, chain)) &&
	       dtls_intake_coalesced(ds, chain->dgram, chain->first, rx,
				     min(max, DTLS_RUN_MAX))) {
		dtls_rx_open(ds, rx, scratch);
		chain_run(r, chain, rx);
		dtls_wait_done(ds, rx);
	}
}

/* What follows in the datagram and was opened before */
static void chain_ready(struct reader *r, struct chain *chain)
{
	struct dtls_sock *ds = r->ds;
	struct dtls_msg *m;

	while (chain_room(r, chain) && (m = take_ready(ds, chain))) {
		if (copy_to_iter(m->data, m->len, &r->msg->msg_iter) != m->len) {
			put_back_ready(ds, m);
			break;
		}
		sk_peek_offset_bwd(ds->sk, m->len);
		chain->copied += m->len;
		chain->n++;
		chain->last = m->len < chain->size;
		dtls_msg_put(ds, m);
	}
}

/* Tell the user that it is more than one record. Returns their bytes. */
static int chain_end(struct reader *r, struct chain *chain)
{
	if (chain->n)
		put_cmsg(r->msg, SOL_UDP, UDP_GRO, sizeof(chain->size),
			 &chain->size);
	return chain->size + chain->copied;
}

/* Return true if more may follow a record of @size bytes, @ret delivered. */
static bool wants_chain(const struct reader *r, int size, int ret)
{
	return READ_ONCE(r->ds->user_gro) && ret == size && size <= r->len;
}

/* ---- looking at what was received ---- */

/* What was looked at was nothing to read: may the task look further? Sleeps. */
static bool go_on(void)
{
	cond_resched();
	return !fatal_signal_pending(current);
}

/*
 * Open the next record received, the first of @scratch's. Returns 0, and the
 * caller owes it dtls_wait_done(); -EAGAIN if there is nothing more; or another
 * error. Sleeps, and lets nothing but a fatal signal interrupt it: @budget is
 * its bound.
 */
static int open_next(struct dtls_sock *ds, struct dtls_scratch *scratch,
		     unsigned int *budget)
{
	int err;

	while ((err = dtls_intake_next(ds, scratch->rx, budget)) == -ERESTART)
		if (!go_on())
			return -EINTR;
	if (!err)
		dtls_rx_open(ds, scratch->rx, scratch);
	return err;
}

/*
 * give_following() gives the user what may come with the record of @size bytes
 * that was just opened. Returns what recv returns.
 */
static noinline int give_following(struct reader *r,
				   struct dtls_scratch *scratch, int size)
{
	struct chain chain = {
		.dgram = scratch->rx->dgram,
		.first = &scratch->rx->rec,
		.size = size,
	};

	chain_received(r, &chain, scratch);
	return chain_end(r, &chain);
}

/* tell_replayable() tells the user that the record just opened is early data. */
static noinline void tell_replayable(struct reader *r, const struct dtls_run *rx)
{
	struct dtls_record_info info;

	dtls_rx_info(rx, 0, &info);
	put_replayable(r->msg, &info);
}

/*
 * Give the user the application record that was just opened, and what may come
 * with it. Returns what recv returns.
 */
static int give_opened(struct reader *r, struct dtls_scratch *scratch)
{
	struct dtls_run *rx = scratch->rx;
	struct dtls_opened *o = rx->opened;
	struct dtls_sock *ds = r->ds;
	int ret;

	ret = deliver_opened(r, o);
	if (ret < 0)
		return ret;
	if (unlikely(dtls_run_replayable(rx)))
		tell_replayable(r, rx);
	put_ancillary(ds->sk, r->msg, rx->skb);
	if (wants_chain(r, o->len, ret))
		ret = give_following(r, scratch, ret);
	return ret;
}

/* Open the next application record straight for the user. */
static int read_received(struct reader *r)
{
	struct dtls_sock *ds = r->ds;
	struct dtls_scratch *scratch;
	struct dtls_run *rx;
	int ret, verdict;

	if (dtls_wait_nothing(ds))
		return -EAGAIN;
	scratch = dtls_scratch_get(true);
	if (!scratch)
		return -ENOMEM;
	rx = scratch->rx;
	do {
		ret = open_next(ds, scratch, &r->budget);
		if (ret)
			break;
		verdict = rx->opened[0].verdict;
		if (verdict == DTLS_RX_DATA)
			ret = give_opened(r, scratch);
		else if (verdict < 0)
			ret = verdict;
		else
			dtls_rx_keep(ds, rx, 0);
		dtls_wait_done(ds, rx);
		if (verdict < 0 || verdict == DTLS_RX_DATA)
			break;
		ret = -EINTR;
	} while (go_on());
	dtls_scratch_put(scratch);
	return ret;
}

/*
 * Open what was received and keep it, until an application record is ready or,
 * with @control, a control record is: 0; or there is nothing more: -EAGAIN.
 * Data that is kept on the way to what the caller looks for needs room; without
 * it -ENOBUFS, and likewise if a record was dropped for want of memory.
 */
static int fill_queue(struct dtls_sock *ds, bool control, unsigned int *budget)
{
	struct dtls_scratch *scratch;
	struct dtls_run *rx;
	int err;

	if (dtls_wait_nothing(ds))
		return -EAGAIN;
	scratch = dtls_scratch_get(true);
	if (!scratch)
		return -ENOMEM;
	rx = scratch->rx;
	do {
		err = has_room(ds) ? open_next(ds, scratch, budget) : -ENOBUFS;
		if (err)
			break;
		err = dtls_rx_keep(ds, rx, 0);
		dtls_wait_done(ds, rx);
		if (err || (control ? !list_empty(&ds->control) :
				      rx->opened[0].verdict == DTLS_RX_DATA))
			break;
		err = -EINTR;
	} while (go_on());
	dtls_scratch_put(scratch);
	return err;
}

/* ---- recvmsg ---- */

static int read_control(struct reader *r)
{
	struct dtls_sock *ds = r->ds;
	struct msghdr *msg = r->msg;
	unsigned int copied;
	struct dtls_msg *m;
	int err;

	m = dtls_control_take(ds, r->flags & MSG_PEEK);
	if (!m) {
		err = sock_error(ds->sk) ?:
		      fill_queue(ds, true, &r->budget);
		if (err)
			return err;
		m = dtls_control_take(ds, r->flags & MSG_PEEK);
		if (!m)
			return -EAGAIN;
	}

	copied = fit_length(msg, r->len, m->len);
	msg->msg_flags |= MSG_OOB;
	if (copy_to_iter(m->data, copied, &msg->msg_iter) != copied) {
		if (r->flags & MSG_PEEK)
			dtls_msg_put(ds, m);
		else
			dtls_control_put_back(ds, m);
		return -EFAULT;
	}
	err = r->flags & MSG_TRUNC ? m->len : copied;
	put_cmsg(msg, SOL_DTLS, DTLS_RECORD_INFO, sizeof(m->info), &m->info);
	if (!(m->info.flags & DTLS_RECORD_EVENT))
		put_ancillary(ds->sk, msg, m->skb);
	dtls_msg_put(ds, m);
	return err;
}

static int read_peek(struct reader *r)
{
	struct dtls_sock *ds = r->ds;
	struct sock *sk = ds->sk;
	struct dtls_msg *m;
	bool closed;
	int err, off;

	for (;;) {
		err = sock_error(sk);
		if (err)
			return err;
		closed = dtls_wait_closed(ds);
		off = max(sk_peek_offset(sk, r->flags), 0);	/* -1: unset */
		m = peek_ready(ds, &off);
		if (m)
			break;
		if (closed)
			return 0;
		err = fill_queue(ds, false, &r->budget);
		if (!err && !go_on())
			err = -EINTR;
		if (err)
			return err;
	}
	err = deliver_msg(r, m, off);
	if (err >= 0) {
		put_replayable(r->msg, &m->info);
		put_ancillary(sk, r->msg, m->skb);
	}
	dtls_msg_put(ds, m);
	return err;
}

/* More of what a record came in that was opened before */
static int give_chain(struct reader *r, const struct dtls_msg *m)
{
	struct chain chain = {
		.dgram = m->dgram,
		.first = &m->rec,
		.size = m->len,
	};
	struct dtls_scratch *scratch = NULL;

	chain_ready(r, &chain);
	if (chain_room(r, &chain) && list_empty(&r->ds->ready))
		scratch = dtls_scratch_get(true);
	if (scratch) {
		chain_received(r, &chain, scratch);
		dtls_scratch_put(scratch);
	}
	return chain_end(r, &chain);
}

/* A record that poll or a peek had opened, and what may come with it */
static int give_ready(struct reader *r, struct dtls_msg *m)
{
	struct dtls_sock *ds = r->ds;
	int ret;

	ret = deliver_msg(r, m, 0);
	if (ret >= 0) {
		put_replayable(r->msg, &m->info);
		put_ancillary(ds->sk, r->msg, m->skb);
		if (wants_chain(r, m->len, ret))
			ret = give_chain(r, m);
	}
	dtls_msg_put(ds, m);
	return ret;
}

static int read_data(struct reader *r)
{
	struct dtls_sock *ds = r->ds;
	struct dtls_msg *m;
	bool closed;
	int err;

	err = sock_error(ds->sk);
	if (err)
		return err;
	closed = dtls_wait_closed(ds);
	m = take_ready(ds, NULL);
	if (m)
		return give_ready(r, m);
	return closed ? 0 : read_received(r);
}

/* Look once at what is there. Returns what recv returns; -EAGAIN: nothing. */
static int read_once(struct reader *r)
{
	if (r->flags & MSG_OOB)
		return read_control(r);
	if (r->flags & MSG_PEEK)
		return read_peek(r);
	return read_data(r);
}

/* begin_waiting() sets the deadline of a reader that has found nothing. */
static void begin_waiting(struct reader *r)
{
	long timeo = sock_rcvtimeo(r->ds->sk, false);

	r->waiter.taker = !(r->flags & (MSG_OOB | MSG_PEEK));
	if (timeo != MAX_SCHEDULE_TIMEOUT) {
		r->waiter.limited = true;
		r->waiter.deadline = jiffies + timeo;
	}
}

/*
 * Look until there is an answer. Who does not wait looks once, and once more if
 * something came into a queue between the look at it and the look at what was
 * received.
 */
static int read_until(struct reader *r)
{
	bool nonblock = r->flags & MSG_DONTWAIT, again = false;
	struct dtls_sock *ds = r->ds;
	int ret;

	if (nonblock)
		dtls_wait_busy_poll(ds, true);
	for (;;) {
		if (!again || !nonblock)
			r->budget = full_budget(ds);
		/* Pairs with dtls_wait_news(). */
		r->waiter.seen = smp_load_acquire(&ds->news);
		ret = read_once(r);
		if (ret != -EAGAIN)
			return ret;
		if (dtls_wait_shut(ds, r->waiter.seen))
			return 0;
		if (!nonblock && !again)
			begin_waiting(r);
		if (!nonblock)
			ret = dtls_wait_sleep(ds, &r->waiter);
		else if (!again && READ_ONCE(ds->news) != r->waiter.seen)
			ret = 0;
		if (ret)
			return ret;
		again = true;
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
	struct reader r = {
		.ds = ds,
		.msg = msg,
		.len = len,
		.flags = flags,
	};
	int ret;

	if (flags & MSG_ERRQUEUE)
		return dtls_base_recvmsg(ds->base, sk, msg, len, flags);

	if (unlikely(ds->gro && rcu_access_pointer(sk->sk_filter)))
		dtls_early_new_key(ds);

	ret = read_until(&r);
	dtls_wait_wake_next(ds);
	return ret;
}

/* ---- poll ---- */

/*
 * Is there an application record, or with @control a control record? A yes must
 * hold, so records are opened until there is one. An error that was waiting on
 * the socket is put back. Without memory to look, the answer is yes too: the
 * reader is then told why it cannot read, where a no would be the last word.
 */
static bool fill_for_poll(struct dtls_sock *ds, bool control)
{
	struct list_head *queue = control ? &ds->control : &ds->ready;
	unsigned int budget = full_budget(ds);
	int err = 0;

	while (!err && list_empty(queue)) {
		err = fill_queue(ds, control, &budget);
		/* With room left, one record was dropped; others may follow. */
		if (err == -ENOBUFS && has_room(ds))
			err = 0;
	}
	if (err == -ENOMEM)
		return true;
	if (err && err != -EAGAIN && err != -ENOBUFS && err != -EINTR)
		WRITE_ONCE(ds->sk->sk_err, -err);
	return !list_empty(queue);
}

/*
 * Has the end of file come, and is all read that came before it? If not, poll's
 * caller is woken when it has.
 */
static bool poll_ended(struct dtls_sock *ds)
{
	/* Pairs with dtls_wait_news(). */
	unsigned int seen = smp_load_acquire(&ds->news);
	bool closed = dtls_wait_closed(ds);

	return list_empty(&ds->ready) && (closed || dtls_wait_shut(ds, seen));
}

/*
 * What of the events @asked for is up, and what is up without looking further.
 * Control records are looked for behind data that nobody reads, and data behind
 * control records. Sleeps.
 */
__poll_t dtls_recvmsg_poll(struct dtls_sock *ds, __poll_t asked)
{
	__poll_t mask = 0;

	if (READ_ONCE(ds->poll_control) &&
	    (asked & EPOLLPRI ? fill_for_poll(ds, true) :
				!list_empty(&ds->control)))
		mask |= EPOLLPRI;
	if (asked & (EPOLLIN | EPOLLRDNORM | EPOLLRDHUP) &&
	    fill_for_poll(ds, false))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (poll_ended(ds))
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	return mask;
}

/* FIONREAD: bytes of the next application record. Sleeps. */
int dtls_recvmsg_inq(struct sock *sk, int *bytes)
{
	struct dtls_sock *ds = dtls_sk(sk);
	struct dtls_msg *m = NULL;
	int off = 0;

	*bytes = 0;
	if (fill_for_poll(ds, false))
		m = peek_ready(ds, &off);
	if (m)
		*bytes = m->len;
	dtls_msg_put(ds, m);
	return 0;
}
