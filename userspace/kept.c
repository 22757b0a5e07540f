// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file keeps protected records that came before their keys. See driver.h.
 */
#include "driver.h"

/*
 * Return the epoch of a record if it may be application data, else 0. The epoch
 * of early data is 1 (RFC 6347 4.1, RFC 9147 6.1).
 */
static uint64_t epoch_of(const struct owner *o,
			 const struct dtls_record *record)
{
	uint64_t epoch = record->unified & DTLS_UNIFIED_EPOCH;

	if (!record->unified)
		return record->epoch;
	if (epoch == DTLS13_EPOCH_EARLY &&
	    (!o->server || !o->endpoint->config.max_early_data))
		return 0;
	return epoch == 2 ? 0 : epoch;
}

static bool is_early(const struct dtls_key_info *key)
{
	return key->version == DTLS_VERSION_1_3 &&
	       key->epoch == DTLS13_EPOCH_EARLY;
}

static struct kept_queue *new_queue(void)
{
	struct kept_queue *q = OPENSSL_zalloc(sizeof(*q));

	if (q)
		STAILQ_INIT(&q->list);
	return q;
}

void kept_add(struct owner *o, const uint8_t *data, size_t len)
{
	size_t max = o->endpoint->config.max_early, size;
	struct dtls_record record;
	uint64_t epoch;
	struct kdtls_info info;
	struct kept *k;

	if (!o->kept)
		o->kept = new_queue();
	if (!o->kept)
		return;
	kdtls_engine_info(o->engine, &info);
	while (!dtls_record_parse(&record, data, len, len, info.cid_rx_len)) {
		size = record.header_len + record.fragment_len;
		epoch = epoch_of(o, &record);
		if (epoch && sizeof(*k) + size <= max - o->kept->size) {
			k = OPENSSL_malloc(sizeof(*k) + size);
			if (!k)
				return;
			k->epoch = epoch;
			k->len = size;
			memcpy(k->data, data, size);
			o->kept->size += sizeof(*k) + size;
			STAILQ_INSERT_TAIL(&o->kept->list, k, list);
		}
		data += size;
		len -= size;
	}
}

void kept_forget(struct owner *o)
{
	struct kept *k;

	while ((k = kept_first(o))) {
		STAILQ_REMOVE_HEAD(&o->kept->list, list);
		OPENSSL_free(k);
	}
	OPENSSL_free(o->kept);
	o->kept = NULL;
}

struct kept *kept_first(const struct owner *o)
{
	return o->kept ? STAILQ_FIRST(&o->kept->list) : NULL;
}

static bool is_seen(const struct dtls_window *w, u64 seq)
{
	u64 back = w->next - 1 - seq;

	return seq < w->next && back < DTLS_REPLAY_WINDOW_MAX &&
	       w->seen[back / 64] & 1ULL << back % 64;
}

/* Unmark the number @seq in the window. */
static void unsee(struct dtls_window *w, u64 seq)
{
	u64 back = w->next - 1 - seq;

	if (is_seen(w, seq))
		w->seen[back / 64] &= ~(1ULL << back % 64);
}

/* Move the end of the window down to the last record that was seen. */
static void trim(struct dtls_window *w)
{
	const unsigned int last = DTLS_REPLAY_WINDOW_MAX / 64 - 1;
	__u64 any = 0;
	unsigned int i;

	for (i = 0; i <= last; i++)
		any |= w->seen[i];
	if (!any)
		w->next = 0;
	while (w->next && !(w->seen[0] & 1)) {
		for (i = 0; i < last; i++)
			w->seen[i] = w->seen[i] >> 1 | w->seen[i + 1] << 63;
		w->seen[last] >>= 1;
		w->next--;
	}
}

/*
 * Return true if the engine has given the content of this record to its owner.
 */
static bool is_told(const struct owner *o,
		    const struct dtls_key_info *key,
		    const struct dtls_window *seen, u64 seq)
{
	return o->endpoint->config.ops.replayable && is_early(key) &&
	       is_seen(seen, seq);
}

/* Return true if the record layer is to have a record with this content. */
static bool is_owners(u8 type, const u8 *data, size_t len)
{
	return type == DTLS_CT_APPLICATION_DATA ||
	       dtls_alert_is_goodbye(type, data, len);
}

int kept_sort(struct owner *o, struct dtls_key_info *key,
	      struct dtls_window *window)
{
	uint8_t *plain = scratch_take(o->endpoint), type;
	struct dtls_protection *p;
	struct dtls_record record;
	struct dtls_reading *r;
	struct kept *k, *next;
	long n;

	p = dtls_protection_new(&o->endpoint->crypto, DTLS_RX, key);
	if (!p || !plain) {
		dtls_protection_free(p);
		scratch_give(o->endpoint, plain);
		return -KDTLS_ECRYPTO;
	}
	/*
	 * The floor is 0 and not the engine's: @window tells which records the
	 * engine has read, those below its floor included.
	 */
	r = dtls_protection_reading(p);
	dtls_replay_init(&r->seen, r->ring, DTLS_WINDOW_SIZE, 0);

	for (k = kept_first(o); k; k = next) {
		next = STAILQ_NEXT(k, list);
		if (k->epoch != key->epoch)
			continue;
		n = -1;
		if (!dtls_record_parse(&record, k->data, k->len, k->len,
				       key->cid_len))
			n = dtls_protection_open(p, &record, k->data, plain,
						 &type);
		if (n > 0 && is_owners(type, plain, (size_t)n) &&
		    !is_told(o, key, window, record.seq)) {
			unsee(window, record.seq);
			if (record.seq < key->rec_seq)
				key->rec_seq = record.seq;
			continue;
		}
		STAILQ_REMOVE(&o->kept->list, k, kept, list);
		OPENSSL_free(k);
	}
	trim(window);
	OPENSSL_cleanse(plain, DTLS_FRAGMENT_SIZE_MAX);
	scratch_give(o->endpoint, plain);
	dtls_protection_free(p);
	return 0;
}

static void feed_user(struct owner *o, const struct kept *k, uint8_t *plain)
{
	/*
	 * A record without a connection ID was kept because a record before it
	 * in its datagram had one.
	 */
	struct datagram d = { .rest = { k->data, k->len }, .named = true };
	struct dtls_record_info info;
	struct dtls_bytes raw;
	ssize_t n;

	n = user_records_open(&o->user, dtls_engine_cids(o->engine), &d, plain,
			      &raw, &info);
	if (n <= 0 || info.flags & DTLS_RECORD_RAW)
		return;
	if (dtls_alert_is_goodbye(info.type, plain, (size_t)n))
		o->ops->goodbye(o, &info);
	else if (unread_has_room(o, n))
		unread_add(o, plain, n, info.flags);
}

void kept_open(struct owner *o)
{
	uint8_t *plain = scratch_take(o->endpoint);
	struct kept *k;

	for (k = kept_first(o); k; k = STAILQ_NEXT(k, list))
		if (plain)
			feed_user(o, k, plain);
	if (plain)
		OPENSSL_cleanse(plain, DTLS_FRAGMENT_SIZE_MAX);
	scratch_give(o->endpoint, plain);
	kept_forget(o);
}
