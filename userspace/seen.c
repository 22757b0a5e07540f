// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file notes which records the record layer of another library has read.
 */
#include "seen.h"
#include <kdtls/kdtls.h>
#include <stdlib.h>

bool seen_init(struct seen *s)
{
	memset(s, 0, sizeof(*s));
	s->stash = malloc(SEEN_STASH_SIZE);
	dtls_replay_init(&s->window, s->ring, DTLS_REPLAY_WINDOW_MAX, 0);
	return s->stash;
}

void seen_fini(struct seen *s)
{
	/* The stash holds ciphertext alone, so it is not wiped. */
	free(s->stash);
	s->stash = NULL;
}

bool seen_room(const struct seen *s, size_t len)
{
	return SEEN_STASH_SIZE - s->stash_len >= len;
}

size_t seen_datagram(struct seen *s, u8 *buf, size_t len)
{
	struct dtls_record rec;
	size_t size, at;

	for (at = 0; !dtls_record_parse(&rec, buf + at, len - at, len - at, 0);
	     at += size) {
		size = rec.header_len + rec.fragment_len;
		if (!rec.epoch)
			continue;
		if (!seen_room(s, size)) {
			s->missed = true;
			continue;
		}
		memcpy(s->stash + s->stash_len, buf + at, size);
		s->stash_len += size;
	}
	if (!at) {
		memset(buf, 0, DTLS12_HEADER_SIZE);
		at = DTLS12_HEADER_SIZE;
	}
	return at;
}

bool seen_settle(struct seen *s, const struct dtls_key_info *key,
		 open_fn *open)
{
	struct dtls_record rec;
	struct sealed sealed;
	size_t size, at;
	u8 *plain;

	plain = malloc(DTLS_FRAGMENT_SIZE_MAX);
	if (!plain)
		return false;

	for (at = 0; at < s->stash_len; at += size) {
		const u8 *p = s->stash + at;
		size_t left = s->stash_len - at;

		/* A record is in the stash because it could be parsed. */
		dtls_record_parse(&rec, p, left, left, 0);
		size = rec.header_len + rec.fragment_len;
		if (sealed_parse(&sealed, key, p, size) &&
		    open(key, &sealed, plain))
			dtls_replay_mark(&s->window, rec.seq);
	}
	s->stash_len = 0;
	explicit_bzero(plain, DTLS_FRAGMENT_SIZE_MAX);
	free(plain);
	return true;
}

int seen_report(const struct seen *s, u64 epoch, struct dtls_window *out)
{
	u64 map[DTLS_REPLAY_WINDOW_MAX / 64];

	if (s->missed)
		return -KDTLS_EMISSED;
	if (!s->window.next)
		return -KDTLS_EKEYS;
	dtls_replay_export(&s->window, map);
	out->epoch = epoch;
	out->next = s->window.next;
	memcpy(out->seen, map, sizeof(map));
	return 0;
}
