// SPDX-License-Identifier: GPL-2.0
/*
 * A datagram, maybe a coalesced one, is cut into records from its first byte to its
 * last. struct dtls_dgram says where the next record begins, in which memory it lies,
 * and which association the rest of the datagram belongs to. The functions for it that
 * are called for every record are in dgram.h.
 */
#include <linux/mm.h>
#include <linux/skbuff.h>

#include "assoc.h"
#include "batch.h"
#include "compat.h"
#include "dgram.h"
#include "sock.h"
#include "stats.h"

/*
 * Find the piece of memory that byte d->pos of the datagram lies in, which is behind the
 * piece of before. Pages that dtls_batch_mark_page() marked when a socket of this machine
 * sent them are written by the kernel alone. Any other page may belong to a file that was
 * sent by reference, or to an AF_PACKET ring. No flag of the skb tells:
 * SKBFL_SHARED_FRAG is not set for the ring.
 */
void dtls_dgram_find_piece(struct dtls_dgram *d)
{
	const struct skb_shared_info *shinfo = skb_shinfo(d->skb);

	while (d->pos >= d->piece_end && d->piece_next < shinfo->nr_frags) {
		const skb_frag_t *frag = &shinfo->frags[d->piece_next++];
		struct page *page = skb_frag_page(frag);

		d->piece_start = d->piece_end;
		d->piece_end += skb_frag_size(frag);
		d->piece = NULL;
		d->piece_ours = false;
		if (page && !PageHighMem(page)) {
			d->piece = page_address(page) + skb_frag_off(frag);
			d->piece_ours = dtls_batch_page_is_marked(page);
		}
	}
}

/*
 * Put the references of @d to its skb and its association, as no more records are cut
 * out of it. Runs that were cut out have references of their own. A datagram without
 * any record is counted as dropped. The caller holds dtls_sock.lock.
 */
void dtls_dgram_end(struct dtls_sock *ds, struct dtls_dgram *d)
{
	dtls_assoc_put(d->assoc);
	if (d->cut)
		consume_skb(d->skb);
	else
		dtls_skb_drop(ds->sk, d->skb,
			      dtls_stats_drop_reason(DTLS_COUNT_RX_MALFORMED));
	WRITE_ONCE(d->skb, NULL);
}

/*
 * Make @assoc the association of @d from d->pos on, and take over one reference to
 * it. If the association changes, d->serial changes too, so that a reader with
 * UDP_GRO does not get records of two associations together. The caller holds
 * dtls_sock.lock, a spin lock. The reference put here is never the last one, which
 * would sleep: dtls_rest_forget() takes a deleted association out of @d.
 */
void dtls_dgram_set_owner(struct dtls_sock *ds, struct dtls_dgram *d,
			  struct dtls_assoc *assoc)
{
	lockdep_assert_held(&ds->lock);
	if (assoc != d->assoc)
		d->serial = ++ds->serial;
	dtls_assoc_put(d->assoc);
	d->assoc = assoc;
}
