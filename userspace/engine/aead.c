// SPDX-License-Identifier: BSD-3-Clause
/* The AEADs of DTLS; see aead.h. */
#include "aead.h"
#include "aead_limits.h"

/* The sizes are those of RFC 5288, RFC 6655 and RFC 7905. */
const struct dtls_aead dtls_aeads[] = {
	{ DTLS_CIPHER_AES_GCM_128, "AES-128-GCM", 16, 4, 8, 16,
	  DTLS_GCM_SEAL_LIMIT, DTLS_OPEN_LIMIT },
	{ DTLS_CIPHER_AES_GCM_256, "AES-256-GCM", 32, 4, 8, 16,
	  DTLS_GCM_SEAL_LIMIT, DTLS_OPEN_LIMIT },
	{ DTLS_CIPHER_AES_CCM_128, "AES-128-CCM", 16, 4, 8, 16,
	  DTLS_CCM_SEAL_LIMIT, DTLS_CCM_OPEN_LIMIT },
	{ DTLS_CIPHER_AES_CCM_256, "AES-256-CCM", 32, 4, 8, 16,
	  DTLS_CCM_SEAL_LIMIT, DTLS_CCM_OPEN_LIMIT },
	{ DTLS_CIPHER_AES_CCM_8_128, "AES-128-CCM-8", 16, 4, 8, 8,
	  DTLS_CCM_SEAL_LIMIT, DTLS_CCM_8_OPEN_LIMIT },
	{ DTLS_CIPHER_AES_CCM_8_256, "AES-256-CCM-8", 32, 4, 8, 8,
	  DTLS_CCM_SEAL_LIMIT, DTLS_CCM_8_OPEN_LIMIT },
	{ DTLS_CIPHER_CHACHA20_POLY1305, "CHACHA20-POLY1305", 32, 12, 0, 16,
	  DTLS_CHACHA_SEAL_LIMIT, DTLS_OPEN_LIMIT },
};

const struct dtls_aead *dtls_aead_find(unsigned int id)
{
	size_t i;

	for (i = 0; i < sizeof(dtls_aeads) / sizeof(dtls_aeads[0]); i++)
		if (dtls_aeads[i].id == id)
			return &dtls_aeads[i];
	return NULL;
}

void dtls_aead_nonce(u8 *nonce, const u8 *iv, const struct dtls_record *r,
		     const u8 *explicit, size_t explicit_size)
{
	if (!explicit_size) {
		dtls_record_nonce(nonce, iv, r);
		return;
	}
	memcpy(nonce, iv, DTLS_NONCE_SIZE - explicit_size);
	memcpy(nonce + DTLS_NONCE_SIZE - explicit_size, explicit,
	       explicit_size);
}
