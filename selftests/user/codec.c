// SPDX-License-Identifier: GPL-2.0
/* kernel/record.c: the formats byte by byte, and every way to be malformed. */
#include "../../kernel/record.h"
#include <stdlib.h>
#include "kselftest_harness.h"

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
		buf[0] = type;
		EXPECT_EQ(type >= 20 && type <= 24 ? 0 : DTLS_PARSE_TYPE,
			  parse(&rec, buf, sizeof(buf), 0));
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
