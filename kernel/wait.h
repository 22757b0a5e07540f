/* SPDX-License-Identifier: GPL-2.0 */
/*
 * These functions put readers to sleep and wake them, and track runs of records from
 * the intake to a reader or a queue. See wait.c.
 */
#ifndef _DTLS_WAIT_H
#define _DTLS_WAIT_H

#include <linux/list.h>
#include <linux/udp.h>
#include <net/sock.h>

#include "assoc.h"
#include "run.h"
#include "sock.h"

/**
 * struct dtls_waiter - a reader that may have to sleep
 * @seen:	dtls_sock.news when the reader began to look
 * @shut:	what dtls_wait_is_shut() returned then
 * @taker:	the reader takes application data
 * @limited:	the reader sleeps until @deadline at most
 * @deadline:	when the reader stops waiting, in jiffies
 */
struct dtls_waiter {
	unsigned int seen;
	bool shut;
	bool taker;
	bool limited;
	unsigned long deadline;
};

/*
 * Note that something was put into a queue, or that the end of file has come. The
 * caller holds dtls_sock.lock.
 */
static inline void dtls_wait_news(struct dtls_sock *ds)
{
	lockdep_assert_held(&ds->lock);
	/* A task that reads the new count finds the record in its queue. */
	smp_store_release(&ds->news, ds->news + 1);
}

/*
 * Return true if the peer has ended the stream of records with close_notify. The caller
 * looks at the ready queue afterwards, and finds all records that came before the end.
 */
static inline bool dtls_wait_closed(const struct dtls_sock *ds)
{
	/* The acquire pairs with the release in end_of_file(). */
	return smp_load_acquire(&READ_ONCE(ds->assoc)->eof);
}

/*
 * Return true if the socket is shut down for reading. The caller looks at the queues
 * afterwards, and finds all that came before the shutdown.
 */
static inline bool dtls_wait_is_shut(const struct dtls_sock *ds)
{
	/* shutdown() has no barrier of its own: this one orders the looks behind it. */
	return smp_load_acquire(&ds->sk->sk_shutdown) & RCV_SHUTDOWN;
}

/* Return true if UDP has a datagram for this socket. */
static inline bool dtls_wait_udp_unread(const struct sock *sk)
{
	return !skb_queue_empty_lockless(&sk->sk_receive_queue) ||
	       !skb_queue_empty_lockless(&udp_sk(sk)->reader_queue);
}

/* Return true if a datagram or an early record waits to be taken in. */
static inline bool dtls_wait_unread(const struct dtls_sock *ds)
{
	return READ_ONCE(ds->current_dgram.skb) ||
	       dtls_wait_udp_unread(ds->sk) ||
	       READ_ONCE(ds->kept_dgram.skb) || !list_empty(&ds->pending);
}

/*
 * Return how many datagrams are in UDP's two receive queues now. UDP wakes a reader for
 * each datagram that comes later.
 */
static inline unsigned int dtls_wait_queued(const struct dtls_sock *ds)
{
	/*
	 * __skb_recv_udp() moves datagrams from one queue to the other with plain stores
	 * to both lengths. The caller holds dtls_sock.lock, as this module does there.
	 * A call that was inside UDP when the socket was attached does not.
	 */
	return data_race(skb_queue_len_lockless(&ds->sk->sk_receive_queue) +
			 skb_queue_len_lockless(&udp_sk(ds->sk)->reader_queue));
}

/*
 * Note that a task carries @rx from the intake to a reader or a queue. The task calls
 * dtls_wait_done() when @rx is there. The caller holds dtls_sock.lock.
 */
static inline void dtls_wait_begin(struct dtls_sock *ds, struct dtls_run *rx)
{
	lockdep_assert_held(&ds->lock);
	rx->missed = false;
	rx->goodbye = false;
	hlist_add_head(&rx->carried, &ds->carried);
}

void dtls_wait_data_ready(struct sock *sk);
void dtls_wait_wake(struct sock *sk);
void dtls_wait_wake_one(struct sock *sk);
void dtls_wait_put_error(struct sock *sk, int err);
void dtls_wait_missed(struct dtls_sock *ds);
bool __dtls_wait_nothing(struct dtls_sock *ds);
void dtls_wait_done(struct dtls_sock *ds, struct dtls_run *rx);
bool dtls_wait_shut(struct dtls_sock *ds, unsigned int seen, bool shut);
void dtls_wait_busy_poll(struct dtls_sock *ds);
int dtls_wait_sleep(struct dtls_sock *ds, const struct dtls_waiter *waiter);

/*
 * Unlock @home, which dtls_sock_lock_home() has returned. The readers of another socket
 * than @ds do not know of the call that has queued something there, so they are woken.
 */
static inline void dtls_wait_unlock_home(struct dtls_sock *ds,
					 struct dtls_sock *home)
	__releases(&ds->lock)
{
	if (unlikely(home != ds))
		dtls_wait_wake(home->sk);
	spin_unlock(&home->lock);
}

/*
 * Return true if no received record is left to look at. __dtls_wait_nothing() is
 * called, which takes dtls_sock.lock, only if a look without the lock finds none.
 */
static inline bool dtls_wait_nothing(struct dtls_sock *ds)
{
	return !dtls_wait_unread(ds) && __dtls_wait_nothing(ds);
}

/*
 * A reader that returns to user space calls dtls_wait_wake_next(). A datagram wakes
 * only one taker, so that taker wakes the next one if it leaves something to read.
 */
static inline void dtls_wait_wake_next(struct dtls_sock *ds)
{
	if (list_empty(&ds->ready) && !dtls_wait_unread(ds))
		return;
	/* The barrier pairs with that of prepare_to_wait_exclusive(). */
	smp_mb();
	if (atomic_read(&ds->takers))
		dtls_wait_wake_one(ds->sk);
}

#endif /* _DTLS_WAIT_H */
