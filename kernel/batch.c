// SPDX-License-Identifier: GPL-2.0
/*
 * This file provides the memory of records that are sent: one linear piece for a few
 * short records, or pages that the base takes references to. Plaintext never leaves
 * the batch: dtls_batch_cut() wipes what could not be sealed.
 *
 * A piece is taken from a large page if there is one, and from single pages
 * otherwise. A record that is longer than a page then lies in several pages that are
 * not neighbours.
 */
#include <linux/gfp.h>
#include <linux/slab.h>
#include <net/sock.h>

#include "batch.h"

/* BATCH_GFP charges the task's cgroup, as a sender may wait for the base. */
#define BATCH_GFP	GFP_KERNEL_ACCOUNT

const u8 dtls_batch_page_mark;

static unsigned int pages_of(size_t offset, size_t len)
{
	return DIV_ROUND_UP(offset_in_page(offset) + len, PAGE_SIZE);
}

/* Return true if an skb has room for @more fragments behind those of @batch. */
static bool frags_left(const struct dtls_batch *batch, unsigned int more)
{
	return !batch->lent || batch->frags + more <= MAX_SKB_FRAGS;
}

/* add_piece() adds @len bytes of @frag, from its offset on, as a new piece. */
static bool add_piece(struct dtls_batch *batch, struct page_frag *frag,
		      size_t len)
{
	unsigned int frags = pages_of(frag->offset, len);

	if (batch->nr == batch->max || !frags_left(batch, frags))
		return false;
	get_page(frag->page);
	dtls_batch_mark_page(frag->page);
	bvec_set_page(&batch->bvec[batch->nr++], frag->page, len, frag->offset);
	batch->frags += frags;
	batch->len += len;
	frag->offset += len;
	return true;
}

/*
 * add_bytes() adds @len bytes too, but lets the last piece grow if the bytes
 * follow it.
 */
static bool add_bytes(struct dtls_batch *batch, struct page_frag *frag,
		      size_t len)
{
	struct bio_vec *last = &batch->bvec[batch->nr - 1];
	unsigned int more;

	if (!batch->nr || last->bv_page != frag->page ||
	    last->bv_offset + last->bv_len != frag->offset)
		return add_piece(batch, frag, len);
	more = pages_of(last->bv_offset, last->bv_len + len) -
	       pages_of(last->bv_offset, last->bv_len);
	if (!frags_left(batch, more))
		return false;
	last->bv_len += len;
	batch->frags += more;
	batch->len += len;
	frag->offset += len;
	return true;
}

static void drop_frag(struct page_frag *frag)
{
	if (frag->page)
		put_page(frag->page);
	frag->page = NULL;
}

/*
 * add_single_pages() adds @len bytes that begin with a page, in single pages, as
 * there was no memory for a larger one.
 */
static bool add_single_pages(struct dtls_batch *batch, struct page_frag *frag,
			     size_t len)
{
	size_t before = batch->len, part;

	while (len) {
		drop_frag(frag);
		if (!skb_page_frag_refill(min_t(size_t, len, PAGE_SIZE), frag,
					  BATCH_GFP))
			goto undo;
		part = min_t(size_t, len, frag->size);
		if (!add_piece(batch, frag, part))
			goto undo;
		len -= part;
	}
	return true;
undo:
	dtls_batch_cut(batch, before);
	return false;
}

/*
 * in_a_row() returns how many records of @len bytes each have their places side by
 * side from the offset of @frag on; see dtls_scratch_place(). @frag has room for one
 * at least.
 */
static unsigned int in_a_row(const struct page_frag *frag, size_t len)
{
	size_t room = frag->size - frag->offset;

	if (len <= PAGE_SIZE / 2)
		room = min(room, PAGE_SIZE - offset_in_page(frag->offset));
	return room / len;
}

/**
 * dtls_batch_add() - make room for more records at the end of a batch of pages
 * @batch:	the batch
 * @frag:	the pages that the memory is taken from: the task's, or the cork's
 * @len:	bytes of each record
 * @n:		number of records, at least one
 *
 * Sleeps. Return: the number of records that there is room for now, which may be
 * fewer than @n; 0 if there is no memory, or if no more fit in @batch.
 */
unsigned int dtls_batch_add(struct dtls_batch *batch, struct page_frag *frag,
			    size_t len, unsigned int n)
{
	frag->offset = dtls_scratch_place(frag->offset, len);
	/*
	 * skb_page_frag_refill() begins a page anew if nobody else has a
	 * reference to it any more. It is called for the first record of each
	 * batch to profit from that.
	 */
	if (!batch->nr || !frag->page || frag->offset + len > frag->size) {
		/*
		 * A refill would keep a page that is too small for @len, which
		 * was taken when memory was short.
		 */
		if (frag->page && frag->size < len)
			drop_frag(frag);
		if (!skb_page_frag_refill(len, frag, BATCH_GFP))
			return 0;
		frag->offset = dtls_scratch_place(frag->offset, len);
		if (frag->offset + len > frag->size)
			return add_single_pages(batch, frag, len);
	}
	if (n > 1)
		n = min(n, in_a_row(frag, len));
	if (n > 1 && add_bytes(batch, frag, n * len))
		return n;
	return add_bytes(batch, frag, len);
}

/* dtls_batch_linear() gives @batch, which is empty, linear memory. Sleeps. */
bool dtls_batch_linear(struct dtls_batch *batch, size_t len)
{
	batch->linear = dtls_scratch_get_linear(len, &batch->home);
	if (!batch->linear)
		return false;
	batch->len = len;
	return true;
}

/* dtls_batch_cut() wipes and frees what @batch has behind its first @len bytes. */
void dtls_batch_cut(struct dtls_batch *batch, size_t len)
{
	size_t cut = batch->len - len;

	batch->len = len;
	if (batch->linear)
		memzero_explicit(batch->linear + len, cut);
	while (!batch->linear && cut) {
		struct bio_vec *last = &batch->bvec[batch->nr - 1];
		size_t part = min_t(size_t, cut, last->bv_len);

		batch->frags -= pages_of(last->bv_offset, last->bv_len);
		last->bv_len -= part;
		cut -= part;
		memzero_explicit(dtls_batch_piece(last) + last->bv_len, part);
		if (last->bv_len)
			batch->frags += pages_of(last->bv_offset, last->bv_len);
		else
			put_page(batch->bvec[--batch->nr].bv_page);
	}
}

void dtls_batch_free(struct dtls_batch *batch)
{
	if (batch->linear)
		dtls_scratch_put_linear(batch->linear, batch->home);
	batch->linear = NULL;
	while (batch->nr)
		put_page(batch->bvec[--batch->nr].bv_page);
	batch->frags = 0;
	batch->len = 0;
	batch->lent = false;
}

/**
 * dtls_batch_next_in_pages() - find where a record in a batch of pages lies
 * @spot:	the place of the record; moves on to the next one's
 * @len:	bytes of the record
 * @pages:	set to the pieces of the record if they are several, else to NULL
 *
 * Return: the first byte of the record.
 */
u8 *dtls_batch_next_in_pages(struct dtls_spot *spot, size_t len,
			     const struct bio_vec **pages)
{
	const struct dtls_batch *batch = spot->batch;
	const struct bio_vec *bv = &batch->bvec[spot->piece];
	size_t offset;

	if (spot->offset == bv->bv_len) {
		bv = &batch->bvec[++spot->piece];
		spot->offset = 0;
	}
	offset = spot->offset;
	spot->offset += len;
	*pages = NULL;
	if (unlikely(spot->offset > bv->bv_len)) {
		*pages = bv;
		while (spot->offset > batch->bvec[spot->piece].bv_len)
			spot->offset -= batch->bvec[spot->piece++].bv_len;
	}
	return dtls_batch_piece(bv) + offset;
}
