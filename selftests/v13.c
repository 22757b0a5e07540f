// SPDX-License-Identifier: GPL-2.0
/*
 * What DTLS 1.3 has and 1.2 has not (RFC 9147): forms of the header, numbers
 * and epochs told from their last bits, hidden numbers, padding, epochs of the
 * handshake and of early data, connection IDs that change.
 */
#include "harness.h"

#include <poll.h>

#include "common.h"
#include "traffic.h"

static __u8 text[4096], buf[DGRAM_MAX], wire[DGRAM_MAX];
static struct peer_record rec;

LINK_FIXTURE(v13);

#define V13_VARIANT(name, cipher_, family_, cid_len_)			\
	FIXTURE_VARIANT_ADD(v13, name) {				\
		.cipher = V13(cipher_),					\
		.family = family_,					\
		.cid_len = cid_len_,					\
	}

V13_VARIANT(gcm_128, DTLS_CIPHER_AES_GCM_128, AF_INET, 0);
V13_VARIANT(gcm_256_cid, DTLS_CIPHER_AES_GCM_256, AF_INET6, 7);
V13_VARIANT(ccm_128, DTLS_CIPHER_AES_CCM_128, AF_INET6, 0);
V13_VARIANT(ccm_8_128_cid, DTLS_CIPHER_AES_CCM_8_128, AF_INET, 3);
V13_VARIANT(chacha20, DTLS_CIPHER_CHACHA20_POLY1305, AF_INET, 0);
V13_VARIANT(chacha20_cid, DTLS_CIPHER_CHACHA20_POLY1305, AF_INET6, 1);

FIXTURE_SETUP(v13)
{
	stay();
	ASSERT_OK(link_raw(&self->l, variant->family, variant->cipher,
			   variant->cid_len));
	fill(text, sizeof(text), variant->cipher);
}

FIXTURE_TEARDOWN(v13)
{
	link_close(&self->l);
}

/* A record of @k's as the caller wants it, but for its number and content */
static const struct peer_record usual = { .type = CT_DATA };

static ssize_t send_as(struct link *l, const struct peer_key *k,
		       const struct peer_record *how, __u64 seq, size_t len)
{
	ssize_t n;

	rec = *how;
	rec.epoch = k->epoch;
	rec.seq = seq;
	rec.data = text + seq % 1000;
	rec.len = len;
	n = peer_seal_record(k, &rec, wire);
	return send(l->b, wire, n, 0) == n ? n : -1;
}

static void comes_in(struct __test_metadata *_metadata, struct link *l,
		     __u64 seq, ssize_t len)
{
	ASSERT_EQ(len, recv_now(l->a, buf, sizeof(buf)))
		TH_LOG("number %llx: %s", seq, strerror(errno));
	ASSERT_EQ(0, memcmp(buf, text + seq % 1000, len));
}

static void nothing_to_read(struct __test_metadata *_metadata, struct link *l)
{
	ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
}

static void new_keys(struct __test_metadata *_metadata, struct link *l,
		     __u64 epoch, __u64 rec_seq)
{
	__u16 cipher = l->ba.cipher;

	peer_key_init(&l->ba, cipher, epoch, l->ba.cid_len, 2);
	l->ba.rec_seq = rec_seq;
	ASSERT_OK(dtls_set_key(l->a, DTLS_RX, &l->ba));
}

/*
 * Headers
 */

/* What tx.c says it writes: 16 bits, and the length only if it is needed. */
TEST_F(v13, header_as_written)
{
	struct link *l = &self->l;
	unsigned int cid_len = l->ab.cid_len, i;
	__u8 first = 0x28 | (cid_len ? 0x10 : 0) | (l->ab.epoch & 3);
	ssize_t n, one;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(50, send(l->a, text, 50, 0));
		n = recv(l->b, wire, sizeof(wire), 0);
		ASSERT_EQ(3 + cid_len + 51 + cipher_tag_len(variant->cipher),
			  (size_t)n);
		ASSERT_EQ(first, wire[0]);
		ASSERT_EQ(0, memcmp(wire + 1, l->ab.cid, cid_len));
		ASSERT_EQ(n, peer_open(&l->ab, wire, n, &rec));
		EXPECT_EQ((size_t)0, rec.pad);
	}

	ASSERT_EQ(50, send(l->a, text, 50, MSG_MORE));
	ASSERT_EQ(60, send(l->a, text, 60, MSG_MORE));
	ASSERT_EQ(70, send(l->a, text, 70, 0));
	n = recv(l->b, wire, sizeof(wire), 0);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(i < 2 ? first | 4 : first, wire[0]);
		one = peer_open(&l->ab, wire, n, &rec);
		ASSERT_LT(0, one);
		ASSERT_EQ(50 + 10 * i, rec.len);
		ASSERT_EQ(2 + i, rec.seq);
		n -= one;
		memmove(wire, wire + one, n);
	}
	EXPECT_EQ(0, n);
}

TEST_F(v13, every_header_form_comes_in)
{
	struct link *l = &self->l;
	struct peer_record how = usual;
	unsigned int form;

	for (form = 0; form < 8; form++) {
		how.seq8 = form & 1;
		how.length = form & 2;
		how.pad = form & 4;
		ASSERT_LT(0, send_as(l, &l->ba, &how, form, 40));
		comes_in(_metadata, l, form, 40);
	}
}

/* Mixed in one datagram; the last one needs no length. */
TEST_F(v13, every_header_form_in_a_datagram)
{
	struct link *l = &self->l;
	ssize_t len = 0;
	int i;

	for (i = 0; i < 8; i++) {
		rec = usual;
		rec.epoch = l->ba.epoch;
		rec.seq = i;
		rec.seq8 = i & 1;
		rec.no_cid = i & 2;
		rec.length = i < 7;
		rec.data = text + i;
		rec.len = 30 + i;
		len += peer_seal_record(&l->ba, &rec, wire + len);
	}
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	for (i = 0; i < 8; i++)
		comes_in(_metadata, l, i, 30 + i);
	nothing_to_read(_metadata, l);
}

/* RFC 9147 4.2.3: less than 16 bytes of ciphertext; that record alone goes. */
TEST_F(v13, too_short_to_unmask)
{
	struct link *l = &self->l;
	unsigned int cid_len = l->ba.cid_len, at = 1 + cid_len, i;
	struct dtls_counters counters;
	ssize_t len;

	for (i = 0; i < 16; i++) {
		memset(wire, 0x55, 64);
		wire[0] = 0x2c | (cid_len ? 0x10 : 0) | (l->ba.epoch & 3);
		memcpy(wire + 1, l->ba.cid, cid_len);
		wire[at + 2] = 0;
		wire[at + 3] = i;
		len = at + 4 + i;
		len += peer_seal(&l->ba, CT_DATA, i, text + i, 20, wire + len);
		ASSERT_EQ(len, send(l->b, wire, len, 0));
		comes_in(_metadata, l, i, 20);

		/* Without a length, and so with nothing behind it */
		wire[0] &= ~4;
		ASSERT_EQ((ssize_t)at + 2 + i,
			  send(l->b, wire, at + 2 + i, 0));
		nothing_to_read(_metadata, l);
	}
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ((__u64)32, counters.rx_malformed);
	EXPECT_EQ((__u64)16, counters.rx_records);
}

/*
 * Sequence numbers
 */

/* Forth and back over @at, from half a window before it to half behind */
static void over(struct __test_metadata *_metadata, struct link *l,
		 const struct peer_record *how, __u64 at)
{
	static const int turns[] = { 3, -2, 5, -4, 7, -1, 9, -6, 2 };
	__u64 from = at > 30 ? at - 30 : 0, seq = from;
	unsigned int i, n = 0;
	bool sent[80] = {};

	while (seq < at + 30 && seq < from + sizeof(sent) &&
	       seq <= DTLS_SEQ_MAX) {
		if (!sent[seq - from]) {
			ASSERT_LT(0, send_as(l, &l->ba, how, seq, 20));
			comes_in(_metadata, l, seq, 20);
			sent[seq - from] = true;
		}
		seq += turns[n++ % ARRAY_SIZE(turns)];
	}
	/* And all those left out, the newest first */
	for (i = sizeof(sent); i--;) {
		if (sent[i] || from + i >= at + 30 || from + i > DTLS_SEQ_MAX)
			continue;
		ASSERT_LT(0, send_as(l, &l->ba, how, from + i, 20));
		comes_in(_metadata, l, from + i, 20);
	}
}

TEST_F(v13, numbers_over_every_wrap)
{
	static const __u64 wraps[] = {
		1 << 8, 1 << 9, 1 << 15, 1 << 16, 3 << 16, 1ULL << 32,
		1ULL << 47, DTLS_SEQ_MAX,
	};
	struct peer_record how = usual;
	struct link *l = &self->l;
	__u64 epoch = l->ba.epoch;
	unsigned int i, form;

	for (form = 0; form < 2; form++) {
		how.seq8 = form;
		for (i = 0; i < ARRAY_SIZE(wraps); i++) {
			new_keys(_metadata, l, ++epoch, wraps[i] - 40);
			over(_metadata, l, &how, wraps[i]);
		}
	}
}

/* Half of what the bits tell apart, and not more, may be lost in a row. */
TEST_F(v13, as_many_lost_as_the_bits_tell)
{
	struct link *l = &self->l;
	struct peer_record how = usual;
	struct dtls_info info;
	struct dtls_counters counters;
	__u64 next = 1000000, reach;
	int i;

	new_keys(_metadata, l, l->ba.epoch + 1, next);
	for (i = 0; i < 6; i++) {
		how.seq8 = i & 1;
		reach = how.seq8 ? 128 : 32768;
		ASSERT_LT(0, send_as(l, &l->ba, &how, next + reach + 1, 20));
		nothing_to_read(_metadata, l);
		ASSERT_LT(0, send_as(l, &l->ba, &how, next + reach - 1, 20));
		comes_in(_metadata, l, next + reach - 1, 20);
		next += reach;
	}
	ASSERT_OK(dtls_get_info(l->a, &info));
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ(next, info.rx_seq);
	EXPECT_EQ((__u64)6, counters.rx_auth_failed +
			    counters.rx_replays);
}

/* RFC 9147 4.2.3, by libcrypto: what is on the wire, and what is under it */
TEST_F(v13, numbers_are_hidden)
{
	struct link *l = &self->l;
	unsigned int at = 1 + l->ab.cid_len, i, shown = 0;
	__u8 mask[16];
	ssize_t n;

	for (i = 0; i < 300; i++) {
		if (i % 10 == 0) {
			ASSERT_EQ(1000, send_segments(l->a, text, 1000, 100, 0));
		}
		n = recv(l->b, wire, sizeof(wire), 0);
		ASSERT_LT((ssize_t)at + 2 + 16, n);
		peer_mask(&l->ab, wire + at + 2, mask);
		shown += wire[at] == i >> 8 && wire[at + 1] == (i & 0xff);
		ASSERT_EQ(i >> 8, wire[at] ^ mask[0]);
		ASSERT_EQ(i & 0xff, wire[at + 1] ^ mask[1]);
	}
	EXPECT_GT(3u, shown);
}

/*
 * Epochs
 */

/* The one before, the present one and the one to come, over many wraps */
TEST_F(v13, epochs_over_every_wrap)
{
	static const __u64 starts[] = {
		3, 65534, (1ULL << 32) - 2, (1ULL << 48) - 9,
	};
	struct link *l = &self->l;
	struct peer_key old, next;
	unsigned int i, j;
	__u64 seq = 100;

	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		if (i)
			new_keys(_metadata, l, starts[i], 0);
		for (j = 0; j < 8; j++) {
			old = l->ba;
			peer_key_init(&next, variant->cipher, old.epoch + 1,
				      old.cid_len, 2);
			ASSERT_LT(0, send_as(l, &next, &usual, 1, 31));
			nothing_to_read(_metadata, l);
			ASSERT_LT(0, send_as(l, &old, &usual, seq, 32));
			comes_in(_metadata, l, seq, 32);
			l->ba = next;
			ASSERT_OK(dtls_set_key(l->a, DTLS_RX, &next));
			comes_in(_metadata, l, 1, 31);
			ASSERT_LT(0, send_as(l, &old, &usual, seq + 1, 33));
			comes_in(_metadata, l, seq + 1, 33);
			ASSERT_LT(0, send_as(l, &next, &usual, 0, 34));
			comes_in(_metadata, l, 0, 34);
		}
	}
}

/* Epoch 2's keys the library has, before and after it gives the kernel others. */
TEST_F(v13, handshake_records_are_raw)
{
	struct dtls_record_info info;
	struct peer_key handshake;
	unsigned int when;
	ssize_t len;
	struct link l;

	ASSERT_OK(link_open(&l, variant->family, variant->cipher,
			    variant->cid_len));
	ASSERT_OK(dtls_attach(l.a));
	peer_key_init(&handshake, variant->cipher, 2, l.ba.cid_len, 3);
	memcpy(handshake.cid, l.ba.cid, l.ba.cid_len);
	for (when = 0; when < 3; when++) {
		len = send_as(&l, &handshake, &usual, when, 100);
		ASSERT_LT(0, len);
		nothing_to_read(_metadata, &l);
		ASSERT_EQ(len, recv_control(l.a, &info, buf, sizeof(buf)));
		EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
		EXPECT_EQ(0, info.type);
		EXPECT_EQ((__u64)2, info.epoch);
		EXPECT_EQ((__u64)0, info.seq);
		ASSERT_EQ(0, memcmp(buf, wire, len));
		ASSERT_EQ(len, peer_open(&handshake, buf, len, &rec));
		EXPECT_EQ((__u64)when, rec.seq);
		ASSERT_ERRNO(EAGAIN,
			     recv_control(l.a, &info, buf, sizeof(buf)));
		if (when) {
			ASSERT_EQ(10, link_send(&l, CT_DATA, text, 10));
			ASSERT_EQ(10, recv(l.a, buf, sizeof(buf), 0));
		}
		/* Of application data's first epoch, then of its second */
		if (when)
			new_keys(_metadata, &l, l.ba.epoch + 1, 0);
		else
			ASSERT_OK(dtls_set_key(l.a, DTLS_RX, &l.ba));
		l.b_seq = 0;
	}
	link_close(&l);
}

/* What was sent last comes to the library as it is, for one of epoch 2's. */
static void is_shown(struct __test_metadata *_metadata, struct link *l,
		     ssize_t len)
{
	struct dtls_record_info info;

	nothing_to_read(_metadata, l);
	ASSERT_EQ(len, recv_control(l->a, &info, buf, sizeof(buf)));
	EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
	EXPECT_EQ(0, info.type);
	EXPECT_EQ((__u64)2, info.epoch);
	EXPECT_EQ((__u64)0, info.seq);
	EXPECT_EQ(0, memcmp(buf, wire, len));
	ASSERT_ERRNO(EAGAIN, recv_control(l->a, &info, buf, sizeof(buf)));
}

static void is_not_shown(struct __test_metadata *_metadata, struct link *l)
{
	struct dtls_record_info info;

	nothing_to_read(_metadata, l);
	ASSERT_ERRNO(EAGAIN, recv_control(l->a, &info, buf, sizeof(buf)));
}

/*
 * RFC 9147 5.11: a peer that lost its state shakes hands anew. The bits of its
 * epoch 2 may mean any epoch here: one that has a key, to which it does not
 * verify, the next one, or one whose key there never was. It may know of no
 * connection ID.
 */
TEST_F(v13, handshake_of_a_restarted_peer_is_raw)
{
	struct peer_record how = { .type = CT_HANDSHAKE };
	struct peer_key again;
	unsigned int with;
	__u64 newest;
	struct link l;

	peer_key_init(&again, variant->cipher, 2, variant->cid_len, 4);
	for (newest = 3; newest < 13; newest++) {
		ASSERT_OK(link_raw(&l, variant->family, variant->cipher,
				   variant->cid_len));
		memcpy(again.cid, l.ba.cid, l.ba.cid_len);
		/* In the last round there are none in between. */
		while (newest < 12 && l.ba.epoch + 1 < newest)
			new_keys(_metadata, &l, l.ba.epoch + 1, 0);
		if (l.ba.epoch < newest)
			new_keys(_metadata, &l, newest, 0);
		for (with = 0; with < 2; with++) {
			how.no_cid = !with;
			is_shown(_metadata, &l,
				 send_as(&l, &again, &how, with, 100));
		}
		ASSERT_TRUE(link_raw_works(&l));
		link_close(&l);
	}
}

/* Some epochs have the same bits: on them a path that duplicates is no restart. */
TEST_F(v13, copies_are_not_taken_for_a_handshake)
{
	struct peer_record handshake = { .type = CT_HANDSHAKE };
	struct dtls_record_info info;
	struct link *l = &self->l;
	struct dtls_counters state;
	__u64 copies = 0;
	ssize_t len;

	for (; l->ba.epoch < 9; new_keys(_metadata, l, l->ba.epoch + 1, 0)) {
		len = send_as(l, &l->ba, &usual, 0, 40);
		comes_in(_metadata, l, 0, 40);
		ASSERT_EQ(len, send(l->b, wire, len, 0));
		is_not_shown(_metadata, l);

		len = send_as(l, &l->ba, &handshake, 1, 50);
		nothing_to_read(_metadata, l);
		ASSERT_EQ(50, recv_control(l->a, &info, buf, sizeof(buf)));
		EXPECT_EQ(0, info.flags);
		ASSERT_EQ(len, send(l->b, wire, len, 0));
		is_not_shown(_metadata, l);

		ASSERT_OK(dtls_get_counters(l->a, &state));
		copies += 2;
		EXPECT_EQ(copies, state.rx_replays);

		/* Of what does not verify there are but these bits. */
		len = peer_seal(&l->ba, CT_DATA, 2, text, 40, wire);
		wire[len - 1] ^= 1;
		ASSERT_EQ(len, send(l->b, wire, len, 0));
		if (l->ba.epoch % 4 == 2)
			is_shown(_metadata, l, len);
		else
			is_not_shown(_metadata, l);
	}
}

/* Nor does it matter where in a coalesced datagram such a record stands. */
TEST_F(v13, handshake_in_a_coalesced_datagram_is_raw)
{
	struct link *l = &self->l;
	ssize_t one = 0, got = 0, n;
	int on = 1, i, gso;

	ASSERT_OK(setsockopt(l->a, SOL_UDP, UDP_GRO, &on, sizeof(on)));
	while (l->ba.epoch < 6)
		new_keys(_metadata, l, l->ba.epoch + 1, 0);
	for (i = 0; i < 6; i++)
		one = peer_seal(&l->ba, CT_DATA, i, text, 20, wire + i * one);
	wire[4 * one - 1] ^= 1;
	ASSERT_EQ(6 * one, send_segments(l->b, wire, 6 * one, one, 0));
	for (; got < 5 * 20; got += n) {
		n = recv_segments(l->a, buf, sizeof(buf), &gso, 0);
		ASSERT_LT(0, n);
	}
	memmove(wire, wire + 3 * one, one);
	is_shown(_metadata, l, one);
}

/*
 * A flight's last datagram may end in data. With a connection ID of unknown
 * length it all comes raw, and what is not the library's goes back.
 */
TEST_F(v13, data_behind_handshake_before_any_key)
{
	struct dtls_record_info info;
	struct peer_key handshake;
	ssize_t first, len;
	struct link l;

	ASSERT_OK(link_open(&l, variant->family, variant->cipher,
			    variant->cid_len));
	ASSERT_OK(dtls_attach(l.a));
	peer_key_init(&handshake, variant->cipher, 2, l.ba.cid_len, 3);
	memcpy(handshake.cid, l.ba.cid, l.ba.cid_len);
	first = peer_seal_more(&handshake, CT_HANDSHAKE, 0, text, 100, wire);
	len = first + peer_seal(&l.ba, CT_DATA, 0, text, 70, wire + first);
	ASSERT_EQ(len, send(l.b, wire, len, 0));
	nothing_to_read(_metadata, &l);
	ASSERT_EQ(l.ba.cid_len ? len : first,
		  recv_control(l.a, &info, buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, wire, l.ba.cid_len ? len : first));
	ASSERT_OK(dtls_set_key(l.a, DTLS_RX, &l.ba));
	if (l.ba.cid_len) {
		ASSERT_OK(dtls_feed(l.a, buf + first, len - first));
	}
	comes_in(_metadata, &l, 0, 70);
	link_close(&l);
}

static void is_replayable(struct __test_metadata *_metadata,
			  const struct dtls_record_info *info, __u64 seq)
{
	EXPECT_EQ(DTLS_RECORD_REPLAYABLE, info->flags);
	EXPECT_EQ(CT_DATA, info->type);
	EXPECT_EQ((__u64)1, info->epoch);
	EXPECT_EQ(seq, info->seq);
}

/* RFC 9147 6.1: epoch 1, which has no connection ID yet */
TEST_F(v13, early_data_is_marked)
{
	struct dtls_record_info info;
	struct peer_key early;
	struct link l;

	ASSERT_OK(link_open(&l, variant->family, variant->cipher,
			    variant->cid_len));
	ASSERT_OK(dtls_attach(l.a));
	peer_key_init(&early, variant->cipher, 1, 0, 3);

	/* It comes with the ClientHello, before its key. */
	ASSERT_LT(0, send_as(&l, &early, &usual, 0, 40));
	nothing_to_read(_metadata, &l);
	ASSERT_OK(dtls_set_key(l.a, DTLS_RX, &early));
	ASSERT_EQ(40, recv_info(l.a, &info, buf, sizeof(buf), 0));
	is_replayable(_metadata, &info, 0);

	ASSERT_LT(0, send_as(&l, &early, &usual, 5, 41));
	ASSERT_EQ(POLLIN, poll_for(l.a, POLLIN, SOON_MS));
	ASSERT_EQ(41, recv_info(l.a, &info, buf, sizeof(buf), MSG_PEEK));
	is_replayable(_metadata, &info, 5);
	ASSERT_EQ(41, recv_info(l.a, &info, buf, sizeof(buf), 0));
	is_replayable(_metadata, &info, 5);

	/* What the client sends after the handshake waits, and is not marked. */
	ASSERT_EQ(42, link_send(&l, CT_DATA, text, 42));
	nothing_to_read(_metadata, &l);
	ASSERT_OK(dtls_set_key(l.a, DTLS_RX, &l.ba));
	ASSERT_EQ(42, recv_info(l.a, &info, buf, sizeof(buf), 0));
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ((__u64)0, info.epoch);
	/* That early data was late does not make it better. */
	ASSERT_LT(0, send_as(&l, &early, &usual, 6, 43));
	ASSERT_EQ(43, recv_info(l.a, &info, buf, sizeof(buf), 0));
	is_replayable(_metadata, &info, 6);
	link_close(&l);
}

/*
 * In the epoch of early data there is nothing else (RFC 9147 6.1). Somebody who knows the
 * session's secret has its key, and would end the association or change its keys.
 */
TEST_F(v13, nothing_but_data_is_early)
{
	static const __u8 types[] = { CT_ALERT, CT_HANDSHAKE, CT_ACK };
	struct dtls_record_info info;
	struct dtls_counters counters;
	struct peer_record how = usual;
	struct link *l = &self->l;
	struct peer_key early;
	size_t i;

	peer_key_init(&early, variant->cipher, 1, 0, 3);
	link_close(l);
	ASSERT_OK(link_open(l, variant->family, variant->cipher, variant->cid_len));
	ASSERT_OK(dtls_attach(l->a));
	ASSERT_OK(dtls_set_key(l->a, DTLS_RX, &early));
	ASSERT_OK(dtls_set_key(l->a, DTLS_RX, &l->ba));
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		how.type = types[i];
		/* The first bytes of text are those of an alert that closes. */
		text[i] = 1;
		text[i + 1] = 0;
		ASSERT_LT(0, send_as(l, &early, &how, i, 2));
		nothing_to_read(_metadata, l);
		ASSERT_ERRNO(EAGAIN, recv_control(l->a, &info, buf, sizeof(buf)));
	}
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ((__u64)ARRAY_SIZE(types), counters.rx_malformed);
	ASSERT_EQ(42, link_send(l, CT_DATA, text, 42));
	ASSERT_EQ(42, recv_now(l->a, buf, sizeof(buf)));
}

/*
 * Two bits do not tell the fourth epoch back from the next: what comes that
 * late waits for a key that it does not fit, and is counted when it is tried.
 */
TEST_F(v13, epochs_long_past_are_counted)
{
	struct link *l = &self->l;
	struct peer_key old = l->ba;
	struct dtls_info info;
	struct dtls_counters counters;
	int i;

	for (i = 1; i < 4; i++)
		new_keys(_metadata, l, old.epoch + i, 0);
	ASSERT_LT(0, send_as(l, &old, &usual, 0, 40));
	nothing_to_read(_metadata, l);
	ASSERT_OK(dtls_get_info(l->a, &info));
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_LT(0u, info.early_queued);
	EXPECT_EQ((__u64)0, counters.rx_auth_failed);

	new_keys(_metadata, l, old.epoch + 4, 0);
	nothing_to_read(_metadata, l);
	ASSERT_OK(dtls_get_info(l->a, &info));
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ(0u, info.early_queued);
	EXPECT_EQ((__u64)1, counters.rx_auth_failed);
	ASSERT_TRUE(link_raw_works(l));
}

TEST_F(v13, early_data_without_a_key_goes)
{
	struct link *l = &self->l;
	struct peer_key early;
	struct dtls_info info;
	struct dtls_counters counters;

	peer_key_init(&early, variant->cipher, 1, 0, 3);
	ASSERT_LT(0, send_as(l, &early, &usual, 0, 40));
	nothing_to_read(_metadata, l);
	ASSERT_OK(dtls_get_info(l->a, &info));
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ((__u64)1, counters.rx_no_key);
	EXPECT_EQ(0u, info.early_queued);
}

/*
 * Content
 */

TEST_F(v13, padding)
{
	static const int pads[] = { 0, 1, 15, 16, 17, 1000, 16384 };
	struct link *l = &self->l;
	struct peer_record how = usual;
	unsigned int i;

	memset(text + 20, 0, 30);	/* content may end in zeroes */
	for (i = 0; i < ARRAY_SIZE(pads); i++) {
		how.pad = pads[i];
		ASSERT_LT(0, send_as(l, &l->ba, &how, i, i ? 40 : 1));
		comes_in(_metadata, l, i, i ? 40 : 1);
	}
	/* Nothing but padding has no type; content without any is nothing. */
	how.type = 0;
	ASSERT_LT(0, send_as(l, &l->ba, &how, i, 0));
	how.type = CT_DATA;
	ASSERT_LT(0, send_as(l, &l->ba, &how, i + 1, 0));
	nothing_to_read(_metadata, l);
}

TEST_F(v13, inner_types_there_are_not)
{
	struct link *l = &self->l;
	struct dtls_record_info info;
	struct peer_record how = usual;
	struct dtls_counters state;
	int type, odd = 0;

	for (type = 0; type < 256; type++) {
		if ((type >= CT_ALERT && type <= CT_HEARTBEAT) ||
		    type == CT_ACK)
			continue;
		how.type = type;
		ASSERT_LT(0, send_as(l, &l->ba, &how, type, 0));
		odd++;
		nothing_to_read(_metadata, l);
	}
	ASSERT_ERRNO(EAGAIN, recv_control(l->a, &info, buf, sizeof(buf)));
	ASSERT_OK(dtls_get_counters(l->a, &state));
	EXPECT_EQ((__u64)odd, state.rx_malformed);
}

/* CCM_8's tag is too short to hide a number alone: padding makes up for it. */
TEST_F(v13, least_ciphertext)
{
	struct link *l = &self->l;
	size_t len, tag = cipher_tag_len(variant->cipher);
	ssize_t n;

	for (len = 0; len < 12; len++) {
		ASSERT_EQ((ssize_t)len, send(l->a, text, len, 0));
		n = recv(l->b, wire, sizeof(wire), 0);
		ASSERT_LE(3 + l->ab.cid_len + 16, n);
		ASSERT_EQ(n, peer_open(&l->ab, wire, n, &rec));
		ASSERT_EQ(len, rec.len);
		ASSERT_EQ(len + 1 + tag < 16 ? 16 - len - 1 - tag : 0, rec.pad);
	}
}

/*
 * Connection IDs (RFC 9147 4, 9)
 */

/* Seal a record of 20 bytes at @out, with a length and a connection ID or not. */
static ssize_t seal_at(void *out, const struct peer_key *k, __u64 seq, bool cid)
{
	rec = usual;
	rec.epoch = k->epoch;
	rec.seq = seq;
	rec.length = true;
	rec.no_cid = !cid;
	rec.data = text + seq % 1000;
	rec.len = 20;
	return peer_seal_record(k, &rec, out);
}

/* Since the last look, @n more had no key here, and nothing else was refused. */
static void no_key(struct __test_metadata *_metadata, struct link *l, __u64 n)
{
	static struct dtls_counters last;
	struct dtls_counters counters;

	nothing_to_read(_metadata, l);
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	ASSERT_EQ(last.rx_no_key + n, counters.rx_no_key);
	ASSERT_EQ((__u64)0, counters.rx_auth_failed);
	ASSERT_EQ((__u64)0, counters.rx_malformed);
	last = counters;
}

/* Where none was agreed on, there is none. */
static void not_agreed(struct __test_metadata *_metadata, struct link *l)
{
	struct peer_key other = l->ba;
	struct dtls_counters counters;
	ssize_t len;

	other.cid_len = 1;
	len = seal_at(wire, &other, 0, true);
	len += seal_at(wire + len, &l->ba, 1, false);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	nothing_to_read(_metadata, l);
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	ASSERT_EQ((__u64)1, counters.rx_malformed);
	ASSERT_TRUE(link_raw_works(l));
}

/* Each datagram has one; what follows it there needs none. */
TEST_F(v13, connection_id_in_each_datagram)
{
	struct link *l = &self->l;
	struct peer_key next;
	ssize_t len;
	int i;

	if (!variant->cid_len)
		return not_agreed(_metadata, l);
	for (i = 0; i < 2; i++) {
		len = seal_at(wire, &l->ba, 0, false);
		ASSERT_EQ(len, send(l->b, wire, len, 0));
		no_key(_metadata, l, 1);
	}

	/* A later datagram of a coalesced one stands for itself. */
	len = seal_at(wire, &l->ba, 1, true);
	len += seal_at(wire + len, &l->ba, 2, false);
	i = len;
	len += seal_at(wire + len, &l->ba, 3, false);
	ASSERT_EQ(len, send_segments(l->b, wire, len, i, 0));
	comes_in(_metadata, l, 1, 20);
	comes_in(_metadata, l, 2, 20);
	no_key(_metadata, l, 1);

	/* Also where both wait for their key */
	peer_key_init(&next, variant->cipher, l->ba.epoch + 1, l->ba.cid_len, 2);
	len = seal_at(wire, &next, 4, true);
	len += seal_at(wire + len, &next, 5, false);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	len = seal_at(wire, &next, 6, false);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	no_key(_metadata, l, 1);
	ASSERT_OK(dtls_set_key(l->a, DTLS_RX, &next));
	comes_in(_metadata, l, 4, 20);
	comes_in(_metadata, l, 5, 20);
	no_key(_metadata, l, 0);

	/* Or where the library has read the beginning */
	len = seal_at(wire, &next, 7, false);
	ASSERT_OK(dtls_feed(l->a, wire, len));
	comes_in(_metadata, l, 7, 20);

	/* And where the epoch's last bits are those of the handshake's */
	new_keys(_metadata, l, 6, 0);
	len = seal_at(wire, &l->ba, 0, false);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	no_key(_metadata, l, 1);
	len = seal_at(wire, &l->ba, 1, true);
	len += seal_at(wire + len, &l->ba, 2, false);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	comes_in(_metadata, l, 1, 20);
	comes_in(_metadata, l, 2, 20);
}

/* From a connection ID that is not ours on, a datagram is somebody else's. */
TEST_F(v13, connection_id_of_somebody_else)
{
	struct link *l = &self->l;
	struct peer_key other = l->ba;
	ssize_t len;

	if (!variant->cid_len)
		return not_agreed(_metadata, l);
	other.cid[0] ^= 1;
	len = seal_at(wire, &l->ba, 0, true);
	len += seal_at(wire + len, &other, 1, true);
	len += seal_at(wire + len, &l->ba, 2, false);
	len += seal_at(wire + len, &l->ba, 3, true);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	comes_in(_metadata, l, 0, 20);
	no_key(_metadata, l, 1);
	l->b_seq = 4;
	ASSERT_TRUE(link_raw_works(l));
}

static int set_cid(int fd, const struct peer_key *tx, const struct peer_key *rx)
{
	struct dtls_cid cid = {};

	if (tx) {
		cid.tx_len = tx->cid_len;
		memcpy(cid.tx, tx->cid, tx->cid_len);
	}
	if (rx) {
		cid.rx_len = rx->cid_len;
		memcpy(cid.rx, rx->cid, rx->cid_len);
	}
	return setsockopt(fd, SOL_DTLS, DTLS_CID, &cid, sizeof(cid));
}

TEST_F(v13, connection_ids_change)
{
	struct link *l = &self->l;
	struct dtls_cid cid = {};
	socklen_t len = sizeof(cid);
	struct peer_key first = l->ba, k = l->ba;
	int i;

	if (!variant->cid_len) {
		ASSERT_OK(set_cid(l->a, &l->ab, &l->ba));	/* nothing */
		k.cid_len = 1;
		ASSERT_ERRNO(EINVAL, set_cid(l->a, &k, NULL));
		ASSERT_ERRNO(EINVAL, set_cid(l->a, NULL, &k));
		ASSERT_TRUE(link_raw_works(l));
		return;
	}
	for (i = 0; i < 20; i++) {
		memset(k.cid, 0x80 + i, k.cid_len);
		ASSERT_LT(0, send_as(l, &k, &usual, 3 * i, 20));
		nothing_to_read(_metadata, l);
		ASSERT_OK(set_cid(l->a, NULL, &k));
		ASSERT_LT(0, send_as(l, &k, &usual, 3 * i + 1, 20));
		comes_in(_metadata, l, 3 * i + 1, 20);
		/* The key's own is good all the time. */
		ASSERT_LT(0, send_as(l, &first, &usual, 3 * i + 2, 20));
		comes_in(_metadata, l, 3 * i + 2, 20);

		memset(l->ab.cid, 0x40 + i, l->ab.cid_len);
		ASSERT_OK(set_cid(l->a, &l->ab, NULL));
		ASSERT_EQ(30, send(l->a, text, 30, 0));
		ASSERT_EQ(30, link_recv(l, &rec));
		ASSERT_OK(getsockopt(l->a, SOL_DTLS, DTLS_CID, &cid, &len));
		EXPECT_EQ(l->ab.cid_len, cid.tx_len);
		EXPECT_EQ(l->ba.cid_len, cid.rx_len);
		EXPECT_EQ(0, memcmp(cid.tx, l->ab.cid, cid.tx_len));
		EXPECT_EQ(0, memcmp(cid.rx, k.cid, cid.rx_len));
	}
	/* The newest of them are remembered, through a key change. */
	new_keys(_metadata, l, first.epoch + 1, 0);
	k.epoch = l->ba.epoch;
	memcpy(k.key, l->ba.key, sizeof(k.key));
	memcpy(k.iv, l->ba.iv, sizeof(k.iv));
	memcpy(k.sn_key, l->ba.sn_key, sizeof(k.sn_key));
	for (i = 0; i < 20; i++) {
		memset(k.cid, 0x80 + i, k.cid_len);
		ASSERT_LT(0, send_as(l, &k, &usual, i, 20));
		if (i < 20 - DTLS_CIDS_MAX)
			nothing_to_read(_metadata, l);
		else
			comes_in(_metadata, l, i, 20);
	}
}

TEST_F(v13, connection_ids_refused)
{
	struct peer_key longer = self->l.ab;
	struct link *l = &self->l, old;
	struct dtls_cid cid = {};

	longer.cid_len++;
	ASSERT_ERRNO(EINVAL, set_cid(l->a, &longer, NULL));
	ASSERT_ERRNO(EINVAL, set_cid(l->a, NULL, &longer));
	cid.reserved = 1;
	ASSERT_ERRNO(EINVAL, setsockopt(l->a, SOL_DTLS, DTLS_CID, &cid,
					sizeof(cid)));
	cid.reserved = 0;
	cid.rx[0] = 1;
	ASSERT_ERRNO(EINVAL, setsockopt(l->a, SOL_DTLS, DTLS_CID, &cid,
					sizeof(cid)));
	ASSERT_ERRNO(EINVAL, setsockopt(l->a, SOL_DTLS, DTLS_CID, &cid,
					sizeof(cid) - 1));
	ASSERT_TRUE(link_raw_works(l));

	ASSERT_OK(link_open(&old, variant->family,
			    variant->cipher & ~V13(0), variant->cid_len));
	ASSERT_OK(dtls_attach(old.a));
	ASSERT_ERRNO(ENOKEY, set_cid(old.a, &old.ab, NULL));
	ASSERT_OK(dtls_set_key(old.a, DTLS_TX, &old.ab));
	ASSERT_ERRNO(EOPNOTSUPP, set_cid(old.a, &old.ab, NULL));
	link_close(&old);
}

TEST_HARNESS_MAIN
