// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file writes the datagrams that go out: alerts, ACKs, flights, early data
 * and heartbeats, in this order. kdtls/engine.h declares the calls.
 */
#include <openssl/err.h>

#include "ack.h"
#include "complete.h"
#include "early.h"
#include "handshake13.h"
#include "heartbeat.h"
#include "post13.h"
#include "retransmit.h"
#include "state.h"

/*
 * OVERHEAD_MAX is the bytes of header, inner type, explicit nonce and tag at
 * their longest, without a connection ID.
 */
#define OVERHEAD_MAX	(DTLS12_HEADER_SIZE + 1 + 8 + 16)
/* A record has room for so many bytes of content, however small the MTU is. */
#define CONTENT_MIN	64

static u16 record_version(const struct kdtls_engine *e)
{
	/*
	 * Before the version is agreed on, records have the version of DTLS
	 * 1.0 (RFC 5246 E.1). Afterwards the unencrypted records of DTLS 1.3
	 * have that of DTLS 1.2, too (RFC 9147 4).
	 */
	return e->version ? DTLS_VERSION_1_2 : DTLS_VERSION_1_0;
}

/*
 * Return true if the engine makes the records of this epoch. For other epochs
 * it gives the content of a record to the owner of the keys.
 */
static bool is_ours(const struct kdtls_engine *e, u64 epoch)
{
	return !epoch || (e->m->tx && e->m->tx->epoch == epoch);
}

static size_t record_overhead(const struct kdtls_engine *e, u64 epoch)
{
	if (!epoch)
		return DTLS12_HEADER_SIZE;
	if (is_ours(e, epoch))
		return dtls_protection_overhead(e->m->tx);
	return OVERHEAD_MAX + e->cid_tx_len;
}

/*
 * Write one record of epoch 0 or under the handshake's key. Return how many
 * bytes it has, or 0 if libcrypto failed or the sequence numbers are used up.
 */
static size_t write_record(struct kdtls_engine *e, u64 epoch, u8 type,
			   const u8 *content, size_t len, u8 *out)
{
	struct dtls_record r = {
		.type = type,
		.version = record_version(e),
		.fragment_len = (u16)len,
		.seq = e->m->tx_seq,
	};
	size_t header_len;

	if (epoch)
		return dtls_protection_seal(e->m->tx, type, content, len, out);
	if (e->m->tx_seq > DTLS_SEQ_MAX)
		return 0;
	e->m->tx_seq++;
	header_len = dtls_record_write_header(out, &r);
	memcpy(out + header_len, content, len);
	return header_len + len;
}

/*
 * Return the sequence number of the next record of @epoch, or DTLS_SEQ_UNKNOWN
 * if the owner of the key chooses it.
 */
static u64 next_seq(const struct kdtls_engine *e, u64 epoch)
{
	if (!epoch)
		return e->m->tx_seq;
	return is_ours(e, epoch) ? e->m->tx->seq : DTLS_SEQ_UNKNOWN;
}

/*
 * Give the content of one record to the owner of the key, which makes the
 * record.
 */
static long give_content(struct dtls_record_info *info, u64 epoch, u8 type,
			 const u8 *content, size_t len, u8 *buf)
{
	memcpy(buf, content, len);
	info->flags = 0;
	info->type = type;
	info->epoch = epoch;
	return (long)len;
}

/*
 * Return true if @m may go into the same record as @before: both are protected,
 * and have the same epoch and type.
 */
static bool may_share(const struct dtls_outgoing *before,
		      const struct dtls_outgoing *m)
{
	return before && m->epoch && before->epoch == m->epoch &&
	       before->type == m->type;
}

/*
 * Count the datagrams of @size bytes that the rest of the flight takes: with a
 * record for each message if @own, else with full records. Bytes that the peer
 * has acknowledged count as if they went out.
 */
static unsigned int count_datagrams(const struct kdtls_engine *e, size_t size,
				    bool own)
{
	const struct dtls_outgoing *m, *before = NULL;
	size_t used = 0, overhead, left, room;
	u32 offset = e->m->flight.offset;
	unsigned int count = 1;

	for (m = e->m->flight.cursor; m; m = m->next) {
		left = m->len - offset;
		offset = 0;
		while (left) {
			overhead = !own && may_share(before, m) ? 0 :
				   record_overhead(e, m->epoch);
			room = size > used + overhead ?
			       size - used - overhead : 0;
			if (used && room <= DTLS_MESSAGE_HEADER &&
			    room < left) {
				count++;
				used = 0;
				before = NULL;
				continue;
			}
			if (!used && room < CONTENT_MIN)
				room = CONTENT_MIN;
			if (room > left)
				room = left;
			used += overhead + room;
			left -= room;
			/* Each further fragment has a header of its own. */
			left += left ? DTLS_MESSAGE_HEADER : 0;
			before = m;
		}
	}
	return count;
}

/*
 * Return true if the flight has gone out a second time, and no answer has come.
 */
static bool is_unanswered(const struct kdtls_engine *e)
{
	return e->m->flight.again && e->m->timer.tries > 1;
}

/*
 * Return true if each message gets a record of its own. Some peers skip the
 * rest of a record that begins with a message they have, and so never get the
 * messages behind it. A flight that goes out again therefore has a record for
 * each message: the second time only if this takes no more datagrams, and from
 * the third time on in any case.
 */
static bool wants_own_records(const struct kdtls_engine *e, size_t size)
{
	if (!e->m->flight.again)
		return false;
	return is_unanswered(e) || count_datagrams(e, size, true) ==
				   count_datagrams(e, size, false);
}

/*
 * Return true if the datagram ends here, because the next record is protected
 * and those before it are in the clear. Some clients that have keys drop a
 * datagram that begins with a record in the clear. So once a flight has gone
 * out again without an answer, its protected records get datagrams of their
 * own.
 */
static bool wants_own_datagram(const struct kdtls_engine *e, u64 before,
			       u64 epoch)
{
	return before != epoch && is_unanswered(e);
}

/*
 * Fill a record with messages of the flight. A record in the clear has one
 * message, as all peers expect, and so has every record if @own. Return how
 * many bytes the content has; 0 if nothing useful fits; or an error.
 */
static long fill_record(struct kdtls_engine *e, size_t room, bool own,
			u8 *content, u8 *type)
{
	struct dtls_flight *f = &e->m->flight;
	u64 epoch = f->cursor->epoch;
	u64 seq = next_seq(e, epoch);
	struct dtls_piece piece;
	size_t len = 0;

	/*
	 * If the owner of the key has not told the number of the last record
	 * by now, that record counts as not sent.
	 */
	dtls_flight_numbered(f, 0, DTLS_SEQ_LOST);
	*type = f->cursor->type;
	do {
		if (!dtls_flight_next(f, room - len, content + len, &piece))
			break;
		len += piece.len;
		if (dtls_state_may_be_13(e) &&
		    !dtls_flight_sent(f, &piece, epoch, seq))
			return dtls_fail_memory(e);
	} while (epoch && !own && f->cursor && f->cursor->epoch == epoch &&
		 f->cursor->type == *type);
	return (long)len;
}

/*
 * Fill a datagram with records of the flight, as long as the engine has their
 * key. A record whose key the owner has goes out alone: its content is given to
 * the owner.
 */
static long flight_output(struct kdtls_engine *e, u8 *buf, size_t size,
			  struct dtls_record_info *info)
{
	size_t used = 0, room, overhead, n;
	u8 content[DTLS_RECORD_SIZE_MAX];
	u64 epoch, before = 0;
	bool own;
	long len;
	u8 type;

	if (size > dtls_retransmit_mtu(e))
		size = dtls_retransmit_mtu(e);
	own = wants_own_records(e, size);
	while (dtls_flight_pending(&e->m->flight)) {
		epoch = e->m->flight.cursor->epoch;
		if (used && (!is_ours(e, epoch) ||
			     wants_own_datagram(e, before, epoch)))
			break;
		overhead = record_overhead(e, epoch);
		room = size - used > overhead ? size - used - overhead : 0;
		if (!used && room < CONTENT_MIN)
			room = CONTENT_MIN;
		if (epoch && room > e->peer_record_limit)
			room = e->peer_record_limit;
		if (room > sizeof(content))
			room = sizeof(content);
		len = fill_record(e, room, own, content, &type);
		if (len < 0)
			return len;
		if (!len)
			break;
		if (!is_ours(e, epoch))
			return give_content(info, epoch, type, content,
					    (size_t)len, buf);
		n = write_record(e, epoch, type, content, (size_t)len,
				 buf + used);
		if (!n)
			return dtls_fail_internal(e);
		used += n;
		before = epoch;
	}
	e->m->last_out = e->m->now;
	return (long)used;
}

/*
 * Return the present epoch of application data, whose write key the owner has.
 */
static u64 data_epoch(const struct kdtls_engine *e)
{
	return e->d13 ? e->d13->tx_epoch : DTLS12_EPOCH_DATA;
}

/*
 * Return true if a server has sent its Finished and still waits for the
 * client's. Its alerts and ACKs are then protected under the key of application
 * data (RFC 8446 4.4.4, RFC 9147 7). The owner gets that key later, and
 * continues its sequence numbers.
 */
static bool finished_sent(const struct kdtls_engine *e)
{
	return e->server && e->hs && e->d13 &&
	       e->hs->step >= SERVER13_CERTIFICATE &&
	       e->hs->step <= SERVER13_FINISHED;
}

static size_t write_early(struct kdtls_engine *e, u8 type, const u8 *content,
			  size_t len, u8 *buf)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_key_info key;

	if (!hs->data_tx && !dtls_handshake13_data_key(e, DTLS_TX, &key)) {
		hs->data_tx = dtls_protection_new(&e->ep->crypto, DTLS_TX,
						  &key);
		OPENSSL_cleanse(&key, sizeof(key));
	}
	return hs->data_tx ?
	       dtls_protection_seal(hs->data_tx, type, content, len, buf) : 0;
}

static long content_output(struct kdtls_engine *e, u8 type, const u8 *content,
			   size_t len, u8 *buf, struct dtls_record_info *info)
{
	u64 epoch = e->hs ? e->hs->tx_epoch : 0;

	if (e->keys_out)
		return give_content(info, data_epoch(e), type, content, len,
				    buf);
	if (finished_sent(e))
		return (long)write_early(e, type, content, len, buf);
	return (long)write_record(e, epoch, type, content, len, buf);
}

static long alert_output(struct kdtls_engine *e, u8 *buf,
			 struct dtls_record_info *info)
{
	u8 content[2] = { e->alert_level, e->alert };

	e->alert_due = false;
	return content_output(e, DTLS_CT_ALERT, content, sizeof(content), buf,
			      info);
}

static long ack_output(struct kdtls_engine *e, u8 *buf, size_t size,
		       struct dtls_record_info *info)
{
	u8 content[DTLS_ACK_SIZE];
	size_t overhead = OVERHEAD_MAX + e->cid_tx_len;
	size_t len;

	if (size > e->mtu)
		size = e->mtu;
	size = size > overhead + CONTENT_MIN ? size - overhead : CONTENT_MIN;
	if (size > e->peer_record_limit)
		size = e->peer_record_limit;
	len = dtls_ack_write(e, content, size);
	if (!len)
		return 0;
	return content_output(e, DTLS_CT_ACK, content, len, buf, info);
}

static long make_output(struct kdtls_engine *e, u8 *buf, size_t size,
			struct dtls_record_info *info)
{
	long n;

	if (e->m->reply) {
		memcpy(buf, e->m->reply, e->m->reply_len);
		OPENSSL_free(e->m->reply);
		e->m->reply = NULL;
		return (long)e->m->reply_len;
	}
	if (e->alert_due)
		return alert_output(e, buf, info);
	if (e->state == KDTLS_FAILED || e->state == KDTLS_CLOSED)
		return 0;
	n = ack_output(e, buf, size, info);
	if (n)
		return n;
	if (e->d13 && e->keys_out && dtls_post13_next_flight(e))
		return -e->error;
	if (dtls_flight_pending(&e->m->flight)) {
		n = flight_output(e, buf, size, info);
		if (n > 0 && e->hs && e->hs->step == DTLS_STEP_FLUSH &&
		    !dtls_flight_pending(&e->m->flight) &&
		    dtls_complete_handshake(e))
			return -e->error;
		return n;
	}
	n = e->server ? 0 : dtls_early_output(e, buf, size);
	if (n)
		return n;
	n = dtls_heartbeat_output(e, buf, size);
	if (n > 0) {
		info->flags = 0;
		info->type = DTLS_CT_HEARTBEAT;
		info->epoch = data_epoch(e);
	}
	return n;
}

void kdtls_engine_sent(struct kdtls_engine *engine,
		       const struct dtls_record_number *number)
{
	if (engine->m)
		dtls_flight_numbered(&engine->m->flight, number->epoch,
				     number->epoch ? number->seq :
						     DTLS_SEQ_LOST);
}

long kdtls_engine_output(struct kdtls_engine *engine, uint8_t *buf, size_t size,
			 struct dtls_record_info *info, uint64_t now)
{
	long n;

	memset(info, 0, sizeof(*info));
	info->flags = DTLS_RECORD_RAW;
	if (size < engine->mtu || size < KDTLS_OUTPUT_MIN)
		return -KDTLS_EUSAGE;
	if (engine->unproven && size > engine->credit)
		size = engine->credit;
	if (size < KDTLS_MTU_MIN)
		return 0;
	/* Without memory what is due goes out with another call. */
	if (!dtls_state_wake(engine))
		return 0;
	engine->m->now = now;
	ERR_set_mark();
	n = make_output(engine, buf, size, info);
	ERR_pop_to_mark();
	dtls_state_rest(engine);
	if (engine->unproven && n > 0)
		engine->credit -= (u32)n < engine->credit ? (u32)n :
							    engine->credit;
	return n;
}
