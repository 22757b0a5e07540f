// SPDX-License-Identifier: GPL-2.0
/* The way to the peer: who the peer is, and how long a datagram to it may be. */
#include <net/dst.h>
#include <net/inet_sock.h>
#include <net/ip.h>

#include "compat.h"
#include "dtls.h"

/* Is @name the address the socket is connected to? */
bool dtls_is_peer(const struct sock *sk, const void *name, int len)
{
	const struct sockaddr_in *sin = name;

	if (len < (int)sizeof(*sin) || sin->sin_family != sk->sk_family)
		return false;
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		const struct sockaddr_in6 *sin6 = name;

		return len >= SIN6_LEN_RFC2133 &&
		       sin6->sin6_port == inet_sk(sk)->inet_dport &&
		       ipv6_addr_equal(&sin6->sin6_addr, &sk->sk_v6_daddr);
	}
#endif
	return sin->sin_port == inet_sk(sk)->inet_dport &&
	       sin->sin_addr.s_addr == inet_sk(sk)->inet_daddr;
}

static unsigned int ip_overhead(struct sock *sk)
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

#if IS_ENABLED(CONFIG_IPV6)
static unsigned int ipv6_overhead(struct sock *sk)
{
	unsigned int len = sizeof(struct ipv6hdr) + sizeof(struct udphdr);
	struct ipv6_txoptions *opt;

	rcu_read_lock();
	opt = rcu_dereference(inet6_sk(sk)->opt);
	if (opt)
		len += opt->opt_flen + opt->opt_nflen;
	rcu_read_unlock();
	return len;
}
#endif

/* UDP payload the path takes in one piece; 0: there is no route now */
unsigned int dtls_path_payload(struct sock *sk)
{
	struct dst_entry *dst = sk_dst_get(sk);
	unsigned int mtu, overhead;

	if (!dst)
		return 0;
	mtu = dst_mtu(dst);
	dst_release(dst);
	overhead = ip_overhead(sk);
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6)
		overhead = ipv6_overhead(sk);
#endif
	return mtu > overhead ? min(mtu - overhead, DTLS_DATAGRAM_MAX) : 0;
}

bool dtls_path_dont_fragment(const struct sock *sk)
{
	int pmtudisc = READ_ONCE(inet_sk(sk)->pmtudisc);

#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		pmtudisc = dtls_inet6_pmtudisc(sk);
		if (dtls_inet6_dontfrag(sk))
			return true;
	}
#endif
	return pmtudisc == IP_PMTUDISC_DO || pmtudisc == IP_PMTUDISC_PROBE;
}
