/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that records are sealed and opened in */
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
 * Room in a scratch for what is received: more than the longest record, and no
 * part of a page. How large a page is matters for speed alone.
 */
#define DTLS_SCRATCH_ROOM	SZ_32K
static_assert(DTLS_SCRATCH_ROOM >= DTLS_HEADER_SIZE_MAX + DTLS_FRAGMENT_SIZE_MAX);
static_assert(IS_ALIGNED(DTLS_SCRATCH_ROOM, PAGE_SIZE) ||
	      IS_ALIGNED(PAGE_SIZE, DTLS_SCRATCH_ROOM));

/*
 * Pages such a record may lie in: its first byte is the first of its first
 * page. All that stands before its content, and the sample behind, lie in that
 * page.
 */
#define DTLS_RECORD_PAGES	DIV_ROUND_UP(DTLS_SEALED_SIZE_MAX, PAGE_SIZE)
static_assert(DTLS_HEADER_SIZE_MAX + DTLS_NONCE_SIZE + DTLS_SAMPLE_SIZE <=
	      PAGE_SIZE);

/**
 * struct dtls_masks - the numbers of a batch's records, to be hidden at its end
 * @block:	the records' samples, of which the masks are made in place
 * @record:	where they start
 * @n:		how many there are
 * @sg:		all of @block
 * @req_size:	bytes of context in @req
 * @req:	for dtls_mask.ecb; the last
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
 * struct dtls_sealing - what records sealed one after another have in common
 * @rec:	their header; the last one's number
 * @type:	of the content
 * @head:	bytes before it
 * @len:	bytes of content
 * @inner_len:	with what is sealed with it: type and padding
 * @aad_len:	bytes
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
 * struct dtls_scratch - what sealing or opening needs besides key and data
 * @home:	the CPU whose spare this is; negative: it is charged to the task
 *		that asked for it
 * @wait:	for the end of a request
 * @req:	for dtls_key.aead
 * @req_size:	bytes of context in @req: at least those of the key in hand
 * @req_used:	of these, what requests since dtls_scratch_get() have used
 * @masks:	made for the first key that has dtls_mask.ecb
 * @hold:	dtls_crypt_seal() shall leave the numbers to @masks
 * @flat:	@aad if it stands there, content, tag
 * @pieces:	the same for a record that lies in single pages
 * @sealing:	the records being made
 * @iv:		nonce
 * @aad:	additional data that does not stand in the record
 * @content:	receiving: DTLS_SCRATCH_ROOM bytes for what is decrypted
 * @plain:	bytes of @content that were decrypted to
 * @fragment:	receiving: as many bytes, for records that must be copied first
 * @rx:		receiving: two
 * @dst:	receiving: @aad, @content
 *
 * Lifetime: from dtls_scratch_get() to dtls_scratch_put() its task owns it and
 * may sleep. A sender owns it while records are sealed, and neither while the
 * caller's data is copied nor while the base waits for room.
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
 * Where @len bytes are put that shall follow @offset others in memory aligned
 * to pages. Each page that they lie in costs the cipher a round, and a bounce
 * buffer if a block is cut in two; so what is small lies in one.
 */
static inline size_t dtls_scratch_place(size_t offset, size_t len)
{
	if (len <= PAGE_SIZE / 2 && offset_in_page(offset) + len > PAGE_SIZE)
		return round_up(offset, PAGE_SIZE);
	return offset;
}

/*
 * How many pieces of @len bytes get a place in a scratch one behind the other
 */
static inline unsigned int dtls_scratch_places(size_t len)
{
	const unsigned int page = min_t(size_t, PAGE_SIZE, DTLS_SCRATCH_ROOM);

	if (len > page / 2)
		return DTLS_SCRATCH_ROOM / len;
	return DTLS_SCRATCH_ROOM / page * (page / (len ?: 1));
}

/* A batch is copied by the base rather than lent to it up to this size. */
#define DTLS_LINEAR_SIZE	SZ_4K

struct dtls_scratch *dtls_scratch_get(bool receive);
void dtls_scratch_put(struct dtls_scratch *scratch);
int __must_check dtls_scratch_grow(struct dtls_scratch *scratch,
				   const struct dtls_key *key);
u8 *dtls_scratch_get_linear(size_t len, int *home);
void dtls_scratch_put_linear(u8 *linear, int home);
void dtls_scratch_exit(void);

/* Before @scratch is used with @key. Sleeps. Return: 0 or -ENOMEM. */
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
