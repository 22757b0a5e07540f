// SPDX-License-Identifier: GPL-2.0
/* kernel/record.c: the formats byte by byte, and every way to be malformed. */
#include "../../kernel/record.h"
#include <stdlib.h>
#include "harness.h"

/* Bytes that end where the memory ends, for ASan to watch */
static u8 *exactly(const void *bytes, size_t len)
{
	u8 *p = malloc(len ? len : 1);

	memcpy(p, bytes, len);
	return len ? p : p + 1;
}

static void release(u8 *p, size_t len)
{
	free(len ? p : p - 1);
}

static int parse(struct dtls_record *rec, const void *bytes, size_t len,
		 size_t cid_len)
{
	size_t readable = len < DTLS_HEADER_SIZE_MAX ? len :
						       DTLS_HEADER_SIZE_MAX;
	u8 *p = exactly(bytes, readable);
	int ret;

	memset(rec, 0xa5, sizeof(*rec));
	ret = dtls_record_parse(rec, p, readable, len, cid_len);
	release(p, readable);
	return ret;
}

static const u8 plain_record[] = {
	23, 0xfe, 0xfd, 0x00, 0x01, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
	0x00, 0x03, 'a', 'b', 'c',
};

static const u8 cid_record[] = {
	25, 0xfe, 0xfd, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xc1, 0xc2, 0xc3, 0x00, 0x02, 'x', 'y',
};

TEST(parse_plain)
{
	struct dtls_record rec;

	ASSERT_EQ(0, parse(&rec, plain_record, sizeof(plain_record), 0));
	EXPECT_EQ(23, rec.type);
	EXPECT_EQ(DTLS_VERSION_1_2, rec.version);
	EXPECT_EQ(1, rec.epoch);
	EXPECT_EQ(0x010203040506, rec.seq);
	EXPECT_EQ(13, rec.header_len);
	EXPECT_EQ(3, rec.fragment_len);
	EXPECT_EQ(0, rec.cid_len);
	EXPECT_EQ(NULL, rec.cid);
}

TEST(parse_cid)
{
	struct dtls_record rec;

	ASSERT_EQ(0, dtls_record_parse(&rec, cid_record, sizeof(cid_record),
				       sizeof(cid_record), 3));
	EXPECT_EQ(25, rec.type);
	EXPECT_EQ(0xfffe, rec.epoch);
	EXPECT_EQ(DTLS_SEQ_MAX, rec.seq);
	EXPECT_EQ(16, rec.header_len);
	EXPECT_EQ(2, rec.fragment_len);
	EXPECT_EQ(3, rec.cid_len);
	EXPECT_EQ(cid_record + 11, rec.cid);
}

static bool follows(const struct dtls_record *rec, unsigned int i,
		    const u8 *buf, const u8 *mask)
{
	if (rec->unified)
		return dtls_record_follows_unified(rec, i, buf, mask);
	return dtls_record_follows(rec, i, buf);
}

/*
 * Of a record with header @rec: what follows is what has the same header and
 * the next number but one, and each bit of it counts.
 */
static void expect_follows(struct __test_metadata *_metadata,
			   struct dtls_record *rec)
{
	const u8 mask[] = { 0x5a, 0xc3 };
	u8 first[64] = {}, next[64] = {};
	struct dtls_record then = *rec;
	size_t len, i;

	then.seq += 2;
	dtls_record_write_header(first, rec);
	len = dtls_record_write_header(next, &then);
	if (rec->unified)
		dtls_record_mask(next, &then, mask);
	rec->header_len = len;

	EXPECT_TRUE(follows(rec, 2, next, mask));
	EXPECT_FALSE(follows(rec, 1, next, mask));
	EXPECT_FALSE(follows(rec, 3, next, mask));
	for (i = 0; i < 8 * len; i++) {
		next[i / 8] ^= 1 << i % 8;
		EXPECT_FALSE(follows(rec, 2, next, mask));
		next[i / 8] ^= 1 << i % 8;
	}
	/* The fragment is nobody's business here. */
	next[len] ^= 1;
	EXPECT_TRUE(follows(rec, 2, next, mask));
}

TEST(what_follows_a_record)
{
	const u8 cid[] = { 7, 8, 9 };
	struct dtls_record rec = {
		.version = DTLS_VERSION_1_2,
		.type = DTLS_CT_APPLICATION_DATA,
		.fragment_len = 40,
		.epoch = 0x102,
	};
	int i;

	/* The last one's number carries in each of the bytes it has. */
	for (i = 0; i < 4; i++) {
		rec.seq = (u64[]){ 0, 0xff, 0xfffe, 0x1234ffffffff }[i];
		rec.unified = 0;
		rec.cid_len = 0;
		rec.type = DTLS_CT_APPLICATION_DATA;
		expect_follows(_metadata, &rec);
		rec.type = DTLS_CT_TLS12_CID;
		rec.cid = cid;
		rec.cid_len = sizeof(cid);
		expect_follows(_metadata, &rec);

		rec.type = 0;
		for (rec.cid_len = 0; rec.cid_len <= 3; rec.cid_len += 3) {
			u8 first = DTLS_UNIFIED | (rec.epoch & 3) |
				   (rec.cid_len ? DTLS_UNIFIED_CID : 0);

			rec.unified = first;
			expect_follows(_metadata, &rec);
			rec.unified = first | DTLS_UNIFIED_LENGTH;
			expect_follows(_metadata, &rec);
			rec.unified = first | DTLS_UNIFIED_SEQ16;
			expect_follows(_metadata, &rec);
		}
	}
}

/* After the last number there is none, and above all not that of an epoch. */
TEST(nothing_follows_the_last_number)
{
	struct dtls_record rec = {
		.version = DTLS_VERSION_1_2,
		.type = DTLS_CT_APPLICATION_DATA,
		.header_len = DTLS12_HEADER_SIZE,
		.epoch = 1,
		.seq = DTLS_SEQ_MAX,
	};
	u8 buf[32] = { DTLS_CT_APPLICATION_DATA, 0xfe, 0xfd, 0, 2 };
	const u8 mask[2] = {};

	EXPECT_FALSE(dtls_record_follows(&rec, 1, buf));
	rec.seq--;
	EXPECT_FALSE(dtls_record_follows(&rec, 2, buf));
	memset(buf + 3, 0xff, 8);
	buf[3] = 0;
	buf[4] = 1;
	EXPECT_TRUE(dtls_record_follows(&rec, 1, buf));

	rec.unified = DTLS_UNIFIED | 1;
	rec.header_len = 2;
	buf[0] = rec.unified;
	buf[1] = 0xff;
	EXPECT_TRUE(dtls_record_follows_unified(&rec, 1, buf, mask));
	buf[1] = 0;
	EXPECT_FALSE(dtls_record_follows_unified(&rec, 2, buf, mask));
}

/* Who asked for a connection ID still takes records without one. */
TEST(parse_plain_where_a_cid_is_in_use)
{
	struct dtls_record rec;

	ASSERT_EQ(0, parse(&rec, plain_record, sizeof(plain_record), 3));
	EXPECT_EQ(13, rec.header_len);
	EXPECT_EQ(0, rec.cid_len);
}

TEST(parse_cid_unasked)
{
	struct dtls_record rec;

	EXPECT_EQ(DTLS_PARSE_TYPE,
		  parse(&rec, cid_record, sizeof(cid_record), 0));
	EXPECT_EQ(DTLS_PARSE_TYPE,
		  parse(&rec, cid_record, sizeof(cid_record), 256));
}

TEST(every_type)
{
	u8 buf[sizeof(plain_record)];
	struct dtls_record rec;
	int type;

	memcpy(buf, plain_record, sizeof(buf));
	for (type = 0; type < 256; type++) {
		bool old = (type >= 20 && type <= 24) || type == 26;
		bool unified = type >= 0x20 && type < 0x40;

		/* With a connection ID or a length it reads on otherwise. */
		if (unified && type & 0x14)
			continue;
		buf[0] = type;
		EXPECT_EQ(old || unified ? 0 : DTLS_PARSE_TYPE,
			  parse(&rec, buf, sizeof(buf), 0));
		if (old || unified)
			EXPECT_EQ(unified, !!rec.unified);
	}
}

TEST(every_version)
{
	u8 buf[sizeof(plain_record)];
	struct dtls_record rec;
	int version;

	memcpy(buf, plain_record, sizeof(buf));
	for (version = 0; version <= 0xffff; version++) {
		bool good = version == 0xfefd || version == 0xfeff;

		dtls_put_be(buf + 1, 2, version);
		ASSERT_EQ(good ? 0 : DTLS_PARSE_VERSION,
			  parse(&rec, buf, sizeof(buf), 0));
	}
}

/* A datagram that ends anywhere inside the record */
TEST(every_truncation)
{
	struct dtls_record rec;
	size_t len;

	for (len = 0; len < sizeof(plain_record); len++)
		EXPECT_EQ(DTLS_PARSE_SHORT, parse(&rec, plain_record, len, 0));
	for (len = 0; len < sizeof(cid_record); len++)
		EXPECT_EQ(DTLS_PARSE_SHORT, parse(&rec, cid_record, len, 3));
}

/* More in the datagram than was made readable */
TEST(header_alone_is_read)
{
	struct dtls_record rec;
	u8 *p = exactly(plain_record, 13);

	EXPECT_EQ(0, dtls_record_parse(&rec, p, 13, 2000, 0));
	EXPECT_EQ(3, rec.fragment_len);
	EXPECT_EQ(DTLS_PARSE_SHORT, dtls_record_parse(&rec, p, 12, 2000, 0));
	release(p, 13);
	p = exactly(cid_record, 16);
	EXPECT_EQ(0, dtls_record_parse(&rec, p, 16, 2000, 3));
	EXPECT_EQ(DTLS_PARSE_SHORT, dtls_record_parse(&rec, p, 15, 2000, 3));
	release(p, 16);
}

TEST(every_fragment_length)
{
	u8 buf[13] = { 23, 0xfe, 0xfd };
	struct dtls_record rec;
	size_t n;

	for (n = 0; n <= 0xffff; n++) {
		dtls_put_be(buf + 11, 2, n);
		ASSERT_EQ(n <= DTLS_FRAGMENT_SIZE_MAX ? 0 : DTLS_PARSE_LENGTH,
			  dtls_record_parse(&rec, buf, 13, 13 + n, 0));
		if (n <= DTLS_FRAGMENT_SIZE_MAX)
			ASSERT_EQ(n, rec.fragment_len);
		if (n)
			ASSERT_EQ(DTLS_PARSE_SHORT,
				  dtls_record_parse(&rec, buf, 13, 12 + n, 0));
	}
}

TEST(every_cid_length)
{
	u8 buf[DTLS_HEADER_SIZE_MAX + 1], cid[DTLS_CID_SIZE_MAX];
	struct dtls_record rec, back;
	size_t n, len;

	for (n = 0; n < sizeof(cid); n++)
		cid[n] = n ^ 0x5a;
	for (n = 1; n <= sizeof(cid); n++) {
		rec = (struct dtls_record){
			.type = DTLS_CT_TLS12_CID, .version = DTLS_VERSION_1_2,
			.epoch = n, .seq = n << 20, .fragment_len = 1,
			.cid = cid, .cid_len = n,
		};
		len = dtls_record_write_header(buf, &rec);
		ASSERT_EQ(13 + n, len);
		buf[len] = 'z';
		ASSERT_EQ(0, dtls_record_parse(&back, buf, len + 1, len + 1, n));
		ASSERT_EQ(len, back.header_len);
		ASSERT_EQ(n, back.cid_len);
		ASSERT_EQ(0, memcmp(back.cid, cid, n));
		ASSERT_EQ(rec.epoch, back.epoch);
		ASSERT_EQ(rec.seq, back.seq);
		ASSERT_EQ(1, back.fragment_len);
	}
}

TEST(write_is_the_inverse_of_parse)
{
	struct dtls_record rec;
	u8 out[16];

	ASSERT_EQ(0, parse(&rec, plain_record, sizeof(plain_record), 0));
	ASSERT_EQ(13, dtls_record_write_header(out, &rec));
	EXPECT_EQ(0, memcmp(out, plain_record, 13));
	ASSERT_EQ(0, dtls_record_parse(&rec, cid_record, sizeof(cid_record),
				       sizeof(cid_record), 3));
	ASSERT_EQ(16, dtls_record_write_header(out, &rec));
	EXPECT_EQ(0, memcmp(out, cid_record, 16));
}

TEST(several_records_in_a_datagram)
{
	u8 buf[2 * sizeof(plain_record) + sizeof(cid_record)];
	const size_t sizes[] = { sizeof(plain_record), sizeof(cid_record),
				 sizeof(plain_record) };
	struct dtls_record rec;
	size_t at = 0;
	int i;

	memcpy(buf, plain_record, sizeof(plain_record));
	memcpy(buf + sizes[0], cid_record, sizeof(cid_record));
	memcpy(buf + sizes[0] + sizes[1], plain_record, sizeof(plain_record));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, dtls_record_parse(&rec, buf + at, sizeof(buf) - at,
					       sizeof(buf) - at, 3));
		ASSERT_EQ(sizes[i], rec.header_len + rec.fragment_len);
		at += sizes[i];
	}
	EXPECT_EQ(sizeof(buf), at);
}

/* RFC 6347 4.1.2.1 with RFC 5246 6.2.3.3 */
TEST(aad_plain)
{
	static const u8 want[] = {
		0x00, 0x01, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
		23, 0xfe, 0xfd, 0x12, 0x34,
	};
	u8 aad[DTLS_AAD_SIZE_MAX];
	struct dtls_record rec;

	parse(&rec, plain_record, sizeof(plain_record), 0);
	ASSERT_EQ(sizeof(want), dtls_record_aad(aad, &rec, 0x1234));
	EXPECT_EQ(0, memcmp(aad, want, sizeof(want)));
}

/* RFC 9146 5.3 */
TEST(aad_cid)
{
	static const u8 want[] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		25, 3, 25, 0xfe, 0xfd,
		0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xc1, 0xc2, 0xc3, 0x00, 0x21,
	};
	u8 aad[DTLS_AAD_SIZE_MAX];
	struct dtls_record rec;

	dtls_record_parse(&rec, cid_record, sizeof(cid_record),
			  sizeof(cid_record), 3);
	ASSERT_EQ(sizeof(want), dtls_record_aad(aad, &rec, 0x21));
	EXPECT_EQ(0, memcmp(aad, want, sizeof(want)));
}

TEST(aad_of_the_longest_cid_fits)
{
	u8 cid[DTLS_CID_SIZE_MAX] = { 0 };
	struct dtls_record rec = { .cid = cid, .cid_len = DTLS_CID_SIZE_MAX };
	u8 *aad = malloc(DTLS_AAD_SIZE_MAX);

	EXPECT_EQ(DTLS_AAD_SIZE_MAX, dtls_record_aad(aad, &rec, 1));
	free(aad);
}

TEST(inner_plaintext)
{
	static const u8 padded[] = { 'h', 'i', 0, 23, 0, 0, 0 };
	static const u8 zeroes[100];
	u8 type = 0xee, all[300];
	size_t len;

	EXPECT_EQ(3, dtls_record_inner(padded, sizeof(padded), &type));
	EXPECT_EQ(23, type);
	EXPECT_EQ(3, dtls_record_inner(padded, 4, &type));
	/* The type byte cut off: 'i' stands in its place. */
	EXPECT_EQ(1, dtls_record_inner(padded, 3, &type));
	EXPECT_EQ('i', type);

	type = 0xee;
	for (len = 0; len <= sizeof(zeroes); len++)
		EXPECT_EQ(-1, dtls_record_inner(zeroes, len, &type));
	EXPECT_EQ(0xee, type);

	memset(all, 0, sizeof(all));
	for (len = 0; len < sizeof(all); len++) {
		all[len] = 21;
		EXPECT_EQ(len, dtls_record_inner(all, sizeof(all), &type));
		EXPECT_EQ(21, type);
		all[len] = 0;
	}
}

/* ---- the unified header (RFC 9147 4) ---- */

static const u8 cid4[] = { 0xc1, 0xc2, 0xc3, 0xc4 };

/* The header of @first and what follows it, written by hand */
static size_t by_hand(u8 *p, u8 first, u16 seq, u16 len)
{
	size_t n = 0;

	p[n++] = first;
	if (first & 0x10) {
		memcpy(p + n, cid4, sizeof(cid4));
		n += sizeof(cid4);
	}
	if (first & 0x08)
		p[n++] = seq >> 8;
	p[n++] = seq & 0xff;
	if (first & 0x04) {
		p[n++] = len >> 8;
		p[n++] = len & 0xff;
	}
	return n;
}

/* All 32 of them, with more in the datagram behind the record */
TEST(unified_every_form)
{
	static const u8 mask[2] = { 0x5a, 0xa5 };
	struct dtls_record rec;
	u8 buf[80], out[40], aad[40];
	size_t n, len;
	int first;

	for (first = 0x20; first < 0x40; first++) {
		bool cid = first & 0x10, wide = first & 8, has_len = first & 4;
		u16 clear = wide ? 0x1234 : 0x34;
		u16 sent = wide ? 0x4891 : 0x6e;	/* ^ mask */

		memset(buf, 0xee, sizeof(buf));
		n = by_hand(buf, first, sent, 20);
		len = sizeof(buf);
		ASSERT_EQ(0, parse(&rec, buf, len, sizeof(cid4)));
		EXPECT_EQ(0, rec.type);
		EXPECT_EQ(first, rec.unified);
		EXPECT_EQ(DTLS_VERSION_1_3, rec.version);
		EXPECT_EQ(DTLS_EPOCH_UNKNOWN, rec.epoch);
		EXPECT_EQ(sent, rec.seq);
		EXPECT_EQ(n, rec.header_len);
		EXPECT_EQ(has_len ? 20 : len - n, rec.fragment_len);
		ASSERT_EQ(cid ? sizeof(cid4) : 0, rec.cid_len);

		ASSERT_EQ(0, dtls_record_parse(&rec, buf, n, len,
					       sizeof(cid4)));
		if (cid)
			EXPECT_EQ(buf + 1, rec.cid);
		EXPECT_EQ(4 + (first & 3), dtls_record_epoch(&rec, 6));
		dtls_record_resolve(&rec, mask, 4 + (first & 3), 0x1230);
		EXPECT_EQ(4 + (first & 3), rec.epoch);
		EXPECT_EQ(0x1234, rec.seq);

		/* AAD: the header as it was before the number was masked */
		ASSERT_EQ(n, dtls_record_aad(aad, &rec, 1));
		by_hand(out, first, clear, rec.fragment_len);
		EXPECT_EQ(0, memcmp(aad, out, n));

		memset(out, 0, sizeof(out));
		ASSERT_EQ(n, dtls_record_write_header(out, &rec));
		EXPECT_EQ(0, memcmp(aad, out, n));
		dtls_record_mask(out, &rec, mask);
		EXPECT_EQ(0, memcmp(buf, out, n));
	}
}

TEST(unified_cid_unasked)
{
	u8 buf[40] = { 0x38 };
	struct dtls_record rec;

	EXPECT_EQ(DTLS_PARSE_TYPE, parse(&rec, buf, sizeof(buf), 0));
	EXPECT_EQ(DTLS_PARSE_TYPE, parse(&rec, buf, sizeof(buf), 256));
	/* Who asked for one still reads a header without. */
	buf[0] = 0x28;
	ASSERT_EQ(0, parse(&rec, buf, sizeof(buf), 4));
	EXPECT_EQ(0, rec.cid_len);
	EXPECT_EQ(NULL, rec.cid);
}

TEST(unified_every_cid_length)
{
	u8 buf[DTLS_HEADER_SIZE_MAX], cid[DTLS_CID_SIZE_MAX];
	struct dtls_record rec, back;
	size_t n, len;

	for (n = 0; n < sizeof(cid); n++)
		cid[n] = n ^ 0x5a;
	for (n = 1; n <= sizeof(cid); n++) {
		rec = (struct dtls_record){
			.unified = DTLS_UNIFIED | DTLS_UNIFIED_SEQ16 |
				   DTLS_UNIFIED_LENGTH,
			.epoch = 3, .seq = n, .fragment_len = 1,
			.cid = cid, .cid_len = n,
		};
		len = dtls_record_write_header(buf, &rec);
		ASSERT_EQ(5 + n, len);
		ASSERT_EQ(0x3f, buf[0]);
		ASSERT_EQ(0, dtls_record_parse(&back, buf, len, len + 1, n));
		ASSERT_EQ(len, back.header_len);
		ASSERT_EQ(n, back.cid_len);
		ASSERT_EQ(0, memcmp(back.cid, cid, n));
		ASSERT_EQ(n, back.seq);
		ASSERT_EQ(DTLS_PARSE_SHORT,
			  dtls_record_parse(&back, buf, len - 1, len + 1, n));
	}
}

/* A datagram that ends anywhere inside the record */
TEST(unified_every_truncation)
{
	struct dtls_record rec;
	u8 buf[32];
	size_t n, len;
	int first;

	for (first = 0x20; first < 0x40; first++) {
		n = by_hand(buf, first, 0, 9);
		for (len = 0; len < n + 9; len++)
			EXPECT_EQ(len < n || first & 4 ? DTLS_PARSE_SHORT : 0,
				  parse(&rec, buf, len, sizeof(cid4)));
		EXPECT_EQ(0, parse(&rec, buf, n + 9, sizeof(cid4)));
		EXPECT_EQ(9, rec.fragment_len);
	}
}

/* RFC 8446 5.2: 2^14 + 256 */
TEST(unified_every_fragment_length)
{
	static u8 buf[5] = { 0x2c };
	struct dtls_record rec;
	size_t n;

	for (n = 0; n <= 0xffff; n++) {
		int want = n <= 16640 ? 0 : DTLS_PARSE_LENGTH;

		buf[0] = 0x2c;
		dtls_put_be(buf + 3, 2, n);
		ASSERT_EQ(want, dtls_record_parse(&rec, buf, 5, 5 + n, 0));
		if (!want)
			ASSERT_EQ(n, rec.fragment_len);
		if (n)
			ASSERT_EQ(DTLS_PARSE_SHORT,
				  dtls_record_parse(&rec, buf, 5, 4 + n, 0));
		buf[0] = 0x28;
		ASSERT_EQ(want, dtls_record_parse(&rec, buf, 5, 3 + n, 0));
	}
}

TEST(unified_after_old_in_a_datagram)
{
	u8 buf[sizeof(plain_record) + 25 + 30];
	struct dtls_record rec;
	size_t at = 0;

	memset(buf, 0, sizeof(buf));
	memcpy(buf, plain_record, sizeof(plain_record));
	by_hand(buf + sizeof(plain_record), 0x2e, 1, 20);
	by_hand(buf + sizeof(plain_record) + 25, 0x2b, 2, 0);
	ASSERT_EQ(0, parse(&rec, buf, sizeof(buf), 0));
	EXPECT_EQ(0, rec.unified);
	at += rec.header_len + rec.fragment_len;
	ASSERT_EQ(0, parse(&rec, buf + at, sizeof(buf) - at, 0));
	EXPECT_EQ(0x2e, rec.unified);
	EXPECT_EQ(25, rec.header_len + rec.fragment_len);
	at += 25;
	ASSERT_EQ(0, parse(&rec, buf + at, sizeof(buf) - at, 0));
	EXPECT_EQ(0x2b, rec.unified);
	EXPECT_EQ(30, rec.header_len + rec.fragment_len);
}

/* Each pair of bits, from no key to far on: every epoch near the newest */
TEST(unified_epochs)
{
	struct dtls_record rec = { .unified = 0x20 };
	u64 newest, epoch, got;
	int i;

	for (newest = 0; newest < 100000; newest += newest < 300 ? 1 : 997) {
		u64 oldest = newest < 3 ? 0 : newest - 2;

		for (epoch = oldest; epoch < oldest + 4; epoch++) {
			rec.unified = 0x20 | (epoch & 3);
			ASSERT_EQ(epoch, dtls_record_epoch(&rec, newest));
		}
	}
	for (i = 0; i < 4; i++) {
		rec.unified = 0x20 | i;
		got = dtls_record_epoch(&rec, DTLS_SEQ_MAX);
		EXPECT_EQ(i, got & 3);
		EXPECT_LE(DTLS_SEQ_MAX - 2, got);
		EXPECT_GE(DTLS_SEQ_MAX + 1, got);
	}
}

static u64 resolve(u8 first, u64 seq, u64 next)
{
	static const u8 mask[2] = { 0x0f, 0xf1 };
	struct dtls_record rec = {
		.unified = first,
		.seq = first & 8 ? (seq ^ 0x0ff1) & 0xffff :
				   (seq ^ 0x0f) & 0xff,
	};

	dtls_record_resolve(&rec, mask, 7, next);
	return rec.seq;
}

/* Every distance that the bits can tell, around every place where they wrap */
TEST(unified_numbers)
{
	static const u64 around[] = {
		0, 1, 1 << 7, 1 << 8, 1 << 9, 1 << 15, 1 << 16, 1 << 17,
		1ULL << 24, 1ULL << 32, 1ULL << 40, (1ULL << 48) - 70000,
		1ULL << 48,
	};
	unsigned int i;
	int off;

	for (i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
		for (off = -300; off <= 300; off++) {
			u64 next = around[i] + off;
			long d;

			if ((off < 0 && around[i] < (u64)-off) ||
			    next > DTLS_SEQ_MAX + 1)
				continue;
			for (d = -127; d <= 127; d++)
				if (next + d <= DTLS_SEQ_MAX)
					ASSERT_EQ(next + d,
						  resolve(0x20, next + d, next));
			for (d = -32767; d <= 32767; d += 31)
				if (next + d <= DTLS_SEQ_MAX)
					ASSERT_EQ(next + d,
						  resolve(0x28, next + d, next));
		}
	}
	/* Half way there it could be either, but never below 0 or too large. */
	EXPECT_EQ(128, resolve(0x20, 128, 0));
	EXPECT_EQ(255, resolve(0x20, 255, 0));
	EXPECT_EQ(0xffff, resolve(0x28, 0xffff, 3));
	EXPECT_GE(DTLS_SEQ_MAX, resolve(0x28, 5, DTLS_SEQ_MAX + 1));
	EXPECT_GE(DTLS_SEQ_MAX, resolve(0x20, 5, DTLS_SEQ_MAX + 1));
}

/* RFC 8446 5.3 with RFC 9147 4 against RFC 7905 2: with and without epoch */
TEST(nonces)
{
	static const u8 iv[12] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
	static const u8 old[12] = { 1, 2, 3, 4, 5 ^ 0x80, 6 ^ 0x07, 7 ^ 0xa1,
		8 ^ 0xa2, 9 ^ 0xa3, 10 ^ 0xa4, 11 ^ 0xa5, 12 ^ 0xa6 };
	static const u8 new[12] = { 1, 2, 3, 4, 5, 6, 7 ^ 0xa1, 8 ^ 0xa2,
		9 ^ 0xa3, 10 ^ 0xa4, 11 ^ 0xa5, 12 ^ 0xa6 };
	struct dtls_record rec = { .epoch = 0x8007, .seq = 0xa1a2a3a4a5a6 };
	u8 nonce[12];

	dtls_record_nonce(nonce, iv, &rec);
	EXPECT_EQ(0, memcmp(nonce, old, 12));
	rec.unified = DTLS_UNIFIED;
	dtls_record_nonce(nonce, iv, &rec);
	EXPECT_EQ(0, memcmp(nonce, new, 12));
}

TEST(padding)
{
	size_t len, tag;

	for (tag = 8; tag <= 16; tag += 8) {
		for (len = 0; len < 20; len++) {
			size_t pad = dtls_record_padding(len, tag);

			EXPECT_LE(16, len + 1 + pad + tag);
			if (pad)
				EXPECT_EQ(16, len + 1 + pad + tag);
		}
	}
}

TEST(big_endian)
{
	u8 buf[9];
	unsigned int n;

	for (n = 1; n <= 8; n++) {
		u64 v = 0x8192a3b4c5d6e7f8 >> (64 - 8 * n);

		memset(buf, 0xcc, sizeof(buf));
		dtls_put_be(buf, n, v);
		EXPECT_EQ(0x81, buf[0]);
		EXPECT_EQ(0xcc, buf[n]);
		EXPECT_EQ(v, dtls_get_be(buf, n));
	}
}

TEST_HARNESS_MAIN
