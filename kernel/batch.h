/* SPDX-License-Identifier: GPL-2.0 */
/* The memory of records on their way down to the base. */
#ifndef _DTLS_BATCH_H
#define _DTLS_BATCH_H

#include <linux/bvec.h>
#include <linux/mm.h>
#include <linux/skbuff.h>

#include "scratch.h"

/*
 * The mark on pages that records were sealed in: page->private points here. A
 * reader on the same machine, to which the base may have lent the page, tells
 * it by the mark from pages that user space may write to, and need not copy the
 * record. The page allocator clears page->private. A page with several records
 * is marked once for each, while a reader on another processor may look at the
 * mark.
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
 * A GSO packet has so many bytes of UDP payload at most, with the longest IPv4
 * header.
 */
#define DTLS_GSO_MAX		(65535 - 60 - 8)
static_assert(DTLS_SEALED_SIZE_MAX <= DTLS_GSO_MAX);

/*
 * @bytes of records lie in so many pieces of memory at most, if the first piece
 * begins with a page. A record that does not fit the end of a page begins a new
 * piece, so two neighbours are longer than a page together.
 */
#define DTLS_PIECES(bytes)	(2 * DIV_ROUND_UP(bytes, PAGE_SIZE) + 1)

/* More pieces than an skb has fragments are of no use. */
#define DTLS_BATCH_PIECES	(MAX_SKB_FRAGS < DTLS_PIECES(DTLS_GSO_MAX) ? \
				 MAX_SKB_FRAGS : DTLS_PIECES(DTLS_GSO_MAX))
static_assert(DTLS_BATCH_PIECES >= DTLS_RECORD_PAGES);

/**
 * struct dtls_batch - records on their way down to the base
 * @linear:	memory in one piece, DTLS_LINEAR_SIZE bytes at most, that the
 *		records lie in; NULL: they lie in @bvec
 * @home:	of @linear, for dtls_scratch_put_linear()
 * @lent:	the base takes references to the pages (MSG_SPLICE_PAGES),
 *		instead of copying from them
 * @max:	entries that @bvec has
 * @nr:		entries of @bvec that are in use
 * @frags:	fragments that an skb needs for the pages in @bvec
 * @len:	bytes of all records
 * @bvec:	pieces of pages, each with a reference
 *
 * A record lies within one piece; or it is longer than a page and has pieces of
 * its own, the last of which other records may follow.
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
 * @piece:	index in its bvec, if the batch has one
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
	size_t offset = spot->offset;

	if (batch->linear) {
		*pages = NULL;
		spot->offset += len;
		return batch->linear + offset;
	}
	/* Most records lie in the piece that the one before lies in. */
	if (likely(offset + len <= batch->bvec[spot->piece].bv_len)) {
		*pages = NULL;
		spot->offset += len;
		return dtls_batch_piece(&batch->bvec[spot->piece]) + offset;
	}
	return dtls_batch_next_in_pages(spot, len, pages);
}

/*
 * Return the address of byte @pos of a record that lies in several pieces, and
 * set
 * @len to the number of bytes that follow it in the same piece.
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
