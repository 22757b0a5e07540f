// SPDX-License-Identifier: GPL-2.0
/*
 * The records of a socket with a table: both versions, every cipher, on both address
 * families, with and without a connection ID, held against the second implementation.
 * What does not depend on these is in assoc.c.
 */
#include "harness.h"

#include <netinet/in.h>

#include "clients.h"
#include "common.h"

#define CLIENTS	2

static __u8 text[1 << 15];

SERVER_FIXTURE(record_table, CLIENTS);

LINK_EVERY_FORM(record_table);

SERVER_SETUP(record_table, text)

/* Around block and page sizes, and the largest record there is */
static const int sizes[] = { 1, 15, 16, 17, 1400, 4096, PLAIN_MAX };

TEST_F(record_table, every_size_comes_in_with_its_number_and_address)
{
	struct sockaddr_storage name;
	struct dtls_addr addr;
	unsigned int i, k;
	__u64 id;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (k = 0; k < CLIENTS; k++)
			ASSERT_EQ(sizes[i], client_send(&self->c[k], text + k, sizes[i]));
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (k = 0; k < CLIENTS; k++) {
			ASSERT_EQ(sizes[i], server_recv(self->server, &id, &name, 0));
			ASSERT_EQ(0, memcmp(buf, text + k, sizes[i]));
			EXPECT_EQ(self->c[k].id, id);
			address_of(self->c[k].fd, &addr);
			EXPECT_EQ(variant->family, name.ss_family);
			EXPECT_EQ(addr.port, port_of(&name));
		}
	ASSERT_TRUE(nothing_waits(self->server));
}

TEST_F(record_table, every_size_goes_out_by_number_and_by_address)
{
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (k = 0; k < CLIENTS; k++) {
			struct client *c = &self->c[k];

			ASSERT_EQ(sizes[i], send_cut(self->server, c->id, -1, text + k,
						     sizes[i], 0, 0));
			ASSERT_EQ(sizes[i], send_cut(self->server, 0, c->fd, text + k,
						     sizes[i], 0, 0));
		}
	for (k = 0; k < CLIENTS; k++) {
		for (i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
			ASSERT_EQ(sizes[i / 2], client_recv(&self->c[k]));
			EXPECT_EQ(CT_DATA, rec.type);
			EXPECT_EQ((__u64)i, rec.seq);
			ASSERT_EQ(0, memcmp(rec.data, text + k, rec.len));
		}
		ASSERT_EQ(-1, client_recv(&self->c[k]));
	}
}

TEST_F(record_table, segments_become_records_and_coalesced_datagrams_come_apart)
{
	struct client *a = &self->c[0], *b = &self->c[1];
	size_t len = 0, one = 0;
	int i, size;
	__u64 id;

	ASSERT_EQ(2300, send_cut(self->server, a->id, -1, text, 2300, 500, 0));
	ASSERT_EQ(2300, send_cut(self->server, 0, b->fd, text, 2300, 500, 0));
	for (i = 0; i < 10; i++) {
		size = i % 5 < 4 ? 500 : 300;
		ASSERT_EQ(size, client_recv(i < 5 ? a : b));
		ASSERT_EQ((__u64)i % 5, rec.seq);
		ASSERT_EQ(0, memcmp(rec.data, text + i % 5 * 500, size));
	}
	ASSERT_EQ(-1, client_recv(a));
	ASSERT_EQ(-1, client_recv(b));

	for (i = 0; i < 5; i++) {
		one = peer_seal(&b->up, CT_DATA, b->seq++, text + i * 500, 500, wire + len);
		len += one;
	}
	ASSERT_EQ((ssize_t)len, send_segments(b->fd, wire, len, one, 0));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(500, server_recv(self->server, &id, NULL, 0));
		ASSERT_EQ(b->id, id);
		ASSERT_EQ(0, memcmp(buf, text + i * 500, 500));
	}
	ASSERT_TRUE(nothing_waits(self->server));
}

TEST_F(record_table, records_do_not_open_under_the_key_of_another)
{
	struct client *a = &self->c[0], *b = &self->c[1];
	struct dtls_counters counters;
	struct client mixed = *b;

	/* With the address and the connection ID of one, and the key of another */
	memcpy(mixed.up.key, a->up.key, sizeof(mixed.up.key));
	ASSERT_EQ(60, client_send(&mixed, text, 60));
	ASSERT_TRUE(nothing_waits(self->server));
	ASSERT_OK(get_counters(self->server, b->id, &counters));
	EXPECT_EQ(1u, counters.rx_auth_failed);
	EXPECT_EQ(0u, counters.rx_records);
	ASSERT_OK(get_counters(self->server, a->id, &counters));
	EXPECT_EQ(0u, counters.rx_auth_failed + counters.rx_records);
	/* The number of the record was not spoilt by its forgery. */
	ASSERT_TRUE(client_works(self->server, b));
	ASSERT_TRUE(client_works(self->server, a));
}

TEST_F(record_table, a_key_change_is_of_one)
{
	struct client *a = &self->c[0], *b = &self->c[1];
	struct client old = *a;
	__u64 id;

	peer_key_init(&a->up, variant->cipher, old.up.epoch + 1, old.up.cid_len, 700);
	memcpy(a->up.cid, old.up.cid, old.up.cid_len);
	peer_key_init(&a->down, variant->cipher, old.down.epoch + 1, old.down.cid_len, 701);
	a->seq = 0;
	ASSERT_OK(set_key(self->server, a->id, DTLS_RX, &a->up));
	ASSERT_OK(set_key(self->server, a->id, DTLS_TX, &a->down));
	ASSERT_TRUE(client_works(self->server, a));
	EXPECT_EQ(0u, rec.seq);
	/* What the old key still has under way is taken too. */
	ASSERT_EQ(60, client_send(&old, text, 60));
	ASSERT_EQ(60, server_recv(self->server, &id, NULL, 0));
	EXPECT_EQ(a->id, id);
	EXPECT_EQ(0, memcmp(buf, text, 60));
	ASSERT_TRUE(client_works(self->server, b));
}

TEST_F(record_table, control_records_go_both_ways)
{
	static const __u8 close_notify[] = { ALERT_WARNING, ALERT_CLOSE_NOTIFY };
	struct client *a = &self->c[0];
	struct dtls_record_info info = { .id = a->id, .type = CT_ALERT };

	ASSERT_EQ(2, send_described(self->server, &info, close_notify, 2));
	ASSERT_EQ(2, client_recv(a));
	EXPECT_EQ(CT_ALERT, rec.type);
	EXPECT_EQ(0, memcmp(rec.data, close_notify, 2));
	ASSERT_EQ(-1, client_recv(&self->c[1]));

	ASSERT_EQ(30, send_from(a, a->fd, CT_HANDSHAKE, text, 30));
	ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
	ASSERT_EQ(30, recv_control(self->server, &info, buf, sizeof(buf)));
	EXPECT_EQ(a->id, info.id);
	EXPECT_EQ(CT_HANDSHAKE, info.type);
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(a->up.epoch, info.epoch);
	EXPECT_EQ(0, memcmp(buf, text, 30));
}

TEST_HARNESS_MAIN
