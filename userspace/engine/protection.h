/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A protection seals or opens records in user space with one key of one
 * direction (RFC 6347 4.1.2, RFC 9146, RFC 9147 4). It uses the same code for
 * record formats and for the replay window as the kernel module.
 */
#ifndef _DTLS_PROTECTION_H
#define _DTLS_PROTECTION_H

#include "loans.h"
#include "replay.h"
#include "suites.h"

/*
 * The size of the replay window in records, which is that of BoringSSL. RFC
 * 6347 4.1.2.6 recommends 64.
 */
#define DTLS_WINDOW_SIZE	256

/**
 * struct dtls_protection - one key of one direction
 * @crypto:	the endpoint's ciphers, and the contexts that the key borrows; see
 *		loans.h
 * @seq:	write key: number of the next record sent
 * @failed:	read key: number of records that did not verify
 * @epoch:	the epoch
 * @max_plaintext: bytes of content of the largest record
 * @aead:	the AEAD: index of dtls_aeads
 * @sn:		DTLS 1.3: enum dtls_loan_kind of the cipher that masks sequence
 *		numbers; else 0
 * @loan:	place that the key borrows contexts from
 * @cid_len:	bytes of the connection ID of records under this key
 * @iv:		the write IV
 * @reads:	a read key
 * @told:	the record layer's owner knows that the key is close to @limit
 * @told_end:	the owner knows that the key has reached @limit
 * @room:	of a read key a struct dtls_reading; then as bytes the key, in DTLS
 *		1.3 the key of the sequence numbers, and the connection ID, which a read
 *		key of DTLS 1.3 does not have: dtls_cids_fit() judges its records
 */
struct dtls_protection {
	const struct dtls_crypto *crypto;
	union {
		u64 seq;
		u64 failed;
	};
	u16 epoch;
	u16 max_plaintext;
	u8 aead;
	u8 sn;
	u8 loan;
	u8 cid_len;
	u8 iv[DTLS_IV_SIZE];
	bool reads;
	bool told;
	bool told_end;
	u64 room[];
};

/**
 * struct dtls_reading - what a read key has beside a write key
 * @seen:	the replay window
 * @limit:	number of records that may fail to verify; 0: the default of the AEAD
 * @expiry:	when the key is dropped, which dtls_protection_used() sets, or 0
 * @ring:	memory of @seen
 */
struct dtls_reading {
	struct dtls_replay seen;
	u64 limit;
	u64 expiry;
	u64 ring[DTLS_WINDOW_SIZE / 64];
};

/* Return what @p, a read key, has beside a write key. */
static inline struct dtls_reading *dtls_protection_reading(struct dtls_protection *p)
{
	return (struct dtls_reading *)p->room;
}

/* Return the AEAD of @p. */
static inline const struct dtls_aead *
dtls_protection_aead(const struct dtls_protection *p)
{
	return &dtls_aeads[p->aead];
}

/*
 * Return the connection ID of records under @p, which may be changed. @p is not a read key
 * of DTLS 1.3.
 */
u8 *dtls_protection_cid(struct dtls_protection *p);

/* Return true if libcrypto has the ciphers for records of this AEAD. */
bool dtls_protection_usable(const struct dtls_crypto *c, u16 id);

/**
 * dtls_protection_new() - set up a key
 * @c:		the endpoint's ciphers
 * @direction:	DTLS_RX or DTLS_TX
 * @key:	the key, which is copied; the caller wipes it
 *
 * Return: NULL if there is no memory, or libcrypto failed.
 */
struct dtls_protection *dtls_protection_new(const struct dtls_crypto *c,
					    int direction,
					    const struct dtls_key_info *key);

/* Wipe and free @p, which may be NULL. */
void dtls_protection_free(struct dtls_protection *p);

/* Return by how many bytes a record is longer than its content, at most. */
size_t dtls_protection_overhead(const struct dtls_protection *p);

/* Return by how many bytes a record under @key is longer than its content, at most. */
size_t dtls_protection_overhead_of(const struct dtls_key_info *key);

/**
 * dtls_protection_seal() - make one record
 * @p:		a write key
 * @type:	content type
 * @content:	content, which may lie in @out
 * @len:	bytes of @content
 * @out:	room for @len + dtls_protection_overhead() bytes
 *
 * The next sequence number is used up, even if libcrypto fails: no number may
 * ever be used twice.
 *
 * Return: bytes of the record; or 0 if libcrypto failed, the sequence numbers
 * are used up, or the content is longer than the peer accepts.
 */
size_t dtls_protection_seal(struct dtls_protection *p, u8 type,
			    const u8 *content, size_t len, u8 *out);

/*
 * Return true if a record of DTLS 1.3 may have content of @type in @epoch. Early data is all
 * that epoch 1 has (RFC 9147 6.1). Whoever knows the key of a ticket and has seen the hello
 * can compute the key of epoch 1 (RFC 8446 2.3). So nothing else counts that comes under it,
 * neither in the handshake nor after it.
 */
static inline bool dtls_protection_permits(u64 epoch, u8 type)
{
	return epoch != DTLS13_EPOCH_EARLY || type == DTLS_CT_APPLICATION_DATA;
}

#define DTLS_RECORD_UNTYPED	(-2)

/**
 * dtls_protection_open() - open one record
 * @p:		a read key
 * @record:	the header, parsed from @bytes; epoch and number are filled in
 *		if it is a unified one (RFC 9147 4)
 * @bytes:	the record from its first byte on
 * @out:	room for @record->fragment_len bytes, which are written even if
 *		the record does not verify. Without content they keep nothing of the
 *		record
 * @type:	set to the content's real type
 *
 * A record that verifies is marked as seen. A record of DTLS 1.2 has to bear
 * the connection ID of the key; dtls_cids_fit() judges those of DTLS 1.3.
 *
 * Return: bytes of content; -1: the record is a forgery, a replay, or too long, or
 * dtls_protection_permits() does not allow its content; DTLS_RECORD_UNTYPED: the
 * record verifies and has nothing in it, not even a type.
 */
long dtls_protection_open(struct dtls_protection *p, struct dtls_record *record,
			  const u8 *bytes, u8 *out, u8 *type);

/*
 * Return how many more records may fail to verify under the read key @p (RFC 9147 4.5.3).
 * @max is max_forgeries of struct kdtls_config; 0: the default of the cipher.
 */
u64 dtls_protection_forgeries_left(const struct dtls_protection *p, u64 max);

/*
 * A read key stays until the peer uses a newer one, and then for as long as a
 * datagram may be under way (RFC 9147 4.2.1, 8; RFC 9293 3.4.2: 2 minutes).
 * dtls_protection_used() and dtls_protection_expire() take the keys of an
 * association, the newest first; NULL follows the last.
 */

/* Note that a record was opened with @key[@used]. */
void dtls_protection_used(struct dtls_protection **key, unsigned int count,
			  unsigned int used, u64 now);

/*
 * Drop the keys whose time is over. This has to be called before keys are
 * tried.
 */
void dtls_protection_expire(struct dtls_protection **key, unsigned int count,
			    u64 now);

#endif /* _DTLS_PROTECTION_H */
