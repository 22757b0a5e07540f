// SPDX-License-Identifier: GPL-2.0
/*
 * This file finds the destination of a message on a socket with a table: the caller
 * of sendmsg() names the association by its number or by the peer's address.
 * Datagrams must leave from the address that the peer writes to. UDP is told that
 * address in a control message, IP_PKTINFO or IPV6_PKTINFO.
 */
#include <linux/socket.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>

#include "assoc.h"
#include "dest.h"
#include "sock.h"
#include "table.h"

/*
 * Return @assoc, which may be NULL; or put it and return NULL if another socket has
 * peeled it off.
 */
static struct dtls_assoc *keep_own(const struct dtls_sock *ds,
				   struct dtls_assoc *assoc)
{
	if (!assoc || likely(rcu_access_pointer(assoc->home) == ds))
		return assoc;
	dtls_assoc_put(assoc);
	return NULL;
}

/*
 * Return the association with the number @id, with a reference, or NULL. Number 0 is
 * dtls_sock.assoc: the association of a connected socket, also before its first key.
 */
struct dtls_assoc *dtls_dest_by_id(struct dtls_sock *ds, u64 id)
{
	struct dtls_table *table = dtls_sock_table(ds);

	if (!id)
		return dtls_assoc_get(READ_ONCE(ds->assoc));
	return table ? keep_own(ds, dtls_table_by_id(table, id)) : NULL;
}

/*
 * Make the peer of @flow from @name, the kernel's copy of the @len bytes of address
 * that the user gave to sendmsg(). Return false if @name is too short or not of the
 * socket's family.
 */
static bool read_name(const struct sock *sk, const void *name, int len,
		      struct dtls_flow *flow)
{
	const struct sockaddr_in6 *sin6 = name;
	const struct sockaddr_in *sin = name;

	memset(flow, 0, sizeof(*flow));
	if (len < (int)sizeof(*sin) || sin->sin_family != sk->sk_family)
		return false;
	if (sk->sk_family == AF_INET) {
		ipv6_addr_set_v4mapped(sin->sin_addr.s_addr, &flow->peer);
		flow->port = sin->sin_port;
		return true;
	}
	if (len < SIN6_LEN_RFC2133)
		return false;
	flow->peer = sin6->sin6_addr;
	flow->port = sin6->sin6_port;
	if (len >= (int)sizeof(*sin6) && dtls_path_needs_scope(flow))
		flow->scope = sin6->sin6_scope_id;
	return true;
}

/* Set @dest->name to the peer of @dest->flow, in the form of the socket's family. */
static void write_name(const struct sock *sk, struct dtls_dest *dest)
{
	const struct dtls_flow *flow = &dest->flow;

	if (sk->sk_family == AF_INET) {
		dest->name.in = (struct sockaddr_in) {
			.sin_family = AF_INET,
			.sin_port = flow->port,
			.sin_addr.s_addr = flow->peer.s6_addr32[3],
		};
		dest->name_len = sizeof(dest->name.in);
		return;
	}
	dest->name.in6 = (struct sockaddr_in6) {
		.sin6_family = AF_INET6,
		.sin6_port = flow->port,
		.sin6_addr = flow->peer,
		.sin6_scope_id = flow->scope,
	};
	dest->name_len = sizeof(dest->name.in6);
}

/*
 * Find the association whose peer has the address @name. The local address is the one
 * that the socket is bound to. Return: the association, with a reference; -ENOTCONN
 * if no association has that peer; or -EDESTADDRREQ if the socket is bound to all
 * addresses, so that several associations may have that peer.
 */
static struct dtls_assoc *find_by_name(struct dtls_sock *ds, const void *name,
				       int name_len)
{
	struct dtls_assoc *assoc;
	struct dtls_flow flow;

	if (!read_name(ds->sk, name, name_len, &flow))
		return ERR_PTR(-ENOTCONN);
	if (!dtls_path_get_local(ds->sk, &flow.local))
		return ERR_PTR(-EDESTADDRREQ);
	if (!flow.scope && dtls_path_needs_scope(&flow))
		flow.scope = READ_ONCE(ds->sk->sk_bound_dev_if);
	assoc = keep_own(ds, dtls_table_by_flow(dtls_sock_table(ds), &flow));
	return assoc ?: ERR_PTR(-ENOTCONN);
}

/* Return true if @name is the address of the peer of @flow. */
static bool names_peer(const struct sock *sk, const void *name, int name_len,
		       const struct dtls_flow *flow)
{
	struct dtls_flow named;

	return read_name(sk, name, name_len, &named) &&
	       named.port == flow->port &&
	       ipv6_addr_equal(&named.peer, &flow->peer) &&
	       (!named.scope || named.scope == flow->scope);
}

/**
 * dtls_dest_find() - find the association that a message goes to
 * @ds:		a socket with many associations
 * @dest:	filled in on success; the caller puts the reference
 * @id:		number of the association; 0: @name tells which one is meant
 * @name:	the address that the caller named, or NULL
 * @name_len:	bytes of @name
 *
 * Return: 0; -EDESTADDRREQ if there is neither a number nor an address, or if an
 * address is not enough because the socket is bound to all addresses; -ENOENT if no
 * association has the number @id; -ENOTCONN if no association has the address @name, or
 * the association @id has lost its address to another one; or -EISCONN if @name is not
 * the address of the association @id.
 */
int dtls_dest_find(struct dtls_sock *ds, struct dtls_dest *dest, u64 id,
		   const void *name, int name_len)
{
	int err = 0;

	if (id)
		dest->assoc = dtls_dest_by_id(ds, id) ?: ERR_PTR(-ENOENT);
	else if (name)
		dest->assoc = find_by_name(ds, name, name_len);
	else
		return -EDESTADDRREQ;
	if (IS_ERR(dest->assoc))
		return PTR_ERR(dest->assoc);

	if (!dtls_table_get_flow(dest->assoc, &dest->flow))
		err = rcu_access_pointer(dest->assoc->home) ? -ENOTCONN : -ENOENT;
	else if (id && name &&
		 !names_peer(ds->sk, name, name_len, &dest->flow))
		err = -EISCONN;
	if (err)
		dtls_assoc_put(dest->assoc);
	else
		write_name(ds->sk, dest);
	return err;
}

/*
 * Write a control message with @len bytes of @data to @control. Return how many bytes
 * of room it takes.
 */
static size_t put_control(void *control, int level, int type, const void *data,
			  size_t len)
{
	struct cmsghdr *cmsg = control;

	memset(control, 0, CMSG_SPACE(len));
	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), data, len);
	return CMSG_SPACE(len);
}

/*
 * Write a control message to @control that tells UDP from which address datagrams to
 * @dest leave. A socket that is bound to one address needs no such message. Return how
 * many bytes were written.
 */
size_t dtls_dest_put_source(const struct dtls_sock *ds,
			    const struct dtls_dest *dest, void *control)
{
	const struct dtls_flow *flow = &dest->flow;
	const struct in_pktinfo info = {
		.ipi_spec_dst.s_addr = flow->local.s6_addr32[3],
	};
	const struct in6_pktinfo info6 = {
		.ipi6_addr = flow->local,
		.ipi6_ifindex = flow->scope,
	};
	struct in6_addr bound;

	if (dtls_path_get_local(ds->sk, &bound))
		return 0;
	if (ds->sk->sk_family == AF_INET)
		return put_control(control, SOL_IP, IP_PKTINFO, &info,
				   sizeof(info));
	return put_control(control, SOL_IPV6, IPV6_PKTINFO, &info6,
			   sizeof(info6));
}
