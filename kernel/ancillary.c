// SPDX-License-Identifier: GPL-2.0
/*
 * This file fills in what recvmsg() returns with a record's content: the peer's
 * address and the control messages that the user asked for. They are those of the
 * datagram that the record came in, as with plain UDP.
 */
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/transp_v6.h>
#include <net/udp.h>

#include "ancillary.h"
#include "compat.h"

#if IS_ENABLED(CONFIG_IPV6)
/*
 * put_mapped() gives the addresses of a raw record that an IPv6 socket received by
 * IPv4 before it was connected. They are v4-mapped ones, that of IPV6_PKTINFO too.
 */
static noinline void put_mapped(struct sock *sk, struct msghdr *msg,
				struct sk_buff *skb)
{
	DECLARE_SOCKADDR(struct sockaddr_in6 *, sin6, msg->msg_name);
	struct in6_pktinfo info = {};

	if (sin6) {
		*sin6 = (struct sockaddr_in6) {
			.sin6_family = AF_INET6,
			.sin6_port = udp_hdr(skb)->source,
		};
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &sin6->sin6_addr);
		msg->msg_namelen = sizeof(*sin6);
		dtls_cgroup_recvmsg(sk, (struct sockaddr *)sin6,
				    &msg->msg_namelen);
	}
	if (inet6_sk(sk)->rxopt.bits.rxinfo) {
		info.ipi6_ifindex = PKTINFO_SKB_CB(skb)->ipi_ifindex;
		ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, &info.ipi6_addr);
		put_cmsg(msg, SOL_IPV6, IPV6_PKTINFO, sizeof(info), &info);
	}
}
#endif

/*
 * dtls_ancillary_put() gives the peer's address and the control messages of @skb, as
 * plain UDP does. @skb is a datagram, or a message made of one.
 */
void dtls_ancillary_put(struct sock *sk, struct msghdr *msg,
			struct sk_buff *skb)
{
	sock_recv_cmsgs(msg, sk, skb);

	if (skb->protocol == htons(ETH_P_IP)) {
		DECLARE_SOCKADDR(struct sockaddr_in *, sin, msg->msg_name);

#if IS_ENABLED(CONFIG_IPV6)
		if (sk->sk_family == AF_INET6)
			put_mapped(sk, msg, skb);
#endif
		if (sin && sk->sk_family == AF_INET) {
			sin->sin_family = AF_INET;
			sin->sin_port = udp_hdr(skb)->source;
			sin->sin_addr.s_addr = ip_hdr(skb)->saddr;
			memset(sin->sin_zero, 0, sizeof(sin->sin_zero));
			msg->msg_namelen = sizeof(*sin);
			dtls_cgroup_recvmsg(sk, (struct sockaddr *)sin,
					    &msg->msg_namelen);
		}
		if (dtls_inet_cmsg_flags(sk))
			ip_cmsg_recv_offset(msg, sk, skb,
					    sizeof(struct udphdr), 0);
		return;
	}

#if IS_ENABLED(CONFIG_IPV6)
	if (msg->msg_name) {
		DECLARE_SOCKADDR(struct sockaddr_in6 *, sin6, msg->msg_name);

		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = udp_hdr(skb)->source;
		sin6->sin6_flowinfo = 0;
		sin6->sin6_addr = ipv6_hdr(skb)->saddr;
		sin6->sin6_scope_id = ipv6_iface_scope_id(&sin6->sin6_addr,
							  inet6_iif(skb));
		msg->msg_namelen = sizeof(*sin6);
		dtls_cgroup_recvmsg(sk, (struct sockaddr *)sin6,
				    &msg->msg_namelen);
	}
	if (inet6_sk(sk)->rxopt.all)
		ip6_datagram_recv_ctl(sk, msg, skb);
#endif
}

/* dtls_ancillary_put_number() gives the user @id in the control message DTLS_ASSOC. */
void dtls_ancillary_put_number(struct msghdr *msg, u64 id)
{
	put_cmsg(msg, SOL_DTLS, DTLS_ASSOC, sizeof(id), &id);
}
