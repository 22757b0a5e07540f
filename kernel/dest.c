// SPDX-License-Identifier: GPL-2.0
/*
 * Where a message goes: a socket with many associations is told by a number or by
 * an address which one is meant. Datagrams leave from the address that the peer
 * writes to, which UDP is told by IP_PKTINFO or IPV6_PKTINFO.
 */
#include <linux/socket.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>

#include "assoc.h"
#include "dest.h"
#include "sock.h"
#include "table.h"

/*
 * Return the association with the number @id, with a reference, or NULL. Number 0
 * is that of a connected socket, also before its first key.
 */
struct dtls_assoc *dtls_dest_by_id(struct dtls_sock *ds, u64 id)
{
	struct dtls_table *table = dtls_sock_table(ds);

	if (!id)
		return dtls_assoc_get(ds->assoc);
	return table ? dtls_table_by_id(table, id) : NULL;
}

/*
 * Read the address @name, which is the user's and was copied from there, as that
 * of a peer. Return false if it is no address that a peer of the socket may have.
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

/* Write the peer of @dest as UDP wants it. */
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

/* Find the association that the address @name alone tells. */
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
	assoc = dtls_table_by_flow(dtls_sock_table(ds), &flow);
	return assoc ?: ERR_PTR(-ENOTCONN);
}

/* Return true if @name is the peer of @flow. */
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
 * Return: 0; -EDESTADDRREQ (neither number nor address tells the association: on a
 * socket that is bound to all addresses an address does not), -ENOENT (there is no
 * such number), -ENOTCONN (no association has this address) or -EISCONN (the
 * address is not that of the association).
 */
int dtls_dest_find(struct dtls_sock *ds, struct dtls_dest *dest, u64 id,
		   const void *name, int name_len)
{
	int err = 0;

	if (id)
		dest->assoc = dtls_table_by_id(dtls_sock_table(ds), id) ?:
			      ERR_PTR(-ENOENT);
	else if (name)
		dest->assoc = find_by_name(ds, name, name_len);
	else
		return -EDESTADDRREQ;
	if (IS_ERR(dest->assoc))
		return PTR_ERR(dest->assoc);

	if (!dtls_table_get_flow(dest->assoc, &dest->flow))
		err = -ENOENT;	/* it is just being deleted */
	else if (id && name &&
		 !names_peer(ds->sk, name, name_len, &dest->flow))
		err = -EISCONN;
	if (err)
		dtls_assoc_put(dest->assoc);
	else
		write_name(ds->sk, dest);
	return err;
}

/* Write a control message of @len bytes. Return the room that it takes. */
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
 * Write a control message to @control that tells UDP from which address datagrams
 * to @dest go. A socket that is bound to one address needs none. Return the bytes
 * written.
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
