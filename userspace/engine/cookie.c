// SPDX-License-Identifier: BSD-3-Clause
/* The stateless cookie; see cookie.h. */
#include <openssl/rand.h>

#include "cookie.h"

/* Bring the keys to the period of @now: the last one's is still good. */
static bool rotate(struct dtls_cookie *k, u64 now)
{
	u64 period = now / k->life;

	if (k->ready && period == k->period)
		return true;
	if (RAND_bytes(k->key[period % 2], DTLS_COOKIE_KEY_SIZE) != 1)
		return false;
	/* The other key is that of the period before, or of one long gone. */
	if (!k->ready || period != k->period + 1)
		if (RAND_bytes(k->key[!(period % 2)],
			       DTLS_COOKIE_KEY_SIZE) != 1)
			return false;
	k->period = period;
	k->ready = true;
	return true;
}

static bool compute(const struct dtls_cookie *k, const struct dtls_crypto *c,
		    u64 period, struct dtls_bytes address,
		    const struct dtls_client_hello *ch, u8 *out)
{
	u8 front[4], mac[32];
	struct dtls_bytes pieces[] = {
		{ front, sizeof(front) },
		address,
		ch->random,
		ch->session_id,
	};
	bool ok;

	dtls_put_be(front, 2, ch->version);
	front[2] = (u8)address.len;
	front[3] = (u8)ch->session_id.len;
	ok = dtls_hmac_key(&c->hmac, c->sha256, k->key[period % 2],
			   DTLS_COOKIE_KEY_SIZE) &&
	     dtls_hmac(&c->hmac, pieces, 4, mac);
	dtls_hmac_forget(&c->hmac);
	if (!ok)
		return false;
	out[0] = (u8)period;
	memcpy(out + 1, mac, DTLS_COOKIE_SIZE - 1);
	return true;
}

bool dtls_cookie_make(struct dtls_cookie *k, const struct dtls_crypto *c,
		      struct dtls_bytes address,
		      const struct dtls_client_hello *ch, u64 now, u8 *out)
{
	return rotate(k, now) && compute(k, c, k->period, address, ch, out);
}

bool dtls_cookie_check(struct dtls_cookie *k, const struct dtls_crypto *c,
		       struct dtls_bytes address,
		       const struct dtls_client_hello *ch, u64 now)
{
	u8 expected[DTLS_COOKIE_SIZE];
	u64 period;

	if (ch->cookie.len != DTLS_COOKIE_SIZE || !rotate(k, now))
		return false;
	period = k->period;
	if (ch->cookie.p[0] != (u8)period)
		period--;
	return compute(k, c, period, address, ch, expected) &&
	       !CRYPTO_memcmp(expected, ch->cookie.p, DTLS_COOKIE_SIZE);
}

void dtls_cookie_request(const struct dtls_record *hello, u16 message_seq,
			 const u8 *cookie, u8 *out)
{
	struct dtls_record r = {
		.type = DTLS_CT_HANDSHAKE,
		.version = 0xfeff, /* RFC 6347 4.2.1 */
		.fragment_len = DTLS_VERIFY_REQUEST_SIZE - DTLS12_HEADER_SIZE,
		.seq = hello->seq,
	};
	u32 len = 3 + DTLS_COOKIE_SIZE;

	out += dtls_record_write_header(out, &r);
	dtls_fragment_write(out, DTLS_HELLO_VERIFY_REQUEST, len, message_seq, 0,
			    len);
	out += DTLS_MESSAGE_HEADER;
	dtls_put_be(out, 2, 0xfeff);
	out[2] = DTLS_COOKIE_SIZE;
	memcpy(out + 3, cookie, DTLS_COOKIE_SIZE);
}
