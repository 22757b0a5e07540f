/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * The DTLS record formats: pure functions on bytes.
 *
 * record.c and replay.c call nothing of the kernel's and nothing of libc's but
 * memcpy and memset: the same files serve the module, the library, the unit
 * tests and the fuzzers. None of these functions sleeps, locks or allocates.
 */
#ifndef _DTLS_RECORD_H
#define _DTLS_RECORD_H

#ifdef __KERNEL__
#include <linux/string.h>
#include <linux/types.h>
#include <uapi/linux/dtls.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <linux/dtls.h>
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
#endif

/* Content types: RFC 6347 4.1, RFC 6520, RFC 9146, RFC 9147 4 */
enum dtls_content_type {
	DTLS_CT_CHANGE_CIPHER_SPEC = 20,
	DTLS_CT_ALERT = 21,
	DTLS_CT_HANDSHAKE = 22,
	DTLS_CT_APPLICATION_DATA = 23,
	DTLS_CT_HEARTBEAT = 24,
	DTLS_CT_TLS12_CID = 25,
	DTLS_CT_ACK = 26,
};

#define DTLS12_HEADER_SIZE	13	/* without a connection ID */
#define DTLS_HEADER_SIZE_MAX	(DTLS12_HEADER_SIZE + DTLS_CID_SIZE_MAX)
#define DTLS_AAD_SIZE_MAX	(23 + DTLS_CID_SIZE_MAX)	/* RFC 9146 5.3 */
#define DTLS_NONCE_SIZE		12
/* RFC 6347 4.1.2.1 (RFC 5246 6.2.3): content may grow by this much at most. */
#define DTLS_EXPANSION_MAX	1024
#define DTLS_FRAGMENT_SIZE_MAX	(DTLS_RECORD_SIZE_MAX + DTLS_EXPANSION_MAX)

/**
 * struct dtls_record - a record's header, read or to be written
 * @type:	content type on the wire (DTLS_CT_TLS12_CID with @cid_len > 0)
 * @cid_len:	bytes of connection ID in the header
 * @version:	on the wire
 * @header_len:	bytes before the fragment
 * @fragment_len: bytes after the header: explicit nonce, ciphertext, tag
 * @epoch:	epoch
 * @seq:	sequence number, 48 bits
 * @cid:	points into what was parsed, or to what shall be written
 */
struct dtls_record {
	u8 type;
	u8 cid_len;
	u16 version;
	u16 header_len;
	u16 fragment_len;
	u64 epoch;
	u64 seq;
	const u8 *cid;
};

/* Why a record could not be parsed */
enum dtls_parse_error {
	DTLS_PARSE_SHORT = 1,	/* the datagram ends inside the record */
	DTLS_PARSE_TYPE,	/* content type unknown */
	DTLS_PARSE_VERSION,	/* not a DTLS version */
	DTLS_PARSE_LENGTH,	/* the fragment is longer than a record may be */
};

/**
 * dtls_record_parse() - read the header of the record that starts at @buf
 * @rec:	filled in on success
 * @buf:	bytes of the datagram from the record's first on; the header
 *		and connection ID are all that is looked at
 * @buf_len:	bytes readable at @buf: at least min(@len, DTLS_HEADER_SIZE_MAX)
 * @len:	bytes from @buf to the end of the datagram
 * @cid_len:	length of the connection ID this end asked for: it is not on
 *		the wire (RFC 9146 4)
 *
 * Every byte of input is hostile; nothing is authenticated yet.
 *
 * Return: 0 or one of enum dtls_parse_error.
 */
int dtls_record_parse(struct dtls_record *rec, const u8 *buf, size_t buf_len,
		      size_t len, size_t cid_len);

/**
 * dtls_record_write_header() - write the header of a record
 * @buf:	room for DTLS12_HEADER_SIZE + @rec->cid_len bytes
 * @rec:	all but @header_len filled in
 *
 * Return: bytes written.
 */
size_t dtls_record_write_header(u8 *buf, const struct dtls_record *rec);

/**
 * dtls_record_aad() - additional authenticated data of a record
 * @aad:	room for DTLS_AAD_SIZE_MAX bytes
 * @rec:	the header as parsed or as written
 * @plain_len:	content bytes; with a connection ID those of the
 *		DTLSInnerPlaintext (content, type, padding)
 *
 * RFC 6347 4.1.2.1 with RFC 5246 6.2.3.3; RFC 9146 5.3.
 *
 * Return: bytes written.
 */
size_t dtls_record_aad(u8 *aad, const struct dtls_record *rec,
		       size_t plain_len);

/**
 * dtls_record_inner() - find type and length of a DTLSInnerPlaintext
 * @buf:	decrypted and verified bytes
 * @len:	their number
 * @type:	set to the real content type
 *
 * Strips the zero padding (RFC 9146 4, RFC 9147 4 with RFC 8446 5.4).
 *
 * Return: bytes of content, or -1 if there is no type byte.
 */
long dtls_record_inner(const u8 *buf, size_t len, u8 *type);

static inline u64 dtls_get_be(const u8 *p, unsigned int n)
{
	u64 v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

static inline void dtls_put_be(u8 *p, unsigned int n, u64 v)
{
	while (n--) {
		p[n] = (u8)v;
		v >>= 8;
	}
}

#endif /* _DTLS_RECORD_H */
