// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file is a record layer in user space, for associations whose records the
 * kernel does not make. It uses the same code for record formats as the engine
 * and the kernel.
 */
#include "driver.h"
#include <errno.h>
#include <stdlib.h>

void user_records_exit(struct user_records *u)
{
	int i;

	dtls_protection_free(u->tx);
	for (i = 0; i < READ_EPOCHS; i++)
		dtls_protection_free(u->rx[i]);
}

int user_records_key(struct user_records *u, const struct dtls_crypto *crypto,
		     int direction, const struct dtls_key_info *key,
		     const struct dtls_window *seen)
{
	struct dtls_protection *p;

	p = dtls_protection_new(crypto, direction, key);
	if (!p)
		return -KDTLS_ECRYPTO;
	if (direction == DTLS_TX) {
		dtls_protection_free(u->tx);
		u->tx = p;
		return 0;
	}
	if (seen)
		dtls_replay_import(&dtls_protection_reading(p)->seen, seen->next,
				   (u64 *)seen->seen);
	dtls_protection_free(u->rx[READ_EPOCHS - 1]);
	memmove(&u->rx[1], &u->rx[0], sizeof(u->rx) - sizeof(u->rx[0]));
	u->rx[0] = p;
	/*
	 * The client is done with early data. What is late comes soon or never,
	 * whether the client uses the newer key or not (RFC 9147 5.6).
	 */
	if (u->rx[1] && u->rx[1]->sn && u->rx[1]->epoch == DTLS13_EPOCH_EARLY)
		dtls_protection_used(u->rx, READ_EPOCHS, 0, driver_now());
	return 0;
}

int user_records_peer_cid(struct user_records *u, const uint8_t *cid,
			  size_t len)
{
	if (len != u->tx->cid_len)
		return -EINVAL;
	memcpy(dtls_protection_cid(u->tx), cid, len);
	return 0;
}

size_t user_records_overhead(const struct user_records *u)
{
	return dtls_protection_overhead(u->tx);
}

struct dtls_record_number user_records_next(const struct user_records *u)
{
	return (struct dtls_record_number){ u->tx->epoch, u->tx->seq };
}

static u64 seal_limit(const struct dtls_protection *p)
{
	u64 limit = dtls_protection_aead(p)->seal_limit;

	return limit < DTLS_SEQ_MAX ? limit : DTLS_SEQ_MAX;
}

static u64 open_limit(struct dtls_protection *p)
{
	u64 limit = dtls_protection_reading(p)->limit;

	return limit ? limit : dtls_protection_aead(p)->open_limit;
}

/*
 * Return true and set @told if @n has reached @limit and @told is not set yet.
 */
static bool reached(u64 n, u64 limit, bool *told)
{
	if (*told || n < limit)
		return false;
	*told = true;
	return true;
}

/* Return 7/8 of @limit. From there on a key ought to be replaced. */
static u64 close_to(u64 limit)
{
	return limit - limit / 8;
}

bool user_records_event(struct user_records *u, struct dtls_record_info *info)
{
	struct dtls_protection *tx = u->tx, *rx = u->rx[0];

	/*
	 * A handshake that failed while it handed out keys may have given only
	 * one of the two.
	 */
	if (!tx || !rx)
		return false;
	memset(info, 0, sizeof(*info));
	info->flags = DTLS_RECORD_EVENT;
	info->epoch = rx->epoch;
	if (reached(tx->seq, close_to(seal_limit(tx)), &tx->told)) {
		info->event = DTLS_EVENT_TX_LIMIT;
		info->epoch = tx->epoch;
	} else if (reached(rx->failed, close_to(open_limit(rx)), &rx->told)) {
		info->event = DTLS_EVENT_RX_LIMIT;
	} else if (reached(rx->failed, open_limit(rx), &rx->told_end)) {
		info->event = DTLS_EVENT_RX_EXPIRED;
	}
	return info->event;
}

ssize_t user_records_seal(struct user_records *u, uint8_t type,
			  const void *data, size_t len, uint8_t *out)
{
	u64 limit = seal_limit(u->tx);
	size_t n;

	if (len > u->tx->max_plaintext)
		return -EMSGSIZE;
	/* The last record of a key is reserved for close_notify. */
	if (u->tx->seq + 1 >= limit &&
	    (type != DTLS_CT_ALERT || u->tx->seq >= limit))
		return -EKEYEXPIRED;
	n = dtls_protection_seal(u->tx, type, data, len, out);
	return n ? (ssize_t)n : -KDTLS_ECRYPTO;
}

void user_records_unseal(struct user_records *u)
{
	u->tx->seq--;
}

/*
 * Open a record. The read keys are tried, the newest first, as a unified header
 * has only the last bits of the epoch (RFC 9147 4). @named tells that the
 * datagram has a connection ID of this end. Without one only keys that have no
 * connection ID are tried, such as the key of early data.
 */
static ssize_t open_one(struct user_records *u, const struct dtls_record *record,
			bool named, const uint8_t *bytes, uint8_t *plain,
			struct dtls_record_info *info)
{
	u64 now = driver_now();
	struct dtls_record r;
	ssize_t n = -1;
	unsigned int i;

	dtls_protection_expire(u->rx, READ_EPOCHS, now);
	for (i = 0; i < READ_EPOCHS && u->rx[i] && n < 0; i++) {
		r = *record;
		if (u->rx[i]->failed >= open_limit(u->rx[i]))
			continue;
		if (r.unified ? u->rx[i]->cid_len && !named :
				r.epoch != u->rx[i]->epoch)
			continue;
		n = dtls_protection_open(u->rx[i], &r, bytes, plain,
					 &info->type);
		info->epoch = r.epoch;
		info->seq = r.seq;
		if (n >= 0)
			dtls_protection_used(u->rx, READ_EPOCHS, i, now);
	}
	return n;
}

/*
 * Return true if @record, which could not be opened, may belong to a handshake:
 * that of the association, or a new one of a peer that lost its state. A record
 * of DTLS 1.2 with the association's connection ID does not belong to a new
 * handshake.
 */
static bool may_be_handshake(const struct dtls_cids *cids,
			     const struct dtls_record *record)
{
	if (record->cid_len && !record->unified &&
	    !memcmp(record->cid, dtls_cids_all(cids), record->cid_len))
		return false;
	return !record->epoch || dtls_may_be_handshake(record);
}

/*
 * Parse the header of the record at @bytes, even if it has a connection ID
 * whose length @cids does not know. Return false if there is no header.
 */
static bool parse(const struct dtls_cids *cids, struct dtls_record *record,
		  struct dtls_bytes bytes)
{
	return !dtls_record_parse(record, bytes.p, bytes.len, bytes.len,
				  cids->len) ||
	       (!cids->len &&
		dtls_record_unsized(record, bytes.p, bytes.len));
}

ssize_t user_records_open(struct user_records *u, const struct dtls_cids *cids,
			  struct datagram *d, uint8_t *plain, struct dtls_bytes *raw,
			  struct dtls_record_info *info)
{
	const uint8_t *p = d->rest.p;
	struct dtls_record record;
	size_t size;
	ssize_t n = -1;

	if (!parse(cids, &record, d->rest)) {
		d->rest.len = 0;
		return -EAGAIN;
	}
	size = record.header_len + record.fragment_len;
	d->rest.p += size;
	d->rest.len -= size;

	memset(info, 0, sizeof(*info));
	if (!dtls_cids_fit(cids, &record, &d->named)) {
		if (!may_be_handshake(cids, &record))
			d->rest.len = 0;
	} else if (record.header_len) {
		n = open_one(u, &record, d->named, p, plain, info);
	}
	if (n >= 0) {
		if (record.unified && info->epoch == DTLS13_EPOCH_EARLY)
			info->flags = DTLS_RECORD_REPLAYABLE;
		return n;
	}
	if (!may_be_handshake(cids, &record))
		return -EBADMSG;
	info->flags = DTLS_RECORD_RAW;
	*raw = (struct dtls_bytes){ p, size };
	return (ssize_t)size;
}
