/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * These functions read and write the DTLS record formats in memory.
 *
 * record.c, replay.c and aead.c are pure: they call nothing of the kernel's and
 * nothing of libc's but memcpy, memset and memcmp. The module, the library, the unit
 * tests and the fuzzers compile the same files. None of these functions sleeps, locks
 * or allocates.
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

/*
 * enum dtls_content_type has the content types of records (RFC 6347 4.1, RFC 6520,
 * RFC 9146, RFC 9147 4).
 */
enum dtls_content_type {
	DTLS_CT_CHANGE_CIPHER_SPEC = 20,
	DTLS_CT_ALERT = 21,
	DTLS_CT_HANDSHAKE = 22,
	DTLS_CT_APPLICATION_DATA = 23,
	DTLS_CT_HEARTBEAT = 24,
	DTLS_CT_TLS12_CID = 25,
	DTLS_CT_ACK = 26,
};

/*
 * The records of a ClientHello and of a HelloVerifyRequest may have this version in
 * their headers, whatever version the handshake ends with (RFC 6347 4.2.1, RFC 9147
 * 4). No other record has it.
 */
#define DTLS_VERSION_1_0	0xfeff

/* An alert is two bytes: level and description (RFC 5246 7.2, RFC 8446 6). */
#define DTLS_ALERT_SIZE		2
#define DTLS_ALERT_WARNING	1
#define DTLS_ALERT_FATAL	2
#define DTLS_ALERT_CLOSE_NOTIFY	0
#define DTLS_ALERT_USER_CANCELED 90

/* The header of RFC 6347 4.1, which has no connection ID; RFC 9146 4 adds one. */
#define DTLS12_HEADER_SIZE	13
#define DTLS_HEADER_SIZE_MAX	(DTLS12_HEADER_SIZE + DTLS_CID_SIZE_MAX)
/*
 * The additional data of a record without a connection ID have DTLS12_AAD_SIZE bytes
 * (RFC 5246 6.2.3.3), and those of a record with one DTLS_AAD_SIZE_MAX at most (RFC
 * 9146 5.3).
 */
#define DTLS12_AAD_SIZE		13
#define DTLS_AAD_SIZE_MAX	(23 + DTLS_CID_SIZE_MAX)
/*
 * Where epoch and sequence number lie: in the header, in the additional data, and in
 * those of a record with a connection ID
 */
#define DTLS12_HEADER_NUMBER	3
#define DTLS12_AAD_NUMBER	0
#define DTLS12_CID_AAD_NUMBER	13
#define DTLS_NONCE_SIZE		12
/*
 * The longest datagram has so many bytes of UDP payload: IPv4's 65535 without the
 * headers of IP and UDP.
 */
#define DTLS_DATAGRAM_MAX	65507
/*
 * Protection adds at most this number of bytes to the content (RFC 6347 4.1.2.1, RFC
 * 5246 6.2.3).
 */
#define DTLS_EXPANSION_MAX	1024
#define DTLS_FRAGMENT_SIZE_MAX	(DTLS_RECORD_SIZE_MAX + DTLS_EXPANSION_MAX)
/* In DTLS 1.3, protection adds at most 256 bytes (RFC 9147 4, RFC 8446 5.2). */
#define DTLS13_FRAGMENT_SIZE_MAX (DTLS_RECORD_SIZE_MAX + 256)
/*
 * The mask of a sequence number is made of the first DTLS_SAMPLE_SIZE bytes of
 * ciphertext. A record of DTLS 1.3 has as many at least (RFC 9147 4.2.3).
 */
#define DTLS_SAMPLE_SIZE	16

/*
 * These are the numbers of epochs. DTLS 1.3 has epochs for early data, for the
 * handshake and, from 3 on, for application data (RFC 9147 6.1); the number has 48
 * bits (RFC 9147 8). In DTLS 1.2 the first handshake's Finished and the data after
 * it have epoch 1.
 */
#define DTLS13_EPOCH_EARLY	1
#define DTLS13_EPOCH_HANDSHAKE	2
#define DTLS13_EPOCH_DATA	3
#define DTLS12_EPOCH_DATA	1
#define DTLS13_EPOCH_MAX	((1ULL << 48) - 1)

/* A unified header begins with the byte 0b001CSLEE (RFC 9147 4). */
#define DTLS_UNIFIED		0x20
#define DTLS_UNIFIED_FIXED	0xe0	/* the bits that tell a unified header */
#define DTLS_UNIFIED_CID	0x10	/* a connection ID follows */
#define DTLS_UNIFIED_SEQ16	0x08	/* the number has 16 bits, not 8 */
#define DTLS_UNIFIED_LENGTH	0x04	/* a length follows */
#define DTLS_UNIFIED_EPOCH	0x03	/* the epoch's last two bits */

/*
 * dtls_record_parse() sets this epoch for a record with a unified header, which has
 * only two bits of the real one. No record has this epoch.
 */
#define DTLS_EPOCH_UNKNOWN	(~0ULL)

/**
 * struct dtls_record - the header of a record that was read or is to be written
 * @type:	content type in the header (DTLS_CT_TLS12_CID with @cid_len > 0); 0 with
 *		a unified header, which has no type
 * @unified:	0 for the old header, which is that of RFC 6347. Of a unified header
 *		that was read, its first byte. For one that is to be written,
 *		DTLS_UNIFIED, with DTLS_UNIFIED_SEQ16 for a number of 16 bits and
 *		DTLS_UNIFIED_LENGTH for a length; the other bits follow from
 *		@cid_len and @epoch
 * @cid_len:	bytes of connection ID in the header
 * @version:	version in the header; DTLS_VERSION_1_3 with a unified header
 * @header_len:	bytes of the header
 * @fragment_len: bytes behind the header: explicit nonce, ciphertext, tag
 * @epoch:	epoch. dtls_record_parse() sets DTLS_EPOCH_UNKNOWN for a unified header
 * @seq:	sequence number of 48 bits. dtls_record_parse() sets the encrypted 8 or
 *		16 bits of a unified header
 * @cid:	connection ID, which lies in the bytes that were parsed, or is to be
 *		written
 */
struct dtls_record {
	u8 type;
	u8 unified;
	u8 cid_len;
	u16 version;
	u16 header_len;
	u16 fragment_len;
	u64 epoch;
	u64 seq;
	const u8 *cid;
};

static inline bool dtls_is_13(u16 version)
{
	return version == DTLS_VERSION_1_3;
}

static inline bool dtls_is_unified(u8 first)
{
	return (first & DTLS_UNIFIED_FIXED) == DTLS_UNIFIED;
}

/*
 * Return true if a datagram whose first byte is @first may be DTLS. Datagrams of
 * other protocols that may share a port with DTLS begin with other bytes (RFC 7983
 * 7).
 */
static inline bool dtls_is_dtls(u8 first)
{
	return first >= 20 && first <= 63;
}

/*
 * Return true if @rec may be a protected record of a handshake: that of the present
 * association, or that of a peer that lost its state and begins anew (RFC 6347 4.2.8,
 * RFC 9147 5.11). In DTLS 1.2 a record with a connection ID hides its content type, so
 * the epoch decides: a handshake sends its protected records in epoch 1.
 */
static inline bool dtls_may_be_handshake(const struct dtls_record *rec)
{
	if (rec->unified)
		return (rec->unified & DTLS_UNIFIED_EPOCH) ==
		       DTLS13_EPOCH_HANDSHAKE;
	if (rec->type == DTLS_CT_TLS12_CID)
		return rec->epoch == 1;
	return rec->type == DTLS_CT_HANDSHAKE;
}

/* enum dtls_parse_error tells why a record could not be parsed. */
enum dtls_parse_error {
	DTLS_PARSE_SHORT = 1,	/* the datagram ends inside the record */
	DTLS_PARSE_TYPE,	/* content type unknown */
	DTLS_PARSE_VERSION,	/* not a DTLS version */
	DTLS_PARSE_LENGTH,	/* the fragment is longer than a record may be */
};

/**
 * dtls_record_parse() - read the header of the record that starts at @buf
 *
 * Both the old header (RFC 6347 4.1, RFC 9146 4; DTLSPlaintext of RFC 9147 4)
 * and the unified one (RFC 9147 4).
 *
 * @rec:	filled in on success
 * @buf:	bytes of the datagram from the record's first byte on; the function
 *		reads nothing behind the header
 * @buf_len:	bytes readable at @buf: at least min(@len, DTLS_HEADER_SIZE_MAX)
 * @len:	bytes from @buf to the end of the datagram
 * @cid_len:	length of the connection IDs that this end asked for, which the header
 *		does not tell (RFC 9146 4)
 *
 * The fragment behind a unified header may be shorter than DTLS_SAMPLE_SIZE.
 * The caller has to treat such a record as one whose tag is wrong (RFC 9147
 * 4.2.3).
 *
 * Every byte of the input is hostile, and nothing in it is authenticated.
 *
 * Return: 0 or one of enum dtls_parse_error.
 */
int dtls_record_parse(struct dtls_record *rec, const u8 *buf, size_t buf_len,
		      size_t len, size_t cid_len);

/**
 * dtls_record_unsized() - read a header up to a connection ID of unknown length
 * @rec:	filled in on success: @type, @unified and @epoch as parsed. The
 *		end of the header cannot be found, so @header_len is 0 and the
 *		fragment is all of @buf
 * @buf:	at least min(@len, DTLS12_HEADER_SIZE) bytes are readable
 * @len:	bytes from @buf to the end of the datagram
 *
 * Return: false if the header has no connection ID, or @buf is no record.
 */
bool dtls_record_unsized(struct dtls_record *rec, const u8 *buf, size_t len);

/**
 * dtls_record_follows_unified() - compare a unified header with an earlier one
 * @rec:	unified header of the earlier record, with its epoch and number
 * @i:		difference of the two sequence numbers; above 0
 * @buf:	the last bytes of a datagram, as many as the earlier record has; the
 *		fragment has DTLS_SAMPLE_SIZE bytes at least
 * @mask:	two bytes, the mask of the record at @buf (RFC 9147 4.2.3)
 *
 * Return: true if the header at @buf equals @rec's except that its sequence
 * number, unmasked, is @rec->seq + @i.
 */
bool dtls_record_follows_unified(const struct dtls_record *rec, unsigned int i,
				 const u8 *buf, const u8 *mask);

/**
 * dtls_record_write_header() - write the header of a record
 * @buf:	room for DTLS12_HEADER_SIZE + @rec->cid_len bytes
 * @rec:	the header; @rec->header_len is not read
 *
 * A unified header is written with its sequence number in the clear. The caller
 * encrypts it with dtls_record_mask() after the fragment was sealed.
 *
 * Return: bytes written.
 */
size_t dtls_record_write_header(u8 *buf, const struct dtls_record *rec);

/**
 * dtls_record_aad() - write the additional authenticated data of a record
 * @aad:	room for DTLS_AAD_SIZE_MAX bytes
 * @rec:	the header as parsed or as written
 * @plain_len:	content bytes; with a connection ID those of the
 *		DTLSInnerPlaintext (content, type, padding)
 *
 * The forms are those of RFC 6347 4.1.2.1 with RFC 5246 6.2.3.3, with a
 * connection ID that of RFC 9146 5.3, and in DTLS 1.3 the header as it goes
 * out, but with the sequence number in the clear (RFC 9147 4).
 *
 * Return: bytes written.
 */
size_t dtls_record_aad(u8 *aad, const struct dtls_record *rec,
		       size_t plain_len);

/**
 * dtls_record_nonce() - make the nonce of a record without an explicit nonce
 * @nonce:	room for DTLS_NONCE_SIZE bytes
 * @iv:		DTLS_NONCE_SIZE bytes of write IV
 * @rec:	the record's header, with its epoch and sequence number
 *
 * The nonce is the IV with a number XORed into it: in DTLS 1.3 the sequence
 * number alone (RFC 9147 4 with RFC 8446 5.3), with ChaCha20-Poly1305 in DTLS
 * 1.2 epoch and sequence number (RFC 7905 2).
 */
void dtls_record_nonce(u8 *nonce, const u8 *iv, const struct dtls_record *rec);

/**
 * dtls_record_epoch() - find the epoch that a unified header means
 * @rec:	header as parsed
 * @newest:	the newest epoch that has a read key; 0: no epoch has one
 *
 * The header has the last two bits of the epoch (RFC 9147 4.2.2). Up to epoch 2
 * they name the epochs 0 to 3 by themselves; later they name the epochs
 * @newest - 2 to @newest + 1. A peer that has changed its key sends under
 * @newest + 1 before this end has that key.
 *
 * Return: the epoch. 0 is an epoch without such records.
 */
static inline u64 dtls_record_epoch(const struct dtls_record *rec, u64 newest)
{
	u64 bits = rec->unified & DTLS_UNIFIED_EPOCH;
	u64 oldest = newest > 2 ? newest - 2 : 0;

	return oldest + ((bits - oldest) & DTLS_UNIFIED_EPOCH);
}

/**
 * dtls_record_resolve() - find the whole epoch and number of a unified header
 * @rec:	header from dtls_record_parse(); its epoch and number are filled in
 * @mask:	two bytes of the mask of RFC 9147 4.2.3, made of the key of @epoch and
 *		the fragment's first DTLS_SAMPLE_SIZE bytes
 * @epoch:	the epoch, from dtls_record_epoch()
 * @next:	number after the highest that was verified in that epoch
 *
 * Of the numbers with the decrypted last bits, the one closest to @next is taken (RFC
 * 9147 4.2.2). The number is not authentic before the record's tag is verified.
 */
void dtls_record_resolve(struct dtls_record *rec, const u8 *mask, u64 epoch,
			 u64 next);

/**
 * dtls_record_mask() - encrypt the sequence number in a unified header
 * @buf:	the header that dtls_record_write_header() wrote
 * @rec:	the structure that dtls_record_write_header() was given
 * @mask:	two bytes of the record's mask (RFC 9147 4.2.3)
 */
static inline void dtls_record_mask(u8 *buf, const struct dtls_record *rec,
				    const u8 *mask)
{
	u8 *number = buf + 1 + rec->cid_len;

	number[0] ^= mask[0];
	if (rec->unified & DTLS_UNIFIED_SEQ16)
		number[1] ^= mask[1];
}

/**
 * dtls_record_padding() - tell how much padding a DTLS 1.3 record needs
 * @len:	bytes of content
 * @tag_len:	bytes of the AEAD's tag
 *
 * Return: how many zeros make the fragment DTLS_SAMPLE_SIZE bytes long, which is 0 if
 * content, type and tag are as long by themselves (RFC 9147 4.2.3).
 */
static inline size_t dtls_record_padding(size_t len, size_t tag_len)
{
	size_t least = DTLS_SAMPLE_SIZE - 1;	/* The type is one more byte. */

	return len + tag_len < least ? least - len - tag_len : 0;
}

/**
 * dtls_record_inner() - find type and length of a DTLSInnerPlaintext
 * @buf:	decrypted and verified bytes
 * @len:	number of bytes at @buf
 * @type:	set to the real content type
 *
 * The zeros behind the type are padding (RFC 9146 4, RFC 9147 4 with RFC 8446
 * 5.4).
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

/*
 * Each of these functions names every byte, as compilers make one load or one store of
 * that form.
 */
static inline u16 dtls_get_be16(const u8 *p)
{
	return (u16)(p[0] << 8 | p[1]);
}

static inline u64 dtls_get_be64(const u8 *p)
{
	return (u64)p[0] << 56 | (u64)p[1] << 48 | (u64)p[2] << 40 |
	       (u64)p[3] << 32 | (u64)p[4] << 24 | (u64)p[5] << 16 |
	       (u64)p[6] << 8 | (u64)p[7];
}

static inline void dtls_put_be16(u8 *p, u16 v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
}

static inline void dtls_put_be64(u8 *p, u64 v)
{
	p[0] = (u8)(v >> 56);
	p[1] = (u8)(v >> 48);
	p[2] = (u8)(v >> 40);
	p[3] = (u8)(v >> 32);
	p[4] = (u8)(v >> 24);
	p[5] = (u8)(v >> 16);
	p[6] = (u8)(v >> 8);
	p[7] = (u8)v;
}

/*
 * Return epoch and sequence number as one word of 64 bits. This is their form in the
 * old header, in its additional data and in the nonces of DTLS 1.2.
 */
static inline u64 dtls_record_number(const struct dtls_record *rec)
{
	return rec->epoch << 48 | rec->seq;
}

/**
 * dtls_record_aad_number() - write another number into additional data
 * @aad:	additional data that dtls_record_aad() wrote for a header that differs
 *		from @rec in the sequence number alone
 * @rec:	the header whose sequence number is written
 */
static inline void dtls_record_aad_number(u8 *aad,
					  const struct dtls_record *rec)
{
	u8 *p = aad + 1 + rec->cid_len;

	if (!rec->unified)
		dtls_put_be64(aad + (rec->cid_len ? DTLS12_CID_AAD_NUMBER :
						    DTLS12_AAD_NUMBER),
			      dtls_record_number(rec));
	else if (rec->unified & DTLS_UNIFIED_SEQ16)
		dtls_put_be16(p, (u16)rec->seq);
	else
		*p = (u8)rec->seq;
}

/**
 * dtls_record_follows() - compare a header with that of an earlier record
 * @rec:	header of the earlier record, in the old form
 * @i:		difference of the two sequence numbers; above 0
 * @buf:	the last bytes of a datagram, as many as the earlier record has
 *
 * Return: true if the header at @buf equals @rec's except that its sequence
 * number is @rec->seq + @i.
 */
static inline bool dtls_record_follows(const struct dtls_record *rec,
				       unsigned int i, const u8 *buf)
{
	u64 seq = rec->seq + i;

	if (seq > DTLS_SEQ_MAX ||
	    dtls_get_be64(buf + DTLS12_HEADER_NUMBER) !=
		    (rec->epoch << 48 | seq) ||
	    buf[0] != rec->type || dtls_get_be16(buf + 1) != rec->version ||
	    dtls_get_be16(buf + rec->header_len - 2) != rec->fragment_len)
		return false;
	return !rec->cid_len || !memcmp(buf + 11, rec->cid, rec->cid_len);
}

#endif /* _DTLS_RECORD_H */
