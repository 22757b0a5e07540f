// SPDX-License-Identifier: GPL-2.0
/*
 * A system call that was inside UDP's own code when the socket was attached may set an
 * option, connect the socket, or leave plaintext in UDP's cork afterwards. This file
 * undoes that.
 */
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/udp.h>

#include "assoc.h"
#include "compat.h"
#include "sock.h"

/*
 * Set @addr to the address that @sk is connected to. An IPv4 address becomes a
 * v4-mapped one.
 */
static void get_peer(const struct sock *sk, struct in6_addr *addr)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		*addr = sk->sk_v6_daddr;
		return;
	}
#endif
	ipv6_addr_set_v4mapped(inet_sk(sk)->inet_daddr, addr);
}

/*
 * Return true if the socket is connected to a peer that it must not have: any peer, if
 * it has a table; an IPv4 peer on an AF_INET6 socket; or another peer than that of its
 * keys.
 */
static bool has_wrong_peer(const struct sock *sk, const struct dtls_sock *ds)
{
	struct in6_addr addr;

	if (sk->sk_state != TCP_ESTABLISHED)
		return false;
	if (dtls_sock_table(ds))
		return true;
	get_peer(sk, &addr);
	if (sk->sk_family == AF_INET6 && ipv6_addr_v4mapped(&addr))
		return true;
	return dtls_assoc_version(READ_ONCE(ds->assoc)) &&
	       (inet_sk(sk)->inet_dport != ds->peer_port ||
		!ipv6_addr_equal(&addr, &ds->peer_addr));
}

/* Drop the data in UDP's cork, as UDP does when a socket is destroyed. */
static void flush_corked(struct sock *sk)
{
	struct inet_cork *cork = &inet_sk(sk)->cork.base;
	struct udp_sock *up = udp_sk(sk);
	int family = up->pending;

	up->len = 0;
	WRITE_ONCE(up->pending, 0);
#if IS_ENABLED(CONFIG_IPV6)
	if (family == AF_INET6) {
		ip6_flush_pending_frames(sk);
		return;
	}
#endif
	/* Since 7.2 ip_flush_pending_frames() is not exported. */
	__skb_queue_purge(&sk->sk_write_queue);
	cork->flags &= ~IPCORK_OPT;
	kfree(cork->opt);
	cork->opt = NULL;
	dst_release(cork->dst);
	cork->dst = NULL;
}

/*
 * dtls_sock_release_cb() is the release_cb of struct proto. Every task that releases
 * the socket's lock calls it, in process context, with the lock's spin lock held.
 *
 * A system call that entered UDP's own code before the attach may take the socket's
 * lock after the attach. Its plaintext must not stay in UDP's cork, where the next
 * record would join it in one datagram. Nor may the socket stay connected to another
 * peer than that of the keys; to any peer, if it has a table; or to a v4-mapped address, as
 * IPV6_ADDRFORM could then replace this module's proto by UDP's. This function undoes both
 * before the lock is free, so no other call finds the socket in such a state, and sets the
 * socket's error.
 */
void dtls_sock_release_cb(struct sock *sk)
{
	struct dtls_sock *ds = dtls_sk(sk);
	int err = 0;

	lockdep_assert_held(&sk->sk_lock.slock);
	if (unlikely(udp_sk(sk)->pending)) {
		flush_corked(sk);
		err = EBUSY;
	}
	if (unlikely(has_wrong_peer(sk, ds))) {
		__udp_disconnect(sk, 0);
		err = EISCONN;
	}
	if (unlikely(err)) {
		WRITE_ONCE(sk->sk_err, err);
		sk_error_report(sk);
	}
	ds->base->release_cb(sk);
}

/*
 * Move the values of UDP_SEGMENT and UDP_CORK from UDP's structure to this module's. On
 * an attached socket they are about plaintext, and UDP would apply them to records. The
 * caller owns the socket's lock.
 */
void dtls_sock_take_options_locked(struct dtls_sock *ds)
{
	struct udp_sock *up = udp_sk(ds->sk);
	u16 gso_size = READ_ONCE(up->gso_size);

	sock_owned_by_me(ds->sk);
	if (gso_size) {
		WRITE_ONCE(up->gso_size, 0);
		WRITE_ONCE(ds->gso_size, gso_size);
	}
	if (udp_test_bit(CORK, ds->sk)) {
		udp_clear_bit(CORK, ds->sk);
		WRITE_ONCE(ds->corked, true);
	}
}

/*
 * Call dtls_sock_take_options_locked() under the socket's lock, which this function
 * takes. Sleeps.
 */
void dtls_sock_take_options(struct dtls_sock *ds)
{
	lock_sock(ds->sk);
	dtls_sock_take_options_locked(ds);
	release_sock(ds->sk);
}

/**
 * dtls_sock_bind_peer() - make sure that the socket may get a key
 * @ds:		socket
 *
 * Keys belong to the peer that the socket is connected to when the first one comes,
 * and this function notes that peer. A socket with UDP_ENCAP, which a call that entered
 * UDP before the attach may have set, would give records to IPsec, so it gets no key.
 * The caller holds dtls_sock.setup. Takes the socket's lock. Sleeps.
 *
 * Return: 0; -ENOTCONN if the socket is not connected; -EISCONN if it is connected to
 * another peer than that of its keys; or -EBUSY if it has UDP_ENCAP.
 */
int dtls_sock_bind_peer(struct dtls_sock *ds)
{
	struct sock *sk = ds->sk;
	int err = 0;

	lockdep_assert_held(&ds->setup);
	lock_sock(sk);
	dtls_sock_take_options_locked(ds);
	if (sk->sk_state != TCP_ESTABLISHED) {
		err = -ENOTCONN;
	} else if (dtls_sock_has_encap(sk)) {
		err = -EBUSY;
	} else if (!dtls_assoc_version(ds->assoc)) {
		get_peer(sk, &ds->peer_addr);
		ds->peer_port = inet_sk(sk)->inet_dport;
	} else if (has_wrong_peer(sk, ds)) {
		err = -EISCONN;
	}
	release_sock(sk);
	return err;
}

/*
 * Make sure that the socket is still connected to the peer that dtls_sock_bind_peer() noted,
 * now that it has a version. A connect() that entered UDP before the attach may have come
 * in between, when dtls_sock_release_cb() could not know that there would be keys: it looks
 * again. The caller holds dtls_sock.setup. Takes the socket's lock. Sleeps.
 */
void dtls_sock_keep_peer(struct dtls_sock *ds)
{
	lockdep_assert_held(&ds->setup);
	lock_sock(ds->sk);
	release_sock(ds->sk);
}
