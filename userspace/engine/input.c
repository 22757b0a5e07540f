// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file takes datagrams in: it cuts them into records, finds the keys that
 * open them, and delivers handshake messages in their order. kdtls/engine.h
 * declares the calls.
 */
#include <openssl/err.h>

#include "ack.h"
#include "client.h"
#include "complete.h"
#include "content.h"
#include "datagram.h"
#include "early.h"
#include "gate.h"
#include "post13.h"
#include "server.h"
#include "state.h"

#define USED_UP	"forgeries have used up the read key"

/*
 * Count a record that did not verify under @key. A key whose limit of forgeries is reached
 * opens nothing more, and ends the handshake; after the handshake the association can do
 * without it. Return 0 or an error.
 */
static int drop_forgery(struct kdtls_engine *e, const struct dtls_protection *key)
{
	e->dropped++;
	if (dtls_protection_forgeries_left(key, e->ep->config.max_forgeries))
		return 0;
	if (e->hs)
		return dtls_fail(e, KDTLS_EFORGERIES, KDTLS_ALERT_BAD_RECORD_MAC,
				 USED_UP);
	dtls_protection_free(e->m->rx);
	e->m->rx = NULL;
	return 0;
}

/*
 * Open a record with @key, the key of the handshake or of early data, and take
 * its content. A record that does not verify is dropped. Return 0 or an error.
 */
static int open_record(struct kdtls_engine *e, struct dtls_protection *key,
		       struct dtls_record *record, const u8 *bytes)
{
	struct dtls_bytes content;
	long len;
	u8 type;
	u8 *out;
	int err;

	out = OPENSSL_malloc(record->fragment_len + 1);
	if (!out)
		return dtls_fail_memory(e);
	len = dtls_protection_open(key, record, bytes, out, &type);
	content = (struct dtls_bytes){ out, (size_t)len };
	if (len == DTLS_RECORD_UNTYPED) {
		/*
		 * Under the handshake's key a record without a content type is
		 * an error (RFC 8446 5.4). Under the keys of application data
		 * the record layer drops it, as DTLS does with invalid records
		 * (RFC 9147 4.5.2), and the association goes on.
		 */
		err = dtls_fail(e, KDTLS_EPROTOCOL,
				KDTLS_ALERT_UNEXPECTED_MESSAGE,
				"a record without a type");
	} else if (len < 0) {
		err = drop_forgery(e, key);
	} else if (key != e->m->rx) {
		err = dtls_early_take(e, content);
	} else {
		/*
		 * The peer has the keys of a handshake whose flight was sent to
		 * its address, which proves the address.
		 */
		e->unproven = false;
		err = dtls_content_take(e, record, type, content);
	}
	OPENSSL_clear_free(out, record->fragment_len + 1);
	return err;
}

/*
 * Return true if a record of DTLS 1.3 has the epoch bits of the data's first
 * epoch, which follows the handshake.
 */
static bool is_data_epoch(const struct dtls_record *record)
{
	return record->unified && (record->unified & DTLS_UNIFIED_EPOCH) ==
				  (DTLS13_EPOCH_DATA & DTLS_UNIFIED_EPOCH);
}

static bool is_early(const struct kdtls_engine *e,
		     const struct dtls_record *record)
{
	return e->server && record->unified &&
	       (record->unified & DTLS_UNIFIED_EPOCH) == DTLS13_EPOCH_EARLY;
}

/*
 * Take one record of a datagram. @named is from dtls_cids_fit(): it tells
 * whether the datagram has a connection ID of this association. Return 0 or an
 * error.
 */
static int take_record(struct kdtls_engine *e, struct dtls_record *record,
		       const u8 *bytes, bool named)
{
	struct dtls_bytes content = { bytes + record->header_len,
				      record->fragment_len };

	if (!record->epoch && content.len <= DTLS_RECORD_SIZE_MAX &&
	    record->type != DTLS_CT_TLS12_CID)
		return dtls_content_take(e, record, record->type, content);
	if (record->epoch != DTLS12_EPOCH_DATA && !record->unified) {
		e->dropped++;
		return 0;
	}
	if (e->m->early && is_early(e, record))
		return open_record(e, e->m->early->key, record, bytes);
	if (e->m->rx && !is_data_epoch(record) && !is_early(e, record))
		return open_record(e, e->m->rx, record, bytes);
	if (!e->hs || (is_data_epoch(record) && !named) ||
	    is_early(e, record)) {
		e->dropped++;
		return 0;
	}
	/*
	 * A protected record that arrives before ServerHello shows that
	 * ServerHello is missing: an ACK tells the peer so (RFC 9147 7.1).
	 */
	if (e->acks && e->version == DTLS_VERSION_1_3 && !e->m->rx)
		dtls_ack_after(e, 0);
	dtls_content_hold(e, false, bytes,
			  record->header_len + content.len);
	return 0;
}

/* Open the records that have waited for the key that is now there. */
static int open_held(struct kdtls_engine *e)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_held *h = hs->held;
	struct dtls_record record;
	struct dtls_held *next;
	int err = 0;

	hs->held = NULL;
	hs->held_len = 0;
	for (; h; h = next) {
		next = h->next;
		if (h->opened)
			dtls_content_hold(e, true, h->data, h->len);
		else if (!err && e->state == KDTLS_HANDSHAKE &&
			 !dtls_record_parse(&record, h->data, h->len, h->len,
					    e->cids.len))
			err = take_record(e, &record, h->data, true);
		OPENSSL_clear_free(h, sizeof(*h) + h->len);
	}
	return err;
}

/*
 * Return true if a message came under the right key. Hellos come in the clear.
 * Of the other messages, Finished alone comes under the new key in DTLS 1.2,
 * and all do in DTLS 1.3.
 */
static bool right_epoch(const struct kdtls_engine *e, u8 type, u64 epoch)
{
	bool hello = type == DTLS_CLIENT_HELLO || type == DTLS_SERVER_HELLO;

	if (e->version != DTLS_VERSION_1_3)
		return (epoch == DTLS12_EPOCH_DATA) == (type == DTLS_FINISHED);
	return epoch == (hello ? 0 : DTLS13_EPOCH_HANDSHAKE);
}

static int receive(struct kdtls_engine *e, const struct dtls_incoming *m)
{
	struct dtls_handshake *hs = e->hs;
	u8 type = m->data[0];
	struct dtls_bytes body = { m->data + DTLS_MESSAGE_HEADER,
				   m->len - DTLS_MESSAGE_HEADER };

	if (!right_epoch(e, type, m->epoch))
		return dtls_fail(e, KDTLS_EPROTOCOL,
				 KDTLS_ALERT_UNEXPECTED_MESSAGE,
				 "a message came under the wrong key");
	hs->before = hs->transcript.all.len;
	if (type != DTLS_HELLO_REQUEST && type != DTLS_HELLO_VERIFY_REQUEST &&
	    !dtls_transcript_add(&hs->transcript, m->data, m->len,
				 e->ep->config.max_handshake))
		return dtls_fail_memory(e);
	return e->server ? dtls_server_message(e, type, body) :
			   dtls_client_message(e, type, body);
}

/* Receive the messages that are complete, in their order. */
static int deliver(struct kdtls_engine *e)
{
	struct dtls_handshake *hs = e->hs;
	const struct dtls_incoming *m;
	bool had_keys;

	while (hs && e->state == KDTLS_HANDSHAKE &&
	       hs->step != DTLS_STEP_DONE &&
	       (m = dtls_reassembly_next(&hs->in))) {
		had_keys = e->m->rx;
		if (receive(e, m))
			return -e->error;
		dtls_reassembly_pop(&hs->in);
		if (e->m->rx && !had_keys && open_held(e))
			return -e->error;
	}
	return 0;
}

static int take_datagram(struct kdtls_engine *e, struct dtls_bytes d)
{
	struct dtls_record record;
	struct dtls_bytes bytes;
	bool named = false;

	while (dtls_datagram_next(&d, e->cids.len, &record, &bytes,
				  &e->dropped)) {
		/*
		 * The records behind a connection ID of another association
		 * belong to that association (RFC 9147 4).
		 */
		if (!dtls_cids_fit(&e->cids, &record, &named)) {
			e->dropped++;
			return 0;
		}
		if (take_record(e, &record, bytes.p, named) || deliver(e))
			return -e->error;
		if (e->state == KDTLS_CLOSED)
			return 0;
	}
	return 0;
}

/* Begin a handshake with the ClientHello that the gate has let in. */
static int begin_handshake(struct kdtls_engine *e, struct kdtls_hello *hello)
{
	const struct dtls_incoming m = {
		.data = hello->data,
		.len = hello->len,
	};
	int err;

	e->hs = dtls_state_handshake_new(e);
	if (!e->hs)
		return dtls_fail_memory(e);
	e->state = KDTLS_HANDSHAKE;
	e->hs->step = SERVER_CLIENT_HELLO;
	e->hs->in.next = hello->seq;
	e->hs->send_seq = hello->seq;
	/* The answer has the number of the hello's record (RFC 6347 4.2.1). */
	e->m->tx_seq = hello->record_seq;
	e->unproven = hello->unproven;
	dtls_state_credit(e, hello->heard);
	e->hs->hello = hello;
	err = receive(e, &m);
	e->hs->hello = NULL;
	e->hs->in.next++;
	if (err)
		return err;
	return take_datagram(e, (struct dtls_bytes){ hello->data + hello->len,
						     hello->rest_len });
}

/*
 * Give a first datagram to the gate, which keeps pieces of hellos for servers
 * that have no handshake yet.
 */
static int take_first(struct kdtls_engine *e, struct dtls_bytes d)
{
	const struct dtls_sender from = { { e->m->address, e->m->address_len }, 0 };
	struct kdtls_verdict v;
	int err;

	switch (dtls_gate_judge(e->ep, &from, d, e->m->now, &v)) {
	case KDTLS_GATE_ACCEPT:
		err = begin_handshake(e, v.hello);
		kdtls_hello_free(v.hello);
		return err;
	case KDTLS_GATE_REPLY:
		OPENSSL_free(e->m->reply);
		e->m->reply_len = v.reply_len;
		e->m->reply = OPENSSL_memdup(v.reply, v.reply_len);
		return 0;
	default:
		e->dropped++;
		return 0;
	}
}

/*
 * Set the time at which a part of the peer's flight is acknowledged, if the
 * rest does not follow until then; it is shorter if a message is missing in
 * between (RFC 9147 7.1).
 */
static void expect_rest(struct kdtls_engine *e)
{
	u64 pause = e->m->timer.timeout / 4;

	if (!e->hs || e->version != DTLS_VERSION_1_3 || !e->acks ||
	    !e->acks->timed || e->state != KDTLS_HANDSHAKE)
		return;
	dtls_ack_after(e, dtls_reassembly_gap(&e->hs->in) ? pause / 4 : pause);
}

/*
 * Take an event from the owner of the keys, which tells that a limit of a key
 * is near or reached. Return 0 or an error.
 */
static int take_event(struct kdtls_engine *e,
		      const struct dtls_record_info *info)
{
	u64 epoch = e->d13 ? e->d13->rx_epoch : DTLS12_EPOCH_DATA;

	if (e->state != KDTLS_ESTABLISHED)
		return 0;
	/*
	 * A key whose limit of forgeries is reached ends the association (RFC
	 * 9147 4.5.3), unless the key was changed in time.
	 */
	if (info->event == DTLS_EVENT_RX_EXPIRED && info->epoch == epoch)
		return dtls_fail(e, KDTLS_EFORGERIES,
				 KDTLS_ALERT_BAD_RECORD_MAC,
				 USED_UP);
	if (e->d13)
		dtls_post13_event(e, info->event);
	return 0;
}

static int take_input(struct kdtls_engine *e, struct dtls_bytes bytes,
		      const struct dtls_record_info *info)
{
	struct dtls_record record = { 0 };

	if (e->state == KDTLS_CLOSED || (!e->server && !e->hs &&
					 e->state == KDTLS_IDLE))
		return 0;
	if (info && info->flags & DTLS_RECORD_EVENT)
		return take_event(e, info);
	if (info && !(info->flags & DTLS_RECORD_RAW)) {
		/*
		 * The owner of the keys hands in content that it has verified,
		 * which it cannot have before it has the keys.
		 */
		if (e->state != KDTLS_ESTABLISHED || !info->epoch)
			return 0;
		if (e->d13 && !dtls_protection_permits(info->epoch, info->type)) {
			e->dropped++;
			return 0;
		}
		record.epoch = info->epoch;
		record.seq = info->seq;
		return dtls_content_take(e, &record, info->type, bytes);
	}
	if (e->unproven)
		dtls_state_credit(e, bytes.len);
	if (e->server && e->state == KDTLS_IDLE ? take_first(e, bytes) :
						  take_datagram(e, bytes))
		return -e->error;
	expect_rest(e);
	if (e->state == KDTLS_HANDSHAKE && e->hs &&
	    e->hs->step == DTLS_STEP_DONE)
		return dtls_complete_handshake(e);
	return 0;
}

int kdtls_engine_input(struct kdtls_engine *engine, const uint8_t *data,
		       size_t len, const struct dtls_record_info *info,
		       uint64_t now)
{
	int err;

	if (engine->state == KDTLS_FAILED)
		return -engine->error;
	/* Without memory the datagram is lost, as any datagram may be. */
	if (!dtls_state_wake(engine))
		return 0;
	engine->m->now = now;
	ERR_set_mark();
	err = take_input(engine, (struct dtls_bytes){ data, len }, info);
	ERR_pop_to_mark();
	dtls_state_rest(engine);
	return err;
}

int kdtls_engine_accept(struct kdtls_engine *engine, struct kdtls_hello *hello,
			uint64_t now)
{
	struct dtls_bytes address = { hello->address, hello->address_len };
	struct kdtls_engine *e = engine;
	int err = -KDTLS_EUSAGE;

	if (e->server && e->state == KDTLS_IDLE &&
	    dtls_bytes_equal(address, e->m->address, e->m->address_len))
		err = dtls_state_wake(e) ? 0 : -KDTLS_EMEMORY;
	if (!err) {
		e->m->now = now;
		ERR_set_mark();
		err = begin_handshake(e, hello);
		if (!err)
			expect_rest(e);
		ERR_pop_to_mark();
		dtls_state_rest(e);
	}
	kdtls_hello_free(hello);
	return err;
}
