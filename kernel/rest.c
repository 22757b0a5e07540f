// SPDX-License-Identifier: GPL-2.0
/*
 * While a record is opened, the rest of its datagram stays with the socket, and the
 * next record will be cut out of it. These functions change that rest or drop it. The
 * record may have opened as one of another association, may be of no use, or its
 * datagram's checksum may be wrong. The association of the datagram may have been
 * peeled off or deleted.
 */
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/udp.h>

#include "assoc.h"
#include "compat.h"
#include "dgram.h"
#include "rest.h"
#include "run.h"
#include "sock.h"

/*
 * Return the datagram that @rx was cut out of, if there is something left of it, or
 * NULL. The caller holds dtls_sock.lock.
 */
static struct dtls_dgram *rest_of(struct dtls_sock *ds,
				  const struct dtls_run *rx)
{
	lockdep_assert_held(&ds->lock);
	if (ds->current_dgram.skb && ds->current_dgram.serial == rx->dgram)
		return &ds->current_dgram;
	if (ds->kept_dgram.skb && ds->kept_dgram.serial == rx->dgram)
		return &ds->kept_dgram;
	return NULL;
}

/* Drop the bytes of @d from d->pos up to @end. The caller holds dtls_sock.lock. */
static void skip_to(struct dtls_sock *ds, struct dtls_dgram *d,
		    unsigned int end)
{
	lockdep_assert_held(&ds->lock);
	dtls_dgram_skip(d, end - d->pos);
	if (d->pos == d->end)
		dtls_dgram_end(ds, d);
}

/*
 * Make @other, which has opened @rx, the association of @rx and of the rest of its
 * datagram. The rest stays what it is if @other was deleted or peeled off meanwhile, as
 * nobody would take it from @other any more. In both cases @rx gets a serial that no
 * record of the first association has, so that a reader with UDP_GRO does not get records
 * of both together. Takes over a reference to @other, and takes dtls_sock.lock. Return
 * the association that @rx belonged to before, with a reference.
 */
struct dtls_assoc *dtls_rest_reown(struct dtls_sock *ds, struct dtls_run *rx,
				   struct dtls_assoc *other)
{
	struct dtls_assoc *old = rx->assoc;
	struct dtls_dgram *d;

	spin_lock(&ds->lock);
	d = rest_of(ds, rx);
	if (d && d->seg_end == rx->seg_end && d->assoc == old &&
	    dtls_sock_has(ds, other)) {
		dtls_dgram_set_owner(ds, d, dtls_assoc_get(other));
		rx->dgram = d->serial;
	} else {
		rx->dgram = ++ds->serial;
	}
	rx->assoc = other;
	spin_unlock(&ds->lock);
	return old;
}

/*
 * Give the datagram of the record @rx as many @points, and drop the rest of the datagram
 * if it has DTLS_DGRAM_JUNK_MAX then. A run of several records gets none, as each of them
 * has a datagram of its own. Takes dtls_sock.lock.
 */
void dtls_rest_junk(struct dtls_sock *ds, const struct dtls_run *rx,
		    unsigned int points)
{
	struct dtls_dgram *d;

	if (rx->n > 1)
		return;
	spin_lock(&ds->lock);
	d = rest_of(ds, rx);
	if (d && d->seg_end == rx->seg_end) {
		d->junk += points;
		if (d->junk >= DTLS_DGRAM_JUNK_MAX)
			skip_to(ds, d, d->seg_end);
	}
	spin_unlock(&ds->lock);
}

/*
 * Return true if the UDP checksum of the datagram of @rx is right. Only records that
 * no AEAD verifies need it. If the checksum is right, the datagram remembers that, so
 * that it is computed once; if it is wrong, the rest of the datagram is dropped. The
 * function computes the checksum without a lock, as that takes long for a large
 * datagram, and then takes dtls_sock.lock. So two readers may compute it at the same
 * time, with the same result.
 */
bool dtls_rest_intact(struct dtls_sock *ds, struct dtls_run *rx)
{
	struct dtls_dgram *d;
	bool intact;

	if (rx->intact || skb_csum_unnecessary(rx->skb))
		return true;
	intact = !__skb_checksum_complete(rx->skb);
	rx->intact = intact;
	spin_lock(&ds->lock);
	d = rest_of(ds, rx);
	if (d)
		d->intact = intact;
	if (d && !intact)
		skip_to(ds, d, d->end);
	spin_unlock(&ds->lock);
	if (!intact)
		dtls_udp_count(ds->sk, UDP_MIB_CSUMERRORS);
	return intact;
}

/* Let @d be of dtls_sock.assoc if it is of the association that was there before. */
static void adopt_datagram(struct dtls_sock *ds, struct dtls_dgram *d)
{
	if (d->skb && d->assoc == ds->former)
		dtls_dgram_set_owner(ds, d, dtls_assoc_get(ds->assoc));
}

/*
 * Let the datagrams that are being cut be of dtls_sock.assoc, which was just peeled off.
 * The caller holds dtls_sock.lock.
 */
void dtls_rest_adopt(struct dtls_sock *ds)
{
	lockdep_assert_held(&ds->lock);
	adopt_datagram(ds, &ds->current_dgram);
	adopt_datagram(ds, &ds->kept_dgram);
}

/*
 * Take @assoc out of @d. What is left of the datagram that @assoc has is dropped. The
 * datagrams behind it in @d->skb, a coalesced one, may belong to others: the next look
 * finds out whose they are, by a table that has @assoc no more.
 */
static void forget_datagram(struct dtls_sock *ds, struct dtls_dgram *d,
			    const struct dtls_assoc *assoc)
{
	if (!d->skb || d->assoc != assoc)
		return;
	if (d->begun)
		skip_to(ds, d, d->seg_end);
	if (d->skb)
		dtls_dgram_set_owner(ds, d, dtls_assoc_get(ds->assoc));
}

/*
 * Drop the rest of each datagram that belongs to @assoc, which no look-up of the table
 * finds any more, and take @assoc out of what is being cut. The caller holds
 * dtls_sock.lock, a spin lock, and a reference to @assoc, so that none of the references
 * put here is the last one.
 */
void dtls_rest_forget(struct dtls_sock *ds, const struct dtls_assoc *assoc)
{
	lockdep_assert_held(&ds->lock);
	forget_datagram(ds, &ds->current_dgram, assoc);
	forget_datagram(ds, &ds->kept_dgram, assoc);
}

/*
 * Call dtls_rest_forget() for @assoc, which another socket has peeled off. Takes
 * dtls_sock.lock.
 */
void dtls_rest_leave(struct dtls_sock *ds, const struct dtls_assoc *assoc)
{
	spin_lock(&ds->lock);
	dtls_rest_forget(ds, assoc);
	spin_unlock(&ds->lock);
}
