// SPDX-License-Identifier: BSD-3-Clause
/* What is to be sent: a flight, an alert, a heartbeat; as datagrams. */
#include <openssl/err.h>

#include "state.h"

/* Header, connection ID, inner type, explicit nonce and tag at their longest */
#define OVERHEAD_MAX	(DTLS12_HEADER_SIZE + 1 + 8 + 16)
/* A datagram takes at least a fragment of this size, whatever its MTU. */
#define CONTENT_MIN	64

void dtls_resend_flight(struct kdtls_engine *e)
{
	dtls_flight_rewind(&e->flight);
	e->resent++;
}

static u16 record_version(const struct kdtls_engine *e)
{
	/* RFC 5246 E.1: before the version is agreed on */
	return e->version ? e->version : 0xfeff;
}

static size_t record_overhead(const struct kdtls_engine *e, u64 epoch)
{
	if (!epoch)
		return DTLS12_HEADER_SIZE;
	if (e->hs)
		return dtls_protection_overhead(e->hs->tx);
	return OVERHEAD_MAX + e->cid_tx_len;
}

/* One record of epoch 0, or of epoch 1 during the handshake. Return: bytes. */
static size_t write_record(struct kdtls_engine *e, u64 epoch, u8 type,
			   const u8 *content, size_t len, u8 *out)
{
	struct dtls_record r = {
		.type = type,
		.version = record_version(e),
		.fragment_len = (u16)len,
		.seq = e->tx_seq,
	};
	size_t header_len;

	if (epoch)
		return dtls_protect(e->hs->tx, type, content, len, out);
	if (e->tx_seq > DTLS_SEQ_MAX)
		return 0;
	e->tx_seq++;
	header_len = dtls_record_write_header(out, &r);
	memcpy(out + header_len, content, len);
	return header_len + len;
}

/*
 * Fill a datagram with records of the flight. Epoch 1 goes in while its key is
 * here; afterwards its messages go out alone, as content.
 */
static long flight_output(struct kdtls_engine *e, u8 *buf, size_t size,
			  struct dtls_record_info *info)
{
	size_t used = 0, room, overhead, n;
	u8 content[DTLS_RECORD_SIZE_MAX];
	struct dtls_piece piece;
	u64 epoch;

	if (size > e->mtu)
		size = e->mtu;
	while (dtls_flight_pending(&e->flight)) {
		epoch = e->flight.cursor->epoch;
		if (used && epoch && !e->hs)
			break;
		overhead = record_overhead(e, epoch);
		room = size - used > overhead ? size - used - overhead : 0;
		if (!used && room < CONTENT_MIN)
			room = CONTENT_MIN;
		if (room > sizeof(content))
			room = sizeof(content);
		if (!dtls_flight_next(&e->flight, room, content, &piece))
			break;
		if (epoch && !e->hs) {
			memcpy(buf, content, piece.len);
			info->flags = 0;
			info->type = piece.type;
			info->epoch = epoch;
			return (long)piece.len;
		}
		n = write_record(e, epoch, piece.type, content, piece.len,
				 buf + used);
		if (!n)
			return dtls_fail_internal(e);
		used += n;
	}
	e->last_out = e->now;
	return (long)used;
}

static long alert_output(struct kdtls_engine *e, u8 *buf,
			 struct dtls_record_info *info)
{
	u8 content[2] = { e->alert_level, e->alert };
	u64 epoch = e->hs ? e->hs->tx_epoch : 0;
	size_t n;

	e->alert_due = false;
	if (e->hs || !e->keys_out) {
		n = write_record(e, epoch, DTLS_CT_ALERT, content,
				 sizeof(content), buf);
		return (long)n;
	}
	memcpy(buf, content, sizeof(content));
	info->flags = 0;
	info->type = DTLS_CT_ALERT;
	info->epoch = 1;
	return sizeof(content);
}

static long make_output(struct kdtls_engine *e, u8 *buf, size_t size,
			struct dtls_record_info *info)
{
	long n;

	if (e->reply) {
		memcpy(buf, e->reply, DTLS_VERIFY_REQUEST_SIZE);
		OPENSSL_free(e->reply);
		e->reply = NULL;
		return DTLS_VERIFY_REQUEST_SIZE;
	}
	if (e->alert_due)
		return alert_output(e, buf, info);
	if (e->state == KDTLS_FAILED || e->state == KDTLS_CLOSED)
		return 0;
	if (dtls_flight_pending(&e->flight)) {
		n = flight_output(e, buf, size, info);
		if (n > 0 && e->hs && e->hs->step == DTLS_STEP_FLUSH &&
		    !dtls_flight_pending(&e->flight) && dtls_complete(e))
			return -e->error;
		return n;
	}
	n = dtls_heartbeat_output(e, buf, size);
	if (n > 0) {
		info->flags = 0;
		info->type = DTLS_CT_HEARTBEAT;
		info->epoch = 1;
	}
	return n;
}

long kdtls_engine_output(struct kdtls_engine *engine, uint8_t *buf, size_t size,
			 struct dtls_record_info *info, uint64_t now)
{
	long n;

	memset(info, 0, sizeof(*info));
	info->flags = DTLS_RECORD_RAW;
	if (size < engine->mtu || size < KDTLS_OUTPUT_MIN)
		return -KDTLS_EUSAGE;
	engine->now = now;
	ERR_set_mark();
	n = make_output(engine, buf, size, info);
	ERR_pop_to_mark();
	return n;
}
