// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file makes and checks the stateless cookies of both versions. See
 * cookie.h.
 */
#include <openssl/rand.h>

#include "cookie.h"

#define KEY_SIZE	32
/*
 * Before the hash in a HelloRetryRequest's cookie there are the time, the suite
 * and the group.
 */
#define RETRY_FRONT	(DTLS_COOKIE_TIME_SIZE + 2 + 2)

bool dtls_cookie_init(struct dtls_cookie *k, u64 life)
{
	k->key[0] = dtls_hmac_new("SHA256");
	k->key[1] = dtls_hmac_new("SHA256");
	k->life = life;
	return k->key[0] && k->key[1];
}

void dtls_cookie_exit(struct dtls_cookie *k)
{
	dtls_hmac_free(k->key[0]);
	dtls_hmac_free(k->key[1]);
	dtls_shared_exit(&k->shared);
}

_Static_assert(KEY_SIZE == DTLS_SHARED_KEY_SIZE,
	       "a derived key is as long as a random one");

/*
 * Set the key of @period: a random key, or the one that the shared secret
 * yields. Return false if libcrypto failed.
 */
static bool new_key(struct dtls_cookie *k, u64 period)
{
	u8 key[DTLS_HASH_MAX];
	bool ok;

	if (k->shared.secret)
		ok = dtls_shared_derive(&k->shared, "cookie", period, key);
	else
		ok = RAND_bytes(key, KEY_SIZE) == 1;
	ok = ok && dtls_hmac_set(k->key[period % 2], key, KEY_SIZE);
	OPENSSL_cleanse(key, sizeof(key));
	return ok;
}

/*
 * Replace the keys if @now is in another period. The key of the period before
 * @now's stays valid, so that a cookie lives for one period at least. Return
 * false if libcrypto failed.
 */
static bool rotate(struct dtls_cookie *k, u64 now)
{
	u64 period = now / k->life;

	if (k->ready && period == k->period)
		return true;
	if (!new_key(k, period))
		return false;
	/* The other key stays only if it belongs to the period before. */
	if ((!k->ready || period != k->period + 1) &&
	    !new_key(k, period - 1))
		return false;
	k->period = period;
	k->ready = true;
	return true;
}

/*
 * Return the microseconds of the unit in which a cookie tells the time since its
 * period began: one, if a period is not longer than 16 seconds.
 */
static u64 time_unit(const struct dtls_cookie *k)
{
	return (k->life >> 8 * (DTLS_COOKIE_TIME_SIZE - 1)) + 1;
}

/*
 * Write the time @now of the current period: the number of the period, modulo
 * 256, and the time since the period began. A stranger who reads it does not
 * learn for how long the system has been running. It is short, as the
 * answer to a small hello must not be much longer than the hello.
 */
static void write_time(const struct dtls_cookie *k, u64 now, u8 *out)
{
	out[0] = (u8)k->period;
	dtls_put_be(out + 1, DTLS_COOKIE_TIME_SIZE - 1,
		    now % k->life / time_unit(k));
}

/*
 * Return the period of the time in a cookie. If it is neither the current period
 * nor the one before, the MAC of the cookie will be wrong.
 */
static u64 period_of(const struct dtls_cookie *k, const u8 *cookie)
{
	return cookie[0] == (u8)k->period ? k->period : k->period - 1;
}

/*
 * Return the time in a cookie whose MAC is right, or @now if that is earlier: if the
 * secret outlived the clock, which began anew, a cookie may be of the same period of
 * the clock before.
 */
static u64 read_time(const struct dtls_cookie *k, const u8 *cookie, u64 now)
{
	u64 made = period_of(k, cookie) * k->life + time_unit(k) *
		   dtls_get_be(cookie + 1, DTLS_COOKIE_TIME_SIZE - 1);

	return made < now ? made : now;
}

/* Write the MAC of a HelloVerifyRequest's cookie behind its time. */
static bool add_mac(const struct dtls_cookie *k, struct dtls_bytes address,
		    const struct dtls_client_hello *ch, u8 *cookie)
{
	u8 front[3], mac[DTLS_HASH_MAX];
	struct dtls_bytes pieces[] = {
		{ front, sizeof(front) },
		address,
		ch->random,
		{ cookie, DTLS_COOKIE_TIME_SIZE },
	};

	dtls_put_be(front, 2, ch->version);
	front[2] = (u8)address.len;
	if (!dtls_hmac_digest(k->key[period_of(k, cookie) % 2], pieces, 4, mac))
		return false;
	memcpy(cookie + DTLS_COOKIE_TIME_SIZE, mac,
	       DTLS_COOKIE_SIZE - DTLS_COOKIE_TIME_SIZE);
	return true;
}

bool dtls_cookie_make(struct dtls_cookie *k, struct dtls_bytes address,
		      const struct dtls_client_hello *ch, u64 now, u8 *out)
{
	if (!rotate(k, now))
		return false;
	write_time(k, now, out);
	return add_mac(k, address, ch, out);
}

bool dtls_cookie_check(struct dtls_cookie *k, struct dtls_bytes address,
		       const struct dtls_client_hello *ch, u64 now, u64 *made)
{
	u8 expected[DTLS_COOKIE_SIZE];

	if (ch->cookie.len != DTLS_COOKIE_SIZE || !rotate(k, now))
		return false;
	memcpy(expected, ch->cookie.p, DTLS_COOKIE_TIME_SIZE);
	if (!add_mac(k, address, ch, expected) ||
	    CRYPTO_memcmp(expected, ch->cookie.p, DTLS_COOKIE_SIZE))
		return false;
	*made = read_time(k, expected, now);
	return true;
}

/*
 * Compute the MAC of a HelloRetryRequest's cookie. Its label keeps these
 * cookies apart from those of HelloVerifyRequest.
 */
static bool retry_mac(const struct dtls_cookie *k, struct dtls_bytes address,
		      struct dtls_bytes content, u8 *out)
{
	u8 front[] = "HelloRetryRequest?", mac[DTLS_HASH_MAX];
	struct dtls_bytes pieces[] = {
		{ front, sizeof(front) },
		address,
		content,
	};

	front[sizeof(front) - 2] = (u8)address.len;
	if (!dtls_hmac_digest(k->key[period_of(k, content.p) % 2], pieces, 3,
			      mac))
		return false;
	memcpy(out, mac, DTLS_RETRY_MAC_SIZE);
	return true;
}

size_t dtls_cookie_seal(struct dtls_cookie *k, struct dtls_bytes address,
			const struct dtls_retry *r, u64 now, u8 *out)
{
	size_t len = RETRY_FRONT + (size_t)r->hash_len;

	if (!rotate(k, now))
		return 0;
	write_time(k, now, out);
	dtls_put_be(out + RETRY_FRONT - 4, 2, r->suite);
	dtls_put_be(out + RETRY_FRONT - 2, 2, r->group);
	memcpy(out + RETRY_FRONT, r->hash, r->hash_len);
	if (!retry_mac(k, address, (struct dtls_bytes){ out, len }, out + len))
		return 0;
	return len + DTLS_RETRY_MAC_SIZE;
}

bool dtls_cookie_open(struct dtls_cookie *k, struct dtls_bytes address,
		      struct dtls_bytes cookie, u64 now, struct dtls_retry *r)
{
	struct dtls_bytes content = cookie;
	u8 mac[DTLS_RETRY_MAC_SIZE];

	if (cookie.len < RETRY_FRONT + DTLS_RETRY_MAC_SIZE ||
	    cookie.len > DTLS_RETRY_COOKIE_MAX || !rotate(k, now))
		return false;
	content.len -= DTLS_RETRY_MAC_SIZE;
	if (!retry_mac(k, address, content, mac) ||
	    CRYPTO_memcmp(mac, content.p + content.len, sizeof(mac)))
		return false;
	r->made = read_time(k, content.p, now);
	r->suite = (u16)dtls_get_be(content.p + RETRY_FRONT - 4, 2);
	r->group = (u16)dtls_get_be(content.p + RETRY_FRONT - 2, 2);
	r->hash_len = (u8)(content.len - RETRY_FRONT);
	memcpy(r->hash, content.p + RETRY_FRONT, r->hash_len);
	return true;
}

void dtls_cookie_request(const struct dtls_record *hello, u16 message_seq,
			 const u8 *cookie, u8 *out)
{
	struct dtls_record r = {
		.type = DTLS_CT_HANDSHAKE,
		.version = DTLS_VERSION_1_0, /* RFC 6347 4.2.1 */
		.fragment_len = DTLS_VERIFY_REQUEST_SIZE - DTLS12_HEADER_SIZE,
		.seq = hello->seq,
	};
	u32 len = 3 + DTLS_COOKIE_SIZE;

	out += dtls_record_write_header(out, &r);
	dtls_fragment_write(out, DTLS_HELLO_VERIFY_REQUEST, len, message_seq, 0,
			    len);
	out += DTLS_MESSAGE_HEADER;
	dtls_put_be(out, 2, DTLS_VERSION_1_0);
	out[2] = DTLS_COOKIE_SIZE;
	memcpy(out + 3, cookie, DTLS_COOKIE_SIZE);
}
