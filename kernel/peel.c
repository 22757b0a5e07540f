// SPDX-License-Identifier: GPL-2.0
/*
 * This file peels associations off: a connected socket takes an association from the
 * table of another socket. The association stays the same object, so its windows and
 * numbers go on. The table's look-ups still find it, and dtls_early_pass_on() passes on
 * the datagrams that the table's socket receives for it.
 *
 * Neither socket keeps the other open. dtls_assoc.home points to the connected socket. Its
 * close() clears the pointer under its dtls_sock.lock, which a task that follows the
 * pointer holds. The connected socket has a reference to the table, so the table's memory
 * may outlive the table's socket. dtls_table.owner points to the table's socket, whose
 * close() clears the pointer under the table's lock.
 *
 * The locks are, from the outside in: dtls_sock.setup of the connected socket,
 * dtls_table.lock, dtls_assoc.setup, dtls_sock.lock of the table's socket, dtls_sock.lock
 * of the connected socket, dtls_assoc.lock.
 */
#include <linux/minmax.h>
#include <linux/net.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>

#include "assoc.h"
#include "control.h"
#include "early.h"
#include "look.h"
#include "path.h"
#include "peel.h"
#include "ready.h"
#include "rest.h"
#include "sock.h"
#include "table.h"
#include "wait.h"

/*
 * has_flow() returns true if the connected socket @ds has the addresses of @flow, which
 * are those of an association of @from, and the local port of @from.
 */
static bool has_flow(const struct dtls_sock *ds, const struct dtls_sock *from,
		     const struct dtls_flow *flow)
{
	struct in6_addr local;

	return dtls_path_get_local(ds->sk, &local) &&
	       ipv6_addr_equal(&local, &flow->local) &&
	       ipv6_addr_equal(&ds->peer_addr, &flow->peer) &&
	       ds->peer_port == flow->port &&
	       inet_sk(ds->sk)->inet_sport == inet_sk(from->sk)->inet_sport &&
	       (!flow->scope ||
		flow->scope == READ_ONCE(ds->sk->sk_bound_dev_if));
}

/*
 * may_peel() returns 0 if @ds may take @assoc from @from, or an error that dtls.h
 * describes. The caller holds the table's lock and the setup mutex of @ds.
 */
static int may_peel(const struct dtls_sock *ds, const struct dtls_sock *from,
		    const struct dtls_assoc *assoc)
{
	struct dtls_flow flow;

	lockdep_assert_held(&ds->setup);
	lockdep_assert_held(&from->table->lock);
	if (rcu_access_pointer(assoc->home) != from || assoc->succeeds ||
	    dtls_table_has_next(assoc))
		return -EBUSY;
	if (!dtls_table_get_flow(assoc, &flow))
		return -ENOTCONN;
	if (!dtls_assoc_version(assoc))
		return -ENOKEY;
	return has_flow(ds, from, &flow) ? 0 : -EISCONN;
}

/*
 * move_queues() makes @assoc the association of @ds, and moves everything of @assoc that
 * waits in queues of @from to queues of @ds. From then on no task queues anything of
 * @assoc on @from. The caller holds dtls_sock.lock of both sockets.
 */
static void move_queues(struct dtls_sock *ds, struct dtls_sock *from,
			struct dtls_assoc *assoc)
{
	lockdep_assert_held(&from->lock);
	lockdep_assert_held(&ds->lock);
	spin_lock(&assoc->lock);
	rcu_assign_pointer(assoc->home, ds);
	spin_unlock(&assoc->lock);

	ds->adopts = true;
	ds->former = ds->assoc;
	/* Readers without a lock find the association complete. */
	smp_store_release(&ds->assoc, assoc);
	/* Datagrams that @ds takes in have other serials than those that it gets now. */
	ds->serial = max(ds->serial, from->serial);
	dtls_ready_move(from, ds, assoc);
	dtls_control_move(from, ds, assoc);
	dtls_early_move(from, ds, assoc);
	dtls_early_adopt(ds);
	dtls_rest_adopt(ds);
	if (assoc->reset)
		WRITE_ONCE(ds->sk->sk_err, ECONNRESET);
	dtls_wait_news(ds);
}

/*
 * take_assoc() gives @ds the association @assoc of @from, and a reference to it and to
 * the table. The caller holds the setup mutex of @ds and the table's lock. Sleeps.
 */
static void take_assoc(struct dtls_sock *ds, struct dtls_sock *from,
		       struct dtls_assoc *assoc)
{
	dtls_assoc_get(assoc);
	refcount_inc(&from->table->refs);
	ds->origin = from->table;

	mutex_lock(&assoc->setup);
	spin_lock(&from->lock);
	spin_lock_nested(&ds->lock, SINGLE_DEPTH_NESTING);
	move_queues(ds, from, assoc);
	spin_unlock(&ds->lock);
	spin_unlock(&from->lock);
	dtls_assoc_set_retiring(assoc, &ds->retiring);
	mutex_unlock(&assoc->setup);
}

/* peel_from() lets @ds peel off the association @id of @from. Sleeps. */
static int peel_from(struct dtls_sock *ds, struct dtls_sock *from, u64 id)
{
	struct dtls_table *table = dtls_sock_table(from);
	struct dtls_assoc *assoc;
	int err;

	if (!table)
		return -EOPNOTSUPP;
	if (!net_eq(sock_net(ds->sk), sock_net(from->sk)))
		return -EXDEV;

	mutex_lock(&ds->setup);
	err = dtls_assoc_version(ds->assoc) ? -EISCONN :
					      dtls_sock_bind_peer(ds);
	if (!err) {
		mutex_lock(&table->lock);
		assoc = dtls_table_by_id(table, id);
		err = assoc ? may_peel(ds, from, assoc) : -ENOENT;
		if (!err)
			take_assoc(ds, from, assoc);
		mutex_unlock(&table->lock);
		dtls_assoc_put(assoc);
	}
	if (!err)
		dtls_sock_keep_peer(ds);
	mutex_unlock(&ds->setup);
	return err;
}

/* From now on the receive buffer of @ds bounds what is passed on. Takes dtls_sock.lock. */
static void end_adoption(struct dtls_sock *ds)
{
	spin_lock(&ds->lock);
	ds->adopts = false;
	spin_unlock(&ds->lock);
}

/*
 * dtls_peel() sets DTLS_ASSOC_PEEL. The file has to be an attached socket of the same
 * family, which is told by the same sk_prot as @ds has. At the end the function looks at
 * all datagrams that the table's socket has received, so that those of the association are
 * passed on before a reader of @ds takes newer ones. Sleeps. Returns 0 or an error that
 * dtls.h describes.
 */
int dtls_peel(struct dtls_sock *ds, const struct dtls_assoc_peel *value)
{
	struct dtls_sock *from;
	struct socket *sock;
	int err;

	if (value->reserved || !value->id)
		return -EINVAL;
	sock = sockfd_lookup(value->fd, &err);
	if (!sock)
		return err;
	err = -EOPNOTSUPP;
	/*
	 * The call came by the sk_prot of an attached socket, so this sk_prot is that
	 * of attached sockets alone. The operations of ds->sk->sk_socket may still be
	 * UDP's, as swap_ops() stores them last.
	 */
	if (READ_ONCE(sock->sk->sk_prot) != READ_ONCE(ds->sk->sk_prot))
		goto out;
	from = dtls_sk(sock->sk);
	err = peel_from(ds, from, value->id);
	if (err)
		goto out;
	dtls_look_all(from);
	end_adoption(ds);
	dtls_wait_wake(from->sk);
	dtls_early_set_gro(ds);
	dtls_wait_wake(ds->sk);
out:
	sockfd_put(sock);
	return err;
}

/*
 * leave_table() takes @assoc, which was peeled off, out of its table, if it is still
 * there, and then out of the datagrams that the table's socket is cutting. From then on
 * that socket has no reference to @assoc that it puts under a spin lock. The caller holds
 * the table's lock, the setup mutex of @assoc and a reference to @assoc.
 */
static void leave_table(struct dtls_table *table, struct dtls_assoc *assoc)
{
	struct dtls_assoc *found = dtls_table_by_id(table, assoc->id);

	lockdep_assert_held(&table->lock);
	if (found == assoc) {
		dtls_table_remove(table, assoc);
		dtls_table_remove_cids(assoc);
		dtls_assoc_put(assoc);	/* This was the table's reference. */
	}
	if (table->owner)
		dtls_rest_leave(table->owner, assoc);
	dtls_assoc_put(found);
}

/*
 * dtls_peel_end() takes the association that @ds has peeled off out of its table, if there
 * is one. From then on no task of the table's socket finds @ds. dtls_close() calls this
 * when no other call is on the socket. Sleeps.
 */
void dtls_peel_end(struct dtls_sock *ds)
{
	struct dtls_table *table = ds->origin;
	struct dtls_assoc *assoc = ds->assoc;

	if (!table)
		return;
	mutex_lock(&table->lock);
	mutex_lock(&assoc->setup);
	leave_table(table, assoc);
	spin_lock(&ds->lock);
	spin_lock(&assoc->lock);
	RCU_INIT_POINTER(assoc->home, NULL);
	spin_unlock(&assoc->lock);
	spin_unlock(&ds->lock);
	dtls_assoc_set_retiring(assoc, NULL);
	mutex_unlock(&assoc->setup);
	mutex_unlock(&table->lock);
}

/*
 * dtls_peel_put() puts the references to association and table that take_assoc() has
 * given to @ds, which is closed. Sleeps.
 */
void dtls_peel_put(struct dtls_sock *ds)
{
	if (!ds->origin)
		return;
	dtls_assoc_put(ds->assoc);
	dtls_table_put(ds->origin);
}
