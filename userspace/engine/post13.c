// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file exchanges messages after a handshake of DTLS 1.3: tickets, key
 * updates and, with cids13.c, connection IDs. One message of this end is under
 * way at a time. Messages of the peer are put together within the limits of a
 * handshake, or lower ones on a server.
 */
#include "ack.h"
#include "cids13.h"
#include "handout.h"
#include "handshake13.h"
#include "post13.h"
#include "resumption.h"
#include "retransmit.h"

#define SERVER_MESSAGE_MAX	4096	/* bytes of a client's message after the handshake */

/*
 * These are the values of the field request_update in KeyUpdate (RFC 8446 4.6.3).
 */
#define UPDATE_NOT_REQUESTED	0
#define UPDATE_REQUESTED	1

static int unexpected(struct kdtls_engine *e, const char *reason)
{
	return dtls_fail(e, KDTLS_EPROTOCOL, KDTLS_ALERT_UNEXPECTED_MESSAGE,
			 reason);
}

static int next_key(struct kdtls_engine *e, int direction)
{
	const struct dtls_crypto *c = &e->ep->crypto;
	struct dtls13 *d = e->d13;
	bool rx = direction == DTLS_RX;
	struct dtls_key_info key;
	int err;

	if (!dtls_keys13_update(c, dtls_suite_md(c, e->suite),
				dtls13_secret(d, rx ? DTLS_SECRET_RX :
						      DTLS_SECRET_TX))) {
		dtls_crypto_forget_keys(c);
		return dtls_fail_internal(e);
	}
	if (rx)
		d->rx_epoch++;
	else
		d->tx_epoch++;
	err = dtls_handshake13_data_key(e, direction, &key);
	dtls_crypto_forget_keys(c);
	if (!err)
		err = dtls_handout_keys(e, NULL, rx ? &key : NULL,
					rx ? NULL : &key);
	OPENSSL_cleanse(&key, sizeof(key));
	return err;
}

static int key_update(struct kdtls_engine *e, struct dtls_bytes body)
{
	struct dtls13 *d = e->d13;

	if (body.len != 1)
		return dtls_fail_decode(e, "malformed KeyUpdate");
	if (body.p[0] > UPDATE_REQUESTED)
		return dtls_fail_illegal(e, "unknown kind of KeyUpdate");
	if (d->rx_epoch == DTLS_EPOCH_MAX)
		return unexpected(e, "no epochs are left");
	if (body.p[0] == UPDATE_REQUESTED && !d->updating)
		d->update_due = true;
	return next_key(e, DTLS_RX);
}

/* Derive the pre-shared key of a ticket (RFC 8446 4.6.1). */
static bool ticket_key(const struct kdtls_engine *e, struct dtls_bytes nonce,
		       struct dtls_session *s)
{
	const struct dtls_crypto *c = &e->ep->crypto;
	bool ok;

	memset(s->master, 0, sizeof(s->master));
	ok = dtls_keys13_expand(c, dtls_suite_md(c, e->suite),
				e->d13->resumption,
				&(struct dtls_label){ "resumption", nonce },
				s->master, dtls_suite_hash_len(e->suite));
	dtls_crypto_forget_keys(c);
	return ok;
}

static int new_session_ticket(struct kdtls_engine *e, struct dtls_bytes body)
{
	struct dtls_bytes nonce, ticket;
	struct dtls_writer w = { 0 };
	struct dtls_extensions x;
	struct dtls_session s;
	u32 life, age_add, early = 0;
	int err = 0;

	if (!rd_u32(&body, 4, &life) || !rd_u32(&body, 4, &age_add) ||
	    !rd_vec(&body, 1, &nonce) || !rd_vec(&body, 2, &ticket) ||
	    !ticket.len || body.len < 2 || !dtls_ext_parse(&x, body) ||
	    (dtls_ext_has(&x, DTLS_EXT_EARLY_DATA) &&
	     (!rd_u32(&x.ext[DTLS_EXT_EARLY_DATA], 4, &early) ||
	      x.ext[DTLS_EXT_EARLY_DATA].len)))
		return dtls_fail_decode(e, "malformed NewSessionTicket");
	if (!e->ep->config.ops.session || !life ||
	    dtls_endpoint_flag(e->ep, KDTLS_NO_TICKETS))
		return 0;
	dtls_resumption_session(e, &s);
	s.id.len = 0;
	s.ticket = ticket;
	s.age_add = age_add;
	s.early = early;
	if (life < s.life)
		s.life = life;
	if (!ticket_key(e, nonce, &s))
		err = dtls_fail_internal(e);
	dtls_session_write(&s, &w);
	if (!err && !w.failed)
		e->ep->config.ops.session(e->ctx, w.p, w.len);
	wr_free(&w);
	OPENSSL_cleanse(&s, sizeof(s));
	return err;
}

static int receive(struct kdtls_engine *e, u8 type, struct dtls_bytes body)
{
	switch (type) {
	case DTLS_KEY_UPDATE:
		return key_update(e, body);
	case DTLS_NEW_SESSION_TICKET:
		if (e->server)
			break;
		return new_session_ticket(e, body);
	case DTLS_REQUEST_CONNECTION_ID:
		return dtls_cids13_requested(e, body);
	case DTLS_NEW_CONNECTION_ID:
		return dtls_cids13_given(e, body);
	}
	return unexpected(e, "a message came out of turn");
}

/* Receive the messages that are complete, in their order. */
static int deliver(struct kdtls_engine *e)
{
	const struct dtls_incoming *m;
	struct dtls13 *d = e->d13;
	int err = 0;

	while (!err && (m = dtls_reassembly_next(e->m->in))) {
		/*
		 * KeyUpdate is the last message of its epoch: erratum 8047 of
		 * RFC 9147, and section 8 of the draft of its successor.
		 */
		if (m->epoch != d->rx_epoch)
			return unexpected(e, "a message under an old key");
		err = receive(e, m->data[0], (struct dtls_bytes){
				m->data + DTLS_MESSAGE_HEADER,
				m->len - DTLS_MESSAGE_HEADER });
		d->receive_seq++;
		dtls_reassembly_pop(e->m->in);
	}
	return err;
}

/*
 * Return how many bytes a message after the handshake may have, and set @held to the bytes
 * of all that wait. The longest message that a server takes is a list of connection IDs. A
 * server may have a million clients that are silent in the middle of a message.
 */
static size_t late_max(const struct kdtls_engine *e, size_t *held)
{
	size_t max = e->ep->config.max_message;

	*held = e->server ? 2 * SERVER_MESSAGE_MAX : e->ep->config.max_handshake;
	return e->server && max > SERVER_MESSAGE_MAX ? SERVER_MESSAGE_MAX : max;
}

/*
 * Take a fragment of a message. Set @kept if the fragment is stored, or was
 * received before. Return 0 or an error.
 */
static int take_fragment(struct kdtls_engine *e, u64 epoch,
			 const struct dtls_fragment *f, bool *kept)
{
	struct dtls13 *d = e->d13;
	size_t held, max = late_max(e, &held);
	int err = 0;

	*kept = f->seq < d->receive_seq;
	if (*kept)
		return 0;
	if (!e->m->in)
		e->m->in = OPENSSL_zalloc(sizeof(*e->m->in));
	if (!e->m->in)
		return 0;
	e->m->in->next = (u16)d->receive_seq;
	switch (dtls_reassembly_add(e->m->in, f, epoch, max, held)) {
	case DTLS_REASSEMBLY_TAKEN:
		*kept = true;
		break;
	case DTLS_REASSEMBLY_TOO_LONG:
		return dtls_fail_illegal(e, "a message is too long");
	default:
		e->dropped++;
		break;
	}
	if (*kept)
		err = deliver(e);
	if (!e->m->in->held) {
		OPENSSL_free(e->m->in);
		e->m->in = NULL;
	}
	return err;
}

/*
 * Answer a fragment of the handshake that the peer sends again, because it has
 * not received the last flight or the ACK of this end. Return 0 or an error.
 */
static int sent_again(struct kdtls_engine *e, const struct dtls_record *record,
		      const struct dtls_fragment *f)
{
	if (f->seq >= e->d13->receive_seq)
		return unexpected(e, "a message came after Finished");
	if (e->d13->arrived && e->server && f->seq < e->d13->receive_seq) {
		dtls_ack_note(e, record);
		dtls_ack_after(e, 1000ULL * e->ep->config.ack_delay);
		dtls_ack_expire(e);
	} else if (!e->d13->arrived && f->seq == e->peer_finished) {
		dtls_retransmit_paced(e);
	}
	return 0;
}

int dtls_post13_receive(struct kdtls_engine *e,
			const struct dtls_record *record,
			struct dtls_bytes content)
{
	bool kept = false, all_kept = true;
	struct dtls_fragment f;

	/* Anybody can write a message in the clear, so it is ignored. */
	if (!record->epoch)
		return 0;
	while (content.len) {
		if (!dtls_fragment_parse(&content, &f)) {
			e->dropped++;
			return 0;
		}
		if (record->epoch < DTLS13_EPOCH_DATA) {
			if (sent_again(e, record, &f))
				return -e->error;
			all_kept = false;
			continue;
		}
		if (take_fragment(e, record->epoch, &f, &kept))
			return -e->error;
		all_kept &= kept;
	}
	if (all_kept) {
		dtls_ack_note(e, record);
		dtls_ack_after(e, 1000ULL * e->ep->config.ack_delay);
		dtls_ack_expire(e);
	}
	return 0;
}

int dtls_post13_acknowledged(struct kdtls_engine *e)
{
	struct dtls13 *d = e->d13;

	dtls_timer_answered(&e->m->timer, e->m->now);
	dtls_timer_stop(&e->m->timer);
	dtls_flight_clear(&e->m->flight);
	if (!d->arrived) {
		d->arrived = true;
		dtls_state_drop_keys(e);
	}
	if (!d->updating)
		return 0;
	d->updating = false;
	return next_key(e, DTLS_TX);
}

static bool write_ticket(struct kdtls_engine *e, struct dtls_writer *w)
{
	/* A handshake makes one ticket, so its nonce need not vary. */
	static const u8 nonce[] = { 0 };
	struct dtls_writer ticket = { 0 };
	struct dtls_session s;
	size_t list, ext;
	u8 age[4];
	bool ok;

	dtls_resumption_session(e, &s);
	s.id.len = 0;
	dtls_state_random(e, age, sizeof(age));
	s.age_add = (u32)dtls_get_be(age, 4);
	s.early = e->ep->config.max_early_data;
	ok = ticket_key(e, (struct dtls_bytes){ nonce, sizeof(nonce) }, &s) &&
	     dtls_ticket_seal(&e->ep->tickets, &e->ep->crypto, &s, s.made,
			      &ticket);
	wr_int(w, 4, s.life);
	wr_int(w, 4, s.age_add);
	wr_vec(w, 1, nonce, sizeof(nonce));
	wr_vec(w, 2, ticket.p, ticket.len);
	list = wr_open(w, 2);
	if (s.early) {
		ext = dtls_ext_open(w, DTLS_EXT_EARLY_DATA);
		wr_int(w, 4, s.early);
		wr_close(w, ext, 2);
	}
	wr_close(w, list, 2);
	OPENSSL_cleanse(&s, sizeof(s));
	wr_free(&ticket);
	return ok;
}

/*
 * Write the body of the message that is due first. Return the type of the
 * message, or 0 if none is due. Clear @ok on failure.
 */
static u8 write_next(struct kdtls_engine *e, struct dtls_writer *w, bool *ok)
{
	struct dtls13 *d = e->d13;
	u8 type;

	if (d->ticket_due) {
		d->ticket_due = false;
		*ok = write_ticket(e, w);
		dtls_state_drop_resumption(e);
		return DTLS_NEW_SESSION_TICKET;
	}
	type = dtls_cids13_write(e, w);
	if (type)
		return type;
	if (d->update_due && d->tx_epoch < DTLS_EPOCH_MAX) {
		wr_u8(w, d->update_both ? UPDATE_REQUESTED :
					  UPDATE_NOT_REQUESTED);
		d->update_due = false;
		d->update_both = false;
		d->updating = true;
		return DTLS_KEY_UPDATE;
	}
	return 0;
}

int dtls_post13_next_flight(struct kdtls_engine *e)
{
	struct dtls_timer_limits limits;
	struct dtls13 *d = e->d13;
	struct dtls_writer w = { 0 };
	bool ok = true;
	u32 len;
	u8 type;

	if (e->m->flight.first || !d->arrived || d->send_seq > DTLS_MESSAGE_SEQ_MAX)
		return 0;
	wr_room(&w, DTLS_MESSAGE_HEADER);
	type = write_next(e, &w, &ok);
	if (type && ok && !w.failed) {
		len = (u32)(w.len - DTLS_MESSAGE_HEADER);
		dtls_fragment_write(w.p, type, len, (u16)d->send_seq++, 0,
				    len);
		ok = dtls_flight_add(&e->m->flight, d->tx_epoch,
				     DTLS_CT_HANDSHAKE, w.p, w.len);
		/*
		 * If all records were acknowledged, the next ACK does not name
		 * them once more.
		 */
		if (dtls_ack_expiry(e) == KDTLS_NEVER)
			dtls_state_drop_acks(e);
		dtls_state_timer_limits(e, &limits);
		dtls_timer_start(&e->m->timer, &limits, e->m->now);
	}
	ok &= !w.failed;
	wr_free(&w);
	return ok ? 0 : dtls_fail_memory(e);
}

void dtls_post13_event(struct kdtls_engine *e, u16 event)
{
	struct dtls13 *d = e->d13;

	if (event != DTLS_EVENT_TX_LIMIT && event != DTLS_EVENT_RX_LIMIT)
		return;
	/* The peer changes its write key when a KeyUpdate asks for it. */
	d->update_both |= event == DTLS_EVENT_RX_LIMIT;
	if (!d->updating || d->update_both)
		d->update_due = true;
}

int kdtls_engine_update_keys(struct kdtls_engine *engine, bool both)
{
	struct dtls13 *d = engine->d13;

	if (!dtls_state_can_update13(engine))
		return -KDTLS_EUSAGE;
	/* A KeyUpdate that is under way already serves the purpose. */
	if (d->updating && !both)
		return 0;
	d->update_due = true;
	d->update_both |= both;
	return 0;
}

void dtls_post13_expire(struct kdtls_engine *e)
{
	if (e->m->linger <= e->m->now)
		dtls_state_drop_keys(e);
}
