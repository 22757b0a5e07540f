// SPDX-License-Identifier: BSD-3-Clause
/* This file turns a peer's identity into bytes and back. See peer.h. */
#include "peer.h"

/* A time is written in so many bytes: seconds since 1970, for 34,000 years. */
#define TIME_SIZE	5

static bool shows_key(const struct dtls_peer *peer)
{
	return peer->auth == KDTLS_AUTH_CERTIFICATE ||
	       peer->auth == KDTLS_AUTH_RAW_KEY;
}

void dtls_peer_write(const struct dtls_peer *peer, struct dtls_writer *w)
{
	wr_u8(w, peer->auth);
	wr_u8(w, peer->verified);
	wr_int(w, TIME_SIZE, (u64)peer->since);
	if (peer->auth != KDTLS_AUTH_NONE)
		wr_bytes(w, peer->basis, sizeof(peer->basis));
	if (shows_key(peer)) {
		wr_int(w, TIME_SIZE, (u64)peer->until);
		wr_bytes(w, peer->hash, sizeof(peer->hash));
	} else if (peer->auth == KDTLS_AUTH_PSK) {
		wr_vec(w, 1, peer->identity.p, peer->identity.len);
	}
}

bool dtls_peer_read(struct dtls_peer *peer, struct dtls_bytes *bytes)
{
	u64 since, until = DTLS_NO_END;

	memset(peer, 0, sizeof(*peer));
	if (!rd_u8(bytes, &peer->auth) || peer->auth > KDTLS_AUTH_PSK ||
	    !rd_u8(bytes, &peer->verified) || !rd_int(bytes, TIME_SIZE, &since) ||
	    (peer->auth != KDTLS_AUTH_NONE &&
	     !rd_copy(bytes, peer->basis, sizeof(peer->basis))) ||
	    (shows_key(peer) &&
	     (!rd_int(bytes, TIME_SIZE, &until) ||
	      !rd_copy(bytes, peer->hash, sizeof(peer->hash)))) ||
	    (peer->auth == KDTLS_AUTH_PSK &&
	     (!rd_vec(bytes, 1, &peer->identity) ||
	      peer->identity.len > KDTLS_PSK_IDENTITY_MAX)))
		return false;
	peer->since = (int64_t)since;
	peer->until = (int64_t)until;
	return true;
}

void dtls_peer_forget(struct dtls_peer *peer)
{
	OPENSSL_free((void *)peer->identity.p);
	memset(peer, 0, sizeof(*peer));
}
