/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This file hides the differences between Linux 6.1 and 7.3. All other code reads as
 * if it were for the newest kernel; only compat*.h name a version. compat_proto.h and
 * compat_copy.h, for a socket's two tables of functions, are included by ulp.c alone.
 */
#ifndef _DTLS_COMPAT_H
#define _DTLS_COMPAT_H

#include <asm/ioctls.h>
#include <crypto/chacha.h>
#include <linux/bpf-cgroup.h>
#include <linux/ipv6.h>
#include <linux/uio.h>
#include <linux/version.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/udp.h>

#include "record.h"

#define SINCE(major, minor) \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(major, minor, 0))

/*
 * Before 6.14 the kernel does not define __uninitialized, which keeps a kernel that
 * zeroes the stack from zeroing a variable.
 */
#ifndef __uninitialized
#if __has_attribute(__uninitialized__)
#define __uninitialized	__attribute__((__uninitialized__))
#else
#define __uninitialized
#endif
#endif

#if SINCE(6, 12)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#if SINCE(6, 13)
#define DTLS_IMPORT_CRYPTO_INTERNAL	MODULE_IMPORT_NS("CRYPTO_INTERNAL")
#else
#define DTLS_IMPORT_CRYPTO_INTERNAL	MODULE_IMPORT_NS(CRYPTO_INTERNAL)
#endif

/*
 * A sample is as long as the block counter and the nonce of ChaCha20, and the mask is
 * no longer than a block of its output.
 */
static_assert(DTLS_SAMPLE_SIZE == CHACHA_IV_SIZE &&
	      DTLS_SAMPLE_SIZE <= CHACHA_BLOCK_SIZE);

/*
 * Write the start of ChaCha20's block (RFC 8439 2.3) to @out, with @sample as
 * block counter and nonce (RFC 9147 4.2.3). Before 6.16 the state has no type
 * of its own.
 */
static inline void dtls_chacha20_block(const u32 *key, const u8 *sample, u8 *out)
{
	u8 block[CHACHA_BLOCK_SIZE];
#if SINCE(6, 16)
	struct chacha_state state;

	chacha_init(&state, key, sample);
	chacha20_block(&state, block);
	memzero_explicit(&state, sizeof(state));
#else
	u32 state[16];

	chacha_init_generic(state, key, sample);
	chacha20_block(state, block);
	memzero_explicit(state, sizeof(state));
#endif
	memcpy(out, block, DTLS_SAMPLE_SIZE);
	memzero_explicit(block, sizeof(block));
}

/*
 * DTLS_MSG_SPLICE_PAGES is the flag that lends pages to UDP, or 0 where UDP
 * would ignore it. 6.1 stable knows the flag and ignores it, so the version
 * decides.
 */
#if SINCE(6, 5)
#define DTLS_MSG_SPLICE_PAGES	MSG_SPLICE_PAGES
#else
#define DTLS_MSG_SPLICE_PAGES	0
#endif

/*
 * Before 6.5 copy_page_to_iter() gives a pipe a reference to the page. The next record
 * overwrites the page of a scratch, and the reader of the pipe would get that record's
 * plaintext. So the bytes are copied.
 */
#if SINCE(6, 5)
#define dtls_copy_page_to_iter	copy_page_to_iter
#else
static inline size_t dtls_copy_page_to_iter(struct page *page, size_t offset,
					    size_t len, struct iov_iter *to)
{
	return copy_to_iter(page_address(page) + offset, len, to);
}
#endif

/* Before 6.7 these options of a socket are bit-fields and plain members. */
#if SINCE(6, 7)
static inline int dtls_inet6_pmtudisc(const struct sock *sk)
{
	return READ_ONCE(inet6_sk(sk)->pmtudisc);
}

static inline bool dtls_inet6_dontfrag(const struct sock *sk)
{
	return inet6_test_bit(DONTFRAG, sk);
}

static inline unsigned long dtls_inet_cmsg_flags(const struct sock *sk)
{
	return inet_cmsg_flags(inet_sk(sk));
}
#else
static inline int dtls_inet6_pmtudisc(const struct sock *sk)
{
	return inet6_sk(sk)->pmtudisc;
}

static inline bool dtls_inet6_dontfrag(const struct sock *sk)
{
	return inet6_sk(sk)->dontfrag;
}

static inline unsigned long dtls_inet_cmsg_flags(const struct sock *sk)
{
	return inet_sk(sk)->cmsg_flags;
}
#endif

/*
 * Raise UDP's counter @mib, UDP_MIB_*. Before 7.1 the macros take a flag for the
 * counters of UDP-Lite.
 */
static inline void dtls_udp_count(const struct sock *sk, unsigned int mib)
{
	struct net *net = sock_net(sk);

#if SINCE(7, 1)
	if (sk->sk_family == AF_INET)
		UDP_INC_STATS(net, mib);
	else
		UDP6_INC_STATS(net, mib);
#else
	if (sk->sk_family == AF_INET)
		UDP_INC_STATS(net, mib, 0);
	else
		UDP6_INC_STATS(net, mib, 0);
#endif
}

/*
 * Count a drop of the socket (ss -m). Before 6.18 there is no function for it.
 */
static inline void dtls_sk_drop(struct sock *sk)
{
#if SINCE(6, 18)
	sk_drops_inc(sk);
#else
	atomic_inc(&sk->sk_drops);
#endif
}

/* Drop @skb for @reason. Before 6.11 the socket is not told. */
static inline void dtls_skb_drop(struct sock *sk, struct sk_buff *skb,
				 unsigned int reason)
{
#if SINCE(6, 11)
	sk_skb_reason_drop(sk, skb, reason);
#else
	kfree_skb_reason(skb, reason);
#endif
}

/* Before 6.19 struct proto's functions take an address as a struct sockaddr. */
#if SINCE(6, 19)
#define dtls_sockaddr	sockaddr_unsized
#else
#define dtls_sockaddr	sockaddr
#endif

/*
 * Give the address that recvmsg() returns to the BPF programs of the cgroup, which may
 * change the address. Takes the socket's lock if there are such programs. Before 6.7
 * the length of the address is fixed.
 */
static inline void dtls_cgroup_recvmsg(struct sock *sk, struct sockaddr *addr,
				       int *addr_len)
{
#if SINCE(6, 7)
	if (sk->sk_family == AF_INET)
		BPF_CGROUP_RUN_PROG_UDP4_RECVMSG_LOCK(sk, addr, addr_len);
	else
		BPF_CGROUP_RUN_PROG_UDP6_RECVMSG_LOCK(sk, addr, addr_len);
#else
	if (sk->sk_family == AF_INET)
		BPF_CGROUP_RUN_PROG_UDP4_RECVMSG_LOCK(sk, addr);
	else
		BPF_CGROUP_RUN_PROG_UDP6_RECVMSG_LOCK(sk, addr);
#endif
}

/*
 * Call UDP's recvmsg. Before 7.1 UDP writes the address's length by a pointer.
 */
#if SINCE(7, 1)
static inline int dtls_base_recvmsg(struct proto *base, struct sock *sk,
				    struct msghdr *msg, size_t len, int flags)
{
	return base->recvmsg(sk, msg, len, flags);
}
#else
static inline int dtls_base_recvmsg(struct proto *base, struct sock *sk,
				    struct msghdr *msg, size_t len, int flags)
{
	return base->recvmsg(sk, msg, len, flags, &msg->msg_namelen);
}
#endif

#endif /* _DTLS_COMPAT_H */
