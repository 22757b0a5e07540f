// SPDX-License-Identifier: BSD-3-Clause
/* The AEADs of DTLS 1.2; see cipher.h. */
#include "cipher.h"
#include <kdtls/kdtls.h>

static const struct cipher_desc ciphers[] = {
	{ DTLS_CIPHER_AES_GCM_128, "AES-128-GCM", 16, 4, 8, 16 },
	{ DTLS_CIPHER_AES_GCM_256, "AES-256-GCM", 32, 4, 8, 16 },
	{ DTLS_CIPHER_AES_CCM_128, "AES-128-CCM", 16, 4, 8, 16 },
	{ DTLS_CIPHER_AES_CCM_256, "AES-256-CCM", 32, 4, 8, 16 },
	{ DTLS_CIPHER_AES_CCM_8_128, "AES-128-CCM-8", 16, 4, 8, 8 },
	{ DTLS_CIPHER_AES_CCM_8_256, "AES-256-CCM-8", 32, 4, 8, 8 },
	{ DTLS_CIPHER_CHACHA20_POLY1305, "CHACHA20-POLY1305", 32, 12, 0, 16 },
};

const struct cipher_desc *cipher_find(unsigned int id)
{
	size_t i;

	for (i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++)
		if (ciphers[i].id == id)
			return &ciphers[i];
	return NULL;
}

unsigned int cipher_bit(unsigned int id)
{
	const struct cipher_desc *c = cipher_find(id);

	return c ? 1U << (c - ciphers) : 0;
}

const char *kdtls_cipher_name(unsigned int id)
{
	const struct cipher_desc *c = cipher_find(id);

	if (!id)
		return "none";
	return c ? c->name : "unknown";
}

size_t sealed_parse(struct sealed *s, const struct dtls_key_info *key,
		    const u8 *buf, size_t len)
{
	const u8 *fragment;
	size_t overhead;
	int i;

	s->cipher = cipher_find(key->cipher);
	if (!s->cipher ||
	    dtls_record_parse(&s->rec, buf, len, len, key->cid_len))
		return 0;
	overhead = s->cipher->explicit_size + s->cipher->tag_size;
	if (s->rec.epoch != key->epoch || s->rec.fragment_len < overhead)
		return 0;

	fragment = buf + s->rec.header_len;
	memcpy(s->nonce, key->iv, DTLS_NONCE_SIZE);
	if (s->cipher->explicit_size) {
		memcpy(s->nonce + s->cipher->iv_size, fragment,
		       s->cipher->explicit_size);
	} else {
		u8 seq[8];

		dtls_put_be(seq, 2, s->rec.epoch);
		dtls_put_be(seq + 2, 6, s->rec.seq);
		for (i = 0; i < 8; i++)
			s->nonce[DTLS_NONCE_SIZE - 8 + i] ^= seq[i];
	}
	s->text = fragment + s->cipher->explicit_size;
	s->text_len = s->rec.fragment_len - s->cipher->explicit_size;
	s->aad_len = dtls_record_aad(s->aad, &s->rec,
				     s->rec.fragment_len - overhead);
	return s->rec.header_len + s->rec.fragment_len;
}
