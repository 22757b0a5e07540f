// SPDX-License-Identifier: GPL-2.0
/*
 * recvmsg() for data, for peeking and for control records: first what lies in the
 * reader's queue, then what was received, then the wait.
 *
 * If the user's buffer cannot be written to, the application record that was to go
 * there is lost, as with UDP. No other record is: what was taken in is queued.
 */
#include <net/sock.h>

#include "ancillary.h"
#include "chain.h"
#include "compat.h"
#include "control.h"
#include "early.h"
#include "look.h"
#include "msg.h"
#include "reader.h"
#include "ready.h"
#include "recvmsg.h"
#include "sock.h"
#include "wait.h"

/*
 * tell_kept() tells the user what belongs to @m, application data that was kept. A
 * program must know which records are early data (RFC 8446 8), and what is no record.
 */
static void tell_kept(struct dtls_reader *r, struct dtls_msg *m)
{
	if (m->info.flags & (DTLS_RECORD_REPLAYABLE | DTLS_RECORD_RAW))
		dtls_ancillary_put_info(r->msg, &m->info);
	dtls_ancillary_put_assoc(r->msg, m->info.id);
	dtls_ancillary_put(r->ds->sk, r->msg, m->skb);
}

/*
 * read_ready() gives the user the oldest record of the ready queue, and what may come
 * with it.
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
	int off = max(sk_peek_offset(ds->sk, r->flags), 0);	/* -1: unset */
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
 * cannot be written to, the record stays in its queue.
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
	r->msg->msg_flags |= MSG_OOB;
	if (!dtls_reader_copy(r, m->data, copied)) {
		if (r->flags & MSG_PEEK)
			dtls_msg_put(ds, m);
		else
			dtls_control_put_back(ds, m);
		return -EFAULT;
	}
	ret = dtls_reader_result(r, m->len, copied);
	dtls_ancillary_put_info(r->msg, &m->info);
	if (!(m->info.flags & DTLS_RECORD_EVENT))
		dtls_ancillary_put(ds->sk, r->msg, m->skb);
	dtls_msg_put(ds, m);
	return ret;
}

/*
 * read_queue() looks into the queue that the reader reads. Returns what recv()
 * returns; -EAGAIN if nothing is there.
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
 * read_once() looks into the queue and at what was received. Returns what recv()
 * returns; -EAGAIN if there is nothing. A record that the look put into the queue may
 * be another task's by now, or lie before the offset of a peek.
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

/* begin_waiting() makes @waiter of a reader that has found nothing. */
static void begin_waiting(struct dtls_waiter *waiter,
			  const struct dtls_reader *r)
{
	long timeo = sock_rcvtimeo(r->ds->sk, false);

	waiter->taker = dtls_reader_takes(r);
	if (timeo != MAX_SCHEDULE_TIMEOUT) {
		waiter->limited = true;
		waiter->deadline = jiffies + timeo;
	}
}

/*
 * read_until() looks until there is an answer. A reader that does not wait looks once,
 * and once more if something came into a queue after the reader had looked at the
 * queue and before it looked at what was received.
 */
static int read_until(struct dtls_reader *r)
{
	bool nonblock = r->flags & MSG_DONTWAIT, again = false;
	struct dtls_sock *ds = r->ds;
	struct dtls_waiter waiter = {};
	int ret;

	if (nonblock)
		dtls_wait_busy_poll(ds, true);
	for (;;) {
		if (!again || !nonblock)
			r->budget = dtls_look_budget(ds);
		/* Pairs with dtls_wait_news(). */
		waiter.seen = smp_load_acquire(&ds->news);
		ret = read_once(r);
		if (ret != -EAGAIN)
			return ret;
		if (dtls_wait_shut(ds, waiter.seen))
			return 0;
		if (!nonblock && !again)
			begin_waiting(&waiter, r);
		if (!nonblock)
			ret = dtls_wait_sleep(ds, &waiter);
		else if (!again && READ_ONCE(ds->news) != waiter.seen)
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
	struct dtls_reader r = {
		.ds = ds,
		.msg = msg,
		.len = len,
		.flags = flags,
	};
	int ret;

	if (flags & MSG_ERRQUEUE)
		return dtls_base_recvmsg(ds->base, sk, msg, len, flags);

	if (unlikely(ds->gro && rcu_access_pointer(sk->sk_filter)))
		dtls_early_set_gro(ds);

	ret = read_until(&r);
	dtls_wait_wake_next(ds);
	return ret;
}
