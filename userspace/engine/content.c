// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file takes the content of records: handshake fragments, alerts, ACKs,
 * heartbeats and application data.
 */
#include "ack.h"
#include "alert.h"
#include "client_hello.h"
#include "content.h"
#include "heartbeat.h"
#include "post13.h"
#include "retransmit.h"

void dtls_content_hold(struct kdtls_engine *e, bool opened, const u8 *data,
		       size_t len)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_held **end = &hs->held;
	size_t size = sizeof(struct dtls_held) + len;
	struct dtls_held *h;

	if (size > e->ep->config.max_early ||
	    hs->held_len > e->ep->config.max_early - size)
		goto drop;
	h = OPENSSL_malloc(size);
	if (!h)
		goto drop;
	h->next = NULL;
	h->opened = opened;
	h->len = len;
	memcpy(h->data, data, len);
	hs->held_len += size;
	while (*end)
		end = &(*end)->next;
	*end = h;
	return;
drop:
	e->dropped++;
}

/*
 * A server that keeps no state for a client numbers each HelloVerifyRequest 0,
 * also one that asks for another cookie because the first was too old. Return
 * true if @f is such a request, and not a copy of the one before: the server
 * counts its messages from the number of this request on (RFC 6347 4.2.1).
 *
 * A request has the record number of the hello that it answers. One that
 * answers an older hello, sent twice, asks for nothing: the server may have
 * taken the newest hello since.
 */
static bool asks_for_another_cookie(const struct kdtls_engine *e,
				    const struct dtls_record *record,
				    const struct dtls_fragment *f)
{
	const struct dtls_handshake *hs = e->hs;
	struct dtls_bytes body = f->body, cookie;
	u16 version;

	return !e->server && !e->version && !hs->retried &&
	       hs->step == CLIENT_SERVER_HELLO &&
	       f->type == DTLS_HELLO_VERIFY_REQUEST && f->seq < hs->in.next &&
	       record->seq >= hs->hello_record &&
	       f->body.len == f->length && rd_u16(&body, &version) &&
	       rd_vec(&body, 1, &cookie) &&
	       !dtls_bytes_equal(cookie, hs->cookie.p, hs->cookie.len);
}

/*
 * A client takes back at most so many ServerHellos in a handshake, as each costs
 * a key exchange.
 */
#define TAKEN_BACK_MAX	16

/* Return true if @f differs from the ServerHello that was taken. */
static bool differs_from_answer(const struct dtls_handshake *hs,
				const struct dtls_fragment *f)
{
	const struct dtls_transcript *t = &hs->transcript;
	const u8 *p = t->all.p + hs->answer;

	if (dtls_get_be(p + 1, 3) != f->length)
		return true;
	p += t->short_headers ? DTLS_SHORT_HEADER : DTLS_MESSAGE_HEADER;
	return memcmp(p + f->offset, f->body.p, f->body.len);
}

/*
 * Nothing in a ServerHello tells which hello it answers. It may answer one that
 * this client sent from the same address in a handshake before, or be a
 * stranger's. Return true if nothing has shown yet that the ServerHello which was
 * taken is the right one: in DTLS 1.3, and in a resumed handshake of DTLS 1.2, that
 * is the first record that verifies. Where the messages behind the ServerHello come
 * in the clear, the first of them decides.
 */
static bool is_unproven_answer(const struct kdtls_engine *e)
{
	const struct dtls_outgoing *sent = e->m->flight.first;
	const struct dtls_handshake *hs = e->hs;

	return !e->server && hs->step != CLIENT_SERVER_HELLO &&
	       sent && sent->type == DTLS_CT_HANDSHAKE &&
	       sent->data[0] == DTLS_CLIENT_HELLO &&
	       (e->m->rx ? !dtls_state_peer_has_keys(e) :
			   hs->in.next == hs->answer_seq + 1);
}

/*
 * Return true if @f is of another ServerHello, which takes the place of one that is
 * not proven.
 */
static bool is_of_another_answer(const struct kdtls_engine *e,
				 const struct dtls_record *record,
				 const struct dtls_fragment *f)
{
	return !record->epoch && f->type == DTLS_SERVER_HELLO &&
	       is_unproven_answer(e) && f->seq == e->hs->answer_seq &&
	       e->hs->taken_back < TAKEN_BACK_MAX &&
	       differs_from_answer(e->hs, f);
}

/* Return true if the peer may send certificates, or names of authorities. */
static bool expects_certificates(const struct kdtls_engine *e)
{
	return !e->server || e->hs->cert_requested;
}

/*
 * Return how many bytes a message of @type may have. Certificate chains and
 * lists of authorities may be much longer than other messages. If the peer may
 * send neither, no message of that length is taken.
 */
static size_t max_message(const struct kdtls_engine *e, u8 type)
{
	const struct kdtls_config *config = &e->ep->config;

	return (type == DTLS_CERTIFICATE || type == DTLS_CERTIFICATE_REQUEST) &&
	       expects_certificates(e) ? config->max_certificates :
					 config->max_message;
}

/*
 * Return how many bytes of incomplete and early messages may be kept. A flight
 * without certificates has at most as many bytes as four of the longest
 * messages.
 */
static size_t max_held(const struct kdtls_engine *e)
{
	const struct kdtls_config *config = &e->ep->config;
	size_t few = 4 * (size_t)config->max_message;

	return expects_certificates(e) || few > config->max_handshake ?
	       config->max_handshake : few;
}

/*
 * Take a handshake fragment. Set @fresh if the fragment was stored by this
 * call, and @lost if it was dropped, so that the peer has to send it again.
 * Return 0 or an error.
 */
static int take_fragment(struct kdtls_engine *e,
			 const struct dtls_record *record,
			 const struct dtls_fragment *f, bool *fresh, bool *lost)
{
	struct dtls_handshake *hs = e->hs;
	u64 epoch = record->epoch;

	/*
	 * Once there is a read key, the messages that are still to come are
	 * protected. One in the clear may be forged, and is not stored in the
	 * place of a protected one.
	 */
	if (!epoch && e->d13 && e->m->rx && f->seq >= hs->in.next) {
		e->dropped++;
		*lost = true;
		return 0;
	}
	if (asks_for_another_cookie(e, record, f)) {
		dtls_reassembly_clear(&hs->in);
		hs->in.next = f->seq;
	}
	if (is_of_another_answer(e, record, f) &&
	    dtls_client_hello_unanswered(e))
		return -e->error;
	switch (dtls_reassembly_add(&hs->in, f, epoch, max_message(e, f->type),
				    max_held(e))) {
	case DTLS_REASSEMBLY_TAKEN:
		*fresh = true;
		if (hs->answer_due) {
			hs->answer_due = false;
			dtls_timer_answered(&e->m->timer, e->m->now);
		}
		/*
		 * A part of the peer's answer acknowledges the whole flight
		 * that it answers (RFC 9147 7.2). The count of retransmissions
		 * starts anew for the rest of the answer. A part of a
		 * ServerHello does not show which hello it answers.
		 */
		if (e->version == DTLS_VERSION_1_3 && (epoch || e->server)) {
			dtls_flight_clear(&e->m->flight);
			e->m->timer.tries = 0;
		}
		return 0;
	case DTLS_REASSEMBLY_OLD:
		/*
		 * The peer sends its last flight again: it has not received the
		 * flight that answers it (RFC 6347 4.2.4).
		 */
		if (hs->flight_seen && f->seq == hs->flight_end &&
		    f->offset + f->body.len == f->length)
			dtls_retransmit_paced(e);
		return 0;
	case DTLS_REASSEMBLY_TOO_LONG:
		return dtls_fail_illegal(e, "a message is too long");
	default:
		e->dropped++;
		*lost = true;
		return 0;
	}
}

/* Take a verified handshake fragment of DTLS 1.2 after the handshake. */
static int late_message(struct kdtls_engine *e, const struct dtls_fragment *f)
{
	/*
	 * A request for a new handshake, whose messages are counted from 0
	 * again (RFC 6347 4.2.2), is refused.
	 */
	if (f->type == (e->server ? DTLS_CLIENT_HELLO : DTLS_HELLO_REQUEST)) {
		if (!f->offset)
			dtls_state_alert(e, DTLS_ALERT_WARNING,
					 KDTLS_ALERT_NO_RENEGOTIATION);
		return 0;
	}
	if (f->type != DTLS_FINISHED || f->seq != e->peer_finished)
		return dtls_fail(e, KDTLS_EPROTOCOL,
				 KDTLS_ALERT_UNEXPECTED_MESSAGE,
				 "a message came after the handshake");
	/*
	 * The peer sends its Finished again, as it has not received the flight
	 * that answers it. That flight goes out once, for the last fragment.
	 */
	if (f->offset + f->body.len == f->length)
		dtls_retransmit_last(e);
	return 0;
}

static int late_messages(struct kdtls_engine *e,
			 const struct dtls_record *record,
			 struct dtls_bytes content)
{
	struct dtls_fragment f;

	if (e->d13)
		return dtls_post13_receive(e, record, content);
	/*
	 * Anybody can write a message in the clear, so such a record is
	 * ignored.
	 */
	while (record->epoch && content.len) {
		if (!dtls_fragment_parse(&content, &f)) {
			e->dropped++;
			return 0;
		}
		if (late_message(e, &f))
			return -e->error;
	}
	return 0;
}

static int take_handshake(struct kdtls_engine *e,
			  const struct dtls_record *record,
			  struct dtls_bytes content)
{
	bool fresh = false, lost = false;
	struct dtls_fragment f;

	if (e->state == KDTLS_ESTABLISHED)
		return late_messages(e, record, content);
	while (content.len) {
		if (!dtls_fragment_parse(&content, &f)) {
			e->dropped++;
			return 0;
		}
		if (!e->hs)
			continue;
		if (take_fragment(e, record, &f, &fresh, &lost))
			return -e->error;
	}
	/*
	 * The peer does not send a record again that an ACK names. So a record
	 * is not acknowledged if any fragment in it was dropped (RFC 9147 7).
	 */
	if (fresh && !lost && dtls_state_may_be_13(e))
		dtls_ack_note(e, record);
	return 0;
}

int dtls_content_take(struct kdtls_engine *e, const struct dtls_record *record,
		      u8 type, struct dtls_bytes content)
{
	u64 epoch = record->epoch;

	switch (type) {
	case DTLS_CT_HANDSHAKE:
		return take_handshake(e, record, content);
	case DTLS_CT_ALERT:
		return dtls_alert_receive(e, epoch, content);
	case DTLS_CT_ACK:
		/*
		 * Once this end has the keys of application data the peer has
		 * keys, too. Anybody can write an ACK in the clear.
		 */
		if (!epoch && e->keys_out) {
			e->dropped++;
			return 0;
		}
		/*
		 * During a handshake the peer's answer ends the flight, too.
		 * After the handshake only an ACK of the whole flight does.
		 */
		return dtls_ack_receive(e, epoch, content) && e->keys_out ?
		       dtls_post13_acknowledged(e) : 0;
	case DTLS_CT_CHANGE_CIPHER_SPEC:
		/*
		 * The record's epoch tells which key a record is under. A
		 * ChangeCipherSpec adds nothing to that, and nothing
		 * authenticates it.
		 */
		return 0;
	case DTLS_CT_HEARTBEAT:
		if (epoch && e->state == KDTLS_ESTABLISHED)
			return dtls_heartbeat_receive(e, content);
		return 0;
	case DTLS_CT_APPLICATION_DATA:
		/*
		 * The epoch of the handshake has no application data (RFC 9147
		 * 6.1).
		 */
		if (epoch == DTLS13_EPOCH_HANDSHAKE && e->d13)
			return dtls_fail(e, KDTLS_EPROTOCOL,
					 KDTLS_ALERT_UNEXPECTED_MESSAGE,
					 "data under the handshake's key");
		/*
		 * In DTLS 1.2 application data may overtake the last messages
		 * of the handshake. The data waits until the peer's Finished
		 * was verified. In DTLS 1.3 the owner opens such records, as it
		 * has their keys.
		 */
		if (epoch && e->hs && content.len && !e->d13)
			dtls_content_hold(e, true, content.p, content.len);
		return 0;
	default:
		e->dropped++;
		return 0;
	}
}
