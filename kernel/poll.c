// SPDX-License-Identifier: GPL-2.0
/*
 * poll() and FIONREAD give exact answers: a datagram may hold no record for the
 * caller, so they open records, and keep them, until one of them answers the question.
 */
#include <linux/poll.h>
#include <net/sock.h>

#include "intake.h"
#include "look.h"
#include "msg.h"
#include "poll.h"
#include "reader.h"
#include "ready.h"
#include "sock.h"
#include "wait.h"

/*
 * look_for() returns true if there is an application record or, with @control, a
 * control record. It opens records until there is one, so the answer is certain. An
 * error that was pending on the socket is put back. The function also returns true if
 * there is no memory to open records: then recvmsg() tells the user, whom nothing
 * might wake if poll() reported no event.
 */
static bool look_for(struct dtls_sock *ds, bool control)
{
	struct list_head *queue = control ? &ds->control : &ds->ready;
	struct dtls_reader r = {
		.ds = ds,
		.flags = control ? MSG_PEEK | MSG_OOB : MSG_PEEK,
		.budget = DTLS_BUDGET_UNSET,
	};
	int err = 0;

	while (!err && list_empty(queue)) {
		err = dtls_look(&r);
		/*
		 * If the ready queue has room, -ENOBUFS means that memory was
		 * short for one record, behind which others may follow.
		 */
		if (err == -ENOBUFS && dtls_ready_has_room(ds))
			err = 0;
	}
	if (err == -ENOMEM)
		return true;
	/* No caller looks for a record while there is an error, so this wakes once. */
	if (err && err != -EAGAIN && err != -ENOBUFS && err != -EINTR)
		dtls_wait_put_error(ds->sk, err);
	return !list_empty(queue);
}

/*
 * poll_ended() returns true if the end of file has come and all records before it are
 * read. @shut is what dtls_wait_is_shut() returned before poll() looked for records. If the
 * function returns false, the task that polls is woken when that changes.
 */
static bool poll_ended(struct dtls_sock *ds, bool shut)
{
	/* The acquire pairs with the release in dtls_wait_news(). */
	unsigned int seen = smp_load_acquire(&ds->news);
	bool closed = dtls_wait_closed(ds);

	return list_empty(&ds->ready) &&
	       (closed || dtls_wait_shut(ds, seen, shut));
}

/*
 * poll_records() returns the events that have come: those in @asked, and others if no
 * record has to be opened to know. It looks for control records behind application
 * data that nobody reads, and for data behind control records. Sleeps.
 */
static __poll_t poll_records(struct dtls_sock *ds, __poll_t asked)
{
	bool shut = dtls_wait_is_shut(ds);
	__poll_t mask = 0;

	if (READ_ONCE(ds->poll_control) &&
	    (asked & EPOLLPRI ? look_for(ds, true) :
				!list_empty(&ds->control)))
		mask |= EPOLLPRI;
	if (asked & (EPOLLIN | EPOLLRDNORM | EPOLLRDHUP) &&
	    look_for(ds, false))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (poll_ended(ds, shut))
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	return mask;
}

/* dtls_poll() is the poll of struct proto_ops. */
__poll_t dtls_poll(struct file *file, struct socket *sock,
		   struct poll_table_struct *wait)
{
	__poll_t asked = poll_requested_events(wait);
	struct sock *sk = sock->sk;
	struct dtls_sock *ds = dtls_sk(sk);
	__poll_t mask = 0;

	sock_poll_wait(file, sock, wait);

	/*
	 * Opening records may find an error, so sk_err is read afterwards. If
	 * there is an error already, no record is opened, as that would clear
	 * the error.
	 */
	mask |= poll_records(ds, READ_ONCE(sk->sk_err) ? 0 : asked);

	if (READ_ONCE(sk->sk_err) ||
	    !skb_queue_empty_lockless(&sk->sk_error_queue))
		mask |= EPOLLERR |
			(sock_flag(sk, SOCK_SELECT_ERR_QUEUE) ? EPOLLPRI : 0);

	if (READ_ONCE(sk->sk_shutdown) == SHUTDOWN_MASK)
		mask |= EPOLLHUP;

	if (sock_writeable(sk))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	else
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	return mask;
}

/*
 * dtls_poll_inq() is the ioctl FIONREAD: it sets @bytes to the length of the next
 * application record, or to 0 if there is none. Sleeps.
 */
int dtls_poll_inq(struct sock *sk, int *bytes)
{
	struct dtls_sock *ds = dtls_sk(sk);
	struct dtls_msg *m = NULL;
	int off = 0;

	*bytes = 0;
	/* Like poll() the function looks for no record while there is an error. */
	if (READ_ONCE(sk->sk_err) || look_for(ds, false))
		m = dtls_ready_peek(ds, &off);
	if (m)
		*bytes = m->len;
	dtls_msg_put(ds, m);
	return 0;
}
