/* SPDX-License-Identifier: GPL-2.0 */
/* The memory that records are sealed and opened in; see scratch.c. */
#ifndef _DTLS_SCRATCH_H
#define _DTLS_SCRATCH_H

#include <crypto/aead.h>
#include <crypto/skcipher.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/udp.h>

#include "key.h"
#include "run.h"

/*
 * Each of the two buffers that a scratch has for receiving has this size. The
 * longest record fits into one. They are whole pages, or whole parts of a page
 * where pages are larger.
 */
#define DTLS_SCRATCH_ROOM	SZ_32K
static_assert(DTLS_SCRATCH_ROOM >= DTLS_HEADER_SIZE_MAX + DTLS_FRAGMENT_SIZE_MAX);
static_assert(IS_ALIGNED(DTLS_SCRATCH_ROOM, PAGE_SIZE) ||
	      IS_ALIGNED(PAGE_SIZE, DTLS_SCRATCH_ROOM));

/*
 * A record made here lies in so many pages at most. Its first byte is the first
 * of a page. The header, the explicit nonce and the sample of the sequence
 * number's mask lie in that first page.
 */
#define DTLS_RECORD_PAGES	DIV_ROUND_UP(DTLS_SEALED_SIZE_MAX, PAGE_SIZE)
static_assert(DTLS_HEADER_SIZE_MAX + DTLS_NONCE_SIZE + DTLS_SAMPLE_SIZE <=
	      PAGE_SIZE);

/**
 * struct dtls_masks - sequence numbers of a batch, to be hidden all at once
 * @block:	a sample of each record's ciphertext; the cipher makes the masks
 *		in place
 * @record:	where each record begins
 * @n:		how many records wait for their masks
 * @sg:		all of @block
 * @req_size:	bytes of context behind @req
 * @req:	request for dtls_mask.ecb; its context is the end of the
 *		structure
 */
struct dtls_masks {
	u8 block[UDP_MAX_SEGMENTS][DTLS_SAMPLE_SIZE];
	u8 *record[UDP_MAX_SEGMENTS];
	unsigned int n;
	struct scatterlist sg;
	unsigned int req_size;
	struct skcipher_request req CRYPTO_MINALIGN_ATTR;
};

/**
 * struct dtls_sealing - what records of one run that are being made share
 * @rec:	header; its sequence number is that of the record made last
 * @type:	content type, the inner one
 * @head:	bytes from a record's start to its content
 * @len:	bytes of content
 * @inner_len:	bytes that are encrypted: content, and with them the type and
 *		padding where they are hidden (RFC 9146 4, RFC 9147 4)
 * @aad_len:	bytes of additional data
 */
struct dtls_sealing {
	struct dtls_record rec;
	u8 type;
	unsigned int head;
	size_t len;
	size_t inner_len;
	size_t aad_len;
};

/**
 * struct dtls_scratch - what sealing and opening need besides a key and data
 * @home:	the CPU whose spare this is; negative: it is no spare, and the
 *		cgroup of its task is charged for it
 * @wait:	waits for the end of a request
 * @req:	request for dtls_key.aead
 * @req_size:	bytes of context behind @req: dtls_scratch_fit() sees to it that
 *		they suffice for a key
 * @req_used:	how many of these bytes dtls_scratch_put() has to wipe
 * @masks:	NULL until the scratch is first fit for a key with dtls_mask.ecb
 * @hold:	dtls_crypt_seal() leaves the masks to dtls_crypt_seal_end()
 * @flat:	source of a record in one piece: @aad if that stands outside of
 *		the record, content, tag
 * @pieces:	source of a record in several pages: the same entries, with one
 *		for each page
 * @sealing:	what the records that are being made share
 * @iv:		nonce, in the form that the AEAD wants
 * @aad:	additional data that do not stand in the record
 * @content:	receiving: DTLS_SCRATCH_ROOM bytes that are decrypted to
 * @plain:	how many bytes of @content dtls_scratch_put() has to wipe
 * @fragment:	receiving: DTLS_SCRATCH_ROOM bytes for records that must be
 *		copied before they are opened
 * @rx:		receiving: two runs, as a reader with UDP_GRO goes on from the
 *		first record to those that follow it
 * @dst:	receiving: @aad, @content
 *
 * Lifetime: from dtls_scratch_get() to dtls_scratch_put() the scratch belongs
 * to its task, which may sleep. A sender has one while it seals records, but
 * neither while it copies the caller's data nor while the base waits for room
 * in the send buffer: there a task could stay for as long as it likes.
 */
struct dtls_scratch {
	int home;
	struct crypto_wait wait;
	struct aead_request *req;
	unsigned int req_size;
	unsigned int req_used;
	struct dtls_masks *masks;
	bool hold;
	struct scatterlist flat[3];
	struct scatterlist pieces[1 + DTLS_RECORD_PAGES];
	struct dtls_sealing sealing;
	u8 iv[16];
	u8 aad[DTLS_AAD_SIZE_MAX];

	u8 *content;
	size_t plain;
	u8 *fragment;
	struct dtls_run *rx;
	struct scatterlist dst[2];
};

/*
 * Return where @len bytes go that shall follow @offset others in memory that
 * begins with a page. Each page that a record touches costs the cipher a round,
 * and a bounce buffer if a block lies across the end of a page. So a record of
 * half a page at most lies within one page.
 */
static inline size_t dtls_scratch_place(size_t offset, size_t len)
{
	if (len <= PAGE_SIZE / 2 && offset_in_page(offset) + len > PAGE_SIZE)
		return round_up(offset, PAGE_SIZE);
	return offset;
}

/*
 * Return how many records of @len bytes dtls_scratch_place() fits into a
 * buffer.
 */
static inline unsigned int dtls_scratch_places(size_t len)
{
	const unsigned int page = min_t(size_t, PAGE_SIZE, DTLS_SCRATCH_ROOM);

	if (len > page / 2)
		return DTLS_SCRATCH_ROOM / len;
	return DTLS_SCRATCH_ROOM / page * (page / (len ?: 1));
}

/*
 * The memory in one piece for a few short records has this size. The base
 * copies the records from there: to lend it a page would cost more.
 */
#define DTLS_LINEAR_SIZE	SZ_4K

struct dtls_scratch *dtls_scratch_get(bool receive);
void dtls_scratch_put(struct dtls_scratch *scratch);
int __must_check dtls_scratch_grow(struct dtls_scratch *scratch,
				   const struct dtls_key *key);
u8 *dtls_scratch_get_linear(size_t len, int *home);
void dtls_scratch_put_linear(u8 *linear, int home);
void dtls_scratch_exit(void);

/*
 * Make @scratch fit for @key: its requests must have room for what that key's
 * cipher keeps there. Sleeps. Return: 0 or -ENOMEM.
 */
static inline int __must_check
dtls_scratch_fit(struct dtls_scratch *scratch, const struct dtls_key *key)
{
	unsigned int size = crypto_aead_reqsize(key->aead);

	if (unlikely(!scratch->req || size > scratch->req_size ||
		     (key->mask.ecb &&
		      (!scratch->masks || scratch->masks->req_size <
		       crypto_skcipher_reqsize(key->mask.ecb)))))
		return dtls_scratch_grow(scratch, key);
	scratch->req_used = max(scratch->req_used, size);
	return 0;
}

#endif /* _DTLS_SCRATCH_H */
