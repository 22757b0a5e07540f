// SPDX-License-Identifier: GPL-2.0
/*
 * The options that make a socket one with many associations, and that add, move,
 * delete and list them. See struct dtls_table for the locks.
 */
#include <linux/udp.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>

#include "assoc.h"
#include "assocopt.h"
#include "control.h"
#include "early.h"
#include "intake.h"
#include "msg.h"
#include "ready.h"
#include "record.h"
#include "sock.h"
#include "table.h"
#include "wait.h"

/* ---- the table ---- */

/*
 * Return 0 if the socket may have many associations, or an error. Wants the
 * socket's lock, under which it is connected.
 */
static int may_have_table(const struct dtls_sock *ds)
{
	const struct sock *sk = ds->sk;

	sock_owned_by_me(sk);
	if (sk->sk_state == TCP_ESTABLISHED || dtls_assoc_version(ds->assoc))
		return -EISCONN;
	if (!inet_sk(sk)->inet_num)
		return -EINVAL;
	if (READ_ONCE(udp_sk(sk)->encap_type) ||
	    READ_ONCE(udp_sk(sk)->encap_rcv) ||
	    READ_ONCE(ds->corked) || READ_ONCE(ds->cork))
		return -EBUSY;
	return 0;
}

/* Give the socket a table. The setup mutex is held. Sleeps. */
static int make_table(struct dtls_sock *ds, u8 cid_len)
{
	struct dtls_table *table = dtls_table_new(cid_len);
	int err;

	lockdep_assert_held(&ds->setup);
	if (!table)
		return -ENOMEM;
	lock_sock(ds->sk);
	dtls_sock_take_options_locked(ds);
	err = may_have_table(ds);
	if (!err)
		/* Pairs with dtls_sock_table(). */
		smp_store_release(&ds->table, table);
	release_sock(ds->sk);
	if (err)
		dtls_table_free(table);
	return err;
}

/* Set DTLS_ASSOC_TABLE. Sleeps. Return: 0 or an error of the manual's. */
int dtls_assocopt_set_table(struct dtls_sock *ds,
			    const struct dtls_assoc_table *value)
{
	struct dtls_table *table;
	int err = 0;

	if (value->reserved || value->count || value->reserved2 ||
	    value->cid_len > DTLS_CID_SIZE_MAX)
		return -EINVAL;
	mutex_lock(&ds->setup);
	if (!ds->table)
		err = make_table(ds, value->cid_len);
	table = ds->table;
	if (!err && value->cid_len != table->cid_len)
		err = -EINVAL;
	if (!err) {
		mutex_lock(&table->lock);
		table->max = value->max;
		mutex_unlock(&table->lock);
	}
	mutex_unlock(&ds->setup);
	if (!err)
		dtls_early_set_gro(ds);
	return err;
}

/* Get DTLS_ASSOC_TABLE. */
int dtls_assocopt_get_table(struct dtls_sock *ds,
			    struct dtls_assoc_table *value)
{
	struct dtls_table *table = dtls_sock_table(ds);

	if (!table)
		return -EOPNOTSUPP;
	mutex_lock(&table->lock);
	value->max = table->max;
	value->cid_len = table->cid_len;
	value->count = table->count;
	mutex_unlock(&table->lock);
	return 0;
}

/* ---- addresses ---- */

/* Read @addr, of @family, into @to; an IPv4 address becomes a mapped one. */
static int read_addr(const struct dtls_addr *addr, int family,
		     struct in6_addr *to)
{
	__be32 addr4;

	if (addr->family != family)
		return -EAFNOSUPPORT;
	if (family == AF_INET) {
		if (memchr_inv(addr->addr + sizeof(addr4), 0,
			       sizeof(addr->addr) - sizeof(addr4)))
			return -EINVAL;
		memcpy(&addr4, addr->addr, sizeof(addr4));
		if (!addr4 || ipv4_is_multicast(addr4) || ipv4_is_lbcast(addr4))
			return -EINVAL;
		ipv6_addr_set_v4mapped(addr4, to);
		return 0;
	}
	memcpy(to, addr->addr, sizeof(*to));
	if (ipv6_addr_v4mapped(to))
		return -EAFNOSUPPORT;
	return ipv6_addr_any(to) || ipv6_addr_is_multicast(to) ? -EINVAL : 0;
}

/*
 * Find the interface of @flow: a link-local address must name it, in either of the
 * two addresses, and no other address may.
 */
static int read_scope(const struct dtls_assoc_peer *value, struct dtls_flow *flow)
{
	u32 peer = value->peer.scope_id, local = value->local.scope_id;

	if (peer && local && peer != local)
		return -EINVAL;
	flow->scope = peer ?: local;
	return !flow->scope == !dtls_path_needs_scope(flow) ? 0 : -EINVAL;
}

/*
 * Read the addresses of @value. Return 0, -EINVAL, -EAFNOSUPPORT, or -EOPNOTSUPP as
 * the socket has no table.
 */
static int read_flow(const struct dtls_sock *ds, const struct dtls_assoc_peer *value,
		     struct dtls_flow *flow)
{
	static const struct dtls_addr none;
	int family = ds->sk->sk_family, err;
	struct in6_addr bound;
	bool one;

	if (!dtls_sock_table(ds))
		return -EOPNOTSUPP;
	memset(flow, 0, sizeof(*flow));
	flow->port = value->peer.port;
	if (!value->id || value->flags || value->reserved || !flow->port)
		return -EINVAL;
	err = read_addr(&value->peer, family, &flow->peer);
	if (err)
		return err;

	one = dtls_path_get_local(ds->sk, &bound);
	if (!memcmp(&value->local, &none, sizeof(none))) {
		if (!one)
			return -EINVAL;
		flow->local = bound;
		return read_scope(value, flow);
	}
	if (value->local.port &&
	    value->local.port != inet_sk(ds->sk)->inet_sport)
		return -EINVAL;
	err = read_addr(&value->local, family, &flow->local);
	if (!err && one && !ipv6_addr_equal(&flow->local, &bound))
		err = -EINVAL;
	return err ?: read_scope(value, flow);
}

static void write_addr(int family, const struct in6_addr *from, __be16 port,
		       u32 scope, struct dtls_addr *to)
{
	to->family = family;
	to->port = port;
	if (family == AF_INET) {
		memcpy(to->addr, &from->s6_addr32[3], sizeof(__be32));
		return;
	}
	memcpy(to->addr, from, sizeof(*from));
	if (__ipv6_addr_needs_scope_id(ipv6_addr_type(from)))
		to->scope_id = scope;
}

/* ---- associations ---- */

/*
 * Move all that is queued of @assoc, and the datagram of it that is being cut, to
 * where nobody finds them, and see to it that nothing is queued any more. The
 * association's setup mutex is held.
 */
static void bury_assoc(struct dtls_sock *ds, struct dtls_assoc *assoc)
{
	LIST_HEAD(gone);

	lockdep_assert_held(&assoc->setup);
	spin_lock(&ds->lock);
	spin_lock(&assoc->lock);
	WRITE_ONCE(assoc->dead, true);	/* retire_later() reads it */
	spin_unlock(&assoc->lock);
	dtls_intake_forget(ds, assoc);
	if (atomic_read(&assoc->held)) {
		dtls_early_forget(ds, assoc, &gone);
		dtls_control_forget(ds, assoc, &gone);
		dtls_ready_forget(ds, assoc, &gone);
	}
	spin_unlock(&ds->lock);
	if (list_empty(&gone))
		return;
	dtls_msg_purge(ds, &gone);
	/* A waiter may wait for room, or for the end of what is left. */
	dtls_wait_wake(ds->sk);
}

/*
 * Let go of @assoc, which is in the table no more, and of the table's reference.
 * Calls that have found it before finish with it, and the last one frees its keys.
 */
static void forget_assoc(struct dtls_sock *ds, struct dtls_assoc *assoc)
{
	mutex_lock(&assoc->setup);
	dtls_table_remove_cids(ds->table, assoc);
	bury_assoc(ds, assoc);
	mutex_unlock(&assoc->setup);
	dtls_assoc_cancel_retire(assoc);
	dtls_assoc_put(assoc);
}

/* Set DTLS_ASSOC_ADD. Sleeps. Return: 0 or an error of the manual's. */
int dtls_assocopt_add(struct dtls_sock *ds, const struct dtls_assoc_peer *value)
{
	struct dtls_table *table = dtls_sock_table(ds);
	struct dtls_assoc *assoc;
	struct dtls_flow flow;
	int err = read_flow(ds, value, &flow);

	if (err)
		return err;
	assoc = dtls_assoc_new(value->id, READ_ONCE(ds->assoc->replay_window),
			       &ds->retiring);
	if (!assoc)
		return -ENOMEM;
	mutex_lock(&table->lock);
	err = dtls_table_add(table, assoc, &flow);
	mutex_unlock(&table->lock);
	if (err)
		forget_assoc(ds, assoc);
	return err;
}

/* Set DTLS_ASSOC_MOVE. Sleeps. Return: 0 or an error of the manual's. */
int dtls_assocopt_move(struct dtls_sock *ds, const struct dtls_assoc_peer *value)
{
	struct dtls_table *table = dtls_sock_table(ds);
	struct dtls_assoc *assoc;
	struct dtls_flow flow;
	int err = read_flow(ds, value, &flow);

	if (err)
		return err;
	mutex_lock(&table->lock);
	assoc = dtls_table_by_id(table, value->id);
	err = assoc ? dtls_table_move(table, assoc, &flow) : -ENOENT;
	mutex_unlock(&table->lock);
	dtls_assoc_put(assoc);
	return err;
}

/* Set DTLS_ASSOC_DEL. Sleeps. Return: 0 or an error of the manual's. */
int dtls_assocopt_del(struct dtls_sock *ds, u64 id)
{
	struct dtls_table *table = dtls_sock_table(ds);
	struct dtls_assoc *assoc;

	if (!table)
		return -EOPNOTSUPP;
	mutex_lock(&table->lock);
	assoc = dtls_table_by_id(table, id);
	if (assoc)
		dtls_table_remove(table, assoc);
	mutex_unlock(&table->lock);
	if (!assoc)
		return -ENOENT;
	forget_assoc(ds, assoc);
	dtls_assoc_put(assoc);
	return 0;
}

/* Get DTLS_ASSOC_NEXT. Sleeps. Return: 0 or an error of the manual's. */
int dtls_assocopt_next(struct dtls_sock *ds, struct dtls_assoc_peer *value)
{
	struct dtls_table *table = dtls_sock_table(ds);
	int family = ds->sk->sk_family;
	struct dtls_assoc *assoc;
	struct dtls_flow flow;

	if (!table)
		return -EOPNOTSUPP;
	do {
		assoc = dtls_table_next(table, value->id);
		if (!assoc)
			return -ENOENT;
		value->id = assoc->id;
		/* One that was deleted since then is left out. */
		if (dtls_table_get_flow(assoc, &flow))
			break;
		dtls_assoc_put(assoc);
	} while (true);
	dtls_assoc_put(assoc);

	write_addr(family, &flow.peer, flow.port, flow.scope, &value->peer);
	write_addr(family, &flow.local, inet_sk(ds->sk)->inet_sport, flow.scope,
		   &value->local);
	return 0;
}
