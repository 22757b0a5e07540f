/* SPDX-License-Identifier: GPL-2.0 */
/* These functions find addresses, the route and the path MTU. See path.c. */
#ifndef _DTLS_PATH_H
#define _DTLS_PATH_H

#include <linux/in6.h>
#include <linux/types.h>

struct sk_buff;
struct sock;

/**
 * struct dtls_flow - the addresses between which an association's datagrams go
 * @peer:	the peer's address; an IPv4 address is a v4-mapped one
 * @local:	this end's address; an IPv4 address is a v4-mapped one
 * @scope:	index of the interface, if one of the two addresses is link-local;
 *		else 0
 * @port:	the peer's port
 * @pad:	always zero, as flows are hashed as bytes
 */
struct dtls_flow {
	struct in6_addr peer;
	struct in6_addr local;
	u32 scope;
	__be16 port;
	u16 pad;
};

bool dtls_path_is_peer(const struct sock *sk, const void *name, int len);
void dtls_path_flow_of(const struct sock *sk, const struct sk_buff *skb,
		       struct dtls_flow *flow);
bool dtls_path_needs_scope(const struct dtls_flow *flow);
bool dtls_path_get_local(const struct sock *sk, struct in6_addr *addr);
unsigned int dtls_path_payload(struct sock *sk, const struct dtls_flow *flow);
bool dtls_path_dont_fragment(const struct sock *sk, int dontfrag);

#endif /* _DTLS_PATH_H */
