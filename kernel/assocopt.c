// SPDX-License-Identifier: GPL-2.0
/*
 * The socket options that give a socket its table of associations, and that add,
 * move, delete and list associations. See struct dtls_table for the locks.
 */
#include <linux/udp.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>

#include "assoc.h"
#include "assocopt.h"
#include "control.h"
#include "early.h"
#include "msg.h"
#include "ready.h"
#include "record.h"
#include "rest.h"
#include "sock.h"
#include "table.h"
#include "wait.h"

/* ---- the table ---- */

/*
 * Return 0 if the socket may have a table of associations, or an error. A socket
 * with a table is bound, has no peer and no key of its own, and its datagrams are
 * neither given to a tunnel nor corked. The caller holds the socket's lock, so that
 * the socket is not connected meanwhile.
 */
static int may_have_table(const struct dtls_sock *ds)
{
	const struct sock *sk = ds->sk;

	sock_owned_by_me(sk);
	if (sk->sk_state == TCP_ESTABLISHED || dtls_assoc_version(ds->assoc))
		return -EISCONN;
	if (!inet_sk(sk)->inet_num)
		return -EINVAL;
	if (dtls_sock_has_encap(sk) || READ_ONCE(ds->corked) || READ_ONCE(ds->cork))
		return -EBUSY;
	return 0;
}

/*
 * Give the socket a table with connection IDs of @cid_len bytes. The caller holds
 * dtls_sock.setup. Takes the socket's lock. Sleeps. Return: 0 or an error.
 */
static int make_table(struct dtls_sock *ds, u8 cid_len)
{
	struct dtls_table *table = dtls_table_new(ds, cid_len);
	int err;

	lockdep_assert_held(&ds->setup);
	if (!table)
		return -ENOMEM;
	lock_sock(ds->sk);
	dtls_sock_take_options_locked(ds);
	err = may_have_table(ds);
	if (!err)
		/* The release pairs with the acquire in dtls_sock_table(). */
		smp_store_release(&ds->table, table);
	release_sock(ds->sk);
	if (err)
		dtls_table_put(table);
	return err;
}

/*
 * Set DTLS_ASSOC_TABLE: make the table on the first call, and set its maximum on
 * every call. Sleeps. Return: 0, or an error that dtls.h describes.
 */
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

/* Get DTLS_ASSOC_TABLE. Sleeps. Return: 0, or -EOPNOTSUPP without a table. */
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

/*
 * Copy the user's address @addr to @to. An IPv4 address becomes a v4-mapped one.
 * Return: 0; -EAFNOSUPPORT if @addr is not of @family; or -EINVAL if @addr cannot be
 * the address of one host.
 */
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
 * Set the interface of @flow from @value. If one of the two addresses is link-local,
 * at least one of them must name the interface; otherwise neither may. Return: 0 or
 * -EINVAL.
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
 * Check @value and make @flow from its addresses. If @value has no local address, the
 * address that the socket is bound to is taken. Return: 0, -EINVAL, -EAFNOSUPPORT, or
 * -EOPNOTSUPP if the socket has no table.
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
	if (!value->id || value->flags & ~DTLS_PEER_SUCCEED || value->reserved ||
	    !flow->port)
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
 * Clear the home of @assoc, so that nothing of it is queued from now on, and drop all
 * that is queued of it, with the datagram of it that is being cut. The caller holds the
 * setup mutex of @assoc. Takes dtls_sock.lock and, inside it, dtls_assoc.lock.
 */
static void bury_assoc(struct dtls_sock *ds, struct dtls_assoc *assoc)
{
	LIST_HEAD(gone);

	lockdep_assert_held(&assoc->setup);
	spin_lock(&ds->lock);
	spin_lock(&assoc->lock);
	rcu_assign_pointer(assoc->home, NULL);
	spin_unlock(&assoc->lock);
	dtls_rest_forget(ds, assoc);
	if (atomic_read(&assoc->held)) {
		dtls_early_forget(ds, assoc, &gone);
		dtls_control_forget(ds, assoc, &gone);
		dtls_ready_forget(ds, assoc, &gone);
	}
	spin_unlock(&ds->lock);
	if (list_empty(&gone))
		return;
	dtls_msg_purge(ds, &gone);
	/* A task may be sleeping until the queues have room. */
	dtls_wait_wake(ds->sk);
}

/*
 * Drop what belongs to @assoc, which was taken out of the table, and put the table's
 * reference. An association that was peeled off goes on where it is. A system call that
 * found @assoc before may go on with it; whoever puts the last reference frees the keys.
 * Takes the setup mutex of @assoc. Sleeps.
 */
static void forget_assoc(struct dtls_sock *ds, struct dtls_assoc *assoc)
{
	mutex_lock(&assoc->setup);
	dtls_table_remove_cids(assoc);
	if (rcu_access_pointer(assoc->home) == ds) {
		bury_assoc(ds, assoc);
		dtls_assoc_set_retiring(assoc, NULL);
	} else {
		dtls_rest_leave(ds, assoc);
	}
	mutex_unlock(&assoc->setup);
	dtls_assoc_put(assoc);
}

/*
 * Set DTLS_ASSOC_ADD: add an association without keys to the table. Sleeps. Return:
 * 0, or an error that dtls.h describes.
 */
int dtls_assocopt_add(struct dtls_sock *ds, const struct dtls_assoc_peer *value)
{
	struct dtls_table *table = dtls_sock_table(ds);
	struct dtls_assoc *assoc;
	struct dtls_flow flow;
	int err = read_flow(ds, value, &flow);

	if (err)
		return err;
	assoc = dtls_assoc_new(value->id, READ_ONCE(ds->assoc->replay_window),
			       ds, &ds->retiring);
	if (!assoc)
		return -ENOMEM;
	assoc->table = table;
	mutex_lock(&table->lock);
	err = dtls_table_add(table, assoc, &flow,
			     value->flags & DTLS_PEER_SUCCEED);
	mutex_unlock(&table->lock);
	if (err)
		forget_assoc(ds, assoc);
	return err;
}

/*
 * Set DTLS_ASSOC_MOVE: give an association other addresses. Sleeps. Return: 0, or an
 * error that dtls.h describes.
 */
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
	if (!assoc)
		err = -ENOENT;
	else if (rcu_access_pointer(assoc->home) != ds)
		err = -EBUSY;	/* Its socket is connected to the peer. */
	else
		err = dtls_table_move(table, assoc, &flow,
				      value->flags & DTLS_PEER_SUCCEED);
	mutex_unlock(&table->lock);
	dtls_assoc_put(assoc);
	return err;
}

/*
 * Set DTLS_ASSOC_DEL: delete the association with the number @id. Sleeps. Return: 0,
 * or an error that dtls.h describes.
 */
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

/*
 * Get DTLS_ASSOC_NEXT: fill @value with the association whose number is the lowest
 * above value->id. Sleeps. Return: 0, or an error that dtls.h describes.
 */
int dtls_assocopt_next(struct dtls_sock *ds, struct dtls_assoc_peer *value)
{
	struct dtls_table *table = dtls_sock_table(ds);
	int family = ds->sk->sk_family;
	struct dtls_assoc *assoc;
	struct dtls_flow flow;

	if (!table)
		return -EOPNOTSUPP;
	assoc = dtls_table_next(table, value->id);
	if (!assoc)
		return -ENOENT;
	value->id = assoc->id;
	if (READ_ONCE(assoc->succeeds))
		value->flags = DTLS_PEER_SUCCEED;
	if (rcu_access_pointer(assoc->home) != ds)
		value->flags |= DTLS_PEER_PEELED;
	/* An association that another one has succeeded has no address. */
	if (dtls_table_get_flow(assoc, &flow)) {
		write_addr(family, &flow.peer, flow.port, flow.scope,
			   &value->peer);
		write_addr(family, &flow.local, inet_sk(ds->sk)->inet_sport,
			   flow.scope, &value->local);
	}
	dtls_assoc_put(assoc);
	return 0;
}
