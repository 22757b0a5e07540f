/* SPDX-License-Identifier: GPL-2.0 */
/* An attached socket */
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

struct dtls_assoc;
struct dtls_cork;

/**
 * struct dtls_dgram - a datagram, or a coalesced one, being cut into records
 * @skb:	one reference; NULL: used up
 * @serial:	tells it from every other one of the socket
 * @pos:	where the next record starts
 * @seg_len:	bytes of each datagram but the last in a coalesced @skb
 * @seg_end:	end of the datagram within it
 * @end:	end of what is ours
 * @piece:	where bytes @piece_start to @piece_end of @skb lie in memory, or
 *		NULL if that cannot be told
 * @piece_start: in @skb
 * @piece_end:	in @skb; 0: not looked for yet
 * @piece_next:	fragment of @skb that follows
 * @piece_ours:	nobody else writes to @piece
 * @has_cid:	a connection ID of ours stands before @pos in the datagram
 * @intact:	the checksum of @skb was looked at, and is right
 * @cut:	a record was cut out of @skb
 * @junk:	records of the datagram that were malformed, of no key or forged
 */
struct dtls_dgram {
	struct sk_buff *skb;
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
	bool intact;
	bool cut;
	unsigned int junk;
};

/**
 * struct dtls_sock - an attached socket
 * @sk:		the socket; holds this structure as its sk_user_data
 * @base:	its own proto
 * @base_ops:	its own proto_ops
 * @data_ready:	its own sk_data_ready
 * @stats:	its network namespace's, which @sk holds: DTLS_STAT_MAX of them
 * @setup:	mutex: keys, connect and disconnect
 * @assoc:	the association of a connected socket; set once, by the first
 *		key. (A server's socket will have a table of them.)
 * @peer_addr:	whom the socket was connected to then (IPv4: a mapped address);
 *		written under the setup mutex and the socket's lock
 * @peer_port:	likewise
 * @replay_window: for associations to come
 * @lock:	intake, and the lists and figures below; taken in process
 *		context alone, around struct dtls_assoc's
 * @serial:	of the datagram taken last
 * @current_dgram: what was taken from UDP's queue last, if not yet used up
 * @kept_dgram:	likewise from @pending, whose records come first
 * @pending:	early records whose key has come, datagrams given back
 * @early:	records whose key is still to come, the oldest first
 * @ready:	application records opened for poll or MSG_PEEK
 * @control:	everything else, for MSG_OOB
 * @raw:	those of @control that are not authenticated, the oldest first
 * @early_bytes: memory of early records in @early and @pending
 * @raw_bytes:	memory of @raw
 * @control_bytes: memory of the rest of @control
 * @carried:	runs of records from the intake to dtls_wait_done(), newest
 *		first
 * @news:	counts what was put into @ready or @control, and the end of file
 * @ready_bytes: memory of @ready
 * @turned_away: a poller could not look for control records behind data, for
 *		want of room in @ready
 * @takers:	readers of application data that are asleep in recvmsg
 * @gro:	UDP takes coalesced datagrams in for us
 * @user_gro:	the user asked for UDP_GRO
 * @poll_control: the user asked for EPOLLPRI
 * @gso_size:	the user's UDP_SEGMENT: bytes of plaintext
 * @corked:	the user's UDP_CORK
 * @cork_lock:	mutex: @cork
 * @cork:	records that wait for the end of their datagram
 *
 * Lifetime: made by attach, under the socket's lock; freed in close(), after
 * which the socket is a plain UDP socket again for the rest of its release.
 * Every use is from a system call on the socket's file, which close() cannot
 * overtake; dtls_wait_data_ready(), the one piece of ours that runs in softirq,
 * does not look at it.
 */
struct dtls_sock {
	struct sock *sk;
	struct proto *base;
	const struct proto_ops *base_ops;
	void (*data_ready)(struct sock *sk);
	u64 __percpu *stats;

	struct mutex setup;	/* see above */
	struct dtls_assoc *assoc;
	struct in6_addr peer_addr;
	__be16 peer_port;
	u32 replay_window;

	spinlock_t lock;	/* see above */
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

	bool corked;
	u16 gso_size;
	struct mutex cork_lock;	/* see above */
	struct dtls_cork *cork;
};

/*
 * Return the attached socket's own structure. The caller was called by way of
 * the socket's proto or proto_ops, which swap_ops() writes after sk_user_data;
 * whoever read the entry there did so without an acquire, so one is made here.
 */
static inline struct dtls_sock *dtls_sk(const struct sock *sk)
{
	smp_rmb();	/* pairs with smp_store_release() in swap_ops() */
	return rcu_dereference_raw(__sk_user_data(sk));
}

static inline struct dtls_assoc *dtls_sock_assoc(const struct dtls_sock *ds)
{
	return smp_load_acquire(&ds->assoc);	/* pairs with its first key */
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
