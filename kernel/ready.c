// SPDX-License-Identifier: GPL-2.0
/*
 * The ready queue holds application records that were opened and wait for a reader.
 * poll() and MSG_PEEK open records without taking them, and so does a reader of control
 * records that has to look behind application data.
 */
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <net/sock.h>

#include "msg.h"
#include "ready.h"
#include "record.h"
#include "sock.h"
#include "wait.h"

/* Add @m to the queue, as the oldest record if @oldest. Under dtls_sock.lock. */
static void add_msg(struct dtls_sock *ds, struct dtls_msg *m, bool oldest)
{
	lockdep_assert_held(&ds->lock);
	if (oldest)
		list_add(&m->list, &ds->ready);
	else
		list_add_tail(&m->list, &ds->ready);
	WRITE_ONCE(ds->ready_bytes, ds->ready_bytes + m->skb->truesize);
	dtls_wait_news(ds);
}

/*
 * Put @m into the queue of the socket that has its association, as the oldest record if
 * @oldest. A record of a deleted association is dropped. Takes dtls_sock.lock.
 */
static void link_msg(struct dtls_sock *ds, struct dtls_msg *m, bool oldest)
{
	struct dtls_sock *home = dtls_sock_lock_home(ds, m->assoc);
	bool kept = dtls_sock_has(home, m->assoc) &&
		    (likely(home == ds) || dtls_msg_move(home, m));

	if (kept)
		add_msg(home, m, oldest);
	dtls_wait_unlock_home(ds, home);
	if (unlikely(!kept))
		dtls_msg_put(ds, m);
}

/*
 * Put @m into the queue as the newest record, and take over the caller's reference.
 * No task is woken here: dtls_wait_done() wakes the readers that looked meanwhile and
 * found nothing.
 */
void dtls_ready_queue(struct dtls_sock *ds, struct dtls_msg *m)
{
	link_msg(ds, m, false);
}

/*
 * Put @m back as the oldest record, because the user's buffer could not be written
 * to, and take over the caller's reference.
 */
void dtls_ready_put_back(struct dtls_sock *ds, struct dtls_msg *m)
{
	link_msg(ds, m, true);
	dtls_wait_wake_one(ds->sk);
}

/*
 * Take @m out of the queue. The caller holds dtls_sock.lock. Return true if all
 * waiters must be woken: because @m was the last record before the end of file, or
 * because a task that polls was turned away for want of room, and now there is some.
 */
static bool unlink_msg(struct dtls_sock *ds, struct dtls_msg *m)
{
	bool matters = ds->turned_away;

	lockdep_assert_held(&ds->lock);
	list_del(&m->list);
	WRITE_ONCE(ds->ready_bytes, ds->ready_bytes - m->skb->truesize);
	ds->turned_away = false;
	if (list_empty(&ds->ready))
		matters |= dtls_wait_closed(ds) ||
			   READ_ONCE(ds->sk->sk_shutdown) & RCV_SHUTDOWN;
	return matters;
}

/*
 * Move the ready records of @assoc, which was deleted or peeled off, to @gone. The caller
 * holds dtls_sock.lock, and purges @gone without it.
 */
void dtls_ready_forget(struct dtls_sock *ds, const struct dtls_assoc *assoc,
		       struct list_head *gone)
{
	struct dtls_msg *m, *next;

	lockdep_assert_held(&ds->lock);
	list_for_each_entry_safe(m, next, &ds->ready, list) {
		if (m->assoc != assoc)
			continue;
		unlink_msg(ds, m);
		list_add_tail(&m->list, gone);
	}
}

/*
 * Move the ready records of @assoc from @from to @to, which has peeled @assoc off. The
 * caller holds dtls_sock.lock of both sockets.
 */
void dtls_ready_move(struct dtls_sock *from, struct dtls_sock *to,
		     struct dtls_assoc *assoc)
{
	struct dtls_msg *m, *next;
	LIST_HEAD(moved);

	dtls_ready_forget(from, assoc, &moved);
	list_for_each_entry_safe(m, next, &moved, list) {
		if (dtls_msg_move(to, m))
			add_msg(to, m, false);
		else
			dtls_msg_put(to, m);
	}
}

/*
 * Take the oldest record out of the queue. If @first is given, take it only if it may
 * follow @first; see dtls_ready_coalesced(). Takes dtls_sock.lock. Return the record,
 * with the queue's reference, or NULL.
 */
static struct dtls_msg *take_oldest(struct dtls_sock *ds, u64 dgram,
				    const struct dtls_record *first,
				    unsigned int max)
{
	struct dtls_msg *m;
	bool wake = false;

	spin_lock(&ds->lock);
	m = list_first_entry_or_null(&ds->ready, struct dtls_msg, list);
	if (m && first && (m->dgram != dgram || m->len > max ||
			   m->rec.epoch != first->epoch))
		m = NULL;
	if (m)
		wake = unlink_msg(ds, m);
	spin_unlock(&ds->lock);
	if (unlikely(wake))
		dtls_wait_wake(ds->sk);
	return m;
}

/*
 * Take the oldest record out of the queue. Return it with the queue's reference, or
 * NULL.
 */
struct dtls_msg *dtls_ready_take(struct dtls_sock *ds)
{
	return take_oldest(ds, 0, NULL, 0);
}

/*
 * Take the oldest record out of the queue if it came in the same coalesced datagram as
 * @first, whose serial is @dgram, under the same key, and has no more than @max bytes.
 * Return the record, with the queue's reference, or NULL.
 */
struct dtls_msg *dtls_ready_coalesced(struct dtls_sock *ds, u64 dgram,
				      const struct dtls_record *first,
				      unsigned int max)
{
	if (list_empty(&ds->ready))
		return NULL;
	return take_oldest(ds, dgram, first, max);
}

/*
 * Find the record that has byte *@off of the contents of all ready records, put one
 * behind the other, and set *@off to the place of that byte in the record. The record
 * stays in the queue. Takes dtls_sock.lock. Return the record, with a reference of the
 * caller's, or NULL.
 */
struct dtls_msg *dtls_ready_peek(struct dtls_sock *ds, int *off)
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
 * Return true if the queue has room for another record. If it has none, the task that
 * asked is woken when there is room.
 */
bool dtls_ready_has_room(struct dtls_sock *ds)
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
