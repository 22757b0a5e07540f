// SPDX-License-Identifier: GPL-2.0
/*
 * This file is recvmsg() for application data and for control records. It takes a
 * record from the reader's queue; if there is none, it opens received records; if none
 * of them is for the reader, it waits.
 *
 * If the user's buffer cannot be written to, the application record that was to go
 * there is lost, as with UDP. All other records that were taken in are queued.
 */
#include <net/sock.h>

#include "ancillary.h"
#include "chain.h"
#include "compat.h"
#include "control.h"
#include "early.h"
#include "intake.h"
#include "look.h"
#include "msg.h"
#include "reader.h"
#include "ready.h"
#include "recvmsg.h"
#include "sock.h"
#include "stats.h"
#include "wait.h"

/*
 * tell_info() gives the user the DTLS_RECORD_INFO of @m. The number of the association is
 * the one that it has on this socket: another socket may have peeled it off just now.
 */
static void tell_info(struct dtls_reader *r, const struct dtls_msg *m)
{
	struct dtls_record_info info = m->info;

	info.id = dtls_sock_number(r->ds, m->assoc);
	dtls_ancillary_put_info(r->msg, &info);
}

/*
 * tell_kept() gives the user the address and the control messages of @m, application
 * data from the ready queue. A program must know which records are early data (RFC
 * 8446 8) and which datagrams are of another protocol.
 */
static void tell_kept(struct dtls_reader *r, struct dtls_msg *m)
{
	if (m->info.flags & (DTLS_RECORD_REPLAYABLE | DTLS_RECORD_RAW))
		tell_info(r, m);
	dtls_ancillary_put_assoc(r->msg, dtls_sock_number(r->ds, m->assoc));
	dtls_ancillary_put(r->ds->sk, r->msg, m->skb);
}

/*
 * read_ready() gives the user the oldest record of the ready queue, and with UDP_GRO
 * the records that may come with it. Returns what recv() returns, or -EAGAIN.
 */
static noinline int read_ready(struct dtls_reader *r)
{
	struct dtls_sock *ds = r->ds;
	struct dtls_msg *m = dtls_ready_take(ds);
	unsigned int copied;
	int ret = -EFAULT;

	if (!m)
		return -EAGAIN;
	copied = dtls_reader_fit(r, m->len);
	if (dtls_reader_copy(r, m->data, copied)) {
		sk_peek_offset_bwd(ds->sk, m->len);
		ret = dtls_reader_result(r, m->len, copied);
		tell_kept(r, m);
		if (dtls_chain_wanted(r, m->len, ret))
			ret = dtls_chain_ready(r, m);
	} else {
		dtls_stats_lost(ds);
	}
	dtls_msg_put(ds, m);
	return ret;
}

/*
 * peek_ready() shows the user the record of the ready queue that has the byte at
 * SO_PEEK_OFF, from that byte on.
 */
static noinline int peek_ready(struct dtls_reader *r)
{
	struct dtls_sock *ds = r->ds;
	/* The offset is negative if SO_PEEK_OFF is not set. */
	int off = max(sk_peek_offset(ds->sk, r->flags), 0);
	struct dtls_msg *m = dtls_ready_peek(ds, &off);
	unsigned int copied;
	int ret = -EFAULT;

	if (!m)
		return -EAGAIN;
	copied = dtls_reader_fit(r, m->len - off);
	if (dtls_reader_copy(r, m->data + off, copied)) {
		sk_peek_offset_fwd(ds->sk, copied);
		ret = dtls_reader_result(r, m->len, copied);
		tell_kept(r, m);
	}
	dtls_msg_put(ds, m);
	return ret;
}

/*
 * read_control() gives the user the oldest control record. If the user's buffer
 * cannot be written to, the record stays in its queue. MSG_OOB is not set in msg_flags,
 * as recvmmsg() would end behind each record then.
 */
static noinline int read_control(struct dtls_reader *r)
{
	struct dtls_sock *ds = r->ds;
	struct dtls_msg *m = dtls_control_take(ds, r->flags & MSG_PEEK);
	unsigned int copied;
	int ret;

	if (!m)
		return sock_error(ds->sk) ?: -EAGAIN;
	copied = dtls_reader_fit(r, m->len);
	if (!dtls_reader_copy(r, m->data, copied)) {
		if (r->flags & MSG_PEEK)
			dtls_msg_put(ds, m);
		else
			dtls_control_put_back(ds, m);
		return -EFAULT;
	}
	ret = dtls_reader_result(r, m->len, copied);
	tell_info(r, m);
	if (!(m->info.flags & DTLS_RECORD_EVENT))
		dtls_ancillary_put(ds->sk, r->msg, m->skb);
	dtls_msg_put(ds, m);
	return ret;
}

/*
 * read_queue() gives the user a record of the reader's queue: the control queue with
 * MSG_OOB, else the ready queue. Returns what recv() returns, or -EAGAIN if the queue
 * is empty.
 */
static int read_queue(struct dtls_reader *r)
{
	struct dtls_sock *ds = r->ds;
	bool closed;
	int ret;

	if (r->flags & MSG_OOB)
		return read_control(r);

	ret = sock_error(ds->sk);
	if (ret)
		return ret;
	closed = dtls_wait_closed(ds);
	ret = -EAGAIN;
	if (!list_empty(&ds->ready))
		ret = r->flags & MSG_PEEK ? peek_ready(r) : read_ready(r);
	return closed && ret == -EAGAIN ? 0 : ret;
}

/*
 * read_once() gives the user a record of the reader's queue, or opens received records
 * until one is for the reader. Returns what recv() returns, or -EAGAIN if there is
 * none. A record that dtls_look() has put into the queue may have been taken by another
 * task, or lie before the offset of a peek; then the search starts again.
 */
static int read_once(struct dtls_reader *r)
{
	int ret;

	do {
		ret = read_queue(r);
		if (ret != -EAGAIN)
			return ret;
		ret = dtls_look(r);
		if (ret || dtls_reader_takes(r))
			return ret;
	} while (dtls_look_further());
	return -EINTR;
}

/* begin_waiting() prepares @waiter for the reader @r, which has found nothing. */
static void begin_waiting(struct dtls_waiter *waiter,
			  const struct dtls_reader *r)
{
	long timeo = sock_rcvtimeo(r->ds->sk, false);

	waiter->taker = dtls_reader_takes(r);
	waiter->limited = timeo != MAX_SCHEDULE_TIMEOUT;
	waiter->deadline = jiffies + timeo;
}

/*
 * read_until() calls read_once() until there is an answer. A reader that does not wait
 * calls it once; and a second time if another task has put something into a queue
 * after the first call had searched that queue, or has shut the socket down.
 */
static int read_until(struct dtls_reader *r)
{
	bool nonblock = r->flags & MSG_DONTWAIT, again = false, shut;
	struct dtls_sock *ds = r->ds;
	struct dtls_waiter waiter __uninitialized;
	int ret;

	if (nonblock)
		dtls_wait_busy_poll(ds);
	r->budget = DTLS_BUDGET_UNSET;
	for (;;) {
		/* The acquire pairs with the release in dtls_wait_news(). */
		waiter.seen = smp_load_acquire(&ds->news);
		waiter.shut = dtls_wait_is_shut(ds);
		ret = read_once(r);
		if (ret != -EAGAIN)
			return ret;
		if (dtls_wait_shut(ds, waiter.seen, waiter.shut))
			return 0;
		shut = !waiter.shut && dtls_wait_is_shut(ds);
		if (!nonblock && !again)
			begin_waiting(&waiter, r);
		if (!nonblock)
			ret = dtls_wait_sleep(ds, &waiter);
		else if (!again && (shut || READ_ONCE(ds->news) != waiter.seen))
			ret = 0;
		if (ret)
			return ret;
		again = true;
		/* What came before the shutdown may be more than the budget covers. */
		if (!nonblock || shut)
			r->budget = DTLS_BUDGET_UNSET;
	}
}

/*
 * dtls_recvmsg() is the recvmsg of struct proto. It gives the user application
 * records; with MSG_OOB control records; with MSG_ERRQUEUE what plain UDP has there.
 * All records are verified but raw control records and, if the user set DTLS_PASS,
 * datagrams of other protocols, which have the flag DTLS_RECORD_RAW.
 */
int dtls_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	struct dtls_sock *ds = dtls_sk(sk);
	struct dtls_reader r = {
		.ds = ds,
		.msg = msg,
		.len = len,
		.flags = flags,
	};
	int ret;

	if (flags & MSG_ERRQUEUE)
		return dtls_base_recvmsg(ds->base, sk, msg, len, flags);

	if (unlikely(READ_ONCE(ds->gro) && rcu_access_pointer(sk->sk_filter)))
		dtls_early_set_gro(ds);

	ret = read_until(&r);
	dtls_wait_wake_next(ds);
	return ret;
}
