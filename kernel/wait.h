/* SPDX-License-Identifier: GPL-2.0 */
/* Who sleeps, who is woken, and which records are under way */
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
 * @taker:	it will take application data
 * @limited:	it will sleep until @deadline, in jiffies, at most
 * @deadline:	see @limited
 */
struct dtls_waiter {
	unsigned int seen;
	bool taker;
	bool limited;
	unsigned long deadline;
};

/* Something was put into a queue, or the end of file came. */
static inline void dtls_wait_news(struct dtls_sock *ds)
{
	lockdep_assert_held(&ds->lock);
	/* Who reads the new count finds what it counts in the queue. */
	smp_store_release(&ds->news, ds->news + 1);
}

/* Did the peer end the stream? Look at the ready queue only afterwards. */
static inline bool dtls_wait_closed(const struct dtls_sock *ds)
{
	struct dtls_assoc *assoc = dtls_sock_assoc(ds);

	return assoc && smp_load_acquire(&assoc->eof);	/* end_of_file() */
}

/* Return true if UDP has a datagram for us. */
static inline bool dtls_wait_udp_unread(const struct sock *sk)
{
	return !skb_queue_empty_lockless(&sk->sk_receive_queue) ||
	       !skb_queue_empty_lockless(&udp_sk(sk)->reader_queue);
}

/* Return true if something was received that nobody has looked at. */
static inline bool dtls_wait_unread(const struct dtls_sock *ds)
{
	return READ_ONCE(ds->current_dgram.skb) ||
	       dtls_wait_udp_unread(ds->sk) ||
	       READ_ONCE(ds->kept_dgram.skb) || !list_empty(&ds->pending);
}

/* How many datagrams there are now; what comes later wakes by itself. */
static inline unsigned int dtls_wait_queued(const struct dtls_sock *ds)
{
	return skb_queue_len_lockless(&ds->sk->sk_receive_queue) +
	       skb_queue_len_lockless(&udp_sk(ds->sk)->reader_queue);
}

/* The records of @rx were taken in. The caller owes them a dtls_wait_done(). */
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
void dtls_wait_wake_next(struct dtls_sock *ds);
void dtls_wait_missed(struct dtls_sock *ds);
bool __dtls_wait_nothing(struct dtls_sock *ds);
void dtls_wait_done(struct dtls_sock *ds, struct dtls_run *rx);
bool dtls_wait_shut(struct dtls_sock *ds, unsigned int seen);
void dtls_wait_busy_poll(struct dtls_sock *ds, bool nonblock);
int dtls_wait_sleep(struct dtls_sock *ds, const struct dtls_waiter *waiter);

/* As __dtls_wait_nothing(), without the lock where there is something */
static inline bool dtls_wait_nothing(struct dtls_sock *ds)
{
	return !dtls_wait_unread(ds) && __dtls_wait_nothing(ds);
}

#endif /* _DTLS_WAIT_H */
