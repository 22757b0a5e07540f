// SPDX-License-Identifier: GPL-2.0
/*
 * This file is the receive loop. A look opens one received record after the other
 * until it finds the record that the reader wants. Before that, every reader
 * searches its queue, to which earlier looks of all tasks have added the records
 * that their readers did not want.
 *
 * The look gives application data to a reader that takes it, and keeps all other
 * records in the ready queue and in the control queue. rx.c decides what becomes of a
 * record.
 */
#include <linux/list.h>
#include <net/sock.h>

#include "ancillary.h"
#include "assoc.h"
#include "chain.h"
#include "intake.h"
#include "look.h"
#include "reader.h"
#include "ready.h"
#include "run.h"
#include "rx.h"
#include "scratch.h"
#include "sock.h"
#include "stats.h"
#include "wait.h"

/*
 * tell_marked() gives the user the DTLS_RECORD_INFO of the record just opened, as a
 * program must know that it is early data, or a datagram of another protocol.
 */
static noinline void tell_marked(struct dtls_reader *r,
				 const struct dtls_run *rx)
{
	struct dtls_record_info info;

	dtls_rx_info(rx, 0, &info);
	info.id = dtls_sock_number(r->ds, rx->assoc);
	dtls_ancillary_put_info(r->msg, &info);
}

/*
 * give_opened() gives the user the application record that was just opened, and with
 * UDP_GRO the records that may come with it. Returns what recv() returns.
 */
static int give_opened(struct dtls_reader *r, struct dtls_scratch *scratch)
{
	struct dtls_run *rx = scratch->rx;
	struct dtls_opened *o = rx->opened;
	unsigned int copied = dtls_reader_fit(r, o->len);
	struct sock *sk = r->ds->sk;
	int ret;

	if (!dtls_reader_copy_opened(r, scratch, o->content, copied)) {
		dtls_stats_lost(r->ds);
		return -EFAULT;
	}
	sk_peek_offset_bwd(sk, o->len);
	ret = dtls_reader_result(r, o->len, copied);
	if (unlikely(dtls_run_marked(rx)))
		tell_marked(r, rx);
	dtls_ancillary_put_assoc(r->msg, dtls_sock_number(r->ds, rx->assoc));
	dtls_ancillary_put(sk, r->msg, rx->skb);
	if (dtls_chain_wanted(r, o->len, ret))
		ret = dtls_chain_opened(r, scratch, ret);
	return ret;
}

/*
 * place_record() gives the record just opened, the first of @scratch, to the user or
 * to a queue. Returns what dtls_look() returns, or -ERESTART if @r looks for another
 * record.
 */
static int place_record(struct dtls_reader *r, struct dtls_scratch *scratch)
{
	int verdict = scratch->rx->opened[0].verdict, err;
	struct dtls_sock *ds = r->ds;
	bool found;

	if (dtls_reader_takes(r)) {
		if (likely(verdict == DTLS_RX_DATA))
			return give_opened(r, scratch);
		if (verdict < 0)
			return verdict;
	}
	err = dtls_rx_keep(ds, scratch->rx, 0);
	if (err)
		return err;
	found = r->flags & MSG_OOB ? !list_empty(&ds->control) :
				     verdict == DTLS_RX_DATA;
	return found ? 0 : -ERESTART;
}

/*
 * look_at_next() takes the next record in, opens it and places it. Returns what
 * dtls_look() returns, or -ERESTART if the look goes on.
 */
static int look_at_next(struct dtls_reader *r, struct dtls_scratch *scratch)
{
	struct dtls_sock *ds = r->ds;
	int ret;

	if (!dtls_reader_takes(r) && !r->all && !dtls_ready_has_room(ds))
		return -ENOBUFS;
	ret = dtls_intake_next(ds, scratch->rx, &r->budget);
	if (ret)
		return ret;
	dtls_rx_open(ds, scratch->rx, scratch);
	ret = place_record(r, scratch);
	dtls_wait_done(ds, scratch->rx);
	return ret;
}

/**
 * dtls_look() - open received records until one is found that a reader wants
 * @r:		the reader, whose queue is empty
 *
 * Sleeps. Only a fatal signal interrupts the look, as the budget of @r bounds how
 * long it takes.
 *
 * Return: what recv() returns, if @r takes application data and got some; 0 for any
 * other reader, whose record is now in its queue; -EAGAIN if there is no such record;
 * -EINTR; -ENOBUFS if there is no room to keep the data that came before the record,
 * or if a record was dropped for want of memory; or another error.
 */
int dtls_look(struct dtls_reader *r)
{
	struct dtls_scratch *scratch;
	int ret;

	if (dtls_wait_nothing(r->ds))
		return -EAGAIN;
	scratch = dtls_scratch_get(true);
	if (!scratch)
		return -ENOMEM;
	do {
		ret = look_at_next(r, scratch);
	} while (ret == -ERESTART && dtls_look_further());
	dtls_scratch_put(scratch);
	return ret == -ERESTART ? -EINTR : ret;
}

/*
 * dtls_look_all() opens all datagrams that are queued now, and keeps their records, as
 * poll() does. The ready queue may grow beyond the receive buffer, which bounds the
 * datagrams. An error that was waiting on the socket is taken first, as UDP gives it before
 * a datagram, and put back. Where memory was short for one record, others may follow.
 * Sleeps.
 */
void dtls_look_all(struct dtls_sock *ds)
{
	struct dtls_reader r = {
		.ds = ds,
		.flags = MSG_PEEK,
		.budget = DTLS_BUDGET_UNSET,
		.all = true,
	};
	int pending = sock_error(ds->sk), err;

	do {
		err = dtls_look(&r);
	} while (!err || err == -ENOBUFS);
	if (err == -EAGAIN || err == -EINTR || err == -ENOMEM)
		err = pending;
	if (err)
		dtls_wait_put_error(ds->sk, err);
}
