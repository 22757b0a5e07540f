// SPDX-License-Identifier: GPL-2.0
/*
 * This file attaches UDP sockets to the module and releases them in close().
 *
 * UDP has no hook for a ULP. The module registers the option DTLS_ULP with
 * nf_register_sockopt(): an option of level SOL_IP that IP does not know is passed to
 * the module, for AF_INET6 sockets too. The attach swaps the socket's proto and
 * proto_ops for copies whose entries for data are this module's, as net/tls does.
 */
#include <linux/module.h>
#include <linux/netfilter.h>
#include <linux/slab.h>
#include <net/ip.h>
#include <net/udp.h>

#include "assoc.h"
#include "compat.h"
#include "compat_proto.h"
#include "cork.h"
#include "intake.h"
#include "path.h"
#include "peel.h"
#include "poll.h"
#include "sock.h"
#include "sockopt.h"
#include "stats.h"
#include "table.h"
#include "tx.h"
#include "ulp.h"
#include "wait.h"

/**
 * struct ulp_ops - the proto and proto_ops of one address family
 * @base:	UDP's proto, taken from a socket of this module's own; NULL
 *		until the first socket of the family is attached
 * @base_ops:	UDP's proto_ops, taken from the same socket
 * @prot:	the copy of @base that attached sockets have
 * @ops:	the copy of @base_ops that attached sockets have. It is not const, as
 *		it is made at run time
 */
struct ulp_ops {
	struct proto *base;
	const struct proto_ops *base_ops;
	struct proto prot;
	struct proto_ops ops;
};

static struct ulp_ops ulp_ops[2];
static DEFINE_MUTEX(ulp_ops_lock);	/* The mutex guards ulp_ops. */

/* Return true if @sk is attached. The function may be called in any context. */
static bool is_attached(const struct sock *sk)
{
	const struct proto *prot = READ_ONCE(sk->sk_prot);

	return prot == &ulp_ops[0].prot || prot == &ulp_ops[1].prot;
}

/*
 * dtls_splice_eof() is the splice_eof of struct proto_ops. The end of a splice ends the
 * datagram in the cork, which a call with MSG_MORE before the splice has begun. Before
 * 6.5 there is no such entry.
 */
static void __maybe_unused dtls_splice_eof(struct socket *sock)
{
	struct dtls_sock *ds = dtls_sk(sock->sk);

	if (READ_ONCE(ds->cork) && !READ_ONCE(ds->corked))
		dtls_cork_flush(ds);
}

/*
 * Return true if connecting to @addr would give an AF_INET6 socket an IPv4
 * peer, after which IPV6_ADDRFORM could turn the socket into an AF_INET one.
 * The address "::" stands for loopback: that of IPv4 if the socket is bound to a
 * v4-mapped address.
 */
static bool maps_to_ipv4(const struct sock *sk, const struct dtls_sockaddr *addr,
			 int addr_len)
{
	const struct sockaddr_in6 *sin6 = (const void *)addr;

	if (sk->sk_family != AF_INET6)
		return false;
	if (addr->sa_family == AF_INET)
		return true;
	if (addr_len < SIN6_LEN_RFC2133 || addr->sa_family != AF_INET6)
		return false;
#if IS_ENABLED(CONFIG_IPV6)
	if (ipv6_addr_any(&sin6->sin6_addr))
		return ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr);
#endif
	return ipv6_addr_v4mapped(&sin6->sin6_addr);
}

/*
 * dtls_connect() is the connect of struct proto. It refuses to connect a socket that
 * has a key to another peer, as the records of an association must not go there, and a
 * socket with a table to any peer. An AF_INET6 socket it connects to no IPv4 peer: see
 * maps_to_ipv4(). It holds dtls_sock.setup, so that the first key is not installed
 * meanwhile.
 */
static int dtls_connect(struct sock *sk, struct dtls_sockaddr *addr,
			int addr_len)
{
	struct dtls_sock *ds = dtls_sk(sk);
	int err = -EISCONN;

	if (maps_to_ipv4(sk, addr, addr_len))
		return -EAFNOSUPPORT;

	mutex_lock(&ds->setup);
	if (ds->table)
		err = -EOPNOTSUPP;
	else if (!dtls_assoc_version(ds->assoc) ||
		 dtls_path_is_peer(sk, (void *)addr, addr_len))
		err = ds->base->connect(sk, addr, addr_len);
	mutex_unlock(&ds->setup);
	return err;
}

static int dtls_disconnect(struct sock *sk, int flags)
{
	struct dtls_sock *ds = dtls_sk(sk);
	int err = -EISCONN;

	mutex_lock(&ds->setup);
	if (ds->table)
		err = -EOPNOTSUPP;
	else if (!dtls_assoc_version(ds->assoc))
		err = ds->base->disconnect(sk, flags);
	mutex_unlock(&ds->setup);
	return err;
}

/* ---- attach and close ---- */

/* Free @ds, which no system call and no socket refers to any more. Sleeps. */
static void free_sock(struct dtls_sock *ds)
{
	dtls_table_put(ds->table);
	dtls_peel_put(ds);
	dtls_assoc_free(ds->former ?: ds->assoc);
	kfree_rcu(ds, rcu);
}

/*
 * dtls_close() is the close of struct proto, the last call on the socket's file. A
 * look-up in softirq or ss -K may still find the socket, which is a plain UDP socket
 * again after this function has undone the attach. The owner of sock->ops pins the
 * module until __sock_release() puts it, after this function has returned.
 */
static void dtls_close(struct sock *sk, long timeout)
{
	struct dtls_sock *ds = dtls_sk(sk);
	struct proto *base = ds->base;

	lock_sock(sk);
	write_lock_bh(&sk->sk_callback_lock);
	WRITE_ONCE(sk->sk_data_ready, ds->data_ready);
	rcu_assign_sk_user_data(sk, (void *)NULL);
	WRITE_ONCE(sk->sk_prot, base);
	write_unlock_bh(&sk->sk_callback_lock);
	release_sock(sk);

	dtls_peel_end(ds);
	dtls_table_close(ds->table);
	dtls_intake_purge(ds);
	dtls_cork_purge(ds);
	dtls_assoc_stop_retiring(&ds->retiring);
	module_put(ds->base_ops->owner);
	free_sock(ds);

	base->close(sk, timeout);
}

/*
 * compat_copy.h defines make_proto() and make_proto_ops(), which name the
 * functions above.
 */
#include "compat_copy.h"

/*
 * Make the copies of UDP's proto and proto_ops for @family. They are made from a
 * socket of this module's own, because the socket that is being attached may have come
 * from another family by IPV6_ADDRFORM, or have been changed otherwise. The caller
 * holds ulp_ops_lock. Sleeps. Return: 0 or an error.
 */
static int make_ops(struct ulp_ops *u, int family)
{
	struct socket *sock;
	int err;

	lockdep_assert_held(&ulp_ops_lock);
	err = sock_create_kern(&init_net, family, SOCK_DGRAM, IPPROTO_UDP,
			       &sock);
	if (err)
		return err;
	make_proto(&u->prot, sock->sk->sk_prot);
	make_proto_ops(&u->ops, sock->ops);
	u->base_ops = sock->ops;
	/* The release pairs with the acquire in get_ops(). */
	smp_store_release(&u->base, sock->sk->sk_prot);
	sock_release(sock);
	return 0;
}

/*
 * Return the copies of UDP's tables for @family, which are made for the first
 * socket of the family, or an error. Sleeps.
 */
static struct ulp_ops *get_ops(int family)
{
	struct ulp_ops *u = &ulp_ops[family == AF_INET6];
	int err = 0;

	/*
	 * The acquire pairs with the release in make_ops(). No task waits for the mutex
	 * once they are made, as a task that holds it may be kept from running.
	 */
	if (likely(smp_load_acquire(&u->base)))
		return u;
	mutex_lock(&ulp_ops_lock);
	if (!u->base)
		err = make_ops(u, family);
	mutex_unlock(&ulp_ops_lock);
	return err ? ERR_PTR(err) : u;
}

/*
 * Return 0 if the socket may be attached, or an error. The caller owns the socket's
 * lock and holds sk_callback_lock, as everything that changes sk_prot, sk_user_data or
 * the peer holds one of the two.
 */
static int may_attach(struct sock *sk, struct socket *sock, struct ulp_ops *u)
{
	struct udp_sock *up = udp_sk(sk);

	sock_owned_by_me(sk);
	lockdep_assert_held_write(&sk->sk_callback_lock);
	if (is_attached(sk))
		return -EEXIST;
	/* IPV6_ADDRFORM has turned an AF_INET6 socket into this AF_INET one. */
	if (sk->sk_prot_creator != u->base)
		return -EAFNOSUPPORT;
	/* A sockmap, a tunnel or another ULP uses the socket. */
	if (sk->sk_prot != u->base || sock->ops != u->base_ops ||
	    rcu_dereference_raw(__sk_user_data(sk)))
		return -EBUSY;
	/* ESP in UDP and some L2TP sockets have no sk_user_data. */
	if (dtls_sock_has_encap(sk))
		return -EBUSY;
	if (READ_ONCE(up->pending) || udp_test_bit(CORK, sk))
		return -EBUSY;
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6 && sk->sk_state == TCP_ESTABLISHED &&
	    ipv6_addr_v4mapped(&sk->sk_v6_daddr))
		return -EAFNOSUPPORT;
#endif
	return 0;
}

/*
 * Make the structure of an attached socket for @sk, with an association that has no
 * key. Sleeps. Return: the structure or NULL.
 */
static struct dtls_sock *new_sock(struct sock *sk, const struct ulp_ops *u)
{
	struct dtls_sock *ds = kzalloc(sizeof(*ds), GFP_KERNEL_ACCOUNT);

	if (!ds)
		return NULL;
	dtls_assoc_init_retiring(&ds->retiring);
	ds->assoc = dtls_assoc_new(0, DTLS_REPLAY_WINDOW_MIN, ds, &ds->retiring);
	if (!ds->assoc) {
		kfree(ds);
		return NULL;
	}
	ds->sk = sk;
	ds->base = u->base;
	ds->base_ops = u->base_ops;
	ds->stats = dtls_stats_of(sock_net(sk));
	mutex_init(&ds->setup);
	mutex_init(&ds->cork_lock);
	spin_lock_init(&ds->lock);
	INIT_LIST_HEAD(&ds->pending);
	INIT_LIST_HEAD(&ds->early);
	INIT_LIST_HEAD(&ds->ready);
	INIT_LIST_HEAD(&ds->control);
	INIT_LIST_HEAD(&ds->raw);
	return ds;
}

/*
 * Make the socket an attached one. The caller owns the socket's lock and holds
 * sk_callback_lock.
 */
static void swap_ops(struct dtls_sock *ds, struct ulp_ops *u)
{
	struct sock *sk = ds->sk;
	struct socket *sock = sk->sk_socket;

	sock_owned_by_me(sk);
	lockdep_assert_held_write(&sk->sk_callback_lock);
	__module_get(THIS_MODULE);
	/* Options that the user set before the attach stay in force. */
	dtls_sock_take_options_locked(ds);
	ds->user_gro = udp_test_bit(GRO_ENABLED, sk);
	ds->gro = ds->user_gro;
	clear_bit(SOCK_SUPPORT_ZC, &sock->flags);
	ds->data_ready = sk->sk_data_ready;
	rcu_assign_sk_user_data(sk, (void *)ds);
	WRITE_ONCE(sk->sk_data_ready, dtls_wait_data_ready);
	/*
	 * Both stores pair with the barrier in dtls_sk(): a task that finds one
	 * of the two pointers finds sk_user_data, too.
	 */
	smp_store_release(&sk->sk_prot, &u->prot);
	/* The release pairs with the barrier in dtls_sk(), as the one above. */
	smp_store_release(&sock->ops, &u->ops);
}

/* Attach @sk. Sleeps. Return: 0, or an error that dtls.h describes. */
static int attach_sock(struct sock *sk)
{
	struct socket *sock = sk->sk_socket;
	int family = READ_ONCE(sk->sk_family), err;
	struct dtls_sock *ds;
	struct ulp_ops *u;

	if (sk->sk_type != SOCK_DGRAM || sk->sk_protocol != IPPROTO_UDP ||
	    (family != AF_INET && family != AF_INET6))
		return -EPROTONOSUPPORT;
	/*
	 * A socket of the kernel's own, such as that of a tunnel, has no file.
	 */
	if (!sock || !sock->file)
		return -EOPNOTSUPP;
	if (is_attached(sk))
		return -EEXIST;

	u = get_ops(family);
	if (IS_ERR(u))
		return PTR_ERR(u);
	ds = new_sock(sk, u);
	if (!ds)
		return -ENOMEM;

	lock_sock(sk);
	write_lock_bh(&sk->sk_callback_lock);
	err = may_attach(sk, sock, u);
	if (!err)
		swap_ops(ds, u);
	write_unlock_bh(&sk->sk_callback_lock);
	release_sock(sk);

	if (err)
		free_sock(ds);
	else
		dtls_stats_inc(ds, DTLS_STAT_ATTACHED);
	return err;
}

/* ---- the door ---- */

/* set_ulp() is setsockopt(SOL_IP, DTLS_ULP). */
static int set_ulp(struct sock *sk, int optname, sockptr_t optval,
		   unsigned int optlen)
{
	char name[sizeof("dtls")] = "";

	if (optlen != 4 && optlen != 5)
		return -EINVAL;
	if (copy_from_sockptr(name, optval, optlen))
		return -EFAULT;
	if (strncmp(name, "dtls", sizeof(name)))
		return -ENOENT;
	return attach_sock(sk);
}

/*
 * get_ulp() is getsockopt(SOL_IP, DTLS_ULP). As TCP_ULP does, it returns "dtls" with the
 * final NUL for an attached socket, and nothing for any other.
 */
static int get_ulp(struct sock *sk, int optname, void __user *optval, int *len)
{
	if (*len < 0)
		return -EINVAL;
	*len = is_attached(sk) ? min_t(int, *len, sizeof("dtls")) : 0;
	return copy_to_user(optval, "dtls", *len) ? -EFAULT : 0;
}

static struct nf_sockopt_ops ulp_door = {
	.pf		= PF_INET,
	.set_optmin	= DTLS_ULP,
	.set_optmax	= DTLS_ULP + 1,
	.set		= set_ulp,
	.get_optmin	= DTLS_ULP,
	.get_optmax	= DTLS_ULP + 1,
	.get		= get_ulp,
	.owner		= THIS_MODULE,
};

int dtls_ulp_init(void)
{
	return nf_register_sockopt(&ulp_door);
}

void dtls_ulp_exit(void)
{
	nf_unregister_sockopt(&ulp_door);
}
