/* SPDX-License-Identifier: GPL-2.0 */
/* An attached socket, and the datagram that is being cut. */
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
 * @serial:	a number that no other datagram of the socket has, nor what other
 *		associations have of a coalesced one
 * @pos:	where in @skb the next record begins
 * @seg_len:	bytes of each datagram but the last, if @skb is a coalesced one
 * @seg_end:	where in @skb the datagram ends that @pos is in
 * @end:	where in @skb the last datagram ends
 * @piece:	the bytes @piece_start to @piece_end of @skb in memory; NULL:
 *		they have no address
 * @piece_start: see @piece
 * @piece_end:	see @piece; 0: no piece was looked for yet
 * @piece_next:	index of the fragment of @skb that follows @piece
 * @piece_ours:	@piece is memory that nobody else writes to
 * @has_cid:	a connection ID that this end asked for stands before @pos in
 *		the datagram
 * @begun:	what concerns the datagram as a whole was looked at: whose it is, and
 *		if it is DTLS at all; unused where neither is asked
 * @intact:	the UDP checksum of @skb was verified
 * @cut:	a record was cut out of @skb
 * @junk:	how many records of the datagram were malformed, forged, or had
 *		no key
 *
 * Under dtls_sock.lock.
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
	bool piece_ours;
	bool has_cid;
	bool begun;
	bool intact;
	bool cut;
	unsigned int junk;
};

/**
 * struct dtls_sock - an attached socket
 * @sk:		the socket, whose sk_user_data points here
 * @base:	UDP's struct proto, which the socket had before the attach
 * @base_ops:	likewise its struct proto_ops
 * @data_ready:	likewise its sk_data_ready
 * @stats:	the DTLS_STAT_MAX counters of its network namespace, which @sk
 *		holds
 * @setup:	mutex around the first key, connect and disconnect. Taken outside
 *		of dtls_assoc.setup
 * @retiring:	associations with old read keys
 * @assoc:	the association with the peer that the socket is connected to. If
 *		there is a table, it stands for nobody: it never gets a key, and
 *		counts what strangers send
 * @table:	the associations of a socket that is not connected, or NULL. Set
 *		once, under @setup and the socket's lock
 * @peer_addr:	the address that the socket was connected to when the first key
 *		came; an IPv4 address is a mapped one. Written under @setup and
 *		the socket's lock
 * @peer_port:	likewise the port
 * @lock:	spin lock around the intake, and the lists and figures below.
 *		Taken in process context alone, outside of dtls_assoc.lock
 * @serial:	the number that the datagram taken in last has
 * @current_dgram: the datagram that was taken from UDP's queue last
 * @kept_dgram:	likewise from @pending, whose records come first
 * @pending:	early records whose key has come, and datagrams given back with
 *		DTLS_FEED
 * @early:	records whose key has not come, of all associations, the oldest
 *		first
 * @ready:	application records that poll or MSG_PEEK has opened
 * @control:	all other records, for MSG_OOB
 * @raw:	the records in @control that are not authenticated, the oldest
 *		first
 * @early_bytes: memory of early records in @early and @pending
 * @raw_bytes:	memory of the records in @raw
 * @control_bytes: memory of the other records in @control
 * @carried:	the runs of records that tasks are carrying from the intake to a
 *		reader or a queue, the newest first
 * @news:	goes up when something is put into @ready or @control, and at
 *		the end of file
 * @ready_bytes: memory of the records in @ready
 * @turned_away: a poller could not look for control records behind application
 *		data, as @ready was full
 * @takers:	how many tasks sleep in recvmsg for application data
 * @gro:	UDP coalesces datagrams for this socket
 * @user_gro:	the user asked for UDP_GRO
 * @poll_control: the user asked for EPOLLPRI on control records
 * @pass:	the user wants to read what is not DTLS
 * @corked:	the user's UDP_CORK
 * @gso_size:	the user's UDP_SEGMENT, in bytes of plaintext
 * @cork_lock:	mutex around @cork
 * @cork:	records that wait for the end of their datagram, or NULL
 *
 * Lifetime: made by the attach, under the socket's lock, and freed in close(),
 * after which the socket is a plain UDP socket for the rest of its release.
 * Every use is from a system call on the socket's file, and close() cannot
 * overtake such a call. dtls_wait_data_ready() is the one function of this
 * module that runs in softirq, and it does not look here.
 */
struct dtls_sock {
	struct sock *sk;
	struct proto *base;
	const struct proto_ops *base_ops;
	void (*data_ready)(struct sock *sk);
	u64 __percpu *stats;

	struct mutex setup;	/* for the first key, connect, disconnect */
	struct dtls_retiring retiring;
	struct dtls_assoc *assoc;
	struct dtls_table *table;
	struct in6_addr peer_addr;
	__be16 peer_port;

	spinlock_t lock;	/* for the intake, and what follows */
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
	struct hlist_head carried;
	unsigned int news;
	unsigned int ready_bytes;
	bool turned_away;
	atomic_t takers;
	bool gro;
	bool user_gro;
	bool poll_control;
	bool pass;

	bool corked;
	u16 gso_size;
	struct mutex cork_lock;	/* guards @cork */
	struct dtls_cork *cork;
};

/*
 * Return the structure of an attached socket. The caller was called by way of
 * the socket's proto or proto_ops, which swap_ops() writes after sk_user_data.
 * The entry there was read without acquire semantics, so the barrier is here.
 */
static inline struct dtls_sock *dtls_sk(const struct sock *sk)
{
	smp_rmb();	/* pairs with smp_store_release() in swap_ops() */
	return rcu_dereference_raw(__sk_user_data(sk));
}

/* Return the table of a socket with many associations, or NULL. */
static inline struct dtls_table *dtls_sock_table(const struct dtls_sock *ds)
{
	return smp_load_acquire(&ds->table);	/* pairs with make_table() */
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

#endif /* _DTLS_SOCK_H */
