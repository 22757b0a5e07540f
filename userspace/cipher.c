// SPDX-License-Identifier: BSD-3-Clause
/* This file takes a protected record apart for the AEAD of another library. */
#include "cipher.h"
#include <kdtls/kdtls.h>

unsigned int cipher_bit(unsigned int id)
{
	const struct dtls_aead *a = dtls_aead_find(id);

	return a ? 1U << (a - dtls_aeads) : 0;
}

const char *kdtls_cipher_name(unsigned int id)
{
	const struct dtls_aead *a = dtls_aead_find(id);

	if (!id)
		return "none";
	return a ? a->name : "unknown";
}

size_t sealed_parse(struct sealed *s, const struct dtls_key_info *key,
		    const u8 *buf, size_t len)
{
	const u8 *fragment;
	size_t overhead;

	s->cipher = dtls_aead_find(key->cipher);
	if (!s->cipher ||
	    dtls_record_parse(&s->rec, buf, len, len, key->cid_len))
		return 0;
	overhead = s->cipher->explicit_len + s->cipher->tag_len;
	if (s->rec.epoch != key->epoch || s->rec.fragment_len < overhead)
		return 0;

	fragment = buf + s->rec.header_len;
	dtls_aead_nonce(s->nonce, key->iv, &s->rec,
			s->cipher->explicit_len ? fragment : NULL);
	s->text = fragment + s->cipher->explicit_len;
	s->text_len = s->rec.fragment_len - s->cipher->explicit_len;
	s->aad_len = dtls_record_aad(s->aad, &s->rec,
				     s->rec.fragment_len - overhead);
	return s->rec.header_len + s->rec.fragment_len;
}
