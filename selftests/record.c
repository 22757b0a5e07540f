// SPDX-License-Identifier: GPL-2.0
/*
 * The records themselves: both versions, every cipher, on both address
 * families, with and without a connection ID, held against the second
 * implementation.
 */
#include "harness.h"
#include "common.h"

static __u8 text[1 << 17], buf[DGRAM_MAX], wire[DGRAM_MAX];
static struct peer_record rec;

LINK_FIXTURE(record);

LINK_EVERY_FORM(record);

FIXTURE_SETUP(record)
{
	stay();
	ASSERT_OK(link_raw(&self->l, variant->family, variant->cipher,
			   variant->cid_len));
	fill(text, sizeof(text), variant->cipher);
}

FIXTURE_TEARDOWN(record)
{
	link_close(&self->l);
}

/* Around block and page sizes, and the largest record there is. */
static const int sizes[] = {
	1, 2, 7, 15, 16, 17, 31, 64, 255, 256, 1399, 1400, 4095, 4096, 4097,
	8192, 16383, PLAIN_MAX,
};

TEST_F(record, send_is_one_record_in_one_datagram)
{
	struct link *l = &self->l;
	ssize_t n;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(100 + i, send(l->a, text + i, 100 + i, 0));
		n = recv(l->b, wire, sizeof(wire), 0);
		ASSERT_EQ((ssize_t)peer_overhead(&l->ab) + 100 + i, n);
		ASSERT_EQ(n, peer_open(&l->ab, wire, n, &rec));
		EXPECT_EQ(CT_DATA, rec.type);
		EXPECT_EQ((__u64)i, rec.seq);
		EXPECT_EQ((size_t)0, rec.pad);
		ASSERT_EQ((size_t)100 + i, rec.len);
		EXPECT_EQ(0, memcmp(rec.data, text + i, rec.len));
	}
	EXPECT_EQ(-1, recv_now(l->b, wire, sizeof(wire)));
}

TEST_F(record, every_size_goes_out)
{
	struct link *l = &self->l;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(sizes[i], send(l->a, text, sizes[i], 0));
		ASSERT_EQ(sizes[i], link_recv(l, &rec));
		ASSERT_EQ((__u64)i, rec.seq);
		ASSERT_EQ(0, memcmp(rec.data, text, sizes[i]));
	}
}

TEST_F(record, every_size_comes_in)
{
	struct link *l = &self->l;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(sizes[i], link_send(l, CT_DATA, text, sizes[i]));
		ASSERT_EQ(sizes[i], recv(l->a, buf, sizeof(buf), 0));
		ASSERT_EQ(0, memcmp(buf, text, sizes[i]));
	}
}

TEST_F(record, two_kernel_ends_understand_each_other)
{
	struct link *l = &self->l;
	unsigned int i;

	ASSERT_OK(link_attach_b(l));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(sizes[i], send(l->a, text, sizes[i], 0));
		ASSERT_EQ(sizes[i], recv(l->b, buf, sizeof(buf), 0));
		ASSERT_EQ(0, memcmp(buf, text, sizes[i]));
		ASSERT_EQ(sizes[i], send(l->b, buf, sizes[i], 0));
		memset(buf, 0, sizes[i]);
		ASSERT_EQ(sizes[i], recv(l->a, buf, sizeof(buf), 0));
		ASSERT_EQ(0, memcmp(buf, text, sizes[i]));
	}
}

/* Numbers and nonces are the record's own, not a count of what came. */
TEST_F(record, reordered_and_lost_records_open)
{
	static const __u64 order[] = { 3, 0, 40, 7, 39, 0xffffffff, 0xfffffffd };
	struct link *l = &self->l;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(order); i++) {
		/* 16 bits of the number tell as much as this (RFC 9147 4.2.2). */
		l->b_seq = IS_V13(variant->cipher) ? order[i] & 0x7fff :
						     order[i];
		ASSERT_EQ(50, link_send(l, CT_DATA, text + i, 50));
		ASSERT_EQ(50, recv(l->a, buf, sizeof(buf), 0));
		ASSERT_EQ(0, memcmp(buf, text + i, 50));
	}
}

TEST_F(record, numbers_start_where_the_key_says)
{
	struct link *l = &self->l;
	__u64 i;

	l->ab.epoch++;
	l->ab.rec_seq = 0x123456;
	ASSERT_OK(dtls_set_key(l->a, DTLS_TX, &l->ab));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(10, send(l->a, text, 10, 0));
		ASSERT_EQ(10, link_recv(l, &rec));
		EXPECT_EQ(0x123456 + i, rec.seq);
		EXPECT_EQ(l->ab.epoch, rec.epoch);
	}
}

/* With the same key a nonce used twice gives both plaintexts away. */
TEST_F(record, nonces_never_repeat)
{
	struct link *l = &self->l;
	__u64 nonce[48];
	int i, j;

	for (i = 0; i < 48; i++) {
		if (i % 3) {
			ASSERT_EQ(9, send(l->a, text, 9, 0));
		} else {
			ASSERT_EQ(2, send_control(l->a, CT_HEARTBEAT, 0, text, 2));
		}
		ASSERT_LT(0, link_recv(l, &rec));
		nonce[i] = rec.nonce ?: rec.seq;
		for (j = 0; j < i; j++)
			ASSERT_NE(nonce[i], nonce[j]);
	}
}

TEST_F(record, segments_become_records)
{
	struct link *l = &self->l;
	int i, size;

	ASSERT_EQ(5300, send_segments(l->a, text, 5300, 1000, 0));
	for (i = 0; i < 6; i++) {
		size = i < 5 ? 1000 : 300;
		ASSERT_EQ(size, link_recv(l, &rec));
		ASSERT_EQ((__u64)i, rec.seq);
		ASSERT_EQ(0, memcmp(rec.data, text + i * 1000, size));
	}
	EXPECT_EQ(-1, recv_now(l->b, wire, sizeof(wire)));
}

TEST_F(record, coalesced_datagrams_come_apart)
{
	struct link *l = &self->l;
	ssize_t one = 0, len = 0;
	int i;

	for (i = 0; i < 20; i++) {
		one = peer_seal(&l->ba, CT_DATA, i, text + i * 700, 700,
				wire + len);
		len += one;
	}
	ASSERT_EQ(len, send_segments(l->b, wire, len, one, 0));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(700, recv(l->a, buf, sizeof(buf), 0));
		ASSERT_EQ(0, memcmp(buf, text + i * 700, 700));
	}
}

TEST_F(record, several_records_in_a_datagram)
{
	struct link *l = &self->l;
	ssize_t len = 0;
	int i;

	for (i = 0; i < 5; i++)
		len += peer_seal_more(&l->ba, CT_DATA, i, text + i, 10 + i,
				      wire + len);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(10 + i, recv(l->a, buf, sizeof(buf), 0));
		ASSERT_EQ(0, memcmp(buf, text + i, 10 + i));
	}
}

TEST_F(record, one_flipped_bit_anywhere_is_refused)
{
	struct link *l = &self->l;
	struct dtls_counters c;
	unsigned int sent = 0;
	ssize_t len, i;

	len = peer_seal(&l->ba, CT_DATA, 1, text, 24, wire);
	for (i = 0; i < len; i++, sent++) {
		wire[i] ^= 1 << (i % 8);
		ASSERT_EQ(len, send(l->b, wire, len, 0));
		wire[i] ^= 1 << (i % 8);
		ASSERT_EQ(-1, recv_now(l->a, buf, sizeof(buf)))
			TH_LOG("with byte %zd changed", i);
	}

	/* The record itself was not spoilt by its forgeries. */
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	ASSERT_EQ(24, recv(l->a, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, text, 24));

	ASSERT_OK(dtls_get_counters(l->a, &c));
	EXPECT_EQ((__u64)1, c.rx_records);
	/* Explicit nonce, content and tag can only fail the tag. */
	EXPECT_GE(c.rx_auth_failed, 24 + cipher_tag_len(variant->cipher));
}

TEST_F(record, replays_are_refused)
{
	struct link *l = &self->l;
	struct dtls_counters counters;
	ssize_t len;
	int i;

	len = peer_seal(&l->ba, CT_DATA, 5, text, 24, wire);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	ASSERT_EQ(24, recv(l->a, buf, sizeof(buf), 0));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(len, send(l->b, wire, len, 0));
		ASSERT_EQ(-1, recv_now(l->a, buf, sizeof(buf)));
	}
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ((__u64)4, counters.rx_replays);
	EXPECT_EQ((__u64)1, counters.rx_records);
}

TEST_F(record, key_of_the_other_direction_is_refused)
{
	struct link *l = &self->l;
	struct peer_key k = l->ba;
	struct dtls_counters counters;
	ssize_t len;

	/* With the right connection ID, so that only the tag is wrong. */
	memcpy(k.key, l->ab.key, sizeof(k.key));
	len = peer_seal(&k, CT_DATA, 0, text, 24, wire);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	ASSERT_EQ(-1, recv_now(l->a, buf, sizeof(buf)));
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ((__u64)1, counters.rx_auth_failed);
}

TEST_F(record, key_change)
{
	struct peer_key ab2, ba2;
	struct link *l = &self->l;
	ssize_t len;

	peer_key_init(&ab2, variant->cipher, l->ab.epoch + 1, l->ab.cid_len, 1);
	peer_key_init(&ba2, variant->cipher, l->ba.epoch + 1, l->ba.cid_len, 2);
	ASSERT_EQ(10, send(l->a, text, 10, 0));
	ASSERT_OK(dtls_set_key(l->a, DTLS_TX, &ab2));
	ASSERT_OK(dtls_set_key(l->a, DTLS_RX, &ba2));
	ASSERT_EQ(11, send(l->a, text, 11, 0));

	ASSERT_EQ(10, link_recv(l, &rec));
	EXPECT_EQ(l->ab.epoch, rec.epoch);
	l->ab = ab2;
	ASSERT_EQ(11, link_recv(l, &rec));
	EXPECT_EQ(ab2.epoch, rec.epoch);
	EXPECT_EQ((__u64)0, rec.seq);

	/* What the old key still has under way is taken too. */
	len = peer_seal(&ba2, CT_DATA, 0, text, 20, wire);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	len = peer_seal(&l->ba, CT_DATA, 0, text, 21, wire);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	ASSERT_EQ(20, recv(l->a, buf, sizeof(buf), 0));
	ASSERT_EQ(21, recv(l->a, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, text, 21));
}

TEST_F(record, control_records_both_ways)
{
	static const __u8 close_notify[] = { ALERT_WARNING, ALERT_CLOSE_NOTIFY };
	struct dtls_record_info info;
	struct link *l = &self->l;

	ASSERT_EQ(2, send_control(l->a, CT_ALERT, 0, close_notify, 2));
	ASSERT_EQ(2, link_recv(l, &rec));
	EXPECT_EQ(CT_ALERT, rec.type);
	EXPECT_EQ((__u64)0, rec.seq);
	EXPECT_EQ(0, memcmp(rec.data, close_notify, 2));

	ASSERT_EQ(30, link_send(l, CT_HANDSHAKE, text, 30));
	ASSERT_EQ(-1, recv_now(l->a, buf, sizeof(buf)));
	ASSERT_EQ(30, recv_control(l->a, &info, buf, sizeof(buf)));
	EXPECT_EQ(CT_HANDSHAKE, info.type);
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(l->ba.epoch, info.epoch);
	EXPECT_EQ((__u64)0, info.seq);
	EXPECT_EQ(0, memcmp(buf, text, 30));
}

/*
 * RFC 9147 4.5.3 and RFC 9325 4.4 bound the records a key may protect: 2^24.5
 * for AES-GCM, 2^23 for AES-CCM; ChaCha20 has only the number's 48 bits.
 */
static void limit_range(__u16 cipher, __u64 *low, __u64 *high)
{
	switch (cipher & ~V13(0)) {
	case DTLS_CIPHER_AES_GCM_128:
	case DTLS_CIPHER_AES_GCM_256:
		*low = 23726566;
		*high = 23726567;
		break;
	case DTLS_CIPHER_CHACHA20_POLY1305:
		*low = DTLS_SEQ_MAX;
		*high = DTLS_SEQ_MAX;
		break;
	default:
		*low = 1 << 23;
		*high = 1 << 23;
	}
}

TEST_F(record, write_key_ends_at_its_limit)
{
	struct link *l = &self->l;
	__u64 low, high, limit;
	struct dtls_info info;
	int i;

	limit_range(variant->cipher, &low, &high);
	ASSERT_OK(dtls_get_info(l->a, &info));
	EXPECT_GE(info.tx_limit, low);
	EXPECT_LE(info.tx_limit, high);
	limit = info.tx_limit;

	l->ab.epoch++;
	l->ab.rec_seq = limit - 2;
	ASSERT_OK(dtls_set_key(l->a, DTLS_TX, &l->ab));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(10, send(l->a, text, 10, 0));
		ASSERT_EQ(10, link_recv(l, &rec));
		EXPECT_EQ(limit - 2 + i, rec.seq);
	}
	for (i = 0; i < 3; i++)
		ASSERT_ERRNO(EKEYEXPIRED, send(l->a, text, 10, 0));
	ASSERT_ERRNO(EAGAIN, recv_now(l->b, wire, sizeof(wire)));
	ASSERT_OK(dtls_get_info(l->a, &info));
	EXPECT_EQ(limit, info.tx_seq);
	EXPECT_EQ(limit, info.tx_limit);

	/* A new key starts again. */
	l->ab.epoch++;
	l->ab.rec_seq = 0;
	ASSERT_OK(dtls_set_key(l->a, DTLS_TX, &l->ab));
	ASSERT_EQ(10, send(l->a, text, 10, 0));
	ASSERT_EQ(10, link_recv(l, &rec));
	EXPECT_EQ((__u64)0, rec.seq);
}

TEST_HARNESS_MAIN
