// SPDX-License-Identifier: GPL-2.0
/*
 * This file knows the path to the peer. It compares addresses with the peer's, finds the
 * addresses of datagrams, and finds how long a datagram to the peer may be.
 */
#include <linux/udp.h>
#include <net/dst.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/route.h>

#include "compat.h"
#include "path.h"
#include "record.h"

#if IS_ENABLED(CONFIG_IPV6)
/*
 * Return true if @sin6, of @len bytes, is the address that the socket is connected
 * to. A link-local address is that of one link: if @sin6 names a link, it must be the
 * link that the socket is bound to; if @sin6 names none, UDP takes that one.
 */
static bool is_peer6(const struct sock *sk, const struct sockaddr_in6 *sin6,
		     int len)
{
	if (len < SIN6_LEN_RFC2133 ||
	    sin6->sin6_port != inet_sk(sk)->inet_dport ||
	    !ipv6_addr_equal(&sin6->sin6_addr, &sk->sk_v6_daddr))
		return false;
	return len < (int)sizeof(*sin6) || !sin6->sin6_scope_id ||
	       !__ipv6_addr_needs_scope_id(ipv6_addr_type(&sin6->sin6_addr)) ||
	       sin6->sin6_scope_id == READ_ONCE(sk->sk_bound_dev_if);
}
#endif

/* Return true if @name is the address that the socket is connected to. */
bool dtls_path_is_peer(const struct sock *sk, const void *name, int len)
{
	const struct sockaddr_in *sin = name;

	if (len < (int)sizeof(*sin) || sin->sin_family != sk->sk_family)
		return false;
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6)
		return is_peer6(sk, name, len);
#endif
	return sin->sin_port == inet_sk(sk)->inet_dport &&
	       sin->sin_addr.s_addr == inet_sk(sk)->inet_daddr;
}

/* Return true if an address of @flow is link-local, so that it needs an interface. */
bool dtls_path_needs_scope(const struct dtls_flow *flow)
{
	return __ipv6_addr_needs_scope_id(ipv6_addr_type(&flow->peer)) ||
	       __ipv6_addr_needs_scope_id(ipv6_addr_type(&flow->local));
}

/* Fill in @flow with the addresses of the datagram @skb, which UDP gave to @sk. */
void dtls_path_flow_of(const struct sock *sk, const struct sk_buff *skb,
		       struct dtls_flow *flow)
{
	flow->scope = 0;
	flow->port = udp_hdr(skb)->source;
	flow->pad = 0;
#if IS_ENABLED(CONFIG_IPV6)
	if (skb->protocol == htons(ETH_P_IPV6)) {
		flow->peer = ipv6_hdr(skb)->saddr;
		flow->local = ipv6_hdr(skb)->daddr;
		if (dtls_path_needs_scope(flow))
			flow->scope = inet6_iif(skb);
		return;
	}
#endif
	ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &flow->peer);
	ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, &flow->local);
}

/*
 * Set @addr to the address that @sk is bound to. An IPv4 address becomes a v4-mapped
 * one. Return false if the socket is bound to all addresses.
 */
bool dtls_path_get_local(const struct sock *sk, struct in6_addr *addr)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		*addr = sk->sk_v6_rcv_saddr;
		return !ipv6_addr_any(addr);
	}
#endif
	ipv6_addr_set_v4mapped(inet_sk(sk)->inet_rcv_saddr, addr);
	return inet_sk(sk)->inet_rcv_saddr;
}

/* Return how many bytes of each IPv4 datagram are headers: IP, its options, UDP. */
static unsigned int overhead4(struct sock *sk)
{
	unsigned int len = sizeof(struct iphdr) + sizeof(struct udphdr);
	struct ip_options_rcu *opt;

	rcu_read_lock();
	opt = rcu_dereference(inet_sk(sk)->inet_opt);
	if (opt)
		len += opt->opt.optlen;
	rcu_read_unlock();
	return len;
}

/*
 * Look the route up as UDP does when the socket has none stored: the route to the
 * peer of @flow or, if @flow is NULL, to the peer that the socket is connected to. The
 * route is not stored in the socket, as the next datagram does that. Sleeps. Return
 * the route with a reference, or NULL.
 */
static struct dst_entry *route4(struct sock *sk, const struct dtls_flow *flow)
{
	const struct inet_sock *inet = inet_sk(sk);
	__be32 daddr = flow ? flow->peer.s6_addr32[3] : inet->inet_daddr;
	__be32 saddr = flow ? flow->local.s6_addr32[3] : inet->inet_saddr;
	int oif = READ_ONCE(sk->sk_bound_dev_if);
	struct flowi4 fl4;
	struct rtable *rt;

	if (ipv4_is_multicast(daddr))
		oif = oif ?: READ_ONCE(inet->mc_index);
	else
		oif = oif ?: READ_ONCE(inet->uc_index);
	flowi4_init_output(&fl4, oif, READ_ONCE(sk->sk_mark),
			   ip_sock_rt_tos(sk), ip_sock_rt_scope(sk),
			   sk->sk_protocol, inet_sk_flowi_flags(sk),
			   daddr, saddr, flow ? flow->port : inet->inet_dport,
			   inet->inet_sport, sock_net_uid(sock_net(sk), sk));
	security_sk_classify_flow(sk, flowi4_to_flowi_common(&fl4));
	rt = ip_route_output_flow(sock_net(sk), &fl4, sk);
	return IS_ERR(rt) ? NULL : &rt->dst;
}

/*
 * Return the MTU of the route's device. If the device is unregistered, the route gets
 * another one, and only RCU keeps the first one in memory.
 */
static unsigned int device_mtu(const struct dst_entry *dst)
{
	unsigned int mtu;

	rcu_read_lock();
	mtu = READ_ONCE(READ_ONCE(dst->dev)->mtu);
	rcu_read_unlock();
	return mtu;
}

/*
 * Return the MTU that UDP compares an IPv4 datagram with, as ip_setup_cork() finds
 * it.
 */
static unsigned int mtu4(struct sock *sk, const struct dst_entry *dst)
{
	return READ_ONCE(inet_sk(sk)->pmtudisc) < IP_PMTUDISC_PROBE ?
	       dst_mtu(dst) : device_mtu(dst);
}

#if IS_ENABLED(CONFIG_IPV6)
/*
 * Return how many bytes of each IPv6 datagram are headers: IP, its options, UDP. Linux
 * counts options for the destination twice when it compares a datagram with the MTU, in
 * ip6_make_skb() and in __ip6_append_data().
 */
static unsigned int overhead6(struct sock *sk)
{
	unsigned int len = sizeof(struct ipv6hdr) + sizeof(struct udphdr);
	struct ipv6_txoptions *opt;

	rcu_read_lock();
	opt = rcu_dereference(inet6_sk(sk)->opt);
	if (opt)
		len += 2 * opt->opt_flen + opt->opt_nflen;
	rcu_read_unlock();
	return len;
}

/* Look the IPv6 route up, as route4() looks up that of IPv4. Sleeps. */
static struct dst_entry *route6(struct sock *sk, const struct dtls_flow *flow)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);
	struct flowi6 fl6 = {
		.flowi6_proto = sk->sk_protocol,
		.daddr = flow ? flow->peer : sk->sk_v6_daddr,
		.saddr = flow ? flow->local : np->saddr,
		.flowi6_oif = READ_ONCE(sk->sk_bound_dev_if),
		.flowi6_mark = READ_ONCE(sk->sk_mark),
		.fl6_dport = flow ? flow->port : inet_sk(sk)->inet_dport,
		.fl6_sport = inet_sk(sk)->inet_sport,
		.flowlabel = ip6_make_flowinfo(np->tclass, np->flow_label),
		.flowi6_uid = sock_net_uid(sock_net(sk), sk),
	};
	struct in6_addr *final_p, final;
	struct dst_entry *dst;

	if (!fl6.flowi6_oif && flow)
		fl6.flowi6_oif = flow->scope;
	if (!fl6.flowi6_oif)
		fl6.flowi6_oif = np->sticky_pktinfo.ipi6_ifindex;
	if (!fl6.flowi6_oif)
		fl6.flowi6_oif = ipv6_addr_is_multicast(&fl6.daddr) ?
				 READ_ONCE(np->mcast_oif) :
				 READ_ONCE(np->ucast_oif);
	security_sk_classify_flow(sk, flowi6_to_flowi_common(&fl6));
	rcu_read_lock();
	final_p = fl6_update_dst(&fl6, rcu_dereference(np->opt), &final);
	rcu_read_unlock();
	dst = ip6_dst_lookup_flow(sock_net(sk), sk, &fl6, final_p);
	return IS_ERR(dst) ? NULL : dst;
}

/*
 * Return the MTU that UDP compares an IPv6 datagram with, as ip6_setup_cork() finds
 * it. The option IPV6_MTU sets frag_size.
 */
static unsigned int mtu6(struct sock *sk, const struct dst_entry *dst)
{
	unsigned int set = READ_ONCE(inet6_sk(sk)->frag_size);
	unsigned int mtu = dtls_inet6_pmtudisc(sk) < IPV6_PMTUDISC_PROBE ?
			   dst_mtu(dst) : device_mtu(dst);

	return set && set < mtu ? set : mtu;
}
#endif

/*
 * Return how many bytes of UDP payload can now be sent in one piece to the peer of
 * @flow or, if @flow is NULL, to the peer that the socket is connected to. The options
 * of the socket count. Sleeps. Return 0 if there is no route.
 */
unsigned int dtls_path_payload(struct sock *sk, const struct dtls_flow *flow)
{
	unsigned int mtu = 0, overhead = overhead4(sk);
	struct dst_entry *dst = NULL;

	if (sk->sk_family == AF_INET) {
		if (!flow)
			dst = sk_dst_check(sk, 0);
		dst = dst ?: route4(sk, flow);
		if (dst)
			mtu = mtu4(sk, dst);
		dst_release(dst);
	}
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		if (!flow)
			dst = sk_dst_check(sk, inet6_sk(sk)->dst_cookie);
		dst = dst ?: route6(sk, flow);
		if (dst)
			mtu = mtu6(sk, dst);
		dst_release(dst);
		overhead = overhead6(sk);
	}
#endif
	return mtu > overhead ? min(mtu - overhead, DTLS_DATAGRAM_MAX) : 0;
}

/* dtls_path_dont_fragment() uses the values of IPv4 for both families. */
static_assert(IPV6_PMTUDISC_DO == IP_PMTUDISC_DO &&
	      IPV6_PMTUDISC_PROBE == IP_PMTUDISC_PROBE &&
	      IPV6_PMTUDISC_INTERFACE == IP_PMTUDISC_INTERFACE &&
	      IPV6_PMTUDISC_OMIT == IP_PMTUDISC_OMIT);

/*
 * Return true if UDP refuses a datagram that is longer than dtls_path_payload(), and
 * false if it makes fragments of it. @dontfrag is the value of the control message
 * IPV6_DONTFRAG; negative: there is none, and the socket's option holds.
 */
bool dtls_path_dont_fragment(const struct sock *sk, int dontfrag)
{
	int pmtudisc = READ_ONCE(inet_sk(sk)->pmtudisc);

#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		pmtudisc = dtls_inet6_pmtudisc(sk);
		if (dontfrag < 0 ? dtls_inet6_dontfrag(sk) : dontfrag)
			return true;
	}
#endif
	return pmtudisc >= IP_PMTUDISC_DO && pmtudisc != IP_PMTUDISC_OMIT;
}
