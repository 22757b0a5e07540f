// SPDX-License-Identifier: GPL-2.0
/*
 * What the owner of a key allows it: bytes of a record, records sealed,
 * forgeries borne.
 */
#include "harness.h"

#include <fcntl.h>
#include <unistd.h>

#include "common.h"

static __u8 text[DGRAM_MAX], buf[DGRAM_MAX], wire[DGRAM_MAX];
static struct peer_record rec;

FIXTURE(limits)
{
	struct link l;
};

FIXTURE_VARIANT(limits)
{
	__u16 cipher;
	int family;
	unsigned int cid_len;
	__u64 seals;		/* by default (RFC 9147 4.5.3) */
	__u64 forgeries;
};

#define LIMITS(name, c, f, n, s, o)					\
	FIXTURE_VARIANT_ADD(limits, name) {				\
		.cipher = c, .family = f, .cid_len = n, .seals = s,	\
		.forgeries = o,						\
	}

/* RFC 9147 4.5.3; 2^24.5 and 2^23.5 are rounded down. */
#define GCM_SEALS	23726566
#define CCM_SEALS	(1 << 23)
#define CCM_FORGERIES	11863283
#define CCM_8_FORGERIES	(1 << 7)
#define FORGERIES	(1ULL << 36)

#define GCM_128		DTLS_CIPHER_AES_GCM_128
#define GCM_256		DTLS_CIPHER_AES_GCM_256
#define CCM_256		DTLS_CIPHER_AES_CCM_256
#define CCM_8_128	DTLS_CIPHER_AES_CCM_8_128
#define CHACHA		DTLS_CIPHER_CHACHA20_POLY1305

LIMITS(v4_gcm_128, GCM_128, AF_INET, 0, GCM_SEALS, FORGERIES);
LIMITS(v6_ccm_256_cid, CCM_256, AF_INET6, 4, CCM_SEALS, CCM_FORGERIES);
LIMITS(v4_ccm_8_128, CCM_8_128, AF_INET, 0, CCM_SEALS, CCM_8_FORGERIES);
LIMITS(v13_gcm_256, V13(GCM_256), AF_INET, 0, GCM_SEALS, FORGERIES);
LIMITS(v13_chacha_cid, V13(CHACHA), AF_INET6, 8, DTLS_SEQ_MAX, FORGERIES);
LIMITS(v13_ccm_8_128, V13(CCM_8_128), AF_INET, 0, CCM_SEALS, CCM_8_FORGERIES);

FIXTURE_SETUP(limits)
{
	fill(text, sizeof(text), 1);
	ASSERT_OK(link_open(&self->l, variant->family, variant->cipher,
			    variant->cid_len));
	ASSERT_OK(dtls_attach(self->l.a));
}

FIXTURE_TEARDOWN(limits)
{
	link_close(&self->l);
}

/* The next key of a direction, with limits */
static int set_limits(struct link *l, int dir, __u16 max_plaintext, __u64 limit)
{
	struct peer_key *k = dir == DTLS_TX ? &l->ab : &l->ba;
	struct dtls_key_info ki;
	struct dtls_info info;

	if (dtls_get_info(l->a, &info))
		return -1;
	if (dir == DTLS_TX ? info.tx_epoch : info.rx_epoch)
		k->epoch++;
	key_info(k, &ki);
	ki.max_plaintext = max_plaintext;
	ki.limit = limit;
	l->b_seq = 0;
	return setsockopt(l->a, SOL_DTLS, dir, &ki, sizeof(ki));
}

static __u64 tx_seq(struct __test_metadata *_metadata, struct link *l)
{
	struct dtls_info info;

	ASSERT_OK(dtls_get_info(l->a, &info));
	return info.tx_seq;
}

/* ---- bytes ---- */

TEST_F(limits, record_size_over_the_largest_is_refused)
{
	struct link *l = &self->l;

	ASSERT_ERRNO(EINVAL, set_limits(l, DTLS_TX, 16385, 0));
	ASSERT_ERRNO(EINVAL, set_limits(l, DTLS_RX, 65535, 0));
	ASSERT_OK(set_limits(l, DTLS_TX, 16384, 0));
	ASSERT_OK(set_limits(l, DTLS_RX, 1, 0));
}

/* RFC 8449 4: records of whatever type are kept below the peer's limit. */
TEST_F(limits, nothing_larger_than_the_peer_takes_is_sent)
{
	struct link *l = &self->l;
	int sizes[] = { 1, 64, 1000, 16384 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		int max = sizes[i];

		ASSERT_OK(set_limits(l, DTLS_TX, max, 0));
		ASSERT_EQ(max, send(l->a, text, max, 0));
		ASSERT_EQ(max, link_recv(l, &rec));
		ASSERT_ERRNO(EMSGSIZE, send(l->a, text, max + 1, 0));
		ASSERT_ERRNO(EMSGSIZE, send_segments(l->a, text, 2 * max + 2,
						     max + 1, 0));
		ASSERT_EQ(max, send_control(l->a, CT_HANDSHAKE, 0, text, max));
		ASSERT_EQ(max, link_recv(l, &rec));
		ASSERT_ERRNO(EMSGSIZE, send_control(l->a, CT_HANDSHAKE, 0, text,
						    max + 1));
		/* And what was refused took no number. */
		EXPECT_EQ((__u64)2, tx_seq(_metadata, l));
		EXPECT_GE((__u32)max, dtls_mtu(l->a));
	}
}

TEST_F(limits, records_are_cut_to_what_the_peer_takes)
{
	struct link *l = &self->l;
	int i, p[2];

	ASSERT_OK(set_limits(l, DTLS_TX, 700, 0));
	EXPECT_EQ(700u, dtls_mtu(l->a));
	ASSERT_EQ(1750, send_segments(l->a, text, 1750, 700, 0));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(i < 2 ? 700 : 350, link_recv(l, &rec));
	ASSERT_OK(pipe(p));
	ASSERT_EQ(1750, write(p[1], text, 1750));
	ASSERT_EQ(1750, splice(p[0], NULL, l->a, NULL, 1750, 0));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(i < 2 ? 700 : 350, link_recv(l, &rec));
	close(p[0]);
	close(p[1]);
}

TEST_F(limits, larger_records_than_were_allowed_are_dropped)
{
	struct dtls_counters counters;
	struct dtls_record_info info;
	struct link *l = &self->l;

	ASSERT_OK(set_limits(l, DTLS_RX, 100, 0));
	ASSERT_EQ(101, link_send(l, CT_DATA, text, 101));
	ASSERT_EQ(101, link_send(l, CT_HANDSHAKE, text, 101));
	ASSERT_EQ(100, link_send(l, CT_HANDSHAKE, text, 100));
	ASSERT_EQ(100, link_send(l, CT_DATA, text, 100));
	ASSERT_EQ(100, recv_now(l->a, buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, text, 100));
	ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
	ASSERT_EQ(100, recv_control(l->a, &info, buf, sizeof(buf)));
	ASSERT_ERRNO(EAGAIN, recv_control(l->a, &info, buf, sizeof(buf)));
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ((__u64)2, counters.rx_oversize);

	/* Each key has its own limit. */
	ASSERT_OK(set_limits(l, DTLS_RX, 0, 0));
	ASSERT_EQ(16384, link_send(l, CT_DATA, text, 16384));
	ASSERT_EQ(16384, recv_now(l->a, buf, sizeof(buf)));
}

/* ---- records ---- */

TEST_F(limits, defaults_are_the_cipher_s)
{
	struct link *l = &self->l;
	struct dtls_info info;

	ASSERT_OK(set_limits(l, DTLS_TX, 0, 0));
	ASSERT_OK(set_limits(l, DTLS_RX, 0, 0));
	ASSERT_OK(dtls_get_info(l->a, &info));
	EXPECT_EQ(variant->seals, info.tx_limit);
	EXPECT_EQ(variant->forgeries, info.rx_limit);
	EXPECT_EQ((__u64)0, info.rx_forged);
}

TEST_F(limits, key_seals_as_many_records_as_its_owner_says)
{
	struct dtls_record_info info;
	struct link *l = &self->l;
	int i;

	ASSERT_OK(set_limits(l, DTLS_TX, 0, 16));
	for (i = 0; i < 16; i++)
		ASSERT_EQ(1, send(l->a, text, 1, 0));
	ASSERT_ERRNO(EKEYEXPIRED, send(l->a, text, 1, 0));
	ASSERT_EQ(0, recv_control(l->a, &info, buf, sizeof(buf)));
	EXPECT_EQ(DTLS_EVENT_TX_LIMIT, info.event);
	ASSERT_ERRNO(EAGAIN, recv_control(l->a, &info, buf, sizeof(buf)));

	/* What was sealed before the hand-over counts. */
	l->ab.rec_seq = 15;
	ASSERT_OK(set_limits(l, DTLS_TX, 0, 16));
	ASSERT_EQ(1, send(l->a, text, 1, 0));
	ASSERT_ERRNO(EKEYEXPIRED, send(l->a, text, 1, 0));
}

/* No owner may have a number used twice. */
TEST_F(limits, sequence_numbers_end_where_they_end)
{
	struct link *l = &self->l;
	struct dtls_info info;

	l->ab.rec_seq = DTLS_SEQ_MAX - 1;
	ASSERT_OK(set_limits(l, DTLS_TX, 0, ~0ULL));
	ASSERT_OK(dtls_get_info(l->a, &info));
	EXPECT_EQ(DTLS_SEQ_MAX, info.tx_limit);
	ASSERT_EQ(1, send(l->a, text, 1, 0));
	ASSERT_ERRNO(EKEYEXPIRED, send(l->a, text, 1, 0));
}

/* ---- forgeries ---- */

/* A record whose tag is wrong */
static size_t forgery(struct link *l, __u64 seq, __u8 *out)
{
	size_t len = peer_seal(&l->ba, CT_DATA, seq, text, 50, out);

	out[len - 1] ^= 1;
	return len;
}

static void forge(struct __test_metadata *_metadata, struct link *l,
		  unsigned int n)
{
	ssize_t len = forgery(l, 1000, wire);

	while (n--) {
		ASSERT_EQ(len, send(l->b, wire, len, 0));
		ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
	}
}

static void event(struct __test_metadata *_metadata, struct link *l,
		  __u16 event)
{
	struct dtls_record_info info;

	if (event) {
		ASSERT_EQ(0, recv_control(l->a, &info, buf, sizeof(buf)));
		EXPECT_EQ(DTLS_RECORD_EVENT, info.flags);
		EXPECT_EQ(event, info.event);
		EXPECT_EQ(l->ba.epoch, info.epoch);
	} else {
		ASSERT_ERRNO(EAGAIN, recv_control(l->a, &info, buf,
						  sizeof(buf)));
	}
}

static void comes_in(struct __test_metadata *_metadata, struct link *l)
{
	ASSERT_EQ(50, link_send(l, CT_DATA, text, 50));
	ASSERT_EQ(50, recv_now(l->a, buf, sizeof(buf)));
}

/* RFC 9147 4.5.3 */
TEST_F(limits, key_that_bore_its_forgeries_opens_nothing_more)
{
	struct dtls_counters counters;
	long long expired = dtls_stat("DtlsRxExpired");
	struct link *l = &self->l;
	struct dtls_info info;

	ASSERT_OK(set_limits(l, DTLS_RX, 0, 16));
	forge(_metadata, l, 13);
	event(_metadata, l, 0);
	forge(_metadata, l, 1);
	event(_metadata, l, DTLS_EVENT_RX_LIMIT);
	forge(_metadata, l, 1);
	event(_metadata, l, 0);
	comes_in(_metadata, l);
	forge(_metadata, l, 1);
	event(_metadata, l, DTLS_EVENT_RX_EXPIRED);
	ASSERT_OK(dtls_get_info(l->a, &info));
	EXPECT_EQ((__u64)16, info.rx_forged);
	EXPECT_EQ((__u64)16, info.rx_limit);

	ASSERT_EQ(50, link_send(l, CT_DATA, text, 50));
	ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
	forge(_metadata, l, 3);
	event(_metadata, l, 0);
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ((__u64)16, counters.rx_auth_failed);
	EXPECT_EQ((__u64)4, counters.rx_expired);
	EXPECT_EQ((__u64)1, counters.rx_records);
	EXPECT_EQ(expired + 4, dtls_stat("DtlsRxExpired"));

	/* The next key has borne none. */
	ASSERT_OK(set_limits(l, DTLS_RX, 0, 16));
	comes_in(_metadata, l);
}

TEST_F(limits, forgeries_end_a_key_at_the_default)
{
	struct link *l = &self->l;

	ASSERT_OK(set_limits(l, DTLS_RX, 0, 0));
	forge(_metadata, l, 128);
	if (variant->forgeries == 128) {
		event(_metadata, l, DTLS_EVENT_RX_LIMIT);
		event(_metadata, l, DTLS_EVENT_RX_EXPIRED);
		ASSERT_EQ(50, link_send(l, CT_DATA, text, 50));
		ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
	} else {
		comes_in(_metadata, l);
	}
	event(_metadata, l, 0);
}

TEST_F(limits, owner_may_lift_the_limit_of_forgeries)
{
	struct link *l = &self->l;

	ASSERT_OK(set_limits(l, DTLS_RX, 0, ~0ULL));
	forge(_metadata, l, 300);
	event(_metadata, l, 0);
	comes_in(_metadata, l);
}

TEST_F(limits, first_forgery_may_be_the_last)
{
	struct link *l = &self->l;

	ASSERT_OK(set_limits(l, DTLS_RX, 0, 1));
	comes_in(_metadata, l);
	forge(_metadata, l, 1);
	event(_metadata, l, DTLS_EVENT_RX_LIMIT);
	event(_metadata, l, DTLS_EVENT_RX_EXPIRED);
	ASSERT_EQ(50, link_send(l, CT_DATA, text, 50));
	ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
}

/*
 * Behind a record that is read, the records of one super-packet are opened together: here
 * eight forgeries, of which the key bears four, and four records that come too late.
 */
TEST_F(limits, forgeries_in_one_packet_are_counted_one_by_one)
{
	struct dtls_counters counters;
	struct link *l = &self->l;
	size_t len = 0, size = 0;
	int i, on = 1;

	ASSERT_OK(setsockopt(l->a, SOL_UDP, UDP_GRO, &on, sizeof(on)));
	ASSERT_OK(set_limits(l, DTLS_RX, 0, 4));
	for (i = 0; i < 13; i++) {
		size = i > 0 && i < 9 ? forgery(l, i, wire + len) :
					peer_seal(&l->ba, CT_DATA, i, text, 50,
						  wire + len);
		len += size;
	}
	ASSERT_EQ((ssize_t)len, send_segments(l->b, wire, len, size, 0));
	ASSERT_EQ(50, recv_now(l->a, buf, sizeof(buf)));
	ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ((__u64)4, counters.rx_auth_failed);
	EXPECT_EQ((__u64)8, counters.rx_expired);
	EXPECT_EQ((__u64)1, counters.rx_records);
}

/*
 * A peer that starts anew is still seen (RFC 6347 4.2.8), where a record's type
 * can be seen.
 */
TEST_F(limits, handshake_under_an_expired_key_is_shown_raw)
{
	struct dtls_record_info info;
	bool shows_type = !IS_V13(variant->cipher) && !variant->cid_len;
	struct link *l = &self->l;
	ssize_t len;

	ASSERT_OK(set_limits(l, DTLS_RX, 0, 1));
	forge(_metadata, l, 1);
	event(_metadata, l, DTLS_EVENT_RX_LIMIT);
	event(_metadata, l, DTLS_EVENT_RX_EXPIRED);
	len = peer_seal(&l->ba, CT_HANDSHAKE, 0, text, 50, wire);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
	if (shows_type) {
		ASSERT_EQ(len, recv_control(l->a, &info, buf, sizeof(buf)));
		EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
	}
	ASSERT_ERRNO(EAGAIN, recv_control(l->a, &info, buf, sizeof(buf)));
}

TEST_HARNESS_MAIN
