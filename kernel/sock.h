/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This header has the state of an attached socket and of the datagrams that it
 * cuts into records.
 */
#ifndef _DTLS_SOCK_H
#define _DTLS_SOCK_H

#include <linux/in6.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/udp.h>
#include <net/sock.h>

#include "assoc.h"

struct dtls_cork;
struct dtls_table;

/**
 * struct dtls_dgram - a datagram, maybe a coalesced one, that is cut into records
 * @skb:	one reference; NULL: the datagram is used up
 * @assoc:	the association that the datagram belongs to: one reference, valid
 *		if @skb is set
 * @serial:	number of the datagram, unique on the socket. If parts of a coalesced
 *		datagram belong to different associations, each part has its own
 * @pos:	where in @skb the next record begins
 * @seg_len:	bytes of each datagram but the last, if @skb is a coalesced one
 * @seg_end:	where in @skb the datagram ends that @pos is in
 * @end:	where in @skb the last datagram ends
 * @piece:	address of the bytes @piece_start to @piece_end of @skb; NULL if they
 *		have no address
 * @piece_start: where in @skb the bytes at @piece begin
 * @piece_end:	where in @skb the bytes at @piece end
 * @piece_next:	index of the fragment of @skb that follows @piece
 * @has_cid:	a connection ID that this end asked for stands before @pos in
 *		the datagram
 * @begun:	dtls_sort_begin() has found the association of the datagram and
 *		checked that it is DTLS. Unused on a socket that needs neither
 * @intact:	the UDP checksum of @skb was verified
 * @cut:	a record was cut out of @skb
 * @junk:	points of the datagram's records that were of no use or could not be
 *		verified; see DTLS_DGRAM_JUNK_MAX
 * @piece_ours:	@piece is memory that nobody else writes to
 *
 * The members from @has_cid to @junk are all zero when a datagram begins, and lie side by
 * side, so that one store clears them.
 *
 * dtls_sock.lock guards all members.
 */
struct dtls_dgram {
	struct sk_buff *skb;
	struct dtls_assoc *assoc;
	u64 serial;
	unsigned int pos;
	unsigned int seg_len;
	unsigned int seg_end;
	unsigned int end;
	unsigned int piece_start;
	unsigned int piece_end;
	unsigned int piece_next;
	const u8 *piece;
	bool has_cid;
	bool begun;
	bool intact;
	bool cut;
	unsigned int junk;
	bool piece_ours;
};

/**
 * struct dtls_sock - an attached socket
 * @sk:		the socket, whose sk_user_data points here
 * @base:	UDP's struct proto, which the socket had before the attach
 * @base_ops:	UDP's struct proto_ops, which the socket had before the attach
 * @data_ready:	the sk_data_ready that the socket had before the attach
 * @stats:	the DTLS_STAT_MAX counters of the network namespace of @sk, which holds
 *		a reference to the namespace
 * @setup:	mutex that serialises the first key, making the table, connect and
 *		disconnect. A task takes it outside dtls_assoc.setup
 * @retiring:	the associations with old read keys
 * @rcu:	frees the structure after the close
 * @assoc:	the association with the peer that the socket is connected to. On a
 *		socket with a table it stands for strangers: it never gets a key, and
 *		counts what strangers send. Written once, by dtls_peel(), under @setup
 *		and @lock
 * @former:	the association that the socket had before it peeled @assoc off, or NULL.
 *		Runs of records may still belong to it
 * @origin:	the table that @assoc was peeled off from: one reference; or NULL
 * @table:	the table of associations of a socket that is not connected, or NULL.
 *		Written once, under @setup and the socket's lock
 * @peer_addr:	the address that the socket was connected to when the first key
 *		came; an IPv4 address is a v4-mapped one. Written under @setup and
 *		the socket's lock
 * @peer_port:	the port that the socket was connected to when the first key came.
 *		Written under @setup and the socket's lock
 * @lock:	spin lock that guards the intake and the members from @serial to
 *		@adopts. A task takes it outside dtls_assoc.lock, and in
 *		process context only
 * @serial:	serial of the datagram that was taken in last
 * @current_dgram: the datagram that was taken from UDP's queue last
 * @kept_dgram:	the datagram that was taken from @pending last. Its records come
 *		before those of @current_dgram
 * @pending:	early records whose key has come, and datagrams given back with
 *		DTLS_FEED
 * @early:	records whose key has not come, of all associations, the oldest
 *		first
 * @ready:	application records that poll or MSG_PEEK has opened
 * @control:	control records and events, which a reader with MSG_OOB gets
 * @raw:	the records in @control that are not authenticated, the oldest
 *		first
 * @early_bytes: memory of early records in @early and @pending
 * @raw_bytes:	memory of the records in @raw
 * @control_bytes: memory of the authenticated records in @control
 * @event_bytes: memory of the events in @control
 * @carried:	the runs of records that tasks are carrying from the intake to a
 *		reader or a queue, the newest first
 * @news:	count of what was put into @ready and @control, and of ends of file. A
 *		reader compares it to find out whether it missed something
 * @ready_bytes: memory of the records in @ready
 * @turned_away: a task that polls could not look for control records behind
 *		application data, as @ready was full
 * @adopts:	dtls_peel() moves what the table's socket has received for @assoc, which
 *		comes in beyond the receive buffer
 * @takers:	how many tasks sleep in recvmsg for application data
 * @gro:	UDP coalesces datagrams for this socket
 * @user_gro:	the user set UDP_GRO
 * @poll_control: the user set DTLS_POLL_CONTROL to get EPOLLPRI for control records
 * @pass:	the user set DTLS_PASS to read datagrams of other protocols
 * @corked:	the user set UDP_CORK
 * @gso_size:	the value that the user gave to UDP_SEGMENT, in bytes of plaintext
 * @cork_lock:	mutex that guards @cork
 * @cork:	records that wait for the end of their datagram, or NULL
 *
 * Lifetime: made by the attach, under the socket's lock. After dtls_close() the socket
 * is a plain UDP socket for the rest of its release, and RCU frees the structure.
 * System calls on the socket's file use the structure, and close() comes after all of
 * them. The work of @retiring uses it, too, until dtls_close() stops that work. Tasks of
 * a socket that @assoc was peeled off from find it under RCU, and queue records under
 * @lock while dtls_assoc.home points to it. Of this module only dtls_wait_data_ready()
 * and an RCU callback run in softirq, and they do not use the structure.
 */
struct dtls_sock {
	struct sock *sk;
	struct proto *base;
	const struct proto_ops *base_ops;
	void (*data_ready)(struct sock *sk);
	u64 __percpu *stats;

	struct mutex setup;	/* The mutex serialises key, table and connect. */
	struct dtls_retiring retiring;
	struct rcu_head rcu;
	struct dtls_assoc *assoc;
	struct dtls_assoc *former;
	struct dtls_table *origin;
	struct dtls_table *table;
	struct in6_addr peer_addr;
	__be16 peer_port;

	spinlock_t lock;	/* The lock guards the intake and the queues. */
	u64 serial;
	struct dtls_dgram current_dgram;
	struct dtls_dgram kept_dgram;
	struct list_head pending;
	struct list_head early;
	struct list_head ready;
	struct list_head control;
	struct list_head raw;
	unsigned int early_bytes;
	unsigned int raw_bytes;
	unsigned int control_bytes;
	unsigned int event_bytes;
	struct hlist_head carried;
	unsigned int news;
	unsigned int ready_bytes;
	bool turned_away;
	bool adopts;
	atomic_t takers;
	bool gro;
	bool user_gro;
	bool poll_control;
	bool pass;

	bool corked;
	u16 gso_size;
	struct mutex cork_lock;	/* The mutex guards @cork. */
	struct dtls_cork *cork;
};

/*
 * Return the structure of the attached socket @sk. The caller was called through the
 * socket's proto or proto_ops, which swap_ops() writes after sk_user_data. The socket
 * layer reads those pointers without acquire semantics, so the barrier is here.
 */
static inline struct dtls_sock *dtls_sk(const struct sock *sk)
{
	/* The barrier pairs with smp_store_release() in swap_ops(). */
	smp_rmb();
	return rcu_dereference_raw(__sk_user_data(sk));
}

/* Return the table of a socket with many associations, or NULL. */
static inline struct dtls_table *dtls_sock_table(const struct dtls_sock *ds)
{
	/* The acquire pairs with the release in make_table(). */
	return smp_load_acquire(&ds->table);
}

/*
 * Return the number that @assoc has on @ds. It is 0 if @assoc is the association of the
 * connected socket @ds, also if @assoc was peeled off and has another number in its table.
 */
static inline u64 dtls_sock_number(const struct dtls_sock *ds,
				   const struct dtls_assoc *assoc)
{
	return likely(assoc == READ_ONCE(ds->assoc)) ? 0 : assoc->id;
}

/*
 * Return true if @ds, whose lock is held, has @assoc, so that records of @assoc may be
 * queued on @ds.
 */
static inline bool dtls_sock_has(const struct dtls_sock *ds,
				 const struct dtls_assoc *assoc)
{
	lockdep_assert_held(&ds->lock);
	return rcu_access_pointer(assoc->home) == ds;
}

/*
 * Lock the socket that has @assoc, in a call on @ds, and return that socket. It is another
 * socket than @ds if another one has peeled @assoc off meanwhile. If @assoc was deleted or
 * its socket is closed, no socket has it; then @ds is locked, and dtls_sock_has() returns
 * false. dtls_assoc.home changes under the lock of the socket that it points to, and RCU
 * keeps the memory of that socket until the lock is taken. dtls_wait_unlock_home()
 * unlocks the socket.
 */
static inline struct dtls_sock *
dtls_sock_lock_home(struct dtls_sock *ds, const struct dtls_assoc *assoc)
	__acquires(&ds->lock)
{
	struct dtls_sock *home, *now;

	rcu_read_lock();
	do {
		home = rcu_dereference(assoc->home) ?: ds;
		spin_lock(&home->lock);
		now = rcu_access_pointer(assoc->home) ?: ds;
		if (likely(now == home))
			break;
		spin_unlock(&home->lock);
	} while (true);
	rcu_read_unlock();
	return home;
}

/*
 * Return true if UDP gives the datagrams of the socket to IPsec or to a tunnel
 * (UDP_ENCAP). UDP sets that without the socket's lock.
 */
static inline bool dtls_sock_has_encap(const struct sock *sk)
{
	return READ_ONCE(udp_sk(sk)->encap_type) ||
	       READ_ONCE(udp_sk(sk)->encap_rcv);
}

/*
 * Return true if a call that was inside UDP when the attach came has set
 * UDP_SEGMENT or UDP_CORK there. See dtls_sock_take_options().
 */
static inline bool dtls_sock_options_came(const struct sock *sk)
{
	return unlikely(READ_ONCE(udp_sk(sk)->gso_size) ||
			udp_test_bit(CORK, sk));
}

void dtls_sock_release_cb(struct sock *sk);
void dtls_sock_take_options_locked(struct dtls_sock *ds);
void dtls_sock_take_options(struct dtls_sock *ds);
int __must_check dtls_sock_bind_peer(struct dtls_sock *ds);
void dtls_sock_keep_peer(struct dtls_sock *ds);

#endif /* _DTLS_SOCK_H */
