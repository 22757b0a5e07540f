// SPDX-License-Identifier: GPL-2.0
/*
 * A reader with UDP_GRO gets a chain of records: the first one, and the records that
 * follow it in the same coalesced datagram as long as they are of the same size. The
 * last record may be shorter.
 */
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/sock.h>

#include "chain.h"
#include "intake.h"
#include "msg.h"
#include "reader.h"
#include "ready.h"
#include "run.h"
#include "rx.h"
#include "scratch.h"
#include "sock.h"
#include "wait.h"

/**
 * struct chain - records of one coalesced datagram for a user with UDP_GRO
 * @dgram:	serial of the datagram
 * @first:	header of the first record
 * @size:	bytes of the first record; a shorter record is the last one
 * @copied:	bytes of the records after the first
 * @n:		the number of records after the first
 * @last:	no more records may follow
 */
struct chain {
	u64 dgram;
	const struct dtls_record *first;
	int size;
	int copied;
	unsigned int n;
	bool last;
};

/*
 * room_in() returns how many more records of chain->size bytes fit into the user's
 * buffer and into what UDP_GRO can describe.
 */
static unsigned int room_in(const struct dtls_reader *r,
			    const struct chain *chain)
{
	if (chain->last)
		return 0;
	return min_t(size_t, (r->len - chain->copied) / chain->size - 1,
		     UDP_MAX_SEGMENTS - 1 - chain->n);
}

/*
 * add_run() gives the user the records of @rx that may follow in @chain, with one
 * copy for those that lie side by side in @scratch, and keeps the others.
 */
static void add_run(struct dtls_reader *r, struct chain *chain,
		    struct dtls_scratch *scratch, const struct dtls_run *rx)
{
	const struct dtls_opened *o = rx->opened, *end = o + rx->n, *next;
	int size = chain->size, piece;

	for (; o < end; o = next) {
		next = o + 1;
		if (o->verdict < 0)
			chain->last = true;
		/*
		 * A record with more content, which has less padding, cannot
		 * extend what UDP_GRO describes.
		 */
		if (o->verdict != DTLS_RX_DATA || chain->last ||
		    o->len > size) {
			dtls_rx_keep(r->ds, rx, o - rx->opened);
			chain->last |= o->verdict == DTLS_RX_DATA;
			continue;
		}
		chain->last = o->len < size;
		piece = o->len;
		while (next < end && piece >= size &&
		       next->verdict == DTLS_RX_DATA && next->len == size &&
		       next->content == o->content + piece) {
			piece += size;
			next++;
		}
		if (!dtls_reader_copy_opened(r, scratch, o->content, piece)) {
			chain->last = true;
			next = o;
			continue;
		}
		sk_peek_offset_bwd(r->ds->sk, piece);
		chain->copied += piece;
		chain->n += next - o;
	}
}

/* add_received() adds records that follow in the datagram and are not opened yet. */
static void add_received(struct dtls_reader *r, struct chain *chain,
			 struct dtls_scratch *scratch)
{
	struct dtls_run *rx = &scratch->rx[1];
	struct dtls_sock *ds = r->ds;
	unsigned int max;

	while ((max = room_in(r, chain)) &&
	       dtls_intake_coalesced(ds, chain->dgram, chain->first, rx,
				     min(max, DTLS_RUN_MAX))) {
		dtls_rx_open(ds, rx, scratch);
		add_run(r, chain, scratch, rx);
		dtls_wait_done(ds, rx);
	}
}

/* add_ready() adds records that follow in the datagram from the ready queue. */
static void add_ready(struct dtls_reader *r, struct chain *chain)
{
	struct dtls_sock *ds = r->ds;
	struct dtls_msg *m;

	while (room_in(r, chain) &&
	       (m = dtls_ready_coalesced(ds, chain->dgram, chain->first,
					 chain->size))) {
		if (!dtls_reader_copy(r, m->data, m->len)) {
			dtls_ready_put_back(ds, m);
			break;
		}
		sk_peek_offset_bwd(ds->sk, m->len);
		chain->copied += m->len;
		chain->n++;
		chain->last = m->len < chain->size;
		dtls_msg_put(ds, m);
	}
}

/*
 * end_chain() gives the user the control message UDP_GRO with the size of the records
 * if there are several. Returns how many bytes all records have.
 */
static int end_chain(struct dtls_reader *r, struct chain *chain)
{
	if (chain->n)
		put_cmsg(r->msg, SOL_UDP, UDP_GRO, sizeof(chain->size),
			 &chain->size);
	return chain->size + chain->copied;
}

/*
 * dtls_chain_opened() gives the user the records that may come with @scratch->rx[0],
 * a record of @size bytes that was just opened. Returns what recv() returns.
 */
int dtls_chain_opened(struct dtls_reader *r, struct dtls_scratch *scratch,
		      int size)
{
	struct chain chain = {
		.dgram = scratch->rx->dgram,
		.first = &scratch->rx->rec,
		.size = size,
	};

	add_received(r, &chain, scratch);
	return end_chain(r, &chain);
}

/*
 * dtls_chain_ready() gives the user the records that may come with @m, which was taken
 * from the ready queue. Returns what recv() returns.
 */
int dtls_chain_ready(struct dtls_reader *r, const struct dtls_msg *m)
{
	struct chain chain = {
		.dgram = m->dgram,
		.first = &m->rec,
		.size = m->len,
	};
	struct dtls_scratch *scratch = NULL;

	add_ready(r, &chain);
	if (room_in(r, &chain) && list_empty(&r->ds->ready))
		scratch = dtls_scratch_get(true);
	if (scratch) {
		add_received(r, &chain, scratch);
		dtls_scratch_put(scratch);
	}
	return end_chain(r, &chain);
}
