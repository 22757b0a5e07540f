// SPDX-License-Identifier: GPL-2.0
/*
 * Clients that begin anew: two associations at one address, until the new one has
 * proved that its peer is there.
 */
#include "harness.h"

#include <netinet/in.h>
#include <poll.h>

#include "clients.h"
#include "common.h"

static __u8 text[1 << 12], long_text[16000];

FIXTURE(succeed)
{
	int server;
	struct client old;
	struct client anew;
	struct client other;
};

FIXTURE_VARIANT(succeed)
{
	__u16 cipher;
	int family;
	unsigned int cid_len;
	__u16 anew;
	unsigned int anew_cid_len;
};

#define VARIANT(name, old, family, cid_len, anew, anew_cid_len)		\
	FIXTURE_VARIANT_ADD(succeed, name)				\
	{								\
		old, family, cid_len, anew, anew_cid_len		\
	}

VARIANT(v4, DTLS_CIPHER_AES_GCM_128, AF_INET, 0, DTLS_CIPHER_AES_GCM_128, 0);
VARIANT(v6_cid, DTLS_CIPHER_CHACHA20_POLY1305, AF_INET6, 5,
	DTLS_CIPHER_AES_CCM_8_128, 5);
VARIANT(v13_v6, V13(DTLS_CIPHER_AES_GCM_256), AF_INET6, 0,
	V13(DTLS_CIPHER_AES_GCM_128), 0);
VARIANT(v13_v4_ccm_8, V13(DTLS_CIPHER_AES_CCM_8_128), AF_INET, 3,
	V13(DTLS_CIPHER_AES_CCM_8_128), 3);
VARIANT(to_v13, DTLS_CIPHER_AES_GCM_128, AF_INET, 0,
	V13(DTLS_CIPHER_AES_GCM_256), 0);
VARIANT(from_v13, V13(DTLS_CIPHER_AES_GCM_256), AF_INET, 0,
	DTLS_CIPHER_AES_GCM_128, 0);
VARIANT(v13_cid_to_none, V13(DTLS_CIPHER_AES_GCM_128), AF_INET6, 4,
	V13(DTLS_CIPHER_AES_GCM_128), 0);
VARIANT(v12_none_to_cid, DTLS_CIPHER_AES_GCM_128, AF_INET, 0,
	DTLS_CIPHER_AES_GCM_128, 4);

/* Return true if a record may be of either association by its length and header. */
static bool is_of_both(const FIXTURE_VARIANT(succeed) *v)
{
	return v->cipher == v->anew && !v->cid_len && !v->anew_cid_len;
}

/* Make a client like @c, with its socket, that has other keys and the number @id. */
static void begin_anew(const struct client *c, struct client *anew, __u64 id,
		       __u16 cipher, unsigned int cid_len, unsigned int seed)
{
	memset(anew, 0, sizeof(*anew));
	anew->fd = c->fd;
	anew->id = id;
	make_keys(anew, cipher, cid_len, seed);
}

/* Add or move (@option) the association @id to where another one is. */
static int set_beside(int server, int option, __u64 id, int peer)
{
	return set_peer_flags(server, option, id, peer, DTLS_PEER_SUCCEED);
}

/* Add the association of @c where another one is, with both keys. */
static int add_beside(int server, const struct client *c)
{
	return add_client_flags(server, c, DTLS_PEER_SUCCEED);
}

FIXTURE_SETUP(succeed)
{
	unsigned int table = variant->cid_len ?: variant->anew_cid_len;

	stay();
	fill(text, sizeof(text), 1);
	self->server = make_server(variant->family, table);
	ASSERT_LE(0, self->server);
	ASSERT_OK(make_client(&self->old, variant->family, variant->cipher,
			      variant->cid_len, self->server, 0));
	ASSERT_OK(add_client(self->server, &self->old));
	ASSERT_OK(make_client(&self->other, variant->family, variant->cipher,
			      variant->cid_len, self->server, 1));
	ASSERT_OK(add_client(self->server, &self->other));
	begin_anew(&self->old, &self->anew, 5, variant->anew,
		   variant->anew_cid_len, 500);
}

FIXTURE_TEARDOWN(succeed)
{
	close(self->old.fd);
	close(self->other.fd);
	close(self->server);
}

/* The old association has its one event, and no address any more. */
static void was_replaced(struct __test_metadata *_metadata, int server,
			 struct client *old)
{
	struct dtls_record_info info;
	struct dtls_assoc_peer peer;
	static const struct dtls_addr none;

	ASSERT_EQ(0, recv_control(server, &info, buf, sizeof(buf)));
	EXPECT_EQ(DTLS_RECORD_EVENT, info.flags);
	EXPECT_EQ(DTLS_EVENT_REPLACED, info.event);
	EXPECT_EQ(old->id, info.id);
	ASSERT_ERRNO(EAGAIN, recv_control(server, &info, buf, sizeof(buf)));
	ASSERT_OK(get_peer(server, old->id, &peer));
	EXPECT_EQ(old->id, peer.id);
	EXPECT_EQ(0u, peer.flags);
	EXPECT_EQ(0, memcmp(&none, &peer.peer, sizeof(none)));
	EXPECT_EQ(0, memcmp(&none, &peer.local, sizeof(none)));
	ASSERT_ERRNO(ENOTCONN, server_send(server, old->id, text, 50));
}

TEST_F(succeed, the_first_verified_record_takes_the_address)
{
	struct client *old = &self->old, *anew = &self->anew;
	struct dtls_record_info info;
	struct dtls_assoc_peer peer;
	struct dtls_addr addr;
	unsigned int i;
	__u64 id;

	ASSERT_OK(add_beside(self->server, anew));
	address_of(anew->fd, &addr);
	ASSERT_OK(get_peer(self->server, anew->id, &peer));
	EXPECT_EQ(DTLS_PEER_SUCCEED, peer.flags);
	EXPECT_EQ(0, memcmp(&addr, &peer.peer, sizeof(addr)));

	/* Until then both work, and the address names the old one. */
	ASSERT_TRUE(client_works(self->server, old));
	ASSERT_EQ(71, server_send(self->server, anew->id, text, 71));
	ASSERT_EQ(71, client_recv(anew));
	ASSERT_EQ(72, send_cut(self->server, 0, old->fd, text, 72, 0, 0));
	ASSERT_EQ(72, client_recv(old));
	ASSERT_ERRNO(EAGAIN, recv_control(self->server, &info, buf, sizeof(buf)));

	for (i = 0; i < 3; i++)
		ASSERT_EQ(60 + i, client_send(anew, text + i, 60 + i));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(60 + i, server_recv(self->server, &id, NULL, 0));
		EXPECT_EQ(anew->id, id);
		EXPECT_EQ(0, memcmp(buf, text + i, 60 + i));
	}
	was_replaced(_metadata, self->server, old);
	ASSERT_OK(get_peer(self->server, anew->id, &peer));
	EXPECT_EQ(0u, peer.flags);
	EXPECT_EQ(0, memcmp(&addr, &peer.peer, sizeof(addr)));
	ASSERT_EQ(73, send_cut(self->server, 0, anew->fd, text, 73, 0, 0));
	ASSERT_EQ(73, client_recv(anew));
	ASSERT_TRUE(client_works(self->server, anew));
	ASSERT_TRUE(client_works(self->server, &self->other));
	ASSERT_OK(delete(self->server, old->id));
	ASSERT_TRUE(client_works(self->server, anew));
}

/* A handshake record, such as the Finished of DTLS 1.2, may be the first. */
TEST_F(succeed, a_control_record_takes_the_address_too)
{
	struct client *anew = &self->anew;
	struct dtls_record_info info;

	ASSERT_OK(add_beside(self->server, anew));
	ASSERT_EQ(30, send_from(anew, anew->fd, CT_HANDSHAKE, text, 30));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	/* The event comes first, as the old one lost the address before. */
	ASSERT_EQ(0, recv_control(self->server, &info, buf, sizeof(buf)));
	EXPECT_EQ(DTLS_EVENT_REPLACED, info.event);
	EXPECT_EQ(self->old.id, info.id);
	ASSERT_EQ(30, recv_control(self->server, &info, buf, sizeof(buf)));
	EXPECT_EQ(anew->id, info.id);
	EXPECT_EQ(0, info.flags);
	ASSERT_TRUE(client_works(self->server, anew));
}

/* What the one sent is no forgery of the other, whatever their limits are. */
TEST_F(succeed, neither_runs_up_the_forgeries_of_the_other)
{
	struct client *old = &self->old, *anew = &self->anew;
	struct dtls_counters counters;
	struct dtls_info info;
	unsigned int i;
	__u64 id;

	ASSERT_OK(add_beside(self->server, anew));
	for (i = 0; i < 300; i++) {
		ASSERT_EQ(60, client_send(old, text, 60));
		ASSERT_EQ(60, server_recv(self->server, &id, NULL, 0));
		ASSERT_EQ(old->id, id);
	}
	ASSERT_OK(get_info(self->server, anew->id, &info));
	EXPECT_EQ(0u, info.rx_forged);
	for (i = 0; i < 300; i++) {
		ASSERT_EQ(60, client_send(anew, text, 60));
		ASSERT_EQ(60, server_recv(self->server, &id, NULL, 0));
		ASSERT_EQ(anew->id, id);
	}
	ASSERT_OK(get_info(self->server, old->id, &info));
	EXPECT_EQ(0u, info.rx_forged);
	ASSERT_OK(get_counters(self->server, old->id, &counters));
	EXPECT_EQ(0u, counters.rx_auth_failed);
	EXPECT_EQ(0u, counters.rx_malformed);
	EXPECT_EQ(300u, counters.rx_records);
	ASSERT_OK(get_counters(self->server, anew->id, &counters));
	EXPECT_EQ(0u, counters.rx_auth_failed);
	EXPECT_EQ(300u, counters.rx_records);
}

/* A forgery was tried with both keys, so it counts for both. */
TEST_F(succeed, a_forgery_counts_for_both_and_changes_nothing)
{
	struct client *old = &self->old, *anew = &self->anew;
	struct dtls_assoc_peer peer;
	struct dtls_info info;
	size_t len;

	if (!is_of_both(variant))
		return;
	ASSERT_OK(add_beside(self->server, anew));
	len = peer_seal(&anew->up, CT_DATA, 7, text, 60, wire);
	wire[len - 1] ^= 1;
	ASSERT_EQ((ssize_t)len, send(anew->fd, wire, len, 0));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_OK(get_info(self->server, anew->id, &info));
	EXPECT_EQ(1u, info.rx_forged);
	ASSERT_OK(get_info(self->server, old->id, &info));
	EXPECT_EQ(1u, info.rx_forged);
	ASSERT_OK(get_peer(self->server, anew->id, &peer));
	EXPECT_EQ(DTLS_PEER_SUCCEED, peer.flags);
	ASSERT_TRUE(client_works(self->server, old));
	ASSERT_TRUE(client_works(self->server, anew));
}

/*
 * Let the old association receive a record, and write @n copies of it to wire[]. Return
 * the bytes of one.
 */
static size_t copies_of_received(struct __test_metadata *_metadata, int server,
				 struct client *old, unsigned int n)
{
	size_t len = peer_seal(&old->up, CT_DATA, old->seq++, text, 8, wire);
	unsigned int i;
	__u64 id;

	ASSERT_EQ((ssize_t)len, send(old->fd, wire, len, 0));
	ASSERT_EQ(8, server_recv(server, &id, NULL, 0));
	ASSERT_EQ(old->id, id);
	for (i = 1; i < n; i++)
		memcpy(wire + i * len, wire, len);
	return len;
}

/* A datagram's rest goes after eight forgeries, also if they are replays for the other. */
TEST_F(succeed, replays_for_one_are_forgeries_for_the_other)
{
	struct client *old = &self->old, *anew = &self->anew;
	struct dtls_info info;
	size_t len;

	if (!is_of_both(variant))
		return;
	ASSERT_OK(add_beside(self->server, anew));
	len = copies_of_received(_metadata, self->server, old, 30);
	ASSERT_EQ(30 * (ssize_t)len, send(old->fd, wire, 30 * len, 0));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_OK(get_info(self->server, anew->id, &info));
	EXPECT_EQ(8u, info.rx_forged);
	ASSERT_OK(get_info(self->server, old->id, &info));
	EXPECT_EQ(0u, info.rx_forged);
	ASSERT_TRUE(client_works(self->server, old));
	ASSERT_TRUE(client_works(self->server, anew));
}

/* So does it after 32 records that were kept for a key. */
TEST_F(succeed, replays_for_one_are_kept_for_the_other_within_bounds)
{
	struct client *old = &self->old, *anew = &self->anew;
	struct dtls_info one, all;
	size_t len;

	if (variant->cid_len || variant->anew_cid_len)
		return;
	ASSERT_OK(set_beside(self->server, DTLS_ASSOC_ADD, anew->id, anew->fd));
	len = copies_of_received(_metadata, self->server, old, 60);
	ASSERT_EQ((ssize_t)len, send(old->fd, wire, len, 0));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_OK(get_info(self->server, anew->id, &one));
	ASSERT_LT(0u, one.early_queued);
	ASSERT_EQ(60 * (ssize_t)len, send(old->fd, wire, 60 * len, 0));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_OK(get_info(self->server, anew->id, &all));
	EXPECT_GE(33 * one.early_queued, all.early_queued);
	ASSERT_TRUE(client_works(self->server, old));
}

/* A copy of a record is delivered once, whichever association it is of. */
TEST_F(succeed, copies_are_delivered_once)
{
	struct client *old = &self->old, *anew = &self->anew;
	__u64 id;

	ASSERT_OK(add_beside(self->server, anew));
	ASSERT_TRUE(client_works(self->server, old));
	old->seq--;
	ASSERT_EQ(60, client_send(old, text, 60));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_EQ(61, client_send(anew, text, 61));
	ASSERT_EQ(61, server_recv(self->server, &id, NULL, 0));
	ASSERT_EQ(anew->id, id);
	anew->seq--;
	ASSERT_EQ(61, client_send(anew, text, 61));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_TRUE(client_works(self->server, anew));
}

TEST_F(succeed, data_before_the_read_key_is_kept_for_it)
{
	struct client *old = &self->old, *anew = &self->anew;
	__u64 id;

	if (variant->anew_cid_len)
		return;	/* its connection ID comes with the key */
	ASSERT_OK(set_beside(self->server, DTLS_ASSOC_ADD, anew->id, anew->fd));
	ASSERT_EQ(80, client_send(anew, text, 80));
	ASSERT_EQ(81, client_send(anew, text, 81));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_TRUE(client_works(self->server, old));
	ASSERT_OK(set_key(self->server, anew->id, DTLS_TX, &anew->down));
	ASSERT_OK(set_key(self->server, anew->id, DTLS_RX, &anew->up));
	ASSERT_EQ(POLLIN, poll_for(self->server, POLLIN, SOON_MS));
	ASSERT_EQ(80, server_recv(self->server, &id, NULL, 0));
	EXPECT_EQ(anew->id, id);
	ASSERT_EQ(81, server_recv(self->server, &id, NULL, 0));
	EXPECT_EQ(anew->id, id);
	ASSERT_TRUE(client_works(self->server, anew));
	ASSERT_OK(delete(self->server, old->id));
}

/* Records of the new one follow in one datagram, and in one coalesced datagram. */
TEST_F(succeed, whole_datagrams_are_of_the_new_one)
{
	struct client *anew = &self->anew;
	size_t len = 0, size = 0;
	int on = 1, i, got = 0;
	__u64 id;
	ssize_t n;

	ASSERT_OK(add_beside(self->server, anew));
	for (i = 0; i < 3; i++)
		len += peer_seal_more(&anew->up, CT_DATA, anew->seq++, text, 60,
				      wire + len);
	ASSERT_EQ((ssize_t)len, send(anew->fd, wire, len, 0));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(60, server_recv(self->server, &id, NULL, 0));
		EXPECT_EQ(anew->id, id);
	}

	begin_anew(anew, &self->old, 6, variant->cipher, variant->cid_len, 600);
	ASSERT_OK(add_beside(self->server, &self->old));
	ASSERT_OK(setsockopt(self->server, SOL_UDP, UDP_GRO, &on, sizeof(on)));
	for (i = 0, len = 0; i < 8; i++) {
		size = peer_seal(&self->old.up, CT_DATA, self->old.seq++, text,
				 100, wire + len);
		len += size;
	}
	ASSERT_EQ((ssize_t)len, send_segments(anew->fd, wire, len, size, 0));
	while ((n = server_recv(self->server, &id, NULL, 0)) > 0) {
		EXPECT_EQ(6u, id);
		got += n;
	}
	EXPECT_EQ(800, got);
}

/*
 * A program deletes the old one as soon as it is told of the new one. What has come with
 * the new one's first record in a coalesced datagram is there.
 */
TEST_F(succeed, the_end_of_the_old_one_drops_nothing_of_the_new_one)
{
	struct client *anew = &self->anew;
	size_t len = 0, size = 0;
	int on = 1, i, got = 0;
	__u64 id;

	ASSERT_OK(add_beside(self->server, anew));
	ASSERT_OK(setsockopt(self->server, SOL_UDP, UDP_GRO, &on, sizeof(on)));
	for (i = 0; i < 8; i++) {
		size = peer_seal(&anew->up, CT_DATA, anew->seq++, text, 100,
				 wire + len);
		len += size;
	}
	ASSERT_EQ((ssize_t)len, send_segments(anew->fd, wire, len, size, 0));
	on = 0;
	ASSERT_OK(setsockopt(self->server, SOL_UDP, UDP_GRO, &on, sizeof(on)));
	ASSERT_EQ(100, server_recv(self->server, &id, NULL, 0));
	EXPECT_EQ(anew->id, id);
	was_replaced(_metadata, self->server, &self->old);
	ASSERT_OK(delete(self->server, self->old.id));
	while (server_recv(self->server, &id, NULL, 0) == 100) {
		EXPECT_EQ(anew->id, id);
		got++;
	}
	EXPECT_EQ(7, got);
	ASSERT_TRUE(client_works(self->server, anew));
}

/*
 * One flow has records of both, which a reader of control records has opened. With
 * UDP_GRO one call has records of one association alone.
 */
TEST_F(succeed, coalesced_records_are_of_one_of_two)
{
	struct client *old = &self->old, *anew = &self->anew;
	size_t len, size, room = 100 + peer_overhead(&old->up);
	struct dtls_record_info info;
	int on = 1;
	__u64 id;

	ASSERT_OK(add_beside(self->server, anew));
	ASSERT_OK(setsockopt(self->server, SOL_UDP, UDP_GRO, &on, sizeof(on)));
	size = room - peer_overhead(&anew->up);
	len = peer_seal(&old->up, CT_DATA, old->seq++, text, 100, wire);
	ASSERT_EQ(room, len);
	len += peer_seal(&anew->up, CT_DATA, anew->seq++, text, size, wire + len);
	ASSERT_EQ(2 * room, len);
	ASSERT_EQ((ssize_t)len, send_segments(old->fd, wire, len, room, 0));
	/* The only control record says that the new one has the address. */
	settle();
	ASSERT_EQ(0, recv_control(self->server, &info, buf, sizeof(buf)));
	ASSERT_ERRNO(EAGAIN, recv_control(self->server, &info, buf, sizeof(buf)));
	ASSERT_EQ(100, server_recv(self->server, &id, NULL, 0));
	EXPECT_EQ(old->id, id);
	ASSERT_EQ((ssize_t)size, server_recv(self->server, &id, NULL, 0));
	EXPECT_EQ(anew->id, id);
}

TEST_F(succeed, no_more_than_two_are_at_an_address)
{
	struct client *old = &self->old, *anew = &self->anew;
	struct dtls_assoc_peer bad = { .id = 9, .flags = 0x80 };

	ASSERT_ERRNO(EADDRINUSE, set_peer(self->server, DTLS_ASSOC_ADD, 7,
					  old->fd));
	ASSERT_OK(add_beside(self->server, anew));
	ASSERT_ERRNO(EADDRINUSE, set_beside(self->server, DTLS_ASSOC_ADD, 7,
					    old->fd));
	ASSERT_ERRNO(EADDRINUSE, set_beside(self->server, DTLS_ASSOC_MOVE,
					    self->other.id, old->fd));
	ASSERT_ERRNO(EEXIST, set_beside(self->server, DTLS_ASSOC_ADD, anew->id,
					old->fd));
	address_of(old->fd, &bad.peer);
	ASSERT_ERRNO(EINVAL, setsockopt(self->server, SOL_DTLS, DTLS_ASSOC_ADD,
					&bad, sizeof(bad)));
	ASSERT_OK(delete(self->server, anew->id));
	ASSERT_OK(set_beside(self->server, DTLS_ASSOC_ADD, 7, old->fd));
	ASSERT_TRUE(client_works(self->server, old));
}

/* Whichever of two goes, the other one stays, and has the address. */
TEST_F(succeed, either_of_two_is_deleted)
{
	struct client *old = &self->old, *anew = &self->anew;
	struct dtls_record_info info;
	struct dtls_assoc_peer peer;

	ASSERT_OK(add_beside(self->server, anew));
	ASSERT_OK(delete(self->server, anew->id));
	ASSERT_TRUE(client_works(self->server, old));

	begin_anew(old, anew, 6, variant->anew, variant->anew_cid_len, 700);
	ASSERT_OK(add_beside(self->server, anew));
	ASSERT_OK(delete(self->server, old->id));
	ASSERT_OK(get_peer(self->server, anew->id, &peer));
	EXPECT_EQ(0u, peer.flags);
	ASSERT_TRUE(client_works(self->server, anew));
	ASSERT_ERRNO(EAGAIN, recv_control(self->server, &info, buf, sizeof(buf)));
	ASSERT_OK(delete(self->server, anew->id));
	ASSERT_OK(add_client(self->server, old));
}

TEST_F(succeed, either_of_two_is_moved)
{
	struct client *old = &self->old, *anew = &self->anew;
	int fd = udp_socket(variant->family);

	ASSERT_LE(0, fd);
	ASSERT_OK(udp_connect(fd, self->server));
	ASSERT_OK(add_beside(self->server, anew));
	ASSERT_OK(set_peer(self->server, DTLS_ASSOC_MOVE, anew->id, fd));
	anew->fd = fd;
	ASSERT_TRUE(client_works(self->server, old));
	ASSERT_TRUE(client_works(self->server, anew));

	/* Back beside the old one, which then goes where the new one was. */
	ASSERT_OK(set_beside(self->server, DTLS_ASSOC_MOVE, anew->id, old->fd));
	ASSERT_OK(set_peer(self->server, DTLS_ASSOC_MOVE, old->id, fd));
	anew->fd = old->fd;
	old->fd = fd;
	ASSERT_TRUE(client_works(self->server, old));
	ASSERT_TRUE(client_works(self->server, anew));
}

/* One without an address is found by connection ID, and gets an address again. */
TEST_F(succeed, the_old_one_lives_on_without_an_address)
{
	struct client *old = &self->old, *anew = &self->anew;
	int fd = udp_socket(variant->family);
	__u64 id;

	ASSERT_LE(0, fd);
	ASSERT_OK(udp_connect(fd, self->server));
	ASSERT_OK(add_beside(self->server, anew));
	ASSERT_TRUE(client_works(self->server, anew));
	was_replaced(_metadata, self->server, old);
	if (variant->cid_len) {
		ASSERT_EQ(60, send_from(old, fd, CT_DATA, text, 60));
		ASSERT_EQ(60, server_recv(self->server, &id, NULL, 0));
		EXPECT_EQ(old->id, id);
	}
	ASSERT_OK(set_peer(self->server, DTLS_ASSOC_MOVE, old->id, fd));
	old->fd = fd;
	ASSERT_TRUE(client_works(self->server, old));
	ASSERT_TRUE(client_works(self->server, anew));
	close(anew->fd);
}

/* A record that proves the key from elsewhere does not prove the address. */
TEST_F(succeed, a_record_from_elsewhere_takes_no_address)
{
	struct client *old = &self->old, *anew = &self->anew;
	struct dtls_assoc_peer peer;
	__u64 id;

	if (!variant->anew_cid_len)
		return;
	ASSERT_OK(add_beside(self->server, anew));
	ASSERT_EQ(60, send_from(anew, self->other.fd, CT_DATA, text, 60));
	ASSERT_EQ(60, server_recv(self->server, &id, NULL, 0));
	EXPECT_EQ(anew->id, id);
	ASSERT_OK(get_peer(self->server, anew->id, &peer));
	EXPECT_EQ(DTLS_PEER_SUCCEED, peer.flags);
	ASSERT_TRUE(client_works(self->server, old));
	ASSERT_TRUE(client_works(self->server, anew));
	was_replaced(_metadata, self->server, old);
}

/* The hellos of a new handshake come as they came without a new association. */
TEST_F(succeed, hellos_come_with_the_number_of_who_has_the_address)
{
	struct client *old = &self->old, *anew = &self->anew;
	struct dtls_record_info info;
	size_t len = plain_record(CT_HANDSHAKE, 0, 3, text, 90, wire);

	ASSERT_OK(add_beside(self->server, anew));
	ASSERT_EQ((ssize_t)len, send(anew->fd, wire, len, 0));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_EQ((ssize_t)len, recv_control(self->server, &info, buf,
					     sizeof(buf)));
	EXPECT_EQ(old->id, info.id);
	EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
	ASSERT_TRUE(client_works(self->server, anew));
	was_replaced(_metadata, self->server, old);
	len = plain_record(CT_HANDSHAKE, 0, 4, text, 90, wire);
	ASSERT_EQ((ssize_t)len, send(anew->fd, wire, len, 0));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_EQ((ssize_t)len, recv_control(self->server, &info, buf,
					     sizeof(buf)));
	EXPECT_EQ(anew->id, info.id);
}

/* ---- under traffic ---- */

/* A client begins anew over and over, while several tasks read. */
TEST_F(succeed, one_after_the_other_under_traffic)
{
	unsigned int i, n, total = rounds(100, 10);
	struct client last = self->old, anew;
	struct takers takers;
	__u64 said[16] = {};

	roam();
	ASSERT_OK(takers_begin(&takers, self->server, 4));
	for (i = 0; i < total; i++) {
		begin_anew(&last, &anew, 2000 + i, variant->anew,
			   variant->anew_cid_len, 1000 + 2 * i);
		ASSERT_OK(add_beside(self->server, &anew));
		for (n = 0; n < 8; n++) {
			said[0] = last.id;
			ASSERT_EQ((ssize_t)sizeof(said),
				  client_send(&last, said, sizeof(said)));
			said[0] = anew.id;
			ASSERT_EQ((ssize_t)sizeof(said),
				  client_send(&anew, said, sizeof(said)));
		}
		ASSERT_OK(delete(self->server, last.id));
		last = anew;
	}
	usleep(100000);
	takers_end(&takers);
	stay();
	EXPECT_EQ(0u, takers.mixed);
	EXPECT_LT(0u, takers.received);
	while (recv_now(self->server, buf, sizeof(buf)) >= 0)
		;
	ASSERT_TRUE(client_works(self->server, &last));
}

/*
 * A new association is deleted while one of its records is opened, and the rest of the
 * datagram goes on. A kernel that looks for sleeping under spin locks tells who puts the
 * last reference there.
 */
TEST_F(succeed, deleted_while_its_record_is_opened)
{
	unsigned int i, n, total = rounds(300, 50);
	struct client *old = &self->old, anew;
	struct dtls_record_info info;
	struct takers takers;
	size_t len, size;

	roam();
	ASSERT_OK(takers_begin(&takers, self->server, 2));
	for (i = 0; i < total; i++) {
		begin_anew(old, &anew, 2000 + i, variant->anew,
			   variant->anew_cid_len, 1000 + 2 * i);
		memcpy(long_text, &anew.id, sizeof(anew.id));
		ASSERT_OK(add_beside(self->server, &anew));
		for (n = 0, len = 0, size = 0; n < 3; n++) {
			len += peer_seal_more(&anew.up, CT_DATA, anew.seq++,
					      long_text, sizeof(long_text),
					      wire + len);
			len += peer_seal(&anew.up, CT_DATA, anew.seq++, long_text,
					 60, wire + len);
			size = size ?: len;
		}
		ASSERT_EQ((ssize_t)len, send_segments(old->fd, wire, len, size, 0));
		usleep(i % 16 * 50);
		ASSERT_OK(delete(self->server, anew.id));
		while (i % 64 == 63 && recv_control(self->server, &info, buf,
						    sizeof(buf)) >= 0)
			;
		ASSERT_OK(set_peer(self->server, DTLS_ASSOC_MOVE, old->id, old->fd));
	}
	usleep(100000);
	takers_end(&takers);
	stay();
	EXPECT_EQ(0u, takers.mixed);
	while (recv_now(self->server, buf, sizeof(buf)) >= 0)
		;
	ASSERT_TRUE(client_works(self->server, old));
}

TEST_HARNESS_MAIN
