// SPDX-License-Identifier: BSD-3-Clause
/* This file makes messages and flights for both versions and both ends. */
#include "handshake.h"
#include "sign.h"

struct dtls_writer *dtls_handshake_message(struct kdtls_engine *e, u8 type)
{
	struct dtls_writer *w = &e->hs->out;

	w->len = 0;
	w->failed = false;
	wr_u8(w, type);
	wr_room(w, DTLS_MESSAGE_HEADER - 1);
	return w;
}

int dtls_handshake_message_end(struct kdtls_engine *e)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_writer *w = &hs->out;
	u32 len;

	if (w->failed)
		return dtls_fail_memory(e);
	len = (u32)(w->len - DTLS_MESSAGE_HEADER);
	dtls_fragment_write(w->p, w->p[0], len, hs->send_seq++, 0, len);
	if (!dtls_transcript_add(&hs->transcript, w->p, w->len,
				 e->ep->config.max_handshake) ||
	    !dtls_flight_add(&e->m->flight, hs->tx_epoch, DTLS_CT_HANDSHAKE, w->p,
			     w->len))
		return dtls_fail_memory(e);
	return 0;
}

int dtls_handshake_sign(struct kdtls_engine *e, struct dtls_writer *w,
			struct dtls_bytes data)
{
	const struct dtls_handshake *hs = e->hs;
	u8 *signature;
	size_t len;

	len = dtls_sign_make(hs->scheme, hs->identity->key, data, &signature);
	if (!len)
		return dtls_fail_internal(e);
	wr_u16(w, hs->scheme->id);
	wr_vec(w, 2, signature, len);
	OPENSSL_free(signature);
	return 0;
}

void dtls_handshake_flight_begin(struct kdtls_engine *e)
{
	struct dtls_handshake *hs = e->hs;

	hs->flight_end = hs->in.next;
	hs->flight_seen = true;
	dtls_flight_clear(&e->m->flight);
	dtls_state_drop_acks(e);
}

void dtls_handshake_flight_end(struct kdtls_engine *e, bool answer_due)
{
	struct dtls_timer_limits limits;

	e->hs->answer_due = answer_due;
	if (!answer_due) {
		dtls_timer_stop(&e->m->timer);
		e->m->timer.tries = 0;
		return;
	}
	dtls_state_timer_limits(e, &limits);
	dtls_timer_start(&e->m->timer, &limits, e->m->now);
}

int dtls_handshake_receive(struct kdtls_engine *e,
			   const struct dtls_expected *table, size_t count,
			   u8 type, struct dtls_bytes body)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (table[i].step == e->hs->step && table[i].type == type)
			return table[i].receive(e, body);
	return dtls_fail(e, KDTLS_EPROTOCOL, KDTLS_ALERT_UNEXPECTED_MESSAGE,
			 "a message came out of turn");
}

struct dtls_bytes dtls_handshake_hash(const struct kdtls_engine *e, size_t len,
				      u8 *buf)
{
	const struct dtls_crypto *c = &e->ep->crypto;

	return (struct dtls_bytes){
		buf, dtls_transcript_hash(&e->hs->transcript, c,
					  dtls_suite_md(c, e->suite), len, buf)
	};
}

static char *put_hex(char *p, const u8 *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	while (len--) {
		*p++ = digits[*data >> 4];
		*p++ = digits[*data++ & 15];
	}
	return p;
}

void dtls_handshake_key_log(struct kdtls_engine *e, const char *label,
			    const u8 *secret, size_t len)
{
	char line[32 + 2 * (DTLS_RANDOM_SIZE + DTLS_SECRET_SIZE) + 3];
	char *p = line;

	if (!e->ep->config.ops.keylog)
		return;
	p = stpcpy(p, label);
	*p++ = ' ';
	p = put_hex(p, e->d12->secrets.client_random, DTLS_RANDOM_SIZE);
	*p++ = ' ';
	*put_hex(p, secret, len) = '\0';
	e->ep->config.ops.keylog(e->ctx, line);
	OPENSSL_cleanse(line, sizeof(line));
}
