// SPDX-License-Identifier: BSD-3-Clause
/*
 * The engine's keys to whoever makes the records: the kernel if it can.
 *
 * The handshake runs on a plain socket, which is attached when the keys are
 * there: only then version, cipher and connection IDs are known, and if the
 * kernel knows them. What is in the socket's queue by then is the kernel's. What
 * the driver had read by then are handshake records, which are the engine's
 * affair, and application records that overtook them: these are fed back.
 */
#include "driver.h"
#include <errno.h>

/* Under the keys of application data? RFC 6347 4.1, RFC 9147 6.1 */
static bool is_protected(const struct dtls_record *record)
{
	if (record->unified)
		return (record->unified & DTLS_UNIFIED_EPOCH) == 3;
	return record->epoch;
}

void handover_keep(struct kdtls_socket *s, const uint8_t *data, size_t len)
{
	size_t max = s->endpoint->config.max_early, size;
	struct dtls_record record;
	struct kdtls_info info;
	struct kept *k;

	kdtls_engine_info(s->engine, &info);
	while (!dtls_record_parse(&record, data, len, len, info.cid_rx_len)) {
		size = record.header_len + record.fragment_len;
		if (is_protected(&record) && sizeof(*k) + size <= max - s->kept_len) {
			k = OPENSSL_malloc(sizeof(*k) + size);
			if (!k)
				return;
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

/* Not seen after all */
static void unsee(struct dtls_window *w, u64 seq)
{
	u64 back = w->next - 1 - seq;

	if (seq < w->next && back < DTLS_REPLAY_WINDOW_MAX)
		w->seen[back / 64] &= ~(1ULL << back % 64);
}

/* Let the window end with a record that was seen. */
static void trim(struct dtls_window *w)
{
	const unsigned int last = DTLS_REPLAY_WINDOW_MAX / 64 - 1;
	unsigned int i;

	while (w->next && !(w->seen[0] & 1)) {
		for (i = 0; i < last; i++)
			w->seen[i] = w->seen[i] >> 1 | w->seen[i + 1] << 63;
		w->seen[last] >>= 1;
		w->next--;
	}
}

/*
 * Sort what was kept: genuine application data stays, and counts as not seen.
 * Everything else was the engine's, or nobody's.
 */
static int sort_kept(struct kdtls_socket *s, struct dtls_key_info *key,
		     struct dtls_window *window)
{
	uint8_t plain[DTLS_FRAGMENT_SIZE_MAX], type;
	struct dtls_protection *p;
	struct dtls_record record;
	struct kept *k, *next;
	long n;

	p = dtls_protection_new(&s->endpoint->crypto, DTLS_RX, key);
	if (!p)
		return -KDTLS_ECRYPTO;
	/* The engine's floor says what it has read, and that is in here too. */
	dtls_replay_init(&p->seen, p->ring, DTLS_REPLAY_WINDOW_MIN, 0);

	for (k = STAILQ_FIRST(&s->kept); k; k = next) {
		next = STAILQ_NEXT(k, list);
		n = -1;
		if (!dtls_record_parse(&record, k->data, k->len, k->len,
				       key->cid_len))
			n = dtls_unprotect(p, &record, k->data, plain, &type);
		if (n > 0 && type == DTLS_CT_APPLICATION_DATA) {
			unsee(window, record.seq);
			if (record.seq < key->rec_seq)
				key->rec_seq = record.seq;
			continue;
		}
		STAILQ_REMOVE(&s->kept, k, kept, list);
		OPENSSL_free(k);
	}
	trim(window);
	OPENSSL_cleanse(plain, sizeof(plain));
	dtls_protection_free(p);
	return 0;
}

/* The first read key, and what came before it */
static int kernel_begin(struct kdtls_socket *s, const struct dtls_key_info *key,
			const struct dtls_window *seen)
{
	struct dtls_window window = *seen;
	struct dtls_key_info rx = *key;
	struct kept *k;
	int err;

	err = sort_kept(s, &rx, &window);
	if (!err)
		err = kdtls_set_key(s->fd, DTLS_RX, &rx);
	OPENSSL_cleanse(&rx, sizeof(rx));
	if (!err && window.next > rx.rec_seq)
		err = kdtls_set_window(s->fd, &window);
	/* What finds no room is lost as any datagram may be. */
	if (!err)
		STAILQ_FOREACH(k, &s->kept, list)
			ulp_feed(s->fd, k->data, k->len);
	handover_forget(s);
	return err;
}

/* Who shall make the records? */
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
	handover_forget(s);	/* the engine hands on what it has read itself */
	return 0;
}

static int take_key(struct kdtls_socket *s, int direction,
		    const struct dtls_key_info *key,
		    const struct dtls_window *seen)
{
	bool first = s->path == KDTLS_PATH_AUTO;
	int err = 0;

	if (first && s->old)
		err = restart_take_over(s);
	if (!err && first)
		err = choose_path(s, key);
	if (err)
		return err;
	if (s->user)
		return user_records_key(s->user, direction, key, seen);
	if (first)
		return kernel_begin(s, key, seen);
	err = kdtls_set_key(s->fd, direction, key);
	if (!err && direction == DTLS_TX)
		err = kdtls_poll_control(s->fd, 1);
	return err;
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

void handover_early(void *ctx, const uint8_t *data, size_t len)
{
	struct kdtls_socket *s = ctx;

	if (s->user)
		user_records_queue(s->user, data, len);
}

uint64_t handover_next_seq(void *ctx)
{
	const struct kdtls_socket *s = ctx;
	struct dtls_info info;

	if (s->user)
		return user_records_next(s->user);
	/* Without an answer the peer's acknowledgement will fit no record. */
	return kdtls_get_info(s->fd, &info) ? DTLS_SEQ_MAX : info.tx_seq;
}
