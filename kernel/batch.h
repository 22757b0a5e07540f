/* SPDX-License-Identifier: GPL-2.0 */
/* Memory of records on their way down to the base */
#ifndef _DTLS_BATCH_H
#define _DTLS_BATCH_H

#include <linux/bvec.h>
#include <linux/mm.h>
#include <linux/skbuff.h>

#include "scratch.h"

/*
 * Pages that records are sealed in are marked, so that a reader on the same
 * machine can tell them from pages that user space may write to. The page
 * allocator clears the mark. A page with several records is marked once for
 * each, while a reader on another processor may look at the mark.
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

/* A GSO packet's payload whatever its headers are */
#define DTLS_GSO_MAX		(65535 - 60 - 8)
static_assert(DTLS_SEALED_SIZE_MAX <= DTLS_GSO_MAX);

/*
 * Pieces of memory that @bytes of records may lie in if the first piece starts
 * with a page. A new piece is begun where a record does not fit the page at
 * the end of the last one, so any two neighbours are longer than a page.
 */
#define DTLS_PIECES(bytes)	(2 * DIV_ROUND_UP(bytes, PAGE_SIZE) + 1)

/* An skb's fragments are a page at most each, so more pieces are of no use. */
#define DTLS_BATCH_PIECES	(MAX_SKB_FRAGS < DTLS_PIECES(DTLS_GSO_MAX) ? \
				 MAX_SKB_FRAGS : DTLS_PIECES(DTLS_GSO_MAX))
static_assert(DTLS_BATCH_PIECES >= DTLS_RECORD_PAGES);

/**
 * struct dtls_batch - ciphertext on its way down
 * @linear:	where it lies, DTLS_LINEAR_SIZE bytes at most, or NULL
 * @home:	of @linear, for dtls_scratch_put_linear()
 * @lent:	the base takes over the pages; else it copies from them
 * @max:	entries of @bvec
 * @nr:		how many of @bvec are in use
 * @frags:	pages in @bvec: fragments that an skb needs for them
 * @len:	bytes
 * @bvec:	pieces of pages with a reference each, if it is not @linear
 *
 * A record lies in one piece, or it is the only content of pieces of its own
 * but the end of the last one.
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
 * struct dtls_spot - a record's place in a batch
 * @batch:	the batch
 * @piece:	index in its bvec; not for a linear one
 * @offset:	in that piece, or in the linear memory
 */
struct dtls_spot {
	const struct dtls_batch *batch;
	unsigned int piece;
	size_t offset;
};

/* Where the next record that is added will lie */
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
bool __must_check dtls_batch_add(struct dtls_batch *batch,
				 struct page_frag *frag, size_t len);
void dtls_batch_cut(struct dtls_batch *batch, size_t len);
void dtls_batch_free(struct dtls_batch *batch);
u8 *dtls_batch_next_in_pages(struct dtls_spot *spot, size_t len,
			     const struct bio_vec **pages);

static inline u8 *dtls_batch_piece(const struct bio_vec *piece)
{
	return page_address(piece->bv_page) + piece->bv_offset;
}

/* Likewise, whatever the batch is made of */
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

/* A record of several pages: where its byte @pos is, and @len bytes after it */
static inline u8 *dtls_batch_pages_at(const struct bio_vec *pages, size_t pos,
				      size_t *len)
{
	while (pos >= pages->bv_len)
		pos -= pages++->bv_len;
	*len = pages->bv_len - pos;
	return dtls_batch_piece(pages) + pos;
}

#endif /* _DTLS_BATCH_H */
