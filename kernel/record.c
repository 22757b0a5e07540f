// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * This file reads and writes the record formats: that of DTLS 1.2 (RFC 6347 4.1), its
 * form with a connection ID (RFC 9146 4), and the unified header of DTLS 1.3 (RFC 9147
 * 4).
 */
#include "record.h"

static bool type_known(u8 type)
{
	return type >= DTLS_CT_CHANGE_CIPHER_SPEC && type <= DTLS_CT_ACK;
}

static unsigned int seq_len(const struct dtls_record *rec)
{
	return rec->unified & DTLS_UNIFIED_SEQ16 ? 2 : 1;
}

static int parse_unified(struct dtls_record *rec, const u8 *buf, size_t buf_len,
			 size_t len, size_t cid_len)
{
	bool has_len = buf[0] & DTLS_UNIFIED_LENGTH;
	size_t header_len, fragment_len;

	rec->type = 0;
	rec->unified = buf[0];
	rec->version = DTLS_VERSION_1_3;
	rec->epoch = DTLS_EPOCH_UNKNOWN;
	rec->cid = NULL;
	rec->cid_len = 0;
	if (buf[0] & DTLS_UNIFIED_CID) {
		/*
		 * A connection ID that was not agreed on is refused (RFC 9147
		 * 9).
		 */
		if (!cid_len || cid_len > DTLS_CID_SIZE_MAX)
			return DTLS_PARSE_TYPE;
		rec->cid = buf + 1;
		rec->cid_len = (u8)cid_len;
	}

	header_len = 1 + rec->cid_len + seq_len(rec) + (has_len ? 2 : 0);
	if (len < header_len || buf_len < header_len)
		return DTLS_PARSE_SHORT;
	rec->seq = dtls_get_be(buf + 1 + rec->cid_len, seq_len(rec));

	/* A record without a length goes to the end of the datagram. */
	fragment_len = len - header_len;
	if (has_len) {
		size_t told = dtls_get_be(buf + header_len - 2, 2);

		if (told > fragment_len)
			return DTLS_PARSE_SHORT;
		fragment_len = told;
	}
	if (fragment_len > DTLS13_FRAGMENT_SIZE_MAX)
		return DTLS_PARSE_LENGTH;
	rec->header_len = (u16)header_len;
	rec->fragment_len = (u16)fragment_len;
	return 0;
}

int dtls_record_parse(struct dtls_record *rec, const u8 *buf, size_t buf_len,
		      size_t len, size_t cid_len)
{
	size_t header_len = DTLS12_HEADER_SIZE;

	if (len && buf_len && dtls_is_unified(buf[0]))
		return parse_unified(rec, buf, buf_len, len, cid_len);

	if (len < DTLS12_HEADER_SIZE || buf_len < DTLS12_HEADER_SIZE)
		return DTLS_PARSE_SHORT;

	rec->unified = 0;
	rec->type = buf[0];
	if (!type_known(rec->type))
		return DTLS_PARSE_TYPE;

	rec->version = dtls_get_be16(buf + 1);
	if (rec->version != DTLS_VERSION_1_2 && rec->version != DTLS_VERSION_1_0)
		return DTLS_PARSE_VERSION;

	rec->epoch = dtls_get_be16(buf + 3);
	rec->seq = dtls_get_be64(buf + 3) & DTLS_SEQ_MAX;
	rec->cid = NULL;
	rec->cid_len = 0;
	if (rec->type == DTLS_CT_TLS12_CID) {
		/*
		 * A connection ID that was not agreed on is refused (RFC 9146
		 * 3).
		 */
		if (!cid_len || cid_len > DTLS_CID_SIZE_MAX)
			return DTLS_PARSE_TYPE;
		header_len += cid_len;
		if (len < header_len || buf_len < header_len)
			return DTLS_PARSE_SHORT;
		rec->cid = buf + 11;
		rec->cid_len = (u8)cid_len;
	}

	rec->header_len = (u16)header_len;
	rec->fragment_len = dtls_get_be16(buf + header_len - 2);
	if (rec->fragment_len > len - header_len)
		return DTLS_PARSE_SHORT;
	if (rec->fragment_len > DTLS_FRAGMENT_SIZE_MAX)
		return DTLS_PARSE_LENGTH;
	return 0;
}

bool dtls_record_unsized(struct dtls_record *rec, const u8 *buf, size_t len)
{
	if (len < DTLS_SAMPLE_SIZE || len > 0xffff)
		return false;
	if (dtls_is_unified(buf[0]) && buf[0] & DTLS_UNIFIED_CID)
		*rec = (struct dtls_record) {
			.unified = buf[0],
			.epoch = DTLS_EPOCH_UNKNOWN,
		};
	else if (buf[0] == DTLS_CT_TLS12_CID)
		*rec = (struct dtls_record) {
			.type = DTLS_CT_TLS12_CID,
			.epoch = dtls_get_be16(buf + 3),
		};
	else
		return false;
	rec->fragment_len = (u16)len;
	return true;
}

bool dtls_record_follows_unified(const struct dtls_record *rec, unsigned int i,
				 const u8 *buf, const u8 *mask)
{
	unsigned int unused = 16 - 8 * seq_len(rec);
	const u8 *p = buf + 1 + rec->cid_len;
	u64 low = (dtls_get_be16(p) ^ dtls_get_be16(mask)) >> unused;
	u64 seq = rec->seq + i;

	if (seq > DTLS_SEQ_MAX || buf[0] != rec->unified ||
	    low != (seq & 0xffff >> unused))
		return false;
	if (rec->cid_len && memcmp(buf + 1, rec->cid, rec->cid_len))
		return false;
	return !(rec->unified & DTLS_UNIFIED_LENGTH) ||
	       dtls_get_be16(p + seq_len(rec)) == rec->fragment_len;
}

static size_t write_unified(u8 *buf, const struct dtls_record *rec)
{
	u8 *p = buf;

	*p++ = DTLS_UNIFIED | (rec->cid_len ? DTLS_UNIFIED_CID : 0) |
	       (rec->unified & (DTLS_UNIFIED_SEQ16 | DTLS_UNIFIED_LENGTH)) |
	       (rec->epoch & DTLS_UNIFIED_EPOCH);
	if (rec->cid_len)
		memcpy(p, rec->cid, rec->cid_len);
	p += rec->cid_len;
	if (rec->unified & DTLS_UNIFIED_SEQ16) {
		dtls_put_be16(p, (u16)rec->seq);
		p += 2;
	} else {
		*p++ = (u8)rec->seq;
	}
	if (rec->unified & DTLS_UNIFIED_LENGTH) {
		dtls_put_be16(p, rec->fragment_len);
		p += 2;
	}
	return (size_t)(p - buf);
}

size_t dtls_record_write_header(u8 *buf, const struct dtls_record *rec)
{
	if (rec->unified)
		return write_unified(buf, rec);

	buf[0] = rec->type;
	dtls_put_be16(buf + 1, rec->version);
	dtls_put_be64(buf + DTLS12_HEADER_NUMBER, dtls_record_number(rec));
	if (rec->cid_len)
		memcpy(buf + 11, rec->cid, rec->cid_len);
	dtls_put_be16(buf + 11 + rec->cid_len, rec->fragment_len);
	return DTLS12_HEADER_SIZE + rec->cid_len;
}

size_t dtls_record_aad(u8 *aad, const struct dtls_record *rec,
		       size_t plain_len)
{
	u8 *p = aad;

	if (rec->unified)
		return write_unified(aad, rec);

	if (!rec->cid_len) {
		/*
		 * The fields are epoch, sequence number, type, version and
		 * length (RFC 5246 6.2.3.3).
		 */
		dtls_put_be64(p + DTLS12_AAD_NUMBER, dtls_record_number(rec));
		p[8] = rec->type;
		dtls_put_be16(p + 9, rec->version);
		dtls_put_be16(p + 11, (u16)plain_len);
		return 13;
	}

	/*
	 * The fields are seq_num_placeholder, tls12_cid and cid_length, and
	 * then those of the header (RFC 9146 5.3).
	 */
	memset(p, 0xff, 8);
	p[8] = DTLS_CT_TLS12_CID;
	p[9] = rec->cid_len;
	p[10] = DTLS_CT_TLS12_CID;
	dtls_put_be16(p + 11, rec->version);
	dtls_put_be64(p + DTLS12_CID_AAD_NUMBER, dtls_record_number(rec));
	memcpy(p + 21, rec->cid, rec->cid_len);
	dtls_put_be16(p + 21 + rec->cid_len, (u16)plain_len);
	return 23 + rec->cid_len;
}

void dtls_record_nonce(u8 *nonce, const u8 *iv, const struct dtls_record *rec)
{
	u64 n = rec->unified ? rec->seq : dtls_record_number(rec);

	memcpy(nonce, iv, DTLS_NONCE_SIZE);
	dtls_put_be64(nonce + 4, dtls_get_be64(nonce + 4) ^ n);
}

void dtls_record_resolve(struct dtls_record *rec, const u8 *mask, u64 epoch,
			 u64 next)
{
	unsigned int bits = 8 * seq_len(rec);
	u64 span = 1ULL << bits;
	u64 low = rec->seq ^ (u64)(dtls_get_be16(mask) >> (16 - bits));
	u64 seq = (next & ~(span - 1)) | low;

	if (seq + span / 2 <= next)
		seq += span;
	else if (seq > next + span / 2 && seq >= span)
		seq -= span;
	if (seq > DTLS_SEQ_MAX)
		seq -= span;
	rec->epoch = epoch;
	rec->seq = seq;
}

long dtls_record_inner(const u8 *buf, size_t len, u8 *type)
{
	while (len) {
		if (buf[--len]) {
			*type = buf[len];
			return (long)len;
		}
	}
	return -1;
}
