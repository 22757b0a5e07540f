// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * The DTLS record formats; see record.h.
 *
 * DTLS 1.2 (RFC 6347 4.1) and its form with a connection ID (RFC 9146 4). The
 * unified header of DTLS 1.3 (RFC 9147 4) belongs here too.
 */
#include "record.h"

static bool type_known(u8 type)
{
	return type >= DTLS_CT_CHANGE_CIPHER_SPEC && type <= DTLS_CT_TLS12_CID;
}

int dtls_record_parse(struct dtls_record *rec, const u8 *buf, size_t buf_len,
		      size_t len, size_t cid_len)
{
	size_t header_len = DTLS12_HEADER_SIZE;

	if (len < DTLS12_HEADER_SIZE || buf_len < DTLS12_HEADER_SIZE)
		return DTLS_PARSE_SHORT;

	rec->type = buf[0];
	if (!type_known(rec->type))
		return DTLS_PARSE_TYPE;

	/* 1.0 only ever stands in a ClientHello's or HelloVerifyRequest's record. */
	rec->version = (u16)dtls_get_be(buf + 1, 2);
	if (rec->version != DTLS_VERSION_1_2 && rec->version != 0xfeff)
		return DTLS_PARSE_VERSION;

	rec->epoch = dtls_get_be(buf + 3, 2);
	rec->seq = dtls_get_be(buf + 5, 6);
	rec->cid = NULL;
	rec->cid_len = 0;
	if (rec->type == DTLS_CT_TLS12_CID) {
		/* Nobody who asked for no connection ID is sent one. */
		if (!cid_len || cid_len > DTLS_CID_SIZE_MAX)
			return DTLS_PARSE_TYPE;
		header_len += cid_len;
		if (len < header_len || buf_len < header_len)
			return DTLS_PARSE_SHORT;
		rec->cid = buf + 11;
		rec->cid_len = (u8)cid_len;
	}

	rec->header_len = (u16)header_len;
	rec->fragment_len = (u16)dtls_get_be(buf + header_len - 2, 2);
	if (rec->fragment_len > len - header_len)
		return DTLS_PARSE_SHORT;
	if (rec->fragment_len > DTLS_FRAGMENT_SIZE_MAX)
		return DTLS_PARSE_LENGTH;
	return 0;
}

size_t dtls_record_write_header(u8 *buf, const struct dtls_record *rec)
{
	buf[0] = rec->type;
	dtls_put_be(buf + 1, 2, rec->version);
	dtls_put_be(buf + 3, 2, rec->epoch);
	dtls_put_be(buf + 5, 6, rec->seq);
	if (rec->cid_len)
		memcpy(buf + 11, rec->cid, rec->cid_len);
	dtls_put_be(buf + 11 + rec->cid_len, 2, rec->fragment_len);
	return DTLS12_HEADER_SIZE + rec->cid_len;
}

size_t dtls_record_aad(u8 *aad, const struct dtls_record *rec,
		       size_t plain_len)
{
	u8 *p = aad;

	if (!rec->cid_len) {
		/* epoch, sequence number, type, version, length */
		dtls_put_be(p, 2, rec->epoch);
		dtls_put_be(p + 2, 6, rec->seq);
		p[8] = rec->type;
		dtls_put_be(p + 9, 2, rec->version);
		dtls_put_be(p + 11, 2, plain_len);
		return 13;
	}

	/* seq_num_placeholder, tls12_cid, cid_length, then the header */
	memset(p, 0xff, 8);
	p[8] = DTLS_CT_TLS12_CID;
	p[9] = rec->cid_len;
	p[10] = DTLS_CT_TLS12_CID;
	dtls_put_be(p + 11, 2, rec->version);
	dtls_put_be(p + 13, 2, rec->epoch);
	dtls_put_be(p + 15, 6, rec->seq);
	memcpy(p + 21, rec->cid, rec->cid_len);
	dtls_put_be(p + 21 + rec->cid_len, 2, plain_len);
	return 23 + rec->cid_len;
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
