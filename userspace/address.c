// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file handles pairs of a client's address and the local address that the client
 * writes to; see address.h.
 */
#include "address.h"
#include <errno.h>
#include <string.h>

bool address_is_any(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
		       htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

bool address_same(const struct sockaddr *a, const struct sockaddr *b)
{
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;

	if (a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr &&
		       a4->sin_port == b4->sin_port;
	return a->sa_family == AF_INET6 &&
	       IN6_ARE_ADDR_EQUAL(&a6->sin6_addr, &b6->sin6_addr) &&
	       a6->sin6_port == b6->sin6_port;
}

void address_key(struct stranger *s)
{
	const struct sockaddr_in6 *p6 = (const void *)&s->peer;
	const struct sockaddr_in6 *l6 = (const void *)&s->local;
	const struct sockaddr_in *p4 = (const void *)&s->peer;
	const struct sockaddr_in *l4 = (const void *)&s->local;
	uint8_t *p = s->key;

	if (s->peer.ss_family == AF_INET) {
		memcpy(p, &p4->sin_addr, 4);
		memcpy(p + 4, &p4->sin_port, 2);
		memcpy(p + 6, &l4->sin_addr, 4);
		s->key_len = ADDRESS_KEY_IPV4;
		return;
	}
	memcpy(p, &p6->sin6_addr, 16);
	memcpy(p + 16, &p6->sin6_port, 2);
	memcpy(p + 18, &p6->sin6_scope_id, 4);
	memcpy(p + 22, &l6->sin6_addr, 16);
	s->key_len = ADDRESS_KEY_IPV6;
}

void address_of_key(const uint8_t *key, size_t key_len, struct stranger *s)
{
	struct sockaddr_in6 *p6 = (void *)&s->peer, *l6 = (void *)&s->local;
	struct sockaddr_in *p4 = (void *)&s->peer, *l4 = (void *)&s->local;

	memset(s, 0, sizeof(*s));
	memcpy(s->key, key, key_len);
	s->key_len = key_len;
	if (key_len == ADDRESS_KEY_IPV4) {
		s->len = sizeof(*p4);
		p4->sin_family = AF_INET;
		l4->sin_family = AF_INET;
		memcpy(&p4->sin_addr, key, 4);
		memcpy(&p4->sin_port, key + 4, 2);
		memcpy(&l4->sin_addr, key + 6, 4);
		return;
	}
	s->len = sizeof(*p6);
	p6->sin6_family = AF_INET6;
	l6->sin6_family = AF_INET6;
	memcpy(&p6->sin6_addr, key, 16);
	memcpy(&p6->sin6_port, key + 16, 2);
	memcpy(&p6->sin6_scope_id, key + 18, 4);
	memcpy(&l6->sin6_addr, key + 22, 16);
	if (IN6_IS_ADDR_LINKLOCAL(&l6->sin6_addr))
		l6->sin6_scope_id = p6->sin6_scope_id;
}

/*
 * Return how many bytes at the beginning of a key name the source: an IPv4
 * address, also as an IPv6 one (RFC 4291 2.5.5.2), or the first 56 bits of an
 * IPv6 address.
 */
static size_t source_len(const uint8_t *key, size_t key_len)
{
	struct in6_addr peer;

	if (key_len == ADDRESS_KEY_IPV4)
		return 4;
	memcpy(&peer, key, sizeof(peer));
	return IN6_IS_ADDR_V4MAPPED(&peer) ? sizeof(peer) : 7;
}

struct kdtls_sender address_sender(const uint8_t *key, size_t key_len)
{
	return (struct kdtls_sender){
		.address = key,
		.len = key_len,
		.source_len = source_len(key, key_len),
	};
}

int address_ask(int fd, int family)
{
	int one = 1, err;

	if (family == AF_INET)
		err = setsockopt(fd, SOL_IP, IP_PKTINFO, &one, sizeof(one));
	else
		err = setsockopt(fd, SOL_IPV6, IPV6_RECVPKTINFO, &one,
				 sizeof(one));
	return err ? -errno : 0;
}

bool address_told(struct msghdr *msg, struct sockaddr_storage *local)
{
	struct sockaddr_in6 *l6 = (void *)local;
	struct sockaddr_in *l4 = (void *)local;
	struct in6_pktinfo i6;
	struct in_pktinfo i4;
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&i4, CMSG_DATA(c), sizeof(i4));
			l4->sin_addr = i4.ipi_addr;
			return true;
		}
		if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&i6, CMSG_DATA(c), sizeof(i6));
			l6->sin6_addr = i6.ipi6_addr;
			if (IN6_IS_ADDR_LINKLOCAL(&i6.ipi6_addr))
				l6->sin6_scope_id = i6.ipi6_ifindex;
			return true;
		}
	}
	return false;
}

static void put_control(struct msghdr *msg, int level, int type,
			const void *info, size_t len)
{
	struct cmsghdr *c = msg->msg_control;

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), info, len);
	msg->msg_controllen = CMSG_SPACE(len);
}

void address_from(struct msghdr *msg, const struct sockaddr_storage *local)
{
	const struct sockaddr_in6 *l6 = (const void *)local;
	const struct sockaddr_in *l4 = (const void *)local;
	struct in6_pktinfo i6 = { 0 };
	struct in_pktinfo i4 = { 0 };

	if (local->ss_family == AF_INET) {
		i4.ipi_spec_dst = l4->sin_addr;
		put_control(msg, SOL_IP, IP_PKTINFO, &i4, sizeof(i4));
	} else {
		i6.ipi6_addr = l6->sin6_addr;
		i6.ipi6_ifindex = l6->sin6_scope_id;
		put_control(msg, SOL_IPV6, IPV6_PKTINFO, &i6, sizeof(i6));
	}
}
