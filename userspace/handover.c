// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file gives the engine's keys to what makes the records: the kernel if it
 * can, else user_records.c.
 *
 * The handshake runs on a plain socket. The socket is attached when the keys are
 * there, as version, cipher and connection IDs are not known before. The kernel
 * takes the records that are in the socket's queue by then. Of those that the
 * driver has read the engine takes the handshake's, and application records that
 * overtook the handshake are fed back to the kernel.
 */
#include "driver.h"
#include <errno.h>

/*
 * Return the epoch of a record if it may be application data, else 0. The epoch of
 * early data is 1 (RFC 6347 4.1, RFC 9147 6.1).
 */
static uint64_t epoch_of(const struct kdtls_socket *s,
			 const struct dtls_record *record)
{
	uint64_t epoch = record->unified & DTLS_UNIFIED_EPOCH;

	if (!record->unified)
		return record->epoch;
	if (epoch == DTLS13_EPOCH_EARLY &&
	    (!s->server || !s->endpoint->config.max_early_data))
		return 0;
	return epoch == 2 ? 0 : epoch;
}

static bool is_early(const struct dtls_key_info *key)
{
	return key->version == DTLS_VERSION_1_3 &&
	       key->epoch == DTLS13_EPOCH_EARLY;
}

void handover_keep(struct kdtls_socket *s, const uint8_t *data, size_t len)
{
	size_t max = s->endpoint->config.max_early, size;
	struct dtls_record record;
	uint64_t epoch;
	struct kdtls_info info;
	struct kept *k;

	kdtls_engine_info(s->engine, &info);
	while (!dtls_record_parse(&record, data, len, len, info.cid_rx_len)) {
		size = record.header_len + record.fragment_len;
		epoch = epoch_of(s, &record);
		if (epoch && sizeof(*k) + size <= max - s->kept_len) {
			k = OPENSSL_malloc(sizeof(*k) + size);
			if (!k)
				return;
			k->epoch = epoch;
			k->len = size;
			memcpy(k->data, data, size);
			s->kept_len += sizeof(*k) + size;
			STAILQ_INSERT_TAIL(&s->kept, k, list);
		}
		data += size;
		len -= size;
	}
}

void handover_forget(struct kdtls_socket *s)
{
	struct kept *k;

	while ((k = STAILQ_FIRST(&s->kept))) {
		STAILQ_REMOVE_HEAD(&s->kept, list);
		OPENSSL_free(k);
	}
	s->kept_len = 0;
}

static bool is_seen(const struct dtls_window *w, u64 seq)
{
	u64 back = w->next - 1 - seq;

	return seq < w->next && back < DTLS_REPLAY_WINDOW_MAX &&
	       w->seen[back / 64] & 1ULL << back % 64;
}

/* Take back that the window has seen a record. */
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

/* Return true if the engine has given its owner the content of a record at once. */
static bool is_told(const struct kdtls_socket *s,
		    const struct dtls_key_info *key,
		    const struct dtls_window *seen, u64 seq)
{
	return s->endpoint->config.ops.replayable && is_early(key) &&
	       is_seen(seen, seq);
}

/*
 * Sort the kept records of an epoch. Genuine application data stays, and counts as
 * not seen. All other records were the engine's, or forged, and are dropped.
 */
static int sort_kept(struct kdtls_socket *s, struct dtls_key_info *key,
		     struct dtls_window *window)
{
	uint8_t *plain = scratch_take(s->endpoint), type;
	struct dtls_protection *p;
	struct dtls_record record;
	struct kept *k, *next;
	long n;

	p = dtls_protection_new(&s->endpoint->crypto, DTLS_RX, key);
	if (!p || !plain) {
		dtls_protection_free(p);
		scratch_give(s->endpoint, plain);
		return -KDTLS_ECRYPTO;
	}
	/*
	 * The engine's floor says what the engine has read, and this window has
	 * that too.
	 */
	dtls_replay_init(&p->seen, p->ring, DTLS_WINDOW_SIZE, 0);

	for (k = STAILQ_FIRST(&s->kept); k; k = next) {
		next = STAILQ_NEXT(k, list);
		if (k->epoch != key->epoch)
			continue;
		n = -1;
		if (!dtls_record_parse(&record, k->data, k->len, k->len,
				       key->cid_len))
			n = dtls_protection_open(p, &record, k->data, plain,
						 &type);
		if (n > 0 && type == DTLS_CT_APPLICATION_DATA &&
		    !is_told(s, key, window, record.seq)) {
			unsee(window, record.seq);
			if (record.seq < key->rec_seq)
				key->rec_seq = record.seq;
			continue;
		}
		STAILQ_REMOVE(&s->kept, k, kept, list);
		OPENSSL_free(k);
	}
	trim(window);
	OPENSSL_cleanse(plain, DTLS_FRAGMENT_SIZE_MAX);
	scratch_give(s->endpoint, plain);
	dtls_protection_free(p);
	return 0;
}

/* Take a read key. Records of its epoch may have been kept. */
static int begin_epoch(struct kdtls_socket *s, const struct dtls_key_info *key,
		       const struct dtls_window *seen)
{
	struct dtls_window window = *seen;
	struct dtls_key_info rx = *key;
	bool any;
	int err;

	err = sort_kept(s, &rx, &window);
	any = window.next > rx.rec_seq;
	if (!err && s->user)
		err = user_records_key(s->user, DTLS_RX, &rx,
				       any ? &window : NULL);
	else if (!err)
		err = kdtls_set_key(s->fd, DTLS_RX, &rx);
	OPENSSL_cleanse(&rx, sizeof(rx));
	if (!err && !s->user && any)
		err = kdtls_set_window(s->fd, &window);
	return err;
}

static void feed_user(struct user_records *u, const struct kept *k,
		      uint8_t *plain)
{
	/*
	 * A record that bears no connection ID came behind another that does.
	 */
	struct datagram d = { .rest = { k->data, k->len }, .named = true };
	struct dtls_record_info info;
	struct dtls_bytes raw;
	ssize_t n;

	n = user_records_open(u, &d, plain, &raw, &info);
	if (n > 0 && !(info.flags & DTLS_RECORD_RAW))
		user_records_queue(u, plain, n, info.flags);
}

/* A record that finds no room is lost, as any datagram may be. */
static void feed_kept(struct kdtls_socket *s)
{
	uint8_t *plain = s->user ? scratch_take(s->endpoint) : NULL;
	struct kept *k;

	STAILQ_FOREACH(k, &s->kept, list) {
		if (plain)
			feed_user(s->user, k, plain);
		else if (!s->user)
			ulp_feed(s->fd, k->data, k->len);
	}
	if (plain)
		OPENSSL_cleanse(plain, DTLS_FRAGMENT_SIZE_MAX);
	scratch_give(s->endpoint, plain);
	handover_forget(s);
}

/* Decide whether the kernel or user space makes the records. */
static int choose_path(struct kdtls_socket *s, const struct dtls_key_info *key)
{
	int err = 0;

	if (s->wanted != KDTLS_PATH_USER) {
		err = ulp_supports(s->fd, key->version, key->cipher);
		if (!err)
			err = kdtls_attach(s->fd);
		if (!err) {
			s->path = KDTLS_PATH_KERNEL;
			s->attached = true;
			return 0;
		}
	}
	s->why = err;
	if (s->wanted == KDTLS_PATH_KERNEL)
		return err;
	s->user = user_records_new(&s->endpoint->crypto);
	if (!s->user)
		return -KDTLS_EMEMORY;
	s->path = KDTLS_PATH_USER;
	return 0;
}

static int take_key(struct kdtls_socket *s, int direction,
		    const struct dtls_key_info *key,
		    const struct dtls_window *seen)
{
	bool first = s->path == KDTLS_PATH_AUTO;
	bool ends = !socket_established(s);
	int err = 0;

	if (first && s->old)
		err = restart_take_over(s);
	if (!err && first)
		err = choose_path(s, key);
	if (err)
		return err;
	if (ends && direction == DTLS_RX)
		return begin_epoch(s, key, seen);
	if (s->user)
		err = user_records_key(s->user, direction, key, seen);
	else
		err = kdtls_set_key(s->fd, direction, key);
	if (!err && ends && !s->user)
		err = kdtls_poll_control(s->fd, 1);
	if (err || !ends)
		return err;
	/* An ICMP error of the handshake is not told to the reader of data. */
	s->icmp = 0;
	feed_kept(s);
	return 0;
}

int handover_key(void *ctx, int direction, const struct dtls_key_info *key,
		 const struct dtls_window *seen)
{
	struct kdtls_socket *s = ctx;
	int err = take_key(s, direction, key, seen);

	if (err)
		s->why = err;
	return err;
}

int handover_cid(void *ctx, uint8_t *cid, size_t len)
{
	struct kdtls_socket *s = ctx;

	/*
	 * Any random connection ID will do, as clients are found by their
	 * address.
	 */
	return s->user ? user_records_cid(s->user, cid, len) :
			 ulp_add_cid(s->fd, cid, len);
}

int handover_peer_cid(void *ctx, const uint8_t *cid, size_t len)
{
	struct kdtls_socket *s = ctx;

	return s->user ? user_records_peer_cid(s->user, cid, len) :
			 ulp_change_cid(s->fd, cid, len);
}
