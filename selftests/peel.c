// SPDX-License-Identifier: GPL-2.0
/*
 * Peeling off: a connected socket takes an association from a socket that has many,
 * with all that waits, and nothing is lost, mixed up or delivered twice.
 */
#include "harness.h"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <linux/sock_diag.h>

#include "clients.h"
#include "common.h"
#include "figures.h"
#include "held.h"

#define CLIENTS	3

static __u8 text[1 << 14];

FIXTURE(peel)
{
	int server;
	int fd;
	struct client c[CLIENTS];
};

FIXTURE_VARIANT(peel)
{
	__u16 cipher;
	int family;
	unsigned int cid_len;
};

LINK_VARIANT(peel, v4, DTLS_CIPHER_AES_GCM_128, AF_INET, 0);
LINK_VARIANT(peel, v6_cid, DTLS_CIPHER_CHACHA20_POLY1305, AF_INET6, 5);
LINK_VARIANT(peel, v13_v6, V13(DTLS_CIPHER_AES_GCM_256), AF_INET6, 0);
LINK_VARIANT(peel, v13_v4_cid, V13(DTLS_CIPHER_AES_CCM_8_128), AF_INET, 3);

/* Make the socket with the table, and its clients. Return 0 or -1. */
static int open_server(struct _test_data_peel *self, int family, __u16 cipher,
		       unsigned int cid_len)
{
	unsigned int i;
	int on = 1;

	self->fd = -1;
	self->server = udp_socket(family);
	if (setsockopt(self->server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    dtls_attach(self->server) || set_table(self->server, cid_len, 0))
		return -1;
	for (i = 0; i < CLIENTS; i++)
		if (make_client(&self->c[i], family, cipher, cid_len,
				self->server, i) ||
		    add_client(self->server, &self->c[i]))
			return -1;
	return 0;
}

static void close_all(struct _test_data_peel *self)
{
	unsigned int i;

	for (i = 0; i < CLIENTS; i++)
		close(self->c[i].fd);
	close(self->fd);
	close(self->server);
}

FIXTURE_SETUP(peel)
{
	stay();
	fill(text, sizeof(text), 1);
	ASSERT_OK(open_server(self, variant->family, variant->cipher,
			      variant->cid_len));
}

FIXTURE_TEARDOWN(peel)
{
	close_all(self);
}

/* The association of @c works in both directions on @fd, with the number @id. */
static bool works_on(int fd, struct client *c, __u64 id)
{
	__u64 said;

	return client_send(c, text + c->id % 64, 60) == 60 &&
	       server_recv(fd, &said, NULL, 0) == 60 && said == id &&
	       !memcmp(buf, text + c->id % 64, 60) &&
	       (id ? server_send(fd, id, text, 70) : send(fd, text, 70, 0)) == 70 &&
	       client_recv(c) == 70 && !memcmp(rec.data, text, 70);
}

static void nothing_left(struct __test_metadata *_metadata, int fd)
{
	struct dtls_record_info info;

	ASSERT_ERRNO(EAGAIN, recv_now(fd, buf, sizeof(buf)));
	ASSERT_ERRNO(EAGAIN, recv_control(fd, &info, buf, sizeof(buf)));
}

TEST_F(peel, the_association_goes_on_on_a_socket_of_its_own)
{
	struct client *c = &self->c[0];
	struct dtls_counters counters;
	struct dtls_info before, after;

	ASSERT_TRUE(works_on(self->server, c, c->id));
	ASSERT_OK(get_info(self->server, c->id, &before));
	self->fd = connected_socket(self->server, c->fd);
	ASSERT_LE(0, self->fd);
	ASSERT_OK(peel_off(self->fd, self->server, c->id));
	ASSERT_OK(get_info(self->fd, 0, &after));
	EXPECT_EQ(before.version, after.version);
	EXPECT_EQ(before.tx_seq, after.tx_seq);
	EXPECT_EQ(before.rx_seq, after.rx_seq);
	EXPECT_EQ(before.heard, after.heard);
	EXPECT_LT(0u, after.mtu);
	ASSERT_TRUE(works_on(self->fd, c, 0));
	ASSERT_TRUE(works_on(self->fd, c, 0));
	ASSERT_OK(get_counters(self->fd, 0, &counters));
	EXPECT_EQ(3u, counters.rx_records);
	EXPECT_EQ(3u, counters.tx_records);
	nothing_left(_metadata, self->server);
	ASSERT_TRUE(works_on(self->server, &self->c[1], self->c[1].id));
	/* The peer of a socket with a key does not change. */
	ASSERT_ERRNO(EISCONN, udp_connect(self->fd, self->c[1].fd));
	ASSERT_ERRNO(EISCONN, peel_off(self->fd, self->server, self->c[1].id));
}

/*
 * Records that were opened for poll, of a datagram that is half read, of the control
 * queue, and of datagrams that nobody has looked at come along, in their order.
 */
TEST_F(peel, what_waits_comes_along)
{
	struct client *c = &self->c[0], *other = &self->c[1];
	struct dtls_record_info info;
	size_t len = 0;
	unsigned int i;
	__u64 id;

	for (i = 0; i < 3; i++)
		len += peer_seal_more(&c->up, CT_DATA, c->seq++, text, 50 + i,
				      wire + len);
	ASSERT_EQ((ssize_t)len, send(c->fd, wire, len, 0));
	ASSERT_EQ(50, server_recv(self->server, &id, NULL, 0));
	ASSERT_EQ(POLLIN, poll_for(self->server, POLLIN, SOON_MS));
	ASSERT_EQ(30, send_from(c, c->fd, CT_HANDSHAKE, text, 30));
	ASSERT_EQ(60, client_send(c, text, 60));
	ASSERT_EQ(61, client_send(other, text, 61));
	ASSERT_EQ(62, client_send(c, text, 62));

	self->fd = connected_socket(self->server, c->fd);
	ASSERT_LE(0, self->fd);
	ASSERT_OK(peel_off(self->fd, self->server, c->id));
	ASSERT_EQ(POLLIN, poll_for(self->fd, POLLIN, SOON_MS));
	ASSERT_EQ(51, server_recv(self->fd, &id, NULL, 0));
	ASSERT_EQ(0u, id);
	ASSERT_EQ(52, server_recv(self->fd, &id, NULL, 0));
	ASSERT_EQ(60, server_recv(self->fd, &id, NULL, 0));
	ASSERT_EQ(62, server_recv(self->fd, &id, NULL, 0));
	ASSERT_EQ(0u, id);
	ASSERT_EQ(30, recv_control(self->fd, &info, buf, sizeof(buf)));
	EXPECT_EQ(0u, info.id);
	EXPECT_EQ(CT_HANDSHAKE, info.type);
	EXPECT_EQ(0, info.flags);
	nothing_left(_metadata, self->fd);
	ASSERT_EQ(61, server_recv(self->server, &id, NULL, 0));
	ASSERT_EQ(other->id, id);
	nothing_left(_metadata, self->server);
	ASSERT_TRUE(works_on(self->fd, c, 0));
}

/* An error that waits on the socket of the table holds nothing back, and stays. */
TEST_F(peel, what_waits_behind_an_error_comes_along)
{
	struct client *c = &self->c[0], *gone = &self->c[1];
	bool v4 = variant->family == AF_INET;
	int one = 1, err;
	socklen_t len = sizeof(err);
	unsigned int i;
	__u64 id;

	ASSERT_OK(setsockopt(self->server, v4 ? SOL_IP : SOL_IPV6,
			     v4 ? IP_RECVERR : IPV6_RECVERR, &one, sizeof(one)));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(50 + i, client_send(c, text, 50 + i));
	close(gone->fd);
	ASSERT_EQ(40, server_send(self->server, gone->id, text, 40));
	settle();
	self->fd = connected_socket(self->server, c->fd);
	ASSERT_LE(0, self->fd);
	ASSERT_OK(peel_off(self->fd, self->server, c->id));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(50 + i, server_recv(self->fd, &id, NULL, 0));
	nothing_left(_metadata, self->fd);
	ASSERT_OK(getsockopt(self->server, SOL_SOCKET, SO_ERROR, &err, &len));
	EXPECT_EQ(ECONNREFUSED, err);
	nothing_left(_metadata, self->server);
	gone->fd = -1;
}

/* Control records that were queued before are the connected socket's. */
TEST_F(peel, queued_control_records_come_along)
{
	struct client *c = &self->c[0];
	struct dtls_record_info info;
	size_t len;

	ASSERT_EQ(30, send_from(c, c->fd, CT_HANDSHAKE, text, 30));
	len = plain_record(CT_HANDSHAKE, 0, 3, text, 90, wire);
	ASSERT_EQ((ssize_t)len, send(c->fd, wire, len, 0));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	self->fd = connected_socket(self->server, c->fd);
	ASSERT_OK(peel_off(self->fd, self->server, c->id));
	ASSERT_EQ(30, recv_control(self->fd, &info, buf, sizeof(buf)));
	EXPECT_EQ(0u, info.id);
	EXPECT_EQ(0, info.flags);
	ASSERT_EQ((ssize_t)len, recv_control(self->fd, &info, buf, sizeof(buf)));
	EXPECT_EQ(0u, info.id);
	EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
	nothing_left(_metadata, self->fd);
	nothing_left(_metadata, self->server);
}

/*
 * A record that waits for the next key goes on waiting, and one that the connected
 * socket has received before it had a key is opened.
 */
TEST_F(peel, early_records_come_along)
{
	struct client *c = &self->c[0], before = *c;
	__u64 id;

	peer_key_init(&c->up, variant->cipher, nth_epoch(variant->cipher, 2),
		      variant->cid_len, 800);
	memcpy(c->up.cid, before.up.cid, before.up.cid_len);
	ASSERT_EQ(60, client_send(c, text, 60));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	self->fd = connected_socket(self->server, c->fd);
	ASSERT_EQ(61, client_send(&before, text, 61));
	ASSERT_ERRNO(EAGAIN, recv_now(self->fd, buf, sizeof(buf)));
	ASSERT_OK(peel_off(self->fd, self->server, c->id));
	ASSERT_EQ(61, server_recv(self->fd, &id, NULL, 0));
	ASSERT_ERRNO(EAGAIN, recv_now(self->fd, buf, sizeof(buf)));
	ASSERT_OK(set_key(self->fd, 0, DTLS_RX, &c->up));
	ASSERT_EQ(60, server_recv(self->fd, &id, NULL, 0));
	ASSERT_TRUE(works_on(self->fd, c, 0));
}

/* The window is the same, so nothing is delivered a second time. */
TEST_F(peel, nothing_is_delivered_twice)
{
	struct client *c = &self->c[0];
	struct dtls_counters counters;
	__u64 id;

	ASSERT_EQ(60, client_send(c, text, 60));
	ASSERT_EQ(61, client_send(c, text, 61));
	ASSERT_EQ(60, server_recv(self->server, &id, NULL, 0));
	self->fd = connected_socket(self->server, c->fd);
	ASSERT_OK(peel_off(self->fd, self->server, c->id));
	c->seq = 0;
	ASSERT_EQ(60, client_send(c, text, 60));
	ASSERT_EQ(61, client_send(c, text, 61));
	ASSERT_EQ(61, server_recv(self->fd, &id, NULL, 0));
	nothing_left(_metadata, self->fd);
	nothing_left(_metadata, self->server);
	ASSERT_OK(get_counters(self->fd, 0, &counters));
	EXPECT_EQ(2u, counters.rx_replays);
	ASSERT_TRUE(works_on(self->fd, c, 0));
}

/* A connection ID from elsewhere leads to the table's socket, which passes it on. */
TEST_F(peel, what_the_tables_socket_gets_is_passed_on)
{
	struct client *c = &self->c[0], *other = &self->c[1];
	unsigned int i;
	__u64 id;

	if (!variant->cid_len)
		return;
	self->fd = connected_socket(self->server, c->fd);
	ASSERT_OK(peel_off(self->fd, self->server, c->id));
	ASSERT_EQ(0, poll_for(self->fd, POLLIN, 0));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(60 + i, send_from(c, self->c[2].fd, CT_DATA, text,
					    60 + i));
	ASSERT_EQ(64, client_send(other, text, 64));
	ASSERT_EQ(64, server_recv(self->server, &id, NULL, 0));
	ASSERT_EQ(other->id, id);
	nothing_left(_metadata, self->server);
	ASSERT_EQ(POLLIN, poll_for(self->fd, POLLIN, SOON_MS));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(60 + i, server_recv(self->fd, &id, NULL, 0));
	nothing_left(_metadata, self->fd);

	/* A connection ID that comes later is known there as well. */
	peer_key_init(&c->up, variant->cipher, nth_epoch(variant->cipher, 2),
		      variant->cid_len, 900);
	ASSERT_OK(set_key(self->fd, 0, DTLS_RX, &c->up));
	c->seq = 0;
	ASSERT_EQ(70, send_from(c, self->c[2].fd, CT_DATA, text, 70));
	ASSERT_EQ(0, poll_for(self->server, POLLIN, 0));
	ASSERT_EQ(70, server_recv(self->fd, &id, NULL, 0));
}

struct waiting {
	int fd;
	ssize_t got;
};

static void *wait_for_record(void *arg)
{
	struct waiting *waiting = arg;

	waiting->got = recv(waiting->fd, text, sizeof(text), 0);
	return NULL;
}

/* A task that sleeps on the connected socket is woken by what is passed on. */
TEST_F(peel, what_is_passed_on_wakes_a_sleeper)
{
	struct client *c = &self->c[0];
	struct waiting waiting;
	pthread_t thread;

	if (!variant->cid_len)
		return;
	self->fd = connected_socket(self->server, c->fd);
	ASSERT_OK(peel_off(self->fd, self->server, c->id));
	waiting = (struct waiting){ self->fd, 0 };
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_for_record, &waiting));
	usleep(50000);
	ASSERT_EQ(60, send_from(c, self->c[2].fd, CT_DATA, text, 60));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	pthread_join(thread, NULL);
	EXPECT_EQ(60, waiting.got);
}

/* What is passed on counts against the connected socket, and takes nobody's room. */
TEST_F(peel, what_is_passed_on_is_bounded)
{
	unsigned int i, total = rounds(3000, 500);
	struct client *c = &self->c[0];
	struct dtls_counters counters;
	int rcvbuf = 8192;
	__u64 id;

	if (!variant->cid_len)
		return;
	self->fd = connected_socket(self->server, c->fd);
	ASSERT_OK(setsockopt(self->fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf,
			     sizeof(rcvbuf)));
	ASSERT_OK(peel_off(self->fd, self->server, c->id));
	for (i = 0; i < total; i++) {
		ASSERT_EQ(200, send_from(c, self->c[2].fd, CT_DATA, text, 200));
		if (i % 20)
			continue;
		ASSERT_EQ(64, client_send(&self->c[1], text, 64));
		ASSERT_EQ(64, server_recv(self->server, &id, NULL, 0));
	}
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	EXPECT_GE(2u * rcvbuf, meminfo(self->fd, SK_MEMINFO_RMEM_ALLOC));
	EXPECT_EQ(0u, meminfo(self->server, SK_MEMINFO_RMEM_ALLOC));
	ASSERT_OK(get_counters(self->fd, 0, &counters));
	EXPECT_LT(0u, counters.rx_no_budget);
	while (recv_now(self->fd, buf, sizeof(buf)) == 200)
		;
	ASSERT_TRUE(works_on(self->fd, c, 0));
}

/* A goodbye and a fatal alert are what they are on a connected socket. */
TEST_F(peel, goodbyes_and_alerts_are_the_sockets)
{
	static const __u8 bye[] = { ALERT_WARNING, ALERT_CLOSE_NOTIFY };
	static const __u8 fatal[] = { ALERT_FATAL, ALERT_INTERNAL_ERROR };
	struct client *a = &self->c[0], *b = &self->c[1];
	int fd;

	self->fd = connected_socket(self->server, a->fd);
	ASSERT_OK(peel_off(self->fd, self->server, a->id));
	ASSERT_EQ(2, send_from(a, a->fd, CT_ALERT, bye, 2));
	ASSERT_EQ(POLLIN | POLLRDHUP,
		  poll_for(self->fd, POLLIN | POLLRDHUP, SOON_MS));
	ASSERT_EQ(0, recv_now(self->fd, buf, sizeof(buf)));

	/* One that the table's socket has received before. */
	ASSERT_EQ(60, client_send(b, text, 60));
	ASSERT_EQ(2, send_from(b, b->fd, CT_ALERT, bye, 2));
	fd = connected_socket(self->server, b->fd);
	ASSERT_OK(peel_off(fd, self->server, b->id));
	ASSERT_EQ(60, recv_now(fd, buf, sizeof(buf)));
	ASSERT_EQ(0, recv_now(fd, buf, sizeof(buf)));
	ASSERT_EQ(2, send_from(b, b->fd, CT_ALERT, fatal, 2));
	settle();
	ASSERT_EQ(POLLERR, poll_for(fd, POLLIN, SOON_MS) & POLLERR);
	close(fd);
}

/* On the table's socket the number is taken, and its owner is elsewhere. */
TEST_F(peel, the_number_stays_taken_in_the_table)
{
	struct client *c = &self->c[0];
	struct dtls_assoc_peer peer;
	struct dtls_addr addr;
	struct dtls_info info;
	int fd = udp_socket(variant->family);

	self->fd = connected_socket(self->server, c->fd);
	ASSERT_OK(peel_off(self->fd, self->server, c->id));
	ASSERT_OK(get_peer(self->server, c->id, &peer));
	EXPECT_EQ(c->id, peer.id);
	EXPECT_EQ(DTLS_PEER_PEELED, peer.flags);
	address_of(c->fd, &addr);
	EXPECT_EQ(0, memcmp(&addr, &peer.peer, sizeof(addr)));
	ASSERT_ERRNO(ENOENT, server_send(self->server, c->id, text, 50));
	ASSERT_ERRNO(ENOTCONN, send_cut(self->server, 0, c->fd, text, 50, 0, 0));
	ASSERT_ERRNO(ENOENT, get_info(self->server, c->id, &info));
	ASSERT_ERRNO(ENOENT, set_key(self->server, c->id, DTLS_RX, &c->up));
	ASSERT_ERRNO(EBUSY, set_peer(self->server, DTLS_ASSOC_MOVE, c->id, fd));
	ASSERT_ERRNO(EEXIST, set_peer(self->server, DTLS_ASSOC_ADD, c->id, fd));
	ASSERT_ERRNO(EADDRINUSE, set_peer(self->server, DTLS_ASSOC_ADD, 5, c->fd));
	ASSERT_ERRNO(EADDRINUSE, set_peer_flags(self->server, DTLS_ASSOC_ADD, 5,
						c->fd, DTLS_PEER_SUCCEED));

	/* Deleted there, the number is free, and the socket goes on. */
	ASSERT_OK(delete(self->server, c->id));
	ASSERT_TRUE(works_on(self->fd, c, 0));
	ASSERT_OK(set_peer(self->server, DTLS_ASSOC_ADD, c->id, c->fd));
	ASSERT_TRUE(works_on(self->fd, c, 0));
	close(self->fd);
	self->fd = -1;
	ASSERT_OK(get_peer(self->server, c->id, &peer));
	EXPECT_EQ(c->id, peer.id);
	EXPECT_EQ(0u, peer.flags);
	close(fd);
}

TEST_F(peel, what_does_not_fit_is_refused)
{
	struct client *a = &self->c[0], *b = &self->c[1];
	int plain = udp_socket(variant->family), fd, other;
	struct client late;

	fd = connected_socket(self->server, a->fd);
	ASSERT_LE(0, fd);
	ASSERT_ERRNO(EBADF, peel_off(fd, -1, a->id));
	ASSERT_ERRNO(EOPNOTSUPP, peel_off(fd, plain, a->id));
	ASSERT_ERRNO(EOPNOTSUPP, peel_off(fd, fd, a->id));
	ASSERT_ERRNO(ENOENT, peel_off(fd, self->server, 77));
	ASSERT_ERRNO(EINVAL, peel_off(fd, self->server, 0));
	ASSERT_ERRNO(EISCONN, peel_off(fd, self->server, b->id));
	ASSERT_ERRNO(ENOTCONN, peel_off(self->server, self->server, a->id));

	/* The peer must write to the address that the socket has. */
	ASSERT_OK(dtls_attach(plain));
	ASSERT_ERRNO(ENOTCONN, peel_off(plain, self->server, a->id));
	ASSERT_OK(udp_connect(plain, a->fd));
	ASSERT_ERRNO(EISCONN, peel_off(plain, self->server, a->id));

	ASSERT_OK(make_client(&late, variant->family, variant->cipher, 0,
			      self->server, CLIENTS));
	ASSERT_OK(set_peer(self->server, DTLS_ASSOC_ADD, late.id, late.fd));
	other = connected_socket(self->server, late.fd);
	ASSERT_ERRNO(ENOKEY, peel_off(other, self->server, late.id));
	ASSERT_OK(set_peer_flags(self->server, DTLS_ASSOC_ADD, 5, a->fd,
				 DTLS_PEER_SUCCEED));
	ASSERT_ERRNO(EBUSY, peel_off(fd, self->server, a->id));
	ASSERT_ERRNO(EBUSY, peel_off(fd, self->server, 5));
	ASSERT_OK(delete(self->server, 5));

	ASSERT_OK(peel_off(fd, self->server, a->id));
	self->fd = connected_socket(self->server, a->fd);
	ASSERT_ERRNO(EBUSY, peel_off(self->fd, self->server, a->id));
	ASSERT_OK(close(self->fd));
	self->fd = -1;
	ASSERT_TRUE(works_on(fd, a, 0));
	ASSERT_TRUE(works_on(self->server, b, b->id));
	close(late.fd);
	close(plain);
	close(other);
	close(fd);
}

TEST_F(peel, either_socket_is_closed_first)
{
	struct client *a = &self->c[0], *b = &self->c[1];
	struct dtls_record_info info;
	struct dtls_assoc_peer peer;
	int refs = module_refs();
	struct peer_key next;
	size_t len;

	/* The connected one: its association leaves the table. */
	self->fd = connected_socket(self->server, a->fd);
	ASSERT_EQ(refs + 1, module_refs());
	ASSERT_OK(peel_off(self->fd, self->server, a->id));
	ASSERT_EQ(60, client_send(a, text, 60));
	close(self->fd);
	ASSERT_EQ(refs, module_refs());
	ASSERT_OK(get_peer(self->server, a->id, &peer));
	EXPECT_EQ(b->id, peer.id);
	len = plain_record(CT_HANDSHAKE, 0, 3, text, 90, wire);
	ASSERT_EQ((ssize_t)len, send(a->fd, wire, len, 0));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_EQ((ssize_t)len, recv_control(self->server, &info, buf,
					     sizeof(buf)));
	EXPECT_EQ(0u, info.id);
	ASSERT_OK(add_client(self->server, a));

	/* The table's: the association goes on, with new keys too. */
	self->fd = connected_socket(self->server, b->fd);
	ASSERT_OK(peel_off(self->fd, self->server, b->id));
	close(self->server);
	ASSERT_EQ(refs, module_refs());
	ASSERT_TRUE(works_on(self->fd, b, 0));
	peer_key_init(&next, variant->cipher, nth_epoch(variant->cipher, 2),
		      variant->cid_len, 810);
	ASSERT_OK(set_key(self->fd, 0, DTLS_RX, &next));
	b->up = next;
	b->seq = 0;
	ASSERT_TRUE(works_on(self->fd, b, 0));
	close(self->fd);
	ASSERT_EQ(refs - 1, module_refs());
	self->server = udp_socket(variant->family);
	self->fd = -1;
}

/* An alert that came before the peeling ends the connected socket all the same. */
TEST_F(peel, a_fatal_alert_of_before_is_the_sockets)
{
	static const __u8 fatal[] = { ALERT_FATAL, ALERT_INTERNAL_ERROR };
	struct client *c = &self->c[0];
	struct dtls_record_info info;

	ASSERT_EQ(2, send_from(c, c->fd, CT_ALERT, fatal, 2));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_EQ(2, recv_control(self->server, &info, buf, sizeof(buf)));
	self->fd = connected_socket(self->server, c->fd);
	ASSERT_OK(peel_off(self->fd, self->server, c->id));
	ASSERT_ERRNO(ECONNRESET, recv_now(self->fd, buf, sizeof(buf)));
	ASSERT_TRUE(works_on(self->server, &self->c[1], self->c[1].id));
}

/* Moving an association does not stop the clock of its old keys. */
TEST_F(peel, old_keys_go_in_their_time)
{
	struct client *c = &self->c[0], before = *c;
	struct dtls_counters counters;
	__u64 id, until;

	ASSERT_TRUE(set_msl(1));
	peer_key_init(&c->up, variant->cipher, nth_epoch(variant->cipher, 2),
		      variant->cid_len, 820);
	ASSERT_OK(set_key(self->server, c->id, DTLS_RX, &c->up));
	c->seq = 0;
	ASSERT_EQ(60, client_send(c, text, 60));
	ASSERT_EQ(60, server_recv(self->server, &id, NULL, 0));
	self->fd = connected_socket(self->server, c->fd);
	ASSERT_OK(peel_off(self->fd, self->server, c->id));
	ASSERT_OK(close(self->server));
	self->server = -1;
	until = now_ms() + SOON_MS;
	do {
		usleep(100000);
		ASSERT_EQ(61, client_send(&before, text, 61));
		recv_now(self->fd, buf, sizeof(buf));
		ASSERT_OK(get_counters(self->fd, 0, &counters));
	} while (!counters.rx_no_key && now_ms() < until);
	EXPECT_TRUE(set_msl(120));
	EXPECT_LT(0u, counters.rx_no_key);
	ASSERT_TRUE(works_on(self->fd, c, 0));
}

/* ---- calls on the socket of the table that take long ---- */

/**
 * struct slow - a call that reads into a page that is not there
 * @h:		the page
 * @fd:		the socket
 * @flags:	of recv()
 * @error:	errno of recv(), or 0
 * @thread:	who calls it
 */
struct slow {
	struct held h;
	int fd;
	int flags;
	int error;
	pthread_t thread;
};

static void *read_slowly(void *arg)
{
	struct slow *s = arg;

	s->error = recv(s->fd, s->h.page, 1024, s->flags) < 0 ? errno : 0;
	return NULL;
}

static void begin_slow(struct __test_metadata *_metadata, struct slow *s)
{
	ASSERT_OK(held_open(&s->h, 1));
	ASSERT_EQ(0, pthread_create(&s->thread, NULL, read_slowly, s));
	ASSERT_TRUE(held_somebody(&s->h));
}

static void end_slow(struct __test_metadata *_metadata, struct slow *s)
{
	ASSERT_OK(held_fail(&s->h));
	pthread_join(s->thread, NULL);
	ASSERT_EQ(EFAULT, s->error);
	held_close(&s->h);
}

/* A record that a task peeks at moves, is read, and its new socket is gone. */
TEST_F(peel, a_peek_outlives_the_connected_socket)
{
	struct slow slow = { .fd = self->server, .flags = MSG_PEEK };
	struct client *c = &self->c[0];
	__u64 id;

	ASSERT_EQ(60, client_send(c, text, 60));
	begin_slow(_metadata, &slow);
	self->fd = connected_socket(self->server, c->fd);
	ASSERT_OK(peel_off(self->fd, self->server, c->id));
	ASSERT_EQ(60, server_recv(self->fd, &id, NULL, 0));
	ASSERT_OK(close(self->fd));
	self->fd = -1;
	/* The memory of a socket is freed after a grace period. */
	usleep(300000);
	end_slow(_metadata, &slow);
	ASSERT_TRUE(works_on(self->server, &self->c[1], self->c[1].id));
}

/* A record that a reader could not take goes back to the socket that has it now. */
TEST_F(peel, a_control_record_is_put_back_to_the_connected_socket)
{
	struct slow slow = { .fd = self->server, .flags = MSG_OOB };
	struct client *c = &self->c[0];
	struct dtls_record_info info;

	ASSERT_EQ(30, send_from(c, c->fd, CT_HANDSHAKE, text, 30));
	begin_slow(_metadata, &slow);
	self->fd = connected_socket(self->server, c->fd);
	ASSERT_OK(peel_off(self->fd, self->server, c->id));
	nothing_left(_metadata, self->fd);
	end_slow(_metadata, &slow);
	ASSERT_EQ(30, recv_control(self->fd, &info, buf, sizeof(buf)));
	EXPECT_EQ(0u, info.id);
	nothing_left(_metadata, self->fd);
	nothing_left(_metadata, self->server);
	ASSERT_TRUE(works_on(self->fd, c, 0));
}

/*
 * The socket of the table holds the rest of a coalesced datagram of the association, and
 * has no room to keep what it opens. All the same the rest comes along.
 */
TEST_F(peel, the_rest_of_a_datagram_comes_along_without_room)
{
	struct client *c = &self->c[0], *other = &self->c[1];
	struct dtls_record_info info;
	size_t len = 0, size;
	unsigned int i;
	int small = 1;
	__u64 id;

	if (!variant->cid_len)
		return;
	for (i = 0; i < 4; i++)
		len += peer_seal_more(&other->up, CT_DATA, other->seq++, text,
				      200, wire + len);
	size = len / 4;
	len += peer_seal_more(&c->up, CT_HANDSHAKE, c->seq++, text, 200,
			      wire + len);
	for (i = 0; i < 2; i++)
		len += peer_seal_more(&c->up, CT_DATA, c->seq++, text, 200,
				      wire + len);
	ASSERT_EQ(7 * size, len);
	ASSERT_EQ((ssize_t)len, send_segments(other->fd, wire, len, size, 0));
	ASSERT_EQ(200, recv_control(self->server, &info, buf, sizeof(buf)));
	ASSERT_EQ(c->id, info.id);
	ASSERT_OK(setsockopt(self->server, SOL_SOCKET, SO_RCVBUF, &small,
			     sizeof(small)));
	self->fd = connected_socket(self->server, c->fd);
	ASSERT_OK(peel_off(self->fd, self->server, c->id));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(200, server_recv(self->fd, &id, NULL, 0));
	nothing_left(_metadata, self->fd);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(200, server_recv(self->server, &id, NULL, 0));
		ASSERT_EQ(other->id, id);
	}
	nothing_left(_metadata, self->server);
	ASSERT_TRUE(works_on(self->server, other, other->id));
}

/*
 * Two receive buffers of records wait, those of the table's socket and those that are
 * newer. None is lost to the limit of the connected socket, or falls out of the window.
 */
TEST_F(peel, all_that_waits_comes_along)
{
	struct client *c = &self->c[0];
	__u32 number, next;

	for (number = 0; number < 440; number++) {
		if (number == 220)
			self->fd = connected_socket(self->server, c->fd);
		ASSERT_EQ(4, client_send(c, &number, sizeof(number)));
	}
	settle();
	ASSERT_EQ(0u, meminfo(self->server, SK_MEMINFO_DROPS));
	ASSERT_EQ(0u, meminfo(self->fd, SK_MEMINFO_DROPS));
	ASSERT_OK(peel_off(self->fd, self->server, c->id));
	for (next = 0; next < 440; next++) {
		ASSERT_EQ(4, recv_now(self->fd, &number, sizeof(number)));
		ASSERT_EQ(next, number);
	}
	nothing_left(_metadata, self->fd);
	ASSERT_TRUE(works_on(self->fd, c, 0));
}

/*
 * ss -K ends the connected socket. Until it is closed it has the port as well, as any
 * UDP socket. Afterwards the socket of the table goes on.
 */
TEST_F(peel, the_connected_socket_is_destroyed)
{
	struct client *c = &self->c[0];
	unsigned int i;

	self->fd = connected_socket(self->server, c->fd);
	ASSERT_OK(peel_off(self->fd, self->server, c->id));
	ASSERT_EQ(60, client_send(c, text, 60));
	ASSERT_OK(destroy(self->fd));
	ASSERT_ERRNO(ECONNABORTED, recv_now(self->fd, buf, sizeof(buf)));
	ASSERT_EQ(-1, send(self->fd, text, 60, 0));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(60, client_send(c, text, 60));
		recv_now(self->server, buf, sizeof(buf));
		recv_now(self->fd, buf, sizeof(buf));
	}
	ASSERT_OK(close(self->fd));
	self->fd = -1;
	ASSERT_TRUE(works_on(self->server, &self->c[1], self->c[1].id));
}

/* ---- other protocols ---- */

static int set_pass(int fd, __u32 on)
{
	return setsockopt(fd, SOL_DTLS, DTLS_PASS, &on, sizeof(on));
}

/*
 * A datagram of another protocol that the table's socket has received from the peer is the
 * connected socket's, whose DTLS_PASS decides about it and not that of the table's socket.
 */
TEST_F(peel, other_protocols_are_the_connected_sockets)
{
	static const __u8 stun[20] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
	struct dtls_counters counters;
	struct dtls_record_info info;
	struct client *c;
	unsigned int i;

	for (i = 0; i < CLIENTS; i++) {
		c = &self->c[i];
		ASSERT_OK(set_pass(self->server, i > 0));
		ASSERT_EQ(20, send(c->fd, stun, 20, 0));
		settle();
		self->fd = connected_socket(self->server, c->fd);
		ASSERT_OK(set_pass(self->fd, i < 2));
		ASSERT_OK(peel_off(self->fd, self->server, c->id));
		if (i < 2) {
			ASSERT_EQ(20, recv_info(self->fd, &info, buf,
						sizeof(buf), 0));
			EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
			EXPECT_EQ(0, memcmp(stun, buf, 20));
		}
		nothing_left(_metadata, self->fd);
		nothing_left(_metadata, self->server);
		ASSERT_OK(get_counters(self->fd, 0, &counters));
		EXPECT_EQ(i < 2 ? 0u : 1u, counters.rx_malformed);
		ASSERT_OK(get_counters(self->server, 0, &counters));
		EXPECT_EQ(0u, counters.rx_malformed);
		ASSERT_TRUE(works_on(self->fd, c, 0));
		ASSERT_OK(close(self->fd));
		self->fd = -1;
	}
}

/* ---- memory that is short ---- */

#define LONG	4000	/* bytes of a record that no memory charged before has room for */

/**
 * struct shortage - UDP's memory is used up
 * @hog:	two sockets, of which the second has more than each CPU sets aside
 * @limits:	the limits of before
 * @least:	what UDP left to each socket in any case before, which is a page
 * @drops:	what the starved socket had dropped when the shortage began
 */
struct shortage {
	int hog[2];
	char limits[100];
	char least[100];
	unsigned int drops;
};

#define UDP_MEM		"/proc/sys/net/ipv4/udp_mem"
#define UDP_RMEM_MIN	"/proc/sys/net/ipv4/udp_rmem_min"

/* Read a line of the file at @path. Return 0 or -1. */
static int get(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "r");
	char *got = f ? fgets(line, size, f) : NULL;

	if (f)
		fclose(f);
	return got ? 0 : -1;
}

/*
 * Fill the queue of a plain socket, and that of @fd, with records of @c, so that @fd has
 * more than UDP leaves to each socket in any case. Then there is no more: records come
 * until one is dropped, as UDP takes its memory by the page.
 */
static int begin_shortage(struct shortage *s, int fd, struct client *c)
{
	unsigned int i;

	if (get(UDP_MEM, s->limits, sizeof(s->limits)) ||
	    get(UDP_RMEM_MIN, s->least, sizeof(s->least)) ||
	    put(UDP_RMEM_MIN, "4096") ||
	    udp_pair(AF_INET, &s->hog[0], &s->hog[1]) || deep_queue(s->hog[1]))
		return -1;
	for (i = 0; i < 150; i++)
		if (send(s->hog[0], wire, 60000, 0) != 60000)
			return -1;
	for (i = 0; i < 20; i++)
		if (client_send(c, text, 500) != 500)
			return -1;
	settle();
	if (put(UDP_MEM, "1 1 1"))
		return -1;
	for (i = 0; i < 200 && !meminfo(fd, SK_MEMINFO_DROPS); i++)
		if (client_send(c, text, 500) != 500)
			return -1;
	s->drops = meminfo(fd, SK_MEMINFO_DROPS);
	return s->drops ? 0 : -1;
}

static int end_shortage(const struct shortage *s)
{
	close(s->hog[0]);
	close(s->hog[1]);
	return put(UDP_RMEM_MIN, s->least) || put(UDP_MEM, s->limits) ? -1 : 0;
}

/* Check that @fd has lost @n records for want of memory, as all counters tell. */
static void lost(struct __test_metadata *_metadata, int fd,
		 const struct shortage *s, unsigned int n)
{
	struct dtls_counters counters;

	ASSERT_OK(get_counters(fd, 0, &counters));
	EXPECT_EQ(n, counters.rx_no_budget);
	EXPECT_EQ(n, meminfo(fd, SK_MEMINFO_DROPS) - s->drops);
}

/* A record of each queue that cannot be charged to the connected socket is counted. */
TEST_F(peel, what_cannot_be_moved_is_counted)
{
	struct client *c = &self->c[0], next = *c;
	struct shortage shortage;
	long before;
	int err;

	peer_key_init(&next.up, variant->cipher, nth_epoch(variant->cipher, 2),
		      variant->cid_len, 800);
	memcpy(next.up.cid, c->up.cid, c->up.cid_len);
	ASSERT_EQ(LONG, client_send(&next, text, LONG));
	ASSERT_EQ(LONG, send_from(c, c->fd, CT_HANDSHAKE, text, LONG));
	ASSERT_EQ(LONG, client_send(c, text, LONG));
	ASSERT_EQ(POLLIN, poll_for(self->server, POLLIN, SOON_MS));
	self->fd = connected_socket(self->server, c->fd);
	ASSERT_OK(begin_shortage(&shortage, self->fd, c));
	before = udp_counter(variant->family, "RcvbufErrors");
	err = peel_off(self->fd, self->server, c->id) ? errno : 0;
	ASSERT_OK(end_shortage(&shortage));
	ASSERT_EQ(0, err);
	lost(_metadata, self->fd, &shortage, 3);
	EXPECT_EQ(before + 3, udp_counter(variant->family, "RcvbufErrors"));
	while (recv_now(self->fd, buf, sizeof(buf)) == 500)
		;
	ASSERT_TRUE(works_on(self->fd, c, 0));
}

/* So is one that a reader of the table's socket had in hands, and could not take. */
TEST_F(peel, what_cannot_be_put_back_is_counted)
{
	struct slow slow = { .fd = self->server, .flags = MSG_OOB };
	struct client *c = &self->c[0];
	struct dtls_record_info info;
	struct shortage shortage;

	ASSERT_EQ(LONG, send_from(c, c->fd, CT_HANDSHAKE, text, LONG));
	begin_slow(_metadata, &slow);
	self->fd = connected_socket(self->server, c->fd);
	ASSERT_OK(peel_off(self->fd, self->server, c->id));
	ASSERT_OK(begin_shortage(&shortage, self->fd, c));
	end_slow(_metadata, &slow);
	ASSERT_OK(end_shortage(&shortage));
	lost(_metadata, self->fd, &shortage, 1);
	ASSERT_ERRNO(EAGAIN, recv_control(self->fd, &info, buf, sizeof(buf)));
	while (recv_now(self->fd, buf, sizeof(buf)) == 500)
		;
	ASSERT_TRUE(works_on(self->fd, c, 0));
}

/* ---- ends ---- */

/*
 * Leave something in each queue of both sockets: records that wait for a key, that are
 * of another type, that nobody has authenticated, that were opened for poll(), the rest of
 * their datagram, and datagrams that nobody has looked at. The records have @size bytes of
 * content, or a few more.
 */
static void fill_queues(struct __test_metadata *_metadata, int fd,
			struct client *c, ssize_t size)
{
	struct client next = *c;
	ssize_t len;

	peer_key_init(&next.up, c->up.cipher, c->up.epoch + 1, c->up.cid_len,
		      800);
	memcpy(next.up.cid, c->up.cid, c->up.cid_len);
	ASSERT_EQ(size, client_send(&next, text, size));
	ASSERT_EQ(size + 1, send_from(c, c->fd, CT_HANDSHAKE, text, size + 1));
	len = plain_record(CT_HANDSHAKE, 0, 3, text, size + 30, wire);
	ASSERT_EQ(len, send(c->fd, wire, len, 0));
	len = peer_seal_more(&c->up, CT_DATA, c->seq++, text, size + 2, wire);
	len += peer_seal(&c->up, CT_DATA, c->seq++, text, size + 3, wire + len);
	ASSERT_EQ(len, send(c->fd, wire, len, 0));
	ASSERT_EQ(POLLIN, poll_for(fd, POLLIN, SOON_MS));
	ASSERT_EQ(size + 4, client_send(c, text, size + 4));
	settle();
}

/*
 * Peel the first client's association off, with queues that are full of records of @size
 * bytes before and after.
 */
static void peel_full(struct __test_metadata *_metadata,
		      struct _test_data_peel *self, ssize_t size)
{
	struct client *c = &self->c[0];
	unsigned int i;

	ASSERT_OK(deep_queue(self->server));
	fill_queues(_metadata, self->server, c, size);
	fill_queues(_metadata, self->server, &self->c[1], size);
	self->fd = connected_socket(self->server, c->fd);
	ASSERT_OK(deep_queue(self->fd));
	ASSERT_OK(peel_off(self->fd, self->server, c->id));
	fill_queues(_metadata, self->fd, c, size);
	/* What the table's socket passes on, and what it has not looked at */
	for (i = 0; c->up.cid_len && i < 4; i++) {
		ASSERT_EQ(size + 5, send_from(c, self->c[2].fd, CT_DATA, text,
					      size + 5));
		if (i == 1)
			ASSERT_EQ(POLLIN, poll_for(self->server, POLLIN, 0));
	}
}

/* What is queued of both goes with them: closed, or destroyed and closed, in any order. */
TEST_F(peel, both_sockets_end_with_queues_that_are_full)
{
	unsigned int how, i;
	int refs = module_refs() - 1, *end[2];

	for (how = 0; how < 4; how++) {
		peel_full(_metadata, self, 60);
		end[0] = how & 1 ? &self->fd : &self->server;
		end[1] = how & 1 ? &self->server : &self->fd;
		for (i = 0; i < 2; i++) {
			if (how & 2) {
				ASSERT_OK(destroy(*end[i]));
			} else if (i) {
				ASSERT_LT(0, recv_now(*end[i], buf,
						      sizeof(buf)));
			}
			ASSERT_OK(close(*end[i]));
			*end[i] = -1;
		}
		ASSERT_EQ(refs, module_refs());
		close_all(self);
		ASSERT_OK(open_server(self, variant->family, variant->cipher,
				      variant->cid_len));
	}
}

/**
 * struct charge - what memory is charged with, in bytes
 * @kernel:	what the kernel has allocated for the tests' cgroup
 * @sock:	what is charged to sockets of that cgroup
 * @udp:	what is charged to all UDP sockets
 */
struct charge {
	long kernel;
	long sock;
	long udp;
};

static struct charge charged(void)
{
	return (struct charge){ cgroup_stat("kernel "), cgroup_stat("sock "),
				udp_bytes() };
}

/*
 * Return true if less than a little is charged beyond @begin: less than an association,
 * and a quarter of a page of sockets', for each of @n peelings. Each CPU may keep a
 * mebibyte that was charged to UDP.
 */
static bool all_is_back(const struct charge *begin, const struct charge *now,
			unsigned int n)
{
	return now->kernel - begin->kernel < (long)n * 300 &&
	       now->sock - begin->sock < (long)n * 1024 &&
	       now->udp - begin->udp < 3 << 20;
}

/*
 * Peel off with traffic before, with queues that are full of long records, and with either
 * socket closed first, @n times.
 */
static void peel_often(struct __test_metadata *_metadata,
		       struct _test_data_peel *self, unsigned int n,
		       int family, __u16 cipher, unsigned int cid_len)
{
	unsigned int i;
	int *first;

	for (i = 0; i < n; i++) {
		ASSERT_TRUE(works_on(self->server, &self->c[0],
				     self->c[0].id));
		peel_full(_metadata, self, 16000);
		first = i & 1 ? &self->fd : &self->server;
		ASSERT_OK(close(*first));
		*first = -1;
		close_all(self);
		ASSERT_OK(open_server(self, family, cipher, cid_len));
	}
}

/*
 * The figures are the system's own: of a cgroup, and of UDP. What is freed after a grace
 * period, or counted late, is waited for.
 */
TEST_F(peel, a_hundred_peelings_give_all_their_memory_back)
{
	struct charge begin, now;
	__u64 until;

	if (slow())
		SKIP(return, "a debug kernel keeps what was freed");
	if (IS_V13(variant->cipher))
		SKIP(return, "the same as with DTLS 1.2");
	ASSERT_OK(enter_cgroup("max"));
	/* What is made once is there then, and what is freed later is gone. */
	peel_often(_metadata, self, 4, variant->family, variant->cipher,
		   variant->cid_len);
	sleep(8);
	begin = charged();
	ASSERT_LT(0, begin.kernel);
	peel_often(_metadata, self, 100, variant->family, variant->cipher,
		   variant->cid_len);
	until = now_ms() + SOON_MS;
	do {
		usleep(100000);
		now = charged();
	} while (!all_is_back(&begin, &now, 100) && now_ms() < until);
	ASSERT_OK(leave_cgroup());
	TH_LOG("%ld bytes of the kernel, %ld of sockets, %ld of UDP are left",
	       now.kernel - begin.kernel, now.sock - begin.sock,
	       now.udp - begin.udp);
	EXPECT_TRUE(all_is_back(&begin, &now, 100));
}

/* The sockets are the last of their network namespace, which ends with them. */
TEST_F(peel, their_namespace_ends_with_queues_that_are_full)
{
	int here = open("/proc/self/ns/net", O_RDONLY), refs = module_refs();
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	struct _test_data_peel far;
	unsigned int how;
	int *first;

	ASSERT_LE(0, here);
	for (how = 0; how < 4; how++) {
		ASSERT_OK(unshare(CLONE_NEWNET));
		far.server = socket(AF_INET, SOCK_DGRAM, 0);
		ASSERT_OK(ioctl(far.server, SIOCSIFFLAGS, &lo));
		close(far.server);
		ASSERT_OK(open_server(&far, variant->family, variant->cipher,
				      variant->cid_len));
		peel_full(_metadata, &far, 60);
		ASSERT_OK(setns(here, CLONE_NEWNET));
		/* A socket of one namespace takes nothing from a socket of another one. */
		self->fd = connected_socket(self->server, self->c[0].fd);
		ASSERT_ERRNO(EXDEV, peel_off(self->fd, far.server,
					     far.c[1].id));
		ASSERT_OK(close(self->fd));
		self->fd = -1;
		first = how & 1 ? &far.fd : &far.server;
		ASSERT_OK(close(*first));
		*first = -1;
		close_all(&far);
		ASSERT_EQ(refs, module_refs());
	}
	ASSERT_TRUE(works_on(self->server, &self->c[0], self->c[0].id));
	close(here);
}

/* ---- under traffic ---- */

#define RECORDS	100

/**
 * struct traffic - records of one client on their way to two sockets
 * @server:	the socket with the table
 * @c:		the client
 * @sent:	how many records it has sent
 * @seen:	how often each record was received
 * @count:	how many records were received
 * @mixed:	how many came with the number of another association
 * @stop:	the readers of the server end
 */
struct traffic {
	int server;
	struct client *c;
	unsigned int sent;
	unsigned int seen[RECORDS];
	unsigned int count;
	unsigned int mixed;
	int stop;
};

/* Note the record @said, which names its association and itself. */
static void note(struct traffic *t, const __u64 said[2], __u64 id)
{
	if (said[0] != id || said[1] >= RECORDS)
		__atomic_fetch_add(&t->mixed, 1, __ATOMIC_RELAXED);
	else
		__atomic_fetch_add(&t->seen[said[1]], 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&t->count, 1, __ATOMIC_RELAXED);
}

static void *read_server(void *arg)
{
	struct traffic *t = arg;
	struct pollfd pfd = { .fd = t->server, .events = POLLIN };
	char space[256];
	__u64 id, said[2];
	struct iovec iov = { said, sizeof(said) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	while (!__atomic_load_n(&t->stop, __ATOMIC_RELAXED)) {
		poll(&pfd, 1, 10);
		msg.msg_control = space;
		msg.msg_controllen = sizeof(space);
		if (recvmsg(t->server, &msg, MSG_DONTWAIT) !=
		    (ssize_t)sizeof(said))
			continue;
		id = 0;
		find_control(&msg, SOL_DTLS, DTLS_ASSOC, &id, sizeof(id));
		note(t, said, id);
	}
	return NULL;
}

static void *send_records(void *arg)
{
	struct traffic *t = arg;
	__u64 said[2] = { t->c->id };

	for (said[1] = 0; said[1] < RECORDS; said[1]++) {
		client_send(t->c, said, sizeof(said));
		__atomic_fetch_add(&t->sent, 1, __ATOMIC_RELAXED);
		if (said[1] % 8 == 0)
			usleep(500);
	}
	return NULL;
}

/* Give @c new keys and a new number, so that each round is of an association anew. */
static void renew(struct client *c, __u16 cipher, unsigned int cid_len,
		  unsigned int round)
{
	c->id = 3000 + round;
	c->seq = 0;
	peer_key_init(&c->up, cipher, nth_epoch(cipher, 1), cid_len,
		      2000 + 2 * round);
	peer_key_init(&c->down, cipher, nth_epoch(cipher, 1),
		      cid_len ? cid_len + 2 : 0, 2001 + 2 * round);
}

/* Each record is received once, by one of two sockets, whenever the peeling is. */
TEST_F(peel, each_record_comes_once_under_traffic)
{
	unsigned int i, n, total = rounds(40, 6);
	struct client *c = &self->c[0];
	pthread_t readers[2], sender;
	struct traffic t;
	__u64 said[2], until;
	int fd;

	ASSERT_OK(delete(self->server, c->id));
	roam();
	for (i = 0; i < total; i++) {
		renew(c, variant->cipher, variant->cid_len, i);
		ASSERT_OK(add_client(self->server, c));
		t = (struct traffic){ .server = self->server, .c = c };
		for (n = 0; n < 2; n++)
			ASSERT_EQ(0, pthread_create(&readers[n], NULL,
						    read_server, &t));
		ASSERT_EQ(0, pthread_create(&sender, NULL, send_records, &t));
		while (__atomic_load_n(&t.sent, __ATOMIC_RELAXED) <
		       RECORDS / 2 + i % 16)
			;
		fd = connected_socket(self->server, c->fd);
		ASSERT_LE(0, fd);
		ASSERT_OK(peel_off(fd, self->server, c->id));
		until = now_ms() + SOON_MS;
		while (__atomic_load_n(&t.count, __ATOMIC_RELAXED) < RECORDS &&
		       now_ms() < until)
			if (recv(fd, said, sizeof(said), MSG_DONTWAIT) ==
			    (ssize_t)sizeof(said))
				note(&t, said, c->id);
		__atomic_store_n(&t.stop, 1, __ATOMIC_RELAXED);
		pthread_join(sender, NULL);
		for (n = 0; n < 2; n++)
			pthread_join(readers[n], NULL);
		ASSERT_ERRNO(EAGAIN, recv(fd, said, sizeof(said), MSG_DONTWAIT));
		close(fd);
		ASSERT_EQ(0u, t.mixed);
		for (n = 0; n < RECORDS; n++)
			ASSERT_EQ(1u, t.seen[n]);
	}
	stay();
}

/* Sockets are closed, in either order, while others pass records on. */
TEST_F(peel, closed_under_traffic)
{
	unsigned int i, total = rounds(100, 10);
	struct client *c = &self->c[0];
	pthread_t readers[2], sender;
	struct traffic t;
	int fd;

	ASSERT_OK(delete(self->server, c->id));
	roam();
	t = (struct traffic){ .server = self->server, .c = c };
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&readers[i], NULL, read_server, &t));
	for (i = 0; i < total; i++) {
		renew(c, variant->cipher, variant->cid_len, i);
		ASSERT_OK(add_client(self->server, c));
		ASSERT_EQ(0, pthread_create(&sender, NULL, send_records, &t));
		fd = connected_socket(self->server, c->fd);
		ASSERT_LE(0, fd);
		ASSERT_OK(peel_off(fd, self->server, c->id));
		if (i % 2)
			ASSERT_OK(delete(self->server, c->id));
		close(fd);
		pthread_join(sender, NULL);
	}
	__atomic_store_n(&t.stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		pthread_join(readers[i], NULL);
	stay();
	EXPECT_EQ(0u, t.mixed);
	while (recv_now(self->server, buf, sizeof(buf)) >= 0)
		;
	ASSERT_TRUE(works_on(self->server, &self->c[1], self->c[1].id));
}

/* struct rekeying is what a thread is told that sets key after key. */
struct rekeying {
	int server;
	struct client c;
	unsigned int set;
};

/*
 * Set the next read key until the association is elsewhere. The thread gives way to the
 * other one of its CPU wherever that one waits for it.
 */
static void *set_keys(void *arg)
{
	const struct sched_param none = {};
	struct rekeying *r = arg;

	sched_setscheduler(0, SCHED_IDLE, &none);
	do {
		r->c.up.epoch++;
		__atomic_fetch_add(&r->set, 1, __ATOMIC_RELAXED);
	} while (!set_key(r->server, r->c.id, DTLS_RX, &r->c.up));
	return NULL;
}

/* Send records of which one is of the next epoch, whatever the newest one is. */
static void send_early(struct client *c)
{
	struct peer_key up = c->up;
	size_t len;
	int i;

	for (i = 0; i < 4; i++, up.epoch++) {
		len = peer_seal(&up, CT_DATA, 1000, text, 60, wire);
		send(c->fd, wire, len, 0);
	}
}

/*
 * A key is set while the association is peeled off, gets early records on its new
 * socket, and ends with that socket. The key's task leaves these records alone.
 */
TEST_F(peel, closed_with_early_records_while_a_key_is_set)
{
	unsigned int i, total = rounds(300, 100);
	struct client *c = &self->c[0];
	struct rekeying r;
	pthread_t thread;
	int fd;

	if (!IS_V13(variant->cipher))
		return;	/* The next epoch is known there. */
	ASSERT_OK(delete(self->server, c->id));
	for (i = 0; i < total; i++) {
		renew(c, variant->cipher, variant->cid_len, i);
		ASSERT_OK(add_client(self->server, c));
		r = (struct rekeying){ .server = self->server, .c = *c };
		fd = connected_socket(self->server, c->fd);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, pthread_create(&thread, NULL, set_keys, &r));
		while (__atomic_load_n(&r.set, __ATOMIC_RELAXED) < 2)
			usleep(100);
		usleep(i % 32 * 20);
		ASSERT_OK(peel_off(fd, self->server, c->id));
		send_early(c);
		recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		close(fd);
		pthread_join(thread, NULL);
	}
	/* What arrived behind a close is a stranger's, and may be there. */
	ASSERT_TRUE(works_on(self->server, &self->c[1], self->c[1].id));
}

TEST_HARNESS_MAIN
