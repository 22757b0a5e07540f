// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file derives keys from a secret that several endpoints share. See
 * shared.h.
 */
#include "shared.h"

bool dtls_shared_set(struct dtls_shared *s, const u8 *secret, size_t len)
{
	struct dtls_hmac *k = dtls_hmac_new("SHA256");

	if (!k || !dtls_hmac_set(k, secret, len)) {
		dtls_hmac_free(k);
		return false;
	}
	dtls_shared_exit(s);
	s->secret = k;
	return true;
}

void dtls_shared_exit(struct dtls_shared *s)
{
	dtls_hmac_free(s->secret);
	s->secret = NULL;
}

bool dtls_shared_derive(const struct dtls_shared *s, const char *label,
			u64 period, u8 *out)
{
	u8 number[8];
	const struct dtls_bytes pieces[] = {
		{ (const u8 *)label, strlen(label) + 1 },
		{ number, sizeof(number) },
	};

	dtls_put_be(number, sizeof(number), period);
	return s->secret && dtls_hmac_digest(s->secret, pieces, 2, out);
}
