/* SPDX-License-Identifier: GPL-2.0 */
/* A scratch is the memory that records are sealed and opened in. See scratch.c. */
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
#include "transform.h"

/*
 * Each of the two buffers that a scratch has for receiving has this size, which the
 * longest record fits into. A buffer is a number of whole pages or, where pages are
 * larger than it, a part of one page.
 */
#define DTLS_SCRATCH_ROOM	SZ_32K
static_assert(DTLS_SCRATCH_ROOM >= DTLS_HEADER_SIZE_MAX + DTLS_FRAGMENT_SIZE_MAX);
static_assert(IS_ALIGNED(DTLS_SCRATCH_ROOM, PAGE_SIZE) ||
	      IS_ALIGNED(PAGE_SIZE, DTLS_SCRATCH_ROOM));

/*
 * A record that is sealed lies in at most so many pages. If it lies in several, its
 * first byte is the first of a page, and that page has the header, the explicit nonce
 * and the sample for the mask of the sequence number.
 */
#define DTLS_RECORD_PAGES	DIV_ROUND_UP(DTLS_SEALED_SIZE_MAX, PAGE_SIZE)
static_assert(DTLS_HEADER_SIZE_MAX + DTLS_NONCE_SIZE + DTLS_SAMPLE_SIZE <=
	      PAGE_SIZE);

/**
 * struct dtls_masks - records whose sequence numbers one request encrypts
 * @block:	a sample of each record's ciphertext, which the cipher turns into the
 *		record's mask
 * @record:	where each record begins
 * @n:		how many records wait for their masks
 * @sg:		scatterlist entry for all of @block
 * @req_size:	bytes of context behind @req
 * @req:	request for dtls_key.ecb, whose context follows at the end of the
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
 * struct dtls_sealing - what the records of one run that is sealed have in common
 * @rec:	header; its sequence number is that of the last record
 * @type:	content type, the inner one if it is hidden
 * @head:	bytes from a record's start to its content
 * @len:	bytes of content
 * @inner_len:	bytes that are encrypted: content, and with them the type and
 *		padding where they are hidden (RFC 9146 4, RFC 9147 4)
 * @aad_len:	bytes of additional data
 * @header:	the header of a record before DTLS 1.3, but for its number
 */
struct dtls_sealing {
	struct dtls_record rec;
	u8 type;
	unsigned int head;
	size_t len;
	size_t inner_len;
	size_t aad_len;
	u8 header[DTLS_HEADER_SIZE_MAX];
};

/**
 * struct dtls_scratch - the memory that sealing and opening work in
 * @home:	the CPU whose spare this scratch is; negative: it is no spare, and the
 *		cgroup of the task that made it is charged for it
 * @wait:	waits for the end of a request
 * @aead:	the transform with the key that the scratch was made fit for
 * @loan:	the loan that @aead is of, or NULL if the key owns @aead
 * @req:	request for @aead
 * @req_size:	bytes of context behind @req; dtls_scratch_fit() makes them as many as
 *		a key needs
 * @req_used:	how many bytes of the context dtls_scratch_put() has to wipe
 * @masks:	NULL until the scratch is first fit for a key with dtls_key.ecb
 * @hold:	dtls_crypt_seal() leaves the masks to dtls_crypt_seal_end()
 * @flat:	scatterlist of a record in one piece of memory: @aad, unless that lies
 *		in the record; the content; the tag
 * @flat_page:	the page that content and tag in @flat begin in, or NULL
 * @pieces:	scatterlist of a record in several pages: @aad, unless that lies in
 *		the record; then one entry for each page
 * @sealing:	what the records of the run that is sealed have in common
 * @iv:		nonce, in the form that the AEAD wants
 * @aad:	additional data that do not lie in the record, or what is copied there
 * @content:	receiving: DTLS_SCRATCH_ROOM bytes, to which records are decrypted
 * @plain:	how many bytes of @content dtls_scratch_put() has to wipe
 * @fragment:	receiving: DTLS_SCRATCH_ROOM bytes for records that must be
 *		copied before they are opened
 * @rx:		receiving: two runs. The second is for a reader with UDP_GRO, which
 *		needs the first record while it takes in those that follow
 * @dst:	receiving: scatterlist of the result, @aad and a part of @content. The page
 *		of the second entry is always the one that @content begins in
 *
 * Lifetime: from dtls_scratch_get() to dtls_scratch_put() the scratch belongs to one
 * task, which may sleep. A sender has a scratch while it seals records, but not while
 * it copies the caller's data, nor while the base waits for room in the send buffer:
 * user space can make both take for ever.
 */
struct dtls_scratch {
	int home;
	struct crypto_wait wait;
	struct crypto_aead *aead;
	struct dtls_loan *loan;
	struct aead_request *req;
	unsigned int req_size;
	unsigned int req_used;
	struct dtls_masks *masks;
	bool hold;
	struct scatterlist flat[3];
	const u8 *flat_page;
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
 * Return where in a buffer that begins with a page a record of @len bytes is placed, if
 * the first @offset bytes are in use. Each page that a record touches costs the cipher
 * time, and a block that lies across the end of a page costs it a copy. So a record of
 * half a page or less is placed within one page.
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
 * The linear memory for a few short records has this size. The base copies the records
 * from there, as lending it a page would cost more.
 */
#define DTLS_LINEAR_SIZE	SZ_4K

struct dtls_scratch *dtls_scratch_get(bool receive);
void dtls_scratch_put(struct dtls_scratch *scratch);
int __must_check dtls_scratch_borrow(struct dtls_scratch *scratch,
				     const struct dtls_key *key);
int __must_check dtls_scratch_grow(struct dtls_scratch *scratch,
				   const struct dtls_key *key);
u8 *dtls_scratch_get_linear(size_t len, int *home);
void dtls_scratch_put_linear(u8 *linear, int home);
void dtls_scratch_exit(void);

/*
 * Set @scratch->aead to a transform with @key, borrow it if @key owns none, and make
 * sure that the requests of @scratch have as many bytes of context as the ciphers need.
 * Until dtls_scratch_return() or dtls_scratch_put() the caller waits for nothing but
 * ciphers; see dtls_transform_borrow(). Sleeps. Return: 0 or an error.
 */
static inline int __must_check
dtls_scratch_fit(struct dtls_scratch *scratch, const struct dtls_key *key)
{
	unsigned int size;
	int err;

	scratch->aead = key->aead;
	if (unlikely(!scratch->aead)) {
		err = dtls_scratch_borrow(scratch, key);
		if (err)
			return err;
	}
	size = crypto_aead_reqsize(scratch->aead);
	if (unlikely(!scratch->req || size > scratch->req_size ||
		     (key->ecb &&
		      (!scratch->masks || scratch->masks->req_size <
		       crypto_skcipher_reqsize(key->ecb)))))
		return dtls_scratch_grow(scratch, key);
	scratch->req_used = max(scratch->req_used, size);
	return 0;
}

/* Give back what dtls_scratch_fit() has borrowed, if it has borrowed anything. */
static inline void dtls_scratch_return(struct dtls_scratch *scratch)
{
	if (unlikely(scratch->loan)) {
		dtls_transform_return(scratch->loan);
		scratch->loan = NULL;
	}
}

#endif /* _DTLS_SCRATCH_H */
