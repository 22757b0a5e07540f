// SPDX-License-Identifier: GPL-2.0
/*
 * Records that are not application data: a queue read with MSG_OOB, in the
 * order of arrival. Raw records, which anybody can send, and authenticated
 * ones have a budget each, a share of the receive buffer that does not count
 * against it.
 */
#include <linux/skbuff.h>
#include <linux/spinlock.h>

#include "control.h"
#include "epoch.h"
#include "msg.h"
#include "sock.h"
#include "stats.h"
#include "wait.h"

/*
 * Raw records: the flights of a handshake. The newest are worth most, as lost
 * flights are sent again: the oldest make room.
 */
static unsigned int raw_budget(const struct dtls_sock *ds)
{
	return (unsigned int)READ_ONCE(ds->sk->sk_rcvbuf) / 8;
}

/* Authenticated records: the peer alone can fill this. The newest goes. */
static unsigned int control_budget(const struct dtls_sock *ds)
{
	return (unsigned int)READ_ONCE(ds->sk->sk_rcvbuf) / 8;
}

static bool is_raw(const struct dtls_msg *m)
{
	return m->info.flags & DTLS_RECORD_RAW;
}

static void link_msg(struct dtls_sock *ds, struct dtls_msg *m, bool oldest)
{
	lockdep_assert_held(&ds->lock);
	if (oldest)
		list_add(&m->list, &ds->control);
	else
		list_add_tail(&m->list, &ds->control);
	if (is_raw(m)) {
		if (oldest)
			list_add(&m->raw, &ds->raw);
		else
			list_add_tail(&m->raw, &ds->raw);
		ds->raw_bytes += m->skb->truesize;
	} else {
		ds->control_bytes += m->skb->truesize;
	}
	dtls_wait_news(ds);
}

static void unlink_msg(struct dtls_sock *ds, struct dtls_msg *m)
{
	lockdep_assert_held(&ds->lock);
	list_del(&m->list);
	if (is_raw(m)) {
		list_del(&m->raw);
		ds->raw_bytes -= m->skb->truesize;
	} else {
		ds->control_bytes -= m->skb->truesize;
	}
}

/*
 * Make room for @bytes in the budget of raw records or of the others. One
 * message is always let in.
 */
static bool make_room(struct dtls_sock *ds, bool raw, unsigned int bytes)
{
	lockdep_assert_held(&ds->lock);
	if (!raw)
		return !ds->control_bytes ||
		       ds->control_bytes + bytes <= control_budget(ds);
	while (ds->raw_bytes && ds->raw_bytes + bytes > raw_budget(ds)) {
		struct dtls_msg *m = list_first_entry(&ds->raw, struct dtls_msg,
						      raw);

		unlink_msg(ds, m);
		dtls_msg_put(ds, m);
		dtls_stats_count(ds, DTLS_COUNT_RX_NO_BUDGET);
	}
	return true;
}

/**
 * dtls_control_new() - room for a record in the control queue
 * @ds:		socket
 * @from:	what it came in
 * @len:	bytes
 * @raw:	it is not authenticated
 *
 * The budget is looked at before memory is taken. Sleeps. Return: a message
 * to be filled in and given to dtls_control_queue(), or NULL and the record is
 * counted as dropped.
 */
struct dtls_msg *dtls_control_new(struct dtls_sock *ds, struct sk_buff *from,
				  unsigned int len, bool raw)
{
	struct dtls_msg *m = NULL;
	bool room;

	spin_lock(&ds->lock);
	room = make_room(ds, raw, SKB_TRUESIZE(sizeof(*m) + len));
	spin_unlock(&ds->lock);
	if (room)
		m = dtls_msg_new(from, len);
	if (!m)
		dtls_stats_count(ds, DTLS_COUNT_RX_NO_BUDGET);
	return m;
}

/*
 * Charge and queue @m, or drop it and return false. Takes over the reference.
 * Events need no room in a budget: a key has one at most. Nobody is woken: a
 * record's readers were woken by its datagram, and those that found nothing
 * meanwhile are by dtls_wait_done().
 */
bool dtls_control_queue(struct dtls_sock *ds, struct dtls_msg *m)
{
	bool raw = is_raw(m), room;

	spin_lock(&ds->lock);
	room = (m->info.flags & DTLS_RECORD_EVENT ||
		make_room(ds, raw, m->skb->truesize)) &&
	       dtls_msg_hold(ds, m->skb, DTLS_CHARGE_ASIDE);
	if (room)
		link_msg(ds, m, false);
	spin_unlock(&ds->lock);
	if (!room) {
		dtls_stats_count(ds, DTLS_COUNT_RX_NO_BUDGET);
		dtls_msg_put(ds, m);
		return false;
	}
	dtls_stats_count(ds, DTLS_COUNT_RX_CONTROL);
	return true;
}

/*
 * Tell the library that @epoch nears a limit. If there is no memory for the
 * event, the next record that nears the limit tells it. Sleeps.
 */
void dtls_control_event(struct dtls_sock *ds, struct dtls_epoch *epoch,
			u16 event)
{
	struct dtls_msg *m = dtls_msg_alloc(0, 0);
	bool told = false;

	if (m) {
		m->info.epoch = epoch->number;
		m->info.flags = DTLS_RECORD_EVENT;
		m->info.event = event;
		told = dtls_control_queue(ds, m);
	}
	if (told)
		dtls_wait_wake_one(ds->sk);
	else
		dtls_epoch_warn_again(epoch, event);
}

/* The oldest control record with a reference, or NULL. */
struct dtls_msg *dtls_control_take(struct dtls_sock *ds, bool peek)
{
	struct dtls_msg *m;

	if (list_empty(&ds->control))
		return NULL;
	spin_lock(&ds->lock);
	m = list_first_entry_or_null(&ds->control, struct dtls_msg, list);
	if (m && peek)
		refcount_inc(&m->refs);
	else if (m)
		unlink_msg(ds, m);
	spin_unlock(&ds->lock);
	return m;
}

/* @m was taken and could not be given to the user: it is the oldest again. */
void dtls_control_put_back(struct dtls_sock *ds, struct dtls_msg *m)
{
	spin_lock(&ds->lock);
	link_msg(ds, m, true);
	spin_unlock(&ds->lock);
	dtls_wait_wake_one(ds->sk);
}
