// SPDX-License-Identifier: GPL-2.0
/*
 * Many associations on one socket: whose record is whose, how numbers, addresses
 * and connection IDs change hands, and that no peer is in another one's way.
 */
#include "harness.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <linux/errqueue.h>

#include "clients.h"
#include "common.h"

#ifndef UDP_CORK
#define UDP_CORK	1
#endif

#define CLIENTS	4

static __u8 text[1 << 16];

SERVER_FIXTURE(assoc, CLIENTS);

LINK_VARIANT(assoc, v4, DTLS_CIPHER_AES_GCM_128, AF_INET, 0);
LINK_VARIANT(assoc, v6_cid, DTLS_CIPHER_CHACHA20_POLY1305, AF_INET6, 5);
LINK_VARIANT(assoc, v13_v6, V13(DTLS_CIPHER_AES_GCM_256), AF_INET6, 0);
LINK_VARIANT(assoc, v13_v4_cid, V13(DTLS_CIPHER_AES_CCM_8_128), AF_INET, 3);

SERVER_SETUP(assoc, text)

/* ---- whose record is whose ---- */

TEST_F(assoc, each_record_comes_with_its_association_and_address)
{
	struct sockaddr_storage name;
	struct dtls_addr addr;
	unsigned int i, n;
	__u64 id;

	for (n = 0; n < 3; n++)
		for (i = 0; i < CLIENTS; i++)
			ASSERT_EQ(100 + i, client_send(&self->c[i], text + i,
						       100 + i));
	for (n = 0; n < 3; n++)
		for (i = 0; i < CLIENTS; i++) {
			ASSERT_EQ(100 + i, server_recv(self->server, &id, &name,
						       0));
			EXPECT_EQ(self->c[i].id, id);
			EXPECT_EQ(0, memcmp(buf, text + i, 100 + i));
			address_of(self->c[i].fd, &addr);
			EXPECT_EQ(variant->family, name.ss_family);
			EXPECT_EQ(addr.port, port_of(&name));
		}
	ASSERT_TRUE(nothing_waits(self->server));
}

TEST_F(assoc, an_answer_goes_to_its_association_by_number_and_by_address)
{
	unsigned int i;

	for (i = 0; i < CLIENTS; i++) {
		struct client *c = &self->c[i];

		ASSERT_EQ(80, send_cut(self->server, c->id, -1, text + i, 80, 0,
				       0));
		ASSERT_EQ(81, send_cut(self->server, 0, c->fd, text + i, 81, 0,
				       0));
		ASSERT_EQ(82, send_cut(self->server, c->id, c->fd, text + i, 82,
				       0, 0));
	}
	for (i = 0; i < CLIENTS; i++) {
		ASSERT_EQ(80, client_recv(&self->c[i]));
		EXPECT_EQ(0, memcmp(rec.data, text + i, 80));
		ASSERT_EQ(81, client_recv(&self->c[i]));
		ASSERT_EQ(82, client_recv(&self->c[i]));
		ASSERT_EQ(-1, client_recv(&self->c[i]));
	}
}

TEST_F(assoc, a_message_without_an_association_is_refused)
{
	struct client *c = self->c;
	int stranger = udp_socket(variant->family);

	ASSERT_LE(0, stranger);
	ASSERT_ERRNO(EDESTADDRREQ, send(self->server, text, 50, 0));
	ASSERT_ERRNO(ENOENT, send_cut(self->server, 77, -1, text, 50, 0, 0));
	ASSERT_ERRNO(ENOTCONN, send_cut(self->server, 0, stranger, text, 50, 0,
					0));
	ASSERT_ERRNO(EISCONN, send_cut(self->server, c[0].id, c[1].fd, text, 50,
				       0, 0));
	ASSERT_ERRNO(EOPNOTSUPP, send_cut(self->server, c[0].id, -1, text, 50, 0,
					  MSG_MORE));
	ASSERT_OK(set_peer(self->server, DTLS_ASSOC_ADD, 5, stranger));
	ASSERT_ERRNO(ENOKEY, send_cut(self->server, 5, -1, text, 50, 0, 0));
	ASSERT_TRUE(client_works(self->server, c));
	close(stranger);
}

/* A record from another peer's address is of no use to whoever sent it. */
TEST_F(assoc, records_never_open_under_the_keys_of_another)
{
	struct client *a = &self->c[0], *b = &self->c[1];
	struct dtls_counters counters;
	__u64 id;

	ASSERT_EQ(60, send_from(a, b->fd, CT_DATA, text, 60));
	if (variant->cid_len) {
		/* The connection ID tells whose record it is. */
		ASSERT_EQ(60, server_recv(self->server, &id, NULL, 0));
		EXPECT_EQ(a->id, id);
	} else {
		ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
		ASSERT_OK(get_counters(self->server, b->id, &counters));
		EXPECT_EQ(1u, counters.rx_auth_failed);
		EXPECT_EQ(0u, counters.rx_records);
	}
	ASSERT_TRUE(client_works(self->server, a));
	ASSERT_TRUE(client_works(self->server, b));
}

/* What follows in a datagram is of its association, or of nobody. */
TEST_F(assoc, a_datagram_belongs_to_one_association)
{
	struct client *a = &self->c[0], *b = &self->c[1];
	struct dtls_counters counters;
	size_t len, first;
	__u64 id;

	b->seq = 5;	/* no replay in the other window */
	first = peer_seal_more(&a->up, CT_DATA, a->seq++, text, 60, wire);
	len = first + peer_seal(&b->up, CT_DATA, b->seq++, text, 61,
				wire + first);
	ASSERT_EQ((ssize_t)len, send(a->fd, wire, len, 0));
	ASSERT_EQ(60, server_recv(self->server, &id, NULL, 0));
	EXPECT_EQ(a->id, id);
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_OK(get_counters(self->server, b->id, &counters));
	EXPECT_EQ(0u, counters.rx_records);
	ASSERT_OK(get_counters(self->server, a->id, &counters));
	EXPECT_EQ(1u, counters.rx_records);
	EXPECT_EQ(1u, counters.rx_auth_failed + counters.rx_no_key);
}

TEST_F(assoc, each_has_numbers_windows_and_counters_of_its_own)
{
	struct dtls_counters counters;
	struct dtls_info info;
	unsigned int i, n;
	__u64 id;

	for (i = 0; i < CLIENTS; i++)
		for (n = 0; n <= i; n++) {
			ASSERT_EQ(40, client_send(&self->c[i], text, 40));
			ASSERT_EQ(40, server_recv(self->server, &id, NULL, 0));
			ASSERT_EQ(41, server_send(self->server, self->c[i].id,
						  text, 41));
		}
	for (i = 0; i < CLIENTS; i++) {
		ASSERT_OK(get_info(self->server, self->c[i].id, &info));
		EXPECT_EQ(self->c[i].id, info.id);
		EXPECT_EQ(i + 1u, info.tx_seq);
		EXPECT_EQ(i + 1u, info.rx_seq);
		EXPECT_NE(0u, info.heard);
		EXPECT_GE(now_ms(), info.heard);
		ASSERT_OK(get_counters(self->server, self->c[i].id, &counters));
		EXPECT_EQ(i + 1u, counters.rx_records);
		EXPECT_EQ(i + 1u, counters.tx_records);
		EXPECT_EQ(41u * (i + 1), counters.tx_bytes);
	}
	/* A copy is a replay in its own window alone. */
	self->c[2].seq = 0;
	ASSERT_EQ(40, client_send(&self->c[2], text, 40));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_OK(get_counters(self->server, self->c[2].id, &counters));
	EXPECT_EQ(1u, counters.rx_replays);
}

/* Only a record that was verified counts, and each reading tells the same time. */
TEST_F(assoc, heard_changes_with_the_next_verified_record)
{
	struct client *c = &self->c[0];
	struct dtls_info first, again, later;
	__u64 verified;
	size_t len;

	ASSERT_TRUE(client_works(self->server, c));
	verified = now_ms();
	usleep(100 * 1000);
	ASSERT_OK(get_info(self->server, c->id, &first));
	EXPECT_GE(verified, first.heard);

	usleep(100 * 1000);
	len = peer_seal(&c->up, CT_DATA, c->seq++, text, 60, wire);
	wire[len - 1] ^= 1;
	ASSERT_EQ((ssize_t)len, send(c->fd, wire, len, 0));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_OK(get_info(self->server, c->id, &again));
	EXPECT_EQ(1u, again.rx_forged);
	EXPECT_EQ(first.heard, again.heard);

	ASSERT_TRUE(client_works(self->server, c));
	ASSERT_OK(get_info(self->server, c->id, &later));
	EXPECT_LT(first.heard, later.heard);
	EXPECT_GE(now_ms(), later.heard);
}

TEST_F(assoc, segments_go_to_one_while_others_are_sent_to)
{
	unsigned int i;

	ASSERT_EQ(2500, send_cut(self->server, self->c[0].id, -1, text, 2500,
				 500, 0));
	ASSERT_EQ(90, server_send(self->server, self->c[1].id, text, 90));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(500, client_recv(&self->c[0]));
		EXPECT_EQ(0, memcmp(rec.data, text + 500 * i, 500));
	}
	ASSERT_EQ(-1, client_recv(&self->c[0]));
	ASSERT_EQ(90, client_recv(&self->c[1]));
}

/* With UDP_GRO one call has records of one association alone. */
TEST_F(assoc, coalesced_records_are_of_one_association)
{
	struct client *a = &self->c[0], *b = &self->c[1];
	int on = 1, gso, i, of_a = 0, of_b = 0;
	char space[256];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	size_t len = 0, size = 0;
	ssize_t n;
	__u64 id;

	ASSERT_OK(setsockopt(self->server, SOL_UDP, UDP_GRO, &on, sizeof(on)));
	/* One flow has datagrams of two associations, as a relay may do. */
	for (i = 0; i < 8; i++) {
		struct client *c = variant->cid_len && i >= 3 && i < 5 ? b : a;

		size = peer_seal(&c->up, CT_DATA, c->seq++, text, 100,
				 wire + len);
		len += size;
	}
	ASSERT_EQ((ssize_t)len, send_segments(a->fd, wire, len, size, 0));
	for (;;) {
		settle();
		msg.msg_control = space;
		msg.msg_controllen = sizeof(space);
		n = recvmsg(self->server, &msg, MSG_DONTWAIT);
		if (n < 0)
			break;
		gso = 0;
		find_control(&msg, SOL_UDP, UDP_GRO, &gso, sizeof(gso));
		ASSERT_EQ((int)sizeof(id), find_control(&msg, SOL_DTLS,
							DTLS_ASSOC, &id,
							sizeof(id)));
		ASSERT_TRUE(!gso || gso == 100);
		ASSERT_EQ(0, n % 100);
		if (id == a->id)
			of_a += n / 100;
		else if (id == b->id)
			of_b += n / 100;
	}
	EXPECT_EQ(variant->cid_len ? 6 : 8, of_a);
	EXPECT_EQ(variant->cid_len ? 2 : 0, of_b);
}

TEST_F(assoc, poll_and_peek_find_what_recv_returns)
{
	struct client *c = &self->c[3];
	int bytes;
	__u64 id;

	ASSERT_EQ(0, poll_for(self->server, POLLIN, 0));
	ASSERT_EQ(64, client_send(c, text, 64));
	ASSERT_EQ(POLLIN, poll_for(self->server, POLLIN, SOON_MS));
	ASSERT_OK(ioctl(self->server, FIONREAD, &bytes));
	EXPECT_EQ(64, bytes);
	ASSERT_EQ(64, server_recv(self->server, &id, NULL, MSG_PEEK));
	EXPECT_EQ(c->id, id);
	ASSERT_EQ(64, server_recv(self->server, &id, NULL, 0));
	EXPECT_EQ(c->id, id);
	ASSERT_EQ(0, poll_for(self->server, POLLIN, 0));
}

/* ---- strangers ---- */

TEST_F(assoc, a_strangers_datagram_comes_whole_and_out_of_band)
{
	int stranger = udp_socket(variant->family), on = 1;
	struct dtls_counters counters;
	struct dtls_record_info info;
	struct sockaddr_storage name;
	struct iovec iov = { buf, sizeof(buf) };
	char space[256];
	struct msghdr msg = { .msg_name = &name, .msg_namelen = sizeof(name),
			      .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = space,
			      .msg_controllen = sizeof(space) };
	struct dtls_addr addr;
	size_t len;

	ASSERT_LE(0, stranger);
	ASSERT_OK(udp_connect(stranger, self->server));
	ASSERT_OK(variant->family == AF_INET ?
		  setsockopt(self->server, SOL_IP, IP_PKTINFO, &on, sizeof(on)) :
		  setsockopt(self->server, SOL_IPV6, IPV6_RECVPKTINFO, &on,
			     sizeof(on)));
	len = plain_record(CT_HANDSHAKE, 0, 7, text, 120, wire);
	len += plain_record(CT_HANDSHAKE, 0, 8, text, 90, wire + len);
	ASSERT_EQ((ssize_t)len, send(stranger, wire, len, 0));
	settle();
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_EQ((ssize_t)len, recvmsg(self->server, &msg,
					MSG_OOB | MSG_DONTWAIT));
	EXPECT_EQ(0, memcmp(wire, buf, len));
	ASSERT_EQ((int)sizeof(info), find_control(&msg, SOL_DTLS,
						  DTLS_RECORD_INFO, &info,
						  sizeof(info)));
	EXPECT_EQ(0u, info.id);
	EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
	EXPECT_EQ(CT_HANDSHAKE, info.type);
	EXPECT_EQ(7u, info.seq);
	address_of(stranger, &addr);
	EXPECT_EQ(addr.port, port_of(&name));
	if (variant->family == AF_INET) {
		struct in_pktinfo pktinfo = {};

		find_control(&msg, SOL_IP, IP_PKTINFO, &pktinfo,
			     sizeof(pktinfo));
		EXPECT_EQ(htonl(INADDR_LOOPBACK), pktinfo.ipi_addr.s_addr);
	} else {
		struct in6_pktinfo pktinfo = {};

		find_control(&msg, SOL_IPV6, IPV6_PKTINFO, &pktinfo,
			     sizeof(pktinfo));
		EXPECT_EQ(0, memcmp(&in6addr_loopback, &pktinfo.ipi6_addr, 16));
	}

	/* What is no record is dropped, and counted as nobody's. */
	ASSERT_EQ(50, send(stranger, text, 50, 0));
	ASSERT_TRUE(nothing_waits(self->server));
	ASSERT_OK(get_counters(self->server, 0, &counters));
	EXPECT_EQ(1u, counters.rx_malformed);
	close(stranger);
}

TEST_F(assoc, a_raw_answer_reaches_a_stranger)
{
	int stranger = udp_socket(variant->family);
	char space[CMSG_SPACE(sizeof(struct dtls_record_info))] = "";
	struct dtls_record_info info = { .flags = DTLS_RECORD_RAW };
	struct iovec iov = { text, 99 };
	struct sockaddr_storage name;
	struct msghdr msg = { .msg_name = &name, .msg_iov = &iov,
			      .msg_iovlen = 1, .msg_control = space,
			      .msg_controllen = sizeof(space) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	socklen_t len = sizeof(name);

	ASSERT_LE(0, stranger);
	ASSERT_OK(getsockname(stranger, (struct sockaddr *)&name, &len));
	msg.msg_namelen = len;
	cmsg->cmsg_level = SOL_DTLS;
	cmsg->cmsg_type = DTLS_RECORD_INFO;
	cmsg->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(cmsg), &info, sizeof(info));
	ASSERT_EQ(99, sendmsg(self->server, &msg, 0));
	ASSERT_EQ(99, recv_now(stranger, buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, text, 99));
	close(stranger);
}

/* A hundred clients may say hello at once: while nobody reads, all hellos find room. */
TEST_F(assoc, a_hundred_hellos_at_once_are_all_heard)
{
	int stranger = udp_socket(variant->family);
	struct dtls_record_info info;
	unsigned int i, heard = 0;
	size_t len;

	ASSERT_LE(0, stranger);
	ASSERT_OK(udp_connect(stranger, self->server));
	len = plain_record(CT_HANDSHAKE, 0, 0, text, 300, wire);
	for (i = 0; i < 100; i++) {
		ASSERT_EQ((ssize_t)len, send(stranger, wire, len, 0));
		ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	}
	while (recv_control(self->server, &info, buf, sizeof(buf)) ==
	       (ssize_t)len)
		heard++;
	EXPECT_EQ(100u, heard);
	close(stranger);
}

/* However many strangers write, peers' records and events are all there. */
TEST_F(assoc, a_flood_of_strangers_takes_no_room_of_peers)
{
	int stranger = udp_socket(variant->family);
	unsigned int i, n, total = rounds(20000, 1000);
	struct dtls_record_info info;
	struct dtls_info state;
	int rcvbuf;
	socklen_t size = sizeof(rcvbuf);
	__u64 id;
	size_t len;

	ASSERT_LE(0, stranger);
	ASSERT_OK(udp_connect(stranger, self->server));
	ASSERT_OK(getsockopt(self->server, SOL_SOCKET, SO_RCVBUF, &rcvbuf,
			     &size));
	ASSERT_EQ(30, send_from(&self->c[1], self->c[1].fd, CT_HANDSHAKE, text,
				30));
	len = plain_record(CT_HANDSHAKE, 0, 0, text, 300, wire);
	for (i = 0, n = 0; i < total; i++) {
		ASSERT_EQ((ssize_t)len, send(stranger, wire, len, 0));
		if (i % 20)
			continue;
		ASSERT_EQ(60, client_send(&self->c[0], text, 60));
		ASSERT_EQ(60, server_recv(self->server, &id, NULL, 0));
		ASSERT_EQ(self->c[0].id, id);
		n++;
	}
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_OK(get_info(self->server, 0, &state));
	/* SO_RCVBUF each for strangers' records and for the peer's. */
	EXPECT_GE(2 * (__u32)rcvbuf, state.control_queued);
	/* The first control record was the peer's, and is still there. */
	ASSERT_EQ(30, recv_control(self->server, &info, buf, sizeof(buf)));
	EXPECT_EQ(self->c[1].id, info.id);
	EXPECT_EQ(0, info.flags);
	ASSERT_TRUE(client_works(self->server, &self->c[2]));
	close(stranger);
}

/* STUN, ZRTP, TURN and RTP share a port with DTLS (RFC 7983). */
TEST_F(assoc, other_protocols_are_read_if_asked_for)
{
	static const __u8 first[] = { 0, 3, 16, 19, 64, 79, 128, 191 };
	int stranger = udp_socket(variant->family), on = 1;
	struct dtls_record_info info;
	struct dtls_counters before, after;
	unsigned int i;

	ASSERT_LE(0, stranger);
	ASSERT_OK(udp_connect(stranger, self->server));
	ASSERT_OK(get_counters(self->server, 0, &before));
	for (i = 0; i < ARRAY_SIZE(first); i++) {
		memset(wire, first[i], 80);
		ASSERT_EQ(80, send(stranger, wire, 80, 0));
	}
	ASSERT_TRUE(nothing_waits(self->server));
	ASSERT_OK(get_counters(self->server, 0, &after));
	EXPECT_EQ(before.rx_malformed + ARRAY_SIZE(first), after.rx_malformed);

	ASSERT_OK(setsockopt(self->server, SOL_DTLS, DTLS_PASS, &on,
			     sizeof(on)));
	for (i = 0; i < ARRAY_SIZE(first); i++) {
		memset(wire, first[i], 80 + i);
		ASSERT_EQ(80 + (int)i, send(stranger, wire, 80 + i, 0));
		if (i % 2)
			ASSERT_EQ(POLLIN, poll_for(self->server, POLLIN,
						   SOON_MS));
		ASSERT_EQ(80 + (int)i, recv_info(self->server, &info, buf,
						 sizeof(buf), 0));
		EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
		EXPECT_EQ(0, memcmp(wire, buf, 80 + i));
	}
	/* What is DTLS by its first byte stays so. */
	for (i = 20; i <= 63; i++) {
		memset(wire, i, 80);
		ASSERT_EQ(80, send(stranger, wire, 80, 0));
		ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	}
	memset(wire, 0, PLAIN_MAX + 1);
	ASSERT_EQ(PLAIN_MAX + 1, send(stranger, wire, PLAIN_MAX + 1, 0));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_OK(get_counters(self->server, 0, &after));
	EXPECT_EQ(1u, after.rx_oversize);
	ASSERT_TRUE(client_works(self->server, &self->c[0]));
	close(stranger);
}

/* With UDP_GRO datagrams of both kinds may come coalesced, and none is lost. */
TEST_F(assoc, other_protocols_amid_records_are_read)
{
	struct client *c = &self->c[0];
	struct dtls_record_info info;
	size_t len = 0, size = 0;
	int on = 1, i;

	ASSERT_OK(setsockopt(self->server, SOL_DTLS, DTLS_PASS, &on, sizeof(on)));
	ASSERT_OK(setsockopt(self->server, SOL_UDP, UDP_GRO, &on, sizeof(on)));
	for (i = 0; i < 6; i++) {
		size = peer_seal(&c->up, CT_DATA, c->seq, text, 100, wire + len);
		if (i % 3 == 2)
			memset(wire + len, 128 + i, size);
		else
			c->seq++;
		len += size;
	}
	ASSERT_EQ((ssize_t)len, send_segments(c->fd, wire, len, size, 0));
	for (i = 2; i < 6; i += 3) {
		ASSERT_EQ(200, recv_info(self->server, &info, buf, sizeof(buf), 0));
		EXPECT_EQ(0, info.flags);
		ASSERT_EQ((ssize_t)size, recv_info(self->server, &info, buf,
						   sizeof(buf), 0));
		EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
		EXPECT_EQ(128 + i, buf[0]);
	}
	ASSERT_TRUE(nothing_waits(self->server));
}

/* A connected socket does the same with what its peer's address sends. */
TEST_F(assoc, a_connected_socket_reads_other_protocols)
{
	char space[256];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = space,
			      .msg_controllen = sizeof(space) };
	struct dtls_record_info info;
	struct link l;
	int on = 1, gso = 0;

	ASSERT_OK(link_raw(&l, variant->family, variant->cipher,
			   variant->cid_len));
	ASSERT_OK(setsockopt(l.a, SOL_DTLS, DTLS_PASS, &on, sizeof(on)));
	memset(wire, 128, 300);
	ASSERT_EQ(300, send(l.b, wire, 300, 0));
	ASSERT_EQ(60, link_send(&l, CT_DATA, text, 60));
	ASSERT_EQ(300, recv_info(l.a, &info, buf, sizeof(buf), 0));
	EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
	ASSERT_EQ(60, recv_info(l.a, &info, buf, sizeof(buf), 0));
	EXPECT_EQ(0, info.flags);
	ASSERT_EQ(99, send_control(l.a, 0, DTLS_RECORD_RAW, wire, 99));
	ASSERT_EQ(99, recv_now(l.b, buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(wire, buf, 99));
	ASSERT_OK(setsockopt(l.a, SOL_UDP, UDP_GRO, &on, sizeof(on)));
	ASSERT_EQ(300, send_segments(l.b, wire, 300, 100, 0));
	settle();
	ASSERT_EQ(300, recvmsg(l.a, &msg, MSG_DONTWAIT));
	find_control(&msg, SOL_UDP, UDP_GRO, &gso, sizeof(gso));
	EXPECT_EQ(100, gso);
	find_control(&msg, SOL_DTLS, DTLS_RECORD_INFO, &info, sizeof(info));
	EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
	link_close(&l);
}

/* ---- one peer's affairs are not another one's ---- */

TEST_F(assoc, a_goodbye_ends_nothing_but_its_own)
{
	static const __u8 bye[] = { ALERT_WARNING, ALERT_CLOSE_NOTIFY };
	struct dtls_record_info info;
	struct dtls_info state;
	unsigned int i;

	ASSERT_EQ(2, send_from(&self->c[0], self->c[0].fd, CT_ALERT, bye, 2));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_EQ(0, poll_for(self->server, POLLIN | POLLRDHUP, 0));
	ASSERT_EQ(2, recv_control(self->server, &info, buf, sizeof(buf)));
	EXPECT_EQ(self->c[0].id, info.id);
	EXPECT_EQ(CT_ALERT, info.type);
	for (i = 0; i < CLIENTS; i++) {
		ASSERT_OK(get_info(self->server, self->c[i].id, &state));
		EXPECT_EQ(i ? 0 : DTLS_INFO_EOF, state.flags & DTLS_INFO_EOF);
	}
	ASSERT_TRUE(client_works(self->server, &self->c[1]));
}

TEST_F(assoc, a_fatal_alert_is_no_error_of_the_socket)
{
	static const __u8 fatal[] = { ALERT_FATAL, ALERT_INTERNAL_ERROR };
	struct dtls_record_info info;
	int err = 1;
	socklen_t len = sizeof(err);

	ASSERT_EQ(2, send_from(&self->c[2], self->c[2].fd, CT_ALERT, fatal, 2));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_OK(getsockopt(self->server, SOL_SOCKET, SO_ERROR, &err, &len));
	EXPECT_EQ(0, err);
	ASSERT_EQ(2, recv_control(self->server, &info, buf, sizeof(buf)));
	EXPECT_EQ(self->c[2].id, info.id);
	ASSERT_TRUE(client_works(self->server, &self->c[1]));
}

TEST_F(assoc, a_peer_that_has_gone_is_no_error_of_the_socket)
{
	close(self->c[0].fd);
	self->c[0].fd = udp_socket(variant->family);
	ASSERT_EQ(50, server_send(self->server, self->c[0].id, text, 50));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_TRUE(client_works(self->server, &self->c[1]));
}

/*
 * Take an error out of the error queue of @fd. Return the port of the peer it is about if
 * it says that nobody has the port and quotes a record to @c, of 50 bytes; else 0.
 */
static in_port_t refused_by(int fd, int family, const struct client *c)
{
	bool v4 = family == AF_INET;
	struct sockaddr_storage name = {};
	struct iovec iov = { wire, sizeof(wire) };
	char space[512];
	struct msghdr msg = { .msg_name = &name, .msg_namelen = sizeof(name),
			      .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = space,
			      .msg_controllen = sizeof(space) };
	struct sock_extended_err ee;
	ssize_t n;

	settle();
	n = recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);
	if (n < 0 || find_control(&msg, v4 ? SOL_IP : SOL_IPV6,
				  v4 ? IP_RECVERR : IPV6_RECVERR, &ee,
				  sizeof(ee)) < 0 ||
	    ee.ee_errno != ECONNREFUSED ||
	    peer_open(&c->down, wire, n, &rec) != n || rec.len != 50)
		return 0;
	return port_of(&name);
}

/*
 * Whoever asks for ICMP errors is told which peer has gone. As on any UDP socket, the next
 * call fails if nobody has looked into the error queue before. Nothing that others have
 * sent or are sent is lost.
 */
TEST_F(assoc, the_error_queue_names_the_peer_that_has_gone)
{
	bool v4 = variant->family == AF_INET;
	struct client *gone = &self->c[1];
	struct dtls_addr addr;
	unsigned int i, round;
	int on = 1;
	__u64 id;

	ASSERT_OK(setsockopt(self->server, v4 ? SOL_IP : SOL_IPV6,
			     v4 ? IP_RECVERR : IPV6_RECVERR, &on, sizeof(on)));
	address_of(gone->fd, &addr);
	ASSERT_OK(close(gone->fd));
	gone->fd = -1;
	/* The error queue, a call that receives, or one that sends tells the error first. */
	for (round = 0; round < 3; round++) {
		for (i = 0; i < CLIENTS; i++)
			if (i != 1)
				ASSERT_EQ(40 + i, client_send(&self->c[i], text + i, 40 + i));
		ASSERT_EQ(50, server_send(self->server, gone->id, text, 50));
		ASSERT_TRUE(poll_for(self->server, 0, SOON_MS) & POLLERR);
		if (round == 1)
			ASSERT_ERRNO(ECONNREFUSED, recv_now(self->server, buf, sizeof(buf)));
		if (round == 2)
			ASSERT_ERRNO(ECONNREFUSED, server_send(self->server, self->c[0].id,
							       text, 60));
		ASSERT_EQ(addr.port, refused_by(self->server, variant->family, gone));
		for (i = 0; i < CLIENTS; i++) {
			if (i == 1)
				continue;
			ASSERT_EQ(40 + i, server_recv(self->server, &id, NULL, 0));
			ASSERT_EQ(self->c[i].id, id);
			ASSERT_EQ(0, memcmp(buf, text + i, 40 + i));
		}
		for (i = 0; i < CLIENTS; i++)
			if (i != 1)
				ASSERT_TRUE(client_works(self->server, &self->c[i]));
	}
	ASSERT_EQ(0, refused_by(self->server, variant->family, gone));
}

TEST_F(assoc, one_that_fills_its_budget_leaves_room_for_others)
{
	struct client *hog = &self->c[0], *other = &self->c[1];
	struct dtls_counters counters;
	struct dtls_record_info info;
	unsigned int i, of_other = 0;

	for (i = 0; i < 400; i++) {
		ASSERT_EQ(200, send_from(hog, hog->fd, CT_HANDSHAKE, text, 200));
		ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	}
	ASSERT_OK(get_counters(self->server, hog->id, &counters));
	ASSERT_LT(0u, counters.rx_no_budget);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(200, send_from(other, other->fd, CT_HANDSHAKE, text,
					 200));
		ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	}
	ASSERT_OK(get_counters(self->server, other->id, &counters));
	EXPECT_EQ(0u, counters.rx_no_budget);
	while (recv_control(self->server, &info, buf, sizeof(buf)) == 200)
		of_other += info.id == other->id;
	EXPECT_EQ(4u, of_other);
}

/* Records that came before their key wait for it, each for its own. */
TEST_F(assoc, early_records_wait_for_their_own_key)
{
	struct client late[2];
	unsigned int i;
	__u64 id;

	for (i = 0; i < 2; i++) {
		ASSERT_OK(make_client(&late[i], variant->family, variant->cipher,
				      0, self->server, CLIENTS + i));
		ASSERT_OK(set_peer(self->server, DTLS_ASSOC_ADD, late[i].id,
				   late[i].fd));
		ASSERT_EQ(70 + i, client_send(&late[i], text, 70 + i));
	}
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_OK(set_key(self->server, late[1].id, DTLS_RX, &late[1].up));
	ASSERT_EQ(71, server_recv(self->server, &id, NULL, 0));
	EXPECT_EQ(late[1].id, id);
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_OK(set_key(self->server, late[0].id, DTLS_RX, &late[0].up));
	ASSERT_EQ(70, server_recv(self->server, &id, NULL, 0));
	EXPECT_EQ(late[0].id, id);
	for (i = 0; i < 2; i++)
		close(late[i].fd);
}

/*
 * One peer sends more records without a key than the budget of all has room for. Those of
 * others are all there when their keys come, also if they are older than the hog's.
 */
TEST_F(assoc, one_that_fills_the_early_budget_takes_no_room_of_others)
{
	struct client late[3], *hog = &late[1];
	unsigned int i, k, of_hog = 0;
	__u64 id;

	for (k = 0; k < 3; k++) {
		ASSERT_OK(make_client(&late[k], variant->family, variant->cipher,
				      0, self->server, CLIENTS + k));
		ASSERT_OK(set_peer(self->server, DTLS_ASSOC_ADD, late[k].id,
				   late[k].fd));
	}
	for (k = 0; k < 3; k++)
		for (i = 0; i < (&late[k] == hog ? 400 : 4); i++) {
			ASSERT_EQ(200, client_send(&late[k], text + i, 200));
			ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
		}
	for (k = 0; k < 3; k += 2) {
		ASSERT_OK(set_key(self->server, late[k].id, DTLS_RX, &late[k].up));
		for (i = 0; i < 4; i++) {
			ASSERT_EQ(200, server_recv(self->server, &id, NULL, 0));
			EXPECT_EQ(late[k].id, id);
			EXPECT_EQ(0, memcmp(buf, text + i, 200));
		}
		ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	}
	/* Of the hog's the newest are there, as its share had no room for the others. */
	ASSERT_OK(set_key(self->server, hog->id, DTLS_RX, &hog->up));
	while (server_recv(self->server, &id, NULL, 0) == 200 && id == hog->id)
		of_hog++;
	EXPECT_EQ(0, memcmp(buf, text + 399, 200));
	EXPECT_LT(0u, of_hog);
	EXPECT_GT(400u, of_hog);
	ASSERT_TRUE(client_works(self->server, &self->c[0]));
	for (k = 0; k < 3; k++)
		close(late[k].fd);
}

TEST_F(assoc, a_datagram_is_given_back_to_its_association)
{
	struct client *c = &self->c[1];
	struct { struct dtls_feed head; __u8 data[500]; } feed = {
		.head.id = c->id,
	};
	struct sockaddr_storage name;
	struct dtls_addr addr;
	size_t len;
	__u64 id;

	len = peer_seal(&c->up, CT_DATA, c->seq++, text, 66, feed.data);
	ASSERT_OK(setsockopt(self->server, SOL_DTLS, DTLS_FEED, &feed,
			     sizeof(feed.head) + len));
	ASSERT_EQ(66, server_recv(self->server, &id, &name, 0));
	EXPECT_EQ(c->id, id);
	address_of(c->fd, &addr);
	EXPECT_EQ(addr.port, port_of(&name));
	feed.head.id = 77;
	ASSERT_ERRNO(ENOENT, setsockopt(self->server, SOL_DTLS, DTLS_FEED, &feed,
					sizeof(feed.head) + len));
}

/* ---- who has which number, address and connection ID ---- */

TEST_F(assoc, numbers_and_addresses_belong_to_one)
{
	int other = udp_socket(variant->family);
	struct client *a = &self->c[0], *b = &self->c[1];

	ASSERT_LE(0, other);
	ASSERT_ERRNO(EEXIST, set_peer(self->server, DTLS_ASSOC_ADD, a->id,
				      other));
	ASSERT_ERRNO(EADDRINUSE, set_peer(self->server, DTLS_ASSOC_ADD, 5,
					  a->fd));
	ASSERT_ERRNO(EADDRINUSE, set_peer(self->server, DTLS_ASSOC_MOVE, a->id,
					  b->fd));
	ASSERT_ERRNO(ENOENT, set_peer(self->server, DTLS_ASSOC_MOVE, 5, other));
	ASSERT_ERRNO(ENOENT, delete(self->server, 5));
	ASSERT_ERRNO(EINVAL, set_peer(self->server, DTLS_ASSOC_ADD, 0, other));
	ASSERT_OK(set_peer(self->server, DTLS_ASSOC_MOVE, a->id, a->fd));
	ASSERT_TRUE(client_works(self->server, a));
	ASSERT_TRUE(client_works(self->server, b));
	close(other);
}

TEST_F(assoc, what_was_deleted_is_free_and_knows_nothing)
{
	struct client *a = &self->c[0], *b = &self->c[1];
	struct dtls_record_info info;
	struct dtls_info state;
	struct client anew = *a;

	/* One record is ready, one is a control record, one is still with UDP. */
	ASSERT_EQ(60, client_send(a, text, 60));
	ASSERT_EQ(30, send_from(a, a->fd, CT_HANDSHAKE, text, 30));
	ASSERT_EQ(POLLIN, poll_for(self->server, POLLIN, SOON_MS));
	ASSERT_EQ(61, client_send(a, text, 61));
	settle();
	ASSERT_OK(delete(self->server, a->id));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_EQ(0, poll_for(self->server, POLLIN, 0));
	ASSERT_ERRNO(ENOENT, get_info(self->server, a->id, &state));
	ASSERT_ERRNO(ENOENT, set_key(self->server, a->id, DTLS_RX, &a->up));
	ASSERT_ERRNO(ENOENT, send_cut(self->server, a->id, -1, text, 50, 0, 0));
	while (recv_control(self->server, &info, buf, sizeof(buf)) >= 0)
		EXPECT_EQ(0u, info.id);

	/* The same number, address and connection ID are another's now. */
	peer_key_init(&anew.up, variant->cipher, nth_epoch(variant->cipher, 1),
		      variant->cid_len, 500);
	memcpy(anew.up.cid, a->up.cid, a->up.cid_len);
	peer_key_init(&anew.down, variant->cipher,
		      nth_epoch(variant->cipher, 1),
		      variant->cid_len ? variant->cid_len + 2 : 0, 501);
	anew.seq = 0;
	ASSERT_OK(add_client(self->server, &anew));
	ASSERT_EQ(62, client_send(a, text, 62));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_TRUE(client_works(self->server, &anew));
	ASSERT_TRUE(client_works(self->server, b));
	*a = anew;
}

TEST_F(assoc, a_connection_id_belongs_to_one)
{
	struct client *a = &self->c[0], *b = &self->c[1];
	struct peer_key next;

	if (!variant->cid_len) {
		peer_key_init(&next, variant->cipher,
			      nth_epoch(variant->cipher, 2), 4, 600);
		ASSERT_ERRNO(EINVAL, set_key(self->server, a->id, DTLS_RX,
					     &next));
		return;
	}
	peer_key_init(&next, variant->cipher, nth_epoch(variant->cipher, 2),
		      variant->cid_len, 600);
	memcpy(next.cid, b->up.cid, b->up.cid_len);
	ASSERT_ERRNO(EADDRINUSE, set_key(self->server, a->id, DTLS_RX, &next));
	ASSERT_OK(delete(self->server, b->id));
	ASSERT_OK(set_key(self->server, a->id, DTLS_RX, &next));
	a->up = next;
	a->seq = 0;
	ASSERT_TRUE(client_works(self->server, a));
}

TEST_F(assoc, a_move_takes_the_association_to_another_address)
{
	struct client *a = &self->c[0];
	int old = a->fd;
	__u64 id;

	a->fd = udp_socket(variant->family);
	ASSERT_LE(0, a->fd);
	ASSERT_OK(udp_connect(a->fd, self->server));
	ASSERT_OK(set_peer(self->server, DTLS_ASSOC_MOVE, a->id, a->fd));
	ASSERT_TRUE(client_works(self->server, a));
	ASSERT_EQ(60, send_from(a, old, CT_DATA, text, 60));
	if (variant->cid_len) {
		ASSERT_EQ(60, server_recv(self->server, &id, NULL, 0));
		EXPECT_EQ(a->id, id);
	} else {
		ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	}
	/* The old address is free for another one. */
	ASSERT_OK(set_peer(self->server, DTLS_ASSOC_ADD, 5, old));
	ASSERT_TRUE(client_works(self->server, a));
	close(old);
}

TEST_F(assoc, all_are_listed_in_the_order_of_their_numbers)
{
	struct dtls_assoc_table table;
	struct dtls_assoc_peer peer = {};
	struct dtls_addr addr;
	socklen_t len = sizeof(table);
	unsigned int i;

	ASSERT_OK(getsockopt(self->server, SOL_DTLS, DTLS_ASSOC_TABLE, &table,
			     &len));
	EXPECT_EQ((__u32)CLIENTS, table.count);
	EXPECT_EQ(variant->cid_len, table.cid_len);
	for (i = 0; i < CLIENTS; i++) {
		len = sizeof(peer);
		ASSERT_OK(getsockopt(self->server, SOL_DTLS, DTLS_ASSOC_NEXT,
				     &peer, &len));
		EXPECT_EQ(sizeof(peer), len);
		EXPECT_EQ(self->c[i].id, peer.id);
		address_of(self->c[i].fd, &addr);
		EXPECT_EQ(0, memcmp(&addr, &peer.peer, sizeof(addr)));
		address_of(self->server, &addr);
		EXPECT_EQ(0, memcmp(&addr, &peer.local, sizeof(addr)));
		/* One that was just listed may go. */
		if (i == 1)
			ASSERT_OK(delete(self->server, peer.id));
	}
	ASSERT_ERRNO(ENOENT, getsockopt(self->server, SOL_DTLS, DTLS_ASSOC_NEXT,
					&peer, &len));
}

TEST_F(assoc, no_more_than_the_maximum_are_added)
{
	int other = udp_socket(variant->family);

	ASSERT_LE(0, other);
	ASSERT_OK(set_table(self->server, variant->cid_len, CLIENTS));
	ASSERT_ERRNO(ENOSPC, set_peer(self->server, DTLS_ASSOC_ADD, 5, other));
	ASSERT_OK(delete(self->server, self->c[0].id));
	ASSERT_OK(set_peer(self->server, DTLS_ASSOC_ADD, 5, other));
	ASSERT_ERRNO(EINVAL, set_table(self->server, variant->cid_len + 1, 0));
	close(other);
}

TEST_F(assoc, a_key_change_is_of_one)
{
	struct client *a = &self->c[0];
	struct peer_key old = a->up;

	peer_key_init(&a->up, variant->cipher, nth_epoch(variant->cipher, 2),
		      variant->cid_len, 700);
	ASSERT_OK(set_key(self->server, a->id, DTLS_RX, &a->up));
	peer_key_init(&a->down, variant->cipher, nth_epoch(variant->cipher, 2),
		      old.cid_len ? variant->cid_len + 2 : 0, 701);
	ASSERT_OK(set_key(self->server, a->id, DTLS_TX, &a->down));
	a->seq = 0;
	ASSERT_TRUE(client_works(self->server, a));
	ASSERT_TRUE(client_works(self->server, &self->c[1]));
	ASSERT_ERRNO(EEXIST, set_key(self->server, a->id, DTLS_TX, &a->down));
}

/* ---- the socket ---- */

TEST_F(assoc, the_socket_stays_one_with_many_associations)
{
	struct dtls_key_info ki;
	int on = 1;

	ASSERT_ERRNO(EOPNOTSUPP, udp_connect(self->server, self->c[0].fd));
	ASSERT_ERRNO(EOPNOTSUPP, setsockopt(self->server, SOL_UDP, UDP_CORK, &on,
					    sizeof(on)));
	key_info(&self->c[0].up, &ki);
	ASSERT_ERRNO(ENOTCONN, setsockopt(self->server, SOL_DTLS, DTLS_RX, &ki,
					  sizeof(ki)));
	ASSERT_TRUE(client_works(self->server, &self->c[0]));
}

TEST_F(assoc, a_connected_socket_gets_no_table)
{
	int a, b, unbound = socket(variant->family, SOCK_DGRAM, 0);

	ASSERT_OK(udp_pair(variant->family, &a, &b));
	ASSERT_OK(dtls_attach(a));
	ASSERT_ERRNO(EISCONN, set_table(a, 0, 0));
	ASSERT_ERRNO(EOPNOTSUPP, set_peer(a, DTLS_ASSOC_ADD, 5, b));
	ASSERT_ERRNO(EOPNOTSUPP, delete(a, 5));
	ASSERT_ERRNO(ENOENT, send_cut(a, 5, -1, text, 50, 0, 0));
	ASSERT_OK(dtls_attach(unbound));
	ASSERT_ERRNO(EINVAL, set_table(unbound, 0, 0));
	close(a);
	close(b);
	close(unbound);
}

/* A socket bound to all addresses answers from the one that was written to. */
TEST_F(assoc, a_wildcard_socket_answers_from_the_address_written_to)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct sockaddr_storage from;
	socklen_t len = sizeof(to);
	int server, i;
	__u64 id;

	if (variant->family != AF_INET)
		return;
	server = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_LE(0, server);
	ASSERT_OK(bind(server, (struct sockaddr *)&to, sizeof(to)));
	ASSERT_OK(getsockname(server, (struct sockaddr *)&to, &len));
	ASSERT_OK(dtls_attach(server));
	ASSERT_OK(set_table(server, variant->cid_len, 0));
	for (i = 0; i < 2; i++) {
		struct client *c = &self->c[i];
		struct dtls_assoc_peer p = { .id = c->id };

		to.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + i);
		close(c->fd);
		c->fd = socket(AF_INET, SOCK_DGRAM, 0);
		ASSERT_OK(connect(c->fd, (struct sockaddr *)&to, sizeof(to)));
		address_of(c->fd, &p.peer);
		ASSERT_ERRNO(EINVAL, setsockopt(server, SOL_DTLS, DTLS_ASSOC_ADD,
						&p, sizeof(p)));
		p.local.family = AF_INET;
		memcpy(p.local.addr, &to.sin_addr, sizeof(to.sin_addr));
		ASSERT_OK(setsockopt(server, SOL_DTLS, DTLS_ASSOC_ADD, &p,
				     sizeof(p)));
		ASSERT_OK(set_key(server, c->id, DTLS_RX, &c->up));
		ASSERT_OK(set_key(server, c->id, DTLS_TX, &c->down));
		ASSERT_EQ(60, client_send(c, text, 60));
		ASSERT_EQ(60, server_recv(server, &id, &from, 0));
		ASSERT_EQ(c->id, id);
		/* A connected client takes nothing from another address. */
		ASSERT_EQ(70, server_send(server, c->id, text, 70));
		ASSERT_EQ(70, client_recv(c));
		ASSERT_ERRNO(EDESTADDRREQ, send_cut(server, 0, c->fd, text, 50, 0,
						    0));
	}
	close(server);
}

/* ---- all at once ---- */

#define CHURNERS	6

struct crowd {
	int server;
	int family;
	__u16 cipher;
	unsigned int cid_len;
	unsigned int rounds;
	int failed;
};

/* struct job is what one thread is told. */
struct job {
	struct crowd *crowd;
	unsigned int n;
};

/* Add, use, move and delete an association, over and over, with one number. */
static void *churn(void *arg)
{
	struct job *job = arg;
	struct crowd *crowd = job->crowd;
	struct client c;
	unsigned int i;
	int other;

	for (i = 0; i < crowd->rounds && !crowd->failed; i++) {
		if (make_client(&c, crowd->family, crowd->cipher, crowd->cid_len,
				crowd->server, 100 + job->n)) {
			crowd->failed = __LINE__;
			break;
		}
		other = udp_socket(crowd->family);
		if (add_client(crowd->server, &c) ||
		    client_send(&c, &c.id, sizeof(c.id)) < 0 ||
		    server_send(crowd->server, c.id, &c.id, sizeof(c.id)) < 0 ||
		    udp_connect(other, crowd->server) ||
		    set_peer(crowd->server, DTLS_ASSOC_MOVE, c.id, other) ||
		    send_from(&c, other, CT_DATA, &c.id, sizeof(c.id)) < 0 ||
		    delete(crowd->server, c.id))
			crowd->failed = __LINE__;
		close(c.fd);
		close(other);
	}
	return NULL;
}

TEST_F(assoc, added_moved_and_deleted_under_traffic)
{
	struct crowd crowd = {
		.server = self->server,
		.family = variant->family,
		.cipher = variant->cipher,
		.cid_len = variant->cid_len,
		.rounds = rounds(300, 20),
	};
	pthread_t churners[CHURNERS];
	struct takers takers;
	struct job jobs[CHURNERS];
	struct dtls_assoc_table table;
	socklen_t len = sizeof(table);
	unsigned int i;

	roam();
	ASSERT_OK(takers_begin(&takers, self->server, 2));
	for (i = 0; i < CHURNERS; i++) {
		jobs[i] = (struct job){ &crowd, i };
		ASSERT_EQ(0, pthread_create(&churners[i], NULL, churn,
					    &jobs[i]));
	}
	for (i = 0; i < CHURNERS; i++)
		pthread_join(churners[i], NULL);
	takers_end(&takers);
	stay();
	ASSERT_EQ(0, crowd.failed);
	EXPECT_EQ(0u, takers.mixed);
	EXPECT_LT(0u, takers.received);
	ASSERT_OK(getsockopt(self->server, SOL_DTLS, DTLS_ASSOC_TABLE, &table,
			     &len));
	EXPECT_EQ((__u32)CLIENTS, table.count);
	while (recv_now(self->server, buf, sizeof(buf)) >= 0)
		;
	ASSERT_TRUE(client_works(self->server, &self->c[0]));
}

/* A close lets go of all, and of the module. */
TEST_F(assoc, a_socket_with_thousands_is_closed)
{
	unsigned int i, n = rounds(20000, 1000);
	struct dtls_assoc_peer p = {};
	int refs = module_refs();
	int server = make_server(variant->family, variant->cid_len);
	struct peer_key key;

	ASSERT_LE(0, server);
	address_of(self->c[0].fd, &p.peer);
	for (i = 0; i < n; i++) {
		p.id = i + 1;
		p.peer.port = htons(1 + i % 60000);
		ASSERT_OK(setsockopt(server, SOL_DTLS, DTLS_ASSOC_ADD, &p,
				     sizeof(p)));
		if (i % 16)
			continue;
		peer_key_init(&key, variant->cipher,
			      nth_epoch(variant->cipher, 1), variant->cid_len,
			      i + 1);
		if (variant->cid_len >= 3)
			memcpy(key.cid, &i, 3);
		ASSERT_OK(set_key(server, p.id, DTLS_RX, &key));
	}
	ASSERT_EQ(refs + 1, module_refs());
	close(server);
	ASSERT_EQ(refs, module_refs());
	ASSERT_TRUE(client_works(self->server, &self->c[0]));
}

TEST_HARNESS_MAIN
