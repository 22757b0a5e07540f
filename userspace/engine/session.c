// SPDX-License-Identifier: BSD-3-Clause
/* This file turns sessions into bytes and back. See session.h. */
#include "session.h"

/*
 * FORMAT is the first byte of a session. It changes with the format, so that
 * sessions of an older format are refused.
 */
#define FORMAT	4

void dtls_session_write(const struct dtls_session *s, struct dtls_writer *w)
{
	wr_u8(w, FORMAT);
	wr_u16(w, s->version);
	wr_u16(w, s->suite);
	wr_u8(w, s->ems);
	dtls_peer_write(&s->peer, w);
	wr_bytes(w, s->master, sizeof(s->master));
	wr_int(w, 8, (u64)s->made);
	wr_int(w, 4, s->life);
	wr_int(w, 4, s->age_add);
	wr_int(w, 4, s->early);
	wr_vec(w, 1, s->alpn.p, s->alpn.len);
	wr_vec(w, 1, s->name.p, s->name.len);
	wr_vec(w, 1, s->id.p, s->id.len);
	wr_vec(w, 2, s->ticket.p, s->ticket.len);
}

bool dtls_session_read(struct dtls_session *s, struct dtls_bytes bytes)
{
	const struct dtls_suite *suite;
	u8 format, ems;
	u64 made;

	if (!rd_u8(&bytes, &format) || format != FORMAT ||
	    !rd_u16(&bytes, &s->version) || !rd_u16(&bytes, &s->suite) ||
	    !rd_u8(&bytes, &ems) || !dtls_peer_read(&s->peer, &bytes) ||
	    !rd_copy(&bytes, s->master, sizeof(s->master)) ||
	    !rd_int(&bytes, 8, &made) || !rd_u32(&bytes, 4, &s->life) ||
	    !rd_u32(&bytes, 4, &s->age_add) ||
	    !rd_u32(&bytes, 4, &s->early) || !rd_vec(&bytes, 1, &s->alpn) ||
	    !rd_vec(&bytes, 1, &s->name) || !rd_vec(&bytes, 1, &s->id) ||
	    !rd_vec(&bytes, 2, &s->ticket) || bytes.len)
		return false;
	s->ems = ems;
	s->made = (int64_t)made;
	suite = dtls_suite_find(s->suite);
	return suite && s->id.len <= DTLS_SESSION_ID_SIZE &&
	       s->version == (dtls_suite_is_13(suite) ? DTLS_VERSION_1_3 :
							DTLS_VERSION_1_2);
}

/*
 * dtls_session_life() compares before it subtracts, so no difference overflows.
 */
u32 dtls_session_life(const struct dtls_peer *peer, u32 limit, int64_t now)
{
	u64 age, left;

	if (now < peer->since || now >= peer->until)
		return 0;
	age = (u64)now - (u64)peer->since;
	left = (u64)peer->until - (u64)now;
	if (age >= limit)
		return 0;
	return left < limit - age ? (u32)left : limit - (u32)age;
}

bool dtls_session_expired(const struct dtls_session *s, u32 limit, int64_t now)
{
	return now < s->made || (u64)now - (u64)s->made >= s->life ||
	       !dtls_session_life(&s->peer, limit, now);
}
