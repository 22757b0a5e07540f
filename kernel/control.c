// SPDX-License-Identifier: GPL-2.0
/*
 * The control queue holds records that are not application data. A reader with
 * MSG_OOB gets them in the order of their arrival. Raw records, which anybody can
 * send, have one budget, authenticated records have another, and events have a third.
 * The size of each budget is a share of the receive buffer's, but the memory of these
 * records does not count against the receive buffer.
 */
#include <linux/skbuff.h>
#include <linux/spinlock.h>

#include "assoc.h"
#include "control.h"
#include "epoch.h"
#include "msg.h"
#include "sock.h"
#include "stats.h"
#include "wait.h"

/*
 * Return the budget of raw records, that of authenticated ones and that of events, in
 * bytes. Raw records are a handshake's flights. When their budget is used up, the oldest
 * records make room: a flight that was lost is sent again, so the newest records are worth
 * most. The peer alone can use up the budget of authenticated records, and then a new
 * record is dropped. An event for which there is no room comes again with the next record
 * of its kind, so it is not lost if the queue is not read for long. The peers of many
 * associations may all say hello or goodbye at once, so on a socket with a table each
 * budget is as large as the receive buffer.
 */
static unsigned int control_budget(const struct dtls_sock *ds)
{
	unsigned int room = READ_ONCE(ds->sk->sk_rcvbuf);

	return dtls_sock_table(ds) ? room : room / 8;
}

static bool is_raw(const struct dtls_msg *m)
{
	return m->info.flags & DTLS_RECORD_RAW;
}

static bool is_event(const struct dtls_msg *m)
{
	return m->info.flags & DTLS_RECORD_EVENT;
}

/*
 * Put @m into the queue, as the oldest record if @oldest, and count its memory
 * in the budget of its kind. The caller holds dtls_sock.lock.
 */
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
	} else if (is_event(m)) {
		ds->event_bytes += m->skb->truesize;
	} else {
		m->assoc->control_bytes += m->skb->truesize;
		ds->control_bytes += m->skb->truesize;
	}
	dtls_wait_news(ds);
}

/*
 * Take @m out of the queue, and its memory out of the budget of its kind. The caller
 * holds dtls_sock.lock.
 */
static void unlink_msg(struct dtls_sock *ds, struct dtls_msg *m)
{
	lockdep_assert_held(&ds->lock);
	list_del(&m->list);
	if (is_raw(m)) {
		list_del(&m->raw);
		ds->raw_bytes -= m->skb->truesize;
	} else if (is_event(m)) {
		ds->event_bytes -= m->skb->truesize;
	} else {
		m->assoc->control_bytes -= m->skb->truesize;
		ds->control_bytes -= m->skb->truesize;
	}
}

/*
 * Return how many bytes of authenticated records @assoc may have. On a socket with a
 * table, each association may have as much as all of them leave free, so that one of
 * them cannot use the budget up. The caller holds dtls_sock.lock.
 */
static unsigned int control_share(const struct dtls_sock *ds,
				  const struct dtls_assoc *assoc)
{
	unsigned int room = control_budget(ds), used = ds->control_bytes;

	lockdep_assert_held(&ds->lock);
	if (!dtls_sock_table(ds))
		used -= assoc->control_bytes;
	return room > used ? room - used : 0;
}

/*
 * Make room for a record of @assoc of @bytes bytes: in the budget of raw records if
 * @raw, else in that of authenticated records. A record always fits into a budget
 * that nothing uses. The caller holds dtls_sock.lock. Return: false if the record is
 * to be dropped.
 */
static bool make_room(struct dtls_sock *ds, const struct dtls_assoc *assoc,
		      bool raw, unsigned int bytes)
{
	lockdep_assert_held(&ds->lock);
	if (!raw)
		return !ds->control_bytes ||
		       /*
			* A socket that has just peeled @assoc off changes the count
			* under its own lock. dtls_control_queue() asks again there.
			*/
		       data_race(assoc->control_bytes) + bytes <=
		       control_share(ds, assoc);
	while (ds->raw_bytes && ds->raw_bytes + bytes > control_budget(ds)) {
		struct dtls_msg *m = list_first_entry(&ds->raw, struct dtls_msg,
						      raw);

		unlink_msg(ds, m);
		dtls_stats_count(ds, m->assoc, DTLS_COUNT_RX_NO_BUDGET);
		dtls_msg_put(ds, m);
	}
	return true;
}

/*
 * An event needs room for so many bytes before memory is taken for it. What it really takes
 * is known afterwards, and is less, as the allocator rounds the head of a buffer up.
 */
#define EVENT_SIZE_MAX	(2 * SKB_TRUESIZE(sizeof(struct dtls_msg)))

/*
 * Return true if there is room for an event of @bytes bytes. An event always fits into a
 * budget that nothing uses. The caller holds dtls_sock.lock.
 */
static bool has_event_room(const struct dtls_sock *ds, unsigned int bytes)
{
	lockdep_assert_held(&ds->lock);
	return !ds->event_bytes || ds->event_bytes + bytes <= control_budget(ds);
}

/**
 * dtls_control_new() - make a message for a record of the control queue
 * @ds:		socket
 * @assoc:	the association that the record belongs to
 * @from:	the datagram that the record came in
 * @len:	bytes of the record
 * @raw:	the record is not authenticated
 *
 * The budget is asked before memory is taken. Sleeps.
 *
 * Return: a message that the caller fills in and gives to dtls_control_queue();
 * or NULL, and the record is counted as dropped.
 */
struct dtls_msg *dtls_control_new(struct dtls_sock *ds, struct dtls_assoc *assoc,
				  struct sk_buff *from, unsigned int len,
				  bool raw)
{
	struct dtls_msg *m = NULL;
	bool room;

	spin_lock(&ds->lock);
	room = make_room(ds, assoc, raw, SKB_TRUESIZE(sizeof(*m) + len));
	spin_unlock(&ds->lock);
	if (room)
		m = dtls_msg_new(assoc, from, len);
	if (!m)
		dtls_stats_count(ds, assoc, DTLS_COUNT_RX_NO_BUDGET);
	return m;
}

/*
 * Charge @m and put it into the queue; or drop @m and return false. A record that is
 * dropped is counted; an event is not, as its cause tells it again. The function takes
 * over the caller's reference to @m in both cases. The caller has a reference of its
 * own to the association. No task is woken here: the datagram of a record has woken its
 * readers, and dtls_wait_done() wakes readers that looked meanwhile and found nothing.
 * Takes dtls_sock.lock.
 */
bool dtls_control_queue(struct dtls_sock *ds, struct dtls_msg *m)
{
	struct dtls_assoc *assoc = m->assoc;
	struct dtls_sock *home = dtls_sock_lock_home(ds, assoc);
	unsigned int bytes = m->skb->truesize;
	bool raw = is_raw(m), room;

	room = dtls_sock_has(home, assoc) &&
	       (is_event(m) ? has_event_room(home, bytes) :
			      make_room(home, assoc, raw, bytes)) &&
	       dtls_msg_hold(home, m->skb, DTLS_CHARGE_ASIDE);
	if (room)
		link_msg(home, m, false);
	dtls_wait_unlock_home(ds, home);
	if (!room) {
		if (!is_event(m))
			dtls_stats_count(ds, assoc, DTLS_COUNT_RX_NO_BUDGET);
		dtls_msg_put(ds, m);
		return false;
	}
	dtls_stats_count(ds, assoc, DTLS_COUNT_RX_CONTROL);
	return true;
}

/*
 * Queue @event, which happened to @assoc, or to its @epoch if that is not 0, and wake a
 * reader. Return false if there is no room in the budget, which is asked before memory is
 * taken, or no memory. Sleeps.
 */
bool dtls_control_tell(struct dtls_sock *ds, struct dtls_assoc *assoc, u64 epoch,
		       u16 event)
{
	struct dtls_msg *m = NULL;
	bool room;

	spin_lock(&ds->lock);
	room = has_event_room(ds, EVENT_SIZE_MAX);
	spin_unlock(&ds->lock);
	if (room)
		m = dtls_msg_alloc(assoc, 0, 0);
	if (!m)
		return false;
	m->info.epoch = epoch;
	m->info.flags = DTLS_RECORD_EVENT;
	m->info.event = event;
	if (!dtls_control_queue(ds, m))
		return false;
	dtls_wait_wake_one(ds->sk);
	return true;
}

/*
 * Queue @event, which tells the library that @epoch of @assoc is near a limit or has
 * reached it. If there is no room for the event, the next record under the same key
 * tries again. Sleeps.
 */
void dtls_control_event(struct dtls_sock *ds, struct dtls_assoc *assoc,
			struct dtls_epoch *epoch, u16 event)
{
	if (!dtls_control_tell(ds, assoc, epoch->number, event))
		dtls_epoch_warn_again(epoch, event);
}

/*
 * Queue an event for the library if the number of forgeries is near the limit of the
 * read key of @epoch, and one if it has reached the limit. Sleeps.
 */
void dtls_control_forgeries(struct dtls_sock *ds, struct dtls_assoc *assoc,
			    struct dtls_epoch *epoch)
{
	static const u16 events[] = {
		DTLS_EVENT_RX_LIMIT, DTLS_EVENT_RX_EXPIRED,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (dtls_epoch_rx_warn(epoch, events[i]))
			dtls_control_event(ds, assoc, epoch, events[i]);
}

/*
 * Return the oldest control record, with a reference, or NULL. With @peek the record
 * stays in the queue. Takes dtls_sock.lock.
 */
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

/*
 * Move the control records of @assoc, which was deleted or peeled off, to @gone. The
 * caller holds dtls_sock.lock, and purges @gone without it.
 */
void dtls_control_forget(struct dtls_sock *ds, struct dtls_assoc *assoc,
			 struct list_head *gone)
{
	struct dtls_msg *m, *next;

	lockdep_assert_held(&ds->lock);
	list_for_each_entry_safe(m, next, &ds->control, list) {
		if (m->assoc != assoc)
			continue;
		unlink_msg(ds, m);
		list_add_tail(&m->list, gone);
	}
}

/*
 * Move the control records of @assoc from @from to @to, which has peeled it off. The
 * caller holds the locks of both.
 */
void dtls_control_move(struct dtls_sock *from, struct dtls_sock *to,
		       struct dtls_assoc *assoc)
{
	struct dtls_msg *m, *next;
	LIST_HEAD(moved);

	dtls_control_forget(from, assoc, &moved);
	list_for_each_entry_safe(m, next, &moved, list) {
		if (dtls_msg_move(to, m))
			link_msg(to, m, false);
		else
			dtls_msg_put(to, m);
	}
}

/*
 * Put @m back as the oldest record, because the user's buffer could not be written
 * to. The function takes over the caller's reference, and drops @m if its association
 * was deleted meanwhile. Takes dtls_sock.lock.
 */
void dtls_control_put_back(struct dtls_sock *ds, struct dtls_msg *m)
{
	struct dtls_sock *home = dtls_sock_lock_home(ds, m->assoc);
	bool kept = dtls_sock_has(home, m->assoc) &&
		    (likely(home == ds) || dtls_msg_move(home, m));

	if (kept)
		link_msg(home, m, true);
	dtls_wait_unlock_home(ds, home);
	if (!kept)
		dtls_msg_put(ds, m);
	else if (home == ds)
		dtls_wait_wake_one(ds->sk);
}
