// SPDX-License-Identifier: BSD-3-Clause
/* The AEADs of DTLS; see aead.h. */
#include "aead.h"

#define ANY		DTLS_SEQ_MAX
#define GCM_SEALED	23726566
#define CCM_SEALED	(1 << 23)
#define OPENED		(1ULL << 36)
#define CCM_OPENED	11863283
#define CCM_8_OPENED	(1 << 7)

/* RFC 5288, RFC 6655, RFC 7905 */
const struct dtls_aead dtls_aeads[] = {
	{ DTLS_CIPHER_AES_GCM_128, "AES-128-GCM", 16, 4, 8, 16,
	  GCM_SEALED, OPENED },
	{ DTLS_CIPHER_AES_GCM_256, "AES-256-GCM", 32, 4, 8, 16,
	  GCM_SEALED, OPENED },
	{ DTLS_CIPHER_AES_CCM_128, "AES-128-CCM", 16, 4, 8, 16,
	  CCM_SEALED, CCM_OPENED },
	{ DTLS_CIPHER_AES_CCM_256, "AES-256-CCM", 32, 4, 8, 16,
	  CCM_SEALED, CCM_OPENED },
	{ DTLS_CIPHER_AES_CCM_8_128, "AES-128-CCM-8", 16, 4, 8, 8,
	  CCM_SEALED, CCM_8_OPENED },
	{ DTLS_CIPHER_AES_CCM_8_256, "AES-256-CCM-8", 32, 4, 8, 8,
	  CCM_SEALED, CCM_8_OPENED },
	{ DTLS_CIPHER_CHACHA20_POLY1305, "CHACHA20-POLY1305", 32, 12, 0, 16,
	  ANY, OPENED },
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
