// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file gives and takes new connection IDs after a handshake. See cids13.h.
 */
#include "cids13.h"

/*
 * A peer that asks for connection IDs gets at most so many. The kernel keeps
 * DTLS_CIDS_MAX, and half of them stay for connection IDs that the peer has
 * already.
 */
#define ANSWER_MAX	(DTLS_CIDS_MAX / 2)

/* These are the values of the field usage in NewConnectionId (RFC 9147 9). */
#define CID_IMMEDIATE	0
#define CID_SPARE	1

/* Return the connection IDs that are being exchanged, or NULL without memory. */
static struct dtls_cids13 *cids13(struct kdtls_engine *e)
{
	if (!e->d13->cids)
		e->d13->cids = OPENSSL_zalloc(sizeof(*e->d13->cids));
	return e->d13->cids;
}

/* Return true if a NewConnectionId message is to be sent. */
static bool is_giving(const struct dtls13 *d)
{
	return d->cids && d->cids->fresh.len;
}

/*
 * Let the owner accept a new connection ID for the peer to use, and write it to
 * @w, which has room for it. Return 0, or an error if there is none.
 */
static int make_cid(struct kdtls_engine *e, struct dtls_writer *w)
{
	u8 cid[DTLS_CID_SIZE_MAX];

	if (!dtls_state_random(e, cid, e->cids.len))
		return -e->error;
	if (e->ep->config.ops.cid(e->ctx, cid, e->cids.len))
		return -KDTLS_ECALLBACK;
	if (!dtls_cids_add(&e->cids, cid, e->cids.len))
		return -KDTLS_EMEMORY;
	wr_vec(w, 1, cid, e->cids.len);
	return 0;
}

/*
 * Make up to @count connection IDs for the peer to use, and the message that
 * tells them. The owner accepts each connection ID before the message goes out.
 * One that was accepted has pushed out an older one, which the peer may use: so
 * it is told whatever becomes of those behind it, unless there is no memory to
 * note it.
 * Return: 0; or an error, and no message is due.
 */
static int make_cids(struct kdtls_engine *e, unsigned int count, u8 usage)
{
	struct dtls_cids13 *lists = cids13(e);
	struct dtls_writer *w;
	unsigned int made;
	size_t list;
	int err = 0;

	if (!lists)
		return -KDTLS_EMEMORY;
	w = &lists->fresh;
	/* With all its room had first, what follows is written for certain. */
	if (!wr_room(w, 2 + count * (1U + e->cids.len) + 1)) {
		wr_free(w);
		return -KDTLS_EMEMORY;
	}
	w->len = 0;
	list = wr_open(w, 2);
	for (made = 0; made < count && !err; made += !err)
		err = make_cid(e, w);
	wr_close(w, list, 2);
	wr_u8(w, usage);
	/* A failed engine tells nothing more. */
	if (made && e->state != KDTLS_FAILED)
		err = 0;
	if (err)
		wr_free(w);
	return err;
}

int kdtls_engine_give_cids(struct kdtls_engine *engine, unsigned int count,
			   bool at_once)
{
	if (!dtls_state_can_tell13(engine) || !engine->cids.len ||
	    !engine->ep->config.ops.cid || is_giving(engine->d13) ||
	    !count || count > DTLS_CIDS_MAX)
		return -KDTLS_EUSAGE;
	return make_cids(engine, count, at_once ? CID_IMMEDIATE : CID_SPARE);
}

int kdtls_engine_request_cids(struct kdtls_engine *engine, unsigned int count)
{
	struct dtls13 *d = engine->d13;

	if (!dtls_state_can_tell13(engine) || !engine->cid_tx_len ||
	    d->cids_wanted || !count ||
	    count > (unsigned int)(DTLS_CIDS_MAX - d->spare_count))
		return -KDTLS_EUSAGE;
	d->cids_wanted = (u8)count;
	d->request_due = true;
	return 0;
}

static int unexpected(struct kdtls_engine *e)
{
	return dtls_fail(e, KDTLS_EPROTOCOL, KDTLS_ALERT_UNEXPECTED_MESSAGE,
			 "no connection ID was agreed on");
}

int dtls_cids13_requested(struct kdtls_engine *e, struct dtls_bytes body)
{
	u8 count;

	if (!rd_u8(&body, &count) || body.len)
		return dtls_fail_decode(e, "malformed RequestConnectionId");
	if (!e->cids.len)
		return unexpected(e);
	/* A NewConnectionId that has not gone out yet answers this request. */
	if (is_giving(e->d13))
		return 0;
	if (!e->ep->config.ops.cid)
		count = 0;
	else if (count > ANSWER_MAX)
		count = ANSWER_MAX;
	/* An empty list is an answer as well (RFC 9147 9). */
	if (make_cids(e, count, CID_SPARE) &&
	    (e->state == KDTLS_FAILED || make_cids(e, 0, CID_SPARE)))
		return dtls_fail_memory(e);
	return 0;
}

/*
 * Use the first spare connection ID of the peer in records from now on. If the
 * owner cannot change the connection ID of its write key, the next write key
 * gets it.
 */
static int take_spare(struct kdtls_engine *e)
{
	const struct kdtls_ops *ops = &e->ep->config.ops;
	struct dtls13 *d = e->d13;
	struct dtls_bytes list, cid;
	struct dtls_writer *spare;
	u8 *copy;

	if (!d->spare_count)
		return -KDTLS_EUSAGE;
	spare = &d->cids->spare;
	list = (struct dtls_bytes){ spare->p, spare->len };
	if (!rd_vec(&list, 1, &cid))
		return -KDTLS_EUSAGE;
	copy = OPENSSL_memdup(cid.p, cid.len);
	if (!copy)
		return -KDTLS_EMEMORY;
	if (!ops->peer_cid || ops->peer_cid(e->ctx, copy, cid.len))
		d->update_due |= !d->updating;
	OPENSSL_free(e->cid_tx);
	e->cid_tx = copy;
	e->cid_tx_len = (u8)cid.len;
	memmove(spare->p, list.p, list.len);
	spare->len = list.len;
	d->spare_count--;
	return 0;
}

int kdtls_engine_change_cid(struct kdtls_engine *engine)
{
	return dtls_state_can_update13(engine) ? take_spare(engine) :
						 -KDTLS_EUSAGE;
}

int dtls_cids13_given(struct kdtls_engine *e, struct dtls_bytes body)
{
	struct dtls13 *d = e->d13;
	struct dtls_bytes list, cid;
	struct dtls_cids13 *lists;
	u8 usage;

	if (!rd_vec(&body, 2, &list) || !rd_u8(&body, &usage) || body.len)
		return dtls_fail_decode(e, "malformed NewConnectionId");
	if (usage > CID_SPARE)
		return dtls_fail_illegal(e, "unknown use of a connection ID");
	if (!e->cid_tx_len)
		return unexpected(e);
	lists = cids13(e);
	if (!lists)
		return dtls_fail_memory(e);
	if (!d->request_due)
		d->cids_wanted = 0;
	/*
	 * The peer wants one of these connection IDs to be used at once, so
	 * older spare ones are dropped.
	 */
	if (usage == CID_IMMEDIATE) {
		wr_free(&lists->spare);
		d->spare_count = 0;
	}
	while (list.len) {
		if (!rd_vec(&list, 1, &cid))
			return dtls_fail_decode(e, "malformed NewConnectionId");
		if (!cid.len)
			return dtls_fail_illegal(e, "an empty connection ID");
		if (d->spare_count == DTLS_CIDS_MAX)
			continue;
		wr_vec(&lists->spare, 1, cid.p, cid.len);
		d->spare_count++;
	}
	if (lists->spare.failed)
		return dtls_fail_memory(e);
	if (usage == CID_SPARE)
		return 0;
	if (!d->spare_count)
		return dtls_fail_illegal(e, "no connection ID to use");
	return take_spare(e) ? dtls_fail_memory(e) : 0;
}

u8 dtls_cids13_write(struct kdtls_engine *e, struct dtls_writer *w)
{
	struct dtls13 *d = e->d13;

	if (is_giving(d)) {
		wr_bytes(w, d->cids->fresh.p, d->cids->fresh.len);
		wr_free(&d->cids->fresh);
		return DTLS_NEW_CONNECTION_ID;
	}
	if (d->request_due) {
		wr_u8(w, d->cids_wanted);
		d->request_due = false;
		return DTLS_REQUEST_CONNECTION_ID;
	}
	return 0;
}
