// SPDX-License-Identifier: GPL-2.0
/*
 * This file puts readers to sleep, wakes them, and tracks the runs of records that
 * tasks carry from the intake to a queue or to a user. recvmsg.c decides what a reader
 * waits for.
 *
 * A datagram wakes one taker, which is a task that will take application data,
 * and every other waiter. Only takers wait exclusively: if a task that reads control
 * records, peeks or polls did, it could consume the wake-up of a taker.
 *
 * A record that one task is opening is in no queue, so another task may look
 * and find nothing. Such a look sets the member missed of all runs that are carried.
 * The task that carries such a run wakes the waiters when the run is done and
 * something is left to read.
 *
 * Wake-ups carry no key (the events in a wake-up). io_uring would take the key for the
 * answer of poll(), but only dtls_poll() can tell whether there is something to read.
 */
#include <linux/poll.h>
#include <linux/wait.h>
#include <net/busy_poll.h>
#include <net/sock.h>

#include "assoc.h"
#include "compat.h"
#include "run.h"
#include "sock.h"
#include "wait.h"

/*
 * wake_tasks() wakes @takers tasks that wait exclusively, or all of them if @takers is
 * 0, and all tasks that wait otherwise. The wake-up carries no events: a datagram may hold
 * no record for the task that is woken, and io_uring believes events without a look at the
 * socket. So a task that waits in epoll with EPOLLEXCLUSIVE for EPOLLOUT alone can take
 * the wake-up of a reader.
 */
static void wake_tasks(struct sock *sk, int takers)
{
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		__wake_up(&wq->wait, TASK_INTERRUPTIBLE, takers, NULL);
	sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN);
	rcu_read_unlock();
}

/* dtls_wait_wake() wakes every waiter, so that each looks at the socket again. */
void dtls_wait_wake(struct sock *sk)
{
	wake_tasks(sk, 0);
}

/* dtls_wait_wake_one() wakes one taker and all tasks that are no takers. */
void dtls_wait_wake_one(struct sock *sk)
{
	wake_tasks(sk, 1);
}

/*
 * dtls_wait_put_error() puts @err back, a negative error that the caller has taken from the
 * socket. A task that the error woke may have found none meanwhile and waits again, so it is
 * woken once more.
 */
void dtls_wait_put_error(struct sock *sk, int err)
{
	WRITE_ONCE(sk->sk_err, -err);
	sk_error_report(sk);
}

/*
 * dtls_wait_data_ready() is the sk_data_ready of the socket: UDP received a
 * datagram. As with plain UDP the wake-up is synchronous: the scheduler may expect
 * the waking task to sleep soon. Runs in softirq.
 */
void dtls_wait_data_ready(struct sock *sk)
{
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_sync_poll(&wq->wait, 0);
	sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN);
	rcu_read_unlock();
}

/* ---- runs that are carried ---- */

/*
 * dtls_wait_missed() marks all runs that are carried as missed, after a task has
 * looked at the socket and found nothing. The tasks that carry them will wake the
 * waiters if something is left to read. The caller holds dtls_sock.lock.
 */
void dtls_wait_missed(struct dtls_sock *ds)
{
	struct dtls_run *rx;

	lockdep_assert_held(&ds->lock);
	hlist_for_each_entry(rx, &ds->carried, carried)
		rx->missed = true;
}

/*
 * __dtls_wait_nothing() returns true if no received record is left to look at. Then
 * the caller is woken by datagrams that come later, and by tasks that now carry
 * records if they leave something to read. Takes dtls_sock.lock.
 */
bool __dtls_wait_nothing(struct dtls_sock *ds)
{
	bool nothing;

	spin_lock(&ds->lock);
	nothing = !dtls_wait_unread(ds);
	if (nothing)
		dtls_wait_missed(ds);
	spin_unlock(&ds->lock);
	return nothing;
}

/*
 * end_of_file() handles the peer's close_notify, which was in @rx. The association's
 * records that were taken in before @rx come before the end of file. So if another run
 * of the association that is older than @rx is still carried, the goodbye is passed on
 * to it, and the end of file comes when that run is done. The caller holds
 * dtls_sock.lock. Returns true if the end of file has come.
 */
static bool end_of_file(struct dtls_sock *ds, struct dtls_run *rx)
{
	struct dtls_run *older = rx;

	lockdep_assert_held(&ds->lock);
	hlist_for_each_entry_continue(older, carried) {
		if (older->assoc == rx->assoc) {
			older->goodbye = true;
			return false;
		}
	}
	/* The release pairs with the acquire in dtls_wait_closed(). */
	smp_store_release(&rx->assoc->eof, true);
	dtls_wait_news(ds);
	return true;
}

/* WAKE_HOME means the waiters of the socket that has peeled the association off. */
enum whom { WAKE_NOBODY, WAKE_ONE, WAKE_ALL, WAKE_HOME };

/*
 * whom_to_wake() tells which waiters must be woken when @rx, which was missed or had
 * the goodbye, is done. The caller holds dtls_sock.lock.
 */
static noinline enum whom whom_to_wake(struct dtls_sock *ds,
				       struct dtls_run *rx)
{
	lockdep_assert_held(&ds->lock);
	if (rx->goodbye && end_of_file(ds, rx)) {
		if (rx->assoc == ds->assoc)
			return WAKE_ALL;
		if (rcu_access_pointer(rx->assoc->home) != ds)
			return WAKE_HOME;
	}
	if (!rx->missed)
		return WAKE_NOBODY;
	if (dtls_wait_is_shut(ds))
		return WAKE_ALL;
	if (!list_empty(&ds->ready) || !list_empty(&ds->control) ||
	    dtls_wait_unread(ds))
		return WAKE_ONE;
	return WAKE_NOBODY;
}

/*
 * wake_home() wakes the socket that has peeled @assoc off, as a run on another socket has
 * brought the end of file of @assoc.
 */
static noinline void wake_home(struct dtls_sock *ds,
			       const struct dtls_assoc *assoc)
{
	struct dtls_sock *home = dtls_sock_lock_home(ds, assoc);

	dtls_wait_news(home);
	dtls_wait_unlock_home(ds, home);
}

/*
 * dtls_wait_done() notes that @rx is carried no more, as its records are with the user,
 * in a queue, or dropped. It wakes waiters if need be, and puts the references of @rx.
 * Sleeps.
 */
void dtls_wait_done(struct dtls_sock *ds, struct dtls_run *rx)
{
	enum whom whom = WAKE_NOBODY;

	spin_lock(&ds->lock);
	if (unlikely(rx->goodbye || rx->missed))
		whom = whom_to_wake(ds, rx);
	__hlist_del(&rx->carried);
	spin_unlock(&ds->lock);

	if (unlikely(whom == WAKE_HOME)) {
		wake_home(ds, rx->assoc);
		/* A task that waits for shutdown() on @ds may have missed @rx. */
		if (rx->missed)
			wake_tasks(ds->sk, 0);
	} else if (unlikely(whom != WAKE_NOBODY)) {
		wake_tasks(ds->sk, whom == WAKE_ONE ? 1 : 0);
	}
	dtls_assoc_put(rx->assoc);
	/* The skb of a longer run is not a dropped one, as records were read. */
	if (unlikely(rx->why && rx->n == 1))
		dtls_skb_drop(ds->sk, rx->skb, rx->why);
	else
		consume_skb(rx->skb);
}

/**
 * dtls_wait_shut() - tell whether shutdown() has brought the end of file
 * @ds:		socket
 * @seen:	dtls_sock.news when the caller began to look at the queues and
 *		at what was received, and found nothing
 * @shut:	what dtls_wait_is_shut() returned then. A shutdown that came later has not
 *		brought the end of file yet, as records may have come before it which the
 *		caller's budget does not cover
 *
 * Records that are still carried come before the end of file. If there are any, the
 * caller is woken when they are done. Takes dtls_sock.lock.
 *
 * Return: true if the socket is shut down for reading and nothing is left to read.
 */
bool dtls_wait_shut(struct dtls_sock *ds, unsigned int seen, bool shut)
{
	if (!dtls_wait_is_shut(ds))
		return false;
	spin_lock(&ds->lock);
	shut = shut && hlist_empty(&ds->carried) && ds->news == seen;
	dtls_wait_missed(ds);
	spin_unlock(&ds->lock);
	return shut;
}

/* ---- sleeping ---- */

/*
 * wake_reader() is the wake function of a reader's wait entry. It ignores wake-ups for
 * writers, which come when sent datagrams are freed. A wake-up without a key may be
 * for any waiter.
 */
static int wake_reader(struct wait_queue_entry *entry, unsigned int mode,
		       int sync, void *key)
{
	if (key && !(key_to_poll(key) & (EPOLLIN | EPOLLERR)))
		return 0;
	return autoremove_wake_function(entry, mode, sync, key);
}

/*
 * has_news() returns true if something has changed since a reader began to look, when
 * dtls_sock.news was @seen.
 */
static bool has_news(struct dtls_sock *ds, unsigned int seen)
{
	return READ_ONCE(ds->news) != seen || READ_ONCE(ds->sk->sk_err) ||
	       (dtls_wait_is_shut(ds) && hlist_empty(&ds->carried));
}

/*
 * dtls_wait_busy_poll() polls the network driver for datagrams once if the socket has
 * SO_BUSY_POLL, for a reader that does not wait. The function sleeps. So it is called
 * here and not by __skb_recv_udp(), which take_datagram() calls under dtls_sock.lock.
 */
void dtls_wait_busy_poll(struct dtls_sock *ds)
{
	struct sock *sk = ds->sk;

	if (sk_can_busy_loop(sk) && !dtls_wait_unread(ds))
		sk_busy_loop(sk, true);
}

/* struct busy_wait is what ends_busy_loop() needs to know. */
struct busy_wait {
	struct dtls_sock *ds;
	unsigned int seen;
};

#ifdef CONFIG_NET_RX_BUSY_POLL
/*
 * ends_busy_loop() ends the polling that began at @start. A record may come another way
 * than from the driver: from a task that was opening it, or with a key. A signal ends the
 * polling, too.
 */
static bool ends_busy_loop(void *arg, unsigned long start)
{
	const struct busy_wait *wait = arg;
	struct dtls_sock *ds = wait->ds;

	return dtls_wait_unread(ds) || has_news(ds, wait->seen) ||
	       signal_pending(current) || sk_busy_loop_timeout(ds->sk, start);
}
#endif

/*
 * busy_wait() polls the network driver until there may be something to read, or the time
 * of SO_BUSY_POLL is over. It does what sk_busy_loop() does, with an end of its own.
 */
static void busy_wait(struct dtls_sock *ds, unsigned int seen)
{
#ifdef CONFIG_NET_RX_BUSY_POLL
	struct busy_wait wait = { .ds = ds, .seen = seen };
	const struct sock *sk = ds->sk;

	if (sk_can_busy_loop(ds->sk) && !dtls_wait_unread(ds))
		napi_busy_loop(READ_ONCE(sk->sk_napi_id), ends_busy_loop, &wait,
			       READ_ONCE(sk->sk_prefer_busy_poll),
			       READ_ONCE(sk->sk_busy_poll_budget) ?:
			       BUSY_POLL_BUDGET);
#endif
}

/* time_left() returns the jiffies until the deadline of @waiter. */
static long time_left(const struct dtls_waiter *waiter)
{
	if (!waiter->limited)
		return MAX_SCHEDULE_TIMEOUT;
	return max((long)(waiter->deadline - jiffies), 0L);
}

/*
 * sleep_interruptibly() sleeps until @waiter, which is in the wait queue, is woken. The
 * task has looked before it was in the queue, so a datagram that came afterwards has not
 * woken it, and a task that took the datagram meanwhile may carry it now. This last look
 * marks that run as missed, before the look at dtls_sock.news: the record is in a queue by
 * now, or comes with a wake-up. Returns what dtls_wait_sleep() returns.
 */
static int sleep_interruptibly(struct dtls_sock *ds,
			       const struct dtls_waiter *waiter)
{
	long left = time_left(waiter);

	if (signal_pending(current))
		return sock_intr_errno(left);
	if (!left)
		return -EAGAIN;
	if (dtls_wait_nothing(ds) && !has_news(ds, waiter->seen))
		schedule_timeout(left);
	return 0;
}

/**
 * dtls_wait_sleep() - sleep until there may be something to read
 * @ds:		socket
 * @waiter:	the reader that waits, which has looked and found nothing
 *
 * Signals and the deadline are checked here, between the looks of the caller, each of
 * which is bounded by its budget.
 *
 * Return: 0 if the caller shall look again; -EAGAIN if the deadline has passed; or
 * an error of sock_intr_errno().
 */
int dtls_wait_sleep(struct dtls_sock *ds, const struct dtls_waiter *waiter)
{
	wait_queue_head_t *queue = sk_sleep(ds->sk);
	DEFINE_WAIT_FUNC(entry, wake_reader);
	int err;

	busy_wait(ds, waiter->seen);

	if (waiter->taker) {
		atomic_inc(&ds->takers);
		prepare_to_wait_exclusive(queue, &entry, TASK_INTERRUPTIBLE);
	} else {
		prepare_to_wait(queue, &entry, TASK_INTERRUPTIBLE);
	}
	err = sleep_interruptibly(ds, waiter);
	finish_wait(queue, &entry);
	if (waiter->taker)
		atomic_dec(&ds->takers);
	/*
	 * A taker that leaves may have consumed the wake-up of a datagram that another
	 * task carries now, which has to wake the next taker. What is not taken yet
	 * dtls_wait_wake_next() sees.
	 */
	if (err)
		dtls_wait_nothing(ds);
	return err;
}
