// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file sends and answers heartbeats (RFC 6520). A message is a type, the
 * length of the payload, the payload, and at least 16 bytes of padding. A
 * message whose length field claims more bytes than have come is dropped, so
 * that nothing but the payload is ever echoed.
 */
#include "heartbeat.h"

#define REQUEST		1
#define RESPONSE	2
#define HEADER		3
#define PADDING		16

static struct dtls_heartbeat *heartbeat_of(struct kdtls_engine *e)
{
	if (!e->m->heartbeat) {
		e->m->heartbeat = OPENSSL_zalloc(sizeof(*e->m->heartbeat));
		if (e->m->heartbeat)
			dtls_timer_stop(&e->m->heartbeat->timer);
	}
	return e->m->heartbeat;
}

/*
 * Free the state of heartbeats when neither a request nor a response is under
 * way.
 */
static void tidy(struct kdtls_engine *e)
{
	const struct dtls_heartbeat *h = e->m->heartbeat;

	if (h && !h->size && !h->response)
		dtls_state_drop_heartbeat(e);
}

static void request_done(struct kdtls_engine *e, u64 rtt)
{
	struct dtls_heartbeat *h = e->m->heartbeat;
	size_t size = h->size;

	h->size = 0;
	h->request_due = false;
	dtls_timer_stop(&h->timer);
	tidy(e);
	if (e->ep->config.ops.heartbeat)
		e->ep->config.ops.heartbeat(e->ctx, size, rtt);
}

/*
 * Answer a request. Only one response waits to be sent, which answers the
 * latest request. Without memory there is no answer. Return 0, or the error of
 * an engine that has failed, which has no struct dtls_heartbeat any more.
 */
static int respond(struct kdtls_engine *e, struct dtls_bytes payload,
		   size_t size)
{
	struct dtls_heartbeat *h = heartbeat_of(e);
	u8 *p = h ? OPENSSL_malloc(size) : NULL;

	if (!p)
		return 0;
	if (!dtls_state_random(e, p + HEADER + payload.len,
			       size - HEADER - payload.len)) {
		OPENSSL_free(p);
		return -e->error;
	}
	p[0] = RESPONSE;
	dtls_put_be(p + 1, 2, payload.len);
	memcpy(p + HEADER, payload.p, payload.len);
	OPENSSL_free(h->response);
	h->response = p;
	h->response_len = size;
	return 0;
}

int dtls_heartbeat_receive(struct kdtls_engine *e, struct dtls_bytes content)
{
	struct dtls_heartbeat *h = e->m->heartbeat;
	size_t size = content.len;
	struct dtls_bytes payload;
	u8 type;

	if (!e->heartbeats ||
	    size > DTLS_RECORD_SIZE_MAX || !rd_u8(&content, &type) ||
	    !rd_vec(&content, 2, &payload) || content.len < PADDING) {
		e->dropped++;
		return 0;
	}
	if (type == REQUEST)
		return respond(e, payload, size);
	if (type == RESPONSE && h && h->size &&
	    dtls_bytes_equal(payload, h->payload, DTLS_HEARTBEAT_PAYLOAD))
		request_done(e, e->m->now - h->timer.sent);
	else
		e->dropped++;
	return 0;
}

int kdtls_engine_heartbeat(struct kdtls_engine *engine, size_t size,
			   uint64_t now)
{
	struct kdtls_engine *e = engine;
	struct dtls_timer_limits limits;
	struct dtls_heartbeat *h;

	if (e->state != KDTLS_ESTABLISHED || !e->peer_heartbeat ||
	    size < HEADER + DTLS_HEARTBEAT_PAYLOAD + PADDING || size > e->mtu ||
	    size > e->peer_record_limit ||
	    (e->m && e->m->heartbeat && e->m->heartbeat->size))
		return -KDTLS_EUSAGE;
	if (!dtls_state_wake(e))
		return -KDTLS_EMEMORY;
	h = heartbeat_of(e);
	if (!h) {
		dtls_state_rest(e);
		return -KDTLS_EMEMORY;
	}
	if (!dtls_state_random(e, h->payload, DTLS_HEARTBEAT_PAYLOAD)) {
		dtls_state_rest(e);
		return -e->error;
	}
	h->size = size;
	h->request_due = true;
	dtls_state_timer_limits(e, &limits);
	h->timer.srtt = e->m->timer.srtt;
	h->timer.rttvar = e->m->timer.rttvar;
	dtls_timer_start(&h->timer, &limits, now);
	dtls_state_rest(e);
	return 0;
}

/* Write the response that waits, if it has no more than @size bytes, and forget it. */
static long response_output(struct kdtls_engine *e, u8 *buf, size_t size)
{
	struct dtls_heartbeat *h = e->m->heartbeat;
	size_t n = h->response_len <= size ? h->response_len : 0;

	memcpy(buf, h->response, n);
	OPENSSL_free(h->response);
	h->response = NULL;
	tidy(e);
	return (long)n;
}

/*
 * Write the request that is due. If the MTU has become smaller since it was asked for, so
 * that no datagram has room for it any more, the request ends without an answer. Return its
 * bytes, 0, or an error.
 */
static long request_output(struct kdtls_engine *e, u8 *buf, size_t size)
{
	struct dtls_heartbeat *h = e->m->heartbeat;
	size_t n = h->size;

	if (n > size || n > e->mtu) {
		request_done(e, KDTLS_NEVER);
		return 0;
	}
	h->request_due = false;
	buf[0] = REQUEST;
	dtls_put_be(buf + 1, 2, DTLS_HEARTBEAT_PAYLOAD);
	memcpy(buf + HEADER, h->payload, sizeof(h->payload));
	if (!dtls_state_random(e, buf + HEADER + sizeof(h->payload),
			       n - HEADER - sizeof(h->payload)))
		return -e->error;
	return (long)n;
}

long dtls_heartbeat_output(struct kdtls_engine *e, u8 *buf, size_t size)
{
	long n = 0;

	if (e->m->heartbeat && e->m->heartbeat->response)
		n = response_output(e, buf, size);
	if (!n && e->m->heartbeat && e->m->heartbeat->request_due)
		n = request_output(e, buf, size);
	return n;
}

u64 dtls_heartbeat_expiry(const struct kdtls_engine *e)
{
	return e->m->heartbeat ? e->m->heartbeat->timer.expiry : KDTLS_NEVER;
}

void dtls_heartbeat_expire(struct kdtls_engine *e)
{
	struct dtls_heartbeat *h = e->m->heartbeat;
	struct dtls_timer_limits limits;

	if (!h || h->timer.expiry > e->m->now)
		return;
	if (h->timer.tries >= e->ep->config.retransmits) {
		request_done(e, KDTLS_NEVER);
		return;
	}
	dtls_state_timer_limits(e, &limits);
	dtls_timer_back_off(&h->timer, &limits, e->m->now);
	h->request_due = true;
}
