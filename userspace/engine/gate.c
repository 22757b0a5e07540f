// SPDX-License-Identifier: BSD-3-Clause
/* This file decides what becomes of a ClientHello before anything is kept. */
#include <openssl/err.h>

#include "datagram.h"
#include "gate.h"
#include "gate12.h"
#include "gate13.h"

/*
 * A hello with a message_seq above this gets no answer: no client tries so
 * often.
 */
#define HELLO_SEQ_MAX	256
/*
 * In one datagram of a stranger at most so many pieces of hellos are looked at.
 */
#define PIECES_MAX	64

static void move(struct dtls_bytes *b, const u8 *from, const u8 *to)
{
	if (b->p)
		b->p = to + (b->p - from);
}

/*
 * Move the pointers of @ch, a hello that was parsed at @from, to its copy at
 * @to.
 */
static void move_hello(struct dtls_client_hello *ch, const u8 *from,
		       const u8 *to)
{
	unsigned int i;

	move(&ch->random, from, to);
	move(&ch->session_id, from, to);
	move(&ch->cookie, from, to);
	move(&ch->suites, from, to);
	move(&ch->compressions, from, to);
	for (i = 0; i < DTLS_EXT_COUNT; i++)
		move(&ch->ext.ext[i], from, to);
}

/* Let a hello in: the message, and the rest of its datagram, are copied. */
static enum kdtls_gate let_in(const struct dtls_asked *a,
			      struct dtls_bytes rest, struct kdtls_verdict *v)
{
	const struct dtls_fragment *f = a->f;
	struct kdtls_hello *h = a->hello, *copy;

	copy = OPENSSL_malloc(sizeof(*h) + DTLS_MESSAGE_HEADER + f->length +
			      rest.len);
	if (!copy)
		return KDTLS_GATE_DROP;
	*copy = *h;
	h = copy;
	h->seq = f->seq;
	h->record_seq = a->record->seq;
	h->heard = a->heard + rest.len;
	h->address_len = (u8)a->from->address.len;
	if (h->address_len)
		memcpy(h->address, a->from->address.p, h->address_len);
	h->len = DTLS_MESSAGE_HEADER + f->length;
	dtls_fragment_write(h->data, f->type, f->length, f->seq, 0, f->length);
	memcpy(h->data + DTLS_MESSAGE_HEADER, f->body.p, f->length);
	h->ch = *a->ch;
	move_hello(&h->ch, f->body.p, h->data + DTLS_MESSAGE_HEADER);
	h->rest_len = rest.len;
	if (rest.len)
		memcpy(h->data + h->len, rest.p, rest.len);
	v->hello = h;
	return KDTLS_GATE_ACCEPT;
}

static enum kdtls_gate judge(struct dtls_asked *a, struct dtls_bytes rest,
			     struct kdtls_verdict *v)
{
	bool cookies = !dtls_endpoint_flag(a->ep, KDTLS_NO_COOKIE);
	/* Parsing a malformed hello leaves the structure zero. */
	struct dtls_client_hello ch = { 0 };
	struct kdtls_hello hello;
	enum kdtls_gate gate;

	memset(&hello, 0, sizeof(hello));
	a->hello = &hello;
	a->ch = &ch;
	hello.parsed = dtls_hello_parse_client(&ch, a->f->body);
	if (!hello.parsed && !cookies)
		gate = KDTLS_GATE_ACCEPT; /* The engine will find the error in the hello. */
	else if (!hello.parsed)
		gate = dtls_gate13_alert(a, KDTLS_ALERT_DECODE_ERROR, v);
	else if (dtls_endpoint_takes_13(a->ep, &ch))
		gate = dtls_gate13_judge(a, v);
	else
		gate = cookies ? dtls_gate12_judge(a, v) : KDTLS_GATE_ACCEPT;
	if (!cookies)
		hello.proven = a->now;
	if (gate == KDTLS_GATE_ACCEPT)
		gate = let_in(a, rest, v);
	OPENSSL_cleanse(&hello.session, sizeof(hello.session));
	if (gate == KDTLS_GATE_ACCEPT)
		return gate;
	wr_free(&hello.plain);
	/*
	 * A reply is at most twice as long as the hello. The longest, a
	 * HelloRetryRequest, has 155 bytes, and the smallest hello of a client
	 * with certificates has 98, so that every honest client gets its answer,
	 * and a sender with a false address gains little (QUIC allows three
	 * times as much, RFC 9000 8.1).
	 */
	return gate == KDTLS_GATE_REPLY && v->reply_len <= 2 * a->heard ?
	       gate : KDTLS_GATE_DROP;
}

/*
 * Take one piece of a hello, which may be the whole hello. @rest is the rest of
 * its datagram.
 */
static enum kdtls_gate take_piece(struct dtls_asked *a, struct dtls_bytes rest,
				  struct kdtls_verdict *v)
{
	struct kdtls_endpoint *ep = a->ep;
	struct dtls_collected *one;
	struct dtls_fragment whole;
	enum kdtls_gate gate;

	bool cookies = !dtls_endpoint_flag(ep, KDTLS_NO_COOKIE);

	/*
	 * If the server asks for no cookie, the first hello is the only one,
	 * and has message_seq 0.
	 */
	if (a->f->type != DTLS_CLIENT_HELLO ||
	    a->f->seq > (cookies ? HELLO_SEQ_MAX : 0) ||
	    a->f->length > ep->config.max_message)
		return KDTLS_GATE_DROP;
	a->heard = DTLS12_HEADER_SIZE + DTLS_MESSAGE_HEADER + a->f->body.len;
	if (a->f->body.len == a->f->length)
		return judge(a, rest, v);
	if (cookies && dtls_gate12_piece(a, v) == KDTLS_GATE_REPLY)
		return KDTLS_GATE_REPLY;
	one = dtls_collector_add(&ep->collector, a->from, a->f, a->now);
	if (!one)
		return KDTLS_GATE_DROP;
	whole = *a->f;
	whole.offset = 0;
	whole.body = (struct dtls_bytes){
		one->hello.data + DTLS_MESSAGE_HEADER, whole.length
	};
	a->f = &whole;
	a->heard = DTLS12_HEADER_SIZE + DTLS_MESSAGE_HEADER + whole.length;
	gate = judge(a, rest, v);
	dtls_collector_finish(&ep->collector, one);
	return gate;
}

enum kdtls_gate dtls_gate_judge(struct kdtls_endpoint *ep,
				const struct dtls_sender *from,
				struct dtls_bytes datagram, u64 now,
				struct kdtls_verdict *v)
{
	struct dtls_asked a = { .ep = ep, .from = from, .now = now };
	struct dtls_bytes bytes, content;
	unsigned int pieces = 0;
	struct dtls_record record;
	struct dtls_fragment f;
	enum kdtls_gate gate;
	u64 dropped = 0;

	a.record = &record;
	while (dtls_datagram_next(&datagram, 0, &record, &bytes, &dropped)) {
		if (record.type != DTLS_CT_HANDSHAKE || record.epoch)
			continue;
		content = (struct dtls_bytes){ bytes.p + record.header_len,
					       record.fragment_len };
		while (dtls_fragment_parse(&content, &f)) {
			if (pieces++ == PIECES_MAX)
				return KDTLS_GATE_DROP;
			a.f = &f;
			gate = take_piece(&a, datagram, v);
			if (gate != KDTLS_GATE_DROP)
				return gate;
		}
	}
	return KDTLS_GATE_DROP;
}

enum kdtls_gate kdtls_endpoint_gate(struct kdtls_endpoint *endpoint,
				    const struct kdtls_sender *from,
				    const uint8_t *datagram, size_t len,
				    uint64_t now, struct kdtls_verdict *verdict)
{
	const struct dtls_sender sender = {
		{ from->address, from->len }, from->source_len,
	};
	enum kdtls_gate gate;

	verdict->hello = NULL;
	verdict->reply_len = 0;
	if (from->len > DTLS_ADDRESS_MAX || from->source_len > from->len)
		return KDTLS_GATE_DROP;
	ERR_set_mark();
	gate = dtls_gate_judge(endpoint, &sender,
			       (struct dtls_bytes){ datagram, len }, now,
			       verdict);
	ERR_pop_to_mark();
	return gate;
}

const uint8_t *kdtls_hello_random(const struct kdtls_hello *hello)
{
	return hello->parsed ? hello->ch.random.p : NULL;
}

uint64_t kdtls_hello_proven(const struct kdtls_hello *hello)
{
	return hello->proven;
}

void kdtls_hello_free(struct kdtls_hello *hello)
{
	if (!hello)
		return;
	wr_free(&hello->plain);
	OPENSSL_clear_free(hello, sizeof(*hello) + hello->len +
				  hello->rest_len);
}
