/* SPDX-License-Identifier: GPL-2.0 */
/* A batch is the memory of records that are sent together. See batch.c. */
#ifndef _DTLS_BATCH_H
#define _DTLS_BATCH_H

#include <linux/bvec.h>
#include <linux/mm.h>
#include <linux/skbuff.h>

#include "scratch.h"

/*
 * A page that records were sealed in is marked: its page->private points to
 * dtls_batch_page_mark. UDP may lend the page to a receiver on the same machine. The
 * mark tells that receiver that user space cannot write to the page, so that it need
 * not copy the record before it opens it. The page allocator clears page->private. A
 * page is marked again for each of its records while a receiver on another processor
 * may read the mark, so both use READ_ONCE() and WRITE_ONCE().
 */
extern const u8 dtls_batch_page_mark;

static inline void dtls_batch_mark_page(struct page *page)
{
	WRITE_ONCE(compound_head(page)->private,
		   (unsigned long)&dtls_batch_page_mark);
}

static inline bool dtls_batch_page_is_marked(struct page *page)
{
	return READ_ONCE(compound_head(page)->private) ==
	       (unsigned long)&dtls_batch_page_mark;
}

/*
 * A GSO packet has at most so many bytes of UDP payload: 65535 without the longest
 * IPv4 header and the UDP header.
 */
#define DTLS_GSO_MAX		(65535 - 60 - 8)
static_assert(DTLS_SEALED_SIZE_MAX <= DTLS_GSO_MAX);

/*
 * Records of @bytes bytes in all lie in at most so many pieces of memory, if the first
 * piece begins with a page. A new piece begins only where a record does not fit into
 * the rest of a page, so two pieces in a row are together longer than a page.
 */
#define DTLS_PIECES(bytes)	(2 * DIV_ROUND_UP(bytes, PAGE_SIZE) + 1)

/* An skb has MAX_SKB_FRAGS fragments, so a batch needs no more pieces. */
#define DTLS_BATCH_PIECES	(MAX_SKB_FRAGS < DTLS_PIECES(DTLS_GSO_MAX) ? \
				 MAX_SKB_FRAGS : DTLS_PIECES(DTLS_GSO_MAX))
static_assert(DTLS_BATCH_PIECES >= DTLS_RECORD_PAGES);

/**
 * struct dtls_batch - the memory of records that one call of the base sends
 * @linear:	memory in one piece, DTLS_LINEAR_SIZE bytes at most, that the
 *		records lie in; NULL: they lie in @bvec
 * @home:	CPU whose spare @linear is, or negative; dtls_scratch_put_linear()
 *		needs it
 * @lent:	the base takes references to the pages (MSG_SPLICE_PAGES),
 *		instead of copying from them
 * @max:	entries that @bvec has
 * @nr:		entries of @bvec that are in use
 * @frags:	fragments that an skb needs for the pages in @bvec
 * @len:	bytes of all records
 * @bvec:	pieces of pages, each with a reference
 *
 * A record of up to a page lies within one piece. A longer record may lie in several
 * pieces that no other record begins in; records may follow it in the last one.
 */
struct dtls_batch {
	u8 *linear;
	int home;
	bool lent;
	unsigned int max;
	unsigned int nr;
	unsigned int frags;
	size_t len;
	struct bio_vec *bvec;
};

/**
 * struct dtls_spot - the place of a record in a batch
 * @batch:	the batch
 * @piece:	index of the piece in @batch->bvec that the record begins in, unless
 *		@batch has linear memory
 * @offset:	where in that piece, or in the linear memory, the record begins
 */
struct dtls_spot {
	const struct dtls_batch *batch;
	unsigned int piece;
	size_t offset;
};

/* Return the place of the next record that is added to @batch. */
static inline struct dtls_spot dtls_batch_end(const struct dtls_batch *batch)
{
	struct dtls_spot spot = { .batch = batch };

	if (batch->nr) {
		spot.piece = batch->nr - 1;
		spot.offset = batch->bvec[spot.piece].bv_len;
	}
	return spot;
}

bool __must_check dtls_batch_linear(struct dtls_batch *batch, size_t len);
unsigned int __must_check
dtls_batch_add(struct dtls_batch *batch, struct page_frag *frag, size_t len,
	       unsigned int n);
void dtls_batch_cut(struct dtls_batch *batch, size_t len);
void dtls_batch_free(struct dtls_batch *batch);
u8 *dtls_batch_next_in_pages(struct dtls_spot *spot, size_t len,
			     const struct bio_vec **pages);

/* Return the address of @piece, whose pages are never in high memory. */
static inline u8 *dtls_batch_piece(const struct bio_vec *piece)
{
	return page_address(piece->bv_page) + piece->bv_offset;
}

/*
 * Return the first byte of the record of @len bytes at @spot, and move @spot to
 * the record behind it. @pages is set to the record's pieces if it has several,
 * else to NULL.
 */
static inline u8 *dtls_batch_next(struct dtls_spot *spot, size_t len,
				  const struct bio_vec **pages)
{
	const struct dtls_batch *batch = spot->batch;
	const struct bio_vec *piece;
	size_t offset = spot->offset;

	if (batch->linear) {
		*pages = NULL;
		spot->offset += len;
		return batch->linear + offset;
	}
	piece = &batch->bvec[spot->piece];
	/* Most records lie in the same piece as the record before them, or begin the next. */
	if (likely(offset + len <= piece->bv_len)) {
		*pages = NULL;
		spot->offset += len;
		return dtls_batch_piece(piece) + offset;
	}
	if (likely(offset == piece->bv_len && len <= piece[1].bv_len)) {
		*pages = NULL;
		spot->offset = len;
		spot->piece++;
		return dtls_batch_piece(piece + 1);
	}
	return dtls_batch_next_in_pages(spot, len, pages);
}

/*
 * Return the address of byte @pos of the record that lies in the pieces @pages. Set
 * @len to the number of the record's bytes in that piece from @pos on.
 */
static inline u8 *dtls_batch_pages_at(const struct bio_vec *pages, size_t pos,
				      size_t *len)
{
	while (pos >= pages->bv_len)
		pos -= pages++->bv_len;
	*len = pages->bv_len - pos;
	return dtls_batch_piece(pages) + pos;
}

#endif /* _DTLS_BATCH_H */
