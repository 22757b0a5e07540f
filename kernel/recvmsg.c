// SPDX-License-Identifier: GPL-2.0
/*
 * This file has the readers: recvmsg() for data, for peeking and for control
 * records, and poll(). rx.c decides what becomes of a record; wait.c has the wait.
 *
 * If the user's buffer cannot be written to, the application record that was to go
 * there is lost, as with UDP. No other record is: what was taken in is queued.
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
 * @ds:		the socket
 * @msg:	the user's message
 * @len:	bytes of room in @msg
 * @flags:	MSG_*
 * @budget:	datagrams that may still be taken in before signals and the
 *		deadline are checked
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

/*
 * full_budget() returns how many datagrams are queued now. A datagram that comes
 * later wakes the reader again.
 */
static unsigned int full_budget(struct dtls_sock *ds)
{
	/* The length may be read while a datagram goes from queue to queue. */
	return max(dtls_wait_queued(ds), 1U);
}

/**
 * struct chain - records of one coalesced datagram for a user with UDP_GRO
 * @dgram:	serial of the datagram
 * @first:	header of the first record
 * @size:	bytes of the first record; a shorter record is the last one
 * @copied:	bytes of the records after the first
 * @n:		the number of records after the first
 * @last:	no more records may follow
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
 * taking_matters() returns true if the waiters must be told that a record was taken:
 * it was the last before the end of file, or it made room for a poller that had none.
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

/* may_follow() returns true if @m may follow the records of @chain. */
static bool may_follow(const struct dtls_msg *m, const struct chain *chain)
{
	return m->dgram == chain->dgram && m->rec.epoch == chain->first->epoch &&
	       m->len <= chain->size;
}

/* take_oldest() is take_ready() for a queue that is likely not empty. */
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

/* take_ready() takes the oldest ready record; with @chain, if it may follow there. */
static struct dtls_msg *take_ready(struct dtls_sock *ds,
				   const struct chain *chain)
{
	return list_empty(&ds->ready) ? NULL : take_oldest(ds, chain);
}

/* put_back_ready() puts @m, which could not be given to the user, back as the oldest. */
static void put_back_ready(struct dtls_sock *ds, struct dtls_msg *m)
{
	dtls_rx_queue_ready(ds, m, true);
	dtls_wait_wake_one(ds->sk);
}

/*
 * peek_ready() finds the ready record that has the byte at @off of all that is ready,
 * gets a reference to it, and makes @off the place of the byte in the record.
 */
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
 * has_room() returns true if another record may be opened that nobody reads at once.
 * If it returns false, the caller is woken when there is room.
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
 * put_mapped() tells of a raw record that an IPv6 socket, not connected yet, received
 * by IPv4. Addresses are mapped ones then, that of IPV6_PKTINFO too.
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

/* put_ancillary() gives the peer's address and ancillary data, as plain UDP does. */
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

/*
 * put_replayable() tells a program that a record is early data, as it must know
 * (RFC 8446 8).
 */
static void put_replayable(struct msghdr *msg, struct dtls_record_info *info)
{
	if (info->flags & DTLS_RECORD_REPLAYABLE)
		put_cmsg(msg, SOL_DTLS, DTLS_RECORD_INFO, sizeof(*info), info);
}

/* fit_length() returns how many of @have bytes fit into the user's @len. */
static unsigned int fit_length(struct msghdr *msg, size_t len,
			       unsigned int have)
{
	if (have <= len)
		return have;
	msg->msg_flags |= MSG_TRUNC;
	return len;
}

/*
 * copy_out() copies @len bytes from a scratch, which is whole pages, to the user.
 * copy_to_iter() would first check whether they lie on a stack or in a slab.
 */
static bool copy_out(struct msghdr *msg, const u8 *from, size_t len)
{
	return dtls_copy_page_to_iter(virt_to_page(from), offset_in_page(from),
				      len, &msg->msg_iter) == len;
}

/* deliver_opened() copies the record just opened. Returns what recv() returns. */
static int deliver_opened(struct reader *r, const struct dtls_opened *o)
{
	unsigned int copied = fit_length(r->msg, r->len, o->len);

	if (!copy_out(r->msg, o->content, copied))
		return -EFAULT;
	sk_peek_offset_bwd(r->ds->sk, o->len);
	return r->flags & MSG_TRUNC ? o->len : copied;
}

/*
 * deliver_msg() copies a record that was opened before, from its byte @off on.
 * Returns what recv() returns.
 */
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

/* chain_room() returns how many records of its size @chain may still get. */
static unsigned int chain_room(const struct reader *r, const struct chain *chain)
{
	if (chain->last)
		return 0;
	return min_t(size_t, (r->len - chain->copied) / chain->size - 1,
		     UDP_MAX_SEGMENTS - 1 - chain->n);
}

/*
 * chain_run() gives the user the records of @rx that may follow in @chain, with one
 * copy for those that lie side by side, and keeps the others.
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

/* chain_received() adds what follows in the datagram and was not opened yet. */
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

/* chain_ready() adds what follows in the datagram and was opened before. */
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

/* chain_end() tells the user the records' size if they are several. Returns all bytes. */
static int chain_end(struct reader *r, struct chain *chain)
{
	if (chain->n)
		put_cmsg(r->msg, SOL_UDP, UDP_GRO, sizeof(chain->size),
			 &chain->size);
	return chain->size + chain->copied;
}

/* wants_chain() tells if more may follow a record of @size bytes, @ret delivered. */
static bool wants_chain(const struct reader *r, int size, int ret)
{
	return READ_ONCE(r->ds->user_gro) && ret == size && size <= r->len;
}

/* ---- looking at what was received ---- */

/* go_on() returns true if a task that found nothing yet may look further. Sleeps. */
static bool go_on(void)
{
	cond_resched();
	return !fatal_signal_pending(current);
}

/*
 * open_next() opens the next record that was received, into the first run of @scratch.
 * Returns 0, and the caller must call dtls_wait_done() for the run; -EAGAIN if there
 * is nothing more; or another error. Sleeps. Only a fatal signal interrupts it, as
 * @budget bounds how long it takes.
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
 * that was just opened. Returns what recv() returns.
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
 * give_opened() gives the user the application record that was just opened, and what
 * may come with it. Returns what recv() returns.
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

/* read_received() opens the next application record and gives it to the user. */
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
 * fill_queue() opens what was received and keeps it, until an application record is
 * ready, or with @control a control record. Returns 0 then; -EAGAIN if there is
 * nothing more; -ENOBUFS if there is no room for data that comes before the record
 * looked for, or if a record was dropped for want of memory; or another error.
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
		off = max(sk_peek_offset(sk, r->flags), 0);	/* -1 is unset */
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

/* give_chain() gives what may come with @m, a record that was opened before. */
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

/* give_ready() gives @m, which poll or a peek opened, and what may come with it. */
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

/* read_once() looks once. Returns what recv() returns; -EAGAIN if there is nothing. */
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
 * read_until() looks until there is an answer. A reader that does not wait looks once,
 * and once more if something came into a queue after the reader had looked at the
 * queue and before it looked at what was received.
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
 * dtls_recvmsg() is the recvmsg of struct proto. It gives application records; with
 * MSG_OOB control records; with MSG_ERRQUEUE what plain UDP has there. Everything was
 * verified, except for raw control records, which are marked as such.
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
 * fill_for_poll() returns true if there is an application record, or with @control a
 * control record. The answer must be certain, so records are opened until there is
 * one. An error that was waiting on the socket is put back. The function also returns
 * true if there is no memory to look: the reader is then told why it cannot read,
 * where after false nothing might wake it.
 */
static bool fill_for_poll(struct dtls_sock *ds, bool control)
{
	struct list_head *queue = control ? &ds->control : &ds->ready;
	unsigned int budget = full_budget(ds);
	int err = 0;

	while (!err && list_empty(queue)) {
		err = fill_queue(ds, control, &budget);
		/*
		 * If there still is room, one record was dropped, and others
		 * may follow.
		 */
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
 * poll_ended() returns true if the end of file has come and all that came before it
 * is read. If it returns false, the caller of poll() is woken when that changes.
 */
static bool poll_ended(struct dtls_sock *ds)
{
	/* Pairs with dtls_wait_news(). */
	unsigned int seen = smp_load_acquire(&ds->news);
	bool closed = dtls_wait_closed(ds);

	return list_empty(&ds->ready) && (closed || dtls_wait_shut(ds, seen));
}

/*
 * dtls_recvmsg_poll() returns the events that are up: those @asked for, and others
 * that take no further look. Control records are looked for behind data that nobody
 * reads, and data behind control records. Sleeps.
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

/* dtls_recvmsg_inq() is FIONREAD: bytes of the next application record. Sleeps. */
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
